"""Chapter 07's right answers: the reference of each exercise, then the same thing written differently."""

import itertools
import math

import numpy as np

# --- 7.1 windows and shifted targets -----------------------------------------------------------------------


def windows(ids, T):
    n = -(-(len(ids) - 1) // T)  # enough windows for all targets
    x, y = np.zeros((n, T), ids.dtype), np.full((n, T), -100, ids.dtype)
    x.flat[: len(ids) - 1] = ids[:-1]
    y.flat[: len(ids) - 1] = ids[1:]
    return x, y


def windows_loop(ids, T):
    x, y = [], []
    for start in range(0, len(ids) - 1, T):
        piece = ids[start : start + T + 1].tolist()  # one token more than a window: the last one's target
        missing = T + 1 - len(piece)
        x.append(piece[:-1] + [0] * missing)
        y.append(piece[1:] + [-100] * missing)
    return np.array(x), np.array(y)


def windows_by_index(ids, T):
    place = np.arange(0, len(ids) - 1, T)[:, None] + np.arange(T)  # (N, T)
    there = place + 1 < len(ids)
    safe = np.where(there, place, 0)
    return np.where(there, ids[safe], 0), np.where(there, ids[safe + 1], -100)


# --- 7.2 a Kneser-Ney table of pairs -----------------------------------------------------------------------


def kneser_ney(ids, V, D):
    counts = np.zeros((V, V))
    np.add.at(counts, (ids[:-1], ids[1:]), 1.0)
    before = (counts > 0).sum(0)  # how many different tokens stood before each
    below = before / before.sum()
    total = counts.sum(1, keepdims=True)
    kinds = (counts > 0).sum(1, keepdims=True)
    p = (np.maximum(counts - D, 0) + D * kinds * below) / np.maximum(total, 1)
    return np.where(total > 0, p, below)


def kneser_ney_by_pairs(ids, V, D):
    counts = np.bincount(ids[:-1] * V + ids[1:], minlength=V * V).reshape(V, V)
    different = np.unique(ids[:-1] * V + ids[1:])
    below = np.bincount(different % V, minlength=V) / len(different)
    p = np.tile(below, (V, 1))
    for c in np.flatnonzero(counts.sum(1)):
        seen = np.where(counts[c] > 0, counts[c] - D, 0.0)
        p[c] = seen / counts[c].sum()
        p[c] += (1 - p[c].sum()) * below  # what is missing to 1
    return p


def kneser_ney_dictionaries(ids, V, D):
    followers = {c: {} for c in range(V)}
    for c, w in itertools.pairwise(ids.tolist()):
        followers[c][w] = followers[c].get(w, 0) + 1
    kinds = sum(len(seen) for seen in followers.values())
    below = [sum(w in seen for seen in followers.values()) / kinds for w in range(V)]
    p = np.zeros((V, V))
    for c, seen in followers.items():
        total = sum(seen.values())
        for w in range(V):
            saved = D * len(seen) / total * below[w] if seen else below[w]
            p[c, w] = (seen[w] - D) / total + saved if w in seen else saved
    return p


# --- 7.3 bits per character --------------------------------------------------------------------------------


def bits_per_character(losses, lengths, mask):
    nats, real = (losses * mask).sum(), mask.sum()
    bits = nats / (math.log(2) * (lengths * mask).sum())
    return float(bits), float(np.exp(nats / real))


def bits_per_character_chosen(losses, lengths, mask):
    losses, lengths = losses[mask == 1].astype(np.float64), lengths[mask == 1]
    bits = losses / np.log(2)
    return bits.sum() / lengths.sum(), 2.0 ** bits.mean()


def bits_per_character_loop(losses, lengths, mask):
    nats = characters = tokens = 0
    for row in range(len(losses)):
        for t in range(len(losses[row])):
            if mask[row, t]:
                nats += float(losses[row, t])
                characters += int(lengths[row, t])
                tokens += 1
    return nats / characters / math.log(2), math.exp(nats / tokens)


# --- 7.4 hide tokens ---------------------------------------------------------------------------------------


def mask_tokens(ids, special, u, v, random_ids, mask_id, rate):
    chosen = (u < rate) & ~special
    inputs = np.where(chosen & (v < 0.8), mask_id, ids)
    inputs = np.where(chosen & (v >= 0.8) & (v < 0.9), random_ids, inputs)
    return inputs, np.where(chosen, ids, -100)


def mask_tokens_in_place(ids, special, u, v, random_ids, mask_id, rate):
    chosen = np.logical_and(u < rate, np.logical_not(special))
    targets = np.full_like(ids, -100)
    targets[chosen] = ids[chosen]
    inputs = ids.copy()
    hidden, swapped = chosen & (v < 0.8), chosen & (v >= 0.8) & (v < 0.9)
    inputs[hidden] = mask_id
    inputs[swapped] = random_ids[swapped]
    return inputs, targets


def mask_tokens_loop(ids, special, u, v, random_ids, mask_id, rate):
    inputs, targets = ids.copy(), np.full_like(ids, -100)
    for place in np.ndindex(ids.shape):
        if u[place] >= rate or special[place]:
            continue
        targets[place] = ids[place]
        if v[place] < 0.8:
            inputs[place] = mask_id
        elif v[place] < 0.9:
            inputs[place] = random_ids[place]
    return inputs, targets


# --- 7.5 pairs for next-sentence prediction ----------------------------------------------------------------


def sentence_pairs(documents, coins, draws):
    lines = [line for document in documents for line in document]
    pairs, labels, start = [], [], 0
    for document in documents:
        for i in range(len(document) - 1):
            k, following = len(pairs), start + i + 1  # which pair; the place of the true next line
            place = following
            if coins[k] == 0:
                place = draws[k] if draws[k] != following else (following + 1) % len(lines)
            pairs.append((document[i], lines[place]))
            labels.append(int(coins[k]))
        start += len(document)
    return pairs, labels


def sentence_pairs_zipped(documents, coins, draws):
    lines, places = [], []
    for document in documents:
        places += range(len(lines), len(lines) + max(0, len(document) - 1))
        lines += document
    pairs, labels = [], []
    for place, coin, draw in zip(places, coins, draws, strict=False):
        other = (draw + 1) % len(lines) if draw == place + 1 else draw
        pairs.append((lines[place], lines[place + 1 if coin else other]))
        labels.append(1 if coin else 0)
    return pairs, labels


def sentence_pairs_iterators(documents, coins, draws):
    lines = list(itertools.chain.from_iterable(documents))
    coins, draws, pairs, place = iter(coins), iter(draws), [], -1
    for document in documents:
        for i, line in enumerate(document):
            place += 1
            if i + 1 < len(document):
                coin, draw = next(coins), next(draws)
                if draw == place + 1:
                    draw = 0 if draw + 1 == len(lines) else draw + 1
                pairs.append((line, document[i + 1] if coin == 1 else lines[draw], coin))
    return [(a, b) for a, b, _ in pairs], [int(coin) for _, _, coin in pairs]


# --- 7.6 a power law ---------------------------------------------------------------------------------------


def power_law(n, losses, floor):
    slope, at_one = np.polyfit(np.log(n), np.log(losses - floor), 1)
    return float(np.exp(at_one)), float(-slope)


def power_law_by_hand(n, losses, floor):
    x, y = np.log(n.astype(np.float64)), np.log(losses.astype(np.float64) - floor)
    xc = x - x.mean()
    alpha = -(xc @ y) / (xc @ xc)
    return float(math.exp(y.mean() + alpha * x.mean())), float(alpha)


def power_law_in_decades(n, losses, floor):
    table = np.stack([np.ones(len(n)), -np.log10(n)], axis=1)
    (log_a, alpha), *_ = np.linalg.lstsq(table, np.log10(np.float64(losses) - floor), rcond=None)
    return 10.0 ** float(log_a), float(alpha)


# --- 7.7 rows of hashed pairs and triples ------------------------------------------------------------------


def hashed_rows(ids, rows, p, q):
    one_back, two_back = np.zeros_like(ids), np.zeros_like(ids)
    one_back[:, 1:] = ids[:, :-1]
    two_back[:, 2:] = ids[:, :-2]
    pairs = ids + p * one_back
    return pairs % rows, (pairs + q * two_back) % rows


def hashed_rows_padded(ids, rows, p, q):
    padded = np.pad(ids, ((0, 0), (2, 0)))  # two zeros before every row
    here, one_back, two_back = padded[:, 2:], padded[:, 1:-1], padded[:, :-2]
    pairs = np.mod(here + one_back * p, rows)
    return pairs, np.mod(pairs + np.mod(two_back * q, rows), rows)


def hashed_rows_loop(ids, rows, p, q):
    pairs, triples = np.zeros_like(ids), np.zeros_like(ids)
    for b, row in enumerate(ids.tolist()):
        for t, token in enumerate(row):
            value = token + p * (row[t - 1] if t >= 1 else 0)
            pairs[b, t] = value % rows
            triples[b, t] = (value + q * (row[t - 2] if t >= 2 else 0)) % rows
    return pairs, triples


# --- 7.8 the masked-LM loss --------------------------------------------------------------------------------


def masked_loss(logits, targets):
    shifted = logits - logits.max(-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))  # (B, T, V)
    hidden = targets != -100
    n = int(hidden.sum())
    dlogits = np.zeros_like(logits)
    if n == 0:
        return 0.0, dlogits
    rows, right = log_p[hidden], targets[hidden]  # (n, V), (n,)
    loss = -rows[np.arange(n), right].mean()
    dhidden = np.exp(rows)
    dhidden[np.arange(n), right] -= 1
    dlogits[hidden] = dhidden / n
    return float(loss), dlogits


def masked_loss_weighted(logits, targets):
    hidden = (targets != -100).astype(logits.dtype)[..., None]  # (B, T, 1)
    n = max(float(hidden.sum()), 1.0)
    shifted = logits - logits.max(-1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    one_hot = (np.arange(logits.shape[-1]) == targets[..., None]).astype(logits.dtype)  # -100 has no 1
    return float(-(one_hot * log_p).sum() / n), (np.exp(log_p) - one_hot) * (hidden / n)


def masked_loss_loop(logits, targets):
    loss, n, dlogits = 0.0, max(1, int((targets >= 0).sum())), np.zeros_like(logits)
    for place in np.argwhere(targets >= 0):
        b, t = place
        z = logits[b, t].astype(np.float64)
        top = z.max()
        total = top + np.log(np.exp(z - top).sum())
        loss += (total - z[targets[b, t]]) / n
        dz = np.exp(z - total)
        dz[targets[b, t]] -= 1
        dlogits[b, t] = dz / n
    return float(loss), dlogits
