"""How much ink is on each picture?"""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(*shape):
        return (np.round(rng.uniform(0, 1, shape) * rng.integers(0, 2, shape), 2),)

    (single,) = case(4, 5, 7)
    return [case(3, 5, 8), case(1, 4, 6), case(6, 2, 3), (single.astype(np.float32),)]


def ink(images):
    return images.mean((1, 2))


def flattened(images):
    return images.reshape(len(images), -1).mean(1)


def a_loop(images):
    return np.array([image.sum() / image.size for image in images], dtype=images.dtype)


def two_means(images):
    return images.mean(2).mean(1)


EXERCISE = Exercise(
    title="How much ink is on each picture?",
    points=1,
    minutes=3,
    difficulty=1,
    cases=cases,
    reference=ink,
    alternatives=(flattened, a_loop, two_means),
    mistakes=(
        mistake(
            "one number for the whole batch",
            "return images.mean()",
            "images.mean() runs over the pictures, too: which axes hold pixels?",
        ),
        mistake(
            "the average picture",
            "return images.mean(0)",
            "You averaged over the pictures (axis 0): average over the pixels of each.",
        ),
        mistake(
            "the sum instead of the mean",
            "mean -> sum",
            "A larger picture would count as darker: divide by the number of pixels.",
        ),
        mistake(
            "averaged the rows only",
            "return images.mean(2)",
            "You have one number for each row of pixels: one axis is left to average over.",
        ),
        mistake(
            "divided by one side only",
            "return images.sum((1, 2)) / images.shape[1]",
            "How many pixels has a picture of H rows and W columns?",
        ),
        mistake(
            "divided by 64, whatever the size",
            "return images.sum((1, 2)) / 64",
            "The check tries other sizes, too: how many pixels has each picture?",
        ),
        mistake(
            "the share of pixels with any ink",
            "return (images > 0).mean((1, 2)).astype(images.dtype)",
            "A light grey pixel has less ink than a black one: use the values.",
        ),
    ),
    equal=(
        ("return images.reshape(len(images), -1).mean(-1)", "of two axes the last is axis 1"),
        (
            "return images.reshape(len(images), -2).mean(1)",
            "any negative number asks for the size that is left",
        ),
    ),
    hints=(
        "images has three axes: axis 0 counts the pictures, axes 1 and 2 are the pixels of each.",
        "images.mean(axis=0) averages over one axis; for several, axis is a tuple, such as axis=(0, 1).",
    ),
)
