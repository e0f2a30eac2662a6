"""Losses that need no labels (chapter 10): pairs that belong together, and patches that were hidden.

Each returns ``(loss, cache)`` as those of `fmkit.losses` do, and its backward a gradient for each input that
is learned. N is the number of pairs, D the width of the space in which they are compared, P the numbers in a
patch.
"""

import math

import numpy as np
from jaxtyping import Float, Integer, Shaped

from fmkit._shapes import expect, floats, integers, opened, zeros_and_ones
from fmkit._types import Array, Cache, Scalar
from fmkit._values import demand, instance, number
from fmkit.activations import log_softmax, log_softmax_backward
from fmkit.losses import cross_entropy, cross_entropy_backward

MAX_LOG_SCALE = math.log(100.0)  # of `contrastive`: where CLIP stops, too


def unit_vectors(x: Float[Array, "*lead D"]) -> tuple[Float[Array, "*lead D"], Cache]:
    """Each vector divided by its length, so that a product of two is the cosine of the angle between them.

    A vector of zeros has no direction: it stays as it is, and gets no gradient.

    Examples
    --------
    >>> print(unit_vectors(np.array([[3.0, 4.0], [0.0, 0.0]]))[0])
    [[0.6 0.8]
     [0.  0. ]]
    """
    x = floats("x", x, axes=1)
    largest = np.abs(x).max(-1, keepdims=True, initial=0.0)  # (..., 1)
    zero = largest < np.finfo(x.dtype).tiny  # so small that 1 divided by it is no number any more
    out = x / np.where(zero, 1.0, largest)  # the largest is 1 now: no square is too large, or rounds to 0
    length = np.sqrt(np.vecdot(out, out))[..., None]  # (..., 1)
    out = np.where(zero, 0.0, out / np.where(zero, 1.0, length))
    inverse = np.where(zero, 0.0, 1.0 / np.where(zero, 1.0, length * largest))
    return out, (out, inverse)


def unit_vectors_backward(dout: Float[Array, "*lead D"], cache: Cache) -> Float[Array, "*lead D"]:
    """Gradient of `unit_vectors`: what points along the vector is gone, for its length changes nothing.

    Examples
    --------
    >>> _, cache = unit_vectors(np.array([[0.0, 2.0]]))
    >>> print(unit_vectors_backward(np.array([[1.0, 1.0]]), cache))
    [[0.5 0. ]]
    """
    out, inverse = opened(cache, 2, "unit_vectors")
    expect("dout", dout, out.shape, "(..., D)")
    along = np.vecdot(dout, out)[..., None]  # (..., 1)
    return (dout - along * out) * inverse


# ------------------------------------------------------------------------------------------------------ pairs


def contrastive(
    a: Float[Array, "N D"],
    b: Float[Array, "N D"],
    log_scale: Scalar,
    same: Integer[Array, "N"] | None = None,
) -> tuple[Scalar, Cache]:
    """CLIP's loss: each a is to find its own b among all N, and each b its own a; the mean of both questions.

    Scores are cosines times exp(log_scale), and both directions are a cross-entropy over the batch (the
    symmetric form of InfoNCE).

    Parameters
    ----------
    a, b : (N, D)
        Pictures and texts, say, of any length: row n of one belongs to row n of the other. At least two.
    log_scale : one number
        Logarithm of the inverse temperature, which is learned: CLIP begins with log(1 / 0.07). Above
        `MAX_LOG_SCALE` it acts like `MAX_LOG_SCALE` and gets no gradient, so it could never come back:
        after a step, cut the parameter itself to that.
    same : (N,) integers, optional
        Pairs of the same number are right for each other, too (the same caption twice): the answer then is
        spread evenly over them. Left out, every other pair is wrong.

    References
    ----------
    Radford et al., "Learning transferable visual models from natural language supervision" (2021), figure 3.

    Examples
    --------
    >>> a, b = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[9.0, 0.0], [0.0, 1.0]])
    >>> print(contrastive(a, b, 0.0)[0].round(3), contrastive(a, b, 3.0)[0].round(3))  # colder: surer
    0.313 0.0
    >>> print(contrastive(a, b[::-1].copy(), 3.0)[0].round(1))  # sure, and wrong
    20.1
    """
    a, b = _pairs(a, b)
    N = len(a)
    expect("log_scale", log_scale, (), "one number ()")
    log_scale = number("log_scale", float(log_scale))
    if same is None:
        right = np.eye(N, dtype=a.dtype)
    else:
        expect("same", same, (N,), "(N,)")
        integers("same", same)
        right = (same[:, None] == same).astype(a.dtype)
    right /= right.sum(1)  # (N, N): the answer wanted, as a distribution; symmetric, so columns sum to 1, too
    scale = math.exp(min(log_scale, MAX_LOG_SCALE))
    a_unit, a_cache = unit_vectors(a)
    b_unit, b_cache = unit_vectors(b)
    logits = scale * (a_unit @ b_unit.T)  # (N, N): row n are the scores of all b for a number n
    log_p, cache_rows = log_softmax(logits)
    log_q, cache_columns = log_softmax(logits.T)
    loss = -(right * (log_p + log_q)).sum() * (0.5 / N)
    learned = log_scale <= MAX_LOG_SCALE
    return loss, (a_unit, b_unit, a_cache, b_cache, logits, scale, right, cache_rows, cache_columns, learned)


def contrastive_backward(
    dout: Scalar, cache: Cache
) -> tuple[Float[Array, "N D"], Float[Array, "N D"], Scalar]:
    """Gradients of `contrastive`: da, db, dlog_scale.

    Examples
    --------
    >>> a, b = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[9.0, 0.0], [0.0, 1.0]])
    >>> _, cache = contrastive(a, b, 0.0)
    >>> da, db, dlog_scale = contrastive_backward(1.0, cache)
    >>> print(db.round(3), dlog_scale.round(3))  # uphill: towards the other; a long vector turns slowly
    [[0.    0.015]
     [0.134 0.   ]] -0.269
    """
    (a_unit, b_unit, a_cache, b_cache, logits, scale, right, cache_rows, cache_columns, learned) = opened(
        cache, 10, "contrastive"
    )
    expect("dout", dout, (), "one number ()")
    dlog_p = right * (-float(dout) * 0.5 / len(right))  # through the mean of both directions, and minus
    dlogits = log_softmax_backward(dlog_p, cache_rows)  # each a over all b
    dlogits += log_softmax_backward(dlog_p, cache_columns).T  # each b over all a
    da = unit_vectors_backward(scale * (dlogits @ b_unit), a_cache)  # logits = scale * a_unit @ b_unit.T
    db = unit_vectors_backward(scale * (dlogits.T @ a_unit), b_cache)
    dlog_scale = (dlogits * logits).sum()  # the slope of exp(log_scale) * cosine in log_scale is itself
    return da, db, dlog_scale if learned else dlog_scale * 0.0


def simclr(a: Float[Array, "N D"], b: Float[Array, "N D"], temperature: float = 0.5) -> tuple[Scalar, Cache]:
    """SimCLR's loss: of two views of each picture, each is to find the other among all 2N - 1 others.

    The two views are of one kind, so, unlike in `contrastive`, a view can also be mistaken for one of its own
    side; never for itself.

    Parameters
    ----------
    a, b : (N, D)
        Row n of both comes from picture n. At least two.
    temperature : float above 0
        Cosines are divided by it.

    References
    ----------
    Chen et al., "A simple framework for contrastive learning" (2020), equation 1.

    Examples
    --------
    >>> a = np.array([[1.0, 0.0], [0.0, 1.0]])
    >>> print(simclr(a, a)[0].round(3))  # both found: 1 right against 2 at a right angle
    0.24
    """
    a, b = _pairs(a, b)
    temperature = number("temperature", temperature, above=0)
    N = len(a)
    z, unit_cache = unit_vectors(np.concatenate([a, b]))  # (2N, D)
    logits = (z @ z.T) * (1.0 / temperature)  # (2N, 2N)
    np.fill_diagonal(logits, -np.inf)  # nobody looks for itself
    partner = np.roll(np.arange(2 * N), N)  # a number n looks for b number n, and the other way round
    loss, loss_cache = cross_entropy(logits, partner)
    return loss, (z, unit_cache, loss_cache, temperature)


def simclr_backward(dout: Scalar, cache: Cache) -> tuple[Float[Array, "N D"], Float[Array, "N D"]]:
    """Gradients of `simclr`: da, db.

    Examples
    --------
    >>> a, b = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 1.0], [0.0, 1.0]])
    >>> _, cache = simclr(a, b)
    >>> print(simclr_backward(1.0, cache)[1].round(3))  # uphill: b number 0 away from a number 0
    [[-0.41   0.41 ]
     [ 0.356  0.   ]]
    """
    z, unit_cache, loss_cache, temperature = opened(cache, 4, "simclr")
    dlogits = cross_entropy_backward(dout, loss_cache)  # (2N, 2N); 0 on the diagonal
    dz = (dlogits + dlogits.T) @ z * (1.0 / temperature)  # logits = z @ z.T: z was used twice
    dviews = unit_vectors_backward(dz, unit_cache)  # (2N, D)
    N = len(z) // 2
    return dviews[:N], dviews[N:]


def _pairs(a: Array, b: Array) -> tuple[Array, Array]:
    """Two arrays of N vectors; one pair alone would have nothing to be told from."""
    a, b = floats("a", a, 2, "(N, D)"), floats("b", b, 2, "(N, D)")
    expect("b", b, a.shape, "(N, D)")
    demand(len(a) > 1, "a", "two pairs at least", a.shape)
    return a, b


# --------------------------------------------------------------------------------------------- hidden patches


def masked_image_loss(
    pred: Float[Array, "B N P"],
    target: Float[Array, "B N P"],
    hidden: Shaped[Array, "B N"],
    normalize: bool = False,
) -> tuple[Scalar, Cache]:
    """Mean squared error on the patches that were hidden, and on no other.

    Over all patches, most of the loss would be about what the model has seen and need only copy.

    Parameters
    ----------
    pred : (B, N, P)
        What the model says of every patch. Where nothing was hidden it may be anything, even NaN.
    target : (B, N, P)
        The patches of the whole picture (`fmkit.vision.patches`). They get no gradient.
    hidden : (B, N) of 0 and 1, or booleans
        1 where the patch was hidden from the model; at least one. (`fmkit.layers.mean_pool` has 1 for what is
        there: this is the other way round, as in the paper's code.)
    normalize : bool
        Compare with each target patch at mean 0 and variance 1 over its P numbers (divided by P).

    Notes
    -----
    With ``normalize`` the model does not say how bright a patch is, nor how strong its contrast. A picture of
    its answer needs both, and to take them from the hidden patch is the classic mistake: the picture then
    borrows two numbers a patch from the solution, and looks better than the model is.

    References
    ----------
    He et al., "Masked autoencoders are scalable vision learners" (2022), section 3.

    Examples
    --------
    >>> target, pred = np.array([[[1.0, 3.0], [5.0, 5.0]]]), np.array([[[1.0, 1.0], [0.0, 0.0]]])
    >>> print(masked_image_loss(pred, target, np.array([[1, 0]]))[0])  # the second patch was to be seen
    2.0
    >>> print(masked_image_loss(pred, target, np.array([[1, 0]]), normalize=True)[0].round(3))
    2.0
    """
    pred, target = floats("pred", pred, 3, "(B, N, P)"), floats("target", target, 3, "(B, N, P)")
    target = target.astype(pred.dtype, copy=False)  # of bytes, too
    expect("target", target, pred.shape, "(B, N, P)")
    expect("hidden", hidden, pred.shape[:2], "(B, N)")
    zeros_and_ones("hidden", hidden)
    instance("normalize", normalize, bool)
    n = int(hidden.sum()) * pred.shape[2]
    demand(n > 0, "hidden", "a hidden patch at least", "none")
    if normalize:
        target = target - target.mean(-1, keepdims=True)
        var = (target * target).mean(-1, keepdims=True)  # (B, N, 1)
        target = target / np.sqrt(var + 1e-6)  # a patch of one colour has no variance at all
    diff = np.where(hidden[..., None], pred - target, 0.0)  # (B, N, P)
    return (diff * diff).sum() / n, (diff, n)


def masked_image_loss_backward(dout: Scalar, cache: Cache) -> Float[Array, "B N P"]:
    """Gradient of `masked_image_loss` with respect to ``pred``: 0 wherever nothing was hidden.

    Examples
    --------
    >>> target, pred = np.array([[[1.0, 3.0], [5.0, 5.0]]]), np.array([[[1.0, 1.0], [0.0, 0.0]]])
    >>> _, cache = masked_image_loss(pred, target, np.array([[1, 0]]))
    >>> print(masked_image_loss_backward(1.0, cache))
    [[[ 0. -2.]
      [ 0.  0.]]]
    """
    diff, n = opened(cache, 2, "masked_image_loss")
    expect("dout", dout, (), "one number ()")
    return float(dout) * (2.0 / n) * diff  # through the mean over what was hidden, then the square
