"""Chapter 02's real network: a small reader of digits, watched from inside while it learns.

Chapters 03 to 05 explain how a network learns; chapter 02 only measures what its activations do.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fmkit import activations
from fmkit.data import datasets
from fmkit.layers import linear, linear_backward
from fmkit.losses import cross_entropy, cross_entropy_backward

HELD_OUT = 450  # digits that the network never learns from
BATCH = 64
LONGEST = 1000.0  # a longer gradient is scaled down to this: a run that diverges ends in numbers, not NaN


@dataclass(frozen=True)
class Snapshot:
    """The network at one moment of its training.

    Attributes
    ----------
    step : int
        Number of steps so far.
    z : list of arrays (N, H)
        For each hidden layer what goes into its activation, over all N training images.
    read : float
        Accuracy on the held-out digits.
    """

    step: int
    z: list[np.ndarray]
    read: float


def watch(
    activation: str,
    std: Callable[[int, int], float],
    *,
    rate: float = 0.2,
    depth: int = 3,
    width: int = 64,
    centre: bool = False,
    steps: Sequence[int] = (0, 1, 3, 10, 30, 100, 300),
    seed: int = 0,
) -> list[Snapshot]:
    """Train a network on the packaged digits by plain gradient descent and look inside at some steps.

    Parameters
    ----------
    activation : str
        A pair of `fmkit.activations`, such as ``"relu"``.
    std : callable
        ``std(fan_in, fan_out)`` gives the standard deviation of a weight matrix at the start; biases are 0.
    rate : float
        Learning rate.
    depth, width : int
        Number of hidden layers, and units in each.
    centre : bool
        Whether each pixel's mean is subtracted first.
    steps : increasing whole numbers
        When to look; training ends at the last.
    seed : int
        Of the split, the weights and the order of the images.
    """
    rng = np.random.default_rng(seed)
    x, labels, train, held_out = _data(rng, centre)
    sizes = [x.shape[1], *[width] * depth, 10]
    pairs = list(zip(sizes[:-1], sizes[1:], strict=True))
    weights = [(std(c, k) * rng.normal(size=(c, k))).astype(np.float32) for c, k in pairs]
    biases = [np.zeros(k, np.float32) for _, k in pairs]
    pair = getattr(activations, activation), getattr(activations, activation + "_backward")
    seen = []
    for step in range(steps[-1] + 1):
        if step in steps:
            z, _ = _forward(x[train], weights, biases, pair)
            scores, _ = _forward(x[held_out], weights, biases, pair)
            seen.append(Snapshot(step, z[:-1], float(np.mean(scores[-1].argmax(1) == labels[held_out]))))
        rows = rng.choice(train, BATCH, replace=False)
        _learn(x[rows], labels[rows], weights, biases, pair, rate)
    return seen


def _data(rng, centre):
    x, labels = datasets.digits()
    x = (x - x.mean(0) if centre else x).astype(np.float32)
    order = rng.permutation(len(x))
    return x, labels, order[HELD_OUT:], order[:HELD_OUT]


def _forward(h, weights, biases, pair):
    """What goes into each activation (the scores last), and the caches."""
    entered, caches = [], []
    for w, b in zip(weights, biases, strict=True):
        z, cache1 = linear(h, w, b)
        h, cache2 = pair[0](z)
        entered.append(z)
        caches.append((cache1, cache2))
    return entered, caches


def _learn(x, labels, weights, biases, pair, rate):
    """One step of gradient descent, in place."""
    entered, caches = _forward(x, weights, biases, pair)
    _, cache = cross_entropy(entered[-1], labels)
    dz = cross_entropy_backward(np.float32(1.0), cache)
    grads = []
    for layer, (cache1, cache2) in reversed(list(enumerate(caches))):
        if layer < len(caches) - 1:  # the scores pass no activation
            dz = pair[1](dz, cache2)
        dz, dw, db = linear_backward(dz, cache1)
        grads.append((dw, db))
    length = np.sqrt(sum(float((g * g).sum()) for both in grads for g in both))
    factor = np.float32(rate * min(1.0, LONGEST / max(length, 1e-30)))
    for w, b, (dw, db) in zip(weights, biases, reversed(grads), strict=True):
        w -= factor * dw
        b -= factor * db
