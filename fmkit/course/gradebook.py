"""nbgrader's gradebook: what it is told by us. One process writes it; what an instructor entered stays."""

import logging
import os
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import nbformat

from fmkit.course.layout import Course, CourseError
from fmkit.course.student import student_version


@contextmanager
def opened(course: Course):
    """The gradebook, closed afterwards."""
    try:
        from nbgrader.api import Gradebook
    except ImportError as error:
        raise CourseError("nbgrader is missing: pip install 'fmkit[course]'") from error
    from sqlalchemy.exc import DatabaseError

    try:
        with Gradebook(course.db_url, course_id=course.root.name) as gradebook:
            yield gradebook
    except DatabaseError as error:
        reason = str(error.orig)
        raise CourseError(f"{course.root / 'gradebook.db'} cannot be used: {reason}") from error


def save_students(course: Course) -> None:
    """Bring the roster into the gradebook; nobody is removed from it."""
    with opened(course) as gradebook:
        for s in course.students():
            more = {"first_name": s.first_name, "last_name": s.last_name, "email": s.email}
            gradebook.update_or_create_student(s.id, **more)


def release(course: Course, chapter: str, due: datetime | None = None) -> Path:
    """Write the student version of a chapter and enter its cells and points into the gradebook.

    Raises
    ------
    CourseError
        When the notebook cannot be read, or has other graded cells than the one that was handed in to.
    """
    path = course.notebook("source", chapter)
    nb = read_notebook(path)
    try:
        student = student_version(nb)
    except ValueError as error:
        raise CourseError(f"{path}: {error}") from error
    _save_cells(course, chapter, student)
    if due is not None:
        with opened(course) as gradebook:
            gradebook.update_or_create_assignment(chapter, duedate=due.astimezone(UTC).replace(tzinfo=None))
    target = course.notebook("release", chapter)
    write_whole(target, (nbformat.writes(student) + "\n").encode("utf-8"))
    return target


def read_notebook(path: Path):
    """A notebook of the instructor's."""
    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, nbformat.reader.NotJSONError) as error:
        raise CourseError(f"{path} cannot be read: {error}") from error


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
            f"{chapter} has been handed in already, and its graded cells differ now: {error}. "
            "Give the changed chapter another name."
        ) from error


def due_date(course: Course, chapter: str) -> datetime | None:
    """Until when a chapter may be handed in, with its time zone; None when that was not said."""
    from nbgrader.api import MissingEntry

    with opened(course) as gradebook:
        try:
            due = gradebook.find_assignment(chapter).duedate
        except MissingEntry:
            return None
    return due and due.replace(tzinfo=UTC)


def write_result(gradebook, result: dict, handed_in: datetime | None) -> None:
    """Enter one submission's result. Manual points and comments stay as they are."""
    chapter, student = result["chapter"], result["student"]
    stamp = handed_in and handed_in.astimezone(UTC).replace(tzinfo=None)
    with gradebook.db.no_autoflush:  # nbgrader adds its rows one by one, and SQLAlchemy would warn
        gradebook.update_or_create_submission(chapter, student, timestamp=stamp)
    for check_id, entry in result["exercises"].items():
        grade = gradebook.find_grade(check_id, chapter, chapter, student)
        grade.auto_score = entry["points"]
        grade.needs_manual_grade = False
    for grade_id, text in result["texts"].items():
        grade = gradebook.find_grade(grade_id, chapter, chapter, student)
        comment = gradebook.find_comment(grade_id, chapter, chapter, student)
        comment.auto_comment = None if text.strip() else "No response."
        grade.needs_manual_grade = grade.manual_score is None
    gradebook.db.commit()


def grades(course: Course, chapter: str) -> dict[str, dict]:
    """What the gradebook says of a chapter: student -> score, max_score, comments, points of each cell.

    ``points`` and ``comments`` are by nbgrader's cell id; ``waiting`` says whether something is still to be
    graded by hand.
    """
    found = {}
    with opened(course) as gradebook:
        for submission in gradebook.assignment_submissions(chapter):
            points, comments, waiting = {}, {}, False
            for notebook in submission.notebooks:
                points |= {grade.name: (grade.score, grade.max_score) for grade in notebook.grades}
                comments |= {comment.name: comment.comment or "" for comment in notebook.comments}
                waiting = waiting or any(grade.needs_manual_grade for grade in notebook.grades)
            found[submission.student_id] = {
                "score": submission.score,
                "max_score": submission.max_score,
                "points": points,
                "comments": comments,
                "waiting": waiting,
            }
    return found


def write_whole(path: Path, data: bytes) -> None:
    """Write beside the file and rename: it is seen whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
