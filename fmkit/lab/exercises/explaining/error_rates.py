"""False positive and false negative rates by group, and the largest gap."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, groups, p=0.5):
        group = np.resize(np.arange(groups), n)
        target, guess = (rng.random(n) < p).astype(int), (rng.random(n) < 0.6).astype(int)
        target[:groups], target[groups : 2 * groups] = 0, 1  # everybody has both
        order = rng.permutation(n)
        return target[order], guess[order], group[order], groups

    example = np.array([0, 0, 1, 1, 1, 0]), np.array([1, 0, 1, 0, 1, 0]), np.array([0, 0, 0, 1, 1, 1]), 2
    no_zero = np.array([0, 1, 1, 1, 0]), np.array([1, 0, 1, 0, 0]), np.array([0, 0, 1, 1, 2]), 3
    absent = np.array([0, 1, 0, 1]), np.array([1, 1, 0, 1]), np.array([0, 0, 2, 2]), 3
    last = np.array([0, 1, 0, 1]), np.array([1, 1, 0, 0]), np.array([0, 0, 1, 1]), 4
    perfect = np.array([0, 1, 0, 1]), np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]), 2
    lone = case(7, 1)
    wide = (
        np.array([0, 0, 1, 1, 1, 1] * 2),
        np.array([1, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1]),
        np.repeat([0, 1], 6),
        2,
    )
    return [
        example,
        no_zero,
        absent,
        last,
        perfect,
        lone,
        wide,
        case(12, 2),
        case(30, 3, 0.3),
        case(60, 5, 0.7),
        case(40, 4, 0.2),
    ]


def error_rates(target, guess, group, n_groups):
    fpr, fnr = np.full(n_groups, np.nan), np.full(n_groups, np.nan)
    for g in range(n_groups):
        no, yes = (group == g) & (target == 0), (group == g) & (target == 1)
        if no.any():
            fpr[g] = guess[no].mean()
        if yes.any():
            fnr[g] = 1 - guess[yes].mean()
    gap = max(np.nanmax(fpr) - np.nanmin(fpr), np.nanmax(fnr) - np.nanmin(fnr))
    return fpr, fnr, float(gap)


def table(target, guess, group, n_groups):
    cells = np.bincount(4 * group + 2 * target + guess, minlength=4 * n_groups).reshape(n_groups, 2, 2)
    with np.errstate(invalid="ignore"):
        fpr, tpr = (cells[:, :, 1] / cells.sum(axis=2)).T
    gaps = [np.nanmax(rate) - np.nanmin(rate) for rate in (fpr, tpr)]
    return fpr, 1 - tpr, float(np.max(gaps))


def loop(target, guess, group, n_groups):
    counts = [[0, 0, 0, 0] for _ in range(n_groups)]  # of target 0: wrong, all; of target 1: wrong, all
    for t, y, g in zip(target.tolist(), guess.tolist(), group.tolist(), strict=True):
        counts[g][2 * t] += t != y
        counts[g][2 * t + 1] += 1
    fpr = [c[0] / c[1] if c[1] else float("nan") for c in counts]
    fnr = [c[2] / c[3] if c[3] else float("nan") for c in counts]
    spans = []
    for rates in (fpr, fnr):
        known = [r for r in rates if r == r]
        spans.append(max(known) - min(known))
    return np.array(fpr), np.array(fnr), max(spans)


EXERCISE = Exercise(
    title="Error rates by group",
    points=3,
    minutes=12,
    difficulty=2,
    cases=cases,
    teaches=("fairness.group_rates", "fairness.largest_gap"),
    reference=error_rates,
    alternatives=(table, loop),
    equal=(
        ("for g in range(n_groups + 1):", "nobody has that number"),
        ("if True:", "the mean of nobody is NaN, too"),
        ("no, yes = ((group == g) & (target == 0), (group == g) & (target >= 1))", "a target is 0 or 1"),
        (
            "gap = max(np.nanmax(fnr) - np.nanmin(fnr), np.nanmax(fpr) - np.nanmin(fpr))",
            "the larger of two in any order",
        ),
        ("with np.errstate():", "it only keeps NumPy quiet"),
        ("fpr, tpr = (cells[:, :, 1] / cells.sum(axis=-1)).T", "of two axes 1 is the last"),
    ),
    mistakes=(
        mistake(
            "false alarms among the alarms, not among the zeros",
            "fpr[g] = 1 - target[(group == g) & (guess == 1)].mean() if guess[group == g].any() else 0.0",
            "The false positive rate asks those whose target is 0: how many of them were called 1?",
        ),
        mistake(
            "false positives over the whole group",
            "fpr[g] = (guess[group == g] > target[group == g]).mean()",
            "Only those with target 0 can be false positives: divide by their number.",
        ),
        mistake(
            "false negatives over the whole group",
            "fnr[g] = (guess[group == g] < target[group == g]).mean()",
            "Only those with target 1 can be false negatives: divide by their number.",
        ),
        mistake(
            "divided by the zeros of all groups",
            "fpr[g] = guess[no].sum() / (target == 0).sum()",
            "Each group is compared with itself: divide by its own zeros.",
        ),
        mistake(
            "0 where a rate cannot be known",
            "fpr, fnr = np.zeros(n_groups), np.zeros(n_groups)",
            "Of a group without such people nothing is known: NaN, and it takes no part in the gap.",
        ),
        mistake(
            "the rates exchanged",
            "return fnr, fpr, float(gap)",
            "False positives have target 0, false negatives have target 1.",
        ),
        mistake(
            "the true positive rate for the false negative one",
            "1 - guess[yes].mean() -> guess[yes].mean()",
            "A false negative was called 0 though its target is 1.",
        ),
        mistake(
            "the true negative rate for the false positive one",
            "fpr[g] = 1 - guess[no].mean()",
            "A false positive was called 1 though its target is 0.",
        ),
        mistake(
            "NaN gap as soon as one group lacks a rate",
            "gap = max(fpr.max() - fpr.min(), fnr.max() - fnr.min())",
            "The gap is among the groups that have the rate: `np.nanmax` passes over the others.",
        ),
        mistake(
            "the gap of the false positive rates only",
            "gap = np.nanmax(fpr) - np.nanmin(fpr)",
            "Two rates, two gaps: the larger one counts.",
        ),
        mistake(
            "the gap of the false negative rates only",
            "gap = np.nanmax(fnr) - np.nanmin(fnr)",
            "Two rates, two gaps: the larger one counts.",
        ),
        mistake(
            "the smaller of the two gaps",
            "gap = max( -> gap = min(",
            "The worse of the two gaps counts.",
        ),
        mistake(
            "the two gaps added up",
            "gap = np.nanmax(fpr) - np.nanmin(fpr) + np.nanmax(fnr) - np.nanmin(fnr)",
            "The larger of the two gaps is asked for, not their sum.",
        ),
        mistake(
            "the first group against the last",
            "gap = max(abs(fpr[0] - fpr[-1]), abs(fnr[0] - fnr[-1]))",
            "Of several groups the highest and the lowest rate are compared.",
        ),
        mistake(
            "as many groups as occur, not n_groups",
            "fpr, fnr = np.full(group.max() + 1, np.nan), np.full(group.max() + 1, np.nan)\n"
            "n_groups = group.max() + 1",
            "A group may have nobody: it still has its place, with NaN.",
        ),
        mistake(
            "both over the whole group",
            (
                "fpr[g] = (guess[group == g] > target[group == g]).mean()",
                "fnr[g] = (guess[group == g] < target[group == g]).mean()",
            ),
            "Those with target 0 divide the false positives, those with target 1 the false "
            "negatives: not everybody.",
        ),
        mistake(
            "both over the whole group, whoever is in it",
            (
                "if no.any(): -> if (group == g).any():",
                "if yes.any(): -> if (group == g).any():",
                "fpr[g] = (guess[group == g] > target[group == g]).mean()",
                "fnr[g] = (guess[group == g] < target[group == g]).mean()",
            ),
            "Those with target 0 divide the false positives, those with target 1 the false "
            "negatives: not everybody.",
        ),
        mistake(
            "the share of errors for either rate",
            (
                "fpr[g] = (guess[group == g] != target[group == g]).mean()",
                "fnr[g] = (guess[group == g] != target[group == g]).mean()",
            ),
            "One rate is about those with target 0, the other about those with target 1.",
        ),
        mistake(
            "one gap over both rates together",
            "gap = np.nanmax([fpr, fnr]) - np.nanmin([fpr, fnr])",
            "An FPR is compared with FPRs only: two gaps, and the larger one counts.",
        ),
        mistake(
            "a group without one rate left out of the other gap, too",
            "gap = max(np.nanmax(fpr + 0 * fnr) - np.nanmin(fpr + 0 * fnr), np.nanmax(fnr + "
            "0 * fpr) - np.nanmin(fnr + 0 * fpr))",
            "A group that lacks one rate may still have the other: it counts there.",
        ),
        mistake(
            "the first group against the second",
            "gap = max(abs(fpr[0] - fpr[min(1, n_groups - 1)]), abs(fnr[0] - fnr[min(1, n_groups - 1)]))",
            "Of several groups the highest and the lowest rate are compared.",
        ),
        mistake(
            "only the groups that occur",
            (
                "fpr, fnr = np.full(len(np.unique(group)), np.nan), np.full(len(np.unique(group)), np.nan)",
                "for g in range(n_groups): -> for g, k in enumerate(np.unique(group)):",
                (
                    "(group == g) & (target == 0), (group == g) & (target == 1) -> (group == k) "
                    "& (target == 0), (group == k) & (target == 1)"
                ),
            ),
            "A group may have nobody: it still has its place, with NaN.",
        ),
        mistake(
            "divided by those who are called, not by those who are",
            (
                "no, yes = (group == g) & (guess == 1), (group == g) & (guess == 0)",
                "fpr[g] = 1 - target[no].mean()",
                "fnr[g] = target[yes].mean()",
            ),
            "FPR asks of those with target 0, FNR of those with target 1: their numbers divide.",
        ),
    ),
    hints=(
        "The FPR of a group: the mean guess of those of its people whose target is 0.",
        "Begin with NaN everywhere, and fill in what there is somebody for.",
        "np.nanmax and np.nanmin pass over NaN.",
    ),
)
