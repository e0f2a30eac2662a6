"""Convolutions and their company as plain loops, and in torch."""

from functools import partial

import numpy as np

from fmkit import convolution
from fmkit.twins.case import Case

# -- plain loops: the forms that the chapter begins with -----------------------------------------------------


def conv2d_loop(x, w, b=None, stride=1, padding=0, groups=1):
    n_images, H, W, C_in = x.shape
    rows, columns, per_group, C_out = w.shape
    height, width = (H + 2 * padding - rows) // stride + 1, (W + 2 * padding - columns) // stride + 1
    out = np.zeros((n_images, height, width, C_out))
    for n, h, v, o in np.ndindex(*out.shape):
        total = 0.0 if b is None else b[o]
        first = o // (C_out // groups) * per_group  # the first input of this output's group
        for i, j, c in np.ndindex(rows, columns, per_group):
            top, left = h * stride + i - padding, v * stride + j - padding
            if 0 <= top < H and 0 <= left < W:  # around the image lies 0
                total += x[n, top, left, first + c] * w[i, j, c, o]
        out[n, h, v, o] = total
    return out


def pool_loop(x, size, stride=None, summary=max):
    n_images, H, W, C = x.shape
    stride = stride or size
    out = np.zeros((n_images, (H - size) // stride + 1, (W - size) // stride + 1, C))
    for n, h, v, c in np.ndindex(*out.shape):
        out[n, h, v, c] = summary(
            [x[n, h * stride + i, v * stride + j, c] for i in range(size) for j in range(size)]
        )
    return out


def global_mean_pool_loop(x):
    return np.array([[mean(image[:, :, c].ravel()) for c in range(x.shape[3])] for image in x])


def batchnorm_loop(x, w, b, mean=None, var=None, eps=1e-5):
    out = np.zeros(x.shape)
    for c in range(len(w)):
        channel = x[..., c].ravel()
        center = sum(channel) / len(channel) if mean is None else mean[c]
        spread = sum((v - center) ** 2 for v in channel) / len(channel) if var is None else var[c]
        out[..., c] = (x[..., c] - center) / (spread + eps) ** 0.5 * w[c] + b[c]
    return out


def mean(numbers):
    return sum(numbers) / len(numbers)


# -- the same in torch, which has the channels second --------------------------------------------------------


def torch_conv2d(x, w, b=None, **options):
    import torch

    out = torch.nn.functional.conv2d(x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1), b, **options)
    return out.permute(0, 2, 3, 1)


def torch_pool(x, size, stride=None, kind="max"):
    import torch

    pool = getattr(torch.nn.functional, kind + "_pool2d")
    return pool(x.permute(0, 3, 1, 2), size, stride).permute(0, 2, 3, 1)


def torch_global_mean_pool(x):
    return x.mean((1, 2))


def torch_batchnorm(x, w, b, mean=None, var=None, eps=1e-5):
    import torch

    rows = x.reshape(-1, len(w))
    out = torch.nn.functional.batch_norm(rows, mean, var, w, b, training=mean is None, eps=eps)
    return out.reshape(x.shape)


# -- the cases -----------------------------------------------------------------------------------------------


def _normal(*shapes):
    return lambda rng: tuple(None if shape is None else rng.standard_normal(shape) for shape in shapes)


def _pair(name, inputs, torch, loop, **options):
    forward, backward = (
        partial(getattr(convolution, name), **options),
        getattr(convolution, name + "_backward"),
    )
    return Case(forward, backward, inputs, partial(torch, **options), partial(loop, **options))


def _eval_inputs(rng):
    mean, var = rng.standard_normal(3), rng.random(3) + 0.1
    return rng.standard_normal((2, 4, 5, 3)), rng.standard_normal(3), rng.standard_normal(3), mean, var


def _far_from_zero(rng):
    return 1.0 + 0.1 * rng.standard_normal((7, 3)), rng.standard_normal(3), rng.standard_normal(3)


_conv = partial(_pair, "conv2d", torch=torch_conv2d, loop=conv2d_loop)
_max = partial(_pair, "max_pool2d", torch=torch_pool, loop=pool_loop)

_norm = partial(_pair, "batchnorm", torch=torch_batchnorm, loop=batchnorm_loop)


def _mean(inputs, **options):
    forward, backward = convolution.mean_pool2d, convolution.mean_pool2d_backward
    torch, loop = partial(torch_pool, kind="avg", **options), partial(pool_loop, summary=mean, **options)
    return Case(partial(forward, **options), backward, inputs, torch, loop)


CASES = {
    "conv2d": _conv(_normal((2, 7, 6, 5), (3, 2, 5, 4), 4)),
    "conv2d_no_bias": _conv(_normal((2, 7, 6, 5), (3, 2, 5, 4), None)),
    "conv2d_one_pixel": _conv(_normal((2, 5, 6, 3), (1, 1, 3, 4), 4)),
    "conv2d_padding": _conv(_normal((2, 3, 4, 5), (3, 2, 5, 6), 6), padding=2),
    "conv2d_stride": _conv(_normal((2, 8, 7, 5), (3, 2, 5, 4), 4), stride=2, padding=1),
    "conv2d_stride_leaves_gaps": _conv(_normal((2, 8, 9, 3), (2, 1, 3, 4), 4), stride=3),
    "conv2d_groups": _conv(_normal((3, 5, 7, 4), (3, 1, 2, 6), 6), padding=1, groups=2),
    "conv2d_depthwise": _conv(_normal((2, 6, 7, 5), (3, 2, 1, 5), 5), stride=2, padding=1, groups=5),
    "conv2d_depthwise_twice": _conv(_normal((2, 4, 5, 3), (3, 2, 1, 6), None), groups=3),
    "max_pool2d": _max(_normal((2, 4, 6, 3)), size=2),
    "max_pool2d_overlapping": _max(_normal((2, 7, 8, 3)), size=3, stride=2),
    "max_pool2d_rest": _max(_normal((2, 5, 7, 3)), size=2),
    "mean_pool2d": _mean(_normal((2, 4, 6, 3)), size=2),
    "mean_pool2d_overlapping": _mean(_normal((2, 7, 8, 3)), size=3, stride=1),
    "global_mean_pool": _pair(
        "global_mean_pool", _normal((2, 4, 5, 3)), torch_global_mean_pool, global_mean_pool_loop
    ),
    "batchnorm": _norm(_normal((2, 4, 5, 3), 3, 3)),
    "batchnorm_vectors": _norm(_normal((7, 3), 3, 3)),
    "batchnorm_small_variance": _norm(_far_from_zero),
    "batchnorm_eps": _norm(_normal((2, 4, 5, 3), 3, 3), eps=0.1),
    "batchnorm_eval": Case(
        convolution.batchnorm_eval,
        convolution.batchnorm_eval_backward,
        _eval_inputs,
        torch_batchnorm,
        batchnorm_loop,
        constant=(3, 4),
    ),
}
