"""A file that cannot be used stops each command with what is wrong and what to do; nothing is lost."""

import pytest
from click.testing import CliRunner
from helpers import courses
from helpers.courses import CHAPTER

from fmkit.command.cli import main

ROSTER_WORDS = "its first line should be id,first_name,last_name,email,section"
BROKEN = {
    "a line without an equals sign": ("course.toml", b"[late]\n\ngrace_days 2\n", "(at line 3, column 12)"),
    "a heading twice": ("course.toml", b"[late]\n[late]\n", "(at line 2, column 6)"),
    "tables in tables": ("course.toml", b"a = " + b"[" * 5000, "course.toml cannot be read"),
    "settings of another encoding": ("course.toml", "# für".encode("utf-16"), "Save it as UTF-8"),
    "no column that is known": ("students.csv", b"nummer der karte,kommentar\n1,x\n", ROSTER_WORDS),
    "no header": ("students.csv", b"ada,Ada,Lovelace\nemmy,Emmy,Noether\n", ROSTER_WORDS),
    "ids, but nobody has one": ("students.csv", b"id,first_name\n,Ada\n", ROSTER_WORDS),
    "an empty roster": ("students.csv", b"", ROSTER_WORDS),
    "a workbook": ("students.csv", b"PK\x03\x04....", "is a workbook: save it as CSV UTF-8"),
    "no roster": (
        "students.csv",
        None,
        "students.csv is missing: lay it back. Its first line is id,",
    ),
    "extensions of other columns": (
        "extensions.csv",
        b"name,until\nAda,friday\n",
        "first line should be id,chapter,due",
    ),
    "teams of other columns": ("teams.csv", b"group;member\n1;ada\n", "first line should be team,id"),
}
COMMANDS = (
    ["release", CHAPTER, "--due", "2027-01-01"],
    ["collect", "in.zip"],
    ["grade", CHAPTER, "--unsafe"],
    ["feedback", CHAPTER],
    ["export", CHAPTER],
    ["compare", "lms.csv", CHAPTER],
    ["report"],
)


def contents(root):
    """All files of a course but the gradebook and what SQLite lays beside it."""
    return {p: p.read_bytes() for p in root.rglob("*") if p.is_file() and "gradebook" not in p.name}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """One course for all: no command changes it."""
    course = courses.make(tmp_path_factory.mktemp("broken") / "course")
    courses.hand_in(course, "ada", courses.solved())
    with pytest.MonkeyPatch.context() as patch:
        courses.enter(course, [courses.result(course, "ada")], patch)
    (course.root / "in.zip").write_bytes(courses.zipped({"emmy/04-backprop.ipynb": courses.solved()}))
    (course.root / "lms.csv").write_text(f"id,{CHAPTER}\nada,5\n")
    return course


@pytest.mark.parametrize("broken", BROKEN)
def test_each_command_says_what_to_do_and_nothing_is_lost(course, monkeypatch, broken):
    name, data, words = BROKEN[broken]
    monkeypatch.chdir(course.root)
    path = course.root / name
    whole = path.read_bytes() if path.exists() else None
    path.unlink(missing_ok=True)
    if data is not None:
        path.write_bytes(data)
    before = contents(course.root)
    try:
        for command in COMMANDS:
            done = CliRunner().invoke(main, ["course", *command])
            said = " ".join(done.output.split())
            assert done.exit_code == 1 and isinstance(done.exception, SystemExit), (command, said)
            assert name in said and words in said and len(said) < 600, (command, said)
            assert contents(course.root) == before, command
    finally:
        path.unlink(missing_ok=True)
        if whole is not None:
            path.write_bytes(whole)
