"""JupyterLab as a learner meets it: cards, hints, progress, and the tests' own eye for a dead control."""

import re
from importlib.util import find_spec

import nbformat
import pytest
from helpers import labs, widgets_moved
from helpers.browser import needs_chromium

pytestmark = needs_chromium
DEAD = """import ipywidgets
from fmkit.lab import widgets
box = widgets.explore(lambda ax, live: ax.axhline(live) and None, live=(0.5, 0.0, 1.0, 0.1))
box.children += (ipywidgets.IntSlider(description="dead"), ipywidgets.Button(description="deaf"))
box"""
BROKEN = """import ipywidgets
def broken(_):
    raise ValueError("in a callback")
button = ipywidgets.Button(description="press")
button.on_click(broken)
button"""
NOTEBOOK = "window.jupyterapp.shell.currentWidget.content"
RED, GREEN = "rgb(196, 62, 47)", "rgb(26, 127, 75)"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with labs.opened(tmp_path_factory.mktemp("lab")) as found:
        yield found


def run_cell(page, source: str) -> int:
    """Put a new cell below the last one and run it; its number."""
    return page.evaluate(
        """async source => {
          const panel = window.jupyterapp.shell.currentWidget;
          const model = panel.content.model.sharedModel;
          model.addCell({cell_type: 'code', source});
          const last = panel.content.activeCellIndex = model.cells.length - 1;
          await window.jupyterapp.commands.execute('notebook:run-cell');
          return last;
        }""",
        source,
    )


def last_card(page, word: str):
    card = page.locator('.jp-OutputArea [role="status"]').filter(has_text=word).last
    card.wait_for()
    card.scroll_into_view_if_needed()
    return card


def edge(card) -> str:
    return card.evaluate("card => getComputedStyle(card).borderLeftColor")


def terminal(lab) -> list[str]:
    return (lab.workspace.parent / "log.txt").read_text("utf-8").splitlines()


def said_beside_the_address(lab) -> list[str]:
    """The lines in the terminal that nobody expects."""
    about = re.compile(
        r"Your chapters are in .*|\[C [^]]* ServerApp\] *|"
        r" +(To access the server|Or copy and paste|file://|http://).*|\s*"
    )
    return [line for line in terminal(lab) if not about.fullmatch(line)]


def test_checks_hints_and_progress(lab):
    with labs.notebook(lab, "00-start-here") as page:
        run_cell(page, "from fmkit.lab import check, exercises, hint, progress\nprogress()")
        assert page.locator("text=official Jupyter news").count() == 0, "nobody asked for it"
        assert re.search(r"00\s+0 of 1", last_card(page, "Your progress").inner_text())
        run_cell(page, "def ink(x):\n    return x.mean(axis=0)\ncheck('start.ink', ink)")
        card = last_card(page, "Not right yet")
        assert edge(card) == RED
        assert "Looks like: the average picture" in card.inner_text()
        for number in (1, 2):
            run_cell(page, "hint('start.ink')")
            last_card(page, f"Hint {number} of 2")
            assert (
                page.locator('[role="status"]').filter(has_text=re.compile(r"Hint \d of")).count() == number
            )
        run_cell(page, "check('start.ink', exercises.get('start.ink').reference)")
        assert edge(last_card(page, "Correct")) == GREEN
        run_cell(page, "progress()")
        assert re.search(r"00\s+1 of 1", last_card(page, "Your progress").inner_text())


@pytest.mark.slow
def test_run_all_goes_to_the_end_of_a_fresh_chapter(lab):
    """Every check says that its exercise is not done yet, and stops nothing; hidden sources are folded."""
    with labs.notebook(lab, "00-start-here") as page:
        cells = nbformat.read(lab.workspace / "00-start-here.ipynb", as_version=4).cells
        code = [i for i, cell in enumerate(cells) if cell.cell_type == "code" and cell.source.strip()]
        checks = [i for i in code if cells[i].metadata.get("nbgrader", {}).get("grade")]
        page.evaluate(labs.RUN_ALL, 120)  # its promise does not wait behind the first exception
        page.wait_for_function(f"at => ({labs.CELLS})()[at].count !== null", arg=code[-1], timeout=120_000)
        shown = page.evaluate(labs.CELLS)
        assert [i for i in code if shown[i]["count"] is None] == []
        assert checks and all("Not done yet" in str(shown[i]["outputs"]) for i in checks)
        hidden = [cell for cell in cells if "hide-input" in cell.metadata.get("tags", ())]
        assert hidden and all(cell.metadata.jupyter.source_hidden for cell in hidden)


@pytest.mark.slow
def test_the_page_can_be_closed_and_opened_again(lab):
    """The kernel has lived on, and knows what it knew; the answers are in the file."""
    with labs.notebook(lab, "00-start-here") as page:
        run_cell(page, "kept = 6 * 7")
        page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save').then(() => null)")
        page.goto("about:blank")
        labs.go(page, lab, "00-start-here")
        run_cell(page, "print(f'still {kept}')")
        page.locator(".jp-OutputArea-output", has_text="still 42").wait_for()


def test_a_tab_is_closed_while_its_cell_prints(lab):
    """The terminal stays quiet."""
    prints = "import time\nend = time.time() + 2\nwhile time.time() < end:\n    print('.' * 999, flush=True)"
    for _ in range(3):
        page = lab.chromium.new_context().new_page()
        labs.go(page, lab, "00-start-here")
        page.evaluate(
            """source => {
              const content = window.jupyterapp.shell.currentWidget.content;
              content.model.sharedModel.addCell({cell_type: 'code', source});
              content.activeCellIndex = content.model.sharedModel.cells.length - 1;
              window.jupyterapp.commands.execute('notebook:run-cell');
            }""",
            prints,
        )
        page.wait_for_timeout(500)
        page.context.close()
    with labs.notebook(lab, "00-start-here") as page:  # by then the server has met the end of all three
        run_cell(page, "print('still here')")
        page.locator(".jp-OutputArea-output", has_text="still here").wait_for()
    assert said_beside_the_address(lab) == []


@pytest.mark.slow
@pytest.mark.skipif(find_spec("jupyterlab_slideshow") is None, reason="jupyterlab-slideshow is not installed")
def test_lecture_mode_shows_slides_whose_cells_run(lab):
    """Space goes on, past what the metadata skips; Ctrl+Enter runs; Escape leads back."""
    with labs.notebook(lab, "solved-00-start-here") as page:
        page.locator('[data-jp-item-name="deck"] jp-button').click()
        page.wait_for_selector(".jp-deck-mod-visible")
        seen = [0]
        while page.evaluate(f"() => {NOTEBOOK}.activeCell.model.type") != "code":
            page.keyboard.press("Space")
            page.wait_for_function(f"before => {NOTEBOOK}.activeCellIndex !== before", arg=seen[-1])
            seen.append(page.evaluate(f"() => {NOTEBOOK}.activeCellIndex"))
        cells = nbformat.read(lab.workspace / "solved-00-start-here.ipynb", as_version=4).cells
        kinds = [cell.metadata.get("slideshow", {}).get("slide_type") for cell in cells]
        stops = [i for i, kind in enumerate(kinds) if kind in ("slide", "subslide", "fragment")]
        assert seen == stops[: len(seen)]
        page.keyboard.press("Control+Enter")
        page.wait_for_function(f"() => {NOTEBOOK}.activeCell.model.executionCount === 1")
        page.keyboard.press("Escape")
        page.wait_for_function("() => !document.querySelector('.jp-deck-mod-visible')")


@pytest.mark.skipif(find_spec("nbgrader") is None, reason="the extra course is not installed")
def test_learners_see_nothing_of_nbgrader(lab):
    """Its menus are an instructor's (test_browser.py of the course), and its warnings are nobody's."""
    with labs.notebook(lab, "00-start-here") as page:
        assert page.evaluate("window.jupyterapp.listPlugins().filter(id => /nbgrader/i.test(id))") == []
        assert (
            page.evaluate("window.jupyterapp.commands.listCommands().filter(id => /nbgrader/i.test(id))")
            == []
        )
        assert "File" in page.locator(".lm-MenuBar").inner_text()
        for words in ("Nbgrader", "Create Assignment", "Validate", "Formgrader", "Assignment List"):
            assert page.get_by_text(words, exact=True).count() == 0, words


def test_the_terminal_shows_the_address_and_nothing_else(lab):
    assert said_beside_the_address(lab) == []
    assert any("http://" in line for line in terminal(lab))


@pytest.mark.slow  # of the eye with which test_chapters_in_the_browser.py looks
def test_a_control_that_does_nothing_is_found(lab):
    with labs.notebook(lab, "00-start-here") as page:
        cell = run_cell(page, DEAD)
        slider, button = widgets_moved.faults(page, cell)
        assert "dead" in slider and "deaf" in button


@pytest.mark.slow
def test_an_error_in_a_widget_is_heard(lab):
    """No cell shows it: JupyterLab puts it into its log console."""
    with labs.notebook(lab, "00-start-here") as page:
        run_cell(page, BROKEN)
        page.locator(".widget-button", has_text="press").click()
        page.wait_for_function("() => window.complaints.some(said => said.evalue === 'in a callback')")
