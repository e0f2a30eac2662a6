"""Sentences that are true of an answer, and those that are not said."""

import numpy as np
import pytest
from helpers.samples import exercise

from fmkit.lab.judging.judge import judge_answer


def rows(x, keep):
    e = np.exp(x) * keep
    return e / e.sum(1, keepdims=True)


def cases(rng):
    found = []
    for n, c in [(2, 3), (4, 5), (3, 6), (1, 4)]:
        keep = np.ones((n, c))
        keep[:, 0] = 0.0
        found.append((rng.normal(size=(n, c)), keep))
    x, keep = found[1]
    return [*found, (x.astype(np.float32), keep.astype(np.float32))]


EXERCISE = exercise(rows, cases)


def said(change):
    verdict = judge_answer(EXERCISE, lambda x, keep: change(rows(x, keep), x, keep), seed=1)
    return " ".join((verdict.right, verdict.misconception, *verdict.says))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda y, x, k: 0 * y, "Yours are all zero."),
        (lambda y, x, k: x, "Yours is x, unchanged."),
        (lambda y, x, k: -y, "wrong sign, on every input"),
        (lambda y, x, k: 2 * y, "twice the right ones, on every input"),
        (lambda y, x, k: y * np.float32(1.4426950), "divided by ln 2"),
        (lambda y, x, k: y / y.dtype.type(len(y)), "divided by len(x)"),
        (lambda y, x, k: y * y.dtype.type(x.shape[1] ** 0.5), "times the root of x.shape[1]"),
        (lambda y, x, k: y + y.dtype.type(0.25), "0.25 too large, on every input"),
        (lambda y, x, k: y * y, "the squares of the right ones"),
        (lambda y, x, k: y[:, ::-1], "in reverse order along axis 1"),
        (lambda y, x, k: np.roll(y, 1, 1), "one place too late along axis 1"),
        (lambda y, x, k: y.T, "transposed"),
        (lambda y, x, k: y[..., None], "an axis of length 1 too many"),
        (lambda y, x, k: y.ravel(), "only the shape is another one"),
        (
            lambda y, x, k: np.where(k == 0, y.dtype.type(0.3), y),
            "Only the first element along axis 1 is wrong",
        ),
        (lambda y, x, k: np.where(x < 0, y.dtype.type(9), y), "Wrong exactly where x is negative."),
        (
            lambda y, x, k: np.where((x < 0) & (y > 0), y.dtype.type(9), y),
            "Wrong only where x is negative; the others are right.",
        ),
        (lambda y, x, k: y + 1 if y.dtype == np.float32 else y, "Wrong just on the inputs in float32."),
        (lambda y, x, k: y + 1 if len(y) == 1 else y, "Right on 4 of 5 inputs."),
        (lambda y, x, k: y.reshape(-1)[::-1], "Yours holds as many numbers, in another form."),
    ],
)
def test_what_is_true_is_said(change, words):
    assert words in said(change)


def test_who_hands_in_the_numbers_of_the_example_is_told_so():
    """Its shape fits one input only: what is wrong there says nothing about the others."""
    numbers = rows(*cases(np.random.default_rng(1))[0])
    numbers[0, 1] += 0.1
    told = said(lambda y, x, k: numbers)
    assert "Yours is the same on every input." in told and "exactly where" not in told


def test_rows_that_should_sum_to_one():
    rng = np.random.default_rng(0)
    assert "rows should add up to 1" in said(
        lambda y, x, k: y * rng.uniform(0.3, 0.9, y.shape).astype(y.dtype)
    )


def test_the_sum_that_is_told_is_of_the_input_that_is_shown():
    def change(y, x, keep):
        return y * np.linspace(0.6 - 0.01 * x.shape[1], 0.9, len(y), dtype=y.dtype)[:, None]

    assert "one of yours adds up to 0.57." in said(change)  # input 1, of three columns


@pytest.mark.parametrize(
    ("single", "words"), [(1, ""), (2, "Wrong just on the inputs where x has more than one row.")]
)
def test_one_input_of_a_single_row_is_chance_and_two_are_not(single, words):
    sizes = [1] * single + [2, 3, 4, 5]
    halved = exercise(lambda x: x / 2, lambda rng: [(rng.normal(size=(n, 3)),) for n in sizes])
    says = judge_answer(halved, lambda x: x / 2 + x[::-1] - x, seed=1).says
    assert next((said for said in says if said.startswith("Wrong just")), "") == words


def test_that_a_mask_holds_a_number_twice_is_not_said():
    masks = [np.array(mask) for mask in ([1, 0], [1], [0], [1, 1, 0], [0, 1], [0, 0, 1], [1, 0, 1, 1])]
    masked = exercise(lambda x, m: x * m, lambda rng: [(rng.normal(size=len(m)), m) for m in masks])
    says = judge_answer(masked, lambda x, m: x * m + (len(m) > 2), seed=1).says
    assert says and not any("twice" in said for said in says)


def grades(scores, target):
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    return p - (np.arange(scores.shape[1]) == target[:, None])


GRADES = exercise(
    grades,
    lambda rng: [(rng.normal(size=(n, c)), rng.integers(0, c, n)) for n, c in ((2, 3), (4, 2), (3, 5))],
)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda y, at: np.where(at, y - 0.1, y), "Of each row only the element at target is wrong."),
        (lambda y, at: np.where(at, y, y * y), "Of each row only the element at target is right."),
    ],
)
def test_the_element_that_an_index_names(change, words):
    def answer(scores, target):
        return change(grades(scores, target), np.arange(scores.shape[1]) == target[:, None])

    assert words in judge_answer(GRADES, answer, seed=1).says


def test_what_holds_everywhere_is_no_place():
    def answer(scores, target):
        y = grades(scores, target)
        y[:, 0] *= 1.5
        y[:, -1] -= 0.1
        return y

    assert not any("target is" in words for words in judge_answer(GRADES, answer, seed=1).says)


def test_a_factor_on_one_input_only_is_not_a_factor():
    assert "times" not in said(lambda y, x, k: 3 * y if len(y) == 2 else y * y + 1)


def shares(n, k):
    return 7 * n / k


def test_near_1_no_factor_is_said_that_is_not_there():
    """Right but for one input, where a rounding makes it 0.0005 less: that is no factor on every input."""
    sizes = exercise(shares, lambda rng: [(1001, 3), (900, 3), (640, 4), (10_000, 5), (3000, 1)])
    verdict = judge_answer(sizes, lambda n, k: 7 * n / k if n != 1001 else 7 * n / k * 0.9995, seed=1)
    assert verdict.right == "Right on 4 of 5 inputs." and verdict.says == ()
    verdict = judge_answer(sizes, lambda n, k: 7 * n / k * 0.9995, seed=1)
    assert verdict.says == ("Yours are the right ones times 0.9995, on every input.",)
