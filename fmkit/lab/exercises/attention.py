"""The exercises of chapter 06, self-attention: their inputs, hints and points.

The right answers are in `_attention_right`, the known-wrong ones in `_attention_wrong` and its two followers.
Inputs are random, with every axis of another size, at least one case in float32, and hostile ones: one
position, one head, scores of 1000 (hidden ones of 30000), rows that see nothing, decay close to 0.
"""

from functools import partial

import numpy as np

from fmkit.lab.exercises import _attention_right as right
from fmkit.lab.exercises import _attention_wrong as wrong
from fmkit.lab.exercises import _attention_wrong_2 as wrong_2
from fmkit.lab.exercises import _attention_wrong_3 as wrong_3
from fmkit.lab.exercises._shared import as_float32, make_exercise


def _fading_cases(rng):
    def case(b, t, c, low, high):
        return rng.normal(size=(b, t, c)), float(rng.uniform(low, high))

    long = case(1, 240, 2, 0.01, 0.02)  # decay ** -239 is no longer a number
    return [case(2, 5, 3, 0.6, 0.9), case(3, 1, 2, 0.3, 0.5), case(1, 7, 4, 0.1, 0.3), long] + [
        as_float32(case(3, 6, 5, 0.5, 0.8))
    ]


def _self_attention_cases(rng):
    def case(b, t, c, d, e, size=1.0):
        w = [rng.normal(size=(c, n)) / np.sqrt(c) for n in (d, d, e)]
        w[0] = size * w[0]
        return rng.normal(size=(b, t, c)), *w

    huge = case(2, 4, 5, 3, 2, size=2000.0)
    return [case(2, 5, 4, 3, 6, 2.0), case(3, 6, 4, 4, 4, 2.0), case(1, 1, 3, 2, 4), huge] + [
        as_float32(case(2, 7, 5, 8, 3))
    ]


def _mask_cases(rng):
    def case(b, h, t, window, size=1.0):
        real = np.ones((b, t), np.int64)
        for row in range(b):
            left, gone = row % 2, int(rng.integers(1, t - 1))
            real[row, :gone] = left  # padded in front ...
            real[row, t - gone :] = 1 - left  # ... or at the end
        return size * rng.normal(size=(b, h, t, t)), real, window

    loud_head = np.array([1500.0, -1500.0])[:, None, None]  # one head far above the other
    open_row = (rng.normal(size=(1, 2, 6, 6)) + loud_head, np.ones((1, 6), np.int64), 4)
    shouts = [case(2, 1, 6, 3), case(2, 1, 6, 3)]
    for (scores, _, _), size in zip(shouts, (3000.0, 30000.0), strict=True):
        scores[..., rng.integers(1, 5)] += 3000.0
        scores[..., 5] += size  # the future shouts
    return [case(3, 2, 5, 3), open_row, *shouts, case(2, 3, 7, 2), case(4, 1, 4, 1)] + [
        as_float32(case(2, 2, 8, 5))
    ]


def _heads_cases(rng):
    def case(b, t, h, d, size=1.5):
        return size * rng.normal(size=(b, t, h * 3 * d)), h

    return [
        case(2, 5, 3, 4),
        case(3, 4, 2, 5),
        case(1, 3, 1, 2),
        case(2, 6, 4, 3),
        case(2, 9, 3, 6, size=50.0),  # scores of 1000 and more
        as_float32(case(2, 7, 2, 3)),
    ]


def _rotary_cases(rng):
    def case(b, h, t, d, base):
        positions = np.sort(rng.choice(40, (b, t), replace=False), axis=1)
        positions[0] += 3  # so that no row begins at 0
        return rng.normal(size=(b, h, t, d)), positions, base

    return [
        case(2, 3, 5, 4, float(rng.uniform(50, 100))),
        case(3, 1, 4, 8, 10000.0),
        case(1, 2, 1, 2, 500.0),
        case(2, 2, 3, 6, float(rng.uniform(5, 10))),
        as_float32(case(2, 4, 5, 6, 100.0)),
    ]


def _capped_cases(rng):
    def case(b, t, s, d, size=1.5):
        q, dout = size * rng.normal(size=(b, t, d)), rng.normal(size=(b, t, d))
        k, v = size * rng.normal(size=(b, s, d)), rng.normal(size=(b, s, d))
        return dout, q, k, v, float(rng.uniform(1.0, 3.0))

    return [
        case(2, 4, 6, 3),
        case(3, 5, 5, 4),
        case(1, 1, 3, 2),
        case(2, 6, 3, 5),
        as_float32(case(2, 3, 5, 6, 1.0)),
    ]


def _block_cases(rng):
    def case(b, t, c, f):
        a = np.tril(rng.uniform(0.1, 1.0, (t, t)))
        a /= a.sum(1, keepdims=True)
        wo, w1, w2 = (rng.normal(size=s) / np.sqrt(s[0]) for s in ((c, c), (c, f), (f, c)))
        return rng.normal(size=(b, t, c)), 2.0 * rng.normal(size=(b, t, c)) + 0.5, a, wo, w1, w2

    return [case(2, 4, 3, 5), case(3, 3, 6, 4), case(1, 5, 2, 3), as_float32(case(2, 3, 4, 6))]


def _scores_cases(rng):
    def case(b, t, c, d, v, size=1.5):
        wte, wpe = rng.normal(size=(v, c)), rng.normal(size=(t + b + 2, c))
        wq, wk = (size * rng.normal(size=(c, d)) / np.sqrt(c) for _ in "qk")
        return rng.integers(0, v, (b, t)), wte, wpe, wq, wk, rng.normal(size=(c, c)) / np.sqrt(c)

    return [case(3, 5, 4, 3, 7), case(4, 4, 3, 2, 6), case(1, 6, 5, 4, 8), case(5, 3, 4, 6, 9)] + [
        case(2, 12, 5, 4, 7, size=40.0),  # scores of 1000 and more
        as_float32(case(2, 4, 6, 3, 5)),
    ]


def _rollout_cases(rng):
    def case(n_layers, h, t):
        return (wrong.softmax(2.0 * rng.normal(size=(n_layers, h, t, t))),)

    return [case(3, 2, 4), case(2, 3, 5), case(1, 4, 3), case(5, 1, 4), as_float32(case(4, 3, 6))]


_exercise = partial(make_exercise, "attention", "06")

EXERCISES = [
    _exercise(
        "fading",
        "A mean that fades into the past",
        (2, 10, 2),
        _fading_cases,
        (right.fading_mean, right.fading_mean_loop, right.fading_mean_running),
        wrong.FADING,
        (
            "Make a (T, T) matrix of ages: np.arange(T)[:, None] - np.arange(T). Where it is negative "
            "lies the future.",
            "The weights are decay ** age in the past and 0 in the future; then divide each row by its sum.",
            "With the weights as a (T, T) matrix, `weights @ x` takes all the means of all rows of the "
            "batch at once.",
        ),
    ),
    _exercise(
        "self_attention",
        "Queries, keys and values",
        (3, 12, 2),
        _self_attention_cases,
        (right.self_attention, right.self_attention_loop, right.self_attention_values_last),
        wrong.SELF_ATTENTION,
        (
            "Three projections first: x @ wq, x @ wk, x @ wv. Then everything is a matter of the last two "
            "axes.",
            "scores[b, t, s] is the query at t times the key at s: k.swapaxes(1, 2) turns the keys round.",
            "Divide the scores by the root of the number of products in each; then softmax along the keys.",
        ),
    ),
    _exercise(
        "mask",
        "A window into the past, and padding",
        (4, 18, 4),
        _mask_cases,
        (right.masked_weights, right.masked_weights_loop, right.masked_weights_additive),
        wrong.MASK,
        (
            "Make one array of truth values, seen: (T, T) for past and window, `real[:, None, None, :]` "
            "for padding.",
            "Scores that are not seen become -inf: np.where(seen, scores, -np.inf). Then the softmax.",
            "A row of nothing but -inf has the maximum -inf, and -inf minus -inf is not a number: make "
            "the maximum finite.",
        ),
    ),
    _exercise(
        "heads",
        "Heads in another layout",
        (3, 15, 3),
        _heads_cases,
        (
            right.attend_head_by_head,
            right.attend_head_by_head_slices,
            right.attend_head_by_head_einsum,
        ),
        wrong_3.HEADS,
        (
            "Cut the last axis in the order in which it was laid: heads first, then the three, then D.",
            "reshape(B, T, H, 3, D), then a transpose that brings the 3 to the front and H before T.",
            "At the end the axes are (B, H, T, D); the result wants (B, T, H, D) before its last reshape.",
        ),
    ),
    _exercise(
        "rotary",
        "Rotary positions for neighbours",
        (3, 15, 3),
        _rotary_cases,
        (right.rotate_neighbours, right.rotate_neighbours_loop, right.rotate_neighbours_complex),
        wrong_2.ROTARY,
        (
            "x[..., 0::2] and x[..., 1::2] are the first and the second numbers of all the pairs.",
            "The angles have the shape (B, 1, T, D/2): a position for each row and place, the same for "
            "every head.",
            "new even = even cos - odd sin, new odd = even sin + odd cos; write them into the same places "
            "of a new array.",
        ),
    ),
    _exercise(
        "backward",
        "The backward of attention with a soft cap",
        (5, 25, 4),
        _capped_cases,
        (
            right.capped_attention_backward,
            right.capped_attention_backward_loop,
            right.capped_attention_backward_scaled_query,
        ),
        wrong_2.CAPPED,
        (
            "The forward is four lines: scores, capped, probs, and out = probs @ v. Undo them from the last.",
            "Through the softmax: probs * (dprobs - the row's sum of dprobs * probs).",
            "The slope of cap * tanh(s / cap) is 1 - tanh(s / cap) squared, which is 1 - (capped / cap) "
            "** 2.",
        ),
    ),
    _exercise(
        "block",
        "The backward of a parallel block",
        (5, 25, 4),
        _block_cases,
        (
            right.parallel_block_backward,
            right.parallel_block_backward_loop,
            right.parallel_block_backward_einsum,
        ),
        wrong_2.BLOCK,
        (
            "Three wires lead from x to out: the residual, and two through n. Find dn first: two of them "
            "add up there.",
            "Through a @ n @ wo: dn gets a.T @ (dout @ wo.T), and dwo is (a @ n) against dout, over all "
            "positions.",
            "Through the norm: (dn - n * mean of dn * n) / rms. Then add dout, which came straight down.",
        ),
    ),
    _exercise(
        "rollout",
        "Through all the layers at once",
        (3, 12, 3),
        _rollout_cases,
        (right.rollout, right.rollout_backwards, right.rollout_loop),
        wrong_2.ROLLOUT,
        (
            "For one layer: the mean over its heads, and half of that plus half of the identity.",
            "Two layers: a token in layer 2 looks at tokens which looked at tokens in layer 1: step2 @ "
            "step1.",
        ),
    ),
    _exercise(
        "spot_the_bug",
        "Spot the bug: three in one language model",
        (4, 15, 3),
        _scores_cases,
        (right.next_token_scores, right.next_token_scores_loop, right.next_token_scores_additive),
        wrong_3.SCORES,
        (
            "Write the shape behind every line. Over which axis do the scores compare?",
            "Ask three questions: does another row matter? does the order of the past matter? does the "
            "future matter?",
            "Each bug is mended by one line: no swapaxes, wpe[:T] added, scores above the diagonal at -inf.",
        ),
    ),
]
