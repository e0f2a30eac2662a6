"""What stays: how much, which, and that the smaller layer computes what the larger one would without it."""

import numpy as np
import pytest

from fmkit import pruning


@pytest.mark.parametrize("share, gone", [(0.0, 0), (0.5, 10), (0.9, 18), (0.29, 5), (1.0, 20)])
def test_the_smallest_go(share, gone):
    w = np.random.default_rng(0).permutation(np.arange(1.0, 21)).reshape(4, 5) * [[1], [-1], [1], [-1]]
    mask = pruning.keep_largest(w, share)
    assert mask.shape == w.shape and (~mask).sum() == gone
    assert sorted(np.abs(w)[~mask]) == list(range(1, gone + 1))


def test_ties_go_in_their_order():
    assert pruning.keep_largest(np.ones(4), 0.5).tolist() == [False, False, True, True]


@pytest.mark.parametrize("with_norms", [False, True])
def test_two_of_four_against_a_loop(with_norms):
    rng = np.random.default_rng(1)
    w, norms = rng.normal(size=(12, 5)), rng.uniform(0.1, 9, 12) if with_norms else None
    mask = pruning.two_of_four(w, norms)
    matters = np.abs(w) * (1 if norms is None else norms[:, None])
    for column in range(5):
        for start in range(0, 12, 4):
            best = sorted(range(4), key=lambda i: -matters[start + i, column])[:2]
            assert np.flatnonzero(mask[start : start + 4, column]).tolist() == sorted(best)


def test_of_equal_ones_the_first_stay():
    assert pruning.two_of_four(np.ones((4, 1))).ravel().tolist() == [True, True, False, False]


def test_fewer_neurons_are_the_same_as_those_set_to_zero():
    rng = np.random.default_rng(2)
    x, w1, b1, w2 = (rng.normal(size=shape) for shape in ((3, 4), (4, 10), (10,), (10, 5)))
    v1, c1, v2 = pruning.prune_neurons(w1, b1, w2, keep=6)
    assert v1.shape == (4, 6) and c1.shape == (6,) and v2.shape == (6, 5)
    matters = np.linalg.norm(w1, axis=0) * np.linalg.norm(w2, axis=1)
    stays = matters >= np.sort(matters)[-6]
    hidden = np.maximum(x @ w1 + b1, 0) * stays
    np.testing.assert_allclose(np.maximum(x @ v1 + c1, 0) @ v2, hidden @ w2, atol=1e-12)


def test_low_rank_is_the_best_of_its_rank():
    rng = np.random.default_rng(3)
    w = rng.normal(size=(7, 5))
    a, b = pruning.low_rank(w, 3)
    lost = np.linalg.norm(w - a @ b) ** 2
    np.testing.assert_allclose(lost, (np.linalg.svd(w)[1][3:] ** 2).sum())
    np.testing.assert_allclose(np.matmul(*pruning.low_rank(w, 5)), w)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: pruning.two_of_four(np.ones((6, 2))), "w: expected a multiple of 4 inputs, got 6"),
        (lambda: pruning.keep_largest(np.ones(3), 1.2), "share: expected"),
        (lambda: pruning.low_rank(np.ones((3, 2)), 3), "rank: expected at most 2, got 3"),
        (lambda: pruning.prune_neurons(np.ones((2, 3)), np.ones(3), np.ones((3, 2)), 4), "keep: expected at"),
    ],
)
def test_what_it_cannot_mean_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
