"""Inputs that several exercises of this chapter share."""

import numpy as np


def padded_mask(rng, B, T):
    """Real steps in one run, the padding on the right, on the left, on both sides, or nowhere."""
    mask = np.zeros((B, T), np.int64)
    for row in mask:
        begin, end = np.sort(rng.choice(T + 1, 2, replace=False))
        row[begin:end] = 1
    mask[0, : T // 2], mask[0, T // 2 :] = 1, 0  # padded on the right
    return mask
