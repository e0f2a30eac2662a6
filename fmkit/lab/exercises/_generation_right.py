"""Chapter 09's right answers: the reference of each exercise, then the same thing written differently."""

import math
from collections import Counter

import numpy as np

# --- 9.1 nucleus: temperature, top-p, and a least number of tokens ------------------------------------------


def nucleus_probabilities(logits, temperature, p, min_keep):
    z = logits / temperature
    e = np.exp(z - z.max(1, keepdims=True))
    probs = e / e.sum(1, keepdims=True)
    order = np.argsort(-probs, axis=1)  # from the best down
    best = np.take_along_axis(probs, order, 1)
    keep = np.cumsum(best, 1) - best < p  # what the better ones hold together
    keep[:, :min_keep] = True
    kept = np.zeros_like(probs)
    np.put_along_axis(kept, order, best * keep, 1)
    return kept / kept.sum(1, keepdims=True)


def nucleus_probabilities_row_by_row(logits, temperature, p, min_keep):
    out = np.zeros_like(logits)
    for row, scores in zip(out, logits, strict=True):
        probs = np.exp((scores - scores.max()) / temperature)
        probs = probs / probs.sum()
        held = 0.0
        for rank, token in enumerate(sorted(range(len(scores)), key=lambda i: -scores[i])):
            if held >= p and rank >= min_keep:
                break
            row[token] = probs[token]
            held += probs[token]
        row /= row.sum()
    return out


def nucleus_probabilities_by_a_least_logit(logits, temperature, p, min_keep):
    z = (logits - logits.max(1, keepdims=True)) / temperature
    down = -np.sort(-z, axis=1)
    held = np.exp(down).cumsum(1) / np.exp(down).sum(1, keepdims=True)
    count = np.maximum((held < p).sum(1) + 1, min_keep).clip(max=z.shape[1])
    least = np.take_along_axis(down, count[:, None] - 1, 1)
    e = np.exp(np.where(z >= least, z, -np.inf)).astype(logits.dtype)
    return e / e.sum(1, keepdims=True)


# --- 9.2 min-p first, temperature after it, then the draw ---------------------------------------------------


def draw_min_p(logits, min_p, temperature, points):
    probs = np.exp(logits - logits.max())  # the best one's is 1: the threshold is min_p itself
    kept = np.where(probs >= min_p, logits, -np.inf)
    e = np.exp((kept - kept.max()) / temperature)
    ends = np.cumsum(e / e.sum())  # where each token's piece of the line ends
    return np.searchsorted(ends, points, side="right")


def draw_min_p_loop(logits, min_p, temperature, points):
    top = max(logits)
    weights = [0.0] * len(logits)
    for i, z in enumerate(logits):
        if math.exp(z - top) >= min_p:
            weights[i] = math.exp((z - top) / temperature)
    drawn = []
    for point in points:
        left = point * sum(weights)
        token = 0
        while left >= weights[token]:
            left -= weights[token]
            token += 1
        drawn.append(token)
    return np.array(drawn)


def draw_min_p_by_comparing(logits, min_p, temperature, points):
    probs = np.exp(logits - logits.max())
    probs /= probs.sum()
    powers = np.where(probs < min_p * probs.max(), 0, (probs / probs.max()) ** (1 / temperature))
    ends = np.cumsum(powers) / powers.sum()
    return (ends[None, :] > np.asarray(points)[:, None]).argmax(1)


# --- 9.3 the repetition penalty, in a window, with free tokens ----------------------------------------------


def penalise(logits, ids, penalty, window, free):
    recent = ids[max(0, len(ids) - window) :]
    seen = sorted(set(recent) - set(free))
    out = logits.copy()
    for token in seen:
        out[token] = out[token] / penalty if out[token] > 0 else out[token] * penalty
    return out


def penalise_with_a_mask(logits, ids, penalty, window, free):
    count = min(window, len(ids))
    seen = np.zeros(logits.shape, dtype=bool)
    seen[np.array(ids[len(ids) - count :], dtype=int)] = True
    seen[np.array(free, dtype=int)] = False
    smaller = np.where(logits > 0, logits / penalty, logits * penalty)
    return np.where(seen, smaller, logits)


def penalise_by_a_power(logits, ids, penalty, window, free):
    recent = ids[::-1][:window]
    powers = [np.sign(z) if i in recent and i not in free else 0 for i, z in enumerate(logits)]
    return logits * (penalty ** -np.array(powers)).astype(logits.dtype)


# --- 9.4 one step of a beam search --------------------------------------------------------------------------


def beam_step(sums, done, logits, end, n):
    top = logits.max(1, keepdims=True)
    logp = logits - top - np.log(np.exp(logits - top).sum(1, keepdims=True))
    logp[done] = -np.inf  # a finished text cannot grow
    logp[done, end] = 0  # but stays, at no cost
    total = sums[:, None] + logp  # (N, V)
    best = np.argsort(-total, axis=None)[:n]
    rows, tokens = np.divmod(best, logits.shape[1])
    return rows, tokens, total[rows, tokens]


def beam_step_loop(sums, done, logits, end, n):
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


def beam_step_in_two_parts(sums, done, logits, end, n):
    V = logits.shape[1]
    e = np.exp(logits - logits.max(1, keepdims=True))
    total = sums[:, None] + (logits - logits.max(1, keepdims=True)) - np.log(e.sum(1, keepdims=True))
    open_rows, done_rows = np.flatnonzero(~done), np.flatnonzero(done)
    scores = np.concatenate([total[open_rows].ravel(), sums[done_rows]])
    rows = np.concatenate([np.repeat(open_rows, V), done_rows])
    tokens = np.concatenate([np.tile(np.arange(V), len(open_rows)), np.full(len(done_rows), end)])
    best = np.argsort(scores)[::-1][:n]
    return rows[best], tokens[best], scores[best]


# --- 9.5 one new token against a cache, grouped heads, a window ---------------------------------------------


def cached_step(q, k, v, keys, values, window):
    keys = np.concatenate([keys, k[:, None]], 1)[:, -window:]  # (G, S, D)
    values = np.concatenate([values, v[:, None]], 1)[:, -window:]
    G, _, D = keys.shape
    scores = q.reshape(G, -1, D) @ keys.swapaxes(1, 2) / math.sqrt(D)  # (G, H/G, S)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return (weights @ values).reshape(q.shape), keys, values


def cached_step_repeat(q, k, v, keys, values, window):
    start = max(0, keys.shape[1] + 1 - window)
    keys = np.append(keys, k[:, None, :], axis=1)[:, start:]
    values = np.append(values, v[:, None, :], axis=1)[:, start:]
    times = len(q) // len(k)
    scores = (np.repeat(keys, times, 0) * q[:, None]).sum(-1) / math.sqrt(q.shape[1])  # (H, S)
    weights = np.exp(scores - scores.max(1, keepdims=True))
    out = (weights[..., None] * np.repeat(values, times, 0)).sum(1) / weights.sum(1, keepdims=True)
    return out, keys, values


def cached_step_head_by_head(q, k, v, keys, values, window):
    G, S, D = keys.shape
    all_keys, all_values = np.zeros((G, S + 1, D), q.dtype), np.zeros((G, S + 1, D), q.dtype)
    all_keys[:, :S], all_keys[:, S] = keys, k
    all_values[:, :S], all_values[:, S] = values, v
    first = max(0, S + 1 - window)
    out = np.zeros_like(q)
    for h in range(len(q)):
        g = h // (len(q) // G)
        scores = all_keys[g, first:] @ q[h] / math.sqrt(D)
        w = np.exp(scores - scores.max())
        out[h] = w @ all_values[g, first:] / w.sum()
    return out, all_keys[:, first:], all_values[:, first:]


# --- 9.6 perplexity per character ---------------------------------------------------------------------------


def character_perplexity(logits, targets, mask, lengths):
    top = logits.max(-1, keepdims=True)
    lse = np.log(np.exp(logits - top).sum(-1, keepdims=True)) + top  # (B, T, 1)
    nats = (lse - np.take_along_axis(logits, targets[..., None], -1))[..., 0]  # (B, T)
    characters = lengths[targets]
    return np.exp((nats * mask).sum(dtype=logits.dtype) / float((characters * mask).sum()))


def character_perplexity_loop(logits, targets, mask, lengths):
    nats, characters = 0.0, 0
    for b in range(targets.shape[0]):
        for t in range(targets.shape[1]):
            if mask[b, t]:
                z = logits[b, t].astype(np.float64)
                nats -= z[targets[b, t]] - z.max() - math.log(np.exp(z - z.max()).sum())
                characters += int(lengths[targets[b, t]])
    return logits.dtype.type(math.exp(nats / characters))


def character_perplexity_product(logits, targets, mask, lengths):
    kept = mask.astype(bool)
    z, right = logits[kept], targets[kept]  # (n, V), (n,)
    p = np.exp(z - z.max(1, keepdims=True))
    p = p[np.arange(len(right)), right] / p.sum(1)
    return np.prod(p ** (-1 / float(lengths[right].sum())), dtype=logits.dtype)


# --- 9.7 self-BLEU ------------------------------------------------------------------------------------------


def self_bleu(texts, n):
    total = 0.0
    for i, text in enumerate(texts):
        others = texts[:i] + texts[i + 1 :]
        score = 1.0
        for k in range(1, n + 1):
            own = Counter(tuple(text[j : j + k]) for j in range(len(text) - k + 1))
            most = Counter()
            for other in others:
                most |= Counter(tuple(other[j : j + k]) for j in range(len(other) - k + 1))
            matches = (own & most).total()
            share = matches / max(own.total(), 1) if k == 1 else (matches + 1) / (own.total() + 1)
            score *= share ** (1 / n)
        total += score
    return total / len(texts)


def self_bleu_plain(texts, n):
    def grams(text, k):
        return [" ".join(text[j : j + k]) for j in range(len(text) - k + 1)]

    scores = []
    for i in range(len(texts)):
        logs = []
        for k in range(1, n + 1):
            own = grams(texts[i], k)
            others = [grams(texts[j], k) for j in range(len(texts)) if j != i]
            matches = sum(min(own.count(g), max(o.count(g) for o in others)) for g in set(own))
            extra = 1 if k > 1 else 0
            logs.append(math.log((matches + extra) / (len(own) + extra)) if matches + extra else -math.inf)
        scores.append(math.exp(sum(logs) / n))
    return sum(scores) / len(scores)


def self_bleu_tables(texts, n):
    scores = np.ones(len(texts))
    for k in range(1, n + 1):
        found = [list(zip(*(text[j:] for j in range(k)), strict=False)) for text in texts]
        every = sorted({gram for grams in found for gram in grams})
        place = {gram: column for column, gram in enumerate(every)}
        counts = np.zeros((len(texts), len(every)), dtype=int)
        for row, grams in zip(counts, found, strict=True):
            for gram in grams:
                row[place[gram]] += 1
        for i, row in enumerate(counts):
            limit = np.delete(counts, i, 0).max(0, initial=0)
            matches, count = np.minimum(row, limit).sum(), row.sum()
            scores[i] *= (matches + (k > 1)) / max(count + (k > 1), 1)
    return float((scores ** (1 / n)).mean())


# --- 9.8 stop at a string, while streaming ------------------------------------------------------------------


def stream_until(pieces, stop):
    shown, held = [], ""
    for piece in pieces:
        held += piece
        if stop in held:
            return [*shown, held[: held.index(stop)]]
        tail = max(k for k in range(len(stop)) if held.endswith(stop[:k]))  # it may be how stop begins
        shown.append(held[: len(held) - tail])
        held = held[len(held) - tail :]
    return [*shown, held] if held else shown


def stream_until_by_position(pieces, stop):
    text, at, shown = "", 0, []
    for piece in pieces:
        text += piece
        found = text.find(stop, at)
        if found >= 0:
            shown.append(text[at:found])
            return shown
        safe = max(at, len(text) - len(stop) + 1)
        while not stop.startswith(text[safe:]):
            safe += 1
        shown.append(text[at:safe])
        at = safe
    return shown + ([text[at:]] if at < len(text) else [])


def stream_until_by_the_whole_text(pieces, stop):
    def safe(text):
        for at in range(len(text)):
            if stop.startswith(text[at:]) or text[at:].startswith(stop):
                return text[:at]
        return text

    shown, text = [], ""
    for piece in pieces:
        before = safe(text)
        text += piece
        shown.append(safe(text)[len(before) :])
        if stop in text:
            return shown
    return shown + [text[len(safe(text)) :]] * (safe(text) != text)


# --- 9.9 spot the bug: the loss of a generator --------------------------------------------------------------


def next_token_loss(logits, ids, mask):
    logits, targets, counts = logits[:, :-1], ids[:, 1:], mask[:, 1:]
    top = logits.max(-1, keepdims=True)
    lse = np.log(np.exp(logits - top).sum(-1)) + top[..., 0]
    nats = lse - np.take_along_axis(logits, targets[..., None], -1)[..., 0]  # (B, T-1)
    return (nats * counts).sum(dtype=logits.dtype) / float(counts.sum())


def next_token_loss_loop(logits, ids, mask):
    losses = []
    for row, tokens, real in zip(logits, ids, mask, strict=True):
        for t in range(1, len(tokens)):
            if real[t]:
                z = row[t - 1].astype(np.float64)
                losses.append(z.max() + math.log(np.exp(z - z.max()).sum()) - z[tokens[t]])
    return logits.dtype.type(sum(losses) / len(losses))


def next_token_loss_by_picking(logits, ids, mask):
    b, t = np.nonzero(mask[:, 1:])
    z = logits[b, t]
    z = z - z.max(1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(1, keepdims=True))
    return -logp[np.arange(len(b)), ids[b, t + 1]].mean(dtype=logits.dtype)


# --- 9.10 a conversation as one text ------------------------------------------------------------------------

START, END = "<|im_start|>", "<|im_end|>"


def without_marks(text):
    while START in text or END in text:  # taking one out may put another together
        text = text.replace(START, "").replace(END, "")
    return text


def chat_prompt(messages, system, room):
    def turn(role, text):
        return f"{START}{role}\n{without_marks(text)}{END}\n"

    head = turn("system", system)
    turns = [turn(message["role"], message["content"]) for message in messages]
    opening = f"{START}assistant\n"
    while len(turns) > 1 and len(head + "".join(turns) + opening) > room:
        turns = turns[1:]
    return head + "".join(turns) + opening


def chat_prompt_from_the_end(messages, system, room):
    def turn(role, text):
        while (clean := text.replace(START, "").replace(END, "")) != text:
            text = clean
        return START + role + "\n" + text + END + "\n"

    head, kept = turn("system", system), START + "assistant\n"
    for i, message in enumerate(reversed(messages)):
        new = turn(message["role"], message["content"])
        if i > 0 and len(head) + len(new) + len(kept) > room:
            break
        kept = new + kept
    return head + kept


def chat_prompt_try_each(messages, system, room):
    def join(some):
        lines = [(m["role"], m["content"]) for m in [{"role": "system", "content": system}, *some]]
        return "".join(f"{START}{role}\n{without_marks(text)}{END}\n" for role, text in lines)

    tries = [join(messages[i:]) + START + "assistant\n" for i in range(len(messages))]
    return next((text for text in tries if len(text) <= room), tries[-1])
