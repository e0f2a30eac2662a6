"""Absmax rounding that leaves large weights alone."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(i, o, bits, limit, loud=3):
        w = rng.normal(size=(i, o))
        w[rng.integers(0, i, loud), rng.integers(0, o, loud)] *= -9.0
        w[:, o // 2] = 0.0  # an output that nothing reaches
        return w, bits, limit

    example = np.array([[1.0, 8.0], [-0.5, 0.3], [0.3, -0.7]]), 3, 2.0
    all_large = np.array([[5.0, 1.0], [-6.0, 0.2]]), 4, 2.0
    negative = np.array([[-9.0, -0.7, 0.1], [0.2, 0.9, -0.35]]), 3, 1.0
    edge = np.array([[2.0, 0.6], [-2.0, 0.25], [0.7, -0.1]]), 4, 2.0  # exactly at the limit: not above it
    return [
        example,
        all_large,
        negative,
        edge,
        case(7, 5, 8, 3.0),
        case(9, 4, 4, 2.5),
        case(6, 8, 3, 100.0),
        case(5, 7, 2, 2.0),
        as_float32(case(8, 6, 4, 3.0)),
    ]


def outliers(w, bits, limit):
    m = 2 ** (bits - 1) - 1
    large = np.abs(w) > limit
    rest = np.where(large, 0, w)
    largest = np.abs(rest).max(0)  # (O,)
    scale = np.where(largest > 0, largest / m, 1)  # a column of zeros has nothing to divide
    q = np.clip(np.rint(rest / scale), -m, m)
    return np.where(large, w, q * scale)


def column_by_column(w, bits, limit):
    out, top = w.copy(), 2 ** (bits - 1) - 1
    for column in out.T:
        small = np.abs(column) <= limit
        values = column[small]
        if values.any():
            step = np.abs(values).max() / top
            column[small] = np.round(values / step) * step
    return out


def in_place(w, bits, limit):
    m = (1 << (bits - 1)) - 1
    small = np.abs(w) <= limit
    peak = np.max(np.abs(w) * small, axis=0, keepdims=True)
    step = (peak + (peak == 0) * m) / m
    out = np.rint(w / step) * step
    out[~small] = w[~small]
    return out.astype(w.dtype)


EXERCISE = Exercise(
    title="Absmax, with outliers left alone",
    points=2,
    minutes=15,
    difficulty=2,
    cases=cases,
    reference=outliers,
    alternatives=(column_by_column, in_place),
    equal=(
        ("scale = np.where(largest > 0, largest / m, 2)", "a column of zeros stays one, whatever divides it"),
        ("q = np.rint(rest / scale)", "nothing exceeds m: the largest becomes m"),
        (
            "out, top = (w.copy(), 1 - 2 ** (bits - 1))",
            "a step below 0 gives whole numbers of the other sign",
        ),
    ),
    teaches=("quantization.absmax",),
    mistakes=(
        mistake(
            "outliers set the scale",
            "largest = np.abs(w).max(0)",
            "An outlier that stays as it is should not make the others coarse: the scale is of the rest.",
        ),
        mistake(
            "one scale for the whole weight",
            "largest = np.abs(rest).max() * np.ones(w.shape[1], w.dtype)",
            "Each column has a scale of its own.",
        ),
        mistake(
            "a scale for each row",
            "largest = np.abs(rest).max(1, keepdims=True)",
            "Each column (output) has a scale of its own, not each row.",
        ),
        mistake(
            "one step too many",
            ("largest / m -> largest / (m + 1)", "q = np.clip(np.rint(rest / scale), -m - 1, m)"),
            "From -m to m, with m = 2**(bits-1) - 1: the largest entry becomes m, not m + 1.",
        ),
        mistake(
            "cut off instead of rounded",
            "q = np.clip(np.trunc(rest / scale), -m, m)",
            "To the nearest whole number: np.rint.",
        ),
        mistake(
            "rounded down",
            "q = np.clip(np.floor(rest / scale), -m, m)",
            "To the nearest whole number: np.rint.",
        ),
        mistake(
            "a column of zeros gives NaN",
            "scale = largest / m",
            "A column without anything left has a largest entry of 0: 0 / 0.",
        ),
        mistake(
            "outliers lost",
            "return q * scale",
            "What is above the limit stays as it was, it does not become 0.",
        ),
        mistake(
            "outliers cut to the limit",
            "return np.where(large, np.sign(w) * limit, q * scale)",
            "What is above the limit stays as it was.",
        ),
        mistake(
            "only positive outliers",
            "large = w > limit",
            "-9 is as large as 9.",
        ),
        mistake(
            "a weight at the limit left alone, too",
            "large = np.abs(w) >= limit",
            "Above the limit, not at it.",
        ),
        mistake(
            "the whole numbers returned",
            "return np.where(large, w, q)",
            "Back to floats: times the scale.",
        ),
        mistake(
            "m one too large",
            "m = 2 ** (bits - 1)",
            "The largest whole number is 2**(bits-1) - 1: 127 for 8 bits, 7 for 4.",
        ),
        mistake(
            "bits counted without the sign",
            "m = 2 ** bits - 1",
            "One bit is the sign: the largest whole number is 2**(bits-1) - 1.",
        ),
    ),
    hints=(
        "np.where(large, 0, w) is the weight without its outliers.",
        "The scale of a column is its largest size divided by m; give columns of zeros a scale of 1.",
        "Round rest / scale, times the scale; at the end put the outliers back.",
    ),
)
