"""Inputs made to mislead (chapter 14): FGSM, PGD, and smoothing, which proves that nothing nearby misleads.

All of them work on numbers from 0 to 1, such as a picture's brightness, and allow each to change by at most
``eps``. ``slope`` is a function from inputs to the gradient of their loss, by any backward of this kit.
"""

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
from jaxtyping import Float, Integer

from fmkit._shapes import expect, floats
from fmkit._types import Array
from fmkit._values import demand, generator, number, whole
from fmkit.privacy import binomial_upper

Slope = Callable[[Array], Array]


def fgsm(x: Float[Array, "*shape"], grad: Float[Array, "*shape"], eps: float) -> Float[Array, "*shape"]:
    """One step: every number moves by eps in the direction in which the loss grows, and stays in 0 to 1.

    Parameters
    ----------
    x : array
        From 0 to 1.
    grad : array
        Of the loss with respect to x. (With its sign turned, the step makes the loss smaller: for a target.)
    eps : float
        In the units of x: 1/255 is the smallest step of a picture's bytes.

    References
    ----------
    Goodfellow, Shlens and Szegedy, "Explaining and harnessing adversarial examples" (2015), section 4.

    Examples
    --------
    >>> print(fgsm(np.array([0.5, 0.5, 1.0]), np.array([2.0, -0.1, 1.0]), 0.25))
    [0.75 0.25 1.  ]
    """
    x, eps = _unit("x", x), number("eps", eps, 0)
    expect("grad", grad, x.shape, "as x")
    return np.clip(x + eps * np.sign(grad).astype(x.dtype), 0.0, 1.0)


def pgd(
    x: Float[Array, "*shape"],
    slope: Slope,
    eps: float,
    step: float,
    steps: int,
    rng: np.random.Generator | None = None,
) -> Float[Array, "*shape"]:
    """Many small steps of `fgsm`, each brought back to within eps of **x**, where it all began.

    Parameters
    ----------
    x : array
        From 0 to 1.
    slope : callable
        From an array like x to the gradient of the loss there.
    eps : float
        How far each number may end from its place.
    step : float
        How far it goes at once.
    steps : int
    rng : numpy.random.Generator, optional
        Start somewhere within eps; without it, at x.

    References
    ----------
    Madry et al., "Towards deep learning models resistant to adversarial attacks" (2018), section 2.1.

    Examples
    --------
    >>> print(pgd(np.array([0.5, 0.1]), lambda x: np.array([1.0, -1.0]), 0.2, 0.15, 3))
    [0.7 0. ]
    """
    x, eps = _unit("x", x), number("eps", eps, 0)
    step, steps = number("step", step, 0), whole("steps", steps, 0)
    low, high = np.maximum(x - eps, 0.0), np.minimum(x + eps, 1.0)
    at = x.copy()
    if rng is not None:
        generator(rng)
        at = np.clip(x + rng.uniform(-eps, eps, x.shape).astype(x.dtype), low, high)
    for _ in range(steps):
        at = np.clip(at + step * np.sign(slope(at)).astype(x.dtype), low, high)
    return at


def smoothed_votes(
    predict: Callable[[Array], Array],
    x: Float[Array, "*shape"],
    sigma: float,
    n: int,
    n_classes: int,
    rng: np.random.Generator,
    batch: int = 500,
) -> Integer[Array, "n_classes"]:
    """How often each class is the answer when the input is disturbed by noise: n votes.

    Parameters
    ----------
    predict : callable
        From inputs (B, ...) to class numbers (B,).
    x : array
        One input.
    sigma : float
        Standard deviation of the noise on every number. (It may leave 0 to 1: the proof asks for that.)
    batch : int
        So many at once.

    References
    ----------
    Cohen, Rosenfeld and Kolter, "Certified adversarial robustness via randomized smoothing" (2019), figure 2.

    Examples
    --------
    >>> above = lambda x: (x[:, 0] > 0).astype(int)
    >>> print(smoothed_votes(above, np.array([3.0]), 1.0, 100, 2, np.random.default_rng(0)))
    [  0 100]
    """
    x, sigma = floats("x", x), number("sigma", sigma, 0)
    n, batch = whole("n", n, 1), whole("batch", batch, 1)
    generator(rng)
    votes = np.zeros(whole("n_classes", n_classes, 1), dtype=np.int64)
    for start in range(0, n, batch):
        noise = rng.normal(size=(min(batch, n - start), *x.shape)).astype(x.dtype)
        votes += np.bincount(predict(x + sigma * noise), minlength=len(votes))
    return votes


def certified_radius(found: int, n: int, sigma: float, alpha: float = 0.001) -> float:
    """How far (Euclidean distance) every other input has the same smoothed answer, proven but for alpha.

    Parameters
    ----------
    found, n : int
        The class got ``found`` of n votes. Choose the class by **other** votes: by these it would be luck.
    sigma : float
        Of the noise.
    alpha : float
        The share of the certificates that may be wrong.

    Returns
    -------
    radius : float
        0 where the class may have less than half of the votes: no certificate.

    References
    ----------
    Cohen, Rosenfeld and Kolter (2019), theorem 1 and algorithm CERTIFY.

    Examples
    --------
    >>> round(certified_radius(990, 1000, 0.5), 2), certified_radius(510, 1000, 0.5)
    (0.99, 0.0)
    """
    found, n, sigma = whole("found", found, 0), whole("n", n, 1), number("sigma", sigma, 0)
    demand(found <= n, "found", f"at most {n}", found)
    least = 1 - binomial_upper(n - found, n, alpha)  # the class has this probability at least
    return sigma * NormalDist().inv_cdf(least) if least > 0.5 else 0.0


def _unit(name: str, x: Array) -> Array:
    x = floats(name, x)
    demand(not x.size or (x.min() >= 0 and x.max() <= 1), name, "numbers from 0 to 1", "others")
    return x
