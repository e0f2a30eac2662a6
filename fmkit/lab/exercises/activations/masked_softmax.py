"""Softmax with a mask, and a temperature for each row."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, v, spread=2.0):
        scores, allowed = spread * rng.normal(size=(n, v)), rng.random((n, v)) < 0.6
        allowed[:, 0], allowed[0, -1] = True, False
        return scores, allowed, rng.uniform(0.4, 2.5, n)

    example = np.array([[1.0, 1.0, 9.0]]), np.array([[True, True, False]]), np.array([2.0])
    small, square, far, lowest, hidden, empty, narrow = (
        case(2, 3),
        case(4, 4),
        case(4, 5),
        case(2, 3),
        case(4, 6),
        case(5, 3),
        case(6, 7, 20.0),
    )
    small[1][1] = True  # a row that allows everything
    far[0][:] += np.array([2000.0, -3000.0, 0.0, 300.0])[:, None]
    far[0][0, [0, 1, -1]] = 2000.0, 1000.0, 3000.0  # the last one is forbidden
    far[1][0, :2], far[1][1, -1], far[1][2] = True, False, True
    far[2][:] = 0.05, 0.01, 200.0, 1.0
    far[0][2] = rng.permutation([0.0, -500.0, -1000.0, 700.0, 3000.0])  # far apart, and still alike at 200
    lowest[0][:] -= 3000.0  # the allowed scores are very low ones
    lowest[1][:] = [True, True, False], [False, True, False]
    lowest[2][:] = 1.0, 2.0
    hidden[1][:, 5] = False
    hidden[0][:, 5] = 3000.0, 720.0, 2000.0, 900.0  # the largest score is a forbidden one
    hidden[0][3, :3] = 800.0, 799.0, 0.0
    hidden[1][3, :3], hidden[2][[1, 3]] = True, 1.0
    empty[1][2:4] = False  # two rows allow nothing
    empty[0][3] = 3000.0
    narrow[1][4] = False
    hot = np.array([[-6000.0, -6100.0, 3000.0]]), np.array([[True, True, False]]), np.array([200.0])
    return [example, small, square, far, lowest, hidden, empty, hot, as_float32(narrow)]


def masked_softmax(scores, allowed, temperature):
    z = np.where(allowed, scores / temperature[:, None], -np.inf)
    top = z.max(-1, keepdims=True)
    e = np.exp(z - np.where(np.isfinite(top), top, 0))  # a row of -inf has the maximum -inf
    total = e.sum(-1, keepdims=True)
    return e / np.where(total == 0, 1, total)


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


NO_MATTER = "any number will do for a row of nothing but -inf"

EXERCISE = Exercise(
    title="Softmax with a mask and temperatures",
    points=4,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=masked_softmax,
    alternatives=(row_by_row, very_low_scores),
    equal=(
        ("top = z.max(1, keepdims=True)", "of two axes the last is 1"),
        ("total = e.sum(1, keepdims=True)", "of two axes the last is 1"),
        ("e = np.exp(z - np.where(np.isfinite(top), top, 1))", NO_MATTER),
        ("e = np.exp(z - np.where(np.isfinite(top), top, -1))", NO_MATTER),
        ("e = np.exp(z - np.where(np.isfinite(top), top, 2))", NO_MATTER),
        ("return e / np.where(total == 0, 2, total)", NO_MATTER),
    ),
    mistakes=(
        mistake(
            "no mask at all",
            "np.where(allowed, -> np.where(allowed | True,",
            "A forbidden entry gets exactly 0: where does your function ask what is allowed?",
        ),
        mistake(
            "allowed read as forbidden",
            "np.where(allowed, -> np.where(~allowed,",
            "True means allowed: which entries of yours are exactly 0?",
        ),
        mistake(
            "the temperature left out",
            "scores / temperature[:, None] -> scores",
            "Each row's scores are divided by its temperature.",
        ),
        mistake(
            "multiplied by the temperature",
            "scores / temperature[:, None] -> scores * temperature[:, None]",
            "A higher temperature should make the probabilities more alike. Yours?",
        ),
        mistake(
            "temperature after the softmax",
            ("scores / temperature[:, None] -> scores", "1, total) -> 1, total) / temperature[:, None]"),
            "Dividing probabilities breaks their sum of 1: the temperature belongs to the scores.",
        ),
        mistake(
            "the temperature as a power of the probabilities",
            (
                "scores / temperature[:, None] -> scores",
                "top, 0)) -> top, 0)) ** (1 / temperature[:, None])",
            ),
            "A probability that has become 0 stays 0, however high the temperature: divide the scores first.",
        ),
        mistake(
            "one temperature for all rows",
            "scores / temperature[:, None] -> scores / temperature[0]",
            "Each row has a temperature of its own.",
        ),
        mistake(
            "the mean temperature for all rows",
            "scores / temperature[:, None] -> scores / temperature.mean()",
            "Each row has a temperature of its own.",
        ),
        mistake(
            "the temperatures laid along the columns",  # raises an exception unless scores is square
            "scores / temperature[:, None] -> scores / temperature",
            "temperature has one number per row: give it an axis for the columns.",
        ),
        mistake(
            "masked after the softmax, not shared out again",
            ("np.where(allowed, -> np.where(allowed | True,", "return e -> return allowed * e"),
            "Do your rows still sum to 1?",
        ),
        mistake(
            "forbidden scores set to 0",
            "-np.inf -> 0",
            "exp(0) is 1, not 0: which score has the exponential 0?",
        ),
        mistake(
            "0 times infinity",
            "np.where(allowed, scores / temperature[:, None], -np.inf)"
            " -> scores / temperature[:, None] + (1 - allowed) * -np.inf",
            "For an allowed entry that is 0 times infinity, which is NaN: choose with np.where.",
        ),
        mistake(
            "nothing allowed: shared out evenly",
            "-np.inf -> -1e9",
            "A very low score instead of -inf is lowest among higher ones only. What if all are so low?",
        ),
        mistake(
            "nothing allowed: the forbidden shared out",
            "np.where(allowed, scores / temperature[:, None], -np.inf)"
            " -> scores / temperature[:, None] + (1 - allowed) * -1e9",
            "Something taken off all the scores of a row changes nothing. What if all are forbidden?",
        ),
        mistake(
            "a low score that is not low enough",
            "-np.inf -> -1e4",
            "-3000 at a temperature of 0.1 is -30000, lower than yours. Which number is lower than all?",
        ),
        mistake(
            "a low score, before the temperature, that is not low enough",
            "np.where(allowed, scores / temperature[:, None], -np.inf)"
            " -> np.where(allowed, scores, -1000) / temperature[:, None]",
            "An allowed score may be -3000, lower than yours. Which number is lower than all?",
        ),
        mistake(
            "a penalty that is not large enough",
            "np.where(allowed, scores / temperature[:, None], -np.inf)"
            " -> scores / temperature[:, None] + (1 - allowed) * -1e4",
            "3000 at a temperature of 0.1 is 30000: no penalty is always large enough, but -inf is.",
        ),
        mistake(
            "nothing allowed: 0 / 0",
            "np.where(total == 0, 1, total) -> total",
            "A row may allow nothing at all. What are its maximum and its sum, and what comes of them?",
        ),
        mistake(
            "the maximum never taken off",
            "np.exp(z - np.where(np.isfinite(top), top, 0)) -> np.exp(z)",
            "Scores may be 3000. Softmax does not mind a shift: which one keeps exp small?",
        ),
        mistake(
            "the maximum never taken off: 0 / 0, or infinity over infinity",
            (
                "np.exp(z - np.where(np.isfinite(top), top, 0)) -> np.exp(z)",
                "return e / np.where(total == 0, 1, total) -> return np.where(allowed, e / total, 0)",
            ),
            "exp(3000) is infinite, exp(-3000) is 0. Softmax does not mind a shift: which keeps exp small?",
        ),
        mistake(
            "the maximum never taken off, forbidden scores in exp, too",
            (
                "np.where(allowed, -> np.where(allowed | True,",
                "np.exp(z - np.where(np.isfinite(top), top, 0)) -> np.exp(z) * allowed",
            ),
            "exp(3000) is infinite, and infinity times False is NaN: shift the scores, and mask before exp.",
        ),
        mistake(
            "one maximum for the whole array",
            "z.max(-1, keepdims=True) -> z.max()",
            "A row far below another one has nothing left then: each row needs its own maximum.",
        ),
        mistake(
            "one sum for the whole array",
            "e.sum(-1, keepdims=True) -> e.sum()",
            "Each row sums to 1 by itself.",
        ),
        mistake(
            "the minimum instead of the maximum",
            "z.max(-1, keepdims=True) -> np.where(allowed, z, np.inf).min(-1, keepdims=True)",
            "Taking off the smallest score leaves positive exponents: they overflow.",
        ),
        mistake(
            "the mean instead of the maximum",
            "z.max(-1, keepdims=True)"
            " -> np.where(allowed, z, 0).sum(-1, keepdims=True) / (allowed.sum(-1, keepdims=True) + 1e-9)",
            "A score may lie 1000 above the mean, too: which shift leaves no positive exponent?",
        ),
        mistake(
            "the maximum of the scores before their division",
            "z.max(-1, keepdims=True) -> np.where(allowed, scores, -np.inf).max(-1, keepdims=True)",
            "The exponent should be 0 at most: take the maximum of what you take it off.",
        ),
        mistake(
            "the maximum of the forbidden ones, too",
            "z.max(-1, keepdims=True) -> (scores / temperature[:, None]).max(-1, keepdims=True)",
            "A forbidden score of 3000 as the maximum sends every allowed exponential to 0.",
        ),
        mistake(
            "forbidden taken out after the exponential",
            (
                "np.where(allowed, -> np.where(allowed | True,",
                "top, 0)) -> top, 0)) * allowed",
                "np.where(total == 0, 1, total) -> total",
            ),
            "The largest score of a row may be a forbidden one: what is left of the others beside it?",
        ),
        mistake(
            "a forbidden score through exp: infinity times 0",
            "np.exp(z - np.where(np.isfinite(top), top, 0))"
            " -> np.exp(scores / temperature[:, None] - np.where(np.isfinite(top), top, 0)) * allowed",
            "A forbidden score may be far above the largest allowed one, and infinity times False is NaN.",
        ),
        mistake(
            "not divided by the sum",
            "e / np.where(total == 0, 1, total) -> e",
            "Do your rows sum to 1?",
        ),
        mistake(
            "along the wrong axis",
            (
                "z.max(-1, keepdims=True) -> z.max(0, keepdims=True)",
                "e.sum(-1, keepdims=True) -> e.sum(0, keepdims=True)",
            ),
            "The probabilities of one row sum to 1: that is the last axis.",
        ),
        mistake(
            "keepdims forgotten",  # raises an exception unless scores is square, or one row
            ("z.max(-1, keepdims=True) -> z.max(-1)", "e.sum(-1, keepdims=True) -> e.sum(-1)"),
            "A maximum or sum along the rows has the shape (N,): keepdims=True makes it (N, 1).",
        ),
        mistake(
            "keepdims forgotten at the maximum",
            "z.max(-1, keepdims=True) -> z.max(-1)",
            "A maximum along the rows has the shape (N,): keepdims=True makes it (N, 1).",
        ),
        mistake(
            "keepdims forgotten at the sum",
            "e.sum(-1, keepdims=True) -> e.sum(-1)",
            "A sum along the rows has the shape (N,): keepdims=True makes it (N, 1).",
        ),
    ),
    hints=(
        "temperature[:, None] has shape (N, 1): it divides row by row.",
        "A score of -inf has the exponential 0: np.where(allowed, ..., -np.inf).",
        "A row of nothing but -inf has the maximum -inf. Replace it by 0, and a sum of 0 by 1.",
    ),
)
