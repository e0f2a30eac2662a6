"""GPTQ, with a stale inverse and columns off by one: mend it."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(o, i, bits, n=40, dead=False):
        x = rng.normal(size=(n, i)) @ (np.eye(i) + 0.6 * rng.normal(size=(i, i)))  # inputs that go together
        if dead:
            x[:, i // 2] = 0.0
        w = rng.normal(size=(o, i))
        return w, x.T @ x, np.abs(w).max(1) / (2 ** (bits - 1) - 1), bits

    w = np.array([[0.6, 0.6]])  # their sum matters: 1, not 2
    example = w, np.array([[2.0, 1.9], [1.9, 2.0]]), np.array([1.0]), 2
    alone = rng.normal(size=(3, 4)), np.diag([1.0, 5.0, 2.0, 9.0]), np.array([0.3, 0.2, 0.5]), 3
    few = case(4, 9, 3, n=5)  # fewer examples than inputs: no inverse without damping
    tight = case(5, 8, 3)
    return [
        example,
        alone,
        few,
        (tight[0], tight[1], tight[2] * 0.6, 3),  # the ends of the range are reached
        (few[0], few[1] * 1e-5, few[2], 3),  # small inputs: damping and errors are relative to them
        case(6, 7, 4),
        case(3, 10, 3, dead=True),
        case(7, 5, 4),
        case(4, 12, 2),
    ]


def mended_gptq(w, hessian, scale, bits):
    m = 2 ** (bits - 1) - 1
    raised = hessian + 0.01 * np.diag(hessian).mean() * np.eye(len(hessian))
    left, out = w.copy(), np.zeros_like(w)
    upper = np.linalg.cholesky(np.linalg.inv(raised)).T
    for i in range(w.shape[1]):
        out[:, i] = np.clip(np.rint(left[:, i] / scale), -m, m) * scale
        error = (left[:, i] - out[:, i]) / upper[i, i]
        left[:, i + 1 :] -= np.outer(error, upper[i, i + 1 :])
    return out


def inverse_anew(w, hessian, scale, bits):
    m, n = 2 ** (bits - 1) - 1, len(hessian)
    raised = hessian + 0.01 * np.trace(hessian) / n * np.eye(n)
    left = w.copy()
    for i in range(n):
        inverse = np.linalg.inv(raised[i:, i:])  # of the inputs that are left
        rounded = np.clip(np.rint(left[:, i] / scale), -m, m) * scale
        error = (left[:, i] - rounded) / inverse[0, 0]
        left[:, i:] -= np.outer(error, inverse[0])  # column i becomes `rounded` by that
    return left


def inverse_kept_up(w, hessian, scale, bits):
    m, out = 2 ** (bits - 1) - 1, w.copy()
    inverse = np.linalg.inv(hessian + 0.01 * np.mean(hessian.diagonal()) * np.eye(len(hessian)))
    for i in range(out.shape[1]):
        was = out[:, i].copy()
        out[:, i] = np.clip(np.round(was / scale), -m, m) * scale
        out[:, i + 1 :] -= (was - out[:, i])[:, None] / inverse[i, i] * inverse[i, i + 1 :]
        inverse = inverse - np.outer(inverse[:, i], inverse[i]) / inverse[i, i]
    return out


LAST = "left[:, i + 1 :] -= np.outer(error, upper[i, i + 1 :])"
OFF_BY_ONE = f"{LAST} -> left[:, i + 2 :] -= np.outer(error, upper[i, i + 1 : -1])"

EXERCISE = Exercise(
    title="Spot the bug: GPTQ",
    points=4,
    minutes=25,
    difficulty=4,
    cases=cases,
    reference=mended_gptq,
    alternatives=(inverse_anew, inverse_kept_up),
    equal=(("left, out = (w.copy(), np.ones_like(w))", "every entry is written"),),
    teaches=("quantization.gptq",),
    mistakes=(
        mistake(
            "a stale inverse: the whole one, at every step",
            "upper = np.linalg.inv(raised)",
            "Inputs that are rounded cannot give way any more: the inverse must be that of the inputs left.",
        ),
        mistake(
            "the columns are off by one",
            OFF_BY_ONE,
            "The entry of column j belongs to column j: both slices begin at the same place.",
        ),
        mistake(
            "both bugs as published",
            (
                "upper = np.linalg.inv(raised)",
                OFF_BY_ONE,
            ),
            "There are two slips: which inverse, and which column.",
        ),
        mistake(
            "the error divided by the Hessian's own entry",
            "error = (left[:, i] - out[:, i]) / raised[i, i]",
            "The entry of the *inverse* (here of its factor) divides.",
        ),
        mistake(
            "the error not divided",
            "error = left[:, i] - out[:, i]",
            "Divide by the factor's entry on the diagonal.",
        ),
        mistake(
            "the others moved the wrong way",
            f"{LAST} -> left[:, i + 1 :] += np.outer(error, upper[i, i + 1 :])",
            "They make up for the error: its share is taken off.",
        ),
        mistake(
            "nothing made up for: plain rounding",
            f"{LAST} -> pass",  # with the lower factor the same comes out: the row holds zeros
            "Is row j of your factor 0 to the right of the diagonal? That is the lower one: U is its .T.",
        ),
        mistake(
            "no damping",
            "raised = hessian + 1e-12 * np.diag(hessian).mean() * np.eye(len(hessian))",
            "With fewer examples than inputs there is no inverse: add one hundredth of the mean diagonal.",
        ),
        mistake(
            "damped by a fixed number",
            "raised = hessian + 0.01 * np.eye(len(hessian))",
            "One hundredth *of the mean of the diagonal*: the inputs may have any size.",
        ),
        mistake(
            "the factor of the Hessian instead of its inverse",
            "upper = np.linalg.cholesky(raised).T",
            "It is the inverse that says how one weight makes up for another.",
        ),
        mistake(
            "not clipped",
            "out[:, i] = np.rint(left[:, i] / scale) * scale",
            "A weight that has moved may lie outside the range: -m to m.",
        ),
        mistake(
            "one negative number too many",
            "np.rint(left[:, i] / scale), -m, m) -> np.rint(left[:, i] / scale), -m - 1, m)",
            "The range is -m to m: the signs are alike.",
        ),
        mistake(
            "the error left without the clipping's share",
            "error = (left[:, i] - np.rint(left[:, i] / scale) * scale) / upper[i, i]",
            "What was cut off at the end of the range is an error, too.",
        ),
    ),
    hints=(
        "Two lines are wrong: the one that makes the inverse, and the last one of the loop.",
        "np.linalg.cholesky(np.linalg.inv(raised)).T holds, row by row, the inverses of the inputs left.",
        "W[:, j + 1 :] and the factor's [j, j + 1 :] name the same columns.",
    ),
)
