"""Chapter 13's pictures: two weights on a lattice, size against quality, guesses that stay."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator, ScalarFormatter

from fmkit.lab.plots.style import BLACK, BLUE, GREEN, ORANGE, title_above

REACH = 2.1  # of the lattice's picture, in steps: both rings of the notebook's example fit


def lattice(
    w: Sequence[float], together: float, *, scale: float = 1.0, title: str = "", ax: Axes | None = None
) -> Axes:
    """Two weights, the whole numbers that they may become, and rings of equal error of the *output*.

    Parameters
    ----------
    w : two numbers
    together : float
        How much the two inputs go together, -1 to 1: their correlation.
    scale : float
        The distance between the allowed values.
    """
    ax = ax or plt.subplots(figsize=(4.6, 4.0))[1]
    w, hessian = np.asarray(w, dtype=float), np.array([[1.0, together], [together, 1.0]])
    ticks = scale * np.arange(-3, 4)
    points = np.stack(np.meshgrid(ticks, ticks), -1).reshape(-1, 2)
    nearest, best = chosen_points(points, w, hessian)
    a, b = np.meshgrid(*(np.linspace(v - REACH * scale, v + REACH * scale, 121) for v in w))
    off = np.stack([a, b], -1) - w
    error = np.einsum("...i,ij,...j->...", off, hessian, off)
    levels = sorted({output_error_at(point, w, hessian) for point in (nearest, best)})
    levels = [v for i, v in enumerate(levels) if v > 1e-9 and (i == 0 or v > levels[i - 1] * 1.001)]
    if levels:
        ax.contour(a, b, error, levels=levels, colors=[BLACK], linewidths=1.0, linestyles="--")
    inside = points[np.abs(points - w).max(1) < (REACH - 0.05) * scale]  # none cut by the frame
    ax.plot(*inside.T, ls="", marker=".", color=BLACK, ms=5, label="allowed")
    ax.plot(*w, ls="", marker="*", color=BLUE, ms=13, label="the weights")
    ax.plot(*nearest, ls="", marker="s", color=ORANGE, ms=9, label="nearest")
    ax.plot(*best, ls="", marker="o", mfc="none", mec=GREEN, mew=2, ms=15, label="best outputs")
    ax.set(
        xlim=(w[0] - REACH * scale, w[0] + REACH * scale),
        ylim=(w[1] - REACH * scale, w[1] + REACH * scale),
        xlabel="first weight",
        ylabel="second weight",
        title=title,
        aspect="equal",
    )
    ax.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.02, 1.0), frameon=False)
    return ax


def chosen_points(points: np.ndarray, w: np.ndarray, hessian: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of some points (N, 2) the one nearest to w, and the one whose outputs are nearest to w's."""
    off = points - w
    return points[(off**2).sum(1).argmin()], points[np.einsum("ni,ij,nj->n", off, hessian, off).argmin()]


def output_error_at(point: np.ndarray, w: np.ndarray, hessian: np.ndarray) -> float:
    """The squared error of the output that comes of weights at ``point`` instead of at w."""
    return float((point - w) @ hessian @ (point - w))


def frontiers(
    costs: Mapping[str, Mapping[str, float]],
    qualities: Mapping[str, Mapping[str, tuple[float, float, float]]],
    *,
    title: str,
) -> Figure:
    """Costs against qualities, a column for each cost and a row for each quality.

    In each panel the models that nothing as cheap or cheaper beats are joined. What has a quality, and no
    cost of this kind, is a line across.

    Parameters
    ----------
    costs : for each axis label, the cost of each name
        Names are numbered by the first cost; they stand beside the picture.
    qualities : for each axis label, (quality, low, high) of each name
    """
    first, *others = costs.values()
    names = list(dict.fromkeys([*sorted(first, key=first.get), *(name for each in others for name in each)]))
    numbers = {name: i for i, name in enumerate(names, 1)}
    shape = {"nrows": len(qualities), "ncols": len(costs), "squeeze": False}
    fig, axes = plt.subplots(**shape, sharex="col", sharey="row", figsize=(8.6, 2.6 * len(qualities)))
    for row, (ylabel, quality) in zip(axes, qualities.items(), strict=True):
        row[0].set_ylabel(ylabel)
        for ax, cost in zip(row, costs.values(), strict=True):
            _frontier(ax, {n: (cost[n], *quality[n]) for n in cost if n in quality}, numbers)
            for style, name in zip((":", "-."), [n for n in names if n not in first], strict=False):
                if name in quality and name not in cost:
                    ax.axhline(quality[name][0], color=BLACK, lw=0.8, ls=style, zorder=0)
                    place, inside = (0.005, quality[name][0]), ("axes fraction", "data")
                    ax.annotate(str(numbers[name]), place, xycoords=inside, fontsize=8, va="bottom")
    for ax, label in zip(axes[-1], costs, strict=True):
        ax.set_xlabel(label)
        ax.set_xscale("log")
        ax.margins(x=0.12)  # room for the numbers
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.xaxis.set_minor_locator(NullLocator())
    handles = [Line2D([], [], ls="") for _ in names]
    words = [f"{number:2}  {name}" for name, number in numbers.items()]
    fig.legend(handles, words, loc="outside right upper", fontsize=7.5, handlelength=0, handletextpad=0)
    title_above(fig, title)
    return fig


def _frontier(ax: Axes, points: Mapping[str, tuple], numbers: Mapping[str, int]) -> None:
    """One panel of `frontiers`: (cost, quality, low, high) of each name."""
    best, joined, last = -np.inf, [], None
    for name, (cost, quality, low, high) in sorted(
        points.items(), key=lambda item: (item[1][0], -item[1][1])
    ):
        leads = quality > best
        best = max(best, quality)
        if leads:
            joined.append((cost, quality))
        style = {"fmt": "o", "color": BLUE} if leads else {"fmt": "s", "color": ORANGE}
        bars = [[quality - low], [high - quality]]
        ax.errorbar([cost], [quality], yerr=bars, ms=4.5, capsize=2, lw=0.8, **style)
        side = {"xytext": (-5, -3), "ha": "right"} if cost == last else {"xytext": (5, -3)}
        ax.annotate(str(numbers[name]), (cost, quality), textcoords="offset points", fontsize=8, **side)
        last = cost  # of two that cost the same the second has its number on the left
    ax.plot(*np.transpose(joined), color=BLUE, lw=1.0, zorder=0)


def layer_errors(rows: Mapping[str, tuple[float, float]], *, title: str, ax: Axes | None = None) -> Axes:
    """For each way of rounding the error of the weights and of the outputs, and an arrow for a pair."""
    ax = ax or plt.subplots(figsize=(5.4, 3.4))[1]
    for name, (weights, outputs) in rows.items():
        careful = name.endswith("GPTQ")
        style = {"marker": "o", "color": BLUE} if careful else {"marker": "s", "color": ORANGE}
        ax.plot([weights], [outputs], ls="", ms=7, **style)
        ax.annotate(
            name, (weights, outputs), xytext=(8, 0), textcoords="offset points", fontsize=8, va="center"
        )
        plain = rows.get(name.removesuffix(", GPTQ"))
        if careful and plain:
            ax.annotate(
                "", (weights, outputs), plain, arrowprops={"arrowstyle": "->", "color": BLACK, "lw": 1}
            )
    ax.set(
        title=title,
        xlabel="error of the weights (part of their size)",
        ylabel="error of the outputs\n(part of their size)",
        xscale="log",
        yscale="log",
    )
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(FixedLocator([0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0]))
        axis.set_major_formatter(ScalarFormatter())
        axis.set_minor_locator(NullLocator())
    left, right = ax.get_xlim()
    ax.set_xlim(left, right * 1.7)  # room for the names
    return ax
