"""Self-BLEU with smoothing: how much do some texts repeat one another?"""

import math
from collections import Counter
from itertools import combinations

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    words = ["the", "a", "of", "night", "été", "mond", "月", "sea"]

    def case(n_texts, length, n, size=4):
        own = [str(word) for word in rng.permutation(words)[:size]]
        base = [str(word) for word in rng.choice(own, length)]
        texts = []
        for _ in range(n_texts):
            text = [str(rng.choice(own)) if rng.random() < 0.35 else word for word in base]
            texts.append(text[int(rng.integers(3)) : length - int(rng.integers(3))])
        return texts, n

    example = [["a", "b", "a"], ["a", "b"], ["c"]]
    stuck = case(4, 12, 2)
    stuck[0][1] = ["the", "a"] * 5  # repeats itself
    short = case(3, 8, 3, size=3)
    short[0][0] = short[0][1][:2]  # shorter than n
    apart = case(3, 6, 2)
    apart[0][2] = ["yes", "no", "yes"]  # nothing in common
    twins = case(4, 9, 2)
    twins[0][3] = list(twins[0][0])  # the same text twice
    twins[0][0] += ["only"]
    twins[0][3] += ["only"]
    run_alike = [["x", "a", "bc"], ["x", "ab", "c"], ["a", "aa", "a"], ["aa", "a", "b"]]
    seams = [["a", "b", "a"], ["x", "a"], ["b", "a"], ["b", "x"]]  # "a b" is where two others meet
    turned = [["a", "b", "c"], ["c", "b", "a"], ["b", "a"]]
    return [
        (example, 1),
        (example, 2),
        ([["a", "x"], ["a", "b", "c"]], 3),  # shorter than n, and no part of another
        ([["a", "b"], [], ["a"]], 2),
        (run_alike, 2),
        (seams, 2),
        (turned, 2),
        twins,
        case(4, 10, 3),
        stuck,
        short,
        apart,
        case(5, 14, 1),
        case(3, 9, 4, size=2),
        (short[0] + [[]], 2),
    ]


def self_bleu_of(texts, n):
    def grams(text, k):
        return Counter(tuple(text[j : j + k]) for j in range(len(text) - k + 1))

    scores = []
    for i, text in enumerate(texts):
        score = 1.0
        for k in range(1, n + 1):
            own, most, extra = grams(text, k), Counter(), int(k > 1)
            for other in texts[:i] + texts[i + 1 :]:
                most |= grams(other, k)
            score *= ((own & most).total() + extra) / max(own.total() + extra, 1)
        scores.append(score ** (1 / n))
    return sum(scores) / len(scores)


def plain(texts, n):
    def grams(text, k):
        return [" ".join(text[j : j + k]) for j in range(len(text) - k + 1)]

    scores = []
    for i in range(len(texts)):
        logs = []
        for k in range(1, n + 1):
            own = grams(texts[i], k)
            others = [grams(texts[j], k) for j in range(len(texts)) if j != i]
            matches = sum(min(own.count(g), max(o.count(g) for o in others)) for g in set(own))
            extra = 1 if k > 1 else 0
            logs.append(math.log((matches + extra) / (len(own) + extra)) if matches + extra else -math.inf)
        scores.append(math.exp(sum(logs) / n))
    return sum(scores) / len(scores)


def tables(texts, n):
    scores = np.ones(len(texts))
    for k in range(1, n + 1):
        found = [list(zip(*(text[j:] for j in range(k)), strict=False)) for text in texts]
        every = sorted({gram for grams in found for gram in grams})
        place = {gram: column for column, gram in enumerate(every)}
        counts = np.zeros((len(texts), len(every)), dtype=int)
        for row, grams in zip(counts, found, strict=True):
            for gram in grams:
                row[place[gram]] += 1
        for i, row in enumerate(counts):
            limit = np.delete(counts, i, 0).max(0, initial=0)
            matches, count = np.minimum(row, limit).sum(), row.sum()
            scores[i] *= (matches + (k > 1)) / max(count + (k > 1), 1)
    return float((scores ** (1 / n)).mean())


def pair_by_pair(texts, n):
    scores = [self_bleu_of(pair, n) for pair in combinations(texts, 2)]
    return sum(scores) / len(scores)


def of_the_corpus(texts, n):
    score = 1.0
    for k in range(1, n + 1):
        found = [Counter(tuple(text[j : j + k]) for j in range(len(text) - k + 1)) for text in texts]
        matches = count = int(k > 1)
        for i, own in enumerate(found):
            most = Counter()
            for other in found[:i] + found[i + 1 :]:
                most |= other
            matches, count = matches + (own & most).total(), count + own.total()
        score *= matches / max(count, 1)
    return score ** (1 / n)


EXERCISE = Exercise(
    title="Self-BLEU with smoothing",
    points=3,
    minutes=25,
    difficulty=3,
    cases=cases,
    reference=self_bleu_of,
    alternatives=(plain, tables),
    mistakes=(
        mistake(
            "a text compared with itself",
            "texts[:i] + texts[i + 1 :] -> texts",
            "Your result is close to 1: is a text among its own references?",
        ),
        mistake(
            "a text's twin left out, too",
            "texts[:i] + texts[i + 1 :] -> [other for other in texts if other != text]",
            "Another text may say the very same. Leave a text out by its place, not by its words.",
        ),
        mistake(
            "only the later texts",
            "texts[:i] + texts[i + 1 :] -> texts[i + 1 :]",
            "A text is compared with all others, those before it, too.",
        ),
        mistake(
            "only the next text",
            "texts[:i] + texts[i + 1 :] -> [texts[(i + 1) % len(texts)]]",
            "A text is compared with all others, not with one.",
        ),
        mistake(
            "only the first text compared",
            "return sum(scores) / len(scores) -> return scores[0]",
            "Every text is compared with all others; then the mean.",
        ),
        mistake(
            "empty texts left out of the mean",
            "return sum(scores) / len(scores) -> return sum(scores) / sum(text != [] for text in texts)",
            "An empty text is a text, too: its score is 0, and it counts in the mean.",
        ),
        mistake(
            "each other text by itself, then the mean",
            pair_by_pair,
            "The others are one pool: an n-gram counts if any of them has it.",
        ),
        mistake(
            "the others laid end to end",
            "for other in texts[:i] + texts[i + 1 :]: -> for other in [sum(texts[:i] + texts[i + 1 :], [])]:",
            "Where two texts meet there is no n-gram: count in each text by itself.",
        ),
        mistake(
            "all texts together, then one share",
            of_the_corpus,
            "Every text has a score of its own, with its own root; the mean comes at the end.",
        ),
        mistake(
            "allowed as often as it likes",
            "(own & most).total() -> sum(own[gram] for gram in own if gram in most)",
            "A text that repeats one word is not like the others: count a match only as often as allowed.",
        ),
        mistake(
            "allowed as often as in all others together",
            "most |= grams -> most += grams",
            "An n-gram is allowed as often as the one other text has it that has it most.",
        ),
        mistake(
            "repeats are not counted",
            "Counter(tuple(text[j : j + k]) for j in range(len(text) - k + 1)) -> "
            "Counter({tuple(text[j : j + k]) for j in range(len(text) - k + 1)})",
            "Count every place where an n-gram stands, not every kind of n-gram.",
        ),
        mistake(
            "divided by what the others have",
            "own.total() + extra, 1) -> most.total() + extra, 1)",
            "The share is one of the text's own n-grams: how many has it?",
        ),
        mistake(
            "words glued together",
            'tuple(text[j : j + k]) -> "".join(text[j : j + k])',
            '"a" and "bc" give the same as "ab" and "c": keep the words apart, in a tuple.',
        ),
        mistake(
            "letters instead of words",
            'return Counter( -> text = " ".join(text)\nreturn Counter(',
            "A text is a list of words: its k-grams are k words in a row.",
        ),
        mistake(
            "the order of the words does not count",
            "tuple(text[j : j + k]) -> tuple(sorted(text[j : j + k]))",
            'An n-gram is its words in their order: "a b" is not "b a".',
        ),
        mistake(
            "the last n-gram of each text left out",
            "len(text) - k + 1 -> len(text) - k",
            "In a text of 3 words, how many pairs stand next to each other? And single words?",
        ),
        mistake(
            "a count that goes below zero",
            "max(own.total() + extra, 1) -> ((len(text) - k + 1 if k > 1 else max(len(text), 1)) + extra)",
            "A text shorter than k has no k-gram: 0, not less.",
        ),
        mistake(
            "the longest n-grams left out",
            "range(1, n + 1) -> range(1, n)",
            "k goes from 1 to n: what is range's last number?",
        ),
        mistake(
            "k from 0",
            "range(1, n + 1) -> range(n)",
            "k goes from 1 to n: what are range's first and last numbers?",
        ),
        mistake(
            "only the longest n-grams",
            ("range(1, n + 1) -> [n]", "score ** (1 / n) -> score"),
            "All lengths from 1 to n take part.",
        ),
        mistake(
            "only lengths that the text has",
            (
                "range(1, n + 1) -> range(1, min(n, max(len(text), 1)) + 1)",
                "score ** (1 / n) -> score ** (1 / min(n, max(len(text), 1)))",
            ),
            "All lengths from 1 to n take part, also where the text is too short: (0 + 1) / (0 + 1) is 1.",
        ),
        mistake(
            "0 where the text is too short",
            "max(own.total() + extra, 1) -> max(own.total() + extra, 1) * (own.total() > 0)",
            "Only single words give 0 where there are none: for k = 2 or more it is (0 + 1) / (0 + 1).",
        ),
        mistake(
            "the plain mean of the shares",
            ("score = 1.0 -> score = 0.0", "score *= -> score +=", "score ** (1 / n) -> score / n"),
            "The shares are multiplied, and then the n-th root is taken.",
        ),
        mistake(
            "the product without its root",
            "score ** (1 / n) -> score",
            "After multiplying n shares, take the n-th root.",
        ),
        mistake(
            "always the fourth root",
            "score ** (1 / n) -> score ** 0.25",
            "The root is the n-th: 4 is BLEU's usual n, not the one that is given.",
        ),
        mistake(
            "with BLEU's penalty for short texts",
            "scores.append(score ** (1 / n)) -> "
            "near = min((len(o) for o in texts[:i] + texts[i + 1 :]), key=lambda m: abs(m - len(text)))\n"
            "short = 1 - near / max(len(text), 1)\n"
            "scores.append(score ** (1 / n) * math.exp(min(0, short)))",
            "No penalty for brevity is asked for: the score is the root of the product, and nothing else.",
        ),
        mistake(
            "without the smoothing",
            "int(k > 1) -> 0",
            "For pairs and longer n-grams, 1 is added to the matches and to the count.",
        ),
        mistake(
            "single words smoothed, too",
            "int(k > 1) -> 1",
            "Single words are counted as they are; only from pairs on 1 is added.",
        ),
        mistake(
            "smoothed only where nothing matches",
            "score *= -> extra *= not own & most\nscore *=",
            "For pairs and longer n-grams 1 is added always, not only to a share of 0.",
        ),
        mistake(
            "one added above the line only",
            "max(own.total() + extra, 1) -> max(own.total(), 1)",
            "A share cannot exceed 1: the count of n-grams gets its 1, too.",
        ),
        mistake(
            "one added below the line only",
            "(own & most).total() + extra -> (own & most).total()",
            "The matches get their 1, too: as if one more had been seen and found.",
        ),
    ),
    equal=(
        (
            "score *= ((own & most).total() + extra) / max(1, own.total() + extra)",
            "the larger of two, either way",
        ),
        (
            "matches = sum((min(max((o.count(g) for o in others)), own.count(g)) for g in set(own)))",
            "the smaller of two, either way",
        ),
    ),
    hints=(
        "collections.Counter(tuple(text[j:j + k]) for j in ...) counts the k-grams of a text.",
        "For two Counters a and b, a | b takes the larger count of each key, a & b the smaller one.",
        "Multiply the n shares and take the n-th root; an empty text has a share of 0 for single words.",
    ),
)
