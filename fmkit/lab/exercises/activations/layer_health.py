"""The health check of a ReLU layer: dead units, units always on, answers that are 0."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def unit(signs, small=0.1, large=1.0):  # what goes into one unit, an input after the other
        return np.array(signs) * rng.uniform(small, large, len(signs))

    def units(n, dead, always, mixed):
        one = np.eye(n)[0]
        found = [unit(-np.ones(n)) for _ in range(dead)] + [unit(np.ones(n)) for _ in range(always)]
        found += [unit(1 - 2 * one), unit(2 * one - 1), unit(1 - one), unit(one)]  # all but one; and 0 there
        found += [
            unit(2 * one - 1) + 3 * n * one,
            unit(1 - 2 * one) - 3 * n * one,
        ]  # an average that misleads
        found += [unit(rng.permutation(np.resize([-1.0, 0.0, 1.0], n))) for _ in range(mixed)]
        return found

    def case(found, *lead):
        z = np.stack(found, -1)
        z = rng.permutation(rng.permuted(z, axis=0), axis=1)  # no unit's place, nor its inputs', tells
        return (z.reshape(*lead, -1) if lead else z,)

    def with_one_row(sign, z):  # an input on which every unit is off, or on
        z[0] = sign * np.maximum(np.abs(z[0]), 0.1)
        return (z,)

    zero = [np.zeros(12)]  # a unit that gives exactly 0 everywhere
    return [
        (np.array([[-1.0, 2.0, 3.0], [0.0, 1.0, -5.0]]),),
        case([unit(np.ones(3)), unit([-1, 0, -1]), unit([1, 0, 1]), unit([-1, 1, -1])]),
        case(units(12, 2, 2, 5) + zero),
        case(units(12, 3, 1, 2) + zero, 3, 4),
        case(units(12, 1, 3, 2), 2, 3, 2),
        with_one_row(-1.0, *case(units(7, 3, 0, 1))),
        with_one_row(1.0, *case(units(7, 0, 3, 1))),
        case([unit([1.0]), unit([-1.0]), unit([0.0]), unit([1.0]), unit([1.0])]),  # one input
        as_float32(case(units(9, 4, 2, 2))),
    ]


def layer_health(z):
    rows = z.reshape(-1, z.shape[-1])  # a row for each input, a column for each unit
    on = rows > 0
    dead = (~on.any(0)).mean()
    always = on.all(0).mean()
    off = (~on).mean()
    return dead, always, off


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
    equal=(("rows = z.reshape(-2, z.shape[-1])", "to reshape any negative number means the rest"),),
    mistakes=(
        mistake(
            "dead when off once",
            "~on.any(0) -> ~on.all(0)",
            "A dead unit is off for every image, not for some image.",
        ),
        mistake(
            "dead when off for most inputs",
            "(~on.any(0)) -> (on.mean(0) < 0.5)",
            "A unit that is on for a single input still learns from that one: it is not dead.",
        ),
        mistake(
            "dead by its average",
            "~on.any(0) -> rows.mean(0) <= 0",
            "A unit with a negative average may still be on for a few images.",
        ),
        mistake(
            "the living units for the dead",
            "~on.any(0) -> on.any(0)",
            "You count the units that are on for some input: the dead ones are the others.",
        ),
        mistake(
            "always on taken for not dead",
            "always = 1 - dead",
            "Most units are neither: on for some images, off for others.",
        ),
        mistake(
            "off answers instead of dead units",
            "dead = 1 - on.mean()",
            "A unit that is off for one image may be on for the next: only one that is never on is dead.",
        ),
        mistake(
            "on answers instead of units that are always on",
            "always = on.mean()",
            "A unit that is on for one image may be off for the next: only one that is on for all counts.",
        ),
        mistake(
            "answers counted instead of units",
            ("dead = 1 - on.mean()", "always = on.mean()"),
            "First judge each unit over all its inputs, then count the units.",
        ),
        mistake(
            "rows judged instead of units",
            ("on.any(0) -> on.any(1)", "on.all(0) -> on.all(1)"),
            "The units are the last axis: look down a column.",
        ),
        mistake(
            "one answer for the whole layer",
            ("on.any(0) -> on.any()", "on.all(0) -> on.all()"),
            "Each unit is judged by itself, over all the inputs: which axis is left?",
        ),
        mistake(
            "a unit that gives exactly 0 not counted as dead",
            "~on.any(0) -> (rows < 0).all(0)",
            "At exactly 0 the answer is 0, and so is its slope: dead means z <= 0 everywhere.",
        ),
        mistake(
            "a unit with an exact 0 counted as always on",
            "on.all(0) -> (rows >= 0).all(0)",
            "At exactly 0 a ReLU is off: always on means z > 0 everywhere.",
        ),
        mistake(
            "answers at exactly 0 not counted",
            "off = (rows < 0).mean()",
            "Where z is exactly 0 the answer is 0 as well: z <= 0.",
        ),
        mistake(
            "exactly 0 counted as on",
            "on = rows >= 0",
            "ReLU's slope at exactly 0 is 0, so a unit that gives 0 everywhere learns nothing.",
        ),
        mistake(
            "exactly 0 not counted as off",
            ("~on.any(0) -> (rows < 0).all(0)", "off = (rows < 0).mean()"),
            "At exactly 0 the answer is 0, and so is its slope: z <= 0.",
        ),
        mistake(
            "judged over the first axis only",
            "z.reshape(-1, z.shape[-1]) -> z.reshape(len(z), -1)",
            "With three axes, look at every position of every sequence.",
        ),
        mistake(
            "judged over the first two axes, however many there are",
            "z.reshape(-1, z.shape[-1]) -> z.reshape(z.shape[0] * z.shape[1], -1)",
            "All axes but the last are inputs, be they one or three.",
        ),
        mistake(
            "reshaped so that the units are mixed up",
            (
                "z.reshape(-1, z.shape[-1]) -> z.reshape(z.shape[-1], -1)",
                "on.any(0) -> on.any(1)",
                "on.all(0) -> on.all(1)",
            ),
            "reshape only cuts the numbers into other rows: the units are still the last axis of z.",
        ),
        mistake(
            "counts instead of shares",
            ("dead = (~on.any(0)).sum()", "always = on.all(0).sum()"),
            "Divide by the number of units.",
        ),
        mistake(
            "all three as counts",
            ("dead = (~on.any(0)).sum()", "always = on.all(0).sum()", "off = (~on).sum()"),
            "Three shares are asked for, between 0 and 1: what do you divide each by?",
        ),
        mistake(
            "units divided by the number of inputs",
            ("dead = (~on.any(0)).sum() / len(rows)", "always = on.all(0).sum() / len(rows)"),
            "A share of the units: divide by how many units there are.",
        ),
        mistake(
            "z taken for the output",
            ("~on.any(0) -> (rows == 0).all(0)", "off = (rows == 0).mean()"),
            "z is what goes *into* the units: the answer is 0 wherever z is at or below 0.",
        ),
        mistake(
            "the share that is on",
            "off = on.mean()",
            "The third number is the share of answers that are off.",
        ),
        mistake(
            "the answers of dead units not counted as 0",
            "off = (~on & on.any(0)).mean()",
            "The third number counts all answers that are 0, those of dead units among them.",
        ),
        mistake(
            "the answers of living units alone",
            "off = (~on[:, on.any(0)]).mean()",
            "The third number is a share of all answers, those of dead units among them.",
        ),
    ),
    hints=(
        "z.reshape(-1, z.shape[-1]) has one row for each input and one column for each unit.",
        "on = z > 0; then on.any(0) and on.all(0) tell about each unit, and .mean() makes shares.",
    ),
)
