"""Optimizers (chapter 05): each is one pure step on one array.

``step(w, dw, state) -> (w_new, state_new)``: nothing is overwritten. The state is a plain dict of what the
optimizer remembers about this array (``None`` before the first step); `apply` maps a step over all
parameters of a model. Gradient descent, SGD and mini-batch SGD are the same step, `sgd`: they differ only
in how much data ``dw`` was taken over.

The formulas and defaults are those of ``torch.optim``, except for `muon`'s learning rate and weight decay.

Every step raises ValueError for a gradient or a state of another shape than the parameter, for another
optimizer's state or one of another dtype, and for a setting out of range (lr, eps and weight decay from 0 up,
betas from 0 to below 1); TypeError for what is not an array of floats (of integers, as float64). The
parameter keeps its dtype, whatever that of the gradient and the settings.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float

from fmkit._shapes import expect, floats
from fmkit._types import Array
from fmkit._values import demand, kind_of, number, whole
from fmkit.params import flatten, map_states, tree_map

Weights = Float[Array, "..."]
State = dict[str, Any]

_NEWTON_SCHULZ = 3.4445, -4.7750, 2.0315  # a, b, c of `orthogonalize`


def sgd(w: Weights, dw: Weights, state: State | None = None, lr: float = 1e-2) -> tuple[Weights, State]:
    """Stochastic gradient descent (Robbins & Monro 1951): a step of length lr * |dw| downhill.

    Parameters
    ----------
    w, dw : arrays of one shape
        A parameter and the gradient of the loss with respect to it.
    state : dict, optional
        What the previous step returned; SGD remembers nothing.
    lr : float
        Learning rate.

    Returns
    -------
    w_new : array
        The parameter after the step; ``w`` itself is left alone.
    state_new : dict
        To be passed to the next step.

    Examples
    --------
    >>> w, state = sgd(np.array([1.0, 2.0]), np.array([10.0, -10.0]), lr=0.1)
    >>> print(w)
    [0. 3.]
    """
    w, dw = _alike(w, dw, state, ())
    lr = number("lr", lr, 0)
    return w - lr * dw, {}


def momentum(
    w: Weights, dw: Weights, state: State | None = None, lr: float = 1e-2, beta: float = 0.9
) -> tuple[Weights, State]:
    """Heavy-ball momentum (Polyak 1964): follow a decaying sum of all gradients so far.

    The velocity is ``v = beta * v + dw`` and is *subtracted*, as in torch. With a constant gradient it grows
    to ``dw / (1 - beta)``: at beta = 0.9 the steps become ten times as long. (Texts with
    ``v = beta * v - lr * dw; w = w + v`` take the same steps as long as lr is constant.)

    Examples
    --------
    >>> w, state = np.zeros(1), None
    >>> for _ in range(3):  # the gradient is 1 each time, and the steps get longer
    ...     w, state = momentum(w, np.ones(1), state, lr=1.0)
    ...     print(w, state["v"])
    [-1.] [1.]
    [-2.9] [1.9]
    [-5.61] [2.71]
    """
    w, dw = _alike(w, dw, state, ("v",))
    lr, beta = number("lr", lr, 0), number("beta", beta, 0, below=1)
    state = state or {"v": np.zeros_like(w)}
    v = beta * state["v"] + dw
    return w - lr * v, {"v": v}


def nesterov(
    w: Weights, dw: Weights, state: State | None = None, lr: float = 1e-2, beta: float = 0.9
) -> tuple[Weights, State]:
    """Nesterov's momentum (1983) in the form of Sutskever et al. (2013): momentum that looks one step ahead.

    As `momentum`, but the step uses the velocity after its *next* decay, ``dw + beta * v``: the newest
    gradient already counts as it will count after one more step.

    Examples
    --------
    >>> w, state = nesterov(np.zeros(1), np.ones(1), lr=1.0)
    >>> print(w, state["v"])  # `momentum` would be at -1: here the decayed velocity counts already
    [-1.9] [1.]
    """
    w, dw = _alike(w, dw, state, ("v",))
    lr, beta = number("lr", lr, 0), number("beta", beta, 0, below=1)
    state = state or {"v": np.zeros_like(w)}
    v = beta * state["v"] + dw
    return w - lr * (dw + beta * v), {"v": v}


def adagrad(
    w: Weights, dw: Weights, state: State | None = None, lr: float = 1e-2, eps: float = 1e-10
) -> tuple[Weights, State]:
    """AdaGrad (Duchi et al. 2011): each weight has its own rate, ``lr / sqrt(sum of its squared gradients)``.

    Good for rare features, whose sum stays small. The sum never shrinks, so the steps never grow back.

    Examples
    --------
    >>> w, state = np.zeros(2), None
    >>> for dw in np.array([[3.0, 0.0], [3.0, 0.1]]):  # a frequent and a rare feature
    ...     w, state = adagrad(w, dw, state, lr=1.0)
    >>> print(w.round(3))  # the rare one's first step is as long as the frequent one's
    [-1.707 -1.   ]
    """
    w, dw = _alike(w, dw, state, ("s",))
    lr, eps = number("lr", lr, 0), number("eps", eps, 0)
    state = state or {"s": np.zeros_like(w)}
    s = state["s"] + dw**2
    return w - lr * dw / (np.sqrt(s) + eps), {"s": s}


def rmsprop(
    w: Weights,
    dw: Weights,
    state: State | None = None,
    lr: float = 1e-2,
    beta: float = 0.99,
    eps: float = 1e-8,
) -> tuple[Weights, State]:
    """RMSProp (Hinton 2012, lecture 6e): AdaGrad with a decaying mean of the squares, not their sum.

    Examples
    --------
    >>> w, state = rmsprop(np.zeros(3), np.array([1000.0, 1.0, -0.001]), lr=0.1)
    >>> print(w.round(3))  # the first step is lr / sqrt(1 - beta), whatever the gradient's size
    [-1. -1.  1.]
    """
    w, dw = _alike(w, dw, state, ("v",))
    lr, beta, eps = number("lr", lr, 0), number("beta", beta, 0, below=1), number("eps", eps, 0)
    state = state or {"v": np.zeros_like(w)}
    v = beta * state["v"] + (1 - beta) * dw**2
    return w - lr * dw / (np.sqrt(v) + eps), {"v": v}


def adam(
    w: Weights,
    dw: Weights,
    state: State | None = None,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
) -> tuple[Weights, State]:
    """Adam (Kingma & Ba 2015, algorithm 1): momentum divided by RMSProp's scale, both with bias correction.

    ``m`` and ``v`` are moving means of dw and dw**2 that start at zero, so early on they are too small by
    the factors ``1 - beta1**t`` and ``1 - beta2**t``. Dividing these out makes the very first step exactly
    ``lr * sign(dw)`` (up to eps). Left out, that step is ``(1 - beta1) / sqrt(1 - beta2)`` times as long:
    3.162 times.

    Parameters
    ----------
    w, dw : arrays of one shape
        A parameter and its gradient.
    state : dict, optional
        ``{"m", "v", "t"}``: the two moving means and the number of steps taken.
    lr : float
        Learning rate: about the largest change of any weight in one step.
    betas : pair of float
        Decay of the two moving means (they are not learning rates): each looks back over about
        ``1 / (1 - beta)`` steps.
    eps : float
        Keeps the division finite where all gradients were zero; added after the square root.

    Returns
    -------
    w_new : array
    state_new : dict

    Examples
    --------
    >>> w, state = adam(np.zeros(3), np.array([1000.0, 1.0, -0.001]), lr=0.5)
    >>> print(w.round(3), state["t"])
    [-0.5 -0.5  0.5] 1
    """
    w, dw = _alike(w, dw, state, ("m", "v", "t"))
    lr, eps = number("lr", lr, 0), number("eps", eps, 0)
    beta1, beta2 = _betas(betas)
    state = state or {"m": np.zeros_like(w), "v": np.zeros_like(w), "t": 0}
    t = state["t"] + 1
    m = beta1 * state["m"] + (1 - beta1) * dw
    v = beta2 * state["v"] + (1 - beta2) * dw**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return w - lr * m_hat / (np.sqrt(v_hat) + eps), {"m": m, "v": v, "t": t}


def adamw(
    w: Weights,
    dw: Weights,
    state: State | None = None,
    lr: float = 1e-3,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
) -> tuple[Weights, State]:
    """AdamW (Loshchilov & Hutter 2019): Adam, and every weight also shrinks by ``lr * weight_decay``.

    An L2 penalty put into ``dw`` would be divided by ``sqrt(v)`` like everything else, so weights with large
    gradients would hardly decay. Decoupled, all weights decay alike.

    Examples
    --------
    >>> w, _ = adamw(np.array([1.0, -1.0]), np.array([0.0, 5.0]), lr=0.1, weight_decay=0.5)
    >>> print(w.round(3))  # the first only shrinks, the second makes Adam's step, too
    [ 0.95 -1.05]
    """
    w, dw = _alike(w, dw, state, ("m", "v", "t"))
    lr, eps, weight_decay = (
        number("lr", lr, 0),
        number("eps", eps, 0),
        number("weight_decay", weight_decay, 0),
    )
    return _fused_adam(w * (1 - lr * weight_decay), dw, state, lr, _betas(betas), eps)  # `adam`, in less time


def muon(
    w: Float[Array, "C_in C_out"],
    dw: Float[Array, "C_in C_out"],
    state: State | None = None,
    lr: float = 0.02,
    beta: float = 0.95,
    weight_decay: float = 0.0,
) -> tuple[Float[Array, "C_in C_out"], State]:
    """Muon (Jordan et al. 2024): Nesterov momentum whose matrix is made orthogonal before the step.

    For the weight *matrices* inside a network; biases, gains and embeddings keep AdamW. A gradient matrix
    is often dominated by a few directions; with all singular values set to about 1, every direction learns
    at one pace. A step therefore has a known size, whatever the gradient's: in spectral norm about
    ``lr * sqrt(max(1, C_out / C_in))``.

    Parameters
    ----------
    w, dw : arrays (C_in, C_out)
        A weight matrix, used as ``x @ w``, and its gradient. (torch stores the transpose, so there the
        factor reads rows / columns.)
    state : dict, optional
        ``{"m"}``, the moving mean of the gradients.
    lr, beta, weight_decay : float
        Learning rate, momentum, decoupled weight decay as in `adamw`.

    Examples
    --------
    >>> dw = np.diag([100.0, 1.0])  # a loud direction and a quiet one
    >>> w, state = muon(np.zeros((2, 2)), dw, lr=0.1)
    >>> print(w.round(2))
    [[-0.07  0.  ]
     [ 0.   -0.07]]
    """
    w, dw = _alike(w, dw, state, ("m",))
    expect("w", w, (None, None), "(C_in, C_out)")
    demand(w.size > 0, "w", "a row and a column at least", w.shape)
    lr, beta = number("lr", lr, 0), number("beta", beta, 0, below=1)
    weight_decay = number("weight_decay", weight_decay, 0)
    c_in, c_out = w.shape
    state = state or {"m": np.zeros_like(w)}
    m = beta * state["m"] + (1 - beta) * dw
    look_ahead = beta * m + (1 - beta) * dw  # Nesterov: the mean after one more such gradient
    direction = _fused_orthogonalize(look_ahead)  # `orthogonalize`, in less time
    pace = lr * math.sqrt(max(1.0, c_out / c_in))
    return w * (1 - lr * weight_decay) - pace * direction, {"m": m}


def orthogonalize(g: Float[Array, "N M"], steps: int = 5) -> Float[Array, "N M"]:
    """Set all singular values of a matrix to about 1 (0.68 to 1.2) by Newton-Schulz iteration.

    One iteration maps each singular value s to ``a*s + b*s**3 + c*s**5`` and leaves the singular vectors
    alone. The coefficients (Jordan et al. 2024) do not converge to 1; they push small values up as fast as
    possible. Values below about 0.002 of the Frobenius norm need more than 5 steps.

    Examples
    --------
    >>> print(orthogonalize(np.diag([1.0, 0.5, 0.01])).round(2))  # all singular values near 1
    [[0.69 0.   0.  ]
     [0.   1.11 0.  ]
     [0.   0.   0.69]]
    """
    g = floats("g", g)
    expect("g", g, (None, None), "(N, M)")
    demand(g.size > 0, "g", "a row and a column at least", g.shape)
    a, b, c = _NEWTON_SCHULZ
    x = _over_its_norm(g)  # no singular value exceeds the Frobenius norm
    for _ in range(whole("steps", steps, 0)):
        cubed = x @ x.T @ x  # (N, M), with the singular values s**3
        x = a * x + b * cubed + c * x @ x.T @ cubed
    return x


def _over_its_norm(g: Float[Array, "N M"]) -> Float[Array, "N M"]:
    """In two steps, for the square of 1e-30 is 0 in float32, that of 1e30 infinite."""
    g = g / (float(np.abs(g).max()) or 1.0)  # a matrix of zeros has no direction
    return g / (float(np.linalg.norm(g)) or 1.0)


def apply(step: Callable, params: Any, grads: Any, state: Any = None, **settings: Any) -> tuple[Any, Any]:
    """Take one optimizer step on every parameter of a model.

    Parameters
    ----------
    step : callable
        One of this module's steps, such as `adam`.
    params, grads : nested dicts and lists of arrays, nested alike
        Part of a model's parameters will do as well: what is not passed is not trained.
    state : optional
        What the previous call returned: nested as ``params``, each array's state in its place.
    **settings
        Passed on to ``step``, such as ``lr``.

    Returns
    -------
    params_new, state_new

    Raises
    ------
    ValueError
        When ``grads`` is not nested as ``params``, or a gradient has another shape than its parameter.

    Examples
    --------
    >>> params = {"w": np.ones(2), "b": np.zeros(1)}
    >>> grads = {"w": np.array([1.0, -1.0]), "b": np.ones(1)}
    >>> params, state = apply(momentum, params, grads, lr=0.5)
    >>> print(params["w"], state["b"])
    [0.5 1.5] {'v': array([1.])}
    """

    def one(w, dw, s):
        if np.shape(w) != np.shape(dw):
            raise ValueError(f"gradient of shape {np.shape(dw)} for a parameter of shape {np.shape(w)}")
        return step(w, dw, s, **settings)

    if not callable(step):
        raise TypeError(f"step: expected an optimizer's step, such as adam, got {kind_of(step)}")
    if state is None:
        state = tree_map(lambda _: None, params)
    pairs = map_states(one, params, grads, state)  # at every leaf (w_new, state_new)
    return tree_map(lambda pair: pair[0], pairs), tree_map(lambda pair: pair[1], pairs)


def clip_grad_norm(grads: Any, max_norm: float) -> tuple[Any, float]:
    """Scale all gradients by one factor so that their joint Euclidean norm is at most ``max_norm``.

    The direction stays; only the length changes (Pascanu et al. 2013). As
    ``torch.nn.utils.clip_grad_norm_``, but nothing is overwritten.

    Returns
    -------
    grads_new
        Nested as ``grads``; the very same object when nothing had to be clipped.
    norm : float
        The norm before clipping: worth plotting, and infinite or NaN when training has gone wrong.

    Raises
    ------
    ValueError
        For a ``max_norm`` below 0: it would turn the direction round.

    Examples
    --------
    >>> grads, norm = clip_grad_norm({"w": np.array([3.0, 4.0])}, max_norm=1.0)
    >>> print(grads["w"].round(3), norm)
    [0.6 0.8] 5.0
    """
    if max_norm != math.inf:  # (which clips nothing)
        max_norm = number("max_norm", max_norm, 0)
    flat = [floats(name, g) for name, g in flatten(grads).items()]
    norm = math.sqrt(sum(float(np.vdot(g, g)) for g in flat))  # of all in one long vector
    if norm == math.inf:  # perhaps only its square is
        norm = _norm_of_large(flat)
    if norm <= max_norm:
        return grads, norm
    scale = max_norm / (norm + 1e-6)  # torch's margin: float32 rounding cannot push the result above max_norm
    return tree_map(lambda g: g * scale, grads), norm


def _norm_of_large(arrays: list[Array]) -> float:
    """The joint norm where squares overflow: of the arrays over their largest number, times that number."""
    largest = max(float(np.abs(g).max(initial=0.0)) for g in arrays)
    if not largest < math.inf:
        return largest
    return largest * math.sqrt(sum(float(np.vdot(g / largest, g / largest)) for g in arrays))


def warmup_cosine(step: int, warmup: int, total: int, floor: float = 0.0) -> float:
    """Learning-rate multiplier: linear warm-up to 1, then half a cosine down to ``floor``.

    (Cosine: Loshchilov & Hutter 2017, equation 5; warm-up: Goyal et al. 2017.) Multiply the peak learning
    rate by it.

    Parameters
    ----------
    step : int
        Steps taken so far: 0 for the first one.
    warmup : int
        Steps of warm-up. The first has the multiplier 1 / warmup (not 0: it should not be wasted), the last
        has 1.
    total : int
        Steps of the entire run; from there on the multiplier is ``floor``.
    floor : float from 0 to 1

    Raises
    ------
    ValueError
        For a number below 0, or a ``floor`` above 1.

    Examples
    --------
    >>> [round(warmup_cosine(s, warmup=2, total=6), 2) for s in range(7)]
    [0.5, 1.0, 1.0, 0.85, 0.5, 0.15, 0.0]
    """
    step, warmup, total = whole("step", step, 0), whole("warmup", warmup, 0), whole("total", total, 0)
    floor = number("floor", floor, 0, 1)
    if step >= total:
        return floor
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / (total - warmup)  # 0 at the peak, 1 at the end
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))


def warmup_constant_decay(step: int, warmup: int, decay: int, total: int) -> float:
    """Learning-rate multiplier: linear warm-up to 1, constant, and over the last ``decay`` steps linear to 0.

    Also called trapezoidal or warmup-stable-decay (Hu et al. 2024). Unlike with a cosine, the middle does
    not depend on ``total``: a run can be prolonged and its decay begun whenever wanted. A number below 0
    raises ValueError.

    Examples
    --------
    >>> [warmup_constant_decay(s, warmup=2, decay=4, total=8) for s in range(9)]
    [0.5, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    step, warmup = whole("step", step, 0), whole("warmup", warmup, 0)
    decay, total = whole("decay", decay, 0), whole("total", total, 0)
    rise = (step + 1) / max(1, warmup)
    fall = (total - step) / max(1, decay)
    return max(0.0, min(rise, 1.0, fall))


# ------------------------------------------------------------------------------------------- what is refused


def _alike(w: Weights, dw: Weights, state: State | None, names: tuple[str, ...]) -> tuple[Weights, Weights]:
    """w and dw as floats of w's dtype, once the gradient and the state fit: the parameter keeps its dtype."""
    w, dw = floats("w", w), floats("dw", dw)
    expect("dw", dw, w.shape, "the shape of w")
    if state:
        ours = isinstance(state, dict) and state.keys() == set(names)
        demand(ours, "state", f"what this optimizer keeps, {names}", tuple(state))
        for name in names:
            if name == "t":
                whole("state['t']", state["t"], 1)
                continue
            expect(f"state[{name!r}]", state[name], w.shape, "the shape of w")
            if state[name].dtype != w.dtype:
                raise ValueError(f"state[{name!r}]: expected {w.dtype}, as w, got {state[name].dtype}")
    return w, dw.astype(w.dtype, copy=False)


def _betas(betas: Any) -> tuple[float, float]:
    if not isinstance(betas, tuple | list) or len(betas) != 2:
        raise TypeError(f"betas: expected a pair of numbers, got {betas!r:.60}")
    return number("betas", betas[0], 0, below=1), number("betas", betas[1], 0, below=1)


# ----------------------------------------------------------------------------------------------- in less time


def _fused_adam(
    w: Weights, dw: Weights, state: State | None, lr: float, betas: tuple[float, float], eps: float
) -> tuple[Weights, State]:
    """`adam`, in place on its own arrays: three quarters of the time, 2 % of a small model's training step.

    Both corrections are plain numbers, so they are taken out of the arrays (Kingma & Ba 2015, section 2):
    with c1 = 1 - beta1**t and c2 = 1 - beta2**t, ``m_hat / (sqrt(v_hat) + eps)`` is
    ``sqrt(c2) / c1 * m / (sqrt(v) + eps * sqrt(c2))``.
    """
    beta1, beta2 = betas
    state = state or {"m": np.zeros_like(w), "v": np.zeros_like(w), "t": 0}
    t = state["t"] + 1
    m = beta1 * state["m"]
    m += (1 - beta1) * dw
    v = beta2 * state["v"]
    v += (1 - beta2) * (dw * dw)
    root = math.sqrt(1 - beta2**t)
    step = np.sqrt(v)
    step += eps * root
    step = np.divide(m, step, out=step if w.ndim else None)  # one number by itself is not an array
    step *= lr * root / (1 - beta1**t)
    return w - step, {"m": m, "v": v, "t": t}


def _fused_orthogonalize(g: Float[Array, "N M"], steps: int = 5) -> Float[Array, "N M"]:
    """`orthogonalize` in half the time: all iterations on the smaller side of the matrix.

    With n the smaller side, an iteration is ``x = poly @ x``, where ``poly = a + b*gram + c*gram @ gram`` and
    ``gram = x @ x.T`` are (n, n). So the polynomials are multiplied up there, and the large ``x`` is touched
    only twice.
    """
    tall = g.shape[0] > g.shape[1]
    x = g.T if tall else g  # (n, m), n <= m
    x = _over_its_norm(x)
    gram = x @ x.T  # (n, n)
    poly = factor = _newton_schulz_polynomial(gram)
    for _ in range(steps - 1):
        gram = poly @ gram @ poly  # the Gram matrix of poly @ x
        poly = _newton_schulz_polynomial(gram)
        factor = poly @ factor
    return x.T @ factor if tall else factor @ x  # factor is symmetric


def _newton_schulz_polynomial(gram: Float[Array, "n n"]) -> Float[Array, "n n"]:
    """a * I + b * gram + c * gram @ gram, for a symmetric ``gram``."""
    a, b, c = _NEWTON_SCHULZ
    out = c * (gram @ gram)
    out += b * gram
    out.flat[:: len(gram) + 1] += a  # the diagonal
    return out
