"""Chapter 06's pictures and its widget."""

import numpy as np
import pytest

from fmkit.attention import causal_mask, rope_tables
from fmkit.lab.plots import attention as plots_attention
from fmkit.lab.widgets import attention as widgets_attention

TOKENS = ["[CLS]", "costs", "$", "5", "or", "$", "6", "[SEP]"]  # two dollar signs are no formula


def random_weights(*shape):
    w = np.random.default_rng(0).uniform(size=shape)
    return w / w.sum(-1, keepdims=True)


def test_weights_names_every_token():
    ax = plots_attention.weights(random_weights(8, 8), TOKENS, title="t")
    ax.figure.canvas.draw()
    assert [label.get_text() for label in ax.get_yticklabels()] == TOKENS
    assert [label.get_text() for label in ax.get_xticklabels()] == TOKENS
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("looks", "looked at")


def test_weights_with_other_keys():
    ax = plots_attention.weights(random_weights(2, 3), ["a", "b"], ["x", "y", "z"], title="t")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["x", "y", "z"]


def test_side_by_side_has_one_scale_and_copes_with_masks():
    panels = {"mask": causal_mask(8), "weights": random_weights(8, 8)}
    axes = plots_attention.side_by_side(panels, TOKENS, title="t").figure.axes[:2]
    axes[0].figure.canvas.draw()
    limits = {ax.images[0].get_clim() for ax in axes}
    assert len(limits) == 1 and [ax.get_title() for ax in axes] == ["mask", "weights"]


def test_heads_writes_the_large_ones_and_counts_from_one():
    values = np.zeros((2, 3))
    values[1, 2], values[0, 0] = 0.75, 0.1
    ax = plots_attention.heads(values, title="t", label="l")
    assert [text.get_text() for text in ax.texts] == ["0.75"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "2", "3"]


def test_clocks_point_where_the_angle_says():
    cos, sin = rope_tables(np.arange(3), 4)
    ax = plots_attention.clocks(cos, sin, title="t")
    hands = [line for line in ax.lines if len(line.get_xdata()) == 2]
    assert len(hands) == 6
    x, y = hands[2].get_xdata(), hands[2].get_ydata()  # position 1, pair 0: one radian, anticlockwise
    assert np.isclose(np.arctan2(-(y[1] - y[0]), x[1] - x[0]), 1.0)


# --- the widget --------------------------------------------------------------------------------------------


def read(text):
    tokens = ["[CLS]", *text.split(), "[SEP]"]
    rng = np.random.default_rng(len(tokens))
    w = rng.uniform(size=(2, 3, len(tokens), len(tokens)))
    return tokens, w / w.sum(-1, keepdims=True)


def parts(box):
    text, choice, sliders, picture = box.children
    return text, choice, *sliders.children, picture


def test_the_map_follows_sentence_layer_head_and_choice():
    text, choice, layer, head, picture = parts(
        widgets_attention.attention_maps(read, "one two three", {"a job": (2, 3)})
    )
    seen = {picture.value}
    for control, value in ((layer, 2), (head, 2), (text, "four five"), (choice, "a job")):
        control.value = value
        assert picture.value not in seen
        seen.add(picture.value)
    assert (layer.value, head.value, layer.max, head.max) == (2, 3, 2, 3)
    assert "four" in picture.value and "one" not in picture.value


def test_without_a_choice():
    assert len(widgets_attention.attention_maps(read, "one two").children) == 3


@pytest.mark.parametrize("sentence", ["", "word", "<script>alert(1)</script> & co", "你好 мир 🙂"])
def test_any_sentence(sentence):
    text, _, _, _, picture = parts(widgets_attention.attention_maps(read, "one two", {"a": (1, 1)}))
    text.value = sentence
    assert "<script>" not in picture.value
    assert picture.value.count("<tr>") == 1 + len(sentence.split()) + 2


def test_a_long_sentence_is_cut_and_says_so():
    text, *_, picture = parts(widgets_attention.attention_maps(read, "one two", {"a": (1, 1)}))
    text.value = "w " * 100
    assert picture.value.count("<tr>") == 1 + widgets_attention.MOST
    assert f"the first {widgets_attention.MOST} of 102 tokens" in picture.value


def test_the_strongest_look_leaves_out_the_special_tokens_and_the_word_itself():
    values = np.full((5, 5), 0.01)
    values[1, 0], values[2, 2], values[3, 1] = 0.9, 0.8, 0.5
    said = widgets_attention.html_map(values, ["[CLS]", "a", "b", "c", "[SEP]"], 5)
    assert "<b>c</b> → <b>a</b>, 0.50" in said
