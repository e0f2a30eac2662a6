"""Fold a stack of linear layers into one."""

import functools

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(*widths):
        pairs = zip(widths[:-1], widths[1:], strict=True)
        return ([(rng.normal(size=(c, k)) / np.sqrt(c), rng.normal(size=k)) for c, k in pairs],)

    example = ([(np.array([[2.0]]), np.array([1.0])), (np.array([[3.0]]), np.array([5.0]))],)
    small, square = case(2, 2, 2), case(3, 3, 3, 3)  # here every order of multiplying is possible
    return [
        example,
        small,
        case(2, 3),  # one layer
        case(4, 6, 3),
        square,
        case(2, 5, 1, 4, 3, 2),
        as_float32(case(3, 5, 4, 2)),
    ]


def fold(layers):
    w, b = layers[0]
    for w_next, b_next in layers[1:]:
        w, b = w @ w_next, b @ w_next + b_next  # the earlier bias goes through the later weights
    return w, b


def by_probing(layers):
    def run(x):
        for w, b in layers:
            x = x @ w + b
        return x

    w, _ = layers[0]
    b = run(np.zeros(len(w), w.dtype))
    return run(np.eye(len(w), dtype=w.dtype)) - b, b


def with_a_row_of_ones(layers):
    def with_bias(w, b):
        last = np.zeros((len(w) + 1, 1), w.dtype)
        last[-1] = 1
        return np.concatenate([np.concatenate([w, b[None]]), last], 1)  # (C + 1, K + 1)

    whole = functools.reduce(np.matmul, [with_bias(w, b) for w, b in layers])
    return whole[:-1, :-1], whole[-1, :-1]


EXERCISE = Exercise(
    title="Fold a stack of layers",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=fold,
    alternatives=(by_probing, with_a_row_of_ones),
    equal=(("w, b = (w @ w_next, b.T @ w_next + b_next)", "a vector transposed is itself"),),
    mistakes=(
        mistake(
            "the earlier biases left out",
            "b @ w_next + b_next -> b_next",
            "An earlier bias is added to what the later layers read: does it vanish?",
        ),
        mistake(
            "the biases just added up",  # raises an exception unless the layers are of one width
            "b @ w_next -> b",
            "What the first layer adds, the second layer multiplies by its weights.",
        ),
        mistake(
            "a bias sent through its own layer's weights",
            "b @ w_next + b_next -> (b + b_next) @ w_next",
            "A layer adds its bias after multiplying: only later weights touch it.",
        ),
        mistake(
            "a bias sent through the weights of the layers before it, too",  # w updated too early
            "b @ w_next -> b @ w @ w_next",
            "The bias so far passes the next layer's own weights. Is your w, by then, the product already?",
        ),
        mistake(
            "the bias on the right of the weights",
            "b @ w_next -> w_next @ b",
            "A layer is x @ w, and the bias takes the place of x: on which side does it stand?",
        ),
        mistake(
            "the last layer's bias left out",
            "+ b_next ->",
            "Try an input of zeros: what does the last layer still add?",
        ),
        mistake(
            "the first layer's bias left out",
            "= layers[0] -> = layers[0][0], np.zeros_like(layers[0][1])",
            "The first layer has a bias, too: with which b does your loop begin?",
        ),
        mistake(
            "the first layer's bias alone",
            "b @ w_next + b_next -> b",
            "Each layer adds a bias of its own, and changes what the earlier ones added.",
        ),
        mistake(
            "each bias sent through the next layer only",  # raises an exception unless the widths agree
            "return w, b"
            " -> return w, layers[-1][1] + sum(one[1] @ two[0] for one, two in zip(layers, layers[1:]))",
            "The first bias passes all the later layers, not just the second.",
        ),
        mistake(
            "a bend put between the layers",
            "b @ w_next -> np.maximum(b, 0) @ w_next",
            "There is no activation between these layers; with one, they could not be folded.",
        ),
        mistake(
            "the matrices in the wrong order",
            "w @ w_next -> w_next @ w",
            "x meets the first layer's weights first: which matrix stands left?",
        ),
        mistake(
            "the weights multiplied entry by entry",
            "w @ w_next -> w * w_next",
            "Two layers, one after the other, are a matrix product: @ and not *.",
        ),
        mistake(
            "the weights added",
            "w @ w_next -> w + w_next",
            "Write (x @ w1) @ w2 without the brackets: what stands between w1 and w2?",
        ),
        mistake(
            "the weights transposed",
            "w, b = layers[0] -> layers = [(w.T, b) for w, b in layers]\nw, b = layers[0]",
            "Here w is (inputs, outputs) and the layer is x @ w, so there is no .T.",
        ),
        mistake(
            "folded the first two layers only",
            "layers[1:] -> layers[1:2]",
            "The list may hold any number of layers.",
        ),
        mistake(
            "the last layer left out",
            "layers[1:] -> layers[1:-1]",
            "Does your loop reach the end of the list? The end of a range or a slice is not part of it.",
        ),
        mistake(
            "the first layer taken twice",
            "layers[1:] -> layers",
            "You begin with the first layer: where does the loop begin?",
        ),
    ),
    hints=(
        "Fold two layers first: write (x @ w1 + b1) @ w2 + b2 without the brackets.",
        "Then go through the list and fold each next layer into the pair (w, b) that you have so far.",
    ),
)
