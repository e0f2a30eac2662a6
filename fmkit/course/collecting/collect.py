"""Collect what was handed in: an archive from an LMS, or a folder that holds one for each student.

Every notebook that comes in is kept in ``tries/``. Of each student's tries for a chapter the last one before
the deadline counts, and of these one in which something is answered; if there is none, the last one of all
counts and is marked late.
"""

import bisect
import json
import re
import unicodedata
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from glob import escape
from pathlib import Path, PurePosixPath

from fmkit._files import write_whole
from fmkit.chapters.read import read_file
from fmkit.course.chapter import grade_id_of
from fmkit.course.collecting import incoming
from fmkit.course.collecting.incoming import SHUT, Incoming, Unfit, climbs, is_archive
from fmkit.course.collecting.matching import (
    BRIGHTSPACE,
    NOBODY,
    TWO_WAYS,
    Match,
    Matcher,
    common_depth,
    fits,
    plain_name,
    read_map,
)
from fmkit.course.gradebook import due_date
from fmkit.course.layout import Course, one_students, tell
from fmkit.course.roster import Student, read_roster
from fmkit.course.rules import Rules, read_rules
from fmkit.course.submission import MAX_BYTES, Cell, Unreadable, digest, read_cells
from fmkit.errors import CourseError

ONE_DOWNLOAD = timedelta(minutes=10)  # an archive whose files are all this close together was written then
MAX_STUDENT = 2 * MAX_BYTES  # of all that a student has in one archive
MAX_NOBODY = 50  # files of one folder that is nobody's
MAX_NAME = 120  # bytes of a file's name; file systems end at 255
FEW = 2  # students who have a file of one name: what more have was handed out
CLIMBS = "its path leads out of the archive"
# What an LMS itself puts beside the files: Blackboard's words on an attempt, Sakai's on a folder, and
# Brightspace's index.html
_DESCRIPTION = re.compile(r"(.+_attempt_\d{4}(?:-\d\d){5})\.txt")
_OF_SAKAI = re.compile(r"(?:.*/)?[^/]+,[^/]*\([^()/]+\)/(?:comments\.txt|feedbackText\.html)")


@dataclass(frozen=True)
class Try:
    """What is kept of one notebook that a student handed in."""

    file: str  # in tries/STUDENT/CHAPTER/
    when: str  # ISO, UTC
    sha256: str
    source: str  # where it came from
    late: bool | None = None  # what the LMS or the instructor said; None: the time tells
    answered: int = 1  # answer cells that are not as they were handed out
    holds: tuple[str, ...] = ()  # nbgrader's ids of these, where it has them
    guessed: bool = False  # the LMS wrote a time that could not be told, so this is the archive's
    score: float | None = None  # by the checks, where the best try counts

    def is_late(self, due: datetime | None, extended: bool = False) -> bool:
        """Whether it came after the deadline. The LMS's mark does not know of an extension that we gave."""
        if self.late is not None and not (self.late and extended):
            return self.late
        return due is not None and datetime.fromisoformat(self.when) > due


@dataclass
class Collected:
    """What a collection found.

    Attributes
    ----------
    counted : dict of (student, chapter) to str
        How it stands: ``"on time"``, ``"late"``.
    there : int
        Notebooks of students, each counted once.
    new : int
        Of these the ones that were not there before.
    notes : list of str
        What a person should look at: files that belong to nobody, links, tries that do not count.
    """

    counted: dict[tuple[str, str], str] = field(default_factory=dict)
    there: int = 0
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
    holds: tuple[str, ...]


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
    _refuse_our_own(course, source)
    students = read_roster(course.root / "students.csv", notes)
    owners = read_map(table, students, notes) if table else []
    collection = _Collection(course, released, on_time, notes)
    with incoming.opened(source, notes) as files:
        files = _without_descriptions(files, notes)
        matches = _whose(files, students, released, owners, collection.rules.day_first)
        idle = {pattern for pattern, _ in owners} - {p for p, _ in owners for f in files if fits(f.path, p)}
        notes += [
            f"{table.name}: {pattern} fits nothing in {source.name or source}" for pattern in sorted(idle)
        ]
        matches = _only_their_own(matches, notes)
        notes += _untold_times(matches)
        whose, nobodys = {}, {}
        depth = common_depth([PurePosixPath(file.path).parts for file in files])
        for file, match in matches:
            if match.student:
                whose.setdefault(match.student.id, []).append((file, match))
            else:
                one = PurePosixPath(file.path).parts[: depth + 1]
                nobodys.setdefault(one, []).append((file, match.reason))
        for files_of_one in nobodys.values():
            collection.keep_for_nobody(files_of_one)
        for student, theirs in whose.items():
            collection.take(student, theirs)
    collection.look_at_times()
    collection.say_what_lies_beside()
    return collection.result


def _refuse_our_own(course: Course, source: Path) -> None:
    """Refuse a folder that the course itself lies in, or keeps something in: the same would come in twice."""
    root, place = course.root.resolve(), source.resolve()
    ours = [root / name for name in ("tries", "source", "release", "autograded", "feedback")]
    if source.is_dir() and (root.is_relative_to(place) or any(map(place.is_relative_to, ours))):
        raise CourseError(f"{source} is the course's own: collect what the LMS gives, from another folder")


def _without_descriptions(files: list[Incoming], notes: list[str]) -> list[Incoming]:
    """The files without those that the LMS wrote itself; an attempt that has no others is noted."""
    found, paths = [], sorted(file.path for file in files)
    is_brightspace = any(BRIGHTSPACE.match(path) for path in paths)
    for file in files:
        if attempt := _DESCRIPTION.fullmatch(file.path):
            at = bisect.bisect_left(paths, f"{attempt[1]}_")
            if at == len(paths) or not paths[at].startswith(f"{attempt[1]}_"):
                notes.append(f"{file.path}: Blackboard's description of an attempt without a file; left out")
        elif not _OF_SAKAI.fullmatch(file.path) and not (is_brightspace and file.path == "index.html"):
            found.append(file)
    return found


def _whose(files, students, chapters, owners, day_first) -> list[tuple[Incoming, Match]]:
    """Each file with whose it is: by the table, else by its path."""
    paths = [file.path for file in files if not climbs(file.path)]
    matcher = Matcher(students, paths, chapters, day_first)
    zeros = {s.id.lstrip("0"): s.id for s in students if s.id.startswith("0")}  # a spreadsheet drops them
    found = []
    for file in files:
        match = Match(None, CLIMBS) if climbs(file.path) else matcher.find(file.path)
        if match.reason == NOBODY and (near := zeros.get(_without_zeros(file.path))):
            match = replace(match, reason=f"{NOBODY} (only {near}, with zeros in front)")
        theirs = dict.fromkeys(student for pattern, student in owners if fits(file.path, pattern))
        by_table = [replace(match, student=s, reason="", number="", called="") for s in theirs]
        found += [(file, each) for each in by_table or [match]]
    return found


def _without_zeros(path: str) -> str:
    """The outermost folder's or file's name as a spreadsheet may have changed it."""
    part = PurePosixPath(path).parts[0]
    return (part if "/" in path else PurePosixPath(part).stem).lstrip("0")


def _only_their_own(matches: list[tuple[Incoming, Match]], notes: list[str]) -> list[tuple[Incoming, Match]]:
    """The same; what may be a stranger's of the same name or id is nobody's."""
    namesakes, spelled = _namesakes(matches), _spelled(matches)
    found = []
    for file, match in matches:
        reason = namesakes.get(match.student, "")
        forms = spelled.get((match.student, match.place), {match.called})
        if match.called and match.called != match.student.id and len(forms) > 1:
            others = " and ".join(sorted(forms))
            reason = (
                reason or f"{others} differ in capitals only, and students.csv has one, {match.student.id}"
            )
        found.append((file, replace(match, student=None, reason=reason) if reason else match))
    alike = {(m.called, m.student.id) for _, m in found if m.student and m.called not in ("", m.student.id)}
    if alike := [f"{called} for {id}" for called, id in sorted(alike) if "@" not in id]:
        notes.append(f"taken for the id that differs in capitals only: {', '.join(alike)}")
    return found


def _spelled(matches: list[tuple[Incoming, Match]]) -> dict[tuple, set[str]]:
    """(Student, place) -> how the id is written there, in capitals and not."""
    found: dict[tuple, set[str]] = {}
    for _, match in matches:
        if match.student and match.called and "@" not in match.called:
            found.setdefault((match.student, match.place), set()).add(match.called)
    return found


def _untold_times(matches: list[tuple[Incoming, Match]]) -> list[str]:
    """Whose time the LMS wrote in a way that does not tell it, as notes: a line for each way."""
    found: dict[bool, dict[str, str]] = {}
    for _, match in matches:
        if match.student and match.unread:
            found.setdefault(TWO_WAYS in match.unread, {}).setdefault(match.student.id, match.unread)
    notes = []
    for two_ways, whose in found.items():
        ids, words = list(whose), next(iter(whose.values()))
        who = ", ".join(ids[:10]) + (f" and {len(ids) - 10} more" if len(ids) > 10 else "")
        more = (
            ". Say which in course.toml ([dates], day_first) and collect the same again" if two_ways else ""
        )
        notes.append(f"the time {words}, so that of the archive counts, for {who}{more}")
    return notes


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
        self.rules = read_rules(course)
        self.now = datetime.now(UTC)
        self.times: dict[str, list[datetime]] = {name: [] for name in chapters}
        self.beside: dict[str, list[str]] = {}

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
        size, notebooks = 0, _notebooks(files)
        if len(notebooks) < len(files):
            paths = [PurePosixPath(file.path) for file, _ in files]
            said = (".ipynb", *SHUT)
            self.beside[student] = [p.name for p in paths if not p.name.lower().endswith(said)]
        for file, match in sorted(notebooks, key=self._order):
            try:
                data = file.read()
            except Unfit as error:
                self.note(f"{file.path}: {error}; left out")
                continue
            size += len(data)
            if size > MAX_STUDENT:
                self.note(f"{file.path}: {student} has handed in more than {MAX_STUDENT >> 20} MB; left out")
                continue
            found_in, fault = self._which_chapter(file.path, data)
            if found_in:
                item = _Found(file, match, data, *found_in)
                found.setdefault(item.chapter, []).append(item)
                if fault and not is_archive(file.path) and not file.path.lower().endswith(SHUT):
                    self.note(f"{file.path}: {fault}")  # of an archive it has been said
            else:
                unknown = "its chapter is not known (`--chapter NN` names it)"
                self._keep_aside(file, f"{fault}; {unknown}" if fault else unknown)
        for chapter, items in found.items():
            ours = [item for item in items if item.shared] or items  # another notebook beside the right one
            faults: list[str] = []
            with one_students(student, faults, ". Mend that, and collect the same again"):
                self._keep(student, chapter, ours)
                status, chosen = settle(self.course, student, chapter, self.due[chapter], self.rules)
                self.result.counted[student, chapter] = status
                self._name_others(student, chapter, chosen, [item for item in items if item not in ours])
            for fault in faults:
                self.note(fault)

    def _name_others(self, student: str, chapter: str, chosen: Try, left: list[_Found]) -> None:
        """Say which of several notebooks counts, and which do not, with what is in them."""
        due = self.rules.due(student, chapter, self.due[chapter])
        extended = due != self.due[chapter]
        others = [t for t in read_tries(self.course, student, chapter) if t.sha256 != chosen.sha256]
        others = list({t.sha256: t for t in sorted(others, key=lambda t: t.when)}.values())
        words = [f"{_of(t)}{_in_brackets(_remarks(t, chosen, t.is_late(due, extended)))}" for t in others]
        words += [f"{item.file.path} (nothing of {chapter} in it)" for item in left]
        if words:
            who = student if len(self.given) == 1 else f"{student}, {chapter}"
            self.note(f"{who}: {_of(chosen)} counts, and not {', '.join(words)}")

    def _which_chapter(self, path: str, data: bytes) -> tuple[tuple | None, str]:
        """The chapter, by the notebook's cells, else by its name, with how many cells are shared and what is
        answered; and why it is no notebook."""
        held, fault = [], ""
        try:
            held = read_cells(data)
        except Unreadable as error:
            fault = str(error)
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
            return None, fault
        return (best[0], most, *self.given[best[0]].answered(held)), fault

    def _keep(self, student: str, chapter: str, items: list[_Found]) -> None:
        """Keep notebooks, each once."""
        folder, tries = _tries(self.course, student, chapter), read_tries(self.course, student, chapter)
        seen: set[str] = set()
        for item in items:
            sha, time = digest(item.data), item.match.when or item.file.when
            when = (time or self.now).astimezone(UTC).isoformat(timespec="seconds")
            late, guessed = False if self.on_time else item.match.late, bool(item.match.unread)
            self.times[chapter] += [time or self.now] if late is None else []
            if not guessed:  # now the time is known
                tries = [
                    replace(t, when=when, guessed=False) if t.guessed and t.sha256 == sha else t
                    for t in tries
                ]
            same = [t for t in tries if t.sha256 == sha and (t.when == when or not time)]
            if guessed:  # the time that the LMS wrote is a part of the path
                same = same or [t for t in tries if t.sha256 == sha and t.source == item.file.path]
            if not same:
                name = f"{when.replace(':', '').replace('+0000', 'Z')}-{sha[:8]}.ipynb"
                write_whole(folder / name, item.data)
                same = [Try(name, when, sha, item.file.path, late, item.answered, item.holds, guessed)]
                tries += same
                self.result.new += 1
            elif late is not None:
                tries = [replace(t, late=late) if t in same else t for t in tries]
            seen.add(same[0].file)
        self.result.there += len(seen)
        _write_tries(self.course, student, chapter, tries)

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

    def say_what_lies_beside(self) -> None:
        """Name what is no notebook beside one: it is not kept. What several have was handed out to them."""
        count = Counter(name for names in self.beside.values() for name in set(names))
        pairs = [(name, student) for student, names in self.beside.items() for name in names]
        if few := [f"{name} ({student})" for name, student in pairs if count[name] <= FEW]:
            words = ", ".join(few[:10]) + (f" and {len(few) - 10} more" if len(few) > 10 else "")
            self.note(f"no notebooks, so left in the archive beside one: {words}")


@dataclass(frozen=True)
class _Given:
    """What was handed out of a chapter."""

    ids: frozenset[str]  # nbgrader's, of all cells that have one
    answers: dict[str, str]  # id of an answer cell -> what stands in it
    texts: frozenset[str]  # of all cells

    def answered(self, held: list[Cell]) -> tuple[int, tuple[str, ...]]:
        """How many answers are not as they were handed out, and their ids; without ids, how many cells."""
        if not any(cell.grade_id in self.answers for cell in held):
            texts = {cell.source.strip() for cell in held} - {""}
            return len(texts - self.texts) if texts & self.texts else 0, ()  # else it is another notebook
        pairs = [(cell, self.answers.get(cell.grade_id)) for cell in held]
        found = [
            c.grade_id for c, given in pairs if given is not None and c.source.strip() not in ("", given)
        ]
        return len(found), tuple(sorted(set(found)))


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


def _write_tries(course: Course, student: str, chapter: str, tries: list[Try]) -> None:
    lines = json.dumps([asdict(t) for t in tries], indent=1, ensure_ascii=False)
    write_whole(_tries(course, student, chapter) / "tries.json", lines.encode("utf-8", "replace"))


def _of(one: Try) -> str:
    return f"{one.source} of {datetime.fromisoformat(one.when).astimezone():%Y-%m-%d %H:%M}"


def _remarks(one: Try, chosen: Try, late: bool) -> list[str]:
    """Why a try does not count, and what in it the one that does has not."""
    known = chosen.holds or not chosen.answered  # else it has lost the ids
    more = sorted(set(one.holds) - set(chosen.holds)) if known else []
    answers = ", ".join(more[:3]) + (f" and {len(more) - 3} more" if len(more) > 3 else "")
    found = ["after the deadline" if late else "", "" if one.answered else "nothing answered"]
    return [*filter(None, found), *([f"it answers {answers}, which the other does not"] if more else [])]


def _in_brackets(words: list[str]) -> str:
    return f" ({'; '.join(words)})" if words else ""


def settle(course: Course, student: str, chapter: str, due: datetime | None, rules: Rules) -> tuple[str, Try]:
    """Put the try that counts into ``submitted/``; gives ``"on time"`` or ``"late"``, and the try.

    ``due`` is the deadline of the class. Of those in time the last one counts, or the best one that has been
    graded, as the rules say.
    """
    extended, due = rules.due(student, chapter, due) != due, rules.due(student, chapter, due)
    tries = read_tries(course, student, chapter)
    tries.sort(key=lambda t: (t.when[:16], t.answered))  # within a minute by the answers, then as kept
    in_time = [t for t in tries if not t.is_late(due, extended)]
    choice = [t for t in in_time or tries if t.answered] or in_time or tries
    chosen = choice[-1]
    if rules.best:
        chosen = max(
            reversed(choice), key=lambda t: -1.0 if t.score is None else t.score
        )  # of equals the last
    target = course.notebook("submitted", chapter, student)
    write_whole(target, (_tries(course, student, chapter) / chosen.file).read_bytes())
    stamp = datetime.fromisoformat(chosen.when).strftime(incoming.STAMP)
    write_whole(target.parent / "timestamp.txt", stamp.encode())
    status = "on time" if in_time else "late"
    how = {"status": status, "due": due.isoformat() if due else "", "best": rules.best}
    write_whole(target.parent / "collected.json", json.dumps(how | asdict(chosen)).encode())
    return status, chosen


def settle_all(course: Course, chapter: str, only_changed: bool = False) -> list[str]:
    """Settle all that was collected again, for a new deadline; returns for whom another try counts now.

    With ``only_changed`` only those whose own deadline, or whose rule on several tries, is another one than
    when their try was settled.
    """
    due, rules = due_date(course, chapter), read_rules(course)
    changed: list[str] = []
    faults: list[str] = []
    for folder in sorted((course.root / "tries").glob(f"*/{escape(chapter)}")):
        student, target = folder.parent.name, course.notebook("submitted", chapter, folder.parent.name)
        before = target.read_bytes() if target.exists() else b""
        if only_changed and (not before or not _has_changed(target.parent, rules, student, chapter, due)):
            continue
        with one_students(student, faults):
            settle(course, student, chapter, due, rules)
            changed += [student] if target.read_bytes() != before else []
    tell(faults)
    return changed


def _has_changed(folder: Path, rules: Rules, student: str, chapter: str, due: datetime | None) -> bool:
    """Whether a try was settled by other rules than these; what an older kit did not note has not."""
    how, own = _collected(folder), rules.due(student, chapter, due)
    before = how.get("due", due.isoformat() if due else ""), how.get("best", rules.best)
    return before != (own.isoformat() if own else "", rules.best)


def settle_best(course: Course, student: str, chapter: str, scores: dict[str, float]) -> None:
    """Let the try with the best score count; ``scores`` are by the tries' ``sha256``."""
    tries = [replace(t, score=scores.get(t.sha256)) for t in read_tries(course, student, chapter)]
    _write_tries(course, student, chapter, tries)
    settle(course, student, chapter, due_date(course, chapter), read_rules(course))


def try_files(course: Course, student: str, chapter: str) -> list[Path]:
    """The notebooks that a student has handed in for a chapter."""
    return [_tries(course, student, chapter) / one.file for one in read_tries(course, student, chapter)]


def when_tried(
    course: Course, student: str, chapter: str, sha256: str, due: datetime | None, extended: bool
) -> tuple[datetime | None, bool]:
    """When a try was handed in, by its content, and whether that was late for the student's own deadline.

    As formgrader has it, where it did not come by `collect`.
    """
    try:
        same = [t for t in read_tries(course, student, chapter) if t.sha256 == sha256]
    except CourseError:  # `collect` says so
        same = []
    in_time = [t for t in same if not t.is_late(due, extended)]
    if same:
        return datetime.fromisoformat(max(t.when for t in in_time or same)), not in_time
    when = incoming.read_stamp(course.notebook("autograded", chapter, student).parent)
    return when, bool(when and due and when > due)


def handed_in(course: Course, student: str, chapter: str) -> tuple[datetime | None, bool]:
    """When the try that counts was handed in, and whether that was late."""
    folder = course.notebook("submitted", chapter, student).parent
    return incoming.read_stamp(folder), _collected(folder).get("status") == "late"


def has_answers(course: Course, student: str, chapter: str) -> bool:
    """Whether something is answered in the try that counts, as far as `collect` knows."""
    return bool(_collected(course.notebook("submitted", chapter, student).parent).get("answered", 1))


def _collected(folder: Path) -> dict:
    """What `settle` noted beside the try that counts."""
    try:
        found = json.loads((folder / "collected.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
