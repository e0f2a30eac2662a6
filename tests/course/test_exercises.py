"""A course's own exercises: a new one, its cells, and what is refused."""

import nbformat
import pytest

from fmkit.chapters.read import read_file
from fmkit.chapters.student import student_version
from fmkit.course import exercises as own_exercises
from fmkit.course.chapter import read_chapter
from fmkit.course.layout import Course
from fmkit.errors import CourseError

ID = "rootfinding.newton"


@pytest.fixture
def course(tmp_path):
    return Course(tmp_path)


def test_a_new_exercise_is_a_file_and_a_notebook(course):
    file, notebook = own_exercises.new(course, ID)
    assert file == course.root / "exercises" / "rootfinding" / "newton.py"
    nb = nbformat.read(notebook, 4)
    nbformat.validate(nb)
    (asked,) = read_chapter(notebook).asked
    assert (asked.exercise, asked.function, asked.points) == (ID, "newton", 2)
    assert (asked.answer_id, asked.check_id) == ("rootfinding-newton", "rootfinding-newton-check")
    assert [cell.id for cell in nb.cells][-3:] == ["rootfinding-newton-task", asked.answer_id, asked.check_id]
    assert "`newton([0, 1, 3], [1, 2, 4])` is `7.5`" in nb.cells[2].source


def test_the_students_version_of_its_cells_has_no_solution(course):
    nb = student_version(read_file(own_exercises.new(course, ID)[1]))
    answer = nb["cells"][3]["source"]
    assert answer.startswith("def newton(x, y):\n    # YOUR CODE HERE\n    raise NotImplementedError")
    assert "widths" not in str(nb)


def test_what_is_there_is_not_overwritten(course):
    file, notebook = own_exercises.new(course, ID)
    file.write_text("mine", "utf-8")
    with pytest.raises(CourseError, match="newton.py is there already"):
        own_exercises.new(course, ID)
    file.unlink()
    with pytest.raises(CourseError, match="newton.ipynb is there already"):
        own_exercises.new(course, ID)
    assert not file.exists() and notebook.exists()


@pytest.mark.parametrize(
    "id",
    [
        "newton",
        "",
        "a.b.c",
        "../up.x",
        "a/b.c",
        "a\\b.c",
        "Roots.newton",
        "a.b-c",
        "a.1",
        ".a.b",
        "a.b\n",
        "ä.b",
    ],
)
def test_an_id_that_is_not_two_plain_names_is_refused(course, id):
    with pytest.raises(CourseError, match="two names of lower-case letters"):
        own_exercises.new(course, id)
    assert not list(course.root.iterdir())


@pytest.mark.parametrize(
    "id, words",
    [("backprop.linear", "fmkit's own"), ("a.lambda", "lambda means"), ("a.cases", "cases means")],
)
def test_an_id_that_is_taken_is_refused(course, id, words):
    with pytest.raises(CourseError, match=words):
        own_exercises.new(course, id)


def test_the_cells_follow_the_file(course):
    file, notebook = own_exercises.new(course, ID)
    text = file.read_text("utf-8").replace(
        "newton(x, y):", 'newton(x, heights=None):\n    """Say."""\n    # why\n'
    )
    text = text.replace("y[1:] + y[:-1]", "heights[1:] + heights[:-1]").replace("points=2", "points=3")
    file.write_text(text, "utf-8")
    own_exercises.write_cells(course, ID)
    (asked,) = read_chapter(notebook).asked
    answer = read_file(notebook)["cells"][3]["source"]
    assert asked.points == 3
    head = 'def newton(x, heights=None):\n    """Say."""\n    ### BEGIN SOLUTION\n    # why\n'
    assert answer.startswith(head) and answer.endswith("### END SOLUTION")
    compile(answer, "answer", "exec")


def test_an_answer_in_one_line_has_cells_too(course):
    file, notebook = own_exercises.new(course, ID)
    text = file.read_text("utf-8")
    begin, end = text.index("def newton"), text.index("# CHANGE: right answers")
    short = "def newton(x, y): return np.sum(np.diff(x) * (y[1:] + y[:-1]) / 2)\n\n\n"
    text = text[:begin] + short + text[end:]
    begin, end = text.index("    mistakes=("), text.index("    # CHANGE: shown one")
    file.write_text(text[:begin] + "    mistakes=(),\n" + text[end:], "utf-8")
    own_exercises.write_cells(course, ID)
    answer = read_file(notebook)["cells"][3]["source"].splitlines()
    assert answer[:2] == ["def newton(x, y):", "    ### BEGIN SOLUTION"] and len(answer) == 4


def test_there_are_no_cells_without_a_file(course):
    with pytest.raises(CourseError, match="there is no exercise 'a.b'"):
        own_exercises.write_cells(course, "a.b")
