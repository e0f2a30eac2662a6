"""The kill table: the proof that, in every exercise, wrong answers are rejected and right ones accepted."""

import sys
from dataclasses import dataclass
from functools import partial

from fmkit.lab import exercises
from fmkit.lab.cards import columns
from fmkit.lab.judging.answer import run_answer
from fmkit.lab.judging.exercise import Exercise
from fmkit.lab.judging.judge import Verdict, judge, known_outcomes, make_cases
from fmkit.lab.judging.mutants import mutants
from fmkit.lab.judging.naming import alike


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


# --- one edit -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Edit:
    """A right answer with one edit in it, tried with some seeds.

    Attributes
    ----------
    exercise, line, words : str
        Id; the edited line; what the edit is like.
    refused : bool
        With one seed at least.
    told : bool
        Whether its card says what it is like.
    equal : str
        Why it is as right as the original, where the exercise says so.
    """

    exercise: str
    line: str
    words: str
    refused: bool
    told: bool = False
    equal: str = ""


def edits_of(
    exercise: Exercise, seeds: tuple[int, ...] = (0, 1, 2), name: bool = False, step: int = 1
) -> list[Edit]:
    """Every edit of the reference and of the first alternative but one variable for another.

    With ``name``, each refused one is judged to the end, which takes some seconds an exercise; ``step`` = 10
    takes each tenth only.
    """
    reasons = dict(exercise.equal)
    prepared = [
        (cases, known_outcomes(exercise, cases)) for cases in (make_cases(exercise, s) for s in seeds)
    ]
    found = []
    for mutant in _different_edits(exercise)[::step]:
        verdict = _first_refusal(exercise, mutant, prepared, name)
        told = bool(verdict and (verdict.misconception or verdict.says))
        line = mutant.edited
        found.append(Edit(exercise.id, line, mutant.words, verdict is not None, told, reasons.get(line, "")))
    return found


def _different_edits(exercise):
    functions = (exercise.reference, *exercise.alternatives[:1])
    every = [mutant for function in functions for mutant in mutants(function) if not mutant.is_vague]
    return list({mutant.source: mutant for mutant in every}.values())


def _first_refusal(exercise, mutant, prepared, name):
    for cases, known in prepared:
        outcomes = run_answer(mutant.fn, cases, 2.0)
        if not all(map(partial(alike, tolerance=exercise.tolerance, strict=True), known.reference, outcomes)):
            verdict = judge(exercise, cases, outcomes, known=known) if name else Verdict("wrong")
            if verdict.status != "ok":
                return verdict
    return None


def print_edits(chapter: str | None = None, name: bool = False) -> int:
    """Print, for every exercise, the edits that its check lets pass; with ``name``, the share that is told.

    Returns
    -------
    int
        0 when each that passes has its reason, else 1.
    """
    chapter = chapter.zfill(2) if chapter else None
    every = []
    for exercise in (e for e in exercises.every() if chapter in (None, e.chapter)):
        found = edits_of(exercise, name=name)
        every += found
        for edit in (e for e in found if not e.refused and not e.equal):
            print(f"{exercise.id}: passes, as if {edit.words}\n    {edit.line}")
    refused = [edit for edit in every if edit.refused]
    passed = [edit for edit in every if not edit.refused]
    without = [edit for edit in passed if not edit.equal]
    told = f", {sum(edit.told for edit in refused)} of these told" if name else ""
    print(
        f"{len(every)} answers with one edit: {len(refused)} refused{told}; {len(passed)} pass, "
        f"{len(passed) - len(without)} of them equal for a reason, {len(without)} without one"
    )
    return 1 if without else 0


# --- the table ----------------------------------------------------------------------------------------------


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
