"""Grades read back: is what stands in the LMS's own gradebook what stands in ours?"""

import math
import re
from pathlib import Path

from fmkit.course.collecting.matching import plain_name
from fmkit.course.layout import Course
from fmkit.course.marks import marks
from fmkit.course.roster import Student, read_people
from fmkit.errors import CourseError

ROUNDED = 0.0051  # an LMS shows two decimals
_NOTHING = ("", "-", "–", "n/a", "ex")
_OTHER = re.compile(
    r"percent|letter|feedback|prozent|\bstatus\b|modified", re.I
)  # Moodle has several of each


def differences(
    course: Course,
    chapter: str,
    path: Path,
    column: str | None,
    students: list[Student],
    notes: list[str],
) -> list[str]:
    """Whose grade differs, and who is missing on either side, as lines.

    Parameters
    ----------
    column : str, optional
        Name of the column with the grades; without it the one that has the chapter's name in its own.
    students : list of Student
        Who is compared.
    notes : list of str
        Takes up what could not be read.

    Raises
    ------
    CourseError
        When the file cannot be read, or has no such column, or several.
    """
    said: list[str] = []
    header, lines = read_people(path, said, names=True)
    at, who = _column(path, header, chapter, column), _Who(course.students())
    there: dict[str, float | None] = {}
    found, maybe = [], set()
    for number, theirs, cells in lines:
        student, name = who.find(theirs), theirs.name or f"line {number}"
        text = cells[at].strip() if at < len(cells) else ""
        if {theirs.first_name, theirs.last_name} == {"Test", "Student"}:
            continue  # Canvas' own
        if student is None:
            found.append(f"{name} ({path.name}, line {number}) {who.why_not(theirs)}")
            maybe |= who.called(theirs)
            continue
        if student.id in there:
            said.append(f"line {number}: {student.id} occurs twice; left out")
            continue
        value = _number(text)
        if math.isnan(value or 0):
            said.append(f"line {number}: {text!r} is not a number, so {student.id} counts as without one")
            value = None
        there[student.id] = value
    notes += [f"{path.name}: {words}" for words in said]
    ours = {id: mark.score for id, mark in marks(course, chapter).items()}
    for student in students:
        if student.id not in there and student.id in maybe:
            continue  # it has been said
        if student.id not in there:
            found.append(f"{student.id} ({student.name}) is not in {path.name}")
        elif _differ(ours[student.id], there[student.id]):
            found.append(f"{student.id}: {_shown(ours[student.id])} here, {_shown(there[student.id])} there")
    return found


def _column(path: Path, header: list[str], chapter: str, wanted: str | None) -> int:
    names = [cell.strip() for cell in header]
    if wanted is not None:
        fits = [i for i, name in enumerate(names) if name.casefold() == wanted.strip().casefold()]
    else:
        fits = [i for i, name in enumerate(names) if plain_name(chapter) in plain_name(name)]
        fits = [i for i in fits if not _OTHER.search(names[i])] or fits
        fits = [i for i in fits if plain_name(names[i]) == plain_name(chapter)] or fits
    if len(fits) == 1:
        return fits[0]
    words = "several columns" if fits else "no column"
    called = f"called {wanted!r}" if wanted else f"with {chapter} in its name"
    there = ", ".join(repr(names[i]) for i in fits) if fits else ", ".join(map(repr, filter(None, names)))
    raise CourseError(f"{path.name} has {words} {called}: name one with --column. There are {there}")


class _Who:
    """Finds a student of the roster by id, else by e-mail, else by a name that only one has."""

    def __init__(self, students: list[Student]):
        self.ids = {s.id.casefold(): s for s in students}
        self.mails = {s.email.casefold(): s for s in students if s.email}
        self.names: dict[str, list[Student]] = {}
        for s in students:
            for name in {plain_name(s.first_name + s.last_name), plain_name(s.last_name + s.first_name)}:
                self.names.setdefault(name, []).append(s)

    def find(self, theirs: Student) -> Student | None:
        mail = theirs.email.casefold()
        found = self.ids.get(theirs.id.casefold()) or self.mails.get(mail) or self.ids.get(mail)
        return found or self.mails.get(theirs.id.casefold()) or self._by_name(theirs)

    def _by_name(self, theirs: Student) -> Student | None:
        """The only one of this name; of a name such as Schmidt Anna the one who writes it in this order."""
        same = self._same(theirs)
        exact = [s for s in same if plain_name(s.first_name + s.last_name) == _name(theirs)]
        return next((found[0] for found in (exact, same) if len(found) == 1), None)

    def _same(self, theirs: Student) -> list[Student]:
        return self.names.get(_name(theirs) or "-", [])

    def called(self, theirs: Student) -> set[str]:
        """Ids of those whose name it is, in any order."""
        return {s.id for s in self._same(theirs)}

    def why_not(self, theirs: Student) -> str:
        """Why somebody was not found."""
        ids = sorted(self.called(theirs))
        if not ids:
            near = [id for id in self.ids if id.lstrip("0") == theirs.id.casefold().lstrip("0") != ""]
            other = f" (only {near[0]}, with other zeros in front)" if near else ""
            return f"is not in students.csv{other}"
        words = f"{len(ids)} students in students.csv have this name ({' and '.join(ids)})"
        return f"may be any: {words}, and the line has no id or e-mail of theirs"


def _name(student: Student) -> str:
    return plain_name(student.first_name + student.last_name)


def _number(text: str) -> float | None:
    """A number as an LMS writes it, ``nan`` where it is something else, None where there is nothing."""
    if text.casefold() in _NOTHING:
        return None
    plain = text.split("/")[0].strip().lstrip("'")  # "5 / 9"
    if re.fullmatch(r"-?\d+,\d+", plain):
        plain = plain.replace(",", ".")
    return float(plain) if re.fullmatch(r"-?\d+(\.\d*)?", plain) else math.nan


def _differ(ours: float | None, theirs: float | None) -> bool:
    if ours is None or theirs is None:
        return ours is not theirs
    return abs(ours - theirs) > ROUNDED


def _shown(value: float | None) -> str:
    return "nothing" if value is None else f"{value:g}"
