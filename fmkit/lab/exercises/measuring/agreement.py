"""Krippendorff's alpha for any power of the distance, with gaps."""

import itertools

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    nan = np.nan

    def case(n, r, power, gaps=0.3, noise=1.0):
        truth = rng.normal(size=(n, 1)) * 2
        ratings = np.round(truth + noise * rng.normal(size=(n, r)))
        ratings[rng.random((n, r)) < gaps] = nan
        ratings[0], ratings[1], ratings[2] = nan, nan, nan
        ratings[0, 0] = 4.0  # rated once
        ratings[1, :2] = -3.0, 3.0
        ratings[2, -2:] = 2.0, 1.0
        return ratings, power

    example = np.array([[1.0, 1.0, nan], [2.0, 2.0, 3.0], [3.0, 3.0, 3.0], [nan, nan, 1.0]])
    two = np.array([[1.0, 2.0], [3.0, 3.0], [5.0, 4.0]])
    apart = np.array([[0.0, 4.0, 0.0, 4.0], [1.0, 3.0, nan, nan], [4.0, 0.0, nan, 4.0]])  # less than chance
    lopsided = np.array(
        [[3.0, -3.0, nan, nan, nan, nan], [2.0] * 6, [-2.0] * 6, [1.0, 2.0, 1.0, 1.0, nan, 1.0]]
    )
    zeros = np.array([[0.0, 0.0, nan], [4.0, 4.0, 3.0], [nan, 0.0, 1.0]])
    return [
        (example, 2.0),
        (example, 1.0),
        (two, 2.0),
        (apart, 2.0),
        (apart, 1.0),
        (lopsided, 2.0),
        (zeros, 1.0),
        case(8, 5, 2.0),
        case(12, 4, 1.0),
        case(10, 6, 0.5, 0.5),
        case(9, 3, 3.0, 0.1, 2.0),
        as_float32(case(7, 4, 1.0)),
    ]


def agreement(ratings, power):
    def disagreement(values):  # the sum over all pairs, each both ways
        return (np.abs(values[:, None] - values) ** power).sum()

    observed, kept = 0.0, []
    for row in ratings:
        given = row[~np.isnan(row)]
        if len(given) > 1:
            observed += disagreement(given) / (len(given) - 1)
            kept.append(given)
    pooled = np.concatenate(kept)
    expected = disagreement(pooled) / (len(pooled) - 1)
    return float(1 - observed / expected)


def loops(ratings, power):
    rows = [[v for v in row if v == v] for row in ratings.tolist()]
    rows = [row for row in rows if len(row) >= 2]
    pooled = [v for row in rows for v in row]
    observed = sum(
        2 * sum(abs(a - b) ** power for a, b in itertools.combinations(row, 2)) / (len(row) - 1)
        for row in rows
    )
    expected = 2 * sum(abs(a - b) ** power for a, b in itertools.combinations(pooled, 2)) / (len(pooled) - 1)
    return 1 - observed / expected


def coincidences(ratings, power):
    values = np.unique(ratings[~np.isnan(ratings)]).astype(np.float64)
    counts = (ratings[:, :, None] == values).sum(1)  # (N, V): how many gave which value
    m = counts.sum(1)
    counts, m = counts[m > 1], m[m > 1]
    pairs = np.einsum("nc,nk,n->ck", counts, counts, 1 / (m - 1))
    totals = counts.sum(0)
    distance = np.abs(values[:, None] - values) ** power
    by_chance = np.outer(totals, totals) / (totals.sum() - 1)
    return float(1 - (pairs * distance).sum() / (by_chance * distance).sum())


OBSERVED = "observed += disagreement(given) / (len(given) - 1)"

EXERCISE = Exercise(
    title="Agreement, with gaps",
    points=3,
    minutes=20,
    difficulty=3,
    tolerance=1e-4,  # one Python number comes out of float32 inputs
    cases=cases,
    reference=agreement,
    alternatives=(loops, coincidences),
    equal=(
        (
            "return (np.abs(values - values[:, None]) ** power).sum()",
            "a distance has no sign",
        ),
        (
            "rows = [[v for v in row if v >= v] for row in ratings.tolist()]",
            "only NaN is not at least itself",
        ),
        (
            "observed = sum((2 * sum((abs(b - a) ** power for a, b in itertools.combinations(row, "
            "2))) / (len(row) - 1) for row in rows))",
            "a distance has no sign",
        ),
        (
            "expected = 2 * sum((abs(b - a) ** power for a, b in itertools.combinations(pooled, "
            "2))) / (len(pooled) - 1)",
            "a distance has no sign",
        ),
    ),
    teaches=("agreement.krippendorff_alpha",),
    mistakes=(
        mistake(
            "gaps taken for zeros",
            "given = np.nan_to_num(row)",
            "No rating is not the rating 0: leave the gaps out.",
        ),
        mistake(
            "gaps taken for the item's mean",
            "given = np.where(np.isnan(row), np.nanmean(row), row)",
            "Who did not rate does not agree with anybody: leave the gaps out.",
        ),
        mistake(
            "items with a gap left out",
            "if len(given) > 1: -> if len(given) > 1 and len(given) == len(row):",
            "An item with two ratings or more has something to say: only the gaps are left out.",
        ),
        mistake(
            "items with a single rating belong to the pool",
            (
                "if len(given) > 1: -> if len(given):",
                "observed += disagreement(given) / max(len(given) - 1, 1)",
            ),
            "A single rating has no partner in its item: it counts nowhere, not in the pool either.",
        ),
        mistake(
            "pairs not divided by the others' number",
            "observed += disagreement(given)",
            "An item with many raters has far more pairs: divide by m - 1, so that each rating counts once.",
        ),
        mistake(
            "pairs divided by all raters' number",
            "observed += disagreement(given) / len(given)",
            "Each rating is compared with m - 1 others.",
        ),
        mistake(
            "each item counts the same",
            (
                "observed += disagreement(given) / (len(given) * (len(given) - 1))",
                "expected = disagreement(pooled) / (len(pooled) * (len(pooled) - 1)) * len(kept)",
            ),
            "Each rating counts the same, not each item: divide by m - 1 only.",
        ),
        mistake(
            "each item counts the same, and single ratings belong to the pool",
            (
                "if len(given) > 1: -> if len(given):",
                "observed += disagreement(given) / max(len(given) * (len(given) - 1), 1)",
                "expected = disagreement(pooled) / (len(pooled) * (len(pooled) - 1)) * "
                "sum(len(given) > 1 for given in kept)",
            ),
            "Each rating counts the same, not each item, and one without a partner counts nowhere.",
        ),
        mistake(
            "every pair counts the same",
            (
                "observed, kept = 0.0, [] -> observed, kept, pairs = 0.0, [], 0",
                f"{OBSERVED} -> observed += disagreement(given)\npairs += len(given) * (len(given) - 1)",
                "expected = disagreement(pooled) / (len(pooled) * (len(pooled) - 1)) * pairs",
            ),
            "An item with many raters has far more pairs: divide by m - 1, so that each rating counts once.",
        ),
        mistake(
            "the pool divided by n instead of n - 1",
            "expected = disagreement(pooled) / len(pooled)",
            "Each of the n ratings is compared with n - 1 others.",
        ),
        mistake(
            "the pool not divided at all",
            "expected = disagreement(pooled)",
            "As within an item: divide by the number of others, n - 1.",
        ),
        mistake(
            "chance within each rater's column",
            "expected = sum(disagreement(c[~np.isnan(c)]) / max((~np.isnan(c)).sum() - 1, 1) for c "
            "in ratings.T)",
            "By chance any rating may meet any other: pool them all.",
        ),
        mistake(
            "chance from the items' means",
            "pooled = np.concatenate([np.full(len(given), given.mean()) for given in kept])",
            "The pool holds the ratings themselves.",
        ),
        mistake(
            "observed over expected",
            "return float(observed / expected)",
            "That is the disagreement that is left: agreement is 1 minus it.",
        ),
        mistake(
            "the mean disagreement, no chance",
            "return float(1 - observed / len(pooled))",
            "How large a disagreement is, only chance can say: divide by what is expected.",
        ),
        mistake(
            "plain per cent of pairs that agree",
            (
                "return (np.abs(values[:, None] - values) ** power).sum() -> "
                "return (values[:, None] == values).sum() - len(values)",
                "return float(observed / len(pooled))",
            ),
            "Raters who use one number only agree by chance, too: compare with what is expected.",
        ),
        mistake(
            "another class or the same",
            "return (np.abs(values[:, None] - values) ** power).sum() -> return (values[:, None] "
            "!= values).sum()",
            "3 and 4 are nearer than -4 and 4: take the distance to the given power.",
        ),
        mistake(
            "squares, whatever the power",
            "** power -> ** 2",
            "`power` is an argument.",
        ),
        mistake(
            "plain distances, whatever the power",
            "** power -> ** 1",
            "`power` is an argument.",
        ),
        mistake(
            "the power of the sum",
            "return (np.abs(values[:, None] - values) ** power).sum() -> "
            "return np.abs(values[:, None] - values).sum() ** power",
            "Each distance is raised to the power, then they are added.",
        ),
        mistake(
            "distances without their size",
            "return (np.abs(values[:, None] - values) ** power).sum() -> "
            "return ((values[:, None] - values) ** power).sum()",
            "A distance has no sign: np.abs, then the power.",
        ),
        mistake(
            "agreement that cannot be less than chance",
            "return float(max(0, 1 - observed / expected))",
            "Below 0 they agree less than by chance: say so.",
        ),
        mistake(
            "divided by all raters but one, not by the item's",
            "observed += disagreement(given) / (ratings.shape[1] - 1)",
            "m is how many rated this item: the gaps are no raters.",
        ),
        mistake(
            "the observed divided by the number of items",
            "return float(1 - observed / len(ratings) / (expected / len(pooled)))",
            "Both are means over ratings: divide both by n, the number of ratings (or neither).",
        ),
        mistake(
            "the observed not divided by n",
            "return float(1 - observed / (expected / len(pooled)))",
            "Both are means over ratings: divide both by n, the number of ratings (or neither).",
        ),
        mistake(
            "the share of equal pairs, item by item",
            "return float(np.mean([((v[:, None] == v).sum() - len(v)) / (len(v) * (len(v) - 1)) "
            "for v in kept]))",
            "Raters who use one number only agree by chance, too: compare with what is expected.",
        ),
        mistake(
            "the share of equal pairs, all together",
            "return float(sum((v[:, None] == v).sum() - len(v) for v in kept) / sum(len(v) * "
            "(len(v) - 1) for v in kept))",
            "Raters who use one number only agree by chance, too: compare with what is expected.",
        ),
    ),
    hints=(
        "row[~np.isnan(row)] are the ratings of an item; with fewer than two it is left out altogether.",
        "values[:, None] - values is the table of all differences, each pair both ways.",
        "What is observed is summed over items, each divided by m - 1; what is expected is the "
        "same of the pool.",
    ),
)
