"""What a learner has solved, and in how many minutes: one small file in their folder, never sent anywhere.

The file is ``.fmkit/progress.json`` in the notebook's folder. Whatever happens to it
(unreadable, damaged, a full disk), checks go on. The environment variable ``FMKIT_PROGRESS=session`` keeps
the record in memory.
"""

import contextlib
import json
import math
import os
import time
from pathlib import Path

from fmkit._files import locked, write_whole
from fmkit.lab import exercises
from fmkit.lab.cards import MINUTES, Card, in_notebook, put
from fmkit.lab.judging.exercise import Exercise

_session: dict = {}  # the record while none is written
NEITHER = 'Write "yes" or "no", in quotation marks and in small letters, and run this cell again.'
LONGEST = 20.0  # minutes that count at most from one check to the next: the rest is taken for a break
_clock = {"last": time.monotonic()}  # when a check was last run in this kernel, or the kernel began


def record(exercise: Exercise, solved: bool) -> str:
    """Count one try, and the minutes since the check before it, until the exercise is solved.

    Returns
    -------
    str
        Empty, or one sentence that says why the record could not be written.
    """

    minutes = _minutes_passed()

    def add(done: dict) -> None:
        entry = done.setdefault(exercise.id, {"tries": 0, "solved": False})
        if not entry["solved"]:
            entry["minutes"] = round(entry.get("minutes", 0) + minutes, 2)
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
    """The record: exercise id -> ``{"tries": int, "solved": bool, "minutes": float}``.

    Of a record that an older kit has begun the minutes may be missing.
    """
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


def share_minutes(answer: str = "", *topics: str) -> None:
    """Say whether those who teach may know how many minutes each exercise took you.

    With "yes" the output of this cell shows them and holds them, for as long as it stands in the notebook
    that you hand in: a whole number for each exercise, no time of day, nothing else. With "no" nothing is
    in it, nor with anything else, and then a card says what to write. They are no part of the mark.

    Parameters
    ----------
    answer : str
        ``"yes"`` or ``"no"``.
    topics : str
        Of which exercises: the first part of their names, such as ``"backprop"``; without any, of all.
    """
    if not isinstance(answer, str) or answer not in ("yes", "no"):
        put(Card("neutral", "Not shared", "", "minutes: not shared", (("", NEITHER),)))
        return
    minutes = {
        id: max(1, round(entry["minutes"]))
        for id, entry in done().items()
        if "minutes" in entry and (not topics or id.split(".")[0] in topics)
    }
    shown = _minutes_card(answer == "yes", minutes)
    if answer == "yes" and minutes and in_notebook():
        from IPython.display import display

        html, plain = shown._repr_html_(), repr(shown)
        display({"text/html": html, "text/plain": plain, MINUTES: minutes}, raw=True)
    else:
        put(shown)


def _minutes_card(shared: bool, minutes: dict[str, int]) -> Card:
    """What is shared, as a table; else only how much there would be, for an output is handed in, too."""
    word = "Not shared"
    if shared:
        word = "Shared, once you save and hand in" if minutes else "Nothing to share yet"
    line = f"minutes: {word.lower()}"
    if not minutes:
        text = "No check of these exercises has been run here yet, so there are no minutes."
        text += " Run this cell again when you have worked on them." if shared else ""
    elif shared:
        text = "This is all that is shared. After more work, run this cell again; "
        text += 'to take it back, write "no", run the cell and hand in again.'
    else:
        count = f"{len(minutes)} exercise{'' if len(minutes) == 1 else 's'}"
        text = f'With "yes" a table with a whole number of minutes for {count} would stand here, and no more.'
    if not minutes or not shared:
        return Card("neutral", word, "", line, (("", text),))
    rows = tuple((id, str(number)) for id, number in minutes.items())
    return Card("neutral", word, "", line, (("", text),), header=("exercise", "minutes"), table=rows)


def _minutes_passed() -> float:
    now = time.monotonic()
    passed, _clock["last"] = (now - _clock["last"]) / 60, now
    return min(passed, LONGEST)


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
        isinstance(e, dict)
        and isinstance(e.get("tries"), int)
        and isinstance(e.get("solved"), bool)
        and isinstance(e.get("minutes", 0), int | float)
        and 0 <= e.get("minutes", 0) < math.inf
        for e in data["exercises"].values()
    )
