"""A course's folder and roster: what is read, what is refused in one line, what is never overwritten."""

import json
import sys

import pytest
from click.testing import CliRunner
from helpers import courses

from fmkit.command.cli import main
from fmkit.course import gradebook, layout, setup
from fmkit.errors import ChapterError, CourseError


def test_init_overwrites_nothing(tmp_path):
    course = courses.make(tmp_path / "course")
    before = {p: p.read_bytes() for p in course.root.rglob("*") if p.is_file() and p.suffix != ".db"}
    source = course.notebook("source", courses.CHAPTER)
    source.write_text("mine")
    (tmp_path / f"{courses.CHAPTER}.ipynb").write_text("theirs")
    assert (
        setup.init(course.root, course.root / "students.csv", [tmp_path / f"{courses.CHAPTER}.ipynb"]) == []
    )
    assert source.read_text() == "mine"
    assert all(p.read_bytes() == data for p, data in before.items() if p != source)


def test_another_roster_is_not_passed_over_in_silence(tmp_path):
    course = courses.make(tmp_path / "course")
    (tmp_path / "new.csv").write_text("id\nsomebody\n")
    with pytest.raises(CourseError, match="has a students.csv already"):
        setup.init(course.root, tmp_path / "new.csv", [])
    assert [s.id for s in course.students()] == list(courses.STUDENTS)


def test_a_course_may_be_moved(tmp_path):
    courses.make(tmp_path / "before").root.rename(tmp_path / "after")
    config = (tmp_path / "after" / "nbgrader_config.py").read_text()
    assert str(tmp_path) not in config
    assert gradebook.grade_cells(layout.open_course(tmp_path / "after"), courses.CHAPTER)


def test_a_folder_of_an_odd_name(tmp_path):
    course = courses.make(tmp_path / "Größe #1 & 'x'")
    assert gradebook.grade_cells(course, courses.CHAPTER)
    assert not [p for p in tmp_path.iterdir() if p != course.root]


def test_without_nbgrader_the_reason_is_said(tmp_path, monkeypatch):
    course = courses.make(tmp_path / "course")
    monkeypatch.setitem(sys.modules, "nbgrader", None)
    (tmp_path / "lms").mkdir()
    for words in (
        ["release", "4"],
        ["collect", str(tmp_path / "lms")],
        ["export"],
        ["init", str(tmp_path / "new")],
    ):
        words += [] if words[0] == "init" else ["--course", str(course.root)]
        done = CliRunner().invoke(main, ["course", *words])
        assert done.exit_code == 1
        assert "nbgrader is missing. This" in done.stderr or "nothing has been graded" in done.stderr


def test_chapters_are_found_by_number_and_name(tmp_path):
    course = courses.make(tmp_path / "course")
    assert [course.find(name) for name in ("4", "04", courses.CHAPTER)] == [courses.CHAPTER] * 3
    with pytest.raises(ChapterError, match="there is no chapter '7'; there are 04-backprop"):
        course.find("7")
    with pytest.raises(ChapterError, match="there is none at all in .*autograded"):
        course.find("4", "autograded")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["release", "--course", "{empty}"], "is not a course: make one with `fmkit course init DIR`"),
        (["release", "11"], "there is no chapter '11'; there are 04-backprop"),
        (
            ["release", "--due", "tomorrow"],
            "'tomorrow' is not a date and time: write it like",
        ),
        (["collect", "{empty}/none.zip"], "does not exist"),
        (["collect", "{empty}", "--chapter", "9"], "there is no chapter '9'"),
        (["grade"], "nobody has handed in: run `fmkit course collect`"),
        (["grade", "--student", "eve"], "there is no student 'eve' in students.csv"),
        (["grade", "--jobs", "0"], "0 is not in the range"),
        (["feedback"], "nothing has been graded yet: run `fmkit course grade`"),
        (["export"], "nothing has been graded yet"),
        (["report", "4"], "nothing has been graded yet"),
        (["init", "{empty}/what?"], "cannot have a ? in its name"),
        (["init", "{empty}/x", "--students", "{empty}/none.csv"], "does not exist"),
    ],
)
def test_what_cannot_be_done_is_one_line(tmp_path, words, says):
    course, empty = courses.make(tmp_path / "course"), tmp_path / "empty"
    empty.mkdir()
    words = [word.format(empty=empty) for word in words]
    if "--course" not in words and words[0] != "init":
        words += ["--course", str(course.root)]
    done = CliRunner().invoke(main, ["course", *words])
    assert done.exit_code != 0 and not done.stdout
    assert done.exception is None or isinstance(done.exception, SystemExit)
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("Error: ") and says in last


# --- what was damaged by hand is one line, too --------------------------------------------------------------


def graded_cell(nb):
    return courses.cell(nb, f"{courses.NEURON}-check")


@pytest.mark.filterwarnings("ignore:Non-unique cell id")
@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda nb: graded_cell(nb).metadata.nbgrader.update(points=None), "neuron-check) has no points"),
        (lambda nb: graded_cell(nb).metadata.nbgrader.pop("points"), "neuron-check) has no points"),
        (lambda nb: graded_cell(nb).metadata.nbgrader.update(points=True), "neuron-check) has no points"),
        (lambda nb: graded_cell(nb).metadata.nbgrader.update(points=-1), "neuron-check) has no points"),
        (lambda nb: nb.cells[-1].metadata.nbgrader.update(task=True, points=None), "why) has no points"),
        (lambda nb: graded_cell(nb).metadata.nbgrader.pop("grade_id"), "cell 3 has no id"),
        (
            lambda nb: nb.cells.insert(5, nb.cells[3]),
            "cells 3 and 5 are two cells with the same id, b",
        ),
        (lambda nb: nb.pop("cells"), "cannot be read: it is not a notebook"),
    ],
)
def test_a_chapter_that_cannot_be_released_says_why(tmp_path, damage, says):
    course, nb = courses.make(tmp_path / "course"), courses.chapter()
    damage(nb)
    course.notebook("source", courses.CHAPTER).write_text(json.dumps(nb))
    one_line(course, ["release", "4"], says)


def test_damaged_files_of_a_course_are_named(tmp_path):
    course = courses.make(tmp_path / "course")
    courses.hand_in(course, "ada", courses.solved())
    one_line(course, ["grade", "--cluster", "nonsense"], "cannot reach a cluster at 'nonsense': ")
    one_line(course, ["collect", str(course.root / "submitted")], "")
    tries = course.root / "tries" / "ada" / courses.CHAPTER / "tries.json"
    tries.write_text("{")
    done = CliRunner().invoke(
        main, ["course", "collect", str(course.root / "submitted"), "--course", str(course.root)]
    )
    assert (
        done.exit_code == 0 and f"{tries} is damaged: delete it" in done.output
    )  # it costs this student only
    course.journal.write_text("my notes\n")
    one_line(course, ["grade"], f"{course.journal} is not the journal of a grading run")
    assert course.journal.read_text() == "my notes\n"
    course.notebook("release", courses.CHAPTER).write_text('{"nbformat": 4}')
    (tmp_path / "lms").mkdir()
    one_line(course, ["collect", str(tmp_path / "lms")], "it is not a notebook of format 4")


def one_line(course, words, says):
    """Run a command; it ends with this error, or well where nothing is to be said."""
    done = CliRunner().invoke(main, ["course", *words, "--course", str(course.root)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert (done.exit_code == 0) == (not says)
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == bool(says) and all(says in line for line in errors)
