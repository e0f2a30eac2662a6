"""Chapter 03's known-wrong answers, the second half. The form is that of `_losses_wrong`."""

import math

import numpy as np

from fmkit.lab.exercises._losses_wrong import named


def _log_softmax(z):
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def _softmax(z, axis=-1):
    e = np.exp(z - z.max(axis, keepdims=True))
    return e / e.sum(axis, keepdims=True)


def _class_weights(mistake, logits, targets, class_weights, ignore):
    keep = targets != ignore
    if mistake == "scored the ignored positions":
        keep = np.ones_like(keep)
    elif mistake == "took every negative label for ignored, and no other":
        keep = targets >= 0
    z, y = logits[keep], targets[keep]
    if mistake == "multiplied the logits by the weights":
        z = z * class_weights
    logp = _log_softmax(z)
    if mistake == "no shift: exp overflows":
        logp = np.log(np.exp(z) / np.exp(z).sum(-1, keepdims=True))
    elif mistake == "log of a probability that was rounded to 0":
        logp = np.log(_softmax(z))
    elif mistake == "an epsilon in the log":
        logp = np.log(_softmax(z) + 1e-12)
    losses = -logp[np.arange(len(y)), y]
    w = class_weights[y]
    if mistake == "the weight of the class that was guessed":
        w = class_weights[z.argmax(-1)]
    elif mistake == "left the weights out":
        w = np.ones_like(losses)
    below = w.sum()
    if mistake == "divided by the number kept, not by their weights":
        below = len(y)
    elif mistake == "divided by all the rows, the ignored ones too":
        below = len(targets)
    elif mistake == "divided by the weights of all classes":
        below = class_weights.sum()
    return float((w * losses).sum() / below)


CLASS_WEIGHTS = named(
    _class_weights,
    {
        "scored the ignored positions": (
            "An ignored label must not be looked up: as an index, -1 quietly means the last class."
        ),
        "took every negative label for ignored, and no other": (
            "Which label means ignored is given by `ignore`: it may be 0, as the padding token's often is."
        ),
        "divided by the number kept, not by their weights": (
            "A weighted mean: with all weights doubled the result should not change."
        ),
        "divided by all the rows, the ignored ones too": (
            "A row that does not count must not thin out the mean of those that do."
        ),
        "divided by the weights of all classes": (
            "Sum the weights over the rows that are kept: a class that comes twice counts twice."
        ),
        "the weight of the class that was guessed": (
            "A row's weight belongs to its true class; the model has no say in it."
        ),
        "multiplied the logits by the weights": (
            "The weight scales how much a row's loss counts, not what the model says."
        ),
        "left the weights out": "class_weights does not appear in your result.",
        "log of a probability that was rounded to 0": (
            "softmax can round to exactly 0: take log-sum-exp minus logit, and no log of a probability."
        ),
        "an epsilon in the log": "An epsilon is a ceiling: beyond it, being more wrong costs nothing.",
        "no shift: exp overflows": (
            "exp(1000) is too large for any float: take each row's largest logit off first."
        ),
    },
)


def _smoothing(mistake, logits, targets, smoothing):
    n, v = logits.shape
    p = _softmax(logits, 0 if mistake == "softmax down the columns" else -1)
    if mistake == "no shift: exp overflows":
        p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    elif mistake == "one shift for all the rows":
        e = np.exp(logits - logits.max())
        p = e / e.sum(-1, keepdims=True)
    right = np.arange(v) == targets[:, None]
    q_right, q_wrong = 1 - smoothing, smoothing / (v - 1)
    if mistake == "spread over all the classes, the right one too":
        q_right, q_wrong = 1 - smoothing + smoothing / v, smoothing / v
    elif mistake == "the right class gets a share on top of its own":
        q_right = 1 - smoothing + smoothing / (v - 1)
    elif mistake == "the others share by V, not by V - 1":
        q_wrong = smoothing / v
    elif mistake == "took the share from the right class but gave it to nobody":
        q_wrong = 0.0
    elif mistake == "gave each wrong class the whole share":
        q_wrong = smoothing
    elif mistake == "left the smoothing out":
        q_right, q_wrong = 1.0, 0.0
    q = np.where(right, q_right, q_wrong).astype(logits.dtype)
    if mistake == "smoothed the prediction, not the target":
        q = right.astype(logits.dtype)
        p = (1 - smoothing) * p + smoothing / v
    d = q - p if mistake == "q - p instead of p - q" else p - q
    if mistake == "forgot the 1/N of the mean":
        return d
    return d / (n * v) if mistake == "divided by all the entries, not by the rows" else d / n


SMOOTHING = named(
    _smoothing,
    {
        "spread over all the classes, the right one too": (
            "That is torch's form; here the right class keeps 1 - smoothing, and only the others share."
        ),
        "the right class gets a share on top of its own": (
            "The targets of a row must sum to 1: set the right class to 1 - smoothing, do not add to it."
        ),
        "the others share by V, not by V - 1": (
            "The targets of a row must sum to 1: how many classes divide the share among them?"
        ),
        "took the share from the right class but gave it to nobody": (
            "The targets of a row must sum to 1, as every distribution does."
        ),
        "gave each wrong class the whole share": "The share is one, and V - 1 classes divide it.",
        "left the smoothing out": "smoothing does not appear in your result.",
        "smoothed the prediction, not the target": (
            "The model's softmax stays as it is; it is the target that becomes softer."
        ),
        "q - p instead of p - q": "What the model believes, minus what it should: in this order.",
        "forgot the 1/N of the mean": (
            "The loss is a mean over the rows: what does that do to each row's share?"
        ),
        "divided by all the entries, not by the rows": (
            "The mean is over the N rows; the classes of a row are summed."
        ),
        "one shift for all the rows": (
            "Rows may be a thousand apart: each needs its own largest logit taken off."
        ),
        "softmax down the columns": (
            "Each row is one example: its probabilities must sum to 1 along the classes."
        ),
        "no shift: exp overflows": (
            "exp(1000) is too large for any float: take each row's largest logit off first."
        ),
    },
)


def _calibration(mistake, p, y, bins):
    if mistake == "asked whether the guess was right, not whether y is 1":
        y = ((p > 0.5) == y).astype(p.dtype)
    place = np.minimum(np.floor(p * bins), bins - 1)
    if mistake == "lost the predictions of exactly 1":
        place = np.floor(p * bins)  # they land in a bin that nobody asks
    elif mistake == "an edge counts for the bin below it":
        place = np.maximum(np.ceil(p * bins) - 1, 0)
    elif mistake == "bins of equal number, not of equal width":
        place = np.empty(len(p))
        place[np.argsort(p)] = np.arange(len(p)) * bins // len(p)
    gaps, shares = [], []
    for b in range(bins):
        inside = place == b
        if not inside.any() and mistake != "NaN from an empty bin":
            continue
        said = (b + 0.5) / bins if mistake == "the bin's centre instead of its mean p" else p[inside].mean()
        gaps.append(said - y[inside].mean())
        shares.append(inside.mean())
    gaps, shares = np.array(gaps), np.array(shares)
    if mistake != "let gaps of opposite sign cancel":
        gaps = np.abs(gaps)
    if mistake == "every bin counts the same":
        return float(gaps.mean())
    if mistake == "divided by the number of bins":
        return float((shares * gaps).sum() / bins)
    if mistake == "the worst bin only":
        return float(gaps.max())
    return float((shares * gaps**2).sum() ** 0.5 if mistake == "squared the gaps" else (shares * gaps).sum())


CALIBRATION = named(
    _calibration,
    {
        "every bin counts the same": (
            "A bin with three examples should not weigh as much as one with three hundred."
        ),
        "divided by the number of bins": "The shares of the bins sum to 1: nothing is left to divide by.",
        "let gaps of opposite sign cancel": (
            "Too sure here and too timid there do not make a calibrated model: take each gap's size."
        ),
        "the worst bin only": "That is the largest gap; here the mean gap is wanted.",
        "squared the gaps": "The gaps enter with their plain size here, not squared.",
        "the bin's centre instead of its mean p": (
            "The predictions of a bin need not lie around its centre: take their own mean."
        ),
        "asked whether the guess was right, not whether y is 1": (
            "p is the probability of class 1, so compare it with how often class 1 comes."
        ),
        "lost the predictions of exactly 1": "Into which bin does p = 1 fall? There is none above the last.",
        "an edge counts for the bin below it": (
            "An edge belongs to the bin above it: with four bins, p = 0.25 opens the second."
        ),
        "bins of equal number, not of equal width": (
            "The bins cut the way from 0 to 1 into equal parts, wherever the predictions lie."
        ),
        "NaN from an empty bin": "An empty bin has no mean: leave it out.",
    },
)


def _bits(mistake, logp, pieces):
    characters = [len(piece) for piece in pieces]
    if mistake == "counted bytes, not characters":
        characters = [len(piece.encode()) for piece in pieces]
    cost = -logp / (math.log(10) if mistake == "the logarithm to base 10" else math.log(2))
    if mistake == "nats instead of bits":
        cost = -logp
    elif mistake == "multiplied by log 2 instead of dividing":
        cost = -logp * math.log(2)
    if mistake == "bits per piece, not per character":
        return float(cost.mean())
    if mistake == "left out the pieces without text":
        cost = cost[np.array(characters) > 0]
    elif mistake == "the mean of each piece's own ratio":
        return float(np.mean([c / n for c, n in zip(cost, characters, strict=True) if n]))
    bits = float(cost.sum() / sum(characters))
    if mistake == "the perplexity instead of its logarithm":
        return 2.0**bits
    return -bits if mistake == "the log-probability without its minus" else bits


BITS = named(
    _bits,
    {
        "nats instead of bits": (
            "The logs are natural ones; a bit is the surprise of a fair coin: how many nats is that?"
        ),
        "multiplied by log 2 instead of dividing": (
            "A bit is smaller than a nat, so the same surprise is more bits than nats."
        ),
        "the logarithm to base 10": "A bit is the surprise of one coin of two sides: base 2.",
        "bits per piece, not per character": (
            "Long pieces are harder to guess: only a count that no tokenizer can change is fair."
        ),
        "the mean of each piece's own ratio": (
            "Add up all bits, add up all characters, divide once: a long piece counts for all it spells."
        ),
        "left out the pieces without text": (
            "An end mark has no characters, but the model had to predict it: its bits count."
        ),
        "counted bytes, not characters": "One character such as é is two bytes: count what a reader counts.",
        "the perplexity instead of its logarithm": "The exponential makes it a perplexity: stop before it.",
        "the log-probability without its minus": "A log-probability is negative; a surprise is positive.",
    },
)


def _masked_lm(mistake, logits, ids, masked):
    counted = np.ones_like(masked) if mistake == "averaged over all positions, seen ones too" else masked
    if mistake == "scored the positions that it can see":
        counted = ~masked
    logp = _log_softmax(logits)
    if mistake == "log of a probability that was rounded to 0":
        logp = np.log(_softmax(logits))
    elif mistake == "no shift: exp overflows":
        logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    elif mistake == "one shift for all the positions" and masked.any():
        z = logits - logits[masked].max()
        logp = z - np.log(np.exp(z).sum(-1, keepdims=True))
    elif mistake == "an epsilon in the log":
        logp = np.log(_softmax(logits) + 1e-12)
    losses = -np.take_along_axis(logp, ids[..., None], -1)[..., 0]  # (B, T)
    total, count = losses[counted].sum(), int(counted.sum())
    if mistake == "NaN when nothing is masked":
        return float(losses[counted].mean()) if count else math.nan
    if count == 0:
        count = 1
    if mistake == "divided by all positions":
        count = masked.size
    elif mistake == "the sum over all positions, divided by the masked ones":
        total = losses.sum()
    elif mistake == "the mean of the rows' means":
        rows = [row[m].mean() for row, m in zip(losses, masked, strict=True) if m.any()]
        total, count = sum(rows), max(len(rows), 1)
    elif mistake == "the sum instead of the mean":
        count = 1
    return float(total / count)


MASKED_LM = named(
    _masked_lm,
    {
        "averaged over all positions, seen ones too": (
            "Where the token is not hidden the model can read it off: what does its score there tell?"
        ),
        "scored the positions that it can see": "`masked` is True where a token is hidden: those count.",
        "divided by all positions": (
            "By how many numbers must a sum over the masked positions be divided to be their mean?"
        ),
        "the sum over all positions, divided by the masked ones": (
            "The right divisor; but what is added up above it must be the same positions."
        ),
        "the mean of the rows' means": (
            "A row with one mask would count as much as a row with ten: pool all masked positions."
        ),
        "the sum instead of the mean": "Twice as many masks must not double the loss.",
        "log of a probability that was rounded to 0": (
            "softmax can round to exactly 0: take log-sum-exp minus logit, and no log of a probability."
        ),
        "an epsilon in the log": (
            "An epsilon is a ceiling: beyond it, being more wrong costs nothing. From logits none is needed."
        ),
        "no shift: exp overflows": (
            "exp(1000) is too large for any float: take each position's largest logit off first."
        ),
        "one shift for all the positions": (
            "Positions may be a thousand apart: each needs its own largest logit taken off."
        ),
        "NaN when nothing is masked": "The mean of nothing is no number; the exercise says what to return.",
    },
)
