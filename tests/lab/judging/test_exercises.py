"""The proof: every registered exercise rejects and names its misconceptions, and accepts what is right.

A new chapter's exercises are covered as soon as their module lies in fmkit/lab/exercises.
"""

import ast
import inspect
import json
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
from helpers.paths import NOTEBOOKS
from helpers.proof import unproven

from fmkit.lab import exercises
from fmkit.lab.judging.answer import Outcome, run_answer
from fmkit.lab.judging.exercise import Exercise
from fmkit.lab.judging.judge import judge, known_outcomes, make_cases
from fmkit.lab.judging.mistakes import source_of
from fmkit.lab.judging.plain import is_plain, leaves, plain
from fmkit.lab.proof import edits_of
from fmkit.lab.proving import code_lines, given_lines

EVERY = exercises.every()
each_exercise = pytest.mark.parametrize("exercise", EVERY, ids=lambda e: e.id)
some_seeds = pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])


@lru_cache(maxsize=4)
def _known(id, seed):
    exercise = exercises.get(id)
    cases = make_cases(exercise, seed)
    return cases, known_outcomes(exercise, cases)


def known(exercise, seed):
    return _known(exercise.id, seed)


# --- the proof ---------------------------------------------------------------------------------------------


@each_exercise
def test_mistakes_are_named_and_right_answers_accepted(exercise):
    assert not unproven(exercise, range(1))


def map_leaves(f, value):
    if isinstance(value, dict):
        return {k: map_leaves(f, v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([map_leaves(f, v) for v in value])
    return f(value)


def filled(number, text):
    """A lazy leaf: of the right form, filled with one number (or text)."""

    def fill(leaf):
        if isinstance(leaf, str):
            return text
        is_text = isinstance(leaf, np.ndarray) and leaf.dtype.kind == "U"
        if leaf is None or is_text:
            return leaf
        with np.errstate(invalid="ignore"):
            value = np.full_like(leaf, number) if isinstance(leaf, np.ndarray) else type(leaf)(number)
        return value

    return fill


def nan_leaf(leaf):
    is_float = isinstance(leaf, float) or (isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f")
    return filled(np.nan, "")(leaf) if is_float else filled(0, "")(leaf)


def scaled(leaf):
    is_float = isinstance(leaf, float) or (isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f")
    return leaf * (1 + 1e-3) if is_float else leaf


def transposed(leaf):
    return leaf.T.copy() if isinstance(leaf, np.ndarray) and leaf.ndim > 1 else leaf


LAZY = {
    "zeros": lambda cases, right: [map_leaves(filled(0, ""), v) for v in right],
    "ones": lambda cases, right: [map_leaves(filled(1, "a"), v) for v in right],
    "NaN": lambda cases, right: [map_leaves(nan_leaf, v) for v in right],
    "None": lambda cases, right: [None for _ in right],
    "the first argument": lambda cases, right: [plain(case[0]) for case in cases],
    "the last argument": lambda cases, right: [plain(case[-1]) for case in cases],
    "one constant": lambda cases, right: [right[0] for _ in right],
    "right for the first input only": lambda cases, right: [
        v if i == 0 else map_leaves(filled(0, ""), v) for i, v in enumerate(right)
    ],
    "empty": lambda cases, right: [() for _ in right],
    "a thousandth too large": lambda cases, right: [map_leaves(scaled, v) for v in right],
    "transposed": lambda cases, right: [map_leaves(transposed, v) for v in right],
}
MAY_CHANGE_NOTHING = ("a thousandth too large", "transposed")  # a text, a vector


@some_seeds
@each_exercise
def test_lazy_answers_are_rejected(exercise, seed):
    cases, theirs = known(exercise, seed)
    right = [o.value for o in theirs.reference]
    for name, lazy in LAZY.items():
        values = lazy(cases, right)
        if name in MAY_CHANGE_NOTHING and repr(values) == repr(right):
            continue
        verdict = judge(exercise, cases, [Outcome(v) for v in values], known=theirs, seconds=0)
        assert verdict.status == "wrong", name


@some_seeds
@each_exercise
def test_every_number_of_the_input_counts(exercise, seed):
    """Who writes the first input's 0.9 into the function instead of beta1 is found out."""
    cases, theirs = known(exercise, seed)
    for position, first in enumerate(cases[0]):
        if type(first) not in (int, float):
            continue
        frozen = [(*case[:position], first, *case[position + 1 :]) for case in cases]
        verdict = judge(exercise, cases, run_answer(exercise.reference, frozen), known=theirs, seconds=0)
        assert verdict.status == "wrong", f"argument {position}"


def as_fortran(leaf):
    return np.asfortranarray(leaf) if isinstance(leaf, np.ndarray) and leaf.ndim else leaf


def as_view(leaf):
    if not isinstance(leaf, np.ndarray) or not leaf.ndim:
        return leaf
    return np.repeat(leaf, 2, axis=-1)[..., ::2]


class Subclass(np.ndarray):
    pass


def as_subclass(leaf):
    return leaf.view(Subclass) if isinstance(leaf, np.ndarray) else leaf


def as_python(leaf):
    return leaf.item() if isinstance(leaf, np.ndarray) and leaf.ndim == 0 else leaf


def as_list_of_values(value):
    return list(value) if isinstance(value, tuple) else value


@each_exercise
def test_right_values_in_another_honest_form_are_accepted(exercise):
    cases, theirs = known(exercise, 2)
    for form in (as_fortran, as_view, as_subclass, as_python):
        values = [as_list_of_values(map_leaves(form, o.value)) for o in theirs.reference]
        verdict = judge(exercise, cases, [Outcome(v) for v in values], known=theirs, seconds=0)
        assert verdict.status == "ok", form.__name__


# --- what an exercise must have ----------------------------------------------------------------------------


@each_exercise
def test_an_exercise_is_complete(exercise):
    assert isinstance(exercise, Exercise)
    assert re.fullmatch(r"[a-z0-9_]+\.[a-z0-9_]+", exercise.id)
    assert re.fullmatch(r"\d\d", exercise.chapter)
    assert len(exercise.mistakes) >= 4
    assert len(exercise.alternatives) >= 2
    assert len(exercise.hints) >= 2
    assert 1 <= exercise.difficulty <= 5
    assert exercise.points >= 1 and exercise.minutes >= 1
    names = [m.name for m in exercise.mistakes]
    assert len(set(names)) == len(names)
    assert all(m.name.strip() and m.hint.strip().endswith((".", "?", "!")) for m in exercise.mistakes)
    assert exercise.title.strip() and all(h.strip() for h in exercise.hints)


@each_exercise
def test_all_answers_take_the_same_arguments(exercise):
    count = len(inspect.signature(exercise.reference).parameters)
    cases = make_cases(exercise, 0)
    assert cases and all(len(case) == count for case in cases)
    for fn in (*exercise.alternatives, *(exercise.wrong(m) for m in exercise.mistakes)):
        inspect.signature(fn).bind(*cases[0])


@each_exercise
def test_inputs_and_results_are_plain_data(exercise):
    cases, theirs = known(exercise, 0)
    outcomes = theirs.reference
    for case in cases:
        assert type(case) is tuple
        assert all(is_plain(plain(argument)) for argument in case)
        assert not any(isinstance(leaf, bytes) for argument in case for leaf in leaves(argument))
    assert any(o.failure is None for o in outcomes)
    failures = {o.failure.type for o in outcomes if o.failure}
    assert failures <= {"ValueError", "KeyError", "IndexError", "ZeroDivisionError"}, (
        "the reference is broken"
    )
    assert all(is_plain(o.value) for o in outcomes if o.failure is None)
    assert not any(o.overwritten for o in outcomes), "the reference overwrites an argument"


@each_exercise
def test_inputs_are_new_each_time(exercise):
    assert repr(make_cases(exercise, 1)) != repr(make_cases(exercise, 2))
    assert repr(make_cases(exercise, 1)) == repr(make_cases(exercise, 1))
    assert repr(make_cases(exercise)) != repr(make_cases(exercise))


def test_ids_are_unique_and_name_their_module():
    ids = [e.id for e in EVERY]
    assert len(ids) == len(set(ids))
    for module in exercises.modules():
        for exercise in exercises.load(module):
            assert exercise.id.split(".")[0] == module


def test_a_module_is_one_chapter():
    for module in exercises.modules():
        assert len({e.chapter for e in exercises.load(module)}) == 1, module


def answer_cells() -> dict[str, str]:
    """The source of each answer cell, markers and all, by the exercise's id."""
    found = {}
    for path in sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb")):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            meta = cell["metadata"].get("nbgrader", {})
            if meta.get("solution") and cell["cell_type"] == "code":
                found[meta["grade_id"].replace("-", ".", 1)] = "".join(cell["source"])
    return found


def without_markers(source: str) -> str:
    return "\n".join(line for line in source.splitlines() if not line.strip().startswith("### "))


SOURCES = answer_cells()
ANSWERS = {id: without_markers(source) for id, source in SOURCES.items()}


def test_every_exercise_has_an_answer_cell():
    assert set(ANSWERS) == {exercise.id for exercise in EVERY}


@each_exercise
def test_the_notebooks_solution_is_the_reference(exercise):
    file = Path(inspect.getsourcefile(inspect.unwrap(exercise.reference))).read_text("utf-8")
    assert exercise.reference.__name__ in ANSWERS[exercise.id]
    for node in ast.parse(ANSWERS[exercise.id]).body:
        if isinstance(node, ast.FunctionDef):
            assert ast.get_source_segment(ANSWERS[exercise.id], node) in file


@each_exercise
def test_every_mistake_can_be_made_inside_the_students_template(exercise):
    """The given lines stay: a known mistake without them is like no answer that anybody hands in."""
    given = given_lines(SOURCES[exercise.id], exercise.reference.__name__)
    without = {}
    for mistake in exercise.mistakes:
        kept = {line.strip() for line in code_lines(source_of(exercise.wrong(mistake)))}
        if missing := [line for line in given if line not in kept]:
            without[mistake.name] = missing
    assert not without


@pytest.mark.slow
@each_exercise
def test_edits_of_right_answers_are_refused_or_equal_for_a_reason(exercise):
    found = edits_of(exercise)
    assert not [f"as if {edit.words}: {edit.line}" for edit in found if not edit.refused and not edit.equal]
    passed = {edit.line for edit in found if not edit.refused}
    assert not [line for line, _ in exercise.equal if line not in passed], "not needed any more"


def test_most_mistakes_are_lines():
    """A function is for another way of thinking; where a line does, the line is written."""
    every = [mistake for exercise in EVERY for mistake in exercise.mistakes]
    assert sum(not callable(mistake.wrong) for mistake in every) >= 0.95 * len(every)


# --- the registry ------------------------------------------------------------------------------------------


def test_get_finds_each():
    for exercise in EVERY:
        assert exercises.get(exercise.id) is exercise


def test_get_imports_one_module_only(monkeypatch):
    asked = []
    real = exercises.load
    monkeypatch.setattr(exercises, "load", lambda module: asked.append(module) or real(module))
    exercises.get(EVERY[0].id)
    assert asked == [EVERY[0].id.split(".")[0]]


def test_an_unknown_id_names_the_near_ones():
    known = EVERY[0].id
    with pytest.raises(LookupError, match=re.escape(known)):
        exercises.get(known + "s")
    with pytest.raises(LookupError, match=re.escape(known)):
        exercises.get("wrong_module." + known.split(".")[1])
    with pytest.raises(LookupError, match="no exercise 'xyzzy'"):
        exercises.get("xyzzy")
    with pytest.raises(TypeError, match="string"):
        exercises.get(3)
