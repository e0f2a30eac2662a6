"""Chapter 05's landscapes, strips and playground."""

import io

import ipywidgets
import numpy as np
import pytest
from matplotlib.image import imread

from fmkit.lab.plots import adam as plots_adam
from fmkit.lab.plots.adam import LANDSCAPES, OPTIMIZERS, walk
from fmkit.lab.widgets import adam as widgets_adam

each_landscape = pytest.mark.parametrize("name", LANDSCAPES)


@each_landscape
def test_the_lowest_place_is_the_origin(name):
    land = LANDSCAPES[name]
    around = np.random.default_rng(0).normal(size=(2, 50))
    assert land.loss(np.zeros(2)) == 0 and (land.loss(around) > 0).all()


@each_landscape
def test_the_gradient_is_the_slope_of_the_loss(name):
    """Noise and gaps aside: averaged over many steps, and up to a positive factor for each weight."""
    land, rng, w = LANDSCAPES[name], np.random.default_rng(1), np.array([0.7, -0.4])
    mean = np.mean([land.gradient(w, i, rng) for i in range(8000)], 0)
    nudges = 1e-5 * np.eye(2)
    slope = np.array([(land.loss(w + n) - land.loss(w - n)) / 2e-5 for n in nudges])
    if name == "rare":
        mean = mean * [1, 20]
    np.testing.assert_allclose(mean, slope, atol=0.05 if name == "noise" else 1e-6)


@each_landscape
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_suitable_rate_leads_down(name, optimizer):
    land = LANDSCAPES[name]
    path = walk(land, optimizer)
    assert path.shape == (plots_adam.STEPS + 1, 2) and tuple(path[0]) == land.start
    assert land.loss(path[-10:].T).mean() < 0.3 * land.loss(path[0])
    assert np.array_equal(path, walk(land, optimizer))  # the same seed, the same walk


def test_what_the_chapter_says_about_the_landscapes():
    ends = {
        (name, optimizer): LANDSCAPES[name].loss(walk(LANDSCAPES[name], optimizer)[-40:].T).mean()
        for name in LANDSCAPES
        for optimizer in OPTIMIZERS
    }
    assert ends["ravine", "momentum"] < 0.3 * ends["ravine", "gradient descent"]
    assert ends["rare", "AdaGrad"] < 0.1 * ends["rare", "gradient descent"]
    assert ends["scale", "RMSProp"] < 0.3 * ends["scale", "gradient descent"]
    assert ends["ravine", "RMSProp"] > 0.3 * ends["ravine", "gradient descent"]  # no help where it lies askew


def test_too_large_a_rate_stays_finite():
    assert np.isfinite(walk(LANDSCAPES["ravine"], "gradient descent", factor=10.0)).all()


def test_strip():
    ax = plots_adam.strip(LANDSCAPES["ravine"], ["momentum", "Adam"], title="t", frames=(1, 5))
    first, second = ax.figure.axes
    assert [a.get_title() for a in (first, second)] == ["1 steps", "5 steps"]
    assert len(second.lines) == 1 + 2 * 2  # the minimum; a path and a dot for each
    assert [len(a.lines[1].get_xdata()) for a in (first, second)] == [2, 6]


def test_strip_shows_a_window():
    ax = plots_adam.strip(LANDSCAPES["scale"], ["RMSProp"], title="t", window=(-1, 0.5, -0.2, 1.8))
    assert (*ax.get_xlim(), *ax.get_ylim()) == (-1, 0.5, -0.2, 1.8)


def test_race():
    sweeps = {"a": {0.1: 3.0, 1.0: 2.0}, "b": {0.01: 2.5, 0.1: 2.2}}
    ax = plots_adam.race(sweeps, {"a": [2.0, 2.1], "b": [2.2, 2.3]}, title="t")
    left, right = ax.figure.axes
    assert list(left.lines[0].get_ydata()) == [3.0, 2.0]
    assert [label.get_text() for label in right.get_yticklabels()] == ["a", "b"]


# --- the playground ----------------------------------------------------------------------------------------


def parts(box):
    (where, factor), who, (_, step) = (box.children[i].children for i in range(3))
    return where, factor, who, step, box.children[-1]


def test_playground_redraws():
    where, factor, who, step, picture = parts(widgets_adam.playground("scale", ["Adam"]))
    assert [box.description for box in who if box.value] == ["Adam"]
    seen = {picture.value}
    for control, value in ((step, 40), (factor, 3.0), (where, "noise"), (who[0], True)):
        control.value = value
        assert picture.value not in seen
        seen.add(picture.value)
    sizes = {imread(io.BytesIO(png)).shape for png in seen}
    assert len(sizes) == 1  # nothing jumps


def test_playground_says_the_rates_before_anyone_runs():
    box = widgets_adam.playground("scale", ["Adam", "momentum"])
    _, factor, who, *_ = parts(box)
    text = next(child for child in box.children if isinstance(child, ipywidgets.HTML))
    assert text.value.endswith("Learning rates: momentum 0.056, Adam 0.1")
    factor.value = 10.0
    assert text.value.endswith("Learning rates: momentum 0.56, Adam 1")
    who[1].value = who[4].value = False
    assert text.value.endswith("Choose who runs.")


def test_playground_without_runners():
    *_, who, step, picture = parts(widgets_adam.playground("ravine", ["momentum"]))
    before = picture.value
    who[1].value = False
    step.value = 10
    assert picture.value != before
