"""Layers (chapter 04): each function next to its hand-written backward.

Every forward returns ``(out, cache)``. Its backward takes that cache and ``dout``, the gradient that arrives
from above, and returns one gradient for each floating input, in the order of the inputs. No argument is
overwritten. An array of another shape than the signature's raises ValueError: nothing is broadcast. Whole
numbers are taken as float64; a list, or float16, raises TypeError. B is the batch, T the time, C the
channels, H the hidden units, V the vocabulary.
"""

import numpy as np
from jaxtyping import Float, Integer, Shaped

from fmkit._shapes import expect, floats, integers, matrix, opened, zeros_and_ones
from fmkit._types import Array, Cache
from fmkit._values import number
from fmkit.activations import gelu_tanh, gelu_tanh_backward, sigmoid, silu, silu_backward


def linear(
    x: Float[Array, "*lead C_in"], w: Float[Array, "C_in C_out"], b: Float[Array, "C_out"] | None = None
) -> tuple[Float[Array, "*lead C_out"], Cache]:
    """Affine map of the last axis, x @ w + b. (torch keeps w transposed, as (C_out, C_in).)

    Examples
    --------
    >>> w, b = np.array([[1.0, 10.0], [2.0, 20.0]]), np.array([0.5, 0.0])
    >>> out, _ = linear(np.array([[1.0, 1.0], [0.0, 1.0]]), w, b)
    >>> print(out)
    [[ 3.5 30. ]
     [ 2.5 20. ]]
    """
    x = floats("x", x, axes=1)
    matrix("w", w, x.shape[-1], "(C_in, C_out)")
    if b is not None:
        expect("b", b, w.shape[1:], "(C_out,)")
    return _linear(x, w, b)


def _linear(x: Array, w: Array, b: Array | None = None) -> tuple[Array, Cache]:
    """`linear` of what has been checked already."""
    x2 = x.reshape(-1, x.shape[-1])  # (N, C_in): one big matrix product, not one for each batch row
    out = x2 @ w  # (N, C_out)
    if b is not None:
        out += b
    return out.reshape(x.shape[:-1] + w.shape[1:]), (x, w, b is not None)


def linear_backward(
    dout: Float[Array, "*lead C_out"], cache: Cache
) -> tuple[Float[Array, "*lead C_in"], Float[Array, "C_in C_out"], Float[Array, "C_out"] | None]:
    """Gradients of `linear`: dx, dw, db (None without a bias).

    Examples
    --------
    >>> x, w = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0]])
    >>> _, cache = linear(x, w, np.array([0.0]))
    >>> dx, dw, db = linear_backward(np.array([[1.0]]), cache)
    >>> print(dx, dw.T, db)  # dx is w, dw is x: each factor gets the other one
    [[3. 4.]] [[1. 2.]] [1.]
    """
    x, w, has_bias = opened(cache, 3, "linear")
    expect("dout", dout, (*x.shape[:-1], w.shape[1]), "(..., C_out)")
    x2, dout2 = x.reshape(-1, x.shape[-1]), dout.reshape(-1, dout.shape[-1])  # (N, C_in), (N, C_out)
    dx = (dout2 @ w.T).reshape(x.shape)  # each input reached every output: collect over C_out
    dw = x2.T @ dout2  # (C_in, C_out): each weight was used in every row, so collect over rows
    db = dout2.sum(0) if has_bias else None  # (C_out,): so was the bias, times 1
    return dx, dw, db


def embedding(ids: Integer[Array, "*lead"], w: Float[Array, "V C"]) -> tuple[Float[Array, "*lead C"], Cache]:
    """Row ``w[id]`` for each id: a `linear` layer on one-hot vectors, without the vectors.

    Raises
    ------
    IndexError
        For an id that is not in 0 .. V - 1. (NumPy alone would read a negative id from the end.)
    TypeError
        For ids that are not an array of integers.

    Examples
    --------
    >>> out, _ = embedding(np.array([2, 0, 2]), np.array([[0.0, 0.1], [1.0, 1.1], [2.0, 2.1]]))
    >>> print(out)
    [[2.  2.1]
     [0.  0.1]
     [2.  2.1]]
    """
    matrix("w", w, None, "(V, C)")
    integers("ids", ids)
    if ids.size and (ids.min() < 0 or ids.max() >= len(w)):
        raise IndexError(f"ids: expected 0 to {len(w) - 1}, got {ids.min()} to {ids.max()}")
    return w[ids], (ids, w.shape)


def embedding_backward(dout: Float[Array, "*lead C"], cache: Cache) -> Float[Array, "V C"]:
    """Gradient of `embedding`: row v is the sum of dout over all places where v stood.

    Examples
    --------
    >>> _, cache = embedding(np.array([2, 0, 2]), np.zeros((3, 2)))
    >>> print(embedding_backward(np.array([[1.0, 2.0], [3.0, 4.0], [10.0, 20.0]]), cache))
    [[ 3.  4.]
     [ 0.  0.]
     [11. 22.]]
    """
    ids, shape = opened(cache, 2, "embedding")
    expect("dout", dout, (*ids.shape, shape[1]), "(..., C)")
    dout2 = dout.reshape(-1, shape[1])  # (N, C)
    dw = np.zeros(shape, dout.dtype)  # (V, C)
    if ids.size:
        order = np.argsort(ids, axis=None, kind="stable")  # (N,): equal ids side by side
        ids = ids.ravel()[order]
        starts = np.flatnonzero(np.diff(ids, prepend=-1))  # where each run of equal ids begins
        dw[ids[starts]] = np.add.reduceat(dout2[order], starts)  # a sum a run; np.add.at is far slower
    return dw


def layernorm(
    x: Float[Array, "*lead C"], w: Float[Array, "C"], b: Float[Array, "C"], eps: float = 1e-5
) -> tuple[Float[Array, "*lead C"], Cache]:
    """Each vector to mean 0 and variance 1 over its C channels, then a gain and a shift.

    norm = (x - mean) / sqrt(var + eps), out = norm * w + b. Source: Ba, Kiros and Hinton (2016), section 3.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 3.0], [100.0, 200.0, 300.0]])
    >>> out, _ = layernorm(x, np.ones(3), np.zeros(3))
    >>> print(out.round(3))  # size and offset are gone
    [[-1.225  0.     1.225]
     [-1.225  0.     1.225]]
    """
    x = floats("x", x, axes=1)
    expect("w", w, x.shape[-1:], "(C,)")
    expect("b", b, x.shape[-1:], "(C,)")
    if type(eps) is not float or not eps >= 0:  # (in front of each of many small layers, a call counts)
        eps = number("eps", eps, 0)
    xc = x - x.sum(-1, keepdims=True) / x.shape[-1]
    var = np.vecdot(xc, xc)[..., None] / x.shape[-1]  # (*lead, 1); two passes: exact even far from 0
    rstd = 1.0 / np.sqrt(var + eps)
    if np.count_nonzero(rstd) < rstd.size:
        _check_squares(x)
    norm = xc * rstd  # (*lead, C)
    return norm * w + b, (norm, rstd, w)


def layernorm_backward(
    dout: Float[Array, "*lead C"], cache: Cache
) -> tuple[Float[Array, "*lead C"], Float[Array, "C"], Float[Array, "C"]]:
    """Gradients of `layernorm`: dx, dw, db.

    Examples
    --------
    >>> _, cache = layernorm(np.array([[1.0, 2.0, 4.0]]), np.ones(3), np.zeros(3))
    >>> dx, dw, db = layernorm_backward(np.array([[1.0, 0.0, 0.0]]), cache)
    >>> print(dx.round(3))  # it sums to 0: shifting all of x would change nothing
    [[ 0.229 -0.344  0.115]]
    """
    norm, rstd, w = opened(cache, 3, "layernorm")
    expect("dout", dout, norm.shape, "(..., C)")
    C = len(w)
    db = dout.reshape(-1, C).sum(0)  # (C,): the shift was added to every vector
    dw = (dout * norm).reshape(-1, C).sum(0)  # (C,): the gain multiplied every norm
    dnorm = dout * w  # through the gain
    dx = dnorm - np.vecdot(dout, w)[..., None] / C  # through the mean: less the mean of dnorm
    dx -= norm * (np.vecdot(dnorm, norm)[..., None] / C)  # through the variance: less the part along norm
    return dx * rstd, dw, db  # through the division


def _check_squares(x: Array) -> None:
    """Divided by an infinite sum of squares, finite numbers would all be 0."""
    if np.isfinite(x).all():
        limit = f"numbers whose squares {x.dtype} can hold"
        raise ValueError(f"x: expected {limit}, got {x.min():.3g} to {x.max():.3g}")


def rmsnorm(
    x: Float[Array, "*lead C"], w: Float[Array, "C"], eps: float = 1e-5
) -> tuple[Float[Array, "*lead C"], Cache]:
    """Each vector to root mean square 1, then a gain: `layernorm` without the mean and the shift.

    norm = x / sqrt(mean(x²) + eps), out = norm * w. Source: Zhang and Sennrich (2019), equation 4.

    Examples
    --------
    >>> print(rmsnorm(np.array([[3.0, 4.0], [300.0, 400.0]]), np.ones(2))[0].round(3))
    [[0.849 1.131]
     [0.849 1.131]]
    """
    x = floats("x", x, axes=1)
    expect("w", w, x.shape[-1:], "(C,)")
    if type(eps) is not float or not eps >= 0:  # (in front of each of many small layers, a call counts)
        eps = number("eps", eps, 0)
    mean_square = np.vecdot(x, x)[..., None] / x.shape[-1]  # (*lead, 1)
    rstd = 1.0 / np.sqrt(mean_square + eps)
    if np.count_nonzero(rstd) < rstd.size:
        _check_squares(x)
    norm = x * rstd  # (*lead, C)
    return norm * w, (norm, rstd, w)


def rmsnorm_backward(
    dout: Float[Array, "*lead C"], cache: Cache
) -> tuple[Float[Array, "*lead C"], Float[Array, "C"]]:
    """Gradients of `rmsnorm`: dx, dw. Those of `layernorm`, less the step through the mean.

    Examples
    --------
    >>> _, cache = rmsnorm(np.array([[3.0, 4.0]]), np.ones(2))
    >>> dx, dw = rmsnorm_backward(np.array([[1.0, 0.0]]), cache)
    >>> print(dx.round(3), dw.round(3))
    [[ 0.181 -0.136]] [0.849 0.   ]
    """
    norm, rstd, w = opened(cache, 3, "rmsnorm")
    expect("dout", dout, norm.shape, "(..., C)")
    C = len(w)
    dw = (dout * norm).reshape(-1, C).sum(0)  # (C,): the gain multiplied every norm
    dnorm = dout * w  # through the gain
    dx = dnorm - norm * (np.vecdot(dnorm, norm)[..., None] / C)  # through the root mean square
    return dx * rstd, dw  # through the division


def mlp(
    x: Float[Array, "*lead C"],
    w1: Float[Array, "C F"],
    b1: Float[Array, "F"],
    w2: Float[Array, "F C_out"],
    b2: Float[Array, "C_out"],
    activation: tuple = (gelu_tanh, gelu_tanh_backward),
) -> tuple[Float[Array, "*lead C_out"], Cache]:
    """The transformer's feed-forward part: linear, activation, linear.

    Parameters
    ----------
    x : array (..., C)
    w1, b1, w2, b2 : arrays (C, F), (F,), (F, C_out), (C_out,)
    activation : pair of functions, optional
        A forward of `fmkit.activations` and its backward.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> w1, w2 = rng.normal(size=(3, 12)), rng.normal(size=(12, 3))
    >>> out, _ = mlp(np.ones((2, 5, 3)), w1, np.zeros(12), w2, np.zeros(3))
    >>> out.shape, out[0, 0].round(2)
    ((2, 5, 3), array([-1.75, -1.86, -1.4 ]))
    """
    x = floats("x", x, axes=1)
    matrix("w1", w1, x.shape[-1], "(C, F)")
    expect("b1", b1, w1.shape[1:], "(F,)")
    matrix("w2", w2, w1.shape[1], "(F, C_out)")
    if type(activation) is not tuple or len(activation) != 2:
        pair = "a pair of functions, (gelu_tanh, gelu_tanh_backward)"
        raise TypeError(f"activation: expected {pair}, got {activation!r:.60}")
    expect("b2", b2, w2.shape[1:], "(C_out,)")
    hidden, cache1 = _linear(x, w1, b1)  # (..., F)
    active, cache_activation = activation[0](hidden)
    out, cache2 = _linear(active, w2, b2)  # (..., C_out)
    return out, (cache1, cache_activation, cache2, activation[1])


def mlp_backward(dout: Float[Array, "*lead C_out"], cache: Cache) -> tuple[Float[Array, "..."], ...]:
    """Gradients of `mlp`: dx, dw1, db1, dw2, db2. The three steps of the forward, undone from the last.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> w1, w2 = rng.normal(size=(3, 12)), rng.normal(size=(12, 3))
    >>> out, cache = mlp(np.ones((2, 3)), w1, np.zeros(12), w2, np.zeros(3))
    >>> [grad.shape for grad in mlp_backward(np.ones((2, 3)), cache)]
    [(2, 3), (3, 12), (12,), (12, 3), (3,)]
    """
    cache1, cache_activation, cache2, activation_backward = opened(cache, 4, "mlp")
    dactive, dw2, db2 = linear_backward(dout, cache2)  # (..., F): out = active @ w2 + b2
    dhidden = activation_backward(dactive, cache_activation)  # active = activation(hidden)
    dx, dw1, db1 = linear_backward(dhidden, cache1)  # (..., C): hidden = x @ w1 + b1
    return dx, dw1, db1, dw2, db2


def swiglu(
    x: Float[Array, "*lead C"],
    w_gate: Float[Array, "C F"],
    w_up: Float[Array, "C F"],
    w_down: Float[Array, "F C_out"],
) -> tuple[Float[Array, "*lead C_out"], Cache]:
    """Feed-forward part of Llama: (silu(x @ w_gate) * (x @ w_up)) @ w_down. Source: Shazeer (2020).

    Examples
    --------
    >>> w_gate, w_up, w_down = np.array([[0.0, 2.0]]), np.array([[5.0, 5.0]]), np.eye(2)
    >>> print(swiglu(np.array([[1.0]]), w_gate, w_up, w_down)[0].round(2))  # the first gate is shut
    [[0.   8.81]]
    """
    x = floats("x", x, axes=1)
    matrix("w_gate", w_gate, x.shape[-1], "(C, F)")
    matrix("w_up", w_up, x.shape[-1], "(C, F)")
    expect("w_up", w_up, w_gate.shape, "(C, F)")
    matrix("w_down", w_down, w_gate.shape[1], "(F, C_out)")
    gate, cache_gate = _linear(x, w_gate)  # (..., F)
    up, cache_up = _linear(x, w_up)  # (..., F)
    active, cache_silu = silu(gate)
    out, cache_down = _linear(active * up, w_down)  # (..., C_out)
    return out, (cache_gate, cache_up, cache_silu, cache_down, active, up)


def swiglu_backward(dout: Float[Array, "*lead C_out"], cache: Cache) -> tuple[Float[Array, "..."], ...]:
    """Gradients of `swiglu`: dx, dw_gate, dw_up, dw_down.

    Examples
    --------
    >>> _, cache = swiglu(np.ones((2, 3)), np.ones((3, 4)), np.ones((3, 4)), np.ones((4, 3)))
    >>> [grad.shape for grad in swiglu_backward(np.ones((2, 3)), cache)]
    [(2, 3), (3, 4), (3, 4), (4, 3)]
    """
    cache_gate, cache_up, cache_silu, cache_down, active, up = opened(cache, 6, "swiglu")
    dproduct, dw_down, _ = linear_backward(dout, cache_down)  # (..., F): out = (active * up) @ w_down
    dgate = silu_backward(dproduct * up, cache_silu)  # active = silu(gate), and its factor was up
    dx, dw_up, _ = linear_backward(dproduct * active, cache_up)  # (..., C): up = x @ w_up, its factor active
    dx_gate, dw_gate, _ = linear_backward(dgate, cache_gate)  # gate = x @ w_gate
    dx += dx_gate  # x was used twice: its gradients add up
    return dx, dw_gate, dw_up, dw_down


def dropout(
    x: Float[Array, "*shape"], mask: Shaped[Array, "*shape"], p: float
) -> tuple[Float[Array, "*shape"], Cache]:
    """Zero where ``mask`` is 0; what stays is divided by 1 - p, so that the expected value does not change.

    Parameters
    ----------
    x : array of any shape
    mask : array of 0 and 1 (or bool), the shape of ``x``
        1 keeps. The caller draws it, ``rng.random(x.shape) >= p``, so that a run can be repeated.
    p : float from 0 to below 1
        The chance of being dropped. When a model is used rather than trained, leave dropout out.

    Raises
    ------
    ValueError
        For another ``p``, or a mask of another shape or of other numbers.

    References
    ----------
    Srivastava et al. (2014), with the scale moved into training ("inverted").

    Examples
    --------
    >>> mask = np.random.default_rng(0).random(6) >= 0.5
    >>> print(dropout(np.ones(6), mask, p=0.5)[0])
    [2. 0. 0. 0. 2. 2.]
    """
    x = floats("x", x)
    expect("mask", mask, x.shape, "the shape of x")
    zeros_and_ones("mask", mask)
    scale = mask.astype(x.dtype) / (1.0 - number("p", p, 0, below=1))
    return np.where(scale, x * scale, 0.0), scale  # (0 times what is dropped would not always be 0)


def dropout_backward(dout: Float[Array, "*shape"], cache: Cache) -> Float[Array, "*shape"]:
    """Gradient of `dropout`: the same mask and the same scale.

    Examples
    --------
    >>> _, cache = dropout(np.ones(4), np.array([1, 0, 0, 1]), p=0.5)
    >>> print(dropout_backward(np.array([0.1, 0.2, 0.3, 0.4]), cache))
    [0.2 0.  0.  0.8]
    """
    scale = cache
    expect("dout", dout, scale.shape, "the shape of x")
    return np.where(scale, dout * scale, 0.0)


def mean_pool(x: Float[Array, "B T C"], mask: Shaped[Array, "B T"]) -> tuple[Float[Array, "B C"], Cache]:
    """One vector a sentence: the mean over its real tokens (mask 1), not over the padding (mask 0).

    A sentence without a real token gives zeros. What stands in the padding does not matter, even NaN.

    Examples
    --------
    >>> x = np.array([[[1.0], [3.0], [99.0]]])  # the third token is padding
    >>> print(mean_pool(x, np.array([[1, 1, 0]]))[0])
    [[2.]]
    """
    x = floats("x", x, 3, "(B, T, C)")
    expect("mask", mask, x.shape[:2], "(B, T)")
    zeros_and_ones("mask", mask)
    x = np.where(mask[:, :, None], x, 0.0)
    share = mask.astype(x.dtype)
    share /= np.maximum(share.sum(1, keepdims=True), 1.0)  # (B, T): 1 / number of real tokens, or 0
    out = share[:, None, :] @ x  # (B, 1, C)
    return out[:, 0], (share, x.shape)


def mean_pool_backward(dout: Float[Array, "B C"], cache: Cache) -> Float[Array, "B T C"]:
    """Gradient of `mean_pool`: every real token gets its share of its sentence's gradient.

    Examples
    --------
    >>> _, cache = mean_pool(np.zeros((1, 3, 1)), np.array([[1, 1, 0]]))
    >>> print(mean_pool_backward(np.array([[4.0]]), cache).ravel())
    [2. 2. 0.]
    """
    share, (B, _, C) = opened(cache, 2, "mean_pool")
    expect("dout", dout, (B, C), "(B, C)")
    return share[:, :, None] * dout[:, None, :]  # (B, T, C)


def lstm(
    x: Float[Array, "B T C"],
    wx: Float[Array, "C H4"],
    wh: Float[Array, "H H4"],
    b: Float[Array, "H4"],
    h0: Float[Array, "B H"] | None = None,
    c0: Float[Array, "B H"] | None = None,
) -> tuple[Float[Array, "B T H"], Cache]:
    """Long short-term memory over T steps; returns the hidden state after each of them.

    ``i, f, o = sigmoid(...)``, ``g = tanh(...)`` of ``x_t @ wx + h @ wh + b``; then ``c = f * c + i * g`` and
    ``h = o * tanh(c)``. The cell c is only ever scaled and added to, so gradients survive many steps.

    Parameters
    ----------
    x : (B, T, C)
    wx, wh, b : (C, 4H), (H, 4H), (4H,)
        The four gates side by side, in torch's order i, f, g, o. (torch adds a second bias.)
    h0, c0 : (B, H), optional
        State before the first step; zeros when left out.

    References
    ----------
    Hochreiter and Schmidhuber (1997); with the forget gate of Gers, Schmidhuber and Cummins (2000).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> wx, wh, b = rng.normal(size=(1, 8)), rng.normal(size=(2, 8)), np.zeros(8)
    >>> h, _ = lstm(np.array([[[1.0], [0.0], [0.0]]]), wx, wh, b)
    >>> print(h.round(3))  # the first step is still remembered in the third
    [[[-0.2    0.116]
      [ 0.042  0.106]
      [-0.007  0.083]]]
    """
    x = floats("x", x, 3, "(B, T, C)")
    matrix("wh", wh, None, "(H, 4H)")
    (B, T, C), H = x.shape, len(wh)
    expect("wx", wx, (C, 4 * H), "(C, 4H)")
    expect("wh", wh, (H, 4 * H), "(H, 4H)")
    expect("b", b, (4 * H,), "(4H,)")
    for name, state in (("h0", h0), ("c0", c0)):
        if state is not None:
            expect(name, state, (B, H), "(B, H)")
    xt = np.ascontiguousarray(x.swapaxes(0, 1))  # (T, B, C): the rows of one step side by side in memory
    gates = linear(xt, wx, b)[0]  # (T, B, 4H): what the inputs add to every step, in one product
    views = gates.reshape(T, B, 4, H).swapaxes(1, 2)  # (T, 4, B, H): the same numbers, gate by gate
    h = np.empty((T + 1, B, H), x.dtype)  # h[t] is the state before step t
    c, tanh_c = np.empty_like(h), np.empty_like(h[1:])
    h[0] = 0.0 if h0 is None else h0
    c[0] = 0.0 if c0 is None else c0
    for t in range(T):
        gates[t] += h[t] @ wh
        i, f, g, o = views[t]
        tanh_g = np.tanh(g)
        gates[t] = sigmoid(gates[t])[0]  # all four at once; then g gets its tanh instead
        g[...] = tanh_g
        c[t + 1] = f * c[t] + i * g
        tanh_c[t] = np.tanh(c[t + 1])
        h[t + 1] = o * tanh_c[t]
    return h[1:].swapaxes(0, 1).copy(), (xt, wx, wh, gates, h, c, tanh_c, h0 is not None, c0 is not None)


def lstm_backward(dout: Float[Array, "B T H"], cache: Cache) -> tuple[Float[Array, "..."] | None, ...]:
    """Gradients of `lstm`: dx, dwx, dwh, db, dh0, dc0 (the last two None where no first state was given).

    Backpropagation through time: from the last step to the first, carrying dh and dc from step to step.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> h, cache = lstm(np.ones((1, 3, 1)), rng.normal(size=(1, 8)), rng.normal(size=(2, 8)), np.zeros(8))
    >>> dout = np.zeros_like(h)
    >>> dout[:, -1] = 1.0  # only the last step is asked for
    >>> print(lstm_backward(dout, cache)[0].ravel().round(4))  # dx: the first step counts, too
    [ 0.0854  0.2174 -0.1447]
    """
    xt, wx, wh, gates, h, c, tanh_c, has_h0, has_c0 = opened(cache, 9, "lstm")
    T, B, H = tanh_c.shape
    expect("dout", dout, (B, T, H), "(B, T, H)")
    views = gates.reshape(T, B, 4, H).swapaxes(1, 2)  # (T, 4, B, H)
    dz = np.empty_like(gates)  # (T, B, 4H): gradient of the gates before their sigmoid or tanh
    dh, dc = np.zeros_like(h[0]), np.zeros_like(c[0])  # (B, H) each: what comes from later steps
    for t in reversed(range(T)):
        i, f, g, o = views[t]
        dh = dh + dout[:, t]  # h[t + 1] went up to the output and on to the next step
        do = dh * tanh_c[t] * o * (1.0 - o)  # h = o * tanh(c), and o = sigmoid(z)
        dc = dc + dh * o * (1.0 - tanh_c[t] * tanh_c[t])
        di = dc * g * i * (1.0 - i)  # c = f * c + i * g, and i, f = sigmoid(z)
        df = dc * c[t] * f * (1.0 - f)
        dg = dc * i * (1.0 - g * g)  # g = tanh(z)
        dc = dc * f  # (B, H): what goes on to the step before
        dz[t] = np.concatenate([di, df, dg, do], axis=1)  # (B, 4H)
        dh = dz[t] @ wh.T  # (B, H): z = x @ wx + h @ wh + b
    dwh = h[:-1].reshape(-1, H).T @ dz.reshape(-1, 4 * H)  # every step used wh: one product for all
    dxt, dwx, db = linear_backward(dz, (xt, wx, True))
    dx = dxt.swapaxes(0, 1).copy()  # (B, T, C)
    return dx, dwx, dwh, db, dh if has_h0 else None, dc if has_c0 else None
