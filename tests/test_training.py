"""The small training loop: batches, one step, memory."""

import itertools

import numpy as np
import pytest

from fmkit.params import flatten, tree_map
from fmkit.runs.memory import keep_memory
from fmkit.training import batches, train_step
from fmkit.transformer import Config, init_gpt

CONFIG = Config(vocab_size=11, block_size=6, n_layers=1, n_heads=2, d_model=8, d_ff=16)


def test_targets_are_the_next_tokens_and_every_window_comes_up():
    tokens = np.arange(12, dtype=np.uint16)
    starts = set()
    for ids, targets in itertools.islice(batches(tokens, 3, 5, np.random.default_rng(0)), 100):
        assert ids.shape == targets.shape == (3, 5)
        np.testing.assert_array_equal(targets, ids + 1)
        np.testing.assert_array_equal(np.diff(ids), 1)
        starts |= set(ids[:, 0].tolist())
    assert starts == set(range(7))  # the last window ends with the last token


def test_a_text_too_short_is_refused():
    with pytest.raises(ValueError, match="too few"):
        next(batches(np.arange(5), 3, 5, np.random.default_rng(0)))


def test_steps_learn_and_leave_their_arguments_alone():
    rng = np.random.default_rng(1)
    params = init_gpt(rng, CONFIG)
    before = tree_map(np.copy, params)
    ids, targets = next(batches(rng.integers(0, 11, 50), 4, 6, rng))
    after, state, first = train_step(params, None, ids, targets, CONFIG, lr=0.01)
    tree_map(np.testing.assert_array_equal, params, before)
    for _ in range(60):
        after, state, last = train_step(after, state, ids, targets, CONFIG, lr=0.01)
    assert last < 0.5 * first
    assert {w.dtype for w in flatten(after).values()} == {np.dtype(np.float32)}


def test_keeping_memory_says_whether_it_worked():
    assert keep_memory() in (True, False)


TOKENS, SMALL = np.arange(9), Config(vocab_size=9, block_size=4, n_layers=1, n_heads=1, d_model=4, d_ff=4)


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("tokens", "batch_size", "block_size", "error", "message"),
    [
        (TOKENS, 0, 4, ValueError, "batch_size: expected a whole number >= 1, got 0"),
        (TOKENS, 2, 0, ValueError, "block_size: expected a whole number >= 1, got 0"),
        (TOKENS, 2, 9, ValueError, "9 tokens are too few"),
        (TOKENS[None], 2, 4, ValueError, r"tokens: expected \(N,\), got \(1, 9\)"),
        (TOKENS / 2, 2, 4, TypeError, "tokens: .* got float64"),
        (TOKENS.tolist(), 2, 4, TypeError, "tokens: .* got a list"),
    ],
)
def test_batches_refuse_what_does_not_fit(tokens, batch_size, block_size, error, message):
    with pytest.raises(error, match=message):
        next(batches(tokens, batch_size, block_size, np.random.default_rng(0)))


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("targets", "settings", "message"),
    [
        (np.array([[1], [2]]), {}, r"targets: expected \(B, T\) = \(2, 3\), got \(2, 1\)"),
        (np.array([1, 2, 3]), {}, r"targets: .* got \(3,\)"),
        (np.ones((2, 3), int), {"lr": -1.0}, "lr: expected a number >= 0, got -1.0"),
        (np.ones((2, 3), int), {"max_norm": -1.0}, "max_norm: expected a number >= 0, got -1.0"),
    ],
)
def test_a_step_refuses_what_does_not_fit(targets, settings, message):
    params = init_gpt(np.random.default_rng(0), SMALL)
    with pytest.raises(ValueError, match=message):
        train_step(params, None, np.ones((2, 3), int), targets, SMALL, **settings)
