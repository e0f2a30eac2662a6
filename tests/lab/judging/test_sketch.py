"""Sketches: like where two answers did the same, unlike wherever they did not."""

import numpy as np
import pytest

from fmkit.lab.judging.answer import Failure, Outcome
from fmkit.lab.judging.plain import plain
from fmkit.lab.judging.sketch import sketch

RNG = np.random.default_rng(3)
X = RNG.normal(size=(4, 5))


def of(*values):
    return sketch([Outcome(plain(value)) for value in values])


LIKE = {
    "the same": (X, X.copy()),
    "rounding": (X, X * (1 + 1e-9)),
    "float32 beside float64": (X.astype(np.float32), X),
    "a number as Python has it": (np.float64(1.5), 1.5),
    "a tuple and a list": ((X, 2), [X, 2]),
    "NaN and infinities": (np.where(X > 0, np.nan, X), np.where(X > 0, np.nan, X)),
    "nothing": (np.zeros((0, 3)), np.zeros((0, 3))),
    "zeros": (np.zeros(3), np.zeros(3)),
    "a dict of texts": ({"a": ["x", None], "b": X}, {"a": ["x", None], "b": X}),
    "huge": (X * 1e300, X * 1e300),
}


@pytest.mark.parametrize("name", LIKE)
def test_like(name):
    one, other = LIKE[name]
    assert of(one, X).is_like(of(other, X)) and of(X, other).is_like(of(X, one))


UNLIKE = {
    "one element": np.where(np.arange(20).reshape(4, 5) == 7, X + 1e-3, X),
    "the last element": np.where(np.arange(20).reshape(4, 5) == 19, 0, X),
    "transposed": X.T,
    "transposed in the same shape": X.T.reshape(X.shape),
    "rows exchanged": X[::-1],
    "columns exchanged": X[:, ::-1],
    "the other sign": -X,
    "twice": 2 * X,
    "a factor near 1": X * 1.001,
    "shifted": np.roll(X, 1),
    "a NaN": np.where(X[0, 0] == X, np.nan, X),
    "an infinity": np.where(X[0, 0] == X, np.inf, X),
    "in a list": [X],
    "with something more": (X, X),
    "None": None,
    "a text": "x",
    "nothing": np.zeros(0),
    "zeros": np.zeros((4, 5)),
    "in float32, and another": (X * 1.01).astype(np.float32),
}


@pytest.mark.parametrize("name", UNLIKE)
def test_unlike(name):
    assert not of(UNLIKE[name]).is_like(of(X)) and not of(X).is_like(of(UNLIKE[name]))
    assert not of(X, UNLIKE[name]).is_like(of(X, X))


def test_whole_numbers_and_truth_values_count_one_by_one():
    numbers = RNG.integers(100, size=1000)
    other = numbers.copy()
    other[500] += 1
    assert not of(numbers).is_like(of(other))
    flipped = numbers > 50
    flipped[500] = not flipped[500]
    assert not of(numbers > 50).is_like(of(flipped))


def test_exceptions_are_told_apart_by_their_type_and_by_their_words():
    def raised(name, words):
        return sketch([Outcome(failure=Failure("raised", name, words)), Outcome(1.0)])

    assert raised("ValueError", "a").is_like(raised("ValueError", "b"))
    assert not raised("ValueError", "a").is_like(raised("ValueError", "b"), words=True)
    assert raised("ValueError", "a").is_like(raised("ValueError", "a"), words=True)
    assert not raised("ValueError", "a").is_like(raised("KeyError", "a"))
    assert not raised("ValueError", "a").is_like(of(0.0, 1.0))


def test_a_sketch_is_small_whatever_it_is_of():
    numbers = of(*[np.ones((100, 100))] * 6).numbers
    assert numbers.shape == (6, 3) and numbers.dtype == np.float32
