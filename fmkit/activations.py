"""Activations (chapter 02): each function next to its hand-written backward.

Every forward returns ``(out, cache)``; the backward takes the upstream gradient ``dout`` (same shape as
``out``) and that cache. float32 stays float32: every constant is a Python float, never a NumPy scalar.
"""

import math

import numpy as np
from jaxtyping import Float

from fmkit._types import Array, Cache

_SQRT_2_OVER_PI = math.sqrt(2.0 / math.pi)


def sigmoid(x: Float[Array, "..."]) -> tuple[Float[Array, "..."], Cache]:
    """Logistic sigmoid, 1 / (1 + exp(-x)), for any finite x without overflow.

    Parameters
    ----------
    x : array of any shape
        Pre-activations.

    Returns
    -------
    out : array, the shape of ``x``
        Values in [0, 1].
    cache
        What `sigmoid_backward` needs.
    """
    e = np.exp(-np.abs(x))                      # in (0, 1]: the exponent is never positive
    out = np.where(x >= 0, 1.0, e) / (1.0 + e)
    return out, out


def sigmoid_backward(dout: Float[Array, "..."], cache: Cache) -> Float[Array, "..."]:
    """Gradient of `sigmoid`: the slope is out * (1 - out), taken from the output, never from x again."""
    out = cache
    return dout * out * (1.0 - out)
