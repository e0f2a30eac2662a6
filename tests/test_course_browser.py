"""formgrader in JupyterLab on a course with our grades, and feedback pages, in a browser."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import courses
import nbformat
import pytest
from browser import browser, needs_chromium
from courses import CHAPTER, LINEAR, NEURON, WHY
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from fmkit.course import gradebook
from fmkit.course.feedback import write_feedback

pytestmark = needs_chromium
ATTACK = "<script>window.hacked = 1; alert(1)</script><img src=x onerror='window.hacked = 1; alert(2)'>"
WRONG = {"status": "wrong", "misconception": "forgot the 1/N of the mean", "hint": "How many rows are there?"}


def attacking():
    """Ada's submission: HTML wherever one can be put."""
    why = (
        f"Backwards, one scalar needs one pass. {ATTACK}\n\n[a link](javascript:alert(3)) `x`\n```\n{ATTACK}"
    )
    nb = courses.wrong_neuron(why=why)
    courses.cell(nb, NEURON).source += f"\n# {ATTACK}"
    nb.cells.insert(0, new_markdown_cell(ATTACK))
    output = new_output("display_data", {"text/html": ATTACK, "application/javascript": "window.hacked = 1"})
    nb.cells.append(new_code_cell("1", outputs=[output]))
    courses.cell(nb, f"{NEURON}-check").outputs = [output]
    return nb


def results(course):
    neuron = WRONG | {
        "message": f"First difference at {ATTACK}",
        "rows": [["expected", "0.25"], ["got", ATTACK]],
    }
    neuron["notes"] = [ATTACK]
    ada = courses.result(course, "ada", neuron=neuron, reason=ATTACK)
    return [ada, courses.result(course, "emmy"), courses.result(course, "jose", {"status": "undone"})]


@pytest.fixture(scope="module")
def patch():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def course(tmp_path_factory, patch):
    course = courses.make(tmp_path_factory.mktemp("formgrader") / "course")
    courses.hand_in(course, "ada", attacking())
    courses.hand_in(course, "emmy", courses.solved())
    courses.hand_in(course, "jose", courses.untouched())
    courses.enter(course, results(course), patch)
    return course


@pytest.fixture(scope="module")
def lab(course, tmp_path_factory):
    """The address of a JupyterLab that was started in the course's folder."""
    home = tmp_path_factory.mktemp("jupyter")
    folders = {f"JUPYTER_{name}_DIR": str(home / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    folders |= {f"JUPYTERLAB_{name}_DIR": str(home / name) for name in ("SETTINGS", "WORKSPACES")}
    options = ["--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root", "--LabApp.news_url=None"]
    options += ["--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True"]
    log = home / "log.txt"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            cwd=course.root,
            env=os.environ | folders,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield _address(server, log)
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def _address(server, log) -> str:
    for _ in range(600):
        if found := re.search(r"http://127\.0\.0\.1:(\d+)/lab", log.read_text()):
            return f"http://127.0.0.1:{found[1]}"
        assert server.poll() is None, log.read_text()
        time.sleep(0.2)
    raise AssertionError(f"no address after two minutes: {log.read_text()}")


@pytest.fixture(scope="module")
def chromium():
    with browser() as found:
        yield found


@pytest.fixture
def page(chromium):
    """A page; whatever a student's HTML did stands in ``page.harm``."""
    page = chromium.new_context(viewport={"width": 1280, "height": 1000}).new_page()
    page.harm = []
    page.set_default_timeout(60_000)
    page.on("dialog", lambda dialog: (page.harm.append(dialog.message), dialog.dismiss()))
    page.route(re.compile(r"https?://(?!127\.0\.0\.1)"), lambda route: route.abort())  # MathJax from afar
    yield page
    page.context.close()


def no_harm(page):
    page.wait_for_timeout(500)
    assert page.harm == [] and page.evaluate("window.hacked") is None


def open_submission(page, lab, name):
    page.goto(f"{lab}/formgrader/gradebook/{CHAPTER}/{CHAPTER}")
    page.wait_for_selector("table tbody tr a")
    page.evaluate("document.querySelectorAll('.name-shown').forEach(e => e.style.display = 'inline')")
    row = page.locator("tbody tr", has=page.locator(f".name-shown:has-text('{name}')"))
    row.locator("a.name-shown, a").first.evaluate("a => a.click()")
    page.wait_for_selector(".nbgrader_cell")


def test_formgrader(page, lab, course, patch):
    page.goto(f"{lab}/formgrader/manage_submissions/{CHAPTER}")
    page.wait_for_selector("text=Lovelace")
    shots(page, "formgrader-submissions")
    open_submission(page, lab, "Lovelace")
    shots(page, "formgrader-submission")
    no_harm(page)


def shots(page, name):
    """For the documentation: SHOTS=DIR keeps pictures."""
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
        Path(f"{folder}/{name}.html").write_text(page.content())
