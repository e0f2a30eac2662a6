"""Bits per character and the perplexity of a padded batch."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(B, T, in_front=False):
        real = rng.permutation(T - 1)[:B] + 2  # rows of different lengths, none of one token
        mask = (np.arange(T) < real[:, None]).astype(np.int64)
        if in_front:
            mask = mask[:, ::-1].copy()  # padding may stand in front, too
        return rng.uniform(0.5, 5.0, (B, T)), rng.integers(1, 7, (B, T)), mask

    two_rows = np.array([[0.5, 4.0], [2.0, 3.0]]), np.array([[2, 5], [1, 4]]), np.array([[1, 0], [1, 1]])
    nothing_written = case(3, 8)
    nothing_written[1][:, 0] = 0  # a real token of no characters: its bits count
    return [
        (np.log([[4.0, 16.0, 7.0]]), np.array([[1, 3, 2]]), np.array([[1, 1, 0]])),
        case(3, 7),
        case(5, 9, in_front=True),
        two_rows,
        (np.array([[1.5, 0.25, 3.0, 0.75]]), np.array([[3, 1, 6, 2]]), np.array([[1, 1, 1, 0]])),
        nothing_written,
        as_float32(case(4, 6)),
    ]


def bits_per_character(losses, lengths, mask):
    nats = (losses * mask).sum()
    tokens = mask.sum()
    characters = (lengths * mask).sum()
    bits = nats / np.log(2) / characters  # first all the bits, then all the characters
    perplexity = np.exp(nats / tokens)
    return float(bits), float(perplexity)


def chosen(losses, lengths, mask):
    losses, lengths = losses[mask > 0], lengths[mask > 0]
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
            "bits = nats / characters",
            "The losses are in nats. How many bits is a nat?",
        ),
        mistake(
            "multiplied by ln 2",
            "bits = nats * np.log(2) / characters",
            "A fair coin is 1 bit and ln 2 = 0.69 nats: which number is the larger one?",
        ),
        mistake(
            "log2 of each loss",
            "bits = (np.log2(losses) * mask).sum() / characters",
            "A loss is a logarithm already: from nats to bits it is only divided by ln 2.",
        ),
        mistake(
            "divided by tokens",
            "bits = nats / np.log(2) / tokens",
            "That is bits per token: the tokens of another tokenizer are longer or shorter, and the numbers "
            "cannot be compared.",
        ),
        mistake(
            "the mean of each token's own ratio",
            "bits = (losses / lengths)[mask == 1].mean() / np.log(2)",
            "All the bits over all the characters: add up before you divide.",
        ),
        mistake(
            "the mean of the rows' own bits per character",
            "bits = ((losses * mask).sum(1) / (lengths * mask).sum(1)).mean() / np.log(2)",
            "The rows are not equally long: a token of a short row would weigh more.",
        ),
        mistake(
            "the mean loss of a token over the mean length of a place",
            "bits = nats / tokens / np.log(2) / (lengths * mask).mean()",
            "Two means over different places: divide the sum of the bits by the sum of the characters.",
        ),
        mistake(
            "padding counted",
            ("nats = losses.sum()", "tokens = mask.size", "characters = lengths.sum()"),
            "Where the mask is 0 there is no token.",
        ),
        mistake(
            "padding's losses counted",
            "nats = losses.sum()",
            "Where the mask is 0 there is no token: its loss does not count.",
        ),
        mistake(
            "padding's characters counted",
            "characters = lengths.sum()",
            "Where the mask is 0 there is no text either: whose characters did you count?",
        ),
        mistake(
            "the mean over all places, padding among them",
            "tokens = mask.size",
            "By how many terms is the mean divided? Padding is no token.",
        ),
        mistake(
            "tokens of no characters left out",
            ("nats = (losses * mask * (lengths > 0)).sum()", "tokens = (mask * (lengths > 0)).sum()"),
            "A token that writes nothing was predicted, too: its bits count.",
        ),
        mistake(
            "the mask of ones and zeros taken for row numbers",
            (
                "nats = losses[mask].sum()",
                "tokens = losses[mask].size",
                "characters = lengths[mask].sum()",
            ),
            "losses[mask] with whole numbers picks rows 0 and 1. With mask == 1 it picks the real places.",
        ),
        mistake(
            "perplexity as 2 to the nats",
            "perplexity = 2 ** (nats / tokens)",
            "2 goes with bits, e with nats.",
        ),
        mistake(
            "perplexity as e to the bits",
            "perplexity = np.exp(nats / tokens / np.log(2))",
            "2 goes with bits, e with nats.",
        ),
        mistake(
            "perplexity of a character",
            "perplexity = 2**bits",
            "The perplexity is asked for a token: from which mean does it come?",
        ),
        mistake(
            "perplexity as e to the bits per character",
            "perplexity = np.exp(bits)",
            "The perplexity comes from nats, per token; you have taken bits, per character.",
        ),
        mistake(
            "perplexity of the sum",
            "perplexity = np.exp(nats)",
            "e to the *mean* loss: by how many tokens is the sum divided?",
        ),
        mistake(
            "the mean nats, without e",
            "perplexity = nats / tokens",
            "That is the mean loss. Perplexity is e to it.",
        ),
        mistake(
            "the mean of the tokens' own perplexities",
            "perplexity = np.exp(losses)[mask == 1].mean()",
            "First the mean of the losses, then e to it: one bad token must not decide all.",
        ),
        mistake(
            "the mean of the rows' own perplexities",
            "perplexity = np.exp((losses * mask).sum(1) / mask.sum(1)).mean()",
            "One mean over all real tokens of the batch, then e to it.",
        ),
        mistake(
            "perplexity from the mean of the rows' means",
            "perplexity = np.exp(((losses * mask).sum(1) / mask.sum(1)).mean())",
            "The rows are not equally long: a token of a short row would weigh more.",
        ),
        mistake(
            "the pair in the other order",
            "return float(perplexity), float(bits)",
            "First the bits, then the perplexity.",
        ),
    ),
    hints=(
        "Add up all real nats first, then divide once.",
        "A nat is 1 / ln 2 bits. Perplexity is e to the mean loss of a token, in nats.",
    ),
)
