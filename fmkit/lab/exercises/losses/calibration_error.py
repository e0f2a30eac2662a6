"""Expected calibration error: how far what was said is from what came, bin by bin."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, bins, power=1.0):
        p = rng.uniform(size=n)
        return p, (rng.uniform(size=n) < p**power).astype(np.float64), bins

    example = np.array([0.9, 0.9]), np.array([1.0, 0.0]), 5
    top = np.array([1.0, 0.95, 0.2]), np.array([0.0, 1.0, 1.0]), 4  # p = 1 beside another one of its bin
    bottom = np.array([0.0, 0.05, 0.6]), np.array([1.0, 0.0, 0.0]), 2
    edge = np.array([0.25, 0.3, 0.2, 0.7]), np.array([0.0, 1.0, 1.0, 1.0]), 4
    edges = np.array([0.0, 0.25, 0.25, 0.5, 0.5, 0.75, 1.0, 1.0, 0.1, 0.9])
    labels = np.array([1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0])
    shuffle = rng.permutation(10)
    edged = edges[shuffle], labels[shuffle], 4  # edges that floats hold exactly
    few = np.array([0.05, 0.07, 0.93, 0.95, 0.97]), np.array([0.0, 1.0, 1.0, 0.0, 1.0]), 10
    sharp = (lambda p, y, b: (p**3 / (p**3 + (1 - p) ** 3), y, b))(*case(60, 5))
    middle = rng.uniform(0.3, 0.7, 30)  # the bins go from 0 to 1 all the same
    narrow = middle, (middle < 0.5).astype(np.float64), 5
    zigzag = (np.repeat(np.arange(6), 4) + rng.uniform(0.1, 0.9, 24)) / 6
    by_turns = zigzag, np.repeat([0.0, 1.0] * 3, 4), 6  # neighbours' gaps have opposite signs
    lopsided = np.append(rng.uniform(0.05, 0.2, 9), 0.6), np.append(np.ones(9), 0.0), 3
    small = [example, top, bottom, edge, few]
    return [*small, case(40, 5, 2.0), edged, sharp, by_turns, narrow, lopsided, as_float32(case(50, 8, 0.5))]


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
    equal=(
        (
            "gap = np.bincount(place, y - p, minlength=bins) / np.maximum(count, 1)",
            "the size of a gap is taken afterwards",
        ),
        ("total += inside.mean() * abs(y[inside].mean() - p[inside].mean())", "the size is taken"),
        (
            "inside = (p >= b / bins) & ((p < (b + 1) / bins) | (b >= bins - 1))",
            "b never exceeds bins - 1",
        ),
    ),
    reference=calibration_error,
    alternatives=(masks, loop),
    mistakes=(
        mistake(
            "every bin counts the same",
            "count / len(p) * -> 1 / (count > 0).sum() *",
            "A bin with three examples should not weigh as much as one with three hundred.",
        ),
        mistake(
            "every bin counts the same, the empty ones too",
            "count / len(p) * -> 1 / bins *",
            "A bin with three examples should not weigh as much as one with three hundred, or an empty one.",
        ),
        mistake(
            "divided by the number of bins",
            "return float((count / len(p) * np.abs(gap)).mean())",
            "The shares of the bins sum to 1: nothing is left to divide by.",
        ),
        mistake(
            "weighed by the counts, but never divided by N",
            "count / len(p) * -> count *",
            "The weights of a mean sum to 1: which share of all predictions does a bin have?",
        ),
        mistake(
            "let gaps of opposite sign cancel",
            "np.abs(gap) -> gap",
            "Too sure here and too timid there do not make a calibrated model: take each gap's size.",
        ),
        mistake(
            "took the size of the sum, not of each gap",
            "(count / len(p) * np.abs(gap)).sum() -> abs((count / len(p) * gap).sum())",
            "Too sure here and too timid there cancel in the sum: take each bin's size before adding up.",
        ),
        mistake(
            "took the size of each prediction's own gap",
            "place, p - y, -> place, np.abs(p - y),",
            "In a bin the means are compared: of ten predictions of 0.7, seven should come, none by 0.7.",
        ),
        mistake(
            "the worst bin only",
            "return float(np.abs(gap).max())",
            "That is the largest gap; here the mean gap is wanted.",
        ),
        mistake(
            "squared the gaps",
            "np.abs(gap) -> gap**2",
            "The gaps enter with their plain size here, not squared.",
        ),
        mistake(
            "squared the gaps, and took a root",
            "(count / len(p) * np.abs(gap)).sum() -> np.sqrt((count / len(p) * gap**2).sum())",
            "The gaps enter with their plain size here, not squared.",
        ),
        mistake(
            "the bin's centre instead of its mean p",
            "p - y -> (place + 0.5) / bins - y",
            "The predictions of a bin need not lie around its centre: take their own mean.",
        ),
        mistake(
            "the bin's lower edge instead of its mean p",
            "p - y -> place / bins - y",
            "The predictions of a bin do not lie at its lower edge: take their own mean.",
        ),
        mistake(
            "10 bins, whatever `bins` says",
            "place = np.minimum -> bins = 10\nplace = np.minimum",
            "`bins` is an argument: it may be 4, or 5, or 10.",
        ),
        mistake(
            "the mean squared error of the predictions",
            "return float(((p - y) ** 2).mean())",
            "That is another measure (Brier's): here the predictions of a bin are compared together.",
        ),
        mistake(
            "asked whether the guess was right, not whether y is 1",
            "p - y -> p - ((p > 0.5) == y)",
            "p is the probability of class 1, so compare it with how often class 1 comes.",
        ),
        mistake(
            "how sure the guess is, and whether it is right",
            (
                "place = np.minimum((np.maximum(p, 1 - p) * bins).astype(int), bins - 1)",
                "p - y -> np.maximum(p, 1 - p) - ((p >= 0.5) == y)",
            ),
            "That is the form for many classes; here p is the probability of class 1: compare it with y.",
        ),
        mistake(
            "lost the predictions of exactly 1",
            (
                "place = (p * bins).astype(int)",
                "count = np.bincount(place, minlength=bins)[:bins]",
                "minlength=bins) / np -> minlength=bins)[:bins] / np",
            ),
            "Into which bin does p = 1 fall? There is none above the last.",
        ),
        mistake(
            "gave p = 1 a bin of its own",
            "place = (p * bins).astype(int)",
            "There are `bins` bins: p = 1 belongs into the last, with the others near 1.",
        ),
        mistake(
            "an edge counts for the bin below it",
            "place = np.maximum(np.ceil(p * bins).astype(int) - 1, 0)",
            "An edge belongs to the bin above it: with four bins, p = 0.25 opens the second.",
        ),
        mistake(
            "an edge counts for the bin below it, and p = 0 for none",
            (
                "place = np.maximum(np.ceil(p * bins).astype(int) - 1, 0)",
                "count = np.bincount(place, p > 0, minlength=bins)",
                "place, p - y, -> place, (p - y) * (p > 0),",
            ),
            "An edge belongs to the bin above it: p = 0 opens the first bin, with four bins 0.25 the second.",
        ),
        mistake(
            "rounded to the nearest edge instead of cutting down",
            "place = np.minimum(np.round(p * bins).astype(int), bins - 1)",
            "With four bins, p = 0.2 lies between 0 and 0.25: that is the first bin, though 0.25 is nearer.",
        ),
        mistake(
            "bins of equal number, not of equal width",
            "place = np.zeros(len(p), int)\n"
            "for b, part in enumerate(np.array_split(np.argsort(p), bins)):\n    place[part] = b",
            "The bins cut the way from 0 to 1 into equal parts, wherever the predictions lie.",
        ),
        mistake(
            "bins cut at the quantiles, not of equal width",
            "place = np.digitize(p, np.quantile(p, np.arange(1, bins) / bins))",
            "The bins cut the way from 0 to 1 into equal parts, wherever the predictions lie.",
        ),
        mistake(
            "bins from the smallest prediction to the largest",
            "place = np.digitize(p, np.linspace(p.min(), p.max(), bins + 1)[1:-1])",
            "The bins cut the way from 0 to 1 into equal parts, wherever the predictions lie.",
        ),
        mistake(
            "NaN from an empty bin",
            "/ np.maximum(count, 1) -> / count",
            "An empty bin has no mean: leave it out.",
        ),
    ),
    hints=(
        "int(p * bins) is the bin of a prediction; p = 1 must be pulled back into the last.",
        "For each bin that is not empty: the gap between mean p and mean y, times its share of N.",
        "A mask such as `inside = place == b` picks the predictions of a bin.",
    ),
)
