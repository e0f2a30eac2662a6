"""A course on disk: nbgrader's folders, the roster, the gradebook.

DIR/nbgrader_config.py  students.csv  gradebook.db
    source/NN-name/NN-name.ipynb         the instructor's, with solutions
    release/NN-name/NN-name.ipynb        what students get
    tries/STUDENT/NN-name/               everything that was ever collected
    submitted/STUDENT/NN-name/           the try that counts
    autograded/STUDENT/NN-name/          what formgrader shows
    feedback/STUDENT/NN-name/            what students get back
    journal.jsonl                        every result, appended
"""

import csv
import io
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from fmkit._files import write_whole
from fmkit._paths import PACKAGE

HEADER = ("id", "first_name", "last_name", "email")


class CourseError(RuntimeError):
    """A command cannot go on; the message says what to do."""


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


@dataclass(frozen=True)
class Course:
    """The folder of a course."""

    root: Path

    @property
    def db_url(self) -> str:
        """The gradebook's address, as nbgrader wants it. Who finds it locked, by formgrader say, waits."""
        return f"sqlite:///{self.root / 'gradebook.db'}?timeout=60"

    @property
    def journal(self) -> Path:
        return self.root / "journal.jsonl"

    def notebook(self, step: str, chapter: str, student: str = "") -> Path:
        """Where a chapter's notebook lies in a step: ``source``, ``release``, ``submitted``, ..."""
        return self.root / step / student / chapter / f"{chapter}.ipynb"

    def chapters(self, step: str = "source") -> list[str]:
        """Names of the chapters that have a notebook in ``source`` or ``release``."""
        return sorted(
            path.stem for path in (self.root / step).glob("*/*.ipynb") if path.stem == path.parent.name
        )

    def find(self, wanted: str, step: str = "source") -> str:
        """A chapter by its number or name.

        Raises
        ------
        CourseError
        """
        known = self.chapters(step)
        for chapter in known:
            if wanted == chapter or wanted.zfill(2) == chapter.split("-")[0]:
                return chapter
        there = f"there are {', '.join(known)}" if known else f"there is none in {self.root / step}"
        raise CourseError(f"there is no chapter {wanted!r}; {there}")

    def students(self) -> list[Student]:
        """The roster, from students.csv."""
        return read_roster(self.root / "students.csv")


def open_course(root: Path) -> Course:
    """The course in a folder.

    Raises
    ------
    CourseError
        When it is none.
    """
    if not (root / "nbgrader_config.py").exists() or not (root / "students.csv").exists():
        raise CourseError(f"{root} is no course: `fmkit course init DIR` makes one")
    _check_place(root)
    return Course(root.absolute())


def _check_place(root: Path) -> None:
    if found := [sign for sign in "?%" if sign in str(root.absolute())]:  # signs of a database's address
        raise CourseError(f"{root.absolute()}: a course's folder cannot have a {found[0]} in its name")


# --- the roster ---------------------------------------------------------------------------------------------

_ALIASES = {  # as Moodle, Canvas and spreadsheets call the columns
    "id": ("sisloginid", "id", "username", "login", "idnumber", "studentid", "matriculation", "sisuserid"),
    "first_name": ("firstname", "givenname", "vorname", "first"),
    "last_name": ("lastname", "surname", "familyname", "nachname", "last"),
    "name": ("fullname", "student", "name"),
    "email": ("email", "emailaddress", "mail"),
}
_ID = re.compile(r"[^\W_][\w.+@' -]{0,79}")  # a folder's name, and to no spreadsheet a formula


def read_roster(path: Path) -> list[Student]:
    """The students of a CSV file with a header; id is the only column that must be there.

    Raises
    ------
    CourseError
        When the file cannot be read, an id is missing, comes twice or can be no folder's name.
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
        raise CourseError(f"{path} is no CSV file: {error}") from error
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
            words = "begin with a letter or digit, then letters, digits and . _ - + @"
            raise CourseError(f"{path}, line {number}: {student.id!r} cannot be an id: {words}")
        if student.id.casefold() in students:
            raise CourseError(f"{path}, line {number}: the id {student.id!r} comes twice")
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


# --- the kit's own notebooks --------------------------------------------------------------------------------


def chapters() -> list[Path]:
    """The course's notebooks, solutions and all, in order: of the checkout, or of the installed package."""
    for folder in (PACKAGE / "notebooks", PACKAGE.parent / "notebooks"):
        if found := sorted(folder.glob("[0-9][0-9]-*.ipynb")):
            return found
    raise FileNotFoundError("fmkit was installed without its notebooks; install it again")


# --- a new course -------------------------------------------------------------------------------------------

CONFIG = '''"""nbgrader's settings for this course; plain nbgrader commands use them too."""
from pathlib import Path

c = get_config()
c.CourseDirectory.root = str(Path(__file__).absolute().parent)
c.CourseDirectory.course_id = {name!r}
c.ClearSolutions.code_stub = {{
    "python": '# YOUR CODE HERE\\nraise NotImplementedError("write this, then run the check below")'
}}
c.ExecutePreprocessor.timeout = 120
'''


def init(root: Path, roster: Path | None, notebooks: list[Path]) -> list[str]:
    """Make a course, or add to one what is missing; nothing that is there is changed.

    Returns
    -------
    list of str
        What was written, as paths inside the course.
    """
    _check_place(root)
    students = read_roster(roster) if roster else []
    course, written = Course(root.absolute()), []
    if roster and (course.root / "students.csv").exists() and course.students() != students:
        words = "has a students.csv already: write the changes into that one"
        raise CourseError(f"{root} {words}; the next command takes them up")

    def write(path: Path, text: str | bytes):
        if not path.exists():
            write_whole(path, text if isinstance(text, bytes) else text.encode("utf-8"))
            written.append(path.relative_to(course.root).as_posix())

    write(course.root / "nbgrader_config.py", CONFIG.format(name=course.root.name))
    write(course.root / "students.csv", roster_csv(students))
    for path in notebooks:
        write(course.notebook("source", path.stem), path.read_bytes())
    from fmkit.course.gradebook import save_students

    save_students(course)
    return written


def roster_csv(students: list[Student]) -> str:
    """The roster as a CSV file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows([s.id, s.first_name, s.last_name, s.email] for s in students)
    return out.getvalue()
