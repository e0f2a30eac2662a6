"""Collect what was handed in: an archive from Moodle or Canvas, or a folder that holds one for each student.

Every notebook that comes in is kept in ``tries/``. Of each student's tries for a chapter the last one before
the deadline counts; if there is none, the last one of all counts and is marked late.
"""

import json
import re
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath

from fmkit._files import write_whole
from fmkit.chapters.read import read_file
from fmkit.course.chapter import grade_id_of
from fmkit.course.collecting import incoming
from fmkit.course.collecting.incoming import Incoming, Unfit
from fmkit.course.collecting.matching import Match, Matcher, plain_name
from fmkit.course.gradebook import due_date
from fmkit.course.layout import Course
from fmkit.course.submission import Unreadable, digest, read_cells
from fmkit.errors import CourseError

ONE_DOWNLOAD = timedelta(minutes=10)  # an archive whose files are all this close together was written then


@dataclass(frozen=True)
class Try:
    """What is kept of one notebook that a student handed in."""

    file: str  # in tries/STUDENT/CHAPTER/
    when: str  # ISO, UTC
    sha256: str
    source: str  # where it came from
    late: bool | None = None  # what the LMS or the instructor said; None: the time tells

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
        What a person should look at: files that belong to nobody, links, late tries that do not count.
    """

    counted: dict[tuple[str, str], str] = field(default_factory=dict)
    new: int = 0
    notes: list[str] = field(default_factory=list)


def collect(course: Course, source: Path, chapter: str | None = None, on_time: bool = False) -> Collected:
    """Take in an archive or a folder; the same one again changes nothing.

    Parameters
    ----------
    chapter : str, optional
        Name of the chapter; without it the chapter is found from each notebook.
    on_time : bool
        All of it was handed in before the deadline, whatever times the archive has.

    Raises
    ------
    CourseError
        When the source is not an archive or folder, or nothing has been released yet.
    """
    released = [chapter] if chapter else course.chapters("release")
    if not released:
        raise CourseError("nothing has been released yet: run `fmkit course release`")
    collection = _Collection(course, released, on_time)
    with incoming.opened(source) as files:
        depth, whose = _common_depth([file.path for file in files]), {}
        for file in files:
            match = collection.matcher.find(file.path, depth)
            if match.student is None:
                collection.keep_for_nobody(file, match.reason)
            else:
                whose.setdefault(match.student.id, []).append((file, match))
        for student, theirs in whose.items():
            collection.take(student, theirs)
    collection.look_at_times()
    return collection.result


def _common_depth(paths: list[str]) -> int:
    """How many folders all paths have in common."""
    folders = [PurePosixPath(path).parts[:-1] for path in paths]
    depth = 0
    while folders and all(len(f) > depth and f[depth] == folders[0][depth] for f in folders):
        depth += 1
    return depth


class _Collection:
    """One collection under way."""

    def __init__(self, course: Course, chapters: list[str], on_time: bool):
        self.course, self.on_time, self.result = course, on_time, Collected()
        self.cells = {name: _grade_ids(course.notebook("release", name)) for name in chapters}
        self.due = {name: due_date(course, name) for name in chapters}
        self.matcher = Matcher(course.students())
        self.times: dict[str, list[datetime]] = {name: [] for name in chapters}

    def keep_for_nobody(self, file: Incoming, reason: str) -> None:
        """Keep a file that belongs to nobody aside."""
        try:
            data = file.read()
        except Unfit as error:
            self.result.notes.append(f"{file.path}: {error}; left out")
            return
        name = re.sub(r"[^\w.() -]", "_", file.path)[-120:]
        kept = self.course.root / "tries" / "_nobody" / f"{digest(data)[:8]}-{name}"
        write_whole(kept, data)
        where = kept.relative_to(self.course.root)
        self.result.notes.append(f"{file.path}: {reason}; kept as {where}. Fix that and collect it again")

    def take(self, student: str, files: list[tuple[Incoming, Match]]) -> None:
        """Keep a student's notebooks as tries, and settle which count."""
        found: dict[str, list] = {}
        notebooks = [pair for pair in files if pair[0].path.lower().endswith(".ipynb")] or files
        for file, match in sorted(notebooks, key=lambda pair: _order(pair[0])):
            try:
                data = file.read()
            except Unfit as error:
                self.result.notes.append(f"{file.path}: {error}; left out")
                continue
            chapter, shared = self._which_chapter(file.path, data)
            if chapter:
                found.setdefault(chapter, []).append((file, match, data, shared))
            else:
                self.keep_for_nobody(file, "its chapter is not known (`--chapter NN` names it)")
        for chapter, items in found.items():
            ours = [item for item in items if item[3]] or items  # another notebook beside the right one
            for file, match, data, _ in ours:
                self._keep(student, chapter, file, match, data)
            status = settle(self.course, student, chapter, self.due[chapter], self.result.notes)
            self.result.counted[student, chapter] = status

    def _which_chapter(self, path: str, data: bytes) -> tuple[str | None, int]:
        """The chapter, by the notebook's cells, else by its name; and how many cells they share."""
        try:
            held = {cell.grade_id for cell in read_cells(data)}
        except Unreadable:
            held = set()
        shared = {chapter: len(ids & held) for chapter, ids in self.cells.items()}
        best = max(shared, key=shared.get)
        if shared[best] or len(shared) == 1:
            return best, shared[best]
        named = [chapter for chapter in shared if plain_name(chapter) in plain_name(path)]
        return (named[0], 0) if len(named) == 1 else (None, 0)

    def _keep(self, student, chapter, file, match, data) -> None:
        """Keep one notebook, once."""
        folder, tries = _tries(self.course, student, chapter), read_tries(self.course, student, chapter)
        when, sha = file.when.astimezone(UTC).isoformat(timespec="seconds"), digest(data)
        late = False if self.on_time else match.late
        self.times[chapter] += [file.when] if late is None else []
        same = [t for t in tries if (t.sha256, t.when) == (sha, when)]
        if not same:
            name = f"{when.replace(':', '').replace('+0000', 'Z')}-{sha[:8]}.ipynb"
            write_whole(folder / name, data)
            tries.append(Try(name, when, sha, file.path, late))
            self.result.new += 1
        elif late is not None:
            tries = [replace(t, late=late) if t in same else t for t in tries]
        lines = json.dumps([asdict(t) for t in tries], indent=1, ensure_ascii=False)
        write_whole(folder / "tries.json", lines.encode("utf-8", "replace"))

    def look_at_times(self) -> None:
        """Notice the moment of a download, which Moodle writes into its archives instead of the true one."""
        for chapter, times in self.times.items():
            due = self.due[chapter]
            if len(times) > 2 and due and min(times) > due and max(times) - min(times) < ONE_DOWNLOAD:
                self.result.notes.append(
                    f"{chapter}: all notebooks have the time {min(times).astimezone():%Y-%m-%d %H:%M}, which "
                    "seems to be that of the download. If they were handed in before the deadline, collect "
                    "the same again with --on-time"
                )


def _grade_ids(path: Path) -> set[str]:
    return {grade_id_of(cell) for cell in read_file(path)["cells"]} - {""}


def _order(file: Incoming) -> tuple:
    """By time; of files of one minute "p1 (1).ipynb" or "p1-1.ipynb" is later than "p1.ipynb"."""
    found = re.search(r"(?: ?\((\d{1,3})\)|-(\d{1,3}))$", PurePosixPath(file.path).stem)
    return file.when.replace(second=0, microsecond=0), int(found[1] or found[2]) if found else 0, file.when


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


def settle(course: Course, student: str, chapter: str, due: datetime | None, notes: list[str]) -> str:
    """Put the try that counts into ``submitted/``: ``"on time"`` or ``"late"``."""
    tries = sorted(read_tries(course, student, chapter), key=lambda t: t.when[:16])  # within a minute as kept
    in_time = [t for t in tries if not t.is_late(due)]
    chosen = (in_time or tries)[-1]
    if in_time and chosen.sha256 != tries[-1].sha256:
        notes.append(f"{student}: a later try ({tries[-1].when}) came after the deadline and does not count")
    target = course.notebook("submitted", chapter, student)
    write_whole(target, (_tries(course, student, chapter) / chosen.file).read_bytes())
    stamp = datetime.fromisoformat(chosen.when).strftime(incoming.STAMP)
    write_whole(target.parent / "timestamp.txt", stamp.encode())
    status = "on time" if in_time else "late"
    write_whole(target.parent / "collected.json", json.dumps({"status": status} | asdict(chosen)).encode())
    return status


def settle_all(course: Course, chapter: str) -> list[str]:
    """Settle all that was collected again, for a new deadline; returns for whom another try counts now."""
    due, changed = due_date(course, chapter), []
    for folder in sorted((course.root / "tries").glob(f"*/{chapter}")):
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
