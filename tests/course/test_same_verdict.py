"""What `check` calls correct in a notebook, grading calls correct: the same cells in IPython and graded."""

import contextlib
import io
import itertools
import sys
from collections import defaultdict

import nbformat
import pytest
from helpers.courses import meta
from helpers.grading import needs_sandbox
from helpers.odd_answers import KINDS, RIGHT
from nbformat.v4 import new_code_cell, new_notebook

from fmkit.course.chapter import grade_id_of
from fmkit.course.grading.grade import grade_submission
from fmkit.lab import exercises
from fmkit.lab.judging.fences import accept_fences
from fmkit.lab.judging.judge import judge_answer

IMPORTS = (
    "import math\nimport matplotlib.pyplot as plt\nimport numpy as np\nfrom fmkit.lab import check, show"
)


def function_of(id):
    return RIGHT[id].split("(")[0].removeprefix("def ")


def notebook(kinds):
    """One notebook with these answers, and with right ones to the other exercises."""
    answers = {id: (id, (), source, (), "ok") for id, source in RIGHT.items()} | {
        kind[0]: kind for kind in kinds
    }
    cells = [new_code_cell(IMPORTS)]
    for id, above, answer, below, _ in answers.values():
        cells += map(new_code_cell, above)
        cells.append(new_code_cell(answer, metadata=meta(id, solution=True)))
        cells += map(new_code_cell, below)
        check = f'check("{id}", {function_of(id)})'
        flags = {"grade": True, "locked": True, "points": 1}
        cells.append(new_code_cell(check, metadata=meta(f"{id}-check", **flags)))
    return new_notebook(cells=cells)


def said_in_the_notebook(nb, monkeypatch):
    """Exercise -> what its check says when IPython runs the cells from above."""
    from IPython.core.history import HistoryManager
    from IPython.core.interactiveshell import InteractiveShell

    monkeypatch.setattr(HistoryManager, "enabled", False)
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # the shell sets its own
    shell, found = InteractiveShell(), {}
    accept_fences(shell)  # as the first import of fmkit.lab does in a kernel
    for cell in nb.cells:
        if cell.source.startswith("check("):
            id = grade_id_of(cell).removesuffix("-check")
            answer = shell.user_ns.get(function_of(id))
            found[id] = judge_answer(exercises.get(id), answer, 1, 10.0).status
            continue
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            shell.run_cell(cell.source)
    return found


def rounds():
    """The kinds in as few notebooks as there are kinds of one exercise, with their names."""
    by_exercise = defaultdict(list)
    for name, kind in KINDS.items():
        by_exercise[kind[0]].append((name, kind))
    return [dict(filter(None, kinds)) for kinds in itertools.zip_longest(*by_exercise.values())]


@needs_sandbox
@pytest.mark.parametrize("kinds", rounds(), ids=lambda kinds: next(iter(kinds)))
def test_check_and_grading_agree(kinds, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    released, nb = tmp_path / "released.ipynb", notebook(kinds.values())
    nbformat.write(notebook((id, (), RIGHT[id], (), "ok") for id, *_ in kinds.values()), released)
    in_notebook = said_in_the_notebook(nb, monkeypatch)
    graded = grade_submission(nbformat.writes(nb).encode(), released, 1)["exercises"]
    for name, (id, *_, status) in kinds.items():
        entry = graded[f"{id}-check"]
        assert (in_notebook[id], entry["status"]) == (status, status), (name, entry["message"], entry["rows"])


@needs_sandbox
def test_they_agree_whether_the_helper_is_the_chapters_or_the_learners(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kind, released = KINDS["a helper that calls what is taught"], tmp_path / "released.ipynb"
    nb = notebook([kind])
    nbformat.write(nb, released)
    graded = grade_submission(released, released, 1)["exercises"][f"{kind[0]}-check"]
    assert (said_in_the_notebook(nb, monkeypatch)[kind[0]], graded["status"]) == ("wrong", "wrong")
    assert graded["message"] == "The values are right. In this exercise write linear_backward yourself."
