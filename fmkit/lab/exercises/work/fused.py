"""Several rankings as one, each with a weight, each read only so far."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, lengths, k, depth):
        rankings = [[int(i) for i in rng.permutation(n)[:length]] for length in lengths]
        return rankings, [float(w) for w in rng.uniform(0.2, 2.0, len(lengths))], k, depth

    return [
        ([[1, 2, 3], [3, 1]], [1.0, 1.0], 60, 10),
        ([[5, 4], [4, 5]], [1.0, 1.0], 10, 2),  # a tie
        ([[4, 5], [5, 4]], [1.0, 1.0], 10, 2),
        ([[8, 1], [1, 8]], [1.0, 1.0], 10, 2),
        ([[9, 2], []], [0.5, 2.0], 1, 5),
        ([[7, 8, 9], [9, 8, 7]], [1.0, 3.0], 2, 1),
        ([[0, 1, 2, 3], [3, 2, 1, 0]], [2.0, 0.5], 1, 3),
        ([], [], 60, 3),
        case(6, (6, 6), 5, 4),
        case(12, (5, 9, 12), 60, 6),
        case(12, (12, 3, 8), 0.5, 20),
        case(30, (20, 25), 20, 1),
        ([np.array([2, 0, 1]).tolist(), [1, 2]], [1.5, 0.25], 3, 2),
    ]


def fused(rankings, weights, k, depth):
    scores = {}
    for ranking, weight in zip(rankings, weights, strict=True):
        for place, document in enumerate(ranking[:depth], start=1):
            scores[document] = scores.get(document, 0.0) + weight / (k + place)
    order = sorted(scores, key=lambda document: (-scores[document], document))
    return [(document, scores[document]) for document in order]


def by_document(rankings, weights, k, depth):
    everyone = {document for ranking in rankings for document in ranking[:depth]}
    found = []
    for document in everyone:
        total = 0.0
        for ranking, weight in zip(rankings, weights, strict=True):
            if document in ranking[:depth]:
                total += weight / (k + 1 + ranking.index(document))
        found.append((document, total))
    return sorted(found, key=lambda pair: (-pair[1], pair[0]))


def arrays(rankings, weights, k, depth):
    n = 1 + max((document for ranking in rankings for document in ranking), default=-1)
    total, there = np.zeros(n), np.zeros(n, dtype=bool)
    for ranking, weight in zip(rankings, weights, strict=True):
        shown = np.array(ranking[:depth], dtype=int)
        total[shown] += weight / (k + np.arange(1, len(shown) + 1))
        there[shown] = True
    order = np.lexsort((np.arange(n), -total))
    return [(int(i), float(total[i])) for i in order if there[i]]


def lacking(rankings, weights, k, depth, place_of_none):
    """What a ranking does not show stands just below its end."""
    shown = [ranking[:depth] for ranking in rankings]
    everyone = sorted({document for ranking in shown for document in ranking})

    def place(document, ranking):
        return 1 + ranking.index(document) if document in ranking else place_of_none(ranking)

    scores = {d: sum(w / (k + place(d, r)) for r, w in zip(shown, weights, strict=True)) for d in everyone}
    return sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))


def below_depth(rankings, weights, k, depth):
    return lacking(rankings, weights, k, depth, lambda ranking: depth + 1)


def below_the_end(rankings, weights, k, depth):
    return lacking(rankings, weights, k, depth, lambda ranking: len(ranking) + 1)


EXERCISE = Exercise(
    title="Fusion with weights",
    points=2,
    minutes=12,
    difficulty=2,
    cases=cases,
    teaches=("retrieval.fuse",),
    reference=fused,
    alternatives=(by_document, arrays),
    mistakes=(
        mistake(
            "places from 0",
            "start=1 -> start=0",
            "The best document has place 1.",
        ),
        mistake(
            "the best place instead of the sum",
            "scores.get(document, 0.0) + weight / (k + place) -> "
            "max(scores.get(document, 0.0), weight / (k + place))",
            "What each ranking gives is added up.",
        ),
        mistake(
            "the last ranking wins",
            "scores.get(document, 0.0) + weight / (k + place) -> weight / (k + place)",
            "A second ranking adds to what the first gave.",
        ),
        mistake("read to the end", "ranking[:depth] -> ranking", "What lies below `depth` does not count."),
        mistake(
            "one place too few",
            "ranking[:depth] -> ranking[: depth - 1]",
            "The first `depth` places count, the last of them, too.",
        ),
        mistake(
            "all rankings alike",
            "weight / (k + place) -> 1 / (k + place)",
            "Each ranking has its own weight.",
        ),
        mistake(
            "weights scaled to sum 1",
            "weight / (k + place) -> weight / sum(weights) / (k + place)",
            "The weights are taken as they are.",
        ),
        mistake(
            "the weight on the place",
            "weight / (k + place) -> 1 / (k + place / weight)",
            "The weight multiplies what a place is worth.",
        ),
        mistake(
            "without k",
            "weight / (k + place) -> weight / place",
            "k makes the first places count little more than the next.",
        ),
        mistake(
            "the worst first",
            "(-scores[document], document) -> (scores[document], document)",
            "The largest score comes first.",
        ),
        mistake(
            "of equal ones the larger number first",
            "(-scores[document], document) -> (-scores[document], -document)",
            "Of equal scores the smaller number comes first.",
        ),
        mistake(
            "of equal ones the one seen first",
            "(-scores[document], document) -> -scores[document]",
            "Of equal scores the smaller number comes first, wherever it was seen.",
        ),
        mistake(
            "the fused list cut instead of the rankings",
            ("ranking[:depth] -> ranking", "for document in order] -> for document in order[:depth]]"),
            "`depth` cuts each ranking before it counts, not the fused list.",
        ),
        mistake(
            "the fused list cut, too",
            "for document in order] -> for document in order[:depth]]",
            "`depth` cuts each ranking; the fused list holds all that they show.",
        ),
        mistake(
            "what a ranking lacks has its place depth + 1",
            below_depth,
            "A ranking gives nothing to what it does not show.",
        ),
        mistake(
            "what a ranking lacks has the place after its last",
            below_the_end,
            "A ranking gives nothing to what it does not show.",
        ),
        mistake(
            "the first ranking alone",
            "zip(rankings, weights, strict=True) -> zip(rankings[:1], weights[:1], strict=True)",
            "Every ranking gives something to what it shows.",
        ),
        mistake(
            "only what every ranking has",
            "order = sorted((d for d in scores if all(d in r[:depth] for r in rankings)), "
            "key=lambda d: (-scores[d], d))",
            "A document that a ranking lacks gets nothing from it, and stays.",
        ),
    ),
    hints=(
        "A table from document to score; each ranking adds weight / (k + place), places from 1.",
        "Sort by (-score, number): so ties go by the smaller number.",
    ),
)
