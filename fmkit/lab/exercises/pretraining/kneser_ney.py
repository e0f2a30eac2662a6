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
    return [
        (np.array([0, 0, 0, 1, 1]), 3, 0.5),
        case(40, 6, 5),
        (ids, V, D),
        case(11, 9, 4),
        skewed,
        (np.array([2, 0]), 3, 0.75),
        (np.array([3, 1, 3, 1, 1, 0]), 5, 0.25),
    ]


def kneser_ney(ids, V, D):
    counts = np.zeros((V, V))
    np.add.at(counts, (ids[:-1], ids[1:]), 1.0)
    before = (counts > 0).sum(0)  # how many different tokens stood before each
    below = before / before.sum()
    total = counts.sum(1, keepdims=True)
    kinds = (counts > 0).sum(1, keepdims=True)
    kept = np.maximum(counts - D, 0)
    saved = D * kinds * below
    p = (kept + saved) / np.maximum(total, 1)
    return np.where(total > 0, p, below)


def by_pairs(ids, V, D):
    counts = np.bincount(ids[:-1] * V + ids[1:], minlength=V * V).reshape((V, V))
    different = np.unique(ids[:-1] * V + ids[1:])
    below = np.bincount(different % V, minlength=V) / len(different)
    p = np.tile(below, (V, 1))
    for c in set(ids[:-1].tolist()):
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


NOT_USED = "where total is 0, the row is replaced"

EXERCISE = Exercise(
    title="Kneser and Ney's discount",
    points=3,
    minutes=25,
    difficulty=3,
    cases=cases,
    reference=kneser_ney,
    alternatives=(by_pairs, dictionaries),
    equal=(
        ("before = (counts > 0).mean(0)", "it is divided by its sum"),
        ("total = counts.sum(-1, keepdims=True)", "of two axes the last is 1"),
        ("kinds = (counts > 0).sum(-1, keepdims=True)", "of two axes the last is 1"),
        ("for c in ids[:-1].tolist():", "a row that is written twice is the same row"),
        ("p = (kept + saved) / total", NOT_USED),
        ("p = (kept + saved) / np.maximum(total, 0)", NOT_USED),
    ),
    mistakes=(
        mistake(
            "plain frequencies as the lower level",
            "before = counts.sum(0)",
            "That is the guess by frequency. Kneser and Ney count in how many different pairs a token came "
            "second.",
        ),
        mistake(
            "plain frequencies, of all tokens, as the lower level",
            "before = np.bincount(ids, minlength=V)",
            "That is the guess by frequency. Kneser and Ney count in how many different pairs a token came "
            "second.",
        ),
        mistake(
            "counted what comes after, not what stood before",
            "before = (counts > 0).sum(1)",
            "For q(w) look down the column of w: which tokens stood before it?",
        ),
        mistake(
            "q divided by V",
            "below = before / V",
            "q is a distribution: by what must the counts be divided for it to sum to 1?",
        ),
        mistake(
            "q not divided",
            "below = before",
            "q is a distribution: by what must the counts be divided for it to sum to 1?",
        ),
        mistake(
            "the lower level uniform",
            "below = np.full(V, 1 / V)",
            "The saved share goes to the tokens in proportion to q, not to all alike.",
        ),
        mistake(
            "the saved share spread evenly",
            "saved = D * kinds / V",
            "The saved share goes to the tokens in proportion to q, not to all alike.",
        ),
        mistake(
            "uniform where nothing followed",
            "return np.where(total > 0, p, 1 / V)",
            "Where nothing ever followed a token, the row is q.",
        ),
        mistake(
            "the last token counted as a context",
            "total = np.bincount(ids, minlength=V)[:, None]",
            "The last token has no successor: the pairs are ids[:-1] with ids[1:].",
        ),
        mistake(
            "the last token counted as a context in n(c), but not where nothing followed",
            (
                "total = np.bincount(ids, minlength=V)[:, None]",
                "return np.where(counts.sum(1, keepdims=True) > 0, p, below)",
            ),
            "The last token has no successor: n(c) counts the places where something followed.",
        ),
        mistake(
            "the pairs closed to a ring",
            "np.add.at(counts, (ids, np.roll(ids, -1)), 1.0)",
            "np.roll makes a pair of the last token and the first: nothing followed the last one.",
        ),
        mistake(
            "each pair counted the other way round",
            "np.add.at(counts, (ids[1:], ids[:-1]), 1.0)",
            "counts[c, w] is for w *after* c: which of ids[:-1] and ids[1:] is the row?",
        ),
        mistake(
            "the table transposed",
            "return np.where(total > 0, p, below).T",
            "p[c, w]: the row is what was read, the column what is guessed. Each row sums to 1.",
        ),
        mistake(
            "kinds counted down the columns",
            "kinds = (counts > 0).sum(0)[:, None]",
            "kinds(c) is for the *followers* of c: along the row of c.",
        ),
        mistake(
            "kinds counted down the columns, and used for w",
            "kinds = (counts > 0).sum(0, keepdims=True)",
            "kinds(c) is for the *followers* of c: along the row of c.",
        ),
        mistake(
            "how often instead of how many different",
            "kinds = counts.sum(1, keepdims=True)",
            "D was taken once from every *different* follower: how many were that?",
        ),
        mistake(
            "nothing taken off",
            "kept = counts",
            "Sum a row: is it 1? What is given back must have been taken off before.",
        ),
        mistake(
            "a share taken off, not D",
            "kept = counts * (1 - D)",
            "D is taken off each count, however large: count - D, not count times (1 - D).",
        ),
        mistake(
            "taken off what was never seen, too",
            "kept = counts - D",
            "Look for negative numbers: a count of 0 has nothing to give.",
        ),
        mistake(
            "one discount saved, however many were taken",
            "saved = D * below",
            "D was taken from every pair of this row that was seen: how many were that?",
        ),
        mistake(
            "the saved share not given back",
            "p = kept / np.maximum(total, 1)",
            "Sum a row: is it 1? Where did the discounts go?",
        ),
        mistake(
            "the saved share not divided by n(c)",
            "p = kept / np.maximum(total, 1) + saved",
            "Sum a row: is it 1? Both halves of the formula are divided by n(c).",
        ),
        mistake(
            "the discount taken off after the division",
            "p = np.maximum(counts / np.maximum(total, 1) - D, 0) + saved / np.maximum(total, 1)",
            "D is taken off the count, not off the share: first count - D, then divide by n(c).",
        ),
        mistake(
            "backed off only where the count is 0",
            "p = np.where(counts > 0, kept, saved) / np.maximum(total, 1)",
            "Every token gets its part of the saved share, also one that was seen after c.",
        ),
        mistake(
            "the saved share given only to what was seen",
            "saved = D * kinds * below * (counts > 0)",
            "What was never seen after c must get something too: that is what the discount was saved for.",
        ),
        mistake(
            "an unseen context gives zeros",
            "return p",
            "Where nothing ever followed a token, what do you still know about the next one?",
        ),
        mistake(
            "an unseen context gives NaN: 0 / 0",
            ("p = (kept + saved) / total", "return p"),
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
