"""What a command prints arrives: in any encoding, and where the reader has gone away."""

import io
import os
import subprocess
import sys

import pytest

from fmkit.command import terminal


@pytest.mark.parametrize(
    "encoding, shown",
    [("utf-8", "✓ ✗ → – 日"), ("cp1252", "ok !! -> – ?"), ("ascii", "ok !! -> - ?"), ("gbk", "ok !! → – 日")],
)
def test_a_sign_that_the_terminal_does_not_have(monkeypatch, encoding, shown):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding))
    terminal.speak_its_encoding()
    print("✓ ✗ → – 日", end="")
    terminal.flush()
    assert raw.getvalue().decode(encoding) == shown


def test_closed_stdout(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    terminal.speak_its_encoding()
    terminal.flush()
    assert sys.stdout is None


PROGRAM = """
import click
from fmkit.command.cli import main
@main.command()
def chatter():
    for _ in range({lines}):
        print("said")
main(["chatter"])
"""


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_reader_who_goes_away(lines):
    """As `fmkit doctor | head -1`: neither a traceback nor Python's own complaint at the end."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(lines=lines)], stdout=writing, stderr=subprocess.PIPE, text=True
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
