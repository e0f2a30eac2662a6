"""mdBook's preprocessor: ``python -m fmkit.book``, called by mdBook with the book on stdin (see book.toml).

`supports html` asks whether the renderer is known. If the preprocessor fails there, mdBook goes on without it
and writes the notebooks' JSON as pages; `fmkit.book.build` looks for that.
"""

import json
import sys
from pathlib import Path

from fmkit._files import write_whole
from fmkit.errors import BookError, exit_status

WRITTEN_FOR = ">=0.5,<0.6"  # versions of mdBook; a test holds it together with pyproject.toml


def main() -> int:
    if sys.argv[1:2] == ["supports"]:
        return 0 if sys.argv[2:] == ["html"] else 1
    return exit_status(preprocess)


def preprocess() -> None:
    """The book on stdin, with pages in place of notebooks and the made pages added, to stdout."""
    from fmkit.book.build import DATA
    from fmkit.book.pages import add_pages
    from fmkit.chapters.find import chapters_in

    sys.stdin.reconfigure(encoding="utf-8")
    sys.stdout.reconfigure(encoding="utf-8")
    context, book = json.load(sys.stdin)
    if words := other_version(str(context.get("mdbook_version", "of no version"))):
        print(f"Warning: {words}", file=sys.stderr)
    root = Path(context["root"])
    images, names = {}, {path.name for path in chapters_in(root / "notebooks")}
    if left_out := names - set(_convert(book["items"], images)):
        raise BookError(f"notebooks/SUMMARY.md leaves out {', '.join(sorted(left_out))}")
    add_pages(book, root)
    folder = root / DATA / "images"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.name not in images:
            old.unlink()
    for name, png in images.items():
        write_whole(folder / name, png)
    json.dump(book, sys.stdout)


def other_version(version: str) -> str:
    """A warning about an mdBook that this is not written for; empty for one that fits."""
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion

    try:
        fits = SpecifierSet(WRITTEN_FOR).contains(version, prereleases=True)
    except InvalidVersion:
        fits = False
    return (
        "" if fits else f"fmkit.book is written for mdBook {WRITTEN_FOR}, but is called by mdBook {version}"
    )


def _convert(items: list, images: dict[str, bytes]) -> list[str]:
    """Make pages of the notebooks among mdBook's items; returns their names, and adds their pictures."""
    from fmkit.book.chapter import convert
    from fmkit.chapters.read import read

    names = []
    for item in items:
        chapter = item.get("Chapter") if isinstance(item, dict) else None
        if chapter is None:
            continue
        path = chapter.get("path") or ""
        if path.endswith(".ipynb"):
            try:
                page = convert(read(chapter["content"]), Path(path).stem)
            except (ValueError, LookupError) as error:
                raise BookError(f"notebooks/{path} cannot be a chapter: {error}") from error
            chapter["content"] = page.markdown
            images.update(page.images)
            names.append(path)
        names += _convert(chapter["sub_items"], images)
    return names


if __name__ == "__main__":
    sys.exit(main())
