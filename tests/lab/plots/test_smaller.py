"""Chapter 13's pictures and its widget, without a browser."""

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest

from fmkit.lab.plots import smaller as plots_smaller
from fmkit.lab.widgets import smaller as widgets_smaller


def at(ax, label):
    (line,) = [line for line in ax.lines if line.get_label() == label]
    return (*line.get_xdata(), *line.get_ydata())


@pytest.mark.parametrize(("together", "best"), [(0.0, (0, 0)), (0.9, (1, 0)), (-0.9, (0, 0))])
def test_the_best_point_is_that_of_the_outputs(together, best):
    ax = plots_smaller.lattice((0.45, 0.4), together, title="T")
    assert at(ax, "nearest") == (0, 0) and at(ax, "best outputs") == best
    assert at(ax, "the weights") == (0.45, 0.4) and ax.get_title(loc="left") == "T"


def test_rings_go_through_the_points():
    point, w, hessian = np.array([1.0, 0.0]), np.array([0.45, 0.4]), np.array([[1, 0.9], [0.9, 1]])
    assert plots_smaller.output_error_at(point, w, hessian) == pytest.approx(0.0665)
    given = plt.subplots()[1]
    assert plots_smaller.lattice((0.45, 0.4), 0.9, ax=given) is given
    (rings,) = [c for c in given.collections if hasattr(c, "levels")]
    assert rings.levels == pytest.approx([0.0665, 0.6865], abs=1e-4)


def test_weights_on_the_lattice_have_no_ring():
    ax = plots_smaller.lattice((1.0, 0.0), 0.5)
    assert at(ax, "nearest") == at(ax, "best outputs") == (1, 0) and not ax.collections


def test_frontiers_join_what_nothing_cheaper_beats():
    quality = {
        "big": (0.8, 0.7, 0.9),
        "good": (0.85, 0.8, 0.9),
        "tiny": (0.6, 0.5, 0.7),
        "counting": (0.75, 0.7, 0.8),
    }
    size = {"big": 4.0, "good": 1.0, "tiny": 0.5}
    seconds = {"big": 3.0, "tiny": 2.0, "counting": 0.1}
    fig = plots_smaller.frontiers({"MB": size, "ms": seconds}, {"Q": quality, "P": quality}, title="T")
    (by_size, by_time), (_, below) = np.reshape(fig.axes, (2, 2))
    for ax, wanted in ((by_size, [(0.5, 0.6), (1.0, 0.85)]), (by_time, [(0.1, 0.75), (3.0, 0.8)])):
        (joined,) = [line for line in ax.lines if line.get_zorder() == 0 and line.get_linestyle() == "-"]
        assert list(zip(*joined.get_data(), strict=True)) == wanted
    assert [line.get_ydata()[0] for line in by_size.lines if line.get_linestyle() == "-."] == []
    assert [line.get_ydata()[0] for line in by_size.lines if line.get_linestyle() == ":"] == [0.75]
    assert not [line for line in by_time.lines if line.get_linestyle() == ":"]
    assert {text.get_text() for text in by_size.texts} == {"1", "2", "3", "4"}
    assert {text.get_text() for text in by_time.texts} == {"1", "3", "4"}
    words = [text.get_text().split() for text in fig.legends[0].get_texts()]
    assert words == [["1", "tiny"], ["2", "good"], ["3", "big"], ["4", "counting"]]
    assert below.get_xscale() == "log" and below.get_xlabel() == "ms" and by_size.get_ylabel() == "Q"


def test_layer_errors_lead_from_plain_to_careful():
    rows = {"4 bits": (0.1, 0.2), "4 bits, GPTQ": (0.2, 0.1), "8 bits": (0.01, 0.01)}
    ax = plots_smaller.layer_errors(rows, title="T")
    assert [line.get_marker() for line in ax.lines] == ["s", "o", "s"]
    (arrow,) = [text for text in ax.texts if text.get_text() == ""]
    assert tuple(arrow.xyann) == (0.1, 0.2) and tuple(arrow.xy) == (0.2, 0.1)
    assert {text.get_text() for text in ax.texts} >= set(rows)


def test_the_widget_draws_anew():
    box = widgets_smaller.two_weights()
    sliders = {s.description: s for s in box.children if isinstance(s, ipywidgets.FloatSlider)}
    (picture,) = (w for w in box.children if isinstance(w, ipywidgets.Image))
    assert set(sliders) == {"first", "second", "together"}
    before = bytes(picture.value)
    assert before.startswith(b"\x89PNG")
    sliders["together"].value = 0.0
    assert bytes(picture.value) != before
