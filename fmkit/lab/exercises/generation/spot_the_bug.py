"""Spot the bug: the loss of a generator, mended."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, t, v, spread=1.0):
        ends = rng.permutation(np.r_[t, 1, 2, rng.integers(2, t, b)][:b])  # a row of one token has no label
        mask = (np.arange(t) < ends[:, None]).astype(np.int64)
        ids = rng.integers(1, v, (b, t)) * mask
        ids[ends.argmax(), t // 2] = 0  # the number that stands for padding is a token, too
        return spread * rng.normal(size=(b, t, v)), ids, mask

    level = (np.zeros((1, 2, 3)), rng.integers(0, 3, (1, 2)), np.array([[1, 1]]))
    small = (rng.normal(size=(1, 3, 2)), np.array([[1, 0, 1]]), np.array([[1, 1, 0]]))
    other_padding = case(3, 5, 6)
    ids, mask = other_padding[1:]
    ids[mask == 0] = 3
    huge = case(3, 4, 5)
    huge[0][:] += 1000.0
    huge[2][:] = 1
    # a label that the model held for all but impossible: its probability is 0 in floats, not its logarithm
    far = np.array([[[1000.0, -800.0, -900.0], [1.0, 3.0, -2.0], [0.0, 0.0, 0.0]]])
    far = (far, np.array([[0, 1, 0]]), np.ones((1, 3), dtype=np.int64))
    cases = [level, small, case(4, 6, 5), case(2, 7, 9, 4.0), case(5, 3, 4), other_padding, huge, far]
    return [*cases, as_float32(case(3, 5, 8))]


def next_token_loss(logits, ids, mask):
    logits, targets, counts = logits[:, :-1], ids[:, 1:], mask[:, 1:]
    top = logits.max(-1, keepdims=True)
    logp = logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))
    nats = -np.take_along_axis(logp, targets[..., None], -1)[..., 0]  # (B, T-1)
    return (nats * counts).sum(dtype=logits.dtype) / float(counts.sum())


def loop(logits, ids, mask):
    losses = []
    for row, tokens, real in zip(logits, ids, mask, strict=True):
        for t in range(1, len(tokens)):
            if real[t]:
                z = row[t - 1]
                losses.append(z.max() + math.log(np.exp(z - z.max()).sum()) - z[tokens[t]])
    return logits.dtype.type(sum(losses) / len(losses))


def by_picking(logits, ids, mask):
    b, t = np.nonzero(mask[:, 1:])
    z = logits[b, t]
    z = z - z.max(1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(1, keepdims=True))
    return -logp[np.arange(len(b)), ids[b, t + 1]].mean(dtype=logits.dtype)


SHIFT = "logits, targets, counts = logits[:, :-1], ids[:, 1:], mask[:, 1:]"
SOFTMAX = "np.exp(logits - top) / np.exp(logits - top).sum(-1, keepdims=True)"
LOGP = "logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))"
MEAN = "(nats * counts).sum(dtype=logits.dtype) / float(counts.sum())"

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
            f"{SHIFT} -> logits, targets, counts = logits, ids, np.ones_like(mask)",
            "That is the published loop: each position is asked for the token that it has just read.",
        ),
        mistake(
            "the labels are the inputs",
            ("logits[:, :-1], ids[:, 1:], -> logits, ids,", "mask[:, 1:] -> mask"),
            "Each position is asked for the token that it has just read. Shift!",
        ),
        mistake(
            "shifted, but padding is learned",
            "top = logits.max -> counts = np.ones_like(counts)\ntop = logits.max",
            "A label that is padding teaches nothing: use the mask.",
        ),
        mistake(
            "shifted the wrong way",
            "logits[:, :-1], ids[:, 1:], mask[:, 1:] -> logits[:, 1:], ids[:, :-1], mask[:, :-1]",
            "Position t is to name the token at t + 1; yours names t - 1.",
        ),
        mistake(
            "shifted the wrong way, with the mask of the position",
            "logits[:, :-1], ids[:, 1:] -> logits[:, 1:], ids[:, :-1]",
            "Position t is to name the token at t + 1; yours names t - 1.",
        ),
        mistake(
            "shifted by two",
            "logits[:, :-1], ids[:, 1:], mask[:, 1:] -> logits[:, :-2], ids[:, 2:], mask[:, 2:]",
            "Position t is to name the very next token.",
        ),
        mistake(
            "the first label left out",
            "logits[:, :-1], ids[:, 1:], mask[:, 1:] -> logits[:, 1:-1], ids[:, 2:], mask[:, 2:]",
            "The first token is no label, the second one is: what does position 0 name?",
        ),
        mistake(
            "the last position predicts the first token",
            "logits[:, :-1], ids[:, 1:], mask[:, 1:] -> logits, np.roll(ids, -1, 1), np.roll(mask, -1, 1)",
            "np.roll carries the first token to the end. The last position has no label at all.",
        ),
        mistake(
            "a row's end predicts the next row's beginning",
            f"{SHIFT} -> ids, mask = ids.reshape(1, -1), mask.reshape(1, -1)\n"
            "logits = logits.reshape(1, -1, logits.shape[-1])\n"
            f"{SHIFT}",
            "Shift inside each row, before the rows are laid end to end.",
        ),
        mistake(
            "the mask of the position, not of its label",
            "mask[:, 1:] -> mask[:, :-1]",
            "What counts is whether the label is real: the last real position has padding as its label.",
        ),
        mistake(
            "token 0 taken for padding",
            "top = logits.max -> counts = targets != 0\ntop = logits.max",
            "Token 0 may be a real token: what is padding, only the mask says.",
        ),
        mistake(
            "padding's logits set to 0",
            "top = logits.max -> logits = logits * counts[..., None]\n"
            "counts = np.ones_like(counts)\n"
            "top = logits.max",
            "Logits of 0 still cost log V: leave the padded labels out of the sum.",
        ),
        mistake(
            "a mask of whole numbers used as an index",
            f"{MEAN} -> nats.ravel()[counts.ravel()].mean(dtype=logits.dtype)",
            "Whole numbers pick the places 0 and 1; a mask that filters holds True and False.",
        ),
        mistake(
            "only the last label of each row",
            "top = logits.max -> counts = counts * (np.cumsum(counts[:, ::-1], 1)[:, ::-1] == 1)\n"
            "top = logits.max",
            "A generator learns from every position, not only from the last one.",
        ),
        mistake(
            "divided by all positions",
            "float(counts.sum()) -> float(counts.size)",
            "Divide by the number of labels that count, not of all.",
        ),
        mistake(
            "the first tokens counted, too",
            "float(counts.sum()) -> float(mask.sum())",
            "The first token of a row is no label: divide by the number of labels that count.",
        ),
        mistake(
            "divided by all places",
            "float(counts.sum()) -> float(mask.size)",
            "Divide by the number of labels that count, not of all places.",
        ),
        mistake(
            "divided by the positions instead of their labels",
            "float(counts.sum()) -> float(mask[:, :-1].sum())",
            "What counts is whether the label is real: the mask is shifted like the labels.",
        ),
        mistake(
            "divided by the number of rows",
            "float(counts.sum()) -> len(counts)",
            "Divide by the number of labels that count, not of texts.",
        ),
        mistake(
            "the sum, not the mean",
            " / float(counts.sum()) ->",
            "A mean is asked for: divide by the number of labels that count.",
        ),
        mistake(
            "each row by itself, then the mean",
            f"return {MEAN} -> rows = counts.sum(1) > 0\n"
            "return ((nats * counts).sum(1)[rows] / counts.sum(1)[rows]).mean(dtype=logits.dtype)",
            "One mean over all labels that count, not a mean of means.",
        ),
        mistake(
            "the sign",
            "nats = -np -> nats = np",
            "A probability's logarithm is negative, a loss is not.",
        ),
        mistake(
            "the exponential of the loss",
            f"{MEAN} -> np.exp({MEAN})",
            "That is the perplexity; the loss is asked for.",
        ),
        mistake(
            "the probability, not its logarithm",
            f"return {MEAN} -> nats = 1 - np.exp(-nats)\nreturn {MEAN}",
            "Cross-entropy takes the logarithm of the probability: being sure and wrong costs much.",
        ),
        mistake(
            "the logarithm of the mean probability",
            f"return {MEAN} -> nats = np.exp(-nats)\nreturn -np.log({MEAN})",
            "Take the logarithm of each probability first, the mean then.",
        ),
        mistake(
            "the first row only",
            "top = logits.max -> counts = counts * (np.arange(len(counts)) == 0)[:, None]\ntop = logits.max",
            "One mean over the labels of all rows.",
        ),
        mistake(
            "bits instead of nats",
            f"{LOGP} -> ({LOGP}) / math.log(2)",
            "Cross-entropy is in nats: take the natural logarithm.",
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
                "A small number added caps the loss of an unlikely label: use log-softmax instead.",
            )
            for eps in ("1e-7", "1e-8", "1e-9", "1e-10", "1e-12")
        ),
    ),
    allowed=("numpy", "fmkit.losses"),  # cross_entropy of chapter 3: shift and mask are the task
    equal=(("nats = -np.take_along_axis(logp, targets[..., None], -1)[..., -1]", "the axis has length 1"),),
    hints=(
        "Which token is position t to name, and where in `ids` does it stand?",
        "logits[:, :-1] belongs to ids[:, 1:], and mask[:, 1:] says which of those are real.",
    ),
)
