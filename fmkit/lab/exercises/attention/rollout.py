"""What each token gets of each word, through all the layers."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.exercises.attention._shared import softmax
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n_layers, h, t):
        return (softmax(2.0 * rng.normal(size=(n_layers, h, t, t))),)

    return [case(3, 2, 4), case(2, 3, 5), case(1, 4, 3), case(5, 1, 4), as_float32(case(4, 3, 6))]


def rollout(weights):
    eye = np.eye(weights.shape[-1], dtype=weights.dtype)
    total = eye
    for layer in weights:  # from the first to the last
        step = (layer.mean(0) + eye) / 2
        total = step @ total
    return total


def backwards(weights):
    steps = [(layer.sum(0) / len(layer) + np.eye(layer.shape[-1])) / 2 for layer in weights]
    total = steps[-1]
    for step in steps[-2::-1]:
        total = total @ step
    return total.astype(weights.dtype)


def loop(weights):
    L, H, T, _ = weights.shape
    total = [[float(t == s) for s in range(T)] for t in range(T)]
    for layer in range(L):
        mean = weights[layer].mean(0)
        total = [
            [
                0.5 * total[t][s] + 0.5 * sum(float(mean[t, u]) * total[u][s] for u in range(T))
                for s in range(T)
            ]
            for t in range(T)
        ]
    return np.array(total).astype(weights.dtype)


EXERCISE = Exercise(
    title="Through all the layers at once",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=rollout,
    alternatives=(backwards, loop),
    mistakes=(
        mistake(
            "the layers in the wrong order",
            "step @ total -> total @ step",
            "The first layer comes first to the tokens: later layers multiply from the left, as in "
            "layer2 @ layer1.",
        ),
        mistake(
            "no residual",
            "step = layer.mean(0)",
            "Half of what a token gets is what it had: mix the identity in.",
        ),
        mistake(
            "the residual added, not averaged in",
            "step = layer.mean(0) + eye",
            "Each row must still add up to 1: half attention, half identity.",
        ),
        mistake(
            "the residual mixed in once, at the end",
            ("step = layer.mean(0)", "return (total + eye) / 2"),
            "Every layer has its own residual: mix it in each time.",
        ),
        mistake(
            "each head by itself through all layers, then the mean",
            ("step = (layer + eye) / 2", "return total.mean(0)"),
            "After every layer the heads flow together: the mean comes first, then the product.",
        ),
        mistake(
            "added the heads up",
            "layer.mean(0) -> layer.sum(0)",
            "A row of one layer must add up to 1: take the mean of its heads.",
        ),
        mistake(
            "the strongest head instead of the mean",
            "layer.mean(0) -> layer.max(0)",
            "A row of one layer must add up to 1: take the mean of its heads.",
        ),
        mistake(
            "the first head only",
            "layer.mean(0) -> layer[0]",
            "All the heads of a layer write into the same stream: take their mean.",
        ),
        mistake(
            "the mean of the layers instead of their product",
            "return ((weights.mean(1) + eye) / 2).mean(0)",
            "What a token gets passes through one layer after the other: multiply the matrices.",
        ),
        mistake(
            "the last layer only",
            "return step",
            "What the last layer looks at has itself been mixed by the layers below.",
        ),
        mistake(
            "multiplied entry by entry",
            ("total = eye -> total = 1", "step @ total -> step * total"),
            "A path from s to t goes over any token in between: that is a matrix product.",
        ),
        mistake(
            "transposed: what each token sends, not what it gets",
            "return total.T",
            "Row t belongs to the token that looks, as in every layer.",
        ),
        mistake(
            "float64 out of float32",
            "eye = np.eye(weights.shape[-1])",
            "np.eye makes float64, and it spreads: give it weights.dtype.",
        ),
    ),
    hints=(
        "For one layer: the mean over its heads, and half of that plus half of the identity.",
        "Two layers: a token in layer 2 looks at tokens which looked at tokens in layer 1: step2 @ step1.",
    ),
)
