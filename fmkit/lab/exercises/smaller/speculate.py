"""Speculative decoding's rule, for many runs at once. The cases enumerate guesses and random numbers."""

import itertools

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def every_run(p, q, grid):
    """All guesses and all points of a grid: the law of what comes out can be read off exactly."""
    K, V = q.shape
    points = (np.arange(grid) + 0.5) / grid
    drafts = np.array([*itertools.product(range(V), repeat=K)])
    uniforms = np.array([*itertools.product(points, repeat=K + 1)])
    return p, q, drafts.repeat(len(uniforms), axis=0), np.tile(uniforms, (len(drafts), 1))


def cases(rng):
    def case(k, v, n, sharp=1.0):
        p, q = rng.dirichlet(np.full(v, sharp), k + 1), rng.dirichlet(np.full(v, sharp), k)
        drafts = np.array([[rng.choice(v, p=row) for row in q] for _ in range(n)])
        return p, q, drafts, rng.random((n, k + 1))

    example = (
        np.array([[0.5, 0.5], [1.0, 0.0]]),
        np.array([[0.25, 0.75]]),
        np.array([[1], [1]]),
        np.array([[0.6, 0.9], [0.7, 0.9]]),
    )
    law = np.array([[0.5, 0.25, 0.25, 0.0], [0.0, 0.125, 0.125, 0.75]]), np.array([[0.125, 0.125, 0.25, 0.5]])
    two = (
        np.array([[0.5, 0.25, 0.25], [0.0, 0.25, 0.75], [0.25, 0.5, 0.25]]),
        np.array([[0.25, 0.5, 0.25], [0.5, 0.25, 0.25]]),
    )
    apart = np.array([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]), np.array([[0.0, 0.5, 0.5]])  # nothing in common
    same = np.array([[0.25, 0.75], [0.25, 0.75], [0.5, 0.5]]), np.array([[0.25, 0.75], [0.25, 0.75]])
    borders = (  # a number that is p / q, or falls on an edge; 0 where the first token has no piece
        np.array([[0.25, 0.25, 0.5], [0.0, 0.5, 0.5]]),
        np.array([[0.5, 0.25, 0.25]]),
        np.array([[0], [0], [1], [1]]),
        np.array([[0.5, 0.25], [0.25, 0.5], [0.0, 0.0], [0.75, 0.5]]),
    )
    return [
        example,
        borders,
        every_run(*law, 8),
        every_run(*two, 4),
        every_run(*apart, 4),
        every_run(*same, 4),
        case(3, 5, 40),
        case(1, 6, 40, 0.5),
        case(4, 3, 40),
        case(2, 8, 30, 0.3),
    ]


def speculate(p, q, drafts, uniforms):
    K = len(q)
    out = np.full((len(drafts), K + 1), -1)
    for row, draft, u in zip(out, drafts, uniforms, strict=True):
        n = 0
        while n < K and u[n] * q[n, draft[n]] < p[n, draft[n]]:  # u < p/q: it stays
            row[n] = draft[n]
            n += 1
        weights = p[n] if n == K else np.maximum(p[n] - q[n], 0)  # what q gave too little of
        ends = np.cumsum(weights)
        row[n] = np.searchsorted(ends, u[K] * ends[-1], side="right")
    return out


def all_at_once(p, q, drafts, uniforms):
    M, K = drafts.shape
    at = np.arange(K)
    stays = uniforms[:, :K] * q[at, drafts] < p[at, drafts]  # (M, K)
    n = np.cumprod(stays, axis=1).sum(1)  # (M,)
    left = np.maximum(p[:K] - q, 0)
    ends = np.concatenate([left, p[K:]]).cumsum(1)  # (K+1, V)
    point = uniforms[:, K:] * ends[n, -1:]
    out = np.full((M, K + 1), -1)
    kept = at < n[:, None]
    out[:, :K][kept] = drafts[kept]
    out[np.arange(M), n] = (ends[n] <= point).sum(1)
    return out


def with_quotients(p, q, drafts, uniforms):
    result = []
    for draft, u in zip(drafts.tolist(), uniforms.tolist(), strict=True):
        tokens, weights = [], p[-1]
        for k, token in enumerate(draft):
            chance = min(1.0, p[k, token] / q[k, token]) if q[k, token] > 0 else float(p[k, token] > 0)
            if u[k] >= chance:
                weights = np.clip(p[k] - q[k], 0, None)
                break
            tokens.append(token)
        point, token = u[-1] * weights.sum(), 0
        while weights[: token + 1].sum() <= point:
            token += 1
        tokens.append(token)
        result.append(tokens + [-1] * (len(u) - len(tokens)))
    return np.array(result)


STAYS = "while n < K and u[n] * q[n, draft[n]] < p[n, draft[n]]:"
LEFT = "weights = p[n] if n == K else np.maximum(p[n] - q[n], 0)"

DRAW = 'row[n] = np.searchsorted(ends, u[K] * ends[-1], side="right")'
GOES_ON = (
    f"{STAYS} -> while n < K:\n"
    "    if u[n] * q[n, draft[n]] >= p[n, draft[n]]:\n"
    "        gap = np.cumsum(np.maximum(p[n] - q[n], 0))\n"
    '        row[n] = np.searchsorted(gap, u[K] * gap[-1], side="right")\n'
    "        n += 1\n"
    "        continue"
)


def from_p_alone(p, q, drafts, uniforms):
    ends = np.cumsum(p, axis=1)  # (K+1, V)
    return np.minimum((ends <= uniforms[:, :, None]).sum(2), p.shape[1] - 1)


EXERCISE = Exercise(
    title="Guess, check, and leave the law alone",
    points=4,
    minutes=30,
    difficulty=4,
    cases=cases,
    reference=speculate,
    alternatives=(all_at_once, with_quotients),
    equal=(
        ("weights = p[n] if n >= K else np.maximum(p[n] - q[n], 0)", "n never exceeds K"),
        ("n = np.cumprod(stays, axis=1).sum(-1)", "the last axis, by its other number"),
        ("n = np.cumprod(stays, axis=-1).sum(1)", "the last axis, by its other number"),
        ("ends = np.concatenate([left, p[K:]]).cumsum(-1)", "the last axis, by its other number"),
        ("out[np.arange(M), n] = (ends[n] <= point).sum(-1)", "the last axis, by its other number"),
        ("kept = at <= n[:, None]", "what is too much is written over"),
    ),
    teaches=("speculative.verify",),
    mistakes=(
        mistake(
            "the ratio upside down",
            "u[n] * q[n, draft[n]] < p[n, draft[n]] -> u[n] * p[n, draft[n]] < q[n, draft[n]]",
            "A guess stays with probability p / q: what the draft overrates goes more often.",
        ),
        mistake(
            "draws again from p after a rejection",
            "weights = p[n]",
            "What the guesses gave already must not come again: draw from max(p - q, 0).",
        ),
        mistake(
            "the distance |p - q| for what is left",
            f"{LEFT} -> weights = p[n] if n == K else np.abs(p[n] - q[n])",
            "Only what q gave too *little* of: max(p - q, 0).",
        ),
        mistake(
            "draws again from the draft",
            f"{LEFT} -> weights = p[n] if n == K else q[n]",
            "The draft has been wrong here: draw from max(p - q, 0).",
        ),
        mistake(
            "no token after the last guess",
            f"{DRAW} -> {DRAW} if n < K else -1",
            "If all stay, the large model's last row is there for nothing: draw one more token.",
        ),
        mistake(
            "goes on after a rejection",
            GOES_ON,
            "The later guesses were made after a token that is gone: the run ends there.",
        ),
        mistake(
            "goes on after a rejection, without the extra token",
            (GOES_ON, f"{DRAW} -> {DRAW} if (row[:K] == draft).all() else -1"),
            "The later guesses were made after a token that is gone: the run ends there.",
        ),
        mistake(
            "stays at p / q, too",
            "u[n] * q[n, draft[n]] < p[n, draft[n]] -> u[n] * q[n, draft[n]] <= p[n, draft[n]]",
            "Below p / q, not at it: a token with p = 0 must go even if the number is 0.",
        ),
        mistake(
            "every token drawn from p, the guesses unused",
            from_p_alone,
            "A guess that stays is the token; row n of p says only how often it stays.",
        ),
        mistake(
            "accepts what p likes best",
            "u[n] * q[n, draft[n]] < p[n, draft[n]] -> draft[n] == p[n].argmax()",
            "That is greedy decoding. The guess stays with probability p / q.",
        ),
        mistake(
            "p of the next place",
            "u[n] * q[n, draft[n]] < p[n, draft[n]] -> u[n] * q[n, draft[n]] < p[n + 1, draft[n]]",
            "Row n of p was computed before guess n, as row n of q was.",
        ),
        mistake(
            "accepts by a coin",
            "u[n] * q[n, draft[n]] < p[n, draft[n]] -> u[n] < 0.5",
            "How often a guess stays depends on p / q.",
        ),
        mistake(
            "accepts every guess",
            STAYS + " -> while n < K:",
            "Then the draft writes the text: a guess stays with probability p / q.",
        ),
        mistake(
            "accepts with probability p",
            "u[n] * q[n, draft[n]] < p[n, draft[n]] -> u[n] < p[n, draft[n]]",
            "The draft has chosen it with probability q already: divide by that.",
        ),
        mistake(
            "accepts where p is larger than q",
            "u[n] * q[n, draft[n]] < p[n, draft[n]] -> q[n, draft[n]] <= p[n, draft[n]]",
            "Where the draft overrates a token it still stays sometimes: with probability p / q.",
        ),
        mistake(
            "the last token from the draft's last row",
            f"{LEFT} -> weights = q[-1] if n == K else np.maximum(p[n] - q[n], 0)",
            "The extra token is the large model's own: p[K].",
        ),
        mistake(
            "the extra token from p one row too early",
            f"{LEFT} -> weights = p[n - 1] if n == K else np.maximum(p[n] - q[n], 0)",
            "After K guesses comes p[K], the last row.",
        ),
        mistake(
            "what is left not made a whole",
            "u[K] * ends[-1] -> u[K]",
            "max(p - q, 0) adds up to less than 1: compare with u times its sum.",
        ),
        mistake(
            "what is left not made a whole, cut at the last token",
            f"{DRAW} -> row[n] = min(np.searchsorted(ends, u[K], side='right'), len(ends) - 1)",
            "max(p - q, 0) adds up to less than 1: compare with u times its sum.",
        ),
        mistake(
            "drawn with the next guess's number",
            "u[K] * ends[-1] -> u[min(n + 1, K)] * ends[-1]",
            "The last number of each run, u[K], is for the draw.",
        ),
        mistake(
            "the number of the rejected guess used again",
            "u[K] * ends[-1] -> u[n] * ends[-1]",
            "That number is known to be large, as the guess went: the last one, u[K], is for the draw.",
        ),
        mistake(
            "on an edge the piece that ends there",
            f"{DRAW} -> row[n] = np.searchsorted(ends, u[K] * ends[-1])",
            "On an edge the piece that *begins* there: side='right'.",
        ),
        mistake(
            "one token of the vocabulary too far left",
            'u[K] * ends[-1], side="right") -> u[K] * ends[-1], side="right") - 1',
            "The first token whose end lies beyond the point.",
        ),
    ),
    hints=(
        "u < p / q without a division: u * q < p. Stop at the first guess where that is false.",
        "Where a guess went, draw from np.maximum(p[n] - q[n], 0); where none went, from p[K].",
        'np.searchsorted(ends, u[K] * ends[-1], side="right") is the token, ends the cumulative sum.',
    ),
)
