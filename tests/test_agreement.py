"""Agreement by its definition, pair by pair, and by the figures that Krippendorff printed."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from fmkit.agreement import (
    cohen_kappa,
    human_accuracy,
    human_correlation,
    krippendorff_alpha,
    mean_of_others,
)

NAN = math.nan
# "Computing Krippendorff's alpha-reliability" (2011), section C: four observers, twelve units
PRINTED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
        [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
    ]
).T
# Section B: two observers, twelve units, a class from a to e for each
NOMINAL = np.array([[1, 1, 2, 2, 4, 3, 3, 3, 5, 4, 4, 1], [2, 1, 2, 2, 2, 3, 3, 3, 5, 4, 4, 4]]).T


def by_pairs(ratings, difference):
    """Krippendorff's definition as a loop."""
    rows = [[x for x in row if not math.isnan(x)] for row in ratings.tolist()]
    rows = [row for row in rows if len(row) > 1]
    pooled = [x for row in rows for x in row]
    n = len(pooled)
    observed = sum(difference(a, b) / (len(row) - 1) for row in rows for a, b in permutations(row, 2)) / n
    expected = sum(difference(a, b) for a, b in permutations(pooled, 2)) / (n * (n - 1))
    return 1 - observed / expected if expected else math.nan


DIFFERENCES = {"interval": lambda a, b: (a - b) ** 2, "nominal": lambda a, b: float(a != b)}


@st.composite
def rated(draw):
    """Two ratings of one item at least; few different ones, many missing."""
    n_raters = draw(st.integers(2, 5))
    rating = st.sampled_from([-2, -1, 0, 1, 3, NAN])
    rows = draw(st.lists(st.lists(rating, min_size=n_raters, max_size=n_raters), max_size=6))
    return np.array([[1, draw(st.sampled_from([1, 2])), *[NAN] * (n_raters - 2)], *rows], float)


@given(rated())
def test_alpha_is_its_definition(ratings):
    for level, difference in DIFFERENCES.items():
        expected = by_pairs(ratings, difference)
        assert krippendorff_alpha(ratings, level) == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_alpha_as_it_was_printed():
    assert round(krippendorff_alpha(PRINTED, "nominal"), 3) == 0.743
    assert round(krippendorff_alpha(PRINTED), 3) == 0.849
    assert round(krippendorff_alpha(NOMINAL, "nominal"), 3) == 0.692


def test_alpha_by_hand():
    # observed: 2 of 4 ratings differ by 1 from their partner; expected: 6 of 12 ordered pairs (3 and one 4)
    ratings = np.array([[3, 4], [4, 4]])
    for level in DIFFERENCES:
        assert krippendorff_alpha(ratings, level) == pytest.approx(1 - 0.5 / 0.5)
    assert krippendorff_alpha(np.array([[1, 1], [2, 2]])) == 1.0
    assert krippendorff_alpha(np.array([[1, 2], [1, 2]])) == pytest.approx(1 - 1 / (2 / 3))


def test_alpha_does_not_depend_on_who_rated():
    rng = np.random.default_rng(0)
    ratings = rng.integers(0, 4, (30, 5)).astype(float)
    ratings[rng.random(ratings.shape) < 0.4] = NAN
    shuffled = rng.permuted(ratings, axis=1)
    for level in DIFFERENCES:
        assert krippendorff_alpha(shuffled, level) == pytest.approx(krippendorff_alpha(ratings, level))
    far = 1e6 + ratings
    assert krippendorff_alpha(far) == pytest.approx(krippendorff_alpha(ratings))
    assert krippendorff_alpha(far.astype(np.float32)) == pytest.approx(krippendorff_alpha(ratings))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=9).map(np.array))
def test_kappa_against_scikit_learn(both):
    a, b = both.T
    if len(np.unique(both)) == 1:
        assert math.isnan(cohen_kappa(a, b))
    else:
        assert cohen_kappa(a, b) == pytest.approx(cohen_kappa_score(a, b), abs=1e-12)


def test_all_ratings_alike_say_nothing():
    for level in DIFFERENCES:
        assert math.isnan(krippendorff_alpha(np.full((3, 2), 0.1), level))
    assert math.isnan(human_correlation(np.full((3, 3), 0.1)))
    assert math.isnan(human_accuracy(np.zeros((3, 2)))) and human_accuracy(np.ones((3, 2))) == 1.0


@given(rated())
def test_the_others_are_without_the_one(ratings):
    others = mean_of_others(ratings)
    for i, j in np.ndindex(*ratings.shape):
        rest = np.delete(ratings[i], j)
        rest = rest[~np.isnan(rest)]
        expected = rest.mean() if len(rest) and not math.isnan(ratings[i, j]) else math.nan
        assert others[i, j] == pytest.approx(expected, abs=1e-12, nan_ok=True)


@given(rated())
def test_ceilings_weigh_each_item_once(ratings):
    others, accuracies, ones, means, weights = mean_of_others(ratings), [], [], [], []
    for row, rest in zip(ratings, others, strict=True):
        here = [(x, m) for x, m in zip(row, rest, strict=True) if not math.isnan(m)]
        asked = [np.sign(x) == np.sign(m) for x, m in here if abs(m) > 1e-9]
        accuracies += [np.mean(asked)] if asked else []
        ones += [x for x, _ in here]
        means += [m for _, m in here]
        weights += [1 / max(len(here), 1)] * len(here)
    assert human_accuracy(ratings) == pytest.approx(np.mean(accuracies))
    covariance = np.cov(ones, means, aweights=weights, ddof=0)
    expected = (
        covariance[0, 1] / math.sqrt(covariance[0, 0] * covariance[1, 1]) if len(set(ones)) > 1 else math.nan
    )
    assert human_correlation(ratings) == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_a_rating_of_0_takes_no_side_and_a_mean_of_0_asks_nothing():
    assert human_accuracy(np.array([[0.0, 1.0, 1.0]])) == pytest.approx(2 / 3)
    assert human_accuracy(np.array([[1.0, 1.0, -1.0]])) == 0.0  # only -1 is asked
    assert math.isnan(human_accuracy(np.array([[0.0, 0.1, 0.2, -0.3]])[:, [0, 0]]))
    assert human_accuracy(np.array([[0.1, 0.2, -0.3, 0.6]])) == pytest.approx(2 / 3)  # .1 + .2 - .3 is 0


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize("function", [krippendorff_alpha, mean_of_others, human_correlation, human_accuracy])
@pytest.mark.parametrize(
    ("ratings", "error", "message"),
    [
        (
            np.array([[1.0], [2.0]]),
            ValueError,
            "ratings: expected an item with two ratings at least, got none",
        ),
        (
            np.array([[1.0, NAN], [NAN, 2.0]]),
            ValueError,
            "ratings: expected an item with two ratings at least",
        ),
        (np.zeros((0, 2)), ValueError, "ratings: expected an item with two ratings at least"),
        (np.array([1.0, 2.0]), ValueError, r"ratings: expected \(N, R\), got shape \(2,\)"),
        (
            np.array([[1.0, np.inf]]),
            ValueError,
            "ratings: expected numbers, or NaN where there is none, got inf",
        ),
        ([[1, 2]], TypeError, "ratings: expected an array, got a list"),
        (np.array([["a", "b"]]), TypeError, "ratings: expected float32 or float64"),
    ],
)
def test_what_is_refused(function, ratings, error, message):
    with pytest.raises(error, match=message):
        function(ratings)


@pytest.mark.usefixtures("as_a_learner")
def test_what_else_is_refused():
    one, two = np.array([1]), np.array([1, 2])
    with pytest.raises(
        ValueError, match='level must be "interval" or "nominal", not "ratio"'.replace('"ratio"', "'ratio'")
    ):
        krippendorff_alpha(np.ones((2, 2)), "ratio")
    with pytest.raises(ValueError, match=r"b: expected \(N,\) = \(1,\), got \(2,\)"):
        cohen_kappa(one, two)
    with pytest.raises(ValueError, match="a: expected an item at least, got none"):
        cohen_kappa(one[:0], one[:0])
    with pytest.raises(ValueError, match="b: expected a class for each item, got NaN"):
        cohen_kappa(two, np.array([1, NAN]))
