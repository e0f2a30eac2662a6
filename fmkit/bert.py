"""BERT (chapter 06): the encoder, which sees both sides of every token, its two heads and its two losses.

Shapes: B batch, T positions, C width of the model (``d_model``), V vocabulary, K classes. Parameters are a
nested dict, the gradients come back nested alike. Pretrained weights fit in (`fmkit.twins.huggingface`).
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer

from fmkit._shapes import expect, float_dtype, floats, integers, opened, zeros_and_ones
from fmkit._types import Array, Cache, Scalar
from fmkit._values import demand, generator, holds, instance, number, whole
from fmkit.activations import gelu_erf, gelu_erf_backward, tanh, tanh_backward
from fmkit.attention import Mask, multihead_attention, multihead_attention_backward, padding_mask
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
class BertConfig:
    """The sizes of a BERT: whole numbers (else TypeError) from 1 on, the heads a divisor of the width (else
    ValueError), ``eps`` not below 0.

    Examples
    --------
    >>> config = BertConfig(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> config.n_segments, config.eps
    (2, 1e-12)
    """

    vocab_size: int  # V
    block_size: int  # the longest sequence: the number of learned positions
    n_layers: int
    n_heads: int  # must divide d_model
    d_model: int  # C
    d_ff: int  # width of the hidden layer of the feed-forward part
    n_segments: int = 2  # sentence A and sentence B
    eps: float = 1e-12  # of every layer norm

    def __post_init__(self):
        for name in ("vocab_size", "block_size", "n_layers", "n_heads", "d_model", "d_ff", "n_segments"):
            whole(name, getattr(self, name), 1)
        number("eps", self.eps, 0)
        demand(self.d_model % self.n_heads == 0, "n_heads", f"a divisor of {self.d_model}", self.n_heads)


# ------------------------------------------------------------------------------------------------- parameters


def init_bert(
    rng: np.random.Generator,
    config: BertConfig,
    mlm: bool = False,
    n_classes: int | None = None,
    dtype=np.float32,
) -> dict:
    """Parameters of a new BERT: weights from a normal of 0.02, biases 0, gains 1.

    Parameters
    ----------
    rng : numpy.random.Generator
    config : BertConfig
    mlm : bool
        With the head that guesses masked tokens, ``mlm``.
    n_classes : int, optional
        With ``pooler`` and ``classifier``, for that many classes, 1 at least.

    Returns
    -------
    params : dict
        ``wte`` (V, C) tokens, ``wpe`` (block_size, C) positions, ``wse`` (n_segments, C) segments, ``ln`` the
        norm of their sum, ``blocks`` a list of dicts, and the heads that were asked for.

    Examples
    --------
    >>> config = BertConfig(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_bert(np.random.default_rng(0), config, n_classes=3)
    >>> list(params), params["classifier"]["w"].shape
    (['wte', 'wpe', 'wse', 'ln', 'blocks', 'pooler', 'classifier'], (8, 3))
    """
    generator(rng)
    instance("config", config, BertConfig)
    dtype = float_dtype(dtype)
    if n_classes is not None:
        n_classes = whole("n_classes", n_classes, 1)
    V, C, F = config.vocab_size, config.d_model, config.d_ff

    def normal(*shape):
        return rng.normal(0.0, 0.02, shape).astype(dtype)

    def zeros(n):
        return np.zeros(n, dtype)

    def norm():
        return {"w": np.ones(C, dtype), "b": zeros(C)}

    def block():
        attn = {"wqkv": normal(C, 3 * C), "bqkv": zeros(3 * C), "wo": normal(C, C), "bo": zeros(C)}
        mlp = {"w1": normal(C, F), "b1": zeros(F), "w2": normal(F, C), "b2": zeros(C)}
        return {"attn": attn, "ln1": norm(), "mlp": mlp, "ln2": norm()}

    params = {
        "wte": normal(V, C),
        "wpe": normal(config.block_size, C),
        "wse": normal(config.n_segments, C),
        "ln": norm(),
        "blocks": [block() for _ in range(config.n_layers)],
    }
    if mlm:
        params["mlm"] = {"w": normal(C, C), "b": zeros(C), "ln": norm(), "bias": zeros(V)}
    if n_classes is not None:
        params["pooler"] = {"w": normal(C, C), "b": zeros(C)}
        params["classifier"] = {"w": normal(C, n_classes), "b": zeros(n_classes)}
    return params


# ---------------------------------------------------------------------------------------------------- encoder


def bert_block(
    x: Float[Array, "B T C"], p: dict, n_heads: int, mask: Mask, eps: float
) -> tuple[Float[Array, "B T C"], Cache]:
    """One post-norm block: norm(x + attention(x)), then norm(that + mlp(that)).

    Unlike in GPT's pre-norm block the norm stands *on* the residual stream, after each sum.

    Parameters
    ----------
    x : (B, T, C)
    p : dict
        ``attn``, ``ln1``, ``mlp``, ``ln2``.
    n_heads : int
    mask : broadcastable to (B, H, T, T)
        As for `fmkit.attention.attention`: True where a query may look, or added to the scores.
    eps : float
        Of the norms.

    Returns
    -------
    out : (B, T, C)
    cache
        What `bert_block_backward` needs.

    References
    ----------
    Xiong et al., "On Layer Normalization in the Transformer Architecture" (2020), figure 1a.

    Examples
    --------
    >>> config = BertConfig(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> rng = np.random.default_rng(0)
    >>> p = init_bert(rng, config)["blocks"][0]
    >>> out, _ = bert_block(rng.normal(size=(1, 3, 8)), p, n_heads=2, mask=np.zeros((3, 3)), eps=1e-12)
    >>> print(out.std(-1).round(3))  # the norm stands on the stream: every vector leaves with spread 1
    [[1. 1. 1.]]
    """
    update, attn_cache = multihead_attention(x, p["attn"], n_heads, mask=mask)
    x, ln1_cache = layernorm(x + update, **p["ln1"], eps=eps)
    update, mlp_cache = mlp(x, **p["mlp"], activation=(gelu_erf, gelu_erf_backward))
    x, ln2_cache = layernorm(x + update, **p["ln2"], eps=eps)
    return x, (attn_cache, ln1_cache, mlp_cache, ln2_cache)


def bert_block_backward(dout: Float[Array, "B T C"], cache: Cache) -> tuple[Float[Array, "B T C"], dict]:
    """Gradient of `bert_block`: dx, and a dict of gradients with the keys of ``p``.

    Examples
    --------
    >>> config = BertConfig(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> rng = np.random.default_rng(0)
    >>> x, p = rng.normal(size=(1, 3, 8)), init_bert(rng, config)["blocks"][0]
    >>> out, cache = bert_block(x, p, n_heads=2, mask=np.zeros((3, 3)), eps=1e-12)
    >>> dx, grads = bert_block_backward(rng.normal(size=out.shape), cache)
    >>> dx.shape, list(grads)
    ((1, 3, 8), ['attn', 'ln1', 'mlp', 'ln2'])
    """
    attn_cache, ln1_cache, mlp_cache, ln2_cache = opened(cache, 4, "bert_block")

    # x = norm(x + mlp(x)): through the norm, then down both branches, which add up where they part
    dsum, *dln2 = layernorm_backward(dout, ln2_cache)
    dx, *dmlp = mlp_backward(dsum, mlp_cache)
    dx += dsum

    # x = norm(x + attention(x)): the same once more
    dsum, *dln1 = layernorm_backward(dx, ln1_cache)
    dx, dattn = multihead_attention_backward(dsum, attn_cache)
    dx += dsum

    grads = {
        "attn": dattn,
        "ln1": dict(zip("wb", dln1, strict=True)),
        "mlp": dict(zip(("w1", "b1", "w2", "b2"), dmlp, strict=True)),
        "ln2": dict(zip("wb", dln2, strict=True)),
    }
    return dx, grads


def bert(
    params: dict,
    ids: Integer[Array, "B T"],
    mask: Array,
    segments: Integer[Array, "B T"],
    config: BertConfig,
) -> tuple[Float[Array, "B T C"], Cache]:
    """BERT's encoder: one vector for every token, from the whole text around it.

    Parameters
    ----------
    params : dict
        As `init_bert` makes them, or from a pretrained model.
    ids : (B, T) integers
        Tokens, [CLS] first.
    mask : (B, T)
        1 for a real token, 0 for padding, which no token can see.
    segments : (B, T) integers
        0 for the first sentence, 1 for the second.
    config : BertConfig

    Returns
    -------
    hidden : (B, T, C)
        (What stands at a padded position means nothing.)
    cache
        What `bert_backward` needs.

    Raises
    ------
    ValueError
        If the sequence is longer than the table of positions or has no token, a token or segment is outside
        its table, the shapes are not all (B, T), or the tables are not those of ``config``.
    TypeError
        If ``ids`` or ``segments`` is not an array of integers.

    References
    ----------
    Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers" (2018), section 3 and figure 2.

    Examples
    --------
    >>> config = BertConfig(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_bert(np.random.default_rng(0), config)
    >>> ids, mask, segments = np.array([[1, 3, 2, 0]]), np.array([[1, 1, 1, 0]]), np.zeros((1, 4), int)
    >>> hidden, _ = bert(params, ids, mask, segments, config)
    >>> ids[0, 3] = 5  # another token where there is only padding
    >>> print(np.isclose(bert(params, ids, mask, segments, config)[0], hidden).all(-1))  # no other sees it
    [[ True  True  True False]]
    """
    _check_encoder(params, config)
    expect("ids", ids, (None, None), "(B, T)")
    integers("ids", ids, stop=config.vocab_size)
    expect("mask", mask, ids.shape, "(B, T)")
    zeros_and_ones("mask", mask)
    expect("segments", segments, ids.shape, "(B, T)")
    integers("segments", segments, stop=config.n_segments)
    T = ids.shape[1]
    demand(T > 0, "ids", "a token to read", f"shape {ids.shape}")
    if config.block_size < T:
        raise ValueError(f"{T} tokens do not fit into a block of {config.block_size}")
    x, wte_cache = embedding(ids, params["wte"])  # (B, T, C)
    segment, wse_cache = embedding(segments, params["wse"])  # (B, T, C)
    x, ln_cache = layernorm(x + segment + params["wpe"][:T], **params["ln"], eps=config.eps)
    scores_mask = padding_mask(mask, x.dtype)  # (B, 1, 1, T)
    block_caches = []
    for p in params["blocks"]:
        x, cache = bert_block(x, p, config.n_heads, scores_mask, config.eps)
        block_caches.append(cache)
    return x, (wte_cache, wse_cache, ln_cache, block_caches, config)


def _check_encoder(params: dict, config: BertConfig) -> None:
    """Refuse parameters that are not a BERT's, or of another config, as far as shapes and names tell."""
    instance("config", config, BertConfig)
    holds("params", params, {"wte", "wpe", "wse", "ln", "blocks"}, "a BERT's, as init_bert makes them")
    C = config.d_model
    expect("wte", floats("wte", params["wte"]), (config.vocab_size, C), "(V, C)")
    expect("wpe", params["wpe"], (config.block_size, C), "(block_size, C)")
    expect("wse", params["wse"], (config.n_segments, C), "(n_segments, C)")


def bert_backward(dhidden: Float[Array, "B T C"], cache: Cache) -> dict:
    """Gradient of `bert` in the encoder's parameters, nested as they are (the heads have their own).

    Examples
    --------
    >>> config = BertConfig(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_bert(np.random.default_rng(0), config)
    >>> ids, mask, segments = np.array([[1, 3, 2, 0]]), np.array([[1, 1, 1, 0]]), np.zeros((1, 4), int)
    >>> hidden, cache = bert(params, ids, mask, segments, config)
    >>> grads = bert_backward(np.random.default_rng(1).normal(size=hidden.shape).astype(np.float32), cache)
    >>> sorted(grads), grads["wte"].any(axis=1)  # tokens 0 to 3 took part
    (['blocks', 'ln', 'wpe', 'wse', 'wte'], array([ True,  True,  True,  True, False, False, False]))
    """
    wte_cache, wse_cache, ln_cache, block_caches, config = opened(cache, 5, "bert")
    instance("cache[-1]", config, BertConfig)
    expect("dhidden", dhidden, (*wte_cache[0].shape, config.d_model), "(B, T, C)")
    grads = {"blocks": []}

    # the blocks, from the last to the first
    dx = dhidden
    for block_cache in reversed(block_caches):
        dx, dblock = bert_block_backward(dx, block_cache)
        grads["blocks"].insert(0, dblock)

    # x = norm(wte[ids] + wse[segments] + wpe[:T]): the sum hands the same gradient to all three
    dx, dw, db = layernorm_backward(dx, ln_cache)
    grads["ln"] = {"w": dw, "b": db}
    grads["wte"] = embedding_backward(dx, wte_cache)  # (V, C)
    grads["wse"] = embedding_backward(dx, wse_cache)  # (n_segments, C)
    grads["wpe"] = np.zeros((config.block_size, config.d_model), dx.dtype)
    grads["wpe"][: dx.shape[1]] = dx.sum(0)  # all rows of the batch share the positions
    return grads


# ------------------------------------------------------------------------------------------------------ heads


def mlm_head(
    hidden: Float[Array, "B T C"], p: dict, wte: Float[Array, "V C"], eps: float = 1e-12
) -> tuple[Float[Array, "B T V"], Cache]:
    """Guess the token at each position: a layer with GELU and norm, then the embedding table transposed.

    Parameters
    ----------
    hidden : (B, T, C)
        From `bert`.
    p : dict
        ``w`` (C, C), ``b``, ``ln`` and ``bias`` (V,).
    wte : (V, C)
        The encoder's own table of tokens: the output layer is tied to it.

    Returns
    -------
    logits : (B, T, V)
    cache
        What `mlm_head_backward` needs.

    Examples
    --------
    >>> config = BertConfig(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_bert(np.random.default_rng(0), config, mlm=True)
    >>> logits, _ = mlm_head(np.ones((1, 4, 8), np.float32), params["mlm"], params["wte"])
    >>> logits.shape
    (1, 4, 7)
    """
    expect("hidden", hidden, (None, None, None), "(B, T, C)")
    expect("wte", wte, (None, hidden.shape[2]), "(V, C)")
    holds("p", p, {"w", "b", "ln", "bias"}, "the head of init_bert(..., mlm=True)")
    x, w_cache = linear(hidden, p["w"], p["b"])  # (B, T, C)
    x, gelu_cache = gelu_erf(x)
    x, ln_cache = layernorm(x, **p["ln"], eps=eps)
    logits, out_cache = linear(x, wte.T, p["bias"])  # (B, T, V)
    return logits, (w_cache, gelu_cache, ln_cache, out_cache)


def mlm_head_backward(
    dlogits: Float[Array, "B T V"], cache: Cache
) -> tuple[Float[Array, "B T C"], dict, Float[Array, "V C"]]:
    """Gradient of `mlm_head`: dhidden, a dict with the keys of ``p``, and the head's share of dwte.

    Examples
    --------
    >>> config = BertConfig(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_bert(np.random.default_rng(0), config, mlm=True)
    >>> logits, cache = mlm_head(np.ones((1, 4, 8), np.float32), params["mlm"], params["wte"])
    >>> dhidden, grads, dwte = mlm_head_backward(np.ones_like(logits), cache)
    >>> dhidden.shape, list(grads), dwte.shape
    ((1, 4, 8), ['w', 'b', 'ln', 'bias'], (7, 8))
    """
    w_cache, gelu_cache, ln_cache, out_cache = opened(cache, 4, "mlm_head")
    dx, dhead, dbias = linear_backward(dlogits, out_cache)  # (B, T, C), (C, V): logits = x @ wte.T + bias
    dx, *dln = layernorm_backward(dx, ln_cache)  # x = norm(x)
    dx = gelu_erf_backward(dx, gelu_cache)  # x = gelu(x)
    dhidden, dw, db = linear_backward(dx, w_cache)  # x = hidden @ w + b
    grads = {"w": dw, "b": db, "ln": dict(zip("wb", dln, strict=True)), "bias": dbias}
    return dhidden, grads, dhead.T


def classification_head(
    hidden: Float[Array, "B T C"], pooler: dict, classifier: dict
) -> tuple[Float[Array, "B K"], Cache]:
    """Classify the whole text from its first token, [CLS]: a layer with tanh (the pooler), then a linear one.

    Parameters
    ----------
    hidden : (B, T, C)
        From `bert`.
    pooler, classifier : dict
        ``w`` (C, C), ``b`` (C,), and ``w`` (C, K), ``b`` (K,).

    Returns
    -------
    logits : (B, K)
    cache
        What `classification_head_backward` needs.

    Examples
    --------
    >>> config = BertConfig(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_bert(np.random.default_rng(0), config, n_classes=3)
    >>> hidden = np.ones((1, 4, 8), np.float32)
    >>> logits, _ = classification_head(hidden, params["pooler"], params["classifier"])
    >>> logits.shape  # a text, not a token, has classes
    (1, 3)
    """
    expect("hidden", hidden, (None, None, None), "(B, T, C)")
    demand(hidden.shape[1] > 0, "hidden", "a first token", f"shape {hidden.shape}")
    holds("pooler", pooler, {"w", "b"}, "a dict of w and b")
    holds("classifier", classifier, {"w", "b"}, "a dict of w and b")
    pooled, pooler_cache = linear(hidden[:, 0], **pooler)  # (B, C)
    pooled, tanh_cache = tanh(pooled)
    logits, classifier_cache = linear(pooled, **classifier)  # (B, K)
    return logits, (hidden.shape, pooler_cache, tanh_cache, classifier_cache)


def classification_head_backward(
    dlogits: Float[Array, "B K"], cache: Cache
) -> tuple[Float[Array, "B T C"], dict, dict]:
    """Gradient of `classification_head`: dhidden, and dicts like ``pooler`` and ``classifier``.

    Examples
    --------
    >>> config = BertConfig(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_bert(np.random.default_rng(0), config, n_classes=3)
    >>> hidden = np.ones((1, 4, 8), np.float32)
    >>> logits, cache = classification_head(hidden, params["pooler"], params["classifier"])
    >>> dhidden, dpooler, dclassifier = classification_head_backward(np.ones_like(logits), cache)
    >>> print(dhidden.any(-1))  # only [CLS] was read
    [[ True False False False]]
    """
    shape, pooler_cache, tanh_cache, classifier_cache = opened(cache, 4, "classification_head")
    dpooled, *dclassifier = linear_backward(dlogits, classifier_cache)  # (B, C): logits = pooled @ w + b
    dpooled = tanh_backward(dpooled, tanh_cache)  # pooled = tanh(pooled)
    dfirst, *dpooler = linear_backward(dpooled, pooler_cache)  # (B, C): pooled = hidden[:, 0] @ w + b
    dhidden = np.zeros(shape, dlogits.dtype)  # (B, T, C): only [CLS] was read
    dhidden[:, 0] = dfirst
    return dhidden, dict(zip("wb", dpooler, strict=True)), dict(zip("wb", dclassifier, strict=True))


# ----------------------------------------------------------------------------------------------------- losses


def mlm_loss(
    params: dict,
    ids: Integer[Array, "B T"],
    mask: Array,
    segments: Integer[Array, "B T"],
    targets: Integer[Array, "B T"],
    config: BertConfig,
) -> tuple[Scalar, dict]:
    """Masked language modelling: mean cross-entropy, in nats, over the hidden tokens only, and its gradient.

    Parameters
    ----------
    params, ids, mask, segments, config
        As for `bert`, with the head ``mlm``.
    targets : (B, T) integers
        The true token where one was masked, -100 (ignored by the loss) everywhere else.

    Returns
    -------
    loss : scalar
    grads : dict
        Nested like ``params``, less any head that took no part.

    Raises
    ------
    ValueError, TypeError
        As `bert` and `fmkit.losses.cross_entropy`; for targets of another shape than ``ids``.

    References
    ----------
    Devlin et al., "BERT" (2018), section 3.1, task 1.

    Examples
    --------
    >>> config = BertConfig(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_bert(np.random.default_rng(0), config, mlm=True)
    >>> ids, mask, segments = np.array([[1, 3, 2, 0]]), np.array([[1, 1, 1, 0]]), np.zeros((1, 4), int)
    >>> targets = np.array([[-100, 6, -100, -100]])  # the second token was hidden; it was a 6
    >>> loss, grads = mlm_loss(params, ids, mask, segments, targets, config)
    >>> print(f"{loss:.2f}, and log 7 is {np.log(7):.2f}")  # untrained: about as unsure
    1.91, and log 7 is 1.95
    """
    expect("targets", targets, np.shape(ids), "(B, T)")
    hidden, cache = bert(params, ids, mask, segments, config)
    demand("mlm" in params, "params", "the head of init_bert(..., mlm=True)", "none")
    logits, head_cache = mlm_head(hidden, params["mlm"], params["wte"], config.eps)
    loss, loss_cache = cross_entropy(logits, targets)

    dlogits = cross_entropy_backward(1.0, loss_cache)  # (B, T, V)
    dhidden, dmlm, dwte = mlm_head_backward(dlogits, head_cache)
    grads = bert_backward(dhidden, cache)
    grads["mlm"] = dmlm
    grads["wte"] += dwte  # the table was used twice, at the bottom and at the top
    return loss, grads


def classification_loss(
    params: dict,
    ids: Integer[Array, "B T"],
    mask: Array,
    segments: Integer[Array, "B T"],
    labels: Integer[Array, "B"],
    config: BertConfig,
) -> tuple[Scalar, dict]:
    """Mean cross-entropy of the class of each text, in nats, and its gradient: what fine-tuning minimises.

    Parameters
    ----------
    params, ids, mask, segments, config
        As for `bert`, with ``pooler`` and ``classifier``.
    labels : (B,) integers
        The true classes; -100 leaves a text out.

    Returns
    -------
    loss : scalar
    grads : dict
        Nested like ``params``, less any head that took no part.

    Raises
    ------
    ValueError, TypeError
        As `bert` and `fmkit.losses.cross_entropy`; for labels of another shape than (B,).

    Examples
    --------
    >>> config = BertConfig(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params = init_bert(np.random.default_rng(0), config, n_classes=3)
    >>> ids, mask, segments = np.array([[1, 3, 2, 0]]), np.array([[1, 1, 1, 0]]), np.zeros((1, 4), int)
    >>> loss, grads = classification_loss(params, ids, mask, segments, np.array([2]), config)
    >>> print(f"{loss:.2f}, and log 3 is {np.log(3):.2f}")
    1.10, and log 3 is 1.10
    """
    expect("labels", labels, np.shape(ids)[:1], "(B,)")
    hidden, cache = bert(params, ids, mask, segments, config)
    demand("pooler" in params, "params", "the head of init_bert(..., n_classes=2)", "none")
    logits, head_cache = classification_head(hidden, params["pooler"], params["classifier"])
    loss, loss_cache = cross_entropy(logits, labels)

    dlogits = cross_entropy_backward(1.0, loss_cache)  # (B, K)
    dhidden, dpooler, dclassifier = classification_head_backward(dlogits, head_cache)
    grads = bert_backward(dhidden, cache)
    grads["pooler"], grads["classifier"] = dpooler, dclassifier
    return loss, grads
