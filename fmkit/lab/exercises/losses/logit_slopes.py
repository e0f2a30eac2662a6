"""The slopes of the squared error and of the binary cross-entropy at the logit."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, size=2.0):
        return size * rng.normal(size=n), rng.integers(0, 2, n).astype(np.float64)

    example, small = (np.zeros(1), np.ones(1)), (rng.normal(size=3), np.array([0.0, 1.0, 0.0]))
    sure = np.array([15.0, -15.0, 3.0]), np.array([0.0, 1.0, 0.0])
    surer = np.array([18.0, -19.0, 20.0, -20.0]), np.array([0.0, 1.0, 1.0, 0.0])  # every slope of p is tiny
    wild = np.array([1000.0, -1000.0, 1.0]), np.array([0.0, 1.0, 1.0])
    right = np.array([1000.0, -1000.0, -1.0]), np.array([1.0, 0.0, 1.0])
    whole = rng.normal(size=4), np.array([0, 1, 1, 0])  # targets as whole numbers
    cases = [example, small, sure, surer, wild, right, whole, case(6), case(5, 4.0)]
    single = as_float32((rng.normal(size=3), np.array([1, 0, 1])))
    return [*cases, as_float32(case(4, 1.0)), single]


def logit_slopes(logits, targets):
    targets = targets.astype(logits.dtype)  # a whole number beside a float32 makes float64
    p = np.exp(np.minimum(logits, 0)) / (1 + np.exp(-np.abs(logits)))
    d_mse = 2 * (p - targets) * p * (1 - p)
    d_bce = p - targets
    return d_mse, d_bce


def plain_sigmoid(logits, targets):
    with np.errstate(over="ignore"):
        p = 1 / (1 + np.exp(-logits))
    error = (p - targets).astype(p.dtype)
    return 2 * error * (p - p * p), error


def by_tanh(logits, targets):
    t = np.tanh(logits / 2)
    error = ((t + 1) / 2 - targets).astype(logits.dtype)
    return error * (1 - t * t) / 2, error


def clipped_at(eps):
    return mistake(
        f"p clipped at {eps}",
        f"d_mse = 2 * (p - targets) * p * (1 - p) -> p = np.clip(p, {eps}, 1 - {eps})\n"
        "d_mse = 2 * (p - targets) * p * (1 - p)",
        "No log is taken here and nothing is divided: there is nothing that an epsilon could mend.",
    )


EXERCISE = Exercise(
    title="Two slopes at the logit",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    equal=(("with np.errstate():", "a warning more"),),
    reference=logit_slopes,
    alternatives=(plain_sigmoid, by_tanh),
    mistakes=(
        mistake(
            "y - p instead of p - y",
            ("2 * (p - targets) -> 2 * (targets - p)", "d_bce = targets - p"),
            "If p is above y, a larger logit makes things worse: the slope is positive.",
        ),
        mistake(
            "the two in the wrong order",
            "return d_bce, d_mse",
            "First the slope of the squared error, then the slope of the cross-entropy.",
        ),
        mistake(
            "the sigmoid's slope taken at its output",
            "* p * (1 - p) -> * (s := 1 / (1 + np.exp(-p))) * (1 - s)",
            "p (1 - p) has the sigmoid in it already: put the logit through it once only.",
        ),
        mistake(
            "the sigmoid's slope left out of the squared error",
            "* p * (1 - p) ->",
            "(p - y) squared depends on p, and p on the logit: two slopes to multiply.",
        ),
        mistake(
            "only a half of the sigmoid's slope: p without 1 - p",
            "* p * (1 - p) -> * p",
            "The sigmoid's slope has two factors: at p = 1 it is as flat as at p = 0.",
        ),
        mistake(
            "only a half of the sigmoid's slope: 1 - p without p",
            "* p * (1 - p) -> * (1 - p)",
            "The sigmoid's slope has two factors: at p = 1 it is as flat as at p = 0.",
        ),
        mistake(
            "tanh's slope instead of the sigmoid's",
            "* p * (1 - p) -> * (1 - p * p)",
            "1 - t * t is the slope of tanh; what is the sigmoid's?",
        ),
        mistake(
            "the wrong sign in the squared error's slope",
            "* p * (1 - p) -> * p * (p - 1)",
            "If p is above y, a larger logit makes things worse; and p (1 - p) is never negative.",
        ),
        mistake(
            "the wrong sign in the cross-entropy's slope",
            "d_bce = targets - p",
            "If p is above y, a larger logit makes things worse: the slope is positive.",
        ),
        mistake(
            "a softmax over the batch instead of a sigmoid for each",
            "p = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()",
            "Each example is a question of yes or no by itself: its p depends on no other's logit.",
        ),
        mistake(
            "forgot the 2 of the square",
            "2 * (p - targets) -> (p - targets)",
            "The slope of a square is twice what is squared.",
        ),
        mistake(
            "forgot the inner p - y of the square",
            "2 * (p - targets) -> 2",
            "The slope of a square is twice what is squared: how far is p from y?",
        ),
        mistake(
            "the sigmoid's slope left in the cross-entropy",
            "d_bce = (p - targets) * p * (1 - p)",
            "In the cross-entropy the log brings 1 / (p (1 - p)): what does it do to the sigmoid's slope?",
        ),
        mistake(
            "stopped at the probability",
            ("* p * (1 - p) ->", "d_bce = (p - targets) / (p * (1 - p))"),
            "These are the slopes with respect to p; the question is how the loss moves with the logit.",
        ),
        mistake(
            "the cross-entropy through p: 0 / 0 when it is sure",
            "d_bce = (-targets / p + (1 - targets) / (1 - p)) * p * (1 - p)",
            "At p = 1 this divides by 0: cancel p and 1 - p on paper before you write it down.",
        ),
        mistake(
            "only the half of the cross-entropy that is there for y = 1",
            "d_bce = -targets * (1 - p)",
            "For y = 0 the loss is -log(1 - p), and it has a slope as well.",
        ),
        mistake(
            "exp(x) / (1 + exp(x)) overflows",
            "p = np.exp(logits) / (1 + np.exp(logits))",
            "exp(1000) is too large for any float: let exp see negative numbers only, or take the library's "
            "sigmoid.",
        ),
        mistake(
            "took the logits for probabilities",
            "p = logits",
            "A logit is any number: what makes a probability of it?",
        ),
        mistake(
            "the losses instead of their slopes",
            ("d_mse = (p - targets) ** 2", "d_bce = np.logaddexp(0, logits) - targets * logits"),
            "Not how large each loss is: how fast it grows when the logit grows.",
        ),
        mistake(
            "divided by the number of examples",
            "return d_mse, d_bce -> d_mse, d_bce = d_mse / len(p), d_bce / len(p)\nreturn d_mse, d_bce",
            "Each example is asked for by itself here: no mean is taken.",
        ),
        mistake(
            "float64 out of float32",
            "targets = targets.astype(logits.dtype) ->",
            "Targets that are whole numbers make float64 of float32: .astype(logits.dtype).",
        ),
        *map(clipped_at, ("1e-6", "1e-7", "1e-8")),
    ),
    hints=(
        "Both losses see the logit through p: the slope of p at the logit is p (1 - p).",
        "For the square: 2 (p - y), times the slope of p. For the cross-entropy the slope of p cancels.",
    ),
)
