"""The reference on other arguments: many a wrong answer does what the right one does with one changed.

Who forgets the temperature computes what the reference gives for a temperature of 1; who exchanges two
arguments computes what it gives for the two exchanged.
"""

import inspect
import math
from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np

Change = Callable  # of one argument; None where it cannot be made


def as_if(function: Callable, cases: list) -> Iterator[tuple[str, Callable]]:
    """Functions that call ``function`` with one argument changed, each with words that complete "as if ...".

    Only changes that make a difference to the arguments of some case.
    """
    names = list(inspect.signature(function).parameters)
    for at, name in enumerate(names):
        values = [case[at] for case in cases]
        for words, change in _changes(name, values):
            yield words, _changed(function, at, change)
    for one, other in combinations(range(len(names)), 2):
        if all(_of_one_kind(case[one], case[other]) for case in cases):
            yield f"{names[one]} and {names[other]} were exchanged", _exchanged(function, one, other)


def _changed(function, at, change):
    def call(*args):
        return function(*args[:at], change(args[at]), *args[at + 1 :])

    return call


def _exchanged(function, one, other):
    def call(*args):
        args = list(args)
        args[one], args[other] = args[other], args[one]
        return function(*args)

    return call


def _of_one_kind(a, b) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.shape == b.shape and a.dtype.kind == b.dtype.kind
    return type(a) is type(b) and not isinstance(a, (np.ndarray, str, dict, type(None)))


def _changes(name, values) -> Iterator[tuple[str, Change]]:
    given = [value for value in values if value is not None]
    if len(given) < len(values):
        yield f"{name} were not given", lambda value: None
    if not given:
        return
    kinds = {_kind(value) for value in given}
    if kinds == {"ints"} and all(np.isin(value, (0, 1)).all() for value in given):
        kinds = {"ones"}
    if len(kinds) == 1:
        for words, change in _BY_KIND.get(kinds.pop(), ()):
            yield words.format(name), _where_given(change)


def _where_given(change):
    return lambda value: None if value is None else change(value)


def _kind(value) -> str:
    if isinstance(value, np.ndarray):
        return {"f": "floats", "b": "mask", "i": "ints", "u": "ints"}.get(value.dtype.kind, "")
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, (float, np.floating)):
        return "float"
    return "list" if isinstance(value, list) else "str" if isinstance(value, str) else ""


def _like(value, number):
    return type(value)(number)


_FLOAT = (
    ("{} were 1", lambda v: _like(v, 1.0)),
    ("{} were 0", lambda v: _like(v, 0.0)),
    ("{} had the other sign", lambda v: -v),
    ("{} were 1 over it", lambda v: _like(v, 1 / v if v else math.inf)),
    ("{} were squared", lambda v: v * v),
    ("{} were its square root", lambda v: _like(v, math.sqrt(abs(v)))),
    ("{} were 1 minus it", lambda v: 1 - v),
    ("{} were twice as large", lambda v: 2 * v),
    ("{} were half as large", lambda v: v / 2),
)
_INT = (
    ("{} were 1", lambda v: 1),
    ("{} were 0", lambda v: 0),
    ("{} were one larger", lambda v: v + 1),
    ("{} were one smaller", lambda v: v - 1),
    ("{} were twice as large", lambda v: 2 * v),
    ("{} were without limit", lambda v: 10**6),
)
_FLOATS = (
    ("{} were all zeros", np.zeros_like),
    ("{} were all ones", np.ones_like),
    ("{} had the other sign", np.negative),
    ("{} were without its signs", np.abs),
    ("{} were squared", np.square),
    ("{} were transposed", lambda v: v.T.copy()),
    ("{} were in reverse order", lambda v: v[::-1].copy() if v.ndim else v),
    ("the first row of {} stood for all", lambda v: np.repeat(v[:1], len(v), 0) if v.ndim and len(v) else v),
)
_BY_KIND = {
    "float": _FLOAT,
    "int": _INT,
    "bool": (
        ("{} were always True", lambda v: True),
        ("{} were always False", lambda v: False),
        ("{} were turned round", lambda v: not v),
    ),
    "floats": _FLOATS,
    "ints": (
        ("{} were all zeros", np.zeros_like),
        ("{} were all ones", np.ones_like),
        ("{} were in reverse order", lambda v: v[::-1].copy() if v.ndim else v),
        ("{} were transposed", lambda v: v.T.copy()),
        ("{} were one larger", lambda v: v + 1),
        ("{} were one smaller", lambda v: v - 1),
    ),
    "ones": (
        ("{} were all zeros", np.zeros_like),
        ("{} were all ones", np.ones_like),
        ("{} were turned round", lambda v: 1 - v),
        ("{} were transposed", lambda v: v.T.copy()),
    ),
    "mask": (
        ("{} were all True", np.ones_like),
        ("{} were all False", np.zeros_like),
        ("{} were turned round", np.logical_not),
        ("{} were transposed", lambda v: v.T.copy()),
    ),
    "list": (
        ("{} were in reverse order", lambda v: v[::-1]),
        ("the first of {} were missing", lambda v: v[1:]),
        ("the last of {} were missing", lambda v: v[:-1]),
        ("repeats in {} did not count", lambda v: [x for i, x in enumerate(v) if not _in(x, v[:i])]),
        ("{} were sorted", lambda v: sorted(v, key=repr)),
    ),
    "str": (
        ("{} were in lower case", str.lower),
        ("{} had no spaces at its ends", str.strip),
        ("{} were in reverse order", lambda v: v[::-1]),
    ),
}


def _in(item, items) -> bool:
    return any(repr(item) == repr(other) for other in items)
