"""Compare what was expected with what came, both plain data, and say the first thing that differs.

The tolerance is relative to each element, with some slack for elements that are small beside their neighbours
(they carry the rounding of the larger ones). Infinities must be equal; NaN is equal to NaN.
"""

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from fmkit.lab.judging.plain import Foreign


@dataclass(frozen=True)
class Difference:
    """The first thing that differs.

    Attributes
    ----------
    kind : str
        ``none``, ``type``, ``count``, ``order``, ``keys``, ``shape``, ``dtype``, ``nan`` or ``value``.
    message : str
        One sentence.
    rows : tuple of (str, str)
        A small table: where, expected, yours ...
    """

    kind: str
    message: str
    rows: tuple[tuple[str, str], ...] = ()


def difference(expected: Any, got: Any, tolerance: float, strict: bool = True) -> Difference | None:
    """The first difference between two plain values, or None.

    With ``strict`` False only the values count: dtypes and kinds of numbers may differ.
    """
    return _walk(expected, got, _Rule(tolerance, strict), ())


def agree(expected: Any, got: Any, tolerance: float, strict: bool = True) -> bool:
    """Whether there is no `difference`, without finding words for it."""
    return _walk(expected, got, _Rule(tolerance, strict, words=False), ()) is None


@dataclass(frozen=True)
class _Rule:
    tolerance: float
    strict: bool
    words: bool = True


_SOME = Difference("value", "")  # where no words are wanted


def _walk(expected, got, rule, path):
    if isinstance(got, Foreign):
        return _type(expected, got, path)
    if expected is None or got is None:
        return None if expected is got else _none(expected, got, path)
    if isinstance(expected, (list, tuple)):
        return _sequences(expected, _as_list(got, len(expected)), rule, path)
    if isinstance(expected, dict):
        return _dicts(expected, got, rule, path)
    if isinstance(expected, np.ndarray) and expected.ndim and isinstance(got, (list, tuple)):
        got = _as_array(expected, got)
    if isinstance(got, (list, tuple, dict)):
        return _unexpected_container(expected, got, path)
    if isinstance(expected, str) or isinstance(got, str):
        if type(expected) is not type(got):
            return _type(expected, got, path)
        return None if expected == got else _texts(expected, got, path)
    return _arrays(expected, got, rule, path)


def _sequences(expected, got, rule, path):
    if not isinstance(got, (list, tuple)):
        if isinstance(expected, tuple) and not path:
            message = (
                f"{len(expected)} values are expected (return a, b, ...), yours returns one: {kind(got)}."
            )
            return Difference("count", message)
        return _type(expected, got, path)
    if len(expected) != len(got):
        return _lengths(expected, got, path)
    if rule.words and isinstance(expected, tuple) and not path and (swapped := _swapped(expected, got, rule)):
        return Difference("order", f"The values are right, but in another order than expected{swapped}.")
    for i, (e, g) in enumerate(zip(expected, got, strict=True)):
        if found := _walk(e, g, rule, (*path, i if isinstance(expected, list) else (i, len(expected)))):
            return found
    return None


def _as_list(got, count):
    """An array is as good as a list of its numbers, where a list or several values are expected."""
    return list(got) if isinstance(got, np.ndarray) and got.ndim and len(got) == count else got


def _as_array(expected, got):
    """A list of numbers is as good as an array; Python's own numbers have no dtype that could be wrong."""
    try:
        array = np.asarray(got)
    except ValueError:
        return got
    if array.shape != expected.shape or array.dtype.kind not in "biuf" or expected.dtype.kind not in "biuf":
        return got
    kinds = {type(item) for item in _flat(got)}
    return array.astype(expected.dtype) if kinds <= {int, float, bool} else array


def _flat(value):
    return [x for item in value for x in _flat(item)] if isinstance(value, (list, tuple)) else [value]


def _swapped(expected, got, rule):
    """In which order several returned values come, in words, when they are the right ones but swapped."""
    loose = _Rule(rule.tolerance, strict=False, words=False)
    if not 2 <= len(expected) <= 4 or all(
        _walk(e, g, loose, (0,)) is None for e, g in zip(expected, got, strict=True)
    ):
        return ""
    for order in itertools.permutations(range(len(got))):
        if all(_walk(e, got[i], loose, (0,)) is None for e, i in zip(expected, order, strict=True)):
            return ": yours come as " + ", ".join(str(order.index(i) + 1) for i in range(len(got)))
    return ""


def _dicts(expected, got, rule, path):
    if not isinstance(got, dict):
        return _type(expected, got, path)
    missing = [k for k in expected if k not in got]
    extra = [k for k in got if k not in expected]
    if missing or extra:
        parts = [
            f"{label}: {_some(keys)}" for label, keys in (("missing", missing), ("extra", extra)) if keys
        ]
        message = f"The keys of the dict{_of(path)} are not the expected ones ({'; '.join(parts)})."
        return Difference("keys", message)
    for key in expected:
        if found := _walk(expected[key], got[key], rule, (*path, key)):
            return found
    return None


def _arrays(expected, got, rule, path):
    e, g = np.asarray(expected), np.asarray(got)
    if e.shape != g.shape:
        return _shapes(e, g, rule, path) if rule.words else _SOME
    if rule.strict and (found := _numbers(expected, got, e, g, path)):
        return found
    numeric = e.dtype.kind in "biuf" and g.dtype.kind in "biuf"
    if e.dtype.kind != g.dtype.kind and not numeric:
        return _type(expected, got, path)
    right = close(e, g, rule.tolerance)
    if right.all():
        return None
    return _values(e, g, right, path) if rule.words else _SOME


def close(e: np.ndarray, g: np.ndarray, tolerance: float) -> np.ndarray:
    """Which elements of two arrays of one shape agree, as an array of bools."""
    if e.dtype.kind != "f":  # whole numbers, truth values and texts agree exactly
        return np.asarray(e == g)
    relative = max(tolerance, {4: 1e-4, 2: 1e-2}.get(e.dtype.itemsize, 0.0))
    eps = float(np.finfo(e.dtype).eps)
    exact = np.asarray((e == g) | (np.isnan(e) & np.isnan(g)))  # infinities too
    e, g = e.astype(np.float64), g.astype(np.float64)
    with np.errstate(all="ignore"):
        finite = np.isfinite(e) & np.isfinite(g)
        size = np.sort(np.abs(e[np.isfinite(e) & (e != 0)]))
        typical = size[(size.size - 1) // 2] if size.size else 0.0  # the lower median
        largest = size[-1] if size.size else 0.0
        slack = relative * np.abs(e) + max(relative * typical, 64 * eps * largest, 8 * eps)
        return np.asarray(exact | (finite & (np.abs(g - e) <= slack)))


def distance(expected: Any, got: Any) -> float:
    """How far apart two values of one structure are: the largest error relative to the largest element."""
    if isinstance(expected, dict):
        return max((distance(expected[k], got[k]) for k in expected), default=0.0)
    if isinstance(expected, (list, tuple)):
        return max((distance(e, g) for e, g in zip(expected, got, strict=True)), default=0.0)
    e, g = np.asarray(expected), np.asarray(got)
    if e.dtype.kind != "f" or not e.size:
        return 0.0
    finite = np.isfinite(e) & np.isfinite(g)
    e, g = e[finite].astype(np.float64), g[finite].astype(np.float64)
    largest = float(np.abs(e).max(initial=0.0))
    return float(np.abs(e - g).max(initial=0.0)) / (largest or 1.0)


# --- what to say -------------------------------------------------------------------------------------------


def kind(value: Any) -> str:
    """What a plain value is, in words: ``array of shape (2, 3)``, ``a whole number`` ..."""
    if isinstance(value, Foreign):
        return value.kind
    if isinstance(value, np.ndarray) and value.ndim:
        words = {"c": "of complex numbers, of shape", "U": "of texts, of shape"}
        return f"an array {words.get(value.dtype.kind, 'of shape')} {value.shape}"
    if isinstance(value, np.ndarray):
        words = {"f": "a number", "b": "a truth value", "c": "a complex number", "U": "a text"}
        return words.get(value.dtype.kind, "a whole number")
    names = {
        bool: "a truth value",
        int: "a whole number",
        float: "a number",
        str: "a text",
        complex: "a complex number",
    }
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of {len(value)}"
    return "None" if value is None else names.get(type(value), f"a {type(value).__name__}")


def _of(path):
    """`` (value 2 of 3, ["w1"])``, or nothing for the result itself."""
    return f" ({where(path)})" if path else ""


def where(path: tuple, index: tuple[int, ...] = ()) -> str:
    """A place in words: ``value 2 of 3, ["w1"], [0, 4]``."""
    parts = []
    for step in path:
        if isinstance(step, tuple):
            parts.append(f"value {step[0] + 1} of {step[1]}")
        else:
            parts.append(f'["{step}"]' if isinstance(step, str) else f"[{step!r}]")
    if index:
        parts.append("[" + ", ".join(map(str, index)) + "]")
    return ", ".join(parts) or "the result"


def _type(expected, got, path):
    message = f"The type is not the expected one{_of(path)}: {kind(got)} instead of {kind(expected)}."
    if isinstance(got, Foreign) and got.kind == "a generator":
        message = "Your function is a generator: it says yield where return is wanted."
    elif isinstance(expected, np.ndarray) and expected.ndim and isinstance(got, list):
        message = f"A list came back where a NumPy array is wanted{_of(path)}: np.array(...) makes one of it."
    elif isinstance(expected, list) and isinstance(got, np.ndarray):
        message = f"A NumPy array came back where a list is wanted{_of(path)}: .tolist() makes one of it."
    elif isinstance(got, Foreign) and got.kind == "a torch tensor":
        message = f"A torch tensor came back{_of(path)}; the check wants {kind(expected)}."
    return Difference("type", message, (("expected", kind(expected)), ("yours", kind(got))))


def _none(expected, got, path):
    if got is None and not path:
        return Difference("none", "Your function returns None. Is the return missing, on some path at least?")
    message = f"None came back{_of(path)}; expected is {kind(expected)}."
    if expected is None:
        message = f"None is expected{_of(path)}; yours is {kind(got)}."
    return Difference("none", message)


def _unexpected_container(expected, got, path):
    if isinstance(got, tuple) and not path:
        message = f"One value is expected ({kind(expected)}), yours returns {len(got)}."
        if len(got) == 1:
            message += " Is there a stray comma behind the return?"
        return Difference("count", message)
    if not isinstance(expected, np.ndarray) or not expected.ndim or isinstance(got, dict):
        return _type(expected, got, path)
    return _type(expected, list(got), path)


def _lengths(expected, got, path):
    if isinstance(expected, tuple) and not path:
        return Difference("count", f"{len(expected)} values are expected, yours returns {len(got)}.")
    message = f"The length is not the expected one{_of(path)}."
    at = next((i for i, (e, g) in enumerate(zip(expected, got, strict=False)) if repr(e) != repr(g)), None)
    rows = [("expected", f"length {len(expected)}: {_some(expected)}")]
    rows.append(("yours", f"length {len(got)}: {_some(got)}"))
    if at is not None:
        rows.insert(0, ("differs from", where(path, (at,))))
    return Difference("shape", message, tuple(rows))


def _some(items, room=60):
    text = ", ".join(_number(i) for i in items[:20])
    return text if len(text) <= room and len(items) <= 20 else text[: room - 4] + " ..."


def _texts(e, g, path):
    at = next((i for i, (a, b) in enumerate(zip(e, g, strict=False)) if a != b), min(len(e), len(g)))
    begin = max(at - 20, 0)
    rows = (
        ("where", f"{where(path)}, character {at}"),
        ("expected", repr(e[begin : at + 30])),
        ("yours", repr(g[begin : at + 30])),
    )
    return Difference("value", "The text is not the expected one.", rows)


def _shapes(e, g, rule, path):
    message = f"The shape is not the expected one{_of(path)}."
    if e.ndim == 0:
        message = f"One number is expected{_of(path)}, not {kind(g)}."
    elif g.ndim == 0:
        message = f"{kind(e).capitalize()} is expected{_of(path)}, not one number."
    elif e.ndim > 1 and g.shape == e.shape[::-1]:
        same = e.dtype.kind in "biuf" and g.dtype.kind in "biuf" and close(e, g.T, rule.tolerance).all()
        message = f"The result{_of(path)} is transposed" + (": its values are right." if same else ".")
    elif sorted(e.shape) == sorted(g.shape):
        message = f"The axes are in another order than expected{_of(path)}."
    return Difference("shape", message, (("expected", f"shape {e.shape}"), ("yours", f"shape {g.shape}")))


def _numbers(expected, got, e, g, path):
    """A wrong kind of number; a plain Python number is welcome where one number is expected."""
    same_kind = e.dtype.kind == g.dtype.kind or {e.dtype.kind, g.dtype.kind} <= {"i", "u"}
    rows = (("expected", str(e.dtype)), ("yours", str(g.dtype)))
    if same_kind and (e.dtype.kind != "f" or not isinstance(got, np.ndarray)):
        return None
    if same_kind and isinstance(expected, float):
        narrow = g.dtype.itemsize < 4
        return Difference("dtype", f"{g.dtype} is too coarse{_of(path)}.", rows) if narrow else None
    if same_kind and e.dtype == g.dtype:
        return None
    if e.dtype.kind == "f" and e.ndim == 0 and g.dtype.kind in "iu":
        return None  # 0 for 0.0: the values are compared anyway
    message = f"The values are of another dtype than expected{_of(path)}: {g.dtype} instead of {e.dtype}."
    if e.dtype == np.float32 and g.dtype == np.float64:
        message = f"float32 came in, so float32 should come out; yours is float64{_of(path)}."
    elif e.dtype == np.float64 and g.dtype == np.float32:
        message = f"float64 is wanted; yours loses half of its digits by going to float32{_of(path)}."
    return Difference("dtype", message, rows)


def _values(e, g, right, path):
    at = tuple(int(i) for i in np.argwhere(~right)[0])
    wrong = int((~right).sum())
    rows = [("where", where(path, at)), ("expected", _number(e[at], g[at])), ("yours", _number(g[at], e[at]))]
    if e.ndim:
        rows.append(("wrong", f"{wrong} of {e.size} elements, shape {e.shape}"))
    if e.dtype.kind != "f" or g.dtype.kind not in "fiu":
        return Difference("value", f"The values are not the expected ones{_of(path)}.", tuple(rows))
    e64, g64 = e.astype(np.float64), g.astype(np.float64)
    lost = np.isfinite(e64) & ~np.isfinite(g64)
    if lost.any():
        name = "NaN (not a number)" if np.isnan(g64[lost]).any() else "an infinity"
        at = tuple(int(i) for i in np.argwhere(lost)[0])
        rows[:3] = [("where", where(path, at)), ("expected", _number(e[at])), ("yours", _number(g[at]))]
        return Difference("nan", f"{name} came back where a number is expected{_of(path)}.", tuple(rows))
    with np.errstate(invalid="ignore"):
        error = np.abs(g64 - e64)[np.isfinite(e64) & np.isfinite(g64)]
    if e.ndim and error.size:
        rows.append(("largest error", f"{float(error.max()):.3g}"))
    return Difference("value", f"The values are not the expected ones{_of(path)}.", tuple(rows))


def _number(value, other=None):
    """A number in six digits, or in more where six would hide how it differs from ``other``."""
    if isinstance(value, (str, np.str_)):
        return repr(str(value))[:60]
    if isinstance(value, (list, tuple, dict, bool, np.bool_)) or value is None:
        return str(value)[:60]
    array = np.asarray(value)
    if array.ndim or array.dtype.kind not in "fiu":
        return kind(value)
    if array.dtype.kind != "f":
        return str(int(array))
    text = f"{float(array):.6g}"
    if other is not None and np.isfinite(other) and f"{float(other):.6g}" == text:
        text = f"{float(array):.12g}"
    return text
