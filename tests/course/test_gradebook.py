"""The gradebook and what formgrader shows: an instructor's points and comments stay, a kill loses nothing."""

import html
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import warnings

import nbformat
import pytest
from helpers import courses
from helpers.courses import CHAPTER, LINEAR, NEURON, WHY, by_hand
from helpers.paths import ROOT

from fmkit.chapters.student import student_version
from fmkit.course import gradebook
from fmkit.course.grading import marking
from fmkit.errors import CourseError

NASTY = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![seen](http://example.org/track.png)",
    "$\\href{javascript:alert(1)}{x}$ $$\\unicode{x}$$",
    "```\n</pre></code><script>alert(1)</script>\n```",
    "````text\n</textarea><script>alert(1)</script>",
    "a\n\n<style>body{display:none}</style>\n\n---\n# big",
]


@pytest.fixture
def course(tmp_path):
    course = courses.make(tmp_path / "course")
    for student in ("ada", "emmy"):
        courses.hand_in(course, student, courses.solved(why=f"{student}: the chain rule"))
    return course


def of(course, student):
    return gradebook.grades(course, CHAPTER)[student]


# --- release ------------------------------------------------------------------------------------------------


def test_the_gradebook_knows_the_cells_and_their_points(course):
    assert gradebook.grade_cells(course, CHAPTER) == {f"{NEURON}-check", f"{LINEAR}-check", WHY}
    assert gradebook.grade_cells(course, "none") == set()
    released = nbformat.read(course.notebook("release", CHAPTER), 4)
    assert released == student_version(courses.chapter())
    assert courses.cell(released, WHY).source == "YOUR ANSWER HERE"


def test_prose_may_change_after_handing_out_but_not_the_graded_cells(course, monkeypatch):
    courses.enter(course, [courses.result(course, "ada")], monkeypatch)
    source, released = course.notebook("source", CHAPTER), course.notebook("release", CHAPTER)
    nb = nbformat.read(source, 4)
    nb.cells[0].source = "# Another title"
    nbformat.write(nb, source)
    gradebook.release(course, CHAPTER)
    assert "Another title" in released.read_text()
    before = released.read_bytes()
    nb.cells = [c for c in nb.cells if LINEAR not in c.metadata.get("nbgrader", {}).get("grade_id", "")]
    nbformat.write(nb, source)
    with pytest.raises(CourseError, match="handed in already.*Give the changed chapter another name"):
        gradebook.release(course, CHAPTER)
    assert released.read_bytes() == before and of(course, "ada")["score"] == 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "cannot be read"),
        ("unmarked", "its solution would be handed out"),
        ("open", "without an END SOLUTION"),
    ],
)
def test_a_source_that_cannot_be_released(course, text, words):
    source, nb = course.notebook("source", CHAPTER), courses.chapter()
    if text == "unmarked":
        courses.cell(nb, NEURON).source = "def f():\n    return 3"
    if text == "open":
        courses.cell(nb, NEURON).source = "### BEGIN SOLUTION"
    source.write_text("{" if text == "{" else nbformat.writes(nb))
    before = course.notebook("release", CHAPTER).read_bytes()
    with pytest.raises(CourseError, match=words):
        gradebook.release(course, CHAPTER)
    assert course.notebook("release", CHAPTER).read_bytes() == before


def test_a_release_that_was_stopped_is_noticed(course):
    nb = courses.chapter()
    nb.cells = [c for c in nb.cells if LINEAR not in c.metadata.get("nbgrader", {}).get("grade_id", "")]
    gradebook._save_cells(course, CHAPTER, nb)
    with pytest.raises(CourseError, match="does not know: run `fmkit course release 04-backprop`"):
        marking.jobs(course, [CHAPTER])
    gradebook.release(course, CHAPTER)
    assert len(marking.jobs(course, [CHAPTER])) == 2


# --- results ------------------------------------------------------------------------------------------------


def test_results_are_entered_once_and_for_all(course, monkeypatch):
    wrong = {"status": "wrong", "misconception": "forgot the mean"}
    results = [courses.result(course, "ada"), courses.result(course, "emmy", neuron=wrong)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # SQLAlchemy's, above all
        courses.enter(course, results, monkeypatch)
        first = gradebook.grades(course, CHAPTER)
        courses.enter(course, results, monkeypatch)
    assert gradebook.grades(course, CHAPTER) == first
    assert first["ada"]["score"] == 5 and first["emmy"]["score"] == 3 and first["ada"]["max_score"] == 9
    assert first["emmy"]["points"] == {f"{NEURON}-check": (0, 2), f"{LINEAR}-check": (3, 3), WHY: (0, 4)}
    assert first["ada"]["waiting"] == {WHY}


def test_manual_points_and_comments_survive_a_regrade(course, monkeypatch):
    results = [courses.result(course, "ada")]
    courses.enter(course, results, monkeypatch)
    by_hand(course, "ada", points=3.5, comment="Good, but <b>why</b>?")
    by_hand(course, "ada", f"{NEURON}-check", points=1, comment="too long")
    courses.enter(course, results, monkeypatch)
    grade = of(course, "ada")
    assert grade["score"] == 7.5 and not grade["waiting"]
    assert grade["comments"] == {WHY: "Good, but <b>why</b>?", NEURON: "too long"}


def test_a_changed_answer_asks_for_the_points_again(course, monkeypatch):
    courses.enter(course, [courses.result(course, "ada")], monkeypatch)
    by_hand(course, "ada", points=3.5, comment="fine")
    by_hand(course, "ada", f"{LINEAR}-check", points=1)
    changed = courses.solved(why="ada: something else", linear="def scaled_linear(): pass")
    courses.hand_in(course, "ada", changed)
    courses.enter(course, [courses.result(course, "ada", linear={"status": "wrong"})], monkeypatch)
    grade = of(course, "ada")
    assert grade["waiting"] == {WHY, f"{LINEAR}-check"}
    assert grade["points"][WHY] == (3.5, 4) and grade["comments"][WHY] == "fine"
    courses.enter(course, [courses.result(course, "ada")], monkeypatch)
    assert of(course, "ada")["waiting"] == {WHY, f"{LINEAR}-check"}, "until somebody has looked"
    by_hand(course, "ada", points=3.5)
    by_hand(course, "ada", f"{LINEAR}-check", points=1)
    courses.enter(course, [courses.result(course, "ada")], monkeypatch)
    assert of(course, "ada")["waiting"] == set()


def test_an_empty_free_answer(course, monkeypatch):
    courses.hand_in(course, "ada", courses.solved(why=" \n"))
    courses.enter(course, [courses.result(course, "ada")], monkeypatch)
    assert of(course, "ada")["comments"] == {WHY: "No response."}
    shown = nbformat.read(course.notebook("autograded", CHAPTER, "ada"), 4)
    assert courses.cell(shown, WHY).source == "(no answer)"


def test_formgraders_notebook_is_ours_with_their_answers(course, monkeypatch):
    nb = courses.wrong_neuron(why=NASTY[0])
    nb.cells.insert(0, nbformat.v4.new_markdown_cell(NASTY[1]))
    outputs = [nbformat.v4.new_output("display_data", {"text/html": NASTY[0]})]
    nb.cells.append(nbformat.v4.new_code_cell("1", outputs=outputs))
    courses.cell(nb, f"{NEURON}-check").source = "steal()"
    courses.cell(nb, f"{NEURON}-check").outputs = outputs
    nb.metadata["widgets"] = {"application/javascript": "alert(1)"}
    courses.hand_in(course, "ada", nb)
    neuron = {"status": "wrong", "misconception": NASTY[0], "message": NASTY[1], "rows": [["got", NASTY[0]]]}
    courses.enter(course, [courses.result(course, "ada", neuron=neuron)], monkeypatch)
    shown = nbformat.read(course.notebook("autograded", CHAPTER, "ada"), 4)
    released = nbformat.read(course.notebook("release", CHAPTER), 4)
    assert [c.id for c in shown.cells] == [c.id for c in released.cells]
    assert courses.cell(shown, NEURON).source == courses.cell(nb, NEURON).source
    assert courses.cell(shown, f"{NEURON}-check").source == courses.cell(released, f"{NEURON}-check").source
    card = courses.cell(shown, f"{NEURON}-check").outputs[0].data["text/html"]
    assert "<script" not in card and "<img" not in card and "&lt;script&gt;" in card
    assert "widgets" not in shown.metadata
    nbformat.validate(shown)


@pytest.mark.parametrize("text", NASTY)
def test_a_free_answer_is_shown_as_it_was_typed(text):
    from nbconvert.filters.markdown_mistune import markdown2html_mistune

    page = markdown2html_mistune(marking.as_typed(text))
    for live in ("<script", "<img", "<a ", "<style", "<h1", "<hr", "</textarea"):
        assert live not in page
    plain = html.unescape(re.sub(r"<[^>]+>", "", page))
    assert all(line in plain for line in text.split("\n"))


def test_an_unreadable_submission_has_a_page_too(course, monkeypatch):
    courses.hand_in(course, "ada", "{")
    missing = {"status": "missing"}
    result = courses.result(course, "ada", missing, missing, status="unreadable", reason="not a notebook")
    courses.enter(course, [result], monkeypatch)
    shown = nbformat.read(course.notebook("autograded", CHAPTER, "ada"), 4)
    assert courses.cell(shown, NEURON).source == "# no answer was found"
    assert of(course, "ada")["score"] == 0


# --- stops, locks, strangers --------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["write_result", "_write_autograded"])
def test_stopped_between_journal_and_gradebook(course, monkeypatch, moment):
    results = [courses.result(course, "ada"), courses.result(course, "emmy")]
    where = gradebook if moment == "write_result" else marking
    with monkeypatch.context() as patch:
        patch.setattr(where, moment, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            courses.enter(course, results, monkeypatch)
    assert [r["student"] for r in marking.latest(course, CHAPTER).values()] == ["ada"]
    courses.enter(course, results, monkeypatch)
    assert {s: g["score"] for s, g in gradebook.grades(course, CHAPTER).items()} == {"ada": 5, "emmy": 5}
    assert course.notebook("autograded", CHAPTER, "ada").exists()


KILLED = """
import os, signal, sys
from fmkit.course import gradebook
from fmkit.course.grading import marking
from fmkit.course.layout import open_course
from pathlib import Path

write = gradebook.write_result
def die(*args):
    if args[1]["student"] == "emmy":
        os.kill(os.getpid(), signal.SIGKILL)
    write(*args)
gradebook.write_result = die
course = open_course(Path(sys.argv[1]))
marking.grade(course, marking.jobs(course, ["04-backprop"]), 1, unsafe=True)
"""


@pytest.mark.slow
def test_killed_between_journal_and_gradebook(course):
    """With the engine, really killed; the command then goes on and grades nobody twice."""
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", KILLED, str(course.root)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert set(marking.latest(course, CHAPTER)) == {"ada", "emmy"} and set(
        gradebook.grades(course, CHAPTER)
    ) == {"ada"}
    size = course.journal.stat().st_size
    results = marking.grade(course, marking.jobs(course, [CHAPTER]), 1, unsafe=True)
    assert {r["student"]: r["score"] for r in results} == {"ada": 5, "emmy": 5}
    assert course.journal.stat().st_size == size, "nothing was graded again"
    assert {s: g["score"] for s, g in gradebook.grades(course, CHAPTER).items()} == {"ada": 5, "emmy": 5}


def test_a_locked_gradebook_is_waited_for(course, monkeypatch):
    other = sqlite3.connect(course.root / "gradebook.db", check_same_thread=False, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    timer = threading.Timer(1.5, lambda: other.execute("COMMIT"))
    timer.start()
    courses.enter(course, [courses.result(course, "ada")], monkeypatch)
    timer.join()
    other.close()
    assert of(course, "ada")["score"] == 5


def test_a_gradebook_that_is_none_is_one_line(course):
    (course.root / "gradebook.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(CourseError, match="gradebook.db cannot be used: file is not a database"):
        gradebook.grades(course, CHAPTER)


def test_strangers_are_named_and_stop_nobody(course):
    courses.hand_in(course, "eve", courses.solved())
    assert [job["student"] for job in marking.jobs(course, [CHAPTER])] == ["ada", "emmy"]
    lines = marking.summary(course, [], [CHAPTER], list(courses.STUDENTS))
    assert f"{CHAPTER}: not in students.csv, so not graded: eve" in lines
    assert f"{CHAPTER}: nothing from jose, zoe" in lines


def test_who_handed_in_anew_is_known(course, monkeypatch):
    courses.enter(course, [courses.result(course, "ada")], monkeypatch)
    assert marking.ungraded(course, CHAPTER) == (["emmy"], [])
    courses.hand_in(course, "ada", courses.solved(why="new"))
    assert marking.ungraded(course, CHAPTER) == (["emmy"], ["ada"])
