"""Spot the bug: one epoch of logistic regression, batch after batch, in which nothing is learnt."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, c, batch_size, lr, size=1.0):
        x, w = size * rng.normal(size=(n, c)), rng.normal(size=c)
        return w, float(rng.normal()), x, (rng.random(n) < 0.6).astype(float), batch_size, lr

    def by_hand(w, b, x, y, batch_size, lr):
        return np.array(w, np.float64), b, np.array(x, np.float64), np.array(y, np.float64), batch_size, lr

    huge = case(9, 3, 4, 0.2, size=300.0)
    huge[3][:] = (huge[2] @ huge[0] + huge[1] < 0) * 1.0  # all wrong, and sure of it
    return [
        by_hand([1], -0.5, [[1], [-2], [0.5]], [0, 1, 1], 2, 0.5),
        by_hand([-1], 0.25, [[2], [1], [-1], [3]], [1, 0, 0, 1], 2, 0.25),  # no smaller batch
        by_hand([0.5, -1], 1.0, [[1, 2], [-1, 0]], [1, 0], 1, 0.5),  # row by row
        by_hand([1], 0.0, [[1e4], [-1e4], [2]], [0, 1, 0], 2, 5e-5),  # sure, and wrong
        by_hand([-1], 0.5, [[1e4], [-2e4], [3]], [0, 1, 0], 3, 0.5),  # sure, and right
        case(11, 4, 4, 0.5),
        case(7, 3, 5, 0.1),
        case(12, 3, 4, 0.3),
        huge,
        case(6, 2, 8, 1.0),
        as_float32(case(13, 5, 3, 0.3)),
    ]


def train_epoch(w, b, x, y, batch_size, lr):
    total = 0.0
    for i in range(0, len(x), batch_size):
        rows, labels = x[i : i + batch_size], y[i : i + batch_size]
        z = rows @ w + b
        p = 0.5 * (1 + np.tanh(0.5 * z))  # sigmoid(z)
        total += float(np.sum(np.logaddexp(0, z) - labels * z))  # before the step
        dz = (p - labels) / len(rows)  # of the batch's mean loss
        w = w - lr * (rows.T @ dz)
        b = b - lr * float(dz.sum())
    return w, b, total / len(x)


def one_more_column(w, b, x, y, batch_size, lr):
    wide = np.concatenate([x, np.ones_like(x[:, :1])], axis=1)
    knobs = np.append(w, w.dtype.type(b))
    losses = []
    for rows, labels in batches(wide, y, batch_size):
        z = rows @ knobs
        signed = np.where(labels == 1, z, -z)
        losses.extend(np.maximum(-signed, 0) + np.log1p(np.exp(-np.abs(signed))))
        wrong = np.exp(-np.logaddexp(0, signed))  # 1 - P(right)
        push = np.where(labels == 1, wrong, -wrong)
        knobs = knobs + lr / len(rows) * (push @ rows)
    return knobs[:-1], float(knobs[-1]), float(np.mean(losses))


def batches(x, y, batch_size):
    ends = range(batch_size, len(x), batch_size)
    return zip(np.split(x, ends), np.split(y, ends), strict=True)


def loop(w, b, x, y, batch_size, lr):
    dtype, w, losses = w.dtype, list(map(float, w)), []
    for begin in range(0, len(x), batch_size):
        batch = range(begin, min(begin + batch_size, len(x)))
        dw, db = [0.0] * len(w), 0.0
        for i in batch:
            z = b + sum(k * v for k, v in zip(w, x[i], strict=True))
            p = 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))
            losses.append(max(z, 0.0) - z * y[i] + math.log1p(math.exp(-abs(z))))
            dw = [d + (p - y[i]) * v / len(batch) for d, v in zip(dw, x[i], strict=True)]
            db += (p - y[i]) / len(batch)
        w = [k - lr * d for k, d in zip(w, dw, strict=True)]
        b -= lr * db
    return np.array(w, dtype), float(b), float(sum(losses) / len(losses))


EXERCISE = Exercise(
    title="Spot the bug: an epoch in which nothing is learnt",
    points=3,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=train_epoch,
    alternatives=(one_more_column, loop),
    mistakes=(
        mistake(
            "nothing is learnt",
            "dz = np.zeros_like(z)",
            "The weights come back as they went in: where does the loss become a plain number, and what can "
            "the slope of a plain number be?",
        ),
        mistake(
            "nothing is learnt, as published",
            ("dz = np.zeros_like(z)", "np.sum -> np.mean", "/ len(x) -> / math.ceil(len(x) / batch_size)"),
            "The weights come back as they went in; and the mean of the batches' means is not the mean over "
            "the rows.",
        ),
        mistake(
            "the mean of the batches' means",
            ("np.sum -> np.mean", "/ len(x) -> / math.ceil(len(x) / batch_size)"),
            "The last batch is smaller: each row should count the same.",
        ),
        mistake(
            "the losses of the batches weighted by batch_size",
            "np.sum -> batch_size * np.mean",
            "The last batch is smaller: its mean stands for fewer rows.",
        ),
        mistake(
            "the sum of the losses divided by batch_size",
            "/ len(x) -> / batch_size",
            "The mean over all N rows is wanted.",
        ),
        mistake(
            "the last small batch left out",
            "for i in range(0, len(x) - batch_size + 1, batch_size):",
            "The rows after the last full batch want to be learnt as well.",
        ),
        mistake(
            "the last small batch left out and not counted",
            "total = 0.0 -> total = 0.0\nx = x[: len(x) - len(x) % batch_size]",
            "The rows after the last full batch want to be learnt as well.",
        ),
        mistake(
            "the first batch only",
            "b = b - lr * float(dz.sum()) -> b = b - lr * float(dz.sum())\nreturn w, b, total / len(x)",
            "The return stands inside the loop: the others are never seen.",
        ),
        mistake(
            "every batch from the first weights",
            ("total = 0.0 -> total, start, offset = 0.0, w, b", "rows @ w + b -> rows @ start + offset"),
            "The next batch starts from the weights that the last one left.",
        ),
        mistake(
            "gradients pile up from batch to batch",
            (
                "total = 0.0 -> total, dw, db = 0.0, 0.0, 0.0",
                "w = w - lr * (rows.T @ dz) -> dw += rows.T @ dz\nw = w - lr * dw",
                "b = b - lr * float(dz.sum()) -> db += float(dz.sum())\nb = b - lr * db",
            ),
            "Each batch begins with a new gradient.",
        ),
        mistake(
            "the sum over the batch, not its mean",
            "dz = p - labels",
            "The step must not grow with the size of the batch.",
        ),
        mistake(
            "the last batch divided by batch_size",
            "dz = (p - labels) / batch_size",
            "The last batch is smaller: how many rows has it?",
        ),
        mistake(
            "divided by all rows, not by those of the batch",
            "dz = (p - labels) / len(x)",
            "Each step is one on the mean loss of its batch.",
        ),
        mistake(
            "b's gradient added up, w's averaged",
            "float(dz.sum()) -> float((p - labels).sum())",
            "b, too, takes a step on the batch's mean loss.",
        ),
        mistake(
            "w's gradient added up, b's averaged",
            "rows.T @ dz -> rows.T @ (p - labels)",
            "w, too, takes a step on the batch's mean loss.",
        ),
        mistake(
            "b's slope taken with the new w",
            "b = b - lr * float(dz.sum()) -> "
            "dz = (0.5 * (1 + np.tanh(0.5 * (rows @ w + b))) - labels) / len(rows)\n"
            "b = b - lr * float(dz.sum())",
            "One step moves w and b at once: both slopes are those before it.",
        ),
        mistake(
            "the sigmoid forgotten in the slope",
            "dz = (z - labels) / len(rows)",
            "The slope is the probability minus the label, not the logit minus the label.",
        ),
        mistake(
            "the label forgotten in the slope",
            "dz = p / len(rows)",
            "The loss has two terms with z in them: - y z gives - y.",
        ),
        mistake(
            "one step for the whole epoch",
            "total = 0.0 -> total = 0.0\nbatch_size = len(x)",
            "One step for each batch: the next one starts from the new weights.",
        ),
        mistake(
            "the loss after the step",
            (
                "total += float(np.sum(np.logaddexp(0, z) - labels * z)) ->",
                "b = b - lr * float(dz.sum())\n"
                "z = rows @ w + b\n"
                "total += float(np.sum(np.logaddexp(0, z) - labels * z))",
            ),
            "The loss that is reported was measured before the step.",
        ),
        mistake(
            "the loss of the last weights, on all rows",
            "return w, b, float(np.mean(np.logaddexp(0, x @ w + b) - y * (x @ w + b)))",
            "Each row's loss was measured before its batch's step, with the weights of that moment.",
        ),
        mistake(
            "the last batch's loss",
            ("total += float(np.sum( -> total = float(np.mean(", "/ len(x) ->"),
            "The mean over all rows of the epoch is wanted.",
        ),
        mistake("the sum of the losses", "/ len(x) ->", "The mean over all rows is wanted."),
        mistake(
            "the bias never moves",
            "b = b - lr * float(dz.sum()) ->",
            "b has a slope, too: the sum of dz.",
        ),
        mistake(
            "walks uphill",
            ("w = w + lr * (rows.T @ dz)", "b = b + lr * float(dz.sum())"),
            "The gradient points uphill: take it off.",
        ),
        mistake(
            "float64 out of float32",
            "return w, -> return w.astype(np.float64),",
            "A list of Python numbers becomes a float64 array, and so does np.append(w, b): give w's dtype.",
        ),
        mistake(
            "overwrites the weights it was given",
            "w -= lr * (rows.T @ dz)",
            "w -= ... changes the caller's array: write w = w - ...",
        ),
        mistake(
            "logits taken for probabilities",
            (
                "p = np.clip(z, 1e-7, 1 - 1e-7)",
                "total -= float(np.sum(labels * np.log(p) + (1 - labels) * np.log(1 - p)))",
                "dz = np.where(p == z, (p - labels) / (p * (1 - p)), 0) / len(rows)",
            ),
            "z is a logit, any number: the sigmoid makes a probability of it.",
        ),
        mistake(
            "the logarithm of a rounded probability",
            "total -= float(np.sum(labels * np.log(p) + (1 - labels) * np.log(1 - p)))",
            "For a large z the probability rounds to 0 or 1, and its logarithm is infinite (and 0 times it "
            "NaN): np.logaddexp(0, z) is safe.",
        ),
        mistake(
            "the loss of clipped probabilities",
            "total -= float(\n"
            "    np.sum(\n"
            "        labels * np.log(np.clip(p, 1e-7, 1 - 1e-7))\n"
            "        + (1 - labels) * np.log(1 - np.clip(p, 1e-7, 1 - 1e-7))\n"
            "    )\n"
            ")",
            "A logit of 10,000 on the wrong side costs 10,000. np.logaddexp(0, z) needs no clipping.",
        ),
        mistake(
            "logits clipped",
            "z = np.clip(rows @ w + b, -30, 30)",
            "A logit of 10,000 on the wrong side costs 10,000. np.logaddexp(0, z) needs no clipping.",
        ),
        mistake(
            "logits clipped far out",
            "z = np.clip(rows @ w + b, -500, 500)",
            "A logit of 10,000 on the wrong side costs 10,000. np.logaddexp(0, z) needs no clipping.",
        ),
        mistake(
            "log(1 + exp(z)) written out",
            "np.logaddexp(0, z) -> np.log(1 + np.exp(z))",
            "exp(1000) is infinite: np.logaddexp(0, z) gives the same without it.",
        ),
        mistake(
            "exp(z) / (1 + exp(z)) written out",
            "p = np.exp(z) / (1 + np.exp(z))",
            "exp(1000) is infinite, and infinity by infinity NaN: 0.5 * (1 + np.tanh(0.5 * z)) is safe.",
        ),
        mistake(
            "the sigmoid's slope once more",
            "dz = (p - labels) * p * (1 - p) / len(rows)",
            "p - y already contains the sigmoid's slope.",
        ),
        mistake(
            "the squared error instead",
            (
                "total += float(np.sum(0.5 * (p - labels) ** 2))",
                "dz = (p - labels) * p * (1 - p) / len(rows)",
            ),
            "The loss is binary cross-entropy: log(1 + exp(z)) - y z.",
        ),
    ),
    equal=(
        ("for i in range(0, len(x) + 1, batch_size):", "an empty batch changes nothing"),
        ("z = rows @ w.T + b", "w has one axis"),
        ("w = w - lr * (rows.T @ dz.T)", "dz has one axis"),
        ("total += float(np.sum(np.logaddexp(z, 0) - labels * z))", "logaddexp takes its two in any order"),
        ("wide = np.concatenate([x, np.ones_like(x[:, :1])], axis=-1)", "the last axis is axis 1"),
        ("z = rows @ knobs.T", "knobs has one axis"),
        ("signed = np.where(labels >= 1, z, -z)", "labels are 0 or 1"),
        ("push = np.where(labels >= 1, wrong, -wrong)", "labels are 0 or 1"),
        ("wrong = np.exp(-np.logaddexp(signed, 0))", "logaddexp takes its two in any order"),
        ("knobs = knobs + lr / len(rows) * (push.T @ rows)", "push has one axis"),
    ),
    hints=(
        "For each batch: z = rows @ w + b, the losses log(1 + exp(z)) - y z, then dz = sigmoid(z) - y.",
        "np.logaddexp(0, z) is log(1 + exp(z)) without overflow; 0.5 * (1 + tanh(z / 2)) is the sigmoid.",
        "dz carries the mean of the batch, 1 / len(rows); the loss returned divides by len(x).",
    ),
)
