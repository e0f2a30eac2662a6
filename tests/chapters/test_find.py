"""A chapter by its number, name or file, in one way everywhere."""

import pytest

from fmkit.chapters import find
from fmkit.errors import ChapterError

NAMES = ["00-start-here", "04-backprop", "04b-more", "10-vision", "hw1.5"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("4", "04-backprop"),
        ("04", "04-backprop"),
        ("10", "10-vision"),
        ("04-backprop", "04-backprop"),
        ("04-backprop.ipynb", "04-backprop"),
        ("notebooks/04-backprop.ipynb", "04-backprop"),
        ("source/04-backprop/", "04-backprop"),
        ("04b", "04b-more"),
        ("hw1.5", "hw1.5"),
    ],
)
def test_number_name_and_file(wanted, found):
    assert find.which_chapter(wanted, NAMES) == found


@pytest.mark.parametrize("wanted", ["", "7", "backprop", "4.5", "hw1", ".ipynb"])
def test_what_there_is_not(wanted):
    with pytest.raises(ChapterError, match="there is no chapter .*; there are 00-start-here, 04-backprop"):
        find.which_chapter(wanted, NAMES)


def test_the_courses_own():
    assert find.find_chapter("4") in find.chapters()
    assert find.find_chapter("4").name == "04-backprop.ipynb"


def test_a_package_without_its_notebooks(monkeypatch, tmp_path):
    monkeypatch.setattr(find, "PACKAGE", tmp_path / "fmkit")
    with pytest.raises(ChapterError, match="install it again"):
        find.chapters()
