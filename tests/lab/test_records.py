"""Progress survives whatever happens to its file, and never stops a check."""

import json
import os
import subprocess
import sys

import pytest
from helpers.paths import ROOT
from helpers.samples import CENTER, center, exercise

from fmkit.lab.records import _session, done, record, table


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A learner's folder, with progress kept in its file as outside of the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTEST_VERSION")
    monkeypatch.delenv("FMKIT_PROGRESS", raising=False)
    return tmp_path


def test_tries_are_counted_and_solved_stays_solved(folder):
    for solved in (False, True, False):
        assert record(CENTER, solved) == ""
    assert done() == {"sample.center": {"tries": 3, "solved": True}}
    assert json.loads((folder / ".fmkit" / "progress.json").read_text())["version"] == 1
    assert not list(folder.glob(".fmkit/*.tmp"))


def test_the_folder_keeps_itself_out_of_git(folder):
    record(CENTER, True)
    assert (folder / ".fmkit" / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{",
        b"[]",
        b'{"exercises": 3}',
        b'{"exercises": {"a": {}}}',
        b"\xff\xfe",
        b"[" * 100_000,
        b"\0" * 100,
    ],
)
def test_a_damaged_file_is_moved_aside(folder, damaged):
    record(CENTER, True)
    (folder / ".fmkit" / "progress.json").write_bytes(damaged)
    assert record(CENTER, False) == ""
    assert done() == {"sample.center": {"tries": 1, "solved": False}}
    (aside,) = folder.glob(".fmkit/progress.damaged-*.json")
    assert aside.read_bytes() == damaged


def test_what_cannot_be_written_is_said_and_stops_nothing(folder):
    (folder / ".fmkit").write_text("a file where the folder should be")
    assert "could not be saved" in record(CENTER, True)
    assert done() == {}


def test_a_folder_in_the_files_place(folder):
    (folder / ".fmkit" / "progress.json").mkdir(parents=True)
    assert "could not be saved" in record(CENTER, True)
    assert done() == {}


def test_a_full_disk(folder, monkeypatch):
    record(CENTER, True)

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert record(CENTER, False) == "Your progress could not be saved: No space left on device."
    assert done() == {"sample.center": {"tries": 1, "solved": True}}
    assert not list(folder.glob(".fmkit/.*.tmp"))


def test_two_notebooks_at_once_lose_nothing(folder):
    program = (
        "import sys; sys.path.insert(0, {tests!r})\n"
        "from helpers.samples import CENTER\n"
        "from fmkit.lab.records import record\n"
        "for i in range(40): record(CENTER, False)\n"
    ).format(tests=str(ROOT / "tests"))
    both = [subprocess.Popen([sys.executable, "-c", program], cwd=folder) for _ in range(2)]
    assert [p.wait(60) for p in both] == [0, 0]
    assert done()["sample.center"]["tries"] == 80


def test_in_a_session_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FMKIT_PROGRESS", "session")
    monkeypatch.setitem(_session, "sample.center", {"tries": 1, "solved": False})
    assert record(CENTER, True) == ""
    assert done()["sample.center"] == {"tries": 2, "solved": True}
    assert list(tmp_path.iterdir()) == []


def test_tests_of_notebooks_are_a_session(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FMKIT_PROGRESS", raising=False)
    monkeypatch.setitem(_session, "sample.center", {"tries": 0, "solved": False})
    record(CENTER, True)
    assert list(tmp_path.iterdir()) == []


def test_the_table():
    other = exercise(center, CENTER.cases, id="more.one", chapter="98", points=3)
    record_of = {"sample.center": {"tries": 2, "solved": True}, "more.one": {"tries": 2, "solved": False}}
    card = table([other, CENTER], record_of | {"gone.since": {"tries": 1, "solved": True}})
    assert card.table == (("98", "0 of 1", "0 of 3"), ("99", "1 of 1", "2 of 2"), ("all", "1 of 2", "2 of 5"))
    assert "chapter" in repr(card) and "<th" in card._repr_html_()
