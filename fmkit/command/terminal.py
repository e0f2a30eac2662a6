"""What a command prints reaches the reader: in a terminal of any encoding, and where nobody reads on."""

import codecs
import contextlib
import os
import sys

# What the reports write beside ASCII, for terminals that cannot show it
_PLAIN = {"✓": "ok", "✗": "!!", "–": "-", "→": "->", "…": "...", "×": "x", "·": ".", "−": "-", "’": "'"}


def _in_plain_signs(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(sign, "?") for sign in error.object[error.start : error.end]), error.end


def speak_its_encoding() -> None:
    """A plain sign stands for one that stdout or stderr cannot encode: no report ends in a traceback."""
    codecs.register_error("fmkit-plain", _in_plain_signs)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # None where it is closed
            stream.reconfigure(errors="fmkit-plain")


def flush() -> None:
    """Write what is left now, while a reader who has gone away can still be noticed."""
    if sys.stdout is not None:
        sys.stdout.flush()


def leave_the_pipe() -> None:
    """Nobody reads on: what is left goes nowhere, so that Python does not complain about it at the end."""
    with contextlib.suppress(OSError):  # it is not a real file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
