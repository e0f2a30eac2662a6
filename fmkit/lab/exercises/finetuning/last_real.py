"""The last real step of each text, wherever the padding stands."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.exercises.finetuning._inputs import padded_mask
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(B, T, H):
        return rng.normal(size=(B, T, H)), padded_mask(rng, B, T)

    right_padded = case(5, 6, 2)
    right_padded[1][:] = np.arange(6) < np.array([[6], [3], [1], [0], [4]])
    left_padded = case(4, 5, 3)
    left_padded[1][:] = np.arange(5) >= np.array([[0], [2], [4], [5]])
    full = case(3, 4, 2)
    full[1][:] = 1
    return [right_padded, left_padded, case(6, 7, 4), full, case(1, 5, 3), as_float32(case(5, 8, 2))]


def last_real(h, mask):
    B, T = mask.shape
    last = T - 1 - mask[:, ::-1].argmax(1)  # the first 1 from the right; where there is none, T - 1
    return np.where(mask.any(1)[:, None], h[np.arange(B), last], 0).astype(h.dtype)


def loop(h, mask):
    out = np.zeros((h.shape[0], h.shape[2]), h.dtype)
    for b in range(len(h)):
        for t in range(h.shape[1]):
            if mask[b, t]:
                out[b] = h[b, t]
    return out


def largest_position(h, mask):
    at = (mask * np.arange(1, mask.shape[1] + 1)).max(1)  # 0: no real step
    padded = np.concatenate([np.zeros_like(h[:, :1]), h], axis=1)
    return padded[np.arange(len(h)), at]


EXERCISE = Exercise(
    title="The last real step",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=last_real,
    alternatives=(loop, largest_position),
    mistakes=(
        mistake(
            "the last padded step",
            "last = T - 1",
            "h[:, -1] is the longest text's last step; in the others it is padding.",
        ),
        mistake(
            "counted the real steps",
            "last = mask.sum(1) - 1",
            "The number of ones gives the place only when they begin at 0: here the padding may stand on the "
            "left.",
        ),
        mistake(
            "counted the real steps, and no zeros",
            ("last = mask.sum(1) - 1", "return h[np.arange(B), last]"),
            "The number of ones gives the place only when they begin at 0; and a text without any gets "
            "zeros.",
        ),
        mistake(
            "one step too far",
            "last = np.minimum(T - mask[:, ::-1].argmax(1), T - 1)",
            "Steps are numbered from 0: five of them end at number 4.",
        ),
        mistake(
            "one step too early",
            "last = np.maximum(T - 2 - mask[:, ::-1].argmax(1), 0)",
            "Take a row without padding: its last step is number T - 1.",
        ),
        mistake(
            "the first real step",
            "last = mask.argmax(1)",
            "argmax finds the first 1 from the left: from which side do you look?",
        ),
        mistake(
            "one place for the whole batch",
            "last = T - 1 - mask.any(0)[::-1].argmax()",
            "Every text ends at a step of its own.",
        ),
        mistake(
            "stopped at the first padded step",
            "last = (mask == 0).argmax(1) - 1",
            "Padding may stand on the left, before the text: look for the last 1, not for the first 0.",
        ),
        mistake(
            "the mean of the real steps",
            "return ((h * mask[:, :, None]).sum(1) / np.maximum(mask.sum(1), 1)[:, None]).astype(h.dtype)",
            "One step is wanted as it is, not an average of all.",
        ),
        mistake(
            "the sum of the real steps",
            "return (h * mask[:, :, None]).sum(1).astype(h.dtype)",
            "One step is wanted as it is, not a sum of all.",
        ),
        mistake(
            "zeros where the last step is padded",
            "return (h[:, -1] * mask[:, -1:]).astype(h.dtype)",
            "Masking the last column does not find the last real step.",
        ),
        mistake(
            "h[:, last] for the whole batch",
            "return h[:, last]",
            "h[:, last] takes these steps of every text. Pair each row with its own step: "
            "h[np.arange(B), last].",
        ),
        mistake(
            "an empty text gets a padded step",
            "return h[np.arange(B), last]",
            "A row of the mask may be all zeros: that text gets zeros.",
        ),
        mistake(
            "float64 out of float32",
            "astype(h.dtype) -> astype(np.float64)",
            "np.zeros makes float64 unless you give it a dtype: h.dtype.",
        ),
    ),
    hints=(
        "For one text: which is the largest t with mask[b, t] == 1?",
        "argmax finds the first 1 from the left. In mask[:, ::-1] it finds the last.",
        "h[np.arange(B), last] pairs each text with its own step. Then see to the texts without any.",
    ),
)
