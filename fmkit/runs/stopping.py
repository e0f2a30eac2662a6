"""A run that is asked to stop finishes its step and saves itself first."""

import signal
import time
from contextlib import contextmanager


class Stopped(KeyboardInterrupt):
    """Someone asked the run to stop; it is saved, and the same command goes on with it."""


@contextmanager
def reasons_to_stop():
    """A list that gets an entry when the user (Ctrl-C) or the system (SIGTERM) asks the run to stop.

    A second Ctrl-C, a second later or more, interrupts at once; sooner, it is the first one's echo: under
    ``torchrun`` a process gets each signal twice.
    """
    reasons, asked = [], []

    def ask(number, frame):
        if number == signal.SIGINT and asked and time.monotonic() - asked[0] > 1:
            raise KeyboardInterrupt
        asked.append(time.monotonic())
        reasons.append(signal.Signals(number).name)

    try:
        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # only a program's main thread may listen
        before = {}
    try:
        yield reasons
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
