"""Chapter 14's pictures and its slider, without a browser."""

import math

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest

from fmkit.lab.plots import private as plots_private
from fmkit.lab.widgets import private as widgets_private


def title_of(ax):
    return ax.get_figure().get_suptitle()


def test_two_worlds_are_two_bells_with_the_same_area():
    axes = plots_private.two_worlds((0.5, 2.0), title="T")
    assert title_of(axes[0]) == "T" and len(axes) == 2
    for ax, sigma in zip(axes, (0.5, 2.0), strict=True):
        without, inside = ax.lines
        at, step = without.get_xdata(), np.diff(without.get_xdata())[0]
        for line, centre in ((without, 0), (inside, 1)):
            bell = line.get_ydata()
            assert at[bell.argmax()] == pytest.approx(centre, abs=0.03)
            assert (bell * step).sum() == pytest.approx(1, abs=0.02)
            assert bell.max() == pytest.approx(0.3989 / sigma, rel=0.01)
        assert without.get_linestyle() != inside.get_linestyle()  # more than another colour


def test_losses_are_two_histograms_that_hold_everybody():
    member, other = np.arange(10.0), np.arange(-5.0, 2.0)
    ax = plots_private.losses(member, other, title="T", xlabel="X")
    counts = [sum(bar.get_height() for bar in part) for part in ax.containers]
    assert counts == [7, 10] and ax.get_xlabel() == "X" and ax.get_title(loc="left") == "T"
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["others", "members"]


def test_against_epsilon_shows_intervals_and_what_was_without_privacy():
    rows = [(30.0, 0.9, 0.88, 0.92, 0.55, 0.54, 0.57), (1.0, 0.5, 0.45, 0.55, 0.52, 0.51, 0.53)]
    left, right = plots_private.against_epsilon(rows, (0.95, 0.6), title="T")
    for ax, values, low_and_high in (
        (left, [0.9, 0.5], [[0.88, 0.92], [0.45, 0.55]]),
        (right, [0.55, 0.52], [[0.54, 0.57], [0.51, 0.53]]),
    ):
        line, _, (bars,) = ax.containers[0]
        assert list(line.get_ydata()) == values
        assert [sorted(segment[:, 1].round(9)) for segment in bars.get_segments()] == low_and_high
    assert right.get_ylim()[0] < 0.5 and right.get_ylim()[1] > 0.6
    assert left.get_ylim()[1] > 0.96  # the words stand inside
    for ax, level in ((left, 0.95), (right, 0.6)):
        assert ax.get_xscale() == "log" and ax.lines[-1].get_ydata()[0] == level


def test_price_has_a_bar_for_each():
    ax = plots_private.price({"all": 0.9, "eights": 0.25}, title="T")
    assert [c[0].get_width() for c in ax.containers] == [0.9, 0.25]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["all", "eights"]
    assert {t.get_text() for t in ax.texts} == {"0.90", "0.25"} and ax.get_ylim()[0] > ax.get_ylim()[1]


def test_price_with_intervals():
    result, ends = (
        {"a: none": 0.9, "a: epsilon 5": 0.25},
        {"a: none": (0.85, 0.93), "a: epsilon 5": (0.2, 0.3)},
    )
    ax = plots_private.price(result, title="T", intervals=ends)
    lines = [c[2][0].get_segments()[0][:, 0] for c in ax.containers if len(c) == 3]
    assert np.allclose(lines, list(ends.values())) and {t.get_text() for t in ax.texts} == {"0.90", "0.25"}
    assert ax.get_xlabel() == "share right"


def test_certified_falls_with_the_distance():
    ax = plots_private.certified({"a": np.array([-1.0, 0.5, 1.0, 0.0]), "b": np.zeros(3)}, title="T")
    first, second = (line.get_ydata() for line in ax.lines)
    assert first[0] == 0.5 and first[-1] == 0 and (np.diff(first) <= 0).all() and not second.any()


def test_photographs_stand_side_by_side_with_their_words():
    axes = plots_private.photographs(
        {"one": np.zeros((4, 4, 3)), "two": np.full((4, 4, 3), 1.001)}, title="T"
    )
    assert [ax.get_xlabel() for ax in axes] == ["one", "two"] and title_of(axes[0]) == "T"
    assert axes[1].images[0].get_array().max() == 1.0  # NumPy's last digit is no warning


RESULTS = {
    "few": {math.inf: {"all": 0.9, "eights": 0.8}, 4.7: {"all": 0.8, "eights": 0.3}},
    "fewer": {math.inf: {"all": 0.9, "eights": 0.5}, 4.7: {"all": 0.8, "eights": 0.1}},
}


def test_the_slider_begins_without_privacy_and_draws_anew():
    box = widgets_private.prices(RESULTS)
    which, slider, picture = box.children
    assert isinstance(which, ipywidgets.Dropdown) and slider.label == "none" and slider.value == math.inf
    seen = {bytes(picture.value)}
    slider.value = 4.7
    assert slider.label == "epsilon 4.7"
    seen.add(bytes(picture.value))
    which.value = "fewer"
    seen.add(bytes(picture.value))
    assert len(seen) == 3 and all(image.startswith(b"\x89PNG") for image in seen)


def test_the_slider_leaves_no_figure_behind():
    before = plt.get_fignums()
    widgets_private.prices(RESULTS)
    assert plt.get_fignums() == before
