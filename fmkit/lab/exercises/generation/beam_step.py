"""One step of a beam search, with texts that are done."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    ends = iter(rng.permutation([1, 2, 3, 1, 2, 3, 1, 2, 3, 0]).tolist())  # not all the same

    def case(rows, v, n, done=(), spread=1.0):
        ended = np.zeros(rows, dtype=bool)
        ended[list(done)] = True
        sums = rng.permutation(-np.linspace(1.0, 1.6, rows) - rng.uniform(0, 0.05, rows))
        sums[ended] = -rng.uniform(0.3, 0.6, ended.sum())  # the best so far
        logits = spread * rng.normal(size=(rows, v)) + 2.0 * rng.normal(size=(rows, 1))
        end = next(ends)
        logits[ended, end] = logits[ended].max(1) + 0.3
        return sums, ended, logits, end, n

    example = np.log([[0.6, 0.4], [0.9, 0.1]])
    going, one_done = np.array([False, False]), np.array([False, True])
    unlikely = np.array([[0.0, -150.0, -300.0], [0.0, -1.0, 3.0]])  # a hundred nats are not infinity
    first = (np.zeros(1), going[:1], rng.normal(size=(1, 6)), next(ends), 3)
    huge = case(4, 5, 4, done=[1])
    huge[2][:] += np.array([1000.0, 0.0, -1000.0, 500.0])[:, None]
    far = np.array([[1000.0, -1000.0, -1100.0], [0.0, -5.0, -6.0]])  # a large spread inside a row
    sure = case(3, 7, 3)
    sure[2][int(sure[0].argmax())] = np.r_[8.0, 7.9, rng.uniform(-1, 1, 5)]  # its two best beat the others
    late = case(4, 6, 2)
    late[2][:] = 0.3 * rng.normal(size=(4, 6))
    late[2][int(late[0].argmin()), late[3]] += 9.0  # the worst so far wins, and by its end
    return [
        (np.array([-1.5, -2.0]), one_done, example, 0, 1),
        (np.array([-1.0, -2.0]), one_done, example.copy(), 0, 2),
        (np.array([-2.0, -1.0]), going, rng.permutation([[0.9, -0.3], [1.4, 0.1]]), 1, 3),
        (np.array([-1.0, -2500.0]), going, far, 1, 4),
        (np.array([-1.0, -0.5]), one_done, unlikely, 2, 4),
        (rng.uniform(-2, -1, 2), one_done, rng.normal(size=(2, 3)), 2, 3),
        case(4, 6, 5, done=[2]),
        case(3, 9, 4, done=[0]),
        case(5, 4, 6, done=[1, 3]),
        case(6, 12, 30, done=[4]),
        first,
        huge,
        sure,
        late,
        as_float32(case(4, 8, 3, done=[3], spread=1.5)),
    ]


def beam_step(sums, done, logits, end, n):
    top = logits.max(1, keepdims=True)
    logp = logits - top - np.log(np.exp(logits - top).sum(1, keepdims=True))
    logp[done] = -np.inf  # a finished text cannot grow
    logp[done, end] = 0  # but stays, at no cost
    total = sums[:, None] + logp  # (N, V)
    best = np.argsort(-total, axis=None)[:n]
    rows, tokens = np.divmod(best, logits.shape[1])
    return rows, tokens, total.ravel()[best]


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
    minutes=25,
    difficulty=4,
    cases=cases,
    reference=beam_step,
    alternatives=(loop, in_two_parts),
    mistakes=(
        mistake(
            "logits instead of log-probabilities",
            "logits - top - np.log(np.exp(logits - top).sum(1, keepdims=True)) -> logits.copy()",
            "Logits of different texts have different zeros: log-softmax each row before you compare.",
        ),
        mistake(
            "only the largest logit taken off",
            "logits - top - np.log(np.exp(logits - top).sum(1, keepdims=True)) -> logits - top",
            "The exponentials do not add up to 1 yet: what else does log-softmax take off?",
        ),
        mistake(
            "probabilities instead of their logarithms",
            "logits - top - np.log(np.exp(logits - top).sum(1, keepdims=True)) -> "
            "np.exp(logits - top) / np.exp(logits - top).sum(1, keepdims=True)",
            "Probabilities along a text multiply; what adds up is their logarithms.",
        ),
        mistake(
            "bits instead of nats",
            "np.log(np.exp(logits - top).sum(1, keepdims=True)) -> "
            "np.log(np.exp(logits - top).sum(1, keepdims=True))\nlogp = logp / np.log(2)",
            "The sums so far are in nats: the logarithm is the natural one.",
        ),
        mistake(
            "the logarithm of a softmax that has become 0",
            "logits - top - np.log(np.exp(logits - top).sum(1, keepdims=True)) -> "
            "np.log(np.exp(logits - top) / np.exp(logits - top).sum(1, keepdims=True))",
            "exp(-1000) is 0, and its logarithm -inf: subtract the logarithm of the sum instead.",
        ),
        mistake(
            "log-softmax over the texts",
            ("logits.max(1, keepdims=True) -> logits.max(0)", ".sum(1, keepdims=True) -> .sum(0)"),
            "For each text the probabilities of all tokens add up to 1: which axis is that?",
        ),
        mistake(
            "one log-softmax over all texts",
            ("logits.max(1, keepdims=True) -> logits.max()", ".sum(1, keepdims=True) -> .sum()"),
            "Each text has probabilities of its own, which add up to 1.",
        ),
        mistake(
            "exp without taking the largest logit off",
            "logits - top - np.log(np.exp(logits - top).sum(1, keepdims=True)) -> "
            "logits - np.log(np.exp(logits).sum(1, keepdims=True))",
            "exp(1000) is infinite: subtract each row's largest.",
        ),
        mistake(
            "the sums so far forgotten",
            "total = sums[:, None] + logp -> total = logp",
            "A text's score is its sum so far and the new log-probability.",
        ),
        mistake(
            "multiplied with the sums so far",
            "total = sums[:, None] + logp -> "
            "total = np.where(done[:, None], sums[:, None] + logp, sums[:, None] * logp)",
            "Probabilities multiply, so their logarithms are added.",
        ),
        mistake(
            "the cost of the new token, not the new sum",
            "total.ravel()[best] -> logp.ravel()[best]",
            "The third array is the whole text's new sum, not what this token adds.",
        ),
        mistake(
            "only the best token of each text",
            (
                "best = np.argsort(-total, axis=None)[:n] -> "
                "best = np.arange(len(total)) * total.shape[1] + total.argmax(1)\n"
                "best = best[np.argsort(-total.max(1))][:n]"
            ),
            "Two of the best may continue the same text: compare all N times V of them.",
        ),
        mistake(
            "the n best of each text",
            (
                "best = np.argsort(-total, axis=None)[:n] -> best = np.argsort(-total, axis=1)[:, :n]\n"
                "best = (best + np.arange(len(total))[:, None] * total.shape[1]).ravel()"
            ),
            "The texts compete: n continuations are left in all, whichever text they continue.",
        ),
        mistake(
            "the n best texts so far, and only those go on",
            "total = sums[:, None] + logp -> total = sums[:, None] + logp\n"
            "total[np.argsort(-sums)[n:]] = -np.inf",
            "A text that is behind may win by its next token: compare the continuations, not the texts.",
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
            "finished texts come before all others",
            "np.argsort(-total, axis=None) -> np.argsort(-total - 1e6 * done[:, None], axis=None)",
            "A text that is done competes with its sum like the others, and may fall out.",
        ),
        mistake(
            "a finished text pays for its end again",
            ("logp[done] -> logp[done, :end] = logp[done, end + 1 :]", "logp[done, end] = 0 ->"),
            "A text that is done keeps its sum: staying costs nothing.",
        ),
        mistake(
            "every token is free for a finished text",
            ("logp[done] = -np.inf -> logp[done] = 0", "logp[done, end] = 0 ->"),
            "A text that is done may take `end`, and no other token.",
        ),
        mistake(
            "to end costs nothing for any text",
            "logp[done, end] = 0 -> logp[:, end] = 0",
            "Only a text that is done takes `end` at no cost.",
        ),
        mistake(
            "a finished text may take other tokens, too",
            "logp[done] = -np.inf ->",
            "A text that is done may take `end`, and no other token.",
        ),
        mistake(
            "a text that goes on may not end",
            "logp[done] = -np.inf -> logp[:, end] = -np.inf\nlogp[done] = -np.inf",
            "`end` is a token like the others for a text that goes on, with a log-probability of its own.",
        ),
        mistake(
            "the n worst",
            "np.argsort(-total, axis=None) -> np.argsort(total, axis=None)",
            "np.argsort goes from small to large: which end do you take?",
        ),
        mistake(
            "the worst of the best first",
            "best = np.argsort(-total, axis=None)[:n] -> best = np.argsort(-total, axis=None)[:n][::-1]",
            "The best one comes first.",
        ),
        mistake(
            "in the order of the texts, not of the sums",
            "best = np.argsort(-total, axis=None)[:n] -> best = np.sort(np.argsort(-total, axis=None)[:n])",
            "The n best are right, but not in their order: the best one comes first.",
        ),
        mistake(
            "the flat place cut by N instead of V",
            "np.divmod(best, logits.shape[1]) -> np.divmod(best, len(logits))",
            "In a flattened (N, V) array a row is V long: what does dividing a place by V tell?",
        ),
        mistake(
            "the flat place cut by n",
            "np.divmod(best, logits.shape[1]) -> np.divmod(best, n)",
            "In a flattened (N, V) array a row is V long: what does dividing a place by V tell?",
        ),
        mistake(
            "flat places instead of tokens",
            "return rows, tokens -> return rows, best",
            "The second array holds tokens, from 0 to V - 1.",
        ),
        mistake(
            "rows and tokens swapped",
            "rows, tokens = np -> tokens, rows = np",
            "Which comes first in the result, the text or the token?",
        ),
    ),
    equal=(
        ("top = logits.max(-1, keepdims=True)", "of two axes 1 is the last"),
        (
            "logp = logits - top - np.log(np.exp(logits - top).sum(-1, keepdims=True))",
            "of two axes 1 is the last",
        ),
        ("return (rows, tokens, total.ravel()[best])", "no edit: axis=None stays axis=None"),
    ),
    hints=(
        "Make an (N, V) table of scores: sums[:, None] plus the log-softmax of each row.",
        "Before that, in the rows that are done: everything -inf, except `end`, which costs 0.",
        "np.argsort(-total, axis=None)[:n] are flat places; np.divmod(places, V) gives rows and tokens.",
    ),
)
