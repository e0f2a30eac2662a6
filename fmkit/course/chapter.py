"""What a chapter's notebook asks for: its exercises with their points, and its free-text answers.

All of this comes from the instructor's notebook, the one with solutions or the one handed out. What a
submission says about points or tests does not count.
"""

import ast
import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

from fmkit.chapters.read import read
from fmkit.errors import ChapterError
from fmkit.lab.judging.own import folder_above


@dataclass(frozen=True)
class Asked:
    """One exercise as the chapter's notebook has it.

    Attributes
    ----------
    check_id, answer_id : str
        nbgrader's ids of the check cell and of the answer cell.
    cell_id : str
        The answer cell's own id in the notebook.
    exercise : str
        Id of the exercise, from ``check("...", f)``.
    function : str
        Name of the answer's function.
    points : float
    own : Path, optional
        Where the course that the notebook lies in has exercises of its own.
    """

    check_id: str
    answer_id: str
    cell_id: str
    exercise: str
    function: str
    points: float
    own: Path | None = None


@dataclass(frozen=True)
class Chapter:
    """What a notebook asks for.

    Attributes
    ----------
    asked : tuple of Asked
    texts : tuple of (str, str)
        Manually graded answers: nbgrader's id and the cell's own id.
    given : frozenset of str
        Sources of the code cells that are not answers: what they define is the chapter's, not the learner's.
    sha256 : str
        Of the notebook's bytes.
    """

    asked: tuple[Asked, ...]
    texts: tuple[tuple[str, str], ...]
    given: frozenset[str]
    sha256: str


def read_chapter(path: str | Path) -> Chapter:
    """Read a chapter's notebook.

    Raises
    ------
    ChapterError
        When the file is not a notebook of format 4, or a graded cell does not call
        ``check("exercise.id", function)``.
    """
    status = Path(path).stat()
    return _read(str(path), status.st_mtime_ns, status.st_size)


def grade_id_of(cell: dict) -> str:
    """nbgrader's id of a cell, or nothing."""
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


@functools.lru_cache(maxsize=64)
def _read(path, mtime, size) -> Chapter:
    data = Path(path).read_bytes()
    try:
        cells = read(data)["cells"]
    except ValueError as error:
        raise ChapterError(f"{path}: {error}") from error
    asked, texts, answers, given = [], [], [], set()
    for cell in cells:
        meta = cell["metadata"].get("nbgrader", {})
        if (meta.get("solution") or meta.get("grade")) and not grade_id_of(cell):
            raise ChapterError(f"{path}: a cell to grade or to answer has no id of nbgrader's")
        if meta.get("solution") and meta.get("grade"):
            texts.append((meta["grade_id"], cell.get("id", "")))
        elif meta.get("solution"):
            answers.append((meta["grade_id"], cell.get("id", "")))
        elif meta.get("grade"):
            asked.append(_asked(path, cell, meta, answers))
        if cell["cell_type"] == "code" and not meta.get("solution"):
            given.add(cell["source"].strip())
    return Chapter(tuple(asked), tuple(texts), frozenset(given), hashlib.sha256(data).hexdigest())


def _asked(path, cell, meta, answers) -> Asked:
    check_id = meta["grade_id"]
    found = _check(cell["source"])
    if found is None:
        raise ChapterError(
            f'{path}: the graded cell {check_id} does not call check("exercise.id", function). Such cells '
            "are for plain nbgrader, or for a person to grade (solution and grade both true)"
        )
    # its own answer cell by name, else the last one above it
    matching = [a for a in answers if a[0] == check_id.removesuffix("-check")] or answers[-1:]
    if not matching:
        raise ChapterError(f"{path}: there is no answer cell above {check_id}")
    answer_id, cell_id = matching[-1]
    try:
        points = float(meta.get("points", 0))
    except (TypeError, ValueError):
        raise ChapterError(f"{path}: the graded cell {check_id} has no points: enter a number") from None
    return Asked(check_id, answer_id, cell_id, *found, points, folder_above(Path(path)))


def _check(source) -> tuple[str, str] | None:
    """Exercise and function of the first ``check("exercise.id", function)`` in a cell, if there is one."""
    try:
        nodes = ast.walk(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError):
        return None
    for node in nodes:
        match node:
            case ast.Call(
                func=ast.Name(id="check"), args=[ast.Constant(value=str(id)), ast.Name(id=function), *_]
            ):
                return id, function
    return None
