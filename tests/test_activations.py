"""Activations at the ends of the number range, and erf, which NumPy does not have."""

import math

import numpy as np
import pytest

from fmkit import activations
from fmkit.activations import (
    erf,
    gelu_erf,
    gelu_tanh,
    leaky_relu,
    log_softmax,
    relu,
    relu_backward,
    sigmoid,
    silu,
    softmax,
    softmax_backward,
)

PAIRS = ["sigmoid", "tanh", "relu", "leaky_relu", "gelu_tanh", "gelu_erf", "silu", "softmax", "log_softmax"]
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@pytest.fixture(autouse=True)
def no_floating_point_warning():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


@both_dtypes
@pytest.mark.parametrize("name", PAIRS)
def test_huge_inputs_stay_finite_and_keep_their_dtype(name, dtype):
    x = np.array([[-1e4, -100.0, -1.0, 0.0], [1.0, 100.0, 1e4, -1e4]], dtype)
    out, cache = getattr(activations, name)(x)
    dx = getattr(activations, name + "_backward")(np.ones_like(out), cache)
    assert np.isfinite(out).all()
    assert np.isfinite(dx).all()
    assert out.dtype == dx.dtype == dtype


@both_dtypes
def test_values_at_the_ends(dtype):
    x = np.array([-1e4, 0.0, 1e4], dtype)
    assert sigmoid(x)[0].tolist() == [0.0, 0.5, 1.0]
    for gate in (relu, silu, gelu_tanh, gelu_erf):
        assert gate(x)[0].tolist() == [0.0, 0.0, 1e4]


def test_sigmoid_keeps_its_digits_far_on_the_left():
    assert sigmoid(np.array([-40.0]))[0][0] == pytest.approx(math.exp(-40.0), rel=1e-14)


def test_relu_has_slope_0_at_0():
    _, cache = relu(np.array([-1.0, 0.0, 1.0]))
    assert relu_backward(np.array([5.0, 5.0, 5.0]), cache).tolist() == [0.0, 0.0, 5.0]


def test_leaky_relu_with_slope_above_1():
    assert leaky_relu(np.array([-2.0, 3.0]), slope=2.0)[0].tolist() == [-4.0, 3.0]


@both_dtypes
def test_softmax_does_not_feel_a_shift(dtype):
    x = np.random.default_rng(0).standard_normal((3, 5)).astype(dtype)
    np.testing.assert_allclose(
        softmax(x + 1000)[0], softmax(x)[0], rtol=1e-4 if dtype == np.float32 else 1e-12
    )


@both_dtypes
def test_softmax_gives_masked_entries_nothing(dtype):
    out, cache = softmax(np.array([[0.0, -np.inf, 0.0]], dtype))
    assert out.tolist() == [[0.5, 0.0, 0.5]]
    assert softmax_backward(np.array([[1.0, 7.0, 0.0]], dtype), cache).tolist() == [[0.25, 0.0, -0.25]]


@both_dtypes
def test_log_softmax_where_the_probability_itself_rounds_to_0(dtype):
    out, _ = log_softmax(np.array([0.0, 1e4], dtype))
    assert out.tolist() == [-1e4, 0.0]


def test_erf_is_as_accurate_as_it_says():
    x = np.random.default_rng(0).uniform(-7.0, 7.0, 20_000)
    want = np.array([math.erf(v) for v in x])
    assert np.abs(erf(x) - want).max() < 2e-13
    assert np.abs(erf(x.astype(np.float32)) - [math.erf(v) for v in x.astype(np.float32)]).max() < 1e-7


@both_dtypes
def test_erf_at_the_ends_of_its_table(dtype):
    x = np.array([-np.inf, -1e30, -6.0, 0.0, 6.0, 1e30, np.inf], dtype)
    assert erf(x).tolist() == [-1.0, -1.0, -1.0, 0.0, 1.0, 1.0, 1.0]


def test_erf_passes_nan_on():
    with np.errstate(invalid="ignore"):
        assert np.isnan(erf(np.array([np.nan, 0.0]))).tolist() == [True, False]


def test_the_two_gelus_are_close_but_not_the_same():
    x = np.linspace(-6.0, 6.0, 2001)
    gap = np.abs(gelu_tanh(x)[0] - gelu_erf(x)[0]).max()
    assert 1e-4 < gap < 5e-4


each_pair = pytest.mark.parametrize("name", PAIRS)


def pair(name):
    return getattr(activations, name), getattr(activations, name + "_backward")


@pytest.mark.usefixtures("as_a_learner")
@each_pair
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.bool_])
def test_whole_numbers_are_computed_in_float64(name, dtype):
    forward, _ = pair(name)
    x = np.array([[0, 1, 100], [3, 2, 1]]).astype(dtype)  # in bytes, 0 - 100 would be 156
    out, _ = forward(x)
    assert out.dtype == np.float64
    np.testing.assert_array_equal(out, forward(x.astype(np.float64))[0])


@pytest.mark.usefixtures("as_a_learner")
@each_pair
def test_a_list_half_precision_and_another_dout_are_refused(name):
    forward, backward = pair(name)
    x = np.ones((2, 3))
    with pytest.raises(TypeError, match="x: expected an array, got a list"):
        forward(x.tolist())
    with pytest.raises(TypeError, match="x: expected float32 or float64, got float16"):
        forward(x.astype(np.float16))
    _, cache = forward(x)
    for dout in (np.ones((2, 1)), np.ones(3)):
        with pytest.raises(ValueError, match=r"dout: expected the shape of x = \(2, 3\)"):
            backward(dout, cache)


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize("f", [softmax, log_softmax])
def test_softmax_of_nothing_and_of_a_single_number(f):
    assert f(np.zeros((2, 0)))[0].shape == (2, 0)
    assert f(np.zeros((0, 3)))[0].shape == (0, 3)
    for number in (2.0, np.zeros(())):
        with pytest.raises(ValueError, match="x: expected 1 axis or more"):
            f(number)


@pytest.mark.usefixtures("as_a_learner")
def test_a_plain_number_will_do_elsewhere():
    for forward, backward in map(pair, PAIRS[:-2]):
        out, cache = forward(0.5)
        assert out == forward(np.array([0.5]))[0][0]
        assert np.ndim(backward(1.0, cache)) == 0
    assert erf(2) == pytest.approx(0.995322265)
