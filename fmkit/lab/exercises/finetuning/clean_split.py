"""A training and a test part without copies, also such as differ in capitals and spaces."""

import re  # noqa: F401 - mistakes use it
import unicodedata  # noqa: F401

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake

WORDS = ["film", "plot", "cast", "slow", "bright", "heart", "crème", "große", "Ünder", "Wit", "影片", "not"]


def disguise(rng, text):
    """The same text with other capitals and other white space."""
    words = [w.swapcase() if rng.random() < 0.5 else w for w in text.split()]
    begin, inside, end = rng.choice([" ", "  ", "   ", "\t", " \n"], 3)
    return begin + inside.join(words) + end


def cases(rng):
    def case(n, n_test, copies):
        texts = [" ".join(rng.choice(WORDS, rng.integers(3, 7))) + f" {i}" for i in range(n)]
        texts += [disguise(rng, texts[i]) for i in rng.choice(n, copies)]
        texts += [texts[0], texts[1].upper(), " ".join(reversed(texts[2].split())), texts[3] + "\t "]
        texts += ["große Straße", "GROSSE STRASSE", "no table", "not able", "", " "]
        return [str(t) for t in texts], rng.permutation(len(texts)), n_test

    def few(*texts, n_test):  # one thing each, small enough to be read
        return list(texts), rng.permutation(len(texts)), n_test

    def by_hand(*texts, order, n_test):
        return list(texts), np.array(order), n_test

    return [
        by_hand("Good", "bad", "good ", order=[2, 1, 0], n_test=1),
        few("a way", "away", "A   way", "a way", n_test=1),  # three blanks, and none
        few("a way", " a way", "a way ", "a  way", n_test=0),  # one text
        few("a way", "a\tway", "a\nway", "by", n_test=1),
        few("Straße", "STRASSE", "sıcak", "sicak", n_test=2),  # ss for ß, but a dotless i stays
        few("good", "good!", "Good,", "good", n_test=2),
        few(
            "crème", "creme", "cre\u0300me", "Crème", n_test=2
        ),  # an accent is a letter's, or stands by itself
        by_hand("one", "two", "ONE", "two", "ten", order=[2, 4, 1, 3, 0], n_test=2),  # copies across the cut
        by_hand("one", "one ", "two", "ten", order=[1, 3, 0, 2], n_test=3),  # a copy within the test
        by_hand("ten", "two", "TWO", "one", order=[3, 2, 0, 1], n_test=1),  # a copy within the training part
        by_hand("b", "a", "B", "A", order=[0, 1, 3, 2], n_test=9),  # no training part is left
        case(8, 5, 6),
        case(12, 7, 10),
        case(20, 12, 20),
    ]


def clean_split(texts, order, n_test):
    seen, kept = set(), []
    for i in order:
        key = " ".join(texts[i].casefold().split())
        if key not in seen:  # the first copy stays, whichever part it goes to
            seen.add(key)
            kept.append(int(i))
    return kept[n_test:], kept[:n_test]


def with_a_dict(texts, order, n_test):
    first = {}
    for i in order:
        first.setdefault(tuple(texts[i].casefold().split()), int(i))
    kept = list(first.values())
    return kept[n_test:], kept[:n_test]


def part_by_part(texts, order, n_test):
    train, test, seen = [], [], []
    for i in map(int, order):
        key = texts[i].casefold().split()
        if key in seen:
            continue
        seen.append(key)
        (test if len(test) < n_test else train).append(i)
    return train, test


EXERCISE = Exercise(
    title="A split without copies",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=clean_split,
    alternatives=(with_a_dict, part_by_part),
    mistakes=(
        mistake(
            "split first, then cleaned each part",
            (
                "for i in order: -> for place, i in enumerate(order):\n"
                "    if place == n_test:\n"
                "        seen = set()",
                "return kept[n_test:] -> n_test = sum(i in order[:n_test] for i in kept)\n"
                "return kept[n_test:]",
            ),
            "A text may have one copy in the training part and one in the test: neither part alone shows it.",
        ),
        mistake(
            "each part with a set of its own",
            (
                "if key not in seen -> part = len(kept) < n_test\nif (part, key) not in seen",
                "seen.add(key) -> seen.add((part, key))",
            ),
            "A text that is in the test must not be in the training part: one set remembers both.",
        ),
        mistake(
            "compared with the text just before only",
            ("seen, kept = None, []", "if key not in seen -> if key != seen", "seen.add(key) -> seen = key"),
            "Two copies may lie far apart: remember every key that you met.",
        ),
        mistake(
            "copies stay",
            "return order[n_test:].tolist(), order[:n_test].tolist()",
            "A text that is in both parts is a question whose answer was learnt by heart.",
        ),
        mistake(
            "compared the texts as they are",
            "key = texts[i]",
            "Two copies may differ in capitals and in spaces.",
        ),
        mistake(
            "capitals make another text",
            'key = " ".join(texts[i].split())',
            "'GREAT film' and 'Great film' are one text here.",
        ),
        mistake(
            "lower() where casefold() is wanted",
            "casefold -> lower",
            "lower() leaves the German ß alone, casefold() makes it ss: that is what it is for.",
        ),
        mistake(
            "only the ends stripped of spaces",
            "key = texts[i].casefold().strip()",
            "Spaces inside the text may be doubled, too: what do split() and join() do to them?",
        ),
        mistake(
            "two spaces replaced by one, once",
            'key = texts[i].casefold().replace("  ", " ").strip()',
            "Three spaces become two in this way; and a tab is white space, too.",
        ),
        mistake(
            "only blanks made one, not tabs and line ends",
            'key = re.sub(" +", " ", texts[i].casefold()).strip()',
            "White space is more than the blank: what does split() without an argument cut at?",
        ),
        mistake(
            "the ends not stripped",
            'key = re.sub(r"\\s+", " ", texts[i].casefold())',
            "A blank at the beginning or at the end makes no other text.",
        ),
        mistake(
            "the beginning not stripped",
            'key = re.sub(r"\\s+", " ", texts[i].casefold()).rstrip()',
            "A blank at the beginning makes no other text either.",
        ),
        mistake(
            "punctuation left out, too",
            'key = " ".join(re.sub(r"[^\\w\\s]", "", texts[i].casefold()).split())',
            "'good!' and 'good' are two texts here: only capitals and white space are passed over.",
        ),
        mistake(
            "Unicode forms made one, too",
            'key = " ".join(unicodedata.normalize("NFKC", texts[i]).casefold().split())',
            "Only capitals and white space are passed over here: casefold() leaves a lone accent as it is.",
        ),
        mistake(
            "upper() where casefold() is wanted",
            "casefold -> upper",
            "upper() makes one letter of the i with and without a dot; casefold() is made for comparing.",
        ),
        mistake(
            "only blanks are white space: tabs and line ends stay",
            'key = " ".join(word for word in texts[i].casefold().split(" ") if word)',
            'split(" ") parts at blanks alone; split() parts at tabs and line ends, too.',
        ),
        mistake(
            "spaces taken out altogether",
            'key = "".join(texts[i].casefold().split())',
            "'no table' and 'not able' are two texts: keep one space.",
        ),
        mistake(
            "words compared as a set",
            "key = frozenset(texts[i].casefold().split())",
            "'dog bites man' and 'man bites dog' are two texts: the order counts.",
        ),
        mistake(
            "the file's order",
            "for i in range(len(texts)):",
            "A file is often sorted: order says in which order to walk through it.",
        ),
        mistake(
            "of the copies the first in the file stays",
            (
                "for i in range(len(texts)):",
                "return kept[n_test:] -> kept = [int(i) for i in order if i in kept]\nreturn kept[n_test:]",
            ),
            "Of several copies the one that you meet first on the walk through order stays.",
        ),
        mistake(
            "places in order, not row numbers",
            (
                "for i in order: -> for place, i in enumerate(order):",
                "kept.append(int(i)) -> kept.append(place)",
            ),
            "Row numbers are wanted: order[0] is the first one, not 0.",
        ),
        mistake(
            "the parts sorted",
            "return sorted(kept[n_test:]), sorted(kept[:n_test])",
            "The rows come in the order in which you met them.",
        ),
        mistake(
            "in the order of the alphabet",
            'return kept[n_test:] -> kept.sort(key=lambda i: " ".join(texts[i].casefold().split()))\n'
            "return kept[n_test:]",
            "np.unique sorts the texts: the order of the walk is lost, and with it which are the first.",
        ),
        mistake(
            "all copies dropped, the first one too",
            'if [" ".join(t.casefold().split()) for t in texts].count(key) == 1:',
            "The first copy that you meet is a good text: it stays.",
        ),
        mistake(
            "the last copy stays",
            ("for i in order[::-1]:", "kept.append(int(i)) -> kept.insert(0, int(i))"),
            "Of several copies the one that you meet first stays.",
        ),
        mistake(
            "the last copy, in the place of the first",
            (
                "seen, kept = {}, []",
                "if key not in seen: -> if key in seen:\n    kept[seen[key]] = int(i)\nelse:",
                "seen.add(key) -> seen[key] = len(kept)",
            ),
            "A dict that is written to again keeps the last row of a text; the first one stays: setdefault.",
        ),
        mistake(
            "n_test counted before the copies were gone",
            "return kept[n_test:] -> n_test = sum(i in order[:n_test] for i in kept)\nreturn kept[n_test:]",
            "The test is to have n_test texts: count those that stay.",
        ),
        mistake(
            "cleaned the training part only",
            (
                'seen, kept = {" ".join(texts[i].casefold().split()) for i in order[:n_test]}, []',
                "for i in order[n_test:]:",
                "return kept, order[:n_test].tolist()",
            ),
            "A text that is in the test twice counts twice there.",
        ),
        mistake(
            "the test taken from the end",
            "return kept[:-n_test], kept[-n_test:]",
            "The first n_test texts that stay are the test.",
        ),
        mistake(
            "test and training part exchanged",
            "return kept[:n_test], kept[n_test:]",
            "Return the training part first.",
        ),
    ),
    equal=(("return (kept[n_test:], kept[:n_test])", "no row number comes twice in kept"),),
    hints=(
        "Make a key for each text that is the same for all its copies: casefold, then split and join.",
        "Walk through `order` once, with a set of the keys met so far; keep i only if its key is new.",
        "Cut only at the very end: the first n_test of what you kept are the test.",
    ),
)
