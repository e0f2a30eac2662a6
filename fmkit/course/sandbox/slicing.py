"""Which lines of a notebook an answer needs: the cells' statements, and what each binds and uses.

An answer may use imports and helpers of other cells. To run the whole notebook for each answer would be slow,
and one broken cell would cost every answer. So a statement runs only if it binds a name that the answer
needs, directly or through other statements. The order is the notebook's. Nothing is run in this module.
"""

import ast
import dis
import types

_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
_BINDS = {"STORE_NAME", "STORE_GLOBAL", "DELETE_NAME"}
_USES = {"LOAD_NAME", "LOAD_GLOBAL"}


def parse(source: str) -> list[ast.stmt]:
    """The statements of a cell.

    Raises
    ------
    SyntaxError, ValueError, RecursionError, MemoryError
    """
    return ast.parse(source).body


def scan(source: str) -> dict:
    """What a cell's statements bind and use, as plain data.

    Returns
    -------
    dict
        ``error``: empty, or why the cell is not Python. ``statements``: for each a dict of ``binds`` (names
        that it always binds), ``changes`` (names that it may bind, or whose value it changes), ``now`` (names
        used when it runs), ``later`` (names used inside the functions that it defines), ``alters`` (those
        whose value they change when they are called), and ``imports`` (whether it is an import).
    """
    try:
        return {"error": "", "statements": [_facts(statement) for statement in parse(source)]}
    except SyntaxError as error:
        return {"error": f"{type(error).__name__}: {error.msg} (line {error.lineno})", "statements": []}
    except (ValueError, RecursionError, MemoryError) as error:
        return {"error": f"{type(error).__name__}: {error}", "statements": []}


def _facts(statement):
    code = compile(ast.Module([statement], []), "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    bound, now, later = set(), set(), set()
    _names(code, bound, now, later, deferred=False)
    simple = isinstance(
        statement,
        ast.FunctionDef
        | ast.AsyncFunctionDef
        | ast.ClassDef
        | ast.Import
        | ast.ImportFrom
        | ast.Assign
        | ast.AnnAssign,
    )
    binds = bound if simple else set()
    changes = (bound - binds) | _changed(statement)
    star = isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*"
    return {
        "binds": sorted(binds),
        "changes": sorted(changes) + (["*"] if star else []),
        "now": sorted(now),
        "later": sorted(later),
        "alters": sorted(_altered(statement, later)),
        "imports": isinstance(statement, ast.Import | ast.ImportFrom),
    }


def _names(code, bound, now, later, deferred):
    for step in dis.get_instructions(code):
        if step.opname in _USES:
            (later if deferred else now).add(step.argval)
        elif step.opname in _BINDS and not deferred:
            bound.add(step.argval)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            _names(inner, bound, now, later, deferred or inner.co_name not in _COMPREHENSIONS)


def _altered(statement, later):
    """Global names that a function binds, or whose value it may change, when it is called."""
    found = set()
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        for node in ast.walk(statement):
            found |= set(node.names) if isinstance(node, ast.Global) else set()
        for line in statement.body:
            found |= _changed(line, inside=True) & later
    return found


def _changed(statement, inside=False):
    """Names whose value a statement may change in place: ``x[0] = 1``, ``x.y += 1``, ``x.append(1)``."""
    found, todo = set(), [statement]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not inside:
            continue  # its lines do not run yet
        todo += ast.iter_child_nodes(node)
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
            found.add(_root(node))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = node.value
            found.add(_root(call.func) if isinstance(call.func, ast.Attribute) else None)
            found |= {arg.id for arg in call.args if isinstance(arg, ast.Name)}  # shuffle(x)
    return found - {None}


def _root(node):
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def needed(cells: list[dict], target: int) -> list[tuple[int, int]]:
    """The statements that cell ``target`` needs, with its own, as (cell, statement) in the order to run them.

    Parameters
    ----------
    cells : list of dict
        From `scan`, one per cell.
    target : int
        The answer's cell. All of its statements run.
    """
    order = [(c, s) for c, cell in enumerate(cells) for s in range(len(cell["statements"]))]
    facts = _with_effects({at: cells[at[0]]["statements"][at[1]] for at in order})
    end = (target, len(cells[target]["statements"]))
    chosen = {at for at in order if at[0] == target}
    todo = [need for at in chosen for need in _needs(at, facts[at], end)]
    seen = set()
    while todo:
        name, before = todo.pop()
        if (name, before) in seen:
            continue
        seen.add((name, before))
        for at in _binders(name, before, end, order, facts):
            if at not in chosen:
                chosen.add(at)
                todo += _needs(at, facts[at], end)
    return [at for at in order if at in chosen and at[0] != target and at < end] + [
        # a helper written below its use was there when the learner ran the cells by hand
        *(at for at in order if at in chosen and at > end),
        *(at for at in order if at[0] == target),
    ]


def _with_effects(facts):
    """The same facts; what runs a function changes what it alters, through those that it calls too."""
    alters = {}
    for fact in facts.values():
        if fact["alters"] and len(alters) < 1000:  # more than anybody writes
            for name in (*fact["binds"], *fact["changes"]):
                alters.setdefault(name, set()).update(fact["alters"][:100])
    for _ in range(3):  # a chain of calls is seldom longer
        for fact in facts.values():
            called = [alters[name] for name in fact["later"] if name in alters]
            for name in fact["binds"] if called and len(alters) < 1000 else ():
                alters.setdefault(name, set()).update(*called)
    found = {}
    for at, fact in facts.items():
        more = set().union(*(alters[name] for name in fact["now"] if name in alters))
        found[at] = fact | {"changes": [*fact["changes"], *(more - {*fact["binds"], *fact["changes"]})]}
    return found


def _needs(at, fact, end):
    return [(name, at) for name in fact["now"]] + [(name, end) for name in fact["later"]]


def _binders(name, before, end, order, facts):
    """The last statement before a place that always binds a name, and those after it that may change it."""
    found = []
    for at in reversed([at for at in order if at < before]):
        fact = facts[at]
        if name in fact["binds"] or name in fact["changes"] or "*" in fact["changes"]:
            found.append(at)
        if name in fact["binds"]:
            # what was done to a module is left out: patched in one answer, NumPy stays whole in others
            return [at] if fact["imports"] else found
    if any(name in facts[at]["changes"] for at in found):
        return found
    below = [at for at in order if at > end and name in facts[at]["binds"]]
    return found + below[:1]
