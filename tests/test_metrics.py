"""Metrics against scikit-learn, with absent classes and empty ratios."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as sk

from fmkit.metrics import (
    accuracy,
    bits_per_byte,
    bits_per_character,
    confusion_matrix,
    f1,
    perplexity,
    precision,
    recall,
)

PAIRS = [(precision, sk.precision_score), (recall, sk.recall_score), (f1, sk.f1_score)]


def labels(k):
    """Two lists of N >= 1 class numbers; small N, so that classes are often absent."""
    return st.lists(st.tuples(st.integers(0, k - 1), st.integers(0, k - 1)), min_size=1, max_size=12).map(
        np.array
    )


@given(labels(6))
def test_accuracy_and_confusion_matrix(both):
    pred, target = both.T
    assert accuracy(pred, target) == sk.accuracy_score(target, pred)
    np.testing.assert_array_equal(
        confusion_matrix(pred, target, 6), sk.confusion_matrix(target, pred, labels=range(6))
    )
    assert confusion_matrix(pred, target).shape == (both.max() + 1,) * 2


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=["precision", "recall", "f1"])
@pytest.mark.parametrize("average", ["macro", "micro"])
@given(both=labels(6))
def test_averages(ours, theirs, average, both):
    pred, target = both.T
    expected = theirs(target, pred, average=average, zero_division=0)
    np.testing.assert_allclose(ours(pred, target, average), expected, atol=1e-12)


@pytest.mark.parametrize(("ours", "theirs"), PAIRS, ids=["precision", "recall", "f1"])
@given(both=labels(2))
def test_binary(ours, theirs, both):
    pred, target = both.T
    expected = theirs(target, pred, average="binary", zero_division=0)
    np.testing.assert_allclose(ours(pred, target), expected, atol=1e-12)


def test_a_larger_imbalanced_problem():
    rng = np.random.default_rng(0)
    target = rng.choice(10, 5000, p=np.arange(1, 11) / 55)
    pred = np.where(rng.random(5000) < 0.7, target, rng.integers(0, 9, 5000))  # class 9 is never guessed
    for ours, theirs in PAIRS:
        for average in ("macro", "micro"):
            np.testing.assert_allclose(
                ours(pred, target, average), theirs(target, pred, average=average), atol=1e-12
            )
    assert f1(pred, target, "micro") == pytest.approx(accuracy(pred, target))
    assert f1(pred, target, "macro") != pytest.approx(f1(pred, target, "micro"), abs=0.01)


def test_zero_divisions_count_as_zero():
    zeros, ones = np.zeros(4, dtype=int), np.ones(4, dtype=int)
    assert precision(zeros, ones) == recall(zeros, ones) == f1(zeros, ones) == 0.0
    assert precision(zeros, zeros) == recall(zeros, zeros) == f1(zeros, zeros) == 0.0
    assert f1(ones, ones) == 1.0


def test_no_predictions_at_all():
    none = np.zeros(0, dtype=int)
    assert math.isnan(accuracy(none, none))
    assert confusion_matrix(none, none).shape == (0, 0) and not confusion_matrix(none, none, 3).any()
    assert [f1(none, none, average) for average in ("binary", "macro", "micro")] == [0.0] * 3


def test_what_is_refused():
    with pytest.raises(ValueError, match="average"):
        f1(np.array([0]), np.array([0]), "weighted")
    with pytest.raises(ValueError, match="expected 0 and 1 with average"):
        precision(np.array([2]), np.array([1]))
    with pytest.raises(ValueError, match="pred: expected 0 to .*, got -1"):
        confusion_matrix(np.array([-1]), np.array([0]))


def test_small_integer_types_do_not_overflow():
    pred, target = np.array([100, 3], dtype=np.int8), np.array([100, 4], dtype=np.int8)
    assert confusion_matrix(pred, target)[100, 100] == 1 and confusion_matrix(pred, target)[4, 3] == 1


def test_perplexity_and_bits():
    assert perplexity(0.0) == 1.0 and perplexity(1e6) == math.inf
    assert perplexity(math.log(65)) == pytest.approx(65)
    assert bits_per_character(math.log(256)) == pytest.approx(8.0)
    # the same text, as 4 characters of 2 bits each or as one token of 8 bits
    assert bits_per_character(8 * math.log(2), tokens_per_character=1 / 4) == bits_per_character(
        2 * math.log(2)
    )


ZERO_ONE = np.array([0, 1])


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    "metric", [accuracy, confusion_matrix, precision, recall, f1, lambda p, t: precision(p, t, "macro")]
)
@pytest.mark.parametrize(
    ("pred", "target", "error", "message"),
    [
        (ZERO_ONE, np.array([[0], [1]]), ValueError, r"target: expected \(N,\) = \(2,\), got \(2, 1\)"),
        (ZERO_ONE[:1], np.array([0, 1, 1]), ValueError, r"target: .* got \(3,\)"),
        (np.array([[0], [1]]), ZERO_ONE, ValueError, r"pred: expected \(N,\), got \(2, 1\)"),
        (np.array(0), np.array(0), ValueError, r"pred: .* got \(\)"),
        (np.array([0.2, 0.9]), ZERO_ONE, TypeError, "pred: expected an array of integers, got float64"),
        (ZERO_ONE, np.array([0.0, 1.0]), TypeError, "target: .* got float64"),
        ([0, 1], [0, 1], TypeError, "pred: .* got a list"),
        (ZERO_ONE, [0, 1], TypeError, "target: .* got a list"),
        (np.array(["a", "b"]), ZERO_ONE, TypeError, "pred: .* got <U1"),
    ],
)
def test_what_is_no_list_of_classes_is_refused(metric, pred, target, error, message):
    with pytest.raises(error, match=message):
        metric(pred, target)


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.uint64, np.int32])
def test_every_kind_of_integer_is_a_class_number(dtype):
    pred, target = np.array([1, 0, 1]), np.array([1, 1, 1])
    assert accuracy(pred.astype(dtype), target.astype(dtype)) == 2 / 3
    want = confusion_matrix(pred, target)
    np.testing.assert_array_equal(confusion_matrix(pred.astype(dtype), target.astype(dtype)), want)
    np.testing.assert_array_equal(confusion_matrix(pred.astype(dtype), target), want)


def test_perplexity_of_nan_is_nan_and_of_what_no_float_holds_infinite():
    assert math.isnan(perplexity(math.nan))
    assert perplexity(710.0) == perplexity(math.inf) == math.inf
    assert perplexity(709.5) == math.exp(709.5)


@pytest.mark.parametrize("ratio", [0.0, -1.0, math.nan])
def test_tokens_per_character_are_above_0(ratio):
    with pytest.raises(ValueError, match="tokens_per_character: expected a number > 0"):
        bits_per_character(1.0, ratio)


def test_a_number_of_classes_below_0_is_refused():
    with pytest.raises(ValueError, match="n_classes: expected a whole number >= 0, got -1"):
        confusion_matrix(ZERO_ONE, ZERO_ONE, n_classes=-1)


def test_bits_per_byte_counts_bytes_not_characters():
    nats = math.log(2)
    assert bits_per_byte(nats, 5, "to be") == bits_per_character(nats) == pytest.approx(1)
    assert bits_per_byte(nats, 2, "你好") == pytest.approx(2 / 6)
    assert bits_per_byte(nats, 1, "🙂") == pytest.approx(1 / 4)
    assert bits_per_byte(nats, 1, "\ud800") == pytest.approx(1 / 3)  # half a character is three bytes, too


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("n_tokens", "text", "error", "message"),
    [
        (1, "", ValueError, "text: expected a character at least, got none"),
        (1, ["to"], TypeError, "text: expected one str, got a list"),
        (0, "to", ValueError, "n_tokens: expected a whole number >= 1, got 0"),
        (1.5, "to", TypeError, "n_tokens: expected a whole number >= 1, got 1.5"),
    ],
)
def test_bits_per_byte_refuses(n_tokens, text, error, message):
    with pytest.raises(error, match=message):
        bits_per_byte(1.0, n_tokens, text)
