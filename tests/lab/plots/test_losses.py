"""Chapter 03's pictures and its landscape to turn, without a browser."""

import matplotlib.pyplot as plt
import numpy as np
from mpl_toolkits.mplot3d import Axes3D

from fmkit.lab.plots import losses as plots_losses
from fmkit.lab.widgets import losses as widgets_losses

GRID = np.linspace(-2.0, 2.0, 9)
BOWL = GRID**2 + 2.0 * GRID[:, None] ** 2
PATH = np.array([[-2.0, 1.0, 6.0], [-1.0, 0.5, 1.5], [0.0, 0.0, 0.0]])


# --- the landscape ------------------------------------------------------------------------------------------


def test_surface_is_seen_from_the_side_asked_for():
    ax = plots_losses.surface(GRID, BOWL, title="T", turn=15.0, tilt=70.0, labels=("a", "b"))
    assert (ax.azim, ax.elev) == (15.0, 70.0)
    assert (ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel()) == ("T", "a", "b")
    assert len(ax.lines) == 0


def test_surface_draws_the_path_from_its_start_to_its_end():
    ax = plots_losses.surface(GRID, BOWL, title="T", path=PATH)
    way, start, end = (np.array(line.get_data_3d()).T for line in ax.lines)
    assert np.array_equal(way, PATH)
    assert np.array_equal(start, PATH[:1]) and np.array_equal(end, PATH[-1:])


def test_surface_has_the_first_weight_along_x(monkeypatch):
    drawn = []
    monkeypatch.setattr(Axes3D, "plot_surface", lambda ax, x, y, z, **style: drawn.append((x, y, z)))
    plots_losses.surface(GRID, BOWL, title="T")
    x, y, z = drawn[0]
    assert np.array_equal(z, x**2 + 2.0 * y**2)


def test_a_flat_axes_is_replaced_in_its_place():
    fig, axes = plt.subplots(1, 2)
    ax = plots_losses.surface(GRID, BOWL, title="T", ax=axes[1])
    assert hasattr(ax, "set_zlabel") and axes[1] not in fig.axes and axes[0] in fig.axes
    assert ax.get_subplotspec() == axes[1].get_subplotspec()
    assert plots_losses.surface(GRID, BOWL, title="T", ax=ax) is ax


# --- reliability --------------------------------------------------------------------------------------------


def test_reliability_draws_what_was_said_and_what_came():
    p = np.repeat([0.15, 0.85], 20)
    y = np.r_[np.zeros(15), np.ones(5), np.zeros(10), np.ones(10)]
    ax = plots_losses.reliability({"a": p}, y, title="T")
    line = ax.containers[0][0]
    assert np.allclose(line.get_xdata(), [0.15, 0.85]) and np.allclose(line.get_ydata(), [0.25, 0.5])
    assert ax.get_title(loc="left") == "T" and ax.get_xlabel() and ax.get_ylabel()


def test_reliability_bars_are_two_standard_errors():
    p, y = np.full(100, 0.35), np.r_[np.ones(20), np.zeros(80)]
    ax = plots_losses.reliability({"a": p}, y, title="T")
    (segment,) = ax.containers[0][2][0].get_segments()
    assert np.allclose(segment[:, 1], [0.2 - 0.08, 0.2 + 0.08])


def test_reliability_leaves_out_bins_with_few_and_keeps_the_edges():
    p = np.r_[np.full(9, 0.5), np.zeros(10), np.ones(10)]
    ax = plots_losses.reliability({"a": p}, np.r_[np.ones(19), np.zeros(10)], title="T", bins=4)
    line = ax.containers[0][0]
    assert np.array_equal(line.get_xdata(), [0.0, 1.0]) and np.array_equal(line.get_ydata(), [1.0, 0.0])


def test_reliability_series_differ_by_more_than_colour():
    p = np.linspace(0.0, 1.0, 200)
    given = plt.subplots()[1]
    ax = plots_losses.reliability({"a": p, "b": p**2}, np.round(p), title="T", ax=given)
    first, second = (c[0] for c in ax.containers)
    assert ax is given and first.get_marker() != second.get_marker()
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["as often as said", "a", "b"]


def test_a_point_is_off_when_the_diagonal_lies_outside_its_bar():
    p = np.r_[np.full(100, 0.35), np.full(100, 0.85), np.full(9, 0.5)]  # the last bin has too few
    y = np.r_[np.ones(30), np.zeros(70), np.ones(60), np.zeros(40), np.ones(9)]
    assert plots_losses.off_the_diagonal(p, y) == (1, 2)


# --- the widget ---------------------------------------------------------------------------------------------


def test_landscapes_turn_and_walk():
    paths = {"bowl": PATH, "plain": np.zeros((3, 3))}
    box = widgets_losses.landscapes(GRID, {"bowl": BOWL, "plain": 0.0 * BOWL}, paths)
    which, turn, tilt, step, text, picture = box.children
    assert step.max == 2 and text.value == "step 2: weights (0.0, 0.0), loss 0.000"
    seen = [bytes(picture.value)]
    assert seen[0].startswith(b"\x89PNG")
    for control, value in ((turn, 30), (tilt, 80), (step, 1), (which, "plain")):
        control.value = value
        assert bytes(picture.value) not in seen
        seen.append(bytes(picture.value))
    which.value = "bowl"
    assert text.value == "step 1: weights (-1.0, 0.5), loss 1.500"


def test_landscapes_leave_no_figure_behind():
    before = plt.get_fignums()
    widgets_losses.landscapes(GRID, {"bowl": BOWL}, {"bowl": PATH})
    assert plt.get_fignums() == before
