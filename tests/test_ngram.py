"""Kneser-Ney: against a dictionary of tuples, as a probability, and on a small text worked by hand."""

from collections import Counter, defaultdict

import numpy as np
import pytest

from fmkit.data import datasets
from fmkit.ngram import best_discounts, fit, next_probabilities, probabilities, refine


def by_dictionary(train, order, vocab_size, text):
    """The same model from its definition: tuples, dictionaries, recursion."""
    grams = [tuple(train[i : i + order]) for i in range(len(train) - order + 1)]
    counts = {order: Counter(grams)}
    for n in range(order - 1, 0, -1):
        counts[n] = Counter(gram[1:] for gram in counts[n + 1])  # each different longer gram counts once
    discounts = {n: best_discounts(np.array(list(counts[n].values()))) for n in counts}
    followers = {n: defaultdict(dict) for n in counts}
    for n, table in counts.items():
        for gram, count in table.items():
            followers[n][gram[:-1]][gram[-1]] = count

    def p(context, token):
        if context is None:
            return 1 / vocab_size
        seen = followers[len(context) + 1][context]
        below = p(context[1:] if context else None, token)
        if not seen:
            return below
        d = discounts[len(context) + 1]
        count = seen.get(token, 0)
        saved = sum(d[min(c, 3)] for c in seen.values())
        return (max(count - d[min(count, 3)], 0) + saved * below) / sum(seen.values())

    return [p(tuple(text[max(0, i - order + 1) : i]), token) for i, token in enumerate(text)]


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_against_the_definition(order):
    rng = np.random.default_rng(order)
    train, text = rng.integers(0, 6, 300) // 2, rng.integers(0, 7, 80)  # tokens 3 to 6 are never seen
    model = fit(train, order, 7)
    want = by_dictionary(train.tolist(), order, 7, text.tolist())
    np.testing.assert_allclose(probabilities(model, text), want, rtol=1e-12)


@pytest.mark.parametrize("length", [0, 1, 2, 5])
def test_the_next_token_is_a_distribution_and_the_same_one(length):
    rng = np.random.default_rng(length)
    model = fit(rng.integers(0, 5, 200), 4, 6)
    context = rng.integers(0, 6, length)
    p = next_probabilities(model, context)
    assert p.shape == (6,) and (p > 0).all() and p.sum() == pytest.approx(1)
    for token in range(6):
        assert probabilities(model, np.append(context, token))[-1] == pytest.approx(p[token])


def test_discounts():
    counts = np.repeat(
        [1, 2, 3, 4, 9], [59, 29, 11, 5, 40]
    )  # n1 to n4 are 60, 30, 12 and 6 with the one added
    np.testing.assert_allclose(
        best_discounts(counts), [0, 1 - 2 * 0.5 * 0.5, 2 - 3 * 0.5 * 0.4, 3 - 4 * 0.5 * 0.5]
    )
    few = best_discounts(np.array([7, 7]))
    assert (few[1:] > 0).all() and (few <= [0, 1, 2, 3]).all()


def test_francisco():
    """A token that follows one other only is a poor guess elsewhere, however frequent it is."""
    san, francisco, rare = 0, 1, 2
    train = np.array([san, francisco] * 20 + [rare, 3, 3, rare, 4, rare, 5, rare, 6, 4])
    model = fit(train, 2, 8)
    after_new = next_probabilities(model, np.array([7]))  # 7 was never seen: only single tokens are known
    assert after_new[rare] > 2 * after_new[francisco]
    assert next_probabilities(model, np.array([san])).argmax() == francisco


def test_shakespeare():
    """Counting a fifth of the plays is a model already, and a longer context is better."""
    train, val, _ = datasets.shakespeare_splits()
    code = {c: i for i, c in enumerate(sorted(set(train + val)))}
    train_ids, val_ids = (np.array([code[c] for c in t]) for t in (train[:900_000], val[:100_000]))
    losses = []
    for order in (1, 2, 3, 5):
        losses.append(-np.log(probabilities(fit(train_ids, order, len(code)), val_ids)).mean())
    assert losses == sorted(losses, reverse=True) and losses[-1] < 1.75


def test_what_cannot_be_counted_is_refused():
    with pytest.raises(ValueError, match="text of 3|order: expected a whole number"):
        fit(np.array([1, 2, 3]), 4, 5)
    with pytest.raises(ValueError, match="text of 3|order: expected a whole number"):
        fit(np.array([1, 2, 3]), 0, 5)
    with pytest.raises(ValueError, match="63 bits"):
        fit(np.zeros(100, int), 10, 100)


IDS, MODEL = np.array([0, 1, 2, 0, 1]), fit(np.array([0, 1, 2, 0, 1]), order=2, vocab_size=3)


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    "use",
    [
        lambda ids: fit(ids, 2, 3),
        lambda ids: probabilities(MODEL, ids),
        lambda ids: next_probabilities(MODEL, ids),
    ],
)
@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        (np.array([0, 7, 1]), ValueError, "expected 0 to 2, got 0 to 7"),
        (np.array([0, 3]), ValueError, "expected 0 to 2, got 0 to 3"),
        (np.array([0, -1, 1]), ValueError, "expected 0 to 2, got -1 to 1"),
        ([2, 3], ValueError, "expected 0 to 2, got 2 to 3"),
        (np.array([[0, 1]]), ValueError, r"expected \(N,\), got \(1, 2\)"),
        (np.array([0.0, 1.9]), TypeError, "expected an array of integers, got float64"),
        (np.array([True, False]), TypeError, "got bool"),
        ("01", ValueError, r"expected \(N,\), got \(\)"),
    ],
)
def test_tokens_that_are_none_of_the_vocabularys_are_refused(use, ids, error, message):
    with pytest.raises(error, match=message):
        use(ids)


@pytest.mark.usefixtures("as_a_learner")
def test_settings_and_shapes_of_grams_are_refused():
    with pytest.raises(ValueError, match="vocab_size: expected a whole number >= 1, got 0"):
        fit(IDS, 2, 0)
    with pytest.raises(ValueError, match="order: expected a whole number >= 1, got 0"):
        fit(IDS, 0, 3)
    with pytest.raises(ValueError, match=r"below: expected \(M,\) = \(2,\), got \(1,\)"):
        refine(MODEL.levels[1], np.array([0, 1]), np.array([0.5]), 3)
    with pytest.raises(TypeError, match="counts: .* got a list"):
        best_discounts([1, 2])


@pytest.mark.usefixtures("as_a_learner")
def test_no_token_and_lists_of_tokens():
    assert probabilities(MODEL, np.array([], int)).shape == probabilities(MODEL, []).shape == (0,)
    assert next_probabilities(MODEL, []).sum() == pytest.approx(1.0)
    np.testing.assert_array_equal(
        next_probabilities(MODEL, [0]), next_probabilities(MODEL, np.array([0], np.uint8))
    )
