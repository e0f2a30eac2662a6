"""One new token against a cache of keys and values: grouped heads, a window."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(heads, groups, s, d, window, size=1.0):
        shapes = [(heads, d), (groups, d), (groups, d), (groups, s, d), (groups, s, d)]
        q, *rest = (rng.normal(size=shape) for shape in shapes)
        return size * q, *rest, window

    cases = [case(6, 2, 5, 4, 3), case(6, 3, 4, 5, 9), case(4, 2, 0, 3, 4), case(8, 2, 7, 4, 1)]
    return [*cases, case(4, 4, 3, 6, 4), case(4, 2, 6, 3, 5, 500.0), as_float32(case(9, 3, 6, 4, 4))]


def cached_step(q, k, v, keys, values, window):
    keys = np.concatenate([keys, k[:, None]], 1)[:, -window:]  # (G, S, D)
    values = np.concatenate([values, v[:, None]], 1)[:, -window:]
    G, _, D = keys.shape
    scores = q.reshape(G, -1, D) @ keys.swapaxes(1, 2) / D**0.5  # (G, H/G, S)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return (weights @ values).reshape(q.shape), keys, values


def repeat(q, k, v, keys, values, window):
    start = max(0, keys.shape[1] + 1 - window)
    keys = np.append(keys, k[:, None, :], axis=1)[:, start:]
    values = np.append(values, v[:, None, :], axis=1)[:, start:]
    times = len(q) // len(k)
    scores = (np.repeat(keys, times, 0) * q[:, None]).sum(-1) / math.sqrt(q.shape[1])  # (H, S)
    weights = np.exp(scores - scores.max(1, keepdims=True))
    out = (weights[..., None] * np.repeat(values, times, 0)).sum(1) / weights.sum(1, keepdims=True)
    return out, keys, values


def head_by_head(q, k, v, keys, values, window):
    G, S, D = keys.shape
    all_keys, all_values = np.zeros((G, S + 1, D), q.dtype), np.zeros((G, S + 1, D), q.dtype)
    all_keys[:, :S], all_keys[:, S] = keys, k
    all_values[:, :S], all_values[:, S] = values, v
    first = max(0, S + 1 - window)
    out = np.zeros_like(q)
    for h in range(len(q)):
        g = h // (len(q) // G)
        scores = all_keys[g, first:] @ q[h] / math.sqrt(D)
        w = np.exp(scores - scores.max())
        out[h] = w @ all_values[g, first:] / w.sum()
    return out, all_keys[:, first:], all_values[:, first:]


EXERCISE = Exercise(
    title="One new token against a cache with a window",
    points=4,
    minutes=20,
    difficulty=4,
    cases=cases,
    reference=cached_step,
    alternatives=(repeat, head_by_head),
    mistakes=(
        mistake(
            "the new token does not see itself",
            (
                "keys.swapaxes(1, 2) -> keys[:, :-1].swapaxes(1, 2)",
                "weights @ values -> weights @ values[:, :-1]",
            ),  # raises an exception where the new token stands alone
            "Append first, then look: the new token's own key is among those that its query sees.",
        ),
        mistake(
            "no window",
            (
                "keys = np.concatenate([keys, k[:, None]], 1)",
                "values = np.concatenate([values, v[:, None]], 1)",
            ),
            "More than `window` tokens are left in your cache: the oldest must go.",
        ),
        mistake(
            "the window only in what is handed back",
            (
                "keys = np.concatenate([keys, k[:, None]], 1)",
                "values = np.concatenate([values, v[:, None]], 1)",
                "return (weights @ values).reshape(q.shape), keys[:, -window:], values[:, -window:]",
            ),
            "Your cache has the right length, but the query still looks at tokens that have left it.",
        ),
        mistake(
            "the window only in the attention",
            (
                "keys = np.concatenate([keys, k[:, None]], 1)",
                "values = np.concatenate([values, v[:, None]], 1)",
                "keys.swapaxes(1, 2) -> keys[:, -window:].swapaxes(1, 2)",
                "weights @ values -> weights @ values[:, -window:]",
            ),
            "What is handed back holds more than `window` tokens.",
        ),
        mistake(
            "one token more than the window",
            (
                "keys = np.concatenate([keys, k[:, None]], 1)[:, -window - 1 :]",
                "values = np.concatenate([values, v[:, None]], 1)[:, -window - 1 :]",
            ),
            "The new token is one of the `window`: how many old ones are left?",
        ),
        mistake(
            "the newest are dropped instead of the oldest",
            (
                "keys = np.concatenate([keys, k[:, None]], 1)[:, :window]",
                "values = np.concatenate([values, v[:, None]], 1)[:, :window]",
            ),
            "The oldest tokens are at the axis's beginning.",
        ),
        mistake(
            "neighbouring heads do not share a key",
            (
                "q.reshape(G, -1, D) -> q.reshape(-1, G, D).swapaxes(0, 1)",
                "(weights @ values) -> (weights @ values).swapaxes(0, 1)",
            ),
            "With 4 query heads and 2 key heads, queries 0 and 1 use key 0, and 2 and 3 use key 1.",
        ),
        mistake(
            "not divided by the root of D",
            "scores = q.reshape(G, -1, D) @ keys.swapaxes(1, 2)",
            "Chapter 6: what are the scores divided by before the softmax?",
        ),
        mistake(
            "divided by D, not by its root",
            "D**0.5 -> D",
            "Chapter 6: the scores are divided by the square root of D.",
        ),
        mistake(
            "the softmax over the heads",
            (
                "weights = np.exp(scores - scores.max(1, keepdims=True))",
                "weights /= weights.sum(1, keepdims=True)",
            ),
            "For each head the weights of the tokens add up to 1: which axis?",
        ),
    ),
    hints=(
        "np.concatenate([keys, k[:, None]], axis=1) appends; [:, -window:] keeps the last ones.",
        "q.reshape(G, H // G, D) puts the queries that share a key next to each other.",
        "Then it is chapter 6's attention with one row: scores (G, H/G, S), softmax, times values.",
    ),
)
