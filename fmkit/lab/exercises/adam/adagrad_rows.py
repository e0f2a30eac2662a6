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
        (np.ones((2, 1)), np.zeros((2, 1)), np.array([0, 0]), np.array([[3.0], [1.0]]), 0.5, 1.0),
        case(7, 3, 5),
        case(4, 2, 9, eps=0.3),
        case(5, 4, 1),
        case(3, 2, 0),
        (np.array([[1.0], [2.0]]), np.array([[4.0], [0.25]]), np.array([1]), np.array([[-1.5]]), 0.25, 0.5),
        as_float32(case(6, 5, 8, eps=1e-3)),
    ]


def adagrad_rows(w, s, ids, drows, lr, eps):
    dw = np.zeros_like(w)
    np.add.at(dw, ids, drows)  # both gradients of a row that is used twice, before any square is taken
    new_s = s + dw * dw
    scale = np.sqrt(new_s) + eps
    new_w = w - lr * dw / scale
    return new_w, new_s


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


def stepped_twice_with_the_sum(w, s, ids, drows, lr, eps):
    w, s = w.copy(), s.copy()
    for row in ids:
        dw = drows[ids == row].sum(0)
        s[row] += dw * dw
        w[row] -= lr * dw / (np.sqrt(s[row]) + eps)
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
            "repeated ids: only the first one counts",
            "np.add.at(dw, ids, drows) -> dw[ids[::-1]] = drows[::-1]",
            "np.unique's indices are the *first* uses only; a row's gradient is the sum of all of them.",
        ),
        mistake(
            "squared before adding up",
            "new_s = s + dw * dw -> new_s = s.copy()\nnp.add.at(new_s, ids, drows * drows)",
            "The gradient of a row is the sum over its occurrences; its square is taken after that.",
        ),
        mistake(
            "one step for each occurrence",
            one_step_for_each_occurrence,
            "A batch is one step: first add up what each row received, then move once.",
        ),
        mistake(
            "a repeated row steps once for each use, each time with the whole sum",
            stepped_twice_with_the_sum,
            "A row moves once, however often it was used: go over the different ids.",
        ),
        mistake(
            "averaged over repeated ids",
            "np.add.at(dw, ids, drows) -> np.add.at(dw, ids, drows)\ndw /= np.maximum(np.bincount(ids, "
            "minlength=len(w)), 1)[:, None]",
            "The loss has been averaged already; occurrences of one row add up.",
        ),
        mistake(
            "divided by the sum before this step",
            "scale = np.sqrt(s) + eps",
            "The sum includes today's gradient: at the very first step it is all there is.",
        ),
        mistake(
            "forgot the root",
            "scale = new_s + eps",
            "Squares carry the unit of the gradient squared: what brings it back?",
        ),
        mistake(
            "eps inside the root",
            "scale = np.sqrt(new_s + eps)",
            "Here eps is added to the root, not to the sum under it.",
        ),
        mistake(
            "eps left out",
            "scale = np.sqrt(new_s)",
            "A row that was never read has dw = 0 and s = 0: what is 0 / 0, and what is eps for?",
        ),
        mistake(
            "eps outside the division",
            "new_w = w - (lr * dw / np.sqrt(new_s) + eps)",
            "a / b + eps divides first: put eps in brackets with the root.",
        ),
        mistake(
            "a moving mean instead of a sum",
            "new_s = 0.9 * s + 0.1 * dw * dw",
            "AdaGrad forgets nothing: a plain sum from the first step on.",
        ),
        mistake(
            "RMSProp's moving mean instead of a sum",
            "new_s = 0.99 * s + 0.01 * dw * dw",
            "AdaGrad forgets nothing: a plain sum from the first step on.",
        ),
        mistake(
            "one sum for the whole row",
            "new_s = s + (dw * dw).mean(1, keepdims=True)",
            "Every weight has a sum of its own: s has the shape of w.",
        ),
        mistake(
            "one sum for the whole row, added up",
            "new_s = s + (dw * dw).sum(1, keepdims=True)",
            "Every weight has a sum of its own: s has the shape of w.",
        ),
        mistake(
            "today's squares only",
            "new_s = dw * dw",
            "AdaGrad adds up over all steps: what has s brought along?",
        ),
        mistake(
            "sizes added instead of squares", "new_s = s + np.abs(dw)", "s is a sum of squares: dw * dw."
        ),
        mistake("the gradient added without its square", "new_s = s + dw", "s is a sum of squares: dw * dw."),
        mistake(
            "the new sum used, but the old one returned",
            "return new_w, s",
            "Return both anew: the next step has to know today's squares.",
        ),
        mistake(
            "the learning rate left out",
            "new_w = w - dw / scale",
            "AdaGrad's step is lr times dw over the root.",
        ),
        mistake("uphill", "new_w = w + lr * dw / scale", "dw points uphill: the step is taken off."),
        mistake(
            "not divided: plain gradient descent",
            "new_w = w - lr * dw",
            "What is s for? Each weight's step is divided by its own root.",
        ),
        mistake("the two in the other order", "return new_s, new_w", "First w, then s."),
    ),
    hints=(
        "First make dw of the shape of w, zeros but for the rows in ids; then it is ordinary AdaGrad.",
        "dw[ids] += drows loses repeated ids. np.add.at(dw, ids, drows) does not.",
        "Add the squares to s first; then divide by sqrt(s) + eps, with the new s.",
    ),
)
