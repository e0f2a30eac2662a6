"""The command line that confines the answers: bubblewrap, with the small system that `staging` has made."""

import shutil
import sys
import threading
from pathlib import Path

from fmkit.course.sandbox import staging


def missing() -> str:
    """Why there cannot be a sandbox here; empty when all programs are installed."""
    if sys.platform != "linux":
        return f"bubblewrap, which confines the answers, runs on Linux only, and this is {sys.platform}"
    return "" if shutil.which("bwrap") else "the program bwrap is not installed (package bubblewrap)"


def bubblewrap(packages: tuple[str, ...], disk: int, filter_fd: int | None) -> list[str]:
    """The command before the command: bubblewrap, with what the sandbox sees.

    The program becomes process 1, so that none of bubblewrap's own is inside; and there is no /proc, through
    which one process opens what belongs to another. Where root grades, the worker makes itself another user.

    Parameters
    ----------
    packages : tuple of str
        That answers may use.
    disk : int
        Bytes of the private /tmp.
    filter_fd : int, optional
        From `fmkit.course.sandbox.seccomp.open_program`.
    """
    command = [shutil.which("bwrap"), "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    command += ["--as-pid-1", "--unshare-cgroup-try", "--die-with-parent", "--new-session"]
    command += ["--hostname", "sandbox"]
    command += ["--ro-bind", str(staging.system(packages)), "/"]
    for path, inside in staging.mounted(packages).items():
        command += ["--ro-bind", str(path), str(inside)]
    for name in staging.DEVICES:
        command += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    command += ["--perms", "1777", "--size", str(disk), "--tmpfs", "/tmp"]
    command += [] if filter_fd is None else ["--seccomp", str(filter_fd)]
    command += ["--chdir", "/tmp", "--clearenv"]
    for name, value in {**environment("/tmp"), "LD_LIBRARY_PATH": str(staging.LIBRARIES)}.items():
        command += ["--setenv", name, value]
    return [*command, "--"]


def spare_uid() -> int:
    """A user for each thread that grades, because the kernel counts processes by user."""
    return 40_000 + threading.get_native_id() % 20_000


def environment(home: str | Path) -> dict[str, str]:
    """The environment of the worker, whose answers may write below ``home``."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    base = {"PATH": "/usr/bin:/bin", "HOME": str(home), "TMPDIR": str(home), "LANG": "C.UTF-8"}
    return {**base, **threads, "PYTHONHASHSEED": "0"}
