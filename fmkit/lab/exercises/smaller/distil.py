"""What a student pays, and its gradient, where some rows have no label."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, v, T, mix, unknown=0.4, size=3.0):
        labels = rng.integers(0, v, n)
        labels[rng.random(n) < unknown] = -1
        labels[0], labels[1] = v - 1, -1
        return size * rng.normal(size=(n, v)), size * rng.normal(size=(n, v)), labels, T, mix

    example = (
        np.array([[0.0, 0.0], [1.0, 0.0]]),
        np.array([[2.0, 0.0], [0.0, 2.0]]),
        np.array([0, -1]),
        2.0,
        0.5,
    )
    teacher_only = case(3, 4, 3.0, 1.0)
    nobody = case(4, 3, 2.0, 0.3)
    nobody[2][:] = -1
    huge = (
        np.array([[1000.0, 0.0, -1000.0], [5.0, 5.0, 5.0]]),
        np.array([[999.0, 1.0, -3.0], [0.0, 1.0, 2.0]]),
    )
    return [
        example,
        teacher_only,
        nobody,
        (*huge, np.array([1, -1]), 4.0, 0.6),
        case(5, 4, 1.0, 0.5),
        case(6, 3, 4.0, 0.0),
        case(7, 5, 0.5, 0.8),
        as_float32(case(6, 4, 2.5, 0.7)),
    ]


def distil(student, teacher, labels, T, mix):
    def log_softmax(z):
        below = z - z.max(1, keepdims=True)
        return below - np.log(np.exp(below).sum(1, keepdims=True))

    N = len(student)
    log_p, log_q = log_softmax(teacher / T), log_softmax(student / T)
    soft = (np.exp(log_p) * (log_p - log_q)).sum() / N
    dsoft = (np.exp(log_q) - np.exp(log_p)) / T / N
    rows = np.flatnonzero(labels >= 0)
    n = max(len(rows), 1)
    log_r = log_softmax(student)
    hard = -log_r[rows, labels[rows]].sum() / n
    truth = np.zeros_like(student)
    truth[rows, labels[rows]] = 1
    known = np.zeros((N, 1), student.dtype)
    known[rows] = 1 / n
    dhard = (np.exp(log_r) - truth) * known
    loss = mix * T * T * soft + (1 - mix) * hard
    return float(loss), mix * T * T * dsoft + (1 - mix) * dhard


def row_by_row(student, teacher, labels, T, mix):
    loss, grad = 0.0, np.zeros_like(student)
    known = max((labels >= 0).sum(), 1)

    def soften(z):
        e = np.exp(z - z.max())
        return e / e.sum(), z - z.max() - np.log(e.sum())

    for i, (s, t, label) in enumerate(zip(student, teacher, labels, strict=True)):
        (p, log_p), (q, log_q) = soften(t / T), soften(s / T)
        loss += mix * T**2 * (p * (log_p - log_q)).sum() / len(student)
        grad[i] += mix * T * (q - p) / len(student)
        if label >= 0:
            r, log_r = soften(s)
            loss -= (1 - mix) * log_r[label] / known
            r[label] -= 1
            grad[i] += (1 - mix) * r / known
    return float(loss), grad


def with_masks(student, teacher, labels, T, mix):
    def log_probs(z):
        top = z.max(axis=-1, keepdims=True)
        return z - top - np.log(np.exp(z - top).sum(axis=-1, keepdims=True))

    known = labels >= 0
    truth = (np.arange(student.shape[1]) == labels[:, None]).astype(student.dtype)  # -1: all zeros
    share = known / max(known.sum(), 1)
    log_p, log_q, log_r = log_probs(teacher / T), log_probs(student / T), log_probs(student)
    soft = np.mean((np.exp(log_p) * (log_p - log_q)).sum(-1))
    hard = -(truth * log_r).sum(-1) @ share
    grad = mix * T * (np.exp(log_q) - np.exp(log_p)) / len(student)
    grad = grad + (1 - mix) * (np.exp(log_r) - truth) * share[:, None]
    return float(mix * T * T * soft + (1 - mix) * hard), grad.astype(student.dtype)


EXERCISE = Exercise(
    title="A student's loss, with unlabelled rows",
    points=4,
    minutes=30,
    difficulty=4,
    tolerance=1e-4,  # a Python number comes out of float32 inputs
    cases=cases,
    reference=distil,
    alternatives=(row_by_row, with_masks),
    equal=(
        ("below = z - z.max(-1, keepdims=True)", "the last axis, by its other number"),
        ("return below - np.log(np.exp(below).sum(-1, keepdims=True))", "the last axis, by its other number"),
        ("n = max(1, len(rows))", "the two arguments may stand in any order"),
        ("known = max(1, (labels >= 0).sum())", "the two arguments may stand in any order"),
        ("known = max((labels >= 0).sum(), 0)", "without a label nothing is divided"),
        ("known = max((labels >= 0).sum(), -1)", "without a label nothing is divided"),
        ("grad[i] = mix * T * (q - p) / len(student)", "it was 0 before"),
    ),
    teaches=("distillation.distillation_loss", "distillation.distillation_loss_backward"),
    parts=True,
    mistakes=(
        mistake(
            "no T squared",
            (
                "loss = mix * soft + (1 - mix) * hard",
                "return float(loss), mix * dsoft + (1 - mix) * dhard",
            ),
            "Softening makes the slopes T**2 times smaller: the soft part is multiplied by T**2.",
        ),
        mistake(
            "T instead of T squared",
            (
                "loss = mix * T * soft + (1 - mix) * hard",
                "return float(loss), mix * T * dsoft + (1 - mix) * dhard",
            ),
            "The soft part is multiplied by T**2.",
        ),
        mistake(
            "the divergence the wrong way round",
            (
                "soft = (np.exp(log_q) * (log_q - log_p)).sum() / N",
                "dsoft = np.exp(log_q) * (log_q - log_p - "
                "(np.exp(log_q) * (log_q - log_p)).sum(1, keepdims=True)) / T / N",
            ),
            "The teacher's probabilities weigh: the sum of p * (log p - log q).",
        ),
        mistake(
            "the divergence the wrong way round in the loss",
            "soft = (np.exp(log_q) * (log_q - log_p)).sum() / N",
            "The teacher's probabilities weigh: the sum of p * (log p - log q). Your gradient is that one's.",
        ),
        mistake(
            "the teacher not softened",
            "log_p, log_q = log_softmax(teacher), log_softmax(student / T)",
            "Both are divided by T.",
        ),
        mistake(
            "the student not softened",
            (
                "log_p, log_q = log_softmax(teacher / T), log_softmax(student)",
                "dsoft = (np.exp(log_q) - np.exp(log_p)) / N",
            ),
            "Both are divided by T.",
        ),
        mistake(
            "the temperature in the hard part, too",
            (
                "log_r = log_softmax(student / T)",
                "dhard = (np.exp(log_r) - truth) * known / T",
            ),
            "The truth is compared with the student as it is, at temperature 1.",
        ),
        mistake(
            "a mean over all entries instead of rows",
            (
                "soft = (np.exp(log_p) * (log_p - log_q)).sum() / log_q.size",
                "dsoft = (np.exp(log_q) - np.exp(log_p)) / T / log_q.size",
            ),
            "Each row's divergence is a sum over the classes; the mean is over rows.",
        ),
        mistake(
            "the sum over rows instead of their mean",
            (
                "soft = (np.exp(log_p) * (log_p - log_q)).sum()",
                "dsoft = (np.exp(log_q) - np.exp(log_p)) / T",
            ),
            "A mean over the rows: divide by N.",
        ),
        mistake(
            "the hard part divided by all rows",
            "n = N",
            "It is a mean over the rows that have a label.",
        ),
        mistake(
            "a mean over no labels gives NaN",
            "hard = -log_r[rows, labels[rows]].mean()",
            "If no row has a label, the hard part is 0.",
        ),
        mistake(
            "-1 taken for the last class",
            "rows = np.arange(N)",
            "NumPy reads -1 from the end: those rows have no label, they learn from the teacher only.",
        ),
        mistake(
            "rows without a label learn nothing at all",
            (
                "soft = (np.exp(log_p) * (log_p - log_q))[labels >= 0].sum() / N",
                "dsoft = (np.exp(log_q) - np.exp(log_p)) / T / N * (labels >= 0)[:, None]",
            ),
            "Where there is no label, the teacher still has an opinion.",
        ),
        mistake(
            "the gradient's 1/T forgotten",
            "dsoft = (np.exp(log_q) - np.exp(log_p)) / N",
            "The student's logits were divided by T on the way: so is the slope.",
        ),
        mistake(
            "the teacher's entropy left out",
            "soft = -(np.exp(log_p) * log_q).sum() / N",
            "A divergence is 0 where both agree: p * (log p - log q).",
        ),
        mistake(
            "the two parts exchanged",
            (
                "loss = (1 - mix) * T * T * soft + mix * hard",
                "return float(loss), (1 - mix) * T * T * dsoft + mix * dhard",
            ),
            "mix = 1 is the teacher alone.",
        ),
        mistake(
            "the sign of the soft gradient",
            "dsoft = (np.exp(log_p) - np.exp(log_q)) / T / N",
            "What the student gives too much of must go down: q - p.",
        ),
        mistake(
            "the largest logit not taken off",
            "below = z",
            "exp(1000) overflows: take each row's largest off first.",
        ),
    ),
    hints=(
        "Write log_softmax first, with the row's largest taken off.",
        "The soft gradient is (q - p) / T / N, the hard one (r - one-hot) / n in the rows with a label.",
        "mix * T**2 times the soft part, (1 - mix) times the hard part; loss and gradient alike.",
    ),
)
