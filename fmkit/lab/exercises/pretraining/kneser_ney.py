"""A table of pairs, interpolated as Kneser and Ney do it."""

import itertools

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, V, used):
        ids = rng.integers(0, used, n)  # the tokens from `used` on are never seen
        ids[-1] = ids[0]  # the last token was a context before, but is none at the end
        ids[1:3] = 1, 2  # a token comes after different ones
        return ids, V, float(rng.uniform(0.3, 0.9))

    ids, V, D = case(30, 7, 6)
    ids[-1] = 6  # seen at the very end only: never a context
    skewed = np.repeat(rng.permutation(4), [9, 1, 2, 5]), 4, float(rng.uniform(0.3, 0.9))
    return [case(40, 6, 5), (ids, V, D), case(11, 9, 4), skewed, (np.array([2, 0]), 3, 0.75)]


def kneser_ney(ids, V, D):
    counts = np.zeros((V, V))
    np.add.at(counts, (ids[:-1], ids[1:]), 1.0)
    before = (counts > 0).sum(0)  # how many different tokens stood before each
    below = before / before.sum()
    total = counts.sum(1, keepdims=True)
    kinds = (counts > 0).sum(1, keepdims=True)
    p = (np.maximum(counts - D, 0) + D * kinds * below) / np.maximum(total, 1)
    return np.where(total > 0, p, below)


def by_pairs(ids, V, D):
    counts = np.bincount(ids[:-1] * V + ids[1:], minlength=V * V).reshape(V, V)
    different = np.unique(ids[:-1] * V + ids[1:])
    below = np.bincount(different % V, minlength=V) / len(different)
    p = np.tile(below, (V, 1))
    for c in np.flatnonzero(counts.sum(1)):
        seen = np.where(counts[c] > 0, counts[c] - D, 0.0)
        p[c] = seen / counts[c].sum()
        p[c] += (1 - p[c].sum()) * below  # what is missing to 1
    return p


def dictionaries(ids, V, D):
    followers = {c: {} for c in range(V)}
    for c, w in itertools.pairwise(ids.tolist()):
        followers[c][w] = followers[c].get(w, 0) + 1
    kinds = sum(len(seen) for seen in followers.values())
    below = [sum(w in seen for seen in followers.values()) / kinds for w in range(V)]
    p = np.zeros((V, V))
    for c, seen in followers.items():
        total = sum(seen.values())
        for w in range(V):
            saved = D * len(seen) / total * below[w] if seen else below[w]
            p[c, w] = (seen[w] - D) / total + saved if w in seen else saved
    return p


EXERCISE = Exercise(
    title="Kneser and Ney's discount",
    points=3,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=kneser_ney,
    alternatives=(by_pairs, dictionaries),
    mistakes=(
        mistake(
            "plain frequencies as the lower level",
            "before = counts.sum(0)",
            "That is the guess by frequency. Kneser and Ney count in how many different pairs a token came "
            "second.",
        ),
        mistake(
            "counted what comes after, not what stood before",
            "before = (counts > 0).sum(1)",
            "For q(w) look down the column of w: which tokens stood before it?",
        ),
        mistake(
            "the saved share spread evenly",
            "below = np.full(V, 1 / V)",
            "The saved share goes to the tokens in proportion to q, not to all alike.",
        ),
        mistake(
            "the last token counted as a context",
            "total = np.bincount(ids, minlength=V)[:, None]",
            "The last token has no successor: the pairs are ids[:-1] with ids[1:].",
        ),
        mistake(
            "nothing taken off",
            "p = (counts + D * kinds * below) / np.maximum(total, 1)",
            "Sum a row: is it 1? What is given back must have been taken off before.",
        ),
        mistake(
            "taken off what was never seen, too",
            "p = (counts - D + D * kinds * below) / np.maximum(total, 1)",
            "Look for negative numbers: a count of 0 has nothing to give.",
        ),
        mistake(
            "one discount saved, however many were taken",
            "p = (np.maximum(counts - D, 0) + D * below) / np.maximum(total, 1)",
            "D was taken from every pair of this row that was seen: how many were that?",
        ),
        mistake(
            "the saved share not given back",
            "p = np.maximum(counts - D, 0) / np.maximum(total, 1)",
            "Sum a row: is it 1? Where did the discounts go?",
        ),
        mistake(
            "backed off only where the count is 0",
            "p = np.where(counts > 0, counts - D, D * kinds * below) / np.maximum(total, 1)",
            "In the interpolated form every token gets its part of the saved share, also one that was seen.",
        ),
        mistake(
            "an unseen context gives zeros",
            "return p",
            "Where nothing ever followed a token, what do you still know about the next one?",
        ),
        mistake(
            "repeated pairs counted once",
            "np.add.at(counts, (ids[:-1], ids[1:]), 1.0) -> counts[ids[:-1], ids[1:]] += 1.0",
            "counts[a, b] += 1 with arrays forgets repeated pairs; np.add.at does not.",
        ),
    ),
    hints=(
        "Begin with counts, a (V, V) table of how often each token came after each. (np.add.at adds repeated "
        "pairs.)",
        "counts > 0 says which pairs exist: its sum down a column is q before it is divided, its sum along a "
        "row is kinds.",
        "Every row must sum to 1, also the row of a token that nothing ever followed.",
    ),
)
