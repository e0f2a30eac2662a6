"""The backward of attention whose scores are softly capped."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.exercises.attention._shared import softmax
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, t, s, d, size=1.5):
        q, dout = size * rng.normal(size=(b, t, d)), rng.normal(size=(b, t, d))
        k, v = size * rng.normal(size=(b, s, d)), rng.normal(size=(b, s, d))
        return dout, q, k, v, float(rng.uniform(1.5, 3.0))

    return [
        case(1, 2, 1, 2),  # a single key
        case(1, 1, 2, 2),
        case(1, 2, 2, 1),
        case(2, 4, 6, 3),
        case(3, 5, 5, 4),
        case(2, 6, 3, 5),
        case(4, 2, 3, 2),
        as_float32(case(2, 3, 5, 6, 1.0)),
        *_far_above_the_cap(rng, case),
        _far_from_zero(case),
    ]


def _far_from_zero(case):
    """Values a billion away from 0: dq and dk do not see it, as weights add up to 1; a nudge does."""
    dout, q, k, v, cap = case(2, 3, 4, 3)
    return dout, q, k, v + 1e9, cap


def _far_above_the_cap(rng, case):
    """Scores in the thousands: some with a small cap, and all with one of hundreds."""
    dout, q, k, v, cap = case(2, 4, 3, 3)
    k[:, 0] = [4.0, 3.0, 2.0]
    q[:, 0] = [900.0, 1000.0, 1100.0]
    yield dout, q, k, v, cap
    dout, q, k, v, _ = case(2, 3, 4, 2)
    k[:, :, 0], k[:, :, 1] = rng.uniform(4.0, 5.0, (2, 4)), [0.8, -1.0, 1.2, -0.9]
    q[:, 0, 0], q[:, 1, 0] = 900.0, -900.0  # all scores of a row high, or all low
    q[:, 2] = 0.1, 4000.0  # some high and some low
    yield dout, q, k, v, 800.0


def capped_attention_backward(dout, q, k, v, cap):
    scores = q @ k.swapaxes(1, 2) / math.sqrt(q.shape[-1])  # (B, T, S)
    capped = cap * np.tanh(scores / cap)
    e = np.exp(capped - capped.max(-1, keepdims=True))
    probs = e / e.sum(-1, keepdims=True)
    dv = probs.swapaxes(1, 2) @ dout  # undoes probs @ v
    dprobs = dout @ v.swapaxes(1, 2)
    dcapped = probs * (dprobs - (dprobs * probs).sum(-1, keepdims=True))  # undoes the softmax
    dscores = dcapped * (1 - (capped / cap) ** 2)  # undoes the cap: the slope of tanh
    dscores /= math.sqrt(q.shape[-1])
    dq = dscores @ k  # undoes q @ k.T, in both of its factors
    dk = dscores.swapaxes(1, 2) @ q
    return dq, dk, dv


def _capped(q, k, cap):
    scores = q @ k.swapaxes(1, 2) / math.sqrt(q.shape[-1])  # (B, T, S)
    capped = cap * np.tanh(scores / cap)
    return capped, softmax(capped)


def loop(dout, q, k, v, cap):
    capped, probs = _capped(q, k, cap)
    slope = (1 - (capped / cap) ** 2) / math.sqrt(k.shape[2])
    dq, dk, dv = np.empty_like(q), np.zeros_like(k), np.zeros_like(v)
    for b, t in np.ndindex(q.shape[:2]):
        p = probs[b, t]
        dv[b] += np.outer(p, dout[b, t])
        dp = np.dot(v[b], dout[b, t])
        ds = p * (dp - (p * dp).sum()) * slope[b, t]
        dq[b, t] = (ds[:, None] * k[b]).sum(0)
        dk[b] += np.outer(ds, q[b, t])
    return dq, dk, dv


def scaled_query(dout, q, k, v, cap):
    scale = 1.0 / math.sqrt(q.shape[-1])
    tanh = np.tanh((scale * q) @ k.swapaxes(1, 2) / cap)
    probs = softmax(cap * tanh)
    out = probs @ v
    dprobs = np.einsum("btd,bsd->bts", dout, v) - (dout * out).sum(-1, keepdims=True)
    dscores = probs * dprobs * (1 - tanh * tanh)
    dq = scale * np.einsum("bts,bsd->btd", dscores, k)
    return dq, np.einsum("bts,btd->bsd", dscores, scale * q), np.einsum("bts,btd->bsd", probs, dout)


EXERCISE = Exercise(
    title="The backward of attention with a soft cap",
    points=5,
    minutes=25,
    difficulty=4,
    cases=cases,
    reference=capped_attention_backward,
    alternatives=(loop, scaled_query),
    equal=(
        ("scores = q @ k.swapaxes(2, 1) / math.sqrt(q.shape[-1])", "exchanging two axes has no order"),
        ("dv = probs.swapaxes(2, 1) @ dout", "exchanging two axes has no order"),
        ("dprobs = dout @ v.swapaxes(2, 1)", "exchanging two axes has no order"),
        ("dk = dscores.swapaxes(2, 1) @ q", "exchanging two axes has no order"),
    ),
    mistakes=(
        mistake(
            "forgot 1/sqrt(D) in dq",
            "dscores @ k -> dscores @ k * math.sqrt(q.shape[-1])",
            "q reaches the scores through the scale: it comes back, too.",
        ),
        mistake(
            "forgot 1/sqrt(D) in dk",
            "dk = dscores.swapaxes(1, 2) @ q * math.sqrt(q.shape[-1])",
            "k reaches the scores through the scale: it comes back, too.",
        ),
        mistake(
            "forgot 1/sqrt(D) in both",
            "dscores /= math.sqrt(q.shape[-1]) ->",
            "The forward pass divides by the root of D: so does the backward pass.",
        ),
        mistake(
            "divided by D, not by its root",
            "dscores /= math.sqrt(q.shape[-1]) -> dscores /= q.shape[-1]",
            "The forward pass divides by the root of D: so does the backward pass, once.",
        ),
        mistake(
            "multiplied by the root of D",
            "dscores /= math.sqrt(q.shape[-1]) -> dscores *= math.sqrt(q.shape[-1])",
            "A division on the way up is the same division on the way back.",
        ),
        mistake(
            "the root of the number of keys, not of D",
            "dscores /= math.sqrt(q.shape[-1]) -> dscores /= math.sqrt(k.shape[1])",
            "The forward pass divides by the root of D: so does the backward pass.",
        ),
        mistake(
            "forgot the cap's slope",
            "dscores = dcapped",
            "Between the scores and the softmax stands the cap: multiply by its slope.",
        ),
        mistake(
            "the cap's slope taken at its output",
            "dscores = dcapped * (1 - np.tanh(capped / cap) ** 2)",
            "The slope of tanh at u is 1 - tanh(u) squared, and tanh(u) is already there: it is capped "
            "/ cap.",
        ),
        mistake(
            "1 - capped ** 2: the cap not divided out",
            "dscores = dcapped * (1 - capped**2)",
            "The slope of tanh at u is 1 - tanh(u) squared: which number here is tanh(u)?",
        ),
        mistake(
            "1 - tanh, without the square",
            "dscores = dcapped * (1 - capped / cap)",
            "The slope of tanh at u is 1 minus the square of tanh(u).",
        ),
        mistake(
            "(1 - tanh) squared",
            "dscores = dcapped * (1 - capped / cap) ** 2",
            "The slope of tanh at u is 1 minus the square of tanh(u): what does the square belong to?",
        ),
        mistake(
            "the slope made of the scores: 1 - (s / cap) ** 2",
            "dscores = dcapped * (1 - (scores / cap) ** 2)",
            "The slope of tanh at u is 1 - tanh(u) squared, not 1 - u squared.",
        ),
        mistake(
            "the slope of a sigmoid: y (1 - y)",
            "dscores = dcapped * (capped / cap) * (1 - capped / cap)",
            "That is the sigmoid's slope; that of tanh at u is 1 - tanh(u) squared.",
        ),
        mistake(
            "the cap itself on the way back, not its slope",
            "dscores = cap * np.tanh(dcapped / cap)",
            "A gradient is multiplied by the slope of the function, at what came in on the way up.",
        ),
        mistake(
            "the slope of tanh(s), not of tanh(s / cap)",
            "dscores = dcapped * (1 - np.tanh(scores) ** 2)",
            "What stands inside the tanh of the forward pass?",
        ),
        mistake(
            "the cap undone before the softmax",
            ("dprobs = dout @ v.swapaxes(1, 2) * (1 - (capped / cap) ** 2)", "dscores = dcapped"),
            "The softmax came last in the forward pass, so it is undone first; then the cap.",
        ),
        mistake(
            "divided by the cap once more",
            "dscores = dcapped * (1 - (capped / cap) ** 2) / cap",
            "cap * tanh(s / cap): the cap outside and the 1/cap inside cancel in the slope.",
        ),
        mistake(
            "the cap's slope times cap",
            "dscores = dcapped * (1 - (capped / cap) ** 2) * cap",
            "cap * tanh(s / cap): the cap outside and the 1/cap inside cancel in the slope.",
        ),
        mistake(
            "softmax's slope as p(1 - p)",
            "dcapped = dprobs * probs * (1 - probs)",
            "Raising one score lowers all the other weights of its row: there is a sum.",
        ),
        mistake(
            "softmax's sum left out",
            "dcapped = probs * dprobs",
            "What one weight gains, the others lose: take the row's weighted mean of dprobs off.",
        ),
        mistake(
            "the weights multiply dprobs only, not the bracket",
            "dcapped = probs * dprobs - (dprobs * probs).sum(-1, keepdims=True)",
            "The weight stands before the whole bracket: also what is taken off is multiplied by it.",
        ),
        mistake(
            "the plain sum of dprobs taken off",
            "(dprobs * probs).sum -> dprobs.sum",
            "What is taken off is a weighted sum: with which weights?",
        ),
        mistake(
            "the softmax's bracket turned round",
            "dcapped = probs * ((dprobs * probs).sum(-1, keepdims=True) - dprobs)",
            "Raising a score raises its own weight: first dprobs, then the mean is taken off.",
        ),
        mistake(
            "softmax's mean instead of its sum",
            "(dprobs * probs).sum -> (dprobs * probs).mean",
            "The weighted mean has its weights in it already: sum dprobs times probs.",
        ),
        mistake(
            "the plain mean of dprobs taken off",
            "dcapped = probs * (dprobs - dprobs.mean(-1, keepdims=True))",
            "The mean that is taken off is a weighted one: with which weights?",
        ),
        mistake(
            "softmax left out", "dcapped = dprobs", "Between the weights and the scores stands the softmax."
        ),
        mistake(
            "the softmax's sum over the queries",
            "(dprobs * probs).sum(-1 -> (dprobs * probs).sum(-2",
            "The softmax ran along the keys, the last axis: so does its sum.",
        ),
        mistake(
            "the weights not transposed in dv",
            "dv = probs @ dout",  # raises an exception unless there are as many queries as keys
            "Value s went to every query t with weight probs[t, s]: on the way back that is column s.",
        ),
        mistake(
            "dscores not transposed in dk",
            "dk = dscores @ q",  # the same
            "Key s met every query t in scores[t, s]: on the way back that is column s.",
        ),
        mistake(
            "dv made of the capped scores, not of the weights",
            "dv = capped.swapaxes(1, 2) @ dout",
            "The values were multiplied by the weights, which come after the softmax.",
        ),
        mistake(
            "dq made with q, and dk with k",
            ("dq = dscores @ q", "dk = dscores.swapaxes(1, 2) @ k"),
            "In a product each factor gets the other one: dq is made with k, dk with q.",
        ),
        mistake(
            "float64 out of float32",
            "dscores /= math.sqrt(q.shape[-1]) -> dscores = dscores / np.sqrt(q.shape[-1])",
            "np.sqrt of a whole number is a float64, and it spreads: take math.sqrt.",
        ),
        mistake(
            "dq and dk exchanged",
            "return dk, dq, dv",
            "dq is a sum over the keys, dscores @ k; it has the shape of q.",
        ),
    ),
    hints=(
        "The forward is four lines: scores, capped, probs, and out = probs @ v. Undo them from the last.",
        "Through the softmax: probs * (dprobs - the row's sum of dprobs * probs).",
        "The slope of cap * tanh(s / cap) is 1 - tanh(s / cap) squared, which is 1 - (capped / cap) ** 2.",
    ),
)
