"""Chapter 08's known-wrong answers, the first half (8.1, 8.4 to 8.7): one function for each exercise.

Each is the right answer with the named mistake in it and nothing else.
"""

import math
from functools import partial

import numpy as np

from fmkit.lab.judging.exercise import Misconception


def named(wrong, hints):
    """One `Misconception` per mistake that `wrong` knows, with its hint."""
    return tuple(Misconception(name, partial(wrong, name), hint) for name, hint in hints.items())


def _first_copies(texts, order, key):
    seen, kept = set(), []
    for i in order:
        if key(texts[i]) not in seen:
            seen.add(key(texts[i]))
            kept.append(int(i))
    return kept


def _split(mistake, texts, order, n_test):
    key = {
        "compared the texts as they are": lambda t: t,
        "capitals make another text": lambda t: " ".join(t.split()),
        "lower() where casefold() is wanted": lambda t: " ".join(t.lower().split()),
        "only the ends stripped of spaces": lambda t: t.casefold().strip(),
        "words compared as a set": lambda t: frozenset(t.casefold().split()),
        "spaces taken out altogether": lambda t: "".join(t.casefold().split()),
    }.get(mistake, lambda t: " ".join(t.casefold().split()))
    order = [int(i) for i in order]
    if mistake == "the file's order":
        order = sorted(order)
    if mistake == "copies stay":
        return order[n_test:], order[:n_test]
    if mistake == "split first, then cleaned each part":
        return _first_copies(texts, order[n_test:], key), _first_copies(texts, order[:n_test], key)
    if mistake == "n_test counted before the copies were gone":
        kept, early = _first_copies(texts, order, key), set(order[:n_test])
        return [i for i in kept if i not in early], [i for i in kept if i in early]
    if mistake == "cleaned the training part only":
        test = order[:n_test]
        known = {key(texts[i]) for i in test}
        return [i for i in _first_copies(texts, order[n_test:], key) if key(texts[i]) not in known], test
    if mistake == "all copies dropped, the first one too":
        keys = [key(t) for t in texts]
        kept = [i for i in order if keys.count(keys[i]) == 1]
    elif mistake == "the last copy stays":
        kept = _first_copies(texts, order[::-1], key)[::-1]
    else:
        kept = _first_copies(texts, order, key)
    if mistake == "the test taken from the end":
        return kept[: len(kept) - n_test], kept[len(kept) - n_test :]
    if mistake == "test and training part exchanged":
        return kept[:n_test], kept[n_test:]
    return kept[n_test:], kept[:n_test]


SPLIT = named(
    _split,
    {
        "split first, then cleaned each part": "A text may have one copy in the training part and one in "
        "the test: neither part alone shows it.",
        "copies stay": "A text that is in both parts is a question whose answer was learnt by heart.",
        "compared the texts as they are": "Two copies may differ in capitals and in spaces.",
        "capitals make another text": "'GREAT film' and 'Great film' are one text here.",
        "lower() where casefold() is wanted": "lower() leaves the German ß alone, casefold() makes it ss: "
        "that is what it is for.",
        "only the ends stripped of spaces": "Spaces inside the text may be doubled, too: what do split() and "
        "join() do to them?",
        "spaces taken out altogether": "'no table' and 'not able' are two texts: keep one space.",
        "words compared as a set": "'dog bites man' and 'man bites dog' are two texts: the order counts.",
        "the file's order": "A file is often sorted: order says in which order to walk through it.",
        "all copies dropped, the first one too": "The first copy that you meet is a good text: it stays.",
        "the last copy stays": "Of several copies the one that you meet first stays.",
        "n_test counted before the copies were gone": "The test is to have n_test texts: count those that "
        "stay.",
        "cleaned the training part only": "A text that is in the test twice counts twice there.",
        "the test taken from the end": "The first n_test texts that stay are the test.",
        "test and training part exchanged": "Return the training part first.",
    },
)


def _last(mistake, h, mask):
    B, T = mask.shape
    last = T - 1 - mask[:, ::-1].argmax(1)
    if mistake == "the last padded step":
        last = np.full(B, T - 1)
    elif mistake == "counted the real steps":
        last = np.maximum(mask.sum(1) - 1, 0)
    elif mistake == "one step too far":
        last = np.minimum(last + 1, T - 1)
    elif mistake == "one step too early":
        last = np.maximum(last - 1, 0)
    elif mistake == "the first real step":
        last = mask.argmax(1)
    elif mistake == "one place for the whole batch":
        last = np.full(B, T - 1 - mask.any(0)[::-1].argmax())
    elif mistake == "stopped at the first padded step":
        last = np.where(mask.all(1), T - 1, (mask == 0).argmax(1) - 1)
    out, some = h[np.arange(B), last], mask.any(1)[:, None]
    if mistake == "the mean of the real steps":
        out = (h * mask[:, :, None]).sum(1) / np.maximum(mask.sum(1, keepdims=True), 1)
    elif mistake == "the sum of the real steps":
        out = (h * mask[:, :, None]).sum(1)
    elif mistake == "zeros where the last step is padded":
        out = h[:, -1] * mask[:, -1:]
    elif mistake == "h[:, last] for the whole batch":
        return h[:, last]
    if mistake == "counted the real steps, and no zeros":
        out = h[np.arange(B), mask.sum(1) - 1]
    if mistake in ("an empty text gets a padded step", "counted the real steps, and no zeros"):
        return out.astype(h.dtype)
    if mistake == "float64 out of float32":
        return np.where(some, out, 0.0).astype(np.float64)
    return np.where(some, out, 0).astype(h.dtype)


LAST = named(
    _last,
    {
        "the last padded step": "h[:, -1] is the longest text's last step; in the others it is padding.",
        "counted the real steps": "The number of ones gives the place only when they begin at 0: here the "
        "padding may stand on the left.",
        "counted the real steps, and no zeros": "The number of ones gives the place only when they begin at "
        "0; and a text without any gets zeros.",
        "one step too far": "Steps are numbered from 0: five of them end at number 4.",
        "one step too early": "Take a row without padding: its last step is number T - 1.",
        "the first real step": "argmax finds the first 1 from the left: from which side do you look?",
        "one place for the whole batch": "Every text ends at a step of its own.",
        "stopped at the first padded step": "Padding may stand on the left, before the text: look for the "
        "last 1, not for the first 0.",
        "the mean of the real steps": "One step is wanted as it is, not an average of all.",
        "the sum of the real steps": "One step is wanted as it is, not a sum of all.",
        "zeros where the last step is padded": "Masking the last column does not find the last real step.",
        "h[:, last] for the whole batch": "h[:, last] takes these steps of every text. Pair each row with "
        "its own step: h[np.arange(B), last].",
        "an empty text gets a padded step": "A row of the mask may be all zeros: that text gets zeros.",
        "float64 out of float32": "np.zeros makes float64 unless you give it a dtype: h.dtype.",
    },
)


def _pool(mistake, hidden, mask):
    real, n = mask[:, :, None] > 0, mask.sum(1)[:, None].astype(hidden.dtype)
    some, T = mask.any(1)[:, None], hidden.shape[1]
    kept = np.where(real, hidden, 0)
    with np.errstate(all="ignore"):
        mean, top = kept.sum(1) / n, np.where(real, hidden, -np.inf).max(1)
        if mistake == "padding in the mean, too":
            mean = hidden.mean(1)
        elif mistake == "divided by T":
            mean = kept.sum(1) / T
        elif mistake == "padding added up, but not counted":
            mean = hidden.sum(1) / n
        elif mistake == "divided by the whole batch's tokens":
            mean = kept.sum(1) / mask.sum()
        elif mistake == "the sum, not the mean":
            mean = kept.sum(1)
        elif mistake == "the square root of the number of tokens":
            mean = kept.sum(1) / np.sqrt(n)
        elif mistake == "padding in the maximum, too":
            top = hidden.max(1)
        elif mistake == "padding in both":
            mean, top = hidden.mean(1), hidden.max(1)
        elif mistake.startswith("padding counts as zero in the maximum"):
            top = kept.max(1)
        elif mistake == "a number that is not low enough at the padded places":
            top = np.where(real, hidden, -1e4).max(1)
        elif mistake == "the largest absolute value":
            at = np.where(real, np.abs(hidden), -1).argmax(1)
            top = np.take_along_axis(hidden, at[:, None], axis=1)[:, 0]
        elif mistake == "the first token instead of the mean":
            mean = hidden[:, 0]
    if mistake == "an empty text keeps the -inf of the maximum":
        mean = np.where(some, mean, 0)
    elif not mistake.endswith("an empty text gives NaN"):
        mean, top = np.where(some, mean, 0), np.where(some, top, 0)
    both = (top, mean) if mistake == "maximum first, then mean" else (mean, top)
    if mistake == "stacked instead of side by side":
        return np.stack(both, axis=1).astype(hidden.dtype)
    out = np.concatenate(both, axis=1).astype(hidden.dtype)
    return out.astype(np.float64) if mistake == "float64 out of float32" else out


POOL = named(
    _pool,
    {
        "padding in the mean, too": "The same text in a longer batch must get the same mean.",
        "padding in both": "The same text in a longer batch must get the same vector.",
        "divided by T": "T counts the padding: how many tokens of this text are real?",
        "padding added up, but not counted": "What stands at a padded place may be anything: it must not "
        "get into the sum.",
        "divided by the whole batch's tokens": "Each text has its own number of tokens: mask.sum(1).",
        "the sum, not the mean": "A long text must not get a long vector: divide.",
        "the square root of the number of tokens": "The mean divides by the number itself.",
        "padding in the maximum, too": "A padded place must never win: what number always loses?",
        "padding counts as zero in the maximum": "Where all real values are negative, a zero at a padded "
        "place wins. What number always loses?",
        "a number that is not low enough at the padded places": "Real values may be below -10,000: which "
        "number is below all others?",
        "the largest absolute value": "The maximum of -5 and 1 is 1.",
        "the first token instead of the mean": "The first token is BERT's own summary; here the mean over "
        "all real tokens is wanted.",
        "an empty text gives NaN": "A text without a real token gives zeros: 0 / 0 is NaN, and the maximum "
        "of nothing is -inf.",
        "padding counts as zero in the maximum, and an empty text gives NaN": "Where all real values are "
        "negative, a zero at a padded place wins; and a text without any real token divides by 0.",
        "an empty text keeps the -inf of the maximum": "A text without a real token gives zeros, in the "
        "second half as well.",
        "maximum first, then mean": "The mean stands in the first C columns.",
        "stacked instead of side by side": "(B, 2C) is wanted: np.concatenate along axis 1.",
        "float64 out of float32": "An integer array turns float32 into float64: convert the mask.",
    },
)


def _stop(mistake, losses, patience, min_delta):
    if mistake == "the best of all epochs, also of those never run":
        return int(np.nanargmin(losses)), _stop("", losses, patience, min_delta)[1]
    best, lowest, bad = 0, losses[0] if mistake.startswith("epoch 0 counts") else math.inf, 0
    for epoch, loss in enumerate(losses):
        if mistake == "NaN passed over" and math.isnan(loss):
            continue
        gain = lowest - loss
        if mistake == "higher is better":
            gain = math.inf if epoch == 0 else loss - lowest
        elif mistake == "min_delta as a share of the loss":
            gain = gain / lowest if epoch else gain
        better = gain > min_delta
        if mistake.endswith("min_delta ignored"):
            better = gain > 0
        elif mistake == "NaN counts as better":
            better = not gain <= min_delta
        elif mistake == "a tie counts as better":
            better = gain >= min_delta
        elif mistake == "min_delta on the wrong side":
            better = gain > -min_delta
        if better:
            best, lowest, bad = epoch, loss, 0 if mistake != "patience never refilled" else bad
        else:
            bad += 1
            if mistake == "small gains move the bar":
                lowest = min(lowest, loss)
        if mistake == "compared with the epoch before":
            lowest = loss
        limit = {"one epoch too late": patience + 1, "one epoch too early": max(patience - 1, 1)}
        if bad == limit.get(mistake, patience):
            break
    if mistake == "the last epoch instead of the best":
        best = epoch
    if mistake == "the epoch before the patience ran out":
        best = epoch - bad + 1
    return best, epoch if mistake == "epochs run counted from 0" else epoch + 1


STOP = named(
    _stop,
    {
        "the last epoch instead of the best": "When patience runs out, the last epochs were all bad ones: "
        "whose weights do you want?",
        "the best of all epochs, also of those never run": "Who stopped after epoch 6 cannot know the loss "
        "of epoch 9.",
        "patience never refilled": "Patience is about bad epochs in a row: a good one fills it up again.",
        "min_delta ignored": "A gain of less than min_delta may be noise: it does not count.",
        "epoch 0 counts as a bad one": "At first nothing was better yet: with lowest = inf epoch 0 is "
        "the best so far.",
        "epoch 0 counts as a bad one, and min_delta ignored": "With lowest = inf at first, epoch 0 is best "
        "so far; and a gain of less than min_delta does not count.",
        "min_delta on the wrong side": "The loss must fall below the best by more than min_delta, not rise "
        "by less.",
        "min_delta as a share of the loss": "min_delta is in nats, like the loss, not a share of it.",
        "a tie counts as better": "More than min_delta is wanted: is it > or >=?",
        "small gains move the bar": "Many small gains may add up to a real one: keep the bar at the best "
        "that counted.",
        "compared with the epoch before": "After a bad epoch the next may be better than that one, and "
        "still worse than the best.",
        "one epoch too late": "With a patience of 2 the second bad epoch in a row is the last.",
        "one epoch too early": "With a patience of 2 one bad epoch is forgiven, and the second ends it.",
        "higher is better": "These are losses: lower is better.",
        "NaN counts as better": "Every comparison with NaN is False: ask for what is better, not for what "
        "is not worse.",
        "NaN passed over": "An epoch with a NaN was not better: it uses up patience like any other.",
        "the epoch before the patience ran out": "The first bad epoch is not the best: the one before it is.",
        "epochs run counted from 0": "If epoch 0 and epoch 1 were run, two were run.",
    },
)


def _rates(mistake, names, n_layers, lr, decay):
    rates = {}
    for name in names:
        first, *rest = name.split(".")
        is_head = first in ("pooler", "classifier")
        if mistake == "only the classifier is new":
            is_head = first == "classifier"
        if is_head:
            depth = 0
        elif first == "blocks":
            i = int(rest[0][0]) if mistake == "one digit of the block's number" else int(rest[0])
            depth = i + 1 if mistake == "the first layers fastest" else n_layers - i
            if mistake == "the last block at the full rate":
                depth -= 1
        else:
            depth = n_layers + 1
            if mistake == "the last block at the full rate":
                depth -= 1
            elif mistake == "embeddings at the full rate":
                depth = 0
            elif mistake == "embeddings at block 0's rate":
                depth = n_layers
            elif mistake == "embeddings frozen":
                depth = math.inf
            elif mistake == "the first layers fastest" or (
                mistake.endswith("norm at the full rate") and first == "ln"
            ):
                depth = 0
        if mistake == "the head first in line" and first != "pooler":
            depth += first != "classifier"
        rates[name] = _rate(mistake, lr, decay, depth)
    return rates


def _rate(mistake, lr, decay, depth):
    if mistake == "multiplied, not to the power":
        return lr * decay * depth if depth else lr
    if mistake == "divided instead of multiplied":
        return lr / decay**depth
    if mistake == "one step down only":
        return lr * decay if depth else lr
    if mistake == "decay taken off in equal steps":
        return lr * max(0.0, 1 - (1 - decay) * depth)
    if mistake == "lr in the power, too":
        return (lr * decay) ** depth if depth else lr
    return 0.0 if depth == math.inf else lr * decay**depth


RATES = named(
    _rates,
    {
        "the first layers fastest": "The lowest layers know the most general things: they should move least.",
        "the last block at the full rate": "Only what is new gets lr itself: the last block is one step "
        "below it.",
        "one digit of the block's number": "blocks.12 is block 12, not block 1: split the name at its dots.",
        "only the classifier is new": "The pooler belongs to the head as well: full rate.",
        "embeddings at the full rate": "The embeddings lie below block 0: they are the slowest.",
        "embeddings at block 0's rate": "The embeddings are one step below block 0.",
        "embeddings frozen": "The embeddings are slowest, but they do move.",
        "the embeddings' norm at the full rate": "'ln.w' belongs to the embeddings: it stands in no block.",
        "the head first in line": "The last block is one step below the head, not two.",
        "multiplied, not to the power": "Each layer is decay times the one above: that makes a power.",
        "divided instead of multiplied": "With decay below 1 the rates must shrink downwards.",
        "one step down only": "Each layer is slower than the one above it, not only slower than the head.",
        "decay taken off in equal steps": "Each step multiplies by decay: 1, 0.8, 0.64 ...",
        "lr in the power, too": "The power belongs to decay alone: lr * decay**depth.",
    },
)
