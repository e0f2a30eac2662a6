"""The pictures of the course: plain functions on top of matplotlib, in colours that everyone can tell apart.

Each draws into ``ax`` (or a new figure of its own) and gives it back. A cell ends with ``plt.show()``.
"""

from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from fmkit._moved import names_of
from fmkit.lab.plots.style import (
    BLACK,
    BLUE,
    COLOURS,
    GREEN,
    HATCHES,
    LINES,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    legend_beside,
    title_above,
    use_style,
)

__all__ = ["BLACK", "BLUE", "COLOURS", "GREEN", "LINES", "ORANGE", "PURPLE", "RED", "SKY", "use_style"]

__getattr__ = names_of(__name__)  # old import lines


def curves(
    x: Iterable,
    series: Mapping[str, Iterable],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    log: str = "",
    ax: Axes | None = None,
) -> Axes:
    """One line for each entry of ``series``, named at its right end; ``log`` is "", "x", "y" or "xy"."""
    ax = ax or plt.subplots()[1]
    for i, (name, y) in enumerate(series.items()):
        colour, style = COLOURS[i % len(COLOURS)], LINES[i % len(LINES)]
        ax.plot(x, y, style, color=colour, lw=2, label=name)
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    if "x" in log:
        ax.set_xscale("log")
    if "y" in log:
        ax.set_yscale("log")
    if len(series) > 1:
        legend_beside(ax)
    return ax


def digits(
    images: Sequence | np.ndarray, titles: Sequence | np.ndarray = (), *, title: str = "", columns: int = 10
) -> Axes:
    """A grid of 8 x 8 digits, ink in black, each with its title."""
    return _grid(images, titles, title, columns, cmap="gray_r", vmin=0.0, vmax=1.0)


def maps(
    images: Sequence | np.ndarray,
    titles: Sequence | np.ndarray = (),
    *,
    title: str = "",
    label: str = "",
    columns: int = 5,
) -> Axes:
    """A grid of 8 x 8 maps of signed numbers on one scale: blue below zero, white at zero, red above."""
    top = float(np.abs(images).max()) or 1.0
    return _grid(images, titles, title, columns, label, cmap="RdBu_r", vmin=-top, vmax=top)


def _grid(images, titles, title, columns, label="", **style):
    images = np.asarray(images).reshape(len(images), 8, 8)
    rows = -(-len(images) // columns)
    columns = min(columns, len(images))
    side = 5.8 / max(columns, 5)
    fig, axes = plt.subplots(
        rows, columns, figsize=(side * columns, (side + 0.14) * rows + 0.35), squeeze=False
    )
    for i, ax in enumerate(axes.flat):
        ax.axis("off")
        if i < len(images):
            drawn = ax.imshow(images[i], **style)
            ax.set_title(titles[i] if i < len(titles) else "", fontsize=8.5, loc="center")
    if label:
        fig.colorbar(drawn, ax=axes, label=label, shrink=0.8)
    title_above(fig, title)
    return axes.flat[0]


def bars(
    series: Mapping[str, Iterable],
    ticks: Sequence,
    *,
    title: str,
    xlabel: str,
    ylabel: str,
    ax: Axes | None = None,
) -> Axes:
    """Bars side by side, one group for each tick."""
    ax = ax or plt.subplots()[1]
    places, width = np.arange(len(ticks)), 0.8 / len(series)
    for i, (name, values) in enumerate(series.items()):
        offset = (i - (len(series) - 1) / 2) * width
        ax.bar(places + offset, values, width, color=COLOURS[i], label=name, hatch=HATCHES[i % 3])
    ax.axhline(0, color=BLACK, lw=0.8)
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel, xticks=places, xticklabels=ticks)
    if len(series) > 1:
        legend_beside(ax)
    return ax


def table(
    values: Sequence | np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    title: str,
    limit: float,
    ax: Axes | None = None,
) -> Axes:
    """A table of errors: pale where the error is below ``limit`` (looks right), dark where it shows."""
    ax = ax or plt.subplots(figsize=(5.8, 0.42 * len(rows) + 0.9))[1]
    seen = np.asarray(values) > limit
    ax.imshow(seen, cmap="Blues", vmin=-0.25, vmax=1.6, aspect="auto")
    for i, j in np.ndindex(seen.shape):
        text = f"{values[i][j]:.2f}" if seen[i, j] else "0"
        ax.text(j, i, text, ha="center", va="center", weight="bold" if seen[i, j] else "normal")
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    ax.spines[:].set_visible(False)
    ax.set_title(title, pad=24)
    return ax


def shapes(blocks: Sequence[tuple[str, str, int, int]], *, title: str) -> Axes:
    """Matrices as boxes to scale, in one row: each is (name, sign before it, rows, columns).

    X, dX and Xᵀ have one colour, so that a matrix and its slope are seen to belong together.
    """
    _, ax = plt.subplots(figsize=(5.8, 2.0))
    tallest, at = max(rows for _, _, rows, _ in blocks), 0.0
    letters = sorted({name.strip("dᵀ") for name, _, _, _ in blocks})
    for name, sign, rows, columns in blocks:
        colour = COLOURS[letters.index(name.strip("dᵀ")) % 4]
        ax.text(at + 0.6, 0, sign, ha="center", va="center", fontsize=13)
        at += 1.4 if sign else 0.0
        ax.add_patch(plt.Rectangle((at, -rows / 2), columns, rows, fc=colour + "33", ec=colour, lw=2))
        ax.text(at + columns / 2, 0, name, ha="center", va="center", weight="bold")
        ax.text(
            at + columns / 2, -tallest / 2 - 0.3, f"({rows}, {columns})", ha="center", va="top", fontsize=8.5
        )
        at += columns
    ax.set(xlim=(-0.3, at + 0.3), ylim=(-tallest / 2 - 1.4, tallest / 2 + 0.3), title=title)
    ax.set_aspect("equal")
    ax.axis("off")
    return ax
