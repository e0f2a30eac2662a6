"""The course is nbgrader's, too: its own commands and its validation understand it."""

import os
import subprocess
import sys

import nbformat
import pytest
from helpers import courses
from helpers.courses import CHAPTER, LINEAR, NEURON
from helpers.paths import NOTEBOOKS

from fmkit.course import gradebook


@pytest.fixture
def course(tmp_path):
    return courses.make(tmp_path / "course")


def validate(path, monkeypatch):
    """What `nbgrader validate` finds: sources of the failed cells, and of the changed ones."""
    from nbgrader.validator import Validator

    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOKS.parent))
    monkeypatch.setenv("FMKIT_PROGRESS", "session")
    found = Validator().validate(str(path))
    return [c["source"] for c in found.get("failed", [])], [c["source"] for c in found.get("changed", [])]


@pytest.mark.slow
def test_what_is_handed_out_fails_and_what_is_right_passes(course, monkeypatch):
    checks = [courses.cell(courses.chapter(), f"{id}-check").source for id in (NEURON, LINEAR)]
    failed, changed = validate(course.notebook("release", CHAPTER), monkeypatch)
    assert failed == checks and changed == []
    assert validate(course.notebook("source", CHAPTER), monkeypatch) == ([], [])


@pytest.mark.slow
def test_the_first_chapter_validates(course, monkeypatch):
    name = "00-start-here"
    source = course.notebook("source", name)
    source.parent.mkdir()
    source.write_bytes((NOTEBOOKS / f"{name}.ipynb").read_bytes())
    gradebook.release(course, name)
    assert validate(course.notebook("release", name), monkeypatch)[0] == ['check("start.ink", ink)']
    assert validate(source, monkeypatch) == ([], [])


@pytest.mark.slow
def test_plain_commands(course):
    def nbgrader(*words):
        env = os.environ | {"PYTHONPATH": str(NOTEBOOKS.parent), "FMKIT_PROGRESS": "session"}
        command = [sys.executable, "-m", "nbgrader", *words]
        done = subprocess.run(command, cwd=course.root, env=env, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    assert CHAPTER in nbgrader("db", "assignment", "list")
    ours = nbformat.read(course.notebook("release", CHAPTER), 4)
    nbgrader("generate_assignment", CHAPTER, "--force")
    theirs = nbformat.read(course.notebook("release", CHAPTER), 4)
    assert [c.source for c in theirs.cells] == [c.source for c in ours.cells]
    courses.hand_in(course, "ada", courses.wrong_neuron())
    nbgrader("autograde", CHAPTER, "--student", "ada")
    assert gradebook.grades(course, CHAPTER)["ada"]["score"] == 3
    nbgrader("generate_feedback", CHAPTER, "--student", "ada")
    assert course.notebook("feedback", CHAPTER, "ada").with_suffix(".html").exists()
    nbgrader("export")
    assert "ada,Lovelace,Ada" in (course.root / "grades.csv").read_text("utf-8")
    gradebook.release(course, CHAPTER)  # and ours take over again
