"""What an LMS gives: the files of an archive or a folder, listed first, read one at a time."""

import contextlib
import io
import stat
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from fmkit.course.submission import MAX_BYTES
from fmkit.errors import CourseError

MAX_FILES, MAX_TOTAL = 100_000, 50 << 30  # of one archive, unpacked
MAX_INSIDE = 1_000  # files of an archive inside it
SKIPPED = ("__MACOSX", "Thumbs.db", "timestamp.txt", "collected.json")
STAMP = "%Y-%m-%d %H:%M:%S.%f UTC"  # nbgrader's


class Unfit(ValueError):
    """A file cannot be taken; the message says why."""


@dataclass(frozen=True)
class Incoming:
    """One file of an archive or folder.

    Attributes
    ----------
    path : str
        Inside it, with ``/``.
    when : datetime
    read : callable
        Gives its bytes; raises `Unfit`.
    """

    path: str
    when: datetime
    read: Callable[[], bytes]


@contextmanager
def opened(source: Path) -> Iterator[list[Incoming]]:
    """The files of a folder or zip archive, which stays open meanwhile.

    Raises
    ------
    CourseError
        When the source is neither, or unpacks to too much.
    """
    if source.is_dir():
        yield [_in_folder(source, path) for path in sorted(source.rglob("*")) if _is_file(source, path)]
    elif not source.exists():
        raise CourseError(f"{source} does not exist")
    elif not zipfile.is_zipfile(source):
        words = "Download it again, or unpack it and collect the folder"
        raise CourseError(f"{source} is neither a folder nor a complete zip archive. {words}")
    else:
        try:
            archive = zipfile.ZipFile(source)
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            raise CourseError(f"{source} cannot be read: {error}; download it again") from error
        with archive:
            entries = archive.infolist()
            if len(entries) > MAX_FILES or sum(entry.file_size for entry in entries) > MAX_TOTAL:
                raise CourseError(f"{source} unpacks to too much; is it the right archive?")
            yield [file for entry in entries for file in _in_zip(lambda: archive, entry)]


# --- folders ------------------------------------------------------------------------------------------------


def _is_file(folder: Path, path: Path) -> bool:
    return not _is_skipped(path.relative_to(folder).as_posix()) and (path.is_symlink() or not path.is_dir())


def _in_folder(folder: Path, path: Path) -> Incoming:
    when = read_stamp(path.parent)  # nbgrader's own exchange notes the moment beside the notebook
    with contextlib.suppress(OSError, ValueError, OverflowError):
        when = when or datetime.fromtimestamp(path.lstat().st_mtime, UTC)
    name = unicodedata.normalize("NFC", path.relative_to(folder).as_posix())
    return Incoming(name, when or datetime.now(UTC), lambda: _read_file(path))


def _read_file(path: Path) -> bytes:
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise Unfit("a link or special file")
        if status.st_size > MAX_BYTES:
            raise Unfit("too large")
        return path.read_bytes()
    except OSError as error:
        raise Unfit(f"cannot be read ({error.strerror})") from error


def read_stamp(folder: Path) -> datetime | None:
    """The moment that a ``timestamp.txt`` names, such as nbgrader writes."""
    try:
        text = (folder / "timestamp.txt").read_text("utf-8").strip()
        moment = datetime.fromisoformat(text.replace(" UTC", "+00:00").replace(" +", "+"))
    except (OSError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


# --- archives -----------------------------------------------------------------------------------------------


def _in_zip(archive: Callable, entry, inside: str = "") -> Iterator[Incoming]:
    """An entry, or the files in it where it is an archive itself; ``archive`` opens the one it is in."""
    name = inside + _name(entry)
    if entry.is_dir() or _is_skipped(name):
        return
    try:
        when = datetime(*entry.date_time).astimezone(UTC)  # archives hold local time
    except (ValueError, OSError, OverflowError):
        when = datetime.now(UTC)
    file = Incoming(name, when, lambda: _read_entry(archive(), entry))
    unpacked = []
    if name.lower().endswith(".zip") and not inside:
        with contextlib.suppress(Unfit, zipfile.BadZipFile, OSError, ValueError):

            def within() -> zipfile.ZipFile:
                return zipfile.ZipFile(io.BytesIO(file.read()))

            entries = within().infolist()[:MAX_INSIDE]
            unpacked = [f for e in entries for f in _in_zip(within, e, f"{name}/")]
    yield from unpacked or [file]


def _read_entry(archive, entry) -> bytes:
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise Unfit("a link")
    if entry.flag_bits & 1:
        raise Unfit("encrypted")
    try:
        with archive.open(entry) as file:
            data = file.read(MAX_BYTES + 1)
    except Exception as error:  # zipfile, zlib, lzma and bz2 each have their own ways to fail
        raise Unfit(f"damaged ({error})") from error
    if len(data) > MAX_BYTES:
        raise Unfit("too large")
    return data


def _name(entry) -> str:
    """The entry's name; archivers that forget to say that it is UTF-8 are common."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _is_skipped(name: str) -> bool:
    return any(part in SKIPPED or part.startswith(".") for part in PurePosixPath(name).parts)
