"""Chapter 13's widget: two weights that have to become whole numbers. It needs a running kernel.

`fmkit.lab.plots.smaller.lattice` is the same on paper.
"""

import ipywidgets

from fmkit.lab.plots.smaller import lattice
from fmkit.lab.widgets import explore


def two_weights() -> ipywidgets.VBox:
    """Move two weights and say how far their inputs go together: which allowed point is the best?"""

    def draw(ax, first, second, together):
        lattice((first, second), together, title="nearest, and best for the outputs", ax=ax)

    return explore(
        draw,
        first=(0.45, -1.0, 1.0, 0.05),
        second=(0.4, -1.0, 1.0, 0.05),
        together=(0.9, -0.95, 0.95, 0.05),
    )
