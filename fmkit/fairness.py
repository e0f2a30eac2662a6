"""Fairness (chapter 12): how a decision treats groups of people, in figures that cannot all be equal.

Arrays (N,), an entry for each person: ``target`` what came (0 or 1), ``guess`` what was decided (0 or 1),
``score``, ``group`` (numbers or texts). A rate over nobody is NaN, for nobody can say what it would be. Other
shapes raise ValueError; what is no array, TypeError.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer, Num, Shaped

from fmkit._shapes import expect, floats, zeros_and_ones
from fmkit._types import Array
from fmkit._values import demand, generator, number, whole
from fmkit.curves import roc_curve

People = Shaped[Array, "N"]


class Rates(NamedTuple):
    """What `group_rates` says of one group.

    Examples
    --------
    >>> people = np.array(["a", "a"])
    >>> group_rates(np.array([1, 0]), np.array([1, 1]), people)["a"].fpr
    1.0
    """

    n: int  # people
    prevalence: float  # share of those with target 1
    selected: float  # share of those who are guessed 1 (demographic parity: equal)
    fpr: float  # of target 0, guessed 1 (equalised odds: this and fnr equal)
    fnr: float  # of target 1, guessed 0
    ppv: float  # of guess 1, target 1 (predictive parity: equal)
    npv: float  # of guess 0, target 0
    accuracy: float


def group_rates(target: People, guess: People, group: People) -> dict:
    """Each group's rates, by its name, in sorted order.

    Examples
    --------
    >>> target, guess = np.array([0, 0, 1, 1, 1]), np.array([0, 1, 1, 0, 1])
    >>> rates = group_rates(target, guess, np.array(["a", "a", "a", "b", "b"]))
    >>> rates["a"].fpr, rates["b"].fnr, rates["b"].fpr  # of b, nobody has target 0
    (0.5, 0.5, nan)
    """
    _people(target=target, guess=guess)
    expect("group", group, target.shape, "(N,)")
    return {name.item(): _rates(target[group == name], guess[group == name]) for name in np.unique(group)}


def _rates(target: People, guess: People) -> Rates:
    y, g = target.astype(bool), guess.astype(bool)
    return Rates(
        len(y),
        _share(y),
        _share(g),
        _share(g[~y]),
        _share(~g[y]),
        _share(y[g]),
        _share(~y[~g]),
        _share(y == g),
    )


def _share(hits: People) -> float:
    return float(hits.mean()) if len(hits) else float("nan")


def _people(**columns: People) -> None:
    """Columns of 0 and 1, all of one length, somebody in them."""
    first = next(iter(columns.values()))
    for name, column in columns.items():
        expect(name, column, (None,), "(N,)")
        expect(name, column, first.shape, "(N,)")
        zeros_and_ones(name, column)
        demand(len(column) > 0, name, "a person at least", "none")


def largest_gap(rates: dict, name: str) -> float:
    """The largest difference between two groups in one of their `Rates`; NaN unless two groups have it.

    Examples
    --------
    >>> target, guess = np.array([0, 0, 1, 0]), np.array([0, 1, 1, 0])
    >>> largest_gap(group_rates(target, guess, np.array([1, 1, 2, 3])), "fpr")  # nobody of 2 has target 0
    0.5
    """
    demand(name in Rates._fields, "name", f"one of {', '.join(Rates._fields)}", repr(name))
    there = [value for rate in rates.values() if not np.isnan(value := getattr(rate, name))]
    return float(max(there) - min(there)) if len(there) > 1 else float("nan")


def rate_interval(hits: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Between which bounds a rate lies that was seen as ``hits`` of ``n``; 95 % of the time with z = 1.96.

    Also for rates near 0 and 1, and few people. (0, 1) where n is 0.

    References
    ----------
    Wilson, "Probable inference, the law of succession, and statistical inference" (1927).

    Examples
    --------
    >>> low, high = rate_interval(8, 10)
    >>> round(low, 2), round(high, 2)
    (0.49, 0.94)
    """
    hits, n = whole("hits", hits, 0), whole("n", n, 0)
    demand(hits <= n, "hits", f"at most n = {n}", hits)
    z = number("z", z, above=0)
    if n == 0:
        return 0.0, 1.0
    p, shift = hits / n, z * z / n
    middle, half = p + shift / 2, z * float(np.sqrt(p * (1 - p) / n + shift / (4 * n)))
    return max(0.0, (middle - half) / (1 + shift)), min(1.0, (middle + half) / (1 + shift))


class Came(NamedTuple):
    """What `calibration_by_group` says of one group: for each score, how many had it, and what came.

    Examples
    --------
    >>> ones = np.array([1, 1])
    >>> calibration_by_group(ones, ones, ones)[1].came
    array([1.])
    """

    score: Num[Array, "S"]
    count: Integer[Array, "S"]
    came: Float[Array, "S"]  # share of target 1
    low: Float[Array, "S"]  # of its interval
    high: Float[Array, "S"]


def calibration_by_group(score: People, target: People, group: People) -> dict:
    """Whether the same score means the same in each group: for each score that occurs, the share that came.

    Examples
    --------
    >>> came = calibration_by_group(np.array([1, 1, 2]), np.array([0, 1, 1]), np.array(["a", "a", "a"]))["a"]
    >>> came.score, came.count, came.came, came.low.round(2)
    (array([1, 2]), array([2, 1]), array([0.5, 1. ]), array([0.09, 0.21]))
    """
    _people(target=target)
    expect("score", score, target.shape, "(N,)")
    expect("group", group, target.shape, "(N,)")
    found = {}
    for name in np.unique(group):
        scores, place = np.unique(score[group == name], return_inverse=True)
        count, hits = np.bincount(place), np.bincount(place, target[group == name]).astype(int)
        bounds = np.array([rate_interval(int(h), int(n)) for h, n in zip(hits, count, strict=True)])  # (S, 2)
        found[name.item()] = Came(scores, count, hits / count, *bounds.T)
    return found


def implied_fpr(prevalence: float, ppv: float, fnr: float) -> float:
    """The false positive rate that follows from the other three: nobody can choose all four.

    p / (1 - p) · (1 - PPV) / PPV · (1 - FNR). With another p, equal PPV and FNR make unequal FPRs.

    Parameters
    ----------
    prevalence : float
        p, above 0 and below 1.
    ppv : float
        Above 0, up to 1.
    fnr : float
        0 to 1.

    Returns
    -------
    fpr : float
        Above 1 where no decision has the three rates.

    References
    ----------
    Chouldechova, "Fair prediction with disparate impact" (2017), equation 2.6.

    Examples
    --------
    >>> round(implied_fpr(0.5, 0.6, 0.3), 4), round(implied_fpr(0.4, 0.6, 0.3), 4)
    (0.4667, 0.3111)
    """
    p = number("prevalence", prevalence, above=0, below=1)
    ppv, fnr = number("ppv", ppv, above=0, most=1), number("fnr", fnr, 0, 1)
    return p / (1 - p) * (1 - ppv) / ppv * (1 - fnr)


# ---------------------------------------------------------------------------------- thresholds that equalise


class Mix(NamedTuple):
    """A rule for one group: two thresholds, and coins between them and against a constant.

    With probability ``ignore`` the score is not looked at, and 1 is said with probability ``constant``. Else
    the threshold is ``low`` with probability ``share``, otherwise ``high``; 1 is said at or above it.

    Examples
    --------
    >>> chance(Mix(2.0, 3.0, share=0.5, ignore=0.2, constant=0.25), np.array([1.0, 2.0, 3.0]))
    array([0.05, 0.45, 0.85])
    """

    low: float
    high: float
    share: float
    ignore: float
    constant: float


def equalised_odds(score: Float[Array, "N"], target: People, group: People) -> dict:
    """A rule for each group, so that all have the same FPR and the same TPR, with the highest accuracy then.

    On its ROC curve a group can reach every point below the upper hull, by tossing coins between thresholds.
    Of the points that all groups can reach, the best is taken. (On the people given: others scatter.)

    Returns
    -------
    rules : dict of `Mix`
        By the group's name. They use the score and the group, never the target.

    Raises
    ------
    ValueError
        Where a group lacks a target 0 or 1.

    References
    ----------
    Hardt, Price and Srebro, "Equality of opportunity in supervised learning" (2016), section 3.2.

    Examples
    --------
    >>> score, target = np.array([1.0, 2.0, 3.0, 4.0, 1.0, 2.0, 3.0, 4.0]), np.array([0, 0, 1, 1, 0, 1, 0, 1])
    >>> group = np.repeat(["a", "b"], 4)
    >>> rules = equalised_odds(score, target, group)
    >>> p = np.concatenate([chance(rules[g], score[group == g]) for g in ("a", "b")])  # of saying 1
    >>> [round(float(p[(group == g) & (target == y)].mean()), 3) for y in (0, 1) for g in ("a", "b")]
    [0.0, 0.0, 0.5, 0.5]
    """
    _people(target=target)
    score = floats("score", score, 1, "(N,)")
    expect("score", score, target.shape, "(N,)")
    expect("group", group, target.shape, "(N,)")
    names = np.unique(group)
    hulls = {name: _hull(*roc_curve(score[group == name], target[group == name])) for name in names}
    places = np.unique(np.concatenate([fpr for fpr, _, _ in hulls.values()]))
    places = np.union1d(places, _crossings(list(hulls.values()), places))
    reach = np.min([np.interp(places, fpr, tpr) for fpr, tpr, _ in hulls.values()], 0)
    share = target.mean()
    best = np.argmax(share * reach + (1 - share) * (1 - places))
    return {name.item(): _mix(hulls[name], float(places[best]), float(reach[best])) for name in names}


def _hull(fpr: Array, tpr: Array, threshold: Array) -> tuple[Array, Array, Array]:
    """The points of a ROC curve that no straight line between two others passes above."""
    keep = []
    for i in range(len(fpr)):
        while len(keep) > 1 and _below(*((fpr[k], tpr[k]) for k in (keep[-2], keep[-1], i))):
            keep.pop()
        keep.append(i)
    if len(keep) > 1 and fpr[keep[1]] == fpr[keep[0]]:  # straight up: the upper point is as cheap
        keep = keep[1:]
    return fpr[keep], tpr[keep], threshold[keep]


def _below(a: tuple, b: tuple, c: tuple) -> bool:
    """Whether b lies on or below the line from a to c."""
    return bool((b[1] - a[1]) * (c[0] - a[0]) <= (c[1] - a[1]) * (b[0] - a[0]))


def _crossings(hulls: list, places: Array) -> list[float]:
    """Where two hulls cross between two places: there the best common point may lie."""
    heights = np.array([np.interp(places, fpr, tpr) for fpr, tpr, _ in hulls])
    found = []
    for i in range(len(hulls)):
        for j in range(i):
            gap = heights[i] - heights[j]
            for k in np.flatnonzero(gap[1:] * gap[:-1] < 0):
                found.append(places[k] + (places[k + 1] - places[k]) * gap[k] / (gap[k] - gap[k + 1]))
    return found


def _mix(hull: tuple[Array, Array, Array], fpr: float, tpr: float) -> Mix:
    """The rule that reaches a point on the hull or below it."""
    xs, ys, thresholds = hull
    k = min(max(int(np.searchsorted(xs, fpr)), 1), len(xs) - 1) if len(xs) > 1 else 0
    share = (fpr - xs[k - 1]) / (xs[k] - xs[k - 1]) if k else 1.0
    top = ys[k - 1] + share * (ys[k] - ys[k - 1]) if k else ys[0]
    ignore = (top - tpr) / (top - fpr) if top > max(fpr, tpr) else 0.0
    return Mix(float(thresholds[k]), float(thresholds[max(k - 1, 0)]), float(share), float(ignore), fpr)


def chance(rule: Mix, score: Float[Array, "N"]) -> Float[Array, "N"]:
    """With what probability a rule says 1, for each score.

    Examples
    --------
    >>> chance(Mix(2.0, 3.0, share=0.5, ignore=0.0, constant=0.0), np.array([1.0, 2.0, 3.0]))
    array([0. , 0.5, 1. ])
    """
    looks = rule.share * (score >= rule.low) + (1 - rule.share) * (score >= rule.high)
    return rule.ignore * rule.constant + (1 - rule.ignore) * looks


# ------------------------------------------------------------------------------------------ words as vectors


def association(w: Float[Array, "N C"], a: Float[Array, "A C"], b: Float[Array, "B C"]) -> Float[Array, "N"]:
    """How much nearer each word is to the words of ``a`` than to those of ``b``: a mean cosine less another.

    Examples
    --------
    >>> association(np.array([[2.0, 0.0]]), np.array([[1.0, 0.0]]), np.array([[0.0, 3.0]]))
    array([1.])
    """
    w, a, b = (floats(name, x, 2, f"({name}, C)") for name, x in (("w", w), ("a", a), ("b", b)))
    for name, words in (("a", a), ("b", b)):
        expect(name, words, (None, w.shape[1]), "(words, C)")
        demand(len(words) > 0, name, "a word at least", "none")
    w, a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (w, a, b))
    return (w @ a.T).mean(1) - (w @ b.T).mean(1)


def weat(
    x: Float[Array, "X C"], y: Float[Array, "Y C"], a: Float[Array, "A C"], b: Float[Array, "B C"]
) -> float:
    """The effect size of the word embedding association test: are ``x`` to ``a`` as ``y`` to ``b``?

    The difference of the mean `association` of the words of x and y, over its spread among all of them
    (the sample's, with N - 1). It lies between about -2 and 2.

    References
    ----------
    Caliskan, Bryson and Narayanan, "Semantics derived automatically from language corpora contain human-like
    biases" (2017), supplement.

    Examples
    --------
    >>> x, y = np.array([[1.0, 0.1], [1.0, 0.2]]), np.array([[0.1, 1.0], [0.2, 1.0]])
    >>> round(weat(x, y, a=np.array([[1.0, 0.0]]), b=np.array([[0.0, 1.0]])), 2)
    1.73
    """
    s = np.append(association(x, a, b), association(y, a, b))
    return float((s[: len(x)].mean() - s[len(x) :].mean()) / s.std(ddof=1))


def weat_p_value(
    x: Float[Array, "X C"],
    y: Float[Array, "Y C"],
    a: Float[Array, "A C"],
    b: Float[Array, "B C"],
    rng: np.random.Generator,
    draws: int = 10_000,
) -> float:
    """How often a random division of the words of ``x`` and ``y`` gives as large a difference (one-sided).

    One is added above and below: the division as it is, is one of them.

    References
    ----------
    As `weat`.

    Examples
    --------
    >>> x, y = np.eye(8)[:4] + np.eye(8)[6], np.eye(8)[:4] + np.eye(8)[7]
    >>> a, b = np.eye(8)[6:7], np.eye(8)[7:]
    >>> weat_p_value(x, y, a, b, np.random.default_rng(0)) < 0.03  # 1 of 70 divisions
    True
    """
    generator(rng)
    s = np.append(association(x, a, b), association(y, a, b))
    n = len(x)
    order = rng.permuted(np.tile(np.arange(len(s)), (whole("draws", draws, 1), 1)), axis=1)
    drawn = s[order]
    difference = drawn[:, :n].mean(1) - drawn[:, n:].mean(1)
    seen = s[:n].mean() - s[n:].mean()
    return float(((difference >= seen - 1e-12).sum() + 1) / (draws + 1))
