"""What an LMS gives: the files of an archive or a folder, listed first, read one at a time."""

import contextlib
import functools
import gzip
import io
import itertools
import os
import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from fmkit.course.collecting.moments import BELIEVED
from fmkit.course.submission import MAX_BYTES, Unreadable, kind_of, read_bytes
from fmkit.errors import CourseError

MAX_FILES, MAX_TOTAL = 100_000, 50 << 30  # of one archive, unpacked
MAX_INSIDE = 1_000  # files of a student's archive that are looked at
MAX_NESTED = 3  # archives inside each other that are opened
MAX_ENTRIES = 50_000  # in its table of contents
MAX_DIRECTORY = 4 << 20  # bytes of that, in a zip archive
MAX_DEPTH = 40  # folders inside each other
SKIPPED = (
    "__MACOSX",
    "Thumbs.db",
    "desktop.ini",
    "timestamp.txt",
    "collected.json",
    "Feedback Attachment(s)",
)
STAMP = "%Y-%m-%d %H:%M:%S.%f UTC"  # nbgrader's
OPENED = (".zip", ".tar", ".tar.gz", ".tgz")  # archives inside that are opened
_OTHERS = "rar 7z gz bz2 xz tbz tbz2 txz zst lz lzma zipx"
SHUT = tuple(f".{ending}" for ending in _OTHERS.split())  # and those that are not


class Unfit(ValueError):
    """A file cannot be taken; the message says why."""


@dataclass(frozen=True)
class Incoming:
    """One file of an archive or folder.

    Attributes
    ----------
    path : str
        Inside it, with ``/``.
    when : datetime or None
        None where no time stands that can be one. In a student's archive it is the archive's own.
    read : callable
        Gives its bytes; raises `Unfit`.
    """

    path: str
    when: datetime | None
    read: Callable[[], bytes]


@contextmanager
def opened(source: Path, notes: list[str]) -> Iterator[list[Incoming]]:
    """The files of a folder or zip archive, which stays open meanwhile; what is left out goes into the notes.

    Raises
    ------
    CourseError
        When the source is neither, or unpacks to too much.
    """
    if source.is_dir():
        yield _with_archives_inside(list(_in_folder(source, notes)), notes)
    elif not source.exists():
        raise CourseError(f"{source} does not exist")
    elif not source.is_file():  # a pipe or a device may have no end
        raise CourseError(f"{source} is neither a folder nor a file: save the archive as a file first")
    elif not zipfile.is_zipfile(source):
        raise CourseError(f"{source} is neither a folder nor a complete zip archive{_what_to_do(source)}")
    else:
        try:
            archive = zipfile.ZipFile(source)
        except Exception as error:  # zipfile has many ways to fail on a damaged one
            raise CourseError(f"{source} cannot be read: {error}; download it again") from error
        with archive:
            entries = archive.infolist()
            if len(entries) > MAX_FILES or sum(entry.file_size for entry in entries) > MAX_TOTAL:
                raise CourseError(f"{source} unpacks to too much; is it the right archive?")
            files = [_in_zip(archive, entry) for entry in _listed(archive, notes)]
            yield _with_archives_inside(files, notes)
    _opened_inside.cache_clear()


def _what_to_do(source: Path) -> str:
    """Words on a source that is neither, by what it is."""
    if source.name.lower().endswith(".ipynb"):
        return ": lay it into a folder that is named by the student's id, and collect the folder around that"
    try:
        with open(source, "rb") as file:
            kind = kind_of(file.read(1 << 20), but="a zip archive")
    except OSError as error:
        return f": it cannot be read ({error.strerror})"
    if kind.endswith("archive"):
        return f": {kind}. Unpack it and collect the folder"
    return f"{': ' * bool(kind)}{kind}. Download it again, or unpack it and collect the folder"


# --- folders ------------------------------------------------------------------------------------------------


def _in_folder(source: Path, notes: list[str]) -> Iterator[Incoming]:
    """The files of a folder, links too. Not by `Path.rglob`: a thousand folders inside each other end it."""
    todo = [source]
    while todo:
        folder = todo.pop()
        inside = _name_in(source, folder)
        if inside.count("/") >= MAX_DEPTH:
            notes.append(f"{inside}: more than {MAX_DEPTH} folders inside each other; left out")
            continue
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            notes.append(f"{inside}: cannot be read ({error.strerror}); left out")
            continue
        for entry in entries:
            path = folder / entry.name
            if _is_skipped(_name_in(source, path)):
                continue
            if entry.is_dir(follow_symlinks=False):
                todo.append(path)
            else:
                yield Incoming(_name_in(source, path), _time_of(source, path), functools.partial(_read, path))


def _name_in(source: Path, path: Path) -> str:
    return unicodedata.normalize("NFC", path.relative_to(source).as_posix())


def _time_of(source: Path, path: Path) -> datetime | None:
    """When the file was handed in: as nbgrader noted beside it, else the file's own time."""
    places = (source.absolute().name, *path.relative_to(source).parts)
    # submitted/STUDENT/CHAPTER/FILE or inbound/STUDENT+CHAPTER+TIME/FILE, with at most one folder above:
    # deeper inside a student can have written it
    is_nbgraders = "submitted" in places[:2] and places[-4:-3] == ("submitted",)
    is_nbgraders = is_nbgraders or ("inbound" in places[:2] and places[-3:-2] == ("inbound",))
    if is_nbgraders and (stamp := read_stamp(path.parent)):
        return stamp
    with contextlib.suppress(OSError, ValueError, OverflowError):
        return believed(datetime.fromtimestamp(path.lstat().st_mtime, UTC))
    return None


def _read(path: Path) -> bytes:
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise Unfit("a link or special file")
        if status.st_size > MAX_BYTES:
            raise Unfit("too large")
        return read_bytes(path)
    except OSError as error:
        raise Unfit(f"cannot be read ({error.strerror})") from error
    except Unreadable as error:
        raise Unfit(str(error)) from error


def read_stamp(folder: Path) -> datetime | None:
    """The moment that a ``timestamp.txt`` names, such as nbgrader writes."""
    try:
        text = read_bytes(folder / "timestamp.txt")[:100].decode().strip()
        moment = datetime.fromisoformat(text.replace(" UTC", "+00:00").replace(" +", "+"))
    except (Unreadable, ValueError):
        return None
    return believed(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def believed(moment: datetime) -> datetime | None:
    """The moment, unless it is so far away that it is none (and no other zone can have it)."""
    return moment if moment.year in BELIEVED else None


# --- archives -----------------------------------------------------------------------------------------------


def is_archive(name: str) -> bool:
    """Whether a file is one that we open: what is in it is whose it is."""
    return name.lower().endswith(OPENED)


def climbs(name: str) -> bool:
    """Whether a path leads out of the archive or folder that it stands in."""
    return ".." in PurePosixPath(name).parts


def _listed(archive: zipfile.ZipFile, notes: list[str]) -> list[zipfile.ZipInfo]:
    """The entries of the LMS's archive that are files; those too deep inside are noted."""
    named = [(entry, _name(entry)) for entry in archive.infolist()]
    kept = set(_kept([name for _, name in named], "", notes))
    return [entry for entry, name in named if name in kept]


def _kept(names: list[str], where: str, notes: list[str]) -> list[str]:
    """Of the names in an archive those of files that count; those too deep inside are noted."""
    names = [name for name in names if PurePosixPath(name).parts and name[-1] != "/"]
    names = [name for name in names if not _is_skipped(name)]
    if deep := [name for name in names if name.count("/") >= MAX_DEPTH]:
        words = f"more than {MAX_DEPTH} folders inside each other ({len(deep)} such files); left out"
        notes.append(f"{where}{deep[0]}: {words}")
    return [name for name in names if name.count("/") < MAX_DEPTH]


def _in_zip(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Incoming:
    try:
        when = believed(datetime(*entry.date_time).astimezone(UTC))  # archives hold local time
    except (ValueError, OSError, OverflowError):
        when = None
    return Incoming(_name(entry), when, lambda: _read_entry(archive, entry))


@dataclass
class _Room:
    """What may still be unpacked of one file that a student has packed."""

    files: int
    bytes: int


@dataclass(frozen=True)
class _Member:
    """A file in a student's archive."""

    name: str
    size: int
    read: Callable[[], bytes]


def _with_archives_inside(files: list[Incoming], notes: list[str]) -> list[Incoming]:
    """The files, and in an archive's place those in it: the notebooks if there are any.

    A student has packed it: what it says of itself is not believed, and it is read within limits.
    """
    found = []
    for file in files:
        found += _unpacked(file, _Room(MAX_INSIDE, MAX_BYTES), MAX_NESTED, notes)
    return found


def _unpacked(file: Incoming, room: _Room, levels: int, notes: list[str]) -> list[Incoming]:
    """What is in an archive, and in the archives in it; any other file is what it is."""
    if not is_archive(file.path):
        if file.path.lower().endswith(SHUT):
            notes.append(f"{file.path}: an archive of a kind that is not opened; ask for a zip")
        return [file]
    try:
        if not levels:
            raise Unfit(f"more than {MAX_NESTED} archives inside each other")
        inside = _inside(file, room, notes)
    except Unfit as error:
        notes.append(f"{file.path}: {error}; kept as it is")
        return [file]
    found = [one for member in inside for one in _unpacked(member, room, levels - 1, notes)]
    return [one for one in found if one.path.lower().endswith(".ipynb")] or found


def _inside(file: Incoming, room: _Room, notes: list[str]) -> list[Incoming]:
    """The files in one archive that are worth a look, within the room there is."""
    members = list(_members(_opened_inside(file), file))
    kept = set(_kept([member.name for member in members], f"{file.path}/", notes))
    members = [member for member in members if member.name in kept]
    worth = [m for m in members if m.name.lower().endswith((".ipynb", *OPENED, *SHUT))] or members
    if len(worth) > room.files:
        raise Unfit(f"it holds {len(worth)} files")
    if not worth:
        raise Unfit("there is nothing in it")
    sizes = list(itertools.accumulate(member.size for member in worth))
    taken = [member for member, size in zip(worth, sizes, strict=True) if size <= room.bytes]
    words = f"it unpacks to more than {MAX_BYTES >> 20} MB"
    if not taken:
        raise Unfit(words)
    if len(taken) < len(worth):
        notes.append(f"{file.path}: {words}; {len(worth) - len(taken)} of its files left out")
    room.files -= len(taken)
    room.bytes -= sizes[len(taken) - 1]
    return [_of_member(file, member, notes) for member in taken]


def _of_member(file: Incoming, member: _Member, notes: list[str]) -> Incoming:
    """A file in a student's archive: theirs, wherever its path leads."""
    if climbs(member.name):
        notes.append(f"{file.path}/{member.name}: its path leads out of the archive; taken for a file in it")
    name = "/".join(part for part in PurePosixPath(member.name).parts if part not in ("..", "/"))
    return Incoming(f"{file.path}/{name}", file.when, member.read)


def _members(archive: zipfile.ZipFile | tarfile.TarFile, file: Incoming) -> Iterator[_Member]:
    """What is in an archive; nothing of it is read yet."""
    if not isinstance(archive, tarfile.TarFile):
        for entry in archive.infolist():
            yield _Member(_name(entry), entry.file_size, functools.partial(_read_inside, file, entry))
        return
    try:
        for count, entry in enumerate(archive):
            if count > MAX_ENTRIES:
                raise Unfit("it holds too many files")
            if not entry.isdir():
                name = unicodedata.normalize("NFC", entry.name)
                yield _Member(name, entry.size, functools.partial(_read_inside, file, entry))
    except tarfile.TarError as error:
        raise Unfit(f"damaged ({error})") from error


def _read_inside(file: Incoming, entry: zipfile.ZipInfo | tarfile.TarInfo) -> bytes:
    archive = _opened_inside(file)
    return (_read_tar if isinstance(archive, tarfile.TarFile) else _read_entry)(archive, entry)


@functools.lru_cache(maxsize=MAX_NESTED)  # in memory, each opened once for all its files
def _opened_inside(file: Incoming) -> zipfile.ZipFile | tarfile.TarFile:
    data = file.read()
    if not file.path.lower().endswith(".zip") and not data.startswith(b"PK"):
        return _opened_tar(data)
    # the table of contents is listed whole on opening, so its size is looked at before
    end = data.rfind(b"PK\5\6")
    if end < 0 or len(data) < end + 22:
        raise Unfit(kind_of(data, but="a zip archive") or "it is not a complete zip archive")
    (size,) = struct.unpack_from("<I", data, end + 12)
    if size > MAX_DIRECTORY or data[max(0, end - 20) :].startswith(b"PK\6\7"):
        raise Unfit("it holds too many files")
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except Exception as error:  # zipfile has many ways to fail on a damaged one
        raise Unfit(f"damaged ({error})") from error


def _opened_tar(data: bytes) -> tarfile.TarFile:
    """A tar archive in memory, which is unpacked before it is listed: within the limit."""
    try:
        if data.startswith(b"\x1f\x8b"):
            with gzip.open(io.BytesIO(data)) as packed:
                data = packed.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise Unfit(f"it unpacks to more than {MAX_BYTES >> 20} MB")
        return tarfile.open(fileobj=io.BytesIO(data), mode="r:")
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise Unfit(kind_of(data, but="a gzip archive") or f"damaged ({error})") from error


def _read_tar(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    if not entry.isreg():
        raise Unfit("a link or special file")
    try:
        data = archive.extractfile(entry).read(MAX_BYTES + 1)
    except Exception as error:  # tarfile has many ways to fail on a damaged one
        raise Unfit(f"damaged ({error})") from error
    if len(data) > MAX_BYTES:
        raise Unfit("too large")
    return data


def _read_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
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


def _name(entry: zipfile.ZipInfo) -> str:
    """The entry's name; archivers that forget to say that it is UTF-8 are common."""
    name = entry.filename
    if not entry.flag_bits & 0x800:
        with contextlib.suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return unicodedata.normalize("NFC", name.replace("\\", "/"))


def _is_skipped(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return any(part in SKIPPED or (part.startswith(".") and part != "..") for part in parts)
