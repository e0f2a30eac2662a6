"""formgrader in JupyterLab on a course with our grades, and feedback pages, in a browser."""

import os
import re
import sys
from pathlib import Path

import pytest
from helpers import courses
from helpers.browser import browser, jupyter, needs_chromium
from helpers.courses import CHAPTER, LINEAR, NEURON, WHY
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from fmkit.course import gradebook
from fmkit.course.feedback import write_feedback

pytestmark = [needs_chromium, pytest.mark.slow]
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
    options = ["--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root", "--LabApp.news_url=None"]
    options += ["--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True"]
    command = [sys.executable, "-m", "jupyterlab", *options]
    with jupyter(command, home, cwd=course.root) as found:
        yield f"http://127.0.0.1:{found[1]}"


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
    row = page.locator("tbody tr", has=page.locator(f".name-shown:has-text('{name}')"))
    row.locator("a").first.evaluate("a => a.click()")
    page.wait_for_selector(".nbgrader_cell, .nbgrader-label")
    page.wait_for_load_state("networkidle")


def type_into(page, selector, text):
    """Type, leave the field, and wait until formgrader has saved it."""
    with page.expect_response(lambda response: response.request.method == "PUT"):
        page.locator(selector).fill(text)
        page.locator(selector).blur()


def test_formgrader_shows_our_grades_and_keeps_what_is_entered(page, lab, course, patch):
    page.goto(f"{lab}/formgrader/manage_submissions/{CHAPTER}")
    page.wait_for_selector("text=Muñoz Ñandú, José")
    scores = {row.split("\t")[1]: row.split("\t")[4] for row in page.locator("tbody tr").all_inner_texts()}
    assert scores == {"ada": "3 / 9", "emmy": "5 / 9", "jose": "3 / 9"}
    shot(page, "formgrader-submissions")

    open_submission(page, lab, "Lovelace, Ada")
    card = page.locator('[role="status"]').first.inner_text()
    assert "Not right yet" in card and "forgot the 1/N of the mean" in card and "<script>" in card
    assert "one scalar needs one pass. <script>" in page.locator("pre", has_text="one scalar").inner_text()
    assert page.locator("text=a link").locator("xpath=self::a").count() == 0
    no_harm(page)
    type_into(page, f"#{WHY}", "3.5")
    type_into(page, f"#{WHY}-comment", "Nearly: & why?")
    type_into(page, f"#{NEURON}-comment", "Count the rows.")
    shot(page, "formgrader-submission")

    by_hand = gradebook.grades(course, CHAPTER)["ada"]
    assert by_hand["score"] == 6.5 and by_hand["comments"] == {
        WHY: "Nearly: & why?",
        NEURON: "Count the rows.",
    }
    again = results(course)
    again[0]["exercises"][f"{LINEAR}-check"] |= {"status": "wrong", "points": 0.0}
    courses.enter(course, again, patch)
    open_submission(page, lab, "Lovelace, Ada")
    assert page.locator(f"#{WHY}").input_value() == "3.5"
    assert page.locator(f"#{WHY}-comment").input_value() == "Nearly: & why?"
    assert page.locator(f"#{LINEAR}-check").get_attribute("placeholder") == "0", "the new verdict is there"
    assert "needs_manual_grade" not in page.locator(f"#{WHY}").get_attribute("class")
    no_harm(page)


def test_jupyterlab_opens_formgrader(page, lab):
    page.goto(f"{lab}/lab?reset")
    page.wait_for_function(
        "() => window.jupyterapp && window.jupyterapp.commands.hasCommand('nbgrader:open-formgrader')"
    )
    page.locator(".lm-MenuBar-itemLabel", has_text="Nbgrader").wait_for()  # learners have no such menu
    page.evaluate("() => { window.jupyterapp.commands.execute('nbgrader:open-formgrader'); }")
    shown = page.frame_locator("iframe").get_by_role("link", name=CHAPTER).first
    shown.wait_for()
    assert shown.is_visible()
    no_harm(page)


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_feedback_page_is_harmless_accessible_and_fits_a_phone(chromium, course, width, theme):
    from axe_playwright_python.sync_playwright import Axe

    write_feedback(course, CHAPTER)
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
    page, harm = context.new_page(), []
    page.on("dialog", lambda dialog: (harm.append(dialog.message), dialog.dismiss()))
    page.goto(course.notebook("feedback", CHAPTER, "ada").with_suffix(".html").as_uri())
    page.locator("summary").first.click()
    shot(page, f"feedback-{width}-{theme}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.wait_for_timeout(300)
    assert harm == [] and page.evaluate("window.hacked") is None
    found = Axe().run(page).response
    context.close()
    assert [violation["id"] for violation in found["violations"]] == [] and found["passes"]


def shot(page, name):
    """SHOTS=DIR keeps pictures, for the documentation."""
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=Path(folder, f"{name}.png"), full_page=True)
