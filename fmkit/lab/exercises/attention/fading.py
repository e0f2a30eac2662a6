"""A mean that fades into the past: nearer positions count more."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, t, c, low, high):
        return rng.normal(size=(b, t, c)), float(rng.uniform(low, high))

    long = case(1, 240, 2, 0.01, 0.02)  # decay ** -239 is no longer a number
    return [case(2, 5, 3, 0.6, 0.9), case(3, 1, 2, 0.3, 0.5), case(1, 7, 4, 0.1, 0.3), long] + [
        as_float32(case(3, 6, 5, 0.5, 0.8))
    ]


def fading_mean(x, decay):
    T = x.shape[1]
    age = np.arange(T)[:, None] - np.arange(T)  # how long ago s was, seen from t
    weights = np.where(age >= 0, decay ** np.maximum(age, 0), 0.0)
    weights /= weights.sum(1, keepdims=True)
    return weights.astype(x.dtype) @ x


def loop(x, decay):
    out = np.zeros_like(x)
    for t in range(x.shape[1]):
        weights = [decay ** (t - s) for s in range(t + 1)]
        for s, w in enumerate(weights):
            out[:, t] += (w / sum(weights)) * x[:, s]
    return out


def running(x, decay):
    total, weight, out = 0.0 * x[:, 0], 0.0, []
    for t in range(x.shape[1]):
        total = decay * total + x[:, t]
        weight = decay * weight + 1.0
        out.append(total / weight)
    return np.stack(out, 1)


EXERCISE = Exercise(
    title="A mean that fades into the past",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=fading_mean,
    alternatives=(loop, running),
    mistakes=(
        mistake(
            "looks into the future as well",
            "weights = decay ** np.abs(age)",
            "Position t may use the positions up to t. What stands right of the diagonal?",
        ),
        mistake(
            "looks at the future instead of the past",
            "age = np.arange(T) - np.arange(T)[:, None]",
            "Row t of the weights belongs to the position that looks; its columns are what it looks at.",
        ),
        mistake(
            "leaves the position itself out",
            (
                "age >= 0 -> age > 0",
                "weights /= np.maximum(weights.sum(1, keepdims=True), 1e-30)",  # row 0: zeros
            ),
            "The position itself is 0 steps old: decay to the power 0 is 1.",
        ),
        mistake(
            "the weights are not divided by their sum",
            "weights /= weights.sum(1, keepdims=True) ->",
            "A mean of equal numbers is that number. Is yours?",
        ),
        mistake(
            "divided by how many there are, not by the sum of the weights",
            "weights /= np.arange(1, T + 1)[:, None]",
            "The weights of a row must add up to 1, and they are not all 1 before you divide.",
        ),
        mistake(
            "divided by the sum of the whole matrix",
            "weights /= weights.sum()",
            "weights.sum() adds up the whole matrix, and each row has a sum of its own.",
        ),
        mistake(
            "chapter 5's moving mean, uncorrected",
            "weights *= 1 - decay",
            "1 - decay would be right for a past without end: what do the weights of row 0 add up to?",
        ),
        mistake(
            "a moving mean that starts at the first value",
            "weights /= weights.sum(1, keepdims=True) -> weights[:, 1:] *= 1 - decay",
            "Its rows add up to 1, but the very first position counts too much: its weight is decay ** "
            "t like any other's, before the division.",
        ),
        mistake(
            "softmax of the weights",
            "weights = np.where(age >= 0, np.exp(decay ** np.maximum(age, 0)), 0.0)",
            "The powers of decay are positive already: divide them by their sum, without another exp.",
        ),
        mistake(
            "the columns add up to 1, not the rows",
            "weights /= weights.sum(0, keepdims=True)",
            "Who takes the mean? One row of weights belongs to each position t.",
        ),
        mistake(
            "the oldest counts most",
            "weights = np.where(age >= 0, decay ** np.arange(T), 0.0)",
            "The exponent is the age t - s: the newest is 0 steps old.",
        ),
        mistake(
            "no fading: a plain mean of the past",
            "weights = (age >= 0).astype(float)",
            "A position that is further away counts less: decay to the power of its age.",
        ),
        mistake(
            "the mask by multiplication: infinity times 0",
            "weights = decay**age * (age >= 0)",
            "In the future the age is negative and decay ** age may be infinite; infinity times 0 is "
            "not a number.",
        ),
        mistake(
            "float64 out of float32",
            "return weights @ x",
            "np.where and np.arange of plain numbers make float64: .astype(x.dtype) at the end.",
        ),
    ),
    hints=(
        "Make a (T, T) matrix of ages: np.arange(T)[:, None] - np.arange(T). Where it is negative lies "
        "the future.",
        "The weights are decay ** age in the past and 0 in the future; then divide each row by its sum.",
        "With the weights as a (T, T) matrix, `weights @ x` takes all the means of all rows of the "
        "batch at once.",
    ),
)
