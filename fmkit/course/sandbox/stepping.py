"""Does an answer differentiate by steps? Right values can come from the forward pass alone: it is run at
arguments a little off, in complex numbers or in real ones. No judge of values sees that; the instructor is
told what the source looks like."""

import ast
from collections.abc import Iterable

COMPLEX, FINITE = "complex steps", "finite differences"


def ways(statements: Iterable[ast.stmt]) -> set[str]:
    """How these statements seem to differentiate: `COMPLEX`, `FINITE`, both or (mostly) neither."""
    nodes = [node for statement in statements for node in ast.walk(statement)]
    words = {getattr(node, "attr", None) or getattr(node, "id", None) for node in nodes}
    words |= {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    is_complex = any(isinstance(getattr(node, "value", None), complex) for node in nodes)
    is_complex = is_complex or bool(words & {"complex", "complex64", "complex128"})
    quotients = [node for node in nodes if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)]
    imaginary = [n for quotient in quotients for n in ast.walk(quotient.left) if _is_imag(n)]
    found = {COMPLEX} if is_complex and imaginary else set()
    return found | ({FINITE} if _is_quotient_of_calls(nodes) else set())


def note(way: str) -> str:
    """What the instructor is told."""
    return f"For the instructor: its gradient seems to come from {way}, not from a backward pass."


def _is_imag(node) -> bool:
    return getattr(node, "attr", None) == "imag"


def _is_quotient_of_calls(nodes) -> bool:
    """Whether two calls of one function of the learner's are subtracted, and the difference divided."""
    calls: dict[str, set[str]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign):
            for target, value in _pairs(node):
                if isinstance(target, ast.Name) and (called := _called(value)):
                    calls.setdefault(target.id, set()).update(called)

    def callees(side):
        return calls.get(side.id, set()) if isinstance(side, ast.Name) else _called(side)

    assigns = [node for node in nodes if isinstance(node, ast.Assign)]
    pairs = [pair for assign in assigns for pair in _pairs(assign) if isinstance(pair[0], ast.Name)]
    named = {target.id for target, value in pairs if _is_difference(value, callees, ())}
    quotients = [node.left for node in nodes if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)]
    return any(_is_difference(left, callees, named) for left in quotients)


def _pairs(assign):
    for target in assign.targets:
        if isinstance(target, ast.Tuple) and isinstance(assign.value, ast.Tuple):
            yield from zip(target.elts, assign.value.elts, strict=False)
        else:
            yield target, assign.value


def _is_difference(node, callees, named) -> bool:
    """Whether it is one, or a name for one, maybe with a factor."""
    if isinstance(node, ast.Name):
        return node.id in named
    if not isinstance(node, ast.BinOp):
        return False
    if isinstance(node.op, (ast.Mult, ast.Div)):
        return any(_is_difference(side, callees, named) for side in (node.left, node.right))
    return isinstance(node.op, ast.Sub) and bool(callees(node.left) & callees(node.right))


def _called(node) -> set[str]:
    """Names of the functions that an expression calls; NumPy's are attributes, and not meant."""
    calls = (n for n in ast.walk(node) if isinstance(n, ast.Call))
    return {c.func.id for c in calls if isinstance(c.func, ast.Name)} - {"float", "int", "len", "sum", "abs"}
