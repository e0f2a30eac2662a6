"""Reading a submission: limits on what its JSON would take, found before it is read."""

import json

import pytest

from fmkit.course import submission
from fmkit.course.submission import Unreadable, read_cells


@pytest.mark.parametrize("filling", [b"{}", b"[]", b"0", b'{"a":{}}'])
def test_json_of_too_many_parts_is_not_read(filling, monkeypatch):
    monkeypatch.setattr(submission, "parse", lambda text: pytest.fail("it was read"))
    monkeypatch.setattr(submission, "MAX_ELEMENTS", 1000)
    with pytest.raises(Unreadable, match="it has too many parts"):
        read_cells(b'{"cells":[],"x":[' + b",".join([filling] * 1500) + b"]}")


def test_signs_in_texts_are_no_parts(monkeypatch):
    monkeypatch.setattr(submission, "MAX_ELEMENTS", 1000)
    output = {"output_type": "stream", "name": "stdout", "text": '1,2,{"\\[' * 5000}
    cell = {"cell_type": "code", "source": "x = 1", "outputs": [output]}
    with pytest.raises(Unreadable, match="Unterminated string"):  # found in one go, too
        read_cells(b'{"' + rb"\"," * 200_000)
    assert read_cells(json.dumps({"cells": [cell]}).encode())[0].source == "x = 1"
