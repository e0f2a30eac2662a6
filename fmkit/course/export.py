"""Export: CSV files for Moodle and Canvas, and plain ones with every status and reason."""

import csv
import io
from pathlib import Path

from fmkit.course import gradebook, marking
from fmkit.course.collect import handed_in
from fmkit.course.layout import Course


def export(course: Course, chapters: list[str], folder: Path) -> list[Path]:
    """Write grades.csv, exercises.csv, moodle.csv and canvas.csv into a folder; returns their paths."""
    grades = {chapter: gradebook.grades(course, chapter) for chapter in chapters}
    results = {chapter: marking.latest(course, chapter) for chapter in chapters}
    tables = {
        "grades.csv": _grades(course, grades, results),
        "exercises.csv": _exercises(course, results),
        "moodle.csv": _moodle(course, grades),
        "canvas.csv": _canvas(course, grades),
    }
    written = []
    for name, rows in tables.items():
        out = io.StringIO()
        csv.writer(out, lineterminator="\r\n").writerows([[_harmless(c) for c in row] for row in rows])
        gradebook.write_whole(folder / name, b"\xef\xbb\xbf" + out.getvalue().encode("utf-8", "replace"))
        written.append(folder / name)
    return written


def _harmless(cell):
    """A text that a spreadsheet would take for a formula gets an apostrophe in front."""
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + cell
    return f"{cell:g}" if isinstance(cell, float) else cell


def _grades(course, grades, results):
    yield [
        "student",
        "name",
        "chapter",
        "score",
        "max_score",
        "status",
        "reason",
        "handed in",
        "late",
        "waiting",
    ]
    for chapter, found in results.items():
        for student in course.students():
            result, grade = found.get(student.id), grades[chapter].get(student.id)
            when, late = handed_in(course, student.id, chapter)
            stamp = when.astimezone().isoformat(" ", "minutes") if when else ""
            row = [student.id, student.name, chapter]
            if result is None:
                yield [*row, "", "", "not graded" if when else "nothing handed in", "", stamp, "", ""]
                continue
            score = (grade["score"], grade["max_score"]) if grade else (result["score"], result["max_score"])
            flags = ["yes" if late else "no", "yes" if grade and grade["waiting"] else "no"]
            yield [*row, *map(float, score), result["status"], result["reason"], stamp, *flags]


def _exercises(course, results):
    yield ["student", "chapter", "exercise", "points", "max_points", "status", "misconception", "reason"]
    for chapter, found in results.items():
        for student in course.students():
            for entry in found.get(student.id, {}).get("exercises", {}).values():
                row = [student.id, chapter, entry["exercise"], entry["points"], entry["max_points"]]
                yield [*row, entry["status"], entry["misconception"], entry["message"]]


def _moodle(course, grades):
    """Moodle's "Import grades" asks which column is what; these names it knows."""
    yield ["ID number", "First name", "Last name", "Email address", *grades]
    for s in course.students():
        yield [s.id, s.first_name, s.last_name, s.email, *_scores(s, grades)]


def _canvas(course, grades):
    """Canvas matches students by SIS Login ID; the second line says how many points there are."""
    yield ["Student", "ID", "SIS Login ID", "Section", *grades]
    most = [max((g["max_score"] for g in found.values()), default="") for found in grades.values()]
    yield ["    Points Possible", "", "", "", *most]
    for s in course.students():
        yield [f"{s.last_name}, {s.first_name}".strip(", "), "", s.id, "", *_scores(s, grades)]


def _scores(student, grades):
    return [float(found[student.id]["score"]) if student.id in found else "" for found in grades.values()]
