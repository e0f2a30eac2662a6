"""The slope of a loss with respect to every entry of w, by central differences."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, c, k, eps):
        return rng.normal(size=(c, k)) / np.sqrt(c), rng.normal(size=(n, c)), rng.uniform(-1, 1, (n, k)), eps

    w, x, t, _ = case(6, 4, 3, 0)
    w = np.sign(w) * rng.uniform(1000, 3000, w.shape)  # so large that in float32 w + eps is w
    example = np.zeros((1, 1)), np.ones((1, 1)), np.ones((1, 1)), 1e-3
    cases = [example, case(5, 3, 2, 0.05), case(4, 2, 3, 1e-3), case(1, 4, 1, 0.1)]
    return [*cases, as_float32((w, x / 2000, t, 1e-5))]


def slopes_by_nudging(w, x, t, eps):
    def loss(w):
        return 0.5 * np.mean((np.tanh(x @ w) - t) ** 2)

    w = w.astype(np.float64)  # a copy, with enough digits
    slopes = np.zeros_like(w)
    for i in np.ndindex(w.shape):
        keep = w[i]
        w[i] = keep + eps
        up = loss(w)
        w[i] = keep - eps
        down = loss(w)
        w[i] = keep
        slopes[i] = (up - down) / (2 * eps)
    return slopes


def tanh_loss(w, x, t):
    return 0.5 * np.mean((np.tanh(x @ w) - t) ** 2)


def with_a_mask(w, x, t, eps):
    w = np.array(w, dtype=np.float64)
    slopes = []
    for k in range(w.size):
        nudge = eps * (np.arange(w.size) == k).reshape(w.shape)
        slopes.append((tanh_loss(w + nudge, x, t) - tanh_loss(w - nudge, x, t)) / (2 * eps))
    return np.array(slopes).reshape(w.shape)


def all_at_once(w, x, t, eps):
    nudges = eps * np.eye(w.size).reshape(w.size, *w.shape)
    w = w.astype(np.float64)
    losses = [0.5 * ((np.tanh(x @ (w + s * nudges)) - t) ** 2).mean((1, 2)) for s in (1, -1)]
    return ((losses[0] - losses[1]) / (2 * eps)).reshape(w.shape)


EXERCISE = Exercise(
    title="Slopes by nudging",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=slopes_by_nudging,
    alternatives=(with_a_mask, all_at_once),
    mistakes=(
        mistake(
            "a whole row nudged at once",
            (
                "w[i] = keep + eps -> w[i[0]] += eps",
                "w[i] = keep - eps -> w[i[0]] -= 2 * eps",
                "w[i] = keep -> w[i[0]] += eps",
            ),
            "One entry at a time: a whole row gives the sum of its slopes.",
        ),
        mistake(
            "a one-sided difference",
            "slopes[i] = (up - loss(w)) / eps",
            "Stepping to one side only leaves an error as large as eps: step to both sides of w.",
        ),
        mistake(
            "divided by one step, not two",
            "slopes[i] = (up - down) / eps",
            "How far apart on the axis are the two points that you compare?",
        ),
        mistake(
            "a one-sided difference, and in float32",
            ("w = w.copy()", "slopes[i] = (up - loss(w)) / eps"),
            "Step to both sides of w; and convert w to float64 before you nudge it.",
        ),
        mistake(
            "divided by one step, not two, and in float32",
            ("w = w.copy()", "slopes[i] = (up - down) / eps"),
            "How far apart are the two points? And convert w to float64 before you nudge it.",
        ),
        mistake(
            "multiplied by eps",
            "slopes[i] = (up - down) / 2 * eps",
            "Python reads a / 2 * eps as (a / 2) * eps: brackets around 2 * eps.",
        ),
        mistake(
            "both nudges in the same array",
            ("up = w", "down = w", "slopes[i] = (loss(up) - loss(down)) / (2 * eps)"),
            "All your slopes are 0: both losses are the same. "
            "up = w makes no copy, only a second name for w.",
        ),
        mistake(
            "nudged every entry at once",
            "slopes[i] = (loss(w + eps) - loss(w - eps)) / (2 * eps)",
            "All your slopes are equal. Each one should answer a question about one entry alone.",
        ),
        mistake(
            "the nudges pile up",
            "w[i] = keep\n        slopes -> slopes",
            "When you come to the second entry, is the first one back where it was?",
        ),
        mistake(
            "nudged in float32",
            "w = w.copy()",
            "float32 holds about 7 digits; the difference of two nearly equal losses needs more.",
        ),
        mistake(
            "the difference the wrong way round",
            "slopes[i] = (down - up) / (2 * eps)",
            "If a nudge upwards raises the loss, the slope is positive. Is yours?",
        ),
        mistake(
            "a one-sided difference downwards",
            "slopes[i] = (loss(w) - down) / eps",
            "Stepping to one side only leaves an error as large as eps: step to both sides of w.",
        ),
        mistake(
            "half a step to each side, divided by two",
            ("keep + eps -> keep + eps / 2", "keep - eps -> keep - eps / 2"),
            "How far apart on the axis are the two points that you compare?",
        ),
        mistake(
            "the given eps not used",
            ("keep + eps -> keep + 1e-5", "keep - eps -> keep - 1e-5", "2 * eps -> 2e-5"),
            "The step is given as eps; some of the inputs want a large one.",
        ),
        mistake(
            "the step grows with the entry",
            (
                "keep + eps -> keep + eps * abs(keep)",
                "keep - eps -> keep - eps * abs(keep)",
                "2 * eps -> 2 * eps * abs(keep)",
            ),
            "The step is eps for every entry: at 0 a share of it is no step at all.",
        ),
    ),
    equal=(
        ("return 0.5 * np.mean((t - np.tanh(x @ w)) ** 2)", "the square is the same"),
        ("slopes = np.ones_like(w)", "every entry is written over"),
        ("slopes = []", "the later lines make the array"),
        (
            "w = np.array(w)",
            "the nudges are in float64, so the sum is",
        ),
    ),
    hints=(
        "Start from w.astype(np.float64): a copy, and it has the digits that you need.",
        "`for i in np.ndindex(w.shape)`: i runs over (0, 0), (0, 1), ..., and w[i] is the entry.",
        "For one index: set the entry to keep + eps, take the loss; to keep - eps, again; put keep back.",
    ),
)
