"""Pickles of other packages: plain data comes out, and nothing is ever called."""

import io
import lzma
import os
import pickle

import pytest

from fmkit.data import frames


class Call:
    """A pickle that would run a command when it is read."""

    def __reduce__(self):
        return os.system, ("touch was-here",)


def test_plain_data_comes_out():
    there = {"a": [1, 2.5, "x"], "b": (None, True)}
    assert frames.read_plain(pickle.dumps(there)) == there


def test_a_pickle_that_calls_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pickle.UnpicklingError, match="wants to call .*system"):
        frames.read_plain(pickle.dumps([Call()]))
    path = tmp_path / "table.pkl.compress"
    path.write_bytes(lzma.compress(pickle.dumps(Call())))
    with pytest.raises(pickle.UnpicklingError, match="wants to call .*system"):
        frames.read_frame(path)
    assert not (tmp_path / "was-here").exists()


@pytest.mark.parametrize("name", ["builtins.eval", "numpy.load", "numpy.core.multiarray.fromfile"])
def test_only_what_builds_a_table_is_let_through(name):
    module, function = name.rsplit(".", 1)
    with pytest.raises(pickle.UnpicklingError):
        frames._Frame(io.BytesIO(b"")).find_class(module, function)
