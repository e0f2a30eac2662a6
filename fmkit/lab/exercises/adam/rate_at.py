"""A schedule without a horizon, and its end."""

import math

import numpy as np

from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(warmup, cooldown, total):
        return np.arange(total + 3), float(rng.uniform(0.01, 2.0)), warmup, cooldown, total

    some = rng.permutation(400)[:30]
    return [
        (np.array([0, 3, 15]), 1.0, 4, 10, 20),
        case(5, 8, 40),
        case(1, 3, 12),
        case(7, 20, 21),
        (some, 3e-3, 60, 100, 380),
        case(4, 1, 15),
        (np.array([9, 12, 2, 10, 6]), 0.5, 3, 4, 10),
    ]


def rate_at(steps, peak, warmup, cooldown, total):
    s = steps + 1
    rise = s / warmup
    fall = np.sqrt(warmup / s)
    left = np.clip((total - steps) / cooldown, 0, 1)
    return peak * np.minimum(rise, fall) * left


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
            "rise = steps / warmup",
            "Step 0 is a step as well: with a rate of 0 its batch would be wasted.",
        ),
        mistake("s without the + 1", "s = steps", "s = step + 1: the first step has s = 1, not 0."),
        mistake(
            "cut to whole numbers",
            "return peak * np.minimum(rise, fall) * left -> out = np.zeros_like(steps)\nout[:] = peak * "
            "np.minimum(rise, fall) * left\nreturn out",
            "np.zeros_like(steps) makes an array of whole numbers, and each rate stored in it is cut. Ask "
            "for dtype=float.",
        ),
        mistake(
            "a factor above 1 before the cool-down",
            "left = np.maximum((total - steps) / cooldown, 0)",
            "The cool-down factor is clipped on both sides: long before the end it is 1.",
        ),
        mistake(
            "1 / s instead of its root",
            "fall = warmup / s",
            "After four times as many steps the rate should be half, not a quarter.",
        ),
        mistake(
            "the root over both branches",
            "rise = np.sqrt(s / warmup)",
            "The rise is a straight line: the root belongs to the fall alone.",
        ),
        mistake(
            "the root of warmup left out",
            "fall = 1 / np.sqrt(s)",
            "At s = warmup both branches should give peak: what makes them meet?",
        ),
        mistake(
            "upside down under the root",
            "fall = np.sqrt(s / warmup)",
            "The fall gets smaller as s grows: warmup over s.",
        ),
        mistake(
            "whole-number division",
            "rise = s // warmup",
            "// rounds down: the rate would be 0 until the warm-up is over.",
        ),
        mistake(
            "whole-number division in the cool-down",
            "left = np.clip((total - steps) // cooldown, 0, 1)",
            "// rounds down: the cool-down would be a cliff.",
        ),
        mistake(
            "the larger of the two",
            "return peak * np.maximum(rise, fall) * left",
            "At the beginning the root branch is huge: which of the two should win there?",
        ),
        mistake(
            "a product of the two",
            "return peak * rise * fall * left",
            "Only one of the two holds at a time: the smaller one.",
        ),
        mistake(
            "peak left out",
            "return np.minimum(rise, fall) * left",
            "The schedule is a shape from 0 to 1; peak is its height.",
        ),
        mistake(
            "peak inside the clip",
            (
                "left = np.clip(peak * (total - steps) / cooldown, 0, 1)",
                "return np.minimum(rise, fall) * left",
            ),
            "The clip is for the factor from 1 to 0 alone: peak multiplies what comes out.",
        ),
        mistake(
            "the decay counted from the end of the warm-up",
            "fall = np.where(s <= warmup, 1, 1 / np.sqrt(np.maximum(s - warmup, 1)))",
            "s goes on counting from the first step, in both branches.",
        ),
        mistake(
            "no decay: constant after the warm-up",
            "fall = 1",
            "After the warm-up the rate falls like the root of warmup / s.",
        ),
        mistake(
            "no warm-up",
            "return peak * fall * left",
            "The rate rises first: the smaller of the two branches holds.",
        ),
        mistake(
            "no cool-down",
            "return peak * np.minimum(rise, fall) * left -> return peak * np.minimum(rise, fall)",
            "During the last `cooldown` steps the rate falls in a straight line, on top of the root.",
        ),
        mistake(
            "no cool-down, but 0 after the end",
            "left = np.where(steps < total, 1.0, 0.0)",
            "During the last `cooldown` steps the rate falls in a straight line, on top of the root.",
        ),
        mistake(
            "the cool-down replaces the decay",
            "return peak * np.minimum(rise, fall) * left -> return np.where(left < 1, peak * left, peak * "
            "np.minimum(rise, fall))",
            "The cool-down is a further factor: otherwise the rate jumps where it starts.",
        ),
        mistake(
            "the smallest of three instead of a product",
            "return peak * np.minimum(rise, fall) * left -> return peak * np.minimum(np.minimum(rise, "
            "fall), left)",
            "The cool-down is a factor: it multiplies what the rest gives.",
        ),
        mistake(
            "the last step wasted: s in the cool-down",
            "left = np.clip((total - s) / cooldown, 0, 1)",
            "In the last step, number total - 1, one step is left, not none.",
        ),
        mistake(
            "the brackets of total - steps left out",
            "left = np.clip(total - steps / cooldown, 0, 1)",
            "a - b / c divides first: the steps that are left are (total - steps).",
        ),
        mistake(
            "divided by warmup in the cool-down",
            "left = np.clip((total - steps) / warmup, 0, 1)",
            "The last straight line is `cooldown` steps long.",
        ),
        mistake(
            "the cool-down along a cosine",
            "left = 0.5 * (1 - np.cos(np.pi * np.clip((total - steps) / cooldown, 0, 1)))",
            "Here it is a straight line.",
        ),
        mistake(
            "the cool-down turned round",
            "left = np.clip(1 - (total - steps) / cooldown, 0, 1)",
            "It is 1 until the cool-down begins, and 0 at the end.",
        ),
        mistake(
            "negative after the end",
            "left = np.minimum((total - steps) / cooldown, 1)",
            "From step `total` on the rate is 0, not below.",
        ),
    ),
    equal=(
        ("if step >= total - cooldown:", "at the boundary the cooldown is 1"),
        (
            "rate = peak * (step + 1) / warmup if step + 1 <= warmup"
            " else peak * math.sqrt(warmup / (step + 1))",
            "at step + 1 = warmup both formulas give the peak",
        ),
        (
            "rate = peak * (step + 1) / warmup if step * 1 < warmup"
            " else peak * math.sqrt(warmup / (step + 1))",
            "at step + 1 = warmup both formulas give the peak",
        ),
        (
            "rate = peak * (step + 1) / warmup if step < warmup else peak * math.sqrt(warmup / (step + 1))",
            "at step + 1 = warmup both formulas give the peak",
        ),
        ("rate *= max(total - step, 0) / cooldown", "the larger of two has no order"),
        (
            "rate = peak * (step + 1) / warmup if step + 0 < warmup"
            " else peak * math.sqrt(warmup / (step + 1))",
            "at step + 1 = warmup both formulas give the peak",
        ),
    ),
    hints=(
        "With s = steps + 1: the warm-up is s / warmup, the decay sqrt(warmup / s). They meet at s = warmup.",
        "np.minimum of the two is the rising branch before the peak and the falling one after it.",
        "Multiply by (total - steps) / cooldown, clipped to [0, 1].",
    ),
)
