"""Pictures are drawn without a screen, in the style of the course, and closed again."""

import matplotlib
import pytest

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def own_style():
    import matplotlib.pyplot as plt

    from fmkit.lab import plots

    with matplotlib.rc_context():
        plots.use_style()
        yield
    plt.close("all")
