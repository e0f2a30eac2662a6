"""Three slips in a published example: the slopes at a sigmoid neuron, and at the ReLU neuron before it."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, k, size=1.0):
        z1 = rng.normal(size=n)
        z1[0], z1[-1] = 0.0, abs(z1[-1]) + 0.5  # one exactly at the kink, one surely on
        w = size * rng.uniform(0.5, 1.5, k)
        w[0] *= -0.5  # a wire may be negative
        return z1, w, float(rng.normal()), rng.uniform(0, 1, n)

    saturated = (np.array([6.0]), np.array([0.7, 1.2]), 1.0, np.array([0.0]))
    example = np.array([2.0, -1.0]), np.array([0.5, 1.0]), 0.5, np.array([1.0, 0.0])
    exact = np.array([-1.0, 0.0]), np.array([0.5, 1.5]), 0.0, np.array([0.5, 0.5])  # nothing to learn
    return [example, exact, case(8, 2), case(5, 3), saturated, as_float32(case(6, 4, size=0.2))]


def hidden_deltas(z1, w, b, t):
    a = np.maximum(0, z1)
    y = 1 / (1 + np.exp(-(a * w.sum() + b)))
    delta2 = (y - t) * y * (1 - y)  # the sigmoid's slope at z2, not at y
    delta1 = w.sum() * delta2 * (z1 > 0)  # what travels back is delta2; then the ReLU's own slope
    return delta1, delta2


def wire_by_wire(z1, w, b, t):
    z2 = sum(wire * np.maximum(z1, 0) for wire in w) + b
    y = 1 / (1 + np.exp(-z2))
    delta2 = y * (1 - y) * (y - t)
    da1 = sum(wire * delta2 for wire in w)
    return np.where(z1 > 0, da1, 0 * da1), delta2


def loop(z1, w, b, t):
    delta1, delta2 = np.zeros_like(z1), np.zeros_like(z1)
    for n in range(len(z1)):
        z2 = max(z1[n], 0) * w.sum() + b
        slope = np.exp(-z2) / (1 + np.exp(-z2)) ** 2
        delta2[n] = (1 / (1 + np.exp(-z2)) - t[n]) * slope
        delta1[n] = delta2[n] * w.sum() if z1[n] > 0 else 0
    return delta1, delta2


SLOPE_AT_Y = "delta2 = (y - t) * y * (1 - y) -> s = 1 / (1 + np.exp(-y))\ndelta2 = (y - t) * s * (1 - s)"

EXERCISE = Exercise(
    title="Spot the bug: three slips in a published example",
    points=2,
    minutes=10,
    difficulty=3,
    cases=cases,
    reference=hidden_deltas,
    alternatives=(wire_by_wire, loop),
    mistakes=(
        mistake(
            "all three as published",
            (SLOPE_AT_Y, "delta1 = w.sum() * (y - t)"),
            "This is the published recipe. Nudge z2, then z1, and see which number moves otherwise.",
        ),
        mistake(
            "still the slope at the output",
            SLOPE_AT_Y,
            "One mistake is left: the sigmoid's slope where the sigmoid was entered, at z2.",
        ),
        mistake(
            "still no output slope in the hidden delta",
            "delta1 = w.sum() * (y - t) * (z1 > 0)",
            "One mistake is left: what travels back through the wires is delta2, not the bare error y - t.",
        ),
        mistake(
            "still no slope of the hidden ReLU",
            "delta1 = w.sum() * delta2",
            "One mistake is left: a hidden neuron that is off has no influence at all.",
        ),
        mistake(
            "the short way of cross-entropy",
            "delta2 = y - t",
            "y - t alone is the short way of cross-entropy; this loss is the halved square.",
        ),
        mistake(
            "averaged over the examples",
            "delta2 = (y - t) * y * (1 - y) / len(t)",
            "Here the loss is that of each example: there is no mean.",
        ),
        mistake(
            "t - y instead of y - t",
            "y - t -> t - y",
            "Check the sign: y above its target must give a positive slope with respect to y.",
        ),
        mistake(
            ">= at zero",
            "z1 > 0 -> z1 >= 0",
            "At exactly zero the slope is to be 0. Which of > and >= says so?",
        ),
        mistake(
            "the wires not added up",
            "delta1 = np.outer(delta2, w) * (z1 > 0)[:, None]",
            "You have one number for each wire: all of them lead back to one z1.",
        ),
        mistake(
            "the ReLU's value, not its slope",
            "delta1 = w.sum() * delta2 * a",
            "On the way back the ReLU multiplies by its slope (0 or 1), not by its value.",
        ),
        mistake(
            "only one of the wires",
            "delta1 = w[0] * delta2 * (z1 > 0)",
            "All wires start at the same a: every one of them brings something back.",
        ),
    ),
    equal=(("return (np.where(z1 > 0, da1, 0), delta2)", "NumPy takes the dtype of the array beside it"),),
    hints=(
        "From the loss backwards, write down every function that you pass: square, sigmoid, wires, ReLU.",
        "Each of them leaves one factor: the sigmoid y * (1 - y), a wire its weight, the ReLU 1 or 0.",
    ),
)
