"""One step of the GRU as its paper has it, for a batch with padding."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(B, C, H, mask=None, size=1.0):
        shapes = (B, C), (B, H), (C, 3 * H), (H, 3 * H), (3 * H,)
        mask = rng.permutation(np.arange(B) % 2) if mask is None else np.array(mask)
        return *(size * rng.standard_normal(shape) for shape in shapes), mask

    wh = np.array([[0.0, 0.0, 2.0]])
    example = np.zeros((2, 1)), np.full((2, 1), 0.5), np.zeros((1, 3)), wh, np.zeros(3), np.array([1, 0])
    shut = case(3, 2, 4, [1, 1, 1])
    shut[4][:4] = -30.0  # r is 0: nothing of the old state goes into the candidate
    kept = case(2, 3, 4, [1, 0])
    kept[4][4:8] = 30.0  # z is 1: all stays
    return [
        example,
        case(3, 2, 4, [1, 0, 1]),
        case(4, 5, 2),
        case(1, 3, 2, [1]),
        case(1, 2, 3, [0]),
        case(5, 1, 3, [1, 1, 0, 1, 0]),
        case(2, 4, 1, [1, 1]),
        shut,
        kept,
        case(3, 4, 5, [0, 1, 1], size=3.0),
        as_float32(case(4, 3, 2, [1, 1, 0, 1])),
    ]


def gru_step(x, h, wx, wh, b, mask):
    H = h.shape[1]
    zx = x @ wx + b  # (B, 3H)
    gates = 1 / (1 + np.exp(-(zx[:, : 2 * H] + h @ wh[:, : 2 * H])))
    r, z = gates[:, :H], gates[:, H:]
    n = np.tanh(zx[:, 2 * H :] + (r * h) @ wh[:, 2 * H :])
    new = (1 - z) * n + z * h
    return np.where(mask[:, None] == 1, new, h)


def gate_by_gate(x, h, wx, wh, b, mask):
    wr, wz, wn = np.split(np.vstack([wx, wh]), 3, axis=1)  # (C+H, H) each
    br, bz, bn = np.split(b, 3)

    def sigmoid(v):
        return 0.5 * (1 + np.tanh(0.5 * v))

    both = np.hstack([x, h])
    reset, keep = sigmoid(both @ wr + br), sigmoid(both @ wz + bz)
    candidate = np.tanh(np.hstack([x, reset * h]) @ wn + bn)
    out = h.copy()
    real = mask.astype(bool)
    out[real] = (candidate + keep * (h - candidate))[real]
    return out


def number_by_number(x, h, wx, wh, b, mask):
    B, H = h.shape
    out = np.zeros_like(h)
    for i in range(B):
        if not mask[i]:
            out[i] = h[i]
            continue
        shut = []
        for k in range(2 * H):
            total = b[k] + sum(x[i, c] * wx[c, k] for c in range(x.shape[1]))
            total += sum(h[i, j] * wh[j, k] for j in range(H))
            shut.append(1 / (1 + np.exp(-total)))
        for k in range(H):
            total = b[2 * H + k] + sum(x[i, c] * wx[c, 2 * H + k] for c in range(x.shape[1]))
            total += sum(shut[j] * h[i, j] * wh[j, 2 * H + k] for j in range(H))
            out[i, k] = (1 - shut[H + k]) * np.tanh(total) + shut[H + k] * h[i, k]
    return out


EXERCISE = Exercise(
    title="A step of the paper's GRU",
    points=2,
    minutes=15,
    difficulty=3,
    cases=cases,
    teaches=("translation.gru",),
    reference=gru_step,
    alternatives=(gate_by_gate, number_by_number),
    equal=(
        ("return np.where(mask[:, None] >= 1, new, h)", "a mask holds 0 and 1 only"),
        ("wr, wz, wn = np.split(np.vstack([wx, wh]), 3, axis=-1)", "the last axis of two is axis 1"),
    ),
    mistakes=(
        mistake(
            "r after the product",
            "(r * h) @ wh[:, 2 * H :] -> r * (h @ wh[:, 2 * H :])",
            "That is torch's form. In the paper r scales the state before it goes into the product.",
        ),
        mistake(
            "no reset gate",
            "(r * h) @ wh[:, 2 * H :] -> h @ wh[:, 2 * H :]",
            "The candidate sees r * h, not all of h.",
        ),
        mistake(
            "1 - r for r",
            "(r * h) -> ((1 - r) * h)",
            "r is the share of the old state that goes in: where r is 1, all of it does.",
        ),
        mistake(
            "h itself overwritten by r * h",
            ("r, z = gates[:, :H], gates[:, H:]\nh = r * h", "(r * h) @ wh -> h @ wh"),
            "Only the candidate sees r * h. What z keeps is h itself.",
        ),
        mistake(
            "z from r * h",
            (
                "r, z = gates[:, :H], gates[:, H:]\n"
                "z = 1 / (1 + np.exp(-(zx[:, H : 2 * H] + (r * h) @ wh[:, H : 2 * H])))"
            ),
            "Only the candidate sees r * h. Both gates see h itself.",
        ),
        mistake(
            "r scales the input, too",
            "n = np.tanh(r * zx[:, 2 * H :] + (r * h) @ wh[:, 2 * H :])",
            "r scales the old state only; the input goes into the candidate as it is.",
        ),
        mistake(
            "the old and the new exchanged",
            "(1 - z) * n + z * h -> z * n + (1 - z) * h",
            "Here z says how much of the old state is kept; some papers have it the other way round.",
        ),
        mistake(
            "r and z exchanged",
            "r, z = gates[:, :H], gates[:, H:] -> z, r = gates[:, :H], gates[:, H:]",
            "The columns are r, z, n, in this order.",
        ),
        mistake(
            "the candidate first",
            (
                "gates = 1 / (1 + np.exp(-(zx[:, H:] + h @ wh[:, H:])))",
                "n = np.tanh(zx[:, :H] + (r * h) @ wh[:, :H])",
            ),
            "The columns are r, z, n, in this order.",
        ),
        mistake(
            "the old state in full",
            "(1 - z) * n + z * h -> (1 - z) * n + h",
            "The new state is a mean of two: what the candidate gets, the old one loses.",
        ),
        mistake(
            "the candidate in full",
            "(1 - z) * n + z * h -> n + z * h",
            "The new state is a mean of two: the candidate's share is 1 - z.",
        ),
        mistake(
            "the candidate alone",
            "new = n",
            "Where is z? The new state is a mean of the candidate and of the old state.",
        ),
        mistake(
            "a sigmoid for the candidate",
            "n = 1 / (1 + np.exp(-(zx[:, 2 * H :] + (r * h) @ wh[:, 2 * H :])))",
            "Gates are between 0 and 1; the candidate is a tanh, between -1 and 1.",
        ),
        mistake(
            "no tanh",
            "n = zx[:, 2 * H :] + (r * h) @ wh[:, 2 * H :]",
            "The candidate goes through a tanh: so a state stays between -1 and 1.",
        ),
        mistake(
            "a tanh of the new state, too",
            "new = np.tanh((1 - z) * n + z * h)",
            "An LSTM shows the tanh of its cell; a GRU has no cell, and its new state is the mean itself.",
        ),
        mistake(
            "tanh for the gates",
            "gates = np.tanh(zx[:, : 2 * H] + h @ wh[:, : 2 * H])",
            "A gate is a sigmoid: 0 is shut, 1 is open.",
        ),
        mistake(
            "the sign in the sigmoid",
            "np.exp(-( -> np.exp((",
            "1 / (1 + exp(v)) falls where a sigmoid rises: it is 1 minus the sigmoid.",
        ),
        mistake(
            "no bias",
            "zx = x @ wx + b -> zx = x @ wx",
            "Each gate has its bias, the candidate too.",
        ),
        mistake(
            "no bias in the candidate",
            "n = np.tanh(x @ wx[:, 2 * H :] + (r * h) @ wh[:, 2 * H :])",
            "b has 3H numbers: the last H are the candidate's.",
        ),
        mistake(
            "no bias in the gates",
            "gates = 1 / (1 + np.exp(-(x @ wx[:, : 2 * H] + h @ wh[:, : 2 * H])))",
            "b has 3H numbers: the first 2H are the gates'.",
        ),
        mistake(
            "the bias twice",
            "gates = 1 / (1 + np.exp(-(zx[:, : 2 * H] + h @ wh[:, : 2 * H] + b[: 2 * H])))",
            "One bias for each gate: torch has two.",
        ),
        mistake(
            "the candidate's bias twice",
            "(r * h) @ wh[:, 2 * H :] -> (r * h) @ wh[:, 2 * H :] + b[2 * H :]",
            "One bias for the candidate: torch has two.",
        ),
        mistake(
            "a candidate that does not see the input",
            "n = np.tanh((r * h) @ wh[:, 2 * H :] + b[2 * H :])",
            "The candidate depends on the input, too: W x.",
        ),
        mistake(
            "gates that do not see the state",
            "zx[:, : 2 * H] + h @ wh[:, : 2 * H] -> zx[:, : 2 * H]",
            "Gates depend on the input and on the state.",
        ),
        mistake(
            "padding is read, too",
            "return new",
            "Where the mask is 0 the sentence is over: its state stays.",
        ),
        mistake(
            "padding wipes the state out",
            "return new * mask[:, None].astype(h.dtype)",
            "Where the mask is 0 the state stays as it was; 0 would be a new one.",
        ),
        mistake(
            "the mask upside down",
            "mask[:, None] == 1 -> mask[:, None] == 0",
            "1 is real, 0 is padding.",
        ),
        mistake(
            "rows of padding left out",
            "return new[mask == 1]",
            "A row comes back for every row: in one of padding it is the old state.",
        ),
        mistake(
            "the mask along the columns",
            "mask[:, None] == 1 -> mask == 1",
            "The mask has a number for each row: mask[:, None] makes a column of it.",
        ),
    ),
    hints=(
        "First r and z, for all rows at once: columns 0 to 2H of x @ wx + h @ wh + b, through a sigmoid.",
        "The candidate needs a product of its own: (r * h) @ wh[:, 2 * H :].",
        "np.where(mask[:, None] == 1, new, h) chooses row by row.",
    ),
)
