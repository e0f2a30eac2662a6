"""Where the course's notebooks are, and which one is meant."""

from collections.abc import Iterable
from pathlib import Path, PurePath

from fmkit._paths import PACKAGE
from fmkit.errors import ChapterError


def chapters() -> list[Path]:
    """The course's notebooks, solutions and all, in order: of the checkout, or of the installed package."""
    for folder in (PACKAGE / "notebooks", PACKAGE.parent / "notebooks"):
        if found := chapters_in(folder):
            return found
    raise ChapterError("fmkit was installed without its notebooks; install it again")


def chapters_in(folder: Path) -> list[Path]:
    """The chapters among a folder's notebooks, in order."""
    return sorted(folder.glob("[0-9][0-9]-*.ipynb"))


def find_chapter(wanted: str) -> Path:
    """The notebook of one of the course's chapters, which `which_chapter` finds."""
    notebooks = {path.stem: path for path in chapters()}
    return notebooks[which_chapter(wanted, notebooks)]


def which_chapter(wanted: str, names: Iterable[str]) -> str:
    """The chapter that is meant by its number ("4", "04"), its name ("04-backprop") or its file.

    Parameters
    ----------
    names : iterable of str
        Of the chapters there are.

    Raises
    ------
    ChapterError
        When there is no such chapter; the message names those there are.
    """
    names = list(names)
    name = PurePath(wanted).name.removesuffix(".ipynb")
    if name in names:
        return name
    for found in names:
        if name and name.zfill(2) == found.split("-")[0]:
            return found
    raise ChapterError(f"there is no chapter {wanted!r}; there are {', '.join(names) or 'none'}")
