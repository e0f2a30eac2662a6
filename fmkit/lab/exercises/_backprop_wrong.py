"""Chapter 04's known-wrong answers, the first half: for each exercise one function, one mistake at a time.

Each is the right answer with the named mistake in it and nothing else: a reader sees the difference in one
place, and the check can say "this looks like ..." when a learner's answer behaves the same way.
"""

from functools import partial

import numpy as np

from fmkit.lab.judging.exercise import Misconception


def named(wrong, hints):
    """One `Misconception` per mistake that `wrong` knows, with its hint."""
    return tuple(Misconception(name, partial(wrong, name), hint) for name, hint in hints.items())


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def _nudging(mistake, w, x, t, eps):
    def loss(w):
        return 0.5 * np.mean((np.tanh(x @ w) - t) ** 2)

    w = w.copy() if "in float32" in mistake else w.astype(np.float64)
    mistake = mistake.removesuffix(", and in float32")
    slopes = np.zeros_like(w)
    up, down = w.copy(), w.copy()
    for i in np.ndindex(w.shape):
        if mistake != "the nudges pile up":
            up, down = w.copy(), w.copy()
        if mistake == "both nudges in the same array":
            down = up
        where = ... if mistake == "nudged every entry at once" else i
        up[where] += eps
        down[where] -= eps
        if mistake == "a one-sided difference":
            slopes[i] = (loss(up) - loss(w)) / eps
        elif mistake == "divided by one step, not two":
            slopes[i] = (loss(up) - loss(down)) / eps
        elif mistake == "the difference the wrong way round":
            slopes[i] = (loss(down) - loss(up)) / (2 * eps)
        elif mistake == "multiplied by eps":
            slopes[i] = (loss(up) - loss(down)) / 2 * eps
        else:
            slopes[i] = (loss(up) - loss(down)) / (2 * eps)
    return slopes


NUDGING = named(
    _nudging,
    {
        "a one-sided difference": (
            "Stepping to one side only leaves an error as large as eps: step to both sides of w."
        ),
        "divided by one step, not two": "How far apart on the axis are the two points that you compare?",
        "a one-sided difference, and in float32": (
            "Step to both sides of w; and convert w to float64 before you nudge it."
        ),
        "divided by one step, not two, and in float32": (
            "How far apart are the two points? And convert w to float64 before you nudge it."
        ),
        "multiplied by eps": "Python reads a / 2 * eps as (a / 2) * eps: brackets around 2 * eps.",
        "both nudges in the same array": (
            "All your slopes are 0: both losses are the same. up = w makes no copy, only a second name for w."
        ),
        "nudged every entry at once": (
            "All your slopes are equal. Each one should answer a question about one entry alone."
        ),
        "the nudges pile up": "When you come to the second entry, is the first one back where it was?",
        "nudged in float32": (
            "float32 holds about 7 digits; the difference of two nearly equal losses needs more."
        ),
        "the difference the wrong way round": (
            "If a nudge upwards raises the loss, the slope is positive. Is yours?"
        ),
    },
)


def _neuron(mistake, x, w, b, t):
    z = x @ w + b
    y = sigmoid(z)
    slope = y * (1 - y)
    if mistake == "the sigmoid's slope taken at its output":
        slope = sigmoid(y) * (1 - sigmoid(y))
    elif mistake == "the sigmoid's slope left out":
        slope = 1
    elif mistake == "the value of the sigmoid instead of its slope":
        slope = y
    dz = (y - t) * slope
    if mistake == "the loss instead of its slope":
        dz = 0.5 * (y - t) ** 2 * slope
    elif mistake == "kept the half of the square":
        dz = 0.5 * dz
    elif mistake == "t - y instead of y - t":
        dz = -dz
    elif mistake == "the factor 2 of an unhalved square":
        dz = 2 * dz
    n = 1 if mistake == "forgot the 1/N of the mean" else len(t)
    if mistake == "divided by C, not by N":
        n = x.shape[1]
    if mistake == "db not summed over the rows":
        return x.T @ dz / n, dz / n
    return x.T @ dz / n, dz.sum() / (1 if mistake == "averaged dw but not db" else n)


NEURON = named(
    _neuron,
    {
        "the sigmoid's slope taken at its output": (
            "The slope belongs to the point where the curve was entered: z. "
            "Written with y it is y * (1 - y), with no second sigmoid around y."
        ),
        "the sigmoid's slope left out": (
            "Between y and z stands the sigmoid: on the way back it multiplies by its slope."
        ),
        "the value of the sigmoid instead of its slope": (
            "On the way back a function multiplies by its slope, not by its value."
        ),
        "forgot the 1/N of the mean": (
            "The loss is a mean over the rows: what does that do to each row's share?"
        ),
        "divided by C, not by N": "The mean of the loss runs over the rows: how many are there?",
        "db not summed over the rows": (
            "There is one b for all rows, so there is one db: over several wires, add."
        ),
        "averaged dw but not db": (
            "dw and db come from the same dz. If one is averaged over the rows, so is the other."
        ),
        "t - y instead of y - t": (
            "Check the sign: y above its target must give a positive slope with respect to y."
        ),
        "the factor 2 of an unhalved square": (
            "This loss has a half in front of the square: what is left of the 2?"
        ),
        "kept the half of the square": (
            "The slope of a square brings a 2: what is left of the half in front of it?"
        ),
        "the loss instead of its slope": (
            "dy is the slope of the halved square, not the halved square itself."
        ),
    },
)


def _linear(mistake, dout, x, w, scale):
    dy = dout / scale if mistake == "divided by the scale" else dout * scale
    dy_x = dout if mistake in ("forgot the scale in dx", "forgot the scale in both") else dy
    dy_w = dout if mistake in ("forgot the scale in dw", "forgot the scale in both") else dy
    wt = {
        "reshaped w instead of transposing it": w.reshape(w.shape[::-1]),
        "forgot to transpose w": w,  # raises an exception unless w is square
    }.get(mistake, w.T)
    dx = dy_x @ wt
    x2, dy2 = x.reshape(-1, x.shape[-1]), dy_w.reshape(-1, dy_w.shape[-1])
    if mistake == "reshaped x instead of transposing it":
        return dx, x.reshape(x.shape[-1], -1) @ dy2
    dw = x2.T @ dy2
    if mistake == ".T on an array of three axes":
        return dx, x.T @ dy_w  # raises an exception unless the sizes happen to fit
    if mistake == "averaged dw over the positions":
        dw = dw / len(x2)
    elif mistake == "averaged dw over the batch":
        dw = dw / len(x)
    elif mistake == "kept one dw for each example":
        dw = np.swapaxes(x, 1, 2) @ dy_w
    elif mistake == "dw transposed":
        dw = dw.T
    elif mistake == "dw from the last position only":
        dw = x[:, -1].T @ dy_w[:, -1]
    return dx, dw


LINEAR = named(
    _linear,
    {
        "forgot the scale in dx": "x, too, reaches the output through the scale.",
        "forgot the scale in dw": "w, too, reaches the output through the scale.",
        "forgot the scale in both": "x and w reach the output through the scale: it comes back, too.",
        "divided by the scale": (
            "Backward does not invert: it multiplies by the slope, and that of s * z is s."
        ),
        ".T on an array of three axes": (
            "With three axes .T turns all of them round, the batch as well: make x a (B*T, C) matrix first."
        ),
        "forgot to transpose w": "dx goes from K outputs back to C inputs: which way round must w stand?",
        "reshaped w instead of transposing it": (
            "A reshape keeps the order in memory, so it deals the numbers out "
            "differently: w.reshape(K, C) is not w.T."
        ),
        "reshaped x instead of transposing it": "x.reshape(C, -1) mixes positions with channels. "
        "First bring x to (B*T, C), then transpose.",
        "averaged dw over the positions": (
            "A layer only adds up what comes back; an average, if any, was already in the loss."
        ),
        "averaged dw over the batch": (
            "A layer only adds up what comes back; an average, if any, was already in the loss."
        ),
        "kept one dw for each example": (
            "There is one w for the whole batch, so there is one dw of its shape."
        ),
        "dw transposed": "dw has the shape of w: the channels of x are its rows.",
        "dw from the last position only": (
            "w is used at every position t, so every position sends something back to it."
        ),
    },
)


def _capped(mistake, dout, x, slope, cap):
    zero = 0 * dout
    if mistake == "the chain rule's dout left out":
        dout = dout * 0 + 1
    below = zero if mistake == "no leak below zero" else slope * dout
    if mistake == "dout left out below zero":
        below = zero + slope
    positive = x >= 0 if mistake == ">= at zero" else x > 0
    if mistake == "looked at the sign of dout, not of x":
        positive = dout > 0
    dx = np.where(positive, dout, below)
    if mistake == "zero falls between two masks":
        dx = np.where(x == 0, zero, dx)
    if mistake == "multiplied by the output, not by its slope":
        return dout * np.minimum(np.where(x > 0, x, slope * x), cap)
    if mistake == "the ceiling instead of its slope":
        return np.where(x >= cap, zero + cap, dx)
    if mistake == "float64 out of float32":
        return dout * np.where(x <= 0, slope, np.where(x < cap, 1.0, 0.0))
    if mistake == "forgot the ceiling":
        return dx
    over = x > cap if mistake == "> at the ceiling" else x >= cap
    return np.where(over, slope * dout if mistake == "leaks above the ceiling too" else zero, dx)


CAPPED = named(
    _capped,
    {
        ">= at zero": (
            "At exactly zero the exercise wants the slope of the left side. Which of > and >= says so?"
        ),
        "> at the ceiling": "At exactly the cap the exercise wants slope 0. Which of > and >= says so?",
        "forgot the ceiling": "Above the cap the output is constant: what is the slope of a constant?",
        "the ceiling instead of its slope": (
            "Above the cap the output is constant: its slope is not the cap. What is it?"
        ),
        "zero falls between two masks": "Which of your masks holds x == 0, if one says < and the other >?",
        "dout left out below zero": "Below zero, too, the slope multiplies what comes back.",
        "float64 out of float32": (
            "np.where of plain numbers makes float64, and so does np.zeros: end with .astype(dout.dtype)."
        ),
        "leaks above the ceiling too": (
            "Only the part below zero leaks; above the cap the output does not move at all."
        ),
        "no leak below zero": "Below zero the output is slope * x, so something still comes back.",
        "looked at the sign of dout, not of x": (
            "The gate was set by x on the way forward; dout has no say in it."
        ),
        "the chain rule's dout left out": (
            "You return the function's own slope; the chain rule multiplies it by something."
        ),
        "multiplied by the output, not by its slope": (
            "On the way back a function multiplies by its slope, not by its value."
        ),
    },
)


def _ce(mistake, logits, labels, weights, tau):
    s = logits if mistake == "forgot the temperature inside softmax" else logits / tau
    axis = 0 if mistake == "softmax over the batch" else 1
    top = s.max(axis, keepdims=True)
    if mistake == "exp without taking the maximum off":
        top = 0 * top
    elif mistake == "took one maximum for the whole batch off":
        top = s.max()
    elif mistake == "took the row's mean off, not its maximum":
        top = s.mean(axis, keepdims=True)
    with np.errstate(all="ignore"):
        e = np.exp(s - top)
        p = e / e.sum(axis, keepdims=True)
    d, right = p.copy(), (np.arange(len(labels)), labels)
    if mistake == "took 1 off in every row":
        right = (slice(None), labels)
    d[right] -= weights if mistake == "weighted the right label only" else 1
    if mistake == "set the right label to -1":
        d[right] = -1
    elif mistake == "took the label's number off":
        d = p - labels[:, None].astype(p.dtype)
    elif mistake == "float64 out of float32":
        d = p - np.eye(p.shape[1])[labels]
    if mistake == "y - p instead of p - y":
        d = -d
    elif mistake == "softmax's slope p(1 - p) once more":
        d = d * p * (1 - p)
    total = weights.sum()
    if mistake == "forgot the weights":
        weights, total = np.ones_like(weights), len(weights)
    elif mistake == "divided by N, not by the sum of the weights":
        total = len(weights)
    elif mistake == "divided by N as well":
        total = total * len(weights)
    elif mistake == "did not divide by anything":
        total = 1
    elif mistake in ("forgot the weights above the fraction line", "weighted the right label only"):
        weights = np.ones_like(weights)
    d = d * weights[:, None] / total
    if mistake == "multiplied by tau":
        return d * tau
    return d if mistake == "forgot the temperature's own 1/tau" else d / tau


CROSS_ENTROPY = named(
    _ce,
    {
        "forgot the temperature's own 1/tau": (
            "logits / tau is a step of the forward pass, too: what is its slope?"
        ),
        "multiplied by tau": (
            "Backward does not invert: it multiplies by the slope, and that of z / tau is 1 / tau."
        ),
        "forgot the temperature inside softmax": "p is the softmax of logits / tau, not of the logits.",
        "divided by N, not by the sum of the weights": (
            "Look at the loss again: what stands below the fraction line?"
        ),
        "did not divide by anything": "Look at the loss again: there is a fraction line in it.",
        "divided by N as well": "The sum of the weights takes the place of N: there is one fraction line.",
        "forgot the weights above the fraction line": "A row with weight 0 must get a gradient of 0.",
        "weighted the right label only": (
            "The weight stands in front of the whole row's loss: it multiplies p - y, not only y."
        ),
        "took 1 off in every row": (
            "p[:, labels] takes the labels' columns in every row. Each row has one right label of its own."
        ),
        "took the label's number off": (
            "A label is a name, not an amount: y is the one-hot vector, 1 at the label and 0 elsewhere."
        ),
        "set the right label to -1": "p - y at the right label is p - 1: take 1 off, keep the p.",
        "float64 out of float32": "np.eye and np.zeros make float64, and it spreads: give them logits.dtype.",
        "forgot the weights": "A row with weight 0 must get a gradient of 0.",
        "y - p instead of p - y": (
            "Raising the right label's logit must lower the loss: the entry there is negative."
        ),
        "softmax over the batch": "Each row is one example, and its probabilities add up to 1.",
        "exp without taking the maximum off": "exp(1000) is inf: take each row's maximum off first.",
        "took one maximum for the whole batch off": (
            "A row far below the batch's maximum underflows to 0 / 0: each row needs a maximum of its own."
        ),
        "took the row's mean off, not its maximum": (
            "In a row such as 2000, 0, 0 the mean lies far below the maximum: exp is inf all the same."
        ),
        "softmax's slope p(1 - p) once more": (
            "p - y already contains softmax's slope; that is the whole point of it."
        ),
    },
)
