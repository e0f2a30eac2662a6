"""Export: CSV files for Moodle and Canvas, and plain ones with every status and reason."""

import csv
import io
import re
from decimal import Decimal
from pathlib import Path

from fmkit._files import write_whole
from fmkit.course import gradebook
from fmkit.course.collecting.collect import handed_in
from fmkit.course.grading import marking
from fmkit.course.layout import Course


def export(course: Course, chapters: list[str], folder: Path) -> list[Path]:
    """Write grades.csv, exercises.csv, moodle.csv and canvas.csv into a folder; returns their paths."""
    grades = {chapter: gradebook.grades(course, chapter) for chapter in chapters}
    results = {chapter: marking.latest(course, chapter) for chapter in chapters}
    tables = {
        "grades.csv": _grades(course, grades, results),
        "exercises.csv": _exercises(course, grades, results),
        "moodle.csv": _moodle(course, grades),
        "canvas.csv": _canvas(course, grades),
    }
    written = []
    for name, rows in tables.items():
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)
        writer.writerows([[_harmless(cell) for cell in row] for row in rows])
        write_whole(folder / name, b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace"))
        written.append(folder / name)
    return written


def _harmless(cell):
    """What a spreadsheet would take for a formula gets an apostrophe in front, wherever a cell may begin.

    That is also behind a semicolon, a tab or a new line: many split there, whatever the quotes say.
    """
    if isinstance(cell, str):
        return re.sub(r"""(^|[;\t\r\n])([\s"']*)(?=[=+\-@|%])""", r"\1\2'", cell)
    return Decimal(f"{cell:g}") if isinstance(cell, float) else cell  # which csv leaves without quotes


def _grades(course, grades, results):
    head = "student,name,chapter,score,max_score,status,reason,handed in,late,waiting"
    yield head.split(",")
    for chapter, found in results.items():
        for student in course.students():
            result, grade = found.get(student.id), grades[chapter].get(student.id)
            when, late = handed_in(course, student.id, chapter)
            stamp = when.astimezone().isoformat(" ", "minutes") if when else ""
            row, is_late = [student.id, student.name, chapter], ("yes" if late else "no") if when else ""
            if result is None:
                status = "not graded" if when else "nothing handed in"
                yield [*row, "", "", status, "", stamp, is_late, ""]
                continue
            score = (grade["score"], grade["max_score"]) if grade else (result["score"], result["max_score"])
            waiting = "yes" if grade and grade["waiting"] else "no"
            yield [*row, *map(float, score), result["status"], result["reason"], stamp, is_late, waiting]


def _exercises(course, grades, results):
    yield ["student", "chapter", "exercise", "points", "max_points", "status", "misconception", "reason"]
    for chapter, found in results.items():
        for student in course.students():
            result, grade = found.get(student.id), grades[chapter].get(student.id) or {"points": {}}
            for id, entry in result["exercises"].items() if result else ():
                points = grade["points"].get(id, (entry["points"], entry["max_points"]))
                row = [student.id, chapter, entry["exercise"], *map(float, points)]
                yield [*row, entry["status"], entry["misconception"], entry["message"]]
            for id in result["texts"] if result else ():
                points, most = grade["points"].get(id, (0.0, 0.0))
                if id in grade.get("waiting", ()):
                    yield [student.id, chapter, id, "", most, "waits for points by hand", "", ""]
                else:
                    yield [student.id, chapter, id, points, most, "graded by hand", "", ""]


def _moodle(course, grades):
    """Moodle's "Import grades" asks which column is what; these are its own names for them."""
    yield ["ID number", "First name", "Last name", "Email address", *grades]
    for s in course.students():
        yield [s.id, s.first_name, s.last_name, s.email, *_scores(s, grades)]


def _canvas(course, grades):
    """Canvas wants these columns, and finds students by SIS Login ID; the second line has the points."""
    yield ["Student", "ID", "SIS Login ID", "Section", *grades]
    most = [max((g["max_score"] for g in found.values()), default="") for found in grades.values()]
    yield ["    Points Possible", "", "", "", *most]
    for s in course.students():
        yield [f"{s.last_name}, {s.first_name}".strip(", "), "", s.id, "", *_scores(s, grades)]


def _scores(student, grades):
    """No score for who handed in nothing: the LMS keeps what it has then."""
    return [float(found[student.id]["score"]) if student.id in found else "" for found in grades.values()]
