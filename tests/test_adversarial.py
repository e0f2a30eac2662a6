"""Attacks stay within their bounds and do harm, a certificate keeps its word."""

import math

import numpy as np
import pytest

from fmkit import adversarial as adv


def half(w):
    """Loss log(1 + exp(-w.x)): its slope, for a batch or one."""
    return lambda x: -w / (1 + np.exp((x * w).sum(-1, keepdims=True)))


def test_fgsm_is_the_worst_there_is_for_a_linear_model():
    rng = np.random.default_rng(0)
    x, w, eps = rng.uniform(0.2, 0.8, 6), rng.normal(size=6), 0.1
    worst = adv.fgsm(x, half(w)(x), eps)
    corners = x + eps * np.array(np.meshgrid(*[[-1, 1]] * 6)).reshape(6, -1).T
    assert worst @ w == pytest.approx((corners @ w).min())


@pytest.mark.parametrize("start", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pgd_stays_within_its_bounds(start, dtype):
    rng = np.random.default_rng(0)
    x, w = rng.uniform(0, 1, (4, 9)).astype(dtype), rng.normal(size=9).astype(dtype)
    x[0, :2] = 0, 1
    out = adv.pgd(x, half(w), 0.1, 0.03, 15, rng if start else None)
    assert out.dtype == dtype and np.abs(out - x).max() <= 0.1 + 1e-6
    assert out.min() >= 0 and out.max() <= 1
    assert ((out @ w) < (x @ w)).all()


def test_pgd_finds_what_one_step_misses():
    """The loss is a hill beside a slope: at its top the sign turns, one long step goes past it."""

    def slope(x):
        return np.cos(10 * x)  # of sin(10 x) / 10: largest at pi / 20

    x = np.array([0.05])
    one, many = adv.fgsm(x, slope(x), 0.2), adv.pgd(x, slope, 0.2, 0.02, 20)
    assert math.sin(10 * many[0]) > 0.95 > math.sin(10 * one[0])


def test_pgd_of_no_steps_or_no_room_changes_nothing():
    x = np.array([0.2, 0.4])
    assert adv.pgd(x, half(np.ones(2)), 0.1, 0.1, 0).tolist() == x.tolist()
    assert adv.pgd(x, half(np.ones(2)), 0.0, 0.1, 5).tolist() == x.tolist()


def test_votes_are_shares_of_the_bell():
    votes = adv.smoothed_votes(
        lambda x: (x[:, 0] > 0).astype(int),
        np.array([1.0, 5.0]),
        2.0,
        20000,
        3,
        np.random.default_rng(0),
        999,
    )
    assert votes.sum() == 20000 and votes[2] == 0 and votes[1] / 20000 == pytest.approx(0.6915, abs=0.012)


def test_a_certificate_of_a_linear_model_is_near_its_true_distance():
    """Smoothing leaves a linear model what it is: the distance is known, and the proof must not pass it."""
    rng, w = np.random.default_rng(0), np.array([3.0, 4.0])
    over = 0
    for _ in range(60):
        x = rng.normal(size=2)
        distance = abs(x @ w) / 5
        votes = adv.smoothed_votes(lambda v: (v @ w > 0).astype(int), x, 0.5, 2000, 2, rng)
        radius = adv.certified_radius(int(votes[int(x @ w > 0)]), 2000, 0.5, alpha=0.01)
        over += radius > distance
        if 0.2 < distance < 1.0:
            assert radius > 0.6 * distance
    assert over <= 3


def test_more_votes_prove_more():
    radii = [adv.certified_radius(n, n, 1.0) for n in (10, 100, 1000, 10_000)]
    assert radii == sorted(radii) and radii[0] == pytest.approx(0.0, abs=0.1) and radii[-1] > 3
    assert adv.certified_radius(500, 1000, 1.0) == 0.0


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: adv.fgsm(np.array([2.0]), np.ones(1), 0.1), "x: expected numbers from 0 to 1"),
        (lambda: adv.fgsm(np.array([0.5]), np.ones(2), 0.1), "grad: expected as x"),
        (lambda: adv.fgsm(np.array([0.5]), np.ones(1), -0.1), "eps: expected a number >= 0"),
        (lambda: adv.pgd(np.array([0.5]), lambda x: x, 0.1, 0.1, -1), "steps: expected a whole number >= 0"),
        (lambda: adv.certified_radius(3, 2, 0.1), "found: expected at most 2"),
    ],
)
def test_what_cannot_be_meant_is_refused(call, message, as_a_learner):
    with pytest.raises(ValueError, match=message):
        call()
