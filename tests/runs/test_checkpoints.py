"""Files that survive a kill, and that are noticed when damaged."""

import errno
import os

import pytest

torch = pytest.importorskip("torch")

from fmkit.errors import CheckpointError  # noqa: E402
from fmkit.runs import checkpoints  # noqa: E402


def test_what_is_written_comes_back():
    state = {"w": torch.arange(6.0).view(2, 3), "nested": [{"step": 3, "lr": 0.1}], "name": "é"}
    back = checkpoints.from_bytes(checkpoints.to_bytes(state), "x")
    assert back["name"] == "é" and back["nested"] == state["nested"]
    assert torch.equal(back["w"], state["w"])


@pytest.mark.parametrize("place", [0, 25, 60, -1])
def test_one_changed_byte_is_noticed(place):
    data = bytearray(checkpoints.to_bytes({"w": torch.zeros(100)}))
    data[place] ^= 1
    with pytest.raises(CheckpointError, match=r"x\.pt is damaged. Delete it"):
        checkpoints.from_bytes(bytes(data), "x.pt")


@pytest.mark.parametrize("keep", [0, 5, 30, 200])
def test_a_file_cut_short_is_noticed(keep):
    data = checkpoints.to_bytes({"w": torch.zeros(100)})
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoints.from_bytes(data[:keep], "x.pt")


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(monkeypatch, tmp_path, call):
    path = tmp_path / "x"
    checkpoints.write(path, b"old")

    def full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(CheckpointError, match="the disk is full.*Free some space"):
        checkpoints.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_a_leftover_of_a_kill_is_no_obstacle(tmp_path):
    (tmp_path / ".x.tmp").write_bytes(b"half of a longer fi")
    checkpoints.write(tmp_path / "x", b"new")
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"x": b"new"}


@pytest.mark.parametrize("folder", ["file/x", "/proc/no"])
def test_a_folder_that_cannot_be_is_one_line(tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(CheckpointError, match="cannot write .*name another folder"),
        checkpoints.only_one(folder),
    ):
        pass
    with pytest.raises(CheckpointError, match="cannot write"):
        checkpoints.write(f"{folder}/y", b"")


def test_one_run_at_a_time(tmp_path):
    with checkpoints.only_one(tmp_path / "new" / "run"):
        with (
            pytest.raises(CheckpointError, match="another run"),
            checkpoints.only_one(tmp_path / "new" / "run"),
        ):
            pass
        with checkpoints.only_one(tmp_path / "new" / "other"):
            pass
    with checkpoints.only_one(tmp_path / "new" / "run"):
        pass
