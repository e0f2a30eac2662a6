"""Progress survives whatever happens to its file, and never stops a check."""

import json
import os
import subprocess
import sys

import pytest
from helpers.paths import ROOT
from helpers.samples import CENTER, center, exercise

from fmkit.lab import records, share_minutes
from fmkit.lab.cards import MINUTES
from fmkit.lab.records import _session, done, record, table


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A learner's folder, with progress kept in its file as outside of the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTEST_VERSION")
    monkeypatch.delenv("FMKIT_PROGRESS", raising=False)
    return tmp_path


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """The time of day in minutes, which stands still until a test moves it; the kernel began at 0."""
    at = {"minute": 0.0}
    monkeypatch.setattr(records.time, "monotonic", lambda: 60 * at["minute"])
    monkeypatch.setitem(records._clock, "last", 0.0)
    return at


def test_tries_are_counted_and_solved_stays_solved(folder):
    for solved in (False, True, False):
        assert record(CENTER, solved) == ""
    assert done() == {"sample.center": {"tries": 3, "solved": True, "minutes": 0.0}}
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
        b'{"exercises": {"a": {"tries": 1, "solved": true, "minutes": NaN}}}',
        b'{"exercises": {"a": {"tries": 1, "solved": true, "minutes": "3"}}}',
        b"\xff\xfe",
        b"[" * 100_000,
        b"\0" * 100,
    ],
)
def test_a_damaged_file_is_moved_aside(folder, damaged):
    record(CENTER, True)
    (folder / ".fmkit" / "progress.json").write_bytes(damaged)
    assert record(CENTER, False) == ""
    assert done() == {"sample.center": {"tries": 1, "solved": False, "minutes": 0.0}}
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
    assert done() == {"sample.center": {"tries": 1, "solved": True, "minutes": 0.0}}
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
    assert done()["sample.center"] == {"tries": 2, "solved": True, "minutes": 0.0}
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


OTHER = exercise(center, CENTER.cases, id="more.one")


def test_minutes_run_from_one_check_to_the_next_until_it_is_right(folder, clock):
    for minute, each, solved in (
        (3, CENTER, False),
        (5.5, CENTER, True),
        (9, CENTER, False),  # right already: these belong to nothing
        (10, OTHER, False),
        (500, OTHER, True),  # the night between counts as a break
    ):
        clock["minute"] = minute
        record(each, solved)
    assert {id: entry["minutes"] for id, entry in done().items()} == {"sample.center": 5.5, "more.one": 21.0}
    assert "500" not in (folder / ".fmkit" / "progress.json").read_text()


def test_a_record_of_an_older_kit_has_no_minutes(folder, capsys):
    (folder / ".fmkit").mkdir()
    old = {"version": 1, "exercises": {"sample.center": {"tries": 2, "solved": True}}}
    (folder / ".fmkit" / "progress.json").write_text(json.dumps(old))
    record(CENTER, True)
    assert done() == {"sample.center": {"tries": 3, "solved": True}}
    share_minutes("yes")
    said = capsys.readouterr().out
    assert "nothing to share yet" in said and "No check of these exercises has been run here yet" in said


def test_minutes_are_shared_by_a_yes_alone_and_shown_whole(folder, clock, monkeypatch, capsys):
    shown = []
    monkeypatch.setattr(records, "in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda what, **named: shown.append((what, named)))
    clock["minute"] = 12.4
    record(CENTER, True)
    record(OTHER, False)
    share_minutes("no", "sample")
    said = capsys.readouterr().out
    assert (
        not shown and "12" not in said and "whole number of minutes for 1 exercise would stand here" in said
    )
    share_minutes("yes", "sample")
    ((bundle, named),) = shown
    assert bundle[MINUTES] == {"sample.center": 12} and named == {"raw": True}
    assert "sample.center" in bundle["text/plain"] and "more.one" not in bundle["text/html"]
    share_minutes("yes")
    assert shown[1][0][MINUTES] == {"sample.center": 12, "more.one": 1}


@pytest.mark.parametrize(
    "answer", ["maybe", "Yes please", "yes, sample", "Yes", "", 1, True, None, ["yes"], CENTER]
)
def test_another_answer_shares_nothing_and_says_what_to_write(folder, clock, monkeypatch, capsys, answer):
    monkeypatch.setattr(records, "in_notebook", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda *_, **__: pytest.fail("shared"))
    clock["minute"] = 12.4
    record(CENTER, True)
    share_minutes(answer, "sample")
    said = capsys.readouterr().out
    assert "not shared" in said and 'Write "yes" or "no"' in said and "12" not in said


def test_no_answer_shares_nothing(capsys):
    share_minutes()
    assert 'Write "yes" or "no"' in capsys.readouterr().out
