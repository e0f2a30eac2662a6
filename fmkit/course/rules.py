"""What an instructor lays down in plain files beside the roster; each is read anew by every command.

course.toml      what being late costs, points for a part of an answer
extensions.csv   id, chapter, due: a later deadline for one student
teams.csv        team, id (and chapter, if not for all): who hands in together
"""

import math
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from pathlib import Path

from fmkit.chapters.find import which_chapter
from fmkit.course.layout import Course
from fmkit.course.roster import read_table
from fmkit.errors import ChapterError, CourseError, ExerciseError
from fmkit.lab import exercises

DAY = timedelta(days=1)
YEARS = range(1990, 2200)  # another year in a deadline is a slip
SETTINGS = """# Settings of this course. Lines that begin with # are not in use.

# [late]
# grace_days = 0        # so many days late cost nothing
# percent_a_day = 10    # of the points reached, for each day begun after these
# at_most = 50          # per cent

# [tries]
# counts = "best"       # of those in time, by the checks; else the last one

# [points]
# in_parts = ["backprop.linear"]    # these give a share of their points for each returned value that is right
"""


@dataclass(frozen=True)
class Late:
    """What being late costs."""

    grace_days: float = 0
    percent_a_day: float = 0
    at_most: float = 100

    def percent(self, late: timedelta) -> float:
        """Per cent of the points reached that so much lateness costs."""
        days = max(0, math.ceil(late / DAY - self.grace_days))
        return min(self.at_most, self.percent_a_day * days)


@dataclass(frozen=True)
class Rules:
    """All of it.

    Attributes
    ----------
    late : Late
    best : bool
        Whether of several tries the best one counts, not the last one.
    in_parts : frozenset of str
        Ids of exercises that give points for each returned value that is right.
    extensions : dict of (student, chapter) to datetime
    teams : dict of (student, chapter) to str
        The chapter is ``""`` where a team holds for all.
    notes : tuple of str
        Lines that could not be used: file, line and reason.
    """

    late: Late = Late()
    best: bool = False
    in_parts: frozenset[str] = frozenset()
    extensions: dict[tuple[str, str], datetime] = field(default_factory=dict)
    teams: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def due(self, student: str, chapter: str, due: datetime | None) -> datetime | None:
        """A student's own deadline; an extension never shortens, and without a deadline there is none."""
        return due and max(due, self.extensions.get((student, chapter), due))

    def team(self, student: str, chapter: str) -> str:
        """A student's team for a chapter, or nothing."""
        return self.teams.get((student, chapter)) or self.teams.get((student, ""), "")


def read_rules(course: Course) -> Rules:
    """What is laid down in a course; a file that is missing says nothing.

    Raises
    ------
    CourseError
        When a file cannot be read, course.toml has a setting that does not exist, or a table lacks a column.
    """
    settings = _settings(course.root / "course.toml")
    notes: list[str] = []
    for id in sorted(settings[-1]):
        try:
            exercises.get(id, course.exercises)
        except (LookupError, ExerciseError) as error:
            notes.append(f"course.toml: {error.args[0]}")
    read = _Reader(course, notes)
    return Rules(*settings, read.extensions(), read.teams(), tuple(notes))


# --- course.toml --------------------------------------------------------------------------------------------


def _settings(path: Path) -> tuple[Late, bool, frozenset[str]]:
    try:
        found = tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return Late(), False, frozenset()
    except (OSError, ValueError) as error:
        raise CourseError(f"{path} cannot be read: {error}") from error
    known = {"late": [f.name for f in fields(Late)], "tries": ["counts"], "points": ["in_parts"]}
    for name, table in found.items():
        if name not in known or not isinstance(table, dict):
            raise CourseError(f"{path}: there is no setting [{name}], but {', '.join(known)}")
        if unknown := sorted(set(table) - set(known[name])):
            raise CourseError(f"{path}: [{name}] has no {unknown[0]}, but {', '.join(known[name])}")
    for name, value in found.get("late", {}).items():
        most = 365 if name == "grace_days" else 100
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise CourseError(f"{path}: {name} is {value!r}; it should be a number from 0 to {most}")
    parts = found.get("points", {}).get("in_parts", [])
    if not isinstance(parts, list) or not all(isinstance(id, str) for id in parts):
        raise CourseError(f'{path}: in_parts should be a list of exercises, such as ["backprop.linear"]')
    counts = found.get("tries", {}).get("counts", "last")
    if counts not in ("last", "best"):
        raise CourseError(f'{path}: counts is {counts!r}; it should be "last" or "best"')
    return Late(**found.get("late", {})), counts == "best", frozenset(parts)


# --- tables -------------------------------------------------------------------------------------------------


class _Reader:
    """Reads the tables of one course."""

    def __init__(self, course: Course, notes: list[str]):
        self.course, self.notes = course, notes
        self.ids = {s.id.casefold(): s.id for s in course.students()}
        self.chapters = sorted({*course.chapters(), *course.chapters("release")})

    def extensions(self) -> dict[tuple[str, str], datetime]:
        found: dict[tuple[str, str], datetime] = {}

        def take(row: dict[str, str]) -> None:
            key = self._id(row["id"]), self._chapter(row["chapter"])
            if key in found:
                raise CourseError(f"{key[0]} has an extension of {key[1]} already")
            found[key] = parse_moment(row["due"])

        self._lines("extensions.csv", ("id", "chapter", "due"), (), take)
        return found

    def teams(self) -> dict[tuple[str, str], str]:
        found: dict[tuple[str, str], str] = {}

        def take(row: dict[str, str]) -> None:
            key = self._id(row["id"]), self._chapter(row["chapter"]) if row["chapter"] else ""
            if not row["team"]:
                raise CourseError("it names no team")
            if key in found:
                raise CourseError(f"{key[0]} is in the team {found[key]} already")
            found[key] = row["team"]

        self._lines("teams.csv", ("team", "id"), ("chapter",), take)
        return found

    def _lines(self, name: str, columns: tuple, more: tuple, take: Callable[[dict[str, str]], None]) -> None:
        """Give each line of a table to ``take``; what that refuses becomes a note."""
        path, said = self.course.root / name, []
        if not path.exists():
            return
        rows = read_table(path, said)
        header = [cell.strip().casefold() for cell in rows[0][1]] if rows else []
        if missing := [column for column in columns if column not in header]:
            raise CourseError(
                f"{path} has no column {missing[0]}; its first line should be {','.join(columns)}"
            )
        for number, cells in rows[1:]:
            row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
            try:
                take(dict.fromkeys((*columns, *more), "") | row)
            except (ChapterError, CourseError) as error:
                said.append(f"line {number}: {error}; left out")
        self.notes += [f"{name}: {words}" for words in said]

    def _id(self, text: str) -> str:
        if text.casefold() not in self.ids:
            raise CourseError(f"there is no student {text!r} in students.csv")
        return self.ids[text.casefold()]

    def _chapter(self, text: str) -> str:
        return which_chapter(text, self.chapters)


# A time such as 23:59, 9:05, 23:59:30 or 23.59, and maybe a zone
_TIME = re.compile(r"(\S+?)[ T](\d{1,2})([:.])(\d\d)(?:\3(\d\d))? ?(Z|[+-]\d\d:?\d\d)?")


def parse_moment(text: str) -> datetime:
    """A deadline such as "2026-12-01 23:59", in local time unless it names a zone; a day lasts to its end.

    "23.59" is 23:59, as half of Europe writes it (`datetime` takes it for 23 hours and a part of one).

    Raises
    ------
    CourseError
    """
    words = "is not a date and time: write it like 2026-12-01 23:59"
    written = re.sub(r"\s+", " ", text.strip())
    # as spreadsheets write it: 1.12.2026; with slashes nobody knows which is the day
    written = re.sub(r"^(\d\d?)\.(\d\d?)\.(\d{4})", lambda d: f"{d[3]}-{d[2]:0>2}-{d[1]:0>2}", written)
    if found := _TIME.fullmatch(written):
        day, hour, _, minute, second, zone = found.groups("")
        written = f"{day} {hour:0>2}:{minute}:{second or '00'}{zone}"
    try:
        if re.search(r"[.,]", written):
            raise ValueError("parts of seconds, or of hours")
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise CourseError(f"{text!r} {words}") from None
    if moment.year not in YEARS:
        raise CourseError(f"{text!r} {words}")
    if re.fullmatch(r"[\dW-]+", written):
        moment = moment.replace(hour=23, minute=59, second=59)
    return moment if moment.tzinfo else moment.astimezone()
