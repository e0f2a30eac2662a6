"""Recommending: no look ahead, ridge regressions against a solver, diversity against a plain loop."""

import numpy as np
import pytest

from fmkit import recommend as rc


@pytest.mark.parametrize("seed", range(10))
def test_nothing_in_training_is_as_late_as_the_test(seed):
    rng = np.random.default_rng(seed)
    times = rng.integers(0, 8, 30)  # many of one moment
    train, test = rc.split_by_time(times, 0.25)
    assert sorted([*train, *test]) == list(range(30))
    assert len(test) >= 7.5
    assert not len(train) or times[train].max() < times[test].min()


def test_no_share_no_test():
    assert rc.split_by_time(np.arange(3), 0.0)[1].size == 0


def ratings(rng, n=400, U=15, I=20):
    users, items = rng.integers(0, U, n), rng.integers(0, I, n)
    return users, items, rng.normal(3.5, 1.0, n) + rng.normal(0, 0.5, U)[users] + rng.normal(0, 0.5, I)[items]


def test_biases_are_a_ridge_regression():
    users, items, y = ratings(np.random.default_rng(0))
    mean, user, item = rc.fit_biases(users, items, y, 15, 20, damping=3.0, rounds=300)
    x = np.concatenate([np.eye(15)[users], np.eye(20)[items]], axis=1)
    w = np.linalg.solve(x.T @ x + 3.0 * np.eye(35), x.T @ (y - mean))
    np.testing.assert_allclose(np.concatenate([user, item]), w, atol=1e-8)


def test_who_was_never_seen_gets_nothing():
    users, items, y = ratings(np.random.default_rng(1))
    _, user, item = rc.fit_biases(users, items, y, 17, 22)
    p, q = rc.factorize(users, items, y - y.mean(), 17, 22, 3, np.random.default_rng(0))
    assert not user[15:].any() and not item[20:].any() and not p[15:].any() and not q[20:].any()


def test_each_round_solves_its_ridge_regressions():
    users, items, y = ratings(np.random.default_rng(2))
    p, q = rc.factorize(users, items, y - y.mean(), 15, 20, 3, np.random.default_rng(0), penalty=2.0)
    for i in range(20):  # the items were fitted last
        x, rest = p[users[items == i]], (y - y.mean())[items == i]
        np.testing.assert_allclose(q[i], np.linalg.solve(x.T @ x + 2.0 * np.eye(3), x.T @ rest), atol=1e-9)


def test_factors_find_two_tastes():
    rng = np.random.default_rng(3)
    users, items = (a.ravel() for a in np.meshgrid(np.arange(20), np.arange(30), indexing="ij"))
    taste, kind = rng.choice([-1, 1], 20), rng.choice([-1, 1], 30)
    rest = taste[users] * kind[items] + rng.normal(0, 0.3, 600)
    seen = rng.random(600) < 0.5
    p, q = rc.factorize(users[seen], items[seen], rest[seen], 20, 30, 2, rng, penalty=1.0)
    guess = (p[users] * q[items]).sum(1)[~seen]
    assert np.corrcoef(guess, rest[~seen])[0, 1] > 0.9


@pytest.mark.parametrize("mix", [0.0, 0.3, 0.7, 1.0])
def test_diversity_against_a_loop(mix):
    rng = np.random.default_rng(4)
    relevance, vectors = rng.random(12), rng.normal(size=(12, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = vectors @ vectors.T
    chosen = []
    for _ in range(6):
        best, best_gain = None, -np.inf
        for i in range(12):
            if i in chosen:
                continue
            near = max((similarity[i, j] for j in chosen), default=0.0)
            gain = mix * relevance[i] - (1 - mix) * near
            if gain > best_gain:
                best, best_gain = i, gain
        chosen.append(best)
    assert rc.diversify(relevance, similarity, 6, mix) == chosen


def test_relevance_alone_is_the_ranking():
    relevance = np.array([0.1, 0.9, 0.5])
    assert rc.diversify(relevance, np.ones((3, 3)), 3, mix=1.0) == [1, 2, 0]


def test_exposure_adds_up_and_counts_places():
    shares = rc.exposure(np.array([[0, 1, 2]]), np.array([0, 0, 1]), 2)
    weights = 1 / np.log2([2, 3, 4])
    np.testing.assert_allclose(shares, [weights[:2].sum() / weights.sum(), weights[2] / weights.sum()])
