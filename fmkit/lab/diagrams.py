"""Drawn diagrams of chapters 06 to 09: boxes, arrows and the names that the code gives to things.

Places and sizes are in inches, from the lower left corner. A cell ends with ``plt.show()``.
"""

from typing import NamedTuple

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from fmkit.lab.plots.style import BLUE, GREEN, ORANGE, PURPLE, RED, SKY

GREY, DARK = "#888888", "#333333"
ROAD = {"colour": DARK, "lw": 3.0}  # the residual stream, or the cell of an LSTM


class Box(NamedTuple):
    """A box by its centre and size, and the four points at which arrows meet it."""

    x: float
    y: float
    w: float
    h: float

    @property
    def top(self) -> tuple[float, float]:
        return self.x, self.y + self.h / 2

    @property
    def bottom(self) -> tuple[float, float]:
        return self.x, self.y - self.h / 2

    @property
    def left(self) -> tuple[float, float]:
        return self.x - self.w / 2, self.y

    @property
    def right(self) -> tuple[float, float]:
        return self.x + self.w / 2, self.y


# --- the helpers --------------------------------------------------------------------------------------------


def _canvas(width: float, height: float, title: str) -> Axes:
    """A white sheet with a title above it."""
    fig = plt.figure(figsize=(width, height + 0.35), facecolor="white", layout="none")
    ax = fig.add_axes((0, 0, 1, height / (height + 0.35)))
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.axis("off")
    ax.text(0.04, height + 0.1, title, fontsize=10.5, clip_on=False)
    return ax


def _text(ax, x, y, text, **style) -> None:
    ax.text(x, y, text, **({"ha": "center", "va": "center", "fontsize": 9.5, "linespacing": 1.25} | style))


def _box(
    ax, x, y, text, colour=GREY, *, w, h=0.32, bold=False, shape="round,pad=0,rounding_size=0.06"
) -> Box:
    """A box around its text; ``bold`` has a thick edge, a second cue beside the colour."""
    style = {"fc": colour + "2E", "ec": colour, "lw": 2.4 if bold else 1.4}
    ax.add_patch(FancyBboxPatch((x - w / 2, y - h / 2), w, h, boxstyle=shape, **style))
    _text(ax, x, y, text, weight="bold" if bold else "normal")
    return Box(x, y, w, h)


def _sign(ax, x, y, sign) -> Box:
    """A sum or a product: a small circle."""
    return _box(ax, x, y, sign, DARK, w=0.24, h=0.24, shape="circle,pad=0")


def _arrow(ax, *points, colour=GREY, lw=1.4) -> None:
    """An arrow through some points, each a corner, to the last."""
    style = {"arrowstyle": "-|>", "mutation_scale": 9 + lw, "shrinkA": 0, "shrinkB": 0}
    ax.add_patch(FancyArrowPatch(path=Path(points), color=colour, lw=lw, fill=False, **style))


def _chain(ax, *boxes, **style) -> None:
    """Arrows from left to right along boxes of one row."""
    for a, b in zip(boxes, boxes[1:], strict=False):
        _arrow(ax, a.right, b.left, **style)


def _branch(ax, start, boxes, end) -> None:
    """A way off a horizontal road at ``start``, through some boxes above it, and back into ``end``."""
    _arrow(ax, start, (start[0], boxes[0].y), boxes[0].left)
    _chain(ax, *boxes)
    _arrow(ax, boxes[-1].right, (end.x, boxes[-1].y), end.top)


# --- chapter 06 ---------------------------------------------------------------------------------------------


def block(*, title: str) -> Axes:
    """A transformer block twice, post-norm above pre-norm, each with its road."""
    ax = _canvas(5.3, 2.65, title)
    _post_norm(ax, 1.6)
    _pre_norm(ax, 0.2)
    return ax


def _post_norm(ax, y) -> None:
    _text(ax, 0.05, y + 0.93, "post-norm (2017, BERT):  norm(x + f(x))", ha="left", weight="bold")
    x, out = _box(ax, 0.2, y, "x", w=0.3), _box(ax, 5.05, y, "out", w=0.4)
    attention = _box(ax, 1.12, y + 0.53, "attention", BLUE, w=0.84)
    sum1, norm1 = _sign(ax, 1.8, y, "+"), _box(ax, 2.42, y, "norm", GREEN, w=0.58)
    mlp = _box(ax, 3.34, y + 0.53, "mlp", ORANGE, w=0.54)
    sum2, norm2 = _sign(ax, 3.85, y, "+"), _box(ax, 4.4, y, "norm", GREEN, w=0.58)
    _branch(ax, (0.52, y), [attention], sum1)
    _branch(ax, (2.89, y), [mlp], sum2)
    _chain(ax, x, sum1, norm1, sum2, norm2, out, **ROAD)


def _pre_norm(ax, y) -> None:
    _text(ax, 0.05, y + 0.93, "pre-norm (GPT-2):  x + f(norm(x))", ha="left", weight="bold")
    x, out = _box(ax, 0.2, y, "x", w=0.3), _box(ax, 5.05, y, "out", w=0.4)
    norm1 = _box(ax, 0.99, y + 0.53, "norm", GREEN, w=0.58)
    attention = _box(ax, 1.93, y + 0.53, "attention", BLUE, w=0.84)
    norm2 = _box(ax, 3.36, y + 0.53, "norm", GREEN, w=0.58)
    mlp = _box(ax, 4.13, y + 0.53, "mlp", ORANGE, w=0.54)
    sum1, sum2 = _sign(ax, 2.58, y, "+"), _sign(ax, 4.6, y, "+")
    _branch(ax, (0.52, y), [norm1, attention], sum1)
    _branch(ax, (2.89, y), [norm2, mlp], sum2)
    _chain(ax, x, sum1, sum2, out, **ROAD)


def gpt(*, title: str) -> Axes:
    """A GPT from ids down to the loss, and the way back up, on which each part gets its gradient."""
    ax, x, w = _canvas(5.0, 3.75, title), 2.1, 1.6
    ids = _box(ax, x, 3.55, "ids", w=1.2)
    table = _box(ax, x, 2.9, "wte[ids] + wpe[:T]", PURPLE, w=w)
    blocks = _box(ax, x, 2.16, "n_layers × block", BLUE, w=w, h=0.5, bold=True)
    norm = _box(ax, x, 1.42, "norm lnf", GREEN, w=w)
    head = _box(ax, x, 0.8, "@ head", PURPLE, w=w)
    loss = _box(ax, x, 0.18, "cross_entropy", w=w)
    column = (ids, table, blocks, norm, head, loss)
    shapes = ("(B, T)", "(B, T, C)", "(B, T, C)", "(B, T, C)", "logits (B, T, V)")
    back = ("", "dx (B, T, C)", "dx (B, T, C)", "dx (B, T, C)", "dlogits (B, T, V)")
    for above, below, shape, slope in zip(column, column[1:], shapes, back, strict=False):
        start, end = above.bottom[1], below.top[1]
        _arrow(ax, (x - 0.3, start), (x - 0.3, end))
        _text(ax, x - 0.4, (start + end) / 2, shape, ha="right", fontsize=9)
        if slope:
            _arrow(ax, (x + 0.3, end), (x + 0.3, start), colour=RED)
            _text(ax, x + 0.4, (start + end) / 2, slope, ha="left", fontsize=9, color=RED)
    for name, box in (("causal\nmask", blocks), ("targets\n(B, T)", loss)):
        _text(ax, 0.36, box.y, name)
        _arrow(ax, (0.7, box.y), box.left)
    _text(ax, 0.55, head.y, "(in GPT-2\nit is wte.T)", fontsize=9)
    for box, name in ((table, "wte, wpe"), (blocks, "blocks"), (norm, "lnf"), (head, "head")):
        _arrow(ax, box.right, (box.right[0] + 0.3, box.y), colour=RED)
        _text(ax, box.right[0] + 0.36, box.y, f"gradient of {name}", ha="left", color=RED)
    return ax


# --- chapter 07 ---------------------------------------------------------------------------------------------


def training_loop(*, title: str) -> Axes:
    """One step of training as a ring, with the parameters that it reads and changes in the middle."""
    ax = _canvas(5.2, 2.3, title)
    (left, middle, right), above, below = (0.72, 2.6, 4.48), 2.0, 0.3
    size = {"w": 1.32, "h": 0.52}
    batch = _box(ax, left, above, "batch\nids, targets", **size)
    forward = _box(ax, middle, above, "forward\nlogits (B, T, V)", BLUE, **size)
    loss = _box(ax, right, above, "cross-entropy\nloss", PURPLE, **size)
    backward = _box(ax, right, below, "backward\ngrads", RED, **size)
    clip = _box(ax, middle, below, "clip\nnorm at most 1", RED, **size)
    step = _box(ax, left, below, "AdamW\none step", ORANGE, **size, bold=True)
    params = _box(ax, middle, 1.15, "params", GREEN, w=0.9, bold=True)
    _chain(ax, batch, forward, loss, colour=DARK)
    _arrow(ax, loss.bottom, backward.top, colour=DARK)
    _arrow(ax, backward.left, clip.right, colour=DARK)
    _arrow(ax, clip.left, step.right, colour=DARK)
    _arrow(ax, (0.4, step.top[1]), (0.4, batch.bottom[1]), colour=DARK)
    _text(ax, 0.5, 1.35, "next\nbatch", ha="left", fontsize=9)
    _arrow(ax, params.top, forward.bottom, colour=GREEN)
    _text(ax, middle + 0.1, (params.top[1] + forward.bottom[1]) / 2, "read", ha="left", fontsize=9)
    _arrow(ax, (1.1, step.top[1]), (1.1, params.y), params.left, colour=ORANGE)
    _text(ax, 1.2, 0.84, "changed", ha="left", fontsize=9)
    return ax


# --- chapter 08 ---------------------------------------------------------------------------------------------


def lstm_cell(*, title: str) -> Axes:
    """One step of an LSTM: gates from x and h, and the cell on a road of its own above them."""
    ax, road, middle = _canvas(5.2, 2.9, title), 2.72, 1.78
    z = _box(ax, 2.6, 0.38, "$x_t$ @ wx + $h_{t-1}$ @ wh + b\n(B, 4H), cut into i, f, g, o", w=3.7, h=0.6)
    for name, y in (("$h_{t-1}$", 0.56), ("$x_t$", 0.2)):
        source = _box(ax, 0.29, y, name, w=0.5)
        _arrow(ax, source.right, (z.left[0], y))
    f = _box(ax, 1.2, 1.18, "f = σ\nforget", GREEN, w=0.76, h=0.5)
    i = _box(ax, 2.1, 1.18, "i = σ\nadd", GREEN, w=0.76, h=0.5)
    g = _box(ax, 3.0, 1.18, "g = tanh\nnew", ORANGE, w=0.76, h=0.5)
    o = _box(ax, 3.9, 1.18, "o = σ\nshow", GREEN, w=0.76, h=0.5)
    for gate in (f, i, g, o):
        _arrow(ax, (gate.x, z.top[1]), gate.bottom)
    forget, added, shown = _sign(ax, f.x, road, "×"), _sign(ax, i.x, middle, "×"), _sign(ax, o.x, middle, "×")
    plus = _sign(ax, i.x, road, "+")
    _arrow(ax, f.top, forget.bottom)
    _arrow(ax, i.top, added.bottom)
    _arrow(ax, g.top, (g.x, middle), added.right)
    _arrow(ax, added.top, plus.bottom)
    tanh = _box(ax, o.x, 2.26, "tanh", ORANGE, w=0.56, h=0.3)
    _arrow(ax, (o.x, road), tanh.top)
    _arrow(ax, tanh.bottom, shown.top)
    _arrow(ax, o.top, shown.bottom)
    before, after = (_box(ax, x, road, name, w=0.5) for x, name in ((0.29, "$c_{t-1}$"), (4.9, "$c_t$")))
    _chain(ax, before, forget, plus, after, **ROAD)
    _chain(ax, shown, _box(ax, 4.9, middle, "$h_t$", w=0.5))
    return ax


def small_parts(*, title: str) -> Axes:
    """LoRA, an adapter and a prefix side by side; what learns is orange, with a thick edge."""
    ax = _canvas(5.65, 3.2, title)
    _lora(ax, 0.05)
    _adapter(ax, 2.07)
    _prefix(ax, 3.75)
    return ax


def _learnt(ax, x, y, text, **size) -> Box:
    return _box(ax, x, y, text, ORANGE, bold=True, **size)


def _caption(ax, x, name, learnt) -> None:
    _text(ax, x, 3.1, name, weight="bold")
    _text(ax, x, 0.1, f"learns {learnt:,} numbers")


def _lora(ax, left, C=384, K=1152, R=8) -> None:
    _caption(ax, left + 0.92, "LoRA", R * (C + K))
    x = _box(ax, left + 0.92, 2.72, "x", w=0.4)
    w = _box(ax, left + 0.42, 1.8, f"W frozen\n({C}, {K})", w=0.84, h=0.9)
    a = _learnt(ax, left + 1.38, 2.13, f"A ({C}, {R})", w=0.94)
    b = _learnt(ax, left + 1.38, 1.5, f"B ({R}, {K})\n0 at first", w=0.94, h=0.46)
    plus, out = _sign(ax, w.x, 0.86, "+"), _box(ax, w.x, 0.42, "out", w=0.5, h=0.28)
    _arrow(ax, x.left, (w.x, x.y), w.top)
    _arrow(ax, x.right, (a.x, x.y), a.top)
    _arrow(ax, a.bottom, b.top)
    _arrow(ax, b.bottom, (b.x, plus.y), plus.right)
    _text(ax, left + 0.96, plus.y + 0.15, "× α / R")
    _arrow(ax, w.bottom, plus.top)
    _arrow(ax, plus.bottom, out.top)


def _adapter(ax, left, C=384, R=16) -> None:
    _caption(ax, left + 0.79, "adapter", 2 * C * R + R + C)
    frozen = _box(ax, left + 0.33, 2.65, "frozen\nlayer", w=0.66, h=0.46)
    down = _learnt(ax, left + 1.06, 2.0, f"W↓ ({C}, {R})", w=1.04)
    gelu = _box(ax, left + 1.06, 1.6, "gelu", w=0.56, h=0.26)
    up = _learnt(ax, left + 1.06, 1.14, f"W↑ ({R}, {C})\n0 at first", w=1.04, h=0.46)
    plus, out = _sign(ax, frozen.x, 0.86, "+"), _box(ax, frozen.x, 0.42, "out", w=0.5, h=0.28)
    _arrow(ax, frozen.bottom, plus.top)
    _arrow(ax, (frozen.x, 2.29), (down.x, 2.29), down.top)
    _arrow(ax, down.bottom, gelu.top)
    _arrow(ax, gelu.bottom, up.top)
    _arrow(ax, up.bottom, (up.x, plus.y), plus.right)
    _arrow(ax, plus.bottom, out.top)


def _prefix(ax, left, H=12, P=4, D=32) -> None:
    _caption(ax, left + 0.94, "prefix", 2 * H * P * D)
    x = _box(ax, left + 0.94, 2.72, "x", w=0.4)
    frozen = _box(ax, left + 0.94, 2.15, "W frozen", w=1.2)
    prefix = _learnt(ax, left + 0.43, 1.42, f"pk, pv\n({H}, {P}, {D})", w=0.86, h=0.46)
    own = _box(ax, left + 1.45, 1.42, f"k, v\n({H}, T, {D})", w=0.84, h=0.46)
    attention = _box(ax, left + 0.94, 0.86, "attention", w=1.82, h=0.28)
    out = _box(ax, left + 0.94, 0.42, "out", w=0.5, h=0.28)
    _arrow(ax, x.bottom, frozen.top)
    _arrow(ax, (own.x, frozen.bottom[1]), own.top)
    _arrow(ax, frozen.bottom, attention.top)
    _text(ax, left + 0.84, 1.82, "q")
    for box in (prefix, own):
        _arrow(ax, box.bottom, (box.x, attention.top[1]))
    _arrow(ax, attention.bottom, out.top)


# --- chapter 09 ---------------------------------------------------------------------------------------------


def key_value_cache(word: str, *, title: str) -> Axes:
    """A word, letter by letter: which keys and values each step computes, without a cache and with one."""
    n, side = len(word), 0.32
    first, second, top = 0.2, side * n + 0.85, 0.55 + side * n
    ax = _canvas(second + side * n + 0.3, top + 0.35, title)
    for left, name, cached in ((first, "read all again", False), (second, "with a cache", True)):
        _text(ax, left - 0.13, top + 0.14, name, ha="left", va="baseline", weight="bold")
        for t in range(n):
            y = top - side * (t + 0.5)
            for s in range(t + 1):
                _letter(ax, left + side * s, y, word[s], fresh=s == t or not cached)
            _text(ax, left + side * n, y, str(1 if cached else t + 1))
        total = n if cached else n * (n + 1) // 2
        _text(ax, left + side * n, 0.37, f"= {total}", weight="bold")
    for x, fresh, name in ((first, True, "key and value computed"), (second, False, "kept")):
        _letter(ax, x, 0.15, "", fresh)
        _text(ax, x + 0.24, 0.15, name, ha="left")
    return ax


def _letter(ax, x, y, letter, fresh) -> None:
    size = {"w": 0.27, "h": 0.27, "bold": fresh}
    _box(ax, x, y, letter, ORANGE if fresh else SKY, **size)
