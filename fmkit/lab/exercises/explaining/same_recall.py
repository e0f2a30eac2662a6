"""Thresholds by group, with a coin at the threshold, so that all groups have the same recall."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, groups, recall, levels=5):
        group = np.resize(np.arange(groups), n)
        score = rng.integers(1, levels + 1, n).astype(np.float64)
        target = (rng.random(n) < score / (levels + 1)).astype(int)
        target[: 2 * groups], target[2 * groups : 3 * groups] = 1, 0
        score[:groups], score[groups : 2 * groups] = levels, 1.0  # every group has ones at both ends ...
        score[2 * groups : 3 * groups] = levels  # ... and a zero on top
        order = rng.permutation(n)
        return score[order], target[order], group[order], recall

    score = np.array([3.0, 2.0, 2.0, 1.0, 3.0, 2.0, 1.0, 1.0])
    example = score, np.array([1, 1, 1, 0, 1, 0, 1, 0]), np.repeat([0, 1], 4), 0.5
    tied = np.full(8, 2.0), np.array([1, 1, 0, 0, 0, 1, 1, 1]), np.array([0, 1, 0, 1, 0, 1, 0, 1]), 0.3
    finer = rng.permutation(12) / 4, np.resize([1, 1, 0], 12), np.repeat([0, 1], 6), 0.6
    # between the ones of a group lie zeros of other scores, and the other group's threshold is elsewhere
    apart = (
        np.array([9.0, 7.0, 8.0, 1.0, 3.0, 2.0, 4.0, 0.0]),
        np.array([1, 1, 0, 0, 1, 1, 0, 0]),
        np.repeat([0, 1], 4),
        0.75,
    )
    return [
        example,
        tied,
        finer,
        apart,
        case(12, 2, 1.0),
        case(14, 2, 0.25),
        case(30, 3, 0.7),
        case(40, 2, 0.45, 10),
        case(20, 4, 0.5),
        case(11, 1, 0.8),
        as_float32(case(24, 2, 0.6)),
    ]


def same_recall(score, target, group, recall):
    p = np.zeros_like(score)
    for g in np.unique(group):
        here = group == g
        ones = score[here & (target == 1)]
        wanted = recall * len(ones)
        for t in np.unique(ones)[::-1]:
            above, at = (ones > t).sum(), (ones == t).sum()
            if above + at >= wanted:
                break
        coin = (wanted - above) / at
        p[here] = (score[here] > t) + coin * (score[here] == t)
    return p


def sorted_ones(score, target, group, recall):
    p = np.empty(len(score), score.dtype)
    for g in np.unique(group):
        here = group == g
        ones = sorted(score[here & (target > 0)].tolist(), reverse=True)
        wanted = recall * len(ones)
        t = ones[int(np.ceil(wanted)) - 1]
        coin = (wanted - sum(s > t for s in ones)) / ones.count(t)
        p[here] = np.where(score[here] == t, coin, score[here] > t)
    return p


def cumulated(score, target, group, recall):
    p = np.empty_like(score)
    for g in np.unique(group):
        inside = group == g
        levels = np.unique(score[inside & (target == 1)])
        count = np.array([(score[inside & (target == 1)] == t).sum() for t in levels])
        above = count[::-1].cumsum()[::-1] - count
        share = (recall * count.sum() - above) / count  # of those at each level: more than 1 is all
        last = np.flatnonzero(share > 0)[0]
        p[inside] = np.select(
            [score[inside] > levels[last], score[inside] == levels[last]], [1.0, share[last]]
        )
    return p


def first_come(score, target, group, recall):
    p = np.zeros_like(score)
    for g in np.unique(group):
        here = np.flatnonzero(group == g)
        wanted = recall * target[here].sum()
        for i in here[np.argsort(-score[here], kind="stable")]:
            if wanted <= 0:
                break
            p[i] = min(1, wanted) if target[i] else 1
            wanted -= target[i]
    return p


EXERCISE = Exercise(
    title="The same recall for everybody",
    points=3,
    minutes=20,
    difficulty=4,
    tolerance=1e-4,
    cases=cases,
    teaches=("fairness.equalised_odds",),
    reference=same_recall,
    alternatives=(sorted_ones, cumulated),
    equal=(
        ("p = np.ones_like(score)", "every place is written"),
        ("ones = score[here & (target >= 1)]", "a target is 0 or 1"),
        ("p[here] = np.where(score[here] == t, coin, score[here] >= t)", "at the threshold stands the coin"),
    ),
    mistakes=(
        mistake(
            "one threshold for all groups",
            "ones = score[target == 1]",
            "The scores of the groups are not alike: each needs its own threshold.",
        ),
        mistake(
            "no coin: all at the threshold are called",
            "coin = 1",
            "With all at the threshold the recall is too high: only some of them, by a coin.",
        ),
        mistake(
            "no coin: none at the threshold is called",
            "coin = 0",
            "Without those at the threshold the recall is too low: some of them, by a coin.",
        ),
        mistake(
            "the coin upside down",
            "coin = 1 - (wanted - above) / at",
            "How many of those at the threshold are still wanted? That share of them is called.",
        ),
        mistake(
            "the coin's share of all ones, not of those at the threshold",
            "/ at -> / len(ones)",
            "The coin is tossed by those at the threshold only: divide by their number.",
        ),
        mistake(
            "the coin shared with the zeros at the threshold",
            "/ at -> / (score[here] == t).sum()",
            "Recall counts ones. The zeros at the threshold toss the same coin, but they are not counted.",
        ),
        mistake(
            "looked at the labels when deciding",
            "p[here] = ((score[here] > t) + coin * (score[here] == t)) * (target[here] == 1)",
            "When the rule is used nobody knows the target yet: score and group alone decide.",
        ),
        mistake(
            "the same share of people, not of ones",
            "ones = score[here]",
            "That is demographic parity: here the share of those with target 1 is to be equal.",
        ),
        mistake(
            "the same share of zeros",
            "ones = score[here & (target == 0)]",
            "Recall is about those with target 1.",
        ),
        mistake(
            "called those with the lowest scores",
            (
                "for t in np.unique(ones):",
                "above, at = (ones < t).sum(), (ones == t).sum()",
                "score[here] > t -> score[here] < t",
            ),
            "A high score speaks for 1: begin at the top.",
        ),
        mistake(
            "went through the scores from below",
            "for t in np.unique(ones):",
            "The strictest threshold that suffices is the first one from above.",
        ),
        mistake(
            "a threshold too strict",
            "above + at >= wanted -> at >= wanted",
            "Those above the threshold are called, too: they count.",
        ),
        mistake(
            "stopped one threshold too late",
            "above + at >= wanted -> above >= wanted",
            "Those at the threshold can be called, too.",
        ),
        mistake(
            "the coin for everybody",
            "p[here] = recall",
            "Then the score says nothing: who has more than the threshold is called for sure.",
        ),
        mistake(
            "as many people as wanted, whatever the recall",
            "wanted = recall * len(score)",
            "The share is one of the group's own ones.",
        ),
        mistake(
            "rounded to whole people",
            "wanted = round(recall * len(ones))",
            "By the coin the recall comes out exactly, on average: do not round.",
        ),
        mistake(
            "a yes or no instead of a probability",
            "coin = float((wanted - above) / at >= 0.5)",
            "The probability itself is asked for, a half or a third, too.",
        ),
        mistake(
            "the recall itself for the coin",
            "coin = recall",
            "Those above the threshold are called for sure: the coin makes up only what is missing.",
        ),
        mistake(
            "rounded up to whole people",
            "wanted = np.ceil(recall * len(ones))",
            "By the coin the recall comes out exactly, on average: do not round.",
        ),
        mistake(
            "the coin shared with those above the threshold",
            "coin = wanted / (above + at)",
            "Those above are called already: the coin is what is still wanted, over those at the threshold.",
        ),
        mistake(
            "the coin for those below the threshold, too",
            "score[here] == t -> score[here] <= t",
            "Below the threshold nobody is called.",
        ),
        mistake(
            "everybody from a quantile on",
            "p[here] = score[here] >= np.quantile(ones, 1 - recall)",
            "A threshold alone calls too many where scores are tied: those at it toss a coin.",
        ),
        mistake(
            "of equal scores the first are called",
            first_come,
            "Two people of one group with the same score get the same probability, wherever they stand.",
        ),
    ),
    hints=(
        "For one group: walk through the scores of its ones, from the highest down, until enough are called.",
        "At that score t: `above` ones have more, `at` ones have exactly t. The coin: (wanted - above) / at.",
        "p is 1 above t, the coin at t, and 0 below, for everybody of the group, whatever the target.",
    ),
)
