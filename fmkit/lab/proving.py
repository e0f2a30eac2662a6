"""`fmkit exercises prove`: what one exercise's file is worth, for whoever writes it.

The same proof as for the kit's own exercises (`fmkit.lab.proof`): each known mistake is refused and named,
each right answer accepted, right answers with one edit are listed where they pass. And what no input is like.
"""

import ast
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fmkit.chapters.read import read_file
from fmkit.errors import ChapterError
from fmkit.lab import exercises
from fmkit.lab.cards import columns
from fmkit.lab.judging import own, wire
from fmkit.lab.judging.answer import Outcome, run_answer
from fmkit.lab.judging.exercise import Exercise, grade_id
from fmkit.lab.judging.judge import make_cases
from fmkit.lab.judging.mistakes import source_of
from fmkit.lab.judging.naming import ENDLESS, LONGEST, all_alike
from fmkit.lab.judging.plain import Foreign, leaves
from fmkit.lab.proof import Row, edits_of, exercise_rows

SEEDS = (0, 1, 2)


def prove(path: Path, say: Callable[[str], None] = print) -> int:
    """Say what the exercise in a file is worth.

    Returns
    -------
    int
        0 when all is well, 1 when something is not.

    Raises
    ------
    ExerciseError
        When the file cannot be used.
    """
    exercise = own.load(path)
    exercises.get(exercise.id, path.absolute().parents[1])  # refuses an id that is the kit's
    draws = [make_cases(exercise, seed) for seed in SEEDS]
    say(f"{exercise.id}: {exercise.title}")
    say(f"  inputs: {len(draws[0])} in each draw; draws tried: {len(SEEDS)}")
    if faults := [*faults_of_draws(exercise, draws), *faults_of_functions(exercise, draws)]:
        return _end(say, faults)
    found = [exercise_rows(exercise, seed) for seed in SEEDS]
    faults = _rows(say, found)
    faults += outside_the_template(exercise, path)
    faults += _edits(say, exercise)
    missing = [f"    {name}: {', '.join(words)}" for name, words in lacking(exercise, draws).items() if words]
    if missing:
        say("\n".join(["  no input has the following; add what your task allows:", *missing]))
    return _end(say, faults)


def _end(say, faults) -> int:
    for fault in faults:
        say(f"  ! {fault}")
    say("not proven" if faults else "proven")
    return 1 if faults else 0


# --- inputs and functions that can be used ------------------------------------------------------------------


def faults_of_draws(exercise: Exercise, draws: list[list]) -> list[str]:
    """What is wrong with how inputs are drawn."""
    faults = []
    if wire.encode(make_cases(exercise, SEEDS[0])) != wire.encode(draws[0]):
        faults.append("two draws with the same seed differ: take all random numbers from rng")
    elif wire.encode(draws[0]) == wire.encode(draws[1]):
        faults.append("all draws are the same: take some numbers from rng, for grading draws new inputs")
    if len({len(cases) for cases in draws}) > 1:
        counts = ", ".join(str(len(cases)) for cases in draws)
        faults.append(f"the draws have {counts} inputs: put the same kinds into each, as many every time")
    return faults


def faults_of_functions(exercise: Exercise, draws: list[list]) -> list[str]:
    """Which functions do not end, or cannot be judged."""
    faults = []
    wrong = {f"mistake {m.name!r}": exercise.wrong(m) for m in exercise.mistakes}
    for name, fn in {"the reference": exercise.reference, **exercise.right(), **wrong}.items():
        outcomes = _until_one_is_stopped(fn, draws)
        failures = [o.failure for o in outcomes if o.failure]
        foreign = [leaf.kind for o in outcomes for leaf in leaves(o.value) if isinstance(leaf, Foreign)]
        if any(failure.kind == "timeout" for failure in failures):
            faults.append(f"{name} {ENDLESS}")
        elif any(failure.kind == "unfinished" for failure in failures):
            faults.append(f"{name} is not finished: there is a ... or a NotImplementedError in it")
        elif foreign and name not in wrong:
            faults.append(
                f"{name} returns {foreign[0]}: only arrays, numbers, strings, lists ... are compared"
            )
        elif name == "the reference" and len(failures) == len(outcomes):
            words = f"{failures[0].type}: {failures[0].message} (line {failures[0].line})"
            faults.append(f"the reference raises on every input: {words}")
    if not faults and _changes_its_mind(exercise, draws[0]):
        faults.append("the reference gives other results when it is called again")
    return faults


def _changes_its_mind(exercise, cases) -> bool:
    once = run_answer(exercise.reference, cases, LONGEST)
    np.random.random()  # noqa: NPY002  who takes numbers from there gets others now
    again = run_answer(exercise.reference, cases, LONGEST)
    return not all_alike(once, again, exercise.tolerance, strict=True)


def _until_one_is_stopped(fn, draws) -> list[Outcome]:
    outcomes = []
    for cases in draws:
        outcomes += run_answer(fn, cases, LONGEST)
        if outcomes[-1].failure and outcomes[-1].failure.kind == "timeout":
            break
    return outcomes


# --- the table ----------------------------------------------------------------------------------------------


def _rows(say, found: list[list[Row]]) -> list[str]:
    """Print the table; each row holds for every draw."""
    faults, table = [], []
    by_answer = list(zip(*found, strict=True))
    for rows in by_answer:
        refused = sum(not row.accepted for row in rows)
        if rows[0].is_wrong:
            bad = next((row for row in rows if not row.is_proven), rows[0])
            table.append((bad.answer, _refused(refused, len(rows)), _named(bad)))
            if refused < len(rows):
                faults.append(f"mistake {bad.answer!r} is {_seldom(refused, len(rows))}")
            elif not bad.is_proven:
                words = f"called {bad.named!r}: what tells the two apart?" if bad.named else "not named"
                faults.append(f"mistake {bad.answer!r} is refused, but {words}")
        elif refused:
            faults.append(f"right answer {rows[0].answer!r} is refused: is it right on every input?")
    if table:
        say("\n".join(columns(("known mistake", "refused", "named"), tuple(table))))
    else:
        faults.append("there are no known mistakes")
    right = [rows for rows in by_answer if not rows[0].is_wrong]
    say(f"  right answers accepted: {sum(all(r.accepted for r in rows) for rows in right)} of {len(right)}")
    if len(right) < 2:
        faults.append("there is no right answer written differently: add one to alternatives")
    return faults


def _refused(count, whole) -> str:
    return "yes" if count == whole else "no" if not count else f"in {count} of {whole}"


def _seldom(refused, whole) -> str:
    if not refused:
        return "not refused: no input shows it"
    return f"refused in {refused} of {whole} draws only: put an input that shows it into every draw"


def _named(row) -> str:
    return "yes" if row.named == row.answer else f"as {row.named!r}" if row.named else "no"


def _edits(say, exercise) -> list[str]:
    found = edits_of(exercise, SEEDS)
    passed = [edit for edit in found if not edit.refused]
    without = [edit for edit in passed if not edit.equal]
    reasoned = len(passed) - len(without)
    more = f", {reasoned} as right for a reason" if reasoned else ""
    say(f"  right answers with one edit: {len(found)} tried, {len(found) - len(passed)} refused{more}")
    if without:
        say("  these pass the check:")
        say("\n".join(f"    {edit.line}    (as if {edit.words})" for edit in without))
    lines = {edit.line for edit in passed}
    unused = [line for line, _ in exercise.equal if line not in lines]
    faults = [f"equal: {line!r} is not one that passes: take it out" for line in unused]
    if without:
        words = "add an input that shows the edit, or its line and why it is as right to `equal`"
        faults.append(f"edits that pass: {len(without)}; for each, {words}")
    return faults


# --- the student's template ---------------------------------------------------------------------------------


def outside_the_template(exercise: Exercise, path: Path) -> list[str]:
    """The mistakes that nobody can make in the answer cell as students get it: they lack a given line."""
    faults = []
    for notebook, source in _answer_cells(exercise, path):
        try:
            given = given_lines(source, exercise.reference.__name__)
        except (SyntaxError, ValueError):
            faults.append(f"{notebook}: its answer cell does not define {exercise.reference.__name__}")
            continue
        for mistake in exercise.mistakes:
            kept = {line.strip() for line in code_lines(source_of(exercise.wrong(mistake)))[1:]}
            if missing := [line for line in given if line not in kept]:
                words = f"lacks what the answer cell of {notebook} gives: {missing[0]}"
                faults.append(f"mistake {mistake.name!r} {words}")
    return faults


def _answer_cells(exercise, path):
    """The answer cells of an exercise: in the notebook beside its file, and in the course's chapters."""
    folder = own.folder_above(path)
    chapters = sorted(folder.parent.glob("source/*/*.ipynb")) if folder else []
    for notebook in [path.with_suffix(".ipynb"), *chapters]:
        try:
            cells = read_file(notebook)["cells"]
        except ChapterError:  # not there, or not a notebook: other commands say so
            continue
        for cell in cells:
            meta = cell["metadata"].get("nbgrader", {})
            if meta.get("grade_id") == grade_id(exercise.id) and meta.get("solution"):
                yield notebook.name, cell["source"]


def given_lines(source: str, name: str) -> list[str]:
    """Code lines inside a function of an answer cell that the student's version keeps.

    Raises
    ------
    SyntaxError, ValueError
        When the cell is not Python, or does not define the function once.
    """
    kept, solution = [], False
    for line in source.splitlines():
        if line.strip().startswith("### "):
            solution = "BEGIN" in line
            kept.append(line.split("###")[0] + "pass")
        elif not solution:
            kept.append(line)
    functions = [node for node in ast.parse("\n".join(kept)).body if isinstance(node, ast.FunctionDef)]
    (own,) = [f for f in functions if f.name == name]
    lines = [line.strip() for line in code_lines(ast.unparse(own))[1:]]
    return [line for line in lines if line not in ("", "pass")]


def code_lines(source: str) -> list[str]:
    """A function's lines in Python's own way of writing them, without comments and docstring."""
    function = ast.parse(source).body[0]
    if isinstance(function, ast.FunctionDef) and ast.get_docstring(function):
        function.body = function.body[1:] or [ast.Pass()]
    return ast.unparse(function).splitlines()


# --- what no input is like ----------------------------------------------------------------------------------


def lacking(exercise: Exercise, draws: list[list]) -> dict[str, list[str]]:
    """For each argument, what it is in no input: only what can be seen from the inputs that were drawn."""
    found = {}
    for at, name in enumerate(inspect.signature(exercise.reference).parameters):
        values = [case[at] for cases in draws for case in cases if at < len(case)]
        values = [value for value in values if value is not None]
        kinds = {_kind(value) for value in values}
        table = _LACKING.get(kinds.pop(), ()) if len(kinds) == 1 else ()
        found[name] = [words for words, holds in table if not any(map(holds, values))]
        if len(values) > 1 and all(_same(value, values[0]) for value in values):
            found[name].append(f"anything but {values[0]!r}")
    return found


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        kind = {"f": "floats", "i": "ints", "u": "ints", "b": "bools"}.get(value.dtype.kind, "")
        return kind and f"{kind}{min(value.ndim, 2)}"
    if isinstance(value, bool | np.bool_):
        return "bool"
    names = {int: "number", float: "number", str: "text", list: "list", tuple: "list"}
    return "number" if isinstance(value, np.number) else names.get(type(value), "")


def _same(one, other) -> bool:
    return _kind(one) in ("number", "bool", "text") and one == other


def _any(test):
    return lambda value: bool(np.any(test(value)))


_SIZE = (
    ("something empty", lambda v: np.size(v) == 0 if isinstance(v, np.ndarray) else len(v) == 0),
    ("one element", lambda v: np.size(v) == 1 if isinstance(v, np.ndarray) else len(v) == 1),
)
_SIGNS = (("a zero", _any(lambda v: v == 0)), ("a negative number", _any(lambda v: v < 0)))
_TIES = (("the same number twice", lambda v: np.unique(v).size < np.size(v)),)
_ODD = (
    ("numbers above 1000", _any(lambda v: np.isfinite(v) & (np.abs(v) > 1000))),
    ("float32", lambda v: v.dtype == np.float32),
    ("NaN", _any(np.isnan)),
    ("an infinity", _any(np.isinf)),
)
_SIDES = (
    ("one row", lambda v: len(v) == 1),
    ("sides that are all of another length", lambda v: v.size > 0 and len(set(v.shape)) == v.ndim),
)
_BOTH = (("all True", lambda v: v.size > 0 and v.all()), ("all False", lambda v: v.size > 0 and not v.any()))
_LACKING = {
    "floats0": (*_SIGNS, *_ODD),
    "floats1": (*_SIZE, *_SIGNS, *_TIES, *_ODD),
    "floats2": (*_SIZE, *_SIDES, *_SIGNS, *_TIES, *_ODD),
    "ints1": (*_SIZE, *_SIGNS, *_TIES),
    "ints2": (*_SIZE, *_SIDES, *_SIGNS, *_TIES),
    "bools1": (*_SIZE, *_BOTH),
    "bools2": (*_SIZE, *_SIDES, *_BOTH),
    "number": (("0", lambda v: v == 0), ("1", lambda v: v == 1), ("a negative number", lambda v: v < 0)),
    "bool": (("True", bool), ("False", lambda v: not v)),
    "list": (*_SIZE, ("the same twice", lambda v: len(set(map(repr, v))) < len(v))),
    "text": (*_SIZE, ("a letter beyond ASCII", lambda v: not v.isascii())),
}
