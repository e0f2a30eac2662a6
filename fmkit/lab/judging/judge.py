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

from fmkit.lab.judging import shown
from fmkit.lab.judging.answer import Outcome, names_used, run_answer
from fmkit.lab.judging.compare import Difference, difference, kind
from fmkit.lab.judging.exercise import Exercise
from fmkit.lab.judging.naming import Known, find_known, find_name, known_outcomes
from fmkit.lab.judging.plain import leaves, plain
from fmkit.lab.judging.quiet import quiet
from fmkit.lab.judging.saying import what_is_right, what_is_said


@dataclass(frozen=True)
class Verdict:
    """What the check found.

    Attributes
    ----------
    status : str
        ``"ok"``, ``"wrong"`` or ``"undone"`` (a placeholder is still in the answer).
    kind : str
        Of a wrong answer: ``none``, ``type``, ``count``, ``order``, ``keys``, ``shape``, ``dtype``, ``nan``,
        ``value``, ``overwritten``, ``raised``, ``call``, ``timeout``, ``module``, ``taught`` or ``missing``.
    message : str
        One sentence that says what is wrong.
    misconception, hint : str
        What the answer is like (a known mistake, two at once, "as if ..."), and a hint; or empty.
    how : str
        ``same``, ``part``, ``two`` or ``edit``: see `naming.Name`.
    known : tuple of str
        Names of the known mistakes in it.
    right : str
        What is right of it, in a sentence, or empty.
    says : tuple of str
        Sentences that are true of this answer: a factor, a place, which inputs.
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
    how: str = ""
    known: tuple[str, ...] = ()
    right: str = ""
    says: tuple[str, ...] = ()


def make_cases(exercise: Exercise, seed: int | None = None) -> list:
    """The exercise's inputs; without a seed, other ones each time."""
    seed = int.from_bytes(os.urandom(8), "little") if seed is None else seed
    return exercise.cases(np.random.default_rng(seed))


def judge_answer(
    exercise: Exercise, fn: Any, seed: int | None = None, seconds: int | float | None = None
) -> Verdict:
    """Make cases, run ``fn`` on them here, and judge. What it may import is judged too."""
    if exercise.recorded:
        cases, known = exercise.recorded[np.random.default_rng(seed).integers(len(exercise.recorded))]
    else:
        cases, known = make_cases(exercise, seed), None
    outcomes = run_answer(fn, cases, seconds)
    return judge(exercise, cases, outcomes, names_used(fn), known, seconds and SEARCH)


PLAIN = ("all zero", "whatever the input", "unchanged")  # who hands these in has made no slip of the pen
WIDE = (
    "np.sqrt or np.log of a plain number, np.zeros, np.ones or np.eye without a dtype, .astype(float), whole "
    "numbers beside floats and a mask divided by a number make float64: take math.sqrt, give a dtype, or use "
    ".astype at the end."
)
SEARCH = 1.0  # seconds that a learner waits at most for a name


def judge(
    exercise: Exercise,
    cases: list,
    outcomes: list[Outcome],
    names: Iterable[str] = (),
    known: Known | None = None,
    seconds: float | None = None,
) -> Verdict:
    """Judge what an answer did on the cases.

    Parameters
    ----------
    exercise : Exercise
    cases : list of tuples
        What the answer was called with.
    outcomes : list of Outcome
        From `run_answer`, one per case. Their values are read strictly, wherever they come from.
    names : iterable of str
        What the answer uses, from `names_used`.
    known : Known, optional
        From `known_outcomes` on the same cases, when more than one answer is to be judged on them.
    seconds : float, optional
        Time to look for what a wrong answer is like; without it, as long as it takes.

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
    at = _worst(problems, cases)
    if at is None:
        return _right(exercise, names, cases, outcomes)
    problem = problems[at]
    rows, notes = (
        _rows(exercise, cases, outcomes, expected, at, problem),
        _notes(exercise, expected, outcomes, at, problem, names),
    )
    wrong = Verdict("wrong", problem.kind, problem.message, rows=rows, notes=notes)
    if problem.kind in ("call", "timeout"):
        return wrong
    with quiet():
        known = known or known_outcomes(exercise, cases)
        if problem.kind == "order":  # said already, and it is all
            found = find_known(exercise, cases, outcomes, known)
        else:
            found = find_name(exercise, cases, outcomes, known, seconds)
    right = what_is_right(exercise, expected, outcomes)
    is_named = found and found.how in ("same", "two")
    says = (
        () if is_named or problem.kind == "order" else what_is_said(exercise, cases, expected, outcomes, at)
    )
    says = (*says, *_proven(exercise, cases, outcomes))
    if found and found.how == "edit" and any(words in say for say in says for words in PLAIN):
        found = None
    wrong = replace(wrong, right=right, says=says)
    if found is None:
        is_wide = problem.kind == "dtype" and ("yours", "float64") in problem.rows
        return replace(wrong, hint=WIDE) if is_wide else wrong
    return replace(wrong, misconception=found.words, hint=found.hint, how=found.how, known=found.known)


def _undone(exercise, outcomes) -> Verdict:
    failure = next(o.failure for o in outcomes if o.failure and o.failure.kind == "unfinished")
    is_ours = failure.code.startswith("raise NotImplementedError")  # the student version's own placeholder
    rows = (("placeholder", f"line {failure.line}: {failure.code}"),) if failure.code and not is_ours else ()
    return Verdict(
        "undone", message="Write the function and run its cell, then run this one again.", rows=rows
    )


HARMLESS = ("tqdm",)  # may be used in any answer: it answers nothing
_PYTHONS_OWN = sys.stdlib_module_names - {"importlib"}  # importlib brings in anything


def _right(exercise, names, cases, outcomes) -> Verdict:
    """Right values: does the answer use what it may not, or a function that it should write itself?"""
    if barred := barred_names(exercise, names):
        message = f"The values are right, but the answer uses {' and '.join(barred)}."
        rows = (("may be used", "NumPy, Python's own library, and what the chapter's first cell imports"),)
        return Verdict("wrong", "module", message, rows=rows)
    if taught := _taught(exercise, names):
        return Verdict("wrong", "taught", f"The values are right. In this exercise write {taught} yourself.")
    return Verdict("ok", says=_proven(exercise, cases, outcomes))


def _proven(exercise, cases, outcomes) -> tuple[str, ...]:
    """What the exercise's attack makes of the outcomes. They may hold anything: then it proves nothing."""
    if exercise.attack is None:
        return ()
    try:
        with quiet():
            return tuple(filter(None, [exercise.attack(cases, outcomes)]))
    except (TypeError, ValueError, IndexError, AttributeError, ArithmeticError):
        return ()


def _taught(exercise, names) -> str:
    """The functions that the exercise is about and that the answer calls, in words, or nothing."""
    taught = sorted(n for n in exercise.teaches if f"fmkit.{n}" in names)
    return " and ".join(name.split(".")[-1] for name in taught)


def barred_names(exercise: Exercise, names: Iterable[str]) -> list[str]:
    """Of what an answer uses, what no answer to this exercise may use."""

    def is_allowed(name):
        return name.split(".")[0] in _PYTHONS_OWN or any(
            name == allowed or name.startswith(allowed + ".") or allowed.startswith(name + ".")
            for allowed in (*exercise.allowed, *HARMLESS)
        )

    barred = sorted(name for name in names if not is_allowed(name))
    return [name for name in barred if not any(other.startswith(name + ".") for other in barred)]


# --- one case ----------------------------------------------------------------------------------------------

_SOFT = ("overwritten", "dtype")  # right values in a wrong form: told only where nothing worse is found


def _worst(problems, cases) -> int | None:
    """Which case to tell about: the task's own example, which is the first, else the smallest that is wrong.

    A case with wrong values goes before one that is only in a wrong form, or in another order by chance.
    """
    every = [i for i, p in enumerate(problems) if p]
    hard = [i for i in every if problems[i].kind not in _SOFT]
    hardest = [i for i in hard if problems[i].kind != "order"]
    return min(hardest or hard or every, key=lambda i: (i > 0, shown.size(list(cases[i])), i), default=None)


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


def _rows(exercise, cases, outcomes, expected, at, problem) -> tuple[tuple[str, str], ...]:
    if problem.kind in ("call", "timeout", "overwritten"):
        return problem.rows
    rows = problem.rows
    e, g = expected[at].value, outcomes[at].value
    if problem.kind in ("value", "nan") and max(shown.size(e), shown.size(g)) <= shown.ROOM:
        more = tuple(row for row in rows if row[0] in ("where",)) if isinstance(e, (str, dict)) else ()
        rows = (*more, ("expected", shown.text(e)), ("yours", shown.text(g)))
    return (*rows, *shown.case_rows(f"input {at + 1} of {len(cases)}", _names(exercise), cases[at]))


def _other_dtype(expected, outcomes) -> str:
    """What comes back in float64 for float32: a second thing that a name does not tell."""
    for right, ours in zip(expected, outcomes, strict=True):
        both = leaves(right.value), leaves(ours.value)
        if right.failure or ours.failure or len(both[0]) != len(both[1]):
            continue
        for e, o in zip(*both, strict=True):
            dtypes = getattr(e, "dtype", None), getattr(o, "dtype", None)
            if dtypes == (np.float32, np.float64):
                return "Besides, float64 comes back where the input is in float32."
    return ""


def _notes(exercise, expected, outcomes, at, problem, names) -> tuple[str, ...]:
    notes = []
    if taught := _taught(exercise, names):
        notes.append(f"In this exercise write {taught} yourself.")
    overwritten = sorted({where for o in outcomes for where in o.overwritten})
    if overwritten and problem.kind != "overwritten":
        notes.append(f"It also overwrites its {_arguments(exercise, overwritten)}.")
    if problem.kind != "dtype" and (dtype := _other_dtype(expected, outcomes)):
        notes.append(dtype)
    if outcomes[at].warned and problem.kind in ("nan", "value"):
        notes.append(f"NumPy warned: {outcomes[at].warned}")
    if outcomes[at].printed.strip():
        notes.append("It printed: " + " | ".join(outcomes[at].printed.strip().splitlines()[:5])[:300])
    return tuple(notes)
