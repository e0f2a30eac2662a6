"""One training step's gradients of a denoising autoencoder with one weight for both ways."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, p, h):
        w = rng.normal(size=(p, h)) / np.sqrt(p)
        x, noise = rng.random((n, p)), 0.5 * rng.normal(size=(n, p))
        return x, noise, w, 0.3 * rng.normal(size=h), 0.3 * rng.normal(size=p)

    one = np.ones((1, 1))
    sleeping = case(3, 4, 3)
    sleeping[3][0] = -50.0  # a code that is never on
    border = case(3, 4, 2)
    border[1][0], border[3][:] = -border[0][0], 0.0  # z is exactly 0 for a whole picture
    return [
        (one, 0 * one, one, np.zeros(1), np.zeros(1)),
        border,
        case(4, 5, 3),
        case(3, 2, 6),
        case(1, 4, 2),
        sleeping,
        case(5, 3, 3),
        as_float32(case(4, 6, 3)),
    ]


def denoising_step(x, noise, w, b, c):
    seen = x + noise
    z = seen @ w + b
    h = np.maximum(z, 0)
    miss = h @ w.T + c - x
    loss = float((miss * miss).mean())
    dout = 2 * miss / miss.size
    dz = (dout @ w) * (z > 0)
    dw = dout.T @ h + seen.T @ dz
    db, dc = dz.sum(0), dout.sum(0)
    return loss, dw, db, dc


def untied(x, noise, w, b, c):
    z = (x + noise) @ w + b
    on = (z > 0).astype(x.dtype)
    out = (z * on) @ w.T + c
    dout = (out - x) * (2 / x.size)
    dz = on * (dout @ w)
    unfolding, squeezing = (z * on).T @ dout, (x + noise).T @ dz
    return float(np.mean((out - x) ** 2)), squeezing + unfolding.T, np.sum(dz, 0), np.sum(dout, 0)


def loop(x, noise, w, b, c):
    loss, dw, db, dc = 0.0, np.zeros_like(w), np.zeros_like(b), np.zeros_like(c)
    for n in range(len(x)):
        seen = x[n] + noise[n]
        h = np.maximum(w.T @ seen + b, 0)
        out = w @ h + c
        dout = 2 * (out - x[n]) / x.size
        dz = np.where(h > 0, w.T @ dout, 0)
        loss += float(((out - x[n]) ** 2).sum()) / x.size
        dw += np.outer(dout, h) + np.outer(seen, dz)
        db += dz
        dc += dout
    return loss, dw, db, dc


EXERCISE = Exercise(
    title="Learning to clean",
    points=3,
    minutes=18,
    difficulty=4,
    tolerance=1e-4,  # a Python number comes out of float32 inputs
    cases=cases,
    reference=denoising_step,
    alternatives=(untied, loop),
    teaches=("unlabelled.autoencoder", "unlabelled.autoencoder_backward"),
    parts=True,
    equal=(
        ("on = z > 0", "a boolean counts as 0 and 1"),
        (
            "return (float(np.mean((x - out) ** 2)), squeezing + unfolding.T, np.sum(dz, 0), "
            "np.sum(dout, 0))",
            "a square has no sign",
        ),
    ),
    mistakes=(
        mistake(
            "compared with the noisy picture",
            "miss = h @ w.T + c - seen",
            "It is shown the noisy picture and asked for the clean one.",
        ),
        mistake(
            "shown the clean picture",
            "seen = x",
            "Where nothing is dirty, nothing can be learned about cleaning.",
        ),
        mistake(
            "the clean picture in the gradient of the first use",
            "dw = dout.T @ h + x.T @ dz",
            "The weight was multiplied by what was seen, noise and all.",
        ),
        mistake(
            "only the first use of w",
            "dw = seen.T @ dz",
            "w stands twice in the forward pass; count the terms of your dw.",
        ),
        mistake(
            "only the second use of w",
            "dw = dout.T @ h",
            "w stands twice in the forward pass; count the terms of your dw.",
        ),
        mistake(
            "the two uses averaged",
            "return loss, dw / 2, db, dc",
            "Shares of one thing are added, not averaged.",
        ),
        mistake(
            "the second use not turned round",
            "dw = h.T @ dout + seen.T @ dz",
            "In h @ w.T the weight is w.T, so its gradient has the shape of w.T: turn it round.",
        ),
        mistake(
            "the ReLU's slope left out",
            "dz = dout @ w",
            "A code that was cut off at 0 gets no gradient.",
        ),
        mistake(
            "the ReLU's value instead of its slope",
            "dz = (dout @ w) * h",
            "On the way back a function multiplies by its slope, 0 or 1 here.",
        ),
        mistake(
            "the mean over the pictures only",
            ("loss = float((miss * miss).sum(1).mean())", "dout = 2 * miss / len(miss)"),
            "The mean is over all pixels of all pictures.",
        ),
        mistake(
            "the mean in the loss, not in the gradients",
            "dout = 2 * miss",
            "The loss is a mean: what does that do to each pixel's share?",
        ),
        mistake(
            "the 2 of the square forgotten",
            "dout = miss / miss.size",
            "The slope of a square is twice the number.",
        ),
        mistake(
            "half the square for the loss",
            "loss = float((miss * miss).mean()) / 2",
            "The loss is the mean of the squares, without a half.",
        ),
        mistake(
            "the biases' gradients averaged",
            "db, dc = dz.mean(0), dout.mean(0)",
            "The mean is in dout already: shares of a bias are added.",
        ),
        mistake(
            "the gradient of b taken before the ReLU's slope",
            "db, dc = (dout @ w).sum(0), dout.sum(0)",
            "b stands inside the ReLU.",
        ),
        mistake(
            "all gradients with the wrong sign",
            "dout = -2 * miss / miss.size",
            "A gradient points to where the loss grows: out - x, in this order.",
        ),
        mistake(
            "the ReLU's slope without the bias",
            "dz = (dout @ w) * (seen @ w > 0)",
            "The ReLU was given seen @ w + b: where is that above 0?",
        ),
        mistake(
            "the gradient of b returned for c, too",
            "db, dc = dz.sum(0), dz.sum(0)",
            "b belongs to the codes, c to the pixels: their gradients have other sizes.",
        ),
    ),
    hints=(
        "Forward first: seen = x + noise, z = seen @ w + b, h = relu(z), out = h @ w.T + c; compared with x.",
        "dout = 2 (out - x) / x.size; it reaches c, w (for the first time) and h.",
        "Behind the ReLU's slope it reaches b and w (for the second time): the two shares of w are added.",
    ),
)
