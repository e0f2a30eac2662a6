"""Bits per character of a text that was cut into pieces."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    words = ["the", " king", " is", "é", "ß", "雨", "😀", " nevermore", "a", "\n", "naïve", "to", " be", "!"]

    def logs(n, size=3.0):
        return np.log(rng.uniform(0.02, 0.9, n)) * size

    def case(n, ends=1, size=3.0):
        pieces = [str(rng.choice(words)) for _ in range(n - 2)] + ["über", " and"]
        pieces = [pieces[i] for i in rng.permutation(n)] + [""] * ends  # an end mark has no text
        return logs(n + ends, size), pieces

    example = np.log(np.array([0.25, 0.5])), ["the", ""]
    small, start = (logs(2), ["to", " be"]), (logs(3), ["", "a", "b"])
    accents = logs(3), ["cafe\u0301", "ﬁ ﬃ", "é"]  # a character of its own, two ligatures, one character
    blanks = logs(4), [" ", "\tso\tit ", "\r\n", "\n"]
    letters = logs(3), ["Straße", "İ7", "!?"]
    repeated = logs(4), ["la", "la", "la", ""]
    impossible = np.array([-800.0, -1.5, -2000.0]), ["no", " way", "!"]
    cases = [example, small, start, accents, blanks, letters, repeated, impossible]
    return [*cases, case(6), case(9, 2), case(4, 0), case(1000, 1, 1.0), as_float32(case(7))]


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
            "the mean of each piece's own ratio",
            "-logp.sum() / math.log(2) / sum(len(piece) for piece in pieces) -> "
            "np.mean([-v / math.log(2) / len(piece) for v, piece in zip(logp, pieces) if piece])",
            "Add up all bits, add up all characters, divide once: a long piece counts for all it spells.",
        ),
        mistake(
            "the mean of each piece's own ratio, no text counting as one character",
            "-logp.sum() / math.log(2) / sum(len(piece) for piece in pieces) -> "
            "np.mean([-v / math.log(2) / max(len(piece), 1) for v, piece in zip(logp, pieces)])",
            "Add up all bits, add up all characters, divide once: a long piece counts for all it spells.",
        ),
        mistake(
            "the mean of each piece's own ratio, no text counting as 0 bits",
            "-logp.sum() / math.log(2) / sum(len(piece) for piece in pieces) -> "
            "np.mean([-v / math.log(2) / len(piece) if piece else 0 for v, piece in zip(logp, pieces)])",
            "Add up all bits, add up all characters, divide once: a long piece counts for all it spells.",
        ),
        mistake(
            "nats instead of bits",
            "/ math.log(2) ->",
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
            "sum(len(piece) for piece in pieces) -> len(pieces)",
            "Long pieces are harder to guess: only a count that no tokenizer can change is fair.",
        ),
        mistake(
            "bits per piece that has a text, not per character",
            "sum(len(piece) for piece in pieces) -> sum(1 for piece in pieces if piece)",
            "Long pieces are harder to guess: only a count that no tokenizer can change is fair.",
        ),
        mistake(
            "the bits of the whole text",
            "/ sum(len(piece) for piece in pieces) ->",
            "Per character: a text of twice the length should not be twice as bad.",
        ),
        mistake(
            "left out the pieces without text",
            "logp.sum() -> sum(v for v, piece in zip(logp, pieces) if piece)",
            "An end mark has no characters, but the model had to predict it: its bits count.",
        ),
        mistake(
            "counted a piece without text as one character",
            "len(piece) -> max(len(piece), 1)",
            "An end mark has no characters: it adds bits above the bar, and nothing below.",
        ),
        mistake(
            "counted bytes, not characters",
            "len(piece) -> len(piece.encode())",
            "One character such as é is two bytes: count what a reader counts.",
        ),
        mistake(
            "joined the pieces with spaces that nobody wrote",
            "sum(len(piece) for piece in pieces) -> len(' '.join(pieces))",
            "The pieces hold their own spaces: put end to end they are the text.",
        ),
        mistake(
            "took the spaces at the ends of each piece away",
            "len(piece) -> len(piece.strip())",
            "A space is a character, and the model had to predict it.",
        ),
        mistake(
            "took the spaces at the ends of the text away",
            "sum(len(piece) for piece in pieces) -> len(''.join(pieces).strip())",
            "A space is a character, and the model had to predict it.",
        ),
        mistake(
            "counted no spaces",
            "len(piece) -> len(piece.replace(' ', ''))",
            "A space is a character, and the model had to predict it.",
        ),
        mistake(
            "counted no blanks, tabs and line ends",
            "len(piece) -> len(''.join(piece.split()))",
            "A space or a line end is a character, and the model had to predict it.",
        ),
        mistake(
            "counted no line ends",
            "len(piece) -> len(piece.replace('\\n', ''))",
            "A line end is a character, and the model had to predict it.",
        ),
        mistake(
            "put letters and their accents together before counting",
            "len(piece) -> len(__import__('unicodedata').normalize('NFC', piece))",
            "Count the text as it is given, as `len` does.",
        ),
        mistake(
            "counted letters only",
            "len(piece) -> sum(c.isalpha() for c in piece)",
            "Spaces and marks are characters as well: `len` counts them all.",
        ),
        mistake(
            "counted letters and digits only",
            "len(piece) -> sum(c.isalnum() for c in piece)",
            "Spaces and marks are characters as well: `len` counts them all.",
        ),
        mistake(
            "counted ASCII characters only",
            "len(piece) -> len(piece.encode('ascii', 'ignore'))",
            "é and 雨 are characters, too: `len` counts them.",
        ),
        mistake(
            "bits per word, not per character",
            "sum(len(piece) for piece in pieces) -> max(len(''.join(pieces).split()), 1)",
            "Characters are asked for: `len` of a text counts them.",
        ),
        mistake(
            "each different character counted once",
            "sum(len(piece) for piece in pieces) -> len(set(''.join(pieces)))",
            "A character that comes ten times was predicted ten times.",
        ),
        mistake(
            "each different piece counted once",
            "for piece in pieces -> for piece in set(pieces)",
            "A piece that comes ten times was predicted ten times, and spells ten times.",
        ),
        mistake(
            "left out the bits of the last piece",
            "-logp.sum() -> -logp[:-1].sum()",
            "The model had to predict every piece, the last one, too.",
        ),
        mistake(
            "left out the bits of the first piece",
            "-logp.sum() -> -logp[1:].sum()",
            "The model had to predict every piece, the first one, too.",
        ),
        mistake(
            "the perplexity instead of its logarithm",
            "float(-logp -> math.exp(math.log(2) * -logp",
            "The exponential makes it a perplexity: stop before it.",
        ),
        mistake(
            "took the logs for probabilities",
            "-logp.sum() -> -np.log(logp).sum()",
            "logp holds logarithms already, so they are negative: no second log.",
        ),
        mistake(
            "the mean surprise instead of the sum, above the bar",
            "-logp.sum() -> -logp.mean()",
            "All bits of the text stand above the bar, all its characters below.",
        ),
        mistake(
            "through a product of probabilities, which rounds to 0",
            "-logp.sum() -> -np.log(np.exp(logp).prod())",
            "A product of a thousand probabilities rounds to exactly 0: add up the logs that you have.",
        ),
        mistake(
            "through probabilities, which round to 0",
            "-logp.sum() -> -np.log(np.exp(logp)).sum()",
            "exp(-800) rounds to exactly 0, and its log is lost: the logs are given, add them up.",
        ),
        mistake(
            "the log-probability without its minus",
            "-logp -> logp",
            "A log-probability is negative; a surprise is positive.",
        ),
    ),
    hints=(
        "The surprise of a whole text is the sum of the surprises of its pieces, -logp.",
        "Divide by log 2 for bits, and once by the number of characters of all pieces together.",
    ),
)
