"""Chapter 08's pictures and its box to type into, without a browser."""

import ipywidgets
import matplotlib.pyplot as plt
import pytest

from fmkit.lab.plots import finetuning as plots_finetuning
from fmkit.lab.widgets import finetuning as widgets_finetuning


def test_runs_marks_every_run_and_names_every_method():
    points = {"head": [(100, 0.7), (100, 0.72)], "full": [(10_000, 0.86)]}
    text = {"title": "T", "xlabel": "x", "ylabel": "y"}
    ax = plots_finetuning.runs(points, **text, log=True, band=(0.5, "a coin"))
    marks = {name: list(line.get_ydata()) for name, line in zip(points, ax.lines, strict=False)}
    assert marks == {"head": [0.7, 0.72], "full": [0.86]}
    assert [t.get_text() for t in ax.texts] == ["head", "full", "a coin"]
    assert ax.get_xscale() == "log"
    assert (ax.get_title(loc="left"), ax.get_xlabel(), ax.get_ylabel()) == ("T", "x", "y")


def test_runs_of_another_method_have_another_mark():
    points = {name: [(i, i)] for i, name in enumerate("abcdefgh")}
    ax = plots_finetuning.runs(points, title="T", xlabel="x", ylabel="y")
    assert len({(line.get_marker(), line.get_color()) for line in ax.lines}) == 8


def test_opinions_point_to_the_side_of_the_answer():
    said = {"good": {"rules": 0.9, "counts": 0.5}, "bad": {"rules": 0.2, "counts": 0.1}}
    plots_finetuning.opinions(said, title="T")
    upper, lower = plt.gcf().axes
    assert [bar.get_width() for bar in upper.patches] == pytest.approx([0.4, 0.0])
    assert [bar.get_width() for bar in lower.patches] == pytest.approx([-0.3, -0.4])
    assert all(bar.get_x() == 0.5 for ax in (upper, lower) for bar in ax.patches)
    assert [t.get_text() for t in lower.get_yticklabels()] == ["rules", "counts"]
    assert upper.get_title(loc="left") == "good"


def test_ask_asks_every_model_at_once_and_after_each_change():
    heard = []

    def model(text):
        heard.append(text)
        return len(text) / 10

    box = widgets_finetuning.ask({"a": model, "b": model}, "one")
    field, picture = box.children
    assert isinstance(field, ipywidgets.Text) and heard == ["one", "one"]
    before = bytes(picture.value)
    field.value = "another"
    assert heard[2:] == ["another", "another"]
    assert bytes(picture.value) != before and bytes(picture.value).startswith(b"\x89PNG")
