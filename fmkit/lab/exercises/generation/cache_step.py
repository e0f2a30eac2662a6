"""One new token against a cache of keys and values: grouped heads, a window."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(heads, groups, s, d, window):
        shapes = [(heads, d), (groups, d), (groups, d), (groups, s, d), (groups, s, d)]
        return *(rng.normal(size=shape) for shape in shapes), window

    # scores of some thousand, of one head all above 0 and of the next all below
    huge = case(4, 2, 3, 4, 5)
    huge[0][:] = np.array([90.0, -90.0, 60.0, -60.0])[:, None] + rng.normal(size=(4, 4))
    for keys in (huge[1], huge[3]):
        keys += 60.0
    huge[3][:, 0] *= -1
    return [
        case(4, 2, 0, 1, 3),  # the task's own example: the new token alone
        case(2, 1, 2, 1, 2),  # small enough to be shown whole
        case(2, 1, 1, 1, 3),
        case(2, 2, 2, 1, 1),
        case(6, 2, 5, 4, 3),
        case(6, 3, 4, 5, 9),
        case(4, 2, 0, 3, 4),
        case(8, 2, 7, 4, 1),
        case(4, 4, 3, 6, 4),  # it fits exactly
        case(6, 2, 4, 3, 4),  # full: one must go
        case(3, 1, 6, 2, 5),
        huge,
        as_float32(case(9, 3, 6, 4, 4)),
    ]


def cached_step(q, k, v, keys, values, window):
    keys = np.concatenate([keys, k[:, None]], 1)[:, -window:]  # (G, S, D)
    values = np.concatenate([values, v[:, None]], 1)[:, -window:]
    G, _, D = keys.shape
    scores = q.reshape(G, -1, D) @ keys.swapaxes(1, 2) / D**0.5  # (G, H/G, S)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return (weights @ values).reshape(q.shape), keys, values


def by_group(q, k, v, keys, values, window):
    start = max(0, keys.shape[1] + 1 - window)
    keys = np.append(keys, k[:, None, :], axis=1)[:, start:]
    values = np.append(values, v[:, None, :], axis=1)[:, start:]
    group = np.arange(len(q)) // (len(q) // len(k))  # the key head of each query head
    scores = (keys[group] * q[:, None]).sum(-1) / math.sqrt(q.shape[1])  # (H, S)
    weights = np.exp(scores - scores.max(1, keepdims=True))
    out = (weights[..., None] * values[group]).sum(1) / weights.sum(1, keepdims=True)
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
    minutes=30,
    difficulty=4,
    cases=cases,
    reference=cached_step,
    alternatives=(by_group, head_by_head),
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
            "looked before the new token is appended",
            (
                "keys = np -> old, keys = keys, np",
                "values = np -> older, values = values, np",
                "keys.swapaxes(1, 2) -> old.swapaxes(1, 2)",
                "weights @ values -> weights @ older",
            ),
            "Append first, cut to the window, then look: the new token sees itself.",
        ),
        mistake(
            "the new token sees only itself",
            "(weights @ values).reshape(q.shape) -> np.repeat(values[:, -1], len(q) // G, 0)",
            "The queries look at all tokens in the window: scores, softmax, and a mean of the values.",
        ),
        mistake(
            "no window",
            (
                "[keys, k[:, None]], 1)[:, -window:] -> [keys, k[:, None]], 1)",
                "[values, v[:, None]], 1)[:, -window:] -> [values, v[:, None]], 1)",
            ),
            "More than `window` tokens are left in your cache: the oldest must go.",
        ),
        mistake(
            "the window only in what is handed back",
            (
                "[keys, k[:, None]], 1)[:, -window:] -> [keys, k[:, None]], 1)",
                "[values, v[:, None]], 1)[:, -window:] -> [values, v[:, None]], 1)",
                "(q.shape), keys, values -> (q.shape), keys[:, -window:], values[:, -window:]",
            ),
            "Your cache has the right length, but the query still looks at tokens that have left it.",
        ),
        mistake(
            "the window only in the attention",
            (
                "[keys, k[:, None]], 1)[:, -window:] -> [keys, k[:, None]], 1)",
                "[values, v[:, None]], 1)[:, -window:] -> [values, v[:, None]], 1)",
                "keys.swapaxes(1, 2) -> keys[:, -window:].swapaxes(1, 2)",
                "weights @ values -> weights @ values[:, -window:]",
            ),
            "What is handed back holds more than `window` tokens.",
        ),
        mistake(
            "one token more than the window",
            (
                "k[:, None]], 1)[:, -window:] -> k[:, None]], 1)[:, -window - 1 :]",
                "v[:, None]], 1)[:, -window:] -> v[:, None]], 1)[:, -window - 1 :]",
            ),
            "The new token is one of the `window`: how many old ones are left?",
        ),
        mistake(
            "for a window of 1 all old tokens stay",
            (
                "[keys, k[:, None]], 1)[:, -window:] -> [keys[:, -(window - 1) :], k[:, None]], 1)",
                "[values, v[:, None]], 1)[:, -window:] -> [values[:, -(window - 1) :], v[:, None]], 1)",
            ),
            "What does [-0:] take? -0 is 0: all of them. Append first, and cut then.",
        ),
        mistake(
            "only one old token goes",
            (
                "[keys, k[:, None]], 1)[:, -window:] -> "
                "[keys[:, int(keys.shape[1] >= window) :], k[:, None]], 1)",
                "[values, v[:, None]], 1)[:, -window:] -> "
                "[values[:, int(values.shape[1] >= window) :], v[:, None]], 1)",
            ),
            "The cache that comes in may hold far more than `window` tokens.",
        ),
        mistake(
            "the newest are dropped instead of the oldest",
            (
                "[keys, k[:, None]], 1)[:, -window:] -> [keys, k[:, None]], 1)[:, :window]",
                "[values, v[:, None]], 1)[:, -window:] -> [values, v[:, None]], 1)[:, :window]",
            ),
            "The oldest tokens are at the axis's beginning.",
        ),
        mistake(
            "the new token put in front",
            ("[keys, k[:, None]] -> [k[:, None], keys]", "[values, v[:, None]] -> [v[:, None], values]"),
            "The tokens stand in the order of the text: the newest one is the last.",
        ),
        mistake(
            "the new key appended to the values",
            "[values, v[:, None]] -> [values, k[:, None]]",
            "Look at the line for the values once more: what is appended there?",
        ),
        mistake(
            "the new value appended to the keys",
            "[keys, k[:, None]] -> [keys, v[:, None]]",
            "Look at the line for the keys once more: what is appended there?",
        ),
        mistake(
            "the old cache handed back",
            (
                "keys = np -> old, keys = keys, np",
                "values = np -> older, values = values, np",
                "(q.shape), keys, values -> (q.shape), old, older",
            ),
            "Keys and values are to be ready for the next step: with the new token in them.",
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
            "the heads come out in another order",
            "(weights @ values) -> (weights @ values).swapaxes(0, 1)",
            "Head 0 of the result belongs to query 0: in which order are the groups put together again?",
        ),
        mistake(
            "the heads grouped in another order",
            "q.reshape(G, -1, D) -> q.reshape(-1, G, D).swapaxes(0, 1)",
            "With 4 query heads and 2 key heads, queries 0 and 1 use key 0, and 2 and 3 use key 1.",
        ),
        mistake(
            "all heads use the first key",
            (
                "@ keys.swapaxes(1, 2) -> @ keys[:1].swapaxes(1, 2)",
                "weights @ values -> weights @ values[:1]",
            ),
            "With 4 query heads and 2 key heads, queries 2 and 3 use key 1.",
        ),
        mistake(
            "the weights multiply the keys",
            "weights @ values -> weights @ keys",
            "Keys say where to look, values what is seen there: the weights average the values.",
        ),
        mistake(
            "not divided by the root of D",
            " / D**0.5 ->",
            "Chapter 6: what are the scores divided by before the softmax?",
        ),
        mistake(
            "divided by D, not by its root",
            "D**0.5 -> D",
            "Chapter 6: the scores are divided by the square root of D.",
        ),
        mistake(
            "divided by the root of all heads' numbers",
            "D**0.5 -> q.size**0.5",
            "D is the width of one head, not of all heads together.",
        ),
        mistake(
            "divided by the root of the number of tokens",
            "D**0.5 -> keys.shape[1] ** 0.5",
            "D is the width of a key, however many keys there are.",
        ),
        mistake(
            "divided after the softmax",
            (
                " / D**0.5 ->",
                "/= weights.sum(-1, keepdims=True) -> /= weights.sum(-1, keepdims=True) * D**0.5",
            ),
            "The scores are divided, before the softmax: after it the weights do not add up to 1.",
        ),
        mistake(
            "the softmax over the heads",
            (
                "scores.max(-1, keepdims=True) -> scores.max((0, 1))",
                ".sum(-1, keepdims=True) -> .sum((0, 1))",
            ),
            "For each head the weights of the tokens add up to 1: which axis?",
        ),
        mistake(
            "the softmax over the heads that share a key",
            (
                "scores.max(-1, keepdims=True) -> scores.max(1, keepdims=True)",
                "weights.sum(-1, keepdims=True) -> weights.sum(1, keepdims=True)",
            ),
            "For each head the weights of the tokens add up to 1: which axis?",
        ),
        mistake(
            "weights that do not add up to 1",
            "weights /= weights.sum(-1, keepdims=True) ->",
            "The softmax divides by the sum of the exponentials.",
        ),
        mistake(
            "no softmax",
            (
                "np.exp(scores - scores.max(-1, keepdims=True)) -> scores",
                "weights /= weights.sum(-1, keepdims=True) ->",
            ),
            "Scores become weights by a softmax over the tokens.",
        ),
        mistake(
            "scores divided by their sum, without exp",
            "np.exp(scores - scores.max(-1, keepdims=True)) -> scores.copy()",
            "A softmax takes the exponentials first, then divides by their sum.",
        ),
        mistake(
            "exp without taking the largest score off",
            "np.exp(scores - scores.max(-1, keepdims=True)) -> np.exp(scores)",
            "exp(1000) is infinite: subtract each head's largest score.",
        ),
        mistake(
            "one maximum for all heads",
            "scores.max(-1, keepdims=True) -> scores.max()",
            "A head far below the others becomes all 0: subtract each head's own largest.",
        ),
    ),
    equal=(
        ("scores = q.reshape(G, -1, D) @ keys.swapaxes(2, 1) / D ** 0.5", "exchanged either way"),
        (
            "scores = q.reshape(G, -2, D) @ keys.swapaxes(1, 2) / D ** 0.5",
            "any negative number is worked out",
        ),
        ("start = max(keys.shape[1] + 1 - window, 0)", "the larger of two, either way"),
        ("weights = np.exp(scores - scores.max(-1, keepdims=True))", "of two axes 1 is the last"),
        (
            "out = (weights[..., None] * values[group]).sum(1) / weights.sum(-1, keepdims=True)",
            "of two axes 1 is the last",
        ),
    ),
    hints=(
        "np.concatenate([keys, k[:, None]], axis=1) appends; [:, -window:] keeps the last ones.",
        "q.reshape(G, H // G, D) puts the queries that share a key next to each other.",
        "Then it is chapter 6's attention with one row: scores (G, H/G, S), softmax, times values.",
    ),
)
