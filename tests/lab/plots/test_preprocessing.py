"""Chapter 01's pictures and widgets."""

import numpy as np

from fmkit.lab.plots import preprocessing as plots
from fmkit.lab.widgets import preprocessing as widgets


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_white_space_can_be_seen():
    assert plots.readable(" the\n\tend") == "·the↵→end"


def test_tokens_draws_a_box_for_each_and_counts_them():
    ax = plots.tokens({"words": ["a", " film"], "characters": list("a film")}, title="T")
    assert len(ax.patches) == 2 + 6
    assert {"words: 2", "characters: 6", "·film"} <= set(texts(ax))
    assert ax.get_title() == "T" or ax.get_title(loc="left") == "T"


def test_long_rows_are_wrapped_without_losing_a_token():
    row = ["word"] * 40
    ax = plots.tokens({"many": row}, title="")
    assert texts(ax).count("word") == 40
    assert max(p.get_x() + p.get_width() for p in ax.patches) <= ax.get_xlim()[1]
    assert len({round(p.get_y(), 3) for p in ax.patches}) > 1


def test_no_tokens():
    assert texts(plots.tokens({"empty": []}, title="")) == ["empty: 0"]


def test_pictures_takes_grey_and_colour():
    ax = plots.pictures([np.zeros((4, 6)), np.full((4, 6, 3), 2.0)], ["a", "b"], title="T", columns=3)
    drawn = [a for a in ax.figure.axes if a.images]
    assert len(drawn) == 2 and [a.get_title() for a in drawn] == ["a", "b"]
    assert drawn[1].images[0].get_array().max() == 1.0


def test_masks_tells_the_share_of_padding():
    ax = plots.masks({"half": np.array([[1, 0], [1, 0]]), "full": np.ones((2, 3))}, title="T")
    assert [a.get_title() for a in ax.figure.axes] == ["half\n50% padding", "full\n0% padding"]


def test_a_row_counts_and_escapes():
    told = widgets.row("<b>", ["<script>", " a"])
    assert "<script>" not in told and "&lt;script&gt;" in told and "2 tokens" in told and "·a" in told


def test_a_row_does_not_grow_without_end():
    assert "and 100 more" in widgets.row("characters", ["x"] * 500)


def test_the_token_box_follows_the_text():
    box = widgets.token_box({"characters": list, "words": str.split}, "to be")
    field, shown = box.children
    assert "5 tokens" in shown.value and "2 tokens" in shown.value
    field.value = ""
    assert shown.value.count("0 tokens") == 2
    field.value = "北京"
    assert "2 tokens" in shown.value and "1 tokens" in shown.value
