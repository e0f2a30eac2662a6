"""The mean of several models' probabilities, in logs."""

import math

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(m, n, size=2.0):
        return np.log(rng.uniform(size=(m, n))) * size

    low, apart = case(3, 4) - 1000.0, case(4, 3) - np.array([0.0, 1000.0, 2000.0])
    impossible = case(3, 5)
    impossible[0, 1], impossible[:, 3] = -np.inf, -np.inf  # one model; all models
    quarrel = case(3, 4)  # within a column: only its largest value is a safe shift
    quarrel[0, :2] -= np.array([3000.0, 900.0])
    cases = [case(3, 4), case(2, 5, 5.0), low, apart, quarrel, impossible, case(5, 2).astype(np.float32)]
    return [(logp,) for logp in cases]


def log_mean_exp(logp):
    top = logp.max(0)
    safe = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):
        return np.log(np.exp(logp - safe).mean(0)) + safe


def logaddexp(logp):
    return np.logaddexp.reduce(logp, axis=0) - math.log(len(logp))


def loop(logp):
    out = np.empty_like(logp[0])
    for i, column in enumerate(logp.T.tolist()):
        top = max(column)
        if top == -math.inf:
            out[i] = top
        else:
            out[i] = top + math.log(sum(math.exp(v - top) for v in column) / len(column))
    return out


EXERCISE = Exercise(
    title="A committee of models",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=log_mean_exp,
    alternatives=(logaddexp, loop),
    mistakes=(
        mistake(
            "averaged the logs",
            "return logp.mean(0)",
            "A mean of logs is the log of another mean: one model that says impossible would veto all "
            "others.",
        ),
        mistake(
            "averaged over the examples, not the models",
            ("top = logp.max(1)", "return np.log(np.exp(logp - safe[:, None]).mean(1)) + safe"),
            "Axis 0 counts the models: one result for each column is wanted.",
        ),
        mistake(
            "no shift: exp underflows",
            "return np.log(np.exp(logp).mean(0))",
            "exp(-1000) is 0, and its log is lost: take the largest off before the exp.",
        ),
        mistake(
            "one shift for all the columns",
            "top = logp.max()",
            "Columns may be a thousand apart: each needs its own largest value taken off.",
        ),
        mistake(
            "took off the smallest, not the largest",
            "top = logp.min(0)",
            "With the smallest taken off, the others are far above 0: what does exp make of 3000?",
        ),
        mistake(
            "took off the mean, not the largest",
            "top = logp.mean(0)",
            "With the mean taken off, the largest can be far above 0: what does exp make of 2000?",
        ),
        mistake(
            "kept the best model only",
            "return top",
            "The largest is a good first guess, but the others have a share in the mean.",
        ),
        mistake(
            "NaN where every model says impossible",
            "safe = top",
            "-inf minus -inf is no number: what could you take off instead when the largest is -inf?",
        ),
        mistake(
            "summed instead of averaged",
            ".mean(0) -> .sum(0)",
            "With M equal models the result must be what each of them says: is it?",
        ),
        mistake(
            "forgot to add the shift back",
            "return np.log(np.exp(logp - safe).mean(0))",
            "What you took off before the exp must come back after the log.",
        ),
    ),
    hints=(
        "It is a log-sum-exp over axis 0, less the log of the number of models.",
        "Take each column's largest value off, exp, mean over axis 0, log, and add the largest back.",
        "Where the largest is -inf, take off 0 instead: np.where(np.isfinite(top), top, 0).",
    ),
)
