"""The exercises of chapter 05, from gradient descent to Adam: their inputs, hints and points.

The right answers are in `_adam_right`, the known-wrong ones in `_adam_wrong` and `_adam_wrong_2`.
Inputs are random, with every axis of another size, at least one case in float32, and hostile ones: first
steps from a state of zeros, repeated rows, an empty batch, zero gradients, an eps as large as the gradients.
"""

import numpy as np

from fmkit.lab.exercises import _adam_right as right
from fmkit.lab.exercises import _adam_wrong as wrong
from fmkit.lab.exercises import _adam_wrong_2 as wrong_2
from fmkit.lab.exercises._shared import as_float32, make_exercise


def _number(rng, low, high):
    return float(rng.uniform(low, high))


def _momentum_cases(rng):
    def case(*shape, beta):
        w, dw = rng.normal(size=shape), rng.normal(size=shape)
        return w, dw, 0.3 * rng.normal(size=shape), _number(rng, 0.05, 0.4), beta

    w, dw, delta, lr, beta = case(4, 3, beta=0.9)
    first = w, dw, np.zeros_like(delta), lr, beta
    return [
        first,
        case(5, beta=0.8),
        case(2, 3, 4, beta=0.7),
        case(1, beta=0.95),
        as_float32(case(6, 2, beta=0.9)),
    ]


def _smoothed_cases(rng):
    def case(*shape, beta, size=1.0):
        return size * (2 + rng.normal(size=shape)), beta

    constant = np.full((6, 2), _number(rng, 1, 5)), 0.9
    return [
        case(12, beta=0.9),
        case(7, 3, beta=0.6),
        case(1, 4, beta=0.99),
        constant,
        case(9, beta=0.7, size=1e6),
        as_float32(case(8, 2, 3, beta=0.95)),
    ]


def _adagrad_cases(rng):
    def case(v, c, n, eps=1e-10):
        s = rng.uniform(0.1, 2.0, (v, c)) * rng.integers(0, 2, (v, 1))  # some rows were never read before
        ids = rng.integers(0, v, n)
        if n > 1:
            ids[-1] = ids[0]  # a row that is read twice
        return rng.normal(size=(v, c)), s, ids, rng.normal(size=(n, c)), _number(rng, 0.1, 0.5), eps

    return [
        case(7, 3, 5),
        case(4, 2, 9, eps=0.3),
        case(5, 4, 1),
        case(3, 2, 0),
        as_float32(case(6, 5, 8, eps=1e-3)),
    ]


def _rmsprop_cases(rng):
    def case(*shape, rho, mu, eps=1e-8):
        w, dw, u = rng.normal(size=shape), rng.normal(size=shape), rng.normal(size=shape)
        return w, dw, rng.uniform(0.2, 2.0, shape), u, _number(rng, 0.01, 0.1), rho, mu, eps

    w, dw, v, u, *rest = case(5, 2, rho=0.99, mu=0.9)
    first = w, dw, np.zeros_like(v), np.zeros_like(u), *rest
    still = case(6, rho=0.9, mu=0.8, eps=0.1)
    still[1][::2] = 0.0  # weights whose gradient is zero today
    return [
        first,
        still,
        case(2, 4, 3, rho=0.7, mu=0.5, eps=0.3),
        as_float32(case(4, 7, rho=0.95, mu=0.9, eps=1e-3)),
    ]


def _overshoot_cases(rng):
    def case(n, last, *betas):
        return rng.permutation(np.arange(1, last + 1))[:n], *betas

    ends = np.array([1, int(rng.integers(2, 20)), 10_000])
    return [
        case(9, 40, 0.9, 0.999),
        (ends, 0.9, 0.95),
        case(6, 12, 0.8, 0.99),
        (np.array([1]), _number(rng, 0.5, 0.85), 0.98),
    ]


def _mended_cases(rng):
    def case(t, *shape, betas=(0.9, 0.999), eps=1e-8, size=1.0):
        grads = size * (0.5 + rng.normal(size=(t, *shape)))
        lrs = np.linspace(0.1, 0.02, t) * _number(rng, 0.5, 2.0)
        return rng.normal(size=shape), grads, lrs, *betas, eps

    return [
        case(6, 3),
        case(1, 4, 2),
        case(15, 2, 3, betas=(0.8, 0.95), eps=0.05),
        case(8, 5, betas=(0.7, 0.99), eps=1e-4, size=1e-3),  # an eps that is not small beside the gradients
        as_float32(case(7, 4, 3, eps=1e-3)),
    ]


def _adamw_cases(rng):
    def case(shapes, t, *betas, eps=1e-8):
        def draw(make):
            return {name: make(shape) for name, shape in shapes.items()}

        def zeros_or(make):
            return draw(lambda shape: make(shape) if t > 1 else np.zeros(shape))

        params, grads = draw(lambda s: rng.normal(size=s)), draw(lambda s: rng.normal(size=s))
        m = zeros_or(lambda s: 0.3 * rng.normal(size=s))
        v = zeros_or(lambda s: rng.uniform(0.1, 0.5, s))
        lr, decay = _number(rng, 0.05, 0.2), _number(rng, 0.2, 0.6)
        return params, grads, m, v, t, lr, decay, *betas, eps

    return [
        case({"w": (4, 3), "b": (3,)}, 1, 0.9, 0.99),
        case({"emb": (7, 2), "w": (2, 5), "gain": (5,), "b": (5,)}, 4, 0.8, 0.95),
        case({"kernel": (2, 3, 4), "b": (4,)}, 30, 0.9, 0.999, eps=0.1),
        as_float32(case({"w": (3, 6), "b": (6,)}, 2, 0.7, 0.9, eps=1e-3)),
    ]


def _accumulate_cases(rng):
    def case(shapes, sizes, share, size=1.0):
        """``share`` is max_norm as a share of the joint norm: below 1 the gradient is clipped."""
        parts = [{name: size * (1 + rng.normal(size=s)) for name, s in shapes.items()} for _ in sizes]
        return parts, sizes, share * right.accumulate_and_clip(parts, sizes, np.inf)[1]

    still = [{"w": np.zeros((2, 3)), "b": np.zeros(3)} for _ in range(2)], [3, 5], 1.0
    shapes = {"w": (4, 3), "b": (3,)}
    return [
        case(shapes, [2, 7, 4], _number(rng, 0.2, 0.5)),
        case({"emb": (5, 2), "w": (2, 4), "b": (4,)}, [1, 6], _number(rng, 0.3, 0.6), size=4.0),
        case(shapes, [3, 1, 8], _number(rng, 1.2, 1.8)),  # short enough as it is
        case({"w": (2, 3)}, [6], 0.5),
        still,
        as_float32(case({"w": (3, 6), "b": (6,)}, [4, 1, 2], 0.4)),
    ]


def _rate_cases(rng):
    def case(warmup, cooldown, total):
        return np.arange(total + 3), _number(rng, 0.01, 2.0), warmup, cooldown, total

    some = rng.permutation(400)[:30]
    return [case(5, 8, 40), case(1, 3, 12), case(7, 20, 21), (some, 3e-3, 60, 100, 380), case(4, 1, 15)]


def _schulz_cases(rng):
    def case(n, m, steps, size=1.0):
        return size * rng.normal(size=(n, m)), steps

    return [
        case(4, 3, 3),
        case(3, 6, 5, 30.0),
        case(5, 5, 1, 0.01),
        case(1, 4, 2),
        as_float32(case(6, 4, 4)),
    ]


def _exercise(worth, cases, answers, misconceptions, title, hints):
    return make_exercise(
        "adam", "05", answers[0].__name__, title, worth, cases, answers, misconceptions, hints
    )


EXERCISES = [
    _exercise(
        (2, 8, 2),
        _momentum_cases,
        (right.momentum_step, right.momentum_step_by_velocity, right.momentum_step_loop),
        wrong.MOMENTUM,
        "Momentum as a remembered step",
        (
            "At beta = 0 it must be plain gradient descent: w - lr * dw.",
            "delta is the step: first make the new one, then move w by it.",
            "The new delta is beta times the old one, less lr * dw.",
        ),
    ),
    _exercise(
        (2, 10, 2),
        _smoothed_cases,
        (right.smoothed, right.smoothed_two_sums, right.smoothed_by_a_matrix),
        wrong.SMOOTHED,
        "A moving mean that starts right",
        (
            "Keep two things apart: the recursion for m, and what is written into the result.",
            "After t values the weights inside m sum to 1 - beta**t, so that is what to divide by.",
            "In a loop with i = 0, 1, 2, ... the number of values so far is i + 1.",
        ),
    ),
    _exercise(
        (3, 12, 3),
        _adagrad_cases,
        (right.adagrad_rows, right.adagrad_rows_one_hot, right.adagrad_rows_loop),
        wrong.ADAGRAD,
        "AdaGrad on the rows of an embedding",
        (
            "First make dw of the shape of w, zeros but for the rows in ids; then it is ordinary AdaGrad.",
            "dw[ids] += drows loses repeated ids. np.add.at(dw, ids, drows) does not.",
            "Add the squares to s first; then divide by sqrt(s) + eps, with the new s.",
        ),
    ),
    _exercise(
        (2, 10, 3),
        _rmsprop_cases,
        (right.rmsprop_momentum, right.rmsprop_momentum_towards, right.rmsprop_momentum_loop),
        wrong.RMSPROP,
        "RMSProp with momentum",
        (
            "Three lines, in this order: the new v, the new u, the new w.",
            "u remembers gradients that have been divided already: dw / (sqrt(v) + eps).",
            "The new u is mu times the old one plus that; lr comes in when w moves.",
        ),
    ),
    _exercise(
        (1, 6, 2),
        _overshoot_cases,
        (right.overshoot, right.overshoot_simulated, right.overshoot_by_expm1),
        wrong.OVERSHOOT,
        "How much too far?",
        (
            "Let every gradient be 1. What are m and v after t steps, and what are the corrected ones?",
            "Adam's step is then lr * 1 / 1. The uncorrected one is lr * m / sqrt(v).",
        ),
    ),
    _exercise(
        (3, 15, 3),
        _adamw_cases,
        (right.adamw_model, right.adamw_model_in_comprehensions, right.adamw_model_array_by_array),
        wrong_2.ADAMW,
        "AdamW on a whole model",
        (
            "Write Adam for one array first, then put it into a loop over the names.",
            "w.ndim is the number of axes: decay where it is 2 or more.",
            "The decay is a separate term, lr * decay * w, taken off besides Adam's step; it never "
            "enters m or v.",
        ),
    ),
    _exercise(
        (2, 8, 2),
        _rate_cases,
        (right.rate_at, right.rate_at_loop, right.rate_at_where),
        wrong_2.RATE,
        "A schedule without a horizon, and its end",
        (
            "With s = steps + 1: the warm-up is s / warmup, the decay sqrt(warmup / s). They meet "
            "at s = warmup.",
            "np.minimum of the two is the rising branch before the peak and the falling one after it.",
            "Multiply by (total - steps) / cooldown, clipped to [0, 1].",
        ),
    ),
    _exercise(
        (2, 10, 2),
        _accumulate_cases,
        (
            right.accumulate_and_clip,
            right.accumulate_and_clip_one_vector,
            right.accumulate_and_clip_step_by_step,
        ),
        wrong_2.ACCUMULATE,
        "A large batch in small parts, clipped",
        (
            "Each part holds the mean over its own examples: weight it by n / (all examples).",
            "The joint norm is one root over the squares of all numbers in all arrays.",
            "Only when norm > max_norm: multiply every array by max_norm / norm.",
        ),
    ),
    _exercise(
        (2, 10, 3),
        _schulz_cases,
        (right.newton_schulz, right.newton_schulz_by_svd, right.newton_schulz_other_side),
        wrong_2.SCHULZ,
        "Orthogonal without an SVD",
        (
            "np.linalg.norm(g) of a matrix is the Frobenius norm: the root of the sum of all squares.",
            "x @ x.T @ x has the shape of x, and the cubes of its singular values.",
            "One round: 1.5 * x - 0.5 * x @ x.T @ x.",
        ),
    ),
    _exercise(
        (3, 12, 3),
        _mended_cases,
        (
            right.mended_adam,
            right.mended_adam_correction_in_the_rate,
            right.mended_adam_by_weighted_means,
        ),
        wrong_2.MENDED_ADAM,
        "Spot the bug: a published Adam",
        (
            "Give it a single gradient of 1000 and a learning rate of 0.1: how far does w move, and how "
            "far should it?",
            "The two moving means are right. What is missing between them and the step?",
            "m / (1 - beta1**t) and v / (1 - beta2**t) with t = 1 for the first step; m and v "
            "themselves stay.",
        ),
    ),
]
