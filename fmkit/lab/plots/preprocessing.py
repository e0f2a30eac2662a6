"""Chapter 01's pictures: tokens as boxes, photographs in a row, batches as black and white grids."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from fmkit.lab.plots.style import BLUE, COLOURS, title_above

_PER_ROW = 64  # characters that fit on a line of the picture


def readable(token: str) -> str:
    """A token as it is shown: every space becomes a middle dot, a line break an arrow."""
    return token.replace(" ", "·").replace("\n", "↵").replace("\t", "→")


def tokens(rows: Mapping[str, Sequence[str]], *, title: str) -> Axes:
    """One line of boxes for each tokenizer: a box is a token, its number of tokens stands at the left."""
    lines = [(name, part, k) for name, row in rows.items() for k, part in enumerate(_wrapped(row, _PER_ROW))]
    _, ax = plt.subplots(figsize=(5.8, 0.34 * len(lines) + 0.5))
    for line, (name, part, k) in enumerate(lines):
        if k == 0:
            ax.text(-0.8, -line, f"{name}: {len(rows[name])}", ha="right", va="center", fontsize=8.5)
        at = 0.0
        for i, token in part:
            width = max(len(token), 1) + 0.6
            box = plt.Rectangle(
                (at, -line - 0.38), width - 0.12, 0.76, fc=COLOURS[i % 3] + "33", ec=BLUE, lw=0.5
            )
            ax.add_patch(box)
            ax.text(
                at + width / 2 - 0.06, -line, token, ha="center", va="center", fontsize=8, family="monospace"
            )
            at += width
    ax.set(xlim=(-13, _PER_ROW * 1.05), ylim=(-len(lines) + 0.4, 0.6), title=title)
    ax.axis("off")
    return ax


def _wrapped(row, width):
    """The tokens of a row with their numbers, cut into lines of about ``width`` characters."""
    parts, used = [[]], 0.0
    for i, token in enumerate(map(readable, row)):
        if used + len(token) + 0.6 > width and parts[-1]:
            parts.append([])
            used = 0.0
        parts[-1].append((i, token))
        used += len(token) + 0.6
    return parts


def pictures(
    images: Sequence[np.ndarray], titles: Sequence[str] = (), *, title: str, columns: int = 3
) -> Axes:
    """Pictures of any size side by side: (H, W) in grey with 1 as black ink, (H, W, 3) in colour."""
    rows, columns = -(-len(images) // columns), min(columns, len(images))
    height, width = images[0].shape[:2]
    side = 5.8 / columns
    size = 5.8, rows * (side * height / width + 0.25) + 0.3
    fig, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    for i, ax in enumerate(axes.flat):
        ax.axis("off")
        if i < len(images):
            shown = np.clip(images[i], 0, 1)
            ax.imshow(shown, cmap="gray_r", vmin=0, vmax=1, interpolation="nearest")  # half the bytes
            ax.set_title(titles[i] if i < len(titles) else "", fontsize=8.5, loc="center")
    title_above(fig, title)
    return axes.flat[0]


def masks(batches: Mapping[str, np.ndarray], *, title: str) -> Axes:
    """Attention masks (B, T) beside each other on one scale: blue a real token, white padding."""
    widths = [mask.shape[1] for mask in batches.values()]
    fig, axes = plt.subplots(
        1, len(batches), figsize=(5.8, 2.6), squeeze=False, gridspec_kw={"width_ratios": widths}
    )
    for ax, (name, mask) in zip(axes.flat, batches.items(), strict=True):
        ax.imshow(mask, cmap="Blues", vmin=0, vmax=1.4, aspect="auto", interpolation="nearest")
        ax.set_title(f"{name}\n{1 - mask.mean():.0%} padding", fontsize=8.5, loc="center")
        ax.set(xlabel="token", xticks=[0, mask.shape[1] - 1], yticks=[])
        ax.spines[:].set_visible(True)
    axes.flat[0].set_ylabel("text of the batch")
    title_above(fig, title)
    return axes.flat[0]
