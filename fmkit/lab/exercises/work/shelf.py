"""A shelf of films: relevant, unlike each other, and not all of one kind."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, kinds, k, mix, most):
        x = rng.normal(size=(n, 3))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        return rng.uniform(0, 1, n), x @ x.T, rng.integers(0, kinds, n), k, mix, most

    twins = np.array([[1.0, 0.9, 0.0], [0.9, 1.0, 0.0], [0.0, 0.0, 1.0]])
    unlike = np.array([[1.0, -0.8, 0.5], [-0.8, 1.0, 0.2], [0.5, 0.2, 1.0]])
    alike = np.array([[1.0, 0.0, 0.0, 0.0]] * 4)
    np.fill_diagonal(alike, 1.0)
    return [
        (np.array([1.0, 0.9, 0.5]), twins, np.array([0, 0, 1]), 2, 0.5, 2),
        (np.array([1.0, 0.9, 0.5]), twins, np.array([0, 0, 1]), 3, 1.0, 1),  # only two fit
        (np.array([0.6, 0.1, 0.5]), unlike, np.array([2, 1, 0]), 3, 0.5, 1),
        (np.full(4, 0.5), alike, np.array([1, 1, 0, 0]), 4, 0.6, 2),  # ties
        (np.array([0.2, 0.8]), np.eye(2), np.array([3, 3]), 0, 0.7, 1),
        (np.array([0.9, 0.5, 0.8, 0.6, 0.7, 0.1]), np.eye(6), np.array([4, 4, 4, 4, 4, 1]), 6, 0.5, 2),
        case(6, 2, 4, 0.7, 3),
        case(9, 3, 6, 0.5, 2),
        case(9, 3, 5, 0.3, 2),
        case(12, 4, 8, 0.8, 3),
        case(8, 2, 8, 0.6, 4),
        case(7, 3, 4, 0.0, 2),
        as_float32(case(10, 3, 5, 0.6, 2)),
    ]


def shelf(relevance, similarity, kinds, k, mix, most):
    chosen, gains = [], []
    while len(chosen) < k:
        taken = [kinds[i] for i in chosen]
        left = [i for i in range(len(relevance)) if i not in chosen and taken.count(kinds[i]) < most]
        if not left:
            break
        nearest = {i: max((similarity[i, j] for j in chosen), default=0.0) for i in left}
        gain = {i: mix * relevance[i] - (1 - mix) * nearest[i] for i in left}
        best = max(left, key=gain.get)
        chosen.append(best)
        gains.append(float(gain[best]))
    return chosen, gains


def arrays(relevance, similarity, kinds, k, mix, most):
    room = {int(kind): most for kind in kinds}
    nearest, chosen, gains = np.zeros(len(relevance)), [], []
    free = np.ones(len(relevance), dtype=bool)
    for step in range(k):
        able = free & np.array([room[int(kind)] > 0 for kind in kinds])
        if not able.any():
            break
        gain = np.where(able, mix * relevance - (1 - mix) * nearest, -np.inf)
        best = int(gain.argmax())
        nearest = similarity[:, best].copy() if step == 0 else np.maximum(nearest, similarity[:, best])
        free[best], room[int(kinds[best])] = False, room[int(kinds[best])] - 1
        chosen.append(best)
        gains.append(float(gain[best]))
    return chosen, gains


def one_by_one(relevance, similarity, kinds, k, mix, most):
    chosen, gains = [], []
    for _ in range(k):
        best, top = None, -float("inf")
        for i in range(len(relevance)):
            if i in chosen or sum(int(kinds[j] == kinds[i]) for j in chosen) >= most:
                continue
            like = max([float(similarity[i][j]) for j in chosen]) if chosen else 0.0
            gain = mix * float(relevance[i]) - (1 - mix) * like
            if gain > top:
                best, top = i, gain
        if best is None:
            return chosen, gains
        chosen, gains = [*chosen, best], [*gains, top]
    return chosen, gains


def gives_up(relevance, similarity, kinds, k, mix, most):
    """Stops as soon as the best film has no room."""
    chosen, gains = shelf(relevance, similarity, kinds, k, mix, len(relevance))
    for n in range(len(chosen)):
        if [kinds[i] for i in chosen[:n]].count(kinds[chosen[n]]) >= most:
            return chosen[:n], gains[:n]
    return chosen, gains


EXERCISE = Exercise(
    title="A shelf that is not all of one kind",
    points=3,
    minutes=20,
    difficulty=3,
    tolerance=1e-4,
    cases=cases,
    teaches=("recommend.diversify",),
    reference=shelf,
    alternatives=(arrays, one_by_one),
    equal=(
        (
            "nearest = similarity[:, best] if step == 0 else np.maximum(nearest, similarity[:, best])",
            "np.maximum makes a new array: nothing is written into the given one",
        ),
    ),
    mistakes=(
        mistake(
            "unlike the last one only",
            "for j in chosen), default=0.0) -> for j in chosen[-1:]), default=0.0)",
            "The new film must be unlike all that stand there, not only the last.",
        ),
        mistake(
            "unlike the first one only",
            "for j in chosen), default=0.0) -> for j in chosen[:1]), default=0.0)",
            "The new film must be unlike all that stand there, not only the first.",
        ),
        mistake(
            "the mean similarity",
            "max((similarity[i, j] for j in chosen), default=0.0) -> "
            "np.mean([similarity[i, j] for j in chosen]) if chosen else 0.0",
            "The nearest one on the shelf counts: a twin is a twin, however many others stand there.",
        ),
        mistake(
            "the least similar one",
            "max((similarity[i, j] for j in chosen), default=0.0) -> "
            "min((similarity[i, j] for j in chosen), default=0.0)",
            "The nearest one on the shelf counts.",
        ),
        mistake(
            "similar to any film, chosen or not",
            "max((similarity[i, j] for j in chosen), default=0.0) -> "
            "max(similarity[i, j] for j in range(len(relevance)) if j != i)",
            "Only what stands on the shelf counts.",
        ),
        mistake(
            "never a bonus for being the opposite",
            "max((similarity[i, j] for j in chosen), default=0.0) -> "
            "max([similarity[i, j] for j in chosen] + [0.0])",
            "A similarity may be below 0; it counts as it is.",
        ),
        mistake(
            "mix turned round",
            "mix * relevance[i] - (1 - mix) * nearest[i] -> (1 - mix) * relevance[i] - mix * nearest[i]",
            "`mix` weighs the relevance: with 1 nothing else counts.",
        ),
        mistake(
            "likeness rewarded",
            "- (1 - mix) * nearest[i] -> + (1 - mix) * nearest[i]",
            "Being like those on the shelf is subtracted.",
        ),
        mistake(
            "relevance alone",
            "mix * relevance[i] - (1 - mix) * nearest[i] -> relevance[i]",
            "Being like those on the shelf is subtracted.",
        ),
        mistake(
            "nothing subtracted",
            "mix * relevance[i] - (1 - mix) * nearest[i] -> mix * relevance[i]",
            "Being like those on the shelf is subtracted.",
        ),
        mistake(
            "the first film's relevance without mix",
            "mix * relevance[i] - (1 - mix) * nearest[i] -> "
            "mix * relevance[i] - (1 - mix) * nearest[i] if chosen else relevance[i]",
            "`mix` weighs the first film, too.",
        ),
        mistake(
            "the similarities added up",
            "max((similarity[i, j] for j in chosen), default=0.0) -> sum(similarity[i, j] for j in chosen)",
            "The nearest one on the shelf counts, not all of them together.",
        ),
        mistake(
            "stopped where the best film has no room",
            gives_up,
            "The best one of those that have room is taken.",
        ),
        mistake(
            "stopped at a gain below 0",
            "chosen.append(best) -> if gain[best] < 0:\n    break\nchosen.append(best)",
            "A gain may be below 0: the shelf is filled as long as something may stand there.",
        ),
        mistake(
            "the limit of a kind ignored",
            "taken.count(kinds[i]) < most -> True",
            "At most `most` films of one kind may stand there.",
        ),
        mistake(
            "one of a kind too many",
            "taken.count(kinds[i]) < most -> taken.count(kinds[i]) <= most",
            "With `most` of a kind on the shelf there is no room for another.",
        ),
        mistake(
            "one of a kind only",
            "taken.count(kinds[i]) < most -> kinds[i] not in taken",
            "As many as `most` of one kind may stand there.",
        ),
        mistake(
            "chosen again",
            "if i not in chosen and taken.count(kinds[i]) < most -> if taken.count(kinds[i]) < most",
            "A film stands on the shelf once.",
        ),
        mistake(
            "of equal gains the last",
            "max(left, key=gain.get) -> max(left[::-1], key=gain.get)",
            "Of equal gains the first in the list is taken.",
        ),
        mistake(
            "one too few",
            "while len(chosen) < k - 1:",
            "k films are wanted.",
        ),
    ),
    hints=(
        "One film at a time: among those that are not there and whose kind has room.",
        "gain = mix * relevance - (1 - mix) * similarity to the nearest on the shelf; 0 for an empty shelf.",
        "If nothing is left that may stand there, stop.",
    ),
)
