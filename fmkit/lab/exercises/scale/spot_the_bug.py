"""Spot the bug: a backward pass that works the layers out again, with their dropout."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(B, widths, p):
        weights = [rng.normal(size=pair) for pair in zip(widths, widths[1:], strict=False)]
        seeds = [int(seed) for seed in rng.permutation(1000)[: len(weights)]]
        return rng.normal(size=(B, widths[0])), weights, seeds, p, rng.normal(size=(B, widths[-1]))

    example = np.array([[1.0, 2.0]]), [np.array([[1.0, 0.5], [1.0, 1.0]])], [0], 0.5, np.array([[1.0, 1.0]])
    zero_edge = (
        np.array([[1.0, -1.0]]),
        [np.array([[1.0, 2.0], [1.0, 1.0]]), np.array([[1.0], [1.0]])],
        [4, 9],
        0.0,
        np.array([[3.0]]),
    )
    return [
        example,
        zero_edge,
        case(4, (3, 5), 0.5),
        case(6, (4, 7, 3), 0.3),
        case(5, (3, 6, 6, 2), 0.5),
        case(2, (5, 4, 4, 4, 3), 0.1),
        case(8, (3, 9, 2), 0.8),
        case(1, (6, 6, 6), 0.25),
        as_float32(case(5, (4, 6, 3), 0.4)),
    ]


def checkpointed(x, weights, seeds, p, dout):
    def layer(h, i):
        hidden = h @ weights[i]
        mask = np.random.default_rng(seeds[i]).random(hidden.shape) >= p
        return np.maximum(hidden, 0) * mask / (1 - p), mask & (hidden > 0)

    inputs = [x]  # all that is kept
    for i in range(len(weights)):
        inputs.append(layer(inputs[i], i)[0])
    grads = [None] * len(weights)
    for i in reversed(range(len(weights))):
        _, alive = layer(inputs[i], i)  # worked out again: the same seed, the same mask
        dhidden = dout * alive / (1 - p)
        grads[i] = inputs[i].T @ dhidden
        dout = dhidden @ weights[i].T
    out, dx = inputs[-1], dout
    return out, dx, grads


def stores_everything(x, weights, seeds, p, dout):
    kept, h = [], x
    for w, seed in zip(weights, seeds, strict=True):
        z = h @ w
        scale = ((np.random.default_rng(seed).random(z.shape) >= p) * (z > 0)).astype(z.dtype) / (1 - p)
        kept.append((h, w, scale))
        h = z * scale
    grads = []
    for below, w, scale in kept[::-1]:
        dz = dout * scale
        grads.append(below.T @ dz)
        dout = dz @ w.T
    return h, dout, grads[::-1]


def recursive(x, weights, seeds, p, dout):
    if not weights:
        return x, dout, []
    hidden = x @ weights[0]
    keep = np.random.default_rng(seeds[0]).random(hidden.shape) >= p
    h = np.where(keep & (hidden > 0), hidden, 0) / (1 - p)
    out, dh, above = recursive(h, weights[1:], seeds[1:], p, dout)
    again = np.random.default_rng(seeds[0]).random(hidden.shape) >= p
    dhidden = np.where(again & (x @ weights[0] > 0), dh, 0) / (1 - p)
    return out, dhidden @ weights[0].T, [x.T @ dhidden, *above]


AGAIN = "_, alive = layer(inputs[i], i)"
DHIDDEN = "dhidden = dout * alive / (1 - p)"


def _other_seed(shift):
    return (
        "def layer(h, i): -> def layer(h, i, again=0):",
        f"np.random.default_rng(seeds[i]) -> np.random.default_rng(seeds[i] + {shift} * again)",
        "_, alive = layer(inputs[i], i, 1)",
    )


EXERCISE = Exercise(
    title="Spot the bug: worked out again",
    points=3,
    minutes=20,
    difficulty=4,
    tolerance=1e-4,
    cases=cases,
    reference=checkpointed,
    alternatives=(stores_everything, recursive),
    equal=(
        (
            "mask = np.random.default_rng(seeds[i]).random(hidden.shape) > p",
            "a random number is hardly ever exactly p",
        ),
        (
            "scale = ((np.random.default_rng(seed).random(z.shape) > p) * (z > 0)).astype(z.dtype) / (1 - p)",
            "a random number is hardly ever exactly p",
        ),
    ),
    teaches=("parallel.checkpointed_loss", "layers.dropout", "layers.dropout_backward"),
    parts=True,
    mistakes=(
        mistake(
            "the masks drawn anew on the way back",
            _other_seed(1000),
            "What is worked out again must be what it was: the same seed, the same mask.",
        ),
        mistake(
            "one generator that goes on drawing",
            (
                "def layer(h, i): -> rngs = [np.random.default_rng(s) for s in seeds]\n\ndef layer(h, i):",
                "np.random.default_rng(seeds[i]) -> rngs[i]",
            ),
            "The second draw from the same generator is another one: begin it again from its seed.",
        ),
        mistake(
            "the first seed for every layer",
            "seeds[i] -> seeds[0]",
            "Each layer has its own seed.",
        ),
        mistake(
            "the seeds from the other end",
            "seeds[i] -> seeds[len(seeds) - 1 - i]",
            "Layer i has seed i.",
        ),
        mistake(
            "the seeds from the other end on the way back",
            (
                "def layer(h, i): -> def layer(h, i, j=None):",
                "seeds[i] -> seeds[i if j is None else j]",
                "_, alive = layer(inputs[i], i, len(weights) - 1 - i)",
            ),
            "Layer i has seed i, forward and backward.",
        ),
        mistake(
            "no mask on the way back",
            "return np.maximum(hidden, 0) * mask / (1 - p), mask & (hidden > 0) -> "
            "return np.maximum(hidden, 0) * mask / (1 - p), hidden > 0",
            "What was dropped had no part in the output: nothing flows back there.",
        ),
        mistake(
            "no slope of the ReLU",
            "mask & (hidden > 0) -> mask",
            "Where ReLU was closed nothing flows back.",
        ),
        mistake(
            "the slope 1 at zero",
            "mask & (hidden > 0) -> mask & (hidden >= 0)",
            "At exactly 0 the slope is taken as 0 here.",
        ),
        mistake(
            "no scale on the way back",
            "dhidden = dout * alive",
            "What stayed was divided by 1 - p: so is its gradient.",
        ),
        mistake(
            "the scale twice on the way back",
            "dhidden = dout * alive / (1 - p) / (1 - p)",
            "What stayed was divided by 1 - p once: so is its gradient.",
        ),
        mistake(
            "one generator for all layers",
            (
                "def layer(h, i): -> rng = np.random.default_rng(seeds[0])\nmasks = {}\n\ndef layer(h, i):",
                "mask = np.random.default_rng(seeds[i]).random(hidden.shape) >= p -> "
                "masks.setdefault(i, rng.random(hidden.shape) >= p)\nmask = masks[i]",
            ),
            "Each layer has its own seed.",
        ),
        mistake(
            "no scale on the way there",
            "return np.maximum(hidden, 0) * mask / (1 - p), mask & (hidden > 0) -> "
            "return np.maximum(hidden, 0) * mask, mask & (hidden > 0)",
            "What stays is divided by 1 - p.",
        ),
        mistake(
            "no scale at all",
            (
                "return np.maximum(hidden, 0) * mask / (1 - p), mask & (hidden > 0) -> "
                "return np.maximum(hidden, 0) * mask, mask & (hidden > 0)",
                "dhidden = dout * alive",
            ),
            "What stays is divided by 1 - p, forward and backward.",
        ),
        mistake(
            "what should stay is dropped",
            ">= p -> < p",
            "A unit stays where its random number is p or more.",
        ),
        mistake(
            "divided by p",
            "return np.maximum(hidden, 0) * mask / (1 - p), mask & (hidden > 0) -> "
            "return np.maximum(hidden, 0) * mask / max(p, 1e-9), mask & (hidden > 0)",
            "1 - p stay: divide by that.",
        ),
        mistake(
            "one mask for all rows",
            "random(hidden.shape) -> random(hidden.shape[1:])",
            "Each row has its own mask.",
        ),
        mistake(
            "everything worked out from x",
            "_, alive = layer(inputs[i], i) -> "
            "_, alive = layer(x if x.shape == inputs[i].shape else inputs[i], i)",
            "Layer i begins at the input that was kept for it.",
        ),
        mistake(
            "the gradients from the last to the first",
            "return out, dx, grads[::-1]",
            "In the order of the weights.",
        ),
        mistake(
            "the gradient that came in, not dx",
            (
                "inputs = [x] -> inputs, given = [x], dout",
                "return out, given, grads",
            ),
            "The second value is the gradient of x.",
        ),
        mistake(
            "the mask drawn in the transposed shape",
            "random(hidden.shape) -> random(hidden.shape[::-1]).T",
            "The task draws it as one array of the hidden shape, row by row.",
        ),
    ),
    hints=(
        "Run it twice with p = 0.5: does the gradient change?",
        "A generator that goes on drawing gives other numbers the second time.",
        "Whatever multiplied on the way up multiplies on the way down: mask, ReLU's slope, 1 / (1 - p).",
    ),
)
