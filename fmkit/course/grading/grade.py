"""Grade one submission: find its answers, run them in the sandbox, judge what came out here.

The result of `grade_submission` is one dict of JSON's own types, without control characters but newline and
tab:

``student``, ``chapter``, ``file``
    As given.
``sha256``
    Of the submission's bytes; empty when they could not be read.
``status``
    The worst that happened: ``unreadable``, ``tampered``, ``crashed``, ``timeout``, ``partly graded`` (an
    answer is missing), or ``graded``.
``reason``
    One line; empty when graded.
``seconds``
    On the wall clock.
``score``, ``max_score``
    Of the exercises that are graded by machine. The score counts whatever could be graded, in every status.
``exercises``
    Id of the check cell -> ``exercise`` (its id), ``title``, ``status`` (``ok``, ``wrong``, ``undone``,
    ``missing``, ``timeout``, ``crashed`` or ``tampered``), ``points``, ``max_points``, ``seconds``, and what
    the verdict says: ``misconception``, ``hint``, ``message``, ``how``, ``right``, the lists ``known``,
    ``says`` and ``notes``, and ``rows`` (a list of [label, text]). Of a wrong answer that returns several
    values also ``parts``: name of each -> whether it is right; the course says whether they give points.
``texts``
    nbgrader's id of a manually graded answer -> its markdown, as the learner wrote it.

Every text in it may come from the learner: escape it before it goes into a page.
"""

import ast
import functools
import hashlib
import inspect
import re
import signal
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

from fmkit.course.chapter import Asked, read_chapter
from fmkit.course.grading import outcomes as read
from fmkit.course.ipython import as_python
from fmkit.course.sandbox import slicing, staging, stepping
from fmkit.course.sandbox.process import DEFAULT, MB, Limits, Sandbox, WorkerLost
from fmkit.course.submission import (
    Answers,
    Cell,
    Unreadable,
    digest,
    find_answers,
    python_of,
    read_bytes,
    read_cells,
)
from fmkit.lab import exercises
from fmkit.lab.judging import own, wire
from fmkit.lab.judging.exercise import Exercise
from fmkit.lab.judging.judge import HARMLESS, SEARCH, Verdict, barred_names, judge, known_outcomes, make_cases
from fmkit.lab.judging.parts import right_parts
from fmkit.lab.judging.wire import WireError

WORST_FIRST = ("tampered", "crashed", "timeout", "missing")
_OF_SUBMISSION = {"missing": "partly graded"}
_WORDS = ("misconception", "hint", "message", "how", "right")
_EMPTY = dict.fromkeys(_WORDS, "") | {"known": [], "says": [], "rows": [], "notes": [], "seconds": 0.0}


def grade_submission(
    submission: str | Path | bytes,
    chapter_notebook: str | Path,
    seed: int,
    *,
    student: str = "",
    chapter: str = "",
    file: str = "",
    limits: Limits = DEFAULT,
    unsafe: bool = False,
) -> dict:
    """Grade a submission.

    Parameters
    ----------
    submission : path or bytes
        The learner's notebook.
    chapter_notebook : path
        The instructor's, with or without solutions: what is asked, and for how many points.
    seed : int
        Of the inputs; a secret of the run.
    student, chapter, file : str
        Carried into the result.
    limits : Limits
    unsafe : bool
        Without the sandbox.

    Returns
    -------
    dict
        See the module's docstring.

    Raises
    ------
    SandboxError
        When there is no sandbox. Whatever a submission does, it raises nothing.
    ChapterError, OSError
        When the chapter's notebook cannot be read.
    """
    began, asked = time.monotonic(), read_chapter(chapter_notebook)
    result = {"student": student, "chapter": chapter, "file": file or _name(submission), "sha256": ""}
    try:
        data = submission if isinstance(submission, bytes) else read_bytes(submission)
        result["sha256"] = digest(data)
        answers = find_answers(read_cells(data), asked)
    except Unreadable as error:
        graded = {a.check_id: _entry(a, "missing") for a in asked.asked}
        result |= {"status": "unreadable", "reason": read.tidy(str(error)), "texts": {}}
        return _finish(result, graded, began)
    with _Grader(answers, data, asked.given, seed, limits, unsafe) as grader:
        graded = {a.check_id: grader.grade(a) for a in asked.asked}
    status, reason = _status(graded)
    texts = {name: read.tidy(text, 100_000) for name, text in answers.texts.items()}
    return _finish(result | {"status": status, "reason": reason, "texts": texts}, graded, began)


def _name(submission) -> str:
    return "" if isinstance(submission, bytes) else str(submission)


def _finish(result, graded, began) -> dict:
    keys = ("student", "chapter", "file", "sha256", "status", "reason")
    first = {key: result[key] for key in keys}
    score, most = (sum(entry[key] for entry in graded.values()) for key in ("points", "max_points"))
    seconds = round(time.monotonic() - began, 3)
    first |= {"seconds": seconds, "score": score, "max_score": most, "exercises": graded}
    return first | {"texts": result["texts"]}


def _status(graded) -> tuple[str, str]:
    for status in WORST_FIRST:
        if some := [entry for entry in graded.values() if entry["status"] == status]:
            words = "; ".join(f"{entry['exercise']}: {entry['message']}" for entry in some)
            return _OF_SUBMISSION.get(status, status), read.tidy(words.replace("\n", " "))
    return "graded", ""


def _prepared(asked: Asked, seed: int):
    """The exercise, its inputs for this seed, and what the reference and the known mistakes do on them."""
    with _one_at_a_time:  # it redirects what is printed, for the whole process
        return _prepare(exercises.get(asked.exercise, asked.own), seed)


_one_at_a_time = threading.Lock()


@functools.lru_cache(maxsize=256)
def _prepare(exercise: Exercise, seed: int):
    seed = int.from_bytes(hashlib.sha256(f"{seed} {exercise.id}".encode()).digest()[:8], "little")
    cases = make_cases(exercise, seed)
    return exercise, cases, known_outcomes(exercise, cases)


def _entry(asked: Asked, status: str, **more: Any) -> dict:
    points = asked.points if status == "ok" else 0.0
    title = exercises.get(asked.exercise, asked.own).title
    named = {"exercise": asked.exercise, "title": title, "status": status}
    return {**named, "points": points, "max_points": asked.points, **_EMPTY, **more}


class _Grader:
    """Grades the exercises of one submission; starts a new sandbox where one was lost."""

    def __init__(
        self,
        answers: Answers,
        data: bytes,
        given: frozenset[str],
        seed: int,
        limits: Limits,
        unsafe: bool,
    ):
        self.answers = answers
        self.data = data
        self.given = given
        self.seed = seed
        self.limits = limits
        self.unsafe = unsafe
        self.sandbox: Sandbox | None = None
        self.errors: list[str] = []
        self.newer = ""
        self.used = 0.0  # seconds, in sandboxes that are gone

    def __enter__(self) -> "_Grader":
        return self

    def __exit__(self, *error: Any) -> None:
        if self.sandbox:
            self.used += self.sandbox.clock.used
            self.sandbox.__exit__()
            self.sandbox = None

    def grade(self, asked: Asked) -> dict:
        """The verdict on one exercise."""
        notes = self.answers.notes[asked.check_id]
        if asked.check_id not in self.answers.found:
            message = f"There is no answer: no cell defines {asked.function}."
            return _entry(asked, "missing", message=message, notes=notes)
        began = time.monotonic()
        try:
            entry = self._try(asked)
        except WorkerLost as lost:
            self.__exit__()
            status = "timeout" if lost.kind == "timeout" else "crashed"
            entry = _entry(asked, status, message=f"It was stopped: {lost}.")
        except WireError as error:
            entry = _entry(asked, "crashed", message=f"What it sent back is not a result: {error}.")
        except (AttributeError, KeyError, LookupError, TypeError, ValueError) as error:
            # what a child sends is the learner's to choose: nothing in it may cost the other exercises
            entry = _entry(
                asked, "crashed", message=f"What it sent back cannot be read ({type(error).__name__})."
            )
        if self.newer and entry["status"] not in ("ok", "missing"):
            notes = [*notes, f"Some cells cannot be read here: {self.newer}."]
        return entry | {"notes": [*entry["notes"], *notes], "seconds": round(time.monotonic() - began, 3)}

    def _try(self, asked: Asked) -> dict:
        exercise, cases, known = _prepared(asked, self.seed)
        reply = self._run(asked, exercise, cases, everything=False)
        if _lacks_a_name(reply):  # the statements that it needs were not all found by reading
            again = self._run(asked, exercise, cases, everything=True)
            reply = again if again["how"] == "done" and "outcomes" in again["value"] else reply
        if reply["how"] != "done":
            return self._ended(asked, reply)
        value = reply["value"]
        if type(value) is not dict:
            raise WireError("it is not a dict")
        if value.get("missing"):
            error = self.errors[self.answers.found[asked.check_id]]
            if error and self.newer:
                message = f"The cell cannot be read: {self.newer}: {read.tidy(error, 300)}."
                return _entry(asked, "missing", message=message)
            return _entry(asked, "wrong", **self._why_missing(asked, value))
        outcomes = read.outcomes_from(value.get("outcomes"), cases)
        if any(o.failure and o.failure.type == "MemoryError" for o in outcomes):
            message = f"It took more memory than is allowed ({self.limits.memory // MB} MB)."
            return _entry(asked, "crashed", message=message)
        modules = _texts(value.get("modules"))
        which = [asked.exercise, own.digest(asked.exercise, asked.own)]
        key = wire.encode([*which, self.seed, value["outcomes"], modules])
        verdict, parts = _judged(hashlib.sha256(key).digest(), exercise, cases, outcomes, modules, known)
        used = [m for m in _texts(value.get("used")) if m.split(".")[0] in staging.installed()]
        if used or verdict.kind == "module":
            return self._not_allowed(asked, used or barred_names(exercise, modules), outcomes)
        entry = _judgement(asked, verdict)
        if verdict.status == "ok":
            ways = set(_texts(value.get("ways"))) & _told(exercise.reference)
            entry["notes"] += map(stepping.note, sorted(ways))
        return entry | ({"parts": parts} if parts else {})

    def _run(self, asked, exercise, cases, everything) -> dict:
        here = self.sandbox.clock.used if self.sandbox else 0.0
        left = self.limits.submission_seconds - self.used - here
        if left <= 0:
            raise WorkerLost(
                "timeout", f"the {self.limits.submission_seconds:g} s of the submission are used up"
            )
        sandbox = self._ready(exercise.allowed, left)
        seconds = min(self.limits.seconds, left)
        question = {"target": self.answers.found[asked.check_id], "function": asked.function, "cases": cases}
        question |= {"seconds": seconds, "everything": everything}
        return sandbox.ask(question, seconds + 2)

    def _ready(self, allowed, left) -> Sandbox:
        """A sandbox with the cells in it, in which these modules may be used."""
        wanted = tuple(sorted({*allowed, *HARMLESS}))
        if self.sandbox and self.sandbox.allowed != wanted:
            self.__exit__()
        if not self.sandbox:
            self.sandbox = Sandbox(self.limits, allowed, self.unsafe).__enter__()
            sources = as_python([cell.source for cell in self.answers.cells])
            cells = [
                self._cell(i, cell, source)
                for i, (cell, source) in enumerate(zip(self.answers.cells, sources, strict=True))
            ]
            seconds = min(self.limits.seconds, left)
            self.errors = self.sandbox.ask({"cells": cells, "seconds": seconds}, 3 * seconds + 5)["errors"]
            self.newer = _newer(python_of(self.data)) if any(self.errors) else ""
        return self.sandbox

    def _cell(self, number, cell, source) -> dict:
        """What the worker is told of a cell; of one as it was handed out also what it binds and uses."""
        given = cell.source.strip() in self.given
        told = {"name": cell.grade_id or f"cell {number}", "source": source, "given": given}
        return told | ({"facts": _facts(source)} if given else {})

    def _ended(self, asked, reply) -> dict:
        if reply["how"] == "timeout":
            message = f"It was stopped: no answer within {self.limits.seconds:g} s."
            return _entry(asked, "timeout", message=message)
        if reply["how"] == "garbage":
            return _entry(asked, "crashed", message="What it sent back is not a result.")
        if reply["how"] == "large":
            return _entry(asked, "crashed", message="It sent back more than is allowed.")
        code = reply.get("code", 0)
        how = f"by the signal {_signal(-code)}" if code < 0 else f"by itself, with exit code {code}"
        return _entry(asked, "crashed", message=f"Its process was ended {how}.")

    def _why_missing(self, asked, value) -> dict:
        error = self.errors[self.answers.found[asked.check_id]]
        if error:
            source = self.answers.cells[self.answers.found[asked.check_id]].source
            return {"message": f"The cell is not Python: {read.tidy(error, 300)}.{_foreign(source)}"}
        if value.get("why") is None:
            return {"message": f"The cell does not define a function called {asked.function}."}
        failure = read.failure_from(value["why"])
        rows = [
            ["exception", f"{failure.type}: {failure.message}"],
            ["line", f"{failure.line}: {failure.code}"],
        ]
        return {"message": f"The cell raises {failure.type} before it defines the function.", "rows": rows}

    def _not_allowed(self, asked, names, outcomes) -> dict:
        """It uses what it may not: wrong, or tampered where it reaches for answers or the judge."""
        names = sorted({read.tidy(name, 100) for name in names})
        failed = [o.failure for o in outcomes if o.failure and o.failure.type == "Barred"]
        line, code = next(filter(self._is_theirs, ((f.line, f.code) for f in failed)), (0, ""))
        if not line:
            line, code = self._line(asked, names)
        at = f"line {line}: {code}" if line else "no line of it names that"
        message = f"It uses {', '.join(names)}, which this exercise does not allow ({at})."
        status = "tampered" if any(name.startswith(_ANSWERS) for name in names) else "wrong"
        return _entry(asked, status, message=message, rows=[["line", f"{line}: {code}"]] if line else [])

    def _own_cells(self) -> list[Cell]:
        """The learner's: those that the chapter does not have."""
        return [cell for cell in self.answers.cells if cell.source.strip() not in self.given]

    def _is_theirs(self, place: tuple[int | None, str]) -> bool:
        """Whether this line stands in a cell of the learner's; what has another name fails in ours."""
        line, code = place
        lines = (cell.source.splitlines()[(line or 0) - 1 : line] for cell in self._own_cells())
        return bool(line) and any(found and found[0].strip()[:200] == code for found in lines)

    def _line(self, asked, names) -> tuple[int, str]:
        """The line of the answer's cell that uses one of the names, or of any that names its package."""
        own = self.answers.cells[self.answers.found[asked.check_id]]
        for part, cells in ((-1, [own]), (0, [own, *self._own_cells()])):
            words = "|".join(re.escape(name.split(".")[part]) for name in names)
            for cell in cells:
                for number, line in enumerate(cell.source.splitlines(), start=1):
                    if re.search(rf"\b(?:{words})\b", line):
                        return number, read.tidy(line.strip(), 200)
        return 0, ""


@functools.lru_cache(maxsize=4096)
def _facts(source: str) -> dict:
    """Of a cell of the instructor's own, the same in every submission."""
    return slicing.scan(source)


_FOREIGN = {
    r"[ \t]*(?:```|~~~)": "a fence of Markdown: take out what is not Python around the code",
    r"<{7}(?: |$)": "a mark of git's: two versions were never merged",
}


def _foreign(source: str) -> str:
    """Words on a line of a cell that is no Python, where it is of a kind that is known."""
    for number, line in enumerate(source.splitlines(), start=1):
        for pattern, words in _FOREIGN.items():
            if re.match(pattern, line):
                return f" Line {number} is {words}."
    return ""


def _newer(python: tuple[int, int] | None) -> str:
    """Words on a notebook of a newer Python than this one, else nothing."""
    ours = sys.version_info[:2]
    if not python or python <= ours:
        return ""
    theirs, here = (".".join(map(str, version)) for version in (python, ours))
    return f"it was written with Python {theirs}, and Python {here} grades here"


@functools.cache
def _told(reference) -> set[str]:
    """Which ways to differentiate are told: not those that the exercise asks for."""
    asked = stepping.ways(ast.parse(textwrap.dedent(inspect.getsource(reference))).body)
    return {stepping.COMPLEX, stepping.FINITE} - asked


def _lacks_a_name(reply) -> bool:
    value = reply.get("value")
    if reply["how"] != "done" or type(value) is not dict:
        return False
    outcomes = value.get("outcomes")
    failures = [o.get("failure") for o in outcomes if type(o) is dict] if type(outcomes) is list else []
    failures.append(value.get("why"))
    named = any(type(f) is dict and f.get("type") == "NameError" for f in failures)
    return named or bool(value.get("missing"))


def _texts(sent) -> list[str]:
    if type(sent) is not list or len(sent) > 100 or any(type(text) is not str for text in sent):
        raise WireError("the modules used are not a list of names")
    return sent


# these lead to the right answers and the judge
_ANSWERS = ("fmkit.lab.exercises", "fmkit.lab.judging", "fmkit.lab.proof", "fmkit.course", "importlib")


def _signal(number) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


# many in a class make the same mistake: its name is looked for once
_verdicts: dict[bytes, tuple[Verdict, dict[str, bool]]] = {}


def _judged(key, exercise, cases, outcomes, modules, known) -> tuple[Verdict, dict[str, bool]]:
    """The verdict, and which returned values of a wrong answer are right."""
    if key not in _verdicts:
        if len(_verdicts) > 10_000:
            _verdicts.clear()
        try:
            verdict, parts = judge(exercise, cases, outcomes, modules, known, SEARCH), {}
            if verdict.status == "wrong":
                parts = right_parts(exercise, cases, known.reference, outcomes, modules)
            _verdicts[key] = verdict, parts
        except Exception as error:  # values of a form that nobody thought of: they cost only this answer
            raise WireError(f"it cannot be judged ({type(error).__name__})") from None
    return _verdicts[key]


def _judgement(asked: Asked, verdict: Verdict) -> dict:
    status = "timeout" if verdict.kind == "timeout" else verdict.status
    rows = [[read.tidy(label, 100), read.tidy(text, 1000)] for label, text in verdict.rows]
    words = {key: read.tidy(getattr(verdict, key), 1000) for key in _WORDS}
    says = [read.tidy(sentence, 500) for sentence in verdict.says]
    notes = [read.tidy(note, 500) for note in verdict.notes]
    return _entry(asked, status, **words, known=list(verdict.known), says=says, rows=rows, notes=notes)
