"""Every chapter as a lecture: nothing overflows, nothing is fetched, notes and timers are there."""

import re

import nbformat
import pytest
from click.testing import CliRunner
from helpers.browser import browser, needs_chromium, opened, served
from helpers.paths import NOTEBOOKS
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from fmkit.book import slides
from fmkit.command.cli import main

CHAPTERS = sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb"))


def cell(make, source, kind, **more):
    return make(source, metadata={"slideshow": {"slide_type": kind}}, **more)


def test_cells_become_slides():
    cells = [
        cell(new_markdown_cell, "# Title $x_1$", "slide"),
        cell(new_code_cell, "secret = 1", "skip"),
        cell(new_code_cell, "shown = 1 < 2", "fragment", outputs=[new_output("stream", text="a < b")]),
        cell(new_markdown_cell, "Below", "subslide"),
        cell(new_markdown_cell, "Say this", "notes"),
        cell(new_markdown_cell, "Next", "slide"),
    ]
    text = slides.deck(new_notebook(cells=cells), "A <deck>")
    body = text.split('<div class="slides">')[1].split("<script>")[0]
    assert body.count("<section><section>") == 2 and body.count("<section>") == 5
    assert body.count('<p class="step">') == 0
    assert "secret" not in body and 'data-tex="x_1"' in body
    assert '<div class="block fragment" data-fragment-index="1"><pre class="code">' in body
    assert "a &lt; b" in body
    assert '<aside class="notes"><p>Say this</p>' in body
    assert "<title>A &lt;deck&gt;</title>" in text


def test_what_is_printed_fits():
    wide, many = "word " * 40, "short\n" * 30
    cells = [
        cell(new_code_cell, "", "slide", outputs=[new_output("stream", text=text)]) for text in (wide, many)
    ]
    shown = re.findall(
        r'<pre class="(printed.*?)">(.*?)</pre>', slides.deck(new_notebook(cells=cells), ""), re.S
    )
    assert [kind for kind, _ in shown] == ["printed", "printed columns"]
    assert max(map(len, shown[0][1].splitlines())) <= 98 and shown[0][1].split() == ["word"] * 40
    assert shown[1][1].split() == ["short"] * 30


def test_solutions_stay_out():
    for path in CHAPTERS:
        assert "BEGIN SOLUTION" not in slides.deck(nbformat.read(path, as_version=4), path.stem)


def test_the_command(tmp_path):
    target = tmp_path / "new" / "deck.html"
    done = CliRunner().invoke(main, ["slides", "00", "--output", str(target)])
    assert done.exit_code == 0 and str(target) in done.output
    assert "Reveal" in target.read_text("utf-8")
    done = CliRunner().invoke(main, ["slides", "77"])
    assert done.exit_code == 1 and done.stderr.startswith("Error: there is no chapter '77'; there are 00-")


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("decks")
    for path in CHAPTERS:
        slides.write(path, folder / f"{path.stem}.html")
    with served(folder) as address, browser() as chromium:
        yield lambda name: opened(chromium, f"{address}{name}.html", height=720)


READY = "window.Reveal && Reveal.isReady()"
OVERFLOW = """() => {
  const found = [];
  for (const slide of Reveal.getSlides()) {
    const {h, v} = Reveal.getIndices(slide);
    Reveal.slide(h, v, 99);
    for (const element of slide.querySelectorAll(".step, .block, .block *")) {
      if (element.closest("aside, svg, .katex-mathml")) continue;
      const box = element.getBoundingClientRect();
      if (box.bottom > 721 || box.right > 1281)
        found.push(`slide ${h}/${v}: ${element.tagName} ${Math.round(box.right)} ${Math.round(box.bottom)}`);
    }
  }
  return found;
}"""
SIZES = "Reveal.getSlides().map(s => parseFloat(getComputedStyle(s).fontSize) / 28)"
CONTINUED = """Reveal.getSlides().filter(s => s.dataset.continued).map(s => {
  const {h, v} = Reveal.getIndices(s);
  return `slide ${h}/${v}`;
})"""


@needs_chromium
@pytest.mark.parametrize(
    "name", [p.stem if p.stem[:2] == "04" else pytest.param(p.stem, marks=pytest.mark.slow) for p in CHAPTERS]
)
def test_nothing_overflows(decks, name):
    with decks(name) as page:
        page.wait_for_function(READY)
        assert page.complaints == []
        assert page.locator(".katex-error").count() == 0
        assert page.evaluate(OVERFLOW) == []
        assert min(page.evaluate(SIZES)) > 0.79, "too small to read from the last row"
        assert page.evaluate(CONTINUED) == [], "more than one slide can hold: end it sooner, in the metadata"


@needs_chromium
def test_keys_notes_and_timer(decks):
    with decks("04-backprop") as page:
        page.wait_for_function(READY)
        places = []
        while page.evaluate("Reveal.getIndices().h") == 0:
            places.append(page.evaluate("Reveal.getIndices().v"))
            page.keyboard.press("ArrowRight")
        below = page.locator(".slides > section:first-child > section").count()
        assert sorted(set(places)) == [*range(below)], "the right arrow goes through the slides below, too"
        page.evaluate("document.querySelector('.timer').closest('section').dataset.wanted = 1")
        where = "Reveal.getIndices(document.querySelector('[data-wanted]'))"
        page.evaluate(f"(({{h, v}}) => Reveal.slide(h, v))({where})")
        timer = page.locator("[data-wanted] .timer")
        assert timer.inner_text() == "10:00 · start"
        timer.click()
        page.wait_for_function("document.querySelector('[data-wanted] .timer').innerText.startsWith('9:5')")
        timer.click()
        assert timer.inner_text().endswith("start")
        notes = page.evaluate("document.querySelector('[data-wanted] aside.notes').textContent")
        assert "Mistakes to expect" in notes
