"""A notebook as a chapter of the book: markdown with the HTML that mdBook passes through.

Solutions, the checks and their cards stay out; an exercise becomes a box with its hints folded away. Pictures
are not put into the page: their bytes are returned by name, for `fmkit.book.build` to write beside it.
"""

import base64
import hashlib
import html
import re
from dataclasses import dataclass, field
from typing import Any

from fmkit.course.student import student_version
from fmkit.lab import exercises

WIDGET = (
    '<p class="widget-note">In the notebook, this cell shows controls to move. '
    "The pictures of this section show some of their positions.</p>"
)


@dataclass
class Page:
    """A chapter's markdown, and its pictures by file name."""

    markdown: str
    images: dict[str, bytes] = field(default_factory=dict)


def convert(nb: Any, stem: str) -> Page:
    """A notebook (nbformat 4) called ``stem`` as a page."""
    page = Page("")
    student = {cell.id: cell.source for cell in student_version(nb).cells}
    cells = [cell for cell in nb.cells if cell.id in student]
    blocks = [_download(stem)] if stem else []
    for at, cell in enumerate(cells):
        if cell.cell_type == "markdown":
            blocks.append(_prose(cell.source, cells[at:]))
        elif cell.cell_type == "code" and not _is_machinery(cell):
            blocks.append(_code(cell, student[cell.id]))
            blocks += [
                _output(output, cell, stem, page.images, _around(cells, at)) for output in _shown(cell)
            ]
    head, *rest = [block for block in blocks if block]
    page.markdown = "\n\n".join([*_title_first(head, rest)]) + "\n"
    return page


def _download(stem: str) -> str:
    return f'<p class="download"><a href="{stem}.ipynb" download>Download this chapter as a notebook</a></p>'


def _title_first(download: str, rest: list[str]) -> list[str]:
    """The page's title, then the link, then what follows the title."""
    if not rest or not rest[0].startswith("# "):
        return [download, *rest]
    title, _, after = rest[0].partition("\n")
    return [title, download, after.strip(), *rest[1:]]


# --- prose --------------------------------------------------------------------------------------------------

_CODE_OR_MATH = re.compile(
    r"(?P<fence>^(?P<ticks>```+).*?^(?P=ticks)\s*$)|(?P<code>(?<!`)(?P<tick>`+)(?!`).+?(?<!`)(?P=tick)(?!`))"
    r"|(?P<money>\\\$)|\$\$(?P<display>.+?)\$\$|\$(?P<inline>[^$\n]+?)\$",
    re.S | re.M,
)


def formulas(text: str) -> str:
    """Markdown in which each TeX formula has become an element that KaTeX fills in; code is left alone."""

    def element(match):
        if match["display"] or match["inline"]:
            kind = "display" if match["display"] else "inline"
            tex = html.escape(" ".join((match["display"] or match["inline"]).split()))
            return f'<span class="math {kind}" data-tex="{tex}"></span>'
        return "&#36;" if match["money"] else match[0]

    return _CODE_OR_MATH.sub(element, text)


def _prose(source: str, following: list) -> str:
    text = re.sub(r"\]\(([\w./-]+)\.ipynb(#[^)]*)?\)", r"](\1.html\2)", formulas(source))
    if not source.startswith("### Exercise"):
        return text
    hints = _hints(following)
    text = re.sub(
        r"^(### .+?) \((difficulty .+)\)$", r'\1\n\n<p class="effort">\2</p>', text, count=1, flags=re.M
    )
    return f'<div class="exercise">\n\n{text}\n\n{hints}\n\n</div>'


def check_id(cells: list) -> str | None:
    """The exercise that the first check in some cells is about."""
    checks = (re.match(r'check\("([\w.]+)"', cell.source) for cell in cells if cell.cell_type == "code")
    return next((match[1] for match in checks if match), None)


def _hints(following: list) -> str:
    """The hints of the exercise whose check is the first one from here on, folded away."""
    checks = (re.match(r'check\("([\w.]+)"', c.source) for c in following if c.get("cell_type") == "code")
    id = next((match[1] for match in checks if match), None)
    if id is None:
        return ""
    items = "".join(f"<li>{_inline(hint)}</li>" for hint in exercises.get(id).hints)
    return f"<details><summary>Hints</summary><ol>{items}</ol></details>"


def _inline(text: str) -> str:
    """Plain words with `code` in them, as HTML."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))


# --- code and outputs ---------------------------------------------------------------------------------------


def _is_machinery(cell) -> bool:
    """A check, a cell about the learner's own progress, or the one for Colab: nothing for a reader."""
    if "remove-cell" in cell.metadata.get("tags", ()):
        return True
    is_check = cell.metadata.get("nbgrader", {}).get("grade", False)
    return is_check or re.match(r"(check|hint|progress)\(", cell.source) is not None


def _code(cell, student_source: str) -> str:
    if not cell.source.strip():
        return ""
    ticks = "`" * max(3, 1 + max((len(t) for t in re.findall(r"`{3,}", student_source)), default=0))
    block = f"{ticks}python\n{student_source}\n{ticks}"
    if cell.metadata.get("nbgrader", {}).get("solution", False):
        return f'<details class="answer"><summary>The cell to fill in</summary>\n\n{block}\n\n</details>'
    return f"{block}\n\n{WIDGET}" if _is_widget(cell) else block


def _is_widget(cell) -> bool:
    ignored = "nbval-ignore-output" in cell.metadata.get("tags", ())
    return ignored and "widgets" in cell.source and not _shown(cell)


def _shown(cell) -> list:
    if cell.metadata.get("nbgrader", {}).get("solution", False):
        return []
    return [output for output in cell.outputs if output.output_type != "error"]


def _around(cells, at) -> str:
    """The nearest heading above a cell, for a picture that has no title."""
    for cell in reversed(cells[: at + 1]):
        heading = re.search(r"^#+ (.+)$", cell.source, re.M) if cell.cell_type == "markdown" else None
        if heading:
            return re.sub(r"[`$*]", "", heading[1])
    return "this chapter"


def _output(output, cell, stem: str, images: dict, heading: str) -> str:
    if output.output_type == "stream":
        return _preformatted(output.text) if output.name == "stdout" else ""
    data = output.get("data", {})
    if "image/png" in data:
        return _picture(data["image/png"], cell, stem, images, heading)
    if "text/markdown" in data:
        return formulas("".join(data["text/markdown"]))
    if "text/html" in data:
        lines = "".join(data["text/html"]).splitlines()
        return f'<div class="output">{"".join(line for line in lines if line.strip())}</div>'
    text = "".join(data.get("text/plain", ""))
    return "" if text.startswith("<Figure") or not text else _preformatted(text)


def _preformatted(text: str) -> str:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text).rstrip()
    return f'<pre class="output" tabindex="0">{html.escape(plain, quote=False)}</pre>' if plain else ""


def _picture(encoded: str, cell, stem: str, images: dict, heading: str) -> str:
    png = base64.b64decode("".join(encoded))
    name = f"{stem}-{cell.id}-{hashlib.sha256(png).hexdigest()[:8]}.png"
    images[name] = png
    width, height = (int.from_bytes(png[i : i + 4], "big") for i in (16, 20))
    alt = html.escape(picture_title(cell.source) or f"Picture: {heading}")
    size = f'width="{width}" height="{height}"'
    return f'<figure><img src="images/{name}" alt="{alt}" {size} loading="lazy"></figure>'


def picture_title(source: str) -> str:
    """The titles that a cell gives to its pictures, as one line; formulas and fields to fill in are cut."""
    found = re.findall(r'title(?:=|\(| = )\s*(?:f?"([^"]+)"|f?\'([^\']+)\')', source)
    titles = [a or b for a, b in found]
    return "; ".join(re.sub(r"\{[^}]*\}|[$\\]", "", title).strip() for title in titles if title.strip())
