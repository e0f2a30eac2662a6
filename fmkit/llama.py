"""Llama (chapter 09): the block of most of today's open language models, and the whole of a real one.

Next to GPT (chapter 06) four things change: RMSNorm for LayerNorm, rotary positions for learned ones, fewer
key and value heads than query heads, and SwiGLU for the plain feed-forward part. There are no biases. Qwen2
puts them back on queries, keys and values (``qkv_bias``); Qwen3 has a norm of each head's query and key
instead (``qk_norm``), and heads of a width of their own (``head_dim``); Llama 3.1 lets the slow pairs of
coordinates turn slower still, for longer texts (``rope_scaling``). The parts are the functions of chapters 04
and 06; `fmkit.data.pretrained.load_llama` fills them with the weights of a real model.

Shapes: B batch, T positions, C width of the model (``d_model``), H query heads, G key/value heads, D width of
a head (C / H where nothing else is said), V vocabulary.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from fmkit._shapes import expect, float_dtype, integers, opened
from fmkit._types import Array, Cache
from fmkit._values import demand, generator, holds, instance, number, whole
from fmkit.attention import Mask, causal_mask, multihead_attention, multihead_attention_backward, rope_tables
from fmkit.decoding import KVCache, cached_attention, check_fit, new_cache
from fmkit.layers import (
    embedding,
    embedding_backward,
    linear,
    linear_backward,
    rmsnorm,
    rmsnorm_backward,
    swiglu,
    swiglu_backward,
)


@dataclass(frozen=True)
class RopeScaling:
    """How Llama 3.1 stretches its rotary positions to read texts longer than those it was first trained on.

    What counts is how often a pair of coordinates turns right round within ``block_size`` positions: at least
    ``high`` times, and it stays as it was; at most ``low`` times, and it turns ``factor`` times slower; in
    between, a mixture of the two.

    Examples
    --------
    >>> RopeScaling(factor=8.0, low=1.0, high=4.0, block_size=8192).factor  # of Llama 3.1
    8.0
    """

    factor: float
    low: float
    high: float
    block_size: int  # of the first training; ``block_size`` of the config is the longer one

    def __post_init__(self):
        number("factor", self.factor, above=0)
        low, high = number("low", self.low), number("high", self.high)
        demand(low < high, "low, high", "low < high", f"{low} and {high}")
        whole("block_size", self.block_size, 1)


@dataclass(frozen=True)
class LlamaConfig:
    """The sizes of a Llama.

    Raises
    ------
    ValueError
        If a size is below 1, G does not divide H, H does not divide C (without ``head_dim``), D is odd,
        ``eps`` below 0 or ``rope_base`` not above 0.
    TypeError
        For a size that is not a whole number, or a ``rope_scaling`` that is not a `RopeScaling`.

    Examples
    --------
    >>> config = LlamaConfig(
    ...     vocab_size=7, block_size=8, n_layers=1, n_heads=4, n_kv_heads=2, d_model=8, d_ff=16
    ... )
    >>> config.n_heads // config.n_kv_heads  # query heads that share a key and a value
    2
    """

    vocab_size: int  # V
    block_size: int  # the longest sequence it was trained on
    n_layers: int
    n_heads: int  # H, must divide d_model unless head_dim is given
    n_kv_heads: int  # G, must divide n_heads
    d_model: int  # C
    d_ff: int  # width of the hidden layer of the feed-forward part
    rope_base: float = 10000.0
    eps: float = 1e-5  # of every norm
    tied: bool = True  # the output layer is the embedding table, transposed
    qk_norm: bool = False  # RMSNorm of each head's query and key, before their rotation: then it is a Qwen3
    qkv_bias: bool = False  # a bias on queries, keys and values: then it is a Qwen2
    head_dim: int | None = None  # D, even; None is d_model / n_heads
    rope_scaling: RopeScaling | None = None  # Llama 3.1 and later

    def __post_init__(self):
        for name in ("vocab_size", "block_size", "n_layers", "n_heads", "n_kv_heads", "d_model", "d_ff"):
            whole(name, getattr(self, name), 1)
        number("rope_base", self.rope_base, above=0)
        number("eps", self.eps, 0)
        if self.head_dim is not None:
            whole("head_dim", self.head_dim, 2)
        if self.rope_scaling is not None:
            instance("rope_scaling", self.rope_scaling, RopeScaling)
        H, G, C = self.n_heads, self.n_kv_heads, self.d_model
        if H % G:
            raise ValueError(f"n_kv_heads: expected a divisor of n_heads = {H}, got {G}")
        if self.head_dim is None and C % H:
            raise ValueError(f"n_heads: expected a divisor of d_model = {C}, got {H}")
        if self.head_width < 2 or self.head_width % 2:
            raise ValueError(f"rotary positions need an even head width, got {self.head_width}")

    @property
    def head_width(self) -> int:
        """D: ``head_dim`` where it is given, else C / H."""
        return self.head_dim or self.d_model // self.n_heads


# ------------------------------------------------------------------------------------------------- parameters


def init_llama(rng: np.random.Generator, config: LlamaConfig, dtype=np.float32) -> dict:
    """Parameters of a new Llama: weights from a normal of 0.02, gains 1; biases, where there are any, 0.

    Returns
    -------
    params : dict
        ``wte`` (V, C), ``blocks`` a list of dicts, ``norm`` (C,) the last gain, and ``head`` (C, V) unless
        tied.

    Examples
    --------
    >>> config = LlamaConfig(
    ...     vocab_size=7, block_size=8, n_layers=1, n_heads=4, n_kv_heads=2, d_model=8, d_ff=16
    ... )
    >>> params = init_llama(np.random.default_rng(0), config)
    >>> list(params), params["blocks"][0]["attn"]["wqkv"].shape  # 4 + 2 + 2 heads of width 2
    (['wte', 'blocks', 'norm'], (8, 16))
    """
    generator(rng)
    instance("config", config, LlamaConfig)
    dtype = float_dtype(dtype)
    V, C, F = config.vocab_size, config.d_model, config.d_ff
    H, G, D = config.n_heads, config.n_kv_heads, config.head_width

    def normal(*shape):
        return rng.normal(0.0, 0.02, shape).astype(dtype)

    def block():
        attn = {"wqkv": normal(C, (H + 2 * G) * D), "wo": normal(H * D, C)}
        if config.qkv_bias:
            attn["bqkv"] = np.zeros((H + 2 * G) * D, dtype)
        if config.qk_norm:
            attn |= {"q_norm": np.ones(D, dtype), "k_norm": np.ones(D, dtype)}
        return {
            "norm1": np.ones(C, dtype),
            "attn": attn,
            "norm2": np.ones(C, dtype),
            "mlp": {"w_gate": normal(C, F), "w_up": normal(C, F), "w_down": normal(F, C)},
        }

    params = {
        "wte": normal(V, C),
        "blocks": [block() for _ in range(config.n_layers)],
        "norm": np.ones(C, dtype),
    }
    if not config.tied:
        params["head"] = normal(C, V)
    return params


# -------------------------------------------------------------------------------------------------- positions


def llama_rope(
    positions: Int[Array, "T"], config: LlamaConfig
) -> tuple[Float[Array, "T half"], Float[Array, "T half"]]:
    """The tables of `fmkit.attention.rope_tables` for this model, with its ``rope_scaling`` if it has one.

    References
    ----------
    Grattafiori et al., "The Llama 3 Herd of Models" (2024), and the code that Meta published with it.

    Examples
    --------
    >>> sizes = {"vocab_size": 7, "block_size": 64, "n_layers": 1, "n_heads": 1, "n_kv_heads": 1}
    >>> scaling = RopeScaling(factor=4.0, low=1.0, high=4.0, block_size=32)
    >>> config = LlamaConfig(**sizes, d_model=6, d_ff=8, rope_base=1000.0, rope_scaling=scaling)
    >>> cos, sin = llama_rope(np.array([1]), config)
    >>> print(np.arctan2(sin, cos).round(4))  # angles a step: the same 1, and a quarter of 0.1 and 0.01
    [[1.     0.025  0.0025]]
    """
    instance("config", config, LlamaConfig)
    integers("positions", positions)
    D, scaling = config.head_width, config.rope_scaling
    if scaling is None:
        return rope_tables(positions, D, config.rope_base)
    frequency = config.rope_base ** (-np.arange(0, D, 2) / D)  # (D/2,), as in `rope_tables`
    turns = scaling.block_size * frequency / (2 * math.pi)
    kept = np.clip((turns - scaling.low) / (scaling.high - scaling.low), 0, 1)  # 1: as it was, 0: slower
    angle = positions[:, None] * (frequency * (kept + (1 - kept) / scaling.factor))  # (T, D/2)
    return np.cos(angle), np.sin(angle)


# ------------------------------------------------------------------------------------------------------ block


def llama_block(
    x: Float[Array, "B T C"],
    p: dict,
    config: LlamaConfig,
    rope: tuple[Array, Array],
    mask: Mask | None = None,
) -> tuple[Float[Array, "B T C"], Cache]:
    """One block: x + attention(rmsnorm(x)), then that + swiglu(rmsnorm(that)).

    Parameters
    ----------
    x : (B, T, C)
        The residual stream.
    p : dict
        ``norm1`` (C,), ``attn``, ``norm2`` (C,), ``mlp``, as `init_llama` makes them.
    config : LlamaConfig
    rope : (cos, sin)
        Tables of `llama_rope`.
    mask : broadcastable to (B, H, T, T), optional
        As for `fmkit.attention.attention`: True where a query may look, or added to the scores.

    Returns
    -------
    out : (B, T, C)
    cache
        What `llama_block_backward` needs.

    References
    ----------
    Touvron et al., "LLaMA: Open and Efficient Foundation Language Models" (2023), section 2.2.

    Examples
    --------
    >>> config = LlamaConfig(
    ...     vocab_size=7, block_size=8, n_layers=1, n_heads=4, n_kv_heads=2, d_model=8, d_ff=16
    ... )
    >>> rng = np.random.default_rng(0)
    >>> x, p = rng.normal(size=(1, 3, 8)), init_llama(rng, config)["blocks"][0]
    >>> rope = rope_tables(np.arange(3), D=2)
    >>> out, _ = llama_block(x, p, config, rope, causal_mask(3, x.dtype))
    >>> out.shape
    (1, 3, 8)
    """
    normed, norm1_cache = rmsnorm(x, p["norm1"], config.eps)
    update, attn_cache = multihead_attention(
        normed, p["attn"], config.n_heads, config.n_kv_heads, mask=mask, rope=rope, eps=config.eps
    )
    x = x + update
    normed, norm2_cache = rmsnorm(x, p["norm2"], config.eps)
    update, mlp_cache = swiglu(normed, **p["mlp"])
    return x + update, (norm1_cache, attn_cache, norm2_cache, mlp_cache)


def llama_block_backward(dout: Float[Array, "B T C"], cache: Cache) -> tuple[Float[Array, "B T C"], dict]:
    """Gradient of `llama_block`: dx, and a dict of gradients with the keys of ``p``.

    Examples
    --------
    >>> config = LlamaConfig(
    ...     vocab_size=7, block_size=8, n_layers=1, n_heads=4, n_kv_heads=2, d_model=8, d_ff=16
    ... )
    >>> rng = np.random.default_rng(0)
    >>> x, p = rng.normal(size=(1, 3, 8)), init_llama(rng, config)["blocks"][0]
    >>> out, cache = llama_block(x, p, config, rope_tables(np.arange(3), D=2))
    >>> dx, grads = llama_block_backward(rng.normal(size=out.shape), cache)
    >>> dx.shape, list(grads)
    ((1, 3, 8), ['norm1', 'attn', 'norm2', 'mlp'])
    """
    norm1_cache, attn_cache, norm2_cache, mlp_cache = opened(cache, 4, "llama_block")

    # out = x + swiglu(rmsnorm(x)): down both branches, which add up where they part
    dnormed, *dmlp = swiglu_backward(dout, mlp_cache)
    dx, dnorm2 = rmsnorm_backward(dnormed, norm2_cache)
    dx += dout

    # x = x + attention(rmsnorm(x)): the same once more
    dnormed, dattn = multihead_attention_backward(dx, attn_cache)
    dbelow, dnorm1 = rmsnorm_backward(dnormed, norm1_cache)
    dx += dbelow

    dmlp = dict(zip(("w_gate", "w_up", "w_down"), dmlp, strict=True))
    return dx, {"norm1": dnorm1, "attn": dattn, "norm2": dnorm2, "mlp": dmlp}


# ------------------------------------------------------------------------------------------------------ model


def llama(params: dict, ids: Int[Array, "B T"], config: LlamaConfig) -> tuple[Float[Array, "B T V"], Cache]:
    """Llama: scores for the next token at every position, each from the tokens up to that position.

    Parameters
    ----------
    params : dict
        As `init_llama` makes them, or of a real model from `fmkit.data.pretrained.load_llama`.
    ids : (B, T) integers
        Tokens; T is at most ``config.block_size``.
    config : LlamaConfig

    Returns
    -------
    logits : (B, T, V)
    cache
        What `llama_backward` needs.

    Raises
    ------
    ValueError
        If the sequence is longer than the block, a token is outside the vocabulary, or the parameters are not
        those of ``config``.

    Examples
    --------
    >>> config = LlamaConfig(
    ...     vocab_size=7, block_size=8, n_layers=1, n_heads=4, n_kv_heads=2, d_model=8, d_ff=16
    ... )
    >>> params = init_llama(np.random.default_rng(0), config)
    >>> logits, _ = llama(params, np.array([[3, 1, 4]]), config)
    >>> longer, _ = llama(params, np.array([[3, 1, 4, 1]]), config)
    >>> logits.shape, np.allclose(longer[:, :3], logits, atol=1e-6)  # nobody sees the future
    ((1, 3, 7), True)
    """
    check_fit(ids, config)
    check_params(params, config)
    T = ids.shape[1]
    x, wte_cache = embedding(ids, params["wte"])  # (B, T, C)
    rope = llama_rope(np.arange(T), config)  # (T, D/2) each
    mask = causal_mask(T, x.dtype)
    block_caches = []
    for p in params["blocks"]:
        x, cache = llama_block(x, p, config, rope, mask)
        block_caches.append(cache)
    x, norm_cache = rmsnorm(x, params["norm"], config.eps)
    head = params["wte"].T if config.tied else params["head"]
    logits, head_cache = linear(x, head, None)  # (B, T, V)
    return logits, (wte_cache, block_caches, norm_cache, head_cache, config)


def check_params(params: dict, config: LlamaConfig) -> None:
    """Refuse what is not a Llama's, or of another config: it would give plausible numbers.

    Examples
    --------
    >>> config = LlamaConfig(
    ...     vocab_size=7, block_size=8, n_layers=1, n_heads=4, n_kv_heads=2, d_model=8, d_ff=16
    ... )
    >>> try:
    ...     check_params({"wte": np.zeros((7, 8))}, config)
    ... except ValueError as error:
    ...     print(error)
    params: expected a Llama's, as init_llama makes them, got a dict of wte
    """
    instance("config", config, LlamaConfig)
    holds("params", params, {"wte", "blocks", "norm"}, "a Llama's, as init_llama makes them")
    blocks = params["blocks"]
    expect("wte", params["wte"], (config.vocab_size, config.d_model), "(V, C)")
    demand(len(blocks) == config.n_layers, "params", f"{config.n_layers} blocks", len(blocks))
    attn = blocks[0]["attn"]
    for setting, name in (("qk_norm", "q_norm"), ("qkv_bias", "bqkv")):
        has = name in attn
        demand(has == getattr(config, setting), setting, f"{has}, as the params", not has)
    width = (config.n_heads + 2 * config.n_kv_heads) * config.head_width
    expect("wqkv", attn["wqkv"], (config.d_model, width), "(C, (H+2G)*D)")
    has = "head" in params
    demand(has != config.tied, "tied", f"{not has}, as the params", config.tied)


def llama_backward(dlogits: Float[Array, "B T V"], cache: Cache) -> dict:
    """Gradient of `llama` in all parameters, nested as they are.

    Examples
    --------
    >>> config = LlamaConfig(
    ...     vocab_size=7, block_size=8, n_layers=1, n_heads=4, n_kv_heads=2, d_model=8, d_ff=16
    ... )
    >>> logits, cache = llama(init_llama(np.random.default_rng(0), config), np.array([[3, 1, 4]]), config)
    >>> sorted(llama_backward(np.ones_like(logits), cache))
    ['blocks', 'norm', 'wte']
    """
    wte_cache, block_caches, norm_cache, head_cache, config = opened(cache, 5, "llama")
    instance("cache[-1]", config, LlamaConfig)
    expect("dlogits", dlogits, (*wte_cache[0].shape, config.vocab_size), "(B, T, V)")
    grads = {"blocks": []}

    # logits = rmsnorm(x) @ head
    dx, dhead, _ = linear_backward(dlogits, head_cache)  # (B, T, C), (C, V)
    dx, grads["norm"] = rmsnorm_backward(dx, norm_cache)

    # the blocks, from the last to the first
    for block_cache in reversed(block_caches):
        dx, dblock = llama_block_backward(dx, block_cache)
        grads["blocks"].insert(0, dblock)

    # x = wte[ids]; a tied table was used twice, so its two gradients add up
    grads["wte"] = embedding_backward(dx, wte_cache)  # (V, C)
    if config.tied:
        grads["wte"] += dhead.T
    else:
        grads["head"] = dhead
    return grads


# --------------------------------------------------------------------------------------------- token by token


def llama_step(
    params: dict, ids: Int[Array, "B T"], config: LlamaConfig, kv: KVCache | None = None
) -> tuple[Float[Array, "B V"], KVCache]:
    """Read some new tokens and score the one that follows; ``kv`` has the keys and values of earlier ones.

    The same computation as `llama`, whose last row of logits it returns, without reading the past again.

    Parameters
    ----------
    params, config
        As for `llama`.
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
        If the cache has no room for the new tokens, or a token is outside the vocabulary.

    Examples
    --------
    >>> config = LlamaConfig(
    ...     vocab_size=7, block_size=8, n_layers=1, n_heads=4, n_kv_heads=2, d_model=8, d_ff=16
    ... )
    >>> params = init_llama(np.random.default_rng(0), config)
    >>> _, kv = llama_step(params, np.array([[3, 1, 4]]), config)  # the prompt
    >>> logits, kv = llama_step(params, np.array([[1]]), config, kv)  # one more token
    >>> np.allclose(logits, llama(params, np.array([[3, 1, 4, 1]]), config)[0][:, -1], atol=1e-6)
    True
    """
    x, kv = _read(params, ids, config, kv)  # (B, T, C)
    return _score(params, x[:, -1], config), kv  # (B, V): only the last position is asked for


def llama_extend(
    params: dict, ids: Int[Array, "B T"], config: LlamaConfig, kv: KVCache | None = None
) -> tuple[Float[Array, "B T V"], KVCache]:
    """`llama_step` with the scores after *each* of the new tokens: what it takes to check several guesses.

    Examples
    --------
    >>> config = LlamaConfig(
    ...     vocab_size=7, block_size=8, n_layers=1, n_heads=4, n_kv_heads=2, d_model=8, d_ff=16
    ... )
    >>> params, ids = init_llama(np.random.default_rng(0), config), np.array([[3, 1, 4, 1, 5]])
    >>> _, kv = llama_step(params, ids[:, :2], config)
    >>> logits, kv = llama_extend(params, ids[:, 2:], config, kv)
    >>> np.allclose(logits, llama(params, ids, config)[0][:, 2:], atol=1e-6)
    True
    """
    x, kv = _read(params, ids, config, kv)
    return _score(params, x, config), kv


def _read(
    params: dict, ids: Int[Array, "B T"], config: LlamaConfig, kv: KVCache | None
) -> tuple[Float[Array, "B T C"], KVCache]:
    """Run new tokens through the blocks, with what the cache has of earlier ones; it is extended in place."""
    start, stop = check_fit(ids, config, kv)
    if start == 0:  # later steps are this model's, too
        check_params(params, config)
    kv = kv or new_cache(params, config, batch=ids.shape[0])
    x = params["wte"][ids]  # (B, T, C)
    rope = llama_rope(np.arange(start, stop), config)
    mask = causal_mask(stop, x.dtype)[start:] if ids.shape[1] > 1 else None  # (T, stop); one token sees all
    for p, keys, values in zip(params["blocks"], kv.keys, kv.values, strict=True):
        normed, _ = rmsnorm(x, p["norm1"], config.eps)
        x = x + cached_attention(
            normed, p["attn"], config.n_heads, keys, values, start, mask, rope, config.eps
        )
        normed, _ = rmsnorm(x, p["norm2"], config.eps)
        x = x + swiglu(normed, **p["mlp"])[0]
    kv.length = stop
    return x, kv


def _score(params: dict, x: Float[Array, "*lead C"], config: LlamaConfig) -> Float[Array, "*lead V"]:
    x, _ = rmsnorm(x, params["norm"], config.eps)
    return x @ (params["wte"].T if config.tied else params["head"])
