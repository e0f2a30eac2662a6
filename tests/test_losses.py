"""Losses: numbers that can be worked out by hand, huge logits, and what is refused."""

import math

import numpy as np
import pytest

from fmkit.losses import (
    binary_cross_entropy,
    binary_cross_entropy_backward,
    cross_entropy,
    cross_entropy_backward,
    kl_divergence,
    kl_divergence_backward,
    mse,
    mse_backward,
)

both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@pytest.fixture(autouse=True)
def no_floating_point_warning():
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        yield


def test_mse_by_hand():
    loss, cache = mse(np.array([[1.0, 5.0]]), np.array([[4.0, 1.0]]))
    assert loss == 12.5  # (9 + 16) / 2
    assert mse_backward(1.0, cache).tolist() == [[-3.0, 4.0]]


def test_uniform_logits_cost_log_v():
    loss, _ = cross_entropy(np.zeros((2, 3, 7)), np.array([[0, 1, 2], [3, 4, 5]]))
    assert loss == pytest.approx(math.log(7))


@both_dtypes
def test_cross_entropy_of_huge_logits(dtype):
    logits = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0]], dtype)
    loss, cache = cross_entropy(logits, np.array([1, 1]))  # wrong by 2e4, then right
    assert loss == 1e4
    assert cross_entropy_backward(1.0, cache).tolist() == [[0.5, -0.5, 0.0], [0.0, 0.0, 0.0]]
    smoothed, cache = cross_entropy(logits, np.array([1, 1]), label_smoothing=0.1)
    assert np.isfinite(smoothed)
    assert np.isfinite(cross_entropy_backward(1.0, cache)).all()


@both_dtypes
def test_cross_entropy_with_classes_that_are_ruled_out(dtype):
    loss, cache = cross_entropy(np.array([[0.0, -np.inf, 0.0]], dtype), np.array([2]))
    assert loss == pytest.approx(math.log(2))
    assert cross_entropy_backward(1.0, cache).tolist() == [[0.5, 0.0, -0.5]]


@both_dtypes
def test_binary_cross_entropy_of_huge_logits(dtype):
    logits, targets = np.array([1e4, -1e4, 1e4, 0.0], dtype), np.array([1.0, 0.0, 0.0, 1.0], dtype)
    loss, cache = binary_cross_entropy(logits, targets)
    assert loss == pytest.approx((0.0 + 0.0 + 1e4 + math.log(2)) / 4)
    assert binary_cross_entropy_backward(1.0, cache).tolist() == [0.0, 0.0, 0.25, -0.125]


@both_dtypes
@pytest.mark.parametrize("dout", [1.0, np.float32(0.5)])
def test_the_loss_and_its_gradient_keep_the_dtype(dtype, dout):
    x = np.random.default_rng(0).standard_normal((3, 5)).astype(dtype)
    p = np.full((3, 5), 0.2, dtype)
    for forward, backward, target in [
        (mse, mse_backward, p),
        (binary_cross_entropy, binary_cross_entropy_backward, p),
        (cross_entropy, cross_entropy_backward, np.array([0, 4, 2], np.int32)),
        (kl_divergence, kl_divergence_backward, p),
    ]:
        loss, cache = forward(x, target)
        assert loss.dtype == dtype
        assert np.ndim(loss) == 0
        assert backward(dout, cache).dtype == dtype


def test_ignored_rows_get_no_gradient_and_do_not_change_the_loss():
    logits = np.random.default_rng(0).standard_normal((4, 5))
    kept, cache_kept = cross_entropy(logits[[0, 2]], np.array([3, 1]))
    loss, cache = cross_entropy(logits, np.array([3, -100, 1, -100]))
    assert loss == pytest.approx(kept, rel=1e-14)
    dlogits = cross_entropy_backward(1.0, cache)
    np.testing.assert_allclose(dlogits[[0, 2]], cross_entropy_backward(1.0, cache_kept), rtol=1e-14)
    assert not dlogits[[1, 3]].any()


def test_a_batch_whose_targets_are_all_ignored_is_refused():
    with pytest.raises(ValueError, match="every target is ignored"):
        cross_entropy(np.zeros((2, 5)), np.array([-100, -100]))


@pytest.mark.parametrize("target", [5, -1])
def test_a_target_that_is_no_class_is_refused(target):
    with pytest.raises(ValueError, match="but 5 classes"):
        cross_entropy(np.zeros((2, 5)), np.array([0, target]))


@both_dtypes
def test_kl_divergence_by_hand(dtype):
    p = np.array([[1.0, 0.0]], dtype)
    q = np.array([[0.25, 0.75]], dtype)
    loss, cache = kl_divergence(np.log(q), p)
    assert loss == pytest.approx(math.log(4))
    assert kl_divergence_backward(1.0, cache).tolist() == [[-1.0, 0.0]]
    assert kl_divergence(np.log(q), q)[0] == pytest.approx(0.0, abs=1e-7)
