"""A course's own exercises: a new one, its cells, and what is refused."""

import nbformat
import pytest

from fmkit.chapters.read import read_file
from fmkit.chapters.student import student_version
from fmkit.course import exercises as own_exercises
from fmkit.course.chapter import read_chapter
from fmkit.course.layout import Course
from fmkit.errors import CourseError, ExerciseError

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


def lay_in(course, notebook, chapter="01-roots"):
    """Make a chapter of an exercise's notebook."""
    target = course.notebook("source", chapter)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(notebook.read_bytes())
    return target


def test_other_points_in_the_notebook_are_told(course):
    _, notebook = own_exercises.new(course, ID)
    source = lay_in(course, notebook)
    assert own_exercises.hand_out(course, "01-roots")[1] == []
    source.write_text(source.read_text("utf-8").replace('"points": 2', '"points": 5'), "utf-8")
    (notice,) = own_exercises.hand_out(course, "01-roots")[1]
    assert notice.startswith("rootfinding.newton: 5 points in the notebook, which count; 2 in its file")


def test_doubts_are_told_when_it_is_handed_out(course):
    file, notebook = own_exercises.new(course, ID)
    lay_in(course, notebook)
    text = file.read_text("utf-8").replace('"heights = y[:-1]"', '"heights = (y[:-1] + y[1:]) / 2"')
    file.write_text(text.replace("/ 2\n    return area", "/ 3\n    return area"), "utf-8")
    path, notices = own_exercises.hand_out(course, "01-roots")
    assert path.is_file() and len(notices) == 2
    assert "mistake 'the left height of each strip' passes the check" in notices[0]
    assert "right answer 'loop' does not pass the check" in notices[1]


def test_a_broken_exercise_stops_the_release_and_leaves_what_was_handed_out(course):
    file, notebook = own_exercises.new(course, ID)
    lay_in(course, notebook)
    path, _ = own_exercises.hand_out(course, "01-roots")
    before = path.read_bytes()
    file.write_text("import numpy\n1 / 0\n", "utf-8")
    with pytest.raises(ExerciseError, match=r"newton.py, line 2: ZeroDivisionError"):
        own_exercises.hand_out(course, "01-roots")
    file.unlink()
    assert own_exercises.hand_out(course, "01-roots") == (None, [])
    assert path.read_bytes() == before


def test_the_same_file_is_handed_out_each_time(course):
    _, notebook = own_exercises.new(course, ID)
    lay_in(course, notebook)
    once = own_exercises.hand_out(course, "01-roots")[0].read_bytes()
    assert own_exercises.hand_out(course, "01-roots")[0].read_bytes() == once
