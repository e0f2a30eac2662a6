"""Chapter 08's pictures: what each method reaches and costs, and what several models say of a text."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from fmkit.lab.plots.style import BLACK, BLUE, COLOURS, MARKERS, RED, title_above


def runs(
    points: Mapping[str, Sequence[tuple]],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    log: bool = False,
    band: tuple[float, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One mark for each run, one kind of mark for each method, the method's name beside its mean.

    Parameters
    ----------
    points : for each method, its runs' (x, y)
    log : bool
        A logarithmic x axis.
    band : (height, words), optional
        A dashed line across, with words on it: something to compare with.
    """
    ax = ax or plt.subplots(figsize=(5.8, 3.3))[1]
    for i, (name, places) in enumerate(points.items()):
        x, y = np.array(places, dtype=float).T
        ax.plot(x, y, MARKERS[i % len(MARKERS)], color=COLOURS[i % len(COLOURS)], ms=6, alpha=0.8)
        above = {"xytext": (0, 8), "va": "bottom"} if i % 2 == 0 else {"xytext": (0, -8), "va": "top"}
        edge = y.max() if i % 2 == 0 else y.min()
        ax.annotate(name, (x.mean(), edge), textcoords="offset points", ha="center", fontsize=8.5, **above)
    if log:
        ax.set_xscale("log")
    ax.margins(x=0.14, y=0.2)
    if band:
        ax.axhline(band[0], color=BLACK, lw=0.9, ls="--")
        place = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "bottom"}
        ax.annotate(band[1], (0.99, band[0]), **place, fontsize=8)
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    return ax


def opinions(said: Mapping[str, Mapping[str, float]], *, title: str, axes: Sequence[Axes] | None = None):
    """For each text, each model's probability of being positive: bars from one half, to the right and left.

    Parameters
    ----------
    said : for each text, {model: probability of being positive}
    """
    if axes is None:
        size = (6.0, 0.95 * len(said) + 0.7)
        fig, axes = plt.subplots(len(said), 1, figsize=size, sharex=True, squeeze=False)
        axes = axes[:, 0]
        title_above(fig, title)
    for ax, (text, models) in zip(axes, said.items(), strict=True):
        shares = np.array(list(models.values())) - 0.5
        colours = [BLUE if share > 0 else RED for share in shares]
        ax.barh(range(len(models)), shares, left=0.5, color=colours, height=0.7)
        ax.axvline(0.5, color=BLACK, lw=0.8)
        ax.set_yticks(range(len(models)), list(models))
        ax.set_title(text, fontsize=8.5)
        ax.set(xlim=(0, 1), ylim=(len(models) - 0.4, -0.6))
    axes[-1].set_xlabel("negative  ←   probability of being positive   →  positive")
    return axes[0]
