"""The exercises: a folder for each chapter, a file for each exercise, found when they are asked for.

A folder's ``__init__`` says the chapter's number, the order, and which modules of the reference the chapter's
notebook imports (``USES``: an answer may use them, too); a file holds ``EXERCISE``. README.md says how one is
added. A course has others of its own, in its folder `exercises`. A student has what was recorded of those, in
a file beside the notebook (`judging.recorded`); of these, too, where the instructor has sealed them.
"""

import difflib
import functools
import importlib
import pkgutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from fmkit.errors import ExerciseError
from fmkit.lab.judging import own, recorded
from fmkit.lab.judging.exercise import Exercise


@functools.cache
def modules() -> tuple[str, ...]:
    """Names of the folders, in alphabetical order, without importing them."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")))


@functools.cache
def load(folder: str) -> tuple[Exercise, ...]:
    """The exercises of one folder, in the order of the chapter."""
    package = importlib.import_module(f"{__name__}.{folder}")
    return tuple(_read(package, name) for name in package.ORDER)


def _read(package, name) -> Exercise:
    folder = package.__name__.split(".")[-1]
    exercise = importlib.import_module(f"{package.__name__}.{name}").EXERCISE
    uses = tuple(f"fmkit.{module}" for module in package.USES)
    return replace(
        exercise, id=f"{folder}.{name}", chapter=package.CHAPTER, allowed=(*exercise.allowed, *uses)
    )


def every() -> list[Exercise]:
    """All exercises, in the order of the chapters."""
    found = [exercise for folder in modules() for exercise in load(folder)]
    return sorted(found, key=lambda exercise: exercise.chapter)  # stable: a folder's own order stays


def get(id: Any, folder: Path | None = None) -> Exercise:
    """The exercise called ``id``: one of these, or one of a course's own.

    Parameters
    ----------
    folder : path, optional
        Where the course has its own.

    Raises
    ------
    TypeError
        When ``id`` is not a string.
    LookupError
        When there is none, with the ids that look most like it.
    ExerciseError
        When a course's own cannot be used.
    """
    if not isinstance(id, str):
        raise TypeError(
            f'an exercise is named by a string such as "backprop.neuron", got {type(id).__name__}'
        )
    ours, file = _ours(id), own.file_of(id, folder) if folder else None
    if ours and file:
        raise ExerciseError(f"{file}: {id} is one of fmkit's own exercises; give yours another name")
    if ours or file:
        return ours or own.load(file)
    nor = f", and no file {folder.joinpath(*id.split('.'))}.py" if folder and own.ID.fullmatch(id) else ""
    raise LookupError(f"there is no exercise {id!r}{nor}.{_near(id, folder)}")


def _ours(id: str) -> Exercise | None:
    folder = id.split(".")[0]
    return next((e for e in load(folder) if e.id == id), None) if folder in modules() else None


def _near(id: str, folder: Path | None) -> str:
    known = [exercise.id for exercise in every()]
    known += [f"{path.parent.name}.{path.stem}" for path in sorted(folder.glob("*/*.py"))] if folder else []
    matches = difflib.get_close_matches(id, known, n=3, cutoff=0.5)
    matches += [k for k in known if k.split(".")[-1] == id.split(".")[-1] and k not in matches]
    return f" Did you mean {' or '.join(matches)}?" if matches else " progress() lists them all."


# --- as a notebook has them ---------------------------------------------------------------------------------


def here(id: Any) -> Exercise:
    """The exercise called ``id`` for a notebook in the present folder.

    First what lies beside the notebook, then `get`, with a course's own where the notebook lies in a course.

    Raises
    ------
    TypeError, LookupError, ExerciseError
    """
    folder = _present()
    there = recorded.beside(folder) if folder else {}
    if isinstance(id, str) and id in there:
        return there[id]
    try:
        return get(id, own.folder_above(folder / "notebook") if folder else None)
    except LookupError as error:
        words = f"Was a file NAME{recorded.SUFFIX} handed out with the notebook? It belongs beside it"
        raise LookupError(f"{error} {words}, in {folder}.") from None


def every_here() -> list[Exercise]:
    """All exercises that a notebook in the present folder knows: these, and those beside it."""
    found = {exercise.id: exercise for exercise in every()}
    found |= recorded.beside(folder) if (folder := _present()) else {}
    return sorted(found.values(), key=lambda exercise: exercise.chapter)


def _present() -> Path | None:
    """The present folder, if it is still there."""
    try:
        return Path.cwd()
    except OSError:
        return None
