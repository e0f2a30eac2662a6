"""The pictures: what is drawn, and what the little computation graph computes."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from fmkit.lab import plots
from fmkit.lab.plots import backprop


def drawn_width(ax):
    return ax.figure.get_size_inches()[0]


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_style_is_small_and_colour_blind_safe():
    assert plt.rcParams["figure.dpi"] == 96
    assert [c["color"] for c in plt.rcParams["axes.prop_cycle"]] == list(plots.COLOURS)
    assert len(set(plots.COLOURS)) == len(plots.COLOURS) == len(plots.LINES)


def test_curves_draws_each_series_with_labels():
    ax = plots.curves([1, 10], {"a": [1, 2], "b": [3, 4]}, title="T", xlabel="X", ylabel="Y", log="xy")
    assert [list(line.get_ydata()) for line in ax.lines] == [[1, 2], [3, 4]]
    assert (ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel()) == ("T", "X", "Y")
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["a", "b"]
    assert ax.lines[0].get_linestyle() != ax.lines[1].get_linestyle()


def test_one_curve_needs_no_legend_and_may_go_into_a_given_axes():
    given = plt.subplots()[1]
    ax = plots.curves([0, 1], {"a": [1, 2]}, title="T", xlabel="X", ylabel="Y", ax=given)
    assert ax is given and ax.get_legend() is None and ax.get_yscale() == "linear"


def test_digits_are_ink_on_paper():
    images = np.linspace(0, 1, 3 * 64).reshape(3, 64)
    ax = plots.digits(images, ["a", "b", "c"], title="T")
    axes = ax.figure.axes
    assert [a.get_title() for a in axes] == ["a", "b", "c"]
    shown = axes[1].images[0]
    assert np.array_equal(shown.get_array(), images[1].reshape(8, 8))
    assert shown.get_clim() == (0, 1)
    assert shown.to_rgba(1.0)[0] < 0.1 < 0.9 < shown.to_rgba(0.0)[0]  # 1 is black, 0 is white
    assert ax.figure.get_suptitle() == "T"


def test_digits_fill_rows():
    ax = plots.digits(np.zeros((7, 64)), columns=4)
    assert len(ax.figure.axes) == 8 and drawn_width(ax) <= 6
    assert sum(bool(a.images) for a in ax.figure.axes) == 7


def test_maps_share_one_scale_around_zero():
    images = np.zeros((2, 64))
    images[0, 0], images[1, 5] = -3.0, 2.0
    ax = plots.maps(images, label="L")
    assert [a.images[0].get_clim() for a in ax.figure.axes[:2]] == [(-3, 3), (-3, 3)]
    assert np.allclose(ax.images[0].to_rgba(0.0)[:3], 1, atol=0.05)  # zero is white
    assert plots.maps(np.zeros((1, 64))).images[0].get_clim() == (-1, 1)


def test_bars_stand_side_by_side():
    ax = plots.bars({"p": [0.1, 0.9], "q": [0.5, -0.5]}, "ab", title="T", xlabel="X", ylabel="Y")
    assert [bar.get_height() for bar in ax.patches] == [0.1, 0.9, 0.5, -0.5]
    edges = sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches)
    assert all(right <= left + 1e-9 for (_, right), (left, _) in zip(edges, edges[1:], strict=False))
    assert ax.get_legend() is not None
    assert plots.bars({"p": [1]}, "a", title="T", xlabel="X", ylabel="Y").get_legend() is None


def test_table_shows_only_what_exceeds_the_limit():
    errors = [[1e-16, 0.5], [2.0, 1e-12]]
    ax = plots.table(errors, ["r", "s"], ["c", "d"], title="T", limit=1e-9)
    assert texts(ax) == ["0", "0.50", "2.00", "0"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["r", "s"]


def test_shapes_are_to_scale():
    ax = plots.shapes([("dX", "", 6, 4), ("dY", "=", 6, 3), ("W", "@", 3, 4)], title="T")
    assert [(p.get_height(), p.get_width()) for p in ax.patches] == [(6, 4), (6, 3), (3, 4)]
    assert {"dX", "dY", "W", "=", "@", "(6, 4)", "(6, 3)", "(3, 4)"} <= set(texts(ax))
    right, left = ax.patches[0].get_x() + 4, ax.patches[1].get_x()
    assert left > right  # no overlap


@pytest.mark.parametrize(("b2", "t", "z1_bias"), [(-10.0137, 1.0, 2.0), (1.0, 0.0, 2.0), (-10.0, 0.3, -9.0)])
def test_graph_gradients_agree_with_nudging(b2, t, z1_bias):
    numbers = backprop.NUMBERS | {"b2": b2, "t": t, "b1": z1_bias}
    last = backprop.walk(numbers)[-1]

    def loss(**moved):
        return backprop.walk(numbers | moved)[-1].values["L"]

    for name in ("x1", "x2", "w1", "w2", "b1", "v1", "v2", "b2"):
        nudged = (loss(**{name: numbers[name] + 1e-5}) - loss(**{name: numbers[name] - 1e-5})) / 2e-5
        assert last.gradients[name] == pytest.approx(nudged, abs=1e-9, rel=1e-6)


def test_graph_walks_forward_then_backward():
    frames = backprop.walk(backprop.NUMBERS)
    assert len(frames) == 12
    assert frames[0].values == {"x1": 2, "x2": 3} and not frames[0].gradients
    assert frames[3].values["z2"] == pytest.approx(12.4) and "12.4" in frames[3].sentence
    assert set(frames[5].values) == {"x1", "x2", "z1", "a1", "z2", "y", "L"} and not frames[5].gradients
    assert frames[6].gradients == {"L": 1.0}
    assert [set(b.gradients) > set(a.gradients) for a, b in zip(frames[6:], frames[7:], strict=False)] == [
        True
    ] * 5


def test_graph_says_that_shares_add_up():
    frames = backprop.walk(backprop.NUMBERS | {"b2": np.log(4) - 11.4})
    assert frames[9].gradients["a1"] == pytest.approx(1.9 * -0.032)
    assert "0.7 · (-0.032) + 1.2 · (-0.032) = -0.0608" in frames[9].sentence


@pytest.mark.parametrize(
    ("value", "text"), [(12.4, "12.4"), (-0.0, "0"), (4.1234e-6, "4.1e-06"), (-10.0137, "-10.01"), (2.0, "2")]
)
def test_short_numbers(value, text):
    assert backprop.short(value) == text


def test_graph_shows_values_and_gradients():
    forward, backward = (texts(backprop.graph(step, b2=np.log(4) - 11.4)) for step in (5, -1))
    assert {"z2", "1.386", "0.8", "0.02"} <= set(forward)
    assert "-0.032" not in forward and "-0.032" in backward
    assert {"-0.1216", "-0.1824", "-0.192"} <= set(backward)  # of w1, w2, and of v1 and v2
