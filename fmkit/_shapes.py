"""One refusal for every wrong shape, in words that name the argument."""

from typing import Any

import numpy as np


def expect(name: str, array: Any, shape: tuple[int | None, ...], letters: str) -> None:
    """Refuse an array of another shape: NumPy would broadcast it, or complain without naming it.

    Parameters
    ----------
    name : str
        The argument, as the signature calls it.
    array : ndarray
    shape : tuple of int or None
        None stands for any size.
    letters : str
        The same shape as the docstring writes it: ``"(N, C)"``.

    Raises
    ------
    TypeError
        For what is not an array.
    ValueError
        For another shape.

    Examples
    --------
    >>> expect("targets", np.zeros((3, 1)), (3,), "(N,)")
    Traceback (most recent call last):
    ValueError: targets: expected (N,) = (3,), got (3, 1)
    """
    got = getattr(array, "shape", None)
    if got == shape:  # nearly always, and cheap: this stands in front of every layer
        return
    if got is None:
        raise TypeError(f"{name}: expected an array {letters}, got {_kind(array)}; np.array(...) makes one")
    if len(got) != len(shape) or any(want not in (None, n) for want, n in zip(shape, got, strict=True)):
        raise ValueError(f"{name}: expected {letters}{_sizes(shape)}, got {got}")


def _sizes(shape: tuple[int | None, ...]) -> str:
    return "" if None in shape else f" = {shape}"


def _kind(value: Any) -> str:
    return "a number" if np.isscalar(value) and not isinstance(value, str) else f"a {type(value).__name__}"
