"""Collect what was handed in: an archive from Moodle or Canvas, or a folder that holds one for each student.

Every file that comes in is kept in ``tries/``; of each student's tries for a chapter the last one before the
deadline counts, or, failing that, the last one at all, marked late.
"""

import contextlib
import json
import re
import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from fmkit.course.gradebook import due_date, write_whole
from fmkit.course.layout import Course, CourseError, Student
from fmkit.course.submission import MAX_BYTES, Unreadable, digest, read_cells

MAX_FILES, MAX_TOTAL = 100_000, 20 << 30  # of one archive, unpacked
SKIPPED = ("__MACOSX", ".ipynb_checkpoints", ".git", ".fmkit")


@dataclass(frozen=True)
class Incoming:
    """One file of an archive or folder."""

    path: str  # inside it, with /
    when: datetime
    data: bytes
    problem: str = ""


@dataclass(frozen=True)
class Try:
    """What is kept of one file that a student handed in."""

    file: str  # in tries/STUDENT/CHAPTER/
    when: str  # ISO, UTC
    sha256: str
    source: str  # where it came from
    late: bool = False  # the LMS said so


@dataclass
class Collected:
    """What a collection found.

    Attributes
    ----------
    counted : dict of (student, chapter) to str
        How it stands: ``"on time"``, ``"late"``.
    new : int
        Files that were not there before.
    notes : list of str
        What somebody should look at: files that belong to nobody, links, late tries that do not count.
    """

    counted: dict[tuple[str, str], str] = field(default_factory=dict)
    new: int = 0
    notes: list[str] = field(default_factory=list)


def collect(course: Course, source: Path, chapter: str | None = None) -> Collected:
    """Take in an archive or a folder; the same one again changes nothing.

    Parameters
    ----------
    chapter : str, optional
        Name of the chapter; without it each notebook says itself which it is.

    Raises
    ------
    CourseError
        When the source is no archive or folder, or nothing has been released yet.
    """
    released = [chapter] if chapter else course.chapters("release")
    if not released:
        raise CourseError("nothing has been released yet: `fmkit course release` does it")
    cells = {name: _grade_ids(course.notebook("release", name)) for name in released}
    matcher, result = Matcher(course.students()), Collected()
    files: dict[str, list[Incoming]] = {}
    for incoming in read_source(source):
        if incoming.problem:
            result.notes.append(f"{incoming.path}: {incoming.problem}; it was left out")
            continue
        student = matcher.find(incoming.path)
        if student is None:
            kept = course.root / "tries" / "_nobody" / _safe_name(incoming.path)
            write_whole(kept, incoming.data)
            words = f"{incoming.path}: no student of students.csv; kept as {kept.relative_to(course.root)}"
            result.notes.append(words)
        else:
            files.setdefault(student.id, []).append(incoming)
    for student, incomings in files.items():
        _take(course, student, incomings, cells, result)
    return result


def _take(course, student, incomings, cells, result) -> None:
    """Keep a student's files as tries, and settle which count."""
    notebooks = [i for i in incomings if i.path.lower().endswith(".ipynb")] or incomings
    touched = set()
    for incoming in notebooks:
        chapter = _which_chapter(incoming, cells)
        if chapter is None:
            result.notes.append(f"{incoming.path}: which chapter is this? `--chapter NN` says so; left out")
            continue
        result.new += _keep(course, student, chapter, incoming)
        touched.add(chapter)
    for chapter in sorted(touched):
        result.counted[student, chapter] = settle(course, student, chapter, result.notes)


# --- reading ------------------------------------------------------------------------------------------------


def read_source(source: Path) -> Iterator[Incoming]:
    """The files of an archive or folder, one by one; a link or what is too large comes with a problem."""
    if source.is_dir():
        yield from _read_folder(source)
    elif source.is_file() and zipfile.is_zipfile(source):
        yield from _read_zip(source)
    elif source.exists():
        raise CourseError(f"{source} is neither a folder nor a zip archive")
    else:
        raise CourseError(f"{source} does not exist")


def _read_folder(folder: Path) -> Iterator[Incoming]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).as_posix()
        try:
            status = path.lstat()
            if stat.S_ISDIR(status.st_mode) or _is_skipped(inside):
                continue
            when = datetime.fromtimestamp(status.st_mtime, UTC)
            if not stat.S_ISREG(status.st_mode):
                problem, data = "a link or special file", b""
            elif status.st_size > MAX_BYTES:
                problem, data = "too large", b""
            else:
                problem, data = "", path.read_bytes()
        except OSError as error:
            problem, data, when = f"cannot be read ({error.strerror})", b"", datetime.now(UTC)
        stamp = path.parent / "timestamp.txt"  # nbgrader's own exchange writes one beside the notebook
        yield Incoming(inside, _stamp(stamp) or when, data, problem)


def _stamp(path: Path) -> datetime | None:
    try:
        text = path.read_text("utf-8").strip()
        moment = datetime.fromisoformat(text.replace(" UTC", "+00:00").replace(" +", "+"))
    except (OSError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read_zip(source: Path) -> Iterator[Incoming]:
    try:
        with zipfile.ZipFile(source) as archive:
            entries = [e for e in archive.infolist() if not e.is_dir() and not _is_skipped(_name(e))]
            if len(entries) > MAX_FILES or sum(e.file_size for e in entries) > MAX_TOTAL:
                raise CourseError(f"{source} unpacks to too much; is it the right archive?")
            for entry in entries:
                yield _read_entry(archive, entry)
    except (zipfile.BadZipFile, OSError) as error:
        raise CourseError(f"{source} cannot be read: {error}") from error


def _read_entry(archive, entry) -> Incoming:
    try:
        when = datetime(*entry.date_time).astimezone()  # archives hold local time
    except (ValueError, OSError, OverflowError):
        when = datetime.now(UTC)
    problem, data = "", b""
    if stat.S_ISLNK(entry.external_attr >> 16):
        problem = "a link"
    elif entry.file_size > MAX_BYTES:
        problem = "too large"
    else:
        try:
            with archive.open(entry) as file:
                data = file.read(MAX_BYTES + 1)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, OSError) as error:
            problem = f"cannot be unpacked ({error})"
    return Incoming(_name(entry), when.astimezone(UTC), data, problem)


def _name(entry) -> str:
    """The entry's name; archivers that forget to say that it is UTF-8 are common."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _is_skipped(inside: str) -> bool:
    parts = PurePosixPath(inside).parts
    return any(part in SKIPPED or part.startswith(".") for part in parts) or parts[-1:] == ("timestamp.txt",)


# --- whose is it? -------------------------------------------------------------------------------------------


def plain_name(text: str) -> str:
    """A name without accents, signs and capitals, to compare by."""
    text = unicodedata.normalize("NFKD", text).casefold().replace("ß", "ss")
    return "".join(sign for sign in text if sign.isalnum())


class Matcher:
    """Finds the student that a path in an archive belongs to: by id, e-mail or name."""

    def __init__(self, students: list[Student]):
        self.known: dict[str, Student | None] = {}
        for s in students:
            names = {s.id, s.email, s.email.split("@")[0], f"{s.first_name}{s.last_name}"}
            names |= {f"{s.last_name}{s.first_name}"}
            for name in {plain_name(name) for name in names} - {""}:
                # two students of one name: then only their ids tell
                self.known[name] = None if name in self.known and name != plain_name(s.id) else s

    def find(self, path: str) -> Student | None:
        """The student of a path, or None: from its folders, outermost first, then from the file's name."""
        for part in PurePosixPath(path).parts[:-1]:
            if found := self._match(part):
                return found
        return self._match(PurePosixPath(path).stem)

    def _match(self, text: str) -> Student | None:
        # Moodle: "Ada Lovelace_123_assignsubmission_file_"; Canvas: "lovelaceada_LATE_77_88_p1"
        pieces = [
            text,
            re.split(r"_\d+_assignsubmission", text)[0],
            re.split(r"_(?:LATE_)?\d+_\d+_", text)[0],
        ]
        pieces += [text.split("_")[0], text.split(" - ")[0]]
        for piece in pieces:
            if found := self.known.get(plain_name(piece)):
                return found
        return None


# --- which chapter is it? -----------------------------------------------------------------------------------


def _grade_ids(path: Path) -> set[str]:
    return {cell.grade_id for cell in read_cells(path.read_bytes()) if cell.grade_id}


def _which_chapter(incoming: Incoming, cells: dict[str, set[str]]) -> str | None:
    """By what the notebook holds, else by its name, else the only one there is."""
    if len(cells) == 1:
        return next(iter(cells))
    try:
        held = {cell.grade_id for cell in read_cells(incoming.data)}
    except Unreadable:
        held = set()
    shared = {chapter: len(ids & held) for chapter, ids in cells.items()}
    best = max(shared, key=shared.get)
    if shared[best]:
        return best
    path = plain_name(incoming.path)
    named = [chapter for chapter in cells if plain_name(chapter) in path]
    return named[0] if len(named) == 1 else None


# --- tries --------------------------------------------------------------------------------------------------


def _keep(course, student, chapter, incoming) -> int:
    """Keep one file, once; returns how many were new."""
    folder = course.root / "tries" / student / chapter
    tries, sha = read_tries(course, student, chapter), digest(incoming.data)
    when = incoming.when.astimezone(UTC).isoformat(timespec="seconds")
    if any(t.sha256 == sha and t.when == when for t in tries):
        return 0
    name = f"{when.replace(':', '').replace('+0000', 'Z')}-{sha[:8]}.ipynb"
    write_whole(folder / name, incoming.data)
    late = "_LATE_" in PurePosixPath(incoming.path).name
    tries.append(Try(name, when, sha, incoming.path, late))
    lines = json.dumps([asdict(t) for t in tries], indent=1, ensure_ascii=False)
    write_whole(folder / "tries.json", lines.encode("utf-8", "replace"))
    return 1


def read_tries(course: Course, student: str, chapter: str) -> list[Try]:
    """What a student has handed in for a chapter, in the order of collection."""
    try:
        text = (course.root / "tries" / student / chapter / "tries.json").read_text("utf-8")
        return [Try(**entry) for entry in json.loads(text)]
    except FileNotFoundError:
        return []


def settle(course: Course, student: str, chapter: str, notes: list[str]) -> str:
    """Put the try that counts into ``submitted/``: ``"on time"`` or ``"late"``."""
    tries, due = sorted(read_tries(course, student, chapter), key=lambda t: t.when), due_date(course, chapter)

    def is_late(attempt):
        return attempt.late or (due is not None and datetime.fromisoformat(attempt.when) > due)

    in_time = [t for t in tries if not is_late(t)]
    chosen = (in_time or tries)[-1]
    if in_time and chosen is not tries[-1]:
        notes.append(f"{student}: a later try ({tries[-1].when}) came after the deadline and does not count")
    target = course.notebook("submitted", chapter, student)
    data = (course.root / "tries" / student / chapter / chosen.file).read_bytes()
    write_whole(target, data)
    stamp = datetime.fromisoformat(chosen.when).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
    write_whole(target.parent / "timestamp.txt", stamp.encode())
    status = "late" if is_late(chosen) else "on time"
    write_whole(target.parent / "collected.json", json.dumps({"status": status} | asdict(chosen)).encode())
    return status


def handed_in(course: Course, student: str, chapter: str) -> tuple[datetime | None, bool]:
    """When the try that counts was handed in, and whether that was late."""
    folder = course.notebook("submitted", chapter, student).parent
    try:
        status = json.loads((folder / "collected.json").read_text("utf-8"))["status"]
    except (OSError, ValueError, KeyError):
        status = ""
    return _stamp(folder / "timestamp.txt"), status == "late"


def _safe_name(path: str) -> str:
    return re.sub(r"[^\w.() -]", "_", path.replace("/", "__"))[-150:]
