"""Who takes part: the roster, as an LMS or a spreadsheet writes it."""

import csv
import io
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from fmkit.errors import CourseError

HEADER = ("id", "first_name", "last_name", "email")


@dataclass(frozen=True)
class Student:
    """One line of the roster."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""

    @property
    def name(self) -> str:
        """First and last name, or the id."""
        return f"{self.first_name} {self.last_name}".strip() or self.id


_ALIASES = {  # as Moodle, Canvas and spreadsheets call the columns
    "id": ("sisloginid", "id", "username", "login", "idnumber", "studentid", "matriculation", "sisuserid"),
    "first_name": ("firstname", "givenname", "vorname", "first"),
    "last_name": ("lastname", "surname", "familyname", "nachname", "last"),
    "name": ("fullname", "student", "name"),
    "email": ("email", "emailaddress", "mail"),
}
_ID = re.compile(r"[^\W_][\w.+@' -]{0,79}")  # can name a folder; a spreadsheet sees no formula in it


def read_roster(path: Path) -> list[Student]:
    """The students of a CSV file with a header; only the column id is required.

    Raises
    ------
    CourseError
        When the file cannot be read, or an id is missing, occurs twice or cannot name a folder.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path} cannot be read: {error.strerror}") from error
    text = _decode(data)
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error as error:
        raise CourseError(f"{path} is not a CSV file: {error}") from error
    if not rows:
        raise CourseError(f"{path} is empty; its first line should be {','.join(HEADER)}")
    columns = {field: _column(rows[0], names) for field, names in _ALIASES.items()}
    if columns["id"] is None:
        raise CourseError(f"{path} has no column id; its first line should be {','.join(HEADER)}")
    students: dict[str, Student] = {}
    for number, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row) or row[0].strip() == "Points Possible":
            continue  # the latter is Canvas' second line
        student = _student({f: row[c].strip() for f, c in columns.items() if c is not None and c < len(row)})
        if not _ID.fullmatch(student.id) or student.id[-1] in " .":
            words = "it begins with a letter or digit, then come letters, digits and . _ - + @"
            raise CourseError(f"{path}, line {number}: {student.id!r} cannot be an id: {words}")
        if student.id.casefold() in students:
            raise CourseError(f"{path}, line {number}: the id {student.id!r} occurs twice")
        students[student.id.casefold()] = student
    return list(students.values())


def _student(cells: dict[str, str]) -> Student:
    """A student of a row; a full name is "Last, First" or "First Last"."""
    name = cells.pop("name", "")
    if name and not cells.get("first_name") and not cells.get("last_name"):
        last, _, first = name.partition(",") if "," in name else name.rpartition(" ")[::-1]
        cells |= {"first_name": first.strip(), "last_name": last.strip()}
    return Student(**{"id": ""} | cells)


def _decode(data: bytes) -> str:
    """Text of whatever a spreadsheet program writes."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", "replace")
    return unicodedata.normalize("NFC", text)


def _column(header: list[str], names: tuple[str, ...]) -> int | None:
    plain = [re.sub(r"[^a-z]", "", cell.lower()) for cell in header]
    return next((plain.index(name) for name in names if name in plain), None)


def roster_csv(students: list[Student]) -> str:
    """The roster as a CSV file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows([s.id, s.first_name, s.last_name, s.email] for s in students)
    return out.getvalue()
