"""Spot the bug: the masked-LM loss over the hidden places, and its gradient."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(B, T, V, share, size=1.0):
        targets = np.where(rng.random((B, T)) < share, rng.integers(0, V, (B, T)), -100)
        targets[0, :2] = -100, rng.integers(1, V)
        return size * rng.normal(size=(B, T, V)), targets

    logits, targets = case(2, 3, 5, 0.0)
    nothing = logits, np.full_like(targets, -100)
    return [
        case(3, 5, 7, 0.4),
        case(2, 8, 6, 0.15, size=4.0),
        nothing,
        case(4, 3, 9, 0.5, size=1000.0),
        as_float32(case(5, 4, 8, 0.3)),
    ]


def masked_loss(logits, targets):
    shifted = logits - logits.max(-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))  # (B, T, V)
    hidden = targets != -100
    n = int(hidden.sum())
    dlogits = np.zeros_like(logits)
    if n == 0:
        return 0.0, dlogits
    rows, right = log_p[hidden], targets[hidden]  # (n, V), (n,)
    loss = -rows[np.arange(n), right].mean()
    dhidden = np.exp(rows)
    dhidden[np.arange(n), right] -= 1  # softmax less one-hot, at hidden places only
    dlogits[hidden] = dhidden / n
    return float(loss), dlogits


def weighted(logits, targets):
    hidden = (targets != -100).astype(logits.dtype)[..., None]  # (B, T, 1)
    n = max(float(hidden.sum()), 1.0)
    shifted = logits - logits.max(-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    one_hot = (np.arange(logits.shape[-1]) == targets[..., None]).astype(logits.dtype)  # -100 has no 1
    return float(-(one_hot * log_p).sum() / n), (np.exp(log_p) - one_hot) * (hidden / n)


def loop(logits, targets):
    loss, n, dlogits = 0.0, max(1, int((targets >= 0).sum())), np.zeros_like(logits)
    for place in np.argwhere(targets >= 0):
        b, t = place
        z = logits[b, t].astype(np.float64)
        top = z.max()
        total = top + np.log(np.exp(z - top).sum())
        loss += (total - z[targets[b, t]]) / n
        dz = np.exp(z - total)
        dz[targets[b, t]] -= 1
        dlogits[b, t] = dz / n
    return float(loss), dlogits


EXERCISE = Exercise(
    title="Spot the bug: a published masked-LM loss",
    points=3,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=masked_loss,
    alternatives=(weighted, loop),
    mistakes=(
        mistake(
            "summed over all places, as published",
            (
                "hidden = np.full(targets.shape, True)",
                "rows, right = log_p[hidden], np.maximum(targets[hidden], 0)",
            ),
            "At most places the answer stands in the input: what does a model learn that is paid for "
            "copying?",
        ),
        mistake(
            "divided by all places",
            (
                "loss = -rows[np.arange(n), right].sum() / targets.size",
                "dlogits[hidden] = dhidden / targets.size",
            ),
            "The mean is over the hidden places: by how many terms is it divided?",
        ),
        mistake(
            "the sum instead of the mean",
            ("loss = -rows[np.arange(n), right].sum()", "dlogits[hidden] = dhidden"),
            "Twice as many hidden places would double your loss.",
        ),
        mistake(
            "divided by the rows of the batch",
            (
                "loss = -rows[np.arange(n), right].sum() / len(logits)",
                "dlogits[hidden] = dhidden / len(logits)",
            ),
            "The mean is over hidden *places*, not over rows.",
        ),
        mistake(
            "the gradient not divided",
            "dlogits[hidden] = dhidden",
            "The loss is a mean, and its gradient has the same divisor.",
        ),
        mistake(
            "the gradient has the other sign",
            "dlogits[hidden] = -dhidden / n",
            "Raising the right token's logit must lower the loss.",
        ),
        mistake(
            "the gradient flows at every place",
            "dlogits = np.exp(log_p) / max(n, 1)",
            "What the loss does not see gets no gradient, not even softmax(logits).",
        ),
        mistake(
            "the log left out",
            "loss = -np.exp(rows[np.arange(n), right]).mean()",
            "Cross-entropy is minus the *log* of the right token's probability.",
        ),
        mistake(
            "exp without taking off the largest",
            "shifted = logits",
            "exp(1000) overflows: chapter 3 took the largest logit off first.",
        ),
        mistake(
            "nothing hidden gives NaN",
            (
                "if n == 0:\n        return 0.0, dlogits ->",
                "dlogits[hidden] = dhidden",
                "return float(loss), dlogits / n",
            ),
            "0 / 0: what should a batch say in which nothing is hidden?",
        ),
    ),
    hints=(
        "Over which places does the sum run, and by what is it divided?",
        "hidden = targets != -100 chooses the places; there are hidden.sum() of them.",
        "At a hidden place dlogits is softmax(logits) less the one-hot target, over that number; elsewhere "
        "it is 0.",
    ),
)
