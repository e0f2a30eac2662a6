"""Exercises of a course's own: a file to begin with, the cells for a notebook, what is handed out with it."""

import ast
import inspect
import keyword
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from fmkit._files import write_whole
from fmkit._templates import render
from fmkit.chapters.read import read_file, to_text
from fmkit.course.chapter import Asked, grade_id_of, read_chapter
from fmkit.course.layout import Course
from fmkit.errors import ChapterError, CourseError
from fmkit.lab import exercises
from fmkit.lab.judging import own, recorded, shown
from fmkit.lab.judging.answer import run_answer
from fmkit.lab.judging.exercise import Exercise, grade_id
from fmkit.lab.judging.naming import LONGEST, all_alike

_TAKEN = ("cases", "loop", "mistake", "np")  # names in the example


def new(course: Course, id: str) -> list[Path]:
    """Lay a small example of an exercise and its notebook into the course; returns both files.

    Raises
    ------
    CourseError
        When the id cannot be one, is fmkit's own, or is there already.
    """
    if not own.ID.fullmatch(id):
        raise CourseError(f"{id!r} cannot name an exercise: it takes {own.RULE}")
    folder, name = id.split(".")
    if folder in exercises.modules() and any(e.id == id for e in exercises.load(folder)):
        raise CourseError(f"{id} is one of fmkit's own exercises: choose another name")
    if keyword.iskeyword(name) or name in _TAKEN:
        raise CourseError(f"{id!r} cannot name an exercise: {name} means something in its file already")
    path = course.exercises / folder / f"{name}.py"
    if found := [there for there in (path, path.with_suffix(".ipynb")) if there.exists()]:
        raise CourseError(f"{found[0]} is there already: edit it, or choose another name")
    write_whole(path, render("course", "exercise.py.txt", id=id, function=name).encode())
    return [path, write_cells(course, id)]


def write_cells(course: Course, id: str) -> Path:
    """Write the notebook beside an exercise's file anew: title, task, answer cell and check.

    Raises
    ------
    CourseError
        When the course has no such exercise.
    ExerciseError
    """
    path = own.file_of(id, course.exercises)
    if path is None:
        raise CourseError(f"there is no exercise {id!r} in {course.exercises}")
    target = path.with_suffix(".ipynb")
    write_whole(target, to_text(notebook(own.load(path))).encode())
    return target


def notebook(exercise: Exercise) -> dict:
    """A notebook with the cells of an exercise, to copy from, or to begin a chapter with."""
    cell, name = grade_id(exercise.id), exercise.reference.__name__
    parameters = ", ".join(inspect.signature(exercise.reference).parameters)
    dots = "●" * int(exercise.difficulty) + "○" * (5 - int(exercise.difficulty))
    points = f"{exercise.points:g} point{'' if exercise.points == 1 else 's'}"
    head = f"### {exercise.title} (difficulty {dots}, {exercise.minutes:g} minutes, {points})"
    words = f"Say here what `{name}({parameters})` takes and returns, with an example: {_example(exercise)}."
    if exercise.hints:
        words += f' Stuck? `hint("{exercise.id}")` helps, a little more each time.'
    check = f'check("{exercise.id}", {name})'
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "cells": [
            _cell("markdown", f"{cell}-title", f"# {exercise.title}"),
            _cell("code", f"{cell}-imports", "import numpy as np\n\nfrom fmkit.lab import check, hint"),
            _cell("markdown", f"{cell}-task", f"{head}\n\n{words}"),
            _cell("code", cell, _answer(exercise), solution=True),
            _cell("code", f"{cell}-check", check, grade=True, locked=True, points=exercise.points),
        ],
    }


def _example(exercise) -> str:
    case = exercise.cases(np.random.default_rng(0))[0]
    outcome = run_answer(exercise.reference, [case])[0]
    result = "an exception" if outcome.failure else shown.text(outcome.value)
    arguments = ", ".join(shown.text(value) for value in case)
    return f"`{exercise.reference.__name__}({arguments})` is `{result}`"


def _cell(kind: str, id: str, source: str, **flags) -> dict:
    cell = {"cell_type": kind, "id": id, "metadata": {}, "source": source}
    if flags:
        plain = {"grade": False, "locked": False, "schema_version": 3, "solution": False, "task": False}
        cell["metadata"]["nbgrader"] = {**plain, "grade_id": id, **flags}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _answer(exercise) -> str:
    """The reference as an answer cell: its body stands between nbgrader's markers."""
    text = textwrap.dedent(inspect.getsource(exercise.reference))
    function = ast.parse(text).body[0]
    if function.body[0].lineno == function.lineno:  # all of it in one line
        text = ast.unparse(function)
        function = ast.parse(text).body[0]
    lines = text.rstrip().splitlines()
    first = function.body[1 if ast.get_docstring(function) and len(function.body) > 1 else 0].lineno - 1
    while not lines[first - 1].strip() or lines[first - 1].strip().startswith("#"):  # that belongs to it
        first -= 1
    inside = ["    ### BEGIN SOLUTION", *lines[first:], "    ### END SOLUTION"]
    return "\n".join([*lines[:first], *inside])


# --- what is handed out with a chapter ----------------------------------------------------------------------


def hand_out(course: Course, chapter: str, sealed: bool = False) -> tuple[Path | None, list[str]]:
    """Write the file that lies beside a chapter's notebook, for the checks of the course's own exercises.

    Parameters
    ----------
    sealed : bool
        Of fmkit's own exercises, too.

    Returns
    -------
    path, notices
        The file, or None where the chapter needs none; what does not fit, in a line each.

    Raises
    ------
    ExerciseError
        When an exercise cannot be used. Nothing is written then.
    """
    source, target = course.notebook("source", chapter), course.notebook("release", chapter)
    target = target.with_suffix(recorded.SUFFIX)
    try:
        asked = {a.exercise: a for a in read_chapter(source).asked}
        found = [exercises.get(id, course.exercises) for id in asked]
    except (OSError, ChapterError, LookupError):  # it cannot be graded: `release` says why
        return None, []
    ours = [exercise for exercise in found if own.file_of(exercise.id, course.exercises)]
    chosen = [replace(e, chapter=e.chapter or chapter) for e in (found if sealed else ours)]
    if not chosen:
        target.unlink(missing_ok=True)
        return None, []
    data = recorded.record(chosen)
    write_whole(target, data)
    notices = [notice for e in ours for notice in _unlike(course, chapter, e, asked[e.id])]
    return target, [*notices, *(doubt for e in ours for doubt in _doubts(recorded.read(data)[e.id], e))]


def _unlike(course, chapter, exercise: Exercise, asked: Asked) -> Iterator[str]:
    """Whether the notebook's cells ask for something else than the exercise's file."""
    if asked.points != exercise.points:
        words = f"{asked.points:g} points in the notebook, which count; {exercise.points:g} in its file"
        yield f"{exercise.id}: {words}, which a card tells"
    cells = read_file(course.notebook("source", chapter))["cells"]
    source = next(c["source"] for c in cells if grade_id_of(c) == asked.answer_id)
    wanted = list(inspect.signature(exercise.reference).parameters)
    try:
        functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    except SyntaxError:
        functions = []
    there = [[a.arg for a in f.args.args] for f in functions if f.name == asked.function]
    if there and len(there[-1]) != len(wanted):
        cell = f"{asked.function}({', '.join(there[-1])})"
        words = f"the answer cell has {cell}, its file {exercise.reference.__name__}({', '.join(wanted)})"
        yield f"{exercise.id}: {words}: `fmkit course exercise cells {exercise.id}` writes the cells anew"


def _doubts(there: Exercise, exercise: Exercise) -> Iterator[str]:
    """Mistakes that the recorded inputs do not show, and right answers that they refuse."""
    for at, mistake in enumerate(exercise.mistakes):
        draws = [(known.reference, known.mistakes[at]) for _, known in there.recorded]
        if any(all_alike(right, wrong, exercise.tolerance, True) for right, wrong in draws):
            yield f"{exercise.id}: mistake {mistake.name!r} passes the check: {_PROVE}"
    for name, fn in exercise.right().items():
        draws = [(known.reference, run_answer(fn, cases, LONGEST)) for cases, known in there.recorded]
        if not all(all_alike(right, other, exercise.tolerance, True) for right, other in draws):
            yield f"{exercise.id}: right answer {name!r} does not pass the check: {_PROVE}"


_PROVE = "`fmkit exercises prove` tells more"
