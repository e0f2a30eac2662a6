"""Chapter 11's pictures: one measure against another, intervals one below the other, a board of scores."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from fmkit.lab.plots.style import BLACK, BLUE, COLOURS, HATCHES, ORANGE, legend_beside


def against(
    points: Mapping[str, tuple[float, float]],
    named: Sequence[str],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    marked: Sequence[str] = (),
    ax: Axes | None = None,
) -> Axes:
    """One dot for each system: what one measure says against what another says.

    Parameters
    ----------
    points : for each name, (x, y)
    named : sequence of str
        The dots whose names stand beside them: on the left where another dot is close on the right.
    marked : sequence of str
        The dots that are squares of another colour.
    """
    ax = ax or plt.subplots(figsize=(5.8, 3.8))[1]
    places = np.array(list(points.values()), dtype=float)
    span = np.ptp(places, axis=0)
    for name, (x, y) in points.items():
        style = {"marker": "s", "color": ORANGE} if name in marked else {"marker": "o", "color": BLUE}
        ax.plot([x], [y], ls="", ms=6, **style)
        if name in named:
            right, up = ((places - (x, y)) / np.maximum(span, 1e-12)).T
            crowded = ((right > 0) & (right < 0.2) & (np.abs(up) < 0.04)).any()
            side = {"xytext": (-6, 0), "ha": "right"} if crowded else {"xytext": (6, 0)}
            ax.annotate(name, (x, y), textcoords="offset points", fontsize=8, va="center", **side)
    left, right = ax.get_xlim()
    ax.set_xlim(left, right + 0.2 * (right - left))  # room for the names
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    return ax


def ranges(
    rows: Mapping[str, tuple[float, float, float]],
    *,
    title: str,
    xlabel: str,
    zero: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Figures with their intervals, one below the other.

    Parameters
    ----------
    rows : for each name, (figure, low, high)
    zero : float, optional
        A line down, to compare with.
    """
    ax = ax or plt.subplots(figsize=(5.8, 0.24 * len(rows) + 0.9))[1]
    figure, low, high = np.array(list(rows.values()), dtype=float).T
    places = np.arange(len(rows))
    ax.errorbar(figure, places, xerr=[figure - low, high - figure], fmt="o", color=BLUE, ms=4, capsize=2)
    if zero is not None:
        ax.axvline(zero, color=BLACK, lw=0.8, ls=":")
    ax.set_yticks(places, list(rows))
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set(title=title, xlabel=xlabel)
    return ax


def scoreboard(
    scores: Mapping[str, Mapping[str, float]], *, title: str, xlabel: str = "score", ax: Axes | None = None
) -> Axes:
    """What several measures say of several texts: a group of bars for each text.

    Parameters
    ----------
    scores : for each text, {measure: value}
    """
    measures = list(next(iter(scores.values())))
    ax = ax or plt.subplots(figsize=(5.8, 0.16 * len(scores) * (len(measures) + 1) + 0.9))[1]
    places, height = np.arange(len(scores)), 0.8 / len(measures)
    for i, measure in enumerate(measures):
        values = [found[measure] for found in scores.values()]
        offset = (i - (len(measures) - 1) / 2) * height
        style = {"color": COLOURS[i], "hatch": HATCHES[i % 3], "label": measure}
        drawn = ax.barh(places + offset, values, height, **style)
        ax.bar_label(drawn, fmt="%.2f", fontsize=7, padding=2)
    ax.set_yticks(places, list(scores))
    ax.set(ylim=(len(scores) - 0.5, -0.5), title=title, xlabel=xlabel)
    ax.margins(x=0.12)
    if len(measures) > 1:
        legend_beside(ax)
    return ax
