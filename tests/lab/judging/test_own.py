"""A course's own exercise, read from its file: what is wrong in it is told in one line, with its place."""

import re

import numpy as np
import pytest
from helpers import own as example

from fmkit.errors import ExerciseError
from fmkit.lab import exercises
from fmkit.lab.judging import own
from fmkit.lab.judging.judge import make_cases


def test_the_example_is_an_exercise(tmp_path):
    exercise = own.load(example.write(tmp_path))
    assert exercise.id == example.ID and exercise.chapter == "" and len(exercise.mistakes) == 5
    assert exercise is own.load(tmp_path / "roots" / "area.py"), "read once"
    assert exercise.reference(*make_cases(exercise, 0)[0]) == 7.5


def test_a_changed_file_is_read_again(tmp_path):
    assert own.load(example.write(tmp_path)).points == 2
    assert own.load(example.write(tmp_path, ("points=2", "points=30"))).points == 30


def test_lists_are_as_good_as_tuples(tmp_path):
    exercise = own.load(example.write(tmp_path, ("alternatives=(loop,)", "alternatives=[loop]")))
    assert exercise.alternatives[0].__name__ == "loop" and type(exercise.alternatives) is tuple


BROKEN = {
    "not Python": (("def area(x, y):", "def area(x, y:"), r"line \d+: SyntaxError"),
    "a name that is not there": (("import numpy as np", "import nump as np"), "line 6: ModuleNotFoundError"),
    "raises at import": (
        ("EXERCISE = Exercise(", "1 / 0\nEXERCISE = Exercise("),
        r"line \d+: ZeroDivisionError",
    ),
    "ends the program": (("EXERCISE = Exercise(", "exit()\nEXERCISE = Exercise("), r"line \d+: SystemExit"),
    "no exercise": (("EXERCISE = Exercise(", "OTHER = Exercise("), "there must be EXERCISE"),
    "a field is missing": (("    points=2,\n", ""), r"line \d+: TypeError: .*points"),
    "a field too many": (("points=2", "points=2, score=3"), r"line \d+: TypeError: .*score"),
    "points are a text": (("points=2", "points='2'"), "points is not a number"),
    "points are NaN": (("points=2", "points=float('nan')"), "points is not a number"),
    "no title": (('The area under a line",', '",'), "title is not"),
    "no comma": (
        ("alternatives=(loop,)", "alternatives=(loop)"),
        "alternatives is not a tuple: is the comma",
    ),
    "one hint": (("equal=(),", "equal=(), teaches=('x')"), "teaches is not a tuple: is the comma"),
    "a mistake is a text": (
        ("    mistakes=(\n", "    mistakes=('forgot it',\n"),
        "entry 1 of mistakes is not mistake",
    ),
    "an edit fits nowhere": (
        ('"heights = y[:-1]"', '"height = y[:-1]"'),
        "'the left height of each strip'.*fits 0",
    ),
    "an edit fits twice": (('"/ 2 -> "', '"y -> x"'), "'forgot to halve the two heights'.*there .* times"),
    "an edit is not Python": (
        ('"heights = y[1:]"', '"heights = y[1:"'),
        "'the right height of each strip'.*not Python",
    ),
    "an edit is nothing": (('"heights = y[1:]"', '""'), "'the right height of each strip'"),
    "two of one name": (("the right height of each", "the left height of each"), "two mistakes are called"),
    "an alternative of other arguments": (("def loop(x, y):", "def loop(x, y, z):"), "loop does not take"),
    "cases is called": (("cases=cases", "cases=cases(np.random.default_rng(0))"), "cases is not a function"),
    "cases without rng": (("def cases(rng):", "def cases():"), "drawing the inputs: TypeError"),
    "cases raises": (
        ("    x, y = case(6)", "    x, y = case(-1)"),
        r"line \d+: drawing the inputs: ValueError",
    ),
    "cases returns nothing": (
        ("    return [\n        (np", "    [\n        (np"),
        "must return a list of inputs",
    ),
    "no inputs": (
        ("    return [\n        (np", "    return []\n    [\n        (np"),
        "must return a list of inputs",
    ),
    "an input is no tuple": (("        case(2),", "        x,"), "input 4 .* is not a tuple of arguments"),
    "an input has too much": (
        ("        case(2),", "        (x, y, 1),"),
        "input 4 .* does not fit the reference",
    ),
    "an input is a function": (
        ("        case(2),", "        (x, np.sin),"),
        "input 4 .* holds .* not plain data",
    ),
    "an input is an object": (
        ("        case(2),", "        (x, object()),"),
        "input 4 .* an object of type object",
    ),
    "the reference is a lambda": (("reference=area", "reference=lambda x, y: 0"), "written with def"),
    "the reference is NumPy's": (
        ("reference=area", "reference=np.trapezoid"),
        "written with def|no source|does not",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_wrong_is_told_in_one_line(tmp_path, name):
    change, words = BROKEN[name]
    path = example.write(tmp_path, change)
    with pytest.raises(ExerciseError) as error:
        own.load(path)
    text = str(error.value)
    assert "\n" not in text and text.startswith(str(path)) and re.search(words, text), text


@pytest.mark.parametrize("id", ["Roots.area", "roots.my-area"])
def test_the_place_gives_the_id(tmp_path, id):
    with pytest.raises(ExerciseError, match="folder and file name the exercise"):
        own.load(example.write(tmp_path, id=id))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ExerciseError, match=r"area.py: No such file"):
        own.load(tmp_path / "roots" / "area.py")


def test_get_finds_a_courses_own(tmp_path):
    example.write(tmp_path)
    assert exercises.get(example.ID, tmp_path).id == example.ID
    assert exercises.get("start.ink", tmp_path).id == "start.ink"
    with pytest.raises(LookupError, match="Did you mean roots.area"):
        exercises.get("roots.aera", tmp_path)
    with pytest.raises(LookupError):
        exercises.get(example.ID)


@pytest.mark.parametrize(
    "id", ["../roots.area", "roots/area", "roots.area/", "..", "roots..area", "/etc.passwd"]
)
def test_get_leads_nowhere_else(tmp_path, id):
    example.write(tmp_path)
    with pytest.raises(LookupError):
        exercises.get(id, tmp_path / "inside")


def test_an_id_of_the_kits_is_refused(tmp_path):
    path = example.write(tmp_path, id="backprop.linear")
    with pytest.raises(ExerciseError, match="backprop.linear is one of fmkit's own"):
        exercises.get("backprop.linear", path.parents[1])


def test_a_folder_belongs_to_the_course_above_it(tmp_path):
    notebook = tmp_path / "release" / "01-a" / "01-a.ipynb"
    assert own.folder_above(notebook) is None
    (tmp_path / own.COURSE).touch()
    assert own.folder_above(notebook) == tmp_path / "exercises"
    assert own.folder_above(tmp_path / "autograded" / "ada" / "01-a" / "x") == tmp_path / "exercises"
    assert own.folder_above(tmp_path / "a" / "b" / "c" / "d" / "e") is None


def test_lists_dicts_and_texts_are_inputs_too(tmp_path):
    change = ("        case(2),", "        ([1, 'a', (2.5, None)], {'w': np.ones(2), 'on': True}),")
    case = make_cases(own.load(example.write(tmp_path, change)), 0)[3]
    assert case[0] == [1, "a", (2.5, None)] and np.array_equal(case[1]["w"], [1, 1])


@pytest.mark.parametrize(
    "data",
    ["# é\n".encode("latin-1"), "\n\n\n# é\n".encode("latin-1"), b"# coding: klingon\n", b"\xff\xfex\0"],
)
def test_a_file_in_another_encoding_says_so(tmp_path, data):
    path = example.write(tmp_path)
    path.write_bytes(data + path.read_bytes())
    with pytest.raises(ExerciseError, match="area.py: its letters cannot be read: save the file as UTF-8"):
        own.load(path)
