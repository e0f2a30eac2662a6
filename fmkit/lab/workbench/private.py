"""Chapter 14's small trainings: digits by plain SGD, privately, by many clients, and under attack."""

from collections.abc import Callable, Sequence

import numpy as np

from fmkit import adversarial, federated, privacy
from fmkit.data import pictures
from fmkit.lab import exercises
from fmkit.lab.exercises.private import _canary
from fmkit.lab.judging.answer import run_answer
from fmkit.layers import linear
from fmkit.losses import cross_entropy, cross_entropy_backward
from fmkit.mobilenet import mobilenet_v2, mobilenet_v2_backward

HIDDEN, CLASSES = 64, 10
DELTA = 1e-4  # below 1 / 1,000
CLAIMED = _canary.CLAIMED  # epsilon of the steps in `leaks`


def digits() -> tuple[np.ndarray, np.ndarray]:
    """5,000 shuffled digits: float32 rows (5000, 784) from 0 to 1, and their labels."""
    images, labels = pictures.mnist()
    order = np.random.default_rng(0).permutation(len(images))
    return images[order].reshape(-1, 784).astype(np.float32) / 255, labels[order]


def start(seed: int = 1) -> dict:
    """A network 784-64-10 that has seen nothing."""
    rng = np.random.default_rng(seed)

    def layer(n, m):
        return {"w": rng.normal(0, n**-0.5, (n, m)).astype(np.float32), "b": np.zeros(m, np.float32)}

    return {"hidden": layer(784, HIDDEN), "out": layer(HIDDEN, CLASSES)}


def forward(params: dict, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the hidden layer holds (B, 64), and the probabilities (B, 10)."""
    h = np.maximum(linear(x, **params["hidden"])[0], 0)
    logits = linear(h, **params["out"])[0]
    probs = np.exp(logits - logits.max(1, keepdims=True))
    return h, probs / probs.sum(1, keepdims=True)


def backward(params: dict, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the hidden layer holds, and the gradients of each example's own loss at both layers' outputs."""
    h, dlogits = forward(params, x)
    dlogits[np.arange(len(y)), y] -= 1
    return h, (dlogits @ params["out"]["w"].T) * (h > 0), dlogits


def loss_slope(params: dict, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """From pictures (B, 784) to the gradient of their losses."""
    return lambda x: backward(params, x, y)[1] @ params["hidden"]["w"].T


def right(params: dict, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Where the network is right, as booleans."""
    return forward(params, x)[1].argmax(1) == y


def _moved(params, x, h, dhidden, dlogits, change):
    grads = {"hidden": (x, dhidden), "out": (h, dlogits)}
    return {
        name: {
            "w": params[name]["w"] - change(below.T @ above),
            "b": params[name]["b"] - change(above.sum(0)),
        }
        for name, (below, above) in grads.items()
    }


def train(
    x: np.ndarray,
    y: np.ndarray,
    steps: int = 1500,
    seed: int = 0,
    lr: float = 0.5,
    params: dict | None = None,
    eps: float = 0.0,
) -> dict:
    """Plain SGD on batches of 64; with ``eps`` on pictures that were attacked just before the step."""
    rng, params = np.random.default_rng(seed), params or start()
    for _ in range(steps):
        rows = rng.integers(0, len(x), 64)
        batch, labels = x[rows], y[rows]
        if eps:
            batch = adversarial.pgd(batch, loss_slope(params, labels), eps, eps / 2, 3, rng)
        h, dhidden, dlogits = backward(params, batch, labels)
        params = _moved(params, batch, h, dhidden, dlogits, lambda g: np.float32(lr / 64) * g)
    return params


def train_private(
    x: np.ndarray,
    y: np.ndarray,
    sigma: float,
    q: float = 0.1,
    steps: int = 400,
    seed: int = 0,
    clip: float = 1.0,
) -> dict:
    """DP-SGD: Poisson batches, norms without gradients, clipped, summed, noise, one step."""
    rng, params = np.random.default_rng(seed), start()
    for _ in range(steps):
        rows = privacy.poisson_batch(len(x), q, rng)
        h, dhidden, dlogits = backward(params, x[rows], y[rows])
        squared = privacy.squared_norms(x[rows], dhidden) + privacy.squared_norms(h, dlogits)
        factors = privacy.clip_factors(squared, clip)[:, None].astype(np.float32)

        def change(total):
            return np.float32(0.5) * privacy.add_noise(total, clip, sigma, q * len(x), rng)

        params = _moved(params, x[rows], h, factors * dhidden, factors * dlogits, change)
    return params


def shadows(x: np.ndarray, y: np.ndarray, pairs: int, steps: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Log odds of every example under models that learned from it and under others, (N, pairs) each.

    The two models of a pair learn from the two halves of another random split.
    """
    rng, n = np.random.default_rng(7), len(x)
    inside, outside = np.empty((n, pairs)), np.empty((n, pairs))
    for k in range(pairs):
        order = rng.permutation(n)
        for half, other in ((order[: n // 2], order[n // 2 :]), (order[n // 2 :], order[: n // 2])):
            odds = privacy.log_odds(forward(train(x[half], y[half], steps, k), x)[1], y)
            inside[half, k], outside[other, k] = odds[half], odds[other]
    return inside, outside


def federate(
    clients: Sequence[tuple[np.ndarray, np.ndarray]],
    rounds: int,
    sizes: Sequence[int | float],
    steps: int = 20,
) -> dict:
    """Each round every client trains a copy on its own digits, and the copies are averaged."""
    params = start()
    for turn in range(rounds):
        models = [train(x, y, steps, 100 * turn + k, 0.2, params) for k, (x, y) in enumerate(clients)]
        params = federated.average(models, sizes)
    return params


def stamp(x: np.ndarray) -> np.ndarray:
    """The same pictures with a white square of 3 x 3 in the lower right corner."""
    stamped = x.reshape(-1, 28, 28).copy()
    stamped[:, 25:, 25:] = 1.0
    return stamped.reshape(len(x), 784)


def certify(params: dict, x: np.ndarray, y: np.ndarray, sigma: float, votes: int = 1000) -> np.ndarray:
    """The certified radius of each picture (N,); -1 where the smoothed answer is wrong."""

    def predict(noisy):
        return forward(params, noisy)[1].argmax(1)

    radii = []
    for k, (picture, label) in enumerate(zip(x, y.tolist(), strict=True)):
        rng = np.random.default_rng(k)
        chosen = adversarial.smoothed_votes(predict, picture, sigma, 100, CLASSES, rng).argmax()
        found = adversarial.smoothed_votes(predict, picture, sigma, votes, CLASSES, rng)[chosen]
        radii.append(adversarial.certified_radius(int(found), votes, sigma) if chosen == label else -1.0)
    return np.array(radii)


def with_few(x: np.ndarray, y: np.ndarray, digit: int, keep: int) -> tuple[np.ndarray, np.ndarray]:
    """The examples without all but ``keep`` of one digit."""
    rows = np.setdiff1d(np.arange(len(y)), np.flatnonzero(y == digit)[keep:])
    return x[rows], y[rows]


def photograph_slope(params: dict, label: int) -> Callable[[np.ndarray], np.ndarray]:
    """From a photograph (H, W, 3) to the gradient of MobileNetV2's loss for a label, down to the pixels."""

    def slope(photograph):
        logits, cache = mobilenet_v2(params, photograph[None])
        _, loss_cache = cross_entropy(logits, np.array([label]))
        return mobilenet_v2_backward(cross_entropy_backward(np.float32(1.0), loss_cache), cache)[0]

    return slope


def leaks(seed: int = 0) -> list[tuple[str, bool, float]]:
    """The canary game of exercise 14.3 against every step that its file knows.

    Returns
    -------
    rows : list of (name, whether the step is wrong, the epsilon that is proven)
    """
    exercise = exercises.get("private.dp_step")
    inputs = _canary.games(np.random.default_rng(seed))
    steps = [("reference", False, exercise.reference)]
    steps += [(name, False, step) for name, step in exercise.right().items()]
    steps += [(m.name, True, exercise.wrong(m)) for m in exercise.mistakes]
    return [
        (name, is_wrong, _canary.proven(inputs, run_answer(step, inputs))) for name, is_wrong, step in steps
    ]
