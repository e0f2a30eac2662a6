"""Chapter 07's known-wrong answers, second half (7.5 to 7.8): one function for each exercise."""

import math

import numpy as np

from fmkit.lab.exercises._pretraining_wrong import _named


def _pairs(mistake, documents, coins, draws):
    lines = [line for document in documents for line in document]
    pairs, labels, start, k = [], [], 0, 0
    for document in documents:
        across = mistake == "the last line of a document paired with the next document"
        stop = min(len(document), len(lines) - 1 - start) if across else len(document) - 1
        for i in range(stop):
            following = start + i + 1
            coin = 1 - coins[k] if mistake == "the coin read the other way round" else coins[k]
            pairs.append(
                (lines[start + i], _second(mistake, lines, following, coin, draws[k], len(document)))
            )
            right = 1 - coin if mistake == "label 0 for the true next line" else coin
            labels.append(1 if mistake == "every pair labelled as true" else int(right))
            k += 1
        start += len(document)
        k += mistake == "a coin spent on the last line, too" and len(document) > 0
    return pairs, labels


def _second(mistake, lines, following, coin, draw, size):
    """The second line of a pair."""
    if coin:
        if mistake == "the next word, not the next sentence":
            return lines[following].split()[0]
        return lines[following - 1] if mistake == "a line paired with itself" else lines[following]
    if mistake == "the true next line as a negative":
        return lines[draw]
    if mistake == "the line before the drawn one, where it is the true one":
        return lines[draw - 1 if draw == following else draw]
    if mistake == "every draw moved on by one":
        return lines[(draw + 1) % len(lines)]
    return lines[(draw + 1) % len(lines) if draw == following else draw]


PAIRS = _named(
    _pairs,
    {
        "the next word, not the next sentence": "One of the articles mixes these up. The second half of a "
        "pair is a whole line.",
        "the true next line as a negative": "A draw may hit the true next line, and then the label 0 is a "
        "lie: take the line after it.",
        "the line before the drawn one, where it is the true one": "The line before the true next one is "
        "the first half of the pair. Move on, not back.",
        "every draw moved on by one": "Only a draw that hits the true next line is moved on.",
        "label 0 for the true next line": "Here 1 says that the second line really follows.",
        "the coin read the other way round": "Coin 1 takes the true next line, coin 0 the drawn one.",
        "every pair labelled as true": "The label says whether the second line really follows.",
        "the last line of a document paired with the next document": "No line follows the last one of a "
        "document.",
        "a coin spent on the last line, too": "There is one coin for each *pair*; the last line of a "
        "document begins none.",
        "a line paired with itself": "The true next line is the one after the first half.",
    },
)


def _power(mistake, n, losses, floor):
    n, losses = n.astype(np.float64), losses.astype(np.float64)
    x, y = np.log(n), np.log(losses - floor)
    if mistake == "the floor not taken off":
        y = np.log(losses)
    elif mistake == "the floor taken off after the logarithm":
        y = np.log(losses) - floor
    elif mistake == "a straight line in n":
        x = n
    elif mistake == "a logarithmic law: only n in logarithms":
        y = losses - floor
    if mistake == "the two axes swapped":
        x, y = y, x
    slope, at_one = np.polyfit(x, y, 1)
    if mistake == "the end points only" and len(n) > 2:
        slope = (y[-1] - y[0]) / (x[-1] - x[0])
        at_one = y[0] - slope * x[0]
    a, alpha = math.exp(at_one), -slope
    if mistake == "alpha with its sign":
        alpha = slope
    elif mistake == "a left as a logarithm":
        a = at_one
    elif mistake == "10 to a natural logarithm":
        a = 10.0 ** min(at_one, 300)
    elif mistake == "the two in the other order":
        a, alpha = alpha, a
    return float(a), float(alpha)


POWER = _named(
    _power,
    {
        "the floor not taken off": "The law is about what lies above the floor.",
        "the floor taken off after the logarithm": "log(loss - floor) is not log(loss) - floor.",
        "a straight line in n": "Both axes are logarithmic: n as well.",
        "a logarithmic law: only n in logarithms": "Both axes are logarithmic: the loss above the floor as "
        "well.",
        "the two axes swapped": "The loss is explained by n: which of the two is x?",
        "the end points only": "Use all points: least squares, as np.polyfit does it.",
        "alpha with its sign": "The loss falls, so the slope is negative; alpha is positive.",
        "a left as a logarithm": "At log n = 0 the line shows log a.",
        "10 to a natural logarithm": "np.log goes with np.exp, np.log10 with 10 **.",
        "the two in the other order": "First a, then alpha.",
    },
)


def _hashed(mistake, ids, rows, p, q):
    shift = -1 if mistake == "looked at the next tokens" else 1

    def back(steps):
        out = np.zeros_like(ids)
        if mistake == "wrapped round: a row's beginning sees its end":
            return np.roll(ids, steps, 1)
        if mistake == "a row's beginning sees the row above":
            out.flat[steps:] = ids.flat[: ids.size - steps]
        elif mistake == "the first token repeated before the beginning":
            return ids[:, np.maximum(np.arange(ids.shape[1]) - steps, 0)]
        elif shift < 0:
            out[:, : max(ids.shape[1] - steps, 0)] = ids[:, steps:]
        elif steps < ids.shape[1]:
            out[:, steps:] = ids[:, :-steps]
        return out

    one, two = back(1), back(2)
    if mistake == "no factors: the order is lost":
        p = q = 1
    elif mistake == "one factor for both":
        q = p
    elif mistake == "the two factors exchanged":
        p, q = q, p
    pairs = ids + p * one
    triples = pairs + q * two
    if mistake == "the triple without its middle token":
        triples = ids + q * two
    elif mistake == "the token itself left out":
        pairs, triples = p * one, p * one + q * two
    if mistake == "no remainder taken":
        return pairs, triples
    return pairs % rows, triples % rows


HASHED = _named(
    _hashed,
    {
        "looked at the next tokens": "The pair must end at place t: whoever sees t + 1 knows the answer.",
        "wrapped round: a row's beginning sees its end": "np.roll closes the row to a ring: its beginning "
        "would know its end.",
        "a row's beginning sees the row above": "The rows of a batch come from different places of the "
        "text: shift each on its own.",
        "the first token repeated before the beginning": "Before the beginning of a row stand zeros.",
        "no factors: the order is lost": "Without factors 'ab' and 'ba' would share a row.",
        "one factor for both": "The token two back has a factor of its own.",
        "the two factors exchanged": "p belongs to the token one back, q to the one two back.",
        "the triple without its middle token": "A triple is all three: it is the pair's number and one "
        "more token.",
        "the token itself left out": "The pair that *ends* at t has the token at t in it.",
        "no remainder taken": "The table has only so many rows.",
    },
)


def _masked_loss(mistake, logits, targets):
    shifted = logits - logits.max(-1, keepdims=True)
    if mistake == "exp without taking off the largest":
        shifted = logits
    with np.errstate(all="ignore"):
        log_p = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    hidden = targets != -100
    n, everywhere = int(hidden.sum()), targets.size
    if mistake == "summed over all places, as published":
        hidden, n = np.ones_like(hidden), everywhere
    truth = np.where(targets == -100, 0, targets)
    p = np.exp(log_p)
    one_hot = (np.arange(logits.shape[-1]) == truth[..., None]).astype(logits.dtype)
    if mistake == "the log left out":
        picked = -(p * one_hot).sum(-1)
    else:
        picked = -np.where(one_hot > 0, log_p, 0).sum(-1)
    loss = float(picked[hidden].sum())
    dlogits = (p - one_hot) * hidden[..., None]
    if mistake == "the gradient has the other sign":
        dlogits = -dlogits
    elif mistake == "the gradient flows at every place":
        dlogits = p - one_hot * hidden[..., None]
    n_loss = n_grad = n
    if mistake == "divided by all places":
        n_loss = n_grad = everywhere
    elif mistake == "the sum instead of the mean":
        n_loss = n_grad = 1
    elif mistake == "the gradient not divided":
        n_grad = 1
    elif mistake == "divided by the rows of the batch":
        n_loss = n_grad = len(logits)
    if mistake == "nothing hidden gives NaN":
        with np.errstate(all="ignore"):
            return float(np.float64(loss) / n_loss), dlogits / logits.dtype.type(n_grad)
    return loss / max(n_loss, 1), dlogits / max(n_grad, 1)


MASKED_LOSS = _named(
    _masked_loss,
    {
        "summed over all places, as published": "At most places the answer stands in the input: what does "
        "a model learn that is paid for copying?",
        "divided by all places": "The mean is over the hidden places: by how many terms is it divided?",
        "the sum instead of the mean": "Twice as many hidden places would double your loss.",
        "divided by the rows of the batch": "The mean is over hidden *places*, not over rows.",
        "the gradient not divided": "The loss is a mean, and its gradient has the same divisor.",
        "the gradient has the other sign": "Raising the right token's logit must lower the loss.",
        "the gradient flows at every place": "What the loss does not see gets no gradient, not even "
        "softmax(logits).",
        "the log left out": "Cross-entropy is minus the *log* of the right token's probability.",
        "exp without taking off the largest": "exp(1000) overflows: chapter 3 took the largest logit off "
        "first.",
        "nothing hidden gives NaN": "0 / 0: what should a batch say in which nothing is hidden?",
    },
)
