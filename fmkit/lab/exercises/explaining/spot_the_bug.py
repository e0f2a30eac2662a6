"""The deletion curve, from the whole input to nothing, and its area."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n):
        return rng.normal(size=2**n), rng.normal(size=n)

    values, numbers = case(4)
    ties = numbers.copy()
    ties[[0, 2, 3]] = ties[1]  # all four alike
    some = np.array([1.0, 0.5, 1.0, 0.5, -1.0])
    sums = np.array([bin(k).count("1") for k in range(8)], float)
    return [
        (np.array([0.0, 2.0, 1.0, 4.0]), np.array([0.3, 0.9])),
        (rng.normal(size=2), rng.normal(size=1)),
        case(2),
        (sums, np.array([0.1, -0.7, 0.2])),
        (values, numbers),
        (values, -np.abs(numbers)),
        (values, ties),
        (rng.normal(size=32), some),
        (case(3)[0] + 5.0, rng.normal(size=3)),
        case(6),
        as_float32(case(4)),
    ]


def deletion(values, explanation):
    there = len(values) - 1
    curve = [values[there]]
    for i in sorted(range(len(explanation)), key=lambda k: -explanation[k]):
        there -= 2**i
        curve.append(values[there])
    curve = np.array(curve)
    return curve, float((curve[:-1] + curve[1:]).mean() / 2)


def masks(values, explanation):
    n = len(explanation)
    order = sorted(range(n), key=lambda i: (-float(explanation[i]), i))
    curve = np.array([values[sum(1 << i for i in order[k:])] for k in range(n + 1)])
    return curve, float((curve.sum() - (curve[0] + curve[-1]) / 2) / n)


def cumulated(values, explanation):
    order = np.lexsort((np.arange(len(explanation)), -explanation))
    gone = np.append(0, np.cumsum(1 << order))
    curve = values[len(values) - 1 - gone]
    return curve, float(np.trapezoid(curve) / len(explanation))


EXERCISE = Exercise(
    title="Spot the bug: a curve that flatters",
    points=3,
    minutes=12,
    difficulty=3,
    tolerance=1e-4,
    cases=cases,
    teaches=("explain.deletion_curve", "explain.insertion_curve", "explain.area"),
    reference=deletion,
    alternatives=(masks, cumulated),
    mistakes=(
        mistake(
            "began after the first deletion",
            "curve = [values[there]] -> curve = []",
            "The curve begins with the whole input: without that point a first fall costs nothing.",
        ),
        mistake(
            "the area without the whole input",
            "(curve[:-1] + curve[1:]).mean() / 2 -> curve[1:].mean()",
            "The first piece of the area lies between the whole input and the first deletion.",
        ),
        mistake(
            "stopped before the last part was gone",
            "key=lambda k: -explanation[k]) -> key=lambda k: -explanation[k])[:-1]",
            "The curve ends with no part at all.",
        ),
        mistake(
            "the least important first",
            "-explanation[k] -> explanation[k]",
            "The most important part goes first: that is what is tested.",
        ),
        mistake(
            "the largest by size first, whatever their sign",
            "-explanation[k] -> -abs(explanation[k])",
            "A part that speaks against the score is not important for it: by number, not by size.",
        ),
        mistake(
            "put each part back before the next goes",
            ("there -= 2**i -> there = len(values) - 1 - 2**i",),
            "Deletion goes on: what is gone stays gone.",
        ),
        mistake(
            "added parts to nothing instead",
            ("there = 0", "there -= 2**i -> there += 2**i"),
            "That is insertion. Begin with all parts, and take away.",
        ),
        mistake(
            "read the bits from the other end",
            "2**i -> 2 ** (len(explanation) - 1 - i)",
            "Part 0 is the lowest bit.",
        ),
        mistake(
            "of equal numbers the later part first",
            "key=lambda k: -explanation[k]) -> key=lambda k: explanation[k])[::-1]",
            "Of equal numbers the earlier part goes first: `sorted` keeps their order.",
        ),
        mistake(
            "the mean of the points for the area",
            "(curve[:-1] + curve[1:]).mean() / 2 -> curve.mean()",
            "The first and the last point stand at the ends: they count half.",
        ),
        mistake(
            "the sum of the points over the number of parts",
            "(curve[:-1] + curve[1:]).mean() / 2 -> curve.sum() / len(explanation)",
            "n parts make n + 1 points and n pieces: the mean of the pieces' heights.",
        ),
        mistake(
            "the area not divided by the number of pieces",
            "(curve[:-1] + curve[1:]).mean() / 2 -> (curve[:-1] + curve[1:]).sum() / 2",
            "The curve is drawn over a way of length 1, however many parts there are.",
        ),
        mistake(
            "forgot the half of the trapezoid",
            ".mean() / 2 -> .mean()",
            "A piece is as high as the mean of its two ends.",
        ),
        mistake(
            "took off the score of nothing",
            "np.array(curve) -> np.array(curve) - values[0]",
            "The score itself is drawn, whatever is left at the end.",
        ),
        mistake(
            "divided by the score of the whole input",
            "np.array(curve) -> np.array(curve) / values[-1]",
            "The score itself is drawn, not its share of the first.",
        ),
        mistake(
            "the curve of the best so far",
            "np.array(curve) -> np.minimum.accumulate(np.array(curve))",
            "The score may rise again when a part goes that spoke against it: draw it.",
        ),
        mistake(
            "began with the score of nothing",
            "curve = [values[there]] -> curve = [values[0]]",
            "Nothing comes last; the curve begins with the whole input.",
        ),
        mistake(
            "the pieces over n + 1",
            "(curve[:-1] + curve[1:]).mean() / 2 -> (curve[:-1] + curve[1:]).sum() / 2 / len(curve)",
            "n parts make n pieces: divide by n.",
        ),
        mistake(
            "the area without the first piece",
            "(curve[:-1] + curve[1:]).mean() / 2 -> (curve[1:-1] + curve[2:]).mean() / 2 "
            "if len(curve) > 2 else curve[-1]",
            "The first piece lies between the whole input and the first deletion.",
        ),
        mistake(
            "each piece as high as its left end",
            "(curve[:-1] + curve[1:]).mean() / 2 -> curve[:-1].mean()",
            "Straight lines join the points: a piece is as high, on average, as the mean of its two ends.",
        ),
    ),
    hints=(
        "Begin with coalition 2**n - 1, all parts. Taking part i away subtracts 2**i.",
        "n parts make n + 1 points: the whole input first, nothing last.",
        "The area is the mean over the n pieces of (left + right) / 2.",
    ),
)
