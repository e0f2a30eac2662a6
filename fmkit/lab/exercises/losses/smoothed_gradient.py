"""The gradient of cross-entropy when the wrong classes share a part of the target."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, v, size=1.5):
        return size * rng.normal(size=(n, v)), rng.integers(0, v, n), float(rng.uniform(0.1, 0.4))

    logits, targets, smoothing = case(4, 5)
    far = logits + np.array([1000.0, 0.0, -1000.0, 0.0])[:, None], targets, smoothing
    return [case(5, 4), case(1, 6), far, case(3, 7), as_float32(case(2, 5))]


def smoothed_gradient(logits, targets, smoothing):
    n, v = logits.shape
    e = np.exp(logits - logits.max(1, keepdims=True))
    p = e / e.sum(1, keepdims=True)
    q = np.full_like(p, smoothing / (v - 1))
    q[np.arange(n), targets] = 1 - smoothing
    return (p - q) / n


def where(logits, targets, smoothing):
    n, v = logits.shape
    e = np.exp(logits - logits.max(1, keepdims=True))
    right = np.arange(v) == targets[:, None]
    wanted = np.where(right, 1 - smoothing, smoothing / (v - 1)).astype(logits.dtype)
    return (e / e.sum(1, keepdims=True) - wanted) / n


def loop(logits, targets, smoothing):
    n, v = logits.shape
    d = np.zeros_like(logits)
    for i in range(n):
        top = float(logits[i].max())
        total = sum(math.exp(float(z) - top) for z in logits[i])
        for c in range(v):
            wanted = 1 - smoothing if c == targets[i] else smoothing / (v - 1)
            d[i, c] = (math.exp(float(logits[i, c]) - top) / total - wanted) / n
    return d


EXERCISE = Exercise(
    title="The gradient of a smoothed loss",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=smoothed_gradient,
    alternatives=(where, loop),
    mistakes=(
        mistake(
            "spread over all the classes, the right one too",
            ("q = np.full_like(p, smoothing / v)", "q[np.arange(n), targets] += 1 - smoothing"),
            "That is torch's form; here the right class keeps 1 - smoothing, and only the others share.",
        ),
        mistake(
            "the right class gets a share on top of its own",
            "q[np.arange(n), targets] += 1 - smoothing",
            "The targets of a row must sum to 1: set the right class to 1 - smoothing, do not add to it.",
        ),
        mistake(
            "the others share by V, not by V - 1",
            "q = np.full_like(p, smoothing / v)",
            "The targets of a row must sum to 1: how many classes divide the share among them?",
        ),
        mistake(
            "took the share from the right class but gave it to nobody",
            "q = np.zeros_like(p)",
            "The targets of a row must sum to 1, as every distribution does.",
        ),
        mistake(
            "gave each wrong class the whole share",
            "q = np.full_like(p, smoothing)",
            "The share is one, and V - 1 classes divide it.",
        ),
        mistake(
            "left the smoothing out",
            ("q = np.zeros_like(p)", "q[np.arange(n), targets] = 1"),
            "smoothing does not appear in your result.",
        ),
        mistake(
            "smoothed the prediction, not the target",
            (
                "p = (1 - smoothing) * e / e.sum(1, keepdims=True) + smoothing / v",
                "q = np.zeros_like(p)",
                "q[np.arange(n), targets] = 1",
            ),
            "The model's softmax stays as it is; it is the target that becomes softer.",
        ),
        mistake(
            "q - p instead of p - q",
            "return (q - p) / n",
            "What the model believes, minus what it should: in this order.",
        ),
        mistake(
            "forgot the 1/N of the mean",
            "return p - q",
            "The loss is a mean over the rows: what does that do to each row's share?",
        ),
        mistake(
            "divided by all the entries, not by the rows",
            "return (p - q) / p.size",
            "The mean is over the N rows; the classes of a row are summed.",
        ),
        mistake(
            "one shift for all the rows",
            "e = np.exp(logits - logits.max())",
            "Rows may be a thousand apart: each needs its own largest logit taken off.",
        ),
        mistake(
            "softmax down the columns",
            ("e = np.exp(logits - logits.max(0))", "p = e / e.sum(0)"),
            "Each row is one example: its probabilities must sum to 1 along the classes.",
        ),
        mistake(
            "no shift: exp overflows",
            "e = np.exp(logits)",
            "exp(1000) is too large for any float: take each row's largest logit off first.",
        ),
    ),
    hints=(
        "The gradient of cross-entropy is p minus the target distribution, over N, for any targets.",
        "Build them: smoothing / (V - 1) everywhere, then 1 - smoothing at [np.arange(N), targets].",
    ),
)
