"""The reference on other arguments."""

import numpy as np

from fmkit.lab.judging.as_if import as_if


def reference(x, y, k, flag, names, maybe):
    return x + 10 * y + k


CASES = [
    (np.array([1.0, 2.0]), np.array([3.0, 4.0]), 2, True, ["b", "a"], None),
    (np.array([5.0]), np.array([6.0]), 3, False, ["c"], 1.0),
]
FOUND = dict(as_if(reference, CASES))


def test_each_kind_of_argument_has_its_changes():
    for words in (
        "x were all zeros",
        "y had the other sign",
        "x and y were exchanged",
        "k were one larger",
        "k were 0",
        "flag were always True",
        "names were sorted",
        "the first of names were missing",
        "maybe were not given",
    ):
        assert words in FOUND


def test_they_call_the_reference_with_the_changed_argument():
    x, y, k, *rest = CASES[0]
    assert (FOUND["x and y were exchanged"](x, y, k, *rest) == y + 10 * x + k).all()
    assert (FOUND["k were one larger"](x, y, k, *rest) == x + 10 * y + k + 1).all()
    assert (x == [1, 2]).all()


def test_arguments_of_different_kinds_are_not_exchanged():
    assert "x and k were exchanged" not in FOUND and "k and flag were exchanged" not in FOUND
