"""Run an answer on an exercise's cases and note what it did, as plain data.

Nothing here judges. A grader may run this in a process of its own and send the outcomes home.
"""

import contextlib
import dis
import functools
import importlib
import inspect
import linecache
import os
import re
import sysconfig
import traceback
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fmkit._paths import PACKAGE
from fmkit.lab.judging import limit
from fmkit.lab.judging.plain import Foreign, changed, copy, leaves, plain


@dataclass(frozen=True)
class Failure:
    """Why a call gave no value.

    Attributes
    ----------
    kind : str
        ``"raised"``, ``"call"`` (it could not be called with these arguments), ``"timeout"`` or
        ``"unfinished"`` (a placeholder is still there).
    type, message : str
        Of the exception.
    ancestors : tuple of str
        Names of the exception's classes, its own first.
    line : int or None
        Line of the learner's own code, counted in its cell or file.
    code : str
        That line.
    """

    kind: str
    type: str = ""
    message: str = ""
    ancestors: tuple[str, ...] = ()
    line: int | None = None
    code: str = ""


@dataclass(frozen=True)
class Outcome:
    """What one call did: a value of plain data or a failure, and what it left behind.

    Attributes
    ----------
    overwritten : tuple of (int, str)
        Arguments that were changed: position, and the path inside it (``""`` for all of it).
    printed, warned : str
        What it printed (its beginning), and the first warning with its line.
    arguments : tuple, optional
        What the call made of its arguments, as plain data; where `run_answer` is to keep them.
    """

    value: Any = None
    failure: Failure | None = None
    overwritten: tuple[tuple[int, str], ...] = ()
    printed: str = ""
    warned: str = ""
    arguments: tuple | None = None


def run_answer(
    fn: Any,
    cases: list,
    seconds: int | float | None = None,
    clock: limit.Clock = limit.WALL,
    keep: bool = False,
    is_given: Callable[[str], bool] | None = None,
) -> list[Outcome]:
    """Call ``fn`` on a fresh copy of every case and note what happened.

    Parameters
    ----------
    fn : callable
        The answer. What it raises is caught, but for KeyboardInterrupt.
    cases : list of tuples
        Arguments, plain data.
    seconds : float, optional
        Time for all cases together, on the main thread. What is not run by then has failed by ``timeout``.
    clock : Clock
        By which the time is told.
    keep : bool
        Keep what became of the arguments: who does not trust this process compares them itself.
    is_given : callable, optional
        Tells by its file's name whether a cell is the chapter's: a failure names a line of the learner's.

    Returns
    -------
    list of Outcome
        As many as cases.
    """
    if _is_empty(fn):
        return [Outcome(failure=Failure("unfinished")) for _ in cases]
    deadline = None if seconds is None else clock.now() + seconds
    # a check leaves the notebook's own random numbers alone
    outcomes, state = [], np.random.get_state(legacy=False)  # noqa: NPY002
    try:
        for case in cases:
            left = None if deadline is None else deadline - clock.now()
            outcomes.append(_run_case(fn, case, left, clock, keep, is_given))
            failure = outcomes[-1].failure
            if failure and failure.kind in ("timeout", "call"):  # every other case would end the same way
                outcomes += [Outcome(failure=failure)] * (len(cases) - len(outcomes))
                break
    finally:
        np.random.set_state(state)  # noqa: NPY002
    return outcomes


def _run_case(fn, case, seconds, clock, keep, is_given) -> Outcome:
    before, args = copy(case), copy(case)
    value, failure, printed = None, None, limit.Printed()
    # NumPy's own settings for each call: an answer, or a notebook, may have changed them
    with warnings.catch_warnings(record=True) as warned, np.errstate(all="warn", under="ignore", call=None):
        warnings.simplefilter("always")
        try:
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                value = plain(
                    limit.call_within(seconds, fn, *args, clock=clock)
                )  # only plain data goes on from here
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # also SystemExit: the answer must not end the kernel
            failure = _failure(error, fn, is_given)
    if any(isinstance(leaf, Foreign) and leaf.kind == "..." for leaf in leaves(value)):
        failure = Failure("unfinished")
    paths = [(i, changed(b, a)) for i, (b, a) in enumerate(zip(before, args, strict=True))]
    overwritten = tuple((i, path) for i, path in paths if path is not None)
    kept = tuple(map(plain, args)) if keep else None
    return Outcome(value, failure, overwritten, printed.getvalue(), _first_warning(warned, fn), kept)


def _failure(error, fn, is_given=None) -> Failure:
    ancestors = tuple(c.__name__ for c in type(error).__mro__ if c is not object)
    steps = list(traceback.walk_tb(error.__traceback__))
    own = [step for step in steps if _is_own(step[0].f_code.co_filename, fn)]
    if is_given:
        own = [step for step in own if not is_given(step[0].f_code.co_filename)] or own
    frame, line = own[-1] if own else (None, None)
    code = linecache.getline(frame.f_code.co_filename, line).strip() if frame else ""
    kind = "raised"
    if isinstance(error, limit.TooLong):
        kind = "timeout"
    elif frame and _is_placeholder(error, code, frame, frame is steps[-1][0]):
        kind = "unfinished"
    elif isinstance(error, TypeError) and not own:
        kind = "call"
    return Failure(kind, type(error).__name__, _words(error), ancestors, line, code[:200])


def _is_placeholder(error, code, frame, raised_here) -> bool:
    """Whether it failed on a ``...`` or a NotImplementedError that was to be replaced."""
    if isinstance(error, NotImplementedError):
        return raised_here
    left = re.sub(r"""\[[^]]*\]|"[^"]*"|'[^']*'|#.*""", "", code)  # x[..., 0] is no placeholder
    return "..." in left or any(value is ... for value in frame.f_locals.values())


def _words(error) -> str:
    try:
        return str(error)[:500]
    except Exception:
        return ""


_LIBRARIES = tuple(os.path.realpath(sysconfig.get_path(p)) + os.sep for p in ("stdlib", "purelib", "platlib"))
_KIT = str(PACKAGE) + os.sep


def _is_own(file, fn) -> bool:
    """Whether a line of this file is the learner's: the file of the answer, or one of no library."""
    function = _function(fn)
    if function is not None and file == function.__code__.co_filename:
        return True
    if file.startswith("<"):
        return file.startswith("<ipython-input")
    file = os.path.realpath(file)
    return not file.startswith((*_LIBRARIES, _KIT)) and not re.search(r"[/\\](site|dist)-packages[/\\]", file)


def _function(fn):
    """The Python function inside a partial, decorator, method or object with ``__call__``, or None."""
    for _ in range(20):  # a chain may lead back to itself
        kind = type(fn)
        wrapped = inspect.getattr_static(fn, "__wrapped__", None)  # static: no code of the object runs
        if wrapped is not None:
            fn = wrapped
        elif kind is types.FunctionType:
            return fn
        elif kind is functools.partial:
            fn = fn.func
        elif kind is types.MethodType:
            fn = fn.__func__
        else:
            fn = inspect.getattr_static(kind, "__call__", None)
    return None


def _first_warning(warned, fn) -> str:
    of_numbers = [w for w in warned if issubclass(w.category, RuntimeWarning)]
    for w in of_numbers:
        if _is_own(w.filename, fn):
            return f"{w.message} (line {w.lineno}: {linecache.getline(w.filename, w.lineno).strip()[:120]})"
    return str(of_numbers[0].message) if of_numbers else ""


def _is_empty(fn) -> bool:
    """Whether the body is only ``...``, ``pass`` or a docstring; all compile to "return None"."""
    if type(fn) is not types.FunctionType or len(fn.__code__.co_code) > _LONGEST_EMPTY:
        return False
    code = dis.get_instructions(fn.__code__)
    steps = [s for s in code if s.opname not in ("RESUME", "NOP", "COPY_FREE_VARS")]
    constants = [s.argval for s in steps if s.opname in ("LOAD_CONST", "RETURN_CONST")]
    return constants == [None] and all(s.opname in _RETURNS_NONE for s in steps)


_LONGEST_EMPTY = 200  # bytes: to read a longer function takes longer than to call it
_RETURNS_NONE = ("LOAD_CONST", "RETURN_VALUE", "RETURN_CONST")


def names_used(fn: Any) -> frozenset[str]:
    """What a function uses, through its own helpers too, by full name: modules, and functions of fmkit.

    A module that is imported inside or found by a global name counts as ``"numpy"``, a function of the
    reference as ``"fmkit.activations.softmax"``. Functions of the answer's own notebook or file are not
    named: what they use counts, whichever cell they stand in, for no kernel knows whose a cell is.
    """
    found: set[str] = set()
    function = _function(fn)
    todo, seen = [function], set()
    home = getattr(function, "__module__", None)
    while todo:
        function = todo.pop()
        if id(function) in seen or function is None:
            continue
        seen.add(id(function))
        imported, values, names = _names_in(function)
        found |= imported
        for value in values:
            if isinstance(value, types.ModuleType):
                found.add(value.__name__)
                found |= {f"{value.__name__}.{name}" for name in names if _is_ours(value, name)}
            elif callable(value) and getattr(value, "__module__", None) in (home, "__main__"):
                todo.append(_function(value))
            elif isinstance(value, (types.FunctionType, types.BuiltinFunctionType, type)):
                module = value.__module__ or "builtins"
                found.add(module)
                if module.startswith("fmkit."):
                    found.add(f"{module}.{value.__name__}")
    return frozenset(found - {"builtins", "typing", "__main__", home})


def _is_ours(module, name) -> bool:
    return module.__name__.startswith("fmkit.") and isinstance(
        module.__dict__.get(name), (types.FunctionType, type)
    )


def _names_in(function):
    """Modules imported inside, values of the names taken from outside, and all names mentioned."""
    imported, values = set(), [c.cell_contents for c in function.__closure__ or () if _is_full(c)]
    names = set()
    for code in _codes(function.__code__):
        names |= set(code.co_names)
        module, fromlist, last = "", None, None
        for step in dis.get_instructions(code):
            if step.opname == "IMPORT_NAME":
                module, fromlist = step.argval, last
                imported.add(module)
                if not fromlist:  # "import a.b": what is taken from it by a dot counts as well
                    values.append(_ours(module))
            elif step.opname == "IMPORT_FROM" and fromlist and module.startswith("fmkit"):
                imported.add(f"{module}.{step.argval}")  # with no list it is a step of "import a.b as c"
                values.append(_ours(f"{module}.{step.argval}"))
            elif step.opname in ("LOAD_GLOBAL", "LOAD_NAME") and step.argval in function.__globals__:
                values.append(function.__globals__[step.argval])
            last = step.argval
    return imported, values, names


def _ours(name) -> types.ModuleType | None:
    """A module of the kit that an answer imports, also where the answer has not run yet; or None."""
    if name.startswith("fmkit."):
        with contextlib.suppress(Exception):
            return importlib.import_module(name)
    return None


def _codes(code):
    inner = [c for const in code.co_consts if isinstance(const, types.CodeType) for c in _codes(const)]
    return [code, *inner]


def _is_full(cell) -> bool:
    try:
        cell.cell_contents  # noqa: B018  an empty cell raises
    except ValueError:
        return False
    return True
