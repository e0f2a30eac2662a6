"""Learning without labels (chapter 10): pairs that belong together, hidden patches, copies, forgeries.

Each loss returns ``(loss, cache)`` as those of `fmkit.losses` do, and its backward a gradient for each input
that is learned. N is the number of pairs, D the width of the space in which they are compared, P the
numbers in a patch.
"""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Integer, Shaped

from fmkit._shapes import expect, float_dtype, floats, integers, opened, zeros_and_ones
from fmkit._types import Array, Cache, Scalar
from fmkit._values import demand, generator, holds, instance, listed, number, whole
from fmkit.activations import log_softmax, log_softmax_backward, sigmoid
from fmkit.layers import mlp, mlp_backward
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


def two_views(
    images: Shaped[Array, "B H W *C"],
    offsets: Integer[Array, "2 B 2"],
    flips: Bool[Array, "2 B"],
    size: int,
) -> tuple[Shaped[Array, "B size size *C"], Shaped[Array, "B size size *C"]]:
    """Two windows of each picture, each with a place of its own and perhaps turned left to right.

    What stays the same in both is what `simclr` learns; what is thrown away here (where a thing stands, which
    way it looks) it learns to overlook. A digit is no longer itself when turned.

    Parameters
    ----------
    images : (B, H, W) or (B, H, W, C)
    offsets : (2, B, 2) integers
        Of each view of each picture: how many rows above the window, how many columns to its left.
    flips : (2, B) booleans
    size : int from 1
        Rows and columns of a window.

    Raises
    ------
    ValueError
        When a window is not inside its picture.

    References
    ----------
    Chen et al., "A simple framework for contrastive learning" (2020), section 3.

    Examples
    --------
    >>> image = np.arange(9).reshape(1, 3, 3)
    >>> one, other = two_views(image, np.array([[[0, 0]], [[1, 1]]]), np.array([[False], [True]]), size=2)
    >>> print(one[0], other[0], sep="\\n")
    [[0 1]
     [3 4]]
    [[5 4]
     [8 7]]
    """
    size = whole("size", size, 1)
    if not isinstance(images, np.ndarray) or images.ndim not in (3, 4):
        expect("images", images, (None, None, None), "(B, H, W) or (B, H, W, C)")
    B, H, W = images.shape[:3]
    integers("offsets", offsets)
    expect("offsets", offsets, (2, B, 2), "(2, B, 2)")
    expect("flips", flips, (2, B), "(2, B)")
    zeros_and_ones("flips", flips)
    last = np.array([H - size, W - size])
    inside = (offsets >= 0).all() and (offsets <= last).all()
    demand(inside, "offsets", f"0 to {H - size} rows and 0 to {W - size} columns", "a window that sticks out")
    steps = np.arange(size)
    rows = offsets[..., 0, None] + steps  # (2, B, size)
    columns = offsets[..., 1, None] + np.where(flips.astype(bool)[..., None], steps[::-1], steps)
    picture = np.arange(B)[:, None, None]
    one, other = (images[picture, rows[v][:, :, None], columns[v][:, None]] for v in (0, 1))
    return one, other


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


def zero_shot(images: Float[Array, "N D"], prompts: Sequence[Float[Array, "_ D"]]) -> Float[Array, "N K"]:
    """How near each picture is to each of K classes that are given in words only.

    Several sentences a class ("a photo of a cat", "a drawing of a cat", ...) are made one: all to length 1,
    their mean, and that to length 1 again, or a class whose sentences quarrel would come out shorter than the
    others.

    Parameters
    ----------
    images : (N, D)
        Of any length.
    prompts : list of K arrays (M, D)
        The sentences of each class; not each need have as many.

    Returns
    -------
    cosines : (N, K)
        The largest of a row is the answer.

    References
    ----------
    Radford et al., "Learning transferable visual models from natural language supervision" (2021), section
    3.1.4.

    Examples
    --------
    >>> cat, dog = np.array([[1.0, 0.0], [9.0, 9.0]]), np.array([[0.0, 2.0]])
    >>> print(zero_shot(np.array([[3.0, 0.0]]), [cat, dog]).round(3))  # 22.5 and 90 degrees away
    [[0.924 0.   ]]
    """
    images = floats("images", images, 2, "(N, D)")
    listed("prompts", prompts, "arrays")
    classes = []
    for p in prompts:
        p = floats("prompts", p, 2, "(M, D)")
        expect("prompts", p, (None, images.shape[1]), "(M, D)")
        demand(len(p) > 0, "prompts", "a sentence at least for each class", "none")
        classes.append(unit_vectors(p)[0].mean(0))
    demand(len(classes) > 0, "prompts", "a class at least", "none")
    return unit_vectors(images)[0] @ unit_vectors(np.stack(classes))[0].T


# --------------------------------------------------------------------------------------------- hidden patches


def mask_patches(
    tokens: Float[Array, "B N P"], noise: Float[Array, "B N"], keep: int
) -> tuple[Float[Array, "B keep P"], Integer[Array, "B N"]]:
    """Keep some patches of each picture, at random, and remember where all of them were.

    Parameters
    ----------
    tokens : (B, N, P)
        Patches (`fmkit.vision.patches`). What tells their places has to be added before, not after: here they
        lose their order.
    noise : (B, N)
        Random numbers, others for each picture: the patches with the smallest stay.
    keep : int from 1 to N

    Returns
    -------
    visible : (B, keep, P)
        In the order of the noise.
    restore : (B, N) integers
        Where patch n is in the shuffled row: ``restore >= keep`` says which are hidden, and a row of all N in
        the order of the noise is put back by ``np.take_along_axis(row, restore[..., None], 1)``.

    References
    ----------
    He et al., "Masked autoencoders are scalable vision learners" (2022), section 3.

    Examples
    --------
    >>> tokens = np.array([[[10.0], [11.0], [12.0]]])
    >>> visible, restore = mask_patches(tokens, np.array([[0.9, 0.2, 0.5]]), keep=2)
    >>> print(visible[0].ravel(), restore, restore >= 2)
    [11. 12.] [[2 0 1]] [[ True False False]]
    """
    tokens, noise = floats("tokens", tokens, 3, "(B, N, P)"), floats("noise", noise, 2, "(B, N)")
    expect("noise", noise, tokens.shape[:2], "(B, N)")
    keep = whole("keep", keep, 1)
    demand(keep <= tokens.shape[1], "keep", f"at most {tokens.shape[1]} patches", keep)
    order = np.argsort(noise, axis=1, kind="stable")  # (B, N): which patch comes first, second, ...
    restore = np.argsort(order, axis=1)  # its inverse: at which place patch n came
    return np.take_along_axis(tokens, order[:, :keep, None], 1), restore


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


# ------------------------------------------------------------------------------------------------ autoencoder


def init_autoencoder(
    rng: np.random.Generator, n_pixels: int, n_hidden: int, n_codes: int, dtype=np.float32
) -> dict:
    """Parameters of a new `autoencoder`: two feed-forward parts, the second a mirror of the first.

    Examples
    --------
    >>> params = init_autoencoder(np.random.default_rng(0), n_pixels=784, n_hidden=128, n_codes=2)
    >>> {name: p["w1"].shape + p["w2"].shape for name, p in params.items()}
    {'encoder': (784, 128, 128, 2), 'decoder': (2, 128, 128, 784)}
    """
    generator(rng)
    dtype = float_dtype(dtype)
    n, h, k = whole("n_pixels", n_pixels, 1), whole("n_hidden", n_hidden, 1), whole("n_codes", n_codes, 1)

    def part(n_in, n_out):
        return {
            "w1": rng.normal(0.0, math.sqrt(2.0 / n_in), (n_in, h)).astype(dtype),
            "b1": np.zeros(h, dtype),
            "w2": rng.normal(0.0, math.sqrt(1.0 / h), (h, n_out)).astype(dtype),
            "b2": np.zeros(n_out, dtype),
        }

    return {"encoder": part(n, k), "decoder": part(k, n)}


def autoencoder(params: dict, x: Float[Array, "B P"]) -> tuple[Float[Array, "B P"], Cache]:
    """Squeeze each picture into a few numbers, its codes, and unfold them again.

    The codes alone: ``mlp(x, **params["encoder"])[0]``. With fewer codes than pixels a copy is not to be
    had for nothing: what the pictures have in common has to go into the weights.

    Parameters
    ----------
    params : dict
        As `init_autoencoder` makes them.
    x : (B, P)
        Pictures as rows. To train, compare what comes out with them (`fmkit.losses.mse`); of a *denoising*
        one, with the pictures as they were before the noise.

    References
    ----------
    Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks" (2006).

    Examples
    --------
    >>> params = init_autoencoder(np.random.default_rng(0), n_pixels=6, n_hidden=5, n_codes=2)
    >>> autoencoder(params, np.ones((3, 6), np.float32))[0].shape
    (3, 6)
    """
    holds("params", params, {"encoder", "decoder"}, "an autoencoder's, as init_autoencoder makes them")
    codes, encoder_cache = mlp(floats("x", x, 2, "(B, P)"), **params["encoder"])  # (B, n_codes)
    out, decoder_cache = mlp(codes, **params["decoder"])  # (B, P)
    return out, (encoder_cache, decoder_cache)


def autoencoder_backward(dout: Float[Array, "B P"], cache: Cache) -> tuple[dict, Float[Array, "B P"]]:
    """Gradient of `autoencoder`: a dict of gradients with the keys of ``params``, and that of the pictures.

    Examples
    --------
    >>> params = init_autoencoder(np.random.default_rng(0), n_pixels=6, n_hidden=5, n_codes=2)
    >>> out, cache = autoencoder(params, np.ones((3, 6), np.float32))
    >>> grads, dx = autoencoder_backward(np.ones_like(out), cache)
    >>> grads["encoder"]["w1"].shape, dx.shape
    ((6, 5), (3, 6))
    """
    encoder_cache, decoder_cache = opened(cache, 2, "autoencoder")
    names = "w1", "b1", "w2", "b2"
    dcodes, *ddecoder = mlp_backward(dout, decoder_cache)
    dx, *dencoder = mlp_backward(dcodes, encoder_cache)
    grads = {"encoder": dencoder, "decoder": ddecoder}
    return {part: dict(zip(names, arrays, strict=True)) for part, arrays in grads.items()}, dx


# ----------------------------------------------------------------------------------- a forger and a detective


def discriminator_loss(
    real_logits: Float[Array, "N"], fake_logits: Float[Array, "M"]
) -> tuple[Scalar, Cache]:
    """What the detective of a GAN pays: for real pictures not called real, and forgeries not called forged.

    ``-log sigmoid(real) - log(1 - sigmoid(fake))``, the mean of each, from logits: log(1 + exp) without
    overflow.

    Parameters
    ----------
    real_logits, fake_logits : (N,), (M,)
        How real it thinks each picture is: positive for real.

    References
    ----------
    Goodfellow et al., "Generative adversarial nets" (2014), algorithm 1.

    Examples
    --------
    >>> print(round(float(discriminator_loss(np.zeros(3), np.zeros(2))[0]), 3))  # knows nothing: 2 log 2
    1.386
    """
    real, fake = _logits("real_logits", real_logits), _logits("fake_logits", fake_logits)
    loss = np.logaddexp(0.0, -real).mean() + np.logaddexp(0.0, fake).mean()
    return loss, (real, fake)


def discriminator_loss_backward(dout: Scalar, cache: Cache) -> tuple[Float[Array, "N"], Float[Array, "M"]]:
    """Gradients of `discriminator_loss`: dreal_logits, dfake_logits.

    Examples
    --------
    >>> _, cache = discriminator_loss(np.zeros(2), np.zeros(4))
    >>> print(*discriminator_loss_backward(1.0, cache))
    [-0.25 -0.25] [0.125 0.125 0.125 0.125]
    """
    real, fake = opened(cache, 2, "discriminator_loss")
    expect("dout", dout, (), "one number ()")
    dreal = (sigmoid(real)[0] - 1.0) * (float(dout) / len(real))  # p - 1: they were real
    dfake = sigmoid(fake)[0] * (float(dout) / len(fake))  # p - 0: they were not
    return dreal, dfake


def generator_loss(fake_logits: Float[Array, "M"]) -> tuple[Scalar, Cache]:
    """What the forger of a GAN pays: for each forgery that is not called real.

    ``-log sigmoid(fake)``, not the ``log(1 - sigmoid(fake))`` of the detective's: where it is found out at
    once (very negative logits), that one is flat, and nothing is learned just when there is most to learn.

    References
    ----------
    Goodfellow et al., "Generative adversarial nets" (2014), section 3 ("rather than ...").

    Examples
    --------
    >>> print(generator_loss(np.array([-50.0, 50.0]))[0])
    25.0
    """
    fake = _logits("fake_logits", fake_logits)
    return np.logaddexp(0.0, -fake).mean(), (fake,)


def generator_loss_backward(dout: Scalar, cache: Cache) -> Float[Array, "M"]:
    """Gradient of `generator_loss`; on its way to the generator it passes through the discriminator.

    Examples
    --------
    >>> _, cache = generator_loss(np.array([-50.0, 0.0]))
    >>> print(generator_loss_backward(1.0, cache))  # found out: the full slope
    [-0.5  -0.25]
    """
    (fake,) = opened(cache, 1, "generator_loss")
    expect("dout", dout, (), "one number ()")
    return (sigmoid(fake)[0] - 1.0) * (float(dout) / len(fake))


def _logits(name: str, logits: Array) -> Array:
    logits = floats(name, logits, 1, "(N,)")
    demand(len(logits) > 0, name, "a picture at least", "none")
    return logits


def inception_score(p: Float[Array, "N K"]) -> float:
    """How sure a classifier is of each picture, and how many classes it sees in all: from 1 to K.

    The exponential of the mean divergence of each picture's probabilities from their mean. (Named for the
    network that was asked first; ask one that knows your pictures.) It is blind to a forger that learned one
    picture of each class by heart.

    Parameters
    ----------
    p : (N, K)
        Probabilities of K classes for N pictures; each row sums to 1.

    References
    ----------
    Salimans et al., "Improved techniques for training GANs" (2016), section 4.

    Examples
    --------
    >>> sure = np.eye(4)
    >>> inception_score(sure), inception_score(sure[:1].repeat(4, 0)), inception_score(np.full((4, 4), 0.25))
    (4.0, 1.0, 1.0)
    """
    p = floats("p", p, 2, "(N, K)")
    demand(len(p) > 0, "p", "a picture at least", "none")
    demand(
        bool((p >= 0).all() and np.allclose(p.sum(1), 1.0, atol=1e-3)), "p", "rows that sum to 1", "others"
    )
    mean = np.broadcast_to(p.mean(0), p.shape)  # (N, K): the classes in all
    seen = p > 0  # 0 log 0 is 0
    divergence = np.zeros(p.shape)
    divergence[seen] = p[seen] * np.log(p[seen] / mean[seen])
    return float(np.exp(divergence.sum(1).mean()).round(12))
