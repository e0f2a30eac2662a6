"""Losses without labels as plain loops, and in torch."""

import math
from functools import partial

import numpy as np

from fmkit import unlabelled
from fmkit.twins.case import Case
from fmkit.twins.cases.transformer import shake


def unit_vectors_loop(x):
    rows = [[v / math.sqrt(sum(u * u for u in row)) for v in row] for row in x.reshape(-1, x.shape[-1])]
    return np.array(rows).reshape(x.shape)


def cosine(u, v):
    return sum(p * q for p, q in zip(u, v, strict=True)) / math.sqrt(sum(u * u) * sum(v * v))


def contrastive_loop(a, b, log_scale, same=None):
    n_pairs, total = len(a), 0.0
    same = range(n_pairs) if same is None else same
    for asked, offered in ((a, b), (b, a)):
        for n in range(n_pairs):
            scores = [math.exp(min(log_scale, math.log(100))) * cosine(asked[n], v) for v in offered]
            denominator = sum(math.exp(s) for s in scores)
            right = [m for m in range(n_pairs) if same[m] == same[n]]
            total -= sum(scores[m] - math.log(denominator) for m in right) / len(right)
    return total / (2 * n_pairs)


def simclr_loop(a, b, temperature=0.5):
    views = [*a, *b]
    total = 0.0
    for n, view in enumerate(views):
        scores = {m: cosine(view, other) / temperature for m, other in enumerate(views) if m != n}
        partner = (n + len(a)) % len(views)
        total -= scores[partner] - math.log(sum(math.exp(s) for s in scores.values()))
    return total / len(views)


def masked_image_loss_loop(pred, target, hidden, normalize=False):
    total, n = 0.0, 0
    for i, j in np.ndindex(*hidden.shape):
        if not hidden[i, j]:
            continue
        mean = sum(target[i, j]) / len(target[i, j])
        var = sum((t - mean) ** 2 for t in target[i, j]) / len(target[i, j])
        for p, t in zip(pred[i, j], target[i, j], strict=True):
            total += (p - ((t - mean) / math.sqrt(var + 1e-6) if normalize else t)) ** 2
            n += 1
    return total / n


# -- the same in torch ---------------------------------------------------------------------------------------


def torch_unit_vectors(x):
    import torch

    return torch.nn.functional.normalize(x, dim=-1)


def torch_contrastive(a, b, log_scale, same=None):
    import torch

    logits = torch_unit_vectors(a) @ torch_unit_vectors(b).T * log_scale.exp().clamp(max=100.0)
    if same is None:
        right = torch.arange(len(a), device=a.device)
    else:
        alike = (same[:, None] == same).to(a.dtype)
        right = alike / alike.sum(1, keepdim=True)
    cross_entropy = torch.nn.functional.cross_entropy
    return (cross_entropy(logits, right) + cross_entropy(logits.T, right)) / 2


def torch_simclr(a, b, temperature=0.5):
    import torch

    z = torch_unit_vectors(torch.cat([a, b]))
    n = len(z)
    itself = torch.eye(n, dtype=torch.bool, device=z.device)
    logits = (z @ z.T / temperature).masked_fill(itself, -math.inf)
    return torch.nn.functional.cross_entropy(logits, torch.arange(n, device=z.device).roll(n // 2))


def torch_masked_image_loss(pred, target, hidden, normalize=False):
    if normalize:
        var, mean = target.var(-1, keepdim=True, correction=0), target.mean(-1, keepdim=True)
        target = (target - mean) / (var + 1e-6).sqrt()
    by_patch = ((pred - target) ** 2).mean(-1)
    return (by_patch * hidden).sum() / hidden.sum()


def discriminator_loss_loop(real, fake):
    def mean(z):
        return sum(math.log1p(math.exp(v)) for v in z) / len(z)

    return mean(-real) + mean(fake)


def generator_loss_loop(fake):
    return sum(math.log1p(math.exp(-v)) for v in fake) / len(fake)


def torch_discriminator_loss(real, fake):
    from torch.nn.functional import softplus

    return softplus(-real).mean() + softplus(fake).mean()


def torch_generator_loss(fake):
    from torch.nn.functional import softplus

    return softplus(-fake).mean()


def torch_autoencoder(params, x):
    from torch.nn.functional import gelu

    for p in (params["encoder"], params["decoder"]):
        x = gelu(x @ p["w1"] + p["b1"], approximate="tanh") @ p["w2"] + p["b2"]
    return x


def _autoencoder_inputs(rng):
    params = unlabelled.init_autoencoder(rng, n_pixels=6, n_hidden=5, n_codes=2, dtype=np.float64)
    return shake(rng, params), rng.standard_normal((4, 6))


# -- the cases -----------------------------------------------------------------------------------------------


def _normal(*shapes):
    return lambda rng: tuple(rng.standard_normal(shape) for shape in shapes)


def _pairs(rng, log_scale, same=None):
    a, b = rng.standard_normal((5, 3)), rng.standard_normal((5, 3))
    inputs = a, 4.0 * b, np.array(log_scale)  # of any length
    return inputs if same is None else (*inputs, np.array(same))


def _patches(rng):
    hidden = np.array([[1, 0, 1, 1], [0, 0, 1, 0], [0, 0, 0, 0]])  # as many in no two pictures, none in one
    return rng.standard_normal((3, 4, 5)), 2.0 + 3.0 * rng.standard_normal((3, 4, 5)), hidden


def _pair(name, inputs, torch, loop, constant=(), **options):
    forward, backward = getattr(unlabelled, name), getattr(unlabelled, name + "_backward")
    torch, loop = partial(torch, **options), partial(loop, **options)
    return Case(partial(forward, **options), backward, inputs, torch, loop, constant)


_clip = partial(_pair, "contrastive", torch=torch_contrastive, loop=contrastive_loop)
_simclr = partial(_pair, "simclr", _normal((5, 3), (5, 3)), torch_simclr, simclr_loop)
_masked = partial(
    _pair, "masked_image_loss", _patches, torch_masked_image_loss, masked_image_loss_loop, constant=(1,)
)

CASES = {
    "unit_vectors": _pair("unit_vectors", _normal((2, 5, 3)), torch_unit_vectors, unit_vectors_loop),
    "contrastive": _clip(partial(_pairs, log_scale=1.3)),
    "contrastive_clamped": _clip(partial(_pairs, log_scale=4.8)),
    "contrastive_same_captions": _clip(partial(_pairs, log_scale=0.7, same=[4, 7, 4, 0, 4])),
    "simclr": _simclr(),
    "simclr_cold": _simclr(temperature=0.1),
    "masked_image_loss": _masked(),
    "masked_image_loss_normalized": _masked(normalize=True),
    "autoencoder": Case(
        unlabelled.autoencoder, unlabelled.autoencoder_backward, _autoencoder_inputs, torch_autoencoder
    ),
    "discriminator_loss": _pair(
        "discriminator_loss", _normal(5, 3), torch_discriminator_loss, discriminator_loss_loop
    ),
    "generator_loss": _pair("generator_loss", _normal(5), torch_generator_loss, generator_loss_loop),
}
