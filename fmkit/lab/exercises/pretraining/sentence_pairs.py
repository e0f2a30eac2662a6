"""Pairs of lines for next-sentence prediction, half of them drawn."""

import itertools

from fmkit.lab.judging.exercise import Exercise, mistake

WORDS = ["to", "be", "or", "not", "that", "is", "the", "question", "’tis", "nobler", "é", "über", "心", "in"]


def cases(rng):
    def line():
        return " ".join(rng.permutation(WORDS)[: rng.integers(2, 6)])

    def case(*sizes):
        documents = [[f"{line()} {d}.{i}" for i in range(n)] for d, n in enumerate(sizes)]
        total = sum(sizes)
        coins, draws = rng.integers(0, 2, total), rng.integers(0, total, total)
        coins[:3] = 0, 1, 0
        draws[:2] = 1, 2  # the true next lines themselves, once where the coin needs no draw
        return documents, coins.tolist(), draws.tolist()

    documents, coins, draws = case(3, 2)
    coins[2], draws[2] = 0, 4  # the true next line is the last of all: the one after it is the first
    itself = case(6)
    itself[2][2] = 2  # a line may be drawn for itself: that is no true next line
    later = case(4, 3, 5)
    later[1][3:6], later[2][3:6] = [0, 1, 0], [5, 5, 2]  # a true next line, in the second document
    # draws 1, 4 and 0: the same words as the true next line, but at another place
    often = [["Amen.", "So!", "Amen.", "Amen."], ["Now", "So!"]]
    return [
        ([["a", "b", "c"], ["d", "e"]], [1, 0, 0], [3, 2, 1]),
        later,
        case(2, 1, 4),
        (documents, coins, draws),
        itself,
        case(3, 0, 2, 1, 3),
        (often, [0, 0, 0, 0], [5, 0, 2, 1]),
        (often, [1, 1, 0, 0], [5, 0, 3, 5]),
        (often, [0, 1, 1, 1], [2, 3, 0, 0]),
        ([["ja", "é"]], [0], [1]),  # after the last comes the first
        ([["ah"], [], ["心"]], [], []),  # no pair at all
    ]


def sentence_pairs(documents, coins, draws):
    lines = [line for document in documents for line in document]
    pairs, labels = [], []
    start = 0  # where this document begins in lines
    for document in documents:
        for i in range(len(document) - 1):
            k = len(pairs)
            following = start + i + 1
            drawn = draws[k]
            if drawn == following:
                drawn = (following + 1) % len(lines)
            place = following if coins[k] == 1 else drawn
            pairs.append((document[i], lines[place]))
            labels.append(int(coins[k]))
        start += len(document)
    return pairs, labels


def zipped(documents, coins, draws):
    lines, places = [], []
    for document in documents:
        places += range(len(lines), len(lines) + len(document[1:]))
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


EXERCISE = Exercise(
    title="Pairs for next-sentence prediction",
    points=2,
    minutes=20,
    difficulty=3,
    cases=cases,
    reference=sentence_pairs,
    alternatives=(zipped, iterators),
    equal=(("place = following if coins[k] >= 1 else drawn", "a coin is 0 or 1"),),
    mistakes=(
        mistake(
            "the next word, not the next sentence",
            "pairs.append((document[i], lines[place].split()[0] if coins[k] else lines[place]))",
            "One of the articles mixes these up. The second half of a pair is a whole line.",
        ),
        mistake(
            "the true next line as a negative",
            "drawn = (following + 1) % len(lines) -> pass",
            "A draw may hit the true next line, and then the label 0 is a lie: take the line after it.",
        ),
        mistake(
            "the true next line, drawn by chance, kept and labelled 1",
            ("drawn = (following + 1) % len(lines) -> pass", "labels.append(int(place == following))"),
            "A coin of 0 asks for a line that does *not* follow: take the one after it, and label it 0.",
        ),
        mistake(
            "the line before the drawn one, where it is the true one",
            "drawn = (following + 1) % len(lines) -> drawn = following - 1",
            "The line before the true next one is the first half of the pair. Move on, not back.",
        ),
        mistake(
            "every draw moved on by one",
            (
                "drawn = draws[k] -> drawn = (draws[k] + 1) % len(lines)",
                "if drawn == following:\n -> if False:\n",
            ),
            "Only a draw that hits the true next line is moved on.",
        ),
        mistake(
            "the true next line known by its words",
            "if lines[drawn] == lines[following]:",
            "The same words may stand at another place: compare the places, not the texts.",
        ),
        mistake(
            "the true next line known by its words, and moved on from the draw",
            (
                "if lines[drawn] == lines[following]:",
                "drawn = (following + 1) % len(lines) -> drawn = (drawn + 1) % len(lines)",
            ),
            "The same words may stand at another place: compare the places, not the texts.",
        ),
        mistake(
            "moved on until the words differ",
            (
                "if drawn == following:\n -> while lines[drawn] == lines[following]:\n",
                "drawn = (following + 1) % len(lines) -> drawn = (drawn + 1) % len(lines)",
            ),
            "The same words may stand at another place: compare the places, not the texts.",
        ),
        mistake(
            "the place found by the words of the true next line",
            "following = lines.index(document[i + 1])",
            "lines.index finds the first line with these words: count the places instead.",
        ),
        mistake(
            "the place found by the words of the first line",
            "following = lines.index(document[i]) + 1",
            "lines.index finds the first line with these words: count the places instead.",
        ),
        mistake(
            "the draw compared with the place found by the words of the first line",
            (
                "if drawn == lines.index(document[i]) + 1:",
                "drawn = (following + 1) % len(lines) -> drawn = (drawn + 1) % len(lines)",
            ),
            "lines.index finds the first line with these words: count the places instead.",
        ),
        mistake(
            "the draw compared with the place in the document",
            "if drawn == i + 1:",
            "Draws are numbers among *all* lines: where does this document begin in them?",
        ),
        mistake(
            "the place of the next line taken within its document",
            (
                "if drawn == i + 1:",
                "drawn = (following + 1) % len(lines) -> drawn = (drawn + 1) % len(lines)",
            ),
            "Draws are numbers among *all* lines: where does this document begin in them?",
        ),
        mistake(
            "the draw compared with the first line of the pair",
            (
                "if drawn == following - 1:",
                "drawn = (following + 1) % len(lines) -> drawn = (drawn + 1) % len(lines)",
            ),
            "A line may be drawn for itself. It is the line that truly *follows* that is passed over.",
        ),
        mistake(
            "places counted in pairs, not in lines",
            (
                "if drawn == k + 1:",
                "drawn = (following + 1) % len(lines) -> drawn = (drawn + 1) % len(lines)",
            ),
            "The last line of a document begins no pair, but it is a line and has a number.",
        ),
        mistake(
            "drawn from the document, not from all lines",
            (
                "drawn = draws[k] -> drawn = start + draws[k] % len(document)",
                "drawn = (following + 1) % len(lines) -> drawn = start + (i + 2) % len(document)",
            ),
            "A draw is the number of a line among all lines of all documents.",
        ),
        mistake(
            "after the document's last line comes its first",
            "drawn = (following + 1) % len(lines) -> drawn = start + (i + 2) % len(document)",
            "The line after the last one of a document is the first of the next; only after the last of all "
            "comes the first of all.",
        ),
        mistake(
            "no line after the last of all",
            "drawn = (following + 1) % len(lines) -> drawn = following + 1",
            "Where the true next line is the last of all, the one after it is the first.",
        ),
        mistake(
            "draws counted from 1",
            "drawn = draws[k] -> drawn = draws[k] - 1",
            "Lines are counted from 0, as Python does.",
        ),
        mistake(
            "draws used up by the false pairs only",
            "drawn = draws[k] -> drawn = draws[labels.count(0)]",
            "Pair number k has coin k *and* draw k, also where the coin needs no draw.",
        ),
        mistake(
            "coins and draws begin anew in every document",
            "k = i",
            "k is the number of the pair among all pairs, not its place in the document.",
        ),
        mistake(
            "draws begin anew in every document",
            "drawn = draws[k] -> drawn = draws[i]",
            "k is the number of the pair among all pairs, not its place in the document.",
        ),
        mistake(
            "label 0 for the true next line",
            "labels.append(1 - coins[k])",
            "Here 1 says that the second line really follows.",
        ),
        mistake(
            "the coin read the other way round",
            ("place = following if coins[k] == 0 else drawn", "labels.append(1 - coins[k])"),
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
            "the last pair of each document left out",
            "for i in range(len(document) - 2):",
            "Each line but the last begins a pair: how many are these?",
        ),
        mistake(
            "a coin spent on the last line, too",
            "k = start + i",
            "There is one coin for each *pair*; the last line of a document begins none.",
        ),
        mistake(
            "a line paired with itself",
            "place = following if coins[k] == 1 else drawn -> place = start + i if coins[k] == 1 else drawn",
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
