"""The exercises of chapter 02, activations: their inputs, hints and points.

The right answers are in `_activations_right`, the known-wrong ones in `_activations_wrong` and
`_activations_wrong_2`. Inputs are random, with axes of different sizes. Hostile ones are among them: zeros at
a kink, numbers whose exponential overflows (in float32 from 89 on), rows that allow nothing.
"""

from functools import partial

import numpy as np

from fmkit.lab.exercises import _activations_right as right
from fmkit.lab.exercises import _activations_wrong as wrong
from fmkit.lab.exercises import _activations_wrong_2 as wrong_2
from fmkit.lab.exercises._shared import as_float32, make_exercise


def _fold_cases(rng):
    def case(*widths):
        pairs = zip(widths[:-1], widths[1:], strict=True)
        return ([(rng.normal(size=(c, k)) / np.sqrt(c), rng.normal(size=k)) for c, k in pairs],)

    square = case(3, 3, 3, 3)  # here every order of multiplying is possible
    return [case(4, 6, 3), case(2, 5, 4, 3), square, case(5, 2), as_float32(case(3, 5, 4, 2))]


def _softplus_cases(rng):
    def case(size, beta, *shape):
        return size * rng.normal(size=shape), beta

    huge, _ = case(300.0, 1.0, 8)
    huge[:3] = 1000.0, -1000.0, 0.0
    between = rng.uniform(21.0, 30.0, 6)  # large as x, but not as beta * x
    return [
        case(2.0, float(rng.uniform(0.5, 3.0)), 4, 3),
        (huge, 1.5),
        (between, 0.05),
        case(3.0, 40.0, 2, 3, 4),
        as_float32(case(60.0, 2.0, 12)),
    ]


def _scaled_tanh_cases(rng):
    def case(*shape, spread=1.0):
        a, b = float(rng.uniform(1.2, 2.5)), float(rng.uniform(0.3, 0.8))
        out = a * np.tanh(b * spread * rng.normal(size=shape))
        return rng.normal(size=shape), out, a, b

    flat = case(7)
    flat[1][:2] = flat[2], -flat[2]  # saturated to the last digit: slope 0
    return [case(4, 3), flat, case(2, 3, 5, spread=3.0), as_float32(case(6, 2))]


def _channel_leaky_cases(rng):
    def case(n, c):
        x, leaks = rng.normal(size=(n, c)), rng.uniform(0.05, 0.4, c)
        leaks[1] = rng.uniform(1.5, 2.5)  # steeper below zero than above
        x.flat[rng.permutation(x.size)[: x.size // 5]] = 0.0
        return x, leaks

    turned, square = case(6, 4), case(4, 4)
    turned[1][2:] = -0.5, 0.0  # a leak may point upwards, or shut
    return [case(7, 3), turned, square, as_float32(case(9, 5))]


def _swish_cases(rng):
    def case(beta, *shape):
        return 2.0 * rng.normal(size=shape), beta

    huge = np.concatenate([[1000.0, -1000.0, 0.0], rng.normal(size=4)])
    gentle, steep = float(rng.uniform(0.3, 0.8)), float(rng.uniform(1.5, 4.0))
    return [
        case(gentle, 3, 4),
        case(steep, 10),
        (huge, 1.702),
        case(0.0, 5),
        as_float32((100.0 * rng.normal(size=9), 2.0)),
    ]


def _masked_softmax_cases(rng):
    def case(n, v, spread=2.0):
        scores, allowed = spread * rng.normal(size=(n, v)), rng.random((n, v)) < 0.6
        allowed[:, 0] = True
        return scores, allowed, rng.uniform(0.4, 2.5, n)

    far, square, empty = case(4, 5), case(4, 4), case(5, 3)
    far[0][:] += np.array([3000.0, -3000.0, 0.0, 300.0])[:, None]
    hidden = case(3, 6)
    hidden[1][:, 5] = False
    hidden[0][:, 5] = 5000.0  # the largest score is a forbidden one
    empty[1][2] = False  # a row that allows nothing
    return [case(3, 5), far, square, hidden, empty, as_float32(case(5, 7, spread=60.0))]


def _layer_health_cases(rng):
    def case(n, dead, always, mixed, *lead):
        size = np.abs(rng.normal(size=(n, dead + always + mixed))) + 0.1
        sign = np.ones_like(size)
        sign[:, :dead] = -1.0
        sign[0, dead + always :] = -1.0  # off for a single image
        sign[:, dead + always :: 2] *= -1.0  # every other one: on for a single image
        z = sign * size
        z[:, 0] = 0.0  # a unit that gives exactly 0 everywhere
        z = z[rng.permutation(n)][:, rng.permutation(z.shape[1])]
        return (z.reshape(*lead, -1) if lead else z,)

    return [
        case(12, 3, 2, 6),
        case(20, 4, 1, 5, 4, 5),
        as_float32(case(30, 5, 2, 9)),
        case(6, 1, 3, 2, 3, 2),
    ]


def _predicted_cases(rng):
    def case(depth, slope, gain):
        widths = [int(w) for w in rng.integers(20, 300, depth)]
        stds = [float(gain * rng.uniform(0.7, 1.4) / np.sqrt(w)) for w in widths]
        return float(rng.uniform(0.3, 0.7)), widths, stds, slope

    return [
        case(4, 0.0, 1.4),
        case(6, float(rng.uniform(0.1, 0.4)), 1.2),
        case(1, 0.2, 1.0),
        case(40, 0.01, 1.0),
        case(5, 1.0, 0.9),
    ]


def _mended_cases(rng):
    def case(n, spread, edge, limit):
        x = spread * rng.normal(size=n)
        near = limit * (1 + limit / 2)  # the sigmoid is above the limit here, its slope below
        by_sigmoid = np.arccosh(1 / np.sqrt(4 * limit)) * 2  # from here on its slope is below the limit,
        by_tanh = np.arccosh(1 / np.sqrt(limit))  # and from here on that of tanh
        between = (by_sigmoid + by_tanh) / 2
        x[:6] = 0.0, edge, -edge, np.log(near / (1 - near)), between, -between
        return rng.permutation(x), limit

    return [
        case(9, 3.0, 1000.0, float(rng.uniform(0.08, 0.1))),
        case(14, 5.0, 800.0, float(rng.uniform(0.03, 0.06))),
        case(8, 0.5, 750.0, float(rng.uniform(0.21, 0.23))),  # the sigmoid's slope at an output may lie below
        as_float32(case(11, 4.0, 100.0, float(rng.uniform(0.08, 0.1)))),
    ]


_exercise = partial(make_exercise, "activations", "02")

EXERCISES = [
    _exercise(
        "fold",
        "Fold a stack of layers",
        (2, 10, 2),
        _fold_cases,
        (right.fold, right.fold_by_probing, right.fold_with_a_row_of_ones),
        wrong.FOLD,
        (
            "Fold two layers first: write (x @ w1 + b1) @ w2 + b2 without the brackets.",
            "Then go through the list and fold each next layer into the pair (w, b) that you have so far.",
        ),
    ),
    _exercise(
        "softplus",
        "Softplus, as sharp as you like",
        (2, 10, 3),
        _softplus_cases,
        (right.softplus, right.softplus_by_logaddexp, right.softplus_piece_by_piece),
        wrong.SOFTPLUS,
        (
            "Call z = beta * x. For z above 0 write 1 + exp(z) as exp(z) times something: what is its "
            "logarithm?",
            "log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)), and the exponent is never positive.",
        ),
    ),
    _exercise(
        "scaled_tanh",
        "A slope from the output alone",
        (2, 8, 2),
        _scaled_tanh_cases,
        (
            right.scaled_tanh_backward,
            right.scaled_tanh_backward_one_line,
            right.scaled_tanh_backward_two_factors,
        ),
        wrong.SCALED_TANH,
        (
            "Write t = tanh(b x). Then out = a t: how do you get t back from out?",
            "The slope of t in x is b (1 - t²). And that of a t?",
        ),
    ),
    _exercise(
        "channel_leaky",
        "Leaky, each channel in its own way",
        (2, 8, 2),
        _channel_leaky_cases,
        (
            right.channel_leaky_relu,
            right.channel_leaky_relu_two_parts,
            right.channel_leaky_relu_loop,
        ),
        wrong.CHANNEL_LEAKY,
        (
            "Find the slope first; the output is then the slope times x.",
            "np.where(x > 0, 1.0, leaks): leaks (C,) is laid along the last axis by itself.",
        ),
    ),
    _exercise(
        "swish",
        "Swish with a steepness",
        (3, 12, 3),
        _swish_cases,
        (right.swish, right.swish_slope_from_the_output, right.swish_by_tanh),
        wrong.SWISH,
        (
            "The product rule: (u v)' = u' v + u v'. Here u = x and v is the sigmoid of beta x.",
            "v' = beta s (1 - s), by the chain rule; u' = 1.",
        ),
    ),
    _exercise(
        "masked_softmax",
        "Softmax with a mask and temperatures",
        (4, 15, 3),
        _masked_softmax_cases,
        (
            right.masked_softmax,
            right.masked_softmax_row_by_row,
            right.masked_softmax_very_low_scores,
        ),
        wrong_2.MASKED_SOFTMAX,
        (
            "temperature[:, None] has shape (N, 1): it divides row by row.",
            "A score of -inf has the exponential 0: np.where(allowed, ..., -np.inf).",
            "A row of nothing but -inf has the maximum -inf. Replace it by 0, and a sum of 0 by 1.",
        ),
    ),
    _exercise(
        "layer_health",
        "How healthy is a ReLU layer?",
        (2, 10, 2),
        _layer_health_cases,
        (right.layer_health, right.layer_health_by_extremes, right.layer_health_counted),
        wrong_2.LAYER_HEALTH,
        (
            "z.reshape(-1, z.shape[-1]) has one row for each input and one column for each unit.",
            "on = z > 0; then on.any(0) and on.all(0) tell about each unit, and .mean() makes shares.",
        ),
    ),
    _exercise(
        "predicted_rms",
        "How large will the numbers be?",
        (3, 15, 4),
        _predicted_cases,
        (right.predicted_rms, right.predicted_rms_all_at_once, right.predicted_rms_in_logarithms),
        wrong_2.PREDICTED,
        (
            "Keep the mean square, layer by layer, and take the root at the end.",
            "A layer multiplies it by C s². A leaky ReLU keeps it whole for half of the numbers...",
            "... and leaves leak² of it for the other half: (1 + leak²) / 2 in all. Not before the "
            "first layer.",
        ),
    ),
    _exercise(
        "spot_the_bug",
        "Spot the bug: three formulas as printed",
        (3, 12, 3),
        _mended_cases,
        (right.mended, right.mended_by_tanh, right.mended_piece_by_piece),
        wrong_2.MENDED,
        (
            "np.exp(-np.abs(x)) never overflows. Write both curves with it, one case for each sign of x.",
            "NumPy has a safe np.tanh, and the sigmoid of x is (1 + tanh(x / 2)) / 2.",
            "The slope for `stuck` is s * (1 - s), with s the sigmoid that you already have.",
        ),
    ),
]
