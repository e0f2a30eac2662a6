"""Rates by group, by hand and against fairness's own identities; thresholds; words."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmkit.fairness import (
    Mix,
    association,
    calibration_by_group,
    chance,
    equalised_odds,
    group_rates,
    implied_fpr,
    largest_gap,
    rate_interval,
    weat,
    weat_p_value,
)


def people(seed, n=400, groups=2):
    """Scores that say something, with ties; the groups differ in prevalence and in how well they are told."""
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, n)
    target = (rng.random(n) < 0.25 + 0.3 * (group == 0)).astype(int)
    score = np.round(3 * (target * (1.2 - 0.5 * (group == 0)) + rng.normal(size=n)))
    return score, target, group


def test_rates_by_hand():
    target = np.array([0, 0, 0, 1, 1, 1, 1, 0])
    guess = np.array([1, 0, 0, 1, 1, 1, 0, 1])
    found = group_rates(target, guess, np.repeat(["x", "y"], [7, 1]))
    assert found["x"] == (7, 4 / 7, 4 / 7, 1 / 3, 1 / 4, 3 / 4, 2 / 3, 5 / 7)
    assert found["y"][:4] == (1, 0.0, 1.0, 1.0) and np.isnan(found["y"].fnr) and np.isnan(found["y"].npv)
    assert list(found) == ["x", "y"]


def test_booleans_and_numbers_are_the_same():
    _, target, group = people(0)
    guess = target[::-1].copy()
    assert group_rates(target, guess, group) == group_rates(target > 0, guess > 0, group)


def test_the_largest_gap_is_among_those_who_have_the_rate():
    target, guess = np.array([0, 0, 0, 1, 0]), np.array([1, 0, 0, 1, 1])
    found = group_rates(target, guess, np.array([0, 0, 1, 2, 3]))
    assert largest_gap(found, "fpr") == 1.0 and np.isnan(largest_gap(found, "fnr"))
    assert largest_gap(group_rates(target, guess, np.array([0, 0, 0, 0, 1])), "fpr") == pytest.approx(2 / 3)


@given(st.integers(0, 10_000))
def test_the_identity_holds_for_every_decision(seed):
    rng = np.random.default_rng(seed)
    target, guess = rng.integers(0, 2, (2, 40))
    rates = group_rates(target, guess, np.zeros(40, int))[0]
    if 0 < rates.prevalence < 1 and rates.ppv > 0:
        assert implied_fpr(rates.prevalence, rates.ppv, rates.fnr) == pytest.approx(rates.fpr)


def test_an_interval_of_a_rate():
    low, high = rate_interval(20, 100)
    assert low == pytest.approx(0.1334, abs=5e-5) and high == pytest.approx(0.2888, abs=5e-5)  # Wilson's
    assert rate_interval(0, 10)[0] == 0.0 and rate_interval(10, 10)[1] == 1.0
    assert rate_interval(0, 0) == (0.0, 1.0)


def test_an_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = rng.binomial(60, 0.15, 2000)
    inside = [low <= 0.15 <= high for low, high in (rate_interval(h, 60) for h in hits.tolist())]
    assert 0.93 < np.mean(inside) < 0.97


def test_calibration_by_group_counts_everybody():
    score, target, group = people(1)
    found = calibration_by_group(score, target, group)
    for g, came in found.items():
        assert came.count.sum() == (group == g).sum()
        assert (came.count * came.came).sum() == pytest.approx(target[group == g].sum())
        assert ((came.low <= came.came) & (came.came <= came.high)).all()
        for s, share in zip(came.score, came.came, strict=True):
            assert share == pytest.approx(target[(group == g) & (score == s)].mean())


# ---------------------------------------------------------------------------------- thresholds that equalise


def expected(score, target, group, rules):
    """(FPR, TPR) of each group, and the accuracy, all in expectation."""
    p = np.zeros(len(score))
    for g, rule in rules.items():
        p[group == g] = chance(rule, score[group == g])
    rates = [[p[(group == g) & (target == y)].mean() for y in (0, 1)] for g in rules]
    return np.array(rates), np.where(target == 1, p, 1 - p).mean()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("groups", [1, 2, 3])
def test_equalised_odds_are_equal(seed, groups):
    score, target, group = people(seed, groups=groups)
    rates, accuracy = expected(score, target, group, rules := equalised_odds(score, target, group))
    np.testing.assert_allclose(rates, np.tile(rates[:1], (groups, 1)), atol=1e-9)
    assert accuracy >= max(target.mean(), 1 - target.mean()) - 1e-9, "saying one thing to all is equal, too"
    for rule in rules.values():
        assert 0 <= rule.share <= 1 and 0 <= rule.ignore <= 1 and 0 <= rule.constant <= 1


@pytest.mark.parametrize("seed", range(4))
def test_no_other_pair_of_points_is_better(seed):
    score, target, group = people(seed, n=120)
    _, accuracy = expected(score, target, group, equalised_odds(score, target, group))
    share = target.mean()
    reach = [reachable(score[group == g], target[group == g]) for g in (0, 1)]
    for fpr in np.linspace(0, 1, 101):
        tpr = min(hull(fpr) for hull in reach)
        assert share * tpr + (1 - share) * (1 - fpr) <= accuracy + 1e-9


def reachable(score, target):
    """The highest TPR at an FPR, by mixing any two thresholds."""
    points = [
        ((score[target == 0] >= t).mean(), (score[target == 1] >= t).mean())
        for t in [*np.unique(score), np.inf]
    ]

    def best(fpr):
        found = [y for x, y in points if x <= fpr]
        for (x1, y1), (x2, y2) in itertools.permutations(points, 2):
            if x1 <= fpr < x2:
                found.append(y1 + (y2 - y1) * (fpr - x1) / (x2 - x1))
        return max(found)

    return best


def test_perfect_and_useless_scores():
    target, group = np.array([0, 1] * 20), np.repeat([0, 1], 20)
    rates, accuracy = expected(target * 1.0, target, group, equalised_odds(target * 1.0, target, group))
    assert accuracy == 1.0
    flat = np.zeros(40)
    rates, accuracy = expected(flat, target, group, equalised_odds(flat, target, group))
    assert accuracy == pytest.approx(0.5) and np.allclose(rates[:, 0], rates[:, 1])


def test_a_rule_is_a_chance():
    p = chance(Mix(1.0, 2.0, 0.25, 0.4, 0.5), np.array([0.0, 1.0, 2.0]))
    np.testing.assert_allclose(p, [0.2, 0.2 + 0.6 * 0.25, 0.8])
    assert chance(Mix(1.0, np.inf, 0.25, 0.0, 0.0), np.array([5.0]))[0] == 0.25


# ------------------------------------------------------------------------------------------ words as vectors


def test_weat_by_hand():
    rng = np.random.default_rng(0)
    x, y, a, b = (rng.normal(size=(n, 6)) for n in (4, 4, 3, 5))

    def s(w):
        cos = lambda u, v: u @ v / np.linalg.norm(u) / np.linalg.norm(v)  # noqa: E731
        return np.mean([cos(w, v) for v in a]) - np.mean([cos(w, v) for v in b])

    sx, sy = [s(w) for w in x], [s(w) for w in y]
    np.testing.assert_allclose(association(x, a, b), sx)
    assert weat(x, y, a, b) == pytest.approx((np.mean(sx) - np.mean(sy)) / np.std(sx + sy, ddof=1))
    assert weat(y, x, a, b) == pytest.approx(-weat(x, y, a, b)) == pytest.approx(weat(x, y, b, a))
    assert weat(5 * x, y, 2 * a, b) == pytest.approx(weat(x, y, a, b))


def test_the_p_value_is_the_share_of_all_divisions():
    rng = np.random.default_rng(2)
    x, y, a, b = (rng.normal(size=(3, 5)) for _ in range(4))
    s = np.append(association(x, a, b), association(y, a, b))
    seen = s[:3].sum()
    exact = np.mean([s[list(half)].sum() >= seen - 1e-12 for half in itertools.combinations(range(6), 3)])
    assert weat_p_value(x, y, a, b, rng, draws=20_000) == pytest.approx(exact, abs=0.02)


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: group_rates(np.array([0, 1]), np.array([0, 2]), np.array([0, 0])), ValueError, "guess"),
        (lambda: group_rates(np.array([0, 1]), np.array([0]), np.array([0, 0])), ValueError, "guess"),
        (lambda: group_rates(np.array([0, 1]), np.array([0, 1]), np.array([0])), ValueError, "group"),
        (lambda: group_rates(np.zeros(0), np.zeros(0), np.zeros(0)), ValueError, "a person at least"),
        (lambda: largest_gap({}, "tpr"), ValueError, "name"),
        (lambda: rate_interval(3, 2), ValueError, "hits"),
        (lambda: implied_fpr(1.0, 0.5, 0.5), ValueError, "prevalence"),
        (lambda: implied_fpr(0.5, 0.0, 0.5), ValueError, "ppv"),
        (
            lambda: equalised_odds(np.ones(4), np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1])),
            ValueError,
            "0 and 1",
        ),
        (lambda: weat(np.ones((2, 3)), np.ones((2, 3)), np.ones((2, 2)), np.ones((2, 3))), ValueError, "a"),
        (lambda: weat_p_value(*np.ones((4, 2, 3)), rng=0), TypeError, "rng"),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
