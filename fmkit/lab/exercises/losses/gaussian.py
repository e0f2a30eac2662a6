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

    example = np.zeros(1), np.zeros(1), np.zeros(1)
    small, wide, narrow = case(2), case(4, 30.0, 50.0), case(3, -50.0, -30.0)
    mean, log_var, target = case(3)
    target[1] = mean[1] + 40 * np.exp(log_var[1] / 2)  # a density of exp(-800)
    outlier = mean, log_var, target
    mixed = case(4)
    mixed[1][:2] = 12.0, -12.0
    mixed[2][:2] = mixed[0][:2] + np.array([500.0, 0.003])
    cases = [example, small, outlier, wide, narrow, mixed, case(7), case(5, -8.0, -4.0), case(4, 3.0, 6.0)]
    return [*cases, case(1000), as_float32(case(6, -1.0, 1.0))]


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


def an_epsilon_in_the_variance_of(eps):
    return mistake(
        f"an epsilon of {eps} in the variance",
        (
            f"squares = (target - mean) ** 2 / (np.exp(log_var) + {eps})",
            f"+ log_var -> + np.log(np.exp(log_var) + {eps})",
        ),
        "exp(log_var) is never 0 or negative: nothing has to be added, and a narrow curve would be spoilt.",
    )


def an_epsilon_in_the_log_of(eps):
    return mistake(
        f"the log of a density, with an epsilon of {eps}",
        "return float(\n    -np.log(np.exp(-squares / 2) / np.sqrt(2 * math.pi * np.exp(log_var)) "
        f"+ {eps}).mean()\n)",
        "An epsilon is a ceiling: take the log on paper first, piece by piece, and none is needed.",
    )


EXERCISE = Exercise(
    title="A bell curve of its own width",
    points=2,
    minutes=10,
    difficulty=2,
    tolerance=1e-4,  # one Python number comes out of float32 inputs
    cases=cases,
    equal=(
        ("squares = (mean - target) ** 2 * np.exp(-log_var)", "a square has no sign"),
        ("total += 0.5 * math.log(2 * math.pi * v) + (m - t) ** 2 / (2 * v)", "a square has no sign"),
    ),
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
            "multiplied by the variance",
            "np.exp(-log_var) -> np.exp(log_var)",
            "The wider the curve, the less a miss costs: above or below the fraction bar?",
        ),
        mistake(
            "divided by the square of the variance",
            "squares = (target - mean) ** 2 / np.exp(log_var) ** 2",
            "log_var is the log of the squared width: its exponential is a square already.",
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
            "took log_var for the standard deviation itself",
            ("squares = (target - mean) ** 2 / log_var**2", "+ log_var -> + 2 * np.log(log_var)"),
            "A width is never negative, log_var may be: which function leads from the log back?",
        ),
        mistake(
            "forgot to square the miss",
            "squares = (target - mean) * np.exp(-log_var)",
            "A miss to the left costs as much as one to the right.",
        ),
        mistake(
            "the size of the miss instead of its square",
            "squares = np.abs(target - mean) * np.exp(-log_var)",
            "In the exponent of the bell curve the miss is squared.",
        ),
        mistake(
            "forgot the log of the width",
            "+ log_var -> + 0 * log_var",
            "Without its price a curve could be as wide as it likes and every miss would cost nothing.",
        ),
        mistake(
            "log_var without its half",
            "+ log_var -> + 2 * log_var",
            "The log of the width is wanted, and log_var is the log of its square.",
        ),
        mistake(
            "the log of the width with a minus",
            "+ log_var -> - log_var",
            "A wide curve is low everywhere: should its width make the surprise larger or smaller?",
        ),
        mistake(
            "forgot the constant log(2 pi)",
            "math.log(2 * math.pi) -> 0",
            "The constant moves no minimum, but this exercise asks for the whole of -log p.",
        ),
        mistake(
            "the constant log(2 pi) without its half",
            "math.log(2 * math.pi) -> 2 * math.log(2 * math.pi)",
            "In front of the bell curve stands the root of 2 pi: what does the log make of a root?",
        ),
        mistake(
            "the constant with a minus",
            "math.log(2 * math.pi) -> -math.log(2 * math.pi)",
            "Minus the log of 1 / (s times the root of 2 pi): which sign does each part get?",
        ),
        mistake(
            "forgot the half in front of the square",
            "+ squares -> + 2 * squares",
            "Look at the exponent of the bell curve once more.",
        ),
        mistake(
            "the square with a minus",
            "+ squares -> - squares",
            "A larger miss is a larger surprise.",
        ),
        mistake(
            "the log-likelihood without its minus",
            "float(0.5 -> float(-0.5",
            "A loss is to be made small, a likelihood large: what turns the one into the other?",
        ),
        mistake(
            "the sum instead of the mean",
            ".mean() -> .sum()",
            "Twice as many examples must not double the loss: divide by how many there are.",
        ),
        mistake(
            "the mean squared error, without any width",
            "return float(((target - mean) ** 2).mean())",
            "log_var does not appear in your result: a wide curve forgives what a narrow one does not.",
        ),
        mistake(
            "averaged the squares and the variances apart",
            "squares = ((target - mean) ** 2).mean() / np.exp(log_var).mean()",
            "Each miss is measured by its own width: divide first, then take the mean.",
        ),
        mistake(
            "averaged the squares and the logs of the variances apart",
            "squares = ((target - mean) ** 2).mean() / np.exp(log_var.mean())",
            "Each miss is measured by its own width: divide first, then take the mean.",
        ),
        mistake(
            "the log of the mean density",
            "0.5 * (math.log(2 * math.pi) + log_var + squares).mean() -> "
            "-np.log((np.exp(-squares / 2) / np.sqrt(2 * math.pi * np.exp(log_var))).mean())",
            "First the logarithm of each, then the mean: the two may not change places.",
        ),
        mistake(
            "the log of a density that was rounded to 0",
            "return float(-np.log(np.exp(-squares / 2) / np.sqrt(2 * math.pi * np.exp(log_var))).mean())",
            "40 widths away the density rounds to exactly 0: take the log on paper first, piece by piece.",
        ),
        mistake(
            "the log of a product that was rounded to 0",
            "0.5 * (math.log(2 * math.pi) + log_var + squares).mean() -> "
            "-np.log(np.prod(np.exp(-squares / 2) / np.sqrt(2 * math.pi * np.exp(log_var)))) / len(mean)",
            "A product of a thousand densities rounds to exactly 0: add up logs instead.",
        ),
        mistake(
            "the variance kept above 1e-6",
            (
                "squares = (target - mean) ** 2 / np.maximum(np.exp(log_var), 1e-6)",
                "+ log_var -> + np.log(np.maximum(np.exp(log_var), 1e-6))",
            ),
            "exp(log_var) is never 0 or negative: it needs no floor, and a narrow curve would be spoilt.",
        ),
        *map(an_epsilon_in_the_variance_of, ("1e-5", "1e-6", "1e-8", "1e-9", "1e-10", "1e-12")),
        *map(an_epsilon_in_the_log_of, ("1e-7", "1e-8", "1e-9", "1e-10", "1e-12")),
    ),
    hints=(
        "Take -log of the bell curve: the product of its two factors becomes a sum of two terms.",
        "The first factor gives half of log(2 pi) + log_var; the second stands in the exponent already.",
        "np.exp(-log_var) is one over the variance.",
    ),
)
