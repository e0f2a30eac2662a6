"""The mean surprise under bell curves, each of its own width."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, low=-2.0, high=2.0):
        log_var = rng.uniform(low, high, n)
        mean = rng.normal(size=n)
        return mean, log_var, mean + np.exp(log_var / 2) * rng.uniform(0.5, 2.0, n) * rng.choice([-1, 1], n)

    return [case(7), case(2), case(5, -8.0, -4.0), case(4, 3.0, 6.0), as_float32(case(6, -1.0, 1.0))]


def gaussian_nll(mean, log_var, target):
    squares = (target - mean) ** 2 * np.exp(-log_var)
    return float(0.5 * (math.log(2 * math.pi) + log_var + squares).mean())


def loop(mean, log_var, target):
    total = 0.0
    for m, v, t in zip(mean.tolist(), np.exp(log_var).tolist(), target.tolist(), strict=True):
        total += 0.5 * math.log(2 * math.pi * v) + (t - m) ** 2 / (2 * v)
    return total / len(mean)


def standardised(mean, log_var, target):
    z = (target - mean) / np.exp(log_var / 2)
    return float((0.5 * z * z + log_var / 2).mean() + 0.5 * math.log(2 * math.pi))


EXERCISE = Exercise(
    title="A bell curve of its own width",
    points=2,
    minutes=10,
    difficulty=2,
    tolerance=1e-4,  # one Python number comes out of float32 inputs
    cases=cases,
    reference=gaussian_nll,
    alternatives=(loop, standardised),
    mistakes=(
        mistake(
            "forgot to divide by the variance",
            "squares = (target - mean) ** 2",
            "A miss of 1 is large for a narrow curve and small for a wide one: where does the width come in?",
        ),
        mistake(
            "divided by the standard deviation, not the variance",
            "squares = (target - mean) ** 2 / np.exp(log_var / 2)",
            "Under the square stands the square of the width: what is exp(log_var), the one or the other?",
        ),
        mistake(
            "took log_var for the log of the standard deviation",
            ("squares = (target - mean) ** 2 / np.exp(log_var) ** 2", "+ log_var -> + 2 * log_var"),
            "log_var is the log of the squared width: half of it is the log of the width.",
        ),
        mistake(
            "took log_var for the variance itself",
            ("squares = (target - mean) ** 2 / log_var", "+ log_var -> + np.log(log_var)"),
            "A variance is never negative, log_var may be: which function leads from the log back?",
        ),
        mistake(
            "forgot the log of the width",
            "return float(0.5 * (math.log(2 * math.pi) + squares).mean())",
            "Without its price a curve could be as wide as it likes and every miss would cost nothing.",
        ),
        mistake(
            "forgot the constant log(2 pi)",
            "return float(0.5 * (log_var + squares).mean())",
            "The constant moves no minimum, but this exercise asks for the whole of -log p.",
        ),
        mistake(
            "forgot the half in front of the square",
            "return float((0.5 * (math.log(2 * math.pi) + log_var) + squares).mean())",
            "Look at the exponent of the bell curve once more.",
        ),
        mistake(
            "the log-likelihood without its minus",
            "0.5 -> -0.5",
            "A loss is to be made small, a likelihood large: what turns the one into the other?",
        ),
        mistake(
            "the sum instead of the mean",
            ".mean() -> .sum()",
            "Twice as many examples must not double the loss: divide by how many there are.",
        ),
    ),
    hints=(
        "Take -log of the bell curve: the product of its two factors becomes a sum of two terms.",
        "The first factor gives half of log(2 pi) + log_var; the second stands in the exponent already.",
        "np.exp(-log_var) is one over the variance.",
    ),
)
