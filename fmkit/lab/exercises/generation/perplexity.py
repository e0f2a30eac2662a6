"""Perplexity per character, over the real targets of a batch."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, t, v, spread=1.0):
        ends = np.r_[t, rng.integers(1, t, b - 1)]
        mask = (np.arange(t) < rng.permutation(ends)[:, None]).astype(np.int64)
        logits = spread * rng.normal(size=(b, t, v))
        targets = rng.integers(0, v, (b, t)) * mask  # padding is token 0
        lengths = rng.permutation(np.arange(v) % 5 + 1)
        return logits, targets, mask, lengths

    huge = case(2, 5, 6)
    huge[0][:] += 1000.0
    return [case(3, 7, 5), case(4, 5, 9, 3.0), case(1, 6, 4), huge, as_float32(case(3, 6, 8))]


def character_perplexity(logits, targets, mask, lengths):
    top = logits.max(-1, keepdims=True)
    lse = np.log(np.exp(logits - top).sum(-1, keepdims=True)) + top  # (B, T, 1)
    nats = (lse - np.take_along_axis(logits, targets[..., None], -1))[..., 0]  # (B, T)
    characters = lengths[targets]
    return np.exp((nats * mask).sum(dtype=logits.dtype) / float((characters * mask).sum()))


def loop(logits, targets, mask, lengths):
    nats, characters = 0.0, 0
    for b in range(targets.shape[0]):
        for t in range(targets.shape[1]):
            if mask[b, t]:
                z = logits[b, t].astype(np.float64)
                nats -= z[targets[b, t]] - z.max() - math.log(np.exp(z - z.max()).sum())
                characters += int(lengths[targets[b, t]])
    return logits.dtype.type(math.exp(nats / characters))


def product(logits, targets, mask, lengths):
    kept = mask.astype(bool)
    z, right = logits[kept], targets[kept]  # (n, V), (n,)
    p = np.exp(z - z.max(1, keepdims=True))
    p = p[np.arange(len(right)), right] / p.sum(1)
    return np.prod(p ** (-1 / float(lengths[right].sum())), dtype=logits.dtype)


EXERCISE = Exercise(
    title="Perplexity per character",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=character_perplexity,
    alternatives=(loop, product),
    mistakes=(
        mistake(
            "per token",
            "characters = np.ones_like(targets)",
            "Divide by the number of characters that the tokens stand for, not of tokens.",
        ),
        mistake(
            "padding counts",
            ("nats * mask -> nats", "characters * mask -> characters"),
            "Where the mask is 0 there is no text: neither its loss nor its length counts.",
        ),
        mistake(
            "padding counts in the length only",
            "characters * mask -> characters",
            "The losses are masked; the characters that you divide by are not.",
        ),
        mistake(
            "each row by itself, then the mean",
            "return np.exp((nats * mask).sum(1) / (characters * mask).sum(1)).mean(dtype=logits.dtype)",
            "A short text should not weigh as much as a long one: add up over all rows, then divide once.",
        ),
        mistake(
            "each token by itself, then the mean",
            "return np.exp((nats / characters * mask).sum() / mask.sum()).astype(logits.dtype)",
            "Add up all losses and all lengths first, and divide only then: long tokens hold more text.",
        ),
        mistake(
            "the exponential left out",
            "return np.exp( -> return (",
            "That is the loss in nats per character. Perplexity is its exponential.",
        ),
        mistake(
            "a power of 2 of nats",
            "return np.exp( -> return 2 ** (",
            "The logarithm was the natural one, so the power is one of e, not of 2.",
        ),
        mistake(
            "the sign of the exponent",
            "return np.exp( -> return np.exp(-",
            "A perplexity is at least 1. Yours is one over it.",
        ),
        mistake(
            "exp without taking the largest logit off",
            "lse = np.log(np.exp(logits).sum(-1, keepdims=True))",
            "exp(1000) is infinite: subtract each row's largest.",
        ),
    ),
    hints=(
        "You need two sums over the real tokens: of their losses, and of their lengths.",
        "np.take_along_axis(logp, targets[..., None], -1)[..., 0] picks each target's log-probability.",
        "lengths[targets] is (B, T); mask it, too.",
        "float32 divided by a NumPy integer gives float64: float(...) around the sum helps.",
    ),
)
