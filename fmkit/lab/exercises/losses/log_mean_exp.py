"""The mean of several models' probabilities, in logs."""

import math

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(m, n, size=2.0):
        return np.log(rng.uniform(size=(m, n))) * size

    example, one = np.log(np.array([[0.5], [0.1]])), case(1, 3)
    low, apart = case(3, 4) - 1000.0, case(4, 3) - np.array([0.0, 1000.0, 2000.0])
    one_model, all_models = case(3, 2), case(2, 3)
    one_model[0, 1], all_models[:, 1] = -np.inf, -np.inf  # impossible
    impossible = case(3, 5)
    impossible[0, 1], impossible[:, 3] = -np.inf, -np.inf
    quarrel = case(3, 4)  # within a column: only its largest value is a safe shift
    quarrel[0, :2] -= np.array([3000.0, 900.0])
    quarrel[1, 2] -= 3000.0
    cases = [example, case(2, 3), one, low, apart, quarrel, one_model, all_models, impossible]
    cases += [case(3, 4), case(2, 5, 5.0), case(5, 2).astype(np.float32)]
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


def an_epsilon_of(eps):
    return mistake(
        f"an epsilon of {eps} in the log",
        f"np.exp(logp - safe).mean(0) -> np.exp(logp - safe).mean(0) + {eps}",
        "What every model calls impossible is impossible, not just unlikely: log(0) = -inf is the answer.",
    )


EXERCISE = Exercise(
    title="A committee of models",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    equal=(
        *(
            (f"safe = np.where(np.isfinite(top), top, {shift})", "-inf less any finite number is -inf")
            for shift in (1, -1, 2)
        ),
        ("with np.errstate():", "a warning more"),
        ("return np.logaddexp.reduce(logp) - math.log(len(logp))", "reduce runs along axis 0 anyway"),
    ),
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
            "safe = np.zeros_like(top)",
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
            "kept the worst model only",
            "return logp.min(0)",
            "One model that says impossible would veto all others: the mean is asked for.",
        ),
        mistake(
            "the probability instead of its log",
            "return np.exp(logp).mean(0)",
            "Logs are wanted back: exp(-1000) cannot even be told from 0.",
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
            ".mean(0)) + safe -> .mean(0))",
            "What you took off before the exp must come back after the log.",
        ),
        mistake(
            "added log M instead of taking it off",
            ".mean(0) -> .sum(0) * len(logp)",
            "A mean is a sum divided by M: what does the log make of a division?",
        ),
        mistake(
            "divided by M outside the log",
            "return np.log(np.exp(logp - safe).mean(0)) + safe -> "
            "return (np.log(np.exp(logp - safe).sum(0)) + safe) / len(logp)",
            "The mean of the probabilities is wanted, so M divides before the log is taken.",
        ),
        mistake(
            "divided by M outside the log, and only then added the shift",
            "np.log(np.exp(logp - safe).mean(0)) + -> np.log(np.exp(logp - safe).sum(0)) / len(logp) +",
            "The mean of the probabilities is wanted, so M divides before the log is taken.",
        ),
        mistake(
            "divided by the number of examples, not of models",
            ".mean(0) -> .sum(0) / logp.shape[1]",
            "The mean is over the models: how many are there, and along which axis?",
        ),
        mistake(
            "began with a probability of 1",
            "return np.logaddexp(0, np.logaddexp.reduce(logp, axis=0)) - math.log(len(logp))",
            "A sum begins with 0, and the log of 0 is -inf: a log of 0 is a probability of 1.",
        ),
        mistake(
            "took off the first model's, not the largest",
            "top = logp[0]",
            "Another model can be far above the first: what does exp make of 3000?",
        ),
        mistake(
            "models that say impossible are not counted",
            ".mean(0) -> .sum(0) / np.maximum(np.isfinite(logp).sum(0), 1)",
            "A model that says impossible has a vote as well: its probability is 0, and M stays M.",
        ),
        mistake(
            "a finite number where every model says impossible",
            "return np.log(np.exp(logp - safe).mean(0)) + safe -> "
            "logp = np.maximum(logp, -1e9)\nsafe = logp.max(0)\n"
            "return np.log(np.exp(logp - safe).mean(0)) + safe",
            "What every model calls impossible is impossible, not just unlikely: -inf is the answer.",
        ),
        mistake(
            "0, which is certain, where every model says impossible",
            "return np.log(np.exp(logp - safe).mean(0)) + safe -> "
            "return np.where(np.isfinite(top), np.log(np.exp(logp - safe).mean(0)) + safe, 0)",
            "A log of 0 is a probability of 1: the log of impossible is -inf.",
        ),
        *map(an_epsilon_of, ("1e-7", "1e-8", "1e-9", "1e-10", "1e-12", "1e-15", "1e-300")),
    ),
    hints=(
        "It is a log-sum-exp over axis 0, less the log of the number of models.",
        "Take each column's largest value off, exp, mean over axis 0, log, and add the largest back.",
        "Where the largest is -inf, take off 0 instead: np.where(np.isfinite(top), top, 0).",
    ),
)
