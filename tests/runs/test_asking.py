"""Ask the book: its passages, how they are found, what is said and scored; the models, if they are here."""

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from fmkit.command.cli import main
from fmkit.data.assets import asset_path
from fmkit.errors import AssetError
from fmkit.runs import asking

PASSAGE = asking.Passage(
    "06", "5 · Why", "06-attention.html#5--why", "It is so. Nobody asked. The root it is!"
)
ANSWER = asking.Answer("why?", "Because.", "It is so.", PASSAGE, 0.8)


@pytest.fixture
def assets():
    try:
        for name in ("minilm", "smollm2", "whisper"):
            asset_path(name)
    except AssetError as error:
        pytest.skip(str(error))


def test_anchors_are_the_books():
    assert asking.anchor("5 · Why the root of D") == "5--why-the-root-of-d"
    assert asking.anchor("Is it any good?") == "is-it-any-good"
    assert asking.anchor("Q_1, and a-b") == "q_1-and-a-b"


def test_markdown_becomes_prose():
    text = "## Head\n\nA *word*, `code`, [a link](x.ipynb), $x$.\n\n$$y = 1$$\n\n```python\nz = 2\n```\nEnd."
    assert asking.plain(text) == "A word, code, a link, x. End."


def test_sentences():
    assert asking.sentences("One. Two? Three! 3.5 is one: it stays") == [
        "One.",
        "Two?",
        "Three!",
        "3.5 is one: it stays",
    ]


def test_the_passages_are_the_books_prose():
    found = asking.passages()
    assert len(found) > 500 and {p.chapter for p in found} >= {"01", "06", "11", "15"}
    text = " ".join(p.text for p in found)
    assert "BEGIN SOLUTION" not in text and "(difficulty" not in text and "```" not in text
    root = next(p for p in found if p.title == "5 · Why the root of D")
    assert root.chapter == "06" and root.link == "06-attention.html#5--why-the-root-of-d"


def test_what_is_far_is_not_answered(monkeypatch):
    monkeypatch.setattr(asking, "find", lambda question: [PASSAGE, replace(PASSAGE, chapter="07")])
    monkeypatch.setattr(asking, "write_answer", lambda question, text: f"said of {text[:5]}")
    for near, known in ((asking.KNOWS - 0.01, False), (asking.KNOWS, True)):
        monkeypatch.setattr(asking, "quote", lambda question, text, near=near: ("It is so.", near))
        answer = asking.ask("why?")
        assert answer.known == known and answer.passage == PASSAGE and answer.near == near
        assert answer.text == ("said of It is" if known else asking.UNKNOWN)


def test_the_nearest_sentence_is_quoted_but_no_question(monkeypatch):
    vectors = {"why?": [1.0, 0.0], "Is it?": [1.0, 0.0], "It is.": [0.6, 0.8], "No.": [0.0, 1.0]}
    monkeypatch.setattr(asking, "embed", lambda texts: np.array([vectors[text] for text in texts]))
    assert asking.quote("why?", "Is it? It is. No.") == ("It is.", pytest.approx(0.6))
    assert asking.quote("why?", "Is it?") == ("Is it?", pytest.approx(1.0))


def test_scoring():
    good = asking.score(ANSWER, ("06",), ("because",))
    assert good == {"rightly": True, "section": True, "words": True}
    assert asking.score(ANSWER, ("05",), ("root",)) == {**good, "section": False, "words": False}
    assert asking.score(ANSWER, (), ()) == {"rightly": False}
    silent = replace(ANSWER, text=asking.UNKNOWN)
    assert asking.score(silent, (), ()) == {"rightly": True}
    assert asking.score(silent, ("06",), ("x",)) == {"rightly": False}


def test_a_sieve_takes_out_orders_and_no_more():
    text = f"It rains. {asking.ATTACKS[0]} The sun is hot."
    assert asking.sieve(text) == "It rains. The sun is hot."
    assert asking.sieve(f"It rains. {asking.ATTACKS[1]}") == f"It rains. {asking.ATTACKS[1]}"


def test_what_is_stored_is_what_is_asked():
    found = asking.results()
    assert [row["question"] for row in found["answers"]] == [question for question, *_ in asking.QUESTIONS]
    assert sum(bool(chapters) for _, chapters, _ in asking.QUESTIONS) == 5 == len(asking.QUESTIONS) / 2
    assert len(found["heard"]) == 5 and len(found["strangers"]) == 40
    assert {len(said) for said in found["astray"].values()} == {8}
    for answer in asking.answers():
        assert answer.quotation in answer.passage.text and answer.passage.chapter != "16"
        assert answer.known == (answer.near >= asking.KNOWS)


def test_an_answer_in_words():
    said = asking.in_words(ANSWER)
    assert said.splitlines()[0] == "“It is so.”" and "06-attention.html#5--why" in said
    assert asking.in_words(replace(ANSWER, text=asking.UNKNOWN)) == asking.UNKNOWN


def test_the_command(monkeypatch, tmp_path):
    monkeypatch.setattr(asking, "ask", lambda question: replace(ANSWER, question=question))
    monkeypatch.setattr(asking, "listen", lambda path: f"heard {path.name}")
    done = CliRunner().invoke(main, ["ask", "why?"])
    assert done.exit_code == 0 and done.output == asking.in_words(ANSWER) + "\n"
    done = CliRunner().invoke(main, ["ask", "--sound", str(tmp_path / "a.wav")])
    assert done.exit_code == 0 and done.output.startswith("Heard: heard a.wav\n“It is so.”")
    for words in ([], ["why?", "--sound", "a.wav"]):
        done = CliRunner().invoke(main, ["ask", *words])
        assert done.exit_code == 2 and "give a question, or --sound with a file" in done.output


def test_the_book_finds_itself(assets):
    found = asking.find("Why do we divide the scores by the square root of the width?")
    assert len(found) == 3 and found[0].chapter == "06"
    far = max(asking.quote("Which vitamin prevents scurvy?", p.text)[1] for p in found)
    assert far < asking.KNOWS


def test_a_model_answers_from_a_text(assets):
    said = asking.write_answer("What colour is the gate?", "The gate is green.", most=12)
    assert "green" in said.lower()
