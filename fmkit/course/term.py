"""The term on one page: all chapters exercise by exercise, by section, and answers that are alike."""

from collections import Counter
from pathlib import Path

from fmkit._files import write_whole
from fmkit._templates import render
from fmkit.chapters.read import read_file
from fmkit.course import report
from fmkit.course.chapter import grade_id_of
from fmkit.course.grading import marking
from fmkit.course.grading.journal import every_result
from fmkit.course.layout import Course
from fmkit.course.likeness import Hints, hints
from fmkit.course.marks import Mark, marks, sections
from fmkit.course.minutes import NOTHING
from fmkit.course.roster import Student
from fmkit.errors import ChapterError, CourseError
from fmkit.lab import exercises
from fmkit.lab.judging.mistakes import source_of


def write_term(course: Course, chapters: list[str], students: list[Student], path: Path) -> Path:
    """Write the page of these chapters and students."""
    every = every_result(course.journal)
    found = [_chapter(course, chapter, students, every) for chapter in chapters]
    page = render(
        "course",
        "term.html",
        title=course.root.name,
        students=len(students),
        chapters=found,
        sections=_sections(students, found),
        alike=_hints(found),
    )
    write_whole(path, page.encode("utf-8", "replace"))
    return path


def _chapter(course: Course, chapter: str, students: list[Student], every: list[dict]) -> dict:
    """What the template shows of a chapter."""
    theirs = marks(course, chapter)
    given = {s.id: theirs[s.id] for s in students if theirs[s.id].raw is not None}
    own = {id: mark for id, mark in given.items() if mark.by == id}
    tries = _tries(every, chapter, set(own))
    time = report.minutes(course, chapter, set(given)) if given else NOTHING
    rows = []
    for row in _rows(course, chapter, set(given)):
        total = sum(row[what] for what in report.COLOURS)
        shares = [(what, 100 * row[what] / total) for what in report.COLOURS]
        points = _mean_points([mark.grade["points"].get(row["check_id"]) for mark in given.values()])
        more = {
            "points": points,
            "tries": tries[row["check_id"]],
            "minutes": time.medians.get(row["exercise"]),
        }
        rows.append(row | {"shares": shares} | more)
    return {
        "name": chapter,
        "given": given,
        "handed_in": len(given),
        "late": sum(mark.late for mark in given.values()),
        "waiting": len({mark.by for mark in given.values() if mark.grade["waiting"]}),
        "points": _mean_points([(mark.score, mark.most) for mark in given.values()]),
        "right": sum(row["right"] for row in rows) / max(1, sum(r[w] for r in rows for w in report.COLOURS)),
        "rows": rows,
        "timed": bool(time.medians),
        "time": " ".join(time.lines()),
        "alike": _alike(course, chapter, own) if own else [],
    }


def _rows(course: Course, chapter: str, students: set[str]) -> list[dict]:
    try:
        return report.rows(course, chapter, students)
    except CourseError:  # nobody of them, or only free answers
        return []


def _mean_points(pairs: list) -> tuple[float, float] | None:
    """The mean of the points, and the most there are."""
    pairs = [pair for pair in pairs if pair]
    return (sum(p for p, _ in pairs) / len(pairs), max(most for _, most in pairs)) if pairs else None


def _tries(every: list[dict], chapter: str, students: set[str]) -> Counter:
    """Check cell -> the mean number of graded versions until it was right, or of all if it never was."""
    versions: dict[str, dict[str, dict]] = {}
    for result in every:
        if result["chapter"] == chapter and result["student"] in students:
            versions.setdefault(result["student"], {})[result["sha256"]] = result["exercises"]
    total: Counter = Counter()
    for theirs in versions.values():
        for id in {id for entries in theirs.values() for id in entries}:
            right = [entries.get(id, {}).get("status") == "ok" for entries in theirs.values()]
            total[id] += right.index(True) + 1 if True in right else len(right)
    return Counter({id: number / len(versions) for id, number in total.items()})


def _sections(students: list[Student], found: list[dict]) -> list[dict]:
    """Each section with what it reached in every chapter; nothing where there are not two."""
    names = sorted({name for s in students for name in sections(s)})
    rows = []
    for name in names if len(names) > 1 else []:
        ids = {s.id for s in students if name in sections(s)}
        cells = []
        for chapter in found:
            there = [mark for id, mark in chapter["given"].items() if id in ids]
            points = _mean_points([(mark.score, mark.most) for mark in there])
            share = points[0] / points[1] if points and points[1] else None
            cells.append({"share": share, "handed_in": len(there)})
        rows.append({"name": name, "students": len(ids), "cells": cells})
    return rows


# --- answers that are alike ---------------------------------------------------------------------------------


SAME, OF_THE_KIT = "the same but for names", "nearly the text of the kit's solution, comments and all"


def _hints(found: list[dict]) -> list[dict]:
    """Who, what and where, most in common first: one line for a group, however many answers."""
    where: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for chapter in found:
        for title, alike in chapter["alike"]:
            who = [(SAME, ", ".join(group)) for group in alike.same]
            for key in who + [(OF_THE_KIT, id) for id in alike.of_the_kit]:
                where.setdefault(key, []).append((chapter["name"], title))
    rows = []
    for (what, who), places in sorted(where.items(), key=lambda item: (-len(item[1]), item[0])):
        counted = Counter(chapter for chapter, _ in places)
        few = "; ".join(f"{chapter}: {title}" for chapter, title in places)
        many = ", ".join(f"{chapter} ({number})" for chapter, number in counted.items())
        rows.append({"who": who, "what": what, "where": few if len(places) <= 3 else many})
    return rows


def _alike(course: Course, chapter: str, own: dict[str, Mark]) -> list[tuple[str, Hints]]:
    """Exercise and hints, where there are any."""
    shown = {id: marking.shown_answers(course, chapter, id) for id in own}
    given, solved = (_cells(course.notebook(step, chapter)) for step in ("release", "source"))
    found = []
    for asked in marking.asked(course, chapter).asked:
        exercise = exercises.get(asked.exercise, asked.own)
        answers = {
            id: shown[id].get(asked.answer_id, {}).get("source", "")
            for id, mark in own.items()
            if mark.result["exercises"].get(asked.check_id, {}).get("status")
            not in (None, "missing", "undone")
        }
        functions = (exercise.reference, *exercise.alternatives)
        known = [source_of(function) for function in functions]
        known.append(solved.get(asked.answer_id, ""))
        alike = hints(answers, given.get(asked.answer_id, ""), known)
        if alike.same or alike.of_the_kit:
            found.append((exercise.title, alike))
    return found


def _cells(path: Path) -> dict[str, str]:
    try:
        cells = read_file(path)["cells"]
    except (OSError, ChapterError):
        return {}
    return {grade_id_of(cell): cell["source"] for cell in cells if grade_id_of(cell)}
