"""Chapter 03's known-wrong answers, the first half: for each exercise one function, one mistake at a time.

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


def sigmoid(x):
    """The plain form: exp may overflow to inf, and 1 / inf is the right 0."""
    return 1 / (1 + np.exp(-x))


def _gaussian(mistake, mean, log_var, target):
    constant, half = math.log(2 * math.pi), 0.5
    spread, shrink = log_var, np.exp(-log_var)
    if mistake == "forgot to divide by the variance":
        shrink = 1
    elif mistake == "divided by the standard deviation, not the variance":
        shrink = np.exp(-log_var / 2)
    elif mistake == "took log_var for the log of the standard deviation":
        spread, shrink = 2 * log_var, np.exp(-2 * log_var)
    elif mistake == "took log_var for the variance itself":
        spread, shrink = np.log(log_var), 1 / log_var
    elif mistake == "forgot the log of the width":
        spread = 0
    elif mistake == "forgot the constant log(2 pi)":
        constant = 0
    elif mistake == "forgot the half in front of the square":
        half = 1
    squares = (target - mean) ** 2 * shrink
    total = (0.5 * (constant + spread) + half * squares).sum()
    if mistake == "the log-likelihood without its minus":
        total = -total
    return float(total if mistake == "the sum instead of the mean" else total / len(mean))


GAUSSIAN = named(
    _gaussian,
    {
        "forgot to divide by the variance": (
            "A miss of 1 is large for a narrow curve and small for a wide one: where does the width come in?"
        ),
        "divided by the standard deviation, not the variance": (
            "Under the square stands the square of the width: what is exp(log_var), the one or the other?"
        ),
        "took log_var for the log of the standard deviation": (
            "log_var is the log of the squared width: half of it is the log of the width."
        ),
        "took log_var for the variance itself": (
            "A variance is never negative, log_var may be: which function leads from the log back?"
        ),
        "forgot the log of the width": (
            "Without its price a curve could be as wide as it likes and every miss would cost nothing."
        ),
        "forgot the constant log(2 pi)": (
            "The constant moves no minimum, but this exercise asks for the whole of -log p."
        ),
        "forgot the half in front of the square": "Look at the exponent of the bell curve once more.",
        "the log-likelihood without its minus": (
            "A loss is to be made small, a likelihood large: what turns the one into the other?"
        ),
        "the sum instead of the mean": (
            "Twice as many examples must not double the loss: divide by how many there are."
        ),
    },
)


def _bce(mistake, logits, targets, pos_weight):
    w_yes, w_no = pos_weight, 1.0
    if mistake == "the weight on the negatives":
        w_yes, w_no = 1.0, pos_weight
    elif mistake == "the weight on both classes":
        w_no = pos_weight
    elif mistake == "left out the term for y = 0":
        w_no = 0.0
    elif mistake == "left the weight out":
        w_yes = 1.0
    yes, no = _minus_logs(mistake, logits)
    if mistake == "took -log p for y = 0 and -log(1 - p) for y = 1":
        yes, no = no, yes
    elif mistake == "the weight on x y alone":
        return float((np.logaddexp(0, logits) - pos_weight * logits * targets).mean())
    losses = w_yes * targets * yes + w_no * (1 - targets) * no
    if mistake == "the sum instead of the mean":
        return float(losses.sum())
    if mistake == "divided by the sum of the weights":
        return float(losses.sum() / (w_yes * targets + w_no * (1 - targets)).sum())
    return float(losses.mean())


def _minus_logs(mistake, x):
    """-log p and -log (1 - p), as the mistake has them."""
    if mistake == "log(1 + exp(x)) overflows":
        return np.log(1 + np.exp(-x)), np.log(1 + np.exp(x))
    p = x if mistake == "took the logits for probabilities" else sigmoid(x)
    if mistake == "log of a probability that was rounded to 0" or p is x:
        return -np.log(p), -np.log(1 - p)
    if mistake.startswith("an epsilon of"):
        eps = float(mistake.split()[3])
        return -np.log(np.maximum(p, eps)), -np.log(np.maximum(1 - p, eps))
    tail = np.log1p(np.exp(-np.abs(x)))
    return np.maximum(-x, 0) + tail, np.maximum(x, 0) + tail


_EPSILON = "An epsilon is a ceiling: beyond it, more wrong costs no more. From the logit none is needed."

BCE = named(
    _bce,
    {
        "log of a probability that was rounded to 0": (
            "sigmoid(1000) is exactly 1, so 1 - p is exactly 0: never form p, start from the logit."
        ),
        "log(1 + exp(x)) overflows": (
            "exp(1000) is too large for any float: make sure that exp only ever sees negative numbers."
        ),
        "an epsilon of 1e-7 in the log": _EPSILON,
        "an epsilon of 1e-8 in the log": _EPSILON,
        "an epsilon of 1e-9 in the log": _EPSILON,
        "an epsilon of 1e-10 in the log": _EPSILON,
        "an epsilon of 1e-12 in the log": _EPSILON,
        "an epsilon of 1e-15 in the log": _EPSILON,
        "took the logits for probabilities": "A logit is any number: what makes a probability of it?",
        "left out the term for y = 0": (
            "What does your loss say when y is 0 and the model shouts yes? It should not be nothing."
        ),
        "took -log p for y = 0 and -log(1 - p) for y = 1": (
            "A large logit says yes: when y is 1 it should cost next to nothing. Does it?"
        ),
        "the weight on x y alone": (
            "For y = 1 the loss is log(1 + exp(x)) - x: the weight belongs to all of it."
        ),
        "the weight on the negatives": "Which of the two terms is there when y is 1?",
        "the weight on both classes": "A weight on everything only changes the unit: weigh one class.",
        "left the weight out": "pos_weight does not appear in your result.",
        "divided by the sum of the weights": (
            "This loss divides by the number of examples; the weighted mean comes in step 9."
        ),
        "the sum instead of the mean": (
            "Twice as many examples must not double the loss: divide by how many there are."
        ),
    },
)


def _slopes(mistake, logits, targets):
    p = sigmoid(logits)
    error, slope = p - targets, p * (1 - p)
    if mistake == "y - p instead of p - y":
        error = -error
    elif mistake == "the sigmoid's slope taken at its output":
        slope = sigmoid(p) * (1 - sigmoid(p))
    elif mistake == "the sigmoid's slope left out of the squared error":
        slope = 1
    two = 1 if mistake == "forgot the 2 of the square" else 2
    d_mse, d_bce = two * error * slope, error
    if mistake == "the sigmoid's slope left in the cross-entropy":
        d_bce = error * slope
    elif mistake == "stopped at the probability":
        d_mse = 2 * error
        d_bce = error / slope
    elif mistake == "divided by the number of examples":
        d_mse, d_bce = d_mse / len(p), d_bce / len(p)
    return d_mse, d_bce


SLOPES = named(
    _slopes,
    {
        "y - p instead of p - y": (
            "If p is above y, a larger logit makes things worse: the slope is positive."
        ),
        "the sigmoid's slope taken at its output": (
            "p (1 - p) has the sigmoid in it already: put the logit through it once only."
        ),
        "the sigmoid's slope left out of the squared error": (
            "(p - y) squared depends on p, and p on the logit: two slopes to multiply."
        ),
        "forgot the 2 of the square": "The slope of a square is twice what is squared.",
        "the sigmoid's slope left in the cross-entropy": (
            "In the cross-entropy the log brings 1 / (p (1 - p)): what does it do to the sigmoid's slope?"
        ),
        "stopped at the probability": (
            "These are the slopes with respect to p; the question is how the loss moves with the logit."
        ),
        "divided by the number of examples": "Each example is asked for by itself here: no mean is taken.",
    },
)


def _log_mean(mistake, logp):
    if mistake == "averaged the logs":
        return logp.mean(0)
    if mistake == "averaged over the examples, not the models":
        return _log_mean("", logp.T)
    if mistake == "no shift: exp underflows":
        return np.log(np.exp(logp).mean(0))
    top = logp.max(0)
    if mistake == "one shift for all the columns":
        top = np.full_like(top, logp.max())
    elif mistake == "took off the smallest, not the largest":
        top = logp.min(0)
    elif mistake == "took off the mean, not the largest":
        top = logp.mean(0)
    if mistake == "kept the best model only":
        return top
    safe = np.where(np.isfinite(top), top, 0)
    if mistake == "NaN where every model says impossible":
        safe = top
    total = np.exp(logp - safe).sum(0)
    if mistake != "summed instead of averaged":
        total = total / len(logp)
    return np.log(total) + (0 if mistake == "forgot to add the shift back" else safe)


LOG_MEAN = named(
    _log_mean,
    {
        "averaged the logs": (
            "A mean of logs is the log of another mean: one model that says impossible would veto all others."
        ),
        "averaged over the examples, not the models": (
            "Axis 0 counts the models: one result for each column is wanted."
        ),
        "no shift: exp underflows": (
            "exp(-1000) is 0, and its log is lost: take the largest off before the exp."
        ),
        "one shift for all the columns": (
            "Columns may be a thousand apart: each needs its own largest value taken off."
        ),
        "took off the smallest, not the largest": (
            "With the smallest taken off, the others are far above 0: what does exp make of 3000?"
        ),
        "took off the mean, not the largest": (
            "With the mean taken off, the largest can be far above 0: what does exp make of 2000?"
        ),
        "kept the best model only": (
            "The largest is a good first guess, but the others have a share in the mean."
        ),
        "NaN where every model says impossible": (
            "-inf minus -inf is no number: what could you take off instead when the largest is -inf?"
        ),
        "summed instead of averaged": (
            "With M equal models the result must be what each of them says: is it?"
        ),
        "forgot to add the shift back": "What you took off before the exp must come back after the log.",
    },
)
