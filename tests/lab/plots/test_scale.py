"""Chapter 15's pictures and its planner, without a browser."""

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest

from fmkit.lab.plots import scale as plots_scale
from fmkit.lab.widgets import scale as widgets_scale
from fmkit.parallel import pipeline_schedule, pipeline_times

# --- pictures -----------------------------------------------------------------------------------------------


def test_the_ring_names_what_is_in_each_piece():
    first = np.zeros((2, 2, 2), bool)
    first[0, :, 0] = first[1, :, 1] = True
    then = first.copy()
    then[1, 1] = True
    ax = plots_scale.ring([first, then], title="T")
    texts = [[text.get_text() for text in axis.texts] for axis in ax.figure.axes]
    assert texts == [["a", "a", "b", "b"], ["a", "a", "b", "ab"]]
    weights = [text.get_weight() for text in ax.figure.axes[1].texts]
    assert weights == ["normal", "normal", "normal", "bold"]
    assert [axis.get_title(loc="left") or axis.get_title() for axis in ax.figure.axes] == [
        "at first",
        "after 1",
    ]


def test_the_hours_are_bars_from_begin_to_end():
    times = pipeline_times(pipeline_schedule(2, 2))
    given = plt.subplots()[1]
    ax = plots_scale.hours(times, title="T", ax=given)
    assert ax is given
    bars = [(bar.get_x(), bar.get_width()) for bar in ax.patches]
    assert bars == [(begin, end - begin) for row in times for _, _, begin, end in row]
    assert [text.get_text() for text in ax.texts] == [str(i) for row in times for _, i, _, _ in row]
    assert len({bar.get_hatch() for bar in ax.patches}) == 2, "more than a colour tells them apart"
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "stage 0 stands on top"


def test_plans_stand_beside_reports():
    ax = plots_scale.beside({"a": (10.0, 20.0), "b": (300.0, 200.0)}, title="T", xlabel="X")
    reported, planned = ax.lines
    assert list(planned.get_xdata()) == [10.0, 300.0] and list(reported.get_xdata()) == [20.0, 200.0]
    assert ax.get_xscale() == "log" and [t.get_text() for t in ax.get_yticklabels()] == ["a", "b"]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["reported", "planned"]


def test_the_law_shows_what_was_held_out():
    runs = {"small": ([1.0, 2.0], [3.0, 2.5]), "large": ([1.0, 2.0], [2.8, 2.2])}
    ax = plots_scale.law(runs, runs, held_out=(4.0, 1.5, 1.6, 2.0), title="T")
    star = next(line for line in ax.lines if line.get_marker() == "*")
    assert (list(star.get_xdata()), list(star.get_ydata())) == ([4.0], [1.5])
    (bar,) = ax.containers[0][2]
    assert sorted(bar.get_segments()[0][:, 1]) == pytest.approx([1.6, 2.0])
    without = plots_scale.law(runs, runs, title="T")
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [
        "small",
        "large",
        "the fitted law",
        "the larger model",
        "90 % interval",
    ]
    assert len(without.lines) == 5 and ax.get_ylabel() == "loss, nats per character"


# --- widgets ------------------------------------------------------------------------------------------------


def walk(box):
    yield box
    for child in getattr(box, "children", ()):
        yield from walk(child)


def by_name(box, name):
    return next(w for w in walk(box) if getattr(w, "description", None) == name)


@pytest.fixture
def planner():
    presets = {"Llama 2 70B": (70e9, 2e12, "A100", 2000.0), "own": (1e8, 2e9, "laptop, 2 cores", 1.0)}
    return widgets_scale.planner(presets)


def table(box):
    return next(w for w in walk(box) if isinstance(w, ipywidgets.HTML)).value


def test_the_planner_begins_with_a_report(planner):
    assert "8.4e+23" in table(planner) and "1,869,658 device hours" in table(planner)
    assert "does not fit" in table(planner)  # 4 bytes a parameter on every device


def test_the_planner_follows_its_sliders(planner):
    by_name(planner, "begin with").value = "own"
    assert by_name(planner, "device").value == "laptop, 2 cores" and ": fits" in table(planner)
    before = table(planner)
    for name, value in {
        "parameters": 1e9,
        "how many": 10.0,
        "utilisation": 0.2,
        "bandwidth, bytes/s": 1e8,
    }.items():
        by_name(planner, name).value = value
        assert table(planner) != before, name
        before = table(planner)


def test_the_pipeline_is_drawn_anew():
    box = widgets_scale.pipelines()
    picture = next(w for w in walk(box) if isinstance(w, ipywidgets.Image))
    before = bytes(picture.value)
    assert before.startswith(b"\x89PNG")
    by_name(box, "micro").value = 9
    assert bytes(picture.value) != before
