"""One token at a time (chapter 09): keys and values kept, so that a step reads new tokens only.

A *step* is a function ``step(params, ids, config, kv=None) -> (logits, kv)``: it reads the tokens that are
new and scores the one that follows, for every row of a batch. There are `gpt_step` for the GPT of chapter 06
and `fmkit.llama.llama_step` for a Llama; `fmkit.folded` has both rearranged for speed. `fmkit.generation`
works with any of them.

Shapes: B batch, T new tokens, S room in the cache, C width, H query heads, G key/value heads, D = C / H, V
vocabulary.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from fmkit._shapes import expect, floats
from fmkit._types import Array
from fmkit._values import demand, holds, kind_of, whole
from fmkit.attention import attention, causal_mask, merge_heads, norm_queries_and_keys, rope, split_heads
from fmkit.layers import layernorm, linear, mlp
from fmkit.transformer import Config, check_model

_rope = rope  # `cached_attention` has an argument that is called rope, too


def check_ids(ids: Array, vocab_size: int) -> None:
    """ValueError if a token is outside the vocabulary: NumPy would read a negative one from the end.

    TypeError if the tokens are not whole numbers.

    Examples
    --------
    >>> check_ids(np.array([0, 6]), vocab_size=7)  # in order
    >>> try:
    ...     check_ids(np.array([0, 7]), vocab_size=7)
    ... except ValueError as error:
    ...     print(error)
    tokens 0 to 7 exceed the vocabulary, 0 to 6
    """
    if not hasattr(ids, "dtype"):
        raise TypeError(f"tokens: expected an array of them, got {kind_of(ids)}")
    if ids.dtype.kind not in "iu":
        raise TypeError(f"tokens are whole numbers, got {ids.dtype}")
    vocab_size = whole("vocab_size", vocab_size)
    if ids.size == 1 and 0 <= ids.item() < vocab_size:
        return  # a step's one token, nearly always: cheaper than a minimum and a maximum
    if ids.size and (ids.min() < 0 or ids.max() >= vocab_size):
        raise ValueError(f"tokens {ids.min()} to {ids.max()} exceed the vocabulary, 0 to {vocab_size - 1}")


# ------------------------------------------------------------------------------------- keys and values kept


@dataclass
class KVCache:
    """Keys and values of all tokens read so far, so that no token is read twice.

    The arrays have room for S tokens from the start: to append one by `np.concatenate` would copy all the
    others.

    Examples
    --------
    >>> from fmkit.transformer import init_gpt
    >>> config = Config(vocab_size=7, block_size=8, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_gpt(np.random.default_rng(0), config)
    >>> _, kv = gpt_step(params, np.array([[3, 1, 4]]), config)
    >>> kv.length, kv.keys.shape  # 3 of 8 places are filled
    (3, (1, 1, 2, 8, 4))
    >>> kv.select([0, 0]).keys.shape  # two continuations of the same text
    (1, 2, 2, 8, 4)
    """

    keys: Float[Array, "L B G S D"]  # L layers
    values: Float[Array, "L B G S D"]
    length: int = 0  # how many of the S places are filled

    def __post_init__(self):
        if floats("keys", self.keys, 5, "(L, B, G, S, D)") is not self.keys:
            raise TypeError(f"keys: expected float32 or float64, got {self.keys.dtype}")
        expect("values", self.values, self.keys.shape, "(L, B, G, S, D), as keys")
        demand(
            self.values.dtype == self.keys.dtype, "values", f"{self.keys.dtype}, as keys", self.values.dtype
        )
        demand(
            0 <= whole("length", self.length) <= self.keys.shape[3], "length", "at most S places", self.length
        )

    def select(self, rows: Sequence[int]) -> "KVCache":
        """A copy with these rows of the batch, in this order; a row may be taken twice, or left out.

        IndexError for a row that is not there, TypeError for what is not a whole number.
        """
        rows = np.array(rows, dtype=None if np.size(rows) else np.int64)
        if rows.ndim != 1 or rows.dtype.kind not in "iu":
            raise TypeError(f"rows: expected whole numbers, the rows of the batch, got {rows!r}")
        if rows.size and not 0 <= rows.min() <= rows.max() < self.keys.shape[1]:
            raise IndexError(f"rows {rows.min()} to {rows.max()} of a cache for {self.keys.shape[1]} texts")
        return KVCache(self.keys[:, rows], self.values[:, rows], self.length)


def new_cache(params: dict, config: Any, capacity: int | None = None, batch: int = 1) -> KVCache:
    """An empty cache for a GPT or a Llama: room for ``capacity`` tokens, or for a whole block.

    Examples
    --------
    >>> from fmkit.transformer import init_gpt
    >>> config = Config(vocab_size=7, block_size=8, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_gpt(np.random.default_rng(0), config)
    >>> kv = new_cache(params, config, capacity=5, batch=2)
    >>> kv.length, kv.keys.shape  # (layers, batch, heads, places, width of a head)
    (0, (1, 2, 2, 5, 4))
    """
    holds("params", params, {"wte"}, "a model's, as init_gpt or init_llama makes them")
    G, D = _heads(config)
    capacity = config.block_size if capacity is None else capacity
    shape = (config.n_layers, whole("batch", batch, 0), G, whole("capacity", capacity, 1), D)
    dtype = params["wte"].dtype
    return KVCache(np.empty(shape, dtype), np.empty(shape, dtype))


def _heads(config: Any) -> tuple[int, int]:
    """How many key/value heads a model has, and how wide they are."""
    try:
        if hasattr(config, "head_width"):
            return config.n_kv_heads, config.head_width
        return config.n_heads, config.d_model // config.n_heads
    except AttributeError:
        raise TypeError(f"config: expected a Config or a LlamaConfig, got {kind_of(config)}") from None


def check_fit(ids: Int[Array, "B T"], config: Any, kv: KVCache | None = None) -> tuple[int, int]:
    """The positions (start, stop) of new tokens; ValueError if they exceed the room or the vocabulary.

    The room is the cache's, and never more than ``config.block_size``: no model knows positions beyond. A
    cache for another number of texts or layers, or for other heads, is refused, too.

    Examples
    --------
    >>> from fmkit.transformer import init_gpt
    >>> config = Config(vocab_size=7, block_size=8, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_gpt(np.random.default_rng(0), config)
    >>> kv = new_cache(params, config)
    >>> kv.length = 3
    >>> check_fit(np.array([[5, 6]]), config, kv)
    (3, 5)
    """
    if getattr(ids, "ndim", None) != 2:
        expect("ids", ids, (None, None), "(B, T)")
    G, D = _heads(config)
    start, room = 0, config.block_size
    if kv is not None:
        if not isinstance(kv, KVCache):
            raise TypeError(f"kv: expected a KVCache, as steps return it, got {kind_of(kv)}")
        start, room = whole("kv.length", kv.length, 0), min(room, kv.keys.shape[3])
        if kv.keys.shape[:2] != (config.n_layers, len(ids)):
            layers, texts = kv.keys.shape[:2]
            raise ValueError(
                f"kv: a cache of {layers} layers for {texts} texts, not {config.n_layers} for {len(ids)}"
            )
        heads, width = kv.keys.shape[2::2]
        if (heads, width) != (G, D):
            raise ValueError(f"kv: a cache for {heads} heads of width {width}, not for {G} of {D}")
    stop = start + ids.shape[1]
    if ids.shape[1] == 0:
        raise ValueError("there is no token to read")
    if stop > room:
        raise ValueError(f"{ids.shape[1]} tokens after {start} do not fit into a context of {room}")
    check_ids(ids, config.vocab_size)
    return start, stop


def window_start(n: int, block_size: int) -> int:
    """Where the window begins through which a model with ``block_size`` positions sees a text of n tokens.

    A text that fits is seen whole. After that the window moves on by half a block at a time: each move means
    that all the tokens inside are read again (their positions changed), and a window that moved by one token
    would do so at each step.

    Examples
    --------
    >>> [window_start(n, block_size=4) for n in range(3, 10)]
    [0, 0, 2, 2, 4, 4, 6]
    """
    n, block_size = whole("n", n, 0), whole("block_size", block_size, 1)
    hop = max(1, block_size // 2)
    return max(0, math.ceil((n - block_size) / hop)) * hop


def cached_attention(
    x: Float[Array, "B T C"],
    p: dict,
    n_heads: int,
    keys: Float[Array, "B G S D"],
    values: Float[Array, "B G S D"],
    start: int,
    mask: Float[Array, "T stop"] | None = None,
    rope: tuple[Array, Array] | None = None,
    eps: float = 1e-5,
) -> Float[Array, "B T C"]:
    """`fmkit.attention.multihead_attention` for new tokens at positions start, start + 1, ...

    Only the new tokens are projected. Their keys and values are **written into** ``keys`` and ``values``,
    where those of earlier tokens stand already; the new queries look at all of them.
    ValueError where there is no room for them.

    Examples
    --------
    >>> from fmkit.attention import multihead_attention
    >>> rng = np.random.default_rng(0)
    >>> x, p = rng.normal(size=(1, 3, 4)), {"wqkv": rng.normal(size=(4, 12)), "wo": rng.normal(size=(4, 4))}
    >>> keys, values = np.empty((2, 1, 2, 3, 2))  # room for 3 positions, 2 heads of width 2
    >>> _ = cached_attention(x[:, :2], p, 2, keys, values, 0, causal_mask(2, x.dtype))  # the first two
    >>> last = cached_attention(x[:, 2:], p, 2, keys, values, 2)  # then the third alone
    >>> whole, _ = multihead_attention(x, p, 2, mask=causal_mask(3, x.dtype))
    >>> np.allclose(last, whole[:, 2:])
    True
    """
    _check_places(x, p, n_heads, keys, values, start)
    G, stop = keys.shape[1], start + x.shape[1]
    qkv, _ = linear(x, p["wqkv"], p.get("bqkv"))  # (B, T, (H+2G)*D)
    heads = split_heads(qkv, n_heads + 2 * G)  # (B, H+2G, T, D): H queries, then G keys, then G values
    qk, v = heads[:, : n_heads + G], heads[:, n_heads + G :]
    if "q_norm" in p:
        qk, _ = norm_queries_and_keys(qk, p, n_heads, eps)
    if rope is not None:
        qk, _ = _rope(qk, *rope)
    keys[:, :, start:stop] = qk[:, n_heads:]
    values[:, :, start:stop] = v
    out, _ = attention(qk[:, :n_heads], keys[:, :, :stop], values[:, :, :stop], mask)  # (B, H, T, D)
    return linear(merge_heads(out), p["wo"], p.get("bo"))[0]  # (B, T, C)


def _check_places(x: Array, p: dict, n_heads: int, keys: Array, values: Array, start: int) -> None:
    """Whether the new tokens' keys and values fit in where they are to be written."""
    try:
        G, S, D = keys.shape[1:]
        there = type(start) is int and 0 <= start <= S - x.shape[1] and values.shape == keys.shape
        if there and keys.dtype.kind == "f" and p["wqkv"].shape[1] == (n_heads + 2 * G) * D:
            return  # nearly always, and cheap
    except (AttributeError, TypeError, ValueError):
        pass
    T, C = floats("x", x, 3, "(B, T, C)").shape[1:]
    expect("keys", keys, (len(x), None, None, None), "(B, G, S, D)")
    demand(keys.dtype.kind == "f", "keys", "float32 or float64", keys.dtype)
    expect("values", values, keys.shape, "(B, G, S, D), as keys")
    _, G, S, D = keys.shape
    expect("wqkv", p["wqkv"], (C, (whole("n_heads", n_heads, 1) + 2 * G) * D), "(C, (H+2G)*D)")
    there = 0 <= whole("start", start) <= S - T
    demand(there, "start", f"0 to {S - T}, for {T} tokens in {S} places", start)


def gpt_step(
    params: dict, ids: Int[Array, "B T"], config: Config, kv: KVCache | None = None
) -> tuple[Float[Array, "B V"], KVCache]:
    """Read some new tokens and score the one that follows; ``kv`` has the keys and values of earlier ones.

    The same computation as `fmkit.transformer.gpt`, whose last row of logits it returns, without reading the
    past again.

    Parameters
    ----------
    params, config
        As for `fmkit.transformer.gpt`.
    ids : (B, T) integers
        The tokens that are new: a whole prompt, or the one token that was just chosen.
    kv : KVCache, optional
        What earlier steps left; it is **extended in place**. Without it a new one is made, for a whole block.

    Returns
    -------
    logits : (B, V)
        Scores of the token after the last of ``ids``.
    kv : KVCache

    Raises
    ------
    ValueError
        If the cache or the block has no room for the new tokens, the cache is for another number of texts, or
        a token is outside the vocabulary.
    TypeError
        If the tokens are not an array of whole numbers.

    Examples
    --------
    >>> from fmkit.transformer import gpt, init_gpt
    >>> config = Config(vocab_size=7, block_size=8, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_gpt(np.random.default_rng(0), config)
    >>> _, kv = gpt_step(params, np.array([[3, 1, 4]]), config)  # the prompt
    >>> logits, kv = gpt_step(params, np.array([[1]]), config, kv)  # one more token
    >>> np.allclose(logits, gpt(params, np.array([[3, 1, 4, 1]]), config)[0][:, -1], atol=1e-6)
    True
    """
    start, stop = check_fit(ids, config, kv)
    if start == 0:  # later steps are this model's, too
        check_model(params, config)
        layers = len(params["blocks"])
        demand(layers == config.n_layers, "params", f"{config.n_layers} blocks", layers)
    kv = kv or new_cache(params, config, batch=ids.shape[0])
    x = params["wte"][ids] + params["wpe"][start:stop]  # (B, T, C)
    mask = causal_mask(stop, x.dtype)[start:] if ids.shape[1] > 1 else None  # (T, stop); one token sees all
    for p, keys, values in zip(params["blocks"], kv.keys, kv.values, strict=True):
        normed, _ = layernorm(x, **p["ln1"])
        x = x + cached_attention(normed, p["attn"], config.n_heads, keys, values, start, mask)
        normed, _ = layernorm(x, **p["ln2"])
        x = x + mlp(normed, **p["mlp"])[0]
    kv.length = stop
    last, _ = layernorm(x[:, -1], **params["lnf"])  # (B, C): only the last position is asked for
    head = params["wte"].T if config.tied else params["head"]
    return last @ head, kv  # (B, V)
