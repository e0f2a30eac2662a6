"""``fmkit doctor``: what is installed and what works, and for each problem the command that fixes it."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata

import fmkit
from fmkit._paths import PACKAGE, command_line, fmkit_command, install_command
from fmkit.data import assets

OK, OPTIONAL, BROKEN = "✓", "–", "✗"
EXTRAS = {"course": "for instructors", "book": "to build the book", "test": "to run the tests"}
WIDTH = max(12, *map(len, assets.ASSETS))  # of the column of topics
SHOWN = ("numpy", "torch", "transformers", "jupyterlab")


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    status: str  # OK, OPTIONAL (something nice is missing) or BROKEN
    topic: str
    text: str
    fix: str = ""  # the command that fixes it


def examine() -> int:
    """Print the report; 1 when something is broken, 0 when at most optional things are missing."""
    print(f"fmkit {fmkit.__version__}, Python {platform.python_version()}, {platform.platform(terse=True)}")
    found = []
    for check in CHECKS:
        for finding in _run(check):
            found.append(finding)
            print(f"  {finding.status} {finding.topic:{WIDTH}s} {finding.text}", flush=True)
            if finding.fix:
                print(f"    {'':{WIDTH}s} → {finding.fix}")
    broken = sum(finding.status == BROKEN for finding in found)
    print(f"{broken} to fix." if broken else "All is well.")
    return 1 if broken else 0


def _run(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """A check that itself fails is a finding, not the end of the report."""
    try:
        yield from check()
    except Exception as error:
        yield Finding(BROKEN, check.__name__, f"{type(error).__name__}: {error}", install_command())


def packages() -> Iterator[Finding]:
    """Every package that pyproject.toml asks for is there, in a version that it allows."""
    from packaging.requirements import Requirement

    try:
        required = [Requirement(line) for line in metadata.requires("fmkit") or []]
    except metadata.PackageNotFoundError:
        yield Finding(BROKEN, "packages", "fmkit itself is not installed here", install_command())
        return
    core = [r for r in required if r.marker is None or r.marker.evaluate({"extra": ""})]
    wrong = [trouble for r in core if (trouble := _trouble(r))]
    versions = ", ".join(f"{name} {_version(name)}" for name in SHOWN)
    if wrong:
        yield Finding(BROKEN, "packages", "; ".join(wrong), install_command())
    else:
        yield Finding(OK, "packages", f"all {len(core)} as required ({versions})")
    for extra, purpose in EXTRAS.items():
        asked = [r for r in required if r not in core and r.marker.evaluate({"extra": extra})]
        wrong = [trouble for r in asked if (trouble := _trouble(r))]
        if wrong:
            text = (
                "; ".join(wrong) if len(wrong) < 3 else f"{len(wrong)} of {len(asked)} packages are missing"
            )
            yield Finding(OPTIONAL, f"[{extra}]", f"{purpose}: {text}", install_command(extra))
        else:
            yield Finding(OK, f"[{extra}]", f"{purpose}: all {len(asked)} as required")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _trouble(requirement) -> str | None:
    version = _version(requirement.name)
    if version is None:
        return f"{requirement.name} is missing"
    if not requirement.specifier.contains(version, prereleases=True):
        return f"{requirement.name} {version} is not {requirement.specifier}"
    return None


def torch() -> Iterator[Finding]:
    """Which devices torch sees."""
    import torch as t

    if t.cuda.is_available():
        names = ", ".join(t.cuda.get_device_name(i) for i in range(t.cuda.device_count()))
        yield Finding(OK, "torch", f"cpu ({t.get_num_threads()} threads) and cuda ({names})")
    elif has_gpu():
        yield Finding(
            OPTIONAL,
            "torch",
            f"this machine has a GPU, but torch {t.__version__} does not see it; the course runs without one",
            _make("clean", "lab"),
        )
    else:
        yield Finding(OK, "torch", f"cpu ({t.get_num_threads()} threads); no GPU here, and none is needed")


def _make(*targets: str) -> str:
    """The line that calls make in the checkout; without one, what installs fmkit again."""
    root = PACKAGE.parent
    makefile = (root / "Makefile").is_file()
    return command_line(["make", "-C", str(root), *targets]) if makefile else install_command()


def has_gpu() -> bool:
    """Whether NVIDIA's own tool names a GPU."""
    try:
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0 and "GPU" in done.stdout


def kernel() -> Iterator[Finding]:
    """The kernel that the notebooks name can be started, and finds fmkit."""
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    fix = command_line([sys.executable, "-m", "ipykernel", "install", "--sys-prefix"])
    try:
        spec = KernelSpecManager().get_kernel_spec("python3")
    except NoSuchKernel:
        yield Finding(BROKEN, "kernel", "Jupyter has no kernel named python3", fix)
        return
    if spec.argv[0].startswith("python"):  # Jupyter takes its own Python for that
        yield Finding(OK, "kernel", "python3")
    elif not shutil.which(spec.argv[0]):
        yield Finding(BROKEN, "kernel", f"python3 starts {spec.argv[0]}, which does not exist", fix)
    elif wrong := _other_python(spec):
        fix += "" if os.name == "nt" else " && export JUPYTER_PREFER_ENV_PATH=1"
        text = f"python3 in {spec.resource_dir} starts {spec.argv[0]}, {wrong}"
        yield Finding(BROKEN, "kernel", text, fix)
    else:
        yield Finding(OK, "kernel", "python3")


_FINDS = (
    "from importlib.util import find_spec as f; fmkit = f('fmkit'); print(fmkit.origin if fmkit else '');"
    "print(*(name for name in ('fmkit', 'numpy', 'torch', 'IPython', 'ipykernel') if not f(name)), sep=', ')"
)


def _other_python(spec) -> str:
    """What is wrong with the Python of a kernel, in a few words; nothing where the chapters run in it."""
    if "-m" not in spec.argv:
        return ""  # a script of somebody's, which cannot be asked
    start = spec.argv[: spec.argv.index("-m")]
    done = subprocess.run(
        [*start, "-c", _FINDS],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        cwd=spec.resource_dir,  # not where a folder named fmkit may lie
        env=os.environ | dict(spec.env),
        timeout=60,
    )
    origin, lacks = [*done.stdout.splitlines(), "", ""][:2]
    if done.returncode:
        return f"which does not start: {(done.stderr.strip() or 'it says nothing').splitlines()[-1]}"
    if lacks:
        return f"which lacks {lacks}"
    ours = os.path.samefile(origin, fmkit.__file__)
    return "" if ours else f"which has another fmkit: {os.path.dirname(origin)}"


def chapters() -> Iterator[Finding]:
    """The notebooks of the course are found."""
    from fmkit.chapters.find import chapters
    from fmkit.command.workspace import default_folder

    found = [path.stem for path in chapters()]
    yield Finding(OK, "chapters", f"{', '.join(found)} (`fmkit lab` copies them to {default_folder()})")


def data() -> Iterator[Finding]:
    """Every asset is there and intact, by hash."""
    for asset in assets.ASSETS.values():
        wrong = assets.problem(asset, full=True)
        if wrong:
            open_it = command_line(["chmod", "-R", "a+rX", str(assets.home())])  # for whoever fetched it
            fix = open_it if wrong == assets.CLOSED else fmkit_command("fetch", asset.name)
            left_out = wrong == "missing" and asset.part == 2  # part one works without
            of = " (for part two)" if left_out else ""
            yield Finding(OPTIONAL if left_out else BROKEN, asset.name, f"{asset.title}: {wrong}{of}", fix)
        else:
            yield Finding(OK, asset.name, asset.title)


_INSIDE = "import socket; print(*(name for _, name in socket.if_nameindex()))"


def sandbox() -> Iterator[Finding]:
    """A command really runs in bubblewrap, and sees no network but its loopback. Only grading needs it."""
    if sys.platform != "linux":
        yield Finding(OPTIONAL, "sandbox", "grading (for instructors) needs Linux")
        return
    if not shutil.which("bwrap"):
        yield Finding(OPTIONAL, "sandbox", "for instructors: bubblewrap is missing", _install_bubblewrap())
        return
    command = [
        "bwrap",
        "--unshare-ipc",
        "--unshare-pid",
        "--unshare-net",
        "--unshare-uts",
        "--die-with-parent",
    ]
    command += ["--new-session", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    done = subprocess.run(
        [*command, sys.executable, "-I", "-c", _INSIDE], capture_output=True, text=True, timeout=60
    )
    if done.returncode == 0 and done.stdout.split() in (["lo"], []):
        yield Finding(OK, "sandbox", f"{_first_line(['bwrap', '--version'])} runs, without a network")
        return
    said = (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()[-1]
    forbidden = "uid map" in said or "namespace" in said
    fix = "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0 (on Ubuntu)" if forbidden else ""
    yield Finding(OPTIONAL, "sandbox", f"for instructors: bubblewrap does not work here: {said}", fix)


def _install_bubblewrap() -> str:
    for tool, command in (("apt-get", "apt-get install"), ("dnf", "dnf install"), ("pacman", "pacman -S")):
        if shutil.which(tool):
            return f"sudo {command} bubblewrap"
    return "install the package bubblewrap"


def _first_line(command: list[str]) -> str:
    return subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.split("\n")[0]


CHECKS = (packages, torch, kernel, chapters, data, sandbox)
