"""Hiding patches: what is still seen, and the way back."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, n, p, keep):
        noise = np.stack([rng.permutation(n) for _ in range(b)]) + 0.5 * rng.random((b, n))
        if n > 2:  # an order that is not its own inverse, another in each picture
            noise[0] = np.roll(np.arange(n), 1) + 0.25
            noise[1:2] = np.arange(n)[::-1] + 0.25
        return rng.normal(size=(b, n, p)), rng.normal(size=(n, p)), noise / n, keep

    tokens = np.array([[[10.0], [20.0], [30.0]]])
    example = tokens, np.array([[1.0], [2.0], [3.0]]), np.array([[0.9, 0.2, 0.5]]), 2
    return [
        example,
        case(2, 4, 3, 1),
        case(3, 5, 2, 2),
        case(2, 6, 1, 5),
        case(4, 3, 5, 3),  # nothing is hidden
        case(1, 7, 2, 3),
        as_float32(case(3, 4, 2, 3)),
    ]


def mask_patches(tokens, positions, noise, keep):
    placed = tokens + positions
    order = np.argsort(noise, axis=1)
    visible = np.take_along_axis(placed, order[:, :keep, None], axis=1)
    restore = np.argsort(order, axis=1)
    return visible, restore


def picture_by_picture(tokens, positions, noise, keep):
    visible, restore = [], []
    for picture, numbers in zip(tokens, noise, strict=True):
        order = sorted(range(len(numbers)), key=lambda n: numbers[n])
        visible.append([picture[n] + positions[n] for n in order[:keep]])
        restore.append([order.index(n) for n in range(len(order))])
    return np.array(visible, tokens.dtype), np.array(restore)


def by_rank(tokens, positions, noise, keep):
    restore = (noise[:, None, :] < noise[:, :, None]).sum(2)  # how many have less noise
    visible = np.empty((len(tokens), keep, tokens.shape[2]), tokens.dtype)
    for b in range(len(tokens)):
        kept = restore[b] < keep
        visible[b, restore[b][kept]] = (tokens[b] + positions)[kept]
    return visible, restore


EXERCISE = Exercise(
    title="Hide patches, and find the way back",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=mask_patches,
    alternatives=(picture_by_picture, by_rank),
    teaches=("unlabelled.mask_patches",),
    parts=True,
    equal=(
        ("order = np.argsort(noise, axis=-1)", "of two axes 1 is the last"),
        ("restore = np.argsort(order, axis=-1)", "of two axes 1 is the last"),
        ("order = np.argsort(noise)", "the last axis is the default"),
        ("restore = np.argsort(order)", "the last axis is the default"),
    ),
    mistakes=(
        mistake(
            "the order itself for the way back",
            "restore = order",
            "order says which patch comes k-th; restore has to say at which place patch n came: its inverse.",
        ),
        mistake(
            "the order turned round for the way back",
            "restore = order[:, ::-1]",
            "Reading an order backwards does not undo it: patch n is to be told its own place.",
        ),
        mistake(
            "the patches with the most noise are kept",
            "order = np.argsort(-noise, axis=1)",
            "The patches with the smallest numbers stay.",
        ),
        mistake(
            "what should be hidden is shown",
            "order[:, :keep, None] -> order[:, keep:, None]",
            "The first keep of the order are those that stay.",
        ),
        mistake(
            "the same patches hidden in every picture",
            "order = np.argsort(np.broadcast_to(noise[0], noise.shape), axis=1)",
            "Each picture has noise of its own.",
        ),
        mistake(
            "positions added after the shuffle",
            (
                "placed = tokens",
                "visible = np.take_along_axis(placed, order[:, :keep, None], axis=1) + positions[:keep]",
            ),
            "After the shuffle, place 0 is not the first patch of the picture any more.",
        ),
        mistake(
            "positions forgotten",
            "placed = tokens",
            "Without its position a patch does not know where it was: what is left is a bag of patches.",
        ),
        mistake(
            "the kept patches put back into reading order",
            "visible = np.take_along_axis(placed, np.sort(order[:, :keep], axis=1)[:, :, None], axis=1)",
            "restore counts places in the order of the noise: leave the patches in it.",
        ),
        mistake(
            "sorted across the pictures",
            ("order = np.argsort(noise, axis=0)",),
            "The patches of one picture compete with each other: along which axis?",
        ),
        mistake(
            "the way back for the kept patches only",
            "restore = np.argsort(order[:, :keep], axis=1)",
            "All N patches get a place: those from keep on are the hidden ones.",
        ),
        mistake(
            "the mask instead of the way back",
            "restore = (np.argsort(order, axis=1) >= keep).astype(int)",
            "Which are hidden can be read off restore; the way back cannot be read off the mask.",
        ),
        mistake(
            "the end of the order is shown",
            "order[:, :keep, None] -> order[:, -keep:, None]",
            "The patches with the smallest numbers stay, and an argsort begins with them.",
        ),
        mistake(
            "returned in the wrong order",
            "return restore, visible",
            "First what is seen, then the way back.",
        ),
        mistake(
            "sorted across the pictures, and back again",
            ("order = np.argsort(noise, axis=0)", "restore = np.argsort(order, axis=0)"),
            "The patches of one picture compete with each other: along which axis?",
        ),
    ),
    hints=(
        "Where a patch is must be added while it still is there.",
        "np.argsort(noise, axis=1): which patch comes first, second, ...; np.take_along_axis takes them.",
        "The argsort of an order is its inverse.",
    ),
)
