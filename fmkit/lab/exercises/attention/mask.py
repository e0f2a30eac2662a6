"""Weights that see a window of the past, and no padding."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, h, t, window, size=1.0):
        real = np.ones((b, t), np.int64)
        for row in range(b):
            left, gone = row % 2, int(rng.integers(1, t - 1))
            real[row, :gone] = left  # padded in front ...
            real[row, t - gone :] = 1 - left  # ... or at the end
        return size * rng.normal(size=(b, h, t, t)), real, window

    loud_head = np.array([1500.0, -1500.0])[:, None, None]  # one head far above the other
    open_row = (rng.normal(size=(1, 2, 6, 6)) + loud_head, np.ones((1, 6), np.int64), 4)
    shouts = [case(2, 1, 6, 3), case(2, 1, 6, 3)]
    for (scores, _, _), size in zip(shouts, (3000.0, 30000.0), strict=True):
        scores[..., rng.integers(1, 5)] += 3000.0
        scores[..., 5] += size  # the future shouts
    return [case(3, 2, 5, 3), open_row, *shouts, case(2, 3, 7, 2), case(4, 1, 4, 1)] + [
        as_float32(case(2, 2, 8, 5))
    ]


def masked_weights(scores, real, window):
    T = scores.shape[-1]
    age = np.arange(T)[:, None] - np.arange(T)
    seen = (age >= 0) & (age < window) & (real[:, None, None, :] == 1)  # (B, 1, T, T)
    scores = np.where(seen, scores, -np.inf)
    top = scores.max(-1, keepdims=True)
    e = np.exp(scores - np.where(np.isfinite(top), top, 0.0))
    total = e.sum(-1, keepdims=True)
    return e / np.where(total > 0, total, 1.0)


def loop(scores, real, window):
    weights = np.zeros_like(scores)
    for b, h, t in np.ndindex(scores.shape[:3]):
        seen = [s for s in range(max(0, t - window + 1), t + 1) if real[b, s]]
        if seen:
            e = np.exp(scores[b, h, t, seen] - scores[b, h, t, seen].max())
            weights[b, h, t, seen] = e / e.sum()
    return weights


def additive(scores, real, window):
    T = scores.shape[-1]
    band = np.tri(T, dtype=bool) & ~np.tri(T, k=-window, dtype=bool)
    seen = band & (real.astype(bool)[:, None, None, :])
    scores = scores + np.where(seen, 0.0, -np.inf).astype(scores.dtype)
    e = np.exp(scores - np.maximum(scores.max(-1, keepdims=True), -1e30))
    return e / np.maximum(e.sum(-1, keepdims=True), 1e-30)


PLAIN_SOFTMAX = ("e = np.exp(scores - top)", "return e / total")  # a row that sees nothing is 0 / 0

EXERCISE = Exercise(
    title="A window into the past, and padding",
    points=4,
    minutes=18,
    difficulty=4,
    cases=cases,
    reference=masked_weights,
    alternatives=(loop, additive),
    mistakes=(
        mistake(
            "masked after the softmax",
            ("scores = np.where(seen, scores, -np.inf) ->", "return e / total * seen"),
            "The rows no longer add up to 1: who was counted below the fraction line?",
        ),
        mistake(
            "masked after the softmax, and divided again",
            ("scores = np.where(seen, scores, -np.inf) ->", "e = np.exp(scores - top) * seen"),
            "It works until a hidden score is huge: then all that is visible has rounded to 0. Hide "
            "before the softmax.",
        ),
        mistake(
            "the score set to 0, not to -inf",
            "scores = np.where(seen, scores, 0.0)",
            "exp(0) is 1, a vote like any other. Which score has exp 0?",
        ),
        mistake(
            "-1 instead of -inf",
            "scores = np.where(seen, scores, -1.0)",
            "exp(-1) is 0.37, still a vote. Which score has exp 0?",
        ),
        mistake(
            "the mask added as 0 and 1",
            "scores = scores + seen",
            "Adding 0 hides nothing: a hidden score needs -inf added to it.",
        ),
        mistake(
            "the future is visible",
            "(age >= 0) & (age < window) -> (np.abs(age) < window)",
            "Position t may look at t and what came before it, nothing later.",
        ),
        mistake(
            "the window has no end in the future",
            "(age >= 0) & (age < window) -> (age < window)",
            "t - s is smaller than the window for every s in the future, too: what else must hold?",
        ),
        mistake(
            "the window counts real tokens only",
            "age = np.cumsum(real, 1)[:, None, :, None] - np.cumsum(real, 1)[:, None, None, :]",
            "The window counts positions, padding among them; then the padding in it is left out.",
        ),
        mistake(
            "the future instead of the past",
            "age = np.arange(T) - np.arange(T)[:, None]",
            "Rows look, columns are looked at: which triangle of the matrix is the past?",
        ),
        mistake(
            "cannot see itself",
            "age >= 0 -> age > 0",
            "A position sees itself, too: the diagonal is visible.",
        ),
        mistake(
            "a window one too wide",
            "age < window -> age <= window",
            "A window of 1 is the position alone: count how many columns your rows can see.",
        ),
        mistake(
            "a window one too narrow",
            "age < window -> age < max(window - 1, 1)",
            "A window of 1 is the position alone, one of 2 sees the one before it as well.",
        ),
        mistake(
            "no window",
            "(age >= 0) & (age < window) -> (age >= 0)",
            "Only the last `window` positions count, the present one among them.",
        ),
        mistake(
            "the padding is visible",
            "seen = (age >= 0) & (age < window)",
            "real is 0 at padding: no position may look there.",
        ),
        mistake(
            "padding hidden as query, not as key",
            "real[:, None, None, :] -> real[:, None, :, None]",
            "Padding must not be looked AT: it is a matter of columns, the last axis.",
        ),
        mistake(
            "padding hidden as query, too",
            "real[:, None, None, :] -> real[:, None, None, :] * real[:, None, :, None]",
            "Only being looked at is forbidden. A padded position may look at real ones: nobody reads "
            "its result.",
        ),
        mistake(
            "the scores multiplied by the mask",
            ("scores = scores * np.where(seen, 1.0, -np.inf).astype(scores.dtype)", *PLAIN_SOFTMAX),
            "A negative score times -inf is plus infinity: the mask is added, or chosen with np.where.",
        ),
        mistake(
            "1 means padding",
            "real[:, None, None, :] == 1 -> real[:, None, None, :] == 0",
            "real is 1 for a real token.",
        ),
        mistake(
            "NaN where nothing is visible",
            PLAIN_SOFTMAX,
            "A row that sees nothing is 0 / 0: the exercise wants zeros there.",
        ),
        mistake(
            "-1e9: equal weights where nothing is visible",
            "scores = np.where(seen, scores, -1e9)",
            "Where all scores are -1e9 they are all equal, and softmax shares out evenly among what "
            "should be hidden.",
        ),
        mistake(
            "-1e9 added: weights where nothing is visible",
            "scores = scores + np.where(seen, 0.0, -1e9).astype(scores.dtype)",
            "Where all of a row is hidden, the same number was added everywhere, and softmax does not "
            "notice.",
        ),
        mistake(
            "-10000 added: not low enough",
            (
                "scores = scores + np.where(seen, 0.0, -1e4).astype(scores.dtype)",
                "return e / total * seen.any(-1, keepdims=True)",
            ),
            "A hidden score of 30000 stays far above the visible ones: -inf is lower than any number.",
        ),
        mistake(
            "-10000 added: not low enough, and weights where nothing is visible",
            "scores = scores + np.where(seen, 0.0, -1e4).astype(scores.dtype)",
            "A hidden score of 30000 stays far above the visible ones: -inf is lower than any number.",
        ),
        mistake(
            "softmax over the queries",
            ("scores.max(-1 -> scores.max(-2", "e.sum(-1 -> e.sum(-2"),
            "Each query has weights of its own that add up to 1: over which axis?",
        ),
        mistake(
            "exp without taking the maximum off",
            "e = np.exp(scores)",
            "exp(1000) is inf: take each row's maximum off first.",
        ),
        mistake(
            "one maximum for the whole array",
            ("scores = np.where(seen, scores - scores.max(), -np.inf)", "e = np.exp(scores)"),
            "Seen from one huge score, everything else rounds to 0: each row takes its own maximum off, "
            "of what it may see.",
        ),
    ),
    hints=(
        "Make one array of truth values, seen: (T, T) for past and window, `real[:, None, None, :]` for "
        "padding.",
        "Scores that are not seen become -inf: np.where(seen, scores, -np.inf). Then the softmax.",
        "A row of nothing but -inf has the maximum -inf, and -inf minus -inf is not a number: make the "
        "maximum finite.",
    ),
)
