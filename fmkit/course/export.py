"""Export: CSV files for Moodle and Canvas, and plain ones with every status and reason."""

import csv
import io
import re
from decimal import Decimal
from pathlib import Path

from fmkit._files import write_whole
from fmkit.course.layout import Course
from fmkit.course.marks import Mark, file_name, marks
from fmkit.course.roster import Student


def export(
    course: Course, chapters: list[str], folder: Path, students: list[Student], section: str | None = None
) -> list[Path]:
    """Write grades.csv, exercises.csv, moodle.csv and canvas.csv into a folder; returns their paths.

    Where these are the students of one section, its name is in theirs: grades-b.csv.
    """
    found = {chapter: marks(course, chapter) for chapter in chapters}
    tables = {
        "grades": _grades(students, found),
        "exercises": _exercises(students, found),
        "moodle": _moodle(students, found),
        "canvas": _canvas(students, found),
    }
    written = []
    for name, rows in tables.items():
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n", quoting=csv.QUOTE_NONNUMERIC)
        writer.writerows([[_harmless(cell) for cell in row] for row in rows])
        path = folder / f"{file_name(section, name)}.csv"
        write_whole(path, b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace"))
        written.append(path)
    return written


def waiting(course: Course, chapters: list[str], students: list[Student]) -> dict[str, int]:
    """Chapter -> how many free answers still wait for a mark; chapters without any are left out."""
    found = {}
    for chapter in chapters:
        theirs = marks(course, chapter)
        each = {theirs[s.id].by: theirs[s.id] for s in students}  # of a team once
        found[chapter] = sum(len(mark.grade["waiting"]) for mark in each.values())
    return {chapter: number for chapter, number in found.items() if number}


def _harmless(cell):
    """What a spreadsheet would take for a formula gets an apostrophe in front, wherever a cell may begin.

    That is also behind a semicolon, a tab or a new line: many split there, whatever the quotes say.
    """
    if isinstance(cell, str):
        return re.sub(r"""(^|[;\t\r\n])([\s"']*)(?=[=+\-@|%])""", r"\1\2'", cell)
    return Decimal(f"{cell:g}") if isinstance(cell, float) else cell  # which csv leaves without quotes


def _grades(students, found):
    head = "student,name,chapter,score,max_score,status,reason,handed in,late,waiting"
    yield [*head.split(","), "raw_score", "late_penalty", "remark", "section"]
    for chapter, theirs in found.items():
        for student in students:
            mark = theirs[student.id]
            stamp = mark.when.astimezone().isoformat(" ", "minutes") if mark.when else ""
            late = ("yes" if mark.late else "no") if mark.when else ""
            row, more = [student.id, student.name, chapter], ["; ".join(mark.remarks), student.section]
            if mark.raw is None:
                status = "not graded" if mark.when else "nothing handed in"
                yield [*row, "", "", status, "", stamp, late, "", "", "", *more]
                continue
            status, waits = [mark.result["status"], mark.result["reason"]], _yes(mark.grade["waiting"])
            more = [waits, mark.raw, mark.penalty, *more]
            yield [*row, mark.score, mark.most, *status, stamp, late, *more]


def _yes(found) -> str:
    return "yes" if found else "no"


def _exercises(students, found):
    yield ["student", "chapter", "exercise", "points", "max_points", "status", "misconception", "reason"]
    for chapter, theirs in found.items():
        for student in students:
            mark = theirs[student.id]
            for id, entry in mark.result["exercises"].items() if mark.result else ():
                points = mark.grade["points"].get(id, (entry["points"], entry["max_points"]))
                row = [student.id, chapter, entry["exercise"], *map(float, points)]
                yield [*row, entry["status"], entry["misconception"], entry["message"]]
            for id in mark.result["texts"] if mark.result else ():
                points, most = mark.grade["points"].get(id, (0.0, 0.0))
                if id in mark.grade["waiting"]:
                    yield [student.id, chapter, id, "", most, "waits for points by hand", "", ""]
                else:
                    yield [student.id, chapter, id, points, most, "graded by hand", "", ""]


def _moodle(students, found):
    """Moodle's "Import grades" asks which column is what; these are its own names for them."""
    yield ["ID number", "First name", "Last name", "Email address", *found]
    for s in students:
        yield [s.id, s.first_name, s.last_name, s.email, *_scores(s, found)]


def _canvas(students, found):
    """Canvas wants these columns, and finds students by SIS Login ID; the second line has the points."""
    yield ["Student", "ID", "SIS Login ID", "Section", *found]
    most = [
        max((m.most for m in theirs.values() if m.most is not None), default="") for theirs in found.values()
    ]
    yield ["    Points Possible", "", "", "", *most]
    for s in students:
        yield [f"{s.last_name}, {s.first_name}".strip(", "), "", s.id, s.section, *_scores(s, found)]


def _scores(student: Student, found: dict[str, dict[str, Mark]]) -> list:
    """No score for who handed in nothing: the LMS keeps what it has then."""
    scores = [theirs[student.id].score for theirs in found.values()]
    return ["" if score is None else score for score in scores]
