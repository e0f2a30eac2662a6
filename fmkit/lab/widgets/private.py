"""Chapter 14's slider: more privacy, and who pays for it. It needs a running kernel.

`fmkit.lab.plots.private.price` is the same on paper.
"""

from collections.abc import Mapping

import ipywidgets
from matplotlib.figure import Figure

from fmkit.lab.plots.private import price
from fmkit.lab.widgets import follow, png


def prices(results: Mapping[str, Mapping[float, Mapping[str, float]]]) -> ipywidgets.VBox:
    """What was measured, to walk through: a setting, and a slider from no privacy to much.

    Parameters
    ----------
    results : for each setting, for each epsilon (infinity: no privacy), {name: share}
        Epsilons from large to small; the same for all settings.
    """
    settings = list(results)
    epsilons = list(results[settings[0]])
    which = ipywidgets.Dropdown(
        options=settings, description="training data", style={"description_width": "90px"}
    )
    labels = ["none" if e == float("inf") else f"epsilon {e:.1f}" for e in epsilons]
    slider = ipywidgets.SelectionSlider(
        options=list(zip(labels, epsilons, strict=True)),
        description="privacy",
        continuous_update=False,
        style={"description_width": "90px"},
        layout={"width": "420px"},
    )
    picture = ipywidgets.Image(format="png", layout={"max_width": "100%", "width": "560px"})

    def redraw():
        shares = results[which.value][slider.value]
        fig = Figure(figsize=(5.8, 0.34 * len(shares) + 0.9), dpi=144, layout="constrained")
        price(shares, title="", ax=fig.subplots())
        picture.value = png(fig)

    follow(redraw, which, slider)
    return ipywidgets.VBox([which, slider, picture], layout={"align_items": "flex-start"})
