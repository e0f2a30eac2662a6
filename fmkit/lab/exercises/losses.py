"""The exercises of chapter 03, losses: their inputs, hints and points.

The right answers are in `_losses_right`, the known-wrong ones in `_losses_wrong` and `_losses_wrong_2`.
Inputs are random, with every axis of another size, at least one case in float32, and hostile ones: logits of
a thousand, columns that are far apart, -inf, one row, ignored rows, empty bins, pieces without text.
"""

from functools import partial

import numpy as np

from fmkit.lab.exercises import _losses_right as right
from fmkit.lab.exercises import _losses_wrong as wrong
from fmkit.lab.exercises import _losses_wrong_2 as wrong_2
from fmkit.lab.exercises._shared import as_float32, make_exercise


def _gaussian_cases(rng):
    def case(n, low=-2.0, high=2.0):
        log_var = rng.uniform(low, high, n)
        mean = rng.normal(size=n)
        return mean, log_var, mean + np.exp(log_var / 2) * rng.uniform(0.5, 2.0, n) * rng.choice([-1, 1], n)

    return [case(7), case(2), case(5, -8.0, -4.0), case(4, 3.0, 6.0), as_float32(case(6, -1.0, 1.0))]


def _bce_cases(rng):
    def case(n, size=2.0):
        targets = rng.integers(0, 2, n).astype(np.float64)
        targets[:2] = 0.0, 1.0  # both classes come
        return size * rng.normal(size=n), targets, float(rng.uniform(2.0, 5.0))

    def sure(*logits):  # and wrong, all of them
        x = np.array(logits) + rng.normal(size=len(logits))
        return x, (x < 0).astype(np.float64), float(rng.uniform(2.0, 5.0))

    far, farther = sure(-60.0, 50.0, 45.0), sure(1000.0, -1000.0, 0.0, -800.0)
    return [case(6), far, farther, case(3), as_float32(case(7))]


def _slopes_cases(rng):
    def case(n, size=2.0):
        return size * rng.normal(size=n), rng.integers(0, 2, n).astype(np.float64)

    sure = np.array([15.0, -15.0, 3.0]), np.array([0.0, 1.0, 0.0])
    wild = np.array([1000.0, -1000.0, 1.0]), np.array([0.0, 1.0, 1.0])
    return [case(6), case(2, 1.0), sure, case(5, 4.0), as_float32(case(4, 1.0)), wild]


def _log_mean_cases(rng):
    def case(m, n, size=2.0):
        return np.log(rng.uniform(size=(m, n))) * size

    low, apart = case(3, 4) - 1000.0, case(4, 3) - np.array([0.0, 1000.0, 2000.0])
    impossible = case(3, 5)
    impossible[0, 1], impossible[:, 3] = -np.inf, -np.inf  # one model; all models
    quarrel = case(3, 4)  # within a column: only its largest value is a safe shift
    quarrel[0, :2] -= np.array([3000.0, 900.0])
    cases = [case(3, 4), case(2, 5, 5.0), low, apart, quarrel, impossible, case(5, 2).astype(np.float32)]
    return [(logp,) for logp in cases]


def _class_weight_cases(rng):
    def case(n, v, ignore, size=2.0):
        targets = rng.integers(0, v, n)
        targets[:3] = v - 1, 1, ignore  # two classes and an ignored row, whatever the rest
        weights = rng.uniform(0.5, 3.0, v)
        return size * rng.normal(size=(n, v)), targets, weights, ignore

    logits, targets, weights, ignore = case(6, 4, -1)
    far = logits * 300 + np.array([1000.0, 0.0, -1000.0, 0.0, 500.0, 900.0])[:, None]
    far[0, targets[0]] -= 3000.0  # sure, and wrong
    plain, high = case(5, 3, -1), case(4, 6, -1)
    high[0][:2] += 1000.0
    return [plain, case(7, 5, 0), high, (far, targets, weights, ignore), as_float32(case(9, 4, 0))]


def _smoothing_cases(rng):
    def case(n, v, size=1.5):
        return size * rng.normal(size=(n, v)), rng.integers(0, v, n), float(rng.uniform(0.1, 0.4))

    logits, targets, smoothing = case(4, 5)
    far = logits + np.array([1000.0, 0.0, -1000.0, 0.0])[:, None], targets, smoothing
    return [case(5, 4), case(1, 6), far, case(3, 7), as_float32(case(2, 5))]


def _calibration_cases(rng):
    def case(n, bins, power=1.0):
        p = rng.uniform(size=n)
        return p, (rng.uniform(size=n) < p**power).astype(np.float64), bins

    edges = np.array([0.0, 0.25, 0.25, 0.5, 0.5, 0.75, 1.0, 1.0, 0.1, 0.9])
    labels = np.array([0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0])
    shuffle = rng.permutation(10)
    few = np.array([0.05, 0.07, 0.93, 0.95, 0.97]), np.array([0.0, 1.0, 1.0, 0.0, 1.0]), 10
    sharp = (lambda p, y, b: (p**3 / (p**3 + (1 - p) ** 3), y, b))(*case(60, 5))
    middle = rng.uniform(0.3, 0.7, 30)  # the bins go from 0 to 1 all the same
    zigzag = (np.repeat(np.arange(6), 4) + rng.uniform(0.1, 0.9, 24)) / 6
    by_turns = zigzag, np.repeat([0.0, 1.0] * 3, 4), 6  # neighbours' gaps have opposite signs
    narrow = middle, (middle < 0.5).astype(np.float64), 5
    edged = edges[shuffle], labels[shuffle], 4
    return [case(40, 5, 2.0), edged, few, sharp, by_turns, narrow, as_float32(case(50, 8, 0.5))]


def _bits_cases(rng):
    words = ["the", " king", " is", "é", "ß", "雨", "😀", " nevermore", "a", "\n", "naïve", "to", " be"]

    def case(n, ends=1, size=3.0):
        pieces = [str(rng.choice(words)) for _ in range(n - 2)] + ["über", " and"]
        pieces = [pieces[i] for i in rng.permutation(n)] + [""] * ends  # an end mark has no text
        return np.log(rng.uniform(0.02, 0.9, n + ends)) * size, pieces

    return [case(6), case(9, 2), case(4, 0), case(3, 1, 1.0), as_float32(case(7))]


def _masked_cases(rng):
    def case(b, t, v, size=1.5):
        masked = rng.uniform(size=(b, t)) < 0.4
        masked[0, :3], masked[-1, 1:] = (True, True, False), False  # a row with two or more, one with few
        masked[-1, 0] = True
        return size * rng.normal(size=(b, t, v)), rng.integers(0, v, (b, t)), masked

    logits, ids, masked = case(2, 5, 4)
    far = np.clip(logits * 200, -600.0, 600.0)
    np.put_along_axis(far, ids[..., None], -1000.0, -1)  # sure, and wrong, at every position
    high = case(3, 5, 4)
    high[0][0, 0] += 1000.0  # too large for exp without a shift, and far from the next one
    high[0][0, 1] -= 1000.0
    nothing = case(3, 4, 6)
    nothing[2][:] = False
    return [case(3, 6, 5), (far, ids, masked), high, nothing, case(4, 5, 3), as_float32(case(2, 7, 4))]


_exercise = partial(make_exercise, "losses", "03")

SINGLE = 1e-4  # where one Python number comes out of float32 inputs

EXERCISES = [
    _exercise(
        "gaussian",
        "A bell curve of its own width",
        (2, 10, 2),
        _gaussian_cases,
        (right.gaussian_nll, right.gaussian_nll_loop, right.gaussian_nll_standardised),
        wrong.GAUSSIAN,
        (
            "Take -log of the bell curve: the product of its two factors becomes a sum of two terms.",
            "The first factor gives half of log(2 pi) + log_var; the second stands in the exponent already.",
            "np.exp(-log_var) is one over the variance.",
        ),
        SINGLE,
    ),
    _exercise(
        "weighted_bce",
        "Binary cross-entropy, with a weight for the positives",
        (3, 12, 3),
        _bce_cases,
        (right.weighted_bce, right.weighted_bce_logaddexp, right.weighted_bce_loop),
        wrong.BCE,
        (
            "Write the two pieces by themselves: -log sigmoid(x), and -log (1 - sigmoid(x)).",
            "The second is log(1 + exp(x)), safely max(x, 0) + log1p(exp(-|x|)). The first is it at -x.",
            "Then weigh: pos_weight * y * first + (1 - y) * second, and take the mean.",
        ),
        SINGLE,
    ),
    _exercise(
        "logit_slopes",
        "Two slopes at the logit",
        (2, 10, 2),
        _slopes_cases,
        (right.logit_slopes, right.logit_slopes_plain_sigmoid, right.logit_slopes_by_tanh),
        wrong.SLOPES,
        (
            "Both losses see the logit through p: the slope of p at the logit is p (1 - p).",
            "For the square: 2 (p - y), times the slope of p. For the cross-entropy the slope of p cancels.",
        ),
    ),
    _exercise(
        "log_mean_exp",
        "A committee of models",
        (3, 12, 3),
        _log_mean_cases,
        (right.log_mean_exp, right.log_mean_exp_logaddexp, right.log_mean_exp_loop),
        wrong.LOG_MEAN,
        (
            "It is a log-sum-exp over axis 0, less the log of the number of models.",
            "Take each column's largest value off, exp, mean over axis 0, log, and add the largest back.",
            "Where the largest is -inf, take off 0 instead: np.where(np.isfinite(top), top, 0).",
        ),
    ),
    _exercise(
        "class_weights",
        "Class weights and ignored positions",
        (3, 15, 3),
        _class_weight_cases,
        (right.class_weighted_ce, right.class_weighted_ce_average, right.class_weighted_ce_loop),
        wrong_2.CLASS_WEIGHTS,
        (
            "First drop the rows that do not count: keep = targets != ignore; logits[keep], targets[keep].",
            "-log p of the right class is the row's log-sum-exp minus the right logit.",
            "class_weights[targets] looks up a weight for each row; divide by the sum of just these.",
        ),
        SINGLE,
    ),
    _exercise(
        "smoothed_gradient",
        "The gradient of a smoothed loss",
        (3, 12, 3),
        _smoothing_cases,
        (right.smoothed_gradient, right.smoothed_gradient_where, right.smoothed_gradient_loop),
        wrong_2.SMOOTHING,
        (
            "The gradient of cross-entropy is p minus the target distribution, over N, for any targets.",
            "Build them: smoothing / (V - 1) everywhere, then 1 - smoothing at [np.arange(N), targets].",
        ),
    ),
    _exercise(
        "calibration_error",
        "The calibration error",
        (3, 15, 3),
        _calibration_cases,
        (right.calibration_error, right.calibration_error_masks, right.calibration_error_loop),
        wrong_2.CALIBRATION,
        (
            "int(p * bins) is the bin of a prediction; p = 1 must be pulled back into the last.",
            "For each bin that is not empty: the gap between mean p and mean y, times its share of N.",
            "A mask such as `inside = place == b` picks the predictions of a bin.",
        ),
        SINGLE,
    ),
    _exercise(
        "text_bits",
        "Bits per character",
        (2, 8, 2),
        _bits_cases,
        (right.text_bits, right.text_bits_join, right.text_bits_loop),
        wrong_2.BITS,
        (
            "The surprise of a whole text is the sum of the surprises of its pieces, -logp.",
            "Divide by log 2 for bits, and once by the number of characters of all pieces together.",
        ),
        SINGLE,
    ),
    _exercise(
        "spot_the_bug",
        "Spot the bug: the loss of a masked language model",
        (3, 12, 3),
        _masked_cases,
        (right.masked_lm_loss, right.masked_lm_loss_with_weights, right.masked_lm_loss_loop),
        wrong_2.MASKED_LM,
        (
            "logits[masked] and ids[masked] pick what was hidden: (M, V) and (M,).",
            "On these it is an ordinary cross-entropy: log-sum-exp minus the right logit, and the mean.",
        ),
        SINGLE,
    ),
]
