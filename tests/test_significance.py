"""Significance against scipy and against all ways by hand; false alarms are as rare as they should be."""

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fmkit.significance import (
    benjamini_hochberg,
    bootstrap_interval,
    holm,
    mcnemar,
    paired_bootstrap,
    paired_permutation,
    sign_test,
)
from fmkit.textmetrics import bleu, bleu_counts, chrf, chrf_counts


def rng(seed=0):
    return np.random.default_rng(seed)


def test_the_interval_of_a_mean_is_the_normal_one():
    values = rng().normal(3.0, 2.0, 400)
    half = 1.96 * values.std() / 20
    low, high = bootstrap_interval(values, rng(1), draws=4000)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.1 * half)
    narrow = bootstrap_interval(values, rng(1), draws=4000, level=0.5)
    assert low < narrow[0] < narrow[1] < high
    assert narrow[1] - narrow[0] == pytest.approx(2 * half * 0.6745 / 1.96, rel=0.1)


def test_the_interval_against_scipy():
    values = rng().exponential(size=60)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=5000, method="percentile", rng=rng(2))
    ours = bootstrap_interval(values, rng(1), draws=5000)
    assert ours == pytest.approx(tuple(theirs.confidence_interval), abs=0.02)


def test_a_mean_is_a_score_of_sums():
    values = rng().random(30)
    for rows, score in ((values[:, None], lambda sums: sums[:, 0] / 30), (values, lambda sums: sums / 30)):
        assert bootstrap_interval(rows, rng(), score) == pytest.approx(bootstrap_interval(values, rng()))


HYPOTHESES = ["the cat sat on a mat", "no cat", "the dog ran off at once", "it is 3 m long"] * 5
OTHERS = ["the cat sat on the mat", "no dog", "a dog ran away at once", "it is 3 m wide"] * 5
REFERENCES = ["the cat sat on the mat", "no dog", "the dog ran away at once", "it is 3 m long"] * 5


@pytest.mark.parametrize(("count", "score"), [(bleu_counts, bleu), (chrf_counts, chrf)])
def test_counts_are_drawn_whole(count, score):
    """The figure of a drawn corpus is that of a corpus in which the sentences stand that were drawn."""
    a, b = count(HYPOTHESES, REFERENCES), count(OTHERS, REFERENCES)
    found = paired_bootstrap(a, b, rng(), score, draws=200)
    drawn, generator = [], rng()
    for _ in range(200):
        chosen = generator.integers(0, len(a), len(a))
        drawn.append(float(score(a[chosen].sum(0)[None])[0] - score(b[chosen].sum(0)[None])[0]))
    drawn, seen = np.array(drawn), float(score(a.sum(0)[None])[0] - score(b.sum(0)[None])[0])
    assert found.difference == pytest.approx(seen)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))
    assert found.a_wins == pytest.approx((drawn > 0).mean() + (drawn == 0).mean() / 2)
    assert found.p == pytest.approx((1 + (np.abs(drawn - seen) >= abs(seen)).sum()) / 201)
    swapped, coins = [], rng(3)
    for _ in range(200):
        stay = coins.random(len(a)) < 0.5
        ours, theirs = (np.concatenate([x[stay], y[~stay]]).sum(0)[None] for x, y in ((a, b), (b, a)))
        swapped.append(float(score(ours)[0] - score(theirs)[0]))
    expected = (1 + (np.abs(swapped) >= abs(seen) * (1 - 1e-9)).sum()) / 201
    assert paired_permutation(a, b, rng(3), score, draws=200) == pytest.approx(expected)


def test_exchanging_the_systems_turns_the_sign():
    a, b = rng(1).random(40), rng(2).random(40)
    one, other = paired_bootstrap(a, b, rng()), paired_bootstrap(b, a, rng())
    assert one.difference == pytest.approx(-other.difference) and one.low == pytest.approx(-other.high)
    assert one.a_wins == pytest.approx(1 - other.a_wins) and one.p == other.p
    assert paired_permutation(a, b, rng()) == pytest.approx(paired_permutation(b, a, rng()), abs=0.05)


def test_the_same_system_twice():
    a = rng().random(20)
    assert paired_bootstrap(a, a, rng()) == (0, 0, 0, 0.5, 1.0)
    assert paired_permutation(a, a, rng()) == 1.0


def test_pairing_finds_what_two_intervals_hide():
    hard = rng(0).normal(0, 5, 200)  # how hard each example is, for both
    a, b = hard + 0.3, hard + rng(1).normal(0, 0.5, 200)
    (_, top), (bottom, _) = bootstrap_interval(b, rng()), bootstrap_interval(a, rng())
    assert bottom < top  # the intervals overlap
    assert paired_bootstrap(a, b, rng()).low > 0 and paired_permutation(a, b, rng()) < 0.01


def test_permutation_against_all_ways():
    a, b = rng(0).normal(0.5, 1, 9), rng(1).normal(0, 1, 9)
    d = a - b
    ways = np.array([abs(np.dot(signs, d)) for signs in product([1, -1], repeat=9)])
    exact = (ways >= abs(d.sum()) * (1 - 1e-9)).mean()
    theirs = stats.permutation_test((a, b), lambda x, y: np.mean(x - y), permutation_type="samples")
    assert exact == pytest.approx(theirs.pvalue)
    spread = math.sqrt(exact * (1 - exact) / 4000)
    assert paired_permutation(a, b, rng(2), draws=4000) == pytest.approx(exact, abs=4 * spread)


def test_ties_by_rounding_are_as_far():
    a, b = np.full(3, 0.1), np.zeros(3)  # 0.1 * 3 is not 0.1 + 0.1 + 0.1
    assert paired_permutation(a, b, rng(), draws=2000) == pytest.approx(2 / 8, abs=0.04)


@pytest.mark.parametrize(
    "test", [paired_permutation, lambda a, b, r, draws: paired_bootstrap(a, b, r, draws=draws).p]
)
def test_false_alarms_are_rare(test):
    generator, alarms = rng(0), 0
    for _ in range(200):
        a, b = (generator.random((2, 60)) < 0.7).astype(float)
        alarms += test(a, b, generator, draws=99) <= 0.1
    assert 5 <= alarms <= 36  # 20 are expected


@given(st.integers(0, 40), st.integers(0, 40))
def test_sign_test_against_scipy(wins, losses):
    expected = stats.binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert sign_test(wins, losses) == pytest.approx(expected, rel=1e-9)


def test_the_sign_test_of_many():
    assert sign_test(1100, 1000) == pytest.approx(stats.binomtest(1100, 2100).pvalue)
    assert sign_test(3000, 0) == 0.0  # 2**-2999 is below any float


def test_mcnemar_counts_where_they_differ():
    a = np.array([True, True, True, False, True, True, False])
    b = np.array([True, False, False, False, False, False, True])
    assert mcnemar(a, b) == mcnemar(b, a) == sign_test(4, 1) == pytest.approx(2 * 6 / 32)
    assert mcnemar(a.astype(np.uint8), b.astype(float)) == mcnemar(a, b)
    assert mcnemar(a, a) == 1.0


P = st.lists(st.sampled_from([0.0, 0.001, 0.01, 0.02, 0.02, 0.04, 0.3, 1.0]), max_size=8).map(
    lambda p: np.array(p, float)
)


@given(P)
def test_holm_by_its_definition(p):
    raised = holm(p)
    for level in (0.005, 0.05, 0.2):
        rejected = np.zeros(len(p), bool)
        for k, i in enumerate(np.argsort(p, kind="stable")):
            if p[i] * (len(p) - k) > level:
                break
            rejected[i] = True
        np.testing.assert_array_equal(raised <= level, rejected)


@given(P)
def test_benjamini_hochberg_against_scipy(p):
    expected = stats.false_discovery_control(p) if len(p) else p
    np.testing.assert_allclose(benjamini_hochberg(p), expected, atol=1e-12)


def test_corrections_by_hand():
    p = np.array([0.01, 0.5, 0.02, 0.02])
    np.testing.assert_allclose(holm(p), [0.04, 0.5, 0.06, 0.06])
    np.testing.assert_allclose(benjamini_hochberg(p), [0.08 / 3, 0.5, 0.08 / 3, 0.08 / 3])
    assert holm(np.array([0.7, 0.8])).tolist() == [1.0, 1.0] and holm(p)[0] == 4 * p[0]
    assert holm(p[:1]) == benjamini_hochberg(p[:1]) == 0.01


ONES, PAIRS = np.ones(3), np.ones((3, 2))


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: bootstrap_interval([1, 2], rng()), TypeError, "rows: expected an array, got a list"),
        (
            lambda: bootstrap_interval(ONES[:0], rng()),
            ValueError,
            r"rows: expected a row for each example, got shape \(0,\)",
        ),
        (lambda: bootstrap_interval(PAIRS, rng()), ValueError, r"rows: expected \(N,\), got \(3, 2\)"),
        (
            lambda: bootstrap_interval(ONES * math.nan, rng()),
            ValueError,
            "rows: expected finite numbers, got NaN",
        ),
        (lambda: bootstrap_interval(ONES, 0), TypeError, "rng: expected a numpy.random.Generator, got 0"),
        (lambda: bootstrap_interval(ONES, rng(), draws=0), ValueError, "draws: expected a whole number >= 1"),
        (
            lambda: bootstrap_interval(ONES, rng(), level=95),
            ValueError,
            "level: expected a number > 0 and < 1, got 95",
        ),
        (
            lambda: bootstrap_interval(PAIRS, rng(), lambda sums: sums, draws=5),
            ValueError,
            r"score: expected a function from \(5, 2\) to \(5,\), got \(5, 2\)",
        ),
        (
            lambda: paired_bootstrap(ONES, ONES[:2], rng()),
            ValueError,
            r"b: expected the shape of a, \(3,\), got \(2,\)",
        ),
        (
            lambda: paired_permutation(ONES, ONES[:2], rng()),
            ValueError,
            r"b: expected the shape of a, \(3,\)",
        ),
        (lambda: paired_permutation(ONES, ONES, 0), TypeError, "rng: expected a numpy.random.Generator"),
        (lambda: sign_test(-1, 2), ValueError, "wins: expected a whole number >= 0, got -1"),
        (lambda: sign_test(1, 2.0), TypeError, "losses: expected a whole number >= 0, got 2.0"),
        (lambda: mcnemar(ONES, np.ones(2)), ValueError, r"b_right: expected \(N,\) = \(3,\), got \(2,\)"),
        (lambda: mcnemar(ONES, 2 * ONES), ValueError, "b_right: expected 0 or 1"),
        (lambda: holm(np.array([0.1, 1.5])), ValueError, r"p: expected 0 to 1, got 1.5 among them"),
        (
            lambda: benjamini_hochberg(np.array([math.nan])),
            ValueError,
            "p: expected 0 to 1, got nan among them",
        ),
        (lambda: holm(np.ones((2, 2))), ValueError, r"p: expected \(M,\), got shape \(2, 2\)"),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
