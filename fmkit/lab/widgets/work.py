"""Chapter 16's widgets: translate, and ask the book. Both need a running kernel."""

import html
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets

from fmkit.errors import UserError
from fmkit.lab.plots.work import looks
from fmkit.lab.widgets import type_in


def chat(ask: Callable[[str], Any], examples: Sequence[str], first: Any) -> ipywidgets.VBox:
    """A field for a question, and below it what the book says.

    Parameters
    ----------
    ask : callable
        ``ask(question)`` gives an answer: with ``question, text, quotation, known``, and a ``passage`` with
        ``title, text, link``.
    examples : list of str
        Questions to choose from.
    first
        The answer that is shown at the beginning: nothing is asked yet.
    """
    wide = {"layout": {"width": "560px"}}
    at = first.question if first.question in examples else None  # the field's own: each other one is a change
    choice = ipywidgets.Dropdown(options=list(examples), value=at, description="examples", **wide)
    field = ipywidgets.Text(first.question, description="question", continuous_update=False, **wide)
    shown = ipywidgets.HTML(card(first))

    def answer(change):
        if change["new"].strip():
            shown.value = "<p>The book is read …</p>"
            shown.value = card(ask(change["new"].strip()))

    def choose(change):
        field.value = change["new"]

    field.observe(answer, names="value")
    choice.observe(choose, names="value")
    return ipywidgets.VBox([choice, field, shown], layout={"align_items": "flex-start"})


def card(answer: Any) -> str:
    """An answer as HTML: what the model says, the passage with the quotation marked, the section."""
    passage = answer.passage
    if not answer.known:
        return f"<p><b>{html.escape(answer.text)}</b></p>"
    marked = html.escape(passage.text).replace(
        html.escape(answer.quotation), f"<mark>{html.escape(answer.quotation)}</mark>", 1
    )
    where = f"Chapter {passage.chapter}, “{html.escape(passage.title)}” ({html.escape(passage.link)})"
    return (
        f"<blockquote>{marked}</blockquote><p>{where}</p>"
        f"<p><i>SmolLM2 makes of it:</i> {html.escape(answer.text)}</p>"
    )


def translate(write: Callable, text: str) -> ipywidgets.VBox:
    """A field for Chinese, and below it the translation and where it comes from.

    Parameters
    ----------
    write : callable
        ``write([text])`` gives translations and weights (B, T, S), as `fmkit.runs.translating.write`.
    text : str
        What stands in the field at the beginning.
    """

    def shown(text):
        try:
            (english,), weights = write([text.strip()])
        except UserError as error:  # an empty field, or a character that it has never seen
            return f"<p>{html.escape(str(error))}</p>"
        return looks(text.strip(), english, weights[0], title=english)

    return type_in(shown, text, "Chinese", "560px")
