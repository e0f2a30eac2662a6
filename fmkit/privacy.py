"""What a model gives away (chapter 14): attacks on membership, DP-SGD, its accountant, and an audit of it.

Differential privacy bounds what anybody can learn from a result about one example: with or without it, each
outcome is about as likely. *About* is epsilon, and delta is a small share of the cases that may be worse.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from jaxtyping import Float, Integer

from fmkit._shapes import expect, floats, integers
from fmkit._types import Array
from fmkit._values import demand, generator, number, whole

BELL = NormalDist()
ORDERS = (*range(2, 64), *range(64, 257, 8))

# ------------------------------------------------------------------------------------ was it in the training?


def log_odds(probs: Float[Array, "N K"], targets: Integer[Array, "N"]) -> Float[Array, "N"]:
    """How sure the model is of the right class, on a scale without ends: log(p / (1 - p)).

    Near 1 a probability hardly moves; its log odds do, and over several models they look like a bell.

    Parameters
    ----------
    probs : (N, K)
        Rows that sum to 1.
    targets : (N,)

    References
    ----------
    Carlini et al., "Membership inference attacks from first principles" (2022), section IV.

    Examples
    --------
    >>> print(log_odds(np.array([[0.5, 0.5], [0.1, 0.9]]), np.array([0, 1])).round(3))
    [0.    2.197]
    """
    probs = floats("probs", probs, 2, "(N, K)")
    expect("targets", targets, (len(probs),), "(N,)")
    integers("targets", targets, probs.shape[1])
    rows = np.arange(len(probs))
    others = probs.copy()
    others[rows, targets] = 0.0
    tiny = 1e-30  # what a probability of 0 is taken for
    return np.log(probs[rows, targets] + tiny) - np.log(others.sum(1) + tiny)  # (1 - p would round to 0)


def likelihood_ratio(
    score: Float[Array, "N"], inside: Float[Array, "N K"], outside: Float[Array, "N M"]
) -> Float[Array, "N"]:
    """How much better a score fits models that learned from the example than models that did not.

    Parameters
    ----------
    score : (N,)
        The attacked model's score of each example, such as `log_odds`.
    inside, outside : (N, K), (N, M)
        Scores of the same examples under the attacker's own models: trained with them, and without.

    Returns
    -------
    ratio : (N,)
        Log of the ratio of two bells. The spread is one for all examples on each side: a few models are too
        few for a spread of each example.

    References
    ----------
    Carlini et al. (2022), algorithm 1, and section VI.D for the common spread.

    Examples
    --------
    >>> inside, outside = np.array([[4.0, 6.0]]), np.array([[-1.0, 1.0]])
    >>> print(likelihood_ratio(np.array([4.0]), inside, outside))  # 1 from 5, 4 from 0, the spread is 1
    [7.5]
    """
    score = floats("score", score, 1, "(N,)")
    logs = []
    for name, own in (("inside", inside), ("outside", outside)):
        own = floats(name, own, 2, "(N, models)")
        expect(name, own, (len(score), None), "(N, models)")
        demand(own.shape[1] > 1, name, "two models at least", own.shape[1])
        mean = own.mean(1)
        spread = math.sqrt(float(((own - mean[:, None]) ** 2).mean())) + 1e-12
        logs.append(-0.5 * ((score - mean) / spread) ** 2 - math.log(spread))
    return logs[0] - logs[1]


def tpr_at_fpr(member: Float[Array, "N"], other: Float[Array, "M"], fpr: float = 0.01) -> float:
    """Of the members, the share that an attack finds while it accuses at most ``fpr`` of the others.

    Parameters
    ----------
    member, other : (N,), (M,)
        Scores: higher says *member*. Who scores above the threshold is accused; a tie is not.
    fpr : float
        0 to 1.

    References
    ----------
    Carlini et al. (2022), section III: an attack that is right about a few is worse than its AUC says.

    Examples
    --------
    >>> tpr_at_fpr(np.array([3.0, 2.0, 0.0]), np.array([2.0, 1.0, 0.0, 0.0]), 0.25)
    0.6666666666666666
    """
    member, other = floats("member", member, 1, "(N,)"), floats("other", other, 1, "(M,)")
    fpr = number("fpr", fpr, 0, 1)
    for name, scores in (("member", member), ("other", other)):
        demand(len(scores) > 0, name, "a score at least", "none")
    allowed = math.floor(fpr * len(other) + 1e-9)  # so many may be accused by mistake
    if allowed >= len(other):
        return 1.0
    threshold = np.sort(other)[-1 - allowed]
    return float((member > threshold).mean())


# ---------------------------------------------------------------------------------------------------- DP-SGD


def squared_norms(x: Float[Array, "B I"], dout: Float[Array, "B O"]) -> Float[Array, "B"]:
    """The squared norm of each example's own gradient of a linear layer, weight and bias, without making it.

    The gradient of one example is an outer product of its input and its ``dout``: its squared norm is the
    product of theirs. The bias sees an input of 1.

    Parameters
    ----------
    x : (B, I)
        What went into the layer.
    dout : (B, O)
        Gradient at its output **of the example's own loss**: of a mean over the batch, multiply by B first.

    References
    ----------
    Goodfellow, "Efficient per-example gradient computations" (2015), section 4.

    Examples
    --------
    >>> print(squared_norms(np.array([[2.0, 0.0]]), np.array([[1.0, 3.0]])))  # (4 + 1) * 10
    [50.]
    """
    x, dout = floats("x", x, 2, "(B, I)"), floats("dout", dout, 2, "(B, O)")
    expect("dout", dout, (len(x), None), "(B, O)")
    return ((x * x).sum(1) + 1.0) * (dout * dout).sum(1)


def clip_factors(squared: Float[Array, "B"], clip: float) -> Float[Array, "B"]:
    """What each example's gradient is multiplied with, so that no norm is above ``clip``; short ones stay.

    Parameters
    ----------
    squared : (B,)
        Squared norms over **all** parameters: `squared_norms` of every layer, added up.
    clip : float
        Above 0.

    References
    ----------
    Abadi et al., "Deep learning with differential privacy" (2016), algorithm 1.

    Examples
    --------
    >>> print(clip_factors(np.array([0.0, 0.25, 16.0]), 1.0))
    [1.   1.   0.25]
    """
    squared, clip = floats("squared", squared, 1, "(B,)"), number("clip", clip, above=0)
    return clip / np.maximum(np.sqrt(squared), clip)


def add_noise(
    total: Float[Array, "*shape"], clip: float, sigma: float, expected: int | float, rng: np.random.Generator
) -> Float[Array, "*shape"]:
    """The private mean gradient: the sum of clipped gradients, noise for every number of it, divided.

    Parameters
    ----------
    total : array
        Clipped gradients, added up over the batch.
    clip, sigma : float
        The noise has standard deviation ``sigma * clip``: one example can move the sum by ``clip``.
    expected : float
        How many examples a batch has **on average**: how many it really has is nobody's business.
    rng : numpy.random.Generator

    References
    ----------
    Abadi et al. (2016), algorithm 1.

    Examples
    --------
    >>> print(add_noise(np.array([8.0, 4.0]), 1.0, 0.0, 4, np.random.default_rng(0)))
    [2. 1.]
    """
    total, expected = floats("total", total), number("expected", expected, above=0)
    generator(rng)
    std = number("sigma", sigma, 0) * number("clip", clip, above=0)
    noise = rng.normal(size=total.shape).astype(total.dtype)
    return (total + std * noise) / expected


def poisson_batch(n: int, q: float, rng: np.random.Generator) -> Integer[Array, "B"]:
    """Each of n examples takes part with probability q, by itself: batches differ in size, and may be empty.

    The accountant counts on this. (Shuffled batches of one size are another, weaker story.)

    Examples
    --------
    >>> poisson_batch(10, 0.3, np.random.default_rng(0))
    array([1, 2, 3])
    """
    generator(rng)
    return np.flatnonzero(rng.random(whole("n", n, 1)) < number("q", q, 0, 1))


# -------------------------------------------------------------------------------------------- the accountant


def renyi(q: float, sigma: float, order: int) -> float:
    """What one step of DP-SGD gives away, as a Renyi divergence of a whole order.

    Two worlds, with and without one example: a bell around 0, and with probability q one around 1. The
    binomial theorem turns the moment into a sum.

    Parameters
    ----------
    q : float
        Probability that an example takes part in the step.
    sigma : float
        Noise as a multiple of the clipping norm.
    order : int
        2 or more.

    References
    ----------
    Mironov, Talwar and Zhang, "Renyi differential privacy of the sampled Gaussian mechanism"
    (2019), section 3.3.

    Examples
    --------
    >>> renyi(1.0, 2.0, 4)  # all take part: order / (2 sigma^2)
    0.5
    """
    q, sigma = number("q", q, 0, 1), number("sigma", sigma, above=0)
    order = whole("order", order, 2)
    if q in (0.0, 1.0):
        return q * order / (2 * sigma**2)
    k = np.arange(order + 1)
    logs = _log_binomials(order) + (order - k) * math.log1p(-q) + k * math.log(q)
    logs = logs + (k * k - k) / (2 * sigma**2)
    top = logs.max()
    return max(0.0, float(top + np.log(np.exp(logs - top).sum())) / (order - 1))


def epsilon(
    q: float,
    sigma: float,
    steps: int,
    delta: float,
    orders: Sequence[int] = ORDERS,
    classic: bool = False,
) -> float:
    """The epsilon of so many steps of DP-SGD: divergences add up, and the best order gives the figure.

    Parameters
    ----------
    q, sigma
        As for `renyi`.
    steps : int
    delta : float
        Between 0 and 1; well below 1 / (number of examples).
    classic : bool
        The conversion of 2017, which published figures such as Abadi's 1.26 are made with. The other one is
        tighter.

    References
    ----------
    Mironov, "Renyi differential privacy" (2017), proposition 3 (``classic``); Canonne, Kamath and Steinke,
    "The discrete Gaussian for differential privacy" (2020), proposition 12.

    Examples
    --------
    >>> round(epsilon(0.01, 4.0, 10_000, 1e-5, classic=True), 2)  # Abadi et al. (2016), section 3.2
    1.26
    """
    delta, steps = number("delta", delta, above=0, below=1), whole("steps", steps, 0)
    if q == 0 or steps == 0:
        return 0.0
    best = math.inf
    for order in orders:
        spent = steps * renyi(q, sigma, order)
        if classic:
            spent += math.log(1 / delta) / (order - 1)
        else:
            spent += math.log1p(-1 / order) - math.log(delta * order) / (order - 1)
        best = min(best, spent)
    return max(0.0, best)


def gaussian_delta(mu: float, epsilon: float) -> float:
    """The delta at this epsilon of telling a bell around 0 from a bell around mu, both of spread 1.

    References
    ----------
    Balle and Wang, "Improving the Gaussian mechanism for differential privacy" (2018), theorem 8.

    Examples
    --------
    >>> round(gaussian_delta(1.0, 0.0), 3)  # the largest difference between the two areas
    0.383
    """
    mu, epsilon = number("mu", mu, above=0), number("epsilon", epsilon, 0)
    second = _area_below(-mu / 2 - epsilon / mu)  # e^epsilon may overflow where this is long 0
    grown = math.exp(epsilon + math.log(second)) if second > 0 else 0.0
    return _area_below(mu / 2 - epsilon / mu) - grown


def _area_below(z: float) -> float:
    """Under the bell, to the last digit of the smallest tail (``BELL.cdf`` ends at 1e-16)."""
    return 0.5 * math.erfc(-z / math.sqrt(2))


def gaussian_epsilon(mu: float, delta: float) -> float:
    """The epsilon of Gaussian differential privacy ``mu``: T steps in which all take part have sqrt(T)/sigma.

    References
    ----------
    Dong, Roth and Su, "Gaussian differential privacy" (2022), corollary 2.13 and section 3.

    Examples
    --------
    >>> round(gaussian_epsilon(1.0, 0.01), 2)
    2.32
    """
    mu, delta = number("mu", mu, 0), number("delta", delta, above=0, below=1)
    if mu == 0.0 or gaussian_delta(mu, 0.0) <= delta:
        return 0.0
    low, high = 0.0, 1.0
    while gaussian_delta(mu, high) > delta:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if gaussian_delta(mu, middle) > delta else (low, middle)
    return high


# --------------------------------------------------------------------------------------------------- an audit


def binomial_upper(found: int, n: int, alpha: float) -> float:
    """The largest probability under which ``found`` or fewer of n still happen in a share alpha of the tries.

    References
    ----------
    Clopper and Pearson, "The use of confidence or fiducial limits" (1934).

    Examples
    --------
    >>> round(binomial_upper(0, 100, 0.05), 4)  # the rule of three: about 3 / 100
    0.0295
    """
    found, n, alpha = whole("found", found, 0), whole("n", n, 1), number("alpha", alpha, above=0, below=1)
    demand(found <= n, "found", f"at most {n}", found)
    if found == n:
        return 1.0
    k, ways = np.arange(found + 1), _log_binomials(n)[: found + 1]
    low, high = found / n, 1.0
    for _ in range(50):
        p = (low + high) / 2
        so_few = np.exp(ways + k * math.log(p) + (n - k) * math.log1p(-p)).sum()
        low, high = (p, high) if so_few > alpha else (low, p)
    return high


def mu_lower(without: Float[Array, "N"], inside: Float[Array, "M"], confidence: float = 0.99) -> float:
    """What a game proves: the mechanism is no better than Gaussian privacy with this mu, or chance was odd.

    One half of the outcomes chooses a threshold (and which side is *inside*), the other half counts both
    errors of the guess. If even the upper bounds of the errors are small, the two worlds can be told apart.

    Parameters
    ----------
    without, inside : (N,), (M,)
        What was seen in games without the canary, and with it. At least 4 of each.
    confidence : float
        The share of the audits of an honest mechanism in which the bound holds.

    Returns
    -------
    mu : float
        0 where nothing can be proven.

    References
    ----------
    Nasr et al., "Tight auditing of differentially private machine learning" (2023), section 4.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> print(round(mu_lower(rng.normal(size=4000), rng.normal(size=4000) + 2), 1))
    1.7
    """
    without, inside = floats("without", without, 1, "(N,)"), floats("inside", inside, 1, "(M,)")
    demand(min(len(without), len(inside)) >= 4, "without, inside", "4 games each", "fewer")
    confidence = number("confidence", confidence, above=0, below=1)
    sign = 1.0 if np.median(inside[::2]) >= np.median(without[::2]) else -1.0
    choose = sign * without[::2], sign * inside[::2]
    tried = np.quantile(np.concatenate(choose), np.linspace(0.02, 0.98, 97))
    threshold = max(tried, key=lambda t: _mu(*_errors(*choose, t)))
    errors = _errors(sign * without[1::2], sign * inside[1::2], threshold)
    upper = [binomial_upper(found, n, (1 - confidence) / 2) for found, n in errors]
    if 1.0 in upper:
        return 0.0
    return max(0.0, -BELL.inv_cdf(upper[0]) - BELL.inv_cdf(upper[1]))


def _errors(without: Array, inside: Array, threshold: float) -> tuple[tuple[int, int], tuple[int, int]]:
    """Of the games without the canary those that look as if it were there, and the other way round."""
    return (int((without > threshold).sum()), len(without)), (int((inside <= threshold).sum()), len(inside))


def _mu(*errors: tuple[int, int]) -> float:
    """The distance of two bells with such errors, each raised to about its upper bound (Wilson, 1927)."""
    z, mu = 2.6, 0.0
    for found, n in errors:
        width = z * math.sqrt(found * (n - found) / n + z * z / 4)
        mu -= BELL.inv_cdf((found + z * z / 2 + width) / (n + z * z + 1e-9))
    return mu


def _log_binomials(n: int) -> Float[Array, "K"]:
    """Log of n over k, for k from 0 to n."""
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1.0, n + 1)))])
    return factorials[-1] - factorials - factorials[::-1]
