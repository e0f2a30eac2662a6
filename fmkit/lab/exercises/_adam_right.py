"""Chapter 05's right answers: the reference of each exercise, then the same thing written differently."""

import math

import numpy as np

# --- 5.1 momentum in the form of the articles --------------------------------------------------------------


def momentum_step(w, dw, delta, lr, beta):
    delta = beta * delta - lr * dw  # the step is remembered with its sign and its learning rate in it
    return w + delta, delta


def momentum_step_by_velocity(w, dw, delta, lr, beta):
    velocity = -delta  # torch's way round: a velocity that is taken off
    velocity = beta * velocity + lr * dw
    return w - velocity, -velocity


def momentum_step_loop(w, dw, delta, lr, beta):
    w_new, delta_new = w.copy(), delta.copy()
    for i in np.ndindex(w.shape):
        delta_new[i] = beta * delta[i] - lr * dw[i]
        w_new[i] = w[i] + delta_new[i]
    return w_new, delta_new


# --- 5.2 a corrected moving mean ---------------------------------------------------------------------------


def smoothed(values, beta):
    means = np.zeros_like(values)
    m = np.zeros_like(values[0])
    for i, value in enumerate(values):
        m = beta * m + (1 - beta) * value
        means[i] = m / (1 - beta ** (i + 1))  # what the zero at the start has kept back
    return means


def smoothed_two_sums(values, beta):
    means, total, weight = [], 0 * values[0], 0.0
    for value in values:
        total = beta * total + value  # no 1 - beta: it would cancel
        weight = beta * weight + 1.0
        means.append(total / weight)
    return np.array(means, values.dtype)


def smoothed_by_a_matrix(values, beta):
    t = np.arange(len(values))
    age = t[:, None] - t
    weights = np.where(age >= 0, float(beta) ** np.maximum(age, 0), 0.0)
    weights /= weights.sum(1, keepdims=True)
    return np.tensordot(weights, values, 1).astype(values.dtype)


# --- 5.3 AdaGrad on the rows of an embedding ---------------------------------------------------------------


def adagrad_rows(w, s, ids, drows, lr, eps):
    dw = np.zeros_like(w)
    np.add.at(dw, ids, drows)  # a row that is read twice gets both gradients, before any square is taken
    s = s + dw * dw
    return w - lr * dw / (np.sqrt(s) + eps), s


def adagrad_rows_one_hot(w, s, ids, drows, lr, eps):
    one_hot = np.eye(len(w), dtype=w.dtype)[ids]  # (N, V)
    dw = one_hot.T @ drows  # (V, C)
    s = s + dw**2
    return w - dw * (lr / (eps + s**0.5)), s


def adagrad_rows_loop(w, s, ids, drows, lr, eps):
    w, s = w.copy(), s.copy()
    for row in set(ids.tolist()):
        dw = drows[ids == row].sum(0)
        s[row] += dw * dw
        w[row] -= lr / (np.sqrt(s[row]) + eps) * dw
    return w, s


# --- 5.4 RMSProp with momentum -----------------------------------------------------------------------------


def rmsprop_momentum(w, dw, v, u, lr, rho, mu, eps):
    v = rho * v + (1 - rho) * dw * dw
    u = mu * u + dw / (np.sqrt(v) + eps)  # first to scale, then to remember
    return w - lr * u, v, u


def rmsprop_momentum_towards(w, dw, v, u, lr, rho, mu, eps):
    v = v + (1 - rho) * (np.square(dw) - v)  # the same mean, as a step towards the new value
    u = dw / (v**0.5 + eps) + u * mu
    return w - u * lr, v, u


def rmsprop_momentum_loop(w, dw, v, u, lr, rho, mu, eps):
    w, v, u = w.copy(), v.copy(), u.copy()
    for i in np.ndindex(w.shape):
        v[i] = rho * v[i] + (1 - rho) * dw[i] ** 2
        u[i] = mu * u[i] + dw[i] / (math.sqrt(v[i]) + eps)
        w[i] -= lr * u[i]
    return w, v, u


# --- 5.5 how much too far ----------------------------------------------------------------------------------


def overshoot(t, beta1, beta2):
    return (1 - beta1**t) / np.sqrt(1 - beta2**t)


def overshoot_simulated(t, beta1, beta2):
    m = v = 0.0
    ratios = []
    for _ in range(int(t.max())):  # a gradient of 1 at every step: both corrected means are 1
        m = beta1 * m + (1 - beta1)
        v = beta2 * v + (1 - beta2)
        ratios.append(m / math.sqrt(v))
    return np.array(ratios)[t - 1]


def overshoot_by_expm1(t, beta1, beta2):
    return -np.expm1(t * math.log(beta1)) * (-np.expm1(t * math.log(beta2))) ** -0.5


# --- 5.6 AdamW on a model ----------------------------------------------------------------------------------


def adamw_model(params, grads, m, v, t, lr, decay, beta1, beta2, eps):
    new_params, new_m, new_v = {}, {}, {}
    for name, w in params.items():
        new_m[name] = beta1 * m[name] + (1 - beta1) * grads[name]
        new_v[name] = beta2 * v[name] + (1 - beta2) * grads[name] * grads[name]
        step = (new_m[name] / (1 - beta1**t)) / (np.sqrt(new_v[name] / (1 - beta2**t)) + eps)
        shrink = lr * decay if w.ndim >= 2 else 0.0  # matrices only
        new_params[name] = w - shrink * w - lr * step
    return new_params, new_m, new_v


def adamw_model_in_comprehensions(params, grads, m, v, t, lr, decay, beta1, beta2, eps):
    m = {k: m[k] + (1 - beta1) * (grads[k] - m[k]) for k in params}
    v = {k: v[k] + (1 - beta2) * (grads[k] ** 2 - v[k]) for k in params}
    c1, c2 = 1 - beta1**t, math.sqrt(1 - beta2**t)
    steps = {k: c2 / c1 * m[k] / (np.sqrt(v[k]) + eps * c2) for k in params}
    decays = {k: decay * (params[k].ndim > 1) for k in params}
    return {k: params[k] * (1 - lr * decays[k]) - lr * steps[k] for k in params}, m, v


def adamw_model_array_by_array(params, grads, m, v, t, lr, decay, beta1, beta2, eps):
    params, m, v = dict(params), dict(m), dict(v)
    for name in list(params):
        if len(params[name].shape) >= 2:  # first shrink, then Adam's own step
            params[name] = (1 - lr * decay) * params[name]
        m[name] = grads[name] * (1 - beta1) + m[name] * beta1
        v[name] = grads[name] ** 2 * (1 - beta2) + v[name] * beta2
        scale = (v[name] / (1 - beta2**t)) ** 0.5 + eps
        params[name] = params[name] - lr / (1 - beta1**t) * m[name] / scale
    return params, m, v


# --- 5.7 a schedule ----------------------------------------------------------------------------------------


def rate_at(steps, peak, warmup, cooldown, total):
    s = steps + 1  # the first step is number 0, and should not be wasted
    rates = peak * np.minimum(s / warmup, np.sqrt(warmup / s))
    return rates * np.clip((total - steps) / cooldown, 0, 1)


def rate_at_loop(steps, peak, warmup, cooldown, total):
    rates = []
    for step in steps.tolist():
        rate = peak * (step + 1) / warmup if step + 1 < warmup else peak * math.sqrt(warmup / (step + 1))
        if step > total - cooldown:
            rate *= max(0, total - step) / cooldown
        rates.append(float(rate))
    return np.array(rates)


def rate_at_where(steps, peak, warmup, cooldown, total):
    rates = np.where(steps < warmup, (steps + 1) / warmup, (warmup / (steps + 1)) ** 0.5)
    left = np.maximum(total - steps, 0)
    return peak * rates * np.where(left < cooldown, left / cooldown, 1.0)


# --- 5.8 accumulate, then clip -----------------------------------------------------------------------------


def accumulate_and_clip(parts, sizes, max_norm):
    total = sum(sizes)
    grads = {}
    for name in parts[0]:
        grads[name] = sum(part[name] * (n / total) for part, n in zip(parts, sizes, strict=True))
    norm = math.sqrt(sum(float((g * g).sum()) for g in grads.values()))
    scale = max_norm / norm if norm > max_norm else 1.0
    return {name: g * scale for name, g in grads.items()}, norm


def accumulate_and_clip_one_vector(parts, sizes, max_norm):
    weights = np.array(sizes) / np.sum(sizes)
    rows = np.array([np.concatenate([g.ravel() for g in part.values()]) for part in parts])
    whole = weights @ rows.astype(np.float64)
    norm = float(np.linalg.norm(whole))
    whole = whole / max(1.0, norm / max_norm)
    grads, at = {}, 0
    for name, g in parts[0].items():
        grads[name] = whole[at : at + g.size].reshape(g.shape).astype(g.dtype)
        at += g.size
    return grads, norm


def accumulate_and_clip_step_by_step(parts, sizes, max_norm):
    grads = {name: np.zeros_like(g) for name, g in parts[0].items()}
    for part, n in zip(parts, sizes, strict=True):
        for name in grads:
            grads[name] = grads[name] + n * part[name]
    grads = {name: g / sum(sizes) for name, g in grads.items()}
    norm = math.hypot(*(float(np.linalg.norm(g)) for g in grads.values()))
    if norm > max_norm:
        grads = {name: g / norm * max_norm for name, g in grads.items()}
    return grads, norm


# --- 5.9 orthogonal by matrix products --------------------------------------------------------------------


def newton_schulz(g, steps):
    x = g / np.linalg.norm(g)  # Frobenius: no singular value is above 1 now
    for _ in range(steps):
        x = 1.5 * x - 0.5 * x @ x.T @ x
    return x


def newton_schulz_by_svd(g, steps):
    u, s, vt = np.linalg.svd(g / np.sqrt((g * g).sum()), full_matrices=False)
    for _ in range(steps):
        s = 1.5 * s - 0.5 * s * s * s  # the iteration moves the singular values only
    return (u * s) @ vt


def newton_schulz_other_side(g, steps):
    x = g / math.sqrt(float(np.vdot(g, g)))
    eye = np.eye(g.shape[1], dtype=g.dtype)
    for _ in range(steps):
        x = x @ (1.5 * eye - 0.5 * x.T @ x)
    return x


# --- 5.10 the articles' Adam, mended ------------------------------------------------------------------------


def mended_adam(w, grads, lrs, beta1, beta2, eps):
    m, v, path = np.zeros_like(w), np.zeros_like(w), []
    for i, (dw, lr) in enumerate(zip(grads, lrs, strict=True)):
        m = beta1 * m + (1 - beta1) * dw
        v = beta2 * v + (1 - beta2) * dw * dw
        m_hat = m / (1 - beta1 ** (i + 1))
        v_hat = v / (1 - beta2 ** (i + 1))
        w = w - float(lr) * m_hat / (np.sqrt(v_hat) + eps)
        path.append(w)
    return np.stack(path)


def mended_adam_correction_in_the_rate(w, grads, lrs, beta1, beta2, eps):
    m, v, path = 0 * w, 0 * w, np.zeros_like(grads)
    for i in range(len(grads)):
        m = m + (1 - beta1) * (grads[i] - m)
        v = v + (1 - beta2) * (grads[i] ** 2 - v)
        root = math.sqrt(1 - beta2 ** (i + 1))
        rate = float(lrs[i]) * root / (1 - beta1 ** (i + 1))
        w = w - rate * m / (np.sqrt(v) + eps * root)
        path[i] = w
    return path


def mended_adam_by_weighted_means(w, grads, lrs, beta1, beta2, eps):
    steps = []
    for t in range(1, len(grads) + 1):
        age = np.arange(t)[::-1]
        means = []
        for beta, values in ((beta1, grads[:t]), (beta2, grads[:t] ** 2)):
            weights = float(beta) ** age
            means.append(np.tensordot(weights / weights.sum(), values, 1))
        steps.append(float(lrs[t - 1]) * means[0] / (means[1] ** 0.5 + eps))
    return (w - np.cumsum(steps, 0)).astype(w.dtype)
