"""A leaky ReLU with a leak for each channel: output and slope."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, c):
        x, leaks = rng.normal(size=(n, c)), rng.uniform(0.05, 0.4, c)
        leaks[1] = rng.uniform(1.5, 2.5)  # steeper below zero than above
        x.flat[rng.permutation(x.size)[: x.size // 5]] = 0.0
        return x, leaks

    turned, square = case(6, 4), case(4, 4)
    turned[1][2:] = -0.5, 0.0  # a leak may point upwards, or shut
    return [case(7, 3), turned, square, as_float32(case(9, 5))]


def channel_leaky_relu(x, leaks):
    slope = np.where(x > 0, 1.0, leaks).astype(x.dtype)
    return x * slope, slope


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
                "slope = np.where(x > 0, -> out = np.maximum(x, leaks * x)\nslope = np.where(out == x,",
                "return out, slope",
            ),
            "That trick holds for leaks below 1 only. What if a leak is 1.5?",
        ),
        mistake(
            "max of x and leak times x, beside the right slope",
            "return np.maximum(x, leaks * x), slope",
            "Your slope is right. For a leak of 1.5, is the larger of x and 1.5 x the one that you want?",
        ),
        mistake(
            "slope 1 at exactly zero",
            "x > 0 -> x >= 0",
            "At exactly 0 the exercise wants the leak: which of > and >= says so?",
        ),
        mistake(
            "a plain ReLU below zero",
            "slope = (x > 0).astype(x.dtype)",
            "Below zero something should leak through.",
        ),
        mistake(
            "the leak itself as the output",
            "return np.where(x > 0, x, leaks), slope",
            "Below zero the output is leak times x, not the leak.",
        ),
        mistake(
            "the slope as output over input",
            (
                "slope = np.where(x > 0, 1.0, leaks).astype(x.dtype) -> out = np.where(x > 0, x, leaks * x)",
                "return out, out / x",
            ),
            "At x = 0 that is 0 / 0. Ask for the sign of x instead of dividing.",
        ),
        mistake(
            "the first leak for every channel",
            "slope = np.where(x > 0, 1.0, leaks[0]).astype(x.dtype)",
            "Each column has a leak of its own.",
        ),
        mistake(
            "the leaks laid along the rows",  # raises an exception unless x is square
            "slope = np.where(x > 0, 1.0, leaks[:, None]).astype(x.dtype)",
            "leaks has one number per column: which way does NumPy broadcast (C,)?",
        ),
        mistake(
            "the output for the slope",
            "return x * slope, x * slope",
            "The second array is how fast the output moves, not the output again.",
        ),
    ),
    hints=(
        "Find the slope first; the output is then the slope times x.",
        "np.where(x > 0, 1.0, leaks): leaks (C,) is laid along the last axis by itself.",
    ),
)
