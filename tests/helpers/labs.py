"""For the tests of JupyterLab: opened as `make lab` opens it, with all chapters and their solutions in it."""

import os
import re
import shlex
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import nbformat

from helpers import widgets_moved
from helpers.browser import browser, jupyter
from helpers.paths import ROOT

CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9][0-9]-*.ipynb"))
IDLE = """() => {
  const bar = document.querySelector('#jp-main-statusbar');
  return bar && bar.innerText.includes('| Idle') && document.querySelector('.jp-Notebook .jp-CodeCell');
}"""
# Errors, and what goes to stderr: of the cells, and of a widget that was moved, which no cell shows.
# JupyterLab asks each new kernel for its widgets; one without ipywidgets says that it knows no such comm.
LISTEN = """() => {
  window.complaints = [];
  window.jupyterapp.shell.currentWidget.sessionContext.iopubMessage.connect((_, message) => {
    const {name, text} = message.content;
    if (message.header.msg_type === 'error' || (name === 'stderr' && !text.startsWith('No such comm')))
      window.complaints.push(message.content);
  });
}"""
RUN_ALL = """seconds => Promise.race([
  window.jupyterapp.commands.execute('notebook:run-all-cells').then(() => true),
  new Promise(done => setTimeout(() => done(false), 1000 * seconds)),
])"""
# From the notebook's own model: cells that are scrolled away are in it, too
CELLS = """() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells
  .map(cell => ({count: cell.execution_count, source: cell.source, outputs: cell.outputs || []}))"""
WIDGET = re.compile(r"^widgets(_\w+)?\.\w+\(", re.MULTILINE)


def command() -> list[str]:
    """What `make lab ARGS=--no-browser` runs in the end, with the Python that runs the tests."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    make = ["make", "-n", "lab", "ARGS=--no-browser"]
    said = subprocess.run(make, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    python, *rest = shlex.split(said.splitlines()[-1])
    assert python == ".venv/bin/python"
    return [sys.executable, *rest]


@contextmanager
def opened(home: Path):
    """A JupyterLab in a new workspace, and a browser."""
    workspace = home / "my work, 练习"
    workspace.mkdir()
    for path in CHAPTERS:
        nb = nbformat.read(path, as_version=4)
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(nb, workspace / f"solved-{path.stem}.ipynb")
    (home / "CONFIG").mkdir()
    (home / "CONFIG" / "jupyter_server_config.py").write_text("c.LabApp.expose_app_in_browser = True\n")
    run = [*command(), "--workspace", str(workspace)]
    with jupyter(run, home, token=r"\?token=(\w+)") as found, browser() as chromium:
        address = f"http://127.0.0.1:{found[1]}/lab"
        yield SimpleNamespace(chromium=chromium, address=address, token=found[2], workspace=workspace)


@contextmanager
def notebook(lab, name: str):
    """A page with a notebook of the workspace, its kernel ready."""
    page = lab.chromium.new_context(viewport={"width": 1280, "height": 1000}).new_page()
    page.set_default_timeout(60_000)
    go(page, lab, name)
    try:
        yield page
    finally:
        page.evaluate("window.jupyterapp.commands.execute('kernelmenu:shutdown').then(() => null)")
        page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel")
        page.goto("about:blank")  # it says goodbye: the server would complain of a connection that just broke
        page.context.close()


def go(page, lab, name: str):
    page.goto(f"{lab.address}/tree/{name}.ipynb?reset&token={lab.token}")
    page.wait_for_function(IDLE, timeout=120_000)
    page.evaluate(LISTEN)


def chapter_works(lab, name: str):
    """A chapter runs to its end, each exercise's card is green, and each control of each widget acts."""
    with notebook(lab, f"solved-{name}") as page:
        assert page.evaluate(RUN_ALL, 400), "did not end"
        shown, complaints = page.evaluate(CELLS), page.evaluate("window.complaints")
        assert not complaints, complaints
        cells = nbformat.read(lab.workspace / f"solved-{name}.ipynb", as_version=4).cells
        code = [i for i, cell in enumerate(cells) if cell.cell_type == "code" and cell.source.strip()]
        left_out = [i for i in code if shown[i]["count"] is None]
        assert not left_out, left_out
        checks = [i for i in code if cells[i].metadata.get("nbgrader", {}).get("grade")]
        not_green = [i for i in checks if "<strong>Correct</strong>" not in str(shown[i]["outputs"])]
        assert checks and not not_green, not_green

        widgets = [i for i in code if WIDGET.search(cells[i].source)]
        assert widgets == [i for i in code if "widget-view+json" in str(shown[i]["outputs"])]
        assert widgets or name.startswith("00")
        faults = [fault for i in widgets for fault in widgets_moved.faults(page, i)]
        assert not faults, faults
        complaints = page.evaluate("window.complaints")
        assert not complaints, complaints
