"""`fmkit check-notebook`: verdicts of one notebook, for a person, a program, and as an exit status."""

import json
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from helpers import submissions as s
from helpers.grading import needs_sandbox

from fmkit.chapters.find import chapters
from fmkit.chapters.read import read_file
from fmkit.chapters.student import student_version
from fmkit.command.cli import main
from fmkit.course import check_notebook as checking
from fmkit.course.submission import read_cells
from fmkit.errors import ChapterError, SandboxError

KEPT = ("backprop-nudge", s.NEURON)
NO_MEAN = """
    y = 1 / (1 + np.exp(-(x @ w + b)))
    dz = (y - t) * y * (1 - y)
    return x.T @ dz, dz.sum()
"""


def small(notebook):
    """The chapter with two exercises only."""
    ids = {f"{id}{end}" for id in KEPT for end in ("", "-check")}

    def stays(cell):
        return cell["metadata"].get("nbgrader", {}).get("grade_id", "none") in {*ids, "none"}

    return notebook | {"cells": [cell for cell in notebook["cells"] if stays(cell)]}


@pytest.fixture
def kit(tmp_path, monkeypatch):
    """A kit whose only chapter is the small one."""
    path = tmp_path / "kit" / "04-backprop.ipynb"
    path.parent.mkdir()
    path.write_text(json.dumps(small(s.solved())))
    monkeypatch.setattr(checking, "chapters", lambda: [path])


@pytest.fixture
def check(tmp_path, kit):
    """Check a notebook (or bytes) by the command: exit status, stdout, the root of JUnit's XML."""

    def check(notebook, *words):
        path, junit = tmp_path / "work.ipynb", tmp_path / "junit.xml"
        path.write_bytes(notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode())
        done = CliRunner().invoke(main, ["check-notebook", str(path), "--junit", str(junit), *words])
        return done.exit_code, done.stdout, ET.parse(junit).getroot()

    return check


@needs_sandbox
def test_all_right(check):
    status, said, suite = check(s.solved())
    assert status == 0
    assert said.splitlines()[0] == "04-backprop" and said.splitlines()[-1] == "2 of 2 right, 4 of 4 points"
    assert said.count("✓") == 2 and suite.get("failures") == "0" and len(suite) == 2


@needs_sandbox
def test_a_wrong_answer_and_one_not_done_yet(check):
    notebook = s.untouched()
    s.cell_of(notebook, s.NEURON)["source"] = s.HEAD + NO_MEAN
    status, said, suite = check(notebook, "--json")
    assert status == 1
    result = json.loads(said)
    assert not result["right"] and result["score"] == 0 and result["max_score"] == 4
    nudge, neuron = result["exercises"].values()
    assert (nudge["status"], neuron["status"]) == ("undone", "wrong")
    assert neuron["misconception"] == "forgot the 1/N of the mean"
    assert [case.get("name") for case in suite] == ["backprop.nudge", "backprop.neuron"]
    assert suite.get("failures") == "2" and "1/N of the mean" in suite[1][0].get("message")
    shown = checking.lines(result)
    assert shown[1].split() == ["–", "backprop.nudge", "0/2", "not", "done", "yet"]
    assert shown[2].startswith("  ✗ backprop.neuron    0/2  forgot the 1/N of the mean. ")
    assert "\n" not in shown[2]


@needs_sandbox
def test_what_the_file_says_of_points_and_tests_does_not_count(check):
    """A learner deletes the exercise that is hard, or its check, and gives the other one more points."""
    notebook = s.solved()
    s.cell_of(notebook, "backprop-nudge-check")["metadata"]["nbgrader"]["points"] = 100
    notebook["cells"].remove(s.cell_of(notebook, s.NEURON))
    status, said, _ = check(notebook)
    assert status == 1 and said.splitlines()[-1] == "1 of 2 right, 2 of 4 points"
    assert "there is no answer" in said


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"", "the file is empty"),
        (b"{", "the file is not a notebook"),
        (b"%PDF-1.4", "it is a PDF"),
        (b'{"cells": [], "nbformat": 4, "metadata": {}}', "no exercise of the kit's chapters"),
    ],
)
def test_what_cannot_be_judged_is_told_from_wrong(check, data, reason):
    status, said, suite = check(data, "--json")
    assert status == 2 and reason in json.loads(said)["reason"]
    assert suite.get("errors") == "1" and reason in suite[0][0].get("message")
    assert check(data)[:2] == (2, "")


def test_no_file_and_no_sandbox(check, monkeypatch, tmp_path):
    done = CliRunner().invoke(main, ["check-notebook", str(tmp_path / "no.ipynb")])
    assert done.exit_code == 2 and "there is no file" in done.stderr
    done = CliRunner().invoke(main, ["check-notebook", "x", "--junit", str(tmp_path / "no" / "x.xml")])
    assert done.exit_code == 2 and "is not a folder" in done.stderr

    def none(*args, **options):
        raise SandboxError("no sandbox here: --unsafe does without")

    monkeypatch.setattr(checking, "grade_submission", none)
    status, said, suite = check(s.solved())
    assert status == 2 and said == "" and "no sandbox" in suite[0][0].get("message")


ENTRY = {"exercise": "a.b", "status": "wrong", "points": 0.0, "max_points": 2.0, "seconds": 0.1,
         "misconception": "", "hint": "", "says": ["a <sentence>"], "rows": [["got", "1\n2"]]}  # fmt: skip


@pytest.mark.parametrize("said", ["two\nlines", "\ud800 \x07 \ufffe", "<b>&amp;]]>", "::error::x"])
def test_what_a_learner_writes_stays_text(tmp_path, said):
    result = {"chapter": "04-backprop", "seconds": 1.0, "score": 0, "max_score": 2, "texts": {"t": ""}}
    result["exercises"] = {"c": ENTRY | {"message": said}}
    checking.write_junit(result, tmp_path / "x.xml")
    failure = ET.parse(tmp_path / "x.xml").getroot()[0][0]
    assert failure.text.endswith("\na <sentence>\ngot: 1\n2")
    report = checking.lines(result)
    assert len(report) == 4 and report[-1] == "Not judged here: free answers (1)"
    assert report[1].startswith("  ✗ a.b    0/2  ") and "\n" not in report[1]


@pytest.mark.parametrize("path", chapters(), ids=lambda path: path.stem)
def test_a_chapter_is_known_by_what_it_holds(path):
    nb = student_version(read_file(path))
    assert checking.which_notebook("work.ipynb", read_cells(json.dumps(nb).encode())) == path
    for number, cell in enumerate(nb["cells"]):  # as after a way through an editor that keeps no ids
        cell["metadata"], cell["id"] = {}, f"c{number}"
    assert checking.which_notebook("work.ipynb", read_cells(json.dumps(nb).encode())) == path
    nb["cells"] = [cell for cell in nb["cells"] if cell["cell_type"] == "markdown"]
    with pytest.raises(ChapterError, match="say --chapter NN"):
        checking.which_notebook("work.ipynb", read_cells(json.dumps(nb).encode()))


def test_nbgrader_is_not_needed():
    program = "import sys; sys.modules['nbgrader'] = None; import fmkit.course.check_notebook"
    subprocess.run([sys.executable, "-c", program], check=True)
