"""The student that a path in an archive or folder belongs to."""

import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from fmkit.course.roster import Student

NOBODY = "no student in students.csv has this id, e-mail or name"
# "Ada Lovelace_123_assignsubmission_file_", a folder or the beginning of a file's name
MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_")
# "lovelaceada_LATE_77_88_p1.ipynb": 77 is the student's number, 88 the submission's
CANVAS = re.compile(r"(?P<name>[^_]+)(?P<late>_LATE)?_(?P<number>\d+)_\d+_")


def plain_name(text: str) -> str:
    """A name without accents, signs and capitals, to compare by."""
    text = unicodedata.normalize("NFKD", text).casefold()
    for sign, letters in (("ø", "o"), ("ł", "l"), ("đ", "d"), ("ı", "i")):  # no accents, to Unicode
        text = text.replace(sign, letters)
    return "".join(sign for sign in text if sign.isalnum())


@dataclass(frozen=True)
class Match:
    """Whose a path is.

    Attributes
    ----------
    student : Student or None
    reason : str
        Why it belongs to nobody.
    late : bool or None
        Whether the LMS marked it late; None if it does not say.
    """

    student: Student | None
    reason: str = ""
    late: bool | None = None


class Matcher:
    """Finds students by what an LMS or a folder calls them: id, e-mail or name."""

    def __init__(self, students: list[Student]):
        self.by_id = {plain_name(s.id): s for s in students}
        self.by_name: dict[str, set[Student]] = {}
        for s in students:
            names = (s.email, s.email.split("@")[0], s.first_name + s.last_name, s.last_name + s.first_name)
            for name in {plain_name(name) for name in names} - {""}:
                self.by_name.setdefault(name, set()).add(s)

    def find(self, path: str, depth: int = 0) -> Match:
        """The student of a path.

        What an LMS wrote decides; otherwise the outermost folder that is somebody's. Students choose the
        names of their files, so these count only if the files of all lie side by side, ``depth`` folders
        deep.
        """
        parts = PurePosixPath(path).parts
        for i, part in enumerate(parts):
            is_file = i == len(parts) - 1 or part.lower().endswith(".zip")
            if is_file and i > depth:
                break
            if found := MOODLE.match(part):
                return self._who(found["name"])
            if is_file and (found := CANVAS.match(part)):
                return replace(self._who(found["name"]), late=bool(found["late"]))
            stem = PurePosixPath(part).stem if is_file else part
            for text in (stem, stem.split("_")[0], stem.split(" - ")[0]) if is_file else (part,):
                match = self._who(text)
                if match.student or match.reason != NOBODY:
                    return match
        return Match(None, NOBODY)

    def _who(self, text: str) -> Match:
        name = plain_name(text)
        if student := self.by_id.get(name):
            return Match(student)
        found = self.by_name.get(name, set())
        if len(found) == 1:
            return Match(next(iter(found)))
        if found:
            ids = " and ".join(sorted(s.id for s in found))
            return Match(None, f"two students have this name ({ids}); put it into a folder named by the id")
        return Match(None, NOBODY)
