"""Softplus with a sharpness, and without overflow."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def near(size, *shape):  # of both signs; half of them
        x = size * rng.uniform(0.2, 0.8, shape)
        x.flat[::2] *= -1.0
        return x

    huge = np.array([1000.0, -1000.0, 0.0, 725.0 / 1.5, -2.0, 700.0])
    huge[4:] += rng.uniform(-1.0, 1.0, 2)
    bend = np.array([rng.uniform(3.1, 3.4), -0.3, 0.0, rng.uniform(-4.0, -2.0)])  # a line only to the eye
    wide = np.concatenate([rng.uniform(110.0, 180.0, 4), [-150.0]])  # large as x, but not as beta * x
    single = np.array([300.0, -300.0, 0.0, 95.0 / 8.0, rng.uniform(-0.5, -0.1)])  # exp(95): too large here
    return [
        (np.array([0.0, 1000.0]), 1.0),
        (near(1.0, 2, 3), float(rng.uniform(0.4, 0.8))),
        (huge, 1.5),
        (bend, 2.0),
        (wide, 0.01),
        (near(0.025, 2, 1, 4), 40.0),
        as_float32((single, 8.0)),
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
    equal=(("return np.logaddexp(beta * x, 0.0) / beta", "the order of a sum"),),
    mistakes=(
        mistake(
            "the formula as it stands: exp overflows",
            "np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) -> np.log(1 + np.exp(z))",
            "exp of 1000 is infinite. Take the larger of 0 and beta * x out of the logarithm first.",
        ),
        mistake(
            "the logarithm of a sigmoid that has become 0",
            "np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))"
            " -> -np.log(np.exp(np.minimum(-z, 0)) / (1 + np.exp(-np.abs(z))))",
            "The sigmoid of -1000 is 0 in the computer, and its logarithm infinite.",
        ),
        mistake(
            "not divided by the sharpness",
            ") / beta -> )",
            "For large x the result should be x itself: is yours beta times as much?",
        ),
        mistake(
            "multiplied by the sharpness",
            ") / beta -> ) * beta",
            "For large x the result should be x itself: which way do you undo beta * x?",
        ),
        mistake(
            "only the curved part divided by the sharpness",
            "np.maximum(z, 0) -> beta * np.maximum(z, 0)",
            "For large x the result should be x itself. Which part did you not divide?",
        ),
        mistake(
            "only the straight part divided by the sharpness",
            "np.log1p(np. -> beta * np.log1p(np.",
            "At x = 0 softplus is log(2) / beta: the whole logarithm is divided.",
        ),
        mistake(
            "x with the sign turned",
            "z = beta * x -> z = -beta * x",
            "Softplus follows x where x is large, and goes to 0 where it is very negative.",
        ),
        mistake(
            "the smaller of z and 0",
            "np.maximum(z -> np.minimum(z",
            "For large z the result should be z: which of z and 0 goes in front?",
        ),
        mistake(
            "the sharpness left out of the exponent",
            "z = beta * x -> z = x",
            "A sharper bend needs beta inside the exponential as well.",
        ),
        mistake(
            "the sharpness left out of the curved part's exponent",
            "np.abs(z) -> np.abs(x)",
            "The exponent is beta * x in both parts.",
        ),
        mistake(
            "the sharpness before the exponential",
            "z = beta * x -> z = x + math.log(beta)",
            "beta belongs into the exponent: exp(beta * x), not beta * exp(x).",
        ),
        mistake(
            "ReLU itself",
            "return np.maximum(x, 0)",
            "At x = 0 softplus is log(2) / beta, not 0.",
        ),
        mistake(
            "the straight part lost",
            "np.maximum(z, 0) + ->",
            "For large x the result should grow like x; yours goes back to 0.",
        ),
        mistake(
            "the exponent positive where x is negative",
            "-np.abs(z) -> -z",
            "With max(z, 0) in front, what stays in the logarithm is exp(-|z|): try z = -1.",
        ),
        mistake(
            "the form for positive x everywhere",
            "np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) -> z + np.log1p(np.exp(-z))",
            "z + log(1 + exp(-z)) is safe for positive z. And for z = -1000?",
        ),
        mistake(
            "the exponent's sign lost",
            "-np.abs(z) -> np.abs(z)",
            "No exponent should be positive: it is -|z|.",
        ),
        mistake(
            "the 1 in the logarithm added twice",
            "np.log1p( -> np.log1p(1 + ",
            "log1p adds the 1 itself.",
        ),
        mistake(
            "the 1 in the logarithm lost",
            "np.log1p( -> np.log(",
            "It is the logarithm of 1 + exp(...).",
        ),
        mistake(
            "the logarithm to the base 2",
            "np.log1p( -> 1 / math.log(2) * np.log1p(",
            "log is the natural logarithm here: np.log or np.log1p.",
        ),
        mistake(
            "the slope instead of the function",
            "return np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z)))",
            "That is a sigmoid, softplus's slope: it stops at 1, softplus goes on growing.",
        ),
        mistake(
            "divided x by the sharpness",
            ("z = beta * x -> z = x / beta", ") / beta -> ) * beta"),
            "A larger beta should make the bend sharper; yours makes it softer.",
        ),
        mistake(
            "large values judged by x, not by the exponent",
            "return np.where(x > 20, x, np.log1p(np.exp(z)) / beta)",
            "Whether exp overflows, and whether the 1 may be dropped, depends on beta * x.",
        ),
        mistake(
            "large values judged by x, though the exponent is capped",
            "return np.where(x > 20, x, np.log1p(np.exp(np.minimum(z, 20))) / beta)",
            "Whether exp overflows, and whether the 1 may be dropped, depends on beta * x.",
        ),
        mistake(
            "beta * x where the line begins",
            "return np.where(z > 30, z, np.log1p(np.exp(np.minimum(z, 30))) / beta)",
            "For large x the result is x itself: the division by beta belongs to both sides.",
        ),
        mistake(
            "a line from too early on",
            "return np.where(z > 3, x, np.log1p(np.exp(np.minimum(z, 3))) / beta)",
            "At beta * x = 6 softplus is still a little above x: go over to the line later, at 20 say.",
        ),
        mistake(
            "the exponent capped",
            "np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) -> np.log1p(np.exp(np.minimum(z, 80)))",
            "Capping the exponent caps the result, too: it should go on growing like x.",
        ),
        mistake(
            "the exponent capped at 700",
            "np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))) -> np.log1p(np.exp(np.minimum(z, 700)))",
            "Capping the exponent caps the result, too: it should go on growing like x.",
        ),
    ),
    hints=(
        "Call z = beta * x. For z above 0 write 1 + exp(z) as exp(z) times something: what is its logarithm?",
        "log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)), and the exponent is never positive.",
    ),
)
