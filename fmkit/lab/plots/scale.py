"""Chapter 15's pictures: pieces in a ring, a pipeline's hours, plans beside reports, a law."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from fmkit.lab.plots.style import BLACK, BLUE, GREEN, HATCHES, ORANGE, RED, SKY


def ring(states: Sequence[np.ndarray], *, title: str) -> Axes:
    """Which ranks' parts are in each piece that a rank holds: a table for each step of the ring.

    Parameters
    ----------
    states : sequence of (n, n, n) booleans
        ``states[step][rank, piece]`` marks the ranks whose parts are in it.
    """
    n = len(states[0])
    fig, axes = plt.subplots(1, len(states), figsize=(1.55 * len(states) + 0.2, 2.3), sharey=True)
    for step, (ax, state) in enumerate(zip(np.atleast_1d(axes), states, strict=True)):
        counts = np.asarray(state).sum(-1)
        ax.imshow(counts, cmap="Blues", vmin=0, vmax=1.6 * n)
        for rank, piece in np.ndindex(counts.shape):
            names = "".join("abcdefgh"[r] for r in np.flatnonzero(state[rank, piece]))
            bold = "bold" if len(names) == n else "normal"
            ax.text(piece, rank, names, ha="center", va="center", fontsize=8, weight=bold)
        ax.set_xticks(range(n), range(n))
        ax.set(title=f"after {step}" if step else "at first", xlabel="piece")
        ax.set_yticks(range(n), [f"rank {rank}" for rank in range(n)])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    fig.suptitle(title, x=0.01, ha="left", fontsize=10.5)
    return np.atleast_1d(axes)[0]


def hours(
    times: Sequence[Sequence[tuple[str, int, float, float]]], *, title: str, ax: Axes | None = None
) -> Axes:
    """When each stage of a pipeline works on which micro-batch; white is waiting.

    Parameters
    ----------
    times : for each stage, (what, micro-batch, begin, end)
        As `fmkit.parallel.pipeline_times` gives them.
    """
    ax = ax or plt.subplots(figsize=(5.8, 0.36 * len(times) + 0.9))[1]
    for stage, row in enumerate(times):
        for what, i, begin, end in row:
            colour, hatch = (SKY, HATCHES[0]) if what == "F" else (ORANGE, HATCHES[2])
            ax.barh(
                stage, end - begin, 0.86, left=begin, color=colour, edgecolor="white", lw=0.8, hatch=hatch
            )
            number = ax.text((begin + end) / 2, stage, str(i), ha="center", va="center", fontsize=7)
            number.set_path_effects([withStroke(linewidth=2.5, foreground=colour)])  # no dot over a digit
    ax.set_yticks(range(len(times)), [f"stage {s}" for s in range(len(times))])
    ax.set_ylim(len(times) - 0.5, -0.5)
    ax.set(title=title, xlabel="time (one forward = 1): forward plain, backward dotted")
    return ax


def beside(
    rows: Mapping[str, tuple[float, float]], *, title: str, xlabel: str, ax: Axes | None = None
) -> Axes:
    """What was planned and what was reported, one below the other, on a logarithmic axis.

    Parameters
    ----------
    rows : for each name, (planned, reported)
    """
    ax = ax or plt.subplots(figsize=(5.8, 0.3 * len(rows) + 1.0))[1]
    planned, reported = np.array(list(rows.values()), dtype=float).T
    places = np.arange(len(rows))
    ax.hlines(places, np.minimum(planned, reported), np.maximum(planned, reported), color=BLACK, lw=0.8)
    ax.plot(reported, places, "s", color=RED, ms=7, mfc="none", label="reported")
    ax.plot(planned, places, "o", color=BLUE, ms=5, label="planned")
    ax.set_xscale("log")
    ax.set_yticks(places, list(rows))
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set(title=title, xlabel=xlabel)
    ax.legend(fontsize=8)
    return ax


def law(
    runs: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    fitted: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    held_out: tuple[float, float, float, float] | None = None,
    title: str,
    xlabel: str = "tokens",
    ax: Axes | None = None,
) -> Axes:
    """Losses of runs as dots, a fitted law as lines, and beside them a run that was held out.

    Parameters
    ----------
    runs, fitted : for each name, (x, losses)
        The same names in both.
    held_out : (x, loss, low, high), optional
        The loss that came, and the interval of 90 % in which it was expected.
    """
    ax = ax or plt.subplots(figsize=(5.8, 3.4))[1]
    colours = (SKY, GREEN, BLUE, ORANGE)
    for (name, (x, y)), colour, marker in zip(runs.items(), colours, "osD^", strict=False):
        ax.plot(x, y, marker, color=colour, ms=5, label=name)
        ax.plot(*fitted[name], "-", color=colour, lw=1.2)
    ax.plot([], [], "-", color=BLACK, lw=1.2, label="the fitted law")
    if held_out is not None:
        x, loss, low, high = held_out
        aside = 1.1 * x  # so that the star hides no end of it
        middle, half = (low + high) / 2, (high - low) / 2
        ax.errorbar([aside], [middle], yerr=half, color=BLACK, capsize=4, lw=1.5, label="90 % interval")
        ax.plot([x], [loss], "*", color=RED, ms=9, label="the larger model")
    ax.set_xscale("log")
    ax.set(title=title, xlabel=xlabel, ylabel="loss, nats per character")
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax
