"""The learner's folder: every chapter gets there, and nothing that a learner changed is ever overwritten."""

import errno
import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import nbformat
import pytest

from fmkit.chapters.student import student_version
from fmkit.command import workspace
from fmkit.errors import WorkspaceError


def write_chapter(folder, text, name="01-first.ipynb"):
    """A chapter with one answer cell, as an author would save it."""
    nb = nbformat.v4.new_notebook()
    source = "def f(x):\n    ### BEGIN SOLUTION\n    return 42\n    ### END SOLUTION"
    nb.cells = [nbformat.v4.new_markdown_cell(text), nbformat.v4.new_code_cell(source)]
    nb.cells[0].id, nb.cells[1].id = "text", "answer"
    nb.cells[1].outputs = [nbformat.v4.new_output("stream", text="an output")]
    nbformat.write(nb, folder / name)


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """The folder of the shipped chapters; `workspace` finds them there."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    write_chapter(folder, "version 1")
    write_chapter(folder, "another chapter", "02-second.ipynb")
    monkeypatch.setattr(workspace, "chapters", lambda: sorted(folder.glob("*.ipynb")))
    return folder


@pytest.fixture
def mine(tmp_path):
    return tmp_path / "my work"


def prepare(folder):
    said = []
    written = [path.name for path in workspace.prepare(folder, said.append)]
    return written, said


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.suffix == ".ipynb")


def edit(path):
    nb = nbformat.read(path, as_version=4)
    nb.cells[1].source = "def f(x):\n    return x + 1"
    nbformat.write(nb, path)
    return path.read_bytes()


def test_a_new_workspace_has_every_chapter_without_solutions(shipped, mine):
    assert prepare(mine) == (["01-first.ipynb", "02-second.ipynb"], [])
    nb = nbformat.read(mine / "01-first.ipynb", as_version=4)
    assert "42" not in nb.cells[1].source and "raise NotImplementedError" in nb.cells[1].source
    assert nb.cells[1].outputs == [] and nb.cells[0].source == "version 1"
    nbformat.validate(nb)
    assert "42" in (shipped / "01-first.ipynb").read_text()


def test_again_does_nothing(shipped, mine):
    prepare(mine)
    before = (mine / "01-first.ipynb").stat().st_mtime_ns
    assert prepare(mine) == ([], [])
    assert (mine / "01-first.ipynb").stat().st_mtime_ns == before


def test_an_untouched_chapter_is_renewed(shipped, mine):
    prepare(mine)
    write_chapter(shipped, "version 2")
    assert prepare(mine) == (["01-first.ipynb"], [])
    assert "version 2" in (mine / "01-first.ipynb").read_text()
    assert files(mine) == ["01-first.ipynb", "02-second.ipynb"]


def test_a_chapter_that_was_only_looked_at_is_renewed(shipped, mine):
    """JupyterLab fills in the language as soon as it opens a notebook, and saves it."""
    prepare(mine)
    nb = nbformat.read(mine / "01-first.ipynb", as_version=4)
    nb.metadata["language_info"] = {"name": "python", "version": "3.11.2"}
    nbformat.write(nb, mine / "01-first.ipynb")
    write_chapter(shipped, "version 2")
    assert prepare(mine) == (["01-first.ipynb"], [])


def test_a_chapter_that_was_run_stays(shipped, mine):
    prepare(mine)
    nb = nbformat.read(mine / "01-first.ipynb", as_version=4)
    nb.cells[1].outputs = [nbformat.v4.new_output("stream", text="seen")]
    nbformat.write(nb, mine / "01-first.ipynb")
    write_chapter(shipped, "version 2")
    assert prepare(mine)[0] == ["01-first (new).ipynb"]


def test_a_chapter_that_was_worked_in_stays(shipped, mine):
    prepare(mine)
    work = edit(mine / "01-first.ipynb")
    assert prepare(mine) == ([], [])  # nothing newer: nothing lands

    write_chapter(shipped, "version 2")
    written, said = prepare(mine)
    assert written == ["01-first (new).ipynb"]
    assert "01-first.ipynb has a newer version" in said[0] and "'01-first (new).ipynb'" in said[0]
    assert (mine / "01-first.ipynb").read_bytes() == work
    assert "version 2" in (mine / "01-first (new).ipynb").read_text()
    assert prepare(mine) == ([], [])  # told once


def test_the_new_copy_may_be_worked_in_or_deleted(shipped, mine):
    prepare(mine)
    work = edit(mine / "01-first.ipynb")
    write_chapter(shipped, "version 2")
    prepare(mine)
    (mine / "01-first (new).ipynb").unlink()
    assert prepare(mine) == ([], [])  # not wanted: it does not come back

    write_chapter(shipped, "version 3")
    assert prepare(mine)[0] == ["01-first (new).ipynb"]
    newer = edit(mine / "01-first (new).ipynb")
    write_chapter(shipped, "version 4")
    assert prepare(mine)[0] == ["01-first (new 2).ipynb"]
    assert (mine / "01-first.ipynb").read_bytes() == work
    assert (mine / "01-first (new).ipynb").read_bytes() == newer

    write_chapter(shipped, "version 5")
    assert prepare(mine)[0] == ["01-first (new 2).ipynb"]  # nobody touched that one: renewed
    assert files(mine) == [
        "01-first (new 2).ipynb",
        "01-first (new).ipynb",
        "01-first.ipynb",
        "02-second.ipynb",
    ]


def test_a_deleted_chapter_comes_back_fresh(shipped, mine):
    prepare(mine)
    edit(mine / "01-first.ipynb")
    (mine / "01-first.ipynb").unlink()
    assert prepare(mine)[0] == ["01-first.ipynb"]


@pytest.mark.parametrize("record", ["", "{", "[]", '{"01-first.ipynb": 3}', None])
def test_without_its_record_every_file_is_the_learners(shipped, mine, record):
    prepare(mine)
    path = mine / ".fmkit" / "chapters.json"
    if record is None:
        path.unlink()
    else:
        path.write_text(record)
    before = (mine / "01-first.ipynb").read_bytes()
    assert prepare(mine) == ([], [])
    path.unlink()
    write_chapter(shipped, "version 2")
    assert prepare(mine)[0] == ["01-first (new).ipynb"]
    assert (mine / "01-first.ipynb").read_bytes() == before


def test_a_file_that_was_there_before_us_stays(shipped, mine):
    mine.mkdir()
    (mine / "01-first.ipynb").write_text("my own notes")
    assert prepare(mine)[0] == ["01-first (new).ipynb", "02-second.ipynb"]
    assert (mine / "01-first.ipynb").read_text() == "my own notes"


@pytest.mark.parametrize("left", [b"", b"\n", b"\0" * 4096])
def test_a_file_that_a_full_disk_left_empty_is_written_again(shipped, mine, left):
    prepare(mine)
    (mine / "01-first.ipynb").write_bytes(left)
    assert prepare(mine) == (["01-first.ipynb"], [])
    assert nbformat.read(mine / "01-first.ipynb", as_version=4).cells


def test_a_folder_that_cannot_be_written(shipped, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceError, match="fmkit lab --workspace DIR, or set FMKIT_WORKSPACE"):
        prepare(tmp_path / "file" / "work")

    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(workspace, "write_whole", full)
    with pytest.raises(WorkspaceError, match="work: No space left on device. Name another folder"):
        prepare(tmp_path / "work")


@pytest.fixture
def environment(monkeypatch, tmp_path):
    """An environment that may be changed, with a home folder of its own and nothing else set."""
    monkeypatch.setattr(os, "environ", {"HOME": str(tmp_path), "PATH": os.environ["PATH"]})
    return os.environ


def test_what_jupyter_finds(environment, mine, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    environment |= {"JUPYTER_PREFER_ENV_PATH": "0", "FMKIT_HOME": "data", "JUPYTER_CONFIG_PATH": "/theirs"}
    workspace.set_environment(mine)
    assert environment["JUPYTER_CONFIG_PATH"] == f"{mine}/.fmkit{os.pathsep}/theirs"
    assert (
        environment["JUPYTER_PREFER_ENV_PATH"] == "1"
    )  # a kernel python3 of the user's starts another Python
    assert environment["FMKIT_HOME"] == str(tmp_path / "data")  # kernels run elsewhere
    assert environment["PATH"].startswith(str(Path(sys.executable).parent) + os.pathsep)
    assert "JUPYTER_DATA_DIR" not in environment and "MPLCONFIGDIR" not in environment


def test_a_home_that_is_read_only(environment, mine, monkeypatch, tmp_path):
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != tmp_path and access(path, mode))
    monkeypatch.setattr("jupyter_core.paths.jupyter_data_dir", lambda: str(tmp_path / "share"))
    monkeypatch.setattr("jupyter_core.paths.jupyter_runtime_dir", lambda: str(tmp_path / "share/runtime"))
    monkeypatch.setattr("jupyter_core.paths.jupyter_config_dir", lambda: str(tmp_path / ".jupyter"))
    workspace.set_environment(mine)
    for program in ("JUPYTER_DATA_", "JUPYTER_RUNTIME_", "JUPYTER_CONFIG_", "IPYTHON", "MPLCONFIG"):
        assert Path(environment[f"{program}DIR"]).parent == mine / ".fmkit"
    assert environment["JUPYTER_PATH"] == str(tmp_path / "share")  # what they have there is still found
    assert environment["JUPYTER_CONFIG_PATH"] == f"{mine}/.fmkit{os.pathsep}{tmp_path}/.jupyter"


@pytest.mark.parametrize("generated", [True, False])
def test_the_address_is_said_where_jupyter_says_none(environment, mine, monkeypatch, generated):
    from jupyterlab.labapp import LabApp

    class Server:
        identity_provider = type("Identity", (), {"token_generated": generated})
        display_url = "http://localhost:8888/lab"
        log = logging.Logger("jupyter's")
        started = False

        def start(self):
            Server.started = True

    mine.mkdir()
    monkeypatch.chdir(mine)
    monkeypatch.setattr(LabApp, "initialize_server", lambda argv: Server())
    said = []
    workspace.start(mine, browser=False, say=said.append)
    assert Server.started
    assert said == ([] if generated else ["JupyterLab is at http://localhost:8888/lab"])


def test_stopped_between_two_chapters(shipped, mine, monkeypatch):
    monkeypatch.setattr(workspace, "write_whole", _stop_at("02-second.ipynb", workspace.write_whole))
    with pytest.raises(KeyboardInterrupt):
        prepare(mine)
    monkeypatch.undo()
    monkeypatch.setattr(workspace, "chapters", lambda: sorted(shipped.glob("*.ipynb")))
    write_chapter(shipped, "version 2")
    assert prepare(mine)[0] == ["01-first.ipynb", "02-second.ipynb"]  # the first was known as ours: renewed
    assert not list(mine.glob(".*.tmp"))


def _stop_at(name, write):
    def stopping(path, data):
        if path.name == name:
            raise KeyboardInterrupt
        write(path, data)

    return stopping


def test_the_shipped_chapters_are_found_and_have_a_student_version():
    names = [path.name for path in workspace.chapters()]
    assert names == sorted(names) and "04-backprop.ipynb" in names
    for path in workspace.chapters():
        nb = student_version(nbformat.read(path, as_version=4))
        assert "BEGIN SOLUTION" not in nbformat.writes(nb)


def test_where_it_is_by_default(monkeypatch, tmp_path):
    monkeypatch.delenv("FMKIT_WORKSPACE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert workspace.default_folder() == tmp_path / "fmkit-workspace"
    monkeypatch.setenv("FMKIT_WORKSPACE", "~/other")
    assert workspace.default_folder() == tmp_path / "other"
    monkeypatch.setenv("FMKIT_WORKSPACE", "~no-such-user/other")
    with pytest.raises(WorkspaceError, match="that home folder is not known; set FMKIT_WORKSPACE"):
        workspace.default_folder()


def test_every_server_extension_of_nbgrader_is_off():
    """The names are nbgrader's; a version with another one is noticed here."""
    file = Path(sys.prefix, "etc/jupyter/jupyter_server_config.d/nbgrader.json")
    if not file.exists():
        pytest.skip("the extra course is not installed")
    theirs = json.loads(file.read_text("utf-8"))["ServerApp"]["jpserver_extensions"]
    ours = workspace.SETTINGS["jupyter_server_config.json"]["ServerApp"]["jpserver_extensions"]
    assert ours == dict.fromkeys(theirs, False)


def test_jupyterlab_answers_and_stops(mine):
    """The whole command: it prepares the folder, serves it, and Ctrl-C (twice) ends it."""
    command = [sys.executable, "-m", "fmkit", "lab", "--no-browser", "--workspace", str(mine)]
    env = os.environ | {
        f"JUPYTER_{kind}_DIR": str(mine.parent / kind) for kind in ("CONFIG", "RUNTIME", "DATA")
    }
    env |= {"PYTHONUNBUFFERED": "1"}
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)
    watchdog = threading.Timer(120, server.kill)
    watchdog.start()
    try:
        address = next(m[0] for line in server.stdout if (m := re.search(r"http://127\S+token=\w+", line)))
        assert '"news": {"disabled": true}' in _get(address)
        host, token = address.split("/lab?token=")
        listing = json.loads(_get(f"{host}/api/contents?token={token}"))
        assert "04-backprop.ipynb" in [entry["name"] for entry in listing["content"]]
        server.send_signal(signal.SIGINT)
        time.sleep(1)
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=60)
    finally:
        watchdog.cancel()
        server.kill()
    assert server.returncode in (0, -signal.SIGINT)


@pytest.mark.parametrize(
    "text, error, is_shown",
    [
        ("", AttributeError("'NoneType' object has no attribute 'kernel_ws_protocol'"), False),
        ('{\n  "Host": "127.0.0.1:8888",\n  "User-Agent": "x"\n}', None, False),
        ("500 GET /api/kernels/d21424c5-e627/channels?session_id=5f (x@127.0.0.1) 91.2ms", None, False),
        ("500 GET /api/contents?x=/api/kernels/d2/channels? (x@127.0.0.1) 91.2ms", None, True),
        ("", AttributeError("'NoneType' object has no attribute 'kernel_id'"), True),
        ("The disk is full", OSError(28, "No space left on device"), True),
    ],
)
def test_a_tab_that_had_gone_is_not_told_and_all_else_is(text, error, is_shown):
    info = (type(error), error, None) if error else None
    record = logging.LogRecord("ServerApp", logging.ERROR, "", 1, text, (), info)
    assert workspace._no_browser_that_left(record) is is_shown


def _get(address: str) -> str:
    for _ in range(50):  # the address is printed a moment before the server listens
        try:
            with urllib.request.urlopen(address, timeout=60) as page:
                return page.read().decode()
        except urllib.error.URLError:
            time.sleep(0.2)
    pytest.fail(f"{address} does not answer")
