"""Chapter 01's widgets: type a sentence and watch it fall into tokens. They need a running kernel."""

import html
from collections.abc import Callable, Mapping, Sequence

import ipywidgets

from fmkit.lab.plots.preprocessing import readable
from fmkit.lab.plots.style import COLOURS
from fmkit.lab.widgets import type_in

_MOST = 400  # tokens shown of one row
_BOX = "display:inline-block;margin:1px;padding:0 3px;border-radius:3px;font-family:monospace;background:{}44"


def token_box(cutters: Mapping[str, Callable], text: str) -> ipywidgets.VBox:
    """A text field, and below it the field's text in tokens, cut by each of several tokenizers.

    Parameters
    ----------
    cutters : dict
        For each tokenizer its name and a function from a text to a list of str.
    text : str
        To begin with.
    """

    def rows(typed):
        return "".join(row(name, cut(typed)) for name, cut in cutters.items())

    return type_in(rows, text, "text", "640px")


def row(name: str, tokens: Sequence[str]) -> str:
    """One tokenizer's row as HTML: its name, the number of tokens, and a coloured box for each."""
    boxes = "".join(
        f'<span style="{_BOX.format(COLOURS[i % 3])}">{html.escape(readable(token)) or "&nbsp;"}</span>'
        for i, token in enumerate(tokens[:_MOST])
    )
    more = f" and {len(tokens) - _MOST} more" if len(tokens) > _MOST else ""
    return f'<p style="line-height:1.7"><b>{html.escape(name)}</b>, {len(tokens)} tokens<br>{boxes}{more}</p>'
