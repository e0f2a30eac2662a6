"""One layer of a language model, mended: rows apart, places known, no future."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.exercises.attention._shared import softmax
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, t, c, d, v, size=1.5):
        wte, wpe = rng.normal(size=(v, c)), rng.normal(size=(t + b + 2, c))
        wq, wk = (size * rng.normal(size=(c, d)) / np.sqrt(c) for _ in "qk")
        return rng.integers(0, v, (b, t)), wte, wpe, wq, wk, rng.normal(size=(c, c)) / np.sqrt(c)

    return [case(3, 5, 4, 3, 7), case(4, 4, 3, 2, 6), case(1, 6, 5, 4, 8), case(5, 3, 4, 6, 9)] + [
        case(2, 12, 5, 4, 7, size=40.0),  # scores of 1000 and more
        as_float32(case(2, 4, 6, 3, 5)),
    ]


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
    logits = []
    for row in ids:
        x = np.stack([wte[i] + p for i, p in zip(row, wpe, strict=False)])
        for t in range(len(row)):
            past = x[: t + 1]
            scores = (past @ wk) @ (x[t] @ wq) / math.sqrt(wq.shape[1])
            logits.append(wte @ (x[t] + softmax(scores) @ (past @ wv)))
    return np.array(logits).reshape(*ids.shape, len(wte))


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
            "np.tri(T, dtype=bool) -> np.tri(T, k=-1, dtype=bool) | (np.arange(T) == 0)",
            "A token may see itself: its own name is the best hint at what comes next.",
        ),
        mistake(
            "no 1/sqrt(D)",
            "k.swapaxes(1, 2) / math.sqrt(q.shape[-1]) -> k.swapaxes(1, 2)",
            "The scores were divided by the root of D, and should stay so.",
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
