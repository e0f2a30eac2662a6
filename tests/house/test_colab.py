"""The first code cell of each chapter installs the kit where that is missing, and does nothing elsewhere."""

import importlib.util
import tomllib
from pathlib import Path

import nbformat
import pytest
from helpers.paths import ROOT
from IPython.core.interactiveshell import InteractiveShell

NOTEBOOKS = sorted((ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb"))


@pytest.fixture
def asked(monkeypatch):
    """What a cell asked IPython to do outside Python."""
    calls = []
    monkeypatch.setattr(
        InteractiveShell, "run_line_magic", lambda self, name, line, *_: calls.append([name, line])
    )
    monkeypatch.setattr(InteractiveShell, "system", lambda self, line: calls.append(["!", line]))
    yield calls
    InteractiveShell.clear_instance()


def run_first_cell(path: Path) -> None:
    cell = next(cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")
    assert cell.id == "install"
    InteractiveShell.instance().run_cell(cell.source).raise_error()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_where_the_kit_is_there_nothing_happens(asked, path):
    run_first_cell(path)
    assert asked == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_where_it_is_missing_it_comes_from_our_own_address(asked, monkeypatch, path):
    address = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["urls"]["Repository"]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    run_first_cell(path)
    assert asked == [
        ["pip", f"install --quiet git+{address}"],
        ["!", "{sys.executable} -m fmkit fetch --quick"],
    ]
