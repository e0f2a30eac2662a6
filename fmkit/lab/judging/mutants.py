"""Right answers with one edit in them: what a slip of the pen makes of a reference.

Each edit is told in words that do not give the line away: "as if a sum were a mean". A wrong answer that does
on every input what such an edit does can be told what it is like, even where nobody has written the mistake
down; and the exercises' own inputs are tried on them (`fmkit exercises --mutants`).
"""

import ast
import contextlib
import copy
import functools
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from fmkit.lab.judging.mistakes import compile_quietly, source_of

Change = tuple[str, Callable[[ast.AST], ast.AST | None]]  # words, and a new node (None: the statement goes)


@dataclass(frozen=True, eq=False)
class Mutant:
    """One edit of a function.

    Attributes
    ----------
    words : str
        Completes "as if ...".
    line : int
        Line of the function, without comments and docstring, where the edit is.
    """

    words: str
    line: int
    original: Callable
    tree: ast.Module  # of the original: the edit is made in it, and taken back
    place: tuple  # the node's parent, the field that holds it, and its index there or None
    change: Callable

    @property
    def is_vague(self) -> bool:
        """Whether it is one parameter for another: there are many of these, and they say little."""
        return self.words.endswith("belongs")

    @property
    def edited(self) -> str:
        """The edited line."""
        lines, old = self.source.splitlines(), ast.unparse(self.tree).splitlines()
        changed = [line.strip() for line, before in zip(lines, old, strict=False) if line != before]
        return (
            changed[0]
            if changed
            else (old[len(lines)].strip() if len(old) > len(lines) else lines[-1].strip())
        )

    @functools.cached_property
    def source(self) -> str:
        """The edited function as text."""
        with self._made():
            return ast.unparse(ast.fix_missing_locations(self.tree))

    @functools.cached_property
    def fn(self) -> Callable:
        """The edited function."""
        with self._made():
            code = compile_quietly(ast.fix_missing_locations(self.tree), "<one edit>")
        names = dict(inspect.unwrap(self.original).__globals__)
        exec(code, names)
        return names[self.original.__name__]

    @contextlib.contextmanager
    def _made(self):
        parent, field, at = self.place
        held = getattr(parent, field)
        old = held if at is None else held[at]
        new = self.change(copy.copy(old))
        if at is None:
            setattr(parent, field, new)
        else:  # a statement that goes leaves `pass` where it was alone
            put = [new] if new is not None else ([] if len(held) > 1 else [ast.Pass()])
            setattr(parent, field, held[:at] + put + held[at + 1 :])
        try:
            yield
        finally:
            setattr(parent, field, held)


@functools.cache
def mutants(function: Callable) -> tuple[Mutant, ...]:
    """Every function that is one edit away, in the order in which their words are worth telling."""
    tree = ast.parse(source_of(function))
    whole = tree.body[0]
    if not isinstance(whole, ast.FunctionDef):  # a lambda
        return ()
    arguments = [a.arg for a in whole.args.args]
    found = []
    for statement in whole.body:
        inside = {
            id(n) for s in ast.walk(statement) if isinstance(s, ast.Subscript) for n in ast.walk(s.slice)
        }
        for place, node in _places(whole, statement):
            for words, change in _changes(node, place[0], arguments):
                if id(node) in inside and words in _LEFT_OUT.values():
                    words = "an index were another one"  # nothing is left out of a formula there
                found.append(Mutant(words, getattr(node, "lineno", 0), function, tree, place, change))
    return tuple(sorted(found, key=lambda mutant: mutant.is_vague))  # the vaguest words last


def _places(whole, statement) -> Iterator[tuple[tuple, ast.AST]]:
    """Every node in a statement of a function, with the place where it hangs."""
    yield (whole, "body", whole.body.index(statement)), statement
    for parent in ast.walk(statement):
        for field, value in ast.iter_fields(parent):
            if isinstance(value, ast.AST):
                yield (parent, field, None), value
            elif isinstance(value, list):
                for at, item in enumerate(value):
                    if isinstance(item, ast.AST):
                        yield (parent, field, at), item


# --- what can be changed ------------------------------------------------------------------------------------


def _changes(node, parent, arguments) -> Iterator[Change]:
    kind = type(node).__name__
    makers = {
        "UnaryOp": _signs,
        "Compare": _comparisons,
        "BoolOp": _conditions,
        "Constant": _constants,
        "Call": _calls,
        "Attribute": _attributes,
        "Slice": _slices,
        "IfExp": _choices,
        "If": _branches,
        "Assign": _statements,
        "AugAssign": _statements,
        "Expr": _statements,
        "Break": _statements,
        "Continue": _statements,
    }
    if kind == "Name":
        yield from _other_arguments(node, parent, arguments)
    elif kind == "BinOp":
        yield from _operators(node, arguments)
    elif kind in makers:
        yield from makers[kind](node, parent)


def _set(field, value):
    """A change that sets one field of a node."""

    def change(node):
        setattr(node, field, value(node) if callable(value) else value)
        return node

    return change


# Both ways round: an answer need not be written like the one that was edited.
PLUS_MINUS = "a plus and a minus were exchanged"
TIMES_OVER = "a multiplication and a division were exchanged"
_OPERATORS = {
    ast.Add: [(ast.Sub, PLUS_MINUS), (ast.Mult, "a sum were a product")],
    ast.Sub: [(ast.Add, PLUS_MINUS), (ast.Div, "a difference were a ratio")],
    ast.Mult: [(ast.Div, TIMES_OVER), (ast.Add, "a product were a sum")],
    ast.Div: [(ast.Mult, TIMES_OVER), (ast.FloorDiv, "/ were //")],
    ast.FloorDiv: [(ast.Div, "// were /")],
    ast.Pow: [(ast.Mult, "a power were a product")],
    ast.BitAnd: [(ast.BitOr, "an `and` were an `or`")],
    ast.BitOr: [(ast.BitAnd, "an `or` were an `and`")],
}
_LEFT_OUT = {
    ast.Add: "a term were left out",
    ast.Sub: "a term were left out",
    ast.Mult: "a factor were left out",
    ast.Div: "a division were left out",
    ast.FloorDiv: "a division were left out",
    ast.Mod: "a remainder (%) were left out",
    ast.Pow: "a power were left out",
    ast.BitAnd: "one of two conditions were left out",
    ast.BitOr: "one of two conditions were left out",
    ast.MatMult: "a matrix product were left out",
}


def _operators(node, arguments) -> Iterator[Change]:
    op = type(node.op)
    for new, words in _OPERATORS.get(op, ()):
        yield words, _set("op", lambda n, new=new: new())
    if words := _LEFT_OUT.get(op):
        yield _with_what(words, node.right, arguments), lambda n: n.left
        if op not in (ast.Pow, ast.Mod, ast.FloorDiv):
            yield _with_what(words, node.left, arguments), lambda n: n.right
    if op in (ast.Sub, ast.Div, ast.MatMult):
        words = {ast.Sub: "a difference", ast.Div: "a ratio", ast.MatMult: "a matrix product"}[op]
        yield f"the two sides of {words} were exchanged", _exchanged("left", "right")
    if op is ast.MatMult:
        for side in ("left", "right"):
            yield (
                "a matrix were transposed that should not be, or the other way round",
                _set(side, lambda n, side=side: _transposed(getattr(n, side))),
            )


def _with_what(words, gone, arguments) -> str:
    """ "a term (1) were left out": with the number, or the argument, where there is just one in it."""
    inside = {n.id for n in ast.walk(gone) if isinstance(n, ast.Name)} & set(arguments)
    if isinstance(gone, ast.Constant) and isinstance(gone.value, (int, float)):
        what = repr(gone.value)
    elif len(inside) == 1:
        what = gone.id if isinstance(gone, ast.Name) else f"with {inside.pop()}"
    else:
        return words
    return words.replace(" were", f" ({what}) were", 1)


def _exchanged(one, other):
    def change(node):
        first, second = getattr(node, one), getattr(node, other)
        setattr(node, one, second)
        setattr(node, other, first)
        return node

    return change


def _transposed(node):
    if isinstance(node, ast.Attribute) and node.attr == "T":
        return node.value
    return ast.Attribute(node, "T", ast.Load())


def _signs(node, parent) -> Iterator[Change]:
    words = {ast.USub: "a minus sign were missing", ast.Not: "a condition were turned round"}
    words[ast.Invert] = "a mask were turned round"
    if type(node.op) in words:
        yield words[type(node.op)], lambda n: n.operand


_COMPARISONS = {
    ast.Lt: [(ast.LtE, "a comparison let its boundary in"), (ast.Gt, "a comparison looked the other way")],
    ast.LtE: [(ast.Lt, "a comparison kept its boundary out"), (ast.GtE, "a comparison looked the other way")],
    ast.Gt: [(ast.GtE, "a comparison let its boundary in"), (ast.Lt, "a comparison looked the other way")],
    ast.GtE: [(ast.Gt, "a comparison kept its boundary out"), (ast.LtE, "a comparison looked the other way")],
    ast.Eq: [(ast.NotEq, "a comparison were turned round"), (ast.GtE, "equal were at least")],
    ast.NotEq: [(ast.Eq, "a comparison were turned round"), (ast.Gt, "unequal were greater")],
    ast.Is: [(ast.IsNot, "a comparison were turned round")],
    ast.IsNot: [(ast.Is, "a comparison were turned round")],
    ast.In: [(ast.NotIn, "a comparison were turned round")],
    ast.NotIn: [(ast.In, "a comparison were turned round")],
}


def _comparisons(node, parent) -> Iterator[Change]:
    for new, words in _COMPARISONS.get(type(node.ops[0]), ()):
        yield words, _set("ops", lambda n, new=new: [new(), *n.ops[1:]])


def _conditions(node, parent) -> Iterator[Change]:
    other = ast.Or if isinstance(node.op, ast.And) else ast.And
    yield "an `and` and an `or` were exchanged", _set("op", lambda n: other())
    for i in range(len(node.values)):
        yield (
            "one of several conditions were left out",
            lambda n, i=i: (
                n.values[1 - i] if len(n.values) == 2 else _set("values", n.values[:i] + n.values[i + 1 :])(n)
            ),
        )


_REDUCTIONS = {"sum", "mean", "max", "min", "prod", "std", "var", "argmax", "argmin", "cumsum", "cumprod"}
_REDUCTIONS |= {"any", "all", "argsort", "sort", "median", "norm", "logsumexp", "concatenate", "stack"}


def _is_axis(node, parent) -> bool:
    if isinstance(parent, ast.keyword):
        return parent.arg == "axis"
    if not isinstance(parent, ast.Call) or not any(a is node for a in parent.args):
        return False
    name = _called(parent)
    is_method = isinstance(parent.func, ast.Attribute) and not _is_module(parent.func.value)
    return name in _REDUCTIONS and (is_method or parent.args[0] is not node)


def _constants(node, parent) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        keyword = parent.arg if isinstance(parent, ast.keyword) else ""
        if keyword == "strict":  # of zip: it only guards
            return
        is_keepdims = keyword == "keepdims"
        yield (
            "keepdims were missing" if is_keepdims else f"{value} were {not value}",
            _set("value", not value),
        )
    elif _is_axis(node, parent):
        for axis in {0, 1, -1} - {value}:
            yield "an axis were another one", _set("value", axis)
        yield "it ran over all axes at once", _set("value", None)
    elif isinstance(value, int):
        yield "a number were one too large", _set("value", value + 1)
        yield "a number were one too small", _set("value", value - 1)
        for other in {0, 1, 2} - {value - 1, value, value + 1}:
            yield f"{value} were {other}", _set("value", other)
    elif isinstance(value, float):
        for other in {2 * value, value / 2, -value, 0.0, 1.0} - {value}:
            yield "a constant were another one", _set("value", other)


_EXCHANGED = {
    "sum": ("mean", "max"),
    "mean": ("sum", "max", "median"),
    "max": ("min", "sum", "mean"),
    "min": ("max", "mean"),
    "maximum": ("minimum",),
    "minimum": ("maximum",),
    "prod": ("sum",),
    "argmax": ("argmin",),
    "argmin": ("argmax",),
    "std": ("var",),
    "var": ("std",),
    "floor": ("ceil", "round"),
    "ceil": ("floor",),
    "round": ("floor",),
    "zeros_like": ("ones_like",),
    "ones_like": ("zeros_like",),
    "zeros": ("ones",),
    "ones": ("zeros",),
    "any": ("all",),
    "all": ("any",),
    "log": ("log2", "log1p", "log10"),
    "log1p": ("log",),
    "exp": ("exp2", "expm1"),
    "expm1": ("exp",),
    "tril": ("triu",),
    "triu": ("tril",),
    "cumsum": ("sum", "cumprod"),
    "append": ("extend",),
    "left": ("right",),
}
_A_NAME = {"sum": "a sum", "mean": "a mean", "max": "a maximum", "min": "a minimum", "prod": "a product"}
_DROPPED = {
    "exp": "an exponential were left out",
    "log": "a logarithm were left out",
    "sqrt": "a square root were left out",
    "abs": "an absolute value were left out",
    "tanh": "a tanh were left out",
    "maximum": "a maximum were left out",
    "minimum": "a minimum were left out",
    "clip": "a clip were left out",
    "cumsum": "a running sum were left out",
    "sorted": "a sorting were left out",
    "set": "repeats counted",
    "reversed": "the order were not reversed",
    "flip": "the order were not reversed",
    "astype": "a conversion of the dtype were left out",
    "copy": "it worked on the given array itself",
    "lower": "the letters' case were left as it is",
    "casefold": "the letters' case were left as it is",
    "strip": "the ends were left as they are",
    "swapaxes": "two axes were not exchanged",
    "transpose": "a transpose were missing",
    "roll": "a shift were left out",
    "round": "a rounding were left out",
    "floor": "a rounding were left out",
    "square": "a square were left out",
}


def _called(node) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _is_module(node) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "math", "numpy", "random")


def _calls(node, parent) -> Iterator[Change]:
    name = _called(node)
    for new in _EXCHANGED.get(name, ()):
        said = f"{_A_NAME.get(name, name)} were {_A_NAME.get(new, new)}"
        yield said, _set("func", lambda n, new=new: _renamed(n.func, new))
    if words := _DROPPED.get(name):
        yield words, _argument
    if name == "where" and len(node.args) == 3:
        yield (
            "the two branches of a choice were exchanged",
            _set("args", lambda n: [n.args[0], *n.args[:0:-1]]),
        )
        yield "one branch of a choice were always taken", lambda n: n.args[1]
        yield "one branch of a choice were always taken", lambda n: n.args[2]
    elif len(node.args) == 2 and name not in ("zip", "isinstance", "maximum", "minimum"):
        yield "two arguments were exchanged", _set("args", lambda n: n.args[::-1])
    if name == "range":
        last = len(node.args) - 1 if len(node.args) < 3 else 1
        for by, words in ((1, "a loop ran once too often"), (-1, "a loop stopped one step too early")):
            yield words, _moved_argument(last, by)
        if len(node.args) == 1:
            yield "a loop left out its first step", _set("args", lambda n: [ast.Constant(1), *n.args])
    yield from _without_keyword(node)


def _without_keyword(node) -> Iterator[Change]:
    words = {"axis": "it ran over all axes at once", "keepdims": "keepdims were missing"}
    for i, keyword in enumerate(node.keywords):
        if keyword.arg in ("strict", "key"):  # what a sorting goes by: nobody leaves just that out
            continue
        said = words.get(keyword.arg, f"{keyword.arg}= were missing")
        yield said, _set("keywords", lambda n, i=i: n.keywords[:i] + n.keywords[i + 1 :])
    name = _called(node)
    is_method = isinstance(node.func, ast.Attribute) and not _is_module(node.func.value)
    if name in _REDUCTIONS and is_method and node.args:
        yield "it ran over all axes at once", _set("args", lambda n: [])


def _renamed(func, name):
    if isinstance(func, ast.Attribute):
        return ast.Attribute(func.value, name, ast.Load())
    return ast.Name(name, ast.Load())


def _argument(node):
    """What a call works on: its first argument, or the object of the method."""
    if isinstance(node.func, ast.Attribute) and not _is_module(node.func.value):
        return node.func.value
    return node.args[0] if node.args else node


def _moved_argument(at, by):
    def change(node):
        op = ast.Add() if by > 0 else ast.Sub()
        moved = ast.BinOp(node.args[at], op, ast.Constant(1))
        node.args = [*node.args[:at], moved, *node.args[at + 1 :]]
        return node

    return change


def _attributes(node, parent) -> Iterator[Change]:
    if node.attr == "T":
        yield "a transpose were missing", lambda n: n.value


def _slices(node, parent) -> Iterator[Change]:
    for end, words in (("lower", "began"), ("upper", "ended")):
        if getattr(node, end) is not None:
            yield f"a slice {words} elsewhere", _set(end, None)
            for op in (ast.Add, ast.Sub):
                yield (
                    f"a slice {words} one place off",
                    _set(
                        end,
                        lambda n, end=end, op=op: ast.BinOp(getattr(n, end), op(), ast.Constant(1)),
                    ),
                )
    if node.step is not None:
        yield "the step of a slice were left out", _set("step", None)


def _choices(node, parent) -> Iterator[Change]:
    yield "the two branches of a choice were exchanged", _exchanged("body", "orelse")
    yield "one branch of a choice were always taken", lambda n: n.body
    yield "one branch of a choice were always taken", lambda n: n.orelse


def _branches(node, parent) -> Iterator[Change]:
    yield "a condition were left out", _set("test", lambda n: ast.Constant(True))
    yield "a case of its own were not thought of", _set("test", lambda n: ast.Constant(False))
    yield "a condition were turned round", _set("test", lambda n: ast.UnaryOp(ast.Not(), n.test))


def _statements(node, parent) -> Iterator[Change]:
    yield "a step were left out", lambda n: None
    if isinstance(node, ast.AugAssign):
        yield "only the last of several were kept", lambda n: ast.Assign([n.target], n.value)
        for new, words in _OPERATORS.get(type(node.op), ()):
            yield words, _set("op", lambda n, new=new: new())


def _other_arguments(node, parent, arguments) -> Iterator[Change]:
    is_size = isinstance(parent, ast.Attribute) and parent.attr in ("shape", "size")
    is_size = is_size or (isinstance(parent, ast.Call) and _called(parent) == "len")
    words = "a size of {} stood where one of {} belongs" if is_size else "{} stood where {} belongs"
    if isinstance(node.ctx, ast.Load) and node.id in arguments:
        for name in arguments:
            if name != node.id:
                yield words.format(name, node.id), _set("id", name)
