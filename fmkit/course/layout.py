"""A course on disk: nbgrader's folders, the roster, the gradebook.

DIR/nbgrader_config.py  students.csv  gradebook.db
    course.toml  extensions.csv  teams.csv   what the instructor lays down (see `course.rules`)
    source/NN-name/NN-name.ipynb         the instructor's, with solutions
    exercises/topic/name.py              exercises of the course's own
    release/NN-name/NN-name.ipynb        what students get, and beside it NN-name.checks, if there is one
    tries/STUDENT/NN-name/               everything that was ever collected
    submitted/STUDENT/NN-name/           the try that counts
    autograded/STUDENT/NN-name/          what formgrader shows
    feedback/STUDENT/NN-name/            what students get back
    journal.jsonl                        every result, appended
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fmkit.chapters.find import which_chapter
from fmkit.course.roster import HEADER, Student, read_roster
from fmkit.errors import ChapterError, CourseError, in_words


@dataclass(frozen=True)
class Course:
    """The folder of a course."""

    root: Path

    @property
    def db_url(self) -> str:
        """The gradebook's address, as nbgrader wants it. While it is locked, by formgrader say, we wait."""
        return f"sqlite:///{self.root / 'gradebook.db'}?timeout=60"

    @property
    def journal(self) -> Path:
        return self.root / "journal.jsonl"

    @property
    def exercises(self) -> Path:
        """Where the course's own exercises lie."""
        return self.root / "exercises"

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
        ChapterError
            When there is no such chapter; the message names those there are.
        """
        known = self.chapters(step)
        if not known:
            raise ChapterError(f"there is no chapter {wanted!r}; there is none at all in {self.root / step}")
        return which_chapter(wanted, known)

    def students(self) -> list[Student]:
        """The roster, from students.csv."""
        return read_roster(self.root / "students.csv")


def open_course(root: Path) -> Course:
    """The course in a folder.

    Raises
    ------
    CourseError
        When it is not one.
    """
    config, roster = ((root / name).exists() for name in ("nbgrader_config.py", "students.csv"))
    if config and not roster:
        words = f"its first line is {','.join(HEADER)}, then comes one for each student"
        raise CourseError(f"{root / 'students.csv'} is missing: lay it back. {words[0].upper()}{words[1:]}")
    if not config:
        raise CourseError(f"{root} is not a course: make one with `fmkit course init DIR`")
    check_place(root)
    return Course(root.absolute())


@contextmanager
def one_students(student: str, faults: list[str], then: str = "") -> Iterator[None]:
    """What is done for one student: where only their files or folders stand in its way, that becomes a line
    of ``faults``, and the others have their turn. (A full disk is everybody's, and is raised.)

    ``then`` is added to what the system says, which never says what to do; a CourseError does.
    """
    try:
        yield
    except CourseError as error:
        faults.append(f"{student}: {error}")
    except (FileNotFoundError, FileExistsError, PermissionError, NotADirectoryError, IsADirectoryError) as e:
        faults.append(f"{student}: {in_words(e)}{then}")


def tell(faults: list[str]) -> None:
    """Raise what stood in the way of some students, once the others are done with."""
    if faults:
        more = f"; and {len(faults) - 5} more" if len(faults) > 5 else ""
        words = "Mend that and run the same command again; all others are done"
        raise CourseError(f"{'; '.join(faults[:5])}{more}. {words}")


def check_place(root: Path) -> None:
    """Refuse a folder whose name cannot be part of a database's address."""
    if found := [sign for sign in "?%" if sign in str(root.absolute())]:
        raise CourseError(f"{root.absolute()}: a course's folder cannot have a {found[0]} in its name")
