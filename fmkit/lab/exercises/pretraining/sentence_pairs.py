"""Pairs of lines for next-sentence prediction, half of them drawn."""

import itertools

from fmkit.lab.judging.exercise import Exercise, mistake

WORDS = ["to", "be", "or", "not", "that", "is", "the", "question", "’tis", "nobler", "é", "über", "心", "in"]


def cases(rng):
    def line():
        return " ".join(rng.permutation(WORDS)[: rng.integers(2, 6)])

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


def sentence_pairs(documents, coins, draws):
    lines = [line for document in documents for line in document]
    pairs, labels = [], []
    start = 0  # where this document begins in lines
    for document in documents:
        for i in range(len(document) - 1):
            k, following = len(pairs), start + i + 1
            place = following
            if coins[k] == 0:
                place = draws[k] if draws[k] != following else (following + 1) % len(lines)
            pairs.append((document[i], lines[place]))
            labels.append(int(coins[k]))
        start += len(document)
    return pairs, labels


def zipped(documents, coins, draws):
    lines, places = [], []
    for document in documents:
        places += range(len(lines), len(lines) + max(0, len(document) - 1))
        lines += document
    pairs, labels = [], []
    for place, coin, draw in zip(places, coins, draws, strict=False):
        other = (draw + 1) % len(lines) if draw == place + 1 else draw
        pairs.append((lines[place], lines[place + 1 if coin else other]))
        labels.append(1 if coin else 0)
    return pairs, labels


def iterators(documents, coins, draws):
    lines = list(itertools.chain.from_iterable(documents))
    coins, draws, pairs, place = iter(coins), iter(draws), [], -1
    for document in documents:
        for i, line in enumerate(document):
            place += 1
            if i + 1 < len(document):
                coin, draw = next(coins), next(draws)
                if draw == place + 1:
                    draw = 0 if draw + 1 == len(lines) else draw + 1
                pairs.append((line, document[i + 1] if coin == 1 else lines[draw], coin))
    return [(a, b) for a, b, _ in pairs], [int(coin) for _, _, coin in pairs]


DRAWN = "draws[k] if draws[k] != following else (following + 1) % len(lines)"

EXERCISE = Exercise(
    title="Pairs for next-sentence prediction",
    points=2,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=sentence_pairs,
    alternatives=(zipped, iterators),
    mistakes=(
        mistake(
            "the next word, not the next sentence",
            "pairs.append((document[i], lines[place].split()[0] if coins[k] else lines[place]))",
            "One of the articles mixes these up. The second half of a pair is a whole line.",
        ),
        mistake(
            "the true next line as a negative",
            f"{DRAWN} -> draws[k]",
            "A draw may hit the true next line, and then the label 0 is a lie: take the line after it.",
        ),
        mistake(
            "the line before the drawn one, where it is the true one",
            "(following + 1) % len(lines) -> following - 1",
            "The line before the true next one is the first half of the pair. Move on, not back.",
        ),
        mistake(
            "every draw moved on by one",
            f"{DRAWN} -> (draws[k] + 1) % len(lines)",
            "Only a draw that hits the true next line is moved on.",
        ),
        mistake(
            "label 0 for the true next line",
            "labels.append(1 - coins[k])",
            "Here 1 says that the second line really follows.",
        ),
        mistake(
            "the coin read the other way round",
            ("if coins[k] == 1:", "labels.append(1 - coins[k])"),
            "Coin 1 takes the true next line, coin 0 the drawn one.",
        ),
        mistake(
            "every pair labelled as true",
            "labels.append(1)",
            "The label says whether the second line really follows.",
        ),
        mistake(
            "the last line of a document paired with the next document",
            "for i in range(min(len(document), len(lines) - 1 - start)):",
            "No line follows the last one of a document.",
        ),
        mistake(
            "a coin spent on the last line, too",
            "k, following = start + i, start + i + 1",
            "There is one coin for each *pair*; the last line of a document begins none.",
        ),
        mistake(
            "a line paired with itself",
            "place = following -> place = start + i",
            "The true next line is the one after the first half.",
        ),
    ),
    hints=(
        "Put all lines into one list, and know the place of the true next line in it.",
        "One coin and one draw for each pair. The last line of a document begins no pair.",
        "A draw may hit the true next line. Then take the line after that; after the last one comes the "
        "first.",
    ),
)
