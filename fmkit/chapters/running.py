"""Notebooks as files: one normal form, and a command that executes, normalises and saves.

The normal form keeps what a reader sees and what our own tools read. Other metadata goes, whichever program
wrote it: timings, widget state, kernel details, what an editor or Colab notes for itself. Cell ids stay.
"""

import base64
import copy
import hashlib
import io
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fmkit._files import write_whole
from fmkit._paths import command_line
from fmkit.chapters.read import read_node
from fmkit.errors import in_words

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
# What stays of a cell's metadata; of the notebook's only the two entries that `normalise` writes
_KEPT_OF_CELL = ("tags", "slideshow", "nbgrader", "jupyter", "deletable", "editable")
_KEPT_OF_JUPYTER = ("source_hidden", "outputs_hidden")
_KEPT_OF_OUTPUT = ("isolated", "needs_background")  # and what is said of one form of it: a picture's size
_KINDS_OF_TEXT = {"text/plain"}  # what is left of a widget in a file says nothing to a reader


def normalise(nb: Any) -> Any:
    """The normal form of a notebook, as a new notebook.

    Parameters
    ----------
    nb : nbformat.NotebookNode
        Version 4. It is not changed.
    """
    nb = copy.deepcopy(nb)
    nb.nbformat, nb.nbformat_minor = 4, 5
    node = type(nb.metadata)
    nb.metadata = node(kernelspec=node(KERNEL), language_info=node(name="python"))
    taken: set[str] = set()
    for position, cell in enumerate(nb.cells):
        _normalise_cell(cell, position, taken)
    return nb


def _normalise_cell(cell, position, taken) -> None:
    _keep(cell.metadata, _KEPT_OF_CELL)
    _keep(cell.metadata.get("jupyter", {}), _KEPT_OF_JUPYTER)
    if "hide-input" in cell.metadata.get("tags", ()):  # folded in JupyterLab, as in the book and the slides
        cell.metadata["jupyter"] = {**cell.metadata.get("jupyter", {}), "source_hidden": True}
    for key in ("tags", "jupyter"):
        if not cell.metadata.get(key, True):
            del cell.metadata[key]
    if not cell.get("id") or cell["id"] in taken:  # a stable id: the same cell gets the same again
        cell["id"] = hashlib.sha256(f"{position} {cell.source}".encode()).hexdigest()[:8]
    taken.add(cell["id"])
    if "nbgrader" in cell.metadata and "grade_id" in cell.metadata.nbgrader:
        # nbgrader's own schema knows no dot in a grade_id
        cell.metadata.nbgrader["grade_id"] = cell.metadata.nbgrader["grade_id"].replace(".", "-")
    if cell.cell_type == "code":
        cell.outputs = [output for output in map(_normalise_output, cell.outputs) if output is not None]


def _keep(metadata, kept) -> None:
    for key in set(metadata) - set(kept):
        del metadata[key]


def _normalise_output(output):
    """The output without its widget view, or None when nothing else was in it."""
    _keep(output.get("metadata", {}), (*_KEPT_OF_OUTPUT, *output.get("data", ())))
    if WIDGET_VIEW in output.get("data", {}):
        del output["data"][WIDGET_VIEW]
        if set(output["data"]) <= _KINDS_OF_TEXT:
            return None
    return output


def is_normalised(nb: Any) -> list[str]:
    """Why a notebook is not in its normal form, or not the result of one whole run; empty when it is both.

    Returns
    -------
    list of str
        One sentence per problem.
    """
    normal, problems = normalise(nb), []
    if nb.nbformat != 4 or nb.nbformat_minor != 5:
        problems.append(f"the format is {nb.nbformat}.{nb.nbformat_minor}, not 4.5")
    for key in sorted(set(nb.metadata) | set(normal.metadata)):
        if nb.metadata.get(key) != normal.metadata.get(key):
            problems.append(f"the notebook's metadata {key!r} is not in its normal form")
    for position, (cell, wanted) in enumerate(zip(nb.cells, normal.cells, strict=True)):
        for key in sorted(set(cell) | set(wanted)):
            if cell.get(key) != wanted.get(key):
                problems.append(
                    f"cell {position} ({cell.get('id', 'no id')}): {key} is not in its normal form"
                )
    return problems + _not_run(nb)


def _not_run(nb) -> list[str]:
    problems, count = [], 0
    for position, cell in enumerate(nb.cells):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        count += 1
        if cell.execution_count != count:
            number = cell.execution_count
            problems.append(f"cell {position} ({cell.get('id')}): execution count {number}, not {count}")
        may_raise = "raises-exception" in cell.metadata.get("tags", ())
        if not may_raise and any(output.output_type == "error" for output in cell.outputs):
            problems.append(f"cell {position} ({cell.get('id')}): it raised an error")
    return problems


def run(paths: Iterable, timeout: int = 600) -> int:
    """Execute notebooks in their own folders, normalise them and save them with their outputs.

    A notebook that fails is left as it was; which cell failed, and how, is printed.

    Parameters
    ----------
    paths : iterable of str or Path
    timeout : int
        Seconds for one cell.

    Returns
    -------
    int
        0, or 1 when a notebook failed.
    """
    return int(any([not _run_one(Path(path), timeout) for path in paths]))  # a list: all of them are run


def _run_one(path, timeout) -> bool:
    import nbformat

    began = time.monotonic()
    try:
        before = path.read_bytes()
        nb = _parse(before)
        problem = _execute(nb, path.resolve().parent, timeout)
        if problem is None and path.read_bytes() != before:
            problem = "somebody else changed the file during the run"
        if problem is None:
            _pack_pictures(nb)
            text = nbformat.writes(normalise(nb)) + "\n"
            write_whole(path.resolve(), text.encode("utf-8"))  # a link stays one
    except (OSError, ValueError) as error:  # no file, not a notebook, a full disk
        problem = in_words(error)
    if problem is not None:
        print(f"{path}: NOT saved: {problem}")
        return False
    seconds, size = time.monotonic() - began, path.stat().st_size / 1000
    print(f"{path}: {len(nb.cells)} cells, {seconds:.0f} s, {size:.0f} kB")
    return True


def _parse(content):
    """The notebook in its normal form, checked against the format."""
    import nbformat

    try:
        nb = normalise(read_node(content))
        nbformat.validate(nb)
    except (AttributeError, KeyError, TypeError) as error:  # cells without what a cell has
        raise ValueError("it is not a notebook") from error
    except nbformat.ValidationError as error:
        raise ValueError(f"it is not a notebook: {error.message}") from error
    return nb


def _execute(nb, folder, timeout) -> str | None:
    """Execute a notebook in place; what went wrong, in words, or None."""
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # a kernel python3 of the user's may start another Python
    at = [0]
    client = NotebookClient(
        nb,
        timeout=timeout,
        startup_timeout=120,
        kernel_name=KERNEL["name"],
        resources={"metadata": {"path": str(folder)}},
        record_timing=False,
        coalesce_streams=True,
        on_cell_start=lambda cell, cell_index: at.__setitem__(0, cell_index),
    )
    try:
        manager = client.create_kernel_manager()
        if hasattr(manager, "transport_encryption"):  # else the kernel warns on stderr
            manager.transport_encryption = "auto"
        client.execute(env={**os.environ, "FMKIT_PROGRESS": "session"})
    except CellExecutionError as error:
        return f"{_cell(nb, at[0])} raised {error.ename}: {error.evalue}"
    except CellTimeoutError:
        return f"{_cell(nb, at[0])} took more than {timeout} s"
    except NoSuchKernel as error:
        remedy = command_line([sys.executable, "-m", "ipykernel", "install", "--sys-prefix"])
        return f"Jupyter has no kernel named {error.name}. Run `{remedy}`"
    except (DeadKernelError, RuntimeError) as error:
        return f"the kernel died in {_cell(nb, at[0])} ({error})"
    return None


def _pack_pictures(nb) -> None:
    """Store every PNG in fewer bytes, with not a pixel changed."""
    for cell in nb.cells:
        for output in cell.get("outputs", ()):
            picture = output.get("data", {}).get("image/png")
            if picture is not None:
                output["data"]["image/png"] = _packed(picture)


def _packed(picture: str) -> str:
    """A PNG in base64, without its alpha channel where all of it is opaque, as matplotlib's are."""
    from PIL import Image

    smaller = io.BytesIO()
    try:
        content = base64.b64decode(picture)
        with Image.open(io.BytesIO(content)) as image:
            opaque = image.mode == "RGBA" and image.getextrema()[3] == (255, 255)
            kept = {"dpi": image.info["dpi"]} if "dpi" in image.info else {}
            (image.convert("RGB") if opaque else image).save(smaller, "PNG", optimize=True, **kept)
    except (OSError, ValueError):  # no picture that Pillow knows: it stays as it is
        return picture
    if smaller.tell() >= len(content):
        return picture
    return base64.b64encode(smaller.getvalue()).decode("ascii") + "\n" * picture.endswith("\n")


def _cell(nb, position) -> str:
    cell = nb.cells[position]
    source = "\n".join(f"    {line}" for line in cell.source.splitlines()[:12])
    return f"cell {position} ({cell.get('id')})\n{source}\n  "
