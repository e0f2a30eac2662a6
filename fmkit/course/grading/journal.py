"""The journal of a grading run: one line of JSON for each result, only ever appended, each on disk before it
counts.

A run that is killed at any moment continues from its journal: what is in it is not graded again; a line that
was cut off is. The first line holds the run's secret seed, so that a continued run makes the same inputs.
"""

import contextlib
import json
import os
import re
import secrets
from pathlib import Path
from typing import Any

from fmkit._files import locked
from fmkit.errors import JournalError


class Journal:
    """An open journal, as a context manager; one process at a time may have it open.

    Attributes
    ----------
    seed : int
        Of the run.
    done : dict
        Key of a job (a tuple of strings) -> its result.

    Raises
    ------
    JournalError
        When another process has it open, or the file is not a journal.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.seed = 0
        self.done: dict[tuple, dict] = {}

    def __enter__(self) -> "Journal":
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(locked(self.path.with_name(f".{self.path.name}.lock")))
            except TimeoutError:
                raise JournalError(f"another grading run has {self.path} open") from None
            self.fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)  # the seed is a secret
            held.callback(os.close, self.fd)
            lines, whole = _lines(self.fd)
            if whole < os.fstat(self.fd).st_size:
                os.ftruncate(self.fd, whole)  # a line that was cut off: as if it had never been written
            if whole and not (lines and "seed" in lines[0]):
                raise JournalError(f"{self.path} is not the journal of a grading run")
            for line in lines:
                self._take(line)
            if not lines:
                self._append({"seed": _new_seed(), "version": 1})
            self.held = held.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self.held.close()

    def _take(self, line) -> None:
        if "seed" in line:
            self.seed = int(line["seed"], 16)
        for key in line.get("again", ()):
            self.done.pop(tuple(key), None)
        if "result" in line:
            self.done[tuple(line["key"])] = line["result"]

    def _append(self, line: dict) -> None:
        data = json.dumps(line, separators=(",", ":")).encode("ascii") + b"\n"
        view = memoryview(data)
        while view:
            view = view[os.write(self.fd, view) :]
        os.fsync(self.fd)
        self._take(line)

    def add(self, key: tuple, result: dict) -> None:
        """Note a result; it is on disk when this returns."""
        self._append({"key": key, "result": result})

    def begin_again(self, keys: list[tuple]) -> None:
        """Let these jobs be graded again, with another seed. Their old results stay readable until then."""
        self._append({"again": keys, "seed": _new_seed()})


def read_journal(path: str | Path) -> list[dict]:
    """The latest result of each student and chapter, in the order of their first grading; also during a
    run."""
    latest: dict[tuple, dict] = {}
    for result in every_result(path):
        latest[result["chapter"], result["student"]] = result
    return list(latest.values())


def every_result(path: str | Path) -> list[dict]:
    """All results there ever were, in their order."""
    try:
        with open(path, "rb") as file:
            lines, _ = _lines(file.fileno())
    except FileNotFoundError:
        return []
    return [line["result"] for line in lines if "result" in line]


def _lines(fd) -> tuple[list[dict], int]:
    """The whole lines of a journal, and how many bytes they take. A damaged line is left out."""
    with open(os.dup(fd), "rb") as file:
        file.seek(0)
        lines, whole = [], 0
        for raw in file:
            if not raw.endswith(b"\n"):
                break
            whole += len(raw)
            with contextlib.suppress(ValueError):
                line = json.loads(raw)
                lines += [line] if _is_sound(line) else []
    return lines, whole


def _is_sound(line: Any) -> bool:
    """Whether it is a line that `Journal` writes."""
    match line:
        case {"key": list(), "result": {"chapter": str(), "student": str()}}:
            return True
        case {"seed": str(seed)}:
            return re.fullmatch("[0-9a-f]+", seed) is not None
    return False


def _new_seed() -> str:
    return secrets.token_hex(16)
