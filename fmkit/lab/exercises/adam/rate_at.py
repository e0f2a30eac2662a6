"""A schedule without a horizon, and its end."""

import math

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(warmup, cooldown, total):
        return np.arange(total + 3), float(rng.uniform(0.01, 2.0)), warmup, cooldown, total

    some = rng.permutation(400)[:30]
    return [case(5, 8, 40), case(1, 3, 12), case(7, 20, 21), (some, 3e-3, 60, 100, 380), case(4, 1, 15)]


def rate_at(steps, peak, warmup, cooldown, total):
    s = steps + 1
    rates = peak * np.minimum(s / warmup, np.sqrt(warmup / s))
    return rates * np.clip((total - steps) / cooldown, 0, 1)


def loop(steps, peak, warmup, cooldown, total):
    rates = []
    for step in steps.tolist():
        rate = peak * (step + 1) / warmup if step + 1 < warmup else peak * math.sqrt(warmup / (step + 1))
        if step > total - cooldown:
            rate *= max(0, total - step) / cooldown
        rates.append(float(rate))
    return np.array(rates)


def where(steps, peak, warmup, cooldown, total):
    rates = np.where(steps < warmup, (steps + 1) / warmup, (warmup / (steps + 1)) ** 0.5)
    left = np.maximum(total - steps, 0)
    return peak * rates * np.where(left < cooldown, left / cooldown, 1.0)


EXERCISE = Exercise(
    title="A schedule without a horizon, and its end",
    points=2,
    minutes=8,
    difficulty=2,
    cases=cases,
    reference=rate_at,
    alternatives=(loop, where),
    mistakes=(
        mistake(
            "a first step of zero",
            "s / warmup -> steps / warmup",
            "Step 0 is a step as well: with a rate of 0 its batch would be wasted.",
        ),
        mistake(
            "s without the + 1",
            "s = steps",
            "s = step + 1: the first step has s = 1, not 0.",
        ),
        mistake(
            "cut to whole numbers",
            "return rates * np.clip((total - steps) / cooldown, 0, 1) -> out = np.zeros_like(steps)\n"
            "out[:] = rates * np.clip((total - steps) / cooldown, 0, 1)\n"
            "return out",
            "np.zeros_like(steps) makes an array of whole numbers, and each rate stored in it is cut. Ask "
            "for dtype=float.",
        ),
        mistake(
            "a factor above 1 before the cool-down",
            "return rates * np.maximum((total - steps) / cooldown, 0)",
            "The cool-down factor is clipped on both sides: long before the end it is 1.",
        ),
        mistake(
            "1 / s instead of its root",
            "np.sqrt(warmup / s) -> warmup / s",
            "After four times as many steps the rate should be half, not a quarter.",
        ),
        mistake(
            "the decay does not begin at the peak",
            "np.sqrt(warmup / s) -> 1 / np.sqrt(s)",
            "At s = warmup both branches should give peak: what makes them meet?",
        ),
        mistake(
            "whole-number division",
            "s / warmup -> s // warmup",
            "// rounds down: the rate would be 0 until the warm-up is over.",
        ),
        mistake(
            "the larger of the two",
            "np.minimum -> np.maximum",
            "At the beginning the root branch is huge: which of the two should win there?",
        ),
        mistake(
            "the decay counted from the end of the warm-up",
            "rates = peak * np.where(s <= warmup, s / warmup, 1 / np.sqrt(np.maximum(s - warmup, 1)))",
            "s goes on counting from the first step, in both branches.",
        ),
        mistake(
            "no cool-down",
            "return rates",
            "During the last `cooldown` steps the rate falls in a straight line, on top of the root.",
        ),
        mistake(
            "the cool-down replaces the decay",
            "return np.where(steps > total - cooldown, "
            "peak * np.maximum(total - steps, 0) / cooldown, rates)",
            "The cool-down is a further factor: otherwise the rate jumps where it starts.",
        ),
        mistake(
            "the last step wasted",
            "total - steps -> total - 1 - steps",
            "In the last step, number total - 1, one step is left, not none.",
        ),
        mistake(
            "negative after the end",
            "return rates * np.minimum((total - steps) / cooldown, 1)",
            "From step `total` on the rate is 0, not below.",
        ),
    ),
    hints=(
        "With s = steps + 1: the warm-up is s / warmup, the decay sqrt(warmup / s). They meet at s = warmup.",
        "np.minimum of the two is the rising branch before the peak and the falling one after it.",
        "Multiply by (total - steps) / cooldown, clipped to [0, 1].",
    ),
)
