"""Chapter 02's known-wrong answers, exercises 2.1 to 2.5: for each one function, one mistake at a time.

Each is the right answer with the named mistake in it and nothing else, so that a reader sees the difference
in one place.
"""

from functools import partial

import numpy as np

from fmkit.lab.judging.exercise import Misconception


def named(wrong, hints):
    """One `Misconception` per mistake that `wrong` knows, with its hint."""
    return tuple(Misconception(name, partial(wrong, name), hint) for name, hint in hints.items())


def safe_sigmoid(z):
    return np.exp(np.minimum(z, 0.0)) / (1.0 + np.exp(-np.abs(z)))


def _fold(mistake, layers):
    if mistake == "the weights transposed":
        layers = [(w.T, b) for w, b in layers]
    if mistake == "folded the first two layers only":
        layers = layers[:2]
    w, b = layers[0]
    for w_next, b_next in layers[1:]:
        if mistake == "the earlier biases left out":
            b = b_next
        elif mistake == "the biases just added up":
            b = b + b_next
        elif mistake == "a bias sent through its own layer's weights":
            b = (b + b_next) @ w_next
        elif mistake == "the last layer's bias left out":
            b = b @ w_next
        else:
            b = b @ w_next + b_next
        w = w_next @ w if mistake == "the matrices in the wrong order" else w @ w_next
    return w, b


FOLD = named(
    _fold,
    {
        "the earlier biases left out": (
            "An earlier bias is added to what the later layers read: does it vanish?"
        ),
        "the biases just added up": "What the first layer adds, the second layer multiplies by its weights.",
        "a bias sent through its own layer's weights": (
            "A layer adds its bias after multiplying: only later weights touch it."
        ),
        "the last layer's bias left out": "Try an input of zeros: what does the last layer still add?",
        "the matrices in the wrong order": (
            "x meets the first layer's weights first: which matrix stands left?"
        ),
        "the weights transposed": "Here w is (inputs, outputs) and the layer is x @ w, so there is no .T.",
        "folded the first two layers only": "The list may hold any number of layers.",
    },
)


def _softplus(mistake, x, beta):
    z = x if mistake == "the sharpness left out of the exponent" else beta * x
    if mistake == "the formula as it stands: exp overflows":
        return np.log(1.0 + np.exp(z)) / beta
    if mistake == "ReLU itself":
        return np.maximum(x, 0.0)
    if mistake == "divided x by the sharpness":
        return (np.maximum(x / beta, 0.0) + np.log1p(np.exp(-np.abs(x / beta)))) * beta
    if mistake == "large values judged by x, not by the exponent":
        return np.where(x > 20, x, np.log1p(np.exp(z)) / beta)
    if mistake == "the exponent capped":
        return np.log1p(np.exp(np.minimum(z, 80.0))) / beta
    linear = 0.0 if mistake == "the straight part lost" else np.maximum(z, 0.0)
    out = linear + np.log1p(np.exp(-np.abs(z)))
    return out if mistake == "not divided by the sharpness" else out / beta


SOFTPLUS = named(
    _softplus,
    {
        "the formula as it stands: exp overflows": (
            "exp of 1000 is infinite. Take the larger of 0 and beta * x out of the logarithm first."
        ),
        "not divided by the sharpness": (
            "For large x the result should be x itself: is yours beta times as much?"
        ),
        "the sharpness left out of the exponent": "A sharper bend needs beta inside the exponential as well.",
        "ReLU itself": "At x = 0 softplus is log(2) / beta, not 0.",
        "the straight part lost": "For large x the result should grow like x; yours goes back to 0.",
        "divided x by the sharpness": "A larger beta should make the bend sharper; yours makes it softer.",
        "large values judged by x, not by the exponent": (
            "Whether exp overflows, and whether the 1 may be dropped, depends on beta * x."
        ),
        "the exponent capped": "Capping the exponent caps the result, too: it should go on growing like x.",
    },
)


def _scaled_tanh(mistake, dout, out, a, b):
    t = out / a
    slope = a * b * (1.0 - t * t)
    if mistake == "the inner factor left out":
        slope = a * (1.0 - t * t)
    elif mistake == "the outer factor left out":
        slope = b * (1.0 - t * t)
    elif mistake == "took out for the bare tanh":
        slope = a * b * (1.0 - out * out)
    elif mistake == "the function entered a second time at its output":
        slope = a * b * (1.0 - np.tanh(b * out) ** 2)
    elif mistake == "the slope of a plain tanh":
        slope = 1.0 - out * out
    elif mistake == "the square forgotten":
        slope = a * b * (1.0 - t)
    elif mistake == "the value instead of the slope":
        slope = out
    elif mistake == "what comes from above left out":
        return slope
    return dout * slope


SCALED_TANH = named(
    _scaled_tanh,
    {
        "the inner factor left out": (
            "The input is multiplied by b before the tanh: that leaves a factor behind."
        ),
        "the outer factor left out": (
            "The tanh is multiplied by a: an output that is stretched has a steeper slope."
        ),
        "took out for the bare tanh": "1 - t² wants the tanh itself. What has been done to it in out?",
        "the function entered a second time at its output": (
            "The slope belongs to x, where the curve was entered; out must not go through tanh again."
        ),
        "the slope of a plain tanh": "With a = b = 1 you would be right. What do the two numbers change?",
        "the square forgotten": "The slope should be the same at x and at -x. Is yours?",
        "the value instead of the slope": "A backward multiplies by the slope, not by the value.",
        "what comes from above left out": "You return the slope; a backward multiplies it by dout.",
    },
)


def _channel_leaky(mistake, x, leaks):
    if mistake == "max of x and leak times x":
        out = np.maximum(x, leaks * x)
        return out, np.where(out == x, 1.0, leaks * np.ones_like(x)).astype(x.dtype)
    if mistake == "max of x and leak times x, beside the right slope":
        return np.maximum(x, leaks * x), np.where(x > 0, 1.0, leaks).astype(x.dtype)
    if mistake == "the leaks laid along the rows":
        leaks = leaks[:, None]
    elif mistake == "the first leak for every channel":
        leaks = np.full_like(leaks, leaks[0])
    elif mistake == "a plain ReLU below zero":
        leaks = np.zeros_like(leaks)
    positive = x >= 0 if mistake == "slope 1 at exactly zero" else x > 0
    slope = np.where(positive, 1.0, leaks).astype(x.dtype)
    out = x * slope
    if mistake == "the leak itself as the output":
        out = np.where(positive, x, leaks).astype(x.dtype)
    elif mistake == "the slope as output over input":
        with np.errstate(invalid="ignore"):
            slope = out / x
    elif mistake == "the output for the slope":
        slope = out.copy()
    return out, slope


CHANNEL_LEAKY = named(
    _channel_leaky,
    {
        "max of x and leak times x": "That trick holds for leaks below 1 only. What if a leak is 1.5?",
        "max of x and leak times x, beside the right slope": (
            "Your slope is right. For a leak of 1.5, is the larger of x and 1.5 x the one that you want?"
        ),
        "slope 1 at exactly zero": "At exactly 0 the exercise wants the leak: which of > and >= says so?",
        "a plain ReLU below zero": "Below zero something should leak through.",
        "the leak itself as the output": "Below zero the output is leak times x, not the leak.",
        "the slope as output over input": (
            "At x = 0 that is 0 / 0. Ask for the sign of x instead of dividing."
        ),
        "the first leak for every channel": "Each column has a leak of its own.",
        "the leaks laid along the rows": (
            "leaks has one number per column: which way does NumPy broadcast (C,)?"
        ),
        "the output for the slope": "The second array is how fast the output moves, not the output again.",
    },
)


def _swish(mistake, x, beta):
    z = x if mistake == "the steepness left out of the sigmoid" else beta * x
    s = safe_sigmoid(z)
    if mistake == "infinity over infinity":
        s = np.exp(z) / (1.0 + np.exp(z))
    out = x * s
    first, second = s, beta * x * s * (1.0 - s)
    if mistake == "the inner factor left out":
        second = x * s * (1.0 - s)
    elif mistake == "the sigmoid's slope as a quotient of infinities":
        with np.errstate(over="ignore", invalid="ignore"):
            e = np.exp(-z)
            second = beta * x * e / (1.0 + e) ** 2
    elif mistake == "the inner factor on both halves":
        first = beta * s
    elif mistake == "the product rule without its second half":
        second = 0.0
    elif mistake == "the product rule without its first half":
        first = 0.0
    elif mistake == "the slope of the sigmoid taken from out":
        second = beta * x * out * (1.0 - out)
    elif mistake == "the two slopes multiplied":
        first, second = beta * s * (1.0 - s), 0.0
    return out, first + second


SWISH = named(
    _swish,
    {
        "infinity over infinity": (
            "exp(1000) / (1 + exp(1000)) is NaN: let no exponent become large and positive."
        ),
        "the steepness left out of the sigmoid": "The sigmoid is entered with beta * x.",
        "the inner factor left out": "The sigmoid of beta * x moves beta times as fast when x moves.",
        "the inner factor on both halves": (
            "Only the sigmoid is entered with beta * x; the x in front moves as fast as x itself."
        ),
        "the sigmoid's slope as a quotient of infinities": (
            "The sigmoid's own value gives its slope, s * (1 - s), without another exponential."
        ),
        "the product rule without its second half": "x stands in the sigmoid, too: that half moves as well.",
        "the product rule without its first half": (
            "x stands in front of the sigmoid, too: that half moves as well."
        ),
        "the slope of the sigmoid taken from out": "s * (1 - s) wants the sigmoid s, not x times s.",
        "the two slopes multiplied": (
            "Slopes multiply along a chain; a product of two functions has a rule of its own."
        ),
    },
)
