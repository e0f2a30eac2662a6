"""The fences of Markdown around code that was pasted into a cell: a line with ``` above it and one below.

No line of Python begins so, so they are taken away wherever a cell is run: in the notebook and in grading.
"""

import re
import sys
from typing import Any

_FENCE = re.compile(r"[ \t]*(?:```+[^`\r\n]*|~~~+[ \t]*[\w+.-]*[ \t]*)\r?\n?")
_CLOSED = re.compile(r"[ \t]*(?:```+|~~~+)[ \t]*\r?\n?")


def unfenced(lines: list[str]) -> list[str]:
    """The lines of a cell without a fence at the beginning and at the end; all others keep their numbers.

    Parameters
    ----------
    lines : list of str
        With their ends, or without.
    """
    full = [i for i, line in enumerate(lines) if line.strip()]
    found = list(lines)
    if len(full) > 1:
        first, last = full[0], full[-1]
        if _FENCE.fullmatch(lines[first]):
            found[first] = _end_of(lines[first])
        if _CLOSED.fullmatch(lines[last]):
            found[last] = _end_of(lines[last])
    return found


def _end_of(line: str) -> str:
    return line[len(line.rstrip("\r\n")) :]


def accept_fences(shell: Any = None) -> None:
    """Let a notebook's shell, by default that of this process, run cells between fences.

    Where there is none it does nothing.
    """
    if shell is None and "IPython" in sys.modules:
        shell = sys.modules["IPython"].get_ipython()
    manager = getattr(shell, "input_transformer_manager", None)
    if manager is not None and unfenced not in manager.cleanup_transforms:
        manager.cleanup_transforms.insert(0, unfenced)
