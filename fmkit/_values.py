"""One refusal for a wrong number, and for a text where a list of texts is meant; both name the argument."""

from collections.abc import Iterable
from typing import Any

import numpy as np


def demand(fine: bool, name: str, allowed: str, value: Any) -> None:
    """Refuse a setting that is out of range. (NaN is in no range, for it compares as false with everything.)

    Raises
    ------
    ValueError
        Where ``fine`` is false.

    Examples
    --------
    >>> p = 1.5
    >>> demand(0 <= p < 1, "p", "0 <= p < 1", p)
    Traceback (most recent call last):
    ValueError: p: expected 0 <= p < 1, got 1.5
    """
    if not fine:
        raise ValueError(f"{name}: expected {allowed}, got {value}")


def whole(name: str, n: Any, least: int) -> None:
    """Refuse what is not a whole number from ``least`` on.

    Raises
    ------
    TypeError
        For a fraction (2.0 is one, to Python), a text, None.
    ValueError
        For a number below ``least``.

    Examples
    --------
    >>> whole("top_k", 0, 1)
    Traceback (most recent call last):
    ValueError: top_k must be at least 1, got 0
    """
    if not isinstance(n, int | np.integer):
        raise TypeError(f"{name} must be a whole number, got {n!r}")
    if n < least:
        raise ValueError(f"{name} must be at least {least}, got {n}")


def number(name: str, x: Any) -> None:
    """Refuse what is not a number, with a TypeError; which numbers are right, the caller knows.

    Examples
    --------
    >>> number("temperature", "0.5")
    Traceback (most recent call last):
    TypeError: temperature must be a number, got '0.5'
    """
    if not isinstance(x, int | float | np.number):
        raise TypeError(f"{name} must be a number, got {x!r}")


def share(name: str, p: Any) -> None:
    """Refuse what is not a number from 0 to 1.

    Raises
    ------
    TypeError
        For what is not a number.
    ValueError
        For one below 0 or above 1, or NaN.

    Examples
    --------
    >>> share("p", 1.5)
    Traceback (most recent call last):
    ValueError: p must be from 0 to 1, got 1.5
    """
    number(name, p)
    if not 0 <= p <= 1:
        raise ValueError(f"{name} must be from 0 to 1, got {p}")


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

    Examples
    --------
    >>> one_text("text", ["to be"])
    Traceback (most recent call last):
    TypeError: text: expected one str, got a list
    """
    if not isinstance(text, str):
        kind = type(text).__name__
        raise TypeError(f"{name}: expected one str, got {'an' if kind == 'int' else 'a'} {kind}")


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
        raise TypeError(f"{name}: expected a list of {what}, got {values!r}")
