"""What the exercise modules share: the short way to write an exercise, and inputs in float32."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fmkit.lab.judging.exercise import Exercise, Misconception


def make_exercise(
    prefix: str,
    chapter: str,
    id: str,
    title: str,
    worth: tuple[int, int, int],
    cases: Callable,
    answers: Sequence[Callable],
    misconceptions: tuple[Misconception, ...],
    hints: tuple[str, ...],
    tolerance: float = 1e-5,
    **more: Any,
) -> Exercise:
    """An exercise called ``prefix.id``.

    ``worth`` is (points, minutes, difficulty). The first of ``answers`` is the reference; the others, right
    answers written differently, are named by what their function's name adds to the reference's.
    """
    points, minutes, difficulty = worth
    reference, *alternatives = answers
    return Exercise(
        id=f"{prefix}.{id}",
        title=title,
        chapter=chapter,
        points=points,
        minutes=minutes,
        difficulty=difficulty,
        reference=reference,
        cases=cases,
        hints=hints,
        alternatives=tuple(alternatives),
        mistakes=misconceptions,
        tolerance=tolerance,
        **more,
    )


def as_float32(case: tuple) -> tuple:
    """The same case with its float64 arrays, also inside dicts, lists and tuples, in float32."""

    def cast(value):
        if isinstance(value, dict):
            return {name: cast(v) for name, v in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(cast(v) for v in value)
        is_float = isinstance(value, np.ndarray) and value.dtype == np.float64
        return value.astype(np.float32) if is_float else value

    return cast(case)
