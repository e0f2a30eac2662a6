"""Explanations (chapter 12): what share of an answer is due to each part of the input, and is that so?

A model is seen through two functions. ``gradient(points)``: (S, ...) inputs to the slopes of the score in
each number of them, (S, ...). ``value(masks)``: (S, n) of 0 and 1, which parts of the input are there, to the
scores (S,); how a part is taken away (a hidden word, a blurred patch) is the caller's choice, and a part of
the question. An explanation is one number for each part: how much it speaks *for* the score.

Other shapes and settings out of range raise ValueError; what is no array, TypeError.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Integer, Num

from fmkit._shapes import expect, floats, integers
from fmkit._types import Array
from fmkit._values import demand, generator, number, whole

Gradient = Callable[[Array], Array]
Value = Callable[[Array], Array]
Parts = Float[Array, "n"]

# ---------------------------------------------------------------------------------------------- with slopes


def integrated_gradients(
    gradient: Gradient, x: Float[Array, "*shape"], baseline: Float[Array, "*shape"], steps: int = 32
) -> Float[Array, "*shape"]:
    """The way from ``baseline`` to ``x``, times the mean slope along it.

    The numbers sum to what the score gained on the way (*completeness*), up to the error of ``steps``
    rectangles, each measured in its middle.

    Parameters
    ----------
    gradient : function
        (S, ...) points to the slopes there, (S, ...).
    x : array
    baseline : array
        The input that says nothing; the explanation depends on the choice.
    steps : int
        At how many points of the way the slope is taken.

    References
    ----------
    Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks" (2017), equations 1 and 3.

    Examples
    --------
    >>> slopes = lambda points: 2 * points  # of the sum of squares
    >>> integrated_gradients(slopes, np.array([3.0, 1.0]), np.array([1.0, 1.0]))
    array([8., 0.])
    """
    x = floats("x", x)
    expect("baseline", baseline, x.shape, "the shape of x")
    at = (np.arange(whole("steps", steps, 1), dtype=x.dtype) + 0.5) / steps
    points = baseline + at.reshape(-1, *[1] * x.ndim) * (x - baseline)  # (steps, ...)
    return (x - baseline) * _slopes(gradient, points).mean(0)


def smoothgrad(
    gradient: Gradient, x: Float[Array, "*shape"], rng: np.random.Generator, sigma: float, draws: int = 16
) -> Float[Array, "*shape"]:
    """The mean slope near ``x``: noise of spread ``sigma`` is added to it, ``draws`` times.

    References
    ----------
    Smilkov et al., "SmoothGrad: removing noise by adding noise" (2017), section 2.

    Examples
    --------
    >>> slopes = lambda points: 2 * points
    >>> smoothgrad(slopes, np.array([3.0, 1.0]), np.random.default_rng(0), sigma=0.01).round(1)
    array([6., 2.])
    """
    x = floats("x", x)
    generator(rng)
    sigma, draws = number("sigma", sigma, 0), whole("draws", draws, 1)
    noise = rng.normal(size=(draws, *x.shape)).astype(x.dtype)
    return _slopes(gradient, x + sigma * noise).mean(0)


def _slopes(gradient: Gradient, points: Float[Array, "S *shape"]) -> Float[Array, "S *shape"]:
    slopes = np.asarray(gradient(points))
    demand(
        slopes.shape == points.shape,
        "gradient",
        f"slopes of the shape of its points {points.shape}",
        slopes.shape,
    )
    return slopes


# ------------------------------------------------------------------------------------- by taking parts away


def occlusion(value: Value, n: int) -> Parts:
    """What the score loses when one part alone is taken away.

    References
    ----------
    Zeiler and Fergus, "Visualizing and understanding convolutional networks" (2014), section 4.2.

    Examples
    --------
    >>> both = lambda masks: masks[:, 0] * masks[:, 1] + 0.5 * masks[:, 2]
    >>> occlusion(both, 3)
    array([1. , 1. , 0.5])
    """
    n = whole("n", n, 1)
    scores = _scores(value, np.append(np.ones((1, n)), 1 - np.eye(n), 0))
    return scores[0] - scores[1:]


def lime(
    masks: Num[Array, "S n"], y: Float[Array, "S"], width: float = 0.25, ridge: float = 1e-2
) -> tuple[Parts, float]:
    """The straight line that answers most like the model, near the whole input.

    Parameters
    ----------
    masks : (S, n) of 0 and 1
        Which parts were there.
    y : (S,)
        What the model said.
    width : float
        An answer counts exp(-(d / width)²), d = 1 - sqrt(share of the parts that are there): the cosine
        distance to the whole input.
    ridge : float
        Penalty on the squared weights, not on the intercept.

    Returns
    -------
    weights : (n,)
    intercept : float

    References
    ----------
    Ribeiro, Singh and Guestrin, '"Why should I trust you?"' (2016), equations 1 and 2; ridge for their lasso.

    Examples
    --------
    >>> masks = np.array([[1, 1], [1, 0], [0, 1], [0, 0]])
    >>> weights, intercept = lime(masks, np.array([6.0, 4.0, 3.0, 1.0]), width=1.0, ridge=0.0)
    >>> weights.round(6), round(intercept, 6)
    (array([3., 2.]), 1.0)
    """
    expect("masks", masks, (None, None), "(S, n)")
    y = floats("y", y, 1, "(S,)")
    expect("y", y, (len(masks),), "(S,)")
    demand(np.isfinite(y).all(), "y", "finite numbers", "NaN or inf among them")
    width, ridge = number("width", width, above=0), number("ridge", ridge, 0)
    weight = np.exp(-(((1 - np.sqrt(masks.mean(1))) / width) ** 2))  # (S,)
    design = np.c_[masks, np.ones(len(masks))]
    penalty = ridge * np.diag(np.append(np.ones(masks.shape[1]), 0.0))
    solved = np.linalg.lstsq(design.T * weight @ design + penalty, design.T @ (weight * y), rcond=None)[0]
    return solved[:-1], float(solved[-1])


def shapley(values: Num[Array, "coalitions"]) -> Parts:
    """Each part's mean gain over all orders in which the parts can come, from the score of every coalition.

    Parameters
    ----------
    values : (2**n,)
        ``values[k]`` is the score when part i is there for each bit i of k: ``values[0]`` with none,
        ``values[5]`` with parts 0 and 2.

    Returns
    -------
    gains : (n,)
        They sum to ``values[-1] - values[0]``.

    References
    ----------
    Shapley, "A value for n-person games" (1953); Lundberg and Lee, "A unified approach to interpreting model
    predictions" (2017), equation 4.

    Examples
    --------
    >>> shapley(np.array([0.0, 1.0, 0.0, 3.0]))  # part 1 helps only with part 0
    array([2., 1.])
    """
    values = floats("values", values, 1, "(2**n,)")
    n = len(values).bit_length() - 1
    demand(len(values) == 2**n and n > 0, "values", "2**n scores", len(values))
    coalitions = np.arange(2**n)
    size = sum((coalitions >> i) & 1 for i in range(n))
    gains = np.empty(n, values.dtype)
    for i in range(n):
        without = coalitions[(coalitions >> i) & 1 == 0]
        orders = [math.factorial(s) * math.factorial(n - s - 1) / math.factorial(n) for s in range(n)]
        gains[i] = np.take(orders, size[without]) @ (values[without | 1 << i] - values[without])
    return gains


def shapley_sampled(value: Value, n: int, rng: np.random.Generator, orders: int = 8) -> Parts:
    """Each part's mean gain over some orders, each followed by its reverse; for many parts.

    They sum to what the score gains from no part to all, however few orders there are.

    References
    ----------
    Castro, Gómez and Tejada, "Polynomial calculation of the Shapley value based on sampling" (2009).

    Examples
    --------
    >>> both = lambda masks: masks[:, 0] * masks[:, 1] + 0.5 * masks[:, 2]
    >>> shapley_sampled(both, 3, np.random.default_rng(0), orders=2)
    array([0.5, 0.5, 0.5])
    """
    n, orders = whole("n", n, 1), whole("orders", orders, 1)
    generator(rng)
    drawn = [rng.permutation(n) for _ in range(orders)]
    drawn = [order for one in drawn for order in (one, one[::-1])]
    scores = _scores(value, np.concatenate([_added(order) for order in drawn])).reshape(-1, n + 1)
    gains = np.zeros(n)
    for order, along in zip(drawn, scores, strict=True):
        gains[order] += np.diff(along)
    return gains / len(drawn)


def _added(order: Integer[Array, "n"]) -> Float[Array, "points n"]:
    """Masks that begin with no part and add one after the other."""
    place = np.argsort(order)  # when each part comes
    return (place < np.arange(len(order) + 1)[:, None]).astype(np.float64)


def _scores(value: Value, masks: Float[Array, "S n"]) -> Float[Array, "S"]:
    scores = np.asarray(value(masks))
    demand(scores.shape == (len(masks),), "value", f"a score for each of {len(masks)} masks", scores.shape)
    return scores


# ------------------------------------------------------------------------------------------------ attention


def attention_rollout(weights: Float[Array, "L H T T"]) -> Float[Array, "T T"]:
    """What each position holds of each token after all layers, if attention and the way past it were all.

    Parameters
    ----------
    weights : (L, H, T, T)
        Of each layer and head: each row sums to 1.

    Returns
    -------
    mixture : (T, T)
        Row t: the shares of the tokens in position t. It sums to 1.

    References
    ----------
    Abnar and Zuidema, "Quantifying attention flow in transformers" (2020), section 3.

    Examples
    --------
    >>> attention_rollout(np.array([[[[1.0, 0.0], [0.5, 0.5]]]]))
    array([[1.  , 0.  ],
           [0.25, 0.75]])
    """
    weights = floats("weights", weights, 4, "(L, H, T, T)")
    T = weights.shape[-1]
    expect("weights", weights, (None, None, T, T), "(L, H, T, T)")
    mixture = np.eye(T, dtype=weights.dtype)
    for layer in weights.mean(1):
        mixture = 0.5 * (layer @ mixture) + 0.5 * mixture
    return mixture


# ------------------------------------------------------------------------------------- is it an explanation?


def deletion_curve(value: Value, explanation: Parts) -> Float[Array, "points"]:
    """The score while parts are taken away, the most important first: it should fall soon.

    It begins with the whole input and ends with no part. Of equal numbers the earlier part goes first.

    References
    ----------
    Petsiuk, Das and Saenko, "RISE: randomized input sampling for explanation of black-box models" (2018),
    section 4.2.

    Examples
    --------
    >>> sums = lambda masks: masks @ np.array([1.0, 5.0, 2.0])
    >>> deletion_curve(sums, np.array([1.0, 5.0, 2.0]))
    array([8., 3., 1., 0.])
    """
    explanation = floats("explanation", explanation, 1, "(n,)")
    return _scores(value, 1 - _added(np.argsort(-explanation, kind="stable")))


def insertion_curve(value: Value, explanation: Parts) -> Float[Array, "points"]:
    """The score while parts are added to nothing, the most important first: it should rise soon.

    References
    ----------
    As `deletion_curve`.

    Examples
    --------
    >>> sums = lambda masks: masks @ np.array([1.0, 5.0, 2.0])
    >>> insertion_curve(sums, np.array([1.0, 5.0, 2.0]))
    array([0., 5., 7., 8.])
    """
    explanation = floats("explanation", explanation, 1, "(n,)")
    return _scores(value, _added(np.argsort(-explanation, kind="stable")))


def area(curve: Float[Array, "points"]) -> float:
    """The mean height of a curve from its first point to its last, with straight lines between the points.

    Examples
    --------
    >>> area(np.array([8.0, 3.0, 1.0, 0.0])), area(np.array([0.0, 5.0, 7.0, 8.0]))
    (2.6666666666666665, 5.333333333333333)
    """
    curve = floats("curve", curve, 1, "(n+1,)")
    demand(len(curve) > 1, "curve", "two points at least", len(curve))
    return float((curve[1:] + curve[:-1]).mean() / 2)


class Trial(NamedTuple):
    """What `trial` found: areas of the explanation, and of orders that were drawn at random.

    Examples
    --------
    >>> found = trial(lambda masks: masks[:, 0], np.array([1.0, 0.0]), np.random.default_rng(0))
    >>> found.deletion, found.insertion
    (0.25, 0.75)
    """

    deletion: float  # lower is better
    insertion: float  # higher is better
    random_deletion: Float[Array, "R"]
    random_insertion: Float[Array, "R"]

    @property
    def passed(self) -> tuple[bool, bool]:
        """Whether it beats *every* random order by deletion, and by insertion."""
        return (
            bool(self.deletion < self.random_deletion.min()),
            bool(self.insertion > self.random_insertion.max()),
        )


def trial(value: Value, explanation: Parts, rng: np.random.Generator, orders: int = 12) -> Trial:
    """An explanation against random orders: it says something only if it beats them.

    Parameters
    ----------
    value, explanation
        As `deletion_curve` takes them.
    rng : numpy.random.Generator
    orders : int
        R, how many orders are drawn. By chance alone one beats all of R others 1 time in R + 1.

    Examples
    --------
    >>> sums = lambda masks: masks @ np.array([1.0, 5.0, 2.0, 0.0, 0.0])
    >>> trial(sums, np.array([1.0, 5.0, 2.0, 0.0, 0.0]), np.random.default_rng(1)).passed
    (True, True)
    """
    generator(rng)
    random = [rng.random(len(explanation)) for _ in range(whole("orders", orders, 1))]
    down, up = (
        [area(curve(value, numbers)) for numbers in (explanation, *random)]
        for curve in (deletion_curve, insertion_curve)
    )
    return Trial(down[0], up[0], np.array(down[1:]), np.array(up[1:]))


# -------------------------------------------------------------------------------------------------- probing


def fit_probe(
    x: Float[Array, "N C"], labels: Integer[Array, "N"], ridge: float = 1.0
) -> tuple[Float[Array, "C K"], Float[Array, "K"]]:
    """A linear classifier on frozen vectors, by least squares: what is written in them, for whoever looks?

    Parameters
    ----------
    x : (N, C)
    labels : (N,)
        0 to K - 1.
    ridge : float
        Penalty on the squared weights of the *standardised* vectors, for each example.

    Returns
    -------
    w, b : (C, K), (K,)
        The class is ``(x @ w + b).argmax(-1)``.

    References
    ----------
    Alain and Bengio, "Understanding intermediate layers using linear classifier probes" (2016).

    Examples
    --------
    >>> w, b = fit_probe(np.array([[0.0], [1.0], [10.0], [11.0]]), np.array([0, 0, 1, 1]), ridge=1e-3)
    >>> (np.array([[2.0], [9.0]]) @ w + b).argmax(-1)
    array([0, 1])
    """
    x = floats("x", x, 2, "(N, C)")
    expect("labels", labels, (len(x),), "(N,)")
    integers("labels", labels)
    demand(len(x) > 0, "x", "an example at least", "none")
    ridge = number("ridge", ridge, above=0)
    mean, std = x.mean(0), x.std(0)
    scale = 1 / np.where(std > 0, std, 1)
    z = (x - mean) * scale
    wanted = np.eye(labels.max() + 1, dtype=x.dtype)[labels]  # (N, K)
    share = wanted.mean(0)
    w = np.linalg.solve(
        z.T @ z / len(x) + ridge * np.eye(x.shape[1], dtype=x.dtype), z.T @ (wanted - share) / len(x)
    )
    w *= scale[:, None]
    return w, share - mean @ w


def control_labels(
    kinds: Integer[Array, "N"], labels: Integer[Array, "N"], rng: np.random.Generator
) -> Integer[Array, "N"]:
    """Labels without meaning: each kind (a word, a sentence) gets one at random, as frequent as the real.

    A probe that learns them has learnt by heart, and what it says of the real labels proves as little.

    References
    ----------
    Hewitt and Liang, "Designing and interpreting probes with control tasks" (2019), section 2.

    Examples
    --------
    >>> control_labels(np.array([7, 7, 3, 7]), np.array([0, 1, 1, 0]), np.random.default_rng(0))
    array([1, 1, 0, 1])
    """
    integers("kinds", kinds)
    expect("labels", labels, kinds.shape, "(N,)")
    integers("labels", labels)
    generator(rng)
    known, which = np.unique(kinds, return_inverse=True)
    return rng.choice(labels, len(known))[which]
