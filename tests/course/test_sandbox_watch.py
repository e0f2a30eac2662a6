"""What an answer takes is counted from outside, whatever it does."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from helpers.grading import needs_sandbox

from fmkit.course.sandbox import process, watch
from fmkit.course.sandbox.process import Sandbox, WorkerLost
from fmkit.course.sandbox.watch import Clock, Taken, descendants

BUSY, ASLEEP = True, False


@pytest.mark.parametrize(
    "passed, cpu, state, used",
    [
        (5.0, 5.0, BUSY, 5.0),
        (5.0, 0.0, ASLEEP, 5.0),  # it sleeps
        (5.0, 0.0, BUSY, 0.5),  # neighbours have the processors
        (5.0, 1.0, BUSY, 1.0),
        (5.0, 10.0, BUSY, 10.0),  # two processors
        (5.0, 2.0, ASLEEP, 5.0),
    ],
)
def test_time_is_that_of_the_processors_and_of_sleep(passed, cpu, state, used, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(watch, "time", SimpleNamespace(monotonic=lambda: now[0]))
    clock = Clock()
    now[0] += 1000.0
    clock.go_on()  # what passes between two questions does not count
    now[0] += passed
    clock.count(Taken(1, 0, cpu, state))
    assert clock.used == pytest.approx(used)
    clock.count(Taken(1, 0, 0.0, BUSY))  # a process has ended, and its time is gone
    assert clock.used == pytest.approx(used)


def test_memory_is_watched_while_bytes_come_in(monkeypatch):
    sandbox = Sandbox()
    reading, writing = os.pipe()
    os.write(writing, b"never an end")
    with open(reading, "rb") as out, open(writing, "wb"):
        sandbox.process = SimpleNamespace(stdout=out, pid=os.getpid())
        monkeypatch.setattr(process, "look", lambda pid: Taken(1, 1 << 40, 0.0, ASLEEP))
        sandbox.clock._at -= watch.PACE
        with pytest.raises(WorkerLost, match="memory"):
            sandbox._wait(100.0, writing=False)


def test_children_of_every_thread_are_seen():
    program = (
        "import subprocess, sys, threading, time\n"
        "sleep = [sys.executable, '-c', 'import time; print(1, flush=True); time.sleep(100)']\n"
        "threading.Thread(target=lambda: subprocess.run(sleep)).start()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    parent.stdout.readline()
    children = descendants(parent.pid)
    for pid in (*children, parent.pid):
        os.kill(pid, 9)
    parent.communicate()
    assert len(children) == 1


def ended(source):
    """How an answer ends that may take half a second."""
    with Sandbox() as sandbox:
        sandbox.ask({"cells": [{"name": "a", "source": source}], "seconds": 10.0}, 20.0)
        question = {"target": 0, "function": "f", "cases": [()], "seconds": 100.0, "everything": False}
        with pytest.raises(WorkerLost) as lost:
            sandbox.ask(question, 0.5)
    return lost.value.kind


MANY = """
import os, time
def f():
    for _ in range(4):
        if os.fork() == 0:
            while True:
                pass
    time.sleep(1000)
"""
ENDED = """
import os, signal, time
def f():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody adds up the time of children that have ended
    while True:
        if os.fork() == 0:
            end = time.process_time() + 0.03
            while time.process_time() < end:
                pass
            os._exit(0)
        time.sleep(0.02)
"""


@needs_sandbox
@pytest.mark.parametrize("source", [MANY, ENDED, "import time\ndef f():\n    time.sleep(1000)"])
def test_time_is_counted_for_all_processes_and_for_sleep(source):
    assert ended(source) == "timeout"
