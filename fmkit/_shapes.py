"""What an argument must be, and one refusal for what it is not, in words that name the argument.

Each check is one line at the top of a public function, cheap enough to stand in front of every layer.
"""

from typing import Any

import numpy as np

from fmkit._values import demand, kind_of


def expect(name: str, array: Any, shape: tuple[int | None, ...], letters: str) -> None:
    """Refuse an array of another shape: NumPy would broadcast it, or complain without naming it.

    Parameters
    ----------
    name : str
        The argument, as the signature calls it.
    array : ndarray
        Or a plain number, where the shape is ().
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
    if got == shape:  # nearly always, and cheap
        return
    if got is None:
        if shape == () and isinstance(array, int | float):
            return
        raise TypeError(f"{name}: expected an array {letters}, got {kind_of(array)}; np.array(...) makes one")
    if len(got) == len(shape):
        for want, n in zip(shape, got, strict=True):
            if want != n and want is not None:
                break
        else:
            return
    raise ValueError(f"{name}: expected {letters}{_sizes(shape)}, got {got}")


def matrix(name: str, w: Any, rows: int | None, letters: str) -> None:
    """`expect` for numbers of the shape ``(rows, None)``, which is asked for most: in a third of the time.

    Raises
    ------
    TypeError, ValueError
        As `expect`; for a matrix without a row or a column, too.

    Examples
    --------
    >>> matrix("w", np.zeros((4, 3)), 5, "(C_in, C_out)")
    Traceback (most recent call last):
    ValueError: w: expected (C_in, C_out) = (5, any), got (4, 3)
    """
    try:
        if w.ndim == 2 and w.shape[0] == rows and w.size and w.dtype.char in "fdg":
            return
    except AttributeError:
        pass  # `expect` says what it is
    expect(name, w, (rows, None), letters)
    floats(name, w)
    demand(w.size > 0, name, "a row and a column at least", w.shape)


def floats(name: str, x: Any, axes: int = 0, letters: str = "") -> Any:
    """``x`` itself, if it holds float32 or float64; whole numbers and booleans as float64.

    (Left alone, arrays of bytes would wrap around below 0, and an exponential of them come out as float16.)

    Parameters
    ----------
    name : str
        The argument, as the signature calls it.
    x : ndarray
        Or a plain number.
    axes : int
        How many axes it must have at least; with ``letters``, exactly.
    letters : str
        Its shape as the docstring writes it: ``"(B, T, C)"``.

    Raises
    ------
    TypeError
        For what is not an array of such numbers. float16 is not: its sums end at 65504.
    ValueError
        For another number of axes.

    Examples
    --------
    >>> floats("x", np.array([1, 2]))
    array([1., 2.])
    >>> floats("x", np.array([1, 2], np.float16))
    Traceback (most recent call last):
    TypeError: x: expected float32 or float64, got float16
    """
    try:
        kind = x.dtype.char
    except AttributeError:
        if not isinstance(x, int | float):
            raise TypeError(f"{name}: expected an array, got {kind_of(x)}; np.array(...) makes one") from None
        x = np.float64(x)
        kind = "d"
    if kind not in "fdg":
        if kind not in "?bBhHiIlLqQ":
            raise TypeError(f"{name}: expected float32 or float64, got {x.dtype}")
        x = x.astype(np.float64)
    if x.ndim != axes and (letters or x.ndim < axes):
        raise ValueError(f"{name}: expected {letters or f'{axes} axis or more'}, got shape {x.shape}")
    return x


def integers(name: str, array: Any, stop: int | None = None) -> None:
    """Refuse what are not whole numbers, or not numbers from 0 to ``stop`` - 1.

    NumPy would cut fractions off, take booleans for a choice of rows, and read negative ids from the end.

    Raises
    ------
    TypeError
        For what is not an array of integers.
    ValueError
        For an integer that is out of range.

    Examples
    --------
    >>> integers("ids", np.array([0, 7]), stop=5)
    Traceback (most recent call last):
    ValueError: ids: expected 0 to 4, got 0 to 7
    """
    dtype = getattr(array, "dtype", None)
    if getattr(dtype, "kind", None) not in ("i", "u"):
        got = f"{dtype} numbers" if isinstance(array, np.ndarray) else kind_of(array)
        raise TypeError(f"{name}: expected an array of integers, got {got}")
    if stop is not None and array.size and (array.min() < 0 or array.max() >= stop):
        raise ValueError(f"{name}: expected 0 to {stop - 1}, got {array.min()} to {array.max()}")


def zeros_and_ones(name: str, mask: Any) -> None:
    """Refuse a mask of anything but 0 and 1 (or booleans): one of 0 and -inf would be read upside down.

    Raises
    ------
    TypeError
        For what is not an array.
    ValueError
        For another value.

    Examples
    --------
    >>> zeros_and_ones("mask", np.array([0.0, -np.inf]))
    Traceback (most recent call last):
    ValueError: mask: expected 0 or 1 (or booleans) everywhere, got -inf
    """
    if not isinstance(mask, np.ndarray):
        raise TypeError(f"{name}: expected an array of 0 and 1, got {kind_of(mask)}; np.array(...) makes one")
    other = mask[(mask != 0) & (mask != 1)]
    if other.size:
        raise ValueError(f"{name}: expected 0 or 1 (or booleans) everywhere, got {other[0]}")


def float_dtype(dtype: Any) -> np.dtype:
    """float32 or float64 as NumPy's own dtype: as integers, small weights are 0 and -inf is not there.

    Raises
    ------
    TypeError
        For another dtype.

    Examples
    --------
    >>> float_dtype(int)
    Traceback (most recent call last):
    TypeError: dtype: expected float32 or float64, got int64
    """
    try:
        known = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"dtype: expected float32 or float64, got {dtype!r:.60}") from None
    if known.char not in "fdg":
        raise TypeError(f"dtype: expected float32 or float64, got {known}")
    return known


def opened(cache: Any, parts: int, forward: str) -> tuple:
    """A cache, once it has the parts of this forward's: another one, or ``dout``, would be taken apart, too.

    Raises
    ------
    TypeError
        For what is not a tuple of that many parts.

    Examples
    --------
    >>> opened(np.zeros((3, 2)), 3, "linear")
    Traceback (most recent call last):
    TypeError: cache: expected the one of linear, got an array; a backward takes (dout, cache)
    """
    if type(cache) is tuple and len(cache) == parts:
        return cache
    got = f"a tuple of {len(cache)}" if type(cache) is tuple else kind_of(cache)
    raise TypeError(f"cache: expected the one of {forward}, got {got}; a backward takes (dout, cache)")


def _sizes(shape: tuple[int | None, ...]) -> str:
    """The sizes behind the letters, as far as they are fixed: (3, any)."""
    if all(n is None for n in shape):
        return ""
    sizes = ", ".join("any" if n is None else str(n) for n in shape)
    return f" = ({sizes}{',' * (len(shape) == 1)})"
