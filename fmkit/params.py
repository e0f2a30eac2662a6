"""Parameters are nested dicts (and lists, for the blocks of a model) of arrays. Five functions walk them.

>>> import numpy as np
>>> params = {"wte": np.zeros((7, 4)), "blocks": [{"w": np.zeros((4, 4))}, {"w": np.ones((4, 4))}]}
>>> list(flatten(params))
['wte', 'blocks.0.w', 'blocks.1.w']
>>> count(params)
60
"""

from collections.abc import Callable, Sequence
from typing import Any

from fmkit._values import kind_of

Tree = dict[str, Any] | list[Any]


def flatten(params: Tree) -> dict[str, Any]:
    """One flat dict, with dotted names such as ``blocks.0.attn.wqkv`` (the names that torch uses too).

    Raises
    ------
    ValueError
        For a name that is empty, holds a dot or is a number: `unflatten` could not read it back.
    TypeError
        For a name that is not a string, or what is neither a dict nor a list.

    Examples
    --------
    >>> flatten({"wte": 1, "blocks": [{"w": 2}, {"w": 3}]})
    {'wte': 1, 'blocks.0.w': 2, 'blocks.1.w': 3}
    """
    if not isinstance(params, dict | list):
        raise TypeError(f"params: expected a dict (or list) of arrays, got {kind_of(params)}")
    flat = {}
    for name, value in params.items() if isinstance(params, dict) else enumerate(params):
        if isinstance(params, dict) and not isinstance(name, str):
            raise TypeError(f"a parameter's name is a string, not {name!r}")
        if isinstance(params, dict) and (not name or "." in name or name.isdigit()):
            raise ValueError(f"a parameter cannot be named {name!r}: dots and numbers mean nesting")
        if isinstance(value, dict | list):
            flat.update({f"{name}.{rest}": leaf for rest, leaf in flatten(value).items()})
        else:
            flat[str(name)] = value
    return flat


def unflatten(flat: dict[str, Any]) -> Tree:
    """The inverse of `flatten`: names that are all numbers become a list, in the order of the numbers.

    Raises
    ------
    ValueError
        For names that no tree has: one that is also the beginning of another (``a`` and ``a.b``), one with an
        empty part, numbers with a gap (``blocks.0`` and ``blocks.2``) or among words.
    TypeError
        For what is not a dict.

    Examples
    --------
    >>> unflatten({"wte": 1, "blocks.0.w": 2, "blocks.1.w": 3})
    {'wte': 1, 'blocks': [{'w': 2}, {'w': 3}]}
    """
    if not isinstance(flat, dict):
        raise TypeError(f"flat: expected a dict with dotted names, got {kind_of(flat)}")
    groups: dict[str, dict[str, Any]] = {}
    for name, leaf in flat.items():
        if not isinstance(name, str) or not all(name.split(".")):
            raise ValueError(f"a part of the name {name!r} is empty, or it is no string")
        head, _, rest = name.partition(".")
        groups.setdefault(head, {})[rest] = leaf
    for head, group in groups.items():
        if "" in group and len(group) > 1:
            raise ValueError(f"{head!r} cannot be an array and hold {max(group)!r}, too")
    tree = {head: group[""] if "" in group else unflatten(group) for head, group in groups.items()}
    if not any(head.isdigit() for head in tree):
        return tree
    order = [str(i) for i in range(len(tree))]
    if tree.keys() != set(order):
        raise ValueError(
            f"a list's numbers run from 0 without a gap, but these are {', '.join(sorted(tree))}"
        )
    return [tree[head] for head in order]


def tree_map(f: Callable, tree: Any, *others: Any) -> Any:
    """Apply ``f`` to every leaf of one or more trees of the same nesting; returns a tree of that nesting.

    ``tree_map(lambda w, dw: w - 0.1 * dw, params, grads)`` is a step of gradient descent.

    Raises
    ------
    ValueError
        When the trees do not have the same names or lengths, or one goes on where another has a leaf.

    Examples
    --------
    >>> tree_map(lambda w, dw: w - 0.5 * dw, {"w": 1.0, "b": [2.0, 3.0]}, {"w": 2.0, "b": [0.0, 1.0]})
    {'w': 0.0, 'b': [2.0, 2.5]}
    """
    return _map(f, tree, others, deeper=False)


def map_states(f: Callable, tree: Any, *others: Any) -> Any:
    """`tree_map`, but another tree may go on below a leaf: an optimizer's state of an array is a dict.

    Examples
    --------
    >>> map_states(lambda w, state: w - state["v"], {"w": 1.0}, {"w": {"v": 0.5}})
    {'w': 0.5}
    """
    return _map(f, tree, others, deeper=True)


def _map(f: Callable, tree: Any, others: Sequence, deeper: bool) -> Any:
    if isinstance(tree, dict):
        for other in others:
            if not isinstance(other, dict) or other.keys() != tree.keys():
                raise ValueError(f"trees differ: {_names(tree)} against {_names(other)}")
        return {name: _map(f, tree[name], [o[name] for o in others], deeper) for name in tree}
    if isinstance(tree, list):
        for other in others:
            if not isinstance(other, list) or len(other) != len(tree):
                raise ValueError(f"trees differ: {_names(tree)} against {_names(other)}")
        return [_map(f, leaf, leaves, deeper) for leaf, *leaves in zip(tree, *others, strict=True)]
    if not deeper:
        for other in others:
            if isinstance(other, dict | list):
                raise ValueError(f"trees differ: {_names(tree)} against {_names(other)}")
    return f(tree, *others)


def count(params: Tree) -> int:
    """How many numbers a model has. A tied weight is one array under one name, so it counts once.

    TypeError for a leaf that is not an array.

    Examples
    --------
    >>> import numpy as np
    >>> count({"w": np.zeros((3, 4)), "b": np.zeros(4)})
    16
    """
    total = 0
    for name, leaf in flatten(params).items():
        if not isinstance(getattr(leaf, "size", None), int):
            raise TypeError(f"{name}: expected an array, got {kind_of(leaf)}")
        total += leaf.size
    return total


def _names(tree: Any) -> str:
    if isinstance(tree, dict):
        return str(sorted(map(str, tree)))
    return f"a list of {len(tree)}" if isinstance(tree, list) else kind_of(tree)
