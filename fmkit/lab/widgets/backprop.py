"""Chapter 04's widget: the neuron as a graph, forwards and backwards a step at a time."""

import ipywidgets

from fmkit.lab.plots import backprop
from fmkit.lab.widgets import explore


def graph_walk(**numbers: float | int) -> ipywidgets.VBox:
    """Walk the neuron of chapter 04 forward and backward, a node at a time; sliders change b2 and t.

    Parameters
    ----------
    **numbers
        Numbers other than the worked example's, such as ``b2=-10.0``.
    """
    start = backprop.NUMBERS | numbers
    last = len(backprop.walk(start)) - 1

    def draw(ax, step, b2, t):
        now = start | {"b2": b2, "t": t}
        frame = backprop.walk(now)[step]
        backprop.draw(frame, now, ax)
        return f"<b>{step} of {last}</b> &nbsp; {frame.sentence}"

    box = explore(
        draw,
        (6.2, 2.5),
        step=(0, 0, last, 1),
        b2=(start["b2"], -14.0, 4.0, 0.01),
        t=(start["t"], 0.0, 1.0, 0.05),
    )
    step = box.children[0]
    step.layout.width = "252px"
    box.children = (
        ipywidgets.HBox([_stepper("◀ back", -1, step), _stepper("next ▶", 1, step), step]),
        *box.children[1:],
    )
    return box


def _stepper(label, by, slider):
    button = ipywidgets.Button(description=label, layout={"width": "80px"})
    button.on_click(lambda _: setattr(slider, "value", min(max(slider.value + by, slider.min), slider.max)))
    return button
