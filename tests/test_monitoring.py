"""Change points: likelihoods against scipy, false alarms counted, the naive test caught."""

import numpy as np
import pytest
from scipy import stats

from fmkit import monitoring as mo


@pytest.mark.parametrize("hits, total", [(0, 10), (10, 10), (3, 10), (1, 1000), (450, 1000)])
def test_intervals_against_scipy(hits, total):
    ours = mo.rate_interval(hits, total, z=stats.norm.ppf(0.975))
    theirs = stats.binomtest(hits, total).proportion_ci(0.95, method="wilson")
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_gains_against_scipys_likelihood():
    rng = np.random.default_rng(0)
    totals = rng.integers(5, 30, 8)
    hits = rng.binomial(totals, 0.2)
    hits[0] = 0

    def best(k, n):
        return stats.binom.logpmf(k, n, k.sum() / n.sum()).sum()

    for i, gain in enumerate(mo.gains(hits, totals), start=1):
        parts = best(hits[:i], totals[:i]) + best(hits[i:], totals[i:])
        assert gain == pytest.approx(parts - best(hits, totals), abs=1e-9)


def test_all_or_nothing_is_no_nan():
    assert np.isfinite(mo.gains(np.array([0, 0, 5]), np.array([5, 5, 5]))).all()
    assert (np.abs(mo.gains(np.array([5, 5]), np.array([5, 5]))) < 1e-12).all()


def test_naive_p_is_the_chi_square_test():
    for gain in (0.0, 0.5, 1.92, 6.0):
        assert mo.naive_p(gain) == pytest.approx(stats.chi2.sf(2 * gain, 1))


def test_where_nothing_changes_few_changes_are_found_but_many_by_the_naive_test():
    rng = np.random.default_rng(1)
    found = naive = 0
    for _ in range(200):
        totals = rng.integers(20, 60, 28)
        hits = rng.binomial(totals, 0.1)
        _, gain, p = mo.change_point(hits, totals, rng, draws=99)
        found += p <= 0.05
        naive += mo.naive_p(gain) <= 0.05
    assert found <= 20  # ten are due; 21 or more come once in 900 times
    assert naive >= 60


def test_a_change_is_found_where_it_is():
    rng = np.random.default_rng(2)
    totals = np.full(30, 100)
    hits = rng.binomial(totals, np.where(np.arange(30) < 18, 0.1, 0.2))
    place, _, p = mo.change_point(hits, totals, rng, draws=199)
    assert abs(place - 18) <= 1 and p == 1 / 200


def test_an_alarm_comes_soon_after_a_rise_and_seldom_before():
    rng = np.random.default_rng(3)
    totals = np.full(60, 50)
    false = late = 0
    for _ in range(200):
        hits = rng.binomial(totals, np.where(np.arange(60) < 40, 0.1, 0.2))
        alarm = mo.cusum(hits, totals, 0.1, 0.2, limit=6.0)[1]
        false += alarm is not None and alarm < 40
        late += alarm is None or alarm > 48
    assert false <= 20 and late <= 20


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: mo.gains(np.array([1, 5]), np.array([2, 3])), "hits: expected 0 to the totals"),
        (lambda: mo.gains(np.array([1]), np.array([2])), "hits: expected two periods at least"),
        (lambda: mo.gains(np.array([0, 0]), np.array([0, 3])), "totals: expected more than 0"),
        (lambda: mo.rate_interval(3, 2), "hits: expected at most 2, got 3"),
        (lambda: mo.cusum(np.array([1, 1]), np.array([2, 2]), 0.5, 0.4, 3.0), "raised: expected between"),
    ],
)
def test_what_it_cannot_mean_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
