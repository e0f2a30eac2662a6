"""Speculative decoding leaves the law alone: by counting every case, and by a model's own samples."""

import itertools

import numpy as np
import pytest

from fmkit import ngram
from fmkit.generation import probabilities
from fmkit.llama import LlamaConfig, init_llama, llama_extend, llama_step
from fmkit.speculative import (
    _after_each,
    generate_speculatively,
    ngram_draft,
    overlap,
    tokens_per_call,
    verify,
)


def law_of_the_first(p, q, steps=400):
    """The probability of each first token, by all guesses and a fine grid of random numbers."""
    V, law = len(q[0]), np.zeros(len(q[0]))
    points = (np.arange(steps) + 0.5) / steps
    for guess in range(V):
        if q[0][guess] == 0:
            continue
        for accept in points:
            kept = accept * q[0][guess] < p[0][guess]
            draws = points[:1] if kept else points  # when kept, the first token does not depend on the draw
            for draw in draws:
                token = verify(p, q, np.array([guess]), np.array([accept, draw]))[0]
                law[token] += q[0][guess] / steps / len(draws)
    return law


@pytest.mark.parametrize(
    "p, q",
    [
        ([0.5, 0.25, 0.25, 0.0], [0.25, 0.25, 0.25, 0.25]),
        ([0.0, 0.0, 0.0, 1.0], [0.5, 0.25, 0.125, 0.125]),
        ([0.25, 0.25, 0.25, 0.25], [0.25, 0.25, 0.25, 0.25]),
        ([0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]),
    ],
)
def test_the_first_token_has_exactly_the_law_of_p(p, q):
    p, q = np.array([p, [1.0, 0, 0, 0]]), np.array([q])
    np.testing.assert_allclose(law_of_the_first(p, q, 80), p[0], atol=1e-9)


def test_all_accepted_gives_one_more_from_the_last_row():
    p = np.array([[0.5, 0.5], [0.5, 0.5], [0.0, 1.0]])
    assert verify(p, p[:2], np.array([0, 1]), np.array([0.99, 0.99, 0.5])) == [0, 1, 1]


def test_after_the_first_that_goes_nothing_stays():
    p, q = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]), np.full((2, 2), 0.5)
    assert verify(p, q, np.array([1, 1]), np.array([0.5, 0.5, 0.5])) == [0]


def test_overlap_is_how_often_a_guess_stays():
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(5), 2)
    stays = []
    for _ in range(4000):
        guess = rng.choice(5, p=q)
        tokens = verify(np.stack([p, p]), q[None], np.array([guess]), rng.random(2))
        stays.append(len(tokens) == 2)
    assert abs(np.mean(stays) - overlap(p, q)) < 4 * 0.5 / 4000**0.5


@pytest.mark.parametrize("a, k", [*itertools.product([0.0, 0.3, 0.9, 1.0], [0, 1, 4])])
def test_tokens_per_call_by_playing(a, k):
    expected = sum(a**i * (1 - a) * (i + 1) for i in range(k)) + a**k * (k + 1)
    assert tokens_per_call(a, k) == pytest.approx(expected)


CONFIG = LlamaConfig(
    vocab_size=5, block_size=24, n_layers=2, n_heads=4, n_kv_heads=2, d_model=16, d_ff=16, tied=True
)


def lopsided(ids):
    return np.array([0.4, 0.3, 0.2, 0.1, 0.0]) if ids[-1] % 2 else np.full(5, 0.2)


def test_what_a_model_writes_has_its_own_law():
    params = init_llama(np.random.default_rng(0), CONFIG, dtype=np.float64)
    params["wte"] *= 8  # so that it has opinions
    rng = np.random.default_rng(1)
    counts, n = np.zeros((5, 5)), 1000
    for _ in range(n):
        draft = generate_speculatively(llama_extend, params, [3], CONFIG, 2, lopsided, k=2, rng=rng)
        counts[tuple(draft)] += 1

    def softmax(x):
        e = np.exp(x - x.max())
        return e / e.sum()

    first = softmax(llama_step(params, np.array([[3]]), CONFIG)[0][0])
    law = np.stack(
        [first[t] * softmax(llama_step(params, np.array([[3, t]]), CONFIG)[0][0]) for t in range(5)]
    )
    assert law.max() > 0.1  # it is not flat
    error = np.abs(counts / n - law)
    assert (error < 5 * np.sqrt(law / n) + 1e-3).all()


@pytest.mark.parametrize("k", [1, 3, 5])
def test_greedy_decoding_gives_the_same_tokens_for_any_draft(k):
    """At a temperature next to 0 the law is one text."""
    params = init_llama(np.random.default_rng(2), CONFIG)
    rng, ids = np.random.default_rng(0), [1, 4]
    out = list(
        generate_speculatively(
            llama_extend, params, ids, CONFIG, 12, lopsided, k=k, rng=rng, temperature=1e-6
        )
    )
    for token in out:
        assert token == llama_step(params, np.array([ids]), CONFIG)[0][0].argmax()
        ids.append(token)


def test_what_does_not_fit_is_refused():
    params, rng = init_llama(np.random.default_rng(0), CONFIG), np.random.default_rng(0)
    with pytest.raises(ValueError, match="max_new_tokens: expected 19 at most, got 20"):
        next(generate_speculatively(llama_extend, params, [1], CONFIG, 20, lopsided, k=4, rng=rng))
    with pytest.raises(ValueError, match="draft"):
        verify(np.full((2, 3), 1 / 3), np.full((1, 3), 1 / 3), np.array([3]), np.zeros(2))


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_a_counting_draft_says_what_the_counting_model_says(order):
    rng = np.random.default_rng(order)
    model = ngram.fit(rng.integers(0, 4, 60) ** 2 % 5, order, 5)
    draft = ngram_draft(model)
    for n in (1, 2, 3, 6):
        for _ in range(20):
            ids = rng.integers(0, 5, n).tolist()  # among them contexts that the text does not have
            np.testing.assert_allclose(draft(ids), ngram.next_probabilities(model, np.array(ids)), atol=1e-6)
    assert ngram_draft(model)([]).sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("settings", [{}, {"temperature": 0.7}, {"temperature": 1e-200}, {"top_k": 2}])
def test_all_rows_at_once_are_what_plain_sampling_draws_from(settings):
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(3, 5)).astype(np.float32)
    wanted = [probabilities(row.astype(np.float64), [1, 2], **settings) for row in scores]
    np.testing.assert_allclose(_after_each(scores, [1], [2, 3], settings), wanted, atol=1e-6)


def test_a_wrong_setting_is_refused_before_anything_is_read():
    params, rng = init_llama(np.random.default_rng(0), CONFIG), np.random.default_rng(0)
    with pytest.raises(ValueError, match="temperature"):
        next(
            generate_speculatively(
                llama_extend, params, [1], CONFIG, 5, lopsided, k=2, rng=rng, temperature=0.0
            )
        )
