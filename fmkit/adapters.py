"""Small parts that teach a big model (chapter 08): LoRA, adapters, learned prefixes. The rest stays frozen.

Each is a pair, a forward and its backward. What is frozen gets no gradient: the backwards return only the
gradient of the input, so that learning can go on below, and those of the few new parameters. Shapes: R the
rank or the width of a bottleneck, P learned positions, B batch, H heads, T queries, S keys, D width of a
head, C channels. Arrays of other shapes raise ValueError: nothing is broadcast.
"""

import numpy as np
from jaxtyping import Float

from fmkit._shapes import expect, floats, matrix, opened
from fmkit._types import Array, Cache
from fmkit._values import number
from fmkit.activations import gelu_tanh, gelu_tanh_backward
from fmkit.attention import Mask, attention, attention_backward, check_mask
from fmkit.layers import linear, linear_backward

# ------------------------------------------------------------------------------------------------------ LoRA


def lora_linear(
    x: Float[Array, "*lead C_in"],
    w: Float[Array, "C_in C_out"],
    b: Float[Array, "C_out"] | None,
    a: Float[Array, "C_in R"],
    bb: Float[Array, "R C_out"],
    alpha: float = 16.0,
) -> tuple[Float[Array, "*lead C_out"], Cache]:
    """A frozen linear layer with a learned change of low rank: x @ w + b + alpha / R * (x @ a) @ bb.

    Parameters
    ----------
    x : (..., C_in)
    w, b : (C_in, C_out), (C_out,) or None
        The pretrained layer. Frozen.
    a, bb : (C_in, R), (R, C_out)
        What is learned. Start with ``a`` random and ``bb`` zero: then the layer begins as the pretrained one.
    alpha : float
        Scale of the change. Divided by R, so that another rank does not ask for another learning rate.

    Returns
    -------
    out : (..., C_out)
    cache
        What `lora_linear_backward` needs.

    References
    ----------
    Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models" (2021), equation 3; their A and B,
    transposed, are our ``a`` and ``bb``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, w, a = rng.normal(size=(2, 4)), rng.normal(size=(4, 3)), rng.normal(size=(4, 1))
    >>> out, _ = lora_linear(x, w, None, a, np.zeros((1, 3)))
    >>> np.allclose(out, x @ w)  # with bb at zero, it begins as the pretrained layer
    True
    """
    x = floats("x", x, axes=1)
    matrix("w", w, x.shape[-1], "(C_in, C_out)")
    _check_low_rank(w, a, bb)
    scale = number("alpha", alpha) / a.shape[1]
    out, _ = linear(x, w, b)  # (..., C_out)
    narrow, a_cache = linear(x, a)  # (..., R)
    change, bb_cache = linear(narrow, bb)  # (..., C_out)
    change *= scale
    out += change
    return out, (w, a_cache, bb_cache, scale)


def _check_low_rank(w: Array, a: Array, bb: Array) -> None:
    C_in, C_out = w.shape
    matrix("a", a, C_in, "(C_in, R)")
    expect("bb", bb, (a.shape[1], C_out), "(R, C_out)")


def lora_linear_backward(
    dout: Float[Array, "*lead C_out"], cache: Cache
) -> tuple[Float[Array, "*lead C_in"], Float[Array, "C_in R"], Float[Array, "R C_out"]]:
    """Gradients of `lora_linear`: dx, da, dbb. The product that costs most, dw = x^T dout, is not needed.

    Examples
    --------
    >>> out, cache = lora_linear(np.ones((2, 4)), np.ones((4, 3)), None, np.ones((4, 1)), np.zeros((1, 3)))
    >>> dx, da, dbb = lora_linear_backward(np.ones((2, 3)), cache)
    >>> print(da.any(), dbb.any())  # as long as bb is zero, only bb learns
    False True
    """
    w, a_cache, bb_cache, scale = opened(cache, 4, "lora_linear")

    # out += scale * narrow @ bb
    dnarrow, dbb, _ = linear_backward(dout * scale, bb_cache)  # (..., R)

    # narrow = x @ a
    dx, da, _ = linear_backward(dnarrow, a_cache)

    # out = x @ w + b: through the frozen weight, but not into it
    dx += dout @ w.T
    return dx, da, dbb


def merge_lora(
    w: Float[Array, "C_in C_out"],
    a: Float[Array, "C_in R"],
    bb: Float[Array, "R C_out"],
    alpha: float = 16.0,
) -> Float[Array, "C_in C_out"]:
    """The one weight that does what `lora_linear` does, w + alpha / R * a @ bb: no extra cost any more.

    Examples
    --------
    >>> w, a, bb = np.zeros((2, 2)), np.array([[1.0], [2.0]]), np.array([[1.0, 10.0]])
    >>> merge_lora(w, a, bb, alpha=1.0)  # a change of rank 1
    array([[ 1., 10.],
           [ 2., 20.]])
    """
    matrix("w", w, None, "(C_in, C_out)")
    _check_low_rank(w, a, bb)
    alpha = number("alpha", alpha)
    return w + (alpha / a.shape[1]) * (a @ bb)


# --------------------------------------------------------------------------------------------------- adapters


def adapter(
    x: Float[Array, "*lead C"],
    w_down: Float[Array, "C R"],
    b_down: Float[Array, "R"],
    w_up: Float[Array, "R C"],
    b_up: Float[Array, "C"],
) -> tuple[Float[Array, "*lead C"], Cache]:
    """Behind a frozen part, a bottleneck with a way around it: x + gelu(x @ w_down + b_down) @ w_up + b_up.

    Parameters
    ----------
    x : (..., C)
        What the frozen part gave.
    w_down, b_down, w_up, b_up : (C, R), (R,), (R, C), (C,)
        What is learned. Start with ``w_up`` and ``b_up`` zero: then nothing changes at first.

    Returns
    -------
    out : (..., C)
    cache
        What `adapter_backward` needs.

    References
    ----------
    Houlsby et al., "Parameter-Efficient Transfer Learning for NLP" (2019), section 2.1.

    Examples
    --------
    >>> x, w_down, b_down = np.ones((2, 4)), np.ones((4, 1)), np.zeros(1)
    >>> out, _ = adapter(x, w_down, b_down, np.zeros((1, 4)), np.zeros(4))
    >>> np.array_equal(out, x)  # with w_up and b_up at zero, nothing changes at first
    True
    """
    x = floats("x", x, axes=1)
    C = x.shape[-1]
    matrix("w_down", w_down, C, "(C, R)")
    expect("b_down", b_down, w_down.shape[1:], "(R,)")
    expect("w_up", w_up, (w_down.shape[1], C), "(R, C)")
    expect("b_up", b_up, (C,), "(C,)")
    down, down_cache = linear(x, w_down, b_down)  # (..., R)
    hidden, gelu_cache = gelu_tanh(down)
    up, up_cache = linear(hidden, w_up, b_up)  # (..., C)
    up += x
    return up, (down_cache, gelu_cache, up_cache)


def adapter_backward(dout: Float[Array, "*lead C"], cache: Cache) -> tuple[Float[Array, "..."], ...]:
    """Gradients of `adapter`: dx, dw_down, db_down, dw_up, db_up.

    Examples
    --------
    >>> out, cache = adapter(np.ones((2, 4)), np.ones((4, 1)), np.zeros(1), np.zeros((1, 4)), np.zeros(4))
    >>> [grad.shape for grad in adapter_backward(np.ones((2, 4)), cache)]
    [(2, 4), (4, 1), (1,), (1, 4), (4,)]
    """
    down_cache, gelu_cache, up_cache = opened(cache, 3, "adapter")

    # up = hidden @ w_up + b_up
    dhidden, dw_up, db_up = linear_backward(dout, up_cache)  # (..., R)

    # down = x @ w_down + b_down, then GELU
    dx, dw_down, db_down = linear_backward(gelu_tanh_backward(dhidden, gelu_cache), down_cache)

    # out = x + up: the way around
    dx += dout
    return dx, dw_down, db_down, dw_up, db_up


# ----------------------------------------------------------------------------------------------------- prefix


def prefix_attention(
    q: Float[Array, "B H T D"],
    k: Float[Array, "B H S D"],
    v: Float[Array, "B H S D"],
    pk: Float[Array, "H P D"],
    pv: Float[Array, "H P D"],
    mask: Mask | None = None,
) -> tuple[Float[Array, "B H T D"], Cache]:
    """Attention with P learned keys and values in front of the text's own: as if P words had come before.

    Parameters
    ----------
    q : (B, H, T, D)
    k, v : (B, H, S, D)
        Of the text, from frozen projections.
    pk, pv : (H, P, D)
        What is learned, the same for every text.
    mask : broadcastable to (B, H, T, S), optional
        Of the text's keys: booleans, True where a query may look, or floats added to the scores, 0 or -inf.
        The prefix is never masked.

    Returns
    -------
    out : (B, H, T, D)
    cache
        What `prefix_attention_backward` needs.

    References
    ----------
    Li and Liang, "Prefix-Tuning: Optimizing Continuous Prompts for Generation" (2021), equation 3, without
    their extra network in training.

    Examples
    --------
    >>> q = k = v = np.zeros((1, 1, 1, 2))  # one token looks at itself, and at two learned positions
    >>> out, _ = prefix_attention(q, k, v, np.zeros((1, 2, 2)), np.array([[[3.0, 0.0], [0.0, 3.0]]]))
    >>> print(out)  # the mean of the three values
    [[[[1. 1.]]]]
    """
    q = floats("q", q, 4, "(B, H, T, D)")
    expect("k", k, (len(q), None, None, None), "(B, H, S, D)")
    B, H, S, D = k.shape
    expect("v", v, k.shape, "(B, H, S, D)")
    expect("pk", pk, (H, None, D), "(H, P, D)")
    expect("pv", pv, pk.shape, "(H, P, D)")
    P = pk.shape[1]
    k = np.concatenate([np.broadcast_to(pk, (B, *pk.shape)), k], axis=2)  # (B, H, P+S, D)
    v = np.concatenate([np.broadcast_to(pv, (B, *pv.shape)), v], axis=2)
    if mask is not None:
        check_mask(mask, (B, q.shape[1], q.shape[2], S))
        mask = np.broadcast_to(mask, (*mask.shape[:-1], S))  # one number may stand for all keys
        seen = np.full((*mask.shape[:-1], P), mask.dtype == bool, mask.dtype)  # True, or 0 to add
        mask = np.concatenate([seen, mask], axis=-1)  # (..., P+S)
    out, cache = attention(q, k, v, mask)
    return out, (cache, P)


def prefix_attention_backward(dout: Float[Array, "B H T D"], cache: Cache) -> tuple[Float[Array, "..."], ...]:
    """Gradients of `prefix_attention`: dq, dk, dv, dpk, dpv (summed: one prefix serves all texts).

    Examples
    --------
    >>> q = k = v = np.zeros((1, 1, 1, 2))
    >>> out, cache = prefix_attention(q, k, v, np.zeros((1, 2, 2)), np.ones((1, 2, 2)))
    >>> dq, dk, dv, dpk, dpv = prefix_attention_backward(np.ones_like(out), cache)
    >>> print(dpv.round(3))  # each value had a third of the weight
    [[[0.333 0.333]
      [0.333 0.333]]]
    """
    attention_cache, P = opened(cache, 2, "prefix_attention")
    dq, dk, dv = attention_backward(dout, attention_cache)  # (B, H, P+S, D)

    # k = [pk, k], v = [pv, v]: cut them apart again
    return dq, dk[:, :, P:], dv[:, :, P:], dk[:, :, :P].sum(0), dv[:, :, :P].sum(0)
