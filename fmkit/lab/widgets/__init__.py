"""Things to play with: sliders beside a picture that is drawn anew. They need a running kernel.

Every widget stands beside a static picture of the same thing, for the book and for a printout.
"""

import io
from collections.abc import Callable

import ipywidgets
from matplotlib.figure import Figure


def explore(draw: Callable, size: tuple = (5.8, 3.2), **sliders: tuple) -> ipywidgets.VBox:
    """A picture with a slider for each number that it depends on.

    Parameters
    ----------
    draw : callable
        ``draw(ax, **numbers)`` draws into ``ax``; a string that it returns is shown above the picture.
    size : (width, height) in inches
    **sliders
        For each number of ``draw``: (start, lowest, highest, step); whole numbers where all four are whole.

    >>> explore(lambda ax, k: ax.plot([0, k]), k=(1.0, 0.0, 2.0, 0.1))
    """
    controls = {name: _slider(name, *limits) for name, limits in sliders.items()}
    picture, text = ipywidgets.Image(format="png"), ipywidgets.HTML()

    def redraw(_=None):
        fig = Figure(figsize=size, dpi=144, layout="constrained")  # crisp when the page is zoomed
        said = draw(fig.subplots(), **{name: c.value for name, c in controls.items()})
        text.value = said if isinstance(said, str) else ""
        picture.value = _png(fig)

    for control in controls.values():
        control.observe(redraw, names="value")
    redraw()
    picture.layout = ipywidgets.Layout(width=f"{96 * size[0]:.0f}px", max_width="100%")
    return ipywidgets.VBox([*controls.values(), text, picture], layout={"align_items": "flex-start"})


def _slider(name, value, low, high, step):
    whole = all(isinstance(number, int) for number in (value, low, high, step))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    slider = kind(value, min=low, max=high, step=step, description=name, continuous_update=whole)
    slider.layout.width = "420px"
    return slider


def _png(fig):
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png")
    return buffer.getvalue()
