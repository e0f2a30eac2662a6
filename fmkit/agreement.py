"""Agreement (chapter 11): how far people agree about the same things, and so how far a model can with them.

Ratings stand in an array (N, R): a row for each item, a column for each rater, NaN where there is none. Who
the raters were does not matter: rows of unequal length may be filled with NaN at the end. Nobody can say how
far one rating agrees, so each function asks for an item with two (else ValueError).
"""

import math

import numpy as np
from jaxtyping import Bool, Float, Num

from fmkit._shapes import expect, floats
from fmkit._types import Array
from fmkit._values import demand

Ratings = Num[Array, "N R"]


def cohen_kappa(a: Num[Array, "N"], b: Num[Array, "N"]) -> float:
    """How often two raters gave the same class, beyond what their habits alone would give: (p - e) / (1 - e).

    p is the share of items that got the same class, e the share that would by chance, if each went on using
    every class as often. 1 is full agreement, 0 chance. NaN if both give one and the same class to all:
    chance does as well.

    Parameters
    ----------
    a, b : (N,)
        The class that each rater gave to each item.

    Raises
    ------
    ValueError
        For a rating that is missing (NaN), or no items.

    References
    ----------
    Cohen, "A coefficient of agreement for nominal scales" (1960).

    Examples
    --------
    >>> cohen_kappa(np.array([1, 1, 0, 0]), np.array([1, 0, 0, 0]))  # 3/4 are alike, 1/2 would be by chance
    0.5
    """
    a, b = floats("a", a, 1, "(N,)"), floats("b", b, 1, "(N,)")
    expect("b", b, a.shape, "(N,)")
    demand(len(a) > 0, "a", "an item at least", "none")
    for name, classes in (("a", a), ("b", b)):
        demand(not np.isnan(classes).any(), name, "a class for each item", "NaN among them")
    same = (a == b).mean()
    chance = sum((a == c).mean() * (b == c).mean() for c in np.unique(a))
    return float((same - chance) / (1 - chance)) if len(np.unique(np.append(a, b))) > 1 else math.nan


def krippendorff_alpha(ratings: Ratings, level: str = "interval") -> float:
    """Agreement of any number of raters, with gaps: 1 - observed / expected disagreement.

    Observed is the mean difference of two ratings of the same item, expected that of any two ratings. 1 is
    full agreement, 0 chance, below 0 less than that. An item with one rating has no pair, and is left out.
    NaN if all ratings are the same: chance does as well.

    Parameters
    ----------
    ratings : (N, R)
        NaN where there is none.
    level : str
        "interval": the difference is (a - b)²; ratings are numbers. "nominal": 1 for another class, else 0.

    Raises
    ------
    ValueError
        If no item has two ratings, or for another ``level``.

    References
    ----------
    Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), section C. Each of an
    item's m (m - 1) pairs weighs 1 / (m - 1), so that each *rating* weighs the same.

    Examples
    --------
    >>> ratings = np.array([[1, 1, np.nan], [2, 2, 3], [3, 3, 3], [np.nan, np.nan, 1]])
    >>> round(krippendorff_alpha(ratings), 3), round(krippendorff_alpha(ratings, "nominal"), 3)
    (0.841, 0.65)
    """
    if level not in ("interval", "nominal"):
        raise ValueError(f'level must be "interval" or "nominal", not {level!r}')
    ratings, known = _rated(ratings)
    m = known.sum(1)
    ratings, m = ratings[m > 1], m[m > 1]
    differences = _squares if level == "interval" else _others
    observed = (differences(ratings) / (m - 1)).sum()  # over n
    pooled, n = ratings[~np.isnan(ratings)], m.sum()
    if (pooled == pooled[0]).all():
        return math.nan
    return float(1 - observed / (differences(pooled[None])[0] / (n - 1)))


def _squares(ratings: Ratings) -> Float[Array, "N"]:
    """(a - b)² over all ordered pairs in each row: 2 m times the squared distances to the mean."""
    m = (~np.isnan(ratings)).sum(1)
    mean = np.nansum(ratings, 1) / m
    return 2 * m * np.nansum((ratings - mean[:, None]) ** 2, 1)


def _others(ratings: Ratings) -> Float[Array, "N"]:
    """How many ordered pairs in each row have two classes: all of them less those that have one."""
    known = ~np.isnan(ratings)
    alike = sum((ratings == c).sum(1) ** 2 for c in np.unique(ratings[known]))
    return (known.sum(1) ** 2 - alike).astype(np.float64)


def mean_of_others(ratings: Ratings) -> Float[Array, "N R"]:
    """What the others say on average, without the one who is judged: one rater against the rest.

    Returns
    -------
    others : (N, R)
        For each rating the mean of the item's other ratings; NaN where there is no rating, or no other.

    Examples
    --------
    >>> mean_of_others(np.array([[1.0, 2.0, 6.0], [3.0, np.nan, np.nan]]))
    array([[4. , 3.5, 1.5],
           [nan, nan, nan]])
    """
    ratings, known = _rated(ratings)
    m = known.sum(1, keepdims=True)
    rest = np.nansum(ratings, 1, keepdims=True) - ratings
    return np.where(known & (m > 1), rest / np.maximum(m - 1, 1), np.nan)


def human_correlation(ratings: Ratings) -> float:
    """Pearson's correlation of one rater with the mean of the others: the ceiling for a model's.

    It is no wall: a model that has learned the mean is less noisy than a person, and may pass. Items weigh
    the same, however many rated them. NaN where all ratings are the same.

    Examples
    --------
    >>> round(human_correlation(np.array([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0], [7.0, 8.0, 9.0]])), 3)
    0.898
    """
    one, others, weight = _against(ratings)
    if (one == one[0]).all():  # then the others' mean is, too
        return math.nan
    one, others = (x - np.average(x, weights=weight) for x in (one, others))
    scale = math.sqrt((weight * one**2).sum() * (weight * others**2).sum())
    return float((weight * one * others).sum() / scale)


def human_accuracy(ratings: Ratings) -> float:
    """How often one rater is on the side, above or below 0, of the others' mean: a classifier's ceiling.

    A rating of 0 takes no side and so is wrong; where the others' mean is 0, nothing is asked. Items weigh
    the same, however many rated them. NaN if the others' mean is 0 everywhere.

    Examples
    --------
    >>> human_accuracy(np.array([[1.0, 2.0], [-1.0, 4.0], [-3.0, -1.0], [0.0, 2.0]]))  # 2/2, 0/2, 2/2, 0/1
    0.5
    """
    one, others, weight = _against(ratings, sided=True)
    return float(np.average(np.sign(one) == np.sign(others), weights=weight)) if len(one) else math.nan


def _against(ratings: Ratings, sided: bool = False) -> tuple[Float[Array, "M"], ...]:
    """Each rating, the others' mean, its weight (1 for each item); ``sided``: not where that mean is 0."""
    others = mean_of_others(ratings)
    asked = ~np.isnan(others)
    if sided:
        asked &= np.abs(others) > 1e-12 * np.nanmax(np.abs(ratings))  # .1 + .2 - .3 is not quite 0
    weight = asked / np.maximum(asked.sum(1, keepdims=True), 1)
    return ratings[asked].astype(np.float64), others[asked], weight[asked]


def _rated(ratings: Ratings) -> tuple[Float[Array, "N R"], Bool[Array, "N R"]]:
    """The ratings as float64, and where there is one."""
    ratings = floats("ratings", ratings, 2, "(N, R)").astype(np.float64)
    known = ~np.isnan(ratings)
    demand(not np.isinf(ratings).any(), "ratings", "numbers, or NaN where there is none", "inf among them")
    demand((known.sum(1) > 1).any(), "ratings", "an item with two ratings at least", "none")
    return ratings, known
