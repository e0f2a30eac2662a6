"""Chapter 10's pictures and its search, without a browser."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest

from fmkit.data.graphs import karate_club
from fmkit.lab.plots import seeing as plots_seeing
from fmkit.lab.widgets import seeing as widgets_seeing
from fmkit.lab.workbench import emoji_clip

rng = np.random.default_rng(0)


# --- a grid of pictures -------------------------------------------------------------------------------------


def test_pictures_stand_in_a_grid_with_their_titles():
    first = plots_seeing.pictures(
        rng.random((5, 4, 4)), list("abcde"), title="T", columns=3, rows=["one", "two"]
    )
    axes = first.figure.axes
    assert len(axes) == 6 and first.figure.get_suptitle() == "T"
    assert [ax.get_title() for ax in axes] == ["a", "b", "c", "d", "e", ""]
    assert [len(ax.images) for ax in axes] == [1, 1, 1, 1, 1, 0]
    assert [t.get_text() for ax in axes for t in ax.texts] == ["one", "two"]


def test_ink_is_black_on_every_picture_alike():
    pale = plots_seeing.pictures([np.full((4, 4, 1), 0.2)], title="T").images[0]
    assert pale.get_clim() == (0.0, 1.0) and pale.cmap.name == "gray_r"


def test_colours_are_drawn_as_they_are():
    bytes_, floats = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 1.7)
    drawn = plots_seeing.pictures([bytes_, floats], title="T").figure.axes
    assert drawn[0].images[0].get_array().dtype == np.uint8
    assert drawn[1].images[0].get_array().max() == 1.0


# --- maps, lines, a graph -----------------------------------------------------------------------------------


def test_a_map_has_a_sign_for_each_digit_and_leaves_outliers_outside():
    points, labels = rng.normal(size=(300, 2)), np.arange(300) % 10
    points[0] = 1e6
    ax = plots_seeing.maps({"a": points, "b": points}, labels, title="T")
    assert len(ax.figure.axes) == 2 and len(ax.collections) == 10
    assert ax.get_xlim()[1] < 10
    drawn = np.concatenate([c.get_offsets() for c in ax.collections])
    assert 280 <= len(drawn) < 300, "the outermost hundredth on each side is left out"
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert ((drawn > (left, bottom)) & (drawn < (right, top))).all(), "no digit is cut at the frame"


def test_by_labels_draws_the_mean_and_the_range():
    rows = [(0.1, 0.2, 0.4), (0.5, 0.6, 0.9)]
    ax = plots_seeing.by_labels([20, 100], {"a": rows, "b": rows}, title="T")
    line = ax.containers[0][0]
    assert np.allclose(line.get_ydata(), [0.2, 0.6])
    segments = ax.containers[0][2][0].get_segments()
    assert np.allclose([s[:, 1] for s in segments], [(0.1, 0.4), (0.5, 0.9)])
    assert [t.get_text() for t in ax.get_xticklabels()] == ["20", "100"]


def test_the_layout_keeps_friends_near_and_all_apart():
    edges, club = karate_club()
    at = plots_seeing.layout(edges, 34)
    far = np.linalg.norm(at[:, None] - at, axis=-1)
    friends = far[edges[:, 0], edges[:, 1]]
    assert friends.mean() < 0.75 * far[np.triu_indices(34, 1)].mean()
    assert far[np.triu_indices(34, 1)].min() > 0.02
    assert np.array_equal(at, plots_seeing.layout(edges, 34))


def test_graph_draws_what_is_looked_at_thick():
    edges, club = karate_club()
    weights = np.zeros(34)
    weights[[2, 33]] = 0.75, 0.25
    ax = plots_seeing.graph(edges, club, weights, asked=8, title="T")
    thick = sorted(line.get_linewidth() for line in ax.lines if line.get_linewidth() > 1)
    assert np.allclose(thick, [0.5 + 9 * 0.25, 0.5 + 9 * 0.75])
    assert [t.get_text() for t in ax.texts] == ["?"]
    assert len(plots_seeing.graph(edges, club, title="T").lines) == len(edges)


# --- the search ---------------------------------------------------------------------------------------------


@pytest.fixture
def small():
    """Three pictures whose encoders are untrained."""
    names, chinese = ["red heart", "blue heart", "cat <face>"], ["红心", "蓝心", "猫脸"]
    words = {w: i for i, w in enumerate(sorted({w for n in names + chinese for w in emoji_clip.words_of(n)}))}
    pictures = rng.uniform(-1, 1, (3, 32, 32, 3)).astype(np.float32)
    ids = np.stack([emoji_clip.numbers(n, words) for n in (names, chinese)])
    emoji = emoji_clip.Emoji(pictures, names, chinese, words, ids, np.arange(3), np.arange(0))
    return emoji_clip.init(0, len(words)), emoji


def test_the_search_shows_the_nearest_first_and_says_what_it_knew(small):
    params, emoji = small
    show = widgets_seeing.answering(params, emoji, count=2)
    text = show("red 心 dragon")
    assert "words it has seen: red, 心" in text and "never seen: dragon" in text
    cosines = [float(v) for v in re.findall(r"<br>(-?\d\.\d\d)</td>", text)]
    assert len(cosines) == 2 and cosines == sorted(cosines, reverse=True)
    assert text.count("data:image/png;base64,") == 2
    assert "words it has seen: none" in show("")


def test_what_is_typed_and_named_is_escaped(small):
    text = widgets_seeing.answering(*small)("<b>cat</b>")
    assert "cat &lt;face&gt;" in text and "<b>" not in text


def test_the_search_answers_as_one_types(small):
    field, shown = widgets_seeing.search(*small, text="red heart").children
    before = shown.value
    field.value = "猫"
    assert shown.value != before and "words it has seen: 猫" in shown.value
    assert plt.get_fignums() == []
