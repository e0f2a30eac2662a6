"""Spot the bug: what should the model predict?"""

import numpy as np

from fmkit.lab.exercises.preprocessing._shared import ALLOWED
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, b, length):
        ids = rng.integers(1, 500, n)
        starts = rng.integers(0, n - length + 1, b)
        starts[-1] = n - length  # a window that ends with the text
        ids[starts[-1]] = ids[-1]  # whose last token comes twice
        return ids, starts, length

    example = np.array([5, 6, 7, 8]), np.array([0, 2]), 2
    return [example, case(20, 3, 5), case(9, 2, 4), case(40, 5, 8), case(6, 1, 6)]


def next_tokens(ids, starts, length):
    places = starts[:, None] + np.arange(length)  # (B, T)
    return ids[places], np.append(ids, -100)[places + 1]


def windows(ids, starts, length):
    x = np.stack([ids[s : s + length] for s in starts])  # (B, T)
    y = np.full_like(x, -100)
    for row, s in zip(y, starts, strict=True):
        after = ids[s + 1 : s + 1 + length]
        row[: len(after)] = after
    return x, y


def loop(ids, starts, length):
    x = np.zeros((len(starts), length), dtype=ids.dtype)
    y = np.zeros_like(x)
    for b in range(len(starts)):
        for t in range(length):
            at = starts[b] + t
            x[b, t] = ids[at]
            y[b, t] = ids[at + 1] if at + 1 < len(ids) else -100
    return x, y


EXERCISE = Exercise(
    title="Spot the bug: what should the model predict?",
    points=2,
    minutes=8,
    difficulty=2,
    cases=cases,
    reference=next_tokens,
    alternatives=(windows, loop),
    allowed=ALLOWED,
    mistakes=(
        mistake(
            "the targets are the inputs",
            "return ids[places], ids[places]",
            "Then copying is enough. What comes *after* each token?",
        ),
        mistake(
            "the targets are the tokens before",
            "return ids[places], ids[np.maximum(places - 1, 0)]",
            "A language model looks ahead: the token at start + t + 1.",
        ),
        mistake(
            "two tokens ahead",
            "return ids[places], np.append(ids, [-100, -100])[places + 2]",
            "The target of a token is its direct neighbour.",
        ),
        mistake(
            "rolled inside the window",
            "return ids[places], np.roll(ids[places], -1, axis=1)",
            "The last target is not the window's first token: look into `ids`.",
        ),
        mistake(
            "rolled the whole batch",
            "return ids[places], np.append(ids[places].ravel()[1:], -100).reshape(places.shape)",
            "The last target of a window is not the first token of the next one.",
        ),
        mistake(
            "the text begins again at its end",
            "return ids[places], ids[(places + 1) % len(ids)]",
            "Behind the last token nothing follows: -100.",
        ),
        mistake(
            "the last token is repeated",
            "return ids[places], ids[np.minimum(places + 1, len(ids) - 1)]",
            "Behind the last token nothing follows: -100.",
        ),
        mistake(
            "no target at the end of any window",
            "return ids[places], np.pad(ids[places][:, 1:], ((0, 0), (0, 1)), constant_values=-100)",
            "Only the text has an end there; the window goes on in `ids`.",
        ),
        mistake(
            "0 where there is no target",
            "return ids[places], np.append(ids, 0)[places + 1]",
            "0 is a token like any other; -100 means: no target here.",
        ),
        mistake(
            "-100 wherever the last token stands",
            "np.append(ids, -100)[places + 1] -> np.where(ids[places] == ids[-1], -100, "
            "np.append(ids, -100)[places + 1])",
            "The text ends at a place, not at a token: the same token may stand earlier, too.",
        ),
    ),
    hints=(
        "starts[:, None] + np.arange(length) are the places of all tokens of x, as a (B, T) array.",
        "y stands one place further. np.append(ids, -100) gives the last token a target, too.",
    ),
)
