"""Attacks and accounts against known figures, norms against gradients, the audit against chance."""

import math

import numpy as np
import pytest

from fmkit import privacy
from fmkit.layers import linear, linear_backward
from fmkit.losses import cross_entropy, cross_entropy_backward

scipy_stats = pytest.importorskip("scipy.stats")


# --- membership ---------------------------------------------------------------------------------------------


def test_log_odds_keep_what_a_probability_near_one_loses():
    probs = np.array([[1 - 1e-20, 1e-20], [1.0, 0.0], [0.0, 1.0]])
    odds = privacy.log_odds(probs, np.zeros(3, int))
    assert odds[0] == pytest.approx(math.log(1e20)) and odds[1] > 60 and odds[2] < -60
    p = np.random.default_rng(0).dirichlet(np.ones(4), 6)
    right = p[:, 2]
    np.testing.assert_allclose(privacy.log_odds(p, np.full(6, 2)), np.log(right / (1 - right)), rtol=1e-9)


def test_likelihood_ratio_is_that_of_two_bells():
    rng = np.random.default_rng(0)
    inside, outside, score = rng.normal(3, 2, (7, 9)), rng.normal(0, 1, (7, 5)), rng.normal(size=7)
    spread = [np.sqrt(((own - own.mean(1, keepdims=True)) ** 2).mean()) for own in (inside, outside)]
    logs = [
        scipy_stats.norm.logpdf(score, own.mean(1), s)
        for own, s in zip((inside, outside), spread, strict=True)
    ]
    np.testing.assert_allclose(privacy.likelihood_ratio(score, inside, outside), logs[0] - logs[1])


@pytest.mark.parametrize("fpr", [0.0, 0.01, 0.1, 0.5, 0.99, 1.0])
def test_no_more_of_the_others_are_accused_than_allowed(fpr):
    rng = np.random.default_rng(1)
    member, other = rng.integers(0, 12, 40) + 2.0, rng.integers(0, 12, 30) + 0.0
    found = privacy.tpr_at_fpr(member, other, fpr)
    shares = [  # of every threshold that may be taken, the best
        (member > t).mean() for t in (*other, *member, -1.0) if (other > t).mean() <= fpr
    ]
    assert found == max(shares)


def test_an_attack_on_equals_finds_as_many_as_it_accuses():
    rng = np.random.default_rng(2)
    assert privacy.tpr_at_fpr(rng.normal(size=20000), rng.normal(size=20000), 0.1) == pytest.approx(
        0.1, abs=0.01
    )


# --- DP-SGD -------------------------------------------------------------------------------------------------


def test_norms_are_those_of_each_examples_own_gradient():
    rng = np.random.default_rng(0)
    x, w, b, y = rng.normal(size=(5, 3)), rng.normal(size=(3, 4)), rng.normal(size=4), rng.integers(0, 4, 5)
    logits, cache = linear(x, w, b)
    dout = cross_entropy_backward(np.float64(1.0), cross_entropy(logits, y)[1]) * len(x)  # of a sum
    squared = privacy.squared_norms(x, dout)
    for i in range(5):
        one, cache = linear(x[i : i + 1], w, b)
        alone = cross_entropy_backward(np.float64(1.0), cross_entropy(one, y[i : i + 1])[1])
        _, dw, db = linear_backward(alone, cache)
        assert squared[i] == pytest.approx((dw**2).sum() + (db**2).sum())


def test_norms_are_those_of_torchs_gradients_through_two_layers():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(6, 4)), rng.integers(0, 3, 6)
    shapes = (4, 5), (5,), (5, 3), (3,)
    w1, b1, w2, b2 = params = [torch.tensor(rng.normal(size=s), requires_grad=True) for s in shapes]
    h = torch.relu(torch.tensor(x) @ w1 + b1)
    h.retain_grad()
    z = torch.tensor(x) @ w1.detach() + b1.detach()
    logits = h @ w2 + b2
    logits.retain_grad()
    torch.nn.functional.cross_entropy(logits, torch.tensor(y), reduction="sum").backward()
    dhidden = (h.grad * (z > 0)).numpy()
    squared = privacy.squared_norms(x, dhidden)
    squared = squared + privacy.squared_norms(h.detach().numpy(), logits.grad.numpy())
    for i in range(6):
        one = torch.relu(torch.tensor(x[i : i + 1]) @ w1 + b1) @ w2 + b2
        loss = torch.nn.functional.cross_entropy(one, torch.tensor(y[i : i + 1]))
        grads = torch.autograd.grad(loss, params)
        assert squared[i] == pytest.approx(sum(float((g**2).sum()) for g in grads), rel=1e-10)


def test_clipping_shortens_the_long_and_leaves_the_short():
    grads = np.random.default_rng(0).normal(size=(8, 5)) * np.arange(8)[:, None]
    clipped = grads * privacy.clip_factors((grads**2).sum(1), 3.0)[:, None]
    before, after = (np.linalg.norm(g, axis=1) for g in (grads, clipped))
    np.testing.assert_allclose(after, np.minimum(before, 3.0))
    assert privacy.clip_factors(np.zeros(2, np.float32), 1.0).dtype == np.float32


def test_noise_is_drawn_for_every_number_and_scaled_by_the_clip():
    out = privacy.add_noise(np.zeros((200, 300)), 0.5, 3.0, 10, np.random.default_rng(0))
    assert out.std() == pytest.approx(0.15, rel=0.02) and len(np.unique(out)) == out.size
    assert out.mean() == pytest.approx(0, abs=0.003)
    assert (
        privacy.add_noise(np.zeros(3, np.float32), 1.0, 1.0, 1, np.random.default_rng(0)).dtype == np.float32
    )


def test_poisson_batches_differ_in_size():
    rng = np.random.default_rng(0)
    sizes = [len(privacy.poisson_batch(200, 0.05, rng)) for _ in range(2000)]
    assert np.mean(sizes) == pytest.approx(10, abs=0.3) and np.var(sizes) == pytest.approx(9.5, rel=0.1)


# --- the accountant -----------------------------------------------------------------------------------------


def test_published_figures():
    classic = {"classic": True}
    assert privacy.epsilon(0.01, 4.0, 10_000, 1e-5, **classic) == pytest.approx(1.26, abs=0.005)
    steps = 60 * 60_000 // 256  # the MNIST tutorial of TensorFlow Privacy
    assert privacy.epsilon(256 / 60_000, 1.1, steps, 1e-5, **classic) == pytest.approx(3.01, abs=0.005)


@pytest.mark.parametrize("order", [2, 3, 8])
@pytest.mark.parametrize("q, sigma", [(0.01, 1.0), (0.2, 2.0), (0.7, 0.8)])
def test_renyi_is_the_integral(q, sigma, order):
    z = np.linspace(-40, 60, 2_000_001)
    base = -(z**2) / (2 * sigma**2) - math.log(math.sqrt(2 * math.pi) * sigma)
    ratio = np.logaddexp(math.log(1 - q), math.log(q) + (2 * z - 1) / (2 * sigma**2))
    moment = np.exp(base + order * ratio).sum() * (z[1] - z[0])
    assert privacy.renyi(q, sigma, order) == pytest.approx(math.log(moment) / (order - 1), rel=1e-6)


def test_epsilon_goes_where_it_should():
    base = privacy.epsilon(0.1, 1.0, 100, 1e-4)
    assert privacy.epsilon(0.1, 1.0, 200, 1e-4) > base > privacy.epsilon(0.1, 2.0, 100, 1e-4)
    assert privacy.epsilon(0.2, 1.0, 100, 1e-4) > base > privacy.epsilon(0.1, 1.0, 100, 1e-3)
    assert privacy.epsilon(0.1, 1.0, 100, 1e-4, classic=True) > base
    assert privacy.epsilon(0.0, 1.0, 100, 1e-4) == 0.0


def test_the_accountant_is_above_the_exact_figure_where_there_is_one():
    for sigma in (1.0, 2.0, 5.0):
        exact = privacy.gaussian_epsilon(math.sqrt(16) / sigma, 1e-5)
        assert exact < privacy.epsilon(1.0, sigma, 16, 1e-5) < 1.25 * exact


@pytest.mark.parametrize("mu, delta", [(0.5, 1e-5), (1.0, 0.01), (2.0, 0.01), (6.0, 1e-5), (40.0, 1e-3)])
def test_gaussian_epsilon_and_delta_undo_each_other(mu, delta):
    eps = privacy.gaussian_epsilon(mu, delta)
    assert privacy.gaussian_delta(mu, eps) == pytest.approx(delta, rel=1e-6)
    if mu < 10:
        cdf = scipy_stats.norm.cdf
        exact = cdf(mu / 2 - eps / mu) - math.exp(eps) * cdf(-mu / 2 - eps / mu)
        assert exact == pytest.approx(delta, rel=1e-5)


def test_no_difference_costs_nothing():
    assert privacy.gaussian_epsilon(0.0, 1e-5) == 0.0 == privacy.gaussian_epsilon(1e-3, 0.01)


# --- the audit ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("found, n", [(0, 5), (3, 20), (19, 20), (20, 20), (700, 2000)])
@pytest.mark.parametrize("alpha", [0.2, 0.005])
def test_upper_bounds_are_clopper_and_pearsons(found, n, alpha):
    exact = scipy_stats.beta.ppf(1 - alpha, found + 1, n - found) if found < n else 1.0
    assert privacy.binomial_upper(found, n, alpha) == pytest.approx(exact, rel=1e-6)


def test_an_audit_of_bells_stays_below_the_truth_and_near_it():
    rng = np.random.default_rng(0)
    for mu in (0.0, 0.5, 1.0, 3.0):
        bounds = [privacy.mu_lower(rng.normal(size=3000), rng.normal(size=3000) + mu) for _ in range(40)]
        assert sum(bound > mu for bound in bounds) <= 1 and np.mean(bounds) > 0.9 * mu - 0.2


def test_it_does_not_matter_on_which_side_the_canary_pulls():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=2000), rng.normal(size=2000) + 2
    assert privacy.mu_lower(a, b) == pytest.approx(privacy.mu_lower(-a, -b), abs=0.1)
    assert privacy.mu_lower(a, b) > 1.7


def test_worlds_without_noise_are_told_apart_for_certain():
    assert privacy.mu_lower(np.zeros(1000), np.ones(1000)) > 4
    assert privacy.mu_lower(np.zeros(1000), np.zeros(1000)) == 0.0


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: privacy.tpr_at_fpr(np.ones(2), np.ones(0)), "other: expected a score at least"),
        (lambda: privacy.tpr_at_fpr(np.ones(2), np.ones(2), 1.5), "fpr: expected a number >= 0 and <= 1"),
        (lambda: privacy.clip_factors(np.ones(2), 0.0), "clip: expected a number > 0"),
        (lambda: privacy.renyi(0.1, 1.0, 1), "order: expected a whole number >= 2, got 1"),
        (lambda: privacy.epsilon(0.1, 1.0, 10, 0.0), "delta: expected a number > 0"),
        (lambda: privacy.squared_norms(np.ones((2, 3)), np.ones((3, 3))), "dout"),
        (
            lambda: privacy.likelihood_ratio(np.ones(1), np.ones((1, 1)), np.ones((1, 2))),
            "inside: expected two",
        ),
        (lambda: privacy.binomial_upper(3, 2, 0.1), "found: expected at most 2"),
        (lambda: privacy.mu_lower(np.ones(3), np.ones(9)), "4 games each"),
    ],
)
def test_what_cannot_be_meant_is_refused(call, message, as_a_learner):
    with pytest.raises(ValueError, match=message):
        call()
