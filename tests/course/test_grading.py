"""Grading: every kind of submission, honest and hostile, ends in the right grade, and none hurts another."""

import os
import sys

import nbformat
import pytest
from helpers import submissions as s
from helpers.grading import grade, needs_sandbox
from helpers.hostile import CELLS, FILES, HONEST
from helpers.hostile_code import BOMBS, ELSEWHERE, ENDLESS, ENDS, LEFT
from helpers.hostile_ways import CONFINED, SOCKETS, TAMPERED
from helpers.submissions import Kind

from fmkit.chapters.student import student_version
from fmkit.course.grading.grade import grade_submission
from fmkit.course.sandbox.process import MB, Limits
from fmkit.course.submission import python_of

SHORT = Limits(seconds=2.0, memory=1024 * MB)
LONG = Limits(seconds=20.0, memory=1024 * MB)

QUICK = {**HONEST, **CELLS, **FILES, **ENDS, **BOMBS, **LEFT, **TAMPERED, **CONFINED, **ELSEWHERE}


@pytest.fixture(scope="module")
def quick(tmp_path_factory, server):
    online = {"opens a socket": Kind(lambda: s.unless(SOCKETS.format(port=server)))}
    return grade(QUICK | online, tmp_path_factory.mktemp("quick"), LONG)


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    return grade(ENDLESS, tmp_path_factory.mktemp("endless"), SHORT)


@needs_sandbox
@pytest.mark.parametrize("name", QUICK)
def test_each_kind_ends_in_the_right_grade(name, quick):
    QUICK[name].check(quick[name])


@needs_sandbox
def test_no_answer_reaches_the_network(quick):
    Kind(s.solved).check(quick["opens a socket"])


@pytest.mark.slow
@needs_sandbox
@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_ends_is_stopped(name, endless):
    ENDLESS[name].check(endless[name])


@pytest.mark.slow
@needs_sandbox
def test_nobody_is_lost(quick, endless):
    assert set(quick) == {*QUICK, "opens a socket"} and set(endless) == set(ENDLESS)


@needs_sandbox
def test_each_slip_is_named(quick):
    for id, entry in quick["one slip each"]["exercises"].items():
        assert entry["misconception"] and entry["hint"], id


@pytest.mark.slow
@needs_sandbox
def test_nothing_is_left_running(quick, endless):
    mine = [int(p) for p in os.listdir("/proc") if p.isdigit() and _parent(p) == os.getpid()]
    assert not mine


def _parent(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rsplit(")", 1)[1].split()[1])
    except OSError:
        return 0


CHAPTERS = sorted(s.NOTEBOOK.parent.glob("[0-9]*.ipynb"))


@needs_sandbox
@pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)
def test_each_chapter_gets_full_marks_solved_and_none_untouched(path):
    solved = grade_submission(path, path, 1)
    assert solved["exercises"] and {e["status"] for e in solved["exercises"].values()} == {"ok"}
    assert solved["status"] == "graded" and solved["score"] == solved["max_score"] > 0
    student = nbformat.writes(student_version(nbformat.read(path, 4))).encode()
    untouched = grade_submission(student, path, 1)
    assert {e["status"] for e in untouched["exercises"].values()} == {"undone"} and untouched["score"] == 0


@needs_sandbox
def test_what_a_newer_python_reads_is_no_fault_of_the_answer():
    notebook = s.with_answer(f"{s.HEAD}{s.RIGHT}\nmatch = (")
    notebook["metadata"]["language_info"] = {"name": "python", "version": "3.99.1"}
    result = grade_submission(s.data_of(notebook), s.NOTEBOOK, 1)
    entry = result["exercises"][f"{s.NEURON}-check"]
    assert entry["status"] == "missing" and result["status"] == "partly graded"
    here = f"Python {sys.version_info.major}.{sys.version_info.minor} grades here"
    assert f"it was written with Python 3.99, and {here}" in entry["message"] and here in result["reason"]


@pytest.mark.parametrize(
    "version, python", [("3.12.1", (3, 12)), ("3", None), ("x", None), (None, None), (3.12, None), ("", None)]
)
def test_the_python_of_a_notebook(version, python):
    notebook = {"cells": [], "metadata": {"language_info": {"version": version}}}
    assert python_of(s.data_of(notebook)) == python
    assert python_of(b"[]") is None and python_of(b'{"metadata": 1}') is None
