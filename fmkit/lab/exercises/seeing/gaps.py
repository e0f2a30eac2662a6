"""A convolution whose window has gaps."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(h, w, c_in, i, j, c_out, stride, gap):
        return rng.normal(size=(h, w, c_in)), rng.normal(size=(i, j, c_in, c_out)), stride, gap

    line = np.arange(5.0).reshape(1, 5, 1), np.array([1.0, -1.0]).reshape(1, 2, 1, 1), 1, 2
    return [
        line,
        case(4, 5, 1, 2, 2, 1, 1, 1),
        case(6, 5, 2, 3, 3, 2, 1, 2),
        case(7, 9, 2, 2, 3, 4, 1, 3),
        case(8, 7, 3, 2, 2, 5, 2, 2),
        case(9, 11, 1, 3, 3, 2, 3, 2),  # rows and columns are left over
        case(5, 7, 2, 3, 2, 3, 1, 2),  # the window just fits its height
        case(6, 8, 3, 1, 1, 2, 2, 4),  # a window of one pixel has no gaps
        case(7, 8, 3, 3, 3, 3, 2, 1),
        as_float32(case(8, 6, 2, 2, 3, 3, 1, 2)),
    ]


def conv_with_gaps(x, w, stride, gap):
    i, j = w.shape[:2]
    rows = (x.shape[0] - (i - 1) * gap - 1) // stride + 1
    columns = (x.shape[1] - (j - 1) * gap - 1) // stride + 1
    out = np.zeros((rows, columns, w.shape[3]), x.dtype)
    for a in range(i):
        for b in range(j):
            seen = x[a * gap :, b * gap :][::stride, ::stride]
            out += seen[:rows, :columns] @ w[a, b]
    return out


def windows(x, w, stride, gap):
    i, j = w.shape[:2]
    size = (i - 1) * gap + 1, (j - 1) * gap + 1
    seen = sliding_window_view(x, size, axis=(0, 1))[::stride, ::stride, :, ::gap, ::gap]
    return np.einsum("hvcij,ijco->hvo", seen, w)


def loop(x, w, stride, gap):
    i, j, c_in, c_out = w.shape
    out = []
    for top in range(0, x.shape[0] - (i - 1) * gap, stride):
        out.append([])
        for left in range(0, x.shape[1] - (j - 1) * gap, stride):
            total = np.zeros(c_out, x.dtype)
            for a in range(i):
                for b in range(j):
                    for c in range(c_in):
                        total += x[top + a * gap, left + b * gap, c] * w[a, b, c]
            out[-1].append(total)
    return np.array(out)


def size_without_gaps(x, w, stride, gap):
    i, j = w.shape[:2]
    out = np.zeros(((x.shape[0] - i) // stride + 1, (x.shape[1] - j) // stride + 1, w.shape[3]), x.dtype)
    for r, c in np.ndindex(out.shape[:2]):
        for a, b in np.ndindex(i, j):
            out[r, c] += x[r * stride + a * gap, c * stride + b * gap] @ w[a, b]
    return out


EXERCISE = Exercise(
    title="A window with gaps",
    points=3,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=conv_with_gaps,
    alternatives=(windows, loop),
    teaches=("convolution.conv2d",),
    mistakes=(
        mistake(
            "the weights turned round",
            "@ w[a, b] -> @ w[i - 1 - a, j - 1 - b]",
            "A mathematician's convolution turns the weights round; in deep learning they stay as they are.",
        ),
        mistake(
            "no gaps at all",
            "i, j = w.shape[:2]\ngap = 1",
            "gap does not appear in your result: how far apart do two weights lie on the picture?",
        ),
        mistake(
            "the gap counted as pixels left out between two",
            "i, j = w.shape[:2]\ngap = gap + 1",
            "With gap = 1 neighbours are seen: it is the step from one weight to the next.",
        ),
        mistake(
            "the stride taken before the window",
            (
                "rows = -(-x.shape[0] // stride) - (i - 1) * gap",
                "columns = -(-x.shape[1] // stride) - (j - 1) * gap",
                "seen = x[::stride, ::stride][a * gap :, b * gap :]",
            ),
            "The stride moves the window; inside it, every pixel of the full picture counts.",
        ),
        mistake(
            "the last row and column left out",
            (
                "rows = (x.shape[0] - (i - 1) * gap - 1) // stride",
                "columns = (x.shape[1] - (j - 1) * gap - 1) // stride",
            ),
            "How many windows fit into a picture that is just as large as one?",
        ),
        mistake(
            "the stride downwards only",
            ("columns = x.shape[1] - (j - 1) * gap", "[::stride, ::stride] -> [::stride]"),
            "The window takes the same steps down and to the right.",
        ),
        mistake(
            "the gap downwards only",
            ("columns = (x.shape[1] - j) // stride + 1", "b * gap : -> b :"),
            "The window has gaps between its columns, too.",
        ),
        mistake(
            "the mean of the window, not the sum",
            "return out / (i * j)",
            "A convolution adds up: pixels times weights.",
        ),
        mistake(
            "the channels summed before the weights",
            "out += seen[:rows, :columns].sum(-1, keepdims=True) * w[a, b].sum(0)",
            "Each channel has weights of its own: multiply first, then add.",
        ),
        mistake(
            "only the last place of the window",
            "out += -> out =",
            "Each place of the window has a share: are they added up?",
        ),
        mistake(
            "the window transposed",
            "i, j = w.shape[:2] -> w = w.swapaxes(0, 1)\ni, j = w.shape[:2]",
            "The first axis of w runs down the picture, the second to the right.",
        ),
        mistake(
            "row and column of the window exchanged",
            "@ w[a, b] -> @ w[b, a]",
            "The first index of w goes down the picture, as the first index of x does.",
        ),
        mistake(
            "the whole window moved by the gap, not spread",
            "x[a * gap :, b * gap :] -> x[a + gap :, b + gap :]",
            "The first weight looks at the first pixel; each further one lies a gap further on.",
        ),
        mistake(
            "the stride used inside the window",
            "x[a * gap :, b * gap :] -> x[a * stride :, b * stride :]",
            "stride moves the window, gap spreads its weights: which of the two stands where?",
        ),
        mistake(
            "the window's size without its gaps",
            size_without_gaps,
            "With gaps, i rows of weights span more than i rows: fewer windows fit, yours leads out.",
        ),
        mistake(
            "the window's size without its gaps, and what does not fit",
            (
                "rows = (x.shape[0] - i) // stride + 1",
                "columns = (x.shape[1] - j) // stride + 1",
            ),
            "With gaps, i rows of weights span more than i rows: how many windows fit?",
        ),
        mistake(
            "the window taken for i times the gap",
            (
                "rows = max((x.shape[0] - i * gap) // stride + 1, 0)",
                "columns = max((x.shape[1] - j * gap) // stride + 1, 0)",
            ),
            "Between i rows there are i - 1 gaps, not i: how many rows does a window span whose i is 2?",
        ),
    ),
    hints=(
        "Neighbours in w look at pixels that are gap apart: the window spans (i - 1) * gap + 1 rows.",
        "Go through the places of the window, not of the picture: place (a, b) sees x[a * gap :, b * gap :].",
        "Of that, every stride-th row and column, as many as there are windows; times w[a, b], a matrix.",
    ),
)
