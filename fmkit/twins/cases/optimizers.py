"""Optimizers: 200 steps number by number in plain Python, and by torch.optim."""

import math
from functools import partial

import numpy as np

from fmkit import optimizers as ours
from fmkit.twins.case import Case

STEPS, N, C, K = 200, 5, 4, 3


def inputs(rng):
    """A noisy least-squares fit: w (C, K), and for each step a batch x (STEPS, N, C), y (STEPS, N, K)."""
    return rng.normal(size=(C, K)), rng.normal(size=(STEPS, N, C)), rng.normal(size=(STEPS, N, K))


def ours_run(step, settings, w, x, y):
    """w after 200 steps of ours."""
    state = None
    for t in range(STEPS):
        dw = x[t].T @ (x[t] @ w - y[t]) / N
        w, state = step(w, dw, state, **settings)
    return w, None


def loop_run(step, w, x, y):
    """The same, one weight after the other; ``step(w, g, memory, t)`` sees plain floats."""
    w, memory = w.tolist(), [[{} for _ in range(K)] for _ in range(C)]
    for t in range(STEPS):
        rows = range(N)
        miss = [[sum(x[t, n, c] * w[c][k] for c in range(C)) - y[t, n, k] for k in range(K)] for n in rows]
        for c in range(C):
            for k in range(K):
                slope = sum(x[t, n, c] * miss[n][k] for n in rows) / N
                w[c][k] = step(w[c][k], float(slope), memory[c][k], t + 1)
    return np.array(w)


def torch_run(optimizer, settings, w, x, y):
    import torch

    w = torch.nn.Parameter(w.clone())
    optimizer = getattr(torch.optim, optimizer)([w], **settings)
    for t in range(STEPS):
        w.grad = x[t].T @ (x[t] @ w.detach() - y[t]) / N
        optimizer.step()
    return w


def sgd(w, g, memory, t):
    return w - 0.05 * g


def momentum(w, g, memory, t):
    memory["v"] = 0.9 * memory.get("v", 0.0) + g
    return w - 0.02 * memory["v"]


def nesterov(w, g, memory, t):
    memory["v"] = 0.9 * memory.get("v", 0.0) + g
    return w - 0.02 * (g + 0.9 * memory["v"])


def adagrad(w, g, memory, t):
    memory["s"] = memory.get("s", 0.0) + g * g
    return w - 0.01 * g / (math.sqrt(memory["s"]) + 1e-10)


def rmsprop(w, g, memory, t):
    memory["v"] = 0.99 * memory.get("v", 0.0) + 0.01 * g * g
    return w - 0.01 * g / (math.sqrt(memory["v"]) + 1e-8)


def adam(w, g, memory, t, lr=1e-3):
    memory["m"] = 0.9 * memory.get("m", 0.0) + 0.1 * g
    memory["v"] = 0.999 * memory.get("v", 0.0) + 0.001 * g * g
    m, v = memory["m"] / (1 - 0.9**t), memory["v"] / (1 - 0.999**t)
    return w - lr * m / (math.sqrt(v) + 1e-8)


def adamw(w, g, memory, t):
    return adam(w * (1 - 0.01 * 0.1), g, memory, t, lr=0.01)


def _case(step, settings, loop, optimizer, torch_settings):
    return Case(
        forward=partial(ours_run, step, settings),
        backward=None,
        inputs=inputs,
        torch=partial(torch_run, optimizer, torch_settings),
        loop=partial(loop_run, loop),
    )


HEAVY = {"lr": 0.02, "momentum": 0.9}
DECAY = {"lr": 0.01, "weight_decay": 0.1}
CASES = {
    "sgd": _case(ours.sgd, {"lr": 0.05}, sgd, "SGD", {"lr": 0.05}),
    "momentum": _case(ours.momentum, {"lr": 0.02}, momentum, "SGD", HEAVY),
    "nesterov": _case(ours.nesterov, {"lr": 0.02}, nesterov, "SGD", HEAVY | {"nesterov": True}),
    "adagrad": _case(ours.adagrad, {}, adagrad, "Adagrad", {}),
    "rmsprop": _case(ours.rmsprop, {}, rmsprop, "RMSprop", {}),
    "adam": _case(ours.adam, {}, adam, "Adam", {}),
    "adamw": _case(ours.adamw, DECAY, adamw, "AdamW", DECAY),
}
