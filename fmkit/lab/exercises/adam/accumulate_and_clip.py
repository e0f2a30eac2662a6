"""A large batch in small parts, its gradient clipped once."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake
from fmkit.optimizers import clip_grad_norm


def cases(rng):
    def case(shapes, sizes, share, size=1.0):
        """``share`` is max_norm as a share of the joint norm: below 1 the gradient is clipped."""
        parts = [{name: size * (1 + rng.normal(size=s)) for name, s in shapes.items()} for _ in sizes]
        return parts, sizes, share * accumulate_and_clip(parts, sizes, np.inf)[1]

    still = [{"w": np.zeros((2, 3)), "b": np.zeros(3)} for _ in range(2)], [3, 5], 1.0
    shapes = {"w": (4, 3), "b": (3,)}
    halves = [{"w": np.array([0.0, 4.0])}, {"w": np.array([4.0, 4.0])}]
    parts, sizes, max_norm = case({"w": (3, 6), "b": (6,)}, [4, 1, 2], 1.6)
    return [
        (halves, [1, 3], 1.0),
        case(shapes, [2, 7, 4], float(rng.uniform(0.2, 0.5))),
        case({"emb": (5, 2), "w": (2, 4), "b": (4,)}, [1, 6], float(rng.uniform(0.3, 0.6)), size=4.0),
        case(shapes, [3, 1, 8], float(rng.uniform(1.2, 1.8))),  # short enough as it is
        case({"w": (2, 3)}, [6], 0.5),
        still,
        (halves, [3, 1], 4.25),
        case({"b": (2,), "w": (5, 4)}, [5, 2], 0.7, size=0.01),
        as_float32((parts, np.array(sizes, np.float64), max_norm)),
    ]


def accumulate_and_clip(parts, sizes, max_norm):
    total, grads = sum(sizes), {}
    for name in parts[0]:
        grads[name] = sum(part[name] * (n / total) for part, n in zip(parts, sizes, strict=True))
    squares = sum(float((g * g).sum()) for g in grads.values())
    norm = float(np.sqrt(squares))
    scale = max_norm / norm if norm > max_norm else 1.0
    clipped = {name: g * scale for name, g in grads.items()}
    return clipped, norm


def one_vector(parts, sizes, max_norm):
    weights = np.array(sizes) / np.sum(sizes)
    rows = np.array([np.concatenate([g.ravel() for g in part.values()]) for part in parts])
    whole = weights @ rows.astype(np.float64)
    norm = float(np.linalg.norm(whole))
    whole = whole / max(1.0, norm / max_norm)
    grads, at = {}, 0
    for name, g in parts[0].items():
        grads[name] = whole[at : at + g.size].reshape(g.shape).astype(g.dtype)
        at += g.size
    return grads, norm


def step_by_step(parts, sizes, max_norm):
    grads = {name: np.zeros_like(g) for name, g in parts[0].items()}
    for part, n in zip(parts, sizes, strict=True):
        for name in grads:
            grads[name] = grads[name] + n * part[name]
    grads = {name: g / sum(sizes) for name, g in grads.items()}
    norm = math.hypot(*(float(np.linalg.norm(g)) for g in grads.values()))
    if norm > max_norm:
        grads = {name: g / norm * max_norm for name, g in grads.items()}
    return grads, norm


def with_the_library(parts, sizes, max_norm):
    mean = {
        name: sum(n / sum(sizes) * p[name] for p, n in zip(parts, sizes, strict=True)) for name in parts[0]
    }
    clipped, norm = clip_grad_norm(mean, max_norm)
    return clipped, float(norm)


def clipped_each_part(parts, sizes, max_norm):
    clipped = [accumulate_and_clip([part], [1], max_norm)[0] for part in parts]
    return accumulate_and_clip(clipped, sizes, max_norm)


EXERCISE = Exercise(
    title="A large batch in small parts, clipped",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=accumulate_and_clip,
    alternatives=(one_vector, step_by_step, with_the_library),
    tolerance=1e-4,  # clip_grad_norm adds a millionth to the norm, as torch does
    mistakes=(
        mistake(
            "every part counted alike",
            "n / total -> 1 / len(parts)",
            "A part of 30 examples should count ten times as much as one of 3.",
        ),
        mistake(
            "divided by a norm of zero",
            "scale = min(1.0, max_norm / norm)",
            "A gradient of zeros has norm 0: divide only when norm > max_norm.",
        ),
        mistake(
            "divided by a norm of zero, which gives NaN",
            "scale = min(1.0, np.float64(max_norm) / norm) if norm else np.nan",
            "A gradient of zeros has norm 0: divide only when norm > max_norm.",
        ),
        mistake(
            "added without dividing",
            "(n / total) -> n",
            "The parts hold means: what must the weights of a mean sum to?",
        ),
        mistake(
            "added without weights",
            "(n / total) -> 1",
            "The parts hold means: weight each by its share of the examples.",
        ),
        mistake(
            "divided by the number of parts",
            "n / total -> n / len(parts)",
            "Weighted by sizes, the sum has to be divided by the number of examples.",
        ),
        mistake(
            "divided by sizes, not weighted by them",
            "n / total -> 1 / n",
            "The parts hold means already: a large part should count *more*.",
        ),
        mistake(
            "the sum of the parts over the number of examples",
            "n / total -> 1 / total",
            "The parts hold means: each stands for all of its n examples.",
        ),
        mistake(
            "only the last part is left",
            "grads[name] = parts[-1][name] * (sizes[-1] / total)",
            "= writes over what the parts before have left: add up.",
        ),
        mistake(
            "clipped each part before adding up",
            clipped_each_part,
            "Only the gradient of the whole batch is clipped, once, at the end.",
        ),
        mistake(
            "clipped each array by itself",
            "g * scale -> g * (max_norm / max(float(np.linalg.norm(g)), max_norm))",
            "One factor for all arrays, or the direction of the step changes.",
        ),
        mistake(
            "clipped each number",
            "g * scale -> np.clip(g, -max_norm, max_norm)",
            "Clipping by norm scales all numbers by one factor.",
        ),
        mistake(
            "not clipped",
            "scale = 1.0",
            "Where the joint norm is above max_norm, all arrays are made shorter by one factor.",
        ),
        mistake(
            "made small gradients larger, too",
            "scale = max_norm / norm if norm > 0 else 1.0",
            "max_norm is an upper limit: a shorter gradient stays as it is.",
        ),
        mistake(
            "scaled to max_norm with no condition",
            "scale = max_norm / norm",
            "max_norm is an upper limit: a shorter gradient stays as it is, and one of zeros has no length "
            "to divide by.",
        ),
        mistake(
            "scaled to max_norm with no condition, which gives NaN for zeros",
            "scale = max_norm / norm if norm else np.nan",
            "max_norm is an upper limit: a shorter gradient stays as it is, and one of zeros has no length "
            "to divide by.",
        ),
        mistake(
            "long gradients left, short ones stretched",
            "scale = max_norm / norm if 0 < norm < max_norm else 1.0",
            "It is a norm *above* max_norm that is brought down.",
        ),
        mistake(
            "multiplied by max_norm, not divided by the norm",
            "scale = max_norm if norm > max_norm else 1.0",
            "The clipped gradient's norm should be max_norm: by what must it be divided first?",
        ),
        mistake(
            "divided by the norm, max_norm left out",
            "scale = 1 / norm if norm > max_norm else 1.0",
            "The clipped gradient's norm should be max_norm, not 1.",
        ),
        mistake(
            "added the arrays' norms",
            "norm = sum(float(np.linalg.norm(g)) for g in grads.values())",
            "The joint norm is the root of one sum of squares over all arrays.",
        ),
        mistake(
            "the largest of the arrays' norms",
            "norm = max(float(np.linalg.norm(g)) for g in grads.values())",
            "The joint norm is the root of one sum of squares over all arrays.",
        ),
        mistake(
            "the norm of the first array only",
            "squares = next(float((g * g).sum()) for g in grads.values())",
            "The joint norm is over *all* arrays: is there a return or a break inside the loop?",
        ),
        mistake(
            "the norm of the last array only",
            "squares = [float((g * g).sum()) for g in grads.values()][-1]",
            "The joint norm is over *all* arrays: is = written where += is meant?",
        ),
        mistake(
            "added sizes instead of squares",
            "norm = sum(float(np.abs(g).sum()) for g in grads.values())",
            "Euclidean: the root of the sum of all squares.",
        ),
        mistake(
            "the mean of the squares",
            "squares = float(np.mean(np.concatenate([(g * g).ravel() for g in grads.values()])))",
            "The Euclidean norm is the root of the *sum* of squares.",
        ),
        mistake(
            "the largest number instead of the norm",
            "norm = max(float(np.abs(g).max()) for g in grads.values())",
            "Euclidean: the root of the sum of all squares.",
        ),
        mistake(
            "forgot the root of the sum of squares",
            "norm = squares",
            "A norm has the unit of the gradient, not of its square.",
        ),
        mistake(
            "told the norm after clipping",
            "return clipped, norm * scale",
            "The norm before clipping is the one worth watching: afterwards it is max_norm at most.",
        ),
        mistake("the two in the other order", "return norm, clipped", "First the gradients, then the norm."),
    ),
    equal=(
        ("for name in parts[-1]:", "every part has the same names and shapes"),
        ("scale = max_norm / norm if norm >= max_norm else 1.0", "where both are equal the factor is 1"),
        ("whole = weights.T @ rows.astype(np.float64)", "a vector is its own transpose"),
        ("whole = weights @ rows", "the weights are float64, so the product is"),
        ("whole = whole / max(norm / max_norm, 1.0)", "the larger of two has no order"),
        ("for name, g in parts[-1].items():", "every part has the same names and shapes"),
    ),
    hints=(
        "Each part holds the mean over its own examples: weight it by n / (all examples).",
        "The joint norm is one root over the squares of all numbers in all arrays.",
        "Only when norm > max_norm: multiply every array by max_norm / norm.",
    ),
)
