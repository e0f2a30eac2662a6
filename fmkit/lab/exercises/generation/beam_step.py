"""One step of a beam search, with texts that are done."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    ends = [int(end) for end in rng.permutation(np.arange(8) % 4)]  # not all the same

    def case(rows, v, n, done=(), spread=1.0):
        ended = np.zeros(rows, dtype=bool)
        ended[list(done)] = True
        sums = rng.permutation(-np.linspace(1.0, 1.6, rows) - rng.uniform(0, 0.05, rows))
        sums[ended] = -rng.uniform(0.3, 0.6, ended.sum())  # the best so far
        logits = spread * rng.normal(size=(rows, v)) + 2.0 * rng.normal(size=(rows, 1))
        end = ends.pop()
        logits[ended, end] = logits[ended].max(1) + 0.3
        return sums, ended, logits, end, n

    first = (np.zeros(1), np.zeros(1, dtype=bool), rng.normal(size=(1, 6)), int(rng.integers(4)), 3)
    huge = case(4, 5, 4, done=[1])
    huge[2][:] += np.array([1000.0, 0.0, -1000.0, 500.0])[:, None]
    sure = case(3, 7, 3)
    sure[2][int(sure[0].argmax())] = np.r_[8.0, 7.9, rng.uniform(-1, 1, 5)]  # its two best beat the others
    cases = [case(4, 6, 5, done=[2]), case(3, 9, 4, done=[0]), case(5, 4, 6, done=[1, 3])]
    return [*cases, first, huge, sure, as_float32(case(4, 8, 3, done=[3], spread=1.5))]


def beam_step(sums, done, logits, end, n):
    top = logits.max(1, keepdims=True)
    logp = logits - top - np.log(np.exp(logits - top).sum(1, keepdims=True))
    logp[done] = -np.inf  # a finished text cannot grow
    logp[done, end] = 0  # but stays, at no cost
    total = sums[:, None] + logp  # (N, V)
    best = np.argsort(-total, axis=None)[:n]
    rows, tokens = np.divmod(best, logits.shape[1])
    return rows, tokens, total[rows, tokens]


def loop(sums, done, logits, end, n):
    found = []
    for row, scores in enumerate(logits):
        if done[row]:
            found.append((sums[row], row, end))
            continue
        lse = scores.max() + np.log(np.exp(scores - scores.max()).sum())
        found += [(sums[row] + z - lse, row, token) for token, z in enumerate(scores)]
    found = sorted(found, key=lambda text: -text[0])[:n]
    totals, rows, tokens = zip(*found, strict=True)
    return np.array(rows), np.array(tokens), np.array(totals)


def in_two_parts(sums, done, logits, end, n):
    V = logits.shape[1]
    e = np.exp(logits - logits.max(1, keepdims=True))
    total = sums[:, None] + (logits - logits.max(1, keepdims=True)) - np.log(e.sum(1, keepdims=True))
    open_rows, done_rows = np.flatnonzero(~done), np.flatnonzero(done)
    scores = np.concatenate([total[open_rows].ravel(), sums[done_rows]])
    rows = np.concatenate([np.repeat(open_rows, V), done_rows])
    tokens = np.concatenate([np.tile(np.arange(V), len(open_rows)), np.full(len(done_rows), end)])
    best = np.argsort(scores)[::-1][:n]
    return rows[best], tokens[best], scores[best]


EXERCISE = Exercise(
    title="One step of a beam search",
    points=3,
    minutes=15,
    difficulty=4,
    cases=cases,
    reference=beam_step,
    alternatives=(loop, in_two_parts),
    mistakes=(
        mistake(
            "logits instead of log-probabilities",
            "logp = logits.copy()",
            "Logits of different texts have different zeros: log-softmax each row before you compare.",
        ),
        mistake(
            "probabilities instead of their logarithms",
            "logp = np.exp(logits - top) / np.exp(logits - top).sum(1, keepdims=True)",
            "Probabilities along a text multiply; what adds up is their logarithms.",
        ),
        mistake(
            "the sums so far forgotten",
            "total = logp",
            "A text's score is its sum so far and the new log-probability.",
        ),
        mistake(
            "only the best token of each text",
            ("best = np.argsort(-total.max(1))[:n]", "rows, tokens = best, total.argmax(1)[best]"),
            "Two of the best may continue the same text: compare all N times V of them.",
        ),
        mistake(
            "a finished text grows on",
            ("logp[done] = -np.inf ->", "logp[done, end] = 0 ->"),
            "A text that is done may only take `end` again.",
        ),
        mistake(
            "a finished text is dropped",
            "logp[done, end] = 0 ->",
            "A text that is done stays in the race, with its sum as it is.",
        ),
        mistake(
            "a finished text pays for its end again",
            ("logp[done] -> logp[done, :end] = logp[done, end + 1 :]", "logp[done, end] = 0 ->"),
            "A text that is done keeps its sum: staying costs nothing.",
        ),
        mistake(
            "the worst of the best first",
            "best = np.argsort(-total, axis=None)[:n][::-1]",
            "The best one comes first.",
        ),
        mistake(
            "the flat place cut by N instead of V",
            ("rows, tokens = np.divmod(best, len(logits))", "total[rows, tokens] -> total.ravel()[best]"),
            "In a flattened (N, V) array a row is V long: what does dividing a place by V tell?",
        ),
        mistake(
            "rows and tokens swapped",
            "return tokens, rows, total[rows, tokens]",
            "Which comes first in the result, the text or the token?",
        ),
    ),
    hints=(
        "Make an (N, V) table of scores: sums[:, None] plus the log-softmax of each row.",
        "Before that, in the rows that are done: everything -inf, except `end`, which costs 0.",
        "np.argsort(-total, axis=None)[:n] are flat places; np.divmod(places, V) gives rows and tokens.",
    ),
)
