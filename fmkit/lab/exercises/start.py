"""The first exercise, for getting to know the kit: how much ink is on each picture?"""

from functools import partial

import numpy as np

from fmkit.lab.judging.exercise import Exercise, Misconception


def ink(images):
    return images.mean((1, 2))


def _flattened(images):
    return images.reshape(len(images), -1).mean(1)


def _loop(images):
    return np.array([image.sum() / image.size for image in images], dtype=images.dtype)


def _two_means(images):
    return images.mean(2).mean(1)


def _wrong(mistake, images):
    return {
        "one number for the whole batch": lambda: images.mean(),
        "the average picture": lambda: images.mean(0),
        "the sum instead of the mean": lambda: images.sum((1, 2)),
        "averaged the rows only": lambda: images.mean(2),
        "divided by one side only": lambda: images.sum((1, 2)) / images.shape[1],
        "divided by 64, whatever the size": lambda: images.sum((1, 2)) / 64,
        "the share of pixels with any ink": lambda: (images > 0).mean((1, 2)).astype(images.dtype),
    }[mistake]()


_HINTS = {
    "one number for the whole batch": "images.mean() runs over the pictures, too: which axes hold pixels?",
    "the average picture": "You averaged over the pictures (axis 0): average over the pixels of each.",
    "the sum instead of the mean": "A larger picture would count as darker: divide by the number of pixels.",
    "averaged the rows only": "You have one number for each row of pixels: one axis is left to average over.",
    "divided by one side only": "How many pixels has a picture of H rows and W columns?",
    "divided by 64, whatever the size": "The check tries other sizes, too: how many pixels has each picture?",
    "the share of pixels with any ink": "A light grey pixel has less ink than a black one: use the values.",
}
_MISTAKES = tuple(Misconception(name, partial(_wrong, name), hint) for name, hint in _HINTS.items())


def _cases(rng):
    def case(*shape):
        return (np.round(rng.uniform(0, 1, shape) * rng.integers(0, 2, shape), 2),)

    (single,) = case(4, 5, 7)
    return [case(3, 5, 8), case(1, 4, 6), case(6, 2, 3), (single.astype(np.float32),)]


EXERCISES = [
    Exercise(
        id="start.ink",
        title="How much ink is on each picture?",
        chapter="00",
        points=1,
        minutes=3,
        difficulty=1,
        reference=ink,
        cases=_cases,
        hints=(
            "images has three axes: axis 0 counts the pictures, axes 1 and 2 are the pixels of each.",
            "images.mean(axis=0) averages over one axis; for several, axis is a tuple, such as axis=(0, 1).",
        ),
        alternatives={"flattened": _flattened, "a loop": _loop, "two means": _two_means},
        misconceptions=_MISTAKES,
    )
]
