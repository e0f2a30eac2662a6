"""The GRU and the translators as a plain loop, and in torch."""

import math
from functools import partial

import numpy as np

from fmkit import translation
from fmkit.twins.case import Case
from fmkit.twins.cases.activations import sigmoid_one
from fmkit.twins.cases.transformer import shake


def gru_loop(x, wx, wh, bx, bh, h0=None):
    n_batch, n_steps, _ = x.shape
    n_hidden = len(wh)
    out = np.zeros((n_batch, n_steps, n_hidden))
    for i in range(n_batch):
        h = np.zeros(n_hidden) if h0 is None else h0[i]
        for t in range(n_steps):
            zx, zh = x[i, t] @ wx + bx, h @ wh + bh
            new = np.zeros(n_hidden)
            for k in range(n_hidden):
                r = sigmoid_one(zx[k] + zh[k])
                z = sigmoid_one(zx[n_hidden + k] + zh[n_hidden + k])
                n = math.tanh(zx[2 * n_hidden + k] + r * zh[2 * n_hidden + k])
                new[k] = (1.0 - z) * n + z * h[k]
            out[i, t] = h = new
    return out


def torch_gru(x, wx, wh, bx, bh, h0=None):
    import torch

    h0 = x.new_zeros(len(x), len(wh)) if h0 is None else h0
    weights = [wx.T.contiguous(), wh.T.contiguous(), bx, bh]
    # arguments after the weights: has biases, layers, dropout, training, bidirectional, batch first
    return torch.gru(x, h0[None], weights, True, 1, 0.0, False, False, True)[0]


def torch_translator(params, source, mask, words, attend):
    import torch

    states = torch_gru(params["read"][source], **params["reader"])
    h0 = states[torch.arange(len(source)), mask.sum(1) - 1]
    h = torch_gru(params["write"][words], **params["writer"], h0=h0)
    if attend:
        look = mask[:, None].bool()
        seen = torch.nn.functional.scaled_dot_product_attention(h, states, states, attn_mask=look)
    else:
        seen = h0[:, None].expand(h.shape)
    p = params["choice"]
    return (torch.cat([h, seen], -1) @ p["w1"] + p["b1"]).tanh() @ p["w2"] + p["b2"]


def _gru_inputs(rng, steps=5, state=False):
    shapes = (2, steps, 3), (3, 12), (4, 12), 12, 12
    return *(rng.standard_normal(shape) for shape in shapes), rng.standard_normal((2, 4)) if state else None


def _translator_inputs(rng):
    params = shake(rng, translation.init_translator(rng, 9, 7, d_embed=4, d_model=6, dtype=np.float64))
    mask = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0]])
    return params, rng.integers(1, 9, mask.shape) * mask, mask, rng.integers(0, 7, (3, 8))


def _gru(**options):
    return Case(
        translation.gru, translation.gru_backward, partial(_gru_inputs, **options), torch_gru, gru_loop
    )


def _translator(attend):
    return Case(
        partial(translation.translator, attend=attend),
        translation.translator_backward,
        _translator_inputs,
        partial(torch_translator, attend=attend),
    )


CASES = {
    "gru": _gru(),
    "gru_state_given": _gru(state=True),
    "gru_one_step": _gru(steps=1, state=True),
    "translator": _translator(attend=True),
    "translator_without_attention": _translator(attend=False),
}
