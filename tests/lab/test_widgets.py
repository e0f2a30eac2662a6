"""The widgets, without a browser: their controls, what they draw, and that they draw anew."""

import io

import ipywidgets
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from fmkit.lab import widgets
from fmkit.lab.plots import backprop
from fmkit.lab.widgets import backprop as widgets_backprop


def named(box):
    """All sliders of a widget, by name."""
    return {
        s.description: s for s in _walk(box) if isinstance(s, (ipywidgets.IntSlider, ipywidgets.FloatSlider))
    }


def _walk(box):
    yield box
    for child in getattr(box, "children", ()):
        yield from _walk(child)


def picture(box):
    return bytes(next(w for w in _walk(box) if isinstance(w, ipywidgets.Image)).value)


def text(box):
    return next(w for w in _walk(box) if isinstance(w, ipywidgets.HTML)).value


def test_explore_draws_at_once_and_after_each_change():
    calls = []

    def draw(ax, scale, count):
        calls.append((scale, count))
        ax.plot([0, scale], [0, count])
        return f"{count} lines"

    box = widgets.explore(draw, scale=(0.5, 0.0, 1.0, 0.1), count=(3, 1, 9, 1))
    controls = named(box)
    assert isinstance(controls["scale"], ipywidgets.FloatSlider)
    assert isinstance(controls["count"], ipywidgets.IntSlider)
    assert calls == [(0.5, 3)] and text(box) == "3 lines"
    before = picture(box)
    assert before.startswith(b"\x89PNG")
    controls["count"].value = 7
    assert calls[-1] == (0.5, 7) and text(box) == "7 lines"
    assert picture(box) != before


def test_explore_without_text():
    box = widgets.explore(lambda ax, k: ax.axhline(k) and None, k=(1.0, 0.0, 2.0, 0.5))
    assert text(box) == ""


def test_explore_leaves_no_figure_behind():
    import matplotlib.pyplot as plt

    open_before = plt.get_fignums()
    widgets.explore(lambda ax, k: None, k=(1.0, 0.0, 2.0, 0.5))
    assert plt.get_fignums() == open_before


def test_a_picture_has_the_resolution_of_its_figure():
    """Not the one of saved figures, which the style of the course makes small."""
    import matplotlib

    with matplotlib.rc_context({"savefig.dpi": 96}):
        shown = imread(io.BytesIO(widgets.png(Figure(figsize=(5, 2), dpi=144))))
    assert shown.shape[:2] == (288, 720)


def test_a_slider_is_of_whole_numbers_if_all_four_are():
    whole, real = widgets.slider("k", 3, 0, 9, 1), widgets.slider("p", 0, 0, 1, 0.5)
    assert isinstance(whole, ipywidgets.IntSlider) and isinstance(real, ipywidgets.FloatSlider)
    assert (whole.description, whole.value, whole.min, whole.max, whole.step) == ("k", 3, 0, 9, 1)


def test_type_in_shows_what_is_made_of_the_text():
    box = widgets.type_in(lambda typed: f"<b>{len(typed)}</b>", "four", "word", "300px")
    field, shown = box.children
    assert (field.value, field.description, shown.value) == ("four", "word", "<b>4</b>")
    field.value = ""
    assert shown.value == "<b>0</b>"


@pytest.fixture
def graph_walk():
    return widgets_backprop.graph_walk(b2=-10.0137)


def test_graph_walk_starts_at_the_inputs(graph_walk):
    assert text(graph_walk).startswith("<b>0 of 11</b>")
    assert named(graph_walk)["b2"].value == pytest.approx(-10.0137)


def test_graph_walk_steps_and_stops_at_both_ends(graph_walk):
    back, on = (w for w in _walk(graph_walk) if isinstance(w, ipywidgets.Button))
    step = named(graph_walk)["step"]
    back.click()
    assert step.value == 0
    pictures = {picture(graph_walk)}
    for k in range(1, 12):
        on.click()
        assert step.value == k and f"<b>{k} of 11</b>" in text(graph_walk)
        pictures.add(picture(graph_walk))
    assert len(pictures) == 12
    on.click()
    assert step.value == 11
    back.click()
    assert step.value == 10


def test_graph_walk_shows_the_gradient_die(graph_walk):
    controls = named(graph_walk)
    controls["step"].value = 8  # back through the sigmoid
    assert "-0.032" in text(graph_walk)
    controls["b2"].value = 1.0
    assert "12.4" in text(graph_walk) and "e-" in text(graph_walk)
    controls["t"].value = 0.0
    last = backprop.walk(backprop.NUMBERS | {"b2": 1.0, "t": 0.0})[-1]
    assert last.gradients["z2"] == pytest.approx(4.1e-6, rel=0.01)
    assert backprop.short(last.gradients["z2"]) in text(graph_walk)
