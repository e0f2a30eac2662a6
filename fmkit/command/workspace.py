"""The learner's own folder: student versions of the chapters, and JupyterLab opened on them.

Nothing that a learner changed is ever overwritten. ``.fmkit/chapters.json`` in the folder holds the hashes of
what we wrote there. A file that still has its hash may be renewed; any other is the learner's.
"""

import hashlib
import json
import logging
import os
import re
import sys
from pathlib import Path

from fmkit._files import write_whole
from fmkit.chapters.find import chapters
from fmkit.chapters.read import parse, read_file, to_text
from fmkit.errors import WorkspaceError

RECORD = Path(".fmkit", "chapters.json")
# What Jupyter says in its next lines of a tab that had gone: the headers of what it asked, and the request
AFTERWARDS = re.compile(r'\{\n +"Host": |500 GET /api/kernels/[^/ ]+/channels\?')
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
    folder = os.environ.get("FMKIT_WORKSPACE") or "~/fmkit-workspace"
    try:
        return Path(folder).expanduser().absolute()
    except RuntimeError:  # a container's user of a number without a name, say
        raise WorkspaceError(f"{folder}: that home folder is not known; set FMKIT_WORKSPACE") from None


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

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    record, written = _read_record(folder), []
    for chapter in chapters():
        new = to_text(student_version(read_file(chapter))).encode("utf-8")
        before, path = dict(record), _place(folder / chapter.name, new, record)
        if path:
            _write(folder, path, new)
            written.append(path)
            record[path.name] = record[f"{chapter.name}: offered"] = _hash(new)
            if path.name != chapter.name:
                say(f"{chapter.name} has a newer version. Yours stays as it is; the new one is {path.name!r}")
        if record != before:  # written now: we may be stopped at any time
            _write(folder, folder / RECORD, json.dumps(record, indent=1).encode())
    return written


def _write(folder: Path, path: Path, data: bytes) -> None:
    try:
        write_whole(path, data)
    except OSError as error:
        raise _cannot_write(folder, error) from error


def _cannot_write(folder: Path, error: OSError) -> WorkspaceError:
    return WorkspaceError(
        f"cannot write into {folder}: {error.strerror or error}. "
        "Name another folder for your chapters: fmkit lab --workspace DIR, or set FMKIT_WORKSPACE"
    )


def _place(path: Path, new: bytes, record: dict) -> Path | None:
    """Where a chapter's newest version goes: over our untouched copy, beside a changed one, or nowhere."""
    if not path.exists() or not (there := path.read_bytes()).strip(b" \t\r\n\0"):
        return path  # a full disk or a power cut may leave a file with nothing in it
    now = _hash(there)
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


def start(folder: Path, browser: bool = True, say=print) -> None:
    """Run JupyterLab in the workspace until it is stopped (Ctrl-C, or Shut Down in its File menu).

    It takes the first free port from 8888 on, asks nobody for news, and is quiet as long as all is well.
    """
    for name, settings in SETTINGS.items():
        _write(folder, folder / ".fmkit" / name, json.dumps(settings, indent=1).encode())
    set_environment(folder)
    from jupyter_client import KernelManager
    from jupyterlab.labapp import LabApp

    os.chdir(folder)
    options = [f"--ServerApp.root_dir={folder}", "--log-level=ERROR", "--LabApp.log_level=ERROR"]
    options += ["--LabApp.news_url=None"]
    options += ["--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    if hasattr(KernelManager, "transport_encryption"):  # else the kernel warns in the terminal
        options.append("--KernelManager.transport_encryption=auto")
    if not browser:
        options.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # in a container; Jupyter would refuse
        options.append("--allow-root")
    logging.getLogger("asyncio").addFilter(_no_browser_that_left)
    server = LabApp.initialize_server(argv=options)
    for handler in server.log.handlers:
        handler.addFilter(_no_browser_that_left)
    if not server.identity_provider.token_generated:  # with a password of theirs: Jupyter prints no address
        say(f"JupyterLab is at {server.display_url}")
    server.start()


def _no_browser_that_left(record: logging.LogRecord) -> bool:
    """False for what Jupyter logs when a browser's tab closes while its kernel prints or only just begins."""
    error = record.exc_info[1] if record.exc_info else None
    is_closed = type(error).__name__ == "WebSocketClosedError"  # Tornado's
    had_gone = isinstance(error, AttributeError) and "'kernel_ws_protocol'" in str(error)  # jupyter_server's
    return not (is_closed or had_gone or AFTERWARDS.match(record.getMessage()))


def set_environment(folder: Path) -> None:
    """What JupyterLab and its kernels need to find: our settings, this very Python, folders to write into."""
    known = os.environ.get("JUPYTER_CONFIG_PATH")
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(filter(None, [str(folder / ".fmkit"), known]))
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # a kernel python3 of the user's may start another Python
    here = str(Path(sys.executable).parent)  # so that `!fmkit doctor` in a cell finds this very installation
    os.environ["PATH"] = here + os.pathsep + os.environ.get("PATH", "")
    if os.environ.get("FMKIT_HOME"):  # kernels have another current folder
        from fmkit.data.assets import home

        os.environ["FMKIT_HOME"] = str(home())
    _leave_a_home_that_is_read_only(folder / ".fmkit")


def _leave_a_home_that_is_read_only(instead: Path) -> None:
    """Where programs cannot write into the home folder, as in an exam room, they do so in the workspace."""
    from jupyter_core import paths

    own = Path(os.path.expanduser("~"))
    places = {  # in this order: the second is inside the first, unless it is set
        "JUPYTER_DATA_DIR": (paths.jupyter_data_dir, "JUPYTER_PATH"),
        "JUPYTER_RUNTIME_DIR": (paths.jupyter_runtime_dir, None),
        "JUPYTER_CONFIG_DIR": (paths.jupyter_config_dir, "JUPYTER_CONFIG_PATH"),
        "IPYTHONDIR": (lambda: os.environ.get("IPYTHONDIR") or own / ".ipython", None),
        "MPLCONFIGDIR": (lambda: os.environ.get("MPLCONFIGDIR") or own / ".config" / "matplotlib", None),
    }
    for variable, (find, still_read) in places.items():
        place = Path(find())
        if _writable(place):
            continue
        if still_read:  # what is there counts on
            known = os.environ.get(still_read)
            os.environ[still_read] = os.pathsep.join(filter(None, [known, str(place)]))
        os.environ[variable] = str(instead / variable.lower())


def _writable(folder: Path) -> bool:
    """Whether files can be written into a folder, which need not be there yet."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return os.access(folder, os.W_OK | os.X_OK)
