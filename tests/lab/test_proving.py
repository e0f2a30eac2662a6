"""What `fmkit exercises prove` says of one exercise's file."""

import pytest
from click.testing import CliRunner
from helpers import own as example

from fmkit.command.cli import main
from fmkit.errors import ExerciseError
from fmkit.lab import proving
from fmkit.lab.judging import own


def proved(tmp_path, *changes) -> tuple[int, str]:
    said = []
    status = proving.prove(example.write(tmp_path, *changes), said.append)
    return status, "\n".join(said)


def test_the_example_is_proven_as_it_is(tmp_path):
    status, said = proved(tmp_path)
    assert status == 0 and said.endswith("\nproven") and "!" not in said
    assert "inputs: 7 in each draw" in said and "right answers accepted: 2 of 2" in said
    assert said.count("    yes    yes") == 5
    assert "    x: something empty, NaN, an infinity" in said, said


WEAK = {  # what is weak in it -> change, what is said
    "harmless": (
        ('"heights = y[:-1]"', '"heights = (y[:-1] + y[1:]) / 2"'),
        "of each strip' is not refused: no input shows it",
    ),
    "like another": (
        ('"heights = y[1:]"', '"heights = y[:-1]"'),
        "the right height of each strip' is refused, but called 'the left",
    ),
    "wrong alternative": (("/ 2\n    return area", "/ 3\n    return area"), "right answer 'loop' is refused"),
    "no alternative": (("alternatives=(loop,)", "alternatives=()"), "no right answer written differently"),
    "not drawn from rng": (
        ("x = np.sort(rng.normal(size=n))", "x = np.sort(np.random.normal(size=n))"),
        "same seed differ",
    ),
    "the clock": (
        ("        case(2),", "        (x + __import__('time').perf_counter(), y),"),
        "same seed differ",
    ),
    "always the same": (
        ("    def case(", "    rng = np.random.default_rng(3)\n\n    def case("),
        "all draws are the same",
    ),
    "sometimes more": (("        case(2),", "        *[case(2)] * int(rng.integers(9)),"), "the draws have"),
    "reference by chance": (
        (
            "return np.sum(widths * heights)",
            "return np.sum(widths * heights) + np.random.default_rng().normal()",
        ),
        "other results",
    ),
    "not finished": (
        ("    widths = np.diff(x)\n", "    widths = ...\n"),
        "the reference is not finished",
    ),
    "always raises": (
        ("    widths = np.diff(x)\n", "    widths = np.dif(x)\n"),
        "raises on every input: AttributeError",
    ),
    "not plain": (
        ("return np.sum(widths * heights)", "return {1}"),
        "the reference returns an object of type set|a set",
    ),
    "a reason too many": (
        ("equal=()", "equal=(('return 1', 'so'),)"),
        "equal: 'return 1' is not one that passes",
    ),
}


@pytest.mark.parametrize("name", WEAK)
def test_what_is_weak_is_told(tmp_path, name):
    change, words = WEAK[name]
    status, said = proved(tmp_path, change)
    faults = [line for line in said.splitlines() if line.startswith("  ! ")]
    assert status == 1 and said.endswith("not proven")
    assert any(word in fault for word in words.split("|") for fault in faults), said


def test_edits_that_pass_are_shown_with_their_line(tmp_path):
    level = ("    return [\n        (np", "    return [(x, np.ones(6))]\n    [\n        (np")
    status, said = proved(tmp_path, level)
    assert status == 1 and "  these pass the check:\n" in said
    assert (
        "    return np.sum(widths / heights)    (as if a multiplication and a division were exchanged)"
        in said
    )
    assert "heights = (y[1:] + y[:-1]) * 2" not in said, "that one is refused"
    assert "! edits that pass: 10; for each, add an input that shows the edit" in said


def test_a_mistake_without_end_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(proving, "LONGEST", 0.05)
    endless = ('"/ 2 -> "', '"widths = np.diff(x) -> while True:\\n    widths = np.diff(x)"')
    status, said = proved(tmp_path, endless)
    assert status == 1 and "mistake 'forgot to halve the two heights' does not end" in said


def test_mistakes_keep_what_the_answer_cell_gives(tmp_path):
    from fmkit.course import exercises as own_exercises
    from fmkit.course.layout import Course

    (tmp_path / own.COURSE).touch()
    file, notebook = own_exercises.new(Course(tmp_path), example.ID)
    said = []
    assert proving.prove(file, said.append) == 0
    text = notebook.read_text("utf-8")
    given = '    "    ### BEGIN SOLUTION\\n",\n    "    widths = np.diff(x)\\n",\n'
    begin = text.index('    "    ### BEGIN')
    assert text[begin:].startswith(given)
    lines = given.splitlines(keepends=True)
    (tmp_path / "source" / "01-a").mkdir(parents=True)
    other = tmp_path / "source" / "01-a" / "01-a.ipynb"
    other.write_text(text.replace(given, lines[1] + lines[0]), "utf-8")
    said.clear()
    assert proving.prove(file, said.append) == 1
    words = (
        "mistake 'as if all strips were equally wide' lacks what the answer cell of 01-a.ipynb gives: widths"
    )
    assert any(words in line for line in said), said


def test_an_id_of_the_kits_is_refused(tmp_path):
    with pytest.raises(ExerciseError, match="fmkit's own"):
        proving.prove(example.write(tmp_path, id="start.ink"))


def test_what_no_input_is_like(tmp_path):
    change = ("        case(2),", "        (np.array([]), np.array([])),\n        (x - np.inf, y * np.nan),")
    said = proved(tmp_path, change)[1]
    assert "    x:" not in said or "empty" not in said.split("    x:")[1], said


def test_the_command(tmp_path):
    path = example.write(tmp_path)
    done = CliRunner().invoke(main, ["exercises", "prove", str(path)])
    assert done.exit_code == 0 and "proven" in done.output
    path = example.write(tmp_path, ("import numpy as np", "import numpy as np\nimport"))
    done = CliRunner().invoke(main, ["exercises", "prove", str(path)])
    assert done.exit_code == 1 and "area.py, line 7: SyntaxError" in done.output
    assert "Traceback" not in done.output
