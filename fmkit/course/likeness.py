"""Answers that are the same but for names: a hint for a conversation, never a verdict.

Two people who know the same line of a lecture write the same line. So a form counts only where it is not
tiny, not the kit's own, and not what many in the class have.
"""

import ast
import difflib
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from fmkit.lab.judging.fences import unfenced

TINY = 40  # nodes of the syntax tree; a formula or two that anybody would write like that
MANY = 0.05  # of the class: a form that more have is the usual one
FEW = 3  # and so many at least may share one
NEAR = 0.95  # of the characters are those of the kit's solution, comments and all
LONGEST = 20_000  # characters of an answer that are compared


@dataclass(frozen=True)
class Hints:
    """What is alike in the answers to one exercise.

    Attributes
    ----------
    same : list of list of str
        Groups of students whose answers are the same but for names.
    of_the_kit : list of str
        Whose text is nearly that of the kit's own solution, comments and all.
    """

    same: list[list[str]]
    of_the_kit: list[str]


def hints(answers: Mapping[str, str], given: str, solutions: list[str]) -> Hints:
    """Compare the answers to one exercise.

    Parameters
    ----------
    answers : dict of str to str
        Student (or team) -> the source of the answer's cell.
    given : str
        The cell as it was handed out.
    solutions : list of str
        The kit's own, in every way that it knows.
    """
    known = {form(source) for source in solutions}
    groups: dict[str, list[str]] = defaultdict(list)
    for student, source in answers.items():
        found = form(source)
        if found and found not in known and size(source) - size(given) >= TINY:
            groups[found].append(student)
    many = max(FEW, MANY * len(answers))
    same = sorted(sorted(group) for group in groups.values() if 1 < len(group) <= many)
    texts = [text for source in solutions if _comments(text := _own_text(source, given))]
    near = [
        s for s, source in answers.items() if any(_near(_own_text(source, given), text) for text in texts)
    ]
    return Hints(same, sorted(near))


# --- forms --------------------------------------------------------------------------------------------------


def form(source: str) -> str:
    """A source without comments, docstrings, layout and its own names; nothing where it is not Python."""
    try:
        tree = _parsed(source)
        _Plain(_own_names(tree)).visit(tree)
        return ast.dump(tree) if tree.body else ""
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # students write these files
        return ""


def size(source: str) -> int:
    """How many nodes a syntax tree has, without docstrings; 0 where it is not Python."""
    try:
        tree = _parsed(source)
        _Plain({}).visit(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return 0
    return sum(not isinstance(node, ast.expr_context) for node in ast.walk(tree))


def _parsed(source: str) -> ast.Module:
    return ast.parse("\n".join(unfenced(source[:LONGEST].splitlines())))


def _own_names(tree: ast.AST) -> dict[str, str]:
    """The names that a source itself gives to something, but for its outermost functions: name -> number."""
    kept = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    names: dict[str, str] = {}
    for node in _in_order(tree):
        found = []
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                found = [name]
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found = [name]
            case ast.alias(name=name, asname=asname):
                found = [asname or name.split(".")[0]]
            case ast.ExceptHandler(name=str(name)):
                found = [name]
        for name in found:
            if name not in kept:
                names.setdefault(name, f"v{len(names)}")
    return names


def _in_order(node: ast.AST):
    """The nodes as they stand in the text."""
    yield node
    for child in ast.iter_child_nodes(node):
        yield from _in_order(child)


class _Plain(ast.NodeTransformer):
    """Gives names their numbers and takes docstrings away."""

    def __init__(self, names: dict[str, str]):
        self.names = names

    def visit(self, node: ast.AST) -> ast.AST:
        for name in ("id", "arg", "name", "asname"):
            value = getattr(node, name, None)
            if isinstance(value, str) and not isinstance(node, ast.alias | ast.keyword):
                setattr(node, name, self.names.get(value, value))
        if isinstance(node, ast.alias):
            node.asname = None  # `import numpy as np` and `import numpy` differ in a name alone
        if isinstance(getattr(node, "body", None), list):
            node.body = [part for part in node.body if not _is_text(part)]
        return self.generic_visit(node)


def _is_text(node: ast.AST) -> bool:
    """A docstring, or a text that stands for a comment."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


# --- the kit's own text -------------------------------------------------------------------------------------


def _own_text(source: str, given: str) -> str:
    """The lines that were not handed out, without the space around them."""
    handed_out = {line.strip() for line in given.splitlines()}
    lines = (line.strip() for line in source[:LONGEST].splitlines())
    return "\n".join(line for line in lines if line and line not in handed_out and not line.startswith("###"))


def _comments(text: str) -> list[str]:
    """The comments that nobody writes by chance in the same words."""
    return [found for found in re.findall(r"#.*", text) if len(found) > 12]


def _near(text: str, solution: str) -> bool:
    """Whether a text is nearly the solution's, with one of its comments: right code alone is no sign."""
    if not any(comment in text for comment in _comments(solution)):
        return False
    return difflib.SequenceMatcher(None, text, solution, autojunk=False).ratio() >= NEAR
