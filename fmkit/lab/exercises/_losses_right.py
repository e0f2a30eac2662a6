"""Chapter 03's right answers: the reference of each exercise, then the same thing written differently."""

import math

import numpy as np

# --- 3.1 a bell curve of its own width for every prediction -------------------------------------------------


def gaussian_nll(mean, log_var, target):
    squares = (target - mean) ** 2 * np.exp(-log_var)
    return float(0.5 * (math.log(2 * math.pi) + log_var + squares).mean())


def gaussian_nll_loop(mean, log_var, target):
    total = 0.0
    for m, v, t in zip(mean.tolist(), np.exp(log_var).tolist(), target.tolist(), strict=True):
        total += 0.5 * math.log(2 * math.pi * v) + (t - m) ** 2 / (2 * v)
    return total / len(mean)


def gaussian_nll_standardised(mean, log_var, target):
    z = (target - mean) / np.exp(log_var / 2)
    return float((0.5 * z * z + log_var / 2).mean() + 0.5 * math.log(2 * math.pi))


# --- 3.2 binary cross-entropy from logits, positives weighted -----------------------------------------------


def weighted_bce(logits, targets, pos_weight):
    tail = np.log1p(np.exp(-np.abs(logits)))
    minus_log_p = np.maximum(-logits, 0) + tail  # -log sigmoid(x)
    minus_log_not_p = np.maximum(logits, 0) + tail  # -log (1 - sigmoid(x))
    return float((pos_weight * targets * minus_log_p + (1 - targets) * minus_log_not_p).mean())


def weighted_bce_logaddexp(logits, targets, pos_weight):
    yes, no = np.logaddexp(0, -logits), np.logaddexp(0, logits)
    return np.mean(pos_weight * targets * yes + (1 - targets) * no)


def weighted_bce_loop(logits, targets, pos_weight):
    total = 0.0
    for x, y in zip(logits.tolist(), targets.tolist(), strict=True):
        softplus = max(x, 0.0) + math.log1p(math.exp(-abs(x)))
        total += pos_weight * y * (softplus - x) + (1 - y) * softplus
    return total / len(logits)


# --- 3.3 two slopes at the logit ----------------------------------------------------------------------------


def logit_slopes(logits, targets):
    p = np.exp(np.minimum(logits, 0)) / (1 + np.exp(-np.abs(logits)))
    return 2 * (p - targets) * p * (1 - p), p - targets


def logit_slopes_plain_sigmoid(logits, targets):
    with np.errstate(over="ignore"):
        p = 1 / (1 + np.exp(-logits))
    error = p - targets
    return 2 * error * (p - p * p), error


def logit_slopes_by_tanh(logits, targets):
    t = np.tanh(logits / 2)
    error = (t + 1) / 2 - targets
    return error * (1 - t * t) / 2, error


# --- 3.4 the mean of several models' probabilities, in logs -------------------------------------------------


def log_mean_exp(logp):
    top = logp.max(0)
    safe = np.where(np.isfinite(top), top, 0)  # a column of nothing but -inf: shift by 0
    with np.errstate(divide="ignore"):
        return np.log(np.exp(logp - safe).mean(0)) + safe


def log_mean_exp_logaddexp(logp):
    return np.logaddexp.reduce(logp, axis=0) - math.log(len(logp))


def log_mean_exp_loop(logp):
    out = np.empty_like(logp[0])
    for i, column in enumerate(logp.T.tolist()):
        top = max(column)
        if top == -math.inf:
            out[i] = top
        else:
            out[i] = top + math.log(sum(math.exp(v - top) for v in column) / len(column))
    return out


# --- 3.5 class weights and ignored positions ----------------------------------------------------------------


def class_weighted_ce(logits, targets, class_weights, ignore):
    keep = targets != ignore
    z, y = logits[keep], targets[keep]
    z = z - z.max(1, keepdims=True)
    losses = np.log(np.exp(z).sum(1)) - z[np.arange(len(y)), y]
    w = class_weights[y]
    return float((w * losses).sum() / w.sum())


def class_weighted_ce_average(logits, targets, class_weights, ignore):
    keep = targets != ignore
    safe = np.where(keep, targets, 0)
    z = logits - logits.max(-1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(-1, keepdims=True))
    losses = -np.take_along_axis(logp, safe[:, None], -1)[:, 0]
    return np.average(losses, weights=class_weights[safe] * keep)


def class_weighted_ce_loop(logits, targets, class_weights, ignore):
    total, weight = 0.0, 0.0
    for row, y in zip(logits.tolist(), targets.tolist(), strict=True):
        if y == ignore:
            continue
        top = max(row)
        lse = top + math.log(sum(math.exp(z - top) for z in row))
        total += float(class_weights[y]) * (lse - row[y])
        weight += float(class_weights[y])
    return total / weight


# --- 3.6 label smoothing over the wrong classes: the gradient -----------------------------------------------


def smoothed_gradient(logits, targets, smoothing):
    n, v = logits.shape
    e = np.exp(logits - logits.max(1, keepdims=True))
    d = e / e.sum(1, keepdims=True)  # p
    d -= smoothing / (v - 1)
    d[np.arange(n), targets] += smoothing / (v - 1) - (1 - smoothing)
    return d / n


def smoothed_gradient_where(logits, targets, smoothing):
    n, v = logits.shape
    e = np.exp(logits - logits.max(1, keepdims=True))
    right = np.arange(v) == targets[:, None]
    wanted = np.where(right, 1 - smoothing, smoothing / (v - 1)).astype(logits.dtype)
    return (e / e.sum(1, keepdims=True) - wanted) / n


def smoothed_gradient_loop(logits, targets, smoothing):
    n, v = logits.shape
    d = np.zeros_like(logits)
    for i in range(n):
        top = float(logits[i].max())
        total = sum(math.exp(float(z) - top) for z in logits[i])
        for c in range(v):
            wanted = 1 - smoothing if c == targets[i] else smoothing / (v - 1)
            d[i, c] = (math.exp(float(logits[i, c]) - top) / total - wanted) / n
    return d


# --- 3.7 expected calibration error -------------------------------------------------------------------------


def calibration_error(p, y, bins):
    place = np.minimum((p * bins).astype(int), bins - 1)
    gap = np.bincount(place, p - y, minlength=bins)  # in each bin: the sum of p less the sum of y
    return float(np.abs(gap).sum() / len(p))


def calibration_error_masks(p, y, bins):
    total = 0.0
    for b in range(bins):
        inside = (p >= b / bins) & ((p < (b + 1) / bins) | (b == bins - 1))
        if inside.any():
            total += inside.mean() * abs(p[inside].mean() - y[inside].mean())
    return float(total)


def calibration_error_loop(p, y, bins):
    sums = [[0.0, 0.0] for _ in range(bins)]
    for probability, label in zip(p.tolist(), y.tolist(), strict=True):
        cell = sums[min(int(probability * bins), bins - 1)]
        cell[0] += probability
        cell[1] += label
    return sum(abs(a - b) for a, b in sums) / len(p)


# --- 3.8 bits per character of a text cut into pieces -------------------------------------------------------


def text_bits(logp, pieces):
    return float(-logp.sum() / math.log(2) / sum(len(piece) for piece in pieces))


def text_bits_join(logp, pieces):
    return float(-np.sum(logp / np.log(2)) / len("".join(pieces)))


def text_bits_loop(logp, pieces):
    bits, characters = 0.0, 0
    for value, piece in zip(logp.tolist(), pieces, strict=True):
        bits -= math.log2(math.e) * value
        characters += len(piece)
    return bits / characters


# --- 3.9 spot the bug: the masked-LM loss -------------------------------------------------------------------


def masked_lm_loss(logits, ids, masked):
    if not masked.any():
        return 0.0
    z, y = logits[masked], ids[masked]  # (M, V), (M,)
    z = z - z.max(1, keepdims=True)
    return float((np.log(np.exp(z).sum(1)) - z[np.arange(len(y)), y]).mean())


def masked_lm_loss_with_weights(logits, ids, masked):
    z = logits - logits.max(-1, keepdims=True)
    losses = np.log(np.exp(z).sum(-1)) - np.take_along_axis(z, ids[..., None], -1)[..., 0]  # (B, T)
    return float((losses * masked).sum() / max(int(masked.sum()), 1))


def masked_lm_loss_loop(logits, ids, masked):
    total, count = 0.0, 0
    for b, t in zip(*np.nonzero(masked), strict=True):
        row = logits[b, t].tolist()
        top = max(row)
        total += top + math.log(sum(math.exp(z - top) for z in row)) - row[ids[b, t]]
        count += 1
    return total / count if count else 0.0
