"""What a wrong result has to do with the right one: sentences that are true of this answer.

Each looks at all inputs together: "times 2" is said when it is so on every one of them.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fmkit.lab.judging.compare import close


@dataclass(frozen=True)
class Pair:
    """The right and the given result of one input, as arrays, and its arguments by name."""

    right: np.ndarray
    given: np.ndarray
    arguments: dict[str, Any]


def pairs(rights: list, givens: list, cases: list, names: list[str]) -> list[Pair] | None:
    """The results that can be compared as numbers; None when one of them is something else."""
    found = []
    for right, given, case in zip(rights, givens, cases, strict=True):
        e, g = _numbers(right), _numbers(given)
        if e is None or g is None:
            return None
        found.append(Pair(e, g, dict(zip(names, case, strict=False))))
    return found or None


def _numbers(value) -> np.ndarray | None:
    if isinstance(value, (str, dict)) or value is None:
        return None
    try:
        array = np.asarray(value)
    except ValueError:  # lists of different lengths
        return None
    return array.astype(np.float64) if array.dtype.kind in "biuf" else None


def relation(found: list[Pair], tolerance: float) -> str:
    """The first true sentence about all the pairs, or an empty string."""
    if all(pair.right.shape == pair.given.shape for pair in found):
        for look in (_nothing, _argument_back, _factor, _offset, _function, _order):
            if words := look(found, tolerance):
                return words
        return _constant(found)
    return _constant(found) or _other_shape(found, tolerance)


def _constant(found) -> str:
    """Of an answer that gives the same for every input, where the right ones differ."""
    given = [pair.given for pair in found]
    if len(found) < 3 or not given[0].size or not all(np.array_equal(g, given[0]) for g in given):
        return ""
    same_right = all(np.array_equal(pair.right, found[0].right, equal_nan=True) for pair in found)
    return "" if same_right else "Yours is the same on every input."


def _same(found, tolerance, change: Callable) -> bool:
    """Whether ``change`` of every right result is the given one, and not the right one itself."""
    moved = False
    for pair in found:
        try:
            with np.errstate(all="ignore"):
                wanted = np.asarray(change(pair.right), np.float64)
        except (ValueError, IndexError, np.exceptions.AxisError):
            return False
        if wanted.shape != pair.given.shape or not close(wanted, pair.given, tolerance).all():
            return False
        moved = moved or pair.right.shape != wanted.shape or not close(pair.right, wanted, tolerance).all()
    return moved


# --- same shape ---------------------------------------------------------------------------------------------


def _nothing(found, tolerance) -> str:
    given = np.concatenate([pair.given.ravel() for pair in found])
    if given.size < 2 or not np.isfinite(given).all() or not np.allclose(given, given[0], rtol=1e-6, atol=0):
        return ""
    return "Yours are all zero." if not given[0] else f"Yours are all {given[0]:.4g}, whatever the input."


def _argument_back(found, tolerance) -> str:
    for name in found[0].arguments:
        values = [_numbers(pair.arguments[name]) for pair in found]
        if any(v is None or v.shape != p.given.shape for v, p in zip(values, found, strict=True)):
            continue
        if any(v.size for v in values) and all(
            close(v, p.given, tolerance).all() for v, p in zip(values, found, strict=True)
        ):
            return f"Yours is {name}, unchanged."
    return ""


_NAMED = {
    -1.0: "with the wrong sign",
    2.0: "twice",
    0.5: "half of",
    math.log(2): "times ln 2 = 0.693",
    1 / math.log(2): "divided by ln 2 = 0.693",
    math.log(10): "times ln 10",
}


def _factor(found, tolerance) -> str:
    words = factor(found, tolerance)
    if words in ("twice", "half of"):
        return f"Yours are {words} the right ones, on every input."
    if words == "with the wrong sign":
        return "Yours have the wrong sign, on every input."
    if words == "times some factor":
        return "On each input yours are the right ones times some factor."
    return words and f"Yours are the right ones {words}."


def factor(found: list[Pair], tolerance: float) -> str:
    """What the given results are, of the right ones: ``"twice"``, ``"divided by len(x)"``, or nothing."""
    ratios = [_ratio(pair, tolerance) for pair in found]
    if any(ratio is None for ratio in ratios):
        return ""
    told = [(pair, ratio) for pair, ratio in zip(found, ratios, strict=True) if not math.isnan(ratio)]
    if not told or (len(told) < 2 and told[0][0].right.size < 2):
        return ""
    if all(math.isclose(ratio, 1, rel_tol=1e-4) for _, ratio in told):
        return ""
    first = told[0][1]
    if all(_is_factor(first, ratio) for _, ratio in told):
        named = (w for v, w in _NAMED.items() if math.isclose(v, first, rel_tol=1e-3))
        return next(named, f"times {first:.4g}, on every input")
    if words := _explained(told):
        return words
    if any(pair.right.size < 2 for pair, _ in told):  # of one number alone any factor can be said
        return ""
    if any(math.isclose(ratio, 1, rel_tol=1e-4) for _, ratio in told):  # right there: no factor on each input
        return ""
    return "times some factor"


def _is_factor(number: float, ratio: float) -> bool:
    """Whether a ratio is this number; near 1 more is asked, for there "no factor" is close, too."""
    return abs(ratio - number) <= max(1e-5, min(1e-3 * abs(ratio), abs(ratio - 1) / 10))


def _ratio(pair, tolerance) -> float | None:
    """The factor that makes all right elements the given ones; NaN where any would do; None for no factor."""
    e, g = pair.right, pair.given
    if not (np.isfinite(e).all() and np.isfinite(g).all()):
        return None
    if not e.any():
        return math.nan if not g.any() else None
    ratio = float((e * g).sum() / (e * e).sum())
    if not ratio or not close(e * ratio, g, tolerance).all():
        return None
    return ratio


def _explained(told, logs=False) -> str:
    """A size or a setting that the factor is on every input; with ``logs``, whose logarithm the number is."""
    quantities = [dict(_quantities(pair)) for pair, _ in told]
    for name in quantities[0]:
        for words, formula in _FORMULAS:
            try:
                numbers = [formula(q[name]) for q in quantities]
                if logs and all(
                    math.isclose(math.log(number), offset, rel_tol=1e-3)
                    for number, (_, offset) in zip(numbers, told, strict=True)
                ):
                    return words.format(name)
                if not logs and all(
                    _is_factor(number, ratio) for number, (_, ratio) in zip(numbers, told, strict=True)
                ):
                    return words.format(name)
            except (KeyError, ValueError, ZeroDivisionError, OverflowError):
                continue
    return ""


_FORMULAS = (
    ("times {}", lambda v: v),
    ("divided by {}", lambda v: 1 / v),
    ("times the root of {}", lambda v: math.sqrt(v)),
    ("divided by the root of {}", lambda v: 1 / math.sqrt(v)),
    ("times {} squared", lambda v: v * v),
    ("divided by {} squared", lambda v: 1 / (v * v)),
    ("times 1 - {}", lambda v: 1 - v),
    ("divided by 1 - {}", lambda v: 1 / (1 - v)),
    ("times {0} / ({0} - 1)", lambda v: v / (v - 1)),
    ("times ({0} - 1) / {0}", lambda v: (v - 1) / v),
    ("with the sign of {}", lambda v: math.copysign(1, v)),
)


def _quantities(pair) -> Iterator[tuple[str, float]]:
    """Numbers that belong to an input: settings, lengths of axes, how many."""
    for name, value in pair.arguments.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            yield name, float(value)
        elif isinstance(value, np.ndarray):
            for axis, size in enumerate(value.shape):
                where = f"len({name})" if not axis else f"{name}.shape[{axis}]"
                yield where, float(size)
            if value.ndim > 1:
                yield f"{name}.size", float(value.size)
                yield f"{name}.shape[0] * {name}.shape[1]", float(value.shape[0] * value.shape[1])
            if value.dtype.kind == "b" or (value.dtype.kind in "iu" and set(np.unique(value)) <= {0, 1}):
                yield f"the number of ones in {name}", float(value.sum())
            elif value.dtype.kind == "f" and value.size:
                yield f"{name}.sum()", float(value.sum())
        elif isinstance(value, (list, str)):
            yield f"len({name})", float(len(value))


def _offset(found, tolerance) -> str:
    offsets = []
    for pair in found:
        if not (np.isfinite(pair.right).all() and np.isfinite(pair.given).all()) or not pair.right.size:
            return ""
        offset = float((pair.given - pair.right).mean())
        if not close(pair.right + offset, pair.given, tolerance).all():
            return ""
        offsets.append(offset)
    if len(offsets) < 2 and found[0].right.size < 2:
        return ""
    first = offsets[0]
    if all(math.isclose(offset, first, rel_tol=1e-3, abs_tol=1e-9) for offset in offsets):
        return f"Yours are {abs(first):.4g} too {'large' if first > 0 else 'small'}, on every input."
    if words := _explained(list(zip(found, offsets, strict=True)), logs=True):
        sign, what = ("log " + words.removeprefix(w) for w in ("times ", "divided by ")), words
        added, taken = sign
        return (
            f"Yours are the right ones {'plus ' + added if what.startswith('times') else 'minus ' + taken}."
        )
    if all(pair.right.size > 2 for pair in found):
        return "On each input all of yours are off by one and the same number."
    return ""


_FUNCTIONS = (
    ("the squares of the right ones", np.square),
    ("the square roots of the right ones", lambda v: np.sqrt(v)),
    ("the exponentials of the right ones", np.exp),
    ("the logarithms of the right ones", lambda v: np.log(v)),
    ("minus the logarithms of the right ones", lambda v: -np.log(v)),
    ("1 over the right ones", lambda v: 1 / v),
    ("1 minus the right ones", lambda v: 1 - v),
    ("the right ones without their signs", np.abs),
    ("the right ones, but never below 0", lambda v: np.maximum(v, 0)),
    ("the right ones, rounded", np.round),
    ("the right ones, rounded down", np.floor),
    ("the running sums of the right ones", lambda v: np.cumsum(v, -1)),
    ("the right ones, each row divided by its sum", lambda v: v / v.sum(-1, keepdims=True)),
)


def _function(found, tolerance) -> str:
    if sum(pair.right.size for pair in found) < 3:
        return ""
    for words, change in _FUNCTIONS:
        if _same(found, tolerance, change):
            return f"Yours are {words}."
    return ""


def _order(found, tolerance) -> str:
    changes = [("transposed", lambda v: v.T)]
    most = max(pair.right.ndim for pair in found)
    for axis in range(most):
        along = "" if most == 1 else f" along axis {axis}"
        changes += [
            (f"in reverse order{along}", lambda v, axis=axis: np.flip(v, axis)),
            (f"one place too late{along}", lambda v, axis=axis: np.roll(v, 1, axis)),
            (f"one place too early{along}", lambda v, axis=axis: np.roll(v, -1, axis)),
        ]
    changes += [
        (f"with axes {a} and {b} exchanged", lambda v, a=a, b=b: np.swapaxes(v, a, b))
        for a in range(most)
        for b in range(a)
    ]
    for words, change in changes:
        if _same(found, tolerance, change):
            return f"Yours are the right ones, {words}."
    alike = [
        np.allclose(np.sort(p.right, None), np.sort(p.given, None), rtol=1e-4, equal_nan=True) for p in found
    ]
    in_place = [np.allclose(p.right, p.given, rtol=1e-4, equal_nan=True) for p in found]
    if all(alike) and not all(in_place) and all(p.right.size > 1 for p in found):
        return "Yours are the right numbers, in another order."
    return ""


# --- another shape ------------------------------------------------------------------------------------------


def _other_shape(found, tolerance) -> str:
    given = [Pair(pair.given, pair.right, pair.arguments) for pair in found]
    if all(_same_but_for_ones(pair, tolerance) for pair in found):
        more = found[0].given.ndim > found[0].right.ndim
        words = (
            "yours has an axis of length 1 too many" if more else "an axis of length 1 is missing in yours"
        )
        return f"The numbers are right; {words}."
    for axis in range(max(pair.given.ndim for pair in found)):
        for word, reduce in (("added up", np.sum), ("averaged", np.mean), ("their maximum taken", np.max)):
            if _same(given, tolerance, lambda v, axis=axis, reduce=reduce: reduce(v, axis)):
                return f"Yours, {word} along axis {axis}, would be the right result."
    if _same(found, tolerance, np.sum):
        return "Yours is the sum of the right result's elements."
    if _same(found, tolerance, np.mean):
        return "Yours is the mean of the right result's elements."
    if _same(found, tolerance, np.transpose):
        return "Yours is the right result, transposed."
    if all(p.right.size == p.given.size for p in found) and all(
        np.allclose(p.right.ravel(), p.given.ravel(), rtol=1e-4, equal_nan=True) for p in found
    ):
        return "The numbers are right and in their order; only the shape is another one."
    return _longer(found, tolerance) or _as_many(found)


def _as_many(found) -> str:
    is_so = all(p.right.size == p.given.size and p.right.shape != p.given.shape for p in found)
    return "Yours holds as many numbers, in another form." if is_so else ""


def _same_but_for_ones(pair, tolerance) -> bool:
    right, given = np.squeeze(pair.right), np.squeeze(pair.given)
    return right.shape == given.shape and close(right, given, tolerance).all()


def _longer(found, tolerance) -> str:
    if any(pair.right.ndim != 1 or pair.given.ndim != 1 for pair in found):
        return ""
    for words, change in (
        ("The first element is missing; the others are right.", lambda v: v[1:]),
        ("The last element is missing; the others are right.", lambda v: v[:-1]),
    ):
        if _same(found, tolerance, change):
            return words
    given = [Pair(pair.given, pair.right, pair.arguments) for pair in found]
    for words, change in (
        ("There is one element too many at the beginning; the others are right.", lambda v: v[1:]),
        ("There is one element too many at the end; the others are right.", lambda v: v[:-1]),
    ):
        if _same(given, tolerance, change):
            return words
    return ""


# --- where --------------------------------------------------------------------------------------------------


def where_wrong(found: list[Pair], tolerance: float) -> str:
    """Which elements are wrong, where all inputs agree on it: a place, or what an argument holds there."""
    if any(pair.right.shape != pair.given.shape for pair in found):
        return ""
    found = [pair for pair in found if pair.right.ndim]
    every = [(pair, ~close(pair.right, pair.given, tolerance)) for pair in found]
    wrong = [(pair, w) for pair, w in every if w.any()]
    if not wrong or all(w.all() for _, w in wrong):
        return ""
    return _where_by_place(wrong) or _where_by_argument(every) or _where_by_result(every)


def _where_by_place(both) -> str:
    for axis in range(max(pair.right.ndim for pair, _ in both)):
        along = "" if both[0][0].right.ndim == 1 else f" along axis {axis}"
        for words, place in (("first", 0), ("last", -1)):
            if all(_only_at(w, axis, place) for _, w in both):
                return f"Only the {words} element{along} is wrong; the others are right."
            if all(_all_but(w, axis, place) for _, w in both):
                return f"Only the {words} element{along} is right."
    return ""


def _only_at(wrong, axis, place) -> bool:
    if axis >= wrong.ndim or wrong.shape[axis] < 2:
        return False
    others = np.delete(wrong, place, axis)
    return not others.any()


def _all_but(wrong, axis, place) -> bool:
    if axis >= wrong.ndim or wrong.shape[axis] < 2:
        return False
    return np.delete(wrong, place, axis).all() and not wrong.take(place, axis).any()


_TESTS = (
    ("is {zero}", lambda v: v == 0),
    ("is {other}", lambda v: v != 0),
    ("is negative", lambda v: v < 0),
    ("is positive", lambda v: v > 0),
    ("is 0 or negative", lambda v: v <= 0),
    ("is 0 or positive", lambda v: v >= 0),
    ("is infinite", np.isinf),
)


def _where_by_argument(both) -> str:
    """A condition on an argument that holds for the wrong elements (or rows) and for no other, or few."""
    if words := _where_pointed(both):
        return words
    conditions = list(_conditions(both))
    for words, marked in conditions:
        if all((m == w).all() for m, w in marked):
            return f"Wrong exactly where {words}."
    for words, marked in conditions:
        sizes = [sum(int(part.sum()) for part in parts) for parts in zip(*marked, strict=True)]
        is_most = 3 / 4 * sizes[0] <= sizes[1] and sizes[0] <= sum(m.size for m, _ in marked) / 2
        if is_most and all((m >= w).all() for m, w in marked):  # where nothing comes back a slope is not seen
            return f"Wrong only where {words}; the others are right."
    return ""


def _conditions(both) -> Iterator[tuple[str, list[tuple[np.ndarray, np.ndarray]]]]:
    """Conditions in words, with what each marks of every input, and the wrong elements (or rows) of it."""
    for name, first in both[0][0].arguments.items():
        tests = [(words, lambda v, pair, test=test: test(v)) for words, test in _TESTS]
        for other in both[0][0].arguments:
            if other != name and all(isinstance(pair.arguments[other], (int, float)) for pair, _ in both):
                tests += [
                    (words.format(other), lambda v, pair, c=compare, o=other: c(v, pair.arguments[o]))
                    for words, compare in _COMPARED
                ]
        for words, test in tests:
            marked = [_marked(pair, wrong, name, test) for pair, wrong in both]
            if None in marked:
                break
            if any(m.any() for m, _ in marked) and not all(m.all() for m, _ in marked):
                yield f"{name} {words.format(**_words_for(first))}", marked


_COMPARED = (
    ("equals {}", np.equal),
    ("is above {}", np.greater),
    ("is below {}", np.less),
    ("is {} or more", np.greater_equal),
    ("is {} or less", np.less_equal),
)


def _marked(pair, wrong, name, test) -> tuple[np.ndarray, np.ndarray] | None:
    value = pair.arguments[name]
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf" or not value.ndim:
        return None
    marked = test(value, pair)
    if marked.shape != wrong.shape:
        if marked.shape != wrong.shape[: marked.ndim]:
            return None
        wrong = wrong.reshape(*marked.shape, -1).any(-1)  # rows of the result that are wrong somewhere
    return marked, wrong


def _where_pointed(both) -> str:
    """Of each row the element, or all but the element, at the index that an argument holds for it."""
    for name in both[0][0].arguments:
        marked = [(_pointed(pair, name), wrong) for pair, wrong in both]
        if any(m is None for m, _ in marked):
            continue
        if all((w == (m & w.any())).all() for m, w in marked):
            return f"Of each row only the element at {name} is wrong."
        if all((w == (~m & w.any())).all() for m, w in marked):
            return f"Of each row only the element at {name} is right."
    return ""


def _pointed(pair, name) -> np.ndarray | None:
    index = pair.arguments[name]
    if not isinstance(index, np.ndarray) or index.dtype.kind not in "iu" or not index.size:
        return None
    if pair.right.ndim < 2 or index.shape != pair.right.shape[:-1] or pair.right.shape[-1] < 2:
        return None
    if index.min() < 0 or index.max() >= pair.right.shape[-1]:
        return None
    return np.arange(pair.right.shape[-1]) == index[..., None]


def _words_for(value) -> dict[str, str]:
    return {"zero": "False", "other": "True"} if value.dtype.kind == "b" else {"zero": "0", "other": "not 0"}


def _where_by_result(both) -> str:
    if all((w == np.isnan(pair.given)).all() for pair, w in both):
        return "All that are not NaN are right."
    if all((w == (pair.right == 0)).all() for pair, w in both):
        return "Wrong exactly where 0 is expected; the others are right."
    return ""


def rows_that_sum_to_one(found: list[Pair]) -> str:
    """For weights: the expected rows add up to 1, those given do not; with a sum of the first such input."""
    arrays = [(p.right, p.given) for p in found if p.right.ndim and p.right.shape == p.given.shape]
    if not arrays or not all(_sums_to_one(e, -1) and e.shape[-1] > 1 for e, _ in arrays):
        return ""
    if all(_sums_to_one(g, -1) for _, g in arrays):
        return ""
    if all(g.ndim > 1 and _sums_to_one(g, -2) for _, g in arrays):
        return "Your columns add up to 1; the rows should."
    off = next(g for _, g in arrays if not _sums_to_one(g, -1))
    with np.errstate(all="ignore"):
        sums = np.ravel(off.sum(-1))
    farthest = sums[np.argmax(np.abs(sums - 1))]  # NaN, if there is one
    return f"The rows should add up to 1; one of yours adds up to {farthest:.4g}."


def _sums_to_one(array, axis) -> bool:
    with np.errstate(all="ignore"):
        sums = array.sum(axis)
        return bool((np.isclose(sums, 1, atol=1e-4) | (sums == 0)).all() and (array >= -1e-9).all())
