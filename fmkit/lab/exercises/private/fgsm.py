"""FGSM on a picture that has been normalised: eps and the bounds are in units of brightness."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, h, w, c=3, eps=0.05):
        mean, std = rng.uniform(0.3, 0.6, c), rng.uniform(0.1, 0.4, c)
        brightness = rng.uniform(size=(b, h, w, c))
        brightness.reshape(-1)[:2] = 0.0, 1.0  # ink and paper
        brightness[-1, -1, -1] = 0.99
        grad = rng.normal(size=brightness.shape)
        grad.reshape(-1)[:2] = -1.0, 1.0  # both want to leave
        grad[-1, 0, 0] = 0.0  # a pixel that does not matter
        return (brightness - mean) / std, grad, eps, mean, std

    example = (
        np.array([[[[0.0, 2.0]]]]),
        np.array([[[[3.0, 1.0]]]]),
        0.1,
        np.array([0.5, 0.5]),
        np.array([0.25, 0.25]),
    )
    return [
        example,
        case(2, 3, 4),
        case(1, 2, 5, 1, 0.2),
        case(3, 4, 2, 3, 8 / 255),
        case(2, 2, 3, 4, 0.5),
        case(1, 3, 3, 3, 0.0),
        as_float32(case(2, 4, 3)),
    ]


def fgsm(x, grad, eps, mean, std):
    brightness = x * std + mean
    moved = np.clip(brightness + eps * np.sign(grad), 0.0, 1.0)
    return (moved - mean) / std


def bounds(x, grad, eps, mean, std):
    black, white = (0 - mean) / std, (1 - mean) / std
    return np.minimum(np.maximum(x + np.sign(grad) * (eps / std), black), white)


def channels(x, grad, eps, mean, std):
    out = np.empty_like(x)
    for c in range(x.shape[-1]):
        m, s = float(mean[c]), float(std[c])
        step = np.where(grad[..., c] > 0, eps, np.where(grad[..., c] < 0, -eps, 0.0)).astype(x.dtype)
        out[..., c] = ((x[..., c] * s + m + step).clip(0, 1) - m) / s
    return out


MOVED = "moved = np.clip(brightness + eps * np.sign(grad), 0.0, 1.0)"

EXERCISE = Exercise(
    title="FGSM in units of brightness",
    points=2,
    minutes=15,
    difficulty=2,
    tolerance=1e-4,
    cases=cases,
    reference=fgsm,
    alternatives=(bounds, channels),
    teaches=("adversarial.fgsm",),
    mistakes=(
        mistake(
            "eps in normalised units",
            "return np.clip(x + eps * np.sign(grad), (0 - mean) / std, (1 - mean) / std)",
            "eps is a brightness. One unit of x is std of them.",
        ),
        mistake(
            "x taken for a brightness",
            "return np.clip(x + eps * np.sign(grad), 0.0, 1.0)",
            "x is normalised: go back to brightness first, and normalise again at the end.",
        ),
        mistake(
            "no sign",
            "moved = np.clip(brightness + eps * grad, 0.0, 1.0)",
            "Every pixel goes the whole eps, however small its slope: the sign counts.",
        ),
        mistake(
            "a step as long as eps in all",
            "moved = np.clip(brightness + eps * grad / max(np.linalg.norm(grad), 1e-12), 0.0, 1.0)",
            "Each pixel may move by eps: the sign, not the direction of the gradient.",
        ),
        mistake(
            "downhill",
            "moved = np.clip(brightness - eps * np.sign(grad), 0.0, 1.0)",
            "The attack makes the loss larger.",
        ),
        mistake(
            "blacker than black",
            "moved = brightness + eps * np.sign(grad)",
            "A picture has no brightness below 0 or above 1.",
        ),
        mistake(
            "clipped in normalised units",
            ("moved = brightness + eps * np.sign(grad)", "return np.clip((moved - mean) / std, 0.0, 1.0)"),
            "0 and 1 are bounds of the brightness: clip before you normalise.",
        ),
        mistake(
            "not normalised again",
            "return moved",
            "The network wants what it had: normalise again.",
        ),
        mistake(
            "the change alone",
            "return (moved - brightness) / std",
            "Return the changed picture, not the change.",
        ),
        mistake(
            "the mean left out",
            ("brightness = x * std", "return moved / std"),
            "brightness = x * std + mean.",
        ),
        mistake(
            "the sign of x",
            "moved = np.clip(brightness + eps * np.sign(x), 0.0, 1.0)",
            "The sign of the gradient says where the loss grows.",
        ),
        mistake(
            "a pixel that does not matter moves, too",
            "moved = np.clip(brightness + eps * np.where(grad >= 0, 1, -1), 0.0, 1.0)",
            "np.sign is 0 where the slope is 0.",
        ),
    ),
    hints=(
        "x = (brightness - mean) / std: turn that round first.",
        "np.sign(grad) is 1, -1 or 0; the step is eps times that.",
        "np.clip to 0 and 1, then (... - mean) / std again.",
    ),
)
