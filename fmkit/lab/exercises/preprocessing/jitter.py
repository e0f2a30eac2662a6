"""Push every picture of a batch its own way, by whole pixels."""

import numpy as np

from fmkit.lab.exercises.preprocessing._shared import ALLOWED
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, h, w, reach, dtype=np.float64):
        images = np.round(rng.uniform(0.1, 1, (b, h, w)), 3).astype(dtype)
        shifts = rng.integers(-reach, reach + 1, (b, 2))
        shifts[0], shifts[-1] = (1, -2), (-1, 1)
        return images, shifts

    far = rng.uniform(0.1, 1, (3, 4, 5)), np.array([[4, 0], [-7, 1], [2, 9]])
    return [case(4, 5, 6, 2), case(2, 3, 4, 1), far, case(3, 6, 4, 3, np.float32)]


def jitter(images, shifts):
    _, height, width = images.shape
    out = np.zeros_like(images)
    for b, r, c in np.ndindex(images.shape):
        down, right = shifts[b]
        old_r, old_c = r - down, c - right  # where this pixel comes from
        if 0 <= old_r < height and 0 <= old_c < width:
            out[b, r, c] = images[b, old_r, old_c]
    return out


def slices(images, shifts):
    out = np.zeros_like(images)
    height, width = images.shape[1:]
    limits = (-height, -width), (height, width)  # further than out of the picture changes nothing
    for image, new, (down, right) in zip(images, out, np.clip(shifts, *limits), strict=True):
        source = image[max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)]
        top, left = max(0, down), max(0, right)
        new[top : top + source.shape[0], left : left + source.shape[1]] = source
    return out


def in_a_wide_frame(images, shifts):
    height, width = images.shape[1:]
    frame = np.pad(images, ((0, 0), (height, height), (width, width)))
    cut = [
        f[height - down : 2 * height - down, width - right : 2 * width - right]
        for f, (down, right) in zip(frame, np.clip(shifts, (-height, -width), (height, width)), strict=True)
    ]
    return np.stack(cut)


EXERCISE = Exercise(
    title="Push every picture its own way",
    points=2,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=jitter,
    alternatives=(slices, in_a_wide_frame),
    allowed=ALLOWED,
    mistakes=(
        mistake(
            "one shift for the whole batch",
            "down, right = shifts[0]",
            "Row b of `shifts` belongs to picture b.",
        ),
        mistake(
            "swapped down and right",
            "down, right = shifts[b] -> right, down = shifts[b]",
            "Axis 1 runs down, axis 2 to the right; so do the two shifts.",
        ),
        mistake(
            "moved the other way",
            "old_r, old_c = r + down, c + right",
            "A shift of (1, 0) moves the ink down: new row 1 shows old row 0.",
        ),
        mistake(
            "what leaves comes back on the other side",
            "old_r, old_c = (r - down) % height, (c - right) % width",
            "np.roll is a ring. Blank what comes in from outside.",
        ),
        mistake(
            "smeared the rim",
            "old_r, old_c = np.clip(r - down, 0, height - 1), np.clip(c - right, 0, width - 1)",
            "What comes in from outside is blank paper, 0, not a copy of the rim.",
        ),
        mistake(
            "negative indices count from the end",
            "if -height <= old_r < height and -width <= old_c < width:",
            "Index -1 is the last row in Python: test for it.",
        ),
        mistake(
            "negative shifts count as 0",
            "down, right = shifts[b] -> down, right = np.maximum(shifts[b], 0)",
            "A negative number pushes up, or left.",
        ),
        mistake(
            "too large a shift wraps",
            "down, right = shifts[b] -> down, right = np.fmod(shifts[b], (height, width))",
            "Who is pushed further than the picture is wide has left it: all is blank.",
        ),
        mistake(
            "only the far border looked at",
            "0 <= old_r < height and 0 <= old_c < width -> old_r < height and old_c < width",
            "A negative place counts from the other end: is the near border looked at, too?",
        ),
        mistake(
            "too large a shift changes nothing",
            "down, right = shifts[b] -> down, right = shifts[b]\nif abs(down) >= height or "
            "abs(right) >= width:\n    down, right = 0, 0",
            "Who is pushed further than the picture is wide has left it: all is blank.",
        ),
    ),
    equal=(
        (
            "for image, new, (down, right) in zip(images, out, shifts, strict=True):",
            "an empty slice takes nothing",
        ),
        (
            "for image, new, (down, right) in zip(images, out, np.clip(*limits, shifts), strict=True):",
            "the larger of two has no order",
        ),
        ("top, left = (max(down, 0), max(0, right))", "the larger of two has no order"),
        ("top, left = (max(0, down), max(right, 0))", "the larger of two has no order"),
        (
            "source = image[max(-down, 0):height - max(0, down), max(0, -right):width - max(0, right)]",
            "the larger of two has no order",
        ),
        (
            "source = image[max(0, -down):height - max(0, down), max(-right, 0):width - max(0, right)]",
            "the larger of two has no order",
        ),
        (
            "source = image[max(0, -down):height - max(down, 0), max(0, -right):width - max(0, right)]",
            "the larger of two has no order",
        ),
        (
            "source = image[max(0, -down):height - max(0, down), max(0, -right):width - max(right, 0)]",
            "the larger of two has no order",
        ),
        (
            "source = image[max(0, -down):height - max(-1, down), max(0, -right):width - max(0, right)]",
            "a slice may end beyond the picture",
        ),
        (
            "source = image[max(0, -down):height - max(0, down), max(0, -right):width - max(-1, right)]",
            "a slice may end beyond the picture",
        ),
    ),
    hints=(
        "Ask backwards: new pixel (r, c) shows old pixel (r - down, c - right).",
        "If that place is outside the old picture, the pixel stays 0.",
    ),
)
