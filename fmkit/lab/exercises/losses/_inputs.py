"""What the exercises of this chapter share."""

import numpy as np

EPSILONS = ("1e-6", "1e-7", "1e-8", "1e-9", "1e-10", "1e-12", "1e-15", "1e-16")


def hopeless(rng, n: int, v: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits and targets: sure, and wrong, in every row. Its softmax rounds to 0 where it is asked."""
    logits, targets = rng.normal(size=(n, v)), np.resize(rng.permutation(v), n)
    logits[np.arange(n), targets] -= 1000.0
    logits[np.arange(n), (targets + 1) % v] += rng.uniform(100.0, 900.0, n)
    return logits, targets


def sure_and_right(rng, n: int, v: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits and targets: every second row is sure, and right; only its largest logit is a safe shift."""
    logits, targets = rng.normal(size=(n, v)), np.resize(rng.permutation(v), n)
    logits[::2] -= rng.uniform(500.0, 900.0)
    logits[np.arange(0, n, 2), targets[::2]] += 4000.0
    return logits, targets


def far_rows(rng, n: int, v: int) -> np.ndarray:
    """Logits that are alike within a row, while the rows are a thousand apart."""
    return rng.normal(size=(n, v)) + np.resize([1000.0, 0.0, -1000.0], n)[:, None]
