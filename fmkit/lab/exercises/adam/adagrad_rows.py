"""AdaGrad on the rows of an embedding."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(v, c, n, eps=1e-10):
        s = rng.uniform(0.1, 2.0, (v, c)) * rng.integers(0, 2, (v, 1))  # some rows were never read before
        ids = rng.integers(0, v, n)
        if n > 1:
            ids[-1] = ids[0]  # a row that is read twice
        return rng.normal(size=(v, c)), s, ids, rng.normal(size=(n, c)), float(rng.uniform(0.1, 0.5)), eps

    return [
        case(7, 3, 5),
        case(4, 2, 9, eps=0.3),
        case(5, 4, 1),
        case(3, 2, 0),
        as_float32(case(6, 5, 8, eps=1e-3)),
    ]


def adagrad_rows(w, s, ids, drows, lr, eps):
    dw = np.zeros_like(w)
    np.add.at(dw, ids, drows)  # both gradients of a row that is used twice, before any square is taken
    s = s + dw * dw
    return w - lr * dw / (np.sqrt(s) + eps), s


def one_hot(w, s, ids, drows, lr, eps):
    reads = np.eye(len(w), dtype=w.dtype)[ids]  # (N, V)
    dw = reads.T @ drows  # (V, C)
    s = s + dw**2
    return w - dw * (lr / (eps + s**0.5)), s


def loop(w, s, ids, drows, lr, eps):
    w, s = w.copy(), s.copy()
    for row in set(ids.tolist()):
        dw = drows[ids == row].sum(0)
        s[row] += dw * dw
        w[row] -= lr / (np.sqrt(s[row]) + eps) * dw
    return w, s


def one_step_for_each_occurrence(w, s, ids, drows, lr, eps):
    w, s = w.copy(), s.copy()
    for row, dw in zip(ids, drows, strict=True):
        s[row] += dw * dw
        w[row] -= lr * dw / (np.sqrt(s[row]) + eps)
    return w, s


EXERCISE = Exercise(
    title="AdaGrad on the rows of an embedding",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=adagrad_rows,
    alternatives=(one_hot, loop),
    mistakes=(
        mistake(
            "repeated ids: only the last one counts",
            "np.add.at(dw, ids, drows) -> dw[ids] += drows",
            "dw[ids] += drows writes each row once, however often its id occurs.",
        ),
        mistake(
            "squared before adding up",
            "s = s + dw * dw -> s = s.copy()\nnp.add.at(s, ids, drows * drows)",
            "The gradient of a row is the sum over its occurrences; its square is taken after that.",
        ),
        mistake(
            "one step for each occurrence",
            one_step_for_each_occurrence,
            "A batch is one step: first add up what each row received, then move once.",
        ),
        mistake(
            "averaged over repeated ids",
            "s = s + -> dw /= np.maximum(np.bincount(ids, minlength=len(w)), 1)[:, None]\ns = s +",
            "The loss has been averaged already; occurrences of one row add up.",
        ),
        mistake(
            "divided by the sum before this step",
            ("s = s + dw * dw -> new_s = s + dw * dw", "return w - lr * dw / (np.sqrt(s) + eps), new_s"),
            "The sum includes today's gradient: at the very first step it is all there is.",
        ),
        mistake(
            "forgot the root",
            "return w - lr * dw / (s + eps), s",
            "Squares carry the unit of the gradient squared: what brings it back?",
        ),
        mistake(
            "eps inside the root",
            "return w - lr * dw / np.sqrt(s + eps), s",
            "Here eps is added to the root, not to the sum under it.",
        ),
        mistake(
            "eps left out",
            "return w - lr * dw / np.sqrt(s), s",
            "A row that was never read has dw = 0 and s = 0: what is 0 / 0, and what is eps for?",
        ),
        mistake(
            "a moving mean instead of a sum",
            "s = 0.9 * s + 0.1 * dw * dw",
            "AdaGrad forgets nothing: a plain sum from the first step on.",
        ),
        mistake(
            "one sum for the whole row",
            "s = s + (dw * dw).mean(1, keepdims=True)",
            "Every weight has a sum of its own: s has the shape of w.",
        ),
    ),
    hints=(
        "First make dw of the shape of w, zeros but for the rows in ids; then it is ordinary AdaGrad.",
        "dw[ids] += drows loses repeated ids. np.add.at(dw, ids, drows) does not.",
        "Add the squares to s first; then divide by sqrt(s) + eps, with the new s.",
    ),
)
