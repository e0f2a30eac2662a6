"""Cross-entropy of logits whose columns lie on several ranks, and its gradient."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(B, widths, spread=2.0, shift=0.0):
        shards = [rng.normal(0, spread, (B, v)) + shift for v in widths]
        targets = rng.integers(0, sum(widths), B)
        targets[0], targets[-1] = 0, sum(widths) - 1
        return shards, targets

    example = [np.array([[0.0, 0.0]]), np.array([[0.0, 0.0]])], np.array([2])
    edges = [np.array([[1.0, 2.0]] * 4), np.array([[3.0, -1.0]] * 4)], np.array([0, 1, 2, 3])
    large = (
        [np.array([[1000.0, 0.0], [-1000.0, -1001.0]]), np.array([[999.0], [-1002.0]])],
        np.array([2, 0]),
    )
    lonely = (
        [np.array([[0.5, -0.5]] * 2), np.array([[2.0]] * 2), np.array([[1.0, 1.0]] * 2)],
        np.array([4, 4]),
    )
    steep = [np.array([[2000.0, 0.0, 0.0]]), np.array([[0.0, -5.0]])], np.array([4])
    far = [np.full((3, 2), -600.0), np.full((3, 3), 600.0)], np.array([4, 2, 3])
    return [
        example,
        edges,
        large,
        lonely,
        far,
        steep,
        case(4, (5,)),
        case(3, (2, 2, 2)),
        case(6, (1, 4, 3)),
        case(5, (3, 3), spread=300.0),
        as_float32(case(4, (2, 3))),
    ]


def cut_loss(shards, targets):
    top = np.max([shard.max(1) for shard in shards], axis=0)  # (B,): the first thing that is sent
    exps = [np.exp(shard - top[:, None]) for shard in shards]
    total = np.sum([part.sum(1) for part in exps], axis=0)  # (B,): the second
    logit, first, grads = np.zeros_like(top), 0, []  # logit (B,): the third
    for shard, part in zip(shards, exps, strict=True):
        rows = np.flatnonzero((targets >= first) & (targets < first + shard.shape[1]))
        columns = targets[rows] - first
        logit[rows] = shard[rows, columns]
        grad = part / total[:, None]
        grad[rows, columns] -= 1
        grads.append(grad / len(targets))
        first += shard.shape[1]
    loss = float((np.log(total) + top - logit).mean())
    return loss, grads


def in_one_piece(shards, targets):
    logits = np.concatenate(shards, axis=1)
    shifted = logits - logits.max(1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    rows = np.arange(len(targets))
    grad = np.exp(log_p)
    grad[rows, targets] -= 1
    ends = np.cumsum([shard.shape[1] for shard in shards])[:-1]
    return float(-log_p[rows, targets].mean()), np.split(grad / len(targets), ends, axis=1)


def own_tops(shards, targets):
    tops = [shard.max(1) for shard in shards]
    sums = [np.exp(shard - top[:, None]).sum(1) for shard, top in zip(shards, tops, strict=True)]
    logsum = np.logaddexp.reduce([np.log(s) + top for s, top in zip(sums, tops, strict=True)])
    losses, grads, first = np.zeros_like(logsum), [], 0
    for shard in shards:
        onehot = (targets[:, None] - first == np.arange(shard.shape[1])).astype(shard.dtype)
        losses += onehot.sum(1) * logsum - (onehot * shard).sum(1)
        grads.append((np.exp(shard - logsum[:, None]) - onehot) / len(targets))
        first += shard.shape[1]
    return float(losses.mean()), grads


def each_alone(shards, targets):
    loss, grads, first = 0.0, [], 0
    for shard in shards:
        exps = np.exp(shard - shard.max(1, keepdims=True))
        rows = np.flatnonzero((targets >= first) & (targets < first + shard.shape[1]))
        columns = targets[rows] - first
        loss += (np.log(exps.sum(1)) + shard.max(1))[rows].sum() - shard[rows, columns].sum()
        grad = exps / exps.sum(1, keepdims=True)
        grad[rows, columns] -= 1
        grads.append(grad / len(targets))
        first += shard.shape[1]
    return float(loss / len(targets)), grads


EXERCISE = Exercise(
    title="The loss of a cut vocabulary",
    points=4,
    minutes=25,
    difficulty=4,
    tolerance=1e-4,
    cases=cases,
    reference=cut_loss,
    alternatives=(in_one_piece, own_tops),
    equal=(
        (
            "top = np.max([shard.max(-1) for shard in shards], axis=0)",
            "of a matrix the last axis is axis 1",
        ),
        (
            "total = np.sum([part.sum(-1) for part in exps], axis=0)",
            "of a matrix the last axis is axis 1",
        ),
        (
            "logit, first, grads = (np.ones_like(top), 0, [])",
            "every row's entry is written later",
        ),
        (
            "logits = np.concatenate(shards, axis=-1)",
            "of a matrix the last axis is axis 1",
        ),
        (
            "shifted = logits - logits.max(-1, keepdims=True)",
            "of a matrix the last axis is axis 1",
        ),
        (
            "log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))",
            "of a matrix the last axis is axis 1",
        ),
        (
            "return (float(-log_p[rows, targets].mean()), np.split(grad / len(targets), ends, axis=-1))",
            "of a matrix the last axis is axis 1",
        ),
    ),
    teaches=("losses.cross_entropy", "losses.cross_entropy_backward", "parallel.vocabulary_parallel_loss"),
    parts=True,
    mistakes=(
        mistake(
            "each rank subtracts its own largest logit",
            "exps = [np.exp(shard - shard.max(1)[:, None]) for shard in shards]",
            "Sums of exponentials can only be added if the same number was subtracted everywhere.",
        ),
        mistake(
            "overflows: no largest logit subtracted",
            (
                "exps = [np.exp(shard) for shard in shards]",
                "loss = float((np.log(total) - logit).mean())",
            ),
            "exp(1000) is infinite: subtract the largest logit of all ranks first.",
        ),
        mistake(
            "the largest of the first rank",
            "top = shards[0].max(1)",
            "The largest logit may lie on any rank.",
        ),
        mistake(
            "the logs of the ranks' sums added",
            "loss = float((np.sum([np.log(part.sum(1)) for part in exps], axis=0) + top - logit).mean())",
            "Add the sums, then take the logarithm once: log a + log b is the log of a product.",
        ),
        mistake(
            "a softmax on every rank",
            "grad = part / part.sum(1)[:, None]",
            "The probabilities of all ranks together sum to 1: divide by the sum over all.",
        ),
        mistake(
            "each rank's own loss, then the mean",
            "loss = float((np.mean([np.log(part.sum(1)) for part in exps], axis=0) + top - logit).mean())",
            "The sum of the exponentials goes over all ranks.",
        ),
        mistake(
            "the target's logit of other ranks as 0",
            (
                "logit, first, grads = np.zeros_like(top), 0, [] -> "
                "logit, first, grads = -np.inf * np.ones_like(top), 0, []",
                "logit[rows] = shard[rows, columns] -> own = np.zeros_like(top)\n"
                "own[rows] = shard[rows, columns]\n"
                "logit = np.maximum(logit, own)",
            ),
            "Only one rank has the target's logit; the others have nothing to add, and 0 may be larger.",
        ),
        mistake(
            "targets counted from 0 on every rank",
            "first += 0",
            "The first column of a rank is not class 0: take off the columns on the ranks before.",
        ),
        mistake(
            "all shards as wide as the first",
            "first += shards[0].shape[1]",
            "The shards need not be of the same width.",
        ),
        mistake(
            "the last column belongs to nobody",
            "(targets < first + shard.shape[1]) -> (targets < first + shard.shape[1] - (shard.shape[1] > 1))",
            "A rank with v columns has the classes from first to first + v - 1.",
        ),
        mistake(
            "1 taken off in no column",
            "grad[rows, columns] -= 0",
            "The gradient is p - 1 at the target.",
        ),
        mistake(
            "1 added",
            "grad[rows, columns] += 1",
            "The gradient is p - 1 at the target.",
        ),
        mistake(
            "gradient of the sum",
            "grads.append(grad)",
            "The loss is a mean over the rows: so is its gradient.",
        ),
        mistake(
            "gradient divided by the number of logits",
            "grads.append(grad / shard.size)",
            "The loss is a mean over the rows, not over the columns.",
        ),
        mistake(
            "the sum of the losses",
            "loss = float((np.log(total) + top - logit).sum())",
            "The loss is a mean over the rows.",
        ),
        mistake(
            "the sign turned round",
            "loss = float((logit - np.log(total) - top).mean())",
            "The loss is minus the logarithm of a probability: not below 0.",
        ),
        mistake(
            "the largest logit subtracted on one side only",
            "loss = float((np.log(total) - logit).mean())",
            "What was taken off before the exponential has to come back after the logarithm.",
        ),
        mistake(
            "the gradients in one array",
            "return loss, np.concatenate(grads, axis=1)",
            "Each rank needs the gradient of its own columns: a list.",
        ),
        mistake(
            "a softmax on every rank, for the loss too",
            each_alone,
            "The probabilities of all ranks together sum to 1: add up the exponentials of all ranks.",
        ),
        mistake(
            "each rank's own largest logit taken off and added back, the sums added",
            (
                "exps = [np.exp(shard - shard.max(1)[:, None]) for shard in shards]",
                "logit[rows] = shard[rows, columns] - shard.max(1)[rows]",
                "loss = float((np.log(total) - logit).mean())",
            ),
            "Sums of exponentials can only be added if the same number was subtracted everywhere.",
        ),
        mistake(
            "the gradients cut into equal widths",
            "return loss, np.array_split(np.concatenate(grads, axis=1), len(shards), axis=1)",
            "Each rank needs the gradient of its own columns: as wide as its shard.",
        ),
        mistake(
            "the shards themselves for their gradients",
            "return loss, shards",
            "The gradient is the probability, minus 1 at the target, divided by the rows.",
        ),
    ),
    hints=(
        "First the largest logit of a row over all ranks; then everything minus that.",
        "The sums of exponentials of the ranks add up; the logarithm comes after.",
        "On each rank: column = target - first. Is it 0 or more, and below v? Else the target is another's.",
    ),
)
