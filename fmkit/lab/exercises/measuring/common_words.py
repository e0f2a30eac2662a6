"""ROUGE-L with beta: the longest sequence of words that both texts have in the same order."""

from collections import Counter
from difflib import SequenceMatcher
from functools import cache

import numpy as np

from fmkit.lab.exercises.measuring._inputs import near, sentence, some_words
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, beta, size=4, change=0.4):
        words = some_words(rng, size)
        base = sentence(rng, words, n)
        hyp = near(rng, base, words, change) or base
        return hyp[: n - 2] + sentence(rng, words, 2), base, beta

    return [
        (["the", "cat", "never", "sat"], ["the", "black", "cat", "sat"], 1.0),
        (["the", "cat", "sat"], ["the", "black", "cat", "sat", "down"], 2.0),
        (["b", "a", "b", "c"], ["a", "b", "x", "c", "y"], 2.0),
        (["a", "a", "a", "b"], ["a", "b", "b", "b", "c"], 1.0),  # a word is used once
        (["c", "b", "a"], ["a", "b", "c", "d"], 0.5),  # the same words, turned round
        (["x", "a", "b", "c", "y"], ["x", "y", "a", "b", "c"], 1.2),  # who takes the first y loses the rest
        (["y", "a", "b", "c"], ["a", "b", "c", "y", "z"], 1.5),
        (
            ["a", "b", "c", "d", "x", "y", "z"],
            ["x", "y", "z", "a", "b", "p", "c", "d"],
            1.0,
        ),  # 4, but 3 in a row
        (["ab", "c"], ["a", "bc", "d"], 2.0),
        (["Night", "sea"], ["night", "sea", "night"], 1.0),
        (["a", "b"], ["c", "d", "e"], 1.0),
        ([], ["a", "b"], 2.0),
        (["a"], [], 1.0),
        ([], [], 2.0),
        (["a", "x", "b", "y", "c"], ["a", "b", "c", "b", "c", "a"], 3.0),
        (["a", "x", "b", "y", "c"], ["a", "c"], 2.0),
        case(9, 1.0),
        case(14, 2.0, size=3),
        case(12, 0.5, size=5),
        case(20, 1.2, size=3, change=0.6),
    ]


def common_words(hyp, ref, beta):
    row = [0] * (len(ref) + 1)  # entry j: the longest common sequence with the first j words of ref
    for x in hyp:
        above, row = row, [0]
        for j, y in enumerate(ref):
            row.append(above[j] + 1 if x == y else max(above[j + 1], row[j]))
    common = row[-1]
    if common == 0:
        return 0.0
    p, r = common / len(hyp), common / len(ref)
    return (1 + beta**2) * p * r / (beta**2 * p + r)


def memo(hyp, ref, beta):
    @cache
    def longest(i, j):
        if i == len(hyp) or j == len(ref):
            return 0
        if hyp[i] == ref[j]:
            return 1 + longest(i + 1, j + 1)
        return max(longest(i + 1, j), longest(i, j + 1))

    common = longest(0, 0)
    weight = beta * beta
    return (1 + weight) * common / (len(hyp) + weight * len(ref)) if common else 0.0


def table(hyp, ref, beta):
    lengths = np.zeros((len(hyp) + 1, len(ref) + 1), dtype=int)
    for i in range(len(hyp)):
        for j in range(len(ref)):
            best = lengths[i, j] + (hyp[i] == ref[j])
            lengths[i + 1, j + 1] = max(best, lengths[i, j + 1], lengths[i + 1, j])
    common = float(lengths[-1, -1])
    if not common:
        return 0.0
    p, r = common / len(hyp), common / len(ref)
    return (1 + beta**2) / (1 / p + beta**2 / r)


def in_the_bag(hyp, ref):
    return (Counter(hyp) & Counter(ref)).total()


def greedily(hyp, ref):
    at, common = 0, 0
    for word in hyp:
        if word in ref[at:]:
            at, common = ref.index(word, at) + 1, common + 1
    return common


def in_a_row(hyp, ref):
    best = 0
    for i in range(len(hyp)):
        for j in range(len(ref)):
            k = 0
            while i + k < len(hyp) and j + k < len(ref) and hyp[i + k] == ref[j + k]:
                k += 1
            best = max(best, k)
    return best


def longest_runs_first(hyp, ref):
    return sum(block.size for block in SequenceMatcher(None, hyp, ref, autojunk=False).get_matching_blocks())


SCORE = "return (1 + beta**2) * p * r / (beta**2 * p + r)"

EXERCISE = Exercise(
    title="The longest common sequence of words",
    points=3,
    minutes=20,
    difficulty=3,
    cases=cases,
    reference=common_words,
    alternatives=(memo, table),
    equal=(
        (
            "row = [0] * (len(ref) + 2)",
            "one more zero that nothing reads",
        ),
        (
            "row.append(above[j] + 1 if x == y else max(row[j], above[j + 1]))",
            "the larger of two, either way",
        ),
        (
            "return max(longest(i, j + 1), longest(i + 1, j))",
            "the larger of two, either way",
        ),
        (
            "if i >= len(hyp) or j == len(ref):",
            "i never exceeds the length",
        ),
        (
            "if i == len(hyp) or j >= len(ref):",
            "j never exceeds the length",
        ),
        (
            "return (1 + weight) * common / (len(hyp) + weight * len(ref)) if common else 0.0",
            "longest(0, 0) with its zeros exchanged",
        ),
    ),
    teaches=("textmetrics.rouge_l", "textmetrics.rouge_lsum"),
    mistakes=(
        mistake(
            "only words in a row",
            "common = in_a_row(hyp, ref)",
            "A subsequence may leave words out between: only the order has to be the same.",
        ),
        mistake(
            "the order does not count",
            "common = in_the_bag(hyp, ref)",
            "That is ROUGE-1: here the words have to come in the same order.",
        ),
        mistake(
            "takes what comes first",
            "common = greedily(hyp, ref)",
            "Who takes the first match may lose two later ones: all ways have to be compared.",
        ),
        mistake(
            "takes the longest run of words first",
            "common = longest_runs_first(hyp, ref)",
            "The longest run may stand in the way of two shorter ones: all ways have to be compared.",
        ),
        mistake(
            "0 by 0 where nothing is common",
            ("common = np.float64(row[-1])", "if common == 0: -> if common < 0:"),
            "Where nothing is common the answer is 0.0: look before you divide.",
        ),
        mistake(
            "a word used twice",
            "row.append(above[j] + 1 -> row.append(row[j] + 1",
            "Where the words are the same, go back in both texts: one word makes one match.",
        ),
        mistake(
            "a reference's word used twice",
            "row.append(above[j] + 1 -> row.append(above[j + 1] + 1",
            "Where the words are the same, go back in both texts: one word makes one match.",
        ),
        mistake(
            "begins anew where words differ",
            "max(above[j + 1], row[j]) -> 0",
            "Where the words differ nothing is lost: the better of the two neighbours stays.",
        ),
        mistake(
            "looks back in one text only",
            "max(above[j + 1], row[j]) -> above[j + 1]",
            "Where the words differ, leave out one of the one text or one of the other.",
        ),
        mistake(
            "looks back in the reference only",
            "max(above[j + 1], row[j]) -> row[j]",
            "Where the words differ, leave out one of the one text or one of the other.",
        ),
        mistake(
            "the recall only",
            f"{SCORE} -> return r",
            "A text that says everything would be perfect: precision belongs to it.",
        ),
        mistake(
            "the precision only",
            f"{SCORE} -> return p",
            "A text of one right word would be perfect: recall belongs to it.",
        ),
        mistake(
            "beta where its square belongs",
            f"{SCORE} -> return (1 + beta) * p * r / (beta * p + r)",
            "In F, beta is squared, above and below the line.",
        ),
        mistake(
            "beta on the side of the recall",
            f"{SCORE} -> return (1 + beta**2) * p * r / (p + beta**2 * r)",
            "With a large beta F comes near the recall: put the weight beside the precision, below the line.",
        ),
        mistake(
            "F with equal weights, whatever beta says",
            f"{SCORE} -> return 2 * p * r / (p + r)",
            "beta is an argument: recall weighs beta times as much as precision.",
        ),
        mistake(
            "divided by the longer text",
            f"{SCORE} -> return common / max(len(hyp), len(ref))",
            "Precision and recall each have their own length; F brings them together.",
        ),
        mistake(
            "the plain mean of precision and recall",
            f"{SCORE} -> return (beta**2 * r + p) / (1 + beta**2)",
            "F is a harmonic mean: it is low where either is low.",
        ),
        mistake(
            "letters instead of words",
            'row = [0] * (len(ref) + 1) -> hyp, ref = "".join(hyp), "".join(ref)\nrow = [0] * (len(ref) + 1)',
            "The texts are lists of words: compare words.",
        ),
        mistake(
            "capitals made small",
            "x == y -> x.lower() == y.lower()",
            "The lists come as they are to be compared: Night is not night.",
        ),
        mistake(
            "the length itself",
            f"{SCORE} -> return common",
            "A share is wanted: precision, recall, and F of the two.",
        ),
        mistake(
            "in per cent",
            f"{SCORE} -> return 100 * (1 + beta**2) * p * r / (beta**2 * p + r)",
            "ROUGE is given from 0 to 1.",
        ),
        mistake(
            "the kinds of words that both have",
            "common = len(set(hyp) & set(ref))",
            "That is no sequence: the words have to come in the same order, and each as often as "
            "it stands there.",
        ),
        mistake(
            "how many of hyp's words are in ref",
            "common = sum(word in ref for word in hyp)",
            "The words have to come in the same order, and one word of the reference makes one match.",
        ),
        mistake(
            "adds 1 to the neighbours",
            "row.append(above[j] + 1 -> row.append(max(above[j + 1], row[j]) + 1",
            "Where the words are the same, go back in both texts before you add 1.",
        ),
        mistake(
            "goes back in both texts where words differ",
            "max(above[j + 1], row[j]) -> above[j]",
            "Where the words differ, leave out one of the one text or one of the other, whichever is better.",
        ),
        mistake(
            "the last word of each text left out",
            (
                "for x in hyp: -> for x in hyp[:-1]:",
                "for j, y in enumerate(ref): -> for j, y in enumerate(ref[:-1]):",
            ),
            "The table has a row and a column for every word, the last ones, too.",
        ),
    ),
    hints=(
        "Fill a table: entry (i, j) is the answer for the first i words of one text and the first "
        "j of the other.",
        "Where the two words are the same: the entry left of it and above it, plus 1.",
        "Where they differ: the larger of the entry above and the entry to the left.",
    ),
)
