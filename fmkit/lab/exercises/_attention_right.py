"""Chapter 06's right answers: the reference of each exercise, then the same thing written differently."""

import math

import numpy as np

# --- 6.1 a mean that fades into the past --------------------------------------------------------------------


def fading_mean(x, decay):
    T = x.shape[1]
    age = np.arange(T)[:, None] - np.arange(T)  # (T, T): how long ago position s was, seen from t
    weights = np.where(age >= 0, decay ** np.maximum(age, 0), 0.0)
    weights = weights / weights.sum(1, keepdims=True)
    return weights.astype(x.dtype) @ x  # (B, T, C)


def fading_mean_loop(x, decay):
    out = np.zeros_like(x)
    for t in range(x.shape[1]):
        weights = [decay ** (t - s) for s in range(t + 1)]
        for s, w in enumerate(weights):
            out[:, t] += (w / sum(weights)) * x[:, s]
    return out


def fading_mean_running(x, decay):
    total, weight, out = 0.0 * x[:, 0], 0.0, []
    for t in range(x.shape[1]):
        total = decay * total + x[:, t]
        weight = decay * weight + 1.0
        out.append(total / weight)
    return np.stack(out, 1)


# --- 6.2 queries, keys and values ---------------------------------------------------------------------------


def _softmax(scores):
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def self_attention(x, wq, wk, wv):
    q, k, v = x @ wq, x @ wk, x @ wv  # (B, T, D), (B, T, D), (B, T, E)
    scores = q @ k.swapaxes(1, 2) / math.sqrt(wq.shape[1])  # (B, T, T)
    return _softmax(scores) @ v  # (B, T, E)


def self_attention_loop(x, wq, wk, wv):
    rows = []
    for sequence in x:
        q, k, v = sequence @ wq, sequence @ wk, sequence @ wv
        for query in q:
            scores = k @ query / math.sqrt(len(query))
            e = np.exp(scores - scores.max())
            rows.append((e[:, None] * v).sum(0) / e.sum())
    return np.array(rows).reshape(*x.shape[:2], wv.shape[1])


def self_attention_values_last(x, wq, wk, wv):
    between = wq @ wk.T / math.sqrt(wk.shape[-1])  # (C, C): a score is x_t @ between @ x_s
    scores = np.einsum("btc,cd,bsd->bts", x, between, x)
    return (_softmax(scores) @ x) @ wv


# --- 6.3 masks ----------------------------------------------------------------------------------------------


def masked_weights(scores, real, window):
    T = scores.shape[-1]
    age = np.arange(T)[:, None] - np.arange(T)  # (T, T)
    seen = (age >= 0) & (age < window) & (real[:, None, None, :] == 1)  # (B, 1, T, T)
    scores = np.where(seen, scores, -np.inf)
    top = scores.max(-1, keepdims=True)
    e = np.exp(scores - np.where(np.isfinite(top), top, 0.0))
    total = e.sum(-1, keepdims=True)
    return (e / np.where(total > 0, total, 1.0)).astype(scores.dtype)


def masked_weights_loop(scores, real, window):
    weights = np.zeros_like(scores)
    for b, h, t in np.ndindex(scores.shape[:3]):
        seen = [s for s in range(max(0, t - window + 1), t + 1) if real[b, s]]
        if seen:
            e = np.exp(scores[b, h, t, seen] - scores[b, h, t, seen].max())
            weights[b, h, t, seen] = e / e.sum()
    return weights


def masked_weights_additive(scores, real, window):
    T = scores.shape[-1]
    band = np.tri(T, dtype=bool) & ~np.tri(T, k=-window, dtype=bool)
    seen = band & (real.astype(bool)[:, None, None, :])
    scores = scores + np.where(seen, 0.0, -np.inf).astype(scores.dtype)
    e = np.exp(scores - np.maximum(scores.max(-1, keepdims=True), -1e30))
    return e / np.maximum(e.sum(-1, keepdims=True), 1e-30)


# --- 6.4 heads in another layout ----------------------------------------------------------------------------


def attend_head_by_head(qkv, n_heads):
    B, T, width = qkv.shape
    D = width // (3 * n_heads)
    heads = qkv.reshape(B, T, n_heads, 3, D).transpose(3, 0, 2, 1, 4)  # (3, B, H, T, D)
    q, k, v = heads
    weights = _softmax(q @ k.swapaxes(-1, -2) / math.sqrt(D))  # (B, H, T, T)
    return (weights @ v).transpose(0, 2, 1, 3).reshape(B, T, n_heads * D)


def attend_head_by_head_slices(qkv, n_heads):
    D = qkv.shape[-1] // (3 * n_heads)
    outs = []
    for start in range(0, 3 * n_heads * D, 3 * D):
        q, k, v = (qkv[..., start + i * D : start + (i + 1) * D] for i in range(3))  # (B, T, D) each
        outs.append(_softmax(q @ k.swapaxes(1, 2) / math.sqrt(D)) @ v)
    return np.concatenate(outs, -1)


def attend_head_by_head_einsum(qkv, n_heads):
    B, T, _ = qkv.shape
    q, k, v = np.moveaxis(qkv.reshape(B, T, n_heads, 3, -1), 3, 0)  # (B, T, H, D) each
    scores = np.einsum("bthd,bshd->bhts", q, k) / math.sqrt(q.shape[-1])
    return np.einsum("bhts,bshd->bthd", _softmax(scores), v).reshape(B, T, -1)


# --- 6.5 rotary positions on neighbours ---------------------------------------------------------------------


def rotate_neighbours(x, positions, base):
    D = x.shape[-1]
    angle = positions[:, None, :, None] * base ** (-np.arange(0, D, 2) / D)  # (B, 1, T, D/2)
    cos, sin = np.cos(angle).astype(x.dtype), np.sin(angle).astype(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]
    out = np.empty_like(x)
    out[..., 0::2] = even * cos - odd * sin
    out[..., 1::2] = even * sin + odd * cos
    return out


def rotate_neighbours_loop(x, positions, base):
    out, D = np.zeros_like(x), x.shape[-1]
    for b, t in np.ndindex(positions.shape):
        for i in range(0, D, 2):
            angle = positions[b, t] / base ** (i / D)
            turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
            out[b, :, t, i : i + 2] = x[b, :, t, i : i + 2] @ turn.T
    return out


def rotate_neighbours_complex(x, positions, base):
    D = x.shape[-1]
    turn = np.exp(1j * positions[:, None, :, None] / base ** (np.arange(D // 2) * 2 / D))
    z = (x[..., ::2] + 1j * x[..., 1::2]) * turn
    return np.stack([z.real, z.imag], -1).reshape(x.shape).astype(x.dtype)


# --- 6.6 the backward of attention, with a soft cap ---------------------------------------------------------


def _capped(q, k, cap):
    scores = q @ k.swapaxes(1, 2) / math.sqrt(q.shape[-1])  # (B, T, S)
    capped = cap * np.tanh(scores / cap)
    return capped, _softmax(capped)


def capped_attention_backward(dout, q, k, v, cap):
    capped, probs = _capped(q, k, cap)
    dv = probs.swapaxes(1, 2) @ dout  # undoes probs @ v
    dprobs = dout @ v.swapaxes(1, 2)
    dcapped = probs * (dprobs - (dprobs * probs).sum(-1, keepdims=True))  # undoes the softmax
    dscores = dcapped * (1 - (capped / cap) ** 2)  # undoes the cap: the slope of tanh
    dscores = dscores / math.sqrt(q.shape[-1])
    return dscores @ k, dscores.swapaxes(1, 2) @ q, dv


def capped_attention_backward_loop(dout, q, k, v, cap):
    capped, probs = _capped(q, k, cap)
    dq, dk, dv = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
    for b, t in np.ndindex(q.shape[:2]):
        p = probs[b, t]
        dv[b] += np.outer(p, dout[b, t])
        jacobian = np.diag(p) - np.outer(p, p)
        ds = jacobian @ (v[b] @ dout[b, t]) * (1 - (capped[b, t] / cap) ** 2) / math.sqrt(q.shape[-1])
        dq[b, t] = ds @ k[b]
        dk[b] += np.outer(ds, q[b, t])
    return dq, dk, dv


def capped_attention_backward_scaled_query(dout, q, k, v, cap):
    scale = 1.0 / math.sqrt(q.shape[-1])
    tanh = np.tanh((scale * q) @ k.swapaxes(1, 2) / cap)
    probs = _softmax(cap * tanh)
    out = probs @ v
    dprobs = np.einsum("btd,bsd->bts", dout, v) - (dout * out).sum(-1, keepdims=True)
    dscores = probs * dprobs * (1 - tanh * tanh)
    dq = scale * np.einsum("bts,bsd->btd", dscores, k)
    return dq, np.einsum("bts,btd->bsd", dscores, scale * q), np.einsum("bts,btd->bsd", probs, dout)


# --- 6.7 the backward of a block ----------------------------------------------------------------------------


def parallel_block_backward(dout, x, a, wo, w1, w2):
    rms = np.sqrt((x * x).mean(-1, keepdims=True))
    n = x / rms
    mixed = a @ n  # (B, T, C)
    z = n @ w1  # (B, T, F)
    h = np.maximum(z, 0)

    def flat(array):
        return array.reshape(-1, array.shape[-1])

    dwo = flat(mixed).T @ flat(dout)
    dw2 = flat(h).T @ flat(dout)
    dz = (dout @ w2.T) * (z > 0)
    dw1 = flat(n).T @ flat(dz)
    dn = a.T @ (dout @ wo.T) + dz @ w1.T  # two branches leave n: their gradients add up
    dx = dout + (dn - n * (dn * n).mean(-1, keepdims=True)) / rms  # the residual, and through the norm
    return dx, dwo, dw1, dw2


def parallel_block_backward_loop(dout, x, a, wo, w1, w2):
    dx, dwo, dw1, dw2 = np.zeros_like(x), np.zeros_like(wo), np.zeros_like(w1), np.zeros_like(w2)
    C = x.shape[-1]
    for b in range(len(x)):
        rms = np.sqrt((x[b] * x[b]).sum(-1, keepdims=True) / C)
        n = x[b] / rms
        z = n @ w1
        dwo += (a @ n).T @ dout[b]
        dw2 += np.maximum(z, 0).T @ dout[b]
        dz = np.where(z > 0, dout[b] @ w2.T, 0 * z)
        dw1 += n.T @ dz
        dn = dz @ w1.T
        for t in range(len(n)):
            dn[t] += sum(a[u, t] * (wo @ dout[b, u]) for u in range(len(n)))
        for t in range(len(n)):
            jacobian = (np.eye(C) - np.outer(n[t], n[t]) / C) / rms[t]
            dx[b, t] = dout[b, t] + jacobian @ dn[t]
    return dx, dwo, dw1, dw2.astype(w2.dtype)


def parallel_block_backward_einsum(dout, x, a, wo, w1, w2):
    inverse = 1 / np.sqrt(np.einsum("btc,btc->bt", x, x) / x.shape[-1])[..., None]
    n = x * inverse
    gate = (n @ w1 > 0).astype(x.dtype)
    dz = np.einsum("btc,fc->btf", dout, w2) * gate
    dn = np.einsum("ut,bud,cd->btc", a, dout, wo) + np.einsum("btf,cf->btc", dz, w1)
    dx = dout + inverse * dn - inverse**3 * x * (dn * x).mean(-1, keepdims=True)
    dwo = np.einsum("ut,btc,bud->cd", a, n, dout)
    return dx, dwo, np.einsum("btc,btf->cf", n, dz), np.einsum("btf,btc->fc", (n @ w1) * gate, dout)


# --- 6.8 spot the bug: a language model ---------------------------------------------------------------------


def next_token_scores(ids, wte, wpe, wq, wk, wv):
    T = ids.shape[1]
    x = wte[ids] + wpe[:T]  # (B, T, C)
    q, k, v = x @ wq, x @ wk, x @ wv
    scores = q @ k.swapaxes(1, 2) / math.sqrt(q.shape[-1])  # (B, T, T): within each row
    scores = np.where(np.tri(T, dtype=bool), scores, -np.inf)
    return (x + _softmax(scores) @ v) @ wte.T  # (B, T, V)


def next_token_scores_loop(ids, wte, wpe, wq, wk, wv):
    logits = []
    for row in ids:
        x = np.stack([wte[i] + p for i, p in zip(row, wpe, strict=False)])
        for t in range(len(row)):
            past = x[: t + 1]
            scores = (past @ wk) @ (x[t] @ wq) / math.sqrt(wq.shape[1])
            logits.append(wte @ (x[t] + _softmax(scores) @ (past @ wv)))
    return np.array(logits).reshape(*ids.shape, len(wte))


def next_token_scores_additive(ids, wte, wpe, wq, wk, wv):
    T = ids.shape[-1]
    x = wte[ids] + wpe[np.arange(T)]
    hidden = np.triu(np.full((T, T), -np.inf, x.dtype), 1)
    weights = _softmax(np.einsum("btd,bsd->bts", x @ wq, x @ wk) / math.sqrt(wk.shape[1]) + hidden)
    return np.einsum("btc,vc->btv", x + weights @ (x @ wv), wte)


# --- 6.9 rollout --------------------------------------------------------------------------------------------


def rollout(weights):
    T = weights.shape[-1]
    total = np.eye(T, dtype=weights.dtype)
    for layer in weights:  # from the first to the last
        step = (layer.mean(0) + np.eye(T, dtype=weights.dtype)) / 2
        total = step @ total
    return total


def rollout_backwards(weights):
    steps = [(layer.sum(0) / len(layer) + np.eye(layer.shape[-1])) / 2 for layer in weights]
    total = steps[-1]
    for step in steps[-2::-1]:
        total = total @ step
    return total.astype(weights.dtype)


def rollout_loop(weights):
    L, H, T, _ = weights.shape
    total = [[float(t == s) for s in range(T)] for t in range(T)]
    for layer in range(L):
        mean = weights[layer].mean(0)
        total = [
            [
                0.5 * total[t][s] + 0.5 * sum(float(mean[t, u]) * total[u][s] for u in range(T))
                for s in range(T)
            ]
            for t in range(T)
        ]
    return np.array(total).astype(weights.dtype)
