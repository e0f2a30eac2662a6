"""The gradient of cross-entropy when the wrong classes share a part of the target."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.exercises.losses._inputs import far_rows, hopeless, sure_and_right
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def smoothing():
        return float(rng.uniform(0.1, 0.4))

    def case(n, v, size=1.5):
        return size * rng.normal(size=(n, v)), rng.integers(0, v, n), smoothing()

    example = np.zeros((1, 3)), np.array([1]), 0.2
    small = rng.normal(size=(3, 3)), np.array([2, 0, 2]), smoothing()
    two = rng.normal(size=(3, 2)), np.array([1, 0, 0]), smoothing()
    high = rng.normal(size=(2, 4)) + 1000.0, np.array([2, 0]), smoothing()
    apart = far_rows(rng, 3, 2), np.array([1, 0, 0]), smoothing()
    sure, right = (*hopeless(rng, 2, 3), smoothing()), (*sure_and_right(rng, 2, 3), smoothing())
    plain = np.array([[0.0, 1500.0, 0.0]]), np.array([1]), smoothing()
    first = np.array([[1500.0, 0.0, 0.0]]), np.array([2]), smoothing()
    vast = 1e9 * np.array([[1.0, 3.0, -2.0], [-1.0, 0.0, 2.0]]), np.array([0, 1]), smoothing()
    cases = [example, small, two, high, apart, sure, right, plain, first, vast]
    return [*cases, case(4, 5), case(1, 6), case(3, 7), as_float32(case(2, 5))]


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
    equal=(
        ("e = np.exp(logits - logits.max(-1, keepdims=True))", "of two axes 1 is the last"),
        ("p = e / e.sum(-1, keepdims=True)", "of two axes 1 is the last"),
        ("return (e / e.sum(-1, keepdims=True) - wanted) / n", "of two axes 1 is the last"),
    ),
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
            "smoothing / (v - 1) -> smoothing / v",
            "The targets of a row must sum to 1: how many classes divide the share among them?",
        ),
        mistake(
            "the right class stays at 1",
            "q[np.arange(n), targets] = 1",
            "The targets of a row must sum to 1: what the others share is taken from the right class.",
        ),
        mistake(
            "the share and the rest changed places",
            ("q = np.full_like(p, (1 - smoothing) / (v - 1))", "q[np.arange(n), targets] = smoothing"),
            "smoothing is the small part: the right class keeps 1 - smoothing.",
        ),
        mistake(
            "wrote into whole columns, not into one place of each row",
            "q[np.arange(n), targets] -> q[:, targets]",
            "Each row has its own right class: one index for the row, one for the class, side by side.",
        ),
        mistake(
            "the others share by V - 2",
            "smoothing / (v - 1) -> smoothing / (v - 2)",
            "V - 1 classes are wrong ones: how many divide the share among them?",
        ),
        mistake(
            "the others share by N, not by V - 1",
            "smoothing / (v - 1) -> smoothing / n",
            "How many wrong classes does a row have? The number of rows has no say in it.",
        ),
        mistake(
            "shrank the whole gradient instead of softening the target",
            (
                "q = np.zeros_like(p)",
                "q[np.arange(n), targets] = 1",
                "(p - q) -> (1 - smoothing) * (p - q)",
            ),
            "smoothing changes what is wanted, q: p minus it is not just smaller.",
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
            "(p - q) -> (q - p)",
            "What the model believes, minus what it should: in this order.",
        ),
        mistake(
            "divided by the number of classes, not of rows",
            "(p - q) / n -> (p - q) / v",
            "The mean is over the N rows; the classes of a row are summed.",
        ),
        mistake(
            "times the slope of the softmax once more",
            "(p - q) / n -> (p - q) * p * (1 - p) / n",
            "p - q is the slope at the logits already: the softmax is in it.",
        ),
        mistake(
            "the losses instead of their gradient",
            "return -q * (logits - logits.max(1, keepdims=True) - np.log(e.sum(1, keepdims=True))) / n",
            "Not how large the loss is: how it changes with each logit. Step 8 derives it.",
        ),
        mistake(
            "log-softmax instead of softmax",
            "p = logits - logits.max(1, keepdims=True) - np.log(e.sum(1, keepdims=True))",
            "Probabilities are compared with probabilities: p, not its log.",
        ),
        mistake(
            "stopped at the probability",
            "(p - q) / n -> -q / p / n",
            "That is the slope with respect to p; the question is how the loss moves with the logits.",
        ),
        mistake(
            "the logits instead of their softmax",
            "p = logits",
            "The model's belief is a distribution: what makes one of the logits?",
        ),
        mistake(
            "the gradient at q alone, without what the model believes",
            "(p - q) / n -> -q / n",
            "What the model believes, minus what it should: both are needed.",
        ),
        mistake(
            "forgot the 1/N of the mean",
            "(p - q) / n -> (p - q)",
            "The loss is a mean over the rows: what does that do to each row's share?",
        ),
        mistake(
            "divided by all the entries, not by the rows",
            "(p - q) / n -> (p - q) / p.size",
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
            "took off the row's mean, not its largest logit",
            "e = np.exp(logits - logits.mean(1, keepdims=True))",
            "With the mean taken off, the largest can still be far above 0: what does exp make of 1000?",
        ),
        mistake(
            "took off the row's first logit, not its largest",
            "e = np.exp(logits - logits[:, :1])",
            "Another logit can be far above the first: what does exp make of 1500?",
        ),
        mistake(
            "took off the row's smallest logit, not its largest",
            "e = np.exp(logits - logits.min(1, keepdims=True))",
            "With the smallest taken off, the others are above 0: what does exp make of 1500?",
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
