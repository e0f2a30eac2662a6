"""Plain data through a pipe: it comes back to the bit, and nothing else is believed."""

import contextlib
import json
import struct

import numpy as np
import pytest
from helpers.values import same

from fmkit.lab.judging.plain import Foreign
from fmkit.lab.judging.wire import WireError, decode, encode, frame, unframe

VALUES = [
    None,
    True,
    7,
    -(10**300),
    0.1,
    float("nan"),
    float("-inf"),
    -0.0,
    1 + 2j,
    "Gr\u00fc\u00dfe \ud800 \x00",
    [1, (2.0, [None]), {}],
    {"a": 1, 2: [3], (1, 2): "t", None: ()},
    np.arange(6.0).reshape(2, 3).T,
    np.zeros((0, 3), np.float32),
    np.array(5, np.int8),
    np.float32(0.1),
    np.bool_(True),
    np.array([True, False]),
    np.array(["a", "bcd"]),
    np.array([1 + 1j], np.complex64),
    np.array([np.nan, np.inf], np.float16),
    np.arange(3, dtype=">i4"),
    Foreign("a generator"),
    [],
    (),
    "",
]


@pytest.mark.parametrize("value", VALUES, ids=lambda v: type(v).__name__)
def test_plain_data_comes_back(value):
    assert same(decode(encode(value)), value)
    assert same(decode(encode([value, value])), [value, value])


def test_what_comes_back_can_be_written_to():
    back = decode(encode(np.zeros(3)))
    back[0] = 1.0
    assert back.tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("value", [object(), {1, 2}, b"x", np.array([None]), np.datetime64("2020"), len])
def test_anything_else_is_refused(value):
    with pytest.raises(TypeError):
        encode(value)


def test_huge_numbers_become_words():
    assert isinstance(decode(encode(1 << 10_000)), Foreign)


def message(tree, rest=b""):
    text = tree if isinstance(tree, bytes) else json.dumps(tree).encode()
    return struct.pack(">Q", len(text)) + text + rest


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04\x95",  # a pickle's beginning
        struct.pack(">Q", 1 << 60) + b"1",
        message(b"\xff"),
        message(b"{"),
        message({}),
        message([]),
        message([["list"]]),
        message(["set", 1]),
        message(["dict", 1]),
        message(["dict", ["list"], 1]),
        message(["dict", ["array", "<f8", 0], 1]),
        message(["complex", 1, 2]),
        message(["foreign", 1]),
        message(["foreign"]),
        message(["array"]),
        message(["array", "<f8", 2], bytes(8)),
        message(["array", "<f8", 1], bytes(16)),
        message(["array", "<f8", -1]),
        message(["array", "<f8", True], bytes(8)),
        message(["array", "<f8", 1.0], bytes(8)),
        message(["array", "<f8", 1 << 40, 1 << 40]),
        message(["array", "<f8", *([1] * 40)], bytes(8)),
        message(["array", "|O", 1], bytes(8)),
        message(["array", "<M8[s]", 1], bytes(8)),
        message(["array", "|V8", 1], bytes(8)),
        message(["array", "<U0", 10**12]),
        message(["array", "<U1", 1], b"\xff\xff\xff\xff"),
        message(["array", [["a", "<f8"]], 1], bytes(8)),
        message(["scalar", "<f8, (1000000,1000000)f8"], bytes(8)),
        message(b"9" * 10_000),
        message(b'["list",' * 100 + b"1" + b"]" * 100),
        message(b'["list",' * 100_000 + b"1" + b"]" * 100_000),
        message(b'["list"' + b",0" * 310_000 + b"]"),
    ],
)
def test_other_bytes_are_refused(data):
    with pytest.raises(WireError):
        decode(data)


def test_truth_values_are_true_or_false():
    array = decode(message(["array", "|b1", 3], b"\x00\x07\xff"))
    assert array.tobytes() == b"\x00\x01\x01"


def test_every_cut_and_every_changed_byte_is_data_or_refused():
    data = encode([np.arange(4.0), {"a": (1, None)}, "text"])
    for at in range(len(data)):
        with pytest.raises(WireError):
            decode(data[:at])
        for bit in (1, 16, 128):
            changed = bytearray(data)
            changed[at] ^= bit
            with contextlib.suppress(WireError):
                decode(changed)


def test_frames():
    framed = frame(b"hello")
    assert unframe(framed) == (8, 13) and framed[8:13] == b"hello"
    assert unframe(b"\x00") == (8, -1)
