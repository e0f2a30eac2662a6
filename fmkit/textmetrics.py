"""Text metrics (chapter 11): how much of a reference a text says in the same words. BLEU, chrF, ROUGE.

The hypothesis comes first, then what a person wrote: one text, or a list of several. What belongs to a corpus
is counted a sentence at a time and added up, and only the sums become a score: the mean of sentence scores is
another number. With the counts at hand, a bootstrap draws sentences without counting again.

What is not a text, or not a list of them, raises TypeError; nothing to compare with, ValueError.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Num

from fmkit._shapes import expect
from fmkit._types import Array, Scalar
from fmkit._values import demand, listed, one_text, whole

References = str | Sequence[str]  # what one hypothesis is compared with
Tokenize = Callable[[str], list[str]]

# ------------------------------------------------------------------------------------------------- BLEU

MAX_N = 4  # of BLEU: n-grams of 1 to 4 tokens
_ENTITIES = ("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")
_13A = (
    (re.compile(r"([!-&(-+/:-@\[-`{-~])"), r" \1 "),  # ASCII punctuation, but for ' , - .
    (re.compile(r"([^0-9])([.,])"), r"\1 \2 "),  # a period or comma, unless a digit stands before it
    (re.compile(r"([.,])([^0-9])"), r" \1 \2"),  # ... or behind it
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),  # a dash behind a digit
)


def tokenize_13a(text: str) -> list[str]:
    """A text's tokens as the WMT conferences count them, since their script mteval-v13a.pl.

    Another tokenization is another BLEU, by points. It is made for Western languages: a Chinese sentence
    stays one token (there, use ``list``).

    References
    ----------
    Post, "A call for clarity in reporting BLEU scores" (2018).

    Examples
    --------
    >>> tokenize_13a('He paid 1,000.50 (in "cash"), didn\\'t he?')
    ['He', 'paid', '1,000.50', '(', 'in', '"', 'cash', '"', ')', ',', "didn't", 'he', '?']
    """
    one_text("text", text)
    text = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    for entity, character in _ENTITIES:
        text = text.replace(entity, character)
    text = f" {text} "
    for pattern, parted in _13A:
        text = pattern.sub(parted, text)
    return text.split()


def bleu_counts(
    hypotheses: Sequence[str], references: Sequence[References], tokenize: Tokenize = tokenize_13a
) -> Int[Array, "N 9"]:
    """What BLEU counts in each sentence; `bleu` makes a score of one row, or of the sum of all.

    Parameters
    ----------
    hypotheses : N texts
    references : N times one text, or a list of several
    tokenize : function
        From a text to its tokens.

    Returns
    -------
    counts : (N, 9)
        For n = 1 to 4 how many n-grams of the hypothesis were found, each at most as often as the reference
        in which it is most frequent has it; then for n = 1 to 4 how many there are; then the reference's
        length, of several the one closest to the hypothesis' (of two as close, the shorter).

    Raises
    ------
    ValueError
        For no texts, not as many hypotheses as references, or a hypothesis without a reference.

    Examples
    --------
    >>> bleu_counts(["the the the cat"], [["the cat sat", "on the mat the cat slept"]])
    array([[3, 1, 0, 0, 4, 3, 2, 1, 3]])
    """
    rows = []
    for hypothesis, several in _pairs(hypotheses, references):
        hyp, refs = tokenize(hypothesis), [tokenize(reference) for reference in several]
        found = []
        for n in range(1, MAX_N + 1):
            limit = Counter()
            for ref in refs:
                limit |= _ngrams(ref, n)  # the larger count of the two
            found.append((_ngrams(hyp, n) & limit).total())
        there = [max(0, len(hyp) - n + 1) for n in range(1, MAX_N + 1)]
        closest = min((len(ref) for ref in refs), key=lambda length: (abs(length - len(hyp)), length))
        rows.append([*found, *there, closest])
    return np.array(rows)


def bleu(counts: Num[Array, "*lead 9"], effective_order: bool = False) -> Scalar | Float[Array, "*lead"]:
    """BLEU, 0 to 100, of the counts of a sentence or the sums of many.

    The geometric mean of the four precisions, times exp(1 - reference / hypothesis) where the hypothesis is
    the shorter one. The first precision of 0 counts as 1/2 of a hit, the next as 1/4, and so on ("exp"
    smoothing); where nothing at all was found, BLEU is 0.

    Parameters
    ----------
    counts : (..., 9)
        As `bleu_counts` gives them.
    effective_order : bool
        Leave out the lengths of which the hypothesis has no n-gram. Without, a hypothesis of 3 tokens has
        BLEU 0.

    References
    ----------
    Papineni, Roukos, Ward and Zhu, "BLEU: a method for automatic evaluation of machine translation" (2002);
    the smoothing: Chen and Cherry, "A systematic comparison of smoothing techniques for sentence-level BLEU"
    (2014), method 3.

    Examples
    --------
    >>> round(float(bleu(np.array([4, 3, 2, 1, 5, 4, 3, 2, 5]))), 2)  # (4/5 * 3/4 * 2/3 * 1/2) ** (1/4)
    66.87
    """
    expect("counts", counts, (*np.shape(counts)[:-1], 2 * MAX_N + 1), "(..., 9)")
    found, there, ref_length = counts[..., :MAX_N], counts[..., MAX_N:-1], counts[..., -1]  # (..., 4), (...)
    zero = found == 0
    hits = np.where(zero, 0.5 ** zero.cumsum(-1), found)
    log_precision = np.where(there > 0, np.log(hits / np.maximum(there, 1)), 0.0)
    orders = np.maximum((there > 0).sum(-1), 1) if effective_order else MAX_N
    penalty = np.minimum(0.0, 1 - ref_length / np.maximum(there[..., 0], 1))
    score = 100 * np.exp(log_precision.sum(-1) / orders + penalty)
    defined = (found[..., 0] > 0) & (effective_order | (there[..., -1] > 0))
    return np.where(defined, score, 0.0)[()]


def corpus_bleu(
    hypotheses: Sequence[str], references: Sequence[References], tokenize: Tokenize = tokenize_13a
) -> float:
    """BLEU of a corpus, 0 to 100: the counts of all sentences are added before they are divided.

    With the defaults it is the figure of ``sacrebleu`` (tok:13a, smooth:exp). Arguments as in `bleu_counts`.

    Examples
    --------
    >>> round(corpus_bleu(["the cat sat on the mat", "hello"], ["the cat sat on a mat", "hello there"]), 2)
    46.91
    """
    return float(bleu(bleu_counts(hypotheses, references, tokenize).sum(0)))


def sentence_bleu(hypothesis: str, references: References, tokenize: Tokenize = tokenize_13a) -> float:
    """BLEU of one sentence, 0 to 100, with the lengths that it has (`bleu`'s ``effective_order``).

    Examples
    --------
    >>> round(sentence_bleu("the cat", "the cat sat"), 2)  # all is found; exp(1 - 3/2)
    60.65
    """
    return float(bleu(bleu_counts([hypothesis], [references], tokenize)[0], effective_order=True))


def _ngrams(tokens: Sequence[str], n: int) -> Counter:
    return Counter(zip(*(tokens[i:] for i in range(n)), strict=False))


def _pairs(
    hypotheses: Sequence[str], references: Sequence[References]
) -> Iterable[tuple[str, Sequence[str]]]:
    """Each hypothesis with the list of its references, once all of them are texts."""
    for name, texts in (("hypotheses", hypotheses), ("references", references)):
        listed(name, texts)
    hypotheses, references = list(hypotheses), list(references)
    demand(len(hypotheses) > 0, "hypotheses", "a text at least", "none")
    n = len(hypotheses)
    demand(len(references) == n, "references", f"one for each of the {n} hypotheses", len(references))
    several = [_several(reference) for reference in references]
    for hypothesis in hypotheses:
        one_text("hypotheses", hypothesis)
    return zip(hypotheses, several, strict=True)


def _several(references: References) -> Sequence[str]:
    """The list of one hypothesis' references, though it may have been one text."""
    if isinstance(references, str):
        return [references]
    listed("references", references)
    references = list(references)
    demand(len(references) > 0, "references", "a text at least", "none")
    for reference in references:
        one_text("references", reference)
    return references


# ------------------------------------------------------------------------------------------------- chrF

CHARACTERS = 6  # of chrF: n-grams of 1 to 6 characters
BETA = 2  # recall weighs BETA times as much as precision


def chrf_counts(hypotheses: Sequence[str], references: Sequence[References]) -> Int[Array, "N 6 3"]:
    """What chrF counts in each sentence; `chrf` makes a score of one, or of the sum of all.

    Spaces are left out. Of several references the one counts with which the sentence's own chrF is highest.

    Parameters
    ----------
    hypotheses, references
        As in `bleu_counts`.

    Returns
    -------
    counts : (N, 6, 3)
        For n = 1 to 6: how many n-grams of characters the hypothesis has (0 where the reference has none: it
        is too short), how many the reference has, and how many of them are the same.

    Examples
    --------
    >>> chrf_counts(["a cat"], ["the cat"])[0, :3]
    array([[4, 6, 3],
           [3, 5, 2],
           [2, 4, 1]])
    """
    rows = []
    for hypothesis, several in _pairs(hypotheses, references):
        against = [_same_characters(hypothesis, reference) for reference in several]
        rows.append(max(against, key=chrf))  # the first of those that are as good
    return np.array(rows)


def _same_characters(hypothesis: str, reference: str) -> Int[Array, "6 3"]:
    hyp, ref = ("".join(text.split()) for text in (hypothesis, reference))
    rows = []
    for n in range(1, CHARACTERS + 1):
        there, wanted = (max(0, len(text) - n + 1) for text in (hyp, ref))
        same = (_ngrams(hyp, n) & _ngrams(ref, n)).total()
        rows.append([there if wanted else 0, wanted, same])
    return np.array(rows)


def chrf(counts: Num[Array, "*lead 6 3"]) -> Scalar | Float[Array, "*lead"]:
    """chrF, 0 to 100, of the counts of a sentence or the sums of many.

    Precision and recall are averaged over the lengths that both texts have, and F is taken of the two means:
    (1 + BETA²) p r / (BETA² p + r).

    Parameters
    ----------
    counts : (..., 6, 3)
        As `chrf_counts` gives them.

    References
    ----------
    Popović, "chrF: character n-gram F-score for automatic MT evaluation" (2015); BETA = 2: "chrF
    deconstructed: beta parameters and n-gram weights" (2016).

    Examples
    --------
    >>> round(float(chrf(chrf_counts(["a cat"], ["the cat"])[0])), 2)
    31.25
    """
    expect("counts", counts, (*np.shape(counts)[:-2], CHARACTERS, 3), "(..., 6, 3)")
    there, wanted, same = np.moveaxis(counts, -1, 0)  # (..., 6) each
    both = (there > 0) & (wanted > 0)
    orders = np.maximum(both.sum(-1), 1)
    precision, recall = ((both * same / np.maximum(n, 1)).sum(-1) / orders for n in (there, wanted))
    weight = BETA**2
    score = (1 + weight) * precision * recall / np.where(precision > 0, weight * precision + recall, 1)
    return 100 * score


def corpus_chrf(hypotheses: Sequence[str], references: Sequence[References]) -> float:
    """chrF of a corpus, 0 to 100. It needs no words, and so works for Chinese as it is.

    It is the figure of ``sacrebleu`` (chrF2, nc:6, nw:0, space:no). Arguments as in `bleu_counts`.

    Examples
    --------
    >>> round(corpus_chrf(["床前明月光"], ["床前看月光"]), 2)
    26.0
    """
    return float(chrf(chrf_counts(hypotheses, references).sum(0)))


# ------------------------------------------------------------------------------------------------ ROUGE


class Rouge(NamedTuple):
    """What ROUGE says of one text, 0 to 1. Papers report the mean of f1 over all texts.

    Examples
    --------
    >>> rouge_l("the cat", "the cat sat there").recall
    0.5
    """

    precision: float
    recall: float
    f1: float


def tokenize_rouge(text: str) -> list[str]:
    """Lower case, and of that only a to z and 0 to 9: ROUGE's words. A Chinese text has none: use ``list``.

    Examples
    --------
    >>> tokenize_rouge("Don't! A café, 1,000 床")
    ['don', 't', 'a', 'caf', '1', '000']
    """
    one_text("text", text)
    return re.findall("[a-z0-9]+", text.lower())


def rouge_n(hypothesis: str, references: References, n: int, tokenize: Tokenize = tokenize_rouge) -> Rouge:
    """ROUGE-N: the n-grams that both texts have, as a share of the hypothesis' and of the reference's.

    It is the figure of the package ``rouge-score`` without its stemmer.

    Parameters
    ----------
    hypothesis : str
    references : str or list of str
        Of several the one counts with which f1 is highest.
    n : int
        1 or 2, usually.
    tokenize : function
        From a text to its tokens.

    References
    ----------
    Lin, "ROUGE: a package for automatic evaluation of summaries" (2004), section 2.

    Examples
    --------
    >>> rouge_n("the cat the cat", "the cat sat there", n=2)
    Rouge(precision=0.3333333333333333, recall=0.3333333333333333, f1=0.3333333333333333)
    """
    n = whole("n", n, 1)

    def against(hyp: list[str], ref: list[str]) -> Rouge:
        there, wanted = _ngrams(hyp, n), _ngrams(ref, n)
        return _rouge((there & wanted).total(), there.total(), wanted.total())

    return _best(hypothesis, references, tokenize, against)


def rouge_l(hypothesis: str, references: References, tokenize: Tokenize = tokenize_rouge) -> Rouge:
    """ROUGE-L: the longest common subsequence, the words that both texts have in the same order.

    The texts are taken whole; for a summary of several sentences papers report `rouge_lsum`. Arguments as in
    `rouge_n`.

    References
    ----------
    Lin (2004), section 3.1.

    Examples
    --------
    >>> rouge_l("the cat never sat", "the black cat sat")  # the cat sat
    Rouge(precision=0.75, recall=0.75, f1=0.75)
    """

    def against(hyp: list[str], ref: list[str]) -> Rouge:
        return _rouge(_lcs_table(ref, hyp)[-1][-1], len(hyp), len(ref))

    return _best(hypothesis, references, tokenize, against)


def rouge_lsum(hypothesis: str, references: References, tokenize: Tokenize = tokenize_rouge) -> Rouge:
    """ROUGE-L of a summary whose sentences stand on lines of their own.

    Each sentence of the reference is compared with every one of the hypothesis, and the words that belong to
    any of those common subsequences are found. No word is found more often than the hypothesis has it.
    Arguments as in `rouge_n`.

    References
    ----------
    Lin (2004), section 3.2.

    Examples
    --------
    >>> hypothesis, reference = "the dog ran.\\nthe cat sat.", "the cat sat.\\nthe dog ran."
    >>> rouge_lsum(hypothesis, reference).f1, rouge_l(hypothesis, reference).f1
    (1.0, 0.5)
    """

    def lines(text: str) -> list[list[str]]:
        return [tokenize(line) for line in text.split("\n") if line]

    def against(hyp: list[list[str]], ref: list[list[str]]) -> Rouge:
        left = Counter(word for line in hyp for word in line)
        there, found = left.total(), 0
        for wanted in ref:
            for i in sorted(set().union(*(_lcs_places(wanted, line) for line in hyp))):
                if left[wanted[i]] > 0:
                    left[wanted[i]] -= 1
                    found += 1
        return _rouge(found, there, sum(map(len, ref)))

    return _best(hypothesis, references, lines, against)


def _best(hypothesis: str, references: References, cut: Callable, against: Callable) -> Rouge:
    """ROUGE against the reference with which f1 is highest."""
    one_text("hypothesis", hypothesis)
    hyp = cut(hypothesis)
    return max((against(hyp, cut(ref)) for ref in _several(references)), key=lambda rouge: rouge.f1)


def _rouge(found: int, there: int, wanted: int) -> Rouge:
    precision, recall = found / max(there, 1), found / max(wanted, 1)
    f1 = 2 * precision * recall / (precision + recall) if found else 0.0
    return Rouge(precision, recall, f1)


def _lcs_table(a: list[str], b: list[str]) -> list[list[int]]:
    """The length of the longest common subsequence of the first i words of ``a`` (row) and j of ``b``."""
    rows = [[0] * (len(b) + 1)]
    for x in a:
        above, row = rows[-1], [0]
        for j, y in enumerate(b):
            row.append(above[j] + 1 if x == y else max(above[j + 1], row[j]))
        rows.append(row)
    return rows


def _lcs_places(a: list[str], b: list[str]) -> list[int]:
    """The places in ``a`` of one longest common subsequence: back through the table, as it was filled."""
    table = _lcs_table(a, b)
    places, i, j = [], len(a), len(b)
    while i and j:
        if a[i - 1] == b[j - 1]:
            i, j = i - 1, j - 1
            places.append(i)
        elif table[i][j - 1] > table[i - 1][j]:
            j -= 1
        else:
            i -= 1
    return places
