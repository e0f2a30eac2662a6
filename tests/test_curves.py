"""Curves against scikit-learn, with ties; areas against all pairs; bins at their edges."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve as sk_calibration_curve

from fmkit.curves import (
    average_precision,
    calibration_curve,
    expected_calibration_error,
    precision_recall_curve,
    roc_auc,
    roc_curve,
)


@st.composite
def scored(draw):
    """A 1 and a 0 at least; few different scores, so that most are tied."""
    truths = [1, 0, *draw(st.lists(st.integers(0, 1), max_size=12))]
    scores = draw(st.lists(st.integers(-2, 2), min_size=len(truths), max_size=len(truths)))
    return np.array(scores) / 4, np.array(truths)


@given(scored())
def test_roc(both):
    score, target = both
    theirs = sk.roc_curve(target, score, drop_intermediate=False)
    for ours, their in zip(roc_curve(score, target), theirs, strict=True):
        np.testing.assert_allclose(ours, their, atol=1e-12)
    assert roc_auc(score, target) == pytest.approx(sk.roc_auc_score(target, score), abs=1e-12)


@given(scored())
def test_precision_and_recall(both):
    score, target = both
    precision, recall, threshold = precision_recall_curve(score, target)
    theirs = sk.precision_recall_curve(target, score)  # from the lowest threshold on
    np.testing.assert_allclose(precision[::-1], theirs[0], atol=1e-12)
    np.testing.assert_allclose(recall[::-1], theirs[1], atol=1e-12)
    np.testing.assert_array_equal(threshold[:0:-1], theirs[2])
    assert average_precision(score, target) == pytest.approx(
        sk.average_precision_score(target, score), abs=1e-12
    )


def test_the_area_is_the_share_of_pairs_that_are_won():
    rng = np.random.default_rng(0)
    target = rng.random(200) < 0.3
    score = np.round(rng.normal(size=200) + target, 1)  # ties
    pairs = score[target][:, None] - score[~target]
    assert roc_auc(score, target) == pytest.approx((pairs > 0).mean() + (pairs == 0).mean() / 2, abs=1e-12)
    assert roc_auc(-score, target) == pytest.approx(1 - roc_auc(score, target), abs=1e-12)


def test_one_score_for_all_is_chance_whatever_the_order():
    score, target = np.ones(6), np.array([1, 1, 0, 0, 0, 0])
    for order in (slice(None), slice(None, None, -1)):
        assert roc_auc(score, target[order]) == 0.5
        assert average_precision(score, target[order]) == pytest.approx(2 / 6)
        assert [points.tolist() for points in roc_curve(score, target[order])] == [
            [0, 1],
            [0, 1],
            [np.inf, 1],
        ]


def test_many_examples_do_not_overflow():
    target = np.arange(400_000, dtype=np.int32) % 2
    assert roc_auc(target.astype(np.int8), target.astype(np.uint8)) == 1.0


@pytest.mark.parametrize("n_bins", [1, 2, 7, 15])
def test_calibration_against_scikit_learn(n_bins):
    rng = np.random.default_rng(n_bins)
    prob = rng.random(300) ** 2
    target = rng.random(300) < prob**1.5
    count, said, came = calibration_curve(prob, target, n_bins)
    their_came, their_said = sk_calibration_curve(target, prob, n_bins=n_bins)  # without the empty bins
    np.testing.assert_allclose(said[count > 0], their_said)
    np.testing.assert_allclose(came[count > 0], their_came)
    loop = 0.0
    for b in range(n_bins):
        inside = (prob >= b / n_bins) & (prob < (b + 1) / n_bins)
        if inside.any():
            loop += inside.sum() / len(prob) * abs(prob[inside].mean() - target[inside].mean())
    assert expected_calibration_error(prob, target, n_bins) == pytest.approx(loop, abs=1e-12)


def test_edges_belong_to_the_bin_above_and_1_to_the_last():
    edges = np.arange(101) / 100  # 0.29 * 100 is less than 29, but 0.29 is an edge
    count, _, _ = calibration_curve(edges, np.zeros(101), n_bins=100)
    assert count.tolist() == [1] * 99 + [2]
    count, said, came = calibration_curve(np.array([0.0, 1.0]), np.array([1, 0]), n_bins=3)
    assert count.tolist() == [1, 0, 1] and np.isnan([said[1], came[1]]).all()


def test_calibration_error_by_hand():
    prob, target = np.array([0.25, 0.75, 0.75, 1.0]), np.array([1, 1, 0, 1])
    # two bins: one said .25 and came; three said 2.5 / 3 and 2 / 3 came
    assert expected_calibration_error(prob, target, 2) == pytest.approx(0.25 * 0.75 + 0.75 * 0.5 / 3)
    assert expected_calibration_error(target, target, 2) == 0.0
    assert expected_calibration_error(1 - target, target, 2) == 1.0


SCORE, TARGET = np.array([0.1, 0.9]), np.array([0, 1])


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    "function", [roc_curve, roc_auc, precision_recall_curve, average_precision, expected_calibration_error]
)
@pytest.mark.parametrize(
    ("score", "target", "error", "message"),
    [
        (SCORE, np.array([0, 1, 1]), ValueError, r"target: expected \(N,\) = \(2,\), got \(3,\)"),
        (SCORE, np.array([[0], [1]]), ValueError, r"target: expected \(N,\)"),
        (SCORE[:, None], TARGET, ValueError, r"(score|prob): expected \(N,\), got shape \(2, 1\)"),
        (SCORE, np.array([1, 2]), ValueError, "target: expected 0 or 1"),
        (SCORE, [0, 1], TypeError, "target: expected an array"),
        ([0.1, 0.9], TARGET, TypeError, "(score|prob): expected an array, got a list"),
        (np.array([np.nan, 1]), TARGET, ValueError, "(score|prob): expected numbers, got NaN"),
        (SCORE[:0], TARGET[:0], ValueError, "(score|prob): expected an example at least, got none"),
    ],
)
def test_what_is_refused(function, score, target, error, message):
    with pytest.raises(error, match=message):
        function(score, target)


@pytest.mark.usefixtures("as_a_learner")
def test_one_class_only():
    for function in (roc_curve, roc_auc):
        for only in (0, 1):
            with pytest.raises(ValueError, match=f"target: expected 0 and 1 among them, got only {only}"):
                function(SCORE, np.full(2, only))
    for function in (precision_recall_curve, average_precision):
        with pytest.raises(ValueError, match="target: expected a 1 at least, got none"):
            function(SCORE, np.zeros(2))
        function(SCORE, np.ones(2))
    assert average_precision(SCORE, np.ones(2)) == 1.0


@pytest.mark.usefixtures("as_a_learner")
def test_probabilities_are_0_to_1():
    with pytest.raises(ValueError, match="prob: expected 0 to 1, got -0.5 to 0.9"):
        calibration_curve(np.array([-0.5, 0.9]), TARGET)
    with pytest.raises(ValueError, match="n_bins: expected a whole number >= 1, got 0"):
        calibration_curve(SCORE, TARGET, 0)
