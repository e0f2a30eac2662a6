"""Metrics (chapter 01): how right a classifier is, and how surprised a language model.

Arguments come in the order of the losses: what was predicted, then what is true. Classes are numbered from 0.
Where a ratio would be 0 / 0 (a class that is never predicted has no precision) it counts as 0. As many are
predicted as are true: another shape raises ValueError; probabilities, or a list, raise TypeError.
"""

import math

import numpy as np
from jaxtyping import Float, Int

from fmkit._shapes import expect, integers
from fmkit._types import Array
from fmkit._values import demand, kind_of, number, one_text, whole

Labels = Int[Array, "N"]


def accuracy(pred: Labels, target: Labels) -> float:
    """The share of right predictions; NaN when there are no predictions.

    Examples
    --------
    >>> accuracy(np.array([1, 0, 1, 1]), np.array([1, 0, 0, 1]))
    0.75
    """
    _check_labels(pred, target)
    return float((pred == target).mean()) if len(target) else math.nan


def _check_labels(pred: Labels, target: Labels) -> None:
    """Class numbers (or booleans, for the classes 0 and 1), one for each text."""
    expect("pred", pred, (None,), "(N,)")
    expect("target", target, pred.shape, "(N,)")
    for name, labels in (("pred", pred), ("target", target)):
        if labels.dtype != bool:
            integers(name, labels)


def confusion_matrix(pred: Labels, target: Labels, n_classes: int | None = None) -> Int[Array, "K K"]:
    """How often each class (row) was taken for each class (column).

    Parameters
    ----------
    pred, target : (N,)
        Class numbers.
    n_classes : int, optional
        K; by default one more than the largest number there is.

    Raises
    ------
    ValueError
        For a class number that is not 0 to K - 1.

    Examples
    --------
    >>> confusion_matrix(np.array([0, 1, 1, 1]), np.array([0, 0, 1, 2]))
    array([[1, 1, 0],
           [0, 1, 0],
           [0, 1, 0]])
    """
    _check_labels(pred, target)
    largest = max(int(pred.max()), int(target.max())) if len(target) else -1
    k = largest + 1 if n_classes is None else whole("n_classes", n_classes, 0)
    for name, labels in (("pred", pred), ("target", target)):
        if len(labels) and not 0 <= labels.min() <= labels.max() < k:
            raise ValueError(f"{name}: expected 0 to {k - 1}, got {labels.min()} to {labels.max()}")
    cell = target.astype(np.int64) * k + pred.astype(np.int64)
    return np.bincount(cell, minlength=k * k).reshape(k, k)


def precision(pred: Labels, target: Labels, average: str = "binary") -> float:
    """Of what was called positive, how much is? tp / (tp + fp).

    Parameters
    ----------
    pred, target : (N,)
        Class numbers.
    average : str
        "binary": of class 1, in a problem with the classes 0 and 1. "macro": the mean over all classes that
        occur in ``pred`` or ``target``, rare and frequent ones alike. "micro": over all decisions together,
        which for single labels is the accuracy.

    Raises
    ------
    ValueError
        For another ``average``, or for other classes than 0 and 1 with "binary".

    Examples
    --------
    >>> precision(np.array([1, 1, 0, 0]), np.array([1, 0, 1, 1]))  # of two called positive one is
    0.5
    >>> pred, target = np.array([0, 1, 1, 2]), np.array([0, 1, 0, 2])
    >>> [round(precision(pred, target, average), 2) for average in ("macro", "micro")]
    [0.83, 0.75]
    """
    tp, fp, _ = _counts(pred, target, average)
    return float(_ratio(tp, tp + fp).mean())


def recall(pred: Labels, target: Labels, average: str = "binary") -> float:
    """Of what is positive, how much was found? tp / (tp + fn). ``average`` as in `precision`.

    Examples
    --------
    >>> round(recall(np.array([1, 1, 0, 0]), np.array([1, 0, 1, 1])), 3)  # of three, one was found
    0.333
    """
    tp, _, fn = _counts(pred, target, average)
    return float(_ratio(tp, tp + fn).mean())


def f1(pred: Labels, target: Labels, average: str = "binary") -> float:
    """The harmonic mean of precision and recall: 2 tp / (2 tp + fp + fn). ``average`` as in `precision`.

    "macro" is the mean of the classes' F1, not the F1 of their mean precision and recall.

    Examples
    --------
    >>> f1(np.array([1, 1, 0, 0]), np.array([1, 0, 1, 1]))  # between the precision 0.5 and the recall 0.333
    0.4
    """
    tp, fp, fn = _counts(pred, target, average)
    return float(_ratio(2 * tp, 2 * tp + fp + fn).mean())


def _counts(pred: Labels, target: Labels, average: str) -> tuple[Int[Array, "k"], ...]:
    """True positives, false positives, false negatives: of class 1, of each class that occurs, or in all."""
    if average not in ("binary", "macro", "micro"):
        raise ValueError(f'average must be "binary", "macro" or "micro", not {average!r}')
    _check_labels(pred, target)
    for name, labels in (("pred", pred), ("target", target)):
        if len(labels) and labels.min() < 0:
            raise ValueError(f"{name}: expected 0 or more, got {labels.min()} among them")
        if len(labels) and average == "binary" and labels.max() > 1:
            raise ValueError(f'{name}: expected 0 and 1 with average "binary", got {labels.max()} among them')
    classes, label = np.unique(np.concatenate([pred, target]), return_inverse=True)  # those that occur: few
    pred, target = np.split(label, 2)
    tp = np.bincount(target[pred == target], minlength=len(classes))  # (K,): right, for each class
    fp = np.bincount(pred, minlength=len(classes)) - tp
    fn = np.bincount(target, minlength=len(classes)) - tp
    if average == "macro" and len(target):
        return tp, fp, fn
    chosen = classes == 1 if average == "binary" else slice(None)
    return tuple(np.sum(counts[chosen], keepdims=True) for counts in (tp, fp, fn))


def _ratio(a: Int[Array, "k"], b: Int[Array, "k"]) -> Float[Array, "k"]:
    """a / b, and 0 where b is 0."""
    return a / np.maximum(b, 1)


def perplexity(nats: float) -> float:
    """exp of the mean cross-entropy per token: among how many equally likely tokens the model is as unsure.

    NaN stays NaN; what no float holds is infinite.

    Examples
    --------
    >>> round(perplexity(math.log(50)), 6)
    50.0
    """
    if not isinstance(nats, float | int | np.floating):  # (NaN and infinity are numbers here)
        raise TypeError(f"nats: expected one number, got {kind_of(nats)}")
    try:
        return math.exp(nats)
    except OverflowError:
        return math.inf


def bits_per_character(nats: float, tokens_per_character: float = 1.0) -> float:
    """The mean cross-entropy per token, in bits per character.

    Losses per token cannot be compared between tokenizers, for longer tokens are harder to guess. Bits per
    character can.

    Parameters
    ----------
    nats : float
        Mean cross-entropy per token (natural logarithm).
    tokens_per_character : float
        Length of the text in tokens over its length in characters, above 0 (else ValueError); 1 for a model
        of characters.

    Examples
    --------
    >>> bits_per_character(math.log(2)), bits_per_character(math.log(2), tokens_per_character=0.25)
    (1.0, 0.25)
    """
    tokens_per_character = number("tokens_per_character", tokens_per_character, above=0)
    if not isinstance(nats, float | int | np.floating):
        raise TypeError(f"nats: expected one number, got {kind_of(nats)}")
    return nats / math.log(2) * tokens_per_character


def bits_per_byte(nats: float, n_tokens: int, text: str) -> float:
    """The mean cross-entropy per token, in bits per byte of the text in UTF-8.

    It can be compared between tokenizers, as bits per character can, and between alphabets, too: a Chinese
    character says more than a letter, and has three bytes.

    Parameters
    ----------
    nats : float
        Mean cross-entropy per token (natural logarithm).
    n_tokens : int
        How many tokens were predicted: no padding.
    text : str
        What they spell, one character at least (else ValueError).

    References
    ----------
    Gao et al., "The Pile: an 800GB dataset of diverse text for language modeling" (2020), section 3.1.

    Examples
    --------
    >>> bits_per_byte(math.log(4), 3, "abc"), round(bits_per_byte(math.log(4), 3, "床前明"), 3)
    (2.0, 0.667)
    """
    one_text("text", text)
    demand(len(text) > 0, "text", "a character at least", "none")
    n_tokens = whole("n_tokens", n_tokens, 1)
    return bits_per_character(nats, n_tokens / len(text.encode("utf-8", "surrogatepass")))
