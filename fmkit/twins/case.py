"""One operation in all its forms, and how much two of them may differ."""

from collections.abc import Callable
from dataclasses import dataclass

LOOP, DIFFERENCES, FLOAT32 = "loop", "finite differences", "float32"


@dataclass(frozen=True)
class Case:
    """One operation in all its forms.

    Parameters
    ----------
    forward : (*inputs) -> (out, cache)
    backward : (dout, cache) -> the gradients of the floating inputs, in their order (one array or a tuple;
        for an input that is a nested dict of parameters, a nested dict; for an input that is None, None),
        or None for an operation that is not differentiated (an optimizer)
    inputs : (rng) -> a tuple of float64 arrays, integer or boolean arrays, nested dicts of arrays, None;
        every axis of a different size, so that a transposed axis shows
    torch : the same function on torch tensors of the same layout -> a tensor; imports torch itself
    loop : the same forward in plain Python loops, (*inputs) -> out, or None
    constant : positions of the floating inputs that get no gradient (targets, additive masks)
    """

    forward: Callable
    backward: Callable | None
    inputs: Callable
    torch: Callable
    loop: Callable | None = None
    constant: tuple[int, ...] = ()


def tolerance(column: str) -> float:
    """Largest error allowed in a column, relative to the largest entry of the array compared."""
    return {DIFFERENCES: 1e-6}.get(column, 2e-5 if FLOAT32 in column else 1e-10)
