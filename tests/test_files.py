"""A file is written whole or not at all, and a lock is held by one process at a time."""

import errno
import os
import subprocess
import sys

import pytest

from fmkit._files import locked, write_whole


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_made_with_its_folder_and_replaced(tmp_path):
    path = tmp_path / "new" / "file"
    for data in (b"first", b"second"):
        write_whole(path, data)
        assert path.read_bytes() == data and names(path.parent) == ["file"]


@pytest.mark.skipif(os.name == "nt", reason="permissions as on Unix")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o755])
def test_permissions_stay(tmp_path, mode):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    write_whole(path, b"new", durable=True)
    assert path.stat().st_mode & 0o777 == mode and path.read_bytes() == b"new"


def test_nothing_is_written_through_a_link(tmp_path):
    """A link in a folder of submissions may lead anywhere."""
    (tmp_path / "elsewhere").write_bytes(b"not ours")
    for link in (tmp_path / "file", tmp_path / ".file.tmp"):
        link.symlink_to("elsewhere")
    write_whole(tmp_path / "file", b"new")
    assert (tmp_path / "elsewhere").read_bytes() == b"not ours"
    assert (tmp_path / "file").read_bytes() == b"new" and not (tmp_path / "file").is_symlink()
    assert names(tmp_path) == ["elsewhere", "file"]


@pytest.mark.parametrize("stop", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_what_was_there_stays_when_it_fails(tmp_path, monkeypatch, stop):
    path = tmp_path / "file"
    write_whole(path, b"old")

    def fails(*_):
        raise stop

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(type(stop)):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old" and names(tmp_path) == ["file"]


HOLD = """import sys, time
from pathlib import Path
from fmkit._files import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_is_held_by_one_process_and_ends_with_it(tmp_path):
    path = tmp_path / "new" / ".lock"
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "held\n"
        told = []
        with pytest.raises(TimeoutError), locked(path, 0.2, lambda: told.append("waiting")):
            pass
        assert told == ["waiting"]
    finally:
        other.kill()
        other.wait()
        other.stdout.close()
    with locked(path, 5.0):
        pass


@pytest.mark.parametrize("error", [NotImplementedError(), OSError(errno.ENOLCK, "no locks")])
def test_without_locks_there_is_none(tmp_path, monkeypatch, error):
    import filelock

    def fails(*_, **__):
        raise error

    monkeypatch.setattr(filelock.FileLock, "acquire", fails)
    with locked(tmp_path / ".lock"):
        pass


def test_a_place_that_cannot_be_written_to_is_said(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError), locked(tmp_path / "file" / ".lock"):
        pass
