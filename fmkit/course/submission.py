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
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fmkit.chapters.read import parse
from fmkit.chapters.student import TEXT_PLACEHOLDER
from fmkit.course import pictures
from fmkit.course.chapter import Asked, ByHand, Chapter

MAX_BYTES = 128 << 20  # of a submission's file; outputs may be large
MAX_ELEMENTS = 2_000_000  # of its JSON
_PARTS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[{\[,]', re.DOTALL)  # signs in texts are in none
MAX_SOURCE = 200_000  # characters of one cell that are looked at
MAX_CELLS = 5_000


class Unreadable(ValueError):
    """The file is not a notebook that can be read; the message says why."""


@dataclass(frozen=True)
class Cell:
    """A cell of a submission: only what is needed, in plain types. Its pictures are not checked yet."""

    kind: str
    source: str
    id: str
    grade_id: str
    pictures: tuple[str, ...] = ()


@dataclass
class Answers:
    """The answers of a submission.

    Attributes
    ----------
    cells : list of Cell
        All code cells, in order, with answers that were turned into text.
    found : dict of str to int
        Id of the check cell -> position of the answer in ``cells``. Missing answers are left out.
    texts : dict of str to str
        Id of what a person grades -> its text, with the cells that were added to it.
    pictures : dict of str to tuple of str
        Id of what a person grades -> pictures in it, for `pictures.checked`.
    notes : dict of str to list of str
        Id of the check cell -> what was odd.
    """

    cells: list[Cell]
    found: dict[str, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    pictures: dict[str, tuple[str, ...]] = field(default_factory=dict)
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
    return [_cell(cell) for cell in read_raw(data)]


def read_raw(data: bytes) -> list[dict]:
    """The cells as they stand there, with their outputs: JSON in which any key may be missing.

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
        is_json = data.lstrip(b" \t\r\n\xef\xbb\xbf")[:1] in (b"{", b"[")
        words = kind_of(data) or (str(error)[:200] if is_json else "it is not JSON")
        raise Unreadable(f"the file is not a notebook: {words}") from None
    cells = notebook.get("cells")
    if not isinstance(cells, list):  # nbformat 3 has them in worksheets
        sheets = notebook.get("worksheets")
        sheets = sheets if isinstance(sheets, list) else []
        lists = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        cells = [cell for cells in lists if isinstance(cells, list) for cell in cells]
        if not sheets:
            raise Unreadable("the file is not a notebook: it has no cells")
    return [cell for cell in cells[:MAX_CELLS] if isinstance(cell, dict)]


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


_KINDS = {
    b"PK\x03\x04": "a zip archive",
    b"Rar!": "a RAR archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "a document of an older Word, Excel or PowerPoint",
    b"{\\rtf": "a text of a word processor (RTF)",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"<": "a web page",
}
_IN_ZIP = {  # what is a zip archive to a computer, and a document to a person
    b"word/document.xml": "a Word document",
    b"xl/workbook.xml": "an Excel workbook",
    b"ppt/presentation.xml": "a PowerPoint file",
    b"mimetypeapplication/vnd.oasis": "a document of LibreOffice",
}
_CONFLICT = re.compile(rb"^<{7}(?: .*)?\r?$", re.MULTILINE)


def kind_of(data: bytes, but: str = "") -> str:
    """Words on what the bytes of a file are, which is no notebook; nothing where that does not show.

    Parameters
    ----------
    but : str
        What it was to be anyway, which says nothing.
    """
    if found := _CONFLICT.search(data):
        line = data.count(b"\n", 0, found.start()) + 1
        return f"two versions in it were never merged (git's mark <<<<<<< in line {line})"
    start = data.lstrip(b" \t\r\n\xef\xbb\xbf")
    kind = next((words for mark, words in _KINDS.items() if start.startswith(mark)), "")
    if kind == "a zip archive":
        kind = next((words for mark, words in _IN_ZIP.items() if mark in data), kind)
    return f"it is {kind}" if kind not in ("", but) else ""


def _cell(cell: dict) -> Cell:
    meta = cell.get("metadata")
    nbgrader = meta.get("nbgrader") if isinstance(meta, dict) else None
    grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
    source = cell.get("source", cell.get("input"))  # "input" in nbformat 3
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    kind, id, source = _string(cell.get("cell_type")), _string(cell.get("id")), _string(source)
    return Cell(kind, source, id, _string(grade_id), pictures.found_in(cell, source))


def python_of(data: bytes) -> tuple[int, int] | None:
    """The Python that a notebook says it was written with, such as (3, 12)."""
    try:
        version = parse(_text(data))["metadata"]["language_info"]["version"]
        return tuple(int(part) for part in re.match(r"(\d{1,3})\.(\d{1,3})", version).groups())
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


# --- finding the answers -----------------------------------------------------------------------------------


def find_answers(cells: list[Cell], chapter: Chapter) -> Answers:
    """Match a submission's cells with what the chapter asks for."""
    wanted = {name: asked for asked in chapter.asked for name in (asked.answer_id, asked.cell_id) if name}
    code = [cell for cell in cells if cell.kind == "code" or _was_code(cell, wanted)]
    answers = Answers([_shortened(cell) for cell in code])
    for asked in chapter.asked:
        notes: list[str] = []
        at = _find(code, asked, chapter.given, notes)
        if at is not None:
            answers.found[asked.check_id] = at
            if len(code[at].source) > MAX_SOURCE:
                notes.append("The cell is too long to be read.")
            if (kind := code[at].kind) != "code":
                kind = "Markdown" if kind == "markdown" else kind
                notes.append(f"The cell of the answer is a {kind} cell; it counts. Turn it back into code.")
        if sum(cell.grade_id == asked.check_id for cell in cells) != 1:
            notes.append("Its check cell was deleted, copied or renamed, which changes nothing.")
        answers.notes[asked.check_id] = notes
    for asked in chapter.texts:
        found = _by_hand(cells, asked, chapter)
        sources = dict.fromkeys(pictures.without_inline(cell.source) for cell in found)
        answers.texts[asked.grade_id] = "\n\n".join(sources)[:MAX_SOURCE]
        answers.pictures[asked.grade_id] = tuple(p for cell in found for p in cell.pictures)
    return answers


def _was_code(cell: Cell, wanted: dict[str, Asked]) -> bool:
    """Whether it is an answer that a slip of the key has turned into text."""
    asked = wanted.get(cell.grade_id) or wanted.get(cell.id)
    return asked is not None and _defines(cell, asked.function)


def _by_hand(cells: list[Cell], asked: ByHand, chapter: Chapter) -> list[Cell]:
    """The cells of an answer that a person grades: its own, and those that were added around it."""
    same = [i for i, c in enumerate(cells) if c.grade_id == asked.answer_id]
    same = same or [i for i, c in enumerate(cells) if c.id and c.id == asked.cell_id]
    if asked.kind == "tests":
        return [cells[i] for i in same]
    # who has deleted the cell has perhaps answered in a new one at its place
    id, source = asked.above
    at = same or [i for i, c in enumerate(cells) if (c.id or "-") == id or c.source.strip() == source != ""]
    own = {i for i in same if asked.kind == "answer" and cells[i].source.strip() not in TEXT_PLACEHOLDER}
    below = at[-1] + 1 if at else len(cells)
    while below < len(cells) and _is_added(cells[below], chapter.marks):
        own.add(below)
        below += 1
    if same and asked.kind == "answer":
        above = at[-1]
        while above and _is_added(cells[above - 1], chapter.marks) and cells[above - 1].kind != "code":
            above -= 1
        others = {entry.answer_id for entry in chapter.texts}
        if not above or cells[above - 1].grade_id not in others:  # else they belong to the answer above
            own |= {*range(above, at[-1])}
    return [cells[i] for i in sorted(own)]


def _is_added(cell: Cell, marks: frozenset[str]) -> bool:
    return not cell.grade_id and cell.id not in marks and cell.source.strip() not in marks


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
    defining = sorted({*defining, *(i for i in own if _binds(code[i], asked.function))})
    done = [i for i in defining if not _is_open(code[i], asked.function)]
    done = [i for i in done if code[i].kind == "code"] or done
    if own and (best := [i for i in own if i in done]):
        below = [i for i in done if checks and best[-1] < i < checks[0] and not code[i].grade_id]
        return (best + below)[-1]
    if not own and defining:
        notes.append("The answer cell is gone; the function was found by its name.")
    if own and done:
        notes.append("The answer is not in its own cell; the function was found by its name.")
    return (done or own or defining or [None])[-1]


def _definition(function: str) -> str:
    name = re.escape(function)
    assigned = rf"{name}[ \t]*(?::[^=\n]+)?=[^=]"
    return rf"^(?:(?:async[ \t]+)?def[ \t]+{name}[ \t]*[(\[]|class[ \t]+{name}\b|{assigned})"


def _defines(cell: Cell, function: str) -> bool:
    return bool(re.search(_definition(function), _plain(cell.source), re.MULTILINE))


def _binds(cell: Cell, function: str) -> bool:
    """Whether a cell may define a function in some other way: below an if, as one of several names."""
    name = re.escape(function)
    way = re.compile(rf"\b(?:def|class|as)[ \t]+{name}\b|^[^#(]*\b{name}\b[^=(]*=[^=]|\b{name}[ \t]*:=")
    return any(way.search(line) for line in cell.source.splitlines() if function in line and len(line) < 500)


def _plain(source: str) -> str:
    """Without the prompts and the indentation that IPython takes away from what was pasted."""
    if re.search(r"^[ \t]*>>> ", source, re.MULTILINE):
        source = re.sub(r"^[ \t]*(?:>>>|\.\.\.)(?: |$)", "", source, flags=re.MULTILINE)
    return textwrap.dedent(source) if source.lstrip("\r\n")[:1] in (" ", "\t") else source


def _is_open(cell: Cell, function: str) -> bool:
    """Whether the placeholder still stands in the function, and not below a return."""
    body = re.split(_definition(function), _plain(cell.source), flags=re.MULTILINE)[-1]
    placeholder = re.search(r"^([ \t]+)raise NotImplementedError", body, re.MULTILINE)
    if not placeholder:
        return False
    return not re.search(rf"^{placeholder.group(1)}return\b", body[: placeholder.start()], re.MULTILINE)
