"""Start the worker where it can do no harm, talk to it, and end it when it does not answer.

On Linux, bubblewrap gives it a system that is read-only and nearly empty, a private /tmp, no network and no
view of other processes; as root it becomes a user without rights. There are limits on what each process may
take, and a watch from outside on what all of them take together.
"""

import contextlib
import functools
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmkit.course.sandbox import confinement, seccomp, staging
from fmkit.course.sandbox.processes import descendants
from fmkit.errors import SandboxError
from fmkit.lab.judging import wire
from fmkit.lab.judging.judge import HARMLESS

MB = 1 << 20


class WorkerLost(RuntimeError):
    """The worker ended, or was ended: ``kind`` is ``"timeout"``, ``"memory"``, ``"processes"`` or
    ``"died"``."""

    def __init__(self, kind: str, message: str):
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Limits:
    """What a submission may take.

    Attributes
    ----------
    seconds : float
        For one exercise: the cells that it needs and all of its inputs, on the wall clock.
    submission_seconds : float
        For all of a submission together.
    memory : int
        Bytes, of all processes together.
    processes, open_files : int
    file_size, disk : int
        Bytes: of one file, and of all files in the private /tmp (kept in memory).
    reply_size : int
        Bytes of the results of one exercise.
    """

    seconds: float = 20.0
    submission_seconds: float = 300.0
    memory: int = 2048 * MB
    processes: int = 32
    open_files: int = 128
    file_size: int = 32 * MB
    disk: int = 64 * MB
    reply_size: int = 32 * MB


DEFAULT = Limits()


class Sandbox:
    """A worker in its sandbox, as a context manager.

    Parameters
    ----------
    limits : Limits
    allowed : tuple of str
        Modules that the answers may use, beside Python's own library.
    unsafe : bool
        Do without bubblewrap: a separate process with limits on time, memory and processes, which can read
        what its user can.

    Raises
    ------
    SandboxError
        When the worker cannot be started.
    """

    def __init__(self, limits: Limits = DEFAULT, allowed: tuple[str, ...] = ("numpy",), unsafe: bool = False):
        self.limits = limits
        self.allowed = tuple(sorted({*allowed, *HARMLESS}))
        self.unsafe = unsafe
        self.process: subprocess.Popen | None = None
        self.lost = False

    def __enter__(self) -> "Sandbox":
        if self.unsafe:
            self._start_bare()
        else:
            self._start_confined()
        for pipe in (self.process.stdin, self.process.stdout):
            os.set_blocking(pipe.fileno(), False)
        try:
            self.ask(self._options(), 60.0)
        except WorkerLost as lost:
            said = self._last_words()
            self.__exit__()
            raise SandboxError(_advice(said or str(lost))) from None
        return self

    def __exit__(self, *error: Any) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        others = descendants(process.pid) if self.unsafe else []
        for pid in (*others, process.pid):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(OSError):
                pipe.close()
        if self.unsafe:
            shutil.rmtree(self.folder, ignore_errors=True)

    # --- talking -------------------------------------------------------------------------------------------

    def ask(self, message: Any, seconds: float) -> Any:
        """Send a message and wait for the reply.

        Raises
        ------
        WorkerLost
            When no reply comes in time, or the worker takes too much memory meanwhile. The sandbox cannot be
            used any more.
        """
        self.lost, lost = True, self.lost
        if lost:
            raise WorkerLost("died", "it was lost before")
        reply = self._ask(message, time.monotonic() + seconds)
        self.lost = False
        return reply

    def _ask(self, message, deadline) -> Any:
        view = memoryview(wire.frame(wire.encode(message)))
        while view:
            self._wait(deadline, writing=True)
            try:
                view = view[os.write(self.process.stdin.fileno(), view) :]
            except BlockingIOError:
                continue
            except OSError:
                raise self._lost() from None
        received = bytearray()
        while True:
            self._wait(deadline, writing=False)
            part = os.read(self.process.stdout.fileno(), MB)
            if not part:
                raise self._lost()
            received += part
            begin, end = wire.unframe(received)
            if max(end, len(received)) > self.limits.reply_size + MB:
                raise WorkerLost("died", "it sent more than it may")
            if 0 <= end <= len(received):
                return self._decoded(received[begin:end])

    def _decoded(self, body):
        try:
            return wire.decode(body)
        except wire.WireError as error:
            raise WorkerLost("died", f"it sent what cannot be read: {error}") from None

    def _wait(self, deadline, writing) -> None:
        fds = ([], [self.process.stdin], []) if writing else ([self.process.stdout], [], [])
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise WorkerLost("timeout", "it did not answer in the time allowed")
            if any(select.select(*fds, min(left, 0.05))):
                return
            self._watch()

    def _lost(self) -> WorkerLost:
        try:
            code = self.process.wait(1.0)
        except subprocess.TimeoutExpired:
            return WorkerLost("died", "it closed its pipes")
        return WorkerLost("died", f"it ended with code {code}")

    def _watch(self) -> None:
        """Add up what all processes take together."""
        pids = descendants(self.process.pid)
        if len(pids) > self.limits.processes + 8:
            raise WorkerLost("processes", f"it started more than {self.limits.processes} processes")
        if sum(map(_memory, pids)) > self.limits.memory:
            raise WorkerLost("memory", f"it took more than {self.limits.memory // MB} MB of memory")

    def _last_words(self) -> str:
        with contextlib.suppress(OSError, ValueError):
            os.set_blocking(self.process.stderr.fileno(), False)
            if text := (self.process.stderr.read() or b"").decode("utf-8", "replace").strip():
                return text.splitlines()[-1][:300]
        return ""

    # --- starting ------------------------------------------------------------------------------------------

    def _options(self) -> dict:
        lean = {name.split(".")[0] for name in self.allowed} <= {"numpy", "fmkit", *HARMLESS}
        ours = [name for name in self.allowed if name.split(".")[0] == "fmkit"]
        there = {
            path.name.split(".")[0] for path in self._packages()
        }  # what these need stays too; the judge sees it
        return {
            # torch and its like map far more than they use; then the watch alone holds
            "address_space": self.limits.memory if lean else None,
            "file_size": self.limits.file_size,
            "open_files": self.limits.open_files,
            "processes": self.limits.processes,
            "reply_size": self.limits.reply_size,
            "uid": confinement.spare_uid() if self.unsafe and os.geteuid() == 0 else 0,
            "alone": not self.unsafe,
            "preload": self._preload(),
            "barred": sorted(staging.installed() - there),
            "allowed": ours,
            "stubs": sorted(_reference() | {"torch", "torch.nn", "torch.nn.functional"}),
            "kit": self.kit,
        }

    def _preload(self) -> list[str]:
        modules = sorted({*self.allowed} - {*HARMLESS})
        if self.unsafe and os.geteuid() == 0 and not staging.is_open_to_all(staging.python_home()):
            modules += staging.USUAL.split()  # for who is not root Python's own library is out of reach then
        return modules

    def _packages(self) -> tuple[Path, ...]:
        names = {name.split(".")[0] for name in self.allowed} - {"fmkit"}
        names.add("jaxtyping")  # the reference's signatures
        return staging.files(tuple(sorted(names)))

    def _program(self, paths) -> list[str]:
        lines = f"import sys; sys.path += {[str(p) for p in paths]!r}; import runpy; "
        lines += f"runpy.run_module({staging.WORKER!r}, run_name='__main__', alter_sys=False)"
        cache = ["-X", f"pycache_prefix={self.kit}/pycache"]
        return [str(staging.python()), "-S", "-I", "-B", *cache, "-c", lines]

    def _stage(self) -> Path:
        return staging.stage()

    def _start_bare(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="fmkit-answers-"))
        self.folder.chmod(0o777)
        site = self.folder / "site"
        site.mkdir()
        for path in self._packages():
            (site / path.name).symlink_to(path)
        self.kit = str(self._stage())
        work = self.folder / "work"
        work.mkdir()
        work.chmod(0o777)
        command = self._program([self.kit, site])
        self.process = subprocess.Popen(
            command, cwd=work, env=confinement.environment(work), start_new_session=True, **_pipes()
        )

    def _start_confined(self) -> None:
        if reason := confinement.missing():
            raise SandboxError(_advice(reason))
        filter_fd = seccomp.open_program()
        try:
            command = confinement.bubblewrap(self._packages(), self._stage(), self.limits.disk, filter_fd)
            command += confinement.as_nobody()
            site = sorted({path.parent for path in self._packages()})
            self.kit = str(staging.KIT)
            command += self._program([self.kit, *site])
            fds = () if filter_fd is None else (filter_fd,)
            self.process = subprocess.Popen(command, cwd="/", env={}, pass_fds=fds, **_pipes())
        finally:
            if filter_fd is not None:
                os.close(filter_fd)


def _pipes() -> dict:
    return dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE) | {"bufsize": 0}


def _reference() -> set[str]:
    modules = {f"fmkit.{path.stem}" for path in staging.PACKAGE.glob("*.py") if path.stem != "__init__"}
    return modules | {"fmkit", "fmkit.lab"}


# --- what there is -----------------------------------------------------------------------------------------


def _advice(reason: str) -> str:
    return (
        f"No sandbox for the answers: {reason}. `fmkit doctor` says what to do about it. Or grade with "
        "--unsafe, which runs them in a separate process that can read your files and reach the network."
    )


@functools.cache
def require(unsafe: bool = False) -> None:
    """Try the sandbox once.

    Raises
    ------
    SandboxError
        With the reason, when there is none.
    """
    with Sandbox(unsafe=unsafe):
        pass


def _memory(pid: int) -> int:
    """Bytes of memory that a process has of its own, or shares with others of its kind."""
    try:
        with open(f"/proc/{pid}/status") as file:
            lines = [line.split() for line in file if line.startswith(("RssAnon", "RssShmem"))]
        return 1024 * sum(int(line[1]) for line in lines)
    except (OSError, ValueError, IndexError):
        return 0
