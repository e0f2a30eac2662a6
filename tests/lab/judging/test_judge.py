"""The judge: honest answers in any form pass, honest mistakes are named (attacks: test_judge_attacks)."""

import functools
import re

import numpy as np
import pytest
from helpers.samples import CENTER, center, center_cases, exercise, right_but

from fmkit.lab.cards import card
from fmkit.lab.judging.answer import names_used, run_answer
from fmkit.lab.judging.judge import Verdict, judge, judge_answer, make_cases
from fmkit.lab.judging.plain import plain


def verdict_of(fn, of=CENTER, seed=0):
    cases = make_cases(of, seed)
    return judge(of, cases, run_answer(fn, cases))


def mean_exercise(reference=None, **changes):
    """One number in a 0-d array out of one array."""
    return exercise(
        reference or (lambda x: np.asarray(x.mean())), lambda rng: [(rng.normal(size=4),)] * 2, **changes
    )


# --- right -------------------------------------------------------------------------------------------------


def test_reference_and_alternatives_are_right():
    for fn in (center, *CENTER.alternatives):
        assert verdict_of(fn) == Verdict("ok")


@pytest.mark.parametrize(
    "answer",
    [
        lambda x: float(x.mean()),
        lambda x: x.mean(),
        lambda x: np.array(x.mean()),
        lambda x: x.reshape(2, 2).mean(0).mean(),
    ],
)
def test_one_number_may_come_in_any_form(answer):
    assert verdict_of(answer, mean_exercise()).status == "ok"
    assert verdict_of(answer, mean_exercise(lambda x: float(x.mean()))).status == "ok"


def test_a_view_of_the_argument_is_a_value():
    first = exercise(lambda x: x[0].copy(), lambda rng: [(rng.normal(size=(2, 3)),)])
    assert verdict_of(lambda x: x[0], first).status == "ok"


def test_partial_functions_and_callables_are_right():
    class Center:
        def __call__(self, x, w):
            return center(x, w)

    assert verdict_of(functools.partial(center)).status == "ok"
    assert verdict_of(Center()).status == "ok"
    assert verdict_of(Center().__call__).status == "ok"


def test_printing_is_no_mistake():
    def answer(x, w):
        print(x)
        return center(x, w)

    assert verdict_of(answer).status == "ok"


# --- what the judge tells ----------------------------------------------------------------------------------


def no_return(x, w):
    center(x, w)


def loops(x, w):
    while True:
        x = x + 1


def generates(x, w):
    yield center(x, w)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("none", no_return),
        ("none", right_but(lambda y, m: (y, None))),
        ("type", right_but(lambda y, m: ("many", m))),
        ("count", right_but(lambda y, m: "y, m")),
        ("type", generates),
        ("count", right_but(lambda y, m: y)),
        ("count", right_but(lambda y, m: (y, m, y))),
        ("order", right_but(lambda y, m: (m, y))),
        ("shape", right_but(lambda y, m: (y.T, m))),
        ("shape", right_but(lambda y, m: (y, m[:, None]))),
        ("dtype", right_but(lambda y, m: (y.astype(np.float32), m))),
        ("nan", right_but(lambda y, m: (y * np.nan, m))),
        ("nan", right_but(lambda y, m: (y / 0, m))),
        ("value", right_but(lambda y, m: (y + 1, m))),
        ("raised", right_but(lambda y, m: y @ y @ m)),
        ("call", lambda x: x),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_kinds(kind, answer):
    verdict = verdict_of(answer)
    assert (verdict.status, verdict.kind) == ("wrong", kind)
    assert verdict.message and verdict.misconception == ""


def test_a_generator_is_told_as_one():
    assert "yield" in verdict_of(generates).message


def test_a_time_limit():
    verdict = judge_answer(CENTER, loops, seed=0, seconds=0.1)
    assert (verdict.status, verdict.kind) == ("wrong", "timeout")
    assert ("line", f"{loops.__code__.co_firstlineno + 2}: x = x + 1") in verdict.rows or verdict.rows


def test_an_exception_is_told_with_its_line():
    def answer(x, w):
        return undefined + x  # noqa: F821

    verdict = verdict_of(answer)
    assert verdict.message == "It raises NameError."
    assert dict(verdict.rows)["line"].endswith("return undefined + x  # noqa: F821")
    assert dict(verdict.rows)["exception"] == "NameError: name 'undefined' is not defined"


def test_placeholders_are_undone_not_wrong():
    def dots(x, w): ...

    def partly(x, w):
        mean = x.mean(-1, keepdims=True)
        return (x - mean) * ..., mean[..., 0]

    def to_do(x, w):
        raise NotImplementedError("write this, then run its check")

    assert verdict_of(dots).status == verdict_of(to_do).status == "undone"
    assert verdict_of(to_do).rows == ()
    assert "(x - mean) * ..." in verdict_of(partly).rows[0][1]


def test_overwriting_is_told_by_the_arguments_name():
    nested = exercise(
        lambda params, x: x @ params["w1"],
        lambda rng: [({"w1": rng.normal(size=(3, 2))}, rng.normal(size=(4, 3)))],
    )

    def answer(params, x):
        y = x @ params["w1"]
        params["w1"] *= 2
        return y

    verdict = verdict_of(answer, nested)
    assert verdict.kind == "overwritten" and 'params["w1"]' in verdict.message

    def two(params, x):
        out = x @ params["w1"]
        params["w1"] += 1
        x += 1
        return out

    assert "its arguments " in verdict_of(two, nested).message

    def both_wrong(params, x):
        x += 1
        return x @ params["w1"]

    verdict = verdict_of(both_wrong, nested)
    assert verdict.kind == "value" and verdict.notes == ("It also overwrites its argument x.",)


def test_wrong_values_are_told_before_a_wrong_dtype():
    def answer(x, w):
        y, m = center(x, w)
        return y.astype(np.float32), m + 1

    assert verdict_of(answer).kind == "value"


def test_output_and_warnings_of_a_wrong_answer_are_shown():
    def answer(x, w):
        print("shape", x.shape)
        return np.log(-np.abs(x)), x.mean(-1)

    verdict = verdict_of(answer)
    assert "It printed: shape (4, 3)" in verdict.notes
    assert any("invalid value encountered in log" in note for note in verdict.notes)


def test_the_input_is_described():
    """Small arguments whole and rounded, large ones by their shape."""
    rows = dict(verdict_of(right_but(lambda y, m: (y + 1, m))).rows)
    assert re.fullmatch(
        r"x = array \(4, 3\) float64, w = \[-?[\d.]+, -?[\d.]+, -?[\d.]+\]", rows["input 1 of 4"]
    )


def test_a_reference_may_raise():
    def checked(n):
        if n < 0:
            raise ValueError("negative")
        return n * 2

    def never_raises(n):
        return n * 2

    def raises_another(n):
        return [2 * n][int(n < 0)]

    doubling = exercise(checked, lambda rng: [(3,), (-int(rng.integers(1, 9)),)])
    assert verdict_of(checked, doubling).status == "ok"
    assert verdict_of(never_raises, doubling).kind == "raised"
    assert "ValueError should be raised" in verdict_of(never_raises, doubling).message
    assert verdict_of(raises_another, doubling).kind == "raised"


def test_modules_that_are_not_allowed():
    def from_the_kit(x, w):
        mean = plain(x.mean(-1))
        return (x - mean[:, None]) * w, mean

    verdict = judge_answer(CENTER, from_the_kit)
    assert verdict.kind == "module" and verdict.message.endswith(
        "the answer uses fmkit.lab.judging.plain.plain."
    )
    cases = make_cases(CENTER, 0)
    allowed = exercise(center, center_cases, allowed=("numpy", "fmkit.lab"))
    outcomes = run_answer(from_the_kit, cases)
    assert judge(allowed, cases, outcomes, names_used(from_the_kit)).status == "ok"
    assert judge(CENTER, cases, outcomes, {"numpy.linalg", "tqdm.auto"}).status == "ok"
    for barred in ("numpyro", "torch", "importlib"):
        assert judge(CENTER, cases, outcomes, {barred}).kind == "module"


def test_pythons_own_library_may_be_used():
    def answer(x, w):
        from functools import reduce
        from itertools import product

        out, mean = np.zeros_like(x), reduce(np.add, x.T) / x.dtype.type(x.shape[1])
        for i, j in product(*map(range, x.shape)):
            out[i, j] = (x[i, j] - mean[i]) * w[j]
        return out, mean

    assert judge_answer(CENTER, answer).status == "ok"


def test_what_is_taught_is_told_also_where_it_fails():
    taught = exercise(center, center_cases, teaches=("layers.layernorm",))
    cases = make_cases(CENTER, 0)
    outcomes = run_answer(lambda x, w: 1 / 0, cases)
    verdict = judge(taught, cases, outcomes, {"fmkit.layers.layernorm"})
    assert verdict.kind == "raised" and verdict.notes == ("In this exercise write layernorm yourself.",)


def test_float64_has_a_reason_where_no_mistake_gives_one():
    single = exercise(lambda x: x / 2, lambda rng: [(rng.normal(size=4).astype(np.float32),)])
    verdict = judge_answer(single, lambda x: x / np.sqrt(4))
    assert verdict.kind == "dtype" and "math.sqrt" in verdict.hint
    assert "math.sqrt" in repr(card(single, verdict))


# --- naming ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(20))
def test_each_misconception_is_named_as_itself(seed):
    for misconception in CENTER.mistakes:
        verdict = verdict_of(misconception.wrong, seed=seed)
        assert verdict.status == "wrong"
        assert (verdict.misconception, verdict.hint) == (misconception.name, misconception.hint)


def test_a_misconception_written_differently_is_named():
    def answer(x, w):
        out = np.empty_like(x)
        for i, row in enumerate(x):
            out[i] = row - sum(row) / len(row)
        return out, x.mean(1)

    assert verdict_of(answer).misconception == "forgot the weight"


def test_a_misconception_with_a_leak_on_top_is_named_and_the_rest_noted():
    def answer(x, w):
        mean = x.mean(-1, keepdims=True)
        x -= mean
        return x.astype(np.float64), mean[..., 0].astype(np.float64)

    verdict = verdict_of(answer)
    assert verdict.misconception == "forgot the weight"
    besides = "Besides, float64 comes back where the input is in float32."
    assert verdict.notes == ("It also overwrites its argument x.", besides)


def test_a_mistake_in_form_only_is_named():
    def answer(x, w):
        x[:] = x - x.mean(1)[:, None]
        return x * w, center(x, w)[1] * 0 + CASE_MEANS[x.shape]

    cases = make_cases(CENTER, 0)
    CASE_MEANS = {x.shape: center(x, w)[1] for x, w in cases}
    verdict = judge(CENTER, cases, run_answer(answer, cases))
    assert (verdict.kind, verdict.misconception) == ("overwritten", "overwrites x")


def test_two_mistakes_at_once_are_named():
    def answer(x, w):
        return x - x.mean(-1, keepdims=True), x.sum(-1)

    verdict = verdict_of(answer)
    assert verdict.how == "two"
    assert verdict.misconception == "value 1 of 2: forgot the weight; value 2 of 2: the sum for the mean"


def test_the_closest_misconception_is_named_and_of_equals_the_first():
    def off(by):
        return lambda x: x * by

    close = exercise(
        lambda x: x,
        lambda rng: [(rng.normal(size=5),)],
        {"far": off(1.1 * (1 + 8e-6)), "near": off(1.1), "the same": off(1.1)},
    )
    assert verdict_of(off(1.1 * (1 + 1e-7)), close).misconception == "near"
    assert verdict_of(off(1.1 * (1 + 8e-6)), close).misconception == "far"


def test_nan_behaviour_is_recognised():
    def overflows(x):
        with np.errstate(all="ignore"):
            return np.exp(x) / np.exp(x).sum()

    def stable(x):
        e = np.exp(x - x.max())
        return e / e.sum()

    def other_overflow(x):
        with np.errstate(all="ignore"):
            return 1 / np.exp(np.log(np.exp(x).sum()) - x) if x.max() < 50 else np.full_like(x, np.nan)

    softmax = exercise(
        stable,
        lambda rng: [(rng.normal(size=4),), (rng.normal(size=4) + 1000,)],
        {"overflows": overflows, "no sum": lambda x: np.exp(x - x.max())},
    )
    assert verdict_of(other_overflow, softmax).misconception == "overflows"


def test_exceptions_are_compared_by_type():
    def reference(n):
        return 10 // n if n else 0

    def forgot_zero(n):
        return 10 // n

    dividing = exercise(reference, lambda rng: [(int(rng.integers(1, 9)),), (0,)], {"zero": forgot_zero})
    assert verdict_of(lambda n: int(divmod(10, n)[0]), dividing).misconception == "zero"
    assert verdict_of(lambda n: [10 // n][0 if n else 1] if n else {}[n], dividing).misconception == ""


def test_an_unrelated_crash_is_not_named_by_a_misconception_that_always_crashes():
    crashing = exercise(center, center_cases, {"no transpose": lambda x, w: (x @ w[:, None].T, w)})

    def typo(x, w):
        raise ValueError("something else")

    def same(x, w):
        return np.matmul(x, w[None]), w

    assert verdict_of(typo, crashing).misconception == ""
    assert verdict_of(same, crashing).misconception == "no transpose"


def test_a_misconception_that_is_right_on_these_inputs_names_nobody():
    harmless = exercise(center, center_cases, {"no mistake at all": center})
    assert verdict_of(right_but(lambda y, m: (y + 1, m)), harmless).misconception == ""
    assert verdict_of(center, harmless).status == "ok"
