"""Chapter 05's pictures: small landscapes with one difficulty each, and the paths of optimizers on them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from fmkit import optimizers
from fmkit.lab.plots.style import BLACK, COLOURS, LINES, title_above

OPTIMIZERS = {
    "gradient descent": optimizers.sgd,
    "momentum": optimizers.momentum,
    "AdaGrad": optimizers.adagrad,
    "RMSProp": optimizers.rmsprop,
    "Adam": optimizers.adam,
}
_SETTINGS = {"RMSProp": {"beta": 0.9}, "Adam": {"betas": (0.9, 0.99)}}  # a memory that suits 100 steps
STEPS = 100
_DPI = 88  # a little less than elsewhere: many frames, and the chapter's file should stay small


@dataclass(frozen=True)
class Landscape:
    """A loss over two weights with its minimum at (0, 0).

    Attributes
    ----------
    loss : callable
        ``loss(w)`` for w of shape (2, ...).
    gradient : callable
        ``gradient(w, i, rng)``: what step number i gets to see at the point w.
    start : (float, float)
    rates : dict
        For each optimizer a learning rate that suits this landscape.
    says : str
        One sentence about the difficulty.
    """

    loss: Callable
    gradient: Callable
    start: tuple[float, float]
    rates: Mapping[str, float]
    says: str


def valley(steep: float, flat: float, degrees: float, rates: Mapping[str, float], says: str) -> Landscape:
    """A bowl with two curvatures, its steep direction turned by ``degrees`` away from the first axis."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turn = np.array([[c, s], [-s, c]])  # from the weights to the two directions
    curvature = np.array([steep, flat])
    hessian = turn.T @ (curvature[:, None] * turn)

    def loss(w):
        return 0.5 * np.tensordot(curvature, np.tensordot(turn, w, 1) ** 2, 1)

    start = turn.T @ np.array([0.5, 1.6])
    return Landscape(loss, lambda w, i, rng: hessian @ w, (float(start[0]), float(start[1])), rates, says)


def _bowl(w):
    return 0.5 * (w[0] * w[0] + w[1] * w[1])


def _stretched_bowl(w):
    return 0.5 * (8.0 * w[0] * w[0] + w[1] * w[1])


def _seldom(w, i, rng):
    """The gradient of `_stretched_bowl`, but the second weight's comes in every twentieth step only."""
    return np.array([8.0 * w[0], w[1] if i % 20 == 0 else 0.0])


def _rates(*values: float) -> dict[str, float]:
    return dict(zip(OPTIMIZERS, values, strict=True))


LANDSCAPES = {
    "ravine": valley(
        10.46,
        0.114,
        40.0,
        _rates(0.18, 0.056, 0.56, 0.056, 0.32),
        "Steep across, flat along, and not parallel to any weight.",
    ),
    "noise": Landscape(
        _bowl,
        lambda w, i, rng: w + rng.normal(size=2),
        (-1.6, 1.0),
        _rates(0.056, 0.0056, 0.32, 0.056, 0.056),
        "A round bowl, but each gradient has noise of size 1 in it.",
    ),
    "rare": Landscape(
        _stretched_bowl,
        _seldom,
        (-1.2, 1.6),
        _rates(0.18, 0.1, 1.0, 0.18, 0.32),
        "The vertical weight gets a gradient in every twentieth step only.",
    ),
    "scale": valley(
        10.0,
        0.1,
        0.0,
        _rates(0.18, 0.056, 1.8, 0.032, 0.1),
        "The horizontal weight's gradients are a hundred times the other's.",
    ),
}


def walk(
    landscape: Landscape, optimizer: str, factor: float = 1.0, steps: int = STEPS, seed: int = 0
) -> np.ndarray:
    """The path of one optimizer, shape (steps + 1, 2), at ``factor`` times its suitable learning rate."""
    rng, state = np.random.default_rng(seed), None
    w = np.array(landscape.start)
    path = [w]
    settings: dict[str, Any] = {"lr": factor * landscape.rates[optimizer], **_SETTINGS.get(optimizer, {})}
    for i in range(steps):
        w, state = OPTIMIZERS[optimizer](w, landscape.gradient(w, i, rng), state, **settings)
        w = np.clip(w, -1e6, 1e6)  # an exploding path is still drawn
        path.append(w)
    return np.stack(path)


def draw_ground(ax: Axes, landscape: Landscape) -> None:
    """The landscape as contour lines, with the minimum marked."""
    side = np.linspace(-2, 2, 121)
    heights = landscape.loss(np.stack(np.meshgrid(side, side)))
    levels = float(landscape.loss(np.array(landscape.start))) * 4.0 ** np.arange(-4, 1)
    ax.contour(side, side, heights, levels=levels, colors="0.75", linewidths=0.8)
    ax.plot(0, 0, marker="+", color=BLACK, ms=9, mew=1.5)
    ax.set(xlim=(-2, 2), ylim=(-2, 2), aspect="equal", xticks=range(-2, 3), yticks=range(-2, 3))
    ax.tick_params(labelsize=7.5)


def colour(optimizer: str) -> tuple[str, str]:
    """Colour and line of an optimizer, the same in every picture."""
    place = list(OPTIMIZERS).index(optimizer)
    return COLOURS[place], LINES[place]


def strip(
    landscape: Landscape,
    names: Sequence[str],
    *,
    title: str,
    frames: Sequence[int] = (2, 8, 25, 100),
    factor: float = 1.0,
    window: tuple[float, float, float, float] = (-2.0, 2.0, -2.0, 2.0),
) -> Axes:
    """The paths of some optimizers after each number of steps in ``frames``: the animation, for paper.

    ``window`` is the part that is shown: from left to right, then from below to above.
    """
    fig, axes = plt.subplots(1, len(frames), figsize=(6.2, 2.35), dpi=_DPI, sharey=True)
    paths = {name: walk(landscape, name, factor, max(frames)) for name in names}
    for ax, last in zip(axes, frames, strict=True):
        draw_ground(ax, landscape)
        for name, path in paths.items():
            shade, style = colour(name)
            ax.plot(*path[: last + 1].T, style, color=shade, lw=1.8 if style == ":" else 1.1, label=name)
            ax.plot(*path[last], "o", color=shade, ms=4.5)
        ax.set(xlim=window[:2], ylim=window[2:])
        ax.set_title(f"{last} steps", loc="center", fontsize=8.5)
        ax.set_xlabel("weight 1")
    axes[0].set_ylabel("weight 2")
    title_above(fig, title)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(names))
    return axes[0]


def race(
    sweeps: Mapping[str, Mapping[float, float]], finals: Mapping[str, Sequence[float]], *, title: str
) -> Axes:
    """Left, the loss for each learning rate tried; right, the loss of the best rate on each seed.

    Parameters
    ----------
    sweeps : for each optimizer, the loss by learning rate
    finals : for each optimizer, the losses of its best rate on several seeds
    """
    fig, (left, right) = plt.subplots(1, 2, figsize=(6.2, 3.3), dpi=_DPI, width_ratios=(3, 2))
    for place, (name, losses) in enumerate(sweeps.items()):
        shade, style = COLOURS[place % len(COLOURS)], LINES[place % len(LINES)]
        left.plot(list(losses), list(losses.values()), style, marker="o", ms=3, lw=1.4, color=shade)
        right.axhline(place, ls=style, lw=1.4, color=shade, alpha=0.45, zorder=0)  # whose line it is, left
        right.plot(finals[name], [place] * len(finals[name]), "o", ms=5.5, color=shade, alpha=0.8)
    low = min(min(seeds) for seeds in finals.values())
    left.set(
        xscale="log", ylim=(low - 0.05, low + 0.9), xlabel="learning rate", ylabel="validation loss, nats"
    )
    left.set_title("each rate once", loc="center", fontsize=8.5)
    right.set(xlabel="validation loss, nats", ylim=(len(finals) - 0.5, -0.5))
    right.set_yticks(range(len(finals)), list(finals))
    right.set_title("its best rate, three seeds", loc="center", fontsize=8.5)
    title_above(fig, title)
    return left
