"""Losses as plain loops, and in torch."""

import math
from functools import partial

import numpy as np

from fmkit import losses
from fmkit.twins.case import Case


def mse_loop(pred, target):
    total = 0.0
    for p, t in zip(pred.flat, target.flat, strict=True):
        total += (p - t) ** 2
    return total / pred.size


def binary_cross_entropy_loop(logits, targets):
    total = 0.0
    for x, y in zip(logits.flat, targets.flat, strict=True):
        p = 1.0 / (1.0 + math.exp(-x))
        total -= y * math.log(p) + (1.0 - y) * math.log(1.0 - p)
    return total / logits.size


def cross_entropy_loop(logits, targets, ignore_index=-100, label_smoothing=0.0):
    n_classes = logits.shape[-1]
    total, n = 0.0, 0
    for row, target in zip(logits.reshape(-1, n_classes), targets.flat, strict=True):
        if target == ignore_index:
            continue
        denominator = sum(math.exp(z) for z in row)
        for c in range(n_classes):
            wanted = label_smoothing / n_classes + (1.0 - label_smoothing) * (c == target)
            total -= wanted * math.log(math.exp(row[c]) / denominator)
        n += 1
    return total / n


def kl_divergence_loop(log_q, p):
    total = 0.0
    for lq, pi in zip(log_q.flat, p.flat, strict=True):
        if pi > 0:
            total += pi * (math.log(pi) - lq)
    return total / len(p)


def _torch_loss(name, **options):
    def loss(*tensors):
        import torch

        return getattr(torch.nn.functional, name)(*tensors, **options)

    return loss


def _torch_cross_entropy(logits, targets, **options):
    import torch

    rows = logits.reshape(-1, logits.shape[-1])  # torch wants the classes on axis 1, ours are last
    return torch.nn.functional.cross_entropy(rows, targets.reshape(-1), **options)


def _cross_entropy(inputs, **options):
    return Case(
        partial(losses.cross_entropy, **options),
        losses.cross_entropy_backward,
        inputs,
        partial(_torch_cross_entropy, **options),
        partial(cross_entropy_loop, **options),
    )


def _labels(rng, *shape, n_classes=7, ignored=()):
    targets = rng.integers(0, n_classes, shape)
    for index in ignored:
        targets[index] = -100
    return 3.0 * rng.standard_normal((*shape, n_classes)), targets


def _distributions(rng, n, v):
    p = rng.dirichlet(np.full(v, 0.5), n)
    p[0, 1] = 0.0  # 0 log 0 counts as 0
    q = rng.dirichlet(np.ones(v), n)
    return np.log(q), p


CASES = {
    "mse": Case(
        losses.mse,
        losses.mse_backward,
        lambda rng: (rng.standard_normal((3, 5)), rng.standard_normal((3, 5))),
        _torch_loss("mse_loss"),
        mse_loop,
        constant=(1,),
    ),
    "binary_cross_entropy": Case(
        losses.binary_cross_entropy,
        losses.binary_cross_entropy_backward,
        lambda rng: (4.0 * rng.standard_normal((3, 5)), rng.integers(0, 2, (3, 5)).astype(np.float64)),
        _torch_loss("binary_cross_entropy_with_logits"),
        binary_cross_entropy_loop,
        constant=(1,),
    ),
    "binary_cross_entropy_soft": Case(
        losses.binary_cross_entropy,
        losses.binary_cross_entropy_backward,
        lambda rng: (4.0 * rng.standard_normal(5), rng.random(5)),
        _torch_loss("binary_cross_entropy_with_logits"),
        binary_cross_entropy_loop,
        constant=(1,),
    ),
    "cross_entropy": _cross_entropy(lambda rng: _labels(rng, 5)),
    "cross_entropy_one_row": _cross_entropy(lambda rng: _labels(rng, 1)),
    "cross_entropy_sequences": _cross_entropy(lambda rng: _labels(rng, 2, 5)),
    "cross_entropy_ignored": _cross_entropy(lambda rng: _labels(rng, 2, 5, ignored=[(0, 3), (1, 0), (1, 4)])),
    "cross_entropy_ignore_class_0": _cross_entropy(lambda rng: _labels(rng, 9, n_classes=4), ignore_index=0),
    "cross_entropy_smoothed": _cross_entropy(lambda rng: _labels(rng, 5), label_smoothing=0.1),
    "cross_entropy_smoothed_ignored": _cross_entropy(
        lambda rng: _labels(rng, 2, 5, ignored=[(0, 0), (1, 2)]), label_smoothing=0.3
    ),
    "kl_divergence": Case(
        losses.kl_divergence,
        losses.kl_divergence_backward,
        lambda rng: _distributions(rng, 3, 5),
        _torch_loss("kl_div", reduction="batchmean"),
        kl_divergence_loop,
        constant=(1,),
    ),
}
