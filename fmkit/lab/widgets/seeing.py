"""Chapter 10's search for emoji by words, in either language. It needs a running kernel."""

import base64
import html
import io
from collections.abc import Callable

import ipywidgets
import numpy as np

from fmkit.lab.widgets import type_in
from fmkit.lab.workbench import emoji_clip
from fmkit.lab.workbench.emoji_clip import Emoji


def search(params: dict, emoji: Emoji, text: str = "red heart", count: int = 8) -> ipywidgets.VBox:
    """A field for words; below it the emoji whose pictures lie nearest to them, and which words were known.

    Parameters
    ----------
    params : dict
        Trained encoders, of `fmkit.lab.workbench.emoji_clip.train`.
    text : str
        In the field at first.
    count : int
        How many emoji.
    """
    return type_in(answering(params, emoji, count), text, "find", "420px")


def answering(params: dict, emoji: Emoji, count: int = 8) -> Callable[[str], str]:
    """What `search` shows for a text, as HTML."""
    places = emoji_clip.see(params, emoji.pictures)

    def show(text: str) -> str:
        said = emoji_clip.words_of(text)
        known = [word for word in said if word in emoji.words]
        asked = emoji_clip.say(params, emoji_clip.numbers([text], emoji.words))[0]
        scores = places @ asked
        best = np.argsort(-scores)[:count]
        cells = "".join(
            f"<td style='text-align:center;vertical-align:top;width:84px;font-size:11px'>"
            f"<img alt='' width='48' src='{_png(emoji.pictures[i])}'><br>{html.escape(emoji.english[i])}<br>"
            f"{html.escape(emoji.chinese[i])}<br>{scores[i]:.2f}</td>"
            for i in best
        )
        strange = [word for word in said if word not in emoji.words]
        note = f"words it has seen: {html.escape(', '.join(known)) or 'none'}"
        if strange:
            note += f"; never seen: {html.escape(', '.join(strange))}"
        return f"<div>{note}</div><table><tr>{cells}</tr></table>"

    return show


def _png(picture: np.ndarray) -> str:
    """A picture from -1 to 1 as an address that holds it."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(np.uint8(np.round((picture + 1) * 127.5))).save(out, "png")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()
