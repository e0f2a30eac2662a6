"""What every rank holds after some steps of the ring's first half."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, size, steps):
        return rng.normal(size=(n, n, size)) * 10, steps

    return [
        (np.array([[[1.0], [2.0], [3.0]], [[10.0], [20.0], [30.0]], [[100.0], [200.0], [300.0]]]), 1),
        (np.array([[[1.0], [2.0], [3.0]], [[10.0], [20.0], [30.0]], [[100.0], [200.0], [300.0]]]), 2),
        (np.array([[[7.0, -1.0]]]), 0),  # one rank has nobody to talk to
        (np.array([[[1.0], [2.0]], [[4.0], [8.0]]]), 1),
        case(4, 3, 0),
        case(4, 3, 1),
        case(4, 2, 3),
        case(5, 1, 2),
        case(6, 2, 5),
        case(3, 4, 2),
        as_float32(case(4, 5, 2)),
    ]


def ring_state(pieces, steps):
    n, held = len(pieces), pieces.copy()
    for step in range(steps):
        for rank in range(n):
            piece = (rank - step - 1) % n
            held[(rank + 1) % n, piece] += held[rank, piece]
    return held


def all_at_once(pieces, steps):
    held, ranks = pieces.copy(), np.arange(len(pieces))
    for step in range(steps):
        piece = (ranks - 1 - step) % len(ranks)
        held[(ranks + 1) % len(ranks), piece] += held[ranks, piece]
    return held


def closed(pieces, steps):
    n, held = len(pieces), pieces.copy()
    for rank in range(n):
        for piece in range(n):
            hops = (rank - piece - 1) % n  # ranks that had it before
            if hops <= steps:
                held[rank, piece] = sum(pieces[(rank - h) % n, piece] for h in range(hops + 1))
    return held


def from_the_left(pieces, steps):
    n, held = len(pieces), pieces.copy()
    for step in range(steps):
        before = held.copy()
        for rank in range(n):
            piece = (rank - 2 - step) % n
            held[rank, piece] = before[rank, piece] + before[(rank - 1) % n, piece]
    return held


EXERCISE = Exercise(
    title="The ring, step by step",
    points=2,
    minutes=15,
    difficulty=3,
    cases=cases,
    reference=ring_state,
    alternatives=(all_at_once, closed, from_the_left),
    equal=(
        (
            "piece = rank - step - 1",
            "a negative number counts from the end, and none is below -n",
        ),
        (
            "piece = ranks - 1 - step",
            "a negative number counts from the end, and none is below -n",
        ),
    ),
    teaches=("parallel.reduce_scatter", "parallel.all_reduce"),
    mistakes=(
        mistake(
            "handed to the left",
            "(rank + 1) % n -> (rank - 1) % n",
            "What is handed on goes to the right: to rank + 1.",
        ),
        mistake(
            "one step too many",
            "range(steps) -> range(steps + 1)",
            "How many steps are asked for?",
        ),
        mistake(
            "one step too few",
            "range(steps) -> range(steps - 1)",
            "How many steps are asked for?",
        ),
        mistake(
            "always to the end",
            "range(steps) -> range(n - 1)",
            "`steps` says how far the ring has come.",
        ),
        mistake(
            "begins with its own piece",
            "piece = (rank - step) % n",
            "In the first step rank r hands on piece r - 1: its own comes home last.",
        ),
        mistake(
            "the same piece in every step",
            "piece = (rank - 1) % n",
            "What a rank hands on is what it received the step before: another piece each time.",
        ),
        mistake(
            "the pieces the wrong way round",
            "piece = (rank + step + 1) % n",
            "A piece travels to the right, so a rank's next piece is the one before.",
        ),
        mistake(
            "starts at the right piece, then the wrong way",
            "piece = (rank + step - 1) % n",
            "In step 1 a rank hands on what it received in step 0: piece r - 2.",
        ),
        mistake(
            "taken over instead of added",
            "held[(rank + 1) % n, piece] = held[rank, piece]",
            "The receiver adds its own part: a sum is wanted.",
        ),
        mistake(
            "the piece as it was at the start",
            "+= held[rank, piece] -> += pieces[rank, piece]",
            "Hand on the sum so far, not only your own part.",
        ),
        mistake(
            "a mean at every step",
            "held[(rank + 1) % n, piece] = (held[(rank + 1) % n, piece] + held[rank, piece]) / 2",
            "Halving at each step weighs the ranks unequally. Add only.",
        ),
        mistake(
            "divided by n on the way",
            "+= held[rank, piece] -> += held[rank, piece] / n",
            "Add only; who wants a mean divides at the end.",
        ),
        mistake(
            "a rank loses what it hands on",
            "held[(rank + 1) % n, piece] += held[rank, piece] -> "
            "held[(rank + 1) % n, piece] += held[rank, piece]\nheld[rank, piece] = 0",
            "A copy is sent: the sender keeps its own.",
        ),
        mistake(
            "ranks and pieces exchanged",
            "held[(rank + 1) % n, piece] += held[rank, piece] -> "
            "held[piece, (rank + 1) % n] += held[piece, rank]",
            "The first axis is the rank, the second the piece.",
        ),
        mistake(
            "the last rank hands nothing to the first",
            "for rank in range(n): -> for rank in range(n - 1):",
            "It is a ring: to the right of the last stands the first.",
        ),
        mistake(
            "the whole sum on every rank, after any number of steps",
            "return np.broadcast_to(pieces.sum(0), pieces.shape).copy()",
            "That is the end of an all-reduce: here each rank hears one piece a step.",
        ),
        mistake(
            "one rank after the other, each with all its steps",
            "for step in range(steps):\n        for rank in range(n): -> "
            "for rank in range(n):\n    for step in range(steps):",
            "All ranks hand on at the same time: a step ends for everyone before the next begins.",
        ),
    ),
    hints=(
        "% n closes the ring: (n - 1 + 1) % n is 0.",
        "held[(rank + 1) % n, piece] += held[rank, piece], with the right piece.",
        "In step k rank r hands on piece (r - k - 1) % n.",
    ),
)
