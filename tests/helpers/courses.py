"""Courses for the tests: a small chapter, submissions of it, and results as the engine gives them."""

import atexit
import copy
import functools
import io
import json
import shutil
import tempfile
import zipfile
from datetime import datetime
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from fmkit.course import gradebook, layout, setup
from fmkit.course.sandbox import process as sandbox
from helpers import submissions as s

CHAPTER = "04-backprop"
NEURON, LINEAR, WHY = "backprop-neuron", "backprop-linear", "backprop-why"
ROSTER = """id,first_name,last_name,email
ada,Ada,Lovelace,ada@example.org
emmy,Emmy,Noether,e.noether@example.org
jose,José,Muñoz Ñandú,jose@example.org
zoe,Zoë,O'Brien-Łoś,zoe@example.org
"""
STUDENTS = ("ada", "emmy", "jose", "zoe")


def meta(grade_id, **flags):
    """nbgrader's metadata of a cell."""
    plain = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
    return {"nbgrader": plain | flags | {"grade_id": grade_id}}


def chapter():
    """Two exercises of chapter 04 (2 and 3 points), and a question for a free answer (4 points)."""
    whole = s.solved()
    cells = [
        new_markdown_cell("# Backprop", id="title"),
        new_code_cell("import numpy as np\n\nfrom fmkit.lab import check", id="imports"),
    ]
    for id in (NEURON, LINEAR):
        for cell in (s.cell_of(whole, id), s.cell_of(whole, f"{id}-check")):
            cells.append(new_code_cell(cell["source"], id=cell["id"], metadata=cell["metadata"]))
    cells.append(new_markdown_cell("## Why backwards?\n\nSay it in two sentences.", id="prompt"))
    source = "### BEGIN SOLUTION\nOne scalar, many weights.\n### END SOLUTION"
    flags = meta(WHY, grade=True, solution=True, points=4)
    cells.append(new_markdown_cell(source, id="why", metadata=flags))
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


@functools.cache
def unsafe() -> bool:
    """Whether there is no sandbox here, so that these tests of the flow have to do without."""
    try:
        sandbox.require()
    except sandbox.SandboxError:
        return True
    return False


@functools.cache
def _template() -> Path:
    """A course, made once: nbgrader takes seconds for a new gradebook."""
    folder = Path(tempfile.mkdtemp(prefix="fmkit-course-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    notebook, roster = folder / f"{CHAPTER}.ipynb", folder / "roster.csv"
    notebook.write_text(nbformat.writes(chapter()), "utf-8")
    roster.write_text(ROSTER, "utf-8")
    setup.init(folder / "course", roster, [notebook])
    gradebook.release(layout.open_course(folder / "course"), CHAPTER)
    return folder / "course"


def make(root: Path, roster: str = ROSTER, due: datetime | None = None) -> layout.Course:
    """A course with the small chapter, released."""
    shutil.copytree(_template(), root)
    course = layout.open_course(root)
    if roster != ROSTER:
        (root / "students.csv").write_text(roster, "utf-8")
        gradebook.save_students(course)
    if due:
        gradebook.release(course, CHAPTER, due)
    return course


def cell(nb, grade_id):
    """The cell that carries nbgrader's id."""
    return next(c for c in nb.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def solved(why: str = "Because of the chain rule.", **sources: str):
    """A right submission; ``neuron`` and ``linear`` replace those answers' sources."""
    nb = copy.deepcopy(chapter())
    cell(nb, WHY).source = why
    for name, source in sources.items():
        cell(nb, f"backprop-{name}").source = source
    return nb


def wrong_neuron(**more):
    """A submission with a known mistake in the neuron: the mean's 1/N is missing."""
    return solved(neuron=f"{s.HEAD}{s.RIGHT.replace(' / len(t)', '')}", **more)


def untouched():
    """The chapter as it was handed out."""
    from fmkit.chapters.student import student_version

    return student_version(chapter())


def data(nb) -> bytes:
    """A notebook's bytes; bytes and text stay."""
    if isinstance(nb, bytes):
        return nb
    return nb.encode() if isinstance(nb, str) else nbformat.writes(nb).encode()


def zipped(entries: dict, when=(2026, 11, 19, 10, 0, 0)) -> bytes:
    """A zip archive of name -> notebook, or name -> (notebook, moment)."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, entry in entries.items():
            nb, moment = entry if isinstance(entry, tuple) else (entry, when)
            archive.writestr(zipfile.ZipInfo(name, moment), data(nb))
    return out.getvalue()


def hand_in(course, student: str, nb, chapter: str = CHAPTER) -> None:
    """Put a submission where it counts, as nbgrader's exchange does."""
    path = course.notebook("submitted", chapter, student)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data(nb))


def entry(exercise: str, title: str, points: float, most: float, status: str = "ok", **more) -> dict:
    """One exercise of a result."""
    empty = {"misconception": "", "hint": "", "message": "", "rows": [], "notes": [], "seconds": 0.1}
    points = points if status == "ok" else 0.0
    what = {"exercise": exercise, "title": title, "status": status, "points": points, "max_points": most}
    return empty | what | more


def result(course, student: str, neuron: dict | None = None, linear: dict | None = None, **more) -> dict:
    """A result as the engine gives it; ``neuron`` and ``linear`` change those entries."""
    from fmkit.course.chapter import read_chapter
    from fmkit.course.submission import Unreadable, digest, find_answers, read_cells

    raw = course.notebook("submitted", CHAPTER, student).read_bytes()
    asked = read_chapter(course.notebook("release", CHAPTER))
    try:
        texts = find_answers(read_cells(raw), asked).texts
    except Unreadable:
        texts = {}
    exercises = {
        f"{NEURON}-check": entry("backprop.neuron", "One sigmoid neuron", 2.0, 2.0, **(neuron or {})),
        f"{LINEAR}-check": entry("backprop.linear", "A linear layer", 3.0, 3.0, **(linear or {})),
    }
    whole = {
        "student": student,
        "chapter": CHAPTER,
        "file": f"{CHAPTER}.ipynb",
        "sha256": digest(raw),
        "status": "graded",
        "reason": "",
        "seconds": 0.2,
        "score": sum(e["points"] for e in exercises.values()),
        "max_score": 5.0,
        "exercises": exercises,
        "texts": texts,
    }
    return json.loads(json.dumps(whole | more))


def enter(course, results: list[dict], monkeypatch) -> list[dict]:
    """Take results for those of the engine: into the journal, the gradebook and what formgrader shows."""
    from fmkit.course.grading import marking
    from fmkit.course.grading.journal import Journal

    def batch(todo, n_jobs, journal, *args, **options):
        with Journal(journal) as book:
            for r in results:
                book.add((r["chapter"], r["student"], r["sha256"], json.dumps(r)[:40]), r)
                yield r

    with monkeypatch.context() as patch:
        patch.setattr(marking, "grade_batch", batch)
        return marking.grade(course, [])


def by_hand(course, student, id=WHY, points=None, comment=None):
    """What formgrader does when an instructor types something."""
    with gradebook.opened(course) as book:
        if points is not None:
            grade = book.find_grade(id, CHAPTER, CHAPTER, student)
            grade.manual_score, grade.needs_manual_grade = points, False
        if comment is not None:
            id = id.removesuffix("-check")
            book.find_comment(id, CHAPTER, CHAPTER, student).manual_comment = comment
        book.db.commit()
