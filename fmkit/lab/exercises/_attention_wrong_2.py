"""Chapter 06's known-wrong answers, the second part: positions, backward passes, rollout."""

import math

import numpy as np

from fmkit.lab.exercises._attention_wrong import named, softmax


def _rotate(mistake, x, positions, base):
    D = x.shape[-1]
    power = np.arange(0, D, 2) / D
    if mistake == "the exponent i/D, not 2i/D":
        power = np.arange(D // 2) / D
    elif mistake == "the slowest pair first":
        power = power[::-1]
    elif mistake == "all pairs turn equally fast":
        power = 0 * power
    if mistake == "base 10000 whatever is asked":
        base = 10000.0
    frequency = base**power if mistake == "base to the positive power" else base**-power
    if mistake == "counts from 0 instead of using positions":
        positions = np.broadcast_to(np.arange(x.shape[2]), positions.shape)
    elif mistake == "the first row's positions for all":
        positions = np.broadcast_to(positions[:1], positions.shape)
    elif mistake == "positions counted from 1":
        positions = positions + 1
    angle = positions[:, None, :, None] * frequency
    if mistake == "degrees, not radians":
        angle = np.deg2rad(angle)
    kind = np.float64 if mistake == "float64 out of float32" else x.dtype
    cos, sin = np.cos(angle).astype(kind), np.sin(angle).astype(kind)
    if mistake == "turned the wrong way":
        sin = -sin
    if mistake == "pairs i with i + D/2":
        one, two = x[..., : D // 2], x[..., D // 2 :]
        return np.concatenate([one * cos - two * sin, two * cos + one * sin], -1)
    even, odd = x[..., 0::2], x[..., 1::2]
    first, second = even * cos - odd * sin, even * sin + odd * cos
    if mistake == "plus in both lines":
        first = even * cos + odd * sin
    elif mistake == "the new even number used for the odd one":
        second = first * sin + odd * cos
    elif mistake == "added instead of turned":
        first, second = even + sin, odd + cos
    if mistake == "the right pairs, laid out in two halves":
        return np.concatenate([first, second], -1)
    return np.stack([first, second], -1).reshape(x.shape)


ROTARY = named(
    _rotate,
    {
        "pairs i with i + D/2": (
            "That is the library's layout. Here the partners are neighbours: 0 and 1, 2 and 3, ..."
        ),
        "the right pairs, laid out in two halves": (
            "The turned numbers go back to where they came from: even places, odd places."
        ),
        "turned the wrong way": (
            "The pair (1, 0) at angle a becomes (cos a, sin a): is your sine positive there?"
        ),
        "plus in both lines": "In a rotation one of the four terms has a minus.",
        "the new even number used for the odd one": (
            "Both new numbers are made of the two old ones: keep a copy."
        ),
        "added instead of turned": "Rotary positions multiply: each pair is turned by its angle.",
        "counts from 0 instead of using positions": (
            "The positions come as an argument, and they need not be 0, 1, 2, ..."
        ),
        "the first row's positions for all": "positions is (B, T): every row of the batch has its own.",
        "positions counted from 1": "Position 0 turns by nothing at all.",
        "the exponent i/D, not 2i/D": (
            "Pair i turns by position / base ** (2i / D): for D = 4 the exponents are 0 and 1/2."
        ),
        "the slowest pair first": "Pair 0 turns fastest: one radian a position.",
        "all pairs turn equally fast": "Each pair has a speed of its own.",
        "base to the positive power": (
            "Pair 0 is the fastest, the others are slower: divide by the power of base."
        ),
        "base 10000 whatever is asked": "base is an argument.",
        "degrees, not radians": "NumPy's cos and sin take radians, and so does the formula.",
        "float64 out of float32": "Angles in float64 are right, but cast their cos and sin to x.dtype.",
    },
)


def _capped(mistake, dout, q, k, v, cap):
    root = math.sqrt(q.shape[-1])
    scores = q @ k.swapaxes(1, 2) / root
    capped = cap * np.tanh(scores / cap)
    probs = softmax(scores if mistake == "forgot the cap in the forward pass" else capped)
    dv = probs.swapaxes(1, 2) @ dout
    dprobs = dout @ v.swapaxes(1, 2)
    axis = -2 if mistake == "the softmax's sum over the queries" else -1
    dcapped = probs * (dprobs - (dprobs * probs).sum(axis, keepdims=True))
    if mistake == "softmax's slope as p(1 - p)":
        dcapped = dprobs * probs * (1 - probs)
    elif mistake == "softmax left out":
        dcapped = dprobs
    elif mistake == "softmax's sum left out":
        dcapped = probs * dprobs
    elif mistake == "the plain mean of dprobs taken off":
        dcapped = probs * (dprobs - dprobs.mean(-1, keepdims=True))
    elif mistake == "softmax's mean instead of its sum":
        dcapped = probs * (dprobs - (dprobs * probs).mean(-1, keepdims=True))
    slope = 1 - (capped / cap) ** 2
    slope = {
        "forgot the cap's slope": 1.0,
        "forgot the cap in the forward pass": 1.0,
        "the cap's slope taken at its output": 1 - np.tanh(capped / cap) ** 2,
        "1 - capped ** 2: the cap not divided out": 1 - capped * capped,
        "the slope of tanh(s), not of tanh(s / cap)": 1 - np.tanh(scores) ** 2,
        "divided by the cap once more": slope / cap,
        "the cap's slope times cap": slope * cap,
    }.get(mistake, slope)
    dscores = dcapped * slope
    if mistake == "the cap undone before the softmax":
        dscores = dprobs * slope
        dscores = probs * (dscores - (dscores * probs).sum(-1, keepdims=True))
    q_scale = 1.0 if mistake in ("forgot 1/sqrt(D) in dq", "forgot 1/sqrt(D) in both") else 1 / root
    k_scale = 1.0 if mistake in ("forgot 1/sqrt(D) in dk", "forgot 1/sqrt(D) in both") else 1 / root
    dq, dk = dscores @ k * q_scale, dscores.swapaxes(1, 2) @ q * k_scale
    if mistake == "the weights not transposed in dv":
        dv = probs @ dout  # raises an exception unless there are as many queries as keys
    elif mistake == "dscores not transposed in dk":
        dk = dscores @ q * k_scale  # the same
    if mistake == "float64 out of float32":
        return dq.astype(np.float64), dk.astype(np.float64), dv
    if mistake == "dq and dk exchanged":
        return dk, dq, dv
    return dq, dk, dv


CAPPED = named(
    _capped,
    {
        "forgot 1/sqrt(D) in dq": "q reaches the scores through the scale: it comes back, too.",
        "forgot 1/sqrt(D) in dk": "k reaches the scores through the scale: it comes back, too.",
        "forgot 1/sqrt(D) in both": "The forward pass divides by the root of D: so does the backward pass.",
        "forgot the cap's slope": "Between the scores and the softmax stands the cap: multiply by its slope.",
        "forgot the cap in the forward pass": "The weights are the softmax of the capped scores.",
        "the cap's slope taken at its output": (
            "The slope of tanh at u is 1 - tanh(u) squared, and tanh(u) is already there: it is capped / cap."
        ),
        "1 - capped ** 2: the cap not divided out": (
            "The slope of tanh at u is 1 - tanh(u) squared: which number here is tanh(u)?"
        ),
        "the slope of tanh(s), not of tanh(s / cap)": "What stands inside the tanh of the forward pass?",
        "the cap undone before the softmax": (
            "The softmax came last in the forward pass, so it is undone first; then the cap."
        ),
        "divided by the cap once more": (
            "cap * tanh(s / cap): the cap outside and the 1/cap inside cancel in the slope."
        ),
        "the cap's slope times cap": (
            "cap * tanh(s / cap): the cap outside and the 1/cap inside cancel in the slope."
        ),
        "softmax's slope as p(1 - p)": (
            "Raising one score lowers all the other weights of its row: there is a sum."
        ),
        "softmax's sum left out": (
            "What one weight gains, the others lose: take the row's weighted mean of dprobs off."
        ),
        "softmax's mean instead of its sum": (
            "The weighted mean has its weights in it already: sum dprobs times probs."
        ),
        "the plain mean of dprobs taken off": (
            "The mean that is taken off is a weighted one: with which weights?"
        ),
        "softmax left out": "Between the weights and the scores stands the softmax.",
        "the softmax's sum over the queries": (
            "The softmax ran along the keys, the last axis: so does its sum."
        ),
        "the weights not transposed in dv": (
            "Value s went to every query t with weight probs[t, s]: on the way back that is column s."
        ),
        "dscores not transposed in dk": (
            "Key s met every query t in scores[t, s]: on the way back that is column s."
        ),
        "float64 out of float32": "np.sqrt of a whole number is a float64, and it spreads: take math.sqrt.",
        "dq and dk exchanged": "dq is a sum over the keys, dscores @ k; it has the shape of q.",
    },
)


def _block(mistake, dout, x, a, wo, w1, w2):
    rms = np.sqrt((x * x).mean(-1, keepdims=True))
    n = x / rms
    z = n @ w1
    h = np.maximum(z, 0)
    into = x if mistake == "the branches fed with x, not with n" else n

    def flat(array):
        return array.reshape(-1, array.shape[-1])

    dwo, dw2 = flat(a @ into).T @ flat(dout), flat(h).T @ flat(dout)
    dh = dout @ w2.T
    gate = dh > 0 if mistake == "the gate of dh, not of z" else z > 0
    dz = dh * (1 if mistake == "the ReLU's gate left out" else gate)
    dw1 = flat(into).T @ flat(dz)
    if mistake == "a left out of dwo":
        dwo = flat(n).T @ flat(dout)
    if mistake == "w1's gradient averaged over the positions":
        dw1, dwo, dw2 = (g / (x.shape[0] * x.shape[1]) for g in (dw1, dwo, dw2))
    back = a if mistake == "a not transposed" else a.T
    attended, fed = back @ (dout @ wo.T), dz @ w1.T
    dn = {
        "only the attention's branch": attended,
        "only the feed-forward branch": fed,
        "the branches averaged": (attended + fed) / 2,
        "the residual sent through the norm": attended + fed + dout,
    }.get(mistake, attended + fed)
    dbelow = (dn - n * (dn * n).mean(-1, keepdims=True)) / rms
    if mistake == "the norm left out":
        dbelow = dn
    elif mistake == "the norm as a division only":
        dbelow = dn / rms
    elif mistake == "x in place of n in the norm's second path":
        dbelow = (dn - x * (dn * x).mean(-1, keepdims=True)) / rms
    elif mistake == "only the norm's first path divided by rms":
        dbelow = dn / rms - n * (dn * n).mean(-1, keepdims=True)
    elif mistake == "a sum instead of the mean in the norm":
        dbelow = (dn - n * (dn * n).sum(-1, keepdims=True)) / rms
    elif mistake == "LayerNorm's backward: the mean taken off as well":
        dbelow = (dn - dn.mean(-1, keepdims=True) - n * (dn * n).mean(-1, keepdims=True)) / rms
    residual = {
        "forgot the residual": 0.0,
        "the residual sent through the norm": 0.0,
        "the residual twice, once for each branch": 2.0,
    }.get(mistake, 1.0)
    return residual * dout + dbelow, dwo, dw1, dw2


BLOCK = named(
    _block,
    {
        "forgot the residual": "out = x + ...: the gradient also flows straight down, untouched.",
        "the residual twice, once for each branch": "x is added once, however many branches there are.",
        "the residual sent through the norm": (
            "The residual stream goes around the norm: dout joins below it."
        ),
        "only the attention's branch": "n is used twice: over several wires, add.",
        "only the feed-forward branch": "n is used twice: over several wires, add.",
        "the branches averaged": "Over several wires gradients add up; nothing is averaged.",
        "the norm left out": "dn is the gradient of n; on the way to x stands the norm.",
        "the norm as a division only": (
            "Moving one entry of x moves the length of the row, too: there is a second path."
        ),
        "x in place of n in the norm's second path": (
            "Written with x, the second path needs two more divisions by rms: n has them in it already."
        ),
        "only the norm's first path divided by rms": "Both paths lead through the division by rms.",
        "a sum instead of the mean in the norm": (
            "The root holds a mean over C: what does that leave in the second path?"
        ),
        "LayerNorm's backward: the mean taken off as well": (
            "This norm subtracts no mean, so there is no path through one."
        ),
        "a not transposed": (
            "Position u used position t with weight a[u, t]: on the way back that is column t."
        ),
        "a left out of dwo": "What meets wo is the mixed a @ n, not n.",
        "the branches fed with x, not with n": "What meets the weights is n, after the norm.",
        "the ReLU's gate left out": "Where z was below zero, nothing comes back.",
        "the gate of dh, not of z": (
            "ReLU asks what came in on the way up, z; the gradient's own sign does not matter."
        ),
        "w1's gradient averaged over the positions": (
            "A layer only adds up what comes back from every position."
        ),
    },
)


def _rollout(mistake, weights):
    L, H, T, _ = weights.shape
    eye = np.eye(T, dtype=weights.dtype)
    heads = {
        "added the heads up": weights.sum(1),
        "the strongest head instead of the mean": weights.max(1),
        "the first head only": weights[:, 0],
    }.get(mistake, weights.sum(1) / H)
    steps = (heads + eye) / 2
    if mistake == "each head by itself through all layers, then the mean":
        per_head = _rollout("", weights[:, :1])
        for h in range(1, H):
            per_head = per_head + _rollout("", weights[:, h : h + 1])
        return per_head / H
    if mistake == "the residual mixed in once, at the end":
        return (_rollout("no residual", weights) + eye) / 2
    if mistake == "no residual":
        steps = heads
    elif mistake == "the residual added, not averaged in":
        steps = heads + eye
    if mistake == "the mean of the layers instead of their product":
        return steps.sum(0) / L
    if mistake == "the last layer only":
        return steps[-1]
    if mistake == "multiplied entry by entry":
        return np.prod(steps, 0)
    total = steps[0]
    for step in steps[1:]:
        total = total @ step if mistake == "the layers in the wrong order" else step @ total
    if mistake == "transposed: what each token sends, not what it gets":
        return total.T
    return total.astype(np.float64) if mistake == "float64 out of float32" else total


ROLLOUT = named(
    _rollout,
    {
        "the layers in the wrong order": (
            "The first layer comes first to the tokens: later layers multiply from the left, as in layer2 "
            "@ layer1."
        ),
        "no residual": "Half of what a token gets is what it had: mix the identity in.",
        "the residual added, not averaged in": (
            "Each row must still add up to 1: half attention, half identity."
        ),
        "the residual mixed in once, at the end": "Every layer has its own residual: mix it in each time.",
        "each head by itself through all layers, then the mean": (
            "After every layer the heads flow together: the mean comes first, then the product."
        ),
        "added the heads up": "A row of one layer must add up to 1: take the mean of its heads.",
        "the strongest head instead of the mean": (
            "A row of one layer must add up to 1: take the mean of its heads."
        ),
        "the first head only": "All the heads of a layer write into the same stream: take their mean.",
        "the mean of the layers instead of their product": (
            "What a token gets passes through one layer after the other: multiply the matrices."
        ),
        "the last layer only": "What the last layer looks at has itself been mixed by the layers below.",
        "multiplied entry by entry": (
            "A path from s to t goes over any token in between: that is a matrix product."
        ),
        "transposed: what each token sends, not what it gets": (
            "Row t belongs to the token that looks, as in every layer."
        ),
        "float64 out of float32": "np.eye makes float64, and it spreads: give it weights.dtype.",
    },
)
