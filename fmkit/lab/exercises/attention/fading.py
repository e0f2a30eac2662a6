"""A mean that fades into the past: nearer positions count more."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, t, c, low, high, mean=0.0):
        return mean + rng.normal(size=(b, t, c)), float(rng.uniform(low, high))

    example = np.array([[[0.0], [3.0]]]), 0.5
    steep = case(1, 400, 1, 0.005, 0.015)  # decay ** -200 is no longer a number
    slow = case(1, 240, 2, 0.94, 0.96, mean=1.0)  # what lies 100 positions back still counts
    return [
        example,
        case(1, 4, 1, 0.6, 0.9),
        case(2, 2, 3, 0.3, 0.7),
        case(2, 5, 3, 0.6, 0.9),
        case(3, 1, 2, 0.3, 0.5),
        case(1, 7, 4, 0.1, 0.3),
        as_float32(case(3, 6, 5, 0.6, 0.8)),
        slow,
        steep,
    ]


def fading_mean(x, decay):
    T = x.shape[1]
    age = np.arange(T)[:, None] - np.arange(T)  # how long ago s was, seen from t
    weights = np.where(age >= 0, decay ** np.maximum(age, 0), 0.0)
    weights /= weights.sum(1, keepdims=True)
    return weights.astype(x.dtype) @ x


def loop(x, decay):
    out = np.empty_like(x)
    for b, t in np.ndindex(x.shape[:2]):
        weights = np.array([decay ** (t - s) for s in range(t + 1)])[:, None]
        out[b, t] = (weights * x[b, : t + 1]).sum(0) / weights.sum()
    return out


def running(x, decay):
    total, weight, out = 0.0 * x[:, 0], 0.0, []
    for t in range(x.shape[1]):
        total = decay * total + x[:, t]
        weight = decay * weight + 1.0
        out.append(total / weight)
    return np.stack(out, 1)


def divided_means(x, decay):
    """The last mean goes on where the last sum should."""
    out, total = x.copy(), 1.0
    for t in range(1, x.shape[1]):
        total = decay * total + 1.0
        out[:, t] = (decay * out[:, t - 1] + x[:, t]) / total
    return out


def never_reset(x, decay):
    """The running sum of one text goes on in the next."""
    total, weight, out = 0.0 * x[0, 0], 0.0, np.empty_like(x)
    for b, t in np.ndindex(x.shape[:2]):
        total, weight = decay * total + x[b, t], decay * weight + 1.0
        out[b, t] = total / weight
    return out


EXERCISE = Exercise(
    title="A mean that fades into the past",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=fading_mean,
    alternatives=(loop, running),
    equal=(
        ("weights = np.where(age >= 0, decay ** age, 0.0)", "an infinite power is not chosen by np.where"),
        ("weights = np.where(age >= 0, decay ** np.maximum(age, -1), 0.0)", "where age < 0 it is not chosen"),
        ("weights /= weights.sum(-1, keepdims=True)", "of two axes, 1 is the last"),
    ),
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
            "age >= 0 -> age > 0",  # row 0 is 0 / 0
            "The position itself is 0 steps old: decay to the power 0 is 1.",
        ),
        mistake(
            "leaves the position itself out, and row 0 gets zeros",
            (
                "age >= 0 -> age > 0",
                "weights /= np.maximum(weights.sum(1, keepdims=True), 1e-30)",
            ),
            "The position itself is 0 steps old: decay to the power 0 is 1. Then row 0 is not empty either.",
        ),
        mistake(
            "the future counts in full: the negative ages became 0, and nothing hides them",
            "weights = decay ** np.maximum(age, 0)",
            "Right of the diagonal the weights must be 0, and decay to the power 0 is 1.",
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
            "Its rows add up to 1, but beside the others, which carry a factor 1 - decay, the very first "
            "position counts too much.",
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
            "what is further back counts more: a negative exponent",
            "np.maximum(age, 0) -> -1.0 * np.maximum(age, 0)",
            "decay is below 1: its negative powers grow with the age, and are soon no numbers any more.",
        ),
        mistake(
            "exp(-decay * age) instead of decay ** age",
            "decay ** np.maximum(age, 0) -> np.exp(-decay * np.maximum(age, 0))",
            "That fades, too, but at another speed: one step back counts decay, two steps decay squared.",
        ),
        mistake(
            "decay times the age instead of decay to the power of it",
            "weights = np.where(age > 0, decay * age, 1.0 * (age == 0))",
            "A weight that fades is multiplied by decay again at every step: a power.",
        ),
        mistake(
            "1 minus decay times the age",
            "weights = np.where(age >= 0, np.maximum(1 - decay * age, 0), 0.0)",
            "A weight that fades is multiplied by decay again at every step: a power.",
        ),
        mistake(
            "0.5 whatever is asked",
            "decay ** -> 0.5 **",
            "decay is an argument: the example's is 0.5, others are not.",
        ),
        mistake(
            "the row sums without keepdims",
            "weights /= weights.sum(1)",
            "Sums of shape (T,) are laid along the columns: weights[t, s] is divided by the sum of row s.",
        ),
        mistake(
            "every row divided by the sum of the last",
            "weights /= weights[-1].sum()",
            "A row near the beginning has fewer weights: each row has a sum of its own.",
        ),
        mistake(
            "divided with the future in the sum, hidden afterwards",
            (
                "weights = decay ** np.abs(age)",
                "weights = weights / weights.sum(1, keepdims=True) * (age >= 0)",
            ),
            "The future must be 0 before the row is summed, or it counts below the fraction line.",
        ),
        mistake(
            "goes on with the last mean, not with the last sum",
            divided_means,
            "What fades by decay is the sum before its division: keep sum and weight, divide a copy.",
        ),
        mistake(
            "the running sum goes on into the next text of the batch",
            never_reset,
            "Each row of the batch begins with nothing behind it.",
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
