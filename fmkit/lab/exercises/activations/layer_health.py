"""The health check of a ReLU layer: dead units, units always on, answers that are 0."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, dead, always, mixed, *lead):
        size = np.abs(rng.normal(size=(n, dead + always + mixed))) + 0.1
        sign = np.ones_like(size)
        sign[:, :dead] = -1.0
        sign[0, dead + always :] = -1.0  # off for a single image
        sign[:, dead + always :: 2] *= -1.0  # every other one: on for a single image
        z = sign * size
        z[:, 0] = 0.0  # a unit that gives exactly 0 everywhere
        z = z[rng.permutation(n)][:, rng.permutation(z.shape[1])]
        return (z.reshape(*lead, -1) if lead else z,)

    return [
        case(12, 3, 2, 6),
        case(20, 4, 1, 5, 4, 5),
        as_float32(case(30, 5, 2, 9)),
        case(6, 1, 3, 2, 3, 2),
    ]


def layer_health(z):
    rows = z.reshape(-1, z.shape[-1])  # a row for each input, a column for each unit
    on = rows > 0
    dead, always = ~on.any(0), on.all(0)
    return dead.mean(), always.mean(), 1 - on.mean()


def by_extremes(z):
    lead = tuple(range(z.ndim - 1))
    return np.mean(z.max(lead) <= 0), np.mean(z.min(lead) > 0), np.mean(z <= 0)


def counted(z):
    rows = [row for row in z.reshape(-1, z.shape[-1])]
    units = z.shape[-1]
    on = [sum(1 for row in rows if row[h] > 0) for h in range(units)]
    dead, always = on.count(0) / units, on.count(len(rows)) / units
    return dead, always, 1 - sum(on) / (units * len(rows))


EXERCISE = Exercise(
    title="How healthy is a ReLU layer?",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=layer_health,
    alternatives=(by_extremes, counted),
    mistakes=(
        mistake(
            "off answers instead of dead units",
            "return 1 - on.mean(), on.mean(), 1 - on.mean()",
            "A unit that is off for one image may be on for the next: only one that is never on is dead.",
        ),
        mistake(
            "dead when off once",
            "~on.any(0) -> ~on.all(0)",
            "A dead unit is off for every image, not for some image.",
        ),
        mistake(
            "always on taken for not dead",
            "return dead.mean(), 1 - dead.mean(), 1 - on.mean()",
            "Most units are neither: on for some images, off for others.",
        ),
        mistake(
            "rows judged instead of units",
            "dead, always = ~on.any(1), on.all(1)",
            "The units are the last axis: look down a column.",
        ),
        mistake(
            "dead by its average",
            "~on.any(0) -> rows.mean(0) <= 0",
            "A unit with a negative average may still be on for a few images.",
        ),
        mistake(
            "exactly 0 counted as on",
            "on = rows >= 0",
            "ReLU's slope at exactly 0 is 0, so a unit that gives 0 everywhere learns nothing.",
        ),
        mistake(
            "exactly 0 not counted as off",
            ("~on.any(0) -> (rows < 0).all(0)", "1 - on.mean() -> (rows < 0).mean()"),
            "At exactly 0 the answer is 0, and so is its slope: z <= 0.",
        ),
        mistake(
            "judged over the first axis only",
            "on = z > 0",
            "With three axes, look at every position of every sequence.",
        ),
        mistake(
            "counts instead of shares",
            "return dead.sum(), always.sum(), 1 - on.mean()",
            "Divide by the number of units.",
        ),
        mistake(
            "z taken for the output",
            ("~on.any(0) -> (rows == 0).all(0)", "1 - on.mean() -> (rows == 0).mean()"),
            "z is what goes *into* the units: the answer is 0 wherever z is at or below 0.",
        ),
        mistake(
            "the share that is on",
            "return dead.mean(), always.mean(), on.mean()",
            "The third number is the share of answers that are off.",
        ),
    ),
    hints=(
        "z.reshape(-1, z.shape[-1]) has one row for each input and one column for each unit.",
        "on = z > 0; then on.any(0) and on.all(0) tell about each unit, and .mean() makes shares.",
    ),
)
