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
        targets = rng.integers(0, v, (b, t))
        targets[ends.argmax(), -1] = v - 1
        targets[:, 0] = 0  # token 0 is real, too
        lengths = rng.permutation(np.arange(v) % 5 + 1)
        lengths[[0, -1]] = 3, 6
        return logits, targets * mask, mask, lengths  # padding is token 0

    one = np.ones((1, 1), dtype=int)
    example = (np.log([[[1 / 9, 8 / 9]]]), 0 * one, one, np.array([2, 1]))
    padded = (rng.normal(size=(1, 2, 2)), np.array([[1, 0]]), np.array([[1, 0]]), np.array([2, 3]))
    two = (rng.normal(size=(1, 2, 2)), np.array([[1, 0]]), np.array([[1, 1]]), np.array([1, 4]))
    huge = case(2, 5, 6)
    huge[0][:] += 1000.0
    huge[2][:] = 1
    # a target that the model held for all but impossible: its probability is 0 in floats, not its logarithm
    far = (np.array([[[1000.0, -800.0, -900.0], [5.0, 4.0, -3.0]]]), np.array([[1, 0]]))
    far = (*far, np.ones((1, 2), dtype=int), np.array([5, 400, 2]))
    cases = [example, padded, two, case(3, 7, 5), case(4, 5, 9, 3.0), case(1, 6, 4), huge, far]
    return [*cases, as_float32(case(3, 6, 8))]


def character_perplexity(logits, targets, mask, lengths):
    top = logits.max(-1, keepdims=True)
    logp = logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))
    nats = -np.take_along_axis(logp, targets[..., None], -1)[..., 0]  # (B, T)
    characters = lengths[targets]
    return np.exp((nats * mask).sum(dtype=logits.dtype) / float((characters * mask).sum()))


def loop(logits, targets, mask, lengths):
    nats, characters = 0.0, 0
    for b in range(targets.shape[0]):
        for t in range(targets.shape[1]):
            if mask[b, t]:
                z = logits[b, t]
                nats -= z[targets[b, t]] - z.max() - math.log(np.exp(z - z.max()).sum())
                characters += int(lengths[targets[b, t]])
    return logits.dtype.type(math.exp(nats / characters))


def by_picking(logits, targets, mask, lengths):
    kept = mask.astype(bool)
    z, right = logits[kept], targets[kept]  # (n, V), (n,)
    z = z - z.max(1, keepdims=True)
    logp = z[np.arange(len(right)), right] - np.log(np.exp(z).sum(1))
    return np.prod(np.exp(-logp / float(lengths[right].sum())), dtype=logits.dtype)


SOFTMAX = "np.exp(logits - top) / np.exp(logits - top).sum(-1, keepdims=True)"
LOGP = "logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))"
LOSS = "(nats * mask).sum(dtype=logits.dtype)"

EXERCISE = Exercise(
    title="Perplexity per character",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=character_perplexity,
    alternatives=(loop, by_picking),
    mistakes=(
        mistake(
            "per token",
            "lengths[targets] -> np.ones_like(targets)",
            "Divide by the number of characters that the tokens stand for, not of tokens.",
        ),
        mistake(
            "divided by the tokens, too",
            f"{LOSS} -> {LOSS} / mask.sum()",
            "Two sums are needed, of losses and of characters: nothing is averaged before you divide.",
        ),
        mistake(
            "multiplied by the characters",
            f"{LOSS} / float((characters * mask).sum()) -> "
            f"{LOSS} / mask.sum() * ((characters * mask).sum() / mask.sum())",
            "Perplexity per character: the loss is divided by the characters.",
        ),
        mistake(
            "divided by the mean length after the exponential",
            f"np.exp({LOSS} / float((characters * mask).sum())) -> "
            f"np.exp({LOSS} / mask.sum()) / ((characters * mask).sum() / mask.sum())",
            "Divide the loss by the characters first, and take the exponential of that.",
        ),
        mistake(
            "the exponential before the division",
            f"np.exp({LOSS} / float((characters * mask).sum())) -> "
            f"np.exp({LOSS}) / float((characters * mask).sum())",
            "Divide the loss by the characters first, and take the exponential of that.",
        ),
        mistake(
            "tokens of average length",
            "(characters * mask).sum() -> mask.sum() * lengths.mean()",
            "Count the characters of the targets that are there, not of an average token.",
        ),
        mistake(
            "the characters of the whole vocabulary",
            "(characters * mask).sum() -> lengths.sum()",
            "`lengths` has a number for each token of the vocabulary: look up those of the targets.",
        ),
        mistake(
            "the characters of the likeliest tokens",
            "lengths[targets] -> lengths[logits.argmax(-1)]",
            "The text holds the targets, not what the model would have said.",
        ),
        mistake(
            "padding counts",
            ("nats * mask -> nats", "characters * mask -> characters"),
            "Where the mask is 0 there is no text: neither its loss nor its length counts.",
        ),
        mistake(
            "padding counts in the loss only",
            "nats * mask -> nats",
            "The characters are masked; the losses that you add up are not.",
        ),
        mistake(
            "padding counts in the length only",
            "characters * mask -> characters",
            "The losses are masked; the characters that you divide by are not.",
        ),
        mistake(
            "padding's logits set to 0",
            (
                "top = logits.max -> logits = logits * mask[..., None]\ntop = logits.max",
                "nats * mask -> nats",
            ),
            "Logits of 0 still cost log V: leave the padded places out of the sum.",
        ),
        mistake(
            "token 0 taken for padding",
            "characters = lengths[targets] -> mask = targets != 0\ncharacters = lengths[targets]",
            "Token 0 may be a real target: what is padding, only the mask says.",
        ),
        mistake(
            "padding instead of the text",
            "characters = lengths[targets] -> mask = 1 - mask\ncharacters = lengths[targets]",
            "The mask is 1 for a real target, and 0 for padding.",
        ),
        mistake(
            "shifted once more",
            "top = logits.max -> logits, targets, mask = logits[:, :-1], targets[:, 1:], mask[:, 1:]\n"
            "top = logits.max",
            "The targets are shifted already: position t of one belongs to position t of the other.",
        ),
        mistake(
            "each row by itself, then the mean",
            f"np.exp({LOSS} / float((characters * mask).sum())) -> "
            "np.exp((nats * mask).sum(1) / (characters * mask).sum(1)).mean(dtype=logits.dtype)",
            "A short text should not weigh as much as a long one: add up over all rows, then divide once.",
        ),
        mistake(
            "the mean of the rows' losses",
            f"{LOSS} / float((characters * mask).sum()) -> "
            "((nats * mask).sum(1) / (characters * mask).sum(1)).mean(dtype=logits.dtype)",
            "A short text should not weigh as much as a long one: add up over all rows, then divide once.",
        ),
        mistake(
            "each token by itself, then the mean",
            f"{LOSS} / float((characters * mask).sum()) -> "
            "(nats / characters * mask).sum(dtype=logits.dtype) / float(mask.sum())",
            "Add up all losses and all lengths first, and divide only then: long tokens hold more text.",
        ),
        mistake(
            "the mean of the tokens' perplexities",
            f"np.exp({LOSS} / float((characters * mask).sum())) -> "
            "(np.exp(nats / characters) * mask).sum(dtype=logits.dtype) / float(mask.sum())",
            "Add up all losses and all lengths first, divide, and take the exponential at the very end.",
        ),
        mistake(
            "losses weighted with their lengths",
            "nats * mask -> nats * characters * mask",
            "Each real target's loss counts once; the characters only divide.",
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
            "a power of 10 of nats",
            "return np.exp( -> return 10 ** (",
            "The logarithm was the natural one, so the power is one of e, not of 10.",
        ),
        mistake(
            "a power of e of bits",
            f"{LOGP} -> ({LOGP}) / math.log(2)",
            "The power is one of e, so the logarithm is the natural one, not the one to base 2.",
        ),
        mistake(
            "the sign of the exponent",
            "return np.exp( -> return np.exp(-",
            "A perplexity is at least 1. Yours is one over it.",
        ),
        mistake(
            "the softmax is missing",
            f"{LOGP} -> logits",
            "A logit is no log-probability yet: take the log-softmax of each position first.",
        ),
        mistake(
            "the softmax over the positions",
            ("logits.max(-1, keepdims=True) -> logits.max(1, keepdims=True)",)
            + (".sum(-1, keepdims=True) -> .sum(1, keepdims=True)",),
            "At each position the probabilities of all tokens add up to 1: which axis is that?",
        ),
        mistake(
            "exp without taking the largest logit off",
            f"{LOGP} -> logits - np.log(np.exp(logits).sum(-1, keepdims=True))",
            "exp(1000) is infinite: subtract each row's largest.",
        ),
        mistake(
            "the logarithm of a softmax that has become 0",
            f"{LOGP} -> np.log({SOFTMAX})",
            "exp(-1000) is 0, and its logarithm -inf: subtract the logarithm of the sum instead.",
        ),
        *(
            mistake(
                f"{eps} added before the logarithm",
                f"{LOGP} -> np.log({SOFTMAX} + {eps})",
                "A small number added caps the loss of an unlikely target: use log-softmax instead.",
            )
            for eps in ("1e-7", "1e-8", "1e-9", "1e-10", "1e-12")
        ),
    ),
    allowed=("numpy", "fmkit.losses"),  # cross_entropy of chapter 3: what it leaves to do is the task
    equal=(("nats = -np.take_along_axis(logp, targets[..., None], -1)[..., -1]", "the axis has length 1"),),
    hints=(
        "You need two sums over the real tokens: of their losses, and of their lengths.",
        "np.take_along_axis(logp, targets[..., None], -1)[..., 0] picks each target's log-probability.",
        "lengths[targets] is (B, T); mask it, too.",
        "float32 divided by a NumPy integer gives float64: float(...) around the sum helps.",
    ),
)
