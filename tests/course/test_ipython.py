"""What IPython understands in a cell becomes Python, and nothing of it runs."""

import ast

import pytest

from fmkit.course.ipython import as_python


def python(source):
    return as_python([source])[0]


def test_fences_of_markdown_go_and_lines_keep_their_numbers():
    assert python("```python\nx = 1\n```\n") == "\nx = 1\n\n"
    assert python("\n```\n!ls\nx = 1\n").splitlines()[-1] == "x = 1" == python("x = 1\n```").strip()
    assert python("~~~py\r\nx = 1\r\n~~~").splitlines()[1] == "x = 1"
    assert python("```{code-cell} ipython3\nx = 1\n```").strip() == "x = 1"
    text = 't = """\n```\ncode\n```\n"""'
    assert python(text).strip() == text, "in a text they stay"
    for source in ("```", "x = 1\n```python", "Here it is:\n```\nx = 1\n```"):
        with pytest.raises(SyntaxError):
            ast.parse(python(source))


@pytest.mark.parametrize(
    "source",
    [
        "%%time\nx = 1",
        "%%capture out\n\n%%time\nx = 1",
        "!ls\nx = 1",
        "%matplotlib inline\nx = 1",
        "y?\nx = 1",
        "?y\nx = 1",
        "files = !ls *.py\nx = 1",
        "res = %timeit -o -n 1 f(3)\nx = 1",
        ">>> import math\n>>> x = 1",
        ">>> import math\nx = 1",
        ">>> if y:\n...     pass\nx = 1",
        "In [3]: y = 2\n   ...: x = 1",
        "    y = 2\n    x = 1",
        "\n    y = 2\n    x = 1",
        "/print 1\nx = 1",
        ",print a b\nx = 1",
        ";print a b\nx = 1",
        "%time x = 1",
        "def f():\n    !ls\n    %timeit 3\nx = 1",
        "def f():\n    a = %time g()\n    return a\nx = 1",
        "%time x = 1\r\n%time y = 1\r\n",
    ],
)
def test_the_names_of_a_cell_are_found(source):
    names = {node.id for node in ast.walk(ast.parse(python(source))) if isinstance(node, ast.Name)}
    assert "x" in names


@pytest.mark.parametrize(
    "source",
    [
        "",
        "\n",
        "x = 1",
        't = """\n%d rows\n!no\nwhy?\n"""',
        "x = y % 2  # why?",
        "a = b != c",
        "x = (1 +\n 2)",
    ],
)
def test_python_stays_as_it_is(source):
    assert python(source).rstrip("\n") == source.rstrip("\n")


def test_lines_keep_their_numbers():
    assert python("\n\n%%time\n\n!ls\nx = 1").split("\n")[5] == "x = 1"
    assert python("%matplotlib inline\n\nx = 1").split("\n")[2] == "x = 1"


def test_other_languages_are_left_out():
    assert as_python(["%%bash\nx = 1", "%%writefile x.py\nx = 1"]) == ["", ""]


def test_a_cell_that_would_take_too_long_stays(monkeypatch):
    monkeypatch.setattr("fmkit.course.ipython.MOST", 20_000)
    hostile = ["%\n" * 9000, "\n" * 99_000, " " * 99_000, "%%time\n" * 9000, "=! " * 30_000]  # no hang either
    assert as_python(hostile) == hostile
    assert as_python(["%time x = 1"]) == ["x = 1\n"]


@pytest.mark.parametrize("source", ["!\ud800", "%\0", "!(((", "x = '''\n%", "%%", "?", "\ufeff%time x"])
def test_nothing_is_raised(source):
    assert isinstance(python(source), str)
