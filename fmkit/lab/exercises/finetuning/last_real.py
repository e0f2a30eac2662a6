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

    def small(H, *mask):  # one thing each, small enough to be read
        return rng.normal(size=(len(mask), len(mask[0]), H)).round(2), np.array(mask)

    both_sides = case(4, 6, 5)
    both_sides[1][:] = [[0, 1, 1, 1, 0, 0], [0, 0, 0, 1, 0, 0], [1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1]]
    return [
        small(2, [0, 1, 1, 0]),
        small(1, [1, 1, 0], [1, 1, 1]),
        small(1, [0, 1, 1], [0, 0, 1]),
        small(2, [1, 0], [0, 0]),  # step 0 alone, and a text without any
        small(3, [1], [0]),
        right_padded,
        left_padded,
        both_sides,
        case(6, 7, 4),
        full,
        case(1, 5, 3),
        as_float32(case(5, 8, 2)),
    ]


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
            "the last step of the batch",
            "return h[:, -1]",
            "h[:, -1] is the last step of the longest text; in the others it may be padding.",
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
            "last = np.clip(T - 2 - mask[:, ::-1].argmax(1), 0, T - 1)",
            "Take a row without padding: its last step is number T - 1.",
        ),
        mistake(
            "the first real step",
            "last = mask.argmax(1)",
            "argmax finds the first 1 from the left: from which side do you look?",
        ),
        mistake(
            "the step before the last real one",
            "last = T - 2 - mask[:, ::-1].argmax(1)",
            "Take a row without padding: its last step is number T - 1.",
        ),
        mistake(
            "the place counted from the right",
            "last = mask[:, ::-1].argmax(1)",
            "In mask[:, ::-1] place 0 is the last step: turn the number back as well.",
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
            "the walk ends at the first padded step",
            ("last = np.cumprod(mask, 1).sum(1) - 1", "mask.any(1)[:, None] -> mask[:, :1] > 0"),
            "Padding may stand before the text: walk on to the end of the row.",
        ),
        mistake(
            "padded on the left or on the right, but not on both sides",
            "last = np.where(mask[:, -1] == 1, T - 1, mask.sum(1) - 1)",
            "[0, 1, 1, 0] is padded on both sides: look for the last 1, wherever it stands.",
        ),
        mistake(
            "the first text's side for all",
            "last = mask.sum(1) - 1 if mask[0, 0] else np.full(B, T - 1)",
            "Each text may be padded on another side.",
        ),
        mistake(
            "step 0 alone taken for no step",
            ("last = (mask * np.arange(T)).max(1)", "mask.any(1) -> (last > 0)"),
            "A last step number 0 is a real one, too: ask the mask whether there is any.",
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
            "an empty text gets step 0",
            "return h[np.arange(B), np.where(mask.any(1), last, 0)]",
            "A row of the mask may be all zeros: that text gets zeros.",
        ),
        mistake(
            "an empty text gets NaN",
            "h[np.arange(B), last], 0) -> h[np.arange(B), last], np.nan)",
            "A text without a real step gets zeros.",
        ),
        mistake(
            "float64 out of float32",
            "astype(h.dtype) -> astype(np.float64)",
            "np.zeros makes float64 unless you give it a dtype, and so do integers times h: h.dtype.",
        ),
    ),
    equal=(
        ("last = T - 1 - mask[:, ::-1].argmax(-1)", "the last axis is axis 1"),
        ("return np.where(mask.any(-1)[:, None], h[np.arange(B), last], 0).astype(h.dtype)", "the same"),
        ("return np.where(mask.any(1)[:, None], h[np.arange(B), last], 0)", "a plain 0 keeps the dtype of h"),
    ),
    hints=(
        "For one text: which is the largest t with mask[b, t] == 1?",
        "argmax finds the first 1 from the left. In mask[:, ::-1] it finds the last.",
        "h[np.arange(B), last] pairs each text with its own step. Then see to the texts without any.",
    ),
)
