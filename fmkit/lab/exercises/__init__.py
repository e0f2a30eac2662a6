"""The exercises, a module per chapter, found when they are asked for.

A module of this folder holds ``EXERCISES``, a list; the id of each begins with the module's name, so that
looking one up imports one module.
"""

import difflib
import importlib
import pkgutil
from typing import Any

from fmkit.lab.judging.exercise import Exercise


def modules() -> list[str]:
    """Names of the modules of this folder, in alphabetical order, without importing them."""
    return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))


def load(module: str) -> list[Exercise]:
    """The exercises of one module, in the order of the chapter."""
    return list(importlib.import_module(f"{__name__}.{module}").EXERCISES)


def every() -> list[Exercise]:
    """All exercises, in the order of the chapters."""
    found = [exercise for module in modules() for exercise in load(module)]
    return sorted(found, key=lambda exercise: exercise.chapter)  # stable: a module's own order stays


def get(id: Any) -> Exercise:
    """The exercise called ``id``.

    Raises
    ------
    TypeError
        When ``id`` is no string.
    LookupError
        When there is none, with the ids that look most like it.
    """
    if not isinstance(id, str):
        raise TypeError(
            f'an exercise is named by a string such as "backprop.neuron", got {type(id).__name__}'
        )
    module = id.split(".")[0]
    if module in modules():
        for exercise in load(module):
            if exercise.id == id:
                return exercise
    raise LookupError(f"there is no exercise {id!r}.{_near(id)}")


def _near(id: str) -> str:
    known = [exercise.id for exercise in every()]
    matches = difflib.get_close_matches(id, known, n=3, cutoff=0.5)
    matches += [k for k in known if k.split(".")[-1] == id.split(".")[-1] and k not in matches]
    return f" Did you mean {' or '.join(matches)}?" if matches else " progress() lists them all."
