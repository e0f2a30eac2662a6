"""The student version of a notebook: nbgrader's markers, cut in the same way, without needing nbgrader."""

import copy
import re
from typing import Any

PLACEHOLDER = ("# YOUR CODE HERE", 'raise NotImplementedError("write this, then run its check")')
TEXT_PLACEHOLDER = ("YOUR ANSWER HERE",)
MAY_RAISE = "raises-exception"
USES_ANSWER = "uses-answer"  # a cell, not a check, that works only once an exercise is done
INSTRUCTOR = "instructor"  # cells with this tag are not handed out


def student_version(nb: Any) -> Any:
    """A notebook as a learner gets it, as a new notebook.

    A placeholder replaces each solution; hidden tests, mark schemes (with the pictures attached to what is
    cut), cells tagged ``instructor`` and outputs are removed. Cell ids and nbgrader's metadata stay. The
    check of what is not done yet raises an exception, for nbgrader too, and so does a cell that uses the
    answer; a tag tells Jupyter to go on with the next cell.

    Parameters
    ----------
    nb : nbformat.NotebookNode or dict
        Version 4, each source one string. It is not changed.

    Raises
    ------
    ValueError
        When the markers of a cell do not pair up, or an answer cell has none: its solution would be handed
        out.
    """
    nb = copy.copy(nb)
    nb["cells"] = [
        _without_outputs(cell) for cell in nb["cells"] if INSTRUCTOR not in cell["metadata"].get("tags", ())
    ]
    nb = copy.deepcopy(nb)  # only now: outputs are most of a notebook
    nb["metadata"].pop("widgets", None)
    for position, cell in enumerate(nb["cells"]):
        name = f"cell {position} ({cell.get('id', 'no id')})"
        placeholder = PLACEHOLDER if cell["cell_type"] == "code" else TEXT_PLACEHOLDER
        _require_markers(cell, name)
        before = cell["source"]
        cell["source"] = _cut(cell["source"], "SOLUTION", placeholder, name)
        cell["source"] = _cut(cell["source"], "HIDDEN TESTS", (), name)
        cell["source"] = _cut(cell["source"], "MARK SCHEME", (), name)
        if cell["source"] != before and "attachments" in cell:
            attached = cell["attachments"].items()
            cell["attachments"] = {k: v for k, v in attached if f"attachment:{k}" in cell["source"]}
        if cell["cell_type"] == "code":
            tags = cell["metadata"].get("tags", [])
            needs_answer = cell["metadata"].get("nbgrader", {}).get("grade") or USES_ANSWER in tags
            if needs_answer and MAY_RAISE not in tags:
                cell["metadata"]["tags"] = [*tags, MAY_RAISE]
    return nb


def _without_outputs(cell: Any) -> Any:
    cell = copy.copy(cell)
    if cell["cell_type"] == "code":
        cell["outputs"], cell["execution_count"] = [], None
    return cell


def _require_markers(cell, name) -> None:
    is_answer = cell["metadata"].get("nbgrader", {}).get("solution", False)
    placeholder = "raise NotImplementedError" if cell["cell_type"] == "code" else TEXT_PLACEHOLDER[0]
    if is_answer and placeholder not in cell["source"] and "BEGIN SOLUTION" not in cell["source"]:
        words = "this answer cell has no ### BEGIN SOLUTION, so its solution would be handed out"
        raise ValueError(f"{name}: {words}")


def _cut(source: str, region: str, placeholder: tuple[str, ...], name: str) -> str:
    """Replace what stands between ``BEGIN region`` and ``END region``, indented as the marker is."""
    lines, begun = [], None
    for number, line in enumerate(source.split("\n"), start=1):
        if f"BEGIN {region}" in line:
            if begun is not None:
                words = f"before the one in line {begun} has ended"
                raise ValueError(f"{name}: BEGIN {region} in line {number} {words}")
            begun = number
            indent = re.match(r"\s*", line).group()
            lines += [indent + line for line in placeholder]
        elif f"END {region}" in line:
            if begun is None:
                raise ValueError(f"{name}: END {region} in line {number} without a BEGIN {region} before it")
            begun = None
        elif begun is None:
            lines.append(line)
    if begun is not None:
        raise ValueError(f"{name}: BEGIN {region} in line {begun} without an END {region} after it")
    return "\n".join(lines)
