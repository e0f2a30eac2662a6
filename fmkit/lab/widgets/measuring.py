"""Chapter 11's game: raise a measure without raising quality. It needs a running kernel.

`fmkit.lab.plots.measuring.scoreboard` is the same on paper.
"""

from collections.abc import Callable, Mapping

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from fmkit.lab.plots.measuring import scoreboard
from fmkit.lab.widgets import follow, png


def _halved(words, common):
    return words[: max(1, len(words) // 2)]


def _twice(words, common):
    return words * 2


def _shuffled(words, common):
    return [words[i] for i in np.random.default_rng(0).permutation(len(words))]


def _padded(words, common):
    return [*words, *(word for word in common if word not in words)][: len(words) + 3]


TRICKS = {"cut in half": _halved, "say it twice": _twice, "shuffle": _shuffled, "add common words": _padded}


def goodhart(
    score: Callable[[str], Mapping[str, float]], texts: Mapping[str, str], common: tuple[str, ...] = ()
) -> ipywidgets.VBox:
    """A text to change, by hand or by a trick, and what the measures say of it.

    Parameters
    ----------
    score : callable
        From a text to {measure: value}, 0 to 1.
    texts : for each name, a text to begin with
    common : tuple of str
        Words that one of the tricks adds, three at a time.
    """
    names = list(texts)
    which = ipywidgets.Dropdown(options=names, description="begin with")
    box = ipywidgets.Textarea(
        texts[names[0]], continuous_update=False, layout={"width": "560px", "height": "66px"}
    )
    buttons = [ipywidgets.Button(description=trick, layout={"width": "150px"}) for trick in TRICKS]
    picture = ipywidgets.Image(format="png", layout={"max_width": "100%", "width": "560px"})

    def redraw():
        fig = Figure(figsize=(5.8, 1.9), dpi=144, layout="constrained")
        bars = {measure: {"": value} for measure, value in score(box.value).items()}
        scoreboard(bars, title="", ax=fig.subplots()).set_xlim(0, 1.1)  # the same for every text
        picture.value = png(fig)

    def play(trick):
        words = TRICKS[trick](box.value.split(), common)
        box.value = " ".join(words)

    for button in buttons:
        button.on_click(lambda pressed: play(pressed.description))
    which.observe(lambda change: setattr(box, "value", texts[change["new"]]), names="value")
    follow(redraw, box)
    return ipywidgets.VBox(
        [which, box, ipywidgets.HBox(buttons), picture], layout={"align_items": "flex-start"}
    )
