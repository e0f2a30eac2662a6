"""Losses: numbers that can be worked out by hand, huge logits, and what is refused."""

import math

import numpy as np
import pytest
import torch

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


# ----------------------------------------------------------------------------------------- ignored positions

ANYTHING = {
    "nan": [np.nan] * 5,
    "inf": [np.inf, 0.0, 0.0, np.inf, 0.0],
    "all ruled out": [-np.inf] * 5,
    "all of it": [np.nan, np.inf, -np.inf, 0.0, 1e30],
}


@both_dtypes
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("ignore_index", [-100, 0, 4])
@pytest.mark.parametrize("held", ANYTHING.values(), ids=ANYTHING)
def test_what_an_ignored_position_holds_does_not_matter(dtype, smoothing, ignore_index, held):
    logits = np.random.default_rng(0).standard_normal((2, 3, 5)).astype(dtype)
    targets = np.array([[3, ignore_index, 1], [ignore_index, 2, 1]])
    loss, cache = cross_entropy(logits, targets, ignore_index, smoothing)
    dlogits = cross_entropy_backward(1.0, cache)
    logits[targets == ignore_index] = held
    again, cache = cross_entropy(logits, targets, ignore_index, smoothing)
    assert again == loss
    np.testing.assert_array_equal(cross_entropy_backward(1.0, cache), dlogits)
    assert not dlogits[targets == ignore_index].any()
    assert np.array_equal(logits[0, 1], np.array(held, dtype), equal_nan=True)  # it was not overwritten


@both_dtypes
def test_a_ruled_out_class_0_beside_ignored_positions_is_torchs(dtype):
    logits = np.random.default_rng(0).standard_normal((4, 5)).astype(dtype)
    logits[:, 0] = -np.inf  # [PAD] is never predicted
    targets = np.array([1, -100, 3, -100])
    theirs = torch.tensor(logits, requires_grad=True)
    wanted = torch.nn.functional.cross_entropy(theirs, torch.tensor(targets))
    wanted.backward()
    loss, cache = cross_entropy(logits, targets)
    assert loss == pytest.approx(wanted.item(), rel=1e-6)
    np.testing.assert_allclose(cross_entropy_backward(1.0, cache), theirs.grad.numpy(), atol=1e-7)


def test_a_counted_row_without_a_number_is_not_hidden():
    logits = np.zeros((2, 3))
    logits[0] = np.nan
    with np.errstate(invalid="ignore"):
        assert np.isnan(cross_entropy(logits, np.array([1, -100]))[0])


def test_where_p_is_0_log_q_does_not_matter():
    p = np.array([[0.5, 0.5, 0.0]])
    log_q = np.log(np.array([[0.25, 0.75, 1.0]]))
    loss, _ = kl_divergence(log_q, p)
    log_q[0, 2] = -np.inf
    assert kl_divergence(log_q, p)[0] == loss == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(2 / 3))


# ------------------------------------------------------------------------------------------------- refusals

X34, IDS3 = np.zeros((3, 4)), np.array([0, 1, 2])


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: cross_entropy(X34, IDS3[:1]), ValueError, r"targets: expected \(...\) = \(3,\), got \(1,\)"),
        (lambda: cross_entropy(X34, IDS3[:, None]), ValueError, r"got \(3, 1\)"),
        (lambda: cross_entropy(X34, np.zeros(4, int)), ValueError, r"got \(4,\)"),
        (lambda: cross_entropy(X34[None], IDS3), ValueError, r"= \(1, 3\), got \(3,\)"),
        (lambda: cross_entropy(X34, np.array(1)), ValueError, r"got \(\)"),
        (lambda: cross_entropy(X34, [0, 1, 2]), TypeError, "targets: .* got a list"),
        (lambda: cross_entropy(X34, IDS3 / 2), TypeError, "targets: .* got float64"),
        (lambda: cross_entropy(X34, IDS3 > 0), TypeError, "targets: .* got bool"),
        (lambda: cross_entropy(X34.tolist(), IDS3), TypeError, "logits: .* got a list"),
        (lambda: cross_entropy(X34.astype(np.float16), IDS3), TypeError, "logits: .* got float16"),
        (lambda: cross_entropy(np.float64(1), np.array(0)), ValueError, "logits: expected 1 axis"),
        (lambda: cross_entropy(X34[:0], IDS3[:0]), ValueError, "no loss"),
        (
            lambda: cross_entropy(X34[:, :0], IDS3),
            ValueError,
            r"logits: expected a class at least, got \(3, 0\)",
        ),
        (
            lambda: cross_entropy(X34, IDS3, label_smoothing=1.5),
            ValueError,
            "label_smoothing: expected .* got 1.5",
        ),
        (lambda: cross_entropy(X34, IDS3, label_smoothing=-0.1), ValueError, "got -0.1"),
        (lambda: cross_entropy(X34, IDS3, label_smoothing=math.nan), ValueError, "got nan"),
        (lambda: mse(np.zeros((5, 1)), np.zeros(5)), ValueError, r"target: .* = \(5, 1\), got \(5,\)"),
        (lambda: mse(np.zeros(5), 0.0), ValueError, r"target: .* got \(\)"),
        (lambda: mse(np.zeros(0), np.zeros(0)), ValueError, "pred: expected at least one entry"),
        (lambda: mse([1.0], [1.0]), TypeError, "pred: .* got a list"),
        (
            lambda: binary_cross_entropy(np.zeros(4), np.zeros((4, 1))),
            ValueError,
            r"targets: .* got \(4, 1\)",
        ),
        (
            lambda: binary_cross_entropy(np.zeros(2), np.array([-1.0, 1.0])),
            ValueError,
            "targets: expected 0 to 1",
        ),
        (lambda: binary_cross_entropy(np.zeros(0), np.zeros(0)), ValueError, "logits: expected at least one"),
        (lambda: kl_divergence(np.zeros((2, 3)), np.zeros(3)), ValueError, r"p: .* = \(2, 3\), got \(3,\)"),
        (
            lambda: kl_divergence(np.zeros((0, 3)), np.zeros((0, 3))),
            ValueError,
            "log_q: expected at least one",
        ),
        (lambda: kl_divergence(0.0, 1.0), ValueError, "log_q: expected 1 axis"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.usefixtures("as_a_learner")
def test_the_gradient_that_enters_is_one_number():
    x = np.full((2, 3), 0.5)
    for forward, backward, target in [
        (mse, mse_backward, x),
        (binary_cross_entropy, binary_cross_entropy_backward, x),
        (cross_entropy, cross_entropy_backward, np.array([0, 2])),
        (kl_divergence, kl_divergence_backward, x),
    ]:
        _, cache = forward(x, target)
        with pytest.raises(ValueError, match="dout: expected one number"):
            backward(np.ones(2), cache)


@pytest.mark.usefixtures("as_a_learner")
def test_bytes_do_not_wrap_around():
    assert mse(np.array([0], np.uint8), np.array([2], np.uint8))[0] == 4.0
    logits = np.array([[0, 200, 100]], np.uint8)
    assert cross_entropy(logits, np.array([0]))[0] == cross_entropy(logits.astype(float), np.array([0]))[0]
