"""Layers as plain loops, and in torch."""

import math
from functools import partial

import numpy as np

from fmkit import activations, layers
from fmkit.twins.case import Case
from fmkit.twins.cases.activations import gelu_tanh_one, sigmoid_one

# -- plain loops: the forms that the chapter begins with -----------------------------------------------------


def linear_loop(x, w, b=None):
    rows = x.reshape(-1, x.shape[-1])
    n_in, n_out = w.shape
    out = np.zeros((len(rows), n_out))
    for n in range(len(rows)):
        for j in range(n_out):
            out[n, j] = 0.0 if b is None else b[j]
            for i in range(n_in):
                out[n, j] += rows[n, i] * w[i, j]
    return out.reshape(*x.shape[:-1], n_out)


def embedding_loop(ids, w):
    return np.array([w[i].tolist() for i in ids.flat]).reshape(*ids.shape, -1)


def layernorm_loop(x, w, b, eps=1e-5):
    out = []
    for row in x.reshape(-1, len(w)):
        mean = sum(row) / len(row)
        var = sum((v - mean) ** 2 for v in row) / len(row)
        out.append([(row[c] - mean) / math.sqrt(var + eps) * w[c] + b[c] for c in range(len(row))])
    return np.array(out).reshape(x.shape)


def rmsnorm_loop(x, w, eps=1e-5):
    out = []
    for row in x.reshape(-1, len(w)):
        mean_square = sum(v * v for v in row) / len(row)
        out.append([row[c] / math.sqrt(mean_square + eps) * w[c] for c in range(len(row))])
    return np.array(out).reshape(x.shape)


def mlp_loop(x, w1, b1, w2, b2, activation=gelu_tanh_one):
    hidden = linear_loop(x, w1, b1)
    active = np.array([activation(v) for v in hidden.flat]).reshape(hidden.shape)
    return linear_loop(active, w2, b2)


def swiglu_loop(x, w_gate, w_up, w_down):
    gate, up = linear_loop(x, w_gate), linear_loop(x, w_up)
    active = np.array([g * sigmoid_one(g) * u for g, u in zip(gate.flat, up.flat, strict=True)])
    return linear_loop(active.reshape(up.shape), w_down)


def dropout_loop(x, mask, p):
    kept = [v / (1.0 - p) if keep else 0.0 for v, keep in zip(x.flat, mask.flat, strict=True)]
    return np.array(kept).reshape(x.shape)


def mean_pool_loop(x, mask):
    out = np.zeros((x.shape[0], x.shape[2]))
    for b in range(x.shape[0]):
        n = 0
        for t in range(x.shape[1]):
            if mask[b, t]:
                out[b] += x[b, t]
                n += 1
        out[b] /= max(n, 1)
    return out


def lstm_loop(x, wx, wh, b, h0=None, c0=None):
    n_batch, n_steps, _ = x.shape
    n_hidden = len(wh)
    out = np.zeros((n_batch, n_steps, n_hidden))
    for n in range(n_batch):
        h = [0.0] * n_hidden if h0 is None else h0[n]
        c = [0.0] * n_hidden if c0 is None else c0[n]
        for t in range(n_steps):
            z = b + x[n, t] @ wx + h @ wh
            i, f, g, o = (z[k * n_hidden : (k + 1) * n_hidden] for k in range(4))
            c = [sigmoid_one(f[k]) * c[k] + sigmoid_one(i[k]) * math.tanh(g[k]) for k in range(n_hidden)]
            h = [sigmoid_one(o[k]) * math.tanh(c[k]) for k in range(n_hidden)]
            out[n, t] = h
    return out


# -- the same in torch ---------------------------------------------------------------------------------------


def torch_linear(x, w, b=None):
    import torch

    return torch.nn.functional.linear(x, w.T, b)  # torch keeps the weight transposed


def torch_embedding(ids, w):
    import torch

    return torch.nn.functional.embedding(ids, w)


def torch_layernorm(x, w, b, eps=1e-5):
    import torch

    return torch.nn.functional.layer_norm(x, w.shape, w, b, eps)


def torch_rmsnorm(x, w, eps=1e-5):
    import torch

    return torch.nn.functional.rms_norm(x, w.shape, w, eps)


def torch_mlp(x, w1, b1, w2, b2, activation="gelu", **options):
    import torch

    active = getattr(torch.nn.functional, activation)(torch_linear(x, w1, b1), **options)
    return torch_linear(active, w2, b2)


def torch_swiglu(x, w_gate, w_up, w_down):
    import torch

    return torch_linear(torch.nn.functional.silu(x @ w_gate) * (x @ w_up), w_down)


def torch_dropout(x, mask, p):
    return x * mask / (1.0 - p)


def torch_mean_pool(x, mask):
    mask = mask.to(x.dtype)[:, :, None]
    return (x * mask).sum(1) / mask.sum(1).clamp(min=1.0)


def torch_lstm(x, wx, wh, b, h0=None, c0=None):
    import torch

    h0 = x.new_zeros(len(x), len(wh)) if h0 is None else h0
    c0 = x.new_zeros(len(x), len(wh)) if c0 is None else c0
    weights = [wx.T.contiguous(), wh.T.contiguous(), b, torch.zeros_like(b)]  # torch has a second bias
    # arguments after the weights: has biases, layers, dropout, training, bidirectional, batch first
    return torch.lstm(x, (h0[None], c0[None]), weights, True, 1, 0.0, False, False, True)[0]


# -- the cases -----------------------------------------------------------------------------------------------


def _normal(*shapes):
    return lambda rng: tuple(None if shape is None else rng.standard_normal(shape) for shape in shapes)


def _embedding_inputs(rng):
    ids = rng.integers(0, 7, (2, 5))
    ids[1] = ids[0, 0]  # the same token many times, and some tokens never
    return ids, rng.standard_normal((7, 3))


def _far_from_zero(rng):
    return 1.0 + 0.1 * rng.standard_normal((2, 5)), rng.standard_normal(5), rng.standard_normal(5)


def _dropout_inputs(rng):
    return rng.standard_normal((3, 5)), rng.random((3, 5)) >= 0.3


def _mean_pool_inputs(rng):
    return rng.standard_normal((3, 5, 4)), np.array([[1, 1, 1, 0, 0], [1, 0, 1, 1, 1], [0, 0, 0, 0, 0]])


def _pair(name, inputs, torch, loop, **options):
    forward, backward = partial(getattr(layers, name), **options), getattr(layers, name + "_backward")
    return Case(forward, backward, inputs, partial(torch, **options), partial(loop, **options))


LSTM_WEIGHTS = (3, 16), (4, 16), 16

CASES = {
    "linear": _pair("linear", _normal((2, 3, 5), (5, 7), 7), torch_linear, linear_loop),
    "linear_no_bias": _pair("linear", _normal((3, 5), (5, 7), None), torch_linear, linear_loop),
    "linear_one_vector": _pair("linear", _normal(5, (5, 7), 7), torch_linear, linear_loop),
    "embedding": _pair("embedding", _embedding_inputs, torch_embedding, embedding_loop),
    "layernorm": _pair("layernorm", _normal((2, 3, 5), 5, 5), torch_layernorm, layernorm_loop),
    "layernorm_small_variance": _pair("layernorm", _far_from_zero, torch_layernorm, layernorm_loop),
    "layernorm_eps": _pair("layernorm", _normal((3, 5), 5, 5), torch_layernorm, layernorm_loop, eps=0.1),
    "rmsnorm": _pair("rmsnorm", _normal((2, 3, 5), 5), torch_rmsnorm, rmsnorm_loop),
    "rmsnorm_eps": _pair("rmsnorm", _normal((3, 5), 5), torch_rmsnorm, rmsnorm_loop, eps=0.1),
    "mlp": Case(
        layers.mlp,
        layers.mlp_backward,
        _normal((2, 3, 5), (5, 7), 7, (7, 4), 4),
        partial(torch_mlp, approximate="tanh"),
        mlp_loop,
    ),
    "mlp_relu": Case(
        partial(layers.mlp, activation=(activations.relu, activations.relu_backward)),
        layers.mlp_backward,
        _normal((3, 5), (5, 7), 7, (7, 4), 4),
        partial(torch_mlp, activation="relu"),
        partial(mlp_loop, activation=lambda v: max(v, 0.0)),
    ),
    "swiglu": _pair("swiglu", _normal((2, 3, 5), (5, 7), (5, 7), (7, 4)), torch_swiglu, swiglu_loop),
    "dropout": _pair("dropout", _dropout_inputs, torch_dropout, dropout_loop, p=0.3),
    "mean_pool": _pair("mean_pool", _mean_pool_inputs, torch_mean_pool, mean_pool_loop),
    "lstm": _pair("lstm", _normal((2, 5, 3), *LSTM_WEIGHTS, None, None), torch_lstm, lstm_loop),
    "lstm_state_given": _pair(
        "lstm", _normal((2, 5, 3), *LSTM_WEIGHTS, (2, 4), (2, 4)), torch_lstm, lstm_loop
    ),
    "lstm_one_step": _pair("lstm", _normal((2, 1, 3), *LSTM_WEIGHTS, (2, 4), None), torch_lstm, lstm_loop),
}
