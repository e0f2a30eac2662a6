"""Models of pictures (chapter 10): a small convolutional net, and the transformer that reads patches.

Images are batches (B, H, W, C). Both models take them to vectors (B, n_out): scores of classes, or a place in
a space where pictures are compared. Parameters are a nested dict; the gradients come back in one of the same
nesting, and the gradient of the images with it, for whoever asks which pixels mattered.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from fmkit._shapes import expect, float_dtype, floats, opened
from fmkit._types import Array, Cache
from fmkit._values import demand, generator, holds, instance, listed, whole
from fmkit.activations import relu, relu_backward
from fmkit.convolution import conv2d, conv2d_backward
from fmkit.layers import layernorm, layernorm_backward, linear, linear_backward
from fmkit.transformer import Config, block, block_backward, init_block

# ---------------------------------------------------------------------------------- a small convolutional net


def init_cnn(
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    widths: Sequence[int] = (16, 32, 64),
    n_out: int = 10,
    dtype=np.float32,
) -> dict:
    """Parameters of a new `cnn`: weights that keep the size of what a ReLU lets through, biases 0.

    Parameters
    ----------
    rng : numpy.random.Generator
    shape : (H, W, C)
        Of one image.
    widths : list of int
        The channels after each convolution; each halves height and width.
    n_out : int

    Returns
    -------
    params : dict
        ``convs``, a list of dicts of ``w`` (3, 3, C_in, C_out) and ``b``; ``head``, ``w`` (h*w*C, n_out) and
        ``b``.

    References
    ----------
    He et al., "Delving deep into rectifiers" (2015), equation 10.

    Examples
    --------
    >>> params = init_cnn(np.random.default_rng(0), (28, 28, 1))
    >>> [p["w"].shape for p in params["convs"]], params["head"]["w"].shape
    ([(3, 3, 1, 16), (3, 3, 16, 32), (3, 3, 32, 64)], (1024, 10))
    """
    generator(rng)
    dtype = float_dtype(dtype)
    if not isinstance(shape, tuple) or len(shape) != 3:
        raise TypeError(f"shape: expected a tuple (H, W, C), got {shape!r:.60}")
    height, width, C = (whole("shape", n, 1) for n in shape)
    listed("widths", widths, "numbers")
    demand(len(widths) > 0, "widths", "a convolution at least", "none")

    def layer(*shape):
        fan_in = math.prod(shape[:-1])
        w = rng.normal(0.0, math.sqrt(2.0 / fan_in), shape).astype(dtype)
        return {"w": w, "b": np.zeros(shape[-1], dtype)}

    convs = []
    for wider in widths:
        convs.append(layer(3, 3, C, whole("widths", wider, 1)))
        height, width, C = (height + 1) // 2, (width + 1) // 2, wider
    return {"convs": convs, "head": layer(height * width * C, whole("n_out", n_out, 1))}


def cnn(params: dict, images: Float[Array, "B H W C"]) -> tuple[Float[Array, "B n_out"], Cache]:
    """Convolutions of stride 2, each followed by a ReLU, then one linear layer on all that is left.

    Parameters
    ----------
    params : dict
        As `init_cnn` makes them, for images of this size.
    images : (B, H, W, C)

    Examples
    --------
    >>> out, _ = cnn(init_cnn(np.random.default_rng(0), (8, 8, 1)), np.ones((5, 8, 8, 1), np.float32))
    >>> out.shape, out.dtype
    ((5, 10), dtype('float32'))
    """
    holds("params", params, {"convs", "head"}, "a CNN's, as init_cnn makes them")
    x = floats("images", images, 4, "(B, H, W, C)")
    caches = []
    for p in params["convs"]:
        x, conv_cache = conv2d(x, p["w"], p["b"], stride=2, padding=1)  # (B, H/2, W/2, C_out), rounded up
        x, relu_cache = relu(x)
        caches.append((conv_cache, relu_cache))
    flat = x.reshape(len(x), math.prod(x.shape[1:]))  # (B, h*w*C)
    fits = flat.shape[1] == len(params["head"]["w"])
    demand(fits, "images", "the height and width that params were made for", images.shape)
    out, head_cache = linear(flat, params["head"]["w"], params["head"]["b"])  # (B, n_out)
    return out, (caches, x.shape, head_cache)


def cnn_backward(
    dout: Float[Array, "B n_out"], cache: Cache, needs_dimages: bool = True
) -> tuple[dict, Float[Array, "B H W C"] | None]:
    """Gradient of `cnn`: a dict of gradients with the keys of ``params``, and that of the images.

    Training needs only the first: without ``needs_dimages`` the second is None, and a seventh of the time
    is saved.

    Examples
    --------
    >>> params = init_cnn(np.random.default_rng(0), (8, 8, 1))
    >>> out, cache = cnn(params, np.ones((5, 8, 8, 1), np.float32))
    >>> grads, dimages = cnn_backward(np.ones_like(out), cache)
    >>> list(grads), len(grads["convs"]), dimages.shape
    (['convs', 'head'], 3, (5, 8, 8, 1))
    """
    caches, shape, head_cache = opened(cache, 3, "cnn")
    dflat, dw, db = linear_backward(dout, head_cache)
    grads = {"convs": [], "head": {"w": dw, "b": db}}
    dx = dflat.reshape(shape)  # (B, h, w, C)
    for n, (conv_cache, relu_cache) in reversed(list(enumerate(caches))):
        dx = relu_backward(dx, relu_cache)
        dx, dw, db = conv2d_backward(dx, conv_cache, needs_dx=n > 0 or needs_dimages)
        grads["convs"].insert(0, {"w": dw, "b": db})
    return grads, dx


# ---------------------------------------------------------------------------------------------------- patches


def patches(images: Float[Array, "B H W C"], size: int) -> Float[Array, "B N P"]:
    """Cut images into squares, row by row, and write each square out as one vector: pictures as tokens.

    Parameters
    ----------
    images : (B, H, W, C)
    size : int
        Rows and columns of a patch; divides H and W.

    Returns
    -------
    out : (B, N, size*size*C)
        N = H/size * W/size patches. Inside one, pixel after pixel as one reads, the channels of a pixel side
        by side.

    Raises
    ------
    ValueError
        If the patches do not fill the image.

    References
    ----------
    Dosovitskiy et al., "An image is worth 16x16 words" (2021), section 3.1.

    Examples
    --------
    >>> image = np.arange(8.0).reshape(1, 2, 4, 1)
    >>> print(image[0, :, :, 0], patches(image, 2)[0], sep="\\n")
    [[0. 1. 2. 3.]
     [4. 5. 6. 7.]]
    [[0. 1. 4. 5.]
     [2. 3. 6. 7.]]
    """
    images, size = floats("images", images, 4, "(B, H, W, C)"), whole("size", size, 1)
    B, H, W, C = images.shape
    demand(H % size == W % size == 0, "size", f"a divisor of {H} and {W}", size)
    cut = images.reshape(B, H // size, size, W // size, size, C)
    return cut.swapaxes(2, 3).reshape(B, (H // size) * (W // size), size * size * C)


def unpatch(tokens: Float[Array, "B N P"], size: int, height: int, width: int) -> Float[Array, "B H W C"]:
    """Put the squares of `patches` back: its inverse, and so the backward of it, too.

    Parameters
    ----------
    tokens : (B, N, size*size*C)
    size : int
        Rows and columns of a patch.
    height, width : int
        Of the images.

    Examples
    --------
    >>> image = np.arange(8.0).reshape(1, 2, 4, 1)
    >>> print(unpatch(patches(image, 2), 2, height=2, width=4)[0, :, :, 0])
    [[0. 1. 2. 3.]
     [4. 5. 6. 7.]]
    """
    tokens, size = floats("tokens", tokens, 3, "(B, N, P)"), whole("size", size, 1)
    height, width = whole("height", height, 1), whole("width", width, 1)
    demand(height % size == width % size == 0, "size", f"a divisor of {height} and {width}", size)
    B, _, P = tokens.shape
    rows, columns, C = height // size, width // size, P // (size * size)
    expect("tokens", tokens, (B, rows * columns, size * size * max(C, 1)), "(B, N, size*size*C)")
    laid = tokens.reshape(B, rows, columns, size, size, C)
    return laid.swapaxes(2, 3).reshape(B, height, width, C)


# ----------------------------------------------------------------------------------------- vision transformer


@dataclass(frozen=True)
class ViTConfig:
    """The sizes of a vision transformer: whole numbers (else TypeError) from 1 on, the heads a divisor of the
    width, the patch of both sides of the image (else ValueError).

    Examples
    --------
    >>> config = ViTConfig(28, 28, 1, patch=4, n_layers=2, n_heads=4, d_model=64, d_ff=128, n_out=10)
    >>> config.n_patches, config.n_tokens  # the class token is one more
    (49, 50)
    """

    height: int
    width: int
    channels: int
    patch: int  # rows and columns of a patch
    n_layers: int
    n_heads: int  # must divide d_model
    d_model: int  # C
    d_ff: int  # width of the hidden layer of the feed-forward part
    n_out: int  # scores of classes, or the width of the space that pictures are compared in
    class_token: bool = True  # read the answer off a token of its own; False: off the mean of all patches

    def __post_init__(self):
        names = "height", "width", "channels", "patch", "n_layers", "n_heads", "d_model", "d_ff", "n_out"
        for name in names:
            whole(name, getattr(self, name), 1)
        instance("class_token", self.class_token, bool)
        demand(self.d_model % self.n_heads == 0, "n_heads", f"a divisor of {self.d_model}", self.n_heads)
        fits = self.height % self.patch == self.width % self.patch == 0
        demand(fits, "patch", f"a divisor of {self.height} and {self.width}", self.patch)

    @property
    def n_patches(self) -> int:
        """N: how many patches an image has."""
        return (self.height // self.patch) * (self.width // self.patch)

    @property
    def n_tokens(self) -> int:
        """T: the patches, and the class token if there is one."""
        return self.n_patches + self.class_token


def init_vit(rng: np.random.Generator, config: ViTConfig, dtype=np.float32) -> dict:
    """Parameters of a new vision transformer: its blocks are those of a GPT (`fmkit.transformer.init_block`).

    Returns
    -------
    params : dict
        ``patch`` the linear layer that reads a patch, ``cls`` (C,) the class token if there is one, ``wpe``
        (T, C) positions, ``blocks`` a list of dicts, ``lnf`` the last norm, ``head`` the linear layer on top.

    Examples
    --------
    >>> config = ViTConfig(8, 8, 1, patch=2, n_layers=1, n_heads=2, d_model=16, d_ff=32, n_out=10)
    >>> params = init_vit(np.random.default_rng(0), config)
    >>> list(params), params["patch"]["w"].shape, params["wpe"].shape
    (['patch', 'wpe', 'blocks', 'lnf', 'head', 'cls'], (4, 16), (17, 16))
    """
    generator(rng)
    instance("config", config, ViTConfig)
    dtype = float_dtype(dtype)
    C, P = config.d_model, config.patch**2 * config.channels
    # of a GPT's sizes, init_block reads those of a block only
    sizes = Config(1, config.n_tokens, config.n_layers, config.n_heads, C, config.d_ff)

    def normal(std, *shape):
        return rng.normal(0.0, std, shape).astype(dtype)

    params = {
        "patch": {"w": normal(1.0 / math.sqrt(P), P, C), "b": np.zeros(C, dtype)},
        "wpe": normal(0.02, config.n_tokens, C),
        "blocks": [init_block(rng, sizes, dtype) for _ in range(config.n_layers)],
        "lnf": {"w": np.ones(C, dtype), "b": np.zeros(C, dtype)},
        "head": {"w": normal(0.02, C, config.n_out), "b": np.zeros(config.n_out, dtype)},
    }
    if config.class_token:
        params["cls"] = normal(0.02, C)
    return params


def vit(
    params: dict, images: Float[Array, "B H W C"], config: ViTConfig
) -> tuple[Float[Array, "B n_out"], Cache]:
    """Vision transformer: patches as tokens, blocks in which each sees all, one linear layer on the answer.

    Parameters
    ----------
    params : dict
        As `init_vit` makes them.
    images : (B, H, W, C)
        Of the size that ``config`` says.
    config : ViTConfig

    Raises
    ------
    ValueError
        For images of another size, or parameters that are not those of ``config``.

    References
    ----------
    Dosovitskiy et al., "An image is worth 16x16 words" (2021), section 3.1.

    Examples
    --------
    >>> config = ViTConfig(8, 8, 1, patch=2, n_layers=1, n_heads=2, d_model=16, d_ff=32, n_out=10)
    >>> params = init_vit(np.random.default_rng(0), config)
    >>> vit(params, np.ones((5, 8, 8, 1), np.float32), config)[0].shape
    (5, 10)
    """
    _check_vit(params, config)
    images = floats("images", images)
    B = len(images) if images.ndim else 0
    expect("images", images, (B, config.height, config.width, config.channels), "(B, H, W, C)")
    x, patch_cache = linear(patches(images, config.patch), **params["patch"])  # (B, N, C)
    if config.class_token:
        first = np.broadcast_to(params["cls"], (B, 1, config.d_model))
        x = np.concatenate([first, x], axis=1)  # (B, T, C): every image begins with the same token
    x = x + params["wpe"]  # every image has the same positions
    block_caches = []
    for p in params["blocks"]:
        x, cache = block(x, p, config.n_heads)
        block_caches.append(cache)
    x, lnf_cache = layernorm(x, **params["lnf"])
    pooled = x[:, 0] if config.class_token else x.mean(1)  # (B, C)
    out, head_cache = linear(pooled, **params["head"])  # (B, n_out)
    return out, (patch_cache, block_caches, lnf_cache, head_cache, config)


def vit_backward(dout: Float[Array, "B n_out"], cache: Cache) -> tuple[dict, Float[Array, "B H W C"]]:
    """Gradient of `vit`: a dict of gradients with the keys of ``params``, and that of the images.

    Examples
    --------
    >>> config = ViTConfig(8, 8, 1, patch=2, n_layers=1, n_heads=2, d_model=16, d_ff=32, n_out=10)
    >>> params = init_vit(np.random.default_rng(0), config)
    >>> out, cache = vit(params, np.ones((5, 8, 8, 1), np.float32), config)
    >>> grads, dimages = vit_backward(np.ones_like(out), cache)
    >>> sorted(grads) == sorted(params), dimages.shape
    (True, (5, 8, 8, 1))
    """
    patch_cache, block_caches, lnf_cache, head_cache, config = opened(cache, 5, "vit")
    instance("cache[-1]", config, ViTConfig)
    grads = {}

    # out = pooled @ head
    dpooled, dw, db = linear_backward(dout, head_cache)  # (B, C)
    grads["head"] = {"w": dw, "b": db}

    # pooled = the first token, or the mean of all
    dx = np.zeros((len(dpooled), config.n_tokens, config.d_model), dpooled.dtype)  # (B, T, C)
    if config.class_token:
        dx[:, 0] = dpooled
    else:
        dx += dpooled[:, None] * (1.0 / config.n_tokens)
    dx, dw, db = layernorm_backward(dx, lnf_cache)
    grads["lnf"] = {"w": dw, "b": db}

    # the blocks, from the last to the first
    grads["blocks"] = []
    for block_cache in reversed(block_caches):
        dx, dblock = block_backward(dx, block_cache)
        grads["blocks"].insert(0, dblock)

    # x = [class token, patches] + positions: all images share the token and the positions, so those add up
    grads["wpe"] = dx.sum(0)
    if config.class_token:
        grads["cls"] = dx[:, 0].sum(0)
        dx = dx[:, 1:]
    dtokens, dw, db = linear_backward(dx, patch_cache)  # (B, N, P)
    grads["patch"] = {"w": dw, "b": db}
    return grads, unpatch(dtokens, config.patch, config.height, config.width)


def _check_vit(params: dict, config: ViTConfig) -> None:
    """Refuse parameters that are not a vision transformer's, or of another config, as far as shapes tell."""
    instance("config", config, ViTConfig)
    names = {"patch", "wpe", "blocks", "lnf", "head"}
    holds("params", params, names, "a vision transformer's, as init_vit makes them")
    expect("wpe", floats("wpe", params["wpe"]), (config.n_tokens, config.d_model), "(T, C)")
    if ("cls" in params) != config.class_token:
        raise ValueError("params: a cls is expected if config.class_token is True, and only then")
    if config.class_token:
        expect("cls", params["cls"], (config.d_model,), "(C,)")
    given, wanted = len(params["blocks"]), config.n_layers
    demand(given == wanted, "params", f"{wanted} blocks", given)
