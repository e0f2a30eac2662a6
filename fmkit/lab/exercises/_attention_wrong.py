"""Chapter 06's known-wrong answers, the first half: for each exercise one function, one mistake at a time.

Each is the right answer with the named mistake in it and nothing else: a reader sees the difference in one
place, and the check can say "this looks like ..." when a learner's answer behaves the same way.
"""

import math
from functools import partial

import numpy as np

from fmkit.lab.exercise import Misconception


def named(wrong, hints):
    """One `Misconception` per mistake that `wrong` knows, with its hint."""
    return tuple(Misconception(name, partial(wrong, name), hint) for name, hint in hints.items())


def softmax(scores, axis=-1):
    e = np.exp(scores - scores.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def _fading(mistake, x, decay):
    T = x.shape[1]
    age = np.arange(T)[:, None] - np.arange(T)
    if mistake == "the oldest counts most":
        t = np.arange(T)
        weights = np.where(age >= 0, decay ** np.broadcast_to(t, (T, T)), 0.0)
    elif mistake == "looks into the future as well":
        weights = decay ** np.abs(age)
    elif mistake == "the mask by multiplication: infinity times 0":
        with np.errstate(all="ignore"):
            weights = decay ** age.astype(float) * (age >= 0)
    else:
        weights = np.where(age >= 0, decay ** np.maximum(age, 0), 0.0)
    if mistake == "looks at the future instead of the past":
        weights = weights.T
    elif mistake == "leaves the position itself out":
        weights = weights * (age > 0)
    elif mistake == "no fading: a plain mean of the past":
        weights = (age >= 0).astype(float)
    elif mistake == "the weights are not divided by their sum":
        return weights.astype(x.dtype) @ x
    elif mistake == "divided by how many there are, not by the sum of the weights":
        return (weights / np.arange(1, T + 1)[:, None]).astype(x.dtype) @ x
    elif mistake == "softmax of the weights":
        weights = np.exp(weights) * (age >= 0)
    axis = 0 if mistake == "the columns add up to 1, not the rows" else 1
    with np.errstate(all="ignore"):
        total = weights.sum(axis, keepdims=True)
        if mistake == "leaves the position itself out":
            total[0] = 1.0
        weights = weights / total
    if mistake == "float64 out of float32":
        return weights @ x.astype(np.float64)
    return weights.astype(x.dtype) @ x


FADING = named(
    _fading,
    {
        "looks into the future as well": (
            "Position t may use the positions up to t. What stands right of the diagonal?"
        ),
        "looks at the future instead of the past": (
            "Row t of the weights belongs to the position that looks; its columns are what it looks at."
        ),
        "leaves the position itself out": "The position itself is 0 steps old: decay to the power 0 is 1.",
        "the weights are not divided by their sum": "A mean of equal numbers is that number. Is yours?",
        "divided by how many there are, not by the sum of the weights": (
            "The weights of a row must add up to 1, and they are not all 1 before you divide."
        ),
        "softmax of the weights": (
            "The powers of decay are positive already: divide them by their sum, without another exp."
        ),
        "the columns add up to 1, not the rows": (
            "Who takes the mean? One row of weights belongs to each position t."
        ),
        "the oldest counts most": "The exponent is the age t - s: the newest is 0 steps old.",
        "no fading: a plain mean of the past": (
            "A position that is further away counts less: decay to the power of its age."
        ),
        "the mask by multiplication: infinity times 0": (
            "In the future the age is negative and decay ** age may be infinite; infinity times 0 is not "
            "a number."
        ),
        "float64 out of float32": (
            "np.where and np.arange of plain numbers make float64: .astype(x.dtype) at the end."
        ),
    },
)


def _self_attention(mistake, x, wq, wk, wv):
    q, k, v = x @ wq, x @ wk, x @ wv
    if mistake == "queries and keys exchanged":
        q, k = k, q
    elif mistake == "the values are x, not projected":
        v = x
    elif mistake == "no queries and keys: x with itself":
        q, k = x, x
    elif mistake == "no queries, keys or values: the bare version":
        q, k, v = x, x, x
    elif mistake == "the keys as values":
        v = k
    D = wq.shape[1]
    scale = {
        "no 1/sqrt(D)": 1.0,
        "no queries, keys or values: the bare version": 1.0,
        "divided by D, not by its root": 1.0 / D,
        "the root of C, not of D": 1.0 / math.sqrt(x.shape[-1]),
        "the root of T, not of D": 1.0 / math.sqrt(x.shape[1]),
        "multiplied by sqrt(D)": math.sqrt(D),
    }.get(mistake, 1.0 / math.sqrt(D))
    if mistake == "np.sqrt: float64 out of float32":
        scale = 1.0 / np.sqrt(D)
    turned = k.T if mistake == ".T on an array of three axes" else k.swapaxes(1, 2)
    scores = q @ turned * scale
    if mistake == "exp without taking the maximum off":
        with np.errstate(all="ignore"):
            e = np.exp(scores)
            return e / e.sum(-1, keepdims=True) @ v
    if mistake == "no softmax: the scores as weights":
        return scores @ v
    if mistake == "divided by the sum, without exp":
        with np.errstate(all="ignore"):
            return scores / scores.sum(-1, keepdims=True) @ v
    if mistake == "the scale after the softmax":
        return softmax(q @ k.swapaxes(1, 2)) * scale @ v
    axis = {"softmax over the queries": 1, "softmax over the batch": 0}.get(mistake, -1)
    return softmax(scores, axis) @ v


SELF_ATTENTION = named(
    _self_attention,
    {
        "no 1/sqrt(D)": "A sum of D products grows with D: what keeps the scores near 1?",
        "divided by D, not by its root": "The spread of a sum of D random products grows like the root of D.",
        "the root of C, not of D": (
            "How many products are added up in one score? Look at the width of a query."
        ),
        "the root of T, not of D": (
            "How many products are added up in one score? Look at the width of a query."
        ),
        "multiplied by sqrt(D)": "The scores are too large already; the root of D is to make them smaller.",
        "the scale after the softmax": (
            "Divide the scores before the softmax: afterwards the weights no longer add up to 1."
        ),
        "softmax over the queries": "Each query has weights of its own that add up to 1: over which axis?",
        "softmax over the batch": "Sequences of a batch have nothing to do with each other.",
        "queries and keys exchanged": (
            "Row t of the weights belongs to the query at t: scores[t, s] is q[t] times k[s]."
        ),
        "the values are x, not projected": "What is averaged has a matrix of its own, wv.",
        "the keys as values": "The keys decide how much; what is averaged are the values.",
        "no queries and keys: x with itself": (
            "The scores compare two different views of x: x @ wq and x @ wk."
        ),
        "no queries, keys or values: the bare version": (
            "Three matrices come in; the bare version uses none of them."
        ),
        "no softmax: the scores as weights": (
            "Scores may be negative and add up to anything: what makes weights of them?"
        ),
        "divided by the sum, without exp": "Scores may be negative, and their sum may be 0: take exp first.",
        "exp without taking the maximum off": "exp(1000) is inf: take each row's maximum off first.",
        "np.sqrt: float64 out of float32": (
            "np.sqrt of a whole number is a float64, and it spreads; math.sqrt gives a plain number, "
            "which does not."
        ),
        ".T on an array of three axes": (
            "With three axes .T turns all of them round, the batch as well: swap the last two only."
        ),
    },
)


def _mask_of(mistake, T, real, window):
    age = np.arange(T)[:, None] - np.arange(T)
    past = age > 0 if mistake == "cannot see itself" else age >= 0
    near = age <= window if mistake == "a window one too wide" else age < window
    if mistake == "a window one too narrow":
        near = age < max(window - 1, 1)
    if mistake == "no window":
        near = np.ones((T, T), bool)
    if mistake == "the future is visible":
        past = np.abs(age) < window
    elif mistake == "the future instead of the past":
        past, near = age <= 0, age > -window
    keys = real[:, None, None, :] == 1
    if mistake == "padding hidden as query, not as key":
        keys = real[:, None, :, None] == 1
    elif mistake == "padding hidden as query, too":
        keys = keys & (real[:, None, :, None] == 1)
    elif mistake == "the padding is visible":
        keys = np.ones_like(keys)
    elif mistake == "1 means padding":
        keys = ~keys
    return past & near & keys


def _masked(mistake, scores, real, window):
    T = scores.shape[-1]
    seen = _mask_of(mistake, T, real, window)
    with np.errstate(all="ignore"):
        if mistake == "masked after the softmax":
            return softmax(scores) * seen.astype(scores.dtype)
        if mistake == "masked after the softmax, and divided again":
            weights = softmax(scores) * seen.astype(scores.dtype)
            total = weights.sum(-1, keepdims=True)
            return weights / np.where(total > 0, total, 1)
        if mistake == "the score set to 0, not to -inf":
            return softmax(np.where(seen, scores, 0 * scores))
        if mistake == "the scores multiplied by the mask":
            return softmax(scores * np.where(seen, 1.0, -np.inf).astype(scores.dtype))
        if mistake == "-1 instead of -inf":
            return softmax(np.where(seen, scores, 0 * scores - 1))
        if mistake == "the mask added as 0 and 1":
            return softmax(scores + seen.astype(scores.dtype))
        scores = np.where(seen, scores, -np.inf).astype(scores.dtype)
        if mistake == "NaN where nothing is visible":
            return softmax(scores)
        if mistake == "-1e9: equal weights where nothing is visible":
            return softmax(np.where(seen, scores, -1e9).astype(scores.dtype))
        axis = -2 if mistake == "softmax over the queries" else -1
        top = np.maximum(scores.max(axis, keepdims=True), -1e30)
        if mistake == "exp without taking the maximum off":
            top = 0 * top
        e = np.exp(scores - top)
        total = e.sum(axis, keepdims=True)
        return e / np.where(total > 0, total, 1)


MASK = named(
    _masked,
    {
        "masked after the softmax": (
            "The rows no longer add up to 1: who was counted below the fraction line?"
        ),
        "masked after the softmax, and divided again": (
            "It works until a hidden score is huge: then all that is visible has rounded to 0. Hide "
            "before the softmax."
        ),
        "the score set to 0, not to -inf": "exp(0) is 1, a vote like any other. Which score has exp 0?",
        "-1 instead of -inf": "exp(-1) is 0.37, still a vote. Which score has exp 0?",
        "the mask added as 0 and 1": "Adding 0 hides nothing: a hidden score needs -inf added to it.",
        "the future is visible": "Position t may look at t and what came before it, nothing later.",
        "the future instead of the past": (
            "Rows look, columns are looked at: which triangle of the matrix is the past?"
        ),
        "cannot see itself": "A position sees itself, too: the diagonal is visible.",
        "a window one too wide": (
            "A window of 1 is the position alone: count how many columns your rows can see."
        ),
        "a window one too narrow": (
            "A window of 1 is the position alone, one of 2 sees the one before it as well."
        ),
        "no window": "Only the last `window` positions count, the present one among them.",
        "the padding is visible": "real is 0 at padding: no position may look there.",
        "padding hidden as query, not as key": (
            "Padding must not be looked AT: it is a matter of columns, the last axis."
        ),
        "padding hidden as query, too": (
            "Only being looked at is forbidden. A padded position may look at real ones: nobody reads its "
            "result."
        ),
        "the scores multiplied by the mask": (
            "A negative score times -inf is plus infinity: the mask is added, or chosen with np.where."
        ),
        "1 means padding": "real is 1 for a real token.",
        "NaN where nothing is visible": "A row that sees nothing is 0 / 0: the exercise wants zeros there.",
        "-1e9: equal weights where nothing is visible": (
            "Where all scores are -1e9 they are all equal, and softmax shares out evenly among what "
            "should be hidden."
        ),
        "softmax over the queries": "Each query has weights of its own that add up to 1: over which axis?",
        "exp without taking the maximum off": "exp(1000) is inf: take each row's maximum off first.",
    },
)


def _cut(mistake, qkv, n_heads):
    """q, k and v as (B, H, T, D), rightly or wrongly cut."""
    B, T, width = qkv.shape
    D = width // (3 * n_heads)
    if mistake == "first all queries, then all keys, then all values":
        return qkv.reshape(B, T, 3, n_heads, D).transpose(2, 0, 3, 1, 4)
    if mistake == "a reshape to (B, H, T, ...) instead of a transpose":
        return qkv.reshape(B, n_heads, T, 3, D).transpose(3, 0, 1, 2, 4)
    if mistake == "the three are neighbours: q, k, v in turn":
        return qkv.reshape(B, T, n_heads, D, 3).transpose(4, 0, 2, 1, 3)
    if mistake == "one head of full width":
        heads = qkv.reshape(B, T, n_heads, 3, D).transpose(3, 0, 1, 2, 4)
        return heads.reshape(3, B, 1, T, n_heads * D)
    if mistake == "width and number of heads exchanged":
        return qkv.reshape(B, T, D, 3, n_heads).transpose(3, 0, 2, 1, 4)
    q, k, v = qkv.reshape(B, T, n_heads, 3, D).transpose(3, 0, 2, 1, 4)
    return {
        "keys and values exchanged": (q, v, k),
        "queries and keys exchanged": (k, q, v),
        "in the order v, k, q": (v, k, q),
    }.get(mistake, (q, k, v))


def _heads(mistake, qkv, n_heads):
    q, k, v = _cut(mistake, qkv, n_heads)
    B, H, T, D = q.shape
    width = qkv.shape[-1] // 3
    scale = {
        "the root of the whole width, not of one head's": 1 / math.sqrt(width),
        "no 1/sqrt(D)": 1.0,
        "np.sqrt: float64 out of float32": 1 / np.sqrt(D),
    }.get(mistake, 1 / math.sqrt(D))
    scores = q @ k.swapaxes(-1, -2) * scale
    if mistake == "the heads' scores added up: one set of weights":
        scores = np.repeat(scores.sum(1, keepdims=True), H, 1)
    elif mistake == "the heads' scores averaged: one set of weights":
        scores = np.repeat(scores.mean(1, keepdims=True), H, 1)
    weights = softmax(scores, {"softmax over the heads": 1, "softmax over the queries": 2}.get(mistake, -1))
    out = weights @ v
    if mistake == "merged without moving the heads back":
        return out.reshape(B, T, width)
    if mistake in ("width and number of heads exchanged", "merged with the heads' numbers interleaved"):
        return out.transpose(0, 2, 3, 1).reshape(B, T, width)
    return out.transpose(0, 2, 1, 3).reshape(B, T, width)


HEADS = named(
    _heads,
    {
        "first all queries, then all keys, then all values": (
            "That is another layout. Here each head's q, k and v stand side by side: which axis changes "
            "faster?"
        ),
        "a reshape to (B, H, T, ...) instead of a transpose": (
            "A reshape only cuts; the axes of memory are T first, then heads. To bring H before T, transpose."
        ),
        "the three are neighbours: q, k, v in turn": (
            "Within a head come all D numbers of q, then all of k, then all of v."
        ),
        "one head of full width": "Each head has a softmax of its own: the heads are an axis of the scores.",
        "width and number of heads exchanged": (
            "The last axis is cut into n_heads heads first, then each head into 3 times D."
        ),
        "keys and values exchanged": "In each head the order is q, k, v.",
        "queries and keys exchanged": (
            "In each head the order is q, k, v; row t of the scores belongs to the query at t."
        ),
        "in the order v, k, q": "In each head the order is q, k, v.",
        "the root of the whole width, not of one head's": (
            "How many products are added up in one score of one head?"
        ),
        "np.sqrt: float64 out of float32": (
            "np.sqrt of a whole number is a float64, and it spreads; math.sqrt gives a plain number, "
            "which does not."
        ),
        "no 1/sqrt(D)": "A sum of D products grows with D: what keeps the scores near 1?",
        "the heads' scores added up: one set of weights": (
            "Each head has weights of its own: keep the axis of the heads."
        ),
        "the heads' scores averaged: one set of weights": (
            "Each head has weights of its own: keep the axis of the heads."
        ),
        "softmax over the heads": "Each query of each head has weights that add up to 1 over the keys.",
        "softmax over the queries": "Each query of each head has weights that add up to 1 over the keys.",
        "merged without moving the heads back": (
            "Before the last reshape the axes must be B, T, H, D: which transpose brings them there?"
        ),
        "merged with the heads' numbers interleaved": (
            "First all D numbers of head 0, then all of head 1, and so on."
        ),
    },
)
