"""Small exercises for the tests of the machinery; no part of the course."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, Mistake


def exercise(reference, cases, mistakes=(), **changes):
    """An exercise around one function; ``mistakes`` is name -> wrong function."""
    settings = {
        "id": "sample.thing",
        "title": "A sample",
        "chapter": "99",
        "points": 2,
        "minutes": 5,
        "difficulty": 1,
        "hints": ("first", "second"),
        "alternatives": (),
    }
    named = tuple(Mistake(n, f, f"think about: {n}") for n, f in dict(mistakes).items())
    return Exercise(reference=reference, cases=cases, mistakes=named, **(settings | changes))


def center(x, w):
    """Two values: x without its row means, weighted, and the means."""
    mean = x.mean(-1, keepdims=True)
    return (x - mean) * w, mean[..., 0]


def _forgot_weight(x, w):
    mean = x.mean(-1, keepdims=True)
    return x - mean, mean[..., 0]


def _columns(x, w):
    mean = x.mean(0, keepdims=True)
    return (x - mean) * w, np.broadcast_to(x.mean(), x.shape[:1]).copy()


def _in_place(x, w):
    mean = x.mean(-1, keepdims=True)
    x -= mean
    return x * w, mean[..., 0]


def _leaks(x, w):
    mean = x.mean(-1, keepdims=True) * np.float64(1)
    return (x - mean.astype(np.float64)) * w, mean[..., 0].astype(np.float64)


def _sum(x, w):
    mean = x.sum(-1, keepdims=True)
    return (x - mean) * w, mean[..., 0]


def center_cases(rng):
    first = [(rng.normal(size=(n, c)), rng.normal(size=c)) for n, c in ((4, 3), (3, 3), (1, 5))]
    return [*first, (rng.normal(size=(2, 6)).astype(np.float32), rng.normal(size=6).astype(np.float32))]


def np_mean(x, w):
    return (x - np.mean(x, 1)[:, None]) * w, np.mean(x, 1)


CENTER = exercise(
    center,
    center_cases,
    {
        "forgot the weight": _forgot_weight,
        "the mean of the columns": _columns,
        "overwrites x": _in_place,
        "float64 leaks": _leaks,
        "the sum for the mean": _sum,
    },
    id="sample.center",
    alternatives=(np_mean,),
)


def right_but(change):
    """The right answer with its two values changed."""
    return lambda x, w: change(*center(x, w))
