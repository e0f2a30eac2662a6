"""fmkit without its right answers: what README leaves out of the package, and a check that works there."""

import fnmatch
import os
import re
import shutil
import subprocess
import sys

import pytest
from helpers.paths import ROOT

from fmkit.course import exercises as own_exercises
from fmkit.course.layout import Course
from fmkit.lab.judging import recorded

(LINE,) = re.findall(r"^zip -d sealed/\S+ (.*)$", (ROOT / "README.md").read_text("utf-8"), flags=re.M)
PATTERNS = re.findall(r"'([^']+)'", LINE)
CHAPTER = "00-start-here"
STUDENT = """
from fmkit.lab import check, exercises, hint, progress

assert exercises.every() == [], "the right answers are here"
for answer in (lambda images: images.sum((1, 2)), lambda images: images.mean((1, 2))):
    try:
        check("start.ink", answer)
    except AssertionError as error:
        print(error)
hint("start.ink")
progress()
"""


def is_out(name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in PATTERNS)


def packed() -> list[str]:
    """The files of the package as a wheel names them."""
    files = [path.relative_to(ROOT).as_posix() for path in (ROOT / "fmkit").rglob("*.*") if path.is_file()]
    return files + [f"fmkit/notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")]


def test_every_right_answer_is_left_out_and_nothing_else():
    out = {name for name in packed() if is_out(name)}
    with_answers = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "fmkit").rglob("*.py")
        if re.search(r"^EXERCISE = ", path.read_text("utf-8"), flags=re.M)
    }
    assert len(with_answers) > 80 and with_answers <= out
    assert {f"fmkit/notebooks/{p.name}" for p in (ROOT / "notebooks").glob("*.ipynb")} <= out
    kept = {name for name in packed() if name.startswith("fmkit/lab/") and not is_out(name)}
    assert {"fmkit/lab/exercises/__init__.py", "fmkit/lab/judging/recorded.py", "fmkit/lab/checks.py"} <= kept
    assert all(name.startswith(("fmkit/lab/exercises/", "fmkit/notebooks/")) for name in out)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    """The package as far as a check needs it, without the right answers."""
    folder = tmp_path_factory.mktemp("sealed")
    for name in packed():
        if name.endswith(".py") and name.startswith("fmkit/") and not is_out(name):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
    return folder


def test_a_check_works_where_the_right_answers_are_not(sealed, tmp_path):
    course = Course(tmp_path / "course")
    source = course.notebook("source", CHAPTER)
    source.parent.mkdir(parents=True)
    shutil.copyfile(ROOT / "notebooks" / f"{CHAPTER}.ipynb", source)
    assert own_exercises.hand_out(course, CHAPTER) == (None, []), "nothing is needed where fmkit is whole"
    path, notices = own_exercises.hand_out(course, CHAPTER, sealed=True)
    assert path.name == f"{CHAPTER}.checks" and not notices
    student = tmp_path / "student"
    student.mkdir()
    shutil.copy(path, student)
    done = subprocess.run(
        [sys.executable, "-c", STUDENT],
        cwd=student,
        env=os.environ | {"PYTHONPATH": str(sealed), "FMKIT_PROGRESS": "session"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert "Looks like: the sum instead of the mean" in lines
    assert "✓ start.ink: correct (1 point)" in lines and "? start.ink: hint 1 of" in done.stdout
    assert "all      1 of 1  1 of 1" in lines, lines


def test_a_chapter_that_is_no_longer_sealed_leaves_no_file(tmp_path):
    course = Course(tmp_path)
    source = course.notebook("source", CHAPTER)
    source.parent.mkdir(parents=True)
    shutil.copyfile(ROOT / "notebooks" / f"{CHAPTER}.ipynb", source)
    path, _ = own_exercises.hand_out(course, CHAPTER, sealed=True)
    assert list(recorded.read(path.read_bytes())) == ["start.ink"]
    own_exercises.hand_out(course, CHAPTER)
    assert not path.exists()
