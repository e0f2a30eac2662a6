"""The kill table: data for the book, and what the command prints."""

import pytest
from helpers.samples import CENTER, center, center_cases, exercise

from fmkit.lab import exercises
from fmkit.lab import proof as kill_table


@pytest.fixture
def registry(monkeypatch):
    def put(*some):
        monkeypatch.setattr(exercises, "every", lambda: list(some))

    return put


def test_every_row_of_a_sound_exercise_is_proven(registry, capsys):
    registry(CENTER)
    rows = kill_table.rows()
    assert [row.answer for row in rows if row.is_wrong] == [m.name for m in CENTER.mistakes]
    assert [row.answer for row in rows if not row.is_wrong] == ["reference", "np mean"]
    assert all(row.is_proven for row in rows)
    assert kill_table.print_table() == 0
    out = capsys.readouterr().out
    assert "sample.center" in out and "right answers accepted: 2 of 2" in out
    assert "1 exercises; of 5 known mistakes 5 rejected, 5 named; of 2 right answers 2 accepted" in out


def broken(x, w):
    return x


def test_an_unsound_exercise_is_shown_and_fails(registry, capsys):
    twice = {"harmless": center, "one": lambda x, w: (x, w), "two": lambda x, w: (x, w)}
    registry(exercise(center, center_cases, twice, alternatives=(broken,)))
    assert kill_table.print_table() == 1
    out = capsys.readouterr().out
    assert "of 3 known mistakes 2 rejected, 1 named; of 2 right answers 1 accepted" in out
    assert "as 'one'" in out and "REJECTED: broken" in out


def test_a_chapter(registry, capsys):
    registry(CENTER)
    assert kill_table.print_table("99") == 0
    assert kill_table.print_table("4") == 2
    assert "no exercises in chapter 04" in capsys.readouterr().err
    assert kill_table.rows("04") == []


def test_edits_are_refused_and_told():
    found = kill_table.edits_of(CENTER, name=True)
    told = [edit for edit in found if edit.told]
    assert len(told) > 30 and all(edit.refused for edit in told)
    assert not any(edit.told for edit in kill_table.edits_of(CENTER)), "nobody asked"
    assert kill_table.edits_of(CENTER, name=True, step=3) == found[::3]
