"""Plain data as bytes and back: JSON for the structure, raw bytes for the arrays, and nothing that can run.

What comes out of a learner's process is read with this, and what lies beside a notebook for its checks.
`decode` trusts nothing: every type, size and depth is checked, and whatever is not exactly right raises
`WireError`.
"""

import json
import math
import re
import struct
from typing import Any

import numpy as np

from fmkit.lab.judging.plain import Foreign

_HEAD = struct.Struct(">Q")
_DTYPE = re.compile(r"[<>|](?:b1|i[1248]|u[1248]|f(?:2|4|8|16)|c(?:8|16|32)|U[0-9]{1,7})")
_MAX_DEPTH = 60  # of the JSON; plain data itself is at most 20 deep
_MAX_PARTS = 300_000
_MAX_DIGITS = 1000
_NUMPY_SCALARS = tuple(set(np.sctypeDict.values()))


class WireError(ValueError):
    """The bytes are not what `encode` writes."""


def frame(body: bytes) -> bytes:
    """A message with its length before it."""
    return _HEAD.pack(len(body)) + body


def unframe(received: bytes | bytearray) -> tuple[int, int]:
    """Where the body of a message begins and ends; the end is -1 as long as its length is not known."""
    if len(received) < _HEAD.size:
        return _HEAD.size, -1
    return _HEAD.size, _HEAD.size + _HEAD.unpack_from(received)[0]


# --- writing -----------------------------------------------------------------------------------------------


def encode(value: Any) -> bytes:
    """Bytes of a plain value (see `fmkit.lab.judging.plain`); NumPy scalars stay scalars.

    Raises
    ------
    TypeError
        When a part is not plain data.
    """
    arrays: list[bytes] = []
    tree = _tree(value, arrays)
    text = json.dumps(tree, separators=(",", ":")).encode("ascii")
    return b"".join((_HEAD.pack(len(text)), text, *arrays))


def _tree(value, arrays):
    kind = type(value)
    if kind in (type(None), bool, str, float):
        return value
    if kind is int:
        huge = value.bit_length() > 3 * _MAX_DIGITS
        return ["foreign", "an int of more than a thousand digits"] if huge else value
    if kind is complex:
        return ["complex", value.real, value.imag]
    if kind in (list, tuple):
        return [kind.__name__, *(_tree(v, arrays) for v in value)]
    if kind is dict:
        return ["dict", *(_tree(part, arrays) for item in value.items() for part in item)]
    if kind is Foreign:
        return ["foreign", str(value.kind)[:200]]
    if kind is np.ndarray or kind in _NUMPY_SCALARS:
        array = np.asarray(value)
        if not _DTYPE.fullmatch(array.dtype.str):
            raise TypeError(f"an array of {array.dtype} is not plain data")
        arrays.append(array.tobytes())
        return ["array" if kind is np.ndarray else "scalar", array.dtype.str, *array.shape]
    raise TypeError(f"an object of type {kind.__name__} is not plain data")


# --- reading -----------------------------------------------------------------------------------------------


def decode(data: bytes | bytearray | memoryview) -> Any:
    """The value that `encode` was given.

    Raises
    ------
    WireError
        When the bytes are anything else.
    """
    data = memoryview(data)
    if len(data) < _HEAD.size:
        raise WireError("it is cut off")
    begin = _HEAD.size + _HEAD.unpack_from(data)[0]
    if begin > len(data):
        raise WireError("it is cut off")
    try:
        tree = json.loads(bytes(data[_HEAD.size : begin]).decode("ascii"))
        reader = _Reader(data[begin:])
        value = reader.value(tree, 0)
    except WireError:
        raise
    except (ValueError, TypeError, RecursionError, OverflowError, MemoryError) as error:
        raise WireError(f"it is not plain data ({type(error).__name__})") from None
    if len(reader.left):
        raise WireError("bytes are left over")
    return value


class _Reader:
    """Turns the JSON tree into the value; the arrays are taken from ``left`` in their order."""

    def __init__(self, left: memoryview):
        self.left = left
        self.parts = 0

    def value(self, tree, depth):
        self.parts += 1
        if depth > _MAX_DEPTH or self.parts > _MAX_PARTS:
            raise WireError("it is too large or too deeply nested")
        if type(tree) is not list:
            if type(tree) is dict:
                raise WireError("it contains a JSON object")
            return tree
        if not tree or type(tree[0]) is not str:
            raise WireError("a part has no name")
        name, rest = tree[0], tree[1:]
        if name in ("list", "tuple"):
            values = [self.value(v, depth + 1) for v in rest]
            return values if name == "list" else tuple(values)
        if name == "dict":
            return self.table(rest, depth)
        if name in ("array", "scalar"):
            array = self.array(*rest)
            return array if name == "array" else array[()]
        if name == "complex" and [type(v) for v in rest] == [float, float]:
            return complex(*rest)
        if name == "foreign" and [type(v) for v in rest] == [str]:
            return Foreign(rest[0][:200])
        raise WireError("a part has an unknown name")

    def table(self, rest, depth):
        values = [self.value(v, depth + 1) for v in rest]
        if len(values) % 2:
            raise WireError("a key has no value")
        return dict(zip(values[::2], values[1::2], strict=True))  # TypeError: not a key

    def array(self, dtype, *shape):
        if type(dtype) is not str or not _DTYPE.fullmatch(dtype) or len(shape) > 32:
            raise WireError("an array is malformed")
        if any(type(size) is not int or not 0 <= size < 1 << 48 for size in shape):
            raise WireError("the shape of an array is malformed")
        dtype, count = np.dtype(dtype), math.prod(shape)
        size = count * dtype.itemsize
        if size > len(self.left) or (count and not size):
            raise WireError("the bytes of an array are missing")
        if not count:
            return np.empty(shape, dtype)
        taken, self.left = self.left[:size], self.left[size:]
        array = np.frombuffer(taken, dtype, count).reshape(shape).copy()
        if dtype.kind == "b":
            return array.view(np.uint8) != 0
        if (
            dtype.kind == "U"
            and array.view(dtype.byteorder.replace("|", "<") + "u4").max(initial=0) > 0x10FFFF
        ):
            raise WireError("a character is not Unicode")
        return array
