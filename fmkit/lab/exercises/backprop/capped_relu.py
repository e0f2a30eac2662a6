"""The backward of a leaky ReLU with a ceiling: three straight pieces and two kinks."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(*shape):
        cap = float(rng.uniform(0.5, 1.5))
        x = rng.normal(size=shape)
        kinks = rng.permutation(x.size)[: x.size // 3]
        x.flat[kinks] = np.where(np.arange(len(kinks)) % 2, 0.0, cap)  # exactly at the two kinks
        dout = rng.normal(size=shape)
        dout.flat[kinks[0]], x.flat[kinks[0]] = 0.0, cap  # nothing comes back, at the ceiling
        return dout, x, float(rng.uniform(0.05, 0.3)), cap

    example = np.array([10.0, 10.0, 10.0]), np.array([-1.0, 0.5, 3.0]), 0.1, 2.0
    dout, x, slope, _ = as_float32(case(5, 6))
    return [example, case(6, 7), case(3, 4, 5), case(20), (dout, x, slope, 0.75)]


def capped_leaky_relu_backward(dout, x, slope, cap):
    dx = np.where(x > 0, dout, slope * dout)  # the leak below zero
    return np.where(x < cap, dx, 0 * dout)  # flat from the ceiling on


def masks(dout, x, slope, cap):
    inside = (x > 0) & (x < cap)
    return dout * inside.astype(dout.dtype) + slope * dout * (x <= 0).astype(dout.dtype)


def assign(dout, x, slope, cap):
    dx = dout.copy()
    dx[x <= 0] *= slope
    dx[x >= cap] = 0
    return dx


EXERCISE = Exercise(
    title="A leaky ReLU with a ceiling",
    points=2,
    minutes=8,
    difficulty=2,
    cases=cases,
    reference=capped_leaky_relu_backward,
    alternatives=(masks, assign),
    mistakes=(
        mistake(
            ">= at zero",
            "x > 0 -> x >= 0",
            "At exactly zero the exercise wants the slope of the left side. Which of > and >= says so?",
        ),
        mistake(
            "> at the ceiling",
            "x < cap -> x <= cap",
            "At exactly the cap the exercise wants slope 0. Which of > and >= says so?",
        ),
        mistake(
            "forgot the ceiling",
            "return dx",
            "Above the cap the output is constant: what is the slope of a constant?",
        ),
        mistake(
            "the ceiling instead of its slope",
            "return np.where(x < cap, dx, cap)",
            "Above the cap the output is constant: its slope is not the cap. What is it?",
        ),
        mistake(
            "zero falls between two masks",
            "dx = dout * (x > 0) + slope * dout * (x < 0)",
            "Which of your masks holds x == 0, if one says < and the other >?",
        ),
        mistake(
            "dout left out below zero",
            "dx = np.where(x > 0, dout, slope)",
            "Below zero, too, the slope multiplies what comes back.",
        ),
        mistake(
            "float64 out of float32",
            "dx = dout * np.where(x > 0, 1.0, slope)",
            "np.where of plain numbers makes float64, and so does np.zeros: end with .astype(dout.dtype).",
        ),
        mistake(
            "leaks above the ceiling too",
            "return np.where(x < cap, dx, slope * dout)",
            "Only the part below zero leaks; above the cap the output does not move at all.",
        ),
        mistake(
            "no leak below zero",
            "dx = np.where(x > 0, dout, 0 * dout)",
            "Below zero the output is slope * x, so something still comes back.",
        ),
        mistake(
            "looked at the sign of dout, not of x",
            "x > 0 -> dout > 0",
            "The gate was set by x on the way forward; dout has no say in it.",
        ),
        mistake(
            "the chain rule's dout left out",
            "dx = np.where(x > 0, 1, slope).astype(x.dtype)",
            "You return the function's own slope; the chain rule multiplies it by something.",
        ),
        mistake(
            "multiplied by the output, not by its slope",
            "return dout * np.minimum(np.where(x > 0, x, slope * x), cap)",
            "On the way back a function multiplies by its slope, not by its value.",
        ),
    ),
    equal=(
        ("return np.where(x < cap, dx, 0)", "NumPy takes the dtype of the array beside it"),
        (
            "return dout * inside + slope * dout * (x <= 0).astype(dout.dtype)",
            "NumPy takes the dtype of the array beside it",
        ),
        (
            "return dout * inside.astype(dout.dtype) + slope * dout * (x <= 0)",
            "NumPy takes the dtype of the array beside it",
        ),
    ),
    hints=(
        "Draw the function: three straight pieces. What is the slope of each?",
        "np.where(condition, a, b) picks elementwise; the condition looks at x, the values hold dout.",
        "At x == 0 the left piece counts (slope), at x == cap the flat one (0).",
    ),
)
