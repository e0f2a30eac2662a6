"""Spot the bug: a private step of a linear layer on a Poisson batch."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, i, o, q=0.4, clip=1.5, sigma=0.8, lr=0.3, scale=1.0):
        taken = rng.random(n) < q
        taken[0] = True
        return (
            rng.normal(size=(i, o)),
            rng.normal(size=(n, i)),
            scale * rng.normal(size=(n, o)),
            taken,
            q,
            clip,
            sigma,
            rng.normal(size=(i, o)),
            lr,
        )

    example = (
        np.zeros((1, 1)),
        np.array([[3.0], [1.0]]),
        np.array([[4.0], [5.0]]),
        np.array([True, False]),
        0.25,
        2.0,
        0.5,
        np.array([[1.0]]),
        0.1,
    )
    nobody = case(6, 3, 2)
    nobody[3][:] = False
    silent = case(7, 2, 3, q=0.8)
    silent[2][:3] = 0.0  # answers that are right already have no gradient
    return [
        example,
        nobody,
        silent,
        case(8, 3, 4, scale=5.0),
        case(9, 4, 2, clip=100.0),
        case(12, 2, 5, q=0.7, clip=0.4, scale=2.0),
        case(5, 1, 3, sigma=0.0, q=0.9),
        case(10, 5, 1, sigma=1.9, lr=1.0),
        as_float32(case(7, 3, 2)),
    ]


def private_step(w, x, delta, taken, q, clip, sigma, noise, lr):
    x, delta, n = x[taken], delta[taken], len(x)
    norms = np.sqrt((x * x).sum(1) * (delta * delta).sum(1))  # (B,): of each outer product
    factors = clip / np.maximum(norms, clip)
    total = x.T @ (factors[:, None] * delta)  # (I, O)
    return w - lr * (total + sigma * clip * noise) / (q * n)


def loop(w, x, delta, taken, q, clip, sigma, noise, lr):
    total = sigma * clip * noise
    for k in np.flatnonzero(taken):
        grad = np.outer(x[k], delta[k])
        length = float(np.sqrt((grad**2).sum()))
        total = total + grad * min(1.0, clip / length if length > 0 else 1.0)
    return w - total * (lr / (q * len(x)))


def weights(w, x, delta, taken, q, clip, sigma, noise, lr):
    lengths = np.linalg.norm(x, axis=1) * np.linalg.norm(delta, axis=1)
    shares = np.where(taken, np.minimum(1, clip / np.where(lengths > 0, lengths, clip)), 0).astype(x.dtype)
    mean = (np.einsum("n,ni,no->io", shares, x, delta) + clip * sigma * noise) / (q * taken.size)
    return w - lr * mean


RETURN = "return w - lr * (total + sigma * clip * noise) / (q * n)"

EXERCISE = Exercise(
    title="Spot the bug: is this step private?",
    points=3,
    minutes=20,
    difficulty=3,
    cases=cases,
    reference=private_step,
    alternatives=(loop, weights),
    equal=(
        ("norms = np.sqrt((x * x).sum(-1) * (delta * delta).sum(1))", "the last axis is axis 1"),
        ("norms = np.sqrt((x * x).sum(1) * (delta * delta).sum(-1))", "the last axis is axis 1"),
        (
            "total = total + grad * min(clip / length if length > 0 else 1.0, 1.0)",
            "the smaller of two, in either order",
        ),
        *(
            (f"total = total + grad * min(1.0, clip / length if length > 0 else {c})", "0 stays 0")
            for c in ("0.5", "0.0", "2.0", "-1.0")
        ),
    ),
    teaches=("privacy.squared_norms", "privacy.clip_factors", "privacy.add_noise"),
    mistakes=(
        mistake(
            "the mean gradient clipped",
            (
                "norms = np.linalg.norm(x.T @ delta / max(len(x), 1))",
                "factors = np.full(len(x), clip / max(norms, clip), x.dtype)",
            ),
            "Averaged first, one long gradient moves the result by much more than clip: shorten each one.",
        ),
        mistake(
            "the average gradient clipped, divided by q n",
            (
                "norms = np.linalg.norm(x.T @ delta / (q * n))",
                "factors = np.full(len(x), clip / max(norms, clip), x.dtype)",
            ),
            "The divisor is mended. But one long gradient still moves the average by more than clip / q n.",
        ),
        mistake(
            "the summed gradient clipped",
            (
                "norms = np.linalg.norm(x.T @ delta)",
                "factors = np.full(len(x), clip / max(norms, clip), x.dtype)",
            ),
            "One long gradient may turn the sum round: shorten each example's.",
        ),
        mistake(
            "divided by the batch that came",
            "return w - lr * (total + sigma * clip * noise) / max(len(x), 1)",
            "How many took part is a secret, too: on average there are q n.",
        ),
        mistake(
            "q times the batch that came",
            "return w - lr * (total + sigma * clip * noise) / max(q * len(x), 1e-9)",
            "n counts all examples: after x = x[taken], len(x) is the batch, which q has chosen already.",
        ),
        mistake(
            "q times the batch that came, an empty one too",
            "return w - lr * (total + sigma * clip * noise) / np.float64(q * len(x)).astype(w.dtype)",
            "n counts all examples: after x = x[taken], len(x) is the batch, which q has chosen already.",
        ),
        mistake(
            "divided by all examples",
            "return w - lr * (total + sigma * clip * noise) / n",
            "On average q n take part in a step.",
        ),
        mistake(
            "both slips: mean clipped, divided by the batch that came",
            (
                "norms = np.linalg.norm(x.T @ delta / max(len(x), 1))",
                "factors = np.full(len(x), clip / max(norms, clip), x.dtype)",
                "return w - lr * (total + sigma * clip * noise) / max(len(x), 1)",
            ),
            "There are two slips: what is clipped, and by what is divided.",
        ),
        mistake(
            "noise without clip",
            "return w - lr * (total + sigma * noise) / (q * n)",
            "sigma counts in units of clip.",
        ),
        mistake(
            "noise without clip, and divided by all examples",
            "return w - lr * (total + sigma * noise) / n",
            "sigma counts in units of clip; and on average q n take part in a step.",
        ),
        mistake(
            "noise after the division",
            "return w - lr * (total / (q * n) + sigma * clip * noise)",
            "The noise belongs to the sum and is divided with it.",
        ),
        mistake(
            "one draw for all weights",
            "return w - lr * (total + sigma * clip * noise[0, 0]) / (q * n)",
            "Two weights with the same noise give the gradient away: subtract them.",
        ),
        mistake(
            "no noise in a step that nobody takes part in",
            "return w - lr * (total + sigma * clip * noise * bool(len(x))) / (q * n)",
            "A step without noise says that nobody took part: also an empty batch has its noise.",
        ),
        mistake(
            "everybody takes part",
            "x, delta, n = x, delta, len(x)",
            "Only those with `taken` are in this batch; that the others are not is what q counts on.",
        ),
        mistake(
            "short gradients made longer",
            "factors = clip / np.maximum(norms, 1e-12)",
            "A gradient below clip stays as it is.",
        ),
        mistake(
            "the length of delta alone",
            "norms = np.sqrt((delta * delta).sum(1))",
            "The gradient of the weight is an outer product: its length is that of x times that of delta.",
        ),
        mistake(
            "a bias counted that is not there",
            "norms = np.sqrt(((x * x).sum(1) + 1) * (delta * delta).sum(1))",
            "The 1 of step 4's formula is the bias, and this layer has none.",
        ),
        mistake(
            "x and delta each clipped by itself",
            "factors = clip / np.maximum(np.linalg.norm(x, axis=1), clip) "
            "* (clip / np.maximum(np.linalg.norm(delta, axis=1), clip))",
            "Two parts of length clip have a product of clip squared: shorten the product as a whole.",
        ),
        mistake(
            "lengths added, not multiplied",
            "norms = np.sqrt((x * x).sum(1) + (delta * delta).sum(1))",
            "The length of an outer product is the product of both lengths.",
        ),
        mistake(
            "uphill",
            "return w + lr * (total + sigma * clip * noise) / (q * n)",
            "A step of learning goes against the gradient.",
        ),
    ),
    hints=(
        "What is the largest change that one example can make in `total`? It must be clip.",
        "The gradient of example k is outer(x[k], delta[k]): its length is the product of two lengths.",
        "What is divided by must not tell how many took part.",
    ),
)
