"""A linear layer of bytes whose activations have a zero point."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, i, o, low=0):
        x_q = rng.integers(low, 256, (n, i)).astype(np.uint8)
        w_q = rng.integers(-127, 128, (i, o)).astype(np.int8)
        x_scale, w_scale = rng.uniform(0.01, 0.1, (n, 1)), rng.uniform(0.001, 0.02, (1, o))
        return x_q, x_scale, rng.integers(0, 256, (n, 1)) * 1.0, w_q, w_scale, rng.normal(size=o)

    example = (
        np.array([[3, 1]], np.uint8),
        np.array([[0.5]]),
        np.array([[1.0]]),
        np.array([[10, -2], [4, 5]], np.int8),
        np.array([[0.1, 1.0]]),
        np.array([0.0, 1.0]),
    )
    full = (
        np.full((2, 300), 255, np.uint8),
        np.array([[0.01], [0.02]]),
        np.array([[0.0], [128.0]]),
        np.full((300, 3), 127, np.int8),
        np.array([[0.01, 0.02, 0.03]]),
        np.array([1.0, 2.0, 3.0]),
    )
    a, b = rng.integers(20, 85, (2, 60)), rng.integers(10, 42, (60, 3))  # 3a * b - a * 3b, and 1 is left
    little_left = (  # rounded floats do not cancel
        np.concatenate([3 * a, a, np.ones_like(a[:, :1])], axis=1).astype(np.uint8),
        rng.uniform(0.5, 1.0, (2, 1)),
        np.zeros((2, 1)),
        np.concatenate([b, -3 * b, np.ones_like(b[:1])]).astype(np.int8),
        rng.uniform(0.5, 1.0, (1, 3)),
        np.zeros(3),
    )
    return [
        example,
        full,
        case(2, 5, 3),
        case(4, 40, 2, 200),
        case(3, 7, 7),
        as_float32(case(5, 9, 4)),
        as_float32(little_left),
    ]


def byte_product(x_q, x_scale, x_zero, w_q, w_scale, b):
    sums = x_q.astype(np.int32) @ w_q.astype(np.int32)  # (N, O)
    columns = w_q.sum(0, dtype=np.int32)  # (O,): what a row of ones would give
    whole = sums - x_zero * columns
    return whole.astype(x_scale.dtype) * x_scale * w_scale + b


def shifted_first(x_q, x_scale, x_zero, w_q, w_scale, b):
    moved = x_q.astype(np.int64) - x_zero.astype(np.int64)
    return (moved @ w_q.astype(np.int64)).astype(b.dtype) * (x_scale * w_scale) + b


def in_floats(x_q, x_scale, x_zero, w_q, w_scale, b):
    out = np.zeros((len(x_q), w_q.shape[1]), b.dtype)
    for n in range(len(x_q)):
        for o in range(w_q.shape[1]):
            total = sum((int(x) - int(x_zero[n, 0])) * int(w) for x, w in zip(x_q[n], w_q[:, o], strict=True))
            out[n, o] = total * x_scale[n, 0] * w_scale[0, o] + b[o]
    return out


EXERCISE = Exercise(
    title="A product of bytes with a zero point",
    points=3,
    minutes=20,
    difficulty=3,
    cases=cases,
    reference=byte_product,
    alternatives=(shifted_first, in_floats),
    equal=(
        ("sums = x_q @ w_q.astype(np.int32)", "NumPy turns bytes into int32 beside int32"),
        ("sums = x_q.astype(np.int32) @ w_q", "NumPy turns bytes into int32 beside int32"),
        ("columns = w_q.sum(0)", "NumPy adds bytes up in its largest whole numbers"),
        ("moved = x_q - x_zero.astype(np.int64)", "beside whole numbers of 64 bits a byte becomes one"),
        ("moved = x_q.astype(np.int64) - x_zero", "whole numbers below 256 are exact in any float"),
        (
            "return (moved @ w_q).astype(b.dtype) * (x_scale * w_scale) + b",
            "beside whole numbers of 64 bits a byte becomes one",
        ),
    ),
    teaches=("quantization.int8_linear",),
    mistakes=(
        mistake(
            "sums in 16 bits",
            "sums = x_q @ w_q",
            "A product of two bytes fills 16 bits: the sum of a few overflows. Turn both into int32 first.",
        ),
        mistake(
            "sums in 8 bits",
            "sums = x_q.astype(np.int8) @ w_q",
            "The sums do not fit into a byte, and 255 not into int8: turn both into int32 first.",
        ),
        mistake(
            "the column sums in 8 bits",
            "columns = w_q.sum(0, dtype=np.int8)",
            "A sum of bytes does not fit into a byte: dtype=np.int32.",
        ),
        mistake(
            "the zero point forgotten",
            "whole = sums",
            "The number is (q - zero) * scale: what does the zero add up to over the inputs?",
        ),
        mistake(
            "the zero point taken off once",
            "whole = sums - x_zero",
            "It is taken off every input, and each is multiplied by its weight.",
        ),
        mistake(
            "the zero point times the number of inputs",
            "columns = len(w_q) * np.ones(w_q.shape[1], np.int32)",
            "Each input's zero is multiplied by its weight: the column's sum.",
        ),
        mistake(
            "the zero point added",
            "whole = sums + x_zero * columns",
            "(q - zero): it is taken off.",
        ),
        mistake(
            "the zero point taken off in bytes",
            (
                "sums = (x_q - x_zero.astype(np.uint8)).astype(np.int32) @ w_q.astype(np.int32)",
                "whole = sums",
            ),
            "A byte without a sign knows nothing below 0: 3 - 5 becomes 254.",
        ),
        mistake(
            "the zero point taken off at the very end",
            ("whole = sums", "return whole.astype(x_scale.dtype) * x_scale * w_scale - x_zero + b"),
            "(q - zero) is multiplied by the weight and both scales: so is the zero's share.",
        ),
        mistake(
            "back to floats before the sum",
            (
                "sums = ((x_q.astype(x_scale.dtype) - x_zero) * x_scale) @ (w_q * w_scale)",
                "return sums + b",
            ),
            "Rounded floats do not cancel exactly, whole numbers do: sum first, scale afterwards.",
        ),
        mistake(
            "the first row's zero point for all",
            "whole = sums - x_zero[0] * columns",
            "Each row has its own zero.",
        ),
        mistake(
            "the inputs' scale forgotten",
            "return whole.astype(x_scale.dtype) * w_scale + b",
            "Two numbers were divided by their scales: both come back.",
        ),
        mistake(
            "the weights' scale forgotten",
            "return whole.astype(x_scale.dtype) * x_scale + b",
            "Two numbers were divided by their scales: both come back.",
        ),
        mistake(
            "the bias scaled, too",
            "return (whole + b).astype(x_scale.dtype) * x_scale * w_scale",
            "The bias is a float that nothing has divided: add it at the end.",
        ),
        mistake(
            "the bias forgotten",
            "return whole.astype(x_scale.dtype) * x_scale * w_scale",
            "At the end comes the bias.",
        ),
    ),
    hints=(
        "x_q.astype(np.int32) @ w_q.astype(np.int32) has room for all sums.",
        "The sum of (q - zero) * w is the sum of q * w, minus zero times the sum of w over the inputs.",
        "Whole numbers first; then to floats, times both scales, plus the bias.",
    ),
)
