"""Chapter 03's pictures: a loss over two weights as a landscape, and the calibration of probabilities."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from fmkit.lab.plots.style import BLACK, COLOURS, MARKERS, RED, legend_beside


def surface(
    grid: np.ndarray,
    heights: np.ndarray,
    *,
    title: str,
    path: np.ndarray | None = None,
    turn: float | int = -60,
    tilt: float | int = 30,
    labels: tuple[str, str] = ("first weight", "second weight"),
    ax: Axes | None = None,
) -> Axes:
    """A loss over two weights, seen from any side.

    Parameters
    ----------
    grid : array (K,)
        The values of each weight.
    heights : array (K, K)
        ``heights[i, j]``, drawn upwards, is the loss at first weight ``grid[j]``, second weight ``grid[i]``.
    path : array (steps, 3), optional
        Where a descent went: first weight, second weight, loss. Its start is a ring, its end a dot.
    turn, tilt : float
        The viewpoint, in degrees: around the vertical axis, and above the horizon.
    ax : Axes, optional
        A flat one is replaced by one in three dimensions in its place.
    """
    ax = _deep(ax or plt.subplots(figsize=(4.6, 3.8))[1])
    w1, w2 = np.meshgrid(grid, grid)
    ax.computed_zorder = False  # the path is drawn over the landscape, also where a hill would hide it
    ax.plot_surface(w1, w2, heights, cmap="viridis", rcount=40, ccount=40, linewidth=0, zorder=1)
    if path is not None:
        x, y, z = path.T
        ax.plot(x, y, z, "-", color=RED, lw=2.5, zorder=3)
        ax.plot(x[:1], y[:1], z[:1], "o", mfc="white", mec=RED, mew=2, ms=8, zorder=4)
        ax.plot(x[-1:], y[-1:], z[-1:], "o", color=RED, ms=6, zorder=5)
    ax.view_init(tilt, turn)
    ax.set_title(title, loc="left", fontsize=9.5)
    ax.set_xlabel(labels[0], fontsize=8.5, labelpad=-4)
    ax.set_ylabel(labels[1], fontsize=8.5, labelpad=-4)
    ax.set_xticks(np.linspace(grid[0], grid[-1], 3))
    ax.set_yticks(np.linspace(grid[0], grid[-1], 3))
    ax.tick_params(labelsize=8, pad=-2)
    return ax


def _deep(ax):
    """``ax`` itself if it has three dimensions, else one that has in its place."""
    if hasattr(ax, "set_zlabel"):
        return ax
    figure, place = ax.figure, ax.get_subplotspec()
    ax.remove()
    return figure.add_subplot(place, projection="3d")


def reliability(
    series: Mapping[str, np.ndarray], y: np.ndarray, *, title: str, bins: int = 10, ax: Axes | None = None
) -> Axes:
    """The share of class 1 against the predicted probability: on the diagonal they are the same.

    Parameters
    ----------
    series : dict of arrays (N,)
        Predicted probabilities of class 1, by the name of the model.
    y : array (N,) of 0 and 1
    bins : int
        Number of bins, of equal width, for the predictions; a bin with fewer than 10 is left out. The bars
        are two standard errors of the share to each side.
    """
    ax = ax or plt.subplots(figsize=(5.8, 3.6))[1]
    ax.plot([0, 1], [0, 1], color=BLACK, lw=0.8, ls=":", label="as often as said")
    for i, (name, p) in enumerate(series.items()):
        said, came, count = _binned(p, y, bins)
        error = 2 * np.sqrt(came * (1 - came) / count)
        ax.errorbar(said, came, error, marker=MARKERS[i], color=COLOURS[i], lw=1.5, ms=5, label=name)
    ax.set(title=title, xlabel="it said: probability of class 1", ylabel="it came: share of class 1")
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    legend_beside(ax)
    return ax


def off_the_diagonal(p: np.ndarray, y: np.ndarray, *, bins: int = 10) -> tuple[int, int]:
    """How many points of a reliability diagram miss the diagonal by more than their bar, and of how many."""
    said, came, count = _binned(p, y, bins)
    error = 2 * np.sqrt(came * (1 - came) / count)
    return int((np.abs(said - came) > error).sum()), len(count)


def _binned(p, y, bins):
    """Mean prediction, share of class 1 and number of each bin with at least 10 in it."""
    place = np.minimum((p * bins).astype(int), bins - 1)
    count = np.bincount(place, minlength=bins)
    said, came = (np.bincount(place, values, minlength=bins) for values in (p, y))
    full = count >= 10
    return said[full] / count[full], came[full] / count[full], count[full]
