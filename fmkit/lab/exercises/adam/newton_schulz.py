"""Orthogonal by matrix products, without an SVD."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, m, steps, size=1.0):
        return size * rng.normal(size=(n, m)), steps

    return [
        (np.array([[1.0, 1.0], [1.0, -1.0]]), 1),
        case(4, 3, 3),
        case(3, 6, 5, 30.0),
        case(5, 5, 1, 0.01),
        case(1, 4, 2),
        (np.array([[3.0, 0.0, 4.0], [0.0, 12.0, 0.0]]), 2),
        (np.array([[2.0, -1.0], [0.5, 3.0], [1.0, 0.0]]), 0),
        as_float32(case(6, 4, 4)),
    ]


def newton_schulz(g, steps):
    x = g / np.linalg.norm(g)  # Frobenius: no singular value is above 1 now
    for _ in range(steps):
        cube = x @ x.T @ x
        x = 1.5 * x - 0.5 * cube
    return x


def inner_product_first(g, steps):
    x = g / np.sqrt((g * g).sum())
    for _ in range(steps):
        gram = np.einsum("ik,jk->ij", x, x)
        x = (3 * x - np.einsum("ij,jk->ik", gram, x)) / 2
    return x


def other_side(g, steps):
    x = g / math.sqrt(float(np.vdot(g, g)))
    eye = np.eye(g.shape[1], dtype=g.dtype)
    for _ in range(steps):
        x = x @ (1.5 * eye - 0.5 * x.T @ x)
    return x


EXERCISE = Exercise(
    title="Orthogonal without an SVD",
    points=2,
    minutes=10,
    difficulty=3,
    cases=cases,
    reference=newton_schulz,
    alternatives=(inner_product_first, other_side),
    mistakes=(
        mistake(
            "not scaled at first",
            "x = g / np.linalg.norm(g) -> x = g",
            "Singular values above 1.73 run away: begin with a matrix whose values are at most 1.",
        ),
        mistake(
            "divided by the largest entry",
            "np.linalg.norm(g) -> np.abs(g).max()",
            "The largest entry says little about singular values: use the root of the sum of all squares.",
        ),
        mistake(
            "divided by the squared norm",
            "np.linalg.norm(g) -> (g * g).sum()",
            "The norm is the root of the sum of squares.",
        ),
        mistake(
            "divided by the largest singular value",
            "np.linalg.norm(g) -> np.linalg.norm(g, 2)",
            "It would do, but finding it takes an SVD, which is what we want to avoid: use the Frobenius "
            "norm.",
        ),
        mistake(
            "each row divided by its own norm",
            "np.linalg.norm(g) -> np.linalg.norm(g, axis=1, keepdims=True)",
            "One number for the whole matrix: the root of the sum of *all* squares.",
        ),
        mistake(
            "each column divided by its own norm",
            "np.linalg.norm(g) -> np.linalg.norm(g, axis=0, keepdims=True)",
            "One number for the whole matrix: the root of the sum of *all* squares.",
        ),
        mistake(
            "divided by the sum of the sizes",
            "np.linalg.norm(g) -> np.abs(g).sum()",
            "The Frobenius norm is the root of the sum of all squares.",
        ),
        mistake(
            "cubed each entry",
            "cube = x**3",
            "The cube is a matrix product, x @ x.T @ x, not entry by entry.",
        ),
        mistake(
            "the product made once, before the loop",
            (
                "x = g / np.linalg.norm(g) -> x = g / np.linalg.norm(g)\nsquare = x @ x.T",
                "cube = square @ x",
            ),
            "x changes in every round, and so does x @ x.T.",
        ),
        mistake(
            "the products with g instead of x",
            "cube = g @ g.T @ x",
            "From the scaling on only x counts: it stands in all three places.",
        ),
        mistake(
            "the cube of the first x in every round",
            (
                "x = g / np.linalg.norm(g) -> x = first = g / np.linalg.norm(g)",
                "cube = first @ first.T @ first",
            ),
            "x changes in every round, and so does its cube.",
        ),
        mistake(
            "the two signs swapped",
            "1.5 * x - 0.5 * cube -> 0.5 * cube - 1.5 * x",
            "A singular value of 1 should stay 1.",
        ),
        mistake(
            "3/2 and 1/2 swapped",
            "1.5 * x - 0.5 * cube -> 0.5 * x - 1.5 * cube",
            "A singular value of 1 should stay 1: 1/2 - 3/2 is not 1.",
        ),
        mistake(
            "3 instead of 3/2",
            "1.5 * x - 0.5 * cube -> 3 * x - 0.5 * cube",
            "A singular value of 1 should stay 1: 3 - 1/2 is not 1.",
        ),
        mistake(
            "3 and 1 instead of 3/2 and 1/2",
            "1.5 * x - 0.5 * cube -> 3 * x - cube",
            "A singular value of 1 should stay 1: 3 - 1 is not 1.",
        ),
        mistake(
            "Muon's coefficients",
            "1.5 * x - 0.5 * cube -> 3.4445 * x - 4.775 * cube + 2.0315 * x @ x.T @ cube",
            "These are Muon's, which come near 1 only roughly. The classic iteration has 3/2 and -1/2.",
        ),
        mistake(
            "scaled again after every round",
            "x = 1.5 * x - 0.5 * cube -> x = 1.5 * x - 0.5 * cube\nx = x / np.linalg.norm(x)",
            "Scale once: the iteration itself brings the values to 1.",
        ),
        mistake(
            "scaled again before every round",
            "cube = x @ x.T @ x -> x = x / np.linalg.norm(x)\ncube = x @ x.T @ x",
            "Scale once, before the loop: the iteration itself brings the values to 1.",
        ),
        mistake(
            "scaled in every round only",
            (
                "x = g / np.linalg.norm(g) -> x = g",
                "cube = x @ x.T @ x -> x = x / np.linalg.norm(x)\ncube = x @ x.T @ x",
            ),
            "Scale once, before the loop: the iteration itself brings the values to 1.",
        ),
        mistake(
            "added the cube",
            "1.5 * x - 0.5 * cube -> 1.5 * x + 0.5 * cube",
            "A singular value of 1 should stay 1: 3/2 + 1/2 is not 1.",
        ),
        mistake(
            "one round too few",
            "for _ in range(steps - 1):",
            "steps counts the rounds of the iteration; the scaling is not one of them.",
        ),
        mistake(
            "one round too many",
            "for _ in range(steps + 1):",
            "range(steps) goes round `steps` times already.",
        ),
        mistake(
            "one round, whatever steps says",
            "for _ in range(1):",
            "Is the return inside the loop? The rounds are `steps`.",
        ),
        mistake("always five rounds", "for _ in range(5):", "The number of rounds is an argument."),
        mistake(
            "the scale multiplied back at the end",
            "return x * np.linalg.norm(g)",
            "The result is near an orthogonal matrix: the size of g does not come back.",
        ),
    ),
    equal=(("cube = (x @ x.T).T @ x", "x @ x.T is symmetric"),),
    hints=(
        "np.linalg.norm(g) of a matrix is the Frobenius norm: the root of the sum of all squares.",
        "x @ x.T @ x has the shape of x, and the cubes of its singular values.",
        "One round: 1.5 * x - 0.5 * x @ x.T @ x.",
    ),
)
