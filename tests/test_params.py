"""Nested parameters: flatten and unflatten are inverses, tree_map keeps the nesting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fmkit.params import count, flatten, tree_map, unflatten

PARAMS = {
    "wte": np.zeros((7, 4)),
    "blocks": [{"attn": {"w": np.full((4, 4), float(i))}, "b": np.zeros(3)} for i in range(12)],
}


def test_names_are_dotted_and_lists_keep_their_order():
    flat = flatten(PARAMS)
    assert list(flat)[:3] == ["wte", "blocks.0.attn.w", "blocks.0.b"]
    back = unflatten(dict(sorted(flat.items())))  # sorted as text: blocks.10 comes before blocks.2
    assert isinstance(back["blocks"], list)
    assert [block["attn"]["w"][0, 0] for block in back["blocks"]] == list(range(12))


names = st.text(st.characters(codec="utf-8", exclude_characters="."), min_size=1).filter(
    lambda s: not s.isdigit()
)
leaves = st.integers()
inner = st.recursive(
    leaves,
    lambda child: st.one_of(
        st.lists(child, min_size=1, max_size=12), st.dictionaries(names, child, min_size=1, max_size=4)
    ),
)


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.dictionaries(names, inner, max_size=4))
def test_unflatten_undoes_flatten(tree):
    assert unflatten(flatten(tree)) == tree


@pytest.mark.parametrize("name", ["a.b", "3", ""])
def test_names_that_could_not_be_read_back_are_refused(name):
    with pytest.raises(ValueError, match="cannot be named"):
        flatten({name: np.zeros(2)})


def test_tree_map_over_two_trees_leaves_both_alone():
    grads = tree_map(np.ones_like, PARAMS)
    stepped = tree_map(lambda w, dw: w - 0.5 * dw, PARAMS, grads)
    assert stepped["blocks"][2]["attn"]["w"][0, 0] == 1.5
    assert PARAMS["blocks"][2]["attn"]["w"][0, 0] == 2.0
    assert flatten(stepped).keys() == flatten(PARAMS).keys()


@pytest.mark.parametrize(
    "other", [{"a": 1}, {"a": 1, "b": [1], "c": 2}, {"a": 1, "b": [1, 2, 3]}, {"a": 1, "b": 4}, [1, 2]]
)
def test_tree_map_refuses_trees_of_another_nesting(other):
    with pytest.raises(ValueError, match="trees differ"):
        tree_map(lambda x, y: x, {"a": 1, "b": [1, 2]}, other)


def test_count():
    assert count(PARAMS) == 28 + 12 * (16 + 3)


@pytest.mark.usefixtures("as_a_learner")
@pytest.mark.parametrize(
    ("flat", "message"),
    [
        ({"a": 1, "a.b": 2}, "'a' cannot be an array and hold 'b', too"),
        ({"a.b.c": 1, "a.b": 2}, "'b' cannot be an array and hold 'c', too"),
        ({"blocks.0": 1, "blocks.2": 2}, "without a gap, but these are 0, 2"),
        ({"blocks.1.w": 1}, "without a gap, but these are 1"),
        ({"blocks.0": 1, "blocks.00": 2}, "but these are 0, 00"),
        ({"blocks.0": 1, "blocks.w": 2}, "but these are 0, w"),
        ({"blocks.²": 1}, "but these are ²"),
        ({"": 1}, "a part of the name '' is empty"),
        ({"a.": 1}, "a part of the name 'a.' is empty"),
        ({"a..b": 1}, "a part of the name 'a..b' is empty"),
        ({0: 1}, "0 is empty, or it is no string"),
    ],
)
def test_names_that_no_tree_has_are_refused(flat, message):
    with pytest.raises(ValueError, match=message):
        unflatten(flat)


@pytest.mark.usefixtures("as_a_learner")
def test_a_name_is_a_string():
    with pytest.raises(TypeError, match="flat: expected a dict with dotted names, got a list"):
        unflatten([1])
    with pytest.raises(TypeError, match="a parameter's name is a string, not 0"):
        flatten({0: np.zeros(2)})
