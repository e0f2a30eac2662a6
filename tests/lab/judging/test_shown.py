"""Inputs and results as a person reads them."""

import numpy as np

from fmkit.lab.judging import shown


def test_small_arrays_are_shown_whole_and_large_ones_by_their_shape():
    assert shown.text(np.array([[1.0, 0.123456], [-2.0, np.inf]])) == "[[1, 0.1235], [-2, inf]]"
    assert shown.text(np.array([1.5], np.float32)) == "[1.5] float32"
    assert shown.text(np.zeros((3, 5))) == "array (3, 5) float64"
    assert shown.text(np.zeros((0, 5))) == "empty array (0, 5)"
    assert shown.text(np.array([True, False])) == "[True, False]"


def test_the_end_of_a_long_text_is_kept():
    words = shown.text("a" * 500 + "the end")
    assert "..." in words and words.endswith("the end'") and len(words) < 220


def test_lists_of_pairs_are_told_by_their_shapes():
    layers = [(np.zeros((4, 5)), np.zeros(5)), (np.zeros((5, 6)), np.zeros(6))]
    ((_, words),) = shown.case_rows("input 1 of 2", ["layers"], (layers,))
    assert words.startswith("layers = [(array (4, 5) float64, array (5,) float64), (array (5, 6)")


def test_of_a_long_list_the_items_in_the_middle_go():
    layers = [(np.zeros((c, c + 1)), np.zeros(c + 1)) for c in range(4, 10)]
    words = shown.text(layers, whole=False)
    assert words.startswith("[(array (4, 5) float64") and words.endswith(
        "(array (9, 10) float64, array (10,) float64)]"
    )
    assert "), ..., (" in words and len(words) <= 200


def test_the_smallest_arguments_are_shown_first():
    rows = shown.case_rows("input", ["x", "w", "n"], (np.zeros((4, 4)), np.array([1.0, 2.0]), 3))
    assert rows == (("input", "x = array (4, 4) float64, w = [1, 2], n = 3"),)


def test_sizes():
    assert shown.size([np.zeros(3), (1, "word"), {"a": np.zeros((2, 2))}]) == 3 + 1 + 1 + 4
