"""Chapter 01's right answers: the reference of each exercise, then the same thing written differently."""

import html
import itertools
import re
import unicodedata
from collections import Counter

import numpy as np

# --- 1.1 a review that lost its dashes ---------------------------------------------------------------------


def clean_review(text):
    words = re.split(r"(\s+)", html.unescape(text).strip())  # words and the gaps between them, in turn
    gaps = [" - " if len(gap) >= 3 else " " for gap in words[1::2]]
    return "".join(word + gap for word, gap in itertools.zip_longest(words[::2], gaps, fillvalue=""))


def clean_review_two_patterns(text):
    text = re.sub(r"\s{3,}", "\0", html.unescape(text).strip())
    return re.sub(r"\s+", " ", text).replace("\0", " - ")


def clean_review_character_by_character(text):
    out, gap = "", 0
    for c in html.unescape(text):
        if c.isspace():
            gap += 1
            continue
        if gap and out:
            out += " - " if gap >= 3 else " "
        out, gap = out + c, 0
    return out


# --- 1.2 one row for all copies of a text ------------------------------------------------------------------


def _key(text):
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def merge_copies(texts, ratings):
    groups = {}  # key -> the rows of its copies; a dict keeps the order in which keys come
    for i, text in enumerate(texts):
        groups.setdefault(_key(text), []).append(i)
    kept = [texts[rows[0]] for rows in groups.values()]
    means = [ratings[rows].mean() for rows in groups.values()]
    return kept, np.array(means, dtype=ratings.dtype)


def merge_copies_by_numbers(texts, ratings):
    keys = [_key(text) for text in texts]
    first = [i for i, key in enumerate(keys) if key not in keys[:i]]
    number = np.array([[keys[i] for i in first].index(key) for key in keys])
    means = np.bincount(number, ratings) / np.bincount(number)
    return [texts[i] for i in first], means.astype(ratings.dtype)


def merge_copies_sums(texts, ratings):
    kept, sums, counts = {}, {}, {}
    for text, rating in zip(texts, ratings, strict=True):
        key = _key(text)
        kept.setdefault(key, text)
        sums[key] = sums.get(key, 0.0) + float(rating)
        counts[key] = counts.get(key, 0) + 1
    means = np.array([sums[key] / counts[key] for key in kept])
    return list(kept.values()), means.astype(ratings.dtype)


# --- 1.3 missing and impossible ratings --------------------------------------------------------------------


def mend_ratings(train, new):
    low, middle, high = np.nanpercentile(train, [25, 50, 75])
    reach = 1.5 * (high - low)
    return np.clip(np.where(np.isnan(new), middle, new), low - reach, high + reach).astype(new.dtype)


def mend_ratings_known_only(train, new):
    known = np.sort(train[~np.isnan(train)]).astype(np.float64)
    low, high = np.quantile(known, 0.25), np.quantile(known, 0.75)
    out = new.copy()
    out[np.isnan(out)] = np.median(known)
    out = np.minimum(out, high + 1.5 * (high - low))
    return np.maximum(out, low - 1.5 * (high - low)).astype(new.dtype)


def mend_ratings_loop(train, new):
    known = np.array([value for value in train if value == value], dtype=np.float64)
    low, high = np.percentile(known, [25, 75])
    floor, ceiling = 2.5 * low - 1.5 * high, 2.5 * high - 1.5 * low
    out = np.empty_like(new)
    for i, value in enumerate(new):
        out[i] = np.median(known) if np.isnan(value) else min(max(value, floor), ceiling)
    return out


# --- 1.4 a split that keeps the balance --------------------------------------------------------------------


def stratified_split(labels, order, k):
    test = []
    for label in np.unique(labels):
        rows = order[labels[order] == label]  # this class's rows, in the shuffled order
        test.extend(rows[: len(rows) // k])
    test = np.sort(np.array(test, dtype=np.int64))
    return np.setdiff1d(np.arange(len(labels)), test), test


def stratified_split_quota(labels, order, k):
    left = {label: n // k for label, n in Counter(labels.tolist()).items()}
    is_test = np.zeros(len(labels), dtype=bool)
    for row in order:
        label = int(labels[row])
        if left[label] > 0:
            is_test[row], left[label] = True, left[label] - 1
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)


def stratified_split_ranks(labels, order, k):
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))  # where each row stands in the shuffled order
    same = labels[:, None] == labels[None, :]
    rank = (same & (place[None, :] < place[:, None])).sum(1)  # among the rows of its class
    is_test = rank < same.sum(1) // k
    rows = np.arange(len(labels))
    return rows[~is_test], rows[is_test]


# --- 1.5 and 1.6 byte pairs by hand ------------------------------------------------------------------------


def _merge(tokens, pair):
    out, i = [], 0
    while i < len(tokens):
        if tuple(tokens[i : i + 2]) == tuple(pair):
            out.append(pair[0] + pair[1])
            i += 2
        else:
            out.append(tokens[i])
            i += 1
    return out


def learn_merges(words, n):
    split = {word: [*word, "_"] for word in words}
    merges = []
    for _ in range(n):
        counts = Counter()
        for word, tokens in split.items():
            for pair in itertools.pairwise(tokens):
                counts[pair] += words[word]
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(best)
        split = {word: _merge(tokens, best) for word, tokens in split.items()}
    return merges


def learn_merges_lists(words, n):
    corpus = [([*word, "_"], count) for word, count in words.items()]
    merges = []
    while len(merges) < n:
        counts = {}
        for tokens, count in corpus:
            for i in range(len(tokens) - 1):
                pair = tokens[i], tokens[i + 1]
                counts[pair] = counts.get(pair, 0) + count
        if not counts:
            return merges
        merges.append(sorted(counts.items(), key=lambda item: (-item[1], item[0]))[0][0])
        corpus = [(_merge(tokens, merges[-1]), count) for tokens, count in corpus]
    return merges


def learn_merges_written_out(words, n):
    corpus = [[*word, "_"] for word, count in words.items() for _ in range(count)]
    merges = []
    for _ in range(n):
        counts = Counter(pair for tokens in corpus for pair in itertools.pairwise(tokens))
        if counts:
            most = max(counts.values())
            merges.append(min(pair for pair, count in counts.items() if count == most))
            corpus = [_merge(tokens, merges[-1]) for tokens in corpus]
    return merges


def apply_merges(word, merges):
    tokens = [*word, "_"]
    for left, right in merges:  # the oldest first, each wherever it fits
        i = 0
        while i + 1 < len(tokens):
            if tokens[i] == left and tokens[i + 1] == right:
                tokens[i : i + 2] = [left + right]
            i += 1
    return tokens


def apply_merges_by_rank(word, merges):
    rank = {tuple(pair): i for i, pair in reversed(list(enumerate(merges)))}
    tokens = [*word, "_"]
    while True:
        known = [pair for pair in itertools.pairwise(tokens) if pair in rank]
        if not known:
            return tokens
        tokens = _merge(tokens, min(known, key=lambda pair: rank[pair]))


def apply_merges_new_lists(word, merges):
    tokens = [*word, "_"]
    for pair in merges:
        tokens = _merge(tokens, pair)
    return tokens


# --- 1.7 the text dataset, mended --------------------------------------------------------------------------


def pad_batch(rows, max_length, cls_id, sep_id, pad_id):
    rows = [[cls_id, *row[: max_length - 2], sep_id] for row in rows]
    longest = max(len(row) for row in rows)
    ids = np.full((len(rows), longest), pad_id)
    mask = np.zeros_like(ids)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return ids, mask


def pad_batch_lists(rows, max_length, cls_id, sep_id, pad_id):
    lengths = [min(len(row), max_length - 2) + 2 for row in rows]
    ids, mask = [], []
    for row, n in zip(rows, lengths, strict=True):
        filler = max(lengths) - n
        ids.append([cls_id, *row[: n - 2], sep_id] + [pad_id] * filler)
        mask.append([1] * n + [0] * filler)
    return np.array(ids), np.array(mask)


def pad_batch_mask_first(rows, max_length, cls_id, sep_id, pad_id):
    rows = [[cls_id, *row[: max_length - 2], sep_id] for row in rows]
    lengths = np.array([len(row) for row in rows])
    mask = np.arange(lengths.max())[None, :] < lengths[:, None]  # (B, T)
    ids = np.full(mask.shape, pad_id)
    ids[mask] = np.concatenate(rows)
    return ids, mask.astype(np.int64)


# --- 1.8 batches that fill the memory ----------------------------------------------------------------------


def token_batches(lengths, budget):
    batches = [[]]
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if (len(batches[-1]) + 1) * lengths[i] > budget:  # the new text is the longest so far
            batches.append([])
        batches[-1].append(i)
    return batches


def token_batches_argsort(lengths, budget):
    order = np.argsort(np.array(lengths), kind="stable").tolist()
    batches, start = [], 0
    for end in range(1, len(order) + 1):
        if end == len(order) or (end + 1 - start) * lengths[order[end]] > budget:
            batches.append(order[start:end])
            start = end
    return batches


def token_batches_pairs(lengths, budget):
    batches, batch = [], []
    for length, i in sorted(zip(lengths, range(len(lengths)), strict=True)):
        longest = max([length] + [lengths[j] for j in batch])
        if batch and longest * (len(batch) + 1) > budget:
            batches.append(batch)
            batch = []
        batch = [*batch, i]
    return [*batches, batch]


# --- 1.9 tf-idf with a log ---------------------------------------------------------------------------------


def log_tfidf(counts, train_counts):
    idf = np.log(len(train_counts) / np.maximum((train_counts > 0).sum(0), 1))
    x = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0.0) * idf
    length = np.sqrt((x * x).sum(1, keepdims=True))
    return x / np.where(length > 0, length, 1.0)


def log_tfidf_masked(counts, train_counts):
    x = np.zeros(counts.shape)
    x[counts > 0] = 1 + np.log(counts[counts > 0])
    df = np.count_nonzero(train_counts, axis=0)
    x *= np.log(len(train_counts)) - np.log(np.where(df == 0, 1, df))
    length = np.linalg.norm(x, axis=1)
    x[length > 0] /= length[length > 0, None]
    return x


def log_tfidf_loop(counts, train_counts):
    x = np.zeros(counts.shape)
    n = len(train_counts)
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            if count:
                df = max(1, sum(1 for other in train_counts if other[j] > 0))
                x[i, j] = (1 + np.log(count)) * np.log(n / df)
        length = np.sqrt(sum(value * value for value in x[i]))
        if length:
            x[i] = x[i] / length
    return x


# --- 1.10 every picture pushed its own way -----------------------------------------------------------------


def jitter(images, shifts):
    out = np.zeros_like(images)
    height, width = images.shape[1:]
    limits = (-height, -width), (height, width)  # further than out of the picture changes nothing
    for image, new, (down, right) in zip(images, out, np.clip(shifts, *limits), strict=True):
        source = image[max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)]
        top, left = max(0, down), max(0, right)
        new[top : top + source.shape[0], left : left + source.shape[1]] = source
    return out


def jitter_pixel_by_pixel(images, shifts):
    out = np.zeros_like(images)
    for b, r, c in np.ndindex(images.shape):
        old_r, old_c = r - shifts[b, 0], c - shifts[b, 1]
        if 0 <= old_r < images.shape[1] and 0 <= old_c < images.shape[2]:
            out[b, r, c] = images[b, old_r, old_c]
    return out


def jitter_in_a_wide_frame(images, shifts):
    height, width = images.shape[1:]
    frame = np.pad(images, ((0, 0), (height, height), (width, width)))
    cut = [
        f[height - down : 2 * height - down, width - right : 2 * width - right]
        for f, (down, right) in zip(frame, np.clip(shifts, (-height, -width), (height, width)), strict=True)
    ]
    return np.stack(cut)


# --- 1.11 what the model has to predict --------------------------------------------------------------------


def next_tokens(ids, starts, length):
    x = np.stack([ids[s : s + length] for s in starts])  # (B, T)
    y = np.full_like(x, -100)
    for row, s in zip(y, starts, strict=True):
        after = ids[s + 1 : s + 1 + length]
        row[: len(after)] = after
    return x, y


def next_tokens_one_index(ids, starts, length):
    places = starts[:, None] + np.arange(length)  # (B, T)
    return ids[places], np.append(ids, -100)[places + 1]


def next_tokens_loop(ids, starts, length):
    x = np.zeros((len(starts), length), dtype=ids.dtype)
    y = np.zeros_like(x)
    for b in range(len(starts)):
        for t in range(length):
            at = starts[b] + t
            x[b, t] = ids[at]
            y[b, t] = ids[at + 1] if at + 1 < len(ids) else -100
    return x, y
