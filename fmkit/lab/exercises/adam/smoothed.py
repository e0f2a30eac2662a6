"""A moving mean that starts right."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(*shape, beta, size=1.0):
        return size * (2 + rng.normal(size=shape)), beta

    constant = np.full((6, 2), float(rng.uniform(1, 5))), 0.9
    return [
        (np.array([4.0, 8.0]), 0.5),
        case(12, beta=0.9),
        case(7, 3, beta=0.6),
        case(1, 4, beta=0.99),
        constant,
        case(9, beta=0.7, size=1e6),
        case(5, beta=0.0),
        (np.array([[0.0, 2.0], [1.0, -1.0]]), 0.5),  # begins with a 0
        (np.array([[1.0, -2.0], [3.0, 0.0], [0.0, 5.0]]), 0.75),
        as_float32(case(8, 2, 3, beta=0.95)),
    ]


def smoothed(values, beta):
    means = np.zeros_like(values)
    m = np.zeros_like(values[0])
    for i, value in enumerate(values):
        m = beta * m + (1 - beta) * value
        weight = 1 - beta ** (i + 1)  # of the values in m; the zero at the start has the rest
        means[i] = m / weight
    return means


def two_sums(values, beta):
    means, total, weight = [], 0 * values[0], 0.0
    for value in values:
        total = beta * total + value  # no 1 - beta: it would cancel
        weight = beta * weight + 1.0
        means.append(total / weight)
    return np.array(means, values.dtype)


def by_a_matrix(values, beta):
    t = np.arange(len(values))
    age = t[:, None] - t
    weights = np.where(age >= 0, float(beta) ** np.maximum(age, 0), 0.0)
    weights /= weights.sum(1, keepdims=True)
    return np.tensordot(weights, values, 1).astype(values.dtype)


EXERCISE = Exercise(
    title="A moving mean that starts right",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=smoothed,
    alternatives=(two_sums, by_a_matrix),
    mistakes=(
        mistake(
            "no correction", "means[i] = m", "Smooth the values 5, 5, 5: does yours say 5 from the start?"
        ),
        mistake(
            "counted the steps from 0",
            "weight = 1 - beta**i",
            "At the first value the weights in the mean sum to 1 - beta. Which t gives that?",
        ),
        mistake(
            "counted one step too many",
            "weight = 1 - beta ** (i + 2)",
            "At the first value the weights in the mean sum to 1 - beta. Which t gives that?",
        ),
        mistake(
            "the corrected mean fed back",
            "means[i] = m / weight -> m = m / weight\nmeans[i] = m",
            "The correction is for reading only: the recursion goes on with the uncorrected m.",
        ),
        mistake(
            "started from the first value",
            (
                "np.zeros_like(values[0]) -> values[0]",
                "means[i] = m",
            ),
            "Then the first value keeps a weight of beta**t, far above its neighbours': start from zero "
            "and correct.",
        ),
        mistake(
            "started from the first value, then corrected",
            "np.zeros_like(values[0]) -> values[0]",
            "Only a mean that starts from zero falls short: start from zero, or do not divide.",
        ),
        mistake(
            "beta and 1 - beta swapped",
            "m = beta * m + (1 - beta) * value -> m = (1 - beta) * m + beta * value",
            "beta is the share of the past that is kept, the new value enters with the rest.",
        ),
        mistake(
            "beta and 1 - beta swapped everywhere",
            (
                "m = beta * m + (1 - beta) * value -> m = (1 - beta) * m + beta * value",
                "weight = 1 - (1 - beta) ** (i + 1)",
            ),
            "beta is the share of the past that is kept, the new value enters with the rest.",
        ),
        mistake(
            "no 1 - beta on the new value",
            "m = beta * m + (1 - beta) * value -> m = beta * m + value",
            "The new value enters with 1 - beta: without it the weights do not sum to 1 - beta**t.",
        ),
        mistake(
            "the past not faded",
            "m = beta * m + (1 - beta) * value -> m = m + (1 - beta) * value",
            "The old mean is multiplied by beta before the new value comes in.",
        ),
        mistake(
            "a plain mean of all values",
            "means[i] = values[: i + 1].mean(0)",
            "In a plain mean old values never fade.",
        ),
        mistake(
            "multiplied by the correction",
            "means[i] = m * weight",
            "The mean is too small at first. Does 1 - beta**t, which is below 1, make it larger?",
        ),
        mistake(
            "the last step's correction for all steps",
            "weight = 1 - beta ** len(values)",
            "The shortfall shrinks from step to step, so each step has a correction of its own.",
        ),
        mistake(
            "the first step's correction for all steps",
            "weight = 1 - beta",
            "The shortfall shrinks from step to step: which power of beta still sits on the zero after t "
            "steps?",
        ),
        mistake(
            "beta times t instead of beta to the power of t",
            "weight = 1 - beta * (i + 1)",
            "Each step multiplies the zero's weight by beta: after t steps that is beta**t.",
        ),
        mistake(
            "a power of 1 - beta",
            "weight = (1 - beta) ** (i + 1)",
            "1 - beta**t is one less a power, not a power of 1 - beta.",
        ),
        mistake(
            "divided by beta to the power of t",
            "weight = beta ** (i + 1)",
            "beta**t is the weight that the zero still has; the values have the rest.",
        ),
        mistake(
            "the first result left at zero",
            "means[i] = m / weight -> if i > 0:\n    means[i] = m / weight",
            "The first result is the first value itself.",
        ),
        mistake(
            "the last mean at every place",
            "means[i] = m / weight -> means[:] = m / weight",
            "Each step writes its own place of the result.",
        ),
    ),
    equal=(
        ("means = np.ones_like(values)", "every entry is written over"),
        ("m = np.zeros_like(values[-1])", "only its shape and dtype count"),
        ("means, total, weight = ([], 0, 0.0)", "only its shape and dtype count"),
        ("means, total, weight = ([], 0 * values[-1], 0.0)", "only its shape and dtype count"),
    ),
    hints=(
        "Keep two things apart: the recursion for m, and what is written into the result.",
        "After t values the weights inside m sum to 1 - beta**t, so that is what to divide by.",
        "In a loop with i = 0, 1, 2, ... the number of values so far is i + 1.",
    ),
)
