"""Grade what was collected: run the batch, and bring each result to the gradebook and to formgrader."""

import copy
import html
from collections import Counter
from collections.abc import Callable
from datetime import datetime

import nbformat

from fmkit.course import gradebook
from fmkit.course.batch import grade_batch
from fmkit.course.chapter import read_chapter
from fmkit.course.collect import handed_in
from fmkit.course.journal import read_journal
from fmkit.course.layout import Course, CourseError
from fmkit.course.sandbox import DEFAULT, Limits
from fmkit.course.submission import Unreadable, find_answers, read_bytes, read_cells
from fmkit.lab.check import card
from fmkit.lab.exercises import get
from fmkit.lab.judge import Verdict


def jobs(course: Course, chapters: list[str], student: str | None = None) -> list[dict]:
    """What there is to grade, of all students or of one.

    Raises
    ------
    CourseError
        When the student has handed in nothing, or nobody has.
    """
    found = []
    for chapter in chapters:
        for path in sorted((course.root / "submitted").glob(f"*/{chapter}/{chapter}.ipynb")):
            name = path.parent.parent.name
            if student in (None, name):
                notebook = course.notebook("source", chapter)
                job = {"student": name, "chapter": chapter, "file": str(path), "notebook": str(notebook)}
                found.append(job)
    if not found:
        who = "nobody" if student is None else f"the student {student!r}"
        raise CourseError(f"{who} has handed in {' or '.join(chapters)}: `fmkit course collect` takes it in")
    return found


def grade(
    course: Course,
    todo: list[dict],
    n_jobs: int | None = None,
    cluster: str | None = None,
    again: bool = False,
    unsafe: bool = False,
    limits: Limits = DEFAULT,
    progress: Callable[[int, int, dict], None] | None = None,
) -> list[dict]:
    """Grade jobs and write the gradebook and the notebooks for formgrader; returns the results.

    Whatever stops this in between, the same call goes on: results are in the journal before anything else,
    and writing them into the gradebook a second time changes nothing.
    """
    known = {student.id for student in course.students()}
    strangers = sorted({job["student"] for job in todo} - known)
    if strangers:
        raise CourseError(f"not in students.csv: {', '.join(strangers)}; add them, then grade")
    gradebook.save_students(course)
    results = []
    with gradebook.opened(course) as book:
        for result in grade_batch(
            todo, n_jobs, course.journal, cluster, again, progress, limits=limits, unsafe=unsafe
        ):
            gradebook.write_result(book, result, handed_in(course, result["student"], result["chapter"])[0])
            write_autograded(course, result)
            results.append(result)
    return results


def latest(course: Course, chapter: str) -> dict[str, dict]:
    """The journal's latest result of each student for a chapter."""
    if not course.journal.exists():
        return {}
    return {r["student"]: r for r in read_journal(course.journal) if r["chapter"] == chapter}


def summary(course: Course, results: list[dict], chapters: list[str]) -> list[str]:
    """How the batch went, as lines: statuses, what needs a look, who is missing."""
    count = Counter(result["status"] for result in results)
    lines = [f"{number:>5}  {status}" for status, number in count.most_common()]
    for result in results:
        if result["status"] != "graded":
            lines.append(
                f"{result['student']}, {result['chapter']}: {result['status']}: {result['reason']}"[:300]
            )
    for chapter in chapters:
        there = {r["student"] for r in results if r["chapter"] == chapter} | set(latest(course, chapter))
        if missing := [s.id for s in course.students() if s.id not in there]:
            lines.append(f"{chapter}: nothing from {', '.join(missing)}")
    return lines


# --- what formgrader shows ----------------------------------------------------------------------------------


def verdict_card(entry: dict):
    """The card of an exercise's entry in a result."""
    status = {"ok": "ok", "undone": "undone"}.get(entry["status"], "wrong")
    message = entry["message"] or {"missing": "There is no answer."}.get(entry["status"], "")
    rows = tuple((label, text) for label, text in entry["rows"])
    verdict = Verdict(status, "", message, entry["misconception"], entry["hint"], rows, tuple(entry["notes"]))
    return card(get(entry["exercise"]), verdict)


def write_autograded(course: Course, result: dict) -> None:
    """The notebook that formgrader shows: the released one with the student's answers and our verdicts.

    Nothing else of the submission is in it, so nothing of it can run in the instructor's browser: code is
    shown, free text has its HTML escaped, outputs are ours.
    """
    chapter, student = result["chapter"], result["student"]
    source = course.notebook("source", chapter)
    nb = copy.deepcopy(gradebook.read_notebook(course.notebook("release", chapter)))
    answers = _answers(course, chapter, student)
    asked = {a.answer_id: a.check_id for a in read_chapter(source).asked}
    for cell in nb.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id in asked:
            at = answers and answers.found.get(asked[grade_id])
            cell.source = answers.cells[at].source if at is not None else "# no answer was found"
        elif grade_id in result["texts"]:
            cell.source = escaped(result["texts"][grade_id]) or "(no answer)"
        elif grade_id in result["exercises"]:
            shown = verdict_card(result["exercises"][grade_id])
            data = {"text/html": shown._repr_html_(), "text/plain": repr(shown)}
            cell.outputs = [nbformat.v4.new_output("display_data", data)]
    text = nbformat.writes(nb).encode("utf-8", "replace")
    gradebook.write_whole(course.notebook("autograded", chapter, student), text)
    stamp = handed_in(course, student, chapter)[0]
    if stamp:
        words = stamp.strftime("%Y-%m-%d %H:%M:%S.%f UTC").encode()
        gradebook.write_whole(course.notebook("autograded", chapter, student).parent / "timestamp.txt", words)


def _answers(course, chapter, student):
    try:
        cells = read_cells(read_bytes(course.notebook("submitted", chapter, student)))
    except Unreadable:
        return None
    return find_answers(cells, read_chapter(course.notebook("source", chapter)))


def escaped(markdown: str) -> str:
    """Free text in which no HTML is left."""
    return html.escape(markdown, quote=False)


def answer_sources(course: Course, chapter: str, student: str) -> dict[str, str]:
    """Id of the check cell -> what the student wrote, where there is an answer."""
    answers = _answers(course, chapter, student)
    return {id: answers.cells[at].source for id, at in answers.found.items()} if answers else {}


def parse_moment(text: str) -> datetime:
    """A deadline such as "2026-12-01 23:59", in local time if it names no zone.

    Raises
    ------
    CourseError
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise CourseError(f"{text!r} is no moment; write it like 2026-12-01 23:59") from None
    return moment if moment.tzinfo else moment.astimezone()
