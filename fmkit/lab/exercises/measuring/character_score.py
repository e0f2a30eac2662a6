"""chrF with its two settings: n-grams of characters, precision and recall averaged, then F."""

from collections import Counter

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    letters = "abcdeé床月 "

    def text(n, of=letters):
        return "".join(str(c) for c in rng.choice(list(of), n))

    def case(n, max_n, beta, of=letters):
        ref = text(n, of)
        hyp = "".join(str(rng.choice(list(of))) if rng.random() < 0.2 else c for c in ref)
        return hyp[int(rng.integers(3)) :] + text(2, of), ref + text(int(rng.integers(1, 6)), of), max_n, beta

    return [
        ("a cat", "the cat", 2, 2.0),
        ("床前明月光", "床前看月光", 2, 1.0),
        ("ab", "abcd", 4, 2.0),  # no n-gram of 3 in the first
        ("abcdef", "abc", 6, 3.0),
        ("abc", "xyz", 3, 2.0),
        ("", "abc", 2, 1.0),
        (" ", "\n", 2, 2.0),
        ("the  cat\tsat", "the cat\u3000sat\n", 3, 2.0),
        ("thecatsat", "the cat sat", 6, 2.0),
        ("The Cat", "the cat", 1, 2.0),
        ("aaaaab", "ab aab", 1, 2.0),
        ("aaaaab", "ab aab", 2, 0.5),
        ("cat the sat", "sat the cat", 4, 2.0),
        ("x", "xyz", 6, 2.0),
        ("ac", "ca", 2, 2.0),
        ("abab", "abxab", 3, 1.0),
        case(14, 4, 2.0),
        case(20, 6, 2.0),
        case(16, 3, 0.5, "abc "),
        case(11, 6, 3.0, "ab "),
    ]


def character_score(hyp, ref, max_n, beta):
    hyp, ref = "".join(hyp.split()), "".join(ref.split())  # no white space
    precisions, recalls = [], []
    for n in range(1, min(max_n, len(hyp), len(ref)) + 1):
        own = Counter(hyp[i : i + n] for i in range(len(hyp) - n + 1))
        wanted = Counter(ref[i : i + n] for i in range(len(ref) - n + 1))
        same = (own & wanted).total()
        precisions.append(same / own.total())
        recalls.append(same / wanted.total())
    if sum(precisions) == 0:
        return 0.0
    p, r = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    return 100 * (1 + beta**2) * p * r / (beta**2 * p + r)


def plain(hyp, ref, max_n, beta):
    hyp, ref = ("".join(c for c in text if not c.isspace()) for text in (hyp, ref))
    p = r = orders = 0
    for n in range(1, max_n + 1):
        a, b = ([text[i : i + n] for i in range(len(text) - n + 1)] for text in (hyp, ref))
        if a and b:
            same = sum(min(a.count(gram), b.count(gram)) for gram in set(a))
            p, r, orders = p + same / len(a), r + same / len(b), orders + 1
    if not p:
        return 0.0
    return 100 * (1 + beta * beta) / (orders / p + beta * beta * orders / r)


def arrays(hyp, ref, max_n, beta):
    def grams(text, n):
        text = "".join(text.split())
        return np.array([text[i : i + n] for i in range(len(text) - n + 1)], dtype=f"U{n}")

    shares = []
    for n in range(1, max_n + 1):
        a, b = grams(hyp, n), grams(ref, n)
        if len(a) and len(b):
            same = sum(min((a == gram).sum(), (b == gram).sum()) for gram in np.unique(a))
            shares.append((same / len(a), same / len(b)))
    p, r = np.mean(shares, axis=0) if shares else (0.0, 0.0)
    return float(100 * (1 + beta**2) * p * r / (beta**2 * p + r)) if p else 0.0


SCORE = "return 100 * (1 + beta**2) * p * r / (beta**2 * p + r)"
MEANS = "p, r = sum(precisions) / len(precisions), sum(recalls) / len(recalls)"

EXERCISE = Exercise(
    title="chrF",
    points=3,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=character_score,
    alternatives=(plain, arrays),
    equal=(
        (
            "same = sum((min(b.count(gram), a.count(gram)) for gram in set(a)))",
            "the smaller of two, either way",
        ),
    ),
    teaches=("textmetrics.chrf_counts", "textmetrics.chrf", "textmetrics.corpus_chrf"),
    mistakes=(
        mistake(
            "white space counts",
            "hyp, ref = hyp, ref",
            'Leave out all white space first: `"".join(text.split())`.',
        ),
        mistake(
            "only the blank is taken for white space",
            'hyp, ref = hyp.replace(" ", ""), ref.replace(" ", "")',
            "A tab, the end of a line and the wide Chinese blank are white space, too.",
        ),
        mistake(
            "beta where its square belongs",
            f"{SCORE} -> return 100 * (1 + beta) * p * r / (beta * p + r)",
            "In F, beta is squared, above and below the line.",
        ),
        mistake(
            "beta on the side of the recall",
            f"{SCORE} -> return 100 * (1 + beta**2) * p * r / (p + beta**2 * r)",
            "With a large beta F comes near the recall: put the weight beside the precision, below the line.",
        ),
        mistake(
            "F with equal weights, whatever beta says",
            f"{SCORE} -> return 100 * 2 * p * r / (p + r)",
            "beta is an argument: recall weighs beta times as much as precision.",
        ),
        mistake(
            "always 2 for beta",
            f"{SCORE} -> return 100 * 5 * p * r / (4 * p + r)",
            "beta is an argument; 2 is only the usual one.",
        ),
        mistake(
            "F of each length, then the mean",
            f"{SCORE} -> return 100 * sum((1 + beta**2) * p * r / (beta**2 * p + r) if p else 0 "
            "for p, r in zip(precisions, recalls)) / len(precisions)",
            "First average the precisions and the recalls, then take F once.",
        ),
        mistake(
            "lengths that a text lacks count as 0",
            "p, r = sum(precisions) / max_n, sum(recalls) / max_n",
            "Average over the lengths that both texts have.",
        ),
        mistake(
            "each text's own lengths",
            (
                "for n in range(1, max_n + 1):",
                "precisions.append(same / own.total()) -> if own:\n    precisions.append(same / own.total())",
                "recalls.append(same / wanted.total()) -> if wanted:\n    recalls.append(same / "
                "wanted.total())",
            ),
            "Precision and recall are averaged over the same lengths: those that both texts have.",
        ),
        mistake(
            "all lengths counted together",
            (
                "precisions.append(same / own.total()) -> precisions.append((same, own.total()))",
                "recalls.append(same / wanted.total()) -> recalls.append(wanted.total())",
                "if sum(precisions) == 0: -> if sum(a for a, _ in precisions) == 0:",
                "p, r = (sum(a for a, _ in precisions) / total for total in "
                "(sum(b for _, b in precisions), sum(recalls)))",
            ),
            "Each length has a precision of its own, and each counts the same.",
        ),
        mistake(
            "the precision only",
            f"{SCORE} -> return 100 * p",
            "A text of one right letter would be perfect: recall belongs to it.",
        ),
        mistake(
            "the recall only",
            f"{SCORE} -> return 100 * r",
            "A text that says everything would be perfect: precision belongs to it.",
        ),
        mistake(
            "kinds of n-grams instead of their number",
            "same = len(own & wanted)",
            "Count every place: the smaller of the two counts of each n-gram, added up.",
        ),
        mistake(
            "not clipped",
            "same = sum(own[gram] for gram in own if gram in wanted)",
            "An n-gram is the same at most as often as the reference has it: the smaller of the two counts.",
        ),
        mistake(
            "words instead of characters",
            "hyp, ref = tuple(hyp.split()), tuple(ref.split())",
            "chrF counts characters: a Chinese sentence has no blanks to cut at.",
        ),
        mistake(
            "capitals made small",
            'hyp, ref = "".join(hyp.lower().split()), "".join(ref.lower().split())',
            "The characters count as they are: T is not t.",
        ),
        mistake(
            "only the longest length",
            f"{MEANS} -> p, r = precisions[-1], recalls[-1]\nif p == 0:\n    return 0.0",
            "All lengths from 1 to max_n take part.",
        ),
        mistake(
            "always 6 lengths",
            "min(max_n, len(hyp), len(ref)) -> min(6, len(hyp), len(ref))",
            "max_n is an argument; 6 is only the usual one.",
        ),
        mistake(
            "the longest length left out",
            "min(max_n, len(hyp), len(ref)) + 1 -> max(min(max_n, len(hyp), len(ref)), 1 if hyp "
            "and ref else 0)",
            "n goes from 1 to max_n: what is range's last number?",
        ),
        mistake(
            "from 0 to 1",
            f"{SCORE} -> return (1 + beta**2) * p * r / (beta**2 * p + r)",
            "chrF is given from 0 to 100.",
        ),
        mistake(
            "the plain mean of precision and recall",
            f"{SCORE} -> return 100 * (beta**2 * r + p) / (1 + beta**2)",
            "F is a harmonic mean: it is low where either is low.",
        ),
        mistake(
            "stops where nothing is the same",
            "same = (own & wanted).total()\nif same == 0:\n    break",
            "A length of which nothing is the same has precision and recall 0, and counts in the mean.",
        ),
        mistake(
            "each kind of n-gram once",
            (
                "own = Counter({hyp[i : i + n] for i in range(len(hyp) - n + 1)})",
                "wanted = Counter({ref[i : i + n] for i in range(len(ref) - n + 1)})",
            ),
            "Every place where an n-gram stands counts, above and below the line.",
        ),
    ),
    hints=(
        '"".join(text.split()) is a text without any white space.',
        "For two Counters, (a & b).total() adds up the smaller counts.",
        "Two lists, one of precisions and one of recalls, an entry for each length that both texts have.",
    ),
)
