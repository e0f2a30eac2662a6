"""Cross-entropy with a weight for each class, over the rows that count."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, v, ignore, size=2.0):
        targets = rng.integers(0, v, n)
        targets[:3] = v - 1, 1, ignore  # two classes and an ignored row, whatever the rest
        weights = rng.uniform(0.5, 3.0, v)
        return size * rng.normal(size=(n, v)), targets, weights, ignore

    logits, targets, weights, ignore = case(6, 4, -1)
    far = logits * 300 + np.array([1000.0, 0.0, -1000.0, 0.0, 500.0, 900.0])[:, None]
    far[0, targets[0]] -= 3000.0  # sure, and wrong
    plain, high = case(5, 3, -1), case(4, 6, -1)
    high[0][:2] += 1000.0
    return [plain, case(7, 5, 0), high, (far, targets, weights, ignore), as_float32(case(9, 4, 0))]


def class_weighted_ce(logits, targets, class_weights, ignore):
    keep = targets != ignore
    z, y = logits[keep], targets[keep]
    z = z - z.max(1, keepdims=True)
    losses = np.log(np.exp(z).sum(1)) - z[np.arange(len(y)), y]
    w = class_weights[y]
    return float((w * losses).sum() / w.sum())


def average(logits, targets, class_weights, ignore):
    keep = targets != ignore
    safe = np.where(keep, targets, 0)
    z = logits - logits.max(-1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(-1, keepdims=True))
    losses = -np.take_along_axis(logp, safe[:, None], -1)[:, 0]
    return np.average(losses, weights=class_weights[safe] * keep)


def loop(logits, targets, class_weights, ignore):
    total, weight = 0.0, 0.0
    for row, y in zip(logits.tolist(), targets.tolist(), strict=True):
        if y == ignore:
            continue
        top = max(row)
        lse = top + math.log(sum(math.exp(z - top) for z in row))
        total += float(class_weights[y]) * (lse - row[y])
        weight += float(class_weights[y])
    return total / weight


EXERCISE = Exercise(
    title="Class weights and ignored positions",
    points=3,
    minutes=15,
    difficulty=3,
    tolerance=1e-4,  # one Python number comes out of float32 inputs
    cases=cases,
    reference=class_weighted_ce,
    alternatives=(average, loop),
    mistakes=(
        mistake(
            "scored the ignored positions",
            "z, y = logits, targets",
            "An ignored label must not be looked up: as an index, -1 quietly means the last class.",
        ),
        mistake(
            "took every negative label for ignored, and no other",
            "keep = targets >= 0",
            "Which label means ignored is given by `ignore`: it may be 0, as the padding token's often is.",
        ),
        mistake(
            "divided by the number kept, not by their weights",
            "return float((w * losses).mean())",
            "A weighted mean: with all weights doubled the result should not change.",
        ),
        mistake(
            "divided by all the rows, the ignored ones too",
            "return float((w * losses).sum() / len(targets))",
            "A row that does not count must not thin out the mean of those that do.",
        ),
        mistake(
            "divided by the weights of all classes",
            "return float((w * losses).sum() / class_weights.sum())",
            "Sum the weights over the rows that are kept: a class that comes twice counts twice.",
        ),
        mistake(
            "the weight of the class that was guessed",
            "w = class_weights[z.argmax(1)]",
            "A row's weight belongs to its true class; the model has no say in it.",
        ),
        mistake(
            "multiplied the logits by the weights",
            "z, y = logits[keep] * class_weights, targets[keep]",
            "The weight scales how much a row's loss counts, not what the model says.",
        ),
        mistake(
            "left the weights out",
            "return float(losses.mean())",
            "class_weights does not appear in your result.",
        ),
        mistake(
            "log of a probability that was rounded to 0",
            "losses = -np.log(np.exp(z) / np.exp(z).sum(1, keepdims=True))[np.arange(len(y)), y]",
            "softmax can round to exactly 0: take log-sum-exp minus logit, and no log of a probability.",
        ),
        mistake(
            "an epsilon in the log",
            "losses = -np.log(np.exp(z) / np.exp(z).sum(1, keepdims=True) + 1e-12)[np.arange(len(y)), y]",
            "An epsilon is a ceiling: beyond it, being more wrong costs nothing.",
        ),
        mistake(
            "no shift: exp overflows",
            (
                "z = z - z.max(1, keepdims=True) -> p = np.exp(z) / np.exp(z).sum(1, keepdims=True)",
                "losses = -np.log(p[np.arange(len(y)), y])",
            ),
            "exp(1000) is too large for any float: take each row's largest logit off first.",
        ),
    ),
    hints=(
        "First drop the rows that do not count: keep = targets != ignore; logits[keep], targets[keep].",
        "-log p of the right class is the row's log-sum-exp minus the right logit.",
        "class_weights[targets] looks up a weight for each row; divide by the sum of just these.",
    ),
)
