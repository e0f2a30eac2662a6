"""Read a submitted notebook, whatever was done to it, and find the answers in it.

A submission is only ever data here: no size, nesting, encoding or missing key may stop the reading, and
nothing in it is trusted. Answers are found by nbgrader's id; if that was lost, by the cell's own id or the
function's name.
"""

import hashlib
import itertools
import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fmkit.chapters.read import parse
from fmkit.course.chapter import Asked, Chapter

MAX_BYTES = 128 << 20  # of a submission's file; outputs may be large
MAX_ELEMENTS = 2_000_000  # of its JSON
_PARTS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[{\[,]', re.DOTALL)  # signs in texts are in none
MAX_SOURCE = 200_000  # characters of one cell that are looked at
MAX_CELLS = 5_000


class Unreadable(ValueError):
    """The file is not a notebook that can be read; the message says why."""


@dataclass(frozen=True)
class Cell:
    """A cell of a submission: only what is needed, in plain types."""

    kind: str
    source: str
    id: str
    grade_id: str


@dataclass
class Answers:
    """The answers of a submission.

    Attributes
    ----------
    cells : list of Cell
        All code cells, in order.
    found : dict of str to int
        Id of the check cell -> position of the answer in ``cells``. Missing answers are left out.
    texts : dict of str to str
        Id of a free-text answer -> its text.
    notes : dict of str to list of str
        Id of the check cell -> what was odd.
    """

    cells: list[Cell]
    found: dict[str, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)


def read_bytes(path: str | Path) -> bytes:
    """The bytes of a submission's file.

    Raises
    ------
    Unreadable
        When it is missing, a link, not a regular file, too large or unreadable.
    """
    flags = (
        os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    )
    try:
        if os.path.islink(path):
            raise Unreadable("the file is a link to another one")
        fd = os.open(path, flags)
    except FileNotFoundError:
        raise Unreadable("there is no file") from None
    except (OSError, ValueError) as error:
        raise Unreadable(f"the file cannot be opened: {getattr(error, 'strerror', None) or error}") from None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable("it is not a regular file")
        if status.st_size > MAX_BYTES:
            raise Unreadable(f"the file is too large: {status.st_size >> 20} MB")
        with open(fd, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"the file cannot be read: {error.strerror or error}") from None
    finally:
        os.close(fd)


def digest(data: bytes) -> str:
    """The name of a submission's content."""
    return hashlib.sha256(data).hexdigest()


def read_cells(data: bytes) -> list[Cell]:
    """The cells of a notebook's bytes, of nbformat 3 or 4.

    Raises
    ------
    Unreadable
    """
    if len(data) > MAX_BYTES:
        raise Unreadable(f"the file is too large: {len(data) >> 20} MB")
    if not data.strip(b" \t\r\n\0"):
        raise Unreadable("the file is empty")
    try:
        if _is_too_much(data):
            raise ValueError("it has too many parts")
        notebook = parse(_text(data))
    except ValueError as error:
        raise Unreadable(f"the file is not a notebook: {_kind(data)}{str(error)[:200]}") from None
    cells = notebook.get("cells")
    if not isinstance(cells, list):  # nbformat 3 has them in worksheets
        sheets = notebook.get("worksheets")
        sheets = sheets if isinstance(sheets, list) else []
        lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        cells = [cell for cells in lists if isinstance(cells, list) for cell in cells]
        if not sheets:
            raise Unreadable("the file is not a notebook: it has no cells")
    return [_cell(cell) for cell in cells[:MAX_CELLS] if isinstance(cell, dict)]


def _is_too_much(data: bytes) -> bool:
    """Whether reading this JSON would make too many objects: 127 MB of ``{},`` take gigabytes."""
    if sum(data.count(sign) for sign in (b"{", b"[", b",")) <= MAX_ELEMENTS:
        return False
    parts = (1 for found in _PARTS.finditer(data) if data[found.start()] != ord('"'))
    return next(itertools.islice(parts, MAX_ELEMENTS, None), None) is not None


def _text(data: bytes) -> str:
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")  # every byte means something there


def _kind(data: bytes) -> str:
    kinds = {
        b"PK\x03\x04": "it is a zip archive. ",
        b"Rar!": "it is a RAR archive. ",
        b"7z\xbc\xaf": "it is a 7z archive. ",
        b"\x1f\x8b": "it is a gzip archive. ",
        b"%PDF": "it is a PDF. ",
        b"<": "it is a web page. ",
    }
    return next((words for mark, words in kinds.items() if data.lstrip().startswith(mark)), "")


def _cell(cell: dict) -> Cell:
    meta = cell.get("metadata")
    nbgrader = meta.get("nbgrader") if isinstance(meta, dict) else None
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    source = cell.get("source", cell.get("input"))  # "input" in nbformat 3
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    return Cell(_string(cell.get("cell_type")), _string(source), _string(cell.get("id")), _string(grade_id))


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


# --- finding the answers -----------------------------------------------------------------------------------


def find_answers(cells: list[Cell], chapter: Chapter) -> Answers:
    """Match a submission's cells with what the chapter asks for."""
    code = [cell for cell in cells if cell.kind == "code"]
    answers = Answers([_shortened(cell) for cell in code])
    for asked in chapter.asked:
        notes: list[str] = []
        at = _find(code, asked, chapter.given, notes)
        if at is not None:
            answers.found[asked.check_id] = at
            if len(code[at].source) > MAX_SOURCE:
                notes.append("The cell is too long to be read.")
        if sum(cell.grade_id == asked.check_id for cell in cells) != 1:
            notes.append("Its check cell was deleted, copied or renamed, which changes nothing.")
        answers.notes[asked.check_id] = notes
    for grade_id, cell_id in chapter.texts:
        same = [c for c in cells if c.grade_id == grade_id] or [c for c in cells if c.id and c.id == cell_id]
        answers.texts[grade_id] = "\n\n".join(dict.fromkeys(c.source for c in same))[:MAX_SOURCE]
    return answers


def _shortened(cell: Cell) -> Cell:
    return cell if len(cell.source) <= MAX_SOURCE else Cell(cell.kind, "", cell.id, cell.grade_id)


def _find(code: list[Cell], asked: Asked, given: frozenset[str], notes: list[str]) -> int | None:
    """Where the answer is: the last cell above the check that defines the function."""
    own = [i for i, cell in enumerate(code) if cell.grade_id == asked.answer_id]
    if len(own) > 1:
        notes.append(
            f"{len(own)} cells claim to be this answer; the last one that defines the function counts."
        )
    if not own:
        own = [i for i, cell in enumerate(code) if cell.id and cell.id == asked.cell_id]
        notes += ["The answer cell has lost nbgrader's id; it was found by its cell id."] if own else []
    checks = [i for i, cell in enumerate(code) if cell.grade_id == asked.check_id]
    theirs = [i for i, cell in enumerate(code) if i in own or cell.source.strip() not in given]
    defining = [i for i in theirs if _defines(code[i], asked.function) and i not in checks]
    done = [i for i in defining if "raise NotImplementedError" not in code[i].source]
    if own and (best := [i for i in own if i in done]):
        below = [i for i in done if checks and best[-1] < i < checks[0] and not code[i].grade_id]
        return (best + below)[-1]
    if not own and defining:
        notes.append("The answer cell is gone; the function was found by its name.")
    if own and done:
        notes.append("The answer is not in its own cell; the function was found by its name.")
    return (done or own or defining or [None])[-1]


def _defines(cell: Cell, function: str) -> bool:
    name = re.escape(function)
    pattern = (
        rf"^(?:(?:async[ \t]+)?def[ \t]+{name}[ \t]*[(\[]|class[ \t]+{name}\b|{name}[ \t]*(?::[^=\n]+)?=[^=])"
    )
    return bool(re.search(pattern, cell.source, re.MULTILINE))
