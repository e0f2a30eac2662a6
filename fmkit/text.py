"""Text before it meets a model (chapter 01): clean, normalize, deduplicate, split, augment, count words.

Functions that choose rows return *indices* or a mask, so that labels and texts can be chosen alike. What
takes several texts or words refuses one str, which would fall into letters (TypeError), and all refuse
settings out of range (ValueError).
"""

import hashlib
import html
import re
import unicodedata
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence, Set
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from fmkit._shapes import expect, floats
from fmkit._types import Array
from fmkit._values import demand, generator, instance, kind_of, listed, number, one_text, whole

# ---------------------------------------------------------------- cleaning and normal forms

# What the bytes 80-BF, the second and later ones of a UTF-8 character, look like in Windows-1252
_LATER = re.escape("".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in range(0x80, 0xC0)))
_MOJIBAKE = re.compile(f"[ÂÃÄÅÎÏÐÑ][{_LATER}]|[à-ï][{_LATER}]{{2}}|[ð-ô][{_LATER}]{{3}}")
# What ends a line elsewhere: Windows, old Macs; vertical tab, form feed, NEL
_LINE_END = re.compile("\r\n?|[\x0b\x0c\x85]")
# Control characters but for those that part words; soft hyphen, zero-width space, byte order mark
_CONTROL = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x9f\xad\u200b\ufeff]")
_QUOTES = str.maketrans("‘’‚‛“”„‟′″", "''''\"\"\"\"'\"")


def clean(text: str) -> str:
    """Repair what transport does to text: HTML entities, mojibake, control characters, doubled spaces.

    Line breaks stay, those of other systems as a line feed (at most one empty line in a row). What parted
    words, still does: odd spaces and separators become a space. Half characters (lone surrogates), which
    cannot be written to a UTF-8 file, become U+FFFD.

    Examples
    --------
    >>> clean("  Tom &amp; Jerry\\x00  &lt;3\\r\\n caf\\u00c3\\u00a9 ")
    'Tom & Jerry <3\\ncafé'
    """
    one_text("text", text)
    text = _LINE_END.sub("\n", fix_mojibake(html.unescape(text)))
    text = _CONTROL.sub("", text)
    text = re.sub("[\ud800-\udfff]", "\ufffd", text)  # half characters
    text = re.sub(r"[^\S\n]+", " ", text)  # white space in a row, except line breaks
    text = re.sub(r"\n\s*\n", "\n\n", text)  # at most one empty line
    return re.sub(r" ?\n ?", "\n", text).strip()


def fix_mojibake(text: str) -> str:
    """Undo UTF-8 that was read as Windows-1252, character by character: ``Ã©`` to ``é``, ``â€™`` to ``’``.

    Only sequences that are the two to four bytes of a character in Latin, Greek, Cyrillic, an Asian script,
    typography or emoji are touched; text that is right has these next to never.

    Examples
    --------
    >>> fix_mojibake("Itâ€™s a cafÃ©, not «CAFÉ»")
    'It’s a café, not «CAFÉ»'
    """
    one_text("text", text)
    return _MOJIBAKE.sub(_reread, text)


def _reread(match: re.Match) -> str:
    raw = b"".join(bytes([ord(c)]) if ord(c) < 256 else c.encode("cp1252") for c in match[0])
    return raw.decode("utf-8", "ignore") or match[0]


def normalize(text: str, form: str = "NFC") -> str:
    """One spelling for what looks the same: a Unicode normal form, and straight quotes.

    Parameters
    ----------
    text : str
    form : str
        "NFC" joins letters and accents (``e`` + ``´``). "NFKC" also drops what is "only" looks: full width
        ``Ａ``, the ligature ``ﬁ``, but the exponent of ``m²`` too. Good for search and deduplication, not
        for texts to be shown.

    Examples
    --------
    >>> normalize("“cafe\\u0301” ＡＢＣ"), normalize("“cafe\\u0301” ＡＢＣ", "NFKC")
    ('"café" ＡＢＣ', '"café" ABC')
    """
    one_text("text", text)
    if form not in ("NFC", "NFD", "NFKC", "NFKD"):
        raise ValueError(f'form: expected "NFC" or "NFKC" (or "NFD", "NFKD"), got {form!r:.60}')
    return unicodedata.normalize(form, text).translate(_QUOTES)


# ---------------------------------------------------------------- duplicates


def _key(text: str) -> str:
    """What two copies of a text share: NFKC, no case, single spaces."""
    return " ".join(normalize(text, "NFKC").casefold().split())


def deduplicate(texts: Sequence[str]) -> Int[Array, "kept"]:
    """Indices of the texts that do not repeat an earlier one, apart from case, spaces and Unicode form.

    Examples
    --------
    >>> deduplicate(["Great film!", "great  film!", "Great film"])
    array([0, 2])
    """
    listed("texts", texts)
    first = {}
    for i, text in enumerate(texts):
        first.setdefault(_key(text), i)
    return np.array(list(first.values()), dtype=np.int64)


def shingles(text: str, k: int = 5) -> set[str]:
    """All strings of ``k`` neighbouring characters; a shorter text is its own only shingle.

    Examples
    --------
    >>> sorted(shingles("to be", k=3))
    [' be', 'o b', 'to ']
    """
    whole("k", k, 1)
    text = _key(text)
    return {text[i : i + k] for i in range(max(1, len(text) - k + 1))}


def jaccard(a: set, b: set) -> float:
    """Shared members over all members: 1 for equal sets (two empty ones too), 0 for disjoint ones.

    Examples
    --------
    >>> jaccard({"a", "b", "c"}, {"b", "c", "d"})
    0.5
    """
    if not (isinstance(a, Set) and isinstance(b, Set)):
        raise TypeError(f"a and b: expected two sets, got {kind_of(a)} and {kind_of(b)}")
    return len(a & b) / len(a | b) if a or b else 1.0


def minhash(items: Iterable[str], n_hashes: int = 96) -> Int[Array, "n_hashes"]:
    """A short signature of a set: under each of many hash functions, the smallest hash of any member.

    Two sets agree in one place with a probability equal to their Jaccard similarity (Broder 1997).

    Raises
    ------
    ValueError
        For an empty set, which has no smallest hash.

    Examples
    --------
    >>> a, b = shingles("to be or not to be"), shingles("to be or not to bed")
    >>> print(f"{jaccard(a, b):.2f} is about {np.mean(minhash(a) == minhash(b)):.2f}")
    0.93 is about 0.95
    """
    listed("items", items, "strings")
    whole("n_hashes", n_hashes, 1)
    items = list(items)
    for item in items:
        one_text("items, each of them", item)
    rng = np.random.default_rng(0)  # the same hash functions for all texts
    a = rng.integers(0, 2**63, n_hashes, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    b = rng.integers(0, 2**63, n_hashes, dtype=np.uint64)
    x = np.array([zlib.crc32(s.encode("utf-8", "surrogatepass")) for s in items], dtype=np.uint64)  # (N,)
    if x.size == 0:
        raise ValueError("items: expected at least one, got an empty set")
    hashed = (a[:, None] * x + b[:, None]) >> np.uint64(32)  # (n_hashes, N): multiply-shift, modulo 2**64
    return hashed.min(1).astype(np.int64)  # (n_hashes,)


def near_duplicates(texts: Sequence[str], threshold: float = 0.7, k: int = 5) -> list[tuple[int, int, float]]:
    """Pairs of texts whose `shingles` have a Jaccard similarity of at least ``threshold``.

    Comparing all pairs would be quadratic. Instead the 96 minhashes are cut into 24 bands of 4; only texts
    that agree in an entire band are compared. A pair of similarity s is found with probability ``1 - (1 -
    s**4)**24``: 0.999 at 0.7, and 0.78 at 0.5.

    `deduplicate` first: n copies of one text are n * (n - 1) / 2 pairs.

    Returns
    -------
    list of (i, j, similarity)
        i < j, in order.

    Examples
    --------
    >>> texts = ["a fine film with a fine cast", "A fine film with a fine cast!", "a fine bore"]
    >>> [(i, j, round(similarity, 2)) for i, j, similarity in near_duplicates(texts)]
    [(0, 1, 0.95)]
    """
    listed("texts", texts)
    threshold = number("threshold", threshold, 0, 1)
    sets = [shingles(text, k) for text in texts]
    buckets = defaultdict(list)
    for i, items in enumerate(sets):
        for band, part in enumerate(minhash(items).reshape(24, 4)):
            buckets[band, part.tobytes()].append(i)
    candidates = {pair for bucket in buckets.values() for pair in combinations(bucket, 2)}
    scored = ((i, j, jaccard(sets[i], sets[j])) for i, j in sorted(candidates))
    return [pair for pair in scored if pair[2] >= threshold]


# ---------------------------------------------------------------- missing values and outliers


def missing(values: Iterable[Any]) -> Bool[Array, "N"]:
    """True where a value is missing: None, NaN, or text without anything but spaces.

    Examples
    --------
    >>> missing(["good", None, " ", float("nan"), 0])
    array([False,  True,  True,  True, False])
    """
    listed("values", values, "values")
    return np.array([_is_missing(v) for v in values], dtype=bool)


def _is_missing(v: Any) -> bool:
    if isinstance(v, str):
        return not v.strip()
    return v is None or bool(v != v)  # only NaN differs from itself


def zscore_outliers(x: Float[Array, "N"], limit: float = 3.0) -> Bool[Array, "N"]:
    """True where a value is more than ``limit`` standard deviations from the mean; NaN is not an outlier.

    A large outlier inflates the standard deviation and can hide itself: among N values the largest possible
    z-score is ``(N - 1) / sqrt(N)``, below 3 for N <= 10. `iqr_limits` does not have this blind spot. An
    infinite value, with which there is no mean, raises ValueError.

    Examples
    --------
    >>> zscore_outliers(np.array([1.0, 2.0, 3.0, 4.0, 100.0]), limit=1.5)
    array([False, False, False, False,  True])
    >>> zscore_outliers(np.array([1.0, 2.0, 3.0, 4.0, 100.0]))  # of five values none can reach 3
    array([False, False, False, False, False])
    """
    limit = number("limit", limit, 0)
    _check_values(x)
    if np.isnan(x).all():  # nothing, or nothing but NaN
        return np.zeros(x.shape, dtype=bool)
    x = x.astype(np.float64)  # whose squares have room
    with np.errstate(invalid="ignore"):
        return np.abs(x - np.nanmean(x)) > limit * np.nanstd(x)


def iqr_limits(x: Float[Array, "N"], k: float = 1.5) -> tuple[float, float]:
    """Tukey's fences (1977): the quartiles, moved outwards by ``k`` times their distance. NaN is left out.

    ``np.clip(x, *iqr_limits(x))`` pulls outliers to the fences. Get the limits from the training part only.

    Raises
    ------
    ValueError
        If there is no value but NaN, or one is infinite.

    Examples
    --------
    >>> iqr_limits(np.array([1.0, 2.0, 3.0, 4.0, 100.0]))
    (-1.0, 7.0)
    """
    k = number("k", k, 0)
    _check_values(x)
    if np.isnan(x).all():
        raise ValueError(
            f"x: expected at least one value, got {x.size}, all NaN" if x.size else "x: it is empty"
        )
    low, high = np.nanpercentile(x, [25, 75])
    return float(low - k * (high - low)), float(high + k * (high - low))


def _check_values(x: Float[Array, "N"]) -> None:
    expect("x", floats("x", x), (None,), "(N,)")
    demand(not np.isinf(x).any(), "x", "finite numbers, or NaN for a missing one", "inf among them")


# ---------------------------------------------------------------- splits without leaks


def split_by_group(
    groups: Sequence, fractions: Sequence[float], rng: np.random.Generator
) -> list[Int[Array, "_"]]:
    """Split rows at random, all rows of a group (an author, a play, a cluster of copies) together.

    Parameters
    ----------
    groups : sequence of length N
        The group of each row.
    fractions : sequence of float
        Wanted sizes, which sum to 1, such as ``(0.8, 0.1, 0.1)``; large groups make the real ones differ.
    rng : numpy.random.Generator

    Returns
    -------
    list of index arrays
        One for each fraction, each in ascending order.

    Examples
    --------
    >>> plays = ["Hamlet", "Hamlet", "Macbeth", "Lear", "Lear"]
    >>> train, test = split_by_group(plays, (0.6, 0.4), np.random.default_rng(0))
    >>> [plays[i] for i in train], [plays[i] for i in test]
    (['Hamlet', 'Hamlet', 'Macbeth'], ['Lear', 'Lear'])
    """
    generator(rng)
    ends = _ends(fractions)
    listed("groups", groups, "names")
    groups = np.asarray(groups)
    expect("groups", groups, (None,), "(N,)")
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    order = rng.permutation(len(sizes))
    middle = np.cumsum(sizes[order]) - sizes[order] / 2  # of each group, when the groups are laid in a row
    part = np.empty(len(sizes), dtype=np.int64)
    part[order] = np.searchsorted(ends * len(group), middle, side="right")
    return [np.flatnonzero(part[group] == p) for p in range(len(fractions))]


def split_by_hash(keys: Iterable[str], fractions: Sequence[float], salt: str = "") -> list[Int[Array, "_"]]:
    """Split rows by a hash of their key: a key lands in the same part today, later, and in any order.

    Rows that are added later never move a row from training to test. Use the *content* (or the author) as
    the key, and copies cannot leak either.

    Examples
    --------
    >>> split_by_hash(["ann", "bob", "cleo", "dan"], (0.5, 0.5))
    [array([1, 3]), array([0, 2])]
    >>> split_by_hash(["ann", "bob", "cleo", "dan", "eve"], (0.5, 0.5))  # the first four stay where they are
    [array([1, 3, 4]), array([0, 2])]
    """
    ends = _ends(fractions)
    listed("keys", keys, "keys")
    one_text("salt", salt)
    keys = list(keys)
    for key in keys:
        one_text("keys", key)
    digests = [hashlib.blake2b((salt + key).encode("utf-8", "surrogatepass"), digest_size=8) for key in keys]
    u = np.array([int.from_bytes(d.digest(), "big") / 2**64 for d in digests])
    part = np.searchsorted(ends, u, side="right")
    return [np.flatnonzero(part == p) for p in range(len(fractions))]


def _ends(fractions: Sequence[float]) -> Float[Array, "_"]:
    """Where the parts end in [0, 1], without the last one's end."""
    if np.ndim(fractions) != 1 or len(fractions) == 0:
        raise ValueError(f"fractions: expected one for each part, such as (0.8, 0.2), got {fractions!r:.60}")
    fractions = [number("fractions", fraction, 0) for fraction in fractions]
    if not abs(sum(fractions) - 1) <= 1e-9:
        raise ValueError(f"fractions: expected a sum of 1, got {tuple(fractions)}")
    return np.cumsum(fractions)[:-1]


# ---------------------------------------------------------------- augmentation (Wei & Zou 2019)


def random_deletion(words: Sequence[str], p: float, rng: np.random.Generator) -> list[str]:
    """Drop each word with probability ``p``, but never all of them.

    Examples
    --------
    >>> random_deletion("a very good film indeed".split(), 0.3, np.random.default_rng(1))
    ['a', 'very', 'film', 'indeed']
    """
    generator(rng)
    listed("words", words, "words")
    p = number("p", p, 0, 1)
    keep = rng.random(len(words)) >= p
    if len(words) and not keep.any():
        keep[rng.integers(len(words))] = True
    return [word for word, kept in zip(words, keep, strict=True) if kept]


def random_swap(words: Sequence[str], n: int, rng: np.random.Generator) -> list[str]:
    """Swap two places, ``n`` times.

    Examples
    --------
    >>> random_swap("a very good film".split(), 1, np.random.default_rng(0))
    ['a', 'very', 'film', 'good']
    """
    generator(rng)
    listed("words", words, "words")
    whole("n", n, 0)
    words = list(words)
    for _ in range(n if len(words) > 1 else 0):
        i, j = rng.choice(len(words), 2, replace=False)
        words[i], words[j] = words[j], words[i]
    return words


def replace_synonyms(
    words: Sequence[str], table: dict[str, list[str]], p: float, rng: np.random.Generator
) -> list[str]:
    """Replace each word that ``table`` lists by one of its synonyms, with probability ``p``.

    Examples
    --------
    >>> replace_synonyms(["a", "good", "film"], {"good": ["fine"]}, p=1.0, rng=np.random.default_rng(0))
    ['a', 'fine', 'film']
    """
    generator(rng)
    listed("words", words, "words")
    p = number("p", p, 0, 1)
    instance("table", table, dict)
    for word in table.keys() & set(words):
        listed(f"the synonyms of {word!r}", table[word], "words")
    return [str(rng.choice(table[word])) if table.get(word) and rng.random() < p else word for word in words]


# ---------------------------------------------------------------- counting words


def split_terms(text: str) -> list[str]:
    """Lower-case words of at least two letters or digits, scikit-learn's default.

    Examples
    --------
    >>> split_terms("I'm A 1-star fan")
    ['star', 'fan']
    """
    one_text("text", text)
    return re.findall(r"\b\w\w+\b", text.lower())


def fit_terms(texts: Iterable[str], min_df: int = 1, max_terms: int | None = None) -> list[str]:
    """The terms to count, in alphabetical order. Fit them on the training part only.

    Parameters
    ----------
    texts : iterable of str
    min_df : int
        Terms that are in fewer texts than this are left out.
    max_terms : int, optional
        Keep the most frequent ones only (among equally frequent ones the first in the alphabet).

    Examples
    --------
    >>> fit_terms(["A good film", "Good, very good", "A bad film"], min_df=2)
    ['film', 'good']
    """
    listed("texts", texts)
    whole("min_df", min_df, 0)
    if max_terms is not None:
        whole("max_terms", max_terms, 0)
    total, documents = Counter(), Counter()
    for text in texts:
        words = split_terms(text)
        total.update(words)
        documents.update(set(words))
    kept = [term for term in total if documents[term] >= min_df]
    return sorted(sorted(kept, key=lambda term: (-total[term], term))[:max_terms])


def bag_of_words(texts: Sequence[str], terms: Sequence[str]) -> Int[Array, "N V"]:
    """How often each text holds each term; other words are ignored. A dense table: mind N * V * 4 bytes.

    Examples
    --------
    >>> bag_of_words(["good, very very good", "bad"], ["bad", "good"])
    array([[0, 2],
           [1, 0]], dtype=int32)
    """
    listed("texts", texts)
    listed("terms", terms, "terms")
    column = {term: j for j, term in enumerate(terms)}
    if len(column) < len(terms):
        raise ValueError("terms: one of them comes twice, and only one column could count it")
    counts = np.zeros((len(texts), len(terms)), dtype=np.int32)
    for row, text in zip(counts, texts, strict=True):
        for term, n in Counter(split_terms(text)).items():
            if term in column:
                row[column[term]] = n
    return counts


def inverse_document_frequency(counts: Int[Array, "N V"]) -> Float[Array, "V"]:
    """How much a term tells: ``ln((1 + N) / (1 + df)) + 1``, where df is the number of texts that hold it.

    Spärck Jones (1972), in scikit-learn's smoothed form: as if one more text held every term once.

    Examples
    --------
    >>> counts = bag_of_words(["good film", "bad film"], ["bad", "film", "good"])
    >>> print(inverse_document_frequency(counts).round(3))  # "film" tells least
    [1.405 1.    1.405]
    """
    _check_counts(counts)
    df = (counts > 0).sum(0)  # (V,)
    return np.log((1 + len(counts)) / (1 + df)) + 1


def _check_counts(counts: Int[Array, "N V"]) -> None:
    expect("counts", counts, (None, None), "(N, V)")
    floats("counts", counts)
    if counts.size and not counts.min() >= 0:
        raise ValueError(f"counts: expected 0 or more, got {counts.min()} among them")


def tfidf(counts: Int[Array, "N V"], idf: Float[Array, "V"]) -> Float[Array, "N V"]:
    """Counts times ``idf``, every row scaled to length 1 (a text without known terms stays 0).

    Same numbers as scikit-learn's ``TfidfVectorizer`` on its defaults.

    Examples
    --------
    >>> counts = bag_of_words(["good film", "bad film"], ["bad", "film", "good"])
    >>> print(tfidf(counts, inverse_document_frequency(counts)).round(3))
    [[0.    0.58  0.815]
     [0.815 0.58  0.   ]]
    """
    _check_counts(counts)
    expect("idf", idf, counts.shape[1:], "(V,)")
    x = counts * idf
    length = np.sqrt((x * x).sum(1, keepdims=True))  # (N, 1)
    return x / np.where(length > 0, length, 1.0)
