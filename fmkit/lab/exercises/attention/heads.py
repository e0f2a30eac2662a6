"""Attention over heads that lie one behind the other, each with its query, key and value."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.exercises.attention._shared import loud, softmax
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, t, h, d, size=1.5):
        return size * rng.normal(size=(b, t, h * 3 * d)), h

    return [
        (np.array([[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]]), 2),
        case(1, 2, 2, 1),
        case(1, 2, 1, 2),
        case(2, 5, 3, 4),
        case(3, 4, 2, 5),
        case(4, 3, 1, 2),
        case(2, 6, 4, 3),
        scores_of_hundreds(rng),
        as_float32(case(2, 7, 2, 3)),
    ]


def scores_of_hundreds(rng):
    """Of three heads the first and the last have scores near 900 and -900."""
    B, T, H, D = 2, 3, 3, 4
    qkv = rng.normal(size=(B, T, H, 3, D))
    queries, keys = loud(rng)
    for head in (0, 2):
        qkv[:, :, head, 0] = 0.0
        qkv[:, :, head, 0, 0], qkv[:, :, head, 1, 0] = math.sqrt(D) * queries, keys
    return qkv.reshape(B, T, H * 3 * D), H


def attend_head_by_head(qkv, n_heads):
    B, T, width = qkv.shape
    D = width // (3 * n_heads)
    q, k, v = qkv.reshape(B, T, n_heads, 3, D).transpose(3, 0, 2, 1, 4)  # (B, H, T, D) each
    scores = q @ k.swapaxes(-1, -2) / math.sqrt(D)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    out = e / e.sum(-1, keepdims=True) @ v
    return out.transpose(0, 2, 1, 3).reshape(B, T, n_heads * D)


def slices(qkv, n_heads):
    outs = []
    for head in np.split(qkv, n_heads, -1):
        q, k, v = np.split(head, 3, -1)  # (B, T, D) each
        outs.append(softmax(q @ np.swapaxes(k, 1, 2) / math.sqrt(q.shape[-1])) @ v)
    return np.concatenate(outs, -1)


def einsum(qkv, n_heads):
    B, T, _ = qkv.shape
    q, k, v = np.moveaxis(qkv.reshape(B, T, n_heads, 3, -1), 3, 0)  # (B, T, H, D) each
    scores = np.einsum("bthd,bshd->bhts", q, k) / math.sqrt(q.shape[-1])
    return np.einsum("bhts,bshd->bthd", softmax(scores), v).reshape(B, T, -1)


EXERCISE = Exercise(
    title="Heads in another layout",
    points=3,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=attend_head_by_head,
    alternatives=(slices, einsum),
    equal=(
        ("scores = q @ k.swapaxes(-2, -1) / math.sqrt(D)", "exchanging two axes has no order"),
        ("scores = q @ k.swapaxes(-1, 2) / math.sqrt(D)", "of four axes, 2 is the last but one"),
    ),
    mistakes=(
        mistake(
            "first all queries, then all keys, then all values",
            "q, k, v = qkv.reshape(B, T, 3, n_heads, D).transpose(2, 0, 3, 1, 4)",
            "That is another layout. Here each head's q, k and v stand side by side: which axis changes "
            "faster?",
        ),
        mistake(
            "a reshape to (B, H, T, ...) instead of a transpose",
            "q, k, v = qkv.reshape(B, n_heads, T, 3, D).transpose(3, 0, 1, 2, 4)",
            "A reshape only cuts; the axes of memory are T first, then heads. To bring H before T, "
            "transpose.",
        ),
        mistake(
            "the three are neighbours: q, k, v in turn",
            "q, k, v = qkv.reshape(B, T, n_heads, D, 3).transpose(4, 0, 2, 1, 3)",
            "Within a head come all D numbers of q, then all of k, then all of v.",
        ),
        mistake(
            "one head of full width",
            (
                "q, k, v = qkv.reshape(B, T, n_heads, 3, D).transpose(3, 0, 1, 2, 4).reshape(3, B, T, -1)",
                "math.sqrt(D) -> math.sqrt(n_heads * D)",
                "return out",
            ),
            "Each head has a softmax of its own: the heads are an axis of the scores.",
        ),
        mistake(
            "n_heads not used: thirds of the last axis",
            ("D = width // 3", "q, k, v = np.split(qkv, 3, axis=-1)", "return out"),
            "Each head has a softmax of its own, and its q, k and v stand side by side.",
        ),
        mistake(
            "the heads of one position look at each other",
            ("(3, 0, 2, 1, 4) -> (3, 0, 1, 2, 4)", "return out.reshape(B, T, n_heads * D)"),
            "`@` compares along the last axis but one: are the positions there, or the heads?",
        ),
        mistake(
            "width and number of heads exchanged: D, then 3, then the heads",
            "q, k, v = qkv.reshape(B, T, D, 3, n_heads).transpose(3, 0, 4, 1, 2)",
            "The last axis is cut into n_heads heads first, then each head into 3 times D.",
        ),
        mistake(
            "D heads of width n_heads",
            "q, k, v = qkv.reshape(B, T, D, 3, n_heads).transpose(3, 0, 2, 1, 4)",
            "The last axis is cut into n_heads heads first, then each head into 3 times D.",
        ),
        mistake(
            "thirds of the last axis, as one head",
            ("q, k, v = np.split(qkv, 3, axis=-1)", "return out"),
            "Each head has a softmax of its own, and its q, k and v stand side by side.",
        ),
        mistake(
            "each head begins D numbers after the last, not 3 times D",
            "q, k, v = (np.stack([qkv[..., (h + i) * D : (h + i + 1) * D] for h in range(n_heads)], 1) "
            "for i in range(3))",
            "A head takes three times D numbers: where does the second one begin?",
        ),
        mistake("keys and values exchanged", "q, k, v -> q, v, k", "In each head the order is q, k, v."),
        mistake(
            "queries and keys exchanged",
            "q, k, v -> k, q, v",
            "In each head the order is q, k, v; row t of the scores belongs to the query at t.",
        ),
        mistake("in the order v, k, q", "q, k, v -> v, k, q", "In each head the order is q, k, v."),
        mistake(
            "the root of the whole width, not of one head's",
            "math.sqrt(D) -> math.sqrt(n_heads * D)",
            "How many products are added up in one score of one head?",
        ),
        mistake(
            "the root of 3 D, not of D",
            "math.sqrt(D) -> math.sqrt(3 * D)",
            "A head's share of the last axis is q, k and v: how many products are added up in one score?",
        ),
        mistake(
            "the root of the whole last axis",
            "math.sqrt(D) -> math.sqrt(width)",
            "How many products are added up in one score of one head?",
        ),
        mistake(
            "the root of the number of heads",
            "math.sqrt(D) -> math.sqrt(n_heads)",
            "How many products are added up in one score of one head?",
        ),
        mistake(
            "divided by D, not by its root",
            "math.sqrt(D) -> D",
            "The spread of a sum of D random products grows like the root of D.",
        ),
        mistake(
            "multiplied by sqrt(D)",
            "/ math.sqrt(D) -> * math.sqrt(D)",
            "A sum of D products grows with D: the root is to make the scores smaller.",
        ),
        mistake(
            "np.sqrt: float64 out of float32",
            "math.sqrt -> np.sqrt",
            "np.sqrt of a whole number is a float64, and it spreads; math.sqrt gives a plain number, "
            "which does not.",
        ),
        mistake(
            "no 1/sqrt(D)",
            "scores = q @ k.swapaxes(-1, -2)",
            "A sum of D products grows with D: what keeps the scores near 1?",
        ),
        mistake(
            "the heads' scores added up: one set of weights",
            "scores = (q @ k.swapaxes(-1, -2)).sum(1, keepdims=True) / math.sqrt(D)",
            "Each head has weights of its own: keep the axis of the heads.",
        ),
        mistake(
            "the heads' scores averaged: one set of weights",
            "scores = (q @ k.swapaxes(-1, -2)).mean(1, keepdims=True) / math.sqrt(D)",
            "Each head has weights of its own: keep the axis of the heads.",
        ),
        mistake(
            "softmax over the heads",
            ("scores.max(-1 -> scores.max(1", "e.sum(-1 -> e.sum(1"),
            "Each query of each head has weights that add up to 1 over the keys.",
        ),
        mistake(
            "softmax over the queries",
            ("scores.max(-1 -> scores.max(2", "e.sum(-1 -> e.sum(2"),
            "Each query of each head has weights that add up to 1 over the keys.",
        ),
        mistake(
            "a causal mask that nobody asked for",
            "e = np.exp(scores - scores.max(-1, keepdims=True)) -> "
            "scores = np.where(np.tri(T, dtype=bool), scores, -np.inf)\n"
            "e = np.exp(scores - scores.max(-1, keepdims=True))",
            "The task says no mask: every position sees all positions.",
        ),
        mistake(
            "the exponentials are not divided by their sum",
            "out = e @ v",
            "Weights of a mean add up to 1 in each row.",
        ),
        mistake(
            "the weights transposed",
            "out = (e / e.sum(-1, keepdims=True)).swapaxes(-1, -2) @ v",
            "Row t of the weights makes output t: weights @ v, as they are.",
        ),
        mistake(
            "one maximum for the whole array",
            "e = np.exp(scores - scores.max())",
            "A row far below the largest score of all becomes 0 / 0: each row takes its own maximum off.",
        ),
        mistake(
            "the scores clipped: large ones become equal",
            "e = np.exp(np.clip(scores, -50, 50))",
            "900 and 901 are not the same. exp does not overflow once each row's maximum is taken off.",
        ),
        mistake(
            "exp without taking the maximum off",
            "e = np.exp(scores)",
            "exp(1000) is inf: take each row's maximum off first.",
        ),
        mistake(
            "merged without moving the heads back",
            "return out.reshape(B, T, n_heads * D)",
            "Before the last reshape the axes must be B, T, H, D: which transpose brings them there?",
        ),
        mistake(
            "merged with the heads' numbers interleaved",
            "(0, 2, 1, 3) -> (0, 2, 3, 1)",
            "First all D numbers of head 0, then all of head 1, and so on.",
        ),
    ),
    hints=(
        "Cut the last axis in the order in which it was laid: heads first, then the three, then D.",
        "reshape(B, T, H, 3, D), then a transpose that brings the 3 to the front and H before T.",
        "At the end the axes are (B, H, T, D); the result wants (B, T, H, D) before its last reshape.",
    ),
)
