"""A training and a test part without copies, also such as differ in capitals and spaces."""

from fmkit.lab.judging.exercise import Exercise, mistake

WORDS = ["film", "plot", "cast", "slow", "bright", "heart", "crème", "große", "Ünder", "Wit", "影片", "not"]


def disguise(rng, text):
    """The same text with other capitals and spaces."""
    words = [w.swapcase() if rng.random() < 0.5 else w for w in text.split()]
    return "  ".join(words) + " " * int(rng.integers(1, 3))


def cases(rng):
    def case(n, n_test, copies):
        texts = [" ".join(rng.choice(WORDS, rng.integers(3, 7))) + f" {i}" for i in range(n)]
        texts += [disguise(rng, texts[i]) for i in rng.choice(n, copies)]
        texts += [texts[0], texts[1].upper(), " ".join(reversed(texts[2].split())), texts[3] + "\t "]
        texts += ["große Straße", "GROSSE STRASSE", "no table", "not able", "", " "]
        return [str(t) for t in texts], rng.permutation(len(texts)), n_test

    return [case(8, 5, 6), case(12, 7, 10), case(5, 9, 3), case(20, 12, 20), case(6, 4, 12)]


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


def split_then_clean(texts, order, n_test):
    def clean(rows):
        first = {}
        for i in rows:
            first.setdefault(" ".join(texts[i].casefold().split()), int(i))
        return list(first.values())

    return clean(order[n_test:]), clean(order[:n_test])


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
            split_then_clean,
            "A text may have one copy in the training part and one in the test: neither part alone shows it.",
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
            "n_test counted before the copies were gone",
            "return [i for i in kept if i not in order[:n_test]], [i for i in kept if i in order[:n_test]]",
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
    hints=(
        "Make a key for each text that is the same for all its copies: casefold, then split and join.",
        "Walk through `order` once, with a set of the keys met so far; keep i only if its key is new.",
        "Cut only at the very end: the first n_test of what you kept are the test.",
    ),
)
