"""Training a language model (chapter 07): batches out of a long text, and one step on a batch."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Integer

from fmkit._moved import names_of
from fmkit._shapes import expect, integers
from fmkit._types import Array, Scalar
from fmkit._values import generator, number, whole
from fmkit.optimizers import adamw, apply, clip_grad_norm
from fmkit.transformer import Config, gpt_loss

__getattr__ = names_of(__name__)  # old import lines


def batches(
    tokens: Integer[Array, "N"], batch_size: int, block_size: int, rng: np.random.Generator
) -> Iterator[tuple[Integer[Array, "B T"], Integer[Array, "B T"]]]:
    """Random windows of a long text, for ever: pairs (ids, targets), the targets one token later.

    Raises
    ------
    ValueError
        If the text is shorter than one window and its targets, a size is below 1, or a token below 0.
    TypeError
        If the text is not an array of integers.

    Examples
    --------
    >>> ids, targets = next(batches(np.arange(100), 2, 4, np.random.default_rng(0)))
    >>> print(ids, targets, sep="\\n")
    [[81 82 83 84]
     [61 62 63 64]]
    [[82 83 84 85]
     [62 63 64 65]]
    """
    generator(rng)
    expect("tokens", tokens, (None,), "(N,)")
    integers("tokens", tokens)
    if len(tokens) and tokens.min() < 0:
        raise ValueError(f"tokens: expected 0 or more, got {tokens.min()} among them")
    batch_size, block_size = whole("batch_size", batch_size, 1), whole("block_size", block_size, 1)
    if len(tokens) < block_size + 1:
        raise ValueError(f"{len(tokens)} tokens are too few for windows of {block_size} + 1")
    while True:
        starts = rng.integers(0, len(tokens) - block_size, size=batch_size)
        windows = tokens[starts[:, None] + np.arange(block_size + 1)]  # (B, T+1)
        yield windows[:, :-1], windows[:, 1:]


def train_step(
    params: dict,
    state: dict | None,
    ids: Integer[Array, "B T"],
    targets: Integer[Array, "B T"],
    config: Config,
    lr: float = 1e-3,
    max_norm: float = 1.0,
) -> tuple[dict, dict, Scalar]:
    """Forward, backward, clip, AdamW: one step of training a GPT.

    Parameters
    ----------
    params, config
        The model; see `fmkit.transformer`.
    state : dict or None
        What the previous step returned; None before the first one.
    ids, targets : (B, T) integers
        From `batches`.
    lr : float
        Learning rate of this step (the peak times the schedule's multiplier).
    max_norm : float
        The gradient's largest norm; a longer one is scaled down.

    Returns
    -------
    params, state
        New ones; the old ones are left alone.
    loss : scalar
        Before the step, in nats per token.

    Raises
    ------
    ValueError, TypeError
        As `fmkit.transformer.gpt_loss`, `fmkit.optimizers.clip_grad_norm` and `fmkit.optimizers.adamw`.

    Examples
    --------
    >>> from fmkit.transformer import init_gpt
    >>> config = Config(vocab_size=7, block_size=4, n_layers=1, n_heads=2, d_model=8, d_ff=16)
    >>> params, state = init_gpt(np.random.default_rng(0), config), None
    >>> ids, targets = np.array([[0, 1, 2, 3]]), np.array([[1, 2, 3, 4]])
    >>> for step in range(101):
    ...     params, state, loss = train_step(params, state, ids, targets, config, lr=0.003)
    ...     if step % 50 == 0:
    ...         print(f"{loss:.1f}")
    2.0
    0.8
    0.2
    """
    lr = number("lr", lr, 0)
    loss, grads = gpt_loss(params, ids, targets, config)
    grads, _ = clip_grad_norm(grads, max_norm)
    params, state = apply(adamw, params, grads, state, lr=lr)
    return params, state, loss
