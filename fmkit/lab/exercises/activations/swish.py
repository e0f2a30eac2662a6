"""Swish with a steepness: output and slope."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(beta, *shape):
        return 2.0 * rng.normal(size=shape), beta

    huge = np.concatenate([[1000.0, -1000.0, 0.0], rng.normal(size=4)])
    gentle, steep = float(rng.uniform(0.3, 0.8)), float(rng.uniform(1.5, 4.0))
    return [
        case(gentle, 3, 4),
        case(steep, 10),
        (huge, 1.702),
        case(0.0, 5),
        as_float32((100.0 * rng.normal(size=9), 2.0)),
    ]


def swish(x, beta):
    z = beta * x
    s = np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z)))
    return x * s, s + z * s * (1 - s)  # the product rule, with beta from the inner slope


def slope_from_the_output(x, beta):
    s = np.exp(-np.logaddexp(0.0, -beta * x))
    out = x * s
    return out, s + beta * out * (1.0 - s)


def by_tanh(x, beta):
    t = np.tanh(0.5 * beta * x)  # the sigmoid is a tanh, squeezed
    return 0.5 * x * (1.0 + t), 0.5 * (1.0 + t) + 0.25 * beta * x * (1.0 - t * t)


EXERCISE = Exercise(
    title="Swish with a steepness",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=swish,
    alternatives=(slope_from_the_output, by_tanh),
    mistakes=(
        mistake(
            "infinity over infinity",
            "s = np.exp(z) / (1 + np.exp(z))",
            "exp(1000) / (1 + exp(1000)) is NaN: let no exponent become large and positive.",
        ),
        mistake(
            "the steepness left out of the sigmoid",
            "s = np.exp(np.minimum(x, 0)) / (1 + np.exp(-np.abs(x)))",
            "The sigmoid is entered with beta * x.",
        ),
        mistake(
            "the inner factor left out",
            "return x * s, s + x * s * (1 - s)",
            "The sigmoid of beta * x moves beta times as fast when x moves.",
        ),
        mistake(
            "the inner factor on both halves",
            "return x * s, beta * s + z * s * (1 - s)",
            "Only the sigmoid is entered with beta * x; the x in front moves as fast as x itself.",
        ),
        mistake(
            "the sigmoid's slope as a quotient of infinities",
            "return x * s, s + z * np.exp(-z) / (1 + np.exp(-z)) ** 2",
            "The sigmoid's own value gives its slope, s * (1 - s), without another exponential.",
        ),
        mistake(
            "the product rule without its second half",
            "return x * s, s",
            "x stands in the sigmoid, too: that half moves as well.",
        ),
        mistake(
            "the product rule without its first half",
            "return x * s, z * s * (1 - s)",
            "x stands in front of the sigmoid, too: that half moves as well.",
        ),
        mistake(
            "the slope of the sigmoid taken from out",
            "return x * s, s + z * s * (1 - s) -> out = x * s\nreturn out, s + z * out * (1 - out)",
            "s * (1 - s) wants the sigmoid s, not x times s.",
        ),
        mistake(
            "the two slopes multiplied",
            "return x * s, beta * s * (1 - s)",
            "Slopes multiply along a chain; a product of two functions has a rule of its own.",
        ),
    ),
    hints=(
        "The product rule: (u v)' = u' v + u v'. Here u = x and v is the sigmoid of beta x.",
        "v' = beta s (1 - s), by the chain rule; u' = 1.",
    ),
)
