"""Llama (chapter 09): the block of most of today's open language models, and the whole of a real one.

Next to GPT (chapter 06) four things change: RMSNorm for LayerNorm, rotary positions for learned ones, fewer
key and value heads than query heads, and SwiGLU for the plain feed-forward part. There are no biases. Qwen3
adds one thing, a norm of each head's query and key (``qk_norm``). The parts are the functions of chapters 04
and 06; `fmkit.data.pretrained.load_llama` fills them with the weights of a real model.

Shapes: B batch, T positions, C width of the model (``d_model``), H query heads, G key/value heads, D = C / H,
V vocabulary.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from fmkit._types import Array, Cache
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
class LlamaConfig:
    """The sizes of a Llama.

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
    n_heads: int  # H, must divide d_model
    n_kv_heads: int  # G, must divide n_heads
    d_model: int  # C
    d_ff: int  # width of the hidden layer of the feed-forward part
    rope_base: float = 10000.0
    eps: float = 1e-5  # of every norm
    tied: bool = True  # the output layer is the embedding table, transposed
    qk_norm: bool = False  # RMSNorm of each head's query and key, before their rotation: then it is a Qwen3


# ------------------------------------------------------------------------------------------------- parameters


def init_llama(rng: np.random.Generator, config: LlamaConfig, dtype=np.float32) -> dict:
    """Parameters of a new Llama: weights from a normal of 0.02, gains 1, nothing else.

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
    V, C, F = config.vocab_size, config.d_model, config.d_ff
    D = C // config.n_heads

    def normal(*shape):
        return rng.normal(0.0, 0.02, shape).astype(dtype)

    def block():
        attn = {"wqkv": normal(C, (config.n_heads + 2 * config.n_kv_heads) * D), "wo": normal(C, C)}
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
        Tables of `fmkit.attention.rope_tables`.
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
    norm1_cache, attn_cache, norm2_cache, mlp_cache = cache

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
        If the sequence is longer than the block, or a token is outside the vocabulary.

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
    T = ids.shape[1]
    x, wte_cache = embedding(ids, params["wte"])  # (B, T, C)
    rope = rope_tables(np.arange(T), config.d_model // config.n_heads, config.rope_base)  # (T, D/2) each
    mask = causal_mask(T, x.dtype)
    block_caches = []
    for p in params["blocks"]:
        x, cache = llama_block(x, p, config, rope, mask)
        block_caches.append(cache)
    x, norm_cache = rmsnorm(x, params["norm"], config.eps)
    head = params["wte"].T if config.tied else params["head"]
    logits, head_cache = linear(x, head, None)  # (B, T, V)
    return logits, (wte_cache, block_caches, norm_cache, head_cache, config)


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
    wte_cache, block_caches, norm_cache, head_cache, config = cache
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
    kv = kv or new_cache(params, config, batch=ids.shape[0])
    start, stop = check_fit(ids, config, kv)
    x = params["wte"][ids]  # (B, T, C)
    rope = rope_tables(np.arange(start, stop), config.d_model // config.n_heads, config.rope_base)
    mask = causal_mask(stop, x.dtype)[start:] if ids.shape[1] > 1 else None  # (T, stop); one token sees all
    for p, keys, values in zip(params["blocks"], kv.keys, kv.values, strict=True):
        normed, _ = rmsnorm(x, p["norm1"], config.eps)
        x = x + cached_attention(
            normed, p["attn"], config.n_heads, keys, values, start, mask, rope, config.eps
        )
        normed, _ = rmsnorm(x, p["norm2"], config.eps)
        x = x + swiglu(normed, **p["mlp"])[0]
    kv.length = stop
    last, _ = rmsnorm(x[:, -1], params["norm"], config.eps)  # (B, C): only the last position is asked for
    head = params["wte"].T if config.tied else params["head"]
    return last @ head, kv  # (B, V)
