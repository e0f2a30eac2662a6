"""What a wrong answer is like: known mistakes alone or together, one edit, other arguments, each value."""

import numpy as np
import pytest
from helpers.samples import exercise

from fmkit.lab.judging.answer import run_answer
from fmkit.lab.judging.judge import judge, judge_answer
from fmkit.lab.judging.naming import known_outcomes


def normed(x, scale, eps):
    """Rows without their mean, divided by their size, times a scale."""
    xc = x - x.mean(1, keepdims=True)
    size = np.sqrt((xc * xc).mean(1, keepdims=True) + eps)
    out = scale * xc / size
    return out, size[:, 0]


def cases(rng):
    return [
        (rng.normal(size=(n, c)), float(s), float(e))
        for n, c, s, e in [(2, 3, 0.5, 0.1), (4, 5, 3.0, 0.2), (1, 4, 2.0, 0.3), (3, 2, 0.7, 0.05)]
    ]


EXERCISE = exercise(
    normed,
    cases,
    {
        "forgot the mean": "xc = x",
        "eps outside the root": "size = np.sqrt((xc * xc).mean(1, keepdims=True)) + eps",
        "forgot the scale": "out = xc / size",
        "the columns": ("xc = x - x.mean(0, keepdims=True)",),
    },
)


def verdict(fn, seed=0):
    return judge_answer(EXERCISE, fn, seed=seed)


def answer(
    xc="x - x.mean(1, keepdims=True)", size="np.sqrt((xc * xc).mean(1, keepdims=True) + eps)", rest=""
):
    source = f"def normed(x, scale, eps):\n    xc = {xc}\n    size = {size}\n    out = scale * xc / size\n"
    names = {"np": np}
    exec(source + f"    {rest or 'return out, size[:, 0]'}\n", names)
    return names["normed"]


def test_one_known_mistake():
    found = verdict(answer(xc="x"))
    assert (found.how, found.known, found.misconception) == ("same", ("forgot the mean",), "forgot the mean")


def test_a_known_mistake_that_one_input_hides():
    """Right where there is one row, like the known mistake everywhere else."""
    found = verdict(answer(xc="x - x.mean(0, keepdims=True) if len(x) > 1 else x - x.mean(1, keepdims=True)"))
    assert (found.how, found.misconception) == ("same", "the columns")


def test_a_known_mistake_on_most_inputs():
    found = verdict(answer(xc="x if len(x) < 4 else x + 7"))
    assert (found.how, found.misconception) == ("part", "forgot the mean")
    found = verdict(answer(xc="x if len(x) < 3 else x + 7"))
    assert found.misconception == "", "two of four may be chance"


def test_two_known_mistakes():
    found = verdict(answer(xc="x", size="np.sqrt((xc * xc).mean(1, keepdims=True)) + eps"))
    assert found.how == "two" and set(found.known) == {"forgot the mean", "eps outside the root"}


def test_one_edit():
    found = verdict(answer(size="np.sqrt((xc * xc).sum(1, keepdims=True) + eps)"))
    assert (found.how, found.misconception, found.known) == ("edit", "as if a mean were a sum", ())


def test_an_argument_changed():
    found = verdict(answer(size="np.sqrt((xc * xc).mean(1, keepdims=True))"))
    assert (found.how, found.misconception) == ("edit", "as if eps were 0")
    found = verdict(lambda x, scale, eps: normed(x, eps, scale))
    assert found.misconception == "as if scale and eps were exchanged"


def test_a_known_mistake_and_one_thing_more():
    found = verdict(answer(xc="x", size="np.sqrt((xc * xc).mean(1, keepdims=True))"))
    assert found.how == "two" and found.known == ("forgot the mean",)
    assert found.misconception == "forgot the mean; and besides as if eps were 0"


def test_each_value_by_itself():
    found = verdict(answer(rest="return xc / size, size.sum(1) ** 2"))
    assert "out: forgot the scale" in found.misconception and "value 2 of 2: as if" in found.misconception
    assert found.known == ("forgot the scale",)


@pytest.mark.parametrize(
    ("rest", "words"),
    [
        ("return -out, size[:, 0] * out.shape[0]", "out with the wrong sign and value 2 of 2 times len(x)"),
        ("return out, 2 * size[:, 0]", "value 2 of 2 twice as large"),
    ],
)
def test_a_known_mistake_times_a_factor(rest, words):
    found = verdict(answer(xc="x", rest=rest))
    assert (found.how, found.misconception) == ("two", f"forgot the mean; and besides {words}")


def test_two_mistakes_that_mend_each_other_are_not_told():
    """One spoils both values, the other puts one of them right again: nobody makes these two."""
    mistakes = {
        "both doubled": ("out = 2 * scale * xc / size", "return out, 2 * size[:, 0]"),
        "out halved": "return out / 2, size[:, 0]",
        "half of out": "out = scale * xc / size / 2",
    }
    found = judge_answer(
        exercise(normed, cases, mistakes), lambda *args: (normed(*args)[0], 2 * normed(*args)[1]), seed=0
    )
    assert found.known == ("both doubled",) and found.misconception.startswith("value 2 of 2")


def piece(n, ranks):
    held = n / ranks
    return held, 3.0 * n


def pieces(rng):
    return [(1000, 4), (960, 2), (1001, 3), (640, 1), (5000, 8), (72, 6)]


def test_a_factor_that_only_undoes_a_mistake_is_not_told():
    """What is held is right on all inputs but one, and a little off there: that is no mistake by a factor."""
    everybody = exercise(piece, pieces, {"what all hold": "return held * ranks, 3.0 * n"})

    def answer(n, ranks):
        return n / ranks if n != 1001 else 333.5, 3.0 * n * ranks

    found = judge_answer(everybody, answer, seed=0)
    assert found.misconception == "" and "value 2 of 2: yours are the right ones times ranks." in found.says


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_like_nothing(seed):
    rng = np.random.default_rng(seed)
    found = verdict(lambda x, scale, eps: (rng.normal(size=x.shape), rng.normal(size=len(x))), seed)
    assert found.status == "wrong" and found.misconception == "" and found.says == ()


def test_a_right_answer_in_a_wrong_form_is_like_no_edit():
    found = verdict(lambda x, scale, eps: tuple(v.astype(np.float32) for v in normed(x, scale, eps)))
    assert found.kind == "dtype" and found.misconception == ""


def test_a_search_ends_when_its_time_is_up():
    slow = judge_answer(EXERCISE, lambda x, scale, eps: (x * 0 + 1.234, x[:, 0] * 3.3), seed=0, seconds=5)
    assert slow.status == "wrong"


def test_a_suspect_runs_once_on_an_input_however_many_answers_are_judged():
    inputs = cases(np.random.default_rng(0))
    known = known_outcomes(EXERCISE, inputs)
    answers = [lambda x, s, e: (normed(x, s, e)[0] ** 3, normed(x, s, e)[1]) for _ in range(2)]
    first, second = (judge(EXERCISE, inputs, run_answer(fn, inputs), known=known) for fn in answers)
    assert first == second
    asked = len(known.suspects)
    assert asked > 100
    judge(EXERCISE, inputs, run_answer(answers[0], inputs), known=known)
    assert len(known.suspects) == asked
