"""What a check, a hint and the progress table look like: a card in a notebook, plain lines elsewhere.

The colours are tints over whatever lies behind, and the text keeps the page's own colour, so that a card can
be read in a light and a dark theme; an icon and a word say the same as the colour.
"""

import html
import re
import sys
from dataclasses import dataclass

from fmkit.lab.judging.exercise import Exercise
from fmkit.lab.judging.judge import Verdict

MINUTES = "application/vnd.fmkit.minutes+json"  # in a cell's output: what `records.share_minutes` shares

_TONES = {  # icon, colour of the edge and icon, tint of the card
    "right": ("✓", "#1a7f4b", "rgba(26, 160, 90, 0.12)"),
    "wrong": ("✗", "#c43e2f", "rgba(220, 70, 50, 0.11)"),
    "neutral": ("○", "#5c6b7a", "rgba(110, 130, 150, 0.13)"),
    "hint": ("?", "#2266b3", "rgba(50, 120, 200, 0.11)"),
}


@dataclass(frozen=True)
class Card:
    """One card; `repr` gives its plain lines.

    Attributes
    ----------
    tone : str
        ``"right"``, ``"wrong"``, ``"neutral"`` or ``"hint"``.
    word : str
        The state in words, beside the icon: ``"Correct"``.
    name : str
        Of the exercise, in code type.
    line : str
        The first of the plain lines, behind the icon.
    paragraphs : tuple of (str, str)
        A bold label (may be empty) and a text each.
    rows : tuple of (str, str)
        A small table.
    header : tuple of str
        Columns of a larger table, whose cells are in ``table``.
    table : tuple of tuples of str
    """

    tone: str
    word: str
    name: str
    line: str
    paragraphs: tuple[tuple[str, str], ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    header: tuple[str, ...] = ()
    table: tuple[tuple[str, ...], ...] = ()

    def __repr__(self) -> str:
        icon = _TONES[self.tone][0]
        lines = [f"{icon} {self.line}"]
        lines += [f"  {label + ': ' if label else ''}{text}" for label, text in self.paragraphs]
        width = max((len(label) for label, _ in self.rows), default=0)
        lines += [f"  {label:<{width}}  {text}" for label, text in self.rows]
        return _encodable("\n".join(lines + columns(self.header, self.table)))

    def _repr_html_(self) -> str:
        icon, colour, tint = _TONES[self.tone]
        head = (
            f'<span aria-hidden="true" style="display:inline-block;width:1.5em;height:1.5em;'
            f"line-height:1.5em;margin-right:0.35em;border-radius:50%;text-align:center;"
            f"font-weight:bold;color:#fff;"
            f'background-color:{colour}">{icon}</span> <strong>{_text(self.word)}</strong>'
        )  # the space is for hosts that show a notebook without its styles
        if self.name:
            head += f' <code style="margin-left:0.55em;{_CODE}">{_text(self.name)}</code>'
        body = "".join(_paragraph(*p) for p in self.paragraphs) + _rows(self.rows)
        body += _table(self.header, self.table)
        return _encodable(
            f'<div role="status" style="max-width:46em;margin:0.3em 0;padding:0.7em 1em;line-height:1.45;'
            f'border-left:0.3em solid {colour};border-radius:0.3em;background-color:{tint}">'
            f"<div>{head}</div>{body}</div>"
        )


def _encodable(text: str, encoding: str = "utf-8") -> str:
    """The text with a ``?`` for what cannot be sent: a lone surrogate, an icon on an old terminal."""
    return text.encode(encoding, "replace").decode(encoding)


def _text(text: str) -> str:
    return html.escape(text)


def _paragraph(label: str, text: str) -> str:
    bold = f"<strong>{_text(label)}:</strong> " if label else ""
    words = re.sub(r"`([^`]+)`", rf'<code style="{_CODE}">\1</code>', _text(text))
    words = re.sub(r"(?<![\w*])\*(\w+)\*(?![\w*])", r"<em>\1</em>", words)
    return f'<div style="margin-top:0.5em">{bold}{words}</div>'


def _rows(rows: tuple) -> str:
    if not rows:
        return ""
    label = (
        "text-align:left;vertical-align:top;padding:0.1em 1.2em 0.1em 0;font-weight:normal;"
        "white-space:nowrap;opacity:0.8"
    )
    value = "text-align:left;vertical-align:top;padding:0.1em 0;white-space:normal;overflow-wrap:anywhere"
    lines = [
        f'<tr style="background-color:transparent"><th scope="row" style="{label}">{_text(name)}</th>'
        f'<td style="{value}"><code style="{_CODE}">{_text(text)}</code></td></tr>'
        for name, text in rows
    ]
    return f'<table style="{_PLAIN_TABLE}">{"".join(lines)}</table>'


_CODE = "padding:0;background-color:transparent;color:inherit"
_PLAIN_TABLE = "margin:0.6em 0 0 0;border:none;border-collapse:collapse;font-size:inherit;color:inherit"


def _table(header: tuple, table: tuple) -> str:
    if not header:
        return ""

    def cells(tag: str, row: tuple) -> str:
        style = "text-align:{};padding:0.15em 1.4em 0.15em 0;border:none"
        sides = ["left"] + ["right"] * (len(row) - 1)
        return "".join(
            f'<{tag} style="{style.format(s)}">{_text(c)}</{tag}>' for s, c in zip(sides, row, strict=True)
        )

    lines = [f'<tr style="background-color:transparent">{cells("td", row)}</tr>' for row in table]
    head = f'<tr style="background-color:transparent">{cells("th", header)}</tr>'
    return f'<table style="{_PLAIN_TABLE}">{head}{"".join(lines)}</table>'


def columns(header: tuple, table: tuple) -> list[str]:
    """A table as plain lines: the first column to the left, the others to the right."""
    if not header:
        return []
    rows = [header, *table]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    sides = "<" + ">" * (len(header) - 1)
    return ["  " + "  ".join(map("{:{}{}}".format, row, sides, widths)) for row in rows]


def in_notebook() -> bool:
    """Whether IPython runs this."""
    ipython = sys.modules.get("IPython")
    return ipython is not None and ipython.get_ipython() is not None


def put(card: Card) -> None:
    """Show a card: in a notebook as HTML with plain lines beside it, elsewhere as lines."""
    if in_notebook():
        from IPython.display import display

        display(card)
    else:
        say(repr(card))


def say(text: str) -> None:
    """Print, also on a terminal that knows fewer characters than the text has."""
    print(_encodable(text, getattr(sys.stdout, "encoding", None) or "utf-8"))


_LIKE = {  # of a verdict's `how`
    "part": "In part it looks like",
    "two": "Looks like more than one thing",
}


def _like(verdict) -> tuple[str, str]:
    """What an answer is like, as a label and its words."""
    if verdict.misconception.startswith("as if "):
        return "", f"It behaves {verdict.misconception}."
    return _LIKE.get(verdict.how, "Looks like"), verdict.misconception


def card(exercise: Exercise, verdict: Verdict, note: str = "") -> Card:
    """The card of a verdict."""
    if verdict.status == "ok":
        points = f"{exercise.points} point{'' if exercise.points == 1 else 's'}"
        verb = " Right" if exercise.title.endswith("?") else ": right"
        paragraphs = [("", f"{exercise.title}{verb} on every input. {points}.")]
        paragraphs += [("", sentence) for sentence in verdict.says]
        paragraphs += [("Note", note)] if note else []
        return Card("right", "Correct", exercise.id, f"{exercise.id}: correct ({points})", tuple(paragraphs))
    if verdict.status == "undone":
        line = f"{exercise.id}: not done yet"
        return Card("neutral", "Not done yet", exercise.id, line, (("", verdict.message),), verdict.rows)
    paragraphs = [("", verdict.right)] if verdict.right else []
    if verdict.misconception:
        paragraphs += [_like(verdict)]
    paragraphs += [("Hint", verdict.hint)] if verdict.hint else []
    paragraphs += [("", sentence) for sentence in verdict.says]
    paragraphs += [("", verdict.message)]
    paragraphs += [("Note", n) for n in verdict.notes]
    line = f"{exercise.id}: not right yet"
    return Card("wrong", "Not right yet", exercise.id, line, tuple(paragraphs), verdict.rows)
