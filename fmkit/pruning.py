"""Leaving things out (chapter 13): weights, two of four, whole neurons, directions.

A mask says what stays: True is kept. Weights are (I, O).
"""

import numpy as np
from jaxtyping import Bool, Float

from fmkit._shapes import expect, floats
from fmkit._types import Array
from fmkit._values import demand, number, whole


def keep_largest(w: Float[Array, "*shape"], share: float) -> Bool[Array, "*shape"]:
    """Which weights stay when a share of them goes, the smallest first.

    Parameters
    ----------
    w : array
    share : float
        0 to 1: how much is left out; rounded down to whole weights. Of two equal ones, the first goes first.

    References
    ----------
    Han et al., "Learning both weights and connections for efficient neural networks" (2015), section 3.

    Examples
    --------
    >>> print(keep_largest(np.array([3.0, -1.0, 0.5, -4.0]), 0.5))
    [ True False False  True]
    """
    w, share = floats("w", w), number("share", share, 0.0, 1.0)
    gone = np.argsort(np.abs(w), axis=None, kind="stable")[: int(share * w.size + 1e-9)]
    mask = np.ones(w.size, bool)
    mask[gone] = False
    return mask.reshape(w.shape)


def two_of_four(w: Float[Array, "I O"], norms: Float[Array, "I"] | None = None) -> Bool[Array, "I O"]:
    """Of every four weights in a row of inputs the two that matter more: a pattern that hardware can use.

    Parameters
    ----------
    w : (I, O)
        I is a multiple of 4.
    norms : (I,), optional
        How large each input is over some text: a weight matters as much as what comes through it. Without
        them its size alone decides.

    Returns
    -------
    mask : (I, O)
        Two True in each four inputs of each column; of equal ones the first stay.

    References
    ----------
    Mishra et al., "Accelerating sparse deep neural networks" (2021), section 3; with norms: Sun et al., "A
    simple and effective pruning approach for large language models" (Wanda, 2024), equation 1.

    Examples
    --------
    >>> w = np.array([[1.0], [-3.0], [2.0], [0.5]])
    >>> print(two_of_four(w).ravel(), two_of_four(w, np.array([9.0, 1.0, 1.0, 1.0])).ravel())
    [False  True  True False] [ True  True False False]
    """
    w = floats("w", w, 2, "(I, O)")
    demand(len(w) % 4 == 0, "w", "a multiple of 4 inputs", len(w))
    matters = np.abs(w)
    if norms is not None:
        expect("norms", norms, (len(w),), "(I,)")
        matters = matters * norms[:, None]
    fours = matters.reshape(-1, 4, w.shape[1])
    order = np.argsort(-fours, axis=1, kind="stable")  # the largest first
    mask = np.zeros(fours.shape, bool)
    np.put_along_axis(mask, order[:, :2], True, axis=1)
    return mask.reshape(w.shape)


def prune_neurons(
    w1: Float[Array, "C F"], b1: Float[Array, "F"], w2: Float[Array, "F O"], keep: int
) -> tuple[Float[Array, "C K"], Float[Array, "K"], Float[Array, "K O"]]:
    """A feed-forward part with fewer hidden neurons: smaller matrices, so it really is faster.

    Parameters
    ----------
    w1, b1, w2
        Into the hidden layer, and out of it.
    keep : int
        K. Those stay whose weights, in and out, have the largest product of lengths; in their old order.

    Examples
    --------
    >>> w1, w2 = np.array([[1.0, 9.0, 2.0]]), np.array([[1.0], [1.0], [3.0]])
    >>> print(*prune_neurons(w1, np.zeros(3), w2, keep=2)[::2])
    [[9. 2.]] [[1.]
     [3.]]
    """
    w1 = floats("w1", w1, 2, "(C, F)")
    F = w1.shape[1]
    expect("b1", b1, (F,), "(F,)")
    expect("w2", w2, (F, None), "(F, O)")
    demand(whole("keep", keep, 1) <= F, "keep", f"at most {F}", keep)
    matters = np.linalg.norm(w1, axis=0) * np.linalg.norm(w2, axis=1)  # (F,)
    stay = np.sort(np.argsort(-matters, kind="stable")[:keep])
    return w1[:, stay], b1[stay], w2[stay]


def low_rank(w: Float[Array, "I O"], rank: int) -> tuple[Float[Array, "I R"], Float[Array, "R O"]]:
    """Two thin matrices whose product is as near to a weight as their rank allows.

    They are smaller than the weight only where rank is below I O / (I + O).

    References
    ----------
    Eckart and Young, "The approximation of one matrix by another of lower rank" (1936).

    Examples
    --------
    >>> a, b = low_rank(np.outer([1.0, 2.0], [3.0, 4.0, 5.0]), rank=1)
    >>> print((a @ b).round(6), a.shape, b.shape)
    [[ 3.  4.  5.]
     [ 6.  8. 10.]] (2, 1) (1, 3)
    """
    w = floats("w", w, 2, "(I, O)")
    demand(whole("rank", rank, 1) <= min(w.shape), "rank", f"at most {min(w.shape)}", rank)
    u, s, vt = np.linalg.svd(w, full_matrices=False)
    return u[:, :rank] * s[:rank], vt[:rank]
