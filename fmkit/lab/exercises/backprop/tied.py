"""One weight used twice: an autoencoder that unfolds with the transpose of what it squeezed with."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, c, h):
        return rng.normal(size=(n, c)), rng.normal(size=(n, c)), rng.normal(size=(c, h)) / np.sqrt(c)

    one = np.ones((1, 1))
    return [
        (one, one, one),
        case(5, 4, 3),
        case(3, 2, 6),
        case(1, 5, 2),
        case(4, 3, 3),
        as_float32(case(4, 6, 3)),
    ]


def tied_backward(dout, x, w):
    h = np.tanh(x @ w)
    dw = dout.T @ h  # the second use: out = h @ w.T
    dz = (dout @ w) * (1 - h * h)
    dw += x.T @ dz  # the first use: its share is added
    return dz @ w.T, dw


def untied(dout, x, w):
    h = np.tanh(x @ w)
    uses = {"decoder": h.T @ dout}  # as if the two uses had their own weights ...
    dz = (dout @ w) * (1 - h**2)
    uses["encoder"] = x.T @ dz
    return dz @ w.T, uses["encoder"] + uses["decoder"].T  # ... tied at the end


def loop(dout, x, w):
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for n in range(len(x)):
        h = np.tanh(w.T @ x[n])
        dz = (w.T @ dout[n]) * (1 - h * h)
        dx[n] = w @ dz
        dw += np.outer(dout[n], h) + np.outer(x[n], dz)
    return dx, dw


EXERCISE = Exercise(
    title="One weight used twice",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=tied_backward,
    alternatives=(untied, loop),
    mistakes=(
        mistake(
            "only the first use of w",
            "dw += x.T @ dz -> dw = x.T @ dz",
            "w stands twice in the forward pass; count the terms of your dw.",
        ),
        mistake(
            "only the second use of w",
            "dw += x.T @ dz ->",
            "w stands twice in the forward pass; count the terms of your dw (and mind = against +=).",
        ),
        mistake(
            "the two uses averaged",
            "return dz @ w.T, dw / 2",
            "Shares of one thing are added, not averaged.",
        ),
        mistake(
            "the second use not turned round",
            "dw = h.T @ dout",  # raises an exception unless w is square
            "In out = h @ w.T the weight is w.T, so its gradient has the shape of w.T: turn it round.",
        ),
        mistake(
            "the second use subtracted",
            "dw = -dout.T @ h",
            "Shares of one thing are added.",
        ),
        mistake(
            "tanh's slope left out",
            "dz = dout @ w",
            "Between h and z stands tanh: on the way back it multiplies by its slope.",
        ),
        mistake(
            "tanh taken twice",
            "dz = (dout @ w) * (1 - np.tanh(h) ** 2)",
            "h is tanh(z) already: with it the slope is 1 - h * h.",
        ),
        mistake(
            "forgot the square in tanh's slope",
            "dz = (dout @ w) * (1 - h)",
            "The slope is 1 - tanh(z)^2: where is the square?",
        ),
        mistake(
            "tanh's value instead of its slope",
            "dz = (dout @ w) * h",
            "On the way back a function multiplies by its slope, not by its value.",
        ),
        mistake(
            "counted the first use twice",
            "dw += x.T @ dz -> dw = 2 * x.T @ dz",
            "The second use has a share of its own: out = h @ w.T.",
        ),
        mistake(
            "reshaped the second use, not turned round",
            "dw = (h.T @ dout).reshape(w.shape)",
            "A reshape keeps the order in memory, so it deals the numbers out differently: .T turns round.",
        ),
        mistake(
            "tanh's slope from z instead of h",
            "dz = (dout @ w) * (1 - (x @ w) ** 2)",
            "The slope is 1 - tanh(z)^2: which of your names holds tanh(z)?",
        ),
        mistake(
            "the second use taken from z instead of h",
            "dw = dout.T @ (x @ w)",
            "In the second use w.T was multiplied by something: by what exactly?",
        ),
        mistake(
            "dx skips the tanh",
            "return dout @ w @ w.T, dw",
            "dw and dx both lie behind the tanh: both start from dz.",
        ),
        mistake(
            "the sigmoid's slope",
            "dz = (dout @ w) * h * (1 - h)",
            "h * (1 - h) belongs to the sigmoid. What is the slope of tanh, written with h?",
        ),
        mistake(
            "the second use with tanh's slope, too",
            "dw = (dout * 1).T @ (h * (1 - h * h))",
            "Between w.T and the output stands no tanh.",
        ),
        mistake(
            "dout added to dx, as if there were a residual",
            "return dz @ w.T + dout, dw",
            "Here x has one way to the output only.",
        ),
    ),
    hints=(
        "Pretend that the two uses had weights of their own, and find the gradient of each.",
        "out = h @ w.T is a linear layer with the weight w.T: its gradient is (H, C), so turn it round.",
        "dw is the sum of both; dx comes from the first use only, behind the tanh.",
    ),
)
