"""The one reader of notebooks: what nbformat reads, and plain words for what cannot be read."""

import json

import nbformat
import pytest
from helpers.paths import NOTEBOOKS
from nbformat.v4 import new_markdown_cell, new_notebook

from fmkit.chapters.read import parse, read, read_file, read_node, to_text
from fmkit.chapters.student import student_version
from fmkit.errors import ChapterError

CHAPTERS = sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb"))
SMALL = nbformat.writes(new_notebook(cells=[new_markdown_cell("ä\nb", id="a")])).encode()


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_it_reads_and_writes_what_nbformat_does(path):
    ours, theirs = read_file(path), nbformat.read(path, as_version=4)
    for cell, other in zip(ours["cells"], theirs["cells"], strict=True):
        assert cell["source"] == other["source"] and cell["metadata"] == other["metadata"]
    assert read_node(path.read_bytes()) == theirs
    assert to_text(student_version(ours)) == nbformat.writes(student_version(theirs)) + "\n"


def test_a_mark_at_the_beginning_is_no_obstacle():
    assert read(b"\xef\xbb\xbf" + SMALL) == read(SMALL) == read(SMALL.decode())
    assert read_node(b"\xef\xbb\xbf" + SMALL).cells[0].source == "ä\nb"


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "[" * 100_000])
def test_what_is_not_an_object_of_json(text):
    for reader in (parse, read, lambda text: read_node(text.encode())):
        with pytest.raises(ValueError):
            reader(text)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"nbformat": 3}, "format 4"),
        ({"cells": None}, "format 4"),
        ({"cells": {}}, "format 4"),
        ({"metadata": []}, "format 4"),
        ({"cells": [3]}, "cell 0"),
        ({"cells": [{"cell_type": "code", "metadata": {}}]}, "cell 0"),
        ({"cells": [{"cell_type": "code", "metadata": {}, "source": [1]}]}, "cell 0"),
        ({"cells": [{"cell_type": "code", "metadata": None, "source": ""}]}, "cell 0"),
        ({"cells": [{"metadata": {}, "source": ""}]}, "cell 0"),
    ],
)
def test_what_is_not_a_notebook(change, words, tmp_path):
    text = json.dumps(json.loads(SMALL) | change)
    assert parse(text) == json.loads(text)
    with pytest.raises(ValueError, match=words):
        read(text)
    (tmp_path / "x.ipynb").write_text(text)
    with pytest.raises(ChapterError, match=rf"x\.ipynb .*{words}"):
        read_file(tmp_path / "x.ipynb")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ChapterError, match=r"x\.ipynb cannot be read: No such file"):
        read_file(tmp_path / "x.ipynb")


def test_an_old_notebook_becomes_one_of_format_4():
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": []}]}
    assert read_node(json.dumps(old).encode()).nbformat == 4
