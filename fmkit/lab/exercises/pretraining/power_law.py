"""Fit a power law: a straight line in the logarithms."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, noise, low=2.0, high=6.0, sign=1):
        sizes = 10 ** np.linspace(low, high, n)
        sizes[1:-1] *= 10 ** rng.uniform(0.0, 0.5, n - 2)  # not evenly spaced
        alpha, a, floor = rng.uniform(0.1, 0.4), rng.uniform(3, 20), rng.uniform(0.3, 1.5)
        bent = noise * np.resize([1.0, -2.0, 1.5, 2.0], n) * rng.uniform(0.5, 1.0, n)
        return sizes, floor + a * sizes ** (-sign * alpha) * np.exp(bent), float(floor)

    return [
        (np.array([1.0, 100.0]), np.array([5.0, 3.0]), 1.0),
        case(5, 0.02),
        case(8, 0.05),
        case(2, 0.0, 3.0, 5.0),
        case(4, 0.04, 0.5, 2.5, sign=-1),  # the loss rises
        (np.array([1.0, 10.0, 1000.0]), np.array([4.0, 1.5, 2.5]), 0.0),
        as_float32(case(6, 0.03, 1.0, 3.0)),
    ]


def power_law(n, losses, floor):
    x = np.log(n)
    y = np.log(losses - floor)
    slope, at_one = np.polyfit(x, y, 1)
    a = np.exp(at_one)
    alpha = -slope
    return float(a), float(alpha)


def by_hand(n, losses, floor):
    x, y = np.log(n), np.log(losses - floor)
    xc = x - x.mean()
    alpha = -(xc * y).mean() / xc.var()
    return math.exp((y + alpha * x).mean()), float(alpha)


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
            "y = np.log(losses)",
            "The law is about what lies above the floor.",
        ),
        mistake(
            "the floor taken off after the logarithm",
            "y = np.log(losses) - floor",
            "log(loss - floor) is not log(loss) - floor.",
        ),
        mistake(
            "the logarithm of the floor taken off",
            "y = np.log(losses) - np.log(floor)",
            "log(loss) - log(floor) is the log of their *ratio*; the law is about the difference.",
        ),
        mistake(
            "the floor added",
            "y = np.log(losses + floor)",
            "The law is about what lies above the floor.",
        ),
        mistake(
            "the floor added to a at the end",
            "a = np.exp(at_one) + floor",
            "a and the floor are two terms of the law: a is asked for alone.",
        ),
        mistake(
            "a straight line in n",
            "x = n",
            "Both axes are logarithmic: n as well.",
        ),
        mistake(
            "a logarithmic law: only n in logarithms",
            "y = losses - floor",
            "Both axes are logarithmic: the loss above the floor as well.",
        ),
        mistake(
            "no logarithms at all",
            ("x = n", "y = losses - floor"),
            "The law is a straight line only where both axes are logarithmic.",
        ),
        mistake(
            "the two axes swapped",
            "slope, at_one = np.polyfit(y, x, 1)",
            "The loss is explained by n: which of the two is x?",
        ),
        mistake(
            "polyfit's two numbers taken in the other order",
            "slope, at_one = np.polyfit(x, y, 1) -> at_one, slope = np.polyfit(x, y, 1)",
            "np.polyfit gives the highest power first: the slope, then the value at x = 0.",
        ),
        mistake(
            "the end points only",
            "slope, at_one = np.polyfit(x[[0, -1]], y[[0, -1]], 1)",
            "Use all points: least squares, as np.polyfit does it.",
        ),
        mistake(
            "the mean of the slopes between neighbours",
            "slope, at_one = np.polyfit(x, y, 1) -> slope = (np.diff(y) / np.diff(x)).mean()\n"
            "at_one = y.mean() - slope * x.mean()",
            "Least squares weighs all points at once, as np.polyfit does it.",
        ),
        mistake(
            "the correlation instead of the slope",
            "slope, at_one = np.polyfit(x, y, 1) -> slope = np.corrcoef(x, y)[0, 1]\n"
            "at_one = y.mean() - slope * x.mean()",
            "The correlation has no units, a slope has: cov(x, y) is divided by the variance of x alone.",
        ),
        mistake(
            "the line through the origin",
            "slope, at_one = np.polyfit(x, y, 1) -> slope, at_one = (x @ y) / (x @ x), 0.0",
            "The line has two unknowns: ln a is where it crosses log n = 0.",
        ),
        mistake(
            "the line fitted the other way, then solved for the slope",
            "slope, at_one = np.polyfit(x, y, 1) -> other, start = np.polyfit(y, x, 1)\n"
            "slope, at_one = 1 / other, -start / other",
            "Least squares takes the errors of the loss, not those of n: y is fitted on x.",
        ),
        mistake(
            "alpha with its sign",
            "alpha = slope",
            "The loss falls, so the slope is negative; alpha is positive.",
        ),
        mistake(
            "alpha without its sign",
            "alpha = abs(slope)",
            "Where the loss rises, alpha is negative: it is minus the slope, whatever that is.",
        ),
        mistake(
            "a left as a logarithm",
            "a = at_one",
            "At log n = 0 the line shows log a.",
        ),
        mistake(
            "1 over a",
            "a = np.exp(-at_one)",
            "The law has the minus at alpha only: at log n = 0 the line shows + log a.",
        ),
        mistake(
            "10 to a natural logarithm",
            "a = 10**at_one",
            "np.log goes with np.exp, np.log10 with 10 **.",
        ),
        mistake(
            "e to a logarithm to the base 10",
            ("x = np.log10(n)", "y = np.log10(losses - floor)"),
            "np.log goes with np.exp, np.log10 with 10 **.",
        ),
        mistake(
            "two kinds of logarithm: log10 of n, ln of the loss",
            "x = np.log10(n)",
            "Both axes want the same logarithm, or alpha is off by a factor.",
        ),
        mistake(
            "the two in the other order",
            "return float(alpha), float(a)",
            "First a, then alpha.",
        ),
    ),
    hints=(
        "Take the floor off, then take logarithms: log(loss - floor) = log(a) - alpha * log(n).",
        "np.polyfit(x, y, 1) gives the slope and the value at x = 0. Which of the two is -alpha?",
    ),
)
