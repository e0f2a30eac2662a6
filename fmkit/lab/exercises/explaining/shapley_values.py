"""Shapley values from the score of every coalition."""

import itertools
import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n):
        return (rng.normal(size=2**n),)

    lone = (np.array([2.0, 5.0]),)
    needs_both = rng.normal(size=8)
    needs_both[:7] = 1.5  # only all three together say anything
    any_one = np.full(8, 2.0)
    any_one[0] = 0.0  # one part is as good as three
    idle = np.repeat(rng.normal(size=4), 2)  # part 0 never changes anything
    return [
        (np.array([0.0, 1.0, 0.0, 3.0]),),
        lone,
        case(2),
        case(3),
        (needs_both,),
        (any_one,),
        (idle,),
        case(4),
        case(5),
        (case(4)[0] + 10.0,),
        as_float32(case(3)),
    ]


def shapley_values(values):
    n = len(values).bit_length() - 1
    gains = np.zeros(n, values.dtype)
    for k in range(len(values)):
        size = k.bit_count()
        for i in range(n):
            if not k >> i & 1:
                orders = math.factorial(size) * math.factorial(n - size - 1)
                gains[i] += orders / math.factorial(n) * (values[k | 1 << i] - values[k])
    return gains


def orders_one_by_one(values):
    n = int(math.log2(len(values)))
    gains = [0.0] * n
    for order in itertools.permutations(range(n)):
        k = 0
        for i in order:
            gains[i] += float(values[k + 2**i]) - float(values[k])
            k += 2**i
    return (np.array(gains) / math.factorial(n)).astype(values.dtype)


def by_size(values):
    n = len(values).bit_length() - 1
    k = np.arange(len(values))
    there = (k[:, None] >> np.arange(n)) & 1
    size = there.sum(1)
    gains = np.zeros(n)
    for i in range(n):
        without = there[:, i] == 0
        step = values[k[without] + 2**i] - values[without]
        gains[i] = np.mean([step[size[without] == s].mean() for s in range(n)])
    return gains.astype(values.dtype)


EXERCISE = Exercise(
    title="Who earned what?",
    points=3,
    minutes=20,
    difficulty=4,
    cases=cases,
    teaches=("explain.shapley", "explain.shapley_sampled"),
    reference=shapley_values,
    alternatives=(orders_one_by_one, by_size),
    equal=(("for k in range(len(values) - 1):", "nobody is missing from the last coalition"),),
    mistakes=(
        mistake(
            "every coalition counts the same",
            "orders / math.factorial(n) -> 0.5 ** (n - 1)",
            "That is Banzhaf's value. Here every *order* counts the same: small and large coalitions more.",
        ),
        mistake(
            "only the last place in the order",
            "orders / math.factorial(n) -> (size == n - 1)",
            "That is occlusion: a part may also come first, or in the middle.",
        ),
        mistake(
            "only the first place in the order",
            "orders / math.factorial(n) -> (size == 0)",
            "A part may also come last, or in the middle.",
        ),
        mistake(
            "(n - size)! for (n - size - 1)!",
            "n - size - 1 -> n - size",
            "Part i itself is neither before nor behind: how many are left to come after it?",
        ),
        mistake(
            "(size + 1)! for size!",
            "math.factorial(size) -> math.factorial(size + 1)",
            "In how many orders can those come that are there already? Part i is not one of them.",
        ),
        mistake(
            "forgot the orders of those that come later",
            "orders = math.factorial(size)",
            "Those that come after part i may come in any order, too.",
        ),
        mistake(
            "forgot the orders of those that came before",
            "orders = math.factorial(n - size - 1)",
            "Those that came before part i may have come in any order, too.",
        ),
        mistake(
            "1 / n for each coalition",
            "orders / math.factorial(n) -> 1 / n",
            "All coalitions of one size share 1/n: how many are there without part i?",
        ),
        mistake(
            "the number of orders, not their share",
            "orders / math.factorial(n) -> orders",
            "It is a mean over all n! orders.",
        ),
        mistake(
            "left out the empty coalition",
            "for k in range(1, len(values)):",
            "A part may come first of all: its gain over nothing counts, too.",
        ),
        mistake(
            "took the score of nothing for 0",
            "values[k]) -> (values[k] if k else 0))",
            "values[0] is the score without any part; it need not be 0.",
        ),
        mistake(
            "read the bits from the other end",
            ("if not k >> (n - 1 - i) & 1:", "k | 1 << i -> k | 1 << (n - 1 - i)"),
            "Part 0 is the lowest bit: coalition 1 is part 0 alone.",
        ),
        mistake(
            "what is lost, with a minus",
            "(values[k | 1 << i] - values[k]) -> (values[k] - values[k | 1 << i])",
            "A part that raises the score has a positive value.",
        ),
        mistake(
            "the score with the part, not what it gains",
            "(values[k | 1 << i] - values[k]) -> values[k | 1 << i]",
            "What was there before does not belong to the part that comes.",
        ),
        mistake(
            "the size of each gain, without its sign",
            "(values[k | 1 << i] - values[k]) -> abs(values[k | 1 << i] - values[k])",
            "A part may help here and harm there: signs stay.",
        ),
        mistake(
            "one order only",
            "orders / math.factorial(n) -> (k == 2**i - 1)",
            "All orders count the same, not only the one in which the parts are numbered.",
        ),
        mistake(
            "the same share for everybody",
            "(values[k | 1 << i] - values[k]) -> (values[-1] - values[0]) / n",
            "Complete, but who earned it? Each part gets its own mean gain.",
        ),
        mistake(
            "counted part i among those before it",
            ("math.factorial(size) -> math.factorial(size + 1)", "n - size - 1 -> max(n - size - 2, 0)"),
            "`size` counts those who are there before part i comes: i itself is not among them.",
        ),
    ),
    hints=(
        "For each coalition k without part i: the gain values[k | 1 << i] - values[k].",
        "In how many of the n! orders do exactly these come before i? size! · (n - size - 1)!.",
        "`k >> i & 1` says whether part i is in coalition k; `k.bit_count()` its size.",
    ),
)
