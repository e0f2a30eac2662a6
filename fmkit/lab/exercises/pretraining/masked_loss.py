"""Spot the bug: the masked-LM loss over the hidden places, and its gradient."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(B, T, V, share, size=1.0):
        targets = np.where(rng.random((B, T)) < share, rng.integers(0, V, (B, T)), -100)
        targets[0, :3] = -100, rng.integers(1, V), 0  # token 0 may be hidden
        targets[1] = -100  # a row in which nothing is hidden
        return size * rng.normal(size=(B, T, V)), targets

    logits, targets = case(2, 3, 5, 0.0)
    nothing = logits, np.full_like(targets, -100)
    return [
        (np.zeros((1, 2, 2)), np.array([[1, -100]])),
        case(3, 5, 7, 0.6),
        case(2, 8, 6, 0.15, size=4.0),
        nothing,
        (rng.normal(size=(1, 2, 3)), np.array([[-100, 0]])),
        case(4, 3, 9, 0.7, size=1000.0),
        as_float32(case(5, 4, 8, 0.4)),
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
    n = float(hidden.sum() or 1)
    shifted = logits - logits.max(-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    one_hot = np.arange(logits.shape[-1]) == targets[..., None]  # -100 has no 1
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
    equal=(
        ("n = float(hidden.sum() or 2)", "0 over any number is 0"),
        ("hidden = targets > -100", "no target is below -100"),
        ("hidden = (targets > -100).astype(logits.dtype)[..., None]", "no target is below -100"),
    ),
    teaches=("losses.cross_entropy", "losses.cross_entropy_backward"),
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
            "the loss of all places, over the number of the hidden ones",
            "loss = -np.take_along_axis(log_p, np.maximum(targets, 0)[..., None], -1).sum() / n",
            "What was not hidden is not guessed: its terms do not belong into the sum.",
        ),
        mistake(
            "scored where nothing was hidden",
            (
                "hidden = targets == -100",
                "rows, right = log_p[hidden], np.maximum(targets[hidden], 0)",
            ),
            "-100 stands where nothing was hidden: those places are left out.",
        ),
        mistake(
            "token 0 taken for nothing hidden",
            "hidden = targets > 0",
            "0 is a token like any other: only -100 says that nothing was hidden.",
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
            "the mean of the rows' means",
            "loss = np.mean([-log_p[b, m, targets[b, m]].mean() for b, m in enumerate(hidden) if m.any()])",
            "One mean over all hidden places: a row with few of them must not weigh more.",
        ),
        mistake(
            "the mean of the rows' means, 0 for a row without a hidden place",
            "loss = np.mean([-log_p[b, m, targets[b, m]].sum() / max(m.sum(), 1) for b, m in "
            "enumerate(hidden)])",
            "One mean over all hidden places: a row with few of them must not weigh more.",
        ),
        mistake(
            "one place too many in the mean",
            (
                "loss = -rows[np.arange(n), right].sum() / (n + 1)",
                "dlogits[hidden] = dhidden / (n + 1)",
            ),
            "n + 1 is safe from 0 / 0, and wrong everywhere else: ask whether n is 0.",
        ),
        mistake(
            "the loss has the other sign",
            "loss = rows[np.arange(n), right].mean()",
            "ln p is negative; a loss is *minus* the log of the right token's probability.",
        ),
        mistake(
            "the gradient not divided",
            "dlogits[hidden] = dhidden",
            "The loss is a mean, and its gradient has the same divisor.",
        ),
        mistake(
            "the gradient divided by all places",
            "dlogits[hidden] = dhidden / targets.size",
            "The loss is a mean over the hidden places, and its gradient has the same divisor.",
        ),
        mistake(
            "the gradient has the other sign",
            "dlogits[hidden] = -dhidden / n",
            "Raising the right token's logit must lower the loss.",
        ),
        mistake(
            "the gradient flows at every place",
            "dlogits[hidden] = dhidden / n -> dlogits = np.exp(log_p) / n\ndlogits[hidden] = dhidden / n",
            "What the loss does not see gets no gradient, not even softmax(logits).",
        ),
        mistake(
            "the gradient flows at every place, also where nothing at all is hidden",
            "dlogits = np.exp(log_p) / max(n, 1)",
            "What the loss does not see gets no gradient, not even softmax(logits).",
        ),
        mistake(
            "the gradient flows at every place, as if the other targets were 0",
            "dlogits[hidden] = dhidden / n -> one_hot = np.eye(logits.shape[-1], dtype=logits.dtype)\n"
            "dlogits = (np.exp(log_p) - one_hot[np.maximum(targets, 0)]) / n",
            "What the loss does not see gets no gradient: set it to 0 where nothing was hidden.",
        ),
        mistake(
            "the gradient without the one-hot target",
            "dhidden[np.arange(n), right] -= 1 ->",
            "Softmax alone would push every logit down, also the right one: what is taken off there?",
        ),
        mistake(
            "the gradient at the right token only",
            "dlogits[hidden] = np.where(np.arange(logits.shape[-1]) == right[:, None], dhidden, 0) / n",
            "The wrong tokens' logits are in the softmax, too: each of them gets its p.",
        ),
        mistake(
            "log p in the gradient instead of p",
            "dhidden = rows.copy()",
            "The gradient is p less the one-hot target: how does p come out of log p?",
        ),
        mistake(
            "the log left out",
            "loss = -np.exp(rows[np.arange(n), right]).mean()",
            "Cross-entropy is minus the *log* of the right token's probability.",
        ),
        mistake(
            "the softmax of the gradient taken from the raw logits",
            "dhidden = np.exp(logits[hidden]) / np.exp(logits[hidden]).sum(-1, keepdims=True)",
            "exp(1000) overflows. log_p is there already, and it is safe: what is p, given log p?",
        ),
        mistake(
            "nothing hidden gives NaN",
            "if n == 0:\n        return 0.0, dlogits ->",
            "0 / 0: what should a batch say in which nothing is hidden?",
        ),
        mistake(
            "nothing hidden gives NaN, also in the gradient",
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
