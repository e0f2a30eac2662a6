"""Patches, the small convolutional net and the vision transformer, in torch."""

from dataclasses import replace
from functools import partial

import numpy as np

from fmkit import vision
from fmkit.transformer import Config
from fmkit.twins.case import Case
from fmkit.twins.cases.convolution import torch_conv2d
from fmkit.twins.cases.layers import torch_layernorm, torch_linear
from fmkit.twins.cases.transformer import run_twin, shake

SHAPE = 9, 7, 2  # of an image; odd, so that a stride of 2 rounds
VIT = vision.ViTConfig(6, 4, 3, patch=2, n_layers=2, n_heads=2, d_model=8, d_ff=12, n_out=7)
MEAN_VIT = replace(VIT, n_layers=1, class_token=False)
BLOCK = Config(1, 1, n_layers=1, n_heads=2, d_model=8, d_ff=12)


def patches_loop(images, size):
    n_images, H, W, C = images.shape
    out = []
    for image in images:
        for top in range(0, H, size):
            for left in range(0, W, size):
                for row in range(top, top + size):
                    for column in range(left, left + size):
                        out.extend(image[row, column])
    return np.array(out).reshape(n_images, -1, size * size * C)


def torch_patches(images, size):
    windows = images.unfold(1, size, size).unfold(2, size, size)  # (B, H/size, W/size, C, size, size)
    return windows.permute(0, 1, 2, 4, 5, 3).flatten(3).flatten(1, 2)


def torch_unpatch(tokens, size, height, width):
    from torch.nn.functional import fold

    by_channel = tokens.unflatten(2, (size * size, -1)).transpose(2, 3).flatten(2)  # as fold has them
    return fold(by_channel.transpose(1, 2), (height, width), size, stride=size).permute(0, 2, 3, 1)


def torch_cnn(params, images):
    x = images
    for p in params["convs"]:
        x = torch_conv2d(x, p["w"], p["b"], stride=2, padding=1).relu()
    return torch_linear(x.flatten(1), **params["head"])


def torch_vit(params, images, config):
    import torch

    x = torch_linear(torch_patches(images, config.patch), **params["patch"])
    if config.class_token:
        x = torch.cat([params["cls"].expand(len(x), 1, -1), x], 1)
    x = x + params["wpe"]
    for p in params["blocks"]:
        x = run_twin("Block", BLOCK, p, x, causal=False)
    x = torch_layernorm(x, **params["lnf"])
    return torch_linear(x[:, 0] if config.class_token else x.mean(1), **params["head"])


def _normal(*shape):
    return lambda rng: (rng.standard_normal(shape),)


def _cnn_inputs(rng):
    params = vision.init_cnn(rng, SHAPE, widths=(3, 5), n_out=6)
    return shake(rng, params), rng.standard_normal((4, *SHAPE))


def _vit_inputs(rng, config):
    return shake(rng, vision.init_vit(rng, config)), rng.standard_normal((5, 6, 4, 3))


def _vit(config):
    return Case(
        partial(vision.vit, config=config),
        vision.vit_backward,
        partial(_vit_inputs, config=config),
        partial(torch_vit, config=config),
    )


CASES = {
    "patches": Case(
        lambda images: (vision.patches(images, 2), images.shape),
        lambda dout, shape: vision.unpatch(dout, 2, *shape[1:3]),
        _normal(5, 6, 4, 3),
        partial(torch_patches, size=2),
        partial(patches_loop, size=2),
    ),
    "unpatch": Case(
        lambda tokens: (vision.unpatch(tokens, 2, 6, 4), ()),
        lambda dout, cache: vision.patches(dout, 2),
        _normal(5, 6, 12),
        partial(torch_unpatch, size=2, height=6, width=4),
    ),
    "cnn": Case(vision.cnn, vision.cnn_backward, _cnn_inputs, torch_cnn),
    "vit": _vit(VIT),
    "vit_mean": _vit(MEAN_VIT),
}
