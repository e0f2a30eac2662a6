"""Chapter 08's box to type into: what the models say of your sentence. It needs a running kernel."""

from collections.abc import Callable, Mapping

import ipywidgets
from matplotlib.figure import Figure

from fmkit.lab.plots.finetuning import opinions
from fmkit.lab.widgets import follow, png


def ask(models: Mapping[str, Callable[[str], float]], sentence: str) -> ipywidgets.VBox:
    """A sentence to change, and each model's opinion of it; pressing Enter asks again.

    Parameters
    ----------
    models : for each model, a function from a text to the probability that it is positive
    sentence : str
        What stands in the box at first.
    """
    box = ipywidgets.Text(value=sentence, continuous_update=False, layout={"width": "560px"})
    picture = ipywidgets.Image(format="png", layout={"max_width": "100%", "width": "576px"})

    def redraw():
        said = {name: model(box.value) for name, model in models.items()}
        fig = Figure(figsize=(6.0, 0.3 * len(models) + 0.9), dpi=144, layout="constrained")
        opinions({"": said}, title="", axes=[fig.subplots()])
        picture.value = png(fig)

    follow(redraw, box)
    return ipywidgets.VBox([box, picture], layout={"align_items": "flex-start"})
