"""Spot the bug: sigmoid, tanh and ReLU as printed, mended."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, edge, limit):
        near = limit * (1 + limit / 2)  # the sigmoid is above the limit here, its slope below
        by_sigmoid = np.arccosh(1 / np.sqrt(4 * limit)) * 2  # from here on its slope is below the limit,
        by_tanh = np.arccosh(1 / np.sqrt(limit))  # and from here on that of tanh
        between, beyond = (by_sigmoid + by_tanh) / 2, (by_sigmoid + 3.6) / 2
        placed = [0.0, edge, -edge, np.log(near / (1 - near)), between, -between, beyond, -beyond, 3.3, -3.3]
        far = rng.uniform(12.0, 40.0, 2) * [1, -1]
        return rng.permutation([*placed, *far, *rng.uniform(-3.5, 3.5, n)]), limit

    small = np.array([1000.0, -1000.0, 0.0, 1.0, -1.0, 3.0, -3.0])
    small[3:] += rng.uniform(-0.3, 0.3, 4)
    return [
        (np.array([0.0]), 0.1),
        (small, float(rng.uniform(0.11, 0.12))),
        case(2, 1000.0, float(rng.uniform(0.08, 0.1))),
        case(4, 800.0, float(rng.uniform(0.03, 0.06))),
        case(1, 750.0, float(rng.uniform(0.21, 0.23))),  # the sigmoid's slope at an output may lie below
        as_float32(case(3, 100.0, float(rng.uniform(0.08, 0.1)))),
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
        "relu_slope": np.heaviside(x, 0.0),
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


NEVER_EQUAL = "no slope meets the limit to the last digit, whichever way it is written"

EXERCISE = Exercise(
    title="Spot the bug: three formulas as printed",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=mended,
    alternatives=(by_tanh, piece_by_piece),
    equal=(
        ("sigmoid = np.where(x > 0, 1, small) / (1 + small)", "at 0 both forms are the same"),
        ("stuck = sigmoid * (1 - sigmoid) <= limit", NEVER_EQUAL),
        (
            "return {'sigmoid': 0.5 + 0.5 * half, 'tanh': np.tanh(x), 'relu_slope': np.heaviside(x, 0.0),"
            " 'stuck': 0.25 * (1.0 - half * half) <= limit}",
            NEVER_EQUAL,
        ),
    ),
    mistakes=(
        mistake(
            "the printed tanh",
            "tanh = (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))",
            "For large x both sums are infinite: divide both by the larger exponential first.",
        ),
        mistake(
            "the printed tanh, NaN made 0",
            "tanh = np.nan_to_num((np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)))",
            "Where the quotient is NaN the curve is not at 0, but at one of its ends.",
        ),
        mistake(
            "the printed tanh, NaN made 1",
            "tanh = np.nan_to_num((np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)), nan=1.0)",
            "At -1000 the curve is at its other end.",
        ),
        mistake(
            "a tanh mended for positive x only",
            "tanh = (1 - np.exp(-2 * x)) / (1 + np.exp(-2 * x))",
            "exp(-2 x) is small for large x. And at x = -1000?",
        ),
        mistake(
            "a tanh mended for negative x only",
            "tanh = (np.exp(2 * x) - 1) / (np.exp(2 * x) + 1)",
            "exp(2 x) is small for very negative x. And at x = 1000?",
        ),
        mistake(
            "tanh's sign lost",
            "tanh = (1 - small * small) / (1 + small * small)",
            "|x| does not know the sign of x, and tanh(-1) is negative: give the sign back.",
        ),
        mistake(
            "tanh with half of its exponent",
            "tanh = np.sign(x) * (1 - small) / (1 + small)",
            "tanh(x) is 2 sigmoid(2 x) - 1: there are two 2s in it.",
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
            "x cut off at five",
            "sigmoid = 1 / (1 + np.exp(-np.clip(x, -5, 5)))",
            "The sigmoid of -1000 is 0 to the last digit; yours stops falling on the way.",
        ),
        mistake(
            "the exponent's sign lost",
            "sigmoid = 1 / (1 + small)",
            "The sigmoid of a negative number is below one half.",
        ),
        mistake(
            "the sigmoid of -x",
            "np.where(x >= 0, 1, small) -> np.where(x >= 0, small, 1)",
            "The sigmoid rises: near 0 for x = -5, near 1 for x = 5.",
        ),
        mistake(
            "ReLU's slope 1 at zero",
            "x > 0 -> x >= 0",
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
            "ReLU itself for its slope",
            "relu_slope = np.maximum(x, 0)",
            "The slope of ReLU takes two values only.",
        ),
        mistake(
            "the sign of x for ReLU's slope",
            "relu_slope = np.sign(x)",
            "Left of 0 ReLU is level: its slope there is 0.",
        ),
        mistake(
            "stuck on the right only",
            "stuck = (sigmoid * (1 - sigmoid) < limit) & (x > 0)",
            "A sigmoid is flat at both ends.",
        ),
        mistake(
            "stuck on the left only",
            "stuck = (sigmoid * (1 - sigmoid) < limit) & (x < 0)",
            "A sigmoid is flat at both ends.",
        ),
        mistake(
            "stuck where the curve is steep",
            "< limit -> > limit",
            "A unit is stuck where the slope is below the limit.",
        ),
        mistake(
            "stuck judged by the value, not by the slope",
            "stuck = (sigmoid < limit) | (sigmoid > 1 - limit)",
            "stuck asks how steep the curve is, not how high.",
        ),
        mistake(
            "stuck where the sigmoid itself is low",
            "stuck = sigmoid < limit",
            "stuck asks how steep the curve is, not how high: its slope is s * (1 - s).",
        ),
        mistake(
            "stuck where the sigmoid itself is high",
            "stuck = 1 - sigmoid < limit",
            "stuck asks how steep the curve is, not how high: its slope is s * (1 - s).",
        ),
        mistake(
            "stuck by the printed slope: NaN is not below the limit",
            "stuck = np.exp(-x) / (1 + np.exp(-x)) ** 2 < limit",
            "At -1000 that is infinity over infinity, and NaN < limit is False: use s * (1 - s).",
        ),
        mistake(
            "stuck by a slope that is NaN for large x",
            "stuck = np.exp(x) / (1 + np.exp(x)) ** 2 < limit",
            "At 1000 that is infinity over infinity, and NaN < limit is False: use s * (1 - s).",
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
        mistake(
            "tanh's formula for the sigmoid's slope",
            "stuck = 1 - sigmoid * sigmoid < limit",
            "1 - t² is for tanh; written with the sigmoid s its slope is s * (1 - s).",
        ),
        mistake(
            "ReLU's slope for the sigmoid's",
            "stuck = relu_slope < limit",
            "stuck asks about the sigmoid, whose slope is s * (1 - s).",
        ),
        mistake(
            "the limit as a share of the steepest slope",
            "< limit -> < limit / 4",
            "The slope itself is compared with limit; its being 1/4 at most is no matter.",
        ),
        mistake(
            "stuck from a fixed distance on",
            "stuck = np.abs(x) > 5",
            "How far out the slope falls below limit depends on limit.",
        ),
    ),
    hints=(
        "np.exp(-np.abs(x)) never overflows. Write both curves with it, one case for each sign of x.",
        "NumPy has a safe np.tanh, and the sigmoid of x is (1 + tanh(x / 2)) / 2.",
        "The slope for `stuck` is s * (1 - s), with s the sigmoid that you already have.",
    ),
)
