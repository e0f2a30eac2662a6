"""Chapter 16's pictures: who finds the passage, when to keep silent, rates over time, a sound."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from fmkit.lab.plots.style import COLOURS, LINES, MARKERS, SKY, legend_beside


def found_within(
    places: Mapping[str, np.ndarray], *, title: str, most: int = 20, ax: Axes | None = None
) -> Axes:
    """For each search the share of questions whose passage stands among the first k."""
    ax = ax or plt.subplots(figsize=(5.8, 3.0))[1]
    k = np.arange(1, most + 1)
    for i, (name, at) in enumerate(places.items()):
        share = (np.asarray(at)[:, None] <= k).mean(0)
        ax.plot(k, share, LINES[i], marker=MARKERS[i], ms=3.5, color=COLOURS[i], label=name)
    ax.set(title=title, xlabel="passages looked at", ylabel="right one among them", ylim=(None, 1))
    ax.set_xticks(k[k % 5 == 0])
    legend_beside(ax)
    return ax


def risks(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]],
    chosen: tuple[float, float] | None = None,
    *,
    title: str,
    ax: Axes | None = None,
) -> Axes:
    """Coverage and risk at every threshold, and the point that was chosen."""
    ax = ax or plt.subplots(figsize=(5.8, 3.0))[1]
    for i, (name, (coverage, risk)) in enumerate(curves.items()):
        ax.plot(coverage, risk, LINES[i], color=COLOURS[i], label=name)
    if chosen:
        ax.plot(*chosen, "o", color=COLOURS[3], ms=8, label="the threshold chosen")
    ax.set(title=title, xlabel="share of the questions that is answered", ylabel="wrong among the answers")
    legend_beside(ax)
    return ax


def rates(
    years: Sequence[float],
    rate: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    change: float | None = None,
    *,
    title: str,
    ylabel: str,
    ax: Axes | None = None,
) -> Axes:
    """Rates with their intervals, and where they change."""
    ax = ax or plt.subplots(figsize=(5.8, 2.9))[1]
    ax.fill_between(years, low, high, color=SKY, alpha=0.4, lw=0)
    ax.plot(years, rate, color=COLOURS[0], marker="o", ms=3)
    if change is not None:
        ax.axvline(change, color=COLOURS[1], ls="--", lw=1.3)
    ax.set(title=title, xlabel="year", ylabel=ylabel)
    ax.set_ylim(bottom=0)
    return ax


def heard(picture: np.ndarray, *, title: str, ax: Axes | None = None) -> Axes:
    """A log-mel picture (T, 80): time to the right, high tones above."""
    ax = ax or plt.subplots(figsize=(6.0, 2.4))[1]
    ax.imshow(picture.T, origin="lower", aspect="auto", cmap="magma", extent=(0, len(picture) / 100, 0, 80))
    ax.set(title=title, xlabel="seconds", ylabel="band")
    return ax
