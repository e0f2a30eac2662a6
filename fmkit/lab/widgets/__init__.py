"""Things to play with: sliders, and a picture that is drawn again as they move. They need a running kernel.

Every widget stands beside a static picture of the same thing, for the book and for a printout.
"""

import io
from collections.abc import Callable

import ipywidgets
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fmkit._moved import names_of

__getattr__ = names_of(__name__)  # old import lines


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
    controls = {name: slider(name, *limits) for name, limits in sliders.items()}
    for control in controls.values():
        control.continuous_update = isinstance(control, ipywidgets.IntSlider)
    picture, text = ipywidgets.Image(format="png"), ipywidgets.HTML()

    def redraw():
        fig = Figure(figsize=size, dpi=144, layout="constrained")  # crisp when the page is zoomed
        said = draw(fig.subplots(), **{name: c.value for name, c in controls.items()})
        text.value = said if isinstance(said, str) else ""
        picture.value = png(fig)

    follow(redraw, *controls.values())
    picture.layout = ipywidgets.Layout(width=f"{96 * size[0]:.0f}px", max_width="100%")
    return ipywidgets.VBox([*controls.values(), text, picture], layout={"align_items": "flex-start"})


def slider(
    name: str, value: float | int, low: float | int, high: float | int, step: float | int
) -> ipywidgets.IntSlider | ipywidgets.FloatSlider:
    """A slider of the usual width; of whole numbers if all four are whole."""
    whole = all(isinstance(number, int) for number in (value, low, high, step))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    return kind(value, min=low, max=high, step=step, description=name, layout={"width": "420px"})


def type_in(show: Callable[[str], str], text: str, description: str, width: str) -> ipywidgets.VBox:
    """A field for text, and below it the HTML that ``show(text)`` makes of it at each key."""
    field = ipywidgets.Text(text, description=description, layout={"width": width, "max_width": "100%"})
    shown = ipywidgets.HTML()

    def redraw():
        shown.value = show(field.value)

    follow(redraw, field)
    return ipywidgets.VBox([field, shown])


def follow(redraw: Callable, *controls: ipywidgets.Widget) -> None:
    """Call ``redraw()`` now, and again whenever the value of a control changes."""
    for control in controls:
        control.observe(lambda _: redraw(), names="value")
    redraw()


def png(figure: Figure) -> bytes:
    """A figure as a PNG of the figure's own resolution."""
    out = io.BytesIO()
    FigureCanvasAgg(figure).print_png(out)
    return out.getvalue()
