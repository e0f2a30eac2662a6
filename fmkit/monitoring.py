"""Opinion over time (chapter 16): rates with intervals, a change that is no accident, an alarm.

A series is counts: ``hits`` of ``totals`` in each period (messages with a word, of all messages in the week).
"""

import math

import numpy as np
from jaxtyping import Float, Int

from fmkit._shapes import expect, integers
from fmkit._types import Array
from fmkit._values import demand, generator, number, whole

Counts = Int[Array, "T"]


def rate_interval(hits: int, total: int, z: float = 1.96) -> tuple[float, float]:
    """Between which rates the truth probably lies, when ``hits`` of ``total`` were seen (Wilson's interval).

    Unlike ``p ± z sqrt(p (1 - p) / n)`` it is never empty or outside 0 to 1, not for 0 hits either.

    References
    ----------
    Wilson, "Probable inference, the law of succession, and statistical inference" (1927).

    Examples
    --------
    >>> print(*(round(end, 3) for end in rate_interval(0, 10)))
    0.0 0.278
    """
    total, hits = whole("total", total, 1), whole("hits", hits, 0)
    demand(hits <= total, "hits", f"at most {total}", hits)
    p, w = hits / total, z * z / total
    middle, half = p + w / 2, z * math.sqrt(p * (1 - p) / total + w / (4 * total))
    return max((middle - half) / (1 + w), 0.0), min((middle + half) / (1 + w), 1.0)


def gains(hits: Counts, totals: Counts) -> Float[Array, "T1"]:
    """How much better two rates explain a series than one, for each place where the rate may change.

    Returns
    -------
    gain : (T-1,)
        Nats of log-likelihood; entry i: a change before period i + 1.

    Examples
    --------
    >>> print(gains(np.array([1, 1, 9, 9]), np.array([10, 10, 10, 10])).round(2))
    [ 4.76 14.72  4.76]
    """
    hits, totals = _series(hits, totals)
    before = np.cumsum(hits)[:-1], np.cumsum(totals)[:-1]  # (T-1,) each
    after = hits.sum() - before[0], totals.sum() - before[1]
    whole_series = hits.sum(keepdims=True), totals.sum(keepdims=True)  # (1,) each
    return _likelihood(*before) + _likelihood(*after) - _likelihood(*whole_series)


def _likelihood(hits: Array, totals: Array) -> Array:
    """The largest log-likelihood that one rate can give; 0 log 0 is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        yes = np.where(hits > 0, hits * np.log(hits / totals), 0.0)
        no = np.where(totals > hits, (totals - hits) * np.log1p(-hits / totals), 0.0)
    return yes + no


def naive_p(gain: float) -> float:
    """The p-value of a change *at a place that was fixed beforehand*: the usual likelihood-ratio test.

    Whoever first looks for the best place and then asks this is wrong most of the time.

    References
    ----------
    Wilks, "The large-sample distribution of the likelihood ratio for testing composite hypotheses" (1938).

    Examples
    --------
    >>> print(round(naive_p(1.92), 3))
    0.05
    """
    return math.erfc(math.sqrt(max(number("gain", gain), 0.0)))


def change_point(
    hits: Counts, totals: Counts, rng: np.random.Generator, draws: int = 1000
) -> tuple[int, float, float]:
    """Where a rate changes most, and how often chance alone finds a change as large *anywhere*.

    Chance: the hits are dealt out anew to all messages, so that only the order is lost.

    Returns
    -------
    place : int
        The first period of the new rate.
    gain : float
        In nats, see `gains`.
    p : float
        ``(b + 1) / (draws + 1)``, where b of the draws were as good or better: never 0.

    References
    ----------
    Davison and Hinkley, "Bootstrap methods and their application" (1997), section 4.3, for the p-value.

    Examples
    --------
    >>> hits, totals = np.array([2, 1, 2, 9, 8, 9]), np.full(6, 20)
    >>> place, gain, p = change_point(hits, totals, np.random.default_rng(0))
    >>> print(place, round(gain, 1), p < 0.01)
    3 10.3 True
    """
    hits, totals = _series(hits, totals)
    generator(rng)
    draws = whole("draws", draws, 1)
    gain = gains(hits, totals)
    place = int(gain.argmax())
    dealt = rng.multivariate_hypergeometric(totals, hits.sum(), draws, method="marginals")  # (draws, T)
    by_chance = np.array([gains(series, totals).max() for series in dealt])
    better = int((by_chance >= gain[place] - 1e-9).sum())
    return place + 1, float(gain[place]), (better + 1) / (draws + 1)


def cusum(
    hits: Counts, totals: Counts, usual: float, raised: float, limit: float
) -> tuple[Float[Array, "T"], int | None]:
    """An alarm that adds up evidence for a raised rate, period by period, and forgets what speaks against it.

    Parameters
    ----------
    usual, raised : float
        Rates, 0 < usual < raised < 1: what is normal, and what is worth an alarm.
    limit : float
        Nats of evidence that set off the alarm. About ``exp(limit)`` periods pass between false ones.

    Returns
    -------
    evidence : (T,)
        Never below 0.
    alarm : int or None
        The first period with more than the limit.

    References
    ----------
    Page, "Continuous inspection schemes" (1954).

    Examples
    --------
    >>> evidence, alarm = cusum(np.array([1, 1, 4, 5]), np.full(4, 10), usual=0.1, raised=0.4, limit=4.0)
    >>> print(evidence.round(1), alarm)
    [0.  0.  3.1 8. ] 3
    """
    hits, totals = _series(hits, totals)
    usual, raised = number("usual", usual, above=0), number("raised", raised, above=0)
    demand(usual < raised < 1, "raised", f"between {usual} and 1", raised)
    number("limit", limit, 0.0)
    yes, no = math.log(raised / usual), math.log((1 - raised) / (1 - usual))
    evidence, total = [], 0.0
    for k, n in zip(hits.tolist(), totals.tolist(), strict=True):
        total = max(0.0, total + k * yes + (n - k) * no)
        evidence.append(total)
    evidence = np.array(evidence)
    over = np.flatnonzero(evidence > limit)
    return evidence, int(over[0]) if len(over) else None


def _series(hits: Counts, totals: Counts) -> tuple[Counts, Counts]:
    expect("totals", totals, hits.shape, "(T,), as hits")
    integers("hits", hits)
    integers("totals", totals)
    demand(len(hits) > 1, "hits", "two periods at least", len(hits))
    demand(bool((totals > 0).all()), "totals", "more than 0 in each period", totals.min())
    demand(bool(((hits >= 0) & (hits <= totals)).all()), "hits", "0 to the totals", "others among them")
    return hits, totals
