"""The slopes of the squared error and of the binary cross-entropy at the logit."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, size=2.0):
        return size * rng.normal(size=n), rng.integers(0, 2, n).astype(np.float64)

    sure = np.array([15.0, -15.0, 3.0]), np.array([0.0, 1.0, 0.0])
    wild = np.array([1000.0, -1000.0, 1.0]), np.array([0.0, 1.0, 1.0])
    return [case(6), case(2, 1.0), sure, case(5, 4.0), as_float32(case(4, 1.0)), wild]


def logit_slopes(logits, targets):
    p = np.exp(np.minimum(logits, 0)) / (1 + np.exp(-np.abs(logits)))
    return 2 * (p - targets) * p * (1 - p), p - targets


def plain_sigmoid(logits, targets):
    with np.errstate(over="ignore"):
        p = 1 / (1 + np.exp(-logits))
    error = p - targets
    return 2 * error * (p - p * p), error


def by_tanh(logits, targets):
    t = np.tanh(logits / 2)
    error = (t + 1) / 2 - targets
    return error * (1 - t * t) / 2, error


EXERCISE = Exercise(
    title="Two slopes at the logit",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=logit_slopes,
    alternatives=(plain_sigmoid, by_tanh),
    mistakes=(
        mistake(
            "y - p instead of p - y",
            "return 2 * (targets - p) * p * (1 - p), targets - p",
            "If p is above y, a larger logit makes things worse: the slope is positive.",
        ),
        mistake(
            "the sigmoid's slope taken at its output",
            "return 2 * (p - targets) * p * (1 - p) -> "
            "s = 1 / (1 + np.exp(-p))\nreturn 2 * (p - targets) * s * (1 - s)",
            "p (1 - p) has the sigmoid in it already: put the logit through it once only.",
        ),
        mistake(
            "the sigmoid's slope left out of the squared error",
            "return 2 * (p - targets), p - targets",
            "(p - y) squared depends on p, and p on the logit: two slopes to multiply.",
        ),
        mistake(
            "forgot the 2 of the square",
            "return (p - targets) * p * (1 - p), p - targets",
            "The slope of a square is twice what is squared.",
        ),
        mistake(
            "the sigmoid's slope left in the cross-entropy",
            "return 2 * (p - targets) * p * (1 - p), (p - targets) * p * (1 - p)",
            "In the cross-entropy the log brings 1 / (p (1 - p)): what does it do to the sigmoid's slope?",
        ),
        mistake(
            "stopped at the probability",
            "return 2 * (p - targets), (p - targets) / (p * (1 - p))",
            "These are the slopes with respect to p; the question is how the loss moves with the logit.",
        ),
        mistake(
            "divided by the number of examples",
            "return 2 * (p - targets) * p * (1 - p) / len(p), (p - targets) / len(p)",
            "Each example is asked for by itself here: no mean is taken.",
        ),
    ),
    hints=(
        "Both losses see the logit through p: the slope of p at the logit is p (1 - p).",
        "For the square: 2 (p - y), times the slope of p. For the cross-entropy the slope of p cancels.",
    ),
)
