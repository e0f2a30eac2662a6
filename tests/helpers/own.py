"""A course's own exercise for the tests: the small example, changed."""

import lzma
from pathlib import Path

from fmkit._templates import render

ID = "roots.area"


def text(*changes: tuple[str, str]) -> str:
    """The example's file, with old text replaced by new."""
    found = render("course", "exercise.py.txt", id=ID, function="area")
    for old, new in changes:
        assert old in found, old
        found = found.replace(old, new)
    return found


def write(folder: Path, *changes: tuple[str, str], id: str = ID) -> Path:
    """Lay that file into a folder of exercises."""
    path = folder.joinpath(*id.split(".")).with_suffix(".py")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text(*changes), "utf-8")
    return path


def unpacked(data: bytes) -> bytes:
    """What is in a file that was recorded, as plain bytes."""
    return lzma.decompress(data[data.index(b"\n") + 1 :])
