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
    errors, out, added, changed = (int(count) for count in counts)
    return errors / sum(len(reference) for reference in references), out, added, changed


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
            "for reference in references) -> for reference in hypotheses)",
            "Divide by the words that were said, not by those that were heard.",
        ),
        mistake(
            "only the difference of the lengths",
            "errors / sum(len(reference) for reference in references) -> "
            "float(np.mean([abs(len(r) - len(h)) / max(len(r), 1) for r, h in zip(references, hypotheses)]))",
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
            "errors / sum(len(reference) for reference in references) -> "
            "min(errors / sum(len(reference) for reference in references), 1.0)",
            "With many added words the rate is above 1.",
        ),
        mistake(
            "left out and added exchanged",
            "out, added, changed = (int(count) for count in counts) -> "
            "added, out, changed = (int(count) for count in counts)",
            "Left out is what was said and not heard.",
        ),
        mistake(
            "capitals ignored",
            "int(word != other) -> int(word.lower() != other.lower())",
            "Words are compared as they are; whoever wants small letters makes them before.",
        ),
        mistake(
            "place by place",
            ("row.append(tuple(int(v) for v in changed) if j < len(above) else row[j])",),
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
