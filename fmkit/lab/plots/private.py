"""Chapter 14's pictures: two worlds, a canary game, what privacy costs and whom, an attacked photograph."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from fmkit.lab.plots.style import BLACK, BLUE, COLOURS, HATCHES, LINES, MARKERS, ORANGE, RED, title_above


def two_worlds(sigmas: Sequence[float], *, title: str) -> np.ndarray:
    """For each noise, what comes out of a sum with and without one example: two bells."""
    fig, axes = plt.subplots(1, len(sigmas), figsize=(6.4, 2.4), sharey=True)
    at = np.linspace(-6, 7, 400)
    for ax, sigma in zip(np.ravel(axes), sigmas, strict=True):
        for centre, style, colour in ((0, LINES[0], BLUE), (1, LINES[1], RED)):
            bell = np.exp(-((at - centre) ** 2) / (2 * sigma**2)) / sigma / np.sqrt(2 * np.pi)
            ax.plot(at, bell, style, color=colour, label="with it" if centre else "without it")
        ax.set(title=f"noise {sigma:g}", xlabel="what comes out")
    np.ravel(axes)[0].set_ylabel("density")
    np.ravel(axes)[-1].legend(fontsize=7.5)
    title_above(fig, title)
    return axes


def losses(member: np.ndarray, other: np.ndarray, *, title: str, xlabel: str, ax: Axes | None = None) -> Axes:
    """Scores of those that were in the training and of others, as two histograms."""
    ax = ax or plt.subplots(figsize=(5.8, 2.6))[1]
    bins = np.linspace(min(member.min(), other.min()), max(member.max(), other.max()), 50)
    for scores, colour, hatch, label in ((other, ORANGE, "//", "others"), (member, BLUE, "", "members")):
        ax.hist(scores, bins, color=colour, alpha=0.6, hatch=hatch, label=label)
    ax.set(title=title, xlabel=xlabel, ylabel="how many")
    ax.legend()
    return ax


def against_epsilon(
    rows: Sequence[tuple[float, float, float, float, float, float, float]],
    plain: tuple[float, float],
    *,
    title: str,
) -> np.ndarray:
    """Accuracy and the attack's AUC against epsilon, each with a low and a high end, two panels.

    Parameters
    ----------
    rows : sequence of (epsilon, accuracy, low, high, auc, low, high)
    plain : (accuracy, auc)
        Without privacy: a line across.
    """
    fig, axes = plt.subplots(1, 2, figsize=(6.4, 2.7))
    epsilon, accuracy, low, high, auc, auc_low, auc_high = np.array(rows).T
    bounds = [accuracy - low, high - accuracy], [auc - auc_low, auc_high - auc]
    axes[0].errorbar(epsilon, accuracy, bounds[0], color=BLUE, marker="o", ms=4, capsize=2)
    axes[1].errorbar(epsilon, auc, bounds[1], color=RED, marker=MARKERS[1], ms=4, capsize=2)
    axes[1].axhline(0.5, color=BLACK, lw=0.8)  # a coin
    axes[1].annotate("a coin", (epsilon.max(), 0.5), fontsize=7.5, ha="right", va="bottom")
    for ax, level, label in zip(axes, plain, ("test accuracy", "AUC of the attack"), strict=True):
        ax.axhline(level, color=BLACK, lw=0.8, ls=":")
        ax.annotate("without privacy", (epsilon.max(), level), fontsize=7.5, ha="right", va="bottom")
        ax.margins(y=0.12)  # room for the words above the line
        ax.set(xscale="log", xlabel="epsilon (less is more private)", ylabel=label)
    axes[1].set_ylim(0.48, max(auc.max(), plain[1]) + 0.03)
    title_above(fig, title)
    return axes


def price(
    result: Mapping[str, float],
    *,
    title: str,
    ax: Axes | None = None,
    intervals: Mapping[str, tuple[float, float]] | None = None,
) -> Axes:
    """Shares as bars, one below the other, each with its figure: accuracy of all, of groups.

    Parameters
    ----------
    result : for each name, a share from 0 to 1
    intervals : for each name, a low and a high end; the figure then stands inside its bar
    """
    ax = ax or plt.subplots(figsize=(5.8, 0.34 * len(result) + 0.9))[1]
    groups = [name.split(": ")[-1] for name in result]  # of "40 eights: epsilon 5" the epsilon
    kinds = list(dict.fromkeys(groups))
    for k, (name, share) in enumerate(result.items()):
        kind = kinds.index(groups[k])
        bar = ax.barh([k], [share], 0.7, color=COLOURS[kind % 4], hatch=HATCHES[kind % 3], label=name)
        if intervals:
            low, high = intervals[name]
            ax.errorbar([share], [k], xerr=[[share - low], [high - share]], color=BLACK, capsize=2, lw=1)
            room = {"boxstyle": "round,pad=0.1", "fc": "white", "ec": "none"}
            ax.text(0.02, k, f"{share:.2f}", fontsize=8, va="center", bbox=room)
        else:
            ax.bar_label(bar, fmt="%.2f", fontsize=8, padding=2)
    ax.set_yticks(range(len(result)), list(result))
    ax.set(ylim=(len(result) - 0.5, -0.5), xlim=(0, 1.08), title=title, xlabel="share right")
    return ax


def certified(radii: Mapping[str, np.ndarray], *, title: str, ax: Axes | None = None) -> Axes:
    """For each name, the share of pictures that are right and proven beyond each distance."""
    ax = ax or plt.subplots(figsize=(5.8, 2.7))[1]
    at = np.linspace(0, max(r.max() for r in radii.values()) * 1.05 + 0.05, 200)
    for (name, radius), style, colour in zip(radii.items(), LINES, COLOURS, strict=False):
        ax.plot(at, (radius[:, None] > at).mean(0), style, color=colour, label=name)
    ax.set(title=title, xlabel="distance (Euclidean)", ylabel="right, and proven", ylim=(0, 1))
    ax.legend()
    return ax


def photographs(pictures: Mapping[str, np.ndarray], *, title: str) -> np.ndarray:
    """Photographs (H, W, 3), 0 to 1, side by side with a line of words below each."""
    fig, axes = plt.subplots(1, len(pictures), figsize=(6.4, 6.4 / len(pictures) + 0.55))
    for ax, (words, picture) in zip(np.ravel(axes), pictures.items(), strict=True):
        ax.imshow(np.clip(picture, 0, 1))
        ax.set_xlabel(words, fontsize=8)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
    title_above(fig, title)
    return axes
