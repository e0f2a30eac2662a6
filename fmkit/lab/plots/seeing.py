"""Chapter 10's pictures: grids of pictures, maps of codes, a graph, and who wins by how many labels."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from fmkit.lab.plots.style import BLACK, BLUE, COLOURS, LINES, MARKERS, RED, legend_beside, title_above


def pictures(
    images: Sequence[np.ndarray],
    titles: Sequence[str] = (),
    *,
    title: str,
    columns: int = 10,
    side: float = 0.58,
    rows: Sequence[str] = (),
) -> Axes:
    """A grid of pictures, grey ones with ink in black.

    Parameters
    ----------
    images : N arrays (H, W), (H, W, 1) or (H, W, 3)
        Of floats from 0 to 1, or bytes.
    titles : N strings, optional
        One above each.
    columns : int
    side : float
        Inches of a picture.
    rows : strings, optional
        A word to the left of each row.
    """
    columns = min(columns, len(images))
    n_rows = -(-len(images) // columns)
    room = 0.16 * (1 + max((t.count("\n") for t in titles), default=0)) if len(titles) else 0.02
    left = 1.05 if len(rows) else 0.0
    size = max(side * columns + left, 4.0), (side + room) * n_rows + 0.35
    fig, axes = plt.subplots(n_rows, columns, figsize=size, squeeze=False)
    for i, ax in enumerate(axes.flat):
        ax.axis("off")
        if i < len(images):
            _put(ax, np.asarray(images[i]))
            ax.set_title(titles[i] if i < len(titles) else "", fontsize=7.5, loc="center", pad=2)
    for word, ax in zip(rows, axes[:, 0], strict=False):
        ax.text(-0.15, 0.5, word, transform=ax.transAxes, ha="right", va="center", fontsize=8.5)
    title_above(fig, title)
    return axes.flat[0]


def _put(ax: Axes, image: np.ndarray) -> None:
    style = (
        {"interpolation": "nearest"} if max(image.shape[:2]) <= 64 else {}
    )  # pixels stay pixels: a small file
    if image.ndim == 3 and image.shape[2] == 3:
        ax.imshow(image if image.dtype == np.uint8 else np.clip(image, 0, 1), **style)
    else:
        ax.imshow(image.reshape(image.shape[:2]), cmap="gray_r", vmin=0.0, vmax=1.0, **style)


def maps(codes: Mapping[str, np.ndarray], labels: np.ndarray, *, title: str) -> Axes:
    """Pictures as points of two numbers each, a map for each way to find them; a digit is its own sign.

    The outermost hundredth on each side is left out: it would squeeze all others.

    Parameters
    ----------
    codes : dict of arrays (N, 2), by their title
    labels : array (N,) of 0 to 9
    """
    fig, axes = plt.subplots(1, len(codes), figsize=(3.1 * len(codes), 3.3), squeeze=False)
    for ax, (name, points) in zip(axes.flat, codes.items(), strict=True):
        low, high = np.percentile(points, 1, axis=0), np.percentile(points, 99, axis=0)
        inside = ((points >= low) & (points <= high)).all(1)
        margin = 0.05 * (high - low)  # no digit is cut at the frame
        for digit in range(10):
            x, y = points[inside & (labels == digit)].T
            colour = COLOURS[digit % len(COLOURS)]
            ax.scatter(x, y, s=22, marker=f"${digit}$", color=colour, linewidths=0.2)
        (left, bottom), (right, top) = low - margin, high + margin
        ax.set(xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[])
        ax.set_xlabel("first code")
        ax.set_title(name, fontsize=9.5)
    axes[0, 0].set_ylabel("second code")
    title_above(fig, title)
    return axes[0, 0]


def by_labels(
    labels: Sequence[int],
    series: Mapping[str, Sequence[tuple[float, float, float]]],
    *,
    title: str,
    ax: Axes | None = None,
) -> Axes:
    """Accuracy against the number of labelled pictures, a line with bars for each way to learn.

    Parameters
    ----------
    labels : numbers of labelled pictures
    series : dict
        For each name, and each number of labels: (lowest, mean, highest).
    """
    ax = ax or plt.subplots(figsize=(6.4, 3.6))[1]
    for i, (name, rows) in enumerate(series.items()):
        low, mean, high = np.array(rows).T
        style = {"ls": LINES[i % len(LINES)], "marker": MARKERS[i], "color": COLOURS[i % len(COLOURS)]}
        at = np.array(labels) * 1.025 ** (i - len(series) / 2)  # side by side
        ax.errorbar(at, mean, [mean - low, high - mean], lw=1.5, ms=5, label=name, **style)
    ax.set_xscale("log")
    ax.set(title=title, xlabel="pictures with a label", ylabel="digits read right", xticks=labels)
    ax.set_xticklabels([f"{n:,}" for n in labels])
    ax.minorticks_off()
    legend_beside(ax)
    return ax


def graph(
    edges: np.ndarray,
    sides: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    title: str,
    asked: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A graph whose nodes belong to one of two sides, disc and square; what a node looks at is drawn thick.

    Parameters
    ----------
    edges : int array (E, 2)
    sides : array (N,) of 0 and 1
    weights : array (N,), optional
        How much the node ``asked`` looks at each; its edges are drawn as thick as that.
    asked : int, optional
        This node is a ring.
    """
    ax = ax or plt.subplots(figsize=(5.4, 3.6))[1]
    at = layout(edges, len(sides))
    for a, b in edges:
        ax.plot(*at[[a, b]].T, color="0.8", lw=0.8, zorder=1)
    if weights is not None and asked is not None:
        for n in np.flatnonzero(weights > 0.005):
            ax.plot(*at[[asked, n]].T, color=BLACK, lw=0.5 + 9 * weights[n], zorder=2, solid_capstyle="round")
    for side, (colour, marker) in enumerate(((BLUE, "o"), (RED, "s"))):
        ax.scatter(*at[sides == side].T, s=70, color=colour, marker=marker, zorder=3)
    if asked is not None:
        ax.scatter(*at[asked], s=190, facecolor="white", edgecolor=BLACK, lw=2, zorder=4)
        ax.text(*at[asked], "?", ha="center", va="center", zorder=5, weight="bold")
    ax.set_title(title)
    ax.axis("off")
    return ax


def layout(edges: np.ndarray, n: int) -> np.ndarray:
    """Places (N, 2) for the nodes of a graph: friends near each other, but no two in one place.

    The two slowest waves of the graph, spread by rank; then some steps in which friends pull and all push.
    """
    near = np.zeros((n, n))
    near[edges[:, 0], edges[:, 1]] = near[edges[:, 1], edges[:, 0]] = 1
    waves = np.linalg.eigh(np.diag(near.sum(1)) - near)[1][:, 1:3]
    waves *= np.where(waves[np.abs(waves).argmax(0), [0, 1]] < 0, -1, 1)  # the same way round everywhere
    at = waves.argsort(0).argsort(0) / n
    for k in range(200):
        apart = at[:, None] - at  # (N, N, 2)
        far = np.maximum(np.linalg.norm(apart, axis=-1, keepdims=True), 0.02)
        push = (0.03 * apart / far**2).sum(1) - (near[..., None] * apart * far * 4).sum(1)
        at = at + np.clip(0.05 * push, -0.05, 0.05) * (1 - k / 200)
    return at
