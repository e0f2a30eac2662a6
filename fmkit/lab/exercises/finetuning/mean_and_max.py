"""Pooling without the padding: the mean and the maximum over the real tokens."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.exercises.finetuning._inputs import padded_mask
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(B, T, C, shift=0.0):
        hidden, mask = shift + rng.normal(size=(B, T, C)), padded_mask(rng, B, T)
        hidden[mask == 0] += rng.choice([-5.0, 5.0], size=(int((mask == 0).sum()), C))
        return hidden, mask

    empty = case(5, 6, 3)
    empty[1][2] = 0
    low = case(4, 5, 3, shift=-4.0)  # all real values below zero
    deep = case(5, 4, 2, shift=-3e4)  # below any number that merely looks low
    return [case(3, 7, 4), low, empty, case(1, 4, 2), deep, as_float32(case(4, 6, 5))]


def mean_and_max(hidden, mask):
    real = mask[:, :, None] > 0  # (B, T, 1)
    n = np.maximum(mask.sum(1), 1)[:, None]  # of real tokens, (B, 1)
    mean = np.where(real, hidden, 0).sum(1) / n
    top = np.where(real, hidden, -np.inf).max(1)
    both = np.concatenate([mean, top], axis=1)  # (B, 2C)
    return np.where(mask.any(1)[:, None], both, 0).astype(hidden.dtype)


def loop(hidden, mask):
    B, _, C = hidden.shape
    out = np.zeros((B, 2 * C), hidden.dtype)
    for b in range(B):
        tokens = hidden[b][mask[b] == 1]  # (n, C)
        if len(tokens):
            out[b, :C], out[b, C:] = tokens.mean(0), tokens.max(0)
    return out


def masked_arrays(hidden, mask):
    covered = np.broadcast_to(mask[:, :, None] == 0, hidden.shape)
    tokens = np.ma.array(hidden, mask=covered)
    both = np.ma.concatenate([tokens.mean(1), tokens.max(1)], axis=1)
    return np.asarray(both.filled(0)).astype(hidden.dtype)


EXERCISE = Exercise(
    title="Pooling without the padding",
    points=2,
    minutes=10,
    difficulty=2,
    cases=cases,
    reference=mean_and_max,
    alternatives=(loop, masked_arrays),
    mistakes=(
        mistake(
            "padding in the mean, too",
            "mean = hidden.mean(1)",
            "The same text in a longer batch must get the same mean.",
        ),
        mistake(
            "padding in both",
            ("mean = hidden.mean(1)", "top = hidden.max(1)"),
            "The same text in a longer batch must get the same vector.",
        ),
        mistake(
            "divided by T",
            "mean = np.where(real, hidden, 0).mean(1)",
            "T counts the padding: how many tokens of this text are real?",
        ),
        mistake(
            "padding added up, but not counted",
            "mean = hidden.sum(1) / n",
            "What stands at a padded place may be anything: it must not get into the sum.",
        ),
        mistake(
            "divided by the whole batch's tokens",
            "n = mask.sum()",
            "Each text has its own number of tokens: mask.sum(1).",
        ),
        mistake(
            "the sum, not the mean",
            "mean = np.where(real, hidden, 0).sum(1)",
            "A long text must not get a long vector: divide.",
        ),
        mistake(
            "the square root of the number of tokens",
            "/ n -> / np.sqrt(n)",
            "The mean divides by the number itself.",
        ),
        mistake(
            "padding in the maximum, too",
            "top = hidden.max(1)",
            "A padded place must never win: what number always loses?",
        ),
        mistake(
            "padding counts as zero in the maximum",
            "-np.inf -> 0",
            "Where all real values are negative, a zero at a padded place wins. What number always loses?",
        ),
        mistake(
            "a number that is not low enough at the padded places",
            "-np.inf -> -1e4",
            "Real values may be below -10,000: which number is below all others?",
        ),
        mistake(
            "the largest absolute value",
            "top = np.where(real, hidden, -np.inf).max(1) -> at = np.abs(hidden * real).argmax(1)[:, None]\n"
            "top = np.take_along_axis(hidden, at, axis=1)[:, 0]",
            "The maximum of -5 and 1 is 1.",
        ),
        mistake(
            "the first token instead of the mean",
            "mean = hidden[:, 0]",
            "The first token is BERT's own summary; here the mean over all real tokens is wanted.",
        ),
        mistake(
            "an empty text gives NaN",
            ("n = mask.sum(1)[:, None]", "return both.astype(hidden.dtype)"),
            "A text without a real token gives zeros: 0 / 0 is NaN, and the maximum of nothing is -inf.",
        ),
        mistake(
            "padding counts as zero in the maximum, and an empty text gives NaN",
            ("n = mask.sum(1)[:, None]", "-np.inf -> 0", "return both.astype(hidden.dtype)"),
            "Where all real values are negative, a zero at a padded place wins; and a text without any real "
            "token divides by 0.",
        ),
        mistake(
            "an empty text keeps the -inf of the maximum",
            "return both.astype(hidden.dtype)",
            "A text without a real token gives zeros, in the second half as well.",
        ),
        mistake(
            "maximum first, then mean",
            "both = np.concatenate([top, mean], axis=1)",
            "The mean stands in the first C columns.",
        ),
        mistake(
            "stacked instead of side by side",
            ("both = np.stack([mean, top], axis=1)", "[:, None], both -> [:, None, None], both"),
            "(B, 2C) is wanted: np.concatenate along axis 1.",
        ),
        mistake(
            "float64 out of float32",
            "astype(hidden.dtype) -> astype(np.float64)",
            "An integer array turns float32 into float64: convert the mask.",
        ),
    ),
    hints=(
        "mask[:, :, None] lines up with hidden, (B, T, C): np.where picks hidden or something else.",
        "In a sum padding should count as 0. In a maximum, what number never wins?",
        "Divide by the number of real tokens, but at least by 1; at the end set rows without any to 0.",
    ),
)
