"""The exercises of chapter 01, preprocessing: their inputs, hints and points.

The right answers are in `_preprocessing_right`, the known-wrong ones in `_preprocessing_wrong` and
`_preprocessing_wrong_2`. Inputs are random, with hostile ones among them: empty texts, entities of white
space, letters that look alike, NaN, rare classes, a real token that has the padding's id.
"""

from functools import partial

import numpy as np

from fmkit.lab.exercises import _preprocessing_right as right
from fmkit.lab.exercises import _preprocessing_wrong as wrong
from fmkit.lab.exercises import _preprocessing_wrong_2 as wrong_2
from fmkit.lab.exercises._shared import make_exercise

_WORDS = ["film", "with", "heart", "but", "no", "plot", "café", "Müller", "北京", "naïve", "wry", "a"]


def _words(rng, n):
    return [str(word) for word in rng.choice(_WORDS, n)]


def _review_cases(rng):
    gaps = [" ", "  ", "   ", "    ", "\t", " \n", "&nbsp;", "&nbsp;&nbsp;&nbsp;", "\xa0  ", "\t\n\t"]
    signs = ["&amp;", "&eacute;", "&amp;lt;", "&#39;", "&lt;3"]

    def case(n, *ends):
        words, between = _words(rng, n), list(rng.permutation(gaps))
        signed = [word + str(rng.choice(signs)) * int(rng.random() < 0.5) for word in words]
        text = "".join(w + str(between[i % len(gaps)]) for i, w in enumerate(signed))
        return (ends[0] + text + signed[0] + "&amp;lt; &amp;" + ends[1],)

    return [
        case(11, "", ""),
        case(12, "    ", " \t \n"),
        case(3, " ", ""),
        case(6, "&nbsp;", "&nbsp; "),
        ("",),
        (" \t ",),
    ]


def _copies_cases(rng):
    alike = [
        ["Caf\u00e9  noir", "cafe\u0301 NOIR", "CAF\u00c9 noir"],
        ["Stra\u00dfe", "STRASSE", "stra\u00dfe"],
        ["\uff26\uff29\uff2c\uff2d", "film", "FILM"],
        ["two  words", "two words ", "two\twords"],
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
    lone = [str(n) for n in rng.permutation(5)], rng.uniform(-4, 4, 5)
    return [case(every, np.float64), case(rng.permutation(6)[:4], np.float64), case(every, np.float32), lone]


def _ratings_cases(rng):
    def case(n, m, dtype=np.float64):
        train = rng.gamma(2.0, 1.0, n) - 1
        train[rng.permutation(n)[: n // 6]] = np.nan
        train[0] = 30.0
        new = rng.gamma(2.0, 1.5, m) - 2
        new[[0, 1, 2, 3]] = np.nan, 99.0, -99.0, np.nanmedian(train) + 0.1
        return train.astype(dtype), rng.permutation(new).astype(dtype)

    lone = case(9, 4)
    return [case(20, 12), case(31, 7), (lone[0], lone[1][:1]), case(14, 9, np.float32)]


def _split_cases(rng):
    def case(sizes, k):
        some = rng.permutation(12)[: len(sizes) - 1]
        names = rng.permutation([-int(rng.integers(1, 4)), *some])  # one of them below zero
        labels = np.repeat(names, sizes)  # sorted by class, as real files often are
        return labels, rng.permutation(len(labels)), k

    labels, order, k = case((7, 12, 4), 4)
    mixed = rng.permutation(np.repeat([0, 1], [14, 7]))
    cases = [case((23, 9, 6), 3), case((11, 5), 2), (labels, order, k), (mixed, rng.permutation(21), 5)]
    return [*cases, case((3, 19), 5)]


def _letters(rng, n):
    return [str(c) for c in rng.permutation(list("abcdefghijklmnopqrstuvwxyzäß北京"))[:n]]


def _learn_cases(rng):
    def case(letters, n_words, n):
        words = {}
        for _ in range(n_words):
            size = int(rng.integers(1, 7))
            words["".join(rng.choice(_letters(rng, 30)[:1] + letters, size))] = int(rng.integers(1, 9))
        return words, n

    a, b, c, d, e = _letters(rng, 5)
    double = {(a + b) * 3 + c: 2, d + e: 5, c: 1}  # (a, b) three times in a word
    ties = {c + d: 2, a + b: 2, e: 3}
    cases = [case([a, b], 6, 6), case([a, b, c], 9, 8), (double, 4), (ties, 5)]
    a, b, c, d = sorted([a, b, c, d])  # for ties that turn on what has been merged
    joined = {a + b + c: 2, a + d: 2, (a + b) * 2: 1}  # (ab, c) and (a, d) are equally frequent
    ends = {c + a: 5, a + b: 3, c + a + b: 1}  # "ca b" holds "a b", but ca is one token
    cases += [({b + a: 1}, 4), (ends, 6), ({a * 5 + b: 2, a * 2: 3}, 3), (joined, 4)]
    return [*cases, ({a: 3}, 4), (double | ties, 7)]


def _apply_cases(rng):
    a, b, c, d, e = _letters(rng, 5)
    chain = [(b, c), (a, b), (d, "_"), (a, b + c), (a, a), (a + a, b), (e, d + "_")]
    greedy = [(a, b), (c, d), (b, c + d), (a + b, a)]
    words = [a + b + c + d, a * 3, a + b + a + b + c + c + b + c, e + d, a * 4 + b + a * 2, ""]
    mixed = "".join(rng.choice([a, b, c, d], 12))
    cases = [(word, chain) for word in [*words, mixed]]
    return [*cases, (a + b + c + d + a + b, greedy), (a + b + a, greedy), (mixed, greedy), (mixed, [])]


def _pad_cases(rng):
    def case(sizes, max_length):
        cls_id, sep_id, pad_id = (int(i) for i in rng.permutation(np.arange(1, 60))[:3])
        rows = [[int(i) for i in rng.integers(60, 99, size)] for size in sizes]
        rows[0][: len(rows[0]) // 2] = [pad_id] * (len(rows[0]) // 2)  # a real token with the padding's id
        return rows, max_length, cls_id, sep_id, pad_id

    return [case((5, 9, 2), 7), case((4, 0, 3), 12), case((8,), 6), case((3, 6, 1, 6), 8), case((2, 1), 2)]


def _token_cases(rng):
    def case(n, low, high, budget):
        lengths = [int(i) for i in rng.integers(low, high, n)]
        return lengths, budget

    exact = [3, 3, 4, 6, 6, 5]
    steady = [int(i) for i in rng.permutation(exact)]
    cases = [case(14, 2, 12, 24), case(9, 1, 20, 40), (steady, 12), case(20, 5, 9, 30), ([7], 7)]
    return [*cases, ([9, 1, 5, 1, 9, 5], 10)]


def _counts_cases(rng):
    def case(n, m, v, most=5):
        train = rng.integers(0, most, (n, v)) * rng.integers(0, 2, (n, v))
        counts = rng.integers(0, most, (m, v)) * rng.integers(0, 2, (m, v))
        train[:, 0], train[:, 1] = 0, 0  # never seen; and in one text only, often
        train[0, 1] = 4
        counts[-1] = 0  # a text without a known word
        counts[0] = [3, 4, 1, 2] + [0] * (v - 4)
        return counts, train

    return [case(7, 4, 6), case(9, 3, 5), case(5, 2, 8, most=30), case(12, 6, 4)]


def _jitter_cases(rng):
    def case(b, h, w, reach, dtype=np.float64):
        images = np.round(rng.uniform(0.1, 1, (b, h, w)), 3).astype(dtype)
        shifts = rng.integers(-reach, reach + 1, (b, 2))
        shifts[0], shifts[-1] = (1, -2), (-1, 1)
        return images, shifts

    far = rng.uniform(0.1, 1, (3, 4, 5)), np.array([[4, 0], [-7, 1], [2, 9]])
    return [case(4, 5, 6, 2), case(2, 3, 4, 1), far, case(3, 6, 4, 3, np.float32)]


def _next_cases(rng):
    def case(n, b, length):
        ids = rng.integers(1, 500, n)
        starts = rng.integers(0, n - length + 1, b)
        starts[-1] = n - length  # a window that ends with the text
        return ids, starts, length

    return [case(20, 3, 5), case(9, 2, 4), case(40, 5, 8), case(6, 1, 6)]


_exercise = partial(
    make_exercise,
    "preprocessing",
    "01",
    allowed=("numpy", "math", "html", "re", "unicodedata", "collections", "itertools"),
)

EXERCISES = [
    _exercise(
        "clean_review",
        "A review that lost its dashes",
        (2, 10, 2),
        _review_cases,
        (right.clean_review, right.clean_review_two_patterns, right.clean_review_character_by_character),
        wrong.CLEAN,
        (
            "In this order: html.unescape, strip, the long gaps, the other gaps.",
            r're.sub(r"\s{3,}", ..., text) finds the long gaps.',
            'The dash brings single spaces, " - ", so the next step leaves it as it is.',
        ),
    ),
    _exercise(
        "merge_copies",
        "One row for all copies of a text",
        (3, 12, 3),
        _copies_cases,
        (right.merge_copies, right.merge_copies_by_numbers, right.merge_copies_sums),
        wrong.COPIES,
        (
            "Write the key first: NFKC, then casefold, then single spaces.",
            "A dict from key to the list of its rows: setdefault(key, []).append(i). A dict keeps its order.",
            "kept is the text of each list's first row; means the mean of the ratings of all of its rows.",
        ),
    ),
    _exercise(
        "mend_ratings",
        "Missing and impossible ratings",
        (2, 10, 2),
        _ratings_cases,
        (right.mend_ratings, right.mend_ratings_known_only, right.mend_ratings_loop),
        wrong.MEND,
        (
            "np.nanpercentile(train, [25, 50, 75]) gives all three numbers that you need.",
            "First fill, with np.where(np.isnan(new), ...), then np.clip to the two fences.",
        ),
    ),
    _exercise(
        "stratified_split",
        "A split that keeps the balance",
        (3, 12, 3),
        _split_cases,
        (right.stratified_split, right.stratified_split_quota, right.stratified_split_ranks),
        wrong.SPLIT,
        (
            "Go through np.unique(labels), and treat each class on its own.",
            "order[labels[order] == label] are the rows of one class, in the shuffled order.",
            "np.setdiff1d(np.arange(n), test) are all the other rows, in ascending order.",
        ),
    ),
    _exercise(
        "learn_merges",
        "Learn byte-pair merges",
        (4, 20, 4),
        _learn_cases,
        (right.learn_merges, right.learn_merges_lists, right.learn_merges_written_out),
        wrong_2.LEARN,
        (
            'Keep a dict from each word to its present tokens; at first [*word, "_"].',
            "Counter() and itertools.pairwise(tokens) count pairs; add the word's count, not 1.",
            "min(counts, key=lambda pair: (-counts[pair], pair)) is the most frequent, then smallest pair.",
        ),
    ),
    _exercise(
        "apply_merges",
        "Cut a new word with old merges",
        (3, 12, 3),
        _apply_cases,
        (right.apply_merges, right.apply_merges_by_rank, right.apply_merges_new_lists),
        wrong_2.APPLY,
        (
            "One loop over the merges, the oldest first; inside it one walk over the tokens.",
            "tokens[i : i + 2] = [left + right] replaces two list entries by one.",
        ),
    ),
    _exercise(
        "pad_batch",
        "A batch for BERT",
        (3, 12, 3),
        _pad_cases,
        (right.pad_batch, right.pad_batch_lists, right.pad_batch_mask_first),
        wrong_2.PAD,
        (
            "First make every row final: the opening mark, at most max_length - 2 ids, the closing mark.",
            "np.full((B, T), pad_id) is a batch of nothing but filling; T is the longest row.",
            "Write ids and mask row by row: out[i, :len(row)] = row. The mask comes from the lengths.",
        ),
    ),
    _exercise(
        "token_batches",
        "Batches that fill the memory",
        (3, 15, 3),
        _token_cases,
        (right.token_batches, right.token_batches_argsort, right.token_batches_pairs),
        wrong_2.BATCHES,
        (
            "sorted(range(len(lengths)), key=lambda i: lengths[i]) are the row numbers, short texts first.",
            "As the rows come from short to long, the new text is always the longest of its batch.",
        ),
    ),
    _exercise(
        "log_tfidf",
        "tf-idf with a damped count",
        (3, 12, 3),
        _counts_cases,
        (right.log_tfidf, right.log_tfidf_masked, right.log_tfidf_loop),
        wrong_2.TFIDF,
        (
            "Three steps: the damped counts, times idf, each row divided by its length.",
            "np.where computes both branches: np.log(np.maximum(counts, 1)) avoids the log of 0.",
            "A row of zeros has length 0: divide it by 1 instead.",
        ),
    ),
    _exercise(
        "jitter",
        "Push every picture its own way",
        (2, 12, 3),
        _jitter_cases,
        (right.jitter, right.jitter_pixel_by_pixel, right.jitter_in_a_wide_frame),
        wrong_2.JITTER,
        (
            "Ask backwards: new pixel (r, c) shows old pixel (r - down, c - right).",
            "If that place is outside the old picture, the pixel stays 0.",
        ),
    ),
    _exercise(
        "spot_the_bug",
        "Spot the bug: what should the model predict?",
        (2, 8, 2),
        _next_cases,
        (right.next_tokens, right.next_tokens_one_index, right.next_tokens_loop),
        wrong_2.NEXT,
        (
            "starts[:, None] + np.arange(length) are the places of all tokens of x, as a (B, T) array.",
            "y stands one place further. np.append(ids, -100) gives the last token a target, too.",
        ),
    ),
]
