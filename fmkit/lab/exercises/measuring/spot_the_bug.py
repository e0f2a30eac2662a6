"""Spot the bug: is system a better than system b? Both on the same drawn test sets."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, r, lead=0.0, share=0.6, empty=0):
        there = rng.integers(1, 12, (2, n))
        there[:, :empty] = 0  # sentences of which nothing counts
        shift = rng.normal(size=n) * 0.2  # what is hard for one is hard for the other
        found = [
            rng.binomial(t, np.clip(share + s + shift, 0.02, 0.98))
            for t, s in zip(there, (lead, 0), strict=True)
        ]
        a, b = (np.stack(pair, 1) for pair in zip(found, there, strict=True))
        order = rng.permutation(n)
        draws = rng.integers(0, n, (r, n))
        draws[:, 0] = np.flatnonzero((there[:, order] > 0).all(0))[0]
        return a[order], b[order], draws

    a, b = np.array([[3, 4], [1, 2]]), np.array([[2, 4], [1, 2]])
    example = a, b, np.array([[0, 1], [0, 0], [1, 1], [0, 1]])
    twins = np.array([[1, 2], [2, 5], [3, 3]]), np.array([[1, 2], [2, 5], [3, 3]]), rng.integers(0, 3, (6, 3))
    long = (
        np.array([[1, 1], [9, 30], [1, 1]]),
        np.array([[0, 1], [15, 30], [1, 1]]),
        rng.integers(0, 3, (8, 3)),
    )
    again = (  # with its repeats the first draw is a's, without them a tie; and the other way round
        np.array([[3, 4], [0, 2], [1, 2]]),
        np.array([[2, 4], [1, 2], [1, 2]]),
        np.array([[0, 0, 1], [2, 1, 1], [0, 2, 2], [0, 0, 0]]),
    )
    return [
        example,
        twins,
        again,
        long,
        (a[:1], b[:1], np.zeros((4, 1), dtype=int)),
        case(8, 12, 0.1),
        case(15, 20),
        case(20, 30, 0.15, empty=2),
        case(12, 10, -0.1),
        case(40, 60, 0.05, empty=3),
        case(25, 40, 0.3),
    ]


def better(a, b, draws):
    def score(counts):  # (..., N, 2) -> (...)
        total = counts.sum(-2)
        return total[..., 0] / total[..., 1]

    ahead = score(a[draws]) > score(b[draws])  # (R,): both on the same sentences
    p = (1 + (~ahead).sum()) / (1 + len(draws))
    return float(score(a) - score(b)), float(p)


def loop(a, b, draws):
    difference, not_ahead = a[:, 0].sum() / a[:, 1].sum() - b[:, 0].sum() / b[:, 1].sum(), 0
    for rows in draws:
        (fa, ta), (fb, tb) = (counts[rows].sum(0) for counts in (a, b))
        not_ahead += int(fa) * int(tb) <= int(fb) * int(ta)
    return float(difference), (not_ahead + 1) / (len(draws) + 1)


def by_weights(a, b, draws):
    times = np.stack([np.bincount(rows, minlength=len(a)) for rows in draws])  # how often each was drawn
    sums = times @ np.concatenate([a, b], axis=1)  # (R, 4)
    wins = (sums[:, 0] / sums[:, 1] > sums[:, 2] / sums[:, 3]).sum()
    whole = np.concatenate([a, b], axis=1).sum(0)
    return float(whole[0] / whole[1] - whole[2] / whole[3]), float((len(draws) - wins + 1) / (len(draws) + 1))


AHEAD = "ahead = score(a[draws]) > score(b[draws])"
P = "p = (1 + (~ahead).sum()) / (1 + len(draws))"

EXERCISE = Exercise(
    title="Spot the bug: who is better?",
    points=3,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=better,
    alternatives=(loop, by_weights),
    equal=(
        (
            "total = counts.mean(-2)",
            "in a ratio the number of sentences cancels",
        ),
    ),
    teaches=("significance.paired_bootstrap",),
    parts=True,
    mistakes=(
        mistake(
            "the script as it was",
            (
                "total = counts.sum(-2) -> return np.mean(counts[..., 0] / counts[..., 1], axis=-1)\n"
                "total = counts.sum(-2)",
                "ahead = score(a[draws[0::2]]) > score(b[draws[1::2]])",
                "p = (1 + (~ahead).sum()) / (1 + len(ahead))",
            ),
            "Both slips are still there: what is a score of a test set, and which draws does each "
            "system get?",
        ),
        mistake(
            "each system on test sets of its own",
            "ahead = score(a[draws]) > score(b[np.roll(draws, 1, axis=0)])",
            "Both systems have to be scored on the same drawn sentences: that is what *paired* means.",
        ),
        mistake(
            "the first half of the draws for a, the other for b",
            (
                "ahead = score(a[draws[: len(draws) // 2]]) > score(b[draws[len(draws) // 2 :]])",
                "p = (1 + (~ahead).sum()) / (1 + len(ahead))",
            ),
            "Both systems have to be scored on the same drawn sentences: that is what *paired* means.",
        ),
        mistake(
            "every second draw for a, the others for b",
            (
                "ahead = score(a[draws[0::2]]) > score(b[draws[1::2]])",
                "p = (1 + (~ahead).sum()) / (1 + len(ahead))",
            ),
            "Both systems have to be scored on the same drawn sentences: that is what *paired* means.",
        ),
        mistake(
            "the mean of the sentences' scores",
            "total = counts.sum(-2) -> return (counts[..., 0] / np.maximum(counts[..., 1], 1)).mean(-1)\n"
            "total = counts.sum(-2)",
            "Add up what was found and what is there over the test set, then divide.",
        ),
        mistake(
            "each sentence counts once in a draw",
            "ahead = np.array([score(a[np.unique(rows)]) > score(b[np.unique(rows)]) for rows in draws])",
            "A sentence that was drawn twice counts twice: that is how the draws differ.",
        ),
        mistake(
            "a tie counts as a win",
            "ahead = score(a[draws]) >= score(b[draws])",
            "Where both are equal a is not ahead.",
        ),
        mistake(
            "a tie counts as half a win",
            (
                f"{AHEAD} -> one, two = score(a[draws]), score(b[draws])\nbehind = (one < two) + "
                "(one == two) / 2",
                "p = (1 + behind.sum()) / (1 + len(draws))",
            ),
            "Where both are equal a is not ahead: a tie counts fully.",
        ),
        mistake(
            "the wins counted",
            "p = (1 + ahead.sum()) / (1 + len(draws))",
            "p is small when a is nearly always ahead: count the draws in which it is not.",
        ),
        mistake(
            "b ahead of a",
            "ahead = score(b[draws]) > score(a[draws])",
            "Is a better than b? Count where a is not ahead.",
        ),
        mistake(
            "the share of draws, without the one",
            "p = (~ahead).mean()",
            "p would be 0 after a few draws: 1 is added above and below, for the test set as it is.",
        ),
        mistake(
            "one added above the line only",
            "p = (1 + (~ahead).sum()) / len(draws)",
            "The test set as it is counts as a draw, too: 1 is added above and below.",
        ),
        mistake(
            "one added below the line only",
            "p = (~ahead).sum() / (1 + len(draws))",
            "The test set as it is counts as a draw, too: 1 is added above and below.",
        ),
        mistake(
            "p doubled",
            "p = min(1.0, 2 * (1 + (~ahead).sum()) / (1 + len(draws)))",
            "The question has one side: is a better than b?",
        ),
        mistake(
            "the smaller of the two tails",
            "p = (1 + min(ahead.sum(), (~ahead).sum())) / (1 + len(draws))",
            "Where b is better, p has to be large: the question has one side.",
        ),
        mistake(
            "the smaller of the two tails, doubled",
            "p = min(1.0, 2 * (1 + min(ahead.sum(), (~ahead).sum())) / (1 + len(draws)))",
            "The question has one side: is a better than b?",
        ),
        mistake(
            "the mean difference over the draws",
            "return float(score(a) - score(b)), float(p) -> "
            "return float((score(a[draws]) - score(b[draws])).mean()), float(p)",
            "The difference is that on the test set as it is; the draws only say how sure it is.",
        ),
        mistake(
            "the difference turned round",
            "return float(score(a) - score(b)), float(p) -> return float(score(b) - score(a)), float(p)",
            "a minus b: positive where a is better.",
        ),
        mistake(
            "the difference without its sign",
            "return float(score(a) - score(b)), float(p) -> return float(abs(score(a) - score(b))), float(p)",
            "a minus b: negative where b is better.",
        ),
        mistake(
            "p first",
            "return float(score(a) - score(b)), float(p) -> return float(p), float(score(a) - score(b))",
            "The difference comes first.",
        ),
        mistake(
            "what was found, not its share",
            "return total[..., 0] / total[..., 1] -> return total[..., 0]",
            "A score is a share: what was found of what is there.",
        ),
        mistake(
            "draws against the whole test set",
            "ahead = score(a[draws]) > score(b)",
            "Both systems have to be scored on the same drawn sentences: that is what *paired* means.",
        ),
        mistake(
            "only what was found is compared",
            "ahead = a[draws][..., 0].sum(1) > b[draws][..., 0].sum(1)",
            "A score is what was found divided by what is there, and the two systems need not have "
            "as much there.",
        ),
    ),
    hints=(
        "a[draws] is (R, N, 2): for each drawn test set the counts of its sentences.",
        "Which axis are the sentences? Add up over it, then divide found by there.",
        "~ahead marks the draws in which a is not ahead, ties among them.",
    ),
)
