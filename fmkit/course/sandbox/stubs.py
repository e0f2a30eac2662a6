"""Stand-ins for the modules that an answer may not use, inside the sandbox.

torch, the exercises and the rest do not exist in the sandbox, nor do modules of the reference that the
chapter does not use. A notebook imports them for its pictures and comparisons, so the import itself works and
gives a `Stub`; to use that raises `Barred`, whose line shows what was used.
"""

import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any


class Barred(BaseException):
    """A module was used that may not be. Not an Exception, so that `except Exception` does not catch it."""


used: list[str] = []  # what was used, by full name, in this process


def _use(name: str):
    if len(used) < 20:
        used.append(name)
    raise Barred(f"{name} may not be used here")


class Stub:
    """Something of a module that is missing here: it may be named and passed around, not called."""

    def __init__(self, name: str):
        self._name = name

    def __getattr__(self, attribute: str) -> "Stub":
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return Stub(f"{self._name}.{attribute}")

    def __call__(self, *args: Any, **named: Any):
        _use(self._name)

    def __getitem__(self, key: Any):
        _use(self._name)

    def __iter__(self):
        _use(self._name)

    def __enter__(self):
        _use(self._name)

    def __exit__(self, *error: Any):
        return False

    def __instancecheck__(self, value: Any) -> bool:
        return False

    def __array__(self, *args: Any, **named: Any):
        _use(self._name)

    __array_ufunc__ = None  # an operator with an array and this is an error


def nothing(module: str, name: str) -> Callable:
    """A function that takes anything and does nothing, of a name that `names_used` sees."""

    def function(*args, **named):
        pass

    function.__module__, function.__name__ = module, name
    return function


class Shell:
    """What ``get_ipython()`` gives: a magic or a shell line in an answer does nothing."""

    def __call__(self) -> "Shell":
        return self

    def __getattr__(self, attribute: str) -> Callable:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        return (lambda *args, **named: []) if attribute == "getoutput" else nothing("builtins", attribute)


_LAB = ("check", "hint", "progress", "share_minutes", "show")


class _Module(types.ModuleType):
    def __getattr__(self, attribute: str) -> Any:
        full = f"{self.__name__}.{attribute}"
        if full in sys.modules:
            return sys.modules[full]
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if self.__name__ == "fmkit.lab" and attribute in _LAB:
            return nothing("fmkit.lab", attribute)
        return Stub(full)


class Finder:
    """Finds stubs for the packages in ``barred``, but for modules that ``is_allowed``, and loads them."""

    def __init__(self, barred: Iterable[str], is_allowed: Callable[[str], bool]):
        self.barred = frozenset(barred)
        self.is_allowed = is_allowed

    def find_spec(self, name, path=None, target=None):
        if name == "tqdm.notebook":  # the same bar, without the widgets that are missing here
            return importlib.util.spec_from_file_location(name, importlib.util.find_spec("tqdm.std").origin)
        if name.split(".")[0] not in self.barred or self.is_allowed(name):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return _Module(spec.name)

    def exec_module(self, module):
        pass


def install(barred: Iterable[str], allowed: Iterable[str], there: Iterable[str]) -> None:
    """Put stubs in the place of the barred modules, for this process.

    Parameters
    ----------
    barred : iterable of str
        Names of packages.
    allowed : iterable of str
        Modules of them that stay, with all below them.
    there : iterable of str
        Stub modules that are loaded at once, so that `sys.modules` gives no way around an import.
    """
    allowed = tuple(allowed)

    def is_allowed(name):
        return any(name == a or name.startswith(a + ".") for a in allowed)

    finder = Finder(barred, is_allowed)
    for name in [n for n in sys.modules if n.split(".")[0] in finder.barred and not is_allowed(n)]:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    for name in there:
        if name.split(".")[0] in finder.barred and not is_allowed(name):
            module = sys.modules[name] = _Module(name)
            module.__path__ = []
