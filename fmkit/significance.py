"""Significance (chapter 11): would another test set of the same kind have said so, too?

A figure comes from rows, one for each example: ``(N,)`` numbers, whose mean it is, or ``(N, ...)`` counts,
from whose *sums* ``score`` makes it: `fmkit.textmetrics.bleu` is one. It takes many sums at once, (draws,
...) to (draws,). Two systems are compared on the same examples, so their rows stand side by side; what is
drawn for one is drawn for the other. Other shapes, NaN and settings out of range raise ValueError; what is no
array, TypeError.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Shaped

from fmkit._shapes import expect, floats, zeros_and_ones
from fmkit._types import Array
from fmkit._values import demand, generator, number, whole

Rows = Shaped[Array, "N *K"]
Score = Callable[[Array], Array]  # (draws, ...) sums to (draws,) figures


class Difference(NamedTuple):
    """What `paired_bootstrap` found between systems a and b, on the scale of their figures.

    Examples
    --------
    >>> right, wrong = np.ones(9), np.zeros(9)
    >>> paired_bootstrap(right, wrong, np.random.default_rng(0)).difference
    1.0
    """

    difference: float  # a - b, on the test set as it is
    low: float  # the ends of its interval
    high: float
    a_wins: float  # the share of the drawn test sets on which a is ahead; a tie is half a win
    p: float  # two-sided: how often chance alone makes a difference as large


def bootstrap_interval(
    rows: Rows,
    rng: np.random.Generator,
    score: Score | None = None,
    draws: int = 1000,
    level: float = 0.95,
) -> tuple[float, float]:
    """Between which bounds a figure lies on most test sets that are drawn from this one, with replacement.

    Parameters
    ----------
    rows : (N,) or (N, ...)
        What each example adds.
    rng : numpy.random.Generator
    score : function, optional
        From sums of rows to figures; by default the mean of ``(N,)`` numbers.
    draws : int
        How many test sets.
    level : float
        Which share of them lies between the bounds.

    References
    ----------
    Efron, "Bootstrap methods: another look at the jackknife" (1979). The percentile interval: Efron and
    Tibshirani, "An introduction to the bootstrap" (1993), chapter 13.

    Examples
    --------
    >>> right = np.repeat([1.0, 0.0], [80, 20])  # 80 of 100
    >>> low, high = bootstrap_interval(right, np.random.default_rng(0))
    >>> round(low, 2), round(high, 2)
    (0.72, 0.88)
    """
    (drawn,) = _bootstrap([_rows("rows", rows, score)], rng, draws)
    return _interval(_figures(drawn, len(rows), score), level)


def paired_bootstrap(
    a: Rows,
    b: Rows,
    rng: np.random.Generator,
    score: Score | None = None,
    draws: int = 1000,
    level: float = 0.95,
) -> Difference:
    """Is system a really better than system b? Both are scored on the same drawn test sets.

    ``p`` asks how often the drawn differences lie as far from the one that was seen as that one lies from 0:
    around a true difference of 0 they would scatter alike. One is added above and below, so that it
    is never 0.

    Parameters
    ----------
    a, b : (N,) or (N, ...)
        What each example adds, under each system.
    rng, score, draws, level
        As in `bootstrap_interval`.

    References
    ----------
    Koehn, "Statistical significance tests for machine translation evaluation" (2004); the p-value: Efron and
    Tibshirani (1993), section 16.4.

    Examples
    --------
    >>> a, b = np.repeat([1.0, 0.0], [90, 10]), np.repeat([1.0, 0.0], [80, 20])
    >>> found = paired_bootstrap(a, b, np.random.default_rng(0))
    >>> round(found.difference, 2), round(found.low, 2), round(found.high, 2), found.p < 0.01
    (0.1, 0.05, 0.17, True)
    """
    a, b = _two_systems(a, b, score)
    drawn_a, drawn_b = (_figures(drawn, len(a), score) for drawn in _bootstrap([a, b], rng, draws))
    seen = _seen(a, score) - _seen(b, score)
    drawn = drawn_a - drawn_b
    low, high = _interval(drawn, level)
    wins = (drawn > 0).mean() + (drawn == 0).mean() / 2
    return Difference(seen, low, high, float(wins), _p_value(drawn - seen, seen))


def paired_permutation(
    a: Rows, b: Rows, rng: np.random.Generator, score: Score | None = None, draws: int = 1000
) -> float:
    """The two-sided p-value of the difference of two systems, by exchanging their outputs at random.

    If the systems are as good as each other, it does not matter which of the two wrote which output. So a
    coin decides for each example, and p is how often the difference is then as large as the one that was seen
    (one added above and below: the outputs as they are, are one of the ways). In machine translation:
    approximate randomization.

    Parameters
    ----------
    a, b, rng, score, draws
        As in `paired_bootstrap`.

    References
    ----------
    Noreen, "Computer-intensive methods for testing hypotheses" (1989); Riezler and Maxwell, "On some pitfalls
    in automatic evaluation and significance testing for MT" (2005).

    Examples
    --------
    >>> a, b = np.repeat([1.0, 0.0], [90, 10]), np.repeat([1.0, 0.0], [80, 20])
    >>> paired_permutation(a, b, np.random.default_rng(0)) < 0.01  # ten differ, and a's are all better
    True
    >>> paired_permutation(a, a, np.random.default_rng(0))
    1.0
    """
    a, b = _two_systems(a, b, score)
    generator(rng)
    differences = []
    for _ in range(whole("draws", draws, 1)):
        stay = rng.random(len(a)) < 0.5
        moved = np.tensordot(stay, a - b, 1)  # what a keeps of its lead over b's sum
        differences.append((b.sum(0) + moved, a.sum(0) - moved))
    ours, theirs = (_figures(np.stack(sums), len(a), score) for sums in zip(*differences, strict=True))
    return _p_value(ours - theirs, _seen(a, score) - _seen(b, score))


def sign_test(wins: int, losses: int) -> float:
    """The two-sided p-value of so many wins and losses, if each were the toss of a coin. Leave ties out.

    References
    ----------
    Dixon and Mood, "The statistical sign test" (1946).

    Examples
    --------
    >>> sign_test(5, 0), sign_test(3, 3)  # 2 of the 32 ways are as one-sided
    (0.0625, 1.0)
    """
    wins, losses = whole("wins", wins, 0), whole("losses", losses, 0)
    n, ways, as_far = wins + losses, 1, 0
    for k in range(min(wins, losses) + 1):
        as_far += ways  # n over k
        ways = ways * (n - k) // (k + 1)
    return min(1.0, 2 * as_far / 2**n)  # (whole numbers: 2**n may be beyond any float)


def mcnemar(a_right: Shaped[Array, "N"], b_right: Shaped[Array, "N"]) -> float:
    """The two-sided p-value of two classifiers on the same examples: the sign test of where one errs alone.

    Parameters
    ----------
    a_right, b_right : (N,)
        0 and 1 (or booleans): where each was right.

    References
    ----------
    McNemar, "Note on the sampling error of the difference between correlated proportions or percentages"
    (1947); here the exact test, not its approximation by chi-squared.

    Examples
    --------
    >>> mcnemar(np.array([1, 1, 1, 1, 1, 0]), np.array([0, 0, 0, 0, 0, 0]))
    0.0625
    """
    expect("a_right", a_right, (None,), "(N,)")
    expect("b_right", b_right, a_right.shape, "(N,)")
    for name, right in (("a_right", a_right), ("b_right", b_right)):
        zeros_and_ones(name, right)
    return sign_test(int((a_right > b_right).sum()), int((a_right < b_right).sum()))


def holm(p: Float[Array, "M"]) -> Float[Array, "M"]:
    """p-values of M comparisons, raised so that the chance of *any* false alarm is below the level.

    The smallest counts M times, the next M - 1 times, and so on; none falls below one that was smaller.

    Parameters
    ----------
    p : (M,)
        0 to 1 (else ValueError).

    References
    ----------
    Holm, "A simple sequentially rejective multiple test procedure" (1979).

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03]))
    array([0.03, 0.06, 0.06])
    """
    p = _p_values(p)
    order = np.argsort(p)
    raised = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return _back(np.minimum(raised, 1), order)


def benjamini_hochberg(p: Float[Array, "M"]) -> Float[Array, "M"]:
    """p-values of M comparisons, raised so that of those below a level at most that share are false alarms.

    The k-th smallest counts M / k times; none rises above one that was larger. On average, and for
    comparisons that are independent or go together.

    Parameters
    ----------
    p : (M,)
        0 to 1 (else ValueError).

    References
    ----------
    Benjamini and Hochberg, "Controlling the false discovery rate: a practical and powerful approach to
    multiple testing" (1995).

    Examples
    --------
    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.02]))
    array([0.03, 0.04, 0.03])
    """
    p = _p_values(p)
    order = np.argsort(p)[::-1]  # from the largest on
    raised = np.minimum.accumulate(p[order] * len(p) / np.arange(len(p), 0, -1))
    return _back(raised, order)


# ------------------------------------------------------------------------------------------------ parts


def _rows(name: str, rows: Rows, score: Score | None) -> Float[Array, "N *K"]:
    rows = floats(name, rows).astype(np.float64)
    if score is None:
        expect(name, rows, (None,), "(N,)")
    demand(rows.ndim > 0 and len(rows) > 0, name, "a row for each example", f"shape {rows.shape}")
    demand(np.isfinite(rows).all(), name, "finite numbers", "NaN or inf among them")
    return rows


def _two_systems(a: Rows, b: Rows, score: Score | None) -> tuple[Float[Array, "N *K"], Float[Array, "N *K"]]:
    a, b = _rows("a", a, score), _rows("b", b, score)
    demand(a.shape == b.shape, "b", f"the shape of a, {a.shape}", b.shape)
    return a, b


def _bootstrap(systems: list[Array], rng: np.random.Generator, draws: int) -> list[Float[Array, "draws *K"]]:
    """The sums of each system's rows over the same drawn test sets."""
    generator(rng)
    n = len(systems[0])
    sums = []
    for _ in range(whole("draws", draws, 1)):
        times = np.bincount(rng.integers(0, n, n), minlength=n)  # how often each example was drawn
        sums.append([np.tensordot(times, rows, 1) for rows in systems])
    return [np.stack(drawn) for drawn in zip(*sums, strict=True)]


def _figures(sums: Float[Array, "draws *K"], n: int, score: Score | None) -> Float[Array, "draws"]:
    if score is None:
        return sums / n
    figures = np.asarray(score(sums))
    expected = sums.shape[:1]
    demand(figures.shape == expected, "score", f"a function from {sums.shape} to {expected}", figures.shape)
    return figures


def _seen(rows: Float[Array, "N *K"], score: Score | None) -> float:
    return float(_figures(rows.sum(0)[None], len(rows), score)[0])


def _interval(drawn: Float[Array, "draws"], level: float) -> tuple[float, float]:
    level = number("level", level, above=0, below=1)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _p_value(by_chance: Float[Array, "draws"], seen: float) -> float:
    """The share that lies as far from 0 as what was seen; what is nearer by rounding alone is as far."""
    as_far = np.abs(by_chance) >= abs(seen) * (1 - 1e-9)
    return float((as_far.sum() + 1) / (len(by_chance) + 1))


def _p_values(p: Float[Array, "M"]) -> Float[Array, "M"]:
    p = floats("p", p, 1, "(M,)").astype(np.float64)
    inside = (p >= 0) & (p <= 1)  # (NaN is not)
    if not inside.all():
        raise ValueError(f"p: expected 0 to 1, got {p[~inside][0]} among them")
    return p


def _back(values: Float[Array, "M"], order: Array) -> Float[Array, "M"]:
    """Values that stand in this order, where they came from."""
    out = np.empty_like(values)
    out[order] = values
    return out
