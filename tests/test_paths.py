"""The commands that messages advise can be pasted, wherever the checkout lies."""

import json
import os
import shlex
import sys
from importlib import metadata
from types import SimpleNamespace

import pytest

from fmkit import _paths

pytestmark = pytest.mark.skipif(os.name == "nt", reason="a POSIX shell's quotes")


@pytest.mark.parametrize("name", ["My Documents", "ada's kit", 'a "b" $HOME `c`', "c:#&;(d)"])
def test_every_path_is_quoted(monkeypatch, tmp_path, name):
    root = tmp_path / name
    monkeypatch.setattr(_paths, "PACKAGE", root / "fmkit")
    monkeypatch.setattr(sys, "executable", str(root / ".venv/bin/python"))
    root.mkdir()
    (root / "pyproject.toml").touch()
    assert shlex.split(_paths.install_command("course"))[-2:] == ["-e", f"{root}[course]"]
    assert shlex.split(_paths.install_command())[0] == sys.executable
    assert shlex.split(_paths.fmkit_command("fetch", "names")) == [
        sys.executable,
        "-m",
        "fmkit",
        "fetch",
        "names",
    ]


def test_fmkit_is_called_by_its_name_where_a_terminal_finds_it(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    (tmp_path / "fmkit").write_text("#!/bin/sh")
    (tmp_path / "fmkit").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _paths.fmkit_command("doctor") == "fmkit doctor"
    monkeypatch.setattr(sys, "executable", "/other/python")  # that one is another installation's
    assert _paths.fmkit_command("doctor") == "/other/python -m fmkit doctor"


@pytest.mark.parametrize(
    "noted, what",
    [
        ({"url": "file:///home/ada/fmkit", "dir_info": {}}, "fmkit[course] @ file:///home/ada/fmkit"),
        (
            {"url": "https://h/fmkit.git", "vcs_info": {"vcs": "git"}},
            "fmkit[course] @ git+https://h/fmkit.git",
        ),
        (None, "fmkit[course]"),
    ],
)
def test_an_installed_kit_is_installed_again_from_where_it_came(monkeypatch, tmp_path, noted, what):
    class Installed:
        def read_text(self, name):
            return json.dumps(noted) if noted else None

    monkeypatch.setattr(_paths, "PACKAGE", tmp_path / "site-packages" / "fmkit")
    monkeypatch.setattr(metadata, "distribution", lambda name: Installed())
    assert shlex.split(_paths.install_command("course"))[-1] == what


def test_pip_and_the_users_settings(monkeypatch):
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    monkeypatch.setenv("PIP_USER", "1")
    assert "install --no-user -e" in _paths.install_command()
    monkeypatch.setenv("PIP_USER", "0")
    assert "--no-user" not in _paths.install_command()
    monkeypatch.delenv("PIP_USER")
    assert "--no-user" not in _paths.install_command()
    monkeypatch.setattr("importlib.machinery.PathFinder", SimpleNamespace(find_spec=lambda name: None))
    monkeypatch.setattr(_paths, "which", lambda name: f"/bin/{name}")
    assert _paths.install_command().startswith(f"uv pip install --python {shlex.quote(sys.executable)} -e ")
