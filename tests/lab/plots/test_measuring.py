"""Chapter 11's pictures and its game, without a browser."""

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest

from fmkit.lab import plots
from fmkit.lab.plots import measuring as plots_measuring
from fmkit.lab.widgets import measuring as widgets_measuring

# --- pictures -----------------------------------------------------------------------------------------------


def test_against_draws_a_dot_for_each_and_names_those_asked_for():
    points = {"a": (1.0, 0.5), "b": (2.0, -0.5), "c": (3.0, 0.0)}
    given = plt.subplots()[1]
    ax = plots_measuring.against(
        points, ("a", "c"), title="T", xlabel="X", ylabel="Y", marked=("c",), ax=given
    )
    assert ax is given and (ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel()) == ("T", "X", "Y")
    assert [(*line.get_xdata(), *line.get_ydata()) for line in ax.lines] == list(points.values())
    assert [text.get_text() for text in ax.texts] == ["a", "c"]
    assert [line.get_marker() for line in ax.lines] == ["o", "o", "s"]  # more than another colour
    assert ax.get_xlim()[1] > 3.3, "no room for the names"


def test_a_name_stands_left_where_a_dot_is_close_on_the_right():
    points = {"a": (0.0, 0.0), "b": (1.0, 0.01), "c": (10.0, 1.0)}
    ax = plots_measuring.against(points, tuple(points), title="T", xlabel="X", ylabel="Y")
    assert [text.get_ha() for text in ax.texts] == ["right", "left", "left"]


def test_ranges_stand_one_below_the_other_with_their_ends():
    rows = {"first": (2.0, 1.0, 4.0), "second": (0.0, -1.0, 0.5)}
    ax = plots_measuring.ranges(rows, title="T", xlabel="X", zero=0)
    line, _, (bars,) = ax.containers[0]
    assert list(line.get_xdata()) == [2.0, 0.0]
    assert [sorted(segment[:, 0]) for segment in bars.get_segments()] == [[1.0, 4.0], [-1.0, 0.5]]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["first", "second"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "the first stands on top"
    assert len(ax.lines) == 4 and len(plots_measuring.ranges(rows, title="T", xlabel="X").lines) == 3


def test_scoreboard_has_a_group_of_bars_for_each_text():
    scores = {"one": {"A": 0.2, "B": 0.5}, "two": {"A": 1.0, "B": 0.0}}
    ax = plots_measuring.scoreboard(scores, title="T")
    first, second = ax.containers[:2]
    assert [bar.get_width() for bar in first] == [0.2, 1.0]
    assert [bar.get_width() for bar in second] == [0.5, 0.0]
    assert first[0].get_hatch() != second[0].get_hatch()
    assert {text.get_text() for text in ax.texts} == {"0.20", "0.50", "1.00", "0.00"}
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["A", "B"]
    assert plots_measuring.scoreboard({"one": {"A": 0.3}}, title="T").get_legend() is None
    assert plots.COLOURS[0] == plots.BLUE


# --- the game -----------------------------------------------------------------------------------------------


def walk(box):
    yield box
    for child in getattr(box, "children", ()):
        yield from walk(child)


@pytest.fixture
def game():
    asked = []

    def score(text):
        asked.append(text)
        return {"words": min(1.0, len(text.split()) / 10), "letters": min(1.0, len(text) / 100)}

    box = widgets_measuring.goodhart(
        score, {"x": "a b c d", "y": "e f"}, common=("a", "the", "of", "and", "to")
    )
    return box, asked


def part(box, kind):
    return next(w for w in walk(box) if isinstance(w, kind))


def press(box, trick):
    next(w for w in walk(box) if isinstance(w, ipywidgets.Button) and w.description == trick).click()


def test_the_game_begins_with_the_first_text(game):
    box, asked = game
    assert part(box, ipywidgets.Textarea).value == "a b c d" and asked == ["a b c d"]
    assert bytes(part(box, ipywidgets.Image).value).startswith(b"\x89PNG")


def test_typing_and_choosing_draw_anew(game):
    box, asked = game
    before = bytes(part(box, ipywidgets.Image).value)
    part(box, ipywidgets.Dropdown).value = "y"
    assert asked[-1] == "e f" and bytes(part(box, ipywidgets.Image).value) != before
    part(box, ipywidgets.Textarea).value = "my own words"
    assert asked[-1] == "my own words"


@pytest.mark.parametrize(
    ("trick", "wanted"),
    [("cut in half", "a b"), ("say it twice", "a b c d a b c d"), ("add common words", "a b c d the of and")],
)
def test_a_trick_changes_the_text(game, trick, wanted):
    box, asked = game
    press(box, trick)
    assert part(box, ipywidgets.Textarea).value == wanted == asked[-1]


def test_a_shuffle_keeps_the_words(game):
    box, _ = game
    press(box, "shuffle")
    shuffled = part(box, ipywidgets.Textarea).value
    assert shuffled != "a b c d" and sorted(shuffled.split()) == ["a", "b", "c", "d"]


def test_tricks_do_no_harm_to_an_empty_text(game):
    box, asked = game
    part(box, ipywidgets.Textarea).value = ""
    for trick in widgets_measuring.TRICKS:
        press(box, trick)
    assert set(asked[-1].split()) <= {"a", "the", "of", "and", "to"}


def test_the_game_leaves_no_figure_behind():
    before = plt.get_fignums()
    widgets_measuring.goodhart(lambda text: {"A": np.float64(0.5)}, {"x": "a"})
    assert plt.get_fignums() == before
