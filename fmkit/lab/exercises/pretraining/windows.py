"""Cut a text into windows, so that every token but the first is a target exactly once."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, T):
        return rng.integers(0, 50, n), T

    return [case(12, 4), case(13, 4), case(17, 5), case(3, 6), case(2, 3), case(6, 1)]


def windows(ids, T):
    n = -(-(len(ids) - 1) // T)  # enough windows for all targets
    x, y = np.zeros((n, T), ids.dtype), np.full((n, T), -100, ids.dtype)
    x.flat[: len(ids) - 1] = ids[:-1]
    y.flat[: len(ids) - 1] = ids[1:]
    return x, y


def loop(ids, T):
    x, y = [], []
    for start in range(0, len(ids) - 1, T):
        piece = ids[start : start + T + 1].tolist()  # one token more than a window: the last one's target
        missing = T + 1 - len(piece)
        x.append(piece[:-1] + [0] * missing)
        y.append(piece[1:] + [-100] * missing)
    return np.array(x), np.array(y)


def by_index(ids, T):
    return at(np.arange(0, len(ids) - 1, T), ids, T)


def overlapping_by_one(ids, T):
    return at(np.arange(0, len(ids) - 1, max(T - 1, 1)), ids, T)


def at(starts, ids, T):
    """Windows that begin at these places."""
    place = starts[:, None] + np.arange(T)  # (N, T)
    there = place + 1 < len(ids)
    safe = np.where(there, place, 0)
    return np.where(there, ids[safe], 0), np.where(there, ids[safe + 1], -100)


ALL_TOKENS_ARE_INPUTS = "x.flat[: len(ids) - 1] = ids[:-1] -> x.flat[: len(ids)] = ids"

EXERCISE = Exercise(
    title="Windows and shifted targets",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=windows,
    alternatives=(loop, by_index),
    mistakes=(
        mistake(
            "targets not shifted: the input itself",
            "y.flat[: len(ids) - 1] = ids[:-1]",
            "Such a model learns to copy. What does it have to say at place t, having read place t?",
        ),
        mistake(
            "shifted the wrong way: the token before",
            (
                ALL_TOKENS_ARE_INPUTS,
                "y.flat[: len(ids) - 1] = ids[1:] -> y[:, 1:] = x[:, :-1]\ny.flat[len(ids) - 1 :] = -100",
            ),
            "The future is to be guessed: which of ids[:-1] and ids[1:] is the target?",
        ),
        mistake(
            "shifted inside the window: its last target is lost",
            (ALL_TOKENS_ARE_INPUTS, "y.flat[: len(ids) - 1] = ids[1:]\ny[:, -1] = -100"),
            "The last input of a window has a target as well: the first token of the next window.",
        ),
        mistake(
            "the last, shorter window left out",
            "n = (len(ids) - 1) // T",
            "Every token but the first should be a target: where did the last few go?",
        ),
        mistake(
            "the filler is a target, too",
            "x, y = np.zeros((n, T), ids.dtype), np.zeros((n, T), ids.dtype)",
            "The loss would score the model on padding: which target does cross_entropy leave out?",
        ),
        mistake(
            "windows that overlap by one token",
            overlapping_by_one,
            "The windows' inputs lie side by side: only the *targets* reach one token further.",
        ),
        mistake(
            "wrapped round: the text's end predicts its beginning",
            (
                ALL_TOKENS_ARE_INPUTS,
                "y.flat[: len(ids) - 1] = ids[1:] -> y.flat[: len(ids)] = np.roll(ids, -1)",
            ),
            "np.roll closes the text to a ring. The last token has no successor.",
        ),
        mistake(
            "the last token is an input, too",
            ALL_TOKENS_ARE_INPUTS,
            "Nothing comes after it, so there is nothing to ask there: the filler begins in x and y at the "
            "same place.",
        ),
        mistake(
            "one window too many",
            "n = (len(ids) - 1) // T + 1",
            "Try a text of T + 1 tokens: how many windows does it need?",
        ),
    ),
    hints=(
        "The inputs are ids[:-1], the targets ids[1:]: two rows that are cut in the same way.",
        "There are len(ids) - 1 targets, so you need that number over T windows, rounded up.",
        "Fill arrays of zeros and of -100 through x.flat[:n] = ...",
    ),
)
