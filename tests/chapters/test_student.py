"""The student version: solutions cut as nbgrader cuts them, and it runs to the neutral card."""

import copy

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from fmkit.chapters.student import PLACEHOLDER, student_version

ANSWER = {
    "grade": False,
    "grade_id": "start-ink",
    "locked": False,
    "schema_version": 3,
    "solution": True,
    "task": False,
}
CHECK = {
    **ANSWER,
    "grade_id": "start-ink-check",
    "grade": True,
    "locked": True,
    "solution": False,
    "points": 1,
}
SOLUTION = '''def f(x):
    """Words."""
    y = 2 * x
    if x:
        ### BEGIN SOLUTION
        secret = 3
        return secret

        ### END SOLUTION
    return y'''
CUT = '''def f(x):
    """Words."""
    y = 2 * x
    if x:
        # YOUR CODE HERE
        raise NotImplementedError("write this, then run its check")
    return y'''


def notebook(*cells):
    return new_notebook(cells=list(cells))


def answer(source, metadata=ANSWER):
    return new_code_cell(source, metadata={"nbgrader": dict(metadata)})


def test_a_solution_gives_way_to_a_placeholder_of_its_own_indentation():
    nb = notebook(answer(SOLUTION))
    before = copy.deepcopy(nb)
    (cell,) = student_version(nb).cells
    assert cell.source == CUT
    assert cell.id == nb.cells[0].id and cell.metadata.nbgrader == ANSWER
    assert nb == before


def test_two_solutions_in_a_cell():
    source = "### BEGIN SOLUTION\na = 1\n### END SOLUTION\nb = 2\n### BEGIN SOLUTION\nc = 3\n### END SOLUTION"
    stub = "\n".join(PLACEHOLDER)
    assert student_version(notebook(answer(source))).cells[0].source == f"{stub}\nb = 2\n{stub}"


def test_it_is_what_nbgrader_makes():
    clear = pytest.importorskip("nbgrader.preprocessors").ClearSolutions()
    clear.code_stub = {"python": "\n".join(PLACEHOLDER)}
    nb = notebook(answer(SOLUTION))
    nbgraders, _ = clear.preprocess(copy.deepcopy(nb), {})
    assert nbgraders.cells[0].source == student_version(nb).cells[0].source


def test_the_metadata_of_a_released_cell_is_valid_for_nbgrader():
    validator = pytest.importorskip("nbgrader.nbgraderformat").MetadataValidator()
    validator.validate_nb(student_version(notebook(answer(SOLUTION), answer("check(...)", CHECK))))


def test_a_written_answer():
    metadata = {"nbgrader": ANSWER}
    source = "Say why.\n\n### BEGIN SOLUTION\nBecause.\n### END SOLUTION"
    cell = new_markdown_cell(source, metadata=metadata)
    assert student_version(notebook(cell)).cells[0].source == "Say why.\n\nYOUR ANSWER HERE"


def test_hidden_tests_and_instructor_cells_go():
    hidden = answer("check(1)\n### BEGIN HIDDEN TESTS\nsecret()\n### END HIDDEN TESTS\nlast()", CHECK)
    nb = notebook(
        hidden, new_markdown_cell("secret", metadata={"tags": ["instructor", "x"]}), new_code_cell("a")
    )
    cells = student_version(nb).cells
    assert [cell.source for cell in cells] == ["check(1)\nlast()", "a"]


def test_outputs_are_cleared():
    cell = new_code_cell("1 + 1", execution_count=3, outputs=[new_output("stream", text="2")])
    nb = notebook(cell)
    nb.metadata["widgets"] = {"state": {}}
    cleared = student_version(nb)
    assert cleared.cells[0].outputs == [] and cleared.cells[0].execution_count is None
    assert "widgets" not in cleared.metadata


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("a\n### BEGIN SOLUTION\nb", "BEGIN SOLUTION in line 2 without an END"),
        ("a\n### END SOLUTION\nb", "END SOLUTION in line 2 without a BEGIN"),
        (
            "### BEGIN SOLUTION\n### BEGIN SOLUTION\n### END SOLUTION",
            "line 2 before the one in line 1 has ended",
        ),
        ("### BEGIN HIDDEN TESTS\nb", "BEGIN HIDDEN TESTS in line 1 without an END"),
        ("### END SOLUTION\n### BEGIN SOLUTION", "END SOLUTION in line 1 without a BEGIN"),
    ],
)
def test_markers_that_do_not_pair_up(source, words):
    nb = notebook(new_markdown_cell("first"), new_code_cell(source, id="the-cell"))
    with pytest.raises(ValueError, match=rf"cell 1 \(the-cell\): .*{words}"):
        student_version(nb)


def test_an_answer_without_markers_is_not_handed_out():
    with pytest.raises(ValueError, match="would be handed out"):
        student_version(notebook(answer("def f(x):\n    return 3")))
    with pytest.raises(ValueError, match="would be handed out"):
        student_version(notebook(answer("def f(x):\n    # YOUR CODE HERE\n    return 3")))


def test_a_student_version_stays_as_it_is():
    once = student_version(notebook(answer(SOLUTION), answer("check(1)", CHECK)))
    assert student_version(once) == once


def test_a_notebook_without_exercises_is_only_cleared():
    nb = notebook(new_markdown_cell("# Title"), new_code_cell("1"))
    assert [c.source for c in student_version(nb).cells] == ["# Title", "1"]


def test_unanswered_exercises_give_the_neutral_card(tmp_path):
    from nbclient import NotebookClient

    nb = notebook(
        new_code_cell("from fmkit.lab import check"),
        answer(
            "def ink(images):\n    ### BEGIN SOLUTION\n    return images.mean((1, 2))\n    ### END SOLUTION"
        ),
        answer('check("start.ink", ink)', CHECK),
        new_code_cell('check("start.ink", lambda images: images.sum((1, 2)), seed=0)'),
    )
    student = student_version(nb)
    resources = {"metadata": {"path": str(tmp_path)}}
    client = NotebookClient(
        student, timeout=120, kernel_name="python3", allow_errors=True, resources=resources
    )
    client.execute()
    card, error = student.cells[2].outputs
    assert card.data["text/plain"].startswith("○ start.ink: not done yet")
    assert "Not done yet" in card.data["text/html"]
    assert (error.ename, error.evalue) == ("CheckFailed", "start.ink: not done yet")
    assert error.traceback == ["CheckFailed: start.ink: not done yet"]
    card, error = student.cells[3].outputs
    assert card.data["text/plain"].startswith("✗ start.ink: not right yet")
    assert len(error.traceback) == 1
    assert nbformat.validate(student) is None


@pytest.mark.parametrize("mark", ["### {} MARK SCHEME", "=== {} MARK SCHEME ===", "<!-- {} MARK SCHEME -->"])
def test_a_mark_scheme_is_cut_with_its_pictures(mark):
    scheme = f"{mark.format('BEGIN')}\n2: axes named ![a](attachment:key.png)\n{mark.format('END')}"
    cell = new_markdown_cell(f"Draw it. ![b](attachment:axes.png)\n{scheme}\nThen describe it.")
    cell.metadata["nbgrader"] = ANSWER | {"solution": False, "locked": True, "task": True, "points": 6}
    cell.attachments = {"key.png": {"image/png": "a2V5"}, "axes.png": {"image/png": "YXhlcw=="}}
    (cut,) = student_version(notebook(cell)).cells
    assert cut.source == "Draw it. ![b](attachment:axes.png)\nThen describe it."
    assert list(cut.attachments) == ["axes.png"]
