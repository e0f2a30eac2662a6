"""Cut a text into windows, so that every token but the first is a target exactly once."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, T):
        ids = rng.integers(1, 50, n)
        ids[n // 2] = 0  # token 0 is no filler
        return ids, T

    at_the_ends = case(17, 5)
    at_the_ends[0][[0, -1]] = 0  # the first input, and the last target
    return [
        (np.array([5, 6, 7, 8]), 2),
        case(12, 4),
        case(13, 4),  # no filler at all
        at_the_ends,
        case(3, 6),
        case(2, 3),
        case(6, 1),
    ]


def windows(ids, T):
    count = len(ids) - 1  # of targets: every token but the first
    n = -(-count // T)  # windows, rounded up
    x = np.zeros((n, T), ids.dtype)
    y = np.full((n, T), -100, ids.dtype)
    x.flat[:count] = ids[:-1]
    y.flat[:count] = ids[1:]
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


def a_window_at_every_token(ids, T):
    return at(np.arange(len(ids) - 1), ids, T)


def at(starts, ids, T):
    """Windows that begin at these places."""
    place = starts[:, None] + np.arange(T)  # (N, T)
    there = place + 1 < len(ids)
    safe = np.where(there, place, 0)
    return np.where(there, ids[safe], 0), np.where(there, ids[safe + 1], -100)


def pieces(ids, T):
    x, y = [], []
    for start in range(0, len(ids), T + 1):
        piece = ids[start : start + T + 1].tolist()
        if len(piece) > 1:
            missing = T + 1 - len(piece)
            x.append(piece[:-1] + [0] * missing)
            y.append(piece[1:] + [-100] * missing)
    return np.array(x), np.array(y)


TAKES_THE_LAST = "x.flat[:count] = ids[:-1] -> x.flat[: len(ids)] = ids"
ONE_MORE = "n = -(-len(ids) // T)"

EXERCISE = Exercise(
    title="Windows and shifted targets",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=windows,
    alternatives=(loop, by_index),
    equal=(("x.flat[:count] = ids[:]", "a flat slice takes no more than it has room for"),),
    mistakes=(
        mistake(
            "targets not shifted: the input itself",
            "y.flat[:count] = ids[:-1]",
            "Such a model learns to copy. What does it have to say at place t, having read place t?",
        ),
        mistake(
            "shifted the wrong way: x and y exchanged",
            ("x.flat[:count] = ids[1:]", "y.flat[:count] = ids[:-1]"),
            "The future is to be guessed: which of ids[:-1] and ids[1:] is the target?",
        ),
        mistake(
            "shifted the wrong way: the target is the token before",
            "y.flat[:count] = ids[1:] -> y.flat[1:count] = ids[: count - 1]",
            "The future is to be guessed: which token comes *after* the input at t?",
        ),
        mistake(
            "shifted inside the window: its last target is lost",
            "y.flat[:count] = ids[1:]\ny[:, -1] = -100",
            "The last input of a window has a target as well: the first token of the next window.",
        ),
        mistake(
            "cut first, and shifted inside each piece: its last target is lost",
            (
                ONE_MORE,
                TAKES_THE_LAST,
                "y.flat[:count] = ids[1:]\ny[:, -1] = -100",
            ),
            "The last input of a window has a target as well: the first token of the next window.",
        ),
        mistake(
            "shifted as a ring inside the window: its last target is its own first token",
            "y.flat[:count] = ids[1:] -> y[:] = np.roll(x, -1, axis=1)\ny.flat[count:] = -100",
            "The target of a window's last input is the first token of the *next* window.",
        ),
        mistake(
            "pieces of T + 1 tokens side by side: the first of each is no target",
            pieces,
            "The first token of the second window is a target too: the last one of the first window.",
        ),
        mistake(
            "the last, shorter window left out",
            "n = count // T",
            "Every token but the first should be a target: where did the last few go?",
        ),
        mistake(
            "the filler is a target, too",
            "y = np.zeros((n, T), ids.dtype)",
            "The loss would score the model on padding: which target does cross_entropy leave out?",
        ),
        mistake(
            "-100 as the filler of the inputs",
            "x = np.full((n, T), -100, ids.dtype)",
            "-100 is for targets. What can the model look up in its table for token -100?",
        ),
        mistake(
            "token 0 taken for filler",
            "y.flat[:count] = ids[1:]\ny[x == 0] = -100",
            "0 is a token like any other: the filler is known by its place, not by its number.",
        ),
        mistake(
            "a target of 0 taken for filler",
            "y.flat[:count] = ids[1:]\ny[y == 0] = -100",
            "0 is a token like any other: the filler is known by its place, not by its number.",
        ),
        mistake(
            "windows that overlap by one token",
            overlapping_by_one,
            "The windows' inputs lie side by side: only the *targets* reach one token further.",
        ),
        mistake(
            "a new window at every token",
            a_window_at_every_token,
            "Every token is scored once: the next window begins where this one ends.",
        ),
        mistake(
            "wrapped round: the text's end predicts its beginning",
            (TAKES_THE_LAST, "y.flat[:count] = ids[1:] -> y.flat[: len(ids)] = np.roll(ids, -1)"),
            "np.roll closes the text to a ring. The last token has no successor.",
        ),
        mistake(
            "wrapped round, in a window more: the text's end predicts its beginning",
            (ONE_MORE, TAKES_THE_LAST, "y.flat[:count] = ids[1:] -> y.flat[: len(ids)] = np.roll(ids, -1)"),
            "np.roll closes the text to a ring. The last token has no successor.",
        ),
        mistake(
            "the last token is an input, too",
            TAKES_THE_LAST,
            "Nothing comes after it, so there is nothing to ask there: the filler begins in x and y at the "
            "same place.",
        ),
        mistake(
            "the last token is an input, too, in a window more",
            (ONE_MORE, TAKES_THE_LAST),
            "Nothing comes after it, so there is nothing to ask there: count the targets, not the tokens.",
        ),
        mistake(
            "one window too many",
            "n = count // T + 1",
            "Try a text of T + 1 tokens: how many windows does it need?",
        ),
    ),
    hints=(
        "The inputs are ids[:-1], the targets ids[1:]: two rows that are cut in the same way.",
        "There are len(ids) - 1 targets, so you need that number over T windows, rounded up.",
        "Fill arrays of zeros and of -100 through x.flat[:n] = ...",
    ),
)
