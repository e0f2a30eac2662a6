"""Of the n-grams that a system wrote, how many has a reference? Over a corpus, with several references."""

from collections import Counter

import numpy as np

from fmkit.lab.exercises.measuring._inputs import near, sentence, some_words
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n_sentences, length, n_refs, n, size=4):
        words = some_words(rng, size)
        refs, hyps = [], []
        for _ in range(n_sentences):
            base = sentence(rng, words, length + int(rng.integers(3)))
            refs.append([base, *(near(rng, base, words) for _ in range(n_refs - 1))])
            hyps.append(near(rng, base, words))
        return hyps, refs, n

    example = (
        [["the", "the", "the", "cat"]],
        [[["the", "cat", "sat"], ["on", "the", "mat", "the", "cat", "slept"]]],
    )
    stutter = (
        [["a", "a", "a", "a", "b"], ["b", "c"]],
        [[["a", "a", "b", "x"], ["a", "x", "x", "x"], ["a", "b", "a"]], [["b", "c", "b"], ["c", "c"]]],
    )
    glued = ([["ab", "c", "ab"], ["a", "bc"]], [[["a", "bc", "d"]], [["a", "bc", "d"]]])
    turned = ([["b", "a", "b"], ["x", "y", "z"]], [[["a", "b", "x"]], [["z", "y", "x"], ["x", "y"]]])
    upper = ([["Night", "the"]], [[["night", "the", "sea"]]])
    seam = ([["a", "b"], ["c", "d"]], [[["x", "b"]], [["c", "y"]]])  # "b c" stands nowhere
    parts = ([["a", "b", "c"]], [[["a", "x"], ["y", "b", "c"]]])  # some in one reference, some in the other
    uneven = ([["a"] * 9 + ["b"], ["c", "d", "e"]], [[["b", "a", "x"]], [["c", "d", "e"]]])
    return [
        (*example, 1),
        (*example, 2),
        (*stutter, 1),
        (*stutter, 2),
        (*glued, 2),
        (*turned, 2),
        (*upper, 1),
        (*seam, 2),
        (*uneven, 1),
        (*parts, 1),
        ([["b", "c"]], [[["x", "b"], ["c", "y"]]], 2),  # where two references meet nothing stands
        ([["a", "b"], []], [[["a", "b"]], [["c"], []]], 3),  # no n-gram at all
        ([[], ["a", "b", "c"], ["a"]], [[["a"]], [["a", "b"]], [["b", "a", "b"]]], 2),
        case(4, 9, 2, 1),
        case(3, 10, 3, 2),
        case(5, 8, 1, 3, size=3),
        case(2, 14, 2, 5, size=2),
    ]


def clipped_precision(hyps, refs, n):
    def grams(tokens):
        return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))

    found = there = 0
    for k, hyp in enumerate(hyps):
        limit = Counter()
        for ref in refs[k]:
            limit |= grams(ref)  # of two counts the larger one
        own = grams(hyp)
        found += (own & limit).total()  # of two counts the smaller one
        there += own.total()
    return found / there if there else 0.0


def plain(hyps, refs, n):
    found, there = 0, 0
    for hyp, several in zip(hyps, refs, strict=True):
        grams = [[tuple(t[i : i + n]) for i in range(len(t) - n + 1)] for t in (hyp, *several)]
        for gram in set(grams[0]):
            found += min(grams[0].count(gram), max(ref.count(gram) for ref in grams[1:]))
        there += len(grams[0])
    return found / max(there, 1)


def crossing_off(hyps, refs, n):
    shares = np.zeros(2)
    for hyp, several in zip(hyps, refs, strict=True):
        left = {}
        for ref in several:
            counts = {}
            for gram in zip(*(ref[i:] for i in range(n)), strict=False):
                counts[gram] = counts.get(gram, 0) + 1
            left = {gram: max(left.get(gram, 0), counts.get(gram, 0)) for gram in {**left, **counts}}
        for gram in zip(*(hyp[i:] for i in range(n)), strict=False):
            if left.get(gram, 0) > 0:
                left[gram] -= 1
                shares[0] += 1
            shares[1] += 1
    return float(shares[0] / shares[1]) if shares[1] else 0.0


def laid_end_to_end(hyps, refs, n):
    joined = [
        [word for k in range(len(hyps)) for word in refs[k][min(r, len(refs[k]) - 1)]] for r in range(3)
    ]
    return clipped_precision([[word for hyp in hyps for word in hyp]], [joined], n)


EXERCISE = Exercise(
    title="Clipped precision",
    points=2,
    minutes=15,
    difficulty=2,
    cases=cases,
    reference=clipped_precision,
    alternatives=(plain, crossing_off),
    equal=(
        (
            "found += min(max((ref.count(gram) for ref in grams[1:])), grams[0].count(gram))",
            "the smaller of two, either way",
        ),
        ("return found / max(1, there)", "the larger of two, either way"),
    ),
    teaches=("textmetrics.bleu_counts", "textmetrics.rouge_n"),
    mistakes=(
        mistake(
            "allowed as often as all references together have it",
            "limit |= grams(ref) -> limit += grams(ref)",
            "An n-gram is allowed as often as the one reference has it that has it most.",
        ),
        mistake(
            "allowed only as often as every reference has it",
            ("limit = grams(refs[k][0])", "limit |= grams(ref) -> limit &= grams(ref)"),
            "One reference that has it is enough: take the largest count, not the smallest.",
        ),
        mistake(
            "the first reference only",
            "for ref in refs[k]: -> for ref in refs[k][:1]:",
            "There may be several references, and any of them may have the n-gram.",
        ),
        mistake(
            "the last reference only",
            "limit |= grams(ref) -> limit = grams(ref)",
            "There may be several references, and any of them may have the n-gram.",
        ),
        mistake(
            "the best single reference",
            "found += (own & limit).total() -> found += max((own & grams(ref)).total() for ref in refs[k])",
            "One n-gram may be found in one reference, the next in another.",
        ),
        mistake(
            "not clipped",
            "found += (own & limit).total() -> found += sum(own[gram] for gram in own if gram in limit)",
            'A system that writes "the the the" is not right three times: count at most as many as allowed.',
        ),
        mistake(
            "kinds of n-grams instead of their number",
            (
                "found += (own & limit).total() -> found += len(own & limit)",
                "there += own.total() -> there += len(own)",
            ),
            "Every place where an n-gram stands counts, not every kind of n-gram.",
        ),
        mistake(
            "kinds found, places counted",
            "found += (own & limit).total() -> found += len(own & limit)",
            "Above the line, too, every place counts: a Counter has total().",
        ),
        mistake(
            "the mean of the sentences' precisions",
            (
                "found += (own & limit).total() -> found += (own & limit).total() / max(own.total(), 1)",
                "there += own.total() -> there += 1",
            ),
            "Add up over the corpus, and divide once: a long sentence counts for more.",
        ),
        mistake(
            "the mean of the precisions of sentences long enough",
            (
                "found += (own & limit).total() -> found += (own & limit).total() / max(own.total(), 1)",
                "there += own.total() -> there += own.total() > 0",
            ),
            "Add up over the corpus, and divide once: a long sentence counts for more.",
        ),
        mistake(
            "sentences laid end to end",
            laid_end_to_end,
            "Where one sentence ends and the next begins there is no n-gram.",
        ),
        mistake(
            "divided by what the references have",
            "there += own.total() -> there += limit.total()",
            "Precision asks of what the system wrote; what the references have would be recall.",
        ),
        mistake(
            "words glued together",
            'tuple(tokens[i : i + n]) -> "".join(tokens[i : i + n])',
            '"a" and "bc" give the same as "ab" and "c": keep the words apart, in a tuple.',
        ),
        mistake(
            "the order of the words does not count",
            "tuple(tokens[i : i + n]) -> tuple(sorted(tokens[i : i + n]))",
            'An n-gram is its words in their order: "a b" is not "b a".',
        ),
        mistake(
            "capitals made small",
            "tuple(tokens[i : i + n]) -> tuple(word.lower() for word in tokens[i : i + n])",
            "BLEU takes the words as they are: Night is not night.",
        ),
        mistake(
            "the last n-gram left out",
            "len(tokens) - n + 1 -> len(tokens) - n",
            "In a sentence of three words, how many pairs stand next to each other?",
        ),
        mistake(
            "pieces shorter than n at the end",
            "range(len(tokens) - n + 1) -> range(len(tokens))",
            "The last n-gram begins n - 1 words before the end.",
        ),
        mistake(
            "a count that goes below zero",
            "there += own.total() -> there += len(hyp) - n + 1",
            "A sentence shorter than n has no n-gram: 0, not less.",
        ),
        mistake(
            "n-grams of all lengths up to n",
            "return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)) -> "
            "return Counter(tuple(tokens[i : i + m]) for m in range(1, n + 1) for i in "
            "range(len(tokens) - m + 1))",
            "Only n words in a row: the other lengths have a precision of their own.",
        ),
        mistake(
            "letters instead of words",
            'return Counter( -> tokens = " ".join(tokens)\nreturn Counter(',
            "A sentence is a list of words: its n-grams are n words in a row.",
        ),
        mistake(
            "1 where there is nothing to count",
            "return found / there if there else 0.0 -> return found / there if there else 1.0",
            "Nothing found is 0, as the task says.",
        ),
        mistake(
            "counted in per cent",
            "return found / there if there else 0.0 -> return 100 * found / there if there else 0.0",
            "A share is wanted, from 0 to 1.",
        ),
        mistake(
            "divided by the first reference's n-grams",
            "there += own.total() -> there += grams(refs[k][0]).total()",
            "Precision asks of what the system wrote; what the references have would be recall.",
        ),
        mistake(
            "divided by all references' n-grams",
            "there += own.total() -> there += sum(grams(ref).total() for ref in refs[k])",
            "Precision asks of what the system wrote; what the references have would be recall.",
        ),
        mistake(
            "the whole corpus in one bag",
            (
                "found = there = 0 -> found = there = 0\nmine, theirs = Counter(), Counter()",
                "found += (own & limit).total() -> mine += own\ntheirs += limit",
                "return found / there if there else 0.0 -> return (mine & theirs).total() / there "
                "if there else 0.0",
            ),
            "What one sentence has too often, another may not use: clip within each sentence, then add up.",
        ),
        mistake(
            "the references of a sentence as one text",
            "for ref in refs[k]: -> for ref in [[word for one in refs[k] for word in one]]:",
            "The references are other ways to say it, not one long text: of their counts the "
            "largest one is allowed.",
        ),
        mistake(
            "divided by the longest reference's n-grams",
            "there += own.total() -> there += max(grams(ref).total() for ref in refs[k])",
            "Precision asks of what the system wrote; what the references have would be recall.",
        ),
    ),
    hints=(
        "collections.Counter(tuple(tokens[i : i + n]) for i in ...) counts the n-grams of one sentence.",
        "For two Counters a and b, a | b takes the larger count of each key, a & b the smaller one.",
        "Two sums over all sentences, what was found and what is there; one division at the end.",
    ),
)
