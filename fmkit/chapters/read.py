"""A notebook's file as plain data, and back. Whatever reads a notebook reads it here.

Not by nbformat: importing that (its validator) takes longer than making the whole book. Where a program of
Jupyter's wants its own type, `read_node` gives that.
"""

import json
import re
from pathlib import Path
from typing import Any

from fmkit.errors import ChapterError


def parse(data: str | bytes) -> dict:
    """The JSON object in a notebook's file, of any format. Nothing in it is checked.

    Raises
    ------
    ValueError
        When the data is not JSON, nested too deeply, or not an object.
    """
    try:
        found = json.loads(data)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("its JSON is not an object")
    return found


def read(data: str | bytes) -> dict:
    """A notebook as plain data, each source one string.

    Raises
    ------
    ValueError
        When the data is not a notebook of format 4.
    """
    nb = parse(data)
    cells = nb.get("cells")
    if nb.get("nbformat") != 4 or not isinstance(cells, list) or not isinstance(nb.get("metadata"), dict):
        raise ValueError("it is not a notebook of format 4")
    for number, cell in enumerate(cells):
        try:
            cell["source"] = "".join(cell["source"])
            if not isinstance(cell["cell_type"], str) or not isinstance(cell["metadata"], dict):
                raise TypeError
        except (KeyError, TypeError):
            raise ValueError(f"cell {number} is not a notebook's cell") from None
    return nb


def read_file(path: str | Path) -> dict:
    """The notebook in a file, as `read` gives it.

    Raises
    ------
    ChapterError
        When the file cannot be read or is not a notebook of format 4.
    """
    try:
        return read(Path(path).read_bytes())
    except OSError as error:
        raise ChapterError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ChapterError(f"{path} is not a notebook that can be used: {error}") from error


def read_node(data: bytes) -> Any:
    """A notebook as nbclient and nbgrader want it (a ``NotebookNode``); an old format becomes format 4.

    Raises
    ------
    ValueError
        When the data is not a notebook.
    """
    import nbformat

    try:
        return nbformat.reads(data.decode("utf-8-sig"), as_version=4)
    except (AttributeError, KeyError, TypeError, RecursionError) as error:  # JSON, but of something else
        raise ValueError("it is not a notebook") from error
    except nbformat.ValidationError as error:
        raise ValueError(f"it is not a notebook: {error.message}") from error


def to_text(nb: dict) -> str:
    """The text of a notebook (without outputs), as nbformat writes it: a source is a list of lines."""
    cells = [cell | {"source": cell["source"].splitlines(keepends=True)} for cell in nb["cells"]]
    return json.dumps(dict(nb, cells=cells), ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def anchor(heading: str) -> str:
    """The mark that the book gives a heading: ``"2 · What is it?"`` has ``"2--what-is-it"``."""
    kept = (c for c in heading.strip().lower() if c.isalnum() or c in "_-" or c.isspace())
    return re.sub(r"\s", "-", "".join(kept))
