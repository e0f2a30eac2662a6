"""What an answer tries against the sandbox finds nothing, whoever grades: root or an ordinary user."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import attacks
from helpers.grading import needs_sandbox
from helpers.paths import ROOT

from fmkit.course.sandbox import staging

pytestmark = needs_sandbox
FOLDERS = [str(ROOT), str(staging.stage()), sys.prefix, str(Path(np.__file__).parent), str(Path.home() / "x")]


@pytest.fixture(scope="module")
def as_we_are():
    return attacks.try_all(FOLDERS)


@pytest.fixture(scope="module")
def as_a_user():
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    if not (python := shutil.which("python3", path="/usr/bin")):
        pytest.skip("no Python that every user may run")
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tests"), str(Path(np.__file__).parent.parent)))
    become = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "env", f"PYTHONPATH={paths}"]
    probe = [*become, python, "-B", "-c", "import numpy, fmkit.course.sandbox.process as s; s.require()"]
    tried = subprocess.run(probe, capture_output=True, text=True, cwd="/")
    if tried.returncode:
        pytest.skip(f"no sandbox for an ordinary user here: {tried.stderr[-200:]}")
    command = [*become, python, "-B", "-m", "helpers.attacks", *FOLDERS]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", attacks.NAMES)
def test_an_answer_finds_nothing(name, as_we_are):
    assert as_we_are[name] == ""


@pytest.mark.parametrize("name", attacks.NAMES)
def test_an_answer_that_an_ordinary_user_grades_finds_nothing(name, as_a_user):
    assert as_a_user[name] == ""
