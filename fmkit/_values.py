"""One refusal for a wrong number, and for a text where a list of texts is meant; both name the argument."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

_WHOLE = int, np.integer
_NUMBER = float, int, np.floating, np.integer


def demand(fine: bool, name: str, allowed: str, value: Any) -> None:
    """Refuse what breaks a rule of its own; for a plain number `whole` and `number` know the usual ones.

    Raises
    ------
    ValueError
        Where ``fine`` is false.

    Examples
    --------
    >>> T = 0
    >>> demand(T > 0, "ids", "a token to read", f"{T} tokens")
    Traceback (most recent call last):
    ValueError: ids: expected a token to read, got 0 tokens
    """
    if not fine:
        raise ValueError(f"{name}: expected {allowed}, got {value}")


def whole(name: str, n: Any, least: float = -math.inf) -> int:
    """``n`` as Python's own int, once it is a whole number from ``least`` on. (2.0 is none, to Python.)

    Raises
    ------
    TypeError
        For a fraction, a text, None.
    ValueError
        For a number below ``least``.

    Examples
    --------
    >>> whole("top_k", 0, 1)
    Traceback (most recent call last):
    ValueError: top_k: expected a whole number >= 1, got 0
    """
    kind = isinstance(n, _WHOLE)
    if kind and n >= least:
        return int(n)
    allowed = "" if least == -math.inf else f" >= {least}"
    raise (ValueError if kind else TypeError)(f"{name}: expected a whole number{allowed}, got {n!r:.60}")


def number(
    name: str,
    x: Any,
    least: float = -math.inf,
    most: float = math.inf,
    *,
    above: float = -math.inf,
    below: float = math.inf,
) -> float:
    """``x`` as Python's own float, once it is a finite number in this range.

    (NumPy's own numbers would turn float32 into float64.)

    Raises
    ------
    TypeError
        For what is not a number.
    ValueError
        For a number out of range, infinite or NaN.

    Examples
    --------
    >>> number("p", 1.5, 0, below=1)
    Traceback (most recent call last):
    ValueError: p: expected a number >= 0 and < 1, got 1.5
    """
    kind = isinstance(x, _NUMBER)
    if kind and least <= x <= most and above < x < below:
        return float(x)
    limits = {">=": least, ">": above, "<=": most, "<": below}
    allowed = " and ".join(f"{sign} {limit}" for sign, limit in limits.items() if math.isfinite(limit))
    what = (
        "a number " + allowed
        if allowed and not (kind and math.isinf(x))
        else f"a finite number {allowed}".rstrip()
    )
    raise (ValueError if kind else TypeError)(f"{name}: expected {what}, got {x!r:.60}")


def generator(rng: Any) -> None:
    """Refuse what is not a random generator: a seed would give the same numbers in every call.

    Examples
    --------
    >>> generator(0)
    Traceback (most recent call last):
    TypeError: rng: expected a numpy.random.Generator, got 0; np.random.default_rng(0) is one
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng: expected a numpy.random.Generator, got {rng!r}; np.random.default_rng(0) is one"
        )


def one_text(name: str, text: Any) -> None:
    """Refuse what is not one str.

    Raises
    ------
    TypeError
        For anything else.

    Examples
    --------
    >>> one_text("text", ["to be"])
    Traceback (most recent call last):
    TypeError: text: expected one str, got a list
    """
    if not isinstance(text, str):
        raise TypeError(f"{name}: expected one str, got {kind_of(text)}")


def listed(name: str, values: Any, what: str = "texts") -> None:
    """Refuse one str where a list of them is meant: Python would go through its letters.

    Raises
    ------
    TypeError
        For a str, bytes, and what cannot be gone through at all.

    Examples
    --------
    >>> listed("texts", "to be")
    Traceback (most recent call last):
    TypeError: texts: expected a list of texts, got one str; [text] is a list of one
    """
    if isinstance(values, str | bytes):
        kind = type(values).__name__
        raise TypeError(f"{name}: expected a list of {what}, got one {kind}; [{what[:-1]}] is a list of one")
    if not isinstance(values, Iterable):
        raise TypeError(f"{name}: expected a list of {what}, got {values!r:.60}")


def instance(name: str, value: Any, kind: type) -> None:
    """Refuse what is not one of this class.

    Raises
    ------
    TypeError
        For anything else.

    Examples
    --------
    >>> instance("model", None, dict)
    Traceback (most recent call last):
    TypeError: model: expected a dict, got None
    """
    if not isinstance(value, kind):
        raise TypeError(f"{name}: expected a {kind.__name__}, got {kind_of(value)}")


def holds(name: str, params: Any, names: set[str], what: str) -> None:
    """Refuse what is not a dict with these names, at least.

    Raises
    ------
    TypeError
        For what is not a dict.
    ValueError
        For a dict that lacks one of them.

    Examples
    --------
    >>> holds("p", {"wo": 1}, {"wqkv", "wo"}, "an attention's")
    Traceback (most recent call last):
    ValueError: p: expected an attention's, got a dict of wo
    """
    if not isinstance(params, dict):
        raise TypeError(f"{name}: expected {what}, got {kind_of(params)}")
    if not names <= params.keys():
        raise ValueError(f"{name}: expected {what}, got a dict of {', '.join(map(str, params)) or 'nothing'}")


def kind_of(value: Any) -> str:
    """What a value is, for a message.

    Examples
    --------
    >>> kind_of([1]), kind_of(1), kind_of(None)
    ('a list', 'an int', 'None')
    """
    if value is None:
        return "None"
    kind = "array" if isinstance(value, np.ndarray) else type(value).__name__
    return f"{'an' if kind[0] in 'aeiouAEIO' else 'a'} {kind}"
