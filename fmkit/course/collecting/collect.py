"""Collect what was handed in: an archive from an LMS, or a folder that holds one for each student.

Every notebook that comes in is kept in ``tries/``. Of each student's tries for a chapter the last one before
the deadline counts, and of these one in which something is answered; if there is none, the last one of all
counts and is marked late.
"""

import json
import re
import unicodedata
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from glob import escape
from pathlib import Path, PurePosixPath

from fmkit._files import write_whole
from fmkit.chapters.read import read_file
from fmkit.course.chapter import grade_id_of
from fmkit.course.collecting import incoming
from fmkit.course.collecting.incoming import Incoming, Unfit
from fmkit.course.collecting.matching import Match, Matcher, common_depth, fits, plain_name, read_map
from fmkit.course.gradebook import due_date
from fmkit.course.layout import Course
from fmkit.course.roster import Student, read_roster
from fmkit.course.submission import MAX_BYTES, Cell, Unreadable, digest, read_cells
from fmkit.errors import CourseError

ONE_DOWNLOAD = timedelta(minutes=10)  # an archive whose files are all this close together was written then
MAX_STUDENT = 2 * MAX_BYTES  # of all that a student has in one archive
MAX_NOBODY = 50  # files of one folder that is nobody's
MAX_NAME = 120  # bytes of a file's name; file systems end at 255


@dataclass(frozen=True)
class Try:
    """What is kept of one notebook that a student handed in."""

    file: str  # in tries/STUDENT/CHAPTER/
    when: str  # ISO, UTC
    sha256: str
    source: str  # where it came from
    late: bool | None = None  # what the LMS or the instructor said; None: the time tells
    answered: int = 1  # answer cells that are not as they were handed out

    def is_late(self, due: datetime | None) -> bool:
        """Whether it came after the deadline."""
        if self.late is not None:
            return self.late
        return due is not None and datetime.fromisoformat(self.when) > due


@dataclass
class Collected:
    """What a collection found.

    Attributes
    ----------
    counted : dict of (student, chapter) to str
        How it stands: ``"on time"``, ``"late"``.
    new : int
        Notebooks that were not there before.
    notes : list of str
        What a person should look at: files that belong to nobody, links, tries that do not count.
    """

    counted: dict[tuple[str, str], str] = field(default_factory=dict)
    new: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Found:
    """A notebook under way: whose, of which chapter, and what is in it."""

    file: Incoming
    match: Match
    data: bytes
    chapter: str
    shared: int  # ids of the chapter's cells that it holds
    answered: int


def collect(
    course: Course,
    source: Path,
    chapter: str | None = None,
    on_time: bool = False,
    table: Path | None = None,
) -> Collected:
    """Take in an archive or a folder; the same one again changes nothing.

    Parameters
    ----------
    chapter : str, optional
        Name of the chapter; without it the chapter is found from each notebook.
    on_time : bool
        All of it was handed in before the deadline, whatever times the archive has.
    table : Path, optional
        A CSV file that says whose a path is: see `matching.read_map`.

    Raises
    ------
    CourseError
        When the source is not an archive or folder, or nothing has been released yet.
    """
    released = [chapter] if chapter else course.chapters("release")
    if not released:
        raise CourseError("nothing has been released yet: run `fmkit course release`")
    notes: list[str] = []
    students = read_roster(course.root / "students.csv", notes)
    owners = read_map(table, students, notes) if table else []
    collection = _Collection(course, released, on_time, notes)
    with incoming.opened(source, notes) as files:
        matches = _whose(files, students, released, owners)
        idle = {pattern for pattern, _ in owners} - {p for p, _ in owners for f in files if fits(f.path, p)}
        notes += [
            f"{table.name}: {pattern} fits nothing in {source.name or source}" for pattern in sorted(idle)
        ]
        namesakes, whose, nobodys = _namesakes(matches), {}, {}
        depth = common_depth([PurePosixPath(file.path).parts for file in files])
        for file, match in matches:
            if match.student and match.student not in namesakes:
                whose.setdefault(match.student.id, []).append((file, match))
            else:
                one = PurePosixPath(file.path).parts[: depth + 1]
                nobodys.setdefault(one, []).append((file, namesakes.get(match.student, match.reason)))
        for files_of_one in nobodys.values():
            collection.keep_for_nobody(files_of_one)
        for student, theirs in whose.items():
            collection.take(student, theirs)
    collection.look_at_times()
    return collection.result


def _whose(files, students, chapters, owners) -> list[tuple[Incoming, Match]]:
    """Each file with whose it is: by the table, else by its path."""
    matcher = Matcher(students, [file.path for file in files], chapters)
    found = []
    for file in files:
        match = matcher.find(file.path)
        theirs = dict.fromkeys(student for pattern, student in owners if fits(file.path, pattern))
        by_table = [replace(match, student=student, reason="", number="") for student in theirs]
        found += [(file, each) for each in by_table or [match]]
    return found


def _namesakes(matches: list[tuple[Incoming, Match]]) -> dict[Student, str]:
    """The students of whose name the LMS has two participants, side by side: one of them is a stranger."""
    numbers: dict[tuple, set[str]] = {}
    for _, match in matches:
        if match.student and match.number:
            numbers.setdefault((match.student, match.place), set()).add(match.number)
    return {
        student: f"{len(found)} participants are called {student.name} ({', '.join(sorted(found))}), and "
        f"students.csv has one, {student.id}; put what is theirs into a folder named by the id"
        for (student, _), found in numbers.items()
        if len(found) > 1
    }


class _Collection:
    """One collection under way."""

    def __init__(self, course: Course, chapters: list[str], on_time: bool, notes: list[str]):
        self.course, self.on_time, self.result = course, on_time, Collected(notes=notes)
        self.given = {name: _given(course.notebook("release", name)) for name in chapters}
        self.due = {name: due_date(course, name) for name in chapters}
        self.now = datetime.now(UTC)
        self.times: dict[str, list[datetime]] = {name: [] for name in chapters}

    def note(self, words: str) -> None:
        self.result.notes.append(words)

    def keep_for_nobody(self, files: list[tuple[Incoming, str]]) -> None:
        """Keep what belongs to nobody aside: of one folder the notebooks, if there are any."""
        files = _notebooks(files)
        for file, reason in files[:MAX_NOBODY]:
            self._keep_aside(file, reason)
        if len(files) > MAX_NOBODY:
            last, reason = files[-1]
            self.note(f"{last.path} and {len(files) - MAX_NOBODY - 1} more beside it: {reason}; left out")

    def _keep_aside(self, file: Incoming, reason: str) -> None:
        try:
            data = file.read()
        except Unfit as error:
            self.note(f"{file.path}: {error}; left out")
            return
        kept = self.course.root / "tries" / "_nobody" / f"{digest(data)[:8]}-{_file_name(file.path)}"
        write_whole(kept, data)
        where = kept.relative_to(self.course.root)
        words = f"{reason}; kept as {where}. Fix that, or say whose it is with --map, and collect it again"
        self.note(f"{file.path}: {words}")

    def take(self, student: str, files: list[tuple[Incoming, Match]]) -> None:
        """Keep a student's notebooks as tries, and settle which count."""
        found: dict[str, list[_Found]] = {}
        size = 0
        for file, match in sorted(_notebooks(files), key=self._order):
            try:
                data = file.read()
            except Unfit as error:
                self.note(f"{file.path}: {error}; left out")
                continue
            size += len(data)
            if size > MAX_STUDENT:
                self.note(f"{file.path}: {student} has handed in more than {MAX_STUDENT >> 20} MB; left out")
                continue
            chapter, shared, answered = self._which_chapter(file.path, data)
            if chapter:
                item = _Found(file, match, data, chapter, shared, answered)
                found.setdefault(chapter, []).append(item)
            else:
                self._keep_aside(file, "its chapter is not known (`--chapter NN` names it)")
        for chapter, items in found.items():
            ours = [item for item in items if item.shared] or items  # another notebook beside the right one
            self._keep(student, chapter, ours)
            status, chosen = settle(self.course, student, chapter, self.due[chapter], self.result.notes)
            self.result.counted[student, chapter] = status
            self._name_others(student, items, chosen)

    def _name_others(self, student: str, items: list[_Found], chosen: Try) -> None:
        """Say which of several notebooks counts, and which do not."""
        others = [item for item in items if digest(item.data) != chosen.sha256]
        if others and len(others) < len(items):
            names = [f"{i.file.path}{'' if i.answered else ' (nothing answered)'}" for i in others]
            names = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
            self.note(f"{student}: {chosen.source} counts, and not {names}")

    def _which_chapter(self, path: str, data: bytes) -> tuple[str | None, int, int]:
        """The chapter, by the notebook's cells, else by its name; how many cells are shared, and answered."""
        try:
            held = read_cells(data)
        except Unreadable:
            held = []
        ids = {cell.grade_id for cell in held}
        shared = {chapter: len(given.ids & ids) for chapter, given in self.given.items()}
        most = max(shared.values())
        if not most:  # some editors lose the ids
            texts = {cell.source.strip() for cell in held}
            shared = {chapter: len(given.texts & texts) for chapter, given in self.given.items()}
        best = [chapter for chapter in shared if shared[chapter] == max(shared.values())]
        if len(best) > 1:
            best = _named(best, path)
        if len(best) != 1:
            return None, 0, 0
        return best[0], most, self.given[best[0]].answered(held)

    def _keep(self, student: str, chapter: str, items: list[_Found]) -> None:
        """Keep notebooks, each once."""
        folder, tries = _tries(self.course, student, chapter), read_tries(self.course, student, chapter)
        for item in items:
            sha, time = digest(item.data), item.match.when or item.file.when
            when = (time or self.now).astimezone(UTC).isoformat(timespec="seconds")
            late = False if self.on_time else item.match.late
            self.times[chapter] += [time or self.now] if late is None else []
            same = [t for t in tries if t.sha256 == sha and (t.when == when or not time)]
            if not same:
                name = f"{when.replace(':', '').replace('+0000', 'Z')}-{sha[:8]}.ipynb"
                write_whole(folder / name, item.data)
                tries.append(Try(name, when, sha, item.file.path, late, item.answered))
                self.result.new += 1
            elif late is not None:
                tries = [replace(t, late=late) if t in same else t for t in tries]
        lines = json.dumps([asdict(t) for t in tries], indent=1, ensure_ascii=False)
        write_whole(folder / "tries.json", lines.encode("utf-8", "replace"))

    def _order(self, pair: tuple[Incoming, Match]) -> tuple:
        """By time; of files of one minute "p1 (1).ipynb" or "p1-1.ipynb" is later than "p1.ipynb"."""
        file, match = pair
        when = match.when or file.when or self.now
        found = re.search(r"(?: ?\((\d{1,3})\)|-(?:Copy)?(\d{1,3}))$", PurePosixPath(file.path).stem)
        return when.replace(second=0, microsecond=0), int(found[1] or found[2]) if found else 0, when

    def look_at_times(self) -> None:
        """Notice the moment of a download, which Moodle writes into its archives instead of the true one."""
        for chapter, times in self.times.items():
            due = self.due[chapter]
            if len(times) > 2 and due and min(times) > due and max(times) - min(times) < ONE_DOWNLOAD:
                time = min(times).astimezone().isoformat(" ", "minutes")
                self.note(
                    f"{chapter}: all notebooks have the time {time}, which "
                    "seems to be that of the download. If they were handed in before the deadline, collect "
                    "the same again with --on-time"
                )


@dataclass(frozen=True)
class _Given:
    """What was handed out of a chapter."""

    ids: frozenset[str]  # nbgrader's, of all cells that have one
    answers: dict[str, str]  # id of an answer cell -> what stands in it
    texts: frozenset[str]  # of all cells

    def answered(self, held: list[Cell]) -> int:
        """How many answers are not as they were handed out; without their ids, how many cells."""
        if not any(cell.grade_id in self.answers for cell in held):
            texts = {cell.source.strip() for cell in held} - {""}
            return len(texts - self.texts) if texts & self.texts else 0  # else it is another notebook
        pairs = [(cell.source.strip(), self.answers.get(cell.grade_id)) for cell in held]
        return sum(given is not None and text not in ("", given) for text, given in pairs)


def _given(path: Path) -> _Given:
    cells = read_file(path)["cells"]
    answers = {
        grade_id_of(cell): cell["source"].strip()
        for cell in cells
        if cell["metadata"].get("nbgrader", {}).get("solution")
    }
    ids = frozenset(grade_id_of(cell) for cell in cells) - {""}
    return _Given(ids, answers, frozenset(cell["source"].strip() for cell in cells))


def _named(chapters: list[str], path: str) -> list[str]:
    """Of several chapters those whose name stands in the file's name, else in the path; the longest."""
    for text in (PurePosixPath(path).stem, path):
        found = [chapter for chapter in chapters if plain_name(chapter) in plain_name(text)]
        if found:
            longest = max(len(plain_name(chapter)) for chapter in found)
            return [chapter for chapter in found if len(plain_name(chapter)) == longest]
    return chapters


def _notebooks(files: list[tuple]) -> list[tuple]:
    """Of files (the first of each pair) those that are notebooks; all if none is."""
    return [pair for pair in files if pair[0].path.lower().endswith(".ipynb")] or files


def _file_name(path: str) -> str:
    """A path as the name of one file, not too long and without odd signs."""
    signs = [c if c.isalnum() or unicodedata.category(c)[0] == "M" or c in "_.() -" else "_" for c in path]
    return "".join(signs).encode("utf-8")[-MAX_NAME:].decode("utf-8", "ignore")


# --- tries --------------------------------------------------------------------------------------------------


def _tries(course: Course, student: str, chapter: str) -> Path:
    return course.root / "tries" / student / chapter


def read_tries(course: Course, student: str, chapter: str) -> list[Try]:
    """What a student has handed in for a chapter, in the order of collection."""
    path = _tries(course, student, chapter) / "tries.json"
    try:
        return [Try(**entry) for entry in json.loads(path.read_text("utf-8"))]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError) as error:
        words = "is damaged: delete it and collect the same again"
        raise CourseError(f"{path} {words}") from error


def settle(
    course: Course, student: str, chapter: str, due: datetime | None, notes: list[str]
) -> tuple[str, Try]:
    """Put the try that counts into ``submitted/``; gives ``"on time"`` or ``"late"``, and the try."""
    tries = read_tries(course, student, chapter)
    tries.sort(key=lambda t: (t.when[:16], t.answered))  # within a minute by the answers, then as kept
    in_time = [t for t in tries if not t.is_late(due)]
    chosen = ([t for t in in_time or tries if t.answered] or in_time or tries)[-1]
    last = tries[-1]
    if chosen.sha256 != last.sha256:
        if in_time and last.is_late(due):
            notes.append(f"{student}: a later try ({last.when}) came after the deadline and does not count")
        elif not last.answered:
            notes.append(f"{student}: a later try ({last.when}) answers nothing and does not count")
    target = course.notebook("submitted", chapter, student)
    write_whole(target, (_tries(course, student, chapter) / chosen.file).read_bytes())
    stamp = datetime.fromisoformat(chosen.when).strftime(incoming.STAMP)
    write_whole(target.parent / "timestamp.txt", stamp.encode())
    status = "on time" if in_time else "late"
    write_whole(target.parent / "collected.json", json.dumps({"status": status} | asdict(chosen)).encode())
    return status, chosen


def settle_all(course: Course, chapter: str) -> list[str]:
    """Settle all that was collected again, for a new deadline; returns for whom another try counts now."""
    due, changed = due_date(course, chapter), []
    for folder in sorted((course.root / "tries").glob(f"*/{escape(chapter)}")):
        student, target = folder.parent.name, course.notebook("submitted", chapter, folder.parent.name)
        before = target.read_bytes() if target.exists() else b""
        settle(course, student, chapter, due, [])
        changed += [student] if target.read_bytes() != before else []
    return changed


def handed_in(course: Course, student: str, chapter: str) -> tuple[datetime | None, bool]:
    """When the try that counts was handed in, and whether that was late."""
    folder = course.notebook("submitted", chapter, student).parent
    try:
        status = json.loads((folder / "collected.json").read_text("utf-8"))["status"]
    except (OSError, ValueError, KeyError):
        status = ""
    return incoming.read_stamp(folder), status == "late"
