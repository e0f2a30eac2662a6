"""Layers: numbers that can be worked out by hand, long sequences, and hostile inputs."""

import numpy as np
import pytest

from fmkit.layers import (
    dropout,
    dropout_backward,
    embedding,
    embedding_backward,
    layernorm,
    layernorm_backward,
    linear,
    linear_backward,
    lstm,
    lstm_backward,
    mean_pool,
    mean_pool_backward,
    mlp,
    mlp_backward,
    rmsnorm,
    rmsnorm_backward,
    swiglu,
    swiglu_backward,
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


# ------------------------------------------------------------------------------------------------- refusals

X, W, B2 = np.ones((2, 3, 4)), np.ones((4, 5)), np.ones(5)
GAIN, MASK = np.ones(4), np.ones((2, 3), int)
WX, WH, B8 = np.ones((4, 8)), np.ones((2, 8)), np.ones(8)
IDS = np.array([[0, 2]])


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: linear(X, np.ones((5, 4))),
            ValueError,
            r"w: expected \(C_in, C_out\) = \(4, any\), got \(5, 4\)",
        ),
        (lambda: linear(X, GAIN), ValueError, r"w: .* got \(4,\)"),
        (lambda: linear(X, W, np.ones((5, 1))), ValueError, r"b: expected \(C_out,\) = \(5,\), got \(5, 1\)"),
        (lambda: linear(X, W, np.ones(1)), ValueError, r"b: .* got \(1,\)"),
        (lambda: linear(X.tolist(), W), TypeError, "x: .* got a list"),
        (lambda: linear(X, W.tolist()), TypeError, "w: .* got a list"),
        (lambda: linear(X.astype(np.float16), W), TypeError, "x: .* got float16"),
        (lambda: linear(np.float64(1), W), ValueError, "x: expected 1 axis"),
        (
            lambda: linear(X[..., :0], W[:0]),
            ValueError,
            r"w: expected a row and a column at least, got \(0, 5\)",
        ),
        (lambda: embedding(IDS, W[:0]), ValueError, r"w: expected a row and a column .* got \(0, 5\)"),
        (lambda: lstm(X, WX, None, B8), TypeError, "wh: .* got None"),
        (lambda: embedding(IDS, GAIN), ValueError, r"w: expected \(V, C\), got \(4,\)"),
        (lambda: embedding(IDS + 2, W), IndexError, "ids: expected 0 to 3, got 2 to 4"),
        (lambda: embedding(IDS - 1, W), IndexError, "ids: expected 0 to 3, got -1 to 1"),
        (lambda: embedding(IDS > 0, W), TypeError, "ids: .* got bool"),
        (lambda: embedding(IDS / 1, W), TypeError, "ids: .* got float64"),
        (lambda: embedding([0, 1], W), TypeError, "ids: .* got a list"),
        (
            lambda: layernorm(X, np.ones((3, 1)), np.zeros((3, 1))),
            ValueError,
            r"w: expected \(C,\) = \(4,\), got",
        ),
        (lambda: layernorm(X, np.ones(1), GAIN), ValueError, r"w: .* got \(1,\)"),
        (lambda: layernorm(X, GAIN, 0.0), TypeError, "b: .* got a float"),
        (lambda: layernorm(X, GAIN, GAIN, eps=-1.0), ValueError, "eps: expected a number >= 0, got -1.0"),
        (lambda: layernorm(X.astype(np.float16), GAIN, GAIN), TypeError, "x: .* got float16"),
        (lambda: rmsnorm(X, np.ones((1, 4))), ValueError, r"w: .* got \(1, 4\)"),
        (lambda: rmsnorm(X, GAIN, eps=np.nan), ValueError, "eps: .* got nan"),
        (lambda: rmsnorm(X.astype(np.float16), GAIN), TypeError, "x: .* got float16"),
        (lambda: mlp(X, W, B2, np.ones((4, 4)), GAIN), ValueError, r"w2: .* = \(5, any\), got \(4, 4\)"),
        (lambda: mlp(X, W, np.ones(1), W.T, GAIN), ValueError, r"b1: .* got \(1,\)"),
        (lambda: mlp(X, W.T, B2, W, GAIN), ValueError, r"w1: .* got \(5, 4\)"),
        (lambda: mlp(X, W, B2, W.T, np.ones(1)), ValueError, r"b2: .* got \(1,\)"),
        (lambda: swiglu(X, W, np.ones((4, 1)), W.T), ValueError, r"w_up: .* got \(4, 1\)"),
        (lambda: swiglu(X, W.T, W, W.T), ValueError, r"w_gate: .* got \(5, 4\)"),
        (lambda: swiglu(X, W, W, W), ValueError, r"w_down: .* got \(4, 5\)"),
        (lambda: dropout(X, X[0] > 0, 0.5), ValueError, r"mask: .* = \(2, 3, 4\), got \(3, 4\)"),
        (lambda: dropout(X, X / 3, 0.5), ValueError, "mask: expected 0 or 1"),
        (lambda: dropout(X, X > 0, 1.0), ValueError, "p: expected a number >= 0 and < 1, got 1.0"),
        (lambda: dropout(X, X > 0, -1.0), ValueError, "got -1.0"),
        (lambda: dropout(X, X > 0, np.nan), ValueError, "got nan"),
        (lambda: mean_pool(X, MASK.T), ValueError, r"mask: expected \(B, T\) = \(2, 3\), got \(3, 2\)"),
        (lambda: mean_pool(X, MASK[:1]), ValueError, r"mask: .* got \(1, 3\)"),
        (lambda: mean_pool(X, -np.inf * MASK), ValueError, "mask: expected 0 or 1 .* got -inf"),
        (lambda: mean_pool(X[0], MASK), ValueError, r"x: expected \(B, T, C\), got shape \(3, 4\)"),
        (lambda: lstm(X[0], WX, WH, B8), ValueError, r"x: expected \(B, T, C\)"),
        (lambda: lstm(X, WX[:3], WH, B8), ValueError, r"wx: expected \(C, 4H\) = \(4, 8\), got \(3, 8\)"),
        (lambda: lstm(X, WX, WH[:, :2], B8), ValueError, r"wh: .* got \(2, 2\)|wx"),
        (lambda: lstm(X, WX, WH, B8[:1]), ValueError, r"b: .* got \(1,\)"),
        (
            lambda: lstm(X, WX, WH, B8, h0=np.zeros(2)),
            ValueError,
            r"h0: expected \(B, H\) = \(2, 2\), got \(2,\)",
        ),
        (lambda: lstm(X, WX, WH, B8, c0=np.zeros((1, 2))), ValueError, r"c0: .* got \(1, 2\)"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("forward", "backward", "dout"),
    [
        (lambda: linear(X, W), linear_backward, np.ones((4, 5))),
        (lambda: linear(X, W), linear_backward, np.ones((6, 5))),
        (lambda: embedding(IDS, W), embedding_backward, np.ones((2, 5))),
        (lambda: layernorm(X, GAIN, GAIN), layernorm_backward, np.ones(4)),
        (lambda: rmsnorm(X, GAIN), rmsnorm_backward, np.ones((2, 3, 1))),
        (lambda: mlp(X, W, B2, W.T, GAIN), mlp_backward, np.ones((3, 4))),
        (lambda: swiglu(X, W, W, W.T), swiglu_backward, np.ones((1, 3, 4))),
        (lambda: dropout(X, X > 0, 0.5), dropout_backward, np.ones((3, 4))),
        (lambda: mean_pool(X, MASK), mean_pool_backward, np.ones((1, 4))),
        (lambda: lstm(X, WX, WH, B8), lstm_backward, np.ones((2, 1, 2))),
    ],
)
def test_a_gradient_of_another_shape_is_refused(forward, backward, dout):
    _, cache = forward()
    with pytest.raises(ValueError, match="dout: expected"):
        backward(dout, cache)


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    "layer",
    [
        lambda x: linear(x, W, B2),
        lambda x: layernorm(x, GAIN, GAIN),
        lambda x: rmsnorm(x, GAIN),
        lambda x: mlp(x, W, B2, W.T, GAIN),
        lambda x: swiglu(x, W, W, W.T),
        lambda x: dropout(x, np.ones(x.shape, bool), 0.5),
        lambda x: mean_pool(x, MASK),
        lambda x: lstm(x, WX / 9, WH / 9, B8 / 9),
    ],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.bool_])
def test_whole_numbers_are_computed_in_float64(layer, dtype):
    x = (np.arange(24).reshape(2, 3, 4) * 10).astype(dtype)
    out, _ = layer(x)
    assert out.dtype == np.float64
    assert out.any()
    np.testing.assert_array_equal(out, layer(x.astype(np.float64))[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("held", [np.nan, np.inf, -np.inf])
def test_what_stands_in_the_padding_does_not_matter_to_the_mean(dtype, held):
    x = np.random.default_rng(0).standard_normal((2, 3, 4)).astype(dtype)
    mask = np.array([[1, 1, 0], [1, 0, 0]])
    want, _ = mean_pool(x, mask)
    x[mask == 0] = held
    out, cache = mean_pool(x, mask)
    np.testing.assert_array_equal(out, want)
    assert out.dtype == dtype
    assert not mean_pool_backward(np.ones_like(out), cache)[mask == 0].any()
