"""Bits per character and the perplexity of a padded batch."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(B, T):
        real = rng.permutation(T)[:B] + 1  # rows of different lengths
        mask = (np.arange(T) < real[:, None]).astype(np.int64)
        return rng.uniform(0.5, 5.0, (B, T)), rng.integers(1, 7, (B, T)), mask

    return [case(3, 7), case(5, 9), case(1, 4), as_float32(case(4, 6))]


def bits_per_character(losses, lengths, mask):
    nats, real = (losses * mask).sum(), mask.sum()
    bits = nats / (np.log(2) * (lengths * mask).sum())  # first all the bits, then all the characters
    return float(bits), float(np.exp(nats / real))


def chosen(losses, lengths, mask):
    losses, lengths = losses[mask == 1].astype(np.float64), lengths[mask == 1]
    bits = losses / np.log(2)
    return bits.sum() / lengths.sum(), 2.0 ** bits.mean()


def loop(losses, lengths, mask):
    nats = characters = tokens = 0
    for row in range(len(losses)):
        for t in range(len(losses[row])):
            if mask[row, t]:
                nats += float(losses[row, t])
                characters += int(lengths[row, t])
                tokens += 1
    return nats / characters / math.log(2), math.exp(nats / tokens)


EXERCISE = Exercise(
    title="Bits per character",
    points=1,
    minutes=8,
    difficulty=2,
    cases=cases,
    reference=bits_per_character,
    alternatives=(chosen, loop),
    mistakes=(
        mistake(
            "nats, not bits",
            "bits = nats / (lengths * mask).sum()",
            "The losses are in nats. How many bits is a nat?",
        ),
        mistake(
            "multiplied by ln 2",
            "bits = nats * np.log(2) / (lengths * mask).sum()",
            "A fair coin is 1 bit and ln 2 = 0.69 nats: which number is the larger one?",
        ),
        mistake(
            "divided by tokens",
            "bits = nats / (np.log(2) * real)",
            "That is bits per token: the tokens of another tokenizer are longer or shorter, and the numbers "
            "cannot be compared.",
        ),
        mistake(
            "the mean of each token's own ratio",
            "bits = (losses / lengths * mask).sum() / (np.log(2) * real)",
            "All the bits over all the characters: add up before you divide.",
        ),
        mistake(
            "the mean of the rows' means",
            (
                "nats, real = (losses * mask).sum(1), mask.sum(1)",
                "bits = (nats / (np.log(2) * (lengths * mask).sum(1))).mean()",
                "np.exp(nats / real) -> np.exp((nats / real).mean())",
            ),
            "The rows are not equally long: a token of a short row would weigh more.",
        ),
        mistake(
            "padding counted",
            ("nats, real = losses.sum(), mask.size", "bits = nats / (np.log(2) * lengths.sum())"),
            "Where the mask is 0 there is no token.",
        ),
        mistake(
            "padding's characters counted",
            "bits = nats / (np.log(2) * lengths.sum())",
            "Where the mask is 0 there is no text either: whose characters did you count?",
        ),
        mistake(
            "perplexity as 2 to the nats",
            "return float(bits), float(2 ** (nats / real))",
            "2 goes with bits, e with nats.",
        ),
        mistake(
            "perplexity of a character",
            "return float(bits), float(2**bits)",
            "The perplexity is asked for a token: from which mean does it come?",
        ),
    ),
    hints=(
        "Add up all real nats first, then divide once.",
        "A nat is 1 / ln 2 bits. Perplexity is e to the mean loss of a token, in nats.",
    ),
)
