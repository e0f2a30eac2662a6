"""Equal error rates and another prevalence: what a positive answer is then worth."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n):
        return tuple(rng.uniform(0.05, 0.95, n) for _ in range(3))

    def of(*columns):
        return tuple(np.array(column) for column in columns)

    return [
        of([0.5, 0.4], [0.2, 0.2], [0.4, 0.4]),
        of([0.3], [0.1], [0.6]),
        of([0.5], [0.5], [0.5]),
        of([0.0, 1.0, 0.3], [0.2, 0.3, 0.0], [0.4, 0.1, 0.5]),  # nobody, everybody; no false alarm
        of([0.4, 0.0, 0.7], [0.0, 0.0, 0.3], [1.0, 0.2, 1.0]),  # nobody is called; all calls are wrong
        of([0.01, 0.001], [0.05, 0.05], [0.0, 0.0]),  # a rare thing, a good test
        case(4),
        case(7),
        case(1),
        as_float32(case(5)),
    ]


def implied_ppv(prevalence, fpr, fnr):
    hits = prevalence * (1 - fnr)
    alarms = (1 - prevalence) * fpr
    called = hits + alarms
    known = called > 0
    return np.where(known, hits / np.where(known, called, 1), np.nan)


def through_odds(prevalence, fpr, fnr):
    with np.errstate(invalid="ignore", divide="ignore"):
        odds = (1 - prevalence) * fpr / (prevalence * (1 - fnr))
    return 1 / (1 + odds)


def masked(prevalence, fpr, fnr):
    recall = 1 - fnr
    share = prevalence * recall + fpr - prevalence * fpr
    with np.errstate(invalid="ignore", divide="ignore"):
        return (prevalence * recall / share).astype(prevalence.dtype)


EXERCISE = Exercise(
    title="What a positive answer is worth",
    points=2,
    minutes=10,
    difficulty=2,
    tolerance=1e-4,
    cases=cases,
    teaches=("fairness.implied_fpr",),
    reference=implied_ppv,
    alternatives=(through_odds, masked),
    equal=(
        ("known = called >= 0", "where nobody is called 0 / 0 is NaN, too"),
        ("known = called > -1", "where nobody is called 0 / 0 is NaN, too"),
        ("return np.where(known, hits / called, np.nan)", "where nobody is called 0 / 0 is NaN, too"),
        (
            "return np.where(known, hits / np.where(known, called, 2), np.nan)",
            "where nobody is called NaN takes its place",
        ),
        (
            "return np.where(known, hits / np.where(known, called, 0), np.nan)",
            "where nobody is called 0 / 0 is NaN, too",
        ),
        ("with np.errstate(divide='ignore'):", "it only keeps NumPy quiet"),
        ("with np.errstate(invalid='ignore'):", "it only keeps NumPy quiet"),
    ),
    mistakes=(
        mistake(
            "the false negative rate for the true positive one",
            "hits = prevalence * fnr",
            "Of those with target 1 the share 1 - FNR is called.",
        ),
        mistake(
            "forgot the prevalence",
            ("hits = 1 - fnr", "alarms = fpr"),
            "A rate is a share of a group: how large are the two groups?",
        ),
        mistake(
            "the prevalence on the wrong side",
            ("hits = (1 - prevalence) * (1 - fnr)", "alarms = prevalence * fpr"),
            "Prevalence is the share of those with target 1: they are the ones that can be hits.",
        ),
        mistake(
            "false alarms over everybody",
            "alarms = fpr",
            "Only those with target 0 can be false alarms, the share 1 - prevalence.",
        ),
        mistake(
            "hits over everybody",
            "hits = 1 - fnr",
            "Only those with target 1 can be hits, the share of the prevalence.",
        ),
        mistake(
            "false alarms with the prevalence of the ones",
            "alarms = prevalence * fpr",
            "False alarms come from those with target 0: their share is 1 - prevalence.",
        ),
        mistake(
            "the true negative rate for the false alarms",
            "alarms = (1 - prevalence) * (1 - fpr)",
            "FPR itself is the share of the zeros that are called.",
        ),
        mistake(
            "hits for each false alarm, the odds",
            "called = alarms",
            "A share of all that are called is asked for: hits and false alarms together.",
        ),
        mistake(
            "the share of false alarms among the called",
            "hits / np.where -> alarms / np.where",
            "That is 1 - PPV. Of the called, how many are hits?",
        ),
        mistake(
            "hits among all, not among the called",
            "return np.where(known, hits, np.nan)",
            "Divide by all that are called.",
        ),
        mistake(
            "worth of a negative answer",
            (
                "hits = (1 - prevalence) * (1 - fpr)",
                "alarms = prevalence * fnr",
            ),
            "That is how often a 0 is right, NPV. What is a 1 worth?",
        ),
        mistake(
            "0 where nobody is called",
            "np.nan -> 0",
            "Where nobody is called, nobody can say what a call is worth: NaN.",
        ),
        mistake(
            "1 where nobody is called",
            "np.nan -> 1",
            "Where nobody is called, nobody can say what a call is worth: NaN.",
        ),
        mistake(
            "NaN as soon as there is no hit",
            "known = hits > 0",
            "Calls that are all wrong are worth 0; only where nobody is called nothing is known.",
        ),
        mistake(
            "the mean of the two true rates",
            "return np.where(known, (1 - fnr + 1 - fpr) / 2, np.nan)",
            "That is the balanced accuracy, which does not know the prevalence.",
        ),
        mistake(
            "NaN as soon as there is no false alarm",
            "known = alarms > 0",
            "Without any false alarm every call is right: that is a PPV of 1, not an unknown one.",
        ),
        mistake(
            "hits for each false alarm, without end where there is none",
            "return np.where(alarms > 0, hits / np.where(alarms > 0, alarms, 1), "
            "np.where(known, np.inf, np.nan))",
            "Divide by all who are called: hits and false alarms.",
        ),
    ),
    hints=(
        "Think of 1,000 people: how many have target 1, and how many of them are called? And of the others?",
        "PPV = p (1 - FNR) / (p (1 - FNR) + (1 - p) FPR).",
    ),
)
