"""The transformer as a language model (chapter 06): GPT, with its whole backward pass written by hand.

Shapes: B batch, T positions, C width of the model (``d_model``), V vocabulary. Parameters are a nested dict;
the gradients come back in a dict of the same nesting.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer

from fmkit._shapes import expect, float_dtype, floats, integers, opened
from fmkit._types import Array, Cache, Scalar
from fmkit._values import demand, generator, holds, instance, whole
from fmkit.attention import Mask, causal_mask, multihead_attention, multihead_attention_backward
from fmkit.layers import (
    embedding,
    embedding_backward,
    layernorm,
    layernorm_backward,
    linear,
    linear_backward,
    mlp,
    mlp_backward,
)
from fmkit.losses import cross_entropy, cross_entropy_backward


@dataclass(frozen=True)
class Config:
    """The sizes of a GPT: whole numbers (else TypeError) from 1 on, the heads a divisor of the width (else
    ValueError).

    Examples
    --------
    >>> config = Config(vocab_size=65, block_size=64, n_layers=4, n_heads=4, d_model=128, d_ff=512)
    >>> config.d_model // config.n_heads  # the width of a head
    32
    """

    vocab_size: int  # V
    block_size: int  # the longest sequence: the number of learned positions
    n_layers: int
    n_heads: int  # must divide d_model
    d_model: int  # C
    d_ff: int  # width of the hidden layer of the feed-forward part, usually 4 * d_model
    tied: bool = True  # the output layer is the embedding table, transposed

    def __post_init__(self):
        for name in ("vocab_size", "block_size", "n_layers", "n_heads", "d_model", "d_ff"):
            whole(name, getattr(self, name), 1)
        demand(self.d_model % self.n_heads == 0, "n_heads", f"a divisor of {self.d_model}", self.n_heads)


# ------------------------------------------------------------------------------------------------- parameters


def init_block(rng: np.random.Generator, config: Config, dtype=np.float32) -> dict:
    """Parameters of one block: weights from a normal of 0.02, biases 0, gains 1.

    The two matrices that write into the residual stream are smaller by sqrt(2 * n_layers), so that the stream
    keeps its size however many blocks add to it (Radford et al., "GPT-2", 2019, section 2.3).

    Examples
    --------
    >>> config = Config(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> p = init_block(np.random.default_rng(0), config)
    >>> {name: w.shape for name, w in p["attn"].items()}
    {'wqkv': (8, 24), 'bqkv': (24,), 'wo': (8, 8), 'bo': (8,)}
    """
    generator(rng)
    instance("config", config, Config)
    dtype = float_dtype(dtype)
    C, F = config.d_model, config.d_ff
    small = 0.02 / math.sqrt(2 * config.n_layers)

    def normal(std, *shape):
        return rng.normal(0.0, std, shape).astype(dtype)

    def norm():
        return {"w": np.ones(C, dtype), "b": np.zeros(C, dtype)}

    return {
        "ln1": norm(),
        "attn": {
            "wqkv": normal(0.02, C, 3 * C),
            "bqkv": np.zeros(3 * C, dtype),
            "wo": normal(small, C, C),
            "bo": np.zeros(C, dtype),
        },
        "ln2": norm(),
        "mlp": {
            "w1": normal(0.02, C, F),
            "b1": np.zeros(F, dtype),
            "w2": normal(small, F, C),
            "b2": np.zeros(C, dtype),
        },
    }


def init_gpt(rng: np.random.Generator, config: Config, dtype=np.float32) -> dict:
    """Parameters of a new GPT.

    Returns
    -------
    params : dict
        ``wte`` (V, C) tokens, ``wpe`` (block_size, C) positions, ``blocks`` a list of dicts, ``lnf`` the last
        norm, and ``head`` (C, V) unless the head is tied to ``wte``.

    Examples
    --------
    >>> config = Config(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_gpt(np.random.default_rng(0), config)
    >>> list(params), params["wte"].shape, params["wpe"].shape
    (['wte', 'wpe', 'blocks', 'lnf'], (7, 8), (4, 8))
    """
    generator(rng)
    instance("config", config, Config)
    dtype = float_dtype(dtype)
    V, C = config.vocab_size, config.d_model
    params = {
        "wte": rng.normal(0.0, 0.02, (V, C)).astype(dtype),
        "wpe": rng.normal(0.0, 0.02, (config.block_size, C)).astype(dtype),
        "blocks": [init_block(rng, config, dtype) for _ in range(config.n_layers)],
        "lnf": {"w": np.ones(C, dtype), "b": np.zeros(C, dtype)},
    }
    if not config.tied:
        params["head"] = rng.normal(0.0, 0.02, (C, V)).astype(dtype)
    return params


# ------------------------------------------------------------------------------------------------------ block


def block(
    x: Float[Array, "B T C"],
    p: dict,
    n_heads: int,
    mask: Mask | None = None,
    rope: tuple[Array, Array] | None = None,
) -> tuple[Float[Array, "B T C"], Cache]:
    """One pre-norm transformer block: x + attention(norm(x)), then that + mlp(norm(that)).

    Parameters
    ----------
    x : (B, T, C)
        The residual stream.
    p : dict
        ``ln1``, ``attn``, ``ln2``, ``mlp``, as `init_block` makes them.
    n_heads : int
    mask : broadcastable to (B, H, T, T), optional
        As for `fmkit.attention.attention`: True where a query may look, or added to the scores.
    rope : (cos, sin), optional
        Tables of `fmkit.attention.rope_tables`, for rotary positions. A GPT has none.

    Returns
    -------
    out : (B, T, C)
    cache
        What `block_backward` needs.

    References
    ----------
    Xiong et al., "On Layer Normalization in the Transformer Architecture" (2020), figure 1b.

    Examples
    --------
    >>> config = Config(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> rng = np.random.default_rng(0)
    >>> p, x, mask = init_block(rng, config), rng.normal(size=(1, 3, 8)), causal_mask(3, np.float64)
    >>> before, _ = block(x, p, n_heads=2, mask=mask)
    >>> x[:, 2] = 0.0  # another last token
    >>> print(np.isclose(block(x, p, n_heads=2, mask=mask)[0], before).all(-1))  # nobody sees the future
    [[ True  True False]]
    """
    normed, ln1_cache = layernorm(x, **p["ln1"])
    update, attn_cache = multihead_attention(normed, p["attn"], n_heads, mask=mask, rope=rope)
    x = x + update
    normed, ln2_cache = layernorm(x, **p["ln2"])
    update, mlp_cache = mlp(normed, **p["mlp"])
    return x + update, (ln1_cache, attn_cache, ln2_cache, mlp_cache)


def block_backward(dout: Float[Array, "B T C"], cache: Cache) -> tuple[Float[Array, "B T C"], dict]:
    """Gradient of `block`: dx, and a dict of gradients with the keys of ``p``.

    Examples
    --------
    >>> config = Config(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> rng = np.random.default_rng(0)
    >>> out, cache = block(rng.normal(size=(1, 3, 8)), init_block(rng, config), n_heads=2)
    >>> dx, grads = block_backward(rng.normal(size=out.shape), cache)
    >>> dx.shape, list(grads)
    ((1, 3, 8), ['ln1', 'attn', 'ln2', 'mlp'])
    """
    ln1_cache, attn_cache, ln2_cache, mlp_cache = cache

    # out = x + mlp(norm(x)): the gradient flows down both branches, and adds up where they part
    dnormed, *dmlp = mlp_backward(dout, mlp_cache)
    dx, *dln2 = layernorm_backward(dnormed, ln2_cache)
    dx += dout

    # x = x + attention(norm(x)): the same once more
    dnormed, dattn = multihead_attention_backward(dx, attn_cache)
    dbelow, *dln1 = layernorm_backward(dnormed, ln1_cache)
    dx += dbelow

    grads = {
        "ln1": dict(zip("wb", dln1, strict=True)),
        "attn": dattn,
        "ln2": dict(zip("wb", dln2, strict=True)),
        "mlp": dict(zip(("w1", "b1", "w2", "b2"), dmlp, strict=True)),
    }
    return dx, grads


# ------------------------------------------------------------------------------------------------------ model


def gpt(params: dict, ids: Integer[Array, "B T"], config: Config) -> tuple[Float[Array, "B T V"], Cache]:
    """GPT: scores for the next token at every position, each from the tokens up to that position.

    Parameters
    ----------
    params : dict
        As `init_gpt` makes them.
    ids : (B, T) integers
        Tokens; T is at most ``config.block_size``.
    config : Config

    Returns
    -------
    logits : (B, T, V)
    cache
        What `gpt_backward` needs.

    Raises
    ------
    ValueError
        If the sequence is longer than the table of positions or has no token, a token is outside the
        vocabulary, or the tables are not those of ``config``.
    TypeError
        If ``ids`` is not an array of integers.

    References
    ----------
    Radford et al., "Language Models are Unsupervised Multitask Learners" (2019), section 2.3.

    Examples
    --------
    >>> config = Config(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> logits, _ = gpt(init_gpt(np.random.default_rng(0), config), np.array([[3, 1, 4]]), config)
    >>> logits.shape
    (1, 3, 7)
    """
    check_model(params, config)
    expect("ids", ids, (None, None), "(B, T)")
    integers("ids", ids, stop=config.vocab_size)
    T = ids.shape[1]
    demand(T > 0, "ids", "a token to read", f"shape {ids.shape}")
    if config.block_size < T:
        raise ValueError(f"{T} tokens do not fit into a block of {config.block_size}")
    x, wte_cache = embedding(ids, params["wte"])  # (B, T, C)
    x += params["wpe"][:T]  # every row of the batch has the same positions
    mask = causal_mask(T, x.dtype)
    block_caches = []
    for p in params["blocks"]:
        x, cache = block(x, p, config.n_heads, mask)
        block_caches.append(cache)
    x, lnf_cache = layernorm(x, **params["lnf"])
    head = params["wte"].T if config.tied else params["head"]
    logits, head_cache = linear(x, head, None)  # (B, T, V)
    return logits, (wte_cache, block_caches, lnf_cache, head_cache, config)


def check_model(params: dict, config: Config) -> None:
    """Refuse parameters that are not a GPT's, or of another config, as far as shapes and names tell.

    Examples
    --------
    >>> config = Config(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> try:
    ...     check_model({"wte": np.zeros((7, 8))}, config)
    ... except ValueError as error:
    ...     print(error)
    params: expected a GPT's, as init_gpt makes them, got a dict of wte
    """
    instance("config", config, Config)
    holds("params", params, {"wte", "wpe", "blocks", "lnf"}, "a GPT's, as init_gpt makes them")
    V, C = config.vocab_size, config.d_model
    expect("wte", floats("wte", params["wte"]), (V, C), "(V, C)")
    expect("wpe", params["wpe"], (config.block_size, C), "(block_size, C)")
    if ("head" in params) == config.tied:
        raise ValueError("params: a head is expected if config.tied is False, and only then")


def gpt_backward(dlogits: Float[Array, "B T V"], cache: Cache) -> dict:
    """Gradient of `gpt` in all parameters, nested as they are.

    Examples
    --------
    >>> config = Config(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> logits, cache = gpt(init_gpt(np.random.default_rng(0), config), np.array([[3, 1, 4]]), config)
    >>> grads = gpt_backward(np.ones_like(logits), cache)
    >>> list(grads), grads["wpe"].any(axis=1)  # three of the four positions took part
    (['lnf', 'blocks', 'wpe', 'wte'], array([ True,  True,  True, False]))
    """
    wte_cache, block_caches, lnf_cache, head_cache, config = opened(cache, 5, "gpt")
    instance("cache[-1]", config, Config)
    B, T = wte_cache[0].shape
    C = config.d_model
    expect("dlogits", dlogits, (B, T, config.vocab_size), "(B, T, V)")
    grads = {}

    # logits = norm(x) @ head
    dx, dhead, _ = linear_backward(dlogits, head_cache)  # (B, T, C), (C, V)
    dx, dw, db = layernorm_backward(dx, lnf_cache)
    grads["lnf"] = {"w": dw, "b": db}

    # the blocks, from the last to the first
    grads["blocks"] = []
    for block_cache in reversed(block_caches):
        dx, dblock = block_backward(dx, block_cache)
        grads["blocks"].insert(0, dblock)

    # x = wte[ids] + wpe[:T]: all rows of the batch share the positions, so their gradients add up
    grads["wpe"] = np.zeros((config.block_size, C), dx.dtype)
    grads["wpe"][:T] = dx.sum(0)
    grads["wte"] = embedding_backward(dx, wte_cache)  # (V, C)

    # a tied table was used twice, at the bottom and at the top: its two gradients add up
    if config.tied:
        grads["wte"] += dhead.T
    else:
        grads["head"] = dhead
    return grads


def gpt_loss(
    params: dict, ids: Integer[Array, "B T"], targets: Integer[Array, "B T"], config: Config
) -> tuple[Scalar, dict]:
    """Mean cross-entropy of the next token, in nats, and its gradient in all parameters.

    Parameters
    ----------
    params, ids, config
        As for `gpt`.
    targets : (B, T) integers
        The token that follows each position: the text shifted by one. -100 leaves a position out.

    Returns
    -------
    loss : scalar
    grads : dict
        Nested like ``params``.

    Raises
    ------
    ValueError, TypeError
        As `gpt` and `fmkit.losses.cross_entropy`; for targets of another shape than ``ids``.

    Examples
    --------
    >>> config = Config(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_gpt(np.random.default_rng(0), config)
    >>> loss, grads = gpt_loss(params, np.array([[3, 1, 4]]), np.array([[1, 4, 1]]), config)
    >>> print(f"{loss:.2f}, and log 7 is {math.log(7):.2f}")  # untrained: every token is as likely
    1.95, and log 7 is 1.95
    """
    expect("targets", targets, np.shape(ids), "(B, T)")
    logits, cache = gpt(params, ids, config)
    loss, loss_cache = cross_entropy(logits, targets)
    dlogits = cross_entropy_backward(1.0, loss_cache)  # (B, T, V)
    return loss, gpt_backward(dlogits, cache)
