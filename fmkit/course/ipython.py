"""What a notebook's cells are to IPython, as plain Python: magics, shell lines, help, pasted prompts.

IPython's own transformer does it, outside the sandbox, and nothing of it runs: it only rewrites text.
"""

import functools
import re

from fmkit.lab.judging.fences import unfenced

# what is Python for sure does not wait for IPython's import
_ODD = re.compile(r"^[ \t]*(?:[%!?,;/`~]|>>>|\.\.\. |In \[)|=[ \t]*[%!]|\?[ \t]*\r?$", re.MULTILINE)
_PYTHON_MAGIC = re.compile(r"%%(?:capture|debug|memit|prun|time|timeit)\b")  # Python stands below it
_TIMED = re.compile(r"(^[ \t]*|=[ \t]*)%time[ \t]+(?=[^\s-])", re.MULTILINE)
MOST = 1_500_000  # characters times odd lines, a few seconds: IPython reads a cell anew for each odd line


def as_python(sources: list[str]) -> list[str]:
    """The cells of one notebook as Python; lines keep their numbers.

    What IPython cannot read either, and what would take too long, stays as it is.
    """
    found, left = [], MOST
    for source in sources:
        left -= _work(source)
        found.append(_python(source) if left > 0 else source)
    return found


def _work(source) -> int:
    lines = len(_ODD.findall(source))
    return len(source) * (lines + 1) if lines or _is_indented(source) else 0


def _is_indented(source) -> bool:
    """Whether the first line that is not empty is."""
    blank = len(source) - len(source.lstrip())
    return 0 < blank < len(source) and source[blank - 1] in " \t"


def _python(source: str) -> str:
    if not _ODD.search(source) and not _is_indented(source):
        return source
    lines = unfenced(source.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    above = 0  # IPython drops empty lines on top, and the numbers of the others would change
    while above < len(lines) and (not lines[above].strip() or lines[above].startswith("%%")):
        if lines[above].strip() and not _PYTHON_MAGIC.match(lines[above]):
            return ""  # another language, or a file to write
        above += 1
    rest = _TIMED.sub(r"\1", "\n".join(lines[above:]))
    try:
        return "\n" * above + _transformer().transform_cell(rest)
    except Exception:  # whatever it stumbles over, the sandbox says what is wrong with the cell
        return "\n".join(lines)


@functools.cache
def _transformer():
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager()
