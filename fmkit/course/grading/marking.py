"""Grade what was collected: run the batch, and bring each result to the gradebook and to formgrader."""

import contextlib
import copy
import functools
import re
import textwrap
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from glob import escape
from pathlib import Path
from typing import Any

from fmkit._files import write_whole
from fmkit.chapters.read import read_file
from fmkit.course import gradebook, layout, pictures
from fmkit.course.chapter import Chapter, grade_id_of, read_chapter
from fmkit.course.collecting.collect import handed_in, read_tries, settle_best, try_files
from fmkit.course.collecting.incoming import STAMP
from fmkit.course.grading.batch import grade_batch
from fmkit.course.grading.journal import every_result
from fmkit.course.layout import Course
from fmkit.course.rules import read_rules
from fmkit.course.sandbox.process import DEFAULT, Limits
from fmkit.course.submission import Unreadable, digest, find_answers, read_bytes, read_cells
from fmkit.errors import ChapterError, CourseError
from fmkit.lab import exercises
from fmkit.lab.cards import card
from fmkit.lab.judging.judge import Verdict


def asked(course: Course, chapter: str) -> Chapter:
    """What the released notebook of a chapter asks for.

    Raises
    ------
    CourseError
        When it cannot be graded.
    """
    try:
        found = read_chapter(course.notebook("release", chapter))
        for entry in found.asked:
            exercises.get(entry.exercise, entry.own)
    except (OSError, ChapterError, LookupError) as error:
        raise CourseError(f"{chapter} cannot be graded: {error}") from error
    return found


def jobs(course: Course, chapters: list[str], student: str | None = None) -> list[dict]:
    """What there is to grade, of all students of the roster or of one.

    Raises
    ------
    CourseError
        When the student, or the whole class, has handed in nothing, or a chapter cannot be graded.
    """
    found, known = [], {s.id for s in course.students()}
    if student is not None and student not in known:
        raise CourseError(f"there is no student {student!r} in students.csv")
    for chapter in chapters:
        wanted = asked(course, chapter)
        ids = {entry.check_id for entry in wanted.asked} | {entry.grade_id for entry in wanted.texts}
        if not ids <= gradebook.grade_cells(course, chapter):
            words = f"has cells that the gradebook does not know: run `fmkit course release {chapter}`"
            raise CourseError(f"{chapter} {words}")
        for path in _submitted(course, chapter):
            name = path.parent.parent.name
            if name in known and student in (None, name):
                notebook = course.notebook("release", chapter)
                job = {"student": name, "chapter": chapter, "file": str(path), "notebook": str(notebook)}
                found.append(job)
    if not found:
        words = f"{student} has not handed in {' or '.join(chapters)}" if student else "nobody has handed in"
        raise CourseError(f"{words}: run `fmkit course collect` on what the LMS gives")
    return found


def _submitted(course: Course, chapter: str) -> list[Path]:
    return sorted((course.root / "submitted").glob(f"*/{escape(chapter)}/{escape(chapter)}.ipynb"))


def grade(
    course: Course,
    todo: list[dict],
    n_jobs: int | None = None,
    cluster: str | None = None,
    again: bool = False,
    unsafe: bool = False,
    limits: Limits = DEFAULT,
    progress: Callable[[int, int, dict], None] | None = None,
) -> list[dict]:
    """Grade jobs and write the gradebook and the notebooks for formgrader; returns the results.

    Whatever stops this in between, the same call continues it: results are in the journal before anything
    else, and writing them into the gradebook a second time changes nothing.
    """
    gradebook.save_students(course)
    results: list[dict] = []
    faults: list[str] = []
    in_parts = read_rules(course).in_parts
    with gradebook.opened(course) as book:
        for result in grade_batch(
            todo, n_jobs, course.journal, cluster, again, progress, limits=limits, unsafe=unsafe
        ):
            result = _completed(course, result, in_parts)
            with layout.one_students(result["student"], faults):
                when, _ = handed_in(course, result["student"], result["chapter"])
                nb = autograded(course, result)
                changed = _changed(course, result, nb)
                gradebook.write_result(book, result, when, changed)
                _write_autograded(course, result, nb, when)  # last: until it is there, a change is seen again
                results.append(result)
    layout.tell(faults)
    return results


def grade_tries(course: Course, todo: list[dict], *options: Any, **more: Any) -> None:
    """Grade every try of these jobs' students, into the journal alone, and let the best one count."""
    tries = [
        job | {"file": str(path)}
        for job in todo
        for path in try_files(course, job["student"], job["chapter"])
    ]
    scores: dict[tuple[str, str], dict[str, float]] = {}
    in_parts = read_rules(course).in_parts
    for result in grade_batch(tries, *options, **more):
        theirs = scores.setdefault((result["student"], result["chapter"]), {})
        theirs[result["sha256"]] = _completed(course, result, in_parts)["score"]
    for (student, chapter), theirs in scores.items():
        settle_best(course, student, chapter, theirs)


def latest(course: Course, chapter: str) -> dict[str, dict]:
    """The result of each student for a chapter: the one that the gradebook has.

    Where it is not known which that is, the one of the try that counts, else the last one.
    """
    found: dict[str, dict[str, dict]] = {}
    for result in every_result(course.journal):
        if result["chapter"] == chapter:
            versions = found.setdefault(result["student"], {})
            versions.pop(result["sha256"], None)
            versions[result["sha256"]] = result
    in_parts = read_rules(course).in_parts
    counting = {student: _counting(course, chapter, student, v) for student, v in found.items()}
    return {student: _completed(course, result, in_parts) for student, result in counting.items()}


def _counting(course: Course, chapter: str, student: str, versions: dict[str, dict]) -> dict:
    """Of the graded versions the one in the gradebook, else the one in ``submitted/`` now, else the last."""
    last = list(versions.values())[-1]
    if len(versions) == 1:
        return last
    entered = versions.get(_entered(course, chapter, student) or None)
    return entered or versions.get(content_of(course.notebook("submitted", chapter, student)), last)


def _entered(course: Course, chapter: str, student: str) -> str:
    """The content whose result the gradebook has, as `grade` notes beside what formgrader shows."""
    path = course.notebook("autograded", chapter, student).with_name(ENTERED)
    try:
        return path.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


ENTERED = "graded.txt"


def _completed(course: Course, result: dict, in_parts: frozenset[str]) -> dict:
    """The result with all free answers, also those of a submission that could not be read, and with the
    points for parts of an answer."""
    ids = [entry.grade_id for entry in asked(course, result["chapter"]).texts]
    texts = {id: result["texts"].get(id, "") for id in ids}
    entries = {id: in_shares(course, entry, in_parts) for id, entry in result["exercises"].items()}
    score = sum(entry["points"] for entry in entries.values())
    return result | {"exercises": entries, "texts": texts, "score": score}


def in_shares(course: Course, entry: dict, in_parts: frozenset[str]) -> dict:
    """An exercise's entry, with a share of its points for each value that is right, if it gives any."""
    parts = entry.get("parts")
    if not parts:
        return entry
    if entry["exercise"] not in in_parts and not exercises.get(entry["exercise"], course.exercises).parts:
        return entry
    return entry | {"points": round(entry["max_points"] * sum(parts.values()) / len(parts), 2)}


def ungraded(course: Course, chapter: str) -> tuple[list[str], list[str]]:
    """The students of whom nothing has been graded yet, and those of whom something else was."""
    results, known = latest(course, chapter), {s.id for s in course.students()}
    graded = {student: result["sha256"] for student, result in results.items()}
    tried = _tried_but_not_graded(course, chapter) if read_rules(course).best else set()
    never, stale = [], []
    for path in _submitted(course, chapter):
        student = path.parent.parent.name
        if student in known and student not in graded:
            never.append(student)
        elif student in known and (graded[student] != content_of(path) or student in tried):
            stale.append(student)
    return never, stale


def _tried_but_not_graded(course: Course, chapter: str) -> set[str]:
    """Who has a try that has not been graded, where the best one is to count."""
    results = every_result(course.journal)
    graded = {(r["student"], r["sha256"]) for r in results if r["chapter"] == chapter}
    found = set()
    for path in _submitted(course, chapter):
        student = path.parent.parent.name
        with contextlib.suppress(CourseError):  # a damaged list: `collect` says so
            tried = {(student, one.sha256) for one in read_tries(course, student, chapter)}
            found |= {student} if tried - graded else set()
    return found


def content_of(path: Path) -> str:
    """The digest of a submission's file, as a result has it; nothing where it cannot be read."""
    try:
        status = path.lstat()
    except OSError:
        return ""
    return _content(path, status.st_ino, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=10_000)  # a command asks for each file several times
def _content(path: Path, *version: int) -> str:
    try:
        return digest(read_bytes(path))
    except Unreadable:
        return ""


def summary(course: Course, results: list[dict], chapters: list[str], known: list[str]) -> list[str]:
    """How the batch went, as lines: statuses, what needs a look, who of ``known`` is missing."""
    count = Counter(sorted(result["status"] for result in results))  # equally many stand by name
    lines = [f"{number:>5}  {status}" for status, number in count.most_common()]
    for result in sorted(results, key=lambda r: (r["chapter"], r["student"])):  # they end in any order
        if result["status"] != "graded":
            lines.append(
                f"{result['student']}, {result['chapter']}: {result['status']}: {result['reason']}"[:300]
            )
    rules, roster = read_rules(course), {s.id for s in course.students()}
    for chapter in chapters:
        there = {path.parent.parent.name for path in _submitted(course, chapter)}
        teams = {rules.team(id, chapter) for id in there} - {""}
        missing = [id for id in known if id not in there and rules.team(id, chapter) not in teams]
        if missing:
            lines.append(f"{chapter}: nothing from {', '.join(missing)}")
        if strangers := sorted(there - roster):
            lines.append(f"{chapter}: not in students.csv, so not graded: {', '.join(strangers)}")
        grades = gradebook.grades(course, chapter)
        if waiting := sum(bool(grades[id]["waiting"]) for id in known if id in grades):
            lines.append(f"{chapter}: {waiting} wait for points by hand, in formgrader")
    return lines


# --- what formgrader shows ----------------------------------------------------------------------------------


def verdict_card(course: Course, entry: dict):
    """The card of an exercise's entry in a result."""
    status = {"ok": "ok", "undone": "undone"}.get(entry["status"], "wrong")
    message = entry["message"] or {"missing": "There is no answer."}.get(entry["status"], "")
    rows = tuple((label, text) for label, text in entry["rows"])
    verdict = Verdict(status, "", message, entry["misconception"], entry["hint"], rows, tuple(entry["notes"]))
    more = {key: entry.get(key, "") for key in ("how", "right")}  # a journal of an older kit has neither
    verdict = replace(verdict, **more, says=tuple(entry.get("says", ())))
    most = entry["max_points"]  # the course's notebook may give another number than the exercise's own
    exercise = exercises.get(entry["exercise"], course.exercises)
    return card(replace(exercise, points=int(most) if most == int(most) else most), verdict)


def autograded(course: Course, result: dict):
    """The notebook that formgrader shows: the released one with the student's answers and our verdicts.

    Nothing else of the submission is in it, so nothing can run in the instructor's browser: code and free
    text are shown as they were typed, and the outputs are ours.
    """
    from nbformat.v4 import new_output

    chapter, path = result["chapter"], course.notebook("release", result["chapter"])
    nb = copy.deepcopy(_released(course, chapter, path.stat().st_mtime_ns))
    chapter_asks = asked(course, chapter)
    answers = _answers(course, chapter_asks, chapter, result["student"])
    checks = {a.answer_id: a.check_id for a in chapter_asks.asked}
    by_hand = {entry.answer_id: entry for entry in chapter_asks.texts}
    for cell in nb.cells:
        grade_id = grade_id_of(cell)
        if grade_id in checks:
            at = answers.found.get(checks[grade_id]) if answers else None
            cell.source = answers.cells[at].source if at is not None else "# no answer was found"
        elif grade_id in by_hand:
            _show_by_hand(course, chapter, cell, by_hand[grade_id], result, answers)
        elif grade_id in result["exercises"]:
            shown = verdict_card(course, result["exercises"][grade_id])
            data = {"text/html": shown._repr_html_(), "text/plain": repr(shown)}
            cell.outputs = [new_output("display_data", data)]
    return nb


def _show_by_hand(course, chapter, cell, entry, result, answers) -> None:
    text = result["texts"].get(entry.grade_id, "")
    if cell.cell_type == "code":
        cell.source = text if text.strip() else "# no answer was found"
    else:
        task = _task(course, chapter, entry.grade_id, cell.source) if entry.kind == "task" else ""
        cell.source = f"{task}\n\n{as_typed(text)}".lstrip("\n")
    pictures.show(cell, list(answers.pictures[entry.grade_id]) if answers else [])


def _task(course, chapter, grade_id, released) -> str:
    """The text of a task with its mark scheme, for who marks it."""
    with contextlib.suppress(CourseError):
        for cell in gradebook.read_notebook(course.notebook("source", chapter)).cells:
            if grade_id_of(cell) == grade_id:
                return cell.source
    return released


@functools.lru_cache(maxsize=16)
def _released(course: Course, chapter: str, mtime: int):
    return gradebook.read_notebook(course.notebook("release", chapter))


def _answers(course, chapter_asks, chapter, student):
    try:
        cells = read_cells(read_bytes(course.notebook("submitted", chapter, student)))
    except Unreadable:
        return None
    return find_answers(cells, chapter_asks)


def as_typed(text: str) -> str:
    """Markdown that shows a text as it was typed: no HTML, link, picture or formula in it comes to life."""
    if not text.strip():
        return "(no answer)"
    lines = [part for line in text.split("\n") for part in textwrap.wrap(line, 100) or [""]]
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", text)), 3)
    return "\n".join([f"{fence}text", *lines, fence])


def shown_answers(course: Course, chapter: str, student: str) -> dict[str, dict]:
    """nbgrader's id of each answer cell -> the cell with what the student wrote, as of the last grading."""
    try:
        nb = read_file(course.notebook("autograded", chapter, student))
    except ChapterError:
        return {}
    return {grade_id_of(cell): cell for cell in nb["cells"] if grade_id_of(cell)}


def _changed(course: Course, result: dict, nb) -> set[str]:
    """Ids of the graded cells whose answers are not those that formgrader has shown until now."""
    chapter, before = result["chapter"], shown_answers(course, result["chapter"], result["student"])
    now = {grade_id_of(cell): cell for cell in nb.cells if grade_id_of(cell)}
    wanted = asked(course, chapter)
    pairs = {a.check_id: a.answer_id for a in wanted.asked} | {a.grade_id: a.answer_id for a in wanted.texts}

    def content(cell):
        return cell["source"], pictures.shown(cell)

    return {id for id, a in pairs.items() if a in before and content(before[a]) != content(now[a])}


def _write_autograded(course: Course, result: dict, nb, when: datetime | None) -> None:
    import nbformat

    path = course.notebook("autograded", result["chapter"], result["student"])
    write_whole(path.with_name(ENTERED), result["sha256"].encode())
    write_whole(path, nbformat.writes(nb).encode("utf-8", "replace"))
    if when:
        write_whole(path.parent / "timestamp.txt", when.strftime(STAMP).encode())
