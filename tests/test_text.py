"""Cleaning, duplicates, outliers, splits, augmentation; counting words against scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from fmkit import text
from fmkit.data import datasets
from fmkit.text import (
    bag_of_words,
    clean,
    deduplicate,
    fit_terms,
    fix_mojibake,
    inverse_document_frequency,
    iqr_limits,
    jaccard,
    minhash,
    missing,
    near_duplicates,
    normalize,
    random_deletion,
    random_swap,
    replace_synonyms,
    shingles,
    split_by_group,
    split_by_hash,
    tfidf,
    zscore_outliers,
)

ANY_TEXT = st.text(st.characters())


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def reviews():
    texts, ratings = zip(*datasets.reviews(), strict=True)
    return list(texts), np.array(ratings)


# ------------------------------------------------------------------------------ cleaning


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("", ""),
        (" \t\n ", ""),
        ("a\x00b\x07c\x7f", "abc"),
        ("&lt;b&gt; &amp;amp; &#39;x&#39; &nosuch;", "<b> &amp; 'x' &nosuch;"),
        ("one  two\u00a0\u3000three\tfour", "one two three four"),
        ("a \r\n b\n\n\n\n c", "a\nb\n\nc"),
        ("\ufeffsoft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("half \ud83d character", "half \ufffd character"),
        ("one\rtwo\x0cthree\x0bfour\x85five", "one\ntwo\nthree\nfour\nfive"),
        ("one\u2028two\u2029three\x1cfour\x1dfive\x1esix\x1fseven", "one two three four five six seven"),
        ("a\r\rb\n\rc\r\nd&#13;e", "a\n\nb\n\nc\nd\ne"),
        ("one \x0c\n\x0c two\r", "one\n\ntwo"),
        ("👩\u200d👩\u200d👧 שלום 你好", "👩\u200d👩\u200d👧 שלום 你好"),
        ("cafÃ© &Atilde;&copy;", "café é"),
    ],
)
def test_clean(raw, cleaned):
    assert clean(raw) == cleaned


@given(ANY_TEXT)
def test_clean_leaves_nothing_to_clean(raw):
    once = clean(raw)
    once.encode("utf-8")  # can be written to a file
    assert "  " not in once and once == once.strip() and "\x00" not in once


def test_whatever_parts_words_still_does_when_cleaned():
    for c in map(chr, range(0x3001)):
        if len(f"a{c}b".split()) == 2:
            assert len(clean(f"a{c}b").split()) == 2, hex(ord(c))


def test_clean_takes_a_megabyte():
    for part in [" ", "\n", "a", "&", "\n ", "Ã", "â€", "<", "&#"]:
        assert len(clean(part * (1_000_000 // len(part)))) <= 1_000_000


@given(st.text(st.characters(min_codepoint=0xA1, exclude_categories=("Cs", "Cn", "Co"))))
def test_mojibake_of_most_scripts_is_undone(right):
    """All but the two-byte letters of some scripts (Hebrew, Arabic, ...): right text may look like those."""
    raw = "".join(c for c in right if not 0x180 <= ord(c) < 0x380 and not 0x480 <= ord(c) < 0x800)
    wrong = "".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in raw.encode("utf-8"))
    assert fix_mojibake(wrong) == raw


@pytest.mark.parametrize(
    "right", ["«CAFÉ»", "É\u00a0: À\u00a0!", "naïve café, größer", "Ã", "â€", "你好 🙂", "“quoted”"]
)
def test_right_text_is_not_repaired(right):
    assert fix_mojibake(right) == right


def test_the_reviews_lose_their_entities_and_nothing_else(reviews):
    texts, _ = reviews
    dirty = [t for t in texts if "&amp;" in t]
    assert dirty and not any("&amp;" in clean(t) for t in dirty)
    untouched = sum(clean(t) == t for t in texts)
    assert untouched > 0.9 * len(texts)


def test_normal_forms():
    assert normalize("e\u0301") == "é" and len(normalize("ﬁ")) == 1
    assert normalize("ﬁ ² Ａ１ …", "NFKC") == "fi 2 A1 ..."
    assert normalize("‘a’ “b” „c“") == '\'a\' "b" "c"'
    assert normalize("") == ""


@given(ANY_TEXT, st.sampled_from(["NFC", "NFKC"]))
def test_normalizing_twice_changes_nothing_more(raw, form):
    once = normalize(raw, form)
    assert normalize(once, form) == once


# ------------------------------------------------------------------------------ duplicates


def test_deduplicate_finds_the_copies_among_the_reviews(reviews):
    texts, _ = reviews
    kept = deduplicate(texts)
    assert len(texts) - len(kept) >= 2
    assert len({t.casefold() for t in (texts[i] for i in kept)}) == len(kept)
    assert deduplicate([]).shape == (0,) and deduplicate(["", " ", "\n"]).tolist() == [0]
    assert deduplicate(["Ａ", "a", "b", "B "]).tolist() == [0, 2]


def test_jaccard_and_shingles():
    assert shingles("abcd", 3) == {"abc", "bcd"} and shingles("ab", 3) == {"ab"} and shingles("", 3) == {""}
    assert jaccard({1, 2, 3}, {2, 3, 4}) == 0.5 and jaccard(set(), set()) == 1 and jaccard({1}, set()) == 0


def test_minhash_estimates_the_jaccard_similarity():
    for shared in (0, 20, 50, 80, 100):
        a = {f"s{i}" for i in range(100)}
        b = {f"s{i}" for i in range(100 - shared, 200 - shared)}
        agree = (minhash(a, 2000) == minhash(b, 2000)).mean()
        assert abs(agree - jaccard(a, b)) < 0.05


def test_near_duplicates_agree_with_comparing_all_pairs(reviews):
    texts = reviews[0][:120]
    texts += [f"{t} Really." for t in texts[:10]] + [t.upper().replace("THE", "A") for t in texts[20:30]]
    sets = [shingles(t) for t in texts]
    pairs = [(i, j) for i in range(len(texts)) for j in range(i + 1, len(texts))]
    expected = {(i, j): jaccard(sets[i], sets[j]) for i, j in pairs}
    expected = {pair: s for pair, s in expected.items() if s >= 0.7}
    assert len(expected) >= 10
    assert {(i, j): s for i, j, s in near_duplicates(texts)} == expected
    assert near_duplicates([]) == [] and near_duplicates(["", ""]) == [(0, 1, 1.0)]


# ------------------------------------------------------------------------------ missing values, outliers


def test_missing():
    values = [None, float("nan"), np.float64("nan"), "", " \n", "text", 0, 0.0, False, float("inf")]
    values.insert(0, np.float32("nan"))
    assert missing(values).tolist() == [True] * 6 + [False] * 5
    assert missing([]).shape == (0,) and missing(np.array([1.0, np.nan])).tolist() == [False, True]


def test_outliers_of_ratings(reviews):
    _, ratings = reviews
    wrong = np.concatenate([ratings, [40.0, -99.0, np.nan]])  # a lost decimal point, a code for "no answer"
    assert zscore_outliers(wrong)[-3:].tolist() == [True, True, False]
    low, high = iqr_limits(wrong)
    clipped = np.clip(wrong, low, high)
    assert np.nanmax(clipped) == high < 10 and np.nanmin(clipped) == low > -10
    assert np.isnan(clipped[-1])


def test_an_outlier_hides_from_the_z_score_in_a_small_sample():
    x = np.array([1.0, 2.0, 1.5, 1.2, 1.8, 1000.0])
    assert not zscore_outliers(x).any()  # |z| <= 5 / sqrt(6) = 2.04
    low, high = iqr_limits(x)
    assert ((x < low) | (x > high)).tolist() == [False] * 5 + [True]
    assert not zscore_outliers(np.ones(5)).any()


# ------------------------------------------------------------------------------ splits


@given(st.lists(st.integers(0, 12), max_size=80), st.integers(0, 5))
def test_groups_stay_together(groups, seed):
    parts = split_by_group(groups, (0.7, 0.2, 0.1), rng(seed))
    assert sorted(i for part in parts for i in part.tolist()) == list(range(len(groups)))
    members = [{groups[i] for i in part} for part in parts]
    assert not (members[0] & members[1] or members[0] & members[2] or members[1] & members[2])


def test_split_sizes_and_strings_as_groups():
    groups = [f"author {i % 500}" for i in range(5000)]
    parts = split_by_group(groups, (0.8, 0.1, 0.1), rng())
    assert [len(part) for part in parts] == [4000, 500, 500]
    other = split_by_group(groups, (0.8, 0.1, 0.1), rng(1))
    assert (parts[1] != other[1]).any()


def test_split_by_hash_does_not_move_when_rows_come_or_go(reviews):
    texts = reviews[0][:4000]
    train, test = split_by_hash(texts, (0.8, 0.2))
    assert abs(len(train) / len(texts) - 0.8) < 0.03 and len(train) + len(test) == len(texts)
    in_test = {texts[i] for i in test}
    half = texts[::-2]
    assert {half[i] for i in split_by_hash(half, (0.8, 0.2))[1]} == in_test & set(half)
    assert {texts[i] for i in split_by_hash(texts, (0.8, 0.2), salt="other")[1]} != in_test
    assert [len(p) for p in split_by_hash([], (0.5, 0.5))] == [0, 0]
    split_by_hash(["\ud83d", "\x00", ""], (1.0,))


@pytest.mark.parametrize("fractions", [(0.8, 0.1), (1.2, -0.2), (80.0, 20.0)])
def test_fractions_must_sum_to_one(fractions):
    with pytest.raises(ValueError, match="fractions: expected"):
        split_by_hash(["a"], fractions)


# ------------------------------------------------------------------------------ augmentation

WORDS = ["a", "good", "film", "with", "a", "bad", "end"]


def test_deletion():
    assert random_deletion(WORDS, 0.0, rng()) == WORDS
    assert len(random_deletion(WORDS, 1.0, rng())) == 1 and random_deletion([], 1.0, rng()) == []
    lengths = [len(random_deletion(WORDS, 0.3, rng(seed))) for seed in range(300)]
    assert abs(np.mean(lengths) / len(WORDS) - 0.7) < 0.03


def test_swap():
    assert random_swap(WORDS, 0, rng()) == WORDS and random_swap([], 3, rng()) == []
    assert random_swap(["one"], 3, rng()) == ["one"]
    swapped = random_swap(list("abcdefg"), 1, rng())
    assert sorted(swapped) == list("abcdefg")
    assert sum(a != b for a, b in zip(swapped, "abcdefg", strict=True)) == 2


def test_synonyms():
    table = {"good": ["fine", "great"], "end": ["ending"], "bad": []}
    out = replace_synonyms(WORDS, table, 1.0, rng())
    assert out[1] in table["good"] and out[-1] == "ending" and out[5] == "bad"
    assert replace_synonyms(WORDS, table, 0.0, rng()) == WORDS
    assert {replace_synonyms(["good"], table, 1.0, rng(seed))[0] for seed in range(20)} == {"fine", "great"}


def test_augmentation_leaves_its_argument_alone():
    for function, argument in [(random_deletion, 0.5), (random_swap, 3)]:
        words = list(WORDS)
        function(words, argument, rng())
        assert words == WORDS


# ------------------------------------------------------------------------------ counting words


def test_counts_and_tfidf_equal_scikit_learns(reviews):
    texts = [*reviews[0][:1500], "", "...", "Ünïcödé 你好世界 x2 ²³", "1e5 _a_ __"]
    train, test = texts[100:], texts[:100]
    theirs = TfidfVectorizer()
    expected_train, expected_test = theirs.fit_transform(train).toarray(), theirs.transform(test).toarray()
    terms = fit_terms(train)
    assert terms == theirs.get_feature_names_out().tolist()
    counts = bag_of_words(train, terms)
    np.testing.assert_array_equal(counts, CountVectorizer(vocabulary=terms).fit_transform(train).toarray())
    idf = inverse_document_frequency(counts)
    np.testing.assert_allclose(idf, theirs.idf_, rtol=1e-12)
    np.testing.assert_allclose(tfidf(counts, idf), expected_train, atol=1e-12)
    np.testing.assert_allclose(tfidf(bag_of_words(test, terms), idf), expected_test, atol=1e-12)


def test_rare_terms_and_the_most_frequent_ones(reviews):
    texts = reviews[0][:1500]
    theirs = CountVectorizer(min_df=5).fit(texts)
    assert fit_terms(texts, min_df=5) == theirs.get_feature_names_out().tolist()
    assert fit_terms(["b c", "c b", "aa aa aa", "bb cc", "cc bb"], max_terms=2) == ["aa", "bb"]
    assert fit_terms([]) == [] and bag_of_words([], []).shape == (0, 0)
    assert tfidf(bag_of_words(["zz"], ["aa"]), np.ones(1)).tolist() == [[0.0]]


# ------------------------------------------------------------------------------ refusals


X = np.array([1.0, 2.0, 3.0])


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t: t.clean(None), "text: expected one str, got None"),
        (lambda t: t.clean(["a"]), "text: expected one str, got a list"),
        (lambda t: t.clean(b"a"), "text: expected one str, got a bytes"),
        (lambda t: t.fix_mojibake(3), "text: expected one str, got an int"),
        (lambda t: t.normalize(None), "text: expected one str"),
        (lambda t: t.split_terms(["a"]), "text: expected one str"),
        (lambda t: t.shingles(["a"]), "text: expected one str"),
        (lambda t: t.shingles("abc", 0), "k: expected a whole number >= 1, got 0"),
        (lambda t: t.shingles("abc", 1.5), "k: expected a whole number.*, got 1.5"),
        (lambda t: t.deduplicate("abc"), r"texts: expected a list of texts, got one str; \[text\]"),
        (lambda t: t.near_duplicates("abc"), "texts: expected a list of texts, got one str"),
        (
            lambda t: t.near_duplicates(["a"], threshold=1.5),
            "threshold: expected a number >= 0 and <= 1, got 1.5",
        ),
        (
            lambda t: t.near_duplicates(["a"], threshold=float("nan")),
            "threshold: expected a number >= 0 and <= 1, got nan",
        ),
        (lambda t: t.near_duplicates(["a"], k=-1), "k: expected a whole number >= 1, got -1"),
        (lambda t: t.jaccard([1], [2]), "a and b: expected two sets, got a list and a list"),
        (lambda t: t.jaccard({"a"}, "ab"), "a and b: expected two sets, got a set and a str"),
        (lambda t: t.minhash("abc"), "items: expected a list of strings, got one str"),
        (lambda t: t.minhash(set()), "items: expected at least one, got an empty set"),
        (lambda t: t.minhash({"a"}, 0), "n_hashes: expected a whole number >= 1, got 0"),
        (lambda t: t.missing("abc"), "values: expected a list of values, got one str"),
        (lambda t: t.missing(None), "values: expected a list of values, got None"),
        (lambda t: t.zscore_outliers([1.0, 2.0]), r"x: expected an array, got a list"),
        (lambda t: t.zscore_outliers(X[:, None]), r"x: expected \(N,\), got \(3, 1\)"),
        (lambda t: t.zscore_outliers(X, -1.0), "limit: expected a number >= 0, got -1.0"),
        (lambda t: t.zscore_outliers(X, float("nan")), "limit: expected a number >= 0, got nan"),
        (lambda t: t.iqr_limits(X[None]), r"x: expected \(N,\), got \(1, 3\)"),
        (lambda t: t.iqr_limits(X[:0]), "x: it is empty"),
        (lambda t: t.iqr_limits(X * np.nan), "x: expected at least one value, got 3, all NaN"),
        (lambda t: t.iqr_limits(X, -1.5), "k: expected a number >= 0, got -1.5"),
        (
            lambda t: t.split_by_group("aab", (0.5, 0.5), rng()),
            "groups: expected a list of names, got one str",
        ),
        (lambda t: t.split_by_group(X[:, None], (0.5, 0.5), rng()), r"groups: expected \(N,\), got \(3, 1\)"),
        (lambda t: t.split_by_group(X, (), rng()), "fractions: expected one for each part"),
        (lambda t: t.split_by_group(X, 0.8, rng()), "fractions: expected one for each part, .* got 0.8"),
        (lambda t: t.split_by_group(X, (float("nan"), 0.5), rng()), "fractions: expected"),
        (lambda t: t.split_by_hash("abc", (0.5, 0.5)), "keys: expected a list of keys, got one str"),
        (lambda t: t.split_by_hash(["a"], ()), "fractions: expected one for each part"),
        (lambda t: t.random_deletion("a film", 0.1, rng()), "words: expected a list of words, got one str"),
        (lambda t: t.random_deletion(WORDS, 1.5, rng()), "p: expected a number >= 0 and <= 1, got 1.5"),
        (lambda t: t.random_deletion(WORDS, -0.1, rng()), "p: expected a number >= 0 and <= 1, got -0.1"),
        (lambda t: t.random_swap("a film", 1, rng()), "words: expected a list of words, got one str"),
        (lambda t: t.random_swap(WORDS, -1, rng()), "n: expected a whole number >= 0, got -1"),
        (lambda t: t.random_swap(WORDS, 0.5, rng()), "n: expected a whole number.*, got 0.5"),
        (
            lambda t: t.replace_synonyms("a film", {}, 0.1, rng()),
            "words: expected a list of words, got one str",
        ),
        (lambda t: t.replace_synonyms(WORDS, {}, 2.0, rng()), "p: expected a number >= 0 and <= 1, got 2.0"),
        (
            lambda t: t.replace_synonyms(WORDS, {"good": "fine"}, 1.0, rng()),
            "the synonyms of 'good': .* one str",
        ),
        (lambda t: t.fit_terms("a good film"), "texts: expected a list of texts, got one str"),
        (lambda t: t.fit_terms(["a"], min_df=0.5), "min_df: expected a whole number.*, got 0.5"),
        (lambda t: t.fit_terms(["a"], max_terms=-1), "max_terms: expected a whole number >= 0, got -1"),
        (lambda t: t.bag_of_words("a good film", ["film"]), "texts: expected a list of texts, got one str"),
        (lambda t: t.bag_of_words(["a film"], "film"), "terms: expected a list of terms, got one str"),
        (lambda t: t.bag_of_words(["a film"], ["film", "film"]), "terms: one of them comes twice"),
        (lambda t: t.inverse_document_frequency(np.ones(3, int)), r"counts: expected \(N, V\), got \(3,\)"),
        (
            lambda t: t.tfidf(np.ones((2, 2), int), np.ones((2, 1))),
            r"idf: expected \(V,\) = \(2,\), got \(2, 1\)",
        ),
        (lambda t: t.tfidf(np.ones((2, 2), int), np.ones(1)), r"idf: expected \(V,\) = \(2,\), got \(1,\)"),
        (lambda t: t.tfidf(np.ones(2, int), np.ones(2)), r"counts: expected \(N, V\), got \(2,\)"),
    ],
)
def test_what_a_function_does_not_take_is_refused_by_name(call, message):
    with pytest.raises((TypeError, ValueError), match=message):
        call(text)


@pytest.mark.filterwarnings("error")
def test_nothing_at_all_is_no_outlier():
    assert zscore_outliers(np.array([])).shape == (0,)
    assert zscore_outliers(np.array([np.nan, np.nan])).tolist() == [False, False]
