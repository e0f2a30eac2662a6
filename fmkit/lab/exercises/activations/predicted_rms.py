"""How large the numbers of each layer will be, from the sizes of the random weights."""

import math

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(depth, slope, gain=1.0, size=(0.3, 0.7)):
        widths = [int(w) for w in rng.integers(20, 300, depth)]
        stds = [float(gain * rng.uniform(0.7, 1.4) / np.sqrt(w)) for w in widths]
        return float(rng.uniform(*size)), widths, stds, slope

    return [
        (1.0, [100, 50], [0.1, 0.2], 0.0),
        case(3, float(rng.uniform(0.2, 0.5))),
        case(4, 0.0, 1.4),
        case(6, float(rng.uniform(0.1, 0.4)), 1.2, (20.0, 90.0)),
        case(1, 0.2),
        case(40, 0.01),
        case(5, 1.0, 0.9),
    ]


def predicted_rms(rms, widths, stds, slope):
    kept = (1 + slope**2) / 2  # what a leaky ReLU leaves of the mean square
    square, sizes = rms**2, []
    for layer, (fan_in, std) in enumerate(zip(widths, stds, strict=True)):
        square *= fan_in * std**2 * (kept if layer else 1)  # the first layer reads the input itself
        sizes.append(math.sqrt(square))
    return np.array(sizes)


def all_at_once(rms, widths, stds, slope):
    growth = np.sqrt(np.array(widths, float)) * np.array(stds)
    growth[1:] *= math.sqrt((1 + slope * slope) / 2)
    return rms * np.cumprod(growth)


def in_logarithms(rms, widths, stds, slope):
    size, sizes = math.log(rms), []
    for fan_in, std in zip(widths, stds, strict=True):
        size += 0.5 * math.log(fan_in) + math.log(std)
        sizes.append(size)
        size += 0.5 * math.log((1 + slope**2) / 2)
    return np.exp(np.array(sizes))


EXERCISE = Exercise(
    title="How large will the numbers be?",
    points=3,
    minutes=15,
    difficulty=4,
    cases=cases,
    reference=predicted_rms,
    alternatives=(all_at_once, in_logarithms),
    mistakes=(
        mistake(
            "the half that ReLU removes forgotten",
            "kept = 1",
            "Half of the numbers pass whole; what happens to the other half?",
        ),
        mistake(
            "the half forgotten, the leak kept",
            "kept = 1 + slope**2",
            "Each sign belongs to half of the numbers: both 1 and leak² count half.",
        ),
        mistake(
            "the leak's half not halved",
            "kept = 1 / 2 + slope**2",
            "The negative numbers are half of them, too: leak² counts half, like the 1.",
        ),
        mistake(
            "the leak forgotten",
            "kept = 1 / 2",
            "A negative number is not lost: leak² of its square is left.",
        ),
        mistake(
            "the leak not squared",
            "kept = (1 + slope) / 2",
            "It is the squares that are averaged: what is the square of leak times z?",
        ),
        mistake(
            "the leak taken off",
            "kept = (1 - slope**2) / 2",
            "A square is never negative: the leaking half adds to the mean square.",
        ),
        mistake(
            "an average instead of a mean square",
            "kept = ((1 + slope) / 2) ** 2",
            "First square, then average: the other order gives less.",
        ),
        mistake(
            "the half left outside of the root",
            "kept = (1 + slope**2) / 4",
            "The half belongs to the mean square, so it is under the root, too.",
        ),
        mistake(
            "He's factor for what the activation leaves",
            "kept = 2 / (1 + slope**2)",
            "That is how weights make up for it; you want what the activation leaves, and that is below 1.",
        ),
        mistake(
            "what the activation leaves, not under the root",
            "(kept if -> (kept**2 if",
            "(1 + leak²) / 2 of the mean *square* is left: of the size itself it is the root of that.",
        ),
        mistake(
            "the activation counted once only",
            "if layer else 1 -> if layer == 1 else 1",
            "Every layer but the first reads what went through an activation, and each leaves its mark.",
        ),
        mistake(
            "one activation too many",
            "(kept if layer else 1) -> kept",
            "The sizes asked for are those of z, before its activation; and the first layer reads the input "
            "itself.",
        ),
        mistake(
            "each layer from the input, not from the layer before",
            "square *= -> square = rms**2 * ",
            "Layer 2 reads what layer 1 made of the input: carry the size along.",
        ),
        mistake(
            "the weights' size not squared",
            "std**2 -> std",
            "Squares add up: a weight of size s adds s² times the input's square.",
        ),
        mistake(
            "the input's size not squared",
            "rms**2, -> rms,",
            "Work with mean squares throughout, from the very first one.",
        ),
        mistake(
            "the width forgotten",
            "fan_in * std -> std",
            "Each output is a sum over all the inputs of its layer.",
        ),
        mistake(
            "the width not under the root",
            "fan_in * std -> fan_in**2 * std",
            "It is squares that add up, C of them: the size grows with the root of C.",
        ),
        mistake(
            "divided by the width",
            "fan_in * std -> 1 / fan_in * std",
            "Each output is a sum over all the inputs of its layer: more of them make it larger.",
        ),
        mistake(
            "the next layer's width",
            "zip(widths, -> zip([*widths[1:], widths[-1]],",
            "widths[l] is the number of inputs of layer l itself.",
        ),
        mistake(
            "the root left out",
            "math.sqrt(square) -> square",
            "You return mean squares; the size is their root.",
        ),
        mistake(
            "the input's own size listed first",
            ", [] -> , [rms]",
            "The answer has one number for each layer, and the first is the size of z1.",
        ),
        mistake(
            "the size before each layer, not after it",
            (
                "sizes.append(math.sqrt(square)) ->",
                "square *= -> sizes.append(math.sqrt(square))\nsquare *= ",
            ),
            "The first number is the size of z1, not that of the input.",
        ),
        mistake(
            "the last layer's size alone",
            "np.array(sizes) -> np.array(sizes[-1:])",
            "One number for each layer: keep them as you go.",
        ),
        mistake(
            "an array of whole numbers",
            "np.array(sizes) -> np.array(sizes).astype(int)",
            "np.zeros_like of a list of whole numbers holds whole numbers: 0.7 becomes 0 in it.",
        ),
    ),
    hints=(
        "Keep the mean square, layer by layer, and take the root at the end.",
        "A layer multiplies it by C s². A leaky ReLU keeps it whole for half of the numbers...",
        "... and leaves leak² of it for the other half: (1 + leak²) / 2 in all. Not before the first layer.",
    ),
)
