"""The data of chapter 16, against what its sources say of themselves."""

from datetime import date

import numpy as np

from fmkit.data import documents
from fmkit.data.speech import spoken


def test_questions_and_passages():
    passages, asked, answers = documents.questions()
    assert (len(passages), len(asked), len(answers)) == (2938, 3270, 3270)
    assert len(set(passages)) == 2938 and set(answers) == set(range(2938))
    at = asked.index("is harry potter and the escape from gringotts a roller coaster ride")
    assert "Escape from Gringotts" in passages[answers[at]]


def test_film_ratings():
    rows = documents.film_ratings()
    assert {len(column) for column in rows.values()} == {100_004}
    assert rows["user"].max() == 670 and rows["film"].max() == 9065
    assert set(np.unique(rows["rating"])) == {i / 2 for i in range(1, 11)}
    assert (rows["title"][rows["film"] == rows["film"][0]] == rows["title"][0]).all()
    assert rows["time"].min() > 7e8


def test_films_join_their_summaries():
    rows, summaries = documents.film_ratings(), documents.film_summaries()
    assert len(summaries) == 997 and "Hitchcock" in summaries["Vertigo (film)"]
    titles = {documents.plain_title(title) for title in rows["title"]}
    joined = [title for title in summaries if documents.plain_title(title) in titles]
    assert len(joined) > 400
    assert (
        documents.plain_title("The Godfather (film)")
        == documents.plain_title("Godfather, The")
        == "godfather"
    )


def test_messages():
    rows = documents.messages()
    assert len(rows) == 249 and rows[0][:2] == (date(1790, 1, 8), "George Washington")
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert all(len(text) > 2000 for *_, text in rows)


def test_five_spoken_sentences():
    sounds = spoken()
    assert len(sounds) == 5
    for sound, text in sounds.values():
        assert sound.dtype == np.float32 and 2 < len(sound) / 16_000 < 6 and text[-1] in ".?"
