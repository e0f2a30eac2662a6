"""Averages against one big client, secure sums against plain ones, also when clients drop out."""

import itertools

import numpy as np
import pytest

from fmkit import federated as fed


def test_average_counts_examples_not_clients():
    rng = np.random.default_rng(0)
    groups = [rng.normal(size=(n, 4)) for n in (1, 7, 30)]
    models = [{"w": g.mean(0), "deep": [g.mean(0)[:2]]} for g in groups]
    out = fed.average(models, [len(g) for g in groups])
    np.testing.assert_allclose(out["w"], np.concatenate(groups).mean(0))
    np.testing.assert_allclose(out["deep"][0], np.concatenate(groups).mean(0)[:2])


def test_average_leaves_the_clients_alone():
    models = [{"w": np.ones(2, np.float32)}, {"w": np.zeros(2, np.float32)}]
    out = fed.average(models, [1, 0])
    out["w"][:] = 9
    assert models[0]["w"].tolist() == [1, 1] and out["w"].dtype == np.float32


def test_encode_holds_negative_numbers_and_sums():
    x = np.random.default_rng(0).normal(size=(3, 50)) * 1000
    np.testing.assert_allclose(fed.decode(fed.encode(x)), x, atol=2**-25)
    total = fed.encode(x[0]) + fed.encode(x[1]) + fed.encode(x[2])
    np.testing.assert_allclose(fed.decode(total), x.sum(0), atol=3 * 2**-25)


def room(rng, n, size):
    x = rng.normal(size=(n, size))
    seeds = {pair: int(rng.integers(2**32)) for pair in itertools.combinations(range(n), 2)}
    own = {i: int(rng.integers(2**32)) for i in range(n)}
    shared = {i: {j: seeds[min(i, j), max(i, j)] for j in range(n) if j != i} for i in range(n)}
    return x, shared, own


@pytest.mark.parametrize("gone", [(), (0,), (4,), (1, 3), (0, 1, 2, 3)])
def test_masks_leave_the_sum_of_those_that_answered(gone):
    x, shared, own = room(np.random.default_rng(1), 5, 7)
    sent = {i: fed.masked(fed.encode(x[i]), i, shared[i], own[i]) for i in range(5) if i not in gone}
    dropped = {g: {i: shared[g][i] for i in sent} for g in gone}
    total = fed.unmask(sent, {i: own[i] for i in sent}, dropped)
    np.testing.assert_array_equal(total, sum(fed.encode(x[i]) for i in sent))


def test_what_is_sent_says_nothing_of_what_it_holds():
    x, shared, own = room(np.random.default_rng(2), 3, 4000)
    sent = fed.masked(fed.encode(x[0] + 5), 0, shared[0], own[0])
    top = sent >> np.uint64(60)  # the first of sixteen digits: all alike
    assert np.bincount(top.astype(int), minlength=16).min() > 180


def test_without_a_mask_of_its_own_a_late_client_is_read():
    """The server calls client 0 dropped, gets its seeds from the others, and then its numbers arrive."""
    x, shared, own = room(np.random.default_rng(3), 3, 4)
    sent = fed.masked(fed.encode(x[0]), 0, shared[0], own[0])
    read = sent - fed.mask(shared[0][1], 4) - fed.mask(shared[0][2], 4)
    assert not np.array_equal(read, fed.encode(x[0]))
    np.testing.assert_array_equal(read - fed.mask(own[0], 4), fed.encode(x[0]))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: fed.average([], []), "models: expected a client at least"),
        (lambda: fed.average([{"w": np.ones(1)}], [1, 2]), "sizes: expected 1 of them"),
        (lambda: fed.average([{"w": np.ones(1)}], [0]), "sizes: expected an example at least"),
        (lambda: fed.average([{"w": np.ones(1)}], [-1]), "sizes: expected a number >= 0"),
        (lambda: fed.encode(np.array([1e15])), "x: expected numbers below"),
        (lambda: fed.decode(np.ones(2)), "total: expected whole numbers modulo"),
        (lambda: fed.masked(fed.encode(np.ones(1)), 0, {0: 3}, 1), "shared: expected other clients"),
        (lambda: fed.unmask({}, {}, {}), "sent: expected a client at least"),
        (lambda: fed.unmask({0: fed.encode(np.ones(1))}, {}, {}), "own: expected a seed of each"),
        (
            lambda: fed.unmask({0: fed.encode(np.ones(1))}, {0: 1}, {1: {}}),
            "dropped: expected seeds with each",
        ),
        (
            lambda: fed.unmask({0: fed.encode(np.ones(1))}, {0: 1}, {0: {}}),
            "dropped: expected clients that sent",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(call, message, as_a_learner):
    with pytest.raises(ValueError, match=message):
        call()
