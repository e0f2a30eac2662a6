"""From lists of ids to arrays (chapter 01): truncate, pad, attention masks, batches of similar length."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from fmkit._types import Array

Ids = Sequence[int] | Int[Array, "_"]


def truncate(ids: Ids, max_length: int, side: str = "right") -> list[int]:
    """At most ``max_length`` ids; the rest is cut off on the given side.

    A classifier keeps the beginning (``"right"``), a language model that goes on writing keeps the end
    (``"left"``).

    Examples
    --------
    >>> truncate([1, 2, 3, 4], 3), truncate([1, 2, 3, 4], 3, side="left")
    ([1, 2, 3], [2, 3, 4])
    """
    _check_side(side)
    ids = list(ids)
    return ids[:max_length] if side == "right" else ids[max(0, len(ids) - max_length) :]


def truncate_pair(first: Ids, second: Ids, max_length: int) -> tuple[list[int], list[int]]:
    """Cut the end of the longer text, then of both, until together they have at most ``max_length`` ids.

    An odd id goes to the longer text (to the second, when both are as long): Hugging Face's "longest first".

    Examples
    --------
    >>> truncate_pair([1, 2, 3, 4, 5], [6, 7], 5)
    ([1, 2, 3], [6, 7])
    """
    short = min(len(first), len(second), max_length // 2)
    if len(first) > len(second):
        return list(first[: max_length - short]), list(second[:short])
    return list(first[:short]), list(second[: max_length - short])


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
        When a sequence is longer than ``length``: nothing is cut silently.

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
    longest = max((len(s) for s in sequences), default=0)
    length = longest if length is None else length
    if longest > length:
        raise ValueError(f"a sequence of {longest} does not fit into {length}: truncate it first")
    ids = np.full((len(sequences), length), value, dtype=np.int64)
    mask = np.zeros_like(ids)
    for i, sequence in enumerate(sequences):
        real = slice(0, len(sequence)) if side == "right" else slice(length - len(sequence), length)
        ids[i, real] = sequence
        mask[i, real] = 1
    return ids, mask


def _check_side(side: str) -> None:
    if side not in ("left", "right"):
        raise ValueError(f'side must be "left" or "right", not {side!r}')


def batches_by_length(
    lengths: Ids, batch_size: int, rng: np.random.Generator | None = None
) -> list[Int[Array, "_"]]:
    """Indices of batches of similar length, so that little of a batch is padding.

    Parameters
    ----------
    lengths : sequence of N int
        The length of each sequence.
    batch_size : int
    rng : numpy.random.Generator, optional
        Shuffles sequences of one length, and the order of the batches. A model that always sees short texts
        first learns worse. Without it the order is from short to long.

    Returns
    -------
    list of index arrays
        Every index is in exactly one; one batch may be smaller than the others.

    Examples
    --------
    >>> [batch.tolist() for batch in batches_by_length([9, 2, 8, 1, 7], batch_size=2)]
    [[3, 1], [4, 2], [0]]
    """
    lengths = np.asarray(lengths)
    shuffled = np.arange(len(lengths)) if rng is None else rng.permutation(len(lengths))
    order = shuffled[np.argsort(lengths[shuffled], kind="stable")]
    batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    return batches if rng is None else [batches[i] for i in rng.permutation(len(batches))]
