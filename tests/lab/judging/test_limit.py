"""The soft time limit interrupts, and leaves no trace behind."""

import contextlib
import gc
import signal
import sys
import threading
import time

import pytest

from fmkit.lab.judging.limit import Printed, TooLong, call_within


def forever():
    while True:
        pass


@pytest.fixture(autouse=True)
def _no_alarm_is_left():
    before = signal.getsignal(signal.SIGALRM)
    yield
    assert signal.getsignal(signal.SIGALRM) is before


def test_a_value_comes_through():
    assert call_within(5, lambda a, b: a + b, 1, 2) == 3
    assert call_within(None, lambda: 3) == 3
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


@pytest.mark.parametrize("call", [forever, lambda: time.sleep(60)])
def test_a_loop_is_stopped(call):
    with pytest.raises(TooLong):
        call_within(0.05, call)
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


class SlowToGo:
    def __init__(self):
        self.cycle = self

    def __del__(self):
        for _ in range(20_000):
            pass


@pytest.mark.parametrize(
    "room", [20, *(pytest.param(n, marks=pytest.mark.slow) for n in range(17, 27) if n != 20)]
)
def test_no_finalizer_is_interrupted(room, monkeypatch):
    """The collector may start when the limit is reached: what rings then must not ring inside a finalizer."""
    lost = []
    monkeypatch.setattr(sys, "unraisablehook", lost.append)
    before = gc.get_threshold()

    def call():
        gc.set_threshold(room, 5, 5)  # full when the exception and its traceback are made, for some rooms
        for _ in range(10):
            SlowToGo()
        forever()

    gc.collect()
    gc.freeze()  # what there is already takes long to look through
    try:
        for _ in range(3):
            gc.collect()
            with pytest.raises(TooLong):
                call_within(0.1, call)
            gc.set_threshold(*before)
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
    assert [each.exc_type for each in lost] == []
    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off():
    gc.disable()
    try:
        with pytest.raises(TooLong):
            call_within(0.02, forever)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_except_exception_does_not_hold_it():
    def stubborn():
        while True:
            with contextlib.suppress(Exception):
                forever()

    with pytest.raises(TooLong):
        call_within(0.05, stubborn)


def test_one_bare_except_does_not_hold_it_for_long():
    def stubborn():
        try:
            forever()
        except:  # noqa: E722
            forever()

    with pytest.raises(TooLong):
        call_within(0.05, stubborn)


def test_a_bare_except_in_an_endless_loop_does_not_hold_it():
    def stubborn():
        while True:
            try:
                while True:
                    pass
            except:  # noqa: E722
                pass

    with pytest.raises(TooLong):
        call_within(0.05, stubborn)


def test_a_timer_that_was_set_before_still_rings():
    rang = []
    old = signal.signal(signal.SIGALRM, lambda *_: rang.append(True))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(TooLong):
            call_within(0.05, forever)
        assert not rang
        time.sleep(0.3)
        assert rang
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def test_another_thread_is_called_without_a_limit():
    got = []
    thread = threading.Thread(target=lambda: got.append(call_within(0.01, lambda: time.sleep(0.05) or 3)))
    thread.start()
    thread.join()
    assert got == [3]


def test_printed_keeps_the_beginning():
    out = Printed(room=10)
    for _ in range(100):
        assert out.write("abcd") == 4
    assert out.getvalue() == "abcdabcdab"
