"""Binary cross-entropy from logits; each positive counts several times."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.exercises.losses._inputs import EPSILONS
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def weight():
        return float(rng.uniform(2.0, 5.0))

    def case(n, size=2.0):
        targets = rng.integers(0, 2, n).astype(np.float64)
        targets[:2] = 0.0, 1.0  # both classes come
        return size * rng.normal(size=n), targets, weight()

    def sure(*logits):  # and wrong, all of them
        x = np.array(logits) + rng.normal(size=len(logits))
        return x, (x < 0).astype(np.float64), weight()

    example, small = (np.zeros(1), np.ones(1), 3.0), (rng.normal(size=3), np.array([0.0, 1.0, 1.0]), weight())
    ones, zeros = (rng.normal(size=2), np.ones(2), weight()), (rng.normal(size=3), np.zeros(3), weight())
    light = rng.normal(size=4), np.array([1.0, 0.0, 0.0, 1.0]), 0.5
    far, farther = sure(-60.0, 50.0, 45.0), sure(1000.0, -1000.0, 0.0, -800.0)
    right = np.array([1000.0, -1000.0, 30.0, 1.0]), np.array([1.0, 0.0, 1.0, 0.0]), weight()
    wrong = np.array([-1000.0, 0.5]), np.ones(2), weight()
    cases = [example, small, ones, zeros, light, far, farther, right, wrong, case(6), case(9, 4.0)]
    single = as_float32((np.array([22.0, -90.0, 95.0]), np.array([0.0, 1.0, 0.0]), 2.5))
    return [*cases, single, as_float32(case(7))]


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
        (THROUGH_P, f"minus_log_p = -np.log(p + {eps})", f"minus_log_not_p = -np.log(1 - p + {eps})"),
        "An epsilon is a ceiling: beyond it, more wrong costs no more. From the logit none is needed.",
    )


def clipped_at(eps):
    return mistake(
        f"p kept between {eps} and 1 - {eps}",
        (
            f"{THROUGH_P}\np = np.clip(p, {eps}, 1 - {eps})",
            "minus_log_p = -np.log(p)",
            "minus_log_not_p = -np.log(1 - p)",
        ),
        "A clip is a ceiling: beyond it, more wrong costs no more. From the logit none is needed.",
    )


def a_ceiling_of(limit):
    return mistake(
        f"the logits cut off at {limit}",
        f"tail = np.log1p(np.exp(-np.abs(logits))) -> logits = np.clip(logits, -{limit}, {limit})\n"
        "tail = np.log1p(np.exp(-np.abs(logits)))",
        "A cut is a ceiling: beyond it, more wrong costs no more. Written well, no logit is too large.",
    )


EXERCISE = Exercise(
    title="Binary cross-entropy, with a weight for the positives",
    points=3,
    minutes=12,
    difficulty=3,
    tolerance=1e-4,  # one Python number comes out of float32 inputs
    cases=cases,
    equal=(
        ("yes, no = (np.logaddexp(-logits, 0), np.logaddexp(0, logits))", "a sum in any order"),
        ("yes, no = (np.logaddexp(0, -logits), np.logaddexp(logits, 0))", "a sum in any order"),
    ),
    reference=weighted_bce,
    alternatives=(logaddexp, loop),
    mistakes=(
        mistake(
            "log of a probability that was rounded to 0",
            (THROUGH_P, "minus_log_p = -np.log(p)", "minus_log_not_p = -np.log(1 - p)"),
            "sigmoid(1000) is exactly 1, so 1 - p is exactly 0: never form p, start from the logit.",
        ),
        mistake(
            "log of a probability that was rounded to 0, class by class",
            (
                THROUGH_P,
                "minus_log_p = np.where(targets == 1, -np.log(p), 0)",
                "minus_log_not_p = np.where(targets == 1, 0, -np.log(1 - p))",
            ),
            "sigmoid(1000) is exactly 1, so 1 - p is exactly 0: never form p, start from the logit.",
        ),
        mistake(
            "log(1 + exp(x)) overflows",
            ("minus_log_p = np.log(1 + np.exp(-logits))", "minus_log_not_p = np.log(1 + np.exp(logits))"),
            "exp(1000) is too large for any float: make sure that exp only ever sees negative numbers.",
        ),
        mistake(
            "log(1 + exp(x)) overflows, class by class",
            (
                "minus_log_p = np.where(targets == 1, np.log(1 + np.exp(-logits)), 0)",
                "minus_log_not_p = np.where(targets == 1, 0, np.log(1 + np.exp(logits)))",
            ),
            "exp(1000) is too large for any float: make sure that exp only ever sees negative numbers.",
        ),
        mistake(
            "x + log(1 + exp(-x)) overflows where x is far below 0",
            (
                "minus_log_p = np.log1p(np.exp(-logits))",
                "minus_log_not_p = logits + np.log1p(np.exp(-logits))",
            ),
            "exp(1000) is too large for any float: make sure that exp only ever sees negative numbers.",
        ),
        mistake(
            "log(1 + exp(x)) - x overflows where x is far above 0",
            (
                "minus_log_p = np.log1p(np.exp(logits)) - logits",
                "minus_log_not_p = np.log1p(np.exp(logits))",
            ),
            "exp(1000) is too large for any float: make sure that exp only ever sees negative numbers.",
        ),
        mistake(
            "the logs without max(x, 0)",
            ("minus_log_p = tail", "minus_log_not_p = tail"),
            "log1p(exp(-|x|)) is small on both sides: what is log(1 + exp(x)) for a large x?",
        ),
        mistake(
            "took the logits for probabilities",
            ("minus_log_p = -np.log(logits)", "minus_log_not_p = -np.log(1 - logits)"),
            "A logit is any number: what makes a probability of it?",
        ),
        mistake(
            "the squared error instead of the cross-entropy",
            (
                "tail = np.log1p(np.exp(-np.abs(logits))) -> p = np.exp(-np.logaddexp(0, -logits))",
                "minus_log_p = (1 - p) ** 2",
                "minus_log_not_p = p**2",
            ),
            "What is asked for is the surprise, -log p: it grows without limit, a squared error does not.",
        ),
        mistake(
            "left out the term for y = 0",
            "+ (1 - targets) * minus_log_not_p ->",
            "What does your loss say when y is 0 and the model shouts yes? It should not be nothing.",
        ),
        mistake(
            "left out the term for y = 1",
            "pos_weight * targets * minus_log_p + ->",
            "What does your loss say when y is 1 and the model shouts no? It should not be nothing.",
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
            (
                "(pos_weight * targets -> (targets",
                "(1 - targets) * minus_log_not_p -> (1 - targets) * pos_weight * minus_log_not_p",
            ),
            "Which of the two terms is there when y is 1?",
        ),
        mistake(
            "the weight on both classes",
            "(1 - targets) * minus_log_not_p -> (1 - targets) * pos_weight * minus_log_not_p",
            "A weight on everything only changes the unit: weigh one class.",
        ),
        mistake(
            "left the weight out",
            "(pos_weight * targets -> (targets",
            "pos_weight does not appear in your result.",
        ),
        mistake(
            "1 + pos_weight on the positives",
            "(pos_weight * targets -> ((1 + pos_weight) * targets",
            "A positive counts pos_weight times, not once more than that.",
        ),
        mistake(
            "the weight on the logits",
            "tail = np.log1p(np.exp(-np.abs(logits))) -> "
            "logits, pos_weight = np.where(targets == 1, pos_weight * logits, logits), 1\n"
            "tail = np.log1p(np.exp(-np.abs(logits)))",
            "The weight scales how much an example's loss counts, not what the model says.",
        ),
        mistake(
            "divided by the sum of the weights",
            ".mean() -> .sum() / np.where(targets == 1, pos_weight, 1).sum()",
            "This loss divides by the number of examples; the weighted mean comes in step 9.",
        ),
        mistake(
            "each class divided by its own number, then added",
            (
                "* minus_log_p + -> * minus_log_p / max(targets.sum(), 1) +",
                "* minus_log_not_p) -> * minus_log_not_p / max((1 - targets).sum(), 1))",
                ".mean() -> .sum()",
            ),
            "One sum over all the examples, divided once by N: the classes need not be of one size.",
        ),
        mistake(
            "divided by the number of positives",
            ".mean() -> .sum() / max(targets.sum(), 1)",
            "N counts all the examples, positives and negatives.",
        ),
        mistake(
            "the sum instead of the mean",
            ".mean() -> .sum()",
            "Twice as many examples must not double the loss: divide by how many there are.",
        ),
        mistake(
            "the log-likelihood without its minus",
            "float(( -> float((-1) * (",
            "A loss is to be made small, a likelihood large: what turns the one into the other?",
        ),
        *map(an_epsilon_of, EPSILONS),
        *map(clipped_at, ("1e-6", "1e-7", "1e-8", "1e-10", "1e-12", "1e-15")),
        *map(a_ceiling_of, (20, 30, 50, 100, 500)),
    ),
    hints=(
        "Write the two pieces by themselves: -log sigmoid(x), and -log (1 - sigmoid(x)).",
        "The second is log(1 + exp(x)), safely max(x, 0) + log1p(exp(-|x|)). The first is it at -x.",
        "Then weigh: pos_weight * y * first + (1 - y) * second, and take the mean.",
    ),
)
