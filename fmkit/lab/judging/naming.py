"""What a wrong answer is like: a known mistake, two of them, one slip, the right one on other arguments.

Every suspect is a function; it is believed when it does, input for input, what the answer did. They are
asked in the order in which their words help: a known mistake on every input; wherever the answer is wrong;
the right answer on changed arguments; two known mistakes at once; one edit; a known mistake and one change
more; each returned value by itself; a known mistake times a factor; and last a known mistake on more than
half of the inputs.
"""

import ast
import functools
import inspect
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fmkit.lab.judging import relations
from fmkit.lab.judging.answer import Outcome, run_answer
from fmkit.lab.judging.as_if import as_if
from fmkit.lab.judging.compare import agree, distance
from fmkit.lab.judging.exercise import Exercise, Mistake
from fmkit.lab.judging.mistakes import EditError, edited, function_of, source_of
from fmkit.lab.judging.mutants import mutants
from fmkit.lab.judging.plain import is_plain, leaves
from fmkit.lab.judging.sketch import Sketch, sketch

# In a part, or with a known mistake, the other changes explain by chance what they have nothing to do with.
OFTEN = (
    "were 1",
    "were 0",
    "the other sign",
    "one larger",
    "one smaller",
    "were exchanged",
    "were not given",
)
SECONDS = 0.3  # for one call of a suspect: an edit may make a loop without end
LONGEST = 10.0  # for a reference or a known mistake on all inputs; an answer has as long
ENDLESS = "does not end on one of the inputs: limit its loop, or leave it out (a check stops such an answer)"


@dataclass(frozen=True)
class Name:
    """What an answer is like.

    Attributes
    ----------
    how : str
        ``"same"`` (a known mistake), ``"part"`` (one on most inputs), ``"two"`` (more than one thing) or
        ``"edit"`` (no known mistake: one slip).
    words : str
    hint : str
        Of the known mistakes in it, or empty.
    known : tuple of str
        Names of the known mistakes in it.
    """

    how: str
    words: str
    hint: str = ""
    known: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """What the reference, each known mistake and each suspect asked so far do on some cases.

    Worth keeping to judge many answers: a suspect runs once on an input, whoever is suspected. ``made`` is
    what `made_by_machine` does, where that was recorded.
    """

    cases: list
    reference: list[Outcome]
    mistakes: list[list[Outcome]]
    suspects: dict[tuple[Callable, int], Outcome] = field(default_factory=dict)
    changed: dict[Callable, tuple] = field(default_factory=dict)
    made: tuple[tuple[Name, Sketch], ...] = ()

    def outcome(self, suspect: Callable, at: int) -> Outcome:
        """What a suspect does on one of the cases."""
        if (suspect, at) not in self.suspects:
            self.suspects[suspect, at] = run_answer(suspect, [self.cases[at]], SECONDS)[0]
        return self.suspects[suspect, at]

    def as_if(self, function: Callable) -> tuple[tuple[str, Callable], ...]:
        """A function on other arguments, see `as_if`."""
        if function not in self.changed:
            self.changed[function] = tuple(as_if(function, self.cases))
        return self.changed[function]


def known_outcomes(exercise: Exercise, cases: list) -> Known:
    """Run the reference and the known mistakes on the cases, each for `LONGEST` seconds at most."""
    wrong = [run_answer(exercise.wrong(mistake), cases, LONGEST) for mistake in exercise.mistakes]
    return Known(cases, run_answer(exercise.reference, cases, LONGEST), wrong)


def made_by_machine(exercise: Exercise, cases: list) -> Iterator[tuple[Name, Callable]]:
    """What a search tries beside the known mistakes, each on every input: the right answer on other
    arguments, two mistakes at once, one edit."""
    for words, fn in as_if(exercise.reference, cases):
        yield Name("edit", f"as if {words}"), fn
    for one, other, fn in _pairs(exercise):
        yield _two(one, other), fn
    for words, fn in _edits(exercise):
        yield Name("edit", f"as if {words}"), fn


def find_name(
    exercise: Exercise, cases: list, outcomes: list[Outcome], known: Known, seconds: float | None = None
) -> Name | None:
    """The first suspect that does what the answer did.

    Parameters
    ----------
    seconds : float, optional
        Time for the search; without it, all suspects are asked.
    """
    return _Search(exercise, cases, outcomes, known, seconds).run()


def find_known(exercise: Exercise, cases: list, outcomes: list[Outcome], known: Known) -> Name | None:
    """The known mistake that does the same as the answer on every input; nothing else is looked for."""
    return _Search(exercise, cases, outcomes, known, None).same()


class _Search:
    def __init__(self, exercise, cases, outcomes, known, seconds):
        self.exercise, self.cases, self.outcomes, self.known = exercise, cases, outcomes, known
        self.tolerance = exercise.tolerance
        self.end = None if seconds is None else time.thread_time() + seconds  # ours alone, on a busy machine
        self.wrong = [
            i
            for i, (right, ours) in enumerate(zip(known.reference, outcomes, strict=True))
            if not alike(right, ours, self.tolerance)
        ]
        # the input that tells most for the least work comes first: a value that is wrong, and small
        self.order = sorted(range(len(cases)), key=self._cost)

    def _cost(self, i):
        is_value = self.outcomes[i].failure is None and self.known.reference[i].failure is None
        size = sum(np.size(leaf) for argument in self.cases[i] for leaf in leaves(argument))
        return (i not in self.wrong, not is_value, size)

    def run(self) -> Name | None:
        if not self.wrong:  # right values in a wrong form: a mistake of the same form, then
            return self.same(forms=(True,))
        if not any(self.outcomes[i].failure is None for i in self.wrong):
            return self.same() or self.raised()
        if self.exercise.recorded:
            looks = (
                self.same,
                self.wherever_it_is_wrong,
                self.as_recorded,
                self.value_by_value,
                self.known_times,
                self.in_part,
            )
            return next(filter(None, (look() for look in looks)), None)
        for look in (
            self.same,
            self.wherever_it_is_wrong,
            self.on_other_arguments,
            self.two_known,
            self.one_edit,
            self.known_and_more,
            self.value_by_value,
            self.known_times,
            self.edit_wherever_it_is_wrong,
            self.in_part,
        ):
            if found := look():
                return found
        return None

    # --- one known mistake ----------------------------------------------------------------------------------

    def same(self, forms: tuple[bool, ...] = (True, False)) -> Name | None:
        """The known mistake that does the same on all inputs: the closest, then the first."""
        found = []
        for order, theirs in enumerate(self.known.mistakes):
            for strict in forms:
                is_like = all_alike(theirs, self.outcomes, self.tolerance, strict)
                if is_like and not all_alike(self.known.reference, theirs, self.tolerance, strict):
                    found.append((not strict, _apart(theirs, self.outcomes), order))
                    break
        return _name("same", self.exercise.mistakes[min(found)[2]]) if found else None

    def wherever_it_is_wrong(self) -> Name | None:
        """The known mistake that the answer is like on every input on which it is not right."""
        best = None
        for mistake, theirs in zip(self.exercise.mistakes, self.known.mistakes, strict=True):
            if not all(alike(theirs[i], self.outcomes[i], self.tolerance) for i in self.wrong):
                continue
            values = [i for i in self.wrong if self.outcomes[i].failure is None]
            missed = self._differs_from_right(theirs) - len(self.wrong)
            if values and missed <= len(values) and (best is None or missed < best[0]):
                best = missed, mistake
        return _name("same", best[1]) if best else None

    def _differs_from_right(self, theirs) -> int:
        pairs = zip(self.known.reference, theirs, strict=True)
        return sum(not alike(right, wrong, self.tolerance) for right, wrong in pairs)

    def in_part(self) -> Name | None:
        """The known mistake that the answer is like on most of its wrong inputs, on three at least."""
        best = None
        for mistake, theirs in zip(self.exercise.mistakes, self.known.mistakes, strict=True):
            like = [i for i in self.wrong if self._is_value_like(theirs, i)]
            if len(like) < 3 or len(like) <= 2 / 3 * len(self.wrong) or self.order[0] not in like:
                continue
            if best is None or len(like) > best[0]:
                best = len(like), mistake
        return _name("part", best[1]) if best else None

    def _is_value_like(self, theirs, i) -> bool:
        is_value = theirs[i].failure is None and self.outcomes[i].failure is None
        return is_value and alike(theirs[i], self.outcomes[i], self.tolerance)

    def as_recorded(self, words: bool = False) -> Name | None:
        """What the machine made, where it was recorded; with ``words`` by its exceptions' messages, too."""
        ours = sketch(self.outcomes)
        return next((name for name, theirs in self.known.made if theirs.is_like(ours, words)), None)

    # --- suspects made by the machine -----------------------------------------------------------------------

    def late(self) -> bool:
        return self.end is not None and time.thread_time() > self.end

    def does(self, fn, only=None, part=None) -> bool:
        """Whether a function does what the answer did, on all inputs or on some; in one returned value."""
        for i in self.order if only is None else [i for i in self.order if i in only]:
            theirs = self.known.outcome(fn, i)
            if part is not None:
                ours, theirs = part(self.outcomes[i]), part(theirs)
                if ours is None or theirs is None:
                    return False
            else:
                ours = self.outcomes[i]
            if not alike(theirs, ours, self.tolerance):
                return False
        return True

    def first(self, suspects, **where) -> tuple | None:
        for suspect in suspects:
            if self.late():
                return None
            if self.does(suspect[-1], **where):
                return suspect
        return None

    def on_other_arguments(self) -> Name | None:
        found = self.first(self.known.as_if(self.exercise.reference))
        return Name("edit", f"as if {found[0]}") if found else None

    def one_edit(self) -> Name | None:
        found = self.first(_edits(self.exercise))
        return Name("edit", f"as if {found[0]}") if found else None

    def edit_wherever_it_is_wrong(self) -> Name | None:
        """One edit, or other arguments, on the inputs on which the answer is wrong: there must be several."""
        only = set(self.wrong)
        if len(only) < 2 or sum(self.outcomes[i].failure is None for i in only) < 2:
            return None
        suspects = itertools.chain(self.known.as_if(self.exercise.reference), _edits(self.exercise))
        found = self.first(suspects, only=only)
        return Name("edit", f"where it is wrong, as if {found[0]}") if found else None

    def two_known(self) -> Name | None:
        may = {m for m, theirs in self._both_lists() if self._leaves_right(theirs)}
        found = self.first(p for p in _pairs(self.exercise) if p[0] in may and p[1] in may)
        return _two(*found[:2]) if found else None

    def _both_lists(self):
        return zip(self.exercise.mistakes, self.known.mistakes, strict=True)

    def _leaves_right(self, theirs) -> bool:
        """Whether a mistake spares the values that are right: that two mend each other is made up."""
        return all(
            self._all_alike(self.known.reference, theirs, part)
            for _, part in parts_of(self.exercise, self.known.reference)
            if self._all_alike(self.known.reference, self.outcomes, part)
        )

    def _all_alike(self, these, those, part) -> bool:
        both = [(part(a), part(b)) for a, b in zip(these, those, strict=True)]
        return all(a is not None and b is not None and alike(a, b, self.tolerance) for a, b in both)

    def known_times(self) -> Name | None:
        """A known mistake whose values come times a factor that has a name: the other sign, a size."""
        parts = parts_of(self.exercise, self.known.reference) or [("", lambda outcome: outcome)]
        if self._all_times(parts, self.known.reference):
            return None  # a factor is all there is
        for mistake, theirs in self._both_lists():
            words = self._all_times(parts, theirs)
            if words and not any(self._mends(part, theirs) for _, part in parts):
                return _and_more(mistake, words)
        return None

    def _all_times(self, parts, theirs) -> str:
        told = []
        for label, part in parts:
            if (words := self._times(label, part, theirs)) is None:
                return ""
            told.append(words)
        return " and ".join(filter(None, told))

    def _mends(self, part, theirs) -> bool:
        """Whether a factor would only undo a mistake: on most inputs it is wrong, and the answer right."""

        def right(outcomes):
            both = [(part(a), part(b)) for a, b in zip(self.known.reference, outcomes, strict=True)]
            return [a is not None and b is not None and alike(a, b, self.tolerance) for a, b in both]

        undone = [o and not t for o, t in zip(right(self.outcomes), right(theirs), strict=True)]
        return sum(undone) > len(undone) / 2

    def _times(self, label, part, theirs) -> str | None:
        """By which factor the answer's values are those of a mistake; empty where they are the same."""
        if self._all_alike(theirs, self.outcomes, part):
            return ""
        both = [(part(a), part(b)) for a, b in zip(theirs, self.outcomes, strict=True)]
        if any(a is None or b is None or a.failure or b.failure for a, b in both):
            return None
        values = [[o.value for o in side] for side in zip(*both, strict=True)]
        found = relations.pairs(*values, self.cases, parameters(self.exercise))
        if found is None or any(pair.right.shape != pair.given.shape for pair in found):
            return None
        with np.errstate(all="ignore"):
            words = relations.factor(found, self.tolerance)
        if not words or words.endswith(("factor", "on every input")):
            return None
        words = {"twice": "twice as large", "half of": "half as large"}.get(words, words)
        return f"{label} {words}".strip()

    def known_and_more(self) -> Name | None:
        """A known mistake, and besides it one argument changed in a way in which learners change it."""
        for mistake in self.exercise.mistakes:
            suspects = self.known.as_if(self.exercise.wrong(mistake))
            if found := self.first(s for s in suspects if s[0].endswith(OFTEN)):
                return _and_more(mistake, f"as if {found[0]}")
        return None

    def value_by_value(self) -> Name | None:
        """Of several returned values each by itself: a known mistake, or one edit, for every wrong one."""
        parts = parts_of(self.exercise, self.known.reference)
        if len(parts) < 2 or self.late():
            return None
        told = []
        for label, part in parts:
            right = [part(outcome) for outcome in self.known.reference]
            ours = [part(outcome) for outcome in self.outcomes]
            if any(o is None for o in (*right, *ours)):
                return None
            if all(alike(r, o, self.tolerance) for r, o in zip(right, ours, strict=True)):
                continue
            if not (found := self._part(label, part)):
                return None
            told.append(found)
        if not told or len(told) > 2:  # three stories about one answer are made up
            return None
        words = "; ".join(name.words for name in told)
        known = tuple(dict.fromkeys(n for name in told for n in name.known))
        how = "same" if len(told) == 1 and known else "two" if known else "edit"
        return Name(how, words, " ".join(dict.fromkeys(n.hint for n in told if n.hint)), known)

    def _part(self, label, part) -> Name | None:
        for mistake, theirs in self._by_likeness():
            if self._all_alike(theirs, self.outcomes, part):
                return Name("same", f"{label}: {mistake.name}", mistake.hint, (mistake.name,))
        if self.exercise.recorded:
            return None
        changed = (s for s in self.known.as_if(self.exercise.reference) if s[0].endswith(OFTEN))
        found = self.first(itertools.chain(changed, _edits(self.exercise)), part=part)
        return Name("edit", f"{label}: as if {found[0]}") if found else None

    def _by_likeness(self):
        """The known mistakes, first those that are like the answer on most inputs, then in most values."""
        parts = parts_of(self.exercise, self.known.reference)

        def likeness(theirs):
            return sum(
                alike(part(a), part(b), self.tolerance)
                for a, b in zip(theirs, self.outcomes, strict=True)
                for _, part in parts
                if part(a) is not None and part(b) is not None
            )

        return sorted(self._both_lists(), key=lambda both: -likeness(both[1]))

    def raised(self) -> Name | None:
        """An answer that raises wherever it is wrong: one edit that does so, in the same words."""
        words = [outcome.failure.message for outcome in self.outcomes if outcome.failure]
        if self.exercise.recorded:
            return self.as_recorded(words=True)
        suspects = ((m.words, m.fn) for m in _likely(mutants(self.exercise.reference)))
        for suspect in suspects:
            if self.late():
                return None
            if self.does(suspect[-1]):
                again = [self.known.outcome(suspect[-1], i) for i in range(len(self.cases))]
                if [o.failure.message for o in again if o.failure] == words:
                    return Name("edit", f"as if {suspect[0]}")
        return None


def _name(how, mistake: Mistake) -> Name:
    return Name(how, mistake.name, mistake.hint, (mistake.name,))


def _two(one: Mistake, other: Mistake) -> Name:
    hint = one.hint if one.hint == other.hint else f"{one.hint} {other.hint}"
    return Name("two", f"{one.name}; and {other.name}", hint, (one.name, other.name))


def _and_more(mistake: Mistake, words: str) -> Name:
    return Name("two", f"{mistake.name}; and besides {words}", mistake.hint, (mistake.name,))


def _edits(exercise) -> Iterator[tuple[str, Callable]]:
    for function in (exercise.reference, *exercise.alternatives):
        for mutant in mutants(function):
            yield mutant.words, mutant.fn


def _likely(found):
    """Without one parameter for another."""
    return (mutant for mutant in found if not mutant.is_vague)


def _pairs(exercise) -> Iterator[tuple[Mistake, Mistake, Callable]]:
    """Two known mistakes in one function, where their lines allow it."""
    for one, other in itertools.combinations([m for m in exercise.mistakes if not callable(m.wrong)], 2):
        both = _both(exercise.reference, one, other) or _both(exercise.reference, other, one)
        if both:
            yield one, other, both


@functools.cache
def _both(reference, one, other) -> Callable | None:
    """One mistake and then the other; not where an edit of the second overwrites one of the first."""
    first, second = ((m.wrong,) if isinstance(m.wrong, str) else m.wrong for m in (one, other))
    text = _text(reference, (*first, *second))
    if text is None or any(
        _text(reference, (*first[:i], *first[i + 1 :], *second)) == text for i in range(len(first))
    ):
        return None
    try:
        return function_of(text, reference)
    except SyntaxError:
        return None


def _text(reference, edits) -> str | None:
    source = source_of(reference)
    try:
        for edit in edits:
            source = edited(source, edit)
    except (EditError, SyntaxError):
        return None
    return source


# --- comparing ----------------------------------------------------------------------------------------------


def all_alike(theirs: list[Outcome], outcomes: list[Outcome], tolerance: float, strict: bool) -> bool:
    """Whether two lists of outcomes are one behaviour: values, exceptions by type, arguments overwritten.

    With ``strict`` False, dtypes and overwritten arguments do not count.
    """
    if all(o.failure for o in theirs):  # it never gives a value: then its words must agree too
        return [_raised(o, words=True) for o in theirs] == [_raised(o, words=True) for o in outcomes]
    return all(alike(a, b, tolerance, strict) for a, b in zip(theirs, outcomes, strict=True))


def alike(theirs: Outcome, ours: Outcome, tolerance: float, strict: bool = False) -> bool:
    """Whether two outcomes are one behaviour."""
    if theirs.failure or ours.failure:
        return _raised(theirs) == _raised(ours)
    if strict and set(theirs.overwritten) != set(ours.overwritten):
        return False
    return is_plain(ours.value) and agree(theirs.value, ours.value, tolerance, strict)


def _raised(outcome, words=False):
    failure = outcome.failure
    return failure and (failure.type, failure.message if words else "")


def _apart(theirs, outcomes) -> float:
    """How far two lists of like outcomes are apart; rounding does not count."""
    both = zip(theirs, outcomes, strict=True)
    apart = [distance(a.value, b.value) for a, b in both if not a.failure]
    return max(max(apart, default=0.0), 1e-7)


# --- returned values ----------------------------------------------------------------------------------------


def parts_of(exercise: Exercise, reference: list[Outcome]) -> list[tuple[str, Callable[[Outcome], Any]]]:
    """The values that a reference returns together: the name of each, and how it is picked from an outcome.

    The names are those of the ``return`` where it has any, the keys of a dict, or numbers.
    """
    values = [outcome.value for outcome in reference if not outcome.failure]
    if not values:
        return []
    if all(isinstance(value, dict) for value in values):
        keys = set.intersection(*(set(value) for value in values))
        return [(f'["{key}"]', _picker(key)) for key in values[0] if key in keys]
    if all(isinstance(value, tuple) and len(value) == len(values[0]) for value in values):
        return [(label, _picker(i)) for i, label in enumerate(labels(exercise.reference, len(values[0])))]
    return []


def _picker(key):
    def pick(outcome: Outcome) -> Outcome | None:
        if outcome.failure:
            return outcome
        try:
            return Outcome(outcome.value[key])
        except (KeyError, IndexError, TypeError):
            return None

    return pick


@functools.lru_cache(maxsize=500)
def labels(reference: Callable, count: int) -> tuple[str, ...]:
    """Names of the returned values, where the last ``return`` of so many has them."""
    returns = [n for n in ast.walk(ast.parse(source_of(reference))) if isinstance(n, ast.Return)]
    for node in reversed(returns):
        if isinstance(node.value, ast.Tuple) and len(node.value.elts) == count:
            names = [e.id if isinstance(e, ast.Name) else "" for e in node.value.elts]
            return tuple(name or f"value {i + 1} of {count}" for i, name in enumerate(names))
    return tuple(f"value {i + 1} of {count}" for i in range(count))


def parameters(exercise: Exercise) -> list[str]:
    """Names of the reference's parameters."""
    return list(inspect.signature(exercise.reference).parameters)
