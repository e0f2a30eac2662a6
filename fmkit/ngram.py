"""Counting instead of learning (chapter 07): an n-gram language model with Kneser-Ney smoothing.

The model that neural language models have to beat: it remembers how often each token followed each short
context. Fitting is counting, seconds for millions of tokens.

A *gram* is a few tokens in a row. It is written as one whole number, its tokens being the digits in base V:
so a gram's context (all but its last token) is ``gram // V``, and its ending (all but its first token) is
``gram % V**(n-1)``. Counting grams is then sorting numbers.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Integer

from fmkit._shapes import expect, integers
from fmkit._types import Array
from fmkit._values import instance, whole


@dataclass(frozen=True)
class Level:
    """What is known about the grams of one length n. Both tables are sorted, so that they can be searched.

    Examples
    --------
    >>> level = fit(np.array([0, 1] * 6 + [0, 2, 0]), order=2, vocab_size=3).levels[-1]
    >>> [divmod(int(gram), 3) for gram in level.grams], level.counts  # pairs of tokens, and how often
    ([(0, 1), (0, 2), (1, 0), (2, 0)], array([6, 1, 6, 1]))
    """

    grams: Int[Array, "G"]  # every gram that was seen
    counts: Int[Array, "G"]  # how often; below the longest level, after how many different tokens
    contexts: Int[Array, "K"]  # every context that was seen: grams without their last token
    totals: Int[Array, "K"]  # the sum of its grams' counts
    saved: Float[Array, "K"]  # the sum of its grams' discounts
    discounts: Float[Array, "4"]  # what is taken off a count of 0, 1, 2, and 3 or more


@dataclass(frozen=True)
class NGram:
    """An n-gram model: ``levels[0]`` knows single tokens, ``levels[-1]`` grams of ``len(levels)`` tokens.

    Examples
    --------
    >>> model = fit(np.array([0, 1] * 6 + [0, 2, 0]), order=2, vocab_size=3)
    >>> model.vocab_size, len(model.levels)
    (3, 2)
    """

    vocab_size: int
    levels: tuple[Level, ...]


# ------------------------------------------------------------------------------------------------------ count


def fit(ids: Integer[Array, "N"], order: int, vocab_size: int) -> NGram:
    """Count the grams of a text.

    The longest grams are counted as they come. A shorter gram's count is *how many different tokens stood
    before it*: how many grams of the next longer level end in it. That is Kneser and Ney's idea. "Francisco"
    is frequent but comes after "San" only, so it is a poor guess after any other word.

    Parameters
    ----------
    ids : (N,) integers
        The text, tokens from 0 to ``vocab_size - 1``.
    order : int
        n, the longest gram: a token is guessed from the ``order - 1`` before it.
    vocab_size : int
        V.

    Raises
    ------
    ValueError
        If the text is shorter than a gram, a gram does not fit into 63 bits, or a token is not in 0 to V - 1:
        its grams would have the numbers of others.
    TypeError
        For tokens that are not integers.

    References
    ----------
    Kneser and Ney, "Improved backing-off for m-gram language modeling" (1995); interpolated and with three
    discounts, as by Chen and Goodman, "An empirical study of smoothing techniques for language modeling"
    (1999), section 3.

    Examples
    --------
    >>> model = fit(np.array([0, 1] * 6 + [0, 2, 0]), order=2, vocab_size=3)
    >>> model.levels[0].counts  # after how many different tokens each came: 0 after 1 and after 2
    array([2, 1, 1])
    """
    vocab_size, order = whole("vocab_size", vocab_size, 1), whole("order", order, 1)
    ids = _tokens("ids", ids, vocab_size)
    if order > len(ids):
        raise ValueError(f"grams of {order} tokens cannot be counted in a text of {len(ids)}")
    if vocab_size**order >= 2**63:
        raise ValueError(f"grams of {order} tokens out of {vocab_size} do not fit into 63 bits")
    levels, here = [], _grams(ids, order, vocab_size)
    for n in range(order, 0, -1):
        grams, counts = _count(here)
        levels.append(_level(grams, counts, vocab_size))
        here = grams % vocab_size ** (n - 1)  # the endings of *different* grams are counted one level below
    return NGram(vocab_size, tuple(reversed(levels)))


def _tokens(name: str, ids: Integer[Array, "N"], vocab_size: int) -> Int[Array, "N"]:
    """The tokens as int64, of which grams are made, once each is one of the vocabulary's."""
    ids = np.asarray(ids)
    expect(name, ids, (None,), "(N,)")
    if ids.size:
        integers(name, ids, stop=vocab_size)
    return ids.astype(np.int64)


def _grams(ids: Integer[Array, "N"], n: int, vocab_size: int) -> Int[Array, "M"]:
    """The gram that ends at each place, for the places n-1, n, ..., N-1."""
    out = ids[n - 1 :].copy()
    for back in range(1, n):
        out += ids[n - 1 - back : len(ids) - back] * vocab_size**back
    return out


def _count(values: Int[Array, "M"]) -> tuple[Int[Array, "G"], Int[Array, "G"]]:
    """The different values, sorted, and how often each came."""
    values = np.sort(values)
    first = _firsts(values)
    return values[first], np.diff(first, append=len(values))


def _firsts(ordered: Int[Array, "M"]) -> Int[Array, "G"]:
    """Where in a sorted array each new value begins."""
    return np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))


def _level(grams: Int[Array, "G"], counts: Int[Array, "G"], vocab_size: int) -> Level:
    contexts = grams // vocab_size  # sorted, as the grams are
    first = _firsts(contexts)
    d = best_discounts(counts)
    totals, saved = (np.add.reduceat(v, first) for v in (counts, d[np.minimum(counts, 3)]))
    return Level(grams, counts, contexts[first], totals, saved, d)


def best_discounts(counts: Int[Array, "G"]) -> Float[Array, "4"]:
    """How much less often a gram comes in new text than its count in the old one promises.

    The share that chance had in a count is largest where the count is smallest: six characters that came
    once in the plays come again about 0.4 times, not once, in as much new text. With n1 grams seen once, n2
    twice and so on, the discount of a count c is ``c - (c + 1) * Y * n(c+1) / n(c)``, where ``Y = n1 / (n1 +
    2 * n2)``.

    Parameters
    ----------
    counts : (G,) integers
        The counts of all grams of one length.

    Returns
    -------
    discounts : (4,)
        Of a count of 0 (nothing), 1, 2, and 3 or more. (One is added to each of n1 to n4, and the results are
        kept between 0.01 and the count, so that a small text does no harm.)

    References
    ----------
    Chen and Goodman (1999), equation 17; for a single discount, Y: Ney, Essen and Kneser, "On structuring
    probabilistic dependences in stochastic language modelling" (1994).

    Examples
    --------
    >>> best_discounts(np.repeat([1, 2, 3, 4], [6, 3, 1, 1])).round(2)  # of a count of 0, 1, 2, and 3 or more
    array([0.  , 0.47, 1.3 , 1.13])
    """
    integers("counts", counts)
    if counts.size and counts.min() < 0:
        raise ValueError(f"counts: expected 0 or more, got {counts.min()} among them")
    n1, n2, n3, n4 = (int((counts == c).sum()) + 1 for c in (1, 2, 3, 4))
    y = n1 / (n1 + 2 * n2)
    d = np.array([1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
    return np.append(0.0, np.clip(d, 0.01, [1, 2, 3]))


# ------------------------------------------------------------------------------------------------------ guess


def refine(
    level: Level, grams: Int[Array, "M"], below: Float[Array, "M"], vocab_size: int
) -> Float[Array, "M"]:
    """From the probability of each gram's last token by shorter contexts to the one by this level's context.

    ``(count - discount) / total`` for what was seen. The discounts that a context has saved go to all tokens,
    shared out as the shorter context would guess. Where the context is new, that guess is all there is.

    Parameters
    ----------
    level : Level
    grams : (M,) integers
        Context and next token, as one number.
    below : (M,)
        What the level below says about the same tokens.
    vocab_size : int

    Examples
    --------
    >>> model = fit(np.array([0, 1] * 6 + [0, 2, 0]), order=2, vocab_size=3)
    >>> below, grams = np.full(3, 1 / 3), 0 * 3 + np.arange(3)  # after a 0: 0, 1 or 2
    >>> print(refine(model.levels[1], grams, below, 3).round(3))  # 1 came six times, 2 once, 0 never
    [0.057 0.829 0.114]
    """
    expect("grams", grams, (None,), "(M,)")
    expect("below", below, grams.shape, "(M,)")
    contexts = grams // vocab_size
    counts = _look_up(level.grams, level.counts, grams)
    totals = _look_up(level.contexts, level.totals, contexts)
    saved = _look_up(level.contexts, level.saved, contexts)
    seen = np.maximum(counts - level.discounts[np.minimum(counts, 3)], 0.0)
    mixed = (seen + saved * below) / np.maximum(totals, 1)
    return np.where(totals > 0, mixed, below)


def _look_up(keys: Int[Array, "G"], values: Array, wanted: Int[Array, "M"]) -> Array:
    """The value of each wanted key; 0 for one that is not there."""
    at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[at] == wanted, values[at], 0)


def probabilities(model: NGram, ids: Integer[Array, "N"]) -> Float[Array, "N"]:
    """The probability that the model gave to each token of a text, from the tokens before it.

    Parameters
    ----------
    model : NGram
    ids : (N,) integers

    Returns
    -------
    p : (N,)
        ``-np.log(p).mean()`` is the loss in nats per token, to be compared with any other language model's.

    Raises
    ------
    ValueError, TypeError
        For a token that is not in 0 to V - 1, for tokens that are not integers.

    Examples
    --------
    >>> model = fit(np.array([0, 1] * 6 + [0, 2, 0]), order=2, vocab_size=3)
    >>> p = probabilities(model, np.array([0, 1, 2]))
    >>> print(p.round(3), (-np.log(p)).mean().round(3))  # each token's, and the loss in nats
    [0.345 0.828 0.033] 1.557
    """
    instance("model", model, NGram)
    ids = _tokens("ids", ids, model.vocab_size)
    p = np.full(len(ids), 1.0 / model.vocab_size)  # below all levels: nothing is known
    for n, level in enumerate(model.levels[: len(ids)], 1):
        p[n - 1 :] = refine(level, _grams(ids, n, model.vocab_size), p[n - 1 :], model.vocab_size)
    return p


def next_probabilities(model: NGram, context: Integer[Array, "N"]) -> Float[Array, "V"]:
    """The probability of every token after a context (of which the last ``order - 1`` tokens count).

    Raises
    ------
    ValueError, TypeError
        For a token that is not in 0 to V - 1, for tokens that are not integers.

    Examples
    --------
    >>> model = fit(np.array([0, 1] * 6 + [0, 2, 0]), order=2, vocab_size=3)
    >>> p = next_probabilities(model, np.array([0]))
    >>> print(p.round(3), p.sum().round(6))
    [0.059 0.828 0.113] 1.0
    """
    instance("model", model, NGram)
    V = model.vocab_size
    context = _tokens("context", context, V)
    p, code = np.full(V, 1.0 / V), 0
    for n, level in enumerate(model.levels[: len(context) + 1], 1):
        if n > 1:
            code += int(context[-(n - 1)]) * V ** (n - 2)  # one token further back
        p = refine(level, code * V + np.arange(V), p, V)
    return p
