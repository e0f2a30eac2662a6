"""Put a file in place whole, or leave what was there as it is; and hold a lock while doing so."""

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path


def write_whole(path: str | Path, data: bytes, durable: bool = False) -> None:
    """Write beside the file, then rename: it is seen whole or not at all, however the process ends.

    A file that is replaced keeps its permissions; a link gives way to a file (resolve the path to keep it).
    The second file's name is always the same, so what a killed run left gives way to the next one's.

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
    scratch.unlink(missing_ok=True)
    try:
        with open(scratch, "wb") as file:
            if path.is_file() and not path.is_symlink():
                os.chmod(scratch, path.stat().st_mode & 0o777)
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(scratch, path)
    except BaseException:
        scratch.unlink(missing_ok=True)  # on a full disk it would stand in the way
        raise
    if durable:
        sync(path.parent)


def sync(path: Path) -> None:
    """Bring a file, or the names in a folder, to the disk.

    Windows cannot open a folder; there a rename alone has to do.
    """
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP)  # what a file system without locks answers


@contextlib.contextmanager
def locked(path: Path, seconds: float = 0.0, waiting: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold a lock that one process at a time can hold, with this file as its sign.

    The system gives the lock back when the process ends, however it ends. Where the file system knows no
    locks there is none.

    Parameters
    ----------
    seconds : float
        How long to wait while another process holds it.
    waiting : callable, optional
        Called once when the waiting begins.

    Raises
    ------
    TimeoutError
        Another process has held it all this time.
    OSError
        The file cannot be made.
    """
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if waiting:
            waiting()
        lock.acquire(timeout=seconds)
    except NotImplementedError:
        pass
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    try:
        yield
    finally:
        lock.release()
