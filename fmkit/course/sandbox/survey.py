"""A program that the machine's own interpreter runs, to find out what the sandbox's interpreter will need.

It imports what answers may import, prints the shared libraries that this took, and writes the compiled
modules into the sandbox's system. Nothing of a learner's runs here.
"""

import contextlib
import ctypes
import importlib
import importlib.util
import json
import marshal
import os
import struct
import sys
import types


def libraries() -> list[str]:
    """Paths of the shared libraries in this process, under the names by which they were asked for."""

    class Info(ctypes.Structure):
        _fields_ = (("address", ctypes.c_void_p), ("name", ctypes.c_char_p))

    found = []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Info), ctypes.c_size_t, ctypes.c_void_p)
    def note(info, size, data):
        found.append(os.path.normpath(os.fsdecode(info.contents.name or b"")))
        return 0

    ctypes.CDLL(None).dl_iterate_phdr(note, None)
    return [path for path in found if path.startswith("/")]


def write_compiled(root: str, places: list) -> None:
    """Compile the imported modules into ``root``, under the names that their files have in the sandbox."""
    for module in list(sys.modules.values()):
        spec = getattr(module, "__spec__", None)
        origin = str(getattr(spec, "origin", ""))
        place = next((place for place in places if origin.startswith(place[0] + os.sep)), None)
        if not place or not origin.endswith(".py"):
            continue
        inside = place[1] + origin.removeprefix(place[0])
        if os.path.isfile(root + inside):
            _write(root + inside, _renamed(spec.loader.get_code(spec.name), inside))


def _write(file, code):
    stat, cache = os.stat(file), importlib.util.cache_from_source(file)
    os.makedirs(os.path.dirname(cache), exist_ok=True)
    with open(cache, "wb") as out:
        out.write(importlib.util.MAGIC_NUMBER + struct.pack("<III", 0, int(stat.st_mtime), stat.st_size))
        out.write(marshal.dumps(code))


def _renamed(code, file):
    inner = (_renamed(c, file) if isinstance(c, types.CodeType) else c for c in code.co_consts)
    return code.replace(co_filename=file, co_consts=tuple(inner))


def main() -> None:
    """Do it, as the first argument says (JSON)."""
    asked = json.loads(sys.argv[1])
    sys.path += asked["path"]
    for name in asked["modules"]:
        with contextlib.suppress(Exception):  # some modules are for other systems
            importlib.import_module(name)
    with contextlib.suppress(OSError):
        ctypes.CDLL("libgcc_s.so.1")  # the C library loads it when a thread ends
    write_compiled(asked["root"], asked["places"])
    print(json.dumps(libraries()))


if __name__ == "__main__":
    main()
