"""Softmax with a mask, and a temperature for each row."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, v, spread=2.0):
        scores, allowed = spread * rng.normal(size=(n, v)), rng.random((n, v)) < 0.6
        allowed[:, 0] = True
        return scores, allowed, rng.uniform(0.4, 2.5, n)

    far, square, empty = case(4, 5), case(4, 4), case(5, 3)
    far[0][:] += np.array([3000.0, -3000.0, 0.0, 300.0])[:, None]
    hidden = case(3, 6)
    hidden[1][:, 5] = False
    hidden[0][:, 5] = 5000.0  # the largest score is a forbidden one
    empty[1][2] = False  # a row that allows nothing
    return [case(3, 5), far, square, hidden, empty, as_float32(case(5, 7, spread=60.0))]


def masked_softmax(scores, allowed, temperature):
    z = np.where(allowed, scores / temperature[:, None], -np.inf)
    top = z.max(-1, keepdims=True)
    e = np.exp(z - np.where(np.isfinite(top), top, 0))  # a row of -inf has the maximum -inf
    total = e.sum(-1, keepdims=True)
    return e / np.where(total > 0, total, 1)


def row_by_row(scores, allowed, temperature):
    out = np.zeros_like(scores)
    for n in range(len(scores)):
        if allowed[n].any():
            z = scores[n, allowed[n]] / temperature[n]
            e = np.exp(z - z.max())
            out[n, allowed[n]] = e / e.sum()
    return out


def very_low_scores(scores, allowed, temperature):
    z = scores / temperature[:, None]
    low = z.min() - 1.0
    top = np.where(allowed, z, low).max(-1, keepdims=True)
    e = np.exp(np.minimum(z - top, 0.0)) * allowed  # the maximum of the allowed ones only
    return e / np.maximum(e.sum(-1, keepdims=True), np.finfo(z.dtype).tiny)


EXERCISE = Exercise(
    title="Softmax with a mask and temperatures",
    points=4,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=masked_softmax,
    alternatives=(row_by_row, very_low_scores),
    mistakes=(
        mistake(
            "multiplied by the temperature",
            "scores / temperature -> scores * temperature",
            "A higher temperature should make the probabilities more alike. Yours?",
        ),
        mistake(
            "temperature after the softmax",
            (
                "z = np.where(allowed, scores, -np.inf)",
                "return e / np.where(total > 0, total, 1) / temperature[:, None]",
            ),
            "Dividing probabilities breaks their sum of 1: the temperature belongs to the scores.",
        ),
        mistake(
            "one temperature for all rows",
            "temperature[:, None] -> temperature[0]",
            "Each row has a temperature of its own.",
        ),
        mistake(
            "the temperatures laid along the columns",  # raises an exception unless scores is square
            "temperature[:, None] -> temperature",
            "temperature has one number per row: give it an axis for the columns.",
        ),
        mistake(
            "masked after the softmax, not shared out again",
            ("z = scores / temperature[:, None]", "return e / total * allowed"),
            "Do your rows still sum to 1?",
        ),
        mistake(
            "forbidden scores set to 0",
            "-np.inf -> 0",
            "exp(0) is 1, not 0: which score has the exponential 0?",
        ),
        mistake(
            "the maximum never taken off",
            "e = np.exp(z)",
            "Scores may be 1000. Softmax does not mind a shift: which one keeps exp small?",
        ),
        mistake(
            "the maximum of the forbidden ones, too",
            "top = (scores / temperature[:, None]).max(-1, keepdims=True)",
            "A forbidden score of 1000 as the maximum sends every allowed exponential to 0.",
        ),
        mistake(
            "forbidden taken out after the exponential",
            ("z = scores / temperature[:, None]", "e = np.exp(z - top) * allowed", "return e / total"),
            "The largest score of a row may be a forbidden one: what is left of the others beside it?",
        ),
        mistake(
            "nothing allowed: 0 / 0",
            "return e / total",
            "A row may allow nothing at all. What should be divided by what there?",
        ),
        mistake(
            "nothing allowed: shared out evenly",
            "-np.inf -> -1e9",
            "A very low score instead of -inf is lowest among higher ones only. What if all are so low?",
        ),
        mistake(
            "allowed read as forbidden",
            "np.where(allowed, -> np.where(~allowed,",
            "True means allowed: which entries of yours are exactly 0?",
        ),
        mistake(
            "along the wrong axis",
            ("top = z.max(0, keepdims=True)", "total = e.sum(0, keepdims=True)"),
            "The probabilities of one row sum to 1: that is the last axis.",
        ),
    ),
    hints=(
        "temperature[:, None] has shape (N, 1): it divides row by row.",
        "A score of -inf has the exponential 0: np.where(allowed, ..., -np.inf).",
        "A row of nothing but -inf has the maximum -inf. Replace it by 0, and a sum of 0 by 1.",
    ),
)
