"""The gradients of one sigmoid neuron, for many rows at once."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, c, size=1.0):
        return rng.normal(size=(n, c)), size * rng.normal(size=c), float(rng.normal()), rng.uniform(0, 1, n)

    example = np.array([[6.0]]), np.array([1.9]), -10.014, np.array([1.0])
    return [
        example,
        case(7, 4),
        case(2, 5),
        case(1, 3),
        case(6, 2, size=8.0),
        as_float32(case(5, 3, size=0.5)),
    ]


def neuron_gradients(x, w, b, t):
    y = 1 / (1 + np.exp(-(x @ w + b)))
    dy = (y - t) / len(t)  # undoes the mean of the halved squares
    dz = dy * y * (1 - y)  # undoes the sigmoid
    return x.T @ dz, dz.sum()  # undoes x @ w + b


def loop(x, w, b, t):
    dw, db = np.zeros_like(w), w.dtype.type(0)
    for row, target in zip(x, t, strict=True):
        z = row @ w + b
        y = 1 / (1 + np.exp(-z))
        dz = (y - target) * y * (1 - y)
        dw = dw + dz * row / len(x)
        db = db + dz / len(x)
    return dw, db


def slope_from_z(x, w, b, t):
    z = x @ w + b
    y = 1 / (1 + np.exp(-z))
    slope = np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))) ** 2  # the same slope, from the pre-activation
    each = ((y - t) * slope)[:, None] * x
    return each.mean(0), ((y - t) * slope).mean()


EXERCISE = Exercise(
    title="One sigmoid neuron",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=neuron_gradients,
    teaches=("layers.linear_backward", "activations.sigmoid_backward"),
    alternatives=(loop, slope_from_z),
    mistakes=(
        mistake(
            "the sigmoid's slope taken at the target",
            "dy * y * (1 - y) -> dy * t * (1 - t)",
            "The slope belongs to what came out of the sigmoid, y; the target is where it should have been.",
        ),
        mistake(
            "averaged the rows before multiplying",
            "x.T @ dz -> x.mean(0) * dz.sum()",
            "Each row meets its own dz: multiply first, then add up.",
        ),
        mistake(
            "the sigmoid's slope taken at its output",
            "dz = dy * y * (1 - y) -> s = 1 / (1 + np.exp(-y))\ndz = dy * s * (1 - s)",
            "The slope belongs to the point where the curve was entered: z. "
            "Written with y it is y * (1 - y), with no second sigmoid around y.",
        ),
        mistake(
            "the sigmoid's slope left out",
            "dz = dy",
            "Between y and z stands the sigmoid: on the way back it multiplies by its slope.",
        ),
        mistake(
            "the value of the sigmoid instead of its slope",
            "dz = dy * y",
            "On the way back a function multiplies by its slope, not by its value.",
        ),
        mistake(
            "forgot the 1/N of the mean",
            "dy = y - t",
            "The loss is a mean over the rows: what does that do to each row's share?",
        ),
        mistake(
            "divided by C, not by N",
            "dy = (y - t) / x.shape[1]",
            "The mean of the loss runs over the rows: how many are there?",
        ),
        mistake(
            "db not summed over the rows",
            "return x.T @ dz, dz",
            "There is one b for all rows, so there is one db: over several wires, add.",
        ),
        mistake(
            "averaged dw but not db",
            ("dy = y - t", "return x.T @ dz / len(t), dz.sum()"),
            "dw and db come from the same dz. If one is averaged over the rows, so is the other.",
        ),
        mistake(
            "t - y instead of y - t",
            "y - t -> t - y",
            "Check the sign: y above its target must give a positive slope with respect to y.",
        ),
        mistake(
            "the factor 2 of an unhalved square",
            "dy = 2 * (y - t) / len(t)",
            "This loss has a half in front of the square: what is left of the 2?",
        ),
        mistake(
            "kept the half of the square",
            "dy = 0.5 * (y - t) / len(t)",
            "The slope of a square brings a 2: what is left of the half in front of it?",
        ),
        mistake(
            "the loss instead of its slope",
            "dy = 0.5 * (y - t) ** 2 / len(t)",
            "dy is the slope of the halved square, not the halved square itself.",
        ),
        mistake(
            "the sigmoid's slope taken at z",
            "dz = dy * y * (1 - y) -> z = x @ w + b\ndz = dy * z * (1 - z)",
            "y * (1 - y) is written with the output y; z is what went in.",
        ),
        mistake(
            "tanh's slope",
            "dz = dy * (1 - y * y)",
            "1 - y * y belongs to tanh. What is the slope of the sigmoid, written with y?",
        ),
        mistake(
            "divided by N twice",
            "return x.T @ dz / len(t), dz.sum() / len(t)",
            "The 1/N is in dy already; adding up over the rows is all that is left.",
        ),
        mistake(
            "averaged db",
            "return x.T @ dz, dz.mean()",
            "dw and db come from the same dz, and the 1/N is in it already.",
        ),
    ),
    equal=(
        ("y = 1 / (1 + np.exp(-(x @ w.T + b)))", "a vector is its own transpose"),
        ("return (x.T @ dz.T, dz.sum())", "a vector is its own transpose"),
        ("z = w @ row + b", "the dot product of two vectors has no order"),
        ("z = row.T @ w + b", "a vector is its own transpose"),
        ("z = row @ w.T + b", "a vector is its own transpose"),
    ),
    hints=(
        "Name the intermediate values (z, y) and go backwards: first dy, then dz, then dw and db.",
        "dy has the 1/N of the mean in it; dz is dy times the sigmoid's slope, y * (1 - y).",
        "dw collects dz times x over all the rows: which product of x and dz has shape (C,)?",
    ),
)
