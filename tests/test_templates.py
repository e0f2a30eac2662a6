"""What is put into a page is escaped, wherever it stands."""

import re

import jinja2
import pytest
from helpers.paths import ROOT
from markupsafe import Markup

from fmkit._templates import _environment, macros, render

ATTACK = "<script>alert(1)</script>\" onload='alert(2)' & |"
TEMPLATES = sorted(path for path in ROOT.glob("fmkit/*/templates/*") if path.suffix in (".html", ".md"))


def test_every_page_escapes():
    assert len(TEMPLATES) > 6
    for path in TEMPLATES:
        text = path.read_text("utf-8")
        assert "|safe" not in text.replace(" ", "") and "autoescape" not in text, path.name
        assert not re.search(r"=\s*\{\{", text), f"{path.name}: an attribute's value without quotes"


def test_a_page_of_feedback_escapes_every_word():
    part = dict.fromkeys(("title", "points", "card", "answer", "text", "comment"), ATTACK)
    part["pictures"] = [(ATTACK, ATTACK)]
    values = {"title": ATTACK, "score": ATTACK, "most": ATTACK, "remarks": [ATTACK], "parts": [part]}
    page = render("course", "feedback.html", **values)
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;&#34;") == 13
    assert "<script" not in page and "onload='" not in page and "& |" not in page


@pytest.mark.parametrize(
    ("template", "call"),
    [
        ("cell.html", lambda html: html.download(ATTACK)),
        ("cell.html", lambda html: html.hints([ATTACK])),
        ("cell.html", lambda html: html.printed(ATTACK)),
        ("cell.html", lambda html: html.formula("inline", ATTACK)),
        ("cell.html", lambda html: html.picture(ATTACK, ATTACK, 1, 1)),
        ("slide.html", lambda html: html.printed(ATTACK, False)),
        ("slide.html", lambda html: html.picture("", ATTACK)),
        ("slide.html", lambda html: html.exercise(*[ATTACK] * 5, [ATTACK], [ATTACK])),
    ],
)
def test_a_piece_of_a_page_escapes(template, call):
    text = call(macros("book", template))
    assert "<script" not in text and "onload='" not in text and "&lt;script&gt;" in text
    assert isinstance(text, Markup)


def test_a_value_that_is_missing_is_an_error():
    with pytest.raises(jinja2.UndefinedError):
        render("book", "home.md")
    assert _environment("book").autoescape is True
