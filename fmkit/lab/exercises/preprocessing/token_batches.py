"""Batches that fill the memory: as many texts as fit, counted with their padding."""

import numpy as np

from fmkit.lab.exercises.preprocessing._shared import ALLOWED
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, low, high, budget):
        lengths = [int(i) for i in rng.integers(low, high, n)]
        return lengths, budget

    exact = [3, 3, 4, 6, 6, 5]
    steady = [int(i) for i in rng.permutation(exact)]
    cases = [
        ([4, 1, 3, 1], 6),
        case(30, 1, 4, 20),
        case(14, 2, 12, 24),
        case(9, 1, 20, 40),
        (steady, 12),
        case(20, 5, 9, 30),
        ([7], 7),
    ]
    return [*cases, ([9, 1, 5, 1, 9, 5], 10)]


def token_batches(lengths, budget):
    batches = [[]]
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if (len(batches[-1]) + 1) * lengths[i] > budget:  # the new text is the longest so far
            batches.append([])
        batches[-1].append(i)
    return batches


def argsort(lengths, budget):
    order = np.argsort(np.array(lengths), kind="stable").tolist()
    batches, start = [], 0
    for end in range(1, len(order) + 1):
        if end == len(order) or (end + 1 - start) * lengths[order[end]] > budget:
            batches.append(order[start:end])
            start = end
    return batches


def pairs(lengths, budget):
    batches, batch = [], []
    for length, i in sorted(zip(lengths, range(len(lengths)), strict=True)):
        longest = max([length] + [lengths[j] for j in batch])
        if batch and longest * (len(batch) + 1) > budget:
            batches.append(batch)
            batch = []
        batch = [*batch, i]
    return [*batches, batch]


EXERCISE = Exercise(
    title="Batches that fill the memory",
    points=3,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=token_batches,
    alternatives=(argsort, pairs),
    allowed=ALLOWED,
    mistakes=(
        mistake(
            "counted the real tokens only",
            "if sum(lengths[j] for j in batches[-1]) + lengths[i] > budget:",
            "Padding takes memory, too: a batch costs texts times the longest.",
        ),
        mistake(
            "kept the order of the file",
            (
                "for i in range(len(lengths)):",
                "if (len(batches[-1]) + 1) * max(lengths[j] for j in [*batches[-1], i]) > budget:",
            ),
            "Sort by length first; else a short text pays for a long one.",
        ),
        mistake(
            "from long to short",
            (
                "for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):",
                "if (len(batches[-1]) + 1) * max(lengths[j] for j in [*batches[-1], i]) > budget:",
            ),
            "From short to long, please, so that there is one answer.",
        ),
        mistake(
            "counted before adding",
            "if len(batches[-1]) * lengths[i] > budget:",
            "Would the batch still fit *with* the new text?",
        ),
        mistake(
            "stopped short of a full batch",
            "if batches[-1] and (len(batches[-1]) + 1) * lengths[i] >= budget:",
            "A batch may cost exactly the budget.",
        ),
        mistake(
            "lengths instead of rows",
            "batches[-1].append(lengths[i])",
            "Return which rows are in a batch, not how long they are.",
        ),
        mistake(
            "places in the sorted list",
            (
                "for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):"
                " -> for i, length in enumerate(sorted(lengths)):",
                "lengths[i] > budget -> length > budget",
            ),
            "Row numbers of the file are wanted: sort the numbers by length.",
        ),
        mistake(
            "lost the last batch",
            "return batches[:-1]",
            "When the loop ends, one batch is still open.",
        ),
        mistake(
            "an empty batch first",
            "if not batches[-1] or (len(batches[-1]) + 1) * lengths[i] > budget:",
            "Only close a batch that has something in it.",
        ),
        mistake(
            "rows numbered from 1",
            "batches[-1].append(i) -> batches[-1].append(i + 1)",
            "Row numbers begin at 0.",
        ),
        mistake(
            "each batch sorted back into the order of the file",
            "return [sorted(batch) for batch in batches]",
            "Inside a batch, too, the rows go from short to long.",
        ),
    ),
    equal=(
        ("for end in range(0, len(order) + 1):", "no text alone is above the budget"),
        ("if end >= len(order) or (end + 1 - start) * lengths[order[end]] > budget:", "the loop ends there"),
    ),
    hints=(
        "sorted(range(len(lengths)), key=lambda i: lengths[i]) are the row numbers, short texts first.",
        "As the rows come from short to long, the new text is always the longest of its batch.",
    ),
)
