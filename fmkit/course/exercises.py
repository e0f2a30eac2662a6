"""Exercises of a course's own: a file to begin with, the cells for a notebook, what is handed out with it."""

import ast
import inspect
import keyword
import textwrap
from pathlib import Path

import numpy as np

from fmkit._files import write_whole
from fmkit._templates import render
from fmkit.chapters.read import to_text
from fmkit.course.layout import Course
from fmkit.errors import CourseError
from fmkit.lab import exercises
from fmkit.lab.judging import own, shown
from fmkit.lab.judging.answer import run_answer
from fmkit.lab.judging.exercise import Exercise, grade_id

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
