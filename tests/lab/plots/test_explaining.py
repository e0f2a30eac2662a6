"""Chapter 12's pictures and widgets, without a browser."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from fmkit.fairness import calibration_by_group
from fmkit.lab.plots import explaining as plots_explaining
from fmkit.lab.widgets import explaining as widgets_explaining

TOKENS = ["not", "<b>", "$good$"]


def test_shares_have_a_scale_for_each_row():
    rows = {"small": np.array([0.001, -0.002, 0.0]), "large": np.array([50.0, 100.0, 0.0])}
    ax = plots_explaining.shares(rows, TOKENS, title="T")
    drawn = ax.images[0].get_array()
    np.testing.assert_allclose(drawn, [[0.5, -1.0, 0.0], [0.5, 1.0, 0.0]])
    assert [t.get_text() for t in ax.get_xticklabels()] == TOKENS
    assert [t.get_text() for t in ax.get_yticklabels()] == ["small", "large"]
    assert [t.get_text() for t in ax.texts] == ["0.5", "-1.0", "0.0", "0.5", "1.0", "0.0"]


def test_a_row_of_zeros_is_drawn():
    ax = plots_explaining.shares({"none": np.zeros(3)}, TOKENS, title="T")
    assert not ax.images[0].get_array().any()


def test_curves_side_by_side_and_random_ones_without_a_name():
    curves = {"random 0": np.array([3.0, 2.0, 1.0]), "mine": np.array([3.0, 1.0, 1.0])}
    ax = plots_explaining.curve_pair(curves, {k: v[::-1] for k, v in curves.items()}, title="T")
    left, right = ax.figure.axes
    np.testing.assert_array_equal(left.lines[1].get_ydata(), [3.0, 1.0, 1.0])
    np.testing.assert_array_equal(right.lines[1].get_ydata(), [1.0, 1.0, 3.0])
    np.testing.assert_array_equal(left.lines[0].get_xdata(), [0.0, 0.5, 1.0])
    assert [t.get_text() for t in right.get_legend().get_texts()] == ["mine"]


def test_the_grey_box_is_as_large_as_chance():
    random = np.array([[0.3, 0.5], [0.4, 0.2]])  # (deletion, insertion)
    ax = plots_explaining.against_random({"a": (0.1, 0.9)}, random, title="T")
    box = ax.patches[0]
    assert (box.get_x(), box.get_y()) == (0.2, 0.3)
    assert (box.get_width(), box.get_height()) == pytest.approx((0.3, 0.1))
    (x,), (y,) = ax.lines[1].get_data()
    assert (x, y) == (0.9, 0.1)


def test_maps_over_a_photograph_each_on_its_own_scale():
    photo = np.zeros((8, 6, 3), np.uint8)
    maps = {"a": np.array([[1.0, -2.0]]), "b": np.array([[0.1, 0.0]])}
    ax = plots_explaining.photo_maps(photo, maps, title="T", columns=3)
    axes = ax.figure.axes
    assert [a.get_title() for a in axes] == ["the photograph", "a", "b"]
    assert [a.images[-1].get_clim() for a in axes[1:]] == [(-2.0, 2.0), (-0.1, 0.1)]
    assert axes[1].images[1].get_extent() == axes[1].images[0].get_extent()


def test_intervals_and_calibration_draw_their_bounds():
    ax = plots_explaining.intervals({"a": (0.5, 0.4, 0.7)}, title="T", xlabel="x")
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [0.4, 0.7])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a"]
    score, target = np.array([1, 1, 2, 2]), np.array([0, 1, 1, 1])
    found = calibration_by_group(score, target, np.array(["g"] * 4))
    ax = plots_explaining.calibration(found, title="T", xlabel="x", ylabel="y")
    np.testing.assert_array_equal(ax.containers[0][0].get_ydata(), [0.5, 1.0])
    (bars,) = ax.containers[0][2]
    np.testing.assert_allclose([s[:, 1] for s in bars.get_segments()], np.c_[found["g"].low, found["g"].high])


def test_a_thousand_people_are_four_blocks_of_the_right_areas():
    ax = plt.subplots()[1]
    plots_explaining.thousand(ax, prevalence=0.4, ppv=0.6, fnr=0.25, name="g")
    areas = [patch.get_width() * patch.get_height() for patch in ax.patches]
    np.testing.assert_allclose(areas, [0.3, 0.1, 0.2, 0.4])  # hits, missed, wrongly called, left alone
    assert "called, wrongly: 200" in ax.get_xlabel() and ax.get_title(loc="left") == "g"


@pytest.mark.parametrize("prevalence", [0.514, 0.394])
def test_a_thousand_people_are_a_thousand(prevalence):
    ax = plt.subplots()[1]
    plots_explaining.thousand(ax, prevalence, ppv=0.61, fnr=0.37)
    assert sum(int(line.split(": ")[1]) for line in ax.get_xlabel().split("\n")) == 1000


def test_eight_explanations_have_eight_colours():
    found = {f"e{i}": (0.1, 0.1 * i) for i in range(8)}
    ax = plots_explaining.against_random(found, np.array([[0.3, 0.5]]), title="T")
    assert len({line.get_color() for line in ax.lines[1:]}) == 8


# --- the widgets --------------------------------------------------------------------------------------------


def test_disagreement_reads_again_and_shows_each_explanation():
    asked = []

    def explain(text):
        asked.append(text)
        return -1.5, text.split(), {"a": np.array([1.0, -4.0]), "b<": np.array([0.0, 2.0])}

    box = widgets_explaining.disagreement(explain, "good <b>")
    field, shown = box.children
    assert asked == ["good <b>"] and "-1.50" in shown.value
    assert "&lt;b&gt;" in shown.value and "<b>" not in shown.value and "b&lt;" in shown.value
    assert "the verdict is negative" in shown.value and "2 different tokens come first" in shown.value
    assert "rgba(213, 94, 0, 0.19)" in shown.value and "rgba(0, 114, 178, 0.75)" in shown.value
    field.value = "so bad"
    assert asked == ["good <b>", "so bad"]
    field.value = "  "
    assert shown.value == "Type a sentence." and len(asked) == 2


def test_a_long_text_is_cut_and_said_to_be():
    n = widgets_explaining.MOST + 3
    shown = widgets_explaining.coloured(1.0, ["w"] * n, {"a": np.arange(n)})
    assert shown.count(">w</span>") == widgets_explaining.MOST and f"of {n} tokens" in shown


def test_impossible_follows_its_sliders():
    box = widgets_explaining.impossible({"A": 0.5, "C": 0.4}, 0.6, 0.3)
    p1, p2, ppv, fnr, text, picture = box.children
    assert (p1.description, p2.description) == ("p, A", "p, C")
    assert text.value == "A: p 0.50, FPR 0.47 · C: p 0.40, FPR 0.31"
    before = bytes(picture.value)
    assert before.startswith(b"\x89PNG")
    p2.value = 0.5
    assert text.value.count("FPR 0.47") == 2 and bytes(picture.value) != before
    ppv.value, p1.value = 0.3, 0.9
    assert "A: p 0.90, FPR above 1: impossible" in text.value
    fnr.value, p1.value = 0.95, 0.8
    assert "impossible" not in text.value


def test_widgets_leave_no_figure_behind():
    before = plt.get_fignums()
    widgets_explaining.impossible({"A": 0.5, "C": 0.4}, 0.6, 0.3)
    assert plt.get_fignums() == before
