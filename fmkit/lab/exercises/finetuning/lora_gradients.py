"""LoRA, backward: the gradients of x, a and b beside a frozen weight, with the rank-stabilised scale."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(B, T, C, K, R, alpha):
        dout, x = rng.normal(size=(B, T, K)), rng.normal(size=(B, T, C))
        return dout, x, rng.normal(size=(C, K)), rng.normal(size=(C, R)), rng.normal(size=(R, K)), alpha

    start = case(3, 2, 6, 4, 2, 6.0)
    start[4][:] = 0  # as LoRA begins
    return [
        case(1, 1, 2, 1, 2, 3.0),
        case(2, 1, 1, 1, 2, 1.0),
        case(1, 2, 1, 1, 3, 2.5),
        case(2, 3, 6, 5, 3, 8.0),
        case(4, 5, 3, 7, 2, 16.0),
        case(1, 1, 4, 3, 5, 2.0),
        case(3, 4, 2, 5, 6, 0.5),  # a rank above the widths
        start,
        as_float32(case(3, 4, 5, 6, 2, 4.0)),
    ]


def lora_gradients(dout, x, w, a, b, alpha):
    dchange = dout * (alpha / a.shape[1] ** 0.5)  # undoes the scale
    dnarrow = dchange @ b.T  # (B, T, R): undoes narrow @ b
    dx = dout @ w.T + dnarrow @ a.T  # the two ways that x went
    x2, narrow2 = x.reshape(-1, x.shape[-1]), (x @ a).reshape(-1, a.shape[1])
    da = x2.T @ dnarrow.reshape(-1, a.shape[1])
    db = narrow2.T @ dchange.reshape(-1, b.shape[1])
    return dx, da, db


def through_the_merged_weight(dout, x, w, a, b, alpha):
    scale = alpha / math.sqrt(len(b))
    dmerged = x.reshape(-1, x.shape[-1]).T @ dout.reshape(-1, dout.shape[-1])  # (C, K): of w + scale * a @ b
    return dout @ (w + scale * (a @ b)).T, scale * (dmerged @ b.T), scale * (a.T @ dmerged)


def loop(dout, x, w, a, b, alpha):
    scale = alpha / math.sqrt(a.shape[1])
    dx, da, db = np.zeros_like(x), np.zeros_like(a), np.zeros_like(b)
    for i in np.ndindex(x.shape[:2]):
        back = scale * (b @ dout[i])  # (R,)
        dx[i] = w @ dout[i] + a @ back
        da += np.outer(x[i], back)
        db += scale * np.outer(x[i] @ a, dout[i])
    return dx, da, db


EXERCISE = Exercise(
    title="LoRA, backward",
    points=4,
    minutes=20,
    difficulty=4,
    cases=cases,
    reference=lora_gradients,
    alternatives=(through_the_merged_weight, loop),
    mistakes=(
        mistake(
            "divided by the rank, not by its root",
            "a.shape[1] ** 0.5 -> a.shape[1]",
            "Here the scale is alpha over the square root of the rank.",
        ),
        mistake(
            "the root of the width, not of the rank",
            "a.shape[1] ** 0.5 -> len(a) ** 0.5",
            "a is (C, R): which of its two sizes is the rank?",
        ),
        mistake(
            "** 1 / 2 for the root",
            "a.shape[1] ** 0.5 -> a.shape[1] ** 1 / 2",
            "** binds before /: R ** 1 / 2 is half of R. Write ** 0.5.",
        ),
        mistake(
            "the root of the whole fraction",
            "(alpha / a.shape[1] ** 0.5) -> (alpha / a.shape[1]) ** 0.5",
            "Only R stands under the root.",
        ),
        mistake(
            "alpha not divided by anything",
            "dchange = dout * alpha",
            "The scale is alpha over the square root of the rank.",
        ),
        mistake(
            "forgot the scale",
            "dchange = dout",
            "The change goes through a scale on its way forward, so it does on its way back.",
        ),
        mistake(
            "forgot the scale in da",
            "return dx -> da = da / (alpha / len(b) ** 0.5)\nreturn dx",
            "a, too, reaches the output through the scale.",
        ),
        mistake(
            "forgot the scale in db",
            "return dx -> db = db / (alpha / len(b) ** 0.5)\nreturn dx",
            "b, too, reaches the output through the scale.",
        ),
        mistake(
            "forgot the scale in dx",
            "dnarrow @ a.T -> dout @ b.T @ a.T",
            "x reaches the output by two ways; one of them goes through the scale.",
        ),
        mistake(
            "the scale twice in dx",
            "dnarrow @ a.T -> alpha / len(b) ** 0.5 * dnarrow @ a.T",
            "The scale was passed once: once it comes back.",
        ),
        mistake(
            "the scale on the frozen way, too",
            "dout @ w.T -> dchange @ w.T",
            "x @ w has no scale: only the way through a and b has.",
        ),
        mistake(
            "the scale twice in da",
            "return dx -> da = da * (alpha / len(b) ** 0.5)\nreturn dx",
            "The scale was passed once: once it comes back.",
        ),
        mistake(
            "the scale twice in db",
            "return dx -> db = db * (alpha / len(b) ** 0.5)\nreturn dx",
            "The scale was passed once: once it comes back.",
        ),
        mistake(
            "dx through the frozen weight only",
            "dx = dout @ w.T",
            "x also went through a and b: over several wires, add.",
        ),
        mistake(
            "dx through a and b only",
            "dx = dnarrow @ a.T",
            "A frozen weight gets no gradient, but it lets one through to x.",
        ),
        mistake(
            "the frozen way counted twice",
            "dout @ w.T -> 2 * dout @ w.T",
            "Two ways lead from x to the output, not three.",
        ),
        mistake(
            "dx through the merged weight and through a and b again",
            "dout @ w.T -> dout @ (w + alpha / len(b) ** 0.5 * (a @ b)).T",
            "Two ways lead from x to the output, not three: the merged weight holds both.",
        ),
        mistake(
            "a reshaped where .T is meant",
            "dnarrow @ a.T -> dnarrow @ a.reshape(a.shape[1], -1)",
            "reshape keeps the order of the numbers: .T exchanges rows and columns.",
        ),
        mistake(
            "b reshaped where .T is meant",
            "dchange @ b.T -> dchange @ b.reshape(b.shape[1], -1)",
            "reshape keeps the order of the numbers: .T exchanges rows and columns.",
        ),
        mistake(
            "w reshaped where .T is meant",
            "dout @ w.T -> dout @ w.reshape(w.shape[1], -1)",
            "reshape keeps the order of the numbers: .T exchanges rows and columns.",
        ),
        mistake(
            "x reshaped to (C, B T) where .T is meant",
            "x2.T -> x2.reshape(x2.shape[1], -1)",
            "reshape keeps the order of the numbers: make (B T, C) first, then .T.",
        ),
        mistake(
            "x @ a reshaped to (R, B T) where .T is meant",
            "narrow2.T -> narrow2.reshape(narrow2.shape[1], -1)",
            "reshape keeps the order of the numbers: make (B T, R) first, then .T.",
        ),
        mistake(
            ".T of three axes",
            ("da = x.T @ dnarrow", "db = (x @ a).T @ dchange"),
            ".T turns all three axes round: make (B T, C) matrices first.",
        ),
        mistake(
            "one gradient for each text",
            ("da = x.swapaxes(1, 2) @ dnarrow", "db = (x @ a).swapaxes(1, 2) @ dchange"),
            "All texts use the same a and b: what they send back is added up, over the batch as well.",
        ),
        mistake(
            "forgot b on the way to a",
            "da = x2.T @ (dchange @ w.T @ a).reshape(-1, a.shape[1])",
            "Between a and the output stands b, not w.",
        ),
        mistake(
            "a gets nothing, as b starts at zero",
            "da = np.zeros_like(a)",
            "b is zero at the very start only; what reaches a is dout @ b.T.",
        ),
        mistake(
            "averaged over the positions",
            "return dx -> da, db = da / len(x2), db / len(x2)\nreturn dx",
            "A layer only adds up what comes back; an average, if any, was in the loss.",
        ),
        mistake(
            "averaged over the batch",
            "return dx -> da, db = da / len(x), db / len(x)\nreturn dx",
            "A layer only adds up what comes back; it takes no average of its own.",
        ),
        mistake(
            "the last position only",
            ("da = x[:, -1].T @ dnarrow[:, -1]", "db = (x[:, -1] @ a).T @ dchange[:, -1]"),
            "a and b are used at every position: each sends something back.",
        ),
        mistake(
            "the first position only",
            ("da = x[:, 0].T @ dnarrow[:, 0]", "db = (x[:, 0] @ a).T @ dchange[:, 0]"),
            "a and b are used at every position: each sends something back.",
        ),
        mistake(
            "the last text only",
            ("da = x[-1].T @ dnarrow[-1]", "db = (x[-1] @ a).T @ dchange[-1]"),
            "a and b are used in every text: in a loop add up, +=.",
        ),
        mistake(
            "averaged over the positions of a text",
            "return dx -> da, db = da / x.shape[1], db / x.shape[1]\nreturn dx",
            "A layer only adds up what comes back; it takes no average of its own.",
        ),
        mistake(
            "da and db exchanged",
            "return dx, db, da",
            "Return them in the order dx, da, db.",
        ),
        mistake("da transposed", "return dx, da.T, db", "da has the shape of a: (C, R)."),
        mistake(
            "dw returned, too",
            "return dx, x2.T @ dout.reshape(-1, dout.shape[-1]), da, db",
            "w is frozen: its gradient is the one product that is not needed.",
        ),
        mistake(
            "float64 out of float32",
            "a.shape[1] ** 0.5 -> np.sqrt(a.shape[1])",
            "np.sqrt gives a NumPy number, which turns float32 into float64: math.sqrt does not.",
        ),
    ),
    teaches=("adapters.lora_linear_backward",),
    equal=(
        (
            "x2, narrow2 = (x.reshape(-2, x.shape[-1]), (x @ a).reshape(-1, a.shape[1]))",
            "any negative number stands for what is left",
        ),
        ("x2, narrow2 = (x.reshape(-1, x.shape[-1]), (x @ a).reshape(-2, a.shape[1]))", "the same"),
        ("da = x2.T @ dnarrow.reshape(-2, a.shape[1])", "the same"),
        ("db = narrow2.T @ dchange.reshape(-2, b.shape[1])", "the same"),
        ("dmerged = x.reshape(-1, x.shape[-1]).T @ dout.reshape(-2, dout.shape[-1])", "the same"),
        ("dmerged = x.reshape(-2, x.shape[-1]).T @ dout.reshape(-1, dout.shape[-1])", "the same"),
    ),
    hints=(
        "Name the steps forward: narrow = x @ a; change = narrow @ b; out = x @ w + scale * change.",
        "Backward: dchange = scale * dout; dnarrow = dchange @ b.T. Which two products give da and db?",
        "x went two ways, through w and through a: dx adds both. For da and db make (B*T, ...) matrices.",
    ),
)
