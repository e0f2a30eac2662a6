"""Affine rounding of each row to bytes with a sign."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, i, bits, shift=1.0):
        x = rng.normal(size=(n, i)) + shift
        x[0] = np.abs(x[0]) + 0.3  # one side only
        x[1] = -np.abs(x[1]) - 2.0
        x[2] = 0.0
        return x, bits

    example = np.array([[-1.0, 0.0, 2.0], [1.0, 3.0, 2.0]]), 2
    ends = np.array([[-1.5, 1.5, 0.0, 1.0], [-0.5, 2.5, 1.0, 0.0]]), 2  # a half at both ends
    bytes_full = np.array([[-127.5, 127.5, 3.0], [-0.25, 0.5, 0.1]]), 8
    halves = np.array([[-1.0, 0.5, 2.0], [-3.0, -0.5, 0.0]]), 2  # round(1/2) - 1 is not round(1/2 - 1)
    same = np.array([[0.0, 0.0], [2.0, 2.0], [-3.0, -3.0]]), 4
    return [
        example,
        ends,
        bytes_full,
        halves,
        same,
        case(4, 6, 8),
        case(5, 3, 4, -0.5),
        case(6, 7, 3),
        case(3, 9, 5, 4.0),
        as_float32(case(4, 5, 8)),
    ]


def affine_rows(x, bits):
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    bottom = np.minimum(x.min(1, keepdims=True), 0)  # the range holds 0
    top = np.maximum(x.max(1, keepdims=True), 0)
    span = top - bottom
    scale = np.where(span > 0, span / (high - low), 1)
    zero = np.rint(low - bottom / scale)
    q = np.clip(np.rint(x / scale) + zero, low, high).astype(np.int8)
    return q, scale, zero


def row_by_row(x, bits):
    q, scales, zeros = np.zeros(x.shape, np.int8), [], []
    least, most = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    for i, row in enumerate(x):
        a, b = min(0, row.min()), max(0, row.max())
        step = (b - a) / (most - least) if b > a else x.dtype.type(1)
        zero = np.round(least - a / step)
        for j, value in enumerate(row):
            q[i, j] = max(least, min(most, np.round(value / step) + zero))
        scales.append([step])
        zeros.append([zero])
    return q, np.array(scales, x.dtype), np.array(zeros, x.dtype)


def with_a_zero_appended(x, bits):
    held = np.append(x, np.zeros((len(x), 1), x.dtype), axis=1)
    bottom = held.min(1, keepdims=True)
    span = held.max(1, keepdims=True) - bottom
    scale = span / (2**bits - 1)
    scale[scale == 0] = 1
    low = -(2 ** (bits - 1))
    zero = np.rint(low - bottom / scale)
    q = np.maximum(np.minimum(np.rint(x / scale) + zero, low + 2**bits - 1), low)
    return q.astype(np.int8), scale, zero


EXERCISE = Exercise(
    title="A range for each row",
    points=3,
    minutes=20,
    difficulty=3,
    cases=cases,
    reference=affine_rows,
    alternatives=(row_by_row, with_a_zero_appended),
    equal=(
        ("bottom = np.minimum(x.min(-1, keepdims=True), 0)", "the last axis, by its other number"),
        ("top = np.maximum(x.max(-1, keepdims=True), 0)", "the last axis, by its other number"),
        ("q, scales, zeros = (np.ones(x.shape, np.int8), [], [])", "every entry is written"),
        ("a, b = (min(row.min(), 0), max(0, row.max()))", "the two arguments may stand in any order"),
        ("a, b = (min(0, row.min()), max(row.max(), 0))", "the two arguments may stand in any order"),
        (
            "q[i, j] = max(min(most, np.round(value / step) + zero), least)",
            "the two arguments may stand in any order",
        ),
        (
            "q[i, j] = max(least, min(np.round(value / step) + zero, most))",
            "the two arguments may stand in any order",
        ),
    ),
    teaches=("quantization.affine",),
    parts=True,
    mistakes=(
        mistake(
            "a range that does not hold 0, at the bottom",
            "bottom = x.min(1, keepdims=True)",
            "0 must be met exactly: where all numbers are positive, the range begins at 0.",
        ),
        mistake(
            "a range that does not hold 0, at the top",
            "top = x.max(1, keepdims=True)",
            "0 must be met exactly: where all numbers are negative, the range ends at 0.",
        ),
        mistake(
            "not clipped",
            "q = (np.rint(x / scale) + zero).astype(np.int8)",
            "Where both ends lie at a half, the largest falls one above the range: 128 becomes -128.",
        ),
        mistake(
            "the zero not rounded",
            "zero = low - bottom / scale",
            "`zero` is the whole number that stands for 0: round it, or no whole number does.",
        ),
        mistake(
            "rounded after the zero was added",
            "q = np.clip(np.rint(x / scale + zero), low, high).astype(np.int8)",
            "Round x / scale, then add `zero`: at a half NumPy rounds to even, so the order counts.",
        ),
        mistake(
            "one range for all rows",
            (
                "bottom = np.minimum(np.full((len(x), 1), x.min()), 0)",
                "top = np.maximum(np.full((len(x), 1), x.max()), 0)",
            ),
            "Each row has a range of its own.",
        ),
        mistake(
            "whole numbers from 0 up",
            (
                "low, high = 0, 2**bits - 1",
                "q = np.clip(np.rint(x / scale) + zero, low, high).astype(np.uint8)",
            ),
            "Bytes with a sign are asked for: from -2**(bits-1) on.",
        ),
        mistake(
            "bytes without a sign read as bytes with one",
            "low, high = 0, 2**bits - 1",
            "int8 ends at 127: begin at -2**(bits-1).",
        ),
        mistake(
            "one step too many",
            "span / (high - low) -> span / (high - low + 1)",
            "2**bits whole numbers have 2**bits - 1 steps between them.",
        ),
        mistake(
            "a row of zeros gives NaN",
            "scale = span / (high - low)",
            "A row of zeros has no range: let its scale be 1.",
        ),
        mistake(
            "symmetric: no zero point",
            (
                "scale = np.where(span > 0, np.maximum(top, -bottom) / high, 1)",
                "zero = np.zeros_like(scale)",
            ),
            "The whole range from the smallest to the largest is shared out, not the larger side twice.",
        ),
        mistake(
            "the sign of the zero",
            "zero = np.rint(low + bottom / scale)",
            "The smallest number becomes `low`: bottom / scale + zero = low.",
        ),
        mistake(
            "cut off instead of rounded",
            "q = np.clip(np.trunc(x / scale) + zero, low, high).astype(np.int8)",
            "To the nearest whole number: np.rint.",
        ),
        mistake(
            "the zero subtracted",
            "q = np.clip(np.rint(x / scale) - zero, low, high).astype(np.int8)",
            "x = (q - zero) * scale: so q = x / scale + zero.",
        ),
    ),
    hints=(
        "np.minimum(x.min(1, keepdims=True), 0) widens the range at the bottom; the same at the top.",
        "There are 2**bits - 1 steps from the bottom to the top; the bottom becomes -2**(bits-1).",
        "q is np.rint(x / scale) + zero, clipped to -2**(bits-1) and 2**(bits-1) - 1, as int8.",
    ),
)
