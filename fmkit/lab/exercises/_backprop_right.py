"""Chapter 04's right answers: the reference of each exercise, then the same thing written differently."""

import math

import numpy as np

# --- 4.1 nudging: central differences -----------------------------------------------------------------------


def _tanh_loss(w, x, t):
    return 0.5 * np.mean((np.tanh(x @ w) - t) ** 2)


def slopes_by_nudging(w, x, t, eps):
    w = w.astype(np.float64)  # a copy, with digits enough for a small difference of two near-equal losses
    slopes = np.zeros_like(w)
    for i in np.ndindex(w.shape):
        keep = w[i]
        w[i] = keep + eps
        up = _tanh_loss(w, x, t)
        w[i] = keep - eps
        down = _tanh_loss(w, x, t)
        w[i] = keep
        slopes[i] = (up - down) / (2 * eps)
    return slopes


def slopes_by_nudging_with_a_mask(w, x, t, eps):
    w = np.array(w, dtype=np.float64)
    slopes = []
    for k in range(w.size):
        nudge = eps * (np.arange(w.size) == k).reshape(w.shape)
        slopes.append((_tanh_loss(w + nudge, x, t) - _tanh_loss(w - nudge, x, t)) / (2 * eps))
    return np.array(slopes).reshape(w.shape)


def slopes_by_nudging_all_at_once(w, x, t, eps):
    nudges = eps * np.eye(w.size).reshape(w.size, *w.shape)
    w = w.astype(np.float64)
    losses = [0.5 * ((np.tanh(x @ (w + s * nudges)) - t) ** 2).mean((1, 2)) for s in (1, -1)]
    return ((losses[0] - losses[1]) / (2 * eps)).reshape(w.shape)


# --- 4.2 one sigmoid neuron ---------------------------------------------------------------------------------


def neuron_gradients(x, w, b, t):
    y = 1 / (1 + np.exp(-(x @ w + b)))
    dy = (y - t) / len(t)  # undoes the mean of the halved squares
    dz = dy * y * (1 - y)  # undoes the sigmoid
    return x.T @ dz, dz.sum()  # undoes x @ w + b


def neuron_gradients_loop(x, w, b, t):
    dw, db = np.zeros_like(w), w.dtype.type(0)
    for row, target in zip(x, t, strict=True):
        z = row @ w + b
        y = 1 / (1 + np.exp(-z))
        dz = (y - target) * y * (1 - y)
        dw = dw + dz * row / len(x)
        db = db + dz / len(x)
    return dw, db


def neuron_gradients_slope_from_z(x, w, b, t):
    z = x @ w + b
    y = 1 / (1 + np.exp(-z))
    slope = np.exp(-np.abs(z)) / (1 + np.exp(-np.abs(z))) ** 2  # the same slope, from the pre-activation
    each = ((y - t) * slope)[:, None] * x
    return each.mean(0), ((y - t) * slope).mean()


# --- 4.3 a linear layer with a scale, over (B, T, C) --------------------------------------------------------


def scaled_linear_backward(dout, x, w, scale):
    dy = dout * scale  # undoes the scale
    dx = dy @ w.T  # (B, T, C)
    dw = x.reshape(-1, x.shape[-1]).T @ dy.reshape(-1, dy.shape[-1])  # (C, K): every position adds its share
    return dx, dw


def scaled_linear_backward_einsum(dout, x, w, scale):
    return scale * np.einsum("btk,ck->btc", dout, w), scale * np.einsum("btc,btk->ck", x, dout)


def scaled_linear_backward_loop(dout, x, w, scale):
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for b in range(x.shape[0]):
        for t in range(x.shape[1]):
            dx[b, t] = scale * (w @ dout[b, t])
            dw += scale * np.outer(x[b, t], dout[b, t])
    return dx, dw


# --- 4.4 a leaky ReLU with a ceiling ------------------------------------------------------------------------


def capped_leaky_relu_backward(dout, x, slope, cap):
    dx = np.where(x > 0, dout, slope * dout)
    return np.where(x < cap, dx, 0 * dout)


def capped_leaky_relu_backward_masks(dout, x, slope, cap):
    inside = (x > 0) & (x < cap)
    return dout * inside.astype(dout.dtype) + slope * dout * (x <= 0).astype(dout.dtype)


def capped_leaky_relu_backward_assign(dout, x, slope, cap):
    dx = dout.copy()
    dx[x <= 0] *= slope
    dx[x >= cap] = 0
    return dx


# --- 4.5 softmax and cross-entropy in one, with a temperature and a weight for each row ---------------------


def weighted_ce_backward(logits, labels, weights, tau):
    s = logits / tau
    e = np.exp(s - s.max(1, keepdims=True))
    d = e / e.sum(1, keepdims=True)  # p
    d[np.arange(len(labels)), labels] -= 1  # p - y
    return d * (weights / weights.sum())[:, None] / tau


def weighted_ce_backward_one_hot(logits, labels, weights, tau):
    s = (logits - logits.max(1, keepdims=True)) / tau
    log_p = s - np.log(np.exp(s).sum(1, keepdims=True))
    one_hot = np.eye(logits.shape[1], dtype=logits.dtype)[labels]
    return weights[:, None] * (np.exp(log_p) - one_hot) / (tau * weights.sum())


def weighted_ce_backward_jacobian(logits, labels, weights, tau):
    out = np.zeros_like(logits)
    for n, label in enumerate(labels):
        e = np.exp((logits[n] - logits[n].max()) / tau)
        p = e / e.sum()
        # A row of softmax's Jacobian, p_label * (1[j = label] - p_j), times the log's slope, -1 / p_label.
        out[n] = -((np.arange(len(p)) == label) - p) * weights[n] / weights.sum() / tau
    return out


# --- 4.6 a whole two-layer network --------------------------------------------------------------------------


def network_gradients(params, x, labels, slope, decay):
    w1, b1, w2, b2 = (params[name] for name in ("w1", "b1", "w2", "b2"))
    z = x @ w1 + b1
    h = np.where(z > 0, z, slope * z)
    logits = h @ w2 + b2
    e = np.exp(logits - logits.max(1, keepdims=True))
    dlogits = e / e.sum(1, keepdims=True)
    dlogits[np.arange(len(labels)), labels] -= 1
    dlogits /= len(labels)  # p - y, averaged: softmax, cross-entropy and mean in one
    dh = dlogits @ w2.T
    dz = np.where(z > 0, dh, slope * dh)
    return {
        "w1": x.T @ dz + decay * w1,
        "b1": dz.sum(0),
        "w2": h.T @ dlogits + decay * w2,
        "b2": dlogits.sum(0),
    }


def network_gradients_loop(params, x, labels, slope, decay):
    grads = {name: np.zeros_like(value) for name, value in params.items()}
    for row, label in zip(x, labels, strict=True):
        z = row @ params["w1"] + params["b1"]
        gate = np.where(z > 0, 1, slope).astype(x.dtype)
        h = z * gate
        logits = h @ params["w2"] + params["b2"]
        e = np.exp(logits - logits.max())
        d = (e / e.sum() - (np.arange(len(e)) == label)).astype(x.dtype) / len(x)
        grads["b2"] += d
        grads["w2"] += np.outer(h, d)
        dz = (params["w2"] @ d) * gate
        grads["b1"] += dz
        grads["w1"] += np.outer(row, dz)
    for name in ("w1", "w2"):
        grads[name] += decay * params[name]
    return grads


def network_gradients_bias_as_weight(params, x, labels, slope, decay):
    one = np.ones((len(x), 1), x.dtype)
    x1 = np.hstack([x, one])  # a column of ones turns the bias into one more row of the weight
    z = x1 @ np.vstack([params["w1"], params["b1"]])
    h1 = np.hstack([np.maximum(z, 0) + slope * np.minimum(z, 0), one])
    logits = h1 @ np.vstack([params["w2"], params["b2"]])
    p = np.exp(logits - logits.max(1, keepdims=True))
    p = p / p.sum(1, keepdims=True)
    d = (p - np.eye(p.shape[1], dtype=p.dtype)[labels]) / len(x)
    g2 = h1.T @ d
    g1 = x1.T @ ((d @ params["w2"].T) * ((z > 0) + slope * (z <= 0)).astype(x.dtype))
    return {
        "w1": g1[:-1] + decay * params["w1"],
        "b1": g1[-1],
        "w2": g2[:-1] + decay * params["w2"],
        "b2": g2[-1],
    }


# --- 4.7 normalisation over the channels of (B, C, T) -------------------------------------------------------


def channel_norm_backward(dout, x, eps):
    xc = x - x.mean(1, keepdims=True)
    rstd = 1 / np.sqrt((xc * xc).mean(1, keepdims=True) + eps)
    norm = xc * rstd
    dx = dout - dout.mean(1, keepdims=True)  # through the mean
    dx -= norm * (dout * norm).mean(1, keepdims=True)  # through the variance
    return dx * rstd


def channel_norm_backward_three_paths(dout, x, eps):
    n = x.shape[1]
    xc = x - x.mean(1, keepdims=True)
    var = (xc**2).mean(1, keepdims=True)
    std = np.sqrt(var + eps)
    dvar = (dout * xc).sum(1, keepdims=True) * -0.5 / (std * std * std)
    dxc = dout / std + dvar * 2 * xc / n
    return dxc - dxc.sum(1, keepdims=True) / n


def channel_norm_backward_jacobian(dout, x, eps):
    dx = np.zeros_like(x)
    n = x.shape[1]
    for b in range(x.shape[0]):
        for t in range(x.shape[2]):
            v = x[b, :, t] - x[b, :, t].mean()
            std = math.sqrt((v * v).mean() + eps)
            jacobian = (np.eye(n) - 1 / n - np.outer(v, v) / (n * std * std)) / std
            dx[b, :, t] = jacobian @ dout[b, :, t]
    return dx


# --- 4.8 undoing a broadcast --------------------------------------------------------------------------------


def unbroadcast(dout, shape):
    lead = dout.ndim - len(shape)
    stretched = tuple(lead + i for i, size in enumerate(shape) if size == 1)
    return dout.sum(tuple(range(lead)) + stretched, keepdims=True).reshape(shape)


def unbroadcast_step_by_step(dout, shape):
    while dout.ndim > len(shape):
        dout = dout.sum(0)
    for axis, size in enumerate(shape):
        if size == 1:
            dout = dout.sum(axis, keepdims=True)
    return np.array(dout)


def unbroadcast_by_index(dout, shape):
    out = np.zeros(shape, dout.dtype)
    for index in np.ndindex(dout.shape):
        tail = index[len(index) - len(shape) :]
        out[tuple(i if size > 1 else 0 for i, size in zip(tail, shape, strict=True))] += dout[index]
    return out


# --- 4.9 one weight used twice ------------------------------------------------------------------------------


def tied_backward(dout, x, w):
    h = np.tanh(x @ w)
    dw = dout.T @ h  # the second use, out = h @ w.T
    dz = (dout @ w) * (1 - h * h)
    dw += x.T @ dz  # the first use, x @ w: its share is added
    return dz @ w.T, dw


def tied_backward_untied(dout, x, w):
    h = np.tanh(x @ w)
    uses = {"decoder": h.T @ dout}  # as if the two uses had their own weights ...
    dz = (dout @ w) * (1 - h**2)
    uses["encoder"] = x.T @ dz
    return dz @ w.T, uses["encoder"] + uses["decoder"].T  # ... tied at the end


def tied_backward_loop(dout, x, w):
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for n in range(len(x)):
        h = np.tanh(w.T @ x[n])
        dz = (w.T @ dout[n]) * (1 - h * h)
        dx[n] = w @ dz
        dw += np.outer(dout[n], h) + np.outer(x[n], dz)
    return dx, dw


# --- 4.10 spot the bug --------------------------------------------------------------------------------------


def hidden_deltas(z1, w, b, t):
    a1 = np.maximum(0, z1)
    y = 1 / (1 + np.exp(-(a1 * w.sum() + b)))
    delta2 = (y - t) * y * (1 - y)
    delta1 = w.sum() * delta2 * (z1 > 0)
    return delta1, delta2


def hidden_deltas_wire_by_wire(z1, w, b, t):
    z2 = sum(wire * np.maximum(z1, 0) for wire in w) + b
    y = 1 / (1 + np.exp(-z2))
    delta2 = y * (1 - y) * (y - t)
    da1 = sum(wire * delta2 for wire in w)
    return np.where(z1 > 0, da1, 0 * da1), delta2


def hidden_deltas_loop(z1, w, b, t):
    delta1, delta2 = np.zeros_like(z1), np.zeros_like(z1)
    for n in range(len(z1)):
        z2 = max(z1[n], 0) * w.sum() + b
        slope = np.exp(-z2) / (1 + np.exp(-z2)) ** 2
        delta2[n] = (1 / (1 + np.exp(-z2)) - t[n]) * slope
        delta1[n] = delta2[n] * w.sum() if z1[n] > 0 else 0
    return delta1, delta2
