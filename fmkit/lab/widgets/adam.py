"""Chapter 05's playground: optimizers run over a landscape, step by step. It needs a running kernel.

`fmkit.lab.plots.adam.strip` is the same on paper.
"""

from collections.abc import Sequence

import ipywidgets
from matplotlib.figure import Figure

from fmkit.lab.plots import adam as plots_adam
from fmkit.lab.plots.adam import LANDSCAPES, OPTIMIZERS, STEPS
from fmkit.lab.widgets import follow, png

_HALF_STEPS = {"0.1": 0.1, "0.3": 0.3, "1": 1.0, "2": 2.0, "3": 3.0, "10": 10.0}


def playground(
    landscape: str = "ravine", names: Sequence[str] = ("gradient descent", "momentum")
) -> ipywidgets.VBox:
    """Let optimizers run: choose a landscape, who runs, and how far from its suitable rate; press play.

    Parameters
    ----------
    landscape : str
        One of `fmkit.lab.plots.adam.LANDSCAPES`, to begin with.
    names : sequence of str
        The runners to begin with, of `fmkit.lab.plots.adam.OPTIMIZERS`.
    """
    where = ipywidgets.Dropdown(options=list(LANDSCAPES), value=landscape, description="landscape")
    factor = ipywidgets.SelectionSlider(options=_HALF_STEPS, value=1.0, description="rate ×")
    step = ipywidgets.IntSlider(0, min=0, max=STEPS, description="step")
    play = ipywidgets.Play(min=0, max=STEPS, interval=150)
    ipywidgets.jslink((play, "value"), (step, "value"))
    who = {name: _runner(name, name in names) for name in OPTIMIZERS}
    text, picture = (
        ipywidgets.HTML(),
        ipywidgets.Image(format="png", layout={"max_width": "100%", "align_self": "flex-start"}),
    )
    stage = _Stage()

    def redraw():
        running = [name for name, box in who.items() if box.value]
        picture.value = stage.frame(where.value, running, factor.value, step.value)
        land = LANDSCAPES[where.value]
        rates = ", ".join(f"{name} {land.rates[name] * factor.value:.2g}" for name in running)
        text.value = f"{land.says}<br>{f'Learning rates: {rates}' if rates else 'Choose who runs.'}"

    follow(redraw, where, factor, step, *who.values())
    return ipywidgets.VBox(
        [
            ipywidgets.HBox([where, factor]),
            ipywidgets.HBox(list(who.values())),
            ipywidgets.HBox([play, step]),
            text,
            picture,
        ]
    )


def _runner(name, value):
    return ipywidgets.Checkbox(value, description=name, indent=False, layout={"width": "auto"})


class _Stage:
    """One figure that is kept: the ground and the paths are made again only when they change."""

    def __init__(self):
        self.figure = Figure(figsize=(5.8, 3.3), dpi=96, layout="constrained")
        self.ground, self.losses = self.figure.subplots(1, 2)
        self.drawn = None  # what the axes show at present

    def frame(self, landscape: str, names: list[str], factor: float, step: int) -> bytes:
        """The PNG after ``step`` steps."""
        if self.drawn != (landscape, names, factor):
            self._set_up(landscape, names, factor)
            self.drawn = landscape, list(names), factor
        for name, (path, losses) in self.paths.items():
            line, dot, curve = self.lines[name]
            line.set_data(*path[: step + 1].T)
            dot.set_data(*path[step : step + 1].T)
            curve.set_data(range(step + 1), losses[: step + 1])
        frame = png(self.figure)
        self.figure.set_layout_engine("none")  # places are found once: nothing jumps while it plays
        return frame

    def _set_up(self, landscape, names, factor):
        land = LANDSCAPES[landscape]
        self.ground.clear()
        self.losses.clear()
        plots_adam.draw_ground(self.ground, land)
        self.ground.set(xlabel="weight 1", ylabel="weight 2")
        self.paths, self.lines = {}, {}
        for name in names:
            path = plots_adam.walk(land, name, factor)
            shade, style = plots_adam.colour(name)
            line = self.ground.plot([], [], style, color=shade, lw=1.4)[0]
            dot = self.ground.plot([], [], "o", color=shade, ms=5)[0]
            curve = self.losses.plot([], [], style, color=shade, lw=1.6, label=name)[0]
            self.paths[name], self.lines[name] = (path, land.loss(path.T)), (line, dot, curve)
        top = float(land.loss(path.T)[0]) if names else 1.0
        self.losses.set(xlim=(0, STEPS), ylim=(1e-5 * top, 10 * top), yscale="log", xlabel="step")
        self.losses.set_title("loss", loc="center", fontsize=9)
        if names:
            self.losses.legend(loc="lower left", fontsize=8, frameon=False)
