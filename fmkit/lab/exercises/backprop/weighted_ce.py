"""Softmax and cross-entropy in one step, with a temperature and a weight for each row."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, v, spread=1.0):
        logits = spread * rng.normal(size=(n, v))
        weights = rng.uniform(0.5, 2.0, n)
        return logits, rng.integers(0, v, n), weights, float(rng.uniform(0.3, 0.8))

    logits, labels, weights, tau = case(4, 5)
    logits += np.array([1000.0, 0.0, -1000.0, 0.0])[:, None]  # rows far apart
    logits[1, rng.integers(5)] += 2000.0  # and one row whose entries are
    padded = case(6, 3)
    padded[2][:2] = 0.0  # two rows that do not count
    example = np.zeros((1, 2)), np.array([0]), np.array([1.5]), 0.5
    return [
        example,
        case(5, 4),
        case(1, 6),
        (logits, labels, weights, tau),
        padded,
        as_float32(case(3, 7, 3.0)),
    ]


def weighted_ce_backward(logits, labels, weights, tau):
    s = logits / tau
    e = np.exp(s - s.max(1, keepdims=True))
    d = e / e.sum(1, keepdims=True)  # p
    d[np.arange(len(labels)), labels] -= 1  # p - y
    return d * (weights / weights.sum())[:, None] / tau


def one_hot(logits, labels, weights, tau):
    s = (logits - logits.max(1, keepdims=True)) / tau
    log_p = s - np.log(np.exp(s).sum(1, keepdims=True))
    y = np.eye(logits.shape[1], dtype=logits.dtype)[labels]
    return weights[:, None] * (np.exp(log_p) - y) / (tau * weights.sum())


def jacobian(logits, labels, weights, tau):
    out = np.zeros_like(logits)
    for n, label in enumerate(labels):
        e = np.exp((logits[n] - logits[n].max()) / tau)
        p = e / e.sum()
        # A row of softmax's Jacobian, p_label * (1[j = label] - p_j), times the log's slope, -1 / p_label.
        out[n] = -((np.arange(len(p)) == label) - p) * weights[n] / weights.sum() / tau
    return out


EXERCISE = Exercise(
    title="Softmax and cross-entropy in one step",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=weighted_ce_backward,
    teaches=("losses.cross_entropy_backward",),
    alternatives=(one_hot, jacobian),
    mistakes=(
        mistake(
            "forgot the temperature's own 1/tau",
            "return d * (weights / weights.sum())[:, None]",
            "logits / tau is a step of the forward pass, too: what is its slope?",
        ),
        mistake(
            "multiplied by tau",
            "return d * (weights / weights.sum())[:, None] * tau",
            "Backward does not invert: it multiplies by the slope, and that of z / tau is 1 / tau.",
        ),
        mistake(
            "forgot the temperature inside softmax",
            "s = logits",
            "p is the softmax of logits / tau, not of the logits.",
        ),
        mistake(
            "divided by N, not by the sum of the weights",
            "weights / weights.sum() -> weights / len(weights)",
            "Look at the loss again: what stands below the fraction line?",
        ),
        mistake(
            "did not divide by anything",
            "return d * weights[:, None] / tau",
            "Look at the loss again: there is a fraction line in it.",
        ),
        mistake(
            "divided by N as well",
            "return d * (weights / weights.sum())[:, None] / tau / len(labels)",
            "The sum of the weights takes the place of N: there is one fraction line.",
        ),
        mistake(
            "forgot the weights above the fraction line",
            "return d / weights.sum() / tau",
            "A row with weight 0 must get a gradient of 0.",
        ),
        mistake(
            "weighted the right label only",
            ("d[np.arange(len(labels)), labels] -= weights", "return d / weights.sum() / tau"),
            "The weight stands in front of the whole row's loss: it multiplies p - y, not only y.",
        ),
        mistake(
            "took 1 off in every row",
            "d[np.arange(len(labels)), labels] -> d[:, labels]",
            "p[:, labels] takes the labels' columns in every row. Each row has one right label of its own.",
        ),
        mistake(
            "took the label's number off",
            "d[np.arange(len(labels)), labels] -= 1 -> d -= labels[:, None]",
            "A label is a name, not an amount: y is the one-hot vector, 1 at the label and 0 elsewhere.",
        ),
        mistake(
            "set the right label to -1",
            "d[np.arange(len(labels)), labels] = -1",
            "p - y at the right label is p - 1: take 1 off, keep the p.",
        ),
        mistake(
            "float64 out of float32",
            "d[np.arange(len(labels)), labels] -= 1 -> d = d - np.eye(logits.shape[1])[labels]",
            "np.eye and np.zeros make float64, and it spreads: give them logits.dtype.",
        ),
        mistake(
            "forgot the weights",
            "return d / len(labels) / tau",
            "A row with weight 0 must get a gradient of 0.",
        ),
        mistake(
            "y - p instead of p - y",
            "return -d * (weights / weights.sum())[:, None] / tau",
            "Raising the right label's logit must lower the loss: the entry there is negative.",
        ),
        mistake(
            "softmax over the batch",
            ("e = np.exp(s - s.max(0, keepdims=True))", "d = e / e.sum(0, keepdims=True)"),
            "Each row is one example, and its probabilities add up to 1.",
        ),
        mistake(
            "exp without taking the maximum off",
            "e = np.exp(s)",
            "exp(1000) is inf: take each row's maximum off first.",
        ),
        mistake(
            "took one maximum for the whole batch off",
            "e = np.exp(s - s.max())",
            "A row far below the batch's maximum underflows to 0 / 0: each row needs a maximum of its own.",
        ),
        mistake(
            "took the row's mean off, not its maximum",
            "e = np.exp(s - s.mean(1, keepdims=True))",
            "In a row such as 2000, 0, 0 the mean lies far below the maximum: exp is inf all the same.",
        ),
        mistake(
            "softmax's slope p(1 - p) once more",
            (
                "d = e / e.sum(1, keepdims=True)\nslope = d * (1 - d)",
                "return d * slope * (weights / weights.sum())[:, None] / tau",
            ),
            "p - y already contains softmax's slope; that is the whole point of it.",
        ),
        mistake(
            "the right label forgotten",
            "d[np.arange(len(labels)), labels] -= 1 ->",
            "That is p alone. What comes off at the right label?",
        ),
    ),
    equal=(
        ("e = np.exp(s - s.max(-1, keepdims=True))", "of two axes the last is axis 1"),
        ("d = e / e.sum(-1, keepdims=True)", "of two axes the last is axis 1"),
        ("s = (logits - logits.max(-1, keepdims=True)) / tau", "of two axes the last is axis 1"),
        ("log_p = s - np.log(np.exp(s).sum(-1, keepdims=True))", "of two axes the last is axis 1"),
    ),
    hints=(
        "Without weights and temperature it is (p - y) / N. What takes the place of 1 / N here?",
        "p[np.arange(len(labels)), labels] is the right label's entry of each row.",
        "logits / tau is a step of its own: on the way back it multiplies by 1 / tau.",
    ),
)
