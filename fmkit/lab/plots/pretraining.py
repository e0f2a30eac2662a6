"""Chapter 07's pictures: rows of characters, loss curves with levels to read them by, scaling, speedrun."""

import itertools
from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter

from fmkit._types import Array
from fmkit.lab.plots.style import BLACK, COLOURS, LINES, MARKERS, ORANGE, legend_beside


def visible(token: str) -> str:
    """A token as it is shown: a space as an open box, a line break as an arrow."""
    return {" ": "␣", "\n": "↵"}.get(token, token)


def strips(
    rows: Mapping[str, Sequence[str]], *, title: str, marked: Mapping[str, Sequence[int]] | None = None
) -> Axes:
    """Rows of tokens in boxes, one below the other; places in ``marked`` are shaded and in bold.

    Parameters
    ----------
    rows : dict
        For each row its name and its tokens; an empty one is drawn as an empty box.
    marked : dict, optional
        For a row's name the places to shade.
    """
    wide = {token: max(1.0, 0.55 * len(token)) for tokens in rows.values() for token in tokens}
    longest = max(sum(wide[token] for token in tokens) for tokens in rows.values())
    _, ax = plt.subplots(figsize=(6.0, 0.34 * len(rows) + 0.45))
    for y, (name, tokens) in enumerate(rows.items()):
        ax.text(-0.4, y, name, ha="right", va="center", fontsize=8.5)
        x = 0.0
        for place, token in enumerate(tokens):
            is_marked = place in (marked or {}).get(name, ())
            face = ORANGE + "77" if is_marked else "white"
            ax.add_patch(plt.Rectangle((x, y - 0.42), wide[token], 0.84, fc=face, ec="0.75", lw=0.6))
            style = {"ha": "center", "va": "center", "weight": "bold" if is_marked else "normal"}
            ax.text(x + wide[token] / 2, y, visible(token), fontsize=8.5, **style)
            x += wide[token]
    ax.set(xlim=(-0.2, longest + 0.1), ylim=(len(rows) - 0.4, -0.6), title=title)
    ax.axis("off")
    return ax


def smoothed(values: Iterable, window: int) -> tuple[np.ndarray, np.ndarray]:
    """Means of ``window`` neighbours, and the place of the middle of each."""
    window = min(window, len(values))
    means = np.convolve(values, np.ones(window) / window, "valid")
    return np.arange(len(means)) + (window - 1) / 2, means


def loss_curves(
    curves: Mapping[str, Sequence],
    *,
    title: str,
    levels: Mapping[str, float] | None = None,
    window: int = 10,
    raw: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """The loss of each batch against the step, smoothed; with ``levels``, horizontal lines to read it by.

    Parameters
    ----------
    curves : dict of sequences
        The loss of each batch, by the name of the run.
    levels : dict of float, optional
        Losses of known models, by what they know.
    window : int
        Number of batches in each mean.
    raw : bool
        Also draw each batch as a dot.
    """
    ax = ax or plt.subplots(figsize=(5.9, 3.2))[1]
    for name, value in (levels or {}).items():
        ax.axhline(value, color="0.6", lw=0.8, ls=":")
        place = {"transform": ax.get_yaxis_transform(), "va": "center"}  # right of the axes
        ax.text(1.0, value, f" {name} {value:.2f}", fontsize=8, **place)
    for i, (name, values) in enumerate(curves.items()):
        if raw:
            ax.plot(values, ".", color=COLOURS[i], ms=2.5, alpha=0.3)
        ax.plot(*smoothed(values, window), LINES[i], color=COLOURS[i], lw=1.8, label=name)
    ax.set(title=title, xlabel="step", ylabel="loss (nats)")
    if len(curves) > 1:
        ax.legend(loc="upper right")
    return ax


def scaling(
    points: Mapping[str, tuple],
    *,
    title: str,
    xlabel: str,
    fits: Mapping[str, tuple] | None = None,
    ylabel: str = "validation loss (nats)",
    ax: Axes | None = None,
) -> Axes:
    """Losses against sizes, both axes logarithmic, with fitted laws as thin dashed lines."""
    ax = ax or plt.subplots(figsize=(5.8, 3.1))[1]
    for i, (name, (x, y)) in enumerate(points.items()):
        ax.plot(x, y, MARKERS[i], color=COLOURS[i], ms=6, label=name)
    for i, (name, (x, y)) in enumerate((fits or {}).items()):
        ax.plot(x, y, "--", color=COLOURS[(i + len(points)) % len(COLOURS)], lw=1.2, label=name)
    ax.set(xscale="log", yscale="log", title=title, xlabel=xlabel, ylabel=ylabel)
    low, high = ax.get_ylim()
    ticks = [t for t in (0.2, 0.5, 1.0, 1.5, 1.6, 1.8, 2.0, 2.2, 2.5, 3.0, 4.0) if low <= t <= high]
    ax.set_yticks(ticks, [f"{t:g}" for t in ticks])
    ax.minorticks_off()
    if len(points) + len(fits or {}) > 1:
        legend_beside(ax)
    return ax


def by_seconds(
    runs: Mapping[str, tuple],
    *,
    title: str,
    goal: float | int | None = None,
    ylim: tuple | None = None,
    order: Iterable[str] = (),
) -> Axes:
    """Validation loss against the CPU seconds spent, logarithmic, one line for each run.

    Parameters
    ----------
    runs : for each name the pair (seconds, losses)
    goal : float, optional
        A loss to be reached: a dotted line.
    ylim : pair of floats, optional
    order : names
        Of runs in another picture: those that are here, too, look as they do there.
    """
    _, ax = plt.subplots(figsize=(5.9, 3.3))
    if goal is not None:
        ax.axhline(goal, color=BLACK, lw=0.8, ls=":")
        place = {"xycoords": ("axes fraction", "data"), "va": "bottom"}
        ax.annotate("goal", (0.01, goal), **place, fontsize=8)
    looks = list(dict.fromkeys([*order, *runs]))
    for name, (seconds, losses) in runs.items():
        i = looks.index(name)
        ax.plot(
            seconds,
            losses,
            LINES[i % 7],
            marker=MARKERS[i % 7],
            ms=3,
            color=COLOURS[i % 7],
            lw=1.6,
            label=name,
        )
    ax.set(xscale="log", title=title, xlabel="CPU seconds", ylabel="validation loss (nats)", ylim=ylim)
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    legend_beside(ax)
    return ax


def changes(
    names: Sequence[str],
    losses: Array,
    *,
    title: str,
    noise: float | int,
    xlabel: str = "validation loss (nats)",
) -> Axes:
    """A stair of changes, each kept for the next: a bar from the mean loss before to the one after it.

    Parameters
    ----------
    names : sequence
        What was changed.
    losses : (1 + changes, seeds)
        The losses without any change, and those that each change led to: a dot for each seed.
    noise : float
        How much the losses of two runs differ that have different seeds only. A bar is grey unless every seed
        has gained more, or lost more.
    """
    losses = np.asarray(losses)
    _, ax = plt.subplots(figsize=(6.0, 0.28 * len(names) + 1.1))
    seen = {}
    for y, (before, after) in enumerate(itertools.pairwise(losses)):
        gains, start, end = before - after, before.mean(), after.mean()
        kind = "better" if min(gains) > noise else "worse" if max(gains) < -noise else "within the noise"
        colour = {"better": COLOURS[0], "worse": COLOURS[1]}.get(kind, "0.55")
        seen[kind] = ax.barh(y, end - start, 0.62, left=start, color=colour)
        ax.plot([end, end], [y - 0.31, y + 1.31], color=BLACK, lw=0.7)  # on to the next step
        ax.plot(after, [y] * len(after), ".", color=BLACK, ms=3)
        ax.text(max(start, *after), y, f" {end:.2f}", ha="left", va="center", fontsize=8)
    ax.set(yticks=range(len(names)), yticklabels=names, title=title, xlabel=xlabel)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.margins(x=0.16)
    ax.legend(seen.values(), seen.keys(), loc="lower right")
    return ax
