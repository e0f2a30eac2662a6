"""Loss and gradient of a batch from micro-batches on several ranks."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(ranks, micro, size, empty=0):
        tokens = rng.integers(1, 40, (ranks, micro))
        tokens[0, 0], tokens[-1, -1] = 1, 90  # far from alike
        losses, grads = rng.normal(3, 1, (ranks, micro)), rng.normal(size=(ranks, micro, size))
        for i in range(empty):
            at = divmod((2 * i + 1) % (ranks * micro), micro)
            tokens[at], losses[at], grads[at] = 0, np.nan, np.nan
        return losses, tokens, grads

    example = np.array([[1.0, 3.0]]), np.array([[9, 1]]), np.array([[[1.0], [2.0]]])
    alike = np.array([[1.0, 2.0], [4.0, 5.0]]), np.full((2, 2), 8), rng.normal(size=(2, 2, 3))
    ranks = np.array([[2.0], [6.0]]), np.array([[3], [1]]), np.array([[[1.0, 0.0]], [[0.0, 4.0]]])
    return [
        example,
        ranks,
        alike,
        (np.array([[2.5]]), np.array([[4]]), np.array([[[1.0, -2.0]]])),
        case(2, 3, 4),
        case(3, 2, 2, empty=1),
        case(1, 4, 3, empty=1),
        case(4, 1, 2),
        case(3, 5, 6, empty=3),
        as_float32(case(2, 3, 5, empty=1)),
    ]


def one_batch(losses, tokens, grads):
    used = tokens > 0  # the mean over no token is NaN
    share = (tokens[used] / tokens.sum()).astype(grads.dtype)
    loss = float(share @ losses[used])
    grad = share @ grads[used]
    return loss, grad


def loop(losses, tokens, grads):
    total, loss, grad = tokens.sum(), 0.0, np.zeros(grads.shape[2], grads.dtype)
    for rank in range(len(tokens)):
        for i, count in enumerate(tokens[rank]):
            if count:
                loss += losses[rank, i] * count
                grad += grads[rank, i] * float(count)
    return float(loss / total), grad / float(total)


def summed(losses, tokens, grads):
    sums = np.where(tokens > 0, losses * tokens, 0.0).sum()
    gsums = np.where((tokens > 0)[..., None], grads * tokens[..., None], 0.0).sum((0, 1))
    return float(sums / tokens.sum()), (gsums / tokens.sum()).astype(grads.dtype)


def ranks_first(losses, tokens, grads):
    counts = tokens.sum(1)
    weights = tokens / tokens.sum()
    loss = sum((np.nan_to_num(row) * w).sum() for row, w in zip(losses, weights, strict=True))
    grad = np.einsum("rkp,rk->p", np.nan_to_num(grads), weights)
    return float(loss), grad.astype(grads.dtype) if counts.any() else grad


EXERCISE = Exercise(
    title="Micro-batches that make one batch",
    points=2,
    minutes=10,
    difficulty=2,
    tolerance=1e-4,
    cases=cases,
    reference=one_batch,
    alternatives=(loop, summed, ranks_first),
    equal=(
        (
            "loss = float(losses[used] @ share)",
            "a dot product, either way",
        ),
        (
            "loss = float(share.T @ losses[used])",
            "of vectors the transpose is the vector",
        ),
        (
            "loss = float(share @ losses[used].T)",
            "of vectors the transpose is the vector",
        ),
        (
            "grad = share.T @ grads[used]",
            "of vectors the transpose is the vector",
        ),
    ),
    teaches=("parallel.accumulate",),
    parts=True,
    mistakes=(
        mistake(
            "the mean of the means",
            "share = (np.ones(used.sum()) / used.sum()).astype(grads.dtype)",
            "A micro-batch with one token would count as much as one with ninety.",
        ),
        mistake(
            "the mean of the means, the empty ones among them",
            "share = (np.ones(used.sum()) / used.size).astype(grads.dtype)",
            "Weigh each micro-batch with its tokens; an empty one weighs nothing.",
        ),
        mistake(
            "right on every rank, then the plain mean over the ranks",
            "share = ((tokens / tokens.sum(1, keepdims=True))[used] / len(tokens)).astype(grads.dtype)",
            "A rank with few tokens would count as much as one with many: divide by the tokens of all ranks.",
        ),
        mistake(
            "the plain mean on every rank, then weighed by its tokens",
            "share = np.broadcast_to((tokens.sum(1) / np.maximum(used.sum(1), 1))[:, None] / tokens.sum(), "
            "tokens.shape)[used].astype(grads.dtype)",
            "On a rank, too, a micro-batch weighs what it holds.",
        ),
        mistake(
            "divided by the padded length",
            "share = (tokens[used] / (tokens.max() * tokens.size)).astype(grads.dtype)",
            "Padding is no token: divide by what was counted.",
        ),
        mistake(
            "never divided",
            "share = tokens[used].astype(grads.dtype)",
            "Divide by the number of all tokens.",
        ),
        mistake(
            "divided by the tokens of one rank",
            "share = (tokens[used] / tokens[0].sum()).astype(grads.dtype)",
            "Divide by the tokens of all ranks.",
        ),
        mistake(
            "divided by the number of micro-batches, too",
            "share = (tokens[used] / tokens.sum() / used.size).astype(grads.dtype)",
            "The weights of a mean sum to 1.",
        ),
        mistake(
            "sums over ranks, means over micro-batches",
            "share = (tokens[used] / tokens.sum() * len(tokens)).astype(grads.dtype)",
            "The weights of a mean sum to 1, over all ranks.",
        ),
        mistake(
            "NaN from an empty micro-batch",
            (
                "share = (tokens / tokens.sum()).astype(grads.dtype)",
                "loss = float((share * losses).sum())",
                "grad = (share[..., None] * grads).sum((0, 1))",
            ),
            "0 times NaN is NaN: leave the empty ones out.",
        ),
        mistake(
            "the loss as a plain mean",
            "loss = float(losses[used].mean())",
            "The loss is a mean over tokens, too.",
        ),
        mistake(
            "the gradient as a plain mean",
            "grad = grads[used].mean(0)",
            "The gradient is a mean over tokens, too.",
        ),
        mistake(
            "the gradient as a plain sum",
            "grad = grads[used].sum(0)",
            "Each gradient is that of a mean: weigh them.",
        ),
        mistake(
            "the first rank's only",
            (
                "used = (tokens > 0) & (np.arange(len(tokens)) == 0)[:, None]",
                "share = (tokens[used] / tokens[0].sum()).astype(grads.dtype)",
            ),
            "All ranks belong to the batch.",
        ),
        mistake(
            "the loss of all tokens, divided by the number of micro-batches",
            "loss = float((tokens[used] * losses[used]).sum() / tokens.size)",
            "Divide by what was added up: tokens, not micro-batches.",
        ),
        mistake(
            "one micro-batch only",
            ("loss = float(losses[0, 0])", "grad = grads[0, 0]"),
            "All micro-batches of all ranks belong to the batch.",
        ),
    ),
    hints=(
        "What one big batch would do: add up over all tokens, then divide once.",
        "The weight of a micro-batch is its tokens by all tokens of all ranks.",
        "Leave out micro-batches without a token before you multiply: 0 * NaN is NaN.",
    ),
)
