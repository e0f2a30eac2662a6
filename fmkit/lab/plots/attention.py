"""Chapter 06's own pictures: who looks at whom, which head does what, and the hands of rotary positions."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from fmkit.lab.plots.style import BLUE, ORANGE, title_above


def weights(
    values: np.ndarray,
    tokens: Sequence[str],
    looked_at: Sequence[str] | None = None,
    *,
    title: str,
    label: str = "weight",
    ax: Axes | None = None,
) -> Axes:
    """Attention weights (T, S) as a map: each row is a token that looks, each column one looked at."""
    size = 1.6 + 0.26 * len(tokens)
    ax = ax or plt.subplots(figsize=(min(size + 1.2, 5.8), min(size, 5.0)))[1]
    drawn = ax.imshow(values, cmap="Blues", vmin=0.0, vmax=max(float(np.nanmax(values)), 1e-9))
    names = tokens if looked_at is None else looked_at
    ax.set_xticks(range(len(names)))
    ax.set_yticks(range(len(tokens)))
    ax.set_xticklabels(names, rotation=90, parse_math=False)  # a token may be a dollar sign
    ax.set_yticklabels(tokens, parse_math=False)
    ax.set(title=title, xlabel="looked at", ylabel="looks")
    ax.spines[:].set_visible(False)
    ax.figure.colorbar(drawn, ax=ax, label=label, shrink=0.8)
    return ax


def side_by_side(panels: Mapping[str, np.ndarray], tokens: Sequence[str] = (), *, title: str) -> Axes:
    """A few maps of weights or masks in one row on one scale, with the tokens at the rows of the first."""
    fig, axes = plt.subplots(1, len(panels), figsize=(5.9, 1.0 + 5.0 / len(panels)), squeeze=False)
    finite = [np.where(np.isfinite(p), p, 0.0) for p in panels.values()]
    top = max(float(p.max()) for p in finite) or 1.0
    for ax, (name, panel) in zip(axes.flat, panels.items(), strict=True):
        drawn = ax.imshow(panel, cmap="Blues", vmin=0.0, vmax=top)
        ax.set_title(name, fontsize=8.5, loc="center")
        ax.set(xticks=range(len(tokens)), yticks=[])
        ax.set_xticklabels(tokens, rotation=90, fontsize=8, parse_math=False)
        ax.tick_params(length=0)
        ax.set_xlabel("looked at", fontsize=8.5)
    axes.flat[0].set_yticks(range(len(tokens)))
    axes.flat[0].set_yticklabels(tokens, fontsize=8, parse_math=False)
    axes.flat[0].set_ylabel("looks", fontsize=8.5)
    fig.colorbar(drawn, ax=axes, shrink=0.7, pad=0.02)
    title_above(fig, title)
    return axes.flat[0]


def heads(values: np.ndarray, *, title: str, label: str) -> Axes:
    """One number for each head of each layer, (L, H), between 0 and 1; the large ones are written out."""
    fig, ax = plt.subplots(figsize=(5.8, 0.7 + 0.36 * len(values)))
    drawn = ax.imshow(values, cmap="Blues", vmin=0.0, vmax=1.0, aspect="auto")
    for layer, head in np.argwhere(values >= 0.25):
        colour = "white" if values[layer, head] > 0.55 else "black"
        text = f"{values[layer, head]:.2f}"
        ax.text(head, layer, text, ha="center", va="center", fontsize=8, color=colour)
    ax.set(title=title, xlabel="head", ylabel="layer")
    ax.set_xticks(range(values.shape[1]), range(1, values.shape[1] + 1))
    ax.set_yticks(range(len(values)), range(1, len(values) + 1))
    ax.spines[:].set_visible(False)
    fig.colorbar(drawn, ax=ax, label=label)
    return ax


def clocks(cos: np.ndarray, sin: np.ndarray, *, title: str) -> Axes:
    """The hands of rotary positions, from tables (T, D/2): a row for each pair, a column for a position."""
    T, pairs = cos.shape
    fig, ax = plt.subplots(figsize=(5.8, 0.9 + 5.0 * pairs / T))
    for t, i in np.ndindex(T, pairs):
        ax.add_patch(plt.Circle((t, i), 0.42, fc="none", ec="0.8", lw=1))
        ax.plot([t, t + 0.42 * cos[t, i]], [i, i - 0.42 * sin[t, i]], color=BLUE, lw=1.8)
        ax.plot(t + 0.42 * cos[t, i], i - 0.42 * sin[t, i], "o", color=ORANGE, ms=4)
    ax.set(xlim=(-0.6, T - 0.4), ylim=(pairs - 0.4, -0.6), xlabel="position", ylabel="pair", title=title)
    ax.set_xticks(range(T), range(T))
    ax.set_yticks(range(pairs), range(pairs))
    ax.set_aspect("equal")
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return ax
