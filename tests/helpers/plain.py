"""Modules without the type checks that tests put around every signature: what a learner meets."""

import importlib.util
from pathlib import Path
from types import ModuleType

import fmkit


def plain(name: str) -> ModuleType:
    """A second copy of a reference module; its own checks must do."""
    path = Path(fmkit.__file__).parent / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"plain_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
