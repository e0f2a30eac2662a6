"""Swish with a steepness: output and slope."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(beta, *shape):
        return 2.0 * rng.normal(size=shape), beta

    huge = np.array([1000.0, -1000.0, 0.0, *rng.uniform(2.0, 4.0, 2), rng.uniform(-1.0, -0.1)])
    gentle, steep = float(rng.uniform(0.3, 0.8)), float(rng.uniform(1.5, 4.0))
    return [
        (np.array([-2.0, 0.0, 4.0]), 0.0),
        case(gentle, 2, 3),
        case(steep, 10),
        (huge, 1.702),
        (rng.permutation(-huge), -2.0),
        (np.array([2e9, -3e9, 1e9]), 0.25),  # so large that a difference of two outputs has no digits left
        case(-gentle, 3, 1, 4),
        as_float32((np.concatenate([100.0 * rng.normal(size=5), rng.normal(size=4), [300.0, -300.0]]), 2.0)),
    ]


def swish(x, beta):
    z = beta * x
    s = np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z)))
    out = x * s
    ds = beta * s * (1 - s)  # the sigmoid's slope, with beta from inside
    slope = s + x * ds  # the product rule
    return out, slope


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
    equal=(("s = np.exp(-np.logaddexp(-beta * x, 0.0))", "the order of a sum"),),
    mistakes=(
        mistake(
            "infinity over infinity",
            "np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z))) -> np.exp(z) / (1 + np.exp(z))",
            "exp(1000) / (1 + exp(1000)) is NaN: let no exponent become large and positive.",
        ),
        mistake(
            "the sigmoid's two forms chosen by the sign of x",
            "np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z)))"
            " -> np.where(x >= 0, 1 / (1 + np.exp(-z)), np.exp(z) / (1 + np.exp(z)))",
            "beta may be negative: it is the sign of beta * x that counts.",
        ),
        mistake(
            "the exponent's sign lost",
            "np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z))) -> 1 / (1 + np.exp(-np.abs(z)))",
            "The sigmoid of a negative number is below one half.",
        ),
        mistake(
            "the exponent cut off at ten",
            "np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z))) -> 1 / (1 + np.exp(-np.clip(z, -10, 10)))",
            "x = -1000 times a sigmoid of 0.00005 is not 0: cut off much later, or not at all.",
        ),
        mistake(
            "tanh for the sigmoid",
            "np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z))) -> np.tanh(z)",
            "The gate is a sigmoid: between 0 and 1, and 0.5 at 0.",
        ),
        mistake(
            "the steepness left out of the sigmoid",
            "z = beta * x -> z = x",
            "The sigmoid is entered with beta * x.",
        ),
        mistake(
            "the steepness left out everywhere",
            ("z = beta * x -> z = x", "ds = beta * -> ds = "),
            "That is SiLU, the swish with beta = 1: where does beta enter?",
        ),
        mistake(
            "GELU's 1.702 for the steepness",
            "z = -> beta = 1.702\nz = ",
            "beta is an argument: the check tries others than 1.702.",
        ),
        mistake(
            "the steepness in front of the sigmoid",
            (
                "z = beta * x -> z = x",
                "ds = beta * -> ds = ",
                "return out, slope -> return beta * out, beta * slope",
            ),
            "beta stands inside the sigmoid, next to x; x in front is alone.",
        ),
        mistake(
            "the inner factor left out",
            "ds = beta * -> ds = ",
            "The sigmoid of beta * x moves beta times as fast when x moves.",
        ),
        mistake(
            "the inner factor twice",
            "ds = beta * -> ds = beta * beta * ",
            "beta comes out of the sigmoid once. If you write z for beta * x, it is in there already.",
        ),
        mistake(
            "the inner factor on both halves",
            "slope = s + -> slope = beta * s + ",
            "Only the sigmoid is entered with beta * x; the x in front moves as fast as x itself.",
        ),
        mistake(
            "x forgotten in the second half",
            "x * ds -> ds",
            "The product rule leaves one of the two functions whole in each half: which one here?",
        ),
        mistake(
            "the sigmoid's bare slope as the second half",
            "x * ds -> s * (1 - s)",
            "The sigmoid is entered with beta * x and multiplied by x: the second half wants both of them.",
        ),
        mistake(
            "minus between the halves",
            "slope = s + -> slope = s - ",
            "(u v)' = u' v + u v': both halves are added.",
        ),
        mistake(
            "the sigmoid's slope as a quotient of infinities",
            "s * (1 - s) -> np.exp(-z) / (1 + np.exp(-z)) ** 2",
            "The sigmoid's own value gives its slope, s * (1 - s), without another exponential.",
        ),
        mistake(
            "the slope of tanh for that of the sigmoid",
            "s * (1 - s) -> (1 - s * s)",
            "1 - t² belongs to tanh. The sigmoid has a formula of its own.",
        ),
        mistake(
            "the sigmoid's slope without its other half",
            "* (1 - s) ->",
            "The sigmoid's slope is s times something that goes to 0 where s goes to 1.",
        ),
        mistake(
            "the product rule without its second half",
            "slope = s + x * ds -> slope = s",
            "x stands in the sigmoid, too: that half moves as well.",
        ),
        mistake(
            "the product rule without its first half",
            "slope = s + -> slope = ",
            "x stands in front of the sigmoid, too: that half moves as well.",
        ),
        mistake(
            "the first half 1 instead of the sigmoid",
            "slope = s + -> slope = 1 + ",
            "x moves at the pace of 1, and that is multiplied by the sigmoid.",
        ),
        mistake(
            "the slope of the sigmoid taken from out",
            "s * (1 - s) -> out * (1 - out)",
            "s * (1 - s) wants the sigmoid s, not x times s.",
        ),
        mistake(
            "the two slopes multiplied",
            "slope = s + x * ds -> slope = ds",
            "Slopes multiply along a chain; a product of two functions has a rule of its own.",
        ),
        mistake(
            "beta * x in front of the sigmoid",
            "out = x * s -> out = z * s",
            "The output is x times the sigmoid; beta is inside the sigmoid only.",
        ),
    ),
    hints=(
        "The product rule: (u v)' = u' v + u v'. Here u = x and v is the sigmoid of beta x.",
        "v' = beta s (1 - s), by the chain rule; u' = 1.",
    ),
)
