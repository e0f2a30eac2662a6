"""Put a file in place whole, or leave what was there as it is."""

import os
from pathlib import Path


def write_whole(path: str | Path, data: bytes, durable: bool = False) -> None:
    """Write beside the file, then rename: it is seen whole or not at all, however the process ends.

    The second file's name is always the same, so whatever a killed run left is written over by the next one.

    Parameters
    ----------
    path : path
        Its folder is made if need be.
    data : bytes
    durable : bool
        Return only when it is on the disk (``fsync``), so that it outlives a power cut, too.

    Raises
    ------
    OSError
        The disk is full, or the folder cannot be written to.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.tmp")
    try:
        with open(scratch, "wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(scratch, path)
    except BaseException:
        scratch.unlink(missing_ok=True)  # on a full disk it would stand in the way
        raise
    if durable:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Bring a rename to the disk. (Windows cannot open a folder; there the rename alone has to do.)"""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
