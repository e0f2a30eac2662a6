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
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmkit.course.sandbox import confinement, seccomp, staging
from fmkit.course.sandbox.watch import Clock, descendants, look
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
        For one exercise: the cells that it needs and all of its inputs. Counted is time of the processors, of
        all processes together, and what they sleep through; see `watch.Clock`.
    submission_seconds : float
        For all of a submission together, counted in the same way.
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
        self.clock = Clock()

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
        for pid in (*descendants(process.pid), process.pid):
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
        """Send a message and wait for the reply, at most ``seconds`` (see `watch.Clock`).

        Raises
        ------
        WorkerLost
            When no reply comes in time, or the worker takes too much memory meanwhile. The sandbox cannot be
            used any more.
        """
        self.lost, lost = True, self.lost
        if lost:
            raise WorkerLost("died", "it was lost before")
        self.clock.go_on()
        reply = self._ask(message, self.clock.used + seconds)
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
            if not self.clock.until_due:
                self._watch(deadline)
            if any(select.select(*fds, self.clock.until_due)):
                return

    def _lost(self) -> WorkerLost:
        try:
            code = self.process.wait(1.0)
        except subprocess.TimeoutExpired:
            return WorkerLost("died", "it closed its pipes")
        return WorkerLost("died", f"it ended with code {code}")

    def _watch(self, deadline) -> None:
        """Add up what all processes take together."""
        taken = look(self.process.pid)
        self.clock.count(taken)
        if self.clock.used > deadline:
            raise WorkerLost("timeout", "it did not answer in the time allowed")
        if taken.processes > self.limits.processes + 8:
            raise WorkerLost("processes", f"it started more than {self.limits.processes} processes")
        if taken.memory > self.limits.memory:
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
        # what these need stays too; the judge sees it
        there = {path.name.split(".")[0] for path in staging.files(self._packages())}
        return {
            # torch and its like map far more than they use; then the watch alone holds
            "address_space": self.limits.memory if lean else None,
            "file_size": self.limits.file_size,
            "open_files": self.limits.open_files,
            "processes": self.limits.processes,
            "reply_size": self.limits.reply_size,
            "uid": confinement.spare_uid() if os.geteuid() == 0 else 0,
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

    def _packages(self) -> tuple[str, ...]:
        """Packages that the answers may use, and what every answer needs."""
        names = {name.split(".")[0] for name in self.allowed} - {"fmkit"} - sys.stdlib_module_names
        return tuple(sorted(names.union(staging.COPIED)))

    def _start_bare(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="fmkit-answers-"))
        self.folder.chmod(0o777)
        site, work = self.folder / "site", self.folder / "work"
        site.mkdir()
        for path in staging.files(self._packages()):
            (site / path.name).symlink_to(path)
        work.mkdir()
        work.chmod(0o777)
        self.kit = str(staging.compiled_kit())
        command = _program(staging.python(), [self.kit, site])
        self.process = subprocess.Popen(
            command, cwd=work, env=confinement.environment(work), start_new_session=True, **_pipes()
        )

    def _start_confined(self) -> None:
        if reason := confinement.missing():
            raise SandboxError(_advice(reason))
        filter_fd = seccomp.open_program()
        try:
            self.kit = str(staging.KIT)
            command = confinement.bubblewrap(self._packages(), self.limits.disk, filter_fd)
            command += _program(staging.PYTHON, [staging.KIT, staging.SITE])
            fds = () if filter_fd is None else (filter_fd,)
            self.process = subprocess.Popen(command, cwd="/", env={}, pass_fds=fds, **_pipes())
        finally:
            if filter_fd is not None:
                os.close(filter_fd)


def _program(python, paths) -> list[str]:
    lines = f"import sys; sys.path += {[str(p) for p in paths]!r}; import runpy; "
    lines += f"runpy.run_module({staging.WORKER!r}, run_name='__main__', alter_sys=False)"
    return [str(python), "-S", "-I", "-B", "-c", lines]


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
