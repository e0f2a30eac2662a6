"""What is right of a wrong answer, and sentences that are true of it where no name fits."""

import warnings
from typing import Any

import numpy as np

from fmkit.lab.judging import relations
from fmkit.lab.judging.answer import Outcome
from fmkit.lab.judging.compare import agree
from fmkit.lab.judging.exercise import Exercise
from fmkit.lab.judging.naming import alike, parameters, parts_of
from fmkit.lab.judging.plain import is_plain, leaves


def what_is_right(exercise: Exercise, expected: list[Outcome], outcomes: list[Outcome]) -> str:
    """What is right of the answer: "Right on 4 of 6 inputs. dx is right, dw is not." Or nothing."""
    right = _right(exercise, expected, outcomes)
    inputs = f"Right on {sum(right)} of {len(right)} inputs." if any(right) and not all(right) else ""
    return " ".join(filter(None, (inputs, _parts_right(exercise, expected, outcomes))))


def what_is_said(
    exercise: Exercise, cases: list, expected: list[Outcome], outcomes: list[Outcome], at: int = 0
) -> tuple[str, ...]:
    """At most three sentences that are true of the answer: which inputs, a factor, a place.

    ``at`` is the input that the learner is shown: an example of what is said comes from it.
    """
    shown_first = sorted(range(len(cases)), key=lambda i: i != at)
    cases, expected, outcomes = ([items[i] for i in shown_first] for items in (cases, expected, outcomes))
    right = _right(exercise, expected, outcomes)
    says = [_which_inputs(parameters(exercise), cases, right), *_sayings(exercise, cases, expected, outcomes)]
    return tuple(filter(None, says))[:3]


def _right(exercise, expected, outcomes) -> list[bool]:
    return [alike(e, o, exercise.tolerance) for e, o in zip(expected, outcomes, strict=True)]


# --- which inputs, which values -----------------------------------------------------------------------------


def _parts_right(exercise, expected, outcomes) -> str:
    parts = parts_of(exercise, expected)
    if len(parts) < 2:
        return ""
    good, bad = [], []
    for label, part in parts:
        both = [(part(e), part(o)) for e, o in zip(expected, outcomes, strict=True)]
        is_good = all(o is not None and alike(e, o, exercise.tolerance, strict=True) for e, o in both)
        (good if is_good else bad).append(label)
    if not good or not bad:
        return ""
    verbs = ["is" if len(labels) == 1 else "are" for labels in (good, bad)]
    return f"{_list(good)} {verbs[0]} right, {_list(bad)} {verbs[1]} not."


def _list(words) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _which_inputs(names, cases, right) -> str:
    """A property that all inputs with a wrong result have, and none of the others."""
    wrong = {i for i, is_right in enumerate(right) if not is_right}
    if not wrong or len(wrong) == len(cases):
        return ""
    few = min(len(wrong), len(cases) - len(wrong))  # so few share many a property by chance
    for words, holds in _properties(names, cases):
        if few < 3 and not words.endswith(_OF_ONE) and not (few == 2 and words.endswith(_OF_TWO)):
            continue
        if {i for i, case in enumerate(cases) if holds(case)} == wrong:
            return f"Wrong just on the inputs {words}."
    return ""


_OF_ONE = ("float32", "empty", "is 0", "infinity", "million")
_OF_TWO = ("one row", "one element")


def _properties(names, cases):
    yield "in float32", lambda case: any(a.dtype == np.float32 for a in _arrays(case))
    for at, name in enumerate(names):
        values = [case[at] for case in cases]
        if any(v is None for v in values):
            yield f"without {name}", lambda case, at=at: case[at] is None
        yield from _of_values(at, name, values)
    yield "with an axis of length 1", lambda case: any(1 in a.shape for a in _arrays(case))
    yield "with numbers beyond 100", lambda case: any(_largest(a) > 100 for a in _arrays(case))
    yield "with numbers beyond a million", lambda case: any(_largest(a) > 1e6 for a in _arrays(case))
    yield "with something empty", lambda case: any(not _length(part) for part in case)
    yield (
        "with an infinity",
        lambda case: any(np.isinf(a).any() for a in _arrays(case) if a.dtype.kind == "f"),
    )


def _of_values(at, name, values):
    if all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
        yield f"where {name} is 0", lambda case: case[at] == 0
        yield f"where {name} is 1", lambda case: case[at] == 1
        yield f"where {name} is negative", lambda case: case[at] < 0
        yield f"where {name} is above 1", lambda case: case[at] > 1
    elif all(isinstance(v, (np.ndarray, list, str, tuple)) for v in values):
        yield f"where {name} is empty", lambda case: _length(case[at]) == 0
        what = "row" if any(isinstance(v, np.ndarray) and v.ndim > 1 for v in values) else "element"
        yield f"where {name} has one {what}", lambda case: _length(case[at]) == 1
        yield f"where {name} has more than one {what}", lambda case: _length(case[at]) > 1
    if all(isinstance(v, np.ndarray) and v.dtype.kind in "iuf" for v in values):
        yield f"where {name} holds a 0", lambda case: bool((case[at] == 0).any())
        yield f"where {name} holds something negative", lambda case: bool((case[at] < 0).any())
        if not all(np.isin(v, (0, 1)).all() for v in values):  # a mask of more than two always does
            yield f"where {name} holds a number twice", lambda case: np.unique(case[at]).size < case[at].size
    if all(isinstance(v, np.ndarray) for v in values):
        for axes in {v.ndim for v in values}:
            yield f"where {name} has {axes} axes", lambda case, axes=axes: case[at].ndim == axes


def _arrays(case) -> list[np.ndarray]:
    return [leaf for part in case for leaf in leaves(part) if isinstance(leaf, np.ndarray)]


def _largest(array) -> float:
    if array.dtype.kind not in "iuf" or not array.size:
        return 0.0
    finite = array[np.isfinite(array)]
    return float(np.abs(finite).max(initial=0.0))


def _length(part) -> int:
    if isinstance(part, np.ndarray):
        return part.shape[0] if part.ndim else 1
    return len(part) if isinstance(part, (list, str, dict, tuple)) else 1


# --- relations ----------------------------------------------------------------------------------------------


def _sayings(exercise, cases, expected, outcomes) -> list[str]:
    """Relations between the right values and those given: of the result, or of each wrong part of it."""
    kept = [
        (case, e, o)
        for case, e, o in zip(cases, expected, outcomes, strict=True)
        if not e.failure and not o.failure and is_plain(o.value)
    ]
    if not kept:
        return []
    cases, expected, outcomes = map(list, zip(*kept, strict=True))
    parts = parts_of(exercise, expected)
    found = []
    for label, part in parts or [("", lambda outcome: outcome)]:
        rights = [part(e) for e in expected]
        ours = [part(o) for o in outcomes]
        if any(o is None for o in ours):
            continue
        words = _about([r.value for r in rights], [o.value for o in ours], cases, exercise)
        found += [
            f"{label}: {sentence[0].lower()}{sentence[1:]}" if label else sentence for sentence in words
        ]
    return found


def _about(rights: list[Any], ours: list[Any], cases, exercise) -> list[str]:
    tolerance = exercise.tolerance
    if all(agree(r, o, tolerance, strict=False) for r, o in zip(rights, ours, strict=True)):
        return []
    names = parameters(exercise)
    if words := _texts(rights, ours):
        return [words]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an empty mean: it is ours, not the learner's
        found = relations.pairs(rights, ours, cases, names)
        if found is None:
            return [words for words in [_lists(rights, ours)] if words]
        if words := relations.relation(found, tolerance):
            return [words]
        wrong = [pair for pair in found if not _same(pair, tolerance)]
        where = relations.where_wrong(found, tolerance)
        part = relations.relation(wrong, tolerance) if len(wrong) > 2 and not where else ""
        part = f"Where it is wrong: {part[0].lower()}{part[1:]}" if part else ""
        return [words for words in (where, part, relations.rows_that_sum_to_one(found)) if words]


def _same(pair, tolerance) -> bool:
    return pair.right.shape == pair.given.shape and relations.close(pair.right, pair.given, tolerance).all()


def _texts(rights, ours) -> str:
    if not all(isinstance(v, str) for v in (*rights, *ours)):
        return ""
    for words, change in _TEXTS:
        if all(change(r) == change(o) for r, o in zip(rights, ours, strict=True)):
            return words
    if all(r.startswith(o) for r, o in zip(rights, ours, strict=True)):
        return "Yours is right as far as it goes, but ends too early."
    if all(o.startswith(r) for r, o in zip(rights, ours, strict=True)):
        return "Yours begins with the right text, but goes on after it."
    return ""


_TEXTS = (
    ("Yours is right but for spaces at the ends.", str.strip),
    ("Yours is right but for capital letters.", str.casefold),
    ("Yours is right but for the spaces.", lambda text: "".join(text.split())),
    ("Yours has the right characters, in another order.", sorted),
)


def _lists(rights, ours) -> str:
    """Lists of other things than numbers: the same items in another order, or some too many or missing."""
    if not all(isinstance(v, (list, tuple)) for v in (*rights, *ours)):
        return ""
    both = [(list(map(repr, r)), list(map(repr, o))) for r, o in zip(rights, ours, strict=True)]
    if all(sorted(r) == sorted(o) for r, o in both):
        return "Yours has the right items, in another order."
    if all(r[::-1] == o for r, o in both):
        return "Yours is in reverse order."
    missing = [[x for x in r if x not in o] for r, o in both]
    extra = [[x for x in o if x not in r] for r, o in both]
    if not any(extra) and any(missing):
        return "All that yours has is right, but something is missing."
    if not any(missing) and any(extra):
        return "Nothing is missing in yours, but it has something too many."
    return ""
