"""Chapter 07's pictures, its workbench, and the widget that fills gaps."""

import numpy as np
import pytest

from fmkit.lab.plots import pretraining as pictures
from fmkit.lab.widgets import pretraining as widgets_pretraining


def said(ax):
    return [text.get_text() for text in ax.texts]


def test_strips_show_what_cannot_be_seen():
    ax = pictures.strips({"in": list("a b\n"), "out": list(" b\nc")}, marked={"out": [0, 3]}, title="t")
    assert said(ax) == ["in", "a", "␣", "b", "↵", "out", "␣", "b", "↵", "c"]
    shaded = [patch for patch in ax.patches if patch.get_facecolor()[:3] != (1, 1, 1)]
    assert [patch.get_x() for patch in shaded] == [0, 3]


def test_strips_give_a_long_token_room():
    boxes = pictures.strips({"in": ["[CLS]", "a"]}, title="t").patches
    assert boxes[0].get_width() > 2 and boxes[1].get_x() == boxes[0].get_width()


def test_smoothed_is_a_centred_mean():
    x, y = pictures.smoothed([1.0, 2.0, 3.0, 10.0], 3)
    np.testing.assert_allclose(x, [1, 2])
    np.testing.assert_allclose(y, [2, 5])
    assert len(pictures.smoothed([1.0, 2.0], 10)[1]) == 1


def test_loss_curves_name_their_levels():
    ax = pictures.loss_curves(
        {"a": [3.0, 2.0, 1.0], "b": [3.0, 3.0]}, levels={"coin": np.log(2)}, window=1, raw=True, title="t"
    )
    assert said(ax) == [" coin 0.69"]
    lines = [line for line in ax.lines if len(line.get_xdata()) == 3]
    assert list(lines[-1].get_ydata()) == [3.0, 2.0, 1.0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]


def test_scaling_is_logarithmic_and_has_readable_ticks():
    ax = pictures.scaling(
        {"p": ([1e3, 1e5], [2.6, 1.9])}, fits={"law": ([1e3, 1e6], [2.6, 1.7])}, title="t", xlabel="n"
    )
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert "2" in [tick.get_text() for tick in ax.get_yticklabels()]
    assert len(ax.lines) == 2


def test_runs_by_seconds():
    ax = pictures.by_seconds({"a": ([1, 10], [3, 2]), "b": ([1, 2], [3, 1])}, goal=1.9, title="t")
    assert ax.get_xscale() == "log" and len(ax.lines) == 3
    assert [text.get_text() for text in ax.texts] == ["goal"]


def test_a_run_looks_as_in_the_picture_before():
    runs = {name: ([1, 10], [3, 2]) for name in "abc"}
    before = {line.get_label(): line.get_color() for line in pictures.by_seconds(runs, title="t").lines}
    few = {name: runs[name] for name in "cb"} | {"new": runs["a"]}
    after = {
        line.get_label(): line.get_color() for line in pictures.by_seconds(few, title="t", order=runs).lines
    }
    assert (after["b"], after["c"]) == (before["b"], before["c"])
    assert after["new"] not in before.values()


def test_changes_are_a_stair_in_the_colours_of_what_each_is_worth():
    losses = [[2.0, 2.0], [1.79, 1.81], [1.9, 1.72], [2.29, 2.31]]  # in the third row the seeds disagree
    ax = pictures.changes(["good", "nothing", "bad"], losses, noise=0.05, title="t")
    good, nothing, bad = ax.patches
    assert len({bar.get_facecolor()[:3] for bar in ax.patches}) == 3
    assert bad.get_x() == nothing.get_x() + nothing.get_width() == pytest.approx(1.81)
    assert [round(bar.get_width(), 2) for bar in (good, nothing, bad)] == [-0.2, 0.01, 0.49]
    assert said(ax) == [" 1.80", " 1.81", " 2.30"]
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["better", "within the noise", "worse"]


def test_fill_in_asks_again_at_each_key():
    asked = []

    def guess(text):
        asked.append(text)
        return [[("<", 0.75), (" ", 0.25)] for _ in range(text.count("_"))]

    box = widgets_pretraining.fill_in(guess, "a_c & _")
    field, shown = box.children
    assert asked == ["a_c & _"] and shown.value.count("<li>") == 2
    assert "&lt;" in shown.value and "&amp;" in shown.value and "␣ 25%" in shown.value
    field.value = "no gap"
    assert asked == ["a_c & _"] and "<li>" not in shown.value
    field.value = "x" * 500 + "_"
    assert len(shown.value) < 500
