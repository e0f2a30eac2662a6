"""Chapter 06's widget: type a sentence, choose a head of a real model, see who looks at whom.

It needs a running kernel. `fmkit.lab.plots.attention.weights` is the same on paper.
"""

import html
from collections.abc import Callable, Mapping

import ipywidgets
import numpy as np

from fmkit.lab.widgets import follow

MOST = 24  # tokens drawn; a longer text is cut


def attention_maps(
    read: Callable, text: str, heads: Mapping[str, tuple[int, int]] | None = None
) -> ipywidgets.VBox:
    """A text box, a choice of layer and head, and the map of that head's weights.

    Parameters
    ----------
    read : callable
        ``read(text) -> (tokens, weights)``: T strings, and an array (L, H, T, T).
    text : str
        The sentence to begin with.
    heads : for each name (layer, head), counted from 1; a choice of heads that are worth a look
    """
    box = ipywidgets.Text(text, description="sentence", continuous_update=False, layout={"width": "560px"})
    now = {"tokens": [], "weights": np.zeros((1, 1, 0, 0))}
    now["tokens"], now["weights"] = read(text)
    layers, count = now["weights"].shape[:2]
    layer = ipywidgets.IntSlider(1, min=1, max=layers, description="layer")
    head = ipywidgets.IntSlider(1, min=1, max=count, description="head")
    known = {"(choose)": None, **(heads or {})}
    choice = ipywidgets.Dropdown(options=list(known), description="a head that", layout={"width": "300px"})
    picture = ipywidgets.HTML()

    def redraw():
        values = now["weights"][layer.value - 1, head.value - 1]
        picture.value = html_map(values[:MOST, :MOST], now["tokens"][:MOST], len(now["tokens"]))

    def reread(_=None):
        now["tokens"], now["weights"] = read(box.value)
        redraw()

    def jump(_=None):
        if known[choice.value] is not None:
            layer.value, head.value = known[choice.value]

    box.observe(reread, names="value")
    choice.observe(jump, names="value")
    follow(redraw, layer, head)
    rows = [box, ipywidgets.HBox([layer, head]), picture]
    return ipywidgets.VBox(rows[:1] + ([choice] if heads else []) + rows[1:])


def html_map(values: np.ndarray, tokens: list[str], total: int) -> str:
    """Weights (T, T) as an HTML table, so that every script is drawn; point at a cell to read its number."""
    names = [html.escape(t) for t in tokens]
    tall = "writing-mode:vertical-rl;transform:rotate(180deg);font-weight:normal;padding:2px 0"
    top = "".join(f'<th style="{tall}">{name}</th>' for name in names)
    rows = [f"<tr><td></td>{top}</tr>"]
    for name, row in zip(names, values, strict=True):
        cells = "".join(_cell(name, other, w) for other, w in zip(names, row, strict=True))
        rows.append(f'<tr><td style="text-align:right;padding-right:6px">{name}</td>{cells}</tr>')
    note = f"<p>(the first {len(tokens)} of {total} tokens)</p>" if total > len(tokens) else ""
    style = "border-collapse:separate;border-spacing:1px;line-height:1.2;font-size:13px"
    said = f"<p>Each row looks, each column is looked at. {_strongest(values, names)}</p>"
    return f'<table style="{style}">{"".join(rows)}</table>{said}{note}'


def _cell(looks, seen, weight):
    colour = f"rgba(0, 114, 178, {float(weight):.3f})"
    size = "min-width:21px;height:21px;border:1px solid #e6e6e6;padding:0"
    return f'<td title="{looks} → {seen}: {weight:.2f}" style="{size};background:{colour}"></td>'


def _strongest(values, names):
    """The strongest look between two words, in words; [CLS] and [SEP] left out."""
    inner = np.array(values[1:-1, 1:-1])
    if len(inner) < 2:
        return "Type a few words."
    np.fill_diagonal(inner, 0.0)
    t, s = np.unravel_index(inner.argmax(), inner.shape)
    return f"Strongest between two words: <b>{names[t + 1]}</b> → <b>{names[s + 1]}</b>, {inner[t, s]:.2f}."
