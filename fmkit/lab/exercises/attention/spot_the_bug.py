"""One layer of a language model, mended: rows apart, places known, no future."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.exercises.attention._shared import softmax
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, t, c, d, v, places, size=1.5):
        wte, wpe = rng.normal(size=(v, c)), rng.normal(size=(places, c))
        wq, wk = (size * rng.normal(size=(c, d)) / np.sqrt(c) for _ in "qk")
        ids = rng.integers(0, v, (b, t))
        ids[0, :2], ids[-1, -1] = v - 1, 0  # a token twice, and token 0
        return ids, wte, wpe, wq, wk, rng.normal(size=(c, c)) / np.sqrt(c)

    return [
        case(2, 2, 1, 1, 2, 3),
        case(1, 3, 1, 2, 2, 3),
        case(3, 5, 4, 3, 7, 8),
        case(4, 4, 3, 2, 6, 9),
        case(1, 6, 5, 4, 8, 9),
        case(5, 3, 4, 6, 9, 10),
        case(2, 5, 3, 4, 4, 5),  # not a place more than there must be
        _tens_of_thousands(rng),
        as_float32(case(2, 4, 6, 3, 5, 6)),
    ]


def _tens_of_thousands(rng):
    """In text 0 the future shouts at 30,000, in text 1 all scores are near -30,000."""
    ids = np.array([[0, 0, 0, 2], [1, 1, 1, 1]])
    wte, wpe = rng.normal(size=(3, 4)), rng.normal(size=(6, 4))
    wte[:, 0], wpe[:, 0] = (0.0, -3.0, 3.0), 1e-4 * rng.permutation(6)
    wte[:, 1], wpe[:, 1] = 0.0, 1.0
    wq, wk = np.zeros((4, 3)), np.zeros((4, 3))
    wq[1, 0], wk[0, 0] = 100.0 * math.sqrt(3), 100.0
    return ids, wte, wpe, wq, wk, rng.normal(size=(4, 4)) / 2


def next_token_scores(ids, wte, wpe, wq, wk, wv):
    T = ids.shape[1]
    x = wte[ids] + wpe[:T]  # (B, T, C)
    q, k, v = x @ wq, x @ wk, x @ wv
    scores = q @ k.swapaxes(1, 2) / math.sqrt(q.shape[-1])  # (B, T, T): within each row
    scores = np.where(np.tri(T, dtype=bool), scores, -np.inf)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    out = e / e.sum(-1, keepdims=True) @ v
    return (x + out) @ wte.T


def loop(ids, wte, wpe, wq, wk, wv):
    logits = np.empty((*ids.shape, len(wte)), wte.dtype)
    for b, t in np.ndindex(ids.shape):
        past = np.stack([wte[i] + p for i, p in zip(ids[b, : t + 1], wpe, strict=False)])
        query = np.dot(past[-1], wq)
        scores = np.dot(np.dot(past, wk), query) / math.sqrt(len(query))
        out = np.dot(softmax(scores), np.dot(past, wv))
        logits[b, t] = np.dot(wte, past[-1] + out)
    return logits


def additive(ids, wte, wpe, wq, wk, wv):
    T = ids.shape[-1]
    x = wte[ids] + wpe[np.arange(T)]
    hidden = np.triu(np.full((T, T), -np.inf, x.dtype), 1)
    weights = softmax(np.einsum("btd,bsd->bts", x @ wq, x @ wk) / math.sqrt(wk.shape[1]) + hidden)
    return np.einsum("btc,vc->btv", x + weights @ (x @ wv), wte)


# the three bugs of the printed model
OVER_BATCH = (
    "q, k, v = x @ wq, x @ wk, x @ wv -> y = x.swapaxes(0, 1)\nq, k, v = y @ wq, y @ wk, y @ wv",
    "return (x + out.swapaxes(0, 1)) @ wte.T",
)
NO_POSITIONS = "x = wte[ids]"
NO_MASK = "scores = np.where(np.tri(T, dtype=bool), scores, -np.inf) ->"

EXERCISE = Exercise(
    title="Spot the bug: three in one language model",
    points=4,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=next_token_scores,
    alternatives=(loop, additive),
    equal=(
        ("scores = q @ k.swapaxes(2, 1) / math.sqrt(q.shape[-1])", "exchanging two axes has no order"),
        ("scores = np.where(np.tri(T), scores, -np.inf)", "to np.where 0.0 and 1.0 are truth values, too"),
    ),
    mistakes=(
        mistake(
            "attends over the batch, no positions, no causal mask",
            (*OVER_BATCH, NO_POSITIONS, NO_MASK),
            "Nothing is mended yet. Start with this: which axis of (B, T, C) do the keys stand on?",
        ),
        mistake(
            "attends over the batch, no causal mask",
            (*OVER_BATCH, NO_MASK),
            "The two axes B and T: within which of them should a token look around?",
        ),
        mistake(
            "attends over the batch and is masked there, no positions",
            (*OVER_BATCH, NO_POSITIONS, "np.tri(T -> np.tri(len(ids)"),
            "Two texts of a batch have nothing to do with each other: attend along T, and mask there.",
        ),
        mistake(
            "attends over the batch and is masked there",
            (*OVER_BATCH, "np.tri(T -> np.tri(len(ids)"),
            "Two texts of a batch have nothing to do with each other: attend along T, and mask there.",
        ),
        mistake(
            "masked along T, but still over the batch",
            OVER_BATCH,  # raises an exception unless B is T
            "Your mask is (T, T), but the scores compare rows of the batch: which line turned the axes "
            "round?",
        ),
        mistake(
            "no positions, no causal mask",
            (NO_POSITIONS, NO_MASK),
            "Two bugs are left: nobody knows where it stands, and everybody sees the future.",
        ),
        mistake("no causal mask", NO_MASK, "One bug is left: position t must not see what comes after it."),
        mistake(
            "no positions",
            NO_POSITIONS,
            "One bug is left: shuffle the past, and the last token does not notice.",
        ),
        mistake(
            "a position for each row of the batch",
            "x = wte[ids] + wpe[: len(ids), None]",
            "wpe[t] belongs to the place t in the text, not to the row of the batch.",
        ),
        mistake(
            "the position looked up by the token",
            "wpe[:T] -> wpe[ids]",
            "wpe[t] belongs to the place t in the text, whatever token stands there.",
        ),
        mistake(
            "the last places of the table, not the first",
            "wpe[:T] -> wpe[-T:]",
            "The first token stands at place 0: wpe[0].",
        ),
        mistake(
            "places counted from 1",
            "wpe[:T] -> wpe[1 : T + 1]",
            "The first token stands at place 0: wpe[0].",
        ),
        mistake(
            "the whole table of places",
            "wpe[:T] -> wpe",  # an exception, unless there are T places
            "wpe may have more places than the text has tokens.",
        ),
        mistake(
            "positions only in the residual, not in the attention",
            (NO_POSITIONS, "return (x + wpe[:T] + out) @ wte.T"),
            "Who attends must know the places, too: add them before the queries and keys are made.",
        ),
        mistake(
            "values without their places",
            "q, k, v = x @ wq, x @ wk, wte[ids] @ wv",
            "All three are made of one x, words and places together.",
        ),
        mistake(
            "queries and keys without their places",
            "q, k, v = wte[ids] @ wq, wte[ids] @ wk, x @ wv",
            "All three are made of one x, words and places together.",
        ),
        mistake(
            "one of the two swapaxes left in",
            "x + out -> x + out.swapaxes(0, 1)",  # an exception, unless B is T
            "The axes were turned round twice: both lines go.",
        ),
        mistake(
            "the future's scores set to 0, not to -inf",
            "-np.inf -> 0.0",
            "exp(0) is 1, a vote like any other. Which score has exp 0?",
        ),
        mistake(
            "the future's scores lowered by a number: not enough",
            "np.where(np.tri(T, dtype=bool), scores, -np.inf) -> "
            "scores + np.where(np.tri(T, dtype=bool), 0.0, -1e4).astype(scores.dtype)",
            "A score of 30,000 in the future stays above all others: -inf is lower than any number.",
        ),
        mistake(
            "the future's scores set to -10000: not low enough",
            "-np.inf -> -1e4",
            "Where all that is visible lies at -30,000, a future at -10,000 wins: -inf is below any number.",
        ),
        mistake(
            "0 times infinity: the mask multiplied by -inf",
            "np.where(np.tri(T, dtype=bool), scores, -np.inf) -> "
            "scores + (1 - np.tri(T, dtype=scores.dtype)) * -np.inf",
            "0 times -inf is not a number: choose with np.where, do not multiply.",
        ),
        mistake(
            "softmax over the queries",
            ("scores.max(-1 -> scores.max(1", "e.sum(-1 -> e.sum(1"),
            "The softmax was right as it was: each query has weights that add up to 1.",
        ),
        mistake(
            "exp without taking the maximum off",
            "e = np.exp(scores)",
            "exp(1000) is inf: take each row's maximum off, as the printed function did.",
        ),
        mistake(
            "masked after the softmax",
            (NO_MASK, "out = e / e.sum(-1, keepdims=True) * np.tri(T, dtype=bool) @ v"),
            "Hide before the softmax, or the future still counts below the fraction line.",
        ),
        mistake(
            "masked after exp, and divided again",
            (NO_MASK, "e = np.exp(scores - scores.max(-1, keepdims=True)) * np.tri(T, dtype=bool)"),
            "Where the future holds the largest score, all that is visible rounds to 0: hide it before "
            "the maximum is taken.",
        ),
        mistake(
            "sees the next token",
            "np.tri(T, dtype=bool) -> np.tri(T, k=1, dtype=bool)",
            "Your mask lets one too many through: the diagonal is the last to be seen.",
        ),
        mistake(
            "the mask hides the past",
            "np.tri(T, dtype=bool) -> np.tri(T, dtype=bool).T",
            "Row t is the token that looks; it may look at columns 0 to t.",
        ),
        mistake(
            "cannot see itself",
            "np.tri(T, dtype=bool) -> np.tri(T, k=-1, dtype=bool)",  # row 0 is 0 / 0
            "A token may see itself, and the first has nobody else: its row is 0 / 0.",
        ),
        mistake(
            "no 1/sqrt(D)",
            "k.swapaxes(1, 2) / math.sqrt(q.shape[-1]) -> k.swapaxes(1, 2)",
            "The scores were divided by the root of D, and should stay so.",
        ),
        mistake(
            "the root of C, not of D",
            "q.shape[-1] -> x.shape[-1]",
            "The root was right as it was: how many products are added up in one score?",
        ),
        mistake(
            "float64 out of float32",
            "-np.inf -> np.full((T, T), -np.inf)",
            "np.full and np.zeros make float64 unless told otherwise, and so does np.sqrt of a number; "
            "it spreads.",
        ),
        mistake(
            "adds the words back without their places",
            "return (wte[ids] + out) @ wte.T",
            "The residual adds what went into the attention: words and places.",
        ),
        mistake("forgot to add x back", "return out @ wte.T", "The output is x plus what attention found."),
    ),
    hints=(
        "Write the shape behind every line. Over which axis do the scores compare?",
        "Ask three questions: does another row matter? does the order of the past matter? does the "
        "future matter?",
        "Each bug is mended by one line: no swapaxes, wpe[:T] added, scores above the diagonal at -inf.",
    ),
)
