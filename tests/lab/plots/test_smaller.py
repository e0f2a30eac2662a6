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


def test_a_frontier_joins_what_nothing_smaller_beats():
    points = {"big": (4.0, 0.8, 0.7, 0.9), "good": (1.0, 0.85, 0.8, 0.9), "tiny": (0.5, 0.6, 0.5, 0.7)}
    ax = plots_smaller.frontier(points, {"counting": 0.75}, title="T", xlabel="X", ylabel="Y")
    (joined,) = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_zorder() == 0]
    assert list(joined.get_xdata()) == [0.5, 1.0] and list(joined.get_ydata()) == [0.6, 0.85]
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert set(names) == {"counting", "1  tiny", "2  good", "3  big"}
    assert [text.get_text() for text in ax.texts] == ["1", "2", "3"] and ax.get_xscale() == "log"


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
