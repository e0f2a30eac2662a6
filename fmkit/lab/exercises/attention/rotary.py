"""Rotary positions whose pairs are neighbours."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, h, t, d, base, far=0):
        positions = np.sort(rng.choice(40, (b, t), replace=False), axis=1)
        positions[0] += 3  # so that no row begins at 0
        return rng.normal(size=(b, h, t, d)), positions + far, base

    return [
        (np.array([[[[1.0, 0.0]]]]), np.array([[2]]), 100.0),
        (rng.normal(size=(1, 1, 1, 2)), np.array([[0]]), 10.0),
        (rng.normal(size=(1, 1, 2, 4)), np.array([[int(rng.integers(3, 9)), 1]]), 16.0),
        case(1, 2, 1, 2, 500.0),
        case(3, 1, 2, 6, 10000.0),
        case(2, 3, 5, 4, float(rng.uniform(50, 100))),
        case(2, 2, 3, 6, float(rng.uniform(5, 10))),
        case(2, 1, 4, 8, 10000.0, far=1000),
        as_float32(case(2, 4, 5, 6, 100.0)),
        as_float32(case(2, 1, 3, 4, 10000.0, far=1_000_000)),
    ]


def rotate_neighbours(x, positions, base):
    D = x.shape[-1]
    angle = positions[:, None, :, None] * base ** (-np.arange(0, D, 2) / D)  # (B, 1, T, D/2)
    cos, sin = np.cos(angle).astype(x.dtype), np.sin(angle).astype(x.dtype)
    even, odd = x[..., 0::2], x[..., 1::2]
    out = np.empty_like(x)
    out[..., 0::2] = even * cos - odd * sin
    out[..., 1::2] = even * sin + odd * cos
    return out


def loop(x, positions, base):
    out, D = np.empty_like(x), x.shape[-1]
    for b, t in np.ndindex(positions.shape):
        for i in range(D // 2):
            angle = positions[b, t] / base ** (2 * i / D)
            first, second = x[b, :, t, 2 * i], x[b, :, t, 2 * i + 1]
            out[b, :, t, 2 * i] = first * math.cos(angle) - second * math.sin(angle)
            out[b, :, t, 2 * i + 1] = first * math.sin(angle) + second * math.cos(angle)
    return out


def rotate_neighbours_complex(x, positions, base):
    D = x.shape[-1]
    turn = np.exp(1j * positions[:, None, :, None] / base ** (np.arange(D // 2) * 2 / D))
    z = (x[..., ::2] + 1j * x[..., 1::2]) * turn
    return np.stack([z.real, z.imag], -1).reshape(x.shape).astype(x.dtype)


IN_HALVES = ("out[..., 0::2] -> out[..., : D // 2]", "out[..., 1::2] -> out[..., D // 2 :]")

EXERCISE = Exercise(
    title="Rotary positions for neighbours",
    points=3,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=rotate_neighbours,
    alternatives=(loop, rotate_neighbours_complex),
    equal=(
        ("cos, sin = (np.cos(angle), np.sin(angle).astype(x.dtype))", "out has the dtype of x anyway"),
        ("cos, sin = (np.cos(angle).astype(x.dtype), np.sin(angle))", "out has the dtype of x anyway"),
        ("even, odd = (x[..., ::2], x[..., 1::2])", "a slice begins at 0 by itself"),
        ("out[..., ::2] = even * cos - odd * sin", "a slice begins at 0 by itself"),
    ),
    mistakes=(
        mistake(
            "pairs i with i + D/2",
            ("even, odd = x[..., : D // 2], x[..., D // 2 :]", *IN_HALVES),
            "That is the library's layout. Here the partners are neighbours: 0 and 1, 2 and 3, ...",
        ),
        mistake(
            "the right pairs, laid out in two halves",
            IN_HALVES,
            "The turned numbers go back to where they came from: even places, odd places.",
        ),
        mistake(
            "turned the wrong way",
            ("out[..., 0::2] = even * cos + odd * sin", "out[..., 1::2] = odd * cos - even * sin"),
            "The pair (1, 0) at angle a becomes (cos a, sin a): is your sine positive there?",
        ),
        mistake(
            "plus in both lines",
            "out[..., 0::2] = even * cos + odd * sin",
            "In a rotation one of the four terms has a minus.",
        ),
        mistake(
            "minus in both lines",
            "out[..., 1::2] = even * sin - odd * cos",
            "In a rotation one of the four terms has a minus, the other three a plus.",
        ),
        mistake(
            "cos and sin exchanged",
            "cos, sin -> sin, cos",
            "An angle of 0 turns nothing: what does your function make of position 0?",
        ),
        mistake(
            "the two of a pair exchanged, on the way in",
            "even, odd -> odd, even",
            "Number 2i is the first of its pair, and number 2i + 1 the second.",
        ),
        mistake(
            "the two of a pair exchanged, on the way out",
            ("out[..., 0::2] = even * sin + odd * cos", "out[..., 1::2] = even * cos - odd * sin"),
            "The pair (1, 0) at angle a becomes (cos a, sin a): the cosine stands in place 2i.",
        ),
        mistake(
            "the angles laid out for the other layout",
            (
                "out[..., 0::2] = even * cos[..., np.arange(0, D, 2) % (D // 2)] "
                "- odd * sin[..., np.arange(0, D, 2) % (D // 2)]",
                "out[..., 1::2] = even * sin[..., np.arange(1, D, 2) % (D // 2)] "
                "+ odd * cos[..., np.arange(1, D, 2) % (D // 2)]",
            ),
            "Both of a pair turn by one angle: np.repeat writes each twice in a row, np.tile does not.",
        ),
        mistake(
            "the right angles, but partners D/2 apart",
            (
                "even, odd = x[..., 0::2], x[..., 1::2] -> even, odd = x[..., 0::2], x[..., 1::2]\n"
                "half = np.concatenate([-x[..., D // 2 :], x[..., : D // 2]], -1)",
                "out[..., 0::2] = even * cos + half[..., 0::2] * sin",
                "out[..., 1::2] = odd * cos + half[..., 1::2] * sin",
            ),
            "The partner of number 2i is 2i + 1: that of the library's layout stands D/2 further on.",
        ),
        mistake(
            "the new even number used for the odd one",
            "out[..., 1::2] = out[..., 0::2] * sin + odd * cos",
            "Both new numbers are made of the two old ones: keep a copy.",
        ),
        mistake(
            "added instead of turned",
            ("out[..., 0::2] = even + sin", "out[..., 1::2] = odd + cos"),
            "Rotary positions multiply: each pair is turned by its angle.",
        ),
        mistake(
            "counts from 0 instead of using positions",
            "positions[:, None, :, None] -> np.arange(x.shape[2])[:, None]",
            "The positions come as an argument, and they need not be 0, 1, 2, ...",
        ),
        mistake(
            "the first row's positions for all",
            "positions[:, None, :, None] -> positions[0, :, None]",
            "positions is (B, T): every row of the batch has its own.",
        ),
        mistake(
            "positions counted from 1",
            "positions[:, None, :, None] -> (positions[:, None, :, None] + 1)",
            "Position 0 turns by nothing at all.",
        ),
        mistake(
            "the exponent i/D, not 2i/D",
            "np.arange(0, D, 2) -> np.arange(D // 2)",
            "Pair i turns by position / base ** (2i / D): for D = 4 the exponents are 0 and 1/2.",
        ),
        mistake(
            "the exponent 4i/D, not 2i/D",
            "np.arange(0, D, 2) -> 2 * np.arange(0, D, 2)",
            "np.arange(0, D, 2) is 2i already: for D = 4 the exponents are 0 and 1/2.",
        ),
        mistake(
            "pairs counted from 1",
            "np.arange(0, D, 2) -> np.arange(2, D + 1, 2)",
            "The first pair is pair 0: it turns by the position itself.",
        ),
        mistake(
            "exponents from 0 to 1, both included",
            "np.arange(0, D, 2) / D -> np.linspace(0, 1, D // 2)",
            "The last exponent is (D - 2) / D, not 1.",
        ),
        mistake(
            "no axis for the heads",
            "positions[:, None, :, None] -> positions[:, :, None]",  # an exception, or the wrong row's
            "The angles must be (B, 1, T, D/2), or the rows of the batch fall on the heads.",
        ),
        mistake(
            "the slowest pair first",
            "np.arange(0, D, 2) -> np.arange(0, D, 2)[::-1]",
            "Pair 0 turns fastest: one radian a position.",
        ),
        mistake(
            "all pairs turn equally fast",
            "angle = positions[:, None, :, None]",
            "Each pair has a speed of its own.",
        ),
        mistake(
            "base to the positive power",
            "(-np.arange -> (np.arange",
            "Pair 0 is the fastest, the others are slower: divide by the power of base.",
        ),
        mistake("base 10000 whatever is asked", "base ** -> 10000.0 **", "base is an argument."),
        mistake(
            "degrees, not radians",
            ("cos, sin -> angle = np.deg2rad(angle)\ncos, sin",),
            "NumPy's cos and sin take radians, and so does the formula.",
        ),
        mistake(
            "the angles in float32: far away they are rounded",
            "angle = (positions[:, None, :, None] * base ** (-np.arange(0, D, 2) / D)).astype(np.float32)",
            "float32 has about seven digits: of an angle of a million little is left behind the point. "
            "Take cos and sin in float64, and cast these.",
        ),
        mistake(
            "float64 out of float32",
            ("cos, sin = np.cos(angle), np.sin(angle)", "out = np.empty(x.shape)"),
            "Angles in float64 are right, but cast their cos and sin to x.dtype.",
        ),
    ),
    hints=(
        "x[..., 0::2] and x[..., 1::2] are the first and the second numbers of all the pairs.",
        "The angles have the shape (B, 1, T, D/2): a position for each row and place, the same for "
        "every head.",
        "new even = even cos - odd sin, new odd = even sin + odd cos; write them into the same places "
        "of a new array.",
    ),
)
