"""A mistake written as a line becomes a function; an edit that does not fit exactly once is refused."""

import numpy as np
import pytest

from fmkit.lab.judging.mistakes import EditError, edited, source_of, with_edits


def reference(x, w):
    """The docstring is not code: y = x."""

    def scaled(v):
        return v * w

    y = scaled(x)  # y = x
    total = 0
    for i in range(len(y)):
        if y[i] > 0:
            total += y[i]
    return (
        total,
        y,
    )


X, W = np.array([1.0, -2.0, 3.0]), 2.0


def does(*edits):
    total, y = with_edits(reference, edits[0] if len(edits) == 1 else edits)(X, W)
    return float(total), y.tolist()


def test_without_an_edit_it_is_the_reference():
    assert does(()) == (8.0, [2.0, -4.0, 6.0])


@pytest.mark.parametrize(
    "edits, wanted",
    [
        (("y = scaled(x) + 1",), (10.0, [3.0, -3.0, 7.0])),  # the statement with the same left side
        (("y[i] > 0 -> y[i] < 0",), (-4.0, [2.0, -4.0, 6.0])),  # a part of a line
        (("for i in range(1, len(y)):",), (6.0, [2.0, -4.0, 6.0])),  # the head of a loop
        (("return total, y + 1",), (8.0, [3.0, -3.0, 7.0])),  # of several lines; that of `scaled` is not it
        (("return v * w -> return v",), (4.0, [1.0, -2.0, 3.0])),
        (("y = scaled(x) -> y = scaled(x)\ny = y + 1",), (10.0, [3.0, -3.0, 7.0])),  # one line more, indented
        (("total += y[i] ->",), (0.0, [2.0, -4.0, 6.0])),  # a line less
        (("y = x * 3", "total, -> total + 1,"), (13.0, [3.0, -6.0, 9.0])),  # two mistakes at once
    ],
)
def test_edits(edits, wanted):
    assert does(*edits) == wanted


@pytest.mark.parametrize("edit", ["z = x", "y -> z", "nowhere -> somewhere", "while True:", "x.sort()"])
def test_what_does_not_fit_once_is_refused(edit):
    with pytest.raises(EditError):
        with_edits(reference, edit)


def test_comments_and_docstrings_do_not_count():
    assert "y = x" not in source_of(reference)
    assert edited("def f(x):\n    a = 1\n    b = 2\n", "a = 3") == "def f(x):\n    a = 3\n    b = 2\n"
