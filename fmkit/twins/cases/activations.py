"""Activations as plain loops, and in torch."""

import math
from functools import partial

import numpy as np

from fmkit import activations
from fmkit.twins.case import Case


def each(f):
    """The plain loop of a function of one number: over every entry, one at a time."""

    def loop(x):
        out = np.empty(x.shape)
        for i in np.ndindex(x.shape):
            out[i] = f(x[i])
        return out

    return loop


def sigmoid_one(x):
    return 1.0 / (1.0 + math.exp(-x))


def gelu_tanh_one(x):
    return 0.5 * x * (1.0 + math.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))


def gelu_erf_one(x):
    return x * 0.5 * (1.0 + math.erf(x / math.sqrt(2.0)))


def softmax_loop(x, axis=-1):
    rows = np.moveaxis(x, axis, -1)
    out = np.empty(rows.shape)
    for i in np.ndindex(rows.shape[:-1]):
        exps = [math.exp(v) for v in rows[i]]
        out[i] = [e / sum(exps) for e in exps]
    return np.moveaxis(out, -1, axis)


def log_softmax_loop(x, axis=-1):
    return np.log(softmax_loop(x, axis))


def _torch(name, **options):
    def activation(x):
        import torch

        return getattr(torch.nn.functional, name)(x, **options)

    return activation


def _case(name, loop, torch, **options):
    return Case(
        partial(getattr(activations, name), **options),
        getattr(activations, name + "_backward"),
        lambda rng: (3.0 * rng.standard_normal((2, 3, 5)),),
        torch,
        loop,
    )


CASES = {
    "sigmoid": _case("sigmoid", each(sigmoid_one), _torch("sigmoid")),
    "tanh": _case("tanh", each(math.tanh), _torch("tanh")),
    "relu": _case("relu", each(lambda x: x if x > 0 else 0.0), _torch("relu")),
    "leaky_relu": _case("leaky_relu", each(lambda x: x if x > 0 else 0.01 * x), _torch("leaky_relu")),
    "leaky_relu_slope_0.2": _case(
        "leaky_relu",
        each(lambda x: x if x > 0 else 0.2 * x),
        _torch("leaky_relu", negative_slope=0.2),
        slope=0.2,
    ),
    "gelu_tanh": _case("gelu_tanh", each(gelu_tanh_one), _torch("gelu", approximate="tanh")),
    "gelu_erf": _case("gelu_erf", each(gelu_erf_one), _torch("gelu")),
    "silu": _case("silu", each(lambda x: x * sigmoid_one(x)), _torch("silu")),
    "softmax": _case("softmax", softmax_loop, _torch("softmax", dim=-1)),
    "softmax_axis_1": _case("softmax", partial(softmax_loop, axis=1), _torch("softmax", dim=1), axis=1),
    "log_softmax": _case("log_softmax", log_softmax_loop, _torch("log_softmax", dim=-1)),
    "log_softmax_axis_1": _case(
        "log_softmax", partial(log_softmax_loop, axis=1), _torch("log_softmax", dim=1), axis=1
    ),
}
