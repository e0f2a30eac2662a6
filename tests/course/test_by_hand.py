"""What a person grades: nbgrader's tasks, free answers wherever they were typed, pictures, own assertions."""

import base64

import nbformat
import pytest
from click.testing import CliRunner
from helpers import courses
from helpers.courses import CHAPTER, LINEAR, NEURON, WHY
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from fmkit.command.cli import main
from fmkit.course import gradebook, pictures
from fmkit.course.chapter import read_chapter
from fmkit.course.feedback import write_feedback
from fmkit.course.grading import marking
from fmkit.course.submission import find_answers, read_cells

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 40).decode()
TASK = "Draw the loss.\n### BEGIN MARK SCHEME\n2: axes named\n### END MARK SCHEME\nDescribe it."
CODE = "backprop-code"


def chapter():
    """The small chapter with a task, an answer in code for a person, and assertions instead of a check."""
    nb = courses.chapter()
    courses.cell(nb, f"{LINEAR}-check").source = "assert scaled_linear_backward is not None"
    task = courses.meta("draw", task=True, locked=True, points=6)
    nb.cells.append(new_markdown_cell(TASK, id="draw", metadata=task))
    code = courses.meta(CODE, grade=True, solution=True, points=1)
    solution = "### BEGIN SOLUTION\ny = 1\n### END SOLUTION"
    nb.cells.append(new_code_cell(solution, id="code", metadata=code))
    return nb


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("chapter") / f"{CHAPTER}.ipynb"
    nbformat.write(chapter(), path)
    return path


def found(path, nb):
    return find_answers(read_cells(courses.data(nb)), read_chapter(path))


def added(nb, after, *cells):
    place = next(i for i, cell in enumerate(nb.cells) if cell.id == after) + 1
    nb.cells[place:place] = list(cells)
    return nb


def answered(source="YOUR ANSWER HERE"):
    nb = chapter()
    courses.cell(nb, WHY).source = source
    return nb


def test_what_a_person_grades_is_known(path):
    chapter = read_chapter(path)
    assert [entry.check_id for entry in chapter.asked] == [f"{NEURON}-check"]
    kinds = {entry.grade_id: (entry.kind, entry.answer_id) for entry in chapter.texts}
    assert kinds == {
        f"{LINEAR}-check": ("tests", LINEAR),
        WHY: ("answer", WHY),
        "draw": ("task", "draw"),
        CODE: ("answer", CODE),
    }


def test_an_answer_is_found_where_it_was_typed(path):
    new = new_markdown_cell("MINE")
    for nb in (
        answered("MINE"),
        added(answered(), "why", new),
        added(answered(), "prompt", new),
        added(answered(" "), "why", new_markdown_cell("")),
    ):
        text = "MINE" if "MINE" in nbformat.writes(nb) else ""
        assert found(path, nb).texts[WHY].strip() == text
    both = added(answered("first"), "why", new, new_code_cell("print(2)"))
    assert found(path, both).texts[WHY] == "first\n\nMINE\n\nprint(2)"


def test_an_answer_whose_cell_is_gone_is_found_at_its_place(path):
    nb = added(answered(), "prompt", new_markdown_cell("MINE"))
    nb.cells.remove(courses.cell(nb, WHY))
    assert found(path, nb).texts[WHY] == "MINE"


def test_a_task_is_answered_below_it(path):
    assert found(path, chapter()).texts["draw"] == ""
    drawn = new_code_cell("plt.plot(x)", outputs=[new_output("display_data", {"image/png": PNG})])
    answers = found(path, added(chapter(), "draw", drawn, new_markdown_cell("It falls.")))
    assert answers.texts["draw"] == "plt.plot(x)\n\nIt falls." and answers.pictures["draw"] == (PNG,)


def test_assertions_of_ones_own_show_the_answer_above(path):
    nb = chapter()
    courses.cell(nb, LINEAR).source = "def scaled_linear_backward(): pass"
    assert found(path, nb).texts[f"{LINEAR}-check"] == "def scaled_linear_backward(): pass"


def test_a_pasted_picture_is_found(path):
    nb = answered(f"![a](data:image/png;base64,{PNG})")
    answers = found(path, nb)
    assert answers.pictures[WHY] == (PNG,) and answers.texts[WHY] == "![a](the picture below)"


@pytest.mark.parametrize(
    "data, kind",
    [
        (b"\x89PNG\r\n\x1a\nmore", "image/png"),
        (b"\xff\xd8\xff\xe0more", "image/jpeg"),
        (b"GIF89amore", "image/gif"),
        (b"RIFF\x00\n\x00\x00WEBPmore", "image/webp"),
        (b"<svg onload='alert(1)'>", None),
        (b"<html><script>", None),
        (b" \x89PNG\r\n\x1a\n", None),
        (b"", None),
        (b"\x89PNG\r\n\x1a\n" + b"0" * pictures.LARGEST, None),
    ],
)
def test_only_a_picture_is_a_picture(data, kind):
    encoded = base64.encodebytes(data).decode()
    assert pictures.checked(encoded) == (kind and (kind, encoded.replace("\n", "")))
    assert pictures.checked(f'{encoded[:12]}"><script>') is None


def test_the_kind_is_what_the_picture_is_and_not_what_is_said(path):
    nb = answered("![a](attachment:a.svg)")
    svg = base64.b64encode(b"<svg onload='alert(1)'/>").decode()
    courses.cell(nb, WHY).attachments = {"a.svg": {"image/svg+xml": svg}, "b": {"image/png": svg}}
    cell = new_markdown_cell("")
    pictures.show(cell, list(found(path, nb).pictures[WHY]))
    assert svg not in nbformat.writes(courses.new_notebook(cells=[cell]))
    assert "1 more that cannot be shown here" in cell.source


def test_from_release_to_feedback(tmp_path, monkeypatch):
    course = courses.make(tmp_path / "course")
    nbformat.write(chapter(), course.notebook("source", CHAPTER))
    done = CliRunner().invoke(main, ["course", "release", "04", "--course", str(course.root)])
    assert f"without check(...), so left to be graded by hand: {LINEAR}-check" in done.output
    assert "MARK SCHEME" not in course.notebook("release", CHAPTER).read_text("utf-8")

    nb = added(answered("![a](attachment:a.png)"), "draw", new_markdown_cell("It falls."))
    courses.cell(nb, WHY).attachments = {"a.png": {"image/png": PNG}}
    courses.cell(nb, CODE).source = "y = 2  # mine"
    courses.hand_in(course, "ada", nb)
    assert len(marking.jobs(course, [CHAPTER])) == 1
    result = courses.result(course, "ada")
    del result["exercises"][f"{LINEAR}-check"]
    courses.enter(course, [result], monkeypatch)
    grade = gradebook.grades(course, CHAPTER)["ada"]
    assert grade["waiting"] == {WHY, "draw", CODE, f"{LINEAR}-check"}
    assert (grade["score"], grade["max_score"]) == (2, 2 + 3 + 4 + 6 + 1)

    shown = nbformat.read(course.notebook("autograded", CHAPTER, "ada"), 4)
    nbformat.validate(shown)
    assert courses.cell(shown, CODE).source == "y = 2  # mine"
    assert courses.cell(shown, "draw").source == f"{TASK}\n\n```text\nIt falls.\n```"
    why = courses.cell(shown, WHY)
    assert why.source.endswith("![picture-1](attachment:picture-1)")
    assert why.attachments == {"picture-1": {"image/png": PNG}}

    courses.by_hand(course, "ada", "draw", points=5, comment="Fine axes.")
    courses.enter(course, [result], monkeypatch)
    assert "draw" not in gradebook.grades(course, CHAPTER)["ada"]["waiting"]
    write_feedback(course, CHAPTER)
    page = course.notebook("feedback", CHAPTER, "ada").with_suffix(".html").read_text("utf-8")
    assert f'<img src="data:image/png;base64,{PNG}"' in page and "img-src data:" in page
    for words in ("It falls.", "Fine axes.", "5 of 6", "y = 2  # mine", "to be read, 3 at most"):
        assert words in page, words
    assert "axes named" not in page

    courses.cell(nb, WHY).attachments = {"a.png": {"image/png": PNG[:-4]}}
    courses.by_hand(course, "ada", WHY, points=1)
    courses.hand_in(course, "ada", nb)
    courses.enter(course, [result], monkeypatch)
    assert WHY in gradebook.grades(course, CHAPTER)["ada"]["waiting"]  # another picture: to be marked again
