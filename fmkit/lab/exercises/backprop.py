"""The exercises of chapter 04, backprop by hand: their inputs, hints and points.

The right answers are in `_backprop_right`, the known-wrong ones in `_backprop_wrong` and `_backprop_wrong_2`.
Inputs are random, with every axis of another size, at least one case in float32, and hostile ones: one row,
saturated neurons, huge logits, zeros exactly at a kink.
"""

from functools import partial

import numpy as np

from fmkit.lab.exercises import _backprop_right as right
from fmkit.lab.exercises import _backprop_wrong as wrong
from fmkit.lab.exercises import _backprop_wrong_2 as wrong_2
from fmkit.lab.exercises._shared import as_float32, make_exercise


def _nudging_cases(rng):
    def case(n, c, k, eps):
        return rng.normal(size=(c, k)) / np.sqrt(c), rng.normal(size=(n, c)), rng.uniform(-1, 1, (n, k)), eps

    w, x, t, _ = case(6, 4, 3, 0)
    w = np.sign(w) * rng.uniform(1000, 3000, w.shape)  # so large that in float32 w + eps is w
    cases = [case(5, 3, 2, 0.05), case(4, 2, 3, 1e-3), case(1, 4, 1, 0.1)]
    return [*cases, as_float32((w, x / 2000, t, 1e-5))]


def _neuron_cases(rng):
    def case(n, c, size=1.0):
        return rng.normal(size=(n, c)), size * rng.normal(size=c), float(rng.normal()), rng.uniform(0, 1, n)

    return [case(7, 4), case(2, 5), case(1, 3), case(6, 2, size=8.0), as_float32(case(5, 3, size=0.5))]


def _linear_cases(rng):
    def case(b, t, c, k):
        scale = float(rng.uniform(0.2, 0.8))
        return rng.normal(size=(b, t, k)), rng.normal(size=(b, t, c)), rng.normal(size=(c, k)), scale

    return [
        case(2, 3, 4, 5),
        case(3, 2, 4, 4),
        case(1, 1, 3, 2),
        case(4, 5, 1, 3),
        as_float32(case(3, 4, 5, 2)),
    ]


def _capped_cases(rng):
    def case(*shape):
        cap = float(rng.uniform(0.5, 1.5))
        x = rng.normal(size=shape)
        kinks = rng.permutation(x.size)[: x.size // 3]
        x.flat[kinks] = np.where(np.arange(len(kinks)) % 2, 0.0, cap)  # exactly at the two kinks
        return rng.normal(size=shape), x, float(rng.uniform(0.05, 0.3)), cap

    dout, x, slope, _ = as_float32(case(5, 6))
    return [case(6, 7), case(3, 4, 5), case(20), (dout, x, slope, 0.75)]


def _ce_cases(rng):
    def case(n, v, spread=1.0):
        logits = spread * rng.normal(size=(n, v))
        weights = rng.uniform(0.5, 2.0, n)
        return logits, rng.integers(0, v, n), weights, float(rng.uniform(0.3, 0.8))

    logits, labels, weights, tau = case(4, 5)
    logits += np.array([1000.0, 0.0, -1000.0, 0.0])[:, None]  # rows far apart
    logits[1, rng.integers(5)] += 2000.0  # and one row whose entries are
    padded = case(6, 3)
    padded[2][:2] = 0.0  # two rows that do not count
    return [case(5, 4), case(1, 6), (logits, labels, weights, tau), padded, as_float32(case(3, 7, 3.0))]


def _network_cases(rng):
    def case(n, c, h, v):
        params = {"w1": rng.normal(size=(c, h)), "b1": rng.normal(size=h), "w2": rng.normal(size=(h, v))}
        params["b2"] = rng.normal(size=v)
        slope, decay = float(rng.uniform(0.05, 0.3)), float(rng.uniform(0.1, 0.5))
        return params, rng.normal(size=(n, c)), rng.integers(0, v, n), slope, decay

    huge = case(4, 3, 5, 2)
    huge[0]["b2"][0] = 1000.0
    kink = case(6, 3, 5, 4)
    kink[1][0], kink[0]["b1"][0] = 0.0, 0.0  # z[0, 0] is exactly zero
    return [kink, case(1, 4, 2, 3), huge, as_float32(case(5, 4, 6, 3))]


def _channel_norm_cases(rng):
    def case(b, c, t, spread=1.0, eps=1e-5):
        return rng.normal(size=(b, c, t)), 3 + spread * rng.normal(size=(b, c, t)), eps

    still = case(1, 4, 2, eps=0.01)
    still[1][0, :, 0] = 1.0  # a column that does not vary: only eps keeps it finite
    cases = [case(2, 4, 3), case(3, 5, 1, eps=0.5), case(4, 3, 5, 0.1, 1e-3), case(3, 3, 2), still]
    return [*cases, as_float32(case(2, 6, 4))]


def _unbroadcast_cases(rng):
    shapes = [
        ((2, 3, 4), (4,)),
        ((2, 3, 4), (1, 4)),
        ((3, 2, 5), (2, 1)),
        ((2, 3, 4), (2, 3, 4)),
        ((3, 4), ()),
    ]
    shapes += [((2, 5, 3), (2, 1, 3)), ((4, 2, 2), (1, 1, 1)), ((1, 3), (1, 3)), ((3, 3, 3), (3,))]
    cases = [(rng.normal(size=big), small) for big, small in shapes]
    return [*cases, (rng.normal(size=(3, 4, 2)).astype(np.float32), (4, 1))]


def _tied_cases(rng):
    def case(n, c, h):
        return rng.normal(size=(n, c)), rng.normal(size=(n, c)), rng.normal(size=(c, h)) / np.sqrt(c)

    return [case(5, 4, 3), case(3, 2, 6), case(1, 5, 2), case(4, 3, 3), as_float32(case(4, 6, 3))]


def _deltas_cases(rng):
    def case(n, k, size=1.0):
        z1 = rng.normal(size=n)
        z1[0], z1[-1] = 0.0, abs(z1[-1]) + 0.5  # one exactly at the kink, one surely on
        return z1, size * rng.uniform(0.5, 1.5, k), float(rng.normal()), rng.uniform(0, 1, n)

    saturated = (np.array([6.0]), np.array([0.7, 1.2]), 1.0, np.array([0.0]))
    return [case(8, 2), case(5, 3), saturated, as_float32(case(6, 4, size=0.2))]


_exercise = partial(make_exercise, "backprop", "04")

EXERCISES = [
    _exercise(
        "nudge",
        "Slopes by nudging",
        (2, 10, 2),
        _nudging_cases,
        (right.slopes_by_nudging, right.slopes_by_nudging_with_a_mask, right.slopes_by_nudging_all_at_once),
        wrong.NUDGING,
        (
            "Start from w.astype(np.float64): a copy, and it has the digits that you need.",
            "`for i in np.ndindex(w.shape)`: i runs over (0, 0), (0, 1), ..., and w[i] is the entry.",
            "For one index: set the entry to keep + eps, take the loss; to keep - eps, again; put keep back.",
        ),
    ),
    _exercise(
        "neuron",
        "One sigmoid neuron",
        (2, 10, 2),
        _neuron_cases,
        (right.neuron_gradients, right.neuron_gradients_loop, right.neuron_gradients_slope_from_z),
        wrong.NEURON,
        (
            "Name the intermediate values (z, y) and go backwards: first dy, then dz, then dw and db.",
            "dy has the 1/N of the mean in it; dz is dy times the sigmoid's slope, y * (1 - y).",
            "dw collects dz times x over all the rows: which product of x and dz has shape (C,)?",
        ),
    ),
    _exercise(
        "linear",
        "A scaled linear layer over (B, T, C)",
        (3, 12, 3),
        _linear_cases,
        (
            right.scaled_linear_backward,
            right.scaled_linear_backward_einsum,
            right.scaled_linear_backward_loop,
        ),
        wrong.LINEAR,
        (
            "Write dy = dout * scale first: from there on it is an ordinary linear layer.",
            "dx needs shape (B, T, C) out of (B, T, K) and (C, K): `@` works on the last two axes.",
            "For dw make x a (B*T, C) matrix and dy a (B*T, K) one: which product gives (C, K)?",
        ),
    ),
    _exercise(
        "capped_relu",
        "A leaky ReLU with a ceiling",
        (2, 8, 2),
        _capped_cases,
        (
            right.capped_leaky_relu_backward,
            right.capped_leaky_relu_backward_masks,
            right.capped_leaky_relu_backward_assign,
        ),
        wrong.CAPPED,
        (
            "Draw the function: three straight pieces. What is the slope of each?",
            "np.where(condition, a, b) picks elementwise; the condition looks at x, the values hold dout.",
            "At x == 0 the left piece counts (slope), at x == cap the flat one (0).",
        ),
    ),
    _exercise(
        "weighted_ce",
        "Softmax and cross-entropy in one step",
        (3, 12, 3),
        _ce_cases,
        (right.weighted_ce_backward, right.weighted_ce_backward_one_hot, right.weighted_ce_backward_jacobian),
        wrong.CROSS_ENTROPY,
        (
            "Without weights and temperature it is (p - y) / N. What takes the place of 1 / N here?",
            "p[np.arange(len(labels)), labels] is the right label's entry of each row.",
            "logits / tau is a step of its own: on the way back it multiplies by 1 / tau.",
        ),
    ),
    _exercise(
        "network",
        "A whole two-layer network",
        (5, 25, 4),
        _network_cases,
        (right.network_gradients, right.network_gradients_loop, right.network_gradients_bias_as_weight),
        wrong_2.NETWORK,
        (
            "Give every value a partner, from the end: dlogits; dw2, db2, dh; dz; dw1, db1.",
            "dlogits is (p - y) / N. The gate of the leaky ReLU looks at z.",
            "The decay term is a second way from w1 and w2 to the loss: its share is added at the very end.",
        ),
    ),
    _exercise(
        "channel_norm",
        "Normalisation over another axis",
        (4, 20, 4),
        _channel_norm_cases,
        (
            right.channel_norm_backward,
            right.channel_norm_backward_three_paths,
            right.channel_norm_backward_jacobian,
        ),
        wrong_2.CHANNEL_NORM,
        (
            "First compute s and the normalised x again, as the forward pass does: axis 1, keepdims=True.",
            "Multiply the three slopes of step 9 by dout and add up over j: which sums are means?",
            "Two things come off dout: its mean, and norm times the mean of dout * norm. Then divide by s.",
        ),
    ),
    _exercise(
        "unbroadcast",
        "Undo a broadcast",
        (3, 12, 3),
        _unbroadcast_cases,
        (right.unbroadcast, right.unbroadcast_step_by_step, right.unbroadcast_by_index),
        wrong_2.UNBROADCAST,
        (
            "A broadcast does two things: new axes appear on the left, and axes of size 1 are stretched.",
            "First sum away the extra leading axes, as many as dout.ndim - len(shape).",
            "Then, for each axis whose size in `shape` is 1, sum with keepdims=True.",
        ),
    ),
    _exercise(
        "tied",
        "One weight used twice",
        (3, 12, 3),
        _tied_cases,
        (right.tied_backward, right.tied_backward_untied, right.tied_backward_loop),
        wrong_2.TIED,
        (
            "Pretend that the two uses had weights of their own, and find the gradient of each.",
            "out = h @ w.T is a linear layer with the weight w.T: its gradient is (H, C), so turn it round.",
            "dw is the sum of both; dx comes from the first use only, behind the tanh.",
        ),
    ),
    _exercise(
        "spot_the_bug",
        "Spot the bug: three slips in a published example",
        (2, 10, 3),
        _deltas_cases,
        (right.hidden_deltas, right.hidden_deltas_wire_by_wire, right.hidden_deltas_loop),
        wrong_2.DELTAS,
        (
            "From the loss backwards, write down every function that you pass: square, sigmoid, wires, ReLU.",
            "Each of them leaves one factor: the sigmoid y * (1 - y), a wire its weight, the ReLU 1 or 0.",
        ),
    ),
]
