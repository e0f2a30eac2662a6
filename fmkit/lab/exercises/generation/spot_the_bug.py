"""Spot the bug: the loss of a generator, mended."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, t, v, spread=1.0):
        ends = rng.permutation(np.r_[t, 2, rng.integers(2, t, b)][:b])
        mask = (np.arange(t) < ends[:, None]).astype(np.int64)
        ids = rng.integers(1, v, (b, t)) * mask
        ids[ends.argmax(), t // 2] = 0  # the number that stands for padding is a token, too
        return spread * rng.normal(size=(b, t, v)), ids, mask

    huge = case(3, 4, 5)
    huge[0][:] += 1000.0
    return [case(4, 6, 5), case(2, 7, 9, 4.0), case(5, 3, 4), huge, as_float32(case(3, 5, 8))]


def next_token_loss(logits, ids, mask):
    logits, targets, counts = logits[:, :-1], ids[:, 1:], mask[:, 1:]
    top = logits.max(-1, keepdims=True)
    lse = np.log(np.exp(logits - top).sum(-1)) + top[..., 0]
    nats = lse - np.take_along_axis(logits, targets[..., None], -1)[..., 0]  # (B, T-1)
    return (nats * counts).sum(dtype=logits.dtype) / float(counts.sum())


def loop(logits, ids, mask):
    losses = []
    for row, tokens, real in zip(logits, ids, mask, strict=True):
        for t in range(1, len(tokens)):
            if real[t]:
                z = row[t - 1].astype(np.float64)
                losses.append(z.max() + math.log(np.exp(z - z.max()).sum()) - z[tokens[t]])
    return logits.dtype.type(sum(losses) / len(losses))


def by_picking(logits, ids, mask):
    b, t = np.nonzero(mask[:, 1:])
    z = logits[b, t]
    z = z - z.max(1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(1, keepdims=True))
    return -logp[np.arange(len(b)), ids[b, t + 1]].mean(dtype=logits.dtype)


EXERCISE = Exercise(
    title="Spot the bug: a generator's loss",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=next_token_loss,
    alternatives=(loop, by_picking),
    mistakes=(
        mistake(
            "the labels are the inputs, and padding is learned",
            "logits, targets, counts = logits, ids, np.ones_like(mask)",
            "That is the published loop: each position is asked for the token that it has just read.",
        ),
        mistake(
            "the labels are the inputs",
            "logits, targets, counts = logits, ids, mask",
            "Each position is asked for the token that it has just read. Shift!",
        ),
        mistake(
            "shifted, but padding is learned",
            "mask[:, 1:] -> np.ones_like(mask[:, 1:])",
            "A label that is padding teaches nothing: use the mask.",
        ),
        mistake(
            "shifted the wrong way",
            "logits, targets, counts = logits[:, 1:], ids[:, :-1], mask[:, :-1]",
            "Position t is to name the token at t + 1; yours names t - 1.",
        ),
        mistake(
            "the last position predicts the first token",
            "logits, targets, counts = logits, np.roll(ids, -1, 1), np.roll(mask, -1, 1)",
            "np.roll carries the first token to the end. The last position has no label at all.",
        ),
        mistake(
            "the mask of the position, not of its label",
            "mask[:, 1:] -> mask[:, :-1]",
            "What counts is whether the label is real: the last real position has padding as its label.",
        ),
        mistake(
            "token 0 taken for padding",
            "mask[:, 1:] -> ids[:, 1:] != 0",
            "Token 0 may be a real token: what is padding, only the mask says.",
        ),
        mistake(
            "divided by all positions",
            "return (nats * counts).mean(dtype=logits.dtype)",
            "Divide by the number of labels that count, not of all.",
        ),
        mistake(
            "each row by itself, then the mean",
            "return ((nats * counts).sum(1) / counts.sum(1)).mean(dtype=logits.dtype)",
            "One mean over all labels that count, not a mean of means.",
        ),
    ),
    hints=(
        "Which token is position t to name, and where in `ids` does it stand?",
        "logits[:, :-1] belongs to ids[:, 1:], and mask[:, 1:] says which of those are real.",
    ),
)
