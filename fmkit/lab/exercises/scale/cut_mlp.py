"""A feed-forward part of which each rank has some hidden units: forward, and the gradient of its input."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(B, C, widths, out, bias=1.0):
        parts = [
            (rng.normal(size=(C, f)), bias * rng.normal(size=f), rng.normal(size=(f, out))) for f in widths
        ]
        return rng.normal(size=(B, C)), parts, bias * rng.normal(size=out) * 3, rng.normal(size=(B, out))

    one = np.array([[1.0, 2.0]])
    example = (
        one,
        [
            (np.array([[1.0], [1.0]]), np.array([0.0]), np.array([[2.0]])),
            (np.array([[-1.0], [0.0]]), np.array([0.5]), np.array([[5.0]])),
        ],
        np.array([10.0]),
        np.array([[1.0]]),
    )
    dead = (  # all units of the second rank sleep
        np.array([[1.0], [2.0]]),
        [
            (np.array([[1.0, 2.0]]), np.zeros(2), np.array([[1.0], [-1.0]])),
            (np.array([[-1.0]]), np.array([-1.0]), np.array([[3.0]])),
        ],
        np.array([1.0]),
        np.array([[1.0], [1.0]]),
    )
    edge = (  # exactly 0 before the ReLU
        np.array([[1.0, -1.0]]),
        [(np.array([[2.0, 1.0], [2.0, 0.0]]), np.zeros(2), np.array([[1.0], [1.0]]))] * 2,
        np.array([0.5]),
        np.array([[2.0]]),
    )
    return [
        example,
        dead,
        edge,
        case(4, 3, (5,), 2),
        case(3, 4, (2, 2), 4),
        case(4, 4, (3, 2), 2),  # as many rows as columns
        case(5, 3, (1, 4, 2), 6),
        case(2, 6, (3, 3, 3, 3), 6),
        case(1, 2, (7, 1), 3),
        as_float32(case(4, 5, (3, 2), 5)),
    ]


def cut_mlp(x, parts, b2, dout):
    out, dx = np.zeros_like(dout), np.zeros_like(x)
    for w1, b1, w2 in parts:  # on every rank
        hidden = x @ w1 + b1
        out += np.maximum(hidden, 0) @ w2
        dhidden = (dout @ w2.T) * (hidden > 0)
        dx += dhidden @ w1.T
    out = out + b2
    return out, dx


def in_one_piece(x, parts, b2, dout):
    w1, b1, w2 = (
        np.concatenate([part[i] for part in parts], axis=axis) for i, axis in ((0, 1), (1, 0), (2, 0))
    )
    hidden = x @ w1 + b1
    open_ = hidden > 0
    return (hidden * open_) @ w2 + b2, (dout @ w2.T * open_) @ w1.T


def lists(x, parts, b2, dout):
    hidden = [x @ w1 + b1 for w1, b1, _ in parts]
    outs = [np.where(h > 0, h, 0) @ part[2] for h, part in zip(hidden, parts, strict=True)]
    back = [np.where(h > 0, dout @ w2.T, 0) @ w1.T for h, (w1, _, w2) in zip(hidden, parts, strict=True)]
    return np.sum(outs, axis=0) + b2, np.sum(back, axis=0)


EXERCISE = Exercise(
    title="A feed-forward part, cut",
    points=3,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=cut_mlp,
    alternatives=(in_one_piece, lists),
    equal=(
        (
            "w1, b1, w2 = (np.concatenate([part[i] for part in parts], axis=axis) "
            "for i, axis in ((0, 1), (1, -1), (2, 0)))",
            "a vector's only axis",
        ),
    ),
    teaches=("parallel.tensor_parallel",),
    parts=True,
    mistakes=(
        mistake(
            "the bias once a rank",
            ("out += np.maximum(hidden, 0) @ w2 + b2", "out = out + b2 ->"),
            "All ranks are summed: add the bias after that, once.",
        ),
        mistake(
            "no bias at the end",
            "out = out + b2 ->",
            "b2 belongs to the output, once.",
        ),
        mistake(
            "no bias before the activation",
            "hidden = x @ w1",
            "Each rank adds the b1 of its own hidden units.",
        ),
        mistake(
            "a mean over the ranks",
            "out = out / len(parts) + b2",
            "The ranks hold different hidden units: their outputs add up.",
        ),
        mistake(
            "a mean over the ranks backward",
            "return out, dx / len(parts)",
            "x went to every rank: what comes back adds up.",
        ),
        mistake(
            "the activation after the sum",
            (
                "out += hidden @ w2",
                "out = np.maximum(out, 0) + b2",
            ),
            "The activation stands between the two matrices: each rank applies it to its own units.",
        ),
        mistake(
            "no activation",
            "out += hidden @ w2",
            "ReLU stands between the two matrices.",
        ),
        mistake(
            "no sum for dx: the last rank's only",
            "dx += dhidden @ w1.T -> dx = dhidden @ w1.T",
            "x went to every rank: what comes back adds up.",
        ),
        mistake(
            "no sum for the output: the last rank's only",
            "out += np.maximum(hidden, 0) @ w2 -> out = np.maximum(hidden, 0) @ w2",
            "Each rank has only its own hidden units' share of the output: add them up.",
        ),
        mistake(
            "dx without the activation's slope",
            "dhidden = dout @ w2.T",
            "Where a unit sleeps nothing flows back.",
        ),
        mistake(
            "the activation itself for its slope",
            "(hidden > 0) -> np.maximum(hidden, 0)",
            "ReLU's slope is 0 or 1.",
        ),
        mistake(
            "the slope where the units sleep",
            "(hidden > 0) -> (hidden <= 0)",
            "Where a unit sleeps nothing flows back.",
        ),
        mistake(
            "slope 1 at zero",
            "(hidden > 0) -> (hidden >= 0)",
            "At exactly 0 the task takes the slope 0.",
        ),
        mistake(
            "a residual connection backward",
            "return out, dx + (dout if dout.shape == x.shape else 0)",
            "Nothing is added to the input here: only what went through the matrices comes back.",
        ),
        mistake(
            "the first rank's mask for all",
            "dhidden = (dout @ w2.T) * (x @ w1 > 0)",
            "The slope is taken where the activation was: with the bias.",
        ),
        mistake(
            "the activation after the sum and the bias",
            ("out += hidden @ w2", "out = np.maximum(out + b2, 0)"),
            "The activation stands between the two matrices: each rank applies it to its own units.",
        ),
        mistake(
            "a residual connection, forward and backward",
            (
                "out = out + b2 + (x if dout.shape == x.shape else 0)",
                "return out, dx + (dout if dout.shape == x.shape else 0)",
            ),
            "The task has no residual: the input is not added to the output.",
        ),
        mistake(
            "a residual connection forward",
            "out = out + b2 + (x if dout.shape == x.shape else 0)",
            "The task has no residual: the input is not added to the output.",
        ),
    ),
    hints=(
        "Each rank: hidden = x @ w1 + b1, then ReLU, then @ w2. Nothing is sent in between.",
        "The outputs of the ranks add up; b2 is added once, after the sum.",
        "Backward: each rank has its own (dout @ w2.T) * (hidden > 0); their dx add up, too.",
    ),
)
