"""What an answer did, in a few numbers: enough to see whether two answers do the same, and no more.

Of each outcome a sketch keeps the form (shapes, texts, where a number is infinite, the exception's type) as a
short hash, and two weighted sums of its numbers with their scale.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from fmkit.lab.judging.answer import Outcome

_CLOSE, _CLOSE32 = 1e-5, 2e-4  # of the scale; where float32 came back
_STEPS = (0.7312, 1.9337)


@dataclass(frozen=True)
class Sketch:
    """Of the outcomes on some inputs.

    Attributes
    ----------
    forms, words : str
        Hashes: of each form, and of the exceptions' messages.
    numbers : array (inputs, 3) float32
        Two weighted sums over their scale, and the scale.
    is_coarse : bool
        Whether float32 is among the values.
    """

    forms: str
    words: str
    numbers: np.ndarray
    is_coarse: bool = False

    def is_like(self, other: "Sketch", words: bool = False) -> bool:
        """Whether both did the same; with ``words`` in their exceptions' messages, too."""
        if self.forms != other.forms or (words and self.words != other.words):
            return False
        close = _CLOSE32 if self.is_coarse or other.is_coarse else _CLOSE
        a, b = self.numbers.astype(np.float64), other.numbers.astype(np.float64)
        with np.errstate(invalid="ignore"):
            same = (a[:, 2] == b[:, 2]) | (np.abs(a[:, 2] - b[:, 2]) <= close * b[:, 2])
        return bool(same.all() and (np.abs(a[:, :2] - b[:, :2]) <= close).all())


def sketch(outcomes: list[Outcome]) -> Sketch:
    """The sketch of what an answer did."""
    forms, rows, coarse = [], [], False
    for outcome in outcomes:
        form: list[str] = [outcome.failure.type if outcome.failure else "value"]
        arrays: list[np.ndarray] = []
        _collect(outcome.value, form, arrays)
        coarse = coarse or any(a.dtype == np.float32 for a in arrays)
        forms.append(_hash(form))
        rows.append(_sums([a.astype(np.float64).ravel() for a in arrays]))
    messages = [o.failure.message for o in outcomes if o.failure]
    with np.errstate(over="ignore"):  # a scale beyond float32 is infinite
        return Sketch("".join(forms), _hash(messages), np.array(rows).astype(np.float32), coarse)


def _hash(texts) -> str:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "replace")).hexdigest()[:10]


def _collect(value: Any, form: list[str], arrays: list[np.ndarray]) -> None:
    """Describe a plain value, and take its numbers out."""
    if isinstance(value, dict):
        form.append("{" + ",".join(map(repr, value)))
        for part in value.values():
            _collect(part, form, arrays)
    elif isinstance(value, (list, tuple)):
        form.append(f"[{len(value)}")
        for part in value:
            _collect(part, form, arrays)
    elif isinstance(value, (np.ndarray, bool, int, float)) and np.asarray(value).dtype.kind in "biuf":
        array = np.asarray(value)
        finite = np.isfinite(array)
        odd = "" if finite.all() else repr(np.where(finite, 0.0, array).tolist())
        form.append(f"{array.shape} {odd}")
        arrays.append(np.where(finite, array, 0))
    else:  # a text, None, an array of texts or of complex numbers, something foreign
        form.append(repr(value.tolist() if isinstance(value, np.ndarray) else value))


def _sums(parts) -> tuple[float, float, float]:
    numbers = np.concatenate(parts) if parts else np.zeros(0)
    with np.errstate(over="ignore", invalid="ignore"):
        scale = float(np.abs(numbers).sum())
        if not scale or not np.isfinite(scale):
            return 0.0, 0.0, scale
        places = np.arange(1, numbers.size + 1)
        return *(float(np.cos(step * places) @ (numbers / scale)) for step in _STEPS), scale
