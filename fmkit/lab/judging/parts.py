"""Of several returned values, which are right: for exercises that give points for each.

Whatever earns a full mark is asked of a part as well: right on every input, nothing overwritten, nothing used
that may not be. And what somebody gets right who has understood nothing (zeros, an argument handed back, the
same for every input) is never a part.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np

from fmkit.lab.judging.answer import Outcome
from fmkit.lab.judging.compare import agree
from fmkit.lab.judging.exercise import Exercise
from fmkit.lab.judging.judge import barred_names
from fmkit.lab.judging.naming import alike, parts_of
from fmkit.lab.judging.plain import plain


def right_parts(
    exercise: Exercise,
    cases: list,
    expected: list[Outcome],
    outcomes: list[Outcome],
    names: Iterable[str] = (),
) -> dict[str, bool]:
    """Of a wrong answer: name of each returned value -> whether it is right; nothing if there are no parts.

    At least one is wrong: where each by itself is right, it is ``"the rest"``, such as one value too many.

    Parameters
    ----------
    cases : list of tuples
        What the answer was called with.
    expected, outcomes : list of Outcome
        Of the reference and of the answer; the latter's values are read strictly, wherever they come from.
    names : iterable of str
        What the answer uses, from `names_used`.
    """
    parts = [
        (label, pick) for label, pick in parts_of(exercise, expected) if not _is_free(cases, expected, pick)
    ]
    if len(parts) < 2 or len(outcomes) != len(cases):
        return {}
    names = list(names)
    taught = [name for name in exercise.teaches if f"fmkit.{name}" in names]
    both = list(zip(expected, outcomes, strict=True))
    spoilt = any(set(o.overwritten) - set(e.overwritten) for e, o in both)
    if taught or spoilt or barred_names(exercise, names):
        return {label: False for label, _ in parts}
    read = [Outcome(plain(o.value), o.failure) for o in outcomes]

    def is_right(pick) -> bool:
        pairs = [(pick(e), pick(o)) for e, o in zip(expected, read, strict=True)]
        return all(o is not None and alike(e, o, exercise.tolerance, strict=True) for e, o in pairs)

    found = {label: is_right(pick) for label, pick in parts}
    return found | {"the rest": False} if all(found.values()) else found


def _is_free(cases: list, expected: list[Outcome], pick) -> bool:
    """Whether something that needs no thought is this part on every input."""
    told = [(case, pick(e).value) for case, e in zip(cases, expected, strict=True) if not e.failure]
    ways = [
        lambda case, value: told[0][1],
        lambda case, value: _filled(value, 0),
        lambda case, value: _filled(value, 1),
    ]
    ways += [lambda case, value, at=at: case[at] for at in range(len(cases[0]))]
    inside = _places(cases[0])
    ways += [lambda case, value, at=at, key=key: _inside(case[at], key) for at, key in inside]
    return any(all(agree(value, way(case, value), 1e-9) for case, value in told) for way in ways)


def _filled(value: Any, number: int) -> Any:
    """Zeros or ones in the form of a value."""
    if isinstance(value, np.ndarray):
        return np.full_like(value, number)
    return type(value)(number) if isinstance(value, bool | int | float) else None


def _places(case: tuple) -> list[tuple[int, Any]]:
    """Where values stand inside the arguments, one level deep."""
    found = []
    for at, argument in enumerate(case):
        keys = (
            argument
            if isinstance(argument, dict)
            else range(len(argument))
            if isinstance(argument, tuple)
            else ()
        )
        found += [(at, key) for key in keys]
    return found


def _inside(argument: Any, key: Any) -> Any:
    try:
        return argument[key]
    except (KeyError, IndexError, TypeError):
        return None
