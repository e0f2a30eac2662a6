"""Chapter 06's known-wrong answers, the first part: for each exercise one function, one mistake at a time.

Each is the right answer with the named mistake in it and nothing else: a reader sees the difference in one
place, and the check can say "this looks like ..." when a learner's answer behaves the same way.
"""

import math
from functools import partial

import numpy as np

from fmkit.lab.judging.exercise import Misconception


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
    elif mistake == "chapter 5's moving mean, uncorrected":
        return ((1 - decay) * weights).astype(x.dtype) @ x
    elif mistake == "a moving mean that starts at the first value":
        weights[:, 1:] *= 1 - decay
        return weights.astype(x.dtype) @ x
    elif mistake == "divided by the sum of the whole matrix":
        return (weights / weights.sum()).astype(x.dtype) @ x
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
        "divided by the sum of the whole matrix": (
            "weights.sum() adds up the whole matrix, and each row has a sum of its own."
        ),
        "chapter 5's moving mean, uncorrected": (
            "1 - decay would be right for a past without end: what do the weights of row 0 add up to?"
        ),
        "a moving mean that starts at the first value": (
            "Its rows add up to 1, but the very first position counts too much: its weight is decay ** t "
            "like any other's, before the division."
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
        "the root of E, not of D": 1.0 / math.sqrt(wv.shape[1]),
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
    if mistake == "one maximum for the whole array":
        with np.errstate(all="ignore"):
            e = np.exp(scores - scores.max())
            return e / e.sum(-1, keepdims=True) @ v
    if mistake == "divided by the sum of the whole array":
        e = np.exp(scores - scores.max(-1, keepdims=True))
        return e / e.sum() @ v
    if mistake == "the weights transposed":
        return softmax(scores).swapaxes(1, 2) @ v
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
        "the root of E, not of D": (
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
        "one maximum for the whole array": (
            "A row far below the largest score of all becomes 0 / 0: each row takes its own maximum off."
        ),
        "divided by the sum of the whole array": (
            "Each row's weights add up to 1 by themselves: which axis does the sum run along?"
        ),
        "the weights transposed": "Row t of the weights makes output t: weights @ v, as they are.",
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
    elif mistake == "the window has no end in the future":
        past = np.ones((T, T), bool)
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
    if mistake == "the window counts real tokens only":
        ago = np.cumsum(real[:, ::-1], 1)[:, None, None, ::-1]  # how many real ones from s on
        behind = ago - np.cumsum(real[:, ::-1], 1)[:, None, ::-1, None] + real[:, None, :, None]
        return past & (behind <= window) & keys
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
        if mistake == "-1e9 added: weights where nothing is visible":
            return softmax((scores + np.where(seen, 0.0, -1e9)).astype(scores.dtype))
        if mistake.startswith("-10000 added"):
            weights = softmax((scores + np.where(seen, 0.0, -1e4)).astype(scores.dtype))
            return weights if "nothing" in mistake else weights * seen.any(-1, keepdims=True)
        if mistake == "one maximum for the whole array":
            e = np.where(seen, np.exp(scores - scores.max()), 0 * scores)
            total = e.sum(-1, keepdims=True)
            return e / np.where(total > 0, total, 1)
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
        "the window has no end in the future": (
            "t - s is smaller than the window for every s in the future, too: what else must hold?"
        ),
        "the window counts real tokens only": (
            "The window counts positions, padding among them; then the padding in it is left out."
        ),
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
        "-1e9 added: weights where nothing is visible": (
            "Where all of a row is hidden, the same number was added everywhere, and softmax does not notice."
        ),
        "-10000 added: not low enough": (
            "A hidden score of 30000 stays far above the visible ones: -inf is lower than any number."
        ),
        "-10000 added: not low enough, and weights where nothing is visible": (
            "A hidden score of 30000 stays far above the visible ones: -inf is lower than any number."
        ),
        "softmax over the queries": "Each query has weights of its own that add up to 1: over which axis?",
        "exp without taking the maximum off": "exp(1000) is inf: take each row's maximum off first.",
        "one maximum for the whole array": (
            "Seen from one huge score, everything else rounds to 0: each row takes its own maximum off, of "
            "what it may see."
        ),
    },
)
