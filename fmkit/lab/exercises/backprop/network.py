"""A whole two-layer network: leaky ReLU, softmax with cross-entropy, and weight decay."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, c, h, v):
        params = {"w1": rng.normal(size=(c, h)), "b1": rng.normal(size=h), "w2": rng.normal(size=(h, v))}
        params["b2"] = rng.normal(size=v)
        slope, decay = float(rng.uniform(0.05, 0.3)), float(rng.uniform(0.1, 0.5))
        return params, rng.normal(size=(n, c)), rng.integers(0, v, n), slope, decay

    huge = case(4, 3, 5, 2)
    huge[0]["b2"][0] = 1000.0
    zeros = {"w1": np.zeros((3, 2)), "b1": np.zeros(2), "w2": np.zeros((2, 4)), "b2": np.zeros(4)}
    example = zeros, rng.normal(size=(1, 3)), np.array([0]), 0.1, 0.3
    spread = case(3, 2, 4, 5)
    spread[0]["w2"][:, 0] *= 2000.0  # far apart inside each row
    kink = case(6, 3, 5, 4)
    kink[1][0], kink[0]["b1"][0] = 0.0, 0.0  # z[0, 0] is exactly zero
    return [example, kink, case(1, 4, 2, 3), huge, spread, as_float32(case(5, 4, 6, 3))]


def network_gradients(params, x, labels, slope, decay):
    w1, b1, w2, b2 = (params[name] for name in ("w1", "b1", "w2", "b2"))
    z = x @ w1 + b1
    h = np.where(z > 0, z, slope * z)
    logits = h @ w2 + b2
    e = np.exp(logits - logits.max(1, keepdims=True))
    dlogits = e / e.sum(1, keepdims=True)
    dlogits[np.arange(len(labels)), labels] -= 1
    dlogits /= len(labels)  # p - y, averaged
    dh = dlogits @ w2.T
    dz = np.where(z > 0, dh, slope * dh)
    return {
        "w1": x.T @ dz + decay * w1,  # two ways to the loss: add
        "b1": dz.sum(0),
        "w2": h.T @ dlogits + decay * w2,
        "b2": dlogits.sum(0),
    }


def loop(params, x, labels, slope, decay):
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


def bias_as_weight(params, x, labels, slope, decay):
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


EXERCISE = Exercise(
    title="A whole two-layer network",
    points=5,
    minutes=25,
    difficulty=4,
    cases=cases,
    reference=network_gradients,
    teaches=("layers.linear_backward", "losses.cross_entropy_backward", "activations.relu_backward"),
    alternatives=(loop, bias_as_weight),
    mistakes=(
        mistake(
            "forgot the 1/N of the mean",
            "dlogits /= len(labels) ->",
            "The cross-entropy is a mean over the rows; where does the 1/N go on the way back?",
        ),
        mistake(
            "the activation's slope left out",
            "dz = dh",
            "Between h and z stands the leaky ReLU: dz is not dh.",
        ),
        mistake(
            "plain ReLU on the way back",
            "dz = np.where(z > 0, dh, 0 * dh)",
            "Forward leaks below zero, so backward leaks there as well.",
        ),
        mistake(
            "gated by the gradient's sign, not by z",
            "dz = np.where(dh > 0, dh, slope * dh)",
            "The gate was set by z on the way forward; the gradient has no say in it.",
        ),
        mistake(
            ">= at zero",
            "dz = np.where(z >= 0, dh, slope * dh)",
            "At exactly z = 0 the exercise wants the leak's slope. Which of > and >= says so?",
        ),
        mistake(
            "multiplied by h, not by the slope",
            "dz = dh * h",
            "On the way back a function multiplies by its slope (here 1 or slope), not by its value.",
        ),
        mistake(
            "exp without taking the maximum off",
            "e = np.exp(logits)",
            "exp(1000) is inf: take each row's maximum off first.",
        ),
        mistake(
            "float64 out of float32",
            "dlogits[np.arange(len(labels)), labels] -= 1 -> dlogits = dlogits - np.eye(len(b2))[labels]",
            "np.eye and np.zeros make float64, and it spreads: give them x.dtype.",
        ),
        mistake(
            "a float64 gate",
            "dz = dh * np.where(z > 0, 1.0, slope)",
            "np.where of plain numbers makes float64: put dh inside it, or end with .astype(x.dtype).",
        ),
        mistake(
            "dw2 from z instead of h",
            "h.T @ dlogits -> z.T @ dlogits",
            "w2 was multiplied by something on the way forward: by what exactly?",
        ),
        mistake(
            "averaged the bias gradients once more",
            ("dz.sum(0) -> dz.mean(0)", "dlogits.sum(0) -> dlogits.mean(0)"),
            "The 1/N is in p - y already; a bias adds up what reaches it.",
        ),
        mistake(
            "bias gradients with a spare axis",
            ("dz.sum(0) -> dz.sum(0, keepdims=True)", "dlogits.sum(0) -> dlogits.sum(0, keepdims=True)"),
            "b1 has shape (H,): an axis of size 1 kept in its gradient would broadcast silently.",
        ),
        mistake(
            "forgot the decay",
            ("x.T @ dz + decay * w1 -> x.T @ dz", "h.T @ dlogits + decay * w2 -> h.T @ dlogits"),
            "The loss has a second term, and w1 and w2 reach it directly.",
        ),
        mistake(
            "subtracted the decay",
            ("+ decay * w1 -> - decay * w1", "+ decay * w2 -> - decay * w2"),
            "A larger weight makes the second term larger: mind the sign of its slope.",
        ),
        mistake(
            "divided the decay by N",
            ("decay * w1 -> decay * w1 / len(labels)", "decay * w2 -> decay * w2 / len(labels)"),
            "Look at the loss: the mean runs over its first term only.",
        ),
        mistake(
            "decayed the biases too",
            ("dz.sum(0) -> dz.sum(0) + decay * b1", "dlogits.sum(0) -> dlogits.sum(0) + decay * b2"),
            "The decay term holds w1 and w2 only.",
        ),
        mistake(
            "the decay's half not cancelled",
            ("decay * w1 -> decay / 2 * w1", "decay * w2 -> decay / 2 * w2"),
            "The slope of decay / 2 * w * w: the half meets a 2.",
        ),
        mistake(
            "decayed twice as much",
            ("decay * w1 -> 2 * decay * w1", "decay * w2 -> 2 * decay * w2"),
            "The slope of decay / 2 * w * w: the 2 meets a half.",
        ),
        mistake(
            "decay for w1 only",
            "h.T @ dlogits + decay * w2 -> h.T @ dlogits",
            "Both weights stand in the decay term.",
        ),
        mistake(
            "decay for w2 only",
            "x.T @ dz + decay * w1 -> x.T @ dz",
            "Both weights stand in the decay term.",
        ),
        mistake(
            "softmax over the batch",
            (
                "logits.max(1, keepdims=True) -> logits.max(0, keepdims=True)",
                "e.sum(1, keepdims=True) -> e.sum(0, keepdims=True)",
            ),
            "The probabilities of each row add up to 1: over which axis do you divide?",
        ),
        mistake(
            "dw1 from dh instead of dz",
            "x.T @ dz -> x.T @ dh",
            "Between h and the first layer stands the activation.",
        ),
        mistake(
            "the decay term's value, not its slope",
            (
                "x.T @ dz + decay * w1 -> x.T @ dz + decay / 2 * w1 * w1",
                "h.T @ dlogits + decay * w2 -> h.T @ dlogits + decay / 2 * w2 * w2",
            ),
            "On the way back a square multiplies by its slope.",
        ),
        mistake(
            "the right label forgotten",
            "dlogits[np.arange(len(labels)), labels] -= 1 ->",
            "That is p alone. What comes off at the right label?",
        ),
    ),
    equal=(
        ("h = np.where(z >= 0, z, slope * z)", "at 0 both pieces are 0"),
        ("e = np.exp(logits - logits.max(-1, keepdims=True))", "of two axes the last is axis 1"),
        ("dlogits = e / e.sum(-1, keepdims=True)", "of two axes the last is axis 1"),
        (
            "gate = np.where(z > 0, 1, slope)",
            "what is computed with it goes back into arrays of the dtype of x",
        ),
        ("z = row.T @ params['w1'] + params['b1']", "a vector is its own transpose"),
        ("logits = h.T @ params['w2'] + params['b2']", "a vector is its own transpose"),
        (
            "d = (e / e.sum() - (np.arange(len(e)) == label)) / len(x)",
            "NumPy takes the dtype of the array beside it",
        ),
        ("dz = params['w2'] @ d.T * gate", "a vector is its own transpose"),
    ),
    hints=(
        "Give every value a partner, from the end: dlogits; dw2, db2, dh; dz; dw1, db1.",
        "dlogits is (p - y) / N. The gate of the leaky ReLU looks at z.",
        "The decay term is a second way from w1 and w2 to the loss: its share is added at the very end.",
    ),
)
