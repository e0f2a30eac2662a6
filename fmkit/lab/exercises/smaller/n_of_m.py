"""Of every m neighbours the n that matter most."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(o, i, n, m):
        w = rng.normal(size=(o, i))
        w[0, :m] = -0.5  # alike
        return w, rng.uniform(0.1, 3.0, i), n, m

    example = np.array([[1.0, -3.0, 2.0, 0.5]]), np.array([9.0, 1.0, 1.0, 1.0]), 2, 4
    ties = np.array([[1.0, -1.0, 1.0, 1.0], [2.0, 2.0, -2.0, 0.0]]), np.ones(4), 2, 4
    silent = np.array([[5.0, 0.1, 0.2, 0.3, 1.0, -2.0]]), np.array([0.0, 1.0, 1.0, 1.0, 0.5, 0.5]), 1, 3
    return [
        example,
        ties,
        silent,
        case(4, 8, 2, 4),
        case(3, 12, 1, 4),
        case(6, 9, 2, 3),
        case(8, 8, 3, 4),
        (rng.choice([-2.0, -1.0, 1.0, 2.0], (3, 120)), np.ones(120), 13, 60),  # many alike
        case(3, 4, 1, 1),  # nothing goes
        as_float32(case(5, 10, 3, 5)),
    ]


def n_of_m(w, norms, n, m):
    matters = (np.abs(w) * norms).reshape(len(w), -1, m)  # (O, I/m, m)
    order = np.argsort(-matters, axis=2, kind="stable")  # the largest first
    keep = np.zeros(matters.shape, bool)
    np.put_along_axis(keep, order[:, :, :n], True, axis=2)
    return np.where(keep.reshape(w.shape), w, 0)


def loops(w, norms, n, m):
    out = np.zeros_like(w)
    for o in range(len(w)):
        for start in range(0, w.shape[1], m):
            group = range(start, start + m)
            for i in sorted(group, key=lambda i, row=w[o]: (-abs(row[i]) * norms[i], i))[:n]:
                out[o, i] = w[o, i]
    return out


def by_rank(w, norms, n, m):
    size = np.abs(w * norms).reshape(len(w), -1, m)
    larger = (size[..., None, :] > size[..., :, None]).sum(-1)
    earlier = np.tril(size[..., None, :] == size[..., :, None], -1).sum(-1)
    return w * (larger + earlier < n).reshape(w.shape)


def two_of_four_always(w, norms, n, m):
    return n_of_m(w, norms, 2, 4) if w.shape[1] % 4 == 0 else w.copy()


EXERCISE = Exercise(
    title="n of m, by what comes through",
    points=2,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=n_of_m,
    alternatives=(loops, by_rank),
    equal=(
        (
            "matters = (np.abs(w) * norms).reshape(len(w), -2, m)",
            "NumPy takes any number below 0 for the size that is left",
        ),
        ("order = np.argsort(-matters, axis=-1, kind='stable')", "the last axis, by its other number"),
        ("np.put_along_axis(keep, order[:, :, :n], True, axis=-1)", "the last axis, by its other number"),
        ("order = np.argsort(-matters, kind='stable')", "argsort's own axis is the last"),
    ),
    teaches=("pruning.two_of_four", "pruning.keep_largest"),
    mistakes=(
        mistake(
            "norms unused",
            "matters = np.abs(w).reshape(len(w), -1, m)",
            "A small weight on a large input matters more than a large one on a silent input.",
        ),
        mistake(
            "keeps the small ones",
            'order = np.argsort(matters, axis=2, kind="stable")',
            "The largest stay.",
        ),
        mistake(
            "leaves out n instead of keeping n",
            "np.put_along_axis(keep, order[:, :, : m - n], True, axis=2)",
            "n of m stay.",
        ),
        mistake(
            "the sign counts",
            "matters = (w * norms).reshape(len(w), -1, m)",
            "-3 matters as much as 3.",
        ),
        mistake(
            "groups along the outputs",
            (
                "matters = (np.abs(w) * norms).T.reshape(len(w), -1, m)",
                "return np.where(keep.reshape(w.T.shape).T, w, 0)",
            ),
            "The m neighbours are inputs of one output: they lie in a row of w.",
        ),
        mistake(
            "every m-th instead of neighbours",
            (
                "matters = (np.abs(w) * norms).reshape(len(w), m, -1).swapaxes(1, 2)",
                "return np.where(keep.swapaxes(1, 2).reshape(w.shape), w, 0)",
            ),
            "Neighbours: inputs 0 to m - 1 are the first group.",
        ),
        mistake(
            "over the whole row, not each group",
            (
                "matters = (np.abs(w) * norms)[:, None]",
                "np.put_along_axis(keep, order[:, :, : n * w.shape[1] // m], True, axis=2)",
            ),
            "Each group of m keeps n: the hardware wants the same number everywhere.",
        ),
        mistake(
            "ties keep more than n",
            "return np.where((matters >= np.sort(matters, axis=2)[:, :, -n, None]).reshape(w.shape), w, 0)",
            "Of equal ones the first stay, and never more than n.",
        ),
        mistake(
            "of equal ones the last stay",
            'order = np.argsort(matters, axis=2, kind="stable")[:, :, ::-1]',
            "Of equal ones the first stay.",
        ),
        mistake(
            "the weights returned times the norms",
            "return np.where(keep.reshape(w.shape), w * norms, 0)",
            "The norms only choose; the weights stay what they are.",
        ),
        mistake(
            "divided by the norms",
            "matters = (np.abs(w) / (norms + 1e-9)).reshape(len(w), -1, m)",
            "What comes through is weight times input.",
        ),
        mistake(
            "2 of 4, whatever n and m",
            two_of_four_always,
            "n and m are given: groups of m, and n of each stay.",
        ),
        mistake(
            "the mask returned",
            "return keep.reshape(w.shape)",
            "Return the weight, with 0 where it is left out.",
        ),
    ),
    hints=(
        "(np.abs(w) * norms).reshape(len(w), -1, m) has a group in its last axis.",
        'np.argsort(-matters, axis=2, kind="stable") keeps the order of equal ones.',
        "np.put_along_axis sets the n first of that order to True.",
    ),
)
