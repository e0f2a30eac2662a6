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

    def by_hand(hidden, mask):
        return np.array(hidden, np.float64), np.array(mask)

    empty = case(5, 6, 3)
    empty[1][2] = 0
    low = case(4, 5, 3, shift=-4.0)  # all real values below zero
    deep = case(5, 4, 2, shift=-3e4)  # below any number that merely looks low
    deeper = case(4, 6, 3)
    deeper[0][:] *= 1e40
    deeper[0][:] -= 6e40  # all of them
    huge = case(3, 6, 2)
    huge[0][huge[1] == 0] = 1e30  # at the padded places
    positive = case(5, 7, 3, shift=4.0)
    return [
        by_hand([[[-1], [-3], [9]]], [[1, 1, 0]]),
        by_hand([[[2, -7], [1, 3]], [[4, 5], [-6, 8]]], [[0, 1], [1, 1]]),
        by_hand([[[-2], [-1]], [[-1], [-3]]], [[1, 1], [1, 0]]),  # all below zero
        by_hand([[[4], [2]], [[3], [1]]], [[1, 1], [0, 0]]),  # a text without any
        by_hand([[[-2e4], [5]], [[-3e50], [1]]], [[1, 0], [1, 0]]),  # low
        by_hand([[[1e30], [2]], [[3], [7]]], [[0, 1], [1, 1]]),  # anything at a padded place
        case(3, 7, 4),
        low,
        empty,
        case(1, 4, 2),
        deep,
        deeper,
        huge,
        positive,
        as_float32(case(4, 6, 5)),
    ]


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
            "padding in both, and nothing done for an empty text",
            "return np.concatenate([hidden.mean(1), hidden.max(1)], axis=1)",
            "The same text in a longer batch must get the same vector: the mask says which tokens are real.",
        ),
        mistake(
            "the first n tokens, wherever the padding stands",
            "real = mask[:, :, None] > 0 -> n = mask.sum(1)[:, None]\n"
            "real = (np.arange(mask.shape[1]) < n)[:, :, None]",
            "Padding may stand on the left: the mask says which tokens are real.",
        ),
        mistake(
            "divided by one more",
            "np.maximum(mask.sum(1), 1) -> (mask.sum(1) + 1)",
            "Only where there is no real token must the divisor be something else than their number.",
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
            "a very low number at the padded places, not the lowest",
            "-np.inf -> -1e9",
            "Real values may be lower still: which number is below all others?",
        ),
        mistake(
            "-100 at the padded places",
            "-np.inf -> -100.0",
            "Real values may be lower: which number is below all others?",
        ),
        mistake(
            "a low number added at the padded places",
            "top = (hidden - 1e9 * (1 - mask[:, :, None])).max(1)",
            "What stands at a padded place may be larger than what you take off: put a number in its place.",
        ),
        mistake(
            "the maximum begins at zero",
            "top = np.where(real, hidden, -np.inf).max(1, initial=0.0)",
            "Where all real values are negative, the maximum is negative as well: begin lower.",
        ),
        mistake(
            "the value of the largest size",
            "top = np.where(real, hidden, -np.inf).max(1) -> at = np.abs(hidden * real).argmax(1)[:, None]\n"
            "top = np.take_along_axis(hidden, at, axis=1)[:, 0]",
            "The maximum of -5 and 1 is 1.",
        ),
        mistake(
            "the largest absolute value",
            "top = np.where(real, np.abs(hidden), -np.inf).max(1)",
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
            "an empty text stays NaN",
            ", both, 0) -> , both, np.nan)",
            "A text without a real token gets zeros.",
        ),
        mistake(
            "~ of an integer mask",
            "top = np.where(~mask[:, :, None], -np.inf, hidden).max(1)\ntop[np.isinf(top)] = 0",
            "~ of the integers 0 and 1 is -1 and -2, both of them true: compare, mask == 0.",
        ),
        mistake(
            "the mean of an empty text is 0 / 0",
            (
                "n = mask.sum(1)[:, None]",
                "top = np.where(real, hidden, -np.inf).max(1) -> "
                "top = np.where(mask.any(1)[:, None], np.where(real, hidden, -np.inf).max(1), 0)",
                "return both.astype(hidden.dtype)",
            ),
            "A text without a real token gets zeros: divide by at least 1.",
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
            "np.zeros makes float64 unless you give it a dtype, and so do whole numbers, as of the mask, "
            "beside floats.",
        ),
    ),
    teaches=("layers.mean_pool",),
    equal=(
        ("n = mask.sum(1)[:, None]", "where it divides by 0 the last line puts zeros"),
        ("n = np.maximum(mask.sum(1), 0)[:, None]", "where it divides by 0 the last line puts zeros"),
        ("n = np.maximum(mask.sum(-1), 1)[:, None]", "the last axis is axis 1"),
        ("both = np.concatenate([mean, top], axis=-1)", "the last axis is axis 1"),
        ("return np.where(mask.any(-1)[:, None], both, 0).astype(hidden.dtype)", "the last axis is axis 1"),
        ("tokens = hidden[b][mask[b] >= 1]", "the mask holds 0 and 1"),
    ),
    hints=(
        "mask[:, :, None] lines up with hidden, (B, T, C): np.where picks hidden or something else.",
        "In a sum padding should count as 0. In a maximum, what number never wins?",
        "Divide by the number of real tokens, but at least by 1; at the end set rows without any to 0.",
    ),
)
