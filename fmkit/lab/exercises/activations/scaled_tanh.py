"""The slope of a stretched tanh, from its output alone."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(a, b, *shape, spread=1.0):
        a, b = float(rng.uniform(*a)), float(rng.uniform(*b))
        return rng.normal(size=shape), a * np.tanh(b * spread * rng.normal(size=shape)), a, b

    example = np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 2.0]), 2.0, 0.25
    tall, flat = ((1.2, 2.5), (0.3, 0.8)), ((0.4, 0.8), (1.5, 2.5))
    ends = case(*tall, 5)
    ends[1][:2] = ends[2], -ends[2]  # saturated to the last digit: slope 0
    ends[1][2] = ends[2] * rng.uniform(0.3, 0.6)
    dout, _, a, b = case(*tall, 4)
    steep = 1 - rng.uniform(1e-9, 5e-9, 4)  # nearly saturated, all of them: no slope is 0, but each is tiny
    return [
        example,
        (dout, a * steep * np.array([1, -1, 1, -1]), a, b),
        case(*tall, 2, 3),
        ends,
        case(*flat, 4, 3),
        case(*tall, 2, 1, 5, spread=3.0),
        as_float32(case(*tall, 6, 2)),
    ]


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
            "a floor under the slope, factors and all",
            "* a * b * (1 - t * t) -> * np.maximum(a * b * (1 - t * t), 1e-7)",
            "Nothing is divided by the slope here: it may be as small as it is.",
        ),
        mistake(
            "a floor under the slope",
            "(1 - t * t) -> np.maximum(1 - t * t, 1e-7)",
            "Nothing is divided by the slope here: it may be as small as it is.",
        ),
        mistake(
            "the inner factor left out",
            "a * b -> a",
            "The input is multiplied by b before the tanh: that leaves a factor behind.",
        ),
        mistake(
            "the outer factor left out",
            "a * b -> b",
            "The tanh is multiplied by a: an output that is stretched has a steeper slope.",
        ),
        mistake(
            "both factors left out",
            "* a * b ->",
            "You have the slope of the bare tanh. What do stretching by a and entering b x do to it?",
        ),
        mistake(
            "divided by both factors",
            "* a * b -> / (a * b)",
            "Stretching by a and entering b x both make the curve steeper: multiply.",
        ),
        mistake(
            "divided by the inner factor",
            "a * b -> a / b",
            "The input is multiplied by b before the tanh: a larger b makes the curve steeper.",
        ),
        mistake(
            "divided by the outer factor",
            "a * b -> b / a",
            "The tanh is multiplied by a: an output that is stretched has a steeper slope.",
        ),
        mistake(
            "took out for the bare tanh",
            "out / a -> out",
            "1 - t² wants the tanh itself. What has been done to it in out?",
        ),
        mistake(
            "divided by b to find the tanh",
            "out / a -> out / b",
            "out = a tanh(b x): which of the two stands outside of the tanh?",
        ),
        mistake(
            "divided by b, too, to find the tanh",
            "out / a -> out / (a * b)",
            "out = a tanh(b x): b stands inside the tanh, and only a outside.",
        ),
        mistake(
            "only one a under the square",
            "t * t -> t * out",
            "The tanh is out / a, and it is squared as a whole.",
        ),
        mistake(
            "the function entered a second time at its output",
            "out / a -> np.tanh(b * out)",
            "The slope belongs to x, where the curve was entered; out must not go through tanh again.",
        ),
        mistake(
            "tanh taken of the output",
            "out / a -> np.tanh(out)",
            "out has been through tanh already; here it only wants to be unstretched.",
        ),
        mistake(
            "tanh taken of the unstretched output",
            "out / a -> np.tanh(out / a)",
            "out / a is the tanh already: what would a second one do?",
        ),
        mistake(
            "the slope of a plain tanh",
            "return dout * (1 - out * out)",
            "With a = b = 1 you would be right. What do the two numbers change?",
        ),
        mistake(
            "the square forgotten",
            "(1 - t * t) -> (1 - t)",
            "The slope should be the same at x and at -x. Is yours?",
        ),
        mistake(
            "the square around the whole difference",
            "(1 - t * t) -> (1 - t) ** 2",
            "It is 1 - t², not (1 - t)².",
        ),
        mistake(
            "the sigmoid's slope",
            "(1 - t * t) -> t * (1 - t)",
            "t (1 - t) belongs to the sigmoid; tanh has a slope of its own.",
        ),
        mistake(
            "the square taken off outside of the bracket",
            "a * b * (1 - t * t) -> (a * b - t * t)",
            "a and b multiply the whole of 1 - t²: mind the brackets.",
        ),
        mistake(
            "the square taken off at the very end",
            "* a * b * (1 - t * t) -> * a * b - t * t",
            "dout, a and b multiply the whole of 1 - t²: mind the brackets.",
        ),
        mistake(
            "the square added",
            "(1 - t * t) -> (1 + t * t)",
            "The curve becomes flat where it is near its ends: does your slope go to 0 there?",
        ),
        mistake(
            "the root of the slope",
            "(1 - t * t) -> np.sqrt(1 - t * t)",
            "tanh's slope is 1 - t² itself, without a root.",
        ),
        mistake(
            "the recipe's numbers instead of a and b",
            "t = -> a, b = 1.7159, 2 / 3\nt = ",
            "a and b are arguments: the check tries others than 1.7159 and 2/3.",
        ),
        mistake(
            "the value instead of the slope",
            "return dout * out",
            "A backward multiplies by the slope, not by the value.",
        ),
        mistake(
            "what comes from above left out",
            "return dout * -> return ",
            "You return the slope; a backward multiplies it by dout.",
        ),
        mistake(
            "divided by what comes from above",
            "return dout * -> return 1 / dout * ",
            "A backward multiplies the slope by dout.",
        ),
        mistake(
            "what comes from above inside the square",
            "out / a -> dout * out / a",
            "First the slope from out alone; dout multiplies it once, at the end.",
        ),
    ),
    hints=(
        "Write t = tanh(b x). Then out = a t: how do you get t back from out?",
        "The slope of t in x is b (1 - t²). And that of a t?",
    ),
)
