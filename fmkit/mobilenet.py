"""MobileNetV2 (chapter 10): a network that has seen 1.2 million photographs, in a page of NumPy.

`fmkit.data.pretrained.load_mobilenet` fills it with the weights that were trained on ImageNet. It is run
here, not trained: batch norm is folded into the weights before it, and the backward leads to the pixels
only, for whoever asks which of them mattered (chapter 12), or what changes the answer (chapter 14).

Images are batches (B, H, W, 3): red, green and blue **from 0 to 1**.
"""

import numpy as np
from jaxtyping import Float

from fmkit._shapes import expect, floats, opened
from fmkit._types import Array, Cache
from fmkit._values import demand, holds
from fmkit.convolution import conv2d, conv2d_backward, global_mean_pool, global_mean_pool_backward
from fmkit.layers import linear, linear_backward

# mean and standard deviation of red, green and blue in ImageNet, of pixels from 0 to 1
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
STRIDES = 1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1  # of its 17 blocks: 2 halves height and width


def mobilenet_v2(params: dict, images: Float[Array, "B H W 3"]) -> tuple[Float[Array, "B n_classes"], Cache]:
    """Scores of each class for each photograph.

    Parameters
    ----------
    params : dict
        ``stem``, a convolution of stride 2; ``blocks``, a list of dicts with ``expand``, ``depth`` and
        ``project`` (the first block of MobileNetV2 has no ``expand``); ``last`` and ``head``, two linear
        layers. Each is a dict of ``w`` and ``b``; ``depth`` has a ``w`` of (3, 3, C), one window a channel.
    images : (B, H, W, 3)
        From 0 to 1; the network was trained at 224 x 224. About 0.2 s each.

    Raises
    ------
    TypeError
        For bytes: 255 is no brightness here. Divide them by 255.

    References
    ----------
    Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks" (2018), table 2.

    Examples
    --------
    >>> one = {"w": np.ones((1, 1)), "b": np.zeros(1)}
    >>> stem = {"w": np.ones((3, 3, 3, 1)), "b": np.zeros(1)}
    >>> block = {"depth": {"w": np.ones((3, 3, 1)), "b": np.zeros(1)}, "project": one}
    >>> params = {"stem": stem, "blocks": [block], "last": one, "head": one}
    >>> logits, _ = mobilenet_v2(params, np.ones((2, 4, 4, 3)))
    >>> print(logits.ravel())  # cut off at 6
    [6. 6.]
    """
    holds("params", params, {"stem", "blocks", "last", "head"}, "a MobileNet's, as load_mobilenet reads them")
    if getattr(images, "dtype", np.dtype(float)).kind != "f":
        raise TypeError(f"images: expected float32 or float64 from 0 to 1, got {images.dtype}; divide by 255")
    images = floats("images", images, 4, "(B, H, W, 3)")
    expect("images", images, (*images.shape[:3], 3), "(B, H, W, 3)")
    demand(len(params["blocks"]) <= len(STRIDES), "params", f"{len(STRIDES)} blocks", len(params["blocks"]))
    x = (images - np.array(MEAN, images.dtype)) / np.array(STD, images.dtype)
    x, stem_cache = conv2d(x, **params["stem"], stride=2, padding=1)  # (B, H/2, W/2, C), rounded up
    x = stem_out = _relu6(x)
    block_caches = []
    for p, stride in zip(params["blocks"], STRIDES, strict=False):
        x, cache = _block(x, p, stride)
        block_caches.append(cache)
    x, last_cache = linear(x, **params["last"])
    x = last_out = _relu6(x)
    pooled, pool_cache = global_mean_pool(x)  # (B, C)
    logits, head_cache = linear(pooled, **params["head"])
    return logits, (stem_cache, stem_out, block_caches, last_cache, last_out, pool_cache, head_cache)


def mobilenet_v2_backward(dout: Float[Array, "B n_classes"], cache: Cache) -> Float[Array, "B H W 3"]:
    """Gradient of `mobilenet_v2` with respect to the images, per unit of brightness (0 to 1).

    The weights are done learning and get none. For the slope of one class, ``dout`` is 1 there and 0
    elsewhere.

    Examples
    --------
    >>> one = {"w": np.ones((1, 1)), "b": np.zeros(1)}
    >>> stem = {"w": np.full((3, 3, 3, 1), 0.01), "b": np.zeros(1)}
    >>> params = {"stem": stem, "blocks": [], "last": one, "head": one}
    >>> logits, cache = mobilenet_v2(params, np.ones((1, 2, 2, 3)))
    >>> print(mobilenet_v2_backward(np.ones_like(logits), cache)[0, :, :, 0].round(3))  # 0.01 / 0.229
    [[0.044 0.044]
     [0.044 0.044]]
    """
    stem_cache, stem_out, block_caches, last_cache, last_out, pool_cache, head_cache = opened(
        cache, 7, "mobilenet_v2"
    )
    dpooled, _, _ = linear_backward(dout, head_cache)
    dx = _relu6_backward(global_mean_pool_backward(dpooled, pool_cache), last_out)
    dx, _, _ = linear_backward(dx, last_cache)
    for block_cache in reversed(block_caches):
        dx = _block_backward(dx, block_cache)
    dx = _relu6_backward(dx, stem_out)
    dx, _, _ = conv2d_backward(dx, stem_cache)
    return dx / np.array(STD, dx.dtype)  # the images were measured in standard deviations


# ----------------------------------------------------------------------------------------- its building block


def _block(x: Array, p: dict, stride: int) -> tuple[Array, Cache]:
    """Wider, a window for each channel by itself, narrower again; plus the input, where it still fits."""
    holds("block", p, {"depth", "project"}, "depth, project and mostly expand")
    h = _relu6(x @ p["expand"]["w"] + p["expand"]["b"]) if "expand" in p else x  # (B, H, W, 6 C_in)
    d = _relu6(_depthwise(h, **p["depth"], stride=stride))  # (B, H/stride, W/stride, 6 C_in)
    out = d @ p["project"]["w"] + p["project"]["b"]  # (B, H/stride, W/stride, C_out); no ReLU: it is narrow
    skips = stride == 1 and out.shape == x.shape
    if skips:
        out += x
    return out, (p, h, d, stride, skips)


def _block_backward(dout: Array, cache: Cache) -> Array:
    p, h, d, stride, skips = cache
    dd = _relu6_backward(dout @ p["project"]["w"].T, d)
    dx = _depthwise_backward(dd, p["depth"]["w"], h.shape, stride)
    if "expand" in p:
        dx = _relu6_backward(dx, h) @ p["expand"]["w"].T
    return dx + dout if skips else dx  # the input was used twice


def _depthwise(x: Array, w: Array, b: Array, stride: int) -> Array:
    """`conv2d` with a group for each channel and a frame of one pixel: nine shifted copies of the image.

    (Fewer and longer operations than one for each window: it takes a tenth of the time.)
    """
    B, H, W, C = x.shape
    expect("depth", w, (3, 3, C), "(3, 3, C)")
    framed = np.zeros((B, H + 2, W + 2, C), x.dtype)
    framed[:, 1:-1, 1:-1] = x
    rows, columns = -(-H // stride), -(-W // stride)
    out = np.empty((B, rows, columns, C), x.dtype)
    out[:] = b
    for i, j in np.ndindex(3, 3):
        out += framed[:, i : i + H : stride, j : j + W : stride] * w[i, j]
    return out


def _depthwise_backward(dout: Array, w: Array, shape: tuple[int, ...], stride: int) -> Array:
    B, H, W, C = shape
    dframed = np.zeros((B, H + 2, W + 2, C), dout.dtype)
    for i, j in np.ndindex(3, 3):
        dframed[:, i : i + H : stride, j : j + W : stride] += dout * w[i, j]  # where it was read from
    return dframed[:, 1:-1, 1:-1].copy()  # the frame was ours


def _relu6(x: Array) -> Array:
    """Cut off below 0 and above 6, in place: the caller has just made ``x``."""
    return np.clip(x, 0.0, 6.0, out=x)


def _relu6_backward(dout: Array, out: Array) -> Array:
    return dout * ((out > 0) & (out < 6))
