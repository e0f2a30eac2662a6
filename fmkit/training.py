"""Training a language model (chapter 07): batches out of a long text, and one step on a batch."""

import ctypes
import runpy
import sys
from collections.abc import Iterator

import numpy as np
from jaxtyping import Integer

from fmkit._types import Array, Scalar
from fmkit.optimizers import adamw, apply, clip_grad_norm
from fmkit.transformer import Config, gpt_loss


def batches(
    tokens: Integer[Array, "N"], batch_size: int, block_size: int, rng: np.random.Generator
) -> Iterator[tuple[Integer[Array, "B T"], Integer[Array, "B T"]]]:
    """Random windows of a long text, for ever: pairs (ids, targets), the targets one token later.

    Raises
    ------
    ValueError
        If the text is shorter than one window and its targets.
    """
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
    """
    loss, grads = gpt_loss(params, ids, targets, config)
    grads, _ = clip_grad_norm(grads, max_norm)
    params, state = apply(adamw, params, grads, state, lr=lr)
    return params, state, loss


def keep_memory() -> bool:
    """Ask the C library to keep freed memory for the next step, for this process; True if it agreed.

    A training step frees some dozen megabytes, and the next step asks for them again. By default glibc hands
    them back to the operating system in between, which has to zero them anew, page by page: up to half of the
    time of a small model's step. Results do not change. Without glibc (macOS, Windows) nothing happens.
    """
    M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # from malloc.h
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    size = 32 * 2**20  # bytes: the largest that every glibc accepts
    return bool(mallopt(M_MMAP_THRESHOLD, size)) and bool(mallopt(M_TRIM_THRESHOLD, 16 * size))


if __name__ == "__main__":  # `torchrun -m fmkit.training ...` is the command `fmkit pretrain` in each process
    sys.argv[:1] = ["fmkit", "pretrain"]
    runpy.run_module("fmkit", run_name="__main__")
