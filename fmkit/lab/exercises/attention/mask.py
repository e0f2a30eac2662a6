"""Weights that see a window of the past, and no padding."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def small(real, window):
        t = len(real)
        return rng.normal(size=(1, 1, t, t)), np.array([real]), window

    return [
        (np.zeros((1, 1, 3, 3)), np.ones((1, 3), np.int64), 2),
        small([0, 1, 1], 2),
        small([1, 1, 0], 2),
        small([1, 1, 0], 1),
        small([1, 1, 1], 2),
        small([0, 0], 3),
        small([1], 1),
        _case(rng, 3, 2, 5, 3),
        _case(rng, 2, 3, 7, 2),
        _case(rng, 4, 1, 4, 1),
        _case(rng, 2, 2, 3, 8),
        *_shouts(rng),
        as_float32(_case(rng, 2, 3, 8, 5)),
    ]


def _case(rng, b, h, t, window, padded=None):
    real = np.ones((b, t), np.int64)
    for row in range(b):
        gone = padded or int(rng.integers(1, t - 1))
        if row % 2:
            real[row, t - gone :] = 0
        else:
            real[row, :gone] = 0
    return rng.normal(size=(b, h, t, t)), real, window


def _shouts(rng):
    """One head far above the other; thousands; and what is hidden, future and padding, at 30,000."""
    loud_head = np.array([1500.0, -1500.0])[:, None, None]
    yield rng.normal(size=(1, 2, 6, 6)) + loud_head, np.ones((1, 6), np.int64), 4
    for hidden in (3000.0, 30000.0):
        scores, real, window = _case(rng, 2, 1, 6, 3, padded=2)
        scores[..., rng.integers(2, 4)] += 3000.0  # nobody pads these
        scores[..., 5] += hidden
        scores[0, ..., 1] += hidden
        yield scores, real, window


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


NOT_A_NUMBER = "np.where(total > 0, total, 1.0) -> total"  # a row that sees nothing is 0 / 0
ZEROS = "return e / total * seen.any(-1, keepdims=True)"
PAST = "(age >= 0) & (age < window)"

EXERCISE = Exercise(
    title="A window into the past, and padding",
    points=4,
    minutes=25,
    difficulty=4,
    cases=cases,
    reference=masked_weights,
    alternatives=(loop, additive),
    equal=(
        ("T = scores.shape[-2]", "the last two axes are of one length"),
        ("seen = (age >= 0) & (age < window) & (real[:, None, None, :] >= 1)", "real is 0 or 1"),
        ("e = np.exp(scores - np.where(np.isfinite(top), top, 1.0))", "any number will do: e is 0"),
        ("return e / np.where(total > 0, total, 0.5)", "any number will do: e is 0"),
        ("return e / np.where(total > 0, total, 2.0)", "any number will do: e is 0"),
        ("return e / np.where(total > 0, total, -1.0)", "any number will do: e is 0"),
        ("return e / np.where(total > 1, total, 1.0)", "a total is 0 or at least 1"),
        ("seen = [s for s in range(max(t - window + 1, 0), t + 1) if real[b, s]]", "max has no order"),
    ),
    mistakes=(
        mistake(
            "masked after the softmax",
            ("scores = np.where(seen, scores, -np.inf) ->", "return e / total * seen"),
            "The rows no longer add up to 1: who was counted below the fraction line?",
        ),
        mistake(
            "the maximum taken over the hidden scores, too",
            ("scores = np.where(seen, scores, -np.inf) ->", "e = np.exp(scores - top) * seen"),
            "Where a hidden score is huge, all that is visible has rounded to 0 before the division: "
            "hide before the softmax.",
        ),
        mistake(
            "the maximum taken over the hidden scores, too, and a row of zeros divided by 0",
            (
                "scores = np.where(seen, scores, -np.inf) ->",
                "e = np.exp(scores - top) * seen",
                NOT_A_NUMBER,
            ),
            "Where a hidden score is huge, all that is visible has rounded to 0: hide before the softmax. "
            "And a row that sees nothing is 0 / 0.",
        ),
        mistake(
            "the score set to 0, not to -inf",
            "scores = np.where(seen, scores, 0.0)",
            "exp(0) is 1, a vote like any other. Which score has exp 0?",
        ),
        mistake(
            "the score set to 0, not to -inf (but zeros where nothing is visible)",
            ("scores = np.where(seen, scores, 0.0)", ZEROS),
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
            "the mask added as 0 and 1 (but zeros where nothing is visible)",
            ("scores = scores + seen", ZEROS),
            "Adding 0 hides nothing: a hidden score needs -inf added to it.",
        ),
        mistake(
            "the future is visible",
            f"{PAST} -> (np.abs(age) < window)",
            "Position t may look at t and what came before it, nothing later.",
        ),
        mistake(
            "the future is visible, and the window one too wide",
            f"{PAST} -> (np.abs(age) <= window)",
            "Position t may look at t and what came before it, nothing later; a window of 1 is t alone.",
        ),
        mistake(
            "the window has no end in the future",
            "(age >= 0) & ->",
            "t - s is smaller than the window for every s in the future, too: what else must hold?",
        ),
        mistake(
            "the window counts real tokens only",
            "age = np.cumsum(real, 1)[:, None, :, None] - np.cumsum(real, 1)[:, None, None, :]",
            "The window counts positions, padding among them; then the padding in it is left out.",
        ),
        mistake(
            "the last positions of the text instead of those before t",
            "age < window -> np.arange(T) >= T - window",
            "The window moves along with t: how far is s behind t?",
        ),
        mistake(
            "blocks instead of a sliding window",
            "age < window -> np.arange(T)[:, None] // window == np.arange(T) // window",
            "The window slides: every position sees as many before it as any other.",
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
            "the `window` positions before t, without t itself",
            f"{PAST} -> (age > 0) & (age <= window)",
            "A window of 1 is the position alone: t itself is the last of those that it sees.",
        ),
        mistake(
            "a window one too wide",
            "age < window -> age <= window",
            "A window of 1 is the position alone: count how many columns your rows can see.",
        ),
        mistake(
            "a window one too narrow",
            "age < window -> age < window - 1",
            "A window of 1 is the position alone, one of 2 sees the one before it as well.",
        ),
        mistake(
            "no window",
            "& (age < window) ->",
            "Only the last `window` positions count, the present one among them.",
        ),
        mistake(
            "the padding is visible",
            "& (real[:, None, None, :] == 1) ->",
            "real is 0 at padding: no position may look there.",
        ),
        mistake(
            "the padding taken to stand behind the text",
            "real[:, None, None, :] == 1 -> np.arange(T) < real.sum(1)[:, None, None, None]",
            "How many are real does not say where they are: padding may stand in front.",
        ),
        mistake(
            "the padding taken to stand in front of the text",
            "real[:, None, None, :] == 1 -> np.arange(T) >= T - real.sum(1)[:, None, None, None]",
            "How many are real does not say where they are: padding may stand behind.",
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
            "real laid along the heads",
            "real[:, None, None, :] -> real[:, None, :]",  # an exception, unless as many heads as texts
            "scores has four axes: real needs one for the heads and one for the queries.",
        ),
        mistake(
            "the scores multiplied by the mask",
            (
                "scores = scores * np.where(seen, 1.0, -np.inf).astype(scores.dtype)",
                "e = np.exp(scores - top)",
                NOT_A_NUMBER,
            ),
            "A negative score times -inf is plus infinity: the mask is added, or chosen with np.where.",
        ),
        mistake(
            "0 times infinity: the mask multiplied by -inf",
            (
                "scores = scores + ((1.0 - seen) * -np.inf).astype(scores.dtype)",
                "e = np.exp(scores - top)",
                NOT_A_NUMBER,
            ),
            "0 times -inf is not a number: choose with np.where, do not multiply.",
        ),
        mistake(
            "1 means padding",
            "real[:, None, None, :] == 1 -> real[:, None, None, :] == 0",
            "real is 1 for a real token.",
        ),
        mistake(
            "NaN where nothing is visible",
            NOT_A_NUMBER,
            "A row that sees nothing is 0 / 0: the exercise wants zeros there.",
        ),
        mistake(
            "where nothing is visible, the position itself",
            "scores = np.where(seen | (~seen.any(-1, keepdims=True) & (age == 0)), scores, -np.inf)",
            "A row that sees nothing gets zeros: it does not look at itself instead.",
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
            "-1e9 added for each of two masks: weights where nothing is visible",
            "scores = scores + (np.where((age >= 0) & (age < window), 0.0, -1e9) "
            "+ np.where(real[:, None, None, :] == 1, 0.0, -1e9)).astype(scores.dtype)",
            "Where all of a row is hidden, softmax picks those that are hidden least.",
        ),
        mistake(
            "-10000 added: not low enough",
            ("scores = scores + np.where(seen, 0.0, -1e4).astype(scores.dtype)", ZEROS),
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
            "a maximum that is never below 0",
            "np.where(np.isfinite(top), top, 0.0) -> np.maximum(top, 0.0)",
            "Where all that is visible lies at -1500, taking off 0 leaves exp(-1500), which is 0.",
        ),
        mistake(
            "one maximum for the whole array",
            ("scores = np.where(seen, scores - scores.max(), -np.inf)", "e = np.exp(scores)"),
            "Seen from one huge score, everything else rounds to 0: each row takes its own maximum off, "
            "of what it may see.",
        ),
        mistake(
            "float64 out of float32",
            "scores = scores + np.where(seen, 0.0, -np.inf)",
            "np.where of two plain numbers makes float64: cast it, or choose from the scores.",
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
