"""Chapter 09's known-wrong answers, the second half: the cache, measuring, stopping, the loss, the chat."""

import math
from collections import Counter

import numpy as np

from fmkit.lab.exercises._generation_right import END, START, without_marks
from fmkit.lab.exercises._generation_wrong import log_softmax, named, softmax

# --- 9.5 one new token against a cache ----------------------------------------------------------------------


def _cache(mistake, q, k, v, keys, values, window):
    G, S, D = keys.shape
    all_keys = np.concatenate([keys, k[:, None]], 1)
    all_values = np.concatenate([values, v[:, None]], 1)
    cut = slice(max(0, S + 1 - window), None)
    if mistake == "one token more than the window":
        cut = slice(max(0, S - window), None)
    elif mistake == "the newest are dropped instead of the oldest":
        cut = slice(None, window)
    seen_keys, seen_values = all_keys[:, cut], all_values[:, cut]
    kept = seen_keys, seen_values
    if mistake in ("no window", "the window only in what is handed back"):
        seen_keys, seen_values = all_keys, all_values
    if mistake in ("no window", "the window only in the attention"):
        kept = all_keys, all_values
    if mistake == "the new token does not see itself":
        seen_keys, seen_values = seen_keys[:, :-1], seen_values[:, :-1]
    times = len(q) // G
    grouped = q.reshape(G, times, D)
    if mistake == "neighbouring heads do not share a key":
        grouped = q.reshape(times, G, D).swapaxes(0, 1)
    scale = {"not divided by the root of D": 1.0, "divided by D, not by its root": D}
    scores = grouped @ seen_keys.swapaxes(1, 2) / scale.get(mistake, math.sqrt(D))
    out = softmax(scores, 1 if mistake == "the softmax over the heads" else -1) @ seen_values
    if mistake == "neighbouring heads do not share a key":
        out = out.swapaxes(0, 1)
    return out.reshape(q.shape), *kept


CACHE = named(
    _cache,
    {
        "the new token does not see itself": (
            "Append first, then look: the new token's own key is among those that its query sees."
        ),
        "no window": "More than `window` tokens are left in your cache: the oldest must go.",
        "the window only in what is handed back": (
            "Your cache has the right length, but the query still looks at tokens that have left it."
        ),
        "the window only in the attention": "What is handed back holds more than `window` tokens.",
        "one token more than the window": "The new token is one of the `window`: how many old ones are left?",
        "the newest are dropped instead of the oldest": "The oldest tokens are at the axis's beginning.",
        "neighbouring heads do not share a key": (
            "With 4 query heads and 2 key heads, queries 0 and 1 use key 0, and 2 and 3 use key 1."
        ),
        "not divided by the root of D": "Chapter 6: what are the scores divided by before the softmax?",
        "divided by D, not by its root": "Chapter 6: the scores are divided by the square root of D.",
        "the softmax over the heads": "For each head the weights of the tokens add up to 1: which axis?",
    },
)


# --- 9.6 perplexity per character ---------------------------------------------------------------------------


def _perplexity(mistake, logits, targets, mask, lengths):
    logp = log_softmax(logits)
    if mistake == "exp without taking the largest logit off":
        logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    nats = -np.take_along_axis(logp, targets[..., None], -1)[..., 0]
    characters = lengths[targets]
    own = np.zeros_like(mask) + 1 if "padding counts" in mistake else mask
    length = own if mistake == "padding counts in the length only" else mask
    length = own if mistake == "padding counts" else length
    if mistake == "padding counts in the length only":
        own = mask
    if mistake == "per token":
        characters = np.ones_like(characters)
    if mistake == "each row by itself, then the mean":
        return np.exp((nats * own).sum(1) / (characters * length).sum(1)).mean(dtype=logits.dtype)
    if mistake == "each token by itself, then the mean":
        return np.exp((nats * own / characters).sum() / own.sum()).astype(logits.dtype)
    mean = (nats * own).sum() / (characters * length).sum()
    if mistake == "the exponential left out":
        return mean.astype(logits.dtype)
    if mistake == "a power of 2 of nats":
        return (2**mean).astype(logits.dtype)
    if mistake == "the sign of the exponent":
        return np.exp(-mean).astype(logits.dtype)
    return np.exp(mean).astype(logits.dtype)


PERPLEXITY = named(
    _perplexity,
    {
        "per token": "Divide by the number of characters that the tokens stand for, not of tokens.",
        "padding counts": "Where the mask is 0 there is no text: neither its loss nor its length counts.",
        "padding counts in the length only": (
            "The losses are masked; the characters that you divide by are not."
        ),
        "each row by itself, then the mean": (
            "A short text should not weigh as much as a long one: add up over all rows, then divide once."
        ),
        "each token by itself, then the mean": (
            "Add up all losses and all lengths first, and divide only then: long tokens hold more text."
        ),
        "the exponential left out": "That is the loss in nats per character. Perplexity is its exponential.",
        "a power of 2 of nats": "The logarithm was the natural one, so the power is one of e, not of 2.",
        "the sign of the exponent": "A perplexity is at least 1. Yours is one over it.",
        "exp without taking the largest logit off": "exp(1000) is infinite: subtract each row's largest.",
    },
)


# --- 9.7 self-BLEU ------------------------------------------------------------------------------------------


def _grams(text, k):
    return Counter(tuple(text[j : j + k]) for j in range(len(text) - k + 1))


def _share(mistake, text, others, k):
    """The share of a text's k-grams that the other texts know."""
    own, most = _grams(text, k), Counter()
    for other in others:
        theirs = _grams(other, k)
        most = most + theirs if mistake == "allowed as often as in all others together" else most | theirs
    if mistake == "repeats are not counted":
        own, most = Counter(set(own)), Counter(set(most))
    if mistake == "allowed as often as it likes":
        matches = sum(count for gram, count in own.items() if gram in most)
    else:
        matches = sum((own & most).values())
    above = below = k > 1  # what smoothing adds
    if mistake == "without the smoothing":
        above = below = 0
    elif mistake == "single words smoothed, too":
        above = below = 1
    elif mistake == "one added above the line only":
        below = 0
    return (matches + above) / max(own.total() + below, 1)


def _score(mistake, text, others, n):
    orders = [n] if mistake == "only the longest n-grams" else range(1, n + 1)
    shares = [_share(mistake, text, others, k) for k in orders]
    if mistake == "the plain mean of the shares":
        return sum(shares) / len(shares)
    if mistake == "the product without its root":
        return math.prod(shares)
    return math.prod(shares) ** (1 / len(shares))


def _self_bleu(mistake, texts, n):
    scores = []
    for i, text in enumerate(texts):
        others = texts[:i] + texts[i + 1 :]
        if mistake == "a text compared with itself":
            others = texts
        elif mistake == "a text's twin left out, too":
            others = [other for other in texts if other != text]
        elif mistake == "only the first text compared":
            return _score(mistake, text, others, n)
        if mistake == "each other text by itself, then the mean":
            scores.append(sum(_score(mistake, text, [other], n) for other in others) / len(others))
        else:
            scores.append(_score(mistake, text, others, n))
    return sum(scores) / len(scores)


SELF_BLEU = named(
    _self_bleu,
    {
        "a text compared with itself": "Your result is close to 1: is a text among its own references?",
        "a text's twin left out, too": (
            "Another text may say the very same. Leave a text out by its place, not by its words."
        ),
        "only the first text compared": "Every text is compared with all others; then the mean.",
        "each other text by itself, then the mean": (
            "The others are one pool: an n-gram counts if any of them has it."
        ),
        "allowed as often as it likes": (
            "A text that repeats one word is not like the others: count a match only as often as allowed."
        ),
        "allowed as often as in all others together": (
            "An n-gram is allowed as often as the one other text has it that has it most."
        ),
        "repeats are not counted": "Count every place where an n-gram stands, not every kind of n-gram.",
        "only the longest n-grams": "All lengths from 1 to n take part.",
        "the plain mean of the shares": "The shares are multiplied, and then the n-th root is taken.",
        "the product without its root": "After multiplying n shares, take the n-th root.",
        "without the smoothing": "For pairs and longer n-grams, 1 is added to the matches and to the count.",
        "single words smoothed, too": "Single words are counted as they are; only from pairs on 1 is added.",
        "one added above the line only": "A share cannot exceed 1: the count of n-grams gets its 1, too.",
    },
)


# --- 9.8 stop at a string, while streaming ------------------------------------------------------------------


def _show_at_once(pieces, stop):
    text, shown = "", []
    for piece in pieces:
        before, text = len(text), text + piece
        if stop in text:
            return [*shown, text[before : text.index(stop)]]
        shown.append(piece)
    return shown


def _stop(mistake, pieces, stop):
    if mistake == "nothing is held back":
        return _show_at_once(pieces, stop)
    shown, held = [], ""
    for piece in pieces:
        held = piece if mistake == "each piece looked at by itself" else held + piece
        at = held.rfind(stop) if mistake == "stops at the last stop string" else held.find(stop)
        if at >= 0:
            stopped = [*shown, held[: at + len(stop) if mistake == "the stop string is shown" else at]]
            if mistake != "goes on after the stop":
                return stopped
            shown, held = stopped, held[at + len(stop) :]
            continue
        tails = [k for k in range(len(stop)) if held.endswith(stop[:k])]
        tail = max(tails)
        if mistake == "only the shortest tail is held back":
            tail = min(k for k in tails if k) if len(tails) > 1 else 0
        elif mistake == "each piece looked at by itself":
            tail = 0
        elif mistake == "held back whatever the text says":
            tail = min(len(held), len(stop) - 1)
        elif mistake == "all held back as soon as a first letter is seen":
            tail = len(held) if stop[0] in held else 0
        if mistake == "pieces that show nothing are left out" and len(held) == tail:
            continue
        shown.append(held[: len(held) - tail])
        held = held[len(held) - tail :]
    lost = mistake in ("what was held back is lost", "each piece looked at by itself")
    return [*shown, held] if held and not lost else shown


STOP = named(
    _stop,
    {
        "each piece looked at by itself": (
            "The stop string may begin in one piece and end in the next: keep what may be its beginning."
        ),
        "nothing is held back": (
            "When the second half of the stop string comes, its first half is on the screen already."
        ),
        "the stop string is shown": "The text ends before the stop string.",
        "stops at the last stop string": "If a piece holds the stop string twice, the first one counts.",
        "goes on after the stop": "After the stop string nothing more is read.",
        "only the shortest tail is held back": (
            "Two beginnings of the stop string may fit the end of the text: hold back the longer one."
        ),
        "held back whatever the text says": (
            "Show all that you can: hold back only what may really become the stop string."
        ),
        "all held back as soon as a first letter is seen": (
            "Only the end of the text can still become the stop string: the rest is safe to show."
        ),
        "what was held back is lost": "The pieces end, and no stop string came: what of the rest?",
        "pieces that show nothing are left out": "One string for each piece, even if it is empty.",
    },
)


# --- 9.9 spot the bug ---------------------------------------------------------------------------------------


def _loss(mistake, logits, ids, mask):
    predicted, targets, counts = logits[:, :-1], ids[:, 1:], mask[:, 1:]
    if mistake.startswith("the labels are the inputs"):
        predicted, targets, counts = logits, ids, mask
    elif mistake == "shifted the wrong way":
        predicted, targets, counts = logits[:, 1:], ids[:, :-1], mask[:, :-1]
    elif mistake == "the last position predicts the first token":
        predicted, targets, counts = logits, np.roll(ids, -1, 1), np.roll(mask, -1, 1)
    elif mistake == "token 0 taken for padding":
        counts = targets != 0
    elif mistake == "the mask of the position, not of its label":
        counts = mask[:, :-1]
    if "padding is learned" in mistake:
        counts = np.ones_like(counts)
    nats = -np.take_along_axis(log_softmax(predicted), targets[..., None], -1)[..., 0] * counts
    if mistake == "divided by all positions":
        return nats.mean(dtype=logits.dtype)
    if mistake == "each row by itself, then the mean":
        return (nats.sum(1) / counts.sum(1)).mean(dtype=logits.dtype)
    return (nats.sum(dtype=logits.dtype) / counts.sum()).astype(logits.dtype)


LOSS = named(
    _loss,
    {
        "the labels are the inputs, and padding is learned": (
            "That is the published loop: each position is asked for the token that it has just read."
        ),
        "the labels are the inputs": "Each position is asked for the token that it has just read. Shift!",
        "shifted, but padding is learned": "A label that is padding teaches nothing: use the mask.",
        "shifted the wrong way": "Position t is to name the token at t + 1; yours names t - 1.",
        "the last position predicts the first token": (
            "np.roll carries the first token to the end. The last position has no label at all."
        ),
        "the mask of the position, not of its label": (
            "What counts is whether the label is real: the last real position has padding as its label."
        ),
        "token 0 taken for padding": "Token 0 may be a real token: what is padding, only the mask says.",
        "divided by all positions": "Divide by the number of labels that count, not of all.",
        "each row by itself, then the mean": "One mean over all labels that count, not a mean of means.",
    },
)


# --- 9.10 a conversation as one text ------------------------------------------------------------------------


def _chat(mistake, messages, system, room):
    def clean(text):
        if mistake == "first one mark is taken out, then the other":
            for mark in (START, END):
                while mark in text:
                    text = text.replace(mark, "")
            return text
        if mistake == "marks inside a text go through":
            return text
        if mistake == "marks taken out only once":
            return text.replace(START, "").replace(END, "")
        return without_marks(text)

    between = "" if mistake == "no line break after the end mark" else "\n"

    def turn(role, text):
        role = START + role + (" " if mistake == "no line break after the role" else "\n")
        return role + clean(text) + END + between

    opening = "" if mistake == "nobody is asked to answer" else f"{START}assistant\n"
    if mistake == "the answer is closed before it begins":
        opening += END + "\n"
    head = turn("system", system)
    if mistake == "the marks in the system's text stay":
        head = f"{START}system\n{system}{END}\n"
    turns = [turn(message["role"], message["content"]) for message in messages]
    if mistake == "cut in the middle of a text":
        return (head + "".join(turns) + opening)[-room:]
    if mistake == "the system's text goes first":
        turns, head = [head, *turns], ""
    last = mistake == "the newest are dropped"
    spare = 0 if mistake == "the opening does not count" else len(opening)
    if mistake == "counted before the marks are out":
        raw = [len(message["content"]) - len(clean(message["content"])) for message in messages]
        system_raw = len(system) - len(clean(system))
        while len(turns) > 1 and len(head + "".join(turns)) + spare + system_raw + sum(raw) > room:
            turns, raw = turns[1:], raw[1:]
    while len(turns) > 1 and len(head + "".join(turns)) + spare > room:
        turns = turns[:-1] if last else turns[1:]
        if mistake == "only one is dropped":
            break
    return head + "".join(turns) + opening


CHAT = named(
    _chat,
    {
        "nobody is asked to answer": "The text must end where the assistant's answer begins.",
        "the answer is closed before it begins": "The last turn stays open: the model is to write in it.",
        "no line break after the role": "Look at the example: what stands between the role and the text?",
        "no line break after the end mark": "Look at the example: what stands behind each end mark?",
        "marks inside a text go through": (
            "A user who types the marks can speak as the system: take them out of every text."
        ),
        "marks taken out only once": (
            "Take the inner mark out of <|im_<|im_end|>end|>. What is left? Go on until none is."
        ),
        "first one mark is taken out, then the other": (
            "Taking the second mark out may put the first one together again: look for both each time."
        ),
        "the marks in the system's text stay": "Every text is cleaned, the system's, too.",
        "counted before the marks are out": "What has been taken out needs no room: clean first, then count.",
        "the newest are dropped": "The oldest messages go first.",
        "only one is dropped": "One message less may not be enough: go on until it fits.",
        "the system's text goes first": "The system's text always stays, whatever must go.",
        "cut in the middle of a text": "Drop whole messages, so that every turn keeps its marks.",
        "the opening does not count": "All of the text must fit, the opening of the answer too.",
    },
)
