"""What an exercise is: a reference, inputs to try it on, and the mistakes that its check must recognise.

An exercise is a function of plain data (arrays, numbers, strings, bools, None, and lists, tuples and dicts of
them) to plain data, so that an answer can be run in another process and judged outside.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from fmkit.lab.judging.mistakes import Edits, with_edits


@dataclass(frozen=True)
class Mistake:
    """A known-wrong answer, recognised by what it does.

    Attributes
    ----------
    name : str
        A few plain words, lower case: ``"forgot the 1/N of the mean"``.
    wrong : str, tuple of str or callable
        The line that the learner writes instead of one of the reference, or several (see `mistakes`); or a
        working wrong function, where the mistake is another way of thinking.
    hint : str
        One sentence that helps without giving the answer.
    """

    name: str
    wrong: Edits | Callable
    hint: str


def mistake(name: str, wrong: Edits | Callable, hint: str) -> Mistake:
    """A known mistake, as an exercise's file writes it."""
    return Mistake(name, wrong, hint)


@dataclass(frozen=True)
class Exercise:
    """One exercise with everything that proves its check.

    Attributes
    ----------
    title : str
        A few words for tables.
    reference : callable
        The right answer: what stands between the markers of the notebook's answer cell.
    cases : callable
        ``(rng) -> list of argument tuples``, random, hostile inputs among them.
    alternatives : tuple of callable
        Right answers written differently. The tests prove that the check accepts them.
    mistakes : tuple of Mistake
        The tests prove that the check rejects each and names it.
    hints : tuple of str
        Revealed one at a time, each helping a little more.
    points, minutes, difficulty : int
        Difficulty is 1 to 5.
    tolerance : float
        Relative, for floating results.
    equal : tuple of (str, str)
        Lines with one edit that are as right as the reference's own (or an alternative's), and why: `fmkit
        exercises --mutants` finds them, and asks for a case that tells them apart or for this reason.
    teaches : tuple of str
        Functions of the reference that this exercise is about, ``"activations.softmax"``: an answer writes
        them itself.
    parts : bool
        Whether each returned value that is right gives its share of the points in a course (see
        `judging.parts`).
    attack : callable, optional
        ``(cases, outcomes) -> str``: what the outcomes prove, right or wrong, in a sentence. It sees plain
        data only, like the judge, and never calls the answer.
    allowed : tuple of str
        Modules that an answer may use, beside Python's own library: NumPy, and those of the reference that
        the chapter's notebook imports (set by the loader).
    id, chapter : str
        Set by the place of its file: ``backprop.linear`` lies in ``fmkit/lab/exercises/backprop/linear.py``;
        the chapter, two digits, stands in that folder's ``__init__``. Of a course's own exercise the id is
        its place in the course's folder ``exercises``.
    recorded : tuple
        Where the functions were not handed out: draws of inputs, each with what is `naming.Known` on them.
    """

    title: str
    reference: Callable
    cases: Callable
    alternatives: tuple[Callable, ...]
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, ...]
    points: int
    minutes: int
    difficulty: int
    tolerance: float = 1e-5
    equal: tuple[tuple[str, str], ...] = ()
    teaches: tuple[str, ...] = ()
    parts: bool = False
    attack: Callable | None = field(default=None, compare=False)
    allowed: tuple[str, ...] = ("numpy",)
    id: str = ""
    chapter: str = ""
    recorded: tuple = field(default=(), repr=False, compare=False)

    def wrong(self, mistake: Mistake) -> Callable:
        """The function that makes a mistake."""
        return mistake.wrong if callable(mistake.wrong) else with_edits(self.reference, mistake.wrong)

    def right(self) -> dict[str, Callable]:
        """The alternatives by name: of a function called ``reference_name_loop`` the name is ``loop``."""
        prefix = self.reference.__name__ + "_"
        return {f.__name__.removeprefix(prefix).replace("_", " "): f for f in self.alternatives}


def grade_id(id: str) -> str:
    """The nbgrader id of an exercise's answer cell (its check cell adds ``-check``).

    nbgrader's schema allows no dot, and no exercise's id has a dash: ``"backprop.neuron"`` and
    ``"backprop-neuron"`` name each other.
    """
    return id.replace(".", "-")
