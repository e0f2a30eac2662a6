"""Bits per byte of a batch of texts, whatever the tokenizer."""

import math

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    pieces = ["the", " king", "é", "ß", "雨", "床前", "😀", " a", "\n", "naïve", " be", "!"]

    def case(b, t, junk=np.nan):
        ends = np.r_[t, rng.integers(1, t, b - 1)] if b > 1 else np.array([t])
        mask = (np.arange(t) < rng.permutation(ends)[:, None]).astype(np.int64)
        texts = ["".join(str(rng.choice(pieces)) for _ in range(n)) for n in mask.sum(1)]
        texts[0] += "月é"
        logp = np.where(mask == 1, np.log(rng.uniform(0.02, 0.9, (b, t))), junk)
        return logp, mask, texts

    one = np.ones((1, 2), dtype=int)
    example = np.log(np.array([[0.25, 0.25]])), one, ["ab"]
    chinese = np.log(np.array([[0.25, 0.25]])), one, ["床前明月"]
    padded = np.array([[-1.0, -2.0, -9.0], [-3.0, -9.0, -9.0]]), np.array([[1, 1, 0], [1, 0, 0]]), ["aé", "x"]
    left = (
        np.array([[-9.0, -1.0, -2.0], [-1.5, -0.5, -4.0]]),
        np.array([[0, 1, 1], [1, 1, 1]]),
        ["雨", "no way"],
    )
    ended = (
        np.array([[-1.0, -2.0], [-0.5, -7.0]]),
        np.array([[1, 1], [1, 0]]),
        ["abc", ""],
    )  # only an end mark
    accents = np.array([[-1.0, -800.0, -2.0]]), np.ones((1, 3), dtype=int), ["cafe\u0301 \r\n ﬁ\u3000"]
    outside = np.array([[-2.0, -3.0]]), one, ["😀𝒳"]  # beyond the first 65,536 characters
    return [
        example,
        chinese,
        padded,
        left,
        ended,
        accents,
        outside,
        case(3, 6),
        case(4, 5, -np.inf),
        case(1, 9),
        case(5, 12, 0.0),
        as_float32(case(3, 7)),
    ]


def batch_bits(logp, mask, texts):
    nats = -logp[mask == 1].sum()
    n_bytes = sum(len(text.encode("utf-8")) for text in texts)
    return float(nats / math.log(2) / n_bytes)


def joined(logp, mask, texts):
    bits = -np.where(mask > 0, logp, 0).astype(np.float64) / np.log(2)
    return float(bits.sum() / len(bytes("".join(texts), "utf-8")))


def loop(logp, mask, texts):
    bits, size = 0.0, 0
    for row, real, text in zip(logp.tolist(), mask.tolist(), texts, strict=True):
        bits -= sum(value * math.log2(math.e) for value, is_real in zip(row, real, strict=True) if is_real)
        for c in text:
            size += 1 + (ord(c) > 0x7F) + (ord(c) > 0x7FF) + (ord(c) > 0xFFFF)
    return bits / size


BYTES = 'n_bytes = sum(len(text.encode("utf-8")) for text in texts)'

EXERCISE = Exercise(
    title="Bits per byte",
    points=2,
    minutes=10,
    difficulty=2,
    tolerance=1e-4,  # one Python number comes out of float32 inputs
    cases=cases,
    reference=batch_bits,
    alternatives=(joined, loop),
    equal=(
        (
            "nats = -logp[mask >= 1].sum()",
            "the mask is 0 or 1",
        ),
        (
            "bits = -np.where(mask > 0, logp, 0) / np.log(2)",
            "float32 is exact enough for the tolerance",
        ),
    ),
    teaches=("metrics.bits_per_byte", "metrics.bits_per_character"),
    mistakes=(
        mistake(
            "characters for bytes",
            "n_bytes = sum(len(text) for text in texts)",
            "床 has three bytes, é has two: encode the text before you count.",
        ),
        mistake(
            "two bytes a character",
            "n_bytes = sum(2 * len(text) for text in texts)",
            "In UTF-8 a character has one to four bytes: encode the text before you count.",
        ),
        mistake(
            "bytes of another encoding",
            'n_bytes = sum(len(text.encode("utf-16-le")) for text in texts)',
            "UTF-8 is asked for.",
        ),
        mistake(
            "a mark at the front counted, too",
            'n_bytes = sum(len(text.encode("utf-8-sig")) for text in texts)',
            "utf-8-sig puts three bytes before each text: plain utf-8 has none.",
        ),
        mistake(
            "bits per token",
            "n_bytes = mask.sum()",
            "Divide by the length of the text in bytes, not in tokens: tokens differ between models.",
        ),
        mistake(
            "nats per byte",
            "return float(nats / n_bytes)",
            "The logs are natural: divide by log 2 to have bits.",
        ),
        mistake(
            "multiplied by log 2",
            "return float(nats * math.log(2) / n_bytes)",
            "One bit is log 2 nats: how many bits are in one nat?",
        ),
        mistake(
            "logs to base 10",
            "return float(nats / math.log10(2) / n_bytes)",
            "The logs are natural: divide by the natural log of 2.",
        ),
        mistake(
            "the mean of the tokens' nats",
            "nats = -logp[mask == 1].mean()",
            "Add all nats up, add all bytes up, divide once.",
        ),
        mistake(
            "each text by itself, then the mean",
            "return float(nats / math.log(2) / n_bytes) -> return float(np.mean("
            "[-row[real == 1].sum() / math.log(2) / max(len(text.encode()), 1) "
            "for row, real, text in zip(logp, mask, texts)]))",
            "A short text should not weigh as much as a long one: add up over all texts, then divide once.",
        ),
        mistake(
            "padding counts",
            "nats = -np.nan_to_num(logp, neginf=0.0).sum()",
            "Where the mask is 0 there is no text: what stands there does not count.",
        ),
        mistake(
            "padding counts, with all that stands there",
            "nats = -logp.sum()",
            "Where the mask is 0 there is no text: what stands there does not count.",
        ),
        mistake(
            "the mask multiplied",
            "nats = -(logp * mask).sum()",
            "0 times NaN is NaN, and so is 0 times infinity: pick the real places instead.",
        ),
        mistake(
            "padding instead of the text",
            "nats = -logp[mask == 0].sum()",
            "The mask is 1 for a real token, and 0 for padding.",
        ),
        mistake(
            "the first columns for the real ones",
            "nats = -sum(row[: int(n)].sum() for row, n in zip(logp, mask.sum(1)))",
            "Padding may stand on the left: the mask says where the real tokens are.",
        ),
        mistake(
            "texts that are empty are skipped with their tokens",
            "nats = -logp[mask == 1].sum() -> nats = -sum(row[real == 1].sum() "
            "for row, real, text in zip(logp, mask, texts) if text)",
            "An end mark has no bytes, but the model had to predict it.",
        ),
        mistake(
            "white space not counted",
            'n_bytes = sum(len("".join(text.split()).encode("utf-8")) for text in texts)',
            "White space is text, too, and the model had to predict it.",
        ),
        mistake(
            "the sign",
            "nats = logp[mask == 1].sum()",
            "A logarithm of a probability is negative, a surprise is not.",
        ),
        mistake(
            "the perplexity per byte",
            "return float(np.exp(min(nats / n_bytes, 700.0)))",
            "Bits are wanted, not their exponential.",
        ),
        mistake(
            "upside down",
            "return float(n_bytes / (nats / math.log(2)))",
            "Bits per byte: the bytes divide.",
        ),
        mistake(
            "each text by itself, then the mean, the empty ones left out",
            "return float(nats / math.log(2) / n_bytes) -> return float(np.mean([-row[real == "
            "1].sum() / math.log(2) / len(text.encode()) for row, real, text in zip(logp, mask, "
            "texts) if text]))",
            "A short text should not weigh as much as a long one: add up over all texts, then divide once.",
        ),
        mistake(
            "divided by log 2 twice",
            "return float(nats / math.log(2) ** 2 / n_bytes)",
            "From nats to bits is one step: divide by log 2 once.",
        ),
        mistake(
            "bytes of another encoding, with its mark",
            'n_bytes = sum(len(text.encode("utf-16")) for text in texts)',
            "UTF-8 is asked for.",
        ),
        mistake(
            "one byte more for each text",
            'n_bytes = sum(len(text.encode("utf-8")) + 1 for text in texts)',
            "An end mark has no bytes: only what is spelt counts.",
        ),
        mistake(
            "an empty text counts as a byte",
            'n_bytes = sum(max(len(text.encode("utf-8")), 1) for text in texts)',
            "An empty text has no bytes; the batch as a whole has some.",
        ),
    ),
    hints=(
        'len(text.encode("utf-8")) is the number of bytes of a text.',
        "logp[mask == 1] picks the real tokens, whatever stands in the others.",
        "Minus the sum of the logs, by log 2, by all bytes together.",
    ),
)
