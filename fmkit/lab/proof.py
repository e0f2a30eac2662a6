"""The kill table: the proof that, in every exercise, wrong answers are rejected and right ones accepted."""

import sys
from dataclasses import dataclass

from fmkit.lab import exercises
from fmkit.lab.cards import columns
from fmkit.lab.judging.answer import run_answer
from fmkit.lab.judging.exercise import Exercise
from fmkit.lab.judging.judge import judge, known_outcomes, make_cases


@dataclass(frozen=True)
class Row:
    """One answer of one exercise, tried with one seed.

    Attributes
    ----------
    exercise, answer : str
        Id of the exercise; name of the mistake, of the alternative, or ``"reference"``.
    is_wrong : bool
        Whether the answer is a known mistake.
    accepted : bool
        Whether the check accepted it.
    named : str
        The mistake that the check named, or empty.
    """

    exercise: str
    answer: str
    is_wrong: bool
    accepted: bool
    named: str = ""

    @property
    def is_proven(self) -> bool:
        """A wrong answer is rejected and named; a right one is accepted."""
        return (not self.accepted and self.named == self.answer) if self.is_wrong else self.accepted


def rows(chapter: str | None = None, seed: int = 0) -> list[Row]:
    """The table's data: every known mistake, the reference and every alternative of each exercise."""
    return [row for e in exercises.every() if chapter in (None, e.chapter) for row in exercise_rows(e, seed)]


def exercise_rows(exercise: Exercise, seed: int = 0) -> list[Row]:
    """The rows of one exercise."""
    cases = make_cases(exercise, seed)
    known = known_outcomes(exercise, cases)
    wrong = [(m.name, o, True) for m, o in zip(exercise.mistakes, known.mistakes, strict=True)]
    right = [(name, run_answer(fn, cases), False) for name, fn in exercise.right().items()]
    found = []
    for name, outcomes, is_wrong in [*wrong, ("reference", known.reference, False), *right]:
        verdict = judge(exercise, cases, outcomes, known=known)
        found.append(Row(exercise.id, name, is_wrong, verdict.status == "ok", verdict.misconception))
    return found


def print_table(chapter: str | None = None) -> int:
    """Print the kill table, of one chapter (``"04"``) or of all.

    Returns
    -------
    int
        0 when every row is proven, 1 when one is not, 2 when the chapter has no exercises.
    """
    chapter = chapter.zfill(2) if chapter else None
    found = rows(chapter)
    if not found:
        print(f"there are no exercises{f' in chapter {chapter}' if chapter else ''}", file=sys.stderr)
        return 2
    for id in dict.fromkeys(row.exercise for row in found):
        print("\n".join(_exercise_lines(id, [row for row in found if row.exercise == id])))
        print()
    print(summary(found))
    return 0 if all(row.is_proven for row in found) else 1


def _exercise_lines(id, found) -> list[str]:
    wrong = [row for row in found if row.is_wrong]
    right = [row for row in found if not row.is_wrong]
    table = [(r.answer, "no" if r.accepted else "yes", _named_as(r)) for r in wrong]
    lines = columns(("known mistake", "rejected", "named"), tuple(table))
    accepted = sum(row.accepted for row in right)
    rejected = [row.answer for row in right if not row.accepted]
    tail = f"; REJECTED: {', '.join(rejected)}" if rejected else ""
    return [id, *lines, f"  right answers accepted: {accepted} of {len(right)}{tail}"]


def _named_as(row) -> str:
    return "yes" if row.named == row.answer else f"as {row.named!r}" if row.named else "no"


def summary(found: list[Row]) -> str:
    """One line: how many mistakes are rejected and named, how many right answers accepted."""
    wrong = [row for row in found if row.is_wrong]
    right = [row for row in found if not row.is_wrong]
    return (
        f"{len({row.exercise for row in found})} exercises; of {len(wrong)} known mistakes "
        f"{sum(not row.accepted for row in wrong)} rejected, {sum(row.is_proven for row in wrong)} named; "
        f"of {len(right)} right answers {sum(row.accepted for row in right)} accepted"
    )
