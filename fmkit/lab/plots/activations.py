"""Chapter 02's own pictures: the activations with their slopes, and what ten layers of one do."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from fmkit import activations
from fmkit.lab.plots.style import (
    BLACK,
    BLUE,
    COLOURS,
    HATCHES,
    LINES,
    ORANGE,
    RED,
    legend_beside,
    title_above,
)

NAMES = {
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "ReLU": "relu",
    "leaky ReLU": "leaky_relu",
    "GELU": "gelu_erf",
    "SiLU": "silu",
    "none (a line)": None,
}
ROWS, WIDTH, LAYERS, RANGE = 400, 64, 10, 3.0


def _pair(name):
    if name not in NAMES:
        raise ValueError(f"unknown activation {name!r}; known are {', '.join(NAMES)}")
    if NAMES[name] is None:
        return lambda x: (x, None), lambda dout, cache: dout
    return getattr(activations, NAMES[name]), getattr(activations, NAMES[name] + "_backward")


def value_and_slope(name: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An activation and its slope at each x; ``name`` is a key of `NAMES`."""
    forward, backward = _pair(name)
    out, cache = forward(x)
    return out, backward(np.ones_like(x), cache)


def through_layers(name: str, scale: float) -> tuple[list[np.ndarray], list[float]]:
    """Push 400 rows of 64 standard normal numbers through ten random layers.

    Every layer has weights of standard deviation ``scale / sqrt(64)``, no bias, and the activation.

    Returns
    -------
    seen : list of arrays (400, 64)
        The input, then what comes out of each layer.
    slopes : list of float
        For each layer the mean slope of its activation, where it was entered.
    """
    rng = np.random.default_rng(0)
    seen, slopes = [rng.normal(size=(ROWS, WIDTH))], []
    for _ in range(LAYERS):
        weights = scale / np.sqrt(WIDTH) * rng.normal(size=(WIDTH, WIDTH))
        out, slope = value_and_slope(name, seen[-1] @ weights)
        seen.append(out)
        slopes.append(float(slope.mean()))
    return seen, slopes


def gallery(names: Sequence[str], *, title: str) -> Axes:
    """A panel for each of six activations: the curve, and its slope dashed."""
    fig, axes = plt.subplots(2, 3, figsize=(5.8, 3.9), sharex=True, sharey=True)
    x = np.linspace(-4, 4, 401)
    for ax, name in zip(axes.flat, names, strict=True):
        _draw_curve(ax, name, x)
        ax.set(title=name, xlim=(-4, 4), ylim=(-1.2, 2.2))
    fig.supxlabel("x", fontsize=9.5)
    axes.flat[0].legend(loc="upper left", handlelength=1.6)
    title_above(fig, title)
    return axes.flat[0]


def _draw_curve(ax, name, x):
    out, slope = value_and_slope(name, x)
    ax.axhline(0, color=BLACK, lw=0.5)
    ax.axvline(0, color=BLACK, lw=0.5)
    ax.plot(x, out, color=BLUE, lw=2, label="curve")
    if name in ("ReLU", "leaky ReLU"):
        slope = np.where(np.abs(x) < 1e-9, np.nan, slope)  # a jump is not a line
    ax.plot(x, slope, "--", color=RED, lw=1.6, label="slope")


def ten_layers(name: str, scale: float, axes: tuple[Axes, Axes] | None = None) -> str:
    """The activation with its slope, and the distribution of what comes out of each of ten layers of it.

    Parameters
    ----------
    name : str
        A key of `NAMES`.
    scale : float
        The weights' standard deviation is scale / sqrt(number of inputs).
    axes : (Axes, Axes), optional

    Returns
    -------
    str
        What is to be seen, in words.
    """
    if axes is None:
        fig = plt.figure(figsize=(5.8, 3.2))
        axes = tuple(fig.subplots(1, 2, width_ratios=(1, 1.5)))
    seen, slopes = through_layers(name, scale)
    _draw_curve(axes[0], name, np.linspace(-4, 4, 401))
    axes[0].set(title=f"{name} and its slope", xlabel="x", ylim=(-1.2, 2.2), xlim=(-4, 4))
    axes[0].legend(loc="upper left", handlelength=1.6)
    _ridges(axes[1], seen, slopes)
    said = verdict(name, seen, slopes)
    what, _, apart = said.rpartition(", ")
    axes[1].set_title(f"ten layers, scale {scale:.2f}, {apart}:\n{what}", pad=14, x=-0.12)
    return said


def _ridges(ax, seen, slopes):
    """A histogram for each layer, one below the other; beside it the root mean square and the mean slope."""
    edges = np.linspace(-RANGE, RANGE, 91)
    middle = (edges[1:] + edges[:-1]) / 2
    for layer, h in enumerate(seen):
        counts, _ = np.histogram(h, edges)
        height = np.minimum(0.9 * counts / max(np.sort(counts)[-2], 1), 0.9)  # one spike is cut off
        colour = ORANGE if layer == 0 else BLUE
        ax.fill_between(middle, -layer, height - layer, step="mid", color=colour, alpha=0.55, lw=0)
        ax.step(middle, height - layer, where="mid", color=colour, lw=0.9)
        ax.text(RANGE * 1.03, 0.15 - layer, _short(size_of(h)), fontsize=8)
        if layer:
            ax.text(RANGE * 1.36, 0.15 - layer, f"{slopes[layer - 1]:.2f}", fontsize=8)
    ax.text(RANGE * 1.03, 1.1, "size", fontsize=8)
    ax.text(RANGE * 1.36, 1.1, "slope", fontsize=8)
    names = ["input", *range(1, len(seen))]
    ax.set_yticks([0.15 - i for i in range(len(seen))], names)
    ax.set(xlim=(-RANGE, RANGE), ylim=(0.9 - len(seen), 1.1), xlabel="value behind the layer", ylabel="layer")
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def _short(number):
    if number >= 10:
        return f"{number:.0f}" if number < 1e4 else f"{number:.0e}"
    return f"{number:.2f}" if number >= 0.01 else f"{number:.0e}"


def size_of(h: np.ndarray) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(h * h)))


def verdict(name: str, seen: Sequence[np.ndarray], slopes: Sequence[float]) -> str:
    """In words: what the layers make of the size, whether the units still react, how far the rows are apart.

    The size is compared with that behind the *first* layer: a sigmoid halves what it is given and then
    keeps that. How far rows are apart is the size of their difference from the average row.
    """
    last = size_of(seen[-1])
    ratio = last / max(size_of(seen[1]), 1e-300)
    what = f"the size stays near {_short(last)}"
    if not 2 / 3 < ratio < 3 / 2:
        what = f"the size {'shrinks' if ratio < 1 else 'grows'} to {_short(last)}"
    if not 0.1 < ratio < 10:
        what = "the numbers die out" if ratio < 1 else "the numbers explode"
    apart = size_of(seen[-1] - seen[-1].mean(0)) / max(last, 1e-300)
    steepest = value_and_slope(name, np.linspace(-4, 4, 401))[1].max()
    saturated = "saturated, " if slopes[-1] < 0.35 * steepest else ""
    return f"{what}, {saturated}rows {apart:.0%} apart"


def starts(
    steps: Sequence[int], curves: Mapping[str, np.ndarray], *, title: str, xlabel: str, ylabel: str
) -> Axes:
    """A panel for each kind of first weights, a line for each run: nothing hides behind anything.

    Parameters
    ----------
    steps : increasing whole numbers
        When the runs were looked at.
    curves : dict of arrays (runs, len(steps))
        Shares, by the name of the first weights.
    """
    fig, axes = plt.subplots(1, len(curves), figsize=(5.8, 2.6), sharex=True, sharey=True)
    shown = [step for step in (0, 8, 256) if step in steps] or [steps[0], steps[-1]]
    for ax, (name, runs) in zip(axes, curves.items(), strict=True):
        for i, run in enumerate(runs):
            ax.plot(steps, run, LINES[i % len(LINES)], color=COLOURS[i % len(COLOURS)], lw=1.6)
        ax.set_xscale("symlog", linthresh=1)
        ax.set_title(name, fontsize=9.5)
        ax.set(ylim=(-0.03, 1.03), xticks=shown, xticklabels=[str(step) for step in shown])
        ax.minorticks_off()
        ax.tick_params(axis="x", labelsize=8)
    axes[0].set_ylabel(ylabel)
    fig.supxlabel(xlabel, fontsize=9.5)
    title_above(fig, title)
    return axes[0]


def shares(
    series: Mapping[str, Mapping[str, Sequence[float]]], *, title: str, xlabel: str, ylabel: str
) -> Axes:
    """Bars side by side: the mean of some runs, a line from the lowest to the highest, the mean in percent.

    Parameters
    ----------
    series : dict of dicts of sequences
        The shares of the runs, by the name of the series and that of the group.
    """
    ax = plt.subplots()[1]
    width = 0.84 / len(series)
    for i, (name, groups) in enumerate(series.items()):
        at = np.arange(len(groups)) + (i - (len(series) - 1) / 2) * width
        mean, low, high = (np.array([f(runs) for runs in groups.values()]) for f in (np.mean, np.min, np.max))
        ax.bar(at, mean, width, color=COLOURS[i], label=name, hatch=HATCHES[i % 3], edgecolor="white", lw=0)
        ax.errorbar(at, mean, (mean - low, high - mean), fmt="none", ecolor=BLACK, elinewidth=1.2)
        for place, value, top in zip(at, mean, high, strict=True):
            ax.text(place, top + 0.015, f"{100 * value:.0f}", ha="center", va="bottom", fontsize=7.5)
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel, ylim=(0, 1.08))
    ax.set_xticks(range(len(groups)), list(groups))
    legend_beside(ax)
    return ax
