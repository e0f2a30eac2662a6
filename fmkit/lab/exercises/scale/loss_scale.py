"""One step of mixed precision: unscale, look, clip, and find the next scale."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(scale, good, patience, max_norm, size=5, spread=1.0):
        return rng.normal(0, spread, size) * scale, scale, good, patience, max_norm

    def broken(value, scale=1024.0, good=3):
        grad = rng.normal(size=6) * scale
        grad[int(rng.integers(6))] = value
        return grad, scale, good, 10, 1.0

    return [
        (np.array([6.0, 8.0]), 2.0, 0, 100, 1.0),
        (np.array([6.0, np.inf]), 2.0, 7, 100, 1.0),
        (np.array([6.0, 8.0]), 4.0, 99, 100, 10.0),  # the hundredth: the scale grows; short enough
        (np.array([0.0, 0.0, 0.0]), 8.0, 1, 3, 1.0),
        (np.array([1.0, -2.0]), 8.0, 1, 3, 0.125),  # shorter than 1, and too long
        broken(-np.inf),
        broken(np.nan),
        broken(np.inf, 1.0, 9),  # would have been the last of the good ones
        case(65536.0, 5, 7, 1.0),  # one before
        case(65536.0, 6, 7, 0.5),
        case(0.5, 0, 1, 100.0),  # a patience of one; below 1
        case(2.0**20, 12, 2000, 0.01, 9),
        as_float32(case(4096.0, 3, 4, 1.0)),
        as_float32(case(256.0, 3, 9, 50.0)),
    ]


def loss_scale(grad, scale, good, patience, max_norm):
    if not np.isfinite(grad).all():
        step, scale, good = np.zeros_like(grad), scale / 2, 0  # no step
    else:
        step, good = grad / scale, good + 1
        norm = float(np.sqrt((step * step).sum()))
        if norm > max_norm:
            step = step * (max_norm / norm)
        if good == patience:
            scale, good = scale * 2, 0
    return step, scale, good


def one_return(grad, scale, good, patience, max_norm):
    fine = bool(np.all(np.abs(grad) < np.inf))
    grown = fine and good + 1 == patience
    out = np.where(fine, grad, 0) / scale
    out = out * min(1.0, max_norm / max(float(np.linalg.norm(out)), 1e-300))
    return out, scale * (2 if grown else 1 if fine else 0.5), good + 1 if fine and not grown else 0


def clip_scaled(grad, scale, good, patience, max_norm):
    total = float(np.sum(grad.astype(np.float64)))
    if total - total != 0:  # inf and NaN are left over in a sum
        return np.zeros_like(grad), 0.5 * scale, 0
    norm = float(np.linalg.norm(grad))
    step = grad / scale if norm <= max_norm * scale else grad * (max_norm / norm)
    return (step, 2 * scale, 0) if good == patience - 1 else (step, scale, good + 1)


BAD = "step, scale, good = np.zeros_like(grad), scale / 2, 0"
UNSCALED = "step, good = grad / scale, good + 1"

EXERCISE = Exercise(
    title="Sixteen bits and a scale",
    points=3,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=loss_scale,
    alternatives=(one_return, clip_scaled),
    equal=(
        (
            "if norm >= max_norm:",
            "at the border the factor is 1",
        ),
        (
            "if good >= patience:",
            "good never comes above patience - 1",
        ),
        (
            "out = out * min(max_norm / max(float(np.linalg.norm(out)), 1e-300), 1.0)",
            "the smaller of two, either way",
        ),
        (
            "out = out * min(1.0, max_norm / max(1e-300, float(np.linalg.norm(out))))",
            "the larger of two, either way",
        ),
        (
            "grown = fine and good + 1 >= patience",
            "good never comes above patience - 1",
        ),
    ),
    teaches=("parallel.next_scale", "parallel.through_float16", "optimizers.clip_grad_norm"),
    parts=True,
    mistakes=(
        mistake(
            "takes the step, with infinity in it",
            f"{BAD} -> step, scale, good = grad / scale, scale / 2, 0",
            "One infinite entry would spoil every weight: make no step.",
        ),
        mistake(
            "infinities as large numbers",
            f"{BAD} -> step, scale, good = np.nan_to_num(grad / scale), scale / 2, 0",
            "The other entries are not to be trusted either: make no step.",
        ),
        mistake(
            "only infinity is looked for, not NaN",
            "not np.isfinite(grad).all() -> np.isinf(grad).any()",
            "inf - inf is NaN: that is an overflow, too.",
        ),
        mistake(
            "only NaN is looked for, not infinity",
            "not np.isfinite(grad).all() -> np.isnan(grad).any()",
            "In float16 what is too large becomes infinite.",
        ),
        mistake(
            "clipped before it is unscaled",
            (
                f"{UNSCALED} -> step, good, given = grad * 1.0, good + 1, scale",
                "if good == patience: -> step = step / given\nif good == patience:",
            ),
            "max_norm is meant for the gradient itself: divide by the scale first.",
        ),
        mistake(
            "never unscaled",
            f"{UNSCALED} -> step, good = grad * 1.0, good + 1",
            "The loss was multiplied, so the gradient is: divide it.",
        ),
        mistake(
            "multiplied by the scale once more",
            f"{UNSCALED} -> step, good = grad * scale, good + 1",
            "The loss was multiplied, so the gradient is: divide it.",
        ),
        mistake(
            "unscaled by the next scale",
            "scale, good = scale * 2, 0 -> step, scale, good = step / 2, scale * 2, 0",
            "This gradient was made with the scale as it was.",
        ),
        mistake(
            "never clipped",
            "if norm > max_norm: -> if norm < 0:",
            "A gradient longer than max_norm is shortened to it.",
        ),
        mistake(
            "short gradients made longer",
            "if norm > max_norm: -> if norm > 0:",
            "Only what is too long is shortened.",
        ),
        mistake(
            "each entry clipped",
            "step = step * (max_norm / norm) -> step = np.clip(step, -max_norm, max_norm)",
            "All entries shrink by one factor: the direction stays.",
        ),
        mistake(
            "shortened to length 1",
            "step = step * (max_norm / norm) -> step = step / norm",
            "A gradient that is too long is shortened to max_norm.",
        ),
        mistake(
            "the sum of the sizes for the norm",
            "norm = float(np.abs(step).sum())",
            "The Euclidean norm: the root of the sum of squares.",
        ),
        mistake(
            "the largest entry for the norm",
            "norm = float(np.abs(step).max())",
            "The Euclidean norm: the root of the sum of squares.",
        ),
        mistake(
            "grows after every good step",
            "if good == patience: -> if True:",
            "The scale grows after `patience` good steps in a row.",
        ),
        mistake(
            "grows one step late",
            "if good == patience: -> if good > patience:",
            "This step is a good one, too: count it before you compare.",
        ),
        mistake(
            "never shrinks",
            f"{BAD} -> step, scale, good = np.zeros_like(grad), scale, 0",
            "The same scale would overflow again.",
        ),
        mistake(
            "doubled after an overflow",
            f"{BAD} -> step, scale, good = np.zeros_like(grad), scale * 2, 0",
            "It was too large: halve it.",
        ),
        mistake(
            "not below 1",
            f"{BAD} -> step, scale, good = np.zeros_like(grad), max(scale / 2, 1.0), 0",
            "The task sets no floor.",
        ),
        mistake(
            "goes on counting after an overflow",
            f"{BAD} -> step, scale, good = np.zeros_like(grad), scale / 2, good",
            "Good steps in a row: begin again at 0.",
        ),
        mistake(
            "goes on counting after it has grown",
            "scale, good = scale * 2, 0 -> scale = scale * 2",
            "After the scale has changed, count from 0 again.",
        ),
        mistake(
            "good steps not counted",
            "if good == patience: -> good -= 1\nif good + 1 == patience:",
            "This step was a good one.",
        ),
        mistake(
            "unscaled, and nothing more",
            f"{UNSCALED} -> return grad / scale, scale, good + 1",
            "Then comes the norm, and the question whether the scale may grow.",
        ),
        mistake(
            "unscaled, whatever is in it, and nothing more",
            "if not np.isfinite(grad).all(): -> return grad / scale, scale, good + 1\nif True:",
            "Three things are missing: what is done after an overflow, the norm, and the next scale.",
        ),
    ),
    hints=(
        "np.isfinite is false for infinity and for NaN.",
        "Divide by the scale first, then measure the norm.",
        "Three ends: an overflow (half, count 0), the last good one (twice, count 0), another good one.",
    ),
)
