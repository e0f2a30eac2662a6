"""Undo a broadcast: add up the copies of something that was stretched."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    shapes = [
        ((2, 3, 4), (4,)),
        ((2, 3, 4), (1, 4)),
        ((3, 2, 5), (2, 1)),
        ((2, 3, 4), (2, 3, 4)),
        ((3, 4), ()),
    ]
    shapes += [((2, 5, 3), (2, 1, 3)), ((4, 2, 2), (1, 1, 1)), ((1, 3), (1, 3)), ((3, 3, 3), (3,))]
    cases = [(rng.normal(size=big), small) for big, small in shapes]
    cases = [(rng.normal(size=(2, 3, 4)), (3, 1)), *cases]
    return [*cases, (rng.normal(size=(3, 4, 2)).astype(np.float32), (4, 1))]


def unbroadcast(dout, shape):
    lead = dout.ndim - len(shape)
    stretched = tuple(lead + i for i, size in enumerate(shape) if size == 1)
    return dout.sum(tuple(range(lead)) + stretched, keepdims=True).reshape(shape)


def step_by_step(dout, shape):
    while dout.ndim > len(shape):
        dout = dout.sum(0)
    for axis, size in enumerate(shape):
        if size == 1:
            dout = dout.sum(axis, keepdims=True)
    return np.array(dout)


def by_index(dout, shape):
    out = np.zeros(shape, dout.dtype)
    for index in np.ndindex(dout.shape):
        tail = index[len(index) - len(shape) :]
        out[tuple(i if size > 1 else 0 for i, size in zip(tail, shape, strict=True))] += dout[index]
    return out


EXERCISE = Exercise(
    title="Undo a broadcast",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=unbroadcast,
    alternatives=(step_by_step, by_index),
    mistakes=(
        mistake(
            "only the leading axes",
            "return dout.sum(tuple(range(lead)))",
            "An axis of size 1 was stretched, too: its copies must be added up as well.",
        ),
        mistake(
            "the axes move while it sums",
            (
                "lead = dout.ndim - len(shape)\nfor axis in range(lead):\n    dout = dout.sum(axis)",
                "lead + i -> i",
                "return dout.sum(stretched, keepdims=True)",
            ),
            "After one sum the other axes move up: the next new axis is axis 0 again.",
        ),
        mistake(
            "keeps the new axes",
            "return dout.sum(tuple(range(lead)) + stretched, keepdims=True)",
            "Axes that the broadcast added must go: only those of `shape` stay.",
        ),
        mistake(
            "drops the axes of size 1",
            "return dout.sum(tuple(range(lead)) + stretched)",
            "The gradient has the shape of what it is the gradient of, axes of size 1 included.",
        ),
        mistake(
            "the mean instead of the sum",
            "dout.sum -> dout.mean",
            "Each copy carries its own share back. Shares of one thing are added, not averaged.",
        ),
        mistake(
            "takes one slice instead of the sum",
            (
                "stretched = tuple(slice(1) if size == 1 else slice(None) for size in shape)",
                "return dout[(0,) * lead + stretched].reshape(shape)",
            ),
            "Every copy carries something back, not only the first.",
        ),
        mistake(
            "sums the trailing axes, not the leading ones",
            "return dout.sum(tuple(range(len(shape), dout.ndim)))",
            "Broadcasting lines shapes up at their right ends: new axes appear on the left.",
        ),
        mistake(
            "sums everything whenever shapes differ",
            "return dout if dout.shape == shape else np.full(shape, dout.sum(), dout.dtype)",
            "Only the axes that were stretched are summed; the others stay as they are.",
        ),
    ),
    equal=(
        (
            "return dout.sum(tuple(range(lead)) + stretched).reshape(shape)",
            "the reshape puts the axes of size 1 back",
        ),
        (
            "return dout.sum(tuple(range(lead)) + stretched, keepdims=False).reshape(shape)",
            "the reshape puts the axes of size 1 back",
        ),
    ),
    hints=(
        "A broadcast does two things: new axes appear on the left, and axes of size 1 are stretched.",
        "First sum away the extra leading axes, as many as dout.ndim - len(shape).",
        "Then, for each axis whose size in `shape` is 1, sum with keepdims=True.",
    ),
)
