"""nDCG of scores in which some are equal: the mean over all orders of those."""

import itertools
import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, levels, k):
        scores = rng.integers(0, levels, n) / 2.0
        relevance = rng.choice([0.0, 0.0, 1.0, 2.0, 3.0], n)
        relevance[rng.integers(n)] = 2.0
        return scores, relevance, k

    scores, relevance, _ = case(9, 3, 4)
    return [
        (np.array([0.9, 0.5, 0.5]), np.array([0.0, 1.0, 0.0]), 3),
        (np.array([0.2, 0.9, 0.4]), np.array([2.0, 0.0, 1.0]), 2),
        (np.zeros(4), np.array([0.0, 3.0, 1.0, 0.0]), 2),  # nothing is told apart
        (np.array([1.0, 2.0]), np.zeros(2), 2),  # nothing is relevant
        (np.array([3.0, 1.0, 2.0]), np.array([0.0, 1.0, 0.0]), 10),
        (np.array([-1.0, -1.0, -3.0]), np.array([1.0, 2.0, 3.0]), 1),
        (scores, relevance, 4),
        (scores, relevance, 9),
        case(7, 2, 3),
        case(8, 4, 5),
        case(12, 5, 1),
        (rng.permutation(8) / 4.0, rng.choice([0.0, 1.0, 2.0], 8), 5),
        as_float32(case(9, 4, 6)),
    ]


def tied_ndcg(scores, relevance, k):
    gains = 2.0**relevance - 1
    worth = 1 / np.log2(np.arange(len(scores)) + 2)
    worth[k:] = 0
    ideal = (np.sort(gains)[::-1] * worth).sum()
    if ideal == 0:
        return 0.0
    total = 0.0
    for value in np.unique(scores):
        tied = scores == value
        first = np.count_nonzero(scores > value)
        places = worth[first : first + np.count_nonzero(tied)]
        total += gains[tied].mean() * places.sum()
    return float(total / ideal)


def smoothed(scores, relevance, k):
    """Each gain replaced by the mean of its group, then as usual."""
    gains = np.array([2**r - 1 for r in relevance.tolist()])
    means = np.array([gains[scores == value].mean() for value in scores])
    order = np.argsort(-scores, kind="stable")

    def dcg(row):
        return sum(g / math.log2(p + 2) for p, g in enumerate(row[:k].tolist()))

    best = dcg(np.sort(gains)[::-1])
    return dcg(means[order]) / best if best > 0 else 0.0


def groups(scores, relevance, k):
    gains = [2.0 ** float(r) - 1 for r in relevance]
    worth = [1 / math.log2(p + 1) if p <= k else 0.0 for p in range(1, len(gains) + 1)]
    best = sum(g * w for g, w in zip(sorted(gains, reverse=True), worth, strict=True))
    if not best:
        return 0.0
    order = sorted(range(len(gains)), key=lambda i: -float(scores[i]))
    total, place = 0.0, 0
    for _, rows in itertools.groupby(order, key=lambda i: float(scores[i])):
        rows = list(rows)
        share = sum(worth[place : place + len(rows)]) / len(rows)
        total += sum(gains[i] * share for i in rows)
        place += len(rows)
    return total / best


EXERCISE = Exercise(
    title="nDCG with ties",
    points=3,
    minutes=20,
    difficulty=3,
    tolerance=1e-4,
    cases=cases,
    teaches=("retrieval.ndcg",),
    reference=tied_ndcg,
    alternatives=(smoothed, groups),
    equal=(
        ("worth = 2 / np.log2(np.arange(len(scores)) + 2)", "a factor cancels"),
        ("order = np.argsort(-scores)", "equal scores have equal means"),
    ),
    mistakes=(
        mistake(
            "the relevance itself as the gain",
            "2.0**relevance - 1 -> relevance",
            "A gain is 2 to the power of the relevance, minus 1.",
        ),
        mistake(
            "forgot to take 1 off",
            "2.0**relevance - 1 -> 2.0**relevance",
            "What is not relevant gains nothing: 2**0 - 1.",
        ),
        mistake(
            "the logarithm one place early",
            "np.arange(len(scores)) + 2 -> np.maximum(np.arange(len(scores)) + 1, 2)",
            "Place 1 counts 1 / log2(2), place 2 counts 1 / log2(3).",
        ),
        mistake(
            "the logarithm one place late",
            "np.arange(len(scores)) + 2 -> np.arange(len(scores)) + 3",
            "Place 1 counts 1 / log2(2), place 2 counts 1 / log2(3).",
        ),
        mistake(
            "a place counts 1 / place",
            "1 / np.log2(np.arange(len(scores)) + 2) -> 1 / (np.arange(len(scores)) + 1)",
            "The discount is a logarithm: 1 / log2(place + 1).",
        ),
        mistake(
            "k ignored", "worth[k:] = 0 -> worth[len(worth) :] = 0", "From place k + 1 on nothing counts."
        ),
        mistake(
            "one place too many", "worth[k:] = 0 -> worth[k + 1 :] = 0", "The first k places count, no more."
        ),
        mistake(
            "the ideal of what was put first only",
            "ideal = (np.sort(gains[np.argsort(-scores, kind='stable')[:k]])[::-1] * worth[:k]).sum()",
            "The best order may use all documents, not only those that stand in the first k places.",
        ),
        mistake(
            "the ideal over all places",
            "ideal = (np.sort(gains)[::-1] / np.log2(np.arange(len(scores)) + 2)).sum()",
            "The best order is cut at k, too.",
        ),
        mistake("not divided by the ideal", "total / ideal -> total", "Divide by what the best order gives."),
        mistake(
            "no relevant document counts as perfect",
            "return 0.0 -> return 1.0",
            "Where nothing is relevant the value is 0: such a question is not a success.",
        ),
        mistake(
            "the smallest score first",
            "scores > value -> scores < value",
            "The largest score comes first.",
        ),
        mistake(
            "all of a tie at its first place",
            "total += gains[tied].sum() * places[0]",
            "Equal documents share the places that they take together.",
        ),
        mistake(
            "all of a tie at its last place",
            "total += gains[tied].sum() * places[-1]",
            "Equal documents share the places that they take together.",
        ),
        mistake(
            "equal ones in the order of the list",
            "total += (gains[tied] * places).sum()",
            "The order in the list means nothing: take the mean over all orders of the equal ones.",
        ),
        mistake(
            "equal ones in the best order",
            "total += (np.sort(gains[tied])[::-1] * places).sum()",
            "That flatters: a system that gives all the same score would be perfect.",
        ),
        mistake(
            "equal ones in the worst order",
            "total += (np.sort(gains[tied]) * places).sum()",
            "Take the mean over all orders of the equal ones.",
        ),
        mistake(
            "the worth of the mean place",
            (
                "places = first + (np.count_nonzero(tied) + 1) / 2",
                "total += gains[tied].sum() * (1 / np.log2(places + 1) if places <= k else 0.0)",
            ),
            "Not the worth of the mean place, but the mean of the worths of the places.",
        ),
        mistake(
            "a tie across the cut: only the places inside count in the mean",
            "total += gains[tied].sum() * (places[places > 0].mean() if (places > 0).any() else 0.0)",
            "A place below k is worth 0, but it counts in the mean.",
        ),
        mistake(
            "a tie counted as one place",
            "first = np.count_nonzero(np.unique(scores) > value)",
            "Three equal documents take three places.",
        ),
    ),
    hints=(
        "Equal documents take some places together: each place gets, on average, the mean gain of the group.",
        "A group's first place is the number of larger scores (counted from 0).",
        "Ideal: all gains from the largest on, with the same worths, cut at k.",
    ),
)
