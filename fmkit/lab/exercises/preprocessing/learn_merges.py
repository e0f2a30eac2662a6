"""Learn byte-pair merges from words with their counts."""

from collections import Counter
from itertools import pairwise

from fmkit.lab.exercises.preprocessing._inputs import letters
from fmkit.lab.exercises.preprocessing._shared import ALLOWED, merged
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(some, n_words, n):
        words = {}
        for _ in range(n_words):
            size = int(rng.integers(1, 7))
            words["".join(rng.choice(letters(rng, 30)[:1] + some, size))] = int(rng.integers(1, 9))
        return words, n

    a, b, c, d, e = letters(rng, 5)
    double = {(a + b) * 3 + c: 2, d + e: 5, c: 1}  # (a, b) three times in a word
    ties = {c + d: 2, a + b: 2, e: 3}
    cases = [case([a, b], 6, 6), case([a, b, c], 9, 8), (double, 4), (ties, 5)]
    a, b, c, d = sorted([a, b, c, d])  # for ties that turn on what has been merged
    joined = {a + b + c: 2, a + d: 2, (a + b) * 2: 1}  # (ab, c) and (a, d) are equally frequent
    ends = {c + a: 5, a + b: 3, c + a + b: 1}  # "ca b" holds "a b", but ca is one token
    cases += [({b + a: 1}, 4), (ends, 6), ({a * 5 + b: 2, a * 2: 3}, 3), (joined, 4)]
    return [*cases, ({a: 3}, 4), (double | ties, 7)]


def learn_merges(words, n):
    state = {word: [*word, "_"] for word in words}
    merges = []
    for _ in range(n):
        counts = Counter()
        for word, tokens in state.items():
            for pair in pairwise(tokens):
                counts[pair] += words[word]
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(best)
        for tokens in state.values():
            i = 0
            while i + 1 < len(tokens):
                if (tokens[i], tokens[i + 1]) == best:
                    tokens[i : i + 2] = ["".join(best)]
                i += 1
    return merges


def lists(words, n):
    corpus = [([*word, "_"], count) for word, count in words.items()]
    merges = []
    while len(merges) < n:
        counts = {}
        for tokens, count in corpus:
            for i in range(len(tokens) - 1):
                pair = tokens[i], tokens[i + 1]
                counts[pair] = counts.get(pair, 0) + count
        if not counts:
            return merges
        merges.append(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[0][0])
        corpus = [(merged(tokens, merges[-1]), count) for tokens, count in corpus]
    return merges


def written_out(words, n):
    corpus = [[*word, "_"] for word, count in words.items() for _ in range(count)]
    merges = []
    for _ in range(n):
        counts = Counter(pair for tokens in corpus for pair in pairwise(tokens))
        if counts:
            most = max(counts.values())
            merges.append(min(pair for pair, count in counts.items() if count == most))
            corpus = [merged(tokens, merges[-1]) for tokens in corpus]
    return merges


EXERCISE = Exercise(
    title="Learn byte-pair merges",
    points=4,
    minutes=20,
    difficulty=4,
    cases=cases,
    reference=learn_merges,
    alternatives=(lists, written_out),
    allowed=ALLOWED,
    mistakes=(
        mistake(
            "every word counts once",
            "counts[pair] += 1",
            "A word that occurs nine times shows each of its pairs nine times.",
        ),
        mistake(
            "a pair twice in a word counts once",
            "for pair in set(pairwise(tokens)):",
            "banana holds (a, n) twice in every single copy.",
        ),
        mistake(
            "no end mark",
            "state = {word: list(word) for word in words}",
            "A word's tokens are its characters and then the mark _.",
        ),
        mistake(
            "the mark in front",
            'state = {word: ["_", *word] for word in words}',
            "The mark _ comes behind the last character.",
        ),
        mistake(
            "counted only at the start",
            "best = min(counts, key=lambda pair: (-counts[pair], pair))"
            " -> return sorted(counts, key=lambda pair: (-counts[pair], pair))[:n]",
            "Every merge makes new pairs and takes old ones away: count again.",
        ),
        mistake(
            "the last of equals",
            "best = max(counts, key=lambda pair: (counts[pair], pair))",
            "Among equally frequent pairs, Python's smallest one wins: min.",
        ),
        mistake(
            "the first met of equals",
            "best = max(counts, key=counts.get)",
            "Among equals the order of the words must not matter: Python's smallest.",
        ),
        mistake(
            "pairs across words",
            (
                "counts = Counter() -> stream = []",
                "for word, tokens in state.items():\n"
                "    stream += tokens * words[word]\n"
                "counts = Counter(pairwise(stream))",
            ),
            "The end of one word and the start of the next are no neighbours.",
        ),
        mistake(
            "merged tokens are no tokens",
            "tokens[i : i + 2] = []\ncontinue",
            "After a merge the new token has neighbours of its own.",
        ),
        mistake(
            "only the first place",
            'tokens[i : i + 2] = ["".join(best)]\nbreak',
            "A pair can stand in several places of a word: merge them all.",
        ),
        mistake(
            "from the right",
            ("i = len(tokens) - 2", "while i >= 0:", "i -= 1"),
            "In aaa the pair (a, a) fits twice; the left one is taken.",
        ),
        mistake(
            "replaced in the joined text",
            "for tokens in state.values():\n"
            '    text = " ".join(tokens).replace(" ".join(best), "".join(best))\n'
            '    tokens[:] = text.split(" ")',
            "'xa b' ends in 'a b', but xa is one token: compare whole tokens.",
        ),
        mistake(
            "stopped at pairs that come once",
            "best = min(counts, key=lambda pair: (-counts[pair], pair))\nif counts[best] == 1:\n    break",
            "Go on until n merges are made or no pair is left at all.",
        ),
        mistake(
            "compared the joined tokens",
            'best = min(counts, key=lambda pair: (-counts[pair], "".join(pair)))',
            "The smallest *pair*: (a, d) comes before (ab, c), as tuples compare.",
        ),
        mistake(
            "tokens instead of pairs",
            'return ["".join(pair) for pair in merges]',
            "Return pairs: from ab + c and a + bc alike you would get abc.",
        ),
    ),
    equal=(
        ("i = -1", "the last token ends with the mark, which begins no pair"),
        ("counts[pair] = counts.get(pair, 1) + count", "every pair begins with the same count"),
        ("counts[pair] = counts.get(pair, -1) + count", "every pair begins with the same count"),
        ("counts[pair] = counts.get(pair, 2) + count", "every pair begins with the same count"),
    ),
    hints=(
        'Keep a dict from each word to its present tokens; at first [*word, "_"].',
        "Counter() and itertools.pairwise(tokens) count pairs; add the word's count, not 1.",
        "min(counts, key=lambda pair: (-counts[pair], pair)) is the most frequent, then smallest pair.",
    ),
)
