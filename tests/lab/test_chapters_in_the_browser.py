"""Every chapter in JupyterLab, from its first cell to its last, and every control of its widgets."""

import pytest
from helpers import labs
from helpers.browser import needs_chromium

pytestmark = [needs_chromium, pytest.mark.slow]  # every chapter is executed by nbval in `make test`, too


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with labs.opened(tmp_path_factory.mktemp("lab")) as found:
        yield found


@pytest.mark.parametrize("name", [path.stem for path in labs.CHAPTERS])
def test_a_chapter_runs_to_its_end_and_its_widgets_react(lab, name):
    labs.chapter_works(lab, name)
