"""Chapter 06's known-wrong answers, the third part: heads in another layout, the language model."""

import math

import numpy as np

from fmkit.lab.exercises._attention_wrong import named, softmax


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
    if mistake == "n_heads not used: thirds of the last axis":
        return qkv.reshape(B, T, 1, 3, n_heads * D).transpose(3, 0, 2, 1, 4)
    if mistake == "the heads of one position look at each other":
        return qkv.reshape(B, T, n_heads, 3, D).transpose(3, 0, 1, 2, 4)
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
    if mistake == "exp without taking the maximum off":
        with np.errstate(all="ignore"):
            weights = np.exp(scores)
            weights = weights / weights.sum(-1, keepdims=True)
    else:
        weights = softmax(
            scores, {"softmax over the heads": 1, "softmax over the queries": 2}.get(mistake, -1)
        )
    out = weights @ v
    if mistake == "merged without moving the heads back":
        return out.reshape(B, T, width)
    if mistake == "the heads of one position look at each other":
        return out.reshape(*qkv.shape[:2], width)
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
        "n_heads not used: thirds of the last axis": (
            "Each head has a softmax of its own, and its q, k and v stand side by side."
        ),
        "the heads of one position look at each other": (
            "`@` compares along the last axis but one: are the positions there, or the heads?"
        ),
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
        "exp without taking the maximum off": "exp(1000) is inf: take each row's maximum off first.",
        "merged without moving the heads back": (
            "Before the last reshape the axes must be B, T, H, D: which transpose brings them there?"
        ),
        "merged with the heads' numbers interleaved": (
            "First all D numbers of head 0, then all of head 1, and so on."
        ),
    },
)


def _scores(mistake, ids, wte, wpe, wq, wk, wv):
    (B, T), over_batch = ids.shape, "over the batch" in mistake
    x = wte[ids]
    if "no positions" not in mistake:
        x = x + (wpe[:B, None] if mistake == "a position for each row of the batch" else wpe[:T])
    y = x.swapaxes(0, 1) if over_batch else x
    q, k, v = y @ wq, y @ wk, y @ wv
    scores = q @ k.swapaxes(1, 2)
    if mistake != "no 1/sqrt(D)":
        scores = scores / math.sqrt(q.shape[-1])
    n = scores.shape[-1]
    seen = np.tri(n, dtype=bool)
    if "no causal mask" in mistake:
        seen = np.ones((n, n), bool)
    elif mistake == "masked along T, but still over the batch":
        seen = np.tri(T, dtype=bool)  # raises an exception unless there are as many rows as tokens
    elif mistake == "the mask hides the past":
        seen = seen.T
    elif mistake == "cannot see itself":
        seen = np.tri(n, k=-1, dtype=bool)
        seen[0, 0] = True
    elif mistake == "sees the next token":
        seen = np.tri(n, k=1, dtype=bool)
    weights = softmax(np.where(seen, scores, -np.inf).astype(scores.dtype))
    if mistake == "float64 out of float32":
        weights = weights.astype(np.float64)
    if mistake == "masked after the softmax":
        weights = softmax(scores) * seen.astype(scores.dtype)
    if mistake == "masked after exp, and divided again":
        with np.errstate(all="ignore"):
            weights = np.exp(scores - scores.max(-1, keepdims=True)) * seen.astype(scores.dtype)
            weights = weights / weights.sum(-1, keepdims=True)
    out = weights @ v
    if over_batch:
        out = out.swapaxes(0, 1)
    if mistake == "adds the words back without their places":
        out = wte[ids] + out
    elif mistake != "forgot to add x back":
        out = x + out
    return out @ wte.T


SCORES = named(
    _scores,
    {
        "attends over the batch, no positions, no causal mask": (
            "Nothing is mended yet. Start with this: which axis of (B, T, C) do the keys stand on?"
        ),
        "attends over the batch, no causal mask": (
            "The two axes B and T: within which of them should a token look around?"
        ),
        "attends over the batch and is masked there, no positions": (
            "Two texts of a batch have nothing to do with each other: attend along T, and mask there."
        ),
        "attends over the batch and is masked there": (
            "Two texts of a batch have nothing to do with each other: attend along T, and mask there."
        ),
        "masked along T, but still over the batch": (
            "Your mask is (T, T), but the scores compare rows of the batch: which line turned the axes round?"
        ),
        "no positions, no causal mask": (
            "Two bugs are left: nobody knows where it stands, and everybody sees the future."
        ),
        "no causal mask": "One bug is left: position t must not see what comes after it.",
        "no positions": "One bug is left: shuffle the past, and the last token does not notice.",
        "a position for each row of the batch": (
            "wpe[t] belongs to the place t in the text, not to the row of the batch."
        ),
        "masked after the softmax": (
            "Hide before the softmax, or the future still counts below the fraction line."
        ),
        "masked after exp, and divided again": (
            "Where the future holds the largest score, all that is visible rounds to 0: hide it before the "
            "maximum is taken."
        ),
        "sees the next token": "Your mask lets one too many through: the diagonal is the last to be seen.",
        "the mask hides the past": "Row t is the token that looks; it may look at columns 0 to t.",
        "cannot see itself": "A token may see itself: its own name is the best hint at what comes next.",
        "no 1/sqrt(D)": "The scores were divided by the root of D, and should stay so.",
        "float64 out of float32": (
            "np.full and np.zeros make float64 unless told otherwise, and so does np.sqrt of a number; it "
            "spreads."
        ),
        "adds the words back without their places": (
            "The residual adds what went into the attention: words and places."
        ),
        "forgot to add x back": "The output is x plus what attention found.",
    },
)
