"""Self-attention over (B, T, C), projections included."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.exercises.attention._shared import loud, softmax
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, t, c, d, e, size=1.0):
        w = [rng.normal(size=(c, n)) / np.sqrt(c) for n in (d, d, e)]
        w[0] = size * w[0]
        return rng.normal(size=(b, t, c)), *w

    return [
        case(1, 1, 2, 1, 3),
        case(1, 3, 1, 2, 1, 2.0),
        case(1, 2, 2, 2, 1, 2.0),
        case(2, 5, 4, 3, 6, 2.0),
        case(3, 6, 4, 4, 4, 2.0),
        case(4, 2, 5, 2, 3, 2.0),
        scores_of_hundreds(rng),
        as_float32(case(2, 7, 5, 8, 3)),
    ]


def scores_of_hundreds(rng):
    """x has the numbers for queries in its first column and those for keys in its second."""
    x = rng.normal(size=(2, 3, 4))
    x[..., 0], x[..., 1] = loud(rng)
    wq, wk = np.zeros((4, 5)), np.zeros((4, 5))
    wq[0, 0], wk[1, 0] = math.sqrt(5), 1.0
    return x, wq, wk, rng.normal(size=(4, 6)) / 10


def self_attention(x, wq, wk, wv):
    q, k, v = x @ wq, x @ wk, x @ wv
    scores = q @ k.swapaxes(1, 2) / math.sqrt(wq.shape[1])  # (B, T, T)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    weights = e / e.sum(-1, keepdims=True)
    return weights @ v  # (B, T, E)


def loop(x, wq, wk, wv):
    out = np.empty((*x.shape[:2], wv.shape[1]), x.dtype)
    for b, t in np.ndindex(x.shape[:2]):
        scores = np.dot(np.dot(x[b], wk), np.dot(x[b, t], wq)) / math.sqrt(wk.shape[1])
        e = np.exp(scores - scores.max())
        out[b, t] = (e[:, None] * (x[b] @ wv)).sum(0) / e.sum()
    return out


def values_last(x, wq, wk, wv):
    between = wq @ wk.T / math.sqrt(wk.shape[-1])  # (C, C): a score is x_t @ between @ x_s
    scores = np.einsum("btc,cd,bsd->bts", x, between, x)
    return (softmax(scores) @ x) @ wv


EXERCISE = Exercise(
    title="Queries, keys and values",
    points=3,
    minutes=12,
    difficulty=2,
    cases=cases,
    reference=self_attention,
    alternatives=(loop, values_last),
    equal=(
        (
            "scores = q @ k.swapaxes(2, 1) / math.sqrt(wq.shape[1])",
            "exchanging 2 with 1 is exchanging 1 with 2",
        ),
    ),
    mistakes=(
        mistake(
            "no 1/sqrt(D)",
            "scores = q @ k.swapaxes(1, 2)",
            "A sum of D products grows with D: what keeps the scores near 1?",
        ),
        mistake(
            "divided by D, not by its root",
            "math.sqrt(wq.shape[1]) -> wq.shape[1]",
            "The spread of a sum of D random products grows like the root of D.",
        ),
        mistake(
            "the root of C, not of D",
            "wq.shape[1] -> x.shape[-1]",
            "How many products are added up in one score? Look at the width of a query.",
        ),
        mistake(
            "the root of T, not of D",
            "wq.shape[1] -> x.shape[1]",
            "How many products are added up in one score? Look at the width of a query.",
        ),
        mistake(
            "the root of E, not of D",
            "wq.shape[1] -> wv.shape[1]",
            "How many products are added up in one score? Look at the width of a query.",
        ),
        mistake(
            "multiplied by sqrt(D)",
            "/ math.sqrt -> * math.sqrt",
            "The scores are too large already; the root of D is to make them smaller.",
        ),
        mistake(
            "the scale after the softmax",
            ("scores = q @ k.swapaxes(1, 2)", "return weights / math.sqrt(wq.shape[1]) @ v"),
            "Divide the scores before the softmax: afterwards the weights no longer add up to 1.",
        ),
        mistake(
            "softmax over the queries",
            ("scores.max(-1 -> scores.max(1", "e.sum(-1 -> e.sum(1"),
            "Each query has weights of its own that add up to 1: over which axis?",
        ),
        mistake(
            "softmax over the batch",
            ("scores.max(-1 -> scores.max(0", "e.sum(-1 -> e.sum(0"),
            "Sequences of a batch have nothing to do with each other.",
        ),
        mistake(
            "queries and keys exchanged",
            "q, k, v = x @ wk, x @ wq, x @ wv",
            "Row t of the weights belongs to the query at t: scores[t, s] is q[t] times k[s].",
        ),
        mistake(
            "the queries compared with themselves",
            "k.swapaxes -> q.swapaxes",
            "A score is a query times a key. Who reads x @ wk in your function?",
        ),
        mistake(
            "the keys compared with themselves",
            "q @ k.swapaxes -> k @ k.swapaxes",
            "A score is a query times a key. Who reads x @ wq in your function?",
        ),
        mistake(
            "a causal mask that nobody asked for",
            "e = np.exp(scores - scores.max(-1, keepdims=True)) -> "
            "scores = np.where(np.tri(x.shape[1], dtype=bool), scores, -np.inf)\n"
            "e = np.exp(scores - scores.max(-1, keepdims=True))",
            "Here every word sees all words, those behind it too.",
        ),
        mistake(
            "the words look at all texts of the batch",
            (
                "q, k, v = (x.reshape(1, -1, x.shape[2]) @ w for w in (wq, wk, wv))",
                "return (weights @ v).reshape(*x.shape[:2], -1)",
            ),
            "Texts of a batch have nothing to do with each other: scores are (B, T, T).",
        ),
        mistake(
            "the values are x, not projected",
            "q, k, v = x @ wq, x @ wk, x",
            "What is averaged has a matrix of its own, wv.",
        ),
        mistake(
            "the keys as values",
            "return weights @ k",
            "The keys decide how much; what is averaged are the values.",
        ),
        mistake(
            "no queries and keys: x with itself",
            "q, k, v = x, x, x @ wv",
            "The scores compare two different views of x: x @ wq and x @ wk.",
        ),
        mistake(
            "no queries, keys or values: the bare version",
            ("q, k, v = x, x, x", "scores = q @ k.swapaxes(1, 2)"),
            "Three matrices come in; the bare version uses none of them.",
        ),
        mistake(
            "no softmax: the scores as weights",
            "return scores @ v",
            "Scores may be negative and add up to anything: what makes weights of them?",
        ),
        mistake(
            "divided by the sum, without exp",
            "weights = scores / scores.sum(-1, keepdims=True)",
            "Scores may be negative, and their sum may be 0: take exp first.",
        ),
        mistake(
            "the exponentials are not divided by their sum",
            "weights = e",
            "Weights of a mean add up to 1 in each row.",
        ),
        mistake(
            "the scores clipped: large ones become equal",
            "e = np.exp(np.clip(scores, -50, 50))",
            "900 and 901 are not the same. exp does not overflow once each row's maximum is taken off.",
        ),
        mistake(
            "each column's maximum taken off, not each row's",
            "scores.max(-1 -> scores.max(1",
            "The maximum belongs to the row that is divided by its sum.",
        ),
        mistake(
            "exp without taking the maximum off",
            "e = np.exp(scores)",
            "exp(1000) is inf: take each row's maximum off first.",
        ),
        mistake(
            "one maximum for the whole array",
            "e = np.exp(scores - scores.max())",
            "A row far below the largest score of all becomes 0 / 0: each row takes its own maximum off.",
        ),
        mistake(
            "divided by the sum of the whole array",
            "weights = e / e.sum()",
            "Each row's weights add up to 1 by themselves: which axis does the sum run along?",
        ),
        mistake(
            "the weights transposed",
            "return weights.swapaxes(1, 2) @ v",
            "Row t of the weights makes output t: weights @ v, as they are.",
        ),
        mistake(
            "np.sqrt: float64 out of float32",
            "math.sqrt -> np.sqrt",
            "np.sqrt of a whole number is a float64, and it spreads; math.sqrt gives a plain number, "
            "which does not.",
        ),
        mistake(
            "a reshape instead of an exchange of axes",
            "k.swapaxes(1, 2) -> k.reshape(len(k), k.shape[2], k.shape[1])",
            "A reshape only cuts the numbers anew, in the order in which they lie: swap the last two axes.",
        ),
        mistake(
            ".T on an array of three axes",
            "k.swapaxes(1, 2) -> k.T",  # raises an exception unless the sizes happen to fit
            "With three axes .T turns all of them round, the batch as well: swap the last two only.",
        ),
    ),
    hints=(
        "Three projections first: x @ wq, x @ wk, x @ wv. Then everything is a matter of the last two axes.",
        "scores[b, t, s] is the query at t times the key at s: k.swapaxes(1, 2) turns the keys round.",
        "Divide the scores by the root of the number of products in each; then softmax along the keys.",
    ),
)
