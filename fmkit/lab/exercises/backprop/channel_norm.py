"""The backward of a normalisation over the channels, axis 1 of (B, C, T)."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, c, t, spread=1.0, eps=1e-5):
        return rng.normal(size=(b, c, t)), 3 + spread * rng.normal(size=(b, c, t)), eps

    still = case(1, 4, 2, eps=0.01)
    still[1][0, :, 0] = 1.0  # a column that does not vary: only eps keeps it finite
    example = np.array([[[1.0], [0.0], [0.0]]]), np.array([[[0.0], [1.0], [2.0]]]), 1e-5
    cases = [example, case(2, 4, 3), case(3, 5, 1, eps=0.5), case(4, 3, 5, 0.1, 1e-3), case(3, 3, 2), still]
    return [*cases, as_float32(case(2, 6, 4))]


def channel_norm_backward(dout, x, eps):
    xc = x - x.mean(1, keepdims=True)
    rstd = 1 / np.sqrt((xc * xc).mean(1, keepdims=True) + eps)
    norm = xc * rstd
    dx = dout - dout.mean(1, keepdims=True)  # direct, and through the mean
    dx = dx - norm * (dout * norm).mean(1, keepdims=True)  # through the variance
    return dx * rstd


def three_paths(dout, x, eps):
    n = x.shape[1]
    xc = x - x.mean(1, keepdims=True)
    var = (xc**2).mean(1, keepdims=True)
    std = np.sqrt(var + eps)
    dvar = (dout * xc).sum(1, keepdims=True) * -0.5 / (std * std * std)
    dxc = dout / std + dvar * 2 * xc / n
    return dxc - dxc.sum(1, keepdims=True) / n


def jacobian(dout, x, eps):
    dx = np.zeros_like(x)
    n = x.shape[1]
    for b in range(x.shape[0]):
        for t in range(x.shape[2]):
            v = x[b, :, t] - x[b, :, t].mean()
            std = math.sqrt((v * v).mean() + eps)
            slopes = (np.eye(n) - 1 / n - np.outer(v, v) / (n * std * std)) / std
            dx[b, :, t] = slopes @ dout[b, :, t]
    return dx


def every_mean(inside):
    """The edits that write something else into the brackets of all four means."""
    means = ("x.mean", "(xc * xc).mean", "dout.mean", "(dout * norm).mean")
    return tuple(f"{mean}(1, keepdims=True) -> {mean}({inside})" for mean in means)


EXERCISE = Exercise(
    title="Normalisation over another axis",
    points=4,
    minutes=20,
    difficulty=4,
    cases=cases,
    reference=channel_norm_backward,
    teaches=("layers.layernorm_backward",),
    alternatives=(three_paths, jacobian),
    mistakes=(
        mistake(
            "the path through the variance is missing",
            "dx = dx - norm * (dout * norm).mean(1, keepdims=True) ->",
            "Moving one x moves the variance, and with it every output of that column. "
            "An upstream gradient of ones cannot see this.",
        ),
        mistake(
            "the path through the mean is missing",
            "dx = dout - dout.mean(1, keepdims=True) -> dx = dout",
            "Moving one x moves the mean, and with it every output of that column.",
        ),
        mistake(
            "mean and variance taken for constants",
            "return dout * rstd",
            "The mean and the variance are made of x: two more paths lead back to it.",
        ),
        mistake(
            "sums where there should be means",
            ("dout.mean -> dout.sum", "(dout * norm).mean -> (dout * norm).sum"),
            "A mean hands 1/C of its gradient to each entry.",
        ),
        mistake(
            "the means of dout run over the whole array",
            (
                "dout.mean(1, keepdims=True) -> dout.mean()",
                "(dout * norm).mean(1, keepdims=True) -> (dout * norm).mean()",
            ),
            "Each column has a mean of its own: name the axis.",
        ),
        mistake(
            "forgot keepdims",
            every_mean("1"),  # raises an exception unless the shapes happen to fit
            "Without keepdims=True a mean over axis 1 has the shape (B, T): it lines up with the wrong axes.",
        ),
        mistake(
            "the centred x instead of norm",
            "norm * (dout * norm) -> xc * (dout * xc)",
            "Look at the slope of the variance's path: both of its factors are normalised.",
        ),
        mistake(
            "added the path through the variance",
            "dx - norm -> dx + norm",
            "Moving a large x up makes s larger, and that shrinks the outputs: mind the sign.",
        ),
        mistake(
            "the path through the variance twice",
            "dx - norm -> dx - 2 * norm",
            "The square brings a 2, the root a half: what is left?",
        ),
        mistake(
            "the path through the variance without its 1/C",
            "(dout * norm).mean -> (dout * norm).sum",
            "The variance is a mean: each entry has a share of 1/C in it.",
        ),
        mistake(
            "normalised over channels and time",
            every_mean("(1, 2), keepdims=True"),
            "Each moment has a mean of its own: over axis 1 only.",
        ),
        mistake(
            "forgot eps",
            "rstd = 1 / np.sqrt((xc * xc).mean(1, keepdims=True))",
            "eps stands in the forward pass: a column that does not vary would divide by 0.",
        ),
        mistake(
            "forgot the division by the standard deviation",
            "return dx",
            "Forward divides by s: what is the slope of that?",
        ),
        mistake(
            "normalised over the last axis",
            every_mean("2, keepdims=True"),
            "The channels are axis 1 here, the time is axis 2.",
        ),
        mistake(
            "the variance with N - 1",
            "rstd = 1 / np.sqrt(x.var(1, ddof=1, keepdims=True) + eps)",
            "The forward pass divides the sum of squares by C, not by C - 1.",
        ),
        mistake(
            "eps outside the square root",
            "rstd = 1 / (np.sqrt((xc * xc).mean(1, keepdims=True)) + eps)",
            "Look where eps stands in the forward pass: inside the root.",
        ),
        mistake(
            "the root of the variance forgotten",
            "np.sqrt((xc * xc).mean(1, keepdims=True) + eps) -> ((xc * xc).mean(1, keepdims=True) + eps)",
            "The division is by the standard deviation, the root of the variance.",
        ),
        mistake(
            "over batch and time, as batch norm",
            (
                "x.mean(1, keepdims=True) -> x.mean((0, 2), keepdims=True)",
                "(xc * xc).mean(1, keepdims=True) -> (xc * xc).mean((0, 2), keepdims=True)",
                "dout.mean(1, keepdims=True) -> dout.mean((0, 2), keepdims=True)",
                "(dout * norm).mean(1, keepdims=True) -> (dout * norm).mean((0, 2), keepdims=True)",
            ),
            "Each column of C channels is normalised by itself: which axis is that?",
        ),
        mistake(
            "the forward pass instead of the way back",
            "return norm * dout",
            "That is the normalised x. How does each x move all outputs of its column?",
        ),
    ),
    equal=(("xc = x.mean(1, keepdims=True) - x", "the sign comes in twice"),),
    hints=(
        "First compute s and the normalised x again, as the forward pass does: axis 1, keepdims=True.",
        "Multiply the three slopes of step 9 by dout and add up over j: which sums are means?",
        "Two things come off dout: its mean, and norm times the mean of dout * norm. Then divide by s.",
    ),
)
