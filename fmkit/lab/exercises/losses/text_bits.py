"""Bits per character of a text that was cut into pieces."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    words = ["the", " king", " is", "é", "ß", "雨", "😀", " nevermore", "a", "\n", "naïve", "to", " be"]

    def case(n, ends=1, size=3.0):
        pieces = [str(rng.choice(words)) for _ in range(n - 2)] + ["über", " and"]
        pieces = [pieces[i] for i in rng.permutation(n)] + [""] * ends  # an end mark has no text
        return np.log(rng.uniform(0.02, 0.9, n + ends)) * size, pieces

    return [case(6), case(9, 2), case(4, 0), case(3, 1, 1.0), as_float32(case(7))]


def text_bits(logp, pieces):
    return float(-logp.sum() / math.log(2) / sum(len(piece) for piece in pieces))


def join(logp, pieces):
    return float(-np.sum(logp / np.log(2)) / len("".join(pieces)))


def loop(logp, pieces):
    bits, characters = 0.0, 0
    for value, piece in zip(logp.tolist(), pieces, strict=True):
        bits -= math.log2(math.e) * value
        characters += len(piece)
    return bits / characters


EXERCISE = Exercise(
    title="Bits per character",
    points=2,
    minutes=8,
    difficulty=2,
    tolerance=1e-4,  # one Python number comes out of float32 inputs
    cases=cases,
    reference=text_bits,
    alternatives=(join, loop),
    mistakes=(
        mistake(
            "nats instead of bits",
            "return float(-logp.sum() / sum(len(piece) for piece in pieces))",
            "The logs are natural ones; a bit is the surprise of a fair coin: how many nats is that?",
        ),
        mistake(
            "multiplied by log 2 instead of dividing",
            "/ math.log(2) -> * math.log(2)",
            "A bit is smaller than a nat, so the same surprise is more bits than nats.",
        ),
        mistake(
            "the logarithm to base 10",
            "math.log(2) -> math.log(10)",
            "A bit is the surprise of one coin of two sides: base 2.",
        ),
        mistake(
            "bits per piece, not per character",
            "return float(-logp.sum() / math.log(2) / len(pieces))",
            "Long pieces are harder to guess: only a count that no tokenizer can change is fair.",
        ),
        mistake(
            "the mean of each piece's own ratio",
            "return float(np.mean([-v / math.log(2) / len(s) for v, s in zip(logp, pieces) if s]))",
            "Add up all bits, add up all characters, divide once: a long piece counts for all it spells.",
        ),
        mistake(
            "left out the pieces without text",
            "logp.sum() -> sum(v for v, piece in zip(logp, pieces) if piece)",
            "An end mark has no characters, but the model had to predict it: its bits count.",
        ),
        mistake(
            "counted bytes, not characters",
            "len(piece) -> len(piece.encode())",
            "One character such as é is two bytes: count what a reader counts.",
        ),
        mistake(
            "the perplexity instead of its logarithm",
            "return float(2 ** (-logp.sum() / math.log(2) / sum(len(piece) for piece in pieces)))",
            "The exponential makes it a perplexity: stop before it.",
        ),
        mistake(
            "the log-probability without its minus",
            "-logp.sum() -> logp.sum()",
            "A log-probability is negative; a surprise is positive.",
        ),
    ),
    hints=(
        "The surprise of a whole text is the sum of the surprises of its pieces, -logp.",
        "Divide by log 2 for bits, and once by the number of characters of all pieces together.",
    ),
)
