"""Chapter 02's right answers: the reference of each exercise, then the same thing written differently."""

import functools
import math

import numpy as np

# --- 2.1 fold linear layers ---------------------------------------------------------------------------------


def fold(layers):
    w, b = layers[0]
    for w_next, b_next in layers[1:]:
        w, b = w @ w_next, b @ w_next + b_next
    return w, b


def fold_by_probing(layers):
    def run(x):
        for w, b in layers:
            x = x @ w + b
        return x

    w, _ = layers[0]
    b = run(np.zeros(len(w), w.dtype))
    return run(np.eye(len(w), dtype=w.dtype)) - b, b


def fold_with_a_row_of_ones(layers):
    def with_bias(w, b):
        last = np.zeros((len(w) + 1, 1), w.dtype)
        last[-1] = 1
        return np.concatenate([np.concatenate([w, b[None]]), last], 1)  # (C + 1, K + 1)

    whole = functools.reduce(np.matmul, [with_bias(w, b) for w, b in layers])
    return whole[:-1, :-1], whole[-1, :-1]


# --- 2.2 softplus, as sharp as you like ---------------------------------------------------------------------


def softplus(x, beta):
    z = beta * x
    return (np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))) / beta


def softplus_by_logaddexp(x, beta):
    return np.logaddexp(0.0, beta * x) / beta


def softplus_piece_by_piece(x, beta):
    out = np.empty_like(x)
    for i in np.ndindex(x.shape):
        z = beta * float(x[i])
        out[i] = (z + math.log1p(math.exp(-z)) if z > 0 else math.log1p(math.exp(z))) / beta
    return out


# --- 2.3 a slope from the output alone ----------------------------------------------------------------------


def scaled_tanh_backward(dout, out, a, b):
    t = out / a  # the tanh itself
    return dout * a * b * (1.0 - t * t)


def scaled_tanh_backward_one_line(dout, out, a, b):
    return dout * b * (a - out * out / a)


def scaled_tanh_backward_two_factors(dout, out, a, b):
    return dout * b / a * (a - out) * (a + out)


# --- 2.4 leaky, each channel in its own way -----------------------------------------------------------------


def channel_leaky_relu(x, leaks):
    slope = np.where(x > 0, 1.0, leaks).astype(x.dtype)
    return x * slope, slope


def channel_leaky_relu_two_parts(x, leaks):
    on = (x > 0).astype(x.dtype)
    return np.maximum(x, 0.0) + leaks * np.minimum(x, 0.0), on + (1.0 - on) * leaks


def channel_leaky_relu_loop(x, leaks):
    out, slope = np.empty_like(x), np.empty_like(x)
    for n, c in np.ndindex(x.shape):
        slope[n, c] = 1 if x[n, c] > 0 else leaks[c]
        out[n, c] = slope[n, c] * x[n, c]
    return out, slope


# --- 2.5 swish with a steepness -----------------------------------------------------------------------------


def _sigmoid(z):
    return np.exp(np.minimum(z, 0.0)) / (1.0 + np.exp(-np.abs(z)))


def swish(x, beta):
    s = _sigmoid(beta * x)
    return x * s, s + beta * x * s * (1.0 - s)


def swish_slope_from_the_output(x, beta):
    s = _sigmoid(beta * x)
    out = x * s
    return out, s + beta * out * (1.0 - s)


def swish_by_tanh(x, beta):
    t = np.tanh(0.5 * beta * x)  # the sigmoid is a tanh, squeezed
    return 0.5 * x * (1.0 + t), 0.5 * (1.0 + t) + 0.25 * beta * x * (1.0 - t * t)


# --- 2.6 softmax with a temperature and a mask --------------------------------------------------------------


def masked_softmax(scores, allowed, temperature):
    z = np.where(allowed, scores / temperature[:, None], -np.inf)
    top = z.max(-1, keepdims=True)
    e = np.exp(z - np.where(np.isfinite(top), top, 0.0).astype(z.dtype))  # -inf - -inf would be NaN
    total = e.sum(-1, keepdims=True)
    return e / np.where(total > 0, total, 1.0).astype(z.dtype)


def masked_softmax_row_by_row(scores, allowed, temperature):
    out = np.zeros_like(scores)
    for n in range(len(scores)):
        if allowed[n].any():
            z = scores[n, allowed[n]] / temperature[n]
            e = np.exp(z - z.max())
            out[n, allowed[n]] = e / e.sum()
    return out


def masked_softmax_very_low_scores(scores, allowed, temperature):
    z = scores / temperature[:, None]
    low = z.min() - 1.0
    top = np.where(allowed, z, low).max(-1, keepdims=True)
    e = np.exp(np.minimum(z - top, 0.0)) * allowed  # the maximum of the allowed ones only
    return e / np.maximum(e.sum(-1, keepdims=True), np.finfo(z.dtype).tiny)


# --- 2.7 how healthy is a ReLU layer? -----------------------------------------------------------------------


def layer_health(z):
    on = z.reshape(-1, z.shape[-1]) > 0  # (everything, H)
    dead = ~on.any(0)
    always = on.all(0)
    return dead.mean(), always.mean(), 1.0 - on.mean()


def layer_health_by_extremes(z):
    lead = tuple(range(z.ndim - 1))
    return np.mean(z.max(lead) <= 0), np.mean(z.min(lead) > 0), np.mean(z <= 0)


def layer_health_counted(z):
    rows = [row for row in z.reshape(-1, z.shape[-1])]
    units = z.shape[-1]
    on = [sum(1 for row in rows if row[h] > 0) for h in range(units)]
    dead, always = on.count(0) / units, on.count(len(rows)) / units
    return dead, always, 1 - sum(on) / (units * len(rows))


# --- 2.8 how large will the numbers be? ---------------------------------------------------------------------


def predicted_rms(rms, widths, stds, slope):
    kept = (1 + slope * slope) / 2  # share of the mean square that a leaky ReLU lets through
    square, sizes = rms * rms, []
    for layer, (fan_in, std) in enumerate(zip(widths, stds, strict=True)):
        square *= fan_in * std * std * (kept if layer else 1.0)
        sizes.append(math.sqrt(square))
    return np.array(sizes)


def predicted_rms_all_at_once(rms, widths, stds, slope):
    growth = np.sqrt(np.array(widths, float)) * np.array(stds)
    growth[1:] *= math.sqrt((1 + slope * slope) / 2)
    return rms * np.cumprod(growth)


def predicted_rms_in_logarithms(rms, widths, stds, slope):
    size, sizes = math.log(rms), []
    for fan_in, std in zip(widths, stds, strict=True):
        size += 0.5 * math.log(fan_in) + math.log(std)
        sizes.append(size)
        size += 0.5 * math.log((1 + slope**2) / 2)
    return np.exp(np.array(sizes))


# --- 2.9 spot the bug ---------------------------------------------------------------------------------------


def mended(x, limit):
    small = np.exp(-np.abs(x))  # never overflows
    sigmoid = np.where(x >= 0, 1.0, small) / (1.0 + small)
    return {
        "sigmoid": sigmoid,
        "tanh": np.sign(x) * (1.0 - small * small) / (1.0 + small * small),
        "relu_slope": (x > 0).astype(x.dtype),
        "stuck": sigmoid * (1.0 - sigmoid) < limit,
    }


def mended_by_tanh(x, limit):
    half = np.tanh(0.5 * x)
    return {
        "sigmoid": 0.5 + 0.5 * half,
        "tanh": np.tanh(x),
        "relu_slope": np.heaviside(x, 0.0).astype(x.dtype),
        "stuck": 0.25 * (1.0 - half * half) < limit,
    }


def mended_piece_by_piece(x, limit):
    out = {name: np.zeros_like(x) for name in ("sigmoid", "tanh", "relu_slope")}
    out["stuck"] = np.zeros(x.shape, bool)
    for i, v in enumerate(x.tolist()):
        y = 1 / (1 + math.exp(-v)) if v > 0 else math.exp(v) / (1 + math.exp(v))
        out["sigmoid"][i] = y
        out["tanh"][i] = math.tanh(v)
        out["relu_slope"][i] = 1 if v > 0 else 0
        out["stuck"][i] = y * (1 - y) < limit
    return out
