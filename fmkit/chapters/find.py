"""Where the course's notebooks are, and which one is meant."""

from pathlib import Path

from fmkit._paths import PACKAGE


def chapters() -> list[Path]:
    """The course's notebooks, solutions and all, in order: of the checkout, or of the installed package."""
    for folder in (PACKAGE / "notebooks", PACKAGE.parent / "notebooks"):
        if found := sorted(folder.glob("[0-9][0-9]-*.ipynb")):
            return found
    raise FileNotFoundError("fmkit was installed without its notebooks; install it again")


def find_chapter(notebooks: list[Path], chapter: str) -> Path:
    """Among some notebooks that of a chapter, named by its number ("4", "04") or as its file is.

    Raises
    ------
    LookupError
        When there is none, with those there are.
    """
    wanted = Path(chapter).stem
    for path in notebooks:
        if wanted == path.stem or wanted.zfill(2) == path.stem[:2]:
            return path
    numbers = ", ".join(path.stem[:2] for path in notebooks)
    raise LookupError(f"there is no chapter {chapter!r}; there are {numbers}")
