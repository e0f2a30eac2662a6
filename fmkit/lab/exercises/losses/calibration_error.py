"""Expected calibration error: how far what was said is from what came, bin by bin."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, bins, power=1.0):
        p = rng.uniform(size=n)
        return p, (rng.uniform(size=n) < p**power).astype(np.float64), bins

    edges = np.array([0.0, 0.25, 0.25, 0.5, 0.5, 0.75, 1.0, 1.0, 0.1, 0.9])
    labels = np.array([0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0])
    shuffle = rng.permutation(10)
    few = np.array([0.05, 0.07, 0.93, 0.95, 0.97]), np.array([0.0, 1.0, 1.0, 0.0, 1.0]), 10
    sharp = (lambda p, y, b: (p**3 / (p**3 + (1 - p) ** 3), y, b))(*case(60, 5))
    middle = rng.uniform(0.3, 0.7, 30)  # the bins go from 0 to 1 all the same
    zigzag = (np.repeat(np.arange(6), 4) + rng.uniform(0.1, 0.9, 24)) / 6
    by_turns = zigzag, np.repeat([0.0, 1.0] * 3, 4), 6  # neighbours' gaps have opposite signs
    narrow = middle, (middle < 0.5).astype(np.float64), 5
    edged = edges[shuffle], labels[shuffle], 4
    return [case(40, 5, 2.0), edged, few, sharp, by_turns, narrow, as_float32(case(50, 8, 0.5))]


def calibration_error(p, y, bins):
    place = np.minimum((p * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    gap = np.bincount(place, p - y, minlength=bins) / np.maximum(count, 1)
    return float((count / len(p) * np.abs(gap)).sum())


def masks(p, y, bins):
    total = 0.0
    for b in range(bins):
        inside = (p >= b / bins) & ((p < (b + 1) / bins) | (b == bins - 1))
        if inside.any():
            total += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    return float(total)


def loop(p, y, bins):
    sums = [[0.0, 0.0] for _ in range(bins)]
    for probability, label in zip(p.tolist(), y.tolist(), strict=True):
        cell = sums[min(int(probability * bins), bins - 1)]
        cell[0] += probability
        cell[1] += label
    return sum(abs(a - b) for a, b in sums) / len(p)


EXERCISE = Exercise(
    title="The calibration error",
    points=3,
    minutes=15,
    difficulty=3,
    tolerance=1e-4,  # one Python number comes out of float32 inputs
    cases=cases,
    reference=calibration_error,
    alternatives=(masks, loop),
    mistakes=(
        mistake(
            "every bin counts the same",
            "return float(np.abs(gap)[count > 0].mean())",
            "A bin with three examples should not weigh as much as one with three hundred.",
        ),
        mistake(
            "divided by the number of bins",
            "return float((count / len(p) * np.abs(gap)).mean())",
            "The shares of the bins sum to 1: nothing is left to divide by.",
        ),
        mistake(
            "let gaps of opposite sign cancel",
            "return float((count / len(p) * gap).sum())",
            "Too sure here and too timid there do not make a calibrated model: take each gap's size.",
        ),
        mistake(
            "the worst bin only",
            "return float(np.abs(gap).max())",
            "That is the largest gap; here the mean gap is wanted.",
        ),
        mistake(
            "squared the gaps",
            "return float(np.sqrt((count / len(p) * gap**2).sum()))",
            "The gaps enter with their plain size here, not squared.",
        ),
        mistake(
            "the bin's centre instead of its mean p",
            "p - y -> (place + 0.5) / bins - y",
            "The predictions of a bin need not lie around its centre: take their own mean.",
        ),
        mistake(
            "asked whether the guess was right, not whether y is 1",
            "p - y -> p - ((p > 0.5) == y)",
            "p is the probability of class 1, so compare it with how often class 1 comes.",
        ),
        mistake(
            "lost the predictions of exactly 1",
            ("place = (p * bins).astype(int)", "return float((count / len(p) * np.abs(gap))[:bins].sum())"),
            "Into which bin does p = 1 fall? There is none above the last.",
        ),
        mistake(
            "an edge counts for the bin below it",
            "place = np.maximum(np.ceil(p * bins).astype(int) - 1, 0)",
            "An edge belongs to the bin above it: with four bins, p = 0.25 opens the second.",
        ),
        mistake(
            "bins of equal number, not of equal width",
            "place = np.argsort(np.argsort(p)) * bins // len(p)",
            "The bins cut the way from 0 to 1 into equal parts, wherever the predictions lie.",
        ),
        mistake(
            "NaN from an empty bin",
            "gap = np.bincount(place, p - y, minlength=bins) / count",
            "An empty bin has no mean: leave it out.",
        ),
    ),
    hints=(
        "int(p * bins) is the bin of a prediction; p = 1 must be pulled back into the last.",
        "For each bin that is not empty: the gap between mean p and mean y, times its share of N.",
        "A mask such as `inside = place == b` picks the predictions of a bin.",
    ),
)
