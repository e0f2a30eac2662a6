"""How many times as long as Adam's step is the uncorrected one?"""

import math

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, last, *betas):
        return rng.permutation(np.arange(1, last + 1))[:n], *betas

    ends = np.array([1, int(rng.integers(2, 20)), 10_000])
    return [
        (np.array([1]), 0.9, 0.999),
        case(9, 40, 0.9, 0.999),
        (ends, 0.9, 0.95),
        case(6, 12, 0.8, 0.99),
        (np.array([1]), float(rng.uniform(0.5, 0.85)), 0.98),
        (np.array([4, 2, 2]), 0.5, 0.75),
    ]


def overshoot(t, beta1, beta2):
    m = 1 - beta1**t  # what the uncorrected means are if the gradient is always 1
    v = 1 - beta2**t
    return m / np.sqrt(v)


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
            "return m / v",
            "v is divided by its correction under the root: what is left of it outside?",
        ),
        mistake(
            "upside down",
            "return np.sqrt(v) / m",
            "Is the article's step longer or shorter than Adam's at t = 1 with betas (0.9, 0.999)?",
        ),
        mistake(
            "a product instead of a quotient",
            "return m * np.sqrt(v)",
            "The step is m *divided* by the root of v: what does a v that is too small do to it?",
        ),
        mistake(
            "betas swapped",
            (
                "m = 1 - beta2**t",
                "v = 1 - beta1**t",
            ),
            "beta1 belongs to m, which stands above the line, beta2 to v below it.",
        ),
        mistake(
            "the first step's ratio for every step",
            (
                "m = 1 - beta1 + 0 * t",
                "v = 1 - beta2 + 0 * t",
            ),
            "t enters the ratio: after many steps it must be 1.",
        ),
        mistake("the root over everything", "return np.sqrt(m / v)", "Only v stands under a root."),
        mistake("the root over m", "return np.sqrt(m) / v", "Only v stands under a root."),
        mistake(
            "the root inside the power",
            "return m / (1 - np.sqrt(beta2) ** t)",
            "The root is taken of the whole 1 - beta2**t, not of beta2.",
        ),
        mistake(
            "m only",
            "return m",
            "v is too small at first, as well: what does dividing by its root do to the step?",
        ),
        mistake(
            "v only",
            "return 1 / np.sqrt(v)",
            "m is too small at first, as well: what does that do to the step?",
        ),
        mistake(
            "counted the steps from 0",
            (
                "m = 1 - beta1 ** (t - 1)",
                "v = 1 - beta2 ** (t - 1)",
            ),
            "The first step is t = 1: there m is 1 - beta1 times the gradient.",
        ),
        mistake(
            "one step too many",
            (
                "m = 1 - beta1 ** (t + 1)",
                "v = 1 - beta2 ** (t + 1)",
            ),
            "t is the step's number, 1 for the first: there m is 1 - beta1 times the gradient.",
        ),
        mistake(
            "powers of 1 - beta",
            (
                "m = (1 - beta1) ** t",
                "v = (1 - beta2) ** t",
            ),
            "1 - beta**t is one less a power, not a power of 1 - beta.",
        ),
        mistake(
            "beta times t instead of beta to the power of t",
            (
                "m = 1 - beta1 * t",
                "v = 1 - beta2 * t",
            ),
            "Each step multiplies by beta: after t steps that is beta**t.",
        ),
        mistake(
            "the place in the array instead of t",
            (
                "m = 1 - beta1 ** np.arange(1, len(t) + 1)",
                "v = 1 - beta2 ** np.arange(1, len(t) + 1)",
            ),
            "The array holds the step numbers, in any order: the first entry need not be step 1.",
        ),
        mistake(
            "the weight of the zero instead of the rest",
            (
                "m = beta1**t",
                "v = beta2**t",
            ),
            "beta**t is what is still missing; the mean holds the rest.",
        ),
        mistake(
            "how much longer, not how many times as long",
            "return m / np.sqrt(v) - 1",
            "At a ratio of 1 both steps are equally long; after many steps the answer is 1, not 0.",
        ),
        mistake(
            "cut to whole numbers",
            "return m / np.sqrt(v) -> out = np.zeros_like(t)\nout[:] = m / np.sqrt(v)\nreturn out",
            "np.zeros_like(t) makes an array of whole numbers, and each ratio stored in it is cut. Ask for "
            "dtype=float.",
        ),
        mistake(
            "the mean over all steps so far",
            "return np.array([np.mean((1 - beta1**k) / np.sqrt(1 - beta2**k)) for k in (np.arange(1, n + "
            "1) for n in t)])",
            "It is asked for step number t itself, not for the way up to it.",
        ),
    ),
    equal=(
        ("for _ in range(int(t.max()) + 1):", "the loop may go on: what is not asked for is not looked at"),
        ("for _ in range(int(t.sum())):", "the loop may go on: what is not asked for is not looked at"),
    ),
    hints=(
        "Let every gradient be 1. What are m and v after t steps, and what are the corrected ones?",
        "Adam's step is then lr * 1 / 1. The uncorrected one is lr * m / sqrt(v).",
    ),
)
