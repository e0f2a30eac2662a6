"""What an instructor lays down in plain files beside the roster; each is read anew by every command.

course.toml      what being late costs, which try counts, points for parts of an answer, order of dates
extensions.csv   id, chapter, due: a later deadline for one student
teams.csv        team, id (and chapter, if not for all): who hands in together
"""

import math
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

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

# [minutes]
# ask = true            # each notebook asks at its end whether a student shares how long the exercises took

# [dates]
# day_first = true      # 3-12-2026 in what an LMS gives is the 3rd of December, not the 12th of March
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
    ask_minutes : bool
        Whether a released notebook asks for the minutes that the exercises took.
    day_first : bool or None
        How to read a date of an LMS that has two readings; None where the course does not say.
    extensions : dict of (student, chapter) to datetime
    teams : dict of (student, chapter) to str
        The chapter is ``""`` where a team holds for all.
    notes : tuple of str
        Lines and settings that could not be used: file, line and reason.
    """

    late: Late = Late()
    best: bool = False
    in_parts: frozenset[str] = frozenset()
    ask_minutes: bool = False
    day_first: bool | None = None
    extensions: dict[tuple[str, str], datetime] = field(default_factory=dict)
    teams: dict[tuple[str, str], str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def due(self, student: str, chapter: str, due: datetime | None) -> datetime | None:
        """A student's own deadline; an extension never shortens, and without a deadline there is none."""
        return due and max(due, self.extensions.get((student, chapter), due))

    def idle(self, chapter: str, due: datetime | None) -> list[str]:
        """The extensions of a chapter that change nothing, beside its deadline ``due``: as notes."""
        found = []
        for (student, name), until in sorted(self.extensions.items()):
            if name == chapter and (due is None or until <= due):
                own = f"extensions.csv: {student}, {chapter}: {until.astimezone():%Y-%m-%d %H:%M}"
                deadline = due and f"the deadline, {due.astimezone():%Y-%m-%d %H:%M}"
                found.append(f"{own} is not after {deadline}" if due else f"{own}: there is no deadline")
        return found

    def team(self, student: str, chapter: str) -> str:
        """A student's team for a chapter, or nothing."""
        return self.teams.get((student, chapter)) or self.teams.get((student, ""), "")


def read_rules(course: Course) -> Rules:
    """What is laid down in a course; a file that is missing says nothing.

    Raises
    ------
    CourseError
        When a file cannot be read, or a table lacks a column.
    """
    notes: list[str] = []
    settings = _settings(course, notes)
    read = _Reader(course, notes)
    return Rules(*settings, read.extensions(), read.teams(), tuple(notes))


# --- course.toml --------------------------------------------------------------------------------------------


def _is_number(most: int) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        return not isinstance(value, bool) and isinstance(value, int | float) and 0 <= value <= most

    return fits


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(id, str) for id in value)


# table and name of a setting -> which values it can have, and these in words
_KNOWN = {
    ("late", "grace_days"): (_is_number(365), "a number from 0 to 365"),
    ("late", "percent_a_day"): (_is_number(100), "a number from 0 to 100"),
    ("late", "at_most"): (_is_number(100), "a number from 0 to 100"),
    ("tries", "counts"): (lambda value: value in ("last", "best"), '"last" or "best"'),
    ("points", "in_parts"): (_are_texts, 'a list of exercises, such as ["backprop.linear"]'),
    ("minutes", "ask"): (lambda value: isinstance(value, bool), "true or false"),
    ("dates", "day_first"): (lambda value: isinstance(value, bool), "true or false"),
}
_TABLES = list(dict.fromkeys(table for table, _ in _KNOWN))


def _settings(course: Course, notes: list[str]) -> tuple[Late, bool, frozenset[str], bool, bool | None]:
    """What course.toml says; what is no setting, or has a value that it cannot have, is noted."""
    path = course.root / "course.toml"
    try:
        found = tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        return Late(), False, frozenset(), False, None
    except UnicodeDecodeError as error:
        raise CourseError(f"{path} cannot be read: it is not UTF-8. Save it as UTF-8") from error
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CourseError(
            f"{path} cannot be read: {str(error)[:200]}. Mend that line, or put # in front of it; "
            "what each setting is, README says under course.toml"
        ) from error
    said: list[str] = []
    values = _values(found, said)
    late = Late(**{f.name: values[f.name] for f in fields(Late) if f.name in values})
    parts = []
    for id in sorted(set(values.get("in_parts", ()))):
        try:
            exercises.get(id, course.exercises)
            parts.append(id)
        except (LookupError, ExerciseError) as error:
            said.append(str(error.args[0]))
    notes += [f"course.toml: {words}; left out" for words in said]
    best, ask = values.get("counts") == "best", values.get("ask", False)
    return late, best, frozenset(parts), ask, values.get("day_first")


def _values(found: dict[str, Any], said: list[str]) -> dict[str, Any]:
    """The settings that can be used, by their names."""
    values = {}
    for table, entries in found.items():
        if table in _TABLES and not isinstance(entries, dict):
            name = next(name for where, name in _KNOWN if where == table)
            said.append(f"{table} is a heading, [{table}], with lines such as {name} = ... below it")
            continue
        if table not in _TABLES:
            said.append(f"there is no setting [{table}], but {', '.join(_TABLES)}")
            continue
        for name, value in entries.items():
            fits, words = _KNOWN.get((table, name), (None, ""))
            if fits is None:
                there = ", ".join(other for where, other in _KNOWN if where == table)
                said.append(f"[{table}] has no {name}, but {there}")
            elif not fits(value):
                said.append(f"{name} is {value!r}; it should be {words}")
            else:
                values[name] = value
    return values


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
        if not text:
            raise CourseError("it names no student")
        if text.casefold() not in self.ids:
            raise CourseError(f"there is no student {text!r} in students.csv")
        return self.ids[text.casefold()]

    def _chapter(self, text: str) -> str:
        if not text:
            raise CourseError("it names no chapter")
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
