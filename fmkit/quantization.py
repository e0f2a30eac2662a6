"""Numbers with fewer bits (chapter 13): rounding weights and activations, and GPTQ, which rounds with care.

A weight w is kept as a small whole number q, and a scale says how much one step of q is worth: w is about
``q * scale``. Weights are (I, O), as everywhere here: a column belongs to one output.
"""

import numpy as np
from jaxtyping import Float, Int8, Shaped, UInt8

from fmkit._shapes import expect, floats
from fmkit._types import Array
from fmkit._values import demand, number, whole

Scales = Float[Array, "*scales"]

# -------------------------------------------------------------------------------------------------- rounding


def absmax(
    x: Float[Array, "*shape"], bits: int = 8, axis: int | None = 0
) -> tuple[Int8[Array, "*shape"], Scales]:
    """Round to whole numbers from -m to m, m = 2**(bits-1) - 1, so that the largest entry becomes m or -m.

    Parameters
    ----------
    x : array
    bits : int
        2 to 8. (A byte could also hold -m - 1: without it, the two signs are alike.)
    axis : int or None
        Entries along this axis share a scale; with None all do. Of a weight (I, O) axis 0 is the usual
        choice: a scale for each output.

    Returns
    -------
    q : int8 array
    scale : array
        Of length 1 along ``axis``, so that ``q * scale`` fits. 1 where all entries are 0.

    References
    ----------
    Dettmers et al., "LLM.int8(): 8-bit matrix multiplication for transformers at scale" (2022), equation 1.

    Examples
    --------
    >>> q, scale = absmax(np.array([[1.0, 0.0], [-0.3, 0.0]]), bits=4)
    >>> print(q, scale.round(3))
    [[ 7  0]
     [-2  0]] [[0.143 1.   ]]
    """
    x, m = floats("x", x), 2 ** (_bits(bits) - 1) - 1
    demand(x.size > 0, "x", "a number at least", "none")
    largest = np.abs(x).max(axis=axis, keepdims=True)
    demand(bool(np.isfinite(largest).all()), "x", "finite numbers", "NaN or infinity among them")
    scale = np.where(largest > 0, largest / m, 1.0).astype(x.dtype)
    return np.clip(np.rint(x / scale), -m, m).astype(np.int8), scale


def affine(
    x: Float[Array, "*shape"], bits: int = 8, axis: int | None = None
) -> tuple[UInt8[Array, "*shape"], Scales, Float[Array, "*scales"]]:
    """Round to whole numbers from 0 to 2**bits - 1, for numbers that lie to one side, such as activations.

    The range is widened to hold 0, and 0 is met exactly: padding and a ReLU's zeros stay what they are.

    Parameters
    ----------
    x, bits, axis
        As for `absmax`; 1 bit will do here.

    Returns
    -------
    q : uint8 array
    scale, zero : arrays
        x is about ``(q - zero) * scale``; ``zero``, a whole number, is the q of 0.

    References
    ----------
    Jacob et al., "Quantization and training of neural networks for efficient integer-arithmetic-only
    inference" (2018), equation 1.

    Examples
    --------
    >>> q, scale, zero = affine(np.array([-1.0, 0.0, 2.0]), bits=2)
    >>> print(q, scale, zero)
    [0 1 3] [1.] [1.]
    """
    x, m = floats("x", x), 2 ** _bits(bits, 1) - 1
    demand(x.size > 0, "x", "a number at least", "none")
    low = np.minimum(x.min(axis=axis, keepdims=True), 0.0)
    high = np.maximum(x.max(axis=axis, keepdims=True), 0.0)
    demand(bool(np.isfinite(high - low).all()), "x", "finite numbers", "NaN or infinity among them")
    scale = np.where(high > low, (high - low) / m, 1.0).astype(x.dtype)
    zero = np.rint(-low / scale)  # between 0 and m, as 0 lies between low and high
    q = np.clip(np.rint(x / scale) + zero, 0, m).astype(np.uint8)
    if axis is None:
        scale, zero = scale.reshape(1), zero.reshape(1)
    return q, scale, zero


def dequantize(
    q: Shaped[Array, "*shape"], scale: Scales, zero: Float[Array, "*scales"] | float = 0.0
) -> Float[Array, "*shape"]:
    """Back to floats: ``(q - zero) * scale``, in the dtype of the scale.

    Examples
    --------
    >>> x = np.array([[1.0, 0.4], [-0.3, 0.2]])
    >>> print(dequantize(*absmax(x, bits=4)).round(3))
    [[ 1.     0.4  ]
     [-0.286  0.229]]
    """
    scale = floats("scale", scale)
    return (q.astype(scale.dtype) - zero) * scale


def absmax_groups(
    w: Float[Array, "I O"], bits: int = 4, size: int = 32
) -> tuple[Int8[Array, "I O"], Float[Array, "G O"]]:
    """`absmax` with a scale for every ``size`` inputs of a column: one large weight spoils its group only.

    Parameters
    ----------
    w : (I, O)
    size : int
        Divides I.

    Returns
    -------
    q : (I, O) int8
    scale : (I/size, O)

    References
    ----------
    Frantar et al., "GPTQ" (2023), section 4, "practical speedups" and grouping.

    Examples
    --------
    >>> w = np.array([[8.0], [1.0], [0.5], [0.25]])
    >>> q, scale = absmax_groups(w, bits=4, size=2)
    >>> print(dequantize_groups(q, scale).ravel().round(3))
    [8.    1.143 0.5   0.286]
    """
    w, size = floats("w", w, 2, "(I, O)"), whole("size", size, 1)
    demand(len(w) % size == 0, "size", f"a divisor of {len(w)}", size)
    q, scale = absmax(w.reshape(-1, size, w.shape[1]), bits, axis=1)  # (G, size, O)
    return q.reshape(w.shape), scale[:, 0]


def dequantize_groups(q: Int8[Array, "I O"], scale: Float[Array, "G O"]) -> Float[Array, "I O"]:
    """Back to floats from `absmax_groups`.

    Examples
    --------
    >>> print(dequantize_groups(np.array([[7], [1]], np.int8), np.array([[2.0]])))
    [[14.]
     [ 2.]]
    """
    scale = floats("scale", scale, 2, "(G, O)")
    demand(len(q) % len(scale) == 0, "scale", f"rows that divide {len(q)}", len(scale))
    return q.astype(scale.dtype) * scale.repeat(len(q) // len(scale), axis=0)


# -------------------------------------------------------------------------------------------- whole products


def int8_linear(
    x_q: Int8[Array, "*N I"],
    x_scale: Float[Array, "*N 1"],
    w_q: Int8[Array, "I O"],
    w_scale: Float[Array, "1 O"],
    b: Float[Array, "O"] | None = None,
) -> Float[Array, "*N O"]:
    """A linear layer in whole numbers: bytes are multiplied, the sums kept in 32 bits, then the two scales.

    Parameters
    ----------
    x_q, x_scale
        `absmax` of the activations along the last axis: a scale for each row.
    w_q, w_scale
        `absmax` of the weight along axis 0: a scale for each output.
    b : (O,), optional
        Added at the end, as a float: it is not divided by anything.

    References
    ----------
    Dettmers et al. (2022), section 2.2, "vector-wise quantization".

    Examples
    --------
    >>> x, w = np.array([[1.0, 2.0]]), np.array([[3.0, 0.5], [1.0, -1.0]])
    >>> print(int8_linear(*absmax(x, axis=-1), *absmax(w)).round(2), x @ w)
    [[ 5.01 -1.49]] [[ 5.  -1.5]]
    """
    for name, q in (("x_q", x_q), ("w_q", w_q)):
        demand(q.dtype == np.int8, name, "bytes with a sign (int8)", q.dtype)
    expect("w_q", w_q, (x_q.shape[-1], None), "(I, O)")
    expect("x_scale", x_scale, (*x_q.shape[:-1], 1), "(..., 1), one a row")
    expect("w_scale", w_scale, (1, w_q.shape[1]), "(1, O), one an output")
    # A product of two bytes is below 2**14: in 8 bits it overflows, in 32 bits 100,000 of them fit
    sums = x_q.astype(np.int32) @ w_q.astype(np.int32)  # (..., O)
    out = sums.astype(x_scale.dtype) * x_scale * w_scale
    return out if b is None else out + b


# ------------------------------------------------------------------------------------------------------ GPTQ


def gptq(
    w: Float[Array, "I O"], hessian: Float[Array, "I I"], bits: int = 4, damping: float = 0.01
) -> tuple[Int8[Array, "I O"], Float[Array, "1 O"]]:
    """Round a weight so that its *outputs* change little, on inputs like those that ``hessian`` was made of.

    Input by input: round that row of the weight, and let the rows not yet rounded make up for the error, as
    far as the inputs go together. The weights get worse by that, the outputs better.

    Parameters
    ----------
    w : (I, O)
    hessian : (I, I)
        ``x.T @ x`` of inputs x (N, I): how often two inputs are large together.
    bits : int
        2 to 8.
    damping : float
        This part of the mean of the diagonal is added to it: the inverse is of a matrix that may have none.

    Returns
    -------
    q : (I, O) int8
    scale : (1, O)
        `absmax`'s, of the weight as it was.

    References
    ----------
    Frantar et al., "GPTQ: accurate post-training quantization for generative pre-trained transformers"
    (2023), algorithm 1; the order is that of the inputs.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(200, 8)) @ rng.normal(size=(8, 8))  # inputs that go together
    >>> w = rng.normal(size=(8, 5))
    >>> nearest, careful = absmax(w, 3), gptq(w, x.T @ x, 3)
    >>> print(*(output_error(w, dequantize(*form), x).round(2) for form in (nearest, careful)))
    0.13 0.1
    """
    w = floats("w", w, 2, "(I, O)")
    damping = number("damping", damping, 0.0)
    expect("hessian", hessian, (len(w), len(w)), "(I, I)")
    m = 2 ** (_bits(bits) - 1) - 1
    scale = absmax(w, bits)[1]  # (1, O)
    upper = _inverse_factor(hessian.astype(np.float64), damping)  # (I, I)
    left = w.astype(np.float64)  # what is still to be rounded
    q = np.empty(w.shape, np.int8)
    for i, row in enumerate(left):
        q[i] = np.clip(np.rint(row / scale[0]), -m, m)
        error = (row - q[i] * scale[0]) / upper[i, i]  # (O,)
        left[i + 1 :] -= upper[i, i + 1 :, None] * error  # the rows below make up for it
    return q, scale


def _inverse_factor(hessian: Array, damping: float) -> Array:
    """U above the diagonal with ``U.T @ U`` the inverse: row i of U is what row i + 1 on has to give way by.

    An input that was always 0 has no say: its row gets a 1, or there would be no inverse.
    """
    diagonal = hessian.diagonal()
    dead = diagonal == 0
    raised = hessian + np.diag(damping * diagonal.mean() + dead)
    return np.linalg.cholesky(np.linalg.inv(raised)).T


def output_error(
    w: Float[Array, "I O"], approx: Float[Array, "I O"], x: Float[Array, "N I"]
) -> float | np.floating:
    """How far the outputs are off: the root of the squared error of ``x @ approx``, as a part of ``x @ w``.

    Examples
    --------
    >>> w, x = np.array([[1.0], [2.0]]), np.array([[3.0, 4.0]])
    >>> print(output_error(w, np.array([[1.0], [1.0]]), x).round(3))  # 7 where 11 is right
    0.364
    """
    expect("approx", approx, w.shape, "(I, O)")
    right = x @ w
    return np.linalg.norm(x @ approx - right) / np.linalg.norm(right)


def _bits(bits: int, least: int = 2) -> int:
    bits = whole("bits", bits, least)
    demand(bits <= 8, "bits", "at most 8", bits)
    return bits
