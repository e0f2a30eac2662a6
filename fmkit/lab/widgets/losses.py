"""Chapter 03's landscape to turn. It needs a running kernel.

`fmkit.lab.plots.losses.surface` is the same on paper.
"""

from collections.abc import Mapping

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from fmkit.lab.plots.losses import surface
from fmkit.lab.widgets import follow, png


def landscapes(
    grid: np.ndarray,
    heights: Mapping[str, np.ndarray],
    paths: Mapping[str, np.ndarray],
    labels: tuple[str, str] = ("first weight", "second weight"),
) -> ipywidgets.VBox:
    """Losses over the same two weights: choose one, turn it, tilt it, and let the descent walk.

    Parameters
    ----------
    grid, heights, paths, labels
        As `fmkit.lab.plots.losses.surface` has them; heights and paths by the name of the loss.
    """
    steps = max(len(path) for path in paths.values()) - 1
    which = ipywidgets.ToggleButtons(options=list(heights))
    turn = ipywidgets.IntSlider(-60, min=-180, max=180, step=5, description="turn")
    tilt = ipywidgets.IntSlider(30, min=0, max=90, step=5, description="tilt")
    step = ipywidgets.IntSlider(steps, min=0, max=steps, description="step")
    text, picture = ipywidgets.HTML(), ipywidgets.Image(format="png", layout={"max_width": "100%"})

    def redraw():
        path = paths[which.value][: step.value + 1]
        w1, w2, loss = path[-1]
        text.value = f"step {step.value}: weights ({w1:.1f}, {w2:.1f}), loss {loss:.3f}"
        fig = Figure(figsize=(4.8, 4.0), dpi=110, layout="none")
        ax = fig.add_axes((0.0, 0.04, 0.92, 0.88), projection="3d")
        view = {"turn": turn.value, "tilt": tilt.value, "labels": labels}
        surface(grid, heights[which.value], title=which.value, path=path, **view, ax=ax)
        picture.value = png(fig)

    follow(redraw, which, turn, tilt, step)
    return ipywidgets.VBox([which, turn, tilt, step, text, picture], layout={"align_items": "flex-start"})
