"""`show` gives a function's own source with each docstring cut to its first line."""

import functools

import pytest

from fmkit.lab import exercises
from fmkit.lab.sources import show, source


def one_line(x):
    """Only one line."""
    return x


def many_lines(x):
    """The summary.

    And much more.
    """
    text = """not a
    docstring"""

    def inner(y):
        """Inner summary.

        More.
        """
        return y

    return inner(x), text


class Thing:
    """A thing.

    More.
    """

    def method(self):
        r"""Math \alpha.

        More.
        """


@functools.wraps(many_lines)
def wrapped(x):
    return many_lines(x)


def test_docstrings_are_cut():
    text = source(many_lines)
    assert text.startswith(
        'def many_lines(x):\n    """The summary."""\n    text = """not a\n    docstring"""\n'
    )
    assert '        """Inner summary."""\n        return y' in text and "more" not in text.lower()
    assert source(one_line) == 'def one_line(x):\n    """Only one line."""\n    return x'
    compile(text, "shown", "exec")


def test_classes_methods_and_wrapped_functions():
    assert source(Thing).splitlines()[1] == '    """A thing."""'
    assert r"Math \\alpha" in source(Thing) or r"Math \alpha" in source(Thing)
    assert source(Thing.method).startswith("def method(self):")
    assert source(wrapped) == source(many_lines)
    compile(source(Thing), "shown", "exec")


def test_show_prints_outside_a_notebook(capsys):
    show(one_line, exercises.get)
    out = capsys.readouterr().out
    assert out.startswith("def one_line(x):") and "\n\ndef get(id" in out


@pytest.mark.parametrize("thing", [len, 3, "text"])
def test_what_has_no_source_is_said(thing):
    with pytest.raises(TypeError, match="no Python source to show"):
        show(thing)
