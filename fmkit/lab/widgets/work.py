"""Chapter 16's widget: ask the book. It needs a running kernel; the chapter prints ten answers beside it."""

import html
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets


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
    choice = ipywidgets.Dropdown(options=list(examples), description="examples", **wide)
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
