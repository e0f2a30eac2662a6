"""Two views of each picture of a batch, the random numbers given."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, h, w, c, size):
        corners = np.stack([rng.integers(0, h - size + 1, (2, b)), rng.integers(0, w - size + 1, (2, b))], -1)
        corners[0, 0], corners[1, -1] = (0, w - size), (h - size, 0)  # no two views of all alike
        mirrored = rng.random((2, b)) < 0.5
        mirrored[:, 0], mirrored[:, -1] = (True, False), (False, True)
        gains = rng.uniform(0.4, 1.6, (2, b))
        gains[0, 0], gains[1, -1] = 1.9, 0.3
        return rng.uniform(0.3, 1.0, (b, h, w, c)), corners, mirrored, gains, size

    picture = np.array([[0.1, 0.2, 0.3]])[None, :, :, None]
    example = (
        picture,
        np.array([[[0, 0]], [[0, 2]]]),
        np.array([[False], [False]]),
        np.array([[1.0], [2.0]]),
        1,
    )
    return [
        example,
        case(2, 3, 4, 1, 2),
        case(3, 5, 4, 2, 3),
        case(4, 4, 6, 3, 2),
        case(2, 5, 7, 1, 1),
        case(3, 6, 5, 1, 4),
        as_float32(case(5, 6, 4, 3, 3)),
    ]


def two_views(images, corners, mirrored, gains, size):
    out = np.empty((2, len(images), size, size, images.shape[3]), images.dtype)
    for v in range(2):
        for n in range(len(images)):
            top, left = corners[v, n]
            window = images[n, top : top + size, left : left + size]
            if mirrored[v, n]:
                window = window[:, ::-1]
            out[v, n] = np.clip(window * gains[v, n], 0, 1)
    return out


def at_once(images, corners, mirrored, gains, size):
    steps = np.arange(size)
    rows = corners[..., :1] + steps  # (2, B, size)
    columns = corners[..., 1:] + np.where(mirrored[..., None], steps[::-1], steps)
    n = np.arange(len(images))[None, :, None, None]
    windows = images[n, rows[..., :, None], columns[..., None, :]]
    return np.clip(windows * gains[..., None, None, None].astype(images.dtype), 0, 1)


def pixel_by_pixel(images, corners, mirrored, gains, size):
    out = np.zeros((2, len(images), size, size, images.shape[3]), images.dtype)
    for v, n, r, c in np.ndindex(out.shape[:4]):
        aside = size - 1 - c if mirrored[v, n] else c
        pixel = images[n, corners[v, n, 0] + r, corners[v, n, 1] + aside]
        out[v, n, r, c] = np.minimum(gains[v, n] * pixel, 1)
    return out


EXERCISE = Exercise(
    title="Two views of each picture",
    points=2,
    minutes=12,
    difficulty=2,
    cases=cases,
    reference=two_views,
    alternatives=(at_once, pixel_by_pixel),
    teaches=("unlabelled.two_views",),
    equal=(
        ("out[v, n] = np.clip(window * gains[v, n], -1, 1)", "no picture is below 0"),
        (
            "return np.clip(windows * gains[..., None, None, None].astype(images.dtype), -1, 1)",
            "no picture is below 0",
        ),
        ("return np.clip(windows * gains[..., None, None, None], 0, 1)", "gains come in the pictures' dtype"),
    ),
    mistakes=(
        mistake(
            "one place for the whole batch",
            "top, left = corners[v, 0]",
            "Each picture has a place of its own, or the network learns where the batch was cut.",
        ),
        mistake(
            "both views from one place",
            "top, left = corners[0, n]",
            "Two views that are alike teach nothing: the second has numbers of its own.",
        ),
        mistake(
            "the gain of the first view in both",
            "gains[v, n] -> gains[0, n]",
            "The second view has a gain of its own.",
        ),
        mistake(
            "mirrored as the first view is",
            "if mirrored[0, n]:",
            "The second view has numbers of its own.",
        ),
        mistake(
            "upside down instead of left to right",
            "window[:, ::-1] -> window[::-1]",
            "Rows are the first axis of a window, columns the second.",
        ),
        mistake(
            "turned by half a circle",
            "window[:, ::-1] -> window[::-1, ::-1]",
            "A mirror changes left and right only; top stays top.",
        ),
        mistake(
            "the channels turned round, too",
            "window[:, ::-1] -> window[:, ::-1, ::-1]",
            "A mirror changes left and right only, not red and blue.",
        ),
        mistake(
            "mirrored before the window is cut",
            "top, left = corners[v, n] -> top, left = corners[v, n]\n"
            "if mirrored[v, n]: left = images.shape[2] - left - size",
            "The corner is one of the picture as it is: cut first, then turn the window.",
        ),
        mistake(
            "never mirrored",
            "if False:",
            "mirrored does not appear in your result.",
        ),
        mistake(
            "mirrored where it should not be",
            "if not mirrored[v, n]:",
            "True means: turn this view.",
        ),
        mistake(
            "not clipped at 1",
            "out[v, n] = window * gains[v, n]",
            "Nothing is whiter than white; these pictures go from 0 to 1, and the gain leads beyond.",
        ),
        mistake(
            "brighter by the gain, not times it",
            "window * gains[v, n] -> window + gains[v, n]",
            "A gain multiplies.",
        ),
        mistake(
            "row and column exchanged",
            "top, left = corners[v, n] -> left, top = corners[v, n]",
            "A corner is (row, column): how far down, then how far to the right.",
        ),
        mistake(
            "what is too bright wraps around to black",
            "out[v, n] = window * gains[v, n] % 1",
            "Whatever would be above 1 is 1.",
        ),
        mistake(
            "the pictures before the views",
            "return out.swapaxes(0, 1)",
            "The first axis tells the view, the second the picture.",
        ),
        mistake(
            "the channels turned round instead",
            "window[:, ::-1] -> window[..., ::-1]",
            "The last axis holds the channels: the columns are the one before.",
        ),
        mistake(
            "the gain forgotten",
            "out[v, n] = window",
            "gains does not appear in your result.",
        ),
        mistake(
            "made darker as a whole where it is too bright",
            "out[v, n] = window * gains[v, n] / max(1, (window * gains[v, n]).max())",
            "Only what is above 1 is cut off; the other pixels stay as bright as they are.",
        ),
    ),
    hints=(
        "Two loops, over the views and over the pictures; everything random is indexed by both.",
        "Cut, mirror, brighten, clip: in this order.",
    ),
)
