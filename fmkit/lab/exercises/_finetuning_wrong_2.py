"""Chapter 08's known-wrong answers, the second half (8.8, 8.9, 8.2, 8.3 and 8.10)."""

import math

import numpy as np

from fmkit.lab.exercises._finetuning_wrong import named


def _merge(mistake, wqkv, a_q, b_q, a_v, b_v, alpha):
    C = len(wqkv)
    scale_q, scale_v = alpha / a_q.shape[1], alpha / a_v.shape[1]
    if mistake == "alpha not divided by the rank":
        scale_q = scale_v = alpha
    elif mistake == "forgot alpha":
        scale_q, scale_v = 1 / a_q.shape[1], 1 / a_v.shape[1]
    elif mistake == "no scale at all":
        scale_q = scale_v = 1.0
    elif mistake == "divided by the width, not by the rank":
        scale_q = scale_v = alpha / C
    elif mistake == "the query's rank for both":
        scale_v = scale_q
    elif mistake == "divided by the root of the rank":
        scale_q, scale_v = alpha / math.sqrt(len(b_q)), alpha / math.sqrt(len(b_v))
    elif mistake == "the rank on the wrong side":
        scale_q, scale_v = len(b_q) / alpha, len(b_v) / alpha
    dq, dv = scale_q * (a_q @ b_q), scale_v * (a_v @ b_v)
    if mistake == "the product transposed":
        dq, dv = dq.T, dv.T
    merged = wqkv if mistake == "wrote into wqkv itself" else wqkv.copy()
    if mistake == "only the change":
        merged = 0 * merged
    first, second = slice(0, C), slice(2 * C, 3 * C)
    if mistake == "the keys instead of the values":
        second = slice(C, 2 * C)
    elif mistake == "query and value exchanged":
        first, second = second, first
    elif mistake == "every third column":
        first, second = slice(0, None, 3), slice(2, None, 3)
    if mistake == "replaced instead of added":
        merged[:, first], merged[:, second] = dq, dv
    else:
        merged[:, first] += dq
        merged[:, second] += -dv if mistake == "took the value's change off" else dv
    if mistake == "forgot the values":
        merged[:, second] -= dv
    return merged.astype(np.float64) if mistake == "float64 out of float32" else merged


MERGE = named(
    _merge,
    {
        "alpha not divided by the rank": "The scale is alpha over the rank: the width of a's rows.",
        "forgot alpha": "The scale is alpha over the rank, not one over the rank.",
        "no scale at all": "Between a @ b and the weight there is a scale.",
        "divided by the width, not by the rank": "a is (C, R): which of its two sizes is the rank?",
        "the query's rank for both": "The two pairs may have different ranks: each has a scale of its own.",
        "divided by the root of the rank": "That is the rank-stabilised form of the next exercise; this one "
        "divides by the rank itself.",
        "the rank on the wrong side": "alpha stands above the fraction line, the rank below it.",
        "the product transposed": "x goes through a first: a @ b is (C, C) in the right order already.",
        "wrote into wqkv itself": "The pretrained weight must stay as it is: take a copy first.",
        "only the change": "The merged weight is the pretrained one plus the change.",
        "replaced instead of added": "The change is added to what was pretrained.",
        "took the value's change off": "Both changes are added.",
        "forgot the values": "Two of the three parts change: the query's and the value's.",
        "the keys instead of the values": "The values are the last third; the keys, in the middle, stay.",
        "query and value exchanged": "The query stands first and the value last.",
        "every third column": "The three parts lie side by side in whole blocks of C columns.",
        "float64 out of float32": "np.zeros and np.eye make float64: give them wqkv.dtype.",
    },
)


def _lora(mistake, dout, x, w, a, b, alpha):
    R = a.shape[1]
    scale = alpha / math.sqrt(R)
    if mistake == "divided by the rank, not by its root":
        scale = alpha / R
    elif mistake == "alpha not divided by anything":
        scale = float(alpha)
    elif mistake == "forgot the scale":
        scale = 1.0
    sa = 1.0 if mistake == "forgot the scale in da" else scale
    sb = 1.0 if mistake == "forgot the scale in db" else scale
    sx = 1.0 if mistake == "forgot the scale in dx" else scale
    dnarrow = dout @ b.T  # (B, T, R), without its scale
    through_w, through_a = dout @ w.T, sx * (dnarrow @ a.T)
    dx = through_w + through_a
    if mistake == "dx through the frozen weight only":
        dx = through_w
    elif mistake == "dx through a and b only":
        dx = through_a
    elif mistake == "dx through the merged weight twice":
        dx = 2 * through_w + through_a
    x2, dout2, dnarrow2 = (v.reshape(-1, v.shape[-1]) for v in (x, dout, dnarrow))
    da, db = sa * (x2.T @ dnarrow2), sb * ((x2 @ a).T @ dout2)
    if mistake == "forgot b on the way to a":
        da = sa * (x2.T @ (dout2 @ w.T) @ a)
    elif mistake == "averaged over the positions":
        da, db = da / len(x2), db / len(x2)
    elif mistake == "averaged over the batch":
        da, db = da / len(x), db / len(x)
    elif mistake == "the last position only":
        da, db = sa * (x[:, -1].T @ dnarrow[:, -1]), sb * ((x[:, -1] @ a).T @ dout[:, -1])
    elif mistake == "da transposed":
        da = da.T
    elif mistake == "dw returned, too":
        return dx, x2.T @ dout2, da, db
    elif mistake == "the scale twice in db":
        db = scale * db
    elif mistake == "the scale twice in da":
        da = scale * da
    elif mistake == "a gets nothing, as b starts at zero":
        da = 0 * da
    if mistake == "float64 out of float32":
        return tuple(v.astype(np.float64) for v in (dx, da, db))
    return dx, da, db


LORA = named(
    _lora,
    {
        "divided by the rank, not by its root": "Here the scale is alpha over the square root of the rank.",
        "alpha not divided by anything": "The scale is alpha over the square root of the rank.",
        "forgot the scale": "The change goes through a scale on its way forward, so it does on its way back.",
        "forgot the scale in da": "a, too, reaches the output through the scale.",
        "forgot the scale in db": "b, too, reaches the output through the scale.",
        "forgot the scale in dx": "x reaches the output by two ways; one of them goes through the scale.",
        "the scale twice in da": "The scale was passed once: once it comes back.",
        "the scale twice in db": "The scale was passed once: once it comes back.",
        "dx through the frozen weight only": "x also went through a and b: over several wires, add.",
        "dx through a and b only": "A frozen weight gets no gradient, but it lets one through to x.",
        "dx through the merged weight twice": "Two ways lead from x to the output, not three.",
        "forgot b on the way to a": "Between a and the output stands b, not w.",
        "a gets nothing, as b starts at zero": "b is zero at the very start only; what reaches a is "
        "dout @ b.T.",
        "averaged over the positions": "A layer only adds up what comes back; an average, if any, was in "
        "the loss.",
        "averaged over the batch": "A layer only adds up what comes back; it takes no average of its own.",
        "the last position only": "a and b are used at every position: each sends something back.",
        "da transposed": "da has the shape of a: (C, R).",
        "dw returned, too": "w is frozen: its gradient is the one product that is not needed.",
        "float64 out of float32": "np.sqrt gives a NumPy number, which turns float32 into float64: math.sqrt "
        "does not.",
    },
)


def _report(mistake, pred, target, n_classes):
    tp, called, true = np.zeros((3, n_classes))
    for k in range(n_classes):
        tp[k] = np.sum((pred == k) & (target == k))
        called[k], true[k] = np.sum(pred == k), np.sum(target == k)
    if mistake == "precision and recall exchanged":
        called, true = true, called
    if mistake == "all right answers, also of other classes":
        tp = np.full(n_classes, float(np.sum(pred == target)))
    if mistake == "the class's accuracy for its precision":
        precision = np.array([np.mean((pred == k) == (target == k)) for k in range(n_classes)])
    else:
        precision = tp / np.maximum(called, 1)
    recall = tp / np.maximum(true, 1)
    f1 = 2 * tp / np.maximum(called + true, 1)
    if mistake == "the mean of precision and recall for F1":
        f1 = (precision + recall) / 2
    elif mistake == "forgot the 2 of F1":
        f1 = f1 / 2
    elif mistake == "the root of the product for F1":
        f1 = np.sqrt(precision * recall)
    if mistake == "0 / 0 left as NaN":
        with np.errstate(all="ignore"):
            precision, recall, f1 = tp / called, tp / true, 2 * tp / (called + true)
    elif mistake == "0 / 0 counted as right":
        precision, recall = np.where(called, precision, 1.0), np.where(true, recall, 1.0)
        f1 = np.where(called + true, f1, 1.0)
    return precision, recall, f1, _macro(mistake, precision, recall, f1, tp, true)


def _macro(mistake, precision, recall, f1, tp, true):
    if mistake == "accuracy for the macro mean":
        return float(tp.sum() / true.sum())
    if mistake == "weighted by the size of the classes":
        return float((f1 * true).sum() / true.sum())
    if mistake == "classes that do not occur left out":
        return float(f1[true > 0].mean())
    if mistake == "classes that were never found left out":
        return float(f1[f1 > 0].mean()) if f1.any() else 0.0
    if mistake == "F1 of the mean precision and recall":
        p, r = precision.mean(), recall.mean()
        return float(2 * p * r / (p + r)) if p + r else 0.0
    if mistake == "F1 of class 1 only":
        return float(f1[1])
    if mistake == "summed, not averaged":
        return float(f1.sum())
    return float(f1.mean())


REPORT = named(
    _report,
    {
        "precision and recall exchanged": "Precision looks at what was called k; recall at what is k.",
        "all right answers, also of other classes": "Precision and recall of class k count the hits of class "
        "k alone.",
        "the class's accuracy for its precision": "The rows that are rightly not k have no place in the "
        "precision of k.",
        "the mean of precision and recall for F1": "F1 is the harmonic mean: it is low when either is low.",
        "the root of the product for F1": "F1 is the harmonic mean, 2 tp over what was called k plus what "
        "is k.",
        "forgot the 2 of F1": "A perfect class has F1 = 1.",
        "0 / 0 left as NaN": "A class that is never called has no precision: count it as 0.",
        "0 / 0 counted as right": "A class that is never called gets 0, not 1.",
        "accuracy for the macro mean": "Accuracy counts every row alike; the macro mean every class.",
        "weighted by the size of the classes": "In the macro mean a rare class counts as much as a "
        "frequent one.",
        "classes that do not occur left out": "All n_classes classes count here, with F1 = 0 where there is "
        "nothing.",
        "classes that were never found left out": "A class that the model never finds is exactly what the "
        "macro mean should show.",
        "F1 of the mean precision and recall": "First F1 of each class, then the mean.",
        "F1 of class 1 only": "There is no positive class here: the mean over all classes is wanted.",
        "summed, not averaged": "A mean of n_classes numbers divides by n_classes.",
    },
)


def _interval(mistake, right_a, right_b, draws, level):
    a, b = right_a.astype(np.float64), right_b.astype(np.float64)
    other = {
        "each model with draws of its own": draws[::-1],
        "model b on the real test, not on the draws": np.broadcast_to(np.arange(len(b)), draws.shape),
    }.get(mistake, draws)
    means_a, means_b = a[draws].mean(1), b[other].mean(1)
    means = means_a - means_b
    tail = (1 - level) / 2
    if mistake == "b minus a":
        means = -means
    elif mistake == "the interval of a alone":
        means = means_a
    elif mistake == "the size of the difference without its sign":
        means = np.abs(means)
    elif mistake == "one tail for both":
        tail = 1 - level
    elif mistake == "lowest and highest draw":
        tail = 0.0
    elif mistake == "averaged over the draws, not over the sentences":
        means = (a - b)[draws].mean(0)
    elif mistake == "differences added, not averaged":
        means = (a - b)[draws].sum(1)
    elif mistake == "in per cent":
        means = 100 * means
    if mistake in ("an interval for each, then ends subtracted", "the widest gap between two intervals"):
        ends_a, ends_b = (np.quantile(m, [tail, 1 - tail]) for m in (means_a, means_b))
        gap = ends_a - (ends_b if "ends" in mistake else ends_b[::-1])
        return float(gap[0]), float(gap[1])
    if mistake == "1.96 standard deviations":
        half = 1.96 * means.std()
        return float(means.mean() - half), float(means.mean() + half)
    low, high = np.quantile(means, [tail, 1 - tail])
    if mistake == "upper end first":
        return float(high), float(low)
    return float(low), float(high)


INTERVAL = named(
    _interval,
    {
        "each model with draws of its own": "Both models answered the same sentences: in one draw they "
        "must be scored on the same ones.",
        "model b on the real test, not on the draws": "In each draw both models are scored on its rows.",
        "an interval for each, then ends subtracted": "First the difference within each draw, then the "
        "quantiles.",
        "the widest gap between two intervals": "Two intervals that overlap prove nothing: take the "
        "difference within each draw.",
        "b minus a": "A better model a must give a positive difference.",
        "the interval of a alone": "The difference of the two models is asked for.",
        "the size of the difference without its sign": "With the sign gone no interval can hold zero.",
        "one tail for both": "What is left over is shared by two sides: (1 - level) / 2 at each.",
        "lowest and highest draw": "Extremes grow with the number of draws: take quantiles.",
        "1.96 standard deviations": "That is for a bell curve, and for 95 % only: take quantiles.",
        "averaged over the draws, not over the sentences": "Each row of draws is one imagined test set: "
        "average within it.",
        "differences added, not averaged": "An accuracy is a share: divide by the number of sentences.",
        "in per cent": "Shares are wanted, from -1 to 1.",
        "upper end first": "The lower end comes first.",
    },
)


def _epoch(mistake, w, b, x, y, batch_size, lr):
    w = w if mistake == "overwrites the weights it was given" else w.copy()
    total, means, piled = 0.0, [], [0 * w, 0.0]
    stop = len(x) - len(x) % batch_size if mistake == "the last small batch left out" else len(x)
    if mistake == "one step for the whole epoch":
        batch_size = len(x)
    for i in range(0, stop, batch_size):
        rows, labels = x[i : i + batch_size], y[i : i + batch_size]
        z = rows @ w + b
        losses, dz = _loss_and_slope(mistake, z, labels)
        share = {
            "the sum over the batch, not its mean": 1,
            "the last batch divided by batch_size": batch_size,
        }
        dz = dz / share.get(mistake, len(rows))
        dw, db = rows.T @ dz, float(dz.sum())
        if mistake == "gradients pile up from batch to batch":
            piled = [piled[0] + dw, piled[1] + db]
            dw, db = piled
        rate = 0.0 if "nothing is learnt" in mistake else -lr if mistake == "walks uphill" else lr
        w -= rate * dw
        b = b if mistake == "the bias never moves" else b - rate * db
        if mistake == "the loss after the step":
            losses, _ = _loss_and_slope("", rows @ w + b, labels)
        total += float(losses.sum())
        means.append(float(losses.mean()))
    if mistake in ("the mean of the batches' means", "nothing is learnt, as published"):
        return w, b, float(np.mean(means))
    if mistake == "the last batch's loss":
        return w, b, means[-1]
    if mistake == "the sum of the losses":
        return w, b, total
    return w, b, total / stop


def _loss_and_slope(mistake, z, y):
    with np.errstate(all="ignore"):
        p = 0.5 * (1 + np.tanh(0.5 * z))
        losses, dz = np.logaddexp(0, z) - y * z, p - y
        if mistake == "logits taken for probabilities":
            q = np.clip(z, 1e-7, 1 - 1e-7)
            losses = -(y * np.log(q) + (1 - y) * np.log(1 - q))
            dz = np.where((z > 1e-7) & (z < 1 - 1e-7), (q - y) / (q * (1 - q)), 0)
        elif mistake == "the logarithm of a rounded probability":
            losses = -(y * np.log(p) + (1 - y) * np.log(1 - p))
        elif mistake == "the sigmoid's slope once more":
            dz = dz * p * (1 - p)
        elif mistake == "the squared error instead":
            losses, dz = 0.5 * (p - y) ** 2, (p - y) * p * (1 - p)
    return losses, dz.astype(z.dtype)


EPOCH = named(
    _epoch,
    {
        "nothing is learnt": "The weights come back as they went in: where does the loss become a plain "
        "number, and what can the slope of a plain number be?",
        "nothing is learnt, as published": "The weights come back as they went in; and the mean of the "
        "batches' means is not the mean over the sentences.",
        "the mean of the batches' means": "The last batch is smaller: each *sentence* should count the same.",
        "the last small batch left out": "The sentences after the last full batch want to be learnt as well.",
        "gradients pile up from batch to batch": "Each batch begins with a new gradient.",
        "the sum over the batch, not its mean": "The step must not grow with the size of the batch.",
        "the last batch divided by batch_size": "The last batch is smaller: how many rows has it?",
        "one step for the whole epoch": "One step for each batch: the next one starts from the new weights.",
        "the loss after the step": "The loss that is reported was measured before the step.",
        "the last batch's loss": "The mean over all sentences of the epoch is wanted.",
        "the sum of the losses": "The mean over all sentences is wanted.",
        "the bias never moves": "b has a slope, too: the sum of dz.",
        "walks uphill": "The gradient points uphill: take it off.",
        "overwrites the weights it was given": "w -= ... changes the caller's array: write w = w - ...",
        "logits taken for probabilities": "z is a logit, any number: the sigmoid makes a probability of it.",
        "the logarithm of a rounded probability": "For a large z the probability rounds to 0 or 1, and its "
        "logarithm is infinite (and 0 times it NaN): np.logaddexp(0, z) is safe.",
        "the sigmoid's slope once more": "p - y already contains the sigmoid's slope.",
        "the squared error instead": "The loss is binary cross-entropy: log(1 + exp(z)) - y z.",
    },
)
