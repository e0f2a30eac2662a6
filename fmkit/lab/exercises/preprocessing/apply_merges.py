"""Cut a new word with old merges, the oldest first."""

from itertools import pairwise

from fmkit.lab.exercises.preprocessing._inputs import letters
from fmkit.lab.exercises.preprocessing._shared import ALLOWED, merged
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    a, b, c, d, e = letters(rng, 5)
    chain = [(b, c), (a, b), (d, "_"), (a, b + c), (a, a), (a + a, b), (e, d + "_")]
    greedy = [(a, b), (c, d), (b, c + d), (a + b, a)]
    words = [a + b + c + d, a * 3, a + b + a + b + c + c + b + c, e + d, a * 4 + b + a * 2, ""]
    mixed = "".join(rng.choice([a, b, c, d], 12))
    cases = [(word, chain) for word in [*words, mixed]]
    cases = [("abcab", [("b", "c"), ("a", "b")]), *cases]
    return [*cases, (a + b + c + d + a + b, greedy), (a + b + a, greedy), (mixed, greedy), (mixed, [])]


def apply_merges(word, merges):
    tokens = [*word, "_"]
    for left, right in merges:
        i = 0
        while i + 1 < len(tokens):
            if tokens[i] == left and tokens[i + 1] == right:
                tokens[i : i + 2] = [left + right]
            i += 1
    return tokens


def by_rank(word, merges):
    rank = {tuple(pair): i for i, pair in reversed(list(enumerate(merges)))}
    tokens = [*word, "_"]
    while True:
        known = [pair for pair in pairwise(tokens) if pair in rank]
        if not known:
            return tokens
        tokens = merged(tokens, min(known, key=lambda pair: rank[pair]))


def new_lists(word, merges):
    tokens = [*word, "_"]
    for pair in merges:
        tokens = merged(tokens, pair)
    return tokens


def longest_known_first(word, merges):
    known, text, tokens = {left + right for left, right in merges}, word + "_", []
    while text:
        n = len(text)
        while n > 1 and text[:n] not in known:
            n -= 1
        tokens.append(text[:n])
        text = text[n:]
    return tokens


def whatever_fits(word, merges):
    tokens, i = [*word, "_"], 0
    while i + 1 < len(tokens):
        if (tokens[i], tokens[i + 1]) in merges:
            tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
            i = 0  # and look again, from the left
        else:
            i += 1
    return tokens


EXERCISE = Exercise(
    title="Cut a new word with old merges",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=apply_merges,
    alternatives=(by_rank, new_lists),
    allowed=ALLOWED,
    mistakes=(
        mistake(
            "the longest known token first",
            longest_known_first,
            "That is WordPiece. BPE repeats its merges, the oldest first.",
        ),
        mistake(
            "from left to right, whatever fits",
            whatever_fits,
            "Which of the pairs that fit was learned first?",
        ),
        mistake(
            "the newest merge first",
            "for left, right in reversed(merges):",
            "A newer merge needs tokens that an older one makes.",
        ),
        mistake(
            "only the first place",
            "tokens[i : i + 2] = [left + right]\nbreak",
            "A pair can stand in several places of a word: merge them all.",
        ),
        mistake(
            "from the right",
            ("i = len(tokens) - 2", "while i >= 0:", "i -= 1"),
            "In aaa the pair (a, a) fits twice; the left one is taken.",
        ),
        mistake(
            "replaced in the joined text",
            "for left, right in merges:\n"
            '    tokens = " ".join(tokens).replace(left + " " + right, left + right).split(" ")',
            "'xa b' ends in 'a b', but xa is one token: compare whole tokens.",
        ),
        mistake(
            "no end mark",
            "tokens = list(word)",
            "Begin with the characters and the mark _, as in training.",
        ),
        mistake(
            "the mark joined too late",
            ("tokens = list(word)", 'return [*tokens, "_"]'),
            "The mark is there from the beginning: a merge may want it.",
        ),
        mistake(
            "stopped after one merge",
            "i = 0 -> if len(tokens) <= len(word):\n    break\ni = 0",
            "Go on through the whole list of merges.",
        ),
    ),
    equal=(
        ("i = -1", "the last token ends with the mark, which begins no pair"),
        ("while i + 1 <= len(tokens):", "the last token ends with the mark, which begins no pair"),
        ("while i * 1 < len(tokens):", "the last token ends with the mark, which begins no pair"),
        ("while i < len(tokens):", "the last token ends with the mark, which begins no pair"),
        ("while i + 0 < len(tokens):", "the last token ends with the mark, which begins no pair"),
        ("rank = {tuple(pair): i for i, pair in list(enumerate(merges))}", "no pair is learned twice"),
    ),
    hints=(
        "One loop over the merges, the oldest first; inside it one walk over the tokens.",
        "tokens[i : i + 2] = [left + right] replaces two list entries by one.",
    ),
)
