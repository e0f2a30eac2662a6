"""The colours, line styles and settings of the course's pictures."""

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette (2008): distinct with every common kind of colour vision.
BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#000000",
)
COLOURS = (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, BLACK)
# a second cue beside the colour, for a grey printout
LINES = ("-", "--", "-.", ":", "-", "--", "-.")
MARKERS = ("o", "s", "^", "D", "v", "p", "*", "X", "P", "<", ">")
HATCHES = ("", "//", "..")


def use_style() -> None:
    """Set matplotlib's defaults for this kit: small PNGs on white, left-aligned titles, no clutter."""
    plt.rcParams.update(
        {
            "figure.figsize": (5.8, 3.0),
            "figure.dpi": 96,
            "savefig.dpi": 96,
            "figure.facecolor": "white",
            "figure.constrained_layout.use": True,
            "axes.prop_cycle": plt.cycler(color=COLOURS),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 10.5,
            "axes.titlelocation": "left",
            "axes.labelsize": 9.5,
            "xtick.labelsize": 8.5,
            "ytick.labelsize": 8.5,
            "legend.fontsize": 8.5,
            "legend.frameon": False,
            "font.size": 9.5,
        }
    )


def title_above(fig: Figure, title: str) -> None:
    """A title above all panels of a figure, as one panel alone has its title."""
    fig.suptitle(title, x=0.01, ha="left", fontsize=10.5)


def legend_beside(ax: Axes) -> None:
    """A legend to the right of the axes."""
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
