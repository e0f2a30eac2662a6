"""The slope of a stretched tanh, from its output alone."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(*shape, spread=1.0):
        a, b = float(rng.uniform(1.2, 2.5)), float(rng.uniform(0.3, 0.8))
        out = a * np.tanh(b * spread * rng.normal(size=shape))
        return rng.normal(size=shape), out, a, b

    flat = case(7)
    flat[1][:2] = flat[2], -flat[2]  # saturated to the last digit: slope 0
    return [case(4, 3), flat, case(2, 3, 5, spread=3.0), as_float32(case(6, 2))]


def scaled_tanh_backward(dout, out, a, b):
    t = out / a  # the tanh itself
    return dout * a * b * (1 - t * t)


def one_line(dout, out, a, b):
    return dout * b * (a - out * out / a)


def two_factors(dout, out, a, b):
    return dout * b / a * (a - out) * (a + out)


EXERCISE = Exercise(
    title="A slope from the output alone",
    points=2,
    minutes=8,
    difficulty=2,
    cases=cases,
    reference=scaled_tanh_backward,
    alternatives=(one_line, two_factors),
    mistakes=(
        mistake(
            "the inner factor left out",
            "return dout * a * (1 - t * t)",
            "The input is multiplied by b before the tanh: that leaves a factor behind.",
        ),
        mistake(
            "the outer factor left out",
            "return dout * b * (1 - t * t)",
            "The tanh is multiplied by a: an output that is stretched has a steeper slope.",
        ),
        mistake(
            "took out for the bare tanh",
            "t = out",
            "1 - t² wants the tanh itself. What has been done to it in out?",
        ),
        mistake(
            "the function entered a second time at its output",
            "t = np.tanh(b * out)",
            "The slope belongs to x, where the curve was entered; out must not go through tanh again.",
        ),
        mistake(
            "the slope of a plain tanh",
            "return dout * (1 - out * out)",
            "With a = b = 1 you would be right. What do the two numbers change?",
        ),
        mistake(
            "the square forgotten",
            "return dout * a * b * (1 - t)",
            "The slope should be the same at x and at -x. Is yours?",
        ),
        mistake(
            "the value instead of the slope",
            "return dout * out",
            "A backward multiplies by the slope, not by the value.",
        ),
        mistake(
            "what comes from above left out",
            "return a * b * (1 - t * t)",
            "You return the slope; a backward multiplies it by dout.",
        ),
    ),
    hints=(
        "Write t = tanh(b x). Then out = a t: how do you get t back from out?",
        "The slope of t in x is b (1 - t²). And that of a t?",
    ),
)
