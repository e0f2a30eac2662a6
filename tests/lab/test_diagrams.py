"""The drawn diagrams: nothing is cut off, nothing lies on anything else, arrows end at boxes."""

import warnings
from itertools import combinations

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from fmkit.adapters import adapter, lora_linear, prefix_attention
from fmkit.lab import diagrams, plots

DRAWN = {
    "block": lambda: diagrams.block(title="A title"),
    "gpt": lambda: diagrams.gpt(title="A title"),
    "training_loop": lambda: diagrams.training_loop(title="A title"),
    "lstm_cell": lambda: diagrams.lstm_cell(title="A title"),
    "small_parts": lambda: diagrams.small_parts(title="A title"),
    "key_value_cache": lambda: diagrams.key_value_cache("HAMLET", title="A title"),
    "a longer word": lambda: diagrams.key_value_cache("MACBETH", title="A title"),
}


@pytest.fixture(params=DRAWN)
def ax(request):
    """Each diagram, drawn in the notebooks' style; a warning is an error."""
    with warnings.catch_warnings(), plt.rc_context():
        warnings.simplefilter("error")
        plots.use_style()
        ax = DRAWN[request.param]()
        ax.figure.canvas.draw()
        yield ax
    plt.close("all")


def boxes(ax) -> list:
    """The extents of the boxes, in inches."""
    return [
        patch.get_path().transformed(patch.get_patch_transform()).get_extents()
        for patch in ax.patches
        if isinstance(patch, FancyBboxPatch)
    ]


def texts(ax) -> dict:
    """The extents of the words, in inches: (number, words) -> box."""
    renderer, inches = ax.figure.canvas.get_renderer(), ax.transData.inverted()
    return {
        (n, text.get_text()): text.get_window_extent(renderer).transformed(inches)
        for n, text in enumerate(ax.texts)
        if text.get_text()
    }


def arrows(ax) -> list[np.ndarray]:
    """The corners of each arrow."""
    return [patch._path_original.vertices for patch in ax.patches if isinstance(patch, FancyArrowPatch)]


def along(corners: np.ndarray) -> np.ndarray:
    """Many points of an arrow."""
    steps = np.linspace(0, 1, 50)[:, None]
    return np.vstack([a + steps * (b - a) for a, b in zip(corners, corners[1:], strict=False)])


def inside(box, points, margin=0.0) -> np.ndarray:
    low, high = np.array([box.x0, box.y0]) + margin, np.array([box.x1, box.y1]) - margin
    return ((points > low) & (points < high)).all(-1)


def overlap(a, b) -> bool:
    return min(a.x1, b.x1) - max(a.x0, b.x0) > 0.005 and min(a.y1, b.y1) - max(a.y0, b.y0) > 0.005


def test_everything_lies_on_the_sheet(ax):
    sheet = ax.figure.bbox.transformed(ax.transData.inverted())
    for name, box in [*texts(ax).items(), *((None, box) for box in boxes(ax))]:
        assert box.x0 >= sheet.x0 and box.x1 <= sheet.x1, name
        assert box.y0 >= sheet.y0 and box.y1 <= sheet.y1, name


def test_boxes_are_apart(ax):
    assert len(boxes(ax)) > 5
    assert not [pair for pair in combinations(boxes(ax), 2) if overlap(*pair)]


def test_words_lie_in_one_box_or_in_none_and_on_no_other_words(ax):
    for name, text in texts(ax).items():
        for box in boxes(ax):
            corners = np.array([[text.x0, text.y0], [text.x1, text.y1]])
            assert not overlap(text, box) or inside(box, corners).all(), name
    for (one, a), (other, b) in combinations(texts(ax).items(), 2):
        assert not overlap(a, b), f"{one} lies on {other}"


def test_arrows_end_at_boxes_or_at_words_and_cross_nothing(ax):
    for corners in arrows(ax):
        end = corners[-1]
        at_box = any(inside(box, end, -0.005) and not inside(box, end, 0.005) for box in boxes(ax))
        at_words = any(inside(text, end, -0.1) for text in texts(ax).values())
        assert at_box or at_words, f"an arrow ends in the air at {end}"
        assert not any(inside(box, along(corners), 0.005).any() for box in boxes(ax))
        assert not [name for name, text in texts(ax).items() if inside(text, along(corners), -0.02).any()]


def test_words_can_be_read_and_the_sheet_is_small(ax):
    assert min(text.get_fontsize() for text in ax.texts) >= 9
    width, height = ax.figure.get_size_inches()
    assert 4.5 <= width <= 6 and height <= 4.5
    assert ax.figure.get_facecolor() == (1, 1, 1, 1)  # also on a dark page


def test_one_inch_is_one_inch(ax):
    (x0, y0), (x1, y1) = ax.transData.transform([(0, 0), (1, 1)])
    assert x1 - x0 == pytest.approx(96) and y1 - y0 == pytest.approx(96)


def test_the_cache_diagram_counts():
    words = [text.get_text() for text in diagrams.key_value_cache("MACBETH", title="t").texts]
    plt.close("all")
    assert "= 28" in words and "= 7" in words
    assert words.count("1") == 1 + 7  # the first step without a cache, every step with one


def test_the_small_parts_count_as_the_reference_does():
    rng = np.random.default_rng(0)
    lora = rng.normal(size=(384, 8)), np.zeros((8, 1152))
    assert lora_linear(np.ones((2, 384)), np.ones((384, 1152)), None, *lora)[0].shape == (2, 1152)
    bottleneck = np.ones((384, 16)), np.ones(16), np.ones((16, 384)), np.ones(384)
    assert adapter(np.ones((2, 384)), *bottleneck)[0].shape == (2, 384)
    prefix, own = np.ones((2, 12, 4, 32)), np.ones((3, 1, 12, 5, 32))
    assert prefix_attention(*own, *prefix)[0].shape == (1, 12, 5, 32)
    words = [text.get_text() for text in diagrams.small_parts(title="t").texts]
    plt.close("all")
    for parts in (lora, bottleneck, prefix):
        assert f"learns {sum(part.size for part in parts):,} numbers" in words
