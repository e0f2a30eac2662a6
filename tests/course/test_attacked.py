"""The step of exercise 14.3 is attacked when it is graded, too: its results leave the sandbox as data."""

import nbformat
import pytest
from helpers.courses import meta
from helpers.grading import needs_sandbox
from nbformat.v4 import new_code_cell, new_notebook

from fmkit.course.grading.grade import grade_submission

RIGHT = """def dp_step(grads, clip, sigma, expected, noise):
    norms = np.sqrt(sum((g * g).sum(1) for g in grads))
    factors = clip / np.maximum(norms, clip)
    return [
        ((factors[:, None] * g).sum(0) + sigma * clip * z) / expected
        for g, z in zip(grads, noise, strict=True)
    ]"""
SHARED = RIGHT.replace("clip * z)", "clip * z[:, :1])")
UNCLIPPED = RIGHT.replace("factors[:, None] * g", "g")


def submission(answer):
    flags = {"grade": True, "locked": True, "points": 4}
    return new_notebook(
        cells=[
            new_code_cell("import numpy as np\nfrom fmkit.lab import check"),
            new_code_cell(answer, metadata=meta("private.dp_step", solution=True)),
            new_code_cell(
                'check("private.dp_step", dp_step)', metadata=meta("private.dp_step-check", **flags)
            ),
        ]
    )


@needs_sandbox
@pytest.mark.parametrize(
    "answer, status, says",
    [
        (RIGHT, "ok", "found no leak"),
        (SHARED, "wrong", "give away more than they claim"),
        (UNCLIPPED, "wrong", "give away more than they claim"),
    ],
    ids=["right", "shared noise", "no clipping"],
)
def test_grading_attacks(answer, status, says, tmp_path):
    released = tmp_path / "14-private.ipynb"
    nbformat.write(submission(RIGHT), released)
    result = grade_submission(nbformat.writes(submission(answer)).encode(), released, 3)
    (entry,) = result["exercises"].values() if isinstance(result["exercises"], dict) else result["exercises"]
    assert entry["status"] == status and entry["seconds"] < 15
    assert any(says in said for said in entry["says"])
