"""`show`: the source of a function, for the learner to read."""

import ast
import inspect
import textwrap
from typing import Any

from fmkit.lab.cards import in_notebook, say


def show(*functions: Any) -> None:
    """Show the source of functions or classes, highlighted, each docstring cut to its first line.

    Raises
    ------
    TypeError
        When something has no Python source (a built-in, a number).
    """
    text = "\n\n".join(source(f) for f in functions)
    if in_notebook():
        from IPython.display import display

        display({"text/markdown": f"```python\n{text}\n```", "text/plain": text}, raw=True)
    else:
        say(text)


def source(function: Any) -> str:
    """The source of a function or class, from its own file, each docstring cut to its first line."""
    function = inspect.unwrap(function)
    try:
        code = textwrap.dedent(inspect.getsource(function))
    except (TypeError, OSError) as error:
        name = getattr(function, "__name__", None) or type(function).__name__
        raise TypeError(f"{name} has no Python source to show") from error
    return _short_docstrings(code).rstrip()


def _short_docstrings(code: str) -> str:
    lines = code.splitlines()
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    nodes = [n for n in ast.walk(ast.parse(code)) if isinstance(n, definitions)]
    for node in sorted(nodes, key=lambda n: -n.lineno):  # from below, so that line numbers above stay
        text = ast.get_docstring(node)
        if text is None or "\n" not in text:
            continue
        statement = node.body[0]
        first = lines[statement.lineno - 1]
        indent = first[: len(first) - len(first.lstrip())]
        summary = text.splitlines()[0].replace("\\", "\\\\")
        lines[statement.lineno - 1 : statement.end_lineno] = [f'{indent}"""{summary}"""']
    return "\n".join(lines)
