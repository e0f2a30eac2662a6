"""Attention as plain loops, and in torch."""

import math

import numpy as np

from fmkit import attention as ours
from fmkit.twins.case import Case

B, H, G, T, S, D = 4, 6, 2, 5, 7, 8
EPS = 0.1  # large enough that to forget it shows
C = 9  # width of the model: need not be H * D
POSITIONS = np.array([0, 1, 2, 5, 11])  # T of them, with gaps
TABLES = ours.rope_tables(POSITIONS, D)
PADDING = ours.padding_mask(np.arange(S) < np.array([[7], [3], [1], [6]]), np.float64)  # (B, 1, 1, S)


def attention_loop(q, k, v, mask=None):
    """One query at a time: a score for each key, exponentials, their sum, the weighted mean of the values."""
    B, H, T, D = q.shape
    G, S = k.shape[1:3]
    if mask is None:
        mask = np.zeros(1)
    if mask.dtype == bool:  # True: may look
        mask = np.where(mask, 0.0, -np.inf)
    mask = np.broadcast_to(mask, (B, H, T, S))
    out = np.zeros_like(q)
    for b in range(B):
        for h in range(H):
            g = h // (H // G)  # the key/value head that serves query head h
            for t in range(T):
                weights = []
                for s in range(S):
                    score = sum(q[b, h, t, d] * k[b, g, s, d] for d in range(D)) / math.sqrt(D)
                    weights.append(math.exp(score + mask[b, h, t, s]))
                for d in range(D):
                    mean = sum(w * v[b, g, s, d] for s, w in enumerate(weights)) / sum(weights)
                    out[b, h, t, d] = mean
    return out


def rope_loop(x):
    """One pair at a time: coordinates i and i + D/2 turn by position / 10000**(2i/D) radians."""
    out = np.zeros_like(x)
    for b, h, t, i in np.ndindex(*x.shape[:3], D // 2):
        angle = POSITIONS[t] / 10000.0 ** (2 * i / D)
        x1, x2 = x[b, h, t, i], x[b, h, t, i + D // 2]
        out[b, h, t, i] = x1 * math.cos(angle) - x2 * math.sin(angle)
        out[b, h, t, i + D // 2] = x1 * math.sin(angle) + x2 * math.cos(angle)
    return out


def torch_attention(q, k, v, mask=None):
    from torch.nn.functional import scaled_dot_product_attention

    return scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=True)


def torch_rope(x):
    """A rotation as a multiplication of complex numbers."""
    import torch

    positions = torch.tensor(POSITIONS, dtype=x.dtype, device=x.device)
    frequency = 10000.0 ** (-torch.arange(0, D, 2, dtype=x.dtype, device=x.device) / D)
    angle = torch.outer(positions, frequency)  # (T, D/2)
    pairs = torch.complex(*x.chunk(2, dim=-1)) * torch.polar(torch.ones_like(angle), angle)
    return torch.cat([pairs.real, pairs.imag], dim=-1)


def torch_multihead(x, p, n_heads, n_kv_heads, mask=None, turn=lambda x: x):
    import torch
    from torch.nn.functional import linear, rms_norm

    qkv = linear(x, p["wqkv"].T, p.get("bqkv"))
    widths = [n_heads * D, n_kv_heads * D, n_kv_heads * D]
    q, k, v = (part.unflatten(-1, (-1, D)).transpose(1, 2) for part in torch.split(qkv, widths, dim=-1))
    if "q_norm" in p:
        q, k = rms_norm(q, (D,), p["q_norm"], EPS), rms_norm(k, (D,), p["k_norm"], EPS)
    out = torch_attention(turn(q), turn(k), v, mask)
    return linear(out.transpose(1, 2).flatten(2), p["wo"].T, p.get("bo"))


def _qkv(n_kv_heads, mask=None):
    """Random queries, keys and values; a mask, if there is one, is the fourth input."""

    def inputs(rng):
        q = rng.standard_normal((B, H, T, D))
        k, v = rng.standard_normal((2, B, n_kv_heads, S, D))
        return (q, k, v) if mask is None else (q, k, v, mask)

    return inputs


def _multihead(n_heads, n_kv_heads, bias, norm=False):
    def inputs(rng):
        x = rng.standard_normal((B, T, C))
        K = (n_heads + 2 * n_kv_heads) * D
        p = {"wqkv": rng.standard_normal((C, K)) / 3.0, "wo": rng.standard_normal((n_heads * D, C)) / 7.0}
        if bias:
            p |= {"bqkv": rng.standard_normal(K), "bo": rng.standard_normal(C)}
        if norm:
            p |= {"q_norm": rng.standard_normal(D), "k_norm": rng.standard_normal(D)}
        return x, p

    return inputs


_LATER_KEYS = ours.causal_mask(S, np.float64)[
    -T:
]  # T queries at the end of S keys, as when continuing a text
_CAUSAL = ours.causal_mask(T)

_SOME = np.random.default_rng(14).random((B, 1, T, S)) < 0.6  # booleans: True where a query may look
_SOME[:, :, :, 0] = True  # each query sees one key at least: torch gives NaN where there is none

CASES = {
    "attention": Case(ours.attention, ours.attention_backward, _qkv(H), torch_attention, attention_loop),
    "attention_causal": Case(
        ours.attention,
        ours.attention_backward,
        _qkv(H, _LATER_KEYS),
        torch_attention,
        attention_loop,
        constant=(3,),
    ),
    "attention_grouped": Case(
        ours.attention,
        ours.attention_backward,
        _qkv(G, PADDING),
        torch_attention,
        attention_loop,
        constant=(3,),
    ),
    "attention_boolean": Case(
        ours.attention, ours.attention_backward, _qkv(G, _SOME), torch_attention, attention_loop
    ),
    "rope": Case(
        lambda x: ours.rope(x, *TABLES),
        ours.rope_backward,
        lambda rng: (rng.standard_normal((B, H, T, D)),),
        torch_rope,
        rope_loop,
    ),
    "multihead_attention": Case(
        lambda x, p: ours.multihead_attention(x, p, n_heads=3),
        ours.multihead_attention_backward,
        _multihead(3, 3, bias=True),
        lambda x, p: torch_multihead(x, p, 3, 3),
    ),
    "multihead_attention_grouped_rope": Case(
        lambda x, p: ours.multihead_attention(x, p, H, G, _CAUSAL.astype(x.dtype), TABLES),
        ours.multihead_attention_backward,
        _multihead(H, G, bias=False),
        lambda x, p: torch_multihead(x, p, H, G, _torch_causal(x), torch_rope),
    ),
    "multihead_attention_boolean": Case(
        lambda x, p: ours.multihead_attention(x, p, H, G, np.tri(T, dtype=bool)),
        ours.multihead_attention_backward,
        _multihead(H, G, bias=True),
        lambda x, p: torch_multihead(x, p, H, G, _torch_causal(x) == 0),
    ),
    "multihead_attention_qk_norm": Case(
        lambda x, p: ours.multihead_attention(x, p, H, G, _CAUSAL.astype(x.dtype), TABLES, EPS),
        ours.multihead_attention_backward,
        _multihead(H, G, bias=False, norm=True),
        lambda x, p: torch_multihead(x, p, H, G, _torch_causal(x), torch_rope),
    ),
}


def _torch_causal(x):
    import torch

    return torch.tensor(_CAUSAL, dtype=x.dtype, device=x.device)
