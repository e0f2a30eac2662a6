"""The same steps folded for speed (chapter 13): what every token pays for again goes into the weights, once.

`fold_gpt` and `fold_llama` rearrange the parameters of a model; `folded_gpt_step` and `folded_llama_step` are
steps (see `fmkit.decoding`) that read the result. They give the logits of `gpt_step` and `llama_step`, up to
rounding, in less time. To understand a model, read the plain steps.

Shapes: C width of the model, H query heads, G key/value heads, R = H / G, D = C / H, S keys so far, F hidden
width, V vocabulary. Only one token of one text goes the short way: there is neither a batch nor a time axis.
"""

import math

import numpy as np
from jaxtyping import Float, Int

from fmkit._shapes import expect
from fmkit._types import Array
from fmkit._values import demand
from fmkit.activations import gelu_tanh
from fmkit.decoding import KVCache, check_fit, gpt_step
from fmkit.llama import LlamaConfig, check_params, llama_rope, llama_step
from fmkit.transformer import Config, check_model

# -------------------------------------------------------------------------------------------------------- GPT


def fold_gpt(params: dict, config: Config) -> dict:
    """The parameters of a GPT rearranged, once, so that a step has less to do and gives the same logits.

    - A norm's gain and shift: ``(n * w + b) @ W + c`` is ``n @ (w[:, None] * W) + (b @ W + c)``.
    - A norm's subtraction of the mean: whatever reads the residual stream takes its mean off first, so that
      mean never matters. Take it out of all that writes into the stream, and it is 0 from the start.
    - The scores' 1 / sqrt(D), into the weights that make the queries.

    Returns
    -------
    folded : dict
        For `folded_gpt_step`. Its ``params`` are the original ones, for reading a prompt.

    Raises
    ------
    ValueError
        If the parameters are not a GPT's, or not those of ``config``.

    Examples
    --------
    >>> from fmkit.transformer import init_gpt
    >>> config = Config(vocab_size=7, block_size=8, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_gpt(np.random.default_rng(0), config)
    >>> folded = fold_gpt(params, config)
    >>> list(folded["blocks"][0])  # no norms: their gains and shifts are in the weights
    ['wqkv', 'bqkv', 'wo', 'bo', 'w1', 'b1', 'w2', 'b2']
    """
    check_model(params, config)
    demand(
        len(params["blocks"]) == config.n_layers, "params", f"{config.n_layers} blocks", len(params["blocks"])
    )
    head, head_bias = _after_norm(params["lnf"], params["wte"].T if config.tied else params["head"])
    return {
        "params": params,
        "config": config,
        "wte": _without_mean(params["wte"]),
        "wpe": _without_mean(params["wpe"]),
        "blocks": [_fold_gpt_block(p, config) for p in params["blocks"]],
        "head": head,
        "head_bias": head_bias,
    }


def _fold_gpt_block(p: dict, config: Config) -> dict:
    C, D = config.d_model, config.d_model // config.n_heads
    wqkv, bqkv = _after_norm(p["ln1"], p["attn"]["wqkv"], p["attn"]["bqkv"])
    wqkv[:, :C] /= math.sqrt(D)  # the first third makes the queries
    bqkv[:C] /= math.sqrt(D)
    w1, b1 = _after_norm(p["ln2"], p["mlp"]["w1"], p["mlp"]["b1"])
    wo, bo = _without_mean(p["attn"]["wo"]), _without_mean(p["attn"]["bo"])
    w2, b2 = _without_mean(p["mlp"]["w2"]), _without_mean(p["mlp"]["b2"])
    return {"wqkv": wqkv, "bqkv": bqkv, "wo": wo, "bo": bo, "w1": w1, "b1": b1, "w2": w2, "b2": b2}


def _after_norm(norm: dict, w: Array, b: Array | float = 0.0) -> tuple[Array, Array]:
    """Weight and bias of a linear layer that does the work of the gain and shift in front of it, too."""
    return np.multiply(norm["w"][:, None], w, order="C"), norm["b"] @ w + b  # by rows, even of wte.T


def _without_mean(w: Array) -> Array:
    """What writes into the residual stream (the last axis), so that it leaves the stream's mean at 0."""
    return w - w.mean(-1, keepdims=True)


def folded_gpt_step(
    folded: dict, ids: Int[Array, "B T"], config: Config, kv: KVCache | None = None
) -> tuple[Float[Array, "B V"], KVCache]:
    """`gpt_step` with parameters from `fold_gpt`: one new token of one text takes a shorter way.

    A small model's step is many tiny operations, so their number is what counts; and a vector times a matrix
    is all that is left of the layers. Several tokens (a prompt) go through `gpt_step`.

    Raises
    ------
    ValueError, TypeError
        As `gpt_step`; and if the parameters are not folded, or for another config.

    Examples
    --------
    >>> from fmkit.transformer import init_gpt
    >>> config = Config(vocab_size=7, block_size=8, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_gpt(np.random.default_rng(0), config)
    >>> folded, prompt, token = fold_gpt(params, config), np.array([[3, 1, 4]]), np.array([[1]])
    >>> logits, _ = folded_gpt_step(folded, token, config, folded_gpt_step(folded, prompt, config)[1])
    >>> plain, _ = gpt_step(params, token, config, gpt_step(params, prompt, config)[1])
    >>> np.allclose(logits, plain, atol=1e-6)
    True
    """
    _check_folded(folded, ids, config, "fold_gpt")
    if ids.size != 1 or kv is None:
        return gpt_step(folded["params"], ids, config, kv)
    start, stop = check_fit(ids, config, kv)
    x = folded["wte"][ids[0, 0]] + folded["wpe"][start]  # (C,), with mean 0 here and below
    new, seen = _places(kv, start, stop)
    for p, new_k, new_v, keys, values in zip(folded["blocks"], *new, *seen, strict=True):
        qkv = _unit(x).dot(p["wqkv"])  # (3*C,)
        qkv += p["bqkv"]
        q, new_k[:], new_v[:] = qkv.reshape(3, config.n_heads, -1)  # (H, D) each
        x += _attend(q[:, None, :, None], keys, values).dot(p["wo"])
        x += p["bo"]
        hidden = _unit(x).dot(p["w1"])  # (F,)
        hidden += p["b1"]
        x += gelu_tanh(hidden)[0].dot(p["w2"])
        x += p["b2"]
    kv.length = stop
    logits = _unit(x).dot(folded["head"])  # (V,)
    logits += folded["head_bias"]
    return logits[None], kv


# ------------------------------------------------------------------------------------------------------ Llama


def fold_llama(params: dict, config: LlamaConfig) -> dict:
    """The parameters of a Llama rearranged, once, so that a step has less to do and gives the same logits.

    - A norm's gain: ``(n * w) @ W`` is ``n @ (w[:, None] * W)``. The head is another copy of all words then,
      and lies by rows, which a product with one vector reads up to twice as fast as columns.
    - Gate and up side by side, for one product; the gate halved, since silu(2h) = h + h tanh(h).
    - The scores' 1 / sqrt(D), into the weights that make the queries (with ``qk_norm``, into their gain).
    - The rotation of queries and keys as ``a * x + b * swapped(x)``, where ``swapped`` exchanges the halves
      of a head, with a table of a and b for every position. A step makes one matrix of it, for all blocks.
    - The largest score, which the softmax takes off before its exponentials only lest they overflow: with
      ``qk_norm`` no score exceeds sqrt(D) times the largest gains. Where that is small, nothing is taken off.

    Returns
    -------
    folded : dict
        For `folded_llama_step`. Its ``params`` are the original ones, for reading a prompt.

    Raises
    ------
    ValueError
        If the parameters are not a Llama's, or not those of ``config``.

    Examples
    --------
    >>> from fmkit.llama import init_llama
    >>> config = LlamaConfig(
    ...     vocab_size=7, block_size=8, n_layers=1, n_heads=4, n_kv_heads=2, d_model=8, d_ff=16
    ... )
    >>> params = init_llama(np.random.default_rng(0), config)
    >>> folded = fold_llama(params, config)
    >>> list(folded["blocks"][0])  # w_in has gate and up side by side
    ['wqkv', 'wo', 'w_in', 'w_down']
    """
    check_params(params, config)
    head = params["wte"].T if config.tied else params["head"]
    return {
        "params": params,
        "config": config,
        "wte": params["wte"],
        "small_scores": config.qk_norm and _largest_score(params, config) < 60.0,  # e^60 of float32's e^88
        "turn": _turn_tables(config, params["wte"].dtype),
        "blocks": [_fold_llama_block(p, config) for p in params["blocks"]],
        "head": np.multiply(params["norm"][:, None], head, order="C"),
    }


def _fold_llama_block(p: dict, config: LlamaConfig) -> dict:
    attn, H, G, D = p["attn"], config.n_heads, config.n_kv_heads, config.head_width
    scale = np.ones((H + 2 * G, D), attn["wqkv"].dtype)  # of queries, keys, values
    scale[:H] /= math.sqrt(D)
    gate_and_up = np.concatenate([p["mlp"]["w_gate"] / 2, p["mlp"]["w_up"]], axis=1)  # (C, 2F)
    folded = {
        "wqkv": p["norm1"][:, None] * attn["wqkv"],
        "wo": np.ascontiguousarray(attn["wo"]),
        "w_in": p["norm2"][:, None] * gate_and_up,
        "w_down": np.ascontiguousarray(p["mlp"]["w_down"]),
    }
    if config.qk_norm:  # the norm would undo the scale
        gains = np.array([attn["q_norm"]] * H + [attn["k_norm"]] * G)
        return folded | {"gains": gains * scale[: H + G] * math.sqrt(D)}  # root of a mean of D, from a sum
    folded["wqkv"] *= scale.reshape(-1)
    return folded | ({"bqkv": attn["bqkv"] * scale.reshape(-1)} if config.qkv_bias else {})


def _largest_score(params: dict, config: LlamaConfig) -> float:
    """What no score exceeds: the norm makes queries and keys sqrt(D) long, a gain stretches that."""
    gains = [abs(p["attn"]["q_norm"]).max() * abs(p["attn"]["k_norm"]).max() for p in params["blocks"]]
    return math.sqrt(config.head_width) * float(max(gains, default=0.0))


def _turn_tables(config: LlamaConfig, dtype: np.dtype) -> tuple[Array, ...]:
    """For `_turn`: a and b of every position (S, D), as `fmkit.attention.rope` has it; two (D, D)."""
    cos, sin = llama_rope(np.arange(config.block_size), config)  # (S, D/2) each
    a, b = np.concatenate([cos, cos], axis=1), np.concatenate([-sin, sin], axis=1)  # (S, D)
    keep = np.eye(config.head_width)
    swap = np.roll(keep, config.head_width // 2, axis=1)  # x @ swap exchanges the halves of x
    return tuple(m.astype(dtype) for m in (a, b, keep, swap))


def _turn(folded: dict, position: int) -> Float[Array, "D D"]:
    """The rotation as one matrix: ``x @ turn`` is ``a * x + b * swapped(x)``."""
    a, b, keep, swap = folded["turn"]
    return keep * a[position] + swap * b[position]


def folded_llama_step(
    folded: dict, ids: Int[Array, "B T"], config: LlamaConfig, kv: KVCache | None = None
) -> tuple[Float[Array, "B V"], KVCache]:
    """`llama_step` with parameters from `fold_llama`: one new token of one text takes a shorter way.

    A small model's step is many tiny operations, so their number is what counts. Several tokens (a prompt) go
    through `llama_step`.

    Raises
    ------
    ValueError, TypeError
        As `llama_step`; and if the parameters are not folded, or for another config.

    Examples
    --------
    >>> from fmkit.llama import init_llama
    >>> config = LlamaConfig(
    ...     vocab_size=7, block_size=8, n_layers=1, n_heads=4, n_kv_heads=2, d_model=8, d_ff=16
    ... )
    >>> params = init_llama(np.random.default_rng(0), config)
    >>> folded, prompt, token = fold_llama(params, config), np.array([[3, 1, 4]]), np.array([[1]])
    >>> logits, _ = folded_llama_step(folded, token, config, folded_llama_step(folded, prompt, config)[1])
    >>> plain, _ = llama_step(params, token, config, llama_step(params, prompt, config)[1])
    >>> np.allclose(logits, plain, atol=1e-6)
    True
    """
    _check_folded(folded, ids, config, "fold_llama")
    if ids.size != 1 or kv is None:
        return llama_step(folded["params"], ids, config, kv)
    start, stop = check_fit(ids, config, kv)
    H, G, D, F, eps = config.n_heads, config.n_kv_heads, config.head_width, config.d_ff, config.eps
    turn = _turn(folded, start)  # (D, D)
    x = folded["wte"][ids[0, 0]].copy()  # (C,)
    new, seen = _places(kv, start, stop)
    for p, new_k, new_v, keys, values in zip(folded["blocks"], *new, *seen, strict=True):
        qkv = _unit(x, eps).dot(p["wqkv"])  # ((H+2G)*D,)
        if "bqkv" in p:
            qkv += p["bqkv"]
        qkv = qkv.reshape(H + 2 * G, D)
        qk, new_v[:] = qkv[: H + G], qkv[H + G :]
        if "gains" in p:
            qk *= p["gains"] / np.sqrt(np.vecdot(qk, qk) + D * eps)[:, None]
        qk = qk.dot(turn)
        new_k[:] = qk[H:]
        q = qk[:H].reshape(G, H // G, D, 1)
        x += _attend(q, keys, values, folded["small_scores"]).dot(p["wo"])
        hidden = _unit(x, eps).dot(p["w_in"])  # (2F,)
        half_gate, up = hidden[:F], hidden[F:]
        gated = np.tanh(half_gate)
        gated += 1.0
        gated *= half_gate  # silu(gate)
        gated *= up
        x += gated.dot(p["w_down"])
    kv.length = stop
    return _unit(x, eps).dot(folded["head"])[None], kv


# ---------------------------------------------------------------------------------------------- what both use


def _check_folded(folded: dict, ids: Array, config: Config | LlamaConfig, fold: str) -> None:
    if "config" not in folded:
        raise ValueError(f"folded: expected what {fold} returns, got a dict of {', '.join(folded)}")
    if config is not folded["config"]:
        demand(config == folded["config"], "config", f"the one that {fold} was given", config)
    if getattr(ids, "ndim", None) != 2:
        expect("ids", ids, (None, None), "(B, T)")


def _unit(x: Float[Array, "C"], eps: float = 1e-5) -> Float[Array, "C"]:
    """RMSNorm without its gain; what is left of `layernorm`, too, for a vector whose mean is 0."""
    return x * (1.0 / math.sqrt(float(x.dot(x)) / x.size + eps))  # Python's floats are quicker than NumPy's


def _places(kv: KVCache, start: int, stop: int) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Of a cache's keys and values: the places (L, G, D) of a new token; all (L, G, 1, S, D) up to it."""
    new = kv.keys[:, 0, :, start], kv.values[:, 0, :, start]
    return new, (kv.keys[:, 0, :, None, :stop], kv.values[:, 0, :, None, :stop])


def _attend(
    q: Float[Array, "G R D 1"],
    keys: Float[Array, "G 1 S D"],
    values: Float[Array, "G 1 S D"],
    small_scores: bool = False,
) -> Float[Array, "HD"]:
    """`fmkit.attention.attention` for one query in each of the H = G * R heads, then the heads merged."""
    weights = keys @ q  # (G, R, S, 1): scores, scaled already
    if not small_scores:
        weights -= weights.max(-2, keepdims=True)
    np.exp(weights, out=weights)
    out = weights.swapaxes(2, 3) @ values  # (G, R, 1, D)
    out /= np.add.reduce(weights, -2, keepdims=True)  # the softmax's division, on D numbers instead of S
    return out.reshape(-1)  # (H*D,)
