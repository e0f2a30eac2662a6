"""Attention (chapter 06): each query takes a weighted mean of the values, and works out the weights itself.

Shapes: B batch, T query positions, S key positions, H query heads, G key/value heads (G divides H), D width
of one head, C width of the model. A mask of floats is *added* to the scores: 0 where a query may look, -inf
where not. A mask of booleans is True where it may look, as in torch's ``scaled_dot_product_attention``. (A
mask of the numbers 1 and 0 would add 1 to the scores, which is neither: it is refused.)

Arrays of other shapes than the signature's raise ValueError, what is not an array of floats raises TypeError.
"""

import math
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Integer

from fmkit._shapes import expect, float_dtype, floats, integers, matrix, opened, zeros_and_ones
from fmkit._types import Array, Cache
from fmkit._values import demand, kind_of, number, whole
from fmkit.activations import softmax_backward
from fmkit.layers import linear, linear_backward, rmsnorm, rmsnorm_backward

Mask = Float[Array, "..."] | Bool[Array, "..."]  # added to the scores, or True where a query may look

# ---------------------------------------------------------------------------------------------------- masks


def causal_mask(T: int, dtype=np.float32) -> Float[Array, "T T"]:
    """Additive mask that hides the future: position t sees positions 0..t.

    Parameters
    ----------
    T : int
        Number of positions.
    dtype : NumPy dtype
        Give the dtype of the activations, so that adding the mask does not change it.

    Returns
    -------
    mask : (T, T)
        0 on and below the diagonal, -inf above it. (``np.tri(T, dtype=bool)`` is the same mask in booleans.)

    Raises
    ------
    TypeError
        For a ``dtype`` that is not float32 or float64: the mask is added to the scores.

    Examples
    --------
    >>> print(causal_mask(3))
    [[  0. -inf -inf]
     [  0.   0. -inf]
     [  0.   0.   0.]]
    """
    T = whole("T", T, 0)
    return np.triu(np.full((T, T), -np.inf, float_dtype(dtype)), k=1)


def padding_mask(attention_mask: Array, dtype=np.float32) -> Float[Array, "B 1 1 S"]:
    """Additive mask that hides padding, from a tokenizer's mask of ones (real) and zeros (padding).

    Parameters
    ----------
    attention_mask : (B, S), integers or booleans
        1 for a real token, 0 for padding.
    dtype : NumPy dtype
        Give the dtype of the activations.

    Returns
    -------
    mask : (B, 1, 1, S)
        0 or -inf; the two axes of size 1 broadcast over heads and queries.

    Raises
    ------
    TypeError
        For a ``dtype`` that is not float32 or float64: the mask is added to the scores.
    ValueError
        For anything but 0 and 1 in the mask: one of 0 and -inf would come out upside down.

    Examples
    --------
    >>> mask = padding_mask(np.array([[1, 1, 0]]))
    >>> print(mask, mask.shape)
    [[[[  0.   0. -inf]]]] (1, 1, 1, 3)
    """
    expect("attention_mask", attention_mask, (None, None), "(B, S)")
    zeros_and_ones("attention_mask", attention_mask)
    mask = np.zeros(attention_mask.shape, float_dtype(dtype))
    mask[attention_mask == 0] = -np.inf
    return mask[:, None, None, :]


def check_mask(mask: Any, shape: tuple[int, ...]) -> None:
    """Refuse a mask that does not broadcast to ``shape``, or of 1 and 0: added to scores, it hides nothing.

    Raises
    ------
    ValueError
        For a mask of another shape, or with NaN or +inf.
    TypeError
        For what is neither booleans nor floats, and for floats that are all 1 and 0.

    Examples
    --------
    >>> check_mask(np.array([[1, 0], [1, 1]]) == 1, (1, 1, 2, 2))  # in order
    >>> try:
    ...     check_mask(np.array([[1, 0], [1, 1]]), (1, 1, 2, 2))
    ... except TypeError as error:
    ...     print(error)
    mask: expected booleans (True: may look) or floats to add (0 or -inf), got int64; mask == 1 makes booleans
    """
    kind = mask.dtype.kind if isinstance(mask, np.ndarray) else ""
    top = mask.max() if kind == "f" and mask.size else 0.0
    one_and_zero = top == 1 and np.isin(mask, (0, 1)).all()
    if kind not in ("b", "f") or one_and_zero:
        got = "1 and 0" if one_and_zero else getattr(mask, "dtype", None) or kind_of(mask)
        wanted = "booleans (True: may look) or floats to add (0 or -inf)"
        raise TypeError(f"mask: expected {wanted}, got {got}; mask == 1 makes booleans")
    pairs = zip(reversed(mask.shape), reversed(shape), strict=False)
    if mask.ndim > len(shape) or any([n not in (1, want) for n, want in pairs]):
        raise ValueError(f"mask: expected what broadcasts to (B, H, T, S) = {shape}, got {mask.shape}")
    if not top < np.inf:  # or NaN
        raise ValueError(f"mask: expected 0 to look and -inf to hide, got {top}")


# ----------------------------------------------------------------------------------------------------- heads


def split_heads(x: Float[Array, "B T HD"], n_heads: int) -> Float[Array, "B H T D"]:
    """Cut the last axis into heads: (B, T, H*D) -> (B, H, T, D). A view of ``x``: nothing is copied.

    Its gradient is `merge_heads`, and the other way round.

    Examples
    --------
    >>> x = np.array([[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]])  # two positions
    >>> heads = split_heads(x, n_heads=2)
    >>> print(heads.shape, heads[0, 1].tolist())  # the second head's half of both positions
    (1, 2, 2, 2) [[3.0, 4.0], [7.0, 8.0]]
    """
    x = floats("x", x, 3, "(B, T, H*D)")
    n_heads = whole("n_heads", n_heads, 1)
    B, T, HD = x.shape
    if HD % n_heads:
        raise ValueError(f"width {HD} does not divide into {n_heads} heads")
    return x.reshape(B, T, n_heads, HD // n_heads).transpose(0, 2, 1, 3)


def merge_heads(x: Float[Array, "B H T D"]) -> Float[Array, "B T HD"]:
    """Lay the heads side by side again: (B, H, T, D) -> (B, T, H*D). Undoes `split_heads`.

    Examples
    --------
    >>> x = np.array([[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]])
    >>> print(merge_heads(split_heads(x, n_heads=2)))
    [[[1. 2. 3. 4.]
      [5. 6. 7. 8.]]]
    """
    x = floats("x", x, 4, "(B, H, T, D)")
    B, H, T, D = x.shape
    return x.transpose(0, 2, 1, 3).reshape(B, T, H * D)


# -------------------------------------------------------------------------------------------------- positions


def rope_tables(
    positions: Integer[Array, "*batch T"], D: int, base: float = 10000.0
) -> tuple[Float[Array, "*batch T half"], Float[Array, "*batch T half"]]:
    """Cosines and sines for rotary positions: at position t, pair i of a head turns by t / base**(2i/D).

    Parameters
    ----------
    positions : (T,) integers, or any shape that ends in T
        If every row has positions of its own, give (B, 1, T): the 1 broadcasts over the heads.
    D : int
        Width of one head, even.
    base : float
        Wavelength scale: pair 0 turns one radian a step, the last pair about 1 / base of one.

    Returns
    -------
    cos, sin : (..., T, D/2), float64
        `rope` casts them to the dtype of its input.

    Raises
    ------
    ValueError
        If ``D`` is odd (coordinates turn in pairs), or ``base`` not above 0.
    TypeError
        For positions that are not an array of integers.

    References
    ----------
    Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding" (2021), equation 15.

    Examples
    --------
    >>> cos, sin = rope_tables(np.arange(3), D=4, base=100.0)
    >>> print(np.arctan2(sin, cos).round(2))  # the angles: pair 0 turns fast, pair 1 slowly
    [[0.  0. ]
     [1.  0.1]
     [2.  0.2]]
    """
    if whole("D", D) % 2 or D < 2:
        raise ValueError(f"D: rotary positions need an even head width, got {D}")
    base = number("base", base, above=0)
    integers("positions", positions)
    demand(positions.ndim >= 1, "positions", "1 axis or more", f"shape {positions.shape}")
    frequency = base ** (-np.arange(0, D, 2) / D)  # (D/2,)
    angle = positions[..., None] * frequency  # (..., T, D/2)
    return np.cos(angle), np.sin(angle)


def rope(
    x: Float[Array, "B H T D"], cos: Float[Array, "*#batch T half"], sin: Float[Array, "*#batch T half"]
) -> tuple[Float[Array, "B H T D"], Cache]:
    """Rotary position embedding: turn each pair of coordinates by an angle proportional to the position.

    The dot product of a turned query and a turned key depends on the *difference* of their positions only.
    Coordinate i is paired with i + D/2 (the half-split layout of Llama in Hugging Face), not with i + 1.

    Parameters
    ----------
    x : (B, H, T, D)
        Queries or keys.
    cos, sin : (T, D/2), or (B, 1, T, D/2)
        From `rope_tables`.

    Returns
    -------
    out : (B, H, T, D)
    cache
        What `rope_backward` needs.

    Raises
    ------
    ValueError
        For tables of another shape. Those of positions (B, T) are refused, too: as (B, T, D/2) they would
        turn by head, not by row.

    Examples
    --------
    >>> x = np.array([[[[1.0, 0.0], [1.0, 0.0]]]])  # the same vector at positions 0 and 1
    >>> print(rope(x, *rope_tables(np.arange(2), D=2))[0].round(3))
    [[[[1.    0.   ]
       [0.54  0.841]]]]
    """
    x = floats("x", x, 4, "(B, H, T, D)")
    _check_tables(cos, sin, x.shape)
    cos, sin = cos.astype(x.dtype, copy=False), sin.astype(x.dtype, copy=False)
    half = x.shape[-1] // 2
    x1, x2 = x[..., :half], x[..., half:]  # (B, H, T, D/2) each
    out = np.concatenate([x2, x1], -1)  # (B, H, T, D): to each coordinate its partner
    out *= np.concatenate([-sin, sin], -1)  # x1 becomes x1 cos - x2 sin, x2 becomes x2 cos + x1 sin
    out += x * np.concatenate([cos, cos], -1)
    return out, (cos, sin)


def _check_tables(cos: Array, sin: Array, shape: tuple[int, ...]) -> None:
    B, H, T, D = shape
    demand(D % 2 == 0, "x", "an even width D", f"{D}: coordinates turn in pairs")
    expect("sin", sin, np.shape(cos), "the shape of cos")
    lead = np.shape(cos)[:-2]
    if not (lead in ((), (1,)) or (len(lead) == 2 and lead[0] in (1, B) and lead[1] in (1, H))):
        raise ValueError(
            f"cos: expected (T, D/2) = ({T}, {D // 2}), or (B, 1, T, D/2) = ({B}, 1, {T}, {D // 2}) from "
            f"positions (B, 1, T), got {cos.shape}"
        )
    expect("cos", cos, (*lead, T, D // 2), "(..., T, D/2)")


def rope_backward(dout: Float[Array, "B H T D"], cache: Cache) -> Float[Array, "B H T D"]:
    """Gradient of `rope`. The transpose of a rotation is the rotation back: flip the sine.

    Examples
    --------
    >>> x = np.array([[[[1.0, 0.0], [1.0, 0.0]]]])
    >>> out, cache = rope(x, *rope_tables(np.arange(2), D=2))
    >>> print(rope_backward(out, cache).round(3))  # turned back
    [[[[1. 0.]
       [1. 0.]]]]
    """
    cos, sin = opened(cache, 2, "rope")
    expect("dout", dout, (None, None, cos.shape[-2], 2 * cos.shape[-1]), "(B, H, T, D)")
    return rope(dout, cos, -sin)[0]


_rope, _rope_backward = rope, rope_backward  # `multihead_attention` has an argument that is called rope, too


# -------------------------------------------------------------------------------------------------- attention


def masked_softmax(scores: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Cache]:
    """Softmax over the last axis; a row of nothing but -inf gives zeros, where a plain softmax gives NaN.

    A row of finite scores, however low they are, is shared out like any other: a mask of
    ``np.finfo(dtype).min`` everywhere gives the mean, as in torch. Only -inf takes an entry out.

    Its gradient is `fmkit.activations.softmax_backward`: what is 0 gets no gradient.

    Examples
    --------
    >>> print(masked_softmax(np.array([[0.0, 0.0, -np.inf], [-np.inf, -np.inf, -np.inf]]))[0])
    [[0.5 0.5 0. ]
     [0.  0.  0. ]]
    """
    scores = floats("scores", scores, axes=1)
    lowest = np.finfo(scores.dtype).min  # so that the top is finite, and -inf - top is -inf and not NaN
    top = scores.max(-1, keepdims=True, initial=lowest)
    exp = np.exp(scores - top)
    out = exp / np.maximum(exp.sum(-1, keepdims=True), 1.0)  # a sum is >= 1 (the top gives exp(0)), or 0
    return out, (out, -1)


def attention(
    q: Float[Array, "B H T D"],
    k: Float[Array, "B G S D"],
    v: Float[Array, "B G S D"],
    mask: Mask | None = None,
) -> tuple[Float[Array, "B H T D"], Cache]:
    """Scaled dot-product attention, softmax(q k^T / sqrt(D) + mask) v, for each head on its own.

    With G < H (grouped-query attention) each key/value head serves H / G neighbouring query heads.

    Parameters
    ----------
    q : (B, H, T, D)
        Queries.
    k, v : (B, G, S, D)
        Keys and values; G divides H.
    mask : broadcastable to (B, H, T, S), optional
        Booleans, True where a query may look; or floats, added to the scores: 0 or -inf. A query that sees no
        key gets zeros. (A large negative number instead of -inf hides a key behind others only: where all
        are masked so, the query gets the mean, as in torch.)

    Returns
    -------
    out : (B, H, T, D)
    cache
        What `attention_backward` needs; `attention_weights` shows the weights in it.

    Raises
    ------
    ValueError
        If G does not divide H, the shapes do not fit, or the mask's does not broadcast.
    TypeError
        For a mask of the numbers 1 and 0.

    References
    ----------
    Vaswani et al., "Attention Is All You Need" (2017), equation 1.
    Ainslie et al., "GQA" (2023), section 2.2.

    Examples
    --------
    >>> q = np.array([[[[9.0, 0.0], [0.0, 0.0]]]])  # like the second key; like both keys
    >>> k, v = np.array([[[[0.0, 9.0], [9.0, 0.0]]]]), np.array([[[[1.0, 1.0], [3.0, 5.0]]]])
    >>> print(attention(q, k, v)[0].round(2))  # the second value, and the mean of both
    [[[[3. 5.]
       [2. 3.]]]]
    >>> print(attention(q, k, v, causal_mask(2, q.dtype))[0].round(2))  # query 0 sees key 0 only
    [[[[1. 1.]
       [2. 3.]]]]
    >>> print(attention(q, k, v, np.array([[True, False], [True, True]]))[0].round(2))  # the same mask
    [[[[1. 1.]
       [2. 3.]]]]
    """
    q, k, v = floats("q", q, 4, "(B, H, T, D)"), floats("k", k, 4, "(B, G, S, D)"), floats("v", v)
    (B, H, T, D), (G, S) = q.shape, k.shape[1:3]
    demand(D > 0, "q", "a width D above 0", q.shape)
    expect("k", k, (B, G, S, D), "(B, G, S, D)")
    expect("v", v, k.shape, "(B, G, S, D)")
    if G == 0 or H % G:
        raise ValueError(f"{G} key/value heads do not divide {H} query heads")
    q = (q * (1.0 / math.sqrt(D))).reshape(B, G, H // G, T, D)  # scaled here, where there are fewest numbers
    k, v = k[:, :, None], v[:, :, None]  # (B, G, 1, S, D): the 1 broadcasts over the query heads of a group
    scores = q @ k.swapaxes(-1, -2)  # (B, G, H/G, T, S)
    if mask is not None:
        check_mask(mask, (B, H, T, S))
        by_head = scores.reshape(B, H, T, S)  # a view: what is written to it is written to the scores
        if mask.dtype == bool:
            np.copyto(by_head, -np.inf, where=~mask)
        else:
            by_head += mask
    probs, softmax_cache = masked_softmax(scores)
    out = probs @ v  # (B, G, H/G, T, D)
    return out.reshape(B, H, T, D), (q, k, v, probs, softmax_cache)


def attention_backward(
    dout: Float[Array, "B H T D"], cache: Cache
) -> tuple[Float[Array, "B H T D"], Float[Array, "B G S D"], Float[Array, "B G S D"]]:
    """Gradient of `attention`: dq, dk, dv. A masked score has weight 0, so its gradient comes out as 0.

    Examples
    --------
    >>> q = k = v = np.array([[[[1.0], [2.0], [3.0]]]])
    >>> _, cache = attention(q, k, v, causal_mask(3, q.dtype))
    >>> dout = np.array([[[[0.0], [1.0], [0.0]]]])  # only the second position is asked for
    >>> dq, dk, dv = attention_backward(dout, cache)
    >>> print(dv.ravel().round(3))  # its weights; the third value was in its future
    [0.119 0.881 0.   ]
    """
    q, k, v, probs, softmax_cache = opened(cache, 5, "attention")
    B, G, R, T, D = q.shape
    expect("dout", dout, (B, G * R, T, D), "(B, H, T, D)")
    dout = dout.reshape(q.shape)  # (B, G, H/G, T, D)

    # out = probs @ v
    dv = probs.swapaxes(-1, -2) @ dout  # (B, G, H/G, S, D)
    dprobs = dout @ v.swapaxes(-1, -2)  # (B, G, H/G, T, S)

    # probs = softmax(scores + mask)
    dscores = softmax_backward(dprobs, softmax_cache)

    # scores = q @ k^T, where q carries the scale 1 / sqrt(D)
    dq = dscores @ k  # (B, G, H/G, T, D)
    dq *= 1.0 / math.sqrt(q.shape[-1])
    dk = dscores.swapaxes(-1, -2) @ q  # (B, G, H/G, S, D)

    # a key/value head was shared by a group of query heads: their gradients add up
    return dq.reshape(B, G * R, T, D), dk.sum(2), dv.sum(2)


def attention_weights(cache: Cache) -> Float[Array, "B H T S"]:
    """The weights that `attention` used, from its cache: each row sums to 1.

    (The cache of `multihead_attention` begins with that of `attention`: give its first entry. Another cache
    raises TypeError.)

    Examples
    --------
    >>> q = k = v = np.array([[[[1.0], [2.0], [3.0]]]])
    >>> _, cache = attention(q, k, v, causal_mask(3, q.dtype))
    >>> print(attention_weights(cache).round(2))
    [[[[1.   0.   0.  ]
       [0.12 0.88 0.  ]
       [0.   0.05 0.95]]]]
    """
    if not isinstance(cache, tuple) or len(cache) != 5 or not isinstance(cache[3], np.ndarray):
        raise TypeError(
            "cache: expected that of attention; the one of multihead_attention has it as cache[0]"
        )
    probs = cache[3]
    B, G, R, T, S = probs.shape
    return probs.reshape(B, G * R, T, S)


def norm_queries_and_keys(
    qk: Float[Array, "B HG T D"], p: dict, n_heads: int, eps: float = 1e-5
) -> tuple[Float[Array, "B HG T D"], Cache]:
    """RMSNorm of each head's query and key over its D numbers (QK-norm): no score can grow without bound.

    Parameters
    ----------
    qk : (B, H+G, T, D)
        H query heads, then G key heads.
    p : dict
        The gains ``q_norm`` and ``k_norm`` (D,), each shared by all its heads.
    n_heads, eps
        H, and what the norms add to the mean square.

    References
    ----------
    Henry et al., "Query-Key Normalization for Transformers" (2020); here with RMSNorm, as in Qwen3 (2025).

    Examples
    --------
    >>> qk = np.array([[[[3.0, 4.0]], [[300.0, 400.0]]]])  # one query head, one key head
    >>> out, _ = norm_queries_and_keys(qk, {"q_norm": np.ones(2), "k_norm": np.ones(2)}, n_heads=1)
    >>> print(out.round(2).ravel())
    [0.85 1.13 0.85 1.13]
    """
    qk = floats("qk", qk, 4, "(B, H+G, T, D)")
    expect("q_norm", p["q_norm"], qk.shape[-1:], "(D,)")
    expect("k_norm", p["k_norm"], qk.shape[-1:], "(D,)")
    demand(0 < whole("n_heads", n_heads) < qk.shape[1], "n_heads", f"1 to {qk.shape[1] - 1}", n_heads)
    q, q_cache = rmsnorm(qk[:, :n_heads], p["q_norm"], eps)
    k, k_cache = rmsnorm(qk[:, n_heads:], p["k_norm"], eps)
    return np.concatenate([q, k], axis=1), (q_cache, k_cache)


def multihead_attention(
    x: Float[Array, "B T C"],
    p: dict,
    n_heads: int,
    n_kv_heads: int | None = None,
    mask: Mask | None = None,
    rope: tuple[Array, Array] | None = None,
    eps: float = 1e-5,
) -> tuple[Float[Array, "B T C"], Cache]:
    """Self-attention of several heads: project x to queries, keys, values; attend; mix the heads.

    Parameters
    ----------
    x : (B, T, C)
    p : dict
        ``wqkv`` (C, (H+2G)*D), ``wo`` (H*D, C); where there are biases, ``bqkv`` and ``bo``; with QK-norm,
        the gains ``q_norm`` and ``k_norm`` (D,).
    n_heads, n_kv_heads : int
        H and G; without the second, G = H.
    mask : broadcastable to (B, H, T, T), optional
        As for `attention`: True where a query may look, or added to the scores.
    rope : (cos, sin), optional
        Tables of `rope_tables`: queries and keys are turned by their positions.
    eps : float
        Of the norms of queries and keys, where ``p`` has them.

    Returns
    -------
    out : (B, T, C)
    cache
        What `multihead_attention_backward` needs.

    Raises
    ------
    ValueError
        For a name in ``p`` that means nothing here (it would be left out silently), for one that is missing,
        and for shapes that do not fit.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, p = rng.normal(size=(1, 3, 4)), {"wqkv": rng.normal(size=(4, 12)), "wo": rng.normal(size=(4, 4))}
    >>> out, cache = multihead_attention(x, p, n_heads=2, mask=causal_mask(3, x.dtype))
    >>> out.shape, attention_weights(cache[0]).shape
    ((1, 3, 4), (1, 2, 3, 3))
    """
    H, G = n_heads, n_heads if n_kv_heads is None else n_kv_heads
    _check_heads(x, p, H, G)
    qkv, qkv_cache = linear(x, p["wqkv"], p.get("bqkv"))  # (B, T, (H+2G)*D): one product for all three
    heads = split_heads(qkv, H + 2 * G)  # (B, H+2G, T, D): H queries, then G keys, then G values
    qk, v = heads[:, : H + G], heads[:, H + G :]
    norm_cache = rope_cache = None
    if "q_norm" in p:
        qk, norm_cache = norm_queries_and_keys(qk, p, H, eps)
    if rope is not None:
        qk, rope_cache = _rope(qk, *_tables(rope))
    out, attention_cache = attention(qk[:, :H], qk[:, H:], v, mask)  # (B, H, T, D)
    out, out_cache = linear(merge_heads(out), p["wo"], p.get("bo"))  # (B, T, C)
    return out, (attention_cache, qkv_cache, norm_cache, rope_cache, out_cache)


def _tables(rope: Any) -> tuple[Array, Array]:
    if not isinstance(rope, tuple | list) or len(rope) != 2:
        raise TypeError(f"rope: expected the pair (cos, sin) of rope_tables, got {kind_of(rope)}")
    return rope


def _check_heads(x: Float[Array, "B T C"], p: dict, H: int, G: int) -> None:
    floats("x", x, 3, "(B, T, C)")
    H, G = whole("n_heads", H, 1), whole("n_kv_heads", G, 1)
    if not isinstance(p, dict):
        raise TypeError(f"p: expected a dict of arrays, got {kind_of(p)}")
    names = set(p)
    if not ({"wqkv", "wo"} <= names <= {"wqkv", "bqkv", "wo", "bo", "q_norm", "k_norm"}):
        raise ValueError(
            f"p: expected wqkv and wo, perhaps bqkv, bo, q_norm and k_norm, got {', '.join(map(str, p))}"
        )
    demand(("q_norm" in p) == ("k_norm" in p), "p", "both q_norm and k_norm, or neither", ", ".join(p))
    C = x.shape[-1]
    matrix("wqkv", p["wqkv"], C, "(C, (H+2G)*D)")
    width = p["wqkv"].shape[1]
    for name, size in (("bqkv", width), ("bo", C)):
        if p.get(name) is not None:
            expect(name, p[name], (size,), "(C,)" if name == "bo" else "((H+2G)*D,)")
    if width % (H + 2 * G):
        raise ValueError(f"wqkv: width {width} does not divide into {H + 2 * G} heads, {H} + 2 * {G}")
    expect("wo", p["wo"], (width // (H + 2 * G) * H, C), "(H*D, C)")


def multihead_attention_backward(
    dout: Float[Array, "B T C"], cache: Cache
) -> tuple[Float[Array, "B T C"], dict]:
    """Gradient of `multihead_attention`: dx, and a dict of gradients with the keys of ``p``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, p = rng.normal(size=(1, 3, 4)), {"wqkv": rng.normal(size=(4, 12)), "wo": rng.normal(size=(4, 4))}
    >>> out, cache = multihead_attention(x, p, n_heads=2)
    >>> dx, grads = multihead_attention_backward(np.ones_like(out), cache)
    >>> dx.shape, {name: grad.shape for name, grad in grads.items()}
    ((1, 3, 4), {'wqkv': (4, 12), 'wo': (4, 4)})
    """
    attention_cache, qkv_cache, norm_cache, rope_cache, out_cache = opened(cache, 5, "multihead_attention")

    # out = merge(heads) @ wo + bo
    dmerged, dwo, dbo = linear_backward(dout, out_cache)  # (B, T, H*D)

    # the heads attend, each on its own
    H = attention_weights(attention_cache).shape[1]
    dq, dk, dv = attention_backward(split_heads(dmerged, H), attention_cache)

    # queries and keys were turned by their positions
    if rope_cache is not None:
        dq, dk = _rope_backward(dq, rope_cache), _rope_backward(dk, rope_cache)

    # each head's query and key was normalised
    dq_norm = dk_norm = None
    if norm_cache is not None:
        dq, dq_norm = rmsnorm_backward(dq, norm_cache[0])
        dk, dk_norm = rmsnorm_backward(dk, norm_cache[1])

    # q, k, v were cut out of x @ wqkv + bqkv
    dqkv = merge_heads(np.concatenate([dq, dk, dv], axis=1))  # (B, T, (H+2G)*D)
    dx, dwqkv, dbqkv = linear_backward(dqkv, qkv_cache)

    grads = {"wqkv": dwqkv, "bqkv": dbqkv, "wo": dwo, "bo": dbo, "q_norm": dq_norm, "k_norm": dk_norm}
    return dx, {name: grad for name, grad in grads.items() if grad is not None}
