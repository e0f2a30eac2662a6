"""Is it really better? A paired bootstrap interval of the difference of two accuracies."""

from statistics import NormalDist  # noqa: F401 - a mistake uses it

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, draws, level, share):
        right_b = rng.random(n) < 0.7
        right_a = np.where(rng.random(n) < share, right_b, rng.random(n) < 0.85)  # they err alike
        return right_a, right_b, rng.integers(0, n, (draws, n)), level

    right_b = rng.random(50) < 0.7
    even = np.roll(right_b, 7), right_b, rng.integers(0, 50, (200, 50)), 0.9  # neither is better

    def by_hand(right_a, right_b, draws, level):
        return np.array(right_a, bool), np.array(right_b, bool), np.array(draws), level

    worse = case(40, 120, 0.9, 0.5)
    return [
        by_hand([1, 1], [1, 0], [[0, 0], [0, 1], [1, 1]], 0.5),
        by_hand([1, 0], [0, 1], [[0, 0], [0, 1], [0, 0], [1, 1]], 0.8),  # a wins, b wins
        by_hand([0, 0, 1], [1, 0, 1], [[0, 0, 1], [1, 2, 2]], 0.9),  # a is worse
        by_hand([1, 1, 1], [1, 0, 0], [[1, 2, 2], [0, 0, 0], [0, 1, 2], [0, 0, 1]], 0.5),  # 0, 1/3, 2/3 and 1
        even,
        (worse[1], worse[0], *worse[2:]),
        case(50, 150, 0.9, 0.6),
        case(31, 80, 0.95, 0.8),
        case(20, 41, 0.5, 0.3),
        case(60, 100, 0.8, 0.5),
    ]


def paired_interval(right_a, right_b, draws, level):
    difference = right_a.astype(np.float64) - right_b  # of each text: 1, 0 or -1
    means = difference[draws].mean(1)  # (R,): one for each imagined test set
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def two_scores(right_a, right_b, draws, level):
    gaps = right_a[draws].mean(1) - right_b[draws].mean(1)
    return tuple(float(np.percentile(gaps, 50 + 50 * side * level)) for side in (-1, 1))


def loop(right_a, right_b, draws, level):
    gaps = []
    for rows in draws:
        a = sum(bool(right_a[i]) for i in rows) / len(rows)
        b = sum(bool(right_b[i]) for i in rows) / len(rows)
        gaps.append(a - b)
    gaps.sort()
    ends = []
    for share in ((1 - level) / 2, (1 + level) / 2):
        at = share * (len(gaps) - 1)
        i = min(int(at), len(gaps) - 2) if len(gaps) > 1 else 0
        j = min(i + 1, len(gaps) - 1)
        ends.append(gaps[i] + (at - i) * (gaps[j] - gaps[i]))
    return tuple(ends)


EXERCISE = Exercise(
    title="Is it really better?",
    points=3,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=paired_interval,
    alternatives=(two_scores, loop),
    mistakes=(
        mistake(
            "each model with draws of its own",
            "means = right_a[draws].mean(1) - right_b[draws[::-1]].mean(1)",
            "Both models answered the same texts: in one draw they must be scored on the same ones.",
        ),
        mistake(
            "model b with the next draw",
            "means = right_a[draws].mean(1) - right_b[np.roll(draws, 1, axis=0)].mean(1)",
            "Both models answered the same texts: in one draw they must be scored on the same ones.",
        ),
        mistake(
            "draws of one's own",
            "means = difference[np.random.default_rng(0).integers(0, len(difference), draws.shape)].mean(1)",
            "The rows to draw are given: each row of draws is one imagined test set.",
        ),
        mistake(
            "model b on the real test, not on the draws",
            "means = right_a[draws].mean(1) - right_b.mean()",
            "In each draw both models are scored on its rows.",
        ),
        mistake(
            "an interval for each, then ends subtracted",
            (
                "means = difference[draws].mean(1) -> a, b = right_a[draws].mean(1), right_b[draws].mean(1)",
                "low, high = np.quantile(a, [tail, 1 - tail]) - np.quantile(b, [tail, 1 - tail])",
            ),
            "First the difference within each draw, then the quantiles.",
        ),
        mistake(
            "the widest gap between two intervals",
            (
                "means = difference[draws].mean(1) -> a, b = right_a[draws].mean(1), right_b[draws].mean(1)",
                "low, high = np.quantile(a, [tail, 1 - tail]) - np.quantile(b, [1 - tail, tail])",
            ),
            "Two intervals that overlap prove nothing: take the difference within each draw.",
        ),
        mistake(
            "b minus a",
            "difference = right_b.astype(np.float64) - right_a",
            "A better model a must give a positive difference.",
        ),
        mistake(
            "booleans subtracted",
            "difference = right_a - right_b",
            "NumPy does not subtract booleans: make numbers of them first.",
        ),
        mistake(
            "counts where the two disagree",
            "difference = (right_a != right_b).astype(np.float64)",
            "Which of the two was right there? Only then is it a difference, 1 or -1.",
        ),
        mistake(
            "bytes without a sign",
            "difference = right_a.astype(np.uint8) - right_b.astype(np.uint8)",
            "Without a sign 0 - 1 is 255: use floats, or integers with a sign.",
        ),
        mistake(
            "divided by the texts on which the two disagree",
            "means = difference[draws].sum(1) / np.maximum(np.abs(difference)[draws].sum(1), 1)",
            "An accuracy counts all N texts of a draw, also those on which the two agree.",
        ),
        mistake(
            "each text at most once in a draw",
            "means = np.array([difference[np.unique(rows)].mean() for rows in draws])",
            "A row that is drawn twice counts twice: that is what a bootstrap is.",
        ),
        mistake(
            "the interval of a alone",
            "means = right_a[draws].mean(1)",
            "The difference of the two models is asked for.",
        ),
        mistake(
            "the size of the difference without its sign",
            "means = np.abs(difference[draws].mean(1))",
            "With the sign gone no interval can hold zero.",
        ),
        mistake(
            "one tail for both",
            "tail = 1 - level",
            "What is left over is shared by two sides: (1 - level) / 2 at each.",
        ),
        mistake(
            "level fixed at 95 %",
            "tail = 0.025",
            "level is an argument: what is left out is 1 - level.",
        ),
        mistake(
            "level taken for what is left out",
            "tail = level / 2",
            "level is the share in the middle; what is left out is 1 - level.",
        ),
        mistake(
            "np.percentile with shares",
            "np.quantile -> np.percentile",
            "np.percentile wants 0 to 100; for shares there is np.quantile.",
        ),
        mistake(
            "an element of the sorted differences",
            (
                "low, high = np.quantile(means, [tail, 1 - tail]) -> cut = int(len(means) * tail)\n"
                "low, high = np.sort(means)[cut], np.sort(means)[len(means) - 1 - cut]"
            ),
            "np.quantile takes a place between two elements where the share falls between them.",
        ),
        mistake(
            "an element of the sorted differences, by the shares",
            "low, high = np.sort(means)[[int(len(means) * tail), int(len(means) * (1 - tail))]]",
            "np.quantile takes a place between two elements where the share falls between them.",
        ),
        mistake(
            "mirrored at the difference on the real test",
            "return float(low), float(high) -> both = 2 * difference.mean()\n"
            "return float(both - high), float(both - low)",
            "Here the quantiles of the differences are the interval itself.",
        ),
        mistake(
            "centred at the difference on the real test",
            "low, high = np.quantile(means, [tail, 1 - tail]) + difference.mean() - means.mean()",
            "Here the quantiles of the differences are the interval itself.",
        ),
        mistake(
            "a bell curve instead of the quantiles",
            "low, high = np.quantile(means, [tail, 1 - tail]) -> "
            "far = NormalDist().inv_cdf(1 - tail) * means.std()\n"
            "low, high = means.mean() - far, means.mean() + far",
            "That is right for a bell curve only: take quantiles.",
        ),
        mistake(
            "the difference on the real test twice, no draws",
            "low, high = difference.mean(), difference.mean()",
            "How far could it have come out otherwise? That is what the draws are for.",
        ),
        mistake(
            "lowest and highest draw",
            "low, high = means.min(), means.max()",
            "Extremes grow with the number of draws: take quantiles.",
        ),
        mistake(
            "1.96 standard deviations",
            "low, high = means.mean() - 1.96 * means.std(), means.mean() + 1.96 * means.std()",
            "That is for a bell curve, and for 95 % only: take quantiles.",
        ),
        mistake(
            "averaged over the draws, not over the texts",
            "means = difference[draws].mean(0)",
            "Each row of draws is one imagined test set: average within it.",
        ),
        mistake(
            "differences added, not averaged",
            "means = difference[draws].sum(1)",
            "An accuracy is a share: divide by the number of texts.",
        ),
        mistake(
            "in per cent",
            "means = 100 * difference[draws].mean(1)",
            "Shares are wanted, from -1 to 1.",
        ),
        mistake("upper end first", "return float(high), float(low)", "The lower end comes first."),
    ),
    equal=(
        ("means = difference[draws].mean(-1)", "the last axis is axis 1"),
        ("gaps = right_a[draws].mean(-1) - right_b[draws].mean(1)", "the last axis is axis 1"),
        ("gaps = right_a[draws].mean(1) - right_b[draws].mean(-1)", "the last axis is axis 1"),
        (
            "return tuple((float(np.percentile(gaps, 50 + 50 / side * level)) for side in (-1, 1)))",
            "side is 1 or -1",
        ),
    ),
    hints=(
        "right_a[draws] has the shape of draws: a row is one imagined test set. Which axis is averaged?",
        "Take the difference of the two accuracies within each draw: that gives R numbers.",
        "Of these, np.quantile at (1 - level) / 2 and at 1 minus that.",
    ),
)
