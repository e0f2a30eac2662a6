"""Softplus with a sharpness, and without overflow."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(size, beta, *shape):
        return size * rng.normal(size=shape), beta

    huge, _ = case(300.0, 1.0, 8)
    huge[:3] = 1000.0, -1000.0, 0.0
    between = rng.uniform(21.0, 30.0, 6)  # large as x, but not as beta * x
    return [
        case(2.0, float(rng.uniform(0.5, 3.0)), 4, 3),
        (huge, 1.5),
        (between, 0.05),
        case(3.0, 40.0, 2, 3, 4),
        as_float32(case(60.0, 2.0, 12)),
    ]


def softplus(x, beta):
    z = beta * x
    return (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))) / beta  # no exponent is positive


def by_logaddexp(x, beta):
    return np.logaddexp(0.0, beta * x) / beta


def piece_by_piece(x, beta):
    out = np.empty_like(x)
    for i in np.ndindex(x.shape):
        z = beta * float(x[i])
        out[i] = (z + math.log1p(math.exp(-z)) if z > 0 else math.log1p(math.exp(z))) / beta
    return out


EXERCISE = Exercise(
    title="Softplus, as sharp as you like",
    points=2,
    minutes=10,
    difficulty=3,
    cases=cases,
    reference=softplus,
    alternatives=(by_logaddexp, piece_by_piece),
    mistakes=(
        mistake(
            "the formula as it stands: exp overflows",
            "return np.log(1 + np.exp(z)) / beta",
            "exp of 1000 is infinite. Take the larger of 0 and beta * x out of the logarithm first.",
        ),
        mistake(
            "not divided by the sharpness",
            "return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))",
            "For large x the result should be x itself: is yours beta times as much?",
        ),
        mistake(
            "the sharpness left out of the exponent",
            "z = x",
            "A sharper bend needs beta inside the exponential as well.",
        ),
        mistake(
            "ReLU itself",
            "return np.maximum(x, 0)",
            "At x = 0 softplus is log(2) / beta, not 0.",
        ),
        mistake(
            "the straight part lost",
            "return np.log1p(np.exp(-np.abs(z))) / beta",
            "For large x the result should grow like x; yours goes back to 0.",
        ),
        mistake(
            "divided x by the sharpness",
            ("z = x / beta", "return (np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))) * beta"),
            "A larger beta should make the bend sharper; yours makes it softer.",
        ),
        mistake(
            "large values judged by x, not by the exponent",
            "return np.where(x > 20, x, np.log1p(np.exp(z)) / beta)",
            "Whether exp overflows, and whether the 1 may be dropped, depends on beta * x.",
        ),
        mistake(
            "the exponent capped",
            "return np.log1p(np.exp(np.minimum(z, 80))) / beta",
            "Capping the exponent caps the result, too: it should go on growing like x.",
        ),
    ),
    hints=(
        "Call z = beta * x. For z above 0 write 1 + exp(z) as exp(z) times something: what is its logarithm?",
        "log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)), and the exponent is never positive.",
    ),
)
