"""A leaky ReLU with a leak for each channel: output and slope."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, *leaks):
        x = rng.normal(size=(n, len(leaks)))
        signs = np.resize([-1.0, 0.0, 1.0, -1.0], n)  # in every column something below, at and above 0
        x = np.abs(x) * rng.permuted(np.tile(signs[:, None], len(leaks)), axis=0)
        leaks = np.array([float(rng.uniform(*leak)) for leak in leaks])
        return x, leaks

    small, steep, upwards, shut = (0.05, 0.4), (1.5, 2.5), (-0.8, -0.3), (0.0, 0.0)
    return [
        (np.array([[-2.0, -2.0]]), np.array([0.1, 1.5])),
        case(4, small, steep),
        case(7, small, steep, small),
        case(6, small, steep, upwards, shut),  # a learned leak may become anything
        case(4, small, steep, small, small),  # as many rows as columns
        case(5, upwards),
        as_float32(case(9, small, steep, small, upwards, small)),
    ]


def channel_leaky_relu(x, leaks):
    slope = np.where(x > 0, 1.0, leaks)
    out = x * slope
    return out, slope


def two_parts(x, leaks):
    on = (x > 0).astype(x.dtype)
    return np.maximum(x, 0.0) + leaks * np.minimum(x, 0.0), on + (1.0 - on) * leaks


def loop(x, leaks):
    out, slope = np.empty_like(x), np.empty_like(x)
    for n, c in np.ndindex(x.shape):
        slope[n, c] = 1 if x[n, c] > 0 else leaks[c]
        out[n, c] = slope[n, c] * x[n, c]
    return out, slope


EXERCISE = Exercise(
    title="Leaky, each channel in its own way",
    points=2,
    minutes=8,
    difficulty=2,
    cases=cases,
    reference=channel_leaky_relu,
    alternatives=(two_parts, loop),
    mistakes=(
        mistake(
            "max of x and leak times x",
            (
                "out = x * slope -> out = np.maximum(x, leaks * x)",
                "return out, slope -> return out, np.where(out == x, 1.0, leaks)",
            ),
            "That trick holds for leaks below 1 only. What if a leak is 1.5?",
        ),
        mistake(
            "max of x and leak times x, beside the right slope",
            "out = x * slope -> out = np.maximum(x, leaks * x)",
            "For a leak of 1.5, is the larger of x and 1.5 x the one that you want?",
        ),
        mistake(
            "slope 1 at exactly zero",
            "x > 0 -> x >= 0",
            "At exactly 0 the exercise wants the leak: which of > and >= says so?",
        ),
        mistake(
            "slope 0 at exactly zero",
            "return out, slope -> return out, slope * (x != 0)",
            "At exactly 0 the exercise wants the leak, not ReLU's 0.",
        ),
        mistake(
            "the leak above zero and 1 below",
            "1.0, leaks -> leaks, 1.0",
            "It is below zero that a leaky ReLU leaks.",
        ),
        mistake(
            "a plain ReLU below zero",
            "1.0, leaks -> 1.0, 0.0",
            "Below zero something should leak through.",
        ),
        mistake(
            "leaks kept between 0 and 1",
            "1.0, leaks -> 1.0, np.clip(leaks, 0, 1)",
            "A learned leak may be negative, or larger than 1: use it as it is.",
        ),
        mistake(
            "leaks never below 0",
            "1.0, leaks -> 1.0, np.maximum(leaks, 0)",
            "A learned leak may be negative: use it as it is.",
        ),
        mistake(
            "leaks never above 1",
            "1.0, leaks -> 1.0, np.minimum(leaks, 1)",
            "A learned leak may be larger than 1: use it as it is.",
        ),
        mistake(
            "leaks without their signs",
            "1.0, leaks -> 1.0, np.abs(leaks)",
            "A learned leak may be negative: use it as it is.",
        ),
        mistake(
            "the leak itself as the output",
            "out = x * slope -> out = np.where(x > 0, x, slope)",
            "Below zero the output is leak times x, not the leak.",
        ),
        mistake(
            "the leak added to x",
            "out = x * slope -> out = np.where(x > 0, x, x + slope)",
            "Below zero x is multiplied by the leak, and nothing is added.",
        ),
        mistake(
            "the leaking part added on both sides",
            "out = x * slope -> out = np.maximum(x, 0) + leaks * x",
            "Above zero the output is x alone.",
        ),
        mistake(
            "ELU's curve below zero",
            "out = x * slope -> out = np.where(x > 0, x, slope * (np.exp(np.minimum(x, 0)) - 1))",
            "A leaky ReLU is a straight line below zero: leak times x.",
        ),
        mistake(
            "leak times x as the slope",
            "return out, slope -> return out, np.where(x > 0, slope, slope * x)",
            "Below zero the output is leak times x. How steep is that line?",
        ),
        mistake(
            "x as the slope above zero",
            "return out, slope -> return out, np.where(x > 0, x, slope)",
            "Above zero the output is x itself. How steep is that line?",
        ),
        mistake(
            "the leak as the slope everywhere",
            "return out, slope -> return out, 0 * x + leaks",
            "Above zero the output is x itself. How steep is that line?",
        ),
        mistake(
            "ReLU's slope beside a leaky output",
            "return out, slope -> return out, (x > 0).astype(x.dtype)",
            "Below zero the output is leak times x. How steep is that line?",
        ),
        mistake(
            "1 and the leak added up",
            "return out, slope -> return out, slope + (x <= 0)",
            "Below zero the slope is the leak alone: the 1 belongs to the other side.",
        ),
        mistake(
            "the slope in whole numbers",
            "return out, slope -> return out, slope.astype(int).astype(x.dtype)",
            "An array of whole numbers turns a leak of 0.1 into 0: which dtype should the slope have?",
        ),
        mistake(
            "the side judged by the output",
            "return out, slope -> return out, np.where(out > 0, 1.0, leaks).astype(x.dtype)",
            "With a negative leak the output is positive on both sides: ask x.",
        ),
        mistake(
            "the slope as output over input",
            "return out, slope -> return out, out / x",
            "At x = 0 that is 0 / 0. Ask for the sign of x instead of dividing.",
        ),
        mistake(
            "the first leak for every channel",
            "1.0, leaks -> 1.0, leaks[0]",
            "Each column has a leak of its own.",
        ),
        mistake(
            "the mean leak for every channel",
            "1.0, leaks -> 1.0, leaks.mean()",
            "Each column has a leak of its own.",
        ),
        mistake(
            "the usual leak for every channel",
            "1.0, leaks -> 1.0, 0.01",
            "The leaks are given: each column has one of its own.",
        ),
        mistake(
            "the leaks laid along the rows",  # raises an exception unless x is square
            "1.0, leaks -> 1.0, leaks[:, None]",
            "leaks has one number per column: which way does NumPy broadcast (C,)?",
        ),
        mistake(
            "C leaks put into all places at once",  # raises an exception unless there are C of them
            "slope = np.where(x > 0, 1.0, leaks) -> slope = np.ones_like(x)\nslope[x <= 0] = leaks",
            "x <= 0 picks entries of all columns in one long row. np.where lays leaks along the columns.",
        ),
        mistake(
            "the output for the slope",
            "return out, slope -> return out, out",
            "The second array is how fast the output moves, not the output again.",
        ),
    ),
    hints=(
        "Find the slope first; the output is then the slope times x.",
        "np.where(x > 0, 1.0, leaks): leaks (C,) is laid along the last axis by itself.",
    ),
)
