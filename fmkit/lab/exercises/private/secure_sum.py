"""A sum under masks, after some clients did not answer."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, d, gone=(), modulus=1000):
        x = rng.integers(-modulus // (2 * n) + 1, modulus // (2 * n), (n, d))
        x[:, 0] = np.abs(x[:, 0])  # a sum that is positive,
        x[:, 1:2] = -np.abs(x[:, 1:2])  # and one that is negative
        masks = rng.integers(0, modulus, (n, n, d)) * (np.arange(n)[:, None] < np.arange(n))[..., None]
        answered = ~np.isin(np.arange(n), gone)
        sent = (x + masks.sum(1) - masks.sum(0)) % modulus  # i adds masks[i, j], j takes it away
        sent[~answered] = rng.integers(0, modulus, (len(gone), d))  # rubbish from an earlier round
        return sent, masks, answered, modulus

    masks = np.zeros((3, 3, 1), dtype=int)
    masks[0, 1], masks[0, 2], masks[1, 2] = 4, 6, 9
    example = np.array([[12], [2], [0]]), masks, np.array([True, True, False]), 20  # 2 and -3
    half = np.array([[6, 1], [6, 2]]), np.zeros((2, 2, 2), dtype=int), np.array([True, True]), 8  # -4 and 3
    return [
        example,
        half,
        (np.array([[2, 1], [2, 2]]), *half[1:-1], 9),  # of an odd modulus: 4 stays 4
        case(2, 3),
        case(5, 4),
        case(5, 3, (0,)),
        case(4, 2, (3,)),
        case(6, 3, (1, 4), 997),
        case(5, 2, (0, 1, 3, 4)),
        case(7, 5, (2, 3, 6), 10_000),
        case(3, 2, (1,), 64),
    ]


def secure_sum(sent, masks, answered, modulus):
    total = sent[answered].sum(0)
    for gone in np.flatnonzero(~answered):
        total = total - masks[answered, gone].sum(0)  # those below it added a mask
        total = total + masks[gone, answered].sum(0)  # those above it took one away
    total = total % modulus
    return np.where(total >= modulus / 2, total - modulus, total)


def pair_by_pair(sent, masks, answered, modulus):
    n = len(sent)
    total = [0] * sent.shape[1]
    for k in range(sent.shape[1]):
        for i in range(n):
            if not answered[i]:
                continue
            total[k] += int(sent[i, k])
            for j in range(n):
                if not answered[j]:
                    total[k] += int(masks[j, i, k]) if j < i else -int(masks[i, j, k])
        total[k] %= modulus
        if 2 * total[k] >= modulus:
            total[k] -= modulus
    return np.array(total)


def as_matrix(sent, masks, answered, modulus):
    signed = masks - masks.transpose(1, 0, 2)  # what i has added for j
    left = signed[answered][:, ~answered].sum((0, 1))
    half = -(-modulus // 2)
    return (sent[answered].sum(0) - left + (modulus - half)) % modulus - (modulus - half)


EXERCISE = Exercise(
    title="A sum nobody can look into",
    points=3,
    minutes=25,
    difficulty=3,
    cases=cases,
    reference=secure_sum,
    alternatives=(pair_by_pair, as_matrix),
    equal=(
        ("if True:", "the masks between two that answered cancel"),
        (
            "total[k] += int(masks[j, i, k]) if j <= i else -int(masks[i, j, k])",
            "i has answered and j has not: they are not the same",
        ),
    ),
    teaches=("federated.unmask",),
    mistakes=(
        mistake(
            "the masks of those that are gone left in",
            "for gone in []:",
            "A client that is gone took its half of each mask with it: the other half is still in the sum.",
        ),
        mistake(
            "one sign for all masks",
            "total + masks[gone, answered].sum(0) -> total - masks[gone, answered].sum(0)",
            "Of two clients the lower one added the mask and the upper one took it away.",
        ),
        mistake(
            "the signs turned round",
            (
                "total - masks[answered, gone].sum(0) -> total + masks[answered, gone].sum(0)",
                "total + masks[gone, answered].sum(0) -> total - masks[gone, answered].sum(0)",
            ),
            "Who stands below the one that is gone has *added* the mask: take it away.",
        ),
        mistake(
            "only the clients below the one that is gone",
            "total = total + masks[gone, answered].sum(0) -> ",
            "Those above it have taken a mask away: add it again.",
        ),
        mistake(
            "only the clients above the one that is gone",
            "total = total - masks[answered, gone].sum(0) -> ",
            "Those below it have added a mask: take it away.",
        ),
        mistake(
            "who did not answer is added up, too",
            "total = sent[answered].sum(0) -> total = sent.sum(0)",
            "Their rows hold rubbish: add up those that answered.",
        ),
        mistake(
            "the modulus forgotten",
            "total = total % modulus -> ",
            "The clients sent numbers modulo the modulus: the sum is one, too.",
        ),
        mistake(
            "negative sums come out large",
            "return total",
            "The upper half of the numbers stands for the negative ones.",
        ),
        mistake(
            "half the modulus is positive",
            "return np.where(total > modulus / 2, total - modulus, total)",
            "The range goes from -modulus/2 up to, but without, modulus/2.",
        ),
        mistake(
            "every mask taken out",
            "total = sent[answered].sum(0) -> signed = (masks - masks.transpose(1, 0, 2))[answered]\n"
            "total = sent[answered].sum(0) - signed.sum((0, 1))",
            "Masks between two that answered have cancelled already.",
        ),
        mistake(
            "the mean",
            "total = total % modulus -> total = total % modulus // answered.sum()",
            "The sum is asked for.",
        ),
    ),
    hints=(
        "Add up the rows of those that answered: among them, the masks cancel.",
        "masks[answered, gone] are the masks that those below `gone` added; entries of other pairs are 0.",
        "% modulus first; then the upper half, from modulus / 2 on, minus modulus.",
    ),
)
