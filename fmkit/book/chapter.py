"""A notebook as a chapter of the book: markdown with the HTML that mdBook passes through.

Solutions, the checks and their cards are left out; an exercise becomes a box with its hints folded away.
Pictures are returned by name, not put into the page: `fmkit.book.build` writes them beside it.
"""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape

from fmkit._templates import macros
from fmkit.chapters.student import student_version
from fmkit.lab import exercises


@dataclass
class Page:
    """A chapter's markdown, and its pictures by file name."""

    markdown: str
    images: dict[str, bytes] = field(default_factory=dict)


def convert(nb: Any, stem: str) -> Page:
    """A notebook (nbformat 4) called ``stem`` as a page."""
    page = Page("")
    student = {cell["id"]: cell["source"] for cell in student_version(nb)["cells"]}
    cells = [cell for cell in nb["cells"] if cell["id"] in student]
    blocks: list[str | list[str]] = []  # a list: the parts of an exercise, which make a box
    for at, cell in enumerate(cells):
        if cell["cell_type"] == "markdown":
            text = _attached(cell, stem, page.images)
            blocks.append(_exercise(text, cells[at:]) if text.startswith("### Exercise") else _prose(text))
        elif cell["cell_type"] == "code" and not _is_machinery(cell):
            code = _code(cell, student[cell["id"]])
            if _is_answer(cell) and blocks and isinstance(blocks[-1], list):
                blocks[-1].append(code)
            else:
                blocks.append(code)
            blocks += _outputs(cells, at, stem, page.images)
    html = _html()
    shown = [html.exercise(map(Markup, b)) if isinstance(b, list) else b for b in blocks if b]
    page.markdown = "\n\n".join(_title_first(html.download(stem), shown)) + "\n"
    return page


def _html() -> Any:
    """The pieces of HTML, as functions."""
    return macros("book", "cell.html")


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
            tex = escape(" ".join((match["display"] or match["inline"]).split()))
            return _html().formula(kind, tex.replace("|", Markup("&#124;")))  # a bar would end a table's cell
        return "&#36;" if match["money"] else match[0]

    return _CODE_OR_MATH.sub(element, text)


def _prose(source: str) -> str:
    return re.sub(r"\]\(([\w./-]+)\.ipynb(#[^)]*)?\)", r"](\1.html\2)", formulas(source))


def _exercise(source: str, following: list) -> list[str]:
    """The prompt and the hints, folded away: the first parts of an exercise's box."""

    def with_effort(match):
        return f"{match[1]}\n\n{_html().effort(match[2])}"

    prompt = re.sub(r"^(### .+?) \((difficulty .+)\)$", with_effort, _prose(source), count=1, flags=re.M)
    return [prompt, _hints(following)]


def _attached(cell, stem: str, images: dict) -> str:
    """The source of a cell whose attached pictures have become files."""
    text = cell["source"]
    for title, kinds in cell.get("attachments", {}).items():
        name = f"{stem}-{cell['id']}-{title}"
        images[name] = base64.b64decode("".join(next(iter(kinds.values()))))
        text = text.replace(f"(attachment:{title})", f"(images/{name})")
    return text


def check_id(cells: list) -> str | None:
    """The exercise that the first check in some cells is about."""
    checks = (re.match(r'check\("([\w.]+)"', cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return next((match[1] for match in checks if match), None)


def _hints(following: list) -> str:
    """The hints of the exercise whose check is the first one from here on, folded away."""
    id = check_id(following)
    if id is None:
        return ""
    return _html().hints([_inline(hint) for hint in exercises.get(id).hints])


def _inline(text: str) -> Markup:
    """Plain words with `code` in them, as HTML."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


# --- code and outputs ---------------------------------------------------------------------------------------


def _is_machinery(cell) -> bool:
    """A check, a cell about the learner's own progress, or the one for Colab: nothing for a reader."""
    if "remove-cell" in cell["metadata"].get("tags", ()):
        return True
    is_check = cell["metadata"].get("nbgrader", {}).get("grade", False)
    return is_check or re.match(r"(check|hint|progress)\(", cell["source"]) is not None


def _code(cell, student_source: str) -> str:
    if not cell["source"].strip():
        return ""
    ticks = "`" * max(3, 1 + max((len(t) for t in re.findall(r"`{3,}", student_source)), default=0))
    block = f"{ticks}python\n{student_source}\n{ticks}"
    if _is_answer(cell):
        return _html().answer(Markup(block))
    return f"{block}\n\n{_html().widget()}" if is_widget(cell) else block


def _is_answer(cell) -> bool:
    return bool(cell["metadata"].get("nbgrader", {}).get("solution", False))


def is_widget(cell) -> bool:
    """Whether a code cell shows controls to move; a file keeps nothing of them."""
    ignored = "nbval-ignore-output" in cell["metadata"].get("tags", ())
    return ignored and "widgets" in cell["source"] and not _shown(cell)


def _shown(cell) -> list:
    if _is_answer(cell):
        return []
    return [output for output in cell["outputs"] if output["output_type"] != "error"]


def _outputs(cells, at: int, stem: str, images: dict) -> list[str]:
    shown = _shown(cells[at])
    alts = _alts(cells, at, sum("image/png" in output.get("data", {}) for output in shown))
    return [_output(output, f"{stem}-{cells[at]['id']}", images, alts) for output in shown]


def _output(output, name: str, images: dict, alts: list[str]) -> str:
    if output["output_type"] == "stream":
        return _preformatted("".join(output["text"])) if output["name"] == "stdout" else ""
    data = output.get("data", {})
    if "image/png" in data:
        return _picture(data["image/png"], name, images, alts.pop(0))
    if "text/markdown" in data:
        return formulas("".join(data["text/markdown"]))
    if "text/html" in data:
        lines = "".join(data["text/html"]).splitlines()
        return _html().output(Markup("".join(line for line in lines if line.strip())))
    text = "".join(data.get("text/plain", ""))
    return "" if text.startswith("<Figure") or not text else _preformatted(text)


def without_colours(text: str) -> str:
    """What was printed, without a terminal's colours and without white space at the end."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text).rstrip()


def _preformatted(text: str) -> str:
    plain = without_colours(text)
    return _html().printed(plain) if plain else ""


def _picture(encoded: str, name: str, images: dict, alt: str) -> str:
    png = base64.b64decode("".join(encoded))
    name = f"{name}-{hashlib.sha256(png).hexdigest()[:8]}.png"
    images[name] = png
    width, height = (int.from_bytes(png[i : i + 4], "big") for i in (16, 20))
    return _html().picture(name, alt, width, height)


def _alts(cells, at: int, pictures: int) -> list[str]:
    """What each picture of a cell shows: its title, or else what the text below or the heading above says."""
    title = picture_title(cells[at]["source"])
    below = next((c["source"] for c in cells[at + 1 : at + 2] if c["cell_type"] == "markdown"), "")
    caption = re.match(r"\*The pictures?:? (.+?)\*(?!\*)", below, re.S)
    if caption and (not title or "…" in title):
        title = caption[1]
    elif not title and re.match(r"[A-Z*]", below):
        title = re.split(r"(?<=\.)\s", below)[0]
    text = " ".join(re.sub(r"[`$*\\]", "", title or _heading(cells, at)).split())
    return [text] if pictures == 1 else [f"{text} ({n} of {pictures})" for n in range(1, pictures + 1)]


def _heading(cells, at: int) -> str:
    """The nearest heading above a cell."""
    for cell in reversed(cells[: at + 1]):
        heading = re.search(r"^#+ (.+)$", cell["source"], re.M) if cell["cell_type"] == "markdown" else None
        if heading:
            return heading[1]
    return "this chapter"


def picture_title(source: str) -> str:
    """The titles that a cell gives to its pictures, as one line, with … for what is filled in later."""
    found = re.findall(r'title(?:=|\(| = )\s*f?(?:"([^"]+)"|\'([^\']+)\')', source)
    titles = [re.sub(r"\{[^}]*\}", "…", a or b) for a, b in found]
    return "; ".join(dict.fromkeys(re.sub(r"[$\\]", "", title).strip() for title in titles if title.strip()))
