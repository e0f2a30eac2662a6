"""A change of the mean, and whether chance makes one as large anywhere."""

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def two_best_alike(series):  # a tie that rounding would decide
        found = np.sort(
            [
                abs(series[:n].mean() - series[n:].mean()) * np.sqrt(n * (len(series) - n))
                for n in range(1, len(series))
            ]
        )
        return found[-1] - found[-2] < 1e-3

    def case(t, draws, jump, at):
        while two_best_alike(series := rng.integers(0, 20, t) + jump * (np.arange(t) >= at)):
            pass
        orders = np.array([rng.permutation(t) for _ in range(draws)])
        return series, orders

    def among(series):
        orders = np.array([rng.permutation(len(series)) for _ in range(9)])
        orders[4] = np.arange(len(series))  # the series itself, by chance
        return series, orders

    example = np.array([1.0, 2.0, 7.0]), np.array([[0, 1, 2], [0, 2, 1], [2, 0, 1]])
    flat = np.full(5, 2.0), np.array([rng.permutation(5) for _ in range(4)])
    down = np.array([9.0, 8.0, 9.0, 1.0, 2.0, 0.0, 2.0]), np.array([rng.permutation(7) for _ in range(19)])
    early = np.array([30.0, 3.0, 1.0, 2.0, 4.0, 2.0]), np.array([rng.permutation(6) for _ in range(19)])
    return [
        example,
        flat,
        down,
        early,
        among(rng.integers(0, 9, 8) + np.array([0.0] * 5 + [30.0] * 3)),
        (np.array([4.0, 1.0]), np.array([[1, 0], [0, 1], [1, 0]])),
        case(12, 39, 0.0, 6),
        case(12, 39, 9.0, 4),
        case(15, 59, 6.0, 11),
        case(10, 29, 4.0, 2),
        case(9, 24, 3.0, 5),
        (case(12, 59, 2.0, 7)[0] / 100, np.array([rng.permutation(12) for _ in range(59)])),
        (case(9, 39, 1.0, 4)[0] / 50, np.array([rng.permutation(9) for _ in range(39)])),
    ]


def shift(series, orders):
    def gains(x):
        n = np.arange(1, len(x))
        total = np.cumsum(x)[:-1]
        before, after = total / n, (x.sum() - total) / (len(x) - n)
        return n * (len(x) - n) / len(x) * (before - after) ** 2

    seen = gains(series)
    place, gain = int(seen.argmax()) + 1, float(seen.max())
    by_chance = np.array([gains(series[order]).max() for order in orders])
    better = int((by_chance >= gain - 1e-9).sum())
    p = (better + 1) / (len(orders) + 1)
    return place, gain, p


def squares(series, orders):
    """How much smaller the squared errors get with two means than with one."""

    def best(x):
        whole = ((x - x.mean()) ** 2).sum()
        found = []
        for i in range(1, len(x)):
            parts = sum(((part - part.mean()) ** 2).sum() for part in (x[:i], x[i:]))
            found.append(float(whole - parts))
        top = max(found)
        return found.index(top) + 1, top

    place, gain = best(series)
    count = 1
    for order in orders:
        count += best(series[order])[1] >= gain - 1e-6
    return place, gain, count / (len(orders) + 1)


def at_once(series, orders):
    rows = np.vstack([series, series[orders]])  # (1 + R, T)
    T = rows.shape[1]
    n = np.arange(1, T)
    left = rows.cumsum(1)[:, :-1] / n
    right = (rows.sum(1, keepdims=True) - rows.cumsum(1)[:, :-1]) / (T - n)
    gain = (left - right) ** 2 / (1 / n + 1 / (T - n))
    top = gain.max(1)
    share = (1 + np.sum(top[1:] >= top[0] - 1e-7)) / len(rows)
    return int(np.argmax(gain[0] > top[0] - 1e-9)) + 1, float(top[0]), float(share)


EXERCISE = Exercise(
    title="A change of the mean",
    points=3,
    minutes=20,
    difficulty=4,
    cases=cases,
    teaches=("monitoring.change_point",),
    reference=shift,
    alternatives=(squares, at_once),
    equal=(
        ("return n * (len(x) - n) / len(x) * (after - before) ** 2", "a square has no sign"),
        (
            "better = int((by_chance > gain - 1e-09).sum())",
            "no two gains lie so near each other unless they are equal",
        ),
        (
            "better = int((by_chance >= gain - 5e-10).sum())",
            "no two gains lie so near each other unless they are equal",
        ),
        (
            "better = int((by_chance >= gain - 2e-09).sum())",
            "no two gains lie so near each other unless they are equal",
        ),
        (
            "for i in range(1, len(x) + 1):",
            "an empty part has the mean NaN, and max passes over a NaN that comes last",
        ),
        ("whole = ((x.mean() - x) ** 2).sum()", "a square has no sign"),
        (
            "parts = sum((((part.mean() - part) ** 2).sum() for part in (x[:i], x[i:])))",
            "a square has no sign",
        ),
        (
            "count += best(series[order])[1] > gain - 1e-06",
            "no two gains lie so near each other unless they are equal",
        ),
        (
            "count += best(series[order])[1] >= gain - 2e-06",
            "no two gains lie so near each other unless they are equal",
        ),
        (
            "count += best(series[order])[1] >= gain - 5e-07",
            "no two gains lie so near each other unless they are equal",
        ),
    ),
    mistakes=(
        mistake(
            "chance may not choose its place",
            "gains(series[order]).max() -> gains(series[order])[place - 1]",
            "You looked for the best place: every shuffled series must be allowed to do so, too.",
        ),
        mistake(
            "a p of 0",
            "(better + 1) / (len(orders) + 1) -> better / len(orders)",
            "The series itself is one of the draws: add 1 above and below.",
        ),
        mistake(
            "the 1 above the line only",
            "(better + 1) / (len(orders) + 1) -> (better + 1) / len(orders)",
            "Add 1 below the line, too.",
        ),
        mistake(
            "as good does not count",
            "by_chance >= gain - 1e-9 -> by_chance > gain + 1e-9",
            "A shuffle that is as good counts.",
        ),
        mistake(
            "how often chance is worse",
            "by_chance >= gain - 1e-9 -> by_chance < gain - 1e-9",
            "p counts the shuffles that are as good or better.",
        ),
        mistake(
            "the place before the change",
            "int(seen.argmax()) + 1 -> int(seen.argmax())",
            "The place is the first period of the new mean.",
        ),
        mistake(
            "difference without weights",
            "n * (len(x) - n) / len(x) * (before - after) ** 2 -> (before - after) ** 2",
            "A mean of one period is worth little: weigh the square by n m / T.",
        ),
        mistake(
            "weights not divided by T",
            "n * (len(x) - n) / len(x) -> n * (len(x) - n)",
            "The weight is n m / T.",
        ),
        mistake(
            "the plain difference for its square",
            "(before - after) ** 2 -> abs(before - after)",
            "The gain is the fall of the squared error: the difference squared.",
        ),
        mistake(
            "only a rise is a change",
            "(before - after) ** 2 -> np.maximum(after - before, 0) ** 2",
            "A fall is a change, too.",
        ),
        mistake(
            "the mean over all places",
            ("gains(series[order]).max() -> gains(series[order]).mean()",),
            "The best place of each shuffle is what yours is held against.",
        ),
        mistake(
            "of equal places the last",
            "int(seen.argmax()) + 1 -> len(seen) - int(seen[::-1].argmax())",
            "Of equal places the first is meant.",
        ),
        mistake(
            "the mean of the rest with the wrong number",
            "(x.sum() - total) / (len(x) - n) -> (x.sum() - total) / n[::-1].max()",
            "After n periods T - n are left.",
        ),
        mistake(
            "the last place not tried",
            "return n * (len(x) - n) / len(x) * (before - after) ** 2 -> "
            "return n * (len(x) - n) / len(x) * (before - after) ** 2 * (n < len(x) - 1)",
            "n goes up to T - 1: the last period alone may be the change.",
        ),
        mistake(
            "the first place not tried",
            "return n * (len(x) - n) / len(x) * (before - after) ** 2 -> "
            "return n * (len(x) - n) / len(x) * (before - after) ** 2 * (n > 1)",
            "n begins with 1: all but the first period may be the change.",
        ),
        mistake(
            "the mean of all for the part after",
            "(x.sum() - total) / (len(x) - n) -> x.mean()",
            "The two parts are compared with each other.",
        ),
        mistake(
            "differences shuffled",
            "gains(series[order]).max() -> gains(np.cumsum(np.diff(series, prepend=0.0)[order])).max()",
            "The periods themselves change places.",
        ),
    ),
    hints=(
        "For each n: the mean of the first n minus that of the rest, squared, times n (T - n) / T.",
        "The place is the n with the largest gain.",
        "Do the same with every shuffled series, and keep the largest gain of each.",
    ),
)
