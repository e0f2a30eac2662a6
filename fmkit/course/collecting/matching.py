"""The student that a path in an archive or folder belongs to."""

import contextlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from fmkit.course.collecting import moments
from fmkit.course.collecting.incoming import OPENED, believed, is_archive
from fmkit.course.roster import Student, read_table

FIRST_FIRST, LAST_FIRST = "first last", "last first"
NOBODY = "no student in students.csv has this id, e-mail or name"
TWO_WAYS = "can be read two ways"
# "Ada Lovelace_123_assignsubmission_file_", a folder or the beginning of a file's name; 123 is the
# participant's number. Before Moodle 4.1 the name of a group may come first: "Group A-Ada Lovelace_123_..."
MOODLE = re.compile(r"(?P<name>.+?)_(?P<number>\d+)_assignsubmission_")
# "lovelaceada_LATE_77_88_p1.ipynb": 77 is the student's number, 88 the submission's
CANVAS = re.compile(r"(?P<name>[^_]+)(?P<late>_LATE)?_(?P<number>\d+)_\d+_", re.I)
# "HW1_ada_attempt_2026-11-19-10-00-22_p1.ipynb"
BLACKBOARD = re.compile(r"(?P<name>.+?)_attempt_(?P<when>\d{4}(?:-\d\d){5})(?=[_.])")
# "12-34 - Ada Lovelace - Nov 19, 2026 1000 AM", a folder, or the beginning of a file's name: the date as the
# language and the country of who downloads it write it
BRIGHTSPACE = re.compile(r"\d+-\d+ ?- (?P<name>.+?) ?- (?P<when>(?:(?! - ).)*?\d(?:(?! - ).)*)")
# "ada+04-backprop+2026-11-19 10:00:00 UTC+abc", as nbgrader's exchange writes it
INBOUND = re.compile(
    r"(?P<name>.+)\+[^+]+\+"
    r"(?P<when>\d{4}-\d\d-\d\d \d\d[:_]\d\d[:_]\d\d(?:\.\d+)?(?: [A-Za-z]+| [+-]\d{4})?)(?:\+.*)?"
)
SAKAI = re.compile(r".+,.*\((?P<name>[^()]+)\)")  # "Lovelace, Ada(ada)"
# "Lovelace_Ada_ada_6789", a folder; in it "20261119100022_p1.ipynb"
ILIAS = re.compile(r"(?P<full>.+)_(?P<name>[^_]+)_\d+")
GROUP = re.compile(r"\d|\b(group|gruppe|groupe|grupo|gruppo|groep|team|section|tutorial|lab|class)\b", re.I)
_LETTERS = str.maketrans(
    {"ø": "o\u0338", "ł": "l\u0338", "đ": "d\u0338", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)


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
    when : datetime or None
        When it was handed in, if the LMS wrote that into the name.
    unread : str
        What is the matter with a time that the LMS wrote and that cannot be told.
    called : str
        The id as it was written, where it was found by the id.
    number : str
        The participant's, if the LMS gives one.
    place : tuple of str or None
        The folder in which the students' folders or files lie; None where nobody's was found.
    """

    student: Student | None
    reason: str = ""
    late: bool | None = None
    when: datetime | None = None
    unread: str = ""
    called: str = ""
    number: str = ""
    place: tuple[str, ...] | None = None


# --- names --------------------------------------------------------------------------------------------------


def plain_name(text: str) -> str:
    """A name without accents, signs and capitals, to compare by. Vowel signs, as Hindi has, are letters."""
    return "".join(letter for letter, _ in _letters(text))


def _letters(text: str) -> list[tuple[str, str]]:
    """The letters of a name, each with its accents; spaces and signs are left out."""
    found: list[tuple[str, str]] = []
    for sign in unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS)).casefold():
        if unicodedata.category(sign)[0] != "M":
            found += [(sign, "")] if sign.isalnum() else []
        elif found and unicodedata.name(found[-1][0], "").startswith(("LATIN", "GREEK", "CYRILLIC")):
            found[-1] = (found[-1][0], found[-1][1] + sign)
        else:
            found.append((sign, ""))
    return found


def _words(text: str) -> str:
    """A name's words; an apostrophe divides none."""
    words = (plain_name(word) for word in re.split(r"[\s_,.\-/]+", text))
    return " ".join(word for word in words if word)


def _accents_fit(one: str, other: str) -> bool:
    """Whether accents are at most missing: Jose and José may be one, Hà and Hạ are two."""
    pairs = zip(_letters(one), _letters(other), strict=True)
    return all(a[1] == b[1] or not a[1] or not b[1] for a, b in pairs)


def _id(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip()).casefold()


class _People:
    """The students, to be looked up by exactly their id, else by e-mail, else by name."""

    def __init__(self, students: list[Student]):
        self.students = students
        self.ids = {_id(s.id): s for s in students}
        self.mails: dict[str, set[Student]] = {}
        self.words: dict[str, set[tuple[Student, str]]] = {}
        self.joined: dict[str, set[tuple[Student, str]]] = {}
        self.order = ""  # in which this archive writes first and last names, where that is known
        for s in students:
            for mail in {_id(s.email), _id(s.email).split("@")[0]} - {""}:
                self.mails.setdefault(mail, set()).add(s)
            for name in _both_orders(s):
                self.words.setdefault(_words(name), set()).add((s, name))
                self.joined.setdefault(plain_name(name), set()).add((s, name))
        for names in (self.words, self.joined):
            names.pop("", None)

    def by_id(self, text: str) -> Student | None:
        return self.ids.get(_id(text))

    def find(self, text: str, whole_words: bool = False, order: str = "") -> Match:
        """Who is called so; with ``whole_words`` "Lina" is not "Li Na"."""
        if student := self.by_id(text):
            return Match(student, called=text.strip())
        found = self.mails.get(_id(text), set()) or self._by_name(text, whole_words, order or self.order)
        if len(found) == 1:
            return Match(next(iter(found)))
        if found:
            words = f"two students have this name ({_ids(found)}); put it into a folder named by the id"
            return Match(None, words)
        return Match(None, NOBODY)

    def _by_name(self, text: str, whole_words: bool, order: str) -> set[Student]:
        near = self.words.get(_words(text), set())
        if not near and (not whole_words or text.upper() == text.lower()):  # no capitals: mostly no spaces
            near = self.joined.get(plain_name(text), set())
        near = {(s, name) for s, name in near if _accents_fit(text, name)}
        near = {(s, name) for s, name in near if _letters(name) == _letters(text)} or near
        if order:
            near = {(s, name) for s, name in near if name == _both_orders(s)[order == LAST_FIRST]} or near
        return {s for s, _ in near}

    def learn_order(self, texts: Iterable[str]) -> None:
        """See from the names that can be only one student's in which order this archive writes them."""
        seen = set()
        for text in set(texts):
            near = self.words.get(_words(text), set())
            if len(near) == 1:
                ((s, name),) = near
                seen.add(FIRST_FIRST if name == _both_orders(s)[0] else LAST_FIRST)
        self.order = seen.pop() if len(seen) == 1 else ""


def _both_orders(s: Student) -> tuple[str, str]:
    return f"{s.first_name} {s.last_name}".strip(), f"{s.last_name} {s.first_name}".strip()


def alike(students: list[Student]) -> list[str]:
    """Which students an archive may not tell apart, as notes."""
    people, notes = _People(students), {}
    for found in people.joined.values():
        forms: dict[str, set[Student]] = {}
        for student, form in found:
            forms.setdefault(form, set()).add(student)
        pairs = [(a, b) for a in forms for b in forms if a <= b and _accents_fit(a, b)]
        same = set().union(*(both for a, b in pairs if len(both := forms[a] | forms[b]) > 1))
        if same:
            names = " and ".join(sorted({s.name for s in same}))
            words = f"may not be told apart by name ({names}): their files need the id or the e-mail"
            notes[_ids(same)] = f"{_ids(same)} {words}"
    for mail, found in people.mails.items():
        if "@" in mail and len(found) > 1:
            notes.setdefault(_ids(found), f"{_ids(found)} have one e-mail address: {mail}")
    return list(notes.values())


def _ids(students: Iterable[Student]) -> str:
    return " and ".join(sorted(s.id for s in students))


# --- paths --------------------------------------------------------------------------------------------------


class Matcher:
    """Finds whose each path of an archive or folder is.

    Parameters
    ----------
    paths : list of str
        All there are: they show where the students' folders or files lie.
    chapters : list of str
        Their names may stand before a student's: "04-backprop-ada".
    day_first : bool, optional
        Whether 3-12-2026 is the 3rd of December, where the other dates beside it do not tell.
    """

    def __init__(
        self,
        students: list[Student],
        paths: Iterable[str] = (),
        chapters: Iterable[str] = (),
        day_first: bool | None = None,
    ):
        self.people, self.chapters = _People(students), list(chapters)
        self.sections = {_id(part) for s in students for part in re.split("[,;|]", s.section)} - {""}
        self.parts = {path: PurePosixPath(path).parts for path in paths}
        self.depth = common_depth(list(self.parts.values()))
        self.inside: dict[tuple, set[str]] = {}
        for parts in self.parts.values():
            for i, part in enumerate(parts):
                self.inside.setdefault(parts[:i], set()).add(part)
                if is_archive(part):
                    break  # what is in an archive of somebody's is theirs
        self.prefix = {folder: _common_prefix(names) for folder, names in self.inside.items()}
        moodle = [found for names in self.inside.values() for name in names if (found := MOODLE.match(name))]
        self.people.learn_order(text for found in moodle for _, text in _after_a_group(found["name"]))
        groups = {(found["name"].split("-")[0], found["number"]) for found in moodle if "-" in found["name"]}
        self.day_first = _day_first(self.inside.values(), day_first)
        self.groups = {name for name, n in Counter(name for name, _ in groups).items() if n > 1}
        self.many: dict[tuple, bool] = {}
        self.levels: frozenset = frozenset()
        found = [self.find(path) for path in self.parts]
        self.levels = frozenset(match.place for match in found if match.student or match.reason != NOBODY)

    def find(self, path: str) -> Match:
        """The student of a path.

        The outermost folder or file that is somebody's decides. Where one member of a folder is a student's
        all are, so that a folder deeper inside a stranger's is nobody's. Students choose the names of their
        files, so these count only where the files of several lie side by side, or all in one folder.
        """
        parts = self.parts.get(path) or PurePosixPath(path).parts
        for i, part in enumerate(parts):
            is_file = i == len(parts) - 1 or is_archive(part)
            match = self._whose(parts[:i], part, is_file)
            if match is not None and (not is_file or i <= self.depth or self._many_files_in(parts[:i])):
                if not is_file and ILIAS.fullmatch(part) and not self.people.by_id(part):
                    match = self._of_ilias(match, parts[i + 1].split("_")[0])
                return replace(match, place=parts[:i])
            if is_file or parts[:i] in self.levels:
                break
        return Match(None, NOBODY)

    def _many_files_in(self, folder: tuple) -> bool:
        """Whether files of two students lie here, side by side."""
        if folder not in self.many:
            found = (self._whose(folder, name, True) for name in self.inside.get(folder, ()))
            self.many[folder] = len({match.student.id for match in found if match and match.student}) > 1
        return self.many[folder]

    def _whose(self, folder: tuple, part: str, is_file: bool) -> Match | None:
        """What a part of a path says by itself, if anything."""
        if found := MOODLE.match(part):
            return replace(self._of_moodle(found["name"]), number=found["number"])
        if found := BRIGHTSPACE.match(part):
            return self._of_brightspace(self.people.find(found["name"], True), found["when"])
        if is_file and (found := BLACKBOARD.match(part)):
            return _at(self._of_blackboard(folder, found["name"]), found["when"])
        if is_file and (found := CANVAS.match(part)):
            match = self.people.find(found["name"], order=LAST_FIRST)
            return replace(match, late=bool(found["late"]), number=found["number"])
        return (None if is_file else self._folder_with_id(part)) or self._plain(folder, part, is_file)

    def _folder_with_id(self, part: str) -> Match | None:
        """A folder as nbgrader's exchange, Sakai or ILIAS names it: an id with something around it."""
        if found := INBOUND.fullmatch(part):
            student = self.people.by_id(found["name"])
            match = Match(student, called=found["name"]) if student else Match(None, NOBODY)
            return _at(match, found["when"])
        if (found := SAKAI.fullmatch(part)) and (student := self.people.by_id(found["name"])):
            return Match(student, called=found["name"])
        if (found := ILIAS.fullmatch(part)) and (student := self.people.by_id(found["name"])):
            names = {_words(name) for name in _both_orders(student)} - {""}
            fits = not names or _words(found["full"]) in names
            return Match(student, called=found["name"]) if fits else None
        return None

    def _of_brightspace(self, match: Match, text: str) -> Match:
        """The same with the moment in it, in whatever way the LMS wrote that for people."""
        found = moments.readings(text)
        if len(found) == 2 and self.day_first is not None:
            found = found[:1] if self.day_first else found[1:]
        if len(found) == 1:
            return replace(match, when=found[0].astimezone())
        return replace(match, unread=f"{text.strip()!r} {TWO_WAYS if found else 'cannot be read'}")

    def _of_ilias(self, match: Match, text: str) -> Match:
        """ "20261119100022_p1.ipynb": older versions write no time."""
        return _at(match, text) if re.fullmatch(r"\d{14}", text) else match

    def _plain(self, folder: tuple, part: str, is_file: bool) -> Match | None:
        """An id, an e-mail or a name: after what all have in front, in a file's name before other words."""
        text = _stem(part) if is_file else part
        texts = [text]
        if is_file:
            pieces = text.split("_")[:9]
            texts += ["_".join(pieces[:n]) for n in range(len(pieces) - 1, 0, -1)] + [text.split(" - ")[0]]
        fronts = [self.prefix.get(folder, ""), *(name + sign for name in self.chapters for sign in "-_")]
        fronts = [front for front in fronts if front and text.casefold().startswith(front.casefold())]
        rests = [text[len(front) :] for front in fronts]
        texts += [
            rest for rest in rests if not re.fullmatch(r"\d{1,3}", rest)
        ]  # which only counts: HW-1, HW-2
        for text in texts:
            match = self.people.find(text)
            if match.student or match.reason != NOBODY:
                return match
        return None

    def _of_moodle(self, name: str) -> Match:
        for group, rest in _after_a_group(name):
            if not group or group in self.groups or _id(group) in self.sections or GROUP.search(group):
                match = self.people.find(rest, True)
                if match.student or match.reason != NOBODY:
                    return match
        if GROUP.search(name) or _id(name) in self.sections:
            words = "this is the work of a group or team. Name its members in a table, a line for each"
            return Match(None, f'{words} ("{name}_*",ID), and give that with --map')
        return Match(None, NOBODY)

    def _of_blackboard(self, folder: tuple, name: str) -> Match:
        """ "HW1_ada": what all files have in front is the assignment; an only one is the last word's."""
        front = self.prefix.get(folder, "")
        login = name[len(front) :] if front and name.startswith(front) else name.split("_")[-1]
        return self.people.find(login)


def _after_a_group(name: str) -> list[tuple[str, str]]:
    """A name, and what of it may be the name where a group's stands before it, each with that."""
    return [("", name)] + [(name[: dash.start()], name[dash.end() :]) for dash in re.finditer("-", name)]


def common_depth(paths: list[tuple]) -> int:
    """How many folders all paths have in common."""
    return len(os.path.commonprefix([parts[:-1] for parts in paths])) if paths else 0


def _common_prefix(names: set[str]) -> str:
    """What the names of a folder's members have in front, up to a "-" or "_"."""
    front = os.path.commonprefix(sorted(names)) if len(names) > 1 else ""
    return front[: max(front.rfind("-"), front.rfind("_")) + 1]


def _stem(name: str) -> str:
    """A file's name without its ending, which may be ".tar.gz"."""
    ending = max((end for end in OPENED if name.lower().endswith(end)), key=len, default="")
    return name[: -len(ending)] if ending else PurePosixPath(name).stem


def _day_first(folders: Iterable[set[str]], day_first: bool | None) -> bool | None:
    """Whether the day stands first in dates of numbers alone: as others in the archive show, else as told."""
    dates = {found["when"] for names in folders for name in names if (found := BRIGHTSPACE.match(name))}
    shown = {order for text in dates if (order := moments.is_day_first(text)) is not None}
    return shown.pop() if len(shown) == 1 else day_first


_FORMATS = ("%Y-%m-%d-%H-%M-%S", "%Y%m%d%H%M%S")


def _at(match: Match, text: str) -> Match:
    """The same with the moment that the LMS wrote, or with what is the matter with that."""
    when = _moment(text)
    return replace(match, when=when) if when else replace(match, unread=f"{text.strip()!r} cannot be read")


def _moment(text: str) -> datetime | None:
    """A moment in the name that an LMS gave for programs to read, in local time unless it says UTC."""
    for form in _FORMATS:
        with contextlib.suppress(ValueError, OverflowError):
            return believed(datetime.strptime(text.strip(), form).astimezone())
    with contextlib.suppress(ValueError):
        moment = datetime.fromisoformat(text.replace("_", ":").replace(" UTC", "+00:00").replace(" +", "+"))
        return believed(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return None


# --- a table of owners --------------------------------------------------------------------------------------


def read_map(path: Path, students: list[Student], notes: list[str]) -> list[tuple[str, Student]]:
    """A table of the instructor's: in each line a pattern such as ``team 7/*``, and the id of whose it is.

    Several lines may fit one path: the work of a group is everyone's.

    Raises
    ------
    CourseError
        When the file cannot be read.
    """
    people, lines, said = _People(students), [], []
    for at, (number, cells) in enumerate(read_table(path, said)):
        cells = [cell.strip() for cell in cells if cell.strip()]
        owners = [
            people.by_id(cell) or next(iter(people.mails.get(_id(cell), ())), None) for cell in cells[:2]
        ]
        if len(cells) > 1 and owners[1]:
            lines.append((cells[0], owners[1]))
        elif len(cells) > 1 and owners[0]:
            lines.append((cells[1], owners[0]))
        elif at > 0 or len(cells) < 2:
            said.append(f"line {number}: no student in students.csv has the id {cells[-1]!r}")
    notes += [f"{path.name}: {words}" for words in said]
    return lines


def fits(path: str, pattern: str) -> bool:
    """Whether a path, or a folder that it is in, is what the pattern says."""
    pattern = unicodedata.normalize("NFC", pattern).strip("/")
    same = path == pattern or path.startswith(pattern + "/")
    return same or fnmatchcase(path, pattern) or fnmatchcase(path, pattern + "/*")
