"""What a chapter's notebook asks for: its exercises with their points, and its free-text answers.

This comes from the instructor's notebook only, the one with solutions or the one handed out; nothing that a
submission says about points or tests counts.
"""

import ast
import functools
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path


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
    """

    check_id: str
    answer_id: str
    cell_id: str
    exercise: str
    function: str
    points: float


@dataclass(frozen=True)
class Chapter:
    """What a notebook asks for.

    Attributes
    ----------
    asked : tuple of Asked
    texts : tuple of (str, str)
        Manually graded answers: nbgrader's id and the cell's own id.
    given : frozenset of str
        Sources of the code cells that are no answers: what they write is the chapter's, not the learner's.
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
    ValueError
        When it is no notebook of version 4, or a graded cell of it is no ``check("exercise.id", function)``.
    """
    status = Path(path).stat()
    return _read(str(path), status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=64)
def _read(path, mtime, size) -> Chapter:
    data = Path(path).read_bytes()
    notebook = json.loads(data)
    if not isinstance(notebook, dict) or notebook.get("nbformat") != 4:
        raise ValueError(f"{path} is no notebook of version 4")
    asked, texts, answers, given = [], [], [], set()
    for cell in notebook["cells"]:
        meta = cell["metadata"].get("nbgrader", {})
        if meta.get("solution") and meta.get("grade"):
            texts.append((meta["grade_id"], cell.get("id", "")))
        elif meta.get("solution"):
            answers.append((meta["grade_id"], cell.get("id", "")))
        elif meta.get("grade"):
            asked.append(_asked(path, cell, meta, answers))
        if cell["cell_type"] == "code" and not meta.get("solution"):
            given.add("".join(cell["source"]).strip())
    return Chapter(tuple(asked), tuple(texts), frozenset(given), hashlib.sha256(data).hexdigest())


def _asked(path, cell, meta, answers) -> Asked:
    check_id = meta["grade_id"]
    found = _check("".join(cell["source"]))
    if found is None:
        raise ValueError(
            f'{path}: the graded cell {check_id} has no check("exercise.id", function); such cells '
            "are for plain nbgrader, or for a hand that marks them (solution and grade both true)"
        )
    # its own answer cell by name, else the last one above it
    matching = [a for a in answers if a[0] == check_id.removesuffix("-check")] or answers[-1:]
    if not matching:
        raise ValueError(f"{path}: no answer cell stands above {check_id}")
    answer_id, cell_id = matching[-1]
    return Asked(check_id, answer_id, cell_id, *found, float(meta.get("points", 0)))


def _check(source) -> tuple[str, str] | None:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check":
            id, function = node.args[:2]
            if isinstance(id, ast.Constant) and isinstance(function, ast.Name):
                return id.value, function.id
    return None
