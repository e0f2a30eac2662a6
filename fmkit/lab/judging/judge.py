"""Judge an answer: a pure function of plain data, so a grader can judge outside the learner's process.

`run_answer` (in `judging.answer`) makes the outcomes wherever the answer may run; `judge` compares them
with the reference's, and names the known mistake that behaves in the same way.
"""

import inspect
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fmkit.lab.judging.answer import Outcome, modules_used, run_answer
from fmkit.lab.judging.compare import Difference, agree, difference, distance, kind
from fmkit.lab.judging.exercise import Exercise
from fmkit.lab.judging.plain import is_plain, plain


@dataclass(frozen=True)
class Verdict:
    """What the check found.

    Attributes
    ----------
    status : str
        ``"ok"``, ``"wrong"`` or ``"undone"`` (a placeholder is still in the answer).
    kind : str
        Of a wrong answer: ``none``, ``type``, ``count``, ``order``, ``keys``, ``shape``, ``dtype``, ``nan``,
        ``value``, ``overwritten``, ``raised``, ``call``, ``timeout``, ``module`` or ``missing``.
    message : str
        One sentence that says what is wrong.
    misconception, hint : str
        Name and hint of the known mistake that behaves in the same way, or empty.
    rows : tuple of (str, str)
        The first difference as a small table.
    notes : tuple of str
        What else was seen: output, a warning, another argument overwritten.
    """

    status: str
    kind: str = ""
    message: str = ""
    misconception: str = ""
    hint: str = ""
    rows: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def make_cases(exercise: Exercise, seed: int | None = None) -> list:
    """The exercise's inputs; without a seed, other ones each time."""
    seed = int.from_bytes(os.urandom(8), "little") if seed is None else seed
    return exercise.cases(np.random.default_rng(seed))


def judge_answer(
    exercise: Exercise, fn: Any, seed: int | None = None, seconds: int | float | None = None
) -> Verdict:
    """Make cases, run ``fn`` on them here, and judge. What it may import is judged too."""
    cases = make_cases(exercise, seed)
    return judge(exercise, cases, run_answer(fn, cases, seconds), modules_used(fn))


@dataclass(frozen=True)
class Known:
    """What the reference and each known mistake do on some cases; worth keeping to judge many answers."""

    reference: list[Outcome]
    mistakes: list[list[Outcome]]


def known_outcomes(exercise: Exercise, cases: list) -> Known:
    """Run the reference and the known mistakes on the cases."""
    wrong = [run_answer(exercise.wrong(mistake), cases) for mistake in exercise.mistakes]
    return Known(run_answer(exercise.reference, cases), wrong)


def judge(
    exercise: Exercise,
    cases: list,
    outcomes: list[Outcome],
    modules: Iterable[str] = (),
    known: Known | None = None,
) -> Verdict:
    """Judge what an answer did on the cases.

    Parameters
    ----------
    exercise : Exercise
    cases : list of tuples
        What the answer was called with.
    outcomes : list of Outcome
        From `run_answer`, one per case. Their values are read strictly, wherever they come from.
    modules : iterable of str
        Modules that the answer uses, from `modules_used`.
    known : Known, optional
        From `known_outcomes` on the same cases, when more than one answer is to be judged on them.

    Returns
    -------
    Verdict
    """
    if any(o.failure and o.failure.kind == "unfinished" for o in outcomes):
        return _undone(exercise, outcomes)
    if len(outcomes) != len(cases):
        return Verdict("wrong", "missing", f"{len(outcomes)} of {len(cases)} inputs were answered.")
    outcomes = [replace(o, value=plain(o.value)) for o in outcomes]
    expected = known.reference if known else run_answer(exercise.reference, cases)
    problems = [_problem(exercise, *both) for both in zip(expected, outcomes, strict=True)]
    at = _worst(problems)
    if at is None:
        return _right(exercise, modules)
    problem = problems[at]
    rows, notes = _rows(exercise, cases, at, problem), _notes(exercise, outcomes, at, problem)
    wrong = Verdict("wrong", problem.kind, problem.message, rows=rows, notes=notes)
    if problem.kind in ("call", "timeout"):
        return wrong
    named = _named(exercise, known or known_outcomes(exercise, cases), outcomes)
    return wrong if named is None else replace(wrong, misconception=named.name, hint=named.hint)


def _undone(exercise, outcomes) -> Verdict:
    failure = next(o.failure for o in outcomes if o.failure and o.failure.kind == "unfinished")
    is_ours = failure.code.startswith("raise NotImplementedError")  # the student version's own placeholder
    rows = (("placeholder", f"line {failure.line}: {failure.code}"),) if failure.code and not is_ours else ()
    return Verdict(
        "undone", message="Write the function and run its cell, then run this one again.", rows=rows
    )


HARMLESS = ("tqdm",)  # may be used in any answer: it answers nothing
_PYTHONS_OWN = sys.stdlib_module_names - {"importlib"}  # importlib brings in anything


def _right(exercise, modules) -> Verdict:
    def is_allowed(module):
        return module.split(".")[0] in _PYTHONS_OWN or any(
            module == name or module.startswith(name + ".") for name in (*exercise.allowed, *HARMLESS)
        )

    barred = sorted(m for m in modules if not is_allowed(m))
    if barred:
        message = f"The values are right, but the answer uses {' and '.join(barred)}."
        rows = (("may be used", ", ".join((*exercise.allowed, "Python's own library"))),)
        return Verdict("wrong", "module", message, rows=rows)
    return Verdict("ok")


# --- one case ----------------------------------------------------------------------------------------------

_SOFT = ("overwritten", "dtype")  # right values in a wrong form: told only where nothing worse is found


def _worst(problems) -> int | None:
    """Which case to tell about: the first with wrong values, else the first with any problem."""
    hard = [i for i, p in enumerate(problems) if p and p.kind not in _SOFT]
    soft = [i for i, p in enumerate(problems) if p]
    return (hard or soft or [None])[0]


def _problem(exercise: Exercise, expected: Outcome, got: Outcome) -> Difference | None:
    """What is wrong with one outcome, or None."""
    if got.failure or expected.failure:
        return _failed(exercise, expected, got)
    values = difference(expected.value, got.value, exercise.tolerance, strict=False)
    if values:
        return values
    extra = set(got.overwritten) - set(expected.overwritten)
    if extra:
        names = _arguments(exercise, sorted(extra))
        return Difference("overwritten", f"The values are right, but the function overwrites its {names}.")
    return difference(expected.value, got.value, exercise.tolerance)


def _failed(exercise, expected, got) -> Difference | None:
    if got.failure is None:
        message = f"{expected.failure.type} should be raised for this input; yours returns {kind(got.value)}."
        return Difference("raised", message)
    if expected.failure and expected.failure.type in got.failure.ancestors:
        return None
    failure = got.failure
    at = f"{failure.line}: {failure.code}" if failure.code else str(failure.line)  # a terminal has no source
    line = (("line", at),) if failure.line else ()
    if failure.kind == "timeout":
        return Difference(
            "timeout", "It was stopped: no answer in the time allowed. A loop that never ends?", line
        )
    if failure.kind == "call":
        names = ", ".join(_names(exercise))
        return Difference("call", f"It cannot be called with ({names}): {failure.message}.")
    rows = (("exception", f"{failure.type}: {failure.message}"), *line)
    return Difference("raised", f"It raises {failure.type}.", rows)


def _names(exercise) -> list[str]:
    return list(inspect.signature(exercise.reference).parameters)


def _arguments(exercise, places) -> str:
    names = " and ".join(_argument(exercise, *where) for where in places)
    return f"argument{'s' if len(places) > 1 else ''} {names}"


def _argument(exercise, position, path) -> str:
    return _names(exercise)[position] + path


def _rows(exercise, cases, at, problem) -> tuple[tuple[str, str], ...]:
    if problem.kind in ("call", "timeout", "none", "count", "overwritten"):
        return problem.rows
    return (*problem.rows, (f"input {at + 1} of {len(cases)}", _inputs(exercise, cases[at])))


def _inputs(exercise, case) -> str:
    """The arguments of one case, in short: ``x (4, 3) float32, scale 0.53``."""
    return ", ".join(f"{n} {_short(v)}" for n, v in zip(_names(exercise), case, strict=False))


def _short(value) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.shape} {value.dtype}"
    if isinstance(value, dict):
        inner = ", ".join(f"{k} {_short(v)}" for k, v in list(value.items())[:4])
        return "{" + inner + (", ...}" if len(value) > 4 else "}")
    text = f"{value:.4g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= 60 else text[:56] + " ..."


def _notes(exercise, outcomes, at, problem) -> tuple[str, ...]:
    notes = []
    overwritten = sorted({where for o in outcomes for where in o.overwritten})
    if overwritten and problem.kind != "overwritten":
        notes.append(f"It also overwrites its {_arguments(exercise, overwritten)}.")
    if outcomes[at].warned and problem.kind in ("nan", "value"):
        notes.append(f"NumPy warned: {outcomes[at].warned}")
    if outcomes[at].printed.strip():
        notes.append("It printed: " + " | ".join(outcomes[at].printed.strip().splitlines()[:5])[:300])
    return tuple(notes)


# --- naming ------------------------------------------------------------------------------------------------


def _named(exercise, known, outcomes):
    """The known mistake that does what the answer does on all cases, or None: the closest, then the first."""
    found = []
    for order, theirs in enumerate(known.mistakes):
        for strict in (True, False):
            is_like = _all_alike(theirs, outcomes, exercise.tolerance, strict)
            if is_like and not _all_alike(known.reference, theirs, exercise.tolerance, strict):
                found.append((not strict, _apart(theirs, outcomes), order))
                break
    return exercise.mistakes[min(found)[2]] if found else None


def _all_alike(theirs, outcomes, tolerance, strict) -> bool:
    """Whether two lists of outcomes are one behaviour: values, exceptions by type, arguments overwritten.

    With ``strict`` False, dtypes and overwritten arguments do not count.
    """
    if all(o.failure for o in theirs):  # it never gives a value: then its words must agree too
        return [_raised(o, words=True) for o in theirs] == [_raised(o, words=True) for o in outcomes]
    return all(_alike(a, b, tolerance, strict) for a, b in zip(theirs, outcomes, strict=True))


def _alike(theirs, ours, tolerance, strict) -> bool:
    if theirs.failure or ours.failure:
        return _raised(theirs) == _raised(ours)
    if strict and set(theirs.overwritten) != set(ours.overwritten):
        return False
    return is_plain(ours.value) and agree(theirs.value, ours.value, tolerance, strict)


def _raised(outcome, words=False):
    failure = outcome.failure
    return failure and (failure.type, failure.message if words else "")


def _apart(theirs, outcomes) -> float:
    """How far two lists of like outcomes are apart; rounding does not count."""
    both = zip(theirs, outcomes, strict=True)
    apart = [distance(a.value, b.value) for a, b in both if not a.failure]
    return max(max(apart, default=0.0), 1e-7)
