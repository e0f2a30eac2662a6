"""An input or a result as a person reads it: small ones whole and rounded, large ones by their shape."""

from typing import Any

import numpy as np

from fmkit.lab.judging.plain import Foreign, leaves

ROOM = 14  # numbers that are shown whole
WIDTH = 100  # characters of a text


def size(value: Any) -> int:
    """How many numbers, or words, a value holds."""
    return sum(
        leaf.size if isinstance(leaf, np.ndarray) else 1 + len(leaf) // 8 if isinstance(leaf, str) else 1
        for leaf in leaves(value)
    )


def case_rows(label: str, names: list[str], case: tuple) -> tuple[tuple[str, str], ...]:
    """One input as rows of a card: arguments whole, the smallest first, as long as there is room."""
    left, whole = ROOM, set()
    for i in sorted(range(len(case)), key=lambda i: size(case[i])):
        if size(case[i]) <= left:
            whole.add(i)
            left -= size(case[i])
    texts = [f"{n} = {text(v, i in whole)}" for i, (n, v) in enumerate(zip(names, case, strict=False))]
    line = ", ".join(texts)
    if len(line) <= WIDTH:
        return ((label, line),)
    return tuple((label if not i else "", words) for i, words in enumerate(texts))


def text(value: Any, whole: bool = True) -> str:
    """A value in words; with ``whole`` False an array is told by its shape and dtype."""
    if isinstance(value, Foreign):
        return value.kind
    if isinstance(value, np.ndarray):
        return _array(value, whole)
    if isinstance(value, dict):
        return "{" + _joined([f"{key!r}: {text(v, whole)}" for key, v in value.items()]) + "}"
    if isinstance(value, (list, tuple)):
        brackets = "[]" if isinstance(value, list) else "()"
        return brackets[0] + _joined([text(v, whole) for v in value]) + brackets[1]
    if isinstance(value, float):
        return number(value)
    return _cut(repr(value))


def number(value: float | int) -> str:
    """A number in four digits."""
    return f"{value:.4g}"


def _array(value: np.ndarray, whole: bool) -> str:
    if not value.ndim:
        return number(value) if value.dtype.kind == "f" else str(value.item())
    if not whole or value.size > ROOM:
        return f"array {value.shape} {value.dtype}"
    if not value.size:
        return f"empty array {value.shape}"
    words = _nested(value)
    return f"{words} {value.dtype}" if value.dtype == np.float32 else words


def _nested(value) -> str:
    if np.ndim(value):
        return "[" + ", ".join(_nested(v) for v in value) + "]"
    return number(float(value)) if value.dtype.kind == "f" else repr(value.item())


def _joined(items: list[str]) -> str:
    """Items in a row; of too many, or too long ones, those in the middle go."""
    room = 2 * WIDTH - 7
    if len(items) < 3 or len(", ".join(items)) <= room:
        return _cut(", ".join(items))
    begin, end = items[:1], items[-1:]
    for one, other in zip(items[1:], items[-2::-1], strict=True):
        if len(", ".join((*begin, one, *end))) > room:
            break
        begin.append(one)
        if len(", ".join((*begin, other, *end))) > room:
            break
        end.insert(0, other)
    return _cut(", ".join((*begin, "...", *end)))


def _cut(words: str) -> str:
    """A long text without its middle: the end often matters as much as the beginning."""
    if len(words) <= 2 * WIDTH:
        return words
    return f"{words[:WIDTH]} ... {words[-WIDTH + 5 :]}"
