"""`check` and `hint`: what a learner calls in a notebook."""

from typing import Any, NoReturn

from fmkit.errors import ExerciseError
from fmkit.lab import exercises
from fmkit.lab.cards import Card, card, put
from fmkit.lab.judging.judge import Verdict, judge_answer
from fmkit.lab.records import record

SECONDS = 10.0  # for all inputs of one check together


class CheckFailed(AssertionError):
    """The answer is not right yet, or not there. In a notebook its traceback is its one line."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


def check(id: str, answer: Any, seed: int | None = None) -> None:
    """Try an answer on random inputs and say with a card whether it is right.

    Parameters
    ----------
    id : str
        Of the exercise, such as ``"backprop.neuron"``.
    answer : callable
        The function itself, not what it returns.
    seed : int, optional
        Of the inputs. Without it they are others at each call.

    Raises
    ------
    CheckFailed
        When the answer is wrong, or not written yet, or the file with the check is damaged.
    LookupError
        When there is no such exercise, here or in a file beside the notebook.
    """
    exercise = _exercise(id)
    if not callable(answer):
        _fail(exercise, Verdict("wrong", "call", _not_callable(exercise, answer)))
    verdict = judge_answer(exercise, answer, seed, SECONDS)
    if verdict.status == "undone":
        _fail(exercise, verdict)
    note = record(exercise, verdict.status == "ok")
    if verdict.status != "ok":
        _fail(exercise, verdict)
    put(card(exercise, verdict, note))


def _exercise(id):
    try:
        return exercises.here(id)
    except ExerciseError as error:
        raise CheckFailed(str(error)) from None


def _not_callable(exercise, answer) -> str:
    what = "..." if answer is ... else f"an object of type {type(answer).__name__}"
    return f'check needs the function itself, without brackets: check("{exercise.id}", f). It got {what}.'


def _fail(exercise, verdict) -> NoReturn:
    put(card(exercise, verdict))
    reason = "not done yet" if verdict.status == "undone" else "not right yet, see the card above"
    raise CheckFailed(f"{exercise.id}: {reason}")


_revealed: dict[str, int] = {}  # hints shown in this session


def hint(id: str) -> None:
    """Show the next hint of an exercise, with those before it; run the cell again for one more."""
    exercise = _exercise(id)
    count = len(exercise.hints)
    shown = _revealed[id] = min(_revealed.get(id, 0) + 1, count)
    word = f"Hint {shown} of {count}"
    paragraphs = [(str(i + 1), text) for i, text in enumerate(exercise.hints[:shown])]
    paragraphs.append(
        ("", "Run this cell again for the next one." if shown < count else "There are no more.")
    )
    put(Card("hint", word, id, f"{id}: {word.lower()}", tuple(paragraphs)))
