"""Convolutions: numbers that can be worked out by hand, and what ties one operation to another."""

import numpy as np
import pytest

from fmkit.convolution import (
    batchnorm,
    batchnorm_backward,
    batchnorm_eval,
    batchnorm_eval_backward,
    conv2d,
    conv2d_backward,
    global_mean_pool,
    max_pool2d,
    max_pool2d_backward,
    mean_pool2d,
    mean_pool2d_backward,
    running_statistics,
)
from fmkit.layers import linear, linear_backward

both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def one(numbers):
    """A picture of one channel, as a batch of one."""
    return np.array(numbers, np.float64)[None, :, :, None]


def test_a_convolution_by_hand():
    x, w = one([[1, 2, 3], [4, 5, 6]]), np.array([[1.0, 10.0], [100.0, 1000.0]])[:, :, None, None]
    out, cache = conv2d(x, w, np.array([0.5]))
    assert out[0, :, :, 0].tolist() == [[5421.5, 6532.5]]  # not flipped: the window's first pixel times 1
    dx, dw, db = conv2d_backward(one([[1, 2]]), cache)
    assert dx[0, :, :, 0].tolist() == [[1.0, 12.0, 20.0], [100.0, 1200.0, 2000.0]]
    assert dw[:, :, 0, 0].tolist() == [[5.0, 8.0], [14.0, 17.0]]
    assert db.tolist() == [3.0]


@both_dtypes
def test_a_window_of_one_pixel_is_a_linear_layer(rng, dtype):
    x, w, b = (rng.standard_normal(s).astype(dtype) for s in ((2, 4, 5, 3), (3, 6), 6))
    out, cache = conv2d(x, w[None, None], b)
    want, linear_cache = linear(x, w, b)
    np.testing.assert_allclose(out, want, rtol=1e-5, atol=1e-6)
    for got, wanted in zip(conv2d_backward(out, cache), linear_backward(want, linear_cache), strict=True):
        np.testing.assert_allclose(np.squeeze(got), np.squeeze(wanted), rtol=1e-4, atol=1e-5)
        assert got.dtype == dtype


def test_each_depthwise_channel_is_a_convolution_of_its_own(rng):
    x, w = rng.standard_normal((2, 6, 7, 3)), rng.standard_normal((3, 3, 1, 3))
    whole, _ = conv2d(x, w, stride=2, padding=1, groups=3)
    for c in range(3):
        alone, _ = conv2d(x[..., c : c + 1], w[..., c : c + 1], stride=2, padding=1)
        np.testing.assert_allclose(whole[..., c : c + 1], alone, rtol=1e-12)


def test_no_gradient_reaches_a_pixel_that_no_window_sees(rng):
    x, w = rng.standard_normal((1, 6, 6, 1)), rng.standard_normal((2, 2, 1, 1))
    out, cache = conv2d(x, w, stride=3)
    dx, _, _ = conv2d_backward(np.ones_like(out), cache)
    seen = dx[0, :, :, 0] != 0
    assert seen.any(1).tolist() == seen.any(0).tolist() == [True, True, False] * 2


@pytest.mark.parametrize("groups", [1, 2])
def test_without_dx_the_other_gradients_are_the_same(rng, groups):
    x, w = rng.standard_normal((2, 6, 5, 4)), rng.standard_normal((3, 3, 4 // groups, 6))
    out, cache = conv2d(x, w, np.zeros(6), stride=2, padding=1, groups=groups)
    dout = rng.standard_normal(out.shape)
    dx, dw, db = conv2d_backward(dout, cache, needs_dx=False)
    assert dx is None
    _, expected_dw, expected_db = conv2d_backward(dout, cache)
    np.testing.assert_array_equal(dw, expected_dw)
    np.testing.assert_array_equal(db, expected_db)


def test_no_pictures_at_all():
    out, cache = conv2d(np.ones((0, 5, 4, 2)), np.ones((3, 3, 2, 6)), padding=1)
    assert out.shape == (0, 5, 4, 6)
    dx, dw, _ = conv2d_backward(out, cache)
    assert dx.shape == (0, 5, 4, 2) and not dw.any()


def test_of_equal_numbers_the_first_gets_the_whole_gradient():
    out, cache = max_pool2d(np.zeros((1, 2, 2, 3)))
    assert max_pool2d_backward(np.ones_like(out), cache).sum((0, 3)).tolist() == [[3.0, 0.0], [0.0, 0.0]]


def test_a_pixel_that_is_the_largest_of_two_windows_gets_both_gradients():
    _, cache = max_pool2d(one([[0, 9, 0]] * 2), size=2, stride=1)
    assert max_pool2d_backward(one([[1, 2]]), cache)[0, :, :, 0].tolist() == [[0, 3, 0], [0, 0, 0]]


def test_windows_of_negative_numbers_keep_them():
    assert max_pool2d(-np.ones((1, 2, 2, 1)))[0].item() == -1.0  # nothing is padded with 0


def test_one_window_for_all_is_the_global_mean(rng):
    x = rng.standard_normal((2, 4, 4, 3))
    np.testing.assert_allclose(mean_pool2d(x, 4)[0][:, 0, 0], global_mean_pool(x)[0])


@both_dtypes
def test_means_hand_on_the_whole_gradient_and_its_dtype(rng, dtype):
    out, cache = mean_pool2d(rng.standard_normal((2, 6, 4, 3)).astype(dtype), 2)
    dx = mean_pool2d_backward(out, cache)
    assert dx.dtype == out.dtype == dtype
    assert dx.sum() == pytest.approx(out.sum(), abs=1e-5)


@both_dtypes
def test_a_batch_has_mean_0_and_variance_1_far_from_0(rng, dtype):
    x = (1000.0 + rng.standard_normal((9, 5, 4, 3))).astype(dtype)
    out, _ = batchnorm(x, np.ones(3, dtype), np.zeros(3, dtype))
    assert out.dtype == dtype
    np.testing.assert_allclose(out.mean((0, 1, 2)), 0.0, atol=2e-3)
    np.testing.assert_allclose(out.var((0, 1, 2)), 1.0, atol=2e-3)


@both_dtypes
def test_running_statistics_are_torchs_and_the_old_ones_are_left_alone(rng, dtype):
    torch = pytest.importorskip("torch")
    theirs = torch.nn.BatchNorm2d(3, momentum=0.3).to(getattr(torch, np.dtype(dtype).name))
    mean, var = first = np.zeros(3, dtype), np.ones(3, dtype)
    for _ in range(3):
        x = (2.0 + 3.0 * rng.standard_normal((2, 2, 5, 3))).astype(dtype)
        _, cache = batchnorm(x, np.ones(3, dtype), np.zeros(3, dtype))
        mean, var = running_statistics(cache, mean, var, momentum=0.3)
        theirs(torch.tensor(x).permute(0, 3, 1, 2))
    assert mean.dtype == var.dtype == dtype
    np.testing.assert_allclose(mean, theirs.running_mean, rtol=1e-5)
    np.testing.assert_allclose(var, theirs.running_var, rtol=1e-5)
    assert not first[0].any() and (first[1] == 1.0).all()


def test_a_trained_model_sees_each_image_by_itself(rng):
    x, w, b = rng.standard_normal((4, 2, 3, 5)), rng.standard_normal(5), rng.standard_normal(5)
    mean, var = rng.standard_normal(5), rng.random(5) + 0.1
    np.testing.assert_allclose(
        batchnorm_eval(x, w, b, mean, var)[0][:1], batchnorm_eval(x[:1], w, b, mean, var)[0], rtol=1e-12
    )
    assert not np.allclose(batchnorm(x, w, b)[0][:1], batchnorm(x[:1], w, b)[0])


def test_both_forms_agree_on_the_statistics_of_the_batch_and_differ_in_the_gradient(rng):
    x, w, b = rng.standard_normal((4, 2, 3, 5)), rng.standard_normal(5), rng.standard_normal(5)
    out, cache = batchnorm(x, w, b)
    same, eval_cache = batchnorm_eval(x, w, b, x.mean((0, 1, 2)), x.var((0, 1, 2)))
    np.testing.assert_allclose(out, same, rtol=1e-9)
    dout = rng.standard_normal(x.shape)
    dx = batchnorm_backward(dout, cache)[0]
    np.testing.assert_allclose(dx.sum((0, 1, 2)), 0.0, atol=1e-12)  # shifting a channel changes nothing
    assert np.abs(batchnorm_eval_backward(dout, eval_cache)[0].sum((0, 1, 2))).min() > 0.01


X, W = np.zeros((2, 5, 4, 6)), np.zeros((3, 3, 6, 4))


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: conv2d(X[0], W), r"x: expected \(B, H, W, C_in\), got shape \(5, 4, 6\)"),
        (lambda: conv2d(X, W[0]), r"w: expected \(i, j, C_in / groups, C_out\), got shape \(3, 6, 4\)"),
        (
            lambda: conv2d(X, W[:, :, :5]),
            r"w: expected \(i, j, C_in / groups, C_out\) = \(3, 3, 6, 4\), got \(3, 3, 5, 4\)",
        ),
        (lambda: conv2d(X, W, groups=2), r"w: expected .* = \(3, 3, 3, 4\), got \(3, 3, 6, 4\)"),
        (lambda: conv2d(X, W, groups=3), "groups: expected a divisor of 6 and 4, got 3"),
        (lambda: conv2d(X, W, stride=0), "stride: expected a whole number >= 1, got 0"),
        (lambda: conv2d(X, W, padding=-1), "padding: expected a whole number >= 0, got -1"),
        (lambda: conv2d(X, W, np.zeros(5)), r"b: expected \(C_out,\) = \(4,\), got \(5,\)"),
        (
            lambda: conv2d(X[:, :2], W),
            "x: expected room for a window of 3 x 3, got 2 x 4",
        ),
        (
            lambda: conv2d_backward(X, conv2d(X, W)[1]),
            r"dout: expected \(B, h, w, C_out\) = \(2, 3, 2, 4\), got \(2, 5, 4, 6\)",
        ),
        (lambda: max_pool2d(X, 0), "size: expected a whole number >= 1, got 0"),
        (lambda: mean_pool2d(X, 2, 0), "stride: expected a whole number >= 1, got 0"),
        (lambda: mean_pool2d(X[0], 2), r"x: expected \(B, H, W, C\), got shape \(5, 4, 6\)"),
        (
            lambda: max_pool2d(X, 5),
            "x: expected room for a window of 5 x 5, got 5 x 4",
        ),
        (lambda: global_mean_pool(X[:, :0]), r"x: expected a pixel at least, got \(2, 0, 4, 6\)"),
        (
            lambda: batchnorm(X[:1, :1, :1], X[0, 0, 0], X[0, 0, 0]),
            r"x: expected two numbers a channel at least, got \(1, 1, 1, 6\)",
        ),
        (lambda: batchnorm(X, np.ones(6), np.ones(1)), r"b: expected \(C,\) = \(6,\), got \(1,\)"),
        (
            lambda: batchnorm_eval(X, np.ones(6), np.ones(6), np.ones(6), -np.ones(6)),
            "var: expected numbers above 0, with eps, got -1.0 among them",
        ),
        (
            lambda: batchnorm(np.array([[1e30], [-1e30]], np.float32), np.ones(1), np.zeros(1)),
            r"x: expected numbers whose squares float32 can hold, got -1e\+30 to 1e\+30",
        ),
        (
            lambda: batchnorm_eval(X, np.ones(6), np.ones(6), np.ones(6), np.full(6, np.nan)),
            "var: expected numbers above 0, with eps, got nan among them",
        ),
        (
            lambda: running_statistics(batchnorm(X, np.ones(6), np.ones(6))[1], np.ones(5), np.ones(6)),
            r"mean: expected \(C,\) = \(6,\), got \(5,\)",
        ),
        (
            lambda: max_pool2d_backward(X, max_pool2d(X)[1]),
            r"dout: expected \(B, h, w, C\) = \(2, 2, 2, 6\), got \(2, 5, 4, 6\)",
        ),
    ],
)
def test_what_is_refused(call, said):
    with pytest.raises(ValueError, match="^" + said):
        call()
