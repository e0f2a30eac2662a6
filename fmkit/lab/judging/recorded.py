"""What an exercise's functions do, recorded: enough to judge an answer and name its mistake without them.

A file beside a notebook, ``05-roots.checks``, holds for each of its exercises some draws of inputs, and what
the right answer and each known mistake give on them: arrays, numbers and texts, and no line of a program. So
whoever has the file sees results for these inputs, and no solution; a grade is given for other inputs.
"""

import functools
import inspect
import itertools
import keyword
import lzma
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fmkit.errors import ExerciseError
from fmkit.lab.judging import wire
from fmkit.lab.judging.answer import Failure, Outcome, run_answer
from fmkit.lab.judging.exercise import Exercise, Mistake
from fmkit.lab.judging.judge import make_cases
from fmkit.lab.judging.naming import ENDLESS, Known, Name, all_alike, known_outcomes, labels, made_by_machine
from fmkit.lab.judging.quiet import quiet
from fmkit.lab.judging.sketch import Sketch, sketch

SUFFIX = ".checks"
DRAWS = 3
ROOM = 900_000  # bytes of one file
_LARGEST = 64 << 20  # of a file unpacked
_DAMAGES = (wire.WireError, lzma.LZMAError, EOFError, LookupError, TypeError, ValueError, AttributeError)
_HEAD = b"fmkit checks 1\n"
_TEXTS, _NUMBERS = ("title", "chapter", "function"), ("points", "minutes", "difficulty", "tolerance")
_LISTS = ("hints", "teaches", "allowed", "parameters", "labels")


# --- writing ------------------------------------------------------------------------------------------------


def record(exercises: list[Exercise]) -> bytes:
    """The file for some exercises.

    Of what the machine can make of their lines (two mistakes at once, "as if ..."), as much is recorded as
    there is room for.

    Raises
    ------
    ExerciseError
        When the known mistakes alone take too much room, or a function does not end.
    """
    for draws in range(DRAWS, 0, -1):
        tables = {exercise.id: _plain(exercise, draws) for exercise in exercises}
        data = _packed(tables)
        if len(data) <= ROOM:
            break
    else:
        words = f"the inputs and results of {', '.join(tables)} take {len(data) >> 10} KB"
        raise ExerciseError(f"{words}, and {ROOM >> 10} KB is the most: draw smaller inputs")
    left = ROOM - len(data)
    for at, exercise in enumerate(exercises):
        left -= _add_suspects(exercise, tables[exercise.id], left // (len(exercises) - at))
    while len(data := _packed(tables)) > ROOM or not _can_be_read(data):  # the estimate was too low
        for table in tables.values():
            del table["made"][len(table["made"]) // 2 :]
    return data


def _can_be_read(data) -> bool:
    try:
        read(data)
    except ExerciseError:  # it has too many parts
        return False
    return True


def _packed(tables) -> bytes:
    return _HEAD + lzma.compress(wire.encode(tables))


def _plain(exercise: Exercise, count: int) -> dict:
    draws = []
    for seed in range(count):
        cases = make_cases(exercise, seed)
        with quiet():
            known = known_outcomes(exercise, cases)
        _require_an_end(exercise, known)
        draws.append(
            {
                "cases": cases,
                "reference": _outcomes(known.reference, exercise),
                "mistakes": [_outcomes(outcomes, exercise) for outcomes in known.mistakes],
            }
        )
    first = draws[0]["reference"]
    table = {name: getattr(exercise, name) for name in ("title", "chapter", *_NUMBERS)}
    table |= {name: list(getattr(exercise, name)) for name in ("hints", "teaches", "allowed")}
    table["function"] = exercise.reference.__name__
    table["parameters"] = list(inspect.signature(exercise.reference).parameters)
    sizes = [len(value) for value, _, _ in first if isinstance(value, tuple)]
    table["labels"] = list(labels(exercise.reference, sizes[0])) if sizes else []
    return table | {"mistakes": [[m.name, m.hint] for m in exercise.mistakes], "draws": draws, "made": []}


def _require_an_end(exercise, known) -> None:
    functions = ["the reference", *(f"mistake {m.name!r}" for m in exercise.mistakes)]
    for name, outcomes in zip(functions, [known.reference, *known.mistakes], strict=True):
        if not _ends(outcomes):
            raise ExerciseError(f"{exercise.id}: {name} {ENDLESS}")


def _outcomes(outcomes: list[Outcome], exercise: Exercise) -> list[tuple]:
    """Values, exceptions and arguments overwritten; no line of the program that gave them."""
    bits = math.ceil(-math.log2(exercise.tolerance)) + 7 if exercise.tolerance else 53
    return [
        (_rounded(o.value, bits), _failure(o.failure), [list(where) for where in o.overwritten])
        for o in outcomes
    ]


def _failure(failure: Failure | None) -> list | None:
    return failure and [failure.kind, failure.type, failure.message, list(failure.ancestors)]


def _rounded(value: Any, bits: int) -> Any:
    """A value with its float64 numbers cut to so many binary digits: the check is coarser than that."""
    if isinstance(value, dict):
        return {name: _rounded(part, bits) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_rounded(part, bits) for part in value)
    if bits >= 53 or not (isinstance(value, np.ndarray) and value.dtype == np.float64):
        return value
    part, power = np.frexp(value)
    with np.errstate(all="ignore"):
        rounded = np.ldexp(np.round(part * 2.0**bits) / 2.0**bits, power)
    return np.where(np.isfinite(rounded), rounded, value)


def _add_suspects(exercise: Exercise, table: dict, room: int) -> int:
    """Record what the machine makes of the exercise's lines, each behaviour once, in the order of the search.

    Returns
    -------
    int
        About how many bytes of the file that takes; ``room`` at most.
    """
    drawn = [draw["cases"] for draw in table["draws"]]
    right = [draw["reference"] for draw in table["draws"]]
    seen, used = set(), 0
    with quiet():
        for name, fn in made_by_machine(exercise, drawn[0]):
            outcomes = list(itertools.takewhile(_ends, (run_answer(fn, cases, 1.0) for cases in drawn)))
            if len(outcomes) < len(drawn) or _is_right(right, outcomes, exercise):
                continue
            sketches = [_sketched(sketch(o)) for o in outcomes]
            if (key := wire.encode(sketches)) in seen:
                continue
            seen.add(key)
            used += len(key) // 2  # about what is left of it in the file
            if used > room:
                break
            table["made"].append([name.how, name.words, name.hint, list(name.known), sketches])
    return min(used, room)


def _sketched(found: Sketch) -> list:
    return [found.forms, found.words, found.is_coarse, found.numbers]


def _ends(outcomes) -> bool:
    return not any(o.failure and o.failure.kind == "timeout" for o in outcomes)


def _is_right(right, outcomes, exercise) -> bool:
    both = zip(right, outcomes, strict=True)
    return all(all_alike([_outcome(one) for one in r], o, exercise.tolerance, False) for r, o in both)


# --- reading ------------------------------------------------------------------------------------------------


class _AtHome:
    """In the place of a function that stayed with the instructor: its name, arguments, returned values."""

    def __init__(self, name: str, parameters: list[str], returned: list[str]):
        self.__name__ = name
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        self.__signature__ = inspect.Signature([inspect.Parameter(p, kind) for p in parameters])
        values = [label if _is_name(label) else "None" for label in returned] or ["None"]
        self.text = f"def {name}({', '.join(parameters)}):\n    return {', '.join(values)}\n"

    def __call__(self, *args: Any) -> Any:
        raise ExerciseError(f"{self.__name__} was not handed out, only what it gives for some inputs")


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text)


def read(data: bytes) -> dict[str, Exercise]:
    """The exercises in a file that `record` made, by their ids.

    Raises
    ------
    ExerciseError
        When it is anything else.
    """
    if data[:12] == _HEAD[:12] and not data.startswith(_HEAD):
        raise ExerciseError("it was made by another version of fmkit")
    try:
        if not data.startswith(_HEAD):
            raise wire.WireError("it begins otherwise")
        unpacked = lzma.LZMADecompressor().decompress(data[len(_HEAD) :], _LARGEST)
        return {id: _exercise(id, table) for id, table in wire.decode(unpacked).items()}
    except _DAMAGES as error:
        raise ExerciseError(f"it is damaged ({type(error).__name__}): get it again") from None


def _exercise(id: str, table: dict) -> Exercise:
    texts = [id, *(table[n] for n in _TEXTS), *(text for n in _LISTS for text in table[n])]
    texts += [text for pair in table["mistakes"] for text in pair]
    if any(type(text) is not str for text in texts) or not all(map(_is_name, table["parameters"])):
        raise TypeError("a text is not one")
    if any(type(table[name]) not in (int, float) for name in _NUMBERS):
        raise TypeError("a number is not one")
    stand_in = _AtHome(table["function"], table["parameters"], table["labels"])
    exercise = Exercise(
        reference=stand_in,
        cases=stand_in,
        alternatives=(),
        mistakes=tuple(Mistake(name, "", hint) for name, hint in table["mistakes"]),
        id=id,
        **{name: table[name] for name in ("title", "chapter", *_NUMBERS)},
        **{name: tuple(table[name]) for name in ("hints", "teaches", "allowed")},
    )
    return replace(exercise, recorded=tuple(_draws(table)))


def _draws(table) -> Iterator[tuple[list, Known]]:
    if not table["draws"]:
        raise ValueError("there are no inputs")
    for at, draw in enumerate(table["draws"]):
        cases = draw["cases"]
        if not cases or any(type(case) is not tuple for case in cases):
            raise TypeError("an input is not a tuple of arguments")
        mistakes = [_results(sent, cases) for sent in draw["mistakes"]]
        if len(mistakes) != len(table["mistakes"]):
            raise ValueError("there are not results of each mistake")
        made = [(_name(entry[:4]), _sketch(entry[4][at], cases)) for entry in table["made"]]
        yield cases, Known(cases, _results(draw["reference"], cases), mistakes, made=tuple(made))


def _results(sent, cases) -> list[Outcome]:
    if len(sent) != len(cases):
        raise ValueError("there is not one result for each input")
    return [_outcome(one) for one in sent]


def _sketch(sent, cases) -> Sketch:
    forms, words, is_coarse, numbers = sent
    if [type(forms), type(words), type(is_coarse)] != [str, str, bool] or numbers.shape != (len(cases), 3):
        raise ValueError("a sketch is malformed")
    return Sketch(forms, words, numbers, is_coarse)


def _name(sent) -> Name:
    how, words, hint, known = sent
    if any(type(text) is not str for text in (how, words, hint, *known)):
        raise TypeError("a text is not one")
    return Name(how, words, hint, tuple(known))


def _outcome(sent) -> Outcome:
    value, failure, overwritten = sent
    if failure is not None:
        kind, name, message, ancestors = failure
        failure = Failure(kind, name, message, tuple(ancestors))
    return Outcome(value, failure, tuple((int(at), str(path)) for at, path in overwritten))


def beside(folder: Path) -> dict[str, Exercise]:
    """The exercises that are recorded in a folder's files, by their ids; of two, the one of the newer file.

    Raises
    ------
    ExerciseError
        When a file is damaged.
    """
    found = {}
    files = [(path.stat(), str(path)) for path in folder.glob(f"*{SUFFIX}") if path.is_file()]
    for status, path in sorted(files, key=lambda file: (file[0].st_mtime_ns, file[1])):
        found |= _read(path, status.st_mtime_ns, status.st_size)
    return found


@functools.lru_cache(maxsize=30)
def _read(path, mtime, size):
    try:
        return read(Path(path).read_bytes())
    except (ExerciseError, OSError) as error:
        raise ExerciseError(f"{path}: {getattr(error, 'strerror', None) or error}") from None
