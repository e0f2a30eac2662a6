"""A scaled linear layer over (B, T, C): the gradients of x and w, by hand."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, t, c, k):
        scale = float(rng.uniform(0.2, 0.8))
        return rng.normal(size=(b, t, k)), rng.normal(size=(b, t, c)), rng.normal(size=(c, k)), scale

    example = np.full((1, 1, 1), 1.0), np.full((1, 1, 1), 2.0), np.full((1, 1), 3.0), 0.5
    return [
        example,
        case(2, 3, 4, 5),
        case(3, 2, 4, 4),
        case(1, 1, 3, 2),
        case(4, 5, 1, 3),
        as_float32(case(3, 4, 5, 2)),
    ]


def scaled_linear_backward(dout, x, w, scale):
    dy = dout * scale  # undoes the scale
    dx = dy @ w.T  # (B, T, C)
    dw = x.reshape(-1, x.shape[-1]).T @ dy.reshape(-1, dy.shape[-1])  # (C, K)
    return dx, dw


def einsum(dout, x, w, scale):
    return scale * np.einsum("btk,ck->btc", dout, w), scale * np.einsum("btc,btk->ck", x, dout)


def loop(dout, x, w, scale):
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for b in range(x.shape[0]):
        for t in range(x.shape[1]):
            dx[b, t] = scale * (w @ dout[b, t])
            dw += scale * np.outer(x[b, t], dout[b, t])
    return dx, dw


EXERCISE = Exercise(
    title="A scaled linear layer over (B, T, C)",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=scaled_linear_backward,
    teaches=("layers.linear_backward",),
    alternatives=(einsum, loop),
    mistakes=(
        mistake("forgot the scale in dx", "dx = dout @ w.T", "x, too, reaches the output through the scale."),
        mistake(
            "forgot the scale in dw",
            "dy.reshape -> dout.reshape",
            "w, too, reaches the output through the scale.",
        ),
        mistake(
            "forgot the scale in both",
            "dy = dout",
            "x and w reach the output through the scale: it comes back, too.",
        ),
        mistake(
            "divided by the scale",
            "dy = dout / scale",
            "Backward does not invert: it multiplies by the slope, and that of s * z is s.",
        ),
        mistake(
            ".T on an array of three axes",
            "dw = x.T @ dy",  # raises an exception unless the sizes happen to fit
            "With three axes .T turns all of them round, the batch as well: make x a (B*T, C) matrix first.",
        ),
        mistake(
            "forgot to transpose w",
            "dx = dy @ w",  # raises an exception unless w is square
            "dx goes from K outputs back to C inputs: which way round must w stand?",
        ),
        mistake(
            "reshaped w instead of transposing it",
            "dx = dy @ w.reshape(w.shape[::-1])",
            "A reshape keeps the order in memory, so it deals the numbers out differently: "
            "w.reshape(K, C) is not w.T.",
        ),
        mistake(
            "reshaped x instead of transposing it",
            "x.reshape(-1, x.shape[-1]).T -> x.reshape(x.shape[-1], -1)",
            "x.reshape(C, -1) mixes positions with channels. First bring x to (B*T, C), then transpose.",
        ),
        mistake(
            "averaged dw over the positions",
            "return dx, dw / (len(x) * x.shape[1])",
            "A layer only adds up what comes back; an average, if any, was already in the loss.",
        ),
        mistake(
            "averaged dw over the batch",
            "return dx, dw / len(x)",
            "A layer only adds up what comes back; an average, if any, was already in the loss.",
        ),
        mistake(
            "kept one dw for each example",
            "dw = np.swapaxes(x, 1, 2) @ dy",
            "There is one w for the whole batch, so there is one dw of its shape.",
        ),
        mistake("dw transposed", "return dx, dw.T", "dw has the shape of w: the channels of x are its rows."),
        mistake(
            "dw from the last position only",
            "dw = x[:, -1].T @ dy[:, -1]",
            "w is used at every position t, so every position sends something back to it.",
        ),
        mistake(
            "the scale twice",
            "dy = dout * scale**2",
            "The scale stands once in the forward pass, so it comes back once.",
        ),
    ),
    equal=(
        (
            "dw = x.reshape(-1, x.shape[-1]).T @ dy.reshape(-2, dy.shape[-1])",
            "any negative number asks for the size that is left",
        ),
        (
            "dw = x.reshape(-2, x.shape[-1]).T @ dy.reshape(-1, dy.shape[-1])",
            "any negative number asks for the size that is left",
        ),
    ),
    hints=(
        "Write dy = dout * scale first: from there on it is an ordinary linear layer.",
        "dx needs shape (B, T, C) out of (B, T, K) and (C, K): `@` works on the last two axes.",
        "For dw make x a (B*T, C) matrix and dy a (B*T, K) one: which product gives (C, K)?",
    ),
)
