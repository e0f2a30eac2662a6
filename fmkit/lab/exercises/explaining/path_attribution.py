"""Integrated gradients of a small network, its slope by hand."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, h, steps, size=1.0, zero=False):
        baseline = np.zeros(n) if zero else rng.normal(size=n)
        w1, b1, w2 = size * rng.normal(size=(n, h)), rng.normal(size=h), rng.normal(size=h)
        return rng.normal(size=n), baseline, w1, b1, w2, steps

    one = np.ones(1)
    example = one, 0 * one, np.ones((1, 1)), 0 * one, one, 1
    straight = one, -one, 0.5 * np.ones((1, 1)), 0.3 * one, 2 * one, 2
    x, baseline, *net = case(4, 3, 3)
    half = (
        np.where([True, False, True, False], x, baseline),
        baseline,
        *net,
    )  # two numbers stay as they were
    still = (baseline, baseline, *net)
    away = (-baseline, baseline, *net)
    wide = case(2, 5, 4, size=3.0)  # tanh is flat at either end
    return [
        example,
        straight,
        case(3, 2, 2, zero=True),
        half,
        still,
        away,
        wide,
        case(5, 4, 1),
        case(2, 3, 7),
        case(6, 1, 20),
        as_float32(case(3, 5, 5)),
    ]


def path_attribution(x, baseline, w1, b1, w2, steps):
    total = np.zeros_like(x)
    for k in range(steps):
        point = baseline + (k + 0.5) / steps * (x - baseline)
        h = np.tanh(point @ w1 + b1)
        total += w1 @ (w2 * (1 - h * h))
    return (x - baseline) * total / steps


def at_once(x, baseline, w1, b1, w2, steps):
    at = ((np.arange(steps) + 0.5) / steps).astype(x.dtype)
    points = baseline + at[:, None] * (x - baseline)
    h = np.tanh(points @ w1 + b1)
    slopes = ((1 - h**2) * w2) @ w1.T
    return (x - baseline) * slopes.mean(0)


def weighted_ends(x, baseline, w1, b1, w2, steps):
    slopes = []
    for k in range(steps):
        a = (2 * k + 1) / (2 * steps)
        h = np.tanh(((1 - a) * baseline + a * x) @ w1 + b1)
        slopes.append((w1 * (w2 * (1 - h) * (1 + h))).sum(1))
    return np.mean(slopes, axis=0) * (x - baseline)


EXERCISE = Exercise(
    title="The way from nothing to here",
    points=3,
    minutes=15,
    difficulty=3,
    tolerance=1e-4,
    cases=cases,
    teaches=("explain.integrated_gradients",),
    reference=path_attribution,
    alternatives=(at_once, weighted_ends),
    equal=(
        ("total += w1 @ (w2 * (1 - h * h)).T", "a vector has one axis only"),
        ("h = np.tanh(point.T @ w1 + b1)", "a vector has one axis only"),
    ),
    mistakes=(
        mistake(
            "forgot the factor x - baseline",
            "return total / steps",
            "A slope says how steep it is; how far was the way that this input went?",
        ),
        mistake(
            "took the baseline for zero in the factor",
            "return x * total / steps",
            "The input moved from the baseline, which need not be zero.",
        ),
        mistake(
            "took the baseline for zero on the path",
            "point = (k + 0.5) / steps * x",
            "The path begins at the baseline, which need not be zero.",
        ),
        mistake(
            "took the baseline for zero everywhere",
            ("point = (k + 0.5) / steps * x", "return x * total / steps"),
            "The baseline is an argument: begin there, and measure the way from there.",
        ),
        mistake(
            "walked from the baseline by x, not to x",
            "point = baseline + (k + 0.5) / steps * x",
            "The path ends at x: what has to be added to the baseline for that?",
        ),
        mistake(
            "the path walked from x away from the baseline",
            "point = x + (k + 0.5) / steps * (x - baseline)",
            "The path lies between the baseline and x.",
        ),
        mistake(
            "measured at the left end of each step",
            "k + 0.5 -> k",
            "Take the slope in the middle of each step: the error is far smaller there.",
        ),
        mistake(
            "measured at the right end of each step",
            "k + 0.5 -> k + 1",
            "Take the slope in the middle of each step: the error is far smaller there.",
        ),
        mistake(
            "points from end to end, both ends among them",
            "(k + 0.5) / steps -> k / max(steps - 1, 1)",
            "The points are the middles of `steps` equal pieces: 1/(2 steps), 3/(2 steps), and so on.",
        ),
        mistake(
            "the slope at x only",
            "point = x",
            "That is gradient times way: the slope changes on the way, so average it.",
        ),
        mistake(
            "the slope at the baseline only",
            "point = baseline",
            "The slope changes on the way from the baseline to x: average it.",
        ),
        mistake(
            "the slope halfway only",
            "point = (baseline + x) / 2",
            "The slope changes on the way from the baseline to x: average it over `steps` points.",
        ),
        mistake(
            "the sum of the slopes instead of their mean",
            "total / steps -> total",
            "Twice as many steps must not double the answer.",
        ),
        mistake(
            "the sign of the way turned round",
            "return (x - baseline) -> return (baseline - x)",
            "The way leads from the baseline to x.",
        ),
        mistake(
            "the size of the way, without its sign",
            "return (x - baseline) -> return np.abs(x - baseline)",
            "An input that went down a rising slope has taken from the score.",
        ),
        mistake(
            "the slope of the probability, not of the logit",
            "total += w1 @ (w2 * (1 - h * h)) * (np.exp(-h @ w2) / (1 + np.exp(-h @ w2)) ** 2)",
            "The logit is asked for: no sigmoid stands behind it.",
        ),
        mistake(
            "left out the slope of tanh",
            "w2 * (1 - h * h) -> w2",
            "Between the input and the logit stands tanh, and its slope is 1 - tanh².",
        ),
        mistake(
            "1 - h for the slope of tanh",
            "1 - h * h -> 1 - h",
            "The slope of tanh is 1 - tanh².",
        ),
        mistake(
            "the sigmoid's slope in place of tanh's",
            "1 - h * h -> h * (1 - h)",
            "The slope of tanh is 1 - tanh²; h (1 - h) belongs to the sigmoid.",
        ),
        mistake(
            "left out the bias",
            "point @ w1 + b1 -> point @ w1",
            "The network adds b1 before tanh; where tanh is flat depends on it.",
        ),
        mistake(
            "left out w2",
            "w2 * (1 - h * h) -> 1 - h * h",
            "The logit weighs each unit by `w2`, and so does its slope.",
        ),
        mistake(
            "left out w2, and the sum of the slopes instead of their mean",
            ("w2 * (1 - h * h) -> 1 - h * h", "total / steps -> total"),
            "The slope contains `w2`, and the mean of the slopes is their sum by `steps`.",
        ),
        mistake(
            "what the logit gains, shared out by the length of each part's way",
            "return (x - baseline) * (np.tanh(x @ w1 + b1) @ w2 - np.tanh(baseline @ w1 + b1) @ w2) "
            "/ (x - baseline).sum()",
            "It sums to the right number, whichever part the network uses: take the slopes on the way.",
        ),
    ),
    hints=(
        "The slope at one point: w1 @ (w2 * (1 - h * h)), with h the tanh at that point.",
        "Point k lies at the share (k + 0.5) / steps of the way from the baseline to x.",
        "Average the slopes over the points, and multiply by x - baseline at the end.",
    ),
)
