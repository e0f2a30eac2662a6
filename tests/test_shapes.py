import numpy as np
import pytest

from fmkit._shapes import expect


@pytest.mark.parametrize(
    ("value", "shape", "message"),
    [
        (np.zeros((3, 1)), (3,), r"targets: expected \(N,\) = \(3,\), got \(3, 1\)"),
        (np.zeros(()), (3,), r"targets: expected \(N,\) = \(3,\), got \(\)"),
        (np.zeros((3, 2)), (None,), r"targets: expected \(N,\), got \(3, 2\)"),
        ([1, 2, 3], (3,), r"targets: expected an array \(N,\), got a list; np.array\(...\) makes one"),
        (2.0, (3,), "got a number"),
        ("abc", (3,), "got a str"),
    ],
)
def test_another_shape_is_refused_by_name(value, shape, message):
    with pytest.raises((TypeError, ValueError), match=message):
        expect("targets", value, shape, "(N,)")


def test_sizes_that_do_not_matter_are_none():
    expect("x", np.zeros((3, 2)), (3, 2), "(N, C)")
    expect("x", np.zeros((3, 2)), (None, 2), "(N, C)")
    expect("x", np.zeros((0, 2)), (None, 2), "(N, C)")
