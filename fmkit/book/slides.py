"""A chapter as a lecture: one HTML file with reveal.js inside, made from the notebook's slide metadata.

A cell of type ``slide`` begins a slide, ``subslide`` one below it, ``fragment`` comes in at a key press,
``notes`` is for the speaker, ``skip`` is left out. A cell tagged ``hide-input`` shows its outputs only, one
tagged ``hide-output`` its code only (Jupyter Book's names). The page needs no network.

It lays itself out when it is opened: pictures take the room that the words leave, below them or beside them;
what does not fit at 1280 x 720 is set a little smaller, and what still does not goes on to another slide.
"""

import base64
import html
import re
import textwrap
from importlib.resources import files
from pathlib import Path
from typing import Any

from fmkit._files import write_whole
from fmkit.book.chapter import check_id, is_widget, picture_title
from fmkit.chapters.read import read_file
from fmkit.chapters.student import student_version
from fmkit.lab import exercises

HERE = files("fmkit.book")


def deck(nb: Any, title: str) -> str:
    """The lecture of a notebook, as one HTML page."""
    student = {cell["id"]: cell["source"] for cell in student_version(nb)["cells"]}
    columns = _slides([cell for cell in nb["cells"] if cell["id"] in student], student)
    body = "\n".join(
        f"<section>{''.join(_section(slide, column[0]) for slide in column)}</section>" for column in columns
    )
    page = (HERE / "theme" / "slides.html").read_text("utf-8")
    parts = {
        "TITLE": html.escape(title),
        "STYLES": "\n".join(_read(f) for f in _STYLES),
        "SCRIPTS": "\n".join(f"<script>{_read(f)}</script>" for f in _SCRIPTS),
        "SLIDES": body,
    }
    return re.sub(r"<!--(TITLE|STYLES|SCRIPTS|SLIDES)-->", lambda match: parts[match[1]], page)


def _section(slide: list[str], first: list[str]) -> str:
    """A slide; where it has no heading of its own it says above which step it belongs to."""
    heading = re.search(r"<h2>(.*?)</h2>", first[0])
    own = re.search(r"<h[123]", "".join(slide))
    above = f'<p class="step">{heading[1]}</p>' if heading and not own else ""
    return f'<section><div class="body">{above}{"".join(slide)}</div></section>'


_STYLES = (
    "vendor/reveal/reset.css",
    "vendor/reveal/reveal.css",
    "vendor/katex/katex.css",
    "theme/slides.css",
)
_SCRIPTS = ("vendor/reveal/reveal.js", "vendor/reveal/notes.js", "vendor/katex/katex.js", "theme/slides.js")


def _read(name: str) -> str:
    return (HERE / name).read_text("utf-8").replace("</script", "<\\/script")


def _slides(cells: list, student: dict[str, str]) -> list[list[list[str]]]:
    """Columns of slides, each a list of blocks in HTML."""
    columns: list[list[list[str]]] = []
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
            slide.append(f'<aside class="notes">{"".join(blocks)}</aside>')
        else:
            turn = len(slide) if kind == "fragment" else None
            slide += [_block(block, turn) for block in blocks]
    return [[slide for slide in column if slide] for column in columns if any(column)]


def _block(block: str, fragment: int | None) -> str:
    """A block; ``fragment`` is its turn, which stays when pictures are put beside the words."""
    kind = "block picture" if block.startswith("<img") else "block"
    turn = "" if fragment is None else f' fragment" data-fragment-index="{fragment}'
    return f'<div class="{kind}{turn}">{block}</div>'


def _blocks(cell, student_source: str, following: list) -> list[str]:
    if cell["cell_type"] == "markdown":
        exercise = cell["source"].startswith("### Exercise")
        return [_exercise(cell["source"], following) if exercise else markdown(cell["source"])]
    tags = cell["metadata"].get("tags", ())
    if is_widget(cell):
        return ['<p class="demo">▶ In the notebook: move the controls.</p>']
    outputs = [] if "hide-output" in tags else cell.get("outputs", [])
    shown = [block for output in outputs for block in _output(output, cell["source"])]
    if "hide-input" in tags or not student_source.strip():
        return shown
    return [_code(student_source), *shown]


# --- blocks -------------------------------------------------------------------------------------------------


def markdown(text: str) -> str:
    """Markdown as HTML; formulas become elements that KaTeX fills in."""
    import mistune

    from fmkit.book.chapter import formulas

    return mistune.create_markdown(escape=False, plugins=["table", "strikethrough"])(formulas(text))


def _exercise(source: str, following: list) -> str:
    """The prompt with a timer; hints and the mistakes to expect are notes for the speaker."""
    heading, _, rest = source.partition("\n")
    found = re.match(r"### (.+?) \((difficulty .+?), (\d+) minutes?, (.+)\)", heading)
    id = check_id(following)
    prompt = markdown(re.sub(r"^\*Stuck\?.*", "", rest, flags=re.M | re.S))
    if not found or id is None:
        return markdown(heading) + prompt
    exercise = exercises.get(id)
    mistakes = "".join(f"<li>{html.escape(m.name)}</li>" for m in exercise.mistakes)
    hints = "".join(f"<li>{markdown(hint)}</li>" for hint in exercise.hints)
    return (
        f"<h3>{html.escape(found[1])}</h3>"
        f'<p class="effort">{found[2]} · {found[4]} '
        f'<button class="timer" data-minutes="{found[3]}">{found[3]}:00 · start</button></p>{prompt}'
        f'<aside class="notes"><p>Hints:</p><ol>{hints}</ol>'
        f"<p>Mistakes to expect:</p><ul>{mistakes}</ul></aside>"
    )


def _code(source: str) -> str:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    source = re.sub(r"\n{3,}", "\n\n", source)  # two empty lines are for editors
    return f'<pre class="code">{highlight(source, PythonLexer(), HtmlFormatter(nowrap=True))}</pre>'


def _output(output, source: str) -> list[str]:
    if output["output_type"] == "stream":
        text = re.sub(r"\x1b\[[0-9;]*m", "", "".join(output["text"])).rstrip()
        return [_printed(text)] if output["name"] == "stdout" and text else []
    data = output.get("data", {})
    if "image/png" in data:
        png = base64.b64encode(base64.b64decode("".join(data["image/png"]))).decode()
        alt = html.escape(picture_title(source) or "picture")
        return [f'<img src="data:image/png;base64,{png}" alt="{alt}">']
    if "text/markdown" in data:
        fenced = re.fullmatch(r"```python\n(.*)\n```\s*", "".join(data["text/markdown"]), re.S)
        return [_code(fenced[1]) if fenced else markdown("".join(data["text/markdown"]))]
    if "text/html" in data:
        return [f'<div class="html">{"".join(data["text/html"])}</div>']
    text = "".join(data.get("text/plain", ""))
    return [] if not text or text.startswith("<Figure") else [_printed(text)]


def _printed(text: str) -> str:
    """What a cell printed: lines too wide for a slide are broken, many short ones stand in two columns."""
    lines = []
    for line in text.splitlines():
        lines += textwrap.wrap(line, 98, subsequent_indent="    ") if len(line) > 98 else [line]
    kind = "printed columns" if len(lines) > 20 and max(map(len, lines)) <= 48 else "printed"
    return f'<pre class="{kind}">' + html.escape("\n".join(lines)) + "</pre>"


def write(source: Path, target: Path) -> Path:
    """Write the lecture of the notebook ``source`` to the file ``target``."""
    nb = read_file(source)
    first = next((cell["source"] for cell in nb["cells"] if cell["cell_type"] == "markdown"), source.stem)
    write_whole(target, deck(nb, first.partition("\n")[0].lstrip("# ")).encode("utf-8"))
    return target
