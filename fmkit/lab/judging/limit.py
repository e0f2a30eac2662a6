"""A soft time limit for a call in a notebook, and a lid on what it prints."""

import gc
import io
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Clock:
    """What a limit is measured in: ``now`` tells the time; names of the timer and of its signal."""

    now: Callable[[], float]
    timer: str
    signal: str


WALL = Clock(time.monotonic, "ITIMER_REAL", "SIGALRM")
CPU = Clock(time.process_time, "ITIMER_PROF", "SIGPROF")  # of this process, with all its threads


class TooLong(BaseException):
    """Raised inside a call that ran past its limit. No Exception, so that `except Exception` lets it by."""


def call_within(seconds: int | float | None, call: Callable, *args: Any, clock: Clock = WALL) -> Any:
    """``call(*args)``, interrupted by `TooLong` after ``seconds``.

    The limit works on the main thread of systems that have the clock's signal, between two steps of Python;
    elsewhere, or with ``seconds`` None, there is none. A handler and timer that were set before are put back,
    the timer with what is left of its time.
    """
    on_main = threading.current_thread() is threading.main_thread()
    if seconds is None or not on_main or not hasattr(signal, "setitimer"):
        return call(*args)
    armed, collects = True, gc.isenabled()
    timer, number = getattr(signal, clock.timer), getattr(signal, clock.signal)

    def ring(signum, frame):
        if armed:
            # What is raised while the garbage collector runs a finalizer is lost, and Python complains
            gc.disable()
            # A bare `except:` may swallow this one, and a loop around it is open for an instant only: ring
            # again at once, after another few microseconds each time, until one falls into that instant
            signal.setitimer(timer, 1e-6 * (1 + time.perf_counter_ns() % 30))
            raise TooLong

    began = clock.now()
    old_handler = signal.signal(number, ring)
    old_left, old_interval = signal.setitimer(timer, max(seconds, 0.01))
    try:
        return call(*args)
    finally:
        armed = False
        signal.setitimer(timer, 0)
        signal.signal(number, old_handler)
        (gc.enable if collects else gc.disable)()
        if old_left:
            left = max(old_left - (clock.now() - began), 0.01)
            signal.setitimer(timer, left, old_interval)


class Printed(io.StringIO):
    """Takes what is printed, up to ``room`` characters; a loop that prints forever fills no memory."""

    def __init__(self, room: int = 2000):
        super().__init__()
        self.room = room

    def write(self, text: str) -> int:
        super().write(text[: max(self.room - self.tell(), 0)])
        return len(text)

    def close(self) -> None:
        """Stay open: an answer may close sys.stdout, and what it printed is still to be read."""
