"""One row for all copies of a text, with the mean of their ratings."""

import unicodedata

import numpy as np

from fmkit.lab.exercises.preprocessing._shared import ALLOWED
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    alike = [
        ["Caf\u00e9  noir", "cafe\u0301 NOIR", "CAF\u00c9 noir"],
        ["Stra\u00dfe", "STRASSE", "stra\u00dfe"],
        ["\uff26\uff29\uff2c\uff2d", "film", "FILM"],
        ["two  words", "two words ", "two\twords", "two \t  words"],
        ["bad"],
        ["bad."],  # no copy of "bad"
        ["cafe noir"],  # nor this of "caf\u00e9 noir"
        ["wow", "wow", "wow"],
        ["\ufb01ne", "fine", "FINE"],
        ["a lone text"],
        ["Zoom", "zoom"],
        ["twowords"],  # no copy of "two words"
        ["Film\u2122", "filmtm"],  # NFKC brings capitals
    ]

    def case(groups, dtype):
        texts = [text for i in groups for text in alike[i]]
        texts = [texts[i] for i in rng.permutation(len(texts))]
        return texts, np.round(rng.uniform(-4, 4, len(texts)), 3).astype(dtype)

    every = range(len(alike))
    example = ["Two  words", "One", "two words"], np.array([1.0, 2.0, 4.0])
    lone = [str(n) for n in rng.permutation(5)], rng.uniform(-4, 4, 5)
    return [
        example,
        case(every, np.float64),
        case(rng.permutation(6)[:4], np.float64),
        case(every, np.float32),
        lone,
    ]


def merge_copies(texts, ratings):
    groups = {}  # key -> the rows of its copies; a dict keeps the order in which keys come
    for i, t in enumerate(texts):
        key = " ".join(unicodedata.normalize("NFKC", t).casefold().split())
        groups.setdefault(key, []).append(i)
    kept = [texts[rows[0]] for rows in groups.values()]
    means = [ratings[rows].mean() for rows in groups.values()]
    return kept, np.array(means, dtype=ratings.dtype)


def _key(text):
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def by_numbers(texts, ratings):
    keys = [_key(text) for text in texts]
    first = [i for i, key in enumerate(keys) if key not in keys[:i]]
    number = np.array([[keys[i] for i in first].index(key) for key in keys])
    means = np.bincount(number, ratings) / np.bincount(number)
    return [texts[i] for i in first], means.astype(ratings.dtype)


def sums(texts, ratings):
    kept, totals, counts = {}, {}, {}
    for text, rating in zip(texts, ratings, strict=True):
        key = _key(text)
        kept.setdefault(key, text)
        totals[key] = totals.get(key, 0.0) + float(rating)
        counts[key] = counts.get(key, 0) + 1
    means = np.array([totals[key] / counts[key] for key in kept])
    return list(kept.values()), means.astype(ratings.dtype)


EXERCISE = Exercise(
    title="One row for all copies of a text",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=merge_copies,
    alternatives=(by_numbers, sums),
    allowed=ALLOWED,
    mistakes=(
        mistake(
            "compared the texts as they are",
            "key = t",
            "Compare keys, not texts: normal form, case, spaces.",
        ),
        mistake(
            "no Unicode normal form",
            'key = " ".join(t.casefold().split())',
            'An é can be one character or two: unicodedata.normalize("NFKC", text).',
        ),
        mistake(
            "NFC, which keeps the looks",
            '"NFKC" -> "NFC"',
            "NFC leaves full-width letters as they are: which form does not?",
        ),
        mistake(
            "upper and lower case still differ",
            'key = " ".join(unicodedata.normalize("NFKC", t).split())',
            "YES and yes are copies here: str.casefold.",
        ),
        mistake(
            "lower() where casefold() is needed",
            "casefold() -> lower()",
            "STRASSE and straße are one word: lower() does not see it.",
        ),
        mistake(
            "spaces still differ",
            'key = unicodedata.normalize("NFKC", t).casefold()',
            '" ".join(text.split()) leaves single spaces, and none at the ends.',
        ),
        mistake(
            "threw all spaces away",
            'key = "".join(unicodedata.normalize("NFKC", t).casefold().split())',
            "Two words and one word are not the same: a run of spaces becomes one.",
        ),
        mistake(
            "folded the case before NFKC",
            'key = " ".join(unicodedata.normalize("NFKC", t.casefold()).split())',
            "NFKC can bring capitals, as TM for \u2122: fold the case after it.",
        ),
        mistake(
            "the first rating only",
            "means = [ratings[rows[0]] for rows in groups.values()]",
            "All raters of all copies have a say: take the mean of the group.",
        ),
        mistake(
            "averaged step by step",
            "means = [ratings[rows[0]] for rows in groups.values()]\n"
            "for k, rows in enumerate(groups.values()):\n"
            "    for i in rows[1:]:\n"
            "        means[k] = (means[k] + ratings[i]) / 2",
            "The mean of a mean and a third number gives the third one half of the say: sum first.",
        ),
        mistake(
            "kept the last copy",
            "kept = [texts[rows[-1]] for rows in groups.values()]",
            "The text to keep is the one that came first.",
        ),
        mistake(
            "kept the cleaned key instead of the text",
            "kept = list(groups)",
            "The key is for comparing only; keep the text as it was.",
        ),
        mistake(
            "another order",
            "return sorted(kept), np.array(means, dtype=ratings.dtype)[np.argsort(kept)]",
            "Groups come in the order of their first copies.",
        ),
        mistake(
            "the median instead of the mean",
            "ratings[rows].mean() -> np.median(ratings[rows])",
            "Twenty raters each: the mean of the group is asked for.",
        ),
    ),
    equal=(("return (kept, np.array(means))", "means of float32 ratings are float32"),),
    hints=(
        "Write the key first: NFKC, then casefold, then single spaces.",
        "A dict from key to the list of its rows: setdefault(key, []).append(i). A dict keeps its order.",
        "kept is the text of each list's first row; means the mean of the ratings of all of its rows.",
    ),
)
