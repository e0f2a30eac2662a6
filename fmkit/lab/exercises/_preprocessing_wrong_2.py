"""Chapter 01's known-wrong answers, the second half (tokens, batches, features): one mistake at a time."""

from collections import Counter
from itertools import pairwise

import numpy as np

from fmkit.lab.exercises._preprocessing_right import _merge
from fmkit.lab.exercises._preprocessing_wrong import named

# --- 1.5 and 1.6 -------------------------------------------------------------------------------------------


def _pair_counts(mistake, split, words):
    counts = Counter()
    sequences = split.items()
    if mistake == "pairs across words":
        run = [token for word, tokens in split.items() for _ in range(words[word]) for token in tokens]
        return Counter(pairwise(run))
    for word, tokens in sequences:
        pairs = list(pairwise(tokens))
        pairs = set(pairs) if mistake == "a pair twice in a word counts once" else pairs
        for pair in pairs:
            counts[pair] += 1 if mistake == "every word counts once" else words[word]
    return counts


def _merge_slip(mistake, tokens, pair):
    merged = _merge(tokens, pair)
    if mistake == "only the first place" and merged != tokens:
        i = next(i for i, both in enumerate(pairwise(tokens)) if both == tuple(pair))
        return [*tokens[:i], "".join(pair), *tokens[i + 2 :]]
    if mistake == "replaced in the joined text":
        return " ".join(tokens).replace(" ".join(pair), "".join(pair)).split(" ")
    if mistake == "from the right":
        merged = _merge([t[::-1] for t in tokens[::-1]], [p[::-1] for p in pair[::-1]])
        return [t[::-1] for t in merged[::-1]]
    return merged


def _learn_merges(mistake, words, n):
    end = [] if mistake == "no end mark" else ["_"]
    split = {word: [*end, *word] if mistake == "the mark in front" else [*word, *end] for word in words}
    merges = []
    for _ in range(n):
        counts = _pair_counts(mistake, split, words)
        if mistake == "counted only at the start":
            return sorted(counts, key=lambda pair: (-counts[pair], pair))[:n]
        if not counts:
            break
        most = max(counts.values())
        equals = [pair for pair, count in counts.items() if count == most]
        tie = {"the last of equals": max, "the first met of equals": lambda pairs: pairs[0]}
        tie["compared the joined tokens"] = lambda pairs: min(pairs, key="".join)
        best = tie.get(mistake, min)(equals)
        if mistake == "stopped at pairs that come once" and most == 1:
            break
        merges.append(best)
        if mistake == "merged tokens are no tokens":
            split = {w: [t for t in _merge(s, best) if t != "".join(best)] for w, s in split.items()}
        else:
            split = {word: _merge_slip(mistake, tokens, best) for word, tokens in split.items()}
    return ["".join(pair) for pair in merges] if mistake == "tokens instead of pairs" else merges


LEARN = named(
    _learn_merges,
    {
        "every word counts once": "A word that occurs nine times shows each of its pairs nine times.",
        "a pair twice in a word counts once": "banana holds (a, n) twice in every single copy.",
        "no end mark": "A word's tokens are its characters and then the mark _.",
        "the mark in front": "The mark _ comes behind the last character.",
        "counted only at the start": "Every merge makes new pairs and takes old ones away: count again.",
        "the last of equals": "Among equally frequent pairs, Python's smallest one wins: min.",
        "the first met of equals": "Among equals the order of the words must not matter: Python's smallest.",
        "pairs across words": "The end of one word and the start of the next are no neighbours.",
        "merged tokens are no tokens": "After a merge the new token has neighbours of its own.",
        "only the first place": "A pair can stand in several places of a word: merge them all.",
        "from the right": "In aaa the pair (a, a) fits twice; the left one is taken.",
        "replaced in the joined text": "'xa b' ends in 'a b', but xa is one token: compare whole tokens.",
        "stopped at pairs that come once": "Go on until n merges are made or no pair is left at all.",
        "compared the joined tokens": "The smallest *pair*: (a, d) comes before (ab, c), as tuples compare.",
        "tokens instead of pairs": "Return pairs: from ab + c and a + bc alike you would get abc.",
    },
)


def _apply_merges(mistake, word, merges):
    late = ("no end mark", "the mark joined too late")
    tokens = list(word) if mistake in late else [*word, "_"]
    if mistake == "the longest known token first":
        known, text, out = {a + b for a, b in merges}, "".join(tokens), []
        while text:
            n = next((n for n in range(len(text), 1, -1) if text[:n] in known), 1)
            out, text = [*out, text[:n]], text[n:]
        return out
    if mistake == "from left to right, whatever fits":
        known, i = {tuple(pair) for pair in merges}, 0
        while i + 1 < len(tokens):
            if (tokens[i], tokens[i + 1]) in known:
                tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
                i = 0
            else:
                i += 1
        return tokens
    for pair in reversed(merges) if mistake == "the newest merge first" else merges:
        merged = _merge_slip(mistake, tokens, pair)
        if mistake == "stopped after one merge" and merged != tokens:
            return merged
        tokens = merged
    return [*tokens, "_"] if mistake == "the mark joined too late" else tokens


APPLY = named(
    _apply_merges,
    {
        "the longest known token first": "That is WordPiece. BPE repeats its merges, the oldest first.",
        "from left to right, whatever fits": "Which of the pairs that fit was learned first?",
        "the newest merge first": "A newer merge needs tokens that an older one makes.",
        "only the first place": "A pair can stand in several places of a word: merge them all.",
        "from the right": "In aaa the pair (a, a) fits twice; the left one is taken.",
        "replaced in the joined text": "'xa b' ends in 'a b', but xa is one token: compare whole tokens.",
        "no end mark": "Begin with the characters and the mark _, as in training.",
        "the mark joined too late": "The mark is there from the beginning: a merge may want it.",
        "stopped after one merge": "Go on through the whole list of merges.",
    },
)


# --- 1.7 ---------------------------------------------------------------------------------------------------


def _pad_batch(mistake, rows, max_length, cls_id, sep_id, pad_id):
    room = max_length if mistake == "two ids too long" else max_length - 2
    if mistake == "lost the closing mark where it cut":
        rows = [[cls_id, *row, sep_id][:max_length] for row in rows]
    else:
        keep = (lambda row: row[max(0, len(row) - room) :]) if mistake == "cut the beginning" else None
        rows = [[cls_id, *(keep(row) if keep else row[:room]), sep_id] for row in rows]
    longest = max_length if mistake == "always as long as max_length" else max(map(len, rows))
    ids = np.full((len(rows), longest), 0 if mistake == "filled with zeros" else pad_id)
    mask = np.zeros_like(ids)
    for i, row in enumerate(rows):
        real = slice(longest - len(row), longest) if mistake == "padded on the left" else slice(len(row))
        ids[i, real] = row
        mask[i, real] = 1
        if mistake == "hid the marks":
            mask[i, [0, len(row) - 1]] = 0
    if mistake == "the mask from the ids":
        mask = (ids != pad_id).astype(mask.dtype)
    elif mistake == "no mask at all":
        mask = np.ones_like(ids)
    return ids, 1 - mask if mistake == "the mask the other way round" else mask


PAD = named(
    _pad_batch,
    {
        "always as long as max_length": "Pad to the longest row that the batch really has.",
        "lost the closing mark where it cut": "First make room for both marks, then cut the text.",
        "two ids too long": "The marks count, too: how many ids of the text fit?",
        "cut the beginning": "A classifier's text keeps its beginning: cut at the end.",
        "filled with zeros": "The filling is pad_id; 0 is some word here.",
        "padded on the left": "Here the filling stands behind the text.",
        "hid the marks": "The marks are read by the model like any word: their mask is 1.",
        "the mask from the ids": "A text may hold pad_id as a real token: only the lengths know.",
        "no mask at all": "A 1 for a real token, a 0 for filling.",
        "the mask the other way round": "1 means: look here.",
    },
)


# --- 1.8 ---------------------------------------------------------------------------------------------------


def _token_batches(mistake, lengths, budget):
    rows = range(len(lengths))
    in_file = mistake == "kept the order of the file"
    order = list(rows) if in_file else sorted(rows, key=lambda i: lengths[i])
    if mistake == "from long to short":
        order = sorted(rows, key=lambda i: -lengths[i])
    batches = [[]]
    for i in order:
        now = [lengths[j] for j in batches[-1]] + [lengths[i]]
        cost = len(now) * max(now)
        if mistake == "counted the real tokens only":
            cost = sum(now)
        elif mistake == "counted before adding":
            cost = (len(now) - 1) * max(now)
        elif mistake == "stopped short of a full batch":
            cost += 1
        if cost > budget and batches[-1]:
            batches.append([])
        batches[-1].append(i)
    if mistake == "lengths instead of rows":
        return [[lengths[i] for i in batch] for batch in batches]
    if mistake == "places in the sorted list":
        place = iter(rows)
        return [[next(place) for _ in batch] for batch in batches]
    if mistake == "lost the last batch":
        return batches[:-1]
    return [[], *batches] if mistake == "an empty batch first" else batches


BATCHES = named(
    _token_batches,
    {
        "counted the real tokens only": "Padding takes memory, too: a batch costs texts times the longest.",
        "kept the order of the file": "Sort by length first; else a short text pays for a long one.",
        "from long to short": "From short to long, please, so that there is one answer.",
        "counted before adding": "Would the batch still fit *with* the new text?",
        "stopped short of a full batch": "A batch may cost exactly the budget.",
        "lengths instead of rows": "Return which rows are in a batch, not how long they are.",
        "places in the sorted list": "Row numbers of the file are wanted: sort the numbers by length.",
        "lost the last batch": "When the loop ends, one batch is still open.",
        "an empty batch first": "Only close a batch that has something in it.",
    },
)


# --- 1.9 ---------------------------------------------------------------------------------------------------


def _log_tfidf(mistake, counts, train_counts):
    source = counts if mistake == "document counts from the new texts" else train_counts
    df = source.sum(0) if mistake == "counted words, not documents" else (source > 0).sum(0)
    idf = np.log(len(source) / np.maximum(df, 1))
    if mistake == "the smoothed form":
        idf = np.log((1 + len(source)) / (1 + df)) + 1
    tf = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0.0)
    if mistake == "bare counts":
        tf = counts.astype(np.float64)
    elif mistake == "log(1 + count)":
        tf = np.log1p(counts)
    elif mistake == "a single word counts nothing":
        tf = np.log(np.maximum(counts, 1))
    elif mistake == "absent words count 1":
        tf = 1 + np.log(np.maximum(counts, 1))
    x = tf if mistake == "no document frequency" else tf * idf
    if mistake == "rows of any length":
        return x
    axis = 0 if mistake == "columns of length 1" else 1
    length = np.sqrt((x * x).sum(axis, keepdims=True))
    if mistake == "rows that sum to 1":
        length = np.abs(x).sum(1, keepdims=True)
    with np.errstate(all="ignore"):
        return x / length if mistake == "empty rows become NaN" else x / np.where(length > 0, length, 1.0)


TFIDF = named(
    _log_tfidf,
    {
        "document counts from the new texts": "What a word is worth is learned from the training texts only.",
        "counted words, not documents": "df counts in how many texts a word is, however often.",
        "the smoothed form": "That is the library's idf; here it is ln(N / df), and nothing else.",
        "bare counts": "A word that comes ten times is not ten times as telling: 1 + ln(count).",
        "log(1 + count)": "The weight of a count is 1 + ln(count), not ln(1 + count).",
        "a single word counts nothing": "ln(1) is 0: what is to be added for a word that comes once?",
        "absent words count 1": "1 + ln(count) is for words that are there; the others stay 0.",
        "no document frequency": "Rare words tell more: multiply by idf.",
        "rows of any length": "Divide every row by its length, the root of the sum of squares.",
        "columns of length 1": "Each text is a row: keepdims, and the other axis.",
        "rows that sum to 1": "The length of a row is the root of the sum of its squares.",
        "empty rows become NaN": "A text without a known word has length 0: leave its row 0.",
    },
)


# --- 1.10 --------------------------------------------------------------------------------------------------


def _jitter(mistake, images, shifts):
    out = np.zeros_like(images)
    for b, r, c in np.ndindex(images.shape):
        down, right = shifts[0] if mistake == "one shift for the whole batch" else shifts[b]
        down, right = (right, down) if mistake == "swapped down and right" else (down, right)
        sign = -1 if mistake == "moved the other way" else 1
        old_r, old_c = r - sign * down, c - sign * right
        if mistake == "what leaves comes back on the other side":
            old_r, old_c = old_r % images.shape[1], old_c % images.shape[2]
        elif mistake == "smeared the rim":
            old_r = min(max(old_r, 0), images.shape[1] - 1)
            old_c = min(max(old_c, 0), images.shape[2] - 1)
        if mistake == "negative indices count from the end":
            is_inside = old_r < images.shape[1] and old_c < images.shape[2]
            is_inside = is_inside and old_r >= -images.shape[1] and old_c >= -images.shape[2]
        else:
            is_inside = 0 <= old_r < images.shape[1] and 0 <= old_c < images.shape[2]
        if is_inside:
            out[b, r, c] = images[b, old_r, old_c]
    return out


JITTER = named(
    _jitter,
    {
        "one shift for the whole batch": "Row b of `shifts` belongs to picture b.",
        "swapped down and right": "Axis 1 runs down, axis 2 to the right; so do the two shifts.",
        "moved the other way": "A shift of (1, 0) moves the ink down: new row 1 shows old row 0.",
        "what leaves comes back on the other side": "np.roll is a ring. Blank what comes in from outside.",
        "smeared the rim": "What comes in from outside is blank paper, 0, not a copy of the rim.",
        "negative indices count from the end": "Index -1 is the last row in Python: test for it.",
    },
)


# --- 1.11 --------------------------------------------------------------------------------------------------


def _next_tokens(mistake, ids, starts, length):
    places = starts[:, None] + np.arange(length)
    x = ids[places]
    shift = {
        "the targets are the inputs": 0,
        "the targets are the tokens before": -1,
        "two tokens ahead": 2,
    }.get(mistake, 1)
    ahead = places + shift
    if mistake == "rolled inside the window":
        return x, np.roll(x, -1, axis=1)
    if mistake == "rolled the whole batch":
        return x, np.append(x.ravel()[1:], -100).reshape(x.shape)
    if mistake == "the text begins again at its end":
        return x, ids[ahead % len(ids)]
    if mistake == "the last token is repeated":
        return x, ids[np.minimum(ahead, len(ids) - 1)]
    y = np.where(ahead < len(ids), ids[np.clip(ahead, 0, len(ids) - 1)], -100)
    if mistake == "no target at the end of any window":
        y[:, -1] = -100
    elif mistake == "0 where there is no target":
        y[ahead >= len(ids)] = 0
    return x, y


NEXT = named(
    _next_tokens,
    {
        "the targets are the inputs": "Then copying is enough. What comes *after* each token?",
        "the targets are the tokens before": "A language model looks ahead: the token at start + t + 1.",
        "two tokens ahead": "The target of a token is its direct neighbour.",
        "rolled inside the window": "The last target is not the window's first token: look into `ids`.",
        "rolled the whole batch": "The last target of a window is not the first token of the next one.",
        "the text begins again at its end": "Behind the last token nothing follows: -100.",
        "the last token is repeated": "Behind the last token nothing follows: -100.",
        "no target at the end of any window": "Only the text has an end there; the window goes on in `ids`.",
        "0 where there is no target": "0 is a token like any other; -100 means: no target here.",
    },
)
