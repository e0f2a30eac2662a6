"""Plain data: what an answer may take and give, read strictly so that nothing in it can lie.

Only the exact built-in types and NumPy's own survive `plain`: an object that claims to equal everything, or
to turn into the right array when asked, becomes a `Foreign` that equals nothing.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

# by identity: `==` between classes can be overridden by a metaclass
_NUMPY_SCALARS = frozenset(map(id, np.sctypeDict.values()))
_BUILT_IN = frozenset(map(id, (type(None), bool, int, float, complex, str)))
_MAX_BYTES = 1 << 28  # of all copies together: a view can claim any shape, a list hold one array many times
_ITEM_BYTES = 1000  # what one part of a container counts for
_MAX_DEPTH = 20


@dataclass(frozen=True)
class Foreign:
    """Something that is no plain data; ``kind`` says what, in words."""

    kind: str


def plain(value: Any) -> Any:
    """A copy of ``value`` made of exact plain types.

    Arrays become base `numpy.ndarray` (subclasses too), NumPy scalars 0-d arrays, subclasses of the built-in
    types those types themselves. Whatever else is met becomes a `Foreign`, in its place.
    """
    return _plain(value, 0, [_MAX_BYTES])


def _plain(value, depth, budget):
    budget[0] -= _ITEM_BYTES
    if budget[0] < 0 or depth > _MAX_DEPTH:
        return Foreign("something too large or too deeply nested")
    kind = type(value)  # never isinstance: an object may pretend by its __class__
    if id(kind) in _BUILT_IN or kind is Foreign:
        return value
    if id(kind) in _NUMPY_SCALARS or issubclass(kind, np.ndarray):
        return _plain_array(value, budget)
    if issubclass(kind, (list, tuple, dict)):
        return _plain_container(value, depth, budget)
    for base, convert in _CONVERSIONS:
        if issubclass(kind, base):
            return convert(value)
    return Foreign(_name(kind))


# the built-in methods themselves, so that an override in a subclass is not asked
_CONVERSIONS = ((str, str.__str__), (int, int.__int__), (float, float.__float__))


def _plain_array(value, budget):
    is_array = issubclass(type(value), np.ndarray)
    if is_array and issubclass(type(value), np.ma.MaskedArray):
        return Foreign("a masked array")
    array = np.ndarray.view(value, np.ndarray) if is_array else np.asarray(value)
    if array.dtype.kind == "U" and not is_array:
        return str.__str__(value)
    if array.dtype.kind not in "biufcU":
        return Foreign("an array of objects" if array.dtype.kind == "O" else f"an array of {array.dtype}")
    budget[0] -= array.nbytes
    if budget[0] < 0:
        return Foreign(f"an array of shape {array.shape}, which is far too large")
    return array.astype(array.dtype.newbyteorder("="), order="C", copy=True)


def _plain_container(value, depth, budget):
    for base in (list, tuple):
        if issubclass(type(value), base):
            return base([_plain(v, depth + 1, budget) for v in base.__iter__(value)])
    items = [(_plain(k, depth + 1, budget), _plain(v, depth + 1, budget)) for k, v in dict.items(value)]
    try:
        table = {k.item() if isinstance(k, np.ndarray) and k.ndim == 0 else k: v for k, v in items}
    except TypeError:  # a key with an array in it
        return Foreign("a dict whose keys are no plain data")
    foreign = any(isinstance(leaf, Foreign) for key in table for leaf in leaves(key))
    return Foreign("a dict whose keys are no plain data") if foreign else table


def _name(kind):
    words = {
        "ellipsis": "...",
        "generator": "a generator",
        "coroutine": "a coroutine",
        "function": "a function",
        "Tensor": "a torch tensor",
        "Fraction": "a Fraction",
        "set": "a set",
        "type": "a class",
    }
    return words.get(kind.__name__, f"an object of type {kind.__name__}")


def is_plain(value: Any) -> bool:
    """Whether no `Foreign` is found anywhere in a value that `plain` gave."""
    return not any(isinstance(leaf, Foreign) for leaf in leaves(value))


def leaves(value: Any) -> list:
    """The arrays, numbers, strings and Nones of a nested value, in order."""
    if isinstance(value, dict):
        return [leaf for v in value.values() for leaf in leaves(v)]
    if isinstance(value, (list, tuple)):
        return [leaf for v in value for leaf in leaves(v)]
    return [value]


def copy(value: Any) -> Any:
    """A deep copy of plain data: NumPy scalars stay scalars, and no two parts share memory."""
    if isinstance(value, dict):
        return {k: copy(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([copy(v) for v in value])
    return value.copy() if isinstance(value, np.ndarray) else value


def changed(before: Any, after: Any) -> str | None:
    """Where ``after`` is no longer what ``before`` was, to the bit: a path such as ``["w1"]``, or None.

    The path of the value itself is the empty string.
    """
    if type(before) is not type(after):
        return ""
    if isinstance(before, np.ndarray):
        same = before.shape == after.shape and before.dtype == after.dtype
        return None if same and before.tobytes() == after.tobytes() else ""
    if isinstance(before, dict):
        if list(before) != list(after):
            return ""
        parts = [(f'["{k}"]' if isinstance(k, str) else f"[{k!r}]", before[k], after[k]) for k in before]
    elif isinstance(before, (list, tuple)):
        if len(before) != len(after):
            return ""
        parts = [(f"[{i}]", b, a) for i, (b, a) in enumerate(zip(before, after, strict=True))]
    else:
        # a number or string is never overwritten, but a list may have got another one in its place
        same = before == after or (before != before and after != after)
        return None if same else ""
    for name, b, a in parts:
        if (path := changed(b, a)) is not None:
            return name + path
    return None
