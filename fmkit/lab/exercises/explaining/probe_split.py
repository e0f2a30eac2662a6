"""A probe's training and test vectors: by sentence, and scaled without a look at the test."""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(lengths, c, n_test):
        sentence = rng.permutation(np.repeat(np.arange(len(lengths)), lengths))
        x = rng.normal(size=(len(sentence), c)) * rng.uniform(0.5, 3.0, c) + rng.normal(size=c)
        x += sentence[:, None]  # sentences differ
        return x, sentence, rng.permutation(len(lengths)), n_test

    x = np.array([[1.0], [3.0], [9.0], [5.0]])
    example = x, np.array([0, 0, 1, 2]), np.array([1, 2, 0]), 1
    flat = case([3, 2, 4], 3, 1)
    flat[0][:, 1] = rng.integers(1, 9) / 2  # the same everywhere, and its mean is exact: the spread is 0
    x, sentence, order, n_test = case([2, 3, 3, 2], 2, 2)
    there = np.isin(sentence, order[:n_test])
    x[~there, 0] = 7.0  # the same everywhere in the training part only
    half_flat = x, sentence, order, n_test
    return [
        example,
        case([2, 2, 2], 2, 1),
        flat,
        half_flat,
        case([4, 1, 3, 2], 3, 2),
        case([5, 0, 3, 6], 2, 1),  # a sentence without a token
        case([3, 4, 2, 1, 5], 4, 3),
        case([2, 3, 1, 4], 2, 0)[:3] + (1,),
        case([6, 2, 5, 3, 4, 1], 3, 2),
        as_float32(case([3, 5, 2, 4], 3, 2)),
    ]


def probe_split(x, sentence, order, n_test):
    test = np.isin(sentence, order[:n_test])
    train_x, test_x = x[~test], x[test]
    mean, std = train_x.mean(0), train_x.std(0)
    std = np.where(std > 1e-9, std, 1)
    return (train_x - mean) / std, (test_x - mean) / std


def rows(x, sentence, order, n_test):
    held_out = {int(s) for s in order[:n_test]}
    test = [i for i, s in enumerate(sentence) if int(s) in held_out]
    train = [i for i, s in enumerate(sentence) if int(s) not in held_out]
    centre = x[train].sum(0) / len(train)
    spread = x[train].std(axis=0)
    spread[spread < 1e-8] = 1
    z = (x - centre) / spread
    return z[train], z[test]


def places(x, sentence, order, n_test):
    place = np.argsort(order)[sentence]  # where in `order` the sentence of each token stands
    z = x - x[place >= n_test].mean(axis=0)
    std = z[place >= n_test].std(axis=0)
    z = z / np.where(std < 1e-9, np.ones_like(std), std)
    return z[place >= n_test], z[place < n_test]


EXERCISE = Exercise(
    title="A probe that cannot cheat",
    points=2,
    minutes=12,
    difficulty=2,
    tolerance=1e-4,
    cases=cases,
    reference=probe_split,
    alternatives=(rows, places),
    equal=(
        ("std = np.where(std >= 1e-09, std, 1)", "no spread lies so near 0, but 0 itself"),
        ("std = np.where(std > 0.0, std, 1)", "what never changes here has a mean without rounding"),
        ("std = np.where(std > 5e-10, std, 1)", "no spread lies so near 0, but 0 itself"),
        ("std = np.where(std > 2e-09, std, 1)", "no spread lies so near 0, but 0 itself"),
        ("spread[spread <= 1e-08] = 1", "no spread lies so near 0, but 0 itself"),
        ("spread[spread < 5e-09] = 1", "no spread lies so near 0, but 0 itself"),
        ("spread[spread < 2e-08] = 1", "no spread lies so near 0, but 0 itself"),
    ),
    mistakes=(
        mistake(
            "split by token, not by sentence",
            "np.isin(sentence, order[:n_test]) -> np.isin(np.arange(len(x)), order[:n_test])",
            "Two tokens of one sentence know the same: the whole sentence goes to one side.",
        ),
        mistake(
            "took the last sentences of the order for the test",
            "order[:n_test] -> order[len(order) - n_test :]",
            "The first `n_test` sentences of `order` are the test.",
        ),
        mistake(
            "took the sentences with the lowest numbers for the test",
            "np.isin(sentence, order[:n_test]) -> sentence < n_test",
            "Which sentences are the test says `order`, not their number.",
        ),
        mistake(
            "took the places in `order` for sentence numbers",
            "np.isin(sentence, order[:n_test]) -> order[sentence] < n_test",
            "`order` lists sentences: its first entries are the test sentences themselves.",
        ),
        mistake(
            "one sentence too few in the test",
            "order[:n_test] -> order[: n_test - 1]",
            "A slice ends before its end: `order[:n_test]` has n_test entries.",
        ),
        mistake(
            "training and test exchanged",
            "train_x, test_x = x[test], x[~test]",
            "The test is what stands first in `order`; the training part comes back first.",
        ),
        mistake(
            "scaled by all tokens, the test among them",
            "mean, std = x.mean(0), x.std(0)",
            "The test is not there yet when the scale is chosen: the training part alone decides.",
        ),
        mistake(
            "scaled by the test part",
            "mean, std = test_x.mean(0), test_x.std(0)",
            "The training part alone decides on the scale.",
        ),
        mistake(
            "each part scaled by itself",
            "(test_x - mean) / std -> "
            "(test_x - test_x.mean(0)) / np.where(test_x.std(0) > 1e-9, test_x.std(0), 1)",
            "Both parts go through the same change, or the same vector means two things.",
        ),
        mistake(
            "left the test part as it was",
            "(test_x - mean) / std -> test_x",
            "The probe has learned on scaled vectors: it must be asked on such.",
        ),
        mistake(
            "took the mean off, but did not scale",
            "return train_x - mean, test_x - mean",
            "Each number is also divided by its spread.",
        ),
        mistake(
            "scaled, but did not take the mean off",
            "return train_x / std, test_x / std",
            "First the mean goes, then comes the division.",
        ),
        mistake(
            "one mean and one spread for all numbers",
            "mean, std = train_x.mean(), train_x.std()",
            "Each of the C numbers has its own mean and spread: down the tokens.",
        ),
        mistake(
            "mean and spread of each token",
            ("train_x - mean -> train_x - train_x.mean(1, keepdims=True)",),
            "Each of the C numbers has its own mean: down the tokens, not along a vector.",
        ),
        mistake(
            "the spread with N - 1",
            "train_x.std(0) -> train_x.std(0, ddof=1)",
            "The plain spread is meant, `std` as NumPy gives it.",
        ),
        mistake(
            "the variance instead of the spread",
            "train_x.std(0) -> train_x.var(0)",
            "The spread is the root of the variance.",
        ),
        mistake(
            "divided by zero where a number never changes",
            "std = np.where(std > -1, std, 1)",
            "A number that is the same in every training token has no spread: divide it by 1.",
        ),
        mistake(
            "the first rows for the test",
            "np.isin(sentence, order[:n_test]) -> np.arange(len(x)) < n_test",
            "Which tokens are the test is said by their sentence, and by `order`.",
        ),
        mistake(
            "a little added to every spread",
            "std = std + 1e-8",
            "What does not vary in training may vary in the test: nearly 0 below the bar "
            "makes it huge. Divide by 1.",
        ),
        mistake(
            "scaled by all tokens, with N - 1",
            "mean, std = x.mean(0), x.std(0, ddof=1)",
            "The training part alone decides on the scale, and the plain `std` is meant.",
        ),
        mistake(
            "not scaled at all",
            "return train_x, test_x",
            "The mean goes, and each number is divided by its spread.",
        ),
        mistake(
            "the two parts exchanged on the way out",
            "return (test_x - mean) / std, (train_x - mean) / std",
            "The training part comes back first.",
        ),
    ),
    hints=(
        "A token belongs to the test if its sentence is among the first n_test of `order`: np.isin.",
        "Mean and spread come from the training vectors only, one for each of the C numbers.",
    ),
)
