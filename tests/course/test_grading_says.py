"""The line that grading quotes is the learner's, whatever stands in the way of finding it."""

import pytest
from helpers import submissions as s
from helpers.grading import grade, needs_sandbox
from helpers.submissions import HEAD, NEURON, with_answer

from fmkit.course.grading.grade import grade_submission
from fmkit.course.sandbox.process import DEFAULT

GIVEN = "def from_the_chapter(f, *args):\n    return f(*args)"

# how the kit's right answer, or a module that is missing here, is used without a line that fails in the cell
BY_ANOTHER_NAME = {
    "an alias": "from fmkit.lab import exercises\nneuron_gradients = exercises.get",
    "a partial": (
        "import functools\nfrom fmkit.lab import exercises\n"
        "neuron_gradients = functools.partial(exercises.get, 'backprop.neuron')"
    ),
    "inside a lambda": "from fmkit.lab.judging import judge\nneuron_gradients = lambda *a: judge.judge(*a)",
    "a static method": "from fmkit.lab import exercises\nneuron_gradients = staticmethod(exercises.get)",
    "by map": f"from fmkit.lab import exercises\n{HEAD}\n    return [*map(exercises.get, ['x'])]",
    "with": f"from fmkit.lab import exercises\n{HEAD}\n    with exercises.get as e:\n        return e",
}


@pytest.mark.parametrize("name", BY_ANOTHER_NAME)
def test_the_line_of_what_is_not_allowed_is_the_learners(name):
    source = BY_ANOTHER_NAME[name]
    result = grade_submission(s.data_of(with_answer(source)), s.NOTEBOOK, 1, unsafe=True)
    entry = result["exercises"][f"{NEURON}-check"]
    assert (result["status"], entry["status"]) == ("tampered", "tampered"), entry
    (row,) = entry["rows"]
    number, _, code = row[1].partition(": ")
    assert code == source.splitlines()[int(number) - 1].strip()
    assert f"(line {number}: {code})" in entry["message"] and code in result["reason"]
    assert "raise Barred" not in str(result)


def test_the_line_is_that_which_calls_a_function_of_the_chapters(tmp_path):
    notebook = with_answer(f"import torch\n{HEAD}\n    return from_the_chapter(torch.sigmoid, x)")
    notebook["cells"].insert(0, s.code_cell(GIVEN))
    chapter = s.solved()
    chapter["cells"].insert(0, s.code_cell(GIVEN) | {"id": "given"})
    path = tmp_path / "04-backprop.ipynb"
    path.write_bytes(s.data_of(chapter))
    result = grade_submission(s.data_of(notebook), path, 1, unsafe=True)
    entry = result["exercises"][f"{NEURON}-check"]
    assert entry["status"] == "wrong"
    assert entry["rows"] == [["line", "3: return from_the_chapter(torch.sigmoid, x)"]], entry


@needs_sandbox
def test_the_same_in_the_sandbox(tmp_path):
    kinds = {
        name: s.Kind(lambda source=source: with_answer(source)) for name, source in BY_ANOTHER_NAME.items()
    }
    results = grade(kinds, tmp_path, DEFAULT)
    for name, source in BY_ANOTHER_NAME.items():
        entry = results[name]["exercises"][f"{NEURON}-check"]
        assert entry["status"] == "tampered", (name, entry)
        assert entry["rows"][0][1].partition(": ")[2] in source and "raise Barred" not in entry["message"]


@pytest.mark.parametrize(
    ("around", "words"),
    [
        (
            "Here is my answer:\n```python\n{}\n```",
            "Line 2 is a fence of Markdown: take out what is not Python",
        ),
        ("<<<<<<< HEAD\n{}\n=======\n>>>>>>> x", "Line 1 is a mark of git's: two versions were never merged"),
    ],
)
def test_what_is_no_python_is_said(around, words):
    source = around.format(HEAD + s.RIGHT)
    result = grade_submission(s.data_of(with_answer(source)), s.NOTEBOOK, 1, unsafe=True)
    message = result["exercises"][f"{NEURON}-check"]["message"]
    assert message.startswith("The cell is not Python: SyntaxError: ") and words in message
