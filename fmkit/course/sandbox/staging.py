"""What the sandbox may see: Python's own library, the packages that answers may use, and the worker's few
files.

Nothing else of the installation is visible: no exercises with their right answers, no judge, no torch.
"""

import ast
import atexit
import functools
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from fmkit._paths import PACKAGE

SHARED = "FMKIT_STAGE"
WORKER = "fmkit.course.sandbox.worker"
# No secret: a learner has it, and no exercise's answer is in it. Which of it an answer may use the stubs say.
REFERENCE = tuple(sorted(f"fmkit.{path.stem}" for path in PACKAGE.glob("[a-z]*.py") if path.stem != "errors"))
KIT = Path("/kit")  # where the stage lies inside the sandbox
# what answers may import of Python's own library, where it must be imported beforehand
USUAL = """array bisect calendar cmath collections copy csv dataclasses datetime decimal difflib
encodings.idna enum fractions functools hashlib heapq html itertools json operator pprint random re signal
socket statistics string subprocess textwrap threading time timeit typing unicodedata urllib.parse uuid
zlib"""


@functools.cache
def stage() -> Path:
    """The folder of the worker; a process that grades for another one takes that one's, named by `SHARED`."""
    return Path(os.environ[SHARED]) if SHARED in os.environ else _make_stage()


def _make_stage() -> Path:
    """Make a folder with the worker, the modules of fmkit that it needs, the reference, and no other.

    The packages' own ``__init__`` files are empty there: they would import the checks.
    """
    folder = Path(tempfile.mkdtemp(prefix="fmkit-stage-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for name in _closure({WORKER, *REFERENCE}):
        source = _file(name)
        target = folder / source.relative_to(PACKAGE.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    for init in {parent / "__init__.py" for file in folder.rglob("*.py") for parent in file.parents}:
        if folder in init.parents and not init.exists():
            init.touch()
    _compile(folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


def _compile(folder) -> None:
    """Compile what is imported inside: the sandbox cannot write, and not every installer compiles."""
    cache = folder / "pycache"
    paths = [str(folder), *sorted({str(path.parent) for path in files(("numpy", "jaxtyping"))})]
    program = f"import sys; sys.path += {paths!r}; import {', '.join((WORKER, *REFERENCE))}"
    command = [str(python()), "-S", "-I", "-X", f"pycache_prefix={cache}", "-c", program]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True)
    ours = cache / folder.relative_to(folder.anchor)
    if done.returncode == 0 and ours.is_dir():
        shutil.copytree(ours, cache / KIT.relative_to(KIT.anchor))


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


# --- other packages ----------------------------------------------------------------------------------------


@functools.cache
def installed() -> frozenset[str]:
    """Names that can be imported here beside Python's own library."""
    names = set(importlib.metadata.packages_distributions()) | {"fmkit"}
    return frozenset(name for name in names if name.isidentifier() and name not in sys.stdlib_module_names)


@functools.cache
def files(packages: tuple[str, ...]) -> tuple[Path, ...]:
    """Folders and files of site-packages that some packages consist of, with all that they require."""
    owners = importlib.metadata.packages_distributions()
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


@functools.cache
def hidden() -> tuple[Path, ...]:
    """Folders of installed packages: the sandbox sees of them only what `files` names."""
    names = ("site-packages", "dist-packages")
    roots = [Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")]
    roots += [Path(sysconfig.get_path("stdlib")) / name for name in names]
    for lib in (Path("/usr/lib"), Path("/usr/local/lib")):
        roots += [folder / name for folder in lib.glob("python3*") for name in names]
    roots += [Path(path) for path in sys.path if os.path.basename(path) in names]
    return tuple(sorted({path.absolute() for path in roots if path.is_dir()}))


def is_open_to_all(folder: Path) -> bool:
    """Whether every user may read a folder: it and all above it."""
    return all(path.stat().st_mode & 0o005 == 0o005 for path in (folder, *folder.parents))


def python() -> Path:
    """The interpreter itself, not a virtual environment's link to it."""
    return Path(os.path.realpath(sys.executable))


def python_home() -> Path:
    """The folder that the interpreter and its own library lie in."""
    return Path(os.path.realpath(sys.base_prefix))
