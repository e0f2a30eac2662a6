"""The built book as a reader meets it: pages, links, search, formulas, themes, a phone, accessibility."""

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import nbformat
import pytest
from helpers.browser import browser, needs_chromium, opened, served
from helpers.paths import ROOT

from fmkit.book import build

CHAPTERS = sorted(path.stem for path in (ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb"))
KINDS = {
    "00-start-here",
    "04-backprop",
    "index",
    "glossary",
    "mistakes",
}  # a page of each kind; all: make test-all
MADE = ["index", "map", "glossary", "agreement", "mistakes", "sources", "404"]
each_page = pytest.mark.parametrize(
    "name", [pytest.param(n, marks=() if n in KINDS else pytest.mark.slow) for n in CHAPTERS + MADE]
)


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Path:
    """The book of a copy of the project; its tables from a few rows."""
    root = tmp_path_factory.mktemp("project")
    shutil.copy(ROOT / "book.toml", root)
    (root / "fmkit").symlink_to(ROOT / "fmkit")
    shutil.copytree(ROOT / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns(".*"))
    (root / "notebooks" / ".ipynb_checkpoints").mkdir()
    (root / "notebooks" / ".ipynb_checkpoints" / "04-backprop-checkpoint.ipynb").write_text("{}")
    data = root / build.DATA
    data.mkdir(parents=True)
    case = {"name": "layers.linear", "errors": {"loop": 1e-17, "torch (cpu)": 0.0}}
    report = {"cases": [case], "versions": {"numpy": "2.4"}, "left_out": None}
    (data / "agreement.json").write_text(json.dumps(report))
    row = {"exercise": "a.b", "title": "A task", "chapter": "04", "answer": "halved", "is_proven": True}
    rows = [row | {"is_wrong": True}, row | {"is_wrong": False, "answer": "reference"}]
    (data / "kill_table.json").write_text(json.dumps(rows))
    edits = [{"chapter": "04", "refused": True, "told": True, "equal": False}]
    (data / "edits.json").write_text(json.dumps(edits))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "make_data", lambda root: None)
        return build.build(root)


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links, self.ids, self.headings, self.images = [], set(), [], []

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.links += [found[a] for a in ("href", "src") if found.get(a)]
        self.ids |= {found[a] for a in ("id", "name") if found.get(a)}
        if re.fullmatch("h[1-6]", tag) and found.get("class") not in ("menu-title", "mdbook-help-title"):
            self.headings.append(int(tag[1]))
        if tag == "img":
            self.images.append(found)


def read(page: Path) -> _Reader:
    reader = _Reader()
    reader.feed(page.read_text("utf-8"))
    return reader


def test_every_page_is_there_and_small(book):
    for name in CHAPTERS + MADE + ["print"]:
        page = book / f"{name}.html"
        assert page.exists(), name
        assert page.stat().st_size < (3_000_000 if name == "print" else 1_500_000), name
        assert '"cell_type"' not in page.read_text("utf-8")


def test_the_notebooks_to_download_are_the_students(book):
    found = sorted(path.stem for path in book.rglob("*.ipynb"))
    assert found == CHAPTERS
    for name in CHAPTERS:
        nb = nbformat.read(book / f"{name}.ipynb", as_version=4)
        assert not any("SOLUTION" in cell.source for cell in nb.cells)
        assert not any(cell.get("outputs") for cell in nb.cells)
        assert f'href="{name}.ipynb" download' in (book / f"{name}.html").read_text("utf-8")


def test_no_link_is_broken(book):
    readers = {page.name: read(page) for page in book.glob("*.html")}
    broken = []
    for name, reader in readers.items():
        for link in reader.links:
            if re.match(r"[a-z]+:", link):
                continue
            path, anchor = map(unquote, urldefrag(link))
            target = (book / path).resolve() if path else book / name
            is_page = target.exists() and target.suffix == ".html"
            if not target.exists() or (is_page and anchor and anchor not in readers[target.name].ids):
                broken.append(f"{name}: {link}")
    assert not broken


@pytest.mark.parametrize("name", CHAPTERS + MADE)
def test_headings_are_in_order_and_pictures_have_words(book, name):
    reader = read(book / f"{name}.html")
    assert reader.headings[0] == 1 and reader.headings.count(1) == 1
    for above, below in zip(reader.headings, reader.headings[1:], strict=False):
        assert below <= above + 1, f"a heading of level {below} under one of level {above}"
    small = [image for image in reader.images if int(image["width"]) < 100]  # of a table: words stand below
    words = [image["alt"] for image in reader.images if image not in small]
    assert len(set(words)) == len(words)
    assert not [
        alt for alt in words if len(alt.split()) < 2 or len(alt) > 200 or re.search(r"[{}$\\`*]", alt)
    ]


def test_nothing_is_loaded_from_elsewhere(book):
    for page in book.glob("*.html"):
        text = page.read_text("utf-8")
        assert not re.findall(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="(?:https?:)?//', text), (
            page.name
        )


@pytest.fixture(scope="module")
def site(book):
    with served(book) as address:
        yield address


@pytest.fixture(scope="module")
def chromium():
    with browser() as found:
        yield found


def faults(page, leave_out=(".katex", "pre > code"), **options) -> list:
    """What axe finds that is more than minor. Formulas and code are thousands of spans and take it long."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    context, options = {"exclude": [[one] for one in leave_out]}, {"resultTypes": ["violations"], **options}
    found = axe.Axe().run(page, context, options).response["violations"]
    return [(v["id"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found if v["impact"] != "minor"]


def choose_theme(page, name: str) -> None:
    page.click("#mdbook-theme-toggle")
    page.click(f"button#mdbook-theme-{name}")


@needs_chromium
@each_page
def test_a_page_in_the_browser(chromium, site, name):
    with opened(chromium, f"{site}{name}.html") as page:
        assert page.complaints == []
        assert page.locator(".katex-error").count() == 0
        assert page.locator(".math").count() == page.locator(".math:has(.katex)").count()
        page.evaluate("document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
        page.wait_for_function("[...document.images].every(i => i.complete)")
        assert page.evaluate("[...document.images].filter(i => !i.naturalWidth).map(i => i.src)") == []
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0
        page.evaluate("document.querySelectorAll('details').forEach(folded => (folded.open = true))")
        assert faults(page) == []
        choose_theme(page, "navy")
        assert faults(page, runOnly=["color-contrast"]) == []


@pytest.mark.slow
@needs_chromium
@pytest.mark.parametrize("theme", ["light", "navy"])
def test_the_colours_of_code_can_be_read(chromium, site, theme):
    with opened(chromium, f"{site}{CHAPTERS[4]}.html", theme=theme) as page:
        assert page.locator("pre .hljs-keyword").count() > 10
        assert faults(page, leave_out=[".katex"], runOnly=["color-contrast"]) == []


@needs_chromium
@each_page
def test_a_page_on_a_phone(chromium, site, name):
    with opened(chromium, f"{site}{name}.html", width=390, height=844) as page:
        assert page.complaints == []
        wide = page.evaluate("document.querySelector('main').scrollWidth - innerWidth")
        assert wide <= 0
        assert faults(page, runOnly=["scrollable-region-focusable", "target-size"]) == []


@pytest.mark.slow
@needs_chromium
def test_the_print_page_shows_every_formula_and_picture(chromium, site):
    with opened(chromium, f"{site}print.html") as page:
        assert page.complaints == []
        assert page.locator(".math").count() == page.locator(".math:has(.katex)").count() > 500
        assert page.locator(".katex-error").count() == 0
        images = page.evaluate("[...document.images].map(i => i.complete && i.naturalWidth > 0)")
        assert len(images) > 100 and all(images)


@needs_chromium
@pytest.mark.parametrize("query, page_name", [("softmax", "03-losses.html"), ("注意力", "glossary.html")])
def test_search(chromium, site, query, page_name):
    with opened(chromium, f"{site}index.html?search={query}") as page:
        page.wait_for_selector("#mdbook-searchresults li a", timeout=20_000)
        links = page.eval_on_selector_all("#mdbook-searchresults li a", "all => all.map(a => a.href)")
        assert any(page_name in link for link in links), links
        assert query in page.locator("#mdbook-searchresults").inner_text().lower()
        assert page.complaints == []


@needs_chromium
def test_from_page_to_page(chromium, site):
    with opened(chromium, f"{site}{CHAPTERS[1]}.html") as page:
        page.locator("a.next:visible").click()
        page.wait_for_url(f"**/{CHAPTERS[2]}.html")
        page.locator("a.previous:visible").click()
        page.wait_for_url(f"**/{CHAPTERS[1]}.html")
        hint = page.locator(".exercise details li").first
        assert not hint.is_visible()
        page.locator(".exercise summary").first.click()
        assert hint.is_visible()
        choose_theme(page, "navy")
        assert "navy" in page.evaluate("document.documentElement.className")
