"""An exercise of a course's own: one Python file in the course's folder, ``exercises/rootfinding/newton.py``.

Its id is its place, ``rootfinding.newton``. It is the instructor's program and is trusted; but whatever is
not right in it is told in one line, with the file and the line.
"""

import functools
import hashlib
import inspect
import io
import re
import sys
import tokenize
import traceback
import types
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fmkit.errors import ExerciseError
from fmkit.lab.judging.exercise import Exercise, Mistake
from fmkit.lab.judging.mistakes import EditError, source_of
from fmkit.lab.judging.plain import Foreign, leaves, plain

ID = re.compile(r"[a-z][a-z0-9_]{0,39}\.[a-z][a-z0-9_]{0,39}")
RULE = "two names of lower-case letters, digits and _ with a dot between them, such as rootfinding.newton"
COURSE = "nbgrader_config.py"  # where this lies is a course


def folder_above(path: Path) -> Path | None:
    """The folder of the exercises of the course that a path lies in, or None."""
    for parent in path.absolute().parents[:4]:
        if (parent / COURSE).is_file():
            return parent / "exercises"
    return None


def file_of(id: str, folder: Path) -> Path | None:
    """The file of an exercise in a folder, if it is there."""
    if not ID.fullmatch(id):
        return None
    path = folder.joinpath(*id.split(".")).with_suffix(".py")
    return path if path.is_file() else None


def digest(id: str, folder: Path | None) -> str:
    """Of the content of an exercise's file in a folder; empty where there is none."""
    path = file_of(id, folder) if folder else None
    return hashlib.sha256(path.read_bytes()).hexdigest() if path else ""


def load(path: Path) -> Exercise:
    """The exercise in a file.

    Raises
    ------
    ExerciseError
        When there is none, or it cannot be used; the message says where and why.
    """
    path = Path(path).absolute()
    try:
        status = path.stat()
    except OSError as error:
        raise ExerciseError(f"{path}: {error.strerror}") from None
    return _load(str(path), status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=200)
def _load(file: str, mtime: int, size: int) -> Exercise:
    path = Path(file)
    id = f"{path.parent.name}.{path.stem}"
    if path.suffix != ".py" or not ID.fullmatch(id):
        raise ExerciseError(f"{file}: folder and file name the exercise, so they must give {RULE}")
    module = types.ModuleType(f"own exercise {id}")
    module.__file__ = file
    sys.modules[module.__name__] = module  # a dataclass looks for the module that it is defined in
    data = path.read_bytes()
    try:
        data.decode(tokenize.detect_encoding(io.BytesIO(data).readline)[0])
    except (SyntaxError, UnicodeDecodeError):
        raise ExerciseError(f"{file}: its letters cannot be read: save the file as UTF-8") from None
    try:
        exec(compile(data, file, "exec"), module.__dict__)
    except (Exception, SystemExit) as error:
        raise ExerciseError(f"{place(error, file)}: {words(error)}") from None
    exercise = getattr(module, "EXERCISE", None)
    if not isinstance(exercise, Exercise):
        raise ExerciseError(f"{file}: at its end there must be EXERCISE = Exercise(...)")
    exercise = _with_tuples(exercise, file)
    if problem := _problem(exercise):
        raise ExerciseError(f"{file}: {problem}")
    exercise = replace(exercise, id=id, cases=_checked(exercise, file))
    exercise.cases(np.random.default_rng(0))
    return exercise


def place(error: BaseException, file: str) -> str:
    """Where in a file an exception came from: ``file, line 12``, or the file alone."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return f"{file}, line {error.lineno}"
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    return f"{file}, line {lines[-1]}" if lines else file


def words(error: BaseException) -> str:
    """An exception in one line."""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    first = (text.strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__


# --- its form -----------------------------------------------------------------------------------------------

_TUPLES = {"alternatives": types.FunctionType, "mistakes": Mistake, "hints": str, "equal": tuple}
_TUPLES |= {"teaches": str, "allowed": str}
_ITEMS = {
    types.FunctionType: "a function",
    Mistake: "mistake(...)",
    str: "a string",
    tuple: "a pair (line, why)",
}


def _with_tuples(exercise: Exercise, file: str) -> Exercise:
    """The exercise with tuples where lists are as good."""
    for name, kind in _TUPLES.items():
        value = getattr(exercise, name)
        if not isinstance(value, (tuple, list)):
            hint = "is the comma behind its only entry missing?" if isinstance(value, kind) else ""
            raise ExerciseError(f"{file}: {name} is not a tuple: {hint or 'write (a, b)'}")
        for at, item in enumerate(value, start=1):
            if not isinstance(item, kind):
                raise ExerciseError(f"{file}: entry {at} of {name} is not {_ITEMS[kind]}")
        exercise = replace(exercise, **{name: tuple(value)})
    return exercise


def _problem(exercise: Exercise) -> str:
    """What is wrong with an exercise, or nothing."""
    for name in ("points", "minutes", "difficulty", "tolerance"):
        value = getattr(exercise, name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
            return f"{name} is not a number of 0 or more"
    if not isinstance(exercise.title, str) or not exercise.title.strip():
        return "title is not a few words"
    if not callable(exercise.cases):
        return "cases is not a function: write cases=cases, without brackets"
    if not isinstance(exercise.reference, types.FunctionType) or exercise.reference.__name__ == "<lambda>":
        return "reference is not a function of this file, written with def"
    try:
        names = _names(exercise.reference)
        source_of(exercise.reference)
    except (OSError, TypeError, SyntaxError) as error:
        return f"reference has no source that can be read ({words(error)})"
    for function in (*exercise.alternatives, *(m.wrong for m in exercise.mistakes if callable(m.wrong))):
        if len(_names(function)) != len(names):
            name = getattr(function, "__name__", "a function")
            return f"{name} does not take the arguments of the reference, ({', '.join(names)})"
    return _problem_of_mistakes(exercise)


def _problem_of_mistakes(exercise) -> str:
    names = [m.name for m in exercise.mistakes]
    for m in exercise.mistakes:
        if not isinstance(m.name, str) or not isinstance(m.hint, str) or not m.name.strip():
            return "a mistake needs a name and a hint, both strings"
        if names.count(m.name) > 1:
            return f"two mistakes are called {m.name!r}"
        try:
            exercise.wrong(m)
        except (EditError, SyntaxError) as error:
            return f"mistake {m.name!r}: {_short(error)}"
        except (TypeError, ValueError, AttributeError):
            return f"mistake {m.name!r}: what is wrong is a line, several lines in a tuple, or a function"
    return ""


def _short(error) -> str:
    if isinstance(error, EditError):
        return str(error).splitlines()[0].removesuffix(", in") + "; in the reference it must fit exactly once"
    return f"what comes out is not Python ({words(error)})"


def _names(function: Callable) -> list[str]:
    return list(inspect.signature(function).parameters)


# --- its inputs ---------------------------------------------------------------------------------------------


def _checked(exercise: Exercise, file: str) -> Callable:
    """The function that draws the inputs, which now tells in one line what is wrong with them."""
    draw, signature = exercise.cases, inspect.signature(exercise.reference)

    @functools.wraps(draw)
    def cases(rng):
        try:
            drawn = draw(rng)
        except (Exception, SystemExit) as error:
            raise ExerciseError(f"{place(error, file)}: drawing the inputs: {words(error)}") from None
        if not isinstance(drawn, (list, tuple)) or not drawn:
            raise ExerciseError(f"{file}: {draw.__name__}(rng) must return a list of inputs, [(x, y), ...]")
        for at, case in enumerate(drawn, start=1):
            if problem := _problem_of_case(case, signature):
                raise ExerciseError(f"{file}: input {at} of {draw.__name__}(rng) {problem}")
        return list(drawn)

    return cases


def _problem_of_case(case: Any, signature) -> str:
    if type(case) is not tuple:
        return f"is not a tuple of arguments (one argument is (x,)), but {type(case).__name__}"
    try:
        signature.bind(*case)
    except TypeError as error:
        return f"does not fit the reference: {error}"
    foreign = [leaf.kind for leaf in leaves(plain(case)) if isinstance(leaf, Foreign)]
    return f"holds {foreign[0]}, which is not plain data (arrays, numbers, strings, lists)" if foreign else ""
