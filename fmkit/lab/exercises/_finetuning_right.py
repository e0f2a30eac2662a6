"""Chapter 08's right answers: the reference of each exercise, then the same thing written differently."""

import math

import numpy as np

# --- 8.1 a split without copies ----------------------------------------------------------------------------


def clean_split(texts, order, n_test):
    seen, kept = set(), []
    for i in order:
        key = " ".join(texts[i].casefold().split())
        if key not in seen:  # the first copy stays, whichever part it goes to
            seen.add(key)
            kept.append(int(i))
    return kept[n_test:], kept[:n_test]


def clean_split_with_a_dict(texts, order, n_test):
    first = {}
    for i in order:
        first.setdefault(tuple(texts[i].casefold().split()), int(i))
    kept = list(first.values())
    return kept[n_test:], kept[:n_test]


def clean_split_part_by_part(texts, order, n_test):
    train, test, seen = [], [], []
    for i in map(int, order):
        key = texts[i].casefold().split()
        if key in seen:
            continue
        seen.append(key)
        (test if len(test) < n_test else train).append(i)
    return train, test


# --- 8.4 the last real step --------------------------------------------------------------------------------


def last_real(h, mask):
    B, T = mask.shape
    last = T - 1 - mask[:, ::-1].argmax(1)  # the first 1 from the right; where there is none, T - 1
    return np.where(mask.any(1)[:, None], h[np.arange(B), last], 0).astype(h.dtype)


def last_real_loop(h, mask):
    out = np.zeros((h.shape[0], h.shape[2]), h.dtype)
    for b in range(len(h)):
        for t in range(h.shape[1]):
            if mask[b, t]:
                out[b] = h[b, t]
    return out


def last_real_largest_position(h, mask):
    at = (mask * np.arange(1, mask.shape[1] + 1)).max(1)  # 0: no real step
    padded = np.concatenate([np.zeros_like(h[:, :1]), h], axis=1)
    return padded[np.arange(len(h)), at]


# --- 8.6 mean and maximum over the real tokens -------------------------------------------------------------


def mean_and_max(hidden, mask):
    real = mask[:, :, None] > 0  # (B, T, 1)
    n = np.maximum(mask.sum(1), 1).astype(hidden.dtype)[:, None]
    mean = np.where(real, hidden, 0).sum(1) / n
    top = np.where(real, hidden, -np.inf).max(1)
    top = np.where(mask.any(1)[:, None], top, 0)
    return np.concatenate([mean, top], axis=1).astype(hidden.dtype)  # (B, 2C)


def mean_and_max_loop(hidden, mask):
    B, _, C = hidden.shape
    out = np.zeros((B, 2 * C), hidden.dtype)
    for b in range(B):
        tokens = hidden[b][mask[b] == 1]  # (n, C)
        if len(tokens):
            out[b, :C], out[b, C:] = tokens.mean(0), tokens.max(0)
    return out


def mean_and_max_masked_arrays(hidden, mask):
    covered = np.broadcast_to(mask[:, :, None] == 0, hidden.shape)
    tokens = np.ma.array(hidden, mask=covered)
    both = np.ma.concatenate([tokens.mean(1), tokens.max(1)], axis=1)
    return np.asarray(both.filled(0)).astype(hidden.dtype)


# --- 8.5 early stopping ------------------------------------------------------------------------------------


def stop_early(losses, patience, min_delta):
    best, lowest, bad = 0, math.inf, 0
    for epoch, loss in enumerate(losses):
        if loss < lowest - min_delta:  # False for NaN, too
            best, lowest, bad = epoch, loss, 0
        else:
            bad += 1
        if bad == patience:
            break
    return best, epoch + 1


def stop_early_distance(losses, patience, min_delta):
    best = 0
    for epoch in range(1, len(losses)):
        if losses[best] - losses[epoch] > min_delta:
            best = epoch
        elif epoch - best >= patience:
            return best, epoch + 1
    return best, len(losses)


def stop_early_look_ahead(losses, patience, min_delta):
    best, n = 0, len(losses)
    while True:
        window = range(best + 1, min(best + patience, n - 1) + 1)
        better = [e for e in window if losses[e] < losses[best] - min_delta]
        if not better:
            return best, min(best + patience + 1, n)
        best = better[0]


# --- 8.7 a learning rate for each layer --------------------------------------------------------------------


def layer_rates(names, n_layers, lr, decay):
    rates = {}
    for name in names:
        first, *rest = name.split(".")
        if first in ("pooler", "classifier"):
            depth = 0  # new: the full rate
        elif first == "blocks":
            depth = n_layers - int(rest[0])
        else:
            depth = n_layers + 1  # the embeddings and their norm
        rates[name] = lr * decay**depth
    return rates


def layer_rates_height(names, n_layers, lr, decay):
    def height(name):  # 0 for the embeddings, n_layers + 1 for the head
        if name.startswith("blocks."):
            return 1 + int(name.split(".")[1])
        return n_layers + 1 if name.startswith(("pooler.", "classifier.")) else 0

    return {name: lr * math.pow(decay, n_layers + 1 - height(name)) for name in names}


def layer_rates_table(names, n_layers, lr, decay):
    table, rate = {"pooler": lr, "classifier": lr}, lr
    for i in reversed(range(n_layers)):
        rate = rate * decay
        table[f"blocks.{i}"] = rate
    rest = rate * decay
    return {
        n: table.get(n.split(".")[0], table.get(".".join(n.split(".")[:2]), rest)) if "." in n else rest
        for n in names
    }


# --- 8.8 LoRA merged into the fused query, key, value ------------------------------------------------------


def merge_query_value(wqkv, a_q, b_q, a_v, b_v, alpha):
    merged, C = wqkv.copy(), len(wqkv)
    merged[:, :C] += alpha / a_q.shape[1] * (a_q @ b_q)
    merged[:, 2 * C :] += alpha / a_v.shape[1] * (a_v @ b_v)
    return merged


def merge_query_value_concatenate(wqkv, a_q, b_q, a_v, b_v, alpha):
    q, k, v = np.split(wqkv, 3, axis=1)
    q = q + (a_q * (alpha / len(b_q))) @ b_q
    v = v + (a_v * (alpha / len(b_v))) @ b_v
    return np.concatenate([q, k, v], axis=1)


def merge_query_value_loop(wqkv, a_q, b_q, a_v, b_v, alpha):
    merged, C = wqkv.copy(), len(wqkv)
    for slot, a, b in ((0, a_q, b_q), (2, a_v, b_v)):
        rank = a.shape[1]
        for r in range(rank):  # a sum of rank-one matrices
            merged[:, slot * C : (slot + 1) * C] += alpha / rank * np.outer(a[:, r], b[r])
    return merged


# --- 8.9 LoRA's gradients, rank-stabilised -----------------------------------------------------------------


def lora_gradients(dout, x, w, a, b, alpha):
    dchange = dout * (alpha / math.sqrt(a.shape[1]))  # undoes the scale
    dnarrow = dchange @ b.T  # (B, T, R): undoes narrow @ b
    dx = dout @ w.T + dnarrow @ a.T  # the two ways that x went
    x2, narrow2 = x.reshape(-1, x.shape[-1]), (x @ a).reshape(-1, a.shape[1])
    da = x2.T @ dnarrow.reshape(-1, a.shape[1])
    db = narrow2.T @ dchange.reshape(-1, b.shape[1])
    return dx, da, db


def lora_gradients_through_the_merged_weight(dout, x, w, a, b, alpha):
    scale = alpha / math.sqrt(len(b))
    dmerged = x.reshape(-1, x.shape[-1]).T @ dout.reshape(-1, dout.shape[-1])  # (C, K): of w + scale * a @ b
    return dout @ (w + scale * (a @ b)).T, scale * (dmerged @ b.T), scale * (a.T @ dmerged)


def lora_gradients_loop(dout, x, w, a, b, alpha):
    scale = alpha / math.sqrt(a.shape[1])
    dx, da, db = np.zeros_like(x), np.zeros_like(a), np.zeros_like(b)
    for i in np.ndindex(x.shape[:2]):
        back = scale * (b @ dout[i])  # (R,)
        dx[i] = w @ dout[i] + a @ back
        da += np.outer(x[i], back)
        db += scale * np.outer(x[i] @ a, dout[i])
    return dx, da, db


# --- 8.2 a report ------------------------------------------------------------------------------------------


def class_report(pred, target, n_classes):
    precision, recall, f1 = np.zeros((3, n_classes))
    for k in range(n_classes):
        tp = np.sum((pred == k) & (target == k))
        called, true = np.sum(pred == k), np.sum(target == k)
        precision[k] = tp / called if called else 0.0
        recall[k] = tp / true if true else 0.0
        f1[k] = 2 * tp / (called + true) if called + true else 0.0
    return precision, recall, f1, float(f1.mean())


def class_report_confusion(pred, target, n_classes):
    matrix = np.zeros((n_classes, n_classes))
    np.add.at(matrix, (target, pred), 1)
    tp, called, true = np.diag(matrix), matrix.sum(0), matrix.sum(1)
    precision, recall = tp / np.maximum(called, 1), tp / np.maximum(true, 1)
    f1 = 2 * tp / np.maximum(called + true, 1)
    return precision, recall, f1, f1.sum() / n_classes


def class_report_harmonic(pred, target, n_classes):
    classes = np.arange(n_classes)[:, None]
    said, is_k = pred == classes, target == classes  # (K, N)
    both = (said & is_k).sum(1)
    with np.errstate(all="ignore"):
        precision = np.nan_to_num(both / said.sum(1))
        recall = np.nan_to_num(both / is_k.sum(1))
        f1 = np.nan_to_num(2 / (1 / precision + 1 / recall))
    return precision, recall, f1, np.mean(f1)


# --- 8.3 a paired bootstrap interval -----------------------------------------------------------------------


def paired_interval(right_a, right_b, draws, level):
    difference = right_a.astype(np.float64) - right_b  # of each sentence: 1, 0 or -1
    means = difference[draws].mean(1)  # (R,): one for each imagined test set
    tail = (1 - level) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def paired_interval_two_scores(right_a, right_b, draws, level):
    gaps = right_a[draws].mean(1) - right_b[draws].mean(1)
    return tuple(float(np.percentile(gaps, 50 + 50 * side * level)) for side in (-1, 1))


def paired_interval_loop(right_a, right_b, draws, level):
    gaps = []
    for rows in draws:
        a = sum(bool(right_a[i]) for i in rows) / len(rows)
        b = sum(bool(right_b[i]) for i in rows) / len(rows)
        gaps.append(a - b)
    gaps.sort()
    ends = []
    for share in ((1 - level) / 2, (1 + level) / 2):
        at = share * (len(gaps) - 1)
        i = min(int(at), len(gaps) - 2) if len(gaps) > 1 else 0
        j = min(i + 1, len(gaps) - 1)
        ends.append(gaps[i] + (at - i) * (gaps[j] - gaps[i]))
    return tuple(ends)


# --- 8.10 spot the bug: one epoch --------------------------------------------------------------------------


def train_epoch(w, b, x, y, batch_size, lr):
    total = 0.0
    for i in range(0, len(x), batch_size):
        rows, labels = x[i : i + batch_size], y[i : i + batch_size]
        z = rows @ w + b
        total += float(np.sum(np.logaddexp(0, z) - labels * z))  # before the step
        dz = (0.5 * (1 + np.tanh(0.5 * z)) - labels) / len(rows)  # sigmoid(z) - y, and the mean
        w = w - lr * (rows.T @ dz)
        b = b - lr * float(dz.sum())
    return w, b, total / len(x)


def train_epoch_one_more_column(w, b, x, y, batch_size, lr):
    wide, knobs = np.concatenate([x, np.ones_like(x[:, :1])], axis=1), np.append(w, w.dtype.type(b))
    losses = []
    for rows, labels in _batches(wide, y, batch_size):
        z = rows @ knobs
        signed = np.where(labels == 1, z, -z)
        losses.extend(np.maximum(-signed, 0) + np.log1p(np.exp(-np.abs(signed))))
        wrong = np.exp(-np.logaddexp(0, signed))  # 1 - P(right)
        push = np.where(labels == 1, wrong, -wrong)
        knobs = knobs + lr / len(rows) * (push @ rows)
    return knobs[:-1], float(knobs[-1]), float(np.mean(losses))


def _batches(x, y, batch_size):
    ends = range(batch_size, len(x), batch_size)
    return zip(np.split(x, ends), np.split(y, ends), strict=True)


def train_epoch_loop(w, b, x, y, batch_size, lr):
    dtype, w, losses = w.dtype, list(map(float, w)), []
    for begin in range(0, len(x), batch_size):
        batch = range(begin, min(begin + batch_size, len(x)))
        dw, db = [0.0] * len(w), 0.0
        for i in batch:
            z = b + sum(k * v for k, v in zip(w, x[i], strict=True))
            p = 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))
            losses.append(max(z, 0.0) - z * y[i] + math.log1p(math.exp(-abs(z))))
            dw = [d + (p - y[i]) * v / len(batch) for d, v in zip(dw, x[i], strict=True)]
            db += (p - y[i]) / len(batch)
        w = [k - lr * d for k, d in zip(w, dw, strict=True)]
        b -= lr * db
    return np.array(w, dtype), float(b), float(sum(losses) / len(losses))
