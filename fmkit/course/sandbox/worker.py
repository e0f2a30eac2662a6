"""The program inside the sandbox: a warm parent that forks a child for each exercise.

The parent has imported NumPy, and never runs a line of the learner's. A child runs the cells that its answer
needs, calls the answer on the inputs and sends the results through a pipe; then the child, and all that it
has started, is killed. Whatever a child does to itself costs only its own exercise. The judge is outside.

Messages are frames of `judging.wire` on standard input and output: first the options, then the cells, then
one for each exercise.
"""

import contextlib
import ctypes
import gc
import os
import resource
import select
import signal
import sys
import time
import types
from typing import Any

import numpy as np
import numpy.linalg
import numpy.ma
import numpy.random  # NumPy loads these late; here once for all children

from fmkit.course.sandbox import slicing
from fmkit.course.sandbox.answering import Answering
from fmkit.course.sandbox.watch import descendants
from fmkit.lab.judging import wire

GRACE = 1.0  # seconds that a child has to stop by itself when its time is up
_PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 4, 36, 38


def main() -> None:
    """Serve until standard input ends."""
    signal.signal(
        signal.SIGINT, signal.SIG_DFL
    )  # process 1 gets no signal from inside that it has no handler for
    inbox, outbox = os.dup(0), os.dup(1)  # not inherited by programs that an answer starts
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    options = _receive(inbox)
    _preload(options["preload"])
    _confine(options)
    gc.freeze()  # children share these pages as long as nobody counts through them
    _send(outbox, {"ready": True})
    server = _Server(options, (inbox, outbox))
    while (message := _receive(inbox)) is not None:
        _send(outbox, server.answer(message))
    os._exit(0)


def _preload(modules) -> None:
    """Import what the answers may use.

    jaxtyping asks for ``unittest.mock`` on the way, and with it for all of asyncio, for something that nobody
    calls here. It gets an empty module: that saves a fifth of the start.
    """
    mock = sys.modules["unittest.mock"] = types.ModuleType("unittest.mock")
    mock.patch = None
    for module in modules:
        with contextlib.suppress(ImportError):
            __import__(module)
    del sys.modules["unittest.mock"]


def _confine(options) -> None:
    """Set the limits; they cannot be raised again."""
    limits = {
        resource.RLIMIT_AS: options["address_space"],
        resource.RLIMIT_FSIZE: options["file_size"],
        resource.RLIMIT_NOFILE: options["open_files"],
        resource.RLIMIT_CORE: 0,
    }
    for name, value in limits.items():
        with contextlib.suppress(ValueError, OSError):  # a lower limit is set already
            if value is not None:
                resource.setrlimit(name, (value, value))
    if options["uid"]:  # started by root: be somebody without rights
        os.setgroups([])
        os.setresgid(options["uid"], options["uid"], options["uid"])
        os.setresuid(options["uid"], options["uid"], options["uid"])
    _limit_processes(options["processes"])
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        # not dumpable: a child of the same user cannot write into this process
        for what, on in ((_PR_SET_NO_NEW_PRIVS, 1), (_PR_SET_CHILD_SUBREAPER, 1), (_PR_SET_DUMPABLE, 0)):
            libc.prctl(what, on, 0, 0, 0)


def _limit_processes(count) -> None:
    """Limit the processes of this user; not where it has more already: older kernels count those outside."""
    _, most = resource.getrlimit(resource.RLIMIT_NPROC)
    try:
        resource.setrlimit(resource.RLIMIT_NPROC, (count, most))
        if (pid := os.fork()) == 0:
            os._exit(0)
        os.waitpid(pid, 0)
        resource.setrlimit(resource.RLIMIT_NPROC, (count, count))
    except BlockingIOError:
        resource.setrlimit(resource.RLIMIT_NPROC, (most, most))  # the watch outside still counts
    except (ValueError, OSError):
        pass


def _receive(fd) -> Any:
    """The next message, or None at the end."""
    received = bytearray()
    while True:
        begin, end = wire.unframe(received)
        if 0 <= end <= len(received):
            return wire.decode(received[begin:end])
        wanted = (end if end >= 0 else begin) - len(received)
        part = os.read(fd, min(wanted, 1 << 20))
        if not part:
            return None
        received += part


def _send(fd, value) -> None:
    _write(fd, wire.frame(wire.encode(value)))


def _write(fd, data) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


class _Server:
    """The parent: knows the cells as text and facts, and starts the children."""

    def __init__(self, options, pipes):
        self.options = options
        self.pipes = pipes
        self.cells: list[dict] = []
        self.facts: list[dict] = []

    def answer(self, message: dict) -> dict:
        if "cells" in message:
            self.cells = message["cells"]
            return self.scan(message["seconds"])
        return self.exercise(message)

    def scan(self, seconds) -> dict:
        """Scan the learner's cells in a child; if one of them brings the parser down, each in a child of its
        own. Of cells as they were handed out the facts came with them."""
        own = [cell for cell in self.cells if "facts" not in cell]
        sources = [cell["source"] for cell in own]
        scanned = self.in_child(lambda: [slicing.scan(source) for source in sources], seconds)
        if scanned["how"] != "done":
            deadline, facts = time.monotonic() + seconds, []
            for source in sources:
                left = max(deadline - time.monotonic(), 0.01)
                one = self.in_child(lambda source=source: slicing.scan(source), min(left, 5.0))
                broken = {"error": "Python cannot even read this cell", "statements": []}
                facts.append(one["value"] if one["how"] == "done" else broken)
        else:
            facts = scanned["value"]
        found = iter(facts)
        self.facts = [cell.get("facts") or next(found) for cell in self.cells]
        return {"errors": [fact["error"] for fact in self.facts]}

    def exercise(self, message: dict) -> dict:
        target, began = message["target"], time.monotonic()
        if message["everything"]:
            order = [(c, s) for c, fact in enumerate(self.facts) for s in range(len(fact["statements"]))]
            steps = [at for at in order if at[0] <= target]
        else:
            steps = slicing.needed(self.facts, target)
        exercise = Answering(message, self.cells, steps, self.options)
        reply = self.in_child(exercise.run, message["seconds"] + GRACE)
        return {**reply, "seconds": time.monotonic() - began}

    def in_child(self, work, seconds) -> dict:
        """Run something in a child: ``how`` is done, timeout, large or died; ``code`` its end (a signal if
        negative)."""
        receiving, sending = os.pipe()
        pid = os.fork()
        if pid == 0:
            _be_child(work, sending, (receiving, *self.pipes))
        os.close(sending)
        try:
            body, how = self._read(receiving, pid, seconds)
        finally:
            os.close(receiving)
        code = self._end(pid, patient=how == "died")
        if how != "done":
            return {"how": how, "code": code}
        try:
            return {"how": "done", "code": 0, "value": wire.decode(body)}
        except wire.WireError as error:
            return {"how": "garbage", "code": code, "error": str(error)}

    def _read(self, fd, pid, seconds):
        """One frame from a child; what follows is ignored."""
        received, room = bytearray(), self.options["reply_size"]
        while True:
            while not (ready := select.select([fd, self.pipes[0]], [], [], 0.1)[0]):
                if _cpu(pid) > seconds:  # what it sleeps through, the watch outside counts
                    return b"", "timeout"
            if self.pipes[0] in ready:  # nothing is sent meanwhile: who asked is gone
                self._end(pid, patient=False)
                os._exit(1)
            part = os.read(fd, 1 << 20)
            if not part:
                return b"", "died"
            received += part
            begin, end = wire.unframe(received)
            if end > room + begin or len(received) > room + begin:
                return b"", "large"
            if 0 <= end <= len(received):
                return received[begin:end], "done"

    def _end(self, pid, patient) -> int:
        """Kill a child and all that it left behind; returns how the child itself had ended."""
        code = None
        for _ in range(40 if patient else 0):  # it closed its pipe: it is ending, or lives on without it
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                code = os.waitstatus_to_exitcode(status)
                break
            time.sleep(0.005)
        for _ in range(100):
            self._kill_others(pid if code is None else 0)
            gone = _reap()
            code = gone.get(pid, code)
            if code is not None and not _has_children():
                return code
            time.sleep(0.002)
        return code if code is not None else -signal.SIGKILL

    def _kill_others(self, pid):
        with contextlib.suppress(OSError):
            if self.options["alone"]:  # in its own process namespace: everyone else is a leftover
                os.kill(-1, signal.SIGKILL)
                return
            if pid:
                os.kill(pid, signal.SIGKILL)
        for other in descendants(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(other, signal.SIGKILL)


def _cpu(pid) -> float:
    """Seconds of processor time of a process."""
    try:
        return time.clock_gettime((~pid << 3) | 2)  # as clock_getcpuclockid makes it
    except OSError:
        return 0.0


def _reap() -> dict[int, int]:
    gone = {}
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            gone[pid] = os.waitstatus_to_exitcode(status)
    return gone


def _has_children() -> bool:
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True


def _be_child(work, sending, others) -> None:
    """The child's whole life."""
    try:
        for fd in others:
            os.close(fd)
        os.setpgid(0, 0)  # so that a signal to its group does not reach the parent
        _write(sending, wire.frame(wire.encode(work())))
    except BaseException:  # noqa: B036, SIM105  nothing may get past here: there is a parent's stack below
        pass
    finally:
        os._exit(0)


if __name__ == "__main__":
    np.seterr(all="warn")
    with contextlib.suppress(BrokenPipeError):
        main()
