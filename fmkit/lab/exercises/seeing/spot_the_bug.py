"""Spot the bug: a picture of what a masked model says that borrows from what was hidden."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(b, n, p, few):
        hidden = rng.random((b, n)) < 0.6
        hidden[:, 0], hidden[:, 1] = True, False
        if few:
            hidden[0] = True
            hidden[0, 1] = False  # one patch is seen
        tokens = rng.normal(size=(b, n, 1)) + rng.uniform(0.3, 2.0, (b, n, 1)) * rng.normal(size=(b, n, p))
        tokens += 3.0 * np.arange(b)[:, None, None]  # pictures of another brightness
        return rng.normal(size=(b, n, p)), tokens, hidden

    tokens = np.array([[[1.0, 3.0], [8.0, 8.0]]])
    example = np.array([[[0.0, 0.0], [1.0, -1.0]]]), tokens, np.array([[False, True]])
    blank = case(2, 4, 3, False)
    blank[1][0] = 0.5  # a picture of one colour
    nothing = case(2, 3, 4, False)
    nothing[2][1] = False  # a picture of which nothing was hidden
    return [
        example,
        case(2, 4, 3, False),
        case(3, 5, 2, True),
        blank,
        nothing,
        case(1, 6, 4, True),
        as_float32(case(2, 4, 5, False)),
    ]


def picture(said, tokens, hidden):
    out = tokens.copy()
    for n in range(len(tokens)):
        seen = tokens[n][~hidden[n]]
        out[n][hidden[n]] = said[n][hidden[n]] * seen.std() + seen.mean()
    return out


def at_once(said, tokens, hidden):
    there = ~hidden[:, :, None]  # (B, N, 1)
    count = there.sum((1, 2), keepdims=True) * tokens.shape[2]
    mean = (tokens * there).sum((1, 2), keepdims=True) / count
    var = (((tokens - mean) ** 2) * there).sum((1, 2), keepdims=True) / count
    guess = said * np.sqrt(var) + mean
    return np.where(there, tokens, guess).astype(tokens.dtype)


def patch_by_patch(said, tokens, hidden):
    out = np.zeros_like(tokens)
    for n, k in np.ndindex(hidden.shape):
        if hidden[n, k]:
            seen = np.concatenate([tokens[n, i] for i in range(hidden.shape[1]) if not hidden[n, i]])
            out[n, k] = said[n, k] * np.std(seen) + np.mean(seen)
        else:
            out[n, k] = tokens[n, k]
    return out


EXERCISE = Exercise(
    title="Spot the bug: the picture that borrows",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=picture,
    alternatives=(at_once, patch_by_patch),
    equal=(
        ("var = ((mean - tokens) ** 2 * there).sum((1, 2), keepdims=True) / count", "a square has no sign"),
    ),
    mistakes=(
        mistake(
            "borrowed mean and spread of each hidden patch",
            "out[n][hidden[n]] = said[n][hidden[n]] * tokens[n][hidden[n]].std(-1, keepdims=True)"
            " + tokens[n][hidden[n]].mean(-1, keepdims=True)",
            "That is the bug itself: how bright a hidden patch is, and of what contrast, nobody has seen.",
        ),
        mistake(
            "borrowed the mean of each hidden patch",
            "+ seen.mean() -> + tokens[n][hidden[n]].mean(-1, keepdims=True)",
            "How bright a hidden patch is, nobody has seen.",
        ),
        mistake(
            "borrowed the spread of each hidden patch",
            "* seen.std() -> * tokens[n][hidden[n]].std(-1, keepdims=True)",
            "How strong the contrast of a hidden patch is, nobody has seen.",
        ),
        mistake(
            "mean and spread of the whole picture, the hidden patches too",
            "seen = tokens[n]",
            "The mean of all patches knows something of the hidden ones: take those that were seen.",
        ),
        mistake(
            "mean and spread of the hidden patches together",
            "seen = tokens[n][hidden[n]] if hidden[n].any() else tokens[n]",
            "That still looks at what was hidden: take the patches that were seen.",
        ),
        mistake(
            "mean and spread of the whole batch",
            "seen = tokens[~hidden]",
            "Another picture may be much brighter: each has its own.",
        ),
        mistake(
            "the variance for its root",
            "* seen.std() -> * seen.var()",
            "To undo a division by the standard deviation, multiply by it.",
        ),
        mistake(
            "the spread forgotten",
            "* seen.std() ->",
            "The model's patches have variance 1: how wide do the visible ones scatter?",
        ),
        mistake(
            "the mean forgotten",
            "+ seen.mean() ->",
            "The model's patches have mean 0: how bright are the visible ones?",
        ),
        mistake(
            "what the model said, as it is",
            "out[n][hidden[n]] = said[n][hidden[n]]",
            "The model's patches have mean 0 and variance 1; a picture has neither.",
        ),
        mistake(
            "the visible patches painted over, too",
            "out[n][hidden[n]] = said[n][hidden[n]] -> out[n] = said[n]",
            "What is known is shown as it is.",
        ),
        mistake(
            "the mask upside down",
            "out[n][hidden[n]] = said[n][hidden[n]] -> out[n][~hidden[n]] = said[n][~hidden[n]]",
            "hidden is True where the model had to guess.",
        ),
        mistake(
            "a mean and a spread for each pixel of a patch",
            "seen.std() + seen.mean() -> seen.std(0) + seen.mean(0)",
            "One mean and one spread a picture, over all its visible numbers.",
        ),
        mistake(
            "divided by the count less one",
            "* seen.std() -> * seen.std(ddof=1)",
            "Divide by how many numbers there are, as np.std does.",
        ),
        mistake(
            "mean and spread exchanged",
            "* seen.std() + seen.mean() -> * seen.mean() + seen.std()",
            "The spread multiplies, the mean is added.",
        ),
        mistake(
            "the mean of the patches' own spreads",
            "* seen.std() -> * seen.std(-1).mean()",
            "One spread over all visible numbers of the picture: patches differ from each other, too.",
        ),
        mistake(
            "what is hidden counted as zeros",
            "seen = np.where(hidden[n][:, None], 0, tokens[n])",
            "Mean and spread are of the visible numbers alone: a hidden patch is no zero, it is not there.",
        ),
    ),
    hints=(
        "What may the picture use that the model has not said? Only what everybody has seen.",
        "tokens[n][~hidden[n]] are the visible patches of picture n: take their mean and standard deviation.",
    ),
)
