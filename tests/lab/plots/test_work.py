"""Chapter 16's pictures and its widgets, without a browser."""

from types import SimpleNamespace

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pytest

from fmkit.errors import UserError
from fmkit.lab.plots import work as plots_work
from fmkit.lab.widgets import work as widgets_work


def test_found_within_counts_places_up_to_k():
    ax = plots_work.found_within({"a": np.array([1, 3, 9])}, title="T", most=4)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [1 / 3, 1 / 3, 2 / 3, 2 / 3])
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [1, 2, 3, 4])
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["a"]


def test_risks_and_the_threshold_chosen():
    ax = plots_work.risks({"s": (np.array([0.5, 1.0]), np.array([0.0, 0.4]))}, (0.7, 0.1), title="T")
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [0.0, 0.4])
    assert [float(v[0]) for v in ax.lines[1].get_data()] == [0.7, 0.1]
    assert len(plots_work.risks({"s": (np.ones(1), np.ones(1))}, title="T").lines) == 1


def test_rates_have_a_band_and_a_change():
    rate, low, high = np.array([0.1, 0.4]), np.array([0.0, 0.3]), np.array([0.3, 0.6])
    ax = plots_work.rates([1800, 1810], rate, low, high, 1805, title="T", ylabel="y")
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), rate)
    assert list(ax.lines[1].get_xdata()) == [1805, 1805]
    band = ax.collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == 0.0 and band[:, 1].max() == 0.6
    assert len(plots_work.rates([1, 2], rate, low, high, title="T", ylabel="y").lines) == 1


def test_a_sound_is_drawn_with_high_tones_above():
    picture = np.arange(200 * 80.0).reshape(200, 80)
    ax = plots_work.heard(picture, title="T")
    np.testing.assert_array_equal(ax.images[0].get_array(), picture.T)
    assert tuple(ax.images[0].get_extent()) == (0, 2.0, 0, 80) and ax.images[0].origin == "lower"


def test_accuracy_by_length_has_a_line_for_each_seed():
    run = np.array([[5.0, 0.9, 0.8, 0.95], [20.0, 0.0, 0.0, 0.05]])
    ax = plots_work.by_length({"a": [run, run], "b": [run]}, title="T")
    assert len(ax.containers) == 3 and ax.get_legend_handles_labels()[1] == ["a", "b"]
    plt.close("all")


def test_looks_draws_a_line_where_it_looked_and_escapes():
    weights = np.array([[0.9, 0.04, 0.06], [0.0, 1.0, 0.0], [0.3, 0.3, 0.4]])  # the last row: the end
    drawn = plots_work.looks("我<吃", "i <ate", weights, title="A & B")
    assert drawn.count("<line") == 3 and 'opacity="0.90"' in drawn
    assert drawn.count("<text") == 5 and "&lt;ate</text>" in drawn and "A &amp; B" in drawn
    assert "<ate" not in drawn
    assert plots_work.looks("我", "", np.ones((1, 1)), title="nothing").count("<text") == 1


# --- the widgets --------------------------------------------------------------------------------------------


def an_answer(question, known=True):
    passage = SimpleNamespace(
        chapter="06", title="5 · <Why>", link="06-attention.html#5", text="First. a < b holds. Last."
    )
    text = "Because <b>." if known else "I do not know."
    return SimpleNamespace(
        question=question, text=text, quotation="a < b holds.", known=known, passage=passage
    )


def test_a_card_marks_the_quotation_and_escapes():
    card = widgets_work.card(an_answer("why"))
    assert "First. <mark>a &lt; b holds.</mark> Last." in card
    assert "Because &lt;b&gt;." in card and "“5 · &lt;Why&gt;” (06-attention.html#5)" in card
    assert widgets_work.card(an_answer("why", known=False)) == "<p><b>I do not know.</b></p>"


@pytest.fixture
def asked():
    return []


def test_the_chat_asks_only_when_told_to(asked):
    def ask(question):
        asked.append(question)
        return an_answer(question, known=question != "unknown")

    box = widgets_work.chat(ask, ["one", "two"], an_answer("zero"))
    choice, field, shown = box.children
    assert isinstance(choice, ipywidgets.Dropdown) and field.value == "zero"
    assert asked == [] and "<mark>" in shown.value
    choice.value = "two"
    assert asked == ["two"] and field.value == "two"
    field.value = " unknown "
    assert asked == ["two", "unknown"] and shown.value == "<p><b>I do not know.</b></p>"
    field.value = "  "
    assert len(asked) == 2


def test_each_example_that_the_chat_does_not_show_yet_is_a_change(asked):
    def ask(question):
        asked.append(question)
        return an_answer(question)

    choice, field, _ = widgets_work.chat(ask, ["one", "two"], an_answer("two")).children
    assert choice.value == field.value == "two", "what is shown is what is chosen"
    choice.value = "one"
    assert asked == ["one"] and field.value == "one"


def test_the_translator_says_what_it_cannot_read():
    def write(texts):
        if texts == ["?"]:
            raise UserError("? is unknown <here>")
        return ["i ate"], np.ones((1, 3, 1))

    field, shown = widgets_work.translate(write, "我").children
    assert "i ate</p>" in shown.value and "<svg" in shown.value
    field.value = " ? "
    assert shown.value == "<p>? is unknown &lt;here&gt;</p>"
