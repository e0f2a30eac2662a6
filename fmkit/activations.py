"""Activations (chapter 02): each function next to its hand-written backward.

Every forward returns ``(out, cache)``; the backward takes the upstream gradient ``dout`` (same shape as
``out``) and that cache. float32 stays float32: every constant is a Python float, never a NumPy scalar. Whole
numbers are taken as float64; a list, or float16, raises TypeError, a ``dout`` of another shape, or a setting
out of range, ValueError.
"""

import math
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from fmkit._shapes import expect, floats, opened
from fmkit._types import Array, Cache
from fmkit._values import number, whole

_SQRT_2_OVER_PI = math.sqrt(2.0 / math.pi)
_SQRT_2 = math.sqrt(2.0)
_SQRT_2_PI = math.sqrt(2.0 * math.pi)


def sigmoid(x: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Cache]:
    """Logistic sigmoid, 1 / (1 + exp(-x)), for any finite x without overflow.

    Parameters
    ----------
    x : array of any shape
        Pre-activations.

    Returns
    -------
    out : array, the shape of ``x``
        Values in [0, 1].
    cache
        What `sigmoid_backward` needs.

    Examples
    --------
    >>> out, _ = sigmoid(np.array([-1000.0, -2.0, 0.0, 2.0, 1000.0]))
    >>> print(out.round(3))
    [0.    0.119 0.5   0.881 1.   ]
    """
    x = floats("x", x)
    out = np.exp(np.minimum(x, 0.0)) / (1.0 + np.exp(-np.abs(x)))  # no exponent is ever positive
    return out, out


def sigmoid_backward(dout: Float[Array, "*shape"], cache: Cache) -> Float[Array, "*shape"]:
    """Gradient of `sigmoid`: the slope is out * (1 - out), taken from the output, never from x again.

    Examples
    --------
    >>> _, cache = sigmoid(np.array([-2.0, 0.0, 2.0, 1000.0]))
    >>> print(sigmoid_backward(np.ones(4), cache).round(3))  # the slopes: 0.25 at most, 0 far out
    [0.105 0.25  0.105 0.   ]
    """
    out = cache
    expect("dout", dout, out.shape, "the shape of x")
    return dout * out * (1.0 - out)


def tanh(x: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Cache]:
    """Hyperbolic tangent, a sigmoid stretched to (-1, 1): tanh(x) = 2 sigmoid(2x) - 1.

    Examples
    --------
    >>> print(tanh(np.array([-2.0, 0.0, 2.0]))[0].round(3))
    [-0.964  0.     0.964]
    """
    out = np.tanh(floats("x", x))
    return out, out


def tanh_backward(dout: Float[Array, "*shape"], cache: Cache) -> Float[Array, "*shape"]:
    """Gradient of `tanh`: the slope is 1 - out².

    Examples
    --------
    >>> _, cache = tanh(np.array([-2.0, 0.0, 2.0]))
    >>> print(tanh_backward(np.ones(3), cache).round(3))
    [0.071 1.    0.071]
    """
    out = cache
    expect("dout", dout, out.shape, "the shape of x")
    return dout * (1.0 - out * out)


def relu(x: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Cache]:
    """Rectified linear unit, max(x, 0). Source: Nair and Hinton (2010).

    Examples
    --------
    >>> print(relu(np.array([-2.0, 0.0, 3.0]))[0])
    [0. 0. 3.]
    """
    x = floats("x", x)
    return np.maximum(x, 0.0), x > 0


def relu_backward(dout: Float[Array, "*shape"], cache: Cache) -> Float[Array, "*shape"]:
    """Gradient of `relu`: a gate, open where x > 0. At exactly 0 the slope is taken as 0.

    Examples
    --------
    >>> _, cache = relu(np.array([-2.0, 0.0, 3.0]))
    >>> print(relu_backward(np.array([0.1, 0.2, 0.3]), cache))
    [0.  0.  0.3]
    """
    positive = cache
    expect("dout", dout, positive.shape, "the shape of x")
    return dout * positive


def leaky_relu(x: Float[Array, "*shape"], slope: float = 0.01) -> tuple[Float[Array, "*shape"], Cache]:
    """Like `relu`, but a negative input keeps a small slope: no unit dies. Source: Maas et al. (2013).

    Examples
    --------
    >>> print(leaky_relu(np.array([-2.0, 0.0, 3.0]), slope=0.1)[0])
    [-0.2  0.   3. ]
    """
    x, slope = floats("x", x), number("slope", slope)
    gate = slope + (1.0 - slope) * (x > 0).astype(x.dtype)  # the slope at each x
    return x * gate, gate


def leaky_relu_backward(dout: Float[Array, "*shape"], cache: Cache) -> Float[Array, "*shape"]:
    """Gradient of `leaky_relu`: 1 where x > 0, else ``slope``.

    Examples
    --------
    >>> _, cache = leaky_relu(np.array([-2.0, 0.0, 3.0]), slope=0.1)
    >>> print(leaky_relu_backward(np.ones(3), cache))
    [0.1 0.1 1. ]
    """
    gate = cache
    expect("dout", dout, gate.shape, "the shape of x")
    return dout * gate


def gelu_tanh(x: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Cache]:
    """GELU by the tanh formula, the form GPT-2 uses: x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))).

    Within 0.0005 of the exact `gelu_erf`, and cheaper. Source: Hendrycks and Gimpel (2016), section 2.

    Examples
    --------
    >>> print(gelu_tanh(np.array([-2.0, -0.5, 0.0, 2.0]))[0].round(4))
    [-0.0454 -0.1543  0.      1.9546]
    """
    x = floats("x", x)
    t = np.tanh(_SQRT_2_OVER_PI * (x * (1.0 + 0.044715 * (x * x))))  # not x**3: a hundred times slower
    return 0.5 * (x * (1.0 + t)), (x, t)


def gelu_tanh_backward(dout: Float[Array, "*shape"], cache: Cache) -> Float[Array, "*shape"]:
    """Gradient of `gelu_tanh`: the product rule on x/2 and (1 + tanh).

    Examples
    --------
    >>> _, cache = gelu_tanh(np.array([-2.0, -0.5, 0.0, 2.0]))
    >>> print(gelu_tanh_backward(np.ones(4), cache).round(4))  # below about -0.75 it falls
    [-0.0861  0.1326  0.5     1.0861]
    """
    x, t = opened(cache, 2, "gelu_tanh")
    expect("dout", dout, x.shape, "the shape of x")
    dx = np.minimum(x * x, 1e30)  # far out the tanh is flat, and infinity times 0 would be NaN
    dx *= 3.0 * 0.044715
    dx += 1.0  # the slope of x + 0.044715 x³, inside the tanh
    dx *= _SQRT_2_OVER_PI
    dx *= 1.0 - t * t  # the slope of the tanh
    dx *= x  # the product's other factor
    dx += 1.0 + t  # through the factor x itself
    dx *= 0.5
    dx *= dout
    return dx


_ERF_RANGE, _ERF_PER_UNIT = 6, 512  # erf(6) is 1 - 2e-17, which rounds to 1


@lru_cache
def _erf_table(dtype: np.dtype) -> list[Array]:
    """Coefficients, constant first, of the cubic on each interval; it meets erf and its slope at the ends."""
    x = np.linspace(-_ERF_RANGE, _ERF_RANGE, 2 * _ERF_RANGE * _ERF_PER_UNIT + 1)
    y = np.array([math.erf(v) for v in x])
    dy = 2.0 / math.sqrt(math.pi) * np.exp(-x * x) / _ERF_PER_UNIT  # slope per interval
    y0, y1, dy0, dy1 = y[:-1], y[1:], dy[:-1], dy[1:]
    cubic = [y0, dy0, 3.0 * (y1 - y0) - 2.0 * dy0 - dy1, 2.0 * (y0 - y1) + dy0 + dy1]
    return [coefficient.astype(dtype) for coefficient in cubic]


def erf(x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Error function, from a table of cubic pieces. (NumPy has none; `math.erf` takes a single number.)

    Largest error 2e-13 in float64 (a cubic piece of width h errs by at most h⁴ max|f⁗| / 384,
    here h = 1/512), and one rounding in float32.

    Examples
    --------
    >>> print(erf(np.array([-10.0, 0.0, 0.5])).round(6))
    [-1.      0.      0.5205]
    >>> round(math.erf(0.5), 6)
    0.5205
    """
    x = floats("x", x)
    c0, c1, c2, c3 = _erf_table(x.dtype)
    s = np.clip(x, -_ERF_RANGE, _ERF_RANGE) * _ERF_PER_UNIT
    k = np.floor(s)
    s -= k  # where in its interval, 0 to 1
    k = k.astype(np.intp) + _ERF_RANGE * _ERF_PER_UNIT  # which interval
    out = c3.take(k, mode="clip")
    for c in (c2, c1, c0):  # Horner: c0 + s (c1 + s (c2 + s c3)), in place
        out *= s
        out += c.take(k, mode="clip")
    return out


def gelu_erf(x: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Cache]:
    """GELU, x Φ(x): the input times the chance that a standard normal number is below it. BERT's form.

    Source: Hendrycks and Gimpel (2016), section 2; Φ(x) = (1 + erf(x/√2)) / 2.

    Examples
    --------
    >>> print(gelu_erf(np.array([-2.0, -0.5, 0.0, 2.0]))[0].round(4))
    [-0.0455 -0.1543  0.      1.9545]
    """
    x = floats("x", x)
    cdf = 0.5 + 0.5 * erf(x / _SQRT_2)
    return x * cdf, (x, cdf)


def gelu_erf_backward(dout: Float[Array, "*shape"], cache: Cache) -> Float[Array, "*shape"]:
    """Gradient of `gelu_erf`: the product rule, Φ(x) + x φ(x), with φ the bell curve.

    Examples
    --------
    >>> _, cache = gelu_erf(np.array([-2.0, -0.5, 0.0, 2.0]))
    >>> print(gelu_erf_backward(np.ones(4), cache).round(4))
    [-0.0852  0.1325  0.5     1.0852]
    """
    x, cdf = opened(cache, 2, "gelu_erf")
    expect("dout", dout, x.shape, "the shape of x")
    pdf = np.exp(-0.5 * (x * x)) / _SQRT_2_PI  # the slope of Φ
    return dout * (cdf + x * pdf)  # through the factor x, and through Φ(x)


def silu(x: Float[Array, "*shape"]) -> tuple[Float[Array, "*shape"], Cache]:
    """SiLU or swish, x sigmoid(x): a smooth `relu`. Source: Elfwing et al. (2018).

    Examples
    --------
    >>> print(silu(np.array([-2.0, 0.0, 2.0]))[0].round(3))
    [-0.238  0.     1.762]
    """
    x = floats("x", x)
    s, _ = sigmoid(x)
    return x * s, (x, s)


def silu_backward(dout: Float[Array, "*shape"], cache: Cache) -> Float[Array, "*shape"]:
    """Gradient of `silu`: the product rule, s + x s (1 - s).

    Examples
    --------
    >>> _, cache = silu(np.array([-2.0, 0.0, 2.0]))
    >>> print(silu_backward(np.ones(3), cache).round(3))
    [-0.091  0.5    1.091]
    """
    x, s = opened(cache, 2, "silu")
    expect("dout", dout, x.shape, "the shape of x")
    return dout * (s + x * s * (1.0 - s))  # through the factor x, and through the sigmoid


def softmax(x: Float[Array, "*shape"], axis: int = -1) -> tuple[Float[Array, "*shape"], Cache]:
    """Exponentials that sum to 1 along ``axis``; their maximum is taken off first, so nothing overflows.

    softmax(x) = softmax(x - max x): the shift cancels between numerator and denominator.
    An entry of -inf (a masked one) gets probability 0. A row of nothing but -inf gives NaN, a row of no entry
    none.

    Examples
    --------
    >>> print(softmax(np.array([1.0, 2.0, 3.0]))[0].round(3))
    [0.09  0.245 0.665]
    >>> print(softmax(np.array([1001.0, 1002.0, -np.inf]))[0].round(3))  # nothing overflows; -inf is out
    [0.269 0.731 0.   ]
    """
    x, axis = floats("x", x, axes=1), whole("axis", axis)
    exp = np.exp(x - x.max(axis, keepdims=True, initial=-np.inf))  # (initial: there may be no number)
    out = exp / exp.sum(axis, keepdims=True)
    return out, (out, axis)


def softmax_backward(dout: Float[Array, "*shape"], cache: Cache) -> Float[Array, "*shape"]:
    """Gradient of `softmax`: dx = out * (dout - <dout, out>), since every output depends on every input.

    Examples
    --------
    >>> out, cache = softmax(np.array([1.0, 2.0, 3.0]))
    >>> dx = softmax_backward(np.array([1.0, 0.0, 0.0]), cache)  # what raises the first output?
    >>> print(dx.round(3))  # the first input up, the others down; they sum to 0
    [ 0.082 -0.022 -0.06 ]
    """
    out, axis = opened(cache, 2, "softmax")
    expect("dout", dout, out.shape, "the shape of x")
    shared = np.expand_dims(np.vecdot(dout, out, axis=axis), axis)  # through the sum that divides them all
    return out * (dout - shared)  # through the exponential, whose slope is itself


def log_softmax(x: Float[Array, "*shape"], axis: int = -1) -> tuple[Float[Array, "*shape"], Cache]:
    """log(softmax(x)) without ever taking the log of a number that was rounded to 0.

    log softmax(x) = (x - max) - log Σ exp(x - max): the sum is at least 1, so its log is safe.

    Examples
    --------
    >>> print(log_softmax(np.array([0.0, 1000.0]))[0])  # log(softmax(x)) would give -inf
    [-1000.     0.]
    """
    x, axis = floats("x", x, axes=1), whole("axis", axis)
    if x.size == 0:
        return x.copy(), (x, axis)  # no number, and no sum to take the log of
    shifted = x - x.max(axis, keepdims=True)
    out = shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))
    return out, (out, axis)


def log_softmax_backward(dout: Float[Array, "*shape"], cache: Cache) -> Float[Array, "*shape"]:
    """Gradient of `log_softmax`: dx = dout - softmax(x) * Σ dout.

    Examples
    --------
    >>> _, cache = log_softmax(np.array([1.0, 2.0, 3.0]))
    >>> print(log_softmax_backward(np.array([1.0, 0.0, 0.0]), cache).round(3))  # one-hot less the softmax
    [ 0.91  -0.245 -0.665]
    """
    out, axis = opened(cache, 2, "log_softmax")
    expect("dout", dout, out.shape, "the shape of x")
    return dout - np.exp(out) * dout.sum(axis, keepdims=True)  # through x itself, and through the log-sum-exp
