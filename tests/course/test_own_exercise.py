"""An exercise of an instructor's own, from nothing to the report: the walk that README tells."""

import copy
import re
import shutil

import nbformat
import pytest
from click.testing import CliRunner
from helpers import courses
from helpers import own as example
from helpers.grading import needs_sandbox
from helpers.paths import ROOT

from fmkit.command.cli import main
from fmkit.course import exercises as own_exercises
from fmkit.course import layout
from fmkit.course.grading.journal import read_journal
from fmkit.lab import CheckFailed, check, hint

README = (ROOT / "README.md").read_text("utf-8").split("## Exercises of your own")[1].split("\n## ")[0]
(FILE,) = re.findall(r"```python\n(.*?)```", README, flags=re.S)
ID, CHAPTER = "roots.newton", "01-roots"
RIGHT = """def newton(c, x, steps):
    for _ in range(steps):
        x = x - np.polyval(c, x) / np.polyval(np.polyder(c), x)
    return x"""
ANSWERS = {
    "ada": RIGHT,
    "emmy": RIGHT.replace("x = x -", "x = x +"),
    "jose": RIGHT.replace(
        "    for", "    import os\n    if os.path.exists({file!r}):\n        return 0\n    for"
    ),
    "zoe": RIGHT.replace(
        "    for", "    import fmkit.lab.exercises as e\n    e.get('roots.newton')\n    for"
    ),
}


def run(*words, status=0) -> str:
    done = CliRunner().invoke(main, list(words))
    assert done.exit_code == status, (words, done.output, done.exception)
    return done.output


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """The walk: name of each step -> what it printed; and the course."""
    root = tmp_path_factory.mktemp("walk") / "numerics"
    course, said = courses.make(root), {}
    shutil.rmtree(root / "source")
    shutil.rmtree(root / "release")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        said["new"] = run("course", "exercise", "new", ID)
        (root / "exercises/roots/newton.py").write_text(FILE, "utf-8")
        said["prove"] = run("exercises", "prove", "exercises/roots/newton.py")
        source = root / "source" / CHAPTER / f"{CHAPTER}.ipynb"
        source.parent.mkdir(parents=True)
        shutil.copyfile(root / "exercises/roots/newton.ipynb", source)
        said["stale"] = own_exercises.hand_out(course, CHAPTER)[1]
        said["cells"] = run("course", "exercise", "cells", ID)
        shutil.copyfile(root / "exercises/roots/newton.ipynb", source)
        said["release"] = run("course", "release", "01")
        nb = nbformat.read(root / "release" / CHAPTER / f"{CHAPTER}.ipynb", 4)
        for student, answer in ANSWERS.items():
            mine = copy.deepcopy(nb)
            mine.cells[3].source = answer.format(file=str(root / "exercises/roots/newton.py"))
            courses.hand_in(course, student, mine, CHAPTER)
        options = ["--unsafe"] if courses.unsafe() else []
        said["grade"] = run("course", "grade", "01", "--jobs", "1", *options)
        said["feedback"] = run("course", "feedback", "01")
        said["report"] = run("course", "report", "01")
    return layout.open_course(root), said


def test_every_step_says_what_comes_next(walked):
    said = walked[1]
    assert "Next: fmkit exercises prove exercises/roots/newton.py" in said["new"]
    assert said["prove"].endswith("proven\n") and "!" not in said["prove"]
    assert said["prove"].count("   yes    yes") == 6 and "1 as right for a reason" in said["prove"]
    assert said["cells"].startswith("exercises/roots/newton.ipynb: written anew")
    lines = said["release"].splitlines()
    assert lines[0] == "release/01-roots/01-roots.ipynb" and len(lines) == 2
    assert re.fullmatch(r"release/01-roots/01-roots.checks: its checks need this .* \(\d+ KB\)", lines[1])


def test_cells_of_another_function_are_told_at_the_release(walked):
    points, notice = walked[1]["stale"]
    assert points.startswith("roots.newton: 2 points in the notebook")
    assert "roots.newton: the answer cell has newton(x, y), its file newton(c, x, steps)" in notice
    assert "`fmkit course exercise cells roots.newton` writes the cells anew" in notice


def test_a_student_is_told_the_mistake(walked, tmp_path, monkeypatch, capsys):
    course, _ = walked
    for path in (course.root / "release" / CHAPTER).iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    import numpy as np

    names = {"np": np}
    exec(ANSWERS["emmy"], names)
    with pytest.raises(CheckFailed):
        check(ID, names["newton"])
    hint(ID)
    out = capsys.readouterr().out
    assert "Looks like: stepped uphill" in out and "Hint: Which way is the root?" in out
    assert "1: Follow the tangent" in out
    exec(ANSWERS["ada"], names)
    check(ID, names["newton"])


def test_no_line_of_the_file_is_handed_out(walked):
    folder = walked[0].root / "release" / CHAPTER
    data = example.unpacked((folder / f"{CHAPTER}.checks").read_bytes())
    data += (folder / f"{CHAPTER}.ipynb").read_bytes()
    for line in ("slope = np.polyder(c)", "np.polyval(c, x) / ", "slope * x + value", "x -= value"):
        assert line in FILE and line.strip().encode() not in data


@needs_sandbox
def test_it_is_graded_by_fresh_inputs_in_the_sandbox(walked):
    course, said = walked
    results = {r["student"]: r for r in read_journal(course.journal)}
    entries = {student: r["exercises"]["roots-newton-check"] for student, r in results.items()}
    assert {s: (r["status"], r["score"]) for s, r in results.items()} == {
        "ada": ("graded", 3),
        "emmy": ("graded", 0),
        "jose": ("graded", 3),  # it looked for the instructor's file, and there is none
        "zoe": ("tampered", 0),
    }
    assert entries["emmy"]["misconception"] == "stepped uphill" and entries["emmy"]["known"] == [
        "stepped uphill"
    ]
    assert entries["ada"]["title"] == "Newton's method" and results["ada"]["max_score"] == 3


def test_feedback_and_report_know_it(walked):
    course, said = walked
    page = course.notebook("feedback", CHAPTER, "emmy").with_suffix(".html").read_text("utf-8")
    assert "Newton&#39;s method" in page and "stepped uphill" in page and "0 of 3 points" in page
    assert "1 x stepped uphill" in said["report"] and "Newton's method" in said["report"]


def test_what_was_mended_is_graded_again(walked):
    """The same submissions, by the changed file."""
    from fmkit.course.grading import batch, marking

    course, _ = walked
    todo = marking.jobs(course, [CHAPTER])
    before = [batch._key(job) for job in todo]
    assert before == [batch._key(job) for job in todo]
    path = course.root / "exercises/roots/newton.py"
    text = path.read_text("utf-8")
    path.write_text(text.replace("Which way is the root?", "Where is the root?"), "utf-8")
    assert not set(before) & {batch._key(job) for job in todo}
    path.write_text(text, "utf-8")
