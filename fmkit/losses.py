"""Losses (chapter 03): one number for how wrong the predictions are, and its gradient.

Every loss is a mean, so its gradient carries the factor 1/N. ``dout`` is the gradient that arrives from
above: 1.0 when the loss itself is what is minimised. Predictions and targets must have shapes that fit
(ValueError; nothing is broadcast) and be arrays of numbers (TypeError); the mean of nothing is refused, too.
"""

import numpy as np
from jaxtyping import Float, Integer

from fmkit._shapes import expect, floats, integers, opened
from fmkit._types import Array, Cache, Scalar
from fmkit._values import demand, number, whole
from fmkit.activations import sigmoid


def mse(pred: Float[Array, "*shape"], target: Float[Array, "*shape"]) -> tuple[Scalar, Cache]:
    """Mean squared error over all entries.

    Examples
    --------
    >>> loss, _ = mse(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    >>> print(loss)
    2.0
    """
    pred, target = _alike("pred", pred, "target", target)
    diff = pred - target
    return (diff * diff).mean(), diff


def mse_backward(dout: Scalar, cache: Cache) -> Float[Array, "*shape"]:
    """Gradient of `mse` with respect to ``pred``.

    Examples
    --------
    >>> _, cache = mse(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    >>> print(mse_backward(1.0, cache))
    [ 0. -2.]
    """
    diff = cache
    expect("dout", dout, (), "one number ()")
    return float(dout) * (2.0 / diff.size) * diff  # through the mean (1/N), then the square


def binary_cross_entropy(
    logits: Float[Array, "*shape"], targets: Float[Array, "*shape"]
) -> tuple[Scalar, Cache]:
    """Mean of -(y log p + (1 - y) log(1 - p)), p = sigmoid(logit), taken from the logits.

    Written as max(x, 0) - x y + log(1 + exp(-|x|)), good for any finite logit; p would round to 0 or 1.

    Parameters
    ----------
    logits : array of any shape
    targets : array, the shape of ``logits``
        The probability of the class, 0 or 1 or between. It gets no gradient.

    Raises
    ------
    ValueError
        For a target outside 0 to 1, or targets of another shape than the logits.

    Examples
    --------
    >>> loss, _ = binary_cross_entropy(np.array([0.0]), np.array([1.0]))  # undecided: log 2
    >>> print(loss.round(3))
    0.693
    >>> loss, _ = binary_cross_entropy(np.array([-1000.0]), np.array([1.0]))  # sure, and wrong
    >>> print(loss)
    1000.0
    """
    x, targets = _alike("logits", logits, "targets", targets)
    low, high = targets.min(), targets.max()
    demand(low >= 0 and high <= 1, "targets", "0 to 1", f"{low} to {high}")
    losses = np.maximum(x, 0.0) - x * targets + np.log1p(np.exp(-np.abs(x)))
    return losses.mean(), (x, targets)


def binary_cross_entropy_backward(dout: Scalar, cache: Cache) -> Float[Array, "*shape"]:
    """Gradient of `binary_cross_entropy` with respect to the logits: (sigmoid(x) - y) / N.

    Examples
    --------
    >>> _, cache = binary_cross_entropy(np.array([0.0, 2.0]), np.array([1.0, 0.0]))
    >>> print(binary_cross_entropy_backward(1.0, cache).round(3))
    [-0.25  0.44]
    """
    x, targets = opened(cache, 2, "binary_cross_entropy")
    expect("dout", dout, (), "one number ()")
    p, _ = sigmoid(x)
    return float(dout) * (1.0 / x.size) * (p - targets)  # through the mean (1/N), then the loss of one logit


def cross_entropy(
    logits: Float[Array, "*N V"],
    targets: Integer[Array, "*N"],
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
) -> tuple[Scalar, Cache]:
    """Mean of -log softmax(logits)[target] over the targets that are not ignored.

    Parameters
    ----------
    logits : array (..., V)
        Unnormalised scores of V classes.
    targets : integer array (...)
        The right class, 0 to V - 1, or ``ignore_index`` for a position that does not count (padding): its
        logits may be anything, even NaN.
    label_smoothing : float from 0 to 1
        Share of the target's probability that is spread evenly over all V classes.
        Source: Szegedy et al. (2016), section 7.

    Raises
    ------
    ValueError
        When every target is ignored (the mean of nothing), one is not a class, the shapes do not fit, or
        ``label_smoothing`` is not in 0 to 1.
    TypeError
        For targets that are not an array of integers.

    Examples
    --------
    >>> logits = np.array([[2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [9.0, 9.0, 9.0]])
    >>> loss, _ = cross_entropy(logits, np.array([0, 1, -100]))  # the third does not count
    >>> print(loss.round(3))
    0.669
    """
    logits = floats("logits", logits, axes=1)
    expect("targets", targets, logits.shape[:-1], "(...)")
    integers("targets", targets)
    demand(logits.shape[-1] > 0, "logits", "a class at least", logits.shape)
    ignore_index = whole("ignore_index", ignore_index)
    label_smoothing = number("label_smoothing", label_smoothing, 0, 1)
    keep = targets != ignore_index
    n = int(keep.sum())
    if n == 0:
        raise ValueError("every target is ignored, so there is no loss to take the mean of")
    targets = np.where(keep, targets, 0)
    if targets.min() < 0 or targets.max() >= logits.shape[-1]:
        raise ValueError(f"targets from {targets.min()} to {targets.max()}, but {logits.shape[-1]} classes")

    if n < keep.size:
        logits = np.where(keep[..., None], logits, 0.0)  # 0 times what stood there would not always be 0
    shifted = logits - logits.max(-1, keepdims=True)  # largest logit 0: no exponent overflows
    aim = np.take_along_axis(shifted, targets[..., None], -1)[..., 0]  # (*N): each target's own logit
    if label_smoothing:
        aim = (1.0 - label_smoothing) * aim + label_smoothing * shifted.mean(-1)
    exp = np.exp(shifted, out=shifted)  # (*N, V)
    total = exp.sum(-1)  # (*N)
    losses = np.log(total) - aim
    cache = exp, total, targets, keep, n, label_smoothing
    return (losses * keep).sum() / n, cache


def cross_entropy_backward(dout: Scalar, cache: Cache) -> Float[Array, "*N V"]:
    """Gradient of `cross_entropy` with respect to the logits: (softmax - target distribution) / N.

    Examples
    --------
    >>> _, cache = cross_entropy(np.array([[2.0, 0.0, 0.0], [0.0, 0.0, 0.0]]), np.array([0, 1]))
    >>> print(cross_entropy_backward(1.0, cache).round(3))  # each row sums to 0
    [[-0.107  0.053  0.053]
     [ 0.167 -0.333  0.167]]
    """
    exp, total, targets, keep, n, label_smoothing = opened(cache, 6, "cross_entropy")
    expect("dout", dout, (), "one number ()")
    share = float(dout) * (1.0 / n) * keep.astype(exp.dtype)  # (*N): 1/N through the mean, or 0 where ignored
    dlogits = exp * (share / total)[..., None]  # (*N, V): the softmax, through the log-sum-exp
    if label_smoothing:
        dlogits -= label_smoothing / exp.shape[-1] * share[..., None]  # through the mean over classes
    index = targets[..., None]  # (*N, 1)
    picked = np.take_along_axis(dlogits, index, -1)
    picked -= (1.0 - label_smoothing) * share[..., None]  # through the target's own logit
    np.put_along_axis(dlogits, index, picked, -1)
    return dlogits


def kl_divergence(log_q: Float[Array, "N *rest"], p: Float[Array, "N *rest"]) -> tuple[Scalar, Cache]:
    """KL(p || q), the extra nats it costs to code p with q's code: Σ p (log p - log q), divided by N.

    Parameters
    ----------
    log_q : array (N, ...)
        Log-probabilities of the model (from `log_softmax`).
    p : array, the shape of ``log_q``
        Probabilities aimed at (a teacher's). They get no gradient. Where p is 0, 0 log 0 counts as 0,
        whatever ``log_q`` is there (-inf, for a class that both rule out).

    Examples
    --------
    >>> p, q = np.array([[0.5, 0.5]]), np.array([[0.9, 0.1]])
    >>> print(kl_divergence(np.log(q), p)[0].round(3), kl_divergence(np.log(p), p)[0])
    0.511 0.0
    """
    log_q, p = _alike("log_q", log_q, "p", p, axes=1)
    low, high = p.min(), p.max()
    demand(low >= 0 and high <= 1 + 1e-6, "p", "probabilities, 0 to 1", f"{low} to {high}")
    log_p = np.log(np.where(p > 0, p, 1.0))
    log_q = np.where(p != 0, log_q, 0.0)
    return (p * (log_p - log_q)).sum() / len(p), p


def kl_divergence_backward(dout: Scalar, cache: Cache) -> Float[Array, "N *rest"]:
    """Gradient of `kl_divergence` with respect to ``log_q``: -p / N.

    Examples
    --------
    >>> _, cache = kl_divergence(np.log(np.array([[0.9, 0.1]])), np.array([[0.5, 0.5]]))
    >>> print(kl_divergence_backward(1.0, cache))
    [[-0.5 -0.5]]
    """
    p = cache
    expect("dout", dout, (), "one number ()")
    return float(dout) * (-1.0 / len(p)) * p  # through the division by N, then -p log q


def _alike(name: str, a: Array, other: str, b: Array, axes: int = 0) -> tuple[Array, Array]:
    """Two arrays of floats, of one shape, with at least one entry."""
    a = floats(name, a, axes)
    whole_numbers = isinstance(b, Array) and b.dtype.kind in "iub"  # such as labels: they take a's dtype
    b = b.astype(a.dtype) if whole_numbers else floats(other, b)
    expect(other, b, a.shape, f"the shape of {name}")
    demand(a.size > 0, name, "at least one entry", f"shape {a.shape}")
    return a, b
