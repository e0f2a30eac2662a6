"""Norms of each example's own gradient, where an example is a sequence: no gradient is made."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, t, i, o):
        return rng.normal(size=(b, t, i)), rng.normal(size=(b, t, o))

    example = np.array([[[1.0, 2.0], [3.0, 0.0]]]), np.array([[[1.0], [-1.0]]])
    opposite = case(3, 4, 2, 5)
    opposite[0][:, 1], opposite[1][:, 1] = opposite[0][:, 0], -opposite[1][:, 0]  # two positions cancel
    padded = case(3, 5, 4, 2)
    padded[1][0, 2:], padded[1][1] = 0.0, 0.0  # a short sequence, and one without any loss
    return [
        example,
        opposite,
        padded,
        case(4, 1, 3, 2),
        case(2, 3, 5, 4),
        case(5, 4, 1, 3),
        case(1, 6, 2, 1),
        as_float32(case(3, 4, 5, 2)),
    ]


def norms(x, delta):
    alike = x @ x.transpose(0, 2, 1) + 1.0  # (B, T, T): every position with every other; 1 is the bias
    together = delta @ delta.transpose(0, 2, 1)  # (B, T, T)
    return np.sqrt(np.maximum((alike * together).sum((1, 2)), 0.0))


def by_hand(x, delta):
    found = np.zeros(len(x), dtype=x.dtype)
    for k in range(len(x)):
        dw, db = x[k].T @ delta[k], delta[k].sum(0)  # the gradient itself
        found[k] = np.sqrt((dw**2).sum() + (db**2).sum())
    return found


def in_one(x, delta):
    with_bias = np.concatenate([x, np.ones_like(x[:, :, :1])], axis=2)  # (B, T, I+1)
    grads = np.einsum("bti,bto->bio", with_bias, delta)
    return np.sqrt(np.einsum("bio,bio->b", grads, grads))


EXERCISE = Exercise(
    title="Norms without gradients",
    points=3,
    minutes=25,
    difficulty=4,
    tolerance=1e-4,
    cases=cases,
    reference=norms,
    alternatives=(by_hand, in_one),
    equal=(
        (
            "return np.sqrt((alike * together).sum((1, 2)))",
            "a sum of squares; only rounding could bring it below 0",
        ),
        ("found = np.ones(len(x), dtype=x.dtype)", "every element is written"),
    ),
    teaches=("privacy.squared_norms",),
    mistakes=(
        mistake(
            "each position by itself",
            "return np.sqrt((((x * x).sum(2) + 1.0) * (delta * delta).sum(2)).sum(1))",
            "A sequence's gradient is a sum over positions: they may cancel or add up, so every pair counts.",
        ),
        mistake(
            "the length of x times the length of delta",
            "return np.sqrt(((x * x).sum((1, 2)) + 1.0) * (delta * delta).sum((1, 2)))",
            "That holds for one position. With several, multiply before you add up.",
        ),
        mistake(
            "the length of x times the length of delta, without the bias",
            "return np.sqrt((x * x).sum((1, 2)) * (delta * delta).sum((1, 2)))",
            "That holds for one position. With several, multiply before you add up; and the bias is missing.",
        ),
        mistake(
            "the bias forgotten",
            "alike = x @ x.transpose(0, 2, 1)",
            "The bias has a gradient, too: it is a weight whose input is always 1.",
        ),
        mistake(
            "the bias without its cross terms",
            "alike = x @ x.transpose(0, 2, 1) + np.eye(x.shape[1], dtype=x.dtype)",
            "The bias's gradient is the sum of delta over the positions: every pair counts there, too.",
        ),
        mistake(
            "the squares",
            "return np.maximum((alike * together).sum((1, 2)), 0.0)",
            "The norm is the root of the sum of squares.",
        ),
        mistake(
            "one norm for the batch",
            "return np.sqrt(np.maximum((alike * together).sum((1, 2)), 0.0)) -> "
            "return np.sqrt(np.full(len(x), (alike * together).sum(), dtype=x.dtype))",
            "Each example is clipped by its own norm: one number for each.",
        ),
        mistake(
            "averaged over the positions",
            "return np.sqrt(np.maximum((alike * together).mean((1, 2)), 0.0))",
            "The loss of a sequence is given: its gradient adds up over the positions.",
        ),
        mistake(
            "the diagonal only, without the bias",
            "return np.sqrt(((x * x).sum(2) * (delta * delta).sum(2)).sum(1))",
            "Every pair of positions counts, and the bias has a gradient, too.",
        ),
        mistake(
            "norms added up over the positions",
            "return np.sqrt(((x * x).sum(2) + 1.0) * (delta * delta).sum(2)).sum(1)",
            "Lengths do not add up: positions may cancel.",
        ),
        mistake(
            "a norm for the weight plus a norm for the bias",
            "return sum(np.sqrt((a * together).sum((1, 2)).clip(0)) for a in (alike - 1.0, alike * 0 + 1.0))",
            "Add up the squares of both, then take one root.",
        ),
    ),
    hints=(
        "The gradient of the weight is the sum over t of the outer product of x[t] and delta[t].",
        "Its squared norm is the sum over all pairs s, t of (x[s] . x[t]) (delta[s] . delta[t]).",
        "For the bias put a 1 in the place of x: x[s] . x[t] grows by 1.",
    ),
)
