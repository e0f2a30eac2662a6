"""What each token gets of each word, through all the layers."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.exercises.attention._shared import softmax
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n_layers, h, t):
        return (softmax(2.0 * rng.normal(size=(n_layers, h, t, t))),)

    return [
        (np.array([[[[1.0, 0.0], [0.5, 0.5]]]]),),
        case(2, 1, 2),
        case(1, 3, 2),
        case(3, 1, 2),
        case(3, 2, 4),
        case(2, 3, 5),
        case(1, 4, 3),
        case(5, 1, 4),
        as_float32(case(4, 3, 6)),
    ]


def rollout(weights):
    eye = np.eye(weights.shape[-1], dtype=weights.dtype)
    total = eye
    for layer in weights:  # from the first to the last
        step = (layer.mean(0) + eye) / 2
        total = step @ total
    return total


def backwards(weights):
    total = np.eye(weights.shape[3], dtype=weights.dtype)
    for layer in weights[::-1]:
        total = 0.5 * (total @ layer.mean(0)) + 0.5 * total
    return total


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
    equal=(
        ("eye = np.eye(weights.shape[-2], dtype=weights.dtype)", "the last two axes are of one length"),
        ("total = np.eye(weights.shape[2], dtype=weights.dtype)", "the last two axes are of one length"),
    ),
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
            "half the attention, but the whole identity",
            "step = layer.mean(0) / 2 + eye",
            "Each row must still add up to 1: half attention, half identity.",
        ),
        mistake(
            "the whole attention, but half the identity",
            "step = layer.mean(0) + eye / 2",
            "Each row must still add up to 1: half attention, half identity.",
        ),
        mistake(
            "ones instead of the identity",
            "step = (layer.mean(0) + np.ones_like(eye)) / 2",
            "What a token had stays with it: 1 on the diagonal, 0 elsewhere.",
        ),
        mistake(
            "the residual brings back the input, not what has come so far",
            ("step = layer.mean(0)", "step @ total -> (step @ total + eye) / 2"),
            "What a token has before a layer is a mixture already: half of that stays.",
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
            "the layers added up",
            ("total = eye -> total = 0 * eye", "step @ total -> step + total"),
            "What a token gets passes through one layer after the other: multiply the matrices.",
        ),
        mistake(
            "the layers averaged first, and that multiplied by itself",
            "step = (weights.mean((0, 1)) + eye) / 2",
            "Every layer has its own map: only the heads of one layer are averaged.",
        ),
        mistake(
            "layers and heads mixed up",
            "for layer in weights.swapaxes(0, 1):",
            "The first axis is the layers, which are multiplied; the second the heads, which are averaged.",
        ),
        mistake(
            "the first layer left out",
            "for layer in weights[1:]:",
            "How many matrices are multiplied for three layers? Beginning with the identity, three.",
        ),
        mistake(
            "the last layer left out",
            "for layer in weights[:-1]:",
            "How many matrices are multiplied for three layers? Beginning with the identity, three.",
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
            "multiplied entry by entry, beginning with the identity",
            "step @ total -> step * total",
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
