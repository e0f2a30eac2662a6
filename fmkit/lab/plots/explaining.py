"""Chapter 12's pictures: explanations side by side, deletion and insertion, rates of groups."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from fmkit.lab.plots.style import BLACK, COLOURS, MARKERS, SKY, legend_beside, title_above


def shares(
    series: Mapping[str, np.ndarray], tokens: Sequence[str], *, title: str, ax: Axes | None = None
) -> Axes:
    """Explanations of one sentence as a table: a row for each, a column for each token.

    Each row has its own scale, its largest number (by size) being 1. Red speaks for the score, blue against.
    """
    values = np.array([row / max(float(np.abs(row).max()), 1e-12) for row in series.values()])
    wide = max(5.8, 1.9 + 0.5 * len(tokens))
    ax = ax or plt.subplots(figsize=(min(wide, 7.4), 1.1 + 0.3 * len(values)))[1]
    ax.imshow(values, cmap="RdBu_r", vmin=-1.3, vmax=1.3, aspect="auto")
    for i, j in np.ndindex(values.shape):
        ax.text(j, i, f"{values[i, j]:.1f}".replace("-0.0", "0.0"), ha="center", va="center", fontsize=7.5)
    ax.set_xticks(range(len(tokens)))
    ax.set_xticklabels(tokens, rotation=45, ha="left", rotation_mode="anchor", parse_math=False)
    ax.set_yticks(range(len(values)), list(series))
    ax.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    ax.spines[:].set_visible(False)
    ax.set_title(title)
    return ax


def curve_pair(
    deletion: Mapping[str, np.ndarray],
    insertion: Mapping[str, np.ndarray],
    *,
    title: str,
    ylabel: str = "score",
) -> Axes:
    """Deletion and insertion curves side by side on one scale; lines called "random" are thin and grey."""
    fig, axes = plt.subplots(1, 2, figsize=(6.6, 3.0), sharey=True)
    for ax, curves, name in zip(axes, (deletion, insertion), ("deletion", "insertion"), strict=True):
        for i, (label, curve) in enumerate(curves.items()):
            x, random = np.linspace(0, 1, len(curve)), label.startswith("random")
            style = {"color": "0.75", "lw": 0.8} if random else {"color": COLOURS[i % 7], "lw": 1.8}
            marker = "" if random else MARKERS[i % len(MARKERS)]
            ax.plot(x, curve, marker=marker, ms=3, label=None if random else label, **style)
        ax.set_title(name, fontsize=9.5)
        ax.set_xlabel(f"share of the parts {'taken away' if name == 'deletion' else 'added'}")
    axes[0].set_ylabel(ylabel)
    legend_beside(axes[1])
    title_above(fig, title)
    return axes[0]


def against_random(
    found: Mapping[str, tuple[float, float]], random: np.ndarray, *, title: str, ax: Axes | None = None
) -> Axes:
    """Areas of explanations (deletion, insertion) against those of random orders, (R, 2).

    Down and right is better: who lies below and to the right of the grey box has beaten every random order.
    """
    ax = ax or plt.subplots(figsize=(5.9, 3.6))[1]
    (left, right), (low, high) = ((x.min(), x.max()) for x in (random[:, 1], random[:, 0]))
    ax.add_patch(plt.Rectangle((left, low), right - left, high - low, fc="0.9", ec="0.6", lw=0.8))
    ax.plot(random[:, 1], random[:, 0], ".", color="0.6", label="random orders")
    colours = (*COLOURS, "saddlebrown")  # eight, for eight explanations
    for i, (name, (deletion, insertion)) in enumerate(found.items()):
        ax.plot(insertion, deletion, MARKERS[i], color=colours[i], ms=7, label=name)
    ax.set(title=title, xlabel="insertion area (higher is better)", ylabel="deletion area (lower is better)")
    legend_beside(ax)
    return ax


def photo_maps(photo: np.ndarray, maps: Mapping[str, np.ndarray], *, title: str, columns: int = 5) -> Axes:
    """A photograph (H, W, 3), and explanations of its patches (G, G) drawn over it, each on its own scale."""
    rows = -(-(len(maps) + 1) // columns)
    fig, axes = plt.subplots(rows, columns, figsize=(6.8, 1.55 * rows + 0.35), dpi=72, squeeze=False)
    grey = photo.astype(float).mean(-1)
    for ax in axes.flat:
        ax.axis("off")
    axes.flat[0].imshow(photo)
    axes.flat[0].set_title("the photograph", fontsize=8, loc="center")
    for ax, (name, values) in zip(list(axes.flat)[1:], maps.items(), strict=False):
        top = max(float(np.abs(values).max()), 1e-12)
        ax.imshow(grey, cmap="gray")
        box = (-0.5, photo.shape[1] - 0.5, photo.shape[0] - 0.5, -0.5)
        ax.imshow(values, cmap="RdBu_r", vmin=-top, vmax=top, alpha=0.6, extent=box)
        ax.set_title(name, fontsize=8, loc="center")
    title_above(fig, title)
    return axes.flat[0]


def intervals(
    rows: Mapping[str, tuple[float, float, float]], *, title: str, xlabel: str, ax: Axes | None = None
) -> Axes:
    """A line for each name: (value, low, high)."""
    ax = ax or plt.subplots(figsize=(5.8, 0.9 + 0.36 * len(rows)))[1]
    for i, (value, low, high) in enumerate(rows.values()):
        ax.plot([low, high], [i, i], color=COLOURS[0], lw=2)
        ax.plot(value, i, "o", color=COLOURS[1], ms=5)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.invert_yaxis()
    ax.set(title=title, xlabel=xlabel)
    return ax


def calibration(
    found: Mapping[str, tuple], *, title: str, xlabel: str, ylabel: str, ax: Axes | None = None
) -> Axes:
    """What came at each score, by group, from `fmkit.fairness.calibration_by_group`; bars are intervals."""
    ax = ax or plt.subplots(figsize=(5.9, 3.2))[1]
    for i, (name, (score, _, came, low, high)) in enumerate(found.items()):
        shift = 0.12 * (i - (len(found) - 1) / 2)
        error = np.clip([came - low, high - came], 0, None)
        ax.errorbar(
            np.asarray(score) + shift,
            came,
            error,
            marker=MARKERS[i],
            color=COLOURS[i],
            lw=1.5,
            ms=4,
            label=name,
        )
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel, ylim=(0, 1))
    legend_beside(ax)
    return ax


def thousand(ax: Axes, prevalence: float, ppv: float, fnr: float, name: str = "") -> None:
    """A thousand people as four blocks: with target 1 to the left, those who are called below the line."""
    hits = prevalence * (1 - fnr)
    alarms = hits * (1 - ppv) / ppv
    blocks = (
        (0, prevalence, hits / prevalence, COLOURS[0], SKY),
        (prevalence, 1 - prevalence, min(alarms / (1 - prevalence), 1.0), COLOURS[1], "0.85"),
    )
    for left, width, called, dark, pale in blocks:
        ax.add_patch(plt.Rectangle((left, 0), width, called, fc=dark, ec="white"))
        ax.add_patch(plt.Rectangle((left, called), width, 1 - called, fc=pale, ec="white"))
    shares = (0, hits, prevalence - hits, alarms, 1 - prevalence - alarms)
    counts = np.diff(np.round(1000 * np.cumsum(shares)))  # whole people, a thousand in all
    labels = ("called, rightly", "missed", "called, wrongly", "left alone, rightly")
    ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[], title=name)
    ax.set_xlabel(
        "\n".join(f"{label}: {n:.0f}" for label, n in zip(labels, counts, strict=True)), fontsize=8.5
    )
    ax.spines[:].set_color(BLACK)
    ax.spines[:].set_visible(True)
