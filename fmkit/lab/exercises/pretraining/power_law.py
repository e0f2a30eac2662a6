"""Fit a power law: a straight line in the logarithms."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, noise, low=2.0, high=6.0):
        sizes = np.sort(10 ** rng.uniform(low, high, n))
        sizes[0], sizes[-1] = 10**low, 10**high
        alpha, a, floor = rng.uniform(0.1, 0.5), rng.uniform(3, 20), rng.uniform(0.3, 1.5)
        return sizes, floor + a * sizes**-alpha * np.exp(noise * rng.normal(size=n)), float(floor)

    return [case(5, 0.02), case(8, 0.05), case(2, 0.0, 3.0, 5.0), as_float32(case(6, 0.03, 1.0, 3.0))]


def power_law(n, losses, floor):
    slope, at_one = np.polyfit(np.log(n), np.log(losses - floor), 1)
    return float(np.exp(at_one)), float(-slope)


def by_hand(n, losses, floor):
    x, y = np.log(n.astype(np.float64)), np.log(losses.astype(np.float64) - floor)
    xc = x - x.mean()
    alpha = -(xc @ y) / (xc @ xc)
    return float(math.exp(y.mean() + alpha * x.mean())), float(alpha)


def in_decades(n, losses, floor):
    table = np.stack([np.ones(len(n)), -np.log10(n)], axis=1)
    (log_a, alpha), *_ = np.linalg.lstsq(table, np.log10(np.float64(losses) - floor), rcond=None)
    return 10.0 ** float(log_a), float(alpha)


EXERCISE = Exercise(
    title="A straight line in the logarithms",
    points=2,
    minutes=8,
    difficulty=2,
    tolerance=1e-4,
    cases=cases,
    reference=power_law,
    alternatives=(by_hand, in_decades),
    mistakes=(
        mistake(
            "the floor not taken off",
            "slope, at_one = np.polyfit(np.log(n), np.log(losses), 1)",
            "The law is about what lies above the floor.",
        ),
        mistake(
            "the floor taken off after the logarithm",
            "slope, at_one = np.polyfit(np.log(n), np.log(losses) - floor, 1)",
            "log(loss - floor) is not log(loss) - floor.",
        ),
        mistake(
            "a straight line in n",
            "slope, at_one = np.polyfit(n, np.log(losses - floor), 1)",
            "Both axes are logarithmic: n as well.",
        ),
        mistake(
            "a logarithmic law: only n in logarithms",
            "slope, at_one = np.polyfit(np.log(n), losses - floor, 1)",
            "Both axes are logarithmic: the loss above the floor as well.",
        ),
        mistake(
            "the two axes swapped",
            "slope, at_one = np.polyfit(np.log(losses - floor), np.log(n), 1)",
            "The loss is explained by n: which of the two is x?",
        ),
        mistake(
            "the end points only",
            "slope, at_one = np.polyfit(np.log(n[[0, -1]]), np.log(losses[[0, -1]] - floor), 1)",
            "Use all points: least squares, as np.polyfit does it.",
        ),
        mistake(
            "alpha with its sign",
            "return float(np.exp(at_one)), float(slope)",
            "The loss falls, so the slope is negative; alpha is positive.",
        ),
        mistake(
            "a left as a logarithm",
            "return float(at_one), float(-slope)",
            "At log n = 0 the line shows log a.",
        ),
        mistake(
            "10 to a natural logarithm",
            "return float(10**at_one), float(-slope)",
            "np.log goes with np.exp, np.log10 with 10 **.",
        ),
        mistake(
            "the two in the other order",
            "return float(-slope), float(np.exp(at_one))",
            "First a, then alpha.",
        ),
    ),
    hints=(
        "Take the floor off, then take logarithms: log(loss - floor) = log(a) - alpha * log(n).",
        "np.polyfit(x, y, 1) gives the slope and the value at x = 0. Which of the two is -alpha?",
    ),
)
