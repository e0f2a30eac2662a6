"""The command line that confines the answers: bubblewrap, with a system that is read-only and nearly
empty."""

import os
import shutil
import sys
import threading
from pathlib import Path

from fmkit.course.sandbox import staging

MB = 1 << 20


def missing() -> str:
    """Why there cannot be a sandbox here; empty when all programs are installed."""
    if sys.platform != "linux":
        return f"bubblewrap, which confines the answers, runs on Linux only, and this is {sys.platform}"
    for tool, package in (("bwrap", "bubblewrap"), *([("setpriv", "util-linux")] * (os.geteuid() == 0))):
        if not shutil.which(tool):
            return f"the program {tool} is not installed (package {package})"
    return ""


def bubblewrap(packages: tuple[Path, ...], kit: Path, disk: int, filter_fd: int | None) -> list[str]:
    """The command before the command: bubblewrap, with what the sandbox sees.

    Parameters
    ----------
    packages : tuple of paths
        Of site-packages.
    kit : path
        From `fmkit.course.sandbox.staging.stage`; it is `fmkit.course.sandbox.staging.KIT` inside.
    disk : int
        Bytes of the private /tmp.
    filter_fd : int, optional
        From `fmkit.course.sandbox.seccomp.open_program`.
    """
    made: set[Path] = {Path(p) for p in ("/", "/usr", "/tmp", "/dev", "/proc")}
    command = [shutil.which("bwrap"), "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    command += ["--unshare-cgroup-try", "--die-with-parent", "--new-session", "--hostname", "sandbox"]
    command += ["--ro-bind", "/usr", "/usr", *_links(), "--dev", "/dev", "--proc", "/proc"]
    command += ["--perms", "1777", "--size", str(disk), "--tmpfs", "/tmp"]
    home = staging.python_home()
    if not home.is_relative_to("/usr"):
        command += _parents(home, made) + ["--ro-bind", str(home), str(home)]
        made.add(home)
    for folder in staging.hidden():
        inside = folder.is_relative_to("/usr") or folder.is_relative_to(home)
        if inside or any(path.is_relative_to(folder) for path in packages):
            command += _parents(folder, made, stop=inside)
            command += ["--perms", "0755", "--size", str(MB), "--tmpfs", str(folder)]
    for path in packages:
        command += ["--ro-bind", str(path), str(path)]
    for folder in staging.hidden():
        if str(folder) in command:
            command += ["--remount-ro", str(folder)]
    command += ["--ro-bind", str(kit), str(staging.KIT), "--remount-ro", "/dev", "--remount-ro", "/"]
    command += [] if filter_fd is None else ["--seccomp", str(filter_fd)]
    command += ["--chdir", "/tmp", "--clearenv"]
    for name, value in environment("/tmp").items():
        command += ["--setenv", name, value]
    return [*command, "--"]


def _parents(path: Path, made: set[Path], stop: bool = False) -> list[str]:
    """Make the folders above a path so that anybody may enter them, unlike those bubblewrap makes itself."""
    command = []
    for parent in reversed(path.parents):
        if parent not in made and not stop:
            command += ["--perms", "0755", "--dir", str(parent)]
            made.add(parent)
    return command


def _links() -> list[str]:
    command = []
    for name in ("bin", "sbin", "lib", "lib64", "lib32"):
        path = Path("/", name)
        if path.is_symlink():
            command += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            command += ["--ro-bind", str(path), str(path)]
    for file in ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/localtime"):
        if os.path.exists(file):
            command += ["--ro-bind", os.path.realpath(file), file]
    return command


def as_nobody() -> list[str]:
    if os.geteuid() != 0:
        return []  # bubblewrap has made a user namespace, and given up all rights in it
    uid = spare_uid()
    command = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--bounding-set=-all"]
    return [shutil.which("setpriv"), *command[1:], "--inh-caps=-all", "--no-new-privs", "--"]


def spare_uid() -> int:
    """A user for each thread that grades, because the kernel counts processes by user."""
    return 40_000 + threading.get_native_id() % 20_000


def environment(home) -> dict[str, str]:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    base = {"PATH": "/usr/bin:/bin", "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8"}
    return {**base, **threads, "PYTHONHASHSEED": "0"}
