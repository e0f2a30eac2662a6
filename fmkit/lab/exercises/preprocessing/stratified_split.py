"""A split that keeps the balance: every class is split by itself."""

from collections import Counter

import numpy as np

from fmkit.lab.exercises.preprocessing._shared import ALLOWED
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(sizes, k):
        some = rng.permutation(12)[: len(sizes) - 1]
        names = rng.permutation([-int(rng.integers(1, 4)), *some])  # one of them below zero
        labels = np.repeat(names, sizes)  # sorted by class, as real files often are
        return labels, rng.permutation(len(labels)), k

    labels, order, k = case((7, 12, 4), 4)
    mixed = rng.permutation(np.repeat([0, 1], [14, 7]))
    cases = [case((23, 9, 6), 3), case((11, 5), 2), (labels, order, k), (mixed, rng.permutation(21), 5)]
    return [*cases, case((3, 19), 5)]


def stratified_split(labels, order, k):
    parts = []
    for label in np.unique(labels):
        rows = order[labels[order] == label]  # this class's rows, in the shuffled order
        parts.append(rows[: len(rows) // k])
    test = np.sort(np.concatenate(parts))
    return np.setdiff1d(np.arange(len(labels)), test), test


def quota(labels, order, k):
    left = {label: n // k for label, n in Counter(labels.tolist()).items()}
    is_test = np.zeros(len(labels), dtype=bool)
    for row in order:
        label = int(labels[row])
        if left[label] > 0:
            is_test[row], left[label] = True, left[label] - 1
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def ranks(labels, order, k):
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))  # where each row stands in the shuffled order
    same = labels[:, None] == labels[None, :]
    rank = (same & (place[None, :] < place[:, None])).sum(1)  # among the rows of its class
    is_test = rank < same.sum(1) // k
    rows = np.arange(len(labels))
    return rows[~is_test], rows[is_test]


EXERCISE = Exercise(
    title="A split that keeps the balance",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=stratified_split,
    alternatives=(quota, ranks),
    allowed=ALLOWED,
    mistakes=(
        mistake(
            "not class by class",
            "test = np.sort(order[: len(order) // k])",
            "Count the classes of your test rows: are they balanced as the whole is?",
        ),
        mistake(
            "left the file's order",
            "rows = np.flatnonzero(labels == label)",
            "The first rows of a class may be special: take them in the given order.",
        ),
        mistake(
            "read the order the other way",
            "rows = np.flatnonzero(labels == label)\nrows = rows[np.argsort(order[rows])]",
            "order[0] is the row that comes first; it is not the place at which row 0 comes.",
        ),
        mistake(
            "took the labels for 0, 1, 2 ...",
            "for label in range(len(np.unique(labels))):",
            "Labels can be any whole numbers: which ones occur?",
        ),
        mistake(
            "as many of each class",
            "parts.append(rows[: len(labels) // k // len(np.unique(labels))])",
            "A class with more rows gives more rows: n // k of its own n.",
        ),
        mistake(
            "rounded to the nearest",
            "parts.append(rows[: int(len(rows) / k + 0.5)])",
            "n // k rounds down: the rows left over stay in training.",
        ),
        mistake(
            "rounded up",
            "parts.append(rows[: int(np.ceil(len(rows) / k))])",
            "n // k rounds down, so that no class is used up by the test.",
        ),
        mistake(
            "took the last ones",
            "parts.append(rows[len(rows) - len(rows) // k :])",
            "The *first* n // k rows of each class, in the shuffled order, are the test.",
        ),
        mistake(
            "the test rows stay in training",
            "return np.arange(len(labels)), test",
            "A row in both parts is the plainest leak of all.",
        ),
        mistake(
            "the test rows are not in order",
            "test = np.concatenate(parts)",
            "Both results are in ascending order: np.sort.",
        ),
        mistake(
            "places in the order, not row numbers",
            "rows = order[labels[order] == label] -> rows = np.flatnonzero(labels[order] == label)",
            "A place in `order` is not a row: order[place] is.",
        ),
        mistake(
            "every k-th row of a class",
            "rows[: len(rows) // k] -> rows[k - 1 :: k]",
            "The first n // k rows of the class, in the given order.",
        ),
        mistake(
            "the labels, not the row numbers",
            "return np.setdiff1d(np.arange(len(labels)), test), test -> return "
            "labels[np.setdiff1d(np.arange(len(labels)), test)], labels[test]",
            "Return row numbers; who wants the labels looks them up with them.",
        ),
    ),
    hints=(
        "Go through np.unique(labels), and treat each class on its own.",
        "order[labels[order] == label] are the rows of one class, in the shuffled order.",
        "np.setdiff1d(np.arange(n), test) are all the other rows, in ascending order.",
    ),
)
