"""LoRA, adapters and learned prefixes as plain loops, and in torch."""

import math
from functools import partial

import numpy as np

from fmkit import adapters as ours
from fmkit.attention import padding_mask
from fmkit.twins.case import Case
from fmkit.twins.cases.attention import attention_loop

B, T, C_IN, C_OUT, R = 4, 5, 7, 6, 3
H, S, D, P = 2, 8, 9, 10
ALPHA = 12.0
PADDING = padding_mask(np.arange(S) < np.array([[8], [3], [1], [6]]), np.float64)  # (B, 1, 1, S)


def lora_loop(x, w, b, a, bb):
    """Each output: a sum over the inputs through w, and one over the R narrow numbers."""
    out = np.zeros((*x.shape[:-1], w.shape[1]))
    for i in np.ndindex(*x.shape[:-1]):
        narrow = [sum(x[i][c] * a[c, r] for c in range(C_IN)) for r in range(R)]
        for o in range(C_OUT):
            frozen = b[o] + sum(x[i][c] * w[c, o] for c in range(C_IN))
            change = sum(narrow[r] * bb[r, o] for r in range(R))
            out[i][o] = frozen + ALPHA / R * change
    return out


def adapter_loop(x, w_down, b_down, w_up, b_up):
    out = np.zeros_like(x)
    for i in np.ndindex(*x.shape[:-1]):
        hidden = []
        for r in range(R):
            z = b_down[r] + sum(x[i][c] * w_down[c, r] for c in range(C_IN))
            inner = math.sqrt(2.0 / math.pi) * (z + 0.044715 * z * z * z)
            hidden.append(0.5 * z * (1.0 + math.tanh(inner)))
        for c in range(C_IN):
            out[i][c] = x[i][c] + b_up[c] + sum(hidden[r] * w_up[r, c] for r in range(R))
    return out


def prefix_loop(q, k, v, pk, pv, mask):
    """Write the prefix in front of each text, then attend one query at a time."""
    k = np.stack([np.concatenate([pk, text], axis=1) for text in k])  # (B, H, P+S, D)
    v = np.stack([np.concatenate([pv, text], axis=1) for text in v])
    seen = np.full((*mask.shape[:-1], P), mask.dtype == bool)  # True, or 0 to add
    return attention_loop(q, k, v, np.concatenate([seen, mask], axis=-1))


def torch_lora(x, w, b, a, bb):
    """The merged weight: torch differentiates it, ours never forms it."""
    return x @ (w.detach() + ALPHA / R * a @ bb) + b.detach()


def torch_adapter(x, w_down, b_down, w_up, b_up):
    from torch.nn.functional import gelu

    return x + gelu(x @ w_down + b_down, approximate="tanh") @ w_up + b_up


def torch_prefix(q, k, v, pk, pv, mask):
    import torch
    from torch.nn.functional import pad, scaled_dot_product_attention

    k = torch.cat([pk.expand(len(k), -1, -1, -1), k], dim=2)
    v = torch.cat([pv.expand(len(v), -1, -1, -1), v], dim=2)
    return scaled_dot_product_attention(q, k, v, attn_mask=pad(mask, (P, 0), value=mask.dtype == torch.bool))


def _lora(rng):
    shapes = (B, T, C_IN), (C_IN, C_OUT), (C_OUT,), (C_IN, R), (R, C_OUT)
    return tuple(rng.standard_normal(shape) for shape in shapes)


def _adapter(rng):
    shapes = (B, T, C_IN), (C_IN, R), (R,), (R, C_IN), (C_IN,)
    return tuple(rng.standard_normal(shape) for shape in shapes)


def _prefix(rng, mask=PADDING):
    shapes = (B, H, T, D), (B, H, S, D), (B, H, S, D), (H, P, D), (H, P, D)
    return *(rng.standard_normal(shape) for shape in shapes), mask


CASES = {
    "lora_linear": Case(
        lambda x, w, b, a, bb: ours.lora_linear(x, w, b, a, bb, ALPHA),
        ours.lora_linear_backward,
        _lora,
        torch_lora,
        lora_loop,
        constant=(1, 2),  # the pretrained layer is frozen
    ),
    "adapter": Case(ours.adapter, ours.adapter_backward, _adapter, torch_adapter, adapter_loop),
    "prefix_attention": Case(
        ours.prefix_attention,
        ours.prefix_attention_backward,
        _prefix,
        torch_prefix,
        prefix_loop,
        constant=(5,),
    ),
    "prefix_attention_boolean": Case(
        ours.prefix_attention,
        ours.prefix_attention_backward,
        partial(_prefix, mask=PADDING == 0),
        torch_prefix,
        prefix_loop,
    ),
}
