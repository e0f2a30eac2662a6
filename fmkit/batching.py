"""From lists of ids to arrays (chapter 01): truncate, pad, attention masks, batches of similar length."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from fmkit._shapes import expect, integers
from fmkit._types import Array
from fmkit._values import generator, listed, whole

Ids = Sequence[int] | Int[Array, "_"]


def truncate(ids: Ids, max_length: int, side: str = "right") -> list[int]:
    """At most ``max_length`` ids; the rest is cut off on the given side.

    A classifier keeps the beginning (``"right"``), a language model that goes on writing keeps the end
    (``"left"``). A ``max_length`` below 0 raises ValueError, a text instead of its ids TypeError.

    Examples
    --------
    >>> truncate([1, 2, 3, 4], 3), truncate([1, 2, 3, 4], 3, side="left")
    ([1, 2, 3], [2, 3, 4])
    """
    _check_side(side)
    max_length = whole("max_length", max_length, 0)
    ids = _listed("ids", ids)
    return ids[:max_length] if side == "right" else ids[max(0, len(ids) - max_length) :]


def truncate_pair(first: Ids, second: Ids, max_length: int) -> tuple[list[int], list[int]]:
    """Cut the end of the longer text, then of both, until together they have at most ``max_length`` ids.

    An odd id goes to the longer text (to the second, when both are as long): Hugging Face's "longest first".
    A ``max_length`` below 0 raises ValueError, a text instead of its ids TypeError.

    Examples
    --------
    >>> truncate_pair([1, 2, 3, 4, 5], [6, 7], 5)
    ([1, 2, 3], [6, 7])
    """
    max_length = whole("max_length", max_length, 0)
    first, second = _listed("first", first), _listed("second", second)
    short = min(len(first), len(second), max_length // 2)
    if len(first) > len(second):
        return first[: max_length - short], second[:short]
    return first[:short], second[: max_length - short]


def _listed(name: str, ids: Ids) -> list[int]:
    listed(name, ids, "ids")
    ids = list(ids)
    for i in ids:
        if not isinstance(i, int | np.integer):  # a batch, say: cut each of its texts by itself
            raise TypeError(f"{name}: expected whole numbers, the ids of one text, got {i!r:.60} among them")
    return ids


def pad(
    sequences: Sequence[Ids], value: int = 0, side: str = "right", length: int | None = None
) -> tuple[Int[Array, "B T"], Int[Array, "B T"]]:
    """Make sequences equally long, so that they fit into one array.

    Parameters
    ----------
    sequences : sequence of B lists of int
    value : int
        What to fill up with: the id of ``[PAD]``.
    side : str
        Where to fill up, "right" or "left". Generation wants ``"left"``, so that the last column holds every
        text's last token.
    length : int, optional
        T; by default the longest sequence's.

    Returns
    -------
    ids : (B, T)
    mask : (B, T)
        The attention mask: 1 for a real token, 0 for padding.

    Raises
    ------
    ValueError
        When a sequence is longer than ``length``: nothing is cut silently. Or when one is a list of lists.
    TypeError
        When a sequence does not hold integers: no fraction is cut off either.

    Examples
    --------
    >>> ids, mask = pad([[5, 6, 7], [8]])
    >>> print(ids, mask, sep="\\n")
    [[5 6 7]
     [8 0 0]]
    [[1 1 1]
     [1 0 0]]
    """
    _check_side(side)
    value = whole("value", value)
    listed("sequences", sequences, "sequences")
    rows = [_row(f"sequences[{i}]", sequence) for i, sequence in enumerate(sequences)]
    longest = max(map(len, rows), default=0)
    length = longest if length is None else whole("length", length, 0)
    if longest > length:
        raise ValueError(f"a sequence of {longest} does not fit into {length}: truncate it first")
    ids = np.full((len(rows), length), value, dtype=np.int64)
    mask = np.zeros_like(ids)
    for i, row in enumerate(rows):
        real = slice(0, len(row)) if side == "right" else slice(length - len(row), length)
        ids[i, real] = row
        mask[i, real] = 1
    return ids, mask


def _row(name: str, sequence: Ids) -> Int[Array, "n"]:
    """The ids of one text as an array; the empty one is of no dtype."""
    try:
        row = np.asarray(sequence)
    except ValueError:  # lists of several lengths
        row = np.empty((0, 0))
    expect(name, row, (None,), "(n,)")
    if row.size == 0:
        return np.zeros(0, np.int64)
    integers(name, row)
    return row


def _check_side(side: str) -> None:
    if side not in ("left", "right"):
        raise ValueError(f'side: expected "left" or "right", got {side!r:.60}')


def _lengths(lengths: Ids) -> Int[Array, "N"]:
    row = _row("lengths", lengths)
    if row.size and row.min() < 0:
        raise ValueError(f"lengths: expected 0 or more, got {row.min()} among them")
    return row


def batches_by_length(
    lengths: Ids, batch_size: int, rng: np.random.Generator | None = None
) -> list[Int[Array, "_"]]:
    """Indices of batches of similar length, so that little of a batch is padding.

    Parameters
    ----------
    lengths : sequence of N int
        The length of each sequence.
    batch_size : int
        1 at least.
    rng : numpy.random.Generator, optional
        Shuffles sequences of one length, and the order of the batches. A model that always sees short texts
        first learns worse. Without it the order is from short to long.

    Returns
    -------
    list of index arrays
        Every index is in exactly one; one batch may be smaller than the others.

    Raises
    ------
    ValueError
        For a ``batch_size`` below 1, a length below 0, or for sequences instead of their lengths.

    Examples
    --------
    >>> [batch.tolist() for batch in batches_by_length([9, 2, 8, 1, 7], batch_size=2)]
    [[3, 1], [4, 2], [0]]
    """
    batch_size = whole("batch_size", batch_size, 1)
    lengths = _lengths(lengths)
    if rng is not None:
        generator(rng)
    shuffled = np.arange(len(lengths)) if rng is None else rng.permutation(len(lengths))
    order = shuffled[np.argsort(lengths[shuffled], kind="stable")]
    batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    return batches if rng is None else [batches[i] for i in rng.permutation(len(batches))]
