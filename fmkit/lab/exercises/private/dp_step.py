"""A DP-SGD step over several layers. The check compares, and then attacks the learner's own step."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.exercises.private import _canary
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, sizes, s, clip=1.3, sigma=0.7, expected=6.0, scale=1.0):
        grads = [scale * rng.normal(size=(n, d)) for d in sizes]
        return grads, clip, sigma, expected, [rng.normal(size=(s, d)) for d in sizes]

    example = (
        [np.array([[6.0], [0.0]]), np.array([[8.0], [0.5]])],
        5.0,
        0.1,
        4.0,
        [np.array([[0.0], [1.0]]), np.array([[0.0], [2.0]])],
    )
    small = case(3, (3, 2), 2, clip=50.0)  # nothing is long enough
    one_long = case(5, (4, 3), 3)
    one_long[0][0][2] *= 100.0
    nobody = case(0, (3, 2), 4)  # a Poisson batch may be empty: then there is noise only
    zeros = case(4, (2, 3), 3)
    zeros[0][0][1:3], zeros[0][1][1:3] = 0.0, 0.0
    return [
        example,
        small,
        one_long,
        nobody,
        zeros,
        case(1, (3,), 1, clip=0.5),
        case(4, (3, 2), 2, clip=0.2, scale=0.3),  # lengths between clip and 1
        case(7, (2, 5, 3), 4, scale=3.0),
        case(6, (4, 2), 3, clip=2.0, sigma=1.6, expected=3.0, scale=0.8),
        case(9, (3, 4), 2, sigma=0.0, expected=5.5),
        as_float32(case(5, (4, 3), 2)),
        *_canary.games(rng),
    ]


def dp_step(grads, clip, sigma, expected, noise):
    norms = np.sqrt(sum((g * g).sum(1) for g in grads))  # (N,): over all layers
    factors = clip / np.maximum(norms, clip)  # a short gradient stays as it is
    released = []
    for g, z in zip(grads, noise, strict=True):
        total = (factors[:, None] * g).sum(0)  # (D,)
        released.append((total + sigma * clip * z) / expected)  # (S, D)
    return released


def loop(grads, clip, sigma, expected, noise):
    totals = [np.zeros_like(z[0]) for z in noise]
    for i in range(len(grads[0])):
        norm = math.sqrt(sum(float((g[i] ** 2).sum()) for g in grads))
        factor = min(1.0, clip / norm) if norm > 0 else 1.0
        for total, g in zip(totals, grads, strict=True):
            total += factor * g[i]
    return [(total + clip * sigma * z) / expected for total, z in zip(totals, noise, strict=True)]


def joined(grads, clip, sigma, expected, noise):
    ends = np.cumsum([g.shape[1] for g in grads])[:-1]
    whole, z = np.concatenate(grads, axis=1), np.concatenate(noise, axis=1)
    long = np.linalg.norm(whole, axis=1, keepdims=True)
    shortened = np.where(long > clip, whole * (clip / np.where(long > 0, long, 1)), whole)
    return np.split((shortened.sum(0) + sigma * clip * z) / expected, ends, axis=1)


TOTAL = "total = (factors[:, None] * g).sum(0)"
RELEASED = "released.append((total + sigma * clip * z) / expected)"

EXERCISE = Exercise(
    title="A private step",
    points=4,
    minutes=25,
    difficulty=3,
    cases=cases,
    reference=dp_step,
    alternatives=(loop, joined),
    equal=(
        ("norms = np.sqrt(sum(((g * g).sum(-1) for g in grads)))", "the last axis is axis 1"),
        ("totals = [np.zeros_like(z[-1]) for z in noise]", "all rows have the same shape"),
        ("factor = min(clip / norm, 1.0) if norm > 0 else 1.0", "the smaller of two, in either order"),
        ("factor = min(1.0, clip / norm) if norm > 0 else 0.5", "a gradient of 0 stays 0"),
        ("factor = min(1.0, clip / norm) if norm > 0 else 0.0", "a gradient of 0 stays 0"),
        ("factor = min(1.0, clip / norm) if norm > 0 else 2.0", "a gradient of 0 stays 0"),
        ("factor = min(1.0, clip / norm) if norm > 0 else -1.0", "a gradient of 0 stays 0"),
        ("for i in range(len(grads[-1])):", "each layer has as many rows"),
    ),
    teaches=("privacy.clip_factors", "privacy.add_noise"),
    attack=_canary.attack,
    mistakes=(
        mistake(
            "the batch's sum clipped, not each gradient",
            (
                "norms = np.sqrt(sum((g.sum(0) ** 2).sum() for g in grads))",
                "total = factors * g.sum(0)",
            ),
            "One long gradient may still drown all others: shorten each example's before you add.",
        ),
        mistake(
            "the batch's mean clipped, then multiplied up again",
            (
                "norms = np.sqrt(sum((g.sum(0) ** 2).sum() for g in grads)) / max(len(grads[0]), 1)",
                "total = factors * g.sum(0)",
            ),
            "One long gradient may still drown all others: shorten each example's before you add.",
        ),
        mistake(
            "each layer clipped by itself",
            f"{TOTAL} -> factors = clip / np.maximum(np.sqrt((g * g).sum(1)), clip)\n{TOTAL}",
            "With two layers an example can then move the sum by more than clip: one norm for all.",
        ),
        mistake(
            "each layer clipped to its part of clip",
            f"{TOTAL} -> part = clip / math.sqrt(len(grads))\n"
            f"factors = part / np.maximum(np.sqrt((g * g).sum(1)), part)\n{TOTAL}",
            "That is private, too, but another scheme. Here one length, over all layers, decides.",
        ),
        mistake(
            "the gradients left out",
            "total = 0 * g.sum(0)",
            "Noise alone learns nothing: add up the shortened gradients, then the noise.",
        ),
        mistake(
            "no clipping",
            "total = g.sum(0)",
            "The noise hides a gradient of length clip, not a longer one.",
        ),
        mistake(
            "the largest entry taken for the norm",
            "norms = np.max([np.abs(g).max(1, initial=0.0) for g in grads], axis=0)",
            "The noise is measured against the Euclidean length of a gradient.",
        ),
        mistake(
            "the sum of the entries' sizes taken for the norm",
            "norms = sum(np.abs(g).sum(1) for g in grads)",
            "The length is the Euclidean one: squares, added up, and the root.",
        ),
        mistake(
            "the squared norm",
            "norms = sum((g * g).sum(1) for g in grads)",
            "The root is missing.",
        ),
        mistake(
            "each number clipped",
            "total = np.clip(g, -clip, clip).sum(0)",
            "Clip the length of the whole gradient, keep its direction.",
        ),
        mistake(
            "short gradients made longer",
            "factors = clip / np.maximum(norms, 1e-12)",
            "A gradient below clip stays as it is: the factor is at most 1.",
        ),
        mistake(
            "noise without clip",
            "released.append((total + sigma * z) / expected)",
            "sigma counts in units of clip: the noise has the standard deviation sigma times clip.",
        ),
        mistake(
            "sigma taken for the variance",
            "released.append((total + np.sqrt(sigma) * clip * z) / expected)",
            "sigma is a standard deviation already.",
        ),
        mistake(
            "sigma squared",
            "released.append((total + sigma**2 * clip * z) / expected)",
            "sigma is the standard deviation, and z has the standard deviation 1.",
        ),
        mistake(
            "one draw for all numbers of a layer",
            "released.append((total + sigma * clip * z[:, :1]) / expected)",
            "Whoever subtracts two numbers of the result is rid of the noise: each number has its own.",
        ),
        mistake(
            "the same noise in each step",
            "released.append((total + sigma * clip * z[:1] + 0 * z) / expected)",
            "Whoever subtracts two steps is rid of the noise: each row of z is another step's.",
        ),
        mistake(
            "no noise",
            "released.append((total + 0 * z) / expected)",
            "Clipping alone hides nobody.",
        ),
        mistake(
            "noise for the first layer only",
            "released.append((total + sigma * clip * z * (not released)) / expected)",
            "Each number that is released has noise.",
        ),
        mistake(
            "noise divided by the root of the batch",
            "released.append((total + sigma * clip * z / np.sqrt(expected)) / expected)",
            "The noise belongs to the sum: its size does not depend on how many there are.",
        ),
        mistake(
            "noise added after the division",
            "released.append(total / expected + sigma * clip * z)",
            "The noise is added to the sum; then both are divided.",
        ),
        mistake(
            "divided by the actual batch",
            "released.append((total + sigma * clip * z) / max(len(g), 1))",
            "How many took part is a secret, too: divide by the number that is expected.",
        ),
        mistake(
            "not divided",
            "released.append(total + sigma * clip * z)",
            "An average is asked for: divide by expected.",
        ),
        mistake(
            "noise once for each example",
            f"{RELEASED} -> released.append((total + len(g) * sigma * clip * z) / expected)",
            "Noise is added once, to the sum.",
        ),
    ),
    hints=(
        "The norm of an example is over all layers: add up the squares, then take the root: (N,).",
        "factor = clip / max(norm, clip) is 1 for short gradients and never divides by 0.",
        "total has shape (D,), z has (S, D): adding them gives a row for each of the S steps.",
    ),
)
