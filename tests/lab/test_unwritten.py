"""A cell that needs an answer which is not written yet says so in one line; other exceptions are as ever."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

from fmkit.chapters.student import PLACEHOLDER
from fmkit.lab.unwritten import tell_what_is_unwritten


@pytest.fixture
def run(capsys):
    """Runs a cell: what it shows, and the exception that it raised."""
    shell = InteractiveShell()
    shell.run_line_magic("colors", "nocolor")
    tell_what_is_unwritten(shell)

    def run_cell(source):
        result = shell.run_cell(source)
        return capsys.readouterr().out.strip(), result.error_in_exec

    yield run_cell
    InteractiveShell.clear_instance()


def answer(name):
    return f"def {name}(x):\n    {PLACEHOLDER[0]}\n    {PLACEHOLDER[1]}\n"


def test_the_function_is_named_in_one_line(run):
    shown, error = run(answer("gelu") + "def mean(x):\n    return gelu(x) / len(x)\nmean([1])")
    assert shown == "gelu is not written yet: write it in its cell, run its check, then run this cell again."
    assert isinstance(error, NotImplementedError)  # the next cells of Run All are stopped, or not, as before


OTHER = """def f():
    raise NotImplementedError("no such kernel")
f()"""


@pytest.mark.parametrize(
    "source, last",
    [
        (OTHER, "NotImplementedError: no such kernel"),
        ("raise NotImplementedError", "NotImplementedError:"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        (PLACEHOLDER[1], "NotImplementedError: write this, then run its check"),
    ],
)
def test_other_exceptions_have_their_traceback(run, source, last):
    shown, _ = run(source)
    assert "Traceback" in shown
    assert shown.splitlines()[-1].strip() == last
