"""Build the book: ``python -m fmkit.book.build``, which is ``make book``.

First the tables' data are made, if the code they depend on has changed. Then mdBook builds the pages; for the
notebooks it calls `fmkit.book`. Last come the files that mdBook does not know: the pictures, and the student
version of each notebook in place of the one with solutions.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from fmkit._files import write_whole
from fmkit._paths import install_command
from fmkit.errors import BookError, exit_status

DATA = "build/book-data"
OUT = "build/book"


def build(root: Path) -> Path:
    """Build the book of the project in ``root``; returns its folder.

    Raises
    ------
    BookError
        When mdBook is missing or fails, or a page shows a raw notebook.
    """
    make_data(root)
    _run_mdbook(root)
    out = root / OUT
    _student_notebooks(root, out)
    shutil.copytree(root / DATA / "images", out / "images", dirs_exist_ok=True)
    raw = [page.name for page in out.glob("*.html") if '"cell_type"' in page.read_text("utf-8")]
    if raw:
        raise BookError(f"the preprocessor was skipped: raw notebooks in {', '.join(sorted(raw))}")
    return out


def _run_mdbook(root: Path) -> None:
    folder = Path(sys.executable).parent
    command = shutil.which("mdbook", path=str(folder)) or shutil.which("mdbook")
    if command is None:
        raise BookError(f"mdBook is missing. This installs it: {install_command('book')}")
    path = os.pathsep.join([str(folder), os.environ.get("PATH", "")])  # for book.toml's "python3"
    done = subprocess.run(
        [command, "build"], cwd=root, env=os.environ | {"PATH": path}, capture_output=True, text=True
    )
    if done.returncode or "ERROR" in done.stderr or "WARN" in done.stderr:
        raise BookError(f"mdBook failed:\n{done.stderr.strip()}")
    for line in done.stderr.splitlines():
        if line.startswith("Warning: "):  # our own preprocessor's
            print(line, file=sys.stderr)


def _student_notebooks(root: Path, out: Path) -> None:
    from fmkit.chapters.read import read_file, to_text
    from fmkit.chapters.student import student_version

    for leftover in (".ipynb_checkpoints", ".fmkit"):  # of someone who worked in notebooks/ itself
        shutil.rmtree(out / leftover, ignore_errors=True)
    for path in sorted(out.glob("*.ipynb")):
        write_whole(path, to_text(student_version(read_file(path))).encode("utf-8"))


# --- the tables' data ---------------------------------------------------------------------------------------


def make_data(root: Path) -> None:
    """Write the tables' data, unless the files there were made from this very code."""
    folder = root / DATA
    folder.mkdir(parents=True, exist_ok=True)
    key = _key(root)
    stamp = folder / "key.txt"
    if stamp.exists() and stamp.read_text("utf-8") == key:
        return
    stamp.unlink(missing_ok=True)
    print("Making the tables of agreement and of known mistakes (two minutes) ...", flush=True)
    command = [sys.executable, "-m", "fmkit", "crosscheck", "--json", str(folder / "agreement.json")]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    if done.returncode:
        raise BookError(f"fmkit crosscheck failed:\n{(done.stdout + done.stderr).strip()[-2000:]}")
    write_whole(folder / "kill_table.json", json.dumps(_kill_table()).encode("utf-8"))
    write_whole(folder / "edits.json", json.dumps(_edits()).encode("utf-8"))
    write_whole(stamp, key.encode("utf-8"))


def _key(root: Path) -> str:
    sources = [
        *root.glob("fmkit/*.py"),
        *root.glob("fmkit/twins/cases/*.py"),
        *root.glob("fmkit/lab/**/*.py"),
    ]
    digest = hashlib.sha256()
    for path in sorted(sources):
        digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _kill_table() -> list[dict]:
    from fmkit.lab import exercises
    from fmkit.lab.proof import exercise_rows

    return [
        {**asdict(row), "is_proven": row.is_proven, "chapter": exercise.chapter, "title": exercise.title}
        for exercise in exercises.every()
        for row in exercise_rows(exercise)
    ]


def _edits() -> list[dict]:
    """Each tenth edit of the right answers: all of them would take ten minutes."""
    from fmkit.lab import exercises
    from fmkit.lab.proof import edits_of

    return [
        {"chapter": exercise.chapter, "refused": edit.refused, "told": edit.told, "equal": bool(edit.equal)}
        for exercise in exercises.every()
        for edit in edits_of(exercise, seeds=(0,), name=True, step=10)
    ]


def main() -> None:
    """The command: the book of the project in this folder."""
    out = build(Path.cwd())
    print(f"The book is in {out}: open {out / 'index.html'}")


if __name__ == "__main__":
    sys.exit(exit_status(main))
