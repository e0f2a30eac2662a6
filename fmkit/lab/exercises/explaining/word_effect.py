"""For each word, in spreads: how much nearer is it to one set of words than to another?"""

import numpy as np

from fmkit.lab.exercises._inputs import as_float32
from fmkit.lab.judging.exercise import Exercise, mistake


def cases(rng):
    def case(n, a, b, c):
        def words(k):
            return rng.normal(size=(k, c)) * rng.uniform(0.3, 4.0, (k, 1)) + 0.5

        return words(n), words(a), words(b)

    example = np.array([[1.0, 0.0]]), np.array([[2.0, 0.0], [1.0, 1.0]]), np.array([[0.0, 3.0], [0.0, 1.0]])
    w, a, b = case(3, 4, 2, 3)
    return [
        example,
        case(1, 2, 2, 3),
        case(2, 3, 3, 4),
        (w, a, b),
        (100 * w, a, b),
        (w, np.array([[50.0], *[[1.0]] * 3]) * a, b),  # one very long word
        (w, a, -a[:2]),
        case(4, 1, 3, 5),
        case(3, 5, 2, 2),
        case(6, 8, 8, 10),
        as_float32(case(5, 4, 3, 6)),
    ]


def word_effect(w, a, b):
    w, a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (w, a, b))
    to_a, to_b = w @ a.T, w @ b.T
    spread = np.concatenate([to_a, to_b], axis=1).std(axis=1, ddof=1)
    return (to_a.mean(axis=1) - to_b.mean(axis=1)) / spread


def loop(w, a, b):
    found = np.empty(len(w), w.dtype)
    for i, word in enumerate(w):  # its length cancels
        near, far = ([v @ word / np.linalg.norm(v) for v in words] for words in (a, b))
        found[i] = (np.mean(near) - np.mean(far)) / np.std(near + far, ddof=1)
    return found


def without_length_of_w(w, a, b):
    words = np.concatenate([a, b])
    dots = w @ (words / np.sqrt((words**2).sum(1, keepdims=True))).T  # a word's own length cancels below
    n = len(words)
    dots = dots - dots.mean(1, keepdims=True)
    variance = (dots**2).sum(1) / (n - 1)
    return (dots[:, : len(a)].mean(1) - dots[:, len(a) :].mean(1)) / variance**0.5


EXERCISE = Exercise(
    title="How far a word leans",
    points=2,
    minutes=12,
    difficulty=3,
    tolerance=1e-4,
    cases=cases,
    teaches=("fairness.weat", "fairness.association"),
    reference=word_effect,
    alternatives=(loop, without_length_of_w),
    equal=(
        (
            "w, a, b = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (w, a, b))",
            "of two axes 1 is the last",
        ),
        ("spread = np.concatenate([to_a, to_b], axis=1).std(axis=-1, ddof=1)", "of two axes 1 is the last"),
        ("spread = np.concatenate([to_a, to_b], axis=-1).std(axis=1, ddof=1)", "of two axes 1 is the last"),
        ("return (to_a.mean(axis=-1) - to_b.mean(axis=1)) / spread", "of two axes 1 is the last"),
        ("return (to_a.mean(axis=1) - to_b.mean(axis=-1)) / spread", "of two axes 1 is the last"),
        (
            "near, far = ([word @ v / np.linalg.norm(v) for v in words] for words in (a, b))",
            "a product of vectors in any order",
        ),
        (
            "near, far = ([v.T @ word / np.linalg.norm(v) for v in words] for words in (a, b))",
            "a vector has one axis only",
        ),
        (
            "near, far = ([v @ word.T / np.linalg.norm(v) for v in words] for words in (a, b))",
            "a vector has one axis only",
        ),
    ),
    mistakes=(
        mistake(
            "dot products instead of cosines",
            "w, a, b = w, a, b",
            "Long vectors would count more: a cosine divides by both lengths.",
        ),
        mistake(
            "the length of all words together",
            "np.linalg.norm(x, axis=1, keepdims=True) -> np.linalg.norm(x)",
            "Each word is divided by its own length.",
        ),
        mistake(
            "normalised each number, not each word",
            "np.linalg.norm(x, axis=1, keepdims=True) -> np.linalg.norm(x, axis=0, keepdims=True)",
            "Each word (row) is divided by its own length.",
        ),
        mistake(
            "the squared length",
            "np.linalg.norm(x, axis=1, keepdims=True) -> (x * x).sum(1, keepdims=True)",
            "The length is the root of the sum of squares.",
        ),
        mistake(
            "the spread of the population, not of the sample",
            "ddof=1 -> ddof=0",
            "The sample's spread divides by one less than the number of cosines: ddof=1.",
        ),
        mistake(
            "the spread of the first set only",
            "np.concatenate([to_a, to_b], axis=1) -> np.concatenate([to_a, to_a], axis=1)",
            "The spread is that of all cosines, to both sets.",
        ),
        mistake(
            "the spread of the second set only",
            "np.concatenate([to_a, to_b], axis=1) -> np.concatenate([to_b, to_b], axis=1)",
            "The spread is that of all cosines, to both sets.",
        ),
        mistake(
            "one spread for all words",
            "std(axis=1, ddof=1) -> std(ddof=1)",
            "Each word is measured by its own cosines' spread.",
        ),
        mistake(
            "the variance instead of the spread",
            ".std( -> .var(",
            "Divide by the spread, the root of the variance.",
        ),
        mistake(
            "not divided by the spread",
            "return to_a.mean(axis=1) - to_b.mean(axis=1)",
            "In spreads: divide by that of the word's cosines.",
        ),
        mistake(
            "sums instead of means",
            "to_a.mean(axis=1) - to_b.mean(axis=1) -> to_a.sum(axis=1) - to_b.sum(axis=1)",
            "The sets may be of different size: take means.",
        ),
        mistake(
            "the sets exchanged",
            "to_a.mean(axis=1) - to_b.mean(axis=1) -> to_b.mean(axis=1) - to_a.mean(axis=1)",
            "Positive means nearer to `a`.",
        ),
        mistake(
            "the nearest word instead of the mean",
            "to_a.mean(axis=1) - to_b.mean(axis=1) -> to_a.max(axis=1) - to_b.max(axis=1)",
            "All words of a set count, by their mean.",
        ),
        mistake(
            "the size without the sign",
            "return np.abs(to_a.mean(axis=1) - to_b.mean(axis=1)) / spread",
            "The sign says to which set the word leans.",
        ),
        mistake(
            "the spread of the words' differences",
            "spread = (to_a.mean(axis=1) - to_b.mean(axis=1)).std() or 1.0",
            "That is the test of two sets of words. Here each word is measured by the spread "
            "of its own cosines.",
        ),
        mistake(
            "the mean of the two spreads",
            "spread = (to_a.std(axis=1, ddof=1) + to_b.std(axis=1, ddof=1)) / 2",
            "One spread, over the cosines to both sets together.",
        ),
        mistake(
            "the cosine with the mean of each set",
            "return (w @ (a.mean(axis=0) / np.linalg.norm(a.mean(axis=0))) - w @ "
            "(b.mean(axis=0) / np.linalg.norm(b.mean(axis=0)))) / spread",
            "A mean of cosines is asked for, not the cosine with a mean.",
        ),
        mistake(
            "the sign only",
            "return np.sign(to_a.mean(axis=1) - to_b.mean(axis=1))",
            "How far it leans is asked for, in spreads.",
        ),
        mistake(
            "the sample's spread of the words' differences",
            "spread = (to_a.mean(axis=1) - to_b.mean(axis=1)).std(ddof=1) if len(w) > 1 else 1.0",
            "That is the test of two sets of words. Here each word is measured by the "
            "spread of its own cosines.",
        ),
        mistake(
            "the cosine with the mean vector of each set",
            (
                (
                    "w, a, b = (x / np.linalg.norm -> middle, other = a.mean(axis=0), "
                    "b.mean(axis=0)\nw, a, b = (x / np.linalg.norm"
                ),
                (
                    "return (w @ (middle / np.linalg.norm(middle)) - w @ (other / "
                    "np.linalg.norm(other))) / spread"
                ),
            ),
            "A mean of cosines is asked for, not the cosine with a mean.",
        ),
    ),
    hints=(
        "Divide each row of w, a and b by its own length: then products are cosines, (N, A) and (N, B).",
        "The spread of word n: over its A + B cosines together, with ddof=1.",
    ),
)
