"""BLEU of a corpus, without smoothing: the counts are added up before anything is divided."""

import math
from collections import Counter

import numpy as np

from fmkit.lab.exercises.measuring._inputs import near, sentence, some_words
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n_sentences, length, n_refs, max_n, size=4, change=0.3):
        words = some_words(rng, size)
        refs, hyps = [], []
        for _ in range(n_sentences):
            base = sentence(rng, words, length + int(rng.integers(4)))
            refs.append([near(rng, base, words, 0.4) or base for _ in range(n_refs)])
            hyps.append(near(rng, base, words, change) or base)
        hyps[0] = refs[0][0][:length]  # something of every length is found
        return hyps, refs, max_n

    one = ["the", "cat", "sat", "on", "the", "mat"]
    example = [["the", "cat", "sat", "on", "a", "mat"], ["hello"]], [[one], [["hello", "there"]]]
    garbage = [["x", "y", "the", "z", "cat"], ["y", "y", "y"]], [[one], [["hello", "there", "you"]]]
    pairs_only = [["the", "cat", "on", "the"], ["b", "x", "b"]], [[one], [["a", "b", "c"]]]
    tie = (
        [["a", "b", "c", "d"], ["a", "b"]],
        [[["a", "b", "c", "d", "e"], ["a", "b", "c"]], [["a", "b", "c", "d"]]],
    )
    far = [["a", "b", "c", "d", "e"]], [[["a", "b", "c"], ["a", "b", "c", "d", "e", "f", "g"], ["d", "e"]]]
    ends = [["a", "b", "c", "d"]], [[["a"], ["x", "a", "b", "c", "d"]]]
    short = (
        [["a", "b", "c"], ["d", "e", "f"]],
        [[["a", "b", "c", "x", "y"]], [["d", "e", "f", "g", "h", "i"]]],
    )
    long = [["a", "b", "c", "d", "e", "f"], ["g", "h"]], [[["a", "b", "c"]], [["g", "h", "i"]]]
    stutter = (
        [["a", "a", "a", "b", "a"], ["c", "d"]],
        [[["a", "b", "a", "x"], ["b", "a", "a"]], [["c", "d", "d"]]],
    )
    one_is_lost = [["a", "b", "c", "d"], ["x", "y", "z"]], [[["a", "b", "c", "d"]], [["p", "q", "r", "s"]]]
    never_long = [["a", "b"], ["c"]], [[["a", "b"]], [["c", "d"]]]  # no n-gram of 3 anywhere
    glued = [["ab", "c", "d"], ["x", "a", "bc"]], [[["a", "bc", "d"]], [["x", "ab", "c", "y"]]]
    return [
        (*example, 2),
        (*example, 4),
        (*garbage, 4),
        (*pairs_only, 3),
        (*tie, 2),
        (*far, 2),
        (*ends, 2),
        (*short, 3),
        (*long, 2),
        (*stutter, 2),
        (*one_is_lost, 3),
        (*never_long, 3),
        ([["a"]], [[["a", "b"]]], 1),
        ([["a", "b"]], [[["a", "b", "c"]]], 1),
        ([[], []], [[["a"]], [["b", "c"]]], 2),
        (*glued, 2),
        ([[], ["a", "b", "c"]], [[["a"]], [["a", "b", "c"]]], 2),
        case(4, 9, 2, 3),
        case(3, 12, 1, 4, size=3),
        case(6, 8, 3, 2),
        case(3, 10, 2, 1, change=0.6),
        case(4, 14, 2, 5, size=2, change=0.15),
    ]


def corpus_bleu(hyps, refs, max_n):
    def grams(tokens, n):
        return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))

    found, there = np.zeros(max_n), np.zeros(max_n)
    length = closest = 0
    for k, hyp in enumerate(hyps):
        length += len(hyp)
        distances = [(abs(len(ref) - len(hyp)), len(ref)) for ref in refs[k]]
        closest += min(distances)[1]  # of two as close the shorter
        for n in range(1, max_n + 1):
            limit, own = Counter(), grams(hyp, n)
            for ref in refs[k]:
                limit |= grams(ref, n)
            found[n - 1] += (own & limit).total()
            there[n - 1] += own.total()
    if not found.all():
        return 0.0
    penalty = min(1.0, math.exp(1 - closest / length))
    return float(100 * penalty * np.exp(np.log(found / there).mean()))


def plain(hyps, refs, max_n):
    product = 1.0
    for n in range(1, max_n + 1):
        found = there = 0
        for hyp, several in zip(hyps, refs, strict=True):
            own, *theirs = [[tuple(t[i : i + n]) for i in range(len(t) - n + 1)] for t in (hyp, *several)]
            found += sum(min(own.count(g), max(ref.count(g) for ref in theirs)) for g in set(own))
            there += len(own)
        product *= found / max(there, 1)
    length = sum(len(hyp) for hyp in hyps)
    wanted = 0
    for hyp, several in zip(hyps, refs, strict=True):
        lengths = sorted(len(ref) for ref in several)
        wanted += min(lengths, key=lambda m: abs(m - len(hyp)))  # the first of those as close is the shortest
    short = math.exp(1 - wanted / length) if 0 < length < wanted else 1.0
    return 100 * short * product ** (1 / max_n)


def rows(hyps, refs, max_n):
    def counted(hyp, several):
        row = []
        for n in range(1, max_n + 1):
            own, *theirs = [Counter(zip(*(t[i:] for i in range(n)), strict=False)) for t in (hyp, *several)]
            row += [sum(min(c, max(ref[g] for ref in theirs)) for g, c in own.items()), sum(own.values())]
        near = sorted(several, key=lambda ref: (abs(len(ref) - len(hyp)), len(ref)))[0]
        return [*row, len(hyp), len(near)]

    total = np.array([counted(*pair) for pair in zip(hyps, refs, strict=True)]).sum(0)
    found, there = total[:-2:2], total[1:-2:2]
    if found.min() == 0:
        return 0.0
    logs = sum(math.log(f) - math.log(t) for f, t in zip(found, there, strict=True)) / max_n
    return 100 * math.exp(logs + min(0.0, 1 - total[-1] / total[-2]))


def sentence_by_sentence(hyps, refs, max_n):
    return sum(corpus_bleu([hyp], [several], max_n) for hyp, several in zip(hyps, refs, strict=True)) / len(
        hyps
    )


PENALTY = "penalty = min(1.0, math.exp(1 - closest / length))"

EXERCISE = Exercise(
    title="BLEU of a corpus",
    points=3,
    minutes=25,
    difficulty=3,
    cases=cases,
    reference=corpus_bleu,
    alternatives=(plain, rows),
    equal=(
        (
            "found[1 - n] += (own & limit).total()",
            "the mean of the logs does not ask in which order the lengths stand",
        ),
        (
            "there[1 - n] += own.total()",
            "the mean of the logs does not ask in which order the lengths stand",
        ),
        (
            "found[n - 2] += (own & limit).total()",
            "the mean of the logs does not ask in which order the lengths stand",
        ),
        (
            "there[n - 2] += own.total()",
            "the mean of the logs does not ask in which order the lengths stand",
        ),
        (
            "distances = [(abs(len(hyp) - len(ref)), len(ref)) for ref in refs[k]]",
            "a distance has no sign",
        ),
        (
            "penalty = min(math.exp(1 - closest / length), 1.0)",
            "the smaller of two, either way",
        ),
        (
            "product *= found / max(1, there)",
            "the larger of two, either way",
        ),
        (
            "found += sum((min(max((ref.count(g) for ref in theirs)), own.count(g)) for g in set(own)))",
            "the smaller of two, either way",
        ),
        (
            "wanted += min(lengths, key=lambda m: abs(len(hyp) - m))",
            "a distance has no sign",
        ),
    ),
    teaches=(
        "textmetrics.bleu_counts",
        "textmetrics.bleu",
        "textmetrics.corpus_bleu",
        "textmetrics.sentence_bleu",
    ),
    mistakes=(
        mistake(
            "the mean of the sentences' BLEU",
            sentence_by_sentence,
            "The counts are added up over the corpus, then divided: a mean of sentence scores is "
            "another number.",
        ),
        mistake(
            "lengths of which nothing is found are left out",
            (
                "if not found.all(): -> if not found.any():",
                "found / there -> found[found > 0] / there[found > 0]",
            ),
            "Garbage gets a fine score that way: what is never found makes BLEU 0.",
        ),
        mistake(
            "lengths of which nothing is found count as found",
            (
                "if not found.all(): -> if not found.any():",
                "np.log(found / there).mean() -> np.log(found[found > 0] / there[found > 0]).sum() / max_n",
            ),
            "Garbage gets a fine score that way: what is never found makes BLEU 0.",
        ),
        mistake(
            "lengths that no sentence has are left out",
            (
                "if not found.all(): -> if not found[there > 0].all():",
                "found / there -> found[there > 0] / there[there > 0]",
            ),
            "Where no sentence is long enough nothing was found either: the task says 0.",
        ),
        mistake(
            "one added to every count",
            (
                "if not found.all(): -> if not found.any():",
                "found / there -> (found + 1) / (there + 1)",
            ),
            "No smoothing is asked for: what is never found makes BLEU 0.",
        ),
        mistake(
            "a small number instead of nothing found",
            (
                "if not found.all(): -> if not found.any():",
                "found / there -> np.maximum(found, 0.1) / np.maximum(there, 1)",
            ),
            "No smoothing is asked for: what is never found makes BLEU 0.",
        ),
        *(
            mistake(
                f"{eps} instead of nothing found",
                (
                    "if not found.all(): -> if not length:",
                    f"found / there -> np.maximum(found / np.maximum(there, 1), {eps})",
                ),
                "No smoothing is asked for: what is never found makes BLEU 0.",
            )
            for eps in ("1e-6", "1e-7", "1e-8", "1e-9", "1e-10", "1e-12", "1e-16")
        ),
        mistake(
            "at most four lengths",
            "found, there = np.zeros(max_n), np.zeros(max_n) -> max_n = min(max_n, 4)\n"
            "found, there = np.zeros(max_n), np.zeros(max_n)",
            "max_n is an argument: 4 is only the usual one.",
        ),
        mistake(
            "the shortest reference",
            "closest += min(len(ref) for ref in refs[k])",
            "The penalty asks for the reference whose length is closest to the system's.",
        ),
        mistake(
            "the longest reference",
            "closest += max(len(ref) for ref in refs[k])",
            "The penalty asks for the reference whose length is closest to the system's.",
        ),
        mistake(
            "the mean length of the references",
            "closest += sum(len(ref) for ref in refs[k]) / len(refs[k])",
            "The penalty asks for the reference whose length is closest to the system's.",
        ),
        mistake(
            "the first reference's length",
            "closest += len(refs[k][0])",
            "The penalty asks for the reference whose length is closest to the system's.",
        ),
        mistake(
            "of two as close the longer one",
            "closest += -min((abs(len(ref) - len(hyp)), -len(ref)) for ref in refs[k])[1]",
            "Of two references that are as close, the shorter one counts.",
        ),
        mistake(
            "of two as close the first one",
            "closest += min((len(ref) for ref in refs[k]), key=lambda m: abs(m - len(hyp)))",
            "Of two references that are as close, the shorter one counts, wherever it stands.",
        ),
        mistake(
            "the penalty upside down",
            "penalty = min(1.0, math.exp(1 - length / closest))",
            "Who is too short pays, not who is too long.",
        ),
        mistake(
            "the penalty also rewards length",
            "penalty = math.exp(1 - closest / length)",
            "The penalty never exceeds 1: who is longer than the reference gets nothing for it.",
        ),
        mistake(
            "no penalty",
            "penalty = 1.0",
            "One right word alone would have a perfect precision: who is too short pays.",
        ),
        mistake(
            "the ratio of the lengths as penalty",
            "penalty = min(1.0, length / closest)",
            "The penalty is e to the power 1 minus the ratio of the lengths.",
        ),
        mistake(
            "a penalty for each sentence",
            "closest += max(min(distances)[1], len(hyp))",
            "The lengths are added up over the corpus: a long sentence makes up for a short one.",
        ),
        mistake(
            "the plain mean of the precisions",
            "np.exp(np.log(found / there).mean()) -> (found / there).mean()",
            "The mean is the geometric one: the logs are averaged.",
        ),
        mistake(
            "the product without its root",
            "np.exp(np.log(found / there).mean()) -> np.prod(found / there)",
            "After multiplying, take the root: the logs are averaged, not added.",
        ),
        mistake(
            "always the fourth root",
            "np.log(found / there).mean() -> np.log(found / there).sum() / 4",
            "max_n is an argument: 4 is only the usual one.",
        ),
        mistake(
            "the longest n-grams only",
            "np.exp(np.log(found / there).mean()) -> found[-1] / there[-1]",
            "All lengths from 1 to max_n take part.",
        ),
        mistake(
            "the longest n-grams left out",
            (
                "if not found.all(): -> found, there = found[: max(max_n - 1, 1)], there[: "
                "max(max_n - 1, 1)]\n"
                "if not found.all():"
            ),
            "n goes from 1 to max_n: what is range's last number?",
        ),
        mistake(
            "not clipped",
            "found[n - 1] += (own & limit).total() -> found[n - 1] += sum(own[g] for g in own if g in limit)",
            'A system that writes "the the the" is not right three times: count at most as many as allowed.',
        ),
        mistake(
            "allowed as often as all references together have it",
            "limit |= grams(ref, n) -> limit += grams(ref, n)",
            "An n-gram is allowed as often as the one reference has it that has it most.",
        ),
        mistake(
            "the first reference only",
            "for ref in refs[k]:\n -> for ref in refs[k][:1]:\n",
            "Any of the references may have the n-gram.",
        ),
        mistake(
            "divided by what the references have",
            "there[n - 1] += own.total() -> there[n - 1] += limit.total()",
            "Precision asks of what the system wrote.",
        ),
        mistake(
            "words glued together",
            'tuple(tokens[i : i + n]) -> "".join(tokens[i : i + n])',
            '"a" and "bc" give the same as "ab" and "c": keep the words apart, in a tuple.',
        ),
        mistake(
            "from 0 to 1",
            "return float(100 * penalty -> return float(penalty",
            "BLEU is given from 0 to 100.",
        ),
        mistake(
            "every precision pays the penalty",
            "return float(100 * penalty * -> return float(100 * penalty**max_n *",
            "The penalty multiplies the score once.",
        ),
        mistake(
            "the penalty under the root",
            "return float(100 * penalty * -> return float(100 * penalty ** (1 / max_n) *",
            "The penalty multiplies the score, after the root was taken.",
        ),
        mistake(
            "the mean of penalties of the sentences",
            "penalty = np.mean([min(1.0, math.exp(1 - min((abs(len(r) - len(h)), len(r)) for r in "
            "refs[k])[1] / max(len(h), 1))) for k, h in enumerate(hyps)])",
            "The lengths are added up over the corpus, and there is one penalty: a long sentence "
            "makes up for a short one.",
        ),
        mistake(
            "single words only",
            "np.exp(np.log(found / there).mean()) -> found[0] / there[0]",
            "All lengths from 1 to max_n take part.",
        ),
    ),
    hints=(
        "For every length n keep two sums over all sentences: what was found (clipped), and what is there.",
        "min over pairs (distance, length) finds the closest length, and of two as close the shorter.",
        "np.exp(np.log(found / there).mean()) is the geometric mean; first look whether one is 0.",
    ),
)
