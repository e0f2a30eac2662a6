"""Chapter 07's known-wrong answers, first half (7.1 to 7.4): one function for each exercise.

Each is the right answer with the named mistake in it and nothing else.
"""

import math
from functools import partial

import numpy as np

from fmkit.lab.judging.exercise import Misconception


def _named(wrong, hints):
    """One `Misconception` per mistake that `wrong` knows, with its hint."""
    return tuple(Misconception(name, partial(wrong, name), hint) for name, hint in hints.items())


def _cut(ids, T, step=None, n=None):
    """Windows (N, T+1) of ids, -1 where there is nothing, ``step`` tokens apart."""
    starts = np.arange(0, max(len(ids) - 1, 1), step or T)[:n]
    place = starts[:, None] + np.arange(T + 1)
    return np.where(place < len(ids), ids[np.minimum(place, len(ids) - 1)], -1)


def _windows(mistake, ids, T):
    if mistake == "the last, shorter window left out":
        pieces = _cut(ids, T, n=(len(ids) - 1) // T)
    elif mistake == "windows that overlap by one token":
        pieces = _cut(ids, T, step=max(T - 1, 1))
        pieces = pieces[(pieces[:, 1:] >= 0).any(1)]
    elif mistake == "one window too many":
        pieces = np.vstack([_cut(ids, T), np.full((1, T + 1), -1)])[: (len(ids) - 1) // T + 1]
    else:
        pieces = _cut(ids, T)
    x, y = pieces[:, :-1].copy(), pieces[:, 1:].copy()
    if mistake == "targets not shifted: the input itself":
        y = np.where(y >= 0, x, -1)
    elif mistake == "shifted the wrong way: the token before":
        y = np.where(y >= 0, np.hstack([np.full((len(x), 1), -1), x[:, :-1]]), -1)
    elif mistake == "shifted inside the window: its last target is lost":
        y[:, -1] = -1
    elif mistake == "wrapped round: the text's end predicts its beginning":
        y.flat[len(ids) - 1 : len(ids)] = ids[0]
    x[y < 0] = (
        np.where(x < 0, 0, x)[y < 0] if mistake.startswith(("shifted", "wrapped", "the last token")) else 0
    )
    x[x < 0] = 0
    return x, np.where(y < 0, 0 if mistake == "the filler is a target, too" else -100, y)


WINDOWS = _named(
    _windows,
    {
        "targets not shifted: the input itself": "Such a model learns to copy. What does it have to say at "
        "place t, having read place t?",
        "shifted the wrong way: the token before": "The future is to be guessed: which of ids[:-1] and "
        "ids[1:] is the target?",
        "shifted inside the window: its last target is lost": "The last input of a window has a target as "
        "well: the first token of the next window.",
        "the last, shorter window left out": "Every token but the first should be a target: where did the "
        "last few go?",
        "the filler is a target, too": "The loss would score the model on padding: which target does "
        "cross_entropy leave out?",
        "windows that overlap by one token": "The windows' inputs lie side by side: only the *targets* "
        "reach one token further.",
        "wrapped round: the text's end predicts its beginning": "np.roll closes the text to a ring. The "
        "last token has no successor.",
        "the last token is an input, too": "Nothing comes after it, so there is nothing to ask there: the "
        "filler begins in x and y at the same place.",
        "one window too many": "Try a text of T + 1 tokens: how many windows does it need?",
    },
)


def _kneser_ney(mistake, ids, V, D):
    counts = np.zeros((V, V))
    np.add.at(counts, (ids[:-1], ids[1:]), 1.0)
    if mistake == "repeated pairs counted once":
        counts = np.minimum(counts, 1.0)
    exists = counts > 0
    below = exists.sum(0) / exists.sum()
    if mistake == "plain frequencies as the lower level":
        below = counts.sum(0) / counts.sum()
    elif mistake == "counted what comes after, not what stood before":
        below = exists.sum(1) / exists.sum()
    elif mistake == "the saved share spread evenly":
        below = np.full(V, 1.0 / V)
    total, kinds = counts.sum(1, keepdims=True), exists.sum(1, keepdims=True)
    if mistake == "the last token counted as a context":
        total = np.bincount(ids, minlength=V)[:, None].astype(float)
    seen = np.maximum(counts - D, 0)
    if mistake == "nothing taken off":
        seen = counts
    elif mistake == "taken off what was never seen, too":
        seen = counts - D
    saved = D * kinds
    if mistake == "one discount saved, however many were taken":
        saved = D * np.minimum(kinds, 1)
    elif mistake == "the saved share not given back":
        saved = 0 * kinds
    if mistake == "backed off only where the count is 0":
        p = np.where(exists, seen, saved * below) / np.maximum(total, 1)
    else:
        p = (seen + saved * below) / np.maximum(total, 1)
    if mistake == "an unseen context gives zeros":
        return p
    return np.where(total > 0, p, below)


KNESER_NEY = _named(
    _kneser_ney,
    {
        "plain frequencies as the lower level": "That is the guess by frequency. Kneser and Ney count in "
        "how many different pairs a token came second.",
        "counted what comes after, not what stood before": "For q(w) look down the column of w: which "
        "tokens stood before it?",
        "the saved share spread evenly": "The saved share goes to the tokens in proportion to q, not to "
        "all alike.",
        "the last token counted as a context": "The last token has no successor: the pairs are ids[:-1] "
        "with ids[1:].",
        "nothing taken off": "Sum a row: is it 1? What is given back must have been taken off before.",
        "taken off what was never seen, too": "Look for negative numbers: a count of 0 has nothing to give.",
        "one discount saved, however many were taken": "D was taken from every pair of this row that was "
        "seen: how many were that?",
        "the saved share not given back": "Sum a row: is it 1? Where did the discounts go?",
        "backed off only where the count is 0": "In the interpolated form every token gets its part of the "
        "saved share, also one that was seen.",
        "an unseen context gives zeros": "Where nothing ever followed a token, what do you still know "
        "about the next one?",
        "repeated pairs counted once": "counts[a, b] += 1 with arrays forgets repeated pairs; np.add.at "
        "does not.",
    },
)


def _bits(mistake, losses, lengths, mask):
    real = np.ones_like(mask) if mistake == "padding counted" else mask
    nats, tokens, characters = (losses * real).sum(), real.sum(), (lengths * real).sum()
    perplexity = np.exp(nats / tokens)
    if mistake == "nats, not bits":
        bits = nats / characters
    elif mistake == "divided by tokens":
        bits = nats / tokens / math.log(2)
    elif mistake == "the mean of each token's own ratio":
        bits = (losses / lengths * real).sum() / tokens / math.log(2)
    elif mistake == "the mean of the rows' means":
        rows = (losses * real).sum(1)
        bits = (rows / (lengths * real).sum(1)).mean() / math.log(2)
        perplexity = np.exp((rows / real.sum(1)).mean())
    elif mistake == "multiplied by ln 2":
        bits = nats / characters * math.log(2)
    else:
        bits = nats / characters / math.log(2)
    if mistake == "perplexity as 2 to the nats":
        perplexity = 2.0 ** (nats / tokens)
    elif mistake == "perplexity of a character":
        perplexity = 2.0**bits
    elif mistake == "padding's characters counted":
        bits = nats / lengths.sum() / math.log(2)
    return float(bits), float(perplexity)


BITS = _named(
    _bits,
    {
        "nats, not bits": "The losses are in nats. How many bits is a nat?",
        "multiplied by ln 2": "A fair coin is 1 bit and ln 2 = 0.69 nats: which number is the larger one?",
        "divided by tokens": "That is bits per token: the tokens of another tokenizer are longer or "
        "shorter, and the numbers cannot be compared.",
        "the mean of each token's own ratio": "All the bits over all the characters: add up before you "
        "divide.",
        "the mean of the rows' means": "The rows are not equally long: a token of a short row would weigh "
        "more.",
        "padding counted": "Where the mask is 0 there is no token.",
        "padding's characters counted": "Where the mask is 0 there is no text either: whose characters did "
        "you count?",
        "perplexity as 2 to the nats": "2 goes with bits, e with nats.",
        "perplexity of a character": "The perplexity is asked for a token: from which mean does it come?",
    },
)


def _mask(mistake, ids, special, u, v, random_ids, mask_id, rate):
    free = np.ones_like(special) if mistake == "special tokens chosen, too" else ~special
    if mistake == "always 15 %":
        rate = 0.15
    chosen = (u < rate) & free
    hide, swap = 0.8, 0.9
    if mistake == "every chosen token becomes [MASK]":
        hide = swap = 1.0
    elif mistake == "none is kept: 80 % [MASK], 20 % random":
        swap = 1.0
    elif mistake == "none is swapped: 80 % [MASK], 20 % kept":
        swap = 0.8
    elif mistake == "10 % [MASK], 80 % random":
        hide, swap = 0.1, 0.9
    elif mistake == "split by u instead of v":
        v = u
    inputs = np.where(chosen & (v < hide), mask_id, ids)
    swapped = (v >= hide) & (v < swap)
    if mistake != "random tokens at places that were not chosen":
        swapped &= chosen
    inputs = np.where(swapped, random_ids, inputs)
    scored = chosen
    if mistake == "targets everywhere":
        scored = np.ones_like(chosen)
    elif mistake == "targets only where the input was changed":
        scored = inputs != ids
    elif mistake == "targets only where [MASK] stands":
        scored = inputs == mask_id
    targets = np.where(scored, ids, -100)
    if mistake == "the targets are what the model is shown":
        targets = np.where(scored, inputs, -100)
    elif mistake == "0 where there is nothing to guess":
        targets = np.where(scored, ids, 0)
    return inputs, targets


MASK = _named(
    _mask,
    {
        "targets everywhere": "Most of these targets stand in the input, to be copied: that is the "
        "published mistake. -100 leaves a place out.",
        "targets only where the input was changed": "A chosen token that is kept is to be guessed like the "
        "others: the model must not know which these are.",
        "targets only where [MASK] stands": "All chosen places are targets, also those with a random token "
        "and those that are kept.",
        "special tokens chosen, too": "[CLS] and [SEP] are not to be guessed: what does special say?",
        "every chosen token becomes [MASK]": "v splits the chosen ones: below 0.8, from 0.8 to 0.9, and "
        "the rest.",
        "split by u instead of v": "u has chosen, and below the rate it is small: v, drawn anew, says what "
        "becomes of the chosen ones.",
        "none is kept: 80 % [MASK], 20 % random": "From v = 0.9 on the input stays as it is.",
        "none is swapped: 80 % [MASK], 20 % kept": "From v = 0.8 to 0.9 a random token takes the place.",
        "10 % [MASK], 80 % random": "Which of the three is the usual case, and which are the exceptions?",
        "random tokens at places that were not chosen": "v says what becomes of a *chosen* token; the "
        "others stay as they are.",
        "the targets are what the model is shown": "The target is the true token, which was there before "
        "it was hidden.",
        "0 where there is nothing to guess": "0 is a token like any other: which target does cross_entropy "
        "leave out?",
        "always 15 %": "The share is an argument.",
    },
)
