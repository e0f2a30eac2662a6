"""Chapter 12's widgets: explanations that disagree about your sentence, and rates that cannot all be equal.

They need a running kernel. `fmkit.lab.plots.explaining.shares` and `thousand` are the same on paper.
"""

import html
from collections.abc import Callable, Mapping

import ipywidgets
import numpy as np
from matplotlib.figure import Figure

from fmkit.fairness import implied_fpr
from fmkit.lab.plots.explaining import thousand
from fmkit.lab.widgets import follow, png, slider

MOST = 16  # parts drawn; a longer text is cut


def disagreement(explain: Callable, text: str) -> ipywidgets.VBox:
    """A field for a sentence, and below it how each explanation colours its words.

    Parameters
    ----------
    explain : callable
        ``explain(text) -> (score, tokens, explanations)``: a number, n strings, arrays (n,) by name.
    text : str
        The sentence to begin with. Another is read when you press Enter.
    """
    field = ipywidgets.Text(text, description="sentence", continuous_update=False, layout={"width": "560px"})
    shown = ipywidgets.HTML()

    def redraw():
        if not field.value.strip():
            shown.value = "Type a sentence."
            return
        shown.value = coloured(*explain(field.value))

    follow(redraw, field)
    return ipywidgets.VBox([field, shown])


def coloured(score: float, tokens: list[str], explanations: Mapping[str, np.ndarray]) -> str:
    """The sentence once for each explanation: red speaks for the verdict, blue against; stronger is more."""
    rows = []
    for name, values in explanations.items():
        top = max(float(np.abs(values).max()), 1e-12)
        best = html.escape(tokens[int(np.argmax(values))])
        words = "".join(_word(t, float(v) / top) for t, v in zip(tokens[:MOST], values, strict=False))
        cell = "padding:2px 10px 2px 0;white-space:nowrap"
        rows.append(f'<tr><td style="{cell}">{html.escape(name)}</td><td>{words}</td><td>{best}</td></tr>')
    first = {int(np.argmax(values)) for values in explanations.values()}
    cut = f" The first {MOST} of {len(tokens)} tokens are drawn." if len(tokens) > MOST else ""
    verdict = "positive" if score > 0 else "negative"
    comes = "token comes" if len(first) == 1 else "different tokens come"
    said = (
        f"Score {score:+.2f}, the verdict is {verdict}; red speaks for it. {len(first)} {comes} first.{cut}"
    )
    head = "<tr><th></th><th></th><th>most for the verdict</th></tr>"
    return f'<p>{said}</p><table style="line-height:1.7">{head}{"".join(rows)}</table>'


def _word(token: str, share: float) -> str:
    colour = "213, 94, 0" if share > 0 else "0, 114, 178"
    style = (
        f"background:rgba({colour}, {0.75 * abs(share):.2f});padding:1px 4px;margin:0 1px;border-radius:3px"
    )
    return f'<span title="{share:+.2f}" style="{style}">{html.escape(token)}</span>'


def impossible(groups: Mapping[str, float], ppv: float, fnr: float) -> ipywidgets.VBox:
    """Sliders for the PPV and FNR that two groups share, and for their prevalences: the FPR follows.

    Parameters
    ----------
    groups : dict
        The prevalence of each of two groups, by its name.
    ppv, fnr : float
        Where the sliders begin.
    """
    names = list(groups)
    controls = [
        *(slider(f"p, {name}", round(p, 2), 0.05, 0.95, 0.01) for name, p in groups.items()),
        slider("PPV", round(ppv, 2), 0.3, 0.99, 0.01),
        slider("FNR", round(fnr, 2), 0.0, 0.95, 0.01),
    ]
    for control in controls:
        control.style.description_width = "130px"  # a group's name is longer than a letter
    picture, text = ipywidgets.Image(format="png"), ipywidgets.HTML()

    def redraw():
        *prevalences, ppv, fnr = (control.value for control in controls)
        fprs = [implied_fpr(p, ppv, fnr) for p in prevalences]
        text.value = " · ".join(
            f"{html.escape(name)}: p {p:.2f}, FPR {said(fpr)}"
            for name, p, fpr in zip(names, prevalences, fprs, strict=True)
        )
        fig = Figure(figsize=(5.8, 3.1), dpi=110, layout="constrained")
        for ax, name, p, fpr in zip(fig.subplots(1, 2), names, prevalences, fprs, strict=True):
            if fpr <= 1:
                thousand(ax, p, ppv, fnr, name)
            else:
                ax.text(0.5, 0.5, "no decision\nhas these rates", ha="center", va="center")
                ax.set_axis_off()
        picture.value = png(fig)

    follow(redraw, *controls)
    return ipywidgets.VBox([*controls, text, picture], layout={"align_items": "flex-start"})


def said(fpr: float) -> str:
    """A false positive rate in words: above 1 there is none."""
    return f"{fpr:.2f}" if fpr <= 1 else "above 1: impossible"
