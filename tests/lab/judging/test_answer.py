"""`run_answer` notes what a function did: value, failure with the learner's line, side effects."""

import functools
import gc
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

import fmkit
from fmkit.lab.judging.answer import _is_own, names_used, run_answer
from fmkit.lab.judging.plain import Foreign

CASE = (np.array([1.0, 2.0]), {"w": np.array([3.0])})


def run_one(fn, case=CASE, **settings):
    (outcome,) = run_answer(fn, [case], **settings)
    return outcome


def test_a_value():
    outcome = run_one(lambda x, p: (x * p["w"], 3))
    assert outcome.value[0].tolist() == [3.0, 6.0] and outcome.value[1] == 3
    assert (outcome.failure, outcome.overwritten, outcome.printed, outcome.warned) == (None, (), "", "")


def test_the_value_is_a_snapshot():
    buffer = np.zeros(1)

    def answer(n):
        buffer[0] = n
        return buffer

    assert [float(o.value[0]) for o in run_answer(answer, [(1,), (2,)])] == [1.0, 2.0]


def test_overwritten_arguments_do_no_harm():
    cases = [CASE, CASE]

    def answer(x, p):
        x += 1
        p["w"][0] = 9
        p["new"] = 1
        return x

    for outcome in run_answer(answer, cases):
        assert outcome.value.tolist() == [2.0, 3.0]
        assert outcome.overwritten == ((0, ""), (1, ""))
    assert CASE[0].tolist() == [1.0, 2.0] and list(CASE[1]) == ["w"]


def test_an_exception_tells_the_line_of_the_learners_own_code():
    def answer(x, p):
        y = x @ p["w"]  # the sizes do not fit
        return y

    failure = run_one(answer).failure
    assert (failure.kind, failure.type) == ("raised", "ValueError")
    assert failure.code == 'y = x @ p["w"]  # the sizes do not fit'
    assert failure.line == answer.__code__.co_firstlineno + 1
    assert failure.ancestors == ("ValueError", "Exception", "BaseException")


def test_an_exception_inside_numpy_tells_the_line_that_called_it():
    def answer(x, p):
        return np.linalg.inv(x)

    failure = run_one(answer).failure
    assert failure.type == "LinAlgError" and failure.code == "return np.linalg.inv(x)"


@pytest.mark.parametrize("error", [SystemExit, GeneratorExit, RecursionError, MemoryError])
def test_any_exception_is_caught(error):
    def answer(x, p):
        raise error

    assert run_one(answer).failure.type == error.__name__


def test_endless_recursion_is_caught():
    def answer(x, p):
        return answer(x, p)

    assert run_one(answer).failure.type == "RecursionError"


def test_an_exception_that_cannot_be_shown_is_caught():
    class Rude(Exception):
        def __str__(self):
            raise RuntimeError

    def answer(x, p):
        raise Rude

    assert run_one(answer).failure.message == ""


def test_the_stop_button_works():
    def answer(x, p):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_one(answer)


def test_wrong_parameters():
    failure = run_one(lambda x: x).failure
    assert failure.kind == "call" and "1 positional argument" in failure.message


def test_a_type_error_inside_is_no_call_error():
    assert run_one(lambda x, p: x + "a").failure.kind == "raised"


def dots(x, p): ...


def docs(x, p):
    """Only words."""


def passes(x, p):
    """Words."""
    pass


def not_implemented(x, p):
    raise NotImplementedError("write this")


def dots_in_a_sum(x, p):
    dx = ...
    return x + dx


def dots_returned(x, p):
    return x, ...


def dots_in_a_product(x, p):
    return x @ ...


@pytest.mark.parametrize(
    "answer", [dots, docs, passes, not_implemented, dots_in_a_sum, dots_returned, dots_in_a_product]
)
def test_placeholders_are_unfinished(answer):
    assert run_one(answer).failure.kind == "unfinished"


def test_dots_in_an_index_are_no_placeholder():
    def answer(x, p):
        return x[..., 0] @ x[..., None, None, 5]

    def remark(x, p):
        return x + "one"  # that is x1, x2, ...

    assert run_one(answer).failure.kind == "raised"
    assert run_one(remark).failure.kind == "raised"


def test_a_computed_none_is_a_value():
    def answer(x, p):
        x * 2

    outcome = run_one(answer)
    assert outcome.value is None and outcome.failure is None


def test_an_endless_loop():
    def answer(x, p):
        while True:
            x = x + 1

    began = time.monotonic()
    outcomes = run_answer(answer, [CASE] * 5, seconds=0.1)
    assert [o.failure.kind for o in outcomes] == ["timeout"] * 5
    assert outcomes[0].failure.line is not None
    assert time.monotonic() - began < 5


def test_the_time_is_for_all_cases_together():
    outcomes = run_answer(lambda x, p: time.sleep(0.1) or x, [CASE] * 20, seconds=0.35)
    kinds = [o.failure and o.failure.kind for o in outcomes]
    assert kinds[0] is None and kinds[-1] == "timeout" and len(kinds) == 20


def test_output_is_kept_apart(capsys):
    def answer(x, p):
        print("looking at", x.shape)
        return x

    assert run_one(answer).printed == "looking at (2,)\n"
    assert capsys.readouterr().out == ""


def test_printing_forever_fills_no_memory():
    def answer(x, p):
        while True:
            print("spam")

    outcome = run_one(answer, seconds=0.1)
    assert outcome.failure.kind == "timeout" and len(outcome.printed) <= 2000


def test_the_first_warning_is_noted_with_its_line():
    def answer(x, p):
        return x / np.zeros(2)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warned = run_one(answer).warned
    assert "divide by zero" in warned and "return x / np.zeros(2)" in warned


def test_numpy_settings_of_an_answer_do_not_last():
    def answer(x, p):
        np.seterr(all="raise")
        return x / np.zeros(2)

    before = np.geterr()
    assert run_one(answer).failure.type == "FloatingPointError"
    assert np.geterr() == before


def test_the_notebooks_random_numbers_go_on_as_if_nothing_had_been_checked():
    np.random.seed(3)  # noqa: NPY002
    next_ones = np.random.random(2)  # noqa: NPY002

    def answer(x, p):
        np.random.seed(1)  # noqa: NPY002
        return x

    np.random.seed(3)  # noqa: NPY002
    run_one(answer)
    assert np.random.random(2).tolist() == next_ones.tolist()  # noqa: NPY002


def test_an_answer_may_close_its_output():
    def answer(x, p):
        print("before")
        sys.stdout.close()
        return 3

    outcome = run_one(answer)
    assert (outcome.value, outcome.printed) == (3, "before\n")


def test_a_coroutine_is_dropped_without_a_word():
    async def answer(x, p):
        return x

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert run_one(answer).value == Foreign("a coroutine")
        gc.collect()
    assert warned == []


def test_only_plain_data_comes_out():
    class Stubborn:
        def __getattribute__(self, name):
            raise RuntimeError(name)

    class Silent(type):
        @property
        def __name__(cls):
            raise ValueError

    class Nameless(metaclass=Silent):
        pass

    assert isinstance(run_one(lambda x, p: Stubborn()).value, Foreign)
    assert run_one(lambda x, p: Nameless()).value is None


def test_a_generator_is_no_value():
    def answer(x, p):
        yield x

    assert run_one(answer).value == Foreign("a generator")


class Unhelpful:
    """Can be called, and raises at the mention of anything else."""

    def __call__(self, x, p):
        import json

        return json.loads("3")

    def __getattr__(self, name):
        raise RuntimeError(name)


def test_partials_and_callables_run():
    class Callable:
        def __call__(self, x, p):
            return 3

    assert run_one(functools.partial(lambda a, x, p: a, 3)).value == 3
    assert run_one(Callable()).value == 3
    assert run_one(Unhelpful()).value == 3
    assert run_one(np.add, (1, 2)).value == 3


# --- modules -----------------------------------------------------------------------------------------------


def helper(x):
    import json

    return json.dumps(x)


def test_modules_are_found_by_import_by_name_and_through_helpers():
    def inside(x):
        import collections.abc as c

        return c

    def by_helper(x):
        return [helper(v) for v in x]

    assert names_used(inside) == {"collections.abc"}
    assert names_used(by_helper) == {"json"}
    assert names_used(lambda x: np.exp(x)) == {"numpy"}
    assert names_used(lambda x: [np.exp(v) for v in x]) == {"numpy"}
    assert names_used(lambda x: functools.reduce(max, x)) == {"functools"}
    found = names_used(lambda x: run_answer(x, []))
    assert found == {"fmkit.lab.judging.answer", "fmkit.lab.judging.answer.run_answer"}
    assert names_used(lambda x: x.time) == frozenset()  # an attribute is no module
    assert names_used(len) == frozenset()


def test_a_function_of_the_kit_is_found_behind_each_way_to_import_its_module():
    def whole(x):
        import fmkit.activations

        return fmkit.activations.softmax(x)

    def renamed(x):
        import fmkit.activations as a

        return a.softmax(x)

    def from_the_package(x):
        from fmkit import activations

        return activations.softmax(x)

    def from_the_module(x):
        from fmkit.activations import softmax

        return softmax(x)

    wanted = {"fmkit.activations", "fmkit.activations.softmax"}
    for answer in (whole, renamed, from_the_package, from_the_module):
        assert names_used(answer) - {"fmkit"} == wanted, answer.__name__


def test_a_helper_of_the_same_name_is_the_learners():
    def answer(x):
        from fmkit.activations import sigmoid

        return sigmoid(x), softmax(x)

    assert names_used(answer) == {"fmkit.activations", "fmkit.activations.sigmoid", "json"}


def softmax(x):
    return helper(x)


def test_modules_are_found_inside_whatever_can_be_called():
    def decorated(fn):
        @functools.wraps(fn)
        def inner(*args):
            return fn(*args)

        return inner

    assert names_used(Unhelpful()) == {"json"}
    assert names_used(Unhelpful().__call__) == {"json"}
    assert names_used(functools.partial(decorated(helper), 3)) == {"json"}
    assert names_used(functools.cache(helper)) == {"json"}


def test_a_recursive_helper_ends():
    def answer(x):
        return answer(x - 1) if x else helper(x)

    assert names_used(answer) == {"json"}


def test_no_line_of_the_kit_counts_as_the_learners():
    """An exception raised inside the kit is told with the learner's line that called it."""
    from fmkit.layers import linear

    def answer(x):
        return linear(x, x)

    (outcome,) = run_answer(answer, [(np.ones((2, 3)),)])
    assert outcome.failure.code == "return linear(x, x)"
    kit = Path(fmkit.__file__).parent
    assert not any(_is_own(str(file), answer) for file in kit.rglob("*.py"))
