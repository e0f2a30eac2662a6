"""Chapter 09's known-wrong answers, the first half: choosing a token, and a step of a beam search.

Each is the right answer with the named mistake in it and nothing else: a reader sees the difference in one
place, and the check can say "this looks like ..." when a learner's answer behaves the same way.
"""

from functools import partial

import numpy as np

from fmkit.lab.judging.exercise import Misconception


def named(wrong, hints):
    """One `Misconception` per mistake that `wrong` knows, with its hint."""
    return tuple(Misconception(name, partial(wrong, name), hint) for name, hint in hints.items())


def softmax(z, axis=-1):
    e = np.exp(z - z.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def log_softmax(z):
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


# --- 9.1 nucleus --------------------------------------------------------------------------------------------


def _nucleus(mistake, logits, temperature, p, min_keep):
    z = logits * temperature if mistake == "multiplied by the temperature" else logits / temperature
    if mistake == "the temperature after the filter":
        z = logits
    probs = softmax(z)
    if mistake == "exp without taking the largest logit off":
        probs = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    order = np.argsort(probs if mistake == "sorted from the worst up" else -probs, axis=1)
    best = np.take_along_axis(probs, order, 1)
    keep = np.cumsum(best, 1) - best < p
    if mistake == "the token that reaches p is left out":
        keep = np.cumsum(best, 1) < p
    elif mistake == "p taken as the least probability of one token":
        keep = best >= p
    elif mistake == "one cut for all rows":
        keep = np.repeat(keep[:1], len(keep), 0)
    keep[:, : 1 if mistake == "min_keep forgotten" else min_keep] = True
    if mistake == "not put back into the tokens' order":
        return best * keep / (best * keep).sum(1, keepdims=True)
    mask = np.zeros(probs.shape, dtype=bool)
    np.put_along_axis(mask, order, keep, 1)
    if mistake == "logits set to 0 instead of -inf":
        return softmax(np.where(mask, z, 0 * z))
    if mistake == "the temperature after the filter":
        return softmax(np.where(mask, logits / temperature, -np.inf).astype(logits.dtype))
    kept = probs * mask
    return kept if mistake == "not scaled up to 1 again" else kept / kept.sum(1, keepdims=True)


NUCLEUS = named(
    _nucleus,
    {
        "the temperature after the filter": (
            "Which tokens are the best p of the whole depends on the temperature, so it comes first."
        ),
        "multiplied by the temperature": "A high temperature should make the probabilities more equal.",
        "the token that reaches p is left out": (
            "What is kept must hold p at least: the token that takes the sum over p belongs to it."
        ),
        "p taken as the least probability of one token": (
            "p is not a threshold for one token: it is what all the kept ones hold together."
        ),
        "min_keep forgotten": "For a small p, how many tokens do you keep? Compare with min_keep.",
        "not scaled up to 1 again": "Add up a row of your result: does it give 1?",
        "not put back into the tokens' order": (
            "Your probabilities come sorted: which column belongs to which token?"
        ),
        "sorted from the worst up": "np.argsort goes from small to large. Which end do you start from?",
        "one cut for all rows": "Each row has a count of its own: one is sure, the next is not.",
        "logits set to 0 instead of -inf": (
            "A logit of 0 is no small one: exp(0) is 1. What has the exponential 0?"
        ),
        "exp without taking the largest logit off": "exp(1000) is infinite: subtract each row's largest.",
    },
)


# --- 9.2 min-p, then temperature, then the draw -------------------------------------------------------------


def _min_p(mistake, logits, min_p, temperature, points):
    first = logits / temperature if mistake == "the temperature before the filter" else logits
    probs = softmax(first)
    keep = probs >= min_p * probs.max()
    if mistake == "min_p without the best token's probability":
        keep = (probs >= min_p) | (probs == probs.max())
    elif mistake == "the threshold on the logits":
        keep = logits >= min_p * logits.max()
    elif mistake == "min_p taken as top-p":
        order = np.argsort(-probs)
        keep = np.zeros(len(probs), dtype=bool)
        keep[order[np.cumsum(probs[order]) - probs[order] < min_p]] = True
    elif mistake == "exactly at the threshold is cut off":
        keep = probs > min_p * probs.max()
        if not keep.any():  # nothing is left: the softmax is NaN, and each search ends at 0
            return np.zeros(len(points), dtype=np.int64)
    kept = np.where(keep, logits, -np.inf)
    e = np.exp((kept - kept.max()) / (1 if mistake == "without the temperature" else temperature))
    if mistake == "not scaled up to 1 before the draw":
        e = np.where(keep, softmax(logits / temperature), 0.0)
        return np.searchsorted(np.cumsum(e), points, side="right")
    if mistake == "always the best token":
        return np.full(len(points), e.argmax())
    if mistake == "a place in the sorted order, not a token":
        return np.searchsorted(np.cumsum(np.sort(e)[::-1]) / e.sum(), points, side="right")
    if mistake == "the place among the kept, not the token":
        e = e[keep]
    side = "left" if mistake == "a token of probability 0 can be drawn" else "right"
    return np.searchsorted(np.cumsum(e / e.sum()), points, side=side)


MIN_P = named(
    _min_p,
    {
        "the temperature before the filter": (
            "Here the filter looks at the model's own probabilities; the temperature comes after it."
        ),
        "without the temperature": "The filter is right. What becomes of the temperature?",
        "min_p without the best token's probability": (
            "min_p is a share of the best token's probability: the threshold moves with it."
        ),
        "the threshold on the logits": "The threshold is for probabilities: take the softmax first.",
        "exactly at the threshold is cut off": (
            '"At least": for min_p = 1 the best token itself stays. What is left in yours?'
        ),
        "min_p taken as top-p": (
            "No sum here: each token is compared with the best one, whatever the others hold."
        ),
        "not scaled up to 1 before the draw": (
            "The kept pieces do not fill the line from 0 to 1 any more: what happens to a point of 0.99?"
        ),
        "always the best token": "Your tokens are all the same: each point should choose its own.",
        "a place in the sorted order, not a token": (
            "You found a place in the sorted list: which token stands there?"
        ),
        "the place among the kept, not the token": (
            "You counted the kept tokens only: the number of a token is its place among all."
        ),
        "a token of probability 0 can be drawn": (
            "For a point of exactly 0 the first token that is left should come: look at searchsorted's side."
        ),
    },
)


# --- 9.3 the repetition penalty -----------------------------------------------------------------------------


def _penalty(mistake, logits, ids, penalty, window, free):
    recent = ids[len(ids) - min(window, len(ids)) :]
    if mistake == "a window of 0 takes the whole text":
        recent = ids[-window:]
    elif mistake == "the window forgotten":
        recent = ids
    elif mistake == "the window at the beginning of the text":
        recent = ids[:window]
    hit = [token for token in recent if mistake == "free tokens are penalised too" or token not in free]
    out = logits.copy()
    if mistake == "on the log-probabilities":
        out = log_softmax(logits)
    for token in hit if mistake == "once for each time that it occurs" else set(hit):
        up = out[token] > 0
        if mistake == "a negative logit divided, too":
            up = True
        elif mistake == "the two cases swapped":
            up = not up
        if mistake == "subtracted":
            out[token] -= penalty
        else:
            out[token] = out[token] / penalty if up else out[token] * penalty
    return out


PENALTY = named(
    _penalty,
    {
        "a negative logit divided, too": (
            "Dividing -4 by 2 gives -2, which is larger: that rewards the repetition. What lowers it?"
        ),
        "the two cases swapped": "Try a logit of 4 and a penalty of 2: the token should become less likely.",
        "once for each time that it occurs": (
            "A token that occurs three times is penalised as often as one that occurs once."
        ),
        "a window of 0 takes the whole text": "What does ids[-0:] give? -0 is 0: it is the whole text.",
        "the window forgotten": "Only the last `window` tokens of the text count.",
        "the window at the beginning of the text": "The last tokens count, not the first.",
        "free tokens are penalised too": "Tokens in `free` keep their logits, however often they occur.",
        "subtracted": "The penalty is a factor here: it divides or multiplies.",
        "on the log-probabilities": (
            "Work on the logits as they are: log-probabilities are all negative, so their signs say nothing."
        ),
    },
)


# --- 9.4 one step of a beam search --------------------------------------------------------------------------


def _beam(mistake, sums, done, logits, end, n):
    logp = log_softmax(logits)
    if mistake == "logits instead of log-probabilities":
        logp = logits.copy()
    elif mistake == "probabilities instead of their logarithms":
        logp = softmax(logits)
    stays = logp[done, end] if mistake == "a finished text pays for its end again" else 0
    if mistake != "a finished text grows on":
        logp[done] = -np.inf
        if mistake != "a finished text is dropped":
            logp[done, end] = stays
    total = logp if mistake == "the sums so far forgotten" else sums[:, None] + logp
    V = total.shape[1]
    if mistake == "only the best token of each text":
        best = np.arange(len(total)) * V + total.argmax(1)
        best = best[np.argsort(-total.ravel()[best])][:n]
    else:
        best = np.argsort(-total, axis=None)[:n]
    if mistake == "the worst of the best first":
        best = best[::-1]
    rows, tokens = np.divmod(best, len(total) if mistake == "the flat place cut by N instead of V" else V)
    if mistake == "rows and tokens swapped":
        return tokens, rows, total.ravel()[best]
    return rows, tokens, total.ravel()[best]


BEAM = named(
    _beam,
    {
        "logits instead of log-probabilities": (
            "Logits of different texts have different zeros: log-softmax each row before you compare."
        ),
        "probabilities instead of their logarithms": (
            "Probabilities along a text multiply; what adds up is their logarithms."
        ),
        "the sums so far forgotten": "A text's score is its sum so far and the new log-probability.",
        "only the best token of each text": (
            "Two of the best may continue the same text: compare all N times V of them."
        ),
        "a finished text grows on": "A text that is done may only take `end` again.",
        "a finished text is dropped": "A text that is done stays in the race, with its sum as it is.",
        "a finished text pays for its end again": "A text that is done keeps its sum: staying costs nothing.",
        "the worst of the best first": "The best one comes first.",
        "the flat place cut by N instead of V": (
            "In a flattened (N, V) array a row is V long: what does dividing a place by V tell?"
        ),
        "rows and tokens swapped": "Which comes first in the result, the text or the token?",
    },
)
