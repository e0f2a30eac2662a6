"""Layers: numbers that can be worked out by hand, long sequences, and hostile inputs."""

import numpy as np
import pytest

from fmkit.layers import (
    dropout,
    embedding,
    embedding_backward,
    layernorm,
    layernorm_backward,
    linear,
    linear_backward,
    lstm,
    lstm_backward,
    mean_pool,
    rmsnorm,
)

both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def test_linear_by_hand():
    x, w, b = np.array([[1.0, 2.0]]), np.array([[1.0, 0.0, 3.0], [0.0, 1.0, 1.0]]), np.array([0.0, 10.0, 0.0])
    out, cache = linear(x, w, b)
    assert out.tolist() == [[1.0, 12.0, 5.0]]
    dx, dw, db = linear_backward(np.array([[1.0, 0.0, 2.0]]), cache)
    assert dx.tolist() == [[7.0, 2.0]]
    assert dw.tolist() == [[1.0, 0.0, 2.0], [2.0, 0.0, 4.0]]
    assert db.tolist() == [1.0, 0.0, 2.0]


@both_dtypes
@pytest.mark.parametrize("ids_dtype", [np.int32, np.int64, np.uint16])
def test_embedding_backward_sums_over_repeats(rng, dtype, ids_dtype):
    ids = rng.integers(0, 50, (9, 40)).astype(ids_dtype)
    dout = rng.standard_normal((9, 40, 3)).astype(dtype)
    _, cache = embedding(ids, np.zeros((60, 3), dtype))
    want = np.zeros((60, 3))
    np.add.at(want, ids, dout)
    dw = embedding_backward(dout, cache)
    assert dw.dtype == dtype
    np.testing.assert_allclose(dw, want, rtol=1e-5, atol=1e-5)


def test_embedding_of_no_ids():
    out, cache = embedding(np.zeros((2, 0), int), np.ones((5, 3)))
    assert out.shape == (2, 0, 3)
    assert not embedding_backward(out, cache).any()


@pytest.mark.parametrize("wrong", [-1, 5])
def test_embedding_refuses_ids_that_are_not_rows(wrong):
    with pytest.raises(IndexError):
        embedding(np.array([0, wrong]), np.ones((5, 3)))


@both_dtypes
def test_layernorm_gives_mean_0_and_variance_1_far_from_0(rng, dtype):
    x = (1000.0 + rng.standard_normal((4, 64))).astype(dtype)  # the mean of squares would lose every digit
    out, _ = layernorm(x, np.ones(64, dtype), np.zeros(64, dtype))
    np.testing.assert_allclose(out.mean(-1), 0.0, atol=1e-3)
    np.testing.assert_allclose(out.var(-1), 1.0, atol=1e-3)


@both_dtypes
def test_norms_of_a_constant_row_are_finite(dtype):
    x, w = np.full((2, 5), 3.0, dtype), np.ones(5, dtype)
    out, cache = layernorm(x, w, w)
    assert out.tolist() == [[1.0] * 5] * 2
    assert all(np.isfinite(grad).all() for grad in layernorm_backward(np.ones_like(x), cache))
    assert not rmsnorm(0.0 * x, w)[0].any()


def test_layernorm_backward_is_blind_to_shift_and_scale(rng):
    """Moving all of x, or stretching it, does not move the output: dx has no part along 1 or along norm."""
    x, w, b = rng.standard_normal((3, 7)), rng.standard_normal(7), rng.standard_normal(7)
    _, cache = layernorm(x, w, b, eps=0.0)
    dx, _, _ = layernorm_backward(rng.standard_normal((3, 7)), cache)
    np.testing.assert_allclose(dx.sum(-1), 0.0, atol=1e-13)
    np.testing.assert_allclose((dx * (x - x.mean(-1, keepdims=True))).sum(-1), 0.0, atol=1e-13)


@both_dtypes
@pytest.mark.parametrize("mask_dtype", [bool, np.int64, np.float64])
def test_masks_of_any_dtype_leave_the_dtype_alone(rng, dtype, mask_dtype):
    x = rng.standard_normal((2, 5, 3)).astype(dtype)
    mask = np.array([[1, 1, 0, 0, 0], [1, 0, 1, 1, 0]]).astype(mask_dtype)
    assert mean_pool(x, mask)[0].dtype == dtype
    assert dropout(x[..., 0], mask, 0.5)[0].dtype == dtype


def test_dropout_keeps_the_expected_value(rng):
    x = np.ones(100_000)
    out, _ = dropout(x, rng.random(x.shape) >= 0.3, 0.3)
    assert set(out.tolist()) == {0.0, 1.0 / 0.7}
    assert out.mean() == pytest.approx(1.0, abs=0.01)


def test_mean_pool_leaves_the_padding_out():
    x = np.array([[[2.0], [4.0], [99.0]], [[99.0], [99.0], [99.0]]])
    out, _ = mean_pool(x, np.array([[1, 1, 0], [0, 0, 0]]))
    assert out.tolist() == [[3.0], [0.0]]


def _lstm_weights(rng, C, H, dtype=np.float64):
    shapes = (C, 4 * H), (H, 4 * H), (4 * H,)
    return [(0.3 * rng.standard_normal(shape)).astype(dtype) for shape in shapes]


def test_lstm_rows_do_not_mix_and_the_past_does_not_see_the_future(rng):
    x, weights = rng.standard_normal((3, 6, 2)), _lstm_weights(rng, 2, 4)
    h, _ = lstm(x, *weights)
    changed = x.copy()
    changed[1, 3:] += 1.0
    h_changed, _ = lstm(changed, *weights)
    np.testing.assert_array_equal(h_changed[[0, 2]], h[[0, 2]])
    np.testing.assert_array_equal(h_changed[1, :3], h[1, :3])
    assert (h_changed[1, 3:] != h[1, 3:]).all()


def test_an_open_forget_gate_carries_a_gradient_over_200_steps(rng):
    H = 4
    wx, wh, b = _lstm_weights(rng, 3, H)
    b = b.copy()
    b[:H], b[H : 2 * H] = -20.0, 20.0  # write nothing, forget nothing
    c0 = rng.standard_normal((2, H))
    h, cache = lstm(rng.standard_normal((2, 200, 3)), wx, wh, b, None, c0)
    dout = np.zeros_like(h)
    dout[:, -1] = 1.0
    *_, dh0, dc0 = lstm_backward(dout, cache)
    assert dh0 is None
    assert (np.abs(dc0) > 0.01).all()


@both_dtypes
def test_lstm_with_huge_inputs_is_finite(rng, dtype):
    x = (1e4 * rng.standard_normal((2, 5, 3))).astype(dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        h, cache = lstm(x, *_lstm_weights(rng, 3, 4, dtype))
        grads = lstm_backward(np.ones_like(h), cache)
    assert np.isfinite(h).all()
    assert all(np.isfinite(grad).all() for grad in grads if grad is not None)
