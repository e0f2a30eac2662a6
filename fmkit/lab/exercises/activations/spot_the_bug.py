"""Spot the bug: sigmoid, tanh and ReLU as printed, mended."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, spread, edge, limit):
        x = spread * rng.normal(size=n)
        near = limit * (1 + limit / 2)  # the sigmoid is above the limit here, its slope below
        by_sigmoid = np.arccosh(1 / np.sqrt(4 * limit)) * 2  # from here on its slope is below the limit,
        by_tanh = np.arccosh(1 / np.sqrt(limit))  # and from here on that of tanh
        between = (by_sigmoid + by_tanh) / 2
        x[:6] = 0.0, edge, -edge, np.log(near / (1 - near)), between, -between
        return rng.permutation(x), limit

    return [
        case(9, 3.0, 1000.0, float(rng.uniform(0.08, 0.1))),
        case(14, 5.0, 800.0, float(rng.uniform(0.03, 0.06))),
        case(8, 0.5, 750.0, float(rng.uniform(0.21, 0.23))),  # the sigmoid's slope at an output may lie below
        as_float32(case(11, 4.0, 100.0, float(rng.uniform(0.08, 0.1)))),
    ]


def mended(x, limit):
    small = np.exp(-np.abs(x))  # never overflows
    sigmoid = np.where(x >= 0, 1, small) / (1 + small)
    tanh = np.sign(x) * (1 - small * small) / (1 + small * small)
    relu_slope = (x > 0).astype(x.dtype)
    stuck = sigmoid * (1 - sigmoid) < limit
    return {"sigmoid": sigmoid, "tanh": tanh, "relu_slope": relu_slope, "stuck": stuck}


def by_tanh(x, limit):
    half = np.tanh(0.5 * x)
    return {
        "sigmoid": 0.5 + 0.5 * half,
        "tanh": np.tanh(x),
        "relu_slope": np.heaviside(x, 0.0).astype(x.dtype),
        "stuck": 0.25 * (1.0 - half * half) < limit,
    }


def piece_by_piece(x, limit):
    out = {name: np.zeros_like(x) for name in ("sigmoid", "tanh", "relu_slope")}
    out["stuck"] = np.zeros(x.shape, bool)
    for i, v in enumerate(x.tolist()):
        y = 1 / (1 + math.exp(-v)) if v > 0 else math.exp(v) / (1 + math.exp(v))
        out["sigmoid"][i] = y
        out["tanh"][i] = math.tanh(v)
        out["relu_slope"][i] = 1 if v > 0 else 0
        out["stuck"][i] = y * (1 - y) < limit
    return out


EXERCISE = Exercise(
    title="Spot the bug: three formulas as printed",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=mended,
    alternatives=(by_tanh, piece_by_piece),
    mistakes=(
        mistake(
            "the printed tanh",
            "tanh = (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))",
            "For large x both sums are infinite: divide both by the larger exponential first.",
        ),
        mistake(
            "the sigmoid as infinity over infinity",
            "sigmoid = np.exp(x) / (1 + np.exp(x))",
            "exp(x) overflows for large x, exp(-x) does not.",
        ),
        mistake(
            "x cut off at ten",
            "sigmoid = 1 / (1 + np.exp(-np.clip(x, -10, 10)))",
            "The sigmoid of -1000 is 0 to the last digit; yours stops falling on the way.",
        ),
        mistake(
            "the exponent's sign lost",
            "sigmoid = 1 / (1 + small)",
            "The sigmoid of a negative number is below one half.",
        ),
        mistake(
            "ReLU's slope 1 at zero",
            "relu_slope = (x >= 0).astype(x.dtype)",
            "At exactly 0 the slope wanted is 0, as in torch.",
        ),
        mistake(
            "ReLU's slope a half at zero",
            "relu_slope = np.heaviside(x, 0.5)",
            "At exactly 0 the slope wanted is 0, as in torch.",
        ),
        mistake(
            "ReLU's slope as output over input",
            "relu_slope = np.maximum(x, 0) / x",
            "At 0 that is 0 / 0.",
        ),
        mistake(
            "stuck on one side only",
            "stuck = (sigmoid * (1 - sigmoid) < limit) & (x > 0)",
            "A sigmoid is flat at both ends.",
        ),
        mistake(
            "stuck judged by the value, not by the slope",
            "stuck = (sigmoid < limit) | (sigmoid > 1 - limit)",
            "stuck asks how steep the curve is, not how high.",
        ),
        mistake(
            "the sigmoid's slope at its output",
            "stuck = sigmoid * (1 - sigmoid) -> s = 1 / (1 + np.exp(-sigmoid))\nstuck = s * (1 - s)",
            "Written with the output y the slope is y * (1 - y), with no second sigmoid around y.",
        ),
        mistake(
            "tanh's slope instead of the sigmoid's",
            "stuck = 1 - tanh * tanh < limit",
            "stuck asks about the sigmoid: its slope is s * (1 - s).",
        ),
    ),
    hints=(
        "np.exp(-np.abs(x)) never overflows. Write both curves with it, one case for each sign of x.",
        "NumPy has a safe np.tanh, and the sigmoid of x is (1 + tanh(x / 2)) / 2.",
        "The slope for `stuck` is s * (1 - s), with s the sigmoid that you already have.",
    ),
)
