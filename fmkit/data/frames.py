"""Pickled tables and lists of other packages, read by unpicklers that run no code.

A pickle may name any function to be called. These let none pass but the few that build an array.
"""

import io
import lzma
import pickle
from pathlib import Path

import numpy as np

from fmkit._types import Array


class Plain(pickle.Unpickler):
    """Lists, tuples, dicts, texts and numbers only."""

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"this file wants to call {module}.{name}")


def read_plain(data: bytes):
    """What a pickle of plain lists, dicts, texts and numbers holds."""
    return Plain(io.BytesIO(data)).load()


class _Part:
    """Stands for any object of pandas: what it was made of."""

    def __init__(self, *args, **more):
        self.args, self.more = args, more

    def __setstate__(self, state):
        self.state = state


def _index(_, made_of: dict) -> _Part:
    return _Part(**made_of)


def _block(values: Array, placement, ndim: int) -> _Part:
    return _Part(values, placement)


class _Frame(pickle.Unpickler):
    """A data frame of pandas, without pandas."""

    BUILDS = {
        ("numpy", "dtype"): np.dtype,
        ("numpy", "ndarray"): np.ndarray,
        ("builtins", "slice"): slice,
        ("pandas.core.indexes.base", "_new_Index"): _index,
        ("pandas._libs.internals", "_unpickle_block"): _block,
    }

    def find_class(self, module, name):
        if (module, name) in self.BUILDS:
            return self.BUILDS[module, name]
        if module.startswith(("numpy.core.", "numpy._core.")) and name in ("_frombuffer", "_reconstruct"):
            from numpy._core import multiarray, numeric

            return getattr(numeric if name == "_frombuffer" else multiarray, name)
        if module.startswith("pandas."):
            return type(name, (_Part,), {})
        raise pickle.UnpicklingError(f"this file wants to call {module}.{name}")


def read_frame(path: Path) -> dict[str, Array]:
    """The columns of a pickled, lzma-compressed data frame, by name.

    Raises
    ------
    pickle.UnpicklingError
        If the file asks for a function that no table needs.
    """
    manager = _Frame(io.BytesIO(lzma.decompress(path.read_bytes()))).load().state["_mgr"]
    blocks, axes = manager.args[:2]
    names = list(axes[0].more["data"])
    columns = {}
    for block in blocks:
        values, placement = block.args
        places = range(len(names))[placement] if isinstance(placement, slice) else placement
        columns |= {names[place]: row for place, row in zip(places, values, strict=True)}
    return {name: columns[name] for name in names}
