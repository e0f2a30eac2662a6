"""Submissions for the tests of grading: real notebook files, made from chapter 04 by what students do to
them."""

import copy
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field

import nbformat

from fmkit.chapters.student import student_version
from helpers.paths import NOTEBOOKS

NOTEBOOK = NOTEBOOKS / "04-backprop.ipynb"
POINTS = 29.0
NEURON = "backprop-neuron"  # the exercise that most attacks are made on
IDS = (
    "backprop-nudge",
    "backprop-neuron",
    "backprop-linear",
    "backprop-capped_relu",
    "backprop-weighted_ce",
    "backprop-network",
    "backprop-channel_norm",
    "backprop-unbroadcast",
    "backprop-tied",
    "backprop-spot_the_bug",
)
HEAD = "def neuron_gradients(x, w, b, t):"
RIGHT = """
    y = 1 / (1 + np.exp(-(x @ w + b)))
    dz = (y - t) / len(t) * y * (1 - y)
    return x.T @ dz, dz.sum()
"""


@functools.cache
def _solved() -> dict:
    notebook = json.loads(NOTEBOOK.read_bytes())
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
        if cell["cell_type"] == "code":
            cell["outputs"] = []
    return notebook


def solved() -> dict:
    """The chapter with all right answers."""
    return copy.deepcopy(_solved())


@functools.cache
def _untouched() -> str:
    return nbformat.writes(student_version(nbformat.read(NOTEBOOK, 4)))


def untouched() -> dict:
    """The chapter as it is handed out."""
    notebook = json.loads(_untouched())
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    return notebook


def cell_of(notebook: dict, grade_id: str) -> dict:
    """The cell that carries nbgrader's id."""
    found = [c for c in notebook["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == grade_id]
    assert found, grade_id
    return found[0]


def place_of(notebook: dict, grade_id: str) -> int:
    """Where that cell stands."""
    return notebook["cells"].index(cell_of(notebook, grade_id))


def with_answer(source: str, grade_id: str = NEURON) -> dict:
    """All right, but for one answer cell."""
    notebook = solved()
    cell_of(notebook, grade_id)["source"] = source
    return notebook


def inside(lines: str, right: str = RIGHT) -> dict:
    """All right; the neuron's function runs some lines first."""
    body = "\n".join("    " + line for line in lines.strip("\n").split("\n"))
    return with_answer(f"{HEAD}\n{body}{right}")


def guarded(lines: str) -> dict:
    """The same, and what the lines raise is caught: full marks are due, and nothing else may happen."""
    body = "\n".join("    " + line for line in lines.strip("\n").split("\n"))
    return inside(f"try:\n{body}\nexcept Exception:\n    pass")


def unless(lines: str) -> dict:
    """The same; the lines set ``found``, and where they find something the answer is wrong."""
    body = "\n".join("    " + line for line in lines.strip("\n").split("\n"))
    return inside(f"found = False\ntry:\n{body}\nexcept Exception:\n    pass\nif found:\n    return None")


def code_cell(source: str) -> dict:
    """A code cell that a student added."""
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}


def first_cell(source: str) -> dict:
    """All right, with one more cell on top."""
    notebook = solved()
    notebook["cells"].insert(0, code_cell(source))
    return notebook


def data_of(notebook: dict | bytes | str) -> bytes:
    """The bytes of a file."""
    if isinstance(notebook, bytes):
        return notebook
    return notebook.encode() if isinstance(notebook, str) else json.dumps(notebook, indent=1).encode()


@dataclass(frozen=True)
class Kind:
    """One kind of submission, and what its grading must say.

    ``status`` is the submission's; ``others`` the exercises that are not ``ok``: nbgrader's id -> the status,
    or a tuple of statuses that are all right. ``says`` is in the reason, or in the message of the first of
    these.
    """

    make: Callable[[], dict | bytes | str]
    status: str = "graded"
    others: dict = field(default_factory=dict)
    says: str = ""

    def check(self, result: dict) -> None:
        """Assert that a result is what it must be."""
        exercises = result["exercises"]
        assert result["max_score"] == POINTS
        assert set(exercises) == {f"{id}-check" for id in IDS}
        wanted = {f"{id}-check": self.others.get(id, "ok") for id in IDS}
        for id, status in wanted.items():
            allowed = status if isinstance(status, tuple) else (status,)
            assert exercises[id]["status"] in allowed, (id, exercises[id])
        statuses = self.status if isinstance(self.status, tuple) else (self.status,)
        assert result["status"] in statuses, (result["status"], result["reason"])
        score = sum(e["max_points"] for e in exercises.values() if e["status"] == "ok")
        assert result["score"] == score == sum(e["points"] for e in exercises.values())
        said = [result["reason"], *(exercises[f"{id}-check"]["message"] for id in self.others)]
        assert self.says in " | ".join(said), said
        assert bool(result["reason"]) == (result["status"] != "graded")
        json.dumps(result).encode("ascii")
        json.dumps(result, ensure_ascii=False).encode("utf-8")


def one(
    make: Callable[[], dict], status: str | tuple, says: str = "", submission: str | tuple = "graded"
) -> Kind:
    """A kind in which only the neuron is not right."""
    return Kind(make, submission, {NEURON: status}, says)
