"""tf-idf with a damped count, in rows of length 1."""

import numpy as np

from fmkit.lab.exercises.preprocessing._shared import ALLOWED
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, m, v, most=5):
        train = rng.integers(0, most, (n, v)) * rng.integers(0, 2, (n, v))
        counts = rng.integers(0, most, (m, v)) * rng.integers(0, 2, (m, v))
        train[:, 0], train[:, 1] = 0, 0  # never seen; and in one text only, often
        train[0, 1] = 4
        train[:, 2] = 1  # nearly everywhere: little worth
        train[-1, 2] = 0
        counts[-1] = 0  # a text without a known word
        counts[0] = [3, 4, 1, 2] + [0] * (v - 4)
        counts = np.vstack([np.eye(1, v, 2, dtype=counts.dtype), counts])  # a row that is shorter than 1
        return counts, train

    example = np.array([[1, 0, 2]]), np.array([[1, 1, 0], [0, 1, 0]])
    return [example, case(7, 4, 6), case(9, 3, 5), case(5, 2, 8, most=30), case(12, 6, 4)]


def log_tfidf(counts, train_counts):
    df = np.maximum((train_counts > 0).sum(0), 1)
    damped = np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0.0)
    x = damped * np.log(len(train_counts) / df)
    length = np.sqrt((x * x).sum(1, keepdims=True))
    return x / np.where(length > 0, length, 1.0)


def masked(counts, train_counts):
    x = np.zeros(counts.shape)
    x[counts > 0] = 1 + np.log(counts[counts > 0])
    df = np.count_nonzero(train_counts, axis=0)
    x *= np.log(len(train_counts)) - np.log(np.where(df == 0, 1, df))
    length = np.linalg.norm(x, axis=1)
    x[length > 0] /= length[length > 0, None]
    return x


def loop(counts, train_counts):
    x = np.zeros(counts.shape)
    n = len(train_counts)
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            if count:
                df = max(1, sum(1 for other in train_counts if other[j] > 0))
                x[i, j] = (1 + np.log(count)) * np.log(n / df)
        length = np.sqrt(sum(value * value for value in x[i]))
        if length:
            x[i] = x[i] / length
    return x


EXERCISE = Exercise(
    title="tf-idf with a damped count",
    points=3,
    minutes=12,
    difficulty=3,
    cases=cases,
    reference=log_tfidf,
    alternatives=(masked, loop),
    allowed=ALLOWED,
    mistakes=(
        mistake(
            "document counts from the new texts",
            ("df = np.maximum((counts > 0).sum(0), 1)", "x = damped * np.log(len(counts) / df)"),
            "What a word is worth is learned from the training texts only.",
        ),
        mistake(
            "counted words, not documents",
            "df = np.maximum(train_counts.sum(0), 1)",
            "df counts in how many texts a word is, however often.",
        ),
        mistake(
            "the smoothed form",
            (
                "df = (train_counts > 0).sum(0)",
                "x = damped * (np.log((1 + len(train_counts)) / (1 + df)) + 1)",
            ),
            "That is the library's idf; here it is ln(N / df), and nothing else.",
        ),
        mistake(
            "bare counts",
            "damped = counts",
            "A word that comes ten times is not ten times as telling: 1 + ln(count).",
        ),
        mistake(
            "log(1 + count)",
            "damped = np.log(1 + counts)",
            "The weight of a count is 1 + ln(count), not ln(1 + count).",
        ),
        mistake(
            "a single word counts nothing",
            "damped = np.log(np.maximum(counts, 1))",
            "ln(1) is 0: what is to be added for a word that comes once?",
        ),
        mistake(
            "absent words count 1",
            "damped = 1 + np.log(np.maximum(counts, 1))",
            "1 + ln(count) is for words that are there; the others stay 0.",
        ),
        mistake("no document frequency", "x = damped", "Rare words tell more: multiply by idf."),
        mistake(
            "rows of any length",
            "return x",
            "Divide every row by its length, the root of the sum of squares.",
        ),
        mistake(
            "columns of length 1",
            "length = np.sqrt((x * x).sum(0, keepdims=True))",
            "Each text is a row: keepdims, and the other axis.",
        ),
        mistake(
            "rows that sum to 1",
            "length = x.sum(1, keepdims=True)",
            "The length of a row is the root of the sum of its squares.",
        ),
        mistake(
            "empty rows become NaN",
            "return x / length",
            "A text without a known word has length 0: leave its row 0.",
        ),
        mistake(
            "1 added to every df",
            "df = np.maximum((train_counts > 0).sum(0), 1) -> df = 1 + (train_counts > 0).sum(0)",
            "Only a word that no training text holds counts as 1.",
        ),
        mistake(
            "1 added to the idf",
            "np.log(len(train_counts) / df) -> (1 + np.log(len(train_counts) / df))",
            "The formula here has no 1 in front of the second logarithm.",
        ),
        mistake(
            "a word that nobody has is worth nothing",
            "np.log(len(train_counts) / df) -> np.where((train_counts > 0).any(0), "
            "np.log(len(train_counts) / df), 0)",
            "A word that no training text holds counts as df = 1, not as nothing.",
        ),
        mistake(
            "short rows left as they are",
            "length > 0, length, 1.0 -> length > 1, length, 1.0",
            "Every row but a row of zeros is divided by its length, a short one too.",
        ),
    ),
    equal=(
        (
            "damped = np.where(counts > 0, 1 + np.log(counts), 0.0)",
            "where the count is 0 the logarithm is thrown away",
        ),
        (
            "damped = np.where(counts > 0, 1 + np.log(np.maximum(counts, 0)), 0.0)",
            "where the count is 0 the logarithm is thrown away",
        ),
        (
            "x = damped * np.log2(len(train_counts) / df)",
            "another base is a factor, and the row is divided by its length",
        ),
        (
            "x = damped * np.log10(len(train_counts) / df)",
            "another base is a factor, and the row is divided by its length",
        ),
        ("length = np.sqrt((x * x).sum(-1, keepdims=True))", "of two axes the last is axis 1"),
        (
            "return x / np.where(length > 0, length, 0.5)",
            "a row of zeros stays zero, whatever it is divided by",
        ),
        (
            "return x / np.where(length > 0, length, 2.0)",
            "a row of zeros stays zero, whatever it is divided by",
        ),
        (
            "return x / np.where(length > 0, length, -1.0)",
            "a row of zeros stays zero, whatever it is divided by",
        ),
        ("length = np.linalg.norm(x, axis=-1)", "of two axes the last is axis 1"),
    ),
    hints=(
        "Three steps: the damped counts, times idf, each row divided by its length.",
        "np.where computes both branches: np.log(np.maximum(counts, 1)) avoids the log of 0.",
        "A row of zeros has length 0: divide it by 1 instead.",
    ),
)
