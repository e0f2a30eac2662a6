import numpy as np
import pytest

from fmkit._shapes import expect, floats, integers, matrix, zeros_and_ones
from fmkit._values import demand


@pytest.mark.parametrize(
    ("value", "shape", "message"),
    [
        (np.zeros((3, 1)), (3,), r"targets: expected \(N,\) = \(3,\), got \(3, 1\)"),
        (np.zeros(()), (3,), r"targets: expected \(N,\) = \(3,\), got \(\)"),
        (np.zeros((3, 2)), (None,), r"targets: expected \(N,\), got \(3, 2\)"),
        ([1, 2, 3], (3,), r"targets: expected an array \(N,\), got a list; np.array\(...\) makes one"),
        (2.0, (3,), "got a float"),
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


@pytest.mark.parametrize(
    ("value", "kind"), [(np.array([1, 2], np.uint8), "array"), (True, "number"), (2, "number")]
)
def test_whole_numbers_become_float64(value, kind):
    got = floats("x", value)
    assert got.dtype == np.float64
    assert np.array_equal(got, value), kind


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_are_left_alone(dtype):
    x = np.zeros((2, 3), dtype)
    assert floats("x", x, axes=1) is x
    assert floats("x", x, 2, "(N, C)") is x


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: floats("x", [1.0]), "x: expected an array, got a list"),
        (lambda: floats("x", np.zeros(2, np.float16)), "x: expected float32 or float64, got float16"),
        (lambda: floats("x", np.zeros(2, complex)), "got complex128"),
        (lambda: floats("x", np.array(["a"])), "got <U1"),
        (lambda: floats("x", np.zeros(()), axes=1), r"x: expected 1 axis or more, got shape \(\)"),
        (lambda: floats("x", np.zeros(2), 3, "(B, T, C)"), r"x: expected \(B, T, C\), got shape \(2,\)"),
        (
            lambda: matrix("w", np.zeros((2, 3)), 4, "(C, F)"),
            r"w: expected \(C, F\) = \(4, any\), got \(2, 3\)",
        ),
        (lambda: matrix("w", np.zeros(4), 4, "(C, F)"), r"got \(4,\)"),
        (lambda: matrix("w", [[1.0]], 1, "(C, F)"), "got a list"),
        (lambda: integers("ids", np.array([True])), "ids: expected an array of integers, got bool numbers"),
        (lambda: integers("ids", [1]), "got a list"),
        (lambda: integers("ids", np.array([-1, 2]), stop=3), "ids: expected 0 to 2, got -1 to 2"),
        (lambda: zeros_and_ones("mask", np.array([0, 2])), "got 2"),
        (lambda: zeros_and_ones("mask", np.array([np.nan])), "got nan"),
        (lambda: zeros_and_ones("mask", [0, 1]), "got a list"),
        (lambda: demand(False, "ids", "a token", np.nan), "ids: expected a token, got nan"),
    ],
)
def test_what_is_refused_says_what_came(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call()


def test_what_is_in_order_passes():
    matrix("w", np.zeros((4, 3)), 4, "(C, F)")
    integers("ids", np.array([0, 2], np.uint8), stop=3)
    integers("ids", np.zeros(0, int), stop=3)
    zeros_and_ones("mask", np.array([0.0, 1.0]))
    demand(True, "p", "0 <= p < 1", 0)
    expect("dout", 1.0, (), "one number ()")
