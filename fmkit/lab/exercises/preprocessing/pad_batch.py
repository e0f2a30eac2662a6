"""A batch for BERT: marks, cut, padded, with its mask."""

import numpy as np

from fmkit.lab.exercises.preprocessing._shared import ALLOWED
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(sizes, max_length):
        cls_id, sep_id, pad_id = (int(i) for i in rng.permutation(np.arange(1, 60))[:3])
        rows = [[int(i) for i in rng.integers(60, 99, size)] for size in sizes]
        rows[0][: len(rows[0]) // 2] = [pad_id] * (len(rows[0]) // 2)  # a real token with the padding's id
        return rows, max_length, cls_id, sep_id, pad_id

    return [case((5, 9, 2), 7), case((4, 0, 3), 12), case((8,), 6), case((3, 6, 1, 6), 8), case((2, 1), 2)]


def pad_batch(rows, max_length, cls_id, sep_id, pad_id):
    whole = [[cls_id, *row[: max_length - 2], sep_id] for row in rows]
    sizes = np.array([len(row) for row in whole])
    mask = np.arange(sizes.max()) < sizes[:, None]  # (B, T)
    ids = np.full(mask.shape, pad_id)
    ids[mask] = np.concatenate(whole)
    return ids, mask.astype(np.int64)


def row_by_row(rows, max_length, cls_id, sep_id, pad_id):
    rows = [[cls_id, *row[: max_length - 2], sep_id] for row in rows]
    ids = np.full((len(rows), max(len(row) for row in rows)), pad_id)
    mask = np.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return ids, mask


def lists(rows, max_length, cls_id, sep_id, pad_id):
    lengths = [min(len(row), max_length - 2) + 2 for row in rows]
    ids, mask = [], []
    for row, n in zip(rows, lengths, strict=True):
        filler = max(lengths) - n
        ids.append([cls_id, *row[: n - 2], sep_id] + [pad_id] * filler)
        mask.append([1] * n + [0] * filler)
    return np.array(ids), np.array(mask)


EXERCISE = Exercise(
    title="A batch for BERT",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=pad_batch,
    alternatives=(row_by_row, lists),
    allowed=ALLOWED,
    mistakes=(
        mistake(
            "always as long as max_length",
            "mask = np.arange(max_length) < sizes[:, None]",
            "Pad to the longest row that the batch really has.",
        ),
        mistake(
            "lost the closing mark where it cut",
            "whole = [[cls_id, *row, sep_id][:max_length] for row in rows]",
            "First make room for both marks, then cut the text.",
        ),
        mistake(
            "two ids too long",
            "whole = [[cls_id, *row[:max_length], sep_id] for row in rows]",
            "The marks count, too: how many ids of the text fit?",
        ),
        mistake(
            "cut the beginning",
            "whole = [[cls_id, *row[max(0, len(row) + 2 - max_length) :], sep_id] for row in rows]",
            "A classifier's text keeps its beginning: cut at the end.",
        ),
        mistake(
            "filled with zeros",
            "ids = np.zeros(mask.shape, dtype=np.int64)",
            "The filling is pad_id; 0 is some word here.",
        ),
        mistake(
            "padded on the left",
            "mask = np.arange(sizes.max())[::-1] < sizes[:, None]",
            "Here the filling stands behind the text.",
        ),
        mistake(
            "hid the marks",
            "return ids, (mask & (ids != cls_id) & (ids != sep_id)).astype(np.int64)",
            "The marks are read by the model like any word: their mask is 1.",
        ),
        mistake(
            "the mask from the ids",
            "return ids, (ids != pad_id).astype(np.int64)",
            "A text may hold pad_id as a real token: only the lengths know.",
        ),
        mistake(
            "no mask at all",
            "return ids, np.ones_like(ids)",
            "A 1 for a real token, a 0 for filling.",
        ),
        mistake(
            "the mask the other way round",
            "return ids, 1 - mask",
            "1 means: look here.",
        ),
    ),
    hints=(
        "First make every row final: the opening mark, at most max_length - 2 ids, the closing mark.",
        "np.full((B, T), pad_id) is a batch of nothing but filling; T is the longest row.",
        "Write ids and mask row by row: out[i, :len(row)] = row. The mask comes from the lengths.",
    ),
)
