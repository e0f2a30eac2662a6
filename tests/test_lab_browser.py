"""JupyterLab as a learner meets it: opened by `fmkit lab`, clicked in a browser."""

import re
import sys
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest
from browser import browser, jupyter, needs_chromium

pytestmark = needs_chromium
NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("[0-9][0-9]-*.ipynb"))
RUN_ALL = "() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }"
IDLE = """() => {
  const bar = document.querySelector('#jp-main-statusbar');
  return bar && bar.innerText.includes('| Idle') && document.querySelector('.jp-Notebook .jp-CodeCell');
}"""
# The notebook's own model: cells that are scrolled away are in it, too
CELLS = """() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.cells
  .filter(cell => cell.cell_type === 'code' && cell.source.trim())
  .map(cell => ({count: cell.execution_count, state: cell.executionState,
                 outputs: cell.outputs.map(o => o.toJSON ? o.toJSON() : o)}))"""
DONE = f"() => (({CELLS})()).every(cell => cell.count !== null && cell.state !== 'running')"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab's address and the workspace, in which chapters with their solutions lie too."""
    home = tmp_path_factory.mktemp("lab")
    workspace = home / "workspace"
    workspace.mkdir()
    for path in NOTEBOOKS:
        nb = nbformat.read(path, as_version=4)
        for cell in nb.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(nb, workspace / f"solved-{path.stem}.ipynb")
    command = [sys.executable, "-m", "fmkit", "lab", "--no-browser", "--workspace", str(workspace)]
    (home / "CONFIG").mkdir()
    (home / "CONFIG" / "jupyter_server_config.py").write_text("c.LabApp.expose_app_in_browser = True\n")
    with jupyter(command, home, token=r"\?token=(\w+)") as found:
        yield (f"http://127.0.0.1:{found[1]}/lab", found[2]), workspace


@pytest.fixture(scope="module")
def chromium():
    with browser() as found:
        yield found


@contextmanager
def notebook(chromium, lab, name: str):
    (address, token), _ = lab
    page = chromium.new_context(viewport={"width": 1280, "height": 1000}).new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{address}/tree/{name}.ipynb?reset&token={token}")
    page.wait_for_function(IDLE, timeout=120_000)
    try:
        yield page
    finally:
        page.evaluate("window.jupyterapp.commands.execute('kernelmenu:shutdown')")
        page.context.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", [path.stem for path in NOTEBOOKS])
def test_a_chapter_runs_to_its_end(chromium, lab, name):
    with notebook(chromium, lab, f"solved-{name}") as page:
        page.evaluate(RUN_ALL)
        page.wait_for_function(DONE, timeout=400_000)
        assert complaints(page) == []
        cells = nbformat.read(lab[1] / f"solved-{name}.ipynb", as_version=4).cells
        checks = [c for c in cells if c.metadata.get("nbgrader", {}).get("grade") and c.cell_type == "code"]
        assert str(page.evaluate(CELLS)).count("<strong>Correct</strong>") >= len(checks)
        move_every_slider(page)


def complaints(page) -> list:
    """Errors, and what was printed to stderr."""
    outputs = [output for cell in page.evaluate(CELLS) for output in cell["outputs"]]
    return [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"]


def move_every_slider(page):
    """Each slider answers to a key: its number changes, and nothing goes wrong."""
    sliders = page.locator(".widget-slider")
    for i in range(sliders.count()):
        slider = sliders.nth(i)
        slider.scroll_into_view_if_needed()
        handle, readout = slider.locator(".noUi-handle").first, slider.locator(".widget-readout").first
        before = readout.inner_text()
        handle.focus()
        handle.press("ArrowRight")
        if readout.inner_text() == before:  # it stood at its end
            handle.press("ArrowLeft")
        assert readout.inner_text() != before
    page.wait_for_timeout(1500)
    assert complaints(page) == []


def write_cell(page, text: str):
    """Put a new cell below the last one and run it."""
    source = repr(text)
    page.evaluate(
        f"""() => {{
          const panel = window.jupyterapp.shell.currentWidget;
          const model = panel.content.model.sharedModel;
          model.addCell({{cell_type: 'code', source: {source}}});
          panel.content.activeCellIndex = model.cells.length - 1;
        }}"""
    )
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-cell'); }")


def wait_for_card(page, word: str) -> str:
    card = page.locator('.jp-OutputArea [role="status"]').filter(has_text=word).last
    card.wait_for()
    card.scroll_into_view_if_needed()
    return card.inner_text()


def test_checks_hints_and_progress(chromium, lab):
    with notebook(chromium, lab, "00-start-here") as page:
        write_cell(page, "from fmkit.lab import check, hint, progress")
        write_cell(page, "def ink(x):\n    return x.mean(axis=0)\ncheck('start.ink', ink)")
        card = wait_for_card(page, "Not right yet")
        assert "Looks like: " in card and "Hint: " in card
        write_cell(page, "hint('start.ink')")
        assert "Hint 1 of" in wait_for_card(page, "Hint 1 of")
        assert page.locator('[role="status"]').filter(has_text="Hint 2 of").count() == 0
        write_cell(page, "hint('start.ink')")
        wait_for_card(page, "Hint 2 of")
        write_cell(
            page, "from fmkit.lab import exercises\ncheck('start.ink', exercises.get('start.ink').reference)"
        )
        wait_for_card(page, "Correct")
        write_cell(page, "progress()")
        assert re.search(r"00\s+1 of 1", wait_for_card(page, "Your progress"))


def test_a_fresh_chapter_stops_at_the_first_unanswered_exercise(chromium, lab):
    with notebook(chromium, lab, "02-activations") as page:
        page.evaluate(RUN_ALL)
        page.locator('[role="status"]').filter(has_text="Not done yet").first.wait_for(timeout=120_000)
        assert page.locator('[role="status"]').filter(has_text="Correct").count() == 0
