"""Chapter 02's own widget: choose an activation and a scale, and see what ten layers make of the numbers."""

import ipywidgets
from matplotlib.figure import Figure

from fmkit.lab.plots import activations as plots_activations
from fmkit.lab.widgets import follow, png


def ten_layers(name: str = "sigmoid", scale: float = 1.0) -> ipywidgets.VBox:
    """The picture of `fmkit.lab.plots.activations.ten_layers` with a choice and a slider.

    Parameters
    ----------
    name : str
        The activation to begin with.
    scale : float
        The scale to begin with, 0.1 to 10.
    """
    choice = ipywidgets.Dropdown(options=list(plots_activations.NAMES), value=name, description="activation")
    slider = ipywidgets.FloatSlider(
        scale, min=0.1, max=10.0, step=0.05, description="scale", continuous_update=False
    )
    picture, text = ipywidgets.Image(format="png"), ipywidgets.HTML()

    def redraw():
        fig = Figure(figsize=(6.2, 3.4), dpi=96, layout="constrained")
        axes = tuple(fig.subplots(1, 2, width_ratios=(1, 1.5)))
        said = plots_activations.ten_layers(choice.value, slider.value, axes)
        text.value = f"<b>{choice.value}, scale {slider.value:.2f}:</b> {said}"
        picture.value = png(fig)

    follow(redraw, choice, slider)
    picture.layout.width, picture.layout.max_width = "595px", "100%"  # its own size: no blur
    return ipywidgets.VBox([ipywidgets.HBox([choice, slider]), text, picture])
