"""Chapter 09's own pictures: what may come next, a tree of texts, quality against diversity."""

import textwrap
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from fmkit.lab.plots.style import (
    BLACK,
    BLUE,
    COLOURS,
    GREEN,
    HATCHES,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    title_above,
)

_GREY = "#BBBBBB"


def readable(token: str) -> str:
    """A token as it is shown: spaces at its edges as middle dots, a line break as an arrow."""
    text = token.replace("\n", "↵").replace("\t", "→")
    inner = text.strip(" ")
    lead = len(text) - len(text.lstrip(" "))
    return "·" * lead + inner + "·" * (len(text) - lead - len(inner)) or "∅"


def next_tokens(
    before: np.ndarray,
    after: np.ndarray | None,
    tokens: Sequence[str],
    *,
    title: str,
    top: int = 12,
    ax: Axes | None = None,
) -> Axes:
    """The most likely next tokens as bars: blue what is drawn from, grey what the model itself said.

    Parameters
    ----------
    before, after : (V,)
        The model's probabilities, and those after temperature and filters (None: only the first).
    tokens : V strings
    top : int
        Number of bars, for the likeliest tokens.
    """
    ax = ax or plt.subplots(figsize=(5.8, 2.4))[1]
    best = np.argsort(-before, kind="stable")[:top]
    places = np.arange(len(best))
    if after is None:
        ax.bar(places, before[best], 0.7, color=BLUE)
    else:
        ax.bar(places - 0.2, before[best], 0.4, color=_GREY, label="the model")
        ax.bar(places + 0.2, after[best], 0.4, color=BLUE, label="drawn from")
        ax.legend(loc="upper right")
    names = [readable(tokens[i]) for i in best]
    ax.set_xticks(places, names, rotation=45 if max(map(len, names)) > 3 else 0)
    tallest = max(before.max(), 0.0 if after is None else after.max())
    ax.set(title=title, ylabel="probability", ylim=(0, min(1.3 * tallest, 1.05)))
    return ax


def settings_compared(
    panels: Mapping[str, tuple[np.ndarray, np.ndarray, str]], tokens: Sequence[str], *, title: str
) -> Axes:
    """One row for each setting: the next token's probabilities as bars, beside them a text made so.

    ``panels`` holds for each name (probabilities of the model, probabilities drawn from, text).
    """
    size = 5.8, 0.35 + 1.05 * len(panels)
    fig, axes = plt.subplots(len(panels), 2, figsize=size, width_ratios=(1, 1.7), squeeze=False)
    tallest = max(p.max() for before, after, _ in panels.values() for p in (before, after))
    for (name, (before, after, text)), (ax, beside) in zip(panels.items(), axes, strict=True):
        next_tokens(before, after, tokens, title="", top=7, ax=ax)
        ax.set_ylim(0, min(1.3 * tallest, 1.05))
        if ax is not axes[0, 0]:  # one legend for all, at the top right, where the bars are low
            ax.get_legend().remove()
        if ax is not axes[len(panels) // 2, 0]:
            ax.set_ylabel("")
        beside.axis("off")
        beside.text(0, 1, name, va="center", weight="bold")
        lines = [part for line in text.splitlines() for part in textwrap.wrap(line, 38) if part]
        beside.text(0, 0.84, "\n".join(lines[:4]), va="top", family="monospace", fontsize=9)
    title_above(fig, title)
    return axes[0, 0]


def tree(branches: Mapping[str, Mapping[str, float]], paths: Mapping[str, Sequence[str]], *, title: str):
    """A tree of texts of two tokens; each edge with its probability.

    Parameters
    ----------
    branches : dict
        For each first token what may follow it, with its probability; under "" the first tokens themselves.
    paths : dict
        Name -> the tokens of a path that is drawn in its own colour.
    """
    _, ax = plt.subplots(figsize=(5.8, 3.0))
    leaves = [(first, second) for first in branches[""] for second in branches[first]]
    height = {leaf: -float(i) for i, leaf in enumerate(leaves)}
    for first in branches[""]:
        height[(first,)] = float(np.mean([height[leaf] for leaf in leaves if leaf[0] == first]))
    root = float(np.mean([height[(first,)] for first in branches[""]]))
    for node in height:
        x = len(node)
        start = (x - 1, height[node[:-1]] if x > 1 else root)
        styles = [i for i, path in enumerate(paths.values()) if tuple(path[:x]) == node]
        shade, style = ((BLUE, "-"), (RED, "--"))[styles[0]] if styles else (_GREY, "-")
        ax.plot([start[0], x], [start[1], height[node]], style, color=shade)
        p = branches[node[0] if x > 1 else ""][node[-1]]
        middle = ((start[0] + x) / 2, (start[1] + height[node]) / 2)
        box = {"fc": "white", "ec": "none", "pad": 0.8}
        ax.text(*middle, f"{p:.2f}", ha="center", va="center", fontsize=8, color=BLACK, bbox=box)
        whole = f"   = {branches[''][node[0]] * p:.3f}" if x > 1 else ""
        box = {"fc": "white", "ec": shade, "boxstyle": "round,pad=0.25"}
        ax.text(x, height[node], node[-1], ha="center", va="center", fontsize=9, bbox=box)
        ax.text(x + 0.18, height[node], whole, va="center", fontsize=8.5)
    for i, name in enumerate(paths):
        ax.plot([], [], ("-", "--")[i], color=(BLUE, RED)[i], label=name)
    ax.legend(loc="lower left")
    ax.set(title=title, xlim=(-0.15, 2.75))
    ax.axis("off")
    return ax


def trade_off(
    points: Mapping[str, tuple[float, float]],
    others: Mapping[str, tuple[float, float]],
    real: Sequence[tuple[float, float]],
    *,
    title: str,
    xlabel: str,
    ylabel: str,
) -> Axes:
    """Settings on two measures: ``points`` labelled and joined in their order, ``others`` each with a marker.

    Stars stand for samples of real text. The y axis is logarithmic.
    """
    _, ax = plt.subplots(figsize=(5.8, 3.4))
    xs, ys = zip(*points.values(), strict=True)
    ax.plot(xs, ys, "o-", color=BLUE, lw=1.2, ms=5)
    for name, (x, y) in points.items():  # above the flat end of the curve, below its steep one
        flat = x > sorted(xs)[len(xs) // 2]
        side = {"xytext": (4, 4)} if flat else {"xytext": (-4, -4), "ha": "right", "va": "top"}
        ax.annotate(name, (x, y), textcoords="offset points", fontsize=8, **side)
    for (name, place), marker, shade in zip(
        others.items(), "s^DvP", (GREEN, ORANGE, PURPLE, SKY, BLACK), strict=False
    ):
        ax.plot(*place, marker, color=shade, ms=7, label=name)
    ax.plot(*zip(*real, strict=True), "*", color=RED, ms=13, label="real text")
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    ax.margins(0.12)
    ax.set_yscale("log")
    everywhere = [y for _, y in (*points.values(), *others.values(), *real)]
    low, high = 0.8 * min(everywhere), 1.2 * max(everywhere)
    ticks = [tick for tick in (2, 3, 4, 5, 7, 10, 15, 20, 30) if low < tick < high]
    ax.set_yticks(ticks, map(str, ticks))
    ax.set_yticks([], minor=True)
    ax.legend(loc="upper right")
    return ax


def begins_word(text: str) -> list[bool]:
    """For each character: does a word begin here? It does after a gap; an apostrophe at a word's head counts.

    In "when 'tis" that is so for w, the apostrophe and t.
    """
    gaps = " \n"
    return [(" " + text[:i]).rstrip("'")[-1] in gaps and c not in gaps for i, c in enumerate(text)]


def sureness(text: str, counts: Sequence[int], *, title: str) -> Axes:
    """A bar for each character of a text: the number of characters it was chosen from."""
    _, ax = plt.subplots(figsize=(5.8, 2.4))
    places = np.arange(len(text))
    ax.bar(places, counts, 0.8, color=[ORANGE if begins else SKY for begins in begins_word(text)])
    ax.set_xticks(places, [readable(c) for c in text], fontsize=8, family="monospace")
    ax.set(title=title, ylabel="characters kept")
    for shade, name in ((ORANGE, "a word begins"), (SKY, "elsewhere")):
        ax.bar([0], [0], color=shade, label=name)
    ax.set_ylim(0, 1.3 * max(counts))
    ax.legend(loc="upper left", ncols=2)
    return ax


def accuracies(rows: Mapping[str, Sequence[float]], groups: Sequence[str], *, title: str) -> Axes:
    """Percentages as horizontal bars: one row for each model, one colour for each question."""
    _, ax = plt.subplots(figsize=(5.8, 2.8))
    height = 0.8 / len(groups)
    for k, group in enumerate(groups):
        places = np.arange(len(rows)) + (k - (len(groups) - 1) / 2) * height
        values = [100 * row[k] for row in rows.values()]
        ax.barh(places, values, height * 0.92, color=COLOURS[k], label=group, hatch=HATCHES[k % 3])
        for place, value in zip(places, values, strict=True):
            ax.text(value + 1, place, f"{value:.0f}", va="center", fontsize=8)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.invert_yaxis()
    ax.set(title=title, xlabel="right, in %", xlim=(0, 118))
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 0.0))
    return ax
