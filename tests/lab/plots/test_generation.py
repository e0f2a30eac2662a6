"""Chapter 09's pictures and widgets, on a tiny model with random weights."""

import ipywidgets
import numpy as np
import pytest

from fmkit.generation import generate
from fmkit.lab.plots import generation as plots_generation
from fmkit.lab.widgets import generation as widgets_generation
from fmkit.llama import LlamaConfig, init_llama, llama_step

CONFIG = LlamaConfig(12, 16, n_layers=1, n_heads=2, n_kv_heads=1, d_model=8, d_ff=12)
LETTERS = "abcdefghi \n<"
OFF = {"temperature": 1.0, "top_k": None, "top_p": None, "min_p": 0.0, "repetition_penalty": 1.0}


@pytest.fixture
def model():
    return llama_step, init_llama(np.random.default_rng(0), CONFIG), CONFIG


def encode(text):
    return [LETTERS.index(c) for c in text if c in LETTERS] or [10]


def decode(ids):
    return "".join(LETTERS[i] for i in ids)


# --- pictures ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "shown"), [("a", "a"), (" the", "·the"), ("\n", "↵"), (" ", "·"), ("a b ", "a b·"), ("", "∅")]
)
def test_readable(token, shown):
    assert plots_generation.readable(token) == shown


def test_next_tokens_are_the_likeliest_in_order():
    before, after = np.array([0.1, 0.6, 0.0, 0.3]), np.array([0.0, 1.0, 0.0, 0.0])
    ax = plots_generation.next_tokens(before, after, ["a", "b", " c", "d"], title="t", top=3)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["b", "d", "a"]
    heights = [bar.get_height() for bar in ax.patches]
    assert heights == [0.6, 0.3, 0.1, 1.0, 0.0, 0.0]
    assert ax.get_ylim()[1] == 1.05


def test_settings_compared_share_a_scale_and_show_their_texts():
    p = np.full(12, 1 / 12)
    panels = {"one": (p, p, "a b\nc"), "two": (p, np.eye(12)[0], "x" * 60)}
    ax = plots_generation.settings_compared(panels, LETTERS, title="t")
    bars, text, other, _ = ax.figure.axes
    assert bars.get_ylim() == other.get_ylim() and [t.get_text() for t in text.texts] == ["one", "a b\nc"]


def test_tree_has_a_product_for_each_leaf():
    branches = {"": {"a": 0.6, "b": 0.4}, "a": {"c": 0.5, "d": 0.5}, "b": {"e": 1.0}}
    ax = plots_generation.tree(branches, {"greedy": ("a", "c"), "best": ("b", "e")}, title="t")
    texts = [text.get_text().strip() for text in ax.texts]
    assert texts.count("= 0.300") == 2 and texts.count("= 0.400") == 1


def test_trade_off_and_sureness_and_accuracies():
    points = {"cold": (0.8, 3.0), "hot": (0.1, 12.0)}
    others = {"cut": (0.3, 4.0)}
    real = [(0.2, 6.0), (0.2, 5.0)]
    ax = plots_generation.trade_off(points, others, real, title="t", xlabel="x", ylabel="y")
    assert {text.get_text() for text in ax.texts} == {"cold", "hot"}
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["cut", "real text"]
    ax = plots_generation.sureness("ab c", [3, 1, 2, 7], title="t")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "b", "·", "c"]
    begins = [bar.get_facecolor() for bar in ax.patches[:4]]
    assert begins[0] == begins[3] != begins[1] == begins[2]
    ax = plots_generation.accuracies({"m": [1.0, 0.25]}, ["same", "next"], title="t")
    assert [text.get_text() for text in ax.texts] == ["100", "25"]


def test_a_word_begins_after_a_gap_and_its_first_apostrophe():
    begins = plots_generation.begins_word("it's 'tis\nso")
    assert "".join("^" if b else "." for b in begins) == "^....^^...^."


# --- widgets -----------------------------------------------------------------------------------------------


def test_temperature_zero_is_greedy(model):
    step, params, config = model
    cold = OFF | {"temperature": 0}
    new = widgets_generation.continuation(model, [1, 2], 6, 5, cold)
    assert new == list(generate(step, params, [1, 2], config, 6))
    logits = np.array([0.0, 2.0, 1.0])
    assert widgets_generation.drawn_from(logits, [0], cold).tolist() == [0, 1, 0]
    assert widgets_generation.drawn_from(logits, [0], OFF).sum() == pytest.approx(1)


def controls(box):
    field, temperature, top_k, top_p, min_p, penalty, seed, text, picture = box.children
    return field, (temperature, top_k, top_p, min_p, penalty, seed), text, picture


def test_playground_writes_anew_with_each_slider(model):
    field, sliders, text, picture = controls(widgets_generation.playground(model, encode, decode, "ab", n=30))
    assert bytes(picture.value).startswith(b"\x89PNG")
    for slider, value in zip(sliders, (0.3, 6, 0.8, 1.0, 2.0, 7), strict=True):
        before, at_first = (text.value, bytes(picture.value)), slider.value
        slider.value = value
        assert (text.value, bytes(picture.value)) != before
        slider.value = at_first
    field.value = "cab"
    assert "cab" in text.value


def test_playground_takes_any_prompt(model):
    field, _, text, _ = controls(widgets_generation.playground(model, encode, decode, "a", n=5))
    for prompt in ("", "月 🙂", "<b>", "abc" * 20):  # empty, foreign, HTML, longer than the block
        field.value = prompt
        assert "<b style" in text.value
    field.value = "<i>"
    assert "&lt;i&gt;" in text.value


def test_ask_box_streams_and_is_ready_again():
    seen = []

    def answer(question):
        for piece in (question, " <", "3"):
            seen.append(button.disabled)
            yield piece

    box = widgets_generation.ask_box(answer, "hi")
    field, button, shown = box.children
    assert isinstance(field, ipywidgets.Text) and shown.value == ""
    button.click()
    assert "hi &lt;3" in shown.value and seen == [True] * 3 and not button.disabled


def test_ask_box_shows_an_error():
    def answer(question):
        yield "so "
        raise ValueError("too long")

    box = widgets_generation.ask_box(answer, "hi")
    box.children[1].click()
    assert "so  [too long]" in box.children[2].value
