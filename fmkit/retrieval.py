"""Finding the passage that answers (chapter 16): BM25, fusion, chunks, nDCG, and when to say "I do not know".

Texts are lists of words here, scores arrays with one number a document; the best have the largest.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Num

from fmkit._shapes import expect, floats
from fmkit._types import Array
from fmkit._values import demand, instance, listed, number, whole

# ------------------------------------------------------------------------------------------------------ BM25


@dataclass(frozen=True)
class Index:
    """Which documents hold a word, and how often: what a search looks up instead of reading all texts.

    Examples
    --------
    >>> index = build_index([["a", "b", "a"], ["b"]])
    >>> index.places["a"], index.lengths
    ((array([0]), array([2])), array([3, 1]))
    """

    places: dict[str, tuple[Int[Array, "M"], Int[Array, "M"]]]  # word -> numbers of documents, counts in them
    lengths: Int[Array, "N"]  # words of each document


def build_index(documents: Iterable[Sequence[str]]) -> Index:
    """Count the words of all documents once, for many searches.

    Examples
    --------
    >>> sorted(build_index([["to", "be"], ["be"]]).places)
    ['be', 'to']
    """
    listed("documents", documents, "lists of words")
    found: dict[str, tuple[list, list]] = {}
    lengths = []
    for number_of, document in enumerate(documents):
        listed("a document", document, "words")
        lengths.append(len(document))
        for word, count in Counter(document).items():
            where, counts = found.setdefault(word, ([], []))
            where.append(number_of)
            counts.append(count)
    places = {word: (np.array(where), np.array(counts)) for word, (where, counts) in found.items()}
    return Index(places, np.array(lengths, dtype=np.int64))


def bm25(index: Index, query: Sequence[str], k1: float = 1.2, b: float = 0.75) -> Float[Array, "N"]:
    """How well each document fits a query by the words they share.

    A word counts the more, the fewer documents hold it; the second time it comes in a document counts less
    than the first (``k1``); and in a long document less than in a short one (``b``).

    Parameters
    ----------
    index : Index
    query : list of str
        Words; each counts once.
    k1 : float
        0: only whether a word is there counts; large: every repetition.
    b : float
        0 to 1: how much a document's length counts.

    Returns
    -------
    scores : (N,)
        0 where no word is shared.

    References
    ----------
    Robertson and Zaragoza, "The probabilistic relevance framework: BM25 and beyond" (2009), equation 3.15;
    the logarithm with 1 added, so that a word in most documents does not count against them.

    Examples
    --------
    >>> index = build_index([["cat", "sat"], ["dog", "sat"], ["dog", "and", "cat", "sat", "down"]])
    >>> print(bm25(index, ["cat"]).round(2))
    [0.54 0.   0.37]
    """
    instance("index", index, Index)
    listed("query", query, "words")
    k1, b = number("k1", k1, 0.0), number("b", b, 0.0, 1.0)
    N = len(index.lengths)
    scores = np.zeros(N)
    if not index.lengths.any():
        return scores
    lengths = index.lengths / index.lengths.mean()
    for word in dict.fromkeys(query):
        if word not in index.places:
            continue
        where, counts = index.places[word]
        rarity = math.log(1 + (N - len(where) + 0.5) / (len(where) + 0.5))
        room = k1 * (1 - b + b * lengths[where])
        scores[where] += rarity * counts * (k1 + 1) / (counts + room)
    return scores


# ---------------------------------------------------------------------------------------------------- fusion


def ranks(scores: Num[Array, "N"]) -> Int[Array, "N"]:
    """The place of each document, 1 for the largest score; of equal ones the first comes first.

    Examples
    --------
    >>> ranks(np.array([0.2, 0.9, 0.2]))
    array([2, 1, 3])
    """
    expect("scores", scores, (None,), "(N,)")
    order = np.argsort(-scores, kind="stable")
    places = np.empty(len(scores), dtype=np.int64)
    places[order] = np.arange(1, len(scores) + 1)
    return places


def fuse(rankings: Sequence[Sequence[int]], k: float = 60.0) -> list[int]:
    """One ranking out of several, by places and not by scores: those have different units.

    A document gets ``1 / (k + place)`` from each ranking that has it (places from 1), nothing from others.

    Parameters
    ----------
    rankings : list of lists of int
        Numbers of documents, the best first; they need not hold the same ones.
    k : float above 0
        How little the first places count more than the next.

    Returns
    -------
    fused : list of int
        Every document of any ranking once, the best first; of equal ones the smallest number.

    References
    ----------
    Cormack et al., "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods"
    (2009).

    Examples
    --------
    >>> fuse([[1, 2, 3], [3, 1]])
    [1, 3, 2]
    """
    k, scores = number("k", k, above=0), Counter()
    for ranking in rankings:
        listed("a ranking", ranking, "numbers of documents")
        for place, document in enumerate(ranking, start=1):
            scores[int(document)] += 1.0 / (k + place)
    return sorted(scores, key=lambda document: (-scores[document], document))


# ---------------------------------------------------------------------------------------------------- chunks


def chunks(n: int, size: int, overlap: int = 0, breaks: Iterable[int] = ()) -> list[tuple[int, int]]:
    """Cut a text of n words into pieces that a model can read, at ends of sentences where it can.

    Parameters
    ----------
    n : int
    size : int
        Words of a piece, at most.
    overlap : int
        Words that a piece repeats from the one before; below ``size``.
    breaks : iterable of int
        Places where a sentence ends (a piece may stop before word i). A piece stops at the last of them that
        lies in its second half, else when it is full.

    Returns
    -------
    pieces : list of (start, stop)
        They hold every word, the last ones too.

    Examples
    --------
    >>> chunks(10, size=4, overlap=1)
    [(0, 4), (3, 7), (6, 10)]
    >>> chunks(10, size=4, breaks=[3, 9])
    [(0, 3), (3, 7), (7, 10)]
    """
    n, size, overlap = whole("n", n, 0), whole("size", size, 1), whole("overlap", overlap, 0)
    demand(overlap < size, "overlap", f"below the size, {size}", overlap)
    breaks, pieces, start = sorted(breaks), [], 0
    while start < n:
        stop = min(start + size, n)
        if stop < n:
            after = max(start + size // 2, start + overlap)  # so that the next piece begins further on
            stop = max((place for place in breaks if after < place <= stop), default=stop)
        pieces.append((start, stop))
        if stop == n:
            break
        start = stop - overlap
    return pieces


# ------------------------------------------------------------------------------------------------ how good


def ndcg(ranked: Sequence[int], relevance: dict[int, float], k: int = 10) -> float:
    """Normalised discounted gain of the first k: what is relevant counts the less, the later it comes.

    ``sum of (2**r - 1) / log2(place + 1)``, divided by what the best order of *all* relevant documents gives.

    Parameters
    ----------
    ranked : list of int
        Numbers of documents, the best first.
    relevance : dict
        r of each relevant document, 0 or more; the others have 0.
    k : int

    Returns
    -------
    ndcg : float
        0 to 1; 0 where nothing is relevant: such a question is not left out.

    References
    ----------
    Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques" (2002); with 2**r - 1: Burges
    et al., "Learning to rank using gradient descent" (2005).

    Examples
    --------
    >>> print(round(ndcg([7, 3, 5], {3: 1.0}), 3), round(ndcg([7, 3, 5], {3: 1.0, 9: 1.0}), 3))
    0.631 0.387
    """
    k = whole("k", k, 1)
    gains = [2.0 ** relevance.get(document, 0.0) - 1 for document in ranked[:k]]
    best = sorted((2.0**r - 1 for r in relevance.values()), reverse=True)[:k]
    discounted, ideal = (
        sum(gain / math.log2(place + 1) for place, gain in enumerate(row, start=1)) for row in (gains, best)
    )
    return discounted / ideal if ideal > 0 else 0.0


def risk_coverage(
    score: Float[Array, "N"], right: Bool[Array, "N"]
) -> tuple[Float[Array, "M"], Float[Array, "M"], Float[Array, "M"]]:
    """Answer only where the score is high enough: how many are answered, and how many of those wrongly.

    Parameters
    ----------
    score : (N,)
        How sure the system is of each answer.
    right : (N,) of bool
        Whether the answer is right.

    Returns
    -------
    threshold, coverage, risk : (M,) each
        One for each different score, the largest first. With ``score >= threshold``: the share of questions
        that is answered, and the share of wrong ones among the answers. Equal scores go together.

    References
    ----------
    El-Yaniv and Wiener, "On the foundations of noise-free selective classification" (2010).

    Examples
    --------
    >>> score, right = np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, True, False, False])
    >>> print(*risk_coverage(score, right))
    [0.9 0.5 0.1] [0.25 0.75 1.  ] [0.         0.33333333 0.5       ]
    """
    score = floats("score", score, 1, "(N,)")
    expect("right", right, score.shape, "(N,)")
    demand(len(score) > 0, "score", "an answer at least", "none")
    order = np.argsort(-score, kind="stable")
    wrong = np.cumsum(~right[order].astype(bool))
    last = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))  # where each different score ends
    answered = last + 1
    return score[order][last], answered / len(score), wrong[last] / answered
