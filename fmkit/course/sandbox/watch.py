"""What a process and all that it has started take together, as Linux tells from outside."""

import os
import time
from dataclasses import dataclass

PACE = 0.05  # seconds from one look to the next, whatever is going on
SLOWEST = 0.1  # at least this part of the time on the wall counts, however little of the processors there was
_TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def descendants(pid: int) -> list[int]:
    """Ids of the children of a process, of their children, and so on, whichever thread started them."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
        children = [child for thread in threads for child in _children(pid, thread)]
    except OSError:
        return []
    return children + [d for child in children for d in descendants(child)]


def _children(pid, thread) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{thread}/children") as file:
            return [int(child) for child in file.read().split()]
    except OSError:  # the thread has ended
        return []


@dataclass(frozen=True)
class Taken:
    """What the processes have at one moment.

    Attributes
    ----------
    processes : int
    memory : int
        Bytes that they have of their own or share with each other, swapped out or not.
    cpu : float
        Seconds of processor time so far, with that of the children that have ended.
    is_waiting : bool
        Whether a processor is used or waited for.
    """

    processes: int
    memory: int
    cpu: float
    is_waiting: bool


def look(pid: int) -> Taken:
    """What a process's descendants take now."""
    pids = descendants(pid)
    times = [_time(one) for one in pids]
    memory = sum(map(_memory, pids))
    return Taken(len(pids), memory, sum(cpu for cpu, _ in times), any(waiting for _, waiting in times))


class Clock:
    """The time that a sandbox has used: of the processors, and what it slept through.

    Where others take the processors from it, its time goes slower than the wall's: an answer is not stopped
    for what its neighbours do.
    """

    def __init__(self):
        self.used = 0.0
        self._cpu = 0.0
        self._at = time.monotonic()

    def go_on(self) -> None:
        """Leave out the time until now."""
        self._at = time.monotonic()

    def count(self, taken: Taken) -> None:
        """Add the time since the last look."""
        now = time.monotonic()
        passed, self._at = now - self._at, now
        cpu, self._cpu = max(taken.cpu - self._cpu, 0.0), taken.cpu
        self.used += max(cpu, passed * (SLOWEST if taken.is_waiting else 1.0))

    @property
    def until_due(self) -> float:
        """Seconds until the next look; none when it is due."""
        return max(self._at + PACE - time.monotonic(), 0.0)


def _time(pid: int) -> tuple[float, bool]:
    try:
        fields = _stat(f"/proc/{pid}/stat")
        cpu = sum(map(int, fields[11:15])) / _TICK
        if fields[0] in "RD" or int(fields[17]) == 1:  # one thread
            return cpu, fields[0] in "RD"
        threads = os.listdir(f"/proc/{pid}/task")
        return cpu, any(_stat(f"/proc/{pid}/task/{one}/stat")[0] in "RD" for one in threads)
    except (OSError, ValueError, IndexError):
        return 0.0, False


def _stat(path) -> list[str]:
    with open(path, "rb") as file:
        return file.read().rpartition(b")")[2].decode("ascii").split()


def _memory(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/status") as file:
            lines = [line.split() for line in file if line.startswith(_COUNTED)]
        return 1024 * sum(int(line[1]) for line in lines)
    except (OSError, ValueError, IndexError):
        return 0


_COUNTED = ("RssAnon", "RssShmem", "VmSwap", "HugetlbPages")
