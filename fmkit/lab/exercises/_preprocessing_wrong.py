"""Chapter 01's known-wrong answers, the first half (cleaning and splitting): one mistake at a time.

Each is the right answer with the named mistake in it and nothing else.
"""

import html
import re
import unicodedata
from functools import partial

import numpy as np

from fmkit.lab.judging.exercise import Misconception


def named(wrong, hints):
    """One `Misconception` per mistake that `wrong` knows, with its hint."""
    return tuple(Misconception(name, partial(wrong, name), hint) for name, hint in hints.items())


# --- 1.1 ---------------------------------------------------------------------------------------------------


_ENDS = ("a dash at the ends", "forgot the ends", "dropped the ends last")


def _clean_review(mistake, text):
    if mistake == "looked for white space at the ends before decoding":
        text = html.unescape(text.strip())
    elif mistake == "threw the entities away":
        text = re.sub(r"&#?\w+;", "", text)
    elif mistake == "decoded the entities twice":
        text = html.unescape(html.unescape(text))
    elif mistake not in ("decoded the entities last", "left the entities in"):
        text = html.unescape(text)
    if mistake not in (*_ENDS, "looked for white space at the ends before decoding"):
        text = text.strip()
    space = " " if mistake == "saw only the space character" else r"\s"
    if mistake != "one space everywhere: the dash is still lost":
        least = {"a dash for two spaces": 2, "a dash for four or more only": 4}.get(mistake, 3)
        text = re.sub(f"{space}{{{least},}}", "\0", text)
    if mistake == "forgot the ends":
        text = re.sub("^\0|\0$", " ", text)
    text = text.replace("  ", " ") if mistake == "replaced double spaces only" else text
    text = text if mistake == "replaced double spaces only" else re.sub(f"{space}+", " ", text)
    text = text.replace("\0", " - ")
    text = text.strip() if mistake == "dropped the ends last" else text
    return html.unescape(text) if mistake == "decoded the entities last" else text


CLEAN = named(
    _clean_review,
    {
        "decoded the entities last": (
            "An entity such as &nbsp; is white space, too: what must be done before spaces are counted?"
        ),
        "decoded the entities twice": (
            "&amp;lt; was written by someone who meant the text &lt; and not a sign: once is enough."
        ),
        "threw the entities away": "&amp; stands for a sign that the writer meant: html.unescape knows it.",
        "left the entities in": "Step 1 is missing: html.unescape turns &amp; into &.",
        "one space everywhere: the dash is still lost": (
            "Look for the long gaps before you shorten all gaps to one space."
        ),
        "a dash for two spaces": "A doubled space is a slip of the thumb; a dash left three or more behind.",
        "a dash for four or more only": "Some of the lost dashes left three spaces behind.",
        "replaced double spaces only": 'White space is also "\\t", "\\n" and "\\xa0"; \\s means all of it.',
        "saw only the space character": 'White space is also "\\t", "\\n" and "\\xa0": what does \\s match?',
        "a dash at the ends": "There are no words to join before the first and after the last one.",
        "forgot the ends": "White space before the first and after the last word goes away altogether.",
        "dropped the ends last": "By then a long gap at an end is a dash already: drop the ends first.",
        "looked for white space at the ends before decoding": (
            "A text may begin with &nbsp;: only after decoding is it white space that can be dropped."
        ),
    },
)


# --- 1.2 ---------------------------------------------------------------------------------------------------


def _merge_copies(mistake, texts, ratings):
    def key(text):
        if mistake == "compared the texts as they are":
            return text
        if mistake == "folded the case before NFKC":
            text = text.casefold()
        if mistake != "no Unicode normal form":
            text = unicodedata.normalize("NFC" if mistake == "NFC, which keeps the looks" else "NFKC", text)
        if mistake == "lower() where casefold() is needed":
            text = text.lower()
        elif mistake not in ("upper and lower case still differ", "folded the case before NFKC"):
            text = text.casefold()
        gap = "" if mistake == "threw all spaces away" else " "
        return text if mistake == "spaces still differ" else gap.join(text.split())

    groups = {}
    for i, text in enumerate(texts):
        groups.setdefault(key(text), []).append(i)
    rows = list(groups.values())
    if mistake == "another order":
        rows.sort(key=lambda r: texts[r[0]])
    kept = [texts[r[-1 if mistake == "kept the last copy" else 0]] for r in rows]
    if mistake == "kept the cleaned key instead of the text":
        kept = [key(text) for text in kept]
    if mistake == "the first rating only":
        means = [ratings[r[0]] for r in rows]
    elif mistake == "averaged step by step":
        means = [float(ratings[r[0]]) for r in rows]
        for k, r in enumerate(rows):
            for i in r[1:]:
                means[k] = (means[k] + float(ratings[i])) / 2
    else:
        means = [ratings[r].mean() for r in rows]
    return kept, np.array(means, dtype=ratings.dtype)


COPIES = named(
    _merge_copies,
    {
        "compared the texts as they are": "Compare keys, not texts: normal form, case, spaces.",
        "no Unicode normal form": 'An é can be one character or two: unicodedata.normalize("NFKC", text).',
        "NFC, which keeps the looks": "NFC leaves full-width letters as they are: which form does not?",
        "upper and lower case still differ": "YES and yes are copies here: str.casefold.",
        "lower() where casefold() is needed": "STRASSE and straße are one word: lower() does not see it.",
        "spaces still differ": '" ".join(text.split()) leaves single spaces, and none at the ends.',
        "threw all spaces away": "Two words and one word are not the same: a run of spaces becomes one.",
        "folded the case before NFKC": "NFKC can bring capitals, as TM for \u2122: fold the case after it.",
        "the first rating only": "All raters of all copies have a say: take the mean of the group.",
        "averaged step by step": (
            "The mean of a mean and a third number gives the third one half of the say: sum first."
        ),
        "kept the last copy": "The text to keep is the one that came first.",
        "kept the cleaned key instead of the text": "The key is for comparing only; keep the text as it was.",
        "another order": "Groups come in the order of their first copies.",
    },
)


# --- 1.3 ---------------------------------------------------------------------------------------------------


def _mend_ratings(mistake, train, new):
    source = {"learned from the new rows": new, "learned from both together": np.concatenate([train, new])}
    known = source.get(mistake, train).astype(np.float64)
    if mistake != "NaN poisons the quartiles":
        known = known[~np.isnan(known)]
    low, high = np.percentile(known, [25, 75])
    middle = known.mean() if mistake == "the mean instead of the median" else np.median(known)
    middle = 0.0 if mistake == "zero for what is missing" else middle
    reach = 1.5 * (high - low)
    floor, ceiling = low - reach, high + reach
    if mistake == "three standard deviations":
        floor, ceiling = known.mean() - 3 * known.std(), known.mean() + 3 * known.std()
    elif mistake == "fences from the median":
        floor, ceiling = middle - reach, middle + reach
    elif mistake == "cut at the quartiles":
        floor, ceiling = low, high
    out = np.where(np.isnan(new), middle, new)
    if mistake == "outliers became the median":
        return np.where((out < floor) | (out > ceiling), middle, out).astype(new.dtype)
    if mistake == "dropped the missing rows":
        out = new[~np.isnan(new)]
    if mistake == "missing values stay":
        out = new
    return np.clip(out, floor, ceiling).astype(new.dtype)


MEND = named(
    _mend_ratings,
    {
        "learned from the new rows": (
            "At prediction time the new rows may be a single one: quartiles come from `train`."
        ),
        "learned from both together": "The new rows are the test: nothing may be learned from them.",
        "NaN poisons the quartiles": "One NaN makes every percentile NaN: np.nanpercentile leaves it out.",
        "the mean instead of the median": "The mean follows the very outliers that you want to tame.",
        "zero for what is missing": "Zero is a rating like any other. Which value is typical of `train`?",
        "three standard deviations": "The fences are counted in quartile distances: Q1 and Q3.",
        "fences from the median": "The fences start at the quartiles, not at the median.",
        "cut at the quartiles": "That moves half of all honest ratings: the fences lie further out.",
        "outliers became the median": "An outlier is moved to the nearer fence, so that its side is kept.",
        "dropped the missing rows": "As many rows must come out as went in: fill them.",
        "missing values stay": "np.clip lets NaN through: fill first.",
    },
)


# --- 1.4 ---------------------------------------------------------------------------------------------------


def _stratified_split(mistake, labels, order, k):
    rows = np.arange(len(labels))
    if mistake == "left the file's order":
        order = rows
    elif mistake == "read the order the other way":
        order = np.argsort(order)
    classes = np.unique(labels)
    if mistake == "took the labels for 0, 1, 2 ...":
        classes = np.arange(len(classes))
    if mistake == "not class by class":
        test = order[: len(order) // k]
    else:
        groups = [order[labels[order] == label] for label in classes]
        share = len(labels) // k // len(classes)
        even = mistake == "as many of each class"
        extra = {"rounded to the nearest": k // 2, "rounded up": k - 1}.get(mistake, 0)
        sizes = [share if even else (len(g) + extra) // k for g in groups]
        last = mistake == "took the last ones"
        parts = [g[len(g) - n :] if last else g[:n] for g, n in zip(groups, sizes, strict=True)]
        test = np.concatenate(parts)
    train = rows if mistake == "the test rows stay in training" else np.setdiff1d(rows, test)
    return train, test if mistake == "the test rows are not in order" else np.sort(test)


SPLIT = named(
    _stratified_split,
    {
        "not class by class": "Count the classes of your test rows: are they balanced as the whole is?",
        "left the file's order": "The first rows of a class may be special: take them in the given order.",
        "read the order the other way": (
            "order[0] is the row that comes first; it is not the place at which row 0 comes."
        ),
        "took the labels for 0, 1, 2 ...": "Labels can be any whole numbers: which ones occur?",
        "as many of each class": "A class with more rows gives more rows: n // k of its own n.",
        "rounded to the nearest": "n // k rounds down: the rows left over stay in training.",
        "rounded up": "n // k rounds down, so that no class is used up by the test.",
        "took the last ones": "The *first* n // k rows of each class, in the shuffled order, are the test.",
        "the test rows stay in training": "A row in both parts is the plainest leak of all.",
        "the test rows are not in order": "Both results are in ascending order: np.sort.",
    },
)
