"""Spot the bug: the mean surprise over the masked positions."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, t, v, size=1.5):
        masked = rng.uniform(size=(b, t)) < 0.4
        masked[0, :3], masked[-1, 1:] = (True, True, False), False  # a row with two or more, one with few
        masked[-1, 0] = True
        return size * rng.normal(size=(b, t, v)), rng.integers(0, v, (b, t)), masked

    logits, ids, masked = case(2, 5, 4)
    far = np.clip(logits * 200, -600.0, 600.0)
    np.put_along_axis(far, ids[..., None], -1000.0, -1)  # sure, and wrong, at every position
    high = case(3, 5, 4)
    high[0][0, 0] += 1000.0  # too large for exp without a shift, and far from the next one
    high[0][0, 1] -= 1000.0
    nothing = case(3, 4, 6)
    nothing[2][:] = False
    return [case(3, 6, 5), (far, ids, masked), high, nothing, case(4, 5, 3), as_float32(case(2, 7, 4))]


def masked_lm_loss(logits, ids, masked):
    if not masked.any():
        return 0.0
    z, y = logits[masked], ids[masked]
    z = z - z.max(1, keepdims=True)
    losses = np.log(np.exp(z).sum(1)) - z[np.arange(len(y)), y]
    return float(losses.mean())


def with_weights(logits, ids, masked):
    z = logits - logits.max(-1, keepdims=True)
    losses = np.log(np.exp(z).sum(-1)) - np.take_along_axis(z, ids[..., None], -1)[..., 0]  # (B, T)
    return float((losses * masked).sum() / max(int(masked.sum()), 1))


def loop(logits, ids, masked):
    total, count = 0.0, 0
    for b, t in zip(*np.nonzero(masked), strict=True):
        row = logits[b, t].tolist()
        top = max(row)
        total += top + math.log(sum(math.exp(z - top) for z in row)) - row[ids[b, t]]
        count += 1
    return total / count if count else 0.0


WITHOUT_THE_GIVEN_LINES = "if not masked.any():\n        return 0.0 ->"

EXERCISE = Exercise(
    title="Spot the bug: the loss of a masked language model",
    points=3,
    minutes=12,
    difficulty=3,
    tolerance=1e-4,  # one Python number comes out of float32 inputs
    cases=cases,
    reference=masked_lm_loss,
    alternatives=(with_weights, loop),
    mistakes=(
        mistake(
            "averaged over all positions, seen ones too",
            (WITHOUT_THE_GIVEN_LINES, "z, y = logits.reshape(-1, logits.shape[-1]), ids.ravel()"),
            "Where the token is not hidden the model can read it off: what does its score there tell?",
        ),
        mistake(
            "scored the positions that it can see",
            (WITHOUT_THE_GIVEN_LINES, "z, y = logits[~masked], ids[~masked]"),
            "`masked` is True where a token is hidden: those count.",
        ),
        mistake(
            "divided by all positions",
            "losses.mean() -> losses.sum() / masked.size",
            "By how many numbers must a sum over the masked positions be divided to be their mean?",
        ),
        mistake(
            "the sum over all positions, divided by the masked ones",
            (
                WITHOUT_THE_GIVEN_LINES,
                "z, y = logits.reshape(-1, logits.shape[-1]), ids.ravel()",
                "return float(losses.sum() / max(masked.sum(), 1))",
            ),
            "The right divisor; but what is added up above it must be the same positions.",
        ),
        mistake(
            "the mean of the rows' means",
            (
                "z, y = logits[masked], ids[masked]\nrows = np.nonzero(masked)[0]",
                "losses.mean() -> np.mean([losses[rows == row].mean() for row in np.unique(rows)])",
            ),
            "A row with one mask would count as much as a row with ten: pool all masked positions.",
        ),
        mistake(
            "the sum instead of the mean",
            "losses.mean() -> losses.sum()",
            "Twice as many masks must not double the loss.",
        ),
        mistake(
            "log of a probability that was rounded to 0",
            "losses = -np.log(np.exp(z) / np.exp(z).sum(1, keepdims=True))[np.arange(len(y)), y]",
            "softmax can round to exactly 0: take log-sum-exp minus logit, and no log of a probability.",
        ),
        mistake(
            "an epsilon in the log",
            "losses = -np.log(np.exp(z) / np.exp(z).sum(1, keepdims=True) + 1e-12)[np.arange(len(y)), y]",
            "An epsilon is a ceiling: beyond it, being more wrong costs nothing. From logits none is needed.",
        ),
        mistake(
            "no shift: exp overflows",
            "z = z - z.max(1, keepdims=True) ->",
            "exp(1000) is too large for any float: take each position's largest logit off first.",
        ),
        mistake(
            "one shift for all the positions",
            "z = z - z.max()",
            "Positions may be a thousand apart: each needs its own largest logit taken off.",
        ),
        mistake(
            "NaN when nothing is masked",
            WITHOUT_THE_GIVEN_LINES,
            "The mean of nothing is no number; the exercise says what to return.",
        ),
    ),
    hints=(
        "logits[masked] and ids[masked] pick what was hidden: (M, V) and (M,).",
        "On these it is an ordinary cross-entropy: log-sum-exp minus the right logit, and the mean.",
    ),
)
