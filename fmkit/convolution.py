"""Convolutions (chapter 10): the same small linear layer at every place of an image, and what goes with it.

Images are batches (B, H, W, C): row 0 is the top, column 0 the left, and the channels stand last, as in
`fmkit.images`. (torch has them second.) h and w are the height and width of the result, i and j those of a
window. Every forward returns ``(out, cache)``, its backward one gradient for each floating input.
"""

import numpy as np
from jaxtyping import Float
from numpy.lib.stride_tricks import sliding_window_view

from fmkit._shapes import expect, floats, opened
from fmkit._types import Array, Cache
from fmkit._values import demand, number, whole


def conv2d(
    x: Float[Array, "B H W C_in"],
    w: Float[Array, "i j C_group C_out"],
    b: Float[Array, "C_out"] | None = None,
    stride: int = 1,
    padding: int = 0,
    groups: int = 1,
) -> tuple[Float[Array, "B h w C_out"], Cache]:
    """Each window of the image times the same weights: `fmkit.layers.linear` of all windows at once.

    A window of one pixel and ``linear`` are the same. The weights are not flipped, as in all deep learning
    (a mathematician calls this cross-correlation).

    Parameters
    ----------
    x : (B, H, W, C_in)
    w : (i, j, C_in / groups, C_out)
        Weights of a window of i rows and j columns. (torch keeps them as (C_out, C_in / groups, i, j).)
    b : (C_out,), optional
    stride : int from 1
        Steps from one window to the next, down and to the right. Rows and columns that are left over at the
        end are not seen.
    padding : int from 0
        Rows and columns of zeros around the image.
    groups : int from 1
        The channels fall into so many groups, in their order, and a group of outputs sees its own group of
        inputs only. With ``groups=C_in`` each channel is filtered by itself ("depthwise").

    Returns
    -------
    out : (B, h, w, C_out)
        h = (H + 2 padding - i) // stride + 1, and w alike.
    cache
        What `conv2d_backward` needs.

    Raises
    ------
    ValueError
        If ``groups`` does not divide both numbers of channels, the window is larger than the padded image,
        or a shape does not fit.

    References
    ----------
    LeCun et al., "Gradient-based learning applied to document recognition" (1998), section II.A.
    Howard et al., "MobileNets" (2017), section 3.1, for depthwise windows.

    Examples
    --------
    >>> x = np.array([[0.0, 0.0, 5.0, 5.0], [0.0, 0.0, 5.0, 5.0]])[None, :, :, None]
    >>> edge = np.array([[-1.0, 1.0]])[:, :, None, None]  # right minus left
    >>> print(conv2d(x, edge)[0][0, :, :, 0])  # an edge between columns 1 and 2
    [[0. 5. 0.]
     [0. 5. 0.]]
    """
    x = floats("x", x, 4, "(B, H, W, C_in)")
    floats("w", w, 4, "(i, j, C_in / groups, C_out)")
    stride, groups = whole("stride", stride, 1), whole("groups", groups, 1)
    padding = whole("padding", padding, 0)
    C_in, C_out = x.shape[3], w.shape[3]
    demand(w.size > 0, "w", "a row, a column and channels", w.shape)
    demand(C_in % groups == C_out % groups == 0, "groups", f"a divisor of {C_in} and {C_out}", groups)
    expect("w", w, (*w.shape[:2], C_in // groups, C_out), "(i, j, C_in / groups, C_out)")
    if b is not None:
        expect("b", b, (C_out,), "(C_out,)")
    if padding:
        x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    windows = _windows(x, *w.shape[:2], stride)  # (B, h, w, C_in, i, j)
    if groups == 1:
        seen = _rows(windows)  # (B*h*w, i*j*C_in): the backward needs it, too, and to copy takes time
        out = seen @ w.reshape(-1, C_out)
    else:
        seen = windows.reshape(*windows.shape[:3], groups, C_in // groups, *w.shape[:2])  # a view
        w_group = w.reshape(*w.shape[:3], groups, -1)  # (i, j, C_in/G, G, C_out/G)
        out = np.einsum("bhwgcij,ijcgo->bhwgo", seen, w_group)
    out = out.reshape(*windows.shape[:3], C_out)
    if b is not None:
        out += b
    return out, (seen, out.shape, w, b is not None, x.shape, stride, padding, groups)


def conv2d_backward(
    dout: Float[Array, "B h w C_out"], cache: Cache, needs_dx: bool = True
) -> tuple[
    Float[Array, "B H W C_in"] | None, Float[Array, "i j C_group C_out"], Float[Array, "C_out"] | None
]:
    """Gradients of `conv2d`: dx, dw, db (None without a bias).

    The first layer of a network that is trained needs no dx, the gradient of the images: without
    ``needs_dx`` it is None. It would be the dearest of the three: the most places, the fewest channels.

    Examples
    --------
    >>> x, w = np.array([1.0, 2.0, 4.0]).reshape(1, 1, 3, 1), np.array([10.0, 1.0]).reshape(1, 2, 1, 1)
    >>> out, cache = conv2d(x, w)
    >>> dx, dw, _ = conv2d_backward(np.ones_like(out), cache)
    >>> print(dx.ravel(), dw.ravel())  # the pixel in the middle was in two windows
    [10. 11.  1.] [3. 6.]
    """
    seen, out_shape, w, has_bias, shape, stride, padding, groups = opened(cache, 8, "conv2d")
    i, j, _, C_out = w.shape
    expect("dout", dout, out_shape, "(B, h, w, C_out)")
    dout2 = dout.reshape(-1, C_out)  # (B*h*w, C_out)
    db = dout2.sum(0) if has_bias else None  # (C_out,): the bias was added in every window
    if groups == 1:  # out = seen @ w
        dw = (seen.T @ dout2).reshape(w.shape)
    else:
        dgroup = dout.reshape(*out_shape[:3], groups, -1)  # (B, h, w, groups, C_out / groups)
        dw = np.einsum("bhwgcij,bhwgo->ijcgo", seen, dgroup).reshape(w.shape)
    if not needs_dx:
        return None, dw, db
    if groups == 1:
        dwindows = dout2 @ w.reshape(-1, C_out).T  # (B*h*w, i*j*C_in)
    else:
        w_group = w.reshape(*w.shape[:3], groups, -1)  # (i, j, C_in/G, G, C_out/G)
        dwindows = np.einsum("bhwgo,ijcgo->bhwijgc", dgroup, w_group)
    dx = _add_windows(dwindows.reshape(*dout.shape[:3], i, j, shape[3]), shape, stride)
    if padding:
        dx = dx[:, padding:-padding, padding:-padding].copy()  # the frame was ours
    return dx, dw, db


# ---------------------------------------------------------------------------------------------------- pooling


def max_pool2d(
    x: Float[Array, "B H W C"], size: int = 2, stride: int | None = None
) -> tuple[Float[Array, "B h w C"], Cache]:
    """The largest number in each window, channel by channel.

    Parameters
    ----------
    x : (B, H, W, C)
    size : int from 1
        Rows and columns of a window.
    stride : int from 1, optional
        Steps from one window to the next; ``size`` when left out: the windows do not overlap. Rows and
        columns that are left over at the end are not seen.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 5.0, 0.0], [4.0, 3.0, 0.0, 0.0]])[None, :, :, None]
    >>> print(max_pool2d(x)[0].ravel())
    [4. 5.]
    """
    windows, size, stride = _pooled(x, size, stride)
    B, h, w, C, i, j = windows.shape
    rows = _rows(windows).reshape(B, h, w, i * j, C)
    largest = rows.argmax(3)[:, :, :, None]  # (B, h, w, 1, C): of equal numbers, the first
    out = np.take_along_axis(rows, largest, 3)[:, :, :, 0]  # (B, h, w, C)
    return out, (largest, x.shape, size, stride)


def max_pool2d_backward(dout: Float[Array, "B h w C"], cache: Cache) -> Float[Array, "B H W C"]:
    """Gradient of `max_pool2d`: all of it to the pixel that was the largest, nothing to the others.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 5.0, 0.0], [4.0, 3.0, 0.0, 0.0]])[None, :, :, None]
    >>> out, cache = max_pool2d(x)
    >>> print(max_pool2d_backward(np.array([10.0, 20.0]).reshape(out.shape), cache)[0, :, :, 0])
    [[ 0.  0. 20.  0.]
     [10.  0.  0.  0.]]
    """
    largest, shape, size, stride = opened(cache, 4, "max_pool2d")
    B, h, w, _, C = largest.shape
    expect("dout", dout, (B, h, w, C), "(B, h, w, C)")
    drows = np.zeros((B, h, w, size * size, C), dout.dtype)
    np.put_along_axis(drows, largest, dout[:, :, :, None], 3)
    return _add_windows(drows.reshape(B, h, w, size, size, C), shape, stride)


def mean_pool2d(
    x: Float[Array, "B H W C"], size: int = 2, stride: int | None = None
) -> tuple[Float[Array, "B h w C"], Cache]:
    """The mean of each window, channel by channel; ``size`` and ``stride`` as for `max_pool2d`.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 5.0, 0.0], [4.0, 3.0, 0.0, 0.0]])[None, :, :, None]
    >>> print(mean_pool2d(x)[0].ravel())
    [2.5  1.25]
    """
    windows, size, stride = _pooled(x, size, stride)
    return windows.mean((4, 5)), (windows.shape[:4], x.shape, size, stride)


def mean_pool2d_backward(dout: Float[Array, "B h w C"], cache: Cache) -> Float[Array, "B H W C"]:
    """Gradient of `mean_pool2d`: every pixel of a window gets the same share.

    Examples
    --------
    >>> out, cache = mean_pool2d(np.ones((1, 2, 3, 1)), size=2, stride=1)
    >>> print(mean_pool2d_backward(np.array([4.0, 8.0]).reshape(out.shape), cache)[0, :, :, 0])
    [[1. 3. 2.]
     [1. 3. 2.]]
    """
    out_shape, shape, size, stride = opened(cache, 4, "mean_pool2d")
    expect("dout", dout, out_shape, "(B, h, w, C)")
    share = (dout * (1.0 / size**2))[:, :, :, None, None]  # (B, h, w, 1, 1, C)
    B, h, w, C = out_shape
    return _add_windows(np.broadcast_to(share, (B, h, w, size, size, C)), shape, stride)


def global_mean_pool(x: Float[Array, "B H W C"]) -> tuple[Float[Array, "B C"], Cache]:
    """One vector an image: the mean over all its places. Source: Lin, Chen and Yan (2014), section 3.2.

    Examples
    --------
    >>> print(global_mean_pool(np.array([[1.0, 2.0], [3.0, 6.0]])[None, :, :, None])[0])
    [[3.]]
    """
    x = floats("x", x, 4, "(B, H, W, C)")
    demand(x.shape[1] * x.shape[2] > 0, "x", "a pixel at least", x.shape)
    return x.mean((1, 2)), x.shape


def global_mean_pool_backward(dout: Float[Array, "B C"], cache: Cache) -> Float[Array, "B H W C"]:
    """Gradient of `global_mean_pool`: every place gets the same share.

    Examples
    --------
    >>> _, cache = global_mean_pool(np.ones((1, 2, 3, 1)))
    >>> print(global_mean_pool_backward(np.array([[12.0]]), cache)[0, :, :, 0])
    [[2. 2. 2.]
     [2. 2. 2.]]
    """
    B, H, W, C = shape = opened(cache, 4, "global_mean_pool")
    expect("dout", dout, (B, C), "(B, C)")
    return np.broadcast_to((dout * (1.0 / (H * W)))[:, None, None], shape).copy()


# ------------------------------------------------------------------------------------------------- batch norm


def batchnorm(
    x: Float[Array, "*lead C"], w: Float[Array, "C"], b: Float[Array, "C"], eps: float = 1e-5
) -> tuple[Float[Array, "*lead C"], Cache]:
    """Each channel to mean 0 and variance 1 over the whole batch, then a gain and a shift: as in training.

    What comes out of one image depends on the others of its batch. For a trained model take `batchnorm_eval`
    with the statistics that `running_statistics` kept.

    Parameters
    ----------
    x : (..., C)
        Of images (B, H, W, C), every place counts: there are B*H*W numbers a channel.
    w, b : (C,)
        Gain and shift.
    eps : float from 0
        Added to the variance (which is divided by N, not by N - 1).

    Raises
    ------
    ValueError
        For fewer than two numbers a channel: they would all become 0.

    References
    ----------
    Ioffe and Szegedy (2015), algorithm 1.

    Examples
    --------
    >>> x = np.array([[1.0, 100.0], [2.0, 200.0], [3.0, 300.0]])
    >>> print(batchnorm(x, np.ones(2), np.zeros(2))[0].round(3))  # each column, where layernorm takes rows
    [[-1.225 -1.225]
     [ 0.     0.   ]
     [ 1.225  1.225]]
    """
    x = _checked(x, w, b)
    eps = number("eps", eps, 0)
    x2 = x.reshape(-1, x.shape[-1])  # (N, C)
    demand(len(x2) > 1, "x", "two numbers a channel at least", x.shape)
    mean = x2.mean(0)  # (C,)
    xc = x - mean
    xc2 = xc.reshape(x2.shape)
    var = (xc2 * xc2).mean(0)  # (C,); two passes: exact even far from 0
    if not np.isfinite(var).all() and np.isfinite(x).all():  # all would come out as 0
        limit = f"numbers whose squares {x.dtype} can hold"
        raise ValueError(f"x: expected {limit}, got {x.min():.3g} to {x.max():.3g}")
    rstd = 1.0 / np.sqrt(var + eps)
    norm = xc * rstd  # (..., C)
    return norm * w + b, (norm, rstd, w, mean, var)


def batchnorm_backward(
    dout: Float[Array, "*lead C"], cache: Cache
) -> tuple[Float[Array, "*lead C"], Float[Array, "C"], Float[Array, "C"]]:
    """Gradients of `batchnorm`: dx, dw, db. Mean and variance came from x, so the gradient goes through both.

    Examples
    --------
    >>> _, cache = batchnorm(np.array([[1.0], [2.0], [4.0]]), np.ones(1), np.zeros(1))
    >>> dx, dw, db = batchnorm_backward(np.array([[1.0], [0.0], [0.0]]), cache)
    >>> print(dx.ravel().round(3))  # the first number moves the other two as well
    [ 0.229 -0.344  0.115]
    """
    norm, rstd, w, _, _ = opened(cache, 5, "batchnorm")
    expect("dout", dout, norm.shape, "(..., C)")
    C = len(w)
    N = norm.size // C
    db = dout.reshape(N, C).sum(0)  # (C,): the shift was added everywhere
    dw = (dout * norm).reshape(N, C).sum(0)  # (C,): the gain multiplied every norm
    dx = dout - db / N  # through the mean: less the mean of dout
    dx -= norm * (dw / N)  # through the variance: less the part along norm
    return dx * (w * rstd), dw, db  # through the gain and the division


def running_statistics(
    cache: Cache, mean: Float[Array, "C"], var: Float[Array, "C"], momentum: float = 0.1
) -> tuple[Float[Array, "C"], Float[Array, "C"]]:
    """The mean and variance so far, moved a little towards those of the batch that `batchnorm` just saw.

    Parameters
    ----------
    cache
        From `batchnorm`.
    mean, var : (C,)
        What the call before returned; zeros and ones at first. They are left alone.
    momentum : float from 0 to 1
        The share of the new batch. (As in torch; elsewhere it is the share of the old ones.)

    Returns
    -------
    mean, var : (C,)
        New ones. The batch's variance counts as divided by N - 1, an unbiased estimate, as in torch.

    Examples
    --------
    >>> _, cache = batchnorm(np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1))
    >>> print(*running_statistics(cache, np.zeros(1), np.ones(1), momentum=0.5))
    [1.] [1.5]
    """
    norm, _, _, batch_mean, batch_var = opened(cache, 5, "batchnorm")
    expect("mean", mean, batch_mean.shape, "(C,)")
    expect("var", var, batch_mean.shape, "(C,)")
    momentum = number("momentum", momentum, 0, 1)
    N = norm.size // len(batch_mean)
    unbiased = batch_var * (N / (N - 1))
    return (1.0 - momentum) * mean + momentum * batch_mean, (1.0 - momentum) * var + momentum * unbiased


def batchnorm_eval(
    x: Float[Array, "*lead C"],
    w: Float[Array, "C"],
    b: Float[Array, "C"],
    mean: Float[Array, "C"],
    var: Float[Array, "C"],
    eps: float = 1e-5,
) -> tuple[Float[Array, "*lead C"], Cache]:
    """`batchnorm` of a trained model: mean and variance are given, so every image stands for itself.

    Examples
    --------
    >>> x, ones = np.array([[3.0], [5.0]]), np.ones(1)
    >>> print(batchnorm_eval(x, ones, 0 * ones, mean=3 * ones, var=4 * ones, eps=0.0)[0].ravel())
    [0. 1.]
    """
    x = _checked(x, w, b)
    expect("mean", mean, x.shape[-1:], "(C,)")
    expect("var", var, x.shape[-1:], "(C,)")
    eps = number("eps", eps, 0)
    demand((var + eps > 0).all(), "var", "numbers above 0, with eps", f"{var.min()} among them")
    rstd = 1.0 / np.sqrt(var + eps)  # (C,)
    norm = (x - mean) * rstd  # (..., C)
    return norm * w + b, (norm, rstd, w)


def batchnorm_eval_backward(
    dout: Float[Array, "*lead C"], cache: Cache
) -> tuple[Float[Array, "*lead C"], Float[Array, "C"], Float[Array, "C"]]:
    """Gradients of `batchnorm_eval`: dx, dw, db. Mean and variance are constants, and get none.

    Examples
    --------
    >>> ones = np.ones(1)
    >>> _, cache = batchnorm_eval(np.array([[3.0], [5.0]]), ones, 0 * ones, 3 * ones, 4 * ones, eps=0.0)
    >>> print(batchnorm_eval_backward(np.array([[1.0], [0.0]]), cache)[0].ravel())  # only its own number
    [0.5 0. ]
    """
    norm, rstd, w = opened(cache, 3, "batchnorm_eval")
    expect("dout", dout, norm.shape, "(..., C)")
    C = len(w)
    db = dout.reshape(-1, C).sum(0)  # (C,)
    dw = (dout * norm).reshape(-1, C).sum(0)  # (C,)
    return dout * (w * rstd), dw, db


def _checked(x: Array, w: Array, b: Array) -> Array:
    """What both forms of batch norm begin with."""
    x = floats("x", x, axes=2)
    expect("w", w, x.shape[-1:], "(C,)")
    expect("b", b, x.shape[-1:], "(C,)")
    return x


# ---------------------------------------------------------------------------------------------------- windows


def _pooled(x: Array, size: int, stride: int | None) -> tuple[Array, int, int]:
    """What both kinds of pooling begin with: the windows, and the settings once they are checked."""
    x, size = floats("x", x, 4, "(B, H, W, C)"), whole("size", size, 1)
    stride = size if stride is None else whole("stride", stride, 1)
    return _windows(x, size, size, stride), size, stride


def _windows(x: Array, i: int, j: int, stride: int) -> Array:
    """All windows of i rows and j columns: a view (B, h, w, C, i, j), nothing is copied."""
    H, W = x.shape[1:3]
    demand(i <= H and j <= W, "x", f"room for a window of {i} x {j}", f"{H} x {W}")
    return sliding_window_view(x, (i, j), axis=(1, 2))[:, ::stride, ::stride]


def _rows(windows: Array) -> Array:
    """Every window as a row of numbers, in the order of the weights: (B*h*w, i*j*C)."""
    B, h, w, C, i, j = windows.shape
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(B * h * w, i * j * C)


def _add_windows(dwindows: Array, shape: tuple[int, ...], stride: int) -> Array:
    """Undo `_windows`, (B, h, w, i, j, C) to images: a pixel that was in several windows gets the sum."""
    h, w, i, j = dwindows.shape[1:5]
    dx = np.zeros(shape, dwindows.dtype)
    for row in range(i):
        for column in range(j):
            below, right = row + stride * (h - 1) + 1, column + stride * (w - 1) + 1
            dx[:, row:below:stride, column:right:stride] += dwindows[:, :, :, row, column]
    return dx
