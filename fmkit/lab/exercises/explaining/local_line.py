"""LIME: the straight line that answers like the model near the whole input."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(s, n, width, ridge=0.1):
        masks = rng.integers(0, 2, (s, n))
        masks[0], masks[1], masks[2] = 1, 0, np.arange(n) % 2  # all parts, none, every second one
        y = masks @ rng.normal(size=n) + 2 * masks.prod(1) + rng.normal(size=s) + 3
        return masks, y, width, ridge

    every = np.array([[1, 1], [1, 0], [0, 1], [0, 0]])
    example = every, np.array([6.0, 4.0, 3.0, 1.0]), 0.5, 0.5
    bend = every, np.array([9.0, 1.0, 0.0, 5.0]), 0.6, 0.2
    far = every + 0, np.array([0.0, 1.0, 1.0, 40.0]), 0.3, 0.1
    return [
        example,
        bend,
        far,
        case(8, 3, 0.5),
        case(12, 4, 0.25),
        case(9, 2, 1.5, 2.0),
        case(20, 5, 0.4, 0.5),
        case(30, 7, 0.3, 0.02),
        case(11, 3, 3.0, 1.0),
        as_float32(case(16, 4, 0.5, 0.3)),
    ]


def local_line(masks, y, width, ridge):
    away = 1 - masks.mean(1)
    weight = np.exp(-((away / width) ** 2))
    design = np.column_stack([masks, np.ones(len(masks))])
    penalty = ridge * np.eye(design.shape[1])
    penalty[-1, -1] = 0
    slopes = design.T @ (weight[:, None] * design) + penalty
    solved = np.linalg.solve(slopes, design.T @ (weight * y))
    return solved[:-1].astype(y.dtype)


def centred(masks, y, width, ridge):
    gone = (masks == 0).mean(axis=1)
    weight = np.exp(-gone * gone / (width * width))
    x = masks - weight @ masks / weight.sum()
    both = (x.T * weight) @ x + ridge * np.identity(masks.shape[1])
    return np.linalg.solve(both, x.T * weight @ y).astype(y.dtype)


def stretched_rows(masks, y, width, ridge):
    n = masks.shape[1]
    root = np.exp(-((1 - masks.sum(axis=1) / n) ** 2) / (2 * width**2))
    rows = np.c_[masks, np.ones(len(masks))] * root[:, None]
    rows = np.r_[rows, np.c_[ridge**0.5 * np.eye(n), np.zeros(n)]]
    wanted = np.r_[root * y, np.zeros(n)]
    return np.linalg.solve(rows.T @ rows, rows.T @ wanted)[:n].astype(y.dtype)


EXERCISE = Exercise(
    title="A straight line, near by",
    points=3,
    minutes=15,
    difficulty=3,
    tolerance=1e-4,
    cases=cases,
    teaches=("explain.lime",),
    reference=local_line,
    alternatives=(centred, stretched_rows),
    equal=(
        ("away = masks.mean(1) - 1", "it is squared afterwards"),
        ("away = 1 - masks.mean(-1)", "of two axes 1 is the last"),
        ("solved = np.linalg.solve(slopes, design.T @ (weight * y).T)", "a vector has one axis only"),
        ("gone = (masks == 0).mean(axis=-1)", "of two axes 1 is the last"),
        ("x = masks - weight.T @ masks / weight.sum()", "a vector has one axis only"),
        ("return np.linalg.solve(both, x.T * weight @ y.T).astype(y.dtype)", "a vector has one axis only"),
    ),
    mistakes=(
        mistake(
            "the width is not used",
            "away / width -> away",
            "`width` says how soon a far answer stops counting; it appears nowhere.",
        ),
        mistake(
            "every answer counts the same, near or far",
            "weight = np.ones(len(masks))",
            "The line should be right near the whole input: far answers count less.",
        ),
        mistake(
            "the distance to no part at all",
            "away = masks.mean(1)",
            "What is near? The input with all its parts is: its distance is 0.",
        ),
        mistake(
            "the number of parts that are gone, not their share",
            "away = (1 - masks).sum(1)",
            "The distance is a share, between 0 and 1.",
        ),
        mistake(
            "the cosine distance, not the share",
            "away = 1 - np.sqrt(masks.mean(1))",
            "Step 7's distance takes a root; here the share of the missing parts is asked for.",
        ),
        mistake(
            "no intercept",
            ("design = masks", "penalty[-1, -1] = 0 -> penalty[-1, -1] += 0", "solved[:-1] -> solved"),
            "Without any part the model may still say something: a column of ones lets it.",
        ),
        mistake(
            "the weights counted twice",
            "weight = np.exp(-((away / width) ** 2)) ** 2",
            "An answer's squared miss is multiplied by its weight once.",
        ),
        mistake(
            "the roots of the weights",
            "weight = np.exp(-((away / width) ** 2) / 2)",
            "The exponent is (distance / width)², with no 2 below it.",
        ),
        mistake(
            "the distance not squared",
            "(away / width) ** 2 -> away / width",
            "The weight falls with the *squared* distance.",
        ),
        mistake(
            "what is far counts most",
            "np.exp(-( -> np.exp((",
            "The weight is largest at distance 0.",
        ),
        mistake(
            "the penalty on the intercept, too",
            "penalty[-1, -1] = 0 -> penalty[-1, -1] += 0",
            "The intercept is what is left without any part: it should cost nothing.",
        ),
        mistake(
            "the penalty is not used",
            "penalty = 0 * np.eye(design.shape[1])",
            "`ridge` keeps the weights small; it appears nowhere.",
        ),
        mistake(
            "the penalty squared",
            "penalty = ridge**2 * np.eye(design.shape[1])",
            "`ridge` multiplies the squared weights as it is.",
        ),
        mistake(
            "weighed one side of the equations only",
            "design.T @ (weight * y) -> design.T @ y",
            "Both sides of the normal equations carry the weights.",
        ),
        mistake(
            "weighed the other side of the equations only",
            "weight[:, None] * design -> design",
            "Both sides of the normal equations carry the weights.",
        ),
        mistake(
            "made the weights sum to 1",
            "weight = np.exp(-((away / width) ** 2)) / np.exp(-((away / width) ** 2)).sum()",
            "Scaled weights make the penalty heavier: leave them as they are.",
        ),
        mistake(
            "cut off the first part instead of the intercept",
            "solved[:-1] -> solved[1:]",
            "Where in your columns does the intercept stand?",
        ),
        mistake(
            "the intercept in the answer",
            "solved[:-1] -> solved",
            "One number for each part is asked for; the intercept is no part.",
        ),
        mistake(
            "the mean with a part less the mean without it",
            "return ((masks * y[:, None]).sum(0) / np.maximum(masks.sum(0), 1) - ((1 - masks) * y[:, None])"
            ".sum(0) / np.maximum((1 - masks).sum(0), 1)).astype(y.dtype)",
            "One line for all parts together, in which a near version counts more than a far one.",
        ),
    ),
    hints=(
        "An answer's distance is the share of its parts that are gone; its weight exp(-(distance / width)²).",
        "Put a column of ones beside the masks; with D that matrix: (DᵀWD + penalty) solved for DᵀWy.",
        "The penalty is `ridge` on the diagonal, with a 0 where the column of ones is.",
    ),
)
