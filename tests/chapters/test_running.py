"""Notebooks as files: the normal form, and executing and saving them safely."""

import base64
import copy
import io
import json
import os
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from helpers.paths import NOTEBOOKS, ROOT
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from fmkit.chapters.running import KERNEL, WIDGET_VIEW, _packed, is_normalised, normalise, run

CFG = ROOT / "tests" / "sanitize.cfg"


def messy():
    """A notebook as an editor leaves it."""
    widget = new_output(
        "display_data", data={WIDGET_VIEW: {"model_id": "ab"}, "text/plain": "IntSlider(value=3)"}
    )
    figure = new_output("display_data", data={WIDGET_VIEW: {}, "image/png": "aaaa", "text/plain": "<Figure>"})
    cells = [
        new_markdown_cell("# Title", id="title", metadata={"tags": []}),
        new_code_cell(
            "1",
            id="one",
            execution_count=1,
            metadata={"execution": {"iopub.status.busy": "2024"}, "scrolled": True, "tags": ["keep"]},
            outputs=[widget, figure],
        ),
        new_code_cell("2", id="two", metadata={"nbgrader": {"grade_id": "a.b-check"}}, execution_count=2),
    ]
    nb = new_notebook(cells=cells)
    nb.metadata = nbformat.from_dict(
        {
            "widgets": {"state": {}},
            "kernelspec": {"name": "my-env", "display_name": "Mine"},
            "language_info": {"name": "python", "version": "3.13.1"},
            "colab": {"provenance": []},
            "unheard_of": 1,
        }
    )
    return nb


def test_the_normal_form():
    nb = messy()
    before = copy.deepcopy(nb)
    normal = normalise(nb)
    assert nb == before
    assert normal.metadata == {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    title, one, two = normal.cells
    assert (title.metadata, one.metadata) == ({}, {"tags": ["keep"]})
    assert [list(output.data) for output in one.outputs] == [["image/png", "text/plain"]]
    assert [cell.id for cell in normal.cells] == ["title", "one", "two"]
    assert two.metadata.nbgrader.grade_id == "a-b-check"
    assert normalise(normal) == normal
    nbformat.validate(normal)


def test_only_metadata_that_is_known_stays():
    kept = {
        "tags": ["hide-input"],
        "slideshow": {"slide_type": "fragment"},
        "nbgrader": {"grade_id": "a", "points": 1, "schema_version": 3},
        "jupyter": {"source_hidden": True, "outputs_hidden": False},
        "editable": False,
        "deletable": False,
    }
    noise = {
        "outputId": "x",
        "colab": {"height": 17},
        "id": "abc",
        "vscode": {},
        "execution": {},
        "hidden": True,
    }
    cell = new_code_cell("1", id="one", metadata={**kept, **noise})
    cell.metadata.jupyter = {**kept["jupyter"], "is_executing": True}
    data = {"image/png": "aaaa", "text/plain": "<Figure>"}
    size = {"image/png": {"width": 300}, "needs_background": "light"}
    cell.outputs = [
        new_output("display_data", data, metadata={**size, "outputId": "y", "text/html": {}}),
        new_output("stream", text="printed"),
    ]
    only_noise = new_markdown_cell("a", id="two", metadata={**noise, "jupyter": {"is_executing": True}})
    normal = normalise(new_notebook(cells=[cell, only_noise]))
    assert normal.cells[0].metadata == kept and normal.cells[1].metadata == {}
    assert normal.cells[0].outputs[0].metadata == size
    nbformat.validate(normal)
    assert normalise(normal) == normal


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb")), ids=lambda path: path.stem)
def test_the_chapters_lose_nothing(path):
    nb = nbformat.read(path, as_version=4)
    assert normalise(nb) == nb


def test_missing_and_double_ids_become_stable_ones():
    nb = messy()
    nb.cells[1].id = "title"
    del nb.cells[2]["id"]
    ids = [cell.id for cell in normalise(nb).cells]
    assert ids[0] == "title" and len(set(ids)) == 3
    assert ids == [cell.id for cell in normalise(nb).cells]


def test_problems_are_named():
    problems = is_normalised(messy())
    for words in (
        "'widgets'",
        "'kernelspec'",
        "'language_info'",
        "(one): metadata",
        "(one): outputs",
        "(two)",
    ):
        assert any(words in problem for problem in problems), words
    assert is_normalised(normalise(messy())) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda nb: nb.cells[1].update(execution_count=None), "execution count None, not 1"),
        (lambda nb: nb.cells[2].update(execution_count=7), "execution count 7, not 2"),
        (
            lambda nb: nb.cells[2].outputs.append(new_output("error", ename="E", evalue="e")),
            "raised an error",
        ),
        (lambda nb: nb.update(nbformat_minor=4), "format is 4.4"),
    ],
)
def test_a_run_that_is_not_fresh_and_whole(change, words):
    nb = normalise(messy())
    change(nb)
    assert any(words in problem for problem in is_normalised(nb))


def test_an_error_that_is_meant_is_no_problem():
    nb = normalise(messy())
    nb.cells[2].outputs.append(new_output("error", ename="E", evalue="e"))
    nb.cells[2].metadata["tags"] = ["raises-exception"]
    assert is_normalised(nb) == []


def test_a_picture_is_stored_in_fewer_bytes_with_the_same_pixels():
    def png(pixels):
        content = io.BytesIO()
        Image.fromarray(pixels).save(content, "PNG", dpi=(96, 96), compress_level=1)
        return base64.b64encode(content.getvalue()).decode()

    def opened(picture):
        return Image.open(io.BytesIO(base64.b64decode(picture)))

    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 4), np.uint8)
    glass, opaque = png(pixels), png(np.where(np.arange(4) == 3, 255, pixels).astype(np.uint8))
    packed = _packed(opaque)
    assert len(packed) < 0.9 * len(opaque) and opened(packed).mode == "RGB"
    assert round(opened(packed).info["dpi"][0]) == 96
    assert np.array_equal(np.array(opened(packed)), pixels[..., :3])
    assert np.array_equal(np.array(opened(_packed(glass))), pixels)  # what shows through goes on showing
    assert _packed(packed) == packed
    assert _packed("aaaa") == "aaaa"


# --- with a kernel -----------------------------------------------------------------------------------------


def save(path, *sources, tags=()):
    cells = [
        new_code_cell(source, id=f"cell-{i}", metadata={"tags": list(tags)})
        for i, source in enumerate(sources)
    ]
    nbformat.write(new_notebook(cells=cells), path)
    return path


def outputs(path):
    return [[o.get("text") or o.get("data") for o in cell.outputs] for cell in nbformat.read(path, 4).cells]


@pytest.mark.slow
def test_run_executes_in_the_notebooks_folder_and_saves_the_normal_form(tmp_path, capsys):
    (tmp_path / "beside.txt").write_text("beside it")
    path = save(
        tmp_path / "sample.ipynb",
        "print(open('beside.txt').read())\nprint('again')",
        'from fmkit.lab import check, hint, progress, show\ncheck("start.ink", lambda x: x.mean((1, 2)))',
        'hint("start.ink")',
        "progress()",
        "show(show)",
        "",
    )
    os.chmod(path, 0o640)
    assert run([path]) == 0
    assert "6 cells" in capsys.readouterr().out
    assert is_normalised(nbformat.read(path, 4)) == []
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "beside.txt",
        "sample.ipynb",
    ]  # no progress, no litter
    said = outputs(path)
    assert said[0] == ["beside it\nagain\n"]
    assert said[1][0]["text/plain"].startswith("✓ start.ink: correct")
    assert "hint 1 of" in said[2][0]["text/plain"]
    assert "1 of 1" in said[3][0]["text/plain"]
    assert said[4][0]["text/markdown"].startswith("```python\ndef show(")
    first = path.read_text()
    assert run([path]) == 0 and path.read_text() == first  # the same each time
    assert nbval(path).returncode == 0


def nbval(path):
    """Compare the notebook's outputs with those of a new run, as the course's tests do."""
    options = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=120", f"--nbval-sanitize-with={CFG}"]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, path.name]
    return subprocess.run(command, cwd=path.parent, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            "a = 1\na / 0",
            "cell 1 (cell-1)\n    a = 1\n    a / 0\n   raised ZeroDivisionError: division by zero",
        ),
        ("import time; time.sleep(60)", "took more than 1 s"),
        ("import os; os._exit(1)", "the kernel died in cell 1"),
    ],
)
def test_a_failing_notebook_is_left_untouched_and_the_cell_named(tmp_path, capsys, source, words):
    path = save(tmp_path / "bad.ipynb", "1", source)
    before = path.read_bytes()
    assert run([path], timeout=1 if "sleep" in source else 60) == 1
    out = capsys.readouterr().out
    assert "NOT saved" in out and words in out
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_what_is_no_notebook_is_said_and_the_others_are_run(tmp_path, capsys):
    broken, wrong = tmp_path / "broken.ipynb", tmp_path / "wrong.ipynb"
    broken.write_text("{")
    wrong.write_text(json.dumps([1]))
    unknown, bare = tmp_path / "unknown.ipynb", tmp_path / "bare.ipynb"
    cell = {"cell_type": "poem", "source": "", "metadata": {}, "id": "a"}
    unknown.write_text(json.dumps(dict(new_notebook(), cells=[cell])))
    bare.write_text(json.dumps(dict(new_notebook(), cells=[{"cell_type": "code"}])))
    good = save(tmp_path / "good.ipynb", "1 + 1")
    good.write_bytes(b"\xef\xbb\xbf" + good.read_bytes())  # some editors put a mark at the beginning
    assert run([tmp_path / "missing.ipynb", broken, wrong, unknown, bare, good]) == 1
    out = capsys.readouterr().out
    assert out.count("NOT saved") == 5 and "good.ipynb: 1 cells" in out
    assert outputs(good) == [[{"text/plain": "2"}]]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "there").mkdir()
    path = save(tmp_path / "there" / "real.ipynb", "1 + 1")
    link = tmp_path / "link.ipynb"
    link.symlink_to(path)
    assert run([link]) == 0
    assert link.is_symlink() and outputs(path) == [[{"text/plain": "2"}]]


def test_a_missing_kernel_is_said(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(KERNEL, "name", "no-such-kernel")
    assert run([save(tmp_path / "a.ipynb", "1")]) == 1
    assert "Jupyter has no kernel named no-such-kernel" in capsys.readouterr().out


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path, capsys):
    path = save(tmp_path / "edited.ipynb", "open('edited.ipynb', 'a').write(' ')")
    assert run([path]) == 1
    assert "somebody else changed the file" in capsys.readouterr().out
    assert path.read_text().endswith(" ")


def test_an_expected_exception_is_kept(tmp_path):
    path = save(tmp_path / "raises.ipynb", "1 / 0", "3", tags=["raises-exception"])
    assert run([path]) == 0
    assert nbformat.read(path, 4).cells[0].outputs[0].ename == "ZeroDivisionError"
