"""nbgrader's gradebook: what we write into it. One process does so, and what an instructor entered stays."""

import logging
import math
import os
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from fmkit._files import write_whole
from fmkit._paths import install_command
from fmkit.chapters.read import read_node, to_text
from fmkit.chapters.student import student_version
from fmkit.course import minutes
from fmkit.course.chapter import read_chapter
from fmkit.course.layout import Course
from fmkit.course.rules import read_rules
from fmkit.errors import ChapterError, CourseError


@contextmanager
def opened(course: Course, new: bool = False):
    """The gradebook, closed afterwards; one that is gone is made anew only where that is asked for.

    Raises
    ------
    CourseError
        When it cannot be used, or is gone and with it the points that were given by hand.
    """
    path = course.root / "gradebook.db"
    if not (new or path.exists()) and course.journal.exists():
        words = "points by hand and deadlines are in it alone, so lay it back"
        again = f"Without them: `fmkit course init {course.root}`, then release and grade again"
        raise CourseError(f"{path} is missing: {words}. {again}")
    api = _nbgrader()
    from sqlalchemy.exc import DatabaseError

    try:
        with api.Gradebook(course.db_url, course_id=course.root.name) as gradebook:
            yield gradebook
    except DatabaseError as error:
        reason = str(error.orig)
        raise CourseError(f"{course.root / 'gradebook.db'} cannot be used: {reason}") from error


def _nbgrader():
    try:
        from nbgrader import api
    except ImportError as error:
        words = f"nbgrader is missing. This installs it: {install_command('course')}"
        raise CourseError(words) from error
    here = str(Path(sys.executable).parent)  # nbgrader calls `alembic`, which lies beside this very Python
    if here not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join(filter(None, [here, os.environ.get("PATH")]))
    return api


def save_students(course: Course, new: bool = False) -> None:
    """Bring the roster into the gradebook; nobody is removed from it. ``new`` as in `opened`."""
    api = _nbgrader()
    with opened(course, new) as gradebook:
        known = {student.id: student for student in gradebook.db.query(api.Student)}
        for s in course.students():
            if s.id not in known:
                known[s.id] = api.Student(id=s.id)
                gradebook.db.add(known[s.id])
            row = known[s.id]
            row.first_name, row.last_name, row.email = s.first_name, s.last_name, s.email
        gradebook.db.commit()


def release(course: Course, chapter: str, due: datetime | None = None) -> Path:
    """Write the student version of a chapter and enter its cells and points into the gradebook.

    Raises
    ------
    CourseError
        When the notebook cannot be read, or its graded cells differ from those that students have handed in.
    """
    path = course.notebook("source", chapter)
    nb = read_notebook(path)
    try:
        student = student_version(nb)
    except ValueError as error:
        raise CourseError(f"{path}: {error}") from error
    _require_points(path, student)
    if read_rules(course).ask_minutes:
        _ask_minutes(path, student)
    _save_cells(course, chapter, student)
    if due is not None:
        with opened(course) as gradebook:
            gradebook.update_or_create_assignment(chapter, duedate=due.astimezone(UTC).replace(tzinfo=None))
    target = course.notebook("release", chapter)
    write_whole(target, to_text(student).encode("utf-8"))
    return target


def _ask_minutes(path: Path, nb) -> None:
    """Add the cells that ask for minutes; not where no check says what there is to ask for."""
    import nbformat

    try:
        topics = {asked.exercise.split(".")[0] for asked in read_chapter(path).asked}
    except ChapterError:  # `release` says why
        return
    if topics:
        text, code = minutes.question(topics)
        added = [nbformat.v4.new_markdown_cell(text), nbformat.v4.new_code_cell(code)]
        for cell, id in zip(added, (f"{minutes.ID}-text", minutes.ID), strict=True):
            if nb.get("nbformat_minor", 0) >= 5:
                cell["id"] = id
            else:
                del cell["id"]
        nb["cells"] += added


def read_notebook(path: Path):
    """A notebook of the instructor's, as nbgrader takes it."""
    try:
        return read_node(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CourseError(f"{path} cannot be read: {error}") from error


def _require_points(path: Path, nb) -> None:
    """Refuse a cell without id or points, or with another one's id: nbgrader answers with a traceback."""
    seen = {}
    for number, cell in enumerate(nb["cells"]):
        meta = cell["metadata"].get("nbgrader", {})
        if not any(meta.get(key) for key in ("grade", "solution", "locked", "task")):
            continue
        if not (id := meta.get("grade_id")):
            raise CourseError(f"{path}: cell {number} has no id: give it one in nbgrader's toolbar")
        if id in seen:
            where = f"cells {seen[id]} and {number} are two cells with the same id, {id}"
            raise CourseError(f"{path}: {where}: give one of them another id in nbgrader's toolbar")
        seen[id] = number
        if (meta.get("grade") or meta.get("task")) and not _is_number(meta.get("points")):
            where = f"cell {number} ({id})"
            raise CourseError(f"{path}: {where} has no points: enter a number in nbgrader's toolbar")


def _is_number(points) -> bool:
    return isinstance(points, int | float) and not isinstance(points, bool) and 0 <= points < math.inf


def _save_cells(course: Course, chapter: str, nb) -> None:
    with opened(course) as gradebook:
        gradebook.update_or_create_assignment(chapter)
    from nbgrader.preprocessors import SaveCells

    saver = SaveCells()
    saver.log.setLevel(logging.ERROR)
    where = {"notebook": chapter, "assignment": chapter, "db_url": course.db_url}
    try:
        saver.preprocess(nb, {"nbgrader": where})
    except RuntimeError as error:
        raise CourseError(
            f"{chapter} has been handed in already, and now its graded cells are other ones: {error}. "
            "Give the changed chapter another name."
        ) from error


def due_date(course: Course, chapter: str) -> datetime | None:
    """The deadline of a chapter, with its time zone, or None."""
    with opened(course) as gradebook:
        try:
            due = gradebook.find_assignment(chapter).duedate
        except _nbgrader().MissingEntry:
            return None
    return due and due.replace(tzinfo=UTC)


def grade_cells(course: Course, chapter: str) -> set[str]:
    """Ids of the graded cells that the gradebook knows of a chapter."""
    with opened(course) as gradebook:
        try:
            notebook = gradebook.find_notebook(chapter, chapter)
            return {cell.name for cell in (*notebook.grade_cells, *notebook.task_cells)}
        except _nbgrader().MissingEntry:
            return set()


def write_result(gradebook, result: dict, handed_in: datetime | None, changed: set[str]) -> None:
    """Enter one submission's result.

    Points and comments that an instructor entered stay as they are. Where an answer has changed since
    (``changed`` holds the ids of graded cells), such points are marked to be looked at again.
    """
    chapter, student = result["chapter"], result["student"]
    stamp = handed_in and handed_in.astimezone(UTC).replace(tzinfo=None)
    with gradebook.db.no_autoflush:  # nbgrader adds its rows one by one, and SQLAlchemy would warn
        submission = gradebook.update_or_create_submission(chapter, student, timestamp=stamp)
    notebook = next(notebook for notebook in submission.notebooks if notebook.name == chapter)
    rows = {grade.name: grade for grade in notebook.grades}
    comments = {comment.name: comment for comment in notebook.comments}
    for id, entry in result["exercises"].items():
        rows[id].auto_score = entry["points"]
        by_hand = rows[id].manual_score is not None
        rows[id].needs_manual_grade = by_hand and (id in changed or rows[id].needs_manual_grade)
    for id, text in result["texts"].items():
        if id in comments:  # assertions of the instructor's own have none
            comments[id].auto_comment = None if text.strip() else "No response."
        if rows[id].manual_score is None or id in changed:
            rows[id].needs_manual_grade = True
    gradebook.db.commit()


def write_late(course: Course, chapter: str, late: dict[str, tuple[datetime | None, float]]) -> None:
    """Enter of each student the own deadline, and the points that being late costs; scores stay raw."""
    with opened(course) as gradebook:
        for student, (due, penalty) in late.items():
            try:
                submission = gradebook.find_submission(chapter, student)
            except _nbgrader().MissingEntry:
                continue
            until = submission.assignment.duedate
            later = due and until and due.astimezone(UTC).replace(tzinfo=None) - until
            submission.extension = later or None
            for notebook in submission.notebooks:
                notebook.late_submission_penalty = penalty if notebook.name == chapter else None
        gradebook.db.commit()


def grades(course: Course, chapter: str) -> dict[str, dict]:
    """What the gradebook says of a chapter: student -> score, max_score, points, comments, waiting.

    ``points`` (those given, and the most there are) and ``comments`` are by nbgrader's cell id; ``waiting``
    holds the ids of the cells that are still to be graded by hand.
    """
    api, found = _nbgrader(), {}
    with opened(course) as gradebook:
        submissions = gradebook.db.query(api.SubmittedAssignment).join(api.Assignment)
        for submission in submissions.filter(api.Assignment.name == chapter):
            entry = {"points": {}, "comments": {}, "waiting": set()}
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    entry["points"][grade.name] = (grade.score, grade.max_score)
                    entry["waiting"] |= {grade.name} if grade.needs_manual_grade else set()
                entry["comments"] |= {c.name: c.comment for c in notebook.comments if c.comment}
            score, most = (sum(points[i] for points in entry["points"].values()) for i in (0, 1))
            found[submission.student_id] = entry | {"score": score, "max_score": most}
    return found
