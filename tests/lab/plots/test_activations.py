"""Chapter 02's pictures and its widget."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from fmkit.lab.plots import activations as plots
from fmkit.lab.widgets import activations as widgets_activations


@pytest.mark.parametrize("name", plots.NAMES)
def test_the_slope_is_that_of_the_curve(name):
    x, eps = np.array([-2.5, -0.7, 0.3, 1.9]), 1e-6
    _, slope = plots.value_and_slope(name, x)
    up, down = (plots.value_and_slope(name, x + step)[0] for step in (eps, -eps))
    np.testing.assert_allclose(slope, (up - down) / (2 * eps), atol=1e-8)


def test_an_unknown_activation_is_named():
    with pytest.raises(ValueError, match="unknown activation 'relu'; known are sigmoid"):
        plots.value_and_slope("relu", np.zeros(2))


def test_through_layers_gives_the_input_and_ten_layers():
    seen, slopes = plots.through_layers("ReLU", 2**0.5)
    assert len(seen) == 11 and len(slopes) == 10
    assert all(h.shape == (400, 64) for h in seen)
    assert all((h >= 0).all() for h in seen[1:])
    np.testing.assert_allclose(slopes[0], 0.5, atol=0.02)


@pytest.mark.parametrize(
    ("name", "scale", "said"),
    [
        ("ReLU", 2**0.5, "the size stays near 0.99, rows 42% apart"),
        ("ReLU", 1.0, "the numbers die out, rows 42% apart"),
        ("ReLU", 2.5, "the numbers explode, rows 42% apart"),
        ("tanh", 3.0, "the size stays near 0.83, saturated, rows 100% apart"),
        ("tanh", 1.0, "the size shrinks to 0.21, rows 100% apart"),
        ("sigmoid", 1.0, "the size stays near 0.53, rows 0% apart"),
        ("sigmoid", 8.0, "the size stays near 0.73, saturated, rows 9% apart"),
        ("GELU", 1.53, "the size grows to 1.71, rows 62% apart"),
        ("none (a line)", 1.0, "the size stays near 0.91, rows 100% apart"),
    ],
)
def test_ten_layers_says_what_became_of_the_numbers(name, scale, said):
    assert plots.ten_layers(name, scale) == said


def test_the_sizes_stand_beside_the_layers():
    _, axes = plt.subplots(1, 2)
    plots.ten_layers("ReLU", 1.0, tuple(axes))
    texts = [t.get_text() for t in axes[1].texts]
    sizes = [plots.size_of(h) for h in plots.through_layers("ReLU", 1.0)[0]]
    assert f"{sizes[0]:.2f}" in texts and f"{sizes[5]:.2f}" in texts


@pytest.mark.parametrize(
    ("number", "text"), [(0.5, "0.50"), (0.0004, "4e-04"), (12.3, "12"), (45678.0, "5e+04"), (0.0, "0e+00")]
)
def test_short_numbers(number, text):
    assert plots._short(number) == text


def test_the_gallery_has_a_panel_for_each():
    plots.gallery(["sigmoid", "tanh", "ReLU", "leaky ReLU", "GELU", "SiLU"], title="six")
    titles = ["sigmoid", "tanh", "ReLU", "leaky ReLU", "GELU", "SiLU"]
    assert [ax.get_title(loc="left") for ax in plt.gcf().axes] == titles


def test_starts_has_a_panel_for_each_kind_and_a_line_for_each_run():
    curves = {"He": np.zeros((3, 4)), "std 1": np.ones((3, 4))}
    plots.starts((0, 4, 8, 256), curves, title="T", xlabel="step", ylabel="dead")
    panels = plt.gcf().axes
    assert [ax.get_title(loc="left") for ax in panels] == ["He", "std 1"]
    assert [len(ax.lines) for ax in panels] == [3, 3]
    assert [t.get_text() for t in panels[0].get_xticklabels()] == ["0", "8", "256"]


def test_starts_takes_any_steps():
    ax = plots.starts(
        (1, 3), {"He": np.zeros((1, 2)), "std 1": np.ones((1, 2))}, title="", xlabel="", ylabel=""
    )
    assert [t.get_text() for t in ax.get_xticklabels()] == ["1", "3"]


def test_shares_write_the_mean_over_every_bar_also_over_none():
    series = {
        "ReLU": {"He": [0.0, 0.0], "std 1": [0.8, 1.0]},
        "tanh": {"He": [0.5, 0.5], "std 1": [0.1, 0.3]},
    }
    ax = plots.shares(series, title="T", xlabel="", ylabel="share")
    assert [t.get_text() for t in ax.texts] == ["0", "90", "50", "20"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["He", "std 1"]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["ReLU", "tanh"]


def test_the_widget_is_drawn_anew():
    box = widgets_activations.ten_layers("ReLU", 2**0.5)
    controls, text, picture = box.children
    choice, slider = controls.children
    assert "the size stays" in text.value
    before = picture.value
    slider.value = 1.0
    assert "the numbers die out" in text.value and picture.value != before
    choice.value = "sigmoid"
    assert "rows 0% apart" in text.value
    assert bytes(picture.value).startswith(b"\x89PNG")
