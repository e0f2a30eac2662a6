"""Chapter 05's known-wrong answers, second half (5.6 to 5.10), in the manner of `_adam_wrong`."""

import math

import numpy as np

from fmkit.lab.exercises._adam_wrong import _named


def _adam_means(mistake, m, v, dw, beta1, beta2):
    """The two moving means after one more gradient."""
    if mistake == "betas taken for learning rates":
        return m + beta1 * (dw - m), v + beta2 * (dw * dw - v)
    if mistake == "betas swapped":
        beta1, beta2 = beta2, beta1
    m = beta1 * m + (1 - beta1) * dw
    squared = m * m if mistake == "squared the mean, not the gradient" else dw * dw
    return m, beta2 * v + (1 - beta2) * squared


def _scale(mistake, v, v_hat, c2, eps):
    """What the step is divided by."""
    if mistake == "eps inside the root":
        return np.sqrt(v_hat + eps)
    if mistake == "eps before the correction":
        return (np.sqrt(v) + eps) / math.sqrt(c2)
    if mistake == "forgot the root":
        return v_hat + eps
    if mistake == "v corrected after the root":
        return np.sqrt(v) / v.dtype.type(c2) + eps
    return np.sqrt(v_hat) + (0 if mistake == "eps outside the division" else eps)


def _adam(mistake, w, grads, lrs, beta1, beta2, eps):
    m, v, path = np.zeros_like(w), np.zeros_like(w), []
    for i, (dw, lr) in enumerate(zip(grads, lrs, strict=True)):
        m, v = _adam_means(mistake, m, v, dw, beta1, beta2)
        t = i if mistake == "counted the steps from 0" else i + 1
        b1, b2 = (beta2, beta1) if mistake == "betas swapped" else (beta1, beta2)
        if mistake == "every step corrected like the first":
            t = 1
        c1, c2 = 1 - b1**t, 1 - b2**t
        if mistake in ("still as published: nothing corrected", "corrected v only"):
            c1 = 1
        if mistake in ("still as published: nothing corrected", "corrected m only"):
            c2 = 1
        if mistake == "powers of 1 - beta":
            c1, c2 = (1 - b1) ** t, (1 - b2) ** t
        elif mistake == "multiplied by the corrections":
            c1, c2 = 1 / c1, 1 / c2
        with np.errstate(all="ignore"):
            m_hat, v_hat = m / w.dtype.type(c1), v / w.dtype.type(c2)
        if mistake == "the corrected means fed back":
            m, v = m_hat, v_hat
        scale = _scale(mistake, v, v_hat, c2, eps)
        rate = float(lrs[0] if mistake == "the first learning rate throughout" else lr)
        with np.errstate(all="ignore"):
            w = w - rate * m_hat / scale
        if mistake == "eps outside the division":
            w = w + eps
        path.append(w)
    if mistake == "w -= also changes the places already stored":
        path = [w] * len(path)
    return np.stack(path)


MENDED_ADAM = _named(
    _adam,
    {
        "still as published: nothing corrected": "m and v start at zero: by which factor is each too small "
        "after the first step?",
        "corrected m only": "v starts at zero, too.",
        "corrected v only": "m starts at zero, too.",
        "betas taken for learning rates": "A beta is the share of the old mean that is kept, not the speed "
        "at which the new value comes in.",
        "betas swapped": "beta1 belongs to the mean of the gradients, beta2 to that of their squares.",
        "counted the steps from 0": "At t = 0 the correction divides by zero: the first step is t = 1.",
        "the corrected means fed back": "The recursion goes on with the uncorrected m and v; the corrected "
        "ones are only for the step.",
        "eps inside the root": "eps is added to the root of the corrected v, not to v.",
        "eps before the correction": "eps is added last, to the root of the corrected v: there it is "
        "compared with a gradient's true size.",
        "v corrected after the root": "First divide v by its correction, then take the root: with beta2 = "
        "0.999 sqrt(v) is 32 times too small at step 1, not 1,000 times.",
        "powers of 1 - beta": "1 - beta**t is one less a power, not a power of 1 - beta.",
        "multiplied by the corrections": "The means are too small at first. Does 1 - beta**t, which is below "
        "1, make them larger?",
        "eps outside the division": "a / b + eps divides first: put eps in brackets with the root.",
        "forgot the root": "The step should not change when all gradients are multiplied by 10. Does yours?",
        "squared the mean, not the gradient": "v is the mean of the squared gradients, not the square of "
        "their mean.",
        "every step corrected like the first": "What is missing shrinks from step to step: which power of "
        "beta still sits on the zero after t steps?",
        "w -= also changes the places already stored": "All entries of the path came out alike: w -= ... "
        "works inside the one array that you stored again and again. w = w - ... makes a new one.",
        "the first learning rate throughout": "lrs holds one learning rate for each step.",
    },
)


def _adamw_array(mistake, w, dw, m, v, t, lr, decay, beta1, beta2, eps):
    shrink = decay if w.ndim >= 2 else 0.0
    if mistake == "the decay left out":
        shrink = 0.0
    elif mistake == "decayed the biases, too":
        shrink = decay
    elif mistake == "decayed only the biases":
        shrink = decay - shrink
    elif mistake == "only arrays with exactly two axes":
        shrink = decay if w.ndim == 2 else 0.0
    if mistake == "a penalty in the gradient (L2, not AdamW)":
        dw = dw + shrink * w
    m = beta1 * m + (1 - beta1) * dw
    v = beta2 * v + (1 - beta2) * dw * dw
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    if mistake == "no bias correction":
        m_hat, v_hat = m, v
    elif mistake == "returned the corrected means":
        m, v = m_hat, v_hat
    scale = np.sqrt(v_hat + eps) if mistake == "eps inside the root" else np.sqrt(v_hat) + eps
    step = lr * m_hat / scale
    if mistake == "the decay divided by the scale, too":
        return w - step - lr * shrink * w / scale, m, v
    if mistake == "a penalty in the gradient (L2, not AdamW)":
        return w - step, m, v
    if mistake == "the decay without the learning rate":
        return w - shrink * w - step, m, v
    if mistake == "decayed after the step":
        return (w - step) * (1 - lr * shrink), m, v
    if mistake == "grew instead of shrinking":
        return w + lr * shrink * w - step, m, v
    if mistake == "shrank by a fixed amount":
        return w - lr * shrink * np.sign(w) - step, m, v
    return w - lr * shrink * w - step, m, v


def _adamw(mistake, params, grads, m, v, t, lr, decay, beta1, beta2, eps):
    what = dict.fromkeys(params, mistake)
    if mistake == "told by the name b":
        what = {name: "" if name == "b" else "decayed the biases, too" for name in params}
    elif mistake == "told by the name w":
        what = {name: "" if name == "w" else "the decay left out" for name in params}
    done = {
        name: _adamw_array(what[name], w, grads[name], m[name], v[name], t, lr, decay, beta1, beta2, eps)
        for name, w in params.items()
    }
    return tuple({name: three[i] for name, three in done.items()} for i in range(3))


ADAMW = _named(
    _adamw,
    {
        "a penalty in the gradient (L2, not AdamW)": "Put into dw, the decay passes through m and v and is "
        "divided like everything else: keep it apart.",
        "decayed the biases, too": "Arrays with one axis (biases, gains) are not to be decayed.",
        "told by the name b": "A gain has one axis and no b in its name: count the axes, w.ndim.",
        "told by the name w": "A matrix may have any name: count the axes, w.ndim.",
        "only arrays with exactly two axes": "Two axes *or more* decay: a kernel may have three.",
        "eps inside the root": "eps is added to the root of the corrected v, not to v.",
        "decayed only the biases": "It is the matrices that decay.",
        "the decay without the learning rate": "In one step a weight shrinks by the share lr * decay.",
        "decayed after the step": "The shrinking acts on the old w; Adam's step is not shrunk.",
        "the decay divided by the scale, too": "Decoupled means: the decay never meets sqrt(v).",
        "grew instead of shrinking": "Decay pulls towards zero: check the sign.",
        "no bias correction": "Adam's own step is the corrected one; t counts from 1.",
        "returned the corrected means": "The corrected means are for this step only: what is kept for the "
        "next one are m and v themselves.",
        "the decay left out": "This is Adam: where does the W, the decay of the matrices, come in?",
        "shrank by a fixed amount": "Each weight shrinks by a share of itself, so large ones shrink more.",
    },
)


def _norm(arrays):
    return math.sqrt(sum(float((a * a).sum()) for a in arrays))


def _clip(grads, max_norm):
    norm = _norm(grads.values())
    scale = max_norm / norm if norm > max_norm else 1.0
    return {name: g * scale for name, g in grads.items()}, norm


def _weights(mistake, sizes):
    if mistake.startswith("every part counted alike"):
        return [1 / len(sizes)] * len(sizes)
    total = {"added without dividing": 1, "divided by the number of parts": len(sizes)}.get(
        mistake, sum(sizes)
    )
    return [n / total for n in sizes]


def _accumulate(mistake, parts, sizes, max_norm):
    if mistake == "clipped each part before adding up":
        parts = [_clip(part, max_norm)[0] for part in parts]
    weights = _weights(mistake, sizes)
    grads = {k: sum(part[k] * w for part, w in zip(parts, weights, strict=True)) for k in parts[0]}
    norm = _norm(grads.values())
    if mistake == "clipped each array by itself":
        return {name: _clip({name: g}, max_norm)[0][name] for name, g in grads.items()}, norm
    if mistake == "clipped each number":
        return {name: np.clip(g, -max_norm, max_norm) for name, g in grads.items()}, norm
    if mistake == "added the arrays' norms":
        norm = sum(_norm([g]) for g in grads.values())
    elif mistake == "forgot the root of the sum of squares":
        norm = norm * norm
    if mistake == "made small gradients larger, too":
        scale = max_norm / norm if norm > 0 else 1.0
    elif mistake.endswith("divided by a norm of zero"):
        scale = min(1.0, max_norm / norm)
    else:
        scale = max_norm / norm if norm > max_norm else 1.0
    if mistake == "told the norm after clipping":
        norm = norm * scale
    return {name: g * scale for name, g in grads.items()}, norm


ACCUMULATE = _named(
    _accumulate,
    {
        "every part counted alike": "A part of 30 examples should count ten times as much as one of 3.",
        "every part counted alike, and divided by a norm of zero": "A part of 30 examples should count ten "
        "times as much as one of 3. And a gradient of zeros has norm 0: divide only when norm > max_norm.",
        "divided by a norm of zero": "A gradient of zeros has norm 0: divide only when norm > max_norm.",
        "added without dividing": "The parts hold means: what must the weights of a mean sum to?",
        "divided by the number of parts": "Weighted by sizes, the sum has to be divided by the number of "
        "examples.",
        "clipped each part before adding up": "Only the gradient of the whole batch is clipped, once, at "
        "the end.",
        "clipped each array by itself": "One factor for all arrays, or the direction of the step changes.",
        "clipped each number": "Clipping by norm scales all numbers by one factor.",
        "made small gradients larger, too": "max_norm is an upper limit: a shorter gradient stays as it is.",
        "added the arrays' norms": "The joint norm is the root of one sum of squares over all arrays.",
        "forgot the root of the sum of squares": "A norm has the unit of the gradient, not of its square.",
        "told the norm after clipping": "The norm before clipping is the one worth watching: afterwards it "
        "is max_norm at most.",
    },
)


def _rate(mistake, steps, peak, warmup, cooldown, total):
    s = steps if mistake == "s without the + 1" else steps + 1
    with np.errstate(divide="ignore"):
        up, down = s / warmup, np.sqrt(warmup / s)
    left = total - steps
    if mistake == "a first step of zero":
        up = steps / warmup
    elif mistake == "1 / s instead of its root":
        down = warmup / s
    elif mistake == "the decay does not begin at the peak":
        down = 1 / np.sqrt(s)
    elif mistake == "whole-number division":
        up = s // warmup
    elif mistake == "the last step wasted":
        left = total - 1 - steps
    rates = np.maximum(up, down) if mistake == "the larger of the two" else np.minimum(up, down)
    if mistake == "the decay counted from the end of the warm-up":
        rates = np.where(s <= warmup, up, 1 / np.sqrt(np.maximum(s - warmup, 1)))
    cool = np.clip(left / cooldown, 0, 1)
    if mistake == "no cool-down":
        cool = 1.0
    elif mistake == "the cool-down replaces the decay":
        return peak * np.where(cool < 1, cool, rates)
    elif mistake == "negative after the end":
        cool = np.minimum(left / cooldown, 1)
    elif mistake == "a factor above 1 before the cool-down":
        cool = np.maximum(left / cooldown, 0)
    rates = peak * rates * cool
    return rates.astype(int) if mistake == "cut to whole numbers" else rates


RATE = _named(
    _rate,
    {
        "a first step of zero": "Step 0 is a step as well: with a rate of 0 its batch would be wasted.",
        "s without the + 1": "s = step + 1: the first step has s = 1, not 0.",
        "cut to whole numbers": "np.zeros_like(steps) makes an array of whole numbers, and each rate stored "
        "in it is cut. Ask for dtype=float.",
        "a factor above 1 before the cool-down": "The cool-down factor is clipped on both sides: long before "
        "the end it is 1.",
        "1 / s instead of its root": "After four times as many steps the rate should be half, not a quarter.",
        "the decay does not begin at the peak": "At s = warmup both branches should give peak: what makes "
        "them meet?",
        "whole-number division": "// rounds down: the rate would be 0 until the warm-up is over.",
        "the larger of the two": "At the beginning the root branch is huge: which of the two should win "
        "there?",
        "the decay counted from the end of the warm-up": "s goes on counting from the first step, in both "
        "branches.",
        "no cool-down": "During the last `cooldown` steps the rate falls in a straight line, on top of the "
        "root.",
        "the cool-down replaces the decay": "The cool-down is a further factor: otherwise the rate jumps "
        "where it starts.",
        "the last step wasted": "In the last step, number total - 1, one step is left, not none.",
        "negative after the end": "From step `total` on the rate is 0, not below.",
    },
)


def _schulz(mistake, g, steps):
    size = {
        "not scaled at first": 1.0,
        "divided by the largest entry": np.abs(g).max(),
        "divided by the squared norm": (g * g).sum(),
        "divided by the largest singular value": np.linalg.svd(g, compute_uv=False)[0],
    }.get(mistake, np.linalg.norm(g))
    x = g / g.dtype.type(size)
    for _ in range(steps - (mistake == "one round too few")):
        if mistake == "cubed each entry":
            x = 1.5 * x - 0.5 * x * x * x
        elif mistake == "the two signs swapped":
            x = 0.5 * x @ x.T @ x - 1.5 * x
        elif mistake == "3 instead of 3/2":
            x = 3 * x - 0.5 * x @ x.T @ x
        elif mistake == "added the cube":
            x = 1.5 * x + 0.5 * x @ x.T @ x
        elif mistake == "scaled again before every round":
            x = x / np.linalg.norm(x)
            x = 1.5 * x - 0.5 * x @ x.T @ x
        elif mistake == "scaled again in every round":
            x = 1.5 * x - 0.5 * x @ x.T @ x
            x = x / np.linalg.norm(x)
        else:
            x = 1.5 * x - 0.5 * x @ x.T @ x
    return x


SCHULZ = _named(
    _schulz,
    {
        "not scaled at first": "Singular values above 1.73 run away: begin with a matrix whose values are "
        "at most 1.",
        "divided by the largest entry": "The largest entry says little about singular values: use the root "
        "of the sum of all squares.",
        "divided by the squared norm": "The norm is the root of the sum of squares.",
        "divided by the largest singular value": "It would do, but finding it takes an SVD, which is what "
        "we want to avoid: use the Frobenius norm.",
        "cubed each entry": "The cube is a matrix product, x @ x.T @ x, not entry by entry.",
        "the two signs swapped": "A singular value of 1 should stay 1.",
        "3 instead of 3/2": "A singular value of 1 should stay 1: 3 - 1/2 is not 1.",
        "scaled again in every round": "Scale once: the iteration itself brings the values to 1.",
        "scaled again before every round": "Scale once, before the loop: the iteration itself brings the "
        "values to 1.",
        "added the cube": "A singular value of 1 should stay 1: 3/2 + 1/2 is not 1.",
        "one round too few": "steps counts the rounds of the iteration; the scaling is not one of them.",
    },
)
