"""Many words at once, when their p-values hang together: Benjamini and Yekutieli's rule."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(m, true, level):
        p = rng.uniform(0.05, 1, m)
        p[:true] = rng.uniform(0, level / 12, true)
        return rng.permutation(p), level

    def rises_again(m, level):  # the second misses its bar, the third reaches its own
        bars = level * np.arange(1, m + 1) / (m * (1 / np.arange(1, m + 1)).sum())
        p = rng.uniform(0.6, 1, m)
        p[:3] = 0.5 * bars[0], bars[1] + 0.3 * (bars[2] - bars[1]), bars[1] + 0.6 * (bars[2] - bars[1])
        return rng.permutation(p), level

    def between(m, level):  # Benjamini and Hochberg would tell them
        p = rng.uniform(0.5, 1, m)
        p[:4] = level * np.array([0.7, 1.4, 2.2, 3.0]) / m
        return rng.permutation(p), level

    return [
        (np.array([0.01, 0.04, 0.9]), 0.1),
        (np.array([0.3, 0.8]), 0.05),
        (np.array([0.02]), 0.05),
        (np.array([0.05]), 0.05),
        (np.array([0.002, 0.002, 0.7, 0.002]), 0.05),
        (np.zeros(3), 0.01),
        rises_again(8, 0.2),
        rises_again(12, 0.1),
        between(10, 0.1),
        case(9, 3, 0.1),
        case(30, 8, 0.05),
        case(14, 0, 0.1),
    ]


def discoveries(p, level):
    M = len(p)
    order = np.argsort(p)
    rank = np.arange(1, M + 1)
    bars = level * rank / (M * (1 / rank).sum())
    passed = np.flatnonzero(p[order] <= bars)
    told, bar = np.zeros(M, dtype=bool), 0.0
    if len(passed):
        last = passed[-1]
        told[order[: last + 1]] = True
        bar = float(bars[last])
    return told, bar


def downwards(p, level):
    M = len(p)
    harmonic = sum(1 / i for i in range(1, M + 1))
    small = sorted(p.tolist())
    for k in range(M, 0, -1):
        bar = level * k / (M * harmonic)
        if small[k - 1] <= bar:
            return np.array([value <= small[k - 1] for value in p]), bar
    return np.zeros(M, bool), 0.0


def counted(p, level):
    """The largest k with at least k values at or below its bar."""
    ranks = 1 + np.arange(len(p))
    bars = level * ranks / len(p) / np.sum(1.0 / ranks)
    enough = [k for k, bar in zip(ranks, bars, strict=True) if np.sum(p <= bar) >= k]
    bar = float(bars[max(enough) - 1]) if enough else 0.0
    return (p <= bar) if enough else np.full(len(p), False), bar


EXERCISE = Exercise(
    title="Many words that hang together",
    points=2,
    minutes=15,
    difficulty=3,
    cases=cases,
    teaches=("significance.benjamini_hochberg",),
    reference=discoveries,
    alternatives=(downwards, counted),
    equal=(
        ("for k in range(M, 0 - 1, -1):", "the bar of 0 is reached only where all are 0, and then k = M was"),
        ("for k in range(M, -1, -1):", "the bar of 0 is reached only where all are 0, and then k = M was"),
    ),
    mistakes=(
        mistake(
            "Benjamini and Hochberg's bars",
            "M * (1 / rank).sum() -> M",
            "Where the values may hang together in any way, every bar is divided by 1 + 1/2 + ... + 1/M.",
        ),
        mistake(
            "the logarithm for the sum",
            "(1 / rank).sum() -> max(np.log(M), 1.0)",
            "1 + 1/2 + ... + 1/M is about log M + 0.58: add it up.",
        ),
        mistake(
            "the sum one short",
            "(1 / rank).sum() -> (1 / rank[: max(M - 1, 1)]).sum()",
            "The sum runs up to 1 / M.",
        ),
        mistake(
            "each rank divided by its own sum",
            "(1 / rank).sum() -> (1 / rank).cumsum()",
            "The sum runs to M for every rank.",
        ),
        mistake(
            "one bar for all (Bonferroni)",
            "bars = np.full(M, level / M)",
            "The k-th smallest has the bar level * k / (M * sum).",
        ),
        mistake(
            "no bar but the level",
            "bars = np.full(M, level)",
            "Of many p-values some are small by chance: each has a bar of its own.",
        ),
        mistake(
            "stopped at the first that fails",
            "passed = np.flatnonzero(np.logical_and.accumulate(p[order] <= bars))",
            "Look for the last that reaches its bar: those before it are told, too.",
        ),
        mistake(
            "only those that reach their own bar",
            "told[order[: last + 1]] = True -> told[order[passed]] = True",
            "All that are smaller than the last one that passes are told, too.",
        ),
        mistake(
            "not sorted",
            "order = np.arange(M)",
            "The k-th smallest has bar k: sort first.",
        ),
        mistake(
            "sorted, and not put back",
            "told[order[: last + 1]] = True -> told[: last + 1] = True",
            "The answer is in the order of the words, not of their p-values.",
        ),
        mistake(
            "below the bar only",
            "p[order] <= bars -> p[order] < bars",
            "A p-value that is just its bar passes.",
        ),
        mistake(
            "the last one left out",
            "order[: last + 1] -> order[:last]",
            "The last that passes is told itself.",
        ),
        mistake(
            "ranks from 0",
            "level * rank / (M -> level * (rank - 1) / (M",
            "The smallest has rank 1.",
        ),
        mistake(
            "the largest p-value instead of its bar",
            "float(bars[last]) -> float(p[order[last]])",
            "The second value is the bar.",
        ),
        mistake(
            "the level where nothing is told",
            "dtype=bool), 0.0 -> dtype=bool), level",
            "If nothing is told, the bar is 0.",
        ),
        mistake(
            "the largest first",
            "np.argsort(p) -> np.argsort(-p)",
            "Rank 1 is the smallest.",
        ),
    ),
    hints=(
        "Sort. The k-th smallest has the bar level * k / (M * (1 + 1/2 + ... + 1/M)).",
        "Find the last k whose value reaches its bar; all up to it are told.",
        "Put the answer back into the words' own order.",
    ),
)
