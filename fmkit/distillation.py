"""A small model that learns from a large one (chapter 13): soft targets, and a table of word vectors."""

import numpy as np
from jaxtyping import Float, Integer

from fmkit._shapes import expect, floats, opened
from fmkit._types import Array, Cache, Scalar
from fmkit._values import demand, number, whole
from fmkit.activations import log_softmax, log_softmax_backward
from fmkit.losses import cross_entropy, cross_entropy_backward


def distillation_loss(
    student: Float[Array, "N V"],
    teacher: Float[Array, "N V"],
    targets: Integer[Array, "N"],
    temperature: float = 2.0,
    mix: float = 0.5,
) -> tuple[Scalar, Cache]:
    """What a student pays for another answer than the teacher's, and for another one than the truth.

    ``mix * T**2 * KL(teacher_T || student_T) + (1 - mix) * cross-entropy``, each a mean over the N rows. At a
    temperature T both are softened, so that the teacher's small probabilities count: which wrong answers are
    nearly right. The factor T**2 makes up for the slopes, which softening has made T**2 times smaller.

    Parameters
    ----------
    student, teacher : (N, V)
        Logits. The teacher's get no gradient.
    targets : (N,) integers
        The right classes.
    temperature : float above 0
    mix : float
        1: the teacher alone, 0: the truth alone.

    References
    ----------
    Hinton, Vinyals and Dean, "Distilling the knowledge in a neural network" (2015), section 2.

    Examples
    --------
    >>> student, teacher = np.array([[0.0, 0.0]]), np.array([[2.0, 0.0]])
    >>> print(distillation_loss(student, teacher, np.array([0]), temperature=1.0, mix=1.0)[0].round(3))
    0.328
    >>> print(distillation_loss(student, teacher, np.array([0]), mix=0.0)[0].round(3))  # log 2
    0.693
    """
    student, teacher = floats("student", student, 2, "(N, V)"), floats("teacher", teacher, 2, "(N, V)")
    expect("teacher", teacher, student.shape, "(N, V)")
    T, mix = number("temperature", temperature, above=0), number("mix", mix, 0.0, 1.0)
    log_q, q_cache = log_softmax(student * (1.0 / T))  # (N, V)
    log_p = log_softmax(teacher.astype(student.dtype) * (1.0 / T))[0]
    p = np.exp(log_p)
    soft = (p * (log_p - log_q)).sum() / len(p)
    hard, hard_cache = cross_entropy(student, targets)
    return mix * T * T * soft + (1.0 - mix) * hard, (p, q_cache, hard_cache, T, mix)


def distillation_loss_backward(dout: Scalar, cache: Cache) -> Float[Array, "N V"]:
    """Gradient of `distillation_loss` in the student's logits.

    Examples
    --------
    >>> student, teacher = np.array([[0.0, 0.0]]), np.array([[2.0, 0.0]])
    >>> _, cache = distillation_loss(student, teacher, np.array([0]), temperature=1.0, mix=1.0)
    >>> print(distillation_loss_backward(1.0, cache).round(3))  # q - p
    [[-0.381  0.381]]
    """
    p, q_cache, hard_cache, T, mix = opened(cache, 5, "distillation_loss")
    expect("dout", dout, (), "one number ()")
    dlog_q = p * (-float(dout) * mix * T * T / len(p))  # through the mean, T**2 and the minus
    dstudent = log_softmax_backward(dlog_q, q_cache) * (1.0 / T)  # student / T
    return dstudent + cross_entropy_backward(float(dout) * (1.0 - mix), hard_cache)


def word_table(
    vectors: Float[Array, "V D"], counts: Integer[Array, "V"], width: int, smooth: float = 1e-3
) -> Float[Array, "V K"]:
    """A teacher's vectors of single words as a table: centred, cut to the main directions, weighted.

    The mean of a text's rows then stands for the text: a model without layers.

    Parameters
    ----------
    vectors : (V, D)
        What the teacher says of each word alone.
    counts : (V,) integers
        How often each word comes, in texts of the kind that the table is for.
    width : int
        K, at most D and V.
    smooth : float above 0
        A word that makes up a share s of the texts gets the weight ``smooth / (smooth + s)``.

    References
    ----------
    Arora et al., "A simple but tough-to-beat baseline for sentence embeddings" (2017), equation 3.

    Examples
    --------
    >>> vectors = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.1], [0.0, -0.1]])
    >>> table = word_table(vectors, np.array([1, 1, 0, 998]), width=1, smooth=0.5)
    >>> print(np.abs(table).ravel().round(2))  # the first direction only; the frequent word hardly counts
    [1. 1. 0. 0.]
    """
    vectors = floats("vectors", vectors, 2, "(V, D)")
    expect("counts", counts, (len(vectors),), "(V,)")
    demand(counts.min() >= 0 and counts.sum() > 0, "counts", "0 or more, and not all 0", counts.min())
    width, smooth = whole("width", width, 1), number("smooth", smooth, above=0)
    demand(width <= min(vectors.shape), "width", f"at most {min(vectors.shape)}", width)
    centred = vectors - vectors.mean(0)
    directions = np.linalg.svd(centred, full_matrices=False)[2][:width]  # (K, D)
    weight = smooth / (smooth + counts / counts.sum())  # (V,)
    return (centred @ directions.T) * weight[:, None].astype(vectors.dtype)
