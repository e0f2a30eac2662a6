"""Chapter 16's pictures: searches, when to keep silent, rates over time, a sound, translations."""

import html
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


def by_length(runs: Mapping[str, Sequence[np.ndarray]], *, title: str, ax: Axes | None = None) -> Axes:
    """Share of right translations by the length of the sentence, a line a seed.

    Parameters
    ----------
    runs : dict of str to list of arrays
        For each translator and seed, (N, 4): words, share right, low and high end of its interval.
    """
    ax = ax or plt.subplots(figsize=(5.8, 3.0))[1]
    for i, (name, seeds) in enumerate(runs.items()):
        for k, run in enumerate(seeds):
            words, share, low, high = np.asarray(run).T
            ends = np.maximum([share - low, high - share], 0)
            style = {"color": COLOURS[i], "marker": MARKERS[i], "ms": 4, "lw": 1.3, "elinewidth": 0.8}
            ax.errorbar(words + 0.3 * k, share, ends, label=None if k else name, ls=LINES[i], **style)
    ax.set(title=title, xlabel="words of the right translation", ylabel="share right", ylim=(-0.03, 1.03))
    legend_beside(ax)
    return ax


def looks(chinese: str, english: str, weights: np.ndarray, *, title: str) -> str:
    """Where a translator looked, as HTML: the characters above, the words below, a line where it looked.

    The fonts of a browser know Chinese, those of matplotlib mostly do not.

    Parameters
    ----------
    weights : (T, S)
        A row for each word; the darker a line, the larger its weight. Below .05 there is none.
    """
    words = english.split()
    letters = [max(len(word), 2) + 1.5 for word in words]
    width = max(30 * len(chinese), 8 * sum(letters), 300)
    above = [(j + 0.5) * width / len(chinese) for j in range(len(chinese))]
    ends = np.cumsum([0.0, *letters]) * width / max(sum(letters), 1)
    below = [(a + b) / 2 for a, b in zip(ends, ends[1:], strict=False)]
    lines = [
        f'<line x1="{above[j]:.0f}" y1="34" x2="{below[i]:.0f}" y2="136" opacity="{weights[i, j]:.2f}"/>'
        for i, j in np.argwhere(weights[: len(words), : len(chinese)] >= 0.05)
    ]
    texts = [
        f'<text x="{x:.0f}" y="{y}">{html.escape(text)}</text>'
        for row, at, y in ((chinese, above, 26), (words, below, 154))
        for text, x in zip(row, at, strict=True)
    ]
    said = html.escape(f"{title}. {chinese}: {english}", quote=True)
    return (
        f'<p style="margin:0.3em 0">{html.escape(title)}</p><svg role="img" aria-label="{said}" '
        f'viewBox="0 0 {width:.0f} 164" style="width:{width:.0f}px;max-width:100%" fill="currentColor" '
        f'stroke-width="2.5" text-anchor="middle" font-family="sans-serif" font-size="14">'
        f'<g stroke="currentColor">{"".join(lines)}</g>{"".join(texts)}</svg>'
    )
