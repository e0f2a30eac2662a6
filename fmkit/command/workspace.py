"""The learner's own folder: student versions of the chapters, and JupyterLab opened on them.

Nothing that a learner changed is ever overwritten. ``.fmkit/chapters.json`` in the folder holds the hashes of
what we wrote there. A file that still has its hash may be renewed; any other is the learner's.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

from fmkit._files import write_whole
from fmkit.chapters.find import chapters
from fmkit.chapters.read import parse, read_file, to_text

RECORD = Path(".fmkit", "chapters.json")
# JupyterLab's settings in a workspace, by file below .fmkit. Where the instructors' extra is installed, its
# menus ("Create Assignment") and its warnings are not for learners.
SETTINGS = {
    "labconfig/default_setting_overrides.json": {
        "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}
    },
    "labconfig/page_config.json": {"disabledExtensions": {"@jupyter/nbgrader": True}},
    "jupyter_server_config.json": {
        "ServerApp": {
            "jpserver_extensions": {
                "nbgrader.server_extensions.assignment_list": False,
                "nbgrader.server_extensions.course_list": False,
                "nbgrader.server_extensions.formgrader": False,
                "nbgrader.server_extensions.validate_assignment": False,
            }
        }
    },
}


def default_folder() -> Path:
    """``$FMKIT_WORKSPACE``, or ``fmkit-workspace`` in the home folder."""
    return Path(os.environ.get("FMKIT_WORKSPACE") or "~/fmkit-workspace").expanduser().absolute()


def prepare(folder: Path, say=print) -> list[Path]:
    """Make or renew a workspace.

    A chapter that is missing is written, and one that the learner has not touched is renewed. When they have
    worked in it, a newer version is put beside it as ``04-backprop (new).ipynb``, once.

    Parameters
    ----------
    folder : Path
        Made if need be.

    Returns
    -------
    list of Path
        The files that were written.
    """
    from fmkit.chapters.student import student_version

    folder.mkdir(parents=True, exist_ok=True)
    record, written = _read_record(folder), []
    for chapter in chapters():
        new = to_text(student_version(read_file(chapter))).encode("utf-8")
        before, path = dict(record), _place(folder / chapter.name, new, record)
        if path:
            write_whole(path, new)
            written.append(path)
            record[path.name] = record[f"{chapter.name}: offered"] = _hash(new)
            if path.name != chapter.name:
                say(f"{chapter.name} has a newer version. Yours stays as it is; the new one is {path.name!r}")
        if record != before:  # written now: we may be stopped at any time
            write_whole(folder / RECORD, json.dumps(record, indent=1).encode())
    return written


def _place(path: Path, new: bytes, record: dict) -> Path | None:
    """Where a chapter's newest version goes: over our untouched copy, beside a changed one, or nowhere."""
    if not path.exists():
        return path
    now = _hash(path.read_bytes())
    if now == _hash(new):
        record[path.name] = record[f"{path.name}: offered"] = now
        return None
    if now == record.get(path.name):
        return path
    if _hash(new) == record.get(f"{path.name}: offered"):
        return None  # they work in a copy of this very version, or were given it before
    beside = path.with_name(f"{path.stem} (new).ipynb")
    number = 2
    while beside.exists() and _hash(beside.read_bytes()) != record.get(beside.name):
        beside = path.with_name(f"{path.stem} (new {number}).ipynb")
        number += 1
    return beside


def _read_record(folder: Path) -> dict:
    try:
        record = json.loads((folder / RECORD).read_text("utf-8"))
        return record if isinstance(record, dict) else {}
    except (OSError, ValueError):
        return {}  # then every file counts as the learner's


def _hash(data: bytes) -> str:
    """The hash of a notebook's cells: JupyterLab fills in the rest as soon as it opens one."""
    try:
        cells = [[c["cell_type"], "".join(c["source"]), c.get("outputs")] for c in parse(data)["cells"]]
        data = json.dumps(cells).encode()
    except (ValueError, KeyError, TypeError):
        pass  # not a notebook any more
    return hashlib.sha256(data).hexdigest()


def start(folder: Path, browser: bool = True) -> None:
    """Run JupyterLab in the workspace until it is stopped (Ctrl-C, or Shut Down in its File menu).

    It takes the first free port from 8888 on, asks nobody for news, and is quiet as long as all is well.
    """
    for name, settings in SETTINGS.items():
        write_whole(folder / ".fmkit" / name, json.dumps(settings, indent=1).encode())
    known = os.environ.get("JUPYTER_CONFIG_PATH")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, [str(folder / ".fmkit"), known]))
    from jupyter_client import KernelManager
    from jupyterlab.labapp import LabApp

    os.chdir(folder)
    here = str(Path(sys.executable).parent)  # so that `!fmkit doctor` in a cell finds this very installation
    os.environ["PATH"] = here + os.pathsep + os.environ.get("PATH", "")
    options = [f"--ServerApp.root_dir={folder}", "--log-level=ERROR", "--LabApp.log_level=ERROR"]
    options += ["--LabApp.news_url=None"]
    options += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    if hasattr(KernelManager, "transport_encryption"):  # else the kernel warns in the terminal
        options.append("--KernelManager.transport_encryption=auto")
    if not browser:
        options.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # in a container; Jupyter would refuse
        options.append("--allow-root")
    LabApp.launch_instance(argv=options)
