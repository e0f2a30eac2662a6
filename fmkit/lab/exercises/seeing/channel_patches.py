"""Patches in the order in which other people's weights want them, of pictures that do not divide evenly."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(h, w, c, p):
        return rng.uniform(0.5, 1.5, (h, w, c)), p

    example = np.arange(1.0, 9.0).reshape(2, 2, 2), 2
    return [
        example,
        case(2, 4, 1, 2),
        case(4, 6, 3, 2),
        case(5, 4, 2, 2),  # a row is left over
        case(4, 7, 3, 3),  # both are
        case(7, 5, 2, 4),
        case(3, 4, 3, 5),  # smaller than a patch
        case(3, 2, 4, 1),
        as_float32(case(6, 4, 3, 2)),
    ]


def channel_patches(image, p):
    height, width, channels = image.shape
    rows, columns = -(-height // p), -(-width // p)
    whole = np.zeros((rows * p, columns * p, channels), image.dtype)
    whole[:height, :width] = image
    cut = whole.reshape(rows, p, columns, p, channels)
    return cut.transpose(0, 2, 4, 1, 3).reshape(rows * columns, channels * p * p)


def loop(image, p):
    height, width, channels = image.shape
    out = []
    for top in range(0, height, p):
        for left in range(0, width, p):
            patch = np.zeros((channels, p, p), image.dtype)
            part = image[top : top + p, left : left + p]
            patch[:, : part.shape[0], : part.shape[1]] = np.moveaxis(part, 2, 0)
            out.append(patch.ravel())
    return np.array(out)


def padded(image, p):
    height, width = image.shape[:2]
    whole = np.pad(image, ((0, -height % p), (0, -width % p), (0, 0)))
    by_channel = np.moveaxis(whole, 2, 0)  # (C, H, W)
    bands = np.split(by_channel, whole.shape[0] // p, axis=1)
    return np.array([s.ravel() for band in bands for s in np.split(band, whole.shape[1] // p, axis=2)])


EXERCISE = Exercise(
    title="Patches for other people's weights",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=channel_patches,
    alternatives=(loop, padded),
    teaches=("vision.patches", "vision.unpatch"),
    mistakes=(
        mistake(
            "the channels of a pixel side by side",
            "cut.transpose(0, 2, 4, 1, 3) -> cut.transpose(0, 2, 1, 3, 4)",
            "That is this kit's order; here all the red of a patch comes first, then all its green.",
        ),
        mistake(
            "down the columns of patches first",
            "cut.transpose(0, 2, 4, 1, 3) -> cut.transpose(2, 0, 4, 1, 3)",
            "Patches are read as text is: along a row, then the next row.",
        ),
        mistake(
            "each patch turned on its side",
            "cut.transpose(0, 2, 4, 1, 3) -> cut.transpose(0, 2, 4, 3, 1)",
            "Inside a patch, too, one row of pixels comes after the other.",
        ),
        mistake(
            "a bare reshape",
            "return whole.reshape(rows * columns, channels * p * p)",
            "A reshape only cuts the row of numbers in memory: the pixels of a square lie apart there.",
        ),
        mistake(
            "all pixels of one channel together, over the whole picture",
            "return np.moveaxis(whole, 2, 0).reshape(rows * columns, channels * p * p)",
            "A reshape only cuts the row of numbers in memory: the pixels of a square lie apart there.",
        ),
        mistake(
            "what does not fill a patch is dropped",
            (
                "rows, columns = height // p, width // p",
                "whole[:height, :width] = image -> whole[:] = image[:rows * p, :columns * p]",
            ),
            "The last rows and columns belong to the picture: fill their patches up with zeros.",
        ),
        mistake(
            "filled up at the top and the left",
            "whole[:height, :width] = image -> whole[rows * p - height:, columns * p - width:] = image",
            "The first pixel stays the first; zeros come below and to the right.",
        ),
        mistake(
            "filled up with the pixels at the edge",
            "whole = np.pad(image, ((0, rows * p - height), (0, columns * p - width), (0, 0)), mode='edge')",
            "What is missing is black: zeros.",
        ),
        mistake(
            "a patch too many where the picture divides evenly",
            "rows, columns = height // p + 1, width // p + 1",
            "If p divides the height, nothing is left over and nothing has to be added.",
        ),
        mistake(
            "height and width exchanged",
            "cut = whole.reshape(columns, p, rows, p, channels)",
            "The first axis is the height.",
        ),
        mistake(
            "the whole picture reshaped at once",
            "return image.reshape(-1, p * p * channels)",
            "A reshape only cuts the row of numbers in memory: the pixels of a square lie apart there.",
        ),
        mistake(
            "the channels of a pixel side by side, and what does not fill a patch dropped",
            (
                "rows, columns = height // p, width // p",
                "whole[:height, :width] = image -> whole[:] = image[:rows * p, :columns * p]",
                "return cut.transpose(0, 2, 1, 3, 4).reshape(rows * columns, -1)",
            ),
            "All the red of a patch comes first; and the last rows and columns belong to the picture.",
        ),
    ),
    hints=(
        "Fill the picture up with zeros first, so that p divides both sides.",
        "A reshape to (rows, p, columns, p, C) splits each axis in two; nothing has moved yet.",
        "Which of the five axes tell the patch, and in which order do the other three run inside it?",
    ),
)
