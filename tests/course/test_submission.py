"""Reading a submission: limits on its JSON, and which cell is the answer."""

import json

import pytest
from helpers import submissions as s

from fmkit.course import submission
from fmkit.course.chapter import read_chapter
from fmkit.course.submission import Unreadable, find_answers, read_cells

CHAPTER = read_chapter(s.NOTEBOOK)
RIGHT = s.HEAD + s.RIGHT
OLD = f"{s.HEAD}\n    return x.sum(0), 0.0"
PLACEHOLDER = s.cell_of(s.untouched(), s.NEURON)["source"]
COMMENTED = f'{s.HEAD}\n    # raise NotImplementedError("write this")\n{s.RIGHT}'


def found(notebook):
    """The source that counts as the neuron's answer, and the notes on it."""
    answers = find_answers(read_cells(s.data_of(notebook)), CHAPTER)
    at = answers.found.get(f"{s.NEURON}-check")
    return at if at is None else answers.cells[at].source, answers.notes[f"{s.NEURON}-check"]


def with_cell(answer, source, below):
    notebook = s.with_answer(answer)
    notebook["cells"].insert(s.place_of(notebook, s.NEURON) + below, s.code_cell(source))
    return notebook


@pytest.mark.parametrize(
    "own",
    [
        RIGHT,
        COMMENTED,
        f"{RIGHT}\n    raise NotImplementedError",
        f"{PLACEHOLDER}\n\n{RIGHT}",
        f"{PLACEHOLDER}\nneuron_gradients = lambda x, w, b, t: my_gradients(x, w, b, t)",
        f"if True:\n    {RIGHT}",
        f"loss, neuron_gradients = None, {s.NEURON!r}",
        "\n".join(f"    {line}" for line in RIGHT.split("\n")),
        ">>> " + RIGHT.replace("\n", "\n... "),
    ],
)
@pytest.mark.parametrize("below", [0, 3])
def test_a_finished_answer_is_preferred_to_older_tries(own, below):
    assert found(with_cell(own, OLD, below)) == (own, [])


def test_what_stands_between_the_answer_and_its_check_is_newer():
    assert found(with_cell(RIGHT, OLD, 1)) == (OLD, [])


@pytest.mark.parametrize("own", [PLACEHOLDER, "# it stands elsewhere", f"{PLACEHOLDER}# return"])
@pytest.mark.parametrize("below", [0, 1, 3])
def test_an_unfinished_answer_gives_way(own, below):
    assert found(with_cell(own, RIGHT, below))[0] == RIGHT


def turned(kind, source=RIGHT):
    notebook = s.with_answer(source)
    s.cell_of(notebook, s.NEURON)["cell_type"] = kind
    return notebook


@pytest.mark.parametrize("kind, words", [("markdown", "a Markdown cell"), ("raw", "a raw cell")])
def test_an_answer_that_a_slip_turned_into_text_counts(kind, words):
    source, notes = found(turned(kind))
    assert source == RIGHT and words in notes[0]
    assert found(turned(kind, "I did not find out."))[0] is None


def test_code_is_preferred_to_what_was_turned_into_text():
    notebook = turned("markdown", OLD)
    notebook["cells"].insert(s.place_of(notebook, s.NEURON), s.code_cell(RIGHT))
    assert found(notebook)[0] == RIGHT


# --- limits -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("filling", [b"{}", b"[]", b"0", b'{"a":{}}'])
def test_json_of_too_many_parts_is_not_read(filling, monkeypatch):
    monkeypatch.setattr(submission, "parse", lambda text: pytest.fail("it was read"))
    monkeypatch.setattr(submission, "MAX_ELEMENTS", 1000)
    with pytest.raises(Unreadable, match="it has too many parts"):
        read_cells(b'{"cells":[],"x":[' + b",".join([filling] * 1500) + b"]}")


def test_signs_in_texts_are_no_parts(monkeypatch):
    monkeypatch.setattr(submission, "MAX_ELEMENTS", 1000)
    output = {"output_type": "stream", "name": "stdout", "text": '1,2,{"\\[' * 5000}
    cell = {"cell_type": "code", "source": "x = 1", "outputs": [output]}
    with pytest.raises(Unreadable, match="Unterminated string"):  # found in one go, too
        read_cells(b'{"' + rb"\"," * 200_000)
    assert read_cells(json.dumps({"cells": [cell]}).encode())[0].source == "x = 1"
