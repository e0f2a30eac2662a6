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
        ("ReLU", 2**0.5, "the size stays"),
        ("ReLU", 1.0, "the numbers die out"),
        ("ReLU", 2.5, "the numbers explode"),
        ("tanh", 3.0, "the size stays, but saturated"),
        ("sigmoid", 1.0, "the size stays, rows look alike"),
        ("none (a line)", 1.0, "the size stays"),
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


def test_the_widget_is_drawn_anew():
    box = widgets_activations.ten_layers("ReLU", 2**0.5)
    controls, text, picture = box.children
    choice, slider = controls.children
    assert "the size stays" in text.value
    before = picture.value
    slider.value = 1.0
    assert "the numbers die out" in text.value and picture.value != before
    choice.value = "sigmoid"
    assert "rows look alike" in text.value
    assert bytes(picture.value).startswith(b"\x89PNG")
