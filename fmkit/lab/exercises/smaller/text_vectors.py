"""Vectors of texts from a table of words: rare words count more, and what all texts share goes."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(v, d, b, t, smooth=0.05):
        table = rng.normal(size=(v, d)) + 2.0 * rng.normal(size=d)  # they have something in common
        counts = rng.integers(0, 200, v)
        counts[0] = 2000
        ids = rng.integers(0, v, (b, t))
        mask = (np.arange(t) < rng.integers(1, t + 1, b)[:, None]).astype(np.int64)
        mask[0] = 1
        return table, ids, mask, counts, smooth

    example = (
        np.array([[1.0, 0.0], [0.0, 1.0], [3.0, 1.0]]),
        np.array([[0, 2], [1, 0]]),
        np.array([[1, 1], [1, 0]]),
        np.array([2, 1, 1]),
        0.25,
    )
    return [
        example,
        case(9, 4, 6, 5),
        case(12, 3, 5, 4, 0.001),
        case(7, 5, 8, 6, 1.0),
        case(20, 6, 7, 9, 0.01),
        as_float32(case(10, 4, 6, 7)),
    ]


def text_vectors(table, ids, mask, counts, smooth):
    weight = smooth / (smooth + counts / counts.sum())  # (V,)
    share = (weight[ids] * mask / mask.sum(1, keepdims=True)).astype(table.dtype)  # (B, T)
    x = (share[:, :, None] * table[ids]).sum(1)  # (B, D)
    common = np.linalg.svd(x, full_matrices=False)[2][0]
    return x - np.outer(x @ common, common)


def loops(table, ids, mask, counts, smooth):
    total, x = counts.sum(), np.zeros((len(ids), table.shape[1]), table.dtype)
    for b, (text, real) in enumerate(zip(ids, mask, strict=True)):
        for token, there in zip(text, real, strict=True):
            if there:
                x[b] += table[token] * float(smooth / (smooth + counts[token] / total))
        x[b] /= real.sum()
    _, vectors = np.linalg.eigh(x.T @ x)
    return x - (x @ vectors[:, -1:]) @ vectors[:, -1:].T


def weighted_table(table, ids, mask, counts, smooth):
    rows = table * (smooth / (smooth + counts / counts.sum()))[:, None].astype(table.dtype)
    x = np.stack([rows[text[real == 1]].mean(0) for text, real in zip(ids, mask, strict=True)])
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    return (u[:, 1:] * s[1:]) @ vt[1:]


EXERCISE = Exercise(
    title="Vectors of texts from a table",
    points=3,
    minutes=20,
    difficulty=3,
    tolerance=1e-4,
    cases=cases,
    reference=text_vectors,
    alternatives=(loops, weighted_table),
    equal=(
        (
            "share = (weight[ids] * mask / mask.sum(-1, keepdims=True)).astype(table.dtype)",
            "the last axis, by its other number",
        ),
        ("common = np.linalg.svd(x)[2][0]", "the first direction is the same"),
        ("common = np.linalg.svd(x, full_matrices=True)[2][0]", "the first direction is the same"),
        ("return x - np.outer(x @ common.T, common)", "a vector has no transpose"),
    ),
    teaches=("distillation.word_table",),
    mistakes=(
        mistake(
            "every word counts the same",
            "weight = np.ones(len(counts))",
            "Frequent words say little: smooth / (smooth + share).",
        ),
        mistake(
            "frequent words count more",
            "weight = counts / counts.sum() / (smooth + counts / counts.sum())",
            "smooth stands on top: a rare word has a weight near 1.",
        ),
        mistake(
            "counts for shares",
            "weight = smooth / (smooth + counts)",
            "The share of a word is its count divided by all counts.",
        ),
        mistake(
            "shares in these texts, not in the corpus",
            "weight = smooth / (smooth + np.bincount(ids.ravel(), minlength=len(counts)) / ids.size)",
            "`counts` says how frequent a word is; a few texts do not.",
        ),
        mistake(
            "shares in the real words of these texts",
            "weight = smooth / (smooth + np.bincount(ids[mask == 1], minlength=len(counts)) / mask.sum())",
            "`counts` says how frequent a word is in the corpus; a few texts do not.",
        ),
        mistake(
            "divided by the sum of the weights",
            "share = (weight[ids] * mask / (weight[ids] * mask).sum(1, keepdims=True)).astype(table.dtype)",
            "The sum of the weighted words is divided by their number: a text of frequent words stays short.",
        ),
        mistake(
            "padding counts",
            "share = (weight[ids] / ids.shape[1]).astype(table.dtype)",
            "Where the mask is 0 there is no word.",
        ),
        mistake(
            "padding added, the real words counted",
            "share = (weight[ids] / mask.sum(1, keepdims=True)).astype(table.dtype)",
            "Where the mask is 0 there is no word to add.",
        ),
        mistake(
            "divided by the padded length",
            "share = (weight[ids] * mask / ids.shape[1]).astype(table.dtype)",
            "Divide by the number of real words of each text.",
        ),
        mistake(
            "not divided",
            "share = (weight[ids] * mask).astype(table.dtype)",
            "A mean: divide by the number of real words.",
        ),
        mistake(
            "the mean taken off, not the direction",
            "return x - x.mean(0)",
            "What goes is each vector's part along the common direction.",
        ),
        mistake(
            "the mean taken off first",
            "common = np.linalg.svd(x - x.mean(0), full_matrices=False)[2][0]",
            "The common direction is of the vectors as they are, not centred.",
        ),
        mistake(
            "the direction of the table",
            "common = np.linalg.svd(table, full_matrices=False)[2][0]",
            "What the *texts* have in common.",
        ),
        mistake(
            "the last direction instead of the first",
            "common = np.linalg.svd(x, full_matrices=False)[2][-1]",
            "The first row of vt is the strongest.",
        ),
        mistake(
            "a column of vt",
            "common = np.linalg.svd(x, full_matrices=False)[2][:, 0]",
            "NumPy's SVD gives vt: the right singular vectors are its *rows*.",
        ),
        mistake(
            "the direction itself taken off",
            "return x - np.linalg.svd(x, full_matrices=False)[1][0] * common",
            "From each vector goes *its* part along the direction: (x @ common) times it.",
        ),
        mistake(
            "nothing taken off",
            "return x",
            "What all texts share goes: the part along the first direction.",
        ),
        mistake(
            "only the common part returned",
            "return np.outer(x @ common, common)",
            "That is what goes; the rest stays.",
        ),
    ),
    hints=(
        "weight[ids] * mask are the weights of the real words; divide by mask.sum(1, keepdims=True).",
        "(share[:, :, None] * table[ids]).sum(1) is one vector for each text.",
        "The first row of vt of the SVD is the direction; np.outer(x @ common, common) is the part along it.",
    ),
)
