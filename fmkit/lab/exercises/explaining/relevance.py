"""Attention with its slopes, through all layers: who mattered for this answer?"""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n_layers, h, t):
        scores = np.exp(2.0 * rng.normal(size=(n_layers, h, t, t)))
        return scores / scores.sum(-1, keepdims=True), rng.normal(size=(n_layers, h, t, t))

    example = np.array([[[[1.0, 0.0], [0.5, 0.5]]]]), np.array([[[[2.0, 1.0], [1.0, -1.0]]]])
    weights, slopes = case(2, 3, 2)
    down = weights, -np.abs(slopes)  # nothing speaks for the answer
    up = weights, np.abs(slopes)
    return [
        example,
        case(2, 1, 2),
        case(1, 3, 2),
        down,
        up,
        case(3, 2, 3),
        case(2, 4, 5),
        case(4, 1, 3),
        case(5, 2, 4),
        as_float32(case(3, 3, 4)),
    ]


def relevance(weights, slopes):
    total = np.eye(weights.shape[-1], dtype=weights.dtype)
    for layer, slope in zip(weights, slopes, strict=True):
        step = np.maximum(layer * slope, 0).mean(0)
        total = total + step @ total
    return total


def product(weights, slopes):
    eye = np.eye(weights.shape[3], dtype=weights.dtype)
    steps = np.clip(weights * slopes, 0, None).mean(1) + eye
    total = steps[0]
    for step in steps[1:]:
        total = step @ total
    return total


def loop(weights, slopes):
    L, H, T, _ = weights.shape
    total = np.identity(T).astype(weights.dtype)
    for layer in range(L):
        step = np.zeros((T, T), weights.dtype)
        for h in range(H):
            both = weights[layer, h] * slopes[layer, h]
            step += np.where(both > 0, both, 0) / H
        total = total + np.einsum("ts,su->tu", step, total)
    return total


EXERCISE = Exercise(
    title="Attention that mattered",
    points=3,
    minutes=12,
    difficulty=3,
    tolerance=1e-4,
    cases=cases,
    teaches=("explain.attention_rollout",),
    equal=(
        ("eye = np.eye(weights.shape[2], dtype=weights.dtype)", "the last two axes are of one length"),
        ("total = np.eye(weights.shape[-2], dtype=weights.dtype)", "the last two axes are of one length"),
    ),
    reference=relevance,
    alternatives=(product, loop),
    mistakes=(
        mistake(
            "kept what speaks against the answer",
            "np.maximum(layer * slope, 0) -> (layer * slope)",
            "Only what raised the score stays: the negative products go.",
        ),
        mistake(
            "took sizes instead of dropping what is negative",
            "np.maximum(layer * slope, 0) -> np.abs(layer * slope)",
            "Only what raised the score stays: the negative products become 0.",
        ),
        mistake(
            "averaged the heads before dropping what is negative",
            "step = np.maximum((layer * slope).mean(0), 0)",
            "One head's objection must not cancel another head's support: drop first, then average.",
        ),
        mistake(
            "averaged weights and slopes before multiplying them",
            "step = np.maximum(layer.mean(0) * slope.mean(0), 0)",
            "Each head has its own weights and its own slopes: multiply head by head.",
        ),
        mistake(
            "the slopes are not used",
            "layer * slope -> layer",
            "Attention alone does not know the question: the slopes do.",
        ),
        mistake(
            "the weights are not used",
            "layer * slope -> slope",
            "A steep slope at a weight of nothing has moved nothing: multiply by the weight.",
        ),
        mistake(
            "added the heads up",
            ".mean(0) -> .sum(0)",
            "The heads of a layer are averaged.",
        ),
        mistake(
            "the strongest head instead of the mean",
            ".mean(0) -> .max(0)",
            "The heads of a layer are averaged.",
        ),
        mistake(
            "the layers in the wrong order",
            "step @ total -> total @ step",
            "The first layer comes first to the tokens: later layers multiply from the left.",
        ),
        mistake(
            "no residual",
            "total = total + step @ total -> total = step @ total",
            "Each layer *adds* to what a position holds: what was there stays.",
        ),
        mistake(
            "halved, as in the rollout",
            "total + step @ total -> (total + step @ total) / 2",
            "Here nothing is halved: what a layer brings is added to what is there.",
        ),
        mistake(
            "added the step itself, not what it brings",
            "total + step @ total -> total + step",
            "A position brings all that it holds by now: multiply by what has come so far.",
        ),
        mistake(
            "multiplied entry by entry",
            "step @ total -> step * total",
            "A path goes over any token in between: that is a matrix product.",
        ),
        mistake(
            "the last layer left out",
            "for layer, slope in zip(weights[:-1], slopes[:-1], strict=True):",
            "Every layer takes part, the last one, too.",
        ),
        mistake(
            "the first layer left out",
            "for layer, slope in zip(weights[1:], slopes[1:], strict=True):",
            "Every layer takes part, the first one, too.",
        ),
        mistake(
            "began with nothing instead of the identity",
            "np.eye(weights.shape[-1], dtype=weights.dtype) -> np.zeros(weights.shape[2:], weights.dtype)",
            "Before the first layer each position holds its own token.",
        ),
        mistake(
            "transposed",
            "return total.T",
            "Row t belongs to the position that looks.",
        ),
        mistake(
            "a matrix product of weights and slopes",
            "np.maximum(layer * slope, 0) -> np.maximum(layer @ slope, 0)",
            "Each weight is multiplied by its own slope: entry by entry.",
        ),
        mistake(
            "rows made to sum to 1",
            "step = np.maximum(layer * slope, 0).mean(0) / np.maximum(np.maximum(layer * "
            "slope, 0).mean(0).sum(-1, keepdims=True), 1e-12)",
            "The rows are left as they are: how much comes is a part of the answer.",
        ),
        mistake(
            "the last layer only",
            "for layer, slope in zip(weights[-1:], slopes[-1:], strict=True):",
            "Every layer adds its share: the loop goes from the first to the last.",
        ),
    ),
    hints=(
        "For one layer: weights times slopes, head by head; negative ones become 0; then the heads' mean.",
        "Begin with the identity. Each layer adds step @ total to total, from the first layer to the last.",
    ),
)
