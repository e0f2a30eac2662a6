"""Cross-entropy with a weight for each class, over the rows that count."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.exercises.losses._inputs import EPSILONS, far_rows, hopeless, sure_and_right
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def weights(v):
        return rng.uniform(0.5, 3.0, v)

    def case(n, v, ignore, size=2.0):
        targets = np.resize(rng.permutation(v), n)
        targets[:4] = v - 1, 1, ignore, 1  # a class that comes twice, and an ignored row, whatever the rest
        return size * rng.normal(size=(n, v)), targets, weights(v), ignore

    zeros = np.zeros((1, 4)), np.array([2]), weights(4), -1
    small = rng.normal(size=(3, 2)), np.array([1, 0, -1]), weights(2), -1
    padded = rng.normal(size=(2, 3)), np.array([2, 0]), weights(3), 0
    high = rng.normal(size=(2, 3)) + 1000.0, np.array([2, 0]), weights(3), -1
    low = rng.normal(size=(2, 3)) - 1000.0, np.array([0, 1]), weights(3), -1
    apart = far_rows(rng, 3, 2), np.array([0, 1, 1]), weights(2), -100
    sure = *hopeless(rng, 2, 3), weights(3), -1
    right = *sure_and_right(rng, 2, 3), weights(3), -1
    middle = rng.normal(size=(4, 3)), np.array([0, 1, 2, 2]), weights(3), 1
    surer = *hopeless(rng, 6, 4), weights(4), -100
    surer[1][3] = -100
    cases = [zeros, small, padded, high, low, apart, sure, right, middle]
    return [*cases, case(6, 4, -1), case(8, 5, 0), case(7, 3, -100), surer, as_float32(case(9, 4, 0))]


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


def an_epsilon_of(eps):
    return mistake(
        f"an epsilon of {eps} in the log",
        (
            "z = z - z.max(1, keepdims=True)\np = np.exp(z) / np.exp(z).sum(1, keepdims=True)",
            f"losses = -np.log(p[np.arange(len(y)), y] + {eps})",
        ),
        "An epsilon is a ceiling: beyond it, being more wrong costs nothing. From logits none is needed.",
    )


SAME_AXIS = (
    "z = z - z.max(-1, keepdims=True)",
    "losses = np.log(np.exp(z).sum(-1)) - z[np.arange(len(y)), y]",
    "z = logits - logits.max(1, keepdims=True)",
    "logp = z - np.log(np.exp(z).sum(1, keepdims=True))",
    "losses = -np.take_along_axis(logp, safe[:, None], 1)[:, 0]",
)

EXERCISE = Exercise(
    title="Class weights and ignored positions",
    points=3,
    minutes=15,
    difficulty=3,
    tolerance=1e-4,  # one Python number comes out of float32 inputs
    cases=cases,
    equal=(
        *((line, "of two axes 1 is the last") for line in SAME_AXIS),
        ("safe = np.where(keep, targets, 1)", "an ignored row has the weight 0"),
        ("safe = np.where(keep, targets, -1)", "an ignored row has the weight 0"),
        ("losses = -np.take_along_axis(logp, safe[:, None], -1)[:, -1]", "there is one column"),
    ),
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
            "took 0 and every negative label for ignored",
            "keep = targets > 0",
            "Which label means ignored is given by `ignore`: with -1, class 0 is one like the others.",
        ),
        mistake(
            "took -1 for ignored, whatever `ignore` says",
            "keep = targets != -1",
            "Which label means ignored is given by `ignore`: it may be 0, as the padding token's often is.",
        ),
        mistake(
            "took -100 for ignored, whatever `ignore` says",
            "keep = targets != -100",
            "Which label means ignored is given by `ignore`: it may be 0, as the padding token's often is.",
        ),
        mistake(
            "divided by the number kept, not by their weights",
            "/ w.sum() -> / len(w)",
            "A weighted mean: with all weights doubled the result should not change.",
        ),
        mistake(
            "divided by all the rows, the ignored ones too",
            "/ w.sum() -> / len(targets)",
            "A row that does not count must not thin out the mean of those that do.",
        ),
        mistake(
            "divided by the weights of all rows, the ignored ones too",
            "/ w.sum() -> / class_weights[targets].sum()",
            "Above the bar the ignored rows are left out; below it their weights must be left out as well.",
        ),
        mistake(
            "an ignored row's weight, that of class 0, counts below the bar",
            "/ w.sum() -> / class_weights[np.where(keep, targets, 0)].sum()",
            "Above the bar the ignored rows are left out; below it their weights must be left out as well.",
        ),
        mistake(
            "divided by the weights of all classes",
            "/ w.sum() -> / class_weights.sum()",
            "Sum the weights over the rows that are kept: a class that comes twice counts twice.",
        ),
        mistake(
            "not divided at all",
            "/ w.sum() ->",
            "A mean is wanted: what stands below the bar, when every row has a weight of its own?",
        ),
        mistake(
            "divided by the number of classes",
            "/ w.sum() -> / len(class_weights)",
            "A weighted mean is divided by the weights that went into it, row by row.",
        ),
        mistake(
            "scored the ignored rows as class 0",
            "z, y = logits, np.where(keep, targets, 0)",
            "An ignored row takes no part, above or below the bar; as class 0 it does.",
        ),
        mistake(
            "each class counts once, however many rows it has",
            "return float(\n    sum(class_weights[c] * losses[y == c].mean() for c in set(y)) "
            "/ sum(class_weights[c] for c in set(y))\n)",
            "Every kept row goes into one mean with its weight: a class with three rows counts three times.",
        ),
        mistake(
            "the weight of the class that was guessed",
            "w = class_weights[z.argmax(1)]",
            "A row's weight belongs to its true class; the model has no say in it.",
        ),
        mistake(
            "divided by the class weights instead of multiplying",
            "w = 1 / class_weights[y]",
            "A larger weight makes a row count more.",
        ),
        mistake(
            "the weight inside the logarithm",
            "return float((losses - np.log(w)).mean())",
            "The weight multiplies the row's loss, not its probability.",
        ),
        mistake(
            "multiplied the logits by the weights, too",
            "z, y = logits[keep] * class_weights, targets[keep]",
            "The weight scales how much a row's loss counts, not what the model says.",
        ),
        mistake(
            "the weights on the logits instead of the losses",
            ("z, y = logits[keep] * class_weights, targets[keep]", "w = np.ones(len(y))"),
            "The weight scales how much a row's loss counts, not what the model says.",
        ),
        mistake(
            "left the weights out",
            "w = np.ones(len(y))",
            "class_weights does not appear in your result.",
        ),
        mistake(
            "the log-probability without its minus",
            "float((w -> float(-(w",
            "A loss is to be made small, a log-probability large: what turns the one into the other?",
        ),
        mistake(
            "left the ignored class out of the softmax",
            "z, y = logits[keep], targets[keep]\nz = np.where(np.arange(z.shape[1]) == ignore, -np.inf, z)",
            "`ignore` says which rows do not count; every class stays in the softmax.",
        ),
        mistake(
            "softmax over the rows instead of the classes",
            ("z = z - z.max(0)", "losses = np.log(np.exp(z).sum(0))[y] - z[np.arange(len(y)), y]"),
            "Each row is one example: its probabilities must sum to 1 along the classes, axis 1.",
        ),
        mistake(
            "log of a probability that was rounded to 0",
            "losses = -np.log(np.exp(z) / np.exp(z).sum(1, keepdims=True))[np.arange(len(y)), y]",
            "softmax can round to exactly 0: take log-sum-exp minus logit, and no log of a probability.",
        ),
        mistake(
            "no shift: exp overflows",
            (
                "z = z - z.max(1, keepdims=True) -> p = np.exp(z) / np.exp(z).sum(1, keepdims=True)",
                "losses = -np.log(p[np.arange(len(y)), y])",
            ),
            "exp(1000) is too large for any float: take each row's largest logit off first.",
        ),
        mistake(
            "no shift in the log-sum-exp: exp overflows",
            "z = z - z.max(1, keepdims=True) ->",
            "exp(1000) is too large for any float: take each row's largest logit off first.",
        ),
        mistake(
            "one shift for all the rows",
            "z = z - z.max()",
            "Rows may be a thousand apart: each needs its own largest logit taken off.",
        ),
        mistake(
            "one shift for all the rows, and the log of a probability",
            (
                "z = z - z.max()\np = np.exp(z) / np.exp(z).sum(1, keepdims=True)",
                "losses = -np.log(p[np.arange(len(y)), y])",
            ),
            "Rows may be a thousand apart: each needs its own largest logit taken off.",
        ),
        mistake(
            "took off the row's mean, not its largest logit",
            "z = z - z.mean(1, keepdims=True)",
            "With the mean taken off, the largest can still be far above 0: what does exp make of 1000?",
        ),
        *map(an_epsilon_of, EPSILONS),
    ),
    hints=(
        "First drop the rows that do not count: keep = targets != ignore; logits[keep], targets[keep].",
        "-log p of the right class is the row's log-sum-exp minus the right logit.",
        "class_weights[targets] looks up a weight for each row; divide by the sum of just these.",
    ),
)
