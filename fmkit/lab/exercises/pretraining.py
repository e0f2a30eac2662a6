"""The exercises of chapter 07, pretraining: their inputs, hints and points.

The right answers are in `_pretraining_right`, the known-wrong ones in `_pretraining_wrong` and
`_pretraining_wrong_2`. Inputs are random, with every axis of another size, and hostile ones among them: a
text of two tokens, contexts that were never seen, documents of one line, batches in which nothing is hidden.
"""

import numpy as np

from fmkit.lab.exercises import _pretraining_right as right
from fmkit.lab.exercises import _pretraining_wrong as wrong
from fmkit.lab.exercises import _pretraining_wrong_2 as wrong_2
from fmkit.lab.exercises._shared import as_float32, make_exercise


def _windows_cases(rng):
    def case(n, T):
        return rng.integers(0, 50, n), T

    return [case(12, 4), case(13, 4), case(17, 5), case(3, 6), case(2, 3), case(6, 1)]


def _kneser_ney_cases(rng):
    def case(n, V, used):
        ids = rng.integers(0, used, n)  # the tokens from `used` on are never seen
        ids[-1] = ids[0]  # the last token was a context before, but is none at the end
        ids[1:3] = 1, 2  # a token comes after different ones
        return ids, V, float(rng.uniform(0.3, 0.9))

    ids, V, D = case(30, 7, 6)
    ids[-1] = 6  # seen at the very end only: never a context
    skewed = np.repeat(rng.permutation(4), [9, 1, 2, 5]), 4, float(rng.uniform(0.3, 0.9))
    return [case(40, 6, 5), (ids, V, D), case(11, 9, 4), skewed, (np.array([2, 0]), 3, 0.75)]


def _bits_cases(rng):
    def case(B, T):
        real = rng.permutation(T)[:B] + 1  # rows of different lengths
        mask = (np.arange(T) < real[:, None]).astype(np.int64)
        return rng.uniform(0.5, 5.0, (B, T)), rng.integers(1, 7, (B, T)), mask

    return [case(3, 7), case(5, 9), case(1, 4), as_float32(case(4, 6))]


def _mask_cases(rng):
    def case(B, T, V, rate):
        u, v = rng.random((B, T)), rng.integers(0, 20, (B, T)) / 20  # exactly 0.8 and 0.9 among them
        u.flat[:6], v.flat[:6] = 0.01, [0.0, 0.75, 0.8, 0.85, 0.9, 0.95]
        special = rng.random((B, T)) < 0.2
        special.flat[:6] = False
        special.flat[6:9], u.flat[6:9], v.flat[6:9] = True, 0.0, [0.1, 0.85, 0.95]
        ids = rng.integers(0, V, (B, T))
        return ids, special, u, v, (ids + rng.integers(1, V, (B, T))) % V, V, rate

    ids, special, u, *rest = case(3, 5, 11, 0.2)
    none = ids, np.ones_like(special), u, *rest
    whole = case(1, 12, 9, 1.0)
    for part, value in zip(whole[1:4], (False, 0.85, 0.1), strict=True):
        part[0, -1] = value  # chosen, and hidden: it is v that says so, not u
    return [case(4, 9, 20, 0.15), case(5, 7, 30, 0.4), none, case(2, 8, 12, 0.3), whole]


_WORDS = ["to", "be", "or", "not", "that", "is", "the", "question", "’tis", "nobler", "é", "über", "心", "in"]


def _pairs_cases(rng):
    def line():
        return " ".join(rng.permutation(_WORDS)[: rng.integers(2, 6)])

    def case(*sizes):
        documents = [[line() for _ in range(n)] for n in sizes]
        total = sum(sizes)
        coins, draws = rng.integers(0, 2, total), rng.integers(0, total, total)
        coins[:3] = 0, 1, 0
        draws[0] = 1  # the true next line itself
        return documents, coins.tolist(), draws.tolist()

    documents, coins, draws = case(3, 2)
    coins[2], draws[2] = 0, 4  # the true next line is the last of all: the one after it is the first
    itself = case(6)
    itself[2][2] = 2  # a line may be drawn for itself: that is no true next line
    return [case(4, 3, 5), case(2, 1, 4), (documents, coins, draws), itself, case(3, 0, 2, 1, 3)]


def _power_cases(rng):
    def case(n, noise, low=2.0, high=6.0):
        sizes = np.sort(10 ** rng.uniform(low, high, n))
        sizes[0], sizes[-1] = 10**low, 10**high
        alpha, a, floor = rng.uniform(0.1, 0.5), rng.uniform(3, 20), rng.uniform(0.3, 1.5)
        return sizes, floor + a * sizes**-alpha * np.exp(noise * rng.normal(size=n)), float(floor)

    return [case(5, 0.02), case(8, 0.05), case(2, 0.0, 3.0, 5.0), as_float32(case(6, 0.03, 1.0, 3.0))]


def _hash_cases(rng):
    def case(B, T, rows):
        return rng.integers(1, 80, (B, T)), rows, int(rng.integers(1000, 9000)), int(rng.integers(100, 900))

    return [case(3, 7, 97), case(2, 5, 1024), case(4, 2, 31), case(1, 9, 500), case(5, 1, 13)]


def _loss_cases(rng):
    def case(B, T, V, share, size=1.0):
        targets = np.where(rng.random((B, T)) < share, rng.integers(0, V, (B, T)), -100)
        targets[0, :2] = -100, rng.integers(1, V)
        return size * rng.normal(size=(B, T, V)), targets

    logits, targets = case(2, 3, 5, 0.0)
    nothing = logits, np.full_like(targets, -100)
    return [
        case(3, 5, 7, 0.4),
        case(2, 8, 6, 0.15, size=4.0),
        nothing,
        case(4, 3, 9, 0.5, size=1000.0),
        as_float32(case(5, 4, 8, 0.3)),
    ]


def _exercise(worth, cases, answers, misconceptions, title, hints, **more):
    return make_exercise(
        "pretraining", "07", answers[0].__name__, title, worth, cases, answers, misconceptions, hints, **more
    )


EXERCISES = [
    _exercise(
        (2, 10, 2),
        _windows_cases,
        (right.windows, right.windows_loop, right.windows_by_index),
        wrong.WINDOWS,
        "Windows and shifted targets",
        (
            "The inputs are ids[:-1], the targets ids[1:]: two rows that are cut in the same way.",
            "There are len(ids) - 1 targets, so you need that number over T windows, rounded up.",
            "Fill arrays of zeros and of -100 through x.flat[:n] = ...",
        ),
    ),
    _exercise(
        (3, 15, 3),
        _kneser_ney_cases,
        (right.kneser_ney, right.kneser_ney_by_pairs, right.kneser_ney_dictionaries),
        wrong.KNESER_NEY,
        "Kneser and Ney's discount",
        (
            "Begin with counts, a (V, V) table of how often each token came after each. (np.add.at adds "
            "repeated pairs.)",
            "counts > 0 says which pairs exist: its sum down a column is q before it is divided, its sum "
            "along a row is kinds.",
            "Every row must sum to 1, also the row of a token that nothing ever followed.",
        ),
    ),
    _exercise(
        (1, 8, 2),
        _bits_cases,
        (right.bits_per_character, right.bits_per_character_chosen, right.bits_per_character_loop),
        wrong.BITS,
        "Bits per character",
        (
            "Add up all real nats first, then divide once.",
            "A nat is 1 / ln 2 bits. Perplexity is e to the mean loss of a token, in nats.",
        ),
    ),
    _exercise(
        (2, 12, 3),
        _mask_cases,
        (right.mask_tokens, right.mask_tokens_in_place, right.mask_tokens_loop),
        wrong.MASK,
        "Hide tokens, 80 / 10 / 10",
        (
            "First decide which places are chosen; u and special say it. v only says what becomes of them.",
            "The targets are the true ids at *all* chosen places, also at those that stay as they are.",
            "np.where(chosen & (v < 0.8), mask_id, ids), then the random ones for 0.8 <= v < 0.9.",
        ),
    ),
    _exercise(
        (2, 12, 3),
        _pairs_cases,
        (right.sentence_pairs, right.sentence_pairs_zipped, right.sentence_pairs_iterators),
        wrong_2.PAIRS,
        "Pairs for next-sentence prediction",
        (
            "Put all lines into one list, and know the place of the true next line in it.",
            "One coin and one draw for each pair. The last line of a document begins no pair.",
            "A draw may hit the true next line. Then take the line after that; after the last one "
            "comes the first.",
        ),
    ),
    _exercise(
        (2, 8, 2),
        _power_cases,
        (right.power_law, right.power_law_by_hand, right.power_law_in_decades),
        wrong_2.POWER,
        "A straight line in the logarithms",
        (
            "Take the floor off, then take logarithms: log(loss - floor) = log(a) - alpha * log(n).",
            "np.polyfit(x, y, 1) gives the slope and the value at x = 0. Which of the two is -alpha?",
        ),
        tolerance=1e-4,
    ),
    _exercise(
        (2, 8, 2),
        _hash_cases,
        (right.hashed_rows, right.hashed_rows_padded, right.hashed_rows_loop),
        wrong_2.HASHED,
        "A table of hashed pairs and triples",
        (
            "Make one_back, an array like ids that holds at place t the token of place t - 1, and 0 at "
            "place 0.",
            "one_back[:, 1:] = ids[:, :-1] keeps the rows of the batch apart.",
        ),
    ),
    _exercise(
        (3, 15, 3),
        _loss_cases,
        (right.masked_loss, right.masked_loss_weighted, right.masked_loss_loop),
        wrong_2.MASKED_LOSS,
        "Spot the bug: a published masked-LM loss",
        (
            "Over which places does the sum run, and by what is it divided?",
            "hidden = targets != -100 chooses the places; there are hidden.sum() of them.",
            "At a hidden place dlogits is softmax(logits) less the one-hot target, over that number; "
            "elsewhere it is 0.",
        ),
    ),
]
