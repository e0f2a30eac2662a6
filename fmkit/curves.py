"""Curves (chapter 11): what scores are worth before a threshold is chosen; are probabilities honest?

Arguments come in the order of the losses: a score for each example, then what is true, 0 or 1 (or booleans).
As many scores as truths, no NaN (else ValueError); arrays (else TypeError). Examples with the same score are
accepted together: no threshold parts them, and a curve that does depends on the order of the file.
"""

import numpy as np
from jaxtyping import Float, Int, Num, Shaped

from fmkit._shapes import expect, floats, zeros_and_ones
from fmkit._types import Array
from fmkit._values import demand, whole

Scores = Num[Array, "N"]
Truths = Shaped[Array, "N"]  # 0 and 1
Points = Float[Array, "P"]  # a curve, point by point


def roc_curve(score: Scores, target: Truths) -> tuple[Points, Points, Points]:
    """The receiver operating characteristic: what share of either class a threshold lets through.

    Returns
    -------
    fpr : (P,)
        The false positive rate: of what is 0, the share with such a score or a higher one. From 0 to 1.
    tpr : (P,)
        The true positive rate, or recall: the same share of what is 1.
    threshold : (P,)
        The scores that occur, falling; the first is infinite, for it accepts nothing.

    Raises
    ------
    ValueError
        For one class only: the other's rate is 0 / 0.

    References
    ----------
    Fawcett, "An introduction to ROC analysis" (2006), algorithm 1.

    Examples
    --------
    >>> fpr, tpr, threshold = roc_curve(np.array([0.9, 0.8, 0.8, 0.1]), np.array([1, 1, 0, 0]))
    >>> fpr, tpr
    (array([0. , 0. , 0.5, 1. ]), array([0. , 0.5, 1. , 1. ]))
    """
    tp, fp, threshold = _accepted(score, target)
    _both_classes(tp, fp)
    return fp / fp[-1], tp / tp[-1], threshold


def roc_auc(score: Scores, target: Truths) -> float:
    """The area under `roc_curve`: how often a 1 has a higher score than a 0, where a tie is half a win.

    One half is chance, whatever the shares of the classes. ValueError for one class only.

    References
    ----------
    Hanley and McNeil, "The meaning and use of the area under a receiver operating characteristic (ROC) curve"
    (1982).

    Examples
    --------
    >>> roc_auc(np.array([0.9, 0.8, 0.8, 0.1]), np.array([1, 1, 0, 0]))  # 3 pairs won, 1 tied, of 4
    0.875
    """
    tp, fp, _ = _accepted(score, target)
    _both_classes(tp, fp)
    twice = ((tp[1:] + tp[:-1]) * np.diff(fp)).sum()  # trapezoids: the slanted ones are the ties
    return float(twice / (2 * tp[-1] * fp[-1]))


def precision_recall_curve(score: Scores, target: Truths) -> tuple[Points, Points, Points]:
    """Precision and recall at every threshold.

    Returns
    -------
    precision, recall, threshold : (P,)
        From the strictest threshold on, as in `roc_curve`. The first accepts nothing; its precision is 1.

    Raises
    ------
    ValueError
        Where nothing is 1: recall would be 0 / 0.

    References
    ----------
    Davis and Goadrich, "The relationship between precision-recall and ROC curves" (2006).

    Examples
    --------
    >>> precision, recall, _ = precision_recall_curve(np.array([0.9, 0.8, 0.8, 0.1]), np.array([1, 1, 0, 0]))
    >>> precision.round(2), recall
    (array([1.  , 1.  , 0.67, 0.5 ]), array([0. , 0.5, 1. , 1. ]))
    """
    tp, fp, threshold = _accepted(score, target)
    demand(tp[-1] > 0, "target", "a 1 at least", "none")
    precision = np.append(1.0, tp[1:] / (tp[1:] + fp[1:]))
    return precision, tp / tp[-1], threshold


def average_precision(score: Scores, target: Truths) -> float:
    """The area under `precision_recall_curve`, in steps: each precision times the recall it adds.

    Chance is the share of the ones. No trapezoids here: a straight line between two points promises a
    precision that no threshold in between reaches. ValueError where nothing is 1.

    References
    ----------
    Davis and Goadrich (2006), section 4, on why not to interpolate.

    Examples
    --------
    >>> round(average_precision(np.array([0.9, 0.8, 0.8, 0.1]), np.array([1, 1, 0, 0])), 3)
    0.833
    """
    precision, recall, _ = precision_recall_curve(score, target)
    return float((precision[1:] * np.diff(recall)).sum())


def _accepted(score: Scores, target: Truths) -> tuple[Int[Array, "P"], Int[Array, "P"], Points]:
    """True and false positives at each threshold, from infinity down through the scores that occur."""
    score = _checked("score", score, target)
    order = np.argsort(-score, kind="stable")
    score, hit = score[order], target[order].astype(np.int64)
    last = np.flatnonzero(np.append(score[1:] != score[:-1], True))  # of those with the same score
    tp = np.append(0, hit.cumsum()[last])
    fp = np.append(0, last + 1) - tp
    return tp, fp, np.append(np.inf, score[last])


def _checked(name: str, score: Scores, target: Truths) -> Float[Array, "N"]:
    """The scores as floats, once there is one for each truth."""
    score = floats(name, score, 1, "(N,)")
    expect("target", target, score.shape, "(N,)")
    zeros_and_ones("target", target)
    demand(len(score) > 0, name, "an example at least", "none")
    demand(not np.isnan(score).any(), name, "numbers", "NaN among them")
    return score


def _both_classes(tp: Int[Array, "P"], fp: Int[Array, "P"]) -> None:
    demand(tp[-1] > 0 and fp[-1] > 0, "target", "0 and 1 among them", f"only {int(tp[-1] > 0)}")


def calibration_curve(
    prob: Scores, target: Truths, n_bins: int = 10
) -> tuple[Int[Array, "B"], Float[Array, "B"], Float[Array, "B"]]:
    """What was said and what came, in bins of equal width (a reliability diagram).

    Parameters
    ----------
    prob : (N,)
        The probability that was given to the event, 0 to 1 (else ValueError). With more than two classes,
        that of the class that was chosen, ``probs.max(-1)``.
    target : (N,)
        Whether it came: the class, or with more than two, whether the choice was right.
    n_bins : int
        B. An edge belongs to the bin above it; 1 belongs to the last.

    Returns
    -------
    count : (B,)
        How many probabilities fell into each bin.
    said : (B,)
        Their mean; NaN in an empty bin.
    came : (B,)
        The share of the events that came; NaN in an empty bin.

    References
    ----------
    Niculescu-Mizil and Caruana, "Predicting good probabilities with supervised learning" (2005).

    Examples
    --------
    >>> count, said, came = calibration_curve(np.array([0.0, 0.75, 1.0]), np.array([0, 0, 1]), n_bins=2)
    >>> count, said, came
    (array([1, 2]), array([0.   , 0.875]), array([0. , 0.5]))
    """
    prob = _checked("prob", prob, target)
    demand(prob.min() >= 0 and prob.max() <= 1, "prob", "0 to 1", f"{prob.min()} to {prob.max()}")
    n_bins = whole("n_bins", n_bins, 1)
    place = np.searchsorted(np.arange(1, n_bins) / n_bins, prob, side="right")
    count = np.bincount(place, minlength=n_bins)
    sums = (np.bincount(place, values, n_bins) for values in (prob, target))
    said, came = (np.where(count, total / np.maximum(count, 1), np.nan) for total in sums)
    return count, said, came


def expected_calibration_error(prob: Scores, target: Truths, n_bins: int = 10) -> float:
    """How far what was said is from what came: the mean gap of `calibration_curve`, weighted by the counts.

    It is biased: with more bins it grows, even for honest probabilities. Arguments as in `calibration_curve`.

    References
    ----------
    Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks" (2017), equation 5.

    Examples
    --------
    >>> round(expected_calibration_error(np.array([0.9, 0.9]), np.array([1, 0])), 6)
    0.4
    """
    count, said, came = calibration_curve(prob, target, n_bins)
    return float(np.nansum(count * np.abs(said - came)) / count.sum())
