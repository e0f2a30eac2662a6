"""Binary cross-entropy from logits; each positive counts several times."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, size=2.0):
        targets = rng.integers(0, 2, n).astype(np.float64)
        targets[:2] = 0.0, 1.0  # both classes come
        return size * rng.normal(size=n), targets, float(rng.uniform(2.0, 5.0))

    def sure(*logits):  # and wrong, all of them
        x = np.array(logits) + rng.normal(size=len(logits))
        return x, (x < 0).astype(np.float64), float(rng.uniform(2.0, 5.0))

    far, farther = sure(-60.0, 50.0, 45.0), sure(1000.0, -1000.0, 0.0, -800.0)
    return [case(6), far, farther, case(3), as_float32(case(7))]


def weighted_bce(logits, targets, pos_weight):
    tail = np.log1p(np.exp(-np.abs(logits)))
    minus_log_p = np.maximum(-logits, 0) + tail
    minus_log_not_p = np.maximum(logits, 0) + tail
    return float((pos_weight * targets * minus_log_p + (1 - targets) * minus_log_not_p).mean())


def logaddexp(logits, targets, pos_weight):
    yes, no = np.logaddexp(0, -logits), np.logaddexp(0, logits)
    return np.mean(pos_weight * targets * yes + (1 - targets) * no)


def loop(logits, targets, pos_weight):
    total = 0.0
    for x, y in zip(logits.tolist(), targets.tolist(), strict=True):
        softplus = max(x, 0.0) + math.log1p(math.exp(-abs(x)))
        total += pos_weight * y * (softplus - x) + (1 - y) * softplus
    return total / len(logits)


THROUGH_P = "tail = np.log1p(np.exp(-np.abs(logits))) -> p = 1 / (1 + np.exp(-logits))"


def an_epsilon_of(eps):
    return mistake(
        f"an epsilon of {eps} in the log",
        (
            THROUGH_P,
            f"minus_log_p = -np.log(np.maximum(p, {eps}))",
            f"minus_log_not_p = -np.log(np.maximum(1 - p, {eps}))",
        ),
        "An epsilon is a ceiling: beyond it, more wrong costs no more. From the logit none is needed.",
    )


EXERCISE = Exercise(
    title="Binary cross-entropy, with a weight for the positives",
    points=3,
    minutes=12,
    difficulty=3,
    tolerance=1e-4,  # one Python number comes out of float32 inputs
    cases=cases,
    reference=weighted_bce,
    alternatives=(logaddexp, loop),
    mistakes=(
        mistake(
            "log of a probability that was rounded to 0",
            (THROUGH_P, "minus_log_p = -np.log(p)", "minus_log_not_p = -np.log(1 - p)"),
            "sigmoid(1000) is exactly 1, so 1 - p is exactly 0: never form p, start from the logit.",
        ),
        mistake(
            "log(1 + exp(x)) overflows",
            ("minus_log_p = np.log(1 + np.exp(-logits))", "minus_log_not_p = np.log(1 + np.exp(logits))"),
            "exp(1000) is too large for any float: make sure that exp only ever sees negative numbers.",
        ),
        *map(an_epsilon_of, ("1e-7", "1e-8", "1e-9", "1e-10", "1e-12", "1e-15")),
        mistake(
            "took the logits for probabilities",
            ("minus_log_p = -np.log(logits)", "minus_log_not_p = -np.log(1 - logits)"),
            "A logit is any number: what makes a probability of it?",
        ),
        mistake(
            "left out the term for y = 0",
            "return float((pos_weight * targets * minus_log_p).mean())",
            "What does your loss say when y is 0 and the model shouts yes? It should not be nothing.",
        ),
        mistake(
            "took -log p for y = 0 and -log(1 - p) for y = 1",
            ("minus_log_p = np.maximum(logits, 0) + tail", "minus_log_not_p = np.maximum(-logits, 0) + tail"),
            "A large logit says yes: when y is 1 it should cost next to nothing. Does it?",
        ),
        mistake(
            "the weight on x y alone",
            "return float((minus_log_not_p - pos_weight * targets * logits).mean())",
            "For y = 1 the loss is log(1 + exp(x)) - x: the weight belongs to all of it.",
        ),
        mistake(
            "the weight on the negatives",
            "return float((targets * minus_log_p + pos_weight * (1 - targets) * minus_log_not_p).mean())",
            "Which of the two terms is there when y is 1?",
        ),
        mistake(
            "the weight on both classes",
            "return float(pos_weight * (targets * minus_log_p + (1 - targets) * minus_log_not_p).mean())",
            "A weight on everything only changes the unit: weigh one class.",
        ),
        mistake(
            "left the weight out",
            "return float((targets * minus_log_p + (1 - targets) * minus_log_not_p).mean())",
            "pos_weight does not appear in your result.",
        ),
        mistake(
            "divided by the sum of the weights",
            ".mean() -> .sum() / (pos_weight * targets + 1 - targets).sum()",
            "This loss divides by the number of examples; the weighted mean comes in step 9.",
        ),
        mistake(
            "the sum instead of the mean",
            ".mean() -> .sum()",
            "Twice as many examples must not double the loss: divide by how many there are.",
        ),
    ),
    hints=(
        "Write the two pieces by themselves: -log sigmoid(x), and -log (1 - sigmoid(x)).",
        "The second is log(1 + exp(x)), safely max(x, 0) + log1p(exp(-|x|)). The first is it at -x.",
        "Then weigh: pos_weight * y * first + (1 - y) * second, and take the mean.",
    ),
)
