"""Chapter 02's known-wrong answers, exercises 2.6 to 2.9."""

import math

import numpy as np

from fmkit.lab.exercises._activations_wrong import named, safe_sigmoid


def _masked_softmax(mistake, scores, allowed, temperature):
    t = temperature[:, None]
    if mistake == "allowed read as forbidden":
        allowed = ~allowed
    if mistake == "one temperature for all rows":
        t = temperature[0]
    elif mistake == "the temperatures laid along the columns":
        t = temperature
    elif mistake == "temperature after the softmax":
        t = np.ones_like(t)
    z = scores * t if mistake == "multiplied by the temperature" else scores / t
    z = z.astype(scores.dtype)
    if mistake == "masked after the softmax, not shared out again":
        return softmax_rows(z) * allowed
    z = np.where(allowed, z, 0.0 if mistake == "forbidden scores set to 0" else -np.inf)
    if mistake == "the maximum never taken off":
        e = np.exp(z)
        return e / np.maximum(e.sum(-1, keepdims=True), np.finfo(z.dtype).tiny)
    if mistake == "forbidden taken out after the exponential":
        e = np.exp(scores / t - (scores / t).max(-1, keepdims=True)) * allowed
        with np.errstate(invalid="ignore"):
            return e / e.sum(-1, keepdims=True)
    if mistake == "nothing allowed: 0 / 0":
        return softmax_rows(z)
    if mistake == "nothing allowed: shared out evenly":
        return softmax_rows(np.where(allowed, z, -1e9))
    axis = 0 if mistake == "along the wrong axis" else -1
    whole = scores / t if mistake == "the maximum of the forbidden ones, too" else z
    top = whole.max(axis, keepdims=True)
    e = np.exp(z - np.where(np.isfinite(top), top, 0.0).astype(z.dtype))
    p = e / np.maximum(e.sum(axis, keepdims=True), np.finfo(z.dtype).tiny)
    return p / temperature[:, None] if mistake == "temperature after the softmax" else p


def softmax_rows(z):
    with np.errstate(invalid="ignore"):
        e = np.exp(z - z.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)


MASKED_SOFTMAX = named(
    _masked_softmax,
    {
        "multiplied by the temperature": (
            "A higher temperature should make the probabilities more alike. Yours?"
        ),
        "temperature after the softmax": (
            "Dividing probabilities breaks their sum of 1: the temperature belongs to the scores."
        ),
        "one temperature for all rows": "Each row has a temperature of its own.",
        "the temperatures laid along the columns": (
            "temperature has one number per row: give it an axis for the columns."
        ),
        "masked after the softmax, not shared out again": "Do your rows still sum to 1?",
        "forbidden scores set to 0": "exp(0) is 1, not 0: which score has the exponential 0?",
        "the maximum never taken off": (
            "Scores may be 1000. Softmax does not mind a shift: which one keeps exp small?"
        ),
        "the maximum of the forbidden ones, too": (
            "A forbidden score of 1000 as the maximum sends every allowed exponential to 0."
        ),
        "forbidden taken out after the exponential": (
            "The largest score of a row may be a forbidden one: what is left of the others beside it?"
        ),
        "nothing allowed: 0 / 0": "A row may allow nothing at all. What should be divided by what there?",
        "nothing allowed: shared out evenly": (
            "A very low score instead of -inf is lowest among higher ones only. What if all are so low?"
        ),
        "allowed read as forbidden": "True means allowed: which entries of yours are exactly 0?",
        "along the wrong axis": "The probabilities of one row sum to 1: that is the last axis.",
    },
)


def _layer_health(mistake, z):
    rows = z.reshape(-1, z.shape[-1])
    on = rows >= 0 if mistake == "exactly 0 counted as on" else rows > 0
    dead, always, off = ~on.any(0), on.all(0), 1.0 - on.mean()
    if mistake == "z taken for the output":
        off = np.mean(z == 0)
        dead = (rows == 0).all(0)
    elif mistake == "exactly 0 not counted as off":
        dead, off = (rows < 0).all(0), np.mean(rows < 0)
    elif mistake == "off answers instead of dead units":
        return off, 1.0 - off, off
    elif mistake == "dead when off once":
        dead = ~on.all(0)
    elif mistake == "always on taken for not dead":
        always = ~dead
    elif mistake == "rows judged instead of units":
        dead, always = ~on.any(1), on.all(1)
    elif mistake == "dead by its average":
        dead = rows.mean(0) <= 0
    elif mistake == "judged over the first axis only":
        dead, always = ~(z > 0).any(0), (z > 0).all(0)
    elif mistake == "counts instead of shares":
        return float(dead.sum()), float(always.sum()), off
    elif mistake == "the share that is on":
        off = on.mean()
    return dead.mean(), always.mean(), off


LAYER_HEALTH = named(
    _layer_health,
    {
        "off answers instead of dead units": (
            "A unit that is off for one image may be on for the next: only one that is never on is dead."
        ),
        "dead when off once": "A dead unit is off for every image, not for some image.",
        "always on taken for not dead": "Most units are neither: on for some images, off for others.",
        "rows judged instead of units": "The units are the last axis: look down a column.",
        "dead by its average": "A unit with a negative average may still be on for a few images.",
        "exactly 0 counted as on": (
            "ReLU's slope at exactly 0 is 0, so a unit that gives 0 everywhere learns nothing."
        ),
        "exactly 0 not counted as off": "At exactly 0 the answer is 0, and so is its slope: z <= 0.",
        "judged over the first axis only": "With three axes, look at every position of every sequence.",
        "counts instead of shares": "Divide by the number of units.",
        "z taken for the output": (
            "z is what goes *into* the units: the answer is 0 wherever z is at or below 0."
        ),
        "the share that is on": "The third number is the share of answers that are off.",
    },
)


def _predicted(mistake, rms, widths, stds, slope):
    kept = {
        "the half that ReLU removes forgotten": 1.0,
        "the leak forgotten": 0.5,
        "the leak not squared": (1 + slope) / 2,
        "an average instead of a mean square": ((1 + slope) / 2) ** 2,
    }.get(mistake, (1 + slope * slope) / 2)
    square, sizes = (rms if mistake == "the input's size not squared" else rms * rms), []
    for layer, (fan_in, std) in enumerate(zip(widths, stds, strict=True)):
        if mistake == "the width forgotten":
            fan_in = 1
        square *= fan_in * (std if mistake == "the weights' size not squared" else std * std)
        square *= kept if layer or mistake == "one activation too many" else 1.0
        sizes.append(square if mistake == "the root left out" else math.sqrt(square))
    return np.array(sizes)


PREDICTED = named(
    _predicted,
    {
        "the half that ReLU removes forgotten": (
            "Half of the numbers pass whole; what happens to the other half?"
        ),
        "the leak forgotten": "A negative number is not lost: leak² of its square is left.",
        "the leak not squared": "It is the squares that are averaged: what is the square of leak times z?",
        "an average instead of a mean square": "First square, then average: the other order gives less.",
        "the weights' size not squared": (
            "Squares add up: a weight of size s adds s² times the input's square."
        ),
        "the input's size not squared": "Work with mean squares throughout, from the very first one.",
        "the width forgotten": "Each output is a sum over all the inputs of its layer.",
        "one activation too many": (
            "The sizes asked for are those of z, before its activation; and the first layer reads the input "
            "itself."
        ),
        "the root left out": "You return mean squares; the size is their root.",
    },
)


def _mended(mistake, x, limit):
    sigmoid, tanh, at_zero = safe_sigmoid(x), np.tanh(x), 0.0
    if mistake == "the printed tanh":
        tanh = (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))
    elif mistake == "the sigmoid as infinity over infinity":
        sigmoid = np.exp(x) / (1.0 + np.exp(x))
    elif mistake == "x cut off at ten":
        sigmoid = safe_sigmoid(np.clip(x, -10.0, 10.0))
    elif mistake == "the exponent's sign lost":
        sigmoid = 1.0 / (1.0 + np.exp(-np.abs(x)))
    slope = sigmoid * (1.0 - sigmoid)
    if mistake == "the sigmoid's slope at its output":
        again = safe_sigmoid(sigmoid)
        slope = again * (1.0 - again)
    elif mistake == "tanh's slope instead of the sigmoid's":
        slope = 1.0 - tanh * tanh
    stuck = slope < limit
    if mistake == "stuck on one side only":
        stuck = stuck & (x > 0)
    elif mistake == "stuck judged by the value, not by the slope":
        stuck = (sigmoid < limit) | (sigmoid > 1.0 - limit)
    relu_slope = (x > 0).astype(x.dtype)
    at_zero = {"ReLU's slope 1 at zero": 1.0, "ReLU's slope a half at zero": 0.5}.get(mistake, 0.0)
    relu_slope[x == 0] = at_zero
    if mistake == "ReLU's slope as output over input":
        with np.errstate(invalid="ignore"):
            relu_slope = np.maximum(x, 0.0) / x
    return {"sigmoid": sigmoid, "tanh": tanh, "relu_slope": relu_slope, "stuck": stuck}


MENDED = named(
    _mended,
    {
        "the printed tanh": (
            "For large x both sums are infinite: divide both by the larger exponential first."
        ),
        "the sigmoid as infinity over infinity": "exp(x) overflows for large x, exp(-x) does not.",
        "x cut off at ten": "The sigmoid of -1000 is 0 to the last digit; yours stops falling on the way.",
        "the exponent's sign lost": "The sigmoid of a negative number is below one half.",
        "ReLU's slope 1 at zero": "At exactly 0 the slope wanted is 0, as in torch.",
        "ReLU's slope a half at zero": "At exactly 0 the slope wanted is 0, as in torch.",
        "ReLU's slope as output over input": "At 0 that is 0 / 0.",
        "stuck on one side only": "A sigmoid is flat at both ends.",
        "stuck judged by the value, not by the slope": "stuck asks how steep the curve is, not how high.",
        "the sigmoid's slope at its output": (
            "Written with the output y the slope is y * (1 - y), with no second sigmoid around y."
        ),
        "tanh's slope instead of the sigmoid's": "stuck asks about the sigmoid: its slope is s * (1 - s).",
    },
)
