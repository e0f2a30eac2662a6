"""A chapter as a lecture: one HTML file with reveal.js inside, made from the notebook's slide metadata.

A cell of type ``slide`` begins a slide, ``subslide`` one below it, ``fragment`` comes in at a key press,
``notes`` is for the speaker, ``skip`` is left out. A cell tagged ``hide-input`` shows its outputs only, one
tagged ``hide-output`` its code only (Jupyter Book's names). The page needs no network.

It lays itself out when it is opened: pictures take the room that the words leave, below them or beside them.
What does not fit at 1280 x 720 is set a little smaller; what still does not fit moves to another slide.
"""

import base64
import re
import textwrap
from importlib.resources import files
from pathlib import Path
from typing import Any

from markupsafe import Markup

from fmkit._files import write_whole
from fmkit._templates import macros, render
from fmkit.book.chapter import check_id, formulas, is_widget, picture_title, without_colours
from fmkit.chapters.read import read_file
from fmkit.chapters.student import student_version
from fmkit.lab import exercises

HERE = files("fmkit.book")


def deck(nb: Any, title: str) -> str:
    """The lecture of a notebook, as one HTML page."""
    student = {cell["id"]: cell["source"] for cell in student_version(nb)["cells"]}
    columns = _slides([cell for cell in nb["cells"] if cell["id"] in student], student)
    return render(
        "book",
        "slides.html",
        title=title,
        styles=Markup("\n".join(_read(f) for f in _STYLES)),
        scripts=[Markup(_read(f)) for f in _SCRIPTS],
        columns=[
            [{"step": _step(slide, column[0]), "blocks": slide} for slide in column] for column in columns
        ],
    )


def _html() -> Any:
    """The pieces of HTML, as functions."""
    return macros("book", "slide.html")


def _step(slide: list[Markup], first: list[Markup]) -> Markup | None:
    """The step that a slide belongs to, the heading of its column, where it has no heading of its own."""
    heading = re.search(r"<h2>(.*?)</h2>", first[0])
    own = re.search(r"<h[123]", "".join(slide))
    return Markup(heading[1]) if heading and not own else None


_STYLES = (
    "vendor/reveal/reset.css",
    "vendor/reveal/reveal.css",
    "vendor/katex/katex.css",
    "theme/slides.css",
)
_SCRIPTS = ("vendor/reveal/reveal.js", "vendor/reveal/notes.js", "vendor/katex/katex.js", "theme/slides.js")


def _read(name: str) -> str:
    return (HERE / name).read_text("utf-8").replace("</script", "<\\/script")


def _slides(cells: list, student: dict[str, str]) -> list[list[list[Markup]]]:
    """Columns of slides, each a list of blocks in HTML."""
    columns: list[list[list[Markup]]] = []
    for at, cell in enumerate(cells):
        kind = cell["metadata"].get("slideshow", {}).get("slide_type", "-") or "-"
        if kind == "skip":
            continue
        if kind == "slide" or not columns:
            columns.append([[]])
        elif kind == "subslide":
            columns[-1].append([])
        slide = columns[-1][-1]
        blocks = _blocks(cell, student[cell["id"]], cells[at:])
        if kind == "notes":
            slide.append(_html().notes(blocks))
        else:  # its turn stays with a block when pictures are put beside the words
            turn = len(slide) if kind == "fragment" else None
            slide += [_html().block(block, turn) for block in blocks]
    return [[slide for slide in column if slide] for column in columns if any(column)]


def _blocks(cell, student_source: str, following: list) -> list[Markup]:
    if cell["cell_type"] == "markdown":
        exercise = cell["source"].startswith("### Exercise")
        return [_exercise(cell["source"], following) if exercise else markdown(cell["source"])]
    tags = cell["metadata"].get("tags", ())
    if is_widget(cell):
        return [_html().demo()]
    outputs = [] if "hide-output" in tags else cell.get("outputs", [])
    shown = [block for output in outputs for block in _output(output, cell["source"])]
    if "hide-input" in tags or not student_source.strip():
        return shown
    return [_code(student_source), *shown]


# --- blocks -------------------------------------------------------------------------------------------------


def markdown(text: str) -> Markup:
    """An author's Markdown as HTML; formulas become elements that KaTeX fills in."""
    import mistune

    return Markup(mistune.create_markdown(escape=False, plugins=["table", "strikethrough"])(formulas(text)))


def _exercise(source: str, following: list) -> Markup:
    """The prompt with a timer; hints and the mistakes to expect are notes for the speaker."""
    heading, _, rest = source.partition("\n")
    found = re.match(r"### (.+?) \((difficulty .+?), (\d+) minutes?, (.+)\)", heading)
    id = check_id(following)
    prompt = markdown(re.sub(r"^\*Stuck\?.*", "", rest, flags=re.M | re.S))
    if not found or id is None:
        return markdown(heading) + prompt
    exercise = exercises.get(id)
    hints, mistakes = map(markdown, exercise.hints), [mistake.name for mistake in exercise.mistakes]
    return _html().exercise(*found.groups(), prompt, hints, mistakes)


def _code(source: str) -> Markup:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    source = re.sub(r"\n{3,}", "\n\n", source)  # two empty lines are for editors
    return _html().code(Markup(highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))))


def _output(output, source: str) -> list[Markup]:
    if output["output_type"] == "stream":
        text = without_colours("".join(output["text"]))
        return [_printed(text)] if output["name"] == "stdout" and text else []
    data = output.get("data", {})
    if "image/png" in data:
        png = base64.b64encode(base64.b64decode("".join(data["image/png"]))).decode()
        return [_html().picture(png, picture_title(source) or "picture")]
    if "text/markdown" in data:
        fenced = re.fullmatch(r"```python\n(.*)\n```\s*", "".join(data["text/markdown"]), re.S)
        return [_code(fenced[1]) if fenced else markdown("".join(data["text/markdown"]))]
    if "text/html" in data:
        return [_html().output(Markup("".join(data["text/html"])))]
    text = "".join(data.get("text/plain", ""))
    return [] if not text or text.startswith("<Figure") else [_printed(text)]


def _printed(text: str) -> Markup:
    """What a cell printed: lines too wide for a slide are broken, many short ones stand in two columns."""
    lines = []
    for line in text.splitlines():
        lines += textwrap.wrap(line, 98, subsequent_indent="    ") if len(line) > 98 else [line]
    return _html().printed("\n".join(lines), len(lines) > 20 and max(map(len, lines)) <= 48)


def write(source: Path, target: Path) -> Path:
    """Write the lecture of the notebook ``source`` to the file ``target``."""
    nb = read_file(source)
    first = next((cell["source"] for cell in nb["cells"] if cell["cell_type"] == "markdown"), source.stem)
    write_whole(target, deck(nb, first.partition("\n")[0].lstrip("# ")).encode("utf-8"))
    return target
