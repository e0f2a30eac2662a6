"""What each student gets for a chapter: points, whose submission they come from, and what being late costs.

The points stay in nbgrader's gradebook as they were given; what being late costs stands beside them, in
nbgrader's own fields, so that formgrader and nbgrader's exporter agree.
"""

import hashlib
import math
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

from fmkit.course import gradebook
from fmkit.course.collecting.collect import handed_in, has_answers, when_tried
from fmkit.course.grading import marking
from fmkit.course.layout import Course
from fmkit.course.roster import Student
from fmkit.course.rules import DAY, Late, Rules, read_rules
from fmkit.errors import CourseError


@dataclass(frozen=True)
class Mark:
    """What one student gets for a chapter.

    Attributes
    ----------
    by : str
        Whose submission counts: the student's own, or that of a member of the team.
    result : dict or None
        The journal's; None while nothing of it has been graded.
    grade : dict
        The gradebook's: points, comments and who waits, by nbgrader's cell id.
    when : datetime or None
        When what was graded was handed in; while nothing is, when what counts was.
    late : bool
    due : datetime or None
        The student's own deadline.
    raw, most : float or None
        Points reached, and the most there are; None while nothing has been graded.
    percent : float
        What being late costs.
    remarks : tuple of str
        "2 days late: -20 %", an extension, the team, and where what counts by now is not what was graded.
    """

    student: Student
    by: str
    result: dict | None
    grade: dict
    when: datetime | None
    late: bool
    due: datetime | None
    raw: float | None
    most: float | None
    percent: float
    remarks: tuple[str, ...]

    @property
    def penalty(self) -> float:
        """The points that being late costs."""
        return (self.raw or 0.0) * self.percent / 100

    @property
    def score(self) -> float | None:
        """The points that count."""
        return None if self.raw is None else self.raw - self.penalty


def marks(course: Course, chapter: str) -> dict[str, Mark]:
    """What everybody of the roster gets for a chapter, by id; and who was graded and is in it no more."""
    results, grades = marking.latest(course, chapter), gradebook.grades(course, chapter)
    roster = {s.id: s for s in course.students()}
    students = roster | {id: Student(id) for id in results if id not in roster}
    rules, due = read_rules(course), gradebook.due_date(course, chapter)
    whose = _whose(course, chapter, list(students), rules)
    found = {}
    for id, student in students.items():
        by = whose[id]
        known = grades.get(by) or results.get(by) if by in results else None
        own = rules.due(by, chapter, due)
        when, late, stale = _when(course, chapter, by, results.get(by), own, own != due)
        words, percent = lateness(rules.late, when, own) if late else ("", 0.0)
        extended = f"extended to {own.astimezone():%Y-%m-%d %H:%M}" if own != due else ""
        team = f"team {rules.team(id, chapter)}: handed in by {by}" if by != id else ""
        found[id] = Mark(
            student=student,
            by=by,
            result=results.get(by),
            grade=grades.get(by) or {"points": {}, "comments": {}, "waiting": set()},
            when=when,
            late=late,
            due=own,
            raw=known and float(known["score"]),
            most=known and float(known["max_score"]),
            percent=percent,
            remarks=tuple(filter(None, (words, extended, team, STALE if stale else ""))),
        )
    return found


STALE = "another try counts by now; these points are of the one graded before"


def _when(
    course: Course, chapter: str, by: str, result: dict | None, due: datetime | None, extended: bool
) -> tuple[datetime | None, bool, bool]:
    """When what was graded was handed in, whether that was late, and whether something else counts by now."""
    path = course.notebook("submitted", chapter, by)
    if result is None or result["sha256"] == marking.content_of(path):
        return *handed_in(course, by, chapter), False
    return *when_tried(course, by, chapter, result["sha256"], due, extended), path.exists()


def _whose(course: Course, chapter: str, students: list[str], rules: Rules) -> dict[str, str]:
    """Student -> whose submission counts: of a team the last one on time, else the last one of all; one in
    which something is answered goes before one without."""
    teams: dict[str, list[str]] = {}
    for id in students:
        if course.notebook("submitted", chapter, id).exists() and (team := rules.team(id, chapter)):
            teams.setdefault(team, []).append(id)

    def order(id: str) -> tuple[bool, bool, datetime]:
        when, late = handed_in(course, id, chapter)
        return not late, has_answers(course, id, chapter), when or _LONG_AGO

    best = {team: max(members, key=order) for team, members in teams.items()}
    return {id: best.get(rules.team(id, chapter), id) for id in students}


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def lateness(rule: Late, when: datetime | None, due: datetime | None) -> tuple[str, float]:
    """How late a late submission is, in words, and the per cent that this costs.

    Where only the LMS says that it is late, and no time by how much, it counts as one day.
    """
    late = when - due if when and due and when > due else DAY
    days = math.ceil(late / DAY)
    words = f"{days} day{'' if days == 1 else 's'} late" if when and due and when > due else "late"
    percent = rule.percent(late)
    return (f"{words}: -{percent:g} %" if percent else words), percent


def sections(student: Student) -> list[str]:
    """The sections of a student; who is in several has them in one field: "A, tutorial 2"."""
    return [part.strip() for part in re.split("[,;|]", student.section) if part.strip()]


def file_name(section: str | None, name: str) -> str:
    """A file's name for what shows one section only: another one for each section, whatever it is called."""
    if section is None:
        return name
    section = unicodedata.normalize("NFC", section.strip().casefold())
    plain = re.sub(r"[^\w .+-]", "_", section)[:40].rstrip(" .")
    if plain != section:
        plain += f"-{hashlib.sha256(section.encode()).hexdigest()[:6]}"
    return f"{name}-{plain}"


def members(course: Course, section: str | None) -> list[Student]:
    """The students of a section, or all.

    Raises
    ------
    CourseError
        When nobody is in it; the message names the sections there are.
    """
    students = course.students()
    if section is None:
        return students
    wanted = section.strip().casefold()
    found = [s for s in students if wanted in (name.casefold() for name in sections(s))]
    if not found:
        known = sorted({name for s in students for name in sections(s)})
        words = f"there are {', '.join(known)}" if known else "students.csv has no column section"
        raise CourseError(f"nobody is in the section {section!r}; {words}")
    return found


def enter(course: Course, chapter: str) -> None:
    """Bring extensions, and what being late costs, into nbgrader's own fields."""
    own = {id: mark for id, mark in marks(course, chapter).items() if mark.by == id and mark.result}
    gradebook.write_late(course, chapter, {id: (mark.due, mark.penalty) for id, mark in own.items()})
