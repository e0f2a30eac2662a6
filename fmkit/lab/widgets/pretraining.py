"""Chapter 07's widget: hide letters of a line with _ and let a model guess them. Needs a running kernel."""

import html
from collections.abc import Callable

import ipywidgets

from fmkit.lab.plots.pretraining import visible
from fmkit.lab.plots.style import BLUE
from fmkit.lab.widgets import type_in

_LONGEST = 64  # characters


def fill_in(guess: Callable, text: str) -> ipywidgets.VBox:
    """A text field; below it the line with its gaps filled, and the likeliest letters of each gap.

    Parameters
    ----------
    guess : callable
        ``guess(text)`` gives, for every ``_`` in the text, a list of (character, probability), best first.
    text : str
        To begin with, with a ``_`` in it for each hidden letter.
    """

    def line(typed):
        typed = typed[:_LONGEST]
        return filled(typed, guess(typed) if "_" in typed else [])

    return type_in(line, text, "line", "560px")


def filled(line: str, guesses: list) -> str:
    """The line as HTML with each ``_`` replaced by its best guess in colour, and a list of the guesses."""
    best = iter(guesses)
    letters = [_coloured(next(best)[0][0]) if c == "_" else html.escape(c) for c in line]
    rows = "".join(
        f"<li>{', '.join(f'{_shown(c)} {p:.0%}' for c, p in candidates[:4])}</li>" for candidates in guesses
    )
    style = "font-family:monospace;font-size:120%;white-space:pre"
    return f'<p style="{style}">{"".join(letters)}</p><ol>{rows}</ol>'


def _shown(character):
    return html.escape(visible(character))


def _coloured(character):
    return f'<b style="color:{BLUE}">{_shown(character)}</b>'
