"""Feedback: an HTML page for each student and chapter, without scripts, solutions or tests."""

import re

from markupsafe import Markup

from fmkit._files import write_whole
from fmkit._templates import render
from fmkit.course import gradebook
from fmkit.course.chapter import grade_id_of
from fmkit.course.grading import marking
from fmkit.course.layout import Course
from fmkit.course.marks import Mark, marks
from fmkit.errors import CourseError

LONGEST = 20_000  # characters of an answer that are shown


def write_feedback(course: Course, chapter: str, student: str | None = None) -> list[str]:
    """Write the pages of a chapter; returns the students who have one.

    Raises
    ------
    CourseError
        When nothing has been graded.
    """
    found = {id: mark for id, mark in marks(course, chapter).items() if mark.result}
    if student is not None:
        found = {id: mark for id, mark in found.items() if id == student}
    if not found:
        whose = f" of {student}" if student else ""
        raise CourseError(f"{chapter}: nothing{whose} has been graded yet: run `fmkit course grade`")
    titles = text_titles(course, chapter)
    for name, mark in found.items():
        path = course.notebook("feedback", chapter, name).with_suffix(".html")
        write_whole(path, page(course, mark, titles).encode("utf-8", "replace"))
    return sorted(found)


def text_titles(course: Course, chapter: str) -> dict[str, str]:
    """Free-text answer -> the last heading above it."""
    title, titles = "", {}
    texts = {id for id, _ in marking.asked(course, chapter).texts}
    for cell in gradebook.read_notebook(course.notebook("release", chapter)).cells:
        if cell.cell_type == "markdown" and (headings := re.findall(r"^#+ +(.+)$", cell.source, re.M)):
            title = headings[-1]
        if (id := grade_id_of(cell)) in texts:
            titles[id] = title or id
    return titles


def page(course: Course, mark: Mark, titles: dict[str, str]) -> str:
    """The page of one student, with manual points and comments."""
    result, grade = mark.result, mark.grade
    chapter = result["chapter"]
    answers = marking.shown_answers(course, chapter, mark.by)
    cells = {a.check_id: a.answer_id for a in marking.asked(course, chapter).asked}
    parts = []
    for check_id, entry in result["exercises"].items():
        answer = cells.get(check_id, check_id)
        part = _exercise(check_id, entry, answers.get(answer), grade)
        parts.append(part | {"comment": grade["comments"].get(answer)})
    for grade_id, text in result["texts"].items():
        part = _text(grade_id, titles.get(grade_id, grade_id), text, grade)
        parts.append(part | {"comment": grade["comments"].get(grade_id)})
    return render(
        "course",
        "feedback.html",
        title=f"{chapter}: {mark.student.name}",
        score=f"{mark.score:g}",
        most=f"{mark.most:g}",
        remarks=_remarks(mark),
        parts=parts,
    )


def _remarks(mark: Mark) -> list[str]:
    remarks, result = [], mark.result
    if mark.when:
        words = f"{', after the deadline' if mark.late else ''}."
        remarks.append(f"Handed in {mark.when.astimezone():%Y-%m-%d %H:%M}{words}")
    if mark.penalty:
        remarks.append(f"{mark.raw:g} points without the deduction for being late.")
    if mark.remarks:
        words = "; ".join(mark.remarks)
        remarks.append(f"{words[0].upper()}{words[1:]}.")
    if result["status"] != "graded":
        remarks.append(f"Status: {result['status']}. {result['reason']}")
    if mark.grade["waiting"]:
        remarks.append("Part of it is still to be read by a person.")
    return remarks


def _exercise(check_id, entry, answer, grade) -> dict:
    """What the template shows of an exercise."""
    points, most = grade["points"].get(check_id, (entry["points"], entry["max_points"]))
    card = marking.verdict_card(entry)._repr_html_().replace(' role="status"', "", 1)  # nothing here is live
    shown = answer[:LONGEST] if answer and entry["status"] not in ("missing", "undone") else None
    part = {"title": entry["title"], "points": f"{points:g} of {most:g}", "card": Markup(card)}
    return part | {"answer": shown, "text": None}


def _text(grade_id, title, text, grade) -> dict:
    """What the template shows of a free answer."""
    points, most = grade["points"].get(grade_id, (0, 0))
    waits = grade_id in grade["waiting"]
    words = f"to be read, {most:g} at most" if waits else f"{points:g} of {most:g}"
    shown = text[:LONGEST] if text.strip() else "(no answer)"
    return {"title": title, "points": words, "card": None, "answer": None, "text": shown}
