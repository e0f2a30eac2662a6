"""Explanations of functions whose answers are known: completeness, known orders, known leaks."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmkit.explain import (
    area,
    attention_rollout,
    control_labels,
    deletion_curve,
    fit_probe,
    insertion_curve,
    integrated_gradients,
    lime,
    occlusion,
    shapley,
    shapley_sampled,
    smoothgrad,
    trial,
)


def net(seed, n=5, h=4):
    """A small network: its score of (S, n) points, and its slopes."""
    rng = np.random.default_rng(seed)
    w1, b1, w2 = rng.normal(size=(n, h)), rng.normal(size=h), rng.normal(size=h)

    def score(points):
        return np.tanh(points @ w1 + b1) @ w2

    def slopes(points):
        return ((1 - np.tanh(points @ w1 + b1) ** 2) * w2) @ w1.T

    return score, slopes


def game(seed, n):
    """A random game: the scores of all coalitions, and value(masks)."""
    values = np.random.default_rng(seed).normal(size=2**n)
    return values, lambda masks: values[(masks > 0) @ (1 << np.arange(n))]


# ---------------------------------------------------------------------------------------------- with slopes


@pytest.mark.parametrize("seed", range(3))
def test_integrated_gradients_are_complete(seed):
    score, slopes = net(seed)
    x, baseline = np.random.default_rng(seed + 9).normal(size=(2, 5))
    gained = score(x[None])[0] - score(baseline[None])[0]
    assert integrated_gradients(slopes, x, baseline, steps=400).sum() == pytest.approx(gained, abs=1e-4)
    coarse = abs(integrated_gradients(slopes, x, baseline, steps=4).sum() - gained)
    fine = abs(integrated_gradients(slopes, x, baseline, steps=64).sum() - gained)
    assert fine < coarse


def test_integrated_gradients_of_a_square_are_exact_in_one_step():
    x, baseline = np.array([[3.0, -1.0]]), np.array([[1.0, 2.0]])
    found = integrated_gradients(lambda p: 2 * p, x, baseline, steps=1)
    np.testing.assert_allclose(found, x**2 - baseline**2)


def test_smoothgrad_is_the_mean_slope_near_by():
    _, slopes = net(0)
    x = np.random.default_rng(1).normal(size=5)
    np.testing.assert_allclose(smoothgrad(slopes, x, np.random.default_rng(0), 0.0), slopes(x[None])[0])
    kink = smoothgrad(np.sign, np.zeros(1), np.random.default_rng(0), sigma=1.0, draws=4000)
    assert abs(kink[0]) < 0.05


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_slopes_keep_the_dtype(dtype):
    x = np.ones(3, dtype)
    assert integrated_gradients(lambda p: 2 * p, x, 0 * x).dtype == dtype
    assert smoothgrad(lambda p: 2 * p, x, np.random.default_rng(0), 0.1).dtype == dtype


# ------------------------------------------------------------------------------------- by taking parts away


def by_orders(values, n):
    gains = np.zeros(n)
    for order in itertools.permutations(range(n)):
        k = 0
        for i in order:
            gains[i] += values[k | 1 << i] - values[k]
            k |= 1 << i
    return gains / math.factorial(n)


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_shapley_is_the_mean_over_all_orders(n):
    values, _ = game(n, n)
    found = shapley(values)
    np.testing.assert_allclose(found, by_orders(values, n), atol=1e-12)
    assert found.sum() == pytest.approx(values[-1] - values[0])


def test_shapley_sampled_is_complete_and_comes_near():
    values, value = game(4, 6)
    few = shapley_sampled(value, 6, np.random.default_rng(0), orders=1)
    many = shapley_sampled(value, 6, np.random.default_rng(0), orders=3000)
    assert few.sum() == pytest.approx(values[-1] - values[0])
    np.testing.assert_allclose(many, shapley(values), atol=0.06)


def test_occlusion_and_lime_of_a_sum_are_its_terms():
    terms = np.array([2.0, -1.0, 0.5, 0.0])
    sums = lambda masks: masks @ terms + 3  # noqa: E731
    masks = np.random.default_rng(0).integers(0, 2, (40, 4))
    np.testing.assert_allclose(occlusion(sums, 4), terms, atol=1e-12)
    weights, intercept = lime(masks, sums(masks), ridge=0.0)
    np.testing.assert_allclose(weights, terms, atol=1e-8)
    assert intercept == pytest.approx(3)


def test_occlusion_sees_neither_of_two_that_replace_each_other():
    either = lambda masks: masks[:, :2].max(1)  # noqa: E731
    np.testing.assert_allclose(occlusion(either, 3), 0)
    np.testing.assert_allclose(shapley(either((np.arange(8)[:, None] >> np.arange(3)) & 1)), [0.5, 0.5, 0])


def test_lime_is_weighted_least_squares():
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(3)
    masks, y = rng.integers(0, 2, (50, 6)), rng.normal(size=50)
    away = 1 - np.sqrt(masks.mean(1))
    for width, ridge in ((0.25, 0.5), (1.0, 1e-3)):
        theirs = Ridge(alpha=ridge).fit(masks, y, sample_weight=np.exp(-((away / width) ** 2)))
        weights, intercept = lime(masks, y, width, ridge)
        np.testing.assert_allclose(weights, theirs.coef_, atol=1e-8)
        assert intercept == pytest.approx(theirs.intercept_)


# ------------------------------------------------------------------------------------------------ attention


def test_rollout_rows_sum_to_1_and_layers_go_from_first_to_last():
    weights = np.random.default_rng(0).dirichlet(np.ones(4), (3, 2, 4))
    found = attention_rollout(weights)
    np.testing.assert_allclose(found.sum(1), 1)
    steps = [(layer.mean(0) + np.eye(4)) / 2 for layer in weights]
    np.testing.assert_allclose(found, steps[2] @ steps[1] @ steps[0])


# ------------------------------------------------------------------------------------- is it an explanation?


@given(st.integers(0, 10_000), st.integers(1, 6))
def test_curves_begin_and_end_where_they_should(seed, n):
    values, value = game(seed, n)
    numbers = np.random.default_rng(seed).integers(-1, 2, n).astype(float)  # ties
    down, up = deletion_curve(value, numbers), insertion_curve(value, numbers)
    assert len(down) == len(up) == n + 1
    assert down[0] == up[-1] == values[-1] and down[-1] == up[0] == values[0]
    np.testing.assert_array_equal(
        down[::-1][1:-1], insertion_curve(value, numbers[::-1] * 0 - rank(numbers))[1:-1]
    )


def rank(numbers):
    """Of each part, its place in the order of deletion turned into a number: deleted last is largest."""
    return -np.argsort(np.argsort(-numbers, kind="stable")).astype(float)


def test_the_true_terms_of_a_sum_beat_every_other_order():
    terms = np.array([4.0, -2.0, 1.0, 0.5, -3.0])
    sums = lambda masks: masks @ terms  # noqa: E731
    best = area(deletion_curve(sums, terms)), area(insertion_curve(sums, terms))
    for order in itertools.permutations(range(5)):
        numbers = np.array(order, float)
        assert area(deletion_curve(sums, numbers)) >= best[0] - 1e-12
        assert area(insertion_curve(sums, numbers)) <= best[1] + 1e-12


def test_area_of_a_straight_line():
    assert area(np.array([1.0, 0.5, 0.0])) == 0.5
    assert area(np.array([2.0, 2.0])) == 2.0


def test_a_trial_can_be_lost():
    terms = np.array([4.0, -2.0, 1.0, 0.5, -3.0])
    sums = lambda masks: masks @ terms  # noqa: E731
    rng = np.random.default_rng
    assert trial(sums, terms, rng(0)).passed == (True, True)
    assert trial(sums, -terms, rng(0)).passed == (False, False)
    found = trial(sums, terms, rng(0), orders=3)
    assert len(found.random_deletion) == len(found.random_insertion) == 3
    constant = trial(lambda masks: np.ones(len(masks)), terms, rng(0))
    assert constant.passed == (False, False), "a tie is no victory"


# -------------------------------------------------------------------------------------------------- probing


def test_a_probe_finds_what_is_there_and_not_what_is_not():
    rng = np.random.default_rng(0)
    x, labels = rng.normal(size=(600, 8)), rng.integers(0, 3, 600)
    x[np.arange(600), labels] += 3
    w, b = fit_probe(x[:300], labels[:300], ridge=0.1)
    right = ((x[300:] @ w + b).argmax(1) == labels[300:]).mean()
    w, b = fit_probe(x[:300], rng.integers(0, 3, 300), ridge=0.1)
    chance = ((x[300:] @ w + b).argmax(1) == rng.integers(0, 3, 300)).mean()
    assert right > 0.85 and chance < 0.45


def test_a_probe_does_not_depend_on_units_and_survives_a_constant():
    rng = np.random.default_rng(1)
    x, labels = rng.normal(size=(40, 3)), rng.integers(0, 2, 40)
    w, b = fit_probe(x, labels)
    w2, b2 = fit_probe(x * [1.0, 1000.0, 1.0] + 5, labels)
    np.testing.assert_allclose(x @ w + b, (x * [1.0, 1000.0, 1.0] + 5) @ w2 + b2, atol=1e-9)
    w, b = fit_probe(np.c_[x, np.ones(40)], labels)
    assert np.isfinite(w).all() and np.isfinite(b).all()


def test_control_labels_hang_on_the_kind_only_and_are_as_frequent():
    rng = np.random.default_rng(0)
    kinds, labels = rng.integers(0, 5000, 20_000), (rng.random(20_000) < 0.2).astype(int)
    control = control_labels(kinds, labels, rng)
    of_kind = {}
    for kind, label in zip(kinds.tolist(), control.tolist(), strict=True):
        assert of_kind.setdefault(kind, label) == label
    assert abs(control.mean() - 0.2) < 0.03


# ------------------------------------------------------------------------------------------- what is refused


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: integrated_gradients(np.sign, np.ones(3), np.ones(2)), ValueError, "baseline"),
        (lambda: integrated_gradients(np.sign, np.ones(3), np.ones(3), 0), ValueError, "steps"),
        (lambda: integrated_gradients(lambda p: p[0], np.ones(3), np.ones(3)), ValueError, "gradient"),
        (lambda: smoothgrad(np.sign, np.ones(3), 0, 0.1), TypeError, "rng"),
        (lambda: smoothgrad(np.sign, np.ones(3), np.random.default_rng(0), -1.0), ValueError, "sigma"),
        (lambda: occlusion(lambda m: m, 3), ValueError, "value"),
        (lambda: lime(np.ones((3, 2)), np.ones(2)), ValueError, "y"),
        (lambda: lime(np.ones((3, 2)), np.ones(3), width=0.0), ValueError, "width"),
        (lambda: lime(np.ones((3, 2)), np.full(3, np.nan)), ValueError, "y: expected finite numbers"),
        (lambda: shapley(np.ones(3)), ValueError, r"values: expected 2\*\*n scores, got 3"),
        (lambda: shapley(np.ones(1)), ValueError, "values"),
        (lambda: attention_rollout(np.ones((2, 2, 3, 4))), ValueError, "weights"),
        (lambda: area(np.ones(1)), ValueError, "curve"),
        (lambda: fit_probe(np.ones((3, 2)), np.array([0.0, 1.0, 0.0])), TypeError, "labels"),
        (lambda: fit_probe(np.ones((3, 2)), np.array([0, 1, 0]), ridge=0.0), ValueError, "ridge"),
        (lambda: control_labels(np.arange(3), np.arange(2), np.random.default_rng(0)), ValueError, "labels"),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
