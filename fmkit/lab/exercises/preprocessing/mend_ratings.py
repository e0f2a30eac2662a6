"""Missing and impossible ratings, mended with what the training rows teach."""

import numpy as np

from fmkit.lab.exercises.preprocessing._shared import ALLOWED
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, m, dtype=np.float64):
        train = rng.gamma(2.0, 1.0, n) - 1
        train[rng.permutation(n)[: n // 6]] = np.nan
        train[0] = 30.0
        new = rng.gamma(2.0, 1.5, m) - 2
        new[[0, 1, 2, 3]] = np.nan, 99.0, -99.0, np.nanmedian(train) + 0.1
        return train.astype(dtype), rng.permutation(new).astype(dtype)

    example = np.array([1.0, 2.0, np.nan, 3.0, 4.0]), np.array([np.nan, 99.0, 2.5])
    lone = case(9, 4)
    return [example, case(20, 12), case(31, 7), (lone[0], lone[1][:1]), case(14, 9, np.float32)]


def mend_ratings(train, new):
    low, middle, high = np.nanpercentile(train, [25, 50, 75])
    filled = np.where(np.isnan(new), middle, new)
    reach = 1.5 * (high - low)
    return np.clip(filled, low - reach, high + reach).astype(new.dtype)


def known_only(train, new):
    known = np.sort(train[~np.isnan(train)]).astype(np.float64)
    low, high = np.quantile(known, 0.25), np.quantile(known, 0.75)
    out = new.copy()
    out[np.isnan(out)] = np.median(known)
    out = np.minimum(out, high + 1.5 * (high - low))
    return np.maximum(out, low - 1.5 * (high - low)).astype(new.dtype)


def loop(train, new):
    known = np.array([value for value in train if value == value], dtype=np.float64)
    low, high = np.percentile(known, [25, 75])
    floor, ceiling = 2.5 * low - 1.5 * high, 2.5 * high - 1.5 * low
    out = np.empty_like(new)
    for i, value in enumerate(new):
        out[i] = np.median(known) if np.isnan(value) else min(max(value, floor), ceiling)
    return out


EXERCISE = Exercise(
    title="Missing and impossible ratings",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=mend_ratings,
    alternatives=(known_only, loop),
    allowed=ALLOWED,
    mistakes=(
        mistake(
            "learned from the new rows",
            "low, middle, high = np.percentile(new[~np.isnan(new)], [25, 50, 75])",
            "At prediction time the new rows may be a single one: quartiles come from `train`.",
        ),
        mistake(
            "learned from both together",
            "low, middle, high = np.nanpercentile(np.concatenate([train, new]), [25, 50, 75])",
            "The new rows are the test: nothing may be learned from them.",
        ),
        mistake(
            "NaN poisons the quartiles",
            "low, middle, high = np.percentile(train, [25, 50, 75])",
            "One NaN makes every percentile NaN: np.nanpercentile leaves it out.",
        ),
        mistake(
            "the mean instead of the median",
            "filled = np.where(np.isnan(new), np.nanmean(train), new)",
            "The mean follows the very outliers that you want to tame.",
        ),
        mistake(
            "zero for what is missing",
            "filled = np.nan_to_num(new)",
            "Zero is a rating like any other. Which value is typical of `train`?",
        ),
        mistake(
            "three standard deviations",
            (
                "reach = 3 * np.nanstd(train)\nmean = np.nanmean(train)",
                "return np.clip(filled, mean - reach, mean + reach).astype(new.dtype)",
            ),
            "The fences are counted in quartile distances: Q1 and Q3.",
        ),
        mistake(
            "fences from the median",
            "return np.clip(filled, middle - reach, middle + reach).astype(new.dtype)",
            "The fences start at the quartiles, not at the median.",
        ),
        mistake(
            "cut at the quartiles",
            "return np.clip(filled, low, high).astype(new.dtype)",
            "That moves half of all honest ratings: the fences lie further out.",
        ),
        mistake(
            "outliers became the median",
            (
                "reach = 1.5 * (high - low)\nis_odd = (filled < low - reach) | (filled > high + reach)",
                "return np.where(is_odd, middle, filled).astype(new.dtype)",
            ),
            "An outlier is moved to the nearer fence, so that its side is kept.",
        ),
        mistake(
            "dropped the missing rows",
            "filled = new[~np.isnan(new)]",
            "As many rows must come out as went in: fill them.",
        ),
        mistake("missing values stay", "filled = new", "np.clip lets NaN through: fill first."),
        mistake(
            "moved to the quartile, not to the fence",
            "np.clip(filled, low - reach, high + reach) -> np.where(filled > high + reach, high, "
            "np.where(filled < low - reach, low, filled))",
            "Outliers go to the nearer fence, 1.5 quartile distances beyond the quartile.",
        ),
        mistake(
            "shares given to percentile",
            "[25, 50, 75] -> [0.25, 0.5, 0.75]",
            "np.percentile takes per cent: 25, not 0.25.",
        ),
        mistake(
            "the holes filled before the quartiles are taken",
            "low, middle, high = np.nanpercentile(train, [25, 50, 75]) -> middle = "
            "np.nanmedian(train)\nlow, high = np.percentile(np.where(np.isnan(train), middle, "
            "train), [25, 75])",
            "Quartiles of the known values: filled holes would pull them together.",
        ),
        mistake(
            "the fences from the new rows",
            "low, middle, high = np.nanpercentile(train, [25, 50, 75]) -> middle = "
            "np.nanmedian(train)\nlow, high = np.nanpercentile(new, [25, 75])",
            "What is learned comes from the training rows alone.",
        ),
    ),
    equal=(
        (
            "known = np.sort(train[~np.isnan(train)])",
            "the result is cast at the end, and float32 holds the quartiles well enough",
        ),
    ),
    hints=(
        "np.nanpercentile(train, [25, 50, 75]) gives all three numbers that you need.",
        "First fill, with np.where(np.isnan(new), ...), then np.clip to the two fences.",
    ),
)
