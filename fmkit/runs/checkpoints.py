"""Files of a training run: whole or missing, whenever it is killed; damage is noticed."""

import errno
import hashlib
import io
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fmkit._files import locked, write_whole
from fmkit.errors import CheckpointError

MAGIC = b"fmkit checkpoint 1\n"  # then the SHA-256 of the rest (32 bytes), then what torch.save writes


def write(path: str | Path, data: bytes) -> None:
    """Put a file in place whole and onto the disk, or leave what was there as it is.

    Raises
    ------
    CheckpointError
        The disk is full, or the folder cannot be written to.
    """
    try:
        write_whole(path, data, durable=True)
    except OSError as error:
        raise cannot_write(Path(path), error) from error


def cannot_write(path: Path, error: OSError) -> CheckpointError:
    """The system's error, with what to do about it."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CheckpointError(f"the disk is full: cannot write {path}. Free some space, then run it again")
    return CheckpointError(f"cannot write {path} ({error.strerror}); name another folder")


def to_bytes(state: dict) -> bytes:
    """A nested dict of tensors, numbers, strings and lists as a checkpoint's bytes."""
    import torch

    buffer = io.BytesIO()
    torch.save(state, buffer)
    data = buffer.getvalue()
    return MAGIC + hashlib.sha256(data).digest() + data


def from_bytes(data: bytes, path: str | Path, device=None) -> dict:
    """The dict that `to_bytes` was given, its tensors on ``device``; ``path`` is for the message.

    Raises
    ------
    CheckpointError
        The bytes are not a checkpoint, or are damaged.
    """
    import torch

    start = len(MAGIC) + 32
    if data[: len(MAGIC)] != MAGIC or hashlib.sha256(data[start:]).digest() != data[len(MAGIC) : start]:
        words = f"{path} is damaged. Delete it to run again from the first step"
        raise CheckpointError(f"{words}; or, if it is another program's, name another folder (--output)")
    return torch.load(io.BytesIO(data[start:]), map_location=device, weights_only=True)


@contextmanager
def only_one(folder: str | Path):
    """Make a run's folder and keep other runs out of it until this one ends.

    The system releases the lock when the process ends, however it ends.

    Raises
    ------
    CheckpointError
        Another run uses the folder, or it cannot be made.
    """
    folder = Path(folder)
    with ExitStack() as held:
        try:
            held.enter_context(locked(folder / ".lock"))
        except TimeoutError:
            raise CheckpointError(f"another run is at work in {folder}; name another folder") from None
        except OSError as error:
            raise cannot_write(folder, error) from error
        yield
