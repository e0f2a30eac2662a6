"""How many times as long as Adam's step is the uncorrected one?"""

import math

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, last, *betas):
        return rng.permutation(np.arange(1, last + 1))[:n], *betas

    ends = np.array([1, int(rng.integers(2, 20)), 10_000])
    return [
        case(9, 40, 0.9, 0.999),
        (ends, 0.9, 0.95),
        case(6, 12, 0.8, 0.99),
        (np.array([1]), float(rng.uniform(0.5, 0.85)), 0.98),
    ]


def overshoot(t, beta1, beta2):
    return (1 - beta1**t) / np.sqrt(1 - beta2**t)


def simulated(t, beta1, beta2):
    m = v = 0.0
    ratios = []
    for _ in range(int(t.max())):  # a gradient of 1 at every step: both corrected means are 1
        m = beta1 * m + (1 - beta1)
        v = beta2 * v + (1 - beta2)
        ratios.append(m / math.sqrt(v))
    return np.array(ratios)[t - 1]


def by_expm1(t, beta1, beta2):
    return -np.expm1(t * math.log(beta1)) * (-np.expm1(t * math.log(beta2))) ** -0.5


EXERCISE = Exercise(
    title="How much too far?",
    points=1,
    minutes=6,
    difficulty=2,
    cases=cases,
    reference=overshoot,
    alternatives=(simulated, by_expm1),
    mistakes=(
        mistake(
            "forgot the root",
            "return (1 - beta1**t) / (1 - beta2**t)",
            "v is divided by its correction under the root: what is left of it outside?",
        ),
        mistake(
            "upside down",
            "return np.sqrt(1 - beta2**t) / (1 - beta1**t)",
            "Is the article's step longer or shorter than Adam's at t = 1 with betas (0.9, 0.999)?",
        ),
        mistake(
            "betas swapped",
            "return (1 - beta2**t) / np.sqrt(1 - beta1**t)",
            "beta1 belongs to m, which stands above the line, beta2 to v below it.",
        ),
        mistake(
            "the first step's ratio for every step",
            "return np.full(len(t), (1 - beta1) / np.sqrt(1 - beta2))",
            "t enters the ratio: after many steps it must be 1.",
        ),
        mistake(
            "the root over everything",
            "return np.sqrt((1 - beta1**t) / (1 - beta2**t))",
            "Only v stands under a root.",
        ),
        mistake(
            "m only",
            "return 1 - beta1**t",
            "v is too small at first, as well: what does dividing by its root do to the step?",
        ),
        mistake(
            "v only",
            "return 1 / np.sqrt(1 - beta2**t)",
            "m is too small at first, as well: what does that do to the step?",
        ),
        mistake(
            "counted the steps from 0",
            "return (1 - beta1 ** (t - 1)) / np.sqrt(1 - beta2 ** (t - 1))",
            "The first step is t = 1: there m is 1 - beta1 times the gradient.",
        ),
        mistake(
            "powers of 1 - beta",
            "return (1 - beta1) ** t / np.sqrt((1 - beta2) ** t)",
            "1 - beta**t is one less a power, not a power of 1 - beta.",
        ),
        mistake(
            "the place in the array instead of t",
            "return -> t = np.arange(1, len(t) + 1)\nreturn",
            "The array holds the step numbers, in any order: the first entry need not be step 1.",
        ),
        mistake(
            "the weight of the zero instead of the rest",
            "return beta1**t / np.sqrt(beta2**t)",
            "beta**t is what is still missing; the mean holds the rest.",
        ),
    ),
    hints=(
        "Let every gradient be 1. What are m and v after t steps, and what are the corrected ones?",
        "Adam's step is then lr * 1 / 1. The uncorrected one is lr * m / sqrt(v).",
    ),
)
