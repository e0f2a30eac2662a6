"""What a learner has solved: one small file in their own folder, never sent anywhere.

The file is ``.fmkit/progress.json`` in the notebook's folder. Whatever happens to it
(unreadable, damaged, a full disk), checks go on. The environment variable ``FMKIT_PROGRESS=session`` keeps
the record in memory.
"""

import contextlib
import json
import os
import time
from pathlib import Path

from fmkit._files import locked, write_whole
from fmkit.lab import exercises
from fmkit.lab.cards import Card, put
from fmkit.lab.judging.exercise import Exercise

_session: dict = {}  # the record while none is written


def record(exercise: Exercise, solved: bool) -> str:
    """Count one try.

    Returns
    -------
    str
        Empty, or one sentence that says why the record could not be written.
    """

    def add(done: dict) -> None:
        entry = done.setdefault(exercise.id, {"tries": 0, "solved": False})
        entry["tries"] += 1
        entry["solved"] = entry["solved"] or solved

    if _in_memory():
        add(_session)
        return ""
    try:
        folder = _folder()
        with contextlib.ExitStack() as held:
            with contextlib.suppress(OSError):  # held by another notebook for a second, or no locks here
                held.enter_context(locked(folder / "lock", 1.0))
            done = _read(folder)
            add(done)
            text = json.dumps({"version": 1, "exercises": done}, indent=1)
            write_whole(folder / "progress.json", text.encode())
    except OSError as error:
        return f"Your progress could not be saved: {error.strerror or error}."
    return ""


def done() -> dict:
    """The record: exercise id -> ``{"tries": int, "solved": bool}``."""
    if _in_memory():
        return _session
    try:
        return _read(Path.cwd() / ".fmkit")
    except OSError:
        return {}


def progress() -> None:
    """Show what is solved, chapter by chapter."""
    put(table(exercises.every_here(), done()))


def table(every: list[Exercise], done: dict) -> Card:
    """The card of `progress`: exercises and points, solved and in all, of each chapter."""
    solved = [e for e in every if done.get(e.id, {}).get("solved")]
    chapters = sorted({e.chapter for e in every})

    def row(name: str, some: list, whole: list) -> tuple[str, str, str]:
        points = f"{sum(e.points for e in some)} of {sum(e.points for e in whole)}"
        return name, f"{len(some)} of {len(whole)}", points

    def of(chapter: str, exercises: list) -> list:
        return [e for e in exercises if e.chapter == chapter]

    rows = [row(c, of(c, solved), of(c, every)) for c in chapters]
    rows.append(row("all", solved, every))
    header = ("chapter", "solved", "points")
    return Card("neutral", "Your progress", "", "your progress", header=header, table=tuple(rows))


def _in_memory() -> bool:
    # pytest sets its variable for all processes that it starts, nbval's kernels too: they write nothing
    return os.environ.get("FMKIT_PROGRESS") == "session" or "PYTEST_VERSION" in os.environ


def _folder() -> Path:
    folder = Path.cwd() / ".fmkit"
    folder.mkdir(exist_ok=True)
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n")  # the folder keeps itself out of git
    return folder


def _read(folder: Path) -> dict:
    """The record of a folder; a damaged file is renamed and an empty record begins."""
    file = folder / "progress.json"
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        if not _is_sound(data):
            raise ValueError("not a record of progress")
        return data["exercises"]
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):  # also broken UTF-8
        with contextlib.suppress(OSError):
            file.replace(folder / f"progress.damaged-{time.time_ns()}.json")
        return {}


def _is_sound(data) -> bool:
    if not isinstance(data, dict) or not isinstance(data.get("exercises"), dict):
        return False
    return all(
        isinstance(e, dict) and isinstance(e.get("tries"), int) and isinstance(e.get("solved"), bool)
        for e in data["exercises"].values()
    )
