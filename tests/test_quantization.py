"""Rounding: what is promised of every entry, whole products against floats, GPTQ against plain rounding."""

import inspect
import itertools

import numpy as np
import pytest

from fmkit import quantization as qu


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("axis", [0, 1, None])
def test_absmax_is_off_by_half_a_step_at_most(bits, axis):
    x = np.random.default_rng(bits).normal(size=(6, 5)) * 10.0 ** np.arange(-3, 2)
    q, scale = qu.absmax(x, bits, axis)
    m = 2 ** (bits - 1) - 1
    assert q.dtype == np.int8 and np.abs(q.astype(int)).max() == m and q.min() >= -m
    assert (np.abs(qu.dequantize(q, scale) - x) <= scale / 2 * (1 + 1e-9)).all()
    assert (np.abs(q.astype(int)).max(axis) == m).all()  # the largest of those that share a scale


def test_a_row_of_zeros_stays_zero():
    q, scale = qu.absmax(np.zeros((3, 2), np.float32))
    assert not q.any() and (scale == 1).all() and scale.dtype == np.float32


@pytest.mark.parametrize("low, high", [(0.0, 3.0), (-2.0, 0.0), (1.0, 5.0), (-5.0, -1.0), (-0.3, 4.0)])
@pytest.mark.parametrize("bits", [1, 4, 8])
def test_affine_meets_zero_exactly(low, high, bits):
    x = np.random.default_rng(0).uniform(low, high, (40,))
    q, scale, zero = qu.affine(np.append(x, 0.0), bits)
    assert q.dtype == np.uint8 and q.max() <= 2**bits - 1 and 0 <= zero <= 2**bits - 1
    back = qu.dequantize(q, scale, zero)
    assert back[-1] == 0.0
    assert (np.abs(back[:-1] - x) <= scale * (1 + 1e-9)).all()  # half a step, and half by moving zero


def test_groups_are_absmax_of_each_group():
    w = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
    q, scale = qu.absmax_groups(w, 4, size=4)
    for g in range(3):
        rows = slice(4 * g, 4 * g + 4)
        alone = qu.absmax(w[rows], 4)
        np.testing.assert_array_equal(q[rows], alone[0])
        np.testing.assert_array_equal(qu.dequantize_groups(q, scale)[rows], qu.dequantize(*alone))
    with pytest.raises(ValueError, match="size: expected a divisor of 12, got 5"):
        qu.absmax_groups(w, 4, size=5)


def test_whole_products_are_exact():
    rng = np.random.default_rng(0)
    x_q, w_q = (rng.integers(-127, 128, shape).astype(np.int8) for shape in ((2, 3, 500), (500, 7)))
    out = qu.int8_linear(x_q, np.full((2, 3, 1), 0.5), w_q, np.full((1, 7), 2.0), np.arange(7.0))
    np.testing.assert_array_equal(out, x_q.astype(float) @ w_q.astype(float) + np.arange(7))
    with pytest.raises(ValueError, match="x_q: expected bytes with a sign"):
        inspect.unwrap(qu.int8_linear)(x_q.astype(np.uint8), np.ones((2, 3, 1)), w_q, np.ones((1, 7)))


def test_int8_linear_is_near_the_floats():
    rng = np.random.default_rng(1)
    x, w = rng.normal(size=(20, 64)).astype(np.float32), rng.normal(size=(64, 9)).astype(np.float32)
    out = qu.int8_linear(*qu.absmax(x, axis=-1), *qu.absmax(w))
    assert out.dtype == np.float32
    assert np.linalg.norm(out - x @ w) < 0.01 * np.linalg.norm(x @ w)


def correlated(rng, N, I):
    return rng.normal(size=(N, I)) @ rng.normal(size=(I, I)) * rng.uniform(0.1, 3, I)


@pytest.mark.parametrize("bits, seed", [*itertools.product([2, 3, 4], range(3))])
def test_gptq_worsens_the_weights_and_mends_the_outputs(bits, seed):
    rng = np.random.default_rng(seed)
    x, fresh = np.split(correlated(rng, 800, 16), 2)
    w = rng.normal(size=(16, 6))
    nearest = qu.dequantize(*qu.absmax(w, bits))
    careful = qu.dequantize(*qu.gptq(w, x.T @ x, bits))
    assert qu.output_error(w, careful, fresh) < qu.output_error(w, nearest, fresh)
    assert np.linalg.norm(careful - w) > np.linalg.norm(nearest - w)


def test_gptq_of_inputs_that_do_not_go_together_is_plain_rounding():
    w = np.random.default_rng(0).normal(size=(8, 5))
    np.testing.assert_array_equal(qu.gptq(w, np.diag(np.arange(1.0, 9)), 4)[0], qu.absmax(w, 4)[0])


def test_gptq_gives_what_a_search_over_the_next_row_gives():
    """Two inputs: once the first row is rounded, the second is the best there is for the outputs."""
    rng = np.random.default_rng(3)
    x, w = correlated(rng, 50, 2), rng.normal(size=(2, 1))
    q, scale = qu.gptq(w, x.T @ x, 4, damping=0.0)
    errors = [
        qu.output_error(w, np.array([[q[0, 0]], [c]]) * scale, x) for c in range(-7, 8)
    ]  # all values of the second weight
    assert q[1, 0] == np.argmin(errors) - 7


def test_gptq_with_an_input_that_is_always_zero():
    rng = np.random.default_rng(0)
    x = correlated(rng, 100, 6)
    x[:, 2] = 0
    w = rng.normal(size=(6, 4))
    q, scale = qu.gptq(w, x.T @ x, 4)
    assert np.isfinite(qu.dequantize(q, scale)).all()
    np.testing.assert_array_equal(q[2], np.rint(w[2] / scale[0]))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: qu.absmax(np.ones((2, 2)), 9), "bits: expected at most 8, got 9"),
        (lambda: qu.absmax(np.ones((2, 2)), 1), "bits: expected a whole number >= 2, got 1"),
        (lambda: qu.absmax(np.array([[np.nan]])), "x: expected finite numbers"),
        (lambda: qu.affine(np.array([np.inf])), "x: expected finite numbers"),
    ],
)
def test_what_it_cannot_mean_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
