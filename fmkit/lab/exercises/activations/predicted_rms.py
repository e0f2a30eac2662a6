"""How large the numbers of each layer will be, from the sizes of the random weights."""

import math

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(depth, slope, gain):
        widths = [int(w) for w in rng.integers(20, 300, depth)]
        stds = [float(gain * rng.uniform(0.7, 1.4) / np.sqrt(w)) for w in widths]
        return float(rng.uniform(0.3, 0.7)), widths, stds, slope

    return [
        case(4, 0.0, 1.4),
        case(6, float(rng.uniform(0.1, 0.4)), 1.2),
        case(1, 0.2, 1.0),
        case(40, 0.01, 1.0),
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
            "an average instead of a mean square",
            "kept = ((1 + slope) / 2) ** 2",
            "First square, then average: the other order gives less.",
        ),
        mistake(
            "the weights' size not squared",
            "std**2 -> std",
            "Squares add up: a weight of size s adds s² times the input's square.",
        ),
        mistake(
            "the input's size not squared",
            "square, sizes = rms, []",
            "Work with mean squares throughout, from the very first one.",
        ),
        mistake(
            "the width forgotten",
            "square *= std**2 * (kept if layer else 1)",
            "Each output is a sum over all the inputs of its layer.",
        ),
        mistake(
            "one activation too many",
            "square *= fan_in * std**2 * kept",
            "The sizes asked for are those of z, before its activation; and the first layer reads the input "
            "itself.",
        ),
        mistake(
            "the root left out",
            "sizes.append(square)",
            "You return mean squares; the size is their root.",
        ),
    ),
    hints=(
        "Keep the mean square, layer by layer, and take the root at the end.",
        "A layer multiplies it by C s². A leaky ReLU keeps it whole for half of the numbers...",
        "... and leaves leak² of it for the other half: (1 + leak²) / 2 in all. Not before the first layer.",
    ),
)
