"""What a chapter's notebook asks for: its exercises with their points, and what a person grades.

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
class ByHand:
    """Something that a person grades.

    Attributes
    ----------
    grade_id : str
        nbgrader's id of the cell that has the points.
    kind : str
        ``"answer"`` (the cell is the answer), ``"task"`` (the answer stands in new cells below it) or
        ``"tests"`` (assertions of the instructor's own about the answer above).
    answer_id, cell_id : str
        nbgrader's id of the answer cell, and that cell's own id.
    above : tuple of str
        Id and source of the cell above it.
    """

    grade_id: str
    kind: str
    answer_id: str
    cell_id: str
    above: tuple[str, str]


@dataclass(frozen=True)
class Chapter:
    """What a notebook asks for.

    Attributes
    ----------
    asked : tuple of Asked
    texts : tuple of ByHand
    given : frozenset of str
        Sources of the code cells that are not answers: what they define is the chapter's, not the learner's.
    marks : frozenset of str
        Ids and sources of all cells; others were added by who handed in.
    sha256 : str
        Of the notebook's bytes.
    """

    asked: tuple[Asked, ...]
    texts: tuple[ByHand, ...]
    given: frozenset[str]
    marks: frozenset[str]
    sha256: str


def read_chapter(path: str | Path) -> Chapter:
    """Read a chapter's notebook.

    Raises
    ------
    ChapterError
        When the file is not a notebook of format 4, or a cell to grade has no id or no answer above it.
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
    asked, texts, answers, given, marks, above = [], [], [], set(), set(), ("", "")
    for cell in cells:
        meta, id = cell["metadata"].get("nbgrader", {}), cell.get("id", "")
        if (meta.get("solution") or meta.get("grade")) and not grade_id_of(cell):
            raise ChapterError(f"{path}: a cell to grade or to answer has no id of nbgrader's")
        if meta.get("task") or (meta.get("solution") and meta.get("grade")):
            kind = "task" if meta.get("task") else "answer"
            texts.append(ByHand(meta["grade_id"], kind, meta["grade_id"], id, above))
            if cell["cell_type"] == "code":  # a check may stand below it, too
                answers.append((meta["grade_id"], id))
        elif meta.get("solution"):
            answers.append((meta["grade_id"], id))
        elif meta.get("grade"):
            answer = _answer_to(path, meta["grade_id"], answers)
            if found := _check(cell["source"]):
                own = folder_above(Path(path))
                asked.append(Asked(meta["grade_id"], *answer, *found, _points(path, meta), own))
            else:
                texts.append(ByHand(meta["grade_id"], "tests", *answer, above))
        if cell["cell_type"] == "code" and not meta.get("solution"):
            given.add(cell["source"].strip())
        marks |= {id, cell["source"].strip()}
        above = id, cell["source"].strip()
    sets = frozenset(given), frozenset(marks - {""})
    return Chapter(tuple(asked), tuple(texts), *sets, hashlib.sha256(data).hexdigest())


def _answer_to(path, check_id, answers) -> tuple[str, str]:
    """The ids of the answer that a graded cell is about: its own by name, else the last one above it."""
    matching = [a for a in answers if a[0] == check_id.removesuffix("-check")] or answers[-1:]
    if not matching:
        raise ChapterError(f"{path}: there is no answer cell above {check_id}")
    return matching[-1]


def _points(path, meta) -> float:
    try:
        return float(meta.get("points", 0))
    except (TypeError, ValueError):
        words = f"the graded cell {meta['grade_id']} has no points: enter a number"
        raise ChapterError(f"{path}: {words}") from None


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
