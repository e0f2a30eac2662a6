"""The exercises: a folder for each chapter, a file for each exercise, found when they are asked for.

A folder's ``__init__`` says the chapter's number, the order, and which modules of the reference the chapter's
notebook imports (``USES``: an answer may use them, too); a file holds ``EXERCISE``. README.md says how one is
added.
"""

import difflib
import functools
import importlib
import pkgutil
from dataclasses import replace
from typing import Any

from fmkit.lab.judging.exercise import Exercise


def modules() -> list[str]:
    """Names of the folders, in alphabetical order, without importing them."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))


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


def get(id: Any) -> Exercise:
    """The exercise called ``id``.

    Raises
    ------
    TypeError
        When ``id`` is not a string.
    LookupError
        When there is none, with the ids that look most like it.
    """
    if not isinstance(id, str):
        raise TypeError(
            f'an exercise is named by a string such as "backprop.neuron", got {type(id).__name__}'
        )
    folder = id.split(".")[0]
    if folder in modules():
        for exercise in load(folder):
            if exercise.id == id:
                return exercise
    raise LookupError(f"there is no exercise {id!r}.{_near(id)}")


def _near(id: str) -> str:
    known = [exercise.id for exercise in every()]
    matches = difflib.get_close_matches(id, known, n=3, cutoff=0.5)
    matches += [k for k in known if k.split(".")[-1] == id.split(".")[-1] and k not in matches]
    return f" Did you mean {' or '.join(matches)}?" if matches else " progress() lists them all."
