"""Every fifth chapter in JupyterLab, from the fourth on: five files, for two workers to share evenly."""

import labs
import pytest
from browser import needs_chromium

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with labs.opened(tmp_path_factory.mktemp("lab")) as found:
        yield found


@pytest.mark.parametrize("name", [path.stem for path in labs.CHAPTERS[3::5]])
def test_a_chapter_runs_to_its_end_and_its_widgets_react(lab, name):
    labs.chapter_works(lab, name)
