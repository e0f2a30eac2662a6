"""Padding, truncation, attention masks, batches of similar length."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmkit.batching import batches_by_length, pad, truncate, truncate_pair

SEQUENCES = st.lists(st.lists(st.integers(1, 9), max_size=6), max_size=5)


@given(SEQUENCES, st.sampled_from(["left", "right"]), st.integers(0, 3))
def test_the_mask_gives_the_sequences_back(sequences, side, extra):
    length = max(map(len, sequences), default=0) + extra
    ids, mask = pad(sequences, value=0, side=side, length=length)
    assert ids.shape == mask.shape == (len(sequences), length)
    assert [row[m == 1].tolist() for row, m in zip(ids, mask, strict=True)] == sequences
    assert not ids[mask == 0].any()
    edge = mask[:, ::-1] if side == "left" else mask
    assert (np.diff(edge, axis=1) <= 0).all()  # ones first, then zeros


def test_pad_value_and_default_length():
    ids, mask = pad([[], [7, 8]], value=-100, side="left")
    assert ids.tolist() == [[-100, -100], [7, 8]] and mask.tolist() == [[0, 0], [1, 1]]
    assert ids.dtype == mask.dtype == np.int64
    assert pad([])[0].shape == (0, 0)
    assert pad([np.array([1, 2])], length=3)[0].tolist() == [[1, 2, 0]]


def test_nothing_is_cut_silently_and_sides_are_checked():
    with pytest.raises(ValueError, match="truncate it first"):
        pad([[1, 2, 3]], length=2)
    with pytest.raises(ValueError, match="side"):
        pad([[1]], side="top")
    with pytest.raises(ValueError, match="side"):
        truncate([1], 1, side="")


@given(st.lists(st.integers()), st.integers(0, 10))
def test_truncate_keeps_one_end(ids, max_length):
    n = min(len(ids), max_length)
    assert truncate(ids, max_length) == ids[:n]
    assert truncate(ids, max_length, side="left") == ids[len(ids) - n :]


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 20))
def test_truncated_pairs_fill_the_room_and_shorten_the_longer(n, m, room):
    a, b = truncate_pair(list(range(n)), list(range(m)), room)
    assert a == list(range(len(a))) and b == list(range(len(b)))
    assert len(a) + len(b) == min(n + m, room)
    if len(a) < n:
        assert len(a) >= len(b) - 1
    if len(b) < m:
        assert len(b) >= len(a) - 1


@given(st.lists(st.integers(0, 50), max_size=40), st.integers(1, 7), st.booleans())
def test_batches_cover_every_index_once_and_waste_little(lengths, batch_size, shuffled):
    rng = np.random.default_rng(0) if shuffled else None
    batches = batches_by_length(lengths, batch_size, rng)
    flat = [i for batch in batches for i in batch.tolist()]
    assert sorted(flat) == list(range(len(lengths)))
    assert all(len(batch) <= batch_size for batch in batches)
    spans = sorted((min(lengths[i] for i in b), max(lengths[i] for i in b)) for b in batches)
    assert all(spans[i][1] <= spans[i + 1][0] for i in range(len(spans) - 1))  # lengths do not interleave


def test_batches_are_shuffled_by_the_given_generator():
    lengths = np.random.default_rng(1).integers(1, 30, 200)
    first, second = (batches_by_length(lengths, 16, np.random.default_rng(seed)) for seed in (2, 3))
    again = batches_by_length(lengths, 16, np.random.default_rng(2))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert any(len(a) != len(b) or (a != b).any() for a, b in zip(first, second, strict=True))
    longest = [lengths[batch].max() for batch in first]
    assert longest != sorted(longest)


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: truncate([1, 2, 3], -1), ValueError, "max_length: expected a whole number >= 0, got -1"),
        (lambda: truncate([1, 2, 3], -1, side="left"), ValueError, "max_length"),
        (lambda: truncate("to be", 3), TypeError, "ids: expected a list of ids, got one str"),
        (lambda: truncate_pair([1, 2], [3], -2), ValueError, "max_length: .* got -2"),
        (lambda: truncate_pair([1, 2], "be", 3), TypeError, "second: expected a list of ids"),
        (lambda: pad([[1.7, 2.2]]), TypeError, r"sequences\[0\]: expected an array of integers, got float64"),
        (lambda: pad([[1], [2.0]]), TypeError, r"sequences\[1\]: .* got float64"),
        (lambda: pad([["1", "2"]]), TypeError, r"sequences\[0\]: .* got <U1"),
        (lambda: pad([[True]]), TypeError, "got bool"),
        (lambda: pad([[1, None]]), TypeError, "got object"),
        (lambda: pad(["12"]), ValueError, r"sequences\[0\]: expected \(n,\), got \(\)"),
        (lambda: pad([1, 2]), ValueError, r"sequences\[0\]: expected \(n,\), got \(\)"),
        (lambda: pad([[[1]]]), ValueError, r"sequences\[0\]: .* got \(1, 1\)"),
        (lambda: pad([[[1], [2, 3]]]), ValueError, r"sequences\[0\]: expected \(n,\)"),
        (lambda: pad([[1]], value=0.5), TypeError, "value: expected a whole number, got 0.5"),
        (lambda: pad([[1]], length=-1), ValueError, "length: expected a whole number >= 0, got -1"),
        (lambda: batches_by_length([1, 2], 0), ValueError, "batch_size: expected a whole number >= 1, got 0"),
        (lambda: batches_by_length([1, 2], -1), ValueError, "batch_size: .* got -1"),
        (lambda: batches_by_length([[1, 2], [3]], 2), ValueError, r"lengths: expected \(n,\)"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_nothing_is_padded_to_nothing():
    ids, mask = pad([])
    assert ids.shape == mask.shape == (0, 0)
    ids, mask = pad([[], np.array([], int)], length=2)
    assert ids.tolist() == mask.tolist() == [[0, 0], [0, 0]]
    assert truncate([1, 2], 0) == []
    assert batches_by_length([], 3) == []
