"""Feedback: an HTML page for each student and chapter, without scripts, solutions or tests."""

import re

from markupsafe import Markup

from fmkit._files import write_whole
from fmkit._templates import render
from fmkit.course import gradebook, pictures
from fmkit.course.chapter import grade_id_of
from fmkit.course.collecting.collect import handed_in
from fmkit.course.grading import marking
from fmkit.course.layout import Course
from fmkit.course.roster import Student
from fmkit.errors import CourseError

LONGEST = 20_000  # characters of an answer that are shown


def write_feedback(course: Course, chapter: str, student: str | None = None) -> list[str]:
    """Write the pages of a chapter; returns the students who have one.

    Raises
    ------
    CourseError
        When nothing has been graded.
    """
    results = marking.latest(course, chapter)
    if student is not None:
        results = {name: result for name, result in results.items() if name == student}
    if not results:
        whose = f" of {student}" if student else ""
        raise CourseError(f"{chapter}: nothing{whose} has been graded yet: run `fmkit course grade`")
    grades, students = gradebook.grades(course, chapter), {s.id: s for s in course.students()}
    titles = text_titles(course, chapter)
    for name, result in results.items():
        text = page(course, students.get(name, Student(name)), result, grades.get(name), titles)
        path = course.notebook("feedback", chapter, name).with_suffix(".html")
        write_whole(path, text.encode("utf-8", "replace"))
    return sorted(results)


def text_titles(course: Course, chapter: str) -> dict[str, str]:
    """Free-text answer -> the last heading above it."""
    title, titles = "", {}
    texts = {entry.grade_id for entry in marking.asked(course, chapter).texts}
    for cell in gradebook.read_notebook(course.notebook("release", chapter)).cells:
        if cell.cell_type == "markdown" and (headings := re.findall(r"^#+ +(.+)$", cell.source, re.M)):
            title = headings[-1]
        if (id := grade_id_of(cell)) in texts:
            titles[id] = title or id
    return titles


def page(course: Course, student: Student, result: dict, grade: dict | None, titles: dict[str, str]) -> str:
    """The page of one student; ``grade`` is what the gradebook says, with manual points and comments."""
    chapter = result["chapter"]
    score, most = (grade["score"], grade["max_score"]) if grade else (result["score"], result["max_score"])
    grade = grade or {"points": {}, "comments": {}, "waiting": set()}
    answers = marking.shown_answers(course, chapter, student.id)
    asked = marking.asked(course, chapter)
    cells = {a.check_id: a.answer_id for a in asked.asked} | {a.grade_id: a.answer_id for a in asked.texts}
    parts = []
    for check_id, entry in result["exercises"].items():
        answer = cells.get(check_id, check_id)
        part = _exercise(course, check_id, entry, answers.get(answer, {}).get("source"), grade)
        parts.append(part | {"comment": grade["comments"].get(answer)})
    for grade_id, text in result["texts"].items():
        part = _text(grade_id, titles.get(grade_id, grade_id), text, grade)
        answer = cells[grade_id]
        part["pictures"] = pictures.shown(answers.get(answer, {}))
        parts.append(part | {"comment": grade["comments"].get(answer)})
    return render(
        "course",
        "feedback.html",
        title=f"{chapter}: {student.name}",
        score=f"{score:g}",
        most=f"{most:g}",
        remarks=_remarks(course, student, result, grade),
        parts=parts,
    )


def _remarks(course, student, result, grade) -> list[str]:
    remarks = []
    when, late = handed_in(course, student.id, result["chapter"])
    if when:
        words = f"Handed in {when.astimezone():%Y-%m-%d %H:%M}{', after the deadline' if late else ''}."
        remarks.append(words)
    if result["status"] != "graded":
        remarks.append(f"Status: {result['status']}. {result['reason']}")
    if grade["waiting"]:
        remarks.append("Part of it is still to be read by a person.")
    return remarks


def _exercise(course, check_id, entry, answer, grade) -> dict:
    """What the template shows of an exercise."""
    points, most = grade["points"].get(check_id, (entry["points"], entry["max_points"]))
    card = (
        marking.verdict_card(course, entry)._repr_html_().replace(' role="status"', "", 1)
    )  # nothing here is live
    shown = answer[:LONGEST] if answer and entry["status"] not in ("missing", "undone") else None
    part = {"title": entry["title"], "points": f"{points:g} of {most:g}", "card": Markup(card)}
    return part | {"answer": shown, "text": None, "pictures": ()}


def _text(grade_id, title, text, grade) -> dict:
    """What the template shows of a free answer."""
    points, most = grade["points"].get(grade_id, (0, 0))
    waits = grade_id in grade["waiting"]
    words = f"to be read, {most:g} at most" if waits else f"{points:g} of {most:g}"
    shown = text[:LONGEST] if text.strip() else "(no answer)"
    return {"title": title, "points": words, "card": None, "answer": None, "text": shown}
