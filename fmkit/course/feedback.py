"""Feedback: an HTML page for each student and chapter, without scripts, solutions or tests."""

import io
import re
import zipfile
from collections import Counter
from pathlib import Path, PurePosixPath

from markupsafe import Markup

from fmkit._files import write_whole
from fmkit._templates import render
from fmkit.course import gradebook, pictures
from fmkit.course.chapter import grade_id_of
from fmkit.course.collecting.collect import read_tries
from fmkit.course.collecting.matching import MOODLE, plain_name
from fmkit.course.grading import marking
from fmkit.course.layout import Course, one_students, tell
from fmkit.course.marks import Mark, marks
from fmkit.course.roster import Student
from fmkit.errors import CourseError

LONGEST = 20_000  # characters of an answer that are shown


def write_feedback(course: Course, chapter: str, student: str | None = None) -> list[str]:
    """Write the pages of a chapter; returns the students who have one.

    Raises
    ------
    CourseError
        When nothing has been graded, or somebody's page cannot be written; the others' are then.
    """
    found = {id: mark for id, mark in marks(course, chapter).items() if mark.result}
    if student is not None:
        found = {id: mark for id, mark in found.items() if id == student}
    if not found:
        if student and student not in {s.id for s in course.students()}:
            raise CourseError(f"there is no student {student!r} in students.csv")
        whose = f" of {student}" if student else ""
        raise CourseError(f"{chapter}: nothing{whose} has been graded yet: run `fmkit course grade`")
    titles = text_titles(course, chapter)
    faults: list[str] = []
    for name, mark in found.items():
        path = course.notebook("feedback", chapter, name).with_suffix(".html")
        with one_students(name, faults):
            write_whole(path, page(course, mark, titles).encode("utf-8", "replace"))
    tell(faults)
    return sorted(found)


def write_archive(course: Course, chapter: str, students: list[str]) -> tuple[Path, list[str]]:
    """The pages as one archive, with a folder for each student named as Moodle's download named it.

    Returns
    -------
    Path
    list of str
        Whose folder has the id for a name, because it is not known how Moodle called it.
    """
    roster = {s.id: s for s in course.students()}
    known = {id: _moodle_folder(course, roster[id], chapter) for id in students if id in roster}
    count = Counter(known.values())
    known = {id: name for id, name in known.items() if name and count[name] == 1}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for id in students:
            page = course.notebook("feedback", chapter, id).with_suffix(".html")
            archive.writestr(f"{known.get(id, id)}/{page.name}", page.read_bytes())
    path = course.root / "feedback" / f"{chapter}.zip"
    write_whole(path, packed.getvalue())
    return path, [id for id in students if id not in known]


def _moodle_folder(course: Course, student: Student, chapter: str) -> str:
    """How Moodle named what a student handed in, as it came with the newest try; nothing if it did not.

    Students name files themselves, so only the outermost name counts, and only with their own name in it.
    """
    names = {plain_name(student.first_name + student.last_name), plain_name(student.id)}
    names |= {plain_name(student.last_name + student.first_name)}
    try:
        tries = read_tries(course, student.id, chapter)
    except CourseError:  # `collect` says so
        return ""
    for one in reversed(tries):
        for part in PurePosixPath(one.source).parts:
            if found := MOODLE.match(part):
                fits = any(name and plain_name(found["name"]).endswith(name) for name in names)
                if fits:
                    return f"{found[0]}file_"
                break
    return ""


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


def page(course: Course, mark: Mark, titles: dict[str, str]) -> str:
    """The page of one student, with manual points and comments."""
    result, grade = mark.result, mark.grade
    chapter = result["chapter"]
    answers = marking.shown_answers(course, chapter, mark.by)
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


def _exercise(course, check_id, entry, answer, grade) -> dict:
    """What the template shows of an exercise."""
    points, most = grade["points"].get(check_id, (entry["points"], entry["max_points"]))
    card = (
        marking.verdict_card(course, entry)._repr_html_().replace(' role="status"', "", 1)
    )  # nothing here is live
    shown = answer[:LONGEST] if answer and entry["status"] not in ("missing", "undone") else None
    part = {"title": entry["title"], "points": f"{points:g} of {most:g}", "card": Markup(card)}
    if entry["points"] and (parts := entry.get("parts")):
        part["points"] += f" ({sum(parts.values())} of {len(parts)} values right)"
    return part | {"answer": shown, "text": None, "pictures": ()}


def _text(grade_id, title, text, grade) -> dict:
    """What the template shows of a free answer."""
    points, most = grade["points"].get(grade_id, (0, 0))
    waits = grade_id in grade["waiting"]
    words = f"to be read, {most:g} at most" if waits else f"{points:g} of {most:g}"
    shown = text[:LONGEST] if text.strip() else "(no answer)"
    return {"title": title, "points": words, "card": None, "answer": None, "text": shown}
