"""What an exercise is: a reference, inputs to try it on, and the mistakes that its check must recognise.

An exercise is a function of plain data (arrays, numbers, strings, bools, None, and lists, tuples and dicts of
them) to plain data, so that an answer can be run in another process and judged outside.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Misconception:
    """A known-wrong answer: a working wrong function, recognised by what it does.

    Attributes
    ----------
    name : str
        A few plain words, lower case: ``"forgot the 1/N of the mean"``.
    wrong : callable
        The wrong function, with the parameters of the exercise's reference.
    hint : str
        One sentence that helps without giving the answer.
    """

    name: str
    wrong: Callable
    hint: str


@dataclass(frozen=True)
class Exercise:
    """One exercise with everything that proves its check.

    Attributes
    ----------
    id : str
        Module and function: ``"backprop.linear_backward"`` lives in ``fmkit/lab/exercises/backprop.py``.
    title : str
        A few words for tables.
    chapter : str
        Two digits: ``"04"``.
    points, minutes, difficulty : int
        Difficulty is 1 to 5.
    reference : callable
        The right answer.
    cases : callable
        ``(rng) -> list of argument tuples``, random, hostile inputs among them.
    hints : tuple of str
        Revealed one at a time, each helping a little more.
    alternatives : dict of str to callable
        Right answers written differently, by name. The tests prove that the check accepts them.
    misconceptions : tuple of Misconception
        Wrong answers. The tests prove that the check rejects each and names it.
    tolerance : float
        Relative, for floating results.
    allowed : tuple of str
        Modules that an answer may use, beside Python's own library.
    """

    id: str
    title: str
    chapter: str
    points: int
    minutes: int
    difficulty: int
    reference: Callable
    cases: Callable
    hints: tuple[str, ...]
    alternatives: dict[str, Callable]
    misconceptions: tuple[Misconception, ...]
    tolerance: float = 1e-5
    allowed: tuple[str, ...] = ("numpy",)


def grade_id(id: str) -> str:
    """The nbgrader id of an exercise's answer cell (its check cell adds ``-check``).

    nbgrader's schema allows no dot, and no exercise's id has a dash: ``"backprop.neuron"`` and
    ``"backprop-neuron"`` name each other.
    """
    return id.replace(".", "-")
