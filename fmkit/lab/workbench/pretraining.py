"""Chapter 07's workbench: one small transformer for both objectives, and a loop that trains it.

The model is a stack of chapter 06's blocks. It sees one side (causal: next token) or both sides (masked
tokens), and its positions are learned or rotary, so that the chapter can change one thing at a time.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from fmkit.attention import causal_mask, rope_tables
from fmkit.layers import (
    embedding,
    embedding_backward,
    layernorm,
    layernorm_backward,
    linear,
    linear_backward,
)
from fmkit.losses import cross_entropy, cross_entropy_backward
from fmkit.optimizers import adamw, clip_grad_norm, muon, warmup_constant_decay
from fmkit.params import flatten, unflatten
from fmkit.training import batches
from fmkit.transformer import Config, block, block_backward, init_gpt


def init(
    seed: int,
    vocab_size: int,
    d_model: int = 64,
    n_layers: int = 2,
    n_heads: int = 4,
    block_size: int = 32,
    rotary: bool = True,
) -> dict:
    """Parameters of a new model: those of a GPT, without the table of positions where these are rotary."""
    config = Config(vocab_size, block_size, n_layers, n_heads, d_model, 4 * d_model)
    params = init_gpt(np.random.default_rng(seed), config)
    if rotary:
        del params["wpe"]
    return params


# ------------------------------------------------------------------------------------------------------ model


def model(params: dict, ids: np.ndarray, causal: bool, n_heads: int = 4) -> tuple[np.ndarray, Any]:
    """Scores (B, T, V) of the token at each place (or, causal, of the token after it), and the cache."""
    T, C = ids.shape[1], params["wte"].shape[1]
    mask = causal_mask(T) if causal else None
    rope = None if "wpe" in params else rope_tables(np.arange(T), C // n_heads)
    x, wte = embedding(ids, params["wte"])  # (B, T, C)
    if rope is None:
        x = x + params["wpe"][:T]
    blocks = []
    for p in params["blocks"]:
        x, cache = block(x, p, n_heads, mask, rope)
        blocks.append(cache)
    x, lnf = layernorm(x, **params["lnf"])
    logits, head = linear(x, params["wte"].T, None)  # (B, T, V)
    return logits, (wte, blocks, lnf, head, params.get("wpe"))


def model_backward(dlogits: np.ndarray, cache: Any) -> dict:
    """Gradient of `model` in all parameters."""
    wte, blocks, lnf, head, wpe = cache
    dx, dhead, _ = linear_backward(dlogits, head)
    dx, dw, db = layernorm_backward(dx, lnf)
    grads = {"lnf": {"w": dw, "b": db}, "blocks": []}
    for cache in reversed(blocks):
        dx, dblock = block_backward(dx, cache)
        grads["blocks"].insert(0, dblock)
    if wpe is not None:
        grads["wpe"] = np.zeros_like(wpe)
        grads["wpe"][: dx.shape[1]] = dx.sum(0)
    grads["wte"] = embedding_backward(dx, wte) + dhead.T  # used twice: at the bottom and at the top
    return grads


def library_loss(logits: np.ndarray, targets: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean cross-entropy in nats where the target is not -100, and its gradient in the logits."""
    value, cache = cross_entropy(logits, targets)
    return float(value), cross_entropy_backward(1.0, cache)


def loss_and_grads(
    params: dict,
    ids: np.ndarray,
    targets: np.ndarray,
    causal: bool,
    n_heads: int = 4,
    loss: Callable = library_loss,
) -> tuple[float, dict]:
    """The mean loss in nats where the target is not -100, and its gradient in all parameters."""
    logits, cache = model(params, ids, causal, n_heads)
    value, dlogits = loss(logits, targets)
    return value, model_backward(dlogits, cache)


# --------------------------------------------------------------------------------------------------- training


def adamw_step(params: dict, grads: dict, state: dict, lr: float) -> tuple[dict, dict]:
    """AdamW for everything; names and arrays as `fmkit.params.flatten` gives them."""
    return _step(params, grads, state, lr, lambda name, w: False)


def muon_step(params: dict, grads: dict, state: dict, lr: float) -> tuple[dict, dict]:
    """Muon at 0.02 for the matrices of the blocks, AdamW at 0.005 for the rest; ``lr`` multiplies both."""
    return _step(params, grads, state, lr, lambda name, w: "blocks" in name and w.ndim == 2)


def _step(params, grads, state, lr, is_muons):
    new, memory = {}, {}
    for name, w in params.items():
        if is_muons(name, w):
            new[name], memory[name] = muon(w, grads[name], state.get(name), lr=0.02 * lr)
        else:
            new[name], memory[name] = adamw(w, grads[name], state.get(name), lr=0.005 * lr)
    return new, memory


def train(
    params: dict,
    batches: Iterable,
    steps: int,
    causal: bool,
    step: Callable = muon_step,
    lr: float = 1.0,
    n_heads: int = 4,
    watch: Callable | None = None,
    loss: Callable = library_loss,
) -> tuple[dict, list, list]:
    """Train on the first ``steps`` batches: 20 steps of warm-up, the last two thirds falling to zero.

    Parameters
    ----------
    params : dict
    batches : iterable of (ids, targets)
    steps : int
    causal : bool
    step : callable
        `muon_step` or `adamw_step`.
    lr : float
        Multiplies the rates of ``step``.
    n_heads : int
    watch : callable, optional
        ``watch(params)``, called ten times at equal intervals, the last time after the last step.
    loss : callable
        ``loss(logits, targets)`` gives the loss and its gradient in the logits.

    Returns
    -------
    params : dict
    losses : list
        The loss of every batch.
    watched : list
        What ``watch`` returned.
    """
    flat, state, losses, watched = flatten(params), {}, [], []
    for i, (ids, targets) in zip(range(steps), batches, strict=False):
        value, grads = loss_and_grads(params, ids, targets, causal, n_heads, loss)
        grads, _ = clip_grad_norm(grads, 1.0)
        rate = lr * warmup_constant_decay(i, 20, 2 * steps // 3, steps)
        flat, state = step(flat, flatten(grads), state, rate)
        params = unflatten(flat)
        losses.append(value)
        if watch and (i + 1) % (steps // 10) == 0:
            watched.append(watch(params))
    return params, losses, watched


# -------------------------------------------------------------------------------------------------- two tasks


def hide(
    ids: np.ndarray, rng: np.random.Generator, mask_id: int, rate: float
) -> tuple[np.ndarray, np.ndarray]:
    """Hide a share of the tokens, four fifths of them behind ``mask_id``; returns (inputs, targets)."""
    chosen, fate = rng.random(ids.shape) < rate, rng.random(ids.shape)
    random_ids = rng.integers(0, mask_id, ids.shape)
    inputs = np.where(chosen & (fate < 0.8), mask_id, ids)
    inputs = np.where(chosen & (fate >= 0.8) & (fate < 0.9), random_ids, inputs)
    return inputs, np.where(chosen, ids, -100)


def hidden_batches(
    ids: np.ndarray,
    vocab_size: int,
    rng: np.random.Generator,
    rate: float = 0.15,
    size: int = 16,
    T: int = 32,
):
    """Random windows with some of their tokens hidden, for ever; the id of [MASK] is ``vocab_size``."""
    for window, _ in batches(ids, size, T, rng):
        yield hide(window, rng, vocab_size, rate)


def hidden_right(params: dict, inputs: np.ndarray, targets: np.ndarray) -> float:
    """The share of hidden tokens that the model predicts correctly."""
    logits, _ = model(params, inputs, causal=False)
    hidden = targets != -100
    return float((logits[..., :-1].argmax(-1)[hidden] == targets[hidden]).mean())  # [MASK] is not an answer


def line_pairs(text: str, length: int = 24) -> list[tuple[str, str]]:
    """Lines of one speech and the lines after them: the end of the one, the beginning of the other.

    Only lines of at least ``length`` characters are taken, so that no pair needs padding.
    """
    pairs = []
    for speech in text.split("\n\n"):
        lines = speech.split("\n")[1:]  # the first one names the speaker
        for a, b in zip(lines[:-1], lines[1:], strict=True):
            if min(len(a), len(b)) >= length:
                pairs.append((a[-length:], b[:length]))
    return pairs


def pair_batch(
    pairs: np.ndarray, vocab_size: int, rng: np.random.Generator, size: int, label: Callable | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """A batch of [CLS] a [SEP] b, half of the b drawn at random: does b follow a?

    The target is the token at the place of [CLS], "no" or "yes": so the loss of a masked language model
    fits, with a single hidden place.

    Parameters
    ----------
    pairs : (N, 2, S) integers
    vocab_size : int
        The ids from here on are [CLS], [SEP], no, yes.
    rng, size
        Of the batch.
    label : callable, optional
        ``label(a, b)`` gives 0 or 1 for each row: another question, to see that the model can learn one.
    """
    rows, others = rng.integers(0, len(pairs), (2, size))
    follows = rng.integers(0, 2, size)
    a, b = pairs[rows, 0], np.where(follows[:, None] == 1, pairs[rows, 1], pairs[others, 1])
    answer = follows if label is None else label(a, b)
    cls, sep, no, _ = range(vocab_size, vocab_size + 4)
    inputs = np.c_[np.full(size, cls), a, np.full(size, sep), b]
    targets = np.full_like(inputs, -100)
    targets[:, 0] = no + answer
    return inputs, targets


def pair_batches(
    pairs: np.ndarray,
    vocab_size: int,
    rng: np.random.Generator,
    size: int = 16,
    label: Callable | None = None,
):
    """Batches of `pair_batch`, for ever."""
    while True:
        yield pair_batch(pairs, vocab_size, rng, size, label)


def answers_right(params: dict, inputs: np.ndarray, targets: np.ndarray) -> float:
    """The share of the pairs of a `pair_batch` that the model answers correctly."""
    logits, _ = model(params, inputs, causal=False)
    return float((logits[:, 0, -2:].argmax(-1) == targets[:, 0] - (logits.shape[-1] - 2)).mean())
