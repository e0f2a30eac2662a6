"""What the sandbox sees: a small system of its own, in a folder made once, with copies of what answers need.

That is the interpreter and its own library, the shared libraries that these load, NumPy with what it
requires, and the worker with the reference. None of the machine's own folders is there, whatever their paths:
no exercises with their right answers, no judge, no course, no torch, no other environment.
"""

import ast
import atexit
import compileall
import functools
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

from filelock import FileLock, Timeout

from fmkit._paths import PACKAGE
from fmkit.errors import SandboxError

SHARED = "FMKIT_STAGE"
WORKER = "fmkit.course.sandbox.worker"
# No secret: a learner has it, and no exercise's answer is in it. Which of it an answer may use the stubs say.
REFERENCE = tuple(sorted(f"fmkit.{path.stem}" for path in PACKAGE.glob("[a-z]*.py") if path.stem != "errors"))
# what answers may import of Python's own library: compiled beforehand
USUAL = """array bisect calendar cmath collections copy csv dataclasses datetime decimal difflib
encodings.idna enum fractions functools hashlib heapq html itertools json operator pprint random re signal
socket statistics string subprocess textwrap threading time timeit typing unicodedata urllib.parse uuid
zlib"""
# every answer gets copies of these; what an exercise allows beside them is mounted
COPIED = ("jaxtyping", "numpy", "tqdm")

# --- names inside the sandbox ------------------------------------------------------------------------------

KIT = Path("/kit")
LIBRARIES = Path("/lib")
DEVICES = ("null", "full", "random", "urandom")  # not zero: memory shared through it is counted nowhere


def _stdlib() -> Path:
    return Path(sysconfig.get_path("stdlib"))


PYTHON = Path("/python/bin", Path(os.path.realpath(sys.executable)).name)
STDLIB = Path("/python", sys.platlibdir, _stdlib().name)
SITE = STDLIB / "site-packages"

# --- the folder --------------------------------------------------------------------------------------------


@functools.cache
def stage() -> Path:
    """The folder of what is made for the sandbox; a process that grades for another one takes that one's,
    named by `SHARED`."""
    return Path(os.environ[SHARED]) if SHARED in os.environ else _make_stage()


def _make_stage() -> Path:
    above = _place()
    _remove_left_over(above)
    folder = Path(tempfile.mkdtemp(prefix="fmkit-stage-", dir=above))
    lock = FileLock(folder / "lock")
    lock.acquire()
    atexit.register(_remove, folder, lock, os.getpid())
    folder.chmod(0o755)
    _make_kit(folder / "kit")
    return folder


def _remove(folder, lock, owner) -> None:
    if os.getpid() == owner:
        lock.release()
        shutil.rmtree(folder, ignore_errors=True)


def _place() -> Path:
    """A folder for temporary files from which programs may run: often not so of /tmp."""
    tried = [Path(tempfile.gettempdir()), Path("/var/tmp"), Path.home() / ".cache"]
    for folder in tried:
        if os.access(folder, os.W_OK) and not os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0):
            return folder
    raise SandboxError(
        f"programs cannot run from {', '.join(map(str, tried))}: set TMPDIR to a folder where they can"
    )


def _remove_left_over(above: Path) -> None:
    """Remove what runs that were killed have left here."""
    for lock in above.glob("fmkit-stage-*/lock"):
        try:
            stat = lock.parent.lstat()
            if stat.st_uid == os.geteuid() and stat.st_mtime < time.time() - 60:
                with FileLock(lock, timeout=0):
                    shutil.rmtree(lock.parent, ignore_errors=True)
        except (OSError, Timeout):
            continue


def _make_kit(folder: Path) -> None:
    """Copy the worker, the modules of fmkit that it needs, and the reference.

    The packages' own ``__init__`` files are empty there: they would import the checks.
    """
    for name in _closure({WORKER, *REFERENCE}):
        target = folder / _file(name).relative_to(PACKAGE.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_file(name), target)
    for init in {parent / "__init__.py" for file in folder.rglob("*.py") for parent in file.parents}:
        if folder in init.parents and not init.exists():
            init.touch()
    # sysconfig asks for this module; the true one says where Python was built and lies
    (folder / f"{sysconfig._get_sysconfigdata_name()}.py").write_text("build_time_vars = {}\n")
    _open_to_all(folder)


@functools.cache
def compiled_kit() -> Path:
    """The worker and the reference, for an interpreter outside the sandbox."""
    compileall.compile_dir(stage() / "kit", quiet=2)
    _open_to_all(stage() / "kit")
    return stage() / "kit"


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _file(name):
    return PACKAGE.parent.joinpath(*name.split(".")).with_suffix(".py")


def _closure(names):
    """The modules of fmkit that these import, and theirs, without the packages on the way."""
    found, todo = set(), list(names)
    while todo:
        name = todo.pop()
        if name in found or not _file(name).is_file():
            continue
        found.add(name)
        for node in ast.walk(ast.parse(_file(name).read_text("utf-8"))):
            if isinstance(node, ast.Import):
                todo += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                todo += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return found


# --- the system --------------------------------------------------------------------------------------------


@functools.cache
def system(packages: tuple[str, ...] = COPIED) -> Path:
    """The folder that is the root of the file system in a sandbox where these packages may be used."""
    folder = stage() / "-".join(("system", *packages))
    with FileLock(f"{folder}.lock"):  # one process makes it, the others wait
        if not folder.exists():
            made = Path(tempfile.mkdtemp(dir=stage()))
            _make_system(made, packages)
            made.rename(folder)
    return folder


def mounted(packages: tuple[str, ...]) -> dict[Path, Path]:
    """Of the packages' folders and files, those that the system has no copy of -> their place in it."""
    copied = set(files(COPIED))
    return {path: SITE / path.name for path in files(packages) if path not in copied}


def _make_system(root: Path, packages: tuple[str, ...]) -> None:
    _copy(python(), root, PYTHON)
    for path in _stdlib().iterdir():
        name = path.name.split(".")[0]
        if name in (sys.stdlib_module_names - _NO_USE) | {"lib-dynload"}:
            _copy(path, root, STDLIB / path.name)
    for path in files(COPIED):
        if path.suffix == ".dist-info":
            _copy(path / "METADATA", root, SITE / path.name / "METADATA")
        else:
            _copy(path, root, SITE / path.name)
    _copy(stage() / "kit", root, KIT)
    for path, inside in mounted(packages).items():
        target = _within(root, inside)
        target.mkdir() if path.is_dir() else target.touch()
    for name in ("tmp", "dev"):
        (root / name).mkdir()
    for name in DEVICES:
        (root / "dev" / name).touch()
    for library in _survey(root, packages):
        if not library.is_relative_to(_stdlib()) and not any(map(library.is_relative_to, files(packages))):
            is_loader = library.name.startswith("ld")  # the kernel looks for it under its own path
            _copy(library, root, library if is_loader else LIBRARIES / library.name)
    _open_to_all(root)


_NO_USE = {"ensurepip", "idlelib", "lib2to3", "tkinter", "turtledemo"}
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "tests", "test", "include", "*.a", "*.pyi", "_tkinter*")


def _within(root: Path, inside: Path) -> Path:
    target = root / inside.relative_to("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _copy(source: Path, root: Path, inside: Path) -> None:
    target = _within(root, inside)
    if source.is_dir():
        shutil.copytree(source, target, ignore=_LEFT_OUT, ignore_dangling_symlinks=True)
    elif source.is_file():
        shutil.copy2(source, target)


def _survey(root: Path, packages: tuple[str, ...]) -> list[Path]:
    """The shared libraries that Python and these packages load; compiles the usual modules on the way."""
    extensions = {path.name.split(".")[0] for path in (_stdlib() / "lib-dynload").glob("*.so")}
    extensions = {name for name in extensions if not name.startswith(("_test", "_tkinter", "xx", "_xx"))}
    places = [(f"{path}", f"{SITE / path.name}") for path in files(packages)]
    places += [(f"{stage()}/kit", f"{KIT}"), (f"{_stdlib()}", f"{STDLIB}")]
    asked = {
        "path": [f"{stage()}/kit", *sorted({str(path.parent) for path in files(packages)})],
        "modules": [WORKER, *REFERENCE, *packages, *USUAL.split(), *sorted(extensions)],
        "root": str(root),
        "places": places,
    }
    program = Path(__file__).with_name("survey.py")
    command = [str(python()), "-S", "-I", "-B", "-W", "ignore", str(program), json.dumps(asked)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise SandboxError(f"cannot find out what {python()} needs to run: {last[:300]}")
    return [Path(path) for path in json.loads(done.stdout.splitlines()[-1])]


# --- other packages ----------------------------------------------------------------------------------------


_owners = functools.cache(importlib.metadata.packages_distributions)  # reads the records of all packages


@functools.cache
def installed() -> frozenset[str]:
    """Names that can be imported here beside Python's own library."""
    names = set(_owners()) | {"fmkit"}
    return frozenset(name for name in names if name.isidentifier() and name not in sys.stdlib_module_names)


@functools.cache
def files(packages: tuple[str, ...]) -> tuple[Path, ...]:
    """Folders and files of site-packages that some packages consist of, with all that they require."""
    owners = _owners()
    todo = [dist for package in packages for dist in owners.get(package, ())]
    seen, found = set(), {}
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        try:
            dist = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        for file in dist.files or ():
            top = file.parts[0]
            if top not in ("..", "/", "__pycache__") and not top.endswith(".pth"):
                found[Path(dist.locate_file(top))] = True
        todo += [_required(text) for text in dist.requires or () if "extra ==" not in text]
    return tuple(sorted(path for path in found if path.exists()))


def _required(text):
    return re.match(r"[\w.-]+", text).group()


def is_open_to_all(folder: Path) -> bool:
    """Whether every user may read a folder: it and all above it."""
    return all(path.stat().st_mode & 0o005 == 0o005 for path in (folder, *folder.parents))


def python() -> Path:
    """The interpreter itself, not a virtual environment's link to it."""
    return Path(os.path.realpath(sys.executable))


def python_home() -> Path:
    """The folder that the interpreter and its own library lie in."""
    return Path(os.path.realpath(sys.base_prefix))
