"""`check` and `hint`: the cards, and what is raised."""

import io
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from helpers.samples import CENTER, center, exercise

from fmkit.lab import CheckFailed, check, exercises, hint
from fmkit.lab.cards import Card
from fmkit.lab.cards import card as card_of
from fmkit.lab.judging.judge import Verdict

check_module = sys.modules["fmkit.lab.checks"]
ID = CENTER.id


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    monkeypatch.setattr(exercises, "modules", lambda: ["sample"])
    monkeypatch.setattr(exercises, "load", lambda module: [CENTER])
    check_module._revealed.clear()


def failed(answer, capsys, **settings):
    with pytest.raises(CheckFailed) as error:
        check(ID, answer, **settings)
    return str(error.value), capsys.readouterr().out


def test_right(capsys):
    assert check(ID, center) is None
    assert capsys.readouterr().out == (
        "✓ sample.center: correct (2 points)\n  A sample: right on every input. 2 points.\n"
    )


def test_wrong_and_named(capsys):
    message, out = failed(CENTER.mistakes[0].wrong, capsys, seed=1)
    assert message == "sample.center: not right yet, see the card above"
    said = [line.strip() for line in out.splitlines()[:4]]
    assert said[0] == "✗ sample.center: not right yet"
    assert said[1] == "value 2 of 2 is right, value 1 of 2 is not."
    assert said[2] == "Looks like: forgot the weight" and said[3].startswith("Hint: think about")
    assert re.search(r"\n  where +value 1 of 2, \[0, 0\]\n  expected +-?[\d.]+\n  yours +-?[\d.]+\n", out)


def test_the_card_of_a_wrong_answer_is_the_same_for_the_same_seed(capsys):
    wrong = CENTER.mistakes[0].wrong
    assert failed(wrong, capsys, seed=1) == failed(wrong, capsys, seed=1)
    assert failed(wrong, capsys) != failed(wrong, capsys)


def test_not_done_yet(capsys):
    def answer(x, w):
        # YOUR CODE HERE
        raise NotImplementedError("write this, then run its check")

    message, out = failed(answer, capsys)
    assert message == "sample.center: not done yet"
    assert (
        out
        == "○ sample.center: not done yet\n  Write the function and run its cell, then run this one again.\n"
    )


@pytest.mark.parametrize("thing", [3, None, ..., np.zeros(3), "center"])
def test_the_function_itself_is_wanted(thing, capsys):
    assert "without brackets" in failed(thing, capsys)[1]


def test_no_such_exercise():
    with pytest.raises(LookupError, match="Did you mean sample.center"):
        check("sample.centre", center)


def test_an_endless_loop_is_stopped(monkeypatch, capsys):
    def answer(x, w):
        while True:
            pass

    monkeypatch.setattr(check_module, "SECONDS", 0.1)
    assert "A loop that never ends?" in failed(answer, capsys)[1]


def test_progress_that_cannot_be_saved_is_a_note(monkeypatch, capsys):
    monkeypatch.setattr(check_module, "record", lambda *_: "Your progress could not be saved: full.")
    check(ID, center)
    assert "Note: Your progress could not be saved: full." in capsys.readouterr().out


def test_tries_are_recorded_but_not_for_placeholders(monkeypatch, capsys):
    tries = []
    monkeypatch.setattr(check_module, "record", lambda e, solved: tries.append((e.id, solved)) or "")
    check(ID, center)
    failed(lambda x, w: 0 * x, capsys)
    failed(lambda x, w: ..., capsys)
    assert tries == [(ID, True), (ID, False)]


def test_the_traceback_is_one_line():
    assert CheckFailed("x: not right yet")._render_traceback_() == ["CheckFailed: x: not right yet"]
    assert issubclass(CheckFailed, AssertionError)


def test_hints_come_one_at_a_time(capsys):
    def shown():
        hint(ID)
        return capsys.readouterr().out

    first, second, third = shown(), shown(), shown()
    assert first.startswith("? sample.center: hint 1 of 2\n  1: first\n") and "second" not in first
    assert "1: first\n  2: second\n" in second and "no more" in second
    assert third == second


# --- the HTML ----------------------------------------------------------------------------------------------


class Balanced(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.words = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def read(card):
    parser = Balanced()
    parser.feed(card._repr_html_())
    parser.close()
    assert parser.open == []
    return " ".join(parser.words)


VERDICTS = [
    Verdict("ok"),
    Verdict("undone", message="Write it."),
    Verdict(
        "wrong", "value", "<b>bold</b> & more", "name <i>", "hint?", (("where", "<script>"),), ("<note>",)
    ),
]


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda v: v.status)
def test_cards_are_sound_html_and_escaped(verdict):
    card = card_of(CENTER, verdict)
    html = card._repr_html_()
    words = read(card)
    assert "<b>" not in html and "<i>" not in html and "<script>" not in html and "<note>" not in html
    assert {"ok": "Correct", "undone": "Not done yet", "wrong": "Not right yet"}[verdict.status] in words
    for text in (verdict.message, verdict.misconception, verdict.hint, *verdict.notes):
        assert text in words


def test_cards_need_nothing_from_outside_and_set_no_text_colour():
    html = card_of(CENTER, VERDICTS[2])._repr_html_()
    assert "http" not in html and "url(" not in html
    colours = re.findall(r"[^-]color:([^;\"]+)", html)
    assert set(colours) <= {"#fff", "inherit"}  # white on the icon's own colour; the theme's elsewhere


def test_what_cannot_be_encoded_stops_no_card(monkeypatch):
    """A lone surrogate would be lost on its way to the notebook, an icon on an old terminal."""
    card = card_of(CENTER, Verdict("wrong", "value", "half a character: \ud800"))
    assert "half a character: ?" in card._repr_html_() and "half a character: ?" in repr(card)
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="\n")
    monkeypatch.setattr(sys, "stdout", terminal)
    check(ID, center)
    terminal.flush()
    assert terminal.buffer.getvalue().startswith(b"? sample.center: correct")


def test_a_title_that_asks():
    asking = exercise(center, CENTER.cases, title="How much?")
    assert "How much? Right on every input." in repr(card_of(asking, Verdict("ok")))


def test_one_point():
    single = exercise(center, CENTER.cases, points=1)
    assert repr(card_of(single, Verdict("ok"))).startswith("✓ sample.thing: correct (1 point)")


def test_a_table_has_aligned_columns():
    card = Card(
        "neutral", "Word", "", "line", header=("a", "number"), table=(("long name", "1"), ("b", "22"))
    )
    assert repr(card) == "○ line\n  a          number\n  long name       1\n  b              22"
    assert "22" in read(card)
