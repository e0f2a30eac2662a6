"""A mistake is the line that a learner writes instead of a line of the reference.

An edit is a piece of text, in one of two forms:

- a whole statement, ``"dx = dout @ w.T"``: it replaces the statement of the reference with the same left side
  (``dx = ...``, also ``dx += ...``), or the ``return``, or for ``"for i in range(n - 1):"`` that loop's head;
- a part of a line, ``"x > 0 -> x >= 0"``, the old text and the new one; with nothing on the right it goes.

An edit has to fit in exactly one place. Comments and the docstring do not count, and every new line keeps its
indentation. Several edits make one mistake as a tuple. From the edited text comes a function, with the
globals of the reference: so the reference stands once, and two mistakes at once can be made by the machine.
"""

import ast
import functools
import inspect
import io
import linecache
import textwrap
import tokenize
import warnings
from collections.abc import Callable

Edits = str | tuple[str, ...]
ARROW = " -> "


class EditError(ValueError):
    """An edit fits nowhere in the reference, or in several places."""


@functools.cache
def with_edits(reference: Callable, edits: Edits) -> Callable:
    """The reference as a function with the edits made, one after the other.

    Raises
    ------
    EditError
        When an edit does not fit in exactly one place.
    SyntaxError
        When what comes out is not Python.
    """
    source = source_of(reference)
    for edit in (edits,) if isinstance(edits, str) else edits:
        source = edited(source, edit)
    return function_of(source, reference)


def function_of(source: str, reference: Callable) -> Callable:
    """The function that a text defines, among the globals of the reference. Its lines can be shown."""
    file = f"<mistake {abs(hash(source))}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    names = dict(inspect.unwrap(reference).__globals__)
    exec(compile_quietly(source, file), names)
    made = names[reference.__name__]
    made.text = source  # what `source_of` gives for it
    return made


@functools.cache
def source_of(reference: Callable) -> str:
    """The text of a function without its comments and docstring."""
    reference = inspect.unwrap(reference)
    if hasattr(reference, "text"):
        return reference.text
    source = textwrap.dedent(inspect.getsource(reference))
    source = _without_comments(source)
    function = ast.parse(source).body[0]
    if isinstance(function, ast.FunctionDef) and ast.get_docstring(function) is not None:
        doc, lines = function.body[0], source.splitlines(keepends=True)
        source = "".join(lines[: doc.lineno - 1] + lines[doc.end_lineno :])
    return source


def _without_comments(source: str) -> str:
    lines = source.splitlines(keepends=True)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip() + "\n"
    return "".join(line for line in lines if line.strip())


@functools.lru_cache(maxsize=2000)  # pairs of mistakes make the same first edit again and again
def edited(source: str, edit: str) -> str:
    """The text of a function after one edit."""
    if ARROW in edit or edit.endswith(ARROW.rstrip()):
        return _replace_part(source, edit)
    return _replace_statement(source, edit)


def _replace_part(source: str, edit: str) -> str:
    old, new = edit.split(ARROW, 1) if ARROW in edit else (edit.removesuffix(ARROW.rstrip()).rstrip(), "")
    count = source.count(old)
    if count != 1:
        raise EditError(f"{old!r} is there {count} times, in\n{source}")
    at = source.index(old)
    start = source.rfind("\n", 0, at) + 1
    end = source.find("\n", at + len(old))
    indent = " " * (len(source[start:at]) - len(source[start:at].lstrip()))
    if not new and not source[start:at].strip() and not source[at + len(old) : end].strip():
        new = "pass"  # a whole line goes: what it stood in may hold no other
    return source[:at] + new.replace("\n", "\n" + indent) + source[at + len(old) :]


def _replace_statement(source: str, edit: str) -> str:
    is_head = edit.endswith(":")
    (wanted, *_) = ast.parse(edit + (" pass" if is_head else "")).body
    function = _parsed(source)
    exact = [node for node in _statements(function) if _key(node) == _key(wanted)]
    near = exact or [n for n in _statements(function) if _target(n) and _target(n) == _target(wanted)]
    if len(near) != 1:
        raise EditError(f"{edit!r} fits {len(near)} statements, in\n{source}")
    (node,) = near
    lines = source.splitlines(keepends=True)
    first, last = node.lineno, node.body[0].lineno - 1 if is_head else node.end_lineno
    indent = " " * node.col_offset
    new = textwrap.indent(edit, indent) + "\n"
    return "".join([*lines[: first - 1], new, *lines[last:]])


@functools.lru_cache(maxsize=500)
def _parsed(source):
    return ast.parse(source).body[0]


def _statements(function):
    """Every statement inside a function; of functions defined in it, the statements but no return."""
    for node in function.body:
        yield from _inside(node, nested=False)


def _inside(node, nested):
    if not (nested and isinstance(node, ast.Return)):
        yield node
    nested = nested or isinstance(node, ast.FunctionDef)
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.stmt, ast.ExceptHandler)):
            yield from _inside(child, nested)


def _key(node) -> tuple | None:
    """What a statement is told by: its kind and its left side."""
    if isinstance(node, ast.Return):
        return ("return",)
    if isinstance(node, (ast.Assign, ast.AugAssign)):
        return (type(node).__name__, *_target(node))
    if isinstance(node, ast.For):
        return ("for", ast.unparse(node.target))
    if isinstance(node, (ast.If, ast.While)):
        return (type(node).__name__,)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return ("call", ast.unparse(node.value.func))
    return None


def _target(node) -> tuple[str, ...] | None:
    if isinstance(node, ast.Assign):
        return tuple(ast.unparse(target) for target in node.targets)
    return (ast.unparse(node.target),) if isinstance(node, ast.AugAssign) else None


def compile_quietly(source: str | ast.Module, file: str):
    """Compiled code; what Python finds odd in it (``1.0[0]``) is not the learner's doing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        return compile(source, file, "exec")
