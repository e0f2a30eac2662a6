"""A file of weights as CTranslate2 writes it: what goes in comes out, and another file is refused."""

import struct

import numpy as np
import pytest

from fmkit.data.ctranslate2 import convert_whisper, read_ctranslate2
from fmkit.errors import AssetError


def text(word):
    return struct.pack("<H", len(word) + 1) + word.encode() + b"\0"


def model(arrays, kinds):
    data = struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, len(arrays))
    for name, array in arrays.items():
        data += text(name) + struct.pack(f"<B{array.ndim}I", array.ndim, *array.shape)
        data += struct.pack("<BI", kinds[array.dtype.str[1:]], array.nbytes) + array.tobytes()
    return data


KINDS = {"f4": 0, "i1": 1, "i2": 2, "i4": 3, "f2": 4}


def test_what_goes_in_comes_out(tmp_path):
    arrays = {
        "encoder/num_heads": np.array(6, np.int16),
        "a/weight": np.arange(6, dtype=np.float16).reshape(2, 3),
        "b": np.arange(4, dtype=np.int32),
    }
    (tmp_path / "model.bin").write_bytes(model(arrays, KINDS))
    found = read_ctranslate2(tmp_path / "model.bin")
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    convert_whisper(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


@pytest.mark.parametrize("data", [b"", b"nonsense", model({"a": np.zeros(3, np.float32)}, KINDS)[:-5]])
def test_another_file_is_refused(tmp_path, data):
    (tmp_path / "model.bin").write_bytes(data)
    with pytest.raises(AssetError, match="not a model of CTranslate2"):
        read_ctranslate2(tmp_path / "model.bin")
