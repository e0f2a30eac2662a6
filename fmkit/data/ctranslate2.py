"""Whisper out of CTranslate2's file of weights, into safetensors. Nothing of that library is needed."""

import struct
from pathlib import Path

import numpy as np

from fmkit._types import Array
from fmkit.errors import AssetError

_DTYPES = {0: "<f4", 1: "i1", 2: "<i2", 3: "<i4", 4: "<f2"}


class _Reader:
    """Takes numbers and texts off the front of some bytes."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def number(self, kind: str) -> int:
        (value,) = struct.unpack_from("<" + kind, self.data, self.at)
        self.at += struct.calcsize("<" + kind)
        return value

    def text(self) -> str:
        return self.bytes(self.number("H")).rstrip(b"\0").decode()

    def bytes(self, n: int) -> bytes:
        self.at += n
        return self.data[self.at - n : self.at]


def read_ctranslate2(path: Path) -> dict[str, Array]:
    """The arrays of a model, by name: float16, as they are stored.

    The file: its version, the kind of model, and a version of that; then for each array its name, shape,
    dtype and bytes.

    Raises
    ------
    AssetError
        If it is no such file.
    """
    reader = _Reader(path.read_bytes())
    try:
        reader.number("I"), reader.text(), reader.number("I")
        arrays = {}
        for _ in range(reader.number("I")):
            name = reader.text()
            shape = [reader.number("I") for _ in range(reader.number("B"))]
            dtype = np.dtype(_DTYPES[reader.number("B")])
            arrays[name] = np.frombuffer(reader.bytes(reader.number("I")), dtype).reshape(shape)
    except (struct.error, KeyError, ValueError, UnicodeDecodeError) as error:
        raise AssetError(f"{path.name} is not a model of CTranslate2: {error}") from error
    return arrays


def convert_whisper(made: Path) -> None:
    """Turn ``model.bin`` in a folder into ``model.safetensors``, the same numbers under the same names."""
    from safetensors.numpy import save_file

    arrays = read_ctranslate2(made / "model.bin")
    save_file({name: np.ascontiguousarray(a) for name, a in arrays.items()}, made / "model.safetensors")
    (made / "model.bin").unlink()
