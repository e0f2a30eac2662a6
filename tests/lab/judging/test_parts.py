"""Points for each returned value: what earns a part, and what does not."""

from dataclasses import replace

import numpy as np
import pytest

from fmkit.lab import exercises
from fmkit.lab.judging.answer import Outcome, names_used, run_answer
from fmkit.lab.judging.judge import make_cases
from fmkit.lab.judging.parts import right_parts

LINEAR = exercises.get("backprop.linear")
CASES = make_cases(LINEAR, 3)
EXPECTED = run_answer(LINEAR.reference, CASES)


def found(fn, exercise=LINEAR, cases=CASES, expected=EXPECTED):
    return right_parts(exercise, cases, expected, run_answer(fn, cases), names_used(fn))


def right(dout, x, w, scale):
    return LINEAR.reference(dout, x, w, scale)


@pytest.mark.parametrize(
    ("change", "dx", "dw"),
    [
        (lambda dx, dw, x: (dx, dw * 2), True, False),
        (lambda dx, dw, x: (dx * 2, dw), False, True),
        (lambda dx, dw, x: (dw, dx), False, False),
        (lambda dx, dw, x: (dx, None), True, False),
        (lambda dx, dw, x: [dx, dw * 2], True, False),
        (lambda dx, dw, x: dx, False, False),
        (lambda dx, dw, x: None, False, False),
        (lambda dx, dw, x: {"dx": dx}, False, False),
        (lambda dx, dw, x: (dx.astype(np.float64), dw * 2), False, False),
        (lambda dx, dw, x: (np.zeros_like(x), dw * 2), False, False),
        (lambda dx, dw, x: (dx if x.size > 1 else x, dw * 2), False, False),
        (lambda dx, dw, x: (dx * np.nan, dw), False, True),
    ],
)
def test_each_value_counts_by_itself_and_on_every_input(change, dx, dw):
    def answer(dout, x, w, scale):
        return change(*right(dout, x, w, scale), x)

    outcomes = run_answer(answer, CASES)
    assert right_parts(LINEAR, CASES, EXPECTED, outcomes) == {"dx": dx, "dw": dw}


def test_an_answer_that_overwrites_or_raises_has_no_right_part():
    def overwrites(dout, x, w, scale):
        dx, dw = right(dout, x, w, scale)
        x *= 2
        return dx, dw * 2

    def raises(dout, x, w, scale):
        if x.size > 1:
            raise ValueError("no")
        return right(dout, x, w, scale)

    for fn in (overwrites, raises):
        assert right_parts(LINEAR, CASES, EXPECTED, run_answer(fn, CASES)) == {"dx": False, "dw": False}


@pytest.mark.parametrize(
    "names", [["fmkit.layers.linear_backward"], ["scipy"], ["fmkit.lab.exercises"], ["torch"]]
)
def test_what_may_not_be_used_earns_nothing(names):
    outcomes = [Outcome((o.value[0], None)) for o in EXPECTED]
    assert right_parts(LINEAR, CASES, EXPECTED, outcomes)["dx"]
    assert right_parts(LINEAR, CASES, EXPECTED, outcomes, names) == {"dx": False, "dw": False}


def test_something_is_wrong_of_every_wrong_answer():
    outcomes = [Outcome((*o.value, 0)) for o in EXPECTED]
    assert right_parts(LINEAR, CASES, EXPECTED, outcomes) == {"dx": True, "dw": True, "the rest": False}
    assert right_parts(LINEAR, CASES, EXPECTED, EXPECTED[:-1]) == {}


@pytest.mark.parametrize(
    "free",
    [
        lambda x, c: 0.0,
        lambda x, c: np.zeros_like(x),
        lambda x, c: np.ones(x.shape),
        lambda x, c: x,
        lambda x, c: c["step"],
        lambda x, c: None,
        lambda x, c: "text",
    ],
)
def test_what_needs_no_thought_is_no_part(free):
    def reference(x, c):
        return x + c["step"], x * 2, free(x, c)

    exercise = replace(LINEAR, reference=reference, teaches=())
    cases = [(np.arange(1.0, n), {"step": n * 1.5}) for n in (3, 4, 6)]
    expected = run_answer(reference, cases)
    outcomes = [Outcome((o.value[0], None, o.value[2])) for o in expected]
    assert list(right_parts(exercise, cases, expected, outcomes).values()) == [True, False]


CONSTANTS = [None, 0.0, 1, "x", (), {}, [], ((), ()), (0, 0), (None, None)]


@pytest.mark.parametrize("chapter", ["02", "04", "06"])
def test_constants_earn_nothing_in_any_exercise(chapter):
    for exercise in (e for e in exercises.every() if e.chapter == chapter):
        cases = make_cases(exercise, 5)
        expected = run_answer(exercise.reference, cases)
        for answer in CONSTANTS:
            outcomes = [Outcome(answer)] * len(cases)
            found = right_parts(exercise, cases, expected, outcomes)
            assert not any(found.values()), (exercise.id, answer)
