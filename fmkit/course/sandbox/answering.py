"""What a child of the worker does: run the cells that an answer needs, call it, and report the results."""

import __future__

import ast
import builtins
import contextlib
import inspect
import linecache
import re
import sys
import types

import numpy as np

from fmkit.course.sandbox import slicing, stepping, stubs
from fmkit.lab.judging import limit
from fmkit.lab.judging.answer import Failure, Outcome, names_used, run_answer
from fmkit.lab.judging.plain import Foreign, leaves


class Answering:
    """One answer, in its child."""

    def __init__(self, message, cells, steps, options):
        self.target = message["target"]
        self.name = message["function"]
        self.cases = message["cases"]
        self.seconds = message["seconds"]
        self.cells = cells
        self.steps = steps
        self.options = options
        # in a notebook it holds for all cells that are run after it
        is_lazy = any(_LAZY.search(cell["source"]) for cell in cells)
        self.flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | (_ANNOTATIONS if is_lazy else 0)

    def run(self) -> dict:
        """Run the statements, call the answer, and return the results as plain data."""
        ways = self.ways()  # before a line of the learner's has run
        stubs.install(self.options["barred"], self.options["allowed"], self.options["stubs"])
        sys.path[:] = [p for p in sys.path if p != self.options["kit"] or self.options["allowed"]]
        main = types.ModuleType("__main__")
        names = main.__dict__
        builtins.display = stubs.nothing("builtins", "display")
        names.update(__builtins__=builtins, get_ipython=stubs.Shell())
        sys.modules["__main__"] = main
        error = self.run_cells(names)
        fn = names.get(self.name)
        if error and error.kind == "timeout":
            return {
                "outcomes": [_as_plain(Outcome(failure=error))] * len(self.cases),
                "modules": [],
                "used": [],
            }
        if not callable(fn):
            return {"missing": True, "why": error and _failure(error)}
        given = {f"/cell/{cell['name']}" for cell in self.cells if cell.get("given")}
        modules = _modules(fn)
        stubs.used.clear()
        try:
            outcomes = run_answer(fn, self.cases, self.left(), limit.CPU, True, given.__contains__)
        except BaseException as error:  # noqa: B036  a KeyboardInterrupt of the answer's own making
            name = type(error).__name__
            outcomes = [Outcome(failure=Failure("raised", name, "", (name,)))] * len(self.cases)
        used = sorted(set(stubs.used))
        reply = {
            "outcomes": [_as_plain(outcome) for outcome in outcomes],
            "modules": modules,
            "used": used,
            "ways": ways,
        }
        return _small_enough(reply, self.options["reply_size"])

    def ways(self) -> list[str]:
        """How the learner's own statements seem to differentiate."""
        own = [(cell, index) for cell, index in self.steps if not self.cells[cell].get("given")]
        parsed = {cell: slicing.parse(self.cells[cell]["source"]) for cell in {cell for cell, _ in own}}
        return sorted(stepping.ways(parsed[cell][index] for cell, index in own))

    def left(self) -> float:
        """Seconds of processor time: the child's own clock began with it."""
        return max(self.seconds - limit.CPU.now(), 0.05)

    def run_cells(self, names) -> Failure | None:
        """Run the statements one by one; returns the first failure in the answer's own cell, if any.

        A statement of that cell that takes too long ends the run.
        """
        parsed, first = {}, None
        for cell, index in self.steps:
            if cell not in parsed:
                source = self.cells[cell]["source"]
                file = f"/cell/{self.cells[cell]['name']}"
                linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
                parsed[cell] = file, slicing.parse(source)
            file, statements = parsed[cell]
            failure = self.run_statement(statements[index], file, names)
            if failure and cell == self.target:
                if failure.kind == "timeout":
                    return failure
                first = first or failure
        return first

    def run_statement(self, statement, file, names) -> Failure | None:
        printed = limit.Printed()
        own = file == f"/cell/{self.cells[self.target]['name']}"
        seconds = self.left() if own else self.left() / 2  # a slow cell above leaves time for the answer
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                limit.call_within(seconds, self.execute, statement, file, names, clock=limit.CPU)
        except BaseException as error:  # noqa: B036  also SystemExit: the cell ends, not the grading
            kind = "timeout" if isinstance(error, limit.TooLong) else "raised"
            line = getattr(statement, "lineno", None)
            text = linecache.getline(file, line or 0).strip()[:200]
            return Failure(kind, type(error).__name__, _words(error), (type(error).__name__,), line, text)
        return None

    def execute(self, statement, file, names) -> None:
        try:
            _execute(statement, file, names, self.flags)
        except stubs.Barred:
            # a signature or a decorator that names what is missing here changes nothing of the body
            if not isinstance(statement, ast.FunctionDef):
                raise
            statement.decorator_list = []
            _execute(statement, file, names, self.flags | _ANNOTATIONS)


_ANNOTATIONS = __future__.annotations.compiler_flag
_LAZY = re.compile(r"^from\s+__future__\s+import\b[\s\w,(]*?\bannotations\b", re.MULTILINE)


def _execute(statement, file, names, flags) -> None:
    code = compile(ast.Module([statement], []), file, "exec", flags, dont_inherit=True)
    if code.co_flags & inspect.CO_COROUTINE:  # an await outside of any function, as notebooks have it
        import asyncio

        asyncio.run(eval(code, names))
    else:
        exec(code, names)


def _modules(fn) -> list[str]:
    try:
        return sorted(str(module)[:200] for module in names_used(fn))[:100]
    except BaseException:  # noqa: B036  it looks at the learner's objects, which may do anything
        return []


def _words(error) -> str:
    try:
        return str(error)[:500]
    except BaseException:  # noqa: B036  its __str__ is the learner's
        return ""


def _failure(failure) -> dict | None:
    return failure and {
        "kind": failure.kind,
        "type": str(failure.type)[:200],
        "message": failure.message,
        "ancestors": [str(a)[:200] for a in failure.ancestors][:30],
        "line": failure.line,
        "code": failure.code,
    }


def _as_plain(outcome: Outcome) -> dict:
    return {
        "value": outcome.value,
        "failure": _failure(outcome.failure),
        "arguments": outcome.arguments,
        "printed": outcome.printed[:2000],
        "warned": outcome.warned[:500],
    }


def _small_enough(reply: dict, room: int) -> dict:
    """The reply, with the values left out that are too large to send."""
    share = room // (2 * max(len(reply["outcomes"]), 1))
    for outcome in reply["outcomes"]:
        if (
            sum(part.nbytes if isinstance(part, np.ndarray) else 50 for part in leaves(outcome["value"]))
            > share
        ):
            outcome["value"] = Foreign("something far too large")
    return reply
