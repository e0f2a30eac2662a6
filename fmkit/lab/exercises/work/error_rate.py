"""Word error rate of several texts, and what kind of errors they are."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    words = ["the", "king", "is", "dead", "long", "live", "The"]

    def text(n):
        return [str(word) for word in rng.choice(words, n)]

    def spoilt(reference):
        out = []
        for word in reference:
            luck = rng.random()
            if luck < 0.15:
                continue
            out.append(word if luck < 0.6 else str(rng.choice(words)))
            if luck > 0.85:
                out.append(str(rng.choice(words)))
        return out

    def case(*lengths):
        references = [text(n) for n in lengths]
        return references, [spoilt(reference) for reference in references]

    return [
        ([["please", "call", "me"]], [["please", "call", "him", "now"]]),
        ([["a", "b"], ["c"]], [["a", "b"], []]),
        ([["yes"]], [["well", "yes", "of", "course", "it", "is"]]),  # more errors than words
        ([[], ["a", "b", "c"]], [["uh"], ["a", "c"]]),
        ([["The", "end"]], [["the", "end"]]),
        ([["a", "b", "c", "d"]], [["b", "c", "d", "a"]]),
        ([["a", "b"]], [["b", "a"]]),  # two changed, or one out and one in
        ([["x", "x", "y"]], [["x", "y", "y", "y"]]),
        ([["a", "b", "c", "d"]], [["d", "e", "f", "g"]]),  # at two errors a change nobody would change a word
        ([["a"], ["b", "c"]], [["b", "c", "a", "d"], []]),
        ([[], ["no"]], [["oh", "no"], ["oh", "no"]]),
        # where a way back from the corner goes astray, whichever of the three ways it takes first
        ([["b", "a", "b"]], [["a", "c", "b", "a"]]),
        ([["a", "c", "b", "a"]], [["b", "a", "b"]]),
        ([["a", "b"]], [["b", "c"]]),
        ([["a", "b"]], [["c", "a"]]),
        case(6, 1),
        case(8, 12, 3),
        case(15),
        case(5, 0, 9),
    ]


def error_rate(references, hypotheses):
    counts = np.zeros(4, dtype=int)  # errors, left out, added, changed
    for reference, hypothesis in zip(references, hypotheses, strict=True):
        row = [(j, 0, j, 0) for j in range(len(hypothesis) + 1)]
        for word in reference:
            above, row = row, [tuple(np.add(row[0], (1, 1, 0, 0)))]
            for j, other in enumerate(hypothesis):
                wrong = int(word != other)
                out = np.add(above[j + 1], (1, 1, 0, 0))
                added = np.add(row[j], (1, 0, 1, 0))
                changed = np.add(above[j], (wrong, 0, 0, wrong))
                row.append(min(tuple(out), tuple(added), tuple(changed)))
        counts += np.array(row[-1])
    errors, left_out, added, changed = (int(count) for count in counts)
    rate = errors / sum(len(reference) for reference in references)
    return rate, left_out, added, changed


def from_the_end(references, hypotheses):
    """Distances only; of the ways with as few errors the one that changes most words leaves out fewest."""
    out = added = changed = n = 0
    for a, b in zip(references, hypotheses, strict=True):
        cost = np.zeros((len(a) + 1, len(b) + 1))
        heavy = 1 + 1e-4  # leaving out costs a little more: so as many words as can be are changed instead
        cost[:, 0], cost[0] = heavy * np.arange(len(a) + 1), np.arange(len(b) + 1)
        for i in range(1, len(a) + 1):
            for j in range(1, len(b) + 1):
                same = cost[i - 1, j - 1] + (a[i - 1] != b[j - 1])
                cost[i, j] = min(same, cost[i - 1, j] + heavy, cost[i, j - 1] + 1)
        errors = int(cost[-1, -1])
        gone = round((cost[-1, -1] - errors) / 1e-4)
        more = gone + len(b) - len(a)
        out, added, changed, n = out + gone, added + more, changed + errors - gone - more, n + len(a)
    return (out + added + changed) / n, out, added, changed


def table(references, hypotheses):
    total, words = (0, 0, 0, 0), 0
    for a, b in zip(references, hypotheses, strict=True):
        best = {}
        for i in range(len(a) + 1):
            for j in range(len(b) + 1):
                ways = [] if i or j else [(0, 0, 0, 0)]
                if i:
                    e, d, s, c = best[i - 1, j]
                    ways.append((e + 1, d + 1, s, c))
                if j:
                    e, d, s, c = best[i, j - 1]
                    ways.append((e + 1, d, s + 1, c))
                if i and j:
                    e, d, s, c = best[i - 1, j - 1]
                    wrong = a[i - 1] != b[j - 1]
                    ways.append((e + wrong, d, s, c + wrong))
                best[i, j] = min(ways)
        total = tuple(x + int(y) for x, y in zip(total, best[len(a), len(b)], strict=True))
        words += len(a)
    return total[0] / words, *total[1:]


def way_back(reference, hypothesis, first, change=1):
    """Words left out, added and changed, on the way back through a table of distances."""
    R, H = len(reference), len(hypothesis)
    cost = np.add.outer(np.arange(R + 1), np.arange(H + 1))
    for i in range(1, R + 1):
        for j in range(1, H + 1):
            same = cost[i - 1, j - 1] + change * (reference[i - 1] != hypothesis[j - 1])
            cost[i, j] = min(same, cost[i - 1, j] + 1, cost[i, j - 1] + 1)
    i, j, counts = R, H, np.zeros(3, dtype=int)
    while i or j:
        wrong = int(i > 0 and j > 0 and reference[i - 1] != hypothesis[j - 1])
        open_ways = {
            "changed": i > 0 and j > 0 and cost[i, j] == cost[i - 1, j - 1] + change * wrong,
            "out": i > 0 and cost[i, j] == cost[i - 1, j] + 1,
            "added": j > 0 and cost[i, j] == cost[i, j - 1] + 1,
        }
        way = next(way for way in first if open_ways[way])
        counts += {"changed": (0, 0, wrong), "out": (1, 0, 0), "added": (0, 1, 0)}[way]
        i, j = i - (way != "added"), j - (way != "out")
    return counts


def by_pairs(count, references, hypotheses):
    """Counts of each pair by another rule, added up."""
    left_out, added, changed = sum(count(*pair) for pair in zip(references, hypotheses, strict=True)).tolist()
    return (left_out + added + changed) / sum(map(len, references)), left_out, added, changed


def change_first(references, hypotheses):
    return by_pairs(lambda r, h: way_back(r, h, ("changed", "out", "added")), references, hypotheses)


def change_then_added(references, hypotheses):
    return by_pairs(lambda r, h: way_back(r, h, ("changed", "added", "out")), references, hypotheses)


def out_first(references, hypotheses):
    return by_pairs(lambda r, h: way_back(r, h, ("out", "changed", "added")), references, hypotheses)


def added_first(references, hypotheses):
    return by_pairs(lambda r, h: way_back(r, h, ("added", "changed", "out")), references, hypotheses)


def changes_at_two(references, hypotheses):
    return by_pairs(lambda r, h: way_back(r, h, ("changed", "out", "added"), 2), references, hypotheses)


def place_by_place(references, hypotheses):
    def count(reference, hypothesis):
        more = len(hypothesis) - len(reference)
        changed = sum(a != b for a, b in zip(reference, hypothesis))  # noqa: B905 (the shorter one ends it)
        return np.array([max(-more, 0), max(more, 0), changed])

    return by_pairs(count, references, hypotheses)


def rate_of_each(references, hypotheses):
    """The errors of each text over its words, and 0 where nothing was said."""
    counts = [
        way_back(r, h, ("changed", "out", "added")) for r, h in zip(references, hypotheses, strict=True)
    ]
    return [sum(count) / len(r) if r else 0.0 for count, r in zip(counts, references, strict=True)]


KEEP = "Of ways with as few errors the one that leaves out fewest words is meant: count that in the table."

EXERCISE = Exercise(
    title="Wrong words, by kind",
    points=3,
    minutes=25,
    difficulty=4,
    cases=cases,
    teaches=("speech.word_error_rate", "speech.word_errors"),
    reference=error_rate,
    alternatives=(from_the_end, table),
    equal=(
        ("counts = np.zeros(4)", "made whole numbers at the end"),
        ("out = np.add((1, 1, 0, 0), above[j + 1])", "a sum is the same either way"),
        ("added = np.add((1, 0, 1, 0), row[j])", "a sum is the same either way"),
        ("changed = np.add((wrong, 0, 0, wrong), above[j])", "a sum is the same either way"),
        ("above, row = (row, [tuple(np.add((1, 1, 0, 0), row[0]))])", "a sum is the same either way"),
        ("cost = np.ones((len(a) + 1, len(b) + 1))", "every field is written before it is read"),
    ),
    mistakes=(
        mistake(
            "per word that was heard",
            "rate = errors / sum(len(hypothesis) for hypothesis in hypotheses)",
            "Divide by the words that were said, not by those that were heard.",
        ),
        mistake(
            "only the difference of the lengths",
            "errors / sum(len -> sum(abs(len(r) - len(h)) for r, h in zip(references, hypotheses)) / sum(len",
            "A changed word is an error, though the length stays the same.",
        ),
        mistake(
            "a changed word counts as two errors",
            "(wrong, 0, 0, wrong) -> (2 * wrong, 0, 0, wrong)",
            "A changed word is one error.",
        ),
        mistake(
            "no word may be changed",
            "(wrong, 0, 0, wrong) -> (3 * wrong, 0, 0, wrong)",
            "Changing a word costs 1, not one out and one in.",
        ),
        mistake(
            "changes cost nothing",
            "(wrong, 0, 0, wrong) -> (0, 0, 0, wrong)",
            "A changed word is an error.",
        ),
        mistake(
            "never above 1",
            "rate = min(errors / sum(len(reference) for reference in references), 1.0)",
            "With many added words the rate is above 1.",
        ),
        mistake(
            "left out and added exchanged",
            "errors, left_out, added, changed -> errors, added, left_out, changed",
            "Left out is what was said and not heard.",
        ),
        mistake(
            "capitals ignored",
            "int(word != other) -> int(word.lower() != other.lower())",
            "Words are compared as they are; whoever wants small letters makes them before.",
        ),
        mistake(
            "place by place",
            place_by_place,
            "One word left out moves all that follow: look for the cheapest way.",
        ),
        mistake(
            "the last text only",
            "counts = np.array(row[-1])",
            "The errors of all texts are added up.",
        ),
        mistake(
            "of as many errors the most left out",
            (
                "row = [(j, 0, j, 0) for j in range(len(hypothesis) + 1)]",
                "row.append(min((tuple(out), tuple(added), tuple(changed)), key=lambda w: (w[0], -w[1])))",
            ),
            "Of ways with as few errors the one that leaves out fewest words is meant.",
        ),
        mistake(
            "the way back takes a change first",
            change_first,
            KEEP,
        ),
        mistake(
            "the way back takes a change first, then an added word",
            change_then_added,
            KEEP,
        ),
        mistake(
            "the way back leaves a word out first",
            out_first,
            KEEP,
        ),
        mistake(
            "the way back adds a word first",
            added_first,
            KEEP,
        ),
        mistake(
            "a table in which a change costs 2",
            changes_at_two,
            "Changing a word costs 1, in the table as well.",
        ),
        mistake(
            "the mean of the texts' rates",
            "rate = sum(rate_of_each(references, hypotheses)) / sum(len(r) > 0 for r in references)",
            "A long text weighs more than a short one: all errors over all words, divided once.",
        ),
        mistake(
            "the mean of the texts' rates, 0 for an empty one",
            "rate = float(np.mean(rate_of_each(references, hypotheses)))",
            "A long text weighs more than a short one: all errors over all words, divided once.",
        ),
        mistake(
            "pairs with an empty text skipped",
            "counts += np.array(row[-1]) * bool(reference and hypothesis)",
            "Where nothing was heard all words are left out; where nothing was said all are added.",
        ),
        mistake(
            "texts without a word said skipped",
            "counts += np.array(row[-1]) * bool(reference)",
            "Where nothing was said, all that was heard is added.",
        ),
        mistake(
            "texts of which nothing was heard skipped",
            "counts += np.array(row[-1]) * bool(hypothesis)",
            "Where nothing was heard, all words are left out.",
        ),
        mistake(
            "letters for words in the length",
            "sum(len(reference) for reference in references) -> "
            "sum(len(word) for reference in references for word in reference)",
            "The length counts words.",
        ),
        mistake(
            "added words cost nothing",
            "(1, 0, 1, 0) -> (0, 0, 1, 0)",
            "A word that nobody said is an error.",
        ),
        mistake(
            "words left out cost nothing",
            "out = np.add(above[j + 1], (1, 1, 0, 0)) -> out = np.add(above[j + 1], (0, 1, 0, 0))",
            "A word that was not heard is an error.",
        ),
    ),
    hints=(
        "A table: how few errors from the first i words said to the first j heard. Three ways lead there.",
        "Keep (errors, left out, added, changed) in a field: `min` compares the errors first, then the next.",
        "Add up over all texts, and divide once.",
    ),
)
